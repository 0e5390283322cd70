"""Makes a scene of what a prompt asks for: which surroundings, where everything stands, how large, in which colours.

It composes as an illustrator would. What is far stands high and small, what is near low and large; many things of a
kind become a loose row; what is up in the sky keeps clear of what stands below; and the surroundings get what belongs
to them (clouds, stars, distant hills), unless the style is a plain one.
"""

from random import Random

from turnwise.models.drawing.composing.arranging import arrange
from turnwise.models.drawing.composing.choosing import choose_setting, choose_time, choose_weather
from turnwise.models.drawing.composing.figures import (
    HORIZONS,
    PALETTE,
    PLENTY,
    UNSAID_PLURAL,
    USUAL_HORIZON,
    Figure,
    Frame,
    Stage,
)
from turnwise.models.drawing.composing.members import Members, depth
from turnwise.models.drawing.composing.surroundings import furnish
from turnwise.models.drawing.scene import MOST_THINGS, Scene, Thing
from turnwise.models.drawing.symbols import SYMBOLS
from turnwise.models.drawing.words.request import Mention, Request

PLAIN_STYLES = frozenset({"minimal", "blueprint", "sketch"})
"""Styles in which nothing is added that nobody asked for."""


def compose(request: Request, frame: Frame, seed: int, prompt: str = "") -> Scene:
    """The scene that a request asks for, in a frame of this shape. The same seed gives the same scene."""
    return _Composer(request, frame, seed, prompt).compose()


def abstract(frame: Frame, seed: int, request: Request, prompt: str = "") -> Scene:
    """A scene of colours and forms only, for a prompt that names nothing."""
    chance = Random(seed)
    colours = list(request.colours) or [chance.choice(PALETTE) for _ in range(3)]
    things = []
    for index in range(chance.randrange(7, 12)):
        symbol = chance.choice(("circle", "triangle", "sphere", "hexagon", "diamond", "five_star", "spiral"))
        size = chance.uniform(0.08, 0.34)
        things.append(
            Thing(
                symbol,
                chance.uniform(0.1, 0.9),
                chance.uniform(0.25, 0.95),
                size,
                colours[index % len(colours)],
                turn=chance.uniform(-30, 30),
                seed=index,
                extra=True,
            )
        )
    return Scene(
        "abstract",
        styles=tuple(request.styles),
        background=request.background,
        things=tuple(things),
        seed=seed,
        prompt=prompt,
    )


class _Composer:
    """One composition."""

    def __init__(self, request: Request, frame: Frame, seed: int, prompt: str) -> None:
        self._request = request
        self._seed = seed
        self._prompt = prompt
        self._frame = frame

    def compose(self) -> Scene:
        request = self._request
        figures = [self._figure(mention) for mention in request.mentions]
        if request.text is not None:
            figures.append(self._bearer(request.text))
        setting = choose_setting(request, figures)
        time = choose_time(request, figures)
        stage = Stage(request, self._frame, Random(self._seed), setting, HORIZONS.get(setting, USUAL_HORIZON))
        stage.figures = self._into_emblem(self._without_surroundings(figures, setting), setting)
        arrange(stage)
        things = Members(stage).things()
        if not PLAIN_STYLES & set(request.styles):
            things += [(depth(thing), thing) for thing in furnish(stage, time)]
        ordered = [thing for _, thing in sorted(things, key=lambda placed: placed[0])][:MOST_THINGS]
        return Scene(
            setting=setting,
            time=time,
            weather=choose_weather(request, setting),
            season=request.season or "summer",
            styles=tuple(dict.fromkeys(request.styles)),
            future=request.future,
            background=request.background,
            sky=request.sky,
            ground=request.ground,
            horizon=stage.horizon,
            things=tuple(ordered),
            seed=self._seed,
            prompt=self._prompt[:2000],
        )

    def _figure(self, mention: Mention) -> Figure:
        name = mention.symbol or "thing"
        if name == "star" and not self._is_sky_star(mention):
            name = "five_star"
        if name == "skyscraper" and self._request.future:
            name = "spire"
        if name == "car" and self._request.future and mention.plural:
            name = "flying_car"
        symbol = SYMBOLS[name]
        count = mention.count or 1
        if mention.plural and mention.count is None:
            count = PLENTY.get(name, UNSAID_PLURAL[symbol.place])
        return Figure(mention, symbol, count, symbol.size * mention.scale)

    def _is_sky_star(self, mention: Mention) -> bool:
        """Stars are in the sky when there is one; alone, a star is a shape."""
        request = self._request
        others = [
            other for other in request.mentions if other.symbol != "star" and SYMBOLS.get(other.symbol or "thing")
        ]
        celestial = any(SYMBOLS[other.symbol or "thing"].place not in ("shape", "object") for other in others)
        return celestial or bool(request.setting or request.time) or (mention.plural and mention.count is None)

    def _bearer(self, text: str) -> Figure:
        """Something to write on, for a text that belongs to nothing."""
        alone = not self._request.mentions and not self._request.setting
        symbol = SYMBOLS["banner" if alone else "sign"]
        mention = Mention("banner" if alone else "sign", symbol.name, 1, colours=self._request.colours, text=text)
        return Figure(mention, symbol, 1, symbol.size * (1.6 if alone else 1.0))

    def _without_surroundings(self, figures: list[Figure], setting: str) -> list[Figure]:
        """Things that the surroundings bring along anyway are left to them."""
        city = setting == "city"
        gone = [
            figure
            for figure in figures
            if self._is_in_vase(figure)
            or (
                figure.mention.relation is None
                and not figure.mention.colours
                and city
                and figure.symbol.name in ("skyscraper", "spire")
                and figure.mention.plural
                and figure.mention.count is None
            )
        ]
        return [figure for figure in figures if figure not in gone]

    def _is_in_vase(self, figure: Figure) -> bool:
        """A vase has its flowers already."""
        relation = figure.mention.relation
        flowers = figure.symbol.name in ("flower", "rose", "tulip", "sunflower")
        return (
            flowers
            and relation is not None
            and relation[0] == "in"
            and self._request.mentions[relation[1]].symbol == "vase"
        )

    def _into_emblem(self, figures: list[Figure], setting: str) -> list[Figure]:
        """A sign of a company shows what that is about, and its name below."""
        emblem = next((figure for figure in figures if figure.symbol.name == "emblem"), None)
        if emblem is None or setting != "plain":
            return figures
        texts = [figure.mention.text for figure in figures if figure.mention.text]
        emblem.mention.text = texts[0] if texts else None
        emblem.mention.relation = None
        shown = next((figure for figure in figures if figure is not emblem), None)
        if shown is None:
            return [emblem]
        shown.mention.text = None
        shown.mention.relation = ("inside", self._request.mentions.index(emblem.mention))
        shown.count = 1
        emblem.plain = True
        return [emblem, shown]
