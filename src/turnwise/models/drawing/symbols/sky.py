"""What is up in the sky, and in space."""

from math import cos, pi, sin
from random import Random

from turnwise.models.drawing.colours import RAINBOW, Tint, mix
from turnwise.models.drawing.pen import Pen
from turnwise.models.drawing.symbols.symbol import symbol


@symbol("#fbd324", place="sky", size=0.2)
def sun(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -50, 120, 120, tint.light, 0.55)
    for ray in range(12):
        angle = ray * pi / 6
        inner, outer = 38, 48 if ray % 2 else 53
        pen.line(
            f"M{inner * cos(angle):.1f} {-50 + inner * sin(angle):.1f} "
            f"L{outer * cos(angle):.1f} {-50 + outer * sin(angle):.1f}",
            tint.main,
            5,
        )
    pen.circle(0, -50, 31, pen.ball(tint.main))


@symbol("#f5edcb", place="sky", size=0.17)
def moon(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -50, 100, 100, tint.main, 0.4)
    pen.circle(0, -50, 40, pen.ball(tint.main))
    for x, y, radius in ((-12, -62, 8), (14, -50, 6), (-6, -36, 5), (16, -70, 4), (-24, -45, 3.5)):
        pen.circle(x, y, radius, mix(tint.main, "#8a8670", 0.28))


@symbol("#f5edcb", place="sky", size=0.17)
def crescent(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(-6, -50, 90, 90, tint.main, 0.4)
    pen.path("M12 -90 A42 42 0 1 0 36 -26 A36 36 0 0 1 12 -90 Z", pen.shade(tint.main, 0.1))


@symbol("#fde68a", place="sky", size=0.09)
def star(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -50, 75, 75, tint.light, 0.4)
    pen.polygon(star_points(0, -50, 48, 20, 5), pen.shade(tint.main, 0.12))


@symbol("#ffffff", place="sky", size=0.13, width=180)
def cloud(pen: Pen, tint: Tint, chance: Random) -> None:
    below = mix(tint.main, "#8fa4bd", 0.3)
    fill = pen.blend(tint.main, below)
    pen.path("M-66 -8 C-96 -8 -94 -48 -62 -46 C-62 -84 -14 -92 0 -66 C14 -96 64 -84 58 -50 C92 -54 96 -8 64 -8 Z", fill)
    pen.path("M-48 -50 C-44 -72 -18 -74 -8 -58 C-22 -62 -38 -60 -48 -50 Z", mix(tint.main, "#ffffff", 0.6))


@symbol("#fde047", place="sky", size=0.3, width=60)
def lightning(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -50, 60, 70, tint.light, 0.4)
    pen.polygon(
        [(8, -100), (-24, -46), (-4, -46), (-16, 0), (26, -60), (4, -60), (20, -100)], pen.shade(tint.main, 0.1)
    )


@symbol("#e23b34", place="far", size=0.55, width=200)
def rainbow(pen: Pen, tint: Tint, chance: Random) -> None:
    for band, colour in enumerate(RAINBOW):
        radius = 97 - band * 6.5
        pen.line(f"M{-radius:.1f} 0 A{radius:.1f} {radius:.1f} 0 0 1 {radius:.1f} 0", colour, 6.6, opacity=0.75)


@symbol("#d9905a", place="space", size=0.32, width=150)
def planet(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -50, 75, 75, tint.light, 0.35)
    ring = tint.second(mix(tint.main, "#f6e3b4", 0.6))
    pen.line("M-42 -62 C-92 -36 -66 -22 0 -36", ring, 5)
    pen.circle(0, -50, 40, pen.ball(tint.main))
    for y, half, thick in ((-64, 33, 6), (-48, 38, 5), (-34, 33, 4)):
        pen.line(f"M{-half} {y} Q0 {y + 7} {half} {y}", tint.dark, thick, opacity=0.35)
    pen.line("M0 -36 C66 -50 92 -84 42 -72", ring, 5)
    pen.line("M-66 -27 C-60 -22 -30 -27 0 -35 C36 -43 72 -62 70 -72", ring, 5)


@symbol("#2f74d8", place="space", size=0.34)
def earth(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.haze(0, -50, 68, 68, "#9fd0ff", 0.5)
    pen.circle(0, -50, 44, pen.ball(tint.main))
    land = tint.second("#4caf50")
    pen.path("M-30 -76 C-12 -92 6 -84 2 -72 C-2 -60 -14 -64 -16 -52 C-20 -42 -36 -48 -38 -60 Z", land)
    pen.path("M-12 -44 C2 -50 12 -40 6 -28 C2 -18 -4 -12 -8 -16 C-14 -24 -18 -38 -12 -44 Z", land)
    pen.path("M16 -80 C34 -78 42 -60 40 -48 C32 -44 30 -56 22 -58 C12 -62 8 -74 16 -80 Z", land)
    pen.path("M22 -34 C30 -38 36 -34 32 -26 C26 -20 18 -26 22 -34 Z", land)
    pen.line("M-34 -66 C-18 -70 -8 -66 8 -70", "#ffffff", 3.5, opacity=0.7)
    pen.line("M-10 -26 C6 -30 18 -22 34 -28", "#ffffff", 3.5, opacity=0.7)


@symbol("#c7d3e3", place="sky", size=0.14, width=160)
def comet(pen: Pen, tint: Tint, chance: Random) -> None:
    for offset, width in ((-10, 3), (0, 5), (10, 3)):
        pen.line(f"M44 {-34 + offset} L-66 {-84 + offset * 1.6:.0f}", tint.pale, width, opacity=0.55)
    pen.haze(50, -30, 36, 36, tint.light, 0.7)
    pen.circle(50, -30, 15, pen.ball(tint.main))


@symbol("#9aa7b8", place="air", size=0.16, width=180)
def saucer(pen: Pen, tint: Tint, chance: Random) -> None:
    pen.path("M-34 -58 A34 36 0 0 1 34 -58 Z", tint.second("#9fe7f5"))
    pen.ellipse(0, -48, 84, 22, pen.shade(tint.main, 0.3))
    pen.ellipse(0, -56, 52, 10, tint.light)
    for x, colour in zip((-58, -30, 0, 30, 58), ("#fde047", "#f472b6", "#fde047", "#f472b6", "#fde047"), strict=True):
        pen.circle(x, -40 + abs(x) * -0.06, 5, colour)


@symbol("#aab4c2", place="space", size=0.24, width=190)
def satellite(pen: Pen, tint: Tint, chance: Random) -> None:
    panel = tint.second("#2f5fae")
    for x in (-88, 30):
        pen.rect(x, -68, 58, 34, panel, edge="#dfe8f5", width=2)
        pen.line(f"M{x + 19} -68 V-34 M{x + 38} -68 V-34 M{x} -51 H{x + 58}", "#dfe8f5", 1.2)
    pen.line("M-30 -51 H30", "#dfe8f5", 4)
    pen.rect(-18, -76, 36, 50, pen.shade(tint.main), round=5)
    pen.line("M0 -76 V-90", "#dfe8f5", 3)
    pen.ellipse(0, -92, 14, 6, tint.light)


def star_points(x: float, y: float, outer: float, inner: float, rays: int) -> list[tuple[float, float]]:
    """The corners of a star that stands on two of its rays."""
    corners = []
    for corner in range(2 * rays):
        radius = inner if corner % 2 else outer
        angle = pi * corner / rays - pi / 2
        corners.append((x + radius * cos(angle), y + radius * sin(angle)))
    return corners
