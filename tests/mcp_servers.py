"""Servers that speak MCP, for tests: those of the official SDK on a loopback port, and liars that write the very bytes.

    async with open_mcp(weather_server()) as site:            # site.url is its address
    async with open_mcp(server, handshake=True) as site:      # as servers were before 2026-07-28: greeted, in sessions
    async with open_liar(answer) as liar:                     # answer(message, writer) writes what it likes

Each notes what it was asked: `site.requests` are the HTTP requests with their headers and messages.
"""

import asyncio
import base64
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

import mcp_types as types
import orjson
import uvicorn
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE = 10.0
"""Seconds after which a wait has failed."""

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture."""


# -- what servers can do


class Weather(BaseModel):
    """The weather somewhere."""

    location: str
    temperature: float
    conditions: str


def weather_server(name: str = "weather_service") -> MCPServer:
    """A server that knows the weather, as the founding document's does."""
    server = MCPServer(name)

    @server.tool()
    def get_weather(location: str, date: str = "today") -> Weather:
        """Get the weather of a city.

        Args:
            location: The city, as in New York.
            date: The day, as in today or 2026-01-02.
        """
        return Weather(location=location, temperature=21.5, conditions="sunny")

    return server


def library_server(name: str = "library") -> MCPServer:
    """A server whose tools have names that others have too, and that gives more than text."""
    server = MCPServer(name)

    @server.tool()
    def get_weather(shelf: str) -> str:
        """Tell how damp a shelf is."""
        return f"{shelf} is dry"

    @server.tool(structured_output=False)
    def cover(title: str) -> list[Any]:
        """Show the cover of a book."""
        return [f"The cover of {title}:", Image(data=PIXEL, format="png")]

    @server.tool()
    def page(title: str) -> types.CallToolResult:
        """Give a page of a book as a file, and say where the others are."""
        return types.CallToolResult(
            content=[
                types.EmbeddedResource(
                    resource=types.TextResourceContents(uri="book://1", text="It was dark.", mime_type="text/plain")
                ),
                types.EmbeddedResource(
                    resource=types.BlobResourceContents(
                        uri="book://1/all.zip", blob=base64.b64encode(b"PK...").decode(), mime_type="application/zip"
                    )
                ),
                types.ResourceLink(uri="book://2", name="the second page", mime_type="text/plain"),
            ]
        )

    @server.tool()
    def shelf(city: Annotated[str, Field(json_schema_extra={"x-mcp-header": "City"})]) -> str:
        """Name the shelf for a city. The city is also sent as a header, for whoever stands between."""
        return f"the shelf of {city}"

    @server.tool()
    def burn(title: str) -> str:
        """Burn a book."""
        raise ToolError(f"{title} does not burn")

    @server.tool()
    def nothing() -> types.CallToolResult:
        """Do nothing."""
        return types.CallToolResult(content=[])

    return server


