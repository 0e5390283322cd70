"""How large pictures are."""

import pytest

from turnwise.domain.formats import ASPECT_RATIOS, ImageFormat
from turnwise.models.drawing.sizes import PIXELS_AT_1K, SCALE, Size, pixels, tokens


def test_there_is_a_size_for_every_ratio() -> None:
    assert set(PIXELS_AT_1K) == set(ASPECT_RATIOS)


@pytest.mark.parametrize(
    ("image", "size"),
    [
        (ImageFormat(), Size(1024, 1024)),
        (ImageFormat("16:9", "1K"), Size(1376, 768)),
        (ImageFormat("9:16", "2K"), Size(1536, 2752)),
        (ImageFormat("21:9", "512"), Size(792, 336)),
        (ImageFormat("3:2", "512"), Size(632, 424)),
        (ImageFormat("1:8", "4K"), Size(1536, 12288)),
        (ImageFormat("16:9", "4K"), Size(5504, 3072)),
    ],
)
def test_sizes_are_the_documented_ones(image: ImageFormat, size: Size) -> None:
    assert pixels(image) == size


@pytest.mark.parametrize("ratio", ASPECT_RATIOS)
def test_a_size_has_about_its_ratio(ratio: str) -> None:
    width, height = map(int, ratio.split(":"))
    made = pixels(ImageFormat(ratio))
    assert made.width / made.height == pytest.approx(width / height, rel=0.04)


def test_every_size_counts_as_so_many_tokens() -> None:
    counted = {size: tokens(ImageFormat(image_size=size)) for size in SCALE}  # type: ignore[arg-type]
    assert counted == {"512": 747, "1K": 1120, "2K": 1120, "4K": 2000}
    assert tokens(ImageFormat()) == 1120
