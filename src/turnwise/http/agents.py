"""The calls on saved agents: create, list, get, delete."""

from starlette.requests import Request
from starlette.responses import Response

from turnwise.domain.errors import InvalidRequest
from turnwise.engine.agents import SavedAgents
from turnwise.http.body import JSONReply, check_query, read_json
from turnwise.http.uploads import Owner
from turnwise.wire.agents import parse_agent, render_agent, render_agents

LARGEST = 1024 * 1024
"""How large a definition may be, in bytes."""

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


class AgentRoutes:
    """The handlers of `/agents`."""

    def __init__(self, agents: SavedAgents, owner: Owner) -> None:
        self._agents = agents
        self._owner = owner

    async def create(self, request: Request) -> Response:
        """`POST /agents`"""
        owner = await self._owner(request)
        check_query(request)
        return JSONReply(render_agent(await self._agents.create(parse_agent(await read_json(request, LARGEST)), owner)))

    async def list(self, request: Request) -> Response:
        """`GET /agents`"""
        owner = await self._owner(request)
        check_query(request, ("page_size", "page_token"))
        token = request.query_params.get("page_token") or None
        return JSONReply(render_agents(*await self._agents.list(owner, _page_size(request), token)))

    async def get(self, request: Request) -> Response:
        """`GET /agents/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        return JSONReply(render_agent(await self._agents.get(request.path_params["id"], owner)))

    async def delete(self, request: Request) -> Response:
        """`DELETE /agents/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        await self._agents.delete(request.path_params["id"], owner)
        return JSONReply({})


def _page_size(request: Request) -> int:
    """How many agents a page is to have."""
    value = request.query_params.get("page_size") or "0"
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise InvalidRequest(f"a number from 1 to {MAX_PAGE_SIZE}, not '{value}'", field="page_size")
    return min(int(value) or PAGE_SIZE, MAX_PAGE_SIZE)
