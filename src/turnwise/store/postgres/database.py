"""The connections to a PostgreSQL database, and what holds for everything that is done with them.

A connection may be lost at any time: the server is restarted, a proxy gives up, another machine takes over. Nobody who
asks for something hears of it, as long as the database is back within `PATIENCE` seconds: what was under way is done
again. So everything done here must bear being done twice. A `Work` is told whether it may have been done before. And if
it did something in a transaction whose end was never heard of, and finds nothing to do the next time, then the first
time is what counts.

PostgreSQL cannot keep the character NUL, and clients can send it. So there is a codec for text, which writes it in
another way; it reaches single values, and arrays of text go through `encode_texts`.
"""

import asyncio
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

from turnwise.store.errors import DatabaseRefused, DatabaseUnavailable, StoreClosed

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Connection: TypeAlias = Any
"""A connection of asyncpg's, its own or lent by a pool: two types that can do the same."""

Record: TypeAlias = asyncpg.Record

PATIENCE = 30.0
"""Seconds for which a database may be away, or keep us waiting."""

CLOSING_PATIENCE = 5.0
"""Likewise, once the store is to be closed."""

CONNECTING = 5.0
"""Seconds that a connection may take to be made."""

CONNECTIONS = 10
"""How many there are at once, at the most, beside the one that listens."""

# A plan is made once for a statement, perhaps while a table is nearly empty, and used when it is full. Every statement
# here has an index that serves it, whatever there is.
SESSION = {"application_name": "turnwise", "jit": "off", "enable_seqscan": "off"}
"""How a session with the server is set."""

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # it has become a standby, or is not yet the master
    asyncpg.InternalClientError,
    OSError,  # TimeoutError among them
)
"""What is raised when a connection is lost, or cannot be had just now."""

IN_THE_WAY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)
"""What is raised when others did something at the same moment. Nothing was done."""

REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password among them
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
    ValueError,
)
"""What is raised when the server does not let us in, or the address is none."""


class Work(Protocol[T_co]):
    """Something to do with a connection."""

    async def __call__(self, connection: Connection, again: bool) -> T_co:
        """Do it. `again`: it may have been done before."""


class _Lost(Exception):
    """A connection was lost, or there was none."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(describe(reason))


class Database:
    """A pool of connections. `open_postgres` makes one."""

    def __init__(self, url: str, pool: "asyncpg.Pool[Record]") -> None:
        self.url = url
        self._pool = pool
        self._closed = False
        self._calls = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._lost_at: float | None = None

    def is_unbroken(self, seconds: float) -> bool:
        """Whether no connection was lost for so long, as far as anybody here has noticed."""
        return self._lost_at is None or time.monotonic() - self._lost_at > seconds

    async def fetch(self, statement: str, *arguments: Any) -> list[Record]:
        """The rows that one statement gives, which is a transaction of its own and bears being done twice."""

        async def work(connection: Connection, again: bool) -> list[Record]:
            rows: list[Record] = await connection.fetch(statement, *arguments)
            return rows

        return await self.do(work)

    async def fetch_one(self, statement: str, *arguments: Any) -> Record | None:
        """The first of them."""
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def write(self, work: Work[T]) -> T:
        """Do something in one transaction."""
        return await self.do(_InTransaction(work))

    async def do(self, work: Work[T]) -> T:
        """Do something with a connection, until it is done.

        Raises:
            StoreClosed: `close` was called before.
            DatabaseUnavailable: the database is away for too long, or refuses what it is asked.
        """
        self.require_open()
        self._calls += 1
        self._quiet.clear()
        try:
            return await self._do(work)
        except asyncpg.PostgresError as error:
            raise DatabaseUnavailable(describe(error)) from error
        finally:
            self._calls -= 1
            if not self._calls:
                self._quiet.set()

    def require_open(self) -> None:
        """Raise StoreClosed once `close` was called."""
        if self._closed:
            raise StoreClosed

    async def close(self) -> None:
        """Wait for what was begun, then close all connections. Whatever is asked for later is refused."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(CLOSING_PATIENCE):
                await self._quiet.wait()
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _do(self, work: Work[T]) -> T:
        begun, again = time.monotonic(), False
        for pause in pauses():
            try:
                return await self._try(work, again)
            except IN_THE_WAY as error:
                reason: Exception = error
            except _Lost as error:
                reason, again = error, True
                self._lost_at = time.monotonic()
            if time.monotonic() - begun > (CLOSING_PATIENCE if self._closed else PATIENCE):
                break
            await asyncio.sleep(pause)
        raise DatabaseUnavailable(describe(reason)) from reason

    async def _try(self, work: Work[T], again: bool) -> T:
        try:
            async with self._pool.acquire() as connection:
                try:
                    return await work(connection, again)
                except LOST:
                    _end(connection)
                    raise
                except asyncpg.InterfaceError as error:
                    if not _has_ended(connection):
                        raise
                    raise _Lost(error) from error
        except LOST as error:
            raise _Lost(error) from error


