"""Things that stand to one another: above, beside, behind, on, worn, held, ridden."""

from turnwise.models.drawing.composing.figures import GROUNDED, Figure, Stage

SEATS = {
    "chair": 0.5,
    "sofa": 0.48,
    "bed": 0.55,
    "horse": 0.55,
    "elephant": 0.75,
    "hill": 0.86,
    "mountain": 0.9,
    "bicycle": 0.6,
    "boat": 0.4,
    "ship": 0.4,
    "car": 0.9,
    "rock": 0.75,
    "cake": 0.68,
    "house": 0.88,
    "plate": 0.5,
    "book": 0.75,
}
"""How far up one sits or stands on a thing, as a share of its height."""

RIDDEN = frozenset({"horse", "unicorn", "bicycle", "motorcycle", "elephant", "dragon", "cow"})


class Relations:
    """The relations of one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def relate_all(self) -> None:
        """Put what stands in a relation after what it stands to; circles end where they began."""
        figures = self._stage.figures
        by_index = {
            self._stage.request.mentions.index(f.mention): f
            for f in figures
            if f.mention in self._stage.request.mentions
        }
        settled = {id(figure) for figure in figures if figure.mention.relation is None}
        for _ in figures:
            for figure in figures:
                relation = figure.mention.relation
                if relation is None or id(figure) in settled:
                    continue
                anchor = by_index.get(relation[1])
                if anchor is None or anchor is figure:
                    settled.add(id(figure))
                elif id(anchor) in settled:
                    self._relate(figure, anchor, relation[0])
                    settled.add(id(figure))

    def _relate(self, figure: Figure, anchor: Figure, relation: str) -> None:
        across = self._stage.wide(figure) / 2 + self._stage.wide(anchor) / 2 + 0.02
        figure.spread = figure.spread or 0.3
        anchor_tall, tall = self._stage.tall(anchor), self._stage.tall(figure)
        if relation in ("on", "worn", "riding", "held", "front", "behind", "in", "inside"):
            figure.over, figure.under = anchor, relation in ("behind", "in")
        if relation in ("worn", "riding", "held"):
            self._attach(figure, anchor, relation)
        elif relation == "above" or (relation == "on" and anchor.symbol.place in ("sky", "air", "shape")):
            figure.x = anchor.x
            gap = 0.02 if relation == "on" or anchor.symbol.place in ("shape",) else 0.06
            figure.y = max(tall + 0.02, anchor.y - anchor_tall - gap)
            self._make_room(figure, anchor, gap)
        elif relation == "on":
            self._stand_on(figure, anchor)
        elif relation == "below":
            figure.x = anchor.x
            if anchor.symbol.place in GROUNDED and figure.symbol.place in GROUNDED:
                figure.size = min(figure.size, anchor.size * 0.4)
                figure.y = anchor.y + 0.03
            else:
                figure.y = min(0.98, max(figure.y, anchor.y + tall + 0.03))
                anchor.y = min(anchor.y, figure.y - tall - 0.03)
        elif relation in ("left", "right", "beside"):
            self._stand_beside(figure, anchor, relation, across)
        elif relation == "inside":
            figure.size = anchor.size * min(0.62, 0.62 / figure.symbol.shape)
            figure.x, figure.y = anchor.x, anchor.y - anchor_tall / 2 + self._stage.tall(figure) / 2
        elif relation == "behind":
            figure.x, figure.y = anchor.x + 0.3 * across * (1 if anchor.x < 0.6 else -1), anchor.y - 0.06
            if tall < anchor_tall:
                figure.x = anchor.x + 0.75 * across * (1 if anchor.x < 0.6 else -1)
        elif relation == "front":
            figure.x, figure.y = anchor.x + 0.15 * across, min(0.97, anchor.y + 0.07)
            figure.size = (
                min(figure.size, anchor.size * 0.75) if figure.symbol.size < anchor.symbol.size else figure.size
            )
        elif relation == "in" and anchor.symbol.name in (
            "boat",
            "sailboat",
            "ship",
            "bowl",
            "vase",
            "hot_air_balloon",
            "car",
            "bag",
            "chest",
            "cup",
        ):
            figure.size = min(figure.size, anchor.size * 0.9)
            figure.x, figure.y = anchor.x, anchor.y - self._stage.tall(anchor) * 0.35

    def _attach(self, figure: Figure, anchor: Figure, relation: str) -> None:
        tall = self._stage.tall(anchor)
        if relation == "worn":
            figure.size = anchor.size * 0.22
            ahead = 0.3 if anchor.symbol.shape > 1.1 else 0.0
            figure.x = anchor.x + ahead * self._stage.wide(anchor)
            figure.y = anchor.y - 0.93 * tall
        elif relation == "held":
            figure.size = min(figure.size, anchor.size * 0.55)
            figure.x = anchor.x + self._stage.wide(anchor) * 0.55 + self._stage.wide(figure) * 0.3
            lifted = figure.symbol.name in ("umbrella", "balloon", "kite", "flag", "star")
            figure.y = anchor.y - (0.42 if lifted else 0.25) * tall
        else:
            figure.size = min(figure.size, anchor.size * (0.75 if anchor.symbol.name in RIDDEN else 0.6))
            figure.x, figure.y = anchor.x, anchor.y - 0.45 * tall

    def _stand_on(self, figure: Figure, anchor: Figure) -> None:
        level = SEATS.get(anchor.symbol.name, 0.95)
        if anchor.symbol.name in ("table", "chair", "sofa", "bed", "rock", "plate", "shelf", "book"):
            anchor.size = max(anchor.size, 0.36) if anchor.symbol.name != "plate" else max(anchor.size, 0.14)
            figure.size = min(figure.size, anchor.size * (0.85 if figure.symbol.place == "stand" else 0.6))
        elif figure.symbol.size >= anchor.symbol.size:
            figure.size = min(figure.size, anchor.size * 0.8)
        figure.x = anchor.x
        figure.y = anchor.y - level * self._stage.tall(anchor)
        figure.spread = min(figure.spread, self._stage.wide(anchor) * 0.8)
        self._make_room(figure, anchor, 0.0)

    def _make_room(self, figure: Figure, anchor: Figure, gap: float) -> None:
        """Two things, one over the other, must fit into the height."""
        tall, below = self._stage.tall(figure), self._stage.tall(anchor)
        if figure.y - tall < 0.02:
            shrink = max(0.35, (anchor.y - gap - 0.04) / (tall + below))
            figure.size *= shrink
            anchor.size *= shrink
            figure.y = max(self._stage.tall(figure) + 0.02, anchor.y - self._stage.tall(anchor) - gap)
        if self._stage.setting == "plain" and anchor.symbol.place == "shape":
            total = self._stage.tall(figure) + gap + self._stage.tall(anchor)
            shrink = min(1.0, 0.84 / total)
            figure.size, anchor.size, total = figure.size * shrink, anchor.size * shrink, total * shrink
            anchor.y = 0.5 + total / 2
            figure.y = anchor.y - self._stage.tall(anchor) - gap

    def _stand_beside(self, figure: Figure, anchor: Figure, relation: str, across: float) -> None:
        to_left = goes_left(figure, anchor.x)
        if 2 * across > 0.88:
            shrink = 0.44 / across
            figure.size *= shrink
            anchor.size *= shrink
            across *= shrink
        if to_left and anchor.x - across < 0.02 + self._stage.wide(figure) / 2:
            anchor.x = min(0.97 - self._stage.wide(anchor) / 2, across + self._stage.wide(figure) / 2 + 0.03)
        if not to_left and anchor.x + across > 0.98 - self._stage.wide(figure) / 2:
            anchor.x = max(0.03 + self._stage.wide(anchor) / 2, 0.97 - self._stage.wide(figure) / 2 - across)
        figure.x = anchor.x - across if to_left else anchor.x + across
        if figure.symbol.place in GROUNDED and anchor.symbol.place in GROUNDED:
            figure.y = anchor.y
        elif figure.symbol.place == "shape" or anchor.symbol.place == "shape":
            figure.y = anchor.y - (self._stage.tall(anchor) - self._stage.tall(figure)) / 2
        figure.spread = min(figure.spread, 0.3)


def dependents(stage: Stage, figure: Figure) -> list[Figure]:
    """What is to stand at its side."""
    mentions = stage.request.mentions
    return [
        other
        for other in stage.figures
        if other.mention.relation is not None
        and other.mention.relation[0] in ("left", "right", "beside")
        and mentions[other.mention.relation[1]] is figure.mention
    ]


def goes_left(figure: Figure, anchor_at: float) -> bool:
    """Whether a thing at the side of another one stands to the left of it."""
    relation = figure.mention.relation
    return relation is not None and (relation[0] == "left" or (relation[0] == "beside" and anchor_at > 0.5))
