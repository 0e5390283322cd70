"""People, and what looks like them."""

from random import Random

from turnwise.models.drawing.colours import Tint, mix
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.symbol import symbol

SKINS = ("#f3cfb0", "#e3ae84", "#c98a5c", "#9a6440", "#6f452c")
HAIRS = ("#2b1d16", "#4a2f20", "#7a4d2b", "#b98545", "#1f1f24", "#a3542b")


def body(pen: Pen, tint: Tint, chance: Random, *, dress: bool = False, long_hair: bool = False) -> None:
    """Someone who stands, 100 high."""
    skin, hair = chance.choice(SKINS), chance.choice(HAIRS)
    legs = tint.second(chance.choice(("#34435e", "#3b3f46", "#5a4a3c", "#2f5560")))
    if dress:
        pen.line("M-5 -24 V-4 M5 -24 V-4", skin, 5)
    else:
        pen.line("M-5 -42 L-6 -4 M5 -42 L6 -4", legs, 8.5)
    pen.line("M-8 -2 H-4 M4 -2 H9", "#2b2e34", 4.5)
    pen.line("M-11 -66 L-17 -42", skin, 5)
    pen.line("M11 -66 L17 -42", skin, 5)
    pen.line("M-11 -67 L-15 -54 M11 -67 L15 -54", tint.dark, 7)
    if long_hair:
        pen.path("M-12 -84 C-16 -70 -13 -62 -10 -60 H10 C13 -62 16 -70 12 -84 Z", hair)
    if dress:
        pen.path("M-11 -72 C-4 -74 4 -74 11 -72 L9 -52 L18 -20 H-18 L-9 -52 Z", pen.shade(tint.main))
    else:
        pen.path("M-12 -72 C-4 -75 4 -75 12 -72 L11 -38 H-11 Z", pen.shade(tint.main))
    pen.rect(-3, -78, 6, 7, mix(skin, "#10131f", 0.12))
    pen.circle(0, -87, 10.5, skin)
    pen.path("M-11 -87 C-12 -102 12 -102 11 -87 C8 -93 4 -95 -1 -94 C-6 -94 -9 -92 -11 -87 Z", hair)
    pen.circle(-3.6, -86, 1.2, "#2b2320")
    pen.circle(3.6, -86, 1.2, "#2b2320")
    pen.line("M-3 -81.5 Q0 -79.5 3 -81.5", "#a4513f", 1.1)


@symbol("#4577b8", place="stand", size=0.32, width=44)
def man(pen: Pen, tint: Tint, chance: Random) -> None:
    body(pen, tint, chance)


@symbol("#c2475f", place="stand", size=0.32, width=44)
def woman(pen: Pen, tint: Tint, chance: Random) -> None:
    body(pen, tint, chance, dress=True, long_hair=True)


@symbol("#4a9a8c", place="stand", size=0.32, width=44)
def person(pen: Pen, tint: Tint, chance: Random) -> None:
    feminine = chance.random() < 0.5
    body(pen, tint, chance, dress=feminine and chance.random() < 0.5, long_hair=feminine)


@symbol("#f0a63a", place="stand", size=0.22, width=50)
def child(pen: Pen, tint: Tint, chance: Random) -> None:
    skin, hair = chance.choice(SKINS), chance.choice(HAIRS)
    pen.line("M-6 -30 V-5 M6 -30 V-5", tint.second("#3f5a86"), 9)
    pen.line("M-8 -3 H-3 M4 -3 H9", "#d8433b", 6)
    pen.line("M-12 -54 L-22 -66 M12 -54 L22 -40", skin, 6)
    pen.path("M-14 -60 Q0 -64 14 -60 L13 -26 H-13 Z", pen.shade(tint.main))
    pen.circle(0, -79, 18, skin)
    pen.path("M-19 -79 C-20 -106 20 -106 19 -79 C12 -90 -6 -92 -19 -79 Z", hair)
    pen.circle(-6, -76, 2, "#2b2320")
    pen.circle(6, -76, 2, "#2b2320")
    pen.line("M-5 -69 Q0 -65 5 -69", "#a4513f", 1.6)


