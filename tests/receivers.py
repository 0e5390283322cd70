"""Servers that are told things by webhooks: they hear, and answer as a test tells them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, Literal, TypeAlias

import orjson

Answer: TypeAlias = int | str | Literal["reset", "hang"]
"""A status; `reset`: the connection breaks; `hang`: no answer ever comes; any other text: a redirect to there."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a receiver was told."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Where it is, what it has heard, and what it answers next."""

    answers: Iterator[Answer]
    port: int = 0
    heard: list[Heard] = field(default_factory=list)

    def uri(self, path: str = "/hear") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def open_receiver(*answers: Answer, then: Answer = 200, port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that gives these answers, and then always the same one; at a free port,
    unless one is named."""
    given: Iterable[Answer] = chain(answers, repeat(then))
    receiver = Receiver(iter(given))
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            receiver.heard.append(Heard(first.split(" ")[1], headers, body))
            await _answer(next(receiver.answers), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        await server.wait_closed()


async def _answer(answer: Answer, writer: asyncio.StreamWriter) -> None:
    match answer:
        case "reset":
            writer.transport.abort()
            return
        case "hang":
            await asyncio.get_running_loop().create_future()
        case int():
            writer.write(f"HTTP/1.1 {answer} So\r\nContent-Length: 2\r\n\r\nok".encode())
        case _:
            writer.write(f"HTTP/1.1 307 There\r\nLocation: {answer}\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()
