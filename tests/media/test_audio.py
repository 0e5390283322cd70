"""What recordings say: facts of files in all forms, and what is spoken in them."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from media.speaker import write_weights
from media.staged import RATE, encoded, filmed, recorded, screen, silence, tone
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media import audio
from turnwise.media.media import Account, Excerpt, Options, Passage

TEXT = "Hello there."
FORMS = {
    "wav": ("audio/wav", "pcm_s16le", 48000, "WAV audio, 2.0 seconds, PCM signed 16-bit little-endian, mono, 48000 Hz"),
    "aiff": ("audio/aiff", "pcm_s16be", 44100, "AIFF audio, 2.0 seconds, PCM signed 16-bit big-endian, mono, 44100 Hz"),
    "mp3": ("audio/mp3", "libmp3lame", 44100, "MP3 audio, 2.0 seconds, MP3 (MPEG audio layer 3), mono, 44100 Hz"),
    "flac": ("audio/flac", "flac", 44100, "FLAC audio, 2.0 seconds, FLAC (Free Lossless Audio Codec), mono, 44100 Hz"),
    "m4a": ("audio/m4a", "aac", 44100, "M4A audio, 2.0 seconds, AAC (Advanced Audio Coding), mono, 44100 Hz"),
    "aac": ("audio/aac", "aac", 44100, "AAC audio, 2.0 seconds, AAC (Advanced Audio Coding), mono, 44100 Hz"),
    "ogg": ("audio/ogg", "libopus", 48000, "OGG audio, 2.0 seconds, Opus, mono, 48000 Hz"),
    "webm": ("audio/webm", "libopus", 48000, "WEBM audio, 2.0 seconds, Opus, mono, 48000 Hz"),
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "ggml-tiny.bin", TEXT.split())


def read(path: Path, weights: Path | None = None, mime_type: str = "audio/wav") -> Account:
    return audio.read(path, Options(mime_type=mime_type, speech_weights=weights))


def refusal(path: Path, mime_type: str = "audio/wav") -> str:
    with pytest.raises(InvalidRequest) as caught:
        read(path, mime_type=mime_type)
    return caught.value.message


@pytest.mark.parametrize("form", FORMS)
def test_sound_of_all_forms_is_told(tmp_path: Path, weights: Path, form: str) -> None:
    mime_type, codec, rate, facts = FORMS[form]
    path = encoded(tmp_path / f"sound.{form}", codec, tone(2), rate)
    account = read(path, weights, mime_type)
    seconds = account.facts.split(", ")[1]
    assert account.facts.startswith(facts.replace("2.0 seconds", seconds))
    assert abs(float(seconds.removesuffix(" seconds")) - 2.0) <= 0.1
    assert account.facts.endswith(("-14 dBFS loud", "-13 dBFS loud"))
    assert account.passages == (Passage(TEXT, "00:00"),)
    assert account.manner == "written down from speech"


@pytest.mark.parametrize("order", ["<i2", ">i2"])
def test_bare_samples_are_heard_in_whichever_order_their_bytes_stand(tmp_path: Path, weights: Path, order: str) -> None:
    path = tmp_path / "samples"
    path.write_bytes((tone(2) * 32767).astype(order).tobytes())
    account = read(path, weights, f"audio/l16;rate={RATE}")
    assert account.facts.startswith("L16 audio, 2.0 seconds")
    assert account.facts.endswith("-13 dBFS loud"), "in the other order it is noise, which is louder"


def test_bare_samples_are_as_many_a_second_as_is_said(tmp_path: Path, weights: Path) -> None:
    path = tmp_path / "samples"
    path.write_bytes((tone(2) * 32767).astype("<i2").tobytes())
    assert "4.0 seconds" in read(path, weights, "audio/l16;rate=8000").facts
    assert "1.0 seconds" in read(path, weights, f"audio/l16;rate={RATE};channels=2").facts
    for wrong in ("audio/l16;rate=fast", "audio/l16;rate=0", "audio/l16;rate=8000;channels=9"):
        assert wrong in refusal(path, wrong)


def test_long_recordings_are_heard_piece_by_piece(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "PIECE", 8.0)
    monkeypatch.setattr(audio, "CUT", 4.0)
    monkeypatch.setattr("turnwise.media.speech.PASSAGE", 0)
    path = recorded(tmp_path / "long.wav", tone(6), silence(1), tone(6), silence(1), tone(4))
    account = read(path, weights)
    places = [passage.place for passage in account.passages]
    assert places[0] == "00:00"
    assert {"00:06", "00:13"} <= set(places), "pieces are cut where it is quiet"
    assert account.facts.startswith("WAV audio, 18.0 seconds")


def test_nothing_is_lost_between_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "PIECE", 3.0)
    monkeypatch.setattr(audio, "CUT", 1.0)
    whole = np.random.default_rng(3).random(10 * RATE, np.float32)
    pieces = list(audio._pieces(iter(np.array_split(whole, 77))))
    assert len(pieces) > 3
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), whole)
    assert [round(piece.start * RATE) for piece in pieces] == [
        sum(len(before.samples) for before in pieces[:number]) for number in range(len(pieces))
    ]


# -- silence, and sound that nobody hears


@pytest.mark.parametrize("is_there", [True, False])
def test_silence_is_told_as_silence_with_weights_or_without(tmp_path: Path, weights: Path, is_there: bool) -> None:
    path = recorded(tmp_path / "silent.wav", silence(3))
    account = read(path, weights if is_there else None)
    assert account == Account("WAV audio, 3.0 seconds, PCM signed 16-bit little-endian, mono, 16000 Hz, silent")


def test_sound_that_cannot_be_heard_names_the_command_that_changes_it(tmp_path: Path) -> None:
    with pytest.raises(Unimplemented, match="run: turnwise pull whisper-base"):
        read(recorded(tmp_path / "loud.wav", tone(2)))


def test_sound_in_which_nobody_speaks_says_so(tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "ggml-mute.bin", ["[BLANK_AUDIO]"])
    account = read(recorded(tmp_path / "loud.wav", tone(2)), weights)
    assert account.passages == ()
    assert account.facts.endswith("dBFS loud, no speech was found in it")


# -- bad files


def test_a_recording_that_is_cut_off_is_heard_as_far_as_it_goes(tmp_path: Path, weights: Path) -> None:
    path = encoded(tmp_path / "whole.mp3", "libmp3lame", tone(10))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    account = read(path, weights, "audio/mp3")
    assert 4.5 < float(account.facts.split(", ")[1].removesuffix(" seconds")) < 5.5


def test_packets_that_are_broken_are_passed_over_and_told(tmp_path: Path, weights: Path) -> None:
    path = encoded(tmp_path / "whole.m4a", "aac", tone(20))
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 2000):
        data[at] ^= 0x5A
    path.write_bytes(data)
    account = read(path, weights, "audio/m4a")
    assert account.facts.endswith("damaged in places, which were passed over")
    assert account.passages


@pytest.mark.parametrize(
    "data", [b"", b"RIFF\0\0\0\0WAVE", b"ID3" + bytes(300), bytes(5000), b"#EXTM3U\nfile:///etc/passwd"]
)
def test_what_is_no_recording_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad"
    path.write_bytes(data)
    assert "broken" in refusal(path)
    assert str(tmp_path) not in refusal(path)


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    recorded(tmp_path / "secret.wav", tone(2))
    encoded(tmp_path / "secret.ts", "aac", tone(2), form="mpegts")
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.ts\n#EXT-X-ENDLIST\n")
    assert "of no form that is read" in refusal(path)


def test_a_video_without_sound_is_no_recording(tmp_path: Path) -> None:
    path = filmed(tmp_path / "mute.mp4", [(screen("Hello"), 1)])
    assert "no sound" in refusal(path, "audio/mp4")


# -- sound for models with ears


def heard(excerpt: Excerpt | None) -> tuple[int, int, int, float]:
    assert excerpt is not None
    assert excerpt.mime_type == "audio/wav"
    with wave.open(io.BytesIO(excerpt.data)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
        return sound.getnchannels(), sound.getsampwidth(), sound.getframerate(), round(seconds, 1)


@pytest.mark.parametrize("form", FORMS)
def test_sound_is_given_as_wav_whatever_it_was(tmp_path: Path, form: str) -> None:
    _, codec, rate, _ = FORMS[form]
    assert heard(audio.as_sound(encoded(tmp_path / f"s.{form}", codec, tone(2), rate)))[:3] == (1, 2, RATE)


def test_the_sound_of_a_video_is_given_and_none_if_it_has_none(tmp_path: Path) -> None:
    with_sound = filmed(tmp_path / "loud.mp4", [(screen("Hello"), 2)], tone(2))
    assert heard(audio.as_sound(with_sound)) == (1, 2, RATE, pytest.approx(2.0, abs=0.1))
    assert audio.as_sound(filmed(tmp_path / "mute.mp4", [(screen("Hello"), 1)])) is None


def test_the_sound_is_the_same(tmp_path: Path) -> None:
    excerpt = audio.as_sound(recorded(tmp_path / "tone.wav", tone(1)))
    assert excerpt is not None
    with wave.open(io.BytesIO(excerpt.data)) as sound:
        samples = np.frombuffer(sound.readframes(RATE), "<i2") / 32767
    assert np.allclose(samples, tone(1), atol=0.001)


def test_a_sound_that_is_too_long_for_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "HOURS", 1 / 3600)
    with pytest.raises(InvalidRequest, match="longer than"):
        audio.as_sound(recorded(tmp_path / "long.wav", tone(3)))


def test_a_recording_that_is_too_long_is_heard_in_part_and_says_so(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "HOURS", 3 / 3600)
    account = read(recorded(tmp_path / "long.wav", tone(8)), weights)
    assert "of which the first" in account.facts
    assert "3.0 seconds" in account.facts
