"""The application in process before a real OpenAI-compatible upstream on a loopback socket, and what that answers.

async with behind(CARD, spoken("It is sunny.")) as (app, upstream):
    await app.create("Weather?")
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from models.upstream import DONE, USAGE, Reply, Request, Upstream, body, delta, event, events, serve
from support import App, open_app
from turnwise.models.model import Fragment, ModelCard, Prompt
from turnwise.models.openai import OpenAIModel


class _Behind:
    """A model that is made after the application: an upstream must be gone before that looks for what is left."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.model: OpenAIModel | None = None

    def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        assert self.model is not None
        return self.model.stream(prompt)


@asynccontextmanager
async def behind(card: ModelCard, *replies: Reply, **options: Any) -> AsyncIterator[tuple[App, Upstream]]:
    """The application, and the upstream that gives these replies."""
    model = _Behind(card)
    async with open_app(model=model, **options) as app, serve(*replies) as upstream:
        model.model = OpenAIModel(card, upstream.url, "qwen")
        yield app, upstream
        await model.model.close()


def spoken(*texts: str, reasoning: tuple[str, ...] = ()) -> Reply:
    """An answer in words, behind reasoning of the upstream's own if there is any."""
    thoughts = [{"reasoning_content": text} for text in reasoning]
    message = {"role": "assistant", "content": "".join(texts)}
    if reasoning:
        message["reasoning_content"] = "".join(reasoning)
    return _answer([*thoughts, *({"content": text} for text in texts)], message, "stop")


def tool_calls(*calls: tuple[str | None, str, Any], reasoning: str = "") -> Reply:
    """An answer that makes these calls, each an id, a name and arguments. Streamed, they come in pieces."""
    pieces: list[dict[str, Any]] = [{"reasoning_content": reasoning}] if reasoning else []
    whole = []
    for index, (id, name, arguments) in enumerate(calls):
        text = orjson.dumps(arguments).decode()
        whole.append({"id": id, "type": "function", "function": {"name": name, "arguments": text}})
        start = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
        parts = [{"index": index, "function": {"arguments": part}} for part in (text[:5], text[5:])]
        pieces += [{"tool_calls": [piece]} for piece in (start, *parts)]
    message = {"role": "assistant", "content": None, "tool_calls": whole}
    if reasoning:
        message["reasoning_content"] = reasoning
    return _answer(pieces, message, "tool_calls")


def _answer(pieces: list[dict[str, Any]], message: dict[str, Any], finish: str) -> Reply:
    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        if request.body["stream"]:
            deltas = [delta(role="assistant", content=None), *(delta(**piece) for piece in pieces), delta(finish)]
            await events(*deltas, event(choices=[], usage=USAGE), DONE)(request, out)
        else:
            choice = {"index": 0, "message": message, "finish_reason": finish}
            await body(orjson.dumps({"choices": [choice], "usage": USAGE}))(request, out)

    return reply
