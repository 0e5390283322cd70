"""What a symbol is: something that a pen draws, standing at the origin in a box of its own.

    @symbol("#d9534f", width=80, place="stand", size=0.2)
    def balloon(pen: Pen, tint: Tint, chance: Random) -> None: ...

The box reaches from `-width / 2` to `width / 2`, and from `-height` up above to 0 on the ground.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from turnwise.models.drawing.colours import Tint
from turnwise.models.drawing.pen import Pen

Place: TypeAlias = Literal["sky", "air", "far", "stand", "object", "water", "sea", "space", "shape", "wall"]
"""Where a symbol is at home: high in the sky, in the air, at the horizon, on the ground, on a table, on the water,
under water, in space, nowhere (a geometric shape), on a wall."""

Draw: TypeAlias = Callable[[Pen, Tint, Random], None]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol and what a composer has to know of it."""

    name: str
    draw: Draw
    colour: str
    """What it is drawn in when no colour is asked for."""
    place: Place
    size: float
    """How high it is among others, as a share of a picture's shorter side."""
    width: float
    height: float

    @property
    def shape(self) -> float:
        """Its width as a share of its height."""
        return self.width / self.height


def symbol(
    colour: str, *, place: Place = "object", size: float = 0.2, width: float = 100, height: float = 100
) -> Callable[[Draw], Symbol]:
    """Make a symbol of the function that draws it."""

    def make(draw: Draw) -> Symbol:
        return Symbol(draw.__name__, draw, colour, place, size, width, height)

    return make
