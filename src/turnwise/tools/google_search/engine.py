"""The contract of a search engine, and what it finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from turnwise.domain.tools import SearchType


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found."""

    url: str
    """Where it stands: an address of the web, or the name of a local document."""
    title: str
    text: str
    """What it says, as far as the engine tells."""
    image: str = ""
    """For a search for images: the address of the image itself."""


class SearchFailed(Exception):
    """A search came to nothing. `message` tells a model and its user why, and what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Engine(Protocol):
    """Somebody who searches."""

    @property
    def name(self) -> str:
        """What the settings call it."""

    @property
    def search_types(self) -> frozenset[SearchType]:
        """What it can search for."""

    def why_not(self) -> str | None:
        """Why it cannot be used on this machine as it is, and what to do about it. None: it can."""

    async def search(self, query: str, search_type: SearchType, limit: int) -> Sequence[Hit]:
        """At most so many hits, the best first. Cancelling ends it, and leaves nothing behind.

        Raises:
            SearchFailed: it could not search.
        """

    async def close(self) -> None:
        """Let go of connections."""
