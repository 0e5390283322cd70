"""Images in another form or another size than they came in, for those who take or want no other.

Pillow does the work, in a thread of its own, and is imported when there is something to do: it comes with
`turnwise[images]`.
"""

import asyncio
import io
from base64 import b64decode, b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from turnwise.domain.content import Content, Media
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.steps import FunctionResult, ModelOutput, Step, UserInput, result_content
from turnwise.models.model import Prompt

PNG = "image/png"

FORMS = {PNG: "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
"""What images can be made, and how Pillow calls it."""

MOST_PIXELS = 80_000_000
"""No larger image is opened: it would take a third of a gigabyte of memory."""


def check_pillow() -> None:
    """Whether images can be converted and resized at all.

    Raises:
        Unimplemented: Pillow is not there.
    """
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise Unimplemented(
            "images cannot be converted or resized: the package Pillow is not on this machine; run:"
            " pip install 'turnwise[images]'"
        ) from error


SIDES = {"low": 448, "medium": 896, "high": 1792}
"""How long the longer side of an image is at the most, in pixels, where that is how `resolution` is kept. `ultra_high`
is as it is."""


async def with_images_as(mime_types: Collection[str], prompt: Prompt, *, scaled: bool = False) -> Prompt:
    """A prompt whose images are of these types: those of others are made PNG. If they are to be `scaled`, none says how
    closely to look any more: those that did have as many pixels as that means.

    Raises:
        InvalidRequest: an image that cannot be read.
        Unimplemented: Pillow is needed, and is not there.
    """
    change = _Change(frozenset(mime_types), scaled)
    if not any(change.concerns(media) for step in prompt.steps for media in _media(step)):
        return prompt
    steps = await asyncio.to_thread(lambda: [_changed(step, change) for step in prompt.steps])
    return replace(prompt, steps=steps)


def convert(data: bytes, mime_type: str) -> bytes:
    """An image as another type.

    Raises:
        InvalidRequest: it cannot be read.
    """
    return _written(_opened(data), mime_type)


def fit(data: bytes, mime_type: str | None, size: tuple[int, int] | None) -> tuple[bytes, str]:
    """An image of this type and of exactly these pixels, with its type; None: as it is. What is left over at the sides
    of another aspect ratio is cut off, and the rest is scaled. An image that is so already is not touched.

    Raises:
        InvalidRequest: it cannot be read.
    """
    is_type = kind(data)
    if is_type is not None and mime_type in (None, is_type) and size is None:
        return data, is_type
    image = _opened(data)
    target = mime_type or (is_type if is_type in FORMS else None) or PNG
    if size in (None, image.size) and target == is_type:
        return data, target
    if size not in (None, image.size):
        from PIL import Image, ImageOps

        image = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    return _written(image, target), target


def kind(data: bytes) -> str | None:
    """The MIME type of an image by its first bytes, if it is one of those that can be made."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _opened(data: bytes) -> Any:
    check_pillow()
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MOST_PIXELS:
            raise InvalidRequest(f"an image of {image.width} x {image.height} pixels is more than is read")
        return ImageOps.exif_transpose(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidRequest("an image cannot be read: it is broken, or of a kind that is not known") from error


def _written(image: Any, mime_type: str) -> bytes:
    form = FORMS[mime_type]
    if image.mode not in ("RGB", "RGBA", "L"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if form == "JPEG" and image.mode == "RGBA":
        image = _on_white(image)
    out = io.BytesIO()
    image.save(out, form, **({} if form == "PNG" else {"quality": 92}))
    return out.getvalue()


def _on_white(image: Any) -> Any:
    """An image without transparency, which JPEG has none of."""
    from PIL import Image

    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


@dataclass(frozen=True, slots=True)
class _Change:
    """What becomes of images."""

    mime_types: frozenset[str]
    """Those that they may have."""
    scaled: bool
    """Whether `resolution` is kept by scaling."""

    def concerns(self, part: Content) -> bool:
        """Whether it is an image that does not stay as it is, and is at hand."""
        if not isinstance(part, Media) or part.type != "image" or part.data is None:
            return False
        return part.mime_type not in self.mime_types or (self.scaled and "resolution" in part.options)

    def of(self, part: Content) -> Content:
        """A piece of content as it is to be."""
        if not isinstance(part, Media) or part.data is None or not self.concerns(part):
            return part
        image = _opened(b64decode(part.data))
        options = dict(part.options)
        if self.scaled and (side := SIDES.get(options.pop("resolution", ""))):
            image.thumbnail((side, side))
        target = part.mime_type if part.mime_type in self.mime_types and part.mime_type in FORMS else PNG
        return replace(part, mime_type=target, data=b64encode(_written(image, target)).decode(), options=options)


def _media(step: Step) -> Sequence[Content]:
    match step:
        case UserInput(content) | ModelOutput(content):
            return content
        case FunctionResult():
            items = result_content(step.result) or ()
            return [_item_media(item) for item in items if item["type"] == "image"]
        case _:
            return ()


def _item_media(item: dict[str, Any]) -> Media:
    options = {name: value for name, value in item.items() if name not in ("type", "mime_type", "data", "uri")}
    return Media("image", item.get("mime_type"), item.get("data"), options=options)


def _changed(step: Step, change: _Change) -> Step:
    match step:
        case UserInput(content) | ModelOutput(content):
            return replace(step, content=tuple(change.of(part) for part in content))
        case FunctionResult():
            items = result_content(step.result)
            return step if items is None else replace(step, result=[_changed_item(item, change) for item in items])
        case _:
            return step


def _changed_item(item: dict[str, Any], change: _Change) -> dict[str, Any]:
    if item["type"] != "image" or not change.concerns(_item_media(item)):
        return item
    image = change.of(_item_media(item))
    assert isinstance(image, Media)
    return {"type": "image", "mime_type": image.mime_type, "data": image.data, **image.options}
