"""The events of a run as they are kept while it goes on: all of them, and small.

A long answer is thousands of pieces of text. As values each of them takes twenty times the room of its text, the
garbage collector looks at all of them again and again, and so does whoever asks how the run stands. So only the last
events stay as they are, for readers that keep up. Those before them are packed in blocks: text beside text is one text,
and how long its pieces were. Readers that come late get the very same events; who wants to know what came of them is
given the texts as they are packed.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import overload

from turnwise.domain.events import Event, PartDelta, TextDelta

BLOCK = 16
"""How many events are packed together. More would take a little less room at last, and leave more of them unpacked."""


@dataclass(frozen=True, slots=True)
class _Texts:
    """Pieces of one text that stand beside each other."""

    whole: PartDelta
    """All of them as one event."""
    lengths: "array[int]"

    def events(self) -> Iterator[Event]:
        """The pieces as they were told."""
        assert isinstance(self.whole.delta, TextDelta)
        text, end = self.whole.delta.text, 0
        for length in self.lengths:
            begin, end = end, end + length
            yield PartDelta(self.whole.step, self.whole.output, TextDelta(text[begin:end]))


_Block = tuple[Event | _Texts, ...]
"""BLOCK events."""


class Timeline(Sequence[Event]):
    """Events, to which more are added at their end."""

    __slots__ = ("_blocks", "_latest")

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._blocks: list[_Block] = []
        self._latest: list[Event] = []
        """Those that are not packed."""
        self.extend(events)

    def extend(self, events: Iterable[Event]) -> None:
        """Add events."""
        latest = self._latest
        latest.extend(events)
        while len(latest) >= 2 * BLOCK:
            self._blocks.append(_packed(latest[:BLOCK]))
            del latest[:BLOCK]

    def behind(self, position: int) -> list[Event]:
        """All but the first so many."""
        packed = BLOCK * len(self._blocks)
        if position >= packed:
            return self._latest[position - packed :]
        first, skipped = divmod(position, BLOCK)
        return [*_unpacked(self._blocks[first:]), *self._latest][skipped:]

    def condensed(self) -> Iterator[Event]:
        """What they come to, in fewer events: text beside text is one. They fold to the same."""
        for block in self._blocks:
            for one in block:
                yield one.whole if isinstance(one, _Texts) else one
        yield from self._latest

    def __len__(self) -> int:
        return BLOCK * len(self._blocks) + len(self._latest)

    def __iter__(self) -> Iterator[Event]:
        return chain(_unpacked(self._blocks), self._latest)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if index == -1 and self._latest:
            return self._latest[-1]
        return list(self)[index]


def _packed(events: Sequence[Event]) -> _Block:
    block: list[Event | _Texts] = []
    for place, beside in groupby(events, _place_of_text):
        if place is None:
            block.extend(beside)
        else:
            texts = [event.delta.text for event in beside]  # type: ignore[union-attr]
            block.append(_Texts(PartDelta(*place, TextDelta("".join(texts))), array("L", map(len, texts))))
    return tuple(block)


def _place_of_text(event: Event) -> tuple[int, int] | None:
    """The step and the output to which an event adds text. None: it does something else."""
    if isinstance(event, PartDelta) and isinstance(event.delta, TextDelta):
        return event.step, event.output
    return None


def _unpacked(blocks: Iterable[_Block]) -> Iterator[Event]:
    for one in chain.from_iterable(blocks):
        if isinstance(one, _Texts):
            yield from one.events()
        else:
            yield one
