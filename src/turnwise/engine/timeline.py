"""The events of a run as they are kept while it goes on: all of them, and small.

A long answer is thousands of pieces of text. As values each of them takes twenty times the room of its text, the
garbage collector looks at all of them again and again, and so does whoever asks how the run stands. So only the last
events stay as they are, for readers that keep up. Of those before them the text is kept, and where it was cut: as a
list of pieces first, and when there are BLOCK of them as one text. Readers that come late get the very same events; who
wants to know what came of them is given the texts in one piece.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias, overload

from turnwise.domain.events import Event, PartDelta, TextDelta

BLOCK = 32
"""How many events are packed together."""

LATEST, MORE = 4, 12
"""How many events, of those that were there before the last were added, stay as they are; and how many more there may
be before they are put away together."""

_Place: TypeAlias = tuple[int, int]
"""The step and the output to which text is added."""


@dataclass(frozen=True, slots=True)
class _Texts:
    """Pieces of one text that stand beside each other."""

    place: _Place
    text: str
    lengths: bytes

    @staticmethod
    def of(place: _Place, pieces: Sequence[str]) -> "_Texts":
        return _Texts(place, "".join(pieces), array("L", map(len, pieces)).tobytes())

    def whole(self) -> Event:
        """All of them as one event."""
        return PartDelta(*self.place, TextDelta(self.text))

    def events(self) -> Iterator[Event]:
        """The pieces as they were told."""
        step, output = self.place
        end = 0
        for length in memoryview(self.lengths).cast("L"):
            begin, end = end, end + length
            yield PartDelta(step, output, TextDelta(self.text[begin:end]))


_Packed: TypeAlias = Event | _Texts


class _Filling:
    """A block that is not full: its events, and of text that goes on only the pieces."""

    __slots__ = ("count", "packed", "pieces", "place")

    def __init__(self) -> None:
        self.count = 0
        """How many events it has."""
        self.packed: list[_Packed] = []
        """Those before the text that goes on."""
        self.place: _Place | None = None
        """Where the text is that goes on, if the last event is text."""
        self.pieces: list[str] = []
        """The pieces of it."""

    def add(self, event: Event) -> None:
        """Add an event."""
        self.count += 1
        if isinstance(event, PartDelta) and isinstance(event.delta, TextDelta):
            if self.place is None or self.place[1] != event.output or self.place[0] != event.step:
                self._close()
                self.place = (event.step, event.output)
            self.pieces.append(event.delta.text)
        else:
            self._close()
            self.packed.append(event)

    def block(self) -> tuple[_Packed, ...]:
        """All of it, packed."""
        going_on = () if self.place is None else (_Texts.of(self.place, self.pieces),)
        return (*self.packed, *going_on)

    def _close(self) -> None:
        self.packed[:] = self.block()
        self.place, self.pieces = None, []


class Timeline(Sequence[Event]):
    """Events, to which more are added at their end."""

    __slots__ = ("_blocks", "_filling", "_latest")

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._blocks: list[tuple[_Packed, ...]] = []
        """BLOCK events each."""
        self._filling = _Filling()
        self._latest: list[Event] = []
        """Those behind them."""
        self.extend(events)

    def extend(self, events: Iterable[Event]) -> None:
        """Add events."""
        latest = self._latest
        if len(latest) > LATEST + MORE:
            for event in latest[:-LATEST]:
                self._put_away(event)
            del latest[:-LATEST]
        latest.extend(events)

    def behind(self, position: int) -> list[Event]:
        """All but the first so many."""
        packed = BLOCK * len(self._blocks) + self._filling.count
        if position >= packed:
            return self._latest[position - packed :]
        first, skipped = divmod(position, BLOCK)
        blocks = [*self._blocks[first:], self._filling.block()]
        return [*_unpacked(blocks), *self._latest][skipped:]

    def condensed(self) -> Iterator[Event]:
        """What they come to, in fewer events: text beside text is one. They fold to the same."""
        for one in chain(chain.from_iterable(self._blocks), self._filling.block()):
            yield one.whole() if isinstance(one, _Texts) else one
        yield from self._latest

    def __len__(self) -> int:
        return BLOCK * len(self._blocks) + self._filling.count + len(self._latest)

    def __iter__(self) -> Iterator[Event]:
        return chain(_unpacked([*self._blocks, self._filling.block()]), self._latest)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if index == -1 and self._latest:
            return self._latest[-1]
        return list(self)[index]

    def _put_away(self, event: Event) -> None:
        self._filling.add(event)
        if self._filling.count == BLOCK:
            self._blocks.append(self._filling.block())
            self._filling = _Filling()


def _unpacked(blocks: Iterable[tuple[_Packed, ...]]) -> Iterator[Event]:
    for one in chain.from_iterable(blocks):
        if isinstance(one, _Texts):
            yield from one.events()
        else:
            yield one
