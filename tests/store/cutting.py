"""A line to a PostgreSQL server that can be cut at the worst moment: when the server has done something, and before
anybody hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"
"""What PostgreSQL calls its socket in a folder."""


class Line:
    """Passes on what a client and a server say. `url` is where the server is to be found behind it."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._mark: bytes | None = None
        self.cuts = 0

    def cut_at(self, mark: bytes) -> None:
        """Cut the connection on which the server says this next. It is not heard."""
        self._mark = mark

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one connection, until either side ends it."""
        server_reader, server_writer = await asyncio.open_unix_connection(self._server)
        asking = asyncio.create_task(self._ask(reader, server_writer))
        try:
            await self._answer(server_reader, writer)
        finally:
            asking.cancel()
            for end in (writer, server_writer):
                end.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            server.write(data)
        server.write_eof()

    async def _answer(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await server.read(65536):
                if self._mark is not None and self._mark in data:
                    self._mark = None
                    self.cuts += 1
                    return
                writer.write(data)


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[tuple[Line, str]]:
    """A line to the database at this address, and the address at its end."""
    folder = parse_qs(urlsplit(url).query)["host"][0]
    line = Line(Path(folder) / SOCKET)
    with TemporaryDirectory(prefix="turnwise-") as end:
        server = await asyncio.start_unix_server(line.serve, Path(end) / SOCKET)
        yield line, url.replace(folder, end)
        server.close()
