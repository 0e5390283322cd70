"""Work that is told again from its beginning, to those who have heard a part of it already.

    heard = Retelling(told)              the events that were told before the process died
    heard.rest(event)                    what of an event, said anew, is still to be told

Whoever goes on with a run says all that was said before once more. Of that nothing is told twice: a `Retelling` walks
along what was told, and lets pass only what lies behind it. Text and bytes are compared as they join, however they were
cut into events. Signatures are not compared: each is made with fresh chance, and means the same.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson

from turnwise.domain.content import Media
from turnwise.domain.errors import ModelFailed
from turnwise.domain.events import (
    AnnotationsDelta,
    Checkpoint,
    Created,
    Event,
    MediaDelta,
    PartDelta,
    SignatureDelta,
    StatusUpdate,
    TextDelta,
)


class Differs(ModelFailed):
    """What is said now is not what was said before."""


class Retelling:
    """How far what is said anew has come along what was told."""

    def __init__(self, told: Sequence[Event]) -> None:
        self._left: deque[Event] = deque()
        """What was told and is still to be said again; adjacent texts, and adjacent bytes, are one."""
        for event in told:
            if not isinstance(event, Checkpoint | Created | StatusUpdate):
                self._append(event)
        self._media = deque(media for event in self._left if (media := _media(event)) is not None)

    @property
    def is_over(self) -> bool:
        """Whether all that was told has been said again."""
        return not self._left

    def rest(self, event: Event) -> Iterator[Event]:
        """What of an event is still to be told: all, nothing, or the end of a text.

        Raises:
            Differs: something else was told at its place.
        """
        if not self._left:
            yield event
            return
        before, rest = self._left[0], None
        flow, told = _flow(event), _flow(before)
        if flow is not None and told is not None and _with_flow(event, "") == _with_flow(before, ""):
            if told.startswith(flow) and told != flow:
                self._left[0] = _with_flow(before, told[len(flow) :])
                return
            if not flow.startswith(told):
                raise _differs(before, event)
            rest = flow[len(told) :]
        elif not _is_same(event, before):
            raise _differs(before, event)
        self._left.popleft()
        if rest:
            yield from self.rest(_with_flow(event, rest))

    def media(self) -> Media | None:
        """The next piece of media as it was told, if it was. To be asked once for each piece that is shown anew."""
        return self._media.popleft() if self._media else None

    def _append(self, event: Event) -> None:
        flow = _flow(event)
        last = self._left[-1] if self._left else None
        before = _flow(last) if last is not None else None
        if flow is not None and before is not None and last is not None:
            self._left[-1] = _with_flow(last, before + flow)
        else:
            self._left.append(event)


def _flow(event: Event) -> str | None:
    """What joins with its neighbours, if there is any in this event: text, or bytes in base64."""
    match event:
        case PartDelta(delta=TextDelta(text)):
            return text
        case PartDelta(delta=MediaDelta(Media(data=str(data)))):
            return data
        case _:
            return None


def _with_flow(event: Event, flow: str) -> Event:
    match event:
        case PartDelta(delta=TextDelta()):
            return replace(event, delta=TextDelta(flow))
        case PartDelta(delta=MediaDelta(media)):
            return replace(event, delta=MediaDelta(replace(media, data=flow)))
        case _:
            return event


def _media(event: Event) -> Media | None:
    match event:
        case PartDelta(delta=MediaDelta(media)):
            return media
        case _:
            return None


def _is_same(event: Event, before: Event) -> bool:
    match event, before:
        case PartDelta(step, output, SignatureDelta()), PartDelta(told_step, told_output, SignatureDelta()):
            return (step, output) == (told_step, told_output)
        case PartDelta(step, output, AnnotationsDelta(said)), PartDelta(told_step, told_output, AnnotationsDelta(told)):
            return (step, output) == (told_step, told_output) and orjson.dumps(said) == orjson.dumps(told)
        case _:
            return event == before


def _differs(before: Event, now: Event) -> Differs:
    return Differs(
        "this was interrupted, and whoever went on with it said something else than was said before "
        f"({_shown(now)} in place of {_shown(before)}); ask again"
    )


def _shown(event: Event) -> str:
    flow = _flow(event)
    if flow is None:
        return f"'{event.delta.type if isinstance(event, PartDelta) else event.type}'"
    return repr(flow if len(flow) <= 40 else f"{flow[:37]}...")
