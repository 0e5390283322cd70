"""What images say: facts that were measured, text that was read, and pictures that models can take."""

import io
import random
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from media.makers import picture, png_of_nothing
from media.staged import saved, screen
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media import images, ocr
from turnwise.media.media import Account, Excerpt, Options

TYPES = {"jpg": "image/jpeg", "heic": "image/heic"}


def options_for(path: Path, ocr: str = "auto") -> Options:
    form = path.suffix.removeprefix(".")
    return Options(mime_type=TYPES.get(form, f"image/{form}"), ocr=ocr)


def read(path: Path) -> Account:
    return images.read(path, options_for(path))


def pictures(path: Path, limit: int = 8) -> list[Excerpt]:
    return images.pictures(path, limit, options_for(path))


def opened(excerpt: Excerpt) -> Image.Image:
    found = Image.open(io.BytesIO(excerpt.data))
    assert found.get_format_mimetype() == excerpt.mime_type
    return found


# -- text


def test_the_text_in_an_image_is_told_block_by_block(tmp_path: Path) -> None:
    page = screen("Weather in Paris", size=(640, 700))
    page.paste(screen("Updated today", size=(640, 300)), (0, 400))
    account = read(saved(tmp_path / "page.png", page))
    assert [passage.text for passage in account.passages] == ["Weather in Paris\n\nUpdated today"]
    assert account.manner == "read by OCR"


def test_much_text_is_told_in_passages() -> None:
    blocks = [f"Block {number} " + "x" * 300 for number in range(5)]
    passages = images.in_passages("\n\n".join(blocks), "page 3")
    assert [passage.text for passage in passages] == ["\n\n".join(blocks[:2]), "\n\n".join(blocks[2:4]), blocks[4]]
    assert {passage.place for passage in passages} == {"page 3"}


def test_an_image_without_text_says_so(tmp_path: Path) -> None:
    account = read(saved(tmp_path / "red.png", Image.new("RGB", (640, 480), "red")))
    assert account == Account(
        "PNG image, 640 x 480 pixels, mostly red (100 %), one colour only, no text was found in it"
    )


def test_text_that_shines_through_is_read_on_whichever_ground_shows_it(tmp_path: Path) -> None:
    for ink in ("black", "white"):
        glass = screen("See through", size=(500, 120)).convert("L").point(lambda value: 255 - value)
        letters = Image.new("RGBA", glass.size, ink)
        letters.putalpha(glass)
        account = read(saved(tmp_path / f"{ink}.png", letters))
        assert [passage.text for passage in account.passages] == ["See through"], ink
        assert "partly transparent" in account.facts


@pytest.mark.parametrize("form", ["gif", "webp", "png"])
def test_each_text_of_an_animation_is_told_once_with_its_time(tmp_path: Path, form: str) -> None:
    frames = [screen(f"Chapter {number // 4 + 1}", size=(300, 200)) for number in range(12)]
    for frame, colour in zip(frames, range(12), strict=True):
        frame.putpixel((0, 0), (colour * 20, 0, 0))  # or those that are alike are written as one
    path = saved(tmp_path / f"film.{form}", frames[0], save_all=True, append_images=frames[1:], duration=500)
    account = read(path)
    assert [(passage.place, passage.text) for passage in account.passages] == [
        ("00:00 to 00:02", "Chapter 1"),
        ("00:02 to 00:04", "Chapter 2"),
        ("00:04 to 00:06", "Chapter 3"),
    ]
    assert "animation of 12 frames in 6.0 seconds" in account.facts


def test_the_pages_of_a_scan_are_read_one_by_one(tmp_path: Path) -> None:
    pages = [screen(f"Sheet {number}", size=(400, 300)) for number in (1, 2, 3)]
    path = saved(tmp_path / "fax.tiff", pages[0], save_all=True, append_images=pages[1:])
    account = read(path)
    assert [(passage.place, passage.text) for passage in account.passages] == [
        ("page 1", "Sheet 1"),
        ("page 2", "Sheet 2"),
        ("page 3", "Sheet 3"),
    ]
    assert "3 pages" in account.facts
    assert [excerpt.place for excerpt in pictures(path, 2)] == ["page 1", "page 2"]


