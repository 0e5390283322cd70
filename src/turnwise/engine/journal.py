"""The journal: events are written down first, then told.

A run's writer appends events to its Recording. One flusher for the whole process takes what every recording has
gathered and writes it to the store in one group, again and again: while one group is under way the next one gathers,
so the busier the process, the larger the groups, and an idle one writes at once. Ends go their own way, since they wait
for the disk. Only what is written is shown to readers. So a position, once seen, is there for good, and a reader may
leave and come back at any time: to the recording while the run goes on, to the store for ever after.

The writer owns the run; readers come and go. Nothing that a reader does, or fails to do, is felt by the writer; but to
those that wait for it, the journal shows what it publishes, so that they need not be woken for it.

What a run has paid for, an answer of a model or a step of an agent, is written before the run goes on: whoever carries
it after a crash does not pay for it again.

Text that comes faster than it is written is joined into one event before it gets its position. A run with
`store=false` has a recording without a store: the same reading, nothing kept, and no waiting for anyone else's writes.

A run has one carrier at a time. Once another process has taken it, or ended it, the store takes nothing more from this
one: the recording is lost, its writer is told so, and its readers go on reading from the store (`tailing.py`).

What the store cannot write ends its run. One more try is made, to write down that it failed; if that fails too, its
readers are told so, since nobody will ever tell them more.
"""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import datetime
from itertools import chain
from typing import Protocol, TypeAlias, TypeGuard

from turnwise.domain.errors import HandedOver, Internal, OutOfRange, TurnwiseError
from turnwise.domain.events import (
    ArgumentsDelta,
    Checkpoint,
    End,
    Event,
    Failed,
    MediaDelta,
    PartDelta,
    SummaryDelta,
    TextDelta,
    closing,
    fold,
    replay,
)
from turnwise.domain.interaction import Failure, Interaction, Status, Usage, add_usage
from turnwise.engine.tailing import STOPPED, Numbered, Tail
from turnwise.engine.timeline import Timeline
from turnwise.store.store import Batch, Creation, NewRun, Notice, Run, Store

log = logging.getLogger("turnwise.journal")

PENDING_LIMIT = 256
"""Events that a recording gathers before its writer has to wait for the store."""

JOINED_LIMIT = 4096
"""Characters up to which text that waits is joined: beyond them a writer that is far ahead would only copy text about,
and never be made to wait."""

GATHERING, GATHERED = 0.0001, 0.005
"""How long, in seconds, the next group is given time to gather, for each run in the last one; and at the most. What a
group costs is nearly the same for one run as for fifty."""

PASSED_ON = 32
"""Events of a run without a store after which its readers have a look, if its writer did not wait for anything."""

MOVED = "this interaction goes on elsewhere; read on from the last event that you have, by `last_event_id`"

LAST_WORDS = 5.0
"""How many seconds the store has to take what was gathered when the process stops."""

NOT_WRITTEN = "turnwise could not write down this turn; its log has the reason"

Take: TypeAlias = Callable[[Numbered], bool]
"""Is shown more of a run while its reader waits, and says whether it has taken that. If not, the reader gets it."""

Notify = Callable[[Interaction], Awaitable[Sequence[Notice]]]
"""What the outside is to be told of an interaction that ends like this."""


async def nobody(interaction: Interaction) -> Sequence[Notice]:
    """Nobody outside waits for the end of anything."""
    return ()


