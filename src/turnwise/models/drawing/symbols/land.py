"""Land forms, and what grows."""

from math import cos, pi, sin
from random import Random

from turnwise.models.drawing.colours import Tint, mix
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.symbol import symbol


@symbol("#7c8aa0", place="far", size=0.42, width=150)
def mountain(pen: Pen, tint: Tint, chance: Random) -> None:
    lean = chance.uniform(-12, 12)
    pen.polygon([(-75, 0), (lean, -98), (75, 0)], pen.blend(tint.light, tint.main))
    pen.polygon([(lean, -98), (75, 0), (lean + 8, 0), (lean - 6, -40)], tint.dark)
    snow = tint.second("#ffffff")
    pen.polygon(
        [(lean, -98), (lean - 21, -70), (lean - 9, -75), (lean - 2, -63), (lean + 8, -73), (lean + 21, -70)], snow
    )


@symbol("#7d6a63", place="far", size=0.42, width=150)
def volcano(pen: Pen, tint: Tint, chance: Random) -> None:
    for x, y, radius in ((0, -96, 12), (12, -108, 16), (-8, -118, 14)):
        pen.circle(x, y, radius, mix("#5b5560", "#ffffff", chance.uniform(0.1, 0.35)))
    pen.polygon([(-75, 0), (-17, -84), (17, -84), (75, 0)], pen.shade(tint.main))
    lava = tint.second("#ff6a2b")
    pen.path("M-17 -84 Q0 -76 17 -84 L13 -60 L8 -68 L3 -40 L-3 -66 L-9 -52 Z", lava)
    pen.haze(0, -88, 34, 26, lava, 0.6)


@symbol("#6aab58", place="far", size=0.24, width=240)
def hill(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-120 0 C-80 -30 -50 -98 0 -98 C52 -98 84 -28 120 0 Z", pen.blend(tint.light, tint.main))


@symbol("#8f9296", place="stand", size=0.12, width=130)
def rock(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-62, 0), (-54, -46), (-20, -84), (22, -76), (54, -42), (62, 0)], pen.shade(tint.main))
    pen.polygon([(-20, -84), (22, -76), (8, -48), (-28, -50)], tint.light)


