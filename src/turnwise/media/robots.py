"""What sites ask of programs that read them: their `robots.txt`, as RFC 9309 has it.

It is fetched by a guarded fetcher, as everything that others name, and kept for a while. A site that has none (4xx) may
be read. One whose rules cannot be had (5xx, no answer, too large) is not read, as the RFC wants it, until they can.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from weakref import WeakValueDictionary

from yarl import URL

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media.fetch import NothingGiven
from turnwise.media.guard import Unsafe
from turnwise.media.media import Fetcher

AGENT = "turnwise"
"""How sites address us in their rules."""

LARGEST = 1024**2
"""In bytes: larger rules are not fetched."""
READ = 512 * 1024
"""In bytes: so much of them is read. The RFC wants at least 500 KiB."""
KEPT = 3600.0
"""In seconds. The RFC allows a day."""
KEPT_WITHOUT = 300.0
"""In seconds: how soon a site whose rules could not be had is asked again."""
SITES = 500
"""How many sites' rules are kept."""


class Rules(Protocol):
    """What a site asks. protego's class is one."""

    def can_fetch(self, url: str, user_agent: str) -> bool:
        """Whether it may be fetched."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is known of a site."""

    rules: Rules | None
    """None: there are none, and all may be read."""
    until: float
    problem: str = ""
    """Why nothing of it is read."""


class Robots:
    """Keeps to the rules of sites."""

    def __init__(
        self, fetcher: Fetcher, *, scratch: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`scratch`: where files stand while they are read. None: where the system has such files."""
        self._fetcher = fetcher
        self._scratch = scratch
        self._clock = clock
        self._known: OrderedDict[str, _Kept] = OrderedDict()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def admit(self, url: str) -> None:
        """Let it be fetched.

        Raises:
            InvalidRequest: its site asks that it is not, or does not say.
            Unsafe: its site may not be reached, or sends on to where nobody may.
            Unimplemented: what reads the rules is not on this machine.
        """
        origin = str(URL(url).origin())
        lock = self._asking.setdefault(origin, asyncio.Lock())
        async with lock:
            kept = self._known.get(origin)
            if kept is None or self._clock() >= kept.until:
                kept = await self._ask(origin)
                self._keep(origin, kept)
        if kept.problem:
            raise InvalidRequest(kept.problem)
        if kept.rules is not None and not await asyncio.to_thread(kept.rules.can_fetch, url, AGENT):
            raise InvalidRequest(
                f"the site {origin} asks programs not to read this address (its robots.txt), which is kept to"
            )

    async def _ask(self, origin: str) -> _Kept:
        with TemporaryDirectory(prefix="turnwise-", dir=self._scratch) as folder:
            path = Path(folder) / "robots.txt"
            try:
                await self._fetcher.fetch(f"{origin}/robots.txt", path, limit=LARGEST)
            except Unsafe:
                raise
            except NothingGiven as error:
                if error.status == 204 or 400 <= error.status < 500:
                    return _Kept(None, self._clock() + KEPT)
                return self._without(origin, error.message)
            except InvalidRequest as error:
                return self._without(origin, error.message)
            return _Kept(await asyncio.to_thread(_parse, path), self._clock() + KEPT)

    def _without(self, origin: str, why: str) -> _Kept:
        problem = f"nothing is read of {origin}, as it cannot be known what its robots.txt asks: {why}"
        return _Kept(None, self._clock() + KEPT_WITHOUT, problem)

    def _keep(self, origin: str, kept: _Kept) -> None:
        self._known[origin] = kept
        self._known.move_to_end(origin)
        while len(self._known) > SITES:
            self._known.popitem(last=False)


def _parse(path: Path) -> Rules:
    """The rules in a file.

    Raises:
        Unimplemented: what reads them is not on this machine.
    """
    try:
        from protego import Protego
    except ModuleNotFoundError:
        raise Unimplemented(
            "sites' robots.txt cannot be read: the package 'protego' is not installed; run: pip install"
            " 'turnwise[tools]' (or set tools.url_context.robots to false, and they are not kept to)"
        ) from None
    with path.open("rb") as file:
        return Protego.parse(file.read(READ).decode("utf-8", "replace").removeprefix("\ufeff"))