class Recording:
    """The events of one run: gathered (`pending`), on their way to the store (`writing`), and written (`events`)."""

    def __init__(self, interaction: Interaction, told: Sequence[Event] = (), attempt: int = 1) -> None:
        self.interaction = interaction
        """As it was created; the outcome is `fold(events)`."""
        self.attempt = attempt
        """At the run; those before it told what was told already."""
        self.events = Timeline(told)
        """Those that any reader may see."""
        self.opening = 0
        """While nothing is kept of what is to be kept: with how many events it begins."""
        self.creation: Creation | None = None
        """And what keeps them."""
        self.writing: list[Event] = []
        self.pending: list[Event] = []
        self.broken: TurnwiseError | None = None
        """Set once the store has refused events: nothing more can be added."""
        self.is_over = _have_end(told)
        """Whether the run has told its end, written or not."""
        self.ended = False
        """Whether no more events will be published here. The last one is End, unless the store would not even take
        that, or the run is lost."""
        self._bells: set[Bell] = set()
        """One for each that waits, or may wait, until more is published."""

    @property
    def is_lost(self) -> bool:
        """Whether the run goes on, or has ended, and no longer in this process."""
        return isinstance(self.broken, HandedOver) and not _have_end(self.events)

    @property
    def is_ending(self) -> bool:
        """Whether its end is on its way to the store, which says then whether the run was still this process's."""
        return _have_end(self.writing)

    @property
    def is_unended(self) -> bool:
        """Whether the store would not take the run's end, which is still to be written."""
        return isinstance(self.broken, Internal) and not _have_end(self.events)

    @property
    def told(self) -> list[Event]:
        """All that the run has told, written or not."""
        return [*self.events, *self.writing, *self.pending]

    @property
    def settled(self) -> bool:
        """Whether all that the run has told is written, or never will be."""
        return self.ended or not (self.writing or self.pending)

    def add(self, event: Event) -> None:
        """Gather an event for the next flush, joined to the text that waits there already."""
        self.is_over = isinstance(event, End)
        last = self.pending[-1] if self.pending else None
        joined = None if last is None else _joined(last, event)
        if joined is not None:
            self.pending[-1] = joined
            return
        self.pending.append(event)

    def take(self, most: int | None = None) -> Batch:
        """What was gathered, or the first so many events of it, with its place in the journal. It is on its way to the
        store from now on."""
        self.writing, self.pending = self.pending[:most], [] if most is None else self.pending[most:]
        return Batch(self.interaction.id, len(self.events) + 1, tuple(self.writing), self.attempt)

    def publish(self) -> None:
        """Show what was taken, and is written now, to every reader."""
        written, self.writing = self.writing, []
        self.events.extend(written)
        self.ended = self.ended or _have_end(written or self.events)  # what is lost stays so, with this on its way
        self._tell()

    def break_off(self, error: TurnwiseError) -> None:
        """Show every reader that nothing more will come from here, and why."""
        self.broken = error
        self.ended = True
        self._tell()

    @contextmanager
    def watched(self, idle: float | None = None, answer: Callable[[], bool] | None = None) -> Iterator["Bell"]:
        """A bell that rings whenever more is published. `idle`, `answer`: see `Bell`."""
        bell = Bell(idle, answer)
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)
            bell.close()

    def snapshot(self) -> Interaction:
        """The interaction as far as its events tell it."""
        return ended_as(self.interaction, self.events.condensed())

    def _tell(self) -> None:
        for bell in self._bells:
            bell.ring()


