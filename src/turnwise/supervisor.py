"""Several processes that serve as one: the parent, which starts them, keeps them alive, and gives them connections.

    turnwise serve --processes 4

The parent takes the port, and what can be had only once; it answers nothing itself. Each connection that it accepts it
gives to the next of its children, over a socket of the child's, so that they have equally many; left to the system, one
of four may have all (`docs/decisions/2026-11-23-processes-on-one-machine.md`). A child is a server like any other
(`sibling.py`), a fresh interpreter. When one dies, the runs that it carried are gone on with by the others, and another
child takes its place. When the parent dies, the children go too.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from turnwise.http.door import Door
from turnwise.http.server import address_of, listen
from turnwise.processes import end_within, import_path, start_process
from turnwise.settings import Settings
from turnwise.sibling import ARRIVED, LEAVING, READY

log = logging.getLogger("turnwise")

PAUSES = (0.0, 0.2, 1.0, 5.0, 15.0, 60.0)
"""How long, in seconds, to wait before another child takes a dead one's place: after one, two, ... deaths in a row."""

STEADY = 60.0
"""How long, in seconds, a child has to live for its death to be the first in a row."""

HELD = 0.05
"""How long, in seconds, a connection waits that no child took. No other one is accepted meanwhile."""

BEAT = 5.0
"""How often, in seconds, a child says that it lives."""

SILENCE = 6
"""How many times a child may be looked at, once a beat, without having said so. Then it is killed: one that stands
still holds what others wait for, its connections and perhaps the right to write. Looks are counted, and not seconds:
where the parent stood still too, nobody is to blame."""

LAST_WORDS = 0.5
"""How long, in seconds, the parent may take to stop when its children have."""

WAITING = 16_384
"""How much room there is, in bytes, for connections that a child was given and has not taken yet: on Linux for 43. One
that stands still is given no more than these, and those that are accepted in one go find room with two children."""

STOPPING = (signal.SIGINT, signal.SIGTERM)

AS_ASKED = (0, 128 + signal.SIGTERM, -signal.SIGTERM)
"""How a child ends that is asked to: when it is ready; while it starts; before it could listen to signals."""


class NotStarted(Exception):
    """A child ended before the server was ready."""


@dataclass(slots=True, eq=False)
class _Child:
    """A child that lives."""

    number: int
    process: asyncio.subprocess.Process
    channel: socket.socket
    """Where connections are given to it."""
    is_ready: bool = False
    unheard: int = 0
    """How many times it was looked at since it said something."""


