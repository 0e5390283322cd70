"""A speaker whose engine runs in worker processes: each sentence is a job, with a short silence between two."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from turnwise.models.speech.sentences import sentences
from turnwise.models.speech.speaker import Line, Sound, silence
from turnwise.models.speech.workers import Workers

PAUSE = 0.25
"""Between two sentences, in seconds, for a voice that speaks as fast as usual."""


class PooledSpeaker(ABC):
    """What espeak-ng, Piper and Kokoro have in common."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers

    async def start(self) -> None:
        await self.workers.start()

    async def close(self) -> None:
        await self.workers.close()

    async def check(self, line: Line) -> None:
        """Whether there is such a voice (see the contract)."""
        self.job(line, await self.workers.about())

    async def speak(self, line: Line) -> AsyncGenerator[Sound, None]:
        """The line as sound (see the contract)."""
        rate, job = self.job(line, await self.workers.about())
        for index, sentence in enumerate(sentences(line.text)):
            if index:
                yield silence(rate, PAUSE / line.style.rate)
            async with aclosing(self.workers.work({**job, "text": sentence})) as pieces:
                async for piece in pieces:
                    yield Sound(rate, piece)

    @abstractmethod
    def job(self, line: Line, about: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The rate of a line's sound, and a worker's orders for it, without the text.

        Raises:
            InvalidRequest: no such voice, or it does not speak this language.
        """
