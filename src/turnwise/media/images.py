"""What an image says: facts that can be measured, and the text in it. What it shows is never guessed.

An image is somebody else's: only the formats that are named here are opened, with at most `PIXELS` pixels, and what
Pillow makes of a broken one is an `InvalidRequest`.
"""

import colorsys
import io
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageOps, ImageStat, UnidentifiedImageError

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media import ocr
from turnwise.media.media import Account, Excerpt, Options, Passage
from turnwise.media.moments import Sight, between, clock, evenly, stretches

PIXELS = 100_000_000
"""The largest image that is opened: in memory it has three or four bytes for each."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Pillow's names of what is opened. Not among them: what is handed to other programs, such as PostScript."""

NAMES = {"MPO": "JPEG", "HEIF": "HEIC", "WEBP": "WebP"}
"""What people call those that Pillow calls otherwise."""

LOSSLESS = ("PNG", "GIF", "BMP", "TIFF")
"""Those of them that lose no point of a picture."""

SIDE = 2048
"""Pixels on the longer side of a picture for a model."""

COUNTED = 5000
"""So many frames of an animation are counted."""

PAGES = 50
"""So many pages are read of an image that has pages."""

LOOKED_AT = 8
"""In so many frames of an animation text is looked for."""

SAMPLES = 128
"""Colours are told by so many points across and down."""

SHARE, COLOURS = 0.01, 6
"""A colour that covers less than this is not told, nor are more than so many."""

FEW = 16
"""Up to so many different colours their number is told."""

PASSAGE = 800
"""How long, in characters, a passage becomes before the next one begins."""

Image.MAX_IMAGE_PIXELS = PIXELS

_HUES = (
    (15, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (195, "turquoise"),
    (255, "blue"),
    (310, "purple"),
    (345, "pink"),
    (360, "red"),
)
"""Up to which angle of the colour wheel a colour has which name."""

_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, RuntimeError),
    *(struct.error, zlib.error),
)
"""What Pillow raises for files that are broken, depending on their format."""


def read(path: Path, options: Options) -> Account:
    """What an image says.

    Raises:
        InvalidRequest: it is broken, or too large.
        Unimplemented: the text in it cannot be read on this machine.
    """
    if ocr.chosen(options.ocr) is None:
        raise Unimplemented(ocr.why_not(options.ocr))
    with _opened(path, options.mime_type) as image:
        facts = [*_facts(image)]
        passages, several = _pages(image, options) if _has_pages(image) else _film(image, options)
    facts += several
    if not passages:
        return Account(", ".join([*facts, "no text was found in it"]))
    return Account(", ".join(facts), tuple(passages), "read by OCR")


def _pages(image: Image.Image, options: Options) -> tuple[list[Passage], list[str]]:
    """What the pages of a scan say, and how many there are."""
    count = _count(image)
    passages = [
        passage
        for number, (_, page) in enumerate(_frames(image, range(min(count, PAGES))), 1)
        for passage in in_passages(ocr.read_text(flattened(page), options.ocr), f"page {number}")
    ]
    return passages, [f"{count} pages" + (f", of which the first {PAGES} were read" if count > PAGES else "")]


def _film(image: Image.Image, options: Options) -> tuple[list[Passage], list[str]]:
    """What the frames of an animation say, each text once for as long as it stays, and how many there are. Most images
    have one frame."""
    count, second = _count(image), 0.0
    sights: list[Sight] = []
    looked_at = evenly(count, LOOKED_AT)
    for number, (second, frame) in enumerate(_frames(image, range(count))):
        if number in looked_at:
            sights.append(Sight(second, ocr.read_text(flattened(frame), options.ocr), ""))
    length = second + _shown(image)
    passages = [
        passage
        for stretch in stretches(sights, length)
        for passage in in_passages(stretch.text, between(stretch.start, stretch.end) if count > 1 else "")
    ]
    more = " or more" if count == COUNTED else ""
    return passages, [f"animation of {count}{more} frames in {length:.1f} seconds"] if count > 1 else []


