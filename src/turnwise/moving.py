"""Moving: everything that is in a data directory, into a PostgreSQL database.

All rows are written in one transaction: the database gets all of them or, whatever happens, none. Only the bytes of
files go before them, one file after another, if they go to an object store; when a move is tried again, those that are
there are not sent again.

The data directory stays as it was, but for migrations that it lacked.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from turnwise.data import SEALING, alone, open_blobs, open_store
from turnwise.settings import POSTGRES_FORM, Settings, SettingsError
from turnwise.store.blobs import DiskBlobs
from turnwise.store.errors import StoreError
from turnwise.store.migrate import migrate_sqlite
from turnwise.store.postgres.database import Connection, describe, encode_text
from turnwise.store.postgres.documents import ADD_WORDS, word_rows
from turnwise.store.store import BlobStore, chunk_id
from turnwise.store.tables import metadata

ROWS = 100
"""How many rows are in memory at once."""

PIECE = 1 << 20
"""How many bytes of a file are."""

Progress = Callable[[str, int, int], None]
"""Told what is being moved, how much of it is there, and how much there is."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move came to."""

    rows: dict[str, int]
    """How many rows of each table."""
    blobs: int
    """How many blobs the rows name."""
    left: Path | None
    """The folder where these still are, if there are any and they did not move."""


def move(settings: Settings, source: Path, progress: Progress) -> Moved:
    """Copy what is in a data directory into the database of these settings.

    Raises:
        SettingsError: there is nothing to move, a server is using it, or the database is not an empty one of ours.
    """
    database, sealing_key = source / "turnwise.db", source / "sealing.key"
    if not settings.is_shared:
        raise SettingsError(f"database_url: name the PostgreSQL database to move to: {POSTGRES_FORM}")
    if not database.is_file():
        raise SettingsError(f"--from: there is no {database}; name the data directory of a server that uses SQLite")
    with alone(database), closing(_open(database)) as old:
        sealing = sealing_key.read_bytes() if sealing_key.is_file() else None
        return asyncio.run(_Move(settings, old, progress).run(source / "blobs", sealing))


def _open(database: Path) -> sqlite3.Connection:
    """The file, with all tables that this version knows."""
    # Rows are read in threads, one after another.
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    try:
        migrate_sqlite(connection, database)
    except (StoreError, sqlite3.Error) as error:
        connection.close()
        raise SettingsError(f"--from: {database} cannot be read: {error}") from error
    return connection


