"""Saved agents as the API has them: what a client says of one, and what it reads."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired

from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from turnwise.domain.agents import SavedAgent
from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.wire.invalid import explain, shown
from turnwise.wire.request import Body
from turnwise.wire.tools import parse_tools

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")

RESERVED = (
    *("antigravity-", "veo-", "omni-", "lyria-", "imagen-", "gemma-", "gemini-", "google-", "youtube-", "android-"),
    *("chrome-", "pixel-", "waze-", "fitbit-", "nest-", "kaggle-"),
)
"""How no saved agent's name begins, in either case of letters, as the original service has it."""


class AgentBody(Body):
    """An agent that is to be saved."""

    id: str
    """What requests name it by: letters, digits, '_' and '-', 63 at the most."""
    base_agent: Annotated[str, Field(min_length=1)]
    """The agent of the server that does the work."""
    description: Annotated[str, Field(max_length=4096)] | None = None
    """What it is for."""
    system_instruction: str | None = None
    """What it is told about its part, when a request does not say."""
    tools: list[dict[str, Any]] | None = None
    """What it may use, when a request does not say."""
    agent_config: dict[str, Any] | None = None
    """How it is to work. Where a request says otherwise, that counts."""
    base_environment: Any = None
    """The machine on which it works."""


class Agent(TypedDict):
    """An agent that was saved. Headers of MCP servers are not shown."""

    id: str
    base_agent: str
    description: NotRequired[str]
    system_instruction: NotRequired[str]
    tools: NotRequired[list[dict[str, Any]]]
    agent_config: NotRequired[dict[str, Any]]


class AgentPage(TypedDict):
    """A page of saved agents, oldest first. Without any, `agents` is left out."""

    agents: NotRequired[list[Agent]]
    next_page_token: NotRequired[str]
    """For the next page; left out on the last."""


def parse_agent(body: JSON) -> SavedAgent:
    """An agent that is to be saved.

    Raises:
        InvalidRequest: a field is missing, unknown, of a wrong type or value; the message names it.
        Unimplemented: a field whose promise turnwise cannot keep; the message names it.
    """
    if not isinstance(body, dict):
        raise InvalidRequest(f"the body must be a JSON object, not {shown(body)}")
    try:
        said = AgentBody.model_validate(body)
    except ValidationError as error:
        raise explain(error, AgentBody) from None
    if said.base_environment not in (None, {}, ""):
        raise Unimplemented("base_environment: turnwise gives an agent no machine of its own; leave it out")
    _check_name(said.id)
    parse_tools(said.tools)
    return SavedAgent(
        said.id,
        said.base_agent,
        said.description or None,
        said.system_instruction or None,
        tuple(said.tools or ()),
        said.agent_config or {},
    )


def _check_name(id: str) -> None:
    if not NAME.fullmatch(id):
        raise InvalidRequest(
            f"{shown(id)} cannot be an agent's name: a letter or a digit first, then letters, digits, '_' or '-', "
            "63 at the most",
            field="id",
        )
    taken = next((prefix for prefix in RESERVED if id.lower().startswith(prefix)), None)
    if taken is not None:
        raise InvalidRequest(f"names that begin with '{taken}' are reserved; choose another one", field="id")


def render_agent(agent: SavedAgent) -> dict[str, JSON]:
    """A saved agent, as it was defined; but for headers, which may hold keys."""
    given: dict[str, JSON] = {
        "description": agent.description,
        "system_instruction": agent.system_instruction,
        "tools": [_without_headers(tool) for tool in agent.tools],
        "agent_config": dict(agent.agent_config),
    }
    return {"id": agent.id, "base_agent": agent.base_agent, **{name: value for name, value in given.items() if value}}


def _without_headers(tool: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in tool.items() if name != "headers"}


def render_agents(agents: Sequence[SavedAgent], token: str | None) -> dict[str, JSON]:
    """A page of saved agents."""
    body: dict[str, JSON] = {"agents": [render_agent(agent) for agent in agents]} if agents else {}
    return body if token is None else {**body, "next_page_token": token}
