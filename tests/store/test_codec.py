"""The stored form reads back as exactly what was written: every kind of step, content, delta and event."""

from dataclasses import MISSING, fields, replace
from typing import get_args

import orjson
import pytest

from store.values import NOON, ended, key, notice, resource, rich, running
from turnwise.domain.content import MEDIA_TYPES, Content, Media, Text
from turnwise.domain.events import (
    AnnotationsDelta,
    ArgumentsDelta,
    Checkpoint,
    Created,
    Delta,
    End,
    Event,
    Failed,
    MediaDelta,
    PartDelta,
    PartStart,
    PartStop,
    SignatureDelta,
    StatusUpdate,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    WholeDelta,
    fold,
    replay,
)
from turnwise.domain.interaction import Failure, Interaction, Status, Turn, Usage
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    Step,
    Thought,
    ToolCall,
    ToolResult,
    UnknownStep,
    UserInput,
)
from turnwise.domain.tools import FunctionTool, McpServer
from turnwise.store.codec import (
    decode_events,
    decode_settings,
    decode_steps,
    encode_events,
    encode_settings,
    encode_steps,
    unpack,
)
from turnwise.store.rows import (
    interaction_row,
    key_row,
    notice_row,
    read_interaction,
    read_key,
    read_notice,
    read_resource,
    resource_row,
)

CITATION = {"type": "url_citation", "url": "https://example.org", "start_index": 0, "end_index": 2}

ODD = {"zürich": [1, 2.5, None, True, {"deep": ["\u0000", "\U0001f4a5", ""]}]}

CONTENTS: list[Content] = [
    Text(""),
    Text("Grüße \u2028 \U0001f4a5 \u0000", (CITATION, ODD)),
    *(Media(kind) for kind in MEDIA_TYPES),
    *(Media(kind, "a/b", "aGk=", "file:x", {"channels": 2, **ODD}) for kind in MEDIA_TYPES),
]

STEPS: list[Step] = [
    UserInput(()),
    UserInput(tuple(CONTENTS)),
    ModelOutput(),
    ModelOutput(tuple(CONTENTS)),
    Thought(),
    Thought("sealed", tuple(CONTENTS)),
    FunctionCall("c1", "look"),
    FunctionCall("c1", "look", ODD, "sealed"),
    FunctionResult("c1", None),
    FunctionResult("c1", "sunny", "look", True, "sealed"),
    FunctionResult("c1", [{"type": "text", "text": "sunny"}, {"type": "image", "data": "aGk="}]),
    ToolCall("google_search", "t1"),
    ToolCall("mcp_server_tool", "t1", ODD, {"server_name": "s"}, "sealed"),
    ToolResult("google_search", "t1"),
    ToolResult("code_execution", "t1", ODD, True, {"name": "n"}, "sealed"),
    UnknownStep("dream", {}),
    UnknownStep("dream", {"content": [{"type": "text", "text": "sheep"}], **ODD}),
]

DELTAS: list[Delta] = [
    TextDelta(""),
    TextDelta("\U0001f4a5 \u0000"),
    MediaDelta(Media("audio", "audio/l16", "aGk=", options={"sample_rate": 24000})),
    AnnotationsDelta((CITATION, ODD)),
    SummaryDelta(Text("Hm.", (CITATION,))),
    SummaryDelta(Media("image", uri="file:x")),
    SignatureDelta("sealed"),
    ArgumentsDelta('{"a": '),
    WholeDelta(FunctionCall("c1", "look", ODD), fragments=True),
    WholeDelta(FunctionResult("c1", [1, 2])),
    WholeDelta(ToolCall("url_context", "t1", ODD)),
    WholeDelta(ToolResult("url_context", "t1", ODD)),
]

EVENTS: list[Event] = [
    Created(),
    *(StatusUpdate(status) for status in Status),
    *(StepStart(3, 4, step) for step in STEPS),
    StepStart(3, None, ModelOutput()),
    *(PartStart(3, 4, content) for content in CONTENTS),
    *(PartDelta(3, 4, delta) for delta in DELTAS),
    PartStop(3, 4),
    StepStop(3, 4),
    StepStop(3, None),
    Checkpoint("step", ODD),
    Checkpoint("step", None),
    Failed(Failure("api_error", "It broke.")),
    End(Status.FAILED, None, NOON),
    End(Status.COMPLETED, Usage({"text": 1}, {"image": 2}, {"text": 1}, {"text": 3}, 4), NOON.replace(microsecond=7)),
]


def test_the_examples_have_every_kind() -> None:
    assert {type(step) for step in STEPS} == set(get_args(Step))
    assert {type(content) for content in CONTENTS} == set(get_args(Content))
    assert {type(delta) for delta in DELTAS} == set(get_args(Delta))
    assert {type(event) for event in EVENTS} == set(get_args(Event))


def test_the_rich_example_has_something_in_every_field() -> None:
    turn, usage = rich().turn, rich().usage
    assert usage is not None
    for whole in (rich(), turn, turn.generation, turn.tool_choice, turn.webhook, usage):
        assert whole is not None
        plain = {field.name: field.default for field in fields(whole) if field.default is not MISSING}
        made = {field.name: field.default_factory() for field in fields(whole) if callable(field.default_factory)}
        for name, default in {**plain, **made}.items():
            assert getattr(whole, name) != default, name


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.type)
def test_a_step_reads_back_as_it_was(step: Step) -> None:
    assert decode_steps(encode_steps((step,))) == (step,)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_event_reads_back_as_it_was(event: Event) -> None:
    assert decode_events(encode_events((event,))) == [event]


