"""Images that are made to fit."""

import io
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace

import pytest
from PIL import Image

from models.pictures import opened, picture, shown
from turnwise.domain.content import Text
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.steps import FunctionResult, UserInput
from turnwise.models.model import Prompt
from turnwise.models.pixels import PNG, convert, fit, kind, with_images_as


def test_an_image_that_fits_is_not_touched() -> None:
    data = picture("red", "WEBP", (30, 20))
    assert fit(data, None, None) == (data, "image/webp")
    assert fit(data, "image/webp", (30, 20)) == (data, "image/webp")


@pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg", "image/webp"])
def test_an_image_is_cut_and_scaled_to_the_very_pixels(mime_type: str) -> None:
    data, told = fit(picture("red", "PNG", (60, 40)), mime_type, (100, 100))
    assert (opened(data).size, opened(data).get_format_mimetype(), told) == ((100, 100), mime_type, mime_type)
    red, green, blue = opened(data).convert("RGB").getpixel((50, 50))
    assert red > 240
    assert green < 15 > blue


def test_a_form_that_cannot_be_made_becomes_png() -> None:
    data, told = fit(picture("blue", "GIF"), None, None)
    assert (told, kind(data)) == (PNG, PNG)


def test_transparency_is_white_in_jpeg() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(out, "PNG")
    assert opened(convert(out.getvalue(), "image/jpeg")).getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", picture()[:40]], ids=["empty", "begun", "cut"])
def test_what_is_broken_is_said(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        convert(data, "image/jpeg")


async def test_only_images_of_other_types_are_converted_in_a_prompt() -> None:
    kept, other = shown(picture()), shown(picture(form="WEBP"), "image/webp")
    result = [{"type": "image", "mime_type": "image/webp", "data": other.data}, {"type": "text", "text": "x"}]
    prompt = Prompt([UserInput((Text("Look"), kept, other)), FunctionResult("c1", result)])
    fitted = await with_images_as({PNG}, prompt)
    user, told = fitted.steps
    assert isinstance(user, UserInput)
    assert isinstance(told, FunctionResult)
    assert user.content[:2] == (Text("Look"), kept)
    assert [part.mime_type for part in user.content[1:]] == [PNG, PNG]  # type: ignore[union-attr]
    assert [item.get("mime_type") for item in told.result] == [PNG, None]
    assert await with_images_as({PNG, "image/webp"}, prompt) is prompt


@pytest.mark.parametrize(("resolution", "longer"), [("low", 448), ("medium", 896), ("ultra_high", 1000)])
async def test_how_closely_to_look_is_kept_by_scaling(resolution: str, longer: int) -> None:
    image = shown(picture("red", "PNG", (1000, 500)), "image/png")
    asked = replace(image, options={"resolution": resolution, "name": "a.png"})
    prompt = await with_images_as(["image/png"], Prompt([UserInput((asked,))]), scaled=True)
    (seen,) = prompt.steps[0].content  # type: ignore[union-attr]
    assert opened(b64decode(seen.data)).size == (longer, longer // 2)
    assert seen.options == {"name": "a.png"}


async def test_an_image_that_nobody_asked_to_scale_stays_as_it_is() -> None:
    prompt = Prompt([UserInput((shown(picture("red", "PNG", (1000, 500)), "image/png"),))])
    assert await with_images_as(["image/png"], prompt, scaled=True) is prompt


def test_pillow_is_not_imported_before_it_is_needed() -> None:
    script = "import sys, turnwise.models.openai; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
