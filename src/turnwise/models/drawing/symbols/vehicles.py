"""What carries people."""

from math import cos, pi, sin
from random import Random

from turnwise.models.drawing.colours import Tint
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.symbol import symbol

GLASS = "#cfe9f7"
TYRE = "#25282e"


def wheel(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.circle(x, y, radius, TYRE)
    pen.circle(x, y, radius * 0.55, "#c3c9d1")
    pen.circle(x, y, radius * 0.2, TYRE)


@symbol("#d8433b", place="stand", size=0.22, width=210)
def car(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        "M-98 -22 C-100 -46 -90 -54 -62 -58 C-44 -82 -32 -92 -4 -92 C30 -92 42 -82 58 -60 C88 -56 98 -50 98 -22 Z",
        pen.shade(tint.main),
    )
    pen.path("M-48 -60 C-36 -78 -28 -84 -8 -84 V-60 Z", GLASS)
    pen.path("M0 -84 C26 -84 34 -78 46 -60 H0 Z", GLASS)
    pen.line("M-4 -58 V-26 M-90 -40 H90", tint.dark, 2.4)
    pen.rect(8, -52, 14, 4, tint.deep, round=2)
    pen.circle(90, -42, 6, "#fff2b8")
    pen.rect(-98, -46, 8, 10, "#b3201c", round=3)
    wheel(pen, -54, -19, 19)
    wheel(pen, 54, -19, 19)


@symbol("#ff5f56", place="air", size=0.13, width=210)
def flying_car(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -14, 90, 18, "#6ff5ff", 0.8)
    pen.path("M-96 -34 C-80 -62 -50 -66 -36 -68 C-20 -88 30 -90 52 -66 C78 -62 96 -52 100 -34 Z", pen.shade(tint.main))
    pen.path("M-24 -66 C-12 -82 26 -82 40 -66 Z", "#cdf6ff")
    pen.path("M-90 -34 H92 C80 -20 -70 -20 -90 -34 Z", tint.deep)
    for x in (-54, 54):
        pen.ellipse(x, -22, 22, 6, "#6ff5ff")
    pen.line("M-100 -42 H-150 M-98 -34 H-134", "#6ff5ff", 3, opacity=0.6)


@symbol("#f2b134", place="stand", size=0.3, width=200)
def bus(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-98, -96, 196, 80, pen.shade(tint.main), round=10)
    for x in range(-86, 60, 36):
        pen.rect(x, -84, 29, 28, GLASS, round=3)
    pen.rect(62, -84, 28, 60, GLASS, round=3)
    pen.rect(-98, -46, 156, 6, tint.second(tint.dark))
    pen.circle(92, -26, 5, "#fff2b8")
    wheel(pen, -54, -15, 16)
    wheel(pen, 54, -15, 16)


@symbol("#3f7fc4", place="stand", size=0.28, width=200)
def truck(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-98, -96, 128, 76, pen.shade(tint.second("#eceff3"), 0.1), round=4)
    pen.path("M34 -20 V-74 H66 C80 -74 84 -60 92 -46 L98 -40 V-20 Z", pen.shade(tint.main))
    pen.path("M46 -48 V-66 H64 C72 -66 76 -56 80 -48 Z", GLASS)
    pen.rect(-98, -24, 196, 8, "#3b4047")
    for x in (-66, -30, 62):
        wheel(pen, x, -15, 15)


@symbol("#c4433a", place="stand", size=0.28, width=300)
def train(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-150 -4 H150", "#5a5f68", 4)
    for x in (-148, -64):
        pen.rect(x, -82, 78, 62, pen.shade(tint.second("#3f6ea8")), round=5)
        for pane in (8, 32, 56):
            pen.rect(x + pane, -70, 16, 22, GLASS, round=2)
    pen.rect(20, -92, 44, 72, pen.shade(tint.main), round=4)
    pen.rect(28, -82, 28, 24, GLASS, round=2)
    pen.rect(60, -66, 72, 46, pen.shade(tint.main), round=10)
    pen.rect(104, -92, 14, 30, "#34383f")
    pen.rect(100, -98, 22, 8, "#34383f", round=2)
    for x, y, radius in ((104, -112, 9), (92, -124, 12), (74, -134, 14)):
        pen.circle(x, y, radius, "#e8ebef")
    pen.polygon([(132, -26), (150, -6), (120, -6)], "#34383f")
    for x in (-130, -88, -46, -4, 36, 72, 104):
        wheel(pen, x, -14, 12)


@symbol("#2f74d8", place="stand", size=0.22, width=160)
def bicycle(pen: Pen, tint: Tint, chance: Random) -> None:
    for x in (-46, 46):
        pen.circle(x, -34, 31, "none", edge=TYRE, width=5)
        for spoke in range(4):
            dx, dy = 29 * cos(spoke * pi / 4), 29 * sin(spoke * pi / 4)
            pen.line(f"M{x - dx:.1f} {-34 - dy:.1f} L{x + dx:.1f} {-34 + dy:.1f}", "#a5adb8", 1)
    pen.line("M-46 -34 L-18 -74 L32 -74 L-2 -34 Z M-18 -74 L-2 -34 M46 -34 L30 -86", tint.main, 6)
    pen.line("M-22 -82 L-18 -74 M30 -86 L44 -92", tint.main, 5)
    pen.line("M-34 -84 H-12", TYRE, 7)
    pen.circle(-2, -34, 8, "#5a5f68")


@symbol("#d8433b", place="stand", size=0.22, width=170)
def motorcycle(pen: Pen, tint: Tint, chance: Random) -> None:
    wheel(pen, -54, -27, 27)
    wheel(pen, 54, -27, 27)
    pen.line("M54 -27 L34 -82 L50 -92", "#8b929c", 6)
    pen.path("M-54 -40 C-30 -66 -10 -62 6 -62 C20 -80 34 -76 36 -64 C36 -50 20 -44 8 -30 H-26 Z", pen.shade(tint.main))
    pen.path("M-58 -62 C-40 -72 -16 -70 4 -62 C-16 -56 -40 -54 -58 -62 Z", TYRE)
    pen.line("M-20 -24 H-76", "#8b929c", 7)


@symbol("#eef1f5", place="air", size=0.16, width=220)
def plane(pen: Pen, tint: Tint, chance: Random) -> None:
    stripe = tint.second("#2f74d8")
    pen.polygon([(-6, -58), (-52, -98), (-34, -98), (34, -60)], tint.dark)
    pen.path(
        (
            "M-100 -50 C-98 -62 -80 -64 -60 -64 H62 C90 -64 106 -52 106 -44 C106 -36 80 -34 60 -34 "
            "H-58 C-84 -34 -98 -42 -100 -50 Z"
        ),
        pen.shade(tint.main, 0.12),
    )
    pen.polygon([(-98, -52), (-108, -92), (-90, -92), (-66, -62)], stripe)
    pen.line("M-94 -44 H100", stripe, 3.4)
    for x in range(-52, 60, 16):
        pen.circle(x, -54, 3.4, "#5b7a99")
    pen.path("M84 -60 C92 -60 98 -54 100 -50 H84 Z", "#5b7a99")
    pen.polygon([(14, -44), (-46, -4), (-26, -4), (52, -42)], tint.light)


@symbol("#d8433b", place="air", size=0.2, width=200)
def helicopter(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-20, -58), (-96, -66), (-96, -58), (-20, -40)], tint.dark)
    pen.circle(-94, -64, 12, "none", edge="#4b515b", width=3)
    pen.ellipse(16, -48, 50, 32, pen.shade(tint.main))
    pen.path("M22 -76 C52 -74 62 -58 62 -46 H26 Z", GLASS)
    pen.rect(11, -90, 5, 14, "#4b515b")
    pen.rect(-70, -94, 168, 4, "#4b515b", round=2)
    pen.line("M-24 -4 H60 M0 -20 L-4 -4 M34 -20 L38 -4", "#4b515b", 4)


