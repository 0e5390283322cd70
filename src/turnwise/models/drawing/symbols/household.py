"""What stands in rooms, what one holds in one's hand, what one plays with."""

from math import cos, pi, sin
from random import Random

from turnwise.models.drawing.colours import Tint, mix
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.sky import star_points
from turnwise.models.drawing.symbols.symbol import symbol


@symbol("#a86f42", place="stand", size=0.26, width=150)
def table(pen: Pen, tint: Tint, chance: Random) -> None:
    for x in (-62, 54):
        pen.rect(x, -84, 9, 84, tint.dark)
    pen.rect(-75, -96, 150, 14, pen.shade(tint.main), round=3)


@symbol("#b5773f", place="stand", size=0.28, width=60)
def chair(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-20 -96 V-2 M20 -50 V-2 M-12 -46 V-2", tint.dark, 6)
    pen.rect(-23, -98, 9, 50, pen.shade(tint.main), round=3)
    pen.rect(-24, -54, 50, 9, pen.shade(tint.main), round=3)


@symbol("#5f8fb0", place="stand", size=0.26, width=180)
def sofa(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-66 -8 V0 M66 -8 V0", "#5a3f2b", 8)
    pen.rect(-72, -92, 144, 66, pen.shade(tint.main), round=14)
    pen.rect(-66, -50, 64, 30, tint.light, round=8)
    pen.rect(2, -50, 64, 30, tint.light, round=8)
    pen.rect(-86, -66, 24, 58, pen.shade(tint.dark), round=10)
    pen.rect(62, -66, 24, 58, pen.shade(tint.dark), round=10)
    pen.rect(-66, -22, 132, 14, tint.dark)


@symbol("#6f8fc4", place="stand", size=0.26, width=200)
def bed(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-98, -98, 12, 98, pen.shade("#8a5c38"), round=4)
    pen.rect(88, -62, 10, 62, pen.shade("#8a5c38"), round=4)
    pen.rect(-88, -44, 178, 26, "#f4efe6", round=6)
    pen.rect(-82, -62, 46, 24, "#ffffff", round=10)
    pen.path("M-36 -56 C0 -64 60 -60 90 -54 V-18 H-36 Z", pen.shade(tint.main))


@symbol("#f2c14e", place="stand", size=0.32, width=60)
def lamp(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -66, 60, 60, "#fff0b8", 0.7)
    pen.ellipse(0, -3, 20, 4, "#5a5f68")
    pen.rect(-2, -64, 4, 60, "#5a5f68")
    pen.polygon([(-14, -98), (14, -98), (27, -60), (-27, -60)], pen.shade(tint.main, 0.1))


@symbol("#fdf3dc", place="stand", size=0.24, width=40)
def candle(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -84, 40, 40, "#ffcf6b", 0.8)
    pen.rect(-12, -64, 24, 64, pen.shade(tint.main, 0.1), round=2)
    pen.line("M0 -64 V-72", "#3a3532", 2)
    pen.path("M0 -98 C10 -86 8 -72 0 -70 C-8 -72 -10 -86 0 -98 Z", pen.blend("#ffe07a", "#ff8a2b"))


@symbol("#f7f5ef", place="wall", size=0.24)
def clock(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 48, tint.second("#3b4047"))
    pen.circle(0, -50, 41, pen.shade(tint.main, 0.06))
    for hour in range(12):
        dx, dy = sin(hour * pi / 6), -cos(hour * pi / 6)
        long = 8 if hour % 3 == 0 else 4
        pen.line(
            f"M{36 * dx:.1f} {-50 + 36 * dy:.1f} L{(36 - long) * dx:.1f} {-50 + (36 - long) * dy:.1f}", "#3b4047", 2.6
        )
    shown = chance.uniform(0, 2 * pi)
    pen.line(f"M0 -50 L{19 * sin(shown):.1f} {-50 - 19 * cos(shown):.1f}", "#23262c", 5)
    pen.line(f"M0 -50 L{30 * sin(shown * 12):.1f} {-50 - 30 * cos(shown * 12):.1f}", "#23262c", 3.4)
    pen.circle(0, -50, 4, "#d8433b")


@symbol("#b5493c", size=0.2, width=120)
def book(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-56 -82 H56 V-4 H-56 Z", tint.dark)
    pen.path("M0 -76 C-20 -92 -44 -90 -52 -86 V-10 C-44 -14 -20 -14 0 -2 Z", pen.blend("#fffdf5", "#e9e1cd"))
    pen.path("M0 -76 C20 -92 44 -90 52 -86 V-10 C44 -14 20 -14 0 -2 Z", pen.blend("#f6f0e0", "#ded4ba"))
    for y in (-70, -58, -46, -34):
        pen.line(f"M-42 {y} Q-24 {y - 2} -8 {y + 6} M42 {y} Q24 {y - 2} 8 {y + 6}", "#a89b82", 2)


@symbol("#5a636f", size=0.26, width=150)
def laptop(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-54, -98, 108, 78, tint.main, round=6)
    pen.rect(-48, -92, 96, 66, pen.blend(tint.second("#3f8fd8"), mix(tint.second("#3f8fd8"), "#10131f", 0.5)))
    pen.line("M-36 -78 H4 M-36 -66 H22 M-36 -54 H-6 M-36 -42 H14", "#e6f5ff", 4, opacity=0.8)
    pen.polygon([(-58, -20), (58, -20), (74, -4), (-74, -4)], pen.shade(tint.light))
    pen.rect(-74, -4, 148, 5, tint.dark, round=2)


@symbol("#2b2f37", size=0.28, width=54)
def phone(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-26, -100, 52, 100, pen.shade(tint.main), round=9)
    pen.rect(-22, -92, 44, 82, pen.blend(tint.second("#7a6ff0"), "#35c9c3"), round=3)
    for index in range(6):
        pen.rect(-16 + index % 3 * 12, -40 + index // 3 * 13, 8, 8, "#ffffff", round=2)
    pen.circle(0, -5, 2.4, "#8d949c")


@symbol("#31353d", place="stand", size=0.28, width=150)
def screen(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-8, -18, 16, 16, tint.dark)
    pen.rect(-30, -5, 60, 5, tint.dark, round=2)
    pen.rect(-74, -98, 148, 82, pen.shade(tint.main), round=5)
    pen.rect(-68, -92, 136, 70, pen.blend(tint.second("#3b9cf0"), "#1c3358"))


@symbol("#2f333b", size=0.2, width=130)
def camera(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-24, -90, 48, 22, tint.dark, round=4)
    pen.rect(-62, -78, 124, 76, pen.shade(tint.main), round=10)
    pen.circle(0, -40, 31, "#d5dae0")
    pen.circle(0, -40, 24, pen.ball(tint.second("#2b5c9a")))
    pen.circle(-8, -48, 6, "#ffffff")
    pen.rect(36, -70, 16, 9, "#ffe9a3", round=2)


@symbol("#d8433b", place="stand", size=0.2, width=96)
def gift(pen: Pen, tint: Tint, chance: Random) -> None:
    ribbon = tint.second("#f7d23e")
    pen.rect(-40, -58, 80, 58, pen.shade(tint.main))
    pen.rect(-46, -72, 92, 18, tint.dark, round=2)
    pen.rect(-8, -72, 16, 72, ribbon)
    pen.path("M0 -72 C-34 -76 -34 -104 -14 -98 C-6 -94 -2 -82 0 -72 Z", ribbon)
    pen.path("M0 -72 C34 -76 34 -104 14 -98 C6 -94 2 -82 0 -72 Z", ribbon)


@symbol("#e23b34", place="air", size=0.3, width=66)
def balloon(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 -36 C8 -24 -8 -12 2 0", "#8d949c", 1.6)
    pen.ellipse(0, -68, 27, 32, pen.ball(tint.main))
    pen.polygon([(-5, -33), (5, -33), (0, -39)], tint.dark)
    pen.ellipse(-10, -80, 5, 9, mix(tint.main, "#ffffff", 0.6), turn=24)


@symbol("#e23b34", place="stand", size=0.15)
def ball(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 49, pen.ball(tint.main))
    if tint.other:
        pen.path(
            "M-48 -58 C-20 -44 20 -44 48 -58 C50 -48 50 -46 48 -40 C20 -26 -20 -26 -48 -40 C-50 -46 -50 -48 -48 -58 Z",
            tint.other,
        )


@symbol("#ffffff", place="stand", size=0.15)
def football(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 49, pen.ball(tint.main))
    dark = tint.second("#26282e")
    pen.polygon([(0, -68), (17, -55), (10, -35), (-10, -35), (-17, -55)], dark)
    for angle in range(5):
        turn = -pi / 2 + angle * 2 * pi / 5
        dx, dy = cos(turn), sin(turn)
        pen.line(f"M{18 * dx:.1f} {-50 + 18 * dy:.1f} L{34 * dx:.1f} {-50 + 34 * dy:.1f}", dark, 3)
        pen.circle(42 * dx, -50 + 42 * dy, 7, dark)


@symbol("#e07b34", place="stand", size=0.15)
def basketball(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 49, pen.ball(tint.main))
    pen.line("M-49 -50 H49 M0 -99 V-1 M-34 -85 C-10 -66 -10 -34 -34 -15 M34 -85 C10 -66 10 -34 34 -15", "#2b221d", 3)


@symbol("#e0434b", place="stand", size=0.3, width=110)
def umbrella(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 -92 V-14 C0 4 -18 4 -18 -10", "#6b4a33", 4.4)
    pen.path(
        (
            "M-54 -46 C-54 -108 54 -108 54 -46 Q45 -56 36 -46 Q27 -56 18 -46 Q9 -56 0 -46 Q-9 -56 -18 "
            "-46 Q-27 -56 -36 -46 Q-45 -56 -54 -46 Z"
        ),
        pen.shade(tint.main),
    )
    pen.path(
        "M0 -94 C-16 -84 -18 -60 -18 -46 Q-9 -56 0 -46 Q9 -56 18 -46 C18 -60 16 -84 0 -94 Z", tint.second(tint.light)
    )
    pen.line("M0 -94 V-100", "#6b4a33", 4)


@symbol("#b5713a", size=0.34, width=50)
def guitar(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-3, -92, 6, 52, "#4a2f20")
    pen.rect(-6, -100, 12, 14, "#2b1d16", round=2)
    pen.path(
        ("M0 -54 C20 -54 18 -38 14 -34 C26 -28 28 0 0 0 C-28 0 -26 -28 -14 -34 C-18 -38 -20 -54 0 -54 Z"),
        pen.shade(tint.main),
    )
    pen.circle(0, -30, 7, "#2b1d16")
    pen.rect(-9, -14, 18, 4, "#2b1d16")
    pen.line("M-1.6 -90 V-12 M1.6 -90 V-12", "#efe6d4", 0.7)


@symbol("#23262c", place="stand", size=0.26, width=150)
def piano(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-70, -98, 140, 98, pen.shade(tint.main), round=4)
    pen.rect(-76, -52, 152, 8, tint.light)
    pen.rect(-70, -44, 140, 18, "#f7f5ef")
    for key in range(14):
        pen.line(f"M{-70 + key * 10} -44 V-26", "#8d949c", 0.8)
        if key % 7 not in (2, 6):
            pen.rect(-63 + key * 10, -44, 5, 11, "#1b1d22")


@symbol("#23262c", place="air", size=0.16, width=80)
def note(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-16 -16 V-88 L32 -98 V-26", tint.main, 6)
    pen.line("M-16 -76 L32 -86", tint.main, 8)
    pen.ellipse(-27, -14, 14, 10, tint.main, turn=-18)
    pen.ellipse(21, -24, 14, 10, tint.main, turn=-18)


@symbol("#5aa0d8", place="stand", size=0.24, width=70)
def bag(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-14 -74 C-14 -102 14 -102 14 -74", tint.dark, 5)
    pen.rect(-30, -78, 60, 78, pen.shade(tint.main), round=12)
    pen.rect(-22, -40, 44, 32, tint.dark, round=6)
    pen.line("M-22 -28 H22", tint.light, 2)


@symbol("#3f7fc4", size=0.24)
def shirt(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        "M-16 -96 C-8 -86 8 -86 16 -96 L48 -78 L36 -54 L26 -60 V0 H-26 V-60 L-36 -54 L-48 -78 Z",
        pen.shade(tint.main, 0.12),
    )


@symbol("#7a4a2c", size=0.14, width=140)
def hat(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-38 -20 C-40 -96 -14 -98 0 -88 C14 -98 40 -96 38 -20 Z", pen.shade(tint.main))
    pen.rect(-39, -38, 78, 18, tint.second(tint.deep))
    pen.ellipse(0, -14, 68, 13, tint.dark)


@symbol("#d8433b", size=0.14, width=150)
def shoe(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-66 -14 V-84 H-28 C-20 -56 24 -52 52 -42 C68 -36 70 -26 70 -14 Z", pen.shade(tint.main))
    pen.rect(-68, -16, 140, 15, "#f4f1ea", round=6)
    pen.line("M-20 -64 L-6 -74 M-6 -58 L8 -68 M10 -54 L22 -64", "#ffffff", 4)


@symbol("#f3c83c", size=0.2, width=120)
def crown(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-50, -10), (-56, -76), (-26, -46), (0, -92), (26, -46), (56, -76), (50, -10)], pen.shade(tint.main))
    pen.rect(-50, -14, 100, 14, tint.dark, round=3)
    for x, y in ((-56, -78), (0, -94), (56, -78)):
        pen.circle(x, y, 6, tint.second("#e0343f"))
    for x in (-28, 0, 28):
        pen.circle(x, -24, 5, tint.second("#e0343f"))


@symbol("#c9ced6", size=0.2, width=60)
def key(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -78, 18, "none", edge=tint.main, width=9)
    pen.line("M0 -58 V-4 M2 -8 H16 M2 -24 H13", tint.main, 8)


@symbol("#f3c83c", size=0.26, width=80)
def trophy(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        "M-26 -86 H-40 C-40 -62 -30 -54 -18 -52 M26 -86 H40 C40 -62 30 -54 18 -52", "none", edge=tint.dark, width=6
    )
    pen.path("M-28 -98 H28 C28 -60 18 -44 0 -42 C-18 -44 -28 -60 -28 -98 Z", pen.shade(tint.main))
    pen.rect(-4, -44, 8, 24, tint.dark)
    pen.rect(-22, -20, 44, 20, "#6b4a33", round=2)
    pen.polygon(star_points(0, -74, 13, 5.5, 5), tint.pale)


@symbol("#ffd84a", size=0.26, width=64)
def bulb(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -64, 62, 62, tint.light, 0.6)
    pen.path("M-14 -32 C-16 -46 -32 -52 -32 -68 A32 32 0 0 1 32 -68 C32 -52 16 -46 14 -32 Z", pen.ball(tint.main))
    pen.rect(-13, -31, 26, 20, "#8d949c", round=3)
    pen.line("M-12 -25 H12 M-12 -18 H12", "#5a5f68", 2)
    pen.path("M-8 -11 H8 L4 -3 H-4 Z", "#5a5f68")


@symbol("#8d949c", size=0.24)
def gear(pen: Pen, tint: Tint, chance: Random) -> None:
    for tooth in range(8):
        with pen.moved(0, -50, turn=tooth * 45):
            pen.rect(-9, -49, 18, 20, tint.main, round=3)
    pen.circle(0, -50, 36, pen.shade(tint.main))
    pen.circle(0, -50, 14, tint.second(tint.deep))


@symbol("#fdfbf4", size=0.18, width=130)
def letter(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-60, -88, 120, 84, pen.shade(tint.main, 0.06), round=4, edge=tint.dark, width=1.6)
    pen.path("M-60 -86 L0 -38 L60 -86", "none", edge=mix(tint.main, "#10131f", 0.4), width=3)
    pen.circle(0, -40, 9, tint.second("#d8433b"))


@symbol("#f7c948", size=0.3, width=44)
def pencil(pen: Pen, tint: Tint, chance: Random) -> None:
    with pen.moved(0, -50, turn=24):
        pen.rect(-8, -38, 16, 66, pen.shade(tint.main))
        pen.rect(-8, -50, 16, 12, "#f19aa6", round=3)
        pen.polygon([(-8, 28), (8, 28), (0, 50)], "#f3dcb4")
        pen.polygon([(-3, 42), (3, 42), (0, 50)], "#33363c")


@symbol("#e0434b", place="air", size=0.26, width=80)
def kite(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M0 -30 C16 -18 -16 -10 4 4", "#8d949c", 2)
    pen.polygon([(0, -100), (34, -68), (0, -28), (-34, -68)], pen.shade(tint.main))
    pen.polygon([(0, -100), (34, -68), (0, -68)], tint.second("#fbd34d"))
    pen.polygon([(0, -68), (0, -28), (-34, -68)], tint.second("#fbd34d"))


@symbol("#8fb4d8", size=0.3, width=80)
def vase(pen: Pen, tint: Tint, chance: Random) -> None:
    for x, y, colour in ((-18, -84, "#e8557f"), (0, -94, "#f7c948"), (18, -84, "#a06fd0")):
        pen.line(f"M0 -50 L{x} {y}", "#4a8f4a", 2.6)
        for petal in range(5):
            angle = petal * 2 * pi / 5
            pen.circle(x + 6 * cos(angle), y + 6 * sin(angle), 5, colour)
        pen.circle(x, y, 4, "#fdf3c8")
    pen.path(
        ("M-10 -58 H10 C8 -46 24 -38 24 -22 C24 -6 14 0 0 0 C-14 0 -24 -6 -24 -22 C-24 -38 -8 -46 -10 -58 Z"),
        pen.shade(tint.main),
    )


@symbol("#b97a4a", place="wall", size=0.26, width=130)
def picture(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-62, -96, 124, 92, pen.shade(tint.main), round=3)
    pen.rect(-52, -86, 104, 72, pen.blend("#8fc9f2", "#e6f4fb"))
    pen.polygon([(-52, -14), (-20, -60), (6, -30), (22, -48), (52, -14)], "#5f9a6a")
    pen.circle(30, -70, 9, "#fbd34d")


@symbol("#9c6b3f", place="stand", size=0.4, width=90)
def shelf(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-44, -100, 88, 100, pen.shade(tint.dark), round=2)
    for y in (-94, -63, -32):
        pen.rect(-39, y, 78, 26, tint.deep)
        x = -38.0
        while x < 32:
            wide, high = chance.uniform(5, 9), chance.uniform(17, 25)
            colour = chance.choice(("#c4473c", "#3f7fc4", "#e0a83a", "#4a9a6a", "#7a5bb0", "#e8ddc8"))
            pen.rect(x, y + 26 - high, wide, high, colour)
            x += wide + 0.8


@symbol("#8a5a34", size=0.2, width=120)
def chest(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(-20, -52, 9, "#f3c83c")
    pen.circle(2, -56, 10, "#f3c83c")
    pen.circle(24, -52, 9, "#f3c83c")
    pen.path("M-54 -60 C-54 -104 54 -104 54 -60 L46 -62 H-46 Z", pen.shade(tint.dark))
    pen.rect(-54, -48, 108, 48, pen.shade(tint.main), round=3)
    pen.rect(-54, -48, 108, 9, "#c99a3a")
    pen.rect(-9, -42, 18, 18, "#f3c83c", round=3)


@symbol("#c9ced6", size=0.34, width=50)
def sword(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(-5, -26), (-5, -90), (0, -100), (5, -90), (5, -26)], pen.shade(tint.main))
    pen.line("M0 -88 V-28", tint.dark, 1.4)
    pen.rect(-20, -27, 40, 6, "#c99a3a", round=2)
    pen.rect(-3, -21, 6, 15, "#5a3822")
    pen.circle(0, -4, 5, "#c99a3a")
