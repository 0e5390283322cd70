"""The process that listens: uvicorn, told where to listen, when to say that it is ready, and how to stop."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Protocol
from weakref import ref

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from turnwise.domain.errors import Internal
from turnwise.http.door import Door, take_descriptors
from turnwise.http.streaming import AT_ONCE

GRACE_SECONDS = 3
"""How long calls may take to end once the server stops. Runs are ended before that, so streams end at once."""

STOPPING = (signal.SIGINT, signal.SIGTERM)

BACKLOG = 2048
"""How many may wait to be accepted."""

SILENCE = 30.0
"""How long, in seconds, a connection may be there before the first byte of its first call. Behind a call it is five."""


class CannotListen(Internal):
    """The port is taken, or the address is not ours, or there is none of that name."""


def take_port(host: str, port: int) -> list[socket.socket]:
    """Take a port at every address that a name has. Nobody can connect before a server is started on it.

    Raises:
        CannotListen: it cannot be had; the message says why.
    """
    with ExitStack() as taken:
        sockets: list[socket.socket] = []
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, _, _, _, address in dict.fromkeys(found):
                free = sockets[0].getsockname()[1] if sockets else port  # what port 0 gave counts for all
                sockets.append(taken.enter_context(_bound(family, (address[0], free, *address[2:]))))
        except (OSError, UnicodeError) as error:
            raise _cannot_listen(host, port, error) from error
        taken.pop_all()
        return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    # With the protocol named, asyncio sends what there is at once and does not wait for more to send with it.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def listen(host: str, sockets: Sequence[socket.socket]) -> None:
    """Listen where `take_port` has bound, for whoever accepts by itself.

    Raises:
        CannotListen: another process took the port since we did, and was quicker to listen.
    """
    for bound in sockets:
        try:
            bound.listen(BACKLOG)
        except OSError as error:
            raise _cannot_listen(host, bound.getsockname()[1], error) from error
        bound.setblocking(False)


def address_of(host: str, sockets: Sequence[socket.socket]) -> str:
    """Where a server is reached that listens on these. Empty: nowhere."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{sockets[0].getsockname()[1]}" if sockets else ""


def _cannot_listen(host: str, port: int, error: OSError | UnicodeError) -> CannotListen:
    return CannotListen(f"cannot listen on {host}:{port}: {_reason(error)}")


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the port is taken; choose another with --port"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return "the system does not let this user have that port; choose one from 1024 with --port"
    return getattr(error, "strerror", None) or str(error)


class Arrivals(Protocol):
    """Connections that are accepted, here or by another process."""

    def begin(self, take: Callable[[socket.socket], None]) -> None:
        """Give every one that comes to `take`."""

    def end(self) -> None:
        """Have no more come."""


class Connection(HttpToolsProtocol):
    """A connection as uvicorn has it, that does not take a place for ever without saying anything."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(SILENCE, self.timeout_keep_alive_handler)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:
            # The cycle knows its scope, and the two would be a circle that each request leaves behind.
            self.scope["extensions"] = {AT_ONCE: partial(write_at_once, ref(self.cycle))}  # type: ignore[dict-item]

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timeout_keep_alive_task is not None:  # uvicorn lets it run on where the connection broke
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)

    def _unsupported_upgrade_warning(self) -> None:
        """A call that would rather be another protocol is answered as the call that it is: uvicorn's own words would
        tell the operator to install what nobody needs. A body of it has been taken for that protocol, and must not be
        taken for another call, so the connection ends with the answer."""
        if any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers):
            self.cycle.keep_alive = False


def write_at_once(answer: "ref[RequestResponseCycle]", data: bytes) -> bool:
    """Write more of the body of an answer that is sent piece by piece, as `send` does; but where `send` would wait,
    nothing is written. Whether it was."""
    cycle = answer()
    if cycle is None or cycle.flow.write_paused or cycle.disconnected or not cycle.chunked_encoding:
        return False
    cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
    return True


class Server(uvicorn.Server):
    """uvicorn, with a word when it listens, and runs that end before their connections are waited for."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        sockets: Sequence[socket.socket],
        on_ready: Callable[[str], None],
        on_stop: Callable[[], Awaitable[None]],
        on_signal: Callable[[bool], None] = lambda is_first: None,
        arrivals: Callable[[Callable[[], bool]], Arrivals] | None = None,
    ) -> None:
        """`on_ready` is told the address, or nothing if there are no sockets: a process may have work without
        listening. `on_signal` is called for each signal, and told whether it is the first. `arrivals` makes that from
        which connections come, of something that says whether there is room for one more; by default the sockets."""
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=Connection,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # what proxies say is read where it is wanted (address.py)
                timeout_graceful_shutdown=1,
                backlog=BACKLOG,
            )
        )
        self._host = host
        self._listening = list(sockets)
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._on_signal = on_signal
        self._most = take_descriptors()
        if arrivals is None and os.name == "posix":
            arrivals = partial(Door, self._listening)
        self._arrivals = arrivals and arrivals(self._has_room)
        self._arriving: set[asyncio.Task[None]] = set()

    async def run_until_stopped(self) -> None:
        """Serve until a signal comes. What is behind the server may then be closed in peace."""
        await self.serve(self._listening)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so.

        Raises:
            CannotListen: another process took the port since we did, and was quicker to listen.
        """
        listen(self._host, self._listening)
        await super().startup(self._listening if self._arrivals is None else [])
        if not self.should_exit:
            if self._arrivals is not None:
                self._arrivals.begin(self._welcome)
            self._on_ready(address_of(self._host, self._listening))

    def _has_room(self) -> bool:
        """Whether this process can have another connection."""
        return len(self.server_state.connections) + len(self._arriving) < self._most

    def _welcome(self, connection: socket.socket) -> None:
        """Serve a connection that was accepted."""
        task = asyncio.get_running_loop().create_task(self._connect(connection))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _connect(self, connection: socket.socket) -> None:
        def protocol() -> asyncio.Protocol:
            return self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )

        with suppress(OSError):  # it has been closed by now
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing more, end the runs, and let calls end by themselves for a while."""
        if self._arrivals is not None:
            self._arrivals.end()
        for server in self.servers:
            server.close()
        for listening in self._listening:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._on_stop()
        await self._end_calls()
        await super().shutdown(sockets)

    async def _end_calls(self) -> None:
        clock = asyncio.get_running_loop().time
        patience = clock() + GRACE_SECONDS
        while (calls := set(self.server_state.tasks)) and not self.force_exit and clock() < patience:
            await asyncio.wait(calls, timeout=0.1)  # a second signal sets no event
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls, timeout=1.0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal stops the server in peace. One more waits for nobody."""
        self._on_signal(not self.should_exit)
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal stops the server, and that is all. uvicorn raises it again afterwards, which would end the process
        before the store and the engines behind it are closed."""
        before = {number: signal.signal(number, self.handle_exit) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
