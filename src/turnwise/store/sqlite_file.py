"""A SQLite file: how it is opened, written to in groups, and cleaned of what was deleted.

All of this runs in the threads of `sqlite.py`, which says why it is so.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TypeVar

from turnwise.store import documents
from turnwise.store.checkpoints import AUTOCHECKPOINT, Checkpoints, truncate
from turnwise.store.migrate import migrate_sqlite
from turnwise.store.worker import Call, Outcome

with suppress(ImportError):  # Windows, where no two processes serve from one file
    import fcntl

C = TypeVar("C", bound=sqlite3.Connection)

PATIENCE = 10.0
"""Seconds to wait for a lock that another process holds."""

PAGE_CACHE = 16_000
"""How many KiB each connection may hold of the file: a long history, and the inner pages of a big file."""

COMPACTED_UNASKED = 64 * 1024 * 1024
"""The size in bytes up to which a file is made anew after deletions: it takes about a third of a second."""

_sync = getattr(os, "fdatasync", os.fsync)
"""As SQLite does it: without what is only said of the data, where the system can tell them apart."""


class Connection(sqlite3.Connection):
    """The writer's connection."""

    leaves_traces = False
    """Whether the log may still have what was deleted."""
    is_doubted = False
    """Whether the disk may lack some of the log, though it says of all that follows that it has it: a sync has failed,
    and what it was to write is not written by the next one."""
    checkpoints: Checkpoints | None = None
    log: int | None = None
    """The descriptor of its log."""

    def truncate(self) -> bool:
        """Leave nothing in the log, as `checkpoints.truncate` does. What copies it here is waited for, however long it
        takes: nobody else would do it any sooner."""
        with nullcontext() if self.checkpoints is None else self.checkpoints.copying:
            is_empty = truncate(self, PATIENCE)
        if is_empty:
            self.is_doubted = False  # all of it is in the file
        return is_empty

    def sync(self) -> None:
        """Have all that was committed survive the machine losing power. SQLite could do so within each commit, and then
        the next one would wait for the disk, too. Whichever thread calls it.

        Raises:
            OSError: the disk has not taken it, or has not taken what is before it in the log.
        """
        assert self.log is not None
        if self.is_doubted:
            raise OSError(errno.EIO, "an earlier part of the log could not be synced")
        try:
            _sync(self.log)
        except OSError:
            self.is_doubted = True
            raise

    def close(self) -> None:
        """Close it, and with it what copies its log."""
        if self.checkpoints is not None:
            self.checkpoints.close()
        if self.log is not None:
            os.close(self.log)
            self.log = None
        super().close()


