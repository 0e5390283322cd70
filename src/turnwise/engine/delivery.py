"""How made media reach the client: as `data`, or as the `uri` of a file, when that was asked for or they are large.

Sound that a client listens to is passed on piece by piece as it is made. Everything else is gathered first, since only
then its size is known.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import Protocol

from turnwise.domain.content import MEDIA_TYPES
from turnwise.domain.errors import PayloadTooLarge, RateLimited
from turnwise.domain.formats import Delivery
from turnwise.models.model import Fragment, MediaFragment, Prompt
from turnwise.tools.tool import Made


class Keep(Protocol):
    """Keeps what was made."""

    async def __call__(self, data: bytes, mime_type: str, name: str = "") -> str:
        """Keep it as a file, and say at which address.

        Raises:
            PayloadTooLarge: it is larger than any file may be.
            RateLimited: there is no room for it.
        """


@dataclass(frozen=True, slots=True)
class Delivering:
    """Where made media go."""

    keep: Keep
    inline_bytes: int
    """Up to this size they are `data` when the request does not say."""


async def delivered(
    fragments: AsyncIterator[Fragment], prompt: Prompt, to: Delivering
) -> AsyncGenerator[Fragment, None]:
    """The fragments, with each piece of media as it is to be delivered."""
    gathered: list[MediaFragment] = []
    async for fragment in fragments:
        if gathered and not (isinstance(fragment, MediaFragment) and fragment.index == gathered[0].index):
            yield await _whole(gathered, prompt, to)
            gathered = []
        if isinstance(fragment, MediaFragment) and not _flows(fragment, prompt):
            gathered.append(fragment)
        else:
            yield fragment


async def deliver_made(made: Made, index: int, to: Delivering) -> MediaFragment:
    """A file that a tool made, as it is to be delivered: an image by itself, anything else as a file."""
    kind = made.mime_type.partition("/")[0]
    fragment = MediaFragment(
        index,
        next((type for type in MEDIA_TYPES if type == kind), "document"),
        made.mime_type,
        made.data,
        options={"name": made.name} if made.name else {},
    )
    if fragment.type == "image" and len(made.data) <= to.inline_bytes:
        return fragment
    try:
        return replace(fragment, data=b"", uri=await to.keep(made.data, made.mime_type, made.name))
    except (RateLimited, PayloadTooLarge):
        return fragment  # as below


def _flows(fragment: MediaFragment, prompt: Prompt) -> bool:
    """Whether a piece is passed on as it comes."""
    if fragment.uri is not None:
        return True
    return fragment.type == "audio" and prompt.streaming and _asked(fragment, prompt) != "uri"


async def _whole(pieces: list[MediaFragment], prompt: Prompt, to: Delivering) -> MediaFragment:
    whole = replace(pieces[-1], data=b"".join(piece.data for piece in pieces))
    asked = _asked(whole, prompt)
    if asked == "inline" or (asked is None and len(whole.data) <= to.inline_bytes):
        return whole
    try:
        return replace(whole, data=b"", uri=await to.keep(whole.data, whole.mime_type))
    except (RateLimited, PayloadTooLarge):
        if asked == "uri":
            raise
        return whole  # there is no room for a file, and what was made is not thrown away for that


def _asked(fragment: MediaFragment, prompt: Prompt) -> Delivery | None:
    return prompt.audio.delivery if fragment.type == "audio" else prompt.image.delivery
