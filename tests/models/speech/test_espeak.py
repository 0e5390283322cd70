"""espeak-ng as a speaker: voices that can be told apart, languages, and styles that are heard."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from models.prompts import BOUND
from models.speech.hearing import brightness, loudness, pitch, voiced
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.models.speech.espeak import EspeakSpeaker
from turnwise.models.speech.speaker import Line
from turnwise.models.speech.style import read_style
from turnwise.models.speech.voices import VOICES

SENTENCE = "The quick brown fox jumps over the lazy dog, and seven grey wolves ran away home."
RATE = 22_050


@pytest.fixture
async def speaker() -> AsyncIterator[EspeakSpeaker]:
    made = EspeakSpeaker()
    yield made
    await made.close()


async def sound(speaker: EspeakSpeaker, text: str = SENTENCE, voice: str | None = None, **how: str) -> np.ndarray:
    """What a line sounds like, at the speaker's own rate."""
    line = Line(text, voice, how.get("language"), read_style(how.get("style", "")))
    await speaker.check(line)
    async with asyncio.timeout(BOUND), aclosing(speaker.speak(line)) as pieces:
        said = [piece async for piece in pieces]
    assert {piece.rate for piece in said} == {RATE}
    return np.frombuffer(b"".join(piece.data for piece in said), "<i2").astype(float)


async def test_no_two_of_the_thirty_voices_sound_alike(speaker: EspeakSpeaker) -> None:
    heard = {voice.name: await sound(speaker, voice=voice.name, language="en-US") for voice in VOICES}
    measured = {name: (pitch(said, RATE), brightness(said, RATE)) for name, said in heard.items()}
    assert len(measured) == 30
    for (one, (tone, light)), (other, (other_tone, other_light)) in combinations(measured.items(), 2):
        by_tone, by_light = abs(np.log(tone / other_tone)), abs(np.log(light / other_light))
        assert by_tone > 0.03 or by_light > 0.10, f"{one} and {other}: {by_tone:.3f}, {by_light:.3f}"


async def test_womens_voices_are_higher_than_mens(speaker: EspeakSpeaker) -> None:
    tones = {voice: pitch(await sound(speaker, voice=voice.name, language="en-US"), RATE) for voice in VOICES}
    women = [tone for voice, tone in tones.items() if voice.gender == "female"]
    men = [tone for voice, tone in tones.items() if voice.gender == "male"]
    assert (len(women), len(men)) == (14, 16)
    assert min(women) > 155 > max(men)


async def test_the_thirty_voices_are_about_as_loud_as_each_other(speaker: EspeakSpeaker) -> None:
    loud = [loudness(await sound(speaker, voice=voice.name, language="en-US")) for voice in VOICES]
    assert max(loud) < 2 * min(loud)


@pytest.mark.parametrize("name", ["kore", "KORE", "Kore", " kore "])
async def test_a_name_is_known_in_any_case_of_letters(speaker: EspeakSpeaker, name: str) -> None:
    _, job = speaker.job(Line(SENTENCE, name), await speaker.workers.about())
    assert job["voice"].endswith("+f1")


async def test_the_engines_own_voices_are_taken_as_they_are(speaker: EspeakSpeaker) -> None:
    low, high = await sound(speaker, voice="en-us+m1"), await sound(speaker, voice="EN-US+F3")
    assert pitch(low, RATE) < 130 < pitch(high, RATE)
    assert len(await sound(speaker, voice="de")) > RATE


@pytest.mark.parametrize("name", ["Nobody", "en-us+nobody", "xx+f1", "+f1", "../../f1"])
async def test_an_unknown_voice_is_refused_with_the_names(speaker: EspeakSpeaker, name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"there is no voice .*Zephyr, Puck, .*Sulafat") as refused:
        await speaker.check(Line(SENTENCE, name))
    assert refused.value.field == "generation_config.speech_config.voice"


async def test_a_language_that_is_not_spoken_is_refused_by_its_name(speaker: EspeakSpeaker) -> None:
    with pytest.raises(InvalidRequest, match=r"speech_config\.language: espeak-ng does not speak 'fil-PH'; .* de, "):
        await speaker.check(Line(SENTENCE, "kore", "fil-PH"))


