"""What is built."""

from random import Random

from turnwise.models.drawing.colours import Tint, mix
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.symbol import symbol

GLASS = "#bfe3f5"


@symbol("#f0dcb4", place="stand", size=0.4, width=120)
def house(pen: Pen, tint: Tint, chance: Random) -> None:
    roof = tint.second("#b5493c" if tint.main.lower() not in ("#e23b34", "#b5493c") else "#6b3d33")
    pen.rect(24, -94, 12, 26, "#9a5a48")
    pen.rect(-46, -56, 92, 56, pen.shade(tint.main, 0.1))
    pen.polygon([(-58, -54), (0, -98), (58, -54)], pen.shade(roof, 0.14))
    pen.rect(-10, -34, 20, 34, pen.shade("#7a4b31"), round=1)
    pen.circle(6, -17, 1.6, "#f1cf6a")
    for x in (-36, 18):
        pen.rect(x, -42, 18, 18, GLASS, edge="#ffffff", width=2.5)
        pen.line(f"M{x + 9} -42 V-24 M{x} -33 H{x + 18}", "#ffffff", 2)
    pen.circle(0, -70, 7, GLASS, edge="#ffffff", width=2)


@symbol("#8a5a3c", place="stand", size=0.36, width=130)
def cabin(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-50, -54, 100, 54, tint.main)
    pen.line("M-50 -45 H50 M-50 -36 H50 M-50 -27 H50 M-50 -18 H50 M-50 -9 H50", tint.dark, 2)
    pen.polygon([(-64, -50), (0, -98), (64, -50), (52, -50), (0, -86), (-52, -50)], tint.second("#5a3a2a"))
    pen.polygon([(-50, -53), (0, -87), (50, -53)], tint.light)
    pen.rect(-12, -36, 24, 36, tint.deep)
    for x in (-40, 20):
        pen.rect(x, -40, 20, 18, "#ffd98a", edge=tint.deep, width=2)


@symbol("#7f93ad", place="stand", size=0.62, width=44)
def skyscraper(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-20, -94, 40, 94, pen.blend(tint.light, tint.dark))
    pen.rect(-14, -98, 28, 5, tint.dark)
    lit = tint.second("#ffe9a8")
    for row in range(13):
        for column in range(4):
            colour = lit if chance.random() < 0.45 else mix(tint.main, "#10131f", 0.35)
            pen.rect(-16 + column * 8.4, -90 + row * 6.6, 6, 4, colour)
    pen.line("M0 -98 V-106", tint.dark, 1.5)


@symbol("#6a7fd0", place="stand", size=0.7, width=50)
def spire(pen: Pen, tint: Tint, chance: Random) -> None:
    """A tower of a city to come."""
    glow = tint.second(chance.choice(("#4df3ff", "#ff5fd2", "#ffd166", "#8dff9a")))
    kind = chance.randrange(3)
    if kind == 0:
        pen.path("M-18 0 C-14 -40 -12 -70 0 -100 C12 -70 14 -40 18 0 Z", pen.blend(tint.light, tint.deep))
        for y in range(-78, -4, 9):
            half = 3 + (y + 100) * 0.13
            pen.line(f"M{-half:.1f} {y} H{half:.1f}", glow, 1.1, opacity=0.85)
    elif kind == 1:
        pen.rect(-15, -84, 30, 84, pen.blend(tint.main, tint.deep), round=6)
        pen.ellipse(0, -74, 25, 6, pen.shade(tint.light))
        pen.ellipse(0, -50, 22, 5, tint.light)
        pen.path("M-12 -84 Q0 -102 12 -84 Z", glow)
        for y in range(-66, -6, 8):
            for x in (-9, -2, 5):
                if chance.random() < 0.7:
                    pen.rect(x, y, 4.4, 3.4, glow)
    else:
        pen.polygon([(-20, 0), (-20, -66), (2, -88), (2, 0)], pen.blend(tint.light, tint.deep))
        pen.polygon([(4, 0), (4, -80), (20, -58), (20, 0)], tint.dark)
        for y in range(-62, -4, 7):
            pen.line(f"M-16 {y} H-2", glow, 1.3, opacity=0.8)
        pen.line("M3 0 V-96", glow, 1.4)
    pen.haze(0, -92, 10, 14, glow, 0.7)


@symbol("#b9b4ad", place="stand", size=0.5, width=150)
def castle(pen: Pen, tint: Tint, chance: Random) -> None:
    roof = tint.second("#4a6fb0")
    for x, half, top in ((-56, 13, -62), (56, 13, -62), (-26, 12, -76), (26, 12, -76)):
        pen.rect(x - half, top, 2 * half, -top, pen.shade(tint.main, 0.12))
        pen.polygon([(x - half - 4, top), (x, top - 24), (x + half + 4, top)], pen.shade(roof))
        pen.rect(x - 3, top + 12, 6, 11, tint.deep, round=3)
    pen.rect(-52, -44, 104, 44, pen.shade(tint.light, 0.12))
    for x in range(-52, 48, 16):
        pen.rect(x, -52, 9, 9, tint.light)
    pen.path("M-13 0 V-20 A13 13 0 0 1 13 -20 V0 Z", "#5a3b28")
    pen.line("M0 -33 V0 M-6 -30 V0 M6 -30 V0", "#3e281b", 1.4)
    pen.line("M26 -100 V-112", "#555555", 1.6)
    pen.polygon([(26, -112), (42, -107), (26, -102)], "#e23b34")