def test_pages_that_were_not_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PAGES", 2)
    pages = [screen(f"Sheet {number}", size=(400, 300)) for number in (1, 2, 3)]
    account = read(saved(tmp_path / "fax.tiff", pages[0], save_all=True, append_images=pages[1:]))
    assert len(account.passages) == 2
    assert "3 pages, of which the first 2 were read" in account.facts


@pytest.mark.parametrize("engine", ["off", "auto"])
def test_when_nobody_reads_text_an_image_cannot_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("PATH", "")
    for package in ("tesserocr", "rapidocr"):
        monkeypatch.setitem(sys.modules, package, None)
    path = saved(tmp_path / "page.png", screen("Hello"))
    with pytest.raises(Unimplemented) as caught:
        images.read(path, options_for(path, engine))
    assert caught.value.message == ocr.why_not(engine)


# -- facts


@pytest.mark.parametrize(
    ("colour", "name"),
    {
        "red": "red",
        "#8b0000": "dark red",
        "orange": "orange",
        "#8b4513": "brown",
        "yellow": "yellow",
        "#00a000": "green",
        "#90ee90": "light green",
        "#00c8c8": "turquoise",
        "blue": "blue",
        "navy": "dark blue",
        "#800080": "dark purple",
        "#ff69b4": "pink",
        "black": "black",
        "#333333": "dark grey",
        "gray": "grey",
        "#d3d3d3": "light grey",
        "white": "white",
    }.items(),
)
def test_colours_have_the_names_that_people_use(colour: str, name: str) -> None:
    assert images.colours(Image.new("RGB", (8, 8), colour)) == [(name, 1.0)]


def test_colours_are_told_with_their_shares(tmp_path: Path) -> None:
    flag = Image.new("RGB", (256, 128), "white")
    flag.paste("blue", (0, 0, 64, 128))
    flag.paste("red", (224, 0, 256, 128))
    facts = read(saved(tmp_path / "flag.png", flag)).facts
    assert "mostly white (62 %), blue (25 %), red (12 %)" in facts
    assert "3 different colours" in facts


def test_no_colour_is_told_of_what_cannot_be_seen(tmp_path: Path) -> None:
    facts = read(saved(tmp_path / "glass.png", Image.new("RGBA", (40, 40), (255, 0, 0, 0)))).facts
    assert facts == "PNG image, 40 x 40 pixels, wholly transparent, no text was found in it"


@pytest.mark.parametrize(("paper", "word"), [("#101018", "dark"), ("#fafafa", "bright")])
def test_dark_and_bright_images_are_told_apart(tmp_path: Path, paper: str, word: str) -> None:
    facts = read(saved(tmp_path / "page.png", screen(paper=paper, ink=paper))).facts
    assert f", {word}, " in facts


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "I", "F", "CMYK", "YCbCr", "RGBA"])
def test_all_ways_of_writing_points_are_read(tmp_path: Path, mode: str) -> None:
    form = "tiff" if mode in ("F", "CMYK", "YCbCr", "I") else "png"
    page = screen("Same text").convert("L")
    if mode == "I;16":
        page = Image.frombytes("I;16", page.size, b"".join(bytes((value, value)) for value in page.tobytes()))
    account = read(saved(tmp_path / f"page.{form}", page if mode == "I;16" else page.convert(mode)))
    assert [passage.text for passage in account.passages] == ["Same text"]
    assert "mostly white" in account.facts


def test_what_the_camera_wrote_is_told_but_not_where_it_was(tmp_path: Path) -> None:
    path = photograph(tmp_path / "photo.jpg", screen("Landmark", size=(640, 480)))
    assert b"GPS" not in read(path).facts.encode()
    assert "taken with Fuji X100, taken at 2026-05-01 10:20:30" in read(path).facts
    (shown,) = pictures(path)
    assert not opened(shown).getexif()


def test_a_photograph_is_told_and_shown_upright(tmp_path: Path) -> None:
    turned = screen("Landmark", size=(640, 480)).rotate(90, expand=True)
    path = photograph(tmp_path / "photo.jpg", turned, orientation=6)
    account = read(path)
    assert "640 x 480 pixels" in account.facts
    assert [passage.text for passage in account.passages] == ["Landmark"]
    assert opened(pictures(path)[0]).size == (640, 480)


