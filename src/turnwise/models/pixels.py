"""Images in another form or another size than they came in, for those who take or want no other.

Pillow does the work, in a thread of its own, and is imported when there is something to do: it comes with
`turnwise[images]`.
"""

import asyncio
import io
from base64 import b64decode, b64encode
from collections.abc import Collection, Sequence
from dataclasses import replace
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


async def with_images_as(mime_types: Collection[str], prompt: Prompt) -> Prompt:
    """A prompt whose images are of these types: those of others are made PNG.

    Raises:
        InvalidRequest: an image that cannot be read.
        Unimplemented: Pillow is needed, and is not there.
    """
    if all(not _of_another(mime_types, media) for step in prompt.steps for media in _media(step)):
        return prompt
    steps = await asyncio.to_thread(lambda: [_converted(step, mime_types) for step in prompt.steps])
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


def _of_another(mime_types: Collection[str], part: Content) -> bool:
    """Whether it is an image of another type, and at hand."""
    if not isinstance(part, Media) or part.type != "image" or part.data is None:
        return False
    return part.mime_type not in mime_types


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
    return Media("image", item.get("mime_type"), item.get("data"))


def _converted(step: Step, mime_types: Collection[str]) -> Step:
    match step:
        case UserInput(content) | ModelOutput(content):
            return replace(step, content=tuple(_as_png(part, mime_types) for part in content))
        case FunctionResult():
            items = result_content(step.result)
            return step if items is None else replace(step, result=[_item_as_png(item, mime_types) for item in items])
        case _:
            return step


def _as_png(part: Content, mime_types: Collection[str]) -> Content:
    if not isinstance(part, Media) or not _of_another(mime_types, part) or part.data is None:
        return part
    data = b64encode(convert(b64decode(part.data), PNG)).decode()
    return replace(part, mime_type=PNG, data=data)


def _item_as_png(item: dict[str, Any], mime_types: Collection[str]) -> dict[str, Any]:
    if item["type"] != "image" or not _of_another(mime_types, _item_media(item)):
        return item
    data = b64encode(convert(b64decode(item["data"]), PNG)).decode()
    return {**item, "mime_type": PNG, "data": data}
