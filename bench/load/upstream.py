"""A model server without a model: chat completions that are there at once, so that all time is somebody else's.

uvicorn --app-dir bench/load upstream:app
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

DELTAS = 100
"""How many pieces a streamed answer has."""

USAGE = {"prompt_tokens": 5, "completion_tokens": DELTAS, "total_tokens": 5 + DELTAS}
ANSWER = orjson.dumps(
    {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}], "usage": USAGE}
)
PIECES = [
    *(b"data: " + orjson.dumps({"choices": [{"delta": {"content": f"word{n} "}}]}) + b"\n\n" for n in range(DELTAS)),
    b"data: " + orjson.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]}) + b"\n\n",
    b"data: " + orjson.dumps({"choices": [], "usage": USAGE}) + b"\n\n",
    b"data: [DONE]\n\n",
]


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
    streamed = orjson.loads(body).get("stream", False)
    kind = b"text/event-stream" if streamed else b"application/json"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    for piece in PIECES if streamed else (ANSWER,):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
