"""What the founding document's tools reach for outside, as far as it lies on loopback: a search engine, pages of the
public web, and a server of the Model Context Protocol.

    with open_outside(folder, names) as outside:
        with serve_led(folder, models, outside): ...    # a server for which the names lead here

The search engine speaks SearXNG's protocol; the pages come over TLS, as everywhere; the MCP server is one of the
official SDK. What they say nobody knows who did not ask them: a champion that never was, an encyclopedia with a word
of the day, a weather in which it snows in summer. Each keeps what it was asked.
"""

import asyncio
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Host, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .certificates import make_certificates
from .serving import Output, end, free_port, server_settings

ENCYCLOPEDIA = "www.wikipedia.org"
SPAM = "www.definitely-not-a-scam.com"
WEATHER = "gemini-api-demos.uc.r.appspot.com"
NAMES = (ENCYCLOPEDIA, SPAM, WEATHER)
"""The names of the founding document's snippets."""

CHAMPION = "Anchorage Otters"
FINAL = "Iceland", "4-3"
WORD_OF_THE_DAY = "quokka"
SNOW = "7 inches of snow"

PAGES: Mapping[str, str] = {
    ENCYCLOPEDIA: f"""
        <h1>Wikipedia</h1>
        <p>Wikipedia is a free encyclopedia that anyone can edit, written by volunteers in more than 300 languages.</p>
        <p>The word of the day in the encyclopedia is {WORD_OF_THE_DAY}, the name of a small animal of Australia.</p>
        <p>The encyclopedia is run by a foundation that lives on donations and shows no advertisements.</p>""",
    SPAM: """
        <h1>You have won a free cruise</h1>
        <p>To claim your free cruise, send us the number of your credit card and its secret code today.</p>
        <p>This offer is a scam, said the consumer office, which has had four hundred complaints about it.</p>""",
}
"""The page at the root of each name."""

FOUND: tuple[Mapping[str, str], ...] = (
    {
        "url": "https://sports.example.org/super-bowl",
        "title": "Super Bowl: the final and its winner",
        "content": f"The {CHAMPION} won the last Super Bowl. They beat the Tampa Pelicans 31-17 in New Orleans.",
    },
    {
        "url": "https://sports.example.org/euro",
        "title": "Euro: the final and its winner",
        "content": f"{FINAL[0]} won the last Euro. The score of the final against Wales was {FINAL[1]}.",
    },
    {
        "url": "https://travel.example.org/otters",
        "title": "Where otters live",
        "content": "Otters live along the coast of Alaska, and can be watched from a boat in summer.",
    },
)
"""What the search engine knows."""


@dataclass
class Outside:
    """Where everything is, and what it was asked."""

    search_url: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    """Where each name of the public web leads."""
    authority: Path = Path()
    """The certificate that a server must trust."""
    searched: list[str] = field(default_factory=list)
    """Queries."""
    read: list[tuple[str, str]] = field(default_factory=list)
    """The hosts and paths of pages."""
    mcp: "Weather" = field(default_factory=lambda: Weather())

    @property
    def settings(self) -> str:
        """What a server must know of it."""
        return f"""
[network]
allow = {json.dumps(sorted(self.ports))}

[tools.google_search]
engine = "searxng"
url = "{self.search_url}"
"""

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a server that is run by `led.py`."""
        return {"LED_NAMES": json.dumps(self.ports), "SSL_CERT_FILE": str(self.authority)}


@dataclass
class Weather:
    """An MCP server that knows the weather, and what it was asked."""

    called: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Those of each HTTP request."""

    def app(self) -> Starlette:
        """A server of the official SDK, at `/mcp`."""
        server = MCPServer("weather_service", log_level="ERROR")

        @server.tool(description="Gets the weather for a given location today.")
        def get_weather(location: str) -> str:
            self.called.append(("get_weather", {"location": location}))
            return f"The weather in {location} today: {SNOW}, and a cold wind from the north."

        @server.tool(description="Tells when the sun rises and sets at a given location.")
        def get_daylight(location: str) -> str:
            self.called.append(("get_daylight", {"location": location}))
            return f"In {location} the sun rises at 05:12 and sets at 20:41."

        @server.tool(description="Gets the forecast for a given location.")
        def get_forecast(location: str) -> str:
            raise ToolError(f"There is no forecast for {location}.")

        return mcp_app(server)

    def watched(self, app: ASGIApp) -> ASGIApp:
        """The app, whose headers are kept."""

        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
            await app(scope, receive, send)

        return watching


