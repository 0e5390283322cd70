"""What a picture carries with it: the scene that it shows, so that a later turn can go on from the picture alone.

A PNG has it in a text chunk, a JPEG in its comment, a WebP in the description of its EXIF data. Nobody who looks at the
picture sees it; it is the prompt and a few numbers for each thing.
"""

import json
import zlib
from io import BytesIO

from PIL import Image

from turnwise.models.drawing.scene import Scene, scene_from_json, scene_to_json
from turnwise.models.drawing.sizes import Size

KEYWORD = "turnwise:scene"
DESCRIPTION = 0x010E
"""The EXIF tag of a description."""

LONGEST_NOTE = 60_000
"""In bytes. What a JPEG can carry in one piece; a scene has a tenth of that."""

BEHIND_HEADER = 33
"""Where in a PNG the first chunk behind its header starts."""

Unreadable = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow says of bytes that are no picture, or too large a one."""


def note_of(scene: Scene) -> str:
    """A scene as the note that a picture of it carries."""
    return json.dumps(scene_to_json(scene), separators=(",", ":"))


def scene_of(picture: Image.Image) -> Scene | None:
    """The scene that a picture carries, if it is one of ours."""
    note = _note(picture)
    if note is None or len(note) > LONGEST_NOTE:
        return None
    try:
        return scene_from_json(json.loads(note))
    except (ValueError, RecursionError):
        return None


def _note(picture: Image.Image) -> str | None:
    note = picture.info.get(KEYWORD)
    if note is None and picture.format == "JPEG":
        note = picture.info.get("comment")
    if note is None and picture.format == "WEBP":
        note = picture.getexif().get(DESCRIPTION)
    if isinstance(note, bytes):
        note = note.decode(errors="replace")
    return str(note) if note else None


def with_note(png: bytes, size: Size, mime_type: str, note: str) -> bytes:
    """A rendered PNG as a picture of this size and kind that carries a note."""
    if mime_type == "image/png" and _size(png) == size:
        return _with_chunk(png, note) if note else png
    image = Image.open(BytesIO(png)).convert("RGB")
    if image.size != (size.width, size.height):
        image = image.resize((size.width, size.height), Image.Resampling.NEAREST)
    made = BytesIO()
    if mime_type == "image/jpeg":
        image.save(made, "JPEG", quality=92, comment=note.encode())
    elif mime_type == "image/webp":
        exif = Image.Exif()
        exif[DESCRIPTION] = note
        image.save(made, "WEBP", quality=90, method=2, exif=exif)
    else:
        image.save(made, "PNG")
        return _with_chunk(made.getvalue(), note) if note else made.getvalue()
    return made.getvalue()


def _size(png: bytes) -> Size:
    return Size(int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big"))


def _with_chunk(png: bytes, note: str) -> bytes:
    """The PNG with the note in an `iTXt` chunk, right behind the header."""
    body = b"iTXt" + KEYWORD.encode() + b"\0\1\0\0\0" + zlib.compress(note.encode())
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return png[:BEHIND_HEADER] + chunk + png[BEHIND_HEADER:]
