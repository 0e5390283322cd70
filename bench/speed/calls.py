"""Calls of servers, and how long they took.

One process calls, on one core. What it worked itself is counted too: where it was busy all the time, the calls a second
and the waits are its own bounds, and only the server's CPU time is still the server's.
"""

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import uvloop
from bench.speed.servers import Server

T = TypeVar("T")

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
    caller: float = 0.0
    """Seconds that the calling process worked."""
    cut_off: int = 0
    """Calls that ended without an answer, of a server that may do so."""

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.waits) / self.seconds

    @property
    def cost(self) -> float:
        """CPU-milliseconds for a call."""
        return 1000 * self.processor / len(self.waits)

    @property
    def busy(self) -> float:
        """How many percent of the time the calling process worked."""
        return 100 * self.caller / self.seconds

    def wait(self, part: float) -> float:
        """Milliseconds that this part of the calls took at the most."""
        return quantile(self.waits, part)

    def first(self, part: float) -> float:
        """Milliseconds that this part of the streams waited for their first word at the most."""
        return quantile(self.firsts, part)


def quantile(seconds: list[float], part: float) -> float:
    """In milliseconds."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(part * len(seconds)))]


def run(measuring: Coroutine[Any, Any, T]) -> T:
    """Run it on the loop that the servers run on too, which leaves more of a core for calls."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measuring)


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with as many connections as it needs."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened:
        yield opened


def asked(*, streamed: bool = False, model: str = "m", **fields: Any) -> dict[str, Any]:
    """The body of a request."""
    return {"model": model, "input": "Hi", "stream": streamed, **fields}


async def load(
    client: aiohttp.ClientSession,
    server: Server,
    body: dict[str, Any],
    *,
    callers: int,
    calls: int,
    seconds: float = math.inf,
    word: bytes = b"",
) -> Measured:
    """So many calls by so many callers, each of which calls again when it has its answer.

    After so many `seconds` nobody calls again, however many calls there were. Every answer must hold the `word`. What a
    server is allowed to cut off is counted, and not measured.
    """
    waits: list[float] = []
    firsts: list[float] = []
    cut_off = 0

    async def call() -> None:
        nonlocal cut_off
        try:
            await answered()
        except aiohttp.ClientConnectionError:
            if not server.may_cut_off:
                raise
            cut_off += 1

    async def answered() -> None:
        begun = time.perf_counter()
        async with client.post(server.url + server.path, json=body, headers=server.headers) as answer:
            assert answer.status == 200, await answer.text()
            if body["stream"]:
                firsts.append(await read_stream(answer, word))
            else:
                whole = await answer.read()
                assert word in whole, whole
        waits.append(time.perf_counter() - begun)

    async def caller(turns: Iterator[int], latest: float) -> None:
        for _ in turns:
            if time.perf_counter() > latest:
                break
            await call()

    await asyncio.gather(*(call() for _ in range(callers)))
    waits.clear()
    firsts.clear()
    cut_off = 0
    turns = iter(range(calls))
    processor, own, begun = server.processor_seconds(), time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller(turns, begun + seconds) for _ in range(callers)))
    took, own = time.perf_counter() - begun, time.process_time() - own
    return Measured(took, server.processor_seconds() - processor, waits, firsts, own, cut_off)


async def read_stream(answer: aiohttp.ClientResponse, word: bytes = b"") -> float:
    """Read a stream, which must hold the word, to its end. Returns how many seconds its first word was under way."""
    chunks: list[bytes] = []
    first = None
    async for chunk in answer.content.iter_any():
        chunks.append(chunk)
        if first is None and (said := _SAID.search(b"".join(chunks))) is not None:
            first = time.monotonic_ns() - int(said[1])
    whole = b"".join(chunks)
    assert first is not None, whole
    assert word in whole, whole
    return first / 1e9
