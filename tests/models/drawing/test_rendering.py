"""The process that renders: its limits, and what becomes of it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from models.drawing.pictures import opened
from turnwise.domain.errors import ModelFailed, ModelTimeout, ModelUnavailable
from turnwise.models.drawing import rendering
from turnwise.models.drawing.rendering import font_path, render
from turnwise.models.drawing.sizes import Size

BUSY = 60
"""Ticks after which a process has read its order and renders."""

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="#ff0000"/></svg>'


async def test_an_svg_becomes_a_picture_of_exactly_this_size() -> None:
    picture = opened(await render(SQUARE, Size(30, 20), "image/png"))
    assert picture.size == (30, 20)
    assert picture.getpixel((15, 10)) == (255, 0, 0)


async def test_what_is_no_svg_is_an_error() -> None:
    with pytest.raises(ModelFailed, match="could not be rendered"):
        await render("<no svg", Size(8, 8), "image/png")


async def test_the_event_loop_goes_on_while_a_picture_is_rendered() -> None:
    circles = "".join(f'<circle cx="{i % 97}" cy="{i % 89}" r="20" opacity="0.5"/>' for i in range(300))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{circles}</svg>'
    rendered = asyncio.create_task(render(svg, Size(1024, 1024), "image/png"))
    turns = 0
    while not rendered.done():
        turns += 1
        await asyncio.sleep(0)
    assert opened(rendered.result()).size == (1024, 1024)
    assert turns > 100


async def test_a_picture_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SECONDS", 0.01)
    with pytest.raises(ModelTimeout, match=r"0\.01 s"):
        await render(SQUARE, Size(2048, 2048), "image/png")


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="processes are looked for in /proc")
async def test_who_leaves_takes_the_process_along() -> None:
    circles = '<circle cx="50" cy="50" r="50" opacity="0.1"/>' * 20_000  # minutes of work
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{circles}</svg>'
    rendered = asyncio.create_task(render(svg, Size(4096, 4096), "image/png"))
    async with asyncio.timeout(30):
        while _ticks_of_renderers() < BUSY:  # noqa: ASYNC110 (a process tells nobody what it does)
            await asyncio.sleep(0)
    rendered.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await rendered
    assert _ticks_of_renderers() == 0


def _ticks_of_renderers() -> int:
    """How much time the processes of ours that render have taken, in ticks of the system. 0: there are none."""
    ticks = 0
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{name}/cmdline").read_bytes()
            stat = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if b"drawing.rendering" in command and int(stat[1]) == os.getpid():
            ticks += 1 + int(stat[11]) + int(stat[12])
    return ticks


async def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ModelUnavailable, match=r"resvg_py.*turnwise\[images\]"):
        await render(SQUARE, Size(8, 8), "image/png")


def test_the_font_is_there() -> None:
    assert font_path().is_file()


async def test_a_picture_that_needs_too_much_memory_is_an_error_and_nothing_else_breaks() -> None:
    with pytest.raises(ModelFailed, match="could not be rendered"):
        await render(SQUARE, Size(60_000, 60_000), "image/png")
    assert opened(await render(SQUARE, Size(8, 8), "image/png")).size == (8, 8)
