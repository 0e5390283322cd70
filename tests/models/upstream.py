"""A fake upstream that is a real server: HTTP/1.1 on a loopback socket, answering as a test says, byte by byte.

    async with serve(streamed("Hello", " there")) as upstream:
        model = OpenAIModel(ModelCard("m"), upstream.url, "m")

A reply is an async function of the request and of the connection to write to. When it returns the connection is kept
for the next request if the reply was whole; a reply that means to be cut closes it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson


@dataclass
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    """The JSON of it. Empty: it was no JSON."""
    raw: bytes
    gone: asyncio.Event
    """Set when the client's side of the connection is closed."""


Reply: TypeAlias = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upstream:
    """The server, and what it saw."""

    url: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def serve(*replies: Reply) -> AsyncIterator[Upstream]:
    """A server that gives each request the next reply, and the last one from then on."""
    upstream = Upstream("")
    waiting = list(replies)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while request := await _read(reader):
                upstream.requests.append(request)
                reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                watch = asyncio.create_task(_watch(reader, request))
                try:
                    await reply(request, writer)
                    await writer.drain()
                finally:
                    watch.cancel()
                    await asyncio.wait([watch])
                if writer.is_closing():
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    upstream.url = f"http://{host}:{port}/v1"
    try:
        yield upstream
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    is_json = "json" in headers.get("content-type", "json")
    return Request(first.split(" ")[1], headers, orjson.loads(body or b"{}") if is_json else {}, body, asyncio.Event())


async def _watch(reader: asyncio.StreamReader, request: Request) -> None:
    """Clients here never send ahead: whatever can be read while a reply is going on is the end."""
    with suppress(ConnectionError):
        await reader.read(1)
    request.gone.set()


def head(status: int = 200, content_type: str = "text/event-stream", **headers: str) -> bytes:
    """The head of a reply whose length is not known beforehand: its body goes out in chunks."""
    more = {"Content-Type": content_type, "Transfer-Encoding": "chunked"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return "".join([f"HTTP/1.1 {status} X\r\n", *(f"{k}: {v}\r\n" for k, v in more.items()), "\r\n"]).encode()


def piece(data: bytes) -> bytes:
    """Bytes as a chunk of HTTP."""
    return b"%x\r\n%s\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def event(**chunk: Any) -> bytes:
    """A chunk of a completion as a server-sent event."""
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def delta(finish: str | None = None, **fields: Any) -> bytes:
    """An event with a piece of an answer."""
    return event(choices=[{"index": 0, "delta": fields, "finish_reason": finish}])


USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 3},
}

DONE = b"data: [DONE]\n\n"


def events(*parts: bytes) -> Reply:
    """A stream of these events, each in a chunk of its own, ended as HTTP wants it."""

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head() + b"".join(piece(part) for part in parts) + END)

    return reply


def raw(*parts: bytes) -> Reply:
    """These very bytes, and then the connection is cut."""

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        for part in parts:
            out.write(part)
            await out.drain()
        out.close()

    return reply


def silent(*parts: bytes) -> Reply:
    """These very bytes, and then nothing, until the client goes."""

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        for part in parts:
            out.write(part)
        await out.drain()
        await request.gone.wait()
        out.close()

    return reply


def body(content: bytes, status: int = 200, content_type: str = "application/json", **headers: str) -> Reply:
    """A reply in one piece."""

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head(status, content_type, **headers) + (piece(content) if content else b"") + END)

    return reply


def refused(status: int, message: str = "no", **fields: Any) -> Reply:
    """A refusal as OpenAI says it."""
    return body(orjson.dumps({"error": {"message": message, **fields}}), status)


def answer(*texts: str, finish: str = "stop") -> Reply:
    """A whole answer, streamed or in one piece, as it is asked for."""

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        if request.body["stream"]:
            pieces = [delta(role="assistant", content=None), *(delta(content=text) for text in texts), delta(finish)]
            await events(*pieces, event(choices=[], usage=USAGE), DONE)(request, out)
        else:
            message = {"role": "assistant", "content": "".join(texts)}
            whole = {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": USAGE}
            await body(orjson.dumps(whole))(request, out)

    return reply