class Held:
    """A call that goes on until it is let go. The server is in another thread than the test."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._started = threading.Event()
        self._cancelled = threading.Event()

    async def run(self) -> None:
        """What the server does."""
        self._started.set()
        try:
            while not self._go.is_set():  # noqa: ASYNC110 (another thread sets it)
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self._cancelled.set()
            raise

    def let_go(self) -> None:
        """The call ends."""
        self._go.set()

    async def started(self) -> None:
        """Wait until it goes on."""
        assert await asyncio.to_thread(self._started.wait, PATIENCE)

    async def cancelled(self) -> None:
        """Wait until the server was told that nobody wants it any more."""
        assert await asyncio.to_thread(self._cancelled.wait, PATIENCE)


def slow_server(held: Held, name: str = "slow") -> MCPServer:
    """A server whose tools take as long as a test wants."""
    server = MCPServer(name)

    @server.tool()
    async def wait() -> str:
        """Wait."""
        await held.run()
        return "waited"

    @server.tool()
    async def climb(steps: int, every: float, ctx: Context) -> str:
        """Climb, and say after each step how far."""
        for step in range(steps):
            await asyncio.sleep(every)  # time is what this is about
            await ctx.report_progress(step + 1, steps, f"step {step + 1}")
        return "at the top"

    return server


def curious_server(name: str = "curious") -> MCPServer:
    """A server that wants things of its clients, and says when its tools change."""
    server = MCPServer(name)

    @server.tool()
    async def ask_person(ctx: Context) -> str:
        """Ask a person something."""
        try:
            answer = await ctx.elicit("What is your password?", Weather)
        except Exception as error:
            return f"refused: {error}"
        return f"answered: {answer}"

    @server.tool()
    async def ask_model(ctx: Context) -> str:
        """Ask a model something."""
        message = types.SamplingMessage(role="user", content=types.TextContent(text="Say yes"))
        try:
            answer = await ctx.session.create_message([message], max_tokens=10)
        except Exception as error:
            return f"refused: {error}"
        return f"answered: {answer}"

    @server.tool()
    async def ask_roots(ctx: Context) -> str:
        """Ask which folders there are."""
        try:
            answer = await ctx.session.list_roots()
        except Exception as error:
            return f"refused: {error}"
        return f"answered: {answer}"

    @server.tool()
    async def learn(ctx: Context) -> str:
        """Learn to sing."""
        server.add_tool(lambda: "la", name="sing", description="Sing.")
        await ctx.session.send_tool_list_changed()
        return "learned"

    return server


# -- servers of the SDK


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request that a server got."""

    method: str
    path: str
    headers: Mapping[str, str]
    message: Any
    """The JSON of its body, if it had one."""

    @property
    def asks(self) -> str | None:
        """The method of the protocol, if it is a request or a notification."""
        return self.message.get("method") if isinstance(self.message, dict) else None


async def _nothing() -> None:
    """There is nothing to be ended."""


@dataclass
class Site:
    """Where a server is, and what it was asked."""

    port: int
    host: str = "127.0.0.1"
    path: str = "/mcp"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    stop: Callable[[], Awaitable[None]] = field(default=_nothing, repr=False)
    """End it before its time."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}{self.path}"

    @property
    def asked(self) -> list[str]:
        """The methods of the protocol that were asked for, in order."""
        return [request.asks for request in self.requests if request.asks is not None]

    def declared(self, name: str, **fields: Any) -> dict[str, Any]:
        """How a request declares it."""
        return {"type": "mcp_server", "name": name, "url": self.url, **fields}


@asynccontextmanager
async def open_mcp(
    server: MCPServer, *, handshake: bool = False, json: bool = False, stateless: bool = False, port: int = 0
) -> AsyncIterator[Site]:
    """A server of the SDK, for as long as the block lasts.

    Args:
        server: What it can do.
        handshake: Whether it speaks the protocol as it was before 2026-07-28, with a greeting and sessions.
        json: Whether it answers with JSON, not with streams of events.
        stateless: Whether it has no sessions.
        port: Where it listens; 0: anywhere.
    """
    app = server.streamable_http_app(
        json_response=json,
        stateless_http=stateless,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    site = Site(listening.getsockname()[1])
    serving = _Serving(_Noting(app, site, handshake))
    thread = threading.Thread(target=serving.run, args=([listening],), name=f"mcp server {site.port}", daemon=True)

    async def stop() -> None:
        serving.should_exit = True
        await asyncio.to_thread(thread.join, PATIENCE)
        assert not thread.is_alive(), "the server does not end"

    site.stop = stop
    thread.start()
    try:
        assert await asyncio.to_thread(serving.ready.wait, PATIENCE), "the server does not start"
        yield site
    finally:
        await stop()


class _Serving(uvicorn.Server):
    """uvicorn in a thread of its own, so that its tasks are not among the test's: it says when it listens, and leaves
    signals alone."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        self.ready = threading.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _Noting:
    """Notes what is asked; and does not know the newer part of the protocol if it shall not."""

    def __init__(self, app: ASGIApp, site: Site, handshake: bool) -> None:
        self._app = app
        self._site = site
        self._handshake = handshake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = Request(scope["method"], scope["path"], headers, orjson.loads(body) if body else None)
        self._site.requests.append(request)
        if self._handshake and request.asks == "server/discover":
            await _refuse(send)
            return
        given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return given.pop() if given else await receive()

        await self._app(scope, again, send)


