"""Geometry, and the form that a thing gets that no symbol stands for."""

from math import cos, pi, sin
from random import Random

from turnwise.models.drawing.colours import Tint
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.sky import star_points
from turnwise.models.drawing.symbols.symbol import symbol


@symbol("#3f7fc4", place="shape", size=0.5)
def circle(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 50, pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.36, width=160)
def oval(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.ellipse(0, -50, 80, 50, pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.46)
def square(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-50, -100, 100, 100, pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.36, width=170)
def rectangle(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.rect(-85, -100, 170, 100, pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.5, width=114)
def triangle(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(0, -100), (57, 0), (-57, 0)], pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.5, width=76)
def diamond(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(0, -100), (38, -50), (0, 0), (-38, -50)], pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.5)
def pentagon(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon(regular(5), pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.5)
def hexagon(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon(regular(6), pen.shade(tint.main, 0.06))


@symbol("#3f7fc4", place="shape", size=0.5)
def octagon(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon(regular(8), pen.shade(tint.main, 0.06))


@symbol("#f7c948", place="shape", size=0.5)
def five_star(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon(star_points(0, -48, 50, 20, 5), pen.shade(tint.main, 0.08))


@symbol("#e23b52", place="shape", size=0.46, width=108)
def heart(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path(
        ("M0 -4 C-36 -34 -54 -52 -54 -72 C-54 -100 -14 -106 0 -76 C14 -106 54 -100 54 -72 C54 -52 36 -34 0 -4 Z"),
        pen.shade(tint.main, 0.12),
    )


@symbol("#3b4047", place="shape", size=0.34, width=140)
def arrow(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon(
        [(-70, -64), (14, -64), (14, -92), (70, -50), (14, -8), (14, -36), (-70, -36)], pen.shade(tint.main, 0.06)
    )


@symbol("#e23b34", place="shape", size=0.46)
def cross(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon(
        [
            (-17, -100),
            (17, -100),
            (17, -67),
            (50, -67),
            (50, -33),
            (17, -33),
            (17, 0),
            (-17, 0),
            (-17, -33),
            (-50, -33),
            (-50, -67),
            (-17, -67),
        ],
        pen.shade(tint.main, 0.06),
    )


@symbol("#3f7fc4", place="shape", size=0.46, width=110)
def cube(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.polygon([(0, -100), (50, -76), (0, -52), (-50, -76)], tint.light)
    pen.polygon([(-50, -76), (0, -52), (0, 0), (-50, -24)], tint.main)
    pen.polygon([(50, -76), (0, -52), (0, 0), (50, -24)], tint.dark)


@symbol("#3f7fc4", place="shape", size=0.5)
def sphere(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.circle(0, -50, 50, pen.ball(tint.main))


@symbol("#3f7fc4", place="shape", size=0.5, width=90)
def spiral(pen: Pen, tint: Tint, chance: Random) -> None:
    points = [(0.55 * step * cos(step * 0.28), 0.55 * step * sin(step * 0.28)) for step in range(88)]
    pen.line("M" + " L".join(f"{x:.1f} {-50 + y:.1f}" for x, y in points), tint.main, 5)


@symbol("#4a7fd0", place="shape", size=0.56, width=140)
def emblem(pen: Pen, tint: Tint, chance: Random) -> None:
    """A sign of a company: a form around a form, another one for each seed. In one colour only, it is left empty."""
    other = tint.second(chance.choice(("#fbd34d", "#ffffff", "#35c9c3", "#f58bb5")))
    outer, inner = chance.randrange(4), 4 if tint.other == tint.main else chance.randrange(4)
    if outer == 0:
        pen.circle(0, -50, 50, pen.shade(tint.main))
    elif outer == 1:
        pen.rect(-48, -98, 96, 96, pen.shade(tint.main), round=24)
    elif outer == 2:
        pen.polygon(regular(6), pen.shade(tint.main))
    else:
        pen.path("M-44 -92 Q0 -106 44 -92 V-46 C44 -18 20 -4 0 2 C-20 -4 -44 -18 -44 -46 Z", pen.shade(tint.main))
    if inner == 0:
        pen.path("M-24 -30 L0 -78 L24 -30 L0 -44 Z", other)
    elif inner == 1:
        for turn in range(6):
            pen.ellipse(14 * cos(turn * pi / 3), -50 + 14 * sin(turn * pi / 3), 14, 6, other, turn=turn * 60)
    elif inner == 2:
        pen.line("M-26 -44 Q-12 -66 0 -48 T26 -54", other, 9)
        pen.line("M-26 -28 Q-12 -50 0 -32 T26 -38", other, 9)
    elif inner == 3:
        pen.polygon(star_points(0, -50, 30, 13, chance.choice((4, 5, 8))), other)


@symbol("#6a8fb5", place="object", size=0.34, width=100)
def thing(pen: Pen, tint: Tint, chance: Random) -> None:
    """Something of a name of its own: a form that belongs to the seed, which is that of the name."""
    corners = chance.randrange(5, 10)
    radii = [chance.uniform(30, 47) for _ in range(corners)]
    points = [
        (radii[corner] * cos(2 * pi * corner / corners), -50 + radii[corner] * sin(2 * pi * corner / corners))
        for corner in range(corners)
    ]
    middle = [
        ((ax + bx) / 2, (ay + by) / 2) for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True)
    ]
    d = f"M{middle[-1][0]:.1f} {middle[-1][1]:.1f}"
    d += "".join(f" Q{x:.1f} {y:.1f} {mx:.1f} {my:.1f}" for (x, y), (mx, my) in zip(points, middle, strict=True))
    pen.path(d + " Z", pen.shade(tint.main, 0.22))
    other = tint.second(tint.pale)
    kind = chance.randrange(4)
    if kind == 0:
        pen.circle(0, -50, chance.uniform(10, 16), other)
        pen.circle(0, -50, 6, tint.deep)
    elif kind == 1:
        for ring in (24, 16, 8):
            pen.circle(0, -50, ring, "none", edge=other, width=3)
    elif kind == 2:
        for _ in range(7):
            pen.circle(chance.uniform(-22, 22), -50 + chance.uniform(-20, 20), chance.uniform(2.5, 5), other)
    else:
        pen.line("M-22 -58 Q-10 -70 0 -58 T22 -58 M-22 -44 Q-10 -56 0 -44 T22 -44", other, 4)


def regular(corners: int) -> list[tuple[float, float]]:
    """The corners of a regular polygon that stands on an edge or on a corner below."""
    offset = pi / corners if corners % 2 == 0 else 0
    return [
        (
            50 * cos(2 * pi * corner / corners - pi / 2 + offset),
            -50 + 50 * sin(2 * pi * corner / corners - pi / 2 + offset),
        )
        for corner in range(corners)
    ]
