"""The upstream of `upstream.py` in another tongue: OpenAI's Responses, for a peer that is much quicker with it.

    uvicorn --app-dir bench/speed responses:app

A model's name asks for as many words as it does there, and all are said at once.
"""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import orjson

DELTAS = 100
_NAME = re.compile(r"deltas-(\d+)$")


def _item(text: str, status: str) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "status": status,
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def _response(model: str, output: list[dict[str, Any]], status: str, deltas: int) -> dict[str, Any]:
    usage = {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": deltas,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 5 + deltas,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage if status == "completed" else None,
    }


def _event(number: int, kind: str, **fields: Any) -> bytes:
    data = {"type": kind, "sequence_number": number, **fields}
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def _delta(number: int, text: str) -> bytes:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return _event(number, "response.output_text.delta", **place, delta=text, logprobs=[])


@cache
def _pieces(model: str, deltas: int) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """A streamed answer: what comes before the first word, the words behind it, and the end."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    words = [f"word{number} " for number in range(1, deltas)]
    text, last = "".join(words), deltas + 3
    begin = [
        _event(0, "response.created", response=_response(model, [], "in_progress", deltas)),
        _event(1, "response.in_progress", response=_response(model, [], "in_progress", deltas)),
        _event(2, "response.output_item.added", output_index=0, item={**_item("", "in_progress"), "content": []}),
        _event(3, "response.content_part.added", **place, part=part),
    ]
    said = [_delta(number + 4, word) for number, word in enumerate(words, 1)]
    whole = _item(text, "completed")
    end = [
        _event(last + 1, "response.output_text.done", **place, text=text, logprobs=[]),
        _event(last + 2, "response.content_part.done", **place, part={**part, "text": text}),
        _event(last + 3, "response.output_item.done", output_index=0, item=whole),
        _event(last + 4, "response.completed", response=_response(model, [whole], "completed", deltas)),
    ]
    return begin, said, end


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
    model = request.get("model", "")
    if not request.get("stream", False):
        whole = orjson.dumps(_response(model, [_item("Hello", "completed")], "completed", DELTAS))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": whole})
        return
    asked = _NAME.search(model)
    begin, said, end = _pieces(model, int(asked[1]) if asked else DELTAS)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for piece in begin:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    first = _delta(4, f"@{time.monotonic_ns()} ")
    for piece in [first, *said, *end]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
