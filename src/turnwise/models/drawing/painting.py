"""Paints a scene: SVG of the surroundings, of every thing with its shadow, and of the weather over all of it.

A picture is painted in units of its own: the shorter side is 1000 of them, whatever the pixels. Nothing outside the SVG
is ever named in it; what a prompt says stands only in text elements, escaped.
"""

from base64 import b64encode
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sin
from random import Random

from turnwise.models.drawing.colours import Tint, brightness, mix
from turnwise.models.drawing.pen import Outline, Pen
from turnwise.models.drawing.scene import Scene, Thing
from turnwise.models.drawing.sizes import Size
from turnwise.models.drawing.symbols import SYMBOLS
from turnwise.models.drawing.symbols.land import blades

UNIT = 1000.0
"""How many units the shorter side of a picture has."""

SKIES = {
    "day": ("#5fb0f0", "#d6eefb"),
    "dawn": ("#7f9fe0", "#ffd9c2"),
    "sunset": ("#4a3f8f", "#ff9a5a"),
    "night": ("#0c1233", "#34437f"),
}
GROUNDS = {
    "meadow": "#79bd5a",
    "sea": "#2f86c4",
    "beach": "#efd9a7",
    "lake": "#79bd5a",
    "desert": "#e6bd7a",
    "winter": "#eef4fa",
    "city": "#6d7480",
    "street": "#7fb862",
    "forest": "#5c8f4a",
    "mountains": "#7fae62",
    "lunar": "#a3a3a8",
    "underwater": "#d9c48f",
    "room": "#b98a5a",
    "studio": "#e3dccf",
    "plain": "#ffffff",
    "space": "#0b0f26",
    "sky": "#ffffff",
    "abstract": "#ffffff",
}
SEASONED = {"autumn": "#c2a04a", "winter": "#eef4fa", "spring": "#8fce63"}
"""What meadows are coloured in other seasons than summer."""

LEAVES = {
    "autumn": ("#d9762e", "#c9482f", "#e0a52e"),
    "spring": ("#f2b3cc", "#8fce63", "#a9d977"),
    "winter": ("#dfe9f2", "#cfdde9"),
}
"""What trees are coloured in other seasons."""

DIM = {"day": ("#ffffff", 0.0), "dawn": ("#ffb7a0", 0.14), "sunset": ("#ff8a4a", 0.2), "night": ("#141b45", 0.42)}
"""What the time of day mixes into everything, and how much."""

FILTERS = {
    "mono": '<feColorMatrix type="saturate" values="0"/>',
    "retro": '<feColorMatrix values="0.58 0.36 0.16 0 0.05 0.30 0.50 0.14 0 0.03 0.22 0.34 0.16 0 0.03 0 0 0 1 0"/>',
    "pastel": '<feColorMatrix values="0.55 0.05 0 0 0.4 0 0.6 0 0 0.38 0 0.05 0.55 0 0.4 0 0 0 1 0"/>',
    "watercolor": '<feGaussianBlur stdDeviation="2.2"/>'
    '<feColorMatrix values="0.72 0.06 0 0 0.22 0.03 0.72 0.03 0 0.22 0 0.06 0.72 0 0.21 0 0 0 1 0"/>',
    "vivid": '<feColorMatrix type="saturate" values="1.7"/>',
    "dark": '<feColorMatrix values="0.55 0.1 0.05 0 0 0.08 0.5 0.05 0 0 0.08 0.1 0.6 0 0.02 0 0 0 1 0"/>',
    "neon": '<feColorMatrix type="saturate" values="1.9"/>',
}
"""What a style does to the whole picture. In sRGB."""

BOARDS = {
    "sign": (-58, 26, 88),
    "banner": (-42, 26, 108),
    "shop": (-79, 15, 92),
    "screen": (-48, 26, 120),
    "shirt": (-36, 16, 44),
    "book": (-36, 14, 90),
    "laptop": (-52, 18, 86),
    "flag": (-68, 12, 52),
    "bus": (-34, 16, 140),
    "rectangle": (-42, 34, 150),
    "square": (-42, 26, 88),
    "circle": (-42, 26, 84),
    "heart": (-56, 24, 78),
    "bag": (-52, 13, 50),
    "cup": (-34, 16, 60),
    "gift": (-20, 14, 70),
    "truck": (-52, 20, 110),
    "balloon": (-64, 14, 44),
    "hot_air_balloon": (-64, 12, 60),
}
"""Where something is written on a thing: the line below it, its height, and its width at the most, in the units of its
symbol. Below any other thing there is a label."""

