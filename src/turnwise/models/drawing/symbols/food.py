"""What one eats and drinks."""

from random import Random

from turnwise.models.drawing.colours import Tint, mix
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.symbol import symbol

STALK = "#6b4a2b"
LEAF = "#5aa84a"


@symbol("#d8332e", size=0.2, width=90)
def apple(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 -78 C-2 -90 4 -96 8 -99", STALK, 4.4)
    pen.path("M4 -86 C14 -104 34 -98 36 -94 C30 -82 14 -80 4 -86 Z", LEAF)
    pen.path(
        ("M0 -78 C14 -90 44 -86 42 -52 C40 -20 20 0 0 -6 C-20 0 -40 -20 -42 -52 C-44 -86 -14 -90 0 -78 Z"),
        pen.ball(tint.main),
    )


@symbol("#b9c93f", size=0.22, width=76)
def pear(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 -88 C0 -94 4 -98 6 -100", STALK, 4)
    pen.path(
        ("M0 -92 C18 -92 16 -66 24 -56 C40 -36 36 0 0 0 C-36 0 -40 -36 -24 -56 C-16 -66 -18 -92 0 -92 Z"),
        pen.ball(tint.main),
    )


@symbol("#f58a1f", size=0.18, width=96)
def orange(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -45, 44, pen.ball(tint.main))
    pen.path("M0 -86 C10 -104 30 -100 32 -98 C28 -86 12 -82 0 -86 Z", LEAF)
    for x, y in ((-18, -30), (4, -20), (22, -36), (-8, -56), (18, -62), (-28, -52)):
        pen.circle(x, y, 1.6, tint.dark)


@symbol("#f7e04a", size=0.16, width=120)
def lemon(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        ("M-58 -44 C-48 -50 -40 -84 0 -84 C40 -84 48 -50 58 -44 C48 -36 40 -4 0 -4 C-40 -4 -48 -36 -58 -44 Z"),
        pen.ball(tint.main),
    )


@symbol("#fbd93a", size=0.2, width=120)
def banana(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-50 -84 C-46 -30 6 -6 54 -22 C62 -14 58 -4 44 0 C-20 14 -66 -26 -62 -82 Z", pen.shade(tint.main))
    pen.path("M-50 -84 C-46 -30 6 -6 54 -22 C0 -18 -38 -44 -50 -84 Z", tint.light)
    pen.polygon([(-62, -82), (-61, -96), (-52, -97), (-50, -84)], "#8a6a2a")


@symbol("#d6304a", size=0.18, width=80)
def cherry(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-18 -40 C-14 -70 4 -88 16 -98 M20 -34 C22 -60 18 -84 16 -98", "#4f7d3a", 3.4)
    pen.path("M16 -98 C30 -104 42 -92 40 -84 C28 -82 18 -88 16 -98 Z", LEAF)
    pen.circle(-18, -22, 21, pen.ball(tint.main))
    pen.circle(20, -18, 18, pen.ball(tint.main))


@symbol("#e0343f", size=0.18, width=84)
def strawberry(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        ("M0 -80 C32 -92 46 -62 34 -38 C26 -18 12 -2 0 0 C-12 -2 -26 -18 -34 -38 C-46 -62 -32 -92 0 -80 Z"),
        pen.ball(tint.main),
    )
    for x, y in ((-20, -58), (0, -62), (20, -58), (-12, -40), (12, -40), (0, -22), (-24, -40), (24, -42)):
        pen.ellipse(x, y, 1.8, 2.8, "#fbe08a")
    pen.polygon([(-28, -82), (-10, -84), (0, -100), (10, -84), (28, -82), (12, -70), (0, -74), (-12, -70)], LEAF)


@symbol("#6f3f9c", size=0.22, width=80)
def grapes(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 -80 V-98", STALK, 4)
    pen.path("M2 -84 C16 -104 36 -96 36 -88 C28 -76 12 -76 2 -84 Z", LEAF)
    for row, count in enumerate((4, 3, 3, 2, 1)):
        for index in range(count):
            pen.circle((index - (count - 1) / 2) * 18, -72 + row * 15, 10.5, pen.ball(tint.main))


@symbol("#4fa84f", size=0.22, width=130)
def watermelon(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-62 -70 A62 66 0 0 0 62 -70 Z", pen.shade(tint.main))
    pen.path("M-54 -70 A54 57 0 0 0 54 -70 Z", "#eef6d8")
    pen.path("M-50 -70 A50 52 0 0 0 50 -70 Z", pen.shade(tint.second("#ee4f55"), 0.1))
    for x, y in ((-28, -58), (-10, -50), (10, -52), (28, -58), (-16, -36), (14, -34), (0, -62), (0, -28)):
        pen.ellipse(x, y, 2.4, 4, "#3a2422")


@symbol("#e8b23a", size=0.26, width=64)
def pineapple(pen: Pen, tint: Tint, chance: Random) -> None:
    for dx in (-20, -10, 0, 10, 20):
        pen.path(
            (
                f"M0 -58 Q{dx * 0.4:.0f} -84 {dx * 1.3:.0f} {-92 - (20 - abs(dx)) * 0.4:.0f} Q{dx * 1.1 + 4:.0f} "
                f"-74 5 -58 Z"
            ),
            LEAF,
        )
    pen.ellipse(0, -31, 25, 31, pen.shade(tint.main))
    pen.line(
        "M-22 -44 L12 -4 M-24 -26 L0 0 M-14 -56 L24 -16 M22 -44 L-12 -4 M24 -26 L0 0 M14 -56 L-24 -16", tint.dark, 1.8
    )


@symbol("#f08a2e", size=0.22, width=50)
def carrot(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 -70 L-12 -98 M0 -70 V-100 M0 -70 L12 -97", "#5aa84a", 6)
    pen.path("M-20 -70 C-10 -78 10 -78 20 -70 C18 -40 8 -12 0 0 C-8 -12 -18 -40 -20 -70 Z", pen.shade(tint.main))
    pen.line("M-14 -56 H-2 M4 -42 H13 M-9 -28 H0", tint.dark, 2.4)


@symbol("#d93a2f", size=0.17, width=96)
def tomato(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(0, -42, 46, 40, pen.ball(tint.main))
    pen.polygon([(-24, -78), (-6, -78), (0, -94), (6, -78), (24, -78), (8, -68), (0, -60), (-8, -68)], LEAF)


@symbol("#f7a8bd", size=0.3, width=110)
def cake(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(0, -4, 54, 5, "#e6e2da")
    pen.rect(-44, -36, 88, 34, pen.shade("#f3d9a8", 0.1), round=5)
    pen.rect(-30, -62, 60, 28, pen.shade("#f3d9a8", 0.1), round=5)
    for top, half in ((-42, 44), (-68, 30)):
        d = (
            f"M{-half} {top + 16} V{top + 6} Q{-half} {top} {-half + 6} {top} H{half - 6} Q{half} "
            f"{top} {half} {top + 6} V{top + 14}"
        )
        steps = int(2 * half // 11)
        drip = "".join(f" q-5.5 {9 if step % 2 else 4} -{2 * half / steps:.1f} 0" for step in range(steps))
        pen.path(d + drip + " Z", pen.shade(tint.main, 0.1))
    for x in (-18, 0, 18):
        pen.rect(x - 2, -84, 4, 17, tint.second("#7fb8e6"))
        pen.path(f"M{x} -96 C{x + 5} -90 {x + 3} -85 {x} -85 C{x - 3} -85 {x - 5} -90 {x} -96 Z", "#ffb02e")
    for x in (-34, -20, -6, 8, 22, 36):
        pen.circle(x, -18, 3, "#e0343f")


@symbol("#f19ac0", size=0.22, width=80)
def cupcake(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-28, -42), (28, -42), (20, 0), (-20, 0)], pen.shade(tint.second("#8a5a34")))
    pen.line("M-16 -40 L-12 -2 M-5 -40 L-4 -2 M5 -40 L4 -2 M16 -40 L12 -2", "#ffffff", 1.6, opacity=0.5)
    for y, half, high in ((-44, 36, 15), (-62, 26, 13), (-78, 15, 11)):
        pen.ellipse(0, y, half, high, pen.shade(tint.main, 0.12))
    pen.circle(0, -92, 7, "#e0343f")


@symbol("#f7c5d5", size=0.26, width=60)
def ice_cream(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-21, -50), (21, -50), (0, 0)], pen.shade("#d9a35a"))
    pen.line("M-15 -36 L6 -14 M-18 -46 L12 -24 M15 -36 L-6 -14 M18 -46 L-12 -24", "#b57f3c", 1.6)
    pen.circle(-11, -60, 17, pen.ball(tint.second("#f6e3b0")))
    pen.circle(12, -60, 17, pen.ball("#8a5a3c"))
    pen.circle(0, -79, 18, pen.ball(tint.main))


@symbol("#e8b04a", size=0.22, width=120)
def pizza(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 50, pen.shade("#c98a44"))
    pen.circle(0, -50, 43, pen.shade(mix(tint.main, "#ffe08a", 0.5), 0.1))
    for x, y in ((-20, -66), (8, -74), (24, -52), (2, -46), (-24, -38), (12, -24), (-6, -20)):
        pen.circle(x, y, 8, "#c4392f")
    for x, y in ((-4, -62), (20, -66), (-34, -54), (26, -34), (-12, -32)):
        pen.ellipse(x, y, 4, 2.4, LEAF, turn=x)
    pen.line("M0 -93 V-7 M-37 -72 L37 -28 M37 -72 L-37 -28", "#a86a34", 1.4, opacity=0.6)


@symbol("#d99a4e", size=0.2, width=120)
def burger(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-50 0 C-56 -20 -50 -22 -46 -22 H46 C50 -22 56 -20 50 0 Z", pen.shade(tint.main))
    pen.rect(-54, -36, 108, 15, "#6b3d26", round=7)
    pen.polygon([(-54, -40), (54, -40), (30, -28), (10, -38), (-14, -26), (-34, -38)], "#f7c63e")
    pen.line("M-52 -43 Q-40 -36 -28 -43 Q-14 -36 0 -43 Q14 -36 28 -43 Q40 -36 52 -43", "#6ab04c", 7)
    pen.path("M-52 -50 C-52 -108 52 -108 52 -50 Z", pen.shade(tint.main))
    for x, y in ((-24, -74), (-4, -84), (18, -76), (-34, -62), (32, -62), (4, -68)):
        pen.ellipse(x, y, 3.4, 2, "#fbeec9")


@symbol("#c98a4e", size=0.18, width=120)
def bread(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-52 0 V-44 C-70 -60 -58 -88 -30 -86 H32 C60 -88 70 -60 52 -44 V0 Z", pen.shade(tint.main))
    pen.path("M-44 -6 V-46 C-58 -60 -48 -78 -28 -78 H30 C50 -78 58 -60 44 -46 V-6 Z", "#f5e2be")


@symbol("#f0a9c4", size=0.18, width=110)
def donut(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(0, -46, 54, 44, pen.shade("#c98a4e"))
    pen.ellipse(0, -52, 50, 36, pen.shade(tint.main, 0.1))
    pen.ellipse(0, -50, 16, 11, "#a86f3c")
    for x, y, colour in (
        (-30, -62, "#fff"),
        (-12, -74, "#fbd34d"),
        (14, -74, "#4aa3e8"),
        (32, -58, "#fff"),
        (-34, -44, "#4aa3e8"),
        (26, -38, "#fbd34d"),
        (0, -30, "#fff"),
    ):
        pen.ellipse(x, y, 5, 2, colour if len(colour) == 7 else "#ffffff", turn=x * 2)


@symbol("#fdfbf5", size=0.18, width=80)
def egg(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        "M0 -96 C28 -96 40 -54 36 -34 C32 -8 16 0 0 0 C-16 0 -32 -8 -36 -34 C-40 -54 -28 -96 0 -96 Z",
        pen.ball(tint.main),
    )
    if tint.other:
        pen.line("M-34 -50 L-22 -40 L-10 -50 L2 -40 L14 -50 L26 -40 L35 -48", tint.other, 6)
        pen.line("M-34 -28 H34", tint.other, 5)


@symbol("#f0c64a", size=0.17, width=120)
def cheese(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-56, -50), (40, -90), (56, -50)], tint.light)
    pen.rect(-56, -50, 112, 50, pen.shade(tint.main))
    for x, y, radius in ((-34, -26, 9), (0, -36, 7), (22, -16, 10), (40, -36, 5), (-12, -12, 5)):
        pen.circle(x, y, radius, tint.dark)


@symbol("#f4f4f2", size=0.2, width=130)
def cup(pen: Pen, tint: Tint, chance: Random) -> None:
    """A cup of coffee, with its steam."""
    for x in (-20, 0, 20):
        pen.line(f"M{x} -74 C{x - 8} -84 {x + 8} -90 {x} -100", "#ffffff", 4, opacity=0.6)
    pen.ellipse(0, -5, 56, 6, mix(tint.main, "#10131f", 0.12))
    pen.circle(42, -40, 15, "none", edge=tint.dark, width=7)
    pen.path("M-42 -66 H42 C42 -28 32 -6 14 -6 H-14 C-32 -6 -42 -28 -42 -66 Z", pen.shade(tint.main, 0.1))
    pen.ellipse(0, -66, 42, 9, tint.light)
    pen.ellipse(0, -65, 37, 7, tint.second("#5a3822"))


@symbol("#bfe3f5", size=0.26, width=60)
def glass(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-26, -94), (26, -94), (20, 0), (-20, 0)], mix(tint.main, "#ffffff", 0.5))
    pen.polygon([(-24, -70), (24, -70), (19, -4), (-19, -4)], pen.shade(tint.second(tint.main), 0.12))
    pen.line("M-17 -84 L-13 -14", "#ffffff", 3.4, opacity=0.7)


@symbol("#a3213f", size=0.32, width=46)
def wine_glass(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(0, -2, 19, 3, "#cfdde6")
    pen.rect(-1.6, -40, 3.2, 38, "#cfdde6")
    pen.path("M-19 -98 H19 C22 -60 12 -40 0 -40 C-12 -40 -22 -60 -19 -98 Z", "#e6f0f5")
    pen.path("M-20 -72 H20 C19 -52 10 -42 0 -42 C-10 -42 -19 -52 -20 -72 Z", pen.shade(tint.main))


@symbol("#3f8f5a", size=0.36, width=36)
def bottle(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        ("M-6 -98 H6 V-74 C8 -64 16 -62 16 -48 V-4 Q16 0 12 0 H-12 Q-16 0 -16 -4 V-48 C-16 -62 -8 -64 -6 -74 Z"),
        pen.shade(tint.main),
    )
    pen.rect(-7, -100, 14, 8, tint.second("#8a6a3a"), round=1)
    pen.rect(-15, -40, 30, 24, "#f7efdc")
    pen.line("M-10 -52 V-8", "#ffffff", 2.6, opacity=0.45)


@symbol("#e0b98a", size=0.2, width=110)
def teapot(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(-42, -44, 18, "none", edge=tint.dark, width=8)
    pen.path("M30 -34 C46 -36 48 -60 58 -72 L66 -66 C56 -50 56 -24 30 -16 Z", tint.dark)
    pen.ellipse(0, -38, 42, 36, pen.shade(tint.main))
    pen.ellipse(0, -70, 24, 7, tint.dark)
    pen.circle(0, -80, 6, tint.main)


@symbol("#7aa7c7", size=0.16, width=150)
def bowl(pen: Pen, tint: Tint, chance: Random) -> None:
    for x, y, radius in ((-34, -70, 22), (0, -78, 24), (34, -70, 21)):
        pen.circle(x, y, radius, pen.ball(tint.second("#e9a13b")))
    pen.path("M-70 -64 H70 C66 -22 40 0 24 0 H-24 C-40 0 -66 -22 -70 -64 Z", pen.shade(tint.main))


@symbol("#f3f3f0", size=0.06, width=300)
def plate(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(0, -50, 148, 48, pen.shade(tint.main, 0.1))
    pen.ellipse(0, -56, 104, 30, tint.light)
