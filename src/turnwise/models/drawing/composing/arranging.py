"""Where everything stands, and how large it is; `relating.py` says where one thing stands to another."""

from collections.abc import Sequence

from turnwise.models.drawing.composing.figures import ON_ROADS, Figure, Stage
from turnwise.models.drawing.composing.relating import Relations, dependents, goes_left


def arrange(stage: Stage) -> None:
    """Give every figure on the stage its size and its place."""
    arrangement = _Arrangement(stage)
    arrangement.scale(stage.figures)
    arrangement.place(stage.figures)


class _Arrangement:
    """One arrangement."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def scale(self, figures: Sequence[Figure]) -> None:
        """Fill the picture: one thing alone is drawn large, many are drawn small."""
        crowd = sum(
            figure.count
            for figure in figures
            if figure.symbol.place not in ("sky", "far") and not self._is_stand(figure)
        )
        crowd += 2 if any(map(self._is_stand, figures)) else 0
        factor = {0: 1.0, 1: 1.75, 2: 1.4, 3: 1.25, 4: 1.12}.get(
            crowd, 1.0 if crowd < 9 else 0.82 if crowd < 16 else 0.66
        )
        objects_only = self._stage.setting in ("studio", "plain")
        for figure in figures:
            place = figure.symbol.place
            if objects_only:
                even = 0.5 if place == "shape" else (0.42 + figure.symbol.size) / 2
                figure.size = (
                    even
                    * figure.mention.scale
                    * {1: 1.25, 2: 0.95, 3: 0.75, 4: 0.64}.get(crowd, 2.2 / (crowd + 1) ** 0.9)
                )
            elif place in ("sky", "far"):
                figure.size *= 1.0 if crowd else 1.5
            else:
                figure.size *= factor
            if self._is_stand(figure):
                figure.size = figure.symbol.size * figure.mention.scale * (0.8 if crowd else 1.0)
            if place == "object" and not objects_only and figure.mention.relation is None and crowd > 1:
                figure.size *= 0.8
            widest = 0.8 * self._stage.frame.across / max(1, min(figure.count, 3)) / figure.symbol.shape
            figure.size = min(figure.size, 0.86 if crowd < 2 else 0.72, widest)

    def place(self, figures: list[Figure]) -> None:
        free = [
            figure
            for figure in figures
            if figure.mention.relation is None or figure.mention.relation[0] in ("between", "in")
        ]
        by_kind: dict[str, list[Figure]] = {"sky": [], "air": [], "far": [], "ground": [], "deep": [], "wall": []}
        for figure in free:
            by_kind[self._kind(figure)].append(figure)
        self._in_sky(by_kind["sky"])
        self._in_air(by_kind["air"], bool(by_kind["ground"]))
        self._at_horizon(by_kind["far"])
        self._on_ground(by_kind["ground"])
        self._in_depth(by_kind["deep"])
        self._on_wall(by_kind["wall"])
        for figure in figures:
            self._put(figure)
        Relations(self._stage).relate_all()
        for figure in figures:
            self._keep_inside(figure)

    def _kind(self, figure: Figure) -> str:
        """Which of the rules below places a thing."""
        place, setting = figure.symbol.place, self._stage.setting
        if figure.mention.place == "back" and place in ("stand", "object"):
            return "ground"
        if setting == "plain" and place in ("shape", "object", "sky", "air", "space", "stand", "water", "sea", "wall"):
            return "deep"
        if place in ("sky",):
            return "sky" if setting not in ("studio", "room", "underwater") else "air"
        if place == "wall":
            return "wall" if setting == "room" else "ground"
        if setting in ("space", "underwater", "sky") and place not in ("far", "air", "sky"):
            return "deep"
        if place == "air" or (
            place == "space"
            and setting not in ("lunar", "studio")
            and figure.symbol.name not in ("rocket", "astronaut")
        ):
            return "air"
        if place == "far":
            return "far"
        if place == "shape" and setting in ("studio", "abstract"):
            return "deep"
        return "ground"

    def _slots(self, figures: Sequence[Figure], least: float, most: float) -> list[float]:
        """Middles along the width, each with room after its width and number."""
        weights = [self._weight(figure) for figure in figures]
        beside = [sum(map(self._weight, dependents(self._stage, figure))) for figure in figures]
        total = sum(weights) + sum(beside)
        middles, at = [], least
        for figure, weight, more in zip(figures, weights, beside, strict=True):
            room, spare = (most - least) * weight / total, (most - least) * more / total
            to_left = any(goes_left(other, at + (room + spare) / 2) for other in dependents(self._stage, figure))
            middles.append(at + room / 2 + (spare if to_left else 0))
            figure.spread = room
            at += room + spare
        return middles

    def _weight(self, figure: Figure) -> float:
        """How much room along the width it needs, beside others."""
        side_by_side: float = min(figure.count, 4) ** 0.8
        return max(0.2, figure.symbol.shape * figure.size * side_by_side)

    def _in_sky(self, figures: Sequence[Figure]) -> None:
        suns = [figure for figure in figures if figure.symbol.name in ("sun", "moon", "crescent")]
        sides = [0.78, 0.22, 0.5] if self._stage.chance.random() < 0.5 else [0.22, 0.78, 0.5]
        for index, figure in enumerate(suns):
            figure.x = sides[index % 3]
            low = self._stage.request.time in ("sunset", "dawn") and figure.symbol.name == "sun"
            figure.y = self._stage.horizon + 0.03 if low else 0.1 * self._stage.horizon + self._stage.tall(figure)
            figure.spread = 0.3
        others = [figure for figure in figures if figure not in suns]
        for figure, x in zip(others, self._slots(others, 0.08, 0.92) if others else (), strict=True):
            figure.x, figure.y = (
                x,
                self._stage.horizon * self._stage.chance.uniform(0.12, 0.2) + self._stage.tall(figure),
            )
            figure.spread = max(figure.spread, 0.75 if figure.count > 2 else 0.2)

    def _in_air(self, figures: Sequence[Figure], something_below: bool) -> None:
        if not figures:
            return
        level = 0.4 if something_below else 0.5
        for figure, x in zip(figures, self._slots(figures, 0.1, 0.9), strict=True):
            figure.x = x
            figure.y = min(level * max(self._stage.horizon, 0.7) + self._stage.tall(figure) / 2, 0.94)

    def _at_horizon(self, figures: Sequence[Figure]) -> None:
        for figure, x in zip(figures, self._slots(figures, 0.05, 0.95) if figures else (), strict=True):
            figure.x, figure.y = x, self._stage.horizon + (0.1 if figure.symbol.name == "bridge" else 0.015)
            figure.spread = max(figure.spread, 0.8 if figure.count > 1 else 0.3)

    def _on_ground(self, figures: Sequence[Figure]) -> None:
        """The large behind, the small in front; in the order of the prompt from left to right."""
        stands = [figure for figure in figures if self._is_stand(figure)]
        for figure in stands:
            figure.x, figure.spread = 0.5, 0.96
            figure.y = (
                self._stage.horizon + 0.3 * (0.95 - self._stage.horizon)
                if self._stage.setting not in ("beach", "lake")
                else 0.84
            )
        others = [figure for figure in figures if figure not in stands]
        for figure, x in zip(others, self._slots(others, 0.06, 0.94) if others else (), strict=True):
            figure.x = x
            figure.y = self._ground_level(figure)

    def _is_stand(self, figure: Figure) -> bool:
        """Whether it is a wood, a village, a row of towers: many that are high, behind everything else."""
        outdoors = self._stage.setting not in ("studio", "plain", "room", "space", "underwater", "sky")
        free = figure.mention.relation is None and figure.mention.place is None
        return figure.count >= 4 and figure.symbol.size >= 0.35 and figure.symbol.place == "stand" and outdoors and free

    def _ground_level(self, figure: Figure) -> float:
        horizon = self._stage.horizon
        if self._stage.setting == "studio":
            return 0.84
        if figure.symbol.place == "water" and self._stage.setting in ("sea", "beach", "lake"):
            return horizon + 0.1 + min(0.16, figure.size * 0.25)
        if self._stage.setting in ("beach", "lake"):
            return 0.92
        if self._stage.setting == "sea":
            return 0.95 if figure.symbol.place != "sea" else 0.9
        if self._stage.setting in ("street", "city"):
            near = 0.95 if figure.symbol.name in ON_ROADS | {"bicycle", "train"} else 0.88
            return near if self._stage.setting == "city" or figure.size < 0.5 else horizon + 0.1
        room = 0.95 - horizon
        return horizon + room * (0.82 - min(0.45, figure.symbol.size * 0.75))

    def _in_depth(self, figures: Sequence[Figure]) -> None:
        """Where there is no ground: around the middle."""
        for figure, x in zip(figures, self._slots(figures, 0.06, 0.94) if figures else (), strict=True):
            figure.x = x
            bend = (
                0.0 if self._stage.setting == "plain" or len(figures) < 2 else self._stage.chance.uniform(-0.12, 0.12)
            )
            figure.y = min(0.97, 0.5 + bend + self._stage.tall(figure) / 2)

    def _on_wall(self, figures: Sequence[Figure]) -> None:
        for figure, x in zip(figures, self._slots(figures, 0.12, 0.88) if figures else (), strict=True):
            figure.x, figure.y = x, self._stage.horizon * 0.35 + self._stage.tall(figure) / 2 + 0.04

    def _put(self, figure: Figure) -> None:
        """What the prompt says of a place wins."""
        place = figure.mention.place
        if place is None:
            return
        tall, sky = self._stage.tall(figure), figure.symbol.place in ("sky", "air", "space", "shape")
        if "left" in place:
            figure.x = 0.22
        elif "right" in place:
            figure.x = 0.78
        if "top" in place:
            figure.y = tall + 0.06
        elif "bottom" in place:
            figure.y = 0.95
        elif place == "middle":
            figure.x = 0.5
            figure.y = 0.5 + tall / 2 if sky or self._stage.setting in ("plain", "abstract", "space") else figure.y
        elif place == "back" and figure.symbol.place != "far":
            figure.size *= 0.55
            figure.y = self._stage.horizon + 0.04 if figure.symbol.place not in ("sky", "air") else figure.y
        elif place == "front":
            figure.size = min(0.85, figure.size * 1.5)
            figure.y = 0.99
        figure.spread = min(figure.spread, 0.4)

    def _keep_inside(self, figure: Figure) -> None:
        """Nothing that stands is cut off above or at the sides."""
        if figure.symbol.place in ("far", "sky"):
            return
        if figure.y - self._stage.tall(figure) < 0.02:
            figure.size *= max(0.1, (figure.y - 0.02) / self._stage.tall(figure))
        half = min(0.49, self._stage.wide(figure) / 2)
        figure.x = min(max(figure.x, half + 0.01), 0.99 - half)
