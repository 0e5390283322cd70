"""The store on one machine: a SQLite file in WAL mode.

One thread writes. It takes all calls that wait and commits them as one group, so that a hundred callers
share one wait for the disk. Three threads read, each with a connection of its own: one looks up single
interactions, one reads what may be long, so that nobody's look-up waits behind another's history, and one
searches documents. Readers and the writer never wait for one another.

A group is synced to the disk before its callers are told (`synchronous=FULL`), unless it holds nothing but
events of running interactions: these survive the process (`NORMAL`), and after a power cut the run ends as
what was kept of it.

What is deleted is overwritten (`secure_delete`), and the write-ahead log, which holds older copies of pages, is
emptied before the caller is told. That is not yet all: when SQLite moves rows from one page to another it may
leave copies in the unused middle of a page, where no deletion finds them. So a file that something was deleted
from is made anew (`VACUUM`) as soon as the writer has nothing to do, unless it is too big to do that unasked.

The statements are plain strings and not SQLAlchemy's, whose overhead would be the greater part of a call's
cost. Those that another SQL engine understands too are in `statements.py`. Other processes may open the
file at the same time (`turnwise keys` does): every transaction is short, and whoever finds the file locked
waits.
"""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from turnwise.domain.events import Event
from turnwise.domain.file_search import Chunk, Document, Found, SearchStore
from turnwise.domain.files import File, Upload
from turnwise.domain.interaction import Interaction
from turnwise.store import documents
from turnwise.store import statements as sql
from turnwise.store.codec import unpack
from turnwise.store.errors import AlreadyKept
from turnwise.store.migrate import migrate_sqlite
from turnwise.store.rows import (
    Row,
    event_rows,
    file_row,
    interaction_row,
    key_row,
    outcome_row,
    read_file,
    read_interaction,
    read_key,
    read_link,
    read_upload,
    settled_row,
    upload_row,
    write_time,
)
from turnwise.store.store import Added, Batch, Finished, Key, Link, Place, Scope, Vectors
from turnwise.store.worker import Call, Outcome, Worker

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds to wait for a lock that another process holds."""

PAGE_CACHE = 16_000
"""How many KiB each connection may hold of the file: a long history, and the inner pages of a big file."""

COMPACTED_UNASKED = 64 * 1024 * 1024
"""The size in bytes up to which a file is made anew after deletions: it takes about a third of a second."""


async def open_sqlite(path: Path) -> "SQLiteStore":
    """The store in this file, which is made or brought up to date first."""
    writer, *readers = await asyncio.to_thread(_connect_all, path)
    return SQLiteStore(
        Worker("store-writer", writer, _Writer().settle, _compact),
        *(Worker("store-reader", reader, _read_each) for reader in readers),
    )


class SQLiteStore:
    """See `store.py` for what its methods promise."""

    def __init__(self, writer: Worker, lookups: Worker, histories: Worker, searches: Worker) -> None:
        self._writer = writer
        self._lookups = lookups
        self._histories = histories
        self._searches = searches

    # -- interactions

    async def create(self, interaction: Interaction, batch: Batch | None = None) -> None:
        row = interaction_row(interaction)
        events = _event_rows(batch)

        def work(connection: sqlite3.Connection) -> None:
            _insert(connection, sql.CREATE, row)
            connection.executemany(sql.APPEND, events)

        await self._writer.do(work)

    async def append(self, batches: Sequence[Batch]) -> None:
        events = _event_rows(*batches)

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(sql.APPEND, events)

        await self._writer.do(work, durable=False)

    async def finish(self, interaction: Interaction, batch: Batch | None = None) -> bool:
        row = outcome_row(interaction)
        events = _event_rows(batch)

        def work(connection: sqlite3.Connection) -> bool:
            if not connection.execute(sql.FINISH, row).rowcount:
                return False
            connection.executemany(sql.APPEND, events)
            return True

        return await self._writer.do(work)

    async def load(self, id: str, owner: str) -> Interaction | None:
        def work(connection: sqlite3.Connection) -> Interaction | None:
            row = connection.execute(sql.LOAD, (id, owner)).fetchone()
            return None if row is None else read_interaction(row)

        return await self._lookups.do(work)

    async def chain(self, id: str, owner: str) -> Sequence[Link]:
        def work(connection: sqlite3.Connection) -> list[Link]:
            rows = connection.execute(sql.CHAIN, (id, owner, owner)).fetchall()
            return [read_link(row) for _, *row in sorted(rows, reverse=True)]

        return await self._histories.do(work)

    async def events(self, id: str, after: int) -> Sequence[tuple[int, Event]]:
        def work(connection: sqlite3.Connection) -> list[tuple[int, Event]]:
            rows = connection.execute(sql.EVENTS, (id, after, id, after)).fetchall()
            return list(unpack(rows, after))

        return await self._histories.do(work)

    async def delete(self, id: str, owner: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            if not connection.execute(sql.DELETE, (id, owner)).rowcount:
                return False
            connection.execute(sql.DELETE_EVENTS, (id,))
            connection.execute(_MARK.format(1))
            return True

        return await self._writer.do(work, erases=True)

    async def unfinished(self) -> Sequence[Interaction]:
        def work(connection: sqlite3.Connection) -> list[Interaction]:
            return [read_interaction(row) for row in connection.execute(sql.UNFINISHED).fetchall()]

        return await self._histories.do(work)

    # -- keys

    async def add_key(self, key: Key) -> None:
        row = key_row(key)
        await self._writer.do(lambda connection: _insert(connection, sql.ADD_KEY, row))

    async def keys(self) -> Sequence[Key]:
        def work(connection: sqlite3.Connection) -> list[Key]:
            return [read_key(row) for row in connection.execute(sql.KEYS).fetchall()]

        return await self._lookups.do(work)

    async def revoke_key(self, id: str, at: datetime) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            return connection.execute(sql.REVOKE_KEY, (write_time(at), id)).rowcount > 0

        return await self._writer.do(work)

    # -- files

    async def begin_upload(self, upload: Upload, at: datetime, quota: int) -> bool:
        row = upload_row(upload)
        used = _used_arguments(upload.owner, at, upload.hash)

        def work(connection: sqlite3.Connection) -> bool:
            if _used(connection, used) + upload.reserved > quota:
                return False
            connection.execute(sql.BEGIN_UPLOAD, row)
            return True

        return await self._writer.do(work)

    async def upload(self, hash: bytes) -> Upload | None:
        def work(connection: sqlite3.Connection) -> Upload | None:
            row = connection.execute(sql.UPLOADED, (hash,)).fetchone()
            return None if row is None else read_upload(row)

        return await self._lookups.do(work)

    async def reserve(self, hash: bytes, size: int, at: datetime, quota: int) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            row = connection.execute(f"SELECT owner FROM uploads WHERE {sql.RUNNING}", (hash,)).fetchone()
            if row is None or _used(connection, _used_arguments(row[0], at, hash)) + size > quota:
                return False
            connection.execute(sql.RESERVE, (size, size, hash))
            return True

        return await self._writer.do(work, durable=False)

    async def finish_upload(self, hash: bytes, file: File) -> Finished:
        row = file_row(file)

        def work(connection: sqlite3.Connection) -> Finished:
            if not connection.execute(f"SELECT 1 FROM uploads WHERE {sql.RUNNING}", (hash,)).fetchall():
                return "gone"
            if not connection.execute(sql.CREATE_FILE, row).rowcount:
                return "taken"
            connection.execute(sql.BECOME, (file.id, hash))
            return "kept"

        return await self._writer.do(work)

    async def drop_upload(self, hash: bytes) -> bool:
        return await self._writer.do(lambda connection: _drop(connection, hash), erases=True)

    async def file(self, id: str, owner: str) -> File | None:
        def work(connection: sqlite3.Connection) -> File | None:
            row = connection.execute(sql.LOAD_FILE, (id, owner)).fetchone()
            return None if row is None else read_file(row)

        return await self._lookups.do(work)

    async def files(self, owner: str, at: datetime, limit: int, after: Place | None = None) -> Sequence[File]:
        created, id = ("9999", "") if after is None else (write_time(after[0]), after[1])
        arguments = (owner, write_time(at), created, id, limit)

        def work(connection: sqlite3.Connection) -> list[File]:
            return [read_file(row) for row in connection.execute(sql.FILES, arguments).fetchall()]

        return await self._histories.do(work)

    async def settle_file(self, file: File) -> bool:
        row = settled_row(file)
        return await self._writer.do(lambda connection: connection.execute(sql.SETTLE_FILE, row).rowcount > 0)

    async def delete_file(self, id: str, owner: str) -> str | None:
        def work(connection: sqlite3.Connection) -> str | None:
            return _delete_file(connection, id, owner)

        # The name that a person gave to a file must leave the database too.
        return await self._writer.do(work, erases=True)

    async def processing(self) -> Sequence[File]:
        def work(connection: sqlite3.Connection) -> list[File]:
            return [read_file(row) for row in connection.execute(sql.PROCESSING).fetchall()]

        return await self._histories.do(work)

    async def expire(self, at: datetime, limit: int) -> int:
        bound = (write_time(at), limit)

        def work(connection: sqlite3.Connection) -> int:
            files = connection.execute(sql.EXPIRED_FILES, bound).fetchall()
            uploads = connection.execute(sql.EXPIRED_UPLOADS, bound).fetchall()
            for id, owner in files:
                _delete_file(connection, id, owner)
            for (hash,) in uploads:
                if not _drop(connection, hash):
                    connection.execute(sql.DELETE_FINISHED, (hash,))
            return len(files) + len(uploads)

        return await self._writer.do(work, erases=True)

    async def litter(self, limit: int) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            return [blob for (blob,) in connection.execute(sql.LITTER, (limit,)).fetchall()]

        return await self._histories.do(work)

    async def cleared(self, blobs: Sequence[str]) -> None:
        rows = [(blob,) for blob in blobs]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(sql.CLEARED, rows)

        await self._writer.do(work, durable=False)

    # -- documents

    async def create_search_store(self, store: SearchStore, most: int) -> bool:
        return await self._writer.do(lambda connection: documents.create_store(connection, store, most))

    async def search_store(self, id: str, owner: str) -> SearchStore | None:
        return await self._lookups.do(lambda connection: documents.load_store(connection, id, owner))

    async def search_stores(self, owner: str, limit: int, after: Place | None = None) -> Sequence[SearchStore]:
        return await self._histories.do(lambda connection: documents.list_stores(connection, owner, limit, after))

    async def delete_search_store(self, id: str, owner: str, *, force: bool) -> bool | None:
        def work(connection: sqlite3.Connection) -> bool | None:
            leave = _mark_litter(connection)
            return _marked(connection, documents.delete_store(connection, id, owner, force, leave))

        return await self._writer.do(work, erases=True)

    async def finish_document_upload(self, hash: bytes, document: Document, most: int) -> Added:
        def work(connection: sqlite3.Connection) -> Added:
            if not connection.execute(f"SELECT 1 FROM uploads WHERE {sql.RUNNING}", (hash,)).fetchall():
                return "gone"
            added = documents.add(connection, document, most)
            if added == "kept":
                connection.execute(sql.BECOME, (document.id, hash))
            return added

        return await self._writer.do(work)

    async def document(self, id: str, store_id: str, owner: str) -> Document | None:
        return await self._lookups.do(lambda connection: documents.load(connection, id, store_id, owner))

    async def documents(self, store_id: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Document]:
        def work(connection: sqlite3.Connection) -> list[Document]:
            return documents.list_documents(connection, store_id, owner, limit, after)

        return await self._histories.do(work)

    async def delete_document(self, id: str, store_id: str, owner: str, *, force: bool) -> bool | None:
        def work(connection: sqlite3.Connection) -> bool | None:
            leave = _mark_litter(connection)
            return _marked(connection, documents.delete(connection, id, store_id, owner, force, leave))

        return await self._writer.do(work, erases=True)

    async def pending_documents(self) -> Sequence[Document]:
        return await self._histories.do(documents.pending)

    async def add_chunks(self, document: Document, first: int, chunks: Sequence[Chunk]) -> bool:
        # Not durable by itself: the document is pending, and is read again after the machine lost power.
        return await self._writer.do(
            lambda connection: documents.add_chunks(connection, document, first, chunks), durable=False
        )

    async def settle_document(self, document: Document, vectors: Vectors | None = None) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            return documents.settle(connection, document, vectors, _mark_litter(connection))

        return await self._writer.do(work)

    async def searchable(self, scope: Scope, limit: int, after: int = 0) -> Sequence[Document]:
        return await self._searches.do(lambda connection: documents.searchable(connection, scope, limit, after))

    async def search_words(self, scope: Scope, query: str, limit: int) -> Sequence[int]:
        return await self._searches.do(lambda connection: documents.search_words(connection, scope, query, limit))

    async def vectors(self, scope: Scope, model: str) -> Sequence[Vectors]:
        return await self._searches.do(lambda connection: documents.load_vectors(connection, scope, model))

    async def found(self, ids: Sequence[int], owner: str) -> Sequence[Found]:
        return await self._searches.do(lambda connection: documents.found(connection, ids, owner))

    async def unembedded(self, model: str, limit: int) -> Sequence[Document]:
        return await self._histories.do(lambda connection: documents.unembedded(connection, model, limit))

    async def chunk_texts(self, key: int) -> Sequence[str]:
        return await self._histories.do(lambda connection: documents.chunk_texts(connection, key))

    async def keep_vectors(self, vectors: Vectors) -> bool:
        return await self._writer.do(lambda connection: documents.keep_vectors(connection, vectors))

    async def clear_chunks(self, limit: int) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            return _marked(connection, documents.clear_chunks(connection, limit))

        return await self._writer.do(work, erases=True)

    async def close(self) -> None:
        # The writer last: the last connection to be closed empties the log into the file and removes it.
        for worker in (self._lookups, self._histories, self._searches, self._writer):
            await worker.stop()


def _event_rows(*batches: Batch | None) -> list[Row]:
    """Rows for `APPEND`, which needs the id twice."""
    rows = event_rows([batch for batch in batches if batch is not None])
    return [(*row, row[0]) for row in rows]


def _insert(connection: sqlite3.Connection, statement: str, row: Row) -> None:
    try:
        connection.execute(statement, row)
    except sqlite3.IntegrityError as error:
        raise AlreadyKept(row[0]) from error


def _used_arguments(owner: str, at: datetime, but: bytes) -> Row:
    """For `USED`: what the owner holds of the quota, but for this upload."""
    now = write_time(at)
    return (owner, now, owner, now, but)


def _used(connection: sqlite3.Connection, arguments: Row) -> int:
    ((used,),) = connection.execute(sql.USED, arguments).fetchall()
    return int(used) + documents.used(connection, arguments[0])


def _drop(connection: sqlite3.Connection, hash: bytes) -> bool:
    return _leave(connection, connection.execute(sql.DROP_UPLOAD, (hash,)).fetchall()) is not None


def _delete_file(connection: sqlite3.Connection, id: str, owner: str) -> str | None:
    return _leave(connection, connection.execute(sql.DELETE_FILE, (id, owner)).fetchall())


def _leave(connection: sqlite3.Connection, deleted: list[Row]) -> str | None:
    """The blob of a row that was deleted, if one was: it is litter now."""
    for (blob,) in deleted:
        _mark_litter(connection)(blob)
        connection.execute(_MARK.format(1))
        return str(blob)
    return None


def _mark_litter(connection: sqlite3.Connection) -> documents.Leave:
    """What is done with a blob that nothing names any more."""

    def leave(blob: str) -> None:
        connection.execute(sql.LEAVE, (blob,))

    return leave


def _marked(connection: sqlite3.Connection, deleted: T) -> T:
    """What a deletion tells, with the file marked if it deleted something."""
    if deleted:
        connection.execute(_MARK.format(1))
    return deleted


# -- the threads' side


def _connect_all(path: Path) -> list[sqlite3.Connection]:
    """The writer's connection and the readers', to a database that is up to date."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = _connect(path)
    try:
        _keep_a_log(writer)
        writer.execute("PRAGMA secure_delete = ON")
        migrate_sqlite(writer, path)
        # Were we killed right after a delete, the log still has what was deleted.
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return [writer, *(_connect_reader(path) for _ in range(3))]
    except BaseException:
        writer.close()
        raise


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are ours to begin (isolation_level), and a worker's thread takes the connection over.
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    # A query that spills must not leave text in a temporary file.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
    return connection


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log. SQLite does not wait for another connection that does so at this very moment, since
    two that wait for each other would never end: so we do, for as long as it waits for everything else."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


