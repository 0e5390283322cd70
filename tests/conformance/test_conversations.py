"""Every SDK holds a conversation in its own form, on the server's history or on its own, and reads it back."""

import pytest

from .selection import over_every_sdk_and_model, over_outputs_sdks_and_models, over_steps_sdks_and_models

TURNS = ("first", "second", "cities", "landmark")


@pytest.fixture
def conversation(sdk, report_of):
    return report_of(sdk, "conversation")


@over_every_sdk_and_model
def test_every_turn_is_completed_with_a_text(sdk, conversation):
    turns = [conversation[name] for name in TURNS]
    assert [turn["status"] for turn in turns] == ["completed"] * 4
    assert all(turn["text"].strip() for turn in turns)
    assert len({turn["id"] for turn in turns}) == 4


@over_every_sdk_and_model
def test_every_turn_counts_its_tokens(sdk, conversation):
    assert all(conversation[name]["total_tokens"] > 0 for name in TURNS)


@over_every_sdk_and_model
def test_every_turn_names_the_model_that_was_asked_for(sdk, conversation):
    assert {conversation[name]["model"] for name in TURNS} == {"gemini-3-flash-preview"}


@over_every_sdk_and_model
def test_second_turn_knows_what_the_first_was_told(sdk, conversation):
    assert conversation["second"]["previous_interaction_id"] == conversation["first"]["id"]
    assert "Phil" in conversation["second"]["text"]


@over_every_sdk_and_model
def test_history_of_the_clients_own_is_understood(sdk, conversation):
    assert "Madrid" in conversation["cities"]["text"]
    assert "Barcelona" in conversation["cities"]["text"]
    assert not conversation["landmark"]["previous_interaction_id"]


@over_every_sdk_and_model
def test_get_gives_back_what_create_answered(sdk, conversation):
    created, got = conversation["second"], conversation["got"]
    for name in ("id", "status", "text", "model", "previous_interaction_id", "total_tokens"):
        assert got[name] == created[name]


@over_every_sdk_and_model
def test_get_with_input_tells_what_was_asked(sdk, conversation):
    with_input = conversation["got_with_input"]
    if with_input is None:
        assert sdk.version == "1.55.0", "only this generation cannot ask for the input"
        return
    assert "What is my name?" in with_input["input"]
    assert with_input["text"] == conversation["second"]["text"]


@over_outputs_sdks_and_models
def test_outputs_are_said_by_the_model(sdk, conversation):
    assert {conversation[name]["role"] for name in TURNS} == {"model"}


@over_steps_sdks_and_models
def test_create_answers_with_output_steps_only_and_get_with_the_whole_turn(sdk, conversation):
    assert conversation["second"]["steps"][-1] == "model_output"
    assert "user_input" not in conversation["second"]["steps"]
    assert conversation["got"]["steps"] == ["user_input", *conversation["second"]["steps"]]


@over_steps_sdks_and_models
def test_output_text_that_the_sdk_computes_is_the_last_text(sdk, conversation):
    computed = [conversation[name]["output_text"] for name in TURNS]
    if computed == [None] * 4:
        assert sdk.version == "2.0.0", "only this generation computes no output_text"
        return
    assert computed == [conversation[name]["text"] for name in TURNS]
