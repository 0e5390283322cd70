"""SVG to the bytes of a picture, in a process of its own.

The renderer does not release Python's lock, so a thread would stop everybody else for as long as it draws; and a
process can be given a limit of time and of memory. It is started for each picture: that costs about a tenth of a
second, and leaves nothing behind.

    python -m turnwise.models.drawing.rendering   < an order in JSON, a line break, SVG   > picture
"""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from turnwise.domain.errors import ModelFailed, ModelTimeout, ModelUnavailable
from turnwise.models.drawing.sizes import Size
from turnwise.processes import start_process

SECONDS = 120.0
"""How long a picture may take."""

MEMORY = 2 * 2**30
"""How many bytes of addresses the process may have. The largest pictures take a quarter of a gigabyte."""

PIXELS_ACROSS = 96
"""How many blocks the shorter side of a picture has that is to look like an old game."""

FONT_PACKAGE = "font_source_sans_pro"
FONT_FILE = "files/SourceSansPro-Bold.ttf"
"""The font of every text. It is here for its licence (OFL) and because a package of the index has it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of an SVG."""

    width: int
    height: int
    mime_type: str = "image/png"
    note: str = ""
    """What the picture is to carry (see `carried.py`)."""
    pixelated: bool = False
    """Whether it is to look like an old game."""
    system_fonts: bool = False
    """Whether the machine's own fonts are looked through too."""


async def render(svg: str, size: Size, mime_type: str, *, note: str = "", pixelated: bool = False) -> bytes:
    """The picture of an SVG, exactly this large, as PNG, JPEG or WebP.

    Raises:
        ModelUnavailable: the packages that draw are not installed, or the process could not be started.
        ModelTimeout: it took too long.
        ModelFailed: it could not be drawn.
    """
    _check_installed()
    order = Order(size.width, size.height, mime_type, note, pixelated, _needs_other_fonts(svg))
    try:
        process = await start_process(
            sys.executable, "-m", "turnwise.models.drawing.rendering",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise ModelUnavailable(f"the process that renders pictures could not be started: {error}") from error
    try:
        async with asyncio.timeout(SECONDS):
            picture, complaint = await process.communicate(json.dumps(asdict(order)).encode() + b"\n" + svg.encode())
    except TimeoutError as error:
        raise ModelTimeout(f"the picture was not rendered within {SECONDS:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not picture:
        said = complaint.decode(errors="replace").strip().splitlines()
        raise ModelFailed(f"the picture could not be rendered: {said[-1] if said else f'exit {process.returncode}'}")
    return picture


def _check_installed() -> None:
    missing = [name for name in ("resvg_py", "PIL", FONT_PACKAGE) if find_spec(name) is None]
    if missing:
        raise ModelUnavailable(
            f"pictures need the package {missing[0]!r}, which is not installed: pip install 'turnwise[images]'"
        )


def font_path() -> Path:
    """The font that texts are written in."""
    spec = find_spec(FONT_PACKAGE)
    assert spec is not None, f"{FONT_PACKAGE} is installed with the extra images"
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / FONT_FILE


def _needs_other_fonts(svg: str) -> bool:
    """Whether there are letters that the font lacks: it has Latin, Greek and Cyrillic ones. The machine's own fonts may
    have them; to look through those takes a while."""
    return any(ord(letter) > 0x2FFF or 0x0530 <= ord(letter) < 0x1E00 for letter in svg)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    with suppress(ValueError, OSError):  # not on every system
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _draw(svg: str, order: Order) -> bytes:
    """The work of the process."""
    import resvg_py

    from turnwise.models.drawing.carried import with_note

    size = Size(order.width, order.height)
    drawn = _blocks(size) if order.pixelated else size
    picture = bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=drawn.width,
            height=drawn.height,
            skip_system_fonts=not order.system_fonts,
            font_files=[str(font_path())],
        )
    )
    return with_note(picture, size, order.mime_type, order.note)


def _blocks(size: Size) -> Size:
    scale = PIXELS_ACROSS / size.short
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))


def main() -> None:
    """Read an order, and write the picture."""
    _limit_memory()
    order, _, svg = sys.stdin.buffer.read().partition(b"\n")
    sys.stdout.buffer.write(_draw(svg.decode(), Order(**json.loads(order))))


if __name__ == "__main__":
    main()