class Bell:
    """What somebody waits for, again and again.

    Readers wait for each piece of a stream. So whether a wait takes too long is found out by one timer, that looks
    when the wait could be over that began before it last looked: a timer for each wait would cost more than the rest
    of it. For the same reason who waits need not be woken for what can be done in its place.
    """

    __slots__ = ("_answer", "_idle", "_loop", "_since", "_timer", "_waiting")

    def __init__(self, idle: float | None, answer: Callable[[], bool] | None = None) -> None:
        """`idle`: after how many seconds a wait is given up. `answer` is called where somebody waits and it rings, and
        says whether that was all: then the wait begins anew."""
        self._idle = idle
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._since = 0.0
        """When the wait began."""
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[bool] | None = None

    async def wait(self) -> bool:
        """Wait until it rings. False: it has not rung in time."""
        self._waiting = self._loop.create_future()
        if self._idle is not None:
            self._since = self._loop.time()
            if self._timer is None:
                self._timer = self._loop.call_later(self._idle, self._look)
        return await self._waiting

    def ring(self) -> None:
        """Wake whoever waits. Who does not wait sees for himself."""
        if self._waiting is None or self._waiting.done():
            return
        if self._answer is None or not self._answer():
            self._waiting.set_result(True)
        elif self._idle is not None:
            self._since = self._loop.time()

    def close(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        assert self._idle is not None
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return  # the next wait begins a timer
        left = self._since + self._idle - self._loop.time()
        if left > 0.0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._waiting.set_result(False)


def _have_end(events: Sequence[Event]) -> bool:
    return bool(events) and isinstance(events[-1], End)


def _joined(last: Event, event: Event) -> Event | None:
    """Two events as one, if both are text of the same part, and not too long."""
    # For every piece of every stream; `match` takes twice as long.
    if not (isinstance(last, PartDelta) and isinstance(event, PartDelta)) or last.output != event.output:
        return None
    said, more = last.delta, event.delta
    if isinstance(said, TextDelta) and isinstance(more, TextDelta) and len(said.text) + len(more.text) <= JOINED_LIMIT:
        return PartDelta(event.step, event.output, TextDelta(said.text + more.text))
    return None


def _may_wait_behind(event: Event) -> bool:
    """Whether a process may die here and leave something that can be gone on with: not between what a step is told as
    a whole, or what is told last of it, and its stop."""
    return isinstance(event, PartDelta) and isinstance(
        event.delta, TextDelta | ArgumentsDelta | SummaryDelta | MediaDelta
    )


def lost(interaction: Interaction, told: Sequence[Event]) -> Recording:
    """The recording of a run of which this much was told, and that another process carries."""
    recording = Recording(interaction, told)
    recording.break_off(HandedOver(MOVED))
    return recording


def ended_as(interaction: Interaction, events: Iterable[Event]) -> Interaction:
    """The interaction with the outcome of these events."""
    outcome = fold(events)
    return dataclasses.replace(
        interaction,
        status=outcome.status,
        steps=outcome.steps,
        usage=outcome.usage,
        failure=outcome.failure,
        updated=outcome.ended or interaction.updated,
    )


def cut_short(told: Sequence[Event], end: Failure | Status, at: datetime) -> list[Event]:
    """The events that end a run which told these and no more: as failed, or with another status."""
    if _have_end(told):
        return []
    usage = spent(told)
    if isinstance(end, Failure):
        return [*closing(told), Failed(end), End(Status.FAILED, usage, at)]
    return [*closing(told), End(end, usage, at)]


def _is_paid_for(event: Event) -> TypeGuard[Checkpoint]:
    """Whether it says what something has cost."""
    return isinstance(event, Checkpoint) and event.data.get("usage") is not None


def spent(told: Iterable[Event]) -> Usage | None:
    """What a run has cost, as far as it is written down: its checkpoints say what each round, or each step of an agent,
    cost (`usage` of their data)."""
    total: Usage | None = None
    for event in told:
        if _is_paid_for(event):
            cost = Usage(**event.data["usage"])
            total = cost if total is None else add_usage(total, cost)
    return total


class Journal:
    """All recordings of this process, and the way to any journal that is kept."""

    def __init__(self, store: Store, clock: Callable[[], datetime], notify: Notify = nobody) -> None:
        self._store = store
        self._clock = clock
        self._notify = notify
        self._tail = Tail(store)
        self._live: dict[str, Recording] = {}
        self._dirty: dict[Recording, None] = {}
        """Those that have gathered something, in the order in which they began to."""
        self._flusher: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        """Ends that are being written. They wait for the disk, and what other runs tell does not wait for them."""
        self._closed = False

    async def open(self, interaction: Interaction, events: Sequence[Event], run: NewRun) -> Recording:
        """Begin a recording with its first events. They are kept when this returns."""
        recording = self.prepare(interaction, events)
        self.make_ready(recording, run)
        await self.begin(recording)
        return recording

    def prepare(self, interaction: Interaction, events: Sequence[Event]) -> Recording:
        """A recording that is not begun yet. If it is to be kept, what is appended to it waits behind its first events
        till then."""
        recording = Recording(interaction)
        recording.pending.extend(events)
        if interaction.turn.store:
            recording.opening = len(events)
        return recording

    def make_ready(self, recording: Recording, run: NewRun) -> None:
        """Make what keeps a recording, which takes a while, before it is begun."""
        if recording.interaction.turn.store:
            recording.creation = self._store.creation(recording.interaction, run)

    async def begin(self, recording: Recording) -> None:
        """Keep a recording that was prepared, together with what was appended to it already. A turn that has told its
        end by then is begun, and ended behind it."""
        create, recording.creation = recording.creation, None
        batch = recording.take(recording.opening if create is not None and recording.is_over else None)
        if create is not None:
            await create(batch)
        recording.opening = 0
        self._live[recording.interaction.id] = recording
        self._publish(recording)
        if recording.pending:
            self._write(recording)

    async def go_on(self, interaction: Interaction, attempt: int) -> Recording:
        """Go on with a recording that another attempt has begun."""
        told = [event for _, event in await self._store.events(interaction.id, 0)]
        recording = Recording(interaction, told, attempt)
        self._live[interaction.id] = recording
        return recording

    async def lose(self, recordings: Sequence[Recording]) -> None:
        """Let go of runs: what they told is written, and nothing more is added to them."""
        for recording in recordings:
            recording.broken = HandedOver(MOVED)
        for recording in recordings:
            await self.settle(recording)
            self.drop(recording)

    def drop(self, recording: Recording) -> None:
        """Let go of a run that another process has taken, or ended."""
        if not recording.ended:
            recording.break_off(HandedOver(MOVED))
            self.forget(recording)

    def forget(self, recording: Recording) -> None:
        """Whoever reads this from now on reads it from the store."""
        if self._live.get(recording.interaction.id) is recording:
            del self._live[recording.interaction.id]

    async def end(self, run: Run, end: Failure | Status) -> bool:
        """Write the end of a run that this process has taken, and does not carry. False: it is another attempt's now,
        or is over."""
        told = [event for _, event in await self._store.events(run.interaction.id, 0)]
        ends = cut_short(told, end, self._clock())
        whole = ended_as(run.interaction, [*told, *ends])
        batch = Batch(whole.id, len(told) + 1, tuple(ends), run.attempt)
        return await self._store.finish(whole, batch, attempt=run.attempt, notices=await self._notify(whole))

    async def append(self, recording: Recording, event: Event) -> None:
        """Write down one more event. Waits when it is the last, when it says what something has cost, and when the
        store is far behind.

        Raises:
            Internal: the store could not write.
        """
        if recording.broken is not None:
            raise recording.broken
        if recording.is_over:
            raise Internal(f"the run {recording.interaction.id} has told its end already")
        recording.add(event)
        if recording.opening:
            pass  # it is written when the recording begins
        elif recording.interaction.turn.store:
            self._write(recording)
        else:
            await self._pass_on(recording)
            return
        is_behind = len(recording.pending) > PENDING_LIMIT and _may_wait_behind(event)
        if is_behind or isinstance(event, End) or _is_paid_for(event):
            await self.settle(recording)

    async def settle(self, recording: Recording) -> None:
        """Wait until all that a run has told is written, or never will be."""
        if not recording.settled:
            with recording.watched() as bell:
                while not recording.settled:
                    await bell.wait()

    def live(self, id: str) -> Recording | None:
        """The recording of a run that goes on in this process."""
        return self._live.get(id)

    async def read(
        self, interaction: Interaction, after: int, *, idle: float, take: Take | None = None
    ) -> AsyncGenerator[Numbered, None]:
        """Events behind a position, in groups, up to the end of the run. An empty group means that nothing happened
        for `idle` seconds. `take`: see `follow`.

        Raises:
            OutOfRange: the journal never had that position.
        """
        recording = self._live.get(interaction.id)
        if recording is not None:
            # Somebody may have seen elsewhere what the store has, and has not yet told this process that it has.
            if after > len(recording.events) + len(recording.writing):
                raise _out_of_range(after, len(recording.events))
            return self.follow(recording, after, idle=idle, take=take)
        kept = await self._read_kept(interaction, max(after, 1))
        last, event = kept[-1]
        behind = _once([pair for pair in kept if pair[0] > after])
        if interaction.status.is_terminal or isinstance(event, End):
            return behind
        return _both(behind, self._tail.follow(interaction.id, interaction.owner, last, idle=idle))

    def follow(
        self, recording: Recording, after: int, *, idle: float, take: Take | None = None
    ) -> AsyncGenerator[Numbered, None]:
        """The events of a recording behind a position, as `read` has them; and, once it is lost, those that its new
        carrier tells. What a run that is kept publishes while its reader waits is shown to `take` first, as long as it
        goes on. What nobody keeps is told piece by piece, and its reader sees more at once where it looks itself."""
        is_kept = recording.interaction.turn.store
        return follow(recording, after, idle=idle, elsewhere=self._elsewhere, take=take if is_kept else None)

    def _elsewhere(self, interaction: Interaction, after: int, *, idle: float) -> AsyncGenerator[Numbered, None]:
        """What its new carrier tells.

        Raises:
            HandedOver: this process stops, and it is to be read on from another.
        """
        if self._closed:
            raise HandedOver(STOPPED)
        return self._tail.follow(interaction.id, interaction.owner, after, idle=idle)

    async def close(self) -> None:
        """Wait until all that is gathered is written, though not for ever, and let go of whoever reads from the
        store."""
        self._closed = True
        try:
            async with asyncio.timeout(LAST_WORDS):
                while writing := self._writing():
                    await asyncio.wait(writing)
        except TimeoutError:
            for task in self._writing():
                task.cancel()
        await asyncio.gather(*self._writing(), return_exceptions=True)
        await self._tail.close()

    async def _read_kept(self, interaction: Interaction, first: int) -> Numbered:
        """From a position on, as it was told; or, of a run that nobody followed, as it would have been told."""
        kept = await self._store.events(interaction.id, first - 1)
        if not kept:
            kept = [(i, event) for i, event in enumerate(replay(interaction), 1) if i >= first]
        if not kept:
            raise _out_of_range(first, None)
        return kept

    def _writing(self) -> set[asyncio.Task[None]]:
        """What is being written."""
        return self._endings if self._flusher is None else {self._flusher, *self._endings}

    def _write(self, recording: Recording) -> None:
        """Have what was gathered written down."""
        self._dirty[recording] = None
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_all(), name="journal flusher")

    async def _pass_on(self, recording: Recording) -> None:
        """Tell what nobody keeps, and let its readers have a look at it now and then: a model may never wait."""
        recording.take()
        self._publish(recording)
        if len(recording.events) % PASSED_ON == 0:
            await asyncio.sleep(0)

    async def _flush_all(self) -> None:
        try:
            while self._dirty:
                gathering = min(GATHERING * (len(self._dirty) - 1), GATHERED)
                await self._flush()
                if pace := max(self._store.pace, gathering):
                    await asyncio.sleep(pace)
        finally:
            self._flusher = None

    async def _flush(self) -> None:
        """Write down what every recording has gathered, then tell it. Ends go their own way."""
        dirty = [one for one in self._dirty if one.pending and not one.ended]
        self._dirty = {}
        batches = [(recording, recording.take()) for recording in dirty]
        for recording, batch in batches:
            if isinstance(batch.events[-1], End):
                ending = asyncio.create_task(self._finish(recording, batch), name=f"end {batch.id}")
                self._endings.add(ending)
                ending.add_done_callback(self._endings.discard)
        if going_on := [pair for pair in batches if not isinstance(pair[1].events[-1], End)]:
            await self._extend(going_on)

    async def _extend(self, batches: Sequence[tuple[Recording, Batch]]) -> None:
        try:
            refused = await self._store.append([batch for _, batch in batches])
        except Exception:
            log.exception("the store could not write events of %d runs", len(batches))
            await asyncio.gather(*(self._give_up(recording) for recording, _ in batches))
            return
        for recording, batch in batches:
            if batch.id in refused:
                self.drop(recording)
            else:
                self._publish(recording)

    async def _finish(self, recording: Recording, batch: Batch) -> None:
        try:
            whole = ended_as(recording.interaction, chain(recording.events.condensed(), batch.events))
            notices = await self._notify(whole)
            ours = await self._store.finish(whole, batch, attempt=recording.attempt, notices=notices)
        except Exception:
            log.exception("the store could not write the end of %s", recording.interaction.id)
            await self._give_up(recording)
        else:
            if ours:
                self._publish(recording)
            else:
                self.drop(recording)

    async def _give_up(self, recording: Recording) -> None:
        """The store would not take what a run told. Try to write down at least that it failed."""
        if recording.is_lost:
            self.drop(recording)  # whoever has it goes on from what is written
            return
        recording.broken = Internal(NOT_WRITTEN)
        recording.pending = cut_short(recording.events, Failure(Internal.code, NOT_WRITTEN), self._clock())
        batch = recording.take()
        try:
            whole = ended_as(recording.interaction, recording.told)
            ours = await self._store.finish(whole, batch, attempt=recording.attempt, notices=await self._notify(whole))
        except Exception:
            log.exception("the store could not write that %s failed", recording.interaction.id)
            recording.break_off(recording.broken)
            return
        if ours:
            self._publish(recording)
        else:
            self.drop(recording)

    def _publish(self, recording: Recording) -> None:
        recording.publish()
        if recording.ended:
            self.forget(recording)


