"""The process that listens: uvicorn, told where to listen, when to say that it is ready, and how to stop."""

import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 5
"""How long connections may take to end once the server stops. Runs are ended before that, so streams end at once."""

STOPPING = (signal.SIGINT, signal.SIGTERM)


class CannotListen(Exception):
    """The address is taken, or not ours, or there is none of that name."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Take a port at every address that a name has. Connections wait there until a server takes them.

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
            raise CannotListen(f"cannot listen on {host}:{port}: {_reason(error)}") from error
        taken.pop_all()
        return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the port is taken; choose another with --port"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return "the system does not let this user have that port; choose one from 1024 with --port"
    return getattr(error, "strerror", None) or str(error)


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
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._host = host
        self._listening = list(sockets)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def run_until_stopped(self) -> None:
        """Serve until a signal comes. What is behind the server may then be closed in peace."""
        await self.serve(self._listening)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready(self._url())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing more, end the runs, then the connections."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._on_stop()
        await super().shutdown(sockets)

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

    def _url(self) -> str:
        """Where it listens: the port may have been left to the system."""
        port = self._listening[0].getsockname()[1]
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{port}"