@symbol("#f2f4f7", place="space", size=0.36, width=70)
def astronaut(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-24, -70, 48, 40, tint.dark, round=8)
    pen.line("M-9 -34 L-10 -8 M9 -34 L10 -8", tint.main, 15)
    pen.line("M-14 -5 H-6 M7 -5 H15", "#8d97a5", 9)
    pen.line("M-18 -60 L-30 -44 M18 -60 L31 -72", tint.main, 12)
    pen.rect(-20, -68, 40, 40, pen.shade(tint.main, 0.1), round=12)
    pen.rect(-10, -54, 20, 12, "#c9d2de", round=3)
    pen.circle(-5, -48, 2, "#e23b34")
    pen.circle(2, -48, 2, "#3fa34d")
    pen.circle(0, -80, 20, pen.shade(tint.main, 0.08))
    pen.ellipse(1, -80, 15, 13, pen.blend("#6f8fd8", tint.second("#1d2a55")))
    pen.line("M-8 -86 Q-2 -91 5 -89", "#ffffff", 2.4, opacity=0.8)


@symbol("#9aa7b8", place="stand", size=0.34, width=72)
def robot(pen: Pen, tint: Tint, chance: Random) -> None:
    glow = tint.second("#35d6ff")
    pen.line("M0 -92 V-100", tint.dark, 2.4)
    pen.circle(0, -101, 3.4, glow)
    pen.line("M-10 -26 V-6 M10 -26 V-6", tint.dark, 8)
    pen.rect(-19, -8, 16, 8, tint.deep, round=3)
    pen.rect(3, -8, 16, 8, tint.deep, round=3)
    pen.line("M-22 -54 L-32 -34 M22 -54 L32 -34", tint.dark, 7)
    pen.circle(-32, -31, 5, tint.main)
    pen.circle(32, -31, 5, tint.main)
    pen.rect(-23, -62, 46, 38, pen.shade(tint.main, 0.22), round=6)
    pen.rect(-13, -54, 26, 16, tint.deep, round=3)
    pen.line("M-9 -46 L-4 -46 L-1 -51 L3 -42 L5 -46 H9", glow, 1.8)
    pen.rect(-19, -92, 38, 27, pen.shade(tint.light, 0.16), round=8)
    pen.rect(-14, -86, 28, 14, tint.deep, round=6)
    pen.circle(-6, -79, 4, glow)
    pen.circle(6, -79, 4, glow)


@symbol("#ffffff", place="stand", size=0.34, width=84)
def snowman(pen: Pen, tint: Tint, chance: Random) -> None:
    white = pen.blend(tint.main, mix(tint.main, "#9db4d0", 0.35))
    pen.line("M-18 -52 L-38 -68 M18 -52 L38 -68", "#6b4a33", 2.6)
    pen.circle(0, -24, 25, white)
    pen.circle(0, -56, 18, white)
    pen.circle(0, -80, 14, white)
    for y in (-62, -54, -46):
        pen.circle(0, y, 1.8, "#33363c")
    pen.circle(-4.6, -83, 1.7, "#33363c")
    pen.circle(4.6, -83, 1.7, "#33363c")
    pen.polygon([(0, -80), (0, -76), (14, -77)], "#f07f2a")
    pen.path("M-15 -70 Q0 -64 15 -70 L14 -65 Q0 -59 -14 -65 Z", tint.second("#d8433b"))
    pen.rect(-16, -94, 32, 3.4, "#2b2e34", round=1)
    pen.rect(-10, -108, 20, 15, "#2b2e34")


@symbol("#f4f6fb", place="stand", size=0.28, width=76)
def ghost(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        "M-34 -4 V-58 C-34 -112 34 -112 34 -58 V-4 L22 -14 L11 -2 L0 -14 L-11 -2 L-22 -14 Z", pen.shade(tint.main, 0.1)
    )
    pen.ellipse(-11, -62, 5, 8, "#2a2d3a")
    pen.ellipse(11, -62, 5, 8, "#2a2d3a")
    pen.ellipse(0, -42, 5, 6, "#2a2d3a")


