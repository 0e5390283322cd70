"""What videos say: what can be read in them and when, what is heard, and which frames are shown."""

import io
from pathlib import Path

import pytest
from PIL import Image

from media.speaker import write_weights
from media.staged import filmed, recorded, screen, silence, tone
from turnwise.domain.errors import InvalidRequest
from turnwise.media import ocr, video
from turnwise.media.media import Account, Excerpt, Options, Passage

NUMBERS = ("3", "14", "15", "92", "65")


def numbered(path: Path, *, each: float = 1.0, turned: int = 0) -> Path:
    """A video that shows one number after another."""
    return filmed(path, [(screen(number, letters=120), each) for number in NUMBERS], turned=turned)


def read(path: Path, weights: Path | None = None, ocr: str = "auto", seconds: float = 120.0) -> Account:
    form = path.suffix.removeprefix(".")
    return video.read(path, Options(mime_type=f"video/{form}", speech_weights=weights, ocr=ocr, seconds=seconds))


def pictures(path: Path, limit: int) -> list[Excerpt]:
    return video.pictures(path, limit, Options(mime_type="video/mp4"))


def colour_of(excerpt: Excerpt) -> str:
    """Which of the three basic colours the middle of a picture has."""
    picture = Image.open(io.BytesIO(excerpt.data)).convert("RGB")
    point = picture.getpixel((picture.width // 2, picture.height // 2))
    return ("red", "green", "blue")[point.index(max(point))]


def plain(*colours: str, size: tuple[int, int] = (160, 120)) -> list[Image.Image]:
    return [Image.new("RGB", size, colour) for colour in colours]


def test_numbers_that_change_are_told_each_once_with_its_time(tmp_path: Path) -> None:
    account = read(numbered(tmp_path / "numbers.mp4"))
    assert account.passages == tuple(
        Passage(f"seen: mostly white; text: {number}", f"00:0{second} to 00:0{second + 1}")
        for second, number in enumerate(NUMBERS)
    )
    assert account.facts == (
        "MP4 video, 5.0 seconds, 640 x 360 pixels, 10 frames a second, H.264, 16 moments of it were looked at,"
        " without sound"
    )
    assert account.manner == "text in frames read by OCR"


def test_what_is_seen_is_told_with_its_colours(tmp_path: Path) -> None:
    path = filmed(tmp_path / "colours.mp4", [(picture, 2) for picture in plain("red", "blue")])
    assert read(path).passages == (
        Passage("seen: mostly red", "00:00 to 00:02"),
        Passage("seen: mostly blue", "00:02 to 00:04"),
    )


@pytest.mark.parametrize(
    ("form", "codec"), {"mp4": "mpeg4", "mov": "libx264", "webm": "libvpx-vp9", "avi": "mpeg4"}.items()
)
def test_videos_of_all_forms_are_told(tmp_path: Path, form: str, codec: str) -> None:
    path = filmed(tmp_path / f"film.{form}", [(screen("RED", letters=90, paper="red", ink="white"), 2)], codec=codec)
    account = read(path)
    assert account.facts.startswith(f"{form.upper()} video, 2.0 seconds, 640 x 360 pixels, 10 frames a second")
    assert [passage.text for passage in account.passages] == ["seen: mostly red; text: RED"]


@pytest.mark.parametrize("form", ["flv", "mpg", "wmv", "3gp"])
def test_old_forms_of_video_are_told_too(tmp_path: Path, form: str) -> None:
    codec = {"flv": "flv1", "mpg": "mpeg1video", "wmv": "wmv2", "3gp": "mpeg4"}[form]
    pictures = plain("red", "blue", size=(352, 288))
    account = read(filmed(tmp_path / f"film.{form}", [(picture, 2) for picture in pictures], codec=codec, rate=25))
    assert [passage.text for passage in account.passages] == ["seen: mostly red", "seen: mostly blue"]
    assert account.passages[0].place.startswith("00:00"), "however its container counts"


def test_a_video_that_was_filmed_upright_is_told_and_shown_upright(tmp_path: Path) -> None:
    path = numbered(tmp_path / "phone.mp4", turned=90)
    assert "360 x 640 pixels" in read(path).facts
    assert Image.open(io.BytesIO(pictures(path, 1)[0].data)).size == (360, 640)


def test_a_long_video_is_looked_at_in_its_key_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "DECODED", 50)
    scenes = [(picture, 10.0) for picture in plain("red", "#00c000", "blue") * 4]
    account = read(filmed(tmp_path / "long.mp4", scenes, keys=20))
    assert [passage.text for passage in account.passages] == [
        "seen: mostly red",
        "seen: mostly green",
        "seen: mostly blue",
    ] * 4
    assert account.passages[0].place.startswith("00:00 to 00:1")
    assert account.passages[-1].place.endswith(" to 02:00")


# -- sound


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "ggml-tiny.bin", ["Hello", "there."])


