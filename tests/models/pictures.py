"""Pictures that tests show, and what they see in others."""

import io
from base64 import b64encode
from typing import Any

from PIL import Image

from turnwise.domain.content import Media


def picture(colour: str = "red", form: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()


def shown(data: bytes, mime_type: str = "image/png", **options: Any) -> Media:
    """A picture as a prompt has it."""
    return Media("image", mime_type, b64encode(data).decode(), options=options)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
