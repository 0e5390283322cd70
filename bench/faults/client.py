"""A client of the API: plain calls of the current dialect, and the frames of a stream as they come."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

HEADERS = {"Api-Revision": "2026-05-20", "x-goog-api-key": "none"}
MODEL = "words"

SILENCE = 20.0
"""Seconds without a byte, not even a comment, after which a stream is dead."""

KEEP_ALIVE = 5
"""How often, in seconds, a node says a comment at least."""

BROKEN = (aiohttp.ClientError, OSError)
"""What a client sees of a node that dies. TimeoutError is an OSError."""


class Refused(Exception):
    """A call that was answered, and not with 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a stream, with its data as it came."""

    name: str
    data: bytes
    payload: dict[str, Any] = field(compare=False)

    @property
    def position(self) -> int | None:
        """Where it stands in the journal. None: it is no event of the run, but of this stream alone."""
        found = self.payload.get("event_id")
        return None if found is None else int(found)

    @property
    def text(self) -> str:
        """The text that it brings."""
        return str(self.payload["delta"]["text"]) if self.name == "step.delta" else ""


DONE = Frame("done", b"[DONE]", {})
"""The last frame of a stream that said all."""


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to any node."""

    session: aiohttp.ClientSession

    async def create(self, node: str, text: str, **fields: Any) -> Any:
        """`POST /interactions`"""
        return await self._call("POST", node, "", {"model": MODEL, "input": text, **fields})

    async def get(self, node: str, id: str) -> Any:
        """`GET /interactions/{id}`"""
        return await self._call("GET", node, f"/{id}")

    async def cancel(self, node: str, id: str) -> Any:
        """`POST /interactions/{id}/cancel`"""
        return await self._call("POST", node, f"/{id}/cancel")

    async def delete(self, node: str, id: str) -> None:
        """`DELETE /interactions/{id}`"""
        await self._call("DELETE", node, f"/{id}")

    def stream(self, node: str, text: str, **fields: Any) -> "Stream":
        """`POST /interactions` with `stream`."""
        body = {"model": MODEL, "input": text, "stream": True, **fields}
        return Stream(self.session, "POST", _at(node), {"json": body})

    def follow(self, node: str, id: str, after: int = 0) -> "Stream":
        """`GET /interactions/{id}?stream=true`, behind a position."""
        params = {"stream": "true", **({"last_event_id": str(after)} if after else {})}
        return Stream(self.session, "GET", _at(node, f"/{id}"), {"params": params})

    async def _call(self, method: str, node: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, _at(node, path), json=body) as reply:
            return await _checked(reply)


class Stream:
    """A stream that is read once."""

    def __init__(self, session: aiohttp.ClientSession, method: str, url: str, options: dict[str, Any]) -> None:
        self._session = session
        self._request = (method, url)
        self._options = options
        self._reply: aiohttp.ClientResponse | None = None

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Frames, to the end of the connection.

        Raises:
            Refused: it was not to be had.
            BROKEN: it broke off.
        """
        kept = b""
        async with self._session.request(*self._request, **self._options) as reply:
            if reply.status != 200:
                await _checked(reply)
            self._reply = reply
            async for data in reply.content.iter_any():
                *whole, kept = (kept + data).split(b"\n\n")
                for frame in _frames(whole):
                    yield frame

    def cut(self) -> None:
        """Break the connection, with no word of farewell."""
        if self._reply is not None and self._reply.connection is not None:
            transport = self._reply.connection.transport
            if transport is not None:
                transport.abort()


def _frames(blocks: list[bytes]) -> Iterator[Frame]:
    for block in blocks:
        lines = dict(line.split(b": ", 1) for line in block.split(b"\n") if not line.startswith(b":"))
        if lines.get(b"data") == DONE.data:
            yield DONE
        elif lines:
            yield Frame(lines[b"event"].decode(), lines[b"data"], orjson.loads(lines[b"data"]))


async def _checked(reply: aiohttp.ClientResponse) -> Any:
    data = await reply.read()
    if reply.status != 200:
        raise Refused(reply.status, data.decode(errors="replace")[:300])
    return orjson.loads(data)


def text_of(interaction: dict[str, Any]) -> str:
    """What the model has said, in an interaction."""
    steps = [step for step in interaction["steps"] if step["type"] == "model_output"]
    return "".join(part["text"] for step in steps for part in step["content"])


def _at(node: str, path: str = "") -> str:
    return f"{node}/v1/interactions{path}"


@asynccontextmanager
async def open_client(*, keep: bool = False) -> AsyncIterator[Client]:
    """A client with as many connections as it likes. `keep`: calls use them again."""
    timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_read=SILENCE)
    connector = aiohttp.TCPConnector(limit=0, force_close=not keep)
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS, timeout=timeout) as session:
        yield Client(session)


async def soon(seconds: float = 0.1) -> None:
    """Wait before a call is tried again."""
    await asyncio.sleep(seconds)
