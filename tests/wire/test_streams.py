"""A stream in either dialect: at most one frame for each event, in order, and in sum what a reply shows at once."""

from typing import Any

import pytest

from domain.samples import EVERY_STEP, LIVE_STEPS, NOON, USAGE, full, interaction, live, numbered
from turnwise.domain.content import Text
from turnwise.domain.events import (
    ArgumentsDelta,
    End,
    Event,
    Failed,
    PartDelta,
    PartStart,
    PartStop,
    StatusUpdate,
    StepStart,
    StepStop,
    replay,
)
from turnwise.domain.interaction import DialectName, Failure, Interaction, Status
from turnwise.domain.steps import ModelOutput, Step
from turnwise.wire import DIALECTS
from turnwise.wire.common import Frame
from wire.clients import add_up_outputs, add_up_steps

ADD_UP = {"outputs": add_up_outputs, "steps": add_up_steps}

both_dialects = pytest.mark.parametrize("dialect", DIALECTS)
every_step = pytest.mark.parametrize("step", EVERY_STEP.values(), ids=EVERY_STEP)


def frames(dialect: DialectName, events: list[Event], whole: Interaction | None = None) -> list[Frame]:
    """What a client of a dialect reads of these events."""
    shown = whole or interaction(status=Status.IN_PROGRESS)
    render = DIALECTS[dialect].render_event
    return [frame for at, event in numbered(events) if (frame := render(event, at, shown)) is not None]


def names(dialect: DialectName, events: list[Event]) -> list[str]:
    return [name for name, _ in frames(dialect, events)]


def only(dialect: DialectName, event: Event, position: int = 7) -> Frame | None:
    return DIALECTS[dialect].render_event(event, position, interaction(status=Status.IN_PROGRESS))


# -- in sum


@both_dialects
@every_step
def test_a_stream_adds_up_to_what_a_reply_shows(dialect: DialectName, step: Step):
    whole = interaction(step)
    shown = DIALECTS[dialect].render_interaction(whole)[dialect]
    assert ADD_UP[dialect](frames(dialect, list(replay(whole)))) == shown


@both_dialects
def test_a_stream_of_every_step_adds_up_with_every_index_in_its_place(dialect: DialectName):
    shown = DIALECTS[dialect].render_interaction(full())[dialect]
    assert ADD_UP[dialect](frames(dialect, list(replay(full())))) == shown


@both_dialects
def test_what_comes_in_pieces_adds_up_too(dialect: DialectName):
    shown = DIALECTS[dialect].render_interaction(interaction(*LIVE_STEPS))[dialect]
    assert ADD_UP[dialect](frames(dialect, live())) == shown


# -- the envelope


@both_dialects
def test_every_frame_says_its_name_and_the_position_of_its_event(dialect: DialectName):
    for name, data in frames(dialect, [*replay(full()), *live()]):
        assert data["event_type"] == name
        assert isinstance(data["event_id"], str)


@both_dialects
def test_positions_rise_and_are_never_used_twice(dialect: DialectName):
    positions = [int(data["event_id"]) for _, data in frames(dialect, list(replay(full())))]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("position", [1, 7, 10**9])
@both_dialects
def test_an_event_has_the_same_id_in_both_dialects(dialect: DialectName, position: int):
    found = only(dialect, StatusUpdate(Status.IN_PROGRESS), position)
    assert found is not None
    assert found[1]["event_id"] == str(position)


def test_the_founding_dialect_begins_and_ends_as_its_clients_expect():
    told = names("outputs", live())
    assert told[:2] == ["interaction.start", "interaction.status_update"]
    assert told[-1] == "interaction.complete"
    assert told.count("interaction.start") == told.count("interaction.complete") == 1


def test_the_current_dialect_begins_and_ends_as_its_clients_expect():
    told = names("steps", live())
    assert told[:2] == ["interaction.created", "interaction.status_update"]
    assert told[-1] == "interaction.completed"
    assert told.count("interaction.created") == told.count("interaction.completed") == 1


