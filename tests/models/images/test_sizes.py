"""Which size is asked for."""

import pytest

from turnwise.domain.formats import ASPECT_RATIOS, ImageFormat
from turnwise.models.drawing.sizes import pixels
from turnwise.models.images.sizes import Bounds, family_of, nearest


@pytest.mark.parametrize(
    ("model", "wanted", "asked"),
    [
        ("gpt-image-1", (1024, 1024), (1024, 1024)),
        ("gpt-image-1", (1376, 768), (1536, 1024)),
        ("openai/gpt-image-1.5", (384, 3072), (1024, 1536)),
        ("gpt-image-2", (1376, 768), (1376, 768)),
        ("gpt-image-2", (512, 512), (816, 816)),
        ("gpt-image-2", (4096, 4096), (2880, 2880)),
        ("gpt-image-2-2026-04-21", (3072, 384), (3072, 1024)),
        ("dall-e-3", (1376, 768), (1792, 1024)),
        ("dall-e-2", (512, 512), (512, 512)),
        ("FLUX.1-dev", (1376, 768), (1376, 768)),
    ],
)
def test_the_nearest_size_that_a_model_makes_is_asked_for(
    model: str, wanted: tuple[int, int], asked: tuple[int, int]
) -> None:
    assert nearest(wanted, family_of(model)) == asked


@pytest.mark.parametrize("size", ["512", "1K", "2K", "4K"])
@pytest.mark.parametrize("ratio", ASPECT_RATIOS)
def test_what_is_asked_for_is_always_within_the_bounds(ratio: str, size: str) -> None:
    family = family_of("gpt-image-2")
    bounds = family.sizes
    assert isinstance(bounds, Bounds)
    wanted = pixels(ImageFormat(ratio, size))  # type: ignore[arg-type]
    width, height = nearest((wanted.width, wanted.height), family)
    assert (width % bounds.step, height % bounds.step) == (0, 0)
    assert bounds.least <= width * height <= bounds.most
    assert max(width, height) <= min(bounds.longest, bounds.ratio * min(width, height))
