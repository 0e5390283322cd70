"""The types that describe replies, held against everything that rendering can write: with no field missing, none of
another type and none too many. So the description and the rendering cannot part."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, get_args

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.types import Message

from domain.samples import EVERY_STEP, STEPS, full, interaction, live, numbered
from support import parse_frames, within
from turnwise.domain import errors
from turnwise.domain.events import Created, Event, replay
from turnwise.domain.formats import ResponseFormat
from turnwise.domain.interaction import DialectName, Failure, Interaction, Status, Turn
from turnwise.domain.steps import ServerTool, Step
from turnwise.domain.tools import ToolChoice
from turnwise.http.contracts import ModelEntry
from turnwise.http.models import render_model
from turnwise.http.streaming import EventStream
from turnwise.wire import DIALECTS, schema
from turnwise.wire.errors import render_error, render_rpc_error
from turnwise.wire.outputs import schema as outputs
from turnwise.wire.steps import schema as steps

INTERACTIONS = {"outputs": outputs.OutputsInteraction, "steps": steps.StepsInteraction}
EVENTS = {"outputs": outputs.OutputsEvent, "steps": steps.StepsEvent}

both_dialects = pytest.mark.parametrize("dialect", DIALECTS)
every_step = pytest.mark.parametrize("step", EVERY_STEP.values(), ids=EVERY_STEP)


def check(described: Any, *rendered: Any) -> None:
    """Hold what was rendered against its type: exact types, no other fields."""
    exactly = ConfigDict(extra="forbid", strict=True)
    TypeAdapter(list[described], config=exactly).validate_python(list(rendered))


def check_events(dialect: DialectName, events: list[Event], whole: Interaction) -> None:
    rendered = [DIALECTS[dialect].render_event(event, at, whole) for at, event in numbered(events)]
    check(EVENTS[dialect], *(frame[1] for frame in rendered if frame is not None))


# -- interactions


@both_dialects
@every_step
def test_an_interaction_with_any_step_is_as_described(dialect: DialectName, step: Step):
    check(INTERACTIONS[dialect], DIALECTS[dialect].render_interaction(interaction(step)))


@both_dialects
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("timeline", [False, True])
@pytest.mark.parametrize("include_input", [False, True])
def test_an_interaction_with_every_field_is_as_described(
    dialect: DialectName, status: Status, timeline: bool, include_input: bool
):
    render = DIALECTS[dialect].render_interaction
    check(INTERACTIONS[dialect], render(full(status=status), timeline=timeline, include_input=include_input))


@both_dialects
def test_an_interaction_with_nothing_in_it_is_as_described(dialect: DialectName):
    bare = Interaction("int_1", "ann", Turn(()), full().created, full().updated)
    check(INTERACTIONS[dialect], DIALECTS[dialect].render_interaction(bare, timeline=True, include_input=True))


CHOICES: dict[str, dict[str, Any]] = {
    "a free choice": {"tool_choice": ToolChoice()},
    "a choice by its mode": {"tool_choice": ToolChoice("none")},
    "a choice among some": {"tool_choice": ToolChoice("auto", ("look",))},
    "JSON of any form": {"response_format": ResponseFormat()},
    "JSON by a schema": {"response_format": ResponseFormat({"type": "object"})},
}


@both_dialects
@pytest.mark.parametrize("settings", CHOICES.values(), ids=CHOICES)
def test_settings_of_any_form_are_as_described(dialect: DialectName, settings: dict[str, Any]):
    whole = replace(full(), turn=replace(full().turn, **settings))
    check(INTERACTIONS[dialect], DIALECTS[dialect].render_interaction(whole))


@both_dialects
def test_every_field_that_is_described_can_be_read(dialect: DialectName):
    described = INTERACTIONS[dialect].__annotations__
    read = DIALECTS[dialect].render_interaction(full(status=Status.FAILED), include_input=True)
    assert set(read) == set(described)


# -- streams


@both_dialects
@every_step
def test_every_event_of_any_step_is_as_described(dialect: DialectName, step: Step):
    whole = interaction(step)
    check_events(dialect, list(replay(whole)), whole)


@both_dialects
@pytest.mark.parametrize("status", Status)
def test_every_event_of_a_turn_with_any_end_is_as_described(dialect: DialectName, status: Status):
    failure = Failure("api_error", "It broke.") if status is Status.FAILED else None
    whole = interaction(status=status, failure=failure)
    check_events(dialect, list(replay(whole)), whole)


@both_dialects
def test_every_event_of_a_live_turn_is_as_described(dialect: DialectName):
    check_events(dialect, live(), full())


@both_dialects
async def test_a_stream_that_breaks_for_its_reader_is_as_described(dialect: DialectName):
    async def breaking() -> AsyncGenerator[list[tuple[int, Event]], None]:
        yield [(1, Created())]
        raise errors.Internal("It broke.")

    body = await sent_by(EventStream(interaction(), DIALECTS[dialect].render_event).of(breaking()))
    *told, done = parse_frames(body)
    check(EVENTS[dialect], *(frame.data for frame in told))
    assert [frame.id for frame in told] == ["1", None, None]
    assert done.data == "[DONE]"


async def sent_by(response: Response) -> bytes:
    """What a response sends to a client that stays."""
    sent: list[bytes] = []

    async def receive() -> Message:
        return await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    await within(response({"type": "http"}, receive, send))
    return b"".join(sent)


@both_dialects
def test_every_event_that_is_described_comes_in_some_stream(dialect: DialectName):
    broken = full(status=Status.FAILED)
    told = [*replay(broken), *live()]
    rendered = [DIALECTS[dialect].render_event(event, at, broken) for at, event in numbered(told)]
    union = get_args(get_args(EVENTS[dialect])[0])
    described = {get_args(event.__annotations__["event_type"])[0] for event in union}
    assert {frame[0] for frame in rendered if frame is not None} == described


# -- the rest

EVERY_ERROR = [
    errors.MethodNotAllowed("no", allowed=("GET",)) if cls is errors.MethodNotAllowed else cls("no")
    for cls in vars(errors).values()
    if isinstance(cls, type) and issubclass(cls, errors.TurnwiseError)
]


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
def test_every_error_is_as_described(error: errors.TurnwiseError):
    check(schema.ErrorBody, render_error(error))
    check(schema.RpcErrorBody, render_rpc_error(error))


@pytest.mark.parametrize(("context", "output"), [(None, None), (1024, None), (1024, 256)])
def test_a_model_is_as_described(context: int | None, output: int | None):
    model = render_model(ModelEntry("m", "A model", context, output, ("text", "image")))
    check(schema.Model, model)
    check(schema.ModelList, {"models": [model]}, {"models": [], "nextPageToken": "50"})


def test_every_tool_of_the_server_is_described():
    assert get_args(schema.ServerToolCall) == tuple(f"{tool}_call" for tool in get_args(ServerTool))
    assert get_args(schema.ServerToolResult) == tuple(f"{tool}_result" for tool in get_args(ServerTool))


@both_dialects
def test_every_kind_of_step_is_known_by_its_type(dialect: DialectName):
    shown = DIALECTS[dialect].render_interaction(interaction(*STEPS.values()))[dialect]
    assert {item["type"] for item in shown} <= schema.KNOWN_TYPES


# -- and the check itself: what it must catch


@pytest.mark.parametrize(
    "spoilt",
    [
        {"status": "lost"},
        {"colour": "red"},
        {"usage": None},
        {"steps": [{"type": "thought", "colour": "red"}]},
        {"steps": [{"type": "function_call", "id": "1", "name": "look"}]},
        {"steps": [{"type": "model_output", "content": [{"type": "text", "text": 3}]}]},
    ],
    ids=lambda spoilt: str(spoilt)[:60],
)
def test_what_is_not_described_does_not_pass(spoilt: dict[str, Any]):
    with pytest.raises(ValidationError):
        check(steps.StepsInteraction, {**DIALECTS["steps"].render_interaction(interaction()), **spoilt})