@symbol("#eef1f5", place="space", size=0.42, width=60)
def rocket(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -4, 26, 34, "#ffb648", 0.8)
    pen.path("M-11 -22 C-14 -6 -4 4 0 14 C4 4 14 -6 11 -22 Z", pen.blend("#ffd84a", "#ff6a2b"))
    fins = tint.second("#d8433b")
    pen.path("M-15 -48 C-30 -36 -29 -20 -27 -12 L-12 -24 Z", pen.shade(fins))
    pen.path("M15 -48 C30 -36 29 -20 27 -12 L12 -24 Z", pen.shade(fins))
    pen.path("M0 -100 C20 -82 20 -48 12 -22 H-12 C-20 -48 -20 -82 0 -100 Z", pen.shade(tint.main, 0.16))
    pen.path("M0 -100 C8 -93 13 -84 15 -76 H-15 C-13 -84 -8 -93 0 -100 Z", fins)
    pen.circle(0, -60, 8, "#7cc4ef", edge="#5a6a7c", width=2.4)
    pen.line("M0 -40 V-16", fins, 4)


@symbol("#b8443a", place="water", size=0.34, width=200)
def ship(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-46, -62, 96, 28, pen.shade("#f6f4ee", 0.08), round=3)
    pen.rect(-26, -80, 56, 20, pen.shade("#f6f4ee", 0.08), round=3)
    for x in range(-36, 44, 18):
        pen.circle(x, -48, 4.4, "#5b7a99")
    for x in (-12, 12):
        pen.rect(x - 5, -98, 12, 22, tint.second("#2b3a55"))
        pen.rect(x - 5, -90, 12, 4, "#ffffff")
    pen.path("M-94 -38 H98 L74 0 H-66 C-80 -8 -90 -22 -94 -38 Z", pen.shade(tint.main))
    pen.line("M-92 -30 H94", "#ffffff", 2.4)


