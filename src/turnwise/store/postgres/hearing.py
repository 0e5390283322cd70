"""News of runs, told among all processes that use a database, by LISTEN and NOTIFY.

A process has one connection that listens, for all who want to know. It mends itself; and since nobody knows what was
said while it was away, it then says that something has happened, and everybody looks.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress

import asyncpg
import orjson

from turnwise.store.news import SOMETHING, Teller
from turnwise.store.postgres.database import Connection, connect, describe, pauses
from turnwise.store.postgres.statements import CHANNEL
from turnwise.store.store import News

log = logging.getLogger("turnwise.store")

LONGEST = 7900
"""Bytes of a notification, of which PostgreSQL takes less than 8000."""

QUIET = 30.0
"""Seconds without a word after which to ask whether the connection is still one."""


def write_news(news: News) -> list[str]:
    """News as notifications, of which there are several if there is much to say. What is too long for one is said as
    something that has happened."""
    whole = _write(news)
    if len(whole.encode()) <= LONGEST:
        return [whole]
    ids = [(kind, id) for kind in ("told", "taken") for id in sorted(getattr(news, kind))]
    if len(ids) < 2:
        return [_write(SOMETHING)]
    middle = len(ids) // 2
    return [*_write_some(ids[:middle], news.waiting), *_write_some(ids[middle:], False)]


def _write_some(ids: list[tuple[str, str]], waiting: bool) -> list[str]:
    told = frozenset(id for kind, id in ids if kind == "told")
    taken = frozenset(id for kind, id in ids if kind == "taken")
    return write_news(News(told, taken, waiting))


def _write(news: News) -> str:
    return orjson.dumps([sorted(news.told), sorted(news.taken), news.waiting]).decode()


def read_news(payload: str) -> News:
    """What `write_news` wrote."""
    told, taken, waiting = orjson.loads(payload)
    return News(frozenset(told), frozenset(taken), waiting)


class Ears:
    """The connection that listens, from `open` to `close`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._teller = Teller()
        self._connection: Connection | None = None
        self._broken = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database cannot be reached.
        """
        await self._connect()
        self._listening = asyncio.create_task(self._listen_on(), name="store ears")

    def listen(self) -> AsyncGenerator[News, None]:
        """What is said from now on."""
        return self._teller.listen()

    async def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._teller.close()
        if self._connection is not None:
            self._connection.terminate()

    async def _connect(self) -> None:
        self._broken.clear()
        connection = await connect(self._url)
        try:
            connection.add_termination_listener(lambda _: self._broken.set())
            await connection.add_listener(CHANNEL, self._hear)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._teller.tell(read_news(str(payload)))

    async def _listen_on(self) -> None:
        """Have a connection that listens, whatever happens to the one before."""
        while True:
            await self._until_broken()
            await self._mend()
            self._teller.tell(SOMETHING)

    async def _until_broken(self) -> None:
        assert self._connection is not None
        while not self._broken.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET):
                    await self._broken.wait()
                    return
            # Nothing is heard of a machine that is gone.
            try:
                await self._connection.execute("SELECT 1", timeout=QUIET)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return

    async def _mend(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        log.warning("the database is away: nothing is heard of other processes until it is back")
        for pause in pauses():
            try:
                await self._connect()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.debug("the database is still away: %s", describe(error))
                await asyncio.sleep(pause)
            else:
                log.info("the database is back")
                return
