"""Text in pictures, as each of those reads it who may be on a machine."""

import sys

import pytest
from PIL import Image, ImageFilter

from media.staged import needs_rapidocr, needs_tesseract, screen
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media import ocr

WAYS = [
    pytest.param("program", marks=needs_tesseract),
    "package",
    pytest.param("rapidocr", marks=needs_rapidocr),
]


@pytest.fixture(params=WAYS)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine on which there is only one of them, and the engine to ask for."""
    if request.param == "program":
        hide_packages(monkeypatch, "tesserocr", "rapidocr")
    else:
        monkeypatch.setenv("PATH", "")
    return "rapidocr" if request.param == "rapidocr" else "auto"


def hide_packages(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have them not be installed."""
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


def test_lines_are_read_as_they_stand(engine: str) -> None:
    text = ocr.read_text(screen("Invoice 4711", "Total: EUR 1,234.56", "Due on 24 December 2026"), engine)
    assert [line for line in text.splitlines() if line] == [
        "Invoice 4711",
        "Total: EUR 1,234.56",
        "Due on 24 December 2026",
    ]


def test_small_letters_are_read(engine: str) -> None:
    text = ocr.read_text(screen("Server started on port 8787", letters=11, size=(400, 60)), engine)
    assert text == "Server started on port 8787"


def test_light_letters_on_dark_are_read(engine: str) -> None:
    assert (
        ocr.read_text(screen("WARNING cache is full", ink="#ddd", paper="#202030"), engine) == "WARNING cache is full"
    )


def test_a_single_word_and_a_single_digit_are_read(engine: str) -> None:
    assert (
        ocr.read_text(screen("Sign in", letters=36, ink="white", paper="#3478f6", size=(320, 240)), engine) == "Sign in"
    )
    assert ocr.read_text(screen("7", letters=60), engine) == "7"


@pytest.mark.parametrize("letters", [40, 80, 160])
def test_numbers_are_read_however_large_they_are(engine: str, letters: int) -> None:
    assert [ocr.read_text(screen(number, letters=letters), engine) for number in ("10", "50", "92")] == [
        "10",
        "50",
        "92",
    ]


def test_blocks_that_are_far_apart_are_kept_apart(engine: str) -> None:
    picture = screen("Weather in Paris", size=(640, 700))
    picture.paste(screen("Updated today", size=(640, 300)), (0, 400))
    assert ocr.read_text(picture, engine) == "Weather in Paris\n\nUpdated today"


@pytest.mark.parametrize("blur", [0, 2, 8])
def test_nothing_is_read_in_noise(engine: str, blur: int) -> None:
    noise = Image.effect_noise((400, 300), 80).filter(ImageFilter.GaussianBlur(blur))
    assert ocr.read_text(noise, engine) == ""


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (1, 5000), (5000, 2)])
def test_nothing_is_read_in_what_is_hardly_a_picture(engine: str, size: tuple[int, int]) -> None:
    assert ocr.read_text(Image.new("RGB", size, "white"), engine) == ""


def test_a_huge_picture_is_made_smaller(engine: str) -> None:
    assert ocr.read_text(screen("POSTER", letters=300, size=(6000, 1500)), engine) == "POSTER"


def test_what_one_picture_said_is_not_read_in_the_next(engine: str) -> None:
    before = ocr.read_text(screen("Version 2.14.3 build 9981", letters=9, size=(400, 40)), engine)
    for number in range(5):
        ocr.read_text(screen(f"Nonsense {number} 0O1l", letters=14), engine)
    assert ocr.read_text(screen("Version 2.14.3 build 9981", letters=9, size=(400, 40)), engine) == before


# -- who reads


@needs_tesseract
def test_the_package_reads_unless_the_program_has_more_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_languages_of_program", lambda: "eng")
    assert "in the package" in (ocr.describe("auto") or "")
    monkeypatch.setattr(ocr, "_languages_of_program", lambda: "eng+deu")
    assert (ocr.describe("auto") or "").endswith("(eng+deu)")


def test_of_many_languages_a_few_are_read_english_first() -> None:
    installed = ["afr", "deu", "eng", "equ", "fra", "osd", "script/Latin", "spa"]
    assert ocr._together(installed) == "eng+afr+deu+fra"


@needs_rapidocr
def test_without_tesseract_rapidocr_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    hide_packages(monkeypatch, "tesserocr")
    assert ocr.chosen("auto") == "rapidocr"


@pytest.mark.parametrize(
    ("engine", "words"),
    {
        "auto": "OCR is not installed on this machine; run: pip install 'turnwise[media]'",
        "tesseract": "tesseract is not installed on this machine; run: pip install 'turnwise[media]'",
        "rapidocr": "rapidocr is not installed on this machine; run: pip install 'turnwise[rapidocr]'",
        "off": "the setting media.ocr is 'off'; set it to 'auto'",
    }.items(),
)
def test_when_nobody_reads_the_command_that_changes_it_is_named(
    monkeypatch: pytest.MonkeyPatch, engine: str, words: str
) -> None:
    monkeypatch.setenv("PATH", "")
    hide_packages(monkeypatch, "tesserocr", "rapidocr")
    assert (ocr.chosen(engine), ocr.describe(engine)) == (None, None)
    with pytest.raises(Unimplemented) as caught:
        ocr.read_text(screen("Hello"), engine)
    assert caught.value.message.endswith(words)


# -- a program that goes wrong


@pytest.fixture
def program(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A program that is called tesseract, and does what the test says."""
    hide_packages(monkeypatch, "tesserocr", "rapidocr")
    monkeypatch.setattr(ocr, "_languages_of_program", lambda: "eng")
    monkeypatch.setenv("PATH", str(tmp_path))

    def does(what: str) -> None:
        path = tmp_path / "tesseract"
        path.write_text(f"#!{sys.executable}\n{what}\n")
        path.chmod(0o755)

    return does


def test_a_program_that_fails_is_quoted(program) -> None:
    program("import sys; sys.exit('Error opening data file eng.traineddata')")
    with pytest.raises(Unimplemented, match=r"tesseract fails: Error opening data file eng\.traineddata"):
        ocr.read_text(screen("Hello"))


def test_a_program_that_hangs_is_ended(program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "SECONDS", 0.5)
    program("import signal; signal.pause()")
    with pytest.raises(InvalidRequest, match=r"longer than 0\.5 s"):
        ocr.read_text(screen("Hello"))