async def _refuse(send: Send) -> None:
    """As a server answers that has never heard of this, and misses the session's id."""
    error = {"jsonrpc": "2.0", "id": "server-error", "error": {"code": -32600, "message": "Missing session ID"}}
    await send({"type": "http.response.start", "status": 400, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": orjson.dumps(error)})


# -- liars

Answer: TypeAlias = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


LIAR = "liar"
"""What the tasks are called that serve its connections."""


@asynccontextmanager
async def open_liar(answer: Answer) -> AsyncIterator[Site]:
    """A server on a bare socket that answers each request as a test tells it."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site.connections += 1
        task = asyncio.current_task()
        assert task is not None
        task.set_name(LIAR)
        serving.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    site.requests.append(await _read(reader))
                    await answer(site.requests[-1], writer)
                    await writer.drain()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    site = Site(server.sockets[0].getsockname()[1])
    try:
        yield site
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, orjson.loads(body) if body else None)


def write(
    writer: asyncio.StreamWriter,
    body: bytes,
    *,
    status: str = "200 OK",
    type: str = "application/json",
    **headers: str,
) -> None:
    """Write an answer with this body."""
    given = {"Content-Type": type, "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    writer.write(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)


def write_result(writer: asyncio.StreamWriter, request: Request, result: Any, **headers: str) -> None:
    """Write an answer with the result of a request."""
    message = {"jsonrpc": "2.0", "id": request.message["id"], "result": result}
    write(writer, orjson.dumps(message), **headers)


def write_error(
    writer: asyncio.StreamWriter, request: Request, code: int, message: str, *, status: str = "200 OK"
) -> None:
    """Write an answer that it did not work."""
    error = {"jsonrpc": "2.0", "id": request.message["id"], "error": {"code": code, "message": message}}
    write(writer, orjson.dumps(error), status=status)


GREETING = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {"listChanged": True}},
    "serverInfo": {"name": "liar", "version": "1"},
}

ECHO = {
    "name": "echo",
    "description": "Say it again.",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
}


def pretend(
    *,
    tools: Sequence[Any] | Callable[[Request], Any] = (ECHO,),
    call: Callable[[Request, asyncio.StreamWriter], Awaitable[None]] | None = None,
    listing: Callable[[Request, asyncio.StreamWriter], Awaitable[None]] | None = None,
    session: str | None = None,
) -> Answer:
    """An answer that begins like an ordinary server's (of before 2026-07-28, with JSON answers).

    Args:
        tools: What it says that it has.
        call: What it does when a tool is called. By default it says the text again.
        listing: What it does when it is asked for its tools.
        session: The id of the sessions it opens.
    """

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        match request.asks:
            case "server/discover":
                write_error(writer, request, -32601, "Method not found")
            case "initialize":
                write_result(writer, request, GREETING, **({"Mcp_Session_Id": session} if session else {}))
            case "tools/list" if listing is not None:
                await listing(request, writer)
            case "tools/list":
                write_result(writer, request, {"tools": list(tools)})
            case "tools/call" if call is not None:
                await call(request, writer)
            case "tools/call":
                text = str(request.message["params"]["arguments"].get("text"))
                write_result(writer, request, {"content": [{"type": "text", "text": text}]})
            case None if request.method in ("GET", "DELETE"):
                write(writer, b"", status="405 Method Not Allowed")
            case _:
                write(writer, b"", status="202 Accepted")

    return answer
