"""A client of the API: plain requests of the current dialect, and every frame of a stream as it came."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from .waiting import BOUND

MODEL = "some-model"
REVISION = {"Api-Revision": "2026-05-20"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in one piece."""

    status: int
    body: Any

    @property
    def text(self) -> str:
        """What the model said."""
        assert self.status == 200, self
        steps = [step for step in self.body["steps"] if step["type"] == "model_output"]
        return "".join(part["text"] for step in steps for part in step["content"])


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stream, with its data as it came."""

    name: str
    data: str

    @property
    def payload(self) -> Any:
        return orjson.loads(self.data)

    @property
    def event_id(self) -> str:
        return self.payload["event_id"]

    @property
    def text(self) -> str:
        """The text that it brings, if it does."""
        return self.payload["delta"]["text"] if self.name == "step.delta" else ""


def text_of(frames: list[Frame]) -> str:
    return "".join(frame.text for frame in frames)


class Client:
    """Speaks to one server."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def create(self, text: str, **fields: Any) -> Reply:
        """`POST /interactions`"""
        return await self._call("POST", "", _turn(text, fields))

    async def get(self, id: str, **query: str) -> Reply:
        """`GET /interactions/{id}`"""
        return await self._call("GET", f"/{id}", None, query)

    async def cancel(self, id: str) -> Reply:
        """`POST /interactions/{id}/cancel`"""
        return await self._call("POST", f"/{id}/cancel")

    async def delete(self, id: str) -> Reply:
        """`DELETE /interactions/{id}`"""
        return await self._call("DELETE", f"/{id}")

    async def status(self, path: str) -> int:
        """The status of a GET."""
        async with asyncio.timeout(BOUND), self._session.get(self.url + path) as reply:
            return reply.status

    def stream(self, text: str, **fields: Any) -> "Stream":
        """`POST /interactions` with `stream`."""
        return Stream(self._session, "POST", self._at(""), json=_turn(text, {**fields, "stream": True}))

    def follow(self, id: str, after: str = "") -> "Stream":
        """`GET /interactions/{id}?stream=true`, behind an event id."""
        return Stream(self._session, "GET", self._at(f"/{id}"), params={"stream": "true", "last_event_id": after})

    async def _call(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Reply:
        async with (
            asyncio.timeout(BOUND),
            self._session.request(method, self._at(path), json=body, params=query) as reply,
        ):
            return Reply(reply.status, orjson.loads(await reply.read()))

    def _at(self, path: str) -> str:
        return f"{self.url}/v1beta/interactions{path}"


class Stream:
    """A stream: iterate over its frames. `frames` are those that came so far."""

    def __init__(self, session: aiohttp.ClientSession, method: str, url: str, **request: Any) -> None:
        self._session = session
        self._request = (method, url)
        self._options = request
        self.frames: list[Frame] = []
        self.done = False
        """Whether it said that it was over."""

    def __aiter__(self) -> AsyncGenerator[Frame, None]:
        return self._read()

    async def whole(self) -> list[Frame]:
        """Every frame, to the end."""
        async for _ in self:
            pass
        assert self.done
        return self.frames

    @property
    def id(self) -> str:
        """The interaction's id."""
        return self.frames[0].payload["interaction"]["id"]

    async def _read(self) -> AsyncGenerator[Frame, None]:
        name = ""
        async with asyncio.timeout(BOUND), self._session.request(*self._request, **self._options) as reply:
            assert reply.status == 200, await reply.text()
            async for line in reply.content:
                if line.startswith(b"event: "):
                    name = line[7:].decode().strip()
                elif line == b"data: [DONE]\n":
                    self.done = True
                elif line.startswith(b"data: "):
                    self.frames.append(Frame(name, line[6:].decode().strip()))
                    yield self.frames[-1]


def _turn(text: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"model": MODEL, "input": text, **fields}


@asynccontextmanager
async def open_client(url: str, *, key: str = "any-key") -> AsyncIterator[Client]:
    """A client with connections of its own."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers={**REVISION, "x-goog-api-key": key}) as session:
        yield Client(session, url)
