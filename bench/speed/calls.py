"""Calls of servers, and how long they took."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from bench.speed.servers import Server

_SAID = re.compile(rb"@(\d{6,}) ")
"""What the upstream says first: when it said it."""


@dataclass(frozen=True)
class Measured:
    """A round of calls."""

    seconds: float
    processor: float
    """Seconds that the server's processes worked."""
    waits: list[float]
    """Seconds that each call took."""
    firsts: list[float] = field(default_factory=list)
    """Seconds from the upstream's first word to when the caller had it, for streams."""

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.waits) / self.seconds

    @property
    def cost(self) -> float:
        """CPU-milliseconds for a call."""
        return 1000 * self.processor / len(self.waits)

    def wait(self, part: float) -> float:
        """Milliseconds that this part of the calls took at the most."""
        return quantile(self.waits, part)

    def first(self, part: float) -> float:
        """Milliseconds that this part of the streams waited for their first word at the most."""
        return quantile(self.firsts, part)


def quantile(seconds: list[float], part: float) -> float:
    """In milliseconds."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(part * len(seconds)))]


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with as many connections as it needs."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened:
        yield opened


def asked(*, streamed: bool = False, model: str = "m", **fields: Any) -> dict[str, Any]:
    """The body of a request."""
    return {"model": model, "input": "Hi", "stream": streamed, **fields}


async def load(
    client: aiohttp.ClientSession, server: Server, body: dict[str, Any], *, callers: int, calls: int
) -> Measured:
    """So many calls by so many callers, each of which calls again when it has its answer."""
    waits: list[float] = []
    firsts: list[float] = []

    async def call() -> None:
        begun = time.perf_counter()
        async with client.post(server.url + server.path, json=body, headers=server.headers) as answer:
            assert answer.status == 200, await answer.text()
            if body["stream"]:
                firsts.append(await read_stream(answer))
            else:
                await answer.read()
        waits.append(time.perf_counter() - begun)

    async def caller(turns: Iterator[int]) -> None:
        for _ in turns:
            await call()

    await asyncio.gather(*(call() for _ in range(callers)))
    waits.clear()
    firsts.clear()
    turns = iter(range(calls))
    processor, begun = server.processor_seconds(), time.perf_counter()
    await asyncio.gather(*(caller(turns) for _ in range(callers)))
    return Measured(time.perf_counter() - begun, server.processor_seconds() - processor, waits, firsts)


async def read_stream(answer: aiohttp.ClientResponse) -> float:
    """Read a stream to its end. Returns how many seconds its first word was under way."""
    head, first = b"", None
    async for chunk in answer.content.iter_any():
        if first is None:
            head += chunk
            if (said := _SAID.search(head)) is not None:
                first = time.monotonic_ns() - int(said[1])
    assert first is not None, head
    return first / 1e9
