"""What this tool needs of the outside: a guarded way to servers. `media/exchange.py` is the real one."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Answer(Protocol):
    """An answer whose headers have come."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The headers, as they came."""

    async def read(self) -> bytes:
        """The next piece of the body, as it comes, not packed. Empty: that was all.

        Raises:
            InvalidRequest: it breaks off, or has more than the bytes that are taken.
        """

    def close(self) -> None:
        """Read no more."""


class Line(Protocol):
    """Open connections."""

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, limit: int
    ) -> Answer:
        """Send a request, and wait for the headers of its answer, without following redirects. `limit`: how many bytes
        its body may have.

        Raises:
            InvalidRequest: the address may not be reached or cannot be, in words for whoever named it.
        """


class Web(Protocol):
    """The web, as far as requests may reach it."""

    def check(self, url: str) -> None:
        """Raises:
        InvalidRequest: the address may not be reached, as far as can be told without asking for its name.
        """

    def open(self) -> AbstractAsyncContextManager[Line]:
        """A line to it. All connections are closed behind."""