def test_the_founding_dialect_tells_of_each_part_and_of_no_message():
    assert [name for name in names("outputs", live()) if name.startswith("content.")] == [
        *("content.start", "content.delta", "content.delta", "content.stop"),  # the thought
        *("content.start", "content.delta", "content.stop"),  # the search
        *("content.start", "content.delta", "content.delta", "content.delta", "content.stop"),  # the text
        *("content.start", "content.delta", "content.delta", "content.stop"),  # the sound
        *("content.start", "content.delta", "content.stop"),  # the call, in one piece
    ]


def test_the_current_dialect_tells_of_each_step_and_of_no_part():
    assert [name for name in names("steps", live()) if name.startswith("step.")] == [
        *("step.start", "step.delta", "step.delta", "step.stop"),  # the thought
        *("step.start", "step.delta", "step.stop"),  # the search
        *("step.start", *["step.delta"] * 5, "step.stop"),  # the message
        *("step.start", "step.delta", "step.delta", "step.stop"),  # the call, in two fragments
    ]


NO_FRAME: dict[str, tuple[DialectName, Event]] = {
    "the start of a message in outputs": ("outputs", StepStart(0, None, ModelOutput())),
    "the stop of a message in outputs": ("outputs", StepStop(0, None)),
    "a fragment of arguments in outputs": ("outputs", PartDelta(0, 0, ArgumentsDelta("{"))),
    "the start of a part in steps": ("steps", PartStart(0, 0, Text(""))),
    "the stop of a part in steps": ("steps", PartStop(0, 0)),
}


@pytest.mark.parametrize(("dialect", "event"), NO_FRAME.values(), ids=NO_FRAME)
def test_what_a_dialect_does_not_know_has_no_frame(dialect: DialectName, event: Event):
    assert only(dialect, event) is None


# -- what the first and the last frame say


@pytest.mark.parametrize(("dialect", "name"), [("outputs", "interaction.start"), ("steps", "interaction.created")])
def test_the_first_frame_shows_who_is_asked_and_nothing_that_came_of_it(dialect: DialectName, name: str):
    whole = full()
    (found, data), *_ = frames(dialect, list(replay(whole)), whole)
    assert found == name
    assert data["interaction"] == {
        "id": "int_1",
        "object": "interaction",
        "role": "model",
        "status": "in_progress",
        "model": "m",
        "agent": "researcher",
        "previous_interaction_id": "int_0",
        "created": "2026-01-02T12:00:00.000Z",
        "updated": "2026-01-02T12:00:01.500Z",
    }


@both_dialects
@pytest.mark.parametrize("status", [status for status in Status if status.is_terminal])
def test_the_last_frame_shows_how_it_went_and_what_it_cost(dialect: DialectName, status: Status):
    found = only(dialect, End(status, USAGE, NOON))
    assert found is not None
    ended: Any = found[1]["interaction"]
    assert ended["status"] == DIALECTS[dialect].render_interaction(interaction(status=status))["status"]
    assert ended["usage"]["total_tokens"] == USAGE.total_tokens
    assert ended["updated"] == "2026-01-02T12:00:00.000Z"
    assert ended["id"] == "int_1"
    assert not {"outputs", "steps"} & set(ended)


@both_dialects
def test_a_turn_whose_cost_is_not_known_shows_none(dialect: DialectName):
    found = only(dialect, End(Status.CANCELLED, None, NOON))
    assert found is not None
    assert "usage" not in found[1]["interaction"]


@both_dialects
def test_a_status_update_names_its_interaction(dialect: DialectName):
    found = only(dialect, StatusUpdate(Status.IN_PROGRESS))
    assert found == (
        "interaction.status_update",
        {
            "event_type": "interaction.status_update",
            "event_id": "7",
            "interaction_id": "int_1",
            "status": "in_progress",
        },
    )


@both_dialects
def test_a_failure_is_an_error_frame_and_the_stream_still_ends(dialect: DialectName):
    broken = interaction(status=Status.FAILED, failure=Failure("api_error", "It broke."))
    *_, (name, data), (_, last) = frames(dialect, list(replay(broken)))
    assert name == "error"
    assert data["error"] == {"code": "api_error", "message": "It broke."}
    assert last["interaction"]["status"] == "failed"
    assert only(dialect, Failed(Failure("api_error", "It broke."))) is not None
