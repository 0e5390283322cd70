"""Plots of a few lines or bars, as SVG: small files, the same bytes for the same figures, text that stays text.

Drawn here and not by a library, since all they need is two forms: a plot is three kilobytes that a diff can be read of,
in inks that can be read on white and on black, and no new version of anything draws it anew.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 52, 48

Ink = Literal["first", "second", "other", "target"]

INKS: dict[Ink, str] = {"first": "#2f81f7", "second": "#d4692a", "other": "#8b949e", "target": "#cf4f4f"}
TEXT = "#6e7781"

_STYLE = (
    f"text{{font:13px system-ui,sans-serif;fill:{TEXT}}}.title{{font-size:15px;font-weight:600}}"
    f".grid{{stroke:{TEXT};stroke-width:.5;opacity:.35}}.line{{fill:none;stroke-width:2.5}}"
    f".target{{stroke:{INKS['target']};stroke-width:1;stroke-dasharray:5 4}}"
)


@dataclass(frozen=True)
class Line:
    """Values at some of the places along the bottom, with a name at their end."""

    name: str
    values: dict[str, float]
    ink: Ink = "first"
    is_dashed: bool = False


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    ink: Ink = "other"


@dataclass(frozen=True)
class Goal:
    """What is aimed at: a thin line."""

    name: str
    value: float


def lines(
    title: str, below: str, drawn: Sequence[Line], *, unit: str, goal: Goal | None = None, is_log: bool = False
) -> str:
    """Lines over places that stand at equal distances: `below` says what the places are."""
    places = list(dict.fromkeys(place for line in drawn for place in line.values))
    values = [value for line in drawn for value in line.values.values()] + ([goal.value] if goal else [])
    axis = _log_axis(values) if is_log else _even_axis(values)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(place: str) -> float:
        return LEFT + (right - LEFT) * (places.index(place) + 0.5) / len(places)

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * max(axis.part(value), 0.0)  # less than nothing is noise

    parts = [_text(LEFT - 44, 24, title, kind="title")]
    for tick in axis.ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {_n(y(tick))}H{right}"/>')
        parts.append(_text(LEFT - 8, y(tick) + 4, _number(tick), anchor="end"))
    parts.append(_text(LEFT - 8, TOP - 12, unit, anchor="end"))
    parts += [_text(x(place), bottom + 20, place, anchor="middle") for place in places]
    parts.append(_text((LEFT + right) / 2, bottom + 40, below, anchor="middle"))
    names: list[tuple[float, str, Ink]] = []
    if goal:
        parts.append(f'<path class="target" d="M{LEFT} {_n(y(goal.value))}H{right}"/>')
        names.append((y(goal.value), goal.name, "target"))
    for line in drawn:
        points = " ".join(f"{_n(x(place))},{_n(y(value))}" for place, value in line.values.items())
        dashes = ' stroke-dasharray="2 4"' if line.is_dashed else ""
        parts.append(f'<polyline class="line" stroke="{INKS[line.ink]}"{dashes} points="{points}"/>')
        names.append((y(list(line.values.values())[-1]), line.name, line.ink))
    parts += [_text(right + 8, at + 4, name, fill=INKS[ink]) for at, name, ink in _apart(names)]
    return _svg(title, parts, HEIGHT)


def bars(title: str, drawn: Sequence[Bar], *, unit: str, decimals: int, goal: Goal | None = None) -> str:
    """Bars that lie below each other, each with its name and its value."""
    left, step = 210, 34
    height = TOP + step * len(drawn) + (26 if goal else 8)
    most = max([bar.value for bar in drawn] + ([goal.value] if goal else []))
    scale = (WIDTH - left - 110) / most
    parts = [_text(LEFT - 44, 24, title, kind="title")]
    for number, bar in enumerate(drawn):
        top = TOP + step * number
        parts.append(_text(left - 10, top + 17, bar.name, anchor="end"))
        width = _n(max(bar.value * scale, 1.0))
        parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="24" rx="3" fill="{INKS[bar.ink]}"/>')
        said, end = f"{bar.value:,.{decimals}f} {unit}", bar.value * scale
        if goal and end < goal.value * scale < end + 16 + 7 * len(said):  # so that the target's line crosses no figure
            end = goal.value * scale
        parts.append(_text(left + end + 8, top + 17, said))
    if goal:
        at = _n(left + goal.value * scale)
        parts.append(f'<path class="target" d="M{at} {TOP - 8}V{height - 22}"/>')
        parts.append(_text(float(at), height - 6, goal.name, anchor="middle", fill=INKS["target"]))
    return _svg(title, parts, height)


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    ticks: list[float]
    is_log: bool

    def part(self, value: float) -> float:
        """Where the value stands between the ends, from 0 to 1."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def _log_axis(values: Sequence[float]) -> _Axis:
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    last = max(last, first + 1)
    return _Axis(10.0**first, 10.0**last, [10.0**n for n in range(first, last + 1)], is_log=True)


def _even_axis(values: Sequence[float]) -> _Axis:
    most = max(values)
    step = 10.0 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.2, 0.25, 0.5, 1, 2) if step * part * 5 >= most)
    count = math.ceil(most / step - 1e-9)
    return _Axis(0.0, count * step, [n * step for n in range(count + 1)], is_log=False)


def _apart(names: Sequence[tuple[float, str, Ink]]) -> list[tuple[float, str, Ink]]:
    """The names at their heights, moved down where they would stand on each other."""
    placed: list[tuple[float, str, Ink]] = []
    for at, name, ink in sorted(names):
        placed.append((max(at, placed[-1][0] + 17) if placed else at, name, ink))
    return placed


def _text(x: float, y: float, said: str, *, anchor: str = "start", kind: str = "", fill: str = "") -> str:
    more = f' text-anchor="{anchor}"' if anchor != "start" else ""
    more += f' class="{kind}"' if kind else ""
    more += f' style="fill:{fill}"' if fill else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{more}>{escape(said)}</text>'


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _svg(title: str, parts: Sequence[str], height: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", *parts, "</svg>"]) + "\n"
