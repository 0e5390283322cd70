"""Which surroundings, time and weather a picture has."""

from collections.abc import Sequence

from turnwise.models.drawing.composing.figures import ON_ROADS, UNDERWATER, Figure
from turnwise.models.drawing.symbols import SYMBOLS
from turnwise.models.drawing.symbols.symbol import Place
from turnwise.models.drawing.words.request import Request

MADE_FOR_SPACE = frozenset({"planet", "earth", "rocket", "satellite", "astronaut", "comet"})

INDOORS = frozenset(
    {"table", "chair", "sofa", "bed", "lamp", "clock", "window", "picture", "shelf", "piano", "screen", "door"}
)

CITY = frozenset({"skyscraper", "spire", "traffic_light"})


def choose_setting(request: Request, figures: Sequence[Figure]) -> str:
    """The surroundings that a request names, or else those that its things have by themselves."""
    names = {figure.symbol.name for figure in figures}
    places = {figure.symbol.place for figure in figures}
    if request.background and not request.setting:
        return "plain"
    if request.setting == "meadow" and places and places <= {"sea"} and not request.ground:
        return "underwater"
    if request.setting == "sky" and places & {"sky", "air"} and places & {"stand", "far", "object", "water"}:
        return _setting_of_things(request, names, places)  # only some of it is up there
    if request.setting == "sea" and any(map(_needs_land, figures)):
        return "beach"
    if request.setting:
        return request.setting
    return _setting_of_things(request, names, places)


def _needs_land(figure: Figure) -> bool:
    """Whether it can be at no sea without a shore."""
    relation = figure.mention.relation
    return figure.symbol.place in ("stand", "object") and (
        relation is None or relation[0] not in ("in", "on", "riding", "worn", "held")
    )


def _setting_of_things(request: Request, names: set[str], places: set[Place]) -> str:
    """The surroundings that things have by themselves: the first rule that fits."""
    if request.weather in ("snow",) or request.season == "winter" or "snowman" in names:
        return "winter"
    if "emblem" in names or names == {"banner"} or "smiley" in names or "face" in names:
        return "plain"
    if places and places <= {"shape"}:
        return "plain"
    if names & MADE_FOR_SPACE and places <= {"space", "sky", "shape"}:
        return "space"
    if "saucer" in names and places <= {"space", "sky", "air"}:
        return "space"
    if names & UNDERWATER and places <= {"sea", "shape"}:
        return "underwater"
    if names & UNDERWATER and "object" in places:
        return "studio"
    if names & UNDERWATER or "water" in places:
        return "sea"
    if names & CITY:
        return "city"
    if names & INDOORS and all(
        name in INDOORS | {"cat", "dog", "vase", "candle"} or SYMBOLS[name].place == "object" for name in names
    ):
        return "room"
    if "wall" in places:
        return "room"
    if names & ON_ROADS:
        return "street"
    if names & {"cactus", "pyramid"}:
        return "desert"
    if names & {"palm"}:
        return "beach"
    if names & {"mountain"}:
        return "mountains"
    if places and places <= {"air", "sky"}:
        return "sky"
    if places and places <= {"object", "shape", "air"} and not (request.time or request.weather):
        return "studio"
    if names or request.time or request.weather or request.season or request.sky or request.ground:
        return "meadow"
    return "plain"


def choose_time(request: Request, figures: Sequence[Figure]) -> str:
    """The time of day."""
    if request.time:
        return request.time
    names = {figure.symbol.name for figure in figures}
    if names & {"moon", "crescent", "star", "comet", "ghost", "jack_o_lantern"} and "sun" not in names:
        return "night"
    if "neon" in request.styles or "dark" in request.styles:
        return "night"
    return "day"


def choose_weather(request: Request, setting: str) -> str:
    """The weather."""
    if request.weather:
        return request.weather
    return "snow" if request.season == "winter" and setting == "winter" else "clear"
