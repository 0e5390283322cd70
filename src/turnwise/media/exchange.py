"""Requests of any kind to addresses that others chose, and their answers as they come: for protocols over HTTP.

`fetch.py` gets one file. Here whoever speaks a protocol says the method, the headers and the body, and reads the answer
piece by piece for as long as it likes: how long that is, it bounds itself. What may be reached is decided in
`guard.py`, anew for each request. No redirect is followed, and nothing that is packed is taken, since it could grow.

    async with GuardedWeb(guard).open() as line:
        answer = await line.send("POST", url, headers, body, limit=1 << 20)
        while piece := await answer.read(): ...
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from weakref import WeakSet

import aiohttp

from turnwise.domain.errors import InvalidRequest
from turnwise.media.fetch import explained
from turnwise.media.guard import Guard, show

CONNECT_SECONDS = 15.0
"""How long finding an address and connecting to it may take."""


class GuardedAnswer:
    """An answer whose headers have come."""

    def __init__(self, response: aiohttp.ClientResponse, url: str, limit: int) -> None:
        self._response = response
        self._url = url
        self._limit = limit
        self._taken = 0

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The headers, as they came."""
        return self._response.raw_headers

    async def read(self) -> bytes:
        """The next piece of the body, as it comes. Empty: that was all.

        Raises:
            InvalidRequest: it breaks off, or has more than the bytes that are taken.
        """
        with explained(self._url):
            piece = await self._response.content.readany()
        self._taken += len(piece)
        if self._taken > self._limit:
            raise InvalidRequest(
                f"the address {show(self._url)} answers with more than the {self._limit} bytes that are taken"
            )
        return piece

    def close(self) -> None:
        """Read no more. The connection is closed if the answer has not come whole."""
        self._response.close()


class GuardedLine:
    """Open connections, which go with the block that they were opened in."""

    def __init__(self, guard: Guard, session: aiohttp.ClientSession) -> None:
        self._guard = guard
        self._session = session
        self._answers: WeakSet[GuardedAnswer] = WeakSet()

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, limit: int
    ) -> GuardedAnswer:
        """Send a request, and wait for the headers of its answer. `limit`: how many bytes its body may have.

        Raises:
            InvalidRequest: the address may not be reached or cannot be, or does not answer as was asked.
        """
        where = self._guard.check(url)
        try:
            with explained(url):
                response = await self._session.request(
                    method,
                    where,
                    headers=[*headers, ("Accept-Encoding", "identity")],
                    data=body or None,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
                )
        except TimeoutError:
            raise InvalidRequest(
                f"the address {show(url)} cannot be reached: it took no connection within {CONNECT_SECONDS:g} s"
            ) from None
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            response.close()
            raise InvalidRequest(f"the address {show(url)} packs its answer, although asked not to")
        answer = GuardedAnswer(response, url, limit)
        self._answers.add(answer)
        return answer

    def close(self) -> None:
        """Read none of the answers to its end."""
        for answer in list(self._answers):
            answer.close()


class GuardedWeb:
    """The web, as far as requests may reach it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def check(self, url: str) -> None:
        """Raises:
        InvalidRequest: the address may not be reached, as far as can be told without asking for its name.
        """
        self._guard.check(url)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[GuardedLine]:
        """A line to the web. All connections are closed behind."""
        async with self._guard.open_session() as session:
            line = GuardedLine(self._guard, session)
            try:
                yield line
            finally:
                line.close()
