"""How things look outside, to the letter: what the other tests of this folder only compare with itself."""

from typing import Any

import pytest

from domain.samples import CITATION, IMAGE, UNKNOWN, USAGE, full, interaction
from turnwise.domain.content import Media, Text
from turnwise.domain.interaction import DialectName, Failure, Status, Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, ToolCall, ToolResult
from turnwise.wire import DIALECTS
from turnwise.wire.common import render_usage

both_dialects = pytest.mark.parametrize("dialect", DIALECTS)

WHOLE: dict[str, tuple[Step, dict[str, Any]]] = {
    "a bare thought": (Thought(), {"type": "thought"}),
    "a thought": (
        Thought("c2", (Text("Hm."),)),
        {"type": "thought", "signature": "c2", "summary": [{"type": "text", "text": "Hm."}]},
    ),
    "a function call": (
        FunctionCall("1", "look", {"at": "it"}),
        {"type": "function_call", "id": "1", "name": "look", "arguments": {"at": "it"}},
    ),
    "a function call without arguments": (
        FunctionCall("1", "look"),
        {"type": "function_call", "id": "1", "name": "look", "arguments": {}},
    ),
    "a function result": (
        FunctionResult("1", "sunny"),
        {"type": "function_result", "call_id": "1", "result": "sunny"},
    ),
    "a function that failed": (
        FunctionResult("1", "gone", "look", True, "c2"),
        {
            "type": "function_result",
            "call_id": "1",
            "result": "gone",
            "name": "look",
            "is_error": True,
            "signature": "c2",
        },
    ),
    "a tool's call": (
        ToolCall("google_search", "2", {"queries": ["x"]}, {"search_type": "web_search"}, "c2"),
        {
            "type": "google_search_call",
            "id": "2",
            "arguments": {"queries": ["x"]},
            "search_type": "web_search",
            "signature": "c2",
        },
    ),
    "a tool's result": (
        ToolResult("mcp_server_tool", "2", "found", False, {"name": "find", "server_name": "books"}),
        {
            "type": "mcp_server_tool_result",
            "call_id": "2",
            "result": "found",
            "name": "find",
            "server_name": "books",
        },
    ),
    "a step of a newer version": (UNKNOWN, {"type": "dream", "about": "sheep", "count": 3}),
}
"""What is an output in one dialect and a step in the other, with the same fields."""


@both_dialects
@pytest.mark.parametrize(("step", "shown"), WHOLE.values(), ids=WHOLE)
def test_what_is_whole_in_itself_looks_the_same_in_both_dialects(
    dialect: DialectName, step: Step, shown: dict[str, Any]
):
    assert DIALECTS[dialect].render_interaction(interaction(step))[dialect] == [shown]


MESSAGE = ModelOutput((Text("Look:", (CITATION,)), IMAGE))
PARTS = [
    {"type": "text", "text": "Look:", "annotations": [CITATION]},
    {"type": "image", "mime_type": "image/png", "data": "aGFsbG8h"},
]


def test_the_parts_of_a_message_are_outputs_of_their_own():
    assert DIALECTS["outputs"].render_interaction(interaction(MESSAGE))["outputs"] == PARTS


def test_a_message_is_one_step_with_its_parts():
    (step,) = DIALECTS["steps"].render_interaction(interaction(MESSAGE))["steps"]
    assert step == {"type": "model_output", "content": PARTS}


def test_the_last_output_of_an_ordinary_answer_is_its_text():
    shown = DIALECTS["outputs"].render_interaction(interaction(Thought("c2"), ModelOutput((Text("Yes."),))))
    assert shown["outputs"][-1]["text"] == "Yes."


@both_dialects
def test_media_shows_only_what_is_known_of_it(dialect: DialectName):
    media = Media("audio", uri="https://example.org/a", options={"sample_rate": 24000})
    shown = DIALECTS[dialect].render_interaction(interaction(ModelOutput((media,))))[dialect]
    part = shown[0]["content"][0] if dialect == "steps" else shown[0]
    assert part == {"type": "audio", "uri": "https://example.org/a", "sample_rate": 24000}


def test_a_timeline_begins_with_what_was_asked():
    whole = interaction(ModelOutput((Text("Yes?"),)))
    render = DIALECTS["steps"].render_interaction
    assert [step["type"] for step in render(whole)["steps"]] == ["model_output"]
    assert [step["type"] for step in render(whole, timeline=True)["steps"]] == ["user_input", "model_output"]


def test_outputs_hold_only_what_was_produced():
    whole = interaction(ModelOutput((Text("Yes?"),)))
    render = DIALECTS["outputs"].render_interaction
    assert render(whole, timeline=True) == render(whole)


@both_dialects
def test_the_input_is_shown_when_it_is_asked_for(dialect: DialectName):
    render = DIALECTS[dialect].render_interaction
    assert "input" not in render(interaction())
    text = {"type": "text", "text": "Hi"}
    shown = {"outputs": {"role": "user", "content": [text]}, "steps": {"type": "user_input", "content": [text]}}
    assert render(interaction(), include_input=True)["input"] == [shown[dialect]]


