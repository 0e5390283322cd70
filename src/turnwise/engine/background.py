"""Runs that someone may read while they go on: their tasks, and what becomes of them.

A run is a task that tells a turn's events to a recording. It does not know who reads. A second task waits for it and
sees to its end, whatever the first one came to: this is the one place where an error of any kind becomes the end of a
run. Only the first is ever cancelled, so an end that is being written is written. What a killed process left behind is
ended at the next start.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime

from turnwise.domain.errors import Internal, ModelUnavailable, TurnwiseError
from turnwise.domain.events import Created, Event, StatusUpdate
from turnwise.domain.interaction import Failure, Interaction, Status
from turnwise.engine.journal import Journal, Recording, cut_short, ended_as
from turnwise.store.store import Batch, InteractionStore

log = logging.getLogger("turnwise.run")

OPENING_PATIENCE = 2.0
"""Seconds that a client waits for the model to take the prompt. Within them a refusal is an ordinary error; after them
the stream opens all the same, since some clients give up on a server that sends no headers."""

OUR_FAULT = Failure(Internal.code, "turnwise failed in the middle of this turn; its log has the reason")
STOPPED = Failure(ModelUnavailable.code, "the server was stopped in the middle of this turn")

Clock = Callable[[], datetime]
Events = AsyncGenerator[Event, None]


@dataclass(slots=True)
class _Run:
    """A run that goes on."""

    telling: asyncio.Task[None]
    """Tells the events. Cancelling it stops the run, at any time and any number of times."""
    whole: asyncio.Task[None]
    """Done when the end is written."""
    cancelled: bool = False
    """Whether a client asked for the end."""


class Runs:
    """The runs of this process."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._closed = False

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
            if self._closed:
                raise ModelUnavailable("the server is being stopped; try again in a moment")
            recording = await self._journal.open(interaction, [Created(), StatusUpdate(Status.IN_PROGRESS)])
        except BaseException:
            await _leave(opening, events)
            raise
        id = interaction.id
        telling = asyncio.create_task(self._tell(recording, opening, events), name=f"run {id}")
        whole = asyncio.create_task(self._see_through(recording, opening, events), name=f"end of run {id}")
        self._runs[id] = _Run(telling, whole)
        whole.add_done_callback(lambda _: self._runs.pop(id))
        if self._closed:
            telling.cancel()
        return recording

    async def cancel(self, recording: Recording) -> None:
        """Stop a run, and wait until its end is written. A run that has just ended stays as it is."""
        run = self._runs.get(recording.interaction.id)
        if run is None:
            return
        run.cancelled = True
        run.telling.cancel()
        await asyncio.wait({run.whole})

    async def close(self) -> None:
        """Stop all runs, and begin no more. What they wrote is kept; they end as failed, with the reason."""
        self._closed = True
        runs = list(self._runs.values())
        for run in runs:
            run.telling.cancel()
        if runs:
            await asyncio.wait({run.whole for run in runs})

    async def _tell(self, recording: Recording, opening: asyncio.Future[Event], events: Events) -> None:
        await opening
        async for event in events:
            await self._journal.append(recording, event)

    async def _see_through(self, recording: Recording, opening: asyncio.Future[Event], events: Events) -> None:
        run = self._runs[recording.interaction.id]
        await asyncio.wait({run.telling})
        await _leave(opening, events)
        failure = _why(run, recording.interaction.id)
        try:
            for event in cut_short(recording.told, failure, self._clock()):
                await self._journal.append(recording, event)
        except Internal:
            pass  # the store broke: the journal ends the run as it can
        await self._journal.settle(recording)


def _why(run: _Run, id: str) -> Failure | None:
    """Why a run has stopped, if it did before its end. None: a client asked for it."""
    if run.telling.cancelled():
        return None if run.cancelled else STOPPED
    error = run.telling.exception()
    if isinstance(error, TurnwiseError):
        return Failure(error.code, error.message)
    if error is not None:
        log.error("the run %s broke", id, exc_info=error)
    return OUR_FAULT


async def _leave(opening: asyncio.Future[Event], events: Events) -> None:
    """Let go of a turn's events, wherever they are."""
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    try:
        await events.aclose()
    except Exception:
        log.exception("a model broke while it was being left")


async def end_what_was_left(store: InteractionStore, clock: Clock) -> int:
    """End the runs that the last process left in progress, as failed. Returns how many there were."""
    left = await store.unfinished()
    for interaction in left:
        kept = [event for _, event in await store.events(interaction.id, 0)]
        ends = cut_short(kept, STOPPED, clock())
        whole = ended_as(interaction, [*kept, *ends])
        await store.finish(whole, Batch(interaction.id, len(kept) + 1, tuple(ends)))
    return len(left)
