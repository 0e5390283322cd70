"""Which pixels a server of images makes, and which of them to ask for so that an image comes near to what is wanted.

The API's aspect ratios and sizes mean exact pixels (`drawing/sizes.py`). Where a server makes no such image the nearest
one of the same shape is asked for, and what comes is cut and scaled to the exact pixels.

What OpenAI's own models make is known (OpenAI API reference, "Create image", `size`, 2026). Any other server is asked
for the exact pixels.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import TypeAlias

Pixels: TypeAlias = tuple[int, int]
"""Width and height."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes of which any will do."""

    step: int
    """Of what each side is a multiple."""
    longest: int
    ratio: float
    """The longer side, in shorter ones, at the most."""
    least: int
    """Pixels in all."""
    most: int


@dataclass(frozen=True, slots=True)
class Family:
    """How models of one kind are asked."""

    name: str
    """A regular expression for the beginning of their names, behind the maker's if there is one."""
    sizes: Sequence[Pixels] | Bounds | None = None
    """None: whatever is asked for."""
    forms: bool = False
    """Whether they are told the form of the file (`output_format`), and always answer with the bytes."""
    seeds: bool = False
    """Whether they take a seed."""


SQUARE, WIDE, TALL = (1024, 1024), (1536, 1024), (1024, 1536)

FAMILIES = (
    Family("gpt-image-2", Bounds(16, 3840, 3.0, 655_360, 8_294_400), forms=True),
    Family("(gpt-image|chatgpt-image)", (SQUARE, WIDE, TALL), forms=True),
    Family("dall-e-3", (SQUARE, (1792, 1024), (1024, 1792))),
    Family("dall-e-2", ((256, 256), (512, 512), SQUARE)),
    Family("", seeds=True),
)
"""The first that fits counts."""


def family_of(model: str) -> Family:
    """How a model is to be asked."""
    name = model.rpartition("/")[2]
    return next(family for family in FAMILIES if re.match(family.name, name, re.IGNORECASE))


def nearest(wanted: Pixels, family: Family) -> Pixels:
    """The size to ask for."""
    match family.sizes:
        case None:
            return wanted
        case Bounds() as bounds:
            return _within(wanted, bounds)
        case sizes:
            return min(sizes, key=lambda size: (abs(_shape(size) - _shape(wanted)), abs(_area(size) - _area(wanted))))


def _within(wanted: Pixels, bounds: Bounds) -> Pixels:
    """The same shape, unless it is too long: then it is made thicker, since the rest can be cut off. And the same size,
    as far as that may be."""
    width, height = max(wanted[0], wanted[1] / bounds.ratio), max(wanted[1], wanted[0] / bounds.ratio)
    scale = min(max(1.0, sqrt(bounds.least / (width * height))), sqrt(bounds.most / (width * height)))
    scale = min(scale, bounds.longest / max(width, height))
    grown = scale > 1
    across, down = _rounded(width * scale, bounds.step, grown), _rounded(height * scale, bounds.step, grown)
    longest = int(min(across, down) * bounds.ratio) // bounds.step * bounds.step
    return min(across, longest), min(down, longest)


def _rounded(length: float, step: int, up: bool) -> int:
    """To a multiple. Up where it was too small, down where it was too large."""
    return -(-round(length) // step) * step if up else max(round(length) // step, 1) * step


def _shape(size: Pixels) -> float:
    return log(size[0] / size[1])


def _area(size: Pixels) -> int:
    return size[0] * size[1]
