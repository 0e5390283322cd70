"""What belongs to the surroundings though nobody asks for it: clouds, stars, trees of a forest, furniture."""

from turnwise.models.drawing.composing.figures import UNDERWATER, Stage
from turnwise.models.drawing.scene import Scene, Thing


def furnish(stage: Stage, time: str) -> list[Thing]:
    """What a stage gets beside what was asked for."""
    return _Surroundings(stage).things(time)


class _Surroundings:
    """The surroundings of one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._extras: list[Thing] = []

    def things(self, time: str) -> list[Thing]:
        """Add what nobody asked for and everybody expects."""
        request, chance = self._stage.request, self._stage.chance
        names = {figure.symbol.name for figure in self._stage.figures} | set(request.absent)
        outdoors = Scene(self._stage.setting).is_outdoors
        if (
            outdoors
            and self._stage.setting != "sky"
            and request.weather in (None, "clear", "cloudy")
            and time in ("day", "sunset", "dawn")
        ):
            if "cloud" not in names:
                self._scatter("cloud", chance.randrange(2, 4), (0.05, 0.95), (0.12, 0.55 * self._stage.horizon), 0.08)
        elif self._stage.setting == "sky" and "cloud" not in names:
            self._scatter("cloud", 5, (0.0, 1.0), (0.15, 1.0), 0.16)
        lone_sun = request.time in ("sunset", "dawn") and not names & {"sun", "moon"} and outdoors
        if lone_sun:
            x = chance.uniform(0.3, 0.7)
            self._extras.append(
                Thing(
                    "sun",
                    x,
                    self._stage.horizon + 0.02,
                    0.2,
                    "#ffb648" if time == "sunset" else "#ffe08a",
                    word="sun",
                    extra=True,
                )
            )
        if (
            time == "night"
            and outdoors
            and not names & {"moon", "crescent", "sun"}
            and request.weather in (None, "clear")
        ):
            self._extras.append(Thing("crescent", chance.choice((0.16, 0.84)), 0.24, 0.12, word="moon", extra=True))
        if request.weather == "storm" and "lightning" not in names:
            self._extras.append(
                Thing(
                    "lightning", chance.uniform(0.2, 0.8), self._stage.horizon * 0.9, 0.3, word="lightning", extra=True
                )
            )
        self._furnish(names)
        return self._extras

    def _furnish(self, names: set[str]) -> None:
        """What stands around in a setting."""
        chance, setting, empty = self._stage.chance, self._stage.setting, not self._stage.request.mentions
        if setting == "forest" and not names & {"tree", "pine"}:
            for kind in ("pine", "tree"):
                self._scatter(kind, 6, (0.0, 1.0), (self._stage.horizon + 0.02, self._stage.horizon + 0.12), 0.36)
        if setting == "beach" and "palm" not in names and not names & {"castle"}:
            self._extras.append(
                Thing("palm", chance.choice((0.1, 0.9)), 0.93, 0.6, word="palm", seed=chance.randrange(99), extra=True)
            )
        if setting == "desert" and "cactus" not in names:
            self._scatter("cactus", 2, (0.08, 0.92), (self._stage.horizon + 0.04, 0.86), 0.16)
        if setting == "winter" and not names & {"pine", "christmas_tree"}:
            self._scatter(
                "pine", 5, (0.02, 0.98), (self._stage.horizon + 0.02, self._stage.horizon + 0.08), 0.22, other="#f4f8fc"
            )
        if setting == "city" and self._stage.request.future and "flying_car" not in names:
            self._scatter("flying_car", 3, (0.1, 0.9), (0.2, 0.55), 0.055)
        if setting == "sea" and empty:
            self._extras.append(
                Thing(
                    "sailboat", chance.uniform(0.3, 0.7), self._stage.horizon + 0.16, 0.26, word="sailboat", extra=True
                )
            )
        if setting == "space" and empty:
            self._extras.append(Thing("planet", 0.62, 0.68, 0.36, word="planet", seed=3, extra=True))
            self._extras.append(Thing("rocket", 0.25, 0.6, 0.26, word="rocket", turn=24, extra=True))
        if setting == "underwater" and not names & UNDERWATER:
            self._scatter("fish", 5, (0.12, 0.88), (0.25, 0.75), 0.1)
        if setting == "room" and empty:
            for symbol, x, y, size in (
                ("sofa", 0.42, 0.86, 0.3),
                ("lamp", 0.82, 0.85, 0.46),
                ("window", 0.34, 0.46, 0.3),
                ("picture", 0.7, 0.36, 0.16),
            ):
                self._extras.append(Thing(symbol, x, y, size, word=symbol, seed=1, extra=True))
        if setting == "meadow" and empty:
            self._scatter("tree", 3, (0.08, 0.92), (self._stage.horizon + 0.05, self._stage.horizon + 0.12), 0.3)
        if setting == "meadow" and "flower" not in names and self._stage.request.season not in ("winter", "autumn"):
            for colour in chance.sample(("#f7d23e", "#f4f4f2", "#e8557f", "#a06fd0"), 2):
                self._scatter("flower", 4, (0.02, 0.98), (0.93, 1.0), 0.05, colour=colour)

    def _scatter(
        self, symbol: str, count: int, across: tuple[float, float], down: tuple[float, float], size: float,
        colour: str | None = None, other: str | None = None,
    ) -> None:  # fmt: skip
        """Some of a kind, loosely over a part of the picture."""
        step = (across[1] - across[0]) / count
        for index in range(count):
            self._extras.append(
                Thing(
                    symbol,
                    across[0] + step * (index + self._stage.chance.uniform(0.2, 0.8)),
                    self._stage.chance.uniform(*down),
                    size * self._stage.chance.uniform(0.8, 1.2),
                    colour,
                    other,
                    word=symbol.replace("_", " "),
                    seed=self._stage.chance.randrange(2**31),
                    extra=True,
                )
            )
