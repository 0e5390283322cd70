"""Piper as a speaker, with the user's voices: an .onnx file with its .onnx.json beside it, or a folder of them.

A voice is asked for by its file's name (`en_US-lessac-medium`), where the file has several by `FILE:SPEAKER`. Each of
the thirty names of the API is given one of them, always the same: with a single voice all names sound alike. Piper can
speak faster, slower, louder and softer; it has no pitch to turn, and its sound differs a little each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from turnwise.domain.errors import InvalidRequest
from turnwise.models.speech.languages import find_language, guess_language
from turnwise.models.speech.pooled import PooledSpeaker
from turnwise.models.speech.speaker import Line
from turnwise.models.speech.voices import DEFAULT_VOICE, named, no_voice, standing_in
from turnwise.models.speech.workers import Workers


@dataclass(frozen=True, slots=True)
class PiperVoice:
    """One voice of one file."""

    name: str
    path: Path
    rate: int
    language: str
    """As in `en-us`."""
    speaker: int | None = None
    """Which of the file's speakers. None: it has one."""


class PiperSpeaker(PooledSpeaker):
    """Piper in processes of its own."""

    def __init__(self, source: Path, *, size: int = 2) -> None:
        """Raises:
        ValueError: there are no voices, or a file that belongs to one is missing or says something else.
        """
        super().__init__(Workers("turnwise.models.speech.piper_worker", {}, what="Piper", size=size))
        self.voices = read_voices(source)

    def job(self, line: Line, about: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What the worker is told (see `PooledSpeaker`)."""
        voice = self._voice(line)
        return voice.rate, {
            "path": str(voice.path),
            "speaker": voice.speaker,
            "rate": line.style.rate,
            "volume": min(line.style.volume, 1.0),  # it is as loud as can be already
        }

    def _voice(self, line: Line) -> PiperVoice:
        standard = named(line.voice or DEFAULT_VOICE)
        voices = self._speaking(line)
        if standard is not None:
            name = standing_in(standard, [voice.name for voice in voices])
        else:
            name = (line.voice or "").strip()
        found = next((voice for voice in voices if voice.name.casefold() == name.casefold()), None)
        if found is None:
            own = ", ".join(voice.name for voice in voices)
            raise no_voice(name, line.path, f"; or one of Piper's own: {own}")
        return found

    def _speaking(self, line: Line) -> Sequence[PiperVoice]:
        """The voices of a line's language. Where the request names none, the text may be in one that nobody speaks:
        then all of them, since that was a guess."""
        spoken = {voice.language for voice in self.voices}
        if line.language is None:
            wanted = find_language(guess_language(line.text), spoken) if named(line.voice or DEFAULT_VOICE) else None
            return [voice for voice in self.voices if voice.language == wanted] or self.voices
        language = find_language(line.language, spoken)
        if language is None:
            raise InvalidRequest(
                f"Piper has no voice for {line.language!r} here; there are voices for: {', '.join(sorted(spoken))}",
                field=f"{line.path}.language",
            )
        return [voice for voice in self.voices if voice.language == language]


def read_voices(source: Path) -> tuple[PiperVoice, ...]:
    """The voices of a file or a folder.

    Raises:
        ValueError: see `PiperSpeaker`.
    """
    files = sorted(source.glob("*.onnx")) if source.is_dir() else [source]
    voices = [voice for file in files for voice in _read_file(file)]
    if not voices:
        raise ValueError(f"there are no Piper voices (.onnx) in {source}")
    return tuple(voices)


def _read_file(file: Path) -> list[PiperVoice]:
    beside = file.with_name(f"{file.name}.json")
    for needed in (file, beside):
        if not needed.is_file():
            raise ValueError(f"the Piper voice {file.stem!r} needs the file {needed}")
    try:
        config = orjson.loads(beside.read_bytes())
        rate = int(config["audio"]["sample_rate"])
        language = str(config.get("language", {}).get("code") or config["espeak"]["voice"]).lower().replace("_", "-")
        speakers = dict(config.get("speaker_id_map") or {})
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{beside} is no description of a Piper voice") from error
    if int(config.get("num_speakers") or 1) <= 1:
        return [PiperVoice(file.stem, file, rate, language)]
    names = speakers or {str(index): index for index in range(int(config["num_speakers"]))}
    return [PiperVoice(f"{file.stem}:{name}", file, rate, language, index) for name, index in names.items()]
