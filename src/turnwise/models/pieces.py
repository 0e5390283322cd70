"""An upstream's answer, piece by piece as it comes, and how long it may be waited for.

aiohttp has a timer for each read, and looks at another one in each. With a thousand slow streams these two cost more
than what is read, and what they leave behind has the garbage collector look for more. Here one timer looks when the
wait could be over that began before it last looked.
"""

import asyncio

import aiohttp

DRAIN = 0.25
"""How long, in seconds, the end of a finished answer is waited for, so that its connection can be used again."""


class Pieces:
    """The body of an answer. Whoever reads it closes it."""

    __slots__ = ("_content", "_end", "_idle", "_loop", "_response", "_since", "_timer")

    def __init__(self, response: aiohttp.ClientResponse, *, idle: float, until: float) -> None:
        """`idle`: how many seconds a piece may be waited for. `until`: when the answer has to be here, by the clock of
        the event loop: it may be read later."""
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
        self._timer: asyncio.Handle = self._loop.call_at(self._due(), self._look)

    async def next(self) -> bytes:
        """What has come since the last call, as soon as there is something. Empty: there is no more.

        Raises:
            TimeoutError: it took too long.
            aiohttp.ClientError, OSError: the connection broke.
        """
        self._since = self._loop.time()
        if self._since >= self._end and not self._content.is_eof():
            raise _too_late()
        piece = await self._content.readany()
        self._since = None
        return piece

    async def drain(self) -> None:
        """Read the end of an answer that is complete, if it is about to come, so that its connection can be used
        again."""
        if self._content.at_eof():
            return
        try:
            async with asyncio.timeout(DRAIN):
                while await self._content.readany():
                    pass
        except (TimeoutError, aiohttp.ClientError) as error:
            let_go(error)

    def close(self) -> None:
        """Wait no more. A connection whose answer was not read to its end is closed."""
        self._timer.cancel()
        self._response.close()

    def _due(self) -> float:
        since = self._loop.time() if self._since is None else self._since
        return min(since + self._idle, self._end)

    def _look(self) -> None:
        if not self._is_late():
            self._timer = self._loop.call_at(self._due(), self._look)
        elif self._since is not None:  # else there is no time left, as `next` will say
            self._timer = self._loop.call_soon(self._give_up)  # behind those whom a piece has woken already

    def _give_up(self) -> None:
        if self._since is not None and self._is_late():
            self._content.set_exception(_too_late())
        else:
            self._look()

    def _is_late(self) -> bool:
        return self._due() <= self._loop.time()


def let_go(error: BaseException | None) -> None:
    """Drop the frames of an error and of those behind it. Some of aiohttp's hold the error again, and so the whole
    request, until somebody looks for garbage."""
    seen = set()
    while error is not None and id(error) not in seen:  # errors may name each other
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _too_late() -> aiohttp.SocketTimeoutError:
    return aiohttp.SocketTimeoutError("nothing came in time")