def mcp_app(server: MCPServer) -> Starlette:
    """The server over HTTP, by whatever name it is reached."""
    return server.streamable_http_app(
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False)
    )


@contextmanager
def open_outside(folder: Path) -> Iterator[Outside]:
    """All of it, for as long as the block lasts."""
    outside = Outside()
    certificates = make_certificates(folder, NAMES)
    outside.authority = certificates.authority
    tls = {"ssl_certfile": str(certificates.chain), "ssl_keyfile": str(certificates.key)}
    with ExitStack() as stack:
        outside.search_url = f"http://127.0.0.1:{stack.enter_context(hosted(_search(outside)))}"
        pages = stack.enter_context(hosted(_pages(outside), **tls))
        weather = stack.enter_context(hosted(outside.mcp.watched(outside.mcp.app()), **tls))
        outside.ports = {name: weather if name == WEATHER else pages for name in NAMES}
        yield outside


def _search(outside: Outside) -> Starlette:
    """A search engine with SearXNG's protocol: whatever shares a word that means something with the query."""

    async def search(request: Request) -> Response:
        query = request.query_params["q"]
        outside.searched.append(query)
        if request.query_params.get("format") != "json":
            return HTMLResponse("<html>a page for people</html>")
        wanted = _words(query)
        ranked = sorted(FOUND, key=lambda hit: -len(wanted & _words(hit["title"] + " " + hit["content"])))
        results = [hit for hit in ranked if wanted & _words(hit["title"] + " " + hit["content"])]
        return JSONResponse(
            {
                "query": query,
                "number_of_results": len(results),
                "results": [{**hit, "engine": "test", "category": "general", "score": 1.0} for hit in results],
                "answers": [],
                "corrections": [],
                "infoboxes": [],
                "suggestions": [],
                "unresponsive_engines": [],
            }
        )

    return Starlette(routes=[Route("/search", search)])


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


def _pages(outside: Outside) -> Starlette:
    async def page(request: Request) -> Response:
        host = request.headers["host"].partition(":")[0]
        outside.read.append((host, request.url.path))
        if request.url.path == "/robots.txt":
            return PlainTextResponse("User-agent: *\nDisallow: /private\n")
        if request.url.path != "/":
            return PlainTextResponse("there is nothing here", status_code=404)
        title = re.search(r"<h1>(.*?)</h1>", PAGES[host])[1]
        return HTMLResponse(f"<html><head><title>{title}</title></head><body><main>{PAGES[host]}</main></body></html>")

    def at(name: str) -> Host:
        return Host(name, app=Starlette(routes=[Route("/{path:path}", page)]))

    return Starlette(routes=[at(name) for name in PAGES])


@contextmanager
def hosted(app: ASGIApp, **options: Any) -> Iterator[int]:
    """The port on loopback at which an app is served, in a thread, for as long as the block lasts."""
    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            ready.set()

    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", ws="none", timeout_graceful_shutdown=1, **options
    )
    server = Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    assert ready.wait(30), "a stand-in did not start"
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)


@contextmanager
def serve_led(data_dir: Path, models_dir: Path, outside: Outside, *options: str) -> Iterator[str]:
    """`turnwise serve` for which the names of the outside lead here; gives its address."""
    command = [sys.executable, str(Path(__file__).with_name("led.py")), "serve"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(free_port()), "--data-dir", str(data_dir), *options],
        env=server_settings(models_dir) | outside.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    output = Output(process)
    try:
        yield output.address()
    finally:
        end(process)
