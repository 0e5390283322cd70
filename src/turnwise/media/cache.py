"""Copies of what was fetched, so that a conversation that names an address in each turn fetches it once.

Copies are kept in a folder of their own, which is emptied at the start: what is known of them is in memory alone. They
are bounded in number and size; those that were not asked for the longest go first.
"""

import asyncio
import shutil
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

from turnwise.media.media import Fetched

FRESH = 60.0
"""How long, in seconds, a copy is given out without asking whether it is still the same."""
COPIES, COPIES_BYTES = 1000, 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy, and by what its server knows whether it is still the same."""

    path: Path
    fetched: Fetched
    fresh_until: float
    conditions: tuple[tuple[str, str], ...] = ()
    """Headers that ask for it only if it is another one by now."""


class Cache:
    """Copies by URL."""

    def __init__(
        self, folder: Path, *, max_bytes: int = COPIES_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._clock = clock
        self._copies: OrderedDict[str, Copy] = OrderedDict()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def find(self, url: str) -> Copy | None:
        """The copy of what stood there, old or new."""
        copy = self._copies.get(url)
        if copy is not None:
            self._copies.move_to_end(url)
        return copy

    def is_fresh(self, copy: Copy) -> bool:
        """Whether it is so new that nobody needs to be asked."""
        return self._clock() < copy.fresh_until

    async def give(self, copy: Copy, into: Path) -> bool:
        """Put a copy's bytes into a file. Returns whether they were still there."""
        try:
            await asyncio.to_thread(shutil.copyfile, copy.path, into)
        except FileNotFoundError:
            return False
        return True

    async def keep(
        self, url: str, path: Path, fetched: Fetched, conditions: tuple[tuple[str, str], ...], *, fresh: bool
    ) -> None:
        """Keep a copy of a file in place of an older one, if it is of use and not too large a part of all."""
        if fetched.size > self._max_bytes // 4 or not (fresh or conditions):
            self.forget(url)
            return
        kept = self._folder / token_hex(16)
        await asyncio.to_thread(shutil.copyfile, path, kept)
        self.forget(url)
        self._copies[url] = Copy(kept, fetched, self._clock() + (FRESH if fresh else 0), conditions)
        self._make_room()

    def renew(self, url: str, copy: Copy) -> None:
        """It is still the same."""
        if self._copies.get(url) is copy:
            self._copies[url] = replace(copy, fresh_until=self._clock() + FRESH)

    def forget(self, url: str) -> None:
        """Throw a copy away, if there is one."""
        copy = self._copies.pop(url, None)
        if copy is not None:
            copy.path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        while len(self._copies) > COPIES or sum(copy.fetched.size for copy in self._copies.values()) > self._max_bytes:
            self.forget(next(iter(self._copies)))
