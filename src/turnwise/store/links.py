"""Links of chains that were read before, so that a turn reads of its conversation only what was said since.

What a link holds never changes once its interaction has ended, so all that there is to know of it is whether it is
still there. A store walks along the chain in the database, from id to id, and asks here by id and standing (the status,
and when the interaction was last updated) for what the links hold. What was deleted, by whichever process, is not met
on the walk. And a store that can tell in one go that nothing was deleted since it last walked need not walk again.
"""

import sys
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from turnwise.store.rows import read_link
from turnwise.store.store import Link

SEPARATOR = "\x1e"
"""What stands between the ids of a walk that comes as one text, and is in none of them. A walk of a thousand rows would
have to ask a thousand times for Python's one lock, which others want too."""

Member: TypeAlias = tuple[str, str]
"""A member of a chain: its id, and how it stands."""

MOST = 64 * 1024 * 1024
"""About how many bytes all links have that are kept: twenty thousand turns of two kilobytes."""

LEAST = 500
"""About how many bytes a link has beside its texts."""

BESIDE = {",": 60, "[": 48, '{"': 124}
"""About how many bytes a value has beside its text, by what there is of it in JSON: a value in a list or an object
mostly has a comma behind it, and a list and an object begin somewhere. An object whose fields have names of one letter
takes thirty times as much as its text."""


@dataclass(slots=True)
class _Kept:
    standing: str
    owner: str
    link: Link
    size: int
    checked: int


class Links:
    """The links that were asked for last. It belongs to one thread.

    `checked` is the state of the database in which a link was there, as a number that is another one after each
    deletion. A store that has none calls it 0, and never asks for a `line`.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0

    def line(self, id: str, owner: str, checked: int) -> list[Link] | None:
        """The chain that ends with this id, oldest first. None: not all of it is kept, and was there in this state."""
        line: list[Link] = []
        following: str | None = id
        while following is not None:
            kept = self._kept.get(following)
            if kept is None or kept.checked != checked or kept.owner != owner:
                return None
            self._kept.move_to_end(following)
            line.append(kept.link)
            following = kept.link.previous_interaction_id
        return line[::-1]

    def find(self, members: Iterable[Member], checked: int = 0) -> dict[Member, Link]:
        """Those of these links that are kept."""
        found: dict[Member, Link] = {}
        for member in members:
            id, standing = member
            kept = self._kept.get(id)
            if kept is not None and kept.standing == standing:
                self._kept.move_to_end(id)
                kept.checked = checked
                found[member] = kept.link
        return found

    def read(self, rows: Iterable[Sequence[Any]], owner: str, checked: int = 0) -> dict[Member, Link]:
        """The links of an owner's rows, which are kept for the next time if they have ended. A row is how the
        interaction stands, and the link."""
        read: dict[Member, Link] = {}
        for standing, *row in rows:
            link = read_link(row)
            size = LEAST + sum(map(_size, filter(None, row)))
            read[link.id, standing] = link
            self.forget(link.id)
            if size <= self._most and link.status.is_terminal:
                self._kept[link.id] = _Kept(standing, owner, link, size, checked)
                self._size += size
        while self._size > self._most:
            self._size -= self._kept.popitem(last=False)[1].size
        return read

    def forget(self, id: str) -> None:
        """Let go of a link: what somebody deletes is to be nowhere."""
        kept = self._kept.pop(id, None)
        if kept is not None:
            self._size -= kept.size


def _size(text: str) -> int:
    """About how many bytes that takes in memory which a column has as JSON."""
    return sys.getsizeof(text) + sum(size * text.count(begin) for begin, size in BESIDE.items())


def members_of(ids: str | None, standings: str | None) -> list[Member]:
    """The members of a chain that were met on a walk. None: there is no such chain."""
    if ids is None or standings is None:
        return []
    return list(zip(ids.split(SEPARATOR), standings.split(SEPARATOR), strict=True))


def in_line(id: str, links: Iterable[Link]) -> list[Link]:
    """The links of a chain that ends with this id, oldest first."""
    by_id = {link.id: link for link in links}
    line: list[Link] = []
    link = by_id.get(id)
    while link is not None:
        line.append(link)
        link = by_id.get(link.previous_interaction_id or "")
    return line[::-1]
