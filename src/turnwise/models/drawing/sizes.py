"""How many pixels a picture has, and how many tokens it counts as.

The numbers are those that Google documents for Gemini 3.1 Flash Image (Gemini API, "Image generation", the table
"Aspect ratios and image size", 2026): 2K and 4K are twice and four times the 1K size, 512 is half of it. One cell of
that table breaks its own rule: 21:9 at 512 is given as 792x168, which is 33:7. Here it is 792x336.
"""

from dataclasses import dataclass

from turnwise.domain.formats import ImageFormat

DEFAULT_RATIO = "1:1"
DEFAULT_SIZE = "1K"

PIXELS_AT_1K = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
"""Width and height by aspect ratio."""

SCALE = {"512": 0.5, "1K": 1.0, "2K": 2.0, "4K": 4.0}

TOKENS = {"512": 747, "1K": 1120, "2K": 1120, "4K": 2000}
"""What a picture counts as, whatever its aspect ratio: the documented numbers too."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def short(self) -> int:
        """The shorter side."""
        return min(self.width, self.height)


def pixels(image: ImageFormat) -> Size:
    """How large an image of this form is."""
    width, height = PIXELS_AT_1K[image.aspect_ratio or DEFAULT_RATIO]
    scale = SCALE[image.image_size or DEFAULT_SIZE]
    return Size(round(width * scale), round(height * scale))


def tokens(image: ImageFormat) -> int:
    """How many tokens of output an image of this form counts as."""
    return TOKENS[image.image_size or DEFAULT_SIZE]