class Supervisor:
    """The parent."""

    def __init__(
        self,
        settings: Settings,
        role: str,
        sockets: Sequence[socket.socket],
        *,
        inherited: Sequence[int],
        engines: str,
        on_ready: Callable[[str], None],
        patience: tuple[float, float],
    ) -> None:
        """`sockets` are bound, and are not listened on yet. `inherited` are descriptors that the children have too, and
        `engines` is where engines are lent. `on_ready` is told the address, or nothing if there are no sockets.
        `patience`: how long, in seconds, the children may take to stop when asked to, and when asked once more; those
        that have not by then are killed."""
        self._settings = settings
        self._role = role
        self._sockets = list(sockets)
        self._inherited = tuple(inherited)
        self._engines = engines
        self._on_ready = on_ready
        self._patience = patience
        self._children: dict[int, _Child] = {}
        self._taking: deque[_Child] = deque()
        """Those that take connections, the next one first."""
        self._held: deque[socket.socket] = deque()
        """Connections that no child has taken yet."""
        self._door = Door(self._sockets, lambda: not self._held)
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._looking: asyncio.TimerHandle | None = None
        self._is_well = True

    async def run(self) -> bool:
        """Serve until a signal comes. Whether all children ended as they should.

        Raises:
            CannotListen: another process took the port since we did, and was quicker to listen.
            NotStarted: a child ended before all were ready; what it said was why.
        """
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self.stop)
        lives = [loop.create_task(self._keep(number)) for number in range(1, self._settings.processes + 1)]
        try:
            await self._open()
            self._look_later()
            await asyncio.gather(*lives)
        finally:
            if not self._stopping.is_set():
                self.stop()
            await asyncio.gather(*lives, return_exceptions=True)
            if self._looking is not None:
                self._looking.cancel()
            for number in STOPPING:
                loop.remove_signal_handler(number)
        return self._is_well

    def stop(self) -> None:
        """Stop in peace. Asked once more, wait for nobody."""
        is_first = not self._stopping.is_set()
        patience = self._patience[0 if is_first else 1]
        asyncio.get_running_loop().call_later(patience, self._kill)
        end_within(patience + LAST_WORDS)
        self._stopping.set()
        self._ready.set()
        if is_first:
            self._door.end()
            for taken in [*self._sockets, *self._held]:
                taken.close()
            self._held.clear()
        for child in self._children.values():
            _signal(child, signal.SIGTERM)

    def _kill(self) -> None:
        for child in self._children.values():
            log.error("process %d was asked to stop, and did not in time: it is killed", child.number)
            _signal(child, signal.SIGKILL)

    def change(self, settings: Settings) -> None:
        """Have all children answer by the models of these settings, which can be. Those that are started from now on
        know nothing else."""
        self._settings = self._settings.model_copy(update={"models": settings.models})  # the rest counts later
        for child in self._children.values():
            _tell(child, {"settings": _written(settings)})

    # -- children

    async def _keep(self, number: int) -> None:
        """Have a child under this number, again and again, until all is stopped."""
        clock = asyncio.get_running_loop().time
        deaths = 0
        while not self._stopping.is_set():
            begun = clock()
            end = await self._live(number)
            if self._stopping.is_set():
                return
            if not self._ready.is_set():
                self.stop()
                raise NotStarted(f"process {number} {end} before the server was ready")
            deaths = 1 if clock() - begun > STEADY else deaths + 1
            pause = PAUSES[min(deaths, len(PAUSES)) - 1]
            log.error("process %d %s; another takes its place%s", number, end, f" in {pause:g} s" * (pause > 0))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def _live(self, number: int) -> str:
        """A child, from its start to its end. Returns how it ended."""
        try:
            child = await self._start(number)
        except OSError as error:
            return f"could not be started ({error.strerror})"
        code = await child.process.wait()
        self._forget(child)
        self._is_well &= code in AS_ASKED or not self._stopping.is_set()
        return _ended(code)

    async def _start(self, number: int) -> _Child:
        """Start a child, and tell it who it is.

        Raises:
            OSError: the system has no room for one more.
        """
        with ExitStack() as behind:
            ours, theirs = socket.socketpair()
            behind.callback(ours.close)
            behind.callback(theirs.close)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WAITING)
            process = await start_process(
                *(sys.executable, "-P", "-m", "turnwise", "sibling", str(theirs.fileno())),
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(theirs.fileno(), *self._inherited),
                env=os.environ | {"PYTHONPATH": import_path()},
                start_new_session=True,  # a Ctrl-C is meant for us, and we tell them
            )
            behind.pop_all()
            theirs.close()
        ours.setblocking(False)
        child = self._children[number] = _Child(number, process, ours)
        asyncio.get_running_loop().add_reader(ours, self._hear, child)
        sibling = {"number": number, "replaces": self._ready.is_set(), "engines": self._engines}
        orders = {"role": self._role, "sibling": sibling, "inherited": self._inherited, "beat": BEAT}
        _tell(child, orders | {"settings": _written(self._settings)})
        if self._stopping.is_set():
            _signal(child, signal.SIGTERM)
        return child

    def _hear(self, child: _Child) -> None:
        """A child says whether it takes connections."""
        try:
            said = child.channel.recv(16)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            asyncio.get_running_loop().remove_reader(child.channel)
        child.unheard = 0
        if READY in said and not self._stopping.is_set():
            child.is_ready = True
            self._taking.append(child)
            if sum(one.is_ready for one in self._children.values()) == self._settings.processes:
                self._ready.set()
        if (not said or LEAVING in said) and child in self._taking:
            self._taking.remove(child)

    def _look(self) -> None:
        """End those that do not move any more."""
        for child in self._children.values():
            child.unheard += child.is_ready
            if child.unheard > SILENCE:
                log.error("process %d has not moved for %g s: it is killed", child.number, SILENCE * BEAT)
                _signal(child, signal.SIGKILL)
        self._look_later()

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(BEAT, self._look)

    def _forget(self, child: _Child) -> None:
        del self._children[child.number]
        if child in self._taking:
            self._taking.remove(child)
        asyncio.get_running_loop().remove_reader(child.channel)
        child.channel.close()

    # -- connections

    async def _open(self) -> None:
        """Listen, once all children are ready, and say so."""
        await self._ready.wait()
        if self._stopping.is_set():
            return
        listen(self._settings.host, self._sockets)
        self._door.begin(self._take)
        self._on_ready(address_of(self._settings.host, self._sockets))

    def _take(self, connection: socket.socket) -> None:
        """Give a connection to a child, at once or as soon as one takes it."""
        if not self._give(connection):
            self._held.append(connection)
            self._give_later()

    def _give_later(self) -> None:
        asyncio.get_running_loop().call_later(HELD, self._give_held)

    def _give_held(self) -> None:
        if self._held and self._give(self._held[0]):
            self._held.popleft()
            self._give_held()
        elif self._held:
            self._give_later()

    def _give(self, connection: socket.socket) -> bool:
        """Give a connection to the next child that takes it. False: none does, for now."""
        for _ in range(len(self._taking)):
            child = self._taking[0]
            self._taking.rotate(-1)
            try:
                socket.send_fds(child.channel, [ARRIVED], [connection.fileno()])
            except OSError:  # it has as many as it can be given for now, or is dying
                continue
            connection.close()
            return True
        return False


def _tell(child: _Child, order: dict[str, Any]) -> None:
    """Tell a child something. One that is gone hears nothing."""
    assert child.process.stdin is not None
    with suppress(ConnectionError, RuntimeError):
        child.process.stdin.write(json.dumps(order).encode() + b"\n")


def _signal(child: _Child, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        child.process.send_signal(how)


def _written(settings: Settings) -> dict[str, Any]:
    """Settings as a child is told them: what is set."""
    return settings.model_dump(mode="json", exclude_unset=True)


def _ended(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