def photograph(path: Path, content: Image.Image, orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Fuji"
    exif[ExifTags.Base.Model] = "X100"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:01 10:20:30"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 0.0)
    return saved(path, content, exif=exif, quality=95)


# -- pictures for models


def test_a_picture_that_a_model_can_take_is_given_as_it_is(tmp_path: Path) -> None:
    for form in ("PNG", "JPEG"):
        path = tmp_path / "small"
        path.write_bytes(picture(form))
        (shown,) = images.pictures(path, 1, Options(mime_type=f"image/{form.lower()}"))
        assert shown == Excerpt(path.read_bytes(), f"image/{form.lower()}")


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "bmp", "gif", "tiff"])
def test_a_large_picture_is_made_smaller(tmp_path: Path, form: str) -> None:
    (shown,) = pictures(saved(tmp_path / f"large.{form}", Image.new("RGB", (3000, 1500), "red")))
    small = opened(shown)
    assert small.size == (2048, 1024)
    red, green, blue = small.convert("RGB").getpixel((5, 5))
    assert red > 250
    assert max(green, blue) < 5


def test_of_an_animation_as_many_frames_are_shown_as_are_wanted(tmp_path: Path) -> None:
    colours = ["red", "green", "blue", "yellow"]
    frames = [Image.new("RGB", (20, 20), colour) for colour in colours]
    path = saved(tmp_path / "film.gif", frames[0], save_all=True, append_images=frames[1:], duration=2000)
    assert [excerpt.place for excerpt in pictures(path, 2)] == ["00:00", "00:04"]
    assert [opened(excerpt).convert("RGB").getpixel((3, 3)) for excerpt in pictures(path)] == [
        (255, 0, 0),
        (0, 128, 0),
        (0, 0, 255),
        (255, 255, 0),
    ]


# -- bad files


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_nothing(11_000, 10_000))
    tracemalloc.start()
    try:
        for look in (read, pictures):
            with pytest.raises(InvalidRequest, match="more than 100,000,000 pixels"):
                look(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_an_image_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    for form in ("png", "jpg", "gif", "webp", "bmp", "tiff"):
        path = saved(tmp_path / f"whole.{form}", screen("Hello"))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        for look in (read, pictures):
            with pytest.raises(InvalidRequest, match="the image is broken"):
                look(path)


def test_whatever_is_wrong_with_a_file_nothing_else_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "read_text", lambda image, engine: "")
    chance = random.Random(7)
    whole = Image.effect_mandelbrot((90, 60), (-2, -1.2, 1, 1.2), 50).convert("RGB")
    refused = 0
    for form in ("png", "jpg", "gif", "webp", "bmp", "tiff", "avif"):
        data = saved(tmp_path / f"whole.{form}", whole).read_bytes()
        for _ in range(60):
            bad = bytearray(data)
            for _ in range(chance.randint(1, 12)):
                bad[chance.randrange(min(len(bad), 300))] = chance.randrange(256)
            path = tmp_path / f"bad.{form}"
            path.write_bytes(bad)
            try:
                read(path)
                pictures(path)
            except InvalidRequest:
                refused += 1
    assert refused > 100


def test_what_is_handed_to_other_programs_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "drawing.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(InvalidRequest, match="broken, or none of PNG"):
        read(path)


# -- HEIC

pytest.importorskip("pi_heif", reason="pi-heif is not installed: pip install 'turnwise[media]'")


def test_a_heic_image_that_is_broken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(InvalidRequest, match="broken"):
        read(path)


@pytest.mark.skipif(
    shutil.which("heif-enc") is None, reason="heif-enc is not installed: apt-get install libheif-examples"
)
def test_a_heic_image_of_a_phone_is_read_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    page = saved(tmp_path / "page.png", screen("Landmark"))
    subprocess.run(["heif-enc", "-q", "90", "-o", str(path), str(page)], check=True, capture_output=True, timeout=60)
    account = read(path)
    assert account.facts.startswith("HEIC image, 640 x 360 pixels, mostly white")
    assert [passage.text for passage in account.passages] == ["Landmark"]
    (shown,) = pictures(path)
    assert (opened(shown).size, shown.mime_type) == ((640, 360), "image/jpeg")
