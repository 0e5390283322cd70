"""The web, as far as it lies on loopback: servers that behave as a test tells them, and names that lead to them.

    async with open_site(answer) as site:           # answer(request, writer) writes the very bytes
        fetcher = site.fetcher()                    # may reach it by the name `public.example`

Names are looked up in a table. A list of addresses is what the name has; a list of lists is what it has the first, the
second and each later time that it is asked for.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from turnwise.media.cache import Cache
from turnwise.media.fetch import GuardedFetcher
from turnwise.media.guard import Guard

PUBLIC = "public.example"


@dataclass(frozen=True, slots=True)
class Request:
    """What a server was asked."""

    path: str
    headers: Mapping[str, str]


Answer: TypeAlias = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


class Names(AbstractResolver):
    """A table of names in place of DNS."""

    def __init__(self, table: Mapping[str, Sequence[Any]]) -> None:
        self._table = {name: list(addresses) for name, addresses in table.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        name = host.removesuffix(".")
        if name not in self._table:
            raise OSError(f"no such name: {host}")
        addresses = self._table[name]
        if addresses and isinstance(addresses[0], list):
            addresses = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@dataclass
class Site:
    """A server: where it is and what it was asked."""

    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str = "/file", host: str = PUBLIC, scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def fetcher(
        self,
        *,
        names: Mapping[str, Sequence[Any]] | None = None,
        allow: Sequence[str] = (PUBLIC,),
        max_bytes: int = 1 << 20,
        seconds: float = 10.0,
        cache: Cache | None = None,
        ssl: SSLContext | None = None,
        admit: Callable[[str], Awaitable[None]] | None = None,
    ) -> GuardedFetcher:
        """A fetcher for which `public.example` is this site's loopback address, and may be reached all the same."""
        guard = Guard(allow, resolver=Names({PUBLIC: ["127.0.0.1"], **(names or {})}), ssl=ssl)
        return GuardedFetcher(guard, max_bytes=max_bytes, seconds=seconds, cache=cache, admit=admit)


@asynccontextmanager
async def open_site(answer: Answer, *, ssl: SSLContext | None = None) -> AsyncIterator[Site]:
    """A server that answers so, for as long as the block lasts."""
    site = Site()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site.connections += 1
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    first, *lines = head.strip().split("\r\n")
                    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                    site.requests.append(Request(first.split(" ")[1], headers))
                    await answer(site.requests[-1], writer)
                    await writer.drain()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ssl)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        await server.wait_closed()


def give(body: bytes, *, status: str = "200 OK", **headers: str) -> Answer:
    """An answer with this body."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        given = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        writer.write(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)

    return answer


def redirect(to: str, status: int = 302) -> Answer:
    """An answer that sends elsewhere."""
    return give(b"elsewhere", status=f"{status} Found", Location=to)


def raw(*pieces: bytes, then: str = "closes") -> Answer:
    """An answer of these very bytes; then the server closes, or says nothing more."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then == "hangs":
            await asyncio.get_running_loop().create_future()
        writer.close()

    return answer


def endless(head: bytes, piece: bytes) -> Answer:
    """An answer that goes on for as long as somebody listens."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return answer


def dripping(head: bytes, piece: bytes) -> Answer:
    """An answer that comes a piece at a time, and never as fast as it could."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)

    return answer
