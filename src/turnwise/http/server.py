"""The process that listens: uvicorn, told when to say that it is ready and how to stop."""

import socket
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 5
"""How long connections may take to end once the server stops. Runs are ended before that, so streams end at once."""


class Server(uvicorn.Server):
    """uvicorn, with a word when it listens, and runs that end before their connections are waited for."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        on_ready: Callable[[str], None],
        on_stop: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready(self._url())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the runs, then the connections."""
        await self._on_stop()
        await super().shutdown(sockets)

    def _url(self) -> str:
        """Where it listens: the port may have been left to the system."""
        port = self.servers[0].sockets[0].getsockname()[1]
        host = self.config.host
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
