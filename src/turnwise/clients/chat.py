"""`turnwise chat`: a conversation in the terminal, streamed, over the same API that every client uses.

The server keeps the history: each turn names the one before. `/new` starts over, `/exit` or Ctrl-D leaves, and Ctrl-C
stops an answer in the middle.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

LONGEST_LINE = 64 * 2**20
"""Bytes of one event at the most."""


class ChatError(Exception):
    """The server could not be reached, or refused; the message is its own."""


@dataclass(slots=True)
class Chat:
    """One conversation with a server."""

    url: str
    model: str
    key: str
    system_instruction: str | None = None
    previous_interaction_id: str | None = None
    running_id: str | None = None
    """The turn that is being answered."""

    async def ask(self, text: str) -> AsyncIterator[str]:
        """Say something, and read the answer as it is made.

        Raises:
            ChatError: there is no server, or it refused.
        """
        body = {
            "model": self.model,
            "input": text,
            "stream": True,
            "system_instruction": self.system_instruction,
            "previous_interaction_id": self.previous_interaction_id,
        }
        try:
            async with (
                self._session() as session,
                session.post(
                    f"{self.url}/v1/interactions",
                    data=orjson.dumps({name: value for name, value in body.items() if value is not None}),
                ) as reply,
            ):
                if reply.content_type != "text/event-stream":
                    raise ChatError(self._refusal(reply.status, await reply.read()))
                async for line in reply.content:
                    if line.startswith(b"data: {"):
                        for piece in self._read(orjson.loads(line[6:])):
                            yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise ChatError(f"no answer from {self.url} ({error}); is `turnwise serve` running there?") from None

    async def stop(self) -> None:
        """Stop the turn that is being answered, if one is. The server would go on with it."""
        id, self.running_id = self.running_id, None
        with suppress(aiohttp.ClientError, OSError):
            async with self._session() as session:
                if id is not None:
                    await session.post(f"{self.url}/v1/interactions/{id}/cancel")

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=LONGEST_LINE // 2,  # aiohttp takes lines of twice this
            headers={"content-type": "application/json", "x-goog-api-key": self.key},
        )

    def _read(self, event: dict[str, Any]) -> list[str]:
        match event["event_type"]:
            case "interaction.created":
                self.running_id = event["interaction"]["id"]
            case "step.delta" if event["delta"]["type"] == "text":
                return [event["delta"]["text"]]
            case "interaction.completed":
                self.running_id = None
                if event["interaction"]["status"] in ("completed", "incomplete"):
                    self.previous_interaction_id = event["interaction"]["id"]
            case "error":
                raise ChatError(event["error"]["message"])
        return []

    def _refusal(self, status: int, body: bytes) -> str:
        with suppress(ValueError, KeyError, TypeError):
            return str(orjson.loads(body)["error"]["message"])
        return f"{self.url} answers with status {status}, and not as turnwise does; is it another server?"


def run_chat(chat: Chat, *, say: Callable[[str], None]) -> None:
    """Talk until the person leaves. Reads lines from the terminal, or from a pipe.

    Raises:
        ChatError: a line of a pipe could not be answered. A person is told, and may try again.
    """
    with suppress(ImportError):
        import readline  # noqa: F401  (line editing and history for `input`)
    interactive = sys.stdin.isatty()
    while True:
        try:
            text = input("> " if interactive else "").strip()
        except (EOFError, KeyboardInterrupt):
            say("\n" if interactive else "")
            return
        if text == "/exit":
            return
        if text == "/new":
            chat.previous_interaction_id = None
        elif text:
            try:
                _answer(chat, text, say)
            except ChatError as error:
                if not interactive:
                    raise
                say(f"[{error}]")
            say("\n")


def _answer(chat: Chat, text: str, say: Callable[[str], None]) -> None:
    async def stream() -> None:
        async for piece in chat.ask(text):
            say(piece)

    try:
        asyncio.run(stream())
    except KeyboardInterrupt:
        asyncio.run(chat.stop())
        say(" [stopped]")