@symbol("#a9723f", place="far", size=0.26, width=300)
def bridge(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        "M-150 -44 H150 V-30 H112 C100 -6 60 -6 48 -30 H-48 C-60 -6 -100 -6 -112 -30 H-150 Z", pen.shade(tint.main)
    )
    for x in (-80, 80):
        pen.rect(x - 6, -98, 12, 98, tint.dark)
    pen.line("M-150 -46 Q-112 -52 -80 -96 Q0 -34 80 -96 Q112 -52 150 -46", tint.dark, 3)
    for x in range(-64, 65, 16):
        pen.line(f"M{x} -44 V{-62 - abs(x) * 0.42:.0f}", tint.dark, 1.4)
    pen.rect(-150, -48, 300, 6, tint.light)


@symbol("#e23b34", place="stand", size=0.52, width=50)
def lighthouse(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -86, 90, 30, "#fff2b0", 0.55)
    pen.polygon([(-18, 0), (-10, -76), (10, -76), (18, 0)], pen.shade("#fbfaf5", 0.1))
    for y in (-66, -42, -18):
        half = 18 - 8 * (-y) / 76
        pen.polygon([(-half, y), (-half + 1.2, y - 11), (half - 1.2, y - 11), (half, y)], tint.main)
    pen.rect(-13, -80, 26, 5, "#3d4452")
    pen.rect(-7, -92, 14, 12, "#ffe27a")
    pen.path("M-9 -92 Q0 -106 9 -92 Z", tint.main)


@symbol("#d8c3a0", place="stand", size=0.46, width=110)
def windmill(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-24, 0), (-15, -62), (15, -62), (24, 0)], pen.shade(tint.main))
    pen.path("M-17 -62 Q0 -86 17 -62 Z", tint.second("#8a4b3a"))
    pen.rect(-6, -18, 12, 18, "#6b4a33")
    for turn in (20, 110, 200, 290):
        with pen.moved(0, -64, turn=turn):
            pen.line("M0 0 V-46", "#6b4a33", 2.4)
            pen.rect(1, -46, 10, 32, "#fdf8ec", edge="#b9a98b", width=1)
    pen.circle(0, -64, 4, "#6b4a33")


@symbol("#c98b5a", place="stand", size=0.3, width=130)
def tent(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-62, 0), (0, -92), (62, 0)], pen.shade(tint.main))
    pen.polygon([(0, -92), (-20, 0), (20, 0)], tint.deep)
    pen.polygon([(0, -92), (-20, 0), (-32, 0)], tint.light)
    pen.line("M0 -98 V-88", "#5a4632", 3)


@symbol("#e8d6b0", place="stand", size=0.42, width=140)
def pyramid(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-70, 0), (0, -96), (70, 0)], pen.blend(tint.light, tint.main))
    pen.polygon([(0, -96), (70, 0), (22, 0)], tint.dark)
    for y in (-20, -40, -60):
        half = 70 * (96 + y) / 96
        pen.line(f"M{-half:.1f} {y} H{half:.1f}", tint.dark, 0.8, opacity=0.4)


@symbol("#b5382f", place="stand", size=0.36, width=130)
def barn(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-52, 0), (-52, -52), (-34, -80), (0, -98), (34, -80), (52, -52), (52, 0)], pen.shade(tint.main, 0.12))
    pen.line("M-56 -50 L-36 -82 L0 -98 L36 -82 L56 -50", "#f5efe3", 4)
    pen.rect(-20, -40, 40, 40, tint.dark, edge="#f5efe3", width=3)
    pen.line("M-20 -40 L20 0 M20 -40 L-20 0", "#f5efe3", 2.6)
    pen.rect(-9, -70, 18, 16, tint.deep, edge="#f5efe3", width=2.4)


@symbol("#e6dccb", place="stand", size=0.46, width=100)
def church(pen: Pen, tint: Tint, chance: Random) -> None:
    roof = tint.second("#6a5148")
    pen.rect(-14, -48, 58, 48, pen.shade(tint.main, 0.1))
    pen.polygon([(-16, -46), (14, -68), (46, -46)], roof)
    pen.rect(-40, -66, 30, 66, pen.shade(tint.light, 0.12))
    pen.polygon([(-44, -64), (-25, -96), (-6, -64)], pen.shade(roof))
    pen.line("M-25 -108 V-95 M-30 -103 H-20", "#d9b44a", 2.4)
    pen.path("M-32 0 V-16 A7 7 0 0 1 -18 -16 V0 Z", "#5a3b28")
    for x in (0, 16, 32):
        pen.path(f"M{x - 4} -14 V-28 A4 4 0 0 1 {x + 4} -28 V-14 Z", "#86b6d9")


