"""Sound in every form, checked by decoding it."""

import numpy as np
import pytest

from models.speech.hearing import decoded, pitch
from turnwise.domain.errors import InvalidRequest, ModelFailed
from turnwise.domain.formats import AudioFormat
from turnwise.models.speech.sound import RATES, Encoder, decode
from turnwise.models.speech.speaker import Sound

SECONDS = 4.0
TONE = 220.0

FORMS = {  # the container and the codec that PyAV names, and what it cannot know by itself
    "audio/l16": ("s16le", "pcm_s16le"),
    "audio/wav": ("wav", "pcm_s16le"),
    "audio/mp3": ("mp3", "mp3float"),
    "audio/ogg_opus": ("ogg", "opus"),
    "audio/alaw": ("alaw", "pcm_alaw"),
    "audio/mulaw": ("mulaw", "pcm_mulaw"),
}
OPUS_RATES = (8000, 16000, 24000, 48000)


def tone(rate: int = 22_050, seconds: float = SECONDS, hertz: float = TONE) -> bytes:
    times = np.arange(round(rate * seconds)) / rate
    return (8000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()


def encoded(asked: AudioFormat, *sounds: Sound, longest: float | None = None) -> tuple[bytes, Encoder]:
    encoder = Encoder(asked, longest)
    return b"".join([*(encoder.add(sound) for sound in sounds), encoder.end()]), encoder


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [(mime_type, rate) for mime_type in FORMS for rate in (OPUS_RATES if "opus" in mime_type else RATES)],
)
def test_every_form_at_every_rate_is_what_it_says(mime_type: str, rate: int) -> None:
    data, encoder = encoded(AudioFormat(mime_type=mime_type, sample_rate=rate), Sound(22_050, tone()))
    container, codec = FORMS[mime_type]
    bare = container in ("s16le", "alaw", "mulaw")
    file = decoded(data, container if bare else None, rate if bare else None)
    assert (encoder.mime_type, encoder.options) == (mime_type, {"sample_rate": rate, "channels": 1})
    assert (file.container, file.codec, file.channels) == (container, codec, 1)
    assert file.rate == (48_000 if codec == "opus" else rate)  # what Opus is decoded to, whatever went in
    assert file.seconds == pytest.approx(SECONDS, rel=0.05)
    assert encoder.seconds == pytest.approx(SECONDS, rel=0.002)
    assert pitch(file.samples, file.rate) == pytest.approx(TONE, rel=0.02)


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [(None, 24_000), ("audio/wav", 24_000), ("audio/mp3", 24_000), ("audio/ogg_opus", 24_000), ("audio/alaw", 8_000)],
)
def test_what_the_request_does_not_say_has_a_default(mime_type: str | None, rate: int) -> None:
    encoder = Encoder(AudioFormat(mime_type=mime_type))
    assert (encoder.mime_type, encoder.rate) == (mime_type or "audio/l16", rate)


def test_bare_pcm_is_little_endian() -> None:
    data, _ = encoded(AudioFormat(), Sound(24_000, (b"\x00\x10" * 2400)))
    assert data == b"\x00\x10" * 2400


@pytest.mark.parametrize(
    ("mime_type", "rate"), [("audio/ogg_opus", 44_100), ("audio/ogg_opus", 22_050), ("audio/wav", 11_025)]
)
def test_a_rate_that_a_form_cannot_have_is_refused_by_name(mime_type: str, rate: int) -> None:
    with pytest.raises(InvalidRequest, match=rf"response_format\.sample_rate: {mime_type} cannot have {rate}"):
        Encoder(AudioFormat(mime_type=mime_type, sample_rate=rate))


@pytest.mark.parametrize(
    ("mime_type", "low", "high"), [("audio/mp3", 16_000, 128_000), ("audio/ogg_opus", 12_000, 96_000)]
)
def test_the_bit_rate_is_kept(mime_type: str, low: int, high: int) -> None:
    rng = np.random.default_rng(7)
    noise = Sound(24_000, rng.integers(-8000, 8000, 24_000 * 4).astype("<i2").tobytes())
    for bit_rate in (low, high):
        data, _ = encoded(AudioFormat(mime_type=mime_type, bit_rate=bit_rate), noise)
        assert len(data) * 8 / 4 == pytest.approx(bit_rate, rel=0.25)


@pytest.mark.parametrize(
    ("mime_type", "bit_rate", "message"),
    [
        ("audio/wav", 64_000, "audio/wav is not compressed"),
        (None, 64_000, "audio/l16 is not compressed"),
        ("audio/mp3", 320_000, "with 24000 samples a second takes 8000 to 160000"),
        ("audio/ogg_opus", 100, "takes 6000 to 256000"),
    ],
)
def test_a_bit_rate_that_cannot_be_is_refused(mime_type: str | None, bit_rate: int, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        Encoder(AudioFormat(mime_type=mime_type, bit_rate=bit_rate))
    assert refused.value.field == "response_format.bit_rate"


@pytest.mark.parametrize("mime_type", ["audio/mp3", "audio/ogg_opus", "audio/alaw"])
def test_a_form_comes_as_it_is_made(mime_type: str) -> None:
    encoder = Encoder(AudioFormat(mime_type=mime_type))
    early = [encoder.add(Sound(22_050, tone(seconds=0.1))) for _ in range(20)]
    assert sum(1 for data in early if data) >= 8


def test_a_wav_comes_at_its_end() -> None:
    encoder = Encoder(AudioFormat(mime_type="audio/wav"))
    assert encoder.add(Sound(22_050, tone())) == b""
    assert encoder.end().startswith(b"RIFF")


def test_sound_of_several_rates_joins() -> None:
    data, encoder = encoded(
        AudioFormat(), Sound(22_050, tone(22_050)), Sound(48_000, tone(48_000)), Sound(8_000, tone(8_000))
    )
    assert encoder.seconds == pytest.approx(3 * SECONDS, rel=0.002)
    samples = np.frombuffer(data, "<i2").astype(float)
    third = len(samples) // 3
    for part in range(3):
        assert pitch(samples[part * third : (part + 1) * third]) == pytest.approx(TONE, rel=0.02)


def test_it_is_cut_to_the_sample() -> None:
    data, encoder = encoded(AudioFormat(), *[Sound(22_050, tone())] * 3, longest=6.04)
    assert (len(data), encoder.samples, encoder.was_cut) == (2 * 144_960, 144_960, True)


def test_what_is_as_long_as_it_may_be_is_not_cut() -> None:
    _, encoder = encoded(AudioFormat(), Sound(24_000, tone(24_000)), longest=SECONDS)
    assert (encoder.seconds, encoder.was_cut) == (SECONDS, False)


@pytest.mark.parametrize("mime_type", ["audio/wav", "audio/mp3", "audio/ogg_opus"])
def test_files_are_read_too(mime_type: str) -> None:
    data, _ = encoded(AudioFormat(mime_type=mime_type), Sound(24_000, tone(24_000)))
    (sound,) = decode(data)
    assert len(sound.data) / 2 / sound.rate == pytest.approx(SECONDS, rel=0.05)


@pytest.mark.parametrize("data", [b"", b"no sound", b"RIFF" + bytes(60)])
def test_what_is_no_sound_is_told(data: bytes) -> None:
    with pytest.raises(ModelFailed, match="no sound that can be read"):
        decode(data)
