"""The form that an answer must have: which modalities, and what text, images and sound are to be like."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from turnwise.domain.tools import Schema

Modality: TypeAlias = Literal["text", "image", "audio"]
"""What an answer may consist of. The API has `video` and `document` too, which turnwise does not make."""

MODALITIES: tuple[Modality, ...] = ("text", "image", "audio")

Delivery: TypeAlias = Literal["inline", "uri"]
"""Whether made media come back as `data`, or as the `uri` of a file."""

ImageSize: TypeAlias = Literal["512", "1K", "2K", "4K"]


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form of the answer's text: JSON, and if a schema is given, JSON that is valid against it."""

    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """What an image is to be like. None: as who makes it has it."""

    aspect_ratio: str | None = None
    """One of `ASPECT_RATIOS`."""
    image_size: ImageSize | None = None
    mime_type: Literal["image/png", "image/jpeg", "image/webp"] | None = None
    delivery: Delivery | None = None


ANY_IMAGE = ImageFormat()
"""An image of which nothing is said."""

ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "1:4", "4:1", "1:8", "8:1")
"""Width to height."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What sound is to be like. None: as who makes it has it, which is bare PCM (`audio/l16`), 24 kHz, mono."""

    mime_type: Literal["audio/l16", "audio/wav", "audio/mp3", "audio/ogg_opus", "audio/alaw", "audio/mulaw"] | None = (
        None
    )
    sample_rate: int | None = None
    """Samples a second."""
    bit_rate: int | None = None
    """Bits a second, where the form is a compressed one."""
    delivery: Delivery | None = None


ANY_AUDIO = AudioFormat()
"""Sound of which nothing is said."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks. With a `speaker`, only the lines that the text gives to that name."""

    voice: str | None = None
    language: str | None = None
    """As in `en-US`."""
    speaker: str | None = None
