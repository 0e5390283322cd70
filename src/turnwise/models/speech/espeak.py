"""espeak-ng as a speaker: a hundred languages, no weights, a thousand times as fast as it talks.

A voice is one of the thirty names (`voices.py`), or one of the engine's own: a language with or without a variant
(`de`, `en-us+f3`). How something is to be said becomes a speed, a pitch, a range and a loudness.
"""

import math
from typing import Any

from turnwise.domain.errors import InvalidRequest
from turnwise.models.speech.languages import find_language, guess_language
from turnwise.models.speech.pooled import PooledSpeaker
from turnwise.models.speech.speaker import Line
from turnwise.models.speech.voices import DEFAULT_VOICE, NamedVoice, named, no_voice
from turnwise.models.speech.workers import Workers

PLAIN_RATE, PLAIN_PITCH, PLAIN_RANGE, PLAIN_VOLUME = 175, 50, 50, 100
"""How the engine's own voices speak."""


class EspeakSpeaker(PooledSpeaker):
    """espeak-ng in processes of its own."""

    def __init__(self, *, size: int = 2) -> None:
        super().__init__(Workers("turnwise.models.speech.espeak_worker", {}, what="espeak-ng", size=size))

    def job(self, line: Line, about: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the worker is told (see `PooledSpeaker`)."""
        languages: dict[str, str] = about["languages"]
        voice = named(line.voice or DEFAULT_VOICE)
        if voice is not None:
            place = languages[self._language(line, languages)]
            rate, pitch, melody, volume = voice.rate, voice.pitch, voice.range, voice.volume
            variant = voice.variant if voice.variant in about["variants"] else _plain_variant(voice)
        else:
            place, variant = self._own(line, languages, about["variants"])
            rate, pitch, melody, volume = PLAIN_RATE, PLAIN_PITCH, PLAIN_RANGE, PLAIN_VOLUME
        style = line.style
        if style.whisper:
            is_female = voice.gender == "female" if voice else variant.startswith("f")
            variant, volume = "whisperf" if is_female else "whisper", PLAIN_VOLUME
        return about["rate"], {
            "voice": f"{place}+{variant}" if variant else place,
            "rate": round(rate * style.rate),
            "pitch": min(max(round(pitch + 50 * math.log2(style.pitch)), 0), 99),
            "range": min(round(melody * style.range), 99),
            "volume": min(round(volume * style.volume), 200),
        }

    def _language(self, line: Line, languages: dict[str, str]) -> str:
        """The language that a line is spoken in."""
        if line.language is None:
            return find_language(guess_language(line.text), languages) or "en"
        language = find_language(line.language, languages)
        if language is None:
            known = ", ".join(sorted(languages))
            raise InvalidRequest(
                f"espeak-ng does not speak {line.language!r}; it speaks: {known}", field=f"{line.path}.language"
            )
        return language

    def _own(self, line: Line, languages: dict[str, str], variants: list[str]) -> tuple[str, str]:
        """One of the engine's own voices: where it is, and its variant."""
        assert line.voice is not None
        language, plus, variant = line.voice.strip().partition("+")
        found = language.lower() if language.lower() in languages else None
        spelled = {known.lower(): known for known in variants}
        if found is None or (plus and variant.lower() not in spelled):
            raise no_voice(line.voice, line.path, "; or one of espeak-ng's own, such as en-us+f3")
        if line.language is not None and find_language(line.language, languages) != found:
            raise InvalidRequest(
                f"the voice {line.voice!r} speaks {found!r}, not {line.language!r}; leave one out",
                field=f"{line.path}.language",
            )
        return languages[found], spelled[variant.lower()] if plus else ""


def _plain_variant(voice: NamedVoice) -> str:
    """What stands for a variant that an older engine does not have."""
    return "f2" if voice.gender == "female" else "m3"
