"""A fake upstream that speaks chat completions over a real socket, as JSON and as server-sent events.

    async with open_upstream(deltas=3) as upstream:
        ...  # a server whose settings name `upstream.url`

It answers with what was said last, as many times as it has deltas, each with its number: "hello#0 hello#1 hello#2 ".
So every answer can be told from every other, and a piece says which one it is. What it was asked is in `requests`. An
answer that was begun, and stands last in what it is asked, it goes on with.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from aiohttp import web

from .waiting import BOUND

PATH = "/v1/chat/completions"


@dataclass(slots=True)
class Request:
    """What was asked, and for how long the upstream had it."""

    body: dict[str, Any]
    began: float = field(default_factory=time.perf_counter)
    ended: float | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when whoever asked closed the connection before the end."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body["messages"]

    @property
    def question(self) -> str:
        """What was said last by somebody else."""
        return next(message["content"] for message in reversed(self.messages) if message["role"] != "assistant")

    @property
    def begun(self) -> str:
        """The beginning of its own answer."""
        last = self.messages[-1]
        return last["content"] if last["role"] == "assistant" else ""

    @property
    def seconds(self) -> float:
        assert self.ended is not None
        return self.ended - self.began


@dataclass(slots=True)
class Upstream:
    """How it answers, which may be changed at any time, and what it was asked."""

    deltas: int = 3
    """Of how many pieces an answer is made."""
    pause: float = 0.0
    """Seconds between two pieces of a stream."""
    fails: Literal["refuses", "breaks off"] | None = None
    """With 503 before the answer; or by closing the connection after half of it."""
    taking: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, requests are read and get no answer at all."""
    telling: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, an answer stops behind its first half."""
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    _asked: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.taking.set()
        self.telling.set()

    async def asked(self, times: int) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(BOUND), self._asked:
            await self._asked.wait_for(lambda: len(self.requests) >= times)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`"""
        asked = Request(orjson.loads(await request.read()))
        self.requests.append(asked)
        async with self._asked:
            self._asked.notify_all()
        try:
            return await self._answer(request, asked)
        except asyncio.CancelledError:
            asked.left.set()
            raise

    async def _answer(self, request: web.Request, asked: Request) -> web.StreamResponse:
        await self.taking.wait()
        if self.fails == "refuses":
            return web.json_response({"error": {"message": "too many people here"}}, status=503)
        if asked.body.get("stream"):
            return await self._stream(request, asked)
        await self.telling.wait()
        asked.ended = time.perf_counter()
        return web.json_response(
            body=orjson.dumps(_completion(asked, "".join(piece for _, piece in self._pieces(asked))))
        )

    async def _stream(self, request: web.Request, asked: Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, piece in self._pieces(asked):
            if number == self.deltas // 2:
                await self.telling.wait()
                if self.fails == "breaks off":
                    assert request.transport is not None
                    request.transport.close()
                    return response
            await response.write(_event(choices=[_choice(piece, None)]))
            await asyncio.sleep(self.pause)
        await response.write(_event(choices=[_choice("", "stop")]))
        await response.write(_event(choices=[], usage=_usage(asked)) + b"data: [DONE]\n\n")
        asked.ended = time.perf_counter()
        return response

    def _pieces(self, asked: Request) -> Iterator[tuple[int, str]]:
        """Those of its answer that were not said yet, with their numbers."""
        said = len(asked.begun)
        assert answer_to(asked.question, self.deltas).startswith(asked.begun), asked.begun
        for number in range(self.deltas):
            piece = f"{asked.question}#{number} "
            if said < len(piece):
                yield number, piece[said:]
            said = max(0, said - len(piece))


def answer_to(said: str, deltas: int) -> str:
    """What an upstream with so many deltas answers to this."""
    return "".join(f"{said}#{number} " for number in range(deltas))


def _completion(asked: Request, text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"object": "chat.completion", "choices": [choice], "usage": _usage(asked)}


def _choice(piece: str, finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": piece}, "finish_reason": finish}


def _event(**chunk: Any) -> bytes:
    return b"data: " + orjson.dumps({"object": "chat.completion.chunk", **chunk}) + b"\n\n"


def _usage(asked: Request) -> dict[str, int]:
    read = len(asked.messages)
    return {"prompt_tokens": read, "completion_tokens": 1, "total_tokens": read + 1}


@asynccontextmanager
async def open_upstream(**manner: Any) -> AsyncIterator[Upstream]:
    """An upstream that listens for as long as the block lasts."""
    upstream = Upstream(**manner)
    app = web.Application(client_max_size=2**26)
    app.router.add_post(PATH, upstream.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        upstream.url = f"http://{host}:{port}/v1"
        yield upstream
    finally:
        await runner.cleanup()