@symbol("#8a5530", place="water", size=0.34, width=110)
def sailboat(pen: Pen, tint: Tint, chance: Random) -> None:
    sail = tint.other or "#fdf6e6"
    pen.rect(-2, -98, 4, 80, "#6b4a33")
    pen.path("M4 -96 C34 -70 46 -44 46 -26 H4 Z", pen.shade(sail, 0.08))
    pen.path("M-5 -88 C-24 -66 -36 -44 -38 -26 H-5 Z", pen.shade(sail, 0.14))
    pen.path("M-52 -20 H54 C46 -4 34 0 22 0 H-24 C-38 0 -48 -8 -52 -20 Z", pen.shade(tint.main))
    pen.polygon([(0, -98), (16, -93), (0, -88)], "#e23b34")


@symbol("#8a5530", place="water", size=0.13, width=210)
def boat(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-50 -70 L30 6 M50 -70 L-30 6", "#caa472", 5)
    pen.path("M-100 -58 Q0 -34 100 -58 C88 -14 60 0 36 0 H-36 C-60 0 -88 -14 -100 -58 Z", pen.shade(tint.main))
    pen.line("M-92 -46 Q0 -22 92 -46", tint.light, 3.4)


@symbol("#f2c230", place="sea", size=0.2, width=190)
def submarine(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M8 -80 V-98 H24", tint.dark, 5)
    pen.rect(-20, -84, 46, 28, pen.shade(tint.main), round=8)
    pen.ellipse(0, -36, 86, 30, pen.shade(tint.main))
    pen.polygon([(-80, -36), (-98, -58), (-94, -36), (-98, -14)], tint.dark)
    for x in (-30, 6, 42):
        pen.circle(x, -38, 10, "#bfe8f7", edge=tint.dark, width=4)


@symbol("#e5533d", place="air", size=0.4, width=80)
def hot_air_balloon(pen: Pen, tint: Tint, chance: Random) -> None:
    other = tint.second("#fbd34d")
    pen.path("M0 -100 C44 -100 46 -54 14 -28 H-14 C-46 -54 -44 -100 0 -100 Z", pen.shade(tint.main))
    pen.path("M0 -100 C20 -96 20 -54 6 -28 H-6 C-20 -54 -20 -96 0 -100 Z", other)
    pen.path("M-24 -92 C-40 -74 -34 -50 -14 -28 C-24 -52 -28 -74 -24 -92 Z", other)
    pen.path("M24 -92 C40 -74 34 -50 14 -28 C24 -52 28 -74 24 -92 Z", other)
    pen.line("M-12 -27 L-8 -14 M12 -27 L8 -14 M0 -27 V-14", "#7a5a3a", 1.4)
    pen.rect(-9, -15, 18, 14, pen.shade("#9c6b3f"), round=2)