class Turns:
    """The right to write to a file, for one of several processes that do so all the time: they get it one after
    another, as they ask. SQLite's own lock protects the file all the same; but whoever waits for that one only looks
    again after a while, and a while longer, and may find that somebody else was quicker each time. The system frees
    what a process held that dies."""

    def __init__(self, path: Path) -> None:
        self._lock = os.open(path.with_name(f"{path.name}.turns"), os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def __del__(self) -> None:
        os.close(self._lock)


def connect_all(path: Path) -> tuple[Connection, list[sqlite3.Connection]]:
    """The writer's connection and the readers', to a database that is up to date."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = _connect(path, Connection)
    try:
        _keep_a_log(writer)
        writer.execute("PRAGMA secure_delete = ON")
        writer.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT}")
        migrate_sqlite(writer, path)
        # Were we killed right after a delete, the log still has what was deleted.
        writer.truncate()
        writer.execute("PRAGMA synchronous = NORMAL")  # see `sync`
        writer.log = _open_log(writer)
        writer.checkpoints = Checkpoints(_connect_reader(path))
        return writer, [_connect_reader(path) for _ in range(3)]
    except BaseException:
        writer.close()
        raise


def _connect(path: Path, factory: type[C]) -> C:
    # Transactions are ours to begin (isolation_level), and a worker's thread takes the connection over.
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, factory=factory)
    # A query that spills must not leave text in a temporary file.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
    return connection


def _open_log(connection: sqlite3.Connection) -> int:
    """A descriptor of the log of a connection, which is there once the file was read. SQLite knows where it is: beside
    the file itself, if what we were given is a link to it."""
    (file,) = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    return os.open(f"{file}-wal", os.O_RDWR | getattr(os, "O_BINARY", 0))


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
    connection = _connect(path, sqlite3.Connection)
    connection.execute("PRAGMA query_only = ON")
    return connection


_NUMBERS = 2**31
"""How many numbers there are that SQLite keeps in the head of a file; what is larger it takes for 0."""


def deletions(connection: sqlite3.Connection) -> int:
    """A number that is another one after each deletion, whichever process deletes."""
    ((number,),) = connection.execute("PRAGMA user_version").fetchall()
    return int(number)


def empty_log(connection: sqlite3.Connection) -> None:
    """Within a call of the writer: what it has removed must leave the log before the caller is told."""
    assert isinstance(connection, Connection)
    connection.leaves_traces = True


def mark_deleted(connection: sqlite3.Connection) -> None:
    """The same, of what somebody has deleted: the file is to be made anew, too."""
    empty_log(connection)
    _mark(connection, deletions(connection) + 1 | 1)


def _mark(connection: sqlite3.Connection, number: int) -> None:
    """Write a number into the head of the file. It grows with each deletion, and is odd until `compact`."""
    connection.execute(f"PRAGMA user_version = {number % _NUMBERS}")


def compact(connection: sqlite3.Connection) -> None:
    """Make the file anew, if something was deleted from it and it is not too big."""
    assert isinstance(connection, Connection)
    number = deletions(connection)
    ((size,),) = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    if number % 2 and size <= COMPACTED_UNASKED:
        documents.optimize(connection)
        connection.execute("VACUUM")
        connection.leaves_traces = True  # and if they cannot go now, then after the next group
        _mark_as_new(connection, number)
        connection.leaves_traces = not connection.truncate()


def _mark_as_new(connection: sqlite3.Connection, number: int) -> None:
    """Say that the file was made anew, unless another process has deleted something since it had this number: no number
    may come a second time."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if deletions(connection) == number:
            _mark(connection, number + 1)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def read_each(connection: sqlite3.Connection, calls: Sequence[Call]) -> Sequence[Outcome]:
    """Settle the calls of a reader."""
    return [call.attempt(connection) for call in calls]


def write_together(connection: sqlite3.Connection, calls: Sequence[Call]) -> Sequence[Outcome]:
    """Settle the calls of the writer: commit them as a group, and empty the log if it has what one of them has
    deleted, or what the disk may lack."""
    assert isinstance(connection, Connection)
    outcomes = _commit(connection, calls)
    if connection.leaves_traces or connection.is_doubted:
        # Busy, when another process is reading for longer than we wait, or the disk is full: then after the next group.
        # What was committed was committed, and its callers must hear so.
        with suppress(sqlite3.Error):
            connection.leaves_traces = not connection.truncate()
    return outcomes


def keep_up(connection: sqlite3.Connection) -> None:
    """Behind a group: see to it that the log does not become too long."""
    assert isinstance(connection, Connection)
    if connection.checkpoints is not None:
        connection.checkpoints.keep_up(connection)


def _commit(connection: sqlite3.Connection, calls: Sequence[Call]) -> list[Outcome]:
    """One transaction of all these calls. If one fails, the halves are tried, so that it fails alone."""
    if len(calls) == 1 and calls[0].single:
        return [calls[0].attempt(connection)]  # a statement is a transaction
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
    return _commit(connection, calls[:middle]) + _commit(connection, calls[middle:])


def _until_error(connection: sqlite3.Connection, calls: Sequence[Call]) -> list[Outcome]:
    """The outcomes of the calls, up to and with the first that fails."""
    outcomes: list[Outcome] = []
    for call in calls:
        outcomes.append(call.attempt(connection))
        if isinstance(outcomes[-1], Exception):
            break
    return outcomes
