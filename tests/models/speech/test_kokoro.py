"""Kokoro as a speaker: its own library, in its own process, with weights that a test made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("kokoro_onnx", reason="needs parts under the GPL and is no dependency: pip install kokoro-onnx")

from models.prompts import BOUND
from models.speech.hearing import asked, hear, parts, pitch
from models.speech.weights import write_kokoro
from turnwise.domain.errors import InvalidRequest, ModelFailed
from turnwise.domain.formats import Voice
from turnwise.models.speech.kokoro import KokoroSpeaker
from turnwise.models.speech.speaker import Line
from turnwise.models.speech.speech import SpeechModel
from turnwise.models.speech.style import read_style

RATE = 24_000

Make = Callable[[Path], KokoroSpeaker]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes speakers, and closes them behind the test."""
    made: list[KokoroSpeaker] = []

    def speaker(source: Path) -> KokoroSpeaker:
        made.append(KokoroSpeaker(source))
        return made[-1]

    yield speaker
    for one in made:
        await one.close()


async def sound(speaker: KokoroSpeaker, voice: str | None = None, style: str = "") -> np.ndarray:
    line = Line("Hello there, my friend.", voice, style=read_style(style))
    await speaker.check(line)
    async with asyncio.timeout(BOUND), aclosing(speaker.speak(line)) as pieces:
        said = [piece async for piece in pieces]
    assert {piece.rate for piece in said} == {RATE}
    return np.frombuffer(b"".join(piece.data for piece in said), "<i2").astype(float)


async def test_its_own_voices_speak(make: Make, tmp_path: Path) -> None:
    speaker = make(write_kokoro(tmp_path, af_heart=300, am_adam=120))
    assert pitch(await sound(speaker, "af_heart"), RATE) == pytest.approx(300, rel=0.02)
    assert pitch(await sound(speaker, "AM_Adam"), RATE) == pytest.approx(120, rel=0.02)


async def test_the_thirty_names_are_womens_and_mens_voices(make: Make, tmp_path: Path) -> None:
    write_kokoro(tmp_path, af_heart=300, am_adam=120, zf_xiaobei=250)
    model = SpeechModel("kokoro", make(tmp_path))
    voices = (Voice("Kore", speaker="A"), Voice("Puck", speaker="B"))
    answer = await hear(model, asked("A: Hello there.\nB: Hello to you.", voices=voices))
    assert [pitch(part) for part in parts(answer.samples)] == pytest.approx([300, 120], rel=0.02)


async def test_a_language_has_its_own_voices(make: Make, tmp_path: Path) -> None:
    write_kokoro(tmp_path, af_heart=300, zf_xiaobei=250, zm_yunxi=110)
    speaker = make(tmp_path)
    about = await speaker.workers.about()
    for text, language, voice, chosen in [
        ("Hello there", None, "Kore", "af_heart"),
        ("你好,世界", None, "Kore", "zf_xiaobei"),
        ("Hello", "zh-TW", "Puck", "zm_yunxi"),
        ("Hello there", None, "Puck", "af_heart"),  # no man speaks English here
    ]:
        assert speaker.job(Line(text, voice, language), about)[1]["voice"] == chosen


async def test_speed_is_heard(make: Make, tmp_path: Path) -> None:
    speaker = make(write_kokoro(tmp_path, af_heart=300))
    assert len(await sound(speaker, style="slowly")) == pytest.approx(len(await sound(speaker)) / 0.7, rel=0.03)


async def test_an_unknown_voice_or_language_is_refused_with_what_there_is(make: Make, tmp_path: Path) -> None:
    speaker = make(write_kokoro(tmp_path, af_heart=300))
    with pytest.raises(InvalidRequest, match=r"no voice 'nobody'.*Zephyr.*Kokoro's own: af_heart"):
        await speaker.check(Line("Hello", "nobody"))
    with pytest.raises(InvalidRequest, match="no voice for 'fr-FR' here; there are voices for: en-us"):
        await speaker.check(Line("Hello", "Kore", "fr-FR"))
    with pytest.raises(InvalidRequest, match="the voice 'af_heart' speaks 'en-us', not 'fr-FR'"):
        await speaker.check(Line("Hello", "af_heart", "fr-FR"))


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no weights of Kokoro"):
        KokoroSpeaker(tmp_path)
    path = write_kokoro(tmp_path, af_heart=300)
    (tmp_path / "voices-v1.0.bin").unlink()
    with pytest.raises(ValueError, match="needs the file of its voices"):
        KokoroSpeaker(path)


async def test_weights_that_are_none_are_told(make: Make, tmp_path: Path) -> None:
    path = write_kokoro(tmp_path, af_heart=300)
    path.write_bytes(b"no weights")
    with pytest.raises(ModelFailed):
        await sound(make(path))
