"""The members of a group, each at its place, and which of all things is drawn before which."""

from dataclasses import replace
from random import Random

from turnwise.models.drawing.colours import RAINBOW
from turnwise.models.drawing.composing.figures import GROUNDED, PALETTE, Figure, Stage
from turnwise.models.drawing.scene import LONGEST_TEXT, Thing
from turnwise.models.drawing.symbols import SYMBOLS

MOTLEY = frozenset(
    {"balloon", "kite", "tulip", "flower", "butterfly", "gift", "hot_air_balloon", "planet", "car", "umbrella"}
)
"""What comes in many colours when there are several."""


class Members:
    """Makes things of figures."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def things(self) -> list[tuple[tuple[int, float], Thing]]:
        """Every member of every figure, with its depth."""
        figures = self._stage.figures
        return [(self._layer(figure, thing), thing) for figure in figures for thing in self._members(figure)]

    def _members(self, figure: Figure) -> list[Thing]:
        things = []
        for index, (x, y, size) in enumerate(self._positions(figure)):
            things.append(self._thing(figure, index, x, y, size))
        return things

    def _positions(self, figure: Figure) -> list[tuple[float, float, float]]:
        """Where each member is, and how large."""
        count, size = figure.count, figure.size
        if count == 1:
            return [(figure.x, figure.y, size)]
        wide = figure.symbol.shape * size / self._stage.frame.across
        tall = size / self._stage.frame.down
        loose = figure.symbol.place in ("sky", "air", "space", "sea") and figure.mention.relation is None
        room = max(figure.spread, min(0.9, wide * count * 1.06))
        if count <= 5 and figure.symbol.place in GROUNDED:
            room = max(room, min(0.9, wide * count * 0.8))
            shrink = min(1.0, room / (wide * count * 0.95))
            size, wide, tall = size * shrink, wide * shrink, tall * shrink
        if figure.mention.relation is None:
            room = min(max(room, wide * 1.1), 0.94)
        squeeze = 0.5 if figure.symbol.place == "far" else 0.94
        per_row = max(1, min(count, int(room / max(wide * squeeze, 0.001)) or 1))
        rows = -(-count // per_row)
        if rows > 3:
            size *= (3 / rows) ** 0.5
            wide, tall = wide * (3 / rows) ** 0.5, tall * (3 / rows) ** 0.5
            per_row = max(1, min(count, int(room / (wide * 1.08)) or 1))
            rows = -(-count // per_row)
        per_row = -(-count // rows)
        left = min(max(figure.x - room / 2, 0.03), 0.97 - room)
        upright = figure.symbol.place in GROUNDED and self._stage.setting not in ("plain", "space", "underwater", "sky")
        depth = min(0.5 * tall, 0.07) if upright else tall * 1.12
        top = figure.y - (rows - 1) * depth * (0.7 if upright else 0.5)
        if upright:
            top = min(top, 0.965 - (rows - 1) * depth)
        else:
            top = min(max(top, tall + 0.02), max(tall + 0.02, 0.97 - (rows - 1) * depth))
        positions = []
        for index in range(count):
            row, column = divmod(index, per_row)
            in_row = min(per_row, count - row * per_row)
            step = room / in_row
            x = left + step * (column + 0.5) + (step * 0.2 * (row % 2) if upright and in_row > 1 else 0)
            slack = max(0.0, step - wide) * 0.3
            x += self._stage.chance.uniform(-slack, slack)
            y = top + row * depth
            if loose:
                y += self._stage.chance.uniform(-0.06, 0.06) * min(1.0, 3 / rows)
                y = min(max(y, tall + 0.01), 0.97)
            elif upright and figure.symbol.place == "stand" and count > 2:
                y += self._stage.chance.uniform(-0.015, 0.015)
            positions.append((x, y, size * (0.84 + 0.16 * (row + 1) / rows if upright else 1.0)))
        return positions

    def _thing(self, figure: Figure, index: int, x: float, y: float, size: float) -> Thing:
        mention, symbol = figure.mention, figure.symbol
        colours = mention.colours
        colour = colours[index % len(colours)] if colours else None
        other = mention.second
        if len(colours) > 1 and figure.count == 1:
            colour, other = colours[0], other or colours[1]
        if figure.plain:
            colour = other = colour or self._stage.chance.choice(PALETTE)
        if mention.symbol is None:
            seed = sum(ord(letter) * 31**place for place, letter in enumerate(mention.word[:12])) % 2**31
            colour = colour or Random(seed).choice(PALETTE)
        else:
            seed = self._stage.chance.randrange(2**31)
            if colour is None and figure.count > 1 and symbol.name in MOTLEY:
                colour = self._stage.chance.choice(RAINBOW if symbol.name == "balloon" else PALETTE)
        flips = symbol.place not in ("shape", "sky", "wall") and symbol.name not in (
            "banner",
            "sign",
            "flag",
            "laptop",
            "book",
            "shop",
            "clock",
        )
        faces_in = figure.count == 1 and figure.x > 0.58 and flips and mention.text is None
        return Thing(
            symbol=symbol.name,
            x=x,
            y=y,
            size=size,
            colour=colour,
            other=other,
            word=mention.word,
            label=mention.word if mention.symbol is None else None,
            text=mention.text[:LONGEST_TEXT] if mention.text and index == 0 else None,
            flipped=faces_in
            or (
                flips
                and figure.count > 2
                and symbol.place in ("air", "sea", "stand")
                and self._stage.chance.random() < 0.35
            ),
            seed=seed,
            main=mention is self._stage.figures[0].mention,
        )

    def _layer(self, figure: Figure, thing: Thing) -> tuple[int, float]:
        """Where a member of a group is drawn: tied to what it stands on or behind, else by its own place."""
        lowest, tied = figure, 0.0
        for _ in range(4):
            if lowest.over is None:
                break
            tied += -0.001 if lowest.under else 0.001
            lowest = lowest.over
        if lowest is figure:
            return depth(thing)
        layer, y = depth(replace(thing, symbol=lowest.symbol.name, y=lowest.y))
        return (layer, y + tied)


def depth(thing: Thing) -> tuple[int, float]:
    """Back to front: the sky, what is far, then by where things stand."""
    if thing.symbol in ("sun", "moon", "crescent", "star"):
        return (-1, thing.y)
    return ({"sky": 0, "far": 1, "wall": 1}.get(SYMBOLS[thing.symbol].place, 2), thing.y)
