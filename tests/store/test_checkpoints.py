"""The log of a SQLite file: copied beside the writer, bounded, and empty behind a deletion."""

import asyncio
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from store.values import CARRIED, ended, opening, running, words
from turnwise.store import checkpoints, sqlite_file
from turnwise.store.checkpoints import Checkpoints
from turnwise.store.sqlite import open_sqlite

BOUND = 60.0
"""Seconds that no test waits longer for anything."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turnwise.db"


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE words (word TEXT)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield connection
    connection.close()


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def add(writer: sqlite3.Connection, rows: int = 1) -> None:
    for _ in range(rows):
        writer.execute("INSERT INTO words VALUES ('a word')")


def in_the_file(path: Path) -> int:
    """How many rows there are without what the log has."""
    alone = path.with_name("alone.db")
    shutil.copyfile(path, alone)
    connection = connect(alone)
    ((rows,),) = connection.execute("SELECT count(*) FROM words").fetchall()
    connection.close()
    return int(rows)


def size(path: Path) -> int:
    """Of its log."""
    return path.with_name(f"{path.name}-wal").stat().st_size


def wait_until(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND
    while not fact():
        assert time.monotonic() < until


def test_a_long_log_is_copied_beside_the_writer_which_copies_the_rest(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHANGES", 10)
    beside = Checkpoints(connect(path))
    beside.keep_up(writer)
    add(writer, 10)
    beside.keep_up(writer)
    wait_until(lambda: in_the_file(path) == 10)
    add(writer)
    wait_until(lambda: beside._state == "copied")
    beside.keep_up(writer)
    assert in_the_file(path) == 11
    grown = size(path)
    add(writer, 5)
    assert size(path) == grown, "the log begins anew"
    beside.close()


def test_a_short_log_is_left(path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "CHANGES", 10)
    beside = Checkpoints(connect(path))
    add(writer, 9)
    beside.keep_up(writer)
    beside.close()
    assert in_the_file(path) == 0


class Worn(sqlite3.Connection):
    """A connection that has changed almost as many rows as SQLite can count."""

    @property
    def total_changes(self) -> int:
        return (super().total_changes + 2**31 - 5 + 2**31) % 2**32 - 2**31


def test_a_log_is_copied_though_the_count_of_changes_begins_anew(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHANGES", 10)
    beside = Checkpoints(connect(path))
    worn = sqlite3.connect(path, isolation_level=None, factory=Worn)
    for _ in range(2):  # what it has changed by then is much; and then nothing, as it begins
        beside.keep_up(worn)
        wait_until(lambda: beside._state != "copying")
    add(worn, 10)
    assert worn.total_changes < 0
    beside.keep_up(worn)
    wait_until(lambda: in_the_file(path) == 10)
    worn.close()
    beside.close()


def test_a_log_that_cannot_be_copied_is_the_business_of_nobody_who_writes(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHANGES", 1)
    broken = connect(path)
    broken.close()
    beside = Checkpoints(broken)
    add(writer)
    beside.keep_up(writer)
    wait_until(lambda: beside._state == "copied")
    beside.keep_up(writer)
    assert in_the_file(path) == 1
    beside.close()


async def test_the_log_of_a_store_that_is_written_to_all_the_time_does_not_grow_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHANGES", 100)
    monkeypatch.setattr(sqlite_file, "AUTOCHECKPOINT", 0)
    store = await open_sqlite(path)
    await store.create(running("one"), opening("one"), CARRIED)
    position, since, seen = 3, 0, 0
    async with asyncio.timeout(BOUND):
        while since < 20:
            await store.append([words("one", position, "word")])
            position += 1
            since = since + 1 if size(path) == seen else 0
            seen = size(path)
    assert len(await store.events("one", 0)) == position - 1
    await store.close()


async def test_a_store_that_is_closed_leaves_no_thread_behind(path: Path) -> None:
    store = await open_sqlite(path)
    assert "store-checkpoints" in {thread.name for thread in threading.enumerate()}
    await store.close()
    assert "store-checkpoints" not in {thread.name for thread in threading.enumerate()}


COPYING = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    fcntl.lockf(index, fcntl.LOCK_EX, 1, 121)
    print("copying", flush=True)
    sys.stdin.read()
"""
"""What another process does that makes a checkpoint, as far as others feel it: it holds WAL_CKPT_LOCK."""


@pytest.mark.skipif(sys.platform == "win32", reason="locks bytes as POSIX has it")
async def test_what_is_deleted_while_somebody_copies_the_log_is_gone_all_the_same(path: Path) -> None:
    store = await open_sqlite(path)
    await store.create(ended("one", text="secret-1"))
    index = path.with_name(f"{path.name}-shm")
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", COPYING, index, stdin=PIPE, stdout=PIPE)
    assert other.stdout is not None
    assert await asyncio.wait_for(other.stdout.readline(), BOUND) == b"copying\n"
    deleting = asyncio.create_task(store.delete("one", "ann"))
    async with asyncio.timeout(BOUND):
        while await store.load("one", "ann") is not None:
            pass
    assert not deleting.done()
    await asyncio.wait_for(other.communicate(b""), BOUND)
    assert await asyncio.wait_for(deleting, BOUND)
    assert not any(b"secret-1" in file.read_bytes() for file in path.parent.iterdir())
    await store.close()


async def test_what_is_deleted_while_the_log_is_copied_here_is_gone_however_long_that_takes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHANGES", 1)
    monkeypatch.setattr(sqlite_file, "AUTOCHECKPOINT", 0)
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.0)
    store = await open_sqlite(path)
    await store.create(ended("one", text="secret-1"))
    await store.create(ended("large", text="x" * 20_000_000))
    await store.create(ended("larger", text="x" * 20_000_000))
    assert await store.delete("one", "ann")
    assert size(path) == 0
    await store.close()
