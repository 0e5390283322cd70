"""A scene: what a picture consists of, as data. It travels inside the picture, so that a later turn can go on from it.

Positions and sizes are shares: of the width, of the height, of the shorter side. So a scene has no pixels, and the same
scene may be drawn at any size.
"""

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isnan
from typing import Any

from turnwise.domain.content import JSON
from turnwise.models.drawing.symbols import SYMBOLS

MOST_THINGS = 80
LONGEST_TEXT = 80

SETTINGS = frozenset(
    [
        "meadow",
        "plain",
        "studio",
        "sea",
        "beach",
        "desert",
        "winter",
        "city",
        "street",
        "forest",
        "mountains",
        "space",
        "lunar",
        "underwater",
        "room",
        "sky",
        "abstract",
    ]
)
TIMES = frozenset({"day", "dawn", "sunset", "night"})
WEATHERS = frozenset({"clear", "cloudy", "rain", "storm", "snow", "fog"})
SEASONS = frozenset({"spring", "summer", "autumn", "winter"})
STYLES = frozenset(
    {"mono", "neon", "pastel", "retro", "blueprint", "sketch", "minimal", "pixel", "watercolor", "vivid", "dark"}
)


@dataclass(frozen=True, slots=True)
class Thing:
    """A symbol at its place."""

    symbol: str
    x: float
    """Of its middle, as a share of the width."""
    y: float
    """Of its lowest point, as a share of the height."""
    size: float
    """Its height, as a share of the shorter side."""
    colour: str | None = None
    other: str | None = None
    word: str = ""
    """What the prompt called it."""
    label: str | None = None
    """What is written below it."""
    text: str | None = None
    """What is written on it."""
    flipped: bool = False
    turn: float = 0.0
    seed: int = 0
    """What is left to chance in its looks."""
    main: bool = False
    """Whether it is what the prompt named first: what `it` means."""
    extra: bool = False
    """Whether nobody asked for it: it only belongs to the surroundings."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, before it is drawn."""

    setting: str = "plain"
    time: str = "day"
    weather: str = "clear"
    season: str = "summer"
    styles: tuple[str, ...] = ()
    future: bool = False
    background: str | None = None
    sky: str | None = None
    ground: str | None = None
    horizon: float = 0.62
    """Where the sky ends, as a share of the height."""
    things: tuple[Thing, ...] = ()
    """From the back to the front."""
    seed: int = 0
    prompt: str = field(default="", repr=False)

    @property
    def is_outdoors(self) -> bool:
        """Whether there is a sky, and weather under it."""
        return self.setting not in ("plain", "studio", "space", "lunar", "underwater", "room", "abstract")


def scene_to_json(scene: Scene) -> dict[str, JSON]:
    """A scene as JSON, without what is as usual."""
    usual = asdict(Scene())
    told = {name: value for name, value in asdict(scene).items() if value != usual[name]}
    told["things"] = [_thing_to_json(thing) for thing in scene.things]
    return told


def _thing_to_json(thing: Thing) -> dict[str, JSON]:
    usual = {name.name: name.default for name in fields(Thing)}
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in asdict(thing).items()
        if value != usual[name]
    }


def scene_from_json(told: JSON) -> Scene | None:
    """A scene that a picture carries. None: it is none. Whoever made the picture may have written anything into it, so
    every value is taken only if it is one that a scene can have."""
    if not isinstance(told, dict):
        return None
    usual = Scene()
    things = told.get("things")
    return Scene(
        setting=_one_of(SETTINGS, told.get("setting"), usual.setting),
        time=_one_of(TIMES, told.get("time"), usual.time),
        weather=_one_of(WEATHERS, told.get("weather"), usual.weather),
        season=_one_of(SEASONS, told.get("season"), usual.season),
        styles=tuple(style for style in _list(told.get("styles")) if isinstance(style, str) and style in STYLES)[:4],
        future=told.get("future") is True,
        background=_colour(told.get("background")),
        sky=_colour(told.get("sky")),
        ground=_colour(told.get("ground")),
        horizon=_number(told.get("horizon"), 0.1, 1.0, usual.horizon),
        things=tuple(
            thing for thing in map(_thing_from_json, _list(things)[:MOST_THINGS]) if thing is not None
        ),
        seed=int(_number(told.get("seed"), 0, 2**63, 0)),
        prompt=str(told.get("prompt", ""))[:2000],
    )  # fmt: skip


def _thing_from_json(told: JSON) -> Thing | None:
    if not isinstance(told, dict) or not (symbol := _one_of(SYMBOLS, told.get("symbol"), "")):
        return None
    return Thing(
        symbol=symbol,
        x=_number(told.get("x"), -0.5, 1.5, 0.5),
        y=_number(told.get("y"), -0.5, 2.0, 0.8),
        size=_number(told.get("size"), 0.005, 2.0, 0.3),
        colour=_colour(told.get("colour")),
        other=_colour(told.get("other")),
        word=_text(told, "word") or "",
        label=_text(told, "label"),
        text=_text(told, "text"),
        flipped=told.get("flipped") is True,
        turn=_number(told.get("turn"), -360, 360, 0.0),
        seed=int(_number(told.get("seed"), 0, 2**63, 0)),
        main=told.get("main") is True,
        extra=told.get("extra") is True,
    )


def _one_of(values: Container[str], told: Any, usual: str) -> str:
    return told if isinstance(told, str) and told in values else usual


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []


def _number(told: Any, least: float, most: float, usual: float) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or isnan(told):
        return usual
    return min(max(told, least), most)


def _colour(told: Any) -> str | None:
    if not isinstance(told, str) or len(told) != 7 or told[0] != "#":
        return None
    return told.lower() if all(digit in "0123456789abcdefABCDEF" for digit in told[1:]) else None


def _text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    return value[:LONGEST_TEXT] if isinstance(value, str) and value else None