class _Move:
    """A move, from one database to another."""

    def __init__(self, settings: Settings, old: sqlite3.Connection, progress: Progress) -> None:
        self._settings = settings
        self._old = old
        self._progress = progress

    async def run(self, folder: Path, sealing: bytes | None) -> Moved:
        """Move everything. `folder` has the blobs, and `sealing` is what thoughts are sealed with."""
        await (await open_store(self._settings, migrate=True)).close()
        new = await asyncpg.connect(self._settings.database_url)
        try:
            await _require_empty(new)
            blobs = self._blobs()
            left = await self._move_blobs(folder, blobs)
            async with new.transaction():
                await _require_empty(new)
                rows = await self._move_rows(new)
                if sealing is not None:
                    await _keep_sealing_key(new, sealing)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise SettingsError(f"database_url: the move failed, and no row was kept: {describe(error)}") from error
        finally:
            await new.close()
        return Moved(rows, len(blobs), left)

    # -- rows

    async def _move_rows(self, new: Connection) -> dict[str, int]:
        """Copy all tables. How many rows each has."""
        await new.execute("DELETE FROM secrets")
        moved = {table.name: await self._move_table(new, table.name, table.columns.keys()) for table in TABLES}
        # Whoever carried a run is gone with the server that used the file.
        await new.execute("UPDATE runs SET carrier = NULL, until = NULL, deaths = deaths + 1 WHERE carrier IS NOT NULL")
        await self._continue_keys(new)
        await self._index_words(new)
        return moved

    async def _move_table(self, new: Connection, name: str, columns: Sequence[str]) -> int:
        of = self._count(name)
        rows = self._records(f"SELECT {', '.join(columns)} FROM {name}", partial(self._progress, name), of)
        await new.copy_records_to_table(name, columns=columns, records=rows)
        moved = int(await new.fetchval(f"SELECT count(*) FROM {name}"))
        if moved != of:
            raise SettingsError(f"of {of} rows of {name}, {moved} arrived; none was kept")
        return moved

    async def _continue_keys(self, new: Connection) -> None:
        """The key of a document that is gone is not used again here either."""
        for (key,) in self._old.execute("SELECT seq FROM sqlite_sequence WHERE name = 'documents'").fetchall():
            await new.execute("SELECT setval(pg_get_serial_sequence('documents', 'key'), $1)", key)

    async def _index_words(self, new: Connection) -> None:
        """Index the words of chunks, as PostgreSQL has them."""
        documents = self._old.execute("SELECT key, store_id, display_name FROM documents ORDER BY key").fetchall()
        for done, (key, store_id, title) in enumerate(documents, 1):
            first, behind = chunk_id(key, 0), chunk_id(key + 1, 0)
            async for chunks in self._read(f"SELECT id, text FROM chunks WHERE id >= {first} AND id < {behind}"):
                await new.execute(ADD_WORDS, *word_rows(store_id, title, chunks))
            self._progress("words", done, len(documents))

    async def _records(
        self, statement: str, progress: Callable[[int, int], None], of: int
    ) -> AsyncIterator[Sequence[Any]]:
        """The rows of a query as PostgreSQL can keep them."""
        done = 0
        async for rows in self._read(statement):
            for row in rows:
                yield [encode_text(value) if isinstance(value, str) else value for value in row]
            done += len(rows)
            progress(done, of)

    async def _read(self, statement: str) -> AsyncIterator[Sequence[Any]]:
        """The rows of a query, a few at a time."""
        cursor = await asyncio.to_thread(self._old.execute, statement)
        while rows := await asyncio.to_thread(cursor.fetchmany, ROWS):
            yield rows

    def _count(self, table: str) -> int:
        ((count,),) = self._old.execute(f"SELECT count(*) FROM {table}").fetchall()
        return int(count)

    # -- blobs

    def _blobs(self) -> list[tuple[str, int]]:
        """The blobs that rows name, and whether they are whole."""
        return self._old.execute(
            "SELECT blob, 1 FROM files UNION SELECT blob, 1 FROM documents WHERE blob IS NOT NULL "
            "UNION SELECT blob, 0 FROM uploads WHERE file_id IS NULL"
        ).fetchall()

    async def _move_blobs(self, folder: Path, blobs: Sequence[tuple[str, int]]) -> Path | None:
        """Copy blobs to the object store, if the settings name one. Returns where they are left, if any are."""
        if not blobs:
            return None
        if self._settings.files.blobs_url is None:
            return folder
        old, new = DiskBlobs(folder), await open_blobs(self._settings)
        try:
            for done, (key, is_whole) in enumerate(blobs, 1):
                await _move_blob(folder, old, new, key, bool(is_whole))
                self._progress("files", done, len(blobs))
        finally:
            await old.close()
            await new.close()
        return None


TABLES = metadata.sorted_tables


async def _require_empty(new: Connection) -> None:
    """Refuse a database that has anything but secrets, which a server makes when it is started. In a transaction, keep
    it as empty as it is."""
    names = [table.name for table in TABLES if table.name != "secrets"]
    if new.is_in_transaction():
        await new.execute(f"LOCK TABLE {', '.join(names)}")
    for name in names:
        if await new.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):
            raise SettingsError(f"database_url: the database has {name} already; what moves goes to an empty one")


async def _keep_sealing_key(new: Connection, key: bytes) -> None:
    """What was sealed in the data directory can be opened by whoever uses the database."""
    statement = "INSERT INTO secrets (name, value) VALUES ($1, $2)"
    await new.execute(f"{statement} ON CONFLICT (name) DO UPDATE SET value = excluded.value", SEALING, key)


async def _move_blob(folder: Path, old: DiskBlobs, new: BlobStore, key: str, is_whole: bool) -> None:
    there = await new.size(key)
    if there < await old.size(key):
        pieces = old.read(key, there) if is_whole else _unfinished(folder / "unfinished" / key, there)
        await new.append(key, there, pieces)
    if is_whole:
        await new.seal(key)


async def _unfinished(path: Path, start: int) -> AsyncIterator[bytes]:
    """The bytes of a blob that is still coming."""
    with path.open("rb") as file:
        file.seek(start)
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


def describe_move(moved: Moved, settings: Settings) -> Iterator[str]:
    """What a move came to, in lines for a person."""
    rows = moved.rows
    yield (
        f"moved: {rows['interactions']} interaction(s), {rows['files']} file(s), {rows['documents']} document(s), "
        f"{rows['keys']} key(s), and all that belongs to them"
    )
    if moved.left is None:
        return
    if moved.left.parent.absolute() == settings.data_dir.absolute():
        yield f"the bytes of files stay in {moved.left}: keep that folder"
    else:
        yield (
            f"the bytes of files stay in {moved.left}: copy that folder to {settings.data_dir / 'blobs'}, or "
            f"serve with data_dir = {str(moved.left.parent)!r}"
        )
