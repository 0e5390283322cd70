"""How made media reach the client: as `data`, or as the `uri` of a file, when that was asked for or they are large.

Sound that a client listens to is passed on piece by piece as it is made. Everything else is gathered first, since only
then its size is known.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from turnwise.domain.errors import PayloadTooLarge, RateLimited
from turnwise.domain.formats import Delivery
from turnwise.models.model import Fragment, MediaFragment, Prompt

Keep: TypeAlias = Callable[[bytes, str], Awaitable[str]]
"""Keeps bytes of a mime type as a file, and says at which address."""


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
