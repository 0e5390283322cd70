"""Kokoro as a speaker, with the user's weights: the model's .onnx file, and the file of its voices beside it.

Kokoro's own voices say in two letters what they are: `af_heart` speaks American English and is a woman. Each of the
thirty names of the API is given one of the language and the gender, always the same. Kokoro can speak faster, slower
and softer; it has no pitch to turn.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turnwise.domain.errors import InvalidRequest
from turnwise.models.speech.languages import find_language, guess_language
from turnwise.models.speech.pooled import PooledSpeaker
from turnwise.models.speech.speaker import Line
from turnwise.models.speech.voices import DEFAULT_VOICE, named, no_voice, standing_in
from turnwise.models.speech.workers import Workers

LANGUAGES = {
    "a": "en-us",
    "b": "en-gb",
    "e": "es",
    "f": "fr-fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-br",
    "z": "cmn",
}
"""What the first letter of a voice's name says, as espeak-ng calls it, which reads the text."""

SPEEDS = (0.5, 2.0)


class KokoroSpeaker(PooledSpeaker):
    """Kokoro in processes of its own."""

    def __init__(self, source: Path, *, size: int = 1) -> None:
        """Raises:
        ValueError: a file is missing.
        """
        model, voices = find_files(source)
        orders = {"model": str(model), "voices": str(voices)}
        super().__init__(Workers("turnwise.models.speech.kokoro_worker", orders, what="Kokoro", size=size))

    def job(self, line: Line, about: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the worker is told (see `PooledSpeaker`)."""
        voice = self._voice(line, about["voices"])
        least, most = SPEEDS
        return about["rate"], {
            "voice": voice,
            "language": _language(voice),
            "rate": min(max(line.style.rate, least), most),
            "volume": min(line.style.volume, 1.0),
        }

    def _voice(self, line: Line, own: Sequence[str]) -> str:
        standard = named(line.voice or DEFAULT_VOICE)
        if standard is not None:
            voices = _of_language(line, own)
            alike = [voice for voice in voices if voice[1:2] == standard.gender[0]]
            return standing_in(standard, alike or voices)
        name = (line.voice or "").strip().lower()
        if name not in own:
            raise no_voice(line.voice or "", line.path, f"; or one of Kokoro's own: {', '.join(own)}")
        if line.language is not None and find_language(line.language, {_language(name)}) is None:
            raise InvalidRequest(
                f"the voice {name!r} speaks {_language(name)!r}, not {line.language!r}; leave one out",
                field=f"{line.path}.language",
            )
        return name


def find_files(source: Path) -> tuple[Path, Path]:
    """The weights and the voices: `source` is the .onnx file, or the folder in which both are.

    Raises:
        ValueError: one of them is not there.
    """
    folder = source if source.is_dir() else source.parent
    model = next(iter(sorted(folder.glob("*.onnx"))), None) if source.is_dir() else source
    voices = next(iter(sorted([*folder.glob("voices*.bin"), *folder.glob("voices*.npz")])), None)
    if model is None or not model.is_file():
        raise ValueError(f"there are no weights of Kokoro (.onnx) at {source}")
    if voices is None:
        raise ValueError(f"Kokoro needs the file of its voices (voices*.bin) in {folder}")
    return model, voices


def _of_language(line: Line, own: Sequence[str]) -> list[str]:
    """The voices of a line's language. Where the request names none, the text may be in one that nobody speaks: then
    all of them, since that was a guess."""
    spoken = {_language(voice) for voice in own}
    language = find_language(line.language or guess_language(line.text), spoken)
    if language is None and line.language is not None:
        raise InvalidRequest(
            f"Kokoro has no voice for {line.language!r} here; there are voices for: {', '.join(sorted(spoken))}",
            field=f"{line.path}.language",
        )
    return [voice for voice in own if _language(voice) == language] or list(own)


def _language(voice: str) -> str:
    return LANGUAGES.get(voice[:1], "en-us")