@symbol("#5b4bb0", place="stand", size=0.36, width=60)
def wizard(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-12 -66 L-26 0 H26 L12 -66 Z", pen.shade(tint.main))
    pen.line("M12 -58 L24 -44", tint.dark, 8)
    pen.line("M26 -4 L24 -74", "#7a5230", 3)
    pen.haze(24, -78, 16, 16, "#8df0ff", 0.8)
    pen.circle(24, -78, 5, tint.second("#8df0ff"))
    pen.circle(0, -72, 10, SKINS[0])
    pen.path("M-10 -70 C-8 -44 0 -38 0 -38 C0 -38 8 -44 10 -70 Q0 -60 -10 -70 Z", "#eef0f2")
    pen.path("M-18 -78 H18 L4 -112 Z", pen.shade(tint.main))
    pen.circle(3, -90, 2, "#fbd34d")
    pen.circle(-3, -74, 1.3, "#2b2320")
    pen.circle(4, -74, 1.3, "#2b2320")


@symbol("#9aa3ad", place="stand", size=0.34, width=70)
def knight(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.line("M-7 -36 V-4 M7 -36 V-4", tint.dark, 10)
    pen.line("M28 -12 V-84", "#dfe5ec", 4)
    pen.line("M20 -38 H36", "#b98a3c", 4)
    pen.line("M14 -62 L27 -42", tint.dark, 8)
    pen.path("M-17 -70 Q0 -76 17 -70 L13 -32 H-13 Z", pen.shade(tint.main, 0.25))
    pen.path("M-32 -64 H-6 V-44 C-6 -32 -14 -26 -19 -24 C-24 -26 -32 -32 -32 -44 Z", tint.second("#b8342f"))
    pen.line("M-19 -62 V-28 M-30 -48 H-8", "#f3d873", 3)
    pen.path("M-13 -76 V-88 C-13 -104 13 -104 13 -88 V-76 Z", pen.shade(tint.light, 0.25))
    pen.rect(-10, -88, 20, 5, "#23262c")
    pen.path("M0 -99 C-4 -112 -18 -110 -22 -100 C-14 -104 -8 -100 0 -99 Z", tint.second("#b8342f"))


@symbol("#f58bb5", place="stand", size=0.36, width=64)
def princess(pen: Pen, tint: Tint, chance: Random) -> None:
    skin, hair = chance.choice(SKINS), chance.choice(HAIRS)
    pen.path("M-13 -84 C-18 -64 -15 -52 -12 -48 H12 C15 -52 18 -64 13 -84 Z", hair)
    pen.line("M-10 -66 L-18 -46 M10 -66 L18 -46", skin, 4.6)
    pen.path("M-9 -70 Q0 -72 9 -70 L8 -48 C18 -36 28 -16 30 0 H-30 C-28 -16 -18 -36 -8 -48 Z", pen.shade(tint.main))
    pen.circle(0, -83, 11, skin)
    pen.path("M-12 -83 C-12 -98 12 -98 12 -83 C6 -91 -6 -91 -12 -83 Z", hair)
    pen.polygon([(-8, -92), (-9, -104), (-4, -98), (0, -106), (4, -98), (9, -104), (8, -92)], "#f3c83c")
    pen.circle(-4, -82, 1.3, "#2b2320")
    pen.circle(4, -82, 1.3, "#2b2320")
    pen.line("M-3 -77 Q0 -75 3 -77", "#a4513f", 1.2)


@symbol("#f7c948", place="shape", size=0.5)
def smiley(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 46, pen.ball(tint.main))
    pen.ellipse(-16, -60, 5, 8, "#4a3417")
    pen.ellipse(16, -60, 5, 8, "#4a3417")
    pen.line("M-24 -38 Q0 -14 24 -38", "#4a3417", 5)


@symbol("#e3ae84", place="shape", size=0.5, width=90)
def face(pen: Pen, tint: Tint, chance: Random) -> None:
    hair = tint.second(chance.choice(HAIRS))
    pen.path("M-44 -8 C-56 -60 -44 -98 0 -98 C44 -98 56 -60 44 -8 Z", hair)
    pen.rect(-12, -22, 24, 22, tint.dark, round=6)
    pen.ellipse(0, -50, 33, 40, pen.shade(tint.main, 0.08))
    pen.path("M-34 -56 C-32 -92 32 -92 34 -56 C18 -78 -6 -82 -34 -56 Z", hair)
    for x in (-13, 13):
        pen.ellipse(x, -50, 6, 4.4, "#ffffff")
        pen.circle(x, -50, 3, "#3c5a7a")
        pen.line(f"M{x - 7} -59 Q{x} -63 {x + 7} -59", hair, 2.4)
    pen.line("M0 -48 Q4 -38 -1 -36", tint.dark, 1.8)
    pen.path("M-11 -26 Q0 -18 11 -26 Q0 -29 -11 -26 Z", "#bb4f4a")
