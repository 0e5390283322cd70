"""Animals."""

from random import Random

from turnwise.models.drawing.colours import Tint, mix
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.symbol import symbol

EYE = "#22201f"


def legs(pen: Pen, xs: tuple[float, ...], top: float, colour: str, width: float) -> None:
    pen.line(" ".join(f"M{x} {top} V{-width / 2:.1f}" for x in xs), colour, width)


@symbol("#e39a4d", place="stand", size=0.2, width=100)
def cat(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M28 -12 C54 -14 50 -46 40 -56", tint.dark, 8)
    pen.path("M-22 0 C-28 -40 -16 -56 4 -56 C26 -56 36 -34 32 0 Z", pen.shade(tint.main))
    pen.ellipse(2, -16, 12, 16, tint.light)
    pen.ellipse(-10, -4, 10, 5, tint.light)
    pen.ellipse(14, -4, 10, 5, tint.light)
    pen.polygon([(-26, -70), (-24, -98), (-6, -84)], tint.main)
    pen.polygon([(26, -70), (24, -98), (6, -84)], tint.main)
    pen.polygon([(-22, -76), (-21, -90), (-11, -82)], "#f2a7a0")
    pen.polygon([(22, -76), (21, -90), (11, -82)], "#f2a7a0")
    pen.ellipse(0, -67, 28, 23, pen.shade(tint.main, 0.1))
    eyes = tint.second("#7bc04f")
    for x in (-10, 10):
        pen.ellipse(x, -70, 5.4, 6.4, eyes)
        pen.ellipse(x, -70, 2, 5.6, EYE)
    pen.polygon([(-3, -62), (3, -62), (0, -58)], "#e8817b")
    pen.line("M0 -58 Q-4 -53 -8 -56 M0 -58 Q4 -53 8 -56", EYE, 1.4)
    pen.line("M-14 -59 L-34 -63 M-14 -57 L-33 -55 M14 -59 L34 -63 M14 -57 L33 -55", mix(tint.main, "#ffffff", 0.6), 1)


@symbol("#b57b45", place="stand", size=0.24, width=130)
def dog(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-48 -46 C-62 -54 -60 -70 -54 -76", tint.main, 8)
    legs(pen, (-38, -24), -30, tint.dark, 11)
    legs(pen, (14, 28), -30, tint.main, 11)
    pen.path("M-52 -30 C-56 -56 -30 -58 0 -56 C22 -56 38 -54 38 -30 C30 -20 -44 -18 -52 -30 Z", pen.shade(tint.main))
    pen.path(
        ("M18 -44 C14 -62 16 -88 40 -90 C54 -90 58 -78 72 -74 C76 -66 70 -58 56 -58 C46 -56 44 -44 36 -36 Z"),
        pen.shade(tint.main, 0.1),
    )
    pen.path("M28 -88 C18 -88 12 -70 18 -58 C28 -58 34 -72 34 -84 Z", tint.dark)
    pen.circle(48, -77, 3, EYE)
    pen.ellipse(71, -72, 5, 4, EYE)
    pen.line("M56 -61 Q62 -60 66 -64", EYE, 1.6)
    pen.line("M20 -46 Q28 -40 38 -42", tint.second("#d8433b"), 5)


@symbol("#8a5a36", place="stand", size=0.36, width=120)
def horse(pen: Pen, tint: Tint, chance: Random) -> None:
    mane = tint.second(tint.deep)
    pen.path("M-46 -56 C-62 -50 -60 -26 -56 -16 C-52 -28 -46 -38 -42 -46 Z", mane)
    for d in (
        "M-38 -44 L-42 -24 L-38 -3",
        "M-28 -42 L-26 -22 L-28 -3",
        "M20 -42 L22 -22 L18 -3",
        "M28 -44 L34 -24 L32 -3",
    ):
        pen.line(d, tint.dark, 7)
    pen.path(
        (
            "M-48 -50 C-48 -66 -30 -66 -6 -62 C10 -62 22 -78 30 -92 L44 -96 C52 -86 60 -80 62 -72 C58 "
            "-66 52 -68 44 -74 C40 -60 38 -44 28 -38 C0 -30 -44 -32 -48 -50 Z"
        ),
        pen.shade(tint.main),
    )
    pen.path("M30 -94 C18 -84 12 -72 2 -62 C12 -60 24 -70 30 -82 Z", mane)
    pen.polygon([(32, -92), (34, -103), (39, -94)], tint.main)
    pen.circle(45, -86, 2, EYE)


@symbol("#ffffff", place="stand", size=0.36, width=120)
def unicorn(pen: Pen, tint: Tint, chance: Random) -> None:
    horse.draw(pen, Tint(tint.main, tint.second("#f08cc8")), chance)
    pen.polygon([(38, -95), (54, -118), (43, -94)], "#f3c83c")


@symbol("#f4f1ea", place="stand", size=0.28, width=130)
def cow(pen: Pen, tint: Tint, chance: Random) -> None:
    spots = tint.second("#3a3532")
    legs(pen, (-42, -30, 22, 34), -32, tint.dark, 9)
    pen.line("M-52 -60 C-64 -52 -60 -34 -62 -26", tint.dark, 3)
    pen.rect(-54, -72, 98, 46, pen.shade(tint.main, 0.08), round=18)
    pen.path("M-36 -72 C-20 -74 -14 -60 -24 -52 C-38 -48 -46 -62 -36 -72 Z", spots)
    pen.path("M2 -50 C16 -56 26 -44 18 -34 C6 -28 -8 -40 2 -50 Z", spots)
    pen.ellipse(-6, -24, 12, 6, "#f2b0a8")
    pen.path("M34 -84 C36 -92 58 -92 60 -82 L62 -60 C60 -50 38 -50 36 -60 Z", pen.shade(tint.main, 0.08))
    pen.line("M36 -86 L30 -96 M58 -86 L64 -96", "#d9c9a3", 4)
    pen.ellipse(49, -58, 13, 8, "#f2b0a8")
    pen.circle(43, -75, 2.2, EYE)
    pen.circle(55, -75, 2.2, EYE)
    pen.ellipse(30, -80, 7, 4, spots)


@symbol("#f7f4ee", place="stand", size=0.22, width=120)
def sheep(pen: Pen, tint: Tint, chance: Random) -> None:
    legs(pen, (-26, -14, 14, 26), -26, "#3a3532", 7)
    wool = pen.shade(tint.main, 0.08)
    for x, y, radius in ((-34, -46, 20), (-14, -60, 22), (12, -60, 22), (30, -46, 20), (-14, -36, 20), (14, -36, 20)):
        pen.circle(x, y, radius, wool)
    pen.ellipse(48, -58, 13, 16, tint.second("#3a3532"))
    pen.circle(44, -74, 10, wool)
    pen.ellipse(36, -62, 8, 4, "#3a3532")
    pen.circle(51, -62, 2, "#ffffff")


@symbol("#f2a7b0", place="stand", size=0.2, width=130)
def pig(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-50 -44 C-64 -50 -56 -62 -64 -62", tint.dark, 4)
    legs(pen, (-32, -18, 16, 30), -24, tint.dark, 11)
    pen.ellipse(-4, -44, 48, 32, pen.shade(tint.main, 0.12))
    pen.polygon([(20, -72), (26, -92), (38, -76)], tint.dark)
    pen.circle(38, -54, 25, pen.shade(tint.main, 0.1))
    pen.polygon([(40, -76), (52, -90), (56, -72)], tint.dark)
    pen.ellipse(54, -50, 9, 11, tint.light)
    pen.circle(52, -50, 2, tint.deep)
    pen.circle(58, -50, 2, tint.deep)
    pen.circle(38, -62, 2.6, EYE)


@symbol("#d9d4cc", place="stand", size=0.18, width=90)
def rabbit(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(-34, -16, 9, "#ffffff")
    pen.ellipse(-4, -22, 32, 22, pen.shade(tint.main, 0.1))
    pen.ellipse(14, -4, 14, 5, tint.light)
    for x, turn in ((12, -8), (28, 12)):
        pen.ellipse(x, -78, 6.5, 22, tint.main, turn=turn)
        pen.ellipse(x, -76, 3, 15, "#f2b6b0", turn=turn)
    pen.circle(20, -46, 19, pen.shade(tint.main, 0.08))
    pen.circle(25, -50, 2.6, EYE)
    pen.circle(38, -44, 2.6, "#e8817b")
    pen.line("M36 -40 Q30 -36 26 -39", EYE, 1.3)


@symbol("#8b8f97", place="stand", size=0.12, width=120)
def mouse(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-44 -14 C-70 -10 -62 -46 -80 -44", "#e3a6a0", 4)
    pen.path("M-48 0 C-54 -50 10 -72 50 -30 C60 -22 62 -10 54 -6 C40 0 0 0 -48 0 Z", pen.shade(tint.main, 0.12))
    pen.circle(16, -54, 17, tint.main)
    pen.circle(16, -54, 11, "#f0b8b0")
    pen.circle(36, -32, 3.4, EYE)
    pen.circle(58, -18, 4, "#e8817b")


@symbol("#d9762e", place="stand", size=0.22, width=130)
def fox(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-34 -24 C-62 -20 -74 -44 -62 -62 C-58 -44 -44 -44 -30 -40 Z", pen.shade(tint.main))
    pen.path("M-62 -62 C-70 -52 -69 -44 -66 -38 C-62 -44 -60 -50 -62 -62 Z", "#ffffff")
    legs(pen, (-26, -14, 18, 30), -26, "#3a2a22", 8)
    pen.path("M-38 -26 C-38 -54 -10 -50 14 -50 C34 -50 38 -40 36 -26 C20 -16 -24 -16 -38 -26 Z", pen.shade(tint.main))
    pen.polygon([(18, -66), (20, -94), (34, -76)], tint.dark)
    pen.polygon([(38, -76), (52, -94), (52, -66)], tint.dark)
    pen.path("M14 -66 C24 -82 46 -82 56 -66 C54 -54 42 -44 35 -38 C28 -44 16 -54 14 -66 Z", pen.shade(tint.main, 0.08))
    pen.path(
        ("M14 -64 C22 -62 30 -54 35 -40 C26 -44 16 -54 14 -64 Z M56 -64 C48 -62 40 -54 35 -40 C44 -44 54 -54 56 -64 Z"),
        "#fbf3e8",
    )
    pen.circle(26, -62, 2.4, EYE)
    pen.circle(44, -62, 2.4, EYE)
    pen.circle(35, -41, 3.4, EYE)


@symbol("#8a6040", place="stand", size=0.28, width=110)
def bear(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(0, -28, 34, 30, pen.shade(tint.main))
    pen.ellipse(0, -24, 20, 20, tint.light)
    pen.ellipse(-26, -6, 14, 9, tint.dark)
    pen.ellipse(26, -6, 14, 9, tint.dark)
    pen.ellipse(-32, -40, 10, 17, tint.dark, turn=28)
    pen.ellipse(32, -40, 10, 17, tint.dark, turn=-28)
    for x in (-22, 22):
        pen.circle(x, -92, 10, tint.main)
        pen.circle(x, -92, 5, tint.light)
    pen.circle(0, -74, 27, pen.shade(tint.main, 0.1))
    pen.ellipse(0, -66, 13, 10, tint.light)
    pen.ellipse(0, -70, 5, 3.6, EYE)
    pen.circle(-10, -80, 2.8, EYE)
    pen.circle(10, -80, 2.8, EYE)
    pen.line("M0 -67 V-63 M-5 -61 Q0 -58 5 -61", EYE, 1.4)


@symbol("#ffffff", place="stand", size=0.28, width=110)
def panda(pen: Pen, tint: Tint, chance: Random) -> None:
    dark = tint.second("#2a2c31")
    bear.draw(pen, Tint(tint.main), chance)
    for x in (-1, 1):
        pen.circle(x * 22, -92, 10, dark)
        pen.ellipse(x * 32, -40, 10, 17, dark, turn=-28 * x)
        pen.ellipse(x * 26, -6, 14, 9, dark)
        pen.ellipse(x * 10, -79, 7, 8.5, dark, turn=20 * x)
        pen.circle(x * 9, -80, 2.6, "#ffffff")


@symbol("#d9a24a", place="stand", size=0.3, width=120)
def lion(pen: Pen, tint: Tint, chance: Random) -> None:
    mane = tint.second("#9a5a26")
    pen.line("M-38 -30 C-62 -36 -56 -62 -50 -66", tint.dark, 5)
    pen.circle(-50, -67, 7, mane)
    pen.path("M-40 0 C-46 -36 -20 -50 8 -50 C30 -50 36 -30 34 0 Z", pen.shade(tint.main))
    pen.ellipse(-22, -4, 15, 6, tint.light)
    pen.ellipse(18, -4, 13, 6, tint.light)
    pen.circle(14, -62, 36, pen.shade(mane))
    for x in (-6, 34):
        pen.circle(x, -82, 7, tint.main)
    pen.circle(14, -62, 24, pen.shade(tint.main, 0.1))
    pen.ellipse(14, -53, 11, 9, tint.light)
    pen.polygon([(10, -58), (18, -58), (14, -53)], EYE)
    pen.circle(5, -67, 2.6, EYE)
    pen.circle(23, -67, 2.6, EYE)


@symbol("#e8862e", place="stand", size=0.28, width=140)
def tiger(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-56 -44 C-74 -46 -70 -70 -62 -74", tint.main, 7)
    legs(pen, (-42, -28, 16, 30), -30, tint.dark, 11)
    pen.rect(-58, -66, 98, 42, pen.shade(tint.main), round=20)
    stripes = "M-42 -66 V-48 M-28 -66 V-44 M-14 -66 V-48 M0 -66 V-44 M14 -66 V-50"
    pen.line(stripes, "#2b221d", 4)
    for x in (26, 58):
        pen.circle(x, -88, 8, tint.main)
    pen.circle(42, -68, 25, pen.shade(tint.main, 0.1))
    pen.ellipse(44, -58, 13, 10, "#fdf3e6")
    pen.line("M42 -92 V-80 M32 -90 L35 -80 M52 -90 L49 -80 M18 -68 H26 M66 -68 H58", "#2b221d", 3)
    pen.circle(34, -70, 2.6, EYE)
    pen.circle(51, -70, 2.6, EYE)
    pen.polygon([(40, -62), (48, -62), (44, -57)], EYE)


@symbol("#8f99a6", place="stand", size=0.36, width=150)
def elephant(pen: Pen, tint: Tint, chance: Random) -> None:
    legs(pen, (-44, -22, 6, 24), -34, tint.dark, 17)
    pen.line("M-62 -60 C-70 -48 -68 -36 -70 -30", tint.dark, 4)
    pen.ellipse(-16, -56, 50, 38, pen.shade(tint.main))
    pen.line("M58 -64 C74 -50 66 -22 72 -12 C76 -8 80 -12 80 -16", tint.main, 13)
    pen.circle(40, -72, 27, pen.shade(tint.main, 0.12))
    pen.ellipse(20, -72, 19, 25, tint.light)
    pen.path("M50 -52 C54 -40 62 -36 70 -38 C62 -44 60 -50 60 -56 Z", "#fbf7ea")
    pen.circle(50, -78, 3, EYE)


@symbol("#e8b64a", place="stand", size=0.5, width=80)
def giraffe(pen: Pen, tint: Tint, chance: Random) -> None:
    legs(pen, (-26, -18, 8, 16), -30, tint.dark, 5)
    pen.path(
        "M-32 -34 C-32 -46 -10 -46 4 -46 L16 -88 L26 -86 L22 -40 C18 -26 -28 -24 -32 -34 Z", pen.shade(tint.main, 0.1)
    )
    pen.path("M14 -86 C14 -100 28 -98 42 -86 C40 -80 26 -80 14 -86 Z", tint.main)
    pen.line("M18 -94 L16 -102 M24 -94 L24 -102", tint.deep, 2)
    pen.circle(28, -90, 1.5, EYE)
    spots = tint.second("#9a5f2a")
    for x, y, radius in (
        (-20, -38, 4),
        (-8, -34, 4.4),
        (4, -38, 4),
        (14, -48, 3),
        (17, -60, 2.8),
        (19, -70, 2.6),
        (-24, -31, 2.4),
    ):
        pen.circle(x, y, radius, spots)


@symbol("#8a6040", place="stand", size=0.24, width=100)
def monkey(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M24 -10 C56 -10 44 -50 56 -56", tint.dark, 6)
    pen.ellipse(0, -26, 26, 27, pen.shade(tint.main))
    pen.ellipse(0, -22, 15, 18, "#ecc9a0")
    pen.line("M-24 -36 L-34 -12 M24 -36 L32 -58", tint.main, 9)
    for x in (-28, 28):
        pen.circle(x, -72, 10, tint.main)
        pen.circle(x, -72, 6, "#ecc9a0")
    pen.circle(0, -74, 25, pen.shade(tint.main, 0.1))
    pen.path("M-18 -72 C-20 -90 -2 -88 0 -80 C2 -88 20 -90 18 -72 C18 -54 -18 -54 -18 -72 Z", "#ecc9a0")
    pen.circle(-8, -75, 2.6, EYE)
    pen.circle(8, -75, 2.6, EYE)
    pen.line("M-7 -63 Q0 -58 7 -63", EYE, 1.8)


@symbol("#4a86c8", place="air", size=0.1, width=130)
def bird(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-40, -46), (-66, -58), (-62, -42), (-64, -30)], tint.dark)
    pen.path("M-46 -44 C-30 -74 14 -76 34 -66 C50 -62 52 -46 40 -40 C20 -20 -24 -24 -46 -44 Z", pen.shade(tint.main))
    pen.path("M-20 -40 C-4 -28 22 -28 36 -40 C24 -20 -10 -22 -20 -40 Z", tint.second(tint.pale))
    pen.path("M-8 -54 C-24 -84 -50 -94 -62 -96 C-50 -72 -34 -50 -10 -42 Z", tint.dark)
    pen.path("M4 -54 C2 -82 -10 -98 -20 -104 C-20 -80 -14 -58 -2 -46 Z", tint.light)
    pen.polygon([(46, -58), (66, -52), (46, -48)], "#f2a42a")
    pen.circle(36, -57, 3.4, EYE)


@symbol("#f7d23e", place="water", size=0.14, width=120)
def duck(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        ("M-56 -44 C-44 -30 -28 -44 -6 -44 C20 -44 44 -40 44 -20 C44 -4 26 0 0 0 C-34 0 -54 -12 -56 -44 Z"),
        pen.shade(tint.main, 0.12),
    )
    pen.path("M-30 -28 C-14 -40 8 -36 16 -24 C4 -10 -20 -12 -30 -28 Z", tint.dark)
    pen.circle(30, -64, 24, pen.shade(tint.main, 0.1))
    pen.path("M50 -66 C62 -68 70 -62 72 -58 C66 -54 56 -54 50 -56 Z", "#f07f2a")
    pen.circle(36, -70, 3.4, EYE)


@symbol("#ffffff", place="water", size=0.24, width=120)
def swan(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        ("M-56 -34 C-40 -30 -30 -44 0 -42 C30 -40 46 -28 42 -12 C38 0 10 0 -12 0 C-40 0 -56 -14 -56 -34 Z"),
        pen.shade(tint.main, 0.07),
    )
    pen.line("M34 -18 C60 -40 18 -62 36 -84 C40 -90 46 -90 50 -86", tint.main, 10)
    pen.polygon([(48, -92), (66, -80), (48, -80)], "#f07f2a")
    pen.circle(46, -87, 1.8, EYE)
    pen.path("M-40 -30 C-24 -44 10 -42 22 -26 C4 -12 -26 -12 -40 -30 Z", mix(tint.main, "#9db4d0", 0.2))


@symbol("#8a5f3c", place="stand", size=0.2, width=80)
def owl(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-30 -96 C-20 -88 20 -88 30 -96 C38 -70 38 -4 0 -4 C-38 -4 -38 -70 -30 -96 Z", pen.shade(tint.main))
    pen.path("M-18 -48 C-18 -20 18 -20 18 -48 C18 -8 -18 -8 -18 -48 Z", tint.light)
    pen.ellipse(-28, -42, 9, 26, tint.dark, turn=8)
    pen.ellipse(28, -42, 9, 26, tint.dark, turn=-8)
    for x in (-13, 13):
        pen.circle(x, -68, 13, "#fbf1d9")
        pen.circle(x, -68, 6.5, tint.second("#f2a42a"))
        pen.circle(x, -68, 3.4, EYE)
    pen.polygon([(-5, -60), (5, -60), (0, -50)], "#f2a42a")


@symbol("#f7f4ee", place="stand", size=0.17, width=90)
def chicken(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-6 -14 V-2 M8 -14 V-2", "#f2a42a", 4)
    pen.path(
        (
            "M-44 -60 C-34 -50 -14 -46 2 -46 L14 -78 C22 -86 36 -80 36 -68 C34 -30 30 -10 0 -10 C-28 "
            "-10 -46 -30 -44 -60 Z"
        ),
        pen.shade(tint.main, 0.1),
    )
    pen.path("M-24 -38 C-10 -44 4 -38 6 -28 C-6 -18 -20 -24 -24 -38 Z", tint.dark)
    pen.path("M14 -82 C14 -94 22 -92 23 -86 C26 -95 34 -90 32 -80 Z", "#d8433b")
    pen.polygon([(35, -72), (47, -67), (35, -62)], "#f2a42a")
    pen.path("M34 -62 C40 -56 36 -48 32 -52 Z", "#d8433b")
    pen.circle(27, -71, 2.4, EYE)


@symbol("#2d3140", place="stand", size=0.22, width=64)
def penguin(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(-12, -3, 11, 4, "#f2a42a")
    pen.ellipse(12, -3, 11, 4, "#f2a42a")
    pen.ellipse(-27, -44, 6, 22, tint.dark, turn=12)
    pen.ellipse(27, -44, 6, 22, tint.dark, turn=-12)
    pen.path(
        ("M-27 -36 C-27 -70 -22 -98 0 -98 C22 -98 27 -70 27 -36 C27 -10 16 -2 0 -2 C-16 -2 -27 -10 -27 -36 Z"),
        pen.shade(tint.main),
    )
    pen.path(
        ("M-19 -34 C-19 -60 -16 -84 0 -72 C16 -84 19 -60 19 -34 C19 -12 12 -6 0 -6 C-12 -6 -19 -12 -19 -34 Z"),
        tint.second("#ffffff"),
    )
    pen.circle(-8, -78, 2.6, EYE)
    pen.circle(8, -78, 2.6, EYE)
    pen.polygon([(-6, -72), (6, -72), (0, -63)], "#f2a42a")


@symbol("#f58a1f", place="sea", size=0.14, width=150)
def fish(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-34 -50 C-56 -74 -72 -78 -72 -78 C-64 -58 -64 -42 -72 -22 C-72 -22 -56 -26 -34 -50 Z", tint.dark)
    pen.path("M-10 -76 C4 -98 28 -92 32 -80 Z", tint.dark)
    pen.path("M-40 -50 C-14 -92 44 -90 68 -50 C44 -10 -14 -8 -40 -50 Z", pen.shade(tint.main))
    band = tint.second("#ffffff")
    pen.path("M24 -80 C16 -60 16 -40 24 -20 L34 -24 C26 -42 26 -58 34 -76 Z", band)
    pen.path("M-10 -76 C-16 -58 -16 -42 -10 -24 L0 -21 C-6 -42 -6 -58 0 -79 Z", band)
    pen.circle(50, -58, 6, "#ffffff")
    pen.circle(51, -58, 3.2, EYE)
    pen.line("M62 -42 Q56 -38 50 -40", tint.deep, 2)


@symbol("#4a78a8", place="sea", size=0.3, width=200)
def whale(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M36 -84 C30 -104 18 -104 12 -98 M36 -84 C42 -104 54 -104 60 -98", "#bfe3f5", 5)
    pen.path(
        (
            "M-66 -46 C-84 -60 -98 -88 -96 -92 C-86 -86 -76 -84 -66 -76 C-60 -88 -48 -94 -40 -96 C-44 "
            "-82 -52 -66 -54 -46 Z"
        ),
        tint.dark,
    )
    pen.path(
        ("M-66 -52 C-40 -56 -20 -84 30 -84 C76 -84 96 -60 94 -34 C90 -6 50 0 14 0 C-30 0 -58 -18 -66 -52 Z"),
        pen.shade(tint.main),
    )
    pen.path("M92 -30 C60 -24 10 -26 -36 -16 C-20 -2 0 0 14 0 C50 0 86 -6 92 -30 Z", tint.second("#e8f0f5"))
    pen.path("M10 -24 C0 -10 -14 -2 -26 0 C-20 -12 -16 -22 -8 -28 Z", tint.dark)
    pen.circle(66, -46, 4, EYE)


@symbol("#6f8fae", place="sea", size=0.2, width=170)
def dolphin(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-60 -14 C-76 -8 -84 4 -84 4 C-72 4 -62 2 -56 -2 C-56 8 -50 18 -50 18 C-44 6 -44 -4 -46 -12 Z", tint.dark)
    pen.path(
        ("M-56 -8 C-50 -50 -10 -88 34 -80 C52 -76 62 -66 80 -60 C84 -54 74 -50 62 -50 C36 -30 -20 -34 -56 -8 Z"),
        pen.shade(tint.main),
    )
    pen.path("M74 -54 C50 -42 20 -44 -6 -34 C20 -36 46 -36 62 -50 Z", tint.second("#eef4f8"))
    pen.path("M-4 -78 C-10 -92 -24 -100 -32 -100 C-26 -88 -24 -78 -22 -68 Z", tint.dark)
    pen.circle(52, -66, 3, EYE)


@symbol("#7d8c9c", place="sea", size=0.22, width=200)
def shark(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-66, -46), (-98, -92), (-84, -46), (-96, -14)], tint.dark)
    pen.polygon([(-4, -70), (6, -100), (30, -66)], tint.dark)
    pen.path("M-78 -46 C-40 -76 50 -82 98 -46 C60 -14 -30 -16 -78 -46 Z", pen.shade(tint.main))
    pen.path("M94 -42 C50 -32 -20 -32 -66 -40 C-24 -16 60 -16 94 -42 Z", "#f1f5f8")
    pen.polygon([(10, -30), (-14, -2), (30, -26)], tint.dark)
    pen.circle(66, -54, 3.4, EYE)
    pen.line("M84 -38 L62 -32", EYE, 2)
    pen.line("M34 -58 V-40 M42 -58 V-40", tint.deep, 2)


@symbol("#d2567c", place="sea", size=0.24, width=110)
def octopus(pen: Pen, tint: Tint, chance: Random) -> None:
    for x, bend in ((-36, -18), (-24, -8), (-9, -5), (9, 5), (24, 8), (36, 18)):
        pen.line(f"M{x * 0.7:.0f} -44 C{x + bend} -30 {x - bend} -18 {x + bend} -4", tint.dark, 8)
    pen.path("M-34 -46 C-44 -112 44 -112 34 -46 C20 -34 -20 -34 -34 -46 Z", pen.shade(tint.main))
    for x in (-12, 12):
        pen.circle(x, -64, 8, "#ffffff")
        pen.circle(x, -63, 4, EYE)
    pen.line("M-8 -48 Q0 -43 8 -48", tint.deep, 2.4)


@symbol("#6aa84f", place="stand", size=0.16, width=140)
def turtle(pen: Pen, tint: Tint, chance: Random) -> None:
    legs(pen, (-34, 30), -20, tint.dark, 18)
    pen.path("M44 -30 C54 -62 82 -58 80 -38 C78 -24 58 -20 44 -20 Z", tint.light)
    pen.path("M-60 -20 C-58 -100 56 -100 58 -20 Z", pen.shade(tint.second("#7a5a34")))
    pen.line("M-50 -46 H48 M-20 -76 L-26 -20 M16 -78 L24 -20", tint.deep, 3)
    pen.rect(-64, -24, 126, 8, tint.dark, round=4)
    pen.circle(70, -42, 3, EYE)


@symbol("#5aa83c", place="stand", size=0.14, width=120)
def frog(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(-38, -16, 20, 14, tint.dark)
    pen.ellipse(38, -16, 20, 14, tint.dark)
    pen.ellipse(0, -36, 42, 34, pen.shade(tint.main))
    pen.ellipse(0, -24, 24, 20, tint.pale)
    for x in (-20, 20):
        pen.circle(x, -72, 14, tint.main)
        pen.circle(x, -74, 8, "#ffffff")
        pen.circle(x, -74, 4.4, EYE)
    pen.line("M-24 -48 Q0 -34 24 -48", tint.deep, 3)


@symbol("#5a9a4a", place="stand", size=0.14, width=180)
def snake(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-84 -8 C-60 -8 -60 -50 -36 -50 C-12 -50 -14 -12 8 -12 C34 -12 26 -62 56 -62", tint.dark, 17)
    pen.line("M-84 -8 C-60 -8 -60 -50 -36 -50 C-12 -50 -14 -12 8 -12 C34 -12 26 -62 56 -62", tint.main, 12)
    pen.ellipse(64, -64, 19, 13, pen.shade(tint.main))
    pen.circle(68, -69, 3, EYE)
    pen.line("M82 -62 H94 L99 -66 M94 -62 L99 -58", "#d8433b", 2)


@symbol("#e5873c", place="air", size=0.12, width=100)
def butterfly(pen: Pen, tint: Tint, chance: Random) -> None:
    for side in (-1, 1):
        pen.path(
            (f"M0 -54 C{14 * side} -98 {52 * side} -100 {48 * side} -70 C{46 * side} -54 {20 * side} -50 0 -50 Z"),
            pen.shade(tint.main),
        )
        pen.path(
            (f"M0 -50 C{24 * side} -50 {42 * side} -36 {34 * side} -16 C{26 * side} -4 {8 * side} -22 0 -46 Z"),
            pen.shade(tint.second(tint.dark)),
        )
        pen.circle(32 * side, -74, 6, tint.pale)
        pen.circle(22 * side, -26, 4.4, tint.pale)
        pen.line(f"M0 -70 Q{6 * side} -84 {12 * side} -90", EYE, 1.6)
    pen.ellipse(0, -50, 4, 24, "#33251d")


@symbol("#f4c430", place="air", size=0.1, width=110)
def bee(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(-8, -78, 15, 24, "#e4f2fb", turn=-24)
    pen.ellipse(14, -78, 14, 22, "#d2e7f5", turn=20)
    pen.ellipse(0, -42, 42, 28, pen.shade(tint.main))
    pen.line("M-16 -66 V-18 M2 -69 V-15 M20 -65 V-19", "#2b2622", 8)
    pen.circle(36, -46, 13, "#2b2622")
    pen.circle(40, -49, 3.4, "#ffffff")
    pen.polygon([(-42, -46), (-54, -42), (-42, -37)], "#2b2622")


@symbol("#d8332e", place="stand", size=0.1, width=110)
def ladybug(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(40, -34, 19, "#26262b")
    pen.path("M-50 -8 C-52 -92 44 -92 44 -8 Z", pen.shade(tint.main))
    pen.line("M-3 -70 V-8", "#26262b", 3)
    for x, y in ((-28, -34), (-16, -54), (14, -54), (26, -32), (-10, -22), (10, -20)):
        pen.circle(x, y, 7, "#26262b")
    pen.circle(47, -40, 3.4, "#ffffff")


@symbol("#3c3742", place="stand", size=0.12, width=120)
def spider(pen: Pen, tint: Tint, chance: Random) -> None:
    for side in (-1, 1):
        for reach, top, foot in ((44, -76, -40), (56, -62, -20), (54, -44, -2), (38, -36, 0)):
            pen.line(f"M0 -42 L{reach * 0.6 * side:.0f} {top} L{reach * side} {foot}", tint.dark, 4)
    pen.circle(0, -44, 25, pen.ball(tint.main))
    pen.circle(-7, -48, 4, "#ffffff")
    pen.circle(7, -48, 4, "#ffffff")


@symbol("#6fae4a", place="stand", size=0.42, width=150)
def dinosaur(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-20 -34 C-46 -30 -66 -12 -76 -4 C-58 -2 -30 -8 -14 -14 Z", tint.main)
    pen.line("M-8 -28 L-12 -4 H-2 M16 -28 L16 -4 H27", tint.dark, 12)
    pen.path(
        (
            "M-36 -24 C-34 -58 -8 -60 8 -62 C16 -78 18 -98 40 -98 C62 -98 70 -88 70 -80 C70 -72 56 -72 "
            "46 -70 C42 -52 38 -20 14 -16 C-12 -12 -34 -14 -36 -24 Z"
        ),
        pen.shade(tint.main),
    )
    pen.path("M36 -60 C32 -40 26 -26 10 -20 C22 -18 36 -30 42 -64 Z", tint.second(tint.pale))
    pen.line("M30 -52 L44 -46 L42 -40", tint.dark, 5)
    for x, y in ((-50, -22), (-34, -42), (-16, -58), (4, -66), (16, -84)):
        pen.polygon([(x - 6, y + 6), (x - 4, y - 8), (x + 6, y + 1)], tint.deep)
    pen.circle(48, -88, 3.4, "#ffffff")
    pen.circle(49, -88, 1.9, EYE)
    pen.line("M68 -78 H50", tint.deep, 1.6)


@symbol("#4d9a58", place="stand", size=0.44, width=150)
def dragon(pen: Pen, tint: Tint, chance: Random) -> None:
    wing = tint.second(mix(tint.main, "#d8433b", 0.6))
    pen.path(
        (
            "M-8 -56 C-30 -100 -62 -100 -74 -86 C-60 -84 -62 -72 -60 -66 C-50 -70 -46 -60 -46 -54 C-34 "
            "-58 -26 -50 -22 -42 Z"
        ),
        pen.shade(wing),
    )
    pen.path("M-24 -26 C-50 -22 -70 -26 -74 -42 L-66 -38 C-58 -30 -40 -34 -22 -42 Z", tint.main)
    pen.polygon([(-74, -42), (-84, -52), (-66, -54), (-62, -40)], tint.deep)
    pen.line("M-12 -24 L-14 -4 H-4 M16 -24 L18 -4 H29", tint.dark, 10)
    pen.path(
        (
            "M-32 -30 C-30 -56 -6 -58 10 -58 C20 -66 14 -90 36 -92 C54 -94 70 -84 72 -76 C72 -68 54 "
            "-68 46 -66 C44 -48 38 -20 14 -16 C-10 -12 -32 -16 -32 -30 Z"
        ),
        pen.shade(tint.main),
    )
    pen.path("M38 -58 C34 -38 28 -24 10 -18 C24 -16 38 -30 44 -62 Z", "#f2e2a8")
    pen.line("M28 -92 L20 -104 M36 -92 L32 -106", "#f2e2a8", 4)
    pen.circle(48, -83, 3.2, "#ffd84a")
    pen.circle(49, -83, 1.6, EYE)
    pen.path("M72 -76 C84 -84 92 -78 104 -84 C98 -74 104 -70 98 -64 C88 -70 82 -66 72 -72 Z", "#ff8a2b")
