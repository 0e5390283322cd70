"""Charts of figures that were read: the model says which, every one of them is looked up, and they are drawn as SVG.

A chart is drawn where somebody asks for one, and is allowed (`agent_config.visualization`). Whoever makes a picture of
the SVG is handed in (`Render`): it is a heavy part, and not every server has it.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from turnwise.agents.deep_research.asking import DATA, Asker, shown
from turnwise.agents.deep_research.checking import Checker
from turnwise.agents.deep_research.extracting import Note
from turnwise.agents.deep_research.sources import Library
from turnwise.domain.content import JSON, Media
from turnwise.domain.tools import Schema

Render: TypeAlias = Callable[[str, int, int], Awaitable[bytes]]
"""Makes a PNG of an SVG, so many pixels wide and high."""

WIDTH, HEIGHT = 960, 540
LEFT, RIGHT, TOP, BOTTOM = 90, 30, 80, 90
"""In pixels: the margins in which title, scale and labels stand."""

MOST = 2
"""How many charts a report has, at the most."""

POINTS = 12
"""How many figures a chart has, at the most."""

TICKS = 4
"""How many lines of the scale there are above zero."""

LABEL = 24
"""In characters: how much of a label is shown."""

_WANTED = re.compile(r"(?i)\b(?:charts?|graphs?|plots?|diagrams?|graphics?|visuali[sz]\w*|infographics?)\b")

_INSTRUCTION = (
    f"""You choose charts for a report, {MOST} at the most, as it was asked for them. A chart compares figures of one
kind and one unit: two to {POINTS} of them, each as a source says it, with the name that it goes by there (a year, a
product). Choose none if the sources have no such figures. """
    + DATA
)

_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "charts": {
            "type": "array",
            "maxItems": MOST,
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "kind": {"type": "string", "enum": ["bar", "line"]},
                    "points": {
                        "type": "array",
                        "minItems": 2,
                        "maxItems": POINTS,
                        "items": {
                            "type": "object",
                            "properties": {"label": {"type": "string"}, "value": {"type": "number", "minimum": 0}},
                            "required": ["label", "value"],
                            "additionalProperties": False,
                        },
                    },
                },
                "required": ["title", "kind", "points"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["charts"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures of one kind."""

    title: str
    is_line: bool
    points: tuple[tuple[str, float], ...]
    """Each with its name."""


def wants_charts(asked: str) -> bool:
    """Whether somebody asks for a chart."""
    return _WANTED.search(asked) is not None


async def choose_charts(
    asker: Asker, library: Library, notes: Sequence[Note], asked: str, heading: Callable[[str], str]
) -> list[Chart]:
    """The charts of a report, with figures that its sources say. `heading` makes a title of what may be one."""
    said: dict[int, list[str]] = {}
    for note in notes:
        said.setdefault(note.sources[0], []).append(note.text)
    sources = "\n\n".join(shown(number, library[number].title, "\n".join(texts)) for number, texts in said.items())
    answer = await asker.ask("charts", _INSTRUCTION, f"The request: {asked}\n\n{sources}", _SCHEMA)
    if answer is None:
        return []
    checker = await asyncio.to_thread(Checker, library, asked)
    charts = [_checked(chart, checker, heading) for chart in answer["charts"]]
    return [chart for chart in charts if len(chart.points) > 1]


async def draw(chart: Chart, render: Render) -> JSON:
    """The chart as a PNG, in base64."""
    return b64encode(await render(svg(chart), WIDTH, HEIGHT)).decode()


def picture(data: str) -> Media:
    """A chart that was drawn."""
    return Media("image", "image/png", data)


def svg(chart: Chart) -> str:
    """A chart as SVG."""
    top = _scale(max(value for _, value in chart.points))
    across = (WIDTH - LEFT - RIGHT) / len(chart.points)
    places = [(LEFT + across * (place + 0.5), _height(value, top)) for place, (_, value) in enumerate(chart.points)]
    parts = [_text(WIDTH / 2, 45, chart.title, 26)]
    for tick in range(TICKS + 1):
        value = top * tick / TICKS
        y = _height(value, top)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#d0d4da" stroke-width="1"/>')
        parts.append(_text(LEFT - 12, y + 6, f"{value:,.6g}", 16, "end"))
    if chart.is_line:
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#2f6fb3" stroke-width="4"/>')
    for (x, y), (label, value) in zip(places, chart.points, strict=True):
        if chart.is_line:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="#2f6fb3"/>')
        else:
            height = HEIGHT - BOTTOM - y
            parts.append(
                f'<rect x="{x - across * 0.35:.1f}" y="{y:.1f}" width="{across * 0.7:.1f}" height="{height:.1f}" '
                'fill="#2f6fb3"/>'
            )
        parts.append(_text(x, y - 12, f"{value:,.6g}", 16))
        parts.append(_text(x, HEIGHT - BOTTOM + 28, label[: max(4, min(LABEL, int(across / 8)))], 16))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def _checked(chart: JSON, checker: Checker, heading: Callable[[str], str]) -> Chart:
    """A chart with those of its figures that a source says."""
    points = [
        (" ".join(point["label"].split()), float(point["value"]))
        for point in chart["points"]
        if checker.check(f"{point['label']} {point['value']:.15g}").sources
    ]
    return Chart(heading(chart["title"]), chart["kind"] == "line", tuple(points))


def _scale(highest: float) -> float:
    """Where the scale ends: a round number that is not below the highest."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** (len(str(int(highest))) - 1) if highest >= 1 else 10.0 ** -len(str(int(1 / highest)))
    return next(step * power for step in (1, 2, 4, 5, 8, 10, 20) if step * power >= highest)


def _height(value: float, top: float) -> float:
    return TOP + (HEIGHT - BOTTOM - TOP) * (1 - value / top)


def _text(x: float, y: float, words: str, size: int, anchor: str = "middle") -> str:
    style = f'font-family="Source Sans Pro" font-size="{size}" fill="#1d2733" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