IN_THE_SKY = frozenset({"sun", "moon", "crescent", "star"})

BLUEPRINT = Outline("#e6f1ff", "#1d4f91")
SKETCH = Outline("#2b2b30", "#fdfcf8")


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that was not drawn here, to be painted upon."""

    data: bytes
    mime_type: str


def paint(scene: Scene, size: Size, photo: Photo | None = None) -> str:
    """The SVG of a scene for a picture of this size. With a photo, that stands in the place of the surroundings."""
    return _Painter(scene, size, photo).paint()


class _Painter:
    """One painting."""

    def __init__(self, scene: Scene, size: Size, photo: Photo | None) -> None:
        self._scene = scene
        self._size = size
        self._photo = photo
        self._short = UNIT
        self._width = UNIT * size.width / size.short
        self._height = UNIT * size.height / size.short
        self._horizon = scene.horizon * self._height
        styles = set(scene.styles)
        self._outline = BLUEPRINT if "blueprint" in styles else SKETCH if "sketch" in styles else None
        self._pen = Pen(self._outline)
        self._chance = Random(scene.seed)
        self._minimal = "minimal" in styles

    def paint(self) -> str:
        if self._photo is not None:
            self._paint_photo(self._photo)
        elif self._outline is not None:
            self._paint_paper(self._outline)
        else:
            self._paint_surroundings()
        for thing in self._scene.things:
            if not (thing.symbol in IN_THE_SKY and self._is_behind_ground()):
                self._paint_thing(thing)
        if self._photo is None and self._outline is None:
            self._paint_weather()
        return self._whole()

    def _whole(self) -> str:
        filters = "".join(FILTERS[style] for style in self._scene.styles if style in FILTERS and self._outline is None)
        definitions, body = self._pen.definitions, self._pen.elements
        if filters:
            box = f'x="0" y="0" width="{self._width:.1f}" height="{self._height:.1f}"'
            how = f'filterUnits="userSpaceOnUse" {box} color-interpolation-filters="sRGB"'
            definitions += f'<filter id="style" {how}>{filters}</filter>'
            body = f'<g filter="url(#style)">{body}</g>'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width:.3f} {self._height:.3f}" '
            f'width="{self._size.width}" height="{self._size.height}" preserveAspectRatio="none">'
            f"<defs>{definitions}</defs>{body}</svg>"
        )

    # Surroundings

    def _paint_photo(self, photo: Photo) -> None:
        data = b64encode(photo.data).decode()
        self._pen.rect(0, 0, self._width, self._height, "#ffffff")
        self._pen.raw(
            f'<image x="0" y="0" width="{self._width:.1f}" height="{self._height:.1f}" '
            'preserveAspectRatio="xMidYMid slice" '
            f'href="data:{photo.mime_type};base64,{data}"/>'
        )
        tint, share = DIM[self._scene.time]
        if share:
            self._veil(tint, share)
        if self._scene.background:
            self._veil(self._scene.background, 0.45)
        self._paint_weather()

    def _paint_paper(self, outline: Outline) -> None:
        self._pen.raw(f'<rect width="{self._width:.1f}" height="{self._height:.1f}" fill="{outline.paper}"/>')
        if outline is BLUEPRINT:
            for x in range(0, int(self._width) + 1, 50):
                self._rule(f"M{x} 0 V{self._height:.0f}", 0.22 if x % 250 == 0 else 0.1)
            for y in range(0, int(self._height) + 1, 50):
                self._rule(f"M0 {y} H{self._width:.0f}", 0.22 if y % 250 == 0 else 0.1)
        if self._scene.setting not in ("plain", "space", "underwater", "sky", "abstract"):
            self._pen.line(f"M0 {self._horizon:.1f} H{self._width:.1f}", outline.line, 3, opacity=0.6)

    def _rule(self, d: str, opacity: float) -> None:
        self._pen.raw(f'<path d="{d}" stroke="#ffffff" stroke-width="2" opacity="{opacity}"/>')

    def _paint_surroundings(self) -> None:
        painters = {
            "plain": self._paint_plain,
            "abstract": self._paint_abstract,
            "studio": self._paint_studio,
            "room": self._paint_room,
            "space": self._paint_space,
            "lunar": self._paint_lunar,
            "underwater": self._paint_underwater,
        }
        painters.get(self._scene.setting, self._paint_outdoors)()

    def _paint_plain(self) -> None:
        scene = self._scene
        usual = "#ffffff" if all(SYMBOLS[thing.symbol].place == "shape" for thing in scene.things) else "#f3efe6"
        colour = scene.background or (
            "#17122e" if "neon" in scene.styles else "#1a1a22" if scene.time == "night" else usual
        )
        self._fill(colour)

    def _paint_abstract(self) -> None:
        chance = self._chance
        base = self._scene.background or chance.choice(("#f2e9dc", "#e3eef5", "#fbe9e7", "#22243a", "#e9f3e6"))
        self._pen.rect(0, 0, self._width, self._height, self._pen.blend(mix(base, "#ffffff", 0.25), base))
        for _ in range(5):
            colour = chance.choice(("#d9695a", "#4f8fc0", "#e0a83a", "#5aa57a", "#8a6ab8"))
            self._pen.haze(
                chance.uniform(0, self._width),
                chance.uniform(0, self._height),
                self._width * 0.45,
                self._height * 0.45,
                colour,
                0.35,
            )

    def _paint_studio(self) -> None:
        wall = self._scene.background or mix(
            "#cfdbe3", self._chance.choice(("#e8c9b8", "#bcd3c4", "#c9c3de", "#e6d9b8")), 0.55
        )
        if "neon" in self._scene.styles or self._scene.time == "night":
            wall = mix(wall, "#151432", 0.75)
        top = self._scene.ground or mix(wall, "#8a6a4a", 0.35)
        self._pen.rect(0, 0, self._width, self._height, self._pen.blend(mix(wall, "#ffffff", 0.25), wall))
        self._pen.haze(self._width / 2, self._horizon * 0.7, self._width * 0.6, self._height * 0.6, "#ffffff", 0.5)
        down = self._height - self._horizon
        self._pen.rect(
            0, self._horizon, self._width, down, self._pen.blend(mix(top, "#ffffff", 0.3), mix(top, "#10131f", 0.06))
        )
        self._pen.line(f"M0 {self._horizon:.1f} H{self._width:.1f}", mix(top, "#10131f", 0.14), 3)

    def _paint_room(self) -> None:
        wall = self._scene.background or self._chance.choice(("#e9dcc3", "#cfe0dc", "#d9d3e6", "#f0d9cd"))
        if self._scene.time == "night":
            wall = mix(wall, "#1b2148", 0.5)
        floor = self._scene.ground or GROUNDS["room"]
        self._pen.rect(0, 0, self._width, self._horizon, self._pen.blend(mix(wall, "#ffffff", 0.2), wall))
        self._pen.rect(
            0,
            self._horizon,
            self._width,
            self._height - self._horizon,
            self._pen.blend(mix(floor, "#10131f", 0.1), floor),
        )
        for plank in range(1, 6):
            y = self._horizon + (self._height - self._horizon) * (plank / 6) ** 1.4
            self._pen.line(f"M0 {y:.1f} H{self._width:.1f}", mix(floor, "#10131f", 0.22), 2, opacity=0.6)
        self._pen.rect(0, self._horizon - 16, self._width, 18, mix(wall, "#ffffff", 0.6))
        y = self._horizon + (self._height - self._horizon) * 0.62
        self._pen.ellipse(
            self._width / 2, y, self._width * 0.36, (self._height - self._horizon) * 0.24, mix("#a8574a", wall, 0.35)
        )
        self._pen.ellipse(
            self._width / 2, y, self._width * 0.31, (self._height - self._horizon) * 0.19, mix("#c97a66", wall, 0.4)
        )

    def _paint_space(self) -> None:
        deep = self._scene.sky or self._scene.background or "#0a0d24"
        self._pen.rect(0, 0, self._width, self._height, self._pen.blend(deep, mix(deep, "#2a1d55", 0.5)))
        for colour in ("#7a3fd0", "#2f6fd8", "#d0468f"):
            x, y = self._chance.uniform(0.1, 0.9) * self._width, self._chance.uniform(0.1, 0.9) * self._height
            self._pen.haze(x, y, self._width * 0.42, self._height * 0.32, colour, 0.4)
        self._stars(170, self._height)

    def _paint_lunar(self) -> None:
        self._paint_space()
        ground = self._scene.ground or GROUNDS["lunar"]
        x, y = self._width * 0.8, self._height * 0.22
        with self._pen.moved(x, y + 70, 1.4):
            SYMBOLS["earth"].draw(self._pen, Tint("#2f74d8"), self._chance)
        self._roll(self._horizon, 30, mix(ground, "#ffffff", 0.12), mix(ground, "#10131f", 0.25))
        for _ in range(9):
            x, y = self._chance.uniform(0, self._width), self._chance.uniform(self._horizon + 50, self._height)
            across = 20 + 90 * (y - self._horizon) / self._height
            self._pen.ellipse(x, y, across, across * 0.3, mix(ground, "#10131f", 0.25))
            self._pen.ellipse(x, y + across * 0.06, across * 0.86, across * 0.22, mix(ground, "#10131f", 0.1))

    def _paint_underwater(self) -> None:
        water = self._scene.sky or self._scene.background or "#2b8fc9"
        self._pen.rect(
            0, 0, self._width, self._height, self._pen.blend(mix(water, "#d6f4ff", 0.5), mix(water, "#06203f", 0.55))
        )
        for ray in range(5):
            x = self._width * (0.1 + 0.2 * ray) + self._chance.uniform(-40, 40)
            self._pen.raw(
                f'<polygon points="{x:.0f},0 {x + 70:.0f},0 {x + 190:.0f},{self._height:.0f} '
                f'{x - 30:.0f},{self._height:.0f}" '
                'fill="#ffffff" opacity="0.07"/>'
            )
        sand = self._scene.ground or GROUNDS["underwater"]
        self._roll(self._horizon, 26, mix(sand, "#2b8fc9", 0.15), mix(sand, "#0b3a5f", 0.35))
        for _ in range(9):
            x = self._chance.uniform(0, self._width)
            weed = mix("#2f9a6a", "#d0567a", self._chance.choice((0, 0, 0.9)))
            foot = self._horizon + self._chance.uniform(30, 120)
            high = self._chance.uniform(90, 200)
            for side in (-16, 0, 16):
                self._pen.line(
                    f"M{x + side:.0f} {foot:.0f} q{24 + side} {-high * 0.3:.0f} 0 {-high * 0.55:.0f} "
                    f"t{side * 0.6:.0f} {-high * 0.45:.0f}",
                    weed,
                    11,
                )
        for _ in range(26):
            x, y, radius = (
                self._chance.uniform(0, self._width),
                self._chance.uniform(0, self._horizon),
                self._chance.uniform(3, 12),
            )
            self._pen.raw(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" fill="#ffffff" opacity="0.3"/>')

    def _paint_outdoors(self) -> None:
        scene = self._scene
        above, below = self._sky_colours()
        self._pen.rect(0, 0, self._width, self._height, self._pen.blend(above, below))
        if scene.time == "night" and scene.weather in ("clear", "snow"):
            self._stars(90, self._horizon)
        if scene.time in ("sunset", "dawn") and not self._minimal:
            self._pen.haze(self._width / 2, self._horizon, self._width * 0.7, self._height * 0.35, "#ffd28a", 0.7)
        if scene.setting == "sky":
            return
        for thing in scene.things:
            if thing.symbol in IN_THE_SKY:
                self._paint_thing(thing)
        ground = self._lit(scene.ground or self._ground_colour())
        if not self._minimal:
            self._paint_distance(ground, below)
        if scene.setting in ("sea", "beach", "lake"):
            self._paint_sea(below)
        else:
            rolling = 0 if scene.setting in ("city", "street") or self._minimal else 18
            self._roll(self._horizon, rolling, mix(ground, "#ffffff", 0.14), mix(ground, "#10131f", 0.16))
        if scene.setting in ("street", "city"):
            self._paint_road()
        if scene.setting in ("meadow", "forest", "mountains", "street") and not self._minimal:
            self._paint_tufts(ground)

    def _sky_colours(self) -> tuple[str, str]:
        scene = self._scene
        above, below = SKIES[scene.time]
        if scene.sky or scene.background:
            above = scene.sky or scene.background or above
            below = mix(above, "#ffffff", 0.55)
        elif "neon" in scene.styles:
            above, below = "#160b36", "#e0459a"
        elif scene.future and scene.time == "day":
            above, below = "#4a56c8", "#f2b6d8"
        grey = {"rain": 0.6, "storm": 0.75, "cloudy": 0.5, "fog": 0.55, "snow": 0.4}.get(scene.weather, 0.0)
        dull = "#5b6573" if scene.time != "night" else "#1d2233"
        if scene.weather == "storm":
            dull = mix(dull, "#10131f", 0.35)
        return mix(above, dull, grey), mix(below, mix(dull, "#ffffff", 0.35 if scene.time != "night" else 0.1), grey)

    def _ground_colour(self) -> str:
        scene = self._scene
        seasoned = scene.setting in ("meadow", "forest", "mountains", "street", "lake") and scene.season in SEASONED
        if "neon" in scene.styles:
            return "#2a1f55"
        if scene.weather == "snow" and scene.setting not in ("sea", "beach", "lake"):
            return GROUNDS["winter"]
        return SEASONED[scene.season] if seasoned else GROUNDS[scene.setting]

    def _paint_distance(self, ground: str, sky: str) -> None:
        """What is behind the ground: hills, mountains, a town."""
        setting = self._scene.setting
        if setting == "city":
            self._paint_skyline(sky)
        elif setting == "mountains":
            self._ridge(self._horizon, 0.34, mix(self._lit("#8795ab"), sky, 0.45), snow=True)
            self._ridge(self._horizon, 0.24, mix(self._lit("#6c7c94"), sky, 0.2), snow=True)
        elif setting == "desert":
            self._roll(self._horizon - 60, 40, mix(ground, sky, 0.35), mix(ground, sky, 0.25))
        elif setting == "forest":
            self._woods(mix(self._lit("#3f7a4a"), sky, 0.35))
        elif setting == "winter":
            self._ridge(self._horizon, 0.2, mix(self._lit("#b4c6dc"), sky, 0.35), snow=True)
        elif setting in ("meadow", "street", "lake"):
            ground = self._lit(self._ground_colour())
            self._roll(self._horizon - 70, 46, mix(ground, sky, 0.55), mix(ground, sky, 0.4))
            self._roll(self._horizon - 34, 34, mix(ground, sky, 0.32), mix(ground, sky, 0.2))

    def _paint_skyline(self, sky: str) -> None:
        scene = self._scene
        future = scene.future or "neon" in scene.styles
        kinds = ("spire",) if future else ("skyscraper",)
        palette = (
            ("#5566c8", "#7a5fd0", "#3f7fc0", "#9a5fc4")
            if future
            else ("#7f93ad", "#98a3b3", "#6f86a6", "#a59a90", "#8894b8")
        )
        for layer, (tall, fog) in enumerate(((0.52, 0.62), (0.66, 0.34), (0.56, 0.0))):
            x = -20.0 - 60 * layer
            while x < self._width + 40:
                symbol = SYMBOLS[self._chance.choice(kinds)]
                high = self._chance.uniform(0.55, 1.0) * tall * min(self._horizon, 1.15 * UNIT)
                scale = high / symbol.height
                wide = symbol.width * scale * self._chance.uniform(0.95, 1.3)
                colour = mix(self._lit(self._chance.choice(palette)), sky, fog)
                other = None if layer == 2 or future else mix("#ffe9a8", sky, fog)
                with self._pen.moved(x + wide / 2, self._horizon + 2, scale):
                    symbol.draw(self._pen, Tint(colour, other), self._chance)
                x += wide * 0.8

    def _ridge(self, foot: float, high: float, colour: str, *, snow: bool) -> None:
        count = max(4, round(5 * self._width / UNIT))
        for index in range(count):
            x = self._width * (index + self._chance.uniform(0.2, 0.8)) / count
            tall = min(high * self._height, high * 1.5 * UNIT) * self._chance.uniform(0.7, 1.2)
            with self._pen.moved(x, foot + 14, tall / 100 * 1.1):
                SYMBOLS["mountain"].draw(
                    self._pen, Tint(colour, mix(colour, "#ffffff", 0.75 if snow else 0.2)), self._chance
                )

    def _woods(self, colour: str) -> None:
        x = -30.0
        while x < self._width + 30:
            with self._pen.moved(x, self._horizon + 20, self._chance.uniform(2.2, 3.6)):
                SYMBOLS["pine"].draw(
                    self._pen, Tint(mix(colour, "#10131f", self._chance.uniform(0, 0.18))), self._chance
                )
            x += self._chance.uniform(40, 90)

    def _paint_sea(self, sky: str) -> None:
        scene = self._scene
        colour = scene.ground if scene.setting == "sea" and scene.ground else GROUNDS["sea"]
        water = mix(self._lit(colour), sky, 0.12)
        shore = self._height if scene.setting == "sea" else self._horizon + (self._height - self._horizon) * 0.5
        self._pen.rect(
            0,
            self._horizon,
            self._width,
            shore - self._horizon + 40,
            self._pen.blend(mix(water, sky, 0.4), mix(water, "#06203f", 0.25)),
        )
        for _ in range(46 if not self._minimal else 8):
            depth = self._chance.random() ** 1.5
            y = self._horizon + 8 + depth * (shore - self._horizon - 12)
            x, long = self._chance.uniform(0, self._width), 30 + 120 * depth
            self._pen.line(
                f"M{x:.0f} {y:.0f} q{long / 4:.0f} {-5 - 7 * depth:.1f} {long / 2:.0f} 0 t{long / 2:.0f} 0",
                "#ffffff",
                2 + 3 * depth,
                opacity=0.28,
            )
        if scene.time in ("sunset", "dawn", "night"):
            light = {"sunset": "#ffd28a", "dawn": "#ffe6c2", "night": "#e6ecff"}[scene.time]
            suns = [thing.x for thing in scene.things if thing.symbol in ("sun", "moon", "crescent")]
            x = (suns[0] if suns else 0.5) * self._width
            for step in range(11):
                y = self._horizon + 12 + step * (shore - self._horizon) / 12
                half = self._chance.uniform(16, 40) + step * 6
                self._pen.line(f"M{x - half:.0f} {y:.0f} H{x + half:.0f}", light, 5, opacity=0.5)
        if scene.setting != "sea":
            sand = self._lit(scene.ground or self._ground_colour())
            self._shore(
                shore, mix(sand, "#ffffff", 0.75) if scene.setting == "beach" else mix(sand, "#10131f", 0.25), 0
            )
            self._shore(shore + 16, sand, 1)

    def _shore(self, y: float, colour: str, lower: int) -> None:
        wide = self._width
        fill = colour if lower == 0 else self._pen.blend(mix(colour, "#ffffff", 0.2), mix(colour, "#8a6a3a", 0.18))
        self._pen.path(
            f"M0 {y + 30:.0f} C{wide * 0.2:.0f} {y - 24:.0f} {wide * 0.4:.0f} {y + 40:.0f} "
            f"{wide * 0.6:.0f} {y + 8:.0f} "
            f"S{wide * 0.9:.0f} {y - 30:.0f} {wide:.0f} {y + 20:.0f} V{self._height:.0f} H0 Z",
            fill,
        )

    def _paint_road(self) -> None:
        city = self._scene.setting == "city"
        top = self._horizon + (self._height - self._horizon) * (0.3 if city else 0.52)
        road = self._lit("#4b5058")
        self._pen.rect(0, top - 14, self._width, self._height, mix(road, "#ffffff", 0.35))
        self._pen.rect(0, top, self._width, self._height - top, self._pen.blend(mix(road, "#ffffff", 0.1), road))
        middle = top + (self._height - top) * 0.5
        for x in range(-20, int(self._width) + 60, 130):
            self._pen.rect(x, middle - 5, 70, 9, self._lit("#f4f0df"))

    def _paint_tufts(self, ground: str) -> None:
        for _ in range(round(42 * self._width / UNIT)):
            depth = self._chance.random()
            y = self._horizon + 30 + depth * (self._height - self._horizon - 30)
            x = self._chance.uniform(0, self._width)
            high = 8 + 18 * depth
            self._pen.line(
                blades(x, y, high, 4, self._chance), mix(ground, "#10131f", 0.22 if depth > 0.4 else 0.12), 2.4
            )

    def _paint_weather(self) -> None:
        scene, chance = self._scene, self._chance
        if not scene.is_outdoors and self._photo is None:
            return
        area = self._width * self._height / UNIT**2
        if scene.weather in ("rain", "storm"):
            for _ in range(round(150 * area)):
                x, y, long = chance.uniform(0, self._width), chance.uniform(-20, self._height), chance.uniform(24, 52)
                self._pen.line(f"M{x:.0f} {y:.0f} l{-long * 0.22:.1f} {long:.1f}", "#dcebf7", 2.4, opacity=0.55)
        elif scene.weather == "snow":
            for _ in range(round(170 * area)):
                x, y, radius = chance.uniform(0, self._width), chance.uniform(0, self._height), chance.uniform(2.5, 8)
                self._pen.raw(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" fill="#ffffff" opacity="0.88"/>')
        elif scene.weather == "fog":
            for band in range(5):
                y = self._height * (0.35 + band * 0.14)
                self._pen.haze(
                    chance.uniform(0.2, 0.8) * self._width, y, self._width * 0.8, self._height * 0.14, "#f2f5f8", 0.75
                )
        if scene.season == "autumn" and scene.setting in ("meadow", "forest", "street"):
            for _ in range(round(26 * area)):
                x, y = chance.uniform(0, self._width), chance.uniform(0.2, 1.0) * self._height
                with self._pen.moved(x, y, 0.26, turn=chance.uniform(0, 360)):
                    SYMBOLS["leaf"].draw(self._pen, Tint(chance.choice(LEAVES["autumn"])), chance)

    # Things

    def _paint_thing(self, thing: Thing) -> None:
        symbol = SYMBOLS[thing.symbol]
        in_sky = thing.symbol in IN_THE_SKY
        scale = thing.size * self._short / symbol.height
        x, y = thing.x * self._width, thing.y * self._height
        self._paint_shadow(thing, x, y, scale)
        chance = Random(thing.seed)
        colour = thing.colour or self._usual_colour(thing)
        if (
            not in_sky
            and symbol.place not in ("shape", "sky", "space")
            and thing.symbol not in ("campfire", "candle", "lamp", "street_lamp")
        ):
            colour = self._lit(colour)
        with self._pen.moved(x, y, scale, flipped=thing.flipped, turn=thing.turn):
            symbol.draw(self._pen, Tint(colour, thing.other), chance)
        if thing.text:
            self._paint_text(thing, colour, x, y, scale)
        if thing.label:
            self._paint_label(thing.label, x, y, scale * symbol.width)

    def _is_behind_ground(self) -> bool:
        """Whether the ground hides what sets, so that the sky is painted with all that is in it."""
        return (
            self._photo is None and self._outline is None and self._scene.is_outdoors and self._scene.setting != "sky"
        )

    def _usual_colour(self, thing: Thing) -> str:
        symbol = SYMBOLS[thing.symbol]
        leaves = LEAVES.get(self._scene.season)
        if leaves and thing.symbol in ("tree", "bush") and self._scene.is_outdoors:
            return leaves[thing.seed % len(leaves)]
        if thing.symbol == "cloud":
            grey = {"rain": 0.55, "storm": 0.75, "cloudy": 0.35}.get(self._scene.weather, 0.0)
            warm = {"sunset": "#ff9f7a", "dawn": "#ffc9b8", "night": "#2c3768"}.get(self._scene.time, "#ffffff")
            return mix(mix("#ffffff", warm, 0.5 if self._scene.time != "day" else 0.0), "#4a5260", grey)
        return symbol.colour

    def _paint_shadow(self, thing: Thing, x: float, y: float, scale: float) -> None:
        symbol = SYMBOLS[thing.symbol]
        stands = symbol.place in ("stand", "object", "wall", "shape", "space") and self._scene.setting not in (
            "plain", "abstract", "space", "sky", "underwater",
        )  # fmt: skip
        low = y > self._horizon or self._photo is not None
        if not stands or not low or symbol.place == "shape":
            return
        across = symbol.width * scale * 0.52
        self._pen.haze(x + across * 0.12, y, across * 1.15, max(8.0, across * 0.16), "#10131f", 0.55)

    def _paint_text(self, thing: Thing, colour: str, x: float, y: float, scale: float) -> None:
        """What stands on a thing, or below one that has no room for it."""
        assert thing.text is not None
        board = BOARDS.get(thing.symbol)
        if board is None:
            self._paint_label(thing.text, x, y, SYMBOLS[thing.symbol].width * scale * 1.6)
            return
        level, high, wide = board
        on_white = thing.symbol in ("screen", "laptop", "book", "shop")
        ground = (
            {"book": "#fffdf5", "shop": mix(colour, "#10131f", 0.3)}.get(thing.symbol, "#2a4f80")
            if on_white
            else colour
        )
        ink = "#ffffff" if brightness(ground) < 0.62 else "#23262c"
        if "neon" in self._scene.styles and thing.symbol == "sign":
            ink = "#6ff5ff"
        self._pen.text(x, y + level * scale, thing.text, high * scale, ink, within=wide * scale)

    def _paint_label(self, label: str, x: float, y: float, wide: float) -> None:
        size = min(54.0, 0.16 * UNIT)
        within = min(max(wide, 190.0), self._width * 0.9)
        base = min(y + 58, self._height - 16)
        half = within / 2
        middle = min(max(x, half + 10), self._width - half - 10)
        shown = min(within, 0.56 * size * max(2, len(label)) + 36)
        if self._outline is None:
            self._pen.raw(
                f'<rect x="{middle - shown / 2:.1f}" y="{base - 46:.1f}" width="{shown:.1f}" height="60" rx="30" '
                'fill="#ffffff" opacity="0.85"/>'
            )
        self._pen.text(middle, base, label, size, "#23262c", within=within - 30)

    # Small things

    def _fill(self, colour: str) -> None:
        self._pen.raw(f'<rect width="{self._width:.1f}" height="{self._height:.1f}" fill="{colour}"/>')

    def _veil(self, colour: str, share: float) -> None:
        self._pen.raw(
            f'<rect width="{self._width:.1f}" height="{self._height:.1f}" fill="{colour}" opacity="{share:.2f}"/>'
        )

    def _lit(self, colour: str) -> str:
        """A colour in the light of the time of day."""
        if self._photo is not None or not (self._scene.is_outdoors):
            return colour
        return mix(colour, *DIM[self._scene.time])

    def _stars(self, count: int, lowest: float) -> None:
        for _ in range(round(count * self._width * min(self._height, 2 * UNIT) / UNIT**2)):
            x, y = self._chance.uniform(0, self._width), self._chance.uniform(0, lowest)
            radius, opacity = self._chance.uniform(0.8, 3.0), self._chance.uniform(0.35, 1.0)
            self._pen.raw(
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" fill="#ffffff" opacity="{opacity:.2f}"/>'
            )

    def _roll(self, level: float, swing: float, above: str, below: str) -> None:
        """Ground from a softly rolling line downwards."""
        phase = self._chance.uniform(0, 2 * pi)
        count = max(6, round(8 * self._width / UNIT))
        points = [
            (
                self._width * step / count,
                level + swing * (0.6 * sin(phase + step * 1.1) + 0.4 * cos(phase * 2 + step * 0.55)),
            )
            for step in range(count + 1)
        ]
        d = f"M0 {self._height:.0f} L{points[0][0]:.1f} {points[0][1]:.1f}"
        for (ax, ay), (bx, by) in pairwise(points):
            d += f" C{(ax + bx) / 2:.1f} {ay:.1f} {(ax + bx) / 2:.1f} {by:.1f} {bx:.1f} {by:.1f}"
        self._pen.path(f"{d} V{self._height:.0f} Z", self._pen.blend(above, below))
