"""A model server without a model: chat completions that are there at once, so that all time is somebody else's.

    uvicorn --app-dir bench/speed upstream:app

What it says is asked for by the model's name: `deltas-600-at-10` says 600 words, ten in a second; `deltas-600`, or any
name, says them at once. The first word of a stream is the time at which it was said, `@` and nanoseconds of the
machine's monotonic clock, so that whoever reads it, in whichever process, knows how long it was under way.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from functools import cache
from typing import Any

import orjson

DELTAS = 100
"""How many pieces a streamed answer has that nobody asked for otherwise."""

_NAME = re.compile(r"deltas-(\d+)(?:-at-([\d.]+))?$")


@cache
def pieces(deltas: int) -> tuple[bytes, ...]:
    """A streamed answer behind its first word."""
    words = [{"choices": [{"delta": {"content": f"word{n} "}}]} for n in range(1, deltas)]
    ends = [{"choices": [{"delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage(deltas)}]
    return (*(b"data: " + orjson.dumps(piece) + b"\n\n" for piece in words + ends), b"data: [DONE]\n\n")


def usage(deltas: int) -> dict[str, int]:
    return {"prompt_tokens": 5, "completion_tokens": deltas, "total_tokens": 5 + deltas}


def first_piece() -> bytes:
    word = f"@{time.monotonic_ns()} "
    return b"data: " + orjson.dumps({"choices": [{"delta": {"content": word}}]}) + b"\n\n"


ANSWER = orjson.dumps(
    {
        "choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": usage(DELTAS),
    }
)


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    request = orjson.loads(body)
    if not request.get("stream", False):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": ANSWER})
        return
    asked = _NAME.search(request.get("model", ""))
    deltas = int(asked[1]) if asked else DELTAS
    rate = float(asked[2]) if asked and asked[2] else 0.0
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    begun = asyncio.get_running_loop().time()
    for number, piece in enumerate(_said(deltas)):
        if rate and number < deltas:
            await asyncio.sleep(begun + number / rate - asyncio.get_running_loop().time())
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _said(deltas: int) -> Iterator[bytes]:
    yield first_piece()
    yield from pieces(deltas)
