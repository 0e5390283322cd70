"""Colours: their names, and what is mixed from them. A colour is a string as in `#f4c430`."""

from dataclasses import dataclass

NAMES = {
    "red": "#e23b34",
    "crimson": "#c2183c",
    "scarlet": "#e0301e",
    "maroon": "#7d1d2e",
    "burgundy": "#7a1f38",
    "ruby": "#c2143f",
    "coral": "#ff7a5c",
    "salmon": "#fa8f78",
    "orange": "#f58a1f",
    "amber": "#f9b52a",
    "peach": "#ffc09a",
    "apricot": "#fbb37d",
    "yellow": "#fbd324",
    "gold": "#e6b422",
    "golden": "#e6b422",
    "mustard": "#d9a521",
    "lemon": "#fbe759",
    "cream": "#fbf3d9",
    "beige": "#e8d9b8",
    "ivory": "#fbf8ea",
    "green": "#3fa34d",
    "lime": "#9bd32f",
    "olive": "#808a2f",
    "emerald": "#1fa56d",
    "mint": "#9fe0c2",
    "jade": "#2fa37c",
    "teal": "#1d8f8f",
    "turquoise": "#35c9c3",
    "cyan": "#2cc6e8",
    "aqua": "#5fdbe6",
    "blue": "#2f74d8",
    "navy": "#1d2f66",
    "azure": "#3b9cf0",
    "indigo": "#443a9c",
    "violet": "#8550c4",
    "purple": "#7c3fb0",
    "lavender": "#b9a6e6",
    "lilac": "#c7a4d8",
    "magenta": "#d83aa8",
    "fuchsia": "#d83aa8",
    "pink": "#f58bb5",
    "rose": "#ee6b8f",
    "brown": "#8b5a34",
    "chocolate": "#5f3a22",
    "tan": "#cfa877",
    "bronze": "#b07a3c",
    "copper": "#b96b3c",
    "silver": "#bcc4cc",
    "grey": "#8d949c",
    "gray": "#8d949c",
    "charcoal": "#3b4047",
    "black": "#1e2024",
    "white": "#ffffff",
}

RAINBOW = ("#e23b34", "#f58a1f", "#fbd324", "#3fa34d", "#2f74d8", "#7c3fb0")


@dataclass(frozen=True, slots=True)
class Tint:
    """What a symbol is drawn in."""

    main: str
    other: str | None = None
    """A second colour, if one was named."""

    @property
    def light(self) -> str:
        return mix(self.main, "#ffffff", 0.35)

    @property
    def pale(self) -> str:
        return mix(self.main, "#ffffff", 0.7)

    @property
    def dark(self) -> str:
        return mix(self.main, "#10131f", 0.25)

    @property
    def deep(self) -> str:
        return mix(self.main, "#10131f", 0.55)

    def second(self, usual: str) -> str:
        """The second colour, or what is usual."""
        return self.other or usual


def parts(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, each from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(one: str, other: str, share: float) -> str:
    """A colour with a share of another, from 0 to 1."""
    mixed = (round(a + (b - a) * share) for a, b in zip(parts(one), parts(other), strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def brightness(colour: str) -> float:
    """How bright a colour looks, from 0 to 1."""
    red, green, blue = parts(colour)
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


def nearest_name(colour: str) -> str:
    """The name of the colour that is most like this one."""

    def distance(name: str) -> float:
        return sum((a - b) ** 2 for a, b in zip(parts(colour), parts(NAMES[name]), strict=True))

    return min(NAMES, key=distance)