@symbol("#d9695a", place="stand", size=0.36, width=120)
def shop(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-52, -90, 104, 90, pen.shade("#f1e3cd", 0.08))
    pen.rect(-52, -98, 104, 12, tint.dark)
    pen.rect(-44, -46, 56, 34, GLASS, edge="#8a6a4f", width=3)
    pen.rect(20, -46, 24, 46, pen.shade("#7a4b31"))
    for stripe in range(8):
        x = -56 + stripe * 14
        pen.path(f"M{x} -68 H{x + 14} V-52 A7 7 0 0 1 {x} -52 Z", tint.main if stripe % 2 == 0 else "#ffffff")


@symbol("#9a8b7c", place="stand", size=0.66, width=56)
def tower(pen: Pen, tint: Tint, chance: Random) -> None:
    """A tower of iron, as one stands in Paris."""
    pen.path(
        "M-26 0 C-12 -24 -6 -52 -2.5 -94 H2.5 C6 -52 12 -24 26 0 H15 C10 -14 -10 -14 -15 0 Z", pen.shade(tint.main)
    )
    for y, half in ((-26, 15), (-50, 9), (-72, 6)):
        pen.rect(-half, y, 2 * half, 3.4, tint.dark)
    pen.line("M0 -94 V-102", tint.dark, 1.6)
    pen.line(
        "M-18 -8 L10 -34 M18 -8 L-10 -34 M-9 -36 L6 -54 M9 -36 L-6 -54 M-4 -60 L4 -74 M4 -60 L-4 -74", tint.light, 1
    )


@symbol("#a86f4b", place="stand", size=0.3, width=110)
def door(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-30, -100, 60, 100, tint.dark, round=3)
    pen.rect(-25, -95, 50, 95, pen.shade(tint.main, 0.12))
    for x in (-19, 3):
        pen.rect(x, -86, 16, 32, tint.dark, round=2)
        pen.rect(x, -46, 16, 36, tint.dark, round=2)
    pen.circle(20, -48, 3, "#f1cf6a")


@symbol("#f4f1ea", place="wall", size=0.34, width=90)
def window(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-45, -100, 90, 96, tint.main, round=2, edge=tint.dark, width=1)
    for x in (-39, 3):
        for y in (-94, -50):
            pen.rect(x, y, 36, 40, pen.blend("#8fc9f2", "#d8f0ff"))
    pen.line("M-34 -60 L-12 -88 M10 -16 L32 -44", "#ffffff", 3, opacity=0.6)
    pen.rect(-50, -6, 100, 7, tint.dark)


@symbol("#9c6b43", place="stand", size=0.32, width=100)
def sign(pen: Pen, tint: Tint, chance: Random) -> None:
    """A board on two posts. What it says is written over it."""
    pen.rect(-38, -40, 7, 40, "#6b4a33")
    pen.rect(31, -40, 7, 40, "#6b4a33")
    pen.rect(-50, -94, 100, 56, pen.shade(tint.main, 0.12), round=4, edge=tint.deep, width=2)


@symbol("#e5484d", place="stand", size=0.3, width=160)
def banner(pen: Pen, tint: Tint, chance: Random) -> None:
    """A ribbon that something is written on."""
    pen.polygon([(-80, -52), (-62, -30), (-80, -8), (-46, -8), (-46, -52)], tint.dark)
    pen.polygon([(80, -52), (62, -30), (80, -8), (46, -8), (46, -52)], tint.dark)
    pen.path("M-60 -78 Q0 -90 60 -78 V-24 Q0 -36 -60 -24 Z", pen.shade(tint.main, 0.12))


@symbol("#d43f3a", place="stand", size=0.4, width=70)
def flag(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-30, -98, 4, 98, "#8b8f96")
    pen.circle(-28, -99, 4, "#e6c04a")
    pen.path("M-26 -94 C-10 -102 6 -86 34 -94 V-54 C6 -46 -10 -62 -26 -54 Z", pen.shade(tint.main, 0.14))
    if tint.other:
        pen.path("M-26 -81 C-10 -89 6 -73 34 -81 V-68 C6 -60 -10 -76 -26 -68 Z", tint.other)


@symbol("#3c3f46", place="stand", size=0.34, width=36)
def street_lamp(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -88, 40, 40, "#ffe9a3", 0.6)
    pen.rect(-2, -80, 4, 80, tint.main)
    pen.rect(-7, -6, 14, 6, tint.main)
    pen.polygon([(-8, -94), (8, -94), (5, -79), (-5, -79)], "#ffe9a3")
    pen.polygon([(-10, -94), (0, -102), (10, -94)], tint.main)


@symbol("#31353d", place="stand", size=0.36, width=36)
def traffic_light(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-2.5, -46, 5, 46, "#6b7078")
    pen.rect(-12, -98, 24, 56, pen.shade(tint.main), round=5)
    for y, colour in ((-86, "#e5352b"), (-70, "#f6b42a"), (-54, "#39b54a")):
        pen.circle(0, y, 6.4, colour)
