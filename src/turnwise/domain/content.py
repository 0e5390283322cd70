"""Content: the pieces that a message is made of, and that a client sends or reads.

A piece is text or one of four media. How a piece looks in either dialect is the business of `wire/`; what a
model is shown of it, of `models/`. Values are frozen and equal by content.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

JSON: TypeAlias = Any
"""A JSON value as Python has it: None, bool, int, float, str, list or dict."""

DEPTH = 200
"""How many lists and objects may stand one in another: what is nested deeper cannot be written down."""

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
class Told(Text):
    """A file in words, for a model that cannot take it: nobody said them, and they are never kept."""

    kind: MediaType = "document"
    """What the file is."""


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


def is_too_deep(value: JSON) -> bool:
    """Whether a value is nested deeper than `DEPTH`."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH):
        level = [
            inner
            for node in level
            for inner in (node.values() if isinstance(node, dict) else node)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
