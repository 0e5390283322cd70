"""The outbox: what the outside is to be told is kept in the store, and sent from there until it is heard.

Each process of the server runs this loop, and the store gives each notice to one of them, for a while: who dies with it
need not say so. What was not heard is told again after a growing while, for as long as the settings say. Everything is
told at least once, and in no particular order.

No target holds up another, and no owner: only so many notices of each are held at a time, and of a target that has not
heard the last one, or none yet, one. Those that find no room are put off one behind another, by as long as it takes to
tell those before them. When one of a target's is not heard, those that waited for it are put off without being tried.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from heapq import heappop, heappush

from turnwise.store.store import Notice, NoticeStore

log = logging.getLogger("turnwise.webhooks")

DELAYS = (5.0, 5 * 60.0, 30 * 60.0, 2 * 3600.0, 5 * 3600.0, 10 * 3600.0)
"""Seconds after the first, the second and each later try that was not heard. The last one goes on."""

JITTER = 0.1
"""By which part of it a delay may be shorter or longer, so that a target that comes back is not run over."""

LOOK_EVERY = 2.0
"""Seconds after which to look for what is due without being poked."""

EXPECTED, SOON = 0.5, 0.05
"""For how many seconds what is expected is looked for, and how often at the most."""

HELD = 512
"""How many notices a process holds at once."""

HELD_FOR_AN_OWNER = 128
"""How many of them may be one owner's."""

HELD_FOR_A_TARGET = 32
"""How many of them may be for one target."""

TOLD_AT_ONCE = 8
"""How many a target is told at the same time."""

QUICK = 0.01
"""In seconds: how long a try takes, as long as none has shown it."""

KNOWN = 2000
"""Of how many targets it is known whether they have heard the last one."""


class Outcome(Enum):
    """What became of a try."""

    HEARD = "heard"
    FAILED = "failed"
    POINTLESS = "pointless"
    """Nobody will ever hear it: the target is gone."""


@dataclass(slots=True)
class _Lane:
    """What is held for one target, or of one owner."""

    most: int
    is_heard: bool | None = None
    """Whether the last try was heard. None: there was none."""
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TOLD_AT_ONCE))
    held: int = 0
    failures: int = 0
    pace: float = QUICK
    """In seconds: how long a try takes, by the last ones."""
    taken_until: datetime | None = None
    """When the last of those is due that were put off."""

    @property
    def has_room(self) -> bool:
        """Whether another one may be held."""
        return self.held < (self.most if self.is_heard else 1)

    def put_off(self, now: datetime) -> datetime:
        """When there may be room for one more."""
        step = timedelta(seconds=self.pace / (1 if self.is_heard is False else TOLD_AT_ONCE))
        self.taken_until = max(now + self.held * step, self.taken_until or now) + step
        return self.taken_until

    def took(self, seconds: float) -> None:
        """A try has taken so long."""
        self.pace = (self.pace + seconds) / 2


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
        self._targets: dict[str, _Lane] = {}
        self._owners: dict[str, _Lane] = {}
        self._put_off: list[datetime] = []
        """When those are due that found no room, the next one first (a heap)."""
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
            try:
                await self._take()
            except Exception:
                log.exception("what the outside is to be told could not be read; trying again in a moment")
            pause = self._pause()
            if asyncio.get_running_loop().time() < self._expected_until:
                pause = SOON
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._poked.wait()

    async def _take(self) -> None:
        """Take what is due, as much as can be held."""
        while room := HELD - len(self._telling):
            limit = min(room, HELD_FOR_A_TARGET)
            now = self._clock()
            found = await self._store.due_notices(now, now + self._lease, limit)
            without_room = []
            for notice in found:
                lanes = self._lanes(notice)
                full = next((lane for lane in lanes if not lane.has_room), None)
                if full is None:
                    self._begin(notice, *lanes)
                else:
                    without_room.append(replace(notice, due=full.put_off(now), attempts=notice.attempts - 1))
            if without_room:
                await self._store.put_off_notices(without_room)
                for notice in without_room:
                    heappush(self._put_off, notice.due)
            if len(found) < limit:
                break

    def _pause(self) -> float:
        """In how many seconds to look again."""
        if not self._put_off:
            return LOOK_EVERY
        now, soonest = self._clock(), self._put_off[0]
        while self._put_off and self._put_off[0] <= now:
            heappop(self._put_off)
        return min(LOOK_EVERY, max(SOON, (soonest - now).total_seconds()))

    def _lanes(self, notice: Notice) -> tuple[_Lane, _Lane]:
        """That of the notice's target, and that of its owner."""
        target = self._targets.setdefault(self._target_of(notice), _Lane(HELD_FOR_A_TARGET))
        return target, self._owners.setdefault(notice.owner, _Lane(HELD_FOR_AN_OWNER, is_heard=True))

    def _begin(self, notice: Notice, target: _Lane, owner: _Lane) -> None:
        target.held += 1
        owner.held += 1
        task = asyncio.create_task(self._see_to(notice, target, owner), name=f"tell {notice.id}")
        self._telling.add(task)
        task.add_done_callback(lambda done: self._end(done, notice, target, owner))

    def _end(self, task: asyncio.Task[None], notice: Notice, target: _Lane, owner: _Lane) -> None:
        if len(self._telling) == HELD:
            self.poke()  # there is room again
        self._telling.discard(task)
        target.held -= 1
        owner.held -= 1
        if not owner.held:
            self._owners.pop(notice.owner, None)
        if len(self._targets) > KNOWN:
            idle = next((name for name, lane in self._targets.items() if not lane.held), None)
            self._targets.pop(idle or "", None)

    async def _see_to(self, notice: Notice, target: _Lane, owner: _Lane) -> None:
        try:
            outcome = await self._try(notice, target, owner)
        except asyncio.CancelledError:
            await self._give_back(notice)
            raise
        due = self.next_try(notice) if outcome is Outcome.FAILED else None
        if outcome is Outcome.FAILED and due is None:
            log.warning("%s was not heard in %s, and is given up", notice.id, self._patience)
        await self._settle(notice, due)

    async def _give_back(self, notice: Notice) -> None:
        """A try was cut short: it is due at once, for whoever comes next."""
        try:
            await self._store.put_off_notices([replace(notice, due=self._clock(), attempts=notice.attempts - 1)])
        except Exception:
            log.exception("%s could not be given back: it will be told again later", notice.id)

    async def _settle(self, notice: Notice, due: datetime | None) -> None:
        try:
            await self._store.settle_notice(notice.id, due)
        except Exception:
            log.exception("what became of %s could not be kept: it will be told again", notice.id)

    async def _try(self, notice: Notice, target: _Lane, owner: _Lane) -> Outcome:
        failures = target.failures
        async with target.slots:
            if target.failures > failures:
                return Outcome.FAILED  # it was not heard while this one waited: no need to try
            time = asyncio.get_running_loop().time
            began = time()
            try:
                outcome = await self._tell(notice)
            except Exception:
                log.exception("%s could not be told", notice.id)
                outcome = Outcome.FAILED
            target.is_heard = outcome is not Outcome.FAILED
            if not target.is_heard:
                target.failures += 1
            for lane in (target, owner):
                lane.took(time() - began)
            return outcome
