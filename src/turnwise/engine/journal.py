"""The journal: events are written down first, then told.

A run's writer appends events to its Recording. One flusher for the whole process takes what every recording has
gathered and writes it to the store in one group, again and again: while one group is under way the next one gathers,
so the busier the process, the larger the groups, and an idle one writes at once. Only what is written is shown to
readers. So a position, once seen, is there for good, and a reader may leave and come back at any time: to the recording
while the run goes on, to the store for ever after.

The writer owns the run; readers come and go. Nothing that a reader does, or fails to do, is felt by the writer.

Text that comes faster than it is written is joined into one event before it gets its position. A run with
`store=false` has a recording without a store: the same reading, nothing kept, and no waiting for anyone else's writes.

What the store refuses ends its run. One more try is made, to write down that it failed; if that is refused too, its
readers are told so, since nobody will ever tell them more.
"""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from datetime import datetime

from turnwise.domain.errors import Internal, OutOfRange
from turnwise.domain.events import End, Event, Failed, PartDelta, TextDelta, closing, fold, replay
from turnwise.domain.interaction import Failure, Interaction, Status
from turnwise.store.store import Batch, InteractionStore

log = logging.getLogger("turnwise.journal")

PENDING_LIMIT = 256
"""Events that a recording gathers before its writer has to wait for the store."""

JOINED_LIMIT = 4096
"""Characters up to which text that waits is joined: beyond them a writer that is far ahead would only copy text about,
and never be made to wait."""

NOT_WRITTEN = "turnwise could not write down this turn; its log has the reason"

Numbered = Sequence[tuple[int, Event]]
"""Events with their positions."""