def pictures(path: Path, limit: int, options: Options) -> list[Excerpt]:
    """The image, upright and in a size for models; of an animation, at most `limit` frames.

    Raises:
        InvalidRequest: it is broken, or too large.
    """
    with _opened(path, options.mime_type) as image:
        if _is_fit(image):
            return [Excerpt(path.read_bytes(), Image.MIME[str(image.format)])]
        count = _count(image)
        numbers = range(min(count, limit)) if _has_pages(image) else evenly(count, limit)
        return [
            as_excerpt(frame, _place(image, number, second), lossless=image.format in LOSSLESS)
            for number, (second, frame) in zip(numbers, _frames(image, numbers), strict=True)
        ]


def _place(image: Image.Image, number: int, second: float) -> str:
    if _has_pages(image):
        return f"page {number + 1}"
    return clock(second) if _count(image) > 1 else ""


def as_excerpt(image: Image.Image, place: str, *, lossless: bool) -> Excerpt:
    """A picture for a model: PNG if not a point of it may be lost, else JPEG."""
    image = image.copy()
    image.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    if lossless:
        _in_eight_bits(image).save(data, "PNG")
        return Excerpt(data.getvalue(), "image/png", place)
    flattened(image).save(data, "JPEG", quality=90)
    return Excerpt(data.getvalue(), "image/jpeg", place)


def upright(image: Image.Image) -> Image.Image:
    """A picture as it was seen, however the camera was held."""
    with _decoding():
        return ImageOps.exif_transpose(image)


def flattened(image: Image.Image) -> Image.Image:
    """A picture without transparency: laid on white, or on black if what can be seen of it is light."""
    image = _in_eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    seen = ImageStat.Stat(image.convert("L"), mask=image.getchannel("A"))
    ground = "black" if seen.count[0] and seen.mean[0] > 128 else "white"
    return Image.alpha_composite(Image.new("RGBA", image.size, ground), image).convert("RGB")


def describe_colours(image: Image.Image) -> str:
    """The colours of a picture, the largest first: `mostly white (93 %), dark blue (5 %)`."""
    found = [(name, share) for name, share in colours(image) if share >= SHARE][:COLOURS]
    words = ", ".join(f"{name} ({share * 100:.0f} %)" for name, share in found)
    return f"mostly {words}" if found and found[0][1] > 0.5 else words


def colours(image: Image.Image) -> list[tuple[str, float]]:
    """The names of a picture's colours, and how much of it each one covers. What is transparent does not count."""
    image = _in_eight_bits(image)
    points = image.convert("RGBA").resize((SAMPLES, SAMPLES), Image.Resampling.NEAREST).getcolors(SAMPLES**2) or []
    names: Counter[str] = Counter()
    for count, point in points:
        red, green, blue, opacity = point  # type: ignore[misc]  # a picture of four channels has no other points
        if opacity >= 128:
            names[_name(red / 255, green / 255, blue / 255)] += count
    return [(name, count / names.total()) for name, count in names.most_common()]


def _name(red: float, green: float, blue: float) -> str:
    """What a colour is called."""
    hue, light, _ = colorsys.rgb_to_hls(red, green, blue)
    if max(red, green, blue) - min(red, green, blue) < 0.12:
        greys = ((0.1, "black"), (0.35, "dark grey"), (0.7, "grey"), (0.92, "light grey"))
        return next((name for limit, name in greys if light < limit), "white")
    if light < 0.08:
        return "black"
    name = next(name for limit, name in _HUES if hue * 360 <= limit)
    if name == "orange" and light < 0.4:
        return "brown"
    return f"dark {name}" if light < 0.3 else f"light {name}" if light > 0.72 else name


def in_passages(text: str, place: str = "") -> list[Passage]:
    """Blocks of text, small ones together."""
    pieces: list[str] = []
    for block in filter(None, text.split("\n\n")):
        if pieces and len(pieces[-1]) + len(block) < PASSAGE:
            pieces[-1] += f"\n\n{block}"
        else:
            pieces.append(block)
    return [Passage(piece, place) for piece in pieces]


@contextmanager
def _opened(path: Path, mime_type: str) -> Iterator[Image.Image]:
    """
    Raises:
        InvalidRequest: it is no image that is read, is broken or too large.
        Unimplemented: the format needs a part that is not there.
    """
    formats = (*FORMATS, *_heif(mime_type))
    try:
        with _decoding():
            image = Image.open(path, formats=formats)
    except UnidentifiedImageError:
        raise InvalidRequest(f"the image is broken, or none of {', '.join(formats)}") from None
    with image:
        yield image


