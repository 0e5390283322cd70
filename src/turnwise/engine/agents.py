"""Agents that owners define for themselves, and who works on a request that names an agent.

A saved agent is an agent of the server with an instruction, tools and settings. A request that names one is as if it
had said these itself; what it does say counts in their place. So an interaction depends on no saved agent once it has
begun: that may be deleted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from turnwise.agents.agent import Agents, Hired
from turnwise.domain.agents import SavedAgent
from turnwise.domain.content import JSON
from turnwise.domain.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    Unimplemented,
)
from turnwise.domain.interaction import Turn
from turnwise.domain.tools import ComputerUse, FunctionTool, McpServer, Tool
from turnwise.engine.pages import read_token, write_token
from turnwise.engine.thoughts import Sealer, Secret
from turnwise.store.store import Resource, ResourceStore

KIND = "agent"
"""As what the store has them."""

MOST = 1000
"""How many agents an owner may have, as the original service has it."""

NAMED = 20
"""How many of an owner's agents are named to who asks for one that there is not."""

ParseTools = Callable[[Sequence[Mapping[str, JSON]] | None], tuple[Tool, ...]]
"""Reads tools as requests declare them."""


@dataclass(frozen=True, slots=True)
class Engaged:
    """Who works on a request, and on what."""

    turn: Turn
    """The request, with what its saved agent says filled in. This is what is kept."""
    agent: str
    """The name under which the server has the agent, to be kept as long as the work goes on: see `again`."""
    hired: Hired


