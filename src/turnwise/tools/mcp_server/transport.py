"""HTTP for the official SDK, over connections that only reach what requests may reach.

The SDK says little of what went wrong under the protocol: any error is "an error response" to it, and a connection that
breaks takes the whole session down. So nothing is raised here that would do that, and what happened to each request is
noted in its `Exchange`, which whoever sends the request sets as `current`: the SDK carries the context of the sender
along to here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import httpx2

from turnwise.domain.errors import InvalidRequest
from turnwise.tools.mcp_server.web import Answer, Line

ANSWER_BYTES = 16 * 1024**2
"""How long an answer may be; a stream of events, all of it."""

ANSWER_LINES = 20_000
"""How many lines a stream of events may have: each event costs some work, however short it is."""

ANSWER_PARTS = 500_000
"""How many lists, objects and members of them an answer may have, as far as brackets and commas tell: what is 16 MiB
as JSON can be a hundred times that when it is read."""

STREAMS = 100
"""How often a session may ask for a stream again that broke off, or for one of its own."""

_NOT_SENT = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})
"""Headers that the connection writes by itself."""

_STREAM, _JSON = "text/event-stream", "application/json"


@dataclass(slots=True)
class Exchange:
    """What happened to one request of the protocol, as far as HTTP knows."""

    status: int | None = None
    """Of the answer. None: there was none, and `problem` says why."""
    content_type: str = ""
    problem: str | None = None
    """What went wrong below HTTP, in words for whoever named the server."""
    on_whole: Callable[[], None] = lambda: None
    """Called when an answer that is no stream has come whole."""
    is_left: bool = False
    """Whether nobody waits for it any more."""
    _body: bytes | None = None
    _ends: list[Callable[[], object]] = field(default_factory=list)

    def claim(self, body: bytes) -> bool:
        """Whether this is the request that the exchange is of. Others are sent on its behalf: answers to questions of
        the server, or word that it is cancelled."""
        if self._body is None:
            self._body = body
        return self._body == body

    def at_end(self, end: Callable[[], object]) -> None:
        """Do this when nobody waits for the answer any more."""
        self._ends.append(end)

    def leave(self) -> None:
        """Nobody waits for the answer any more: its connection is closed."""
        self.is_left = True
        for end in self._ends:
            end()


current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""The exchange that requests belong to which are sent now."""


class LineTransport(httpx2.AsyncBaseTransport):
    """The SDK's way to the web: a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._streams = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it. Whatever prevents that is an answer with a status that says so."""
        body = await request.aread()
        exchange = current.get() or Exchange()
        if request.method == "GET":
            if "last-event-id" not in request.headers:  # the session's own stream, of no request
                exchange = Exchange()
                current.set(exchange)
            self._streams += 1
            if exchange.is_left or self._streams > STREAMS:
                return httpx2.Response(429)
        elif not exchange.claim(body):
            exchange = Exchange()
        return await self._send(request, body, exchange)

    async def _send(self, request: httpx2.Request, body: bytes, exchange: Exchange) -> httpx2.Response:
        headers = [
            (name.decode("ascii"), value.decode("ascii"))
            for name, value in request.headers.raw
            if name.decode("ascii").lower() not in _NOT_SENT
        ]
        sending = asyncio.ensure_future(
            self._line.send(request.method, str(request.url), headers, body, limit=ANSWER_BYTES)
        )
        exchange.at_end(sending.cancel)
        try:
            answer = await sending
        except InvalidRequest as error:
            exchange.problem = error.message
            return httpx2.Response(502)
        except asyncio.CancelledError:
            if exchange.is_left and not _is_cancelled():
                return httpx2.Response(499)
            raise
        exchange.at_end(answer.close)
        exchange.status = answer.status
        response = httpx2.Response(answer.status, headers=list(answer.headers), stream=_Body(answer, exchange))
        exchange.content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return response


def _is_cancelled() -> bool:
    """Whether this task is being cancelled, and not only what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _BrokenOff(httpx2.StreamError):
    """The body of an answer broke off. Of this kind of error the SDK makes the failure of one request."""


class _Body(httpx2.AsyncByteStream):
    """The body of an answer, within bounds."""

    def __init__(self, answer: Answer, exchange: Exchange) -> None:
        self._answer = answer
        self._exchange = exchange
        self._lines = 0
        self._parts = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._answer.read()
            self._count(piece)
        except InvalidRequest as error:
            self._exchange.problem = error.message
            raise _BrokenOff(error.message) from None
        if piece:
            return piece
        if self._exchange.content_type == _JSON:
            self._exchange.on_whole()
        raise StopAsyncIteration

    def _count(self, piece: bytes) -> None:
        if self._exchange.content_type == _STREAM:
            self._lines += piece.count(b"\n") + piece.count(b"\r")
        self._parts += piece.count(b",") + piece.count(b"[") + piece.count(b"{")
        if self._lines > ANSWER_LINES:
            raise InvalidRequest(f"it answers with more than the {ANSWER_LINES} lines that are taken")
        if self._parts > ANSWER_PARTS:
            raise InvalidRequest(f"it answers with more than the {ANSWER_PARTS} pieces of JSON that are taken")

    async def aclose(self) -> None:
        self._answer.close()
