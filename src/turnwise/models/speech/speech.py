"""A model that speaks: a prompt in, sound out.

    model = SpeechModel("espeak", EspeakSpeaker())

What is spoken, and by which voice, says `script.py`; who makes the sound, a `Speaker`; the form it has, `sound.py`. The
answer is one piece of audio. Its cost is counted as the API counts it: 25 tokens a second of sound; the input by a rule
of our own, since nothing here reads tokens: one for every four bytes of the user's text, as UTF-8.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.interaction import Usage
from turnwise.models.model import Finished, Fragment, MediaFragment, ModelCard, Prompt, Taken, UsageFragment
from turnwise.models.speech.script import read_asked, read_script
from turnwise.models.speech.speaker import SAMPLE, Line, Sound, Speaker, silence
from turnwise.models.speech.style import has_style

if TYPE_CHECKING:
    from turnwise.models.speech.sound import Encoder

TOKENS_A_SECOND = 25
"""Of sound, as the API counts."""

BYTES_A_TOKEN = 4
"""Of text, as we count."""

LONGEST = 1800.0
"""The longest sound of one answer, in seconds: there it ends, as one that reached its limit of tokens."""

BETWEEN_LINES = 0.35
"""The silence between two lines, in seconds."""

FIRST_PIECE, LARGEST_PIECE = 0.1, 1.0
"""How much sound one fragment has, in seconds: little at first, so that it is heard soon, and then ever more."""

ENCODED_AT_ONCE = 0.2
"""How much sound is encoded in one go, in seconds: the slowest codec takes three milliseconds for it."""

PARAMETERS = ("temperature", "top_p", "top_k", "seed", "stop_sequences")
"""What a request can set and such a voice does not know."""


class SpeechModel:
    """A model that answers with sound, by one speaker."""

    def __init__(self, name: str, speaker: Speaker, *, longest: float = LONGEST, understands: bool = False) -> None:
        """`understands`: whether the speaker takes directions in any words, not only in those that `style.py` knows."""
        self.card = ModelCard(name, outputs=frozenset({"audio"}))
        self._speaker = speaker
        self._longest = longest
        self._understands = understands

    async def start(self) -> None:
        """Begin to be ready, without waiting until it is."""
        await self._speaker.start()

    async def close(self) -> None:
        """End what speaks."""
        await self._speaker.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        refuse_unknown(prompt)
        _refuse_parameters(prompt)
        if not self._understands:
            _refuse_system(prompt)
        delivery = Delivery(prompt, self._longest)
        lines = read_script(prompt)
        for line in {(line.voice, line.language): line for line in reversed(lines)}.values():
            await self._speaker.check(line)
        async with aclosing(self._perform(lines)) as sounds:
            async for fragment in delivery.fragments(sounds):
                yield fragment

    async def _perform(self, lines: Sequence[Line]) -> AsyncGenerator[Sound, None]:
        """All lines, with a silence between them."""
        rate = 0
        for line in lines:
            if rate:
                yield silence(rate, BETWEEN_LINES)
            async with aclosing(self._speaker.speak(line)) as sounds:
                async for sound in sounds:
                    rate = sound.rate
                    yield sound


class Delivery:
    """Sound as the fragments of an answer: in the form that was asked for, counted, and cut where it has to end."""

    def __init__(self, prompt: Prompt, longest: float = LONGEST) -> None:
        """Raises:
        InvalidRequest: there is no such form.
        Unimplemented: what encodes is not installed.
        """
        self.usage: Usage | None = None
        """What the upstream says it cost, if one says so."""
        self._prompt = prompt
        tokens = prompt.generation.max_output_tokens
        self._encoder = _encoder(prompt, longest if tokens is None else min(longest, tokens / TOKENS_A_SECOND))
        self._waiting: list[bytes] = []
        self._sent = 0
        """How many samples went into fragments so far."""
        self._piece = FIRST_PIECE

    async def fragments(self, sounds: AsyncIterable[Sound]) -> AsyncGenerator[Fragment, None]:
        """The whole answer. It is taken when its first sound is there.

        Raises:
            InvalidRequest: there is nothing in it that makes a sound.
        """
        taken = False
        async with aclosing(_in_pieces(sounds)) as pieces:
            async for sound in pieces:
                if not taken:
                    yield Taken()
                    taken = True
                if fragment := self._encoded(sound):
                    yield fragment
                if self._encoder.was_cut:
                    break
        if not taken:
            raise InvalidRequest("there is nothing in it that can be heard", field="input")
        self._waiting.append(self._encoder.end())
        if any(self._waiting):
            yield self._gathered()
        yield UsageFragment(self.usage or self._counted())
        yield Finished("length" if self._encoder.was_cut else "stop")

    def _encoded(self, sound: Sound) -> MediaFragment | None:
        """What is ready to be sent with this sound, if it is enough for a fragment."""
        self._waiting.append(self._encoder.add(sound))
        unsent = self._encoder.samples - self._sent
        if not self._prompt.streaming or unsent < round(self._piece * self._encoder.rate) or not any(self._waiting):
            return None
        self._piece = min(self._piece * 2, LARGEST_PIECE)
        return self._gathered()

    def _gathered(self) -> MediaFragment:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._sent = self._encoder.samples
        return MediaFragment(0, "audio", self._encoder.mime_type, data, options=self._encoder.options)

    def _counted(self) -> Usage:
        text = read_asked(self._prompt).said
        return Usage(
            input={"text": math.ceil(len(text.encode()) / BYTES_A_TOKEN)},
            output={"audio": math.ceil(self._encoder.seconds * TOKENS_A_SECOND)},
        )


async def _in_pieces(sounds: AsyncIterable[Sound]) -> AsyncGenerator[Sound, None]:
    """Sound in pieces that are quickly encoded, with a turn for others between them: to encode is work."""
    async for sound in sounds:
        size = SAMPLE * round(sound.rate * ENCODED_AT_ONCE)
        for start in range(0, len(sound.data), size):
            yield Sound(sound.rate, sound.data[start : start + size])
            await asyncio.sleep(0)


def _encoder(prompt: Prompt, longest: float) -> "Encoder":
    try:
        from turnwise.models.speech.sound import Encoder
    except ImportError as error:
        raise Unimplemented("speech needs PyAV, which is not installed: pip install 'turnwise[speech]'") from error
    return Encoder(prompt.audio, longest)


def refuse_unknown(prompt: Prompt) -> None:
    """Refuse what a request asks for and no voice can give.

    Raises:
        InvalidRequest: by its name.
    """
    if "audio" not in prompt.modalities:
        raise InvalidRequest("this model answers with sound only: ask for audio", field="response_modalities")
    if prompt.tools:
        raise InvalidRequest("a voice calls no functions; leave them out", field="tools")
    if prompt.schema is not None:
        raise InvalidRequest("a voice writes no JSON; leave it out", field="response_format")


def _refuse_parameters(prompt: Prompt) -> None:
    """Refuse what only a language model can be told."""
    for name in PARAMETERS:
        if getattr(prompt.generation, name) not in (None, ()) and name not in prompt.wishes:
            raise InvalidRequest("this voice has no such parameter; leave it out", field=f"generation_config.{name}")


def _refuse_system(prompt: Prompt) -> None:
    system = prompt.system_instruction
    if system and not has_style(system):
        raise InvalidRequest(
            "this voice only understands words on how to speak, such as 'slowly', 'cheerfully' or 'in a whisper', and"
            f" finds none in {system[:80]!r}",
            field="system_instruction",
        )
