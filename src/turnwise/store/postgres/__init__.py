"""The store of many machines: a PostgreSQL database.

All processes of a server may use it at once, wherever they are. It has the same tables as SQLite, and one file here for
each part of the contract. `database.py` has the connections, and what happens when one is lost; `hearing.py` has how
processes tell one another what became of runs.

Leases go by the database's clock. Every lock is held for the length of a statement, or of a transaction of a few, and
nobody holds one while it waits for anything but the database. Searching, listening and locks by name need a session:
between us and the server there may be a pooler of connections only if it gives each of us one for as long as we want.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import asyncpg

from turnwise.store.errors import DatabaseRefused, DatabaseUnavailable
from turnwise.store.migrate import check_postgres
from turnwise.store.postgres.database import LOST, REFUSED, Database, check_encoding, describe, make_pool, where
from turnwise.store.postgres.documents import PostgresDocuments
from turnwise.store.postgres.files import PostgresFiles
from turnwise.store.postgres.hearing import Ears
from turnwise.store.postgres.interactions import PostgresInteractions
from turnwise.store.postgres.others import PostgresKeys, PostgresNotices, PostgresResources

__all__ = ["PostgresStore", "open_postgres"]


class PostgresStore(
    PostgresInteractions, PostgresNotices, PostgresResources, PostgresKeys, PostgresFiles, PostgresDocuments
):
    """See `store.py` for what its methods promise."""

    async def close(self) -> None:
        await self._ears.close()
        await self._database.close()


async def open_postgres(url: str) -> PostgresStore:
    """The store in the database at this address, which has to be up to date.

    Raises:
        DatabaseUnavailable: it cannot be reached.
        DatabaseRefused: it does not let us in, or cannot hold every text.
        OlderDatabase, NewerDatabase: it is not up to date.
    """
    async with AsyncExitStack() as opened:
        ears = Ears(url)
        opened.push_async_callback(ears.close)
        with _explained(url):
            pool = await make_pool(url)
            opened.push_async_callback(pool.close)
            async with pool.acquire() as connection:
                await check_encoding(connection)
                await check_postgres(connection)
            await ears.open()
        opened.pop_all()
    return PostgresStore(Database(url, pool), ears)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """What is wrong with a database, in words that say which one it is."""
    try:
        yield
    except REFUSED as error:
        raise DatabaseRefused(f"{where(url)} cannot be used: {describe(error)}") from error
    except (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailable(f"{where(url)} cannot be reached: {describe(error)}") from error
