"""What the outside asks of interactions: create, read, follow, cancel, delete. One method each.

A plain call that nobody follows is run to its end and written once. A streamed or a background call is a run with a
recording, which goes on when its reader leaves; with `store=false` it ends with its reader.
"""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime

from turnwise.domain.errors import InvalidRequest, NotFound
from turnwise.domain.events import Created, Event
from turnwise.domain.interaction import DialectName, Interaction, Turn
from turnwise.domain.steps import Step
from turnwise.engine.background import OPENING_PATIENCE, Runs, end_what_was_left
from turnwise.engine.calls import check_calls
from turnwise.engine.history import load_history
from turnwise.engine.journal import Journal, Numbered, Recording, ended_as, follow
from turnwise.engine.run import Surroundings, run
from turnwise.engine.schema import check_schema
from turnwise.engine.thoughts import Sealer
from turnwise.models.model import Catalogue
from turnwise.store.store import InteractionStore


class Interactions:
    """The one resource of the API."""

    def __init__(
        self,
        store: InteractionStore,
        catalogue: Catalogue,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        sealer: Sealer | None = None,
        idle: float = 15.0,
    ) -> None:
        """`new_id` makes a name that begins with what it is given. Without a `sealer`, thoughts can be sent back only
        as long as this object lives."""
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._new_id = new_id
        self._sealer = sealer or Sealer(os.urandom(32))
        self._idle = idle
        self._journal = Journal(store, clock)
        self._runs = Runs(self._journal, clock)

    async def recover(self) -> int:
        """End what the last process left in progress. Returns how many there were."""
        return await end_what_was_left(self._store, self._clock)

    async def create(self, turn: Turn, owner: str, dialect: DialectName) -> Interaction:
        """Run a turn to its end; or, in the background, begin it.

        Raises:
            TurnwiseError: it could not be run, and nothing was kept.
        """
        interaction = self._new(turn, owner, dialect)
        events = await self._run(turn, owner)
        if turn.background:
            return (await self._runs.start(interaction, events, patience=0)).snapshot()
        async with aclosing(events):
            told = [Created(), *[event async for event in events]]
        whole = ended_as(interaction, told)
        if turn.store:
            await self._store.create(whole)
        return whole

    async def begin(self, turn: Turn, owner: str, dialect: DialectName) -> Recording:
        """Begin a turn that someone will follow.

        Raises:
            TurnwiseError: it could not be begun, and nothing was kept.
        """
        events = await self._run(turn, owner)
        patience = 0 if turn.background else OPENING_PATIENCE
        return await self._runs.start(self._new(turn, owner, dialect), events, patience=patience)

    def follow(self, recording: Recording) -> AsyncGenerator[Numbered, None]:
        """The events of a turn that this caller began, in groups, to its end. An empty group is a sign of life.
        Whoever follows says so when it leaves."""
        return follow(recording, 0, idle=self._idle)

    async def leave(self, recording: Recording) -> None:
        """The caller that began this turn is gone. A turn that is not stored ends with it."""
        if not recording.interaction.turn.store:
            await self._runs.cancel(recording)

    async def get(self, id: str, owner: str) -> Interaction:
        """An interaction as it stands.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        recording = self._live(id, owner)
        if recording is not None:
            return recording.snapshot()
        interaction = await self._store.load(id, owner)
        if interaction is None:
            raise _unknown(id)
        return interaction

    async def read(self, interaction: Interaction, after: int) -> AsyncGenerator[Numbered, None]:
        """The events of an interaction behind a position, in groups, to its end. An empty group is a sign of life.

        Raises:
            OutOfRange: it never had that position.
        """
        return await self._journal.read(interaction, after, idle=self._idle)

    async def cancel(self, id: str, owner: str) -> Interaction:
        """Stop an interaction. One that has ended stays as it is.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        recording = self._live(id, owner)
        if recording is not None:
            await self._runs.cancel(recording)
        return await self.get(id, owner)

    async def delete(self, id: str, owner: str) -> None:
        """Remove an interaction for good. One that goes on is stopped first.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        await self.cancel(id, owner)
        if not await self._store.delete(id, owner):
            raise _unknown(id)

    async def close(self) -> None:
        """Stop all runs and write down what they told."""
        await self._runs.close()
        await self._journal.close()

    def _live(self, id: str, owner: str) -> Recording | None:
        """A run of this process that may be read by its id: one that is stored."""
        recording = self._journal.live(id)
        if recording is None or recording.interaction.owner != owner or not recording.interaction.turn.store:
            return None
        return recording

    def _new(self, turn: Turn, owner: str, dialect: DialectName) -> Interaction:
        now = self._clock()
        return Interaction(self._new_id("int_"), owner, turn, created=now, updated=now, dialect=dialect)

    async def _run(self, turn: Turn, owner: str) -> AsyncGenerator[Event, None]:
        if turn.model is None:
            raise InvalidRequest("name a model", field="model")
        model = self._catalogue.find(turn.model)
        _check_schemas(turn)
        history: tuple[Step, ...] = ()
        if turn.previous_interaction_id is not None:
            history = await load_history(self._store, turn.previous_interaction_id, owner)
        steps = self._sealer.opened(check_calls((*history, *turn.input)), owner)
        around = Surroundings(
            self._clock, lambda thought: self._sealer.seal(thought, owner), lambda: self._new_id("call_")
        )
        return run(turn, steps, model, around)


def _check_schemas(turn: Turn) -> None:
    """Refuse schemas that cannot be kept, before the model runs."""
    for index, tool in enumerate(turn.tools):
        field = f"tools[{index}].parameters"
        if tool.parameters:
            check_schema(tool.parameters, field)
        if tool.parameters.get("type", "object") != "object":
            raise InvalidRequest(
                f"a function's arguments are an object, not {tool.parameters['type']!r}; put the value into a property",
                field=field,
            )
    if turn.response_format is not None and turn.response_format.schema:
        check_schema(turn.response_format.schema, "response_format")


def _unknown(id: str) -> NotFound:
    return NotFound(f"there is no interaction '{id}'. It may have been deleted, or made with `store: false`")