class Recording:
    """The events of one run: gathered (`pending`), on their way to the store (`writing`), and written (`events`)."""

    def __init__(self, interaction: Interaction) -> None:
        self.interaction = interaction
        """As it was created; the outcome is `fold(events)`."""
        self.events: list[Event] = []
        """Those that any reader may see."""
        self.writing: list[Event] = []
        self.pending: list[Event] = []
        self.broken: Internal | None = None
        """Set once the store has refused events: nothing more can be added."""
        self.ended = False
        """Whether no more events will be published. The last one is End, unless the store would not even take that."""
        self._changed: asyncio.Future[None] | None = None

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
        last = self.pending[-1] if self.pending else None
        joined = None if last is None else _joined(last, event)
        if joined is not None:
            self.pending[-1] = joined
            return
        self.pending.append(event)

    def take(self) -> Batch:
        """What was gathered, with its place in the journal. It is on its way to the store from now on."""
        self.writing, self.pending = self.pending, []
        return Batch(self.interaction.id, len(self.events) + 1, tuple(self.writing))

    def publish(self) -> None:
        """Show what was taken, and is written now, to every reader."""
        self.events.extend(self.writing)
        self.writing = []
        self.ended = bool(self.events) and isinstance(self.events[-1], End)
        self._tell()

    def break_off(self, error: Internal) -> None:
        """Show every reader that nothing more will come, and why."""
        self.broken = error
        self.ended = True
        self._tell()

    async def changed(self) -> None:
        """Wait until more was published."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    def snapshot(self) -> Interaction:
        """The interaction as far as its events tell it."""
        return ended_as(self.interaction, self.events)

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.set_result(None)
            self._changed = None


def _joined(last: Event, event: Event) -> Event | None:
    """Two events as one, if both are text of the same part, and not too long."""
    match last, event:
        case PartDelta(_, output, TextDelta(text)), PartDelta(step, same, TextDelta(more)) if (
            output == same and len(text) + len(more) <= JOINED_LIMIT
        ):
            return PartDelta(step, output, TextDelta(text + more))
    return None


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


def cut_short(told: Sequence[Event], failure: Failure | None, at: datetime) -> list[Event]:
    """The events that end a run which told these and no more: as failed, or without a failure as cancelled."""
    if told and isinstance(told[-1], End):
        return []
    if failure is None:
        return [*closing(told), End(Status.CANCELLED, None, at)]
    return [*closing(told), Failed(failure), End(Status.FAILED, None, at)]


class Journal:
    """All recordings of this process, and the way to any journal that is kept."""

    def __init__(self, store: InteractionStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._live: dict[str, Recording] = {}
        self._dirty: dict[str, Recording] = {}
        self._flusher: asyncio.Task[None] | None = None

    async def open(self, interaction: Interaction, events: Sequence[Event]) -> Recording:
        """Begin a recording with its first events. They are kept when this returns."""
        recording = Recording(interaction)
        recording.pending.extend(events)
        batch = recording.take()
        if interaction.turn.store:
            await self._store.create(interaction, batch)
        recording.publish()
        self._live[interaction.id] = recording
        return recording

    async def append(self, recording: Recording, event: Event) -> None:
        """Write down one more event. Waits when it is the last, and when the store is far behind.

        Raises:
            Internal: the store could not write.
        """
        if recording.broken is not None:
            raise recording.broken
        recording.add(event)
        if not recording.interaction.turn.store:
            await self._pass_on(recording)
            return
        self._dirty[recording.interaction.id] = recording
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_all(), name="journal flusher")
        if isinstance(event, End) or len(recording.pending) > PENDING_LIMIT:
            await self.settle(recording)

    async def settle(self, recording: Recording) -> None:
        """Wait until all that a run has told is written, or never will be."""
        while not recording.settled:
            await recording.changed()

    def live(self, id: str) -> Recording | None:
        """The recording of a run that goes on in this process."""
        return self._live.get(id)

    async def read(self, interaction: Interaction, after: int, *, idle: float) -> AsyncGenerator[Numbered, None]:
        """Events behind a position, in groups, up to the end of the run. An empty group means that nothing happened
        for `idle` seconds.

        Raises:
            OutOfRange: the journal never had that position.
        """
        recording = self._live.get(interaction.id)
        if recording is None:
            return _once(await self._read_kept(interaction, after))
        if after > len(recording.events):
            raise _out_of_range(after, len(recording.events))
        return follow(recording, after, idle=idle)

    async def close(self) -> None:
        """Wait until all that is gathered is written."""
        while self._flusher is not None:
            await asyncio.wait({self._flusher})

    async def _read_kept(self, interaction: Interaction, after: int) -> Numbered:
        """Of a run that has ended: as it was told, or as it would have been told."""
        kept = await self._store.events(interaction.id, max(after - 1, 0))
        if not kept:
            kept = [(i, event) for i, event in enumerate(replay(interaction), 1) if i >= after]
        if not kept:
            raise _out_of_range(after, None)
        return [(position, event) for position, event in kept if position > after]

    async def _pass_on(self, recording: Recording) -> None:
        """Tell what nobody keeps, and let its readers have a look at it."""
        recording.take()
        self._publish(recording)
        await asyncio.sleep(0)

    async def _flush_all(self) -> None:
        try:
            while self._dirty:
                await self._flush()
        finally:
            self._flusher = None

    async def _flush(self) -> None:
        """Write down what every recording has gathered, then tell it."""
        dirty, self._dirty = [recording for recording in self._dirty.values() if recording.pending], {}
        batches = [(recording, recording.take()) for recording in dirty]
        ending = [pair for pair in batches if isinstance(pair[1].events[-1], End)]
        going_on = [pair for pair in batches if not isinstance(pair[1].events[-1], End)]
        await asyncio.gather(self._extend(going_on), *(self._finish(*pair) for pair in ending))

    async def _extend(self, batches: Sequence[tuple[Recording, Batch]]) -> None:
        if not batches:
            return
        try:
            await self._store.append([batch for _, batch in batches])
        except Exception:
            log.exception("the store could not write events of %d runs", len(batches))
            await asyncio.gather(*(self._give_up(recording) for recording, _ in batches))
        else:
            for recording, _ in batches:
                self._publish(recording)

    async def _finish(self, recording: Recording, batch: Batch) -> None:
        try:
            whole = ended_as(recording.interaction, (*recording.events, *batch.events))
            ours = await self._store.finish(whole, batch)
        except Exception:
            log.exception("the store could not write the end of %s", recording.interaction.id)
            await self._give_up(recording)
        else:
            if ours:
                self._publish(recording)
            else:
                self._break_off(recording, Internal("this interaction was ended or deleted by someone else"))

    async def _give_up(self, recording: Recording) -> None:
        """The store would not take what a run told. Try to write down at least that it failed."""
        recording.broken = Internal(NOT_WRITTEN)
        recording.pending = cut_short(recording.events, Failure(Internal.code, NOT_WRITTEN), self._clock())
        batch = recording.take()
        try:
            ours = await self._store.finish(ended_as(recording.interaction, recording.told), batch)
        except Exception:
            log.exception("the store could not write that %s failed", recording.interaction.id)
            ours = False
        if ours:
            self._publish(recording)
        else:
            self._break_off(recording, recording.broken)

    def _publish(self, recording: Recording) -> None:
        recording.publish()
        if recording.ended:
            self._live.pop(recording.interaction.id, None)

    def _break_off(self, recording: Recording, error: Internal) -> None:
        recording.break_off(error)
        self._live.pop(recording.interaction.id, None)


async def follow(recording: Recording, after: int, *, idle: float) -> AsyncGenerator[Numbered, None]:
    """Events of a recording behind a position, in groups, as they are published. Empty: idle for so long.

    Raises:
        Internal: the run's end could not be written.
    """
    position = after
    while True:
        events = recording.events[position:]
        if events:
            yield list(enumerate(events, position + 1))
            position += len(events)
        elif recording.ended:
            if recording.broken is not None and not isinstance(recording.events[-1], End):
                raise recording.broken
            return
        else:
            try:
                async with asyncio.timeout(idle):
                    await recording.changed()
            except TimeoutError:
                yield ()


async def _once(group: Numbered) -> AsyncGenerator[Numbered, None]:
    if group:
        yield group


def _out_of_range(after: int, last: int | None) -> OutOfRange:
    known = "" if last is None else f"; its last event so far is '{last}'"
    return OutOfRange(f"last_event_id: this interaction has no event '{after}'{known}")
