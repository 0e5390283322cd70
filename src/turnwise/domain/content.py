"""Content: the pieces that a message is made of, and that a client sends or reads.

A piece is text or one of four media. How a piece looks in either dialect is the business of `wire/`; what a
model is shown of it, of `models/`. Values are frozen and equal by content.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

JSON: TypeAlias = Any
"""A JSON value as Python has it: None, bool, int, float, str, list or dict."""

MediaType: TypeAlias = Literal["image", "audio", "video", "document"]

MEDIA_TYPES: tuple[MediaType, ...] = ("image", "audio", "video", "document")


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text, with the annotations (citations) that point into it."""

    text: str
    annotations: tuple[Mapping[str, JSON], ...] = ()
    """Each has `type`, and `start_index` and `end_index` as byte offsets into the UTF-8 text, end exclusive."""
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a sound, a video or a document, given by value (`data`) or by address (`uri`)."""

    type: MediaType
    mime_type: str | None = None
    data: str | None = None
    """The bytes, in standard padded base64."""
    uri: str | None = None
    options: Mapping[str, JSON] = field(default_factory=dict)
    """What only some kinds have, under the wire's own names: `resolution`, `channels`, `sample_rate`, `name`."""


Content: TypeAlias = Text | Media
