"""The pen that symbols are drawn with: it writes SVG elements, and keeps the gradients that they use.

    pen = Pen()
    with pen.moved(500, 900, 2.0):
        pen.circle(0, -50, 40, pen.ball("#e23b34"))
    pen.elements, pen.definitions

A pen may draw outlines only (a blueprint, a sketch): then every fill becomes that of the paper, and every edge a line.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from xml.sax.saxutils import escape

from turnwise.models.drawing.colours import mix

FONT = "Source Sans Pro"

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Outline:
    """How a pen draws that draws lines only."""

    line: str
    paper: str
    width: float = 3.0
    """In units of the picture, whatever the scale of what is drawn."""


class Pen:
    """Writes SVG. Coordinates are those of the innermost `moved`; y goes down."""

    def __init__(self, outline: Outline | None = None) -> None:
        self.outline = outline
        self._elements: list[str] = []
        self._definitions: dict[str, str] = {}
        self._scale = 1.0

    @property
    def elements(self) -> str:
        return "".join(self._elements)

    @property
    def definitions(self) -> str:
        return "".join(self._definitions.values())

    # Where and how

    @contextmanager
    def moved(
        self, x: float, y: float, scale: float = 1.0, *, turn: float = 0.0, flipped: bool = False, opacity: float = 1.0
    ) -> Iterator[None]:
        """Draw around another origin, larger, turned (in degrees), mirrored or see-through."""
        transform = f"translate({_number(x)} {_number(y)})"
        if turn:
            transform += f" rotate({_number(turn)})"
        if scale != 1.0 or flipped:
            transform += f" scale({_number(-scale if flipped else scale)} {_number(scale)})"
        seen = f' opacity="{_number(opacity)}"' if opacity < 1.0 else ""
        self._elements.append(f'<g transform="{transform}"{seen}>')
        self._scale *= scale
        yield
        self._scale /= scale
        self._elements.append("</g>")

    # Shapes

    def circle(self, x: float, y: float, radius: float, fill: str, *, edge: str = "", width: float = 0) -> None:
        self._draw("circle", f'cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"', fill, edge, width)

    def ellipse(
        self, x: float, y: float, across: float, down: float, fill: str, *, edge: str = "", width: float = 0,
        turn: float = 0,
    ) -> None:  # fmt: skip
        """An ellipse by its centre and its two radii."""
        turned = f' transform="rotate({_number(turn)} {_number(x)} {_number(y)})"' if turn else ""
        place = f'cx="{_number(x)}" cy="{_number(y)}" rx="{_number(across)}" ry="{_number(down)}"{turned}'
        self._draw("ellipse", place, fill, edge, width)

    def rect(
        self, x: float, y: float, across: float, down: float, fill: str, *, round: float = 0, edge: str = "",
        width: float = 0,
    ) -> None:  # fmt: skip
        """A rectangle by its upper left corner; `round` is the radius of its corners."""
        rounded = f' rx="{_number(round)}"' if round else ""
        place = f'x="{_number(x)}" y="{_number(y)}" width="{_number(across)}" height="{_number(down)}"{rounded}'
        self._draw("rect", place, fill, edge, width)

    def polygon(self, points: Sequence[Point], fill: str, *, edge: str = "", width: float = 0) -> None:
        told = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._draw("polygon", f'points="{told}" stroke-linejoin="round"', fill, edge, width)

    def path(self, d: str, fill: str, *, edge: str = "", width: float = 0) -> None:
        self._draw("path", f'd="{d}" stroke-linejoin="round"', fill, edge, width)

    def line(self, d: str, colour: str, width: float, *, opacity: float = 1.0) -> None:
        """A path that is only a line, with round ends."""
        if self.outline:
            colour, width = self.outline.line, self.outline.width / self._scale
        seen = f' opacity="{_number(opacity)}"' if opacity < 1.0 else ""
        self._elements.append(
            f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{_number(width)}" '
            f'stroke-linecap="round" stroke-linejoin="round"{seen}/>'
        )

    def haze(self, x: float, y: float, across: float, down: float, colour: str, strength: float = 0.5) -> None:
        """A soft ellipse that fades out: a glow or a shadow. Outlines have none."""
        if self.outline is None:
            place = f'cx="{_number(x)}" cy="{_number(y)}" rx="{_number(across)}" ry="{_number(down)}"'
            self._elements.append(f'<ellipse {place} fill="{self.fade(colour, strength)}"/>')

    def text(self, x: float, y: float, text: str, size: float, fill: str, *, within: float | None = None) -> None:
        """Text around x, on the line y; made smaller where it would be wider than `within`."""
        shown = "".join(character for character in text if character.isprintable())
        if within is not None and shown:
            size = min(size, within / _ems(shown))
        if self.outline:
            fill = self.outline.line
        self._elements.append(
            f'<text x="{_number(x)}" y="{_number(y)}" font-family="{FONT}" font-weight="700" '
            f'font-size="{_number(size)}" text-anchor="middle" fill="{fill}">{escape(shown)}</text>'
        )

    def raw(self, element: str) -> None:
        """An element that nothing else writes."""
        self._elements.append(element)

    # Fills

    def shade(self, colour: str, depth: float = 0.18) -> str:
        """A fill that is a little lighter above and darker below."""
        return self.blend(mix(colour, "#ffffff", depth), mix(colour, "#10131f", depth))

    def blend(self, above: str, below: str) -> str:
        """A fill that goes from one colour to another, downwards."""
        return self._fill(
            f"b{above[1:]}{below[1:]}",
            f'<linearGradient id="{{id}}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{above}"/>'
            f'<stop offset="1" stop-color="{below}"/></linearGradient>',
        )

    def ball(self, colour: str) -> str:
        """A fill that makes a disc look round."""
        light, dark = mix(colour, "#ffffff", 0.4), mix(colour, "#10131f", 0.2)
        return self._fill(
            f"r{colour[1:]}",
            '<radialGradient id="{id}" cx="0.38" cy="0.32" r="0.75">'
            f'<stop offset="0" stop-color="{light}"/><stop offset="0.45" stop-color="{colour}"/>'
            f'<stop offset="1" stop-color="{dark}"/></radialGradient>',
        )

    def fade(self, colour: str, strength: float = 0.5) -> str:
        """A fill that is there in the middle and gone at the edge."""
        return self._fill(
            f"f{colour[1:]}{round(strength * 100)}",
            '<radialGradient id="{id}">'
            f'<stop offset="0" stop-color="{colour}" stop-opacity="{_number(strength)}"/>'
            f'<stop offset="0.5" stop-color="{colour}" stop-opacity="{_number(strength * 0.45)}"/>'
            f'<stop offset="1" stop-color="{colour}" stop-opacity="0"/></radialGradient>',
        )

    def _fill(self, name: str, definition: str) -> str:
        self._definitions.setdefault(name, definition.replace("{id}", name))
        return f"url(#{name})"

    def _draw(self, tag: str, place: str, fill: str, edge: str, width: float) -> None:
        if self.outline:
            fill, edge, width = self.outline.paper, self.outline.line, self.outline.width / self._scale
        stroke = f' stroke="{edge}" stroke-width="{_number(width)}"' if edge else ""
        self._elements.append(f'<{tag} {place} fill="{fill}"{stroke}/>')


def _ems(text: str) -> float:
    """About how wide a text is, in heights of its font: Chinese letters are twice as wide as Latin ones."""
    return sum(1.0 if ord(letter) > 0x2E7F else 0.56 for letter in text)


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if value else "0"
