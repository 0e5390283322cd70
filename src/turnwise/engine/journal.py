"""The journal: events are written down first, then told.

A run's writer appends events to its Recording. One flusher for the whole process takes what every recording has
gathered and writes it to the store in one transaction, again and again: while one transaction is under way the next
one gathers, so the busier the process, the larger the groups, and an idle one writes at once. Only what is written is
shown to readers. So a position, once seen, is there for good, and a reader may leave and come back at any time: to the
recording while the run goes on, to the store for ever after.

The writer owns the run; readers come and go. Nothing that a reader does, or fails to do, is felt by the writer.

Text that comes faster than it is written is joined into one event before it gets its position. A run with
`store=false` has a recording without a store: the same reading, nothing kept.
"""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress

from turnwise.domain.errors import Internal, OutOfRange
from turnwise.domain.events import End, Event, PartDelta, TextDelta, fold, replay
from turnwise.domain.interaction import Interaction
from turnwise.store.store import Batch, InteractionStore

log = logging.getLogger("turnwise.journal")

PENDING_LIMIT = 256
"""Events that a recording gathers before its writer has to wait for the store."""


class Recording:
    """The events of one run as they are written. `events` are those that any reader may see."""

    def __init__(self, interaction: Interaction) -> None:
        self.interaction = interaction
        """As it was created; the outcome is `fold(events)`."""
        self.events: list[Event] = []
        self.ended = False
        """Whether no more events will come. The last one is End, unless the store broke."""
        self.broken: Internal | None = None
        self.pending: list[Event] = []
        self._changed: asyncio.Future[None] | None = None

    def add(self, event: Event) -> None:
        """Gather an event for the next flush, joined to the text that waits there already."""
        if self.pending and isinstance(event, PartDelta) and isinstance(event.delta, TextDelta):
            last = self.pending[-1]
            if isinstance(last, PartDelta) and isinstance(last.delta, TextDelta) and last.output == event.output:
                joined = TextDelta(last.delta.text + event.delta.text)
                self.pending[-1] = PartDelta(event.step, event.output, joined)
                return
        self.pending.append(event)

    def take(self) -> Batch:
        """What was gathered, with its place in the journal."""
        events, self.pending = tuple(self.pending), []
        return Batch(self.interaction.id, len(self.events) + 1, events)

    def publish(self, events: Iterable[Event], *, broken: Internal | None = None) -> None:
        """Show events that are written to every reader."""
        self.events.extend(events)
        self.broken = broken
        self.ended = broken is not None or (bool(self.events) and isinstance(self.events[-1], End))
        if self._changed is not None:
            self._changed.set_result(None)
            self._changed = None

    async def changed(self) -> None:
        """Wait until more was published."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    def snapshot(self) -> Interaction:
        """The interaction as far as its events tell it."""
        return ended_as(self.interaction, self.events)


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


class Journal:
    """All recordings of this process, and the way to any journal that is kept."""

    def __init__(self, store: InteractionStore) -> None:
        self._store = store
        self._live: dict[str, Recording] = {}
        self._dirty: dict[str, Recording] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Condition()
        self._flusher: asyncio.Task[None] | None = None

    async def open(self, interaction: Interaction, events: Sequence[Event]) -> Recording:
        """Begin a recording with its first events. They are kept when this returns."""
        recording = Recording(interaction)
        self._live[interaction.id] = recording
        try:
            if interaction.turn.store:
                await self._store.create(interaction, Batch(interaction.id, 1, tuple(events)))
        except BaseException:
            del self._live[interaction.id]
            raise
        recording.publish(events)
        return recording

    async def append(self, recording: Recording, event: Event) -> None:
        """Write down one more event. Waits only when the store is far behind.

        Raises:
            Internal: the store could not write.
        """
        if recording.broken is not None:
            raise recording.broken
        recording.add(event)
        self._dirty[recording.interaction.id] = recording
        self._wake.set()
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_for_ever(), name="journal flusher")
        if isinstance(event, End) or len(recording.pending) > PENDING_LIMIT:
            await self._written(recording)

    def live(self, id: str) -> Recording | None:
        """The recording of a run that goes on in this process."""
        return self._live.get(id)

    async def read(
        self, interaction: Interaction, after: int, *, idle: float
    ) -> AsyncIterator[Sequence[tuple[int, Event]]]:
        """Events behind a position, in groups, up to the end of the run. An empty group means that nothing happened
        for `idle` seconds.

        Raises:
            OutOfRange: the journal never had that position.
        """
        recording = self._live.get(interaction.id)
        if recording is None:
            yield await self._read_kept(interaction, after)
            return
        if after > len(recording.events):
            raise _out_of_range(after, len(recording.events))
        async for group in follow(recording, after, idle=idle):
            yield group

    async def close(self) -> None:
        """Write down what is gathered, and stop."""
        while self._dirty:
            await self._flush()
        if self._flusher is not None:
            self._flusher.cancel()
            with suppress(asyncio.CancelledError):
                await self._flusher

    async def _read_kept(self, interaction: Interaction, after: int) -> Sequence[tuple[int, Event]]:
        """Of a run that has ended: as it was told, or as it would have been told."""
        kept = await self._store.events(interaction.id, max(after - 1, 0))
        if not kept:
            kept = [(i, event) for i, event in enumerate(replay(interaction), 1) if i >= after]
        if not kept:
            raise _out_of_range(after, None)
        return [(position, event) for position, event in kept if position > after]

    async def _written(self, recording: Recording) -> None:
        async with self._room:
            await self._room.wait_for(lambda: not recording.pending or recording.ended)

    async def _flush_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._flush()

    async def _flush(self) -> None:
        """Write down what every recording has gathered, then tell it."""
        dirty, self._dirty = list(self._dirty.values()), {}
        batches = [(recording, recording.take()) for recording in dirty]
        try:
            await self._write([pair for pair in batches if pair[0].interaction.turn.store])
        except Exception:
            log.exception("the store could not write")
            error = Internal("turnwise could not write down this turn; its log has the reason")
            for recording, _ in batches:
                recording.publish((), broken=error)
        else:
            for recording, batch in batches:
                recording.publish(batch.events)
        for recording, _ in batches:
            if recording.ended:
                self._live.pop(recording.interaction.id, None)
        async with self._room:
            self._room.notify_all()

    async def _write(self, batches: Sequence[tuple[Recording, Batch]]) -> None:
        ended = [pair for pair in batches if isinstance(pair[1].events[-1], End)]
        going_on = [batch for _, batch in batches if not isinstance(batch.events[-1], End)]
        if going_on:
            await self._store.append(going_on)
        for recording, batch in ended:
            whole = ended_as(recording.interaction, (*recording.events, *batch.events))
            await self._store.finish(whole, batch)


async def follow(recording: Recording, after: int, *, idle: float) -> AsyncIterator[Sequence[tuple[int, Event]]]:
    """Events of a recording behind a position, in groups, as they are published. Empty: idle for so long."""
    position = after
    while True:
        events = recording.events[position:]
        if events:
            yield list(enumerate(events, position + 1))
            position += len(events)
        elif recording.broken is not None:
            raise recording.broken
        elif recording.ended:
            return
        else:
            try:
                async with asyncio.timeout(idle):
                    await recording.changed()
            except TimeoutError:
                yield ()


def _out_of_range(after: int, last: int | None) -> OutOfRange:
    known = "" if last is None else f"; its last event so far is '{last}'"
    return OutOfRange(f"last_event_id: this interaction has no event '{after}'{known}")
