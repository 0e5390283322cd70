"""What of events that are said anew is still to be told."""

from collections.abc import Sequence

import pytest

from turnwise.domain.content import Media, Text
from turnwise.domain.events import (
    AnnotationsDelta,
    Checkpoint,
    Created,
    Event,
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
)
from turnwise.domain.interaction import Status
from turnwise.domain.steps import ModelOutput, Thought
from turnwise.engine.retelling import Differs, Retelling

OPENING = (Created(), StatusUpdate(Status.IN_PROGRESS))


def message(*texts: str) -> list[Event]:
    """A message that comes in these pieces."""
    deltas = [PartDelta(0, 0, TextDelta(text)) for text in texts]
    return [StepStart(0, None, ModelOutput()), PartStart(0, 0, Text("")), *deltas, PartStop(0, 0), StepStop(0, None)]


def rest(told: Sequence[Event], said: Sequence[Event]) -> list[Event]:
    """What is left to be told of all that is said."""
    retelling = Retelling([*OPENING, *told])
    return [left for event in said for left in retelling.rest(event)]


def test_what_was_never_told_is_told():
    assert rest([], message("It is sunny.")) == message("It is sunny.")


@pytest.mark.parametrize("told", [["It is sunny."], ["It ", "is ", "sunny."], ["It is", " sunny."]])
@pytest.mark.parametrize("said", [["It is sunny."], ["It ", "is ", "sunny."], ["It is", " sunny."]])
def test_a_text_is_the_same_however_it_was_cut(told: list[str], said: list[str]):
    retelling = Retelling([*OPENING, *message(*told)])
    assert [left for event in message(*said) for left in retelling.rest(event)] == []
    assert retelling.is_over


@pytest.mark.parametrize("end", range(1, len("It is sunny.")))
def test_a_text_goes_on_behind_its_last_letter(end: int):
    told = message("It is sunny."[:end])[:3]
    left = rest(told, message("It is ", "sunny."))
    assert "".join(event.delta.text for event in left if isinstance(event, PartDelta)) == "It is sunny."[end:]  # type: ignore[union-attr]
    assert left[-2:] == [PartStop(0, 0), StepStop(0, None)]


def test_a_checkpoint_in_the_middle_of_a_text_cuts_nothing():
    told = [*message("It ")[:3], Checkpoint("step", {}), *message("is sunny.")[2:]]
    assert rest(told, message("It is sunny.")) == []


def test_bytes_go_on_behind_their_last_piece():
    def picture(*pieces: str) -> list[Event]:
        deltas = [PartDelta(0, 0, MediaDelta(Media("image", "image/png", piece))) for piece in pieces]
        return [StepStart(0, None, ModelOutput()), PartStart(0, 0, Media("image", "image/png")), *deltas]

    assert rest(picture("AAAA"), picture("AAAABBBB", "CC==")) == [
        PartDelta(0, 0, MediaDelta(Media("image", "image/png", "BBBB"))),
        PartDelta(0, 0, MediaDelta(Media("image", "image/png", "CC=="))),
    ]


def test_media_are_remembered_as_they_were_told():
    file = Media("image", "image/png", uri="files/a")
    inline = Media("image", "image/png", "AAAA")
    told = [PartDelta(0, output, MediaDelta(media)) for output, media in enumerate([file, inline])]
    retelling = Retelling(told)
    assert [retelling.media(), retelling.media(), retelling.media()] == [file, inline, None]


def test_signatures_are_not_compared():
    def thought(signature: str) -> list[Event]:
        summary = PartDelta(0, 0, SummaryDelta(Text("Hm.")))
        return [StepStart(0, 0, Thought()), summary, PartDelta(0, 0, SignatureDelta(signature)), StepStop(0, 0)]

    assert rest(thought("one"), thought("two")) == []
    assert rest(thought("one")[:2], thought("two")) == thought("two")[2:]


def test_annotations_are_the_same_if_their_json_is():
    told = PartDelta(0, 0, AnnotationsDelta(({"pages": [1, 2]},)))
    assert rest([told], [PartDelta(0, 0, AnnotationsDelta(({"pages": (1, 2)},)))]) == []
    with pytest.raises(Differs):
        rest([told], [PartDelta(0, 0, AnnotationsDelta(({"pages": [1]},)))])


@pytest.mark.parametrize(
    "said",
    [
        message("It is raining."),
        message("It is sunny. And warm."),
        message("It is")[:3] + message("")[3:],
        [StepStart(0, 0, Thought())],
        [StepStart(1, None, ModelOutput())],
    ],
)
def test_whatever_else_is_said_differs(said: list[Event]):
    with pytest.raises(Differs, match="said something else than was said before"):
        rest(message("It is sunny."), said)