_MARK = "PRAGMA user_version = {}"
"""A number in the head of the file that is free for us: 1 since something was deleted, until `_compact`."""


def _compact(connection: sqlite3.Connection) -> None:
    """Make the file anew, if something was deleted from it and it is not too big."""
    ((deleted,),) = connection.execute("PRAGMA user_version").fetchall()
    ((size,),) = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    if deleted and size <= COMPACTED_UNASKED:
        documents.optimize(connection)
        connection.execute("VACUUM")
        connection.execute(_MARK.format(0))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _read_each(connection: sqlite3.Connection, calls: Sequence[Call]) -> Sequence[Outcome]:
    return [call.attempt(connection) for call in calls]


class _Writer:
    """Commits groups of calls. Remembers how the connection is set, and whether the log is to be emptied."""

    def __init__(self) -> None:
        self._synchronous = ""
        self._traces = False

    def settle(self, connection: sqlite3.Connection, calls: Sequence[Call]) -> Sequence[Outcome]:
        outcomes = self._commit(connection, calls)
        self._traces |= any(call.erases and _is_done(outcome) for call, outcome in zip(calls, outcomes, strict=True))
        if self._traces:
            # Busy, when another process is reading for longer than we wait: then after the next group.
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._traces = bool(busy)
        return outcomes

    def _commit(self, connection: sqlite3.Connection, calls: Sequence[Call]) -> list[Outcome]:
        """One transaction of all these calls. If one fails, the halves are tried, so that it fails alone."""
        self._synchronize(connection, "FULL" if any(call.durable for call in calls) else "NORMAL")
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = _until_error(connection, calls)
            if not isinstance(outcomes[-1], Exception):
                connection.execute("COMMIT")
                return outcomes
        except sqlite3.Error as error:  # the file itself: locked for too long, or on a disk that is full
            return [error] * len(calls)
        finally:
            # Not if all went well, nor if SQLite did it already, as it may when the disk is full.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if len(calls) == 1:
            return outcomes
        middle = len(calls) // 2
        return self._commit(connection, calls[:middle]) + self._commit(connection, calls[middle:])

    def _synchronize(self, connection: sqlite3.Connection, level: str) -> None:
        if level != self._synchronous:
            connection.execute(f"PRAGMA synchronous = {level}")
            self._synchronous = level


def _is_done(outcome: Outcome) -> bool:
    return bool(outcome) and not isinstance(outcome, Exception)


def _until_error(connection: sqlite3.Connection, calls: Sequence[Call]) -> list[Outcome]:
    """The outcomes of the calls, up to and with the first that fails."""
    outcomes: list[Outcome] = []
    for call in calls:
        outcomes.append(call.attempt(connection))
        if isinstance(outcomes[-1], Exception):
            break
    return outcomes