@both_dialects
def test_the_request_is_given_back(dialect: DialectName):
    shown = DIALECTS[dialect].render_interaction(full())
    assert shown["system_instruction"] == "Be brief."
    assert shown["generation_config"] == {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "max_output_tokens": 100,
        "stop_sequences": ["stop"],
        "thinking_level": "low",
        "thinking_summaries": "auto",
        "tool_choice": {"allowed_tools": {"mode": "any", "tools": ["look"]}},
        "image_config": {"aspect_ratio": "16:9", "image_size": "2K"},
        "speech_config": [{"voice": "Kore", "language": "en-US", "speaker": "Ann"}, {"voice": "Puck"}],
    }
    look = {"description": "Looks.", "parameters": {"type": "object", "properties": {}}}
    assert shown["tools"] == [
        {"type": "function", "name": "look"} | look,
        {"type": "function", "name": "wait"},
        {"type": "google_search", "search_types": ["web_search", "image_search"]},
        {"type": "url_context"},
        {"type": "code_execution"},
        {
            "type": "mcp_server",
            "name": "weather",
            "url": "https://example.com/mcp",
            "allowed_tools": [{"mode": "any", "tools": ["forecast"]}, {"mode": "none"}],
        },
        {
            "type": "computer_use",
            "environment": "mobile",
            "excluded_predefined_functions": ["drag_and_drop"],
            "disabled_safety_policies": ["financial"],
            "enable_prompt_injection_detection": True,
        },
        {
            "type": "file_search",
            "file_search_store_names": ["fileSearchStores/one", "fileSearchStores/two"],
            "top_k": 3,
            "metadata_filter": "year > 1910",
        },
    ]
    assert shown["response_format"] == [
        {"type": "text", "mime_type": "application/json", "schema": {"type": "object"}},
        {
            "type": "image",
            "aspect_ratio": "16:9",
            "image_size": "2K",
            "mime_type": "image/png",
            "delivery": "uri",
        },
        {"type": "audio", "mime_type": "audio/mp3", "sample_rate": 24000, "bit_rate": 64000, "delivery": "inline"},
    ]
    assert shown["response_modalities"] == ["text", "image", "audio"]
    assert shown["background"] is True
    assert shown["labels"] == {"team": "Zürich"}
    assert shown["service_tier"] == "flex"


@both_dialects
def test_what_there_is_nothing_to_say_of_is_left_out(dialect: DialectName):
    shown = DIALECTS[dialect].render_interaction(interaction())
    assert set(shown) == {"id", "object", "role", "created", "updated", "model", "status", "usage", dialect}


@both_dialects
def test_a_failure_says_why(dialect: DialectName):
    broken = interaction(status=Status.FAILED, failure=Failure("api_error", "It broke."))
    assert DIALECTS[dialect].render_interaction(broken)["errors"] == [{"code": "api_error", "message": "It broke."}]


@pytest.mark.parametrize("status", Status)
def test_the_founding_dialect_has_a_word_for_every_status(status: Status):
    shown = DIALECTS["outputs"].render_interaction(interaction(status=status))["status"]
    assert shown == ("incomplete" if status is Status.BUDGET_EXCEEDED else status.value)


@pytest.mark.parametrize("status", Status)
def test_the_current_dialect_says_every_status_as_it_is(status: Status):
    assert DIALECTS["steps"].render_interaction(interaction(status=status))["status"] == status.value


def test_times_are_in_utc_with_a_z():
    shown = DIALECTS["steps"].render_interaction(interaction())
    assert (shown["created"], shown["updated"]) == ("2026-01-02T12:00:00.000Z", "2026-01-02T12:00:01.500Z")


def test_usage_has_thought_tokens_under_both_of_their_names():
    shown = render_usage(USAGE)
    assert shown["total_thought_tokens"] == shown["total_reasoning_tokens"] == 8


def test_usage_has_every_total_and_every_modality():
    assert render_usage(USAGE) == {
        "total_tokens": 279,
        "total_input_tokens": 268,
        "total_output_tokens": 2,
        "total_cached_tokens": 4,
        "total_tool_use_tokens": 1,
        "total_thought_tokens": 8,
        "total_reasoning_tokens": 8,
        "input_tokens_by_modality": [{"modality": "text", "tokens": 10}, {"modality": "image", "tokens": 258}],
        "output_tokens_by_modality": [{"modality": "text", "tokens": 2}],
        "cached_tokens_by_modality": [{"modality": "text", "tokens": 4}],
        "tool_use_tokens_by_modality": [{"modality": "text", "tokens": 1}],
    }


def test_a_modality_that_cost_nothing_is_not_listed():
    assert render_usage(Usage({"text": 3, "image": 0}))["input_tokens_by_modality"] == [
        {"modality": "text", "tokens": 3}
    ]