def test_many_read_back_in_their_order() -> None:
    assert decode_steps(encode_steps(STEPS)) == tuple(STEPS)
    assert decode_events(encode_events(EVENTS)) == EVENTS


def test_tuples_are_tuples_again_and_the_json_of_a_client_stays_lists() -> None:
    (message, result) = decode_steps(encode_steps((ModelOutput((Text("Hi", (CITATION,)),)), FunctionResult("c", [[]]))))
    assert isinstance(message, ModelOutput)
    assert isinstance(message.content[0], Text)
    assert type(message.content[0].annotations) is tuple
    assert isinstance(result, FunctionResult)
    assert type(result.result) is list


def test_a_text_delta_is_kept_as_three_values() -> None:
    assert encode_events((PartDelta(1, 2, TextDelta("Hi")), Created())) == b'[[1,2,"Hi"],{"type":"created"}]'


# -- what a newer version wrote

NEWER_STEPS = [
    {"type": "dream", "content": [{"type": "text", "text": "sheep"}]},
    {"type": "user_input", "content": [{"type": "text", "text": "a", "annotations": []}, {"type": "hologram"}]},
    {"type": "function_call", "id": "c1", "name": "look", "mood": "gay"},
    {"type": "thought", "summary": [{"type": "text", "text": "a", "annotations": []}], "mood": "grave"},
]


@pytest.mark.parametrize("written", NEWER_STEPS, ids=lambda written: written["type"])
def test_a_step_that_is_not_understood_is_kept_and_written_back_unchanged(written: dict[str, object]) -> None:
    data = orjson.dumps([written, {"type": "thought", "summary": [], "signature": "s"}])
    unknown, known = decode_steps(data)
    body = {name: value for name, value in written.items() if name != "type"}
    assert unknown == UnknownStep(str(written["type"]), body)
    assert known == Thought("s")
    assert orjson.loads(encode_steps((unknown,))) == [written]
    assert decode_steps(encode_steps((unknown,))) == (unknown,)


@pytest.mark.parametrize("written", NEWER_STEPS, ids=lambda written: written["type"])
def test_an_event_with_such_a_step_is_kept_too(written: dict[str, object]) -> None:
    started = {"step": 0, "output": 0, "skeleton": written, "type": "step_start"}
    whole = {"step": written, "fragments": False, "type": "whole"}
    rows = [started, {"step": 0, "output": 0, "delta": whole, "type": "delta"}]
    events = decode_events(orjson.dumps(rows))
    assert orjson.loads(encode_events(events)) == rows
    assert decode_events(encode_events(events)) == events


def test_settings_that_came_later_take_their_defaults_and_newer_ones_are_passed_over() -> None:
    settings = decode_settings(b'{"store":true,"tools":[{"type":"levitate"},{"type":"function","name":"f"}],"mood":1}')
    assert Turn((), **settings) == Turn((), tools=(FunctionTool("f"),))


def test_a_field_that_came_later_takes_its_default() -> None:
    assert decode_steps(b'[{"type":"function_call","id":"c1","name":"look"}]') == (FunctionCall("c1", "look"),)


# -- rows


@pytest.mark.parametrize("interaction", [ended(), running(), rich(), replace(rich(), steps=tuple(STEPS))])
def test_an_interaction_reads_back_from_its_row(interaction: Interaction) -> None:
    assert read_interaction(interaction_row(interaction)) == interaction


def test_a_key_reads_back_from_its_row() -> None:
    for written in (key(), replace(key(), revoked=NOON)):
        assert read_key(key_row(written)) == written


def test_a_notice_and_a_resource_read_back_from_their_rows() -> None:
    told = replace(notice(**ODD), attempts=3, due=NOON.replace(microsecond=7))
    assert read_notice(notice_row(told)) == told
    made = replace(resource(**ODD), updated=NOON.replace(microsecond=7))
    assert read_resource(resource_row(made)) == made


def test_a_replay_that_was_kept_still_folds_to_its_interaction() -> None:
    whole = replace(rich(), steps=tuple(step for step in STEPS if not isinstance(step, UnknownStep)))
    outcome = fold(decode_events(encode_events(tuple(replay(whole)))))
    assert outcome.steps == whole.steps
    assert (outcome.status, outcome.usage, outcome.failure) == (whole.status, whole.usage, whole.failure)


def test_rows_that_overlap_tell_each_position_once() -> None:
    words = [PartDelta(0, 0, TextDelta(text)) for text in "abcd"]
    rows = [(1, encode_events(words[:3])), (2, encode_events(words[1:]))]
    assert list(unpack(rows, 0)) == list(enumerate(words, 1))


def test_headers_of_a_server_are_not_kept() -> None:
    turn = replace(rich().turn, tools=(McpServer("weather", "https://example.com", {"Authorization": "Bearer key"}),))
    written = encode_settings(turn)
    assert b"Bearer" not in written
    assert decode_settings(written)["tools"] == (McpServer("weather", "https://example.com"),)
