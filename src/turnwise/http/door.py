"""Where connections come in, as many as this process can have open.

Each takes a descriptor, and most need another one, to a model. When a process has none left, the event loop of today
accepts whoever waits and closes the connection at once: a client that came in a busy moment is sent away without a
word. So turnwise takes as many descriptors as the system lets it have, counts its connections, and lets others wait
where the system keeps them until there is room.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None  # type: ignore[assignment]

MOST = 65_536
"""How many descriptors a process takes, if the system lets it."""

OTHERS = 256
"""How many descriptors are left for what is no client's: the store, processes of ours, runs in the background."""

FOR_EACH = 2
"""How many descriptors a connection needs: its own, and one to a model."""

AT_ONCE = 64
"""How many connections are accepted before others have their turn."""

PAUSE = 0.05
"""How long, in seconds, those who come wait before it is looked again whether there is room."""


def take_descriptors() -> int:
    """Have this process open as many files as it may. Returns how many connections it can have."""
    if resource is None:
        return MOST
    limit, highest = (_counted(one) for one in resource.getrlimit(resource.RLIMIT_NOFILE))
    wanted = min(highest, MOST)
    if limit < wanted:
        with suppress(ValueError, OSError):  # some systems have a limit beside the one that they tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            limit = wanted
    return connections_within(limit)


def _counted(limit: int) -> int:
    """A limit as a number: none at all is as many as we want."""
    return MOST if limit == resource.RLIM_INFINITY else limit


def connections_within(descriptors: int) -> int:
    """How many connections a process can have that may open so many files."""
    return max(1, (descriptors - min(OTHERS, descriptors // 2)) // FOR_EACH)


class Door:
    """Accepts connections, and stops while there is no room."""

    def __init__(self, sockets: Sequence[socket.socket], has_room: Callable[[], bool]) -> None:
        """The sockets listen."""
        self._sockets = sockets
        self._has_room = has_room
        self._take: Callable[[socket.socket], None] | None = None
        self._pause: asyncio.TimerHandle | None = None

    def begin(self, take: Callable[[socket.socket], None]) -> None:
        """Give every connection that comes to `take`."""
        self._take = take
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            loop.add_reader(listening, self._accept, listening)

    def end(self) -> None:
        """Have no more come."""
        if self._pause is not None:
            self._pause.cancel()
        for listening in self._sockets:
            asyncio.get_running_loop().remove_reader(listening)

    def _accept(self, listening: socket.socket) -> None:
        assert self._take is not None
        for _ in range(AT_ONCE):
            if not self._has_room():
                self._rest()
                return
            try:
                connection, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # there are no descriptors left, or no memory: whoever waits does so a little longer
                self._rest()
                return
            connection.setblocking(False)
            self._take(connection)

    def _rest(self) -> None:
        """Have those who come wait for a moment."""
        self.end()
        assert self._take is not None
        self._pause = asyncio.get_running_loop().call_later(PAUSE, self.begin, self._take)
