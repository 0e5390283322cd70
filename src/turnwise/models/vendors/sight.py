"""What is not text, as vendors' models are shown it: which kinds and types, and how closely they are to look. Pure, and
nothing of the layer is imported here.

The layer would send whatever it has a form for, and some of its own errors say nothing. So what a vendor takes is a
table here, and what is not in it is refused by its type. That a vendor takes a picture does not mean that each of its
models has eyes: where they differ, the setting `inputs` says so.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from turnwise.domain.content import Media, MediaType
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.models.parts import DETAIL, SOUNDS

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PDF = frozenset({"application/pdf"})
SOUND = frozenset({"audio/wav", "audio/mpeg"})
TEXTS = frozenset({"text/plain", "text/csv", "text/html", "text/markdown"})
OFFICE = frozenset(
    {
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
VIDEOS = frozenset({"video/mp4", "video/quicktime", "video/webm", "video/mpeg", "video/x-matroska", "video/x-flv"})

ANY = None
"""Whatever the type: the vendor says what it does not take."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the models of a vendor can be shown."""

    takes: Mapping[MediaType, frozenset[str] | None]
    """MIME types of each kind."""
    told: Literal["detail", "media_resolution"] | None = None
    """In which words it is told how closely to look. None: it cannot be told."""
    inputs: frozenset[str] = field(default_factory=lambda: frozenset({"text"}))
    """What all of its models take, as far as is known."""


SIGHTS: Mapping[str, Sight] = {
    "anthropic": Sight(
        {"image": IMAGES, "document": PDF | {"text/plain"}}, inputs=frozenset({"text", "image", "document"})
    ),
    "gemini": Sight(
        {"image": ANY, "audio": ANY, "video": ANY, "document": ANY},
        told="media_resolution",
        inputs=frozenset({"text", "image", "audio", "video", "document"}),
    ),
    "mistral": Sight({"image": IMAGES, "document": PDF | TEXTS}, told="detail"),
    "groq": Sight({"image": IMAGES}, told="detail"),
    "openrouter": Sight({"image": IMAGES, "audio": SOUND, "video": VIDEOS, "document": PDF | TEXTS}, told="detail"),
    "huggingface": Sight({"image": IMAGES}),
    "bedrock": Sight({"image": IMAGES, "video": VIDEOS, "document": PDF | TEXTS | OFFICE}),
}
"""By the name of the engine."""

FORMS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
"""What forms of sound with several MIME types are called here."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A medium as a vendor takes it."""

    data: bytes
    mime_type: str
    look: dict[str, Any] | None
    """How closely to look, in the vendor's words."""


def seen(media: Media, kind: str) -> Seen:
    """A medium as a vendor takes it. `kind`: the vendor.

    Raises:
        InvalidRequest: a type that it does not take, or `resolution` where it cannot be told.
        Unimplemented: a kind that it does not take, or its bytes are not at hand.
    """
    sight = SIGHTS[kind]
    if media.type not in sight.takes:
        raise Unimplemented(f"content of type {media.type!r} cannot be shown to a model of {kind!r}")
    if media.data is None or media.mime_type is None:
        raise Unimplemented(f"content of type {media.type!r} cannot be shown to this model without its bytes")
    mime_type = FORMS.get(SOUNDS.get(media.mime_type, ""), media.mime_type)
    types = sight.takes[media.type]
    if types is not ANY and mime_type not in types:
        raise InvalidRequest(
            f"{media.type} of the type {media.mime_type!r} cannot be shown to a model of {kind!r}; it takes"
            f" {', '.join(sorted(types))}"
        )
    return Seen(b64decode(media.data), mime_type, _look(media, kind, sight))


def _look(media: Media, kind: str, sight: Sight) -> dict[str, Any] | None:
    """How closely it is to look."""
    resolution = media.options.get("resolution")
    if not resolution:
        return None
    if sight.told == "media_resolution":
        return {"media_resolution": {"level": f"MEDIA_RESOLUTION_{resolution.upper()}"}}
    if sight.told == "detail" and media.type == "image":
        return {"detail": DETAIL[resolution]}
    raise InvalidRequest(
        f"resolution: how closely to look at a {media.type} cannot be said to a model of {kind!r}; leave it out"
    )
