"""What a file is, by its bytes: real files of all kinds, whatever they are said to be."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from media.makers import film, pdf, picture, recording
from turnwise.domain.errors import InvalidRequest
from turnwise.media.kinds import ALIASES, identify
from turnwise.media.media import Kind

Maker = Callable[[Path], object]


def written(data: bytes) -> Maker:
    return lambda path: path.write_bytes(data)


def a_film(form: str, codec: str = "mpeg4") -> Maker:
    return lambda path: film(path, form, codec)


def a_recording(form: str, codec: str, rate: int = 48000) -> Maker:
    return lambda path: recording(path, form, codec, rate=rate)


def heic(brand: bytes = b"heic") -> Maker:
    return written(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + brand + bytes(100))


FILES: dict[str, tuple[Maker, Kind]] = {
    "png": (written(picture("PNG")), Kind("image", "image/png")),
    "jpeg": (written(picture("JPEG")), Kind("image", "image/jpeg")),
    "webp": (written(picture("WEBP")), Kind("image", "image/webp")),
    "gif": (written(picture("GIF")), Kind("image", "image/gif")),
    "bmp": (written(picture("BMP")), Kind("image", "image/bmp")),
    "tiff": (written(picture("TIFF")), Kind("image", "image/tiff")),
    "avif": (written(picture("AVIF")), Kind("image", "image/avif")),
    "heic": (heic(), Kind("image", "image/heic")),
    "heif": (heic(b"msf1"), Kind("image", "image/heif")),
    "wav": (a_recording("wav", "pcm_s16le"), Kind("audio", "audio/wav")),
    "mp3": (a_recording("mp3", "libmp3lame"), Kind("audio", "audio/mp3")),
    "mp3 of a slow rate": (a_recording("mp3", "libmp3lame", 16000), Kind("audio", "audio/mp3")),
    "mp2": (a_recording("mp2", "mp2"), Kind("audio", "audio/mp3")),
    "aiff": (a_recording("aiff", "pcm_s16be"), Kind("audio", "audio/aiff")),
    "aac": (a_recording("adts", "aac"), Kind("audio", "audio/aac")),
    "ogg": (a_recording("ogg", "libopus"), Kind("audio", "audio/ogg")),
    "flac": (a_recording("flac", "flac"), Kind("audio", "audio/flac")),
    "m4a": (a_recording("ipod", "aac"), Kind("audio", "audio/m4a")),
    "mp4 with sound only": (a_recording("mp4", "aac"), Kind("audio", "audio/m4a")),
    "webm with sound only": (a_recording("webm", "libopus"), Kind("audio", "audio/webm")),
    "mp4": (a_film("mp4"), Kind("video", "video/mp4")),
    "mov": (a_film("mov"), Kind("video", "video/mov")),
    "3gp": (a_film("3gp"), Kind("video", "video/3gpp")),
    "webm": (a_film("webm", "libvpx"), Kind("video", "video/webm")),
    "mkv": (a_film("matroska"), Kind("video", "video/x-matroska")),
    "avi": (a_film("avi"), Kind("video", "video/avi")),
    "flv": (a_film("flv", "flv"), Kind("video", "video/x-flv")),
    "mpeg": (a_film("mpeg", "mpeg1video"), Kind("video", "video/mpeg")),
    "mpeg stream": (a_film("mpegts", "mpeg2video"), Kind("video", "video/mpeg")),
    "wmv": (a_film("asf", "wmv2"), Kind("video", "video/wmv")),
    "pdf": (lambda path: pdf(path, [["Hello"]]), Kind("document", "application/pdf")),
    "html": (written(b"\n<!DOCTYPE html><p>Hello"), Kind("document", "text/html")),
    "xml": (written(b"<?xml version='1.0'?><a/>"), Kind("document", "text/xml")),
    "rtf": (written(rb"{\rtf1 Hello}"), Kind("document", "text/rtf")),
    "text": (written("Grüße aus 北京".encode()), Kind("document", "text/plain")),
    "one letter": (written(b"a"), Kind("document", "text/plain")),
    "text in utf-16": (written("Grüße".encode("utf-16")), Kind("document", "text/plain")),
    "text in latin-1": (written("Viele Grüße".encode("latin-1")), Kind("document", "text/plain")),
    "text that begins with caff": (written(b"caffeine is in coffee"), Kind("document", "text/plain")),
    "text that begins with ID3": (written(b"ID3 tags tell of music"), Kind("document", "text/plain")),
    "text that begins with BZh": (written(b"BZh is how bzip2 begins"), Kind("document", "text/plain")),
    "text of Gs": (written(b"G" * 1000), Kind("document", "text/plain")),
    "text that begins with BM": (written(b"BMW builds cars and motorcycles"), Kind("document", "text/plain")),
    "text that begins with MZ": (written(b"MZ was a maker of motorcycles"), Kind("document", "text/plain")),
    "text about PDF": (written(b"A PDF begins with %PDF-1.4"), Kind("document", "text/plain")),
    "long text, cut in a letter": (written("ü".encode() * 200_001), Kind("document", "text/plain")),
    "long text, cut in another": (written(b"a" + "北".encode() * 200_000), Kind("document", "text/plain")),
}


@pytest.fixture(params=FILES)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Kind]:
    """Each of the files, and what it is."""
    make, kind = FILES[request.param]
    make(tmp_path / "file")
    return tmp_path / "file", kind


def make(tmp_path: Path, name: str) -> Path:
    FILES[name][0](tmp_path / name.replace(" ", "_"))
    return tmp_path / name.replace(" ", "_")


def test_a_file_is_known_by_its_bytes(made: tuple[Path, Kind]) -> None:
    path, kind = made
    assert identify(path, None) == kind
    assert identify(path, "application/octet-stream") == kind


def test_a_true_claim_changes_nothing(made: tuple[Path, Kind]) -> None:
    path, kind = made
    assert identify(path, kind.mime_type) == kind
    assert identify(path, kind.mime_type.upper() + "; name=x") == kind


def test_other_names_of_a_type_are_the_same(made: tuple[Path, Kind]) -> None:
    path, kind = made
    for other in [alias for alias, name in ALIASES.items() if name == kind.mime_type]:
        assert identify(path, other) == kind


def test_a_false_claim_is_refused_by_what_is_said_and_found(made: tuple[Path, Kind]) -> None:
    path, kind = made
    false = "image/png" if kind.mime_type != "image/png" else "audio/mpeg"
    with pytest.raises(InvalidRequest) as refused:
        identify(path, false)
    assert f"said to be {false}" in refused.value.message
    assert f"'{kind.mime_type}'" in refused.value.message
    assert f"'{kind.type}'" in refused.value.message


@pytest.mark.parametrize("claimed", ["image/*", "audio/*", "video/*"])
def test_half_a_claim_will_do_if_it_is_true(made: tuple[Path, Kind], claimed: str) -> None:
    path, kind = made
    if kind.type == claimed.removesuffix("/*"):
        assert identify(path, claimed) == kind
    elif kind.type in ("image", "document"):
        with pytest.raises(InvalidRequest, match="said to be"):
            identify(path, claimed)


@pytest.mark.parametrize(
    ("name", "claimed", "kind"),
    [
        ("mp4 with sound only", "audio/mp4", Kind("audio", "audio/m4a")),
        ("mp4 with sound only", "audio/aac", Kind("audio", "audio/m4a")),
        ("mp4", "video/quicktime", Kind("video", "video/mp4")),
        ("mp4", "audio/mp4", Kind("audio", "audio/m4a")),
        ("mov", "video/mp4", Kind("video", "video/mov")),
        ("webm with sound only", "audio/webm", Kind("audio", "audio/webm")),
        ("webm", "audio/webm", Kind("audio", "audio/webm")),
        ("mkv", "video/webm", Kind("video", "video/x-matroska")),
        ("ogg", "audio/opus", Kind("audio", "audio/opus")),
        ("ogg", "application/ogg", Kind("audio", "audio/ogg")),
        ("heic", "image/heif", Kind("image", "image/heif")),
    ],
)
def test_a_container_is_what_is_claimed_if_it_can_be(tmp_path: Path, name: str, claimed: str, kind: Kind) -> None:
    assert identify(make(tmp_path, name), claimed) == kind


@pytest.mark.parametrize("claimed", ["audio/wav", "audio/mp3", "audio/ogg"])
def test_a_container_is_not_another_form_of_sound(tmp_path: Path, claimed: str) -> None:
    with pytest.raises(InvalidRequest, match="M4A"):
        identify(make(tmp_path, "m4a"), claimed)


@pytest.mark.parametrize(
    "claimed",
    ["text/csv", "text/css", "text/x-python", "application/json", "application/javascript", "application/ld+json"],
)
def test_a_text_is_of_the_kind_that_is_claimed(tmp_path: Path, claimed: str) -> None:
    assert identify(make(tmp_path, "text"), claimed) == Kind("document", claimed)


def test_the_charset_of_a_text_is_kept_unless_it_goes_without_saying(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("日本語".encode("shift_jis"))
    assert identify(path, "text/plain; charset=Shift_JIS").mime_type == "text/plain;charset=shift_jis"
    path.write_bytes(b"hello")
    assert identify(path, 'text/csv; charset="UTF-8"').mime_type == "text/csv"


@pytest.mark.parametrize("charset", ["klingon", "zlib", "rot13"])
def test_a_charset_that_is_none_is_refused(tmp_path: Path, charset: str) -> None:
    with pytest.raises(InvalidRequest, match=charset):
        identify(make(tmp_path, "text"), f"text/plain; charset={charset}")


def test_bare_samples_are_what_is_claimed_with_their_rate(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 10)
    assert identify(path, "audio/L16; rate=24000; channels=1") == Kind("audio", "audio/l16;rate=24000;channels=1")
    assert identify(path, "audio/pcm;rate=16000") == Kind("audio", "audio/l16;rate=16000")
    assert identify(path, "audio/mulaw") == Kind("audio", "audio/mulaw")
    with pytest.raises(InvalidRequest, match="PNG image"):
        identify(make(tmp_path, "png"), "audio/l16")


UNREADABLE = {
    "Word file": b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(99) + b"word/document.xml",
    "Excel file": b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(99) + b"xl/workbook.xml",
    "PowerPoint file": b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(99) + b"ppt/slides.xml",
    "EPUB": b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip",
    "ZIP archive": b"PK\x03\x04" + bytes(200),
    "gzip": b"\x1f\x8b\x08\0" + bytes(100),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "RAR": b"Rar!\x1a\x07\x00" + bytes(100),
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(100),
    "Windows": b"MZ\x90\0\x03\0\0\0" + bytes(100),
    "old Microsoft Office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100),
    "MIDI": b"MThd\0\0\0\x06" + bytes(100),
    "JPEG XL": b"\xff\x0a" + bytes(100),
    "SQLite": b"SQLite format 3\0" + bytes(100),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("claimed", [None, "application/pdf", "text/plain"])
def test_what_cannot_be_read_is_refused_by_its_name(tmp_path: Path, name: str, claimed: str | None) -> None:
    path = tmp_path / "file"
    path.write_bytes(UNREADABLE[name])
    with pytest.raises(InvalidRequest, match=f"{name}.*[Gg]ive "):
        identify(path, claimed)


@pytest.mark.parametrize("data", [bytes(1000), bytes(range(256)), b"\xff\xfb\x90\x44 and no more of it" + bytes(999)])
def test_unknown_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(InvalidRequest, match="no form that can be read"):
        identify(path, None)
    with pytest.raises(InvalidRequest, match="said to be text/plain, but its bytes are of no form"):
        identify(path, "text/plain")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(InvalidRequest, match="empty"):
        identify(path, "text/plain")


def test_binary_behind_a_text_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello " * 50_000 + bytes(100))
    with pytest.raises(InvalidRequest):
        identify(path, "text/plain")


def test_two_gigabytes_are_identified_at_once(tmp_path: Path) -> None:
    """An MP4 file whose tracks are told of behind all else, as cameras write it."""
    path = tmp_path / "file"
    small = make(tmp_path, "mp4 with sound only").read_bytes()
    moov = small[small.index(b"moov") - 4 :]
    with path.open("wb") as file:
        file.write(b"\0\0\0\x18ftypisom\0\0\0\0isommp42")
        file.write(b"\0\0\0\x01mdat" + (2 * 1024**3).to_bytes(8, "big"))
        file.seek(24 + 2 * 1024**3)
        file.write(moov)
    start = time.perf_counter()
    assert identify(path, None) == Kind("audio", "audio/m4a")
    assert time.perf_counter() - start < 0.5


def test_a_container_that_points_at_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0\0\0\x08free" * 10_000)
    assert identify(path, None) == Kind("video", "video/mp4")
