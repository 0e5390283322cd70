"""A strong model lays a scene out: what it is asked, the schema of its answer, and whether the answer is good.

The words of the prompt are the measure. A layout that lacks what they name is not taken, and the words alone carry the
picture; a colour that they name wins over the layout's.
"""

import json
from collections import Counter
from collections.abc import Container
from dataclasses import replace
from typing import Any

from turnwise.models.drawing.colours import NAMES
from turnwise.models.drawing.composing.figures import HORIZONS
from turnwise.models.drawing.scene import SEASONS, SETTINGS, TIMES, WEATHERS, Scene, Thing
from turnwise.models.drawing.symbols import SYMBOLS
from turnwise.models.drawing.words.request import Request

MOST = 24
"""How many things a layout may have."""

ENOUGH = 0.75
"""Which share of what the words name a layout must have."""

ASKED = """Lay out a picture for this request:

{prompt}

Answer with JSON only. `setting`, `time`, `weather` and `season` are the surroundings. `things` are from the back to
the front; choose the symbol that comes nearest to each thing. `x` is the middle of a thing in percent of the width,
from the left; `y` is its lowest point in percent of the height, from the top; `size` is its height in percent of
the height. The ground starts at about y = {horizon}. Things do not cover one another unless they should. `colour`
is a name, or `usual`."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "setting": {"enum": sorted(SETTINGS - {"abstract"})},
        "time": {"enum": sorted(TIMES)},
        "weather": {"enum": sorted(WEATHERS)},
        "season": {"enum": sorted(SEASONS)},
        "things": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST,
            "items": {
                "type": "object",
                "properties": {
                    "symbol": {"enum": sorted(SYMBOLS)},
                    "name": {"type": "string", "maxLength": 30},
                    "x": {"type": "integer", "minimum": 0, "maximum": 100},
                    "y": {"type": "integer", "minimum": 5, "maximum": 100},
                    "size": {"type": "integer", "minimum": 3, "maximum": 90},
                    "colour": {"enum": ["usual", *NAMES]},
                    "text": {"type": "string", "maxLength": 40},
                },
                "required": ["symbol", "name", "x", "y", "size", "colour"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["setting", "time", "weather", "season", "things"],
    "additionalProperties": False,
}


def question(prompt: str) -> str:
    """What the model is asked."""
    return ASKED.format(prompt=prompt, horizon=round(100 * HORIZONS["forest"]))


def scene_of_layout(answer: str, request: Request, down: float, seed: int, prompt: str) -> Scene | None:
    """The scene that an answer lays out. None: it is no layout, or it lacks what the request names.

    `down` is the height of the picture as a share of its shorter side.
    """
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("things"), list):
        return None
    things = [
        thing for index, item in enumerate(told["things"][:MOST]) if (thing := _thing(item, index, down)) is not None
    ]
    if not things or _covered(things, request) < ENOUGH:
        return None
    setting: str = request.setting or _one_of(SETTINGS, told.get("setting"), "meadow")
    return Scene(
        setting="plain" if request.background else setting,
        time=request.time or _one_of(TIMES, told.get("time"), "day"),
        weather=request.weather or _one_of(WEATHERS, told.get("weather"), "clear"),
        season=request.season or _one_of(SEASONS, told.get("season"), "summer"),
        styles=tuple(dict.fromkeys(request.styles)),
        future=request.future,
        background=request.background,
        sky=request.sky,
        ground=request.ground,
        horizon=HORIZONS.get(setting, 0.62),
        things=tuple(_coloured(things, request)),
        seed=seed,
        prompt=prompt[:2000],
    )


def _thing(item: Any, index: int, down: float) -> Thing | None:
    if not isinstance(item, dict) or str(item.get("symbol")) not in SYMBOLS:
        return None
    try:
        x, y, size = (float(item[name]) / 100 for name in ("x", "y", "size"))
    except (KeyError, TypeError, ValueError):
        return None
    name, text = item.get("name"), item.get("text")
    return Thing(
        symbol=str(item["symbol"]),
        x=min(max(x, 0.0), 1.0),
        y=min(max(y, 0.05), 1.0),
        size=min(max(size, 0.03), 0.9) * down,
        colour=NAMES.get(str(item.get("colour"))),
        word=name[:40].lower() if isinstance(name, str) else str(item["symbol"]),
        text=text[:40] if isinstance(text, str) and text else None,
        seed=index,
    )


def _one_of(values: Container[str], told: Any, usual: str) -> str:
    return told if isinstance(told, str) and told in values else usual


def _covered(things: list[Thing], request: Request) -> float:
    """Which share of the things that the words name is there, each as often as they say."""
    named = [mention for mention in request.mentions if mention.symbol is not None]
    if not named:
        return 1.0
    there = Counter(thing.symbol for thing in things)
    return sum(there[mention.symbol or ""] >= (mention.count or 1) for mention in named) / len(named)


def _coloured(things: list[Thing], request: Request) -> list[Thing]:
    """The things, with the colours and texts that the words say."""
    coloured = list(things)
    for mention in request.mentions:
        fitting = [index for index, thing in enumerate(coloured) if thing.symbol == mention.symbol]
        for place, index in enumerate(fitting[: mention.count or len(fitting)]):
            if mention.colours:
                coloured[index] = replace(coloured[index], colour=mention.colours[place % len(mention.colours)])
            if mention.text and place == 0:
                coloured[index] = replace(coloured[index], text=mention.text)
    return coloured
