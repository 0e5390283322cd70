"""Runs that someone may read while they go on: their tasks, and what becomes of them.

A run is a task that writes a turn's events into a recording. It does not know who reads. What breaks it is written
down too: this is the one place where an error of any kind becomes the end of a run. What a killed process left behind
is ended at the next start.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from datetime import datetime

from turnwise.domain.errors import Internal, ModelUnavailable, TurnwiseError
from turnwise.domain.events import Created, End, Event, Failed, StatusUpdate, closing
from turnwise.domain.interaction import Failure, Interaction, Status
from turnwise.engine.journal import Journal, Recording, ended_as
from turnwise.store.store import Batch, InteractionStore

log = logging.getLogger("turnwise.run")

OPENING_PATIENCE = 2.0
"""Seconds that a client waits for the model to take the prompt. Within them a refusal is an ordinary error; after them
the stream opens all the same, since some clients give up on a server that sends no headers."""

OUR_FAULT = Failure(Internal.code, "turnwise failed in the middle of this turn; its log has the reason")
STOPPED = Failure(ModelUnavailable.code, "the server was stopped in the middle of this turn")

Clock = Callable[[], datetime]
Events = AsyncGenerator[Event, None]


class Runs:
    """The runs of this process."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelled: set[str] = set()

    async def start(self, interaction: Interaction, events: Events, *, patience: float) -> Recording:
        """Begin a run. Returns when its first events are kept: as soon as the model has taken the prompt, or after
        `patience` seconds.

        Raises:
            TurnwiseError: the model refused the prompt in that time. Nothing is kept.
        """
        opening = asyncio.ensure_future(anext(events))
        try:
            await asyncio.wait({opening}, timeout=patience)
            if opening.done():
                opening.result()
            recording = await self._journal.open(interaction, [Created(), StatusUpdate(Status.IN_PROGRESS)])
        except BaseException:
            opening.cancel()
            with suppress(BaseException):
                await opening
            await events.aclose()
            raise
        task = asyncio.create_task(self._write(recording, opening, events), name=f"run {interaction.id}")
        self._tasks[interaction.id] = task
        task.add_done_callback(lambda _: self._forget(interaction.id))
        return recording

    async def cancel(self, recording: Recording) -> None:
        """Stop a run, and wait until its end is written. A run that has just ended stays as it is."""
        id = recording.interaction.id
        task = self._tasks.get(id)
        if task is None:
            return
        self._cancelled.add(id)
        task.cancel()
        await asyncio.wait({task})

    async def close(self) -> None:
        """Stop all runs. What they wrote is kept; they end as failed, with the reason."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _forget(self, id: str) -> None:
        self._tasks.pop(id, None)
        self._cancelled.discard(id)

    async def _write(self, recording: Recording, opening: asyncio.Future[Event], events: Events) -> None:
        try:
            async with aclosing(events):
                await opening
                async for event in events:
                    await self._journal.append(recording, event)
        except asyncio.CancelledError:
            await self._end(recording, self._why_stopped(recording))
        except TurnwiseError as error:
            await self._end(recording, Failure(error.code, error.message))
        except Exception:
            log.exception("the run %s broke", recording.interaction.id)
            await self._end(recording, OUR_FAULT)

    def _why_stopped(self, recording: Recording) -> Failure | None:
        if recording.interaction.id in self._cancelled:
            return None
        return STOPPED

    async def _end(self, recording: Recording, failure: Failure | None) -> None:
        """Write the end of a run that was cut short: as failed, or without a failure as cancelled."""
        written = [*recording.events, *recording.pending]
        with suppress(Internal):  # the store is broken: readers were told already
            for event in _cut_short(written, failure, self._clock()):
                await self._journal.append(recording, event)


def _cut_short(events: list[Event], failure: Failure | None, at: datetime) -> list[Event]:
    if events and isinstance(events[-1], End):
        return []
    if failure is None:
        return [*closing(events), End(Status.CANCELLED, None, at)]
    return [*closing(events), Failed(failure), End(Status.FAILED, None, at)]


async def end_what_was_left(store: InteractionStore, clock: Clock) -> int:
    """End the runs that the last process left in progress, as failed. Returns how many there were."""
    left = await store.unfinished()
    for interaction in left:
        kept = [event for _, event in await store.events(interaction.id, 0)]
        ends = _cut_short(kept, STOPPED, clock())
        whole = ended_as(interaction, [*kept, *ends])
        await store.finish(whole, Batch(interaction.id, len(kept) + 1, tuple(ends)))
    return len(left)