@contextmanager
def _decoding() -> Iterator[None]:
    """Around everything that looks into a file, which Pillow does piece by piece.

    Raises:
        InvalidRequest: it is broken or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InvalidRequest(f"the image has more than {PIXELS:,} pixels, and is not opened; make it smaller") from None
    except UnidentifiedImageError:
        raise
    except _BROKEN as error:
        raise InvalidRequest(f"the image is broken: {error}") from error


def _heif(mime_type: str) -> tuple[str, ...]:
    """Pillow's name of the format of phones, if a file has it. It takes another package."""
    if mime_type not in ("image/heic", "image/heif"):
        return ()
    import pi_heif

    pi_heif.register_heif_opener()
    return ("HEIF",)


def _has_pages(image: Image.Image) -> bool:
    return image.format == "TIFF" and _count(image) > 1


def _count(image: Image.Image) -> int:
    """How many frames, or pages, there are. What cameras put behind a photograph is no other picture."""
    if image.format in ("MPO", "HEIF"):
        return 1
    with _decoding():
        return min(getattr(image, "n_frames", 1), COUNTED)


def _frames(image: Image.Image, numbers: Sequence[int]) -> Iterator[tuple[float, Image.Image]]:
    """Some frames in order, upright, each with the second at which it is shown."""
    second = 0.0
    for number in range(numbers[-1] + 1):
        _go_to(image, number)
        if number in numbers:
            yield second, upright(image)
        second += _shown(image)


def _go_to(image: Image.Image, number: int) -> None:
    with _decoding():
        image.seek(number)
        image.load()


def _shown(image: Image.Image) -> float:
    """For how many seconds the frame is shown at which an image stands."""
    return float(image.info.get("duration", 0)) / 1000


def _is_fit(image: Image.Image) -> bool:
    """Whether a model can have the file as it is: without what a camera wrote into it, which may say where it was."""
    if image.format not in ("PNG", "JPEG") or _count(image) > 1 or max(image.size) > SIDE:
        return False
    _go_to(image, 0)
    with _decoding():
        return not image.getexif()


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """A picture whose points are bytes. Some formats have them as larger numbers."""
    if not image.mode.startswith(("I", "F")):
        return image
    low, high = (0, 65535) if image.mode.startswith("I;16") else _reach(image)
    scale = 255 / ((high - low) or 1)
    return image.point(lambda value: value * scale - low * scale).convert("L")


def _reach(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]  # a picture of one channel has one pair


def _facts(image: Image.Image) -> Iterator[str]:
    """What is true of an image, or of the first of its frames."""
    _go_to(image, 0)
    turned = upright(image)
    width, height = turned.size
    yield f"{NAMES.get(str(image.format), str(image.format))} image"
    yield f"{width} x {height} pixels"
    yield from _shades(turned)
    yield from _camera(image)


def _shades(image: Image.Image) -> Iterator[str]:
    """Colours, light and transparency."""
    if not colours(image):
        yield "wholly transparent"
        return
    yield describe_colours(image)
    flat = flattened(image)
    light = ImageStat.Stat(flat.convert("L")).mean[0]
    if light < 64 or light > 192:
        yield "dark" if light < 64 else "bright"
    few = flat.getcolors(FEW)
    if few is not None:
        yield f"{len(few)} different colours" if len(few) > 1 else "one colour only"
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
        yield "partly transparent"


def _camera(image: Image.Image) -> Iterator[str]:
    """What the camera wrote of itself and the time; where it was is left out."""
    with _decoding():
        tags = image.getexif()
        details: dict[int, Any] = tags.get_ifd(ExifTags.IFD.Exif)
    made = _clean(tags.get(ExifTags.Base.Make)), _clean(tags.get(ExifTags.Base.Model))
    model = made[1] if made[1].startswith(made[0]) else " ".join(made)
    when = _clean(details.get(ExifTags.Base.DateTimeOriginal))
    if model.strip():
        yield f"taken with {model.strip()}"
    if when:
        yield f"taken at {when.replace(':', '-', 2)}"


def _clean(value: object) -> str:
    """What a file says of itself, as a few plain words."""
    return "".join(sign for sign in str(value or "") if sign.isprintable()).strip()[:60]
