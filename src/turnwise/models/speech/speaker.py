"""The contract of a speaker: who turns one line of text into sound. `espeak.py`, `piper.py`, `kokoro.py` and
`openai.py` are speakers; `speech.py` makes a model of any of them.

The smallest speaker there is:

    class Hum:
        async def check(self, line: Line) -> None: ...

        async def speak(self, line: Line) -> AsyncGenerator[Sound, None]:
            yield silence(24_000, 0.1 * len(line.text))

        async def start(self) -> None: ...
        async def close(self) -> None: ...

A speaker gives sound as it is made, at the rate that is its own. One place (`sound.py`) brings it to the rate and the
form that were asked for.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from turnwise.models.speech.style import PLAIN, Style

SAMPLE = 2
"""Bytes of a sample."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of sound: mono PCM, signed 16 bits, little-endian."""

    rate: int
    """Samples a second."""
    data: bytes


def silence(rate: int, seconds: float) -> Sound:
    """Nothing to be heard, for as long as this."""
    return Sound(rate, bytes(SAMPLE * round(rate * seconds)))


@dataclass(frozen=True, slots=True)
class Line:
    """What one voice says in one go, and how."""

    text: str
    voice: str | None = None
    """The name that the request gave. None: the speaker's own choice."""
    language: str | None = None
    """As in `en-US`. None: told from the text."""
    style: Style = PLAIN
    """What the directions ask for, in numbers."""
    directions: str = ""
    """The user's own words on how to say it, for a speaker that understands words."""
    path: str = "generation_config.speech_config"
    """Where in the request the voice was chosen, for errors."""


class Speaker(Protocol):
    """Who speaks. An implementation needs no base class."""

    async def check(self, line: Line) -> None:
        """See to it that the line can be spoken, before any line is.

        Raises:
            InvalidRequest: it has no such voice, or does not speak this language.
            Unimplemented: a part that it needs is not installed.
            ModelFailed: it does not work.
        """

    def speak(self, line: Line) -> AsyncGenerator[Sound, None]:
        """The line as sound, piece by piece. Leaving it early (`aclose`) stops the work.

        Raises:
            TurnwiseError: it cannot, or broke off.
        """

    async def start(self) -> None:
        """Begin to be ready, without waiting until it is."""

    async def close(self) -> None:
        """End, and leave nothing behind."""
