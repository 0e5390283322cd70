"""Runs that someone may read while they go on: who carries them, and what becomes of them.

A run is a task that tells a turn's events to a recording. It does not know who reads. When it is done, or is to stop,
a second task sees to the run's end, whatever the first one came to: this is the one place where an error of any kind
becomes the end of a run. Only the first is ever cancelled, so an end that is being written is written.

Whoever carries a run has a lease on it, and says again and again that it is alive. When it dies, or is stopped and
gives its runs back, another process claims them, or this one when it starts again, and each goes on from what was told
of it. A run whose carriers die too often ends as failed.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import uniform

from turnwise.domain.errors import Internal, ModelUnavailable, TurnwiseError
from turnwise.domain.events import Created, Event, StatusUpdate
from turnwise.domain.interaction import Failure, Interaction, Status
from turnwise.engine.journal import NOT_WRITTEN, Journal, Recording, cut_short, lost
from turnwise.store.store import Batch, Lease, NewRun, News, Run, Store

log = logging.getLogger("turnwise.run")

OPENING_PATIENCE = 2.0
"""Seconds that a client waits for the model to take the prompt. Within them a refusal is an ordinary error; after them
the stream opens all the same, since some clients give up on a server that sends no headers."""

FIRST_WORD = 0.001
"""How long, in seconds, the row of a run waits for what its model says first, behind having taken the prompt: many say
it together with that, or nearly, and both are kept at once."""

DEATHS = 5
"""How many carriers may die with a run: it may be what kills them."""

LOOKS = 1.0
"""How often, in seconds, to look for runs that wait, besides when something is said of one."""

BEATS = 3.5
"""How many times a carrier says that it is alive while a lease lasts."""

BLIND = 3.0
"""How many times as long as a lease lasts a process that cannot reach its store goes on with its runs: a store that is
only restarted is back by then."""

CLAIMED = 50
"""How many runs to claim at once."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""How long, in seconds, to wait before an end that could not be written is written again, and before a run that could
not be gone on with is given back."""

CONTENDED = 0.05
"""How long, in seconds, a process waits at the most before it takes a run again that another one took from it."""

HANDING_OVER = 3.0
"""How long, in seconds, a process that stops tries to give its runs back."""

ALONE = 10 * 365 * 86400.0
"""The length of a lease, in seconds, where no other process could take the run."""

OUR_FAULT = Failure(Internal.code, "turnwise failed in the middle of this turn; its log has the reason")
STOPPED = Failure(ModelUnavailable.code, "the server was stopped in the middle of this turn")
UNWRITTEN = Failure(Internal.code, NOT_WRITTEN)
DIED = Failure(
    Internal.code,
    f"the processes that carried this interaction have died {DEATHS} times, perhaps because of it; it is not tried "
    "again",
)

OPENING = (Created(), StatusUpdate(Status.IN_PROGRESS))

Clock = Callable[[], datetime]
Events = AsyncGenerator[Event, None]

Resume = Callable[[Run, Sequence[Event]], Awaitable[Events]]
"""The events of a run behind those that were told of it."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """How this process carries runs."""

    lease: Lease
    room: int = 200
    """How many background runs at once. 0: those are left to other processes."""
    seconds: float = 86400.0
    """How long a background run may take, from its creation on, whoever carries it."""


@dataclass(slots=True, eq=False)
class _Run:
    """A run that goes on in this process."""

    recording: Recording
    is_claimed: bool
    """Whether it takes up room."""
    leave: Callable[[], Awaitable[None]]
    """Lets go of what the events come from, once nobody waits for one."""
    telling: asyncio.Task[None] = field(init=False)
    """Tells the events. Cancelling it stops the run, at any time and any number of times."""
    ending: asyncio.Task[None] | None = None
    """Begun when the run is to stop telling, or has told all. Done when the end is written, and nothing is left."""
    is_taken: bool = False
    """Whether the model has taken the prompt, of a run that was begun here."""
    limit: asyncio.TimerHandle | None = None
    """Stops the run when it has had its time."""
    end: Failure | Status | None = None
    """How it is to end, if somebody decided that."""


class Runs:
    """The runs of this process."""

    def __init__(self, store: Store, journal: Journal, clock: Clock, carrying: Carrying, resume: Resume) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._carrying = carrying
        self._resume = resume
        self._runs: dict[str, _Run] = {}
        self._roomed: set[str] = set()
        """Those of them that take up room."""
        self._claimed: set[str] = set()
        """Runs that were claimed, and are not carried yet."""
        self._doubted: set[str] = set()
        """Runs of which was said that somebody took them, while this process was claiming some."""
        self._reserved = 0
        """How much room is kept for runs that are about to be carried."""
        self._stopping: dict[tuple[str, str], asyncio.Task[None]] = {}
        """Runs that are being taken to be ended, by their ids and owners."""
        self._returning: dict[str, asyncio.Task[None]] = {}
        """Runs that this process has and cannot carry: they are being given back."""
        self._strays: Collection[str] = ()
        """Runs that this process has, says the store, and of which nobody here knows."""
        self._beaten = 0.0
        """When the store last heard that this process lives, by the clock of the event loop."""
        self._work: list[asyncio.Task[None]] = []
        self._wanted = asyncio.Event()
        """Set when there may be a run to claim."""
        self._closing = asyncio.Event()

    async def open(self, *, alone: bool) -> None:
        """Begin to carry runs: those that were left first. `alone`: no other process can be carrying any."""
        if alone:
            await self._store.abandon()
        else:
            self._beaten = asyncio.get_running_loop().time()
            self._work.append(asyncio.create_task(self._beat(), name="runs beat"))
            self._work.append(asyncio.create_task(self._listen(), name="runs listen"))
        if self._carrying.room:
            await self._claim()
            self._work.append(asyncio.create_task(self._claim_on(), name="runs claim"))

    async def start(self, interaction: Interaction, events: Events, baggage: bytes, *, patience: float) -> Recording:
        """Begin a run that somebody waits for. Returns when its first events are kept, as soon as the model has taken
        the prompt, or after `patience` seconds; what the model said together with that is kept with them.

        Raises:
            TurnwiseError: the model refused the prompt in that time. Nothing is kept.
        """
        recording = self._journal.prepare(interaction, OPENING)
        run = _Run(recording, is_claimed=False, leave=partial(_close, events))
        opened = asyncio.Event()
        run.telling = asyncio.create_task(self._tell(run, events, opened), name=f"run {interaction.id}")
        run.telling.add_done_callback(lambda _: opened.set())
        try:
            await asyncio.sleep(0)  # the model is asked, and what can be done before it answers is done meanwhile
            self._journal.make_ready(recording, NewRun(baggage, self._carrying.lease, followed=True))
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await opened.wait()
            if run.telling.done() and not run.is_taken:
                run.telling.result()
            self._refuse_if_closed()
            await self._journal.begin(recording)
            if self._closing.is_set():
                await self._hand_over([recording])
        except BaseException as error:
            self._journal.drop(recording)
            try:
                await _stop_telling(run, error)
            finally:
                await run.leave()
            raise
        self._carry(run)
        return recording

    async def submit(self, interaction: Interaction, baggage: bytes) -> Recording:
        """Begin a run in the background, here or, where there is no room, wherever there is some. It is kept when this
        returns. The recording of a run that is not begun here is lost from the start."""
        self._refuse_if_closed()
        if self._free() <= 0:
            await self._store.create(interaction, Batch(interaction.id, 1, OPENING), NewRun(baggage))
            self._wanted.set()  # there may be room by now
            return lost(interaction, OPENING)
        with self._reserve(1):
            recording = await self._journal.open(interaction, OPENING, NewRun(baggage, self._carrying.lease))
            if self._closing.is_set():
                await self._hand_over([recording])
            self._carry_claimed(Run(interaction, recording.attempt, 0, baggage), recording)
        return recording

    async def cancel(self, recording: Recording) -> None:
        """Stop a run of this process, and wait until its end is written. One that has just ended stays as it is."""
        run = self._runs.get(recording.interaction.id)
        if run is None:
            return
        if run.end is None:
            run.end = Status.CANCELLED
            self._stop(run)
        with recording.watched() as bell:
            while not recording.ended:
                await bell.wait()

    async def cancel_elsewhere(self, id: str, owner: str) -> None:
        """Stop a run of another process, or one that waits. Several who do so at once do it together, since each would
        take it from the other."""
        key = (id, owner)
        if key not in self._stopping:
            stopping = asyncio.create_task(self._stop_elsewhere(id, owner), name=f"stop {id}")
            self._stopping[key] = stopping
            stopping.add_done_callback(lambda _: self._stopping.pop(key))
        await asyncio.shield(self._stopping[key])

    async def _stop_elsewhere(self, id: str, owner: str) -> None:
        """Take a run and write its end, however often another process that does the same takes it back."""
        while (run := await self._store.take(id, owner, self._carrying.lease)) is not None:
            self._claimed.discard(id)
            if id in self._runs:  # it was claimed here in this very moment
                self._lose(self._runs[id])
            try:
                if await self._journal.end(run, Status.CANCELLED):
                    return
            except BaseException:
                self._give_back(id, 0.0)
                raise
            await asyncio.sleep(uniform(0.0, CONTENDED))

    async def close(self) -> None:
        """Begin nothing more, and let go of all runs. Those that are kept wait for another process, which goes on with
        them; the others end as failed."""
        self._closing.set()
        work = [*self._work, *self._returning.values()]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        runs = list(self._runs.values())
        await self._hand_over([run.recording for run in runs if run.recording.interaction.turn.store])
        for run in runs:
            run.end = run.end or STOPPED
        if runs:
            await asyncio.wait({self._stop(run) for run in runs})
        if self._stopping:
            _, late = await asyncio.wait(self._stopping.values(), timeout=HANDING_OVER)
            for task in late:
                task.cancel()

    async def _hand_over(self, recordings: Sequence[Recording]) -> None:
        """Write down what runs told, and give all of this process's back."""
        try:
            async with asyncio.timeout(HANDING_OVER):
                await self._journal.lose([one for one in recordings if one.interaction.turn.store])
                await self._store.release(self._carrying.lease.carrier)
        except Exception:
            log.exception("the store could not be given its runs back; others take them when their leases run out")
        for recording in recordings:
            self._journal.drop(recording)

    # -- carrying

    def _refuse_if_closed(self) -> None:
        if self._closing.is_set():
            raise ModelUnavailable("the server is being stopped; try again in a moment")

    def _free(self) -> int:
        """For how many more runs there is room."""
        return self._carrying.room - self._reserved - len(self._roomed)

    @contextmanager
    def _reserve(self, room: int) -> Iterator[None]:
        """Keep room for runs that are about to be carried."""
        self._reserved += room
        try:
            yield
        finally:
            self._reserved -= room

    def _carry(self, run: _Run) -> None:
        id = run.recording.interaction.id
        self._runs[id] = run
        if run.is_claimed:
            self._roomed.add(id)
        run.telling.add_done_callback(lambda _: self._stop(run))
        left = self._left(run)
        if left is not None:
            run.limit = asyncio.get_running_loop().call_later(left, self._stop_spent, run)
        if self._closing.is_set():
            run.end = STOPPED
            self._stop(run)

    def _carry_claimed(self, claimed: Run, recording: Recording) -> None:
        """Carry a run that takes up room, from where it stands on."""
        run = _Run(recording, is_claimed=True, leave=_nothing_to_leave)
        run.telling = asyncio.create_task(self._tell_behind(run, claimed), name=f"run {claimed.interaction.id}")
        self._carry(run)

    def _stop(self, run: _Run) -> asyncio.Task[None]:
        """Have a run end that has told all, or is not to tell more. How it ends may have been decided by then."""
        if run.ending is None:
            id = run.recording.interaction.id
            run.ending = asyncio.create_task(self._see_to_end(run), name=f"end of run {id}")
            run.ending.add_done_callback(lambda _: self._forget(id, run))
        return run.ending

    def _stop_spent(self, run: _Run) -> None:
        """Have a run end that has had its time."""
        if run.ending is None:
            run.end = Status.BUDGET_EXCEEDED
            self._stop(run)

    def _forget(self, id: str, run: _Run) -> None:
        if run.limit is not None:
            run.limit.cancel()
        if self._runs.get(id) is run:
            del self._runs[id]
            self._roomed.discard(id)
        if run.is_claimed:
            self._wanted.set()

    async def _tell(self, run: _Run, events: Events, opened: asyncio.Event | None = None) -> None:
        """Tell a turn's events. `opened` is set when the model has taken the prompt, and has said something or says
        nothing yet."""
        async for event in events:
            if run.ending is not None:
                return  # its end is being told
            if isinstance(event, StatusUpdate):  # that it is in progress is told where it is kept
                run.is_taken = True
                if opened is not None:
                    asyncio.get_running_loop().call_later(FIRST_WORD, opened.set)
                continue
            if opened is not None:
                opened.set()
                opened = None
            await self._journal.append(run.recording, event)

    async def _tell_behind(self, run: _Run, claimed: Run) -> None:
        """Tell a turn's events behind those that were told of it."""
        async with aclosing(await self._resume(claimed, tuple(run.recording.events))) as events:
            await self._tell(run, events)

    async def _see_to_end(self, run: _Run) -> None:
        """Write the end of a run, and only then wait for what still works on it."""
        recording = run.recording
        try:
            if not (recording.is_lost or recording.is_over):
                for event in cut_short(recording.told, _end_of(run), self._clock()):
                    await self._journal.append(recording, event)
        except TurnwiseError:
            pass  # the run is lost; or the store broke, and the journal ends the run as it can
        await self._journal.settle(recording)
        await _stop_telling(run)
        await run.leave()
        if recording.is_unended:
            await self._end_at_last(recording)

    async def _end_at_last(self, recording: Recording) -> None:
        """Write the end of a run whose end the store would not take, as soon as it does. Till then its readers are told
        why there is none."""
        pause = FIRST_PAUSE
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._closing.wait()
            pause = min(2 * pause, LONGEST_PAUSE)
            with suppress(Exception):  # it was logged when it happened first
                await self._journal.end(Run(recording.interaction, recording.attempt, 0), UNWRITTEN)
                break
        self._journal.forget(recording)

    def _left(self, run: _Run) -> float | None:
        """How many seconds a background run still has."""
        interaction = run.recording.interaction
        if not interaction.turn.background:
            return None
        return max(0.0, self._carrying.seconds - (self._clock() - interaction.created).total_seconds())

    # -- the part of a carrier among others

    async def _beat(self) -> None:
        """Say that this process lives, again and again."""
        while True:
            await asyncio.sleep(self._carrying.lease.seconds / BEATS)
            self._look_for_strays(await self._look_at(list(self._runs.values())))

    async def _look_at(self, runs: Sequence[_Run]) -> Mapping[str, int]:
        """Prolong all leases, and let go of those of these runs that this process has lost. Returns all that it has,
        with their attempts, as far as is known."""
        lease, clock = self._carrying.lease, asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(lease.seconds):
                held = await self._store.beat(lease)
        except Exception as error:
            log.warning("the store could not be told that this process lives: %s", str(error) or "no answer")
            if clock() - self._beaten > BLIND * lease.seconds:
                self._lose_all()
            return {}
        self._beaten = clock()
        for run in runs:
            recording = run.recording
            if not recording.interaction.turn.store or recording.is_ending:
                continue
            if held.get(recording.interaction.id) != recording.attempt:
                self._lose(run)
        return held

    def _look_for_strays(self, held: Mapping[str, int]) -> None:
        """Give back what this process has without knowing: a store that breaks while it is asked may have done what it
        was asked. Seen once, a run may be just about to be carried, or ended."""
        known = {*self._runs, *self._claimed, *self._returning, *(id for id, _ in self._stopping)}
        strays = held.keys() - known
        for id in strays.intersection(self._strays):
            self._give_back(id, 0.0)
        self._strays = strays

    async def _listen(self) -> None:
        """Hear of runs that were taken, and of such that wait."""
        async for news in self._store.news():
            is_any = news == News()  # nothing in particular has happened, and so anything may have
            if news.waiting or is_any:
                self._wanted.set()
            if self._reserved:
                self._doubted |= self._claimed if is_any else news.taken
            taken = [run for id, run in self._runs.items() if is_any or id in news.taken]
            if taken:
                await self._look_at(taken)

    def _lose_all(self) -> None:
        """Let go of all runs that are kept: this process is cut off, and others have them by now, as far as it knows.
        Their readers are to read on elsewhere."""
        for run in list(self._runs.values()):
            if run.recording.interaction.turn.store:
                self._lose(run)

    def _lose(self, run: _Run) -> None:
        """Somebody else has the run now, or has ended it."""
        if run.recording.ended and not run.recording.is_lost:
            return  # it is gone because its end has just been written
        self._journal.drop(run.recording)
        self._stop(run)

    async def _claim_on(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._claim()
            except Exception:
                log.exception("the store could not be asked for runs that wait")

    async def _claim(self) -> None:
        """Take as many runs as there are and as there is room for."""
        while (limit := min(self._free(), CLAIMED)) > 0:
            with self._reserve(limit):
                self._doubted.clear()
                claimed = await self._store.claim(self._carrying.lease, limit)
                self._claimed.update(run.interaction.id for run in claimed)
                for run in claimed:
                    await self._go_on(run)
            if not claimed:
                return

    async def _go_on(self, claimed: Run) -> None:
        """Carry a run that was claimed, unless it is stopped in this very moment."""
        id = claimed.interaction.id
        try:
            if claimed.deaths >= DEATHS:
                await self._journal.end(claimed, DIED)
                return
            recording = await self._journal.go_on(claimed.interaction, claimed.attempt)
            if id in self._claimed and recording.events and not recording.is_over:
                self._carry_claimed(claimed, recording)
                if id in self._doubted:
                    await self._look_at([self._runs[id]])
            else:
                self._journal.drop(recording)
        except Exception:
            log.exception("the run %s could not be gone on with", id)
            self._give_back(id, min(FIRST_PAUSE * 2 ** min(claimed.attempt, 10), LONGEST_PAUSE))
        finally:
            self._claimed.discard(id)

    def _give_back(self, id: str, pause: float) -> None:
        """Have a run wait that this process has and does not carry: after a pause, and as soon as the store takes
        that."""
        if id not in self._returning and not self._closing.is_set():  # else all are given back together
            returning = asyncio.create_task(self._return(id, pause), name=f"return {id}")
            self._returning[id] = returning
            returning.add_done_callback(lambda _: self._returning.pop(id))

    async def _return(self, id: str, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                await self._store.release(self._carrying.lease.carrier, [id])
                return
            except Exception:
                log.exception("the run %s could not be given back", id)
            pause = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)


def _end_of(run: _Run) -> Failure | Status:
    """How a run is to end that has stopped telling before its end."""
    if run.end is not None:
        return run.end
    if run.telling.cancelled():
        return STOPPED
    error = run.telling.exception()
    if isinstance(error, TurnwiseError):
        return Failure(error.code, error.message)
    if error is not None:
        log.error("the run %s broke", run.recording.interaction.id, exc_info=error)
    return OUR_FAULT


async def _stop_telling(run: _Run, told: BaseException | None = None) -> None:
    """Have a run tell no more, and wait until it does not. `told`: the error that its caller is told."""
    run.telling.cancel()
    try:
        (left,) = await asyncio.gather(run.telling, return_exceptions=True)
    finally:
        # What stopped it has its frames, which have the run: a circle that would keep the whole request.
        del run.telling
    is_known = left is told or (run.ending is not None and run.end is None)  # its end was made of it
    if isinstance(left, Exception) and not isinstance(left, TurnwiseError) and not is_known:
        log.error("the run %s broke while it was being left", run.recording.interaction.id, exc_info=left)


async def _nothing_to_leave() -> None:
    """Who tells the events has let go of them."""


async def _close(events: Events) -> None:
    try:
        await events.aclose()
    except Exception:
        log.exception("a model broke while it was being left")
