"""The outbox: what the outside is to be told is kept in the store, and sent from there until it is heard.

Each process of the server runs this loop, and the store gives each notice to one of them, for a while: who dies with it
need not say so. What was not heard is told again after a growing while, for as long as the settings say. Everything is
told at least once, and in no particular order.

No target holds up another: only so many notices of one target are held at a time. When one of them is not heard, those
that waited behind it are put off without being tried.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from turnwise.store.store import Notice, NoticeStore

log = logging.getLogger("turnwise.webhooks")

DELAYS = (5.0, 5 * 60.0, 30 * 60.0, 2 * 3600.0, 5 * 3600.0, 10 * 3600.0)
"""Seconds after the first, the second and each later try that was not heard. The last one goes on."""

JITTER = 0.1
"""By which part of it a delay may be shorter or longer, so that a target that comes back is not run over."""

LOOK_EVERY = 2.0
"""Seconds after which to look for what is due without being poked."""

EXPECTED, SOON = 0.5, 0.05
"""For how many seconds what is expected is looked for, and after how many each time."""

HELD = 256
"""How many notices a process holds at once."""

HELD_FOR_A_TARGET = 32
"""How many of them may be for one target."""

TOLD_AT_ONCE = 8
"""How many a target is told at the same time."""

BUSY = timedelta(seconds=1)
"""How long a notice is put off whose target has enough."""


class Outcome(Enum):
    """What became of a try."""

    HEARD = "heard"
    FAILED = "failed"
    POINTLESS = "pointless"
    """Nobody will ever hear it: the target is gone."""


@dataclass(slots=True)
class _Target:
    """Somebody who is told something now."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TOLD_AT_ONCE))
    held: int = 0
    failures: int = 0


class Outbox:
    """Tells what is to be told."""

    def __init__(
        self,
        store: NoticeStore,
        tell: Callable[[Notice], Awaitable[Outcome]],
        target_of: Callable[[Notice], str],
        *,
        clock: Callable[[], datetime],
        seconds: float,
        patience: timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`tell` is one try, which takes at most so many `seconds`. What was not heard is tried again for as long as
        `patience` has it, from its creation on."""
        self._store = store
        self._tell = tell
        self._target_of = target_of
        self._clock = clock
        self._patience = patience
        self._chance = chance
        # As long as the last of a target's waits, and a little more: then another process may take it to be dead.
        self._lease = timedelta(seconds=seconds * (HELD_FOR_A_TARGET / TOLD_AT_ONCE + 2))
        self._poked = asyncio.Event()
        self._expected_until = 0.0
        self._targets: dict[str, _Target] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to tell."""
        self._loop = asyncio.create_task(self._run(), name="tell webhooks")

    def poke(self) -> None:
        """Look at once: something is due."""
        self._poked.set()

    def expect(self) -> None:
        """Look often for a moment: something is about to be kept."""
        self._expected_until = asyncio.get_running_loop().time() + EXPECTED
        self._poked.set()

    async def close(self) -> None:
        """Stop. What is being told now is due again at once, for whoever comes next."""
        tasks = [*self._telling, *([self._loop] if self._loop else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def next_try(self, notice: Notice) -> datetime | None:
        """When to tell again what was not heard. None: it was tried for long enough."""
        now, end = self._clock(), notice.created + self._patience
        if now >= end:
            return None
        delay = DELAYS[min(notice.attempts, len(DELAYS)) - 1] * (1 + JITTER * (2 * self._chance() - 1))
        return min(now + timedelta(seconds=delay), end)

    async def _run(self) -> None:
        while True:
            self._poked.clear()
            pause = LOOK_EVERY
            try:
                if await self._take():
                    pause = BUSY.total_seconds()
            except Exception:
                log.exception("what the outside is to be told could not be read; trying again in a moment")
            if asyncio.get_running_loop().time() < self._expected_until:
                pause = SOON
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._poked.wait()

    async def _take(self) -> bool:
        """Take what is due, as much as can be held. Whether some of it was put off, since its target has enough."""
        is_busy = False
        while room := HELD - len(self._telling):
            limit = min(room, HELD_FOR_A_TARGET)
            now = self._clock()
            found = await self._store.due_notices(now, now + self._lease, limit)
            for notice in found:
                target = self._targets.setdefault(self._target_of(notice), _Target())
                if target.held >= HELD_FOR_A_TARGET:
                    await self._store.settle_notice(notice.id, now + BUSY)
                    is_busy = True
                else:
                    self._begin(notice, target)
            if len(found) < limit:
                break
        return is_busy

    def _begin(self, notice: Notice, target: _Target) -> None:
        target.held += 1
        task = asyncio.create_task(self._see_to(notice, target), name=f"tell {notice.id}")
        self._telling.add(task)
        task.add_done_callback(lambda done: self._end(done, notice, target))

    def _end(self, task: asyncio.Task[None], notice: Notice, target: _Target) -> None:
        if len(self._telling) == HELD:
            self.poke()  # there is room again
        self._telling.discard(task)
        target.held -= 1
        if not target.held:
            self._targets.pop(self._target_of(notice), None)

    async def _see_to(self, notice: Notice, target: _Target) -> None:
        try:
            outcome = await self._try(notice, target)
        except asyncio.CancelledError:
            await self._settle(notice, self._clock())
            raise
        due = self.next_try(notice) if outcome is Outcome.FAILED else None
        if outcome is Outcome.FAILED and due is None:
            log.warning("%s was not heard in %s, and is given up", notice.id, self._patience)
        await self._settle(notice, due)

    async def _settle(self, notice: Notice, due: datetime | None) -> None:
        try:
            await self._store.settle_notice(notice.id, due)
        except Exception:
            log.exception("what became of %s could not be kept: it will be told again", notice.id)

    async def _try(self, notice: Notice, target: _Target) -> Outcome:
        failures = target.failures
        async with target.slots:
            if target.failures != failures:
                return Outcome.FAILED  # it was not heard while this one waited: no need to try
            try:
                outcome = await self._tell(notice)
            except Exception:
                log.exception("%s could not be told", notice.id)
                outcome = Outcome.FAILED
            if outcome is Outcome.FAILED:
                target.failures += 1
            return outcome
