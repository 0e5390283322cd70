"""Answers that chat completions speak: how sound is asked for, and how it comes. Pure.

The protocol knows a voice and a form, and nothing else; the sound comes with its words, the transcript. What it has no
word for (another sample rate, a bit rate, several speakers, a language) is refused by name. Only bare PCM can be
streamed: any other form comes in one piece. The thirty names of the Gemini API are spoken by the voice of OpenAI's that
comes closest (`speech/voices.py`); any other name is the upstream's own.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from turnwise.domain.errors import InvalidRequest
from turnwise.models.model import Fragment, MediaFragment, Prompt, TextFragment
from turnwise.models.speech.voices import named

BARE = "audio/l16"
FORMS: Mapping[str, str] = {BARE: "pcm16", "audio/wav": "wav", "audio/mp3": "mp3", "audio/ogg_opus": "opus"}
"""Forms of sound, and how chat completions call them."""

RATE = 24_000
"""Samples a second, always."""

VOICE = "alloy"
"""Who speaks when the request does not say."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound that was asked for."""

    mime_type: str
    voice: str
    written: bool
    """Whether its words are wanted too."""

    @property
    def streams(self) -> bool:
        """Whether it can come piece by piece."""
        return self.mime_type == BARE

    def request(self) -> dict[str, Any]:
        """What asks for it. There is no sound without words in this protocol."""
        return {"modalities": ["text", "audio"], "audio": {"voice": self.voice, "format": FORMS[self.mime_type]}}

    def read(self, audio: Mapping[str, Any]) -> Iterable[Fragment]:
        """The fragments of a piece of sound, or of all of it.

        Raises:
            ValueError: what should be base64 is not.
        """
        words, data = audio.get("transcript"), audio.get("data")
        if words and self.written:
            yield TextFragment(words)
        if data:
            options = {"sample_rate": RATE, "channels": 1} if self.mime_type == BARE else {}
            yield MediaFragment(0, "audio", self.mime_type, base64.b64decode(data, validate=True), options=options)


def sound_of(prompt: Prompt) -> Sound | None:
    """The sound that a prompt asks for, if it asks for any.

    Raises:
        InvalidRequest: something is asked of it that there is no word for.
    """
    if "audio" not in prompt.modalities:
        return None
    form = prompt.audio
    mime_type = form.mime_type or BARE
    if mime_type not in FORMS:
        known = ", ".join(FORMS)
        raise _refused("response_format.mime_type", f"this model makes no {mime_type!r}; it makes {known}")
    if form.sample_rate not in (None, RATE):
        raise _refused("response_format.sample_rate", f"this model makes sound at {RATE}, not {form.sample_rate}")
    if form.bit_rate is not None:
        raise _refused("response_format.bit_rate", "this model cannot be told a bit rate; leave it out")
    return Sound(mime_type, _voice(prompt), "text" in prompt.modalities)


def _voice(prompt: Prompt) -> str:
    if not prompt.voices:
        return VOICE
    voice = prompt.voices[0]
    if len(prompt.voices) > 1 or voice.speaker is not None:
        raise _refused("generation_config.speech_config", "this model speaks with one voice, for no speaker by name")
    if voice.language is not None:
        raise _refused(
            "generation_config.speech_config", "this model cannot be told a language; say it in the text instead"
        )
    known = named(voice.voice)
    return known.openai if known else voice.voice or VOICE


def _refused(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, field=field)
