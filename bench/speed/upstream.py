"""A model server without a model: chat completions that are there at once, so that all time is somebody else's.

    uvicorn --app-dir bench/speed upstream:app

What it says is asked for by the model's name: `deltas-600-at-10` says 600 words, ten in a second; `deltas-600`, or any
name, says them at once; `deltas-600-at-10-after-0.2` takes the prompt at once, and thinks for so many seconds. The
first word of a stream, and each that is not said at once, is the time at which it was said, `@` and nanoseconds of the
machine's monotonic clock, so that whoever reads it, in whichever process, knows how long it was under way.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import orjson

DELTAS = 100
"""How many pieces a streamed answer has that nobody asked for otherwise."""

_NAME = re.compile(r"deltas-(\d+)(?:-at-([\d.]+))?(?:-after-([\d.]+))?$")


@cache
def pieces(deltas: int) -> tuple[bytes, ...]:
    """A streamed answer. Words that are stamps stand for themselves."""
    words = [{"choices": [{"delta": {"content": f"word{n} "}}]} for n in range(deltas)]
    ends = [{"choices": [{"delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage(deltas)}]
    return (*(b"data: " + orjson.dumps(piece) + b"\n\n" for piece in words + ends), b"data: [DONE]\n\n")


def usage(deltas: int) -> dict[str, int]:
    return {"prompt_tokens": 5, "completion_tokens": deltas, "total_tokens": 5 + deltas}


def stamp() -> bytes:
    """A word that is the time at which it is said."""
    return b'data: {"choices":[{"delta":{"content":"@%d "}}]}\n\n' % time.monotonic_ns()


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
    body, more = bytearray(), True
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
    thinks = float(asked[3]) if asked and asked[3] else 0.0
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    clock = asyncio.get_running_loop().time
    begun = clock() + thinks
    for number, piece in enumerate(pieces(deltas)):
        if (rate or thinks) and number < deltas:
            await asyncio.sleep(max(0.0, begun + (number / rate if rate else 0.0) - clock()))
        said = stamp() if number == 0 or (rate and number < deltas) else piece
        await send({"type": "http.response.body", "body": said, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
