"""Checkpoints of a SQLite file: what its log has is copied into it, beside the writer.

By itself SQLite does so within the commit that makes the log long enough, and whoever waits for that commit, and for
those behind it, waits for all of the copying. Here a thread with a connection of its own does most of it while the
writer goes on. Then the writer copies what it has written meanwhile, which is little, and the log begins anew.
"""

import sqlite3
import time
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Literal

CHANGES = 2_000
"""How many rows a writer changes before the log is copied: it has some thousand pages then. Of a page that was written
again and again only the last one is copied."""

CHANGES_COUNTED = 2**32
"""How many changes SQLite counts before it begins anew, with numbers below 0 in their second half."""

AUTOCHECKPOINT = 16_000
"""How many pages the log may have before the writer copies all of it after all, as SQLite does by itself."""

PAUSE = 0.002
"""How long, in seconds, to wait for somebody else's checkpoint before looking again."""


class Checkpoints:
    """A thread that copies the log when the writer's thread tells it to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """`connection`: one of its own."""
        self._connection = connection
        self._state: Literal["idle", "copying", "copied"] = "idle"
        self._changes = 0
        """How many rows the writer had changed when the log began anew."""
        self.copying = Lock()
        """Held by the thread while it copies."""
        self._is_closing = False
        self._told = Event()
        self._thread = Thread(target=self._run, name="store-checkpoints", daemon=True)
        self._thread.start()

    def keep_up(self, writer: sqlite3.Connection) -> None:
        """Behind a commit of the writer: have the log copied if it has become long, and copy the rest once it is."""
        if self._state == "copied":
            self._state = "idle"
            self._changes = writer.total_changes
            _copy(writer)
        elif self._state == "idle" and (writer.total_changes - self._changes) % CHANGES_COUNTED >= CHANGES:
            self._state = "copying"
            self._told.set()

    def close(self) -> None:
        """End the thread, and close its connection."""
        self._is_closing = True
        self._told.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._told.wait()
            self._told.clear()
            if self._is_closing:
                break
            with self.copying:
                _copy(self._connection)
            self._state = "copied"
        self._connection.close()


def _copy(connection: sqlite3.Connection) -> None:
    """Copy what can be copied without waiting for anybody. What cannot be, as on a full disk, is copied later."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def truncate(connection: sqlite3.Connection, patience: float) -> bool:
    """Copy the log into the file, and leave nothing in it. False: another process is reading for longer than the
    connection waits, or has been copying for `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # SQLite waits for readers, but not for another checkpoint.
        if not is_busy or time.monotonic() > until:
            return not is_busy
        time.sleep(PAUSE)