@symbol("#4f9d4a", place="stand", size=0.42, width=86)
def tree(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-6 0 C-4 -14 -4 -28 -5 -42 L5 -42 C4 -28 5 -14 8 0 Z", "#7b5236")
    pen.line("M0 -34 L-14 -50 M1 -36 L15 -54", "#7b5236", 3)
    crown = ((-20, -52, 20), (20, -52, 20), (0, -46, 18), (-14, -72, 21), (16, -74, 20), (0, -82, 18))
    for x, y, radius in crown:
        pen.circle(x, y, radius, pen.shade(mix(tint.main, "#10131f", chance.uniform(0, 0.12)), 0.12))
    for x, y, radius in ((-14, -78, 9), (10, -84, 8), (18, -62, 7)):
        pen.circle(x, y, radius, mix(tint.main, "#ffffff", 0.16))
    if tint.other:
        for x, y in ((-24, -56), (-8, -66), (8, -56), (22, -64), (-16, -82), (10, -82), (26, -46)):
            pen.circle(x, y, 4, tint.other)


@symbol("#2f7d5b", place="stand", size=0.44, width=62)
def pine(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-4, -14, 8, 14, "#6b4a33")
    for foot, half, top in ((-10, 30, -48), (-32, 25, -68), (-54, 19, -98)):
        pen.path(f"M0 {top} L{half} {foot} Q0 {foot + 7} {-half} {foot} Z", pen.shade(tint.main, 0.14))
        if tint.other:
            pen.path(f"M0 {top} L{half * 0.4:.0f} {top + 18} L0 {top + 14} L{-half * 0.4:.0f} {top + 18} Z", tint.other)


@symbol("#c9302c", place="stand", size=0.46, width=70)
def christmas_tree(pen: Pen, tint: Tint, chance: Random) -> None:
    pine.draw(pen, Tint("#2f7d4b"), chance)
    balls = ((-18, -14), (0, -20), (17, -16), (-11, -38), (10, -40), (0, -54), (-5, -70), (6, -64))
    for index, (x, y) in enumerate(balls):
        pen.circle(x, y, 3.4, (tint.main, "#fbd324", "#3b9cf0")[index % 3])
    pen.polygon(
        [(0, -108), (3, -100), (10, -100), (4, -95), (7, -87), (0, -92), (-7, -87), (-4, -95), (-10, -100), (-3, -100)],
        "#fbd324",
    )


@symbol("#4aa05a", place="stand", size=0.46, width=90)
def palm(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-6 0 C-2 -30 2 -50 8 -74 L14 -72 C10 -48 6 -26 6 0 Z", pen.shade("#a1713f"))
    for dx, dy, bend in ((-46, -2, -22), (-34, 18, -8), (44, 0, -22), (32, 20, -8), (-22, -26, -18), (26, -24, -18)):
        pen.path(
            f"M11 -74 Q{11 + dx * 0.55:.0f} {-74 + dy * 0.3 + bend:.0f} {11 + dx} {-74 + dy} "
            f"Q{11 + dx * 0.5:.0f} {-74 + dy * 0.4 + bend * 0.3:.0f} 11 -74 Z",
            pen.shade(tint.main, 0.15),
        )
    for x, y in ((6, -69), (14, -67), (11, -63)):
        pen.circle(x, y, 4.5, "#6e4425")


@symbol("#4c9b57", place="stand", size=0.24, width=70)
def cactus(pen: Pen, tint: Tint, chance: Random) -> None:
    for d in ("M0 0 V-84", "M0 -34 H-24 V-62", "M0 -46 H22 V-74"):
        pen.line(d, tint.dark, 22 if d.endswith("84") else 16)
    for d in ("M0 0 V-84", "M0 -34 H-24 V-62", "M0 -46 H22 V-74"):
        pen.line(d, tint.main, 17 if d.endswith("84") else 11)
    pen.line("M-4 -8 V-80 M4 -8 V-80", tint.light, 1.2)
    pen.circle(0, -95, 5, tint.second("#f472b6"))


@symbol("#5aa04f", place="stand", size=0.12, width=140)
def bush(pen: Pen, tint: Tint, chance: Random) -> None:
    for x, y, radius in ((-40, -28, 30), (38, -28, 32), (0, -46, 42), (0, -22, 26)):
        pen.circle(x, y, radius, pen.shade(tint.main, 0.12))
    if tint.other:
        for x, y in ((-44, -34), (-12, -60), (16, -40), (40, -36), (-16, -30), (10, -74)):
            pen.circle(x, y, 6, tint.other)


@symbol("#e8557f", place="stand", size=0.17, width=60)
def flower(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 0 C2 -20 -2 -40 0 -62", "#3f8f46", 4)
    pen.path("M0 -14 C16 -34 26 -30 26 -30 C24 -16 12 -10 0 -14 Z", "#4aa552")
    pen.path("M0 -26 C-16 -44 -25 -40 -25 -40 C-24 -28 -12 -22 0 -26 Z", "#4aa552")
    for petal in range(6):
        angle = petal * pi / 3
        x, y = 15 * cos(angle), -72 + 15 * sin(angle)
        pen.ellipse(x, y, 13, 9, pen.shade(tint.main, 0.12), turn=petal * 60)
    pen.circle(0, -72, 9, tint.second("#f6c634"))


@symbol("#d62f3f", place="stand", size=0.2, width=56)
def rose(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 0 C4 -24 -2 -40 0 -60", "#3a7d3f", 4)
    pen.path("M0 -18 C16 -36 26 -32 26 -32 C24 -18 12 -12 0 -18 Z", "#4a9a4f")
    pen.path("M0 -32 C-16 -48 -25 -44 -25 -44 C-24 -32 -12 -26 0 -32 Z", "#4a9a4f")
    pen.path("M-20 -86 C-28 -66 -16 -54 0 -54 C16 -54 28 -66 20 -86 C12 -98 -12 -98 -20 -86 Z", pen.shade(tint.main))
    pen.line("M-14 -84 C-6 -74 8 -74 15 -85 M-8 -90 C-2 -82 6 -84 9 -91 M-20 -72 C-6 -60 8 -62 20 -74", tint.deep, 2.2)


@symbol("#d62f5f", place="stand", size=0.18, width=44)
def tulip(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 0 V-60", "#3f8f46", 4)
    pen.path("M0 -4 C-22 -20 -20 -46 -20 -46 C-8 -38 -2 -24 0 -4 Z", "#4aa552")
    pen.path("M0 -4 C22 -16 22 -40 22 -40 C8 -32 2 -20 0 -4 Z", "#57b35f")
    pen.path(
        "M-18 -94 L-8 -82 L0 -98 L8 -82 L18 -94 C24 -68 14 -56 0 -56 C-14 -56 -24 -68 -18 -94 Z", pen.shade(tint.main)
    )


@symbol("#fbc531", place="stand", size=0.3, width=62)
def sunflower(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 0 C2 -20 -2 -40 0 -60", "#3f8f46", 4)
    pen.path("M0 -16 C18 -36 28 -30 28 -30 C26 -14 12 -8 0 -16 Z", "#4aa552")
    pen.path("M0 -30 C-18 -50 -28 -44 -28 -44 C-26 -28 -12 -22 0 -30 Z", "#4aa552")
    for petal in range(14):
        angle = petal * pi / 7
        pen.ellipse(20 * cos(angle), -72 + 20 * sin(angle), 10, 5, tint.main, turn=petal * 360 / 14)
    pen.circle(0, -72, 15, pen.ball(tint.second("#6b4423")))


@symbol("#6bb04f", place="stand", size=0.07, width=160)
def grass(pen: Pen, tint: Tint, chance: Random) -> None:
    for blade in range(11):
        x = -70 + blade * 14 + chance.uniform(-4, 4)
        tip = x + chance.uniform(-16, 16)
        high = chance.uniform(50, 96)
        pen.path(
            (
                f"M{x - 5:.1f} 0 Q{x:.1f} {-high * 0.6:.1f} {tip:.1f} {-high:.1f} Q{x + 4:.1f} {-high * 0.5:.1f} "
                f"{x + 6:.1f} 0 Z"
            ),
            tint.main,
        )


@symbol("#cf4a33", place="stand", size=0.12, width=100)
def mushroom(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-14 0 C-10 -20 -12 -36 -12 -46 H12 C12 -36 10 -20 14 0 Z", pen.shade("#f3e6cf", 0.08))
    pen.path("M-46 -44 C-46 -112 46 -112 46 -44 Q0 -32 -46 -44 Z", pen.shade(tint.main))
    for x, y, radius in ((-22, -58, 7), (2, -76, 9), (24, -60, 6), (-4, -52, 4)):
        pen.circle(x, y, radius, tint.second("#fff7ea"))


@symbol("#4aa552", place="stand", size=0.14, width=90)
def leaf(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-36 -8 C-50 -60 0 -98 42 -94 C46 -48 10 0 -36 -8 Z", pen.shade(tint.main))
    pen.line(
        ("M-44 0 C-24 -30 4 -60 34 -86 M-14 -36 L-20 -58 M4 -56 L0 -78 M-12 -36 L12 -34 M6 -56 L28 -54"), tint.dark, 2.6
    )


@symbol("#d9753c", place="stand", size=0.12, width=110)
def campfire(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -40, 110, 90, "#ffb648", 0.6)
    pen.path("M-30 -10 C-44 -48 -12 -58 -12 -98 C18 -78 40 -48 28 -10 Z", pen.blend("#ff9d2e", tint.main))
    pen.path("M-16 -10 C-22 -36 0 -44 2 -66 C18 -48 22 -30 14 -10 Z", "#ffe07a")
    pen.line("M-40 -4 L38 -16 M-38 -16 L40 -4", "#6b4226", 10)


@symbol("#c4a484", place="stand", size=0.16, width=150)
def fence(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-75, -66, 150, 10, tint.dark)
    pen.rect(-75, -34, 150, 10, tint.dark)
    for x in range(-70, 71, 28):
        pen.polygon([(x - 8, 0), (x - 8, -84), (x, -96), (x + 8, -84), (x + 8, 0)], pen.shade(tint.main, 0.1))


@symbol("#ffffff", place="sky", size=0.12)
def snowflake(pen: Pen, tint: Tint, chance: Random) -> None:
    for arm in range(6):
        angle = arm * pi / 3
        dx, dy = cos(angle), sin(angle)
        pen.line(f"M0 -50 L{46 * dx:.1f} {-50 + 46 * dy:.1f}", tint.main, 5)
        for side in (-0.5, 0.5):
            bx, by = cos(angle + side), sin(angle + side)
            pen.line(
                f"M{24 * dx:.1f} {-50 + 24 * dy:.1f} L{24 * dx + 16 * bx:.1f} {-50 + 24 * dy + 16 * by:.1f}",
                tint.main,
                4,
            )


@symbol("#4aa3e8", place="sky", size=0.12, width=60)
def drop(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M0 -98 C10 -70 30 -56 30 -30 A30 30 0 0 1 -30 -30 C-30 -56 -10 -70 0 -98 Z", pen.ball(tint.main))


@symbol("#e0742c", place="stand", size=0.15, width=110)
def pumpkin(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-4 -74 C-6 -88 -2 -94 8 -98 L12 -92 C4 -88 4 -82 6 -74 Z", "#4f7d3a")
    for x, across in ((-30, 24), (30, 24), (-16, 24), (16, 24), (0, 20)):
        pen.ellipse(x, -38, across, 38, pen.shade(mix(tint.main, "#10131f", abs(x) / 300), 0.12))


@symbol("#e0742c", place="stand", size=0.2, width=110)
def jack_o_lantern(pen: Pen, tint: Tint, chance: Random) -> None:
    pumpkin.draw(pen, tint, chance)
    glow = tint.second("#ffd84a")
    pen.haze(0, -36, 60, 45, glow, 0.35)
    pen.polygon([(-28, -44), (-18, -60), (-8, -44)], glow)
    pen.polygon([(28, -44), (18, -60), (8, -44)], glow)
    pen.polygon([(-4, -32), (0, -40), (4, -32)], glow)
    pen.polygon(
        [(-34, -28), (-22, -22), (-16, -28), (-6, -20), (6, -20), (16, -28), (22, -22), (34, -28), (20, -8), (-20, -8)],
        glow,
    )


def blades(x: float, y: float, high: float, count: int, chance: Random) -> str:
    """The path of a tuft of grass."""
    d = []
    for blade in range(count):
        angle = -pi / 2 + (blade - (count - 1) / 2) * 0.28 + chance.uniform(-0.1, 0.1)
        d.append(f"M{x:.1f} {y:.1f} l{high * cos(angle):.1f} {high * sin(angle):.1f}")
    return " ".join(d)
