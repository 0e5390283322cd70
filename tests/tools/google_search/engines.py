"""Search engines on loopback: HTTP servers that speak an engine's protocol, or misbehave as a test tells them to.

async with serve(answer) as site:           # answer(request) gives a response of aiohttp's
    engine = SearxngEngine(site.url)
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """What a server was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    """Its JSON. None: it had no body."""


@dataclass
class Site:
    """A server: where it is, and what it was asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@asynccontextmanager
async def serve(answer: Handler) -> AsyncIterator[Site]:
    """A server that answers everything so, for as long as the block lasts."""
    site = Site()

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        site.asked.append(Asked(request.method, request.path, request.query, request.headers, body))
        return await answer(request)

    server = web.Server(handle, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0)
    await runner.setup()
    try:
        place = web.TCPSite(runner, "127.0.0.1", 0)
        await place.start()
        host, port = runner.addresses[0]
        site.url = f"http://{host}:{port}"
        yield site
    finally:
        await runner.cleanup()


def json(body: Any, status: int = 200, **headers: str) -> Handler:
    """An answer in JSON."""

    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=status, headers=named)

    return answer


def page(status: int = 200) -> Handler:
    """An answer that is a web page."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<!doctype html><title>Search</title>", content_type="text/html", status=status)

    return answer
