"""The events of a run that goes on: kept small, and told again as they were."""

from datetime import UTC, datetime

import pytest

from turnwise.domain.content import Text
from turnwise.domain.events import (
    Created,
    End,
    Event,
    PartDelta,
    PartStart,
    PartStop,
    StatusUpdate,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    fold,
)
from turnwise.domain.interaction import Status
from turnwise.domain.steps import ModelOutput, Thought
from turnwise.engine.timeline import BLOCK, LATEST, MORE, Timeline


def told(pieces: int) -> list[Event]:
    """A turn that thinks, and says so many pieces, in two parts."""
    events: list[Event] = [Created(), StatusUpdate(Status.IN_PROGRESS)]
    events += [StepStart(0, 0, Thought()), PartDelta(0, 0, SummaryDelta(Text("Hm"))), StepStop(0, 0)]
    events.append(StepStart(1, None, ModelOutput()))
    for output in (1, 2):
        events.append(PartStart(1, output, Text("")))
        events += [PartDelta(1, output, TextDelta("é" * (n % 7))) for n in range(pieces)]
        events.append(PartStop(1, output))
    return [*events, StepStop(1, None), End(Status.COMPLETED, None, datetime(2026, 1, 1, tzinfo=UTC))]


@pytest.mark.parametrize("pieces", [0, 1, BLOCK, 3 * BLOCK + 5])
def test_events_are_told_again_as_they_were(pieces: int) -> None:
    events = told(pieces)
    timeline = Timeline()
    for event in events:
        timeline.extend([event])
    assert list(timeline) == events
    assert len(timeline) == len(events)
    assert timeline[-1] == events[-1]
    assert timeline[-5:] == events[-5:]
    assert timeline[3] == events[3]


def test_a_reader_gets_what_is_behind_any_position() -> None:
    events = told(3 * BLOCK)
    timeline = Timeline()
    for begin in range(0, len(events), 7):
        timeline.extend(events[begin : begin + 7])
    assert all(timeline.behind(position) == events[position:] for position in range(len(events) + 2))


def test_what_is_condensed_comes_to_the_same_in_fewer_events() -> None:
    events = told(10 * BLOCK)
    timeline = Timeline()
    for event in events:
        timeline.extend([event])
    condensed = list(timeline.condensed())
    assert fold(condensed) == fold(events)
    assert len(condensed) < len(events) / 5


def test_all_but_the_last_pieces_of_a_text_are_kept_as_one_text() -> None:
    timeline = Timeline()
    for event in told(100 * BLOCK):
        timeline.extend([event])
    kept = sum(isinstance(event, PartDelta) for event in timeline.condensed())
    assert kept < LATEST + MORE + 2 * 100 + 4


def test_nothing_at_all_is_told() -> None:
    timeline = Timeline()
    assert not timeline
    assert timeline.behind(0) == []
    assert timeline[-1:] == []
    with pytest.raises(IndexError):
        timeline[-1]
