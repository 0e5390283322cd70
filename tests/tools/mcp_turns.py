"""Turns that use MCP servers, as tests of that tool open them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mcp_servers import LIAR, Site
from media.web import Names
from support import PATIENCE, started_tasks, within
from turnwise.app.tools import departure
from turnwise.domain.tools import McpServer
from turnwise.media.exchange import GuardedWeb
from turnwise.media.guard import Guard
from turnwise.tools.mcp_server.tool import McpServerTool
from turnwise.tools.tool import Occasion, OpenTool, Outcome


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def build(
    *,
    allow: Sequence[str] = ("127.0.0.1",),
    names: dict[str, Any] | None = None,
    seconds: float = PATIENCE,
    listing_seconds: float = 300.0,
    clock: Callable[[], float] | None = None,
) -> McpServerTool:
    """The tool, which may reach loopback."""
    guard = Guard(allow, resolver=Names(names or {}))
    return McpServerTool(
        GuardedWeb(guard),
        violation=departure,
        seconds=seconds,
        listing_seconds=listing_seconds,
        clock=clock or Clock(),
    )


def declare(site: Site, name: str = "weather_service", **fields: Any) -> McpServer:
    return McpServer(name, site.url, **fields)


@asynccontextmanager
async def opened(
    declared: McpServer, tool: McpServerTool | None = None, *, owner: str = "me"
) -> AsyncIterator[OpenTool]:
    """A server, open for one turn; and then no task is left."""
    before = asyncio.all_tasks()
    occasion = Occasion(owner, (), "tools[0]")
    async with (tool or build()).open(declared, occasion) as open_tool:
        yield open_tool
    assert [name for name in started_tasks(before) if name != LIAR] == []


async def call(open_tool: OpenTool, name: str, **arguments: Any) -> Outcome:
    """A call, which must come to something."""
    outcome = await within(open_tool.call(name, arguments))
    assert not outcome.is_error, outcome.told
    return outcome
