"""Every SDK reads a stream in its own form: live, resumed, replayed, and of a turn that nobody streamed."""

from collections.abc import Callable

import pytest

from .selection import over_every_sdk_and_model, over_outputs_sdks_and_models

FORMS = {
    "outputs": {"begin": "interaction.start", "end": "interaction.complete", "item": "content"},
    "steps": {"begin": "interaction.created", "end": "interaction.completed", "item": "step"},
}


@pytest.fixture
def streams(sdk, report_of: Callable[..., dict]) -> dict:
    return report_of(sdk, "streaming")


@pytest.fixture
def form(sdk) -> dict[str, str]:
    return FORMS[sdk.dialect]


def types_of(events: list[dict]) -> list[str]:
    return [event["type"] for event in events]


def ids_of(events: list[dict]) -> list[str]:
    return [event["event_id"] for event in events]


def text_of(events: list[dict]) -> str:
    return "".join(event.get("text", "") for event in events)


@over_every_sdk_and_model
def test_stream_begins_once_and_ends_once(sdk, streams, form):
    types = types_of(streams["live"])
    assert types[0] == form["begin"]
    assert types[-1] == form["end"]
    assert types.count(form["begin"]) == types.count(form["end"]) == 1
    assert "error" not in types


@over_outputs_sdks_and_models
def test_status_in_progress_follows_the_start(sdk, streams):
    update = streams["live"][1]
    assert (update["type"], update["status"]) == ("interaction.status_update", "in_progress")


@over_every_sdk_and_model
def test_each_item_starts_gives_deltas_and_stops_in_turn(sdk, streams, form):
    open_index = None
    seen = []
    for event in streams["live"]:
        match event["type"].split("."):
            case [item, "start"] if item == form["item"]:
                assert open_index is None
                open_index = event["index"]
                seen.append(open_index)
            case [item, "delta"] if item == form["item"]:
                assert event["index"] == open_index
            case [item, "stop"] if item == form["item"]:
                assert event["index"] == open_index
                open_index = None
    assert open_index is None
    assert seen == list(range(len(seen)))
    assert seen


@over_every_sdk_and_model
def test_text_comes_in_more_than_one_delta_and_adds_up_to_the_stored_text(sdk, streams):
    texts = [event["text"] for event in streams["live"] if event.get("delta") == "text"]
    assert len([text for text in texts if text]) > 1
    assert "".join(texts) == streams["stored"]["text"]


@over_every_sdk_and_model
def test_last_event_carries_status_and_usage_but_no_content(sdk, streams):
    last = streams["live"][-1]
    assert last["status"] == streams["stored"]["status"]
    assert last["status"] in ("completed", "incomplete")
    assert last["total_tokens"] > 0
    assert not last["produced"]


@over_every_sdk_and_model
def test_events_of_the_whole_interaction_name_it(sdk, streams):
    assert {event["id"] for event in streams["live"] if "id" in event} == {streams["stored"]["id"]}


@over_every_sdk_and_model
def test_every_event_has_an_id_of_its_own(sdk, streams):
    ids = ids_of(streams["live"])
    assert all(ids)
    assert len(set(ids)) == len(ids)


@over_every_sdk_and_model
def test_resume_gives_exactly_the_events_after_the_named_one(sdk, streams):
    assert ids_of(streams["resumed"]) == ids_of(streams["live"])[3:]
    assert types_of(streams["resumed"]) == types_of(streams["live"])[3:]
    assert text_of(streams["resumed"]) == text_of(streams["live"][3:])


@over_every_sdk_and_model
def test_replay_from_the_beginning_gives_the_same_events(sdk, streams):
    assert ids_of(streams["replayed"]) == ids_of(streams["live"])
    assert types_of(streams["replayed"]) == types_of(streams["live"])
    assert text_of(streams["replayed"]) == streams["stored"]["text"]


@over_every_sdk_and_model
def test_turn_that_nobody_streamed_can_be_streamed_afterwards(sdk, streams, form):
    replayed = streams["plain_replayed"]
    assert types_of(replayed)[0] == form["begin"]
    assert types_of(replayed)[-1] == form["end"]
    assert text_of(replayed) == streams["plain"]["text"]
    assert replayed[-1]["id"] == streams["plain"]["id"]
