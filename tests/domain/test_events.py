"""One list of events is the whole truth about a run: it folds to its outcome, and an outcome replays to it."""

import pytest

from domain.samples import EVERY_STEP, LATER, LIVE_STEPS, NOON, USAGE, full, interaction, live
from turnwise.domain.content import Media, Text
from turnwise.domain.events import (
    Created,
    End,
    Event,
    Failed,
    PartDelta,
    PartStart,
    PartStop,
    StatusUpdate,
    StepStart,
    StepStop,
    WholeStep,
    closing,
    fold,
    replay,
    skeleton,
)
from turnwise.domain.interaction import Failure, Status
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, ToolCall, ToolResult

every_step = pytest.mark.parametrize("step", EVERY_STEP.values(), ids=EVERY_STEP)
"""Each kind of step in each of its forms."""

prefixes = pytest.mark.parametrize("length", range(len(live()) + 1))
"""A run that is cut short behind each of its events."""


@every_step
def test_a_replayed_step_folds_to_itself(step: Step):
    assert fold(replay(interaction(step))).steps == (step,)


def test_a_replayed_interaction_folds_to_itself():
    whole = full()
    outcome = fold(replay(whole))
    assert outcome.steps == whole.steps
    assert (outcome.status, outcome.usage, outcome.ended) == (whole.status, whole.usage, whole.updated)


def test_a_replayed_failure_folds_to_itself():
    failure = Failure("api_error", "It broke.")
    outcome = fold(replay(interaction(status=Status.FAILED, failure=failure)))
    assert (outcome.status, outcome.failure) == (Status.FAILED, failure)


@pytest.mark.parametrize("status", Status)
def test_only_what_has_ended_replays_to_an_end(status: Status):
    events = list(replay(interaction(status=status)))
    assert [event for event in events if isinstance(event, End)] == (
        [End(status, USAGE, LATER)] if status.is_terminal else []
    )


def test_replaying_twice_tells_the_same_at_the_same_positions():
    assert list(replay(full())) == list(replay(full()))


def test_a_replay_begins_with_created_and_its_status():
    assert list(replay(full()))[:2] == [Created(), StatusUpdate(Status.IN_PROGRESS)]


@every_step
def test_a_replayed_step_has_its_parts_between_its_start_and_its_stop(step: Step):
    assert_well_formed(list(replay(interaction(step))))


def test_replayed_steps_and_outputs_are_numbered_without_a_gap():
    events = list(replay(full()))
    starts = [event for event in events if isinstance(event, StepStart)]
    assert [start.step for start in starts] == list(range(len(full().steps)))
    outputs = [
        event.output for event in events if isinstance(event, StepStart | PartStart) and event.output is not None
    ]
    assert outputs == list(range(len(outputs)))


@pytest.mark.parametrize("kind", ["function_call", "function_result", "tool_call", "tool_result"])
def test_the_start_of_a_call_or_result_shows_its_ids_and_no_more(kind: str):
    wholes: dict[str, WholeStep] = {
        "function_call": FunctionCall("1", "look", {"at": "it"}, "s"),
        "function_result": FunctionResult("1", "sunny", "look", True, "s"),
        "tool_call": ToolCall("google_search", "1", {"queries": ["x"]}, {"search_type": "web_search"}),
        "tool_result": ToolResult("google_search", "1", ["x"]),
    }
    shown = {
        "function_call": FunctionCall("1", "look", {}, "s"),
        "function_result": FunctionResult("1", None, "look", True, "s"),
        "tool_call": ToolCall("google_search", "1", {}, {"search_type": "web_search"}),
        "tool_result": ToolResult("google_search", "1"),
    }
    assert skeleton(wholes[kind]) == shown[kind]


# -- live


def test_a_run_folds_to_what_was_told_of_it():
    outcome = fold(live())
    assert outcome.steps == LIVE_STEPS
    assert (outcome.status, outcome.usage, outcome.ended) == (Status.REQUIRES_ACTION, USAGE, LATER)


def test_media_that_comes_whole_takes_the_place_of_its_start():
    image = Media("image", "image/png", uri="https://example.org/a.png", options={"resolution": "low"})
    assert fold(replay(interaction(ModelOutput((image,))))).steps == (ModelOutput((image,)),)


def test_nothing_folds_to_an_interaction_in_progress():
    outcome = fold([])
    assert (outcome.steps, outcome.status, outcome.usage, outcome.ended) == ((), Status.IN_PROGRESS, None, None)


def test_text_that_has_begun_is_kept_when_the_run_is_cut_short():
    told = live()
    cut = told[: told.index(next(e for e in told if isinstance(e, PartStart))) + 2]
    assert fold(cut).steps[-1] == ModelOutput((Text("Hel"),))


# -- closing


@prefixes
def test_closing_changes_nothing_of_what_was_told(length: int):
    told = live()[:length]
    assert fold([*told, *closing(told)]).steps == fold(told).steps


@prefixes
def test_what_is_closed_has_nothing_open(length: int):
    told = live()[:length]
    assert_well_formed([*told, *closing(told)])


@prefixes
def test_closing_what_is_closed_adds_nothing(length: int):
    told = live()[:length]
    assert closing([*told, *closing(told)]) == []


@pytest.mark.parametrize(
    ("last", "closed_by"),
    [
        (StepStart(2, None, ModelOutput()), [StepStop(2, None)]),
        (PartStart(2, 3, Text("")), [PartStop(2, 3), StepStop(2, None)]),
        (PartStop(2, 3), [StepStop(2, None)]),
    ],
    ids=["before its first part", "within a part", "between parts"],
)
def test_a_message_is_closed_from_the_inside_out(last: Event, closed_by: list[Event]):
    assert closing([StepStart(2, None, ModelOutput()), last]) == closed_by


def test_a_failure_has_nothing_to_close():
    told: list[Event] = [*replay(interaction(ModelOutput((Text("Hi"),)), status=Status.IN_PROGRESS))]
    failed = [*told, Failed(Failure("api_error", "It broke."))]
    assert closing(failed) == []
    assert closing([*failed, End(Status.FAILED, None, NOON)]) == []


def assert_well_formed(events: list[Event]) -> None:
    """Every step and part that starts stops, and nothing happens outside of one."""
    step: StepStart | None = None
    part: PartStart | None = None
    for event in events:
        match event:
            case StepStart():
                assert step is None
                step = event
            case StepStop():
                assert step is not None
                assert part is None
                assert (event.step, event.output) == (step.step, step.output)
                step = None
            case PartStart():
                assert step is not None
                assert step.output is None
                assert part is None
                part = event
            case PartStop():
                assert part is not None
                assert (event.step, event.output) == (part.step, part.output)
                part = None
            case PartDelta():
                assert step is not None
                assert event.output == (step.output if part is None else part.output)
            case _:
                assert step is None
    assert step is None
    assert part is None
