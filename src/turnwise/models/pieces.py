"""An upstream's answer, piece by piece as it comes, and how long it may be waited for.

aiohttp has a timer for each read, and looks at another one in each. With a thousand slow streams these two cost more
than what is read, and what they leave behind has the garbage collector look for more. Here one timer looks when the
wait could be over that began before it last looked.
"""

import asyncio
from contextlib import suppress

import aiohttp

DRAIN = 0.25
"""How long, in seconds, the end of a finished answer is waited for, so that its connection can be used again."""


class Pieces:
    """The body of an answer. Whoever reads it closes it."""

    __slots__ = ("_content", "_end", "_idle", "_loop", "_response", "_since", "_timer")

    def __init__(self, response: aiohttp.ClientResponse, *, idle: float, until: float) -> None:
        """`idle`: how many seconds a piece may be waited for. `until`: when the answer has to be whole, by the clock of
        the event loop."""
        self._response = response
        self._content = response.content
        self._idle = idle
        self._end = until
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None
        """When the wait began. None: nobody waits, and so the upstream is not slow."""
        connection = response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = None  # from the next piece on
        self._timer = self._loop.call_at(self._due(), self._look)

    async def next(self) -> bytes:
        """What has come since the last call, as soon as there is something. Empty: there is no more.

        Raises:
            TimeoutError: it took too long.
            aiohttp.ClientError, OSError: the connection broke.
        """
        self._since = self._loop.time()
        piece = await self._content.readany()
        self._since = None
        return piece

    async def drain(self) -> None:
        """Read the end of an answer that is complete, if it is about to come, so that its connection can be used
        again."""
        if self._content.at_eof():
            return
        with suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(DRAIN):
                while await self._content.readany():
                    pass

    def close(self) -> None:
        """Wait no more. A connection whose answer was not read to its end is closed."""
        self._timer.cancel()
        self._response.close()

    def _due(self) -> float:
        since = self._loop.time() if self._since is None else self._since
        return min(since + self._idle, self._end)

    def _look(self) -> None:
        due = self._due()
        if due > self._loop.time():
            self._timer = self._loop.call_at(due, self._look)
        else:
            self._content.set_exception(aiohttp.SocketTimeoutError("nothing came in time"))
