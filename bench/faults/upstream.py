"""A model server without a model: it says the words it is asked for, one by one, at the pace it is asked for.

    uvicorn bench.faults.upstream:app

An answer that was begun (the last message is the assistant's) is gone on with behind its last letter, as llama.cpp's
server does it; if the beginning is not that of the answer, the call is refused, so that no fault is talked over.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from bench.faults.answers import Question, parse_question, rest_of

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """`POST /v1/chat/completions`"""
    if scope["type"] != "http":
        return
    asked = orjson.loads(await _body(receive))
    try:
        question, pieces = _understand(asked["messages"])
    except ValueError as error:
        await _reply(send, 400, {"error": {"message": str(error)}})
        return
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "".join(pieces)}
        await _reply(send, 200, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": _usage(pieces)})
        return
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await _stream(send, question, pieces, gone)
    finally:
        gone.cancel()


async def _stream(send: Send, question: Question, pieces: list[str], gone: asyncio.Future[None]) -> None:
    await _start(send, 200, b"text/event-stream")
    due = asyncio.get_running_loop().time()
    for piece in pieces:
        if question.rate:
            due += 1 / question.rate
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        if gone.done():
            return
        await _send(send, _event({"choices": [{"delta": {"content": piece}}]}))
    await _send(send, _event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
    await _send(send, _event({"choices": [], "usage": _usage(pieces)}) + b"data: [DONE]\n\n", more=False)


def _understand(messages: list[dict[str, Any]]) -> tuple[Question, list[str]]:
    """The last question, and what is still to be said to it."""
    *before, last = messages
    if last["role"] != "assistant":
        question = parse_question(last["content"])
        return question, question.pieces
    question = parse_question(before[-1]["content"])
    return question, rest_of(question, last["content"])


def _usage(pieces: list[str]) -> dict[str, int]:
    return {"prompt_tokens": 10, "completion_tokens": len(pieces), "total_tokens": 10 + len(pieces)}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _gone(receive: Receive) -> None:
    """Wait until whoever asked has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reply(send: Send, status: int, body: dict[str, Any]) -> None:
    await _start(send, status, b"application/json")
    await _send(send, orjson.dumps(body), more=False)


async def _start(send: Send, status: int, kind: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})


async def _send(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})