def _end(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # it has ended, and the pool has let go of it
        connection.terminate()


def _has_ended(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has let go of it
        return True


class _InTransaction(Generic[T]):
    """A work as a transaction. It remembers what came of it when nobody knows whether that was kept."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._unheard: list[T] = []

    async def __call__(self, connection: Connection, again: bool) -> T:
        results: list[T] = []
        try:
            async with connection.transaction():
                results.append(await self._work(connection, again))
        except (*LOST, asyncpg.InterfaceError):
            self._unheard = results or self._unheard
            raise
        return results[0] or next(iter(self._unheard), results[0])


def pauses() -> Iterator[float]:
    """How many seconds to wait before the next try, and the next: from very short to half a second, and never the same
    as others wait."""
    longest = 0.02
    while True:
        yield random.uniform(longest / 2, longest)
        longest = min(longest * 2, 0.5)


# -- how a connection is made


async def make_pool(url: str) -> "asyncpg.Pool[Record]":
    """A pool of connections, none of which is there yet.

    Raises:
        ValueError, asyncpg.InterfaceError: the address is none.
    """
    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=CONNECTIONS,
        timeout=CONNECTING,
        command_timeout=PATIENCE,
        server_settings=SESSION,
        init=_prepare,
        reset=_leave_as_it_is,
    )


async def connect(url: str) -> Connection:
    """A connection that is not of the pool, for what takes long."""
    connection = await asyncpg.connect(url, timeout=CONNECTING, server_settings=SESSION)
    await _prepare(connection)
    return connection


async def check_encoding(connection: Connection) -> None:
    """Refuse a database that cannot hold every text.

    Raises:
        DatabaseRefused: it cannot.
    """
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise DatabaseRefused(f"it has the encoding {encoding}, and UTF8 is needed; make another one")


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "text", schema="pg_catalog", encoder=encode_text, decoder=decode_text, format="text"
    )


async def _leave_as_it_is(connection: Connection) -> None:
    """Nobody here changes a connection's settings: there is nothing to undo, and that is a round trip less."""


_MARK = "\ufdd0"
"""A character that is none, which Unicode sets apart for uses such as this one."""


def encode_text(text: str) -> str:
    """Text as PostgreSQL can keep it."""
    if "\0" in text or _MARK in text:
        return text.replace(_MARK, f"{_MARK}1").replace("\0", f"{_MARK}0")
    return text


def decode_text(text: str) -> str:
    """What `encode_text` wrote."""
    if _MARK in text:
        return text.replace(f"{_MARK}0", "\0").replace(f"{_MARK}1", _MARK)
    return text


def encode_texts(texts: Iterable[str]) -> list[str]:
    """Texts for an array."""
    return [encode_text(text) for text in texts]


# -- what went wrong


def describe(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return " ".join((str(error) or type(error).__name__).split())


def where(url: str) -> str:
    """Which database an address names, without the password."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    host = parts.hostname or next(iter(asked.get("host", ())), "this machine")
    name = parts.path.strip("/") or parts.username or ""
    return f"'{name}' at {host}" + (f":{parts.port}" if parts.port else "")


def affected(status: str) -> int:
    """How many rows a statement has changed, by what the server said of it: `UPDATE 3`."""
    return int(status.rpartition(" ")[2])


def numbered(statement: str) -> str:
    """A statement with `?` for its arguments, as PostgreSQL has them: `$1`, `$2`."""
    first, *others = statement.split("?")
    return first + "".join(f"${number}{piece}" for number, piece in enumerate(others, 1))


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as columns, for the arrays that a statement unnests."""
    return [[row[at] for row in rows] for at in range(width)]


async def hold(connection: Connection, what: str, whose: str) -> None:
    """Have whoever counts the same thing wait until this transaction is over, so that a limit is one."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))", what, whose)
