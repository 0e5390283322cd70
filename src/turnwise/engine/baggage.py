"""What a request brings along that is kept no longer than its run.

That is headers for MCP servers, which may be keys; the address under which its caller reaches this server; and by which
name the server knows the agent that works on it. It is sealed, since it lies in the store while the run goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from turnwise.domain.interaction import Turn
from turnwise.domain.tools import FunctionTool, McpServer
from turnwise.engine.thoughts import Sealer, Secret


@dataclass(frozen=True, slots=True)
class Baggage:
    """What belongs to a run and not to its interaction."""

    turn: Turn
    """With the headers of its MCP servers."""
    base_url: str
    """Where the caller reaches this server."""
    agent: str | None = None
    """The server's name of the agent that works on it; the request's may be that of a saved one."""


def pack(turn: Turn, base_url: str, agent: str | None, *, makes_files: bool, seal: Callable[[Secret], str]) -> bytes:
    """A run's baggage as it is kept. Empty where the run needs none: most make no files, and have no tools."""
    headers = {
        str(index): dict(tool.headers)
        for index, tool in enumerate(turn.tools)
        if isinstance(tool, McpServer) and tool.headers
    }
    needs_address = makes_files or any(not isinstance(tool, FunctionTool) for tool in turn.tools)
    if not (headers or needs_address or agent):
        return b""
    return seal(Secret(told={"headers": headers, "base_url": base_url, "agent": agent})).encode()


def unpack(turn: Turn, baggage: bytes, owner: str, sealer: Sealer) -> Baggage:
    """What was packed, with the turn as it came. Baggage that another server sealed is lost."""
    secret = sealer.open(baggage.decode(), owner) if baggage else None
    if secret is None:
        return Baggage(turn, "", turn.agent)
    headers = secret.told["headers"]
    tools = tuple(
        replace(tool, headers=headers[str(index)]) if isinstance(tool, McpServer) and str(index) in headers else tool
        for index, tool in enumerate(turn.tools)
    )
    return Baggage(replace(turn, tools=tools), secret.told["base_url"], secret.told["agent"])