class SavedAgents:
    """The agents of owners, and of the server."""

    def __init__(
        self,
        store: ResourceStore,
        agents: Agents,
        *,
        clock: Callable[[], datetime],
        sealer: Sealer,
        parse_tools: ParseTools,
    ) -> None:
        """`agents` are those of the server. `sealer` hides the headers of MCP servers."""
        self._store = store
        self._agents = agents
        self._clock = clock
        self._sealer = sealer
        self._parse_tools = parse_tools

    # -- those that are saved

    async def create(self, agent: SavedAgent, owner: str) -> SavedAgent:
        """Keep a new one.

        Raises:
            InvalidRequest: its base is no agent of the server, or that cannot take its settings.
            Unimplemented: an agent cannot use one of its tools.
            AlreadyExists: its id is that of another one.
            FailedPrecondition: the owner has as many as may be.
        """
        if agent.base_agent not in self._agents.names():
            known = ", ".join(self._agents.names())
            raise InvalidRequest(f"there is no agent '{agent.base_agent}'; one of {known}", field="base_agent")
        if agent.id in self._agents.names():
            raise AlreadyExists(f"the server itself has an agent '{agent.id}'; choose another name", field="id")
        self._agents.find(agent.base_agent).agent.check(agent.agent_config)
        _check_tools(self._parse_tools(agent.tools))
        now = self._clock()
        kept = await self._store.add_resource(Resource(KIND, agent.id, owner, now, now, self._body(agent, owner)), MOST)
        if kept == "taken":
            raise AlreadyExists(
                f"you have an agent '{agent.id}' already; delete it first, or choose another name", field="id"
            )
        if kept == "full":
            raise FailedPrecondition(f"you have {MOST} agents, which is as many as there may be; delete some")
        return agent

    async def get(self, id: str, owner: str) -> SavedAgent:
        """One of them.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        agent = await self._find(id, owner)
        if agent is None:
            raise _unknown(id)
        return agent

    async def list(self, owner: str, size: int, token: str | None) -> tuple[Sequence[SavedAgent], str | None]:
        """An owner's, oldest first: at most so many behind the page that `token` ended, and the token that ends this
        one, if there are more.

        Raises:
            InvalidRequest: the token is none of ours.
        """
        after = read_token(token, "page_token") if token else None
        found = await self._store.resources(KIND, owner, size + 1, after)
        page = found[:size]
        more = write_token((page[-1].created, page[-1].id)) if len(found) > size else None
        return [self._read(resource) for resource in page], more

    async def delete(self, id: str, owner: str) -> None:
        """Remove one for good. What it works on goes on.

        Raises:
            NotFound: there is none with this id for this owner.
        """
        if not await self._store.delete_resource(KIND, id, owner):
            raise _unknown(id)

    # -- those who work

    async def engage(self, turn: Turn, owner: str) -> Engaged:
        """Who works on this request.

        Raises:
            ModelNotFound: there is no agent of this name.
            InvalidRequest: it cannot take its settings.
            Unimplemented: an agent cannot use one of the tools, or cannot do what its settings ask for.
        """
        assert turn.agent is not None
        name = turn.agent
        saved = None if name in self._agents.names() else await self._find(name, owner)
        if saved is not None:
            name, turn = saved.base_agent, self._filled_in(turn, saved)
        hired = await self._hire(name, owner)
        hired.agent.check(turn.agent_config)
        _check_tools(turn.tools)
        return Engaged(turn, name, hired)

    def again(self, agent: str) -> Hired:
        """Who goes on with work that was begun, by the name that `engage` gave.

        Raises:
            ModelNotFound: the server does not have that agent any more.
        """
        return self._agents.find(agent)

    def is_agent(self, name: str) -> bool:
        """Whether the server has an agent of this name."""
        return name in self._agents.names()

    async def _hire(self, name: str, owner: str) -> Hired:
        try:
            return self._agents.find(name)
        except ModelNotFound as error:
            saved = [resource.id for resource in await self._store.resources(KIND, owner, NAMED)]
            if not saved:
                raise
            raise ModelNotFound(f"{error.message}; and you have saved: {', '.join(map(repr, saved))}") from None

    def _filled_in(self, turn: Turn, saved: SavedAgent) -> Turn:
        """A request with what a saved agent says wherever it says nothing itself."""
        return replace(
            turn,
            system_instruction=turn.system_instruction or saved.system_instruction,
            tools=turn.tools or self._parse_tools(saved.tools),
            agent_config={**saved.agent_config, **turn.agent_config},
        )

    # -- as they are kept

    async def _find(self, id: str, owner: str) -> SavedAgent | None:
        resource = await self._store.resource(KIND, id, owner)
        return None if resource is None else self._read(resource)

    def _body(self, agent: SavedAgent, owner: str) -> dict[str, JSON]:
        """What is kept of an agent, with the headers of its MCP servers sealed."""
        tools = [
            {**tool, "headers": self._sealer.seal(Secret(told=tool["headers"]), owner)} if tool.get("headers") else tool
            for tool in agent.tools
        ]
        return {
            "base_agent": agent.base_agent,
            "description": agent.description,
            "system_instruction": agent.system_instruction,
            "tools": tools,
            "agent_config": dict(agent.agent_config),
        }

    def _read(self, resource: Resource) -> SavedAgent:
        body = cast(dict[str, Any], dict(resource.body))
        tools = tuple(self._opened(tool, resource.owner) for tool in body.pop("tools"))
        return SavedAgent(resource.id, tools=tools, **body)

    def _opened(self, tool: Mapping[str, JSON], owner: str) -> Mapping[str, JSON]:
        sealed = tool.get("headers")
        if not isinstance(sealed, str):
            return tool
        secret = self._sealer.open(sealed, owner)
        if secret is None:  # another server's key sealed them: the MCP server says what it misses
            return {name: value for name, value in tool.items() if name != "headers"}
        return {**tool, "headers": secret.told}


def _check_tools(tools: Sequence[Tool]) -> None:
    """Refuse what an agent cannot have: it is in nobody's hands while it works."""
    for index, tool in enumerate(tools):
        if isinstance(tool, FunctionTool | ComputerUse):
            raise Unimplemented(
                f"tools[{index}].type: an agent works alone, and nobody runs a '{tool.type}' for it; leave it out, or "
                "give it as a tool of an MCP server"
            )
        if isinstance(tool, McpServer) and any(choice.mode == "any" for choice in tool.allowed_tools):
            raise Unimplemented(
                f"tools[{index}].allowed_tools: an agent cannot be made to call a tool; leave the mode 'any' out"
            )


def _unknown(id: str) -> NotFound:
    return NotFound(f"there is no saved agent '{id}'")
