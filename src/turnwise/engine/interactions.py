"""What the outside asks of interactions: create, read, follow, cancel, delete. One method each.

A plain call that nobody follows is run to its end and written once. A streamed or a background call is a run with a
recording, which goes on when its reader leaves, and when its process dies; with `store=false` it ends with its reader.
Whichever process carries a run, all of this can be asked of any other that has the same store.
"""

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import uuid4

from turnwise.agents.agent import Hired, Task
from turnwise.domain.errors import InvalidRequest, NotComplied, NotFound, TurnwiseError
from turnwise.domain.events import Created, Event, StepStart
from turnwise.domain.formats import Modality
from turnwise.domain.interaction import DialectName, Failure, Interaction, Turn
from turnwise.domain.steps import Step, ToolResult
from turnwise.domain.tools import FunctionTool
from turnwise.engine.agency import work
from turnwise.engine.agents import Engaged
from turnwise.engine.background import ALONE, OPENING_PATIENCE, Carrying, Runs
from turnwise.engine.baggage import pack, unpack
from turnwise.engine.calls import check_calls
from turnwise.engine.delivery import Delivering
from turnwise.engine.files import Files
from turnwise.engine.history import load_history
from turnwise.engine.journal import Journal, Recording, Take, cut_short, ended_as
from turnwise.engine.presenting import Presenter
from turnwise.engine.run import run
from turnwise.engine.schema import check_schema
from turnwise.engine.surroundings import Limits, Surroundings
from turnwise.engine.tailing import Numbered
from turnwise.engine.thoughts import Sealer
from turnwise.engine.toolset import as_functions
from turnwise.models.model import Catalogue
from turnwise.store.store import Lease, Notice, Run, Store
from turnwise.tools.tool import Toolbox


class Workers(Protocol):
    """Who works on interactions that name an agent. `engine/agents.py` has them."""

    async def engage(self, turn: Turn, owner: str) -> Engaged:
        """Who works on this request."""

    def again(self, agent: str) -> Hired:
        """Who goes on with work that was begun."""

    def is_agent(self, name: str) -> bool:
        """Whether the server has an agent of this name."""


class Told(Protocol):
    """What the outside is told of interactions. `engine/webhooks.py` does it."""

    def check(self, turn: Turn) -> None:
        """Whether the addresses of a request can be told."""

    async def notices(self, interaction: Interaction) -> Sequence[Notice]:
        """What is to be told of an interaction that ends like this."""


class Nobody:
    """Nobody outside is told of anything."""

    def check(self, turn: Turn) -> None:
        pass

    async def notices(self, interaction: Interaction) -> Sequence[Notice]:
        return ()


class Interactions:
    """The one resource of the API."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        presenter: Presenter,
        files: Files,
        toolbox: Toolbox,
        limits: Limits | None = None,
        sealer: Sealer | None = None,
        inline_bytes: int = 20 * 1024 * 1024,
        idle: float = 15.0,
        agents: Workers,
        webhooks: Told | None = None,
        carrying: Carrying | None = None,
    ) -> None:
        """`new_id` makes a name that begins with what it is given. Without a `sealer`, thoughts can be sent back only
        as long as this object lives. Media that a model makes are `data` up to `inline_bytes`."""
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._new_id = new_id
        self._sealer = sealer or Sealer(os.urandom(32))
        self._presenter = presenter
        self._files = files
        self._toolbox = toolbox
        self._limits = limits or Limits()
        self._inline_bytes = inline_bytes
        self._idle = idle
        self._agents = agents
        self._webhooks = webhooks or Nobody()
        self._journal = Journal(store, clock, self._webhooks.notices)
        carrying = carrying or Carrying(Lease(uuid4().hex, ALONE))
        self._is_alone = carrying.lease.seconds == ALONE
        self._runs = Runs(store, self._journal, clock, carrying, self._resume)

    async def open(self, *, alone: bool = True) -> None:
        """Begin to carry runs, and go on with those that were left. `alone`: no other process can be carrying any."""
        await self._runs.open(alone=alone)

    async def create(self, turn: Turn, owner: str, dialect: DialectName, *, base_url: str = "") -> Interaction:
        """Run a turn to its end; or, in the background, begin it. `base_url` is where the caller reaches this server.

        Raises:
            TurnwiseError: it could not be run, and nothing was kept.
        """
        interaction, agent = await self._new(turn, owner, dialect)
        events = await self._events(interaction, base_url, agent)
        if turn.background:
            await events.aclose()  # it could be begun, which is all that its caller waits for
            return (await self._runs.submit(interaction, self._baggage(interaction, base_url, agent))).snapshot()
        told: list[Event] = [Created()]
        try:
            async with aclosing(events):
                async for event in events:
                    told.append(event)
        except TurnwiseError as error:
            if not (isinstance(error, NotComplied) or _has_acted(told)):
                raise
            told += cut_short(told, Failure(error.code, error.message), self._clock())
        whole = ended_as(interaction, told)
        if turn.store:
            await self._store.create(whole, notices=await self._webhooks.notices(whole))
        return whole

    async def begin(self, turn: Turn, owner: str, dialect: DialectName, *, base_url: str = "") -> Recording:
        """Begin a turn that someone will follow.

        Raises:
            TurnwiseError: it could not be begun, and nothing was kept.
        """
        interaction, agent = await self._new(turn, owner, dialect)
        events = await self._events(interaction, base_url, agent)
        baggage = self._baggage(interaction, base_url, agent)
        if turn.background:
            await events.aclose()
            return await self._runs.submit(interaction, baggage)
        return await self._runs.start(interaction, events, baggage, patience=OPENING_PATIENCE)

    def follow(self, recording: Recording, take: Take | None = None) -> AsyncGenerator[Numbered, None]:
        """The events of a turn that this caller began, in groups, to its end. An empty group is a sign of life.
        Whoever follows says so when it leaves. `take`: see `Journal.follow`."""
        return self._journal.follow(recording, 0, idle=self._idle, take=take)

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
        if recording is not None and self._is_alone:
            return recording.snapshot()
        interaction = await self._store.load(id, owner)
        if interaction is None:
            raise _unknown(id)
        if interaction.status.is_terminal:  # another process may have ended what is still carried here
            return interaction
        if recording is not None:
            return recording.snapshot()
        return ended_as(interaction, [event for _, event in await self._store.events(id, 0)])

    async def read(
        self, interaction: Interaction, after: int, take: Take | None = None
    ) -> AsyncGenerator[Numbered, None]:
        """The events of an interaction behind a position, in groups, to its end. An empty group is a sign of life.
        `take`: see `Journal.follow`.

        Raises:
            OutOfRange: it never had that position.
        """
        return await self._journal.read(interaction, after, idle=self._idle, take=take)

    async def cancel(self, id: str, owner: str) -> Interaction:
        """Stop an interaction. One that has ended stays as it is.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        recording = self._live(id, owner)
        if recording is not None:
            await self._runs.cancel(recording)
        if recording is None or recording.is_lost:
            await self._runs.cancel_elsewhere(id, owner)
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
        """Let go of all runs, and write down what they told."""
        await self._runs.close()
        await self._journal.close()

    def _live(self, id: str, owner: str) -> Recording | None:
        """A run of this process that may be read by its id: one that is stored."""
        recording = self._journal.live(id)
        if recording is None or recording.interaction.owner != owner or not recording.interaction.turn.store:
            return None
        return recording

    async def _new(self, turn: Turn, owner: str, dialect: DialectName) -> tuple[Interaction, str | None]:
        """A new interaction, with what a saved agent fills in, and the server's name of its agent."""
        self._webhooks.check(turn)
        self._check_model(turn)
        agent = None
        if turn.agent is not None:
            engaged = await self._agents.engage(turn, owner)
            turn, agent = engaged.turn, engaged.agent
        now = self._clock()
        return Interaction(self._new_id("int_"), owner, turn, created=now, updated=now, dialect=dialect), agent

    def _check_model(self, turn: Turn) -> None:
        """Refuse an agent's name as a model's, which `"*"` would answer to."""
        name = turn.model
        if name is None or not self._agents.is_agent(name) or name in dict(self._catalogue.names()):
            return
        raise InvalidRequest(f"'{name}' is an agent; name it as `agent`", field="model")

    async def _events(
        self, interaction: Interaction, base_url: str, agent: str | None, told: Sequence[Event] = ()
    ) -> AsyncGenerator[Event, None]:
        """The events of an interaction, behind those that were told of it."""
        turn, owner = interaction.turn, interaction.owner
        around = self._around(interaction, base_url)
        _check_schemas(turn)
        history: tuple[Step, ...] = ()
        if turn.previous_interaction_id is not None:
            history = await load_history(self._store, turn.previous_interaction_id, owner)
        if turn.model is not None:
            model = self._catalogue.find(turn.model, _modalities(turn))
            return run(turn, check_calls(self._seen((*history, *turn.input), owner)), model, around, told)
        assert agent is not None
        hired = self._agents.again(agent)
        task = Task(
            input=self._seen(turn.input, owner),
            history=self._seen(history, owner),
            instruction=turn.system_instruction,
            config=turn.agent_config,
        )
        return work(turn, hired, task, around, self._catalogue, told=told)

    def _seen(self, steps: Sequence[Step], owner: str) -> tuple[Step, ...]:
        """Steps as a model sees them: with their signatures open, and calls of tools as function calls."""
        return as_functions(self._sealer.opened(steps, owner))

    async def _resume(self, claimed: Run, told: Sequence[Event]) -> AsyncGenerator[Event, None]:
        """The events of a run that was begun, in this process or in another one."""
        interaction = claimed.interaction
        baggage = unpack(interaction.turn, claimed.baggage, interaction.owner, self._sealer)
        return await self._events(replace(interaction, turn=baggage.turn), baggage.base_url, baggage.agent, told)

    def _baggage(self, interaction: Interaction, base_url: str, agent: str | None) -> bytes:
        """What is kept beside an interaction until it has ended."""
        turn, owner = interaction.turn, interaction.owner
        makes_files = any(modality != "text" for modality in _modalities(turn))
        seal = partial(self._sealer.seal, owner=owner)
        return pack(turn, base_url, agent, makes_files=makes_files, seal=seal)

    def _around(self, interaction: Interaction, base_url: str) -> Surroundings:
        turn, owner = interaction.turn, interaction.owner

        async def keep(data: bytes, mime_type: str, name: str = "") -> str:
            file = await self._files.keep(owner, data, mime_type, display_name=name)
            return f"{base_url}/v1beta/files/{file.id}"

        return Surroundings(
            clock=self._clock,
            seal=lambda secret: self._sealer.seal(secret, owner),
            opened=lambda steps: self._sealer.opened(steps, owner),
            new_call_id=lambda: self._new_id("call_"),
            present=lambda steps, card: self._presenter.present(steps, len(turn.input), card, owner),
            delivering=Delivering(keep, self._inline_bytes),
            toolbox=self._toolbox,
            owner=owner,
            limits=self._limits,
            began=interaction.created,
        )


def _has_acted(told: Sequence[Event]) -> bool:
    """Whether a tool has done its work. Clients repeat what ends in an error, and it would be done again."""
    return any(isinstance(event, StepStart) and isinstance(event.skeleton, ToolResult) for event in told)


def _modalities(turn: Turn) -> Sequence[Modality]:
    """What the answer is asked to consist of. Who says how images are to look, or who is to speak, asks for these."""
    if turn.response_modalities:
        return turn.response_modalities
    if turn.image is not None:
        return ("image",)
    return ("audio",) if turn.voices or turn.audio is not None else ()


def _check_schemas(turn: Turn) -> None:
    """Refuse schemas that cannot be kept, before the model runs."""
    for index, tool in enumerate(turn.tools):
        field = f"tools[{index}].parameters"
        if not isinstance(tool, FunctionTool):
            continue
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