class Elsewhere(Protocol):
    """Goes on with the events of a run behind a position where this process has lost it."""

    def __call__(self, interaction: Interaction, after: int, *, idle: float) -> AsyncGenerator[Numbered, None]: ...


async def follow(
    recording: Recording,
    after: int,
    *,
    idle: float,
    elsewhere: Elsewhere | None = None,
    take: Take | None = None,
) -> AsyncGenerator[Numbered, None]:
    """Events of a recording behind a position, in groups, as they are published, but for what `take` takes. Empty: idle
    for so long. Where the run is lost they go on `elsewhere`, or stop.

    Raises:
        Internal: the run's end could not be written.
    """
    position = after

    def is_taken() -> bool:
        nonlocal position
        assert take is not None
        if recording.ended:
            return False
        events = recording.events.behind(position)
        if events and not take(list(enumerate(events, position + 1))):  # none: its reader has seen them elsewhere
            return False
        position += len(events)
        return True

    with recording.watched(idle, None if take is None else is_taken) as bell:
        while True:
            events = recording.events.behind(position)
            if events:
                yield list(enumerate(events, position + 1))
                position += len(events)
            elif recording.ended:
                break
            elif not await bell.wait():
                yield ()
    if recording.broken is None or _have_end(recording.events):
        return
    if not recording.is_lost:
        raise recording.broken
    if elsewhere is not None:
        async with aclosing(elsewhere(recording.interaction, position, idle=idle)) as groups:
            async for group in groups:
                yield group


async def _both(
    first: AsyncGenerator[Numbered, None], second: AsyncGenerator[Numbered, None]
) -> AsyncGenerator[Numbered, None]:
    for groups in (first, second):
        async with aclosing(groups):
            async for group in groups:
                yield group


async def _once(group: Numbered) -> AsyncGenerator[Numbered, None]:
    if group:
        yield group


def _out_of_range(after: int, last: int | None) -> OutOfRange:
    known = "" if last is None else f"; its last event so far is '{last}'"
    return OutOfRange(f"last_event_id: this interaction has no event '{after}'{known}")
