"""Moments of what moves or sounds: how they are written, which are looked at, and what stays the same between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

ALIKE = 0.85
"""From where on, between 0 and 1, two readings are the same text: OCR errs a little, and each time differently."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen at a moment."""

    second: float
    text: str
    """Read by OCR. Empty: there is none, or it cannot be read."""
    colours: str
    """As words; the same ones mean that it looks the same."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which what is seen stays the same."""

    start: float
    end: float
    text: str
    colours: str


def clock(second: float) -> str:
    """A moment as a player shows it: `00:12`, `1:02:03`."""
    minutes, seconds = divmod(int(second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def between(start: float, end: float) -> str:
    """A time as a player shows it: `00:03 to 00:07`, or `00:03` if that is all."""
    first, last = clock(start), clock(end)
    return first if first == last else f"{first} to {last}"


def duration(seconds: float) -> str:
    """A length of time for people: `0.5 seconds`, `2 minutes 5 seconds`, `1 hour 2 minutes`."""
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return _counted(minutes, "minute") + (f" {_counted(rest, 'second')}" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return _counted(hours, "hour") + (f" {_counted(minutes, 'minute')}" if minutes else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def evenly(count: int, limit: int) -> list[int]:
    """At most `limit` of `count` places, evenly spread, the first one among them."""
    chosen = min(count, limit)
    return [number * count // chosen for number in range(chosen)]


def stretches(sights: Iterable[Sight], end: float) -> list[Stretch]:
    """What is seen, each thing once for as long as it stays. The last one stays until `end`."""
    firsts: list[Sight] = []
    for sight in sights:
        if not (firsts and _is_same(firsts[-1], sight)):
            firsts.append(sight)
    if not firsts:
        return []
    spans = [*pairwise(firsts)]
    last = firsts[-1]
    return [
        *(Stretch(one.second, next.second, one.text, one.colours) for one, next in spans),
        Stretch(last.second, max(end, last.second), last.text, last.colours),
    ]


def _is_same(one: Sight, other: Sight) -> bool:
    return one.colours == other.colours and _is_alike(one.text, other.text)


def _is_alike(one: str, other: str) -> bool:
    """Whether two readings are of the same text. What differs in a digit is something else, as a clock is."""
    if [sign for sign in one if sign.isdigit()] != [sign for sign in other if sign.isdigit()]:
        return False
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE
