"""A thing on its way to its place, and the stage that it comes to."""

from dataclasses import dataclass, field
from random import Random

from turnwise.models.drawing.symbols.symbol import Symbol
from turnwise.models.drawing.words.request import Mention, Request

UNSAID_PLURAL = {
    "sky": 4,
    "air": 5,
    "far": 3,
    "stand": 4,
    "object": 3,
    "water": 3,
    "sea": 5,
    "space": 3,
    "shape": 3,
    "wall": 2,
}
"""How many a plural without a number is, by where such things are at home."""

PLENTY = {
    "tree": 7,
    "pine": 8,
    "flower": 12,
    "tulip": 12,
    "rose": 9,
    "sunflower": 9,
    "skyscraper": 8,
    "spire": 9,
    "star": 12,
    "person": 5,
    "snowflake": 9,
    "bird": 6,
    "cloud": 4,
    "mountain": 4,
    "flying_car": 4,
    "mushroom": 5,
    "bush": 6,
    "palm": 4,
}
"""The same, for what comes in larger numbers."""

HORIZONS = {
    "sea": 0.5,
    "beach": 0.46,
    "desert": 0.6,
    "winter": 0.62,
    "city": 0.8,
    "street": 0.58,
    "forest": 0.64,
    "mountains": 0.66,
    "space": 1.0,
    "lunar": 0.7,
    "underwater": 0.84,
    "room": 0.7,
    "sky": 1.0,
    "studio": 0.64,
    "plain": 0.8,
    "abstract": 1.0,
}
"""Where the sky of a setting ends, as a share of the height."""

GROUNDED = frozenset({"stand", "object", "water"})

ON_ROADS = frozenset({"car", "bus", "truck", "motorcycle", "traffic_light"})

UNDERWATER = frozenset({"fish", "whale", "dolphin", "shark", "octopus", "submarine"})


USUAL_HORIZON = 0.62

PALETTE = ("#d9695a", "#4f8fc0", "#e0a83a", "#5aa57a", "#8a6ab8", "#d97f9a", "#3f9a9a")
"""What things are coloured that have no colour of their own, and that several of a kind share out."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How a picture is shaped: its sides as shares of the shorter one."""

    across: float
    down: float


@dataclass(slots=True)
class Figure:
    """A mention on its way to its place. Positions as in `Thing`."""

    mention: Mention
    symbol: Symbol
    count: int
    size: float
    x: float = 0.5
    y: float = 0.85
    spread: float = 0.0
    """How far its members stand apart, as a share of the width."""
    over: "Figure | None" = None
    """What it is drawn right over, or right under if `under`."""
    under: bool = False
    plain: bool = False
    """Whether it is drawn without what is inside of it."""


@dataclass(slots=True)
class Stage:
    """What everybody has to know who takes part in a composition."""

    request: Request
    frame: Frame
    chance: Random
    setting: str = "plain"
    horizon: float = 0.62
    figures: list[Figure] = field(default_factory=list)

    def tall(self, figure: Figure) -> float:
        """How high a thing is, as a share of the height."""
        return figure.size / self.frame.down

    def wide(self, figure: Figure) -> float:
        """How wide a thing is, as a share of the width."""
        return figure.size * figure.symbol.shape / self.frame.across
