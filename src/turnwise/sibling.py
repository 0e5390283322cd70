"""One of several processes that serve as one, as it sees its parent, which is in `supervisor.py`.

On its stdin it is told JSON, a line at a time: first who it is and what its settings are, later other settings. When
its stdin ends the parent has gone, however it went, and nothing that the parent promised holds any more: so it goes
too, at once, as all of a server does that is killed. Connections come over a socket of their own, over which it says
when it can take some and when it takes no more.
"""

import asyncio
import json
import os
import select
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnwise.settings import Settings

ARRIVED, READY, LEAVING, ALIVE = b"c", b"+", b"-", b"."
"""What is said over the socket: with each connection; by one who takes connections; by one who takes no more; and by
one who lives, again and again."""

PAUSE = 0.05
"""How long, in seconds, a process without room takes no connection."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """Which of the processes it is."""

    number: int
    """From 1 on. The first one does what one is enough for."""
    replaces: bool
    """Whether it is in the place of one that died, while the others were at work."""
    engines: str
    """Where embedded engines are lent. See `models/lending.py`."""


class Parent:
    """Whoever started this process, and tells it what to do."""

    def __init__(self, channel: int) -> None:
        """Waits for its first orders. From then on this process goes with its parent."""
        self._channel = socket.socket(fileno=channel)
        self._channel.setblocking(False)
        self._lines = _lines()
        told = next(self._lines, None)
        if told is None:
            sys.exit(1)
        orders = json.loads(told)
        self.role: Any = orders["role"]
        self._beat: float = orders["beat"]
        self.sibling = Sibling(**orders["sibling"])
        for descriptor in [channel, *orders["inherited"]]:
            os.set_inheritable(descriptor, False)  # they are not for processes that this one starts
        threading.Thread(target=self._go_with_it, name="parent", daemon=True).start()
        self.settings = Settings(**orders["settings"])
        """What the parent has read. It may change."""

    def listen(self, changed: Callable[[], None]) -> None:
        """Begin to listen to it. `changed` is called on this event loop when there are other settings."""
        loop = asyncio.get_running_loop()

        def take(settings: Settings) -> None:
            self.settings = settings
            changed()

        def obey() -> None:
            for line in self._lines:
                with suppress(RuntimeError):  # the loop is closed: this process is about to end
                    loop.call_soon_threadsafe(take, Settings(**json.loads(line)["settings"]))

        threading.Thread(target=obey, name="orders", daemon=True).start()

    def say_ready(self) -> None:
        """This process can work. From now on it says that it lives."""
        _say(self._channel, READY)
        self._say_alive()

    def _say_alive(self) -> None:
        _say(self._channel, ALIVE)
        asyncio.get_running_loop().call_later(self._beat, self._say_alive)

    def connections(self, has_room: Callable[[], bool]) -> "Connections":
        """Those that the parent gives to this process, as long as it has room."""
        return Connections(self._channel, has_room)

    def _go_with_it(self) -> None:
        end = select.poll()
        end.register(0, 0)  # nothing is asked but whether the other end is closed
        end.poll()
        shutil.rmtree(Path(self.sibling.engines).parent, ignore_errors=True)  # it was the parent's, who cannot
        os._exit(1)


class Connections:
    """Connections that the parent has accepted."""

    def __init__(self, channel: socket.socket, has_room: Callable[[], bool]) -> None:
        self._channel = channel
        self._has_room = has_room
        self._pause: asyncio.TimerHandle | None = None

    def begin(self, take: Callable[[socket.socket], None]) -> None:
        """Give all that come to `take`."""
        asyncio.get_running_loop().add_reader(self._channel, self._arrive, take)

    def end(self) -> None:
        """Have no more come."""
        self._stop()
        _say(self._channel, LEAVING)

    def _arrive(self, take: Callable[[socket.socket], None]) -> None:
        if not self._has_room() or not self._has_descriptor():  # those that come meanwhile wait, or others have them
            self._stop()
            self._pause = asyncio.get_running_loop().call_later(PAUSE, self.begin, take)
            return
        try:
            said, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
        except BlockingIOError:
            return
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # a process that is started would hold it open
            take(socket.socket(fileno=descriptor))
        if not said:
            self._stop()  # the parent has gone, as the other pipe says too

    def _has_descriptor(self) -> bool:
        """Whether the system has one for this process. Where it has none, it loses the connection without a word."""
        try:
            os.close(os.dup(self._channel.fileno()))
        except OSError:
            return False
        return True

    def _stop(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        asyncio.get_running_loop().remove_reader(self._channel)


def _say(channel: socket.socket, word: bytes) -> None:
    with suppress(OSError):  # nobody listens any more
        channel.send(word)


def _lines() -> Iterator[bytes]:
    """What comes on stdin, without a buffer of Python's: a thread that waits in one holds up the end of a process."""
    begun = b""
    while more := os.read(0, 65536):
        *lines, begun = (begun + more).split(b"\n")
        yield from lines