async def test_a_voice_of_another_language_than_asked_for_is_refused(speaker: EspeakSpeaker) -> None:
    with pytest.raises(InvalidRequest, match="the voice 'de' speaks 'de', not 'fr-FR'"):
        await speaker.check(Line(SENTENCE, "de", "fr-FR"))


@pytest.mark.parametrize(
    ("text", "language", "voice"),
    [
        ("你好,世界", None, "sit/cmn+f1"),
        ("Guten Tag, wie geht es Ihnen?", None, "gmw/de+f1"),
        ("Hello", "de-DE", "gmw/de+f1"),
        ("Hello", "en-GB", "gmw/en+f1"),
        ("Hello", None, "gmw/en-US+f1"),
    ],
)
async def test_a_text_is_read_by_a_voice_of_its_language(
    speaker: EspeakSpeaker, text: str, language: str | None, voice: str
) -> None:
    _, job = speaker.job(Line(text, "Kore", language), await speaker.workers.about())
    assert job["voice"] == voice


async def test_chinese_is_spoken_and_not_spelled(speaker: EspeakSpeaker) -> None:
    text = "今天天氣很好,我們去公園。"
    chinese = await sound(speaker, text)
    english = await sound(speaker, text, language="en-US")
    assert 1.5 < len(chinese) / RATE < 6 < len(english) / RATE  # who does not read it names each sign


async def test_speed_is_heard(speaker: EspeakSpeaker) -> None:
    slow, plain, fast = [len(await sound(speaker, style=style)) for style in ("slowly", "", "fast")]
    assert slow > 1.25 * plain > 1.25 * 1.2 * fast


async def test_pitch_is_heard(speaker: EspeakSpeaker) -> None:
    deep, plain, high = [pitch(await sound(speaker, style=style), RATE) for style in ("deep", "", "high-pitched")]
    assert deep < 0.9 * plain < 0.9 * 0.9 * high


async def test_loudness_is_heard(speaker: EspeakSpeaker) -> None:
    quiet, plain, loud = [loudness(await sound(speaker, style=style)) for style in ("quietly", "", "loudly")]
    assert quiet < 0.7 * plain < 0.7 * 0.8 * loud


@pytest.mark.parametrize("name", ["Kore", "Puck"])
async def test_a_whisper_has_no_tone(speaker: EspeakSpeaker, name: str) -> None:
    assert voiced(await sound(speaker, voice=name, style="whispering"), RATE) < 0.2
    assert voiced(await sound(speaker, voice=name), RATE) > 0.5


async def test_sad_and_excited_are_told_apart(speaker: EspeakSpeaker) -> None:
    sad, excited = await sound(speaker, style="sadly"), await sound(speaker, style="excitedly")
    assert len(sad) > 1.3 * len(excited)
    assert pitch(sad, RATE) < 0.85 * pitch(excited, RATE)


async def test_sentences_have_a_silence_between_them(speaker: EspeakSpeaker) -> None:
    one, two = await sound(speaker, "Hello there."), await sound(speaker, "Hello there. Hello there.")
    assert 0.2 < (len(two) - 2 * len(one)) / RATE < 0.3


async def test_signs_that_mean_something_to_the_engine_are_only_text(speaker: EspeakSpeaker) -> None:
    cut, whole = await sound(speaker, "one"), await sound(speaker, "one\0two three four")
    assert len(whole) > 2 * len(cut)
    assert len(await sound(speaker, "<break time='600s'/>hello")) < 20 * RATE


# -- where the engine comes from


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that hides the package from the worker."""
    (tmp_path / "espeakng_loader.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed on this system")
async def test_the_systems_own_engine_speaks_where_the_package_is_not_installed(
    speaker: EspeakSpeaker, without_package: Path
) -> None:
    about = await speaker.workers.about()
    assert about["languages"]["en-us"]
    tones = [pitch(await sound(speaker, voice=name, language="en-US"), RATE) for name in ("Puck", "Kore", "Leda")]
    assert tones == pytest.approx([141, 168, 290], rel=0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are found in another way")
async def test_an_engine_that_is_nowhere_is_named_with_the_command_that_adds_it(
    speaker: EspeakSpeaker, without_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (without_package / "libespeak-ng.so.1").write_text("no library")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(without_package))
    with pytest.raises(
        Unimplemented, match=r"needs espeak-ng, which is not installed: pip install 'turnwise\[speech\]'"
    ):
        await speaker.check(Line("Hello"))
