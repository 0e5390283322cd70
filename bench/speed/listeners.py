"""Processes that begin many streams and read them, and do so little else that they keep up with any server.

A stream is a connection of its own. Whatever comes on it is stamped as it comes, and searched for what the upstream
stamped when it said it (`upstream.py`): so each word's age is known. How late the listeners themselves are, which makes
every word seem older, is measured beside them.
"""

import asyncio
import multiprocessing
import re
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop
from bench.speed.servers import Server

PROCESSES = 2
"""How many listeners share the streams that begin together: one alone would be late where thousands of words come in a
second. There are twice as many, so that others may begin beside them."""

PATIENCE = 120.0
"""How long, in seconds, streams may take to end."""

TICK = 0.01
"""How often, in seconds, a listener looks how late it is."""

_STAMP = re.compile(rb"@(\d{6,}) ")
_STAMP_BYTES = 24
"""More than a stamp has: so much is kept of what came last, since a stamp may come in two pieces."""


@dataclass(frozen=True)
class Heard:
    """What was heard on streams. All times are nanoseconds of the machine's monotonic clock."""

    firsts: "array[int]" = field(default_factory=lambda: array("q"))
    """How old each stream's first word was, and behind it when it came: in pairs."""
    words: "array[int]" = field(default_factory=lambda: array("q"))
    """The same of all words."""
    lags: "array[int]" = field(default_factory=lambda: array("q"))
    """How late the listeners were, and behind it when."""

    def add(self, other: "Heard") -> None:
        self.firsts.extend(other.firsts)
        self.words.extend(other.words)
        self.lags.extend(other.lags)


def within(pairs: "array[int]", begin: int, end: int) -> list[float]:
    """The first of each pair whose second is between these moments, in seconds."""
    return [pairs[i] / 1e9 for i in range(0, len(pairs), 2) if begin <= pairs[i + 1] < end]


@dataclass(frozen=True)
class Calls:
    """Streams to begin: each at its moment, in nanoseconds of the machine's monotonic clock."""

    url: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    moments: Sequence[int]

    @property
    def head(self) -> bytes:
        """The head of each request."""
        headers = {"Host": urlsplit(self.url).netloc, "Content-Type": "application/json", **self.headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode()


class Listeners:
    """The processes, which are there before they are needed."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def begin(self, server: Server, body: object, moments: Sequence[int]) -> list[Future[Heard]]:
        """Have streams begun and read to their ends, by turns by each process."""
        shares = [moments[n::PROCESSES] for n in range(PROCESSES)]
        whole = orjson.dumps(body)
        return [
            self._pool.submit(_listen, Calls(server.url, server.path, dict(server.headers), whole, share))
            for share in shares
            if share
        ]


@contextmanager
def listeners() -> Iterator[Listeners]:
    """Processes that listen."""
    with ProcessPoolExecutor(2 * PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        for started in [pool.submit(time.sleep, 0.2) for _ in range(2 * PROCESSES)]:
            started.result()
        yield Listeners(pool)


def gathered(listening: Sequence[Future[Heard]]) -> Heard:
    """All that was heard, once the streams have ended."""
    heard = Heard()
    for one in listening:
        heard.add(one.result(PATIENCE))
    return heard


def _listen(calls: Calls) -> Heard:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_listen_to_all(calls))


async def _listen_to_all(calls: Calls) -> Heard:
    heard, loop = Heard(), asyncio.get_running_loop()
    ticking = asyncio.create_task(_tick(heard))
    where, request = urlsplit(calls.url), calls.head + calls.body

    async def call(moment: int) -> None:
        await asyncio.sleep((moment - time.monotonic_ns()) / 1e9)
        stream = _Stream(request, heard, loop.create_future())
        await loop.create_connection(lambda: stream, where.hostname, where.port)
        await stream.ended

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(call(moment) for moment in calls.moments))
    ticking.cancel()
    return heard


async def _tick(heard: Heard) -> None:
    while True:
        due = time.monotonic_ns() + int(TICK * 1e9)
        await asyncio.sleep(TICK)
        now = time.monotonic_ns()
        heard.lags.extend((max(now - due, 0), now))


class _Stream(asyncio.Protocol):
    """One call and its answer, which is searched as it comes."""

    def __init__(self, request: bytes, heard: Heard, ended: asyncio.Future[None]) -> None:
        self.ended = ended
        self._request = request
        self._heard = heard
        self._rest = b""
        self._has_begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self._rest + data
        searched = 0
        for stamp in _STAMP.finditer(data):
            age, searched = now - int(stamp[1]), stamp.end()
            self._heard.words.extend((age, now))
            if not self._has_begun:
                self._has_begun = True
                self._heard.firsts.extend((age, now))
        self._rest = data[max(searched, len(data) - _STAMP_BYTES) :]
        if data.endswith(b"0\r\n\r\n"):
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.ended.done():
            return
        if error is None and self._has_begun:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error or ConnectionError(f"a stream that said nothing: {self._rest!r}"))
