"""Piper as a speaker: its own library, in its own process, with a model file that a test made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("piper", reason="needs piper-tts, which is under the GPL and no dependency: pip install piper-tts")

from models.prompts import BOUND
from models.speech.hearing import asked, hear, loudness, parts, pitch
from models.speech.weights import write_piper
from turnwise.domain.errors import InvalidRequest, ModelFailed
from turnwise.domain.formats import Voice
from turnwise.models.speech.piper import PiperSpeaker
from turnwise.models.speech.speaker import Line
from turnwise.models.speech.speech import SpeechModel
from turnwise.models.speech.style import read_style

Make = Callable[[Path], PiperSpeaker]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes speakers, and closes them behind the test."""
    made: list[PiperSpeaker] = []

    def speaker(source: Path) -> PiperSpeaker:
        made.append(PiperSpeaker(source, size=1))
        return made[-1]

    yield speaker
    for one in made:
        await one.close()


async def sound(
    speaker: PiperSpeaker, text: str = "Hello there, my friend.", voice: str | None = None, style: str = ""
) -> tuple[int, np.ndarray]:
    line = Line(text, voice, style=read_style(style))
    await speaker.check(line)
    async with asyncio.timeout(BOUND), aclosing(speaker.speak(line)) as pieces:
        said = [piece async for piece in pieces]
    return said[0].rate, np.frombuffer(b"".join(piece.data for piece in said), "<i2").astype(float)


async def test_a_voice_speaks(make: Make, tmp_path: Path) -> None:
    speaker = make(write_piper(tmp_path, "en_US-tiny-low", rate=16_000))
    rate, said = await sound(speaker)
    assert rate == 16_000
    assert len(said) > rate / 2
    assert pitch(said, rate) == pytest.approx(200, rel=0.02)


async def test_the_model_speaks_at_the_rate_that_is_asked_for(make: Make, tmp_path: Path) -> None:
    model = SpeechModel("piper", make(write_piper(tmp_path, "tiny", rate=16_000)))
    answer = await hear(model, asked("Say: Hello there. How are you?"))
    assert len(parts(answer.samples, pause=0.2)) == 2
    assert pitch(answer.samples) == pytest.approx(200, rel=0.02)


async def test_speed_and_loudness_are_heard(make: Make, tmp_path: Path) -> None:
    speaker = make(write_piper(tmp_path, "tiny"))
    _, plain = await sound(speaker)
    _, slow = await sound(speaker, style="slowly")
    _, quiet = await sound(speaker, style="quietly")
    assert len(slow) == pytest.approx(len(plain) / 0.7, rel=0.02)
    assert loudness(quiet) == pytest.approx(0.5 * loudness(plain), rel=0.05)


async def test_speakers_of_one_file_are_voices(make: Make, tmp_path: Path) -> None:
    speaker = make(write_piper(tmp_path, "tiny", speakers=2))
    tones = [pitch((await sound(speaker, voice=f"tiny:speaker{index}"))[1], 22_050) for index in (0, 1)]
    assert tones == pytest.approx([200, 300], rel=0.02)


async def test_the_thirty_names_stand_for_the_voices_that_there_are(make: Make, tmp_path: Path) -> None:
    model = SpeechModel("piper", make(write_piper(tmp_path, "tiny", speakers=2)))
    voices = (Voice("Zephyr", speaker="A"), Voice("puck", speaker="B"))
    answer = await hear(model, asked("A: Hello there.\nB: Hello to you.", voices=voices))
    assert [pitch(part) for part in parts(answer.samples)] == pytest.approx([200, 300], rel=0.02)


async def test_a_folder_of_voices_speaks_their_languages(make: Make, tmp_path: Path) -> None:
    write_piper(tmp_path, "en_US-tiny-low")
    write_piper(tmp_path, "de_DE-tiny-low", language="de_DE", speakers=2)
    speaker = make(tmp_path)
    for text, language, path in [
        ("Hello there, how are you?", None, "en_US-tiny-low.onnx"),
        ("Guten Tag, wie geht es Ihnen?", None, "de_DE-tiny-low.onnx"),
        ("Hello", "de-AT", "de_DE-tiny-low.onnx"),
        ("你好", None, "de_DE-tiny-low.onnx"),
    ]:
        _, job = speaker.job(Line(text, "Zephyr", language), {})
        assert Path(job["path"]).name == path


async def test_an_unknown_voice_or_language_is_refused_with_what_there_is(make: Make, tmp_path: Path) -> None:
    speaker = make(write_piper(tmp_path, "tiny"))
    with pytest.raises(InvalidRequest, match=r"no voice 'nobody'.*Zephyr.*Piper's own: tiny"):
        await speaker.check(Line("Hello", "nobody"))
    with pytest.raises(InvalidRequest, match="no voice for 'fr-FR' here; there are voices for: en-us"):
        await speaker.check(Line("Hello", "tiny", "fr-FR"))


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"needs the file .*none\.onnx"):
        PiperSpeaker(tmp_path / "none.onnx")
    path = write_piper(tmp_path, "tiny")
    description = path.with_name("tiny.onnx.json")
    description.write_text("{}")
    with pytest.raises(ValueError, match="is no description of a Piper voice"):
        PiperSpeaker(path)
    description.unlink()
    with pytest.raises(ValueError, match=r"needs the file .*tiny\.onnx\.json"):
        PiperSpeaker(path)


def test_a_folder_without_voices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no Piper voices"):
        PiperSpeaker(tmp_path)


async def test_weights_that_are_none_are_told(make: Make, tmp_path: Path) -> None:
    path = write_piper(tmp_path, "tiny")
    path.write_bytes(b"no weights")
    with pytest.raises(ModelFailed, match="Piper could not speak"):
        await sound(make(path))