def test_what_is_seen_and_what_is_heard_is_told_in_the_order_in_which_it_happens(tmp_path: Path, weights: Path) -> None:
    scenes = [(picture, 2) for picture in plain("red", "blue")]
    account = read(filmed(tmp_path / "film.mp4", scenes, tone(4)), weights)
    assert account.passages == (
        Passage("seen: mostly red", "00:00 to 00:02"),
        Passage("heard: Hello there.", "00:00"),
        Passage("seen: mostly blue", "00:02 to 00:04"),
    )
    assert "sound: AAC (Advanced Audio Coding), mono, 48000 Hz" in account.facts
    assert account.manner == "speech written down"


def test_sound_that_cannot_be_heard_is_told_with_the_command_that_changes_it(tmp_path: Path) -> None:
    account = read(filmed(tmp_path / "film.mp4", [(screen("Hello"), 2)], tone(2)))
    assert account.facts.endswith(
        "the sound was not heard: the speech weights 'whisper-base' are not on this machine;"
        " run: turnwise pull whisper-base"
    )
    assert [passage.text for passage in account.passages] == ["seen: mostly white; text: Hello"]


def test_a_silent_sound_track_needs_nobody_to_hear_it(tmp_path: Path) -> None:
    account = read(filmed(tmp_path / "film.mp4", [(screen("Hello"), 2)], silence(2)))
    assert account.facts.endswith("mono, 48000 Hz, silent")


# -- what is not read


def test_text_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    account = read(numbered(tmp_path / "numbers.mp4"), ocr="off")
    assert ocr.why_not("off") in account.facts
    assert [passage.text for passage in account.passages] == ["seen: mostly white"]


def test_what_there_was_no_time_for_is_told(tmp_path: Path) -> None:
    account = read(numbered(tmp_path / "numbers.mp4"), seconds=0.001)
    assert "what is seen from 00:00 on was not read, for want of time" in account.facts


# -- frames for models with eyes


def test_the_frames_that_are_shown_are_those_that_differ(tmp_path: Path) -> None:
    path = filmed(tmp_path / "film.mp4", list(zip(plain("red", "green", "blue"), (8.0, 0.5, 8.0), strict=True)))
    shown = pictures(path, 3)
    assert [colour_of(excerpt) for excerpt in shown] == ["red", "green", "blue"]
    assert [excerpt.place for excerpt in shown][:2] == ["00:00", "00:08"]
    assert {excerpt.mime_type for excerpt in shown} == {"image/jpeg"}


def test_of_a_short_video_no_more_frames_are_shown_than_it_has(tmp_path: Path) -> None:
    path = filmed(tmp_path / "film.mp4", [(picture, 0.3) for picture in plain("red")])
    assert len(pictures(path, 10)) == 3


def test_a_video_that_does_not_know_its_length_is_looked_at_to_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = filmed(tmp_path / "film.mp4", [(picture, 10) for picture in plain("red", "green", "blue")])
    monkeypatch.setattr(video, "_seconds", lambda container, stream: 0.0)
    shown = pictures(path, 9)
    assert [colour_of(excerpt) for excerpt in shown] == ["red"] * 3 + ["green"] * 3 + ["blue"] * 3


# -- bad files


def test_a_video_that_is_cut_off_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    path = filmed(
        tmp_path / "film.mpg", [(picture, 4) for picture in plain("red", "blue")], codec="mpeg1video", rate=25
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    assert read(path).passages[0].text == "seen: mostly red"


@pytest.mark.parametrize("data", [b"", bytes(5000), b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + bytes(500)])
def test_what_is_no_video_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    for look in (read, lambda path: pictures(path, 2)):
        with pytest.raises(InvalidRequest, match="broken"):
            look(path)


def test_a_recording_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no pictures"):
        read(recorded(tmp_path / "sound.wav", tone(1)))


def test_frames_that_are_too_large_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "PIXELS", 1000)
    with pytest.raises(InvalidRequest, match="more than 1,000 pixels"):
        read(numbered(tmp_path / "numbers.mp4"))
