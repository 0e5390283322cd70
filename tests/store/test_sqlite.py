"""What the SQLite store alone does: groups, files, migrations, and being killed."""

import asyncio
import errno
import os
import re
import resource as resource_limits
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from store.values import (
    CARRIED,
    FOLLOWED,
    HERE,
    NOON,
    THERE,
    WAITING,
    document,
    ended,
    key,
    notice,
    opening,
    resource,
    running,
    search_store,
    stored_file,
    upload,
    words,
)
from support import nothing_kept_of, until, within
from turnwise.domain.events import Created
from turnwise.domain.file_search import Chunk, DocumentState
from turnwise.domain.files import NewFile
from turnwise.store import migrate, runs, sqlite_file
from turnwise.store.errors import AlreadyKept, NewerDatabase, StoreClosed
from turnwise.store.migrate import MIGRATIONS, alembic_config, revisions, upgrade_sqlite
from turnwise.store.migrations.__main__ import render_head
from turnwise.store.sqlite import SQLiteStore, open_sqlite
from turnwise.store.sqlite_file import Connection, compact, deletions, mark_deleted, write_together
from turnwise.store.store import NewRun, Run
from turnwise.store.tables import is_ours, metadata
from turnwise.store.worker import Call, Outcome

BOUND = 60.0
"""Seconds that no test waits longer for anything."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "down" / "turnwise.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    opened = await open_sqlite(path)
    yield opened
    await opened.close()


# -- processes


def test_processes_write_in_turns(path: Path) -> None:
    path.parent.mkdir(parents=True)
    one, other = sqlite_file.Turns(path), sqlite_file.Turns(path)
    written: list[str] = []

    def write_behind() -> None:
        with other:
            written.append("other")

    with one:
        behind = Thread(target=write_behind)
        behind.start()
        behind.join(timeout=0.2)
        written.append("one")
    behind.join(BOUND)
    assert written == ["one", "other"]


async def test_what_is_called_while_another_process_has_its_turn_is_one_group(path: Path) -> None:
    store = await open_sqlite(path, in_turns=True)
    other = sqlite_file.Turns(path)
    groups: list[int] = []
    settle = store._writer._settle
    store._writer._settle = lambda connection, calls: groups.append(len(calls)) or settle(connection, calls)  # type: ignore[func-returns-value]
    with other:
        keeping = [asyncio.create_task(store.create(ended(f"int_{number}"))) for number in range(2)]
        await asyncio.sleep(0)
    async with asyncio.timeout(BOUND):
        await asyncio.gather(*keeping)
        await store.close()
    assert groups == [2]


async def test_a_turn_that_the_system_refuses_is_told_to_whoever_called(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_sqlite(path, in_turns=True)

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_file.fcntl, "flock", refuse)
        async with asyncio.timeout(BOUND):
            with pytest.raises(OSError, match="no locks available"):
                await store.create(ended("int_1"))
    async with asyncio.timeout(BOUND):
        await store.create(ended("int_1"))
        await store.close()


# -- the disk


class HeldDisk:
    """A disk that takes nothing until it is let go."""

    def __init__(self, store: SQLiteStore) -> None:
        syncs = store._writer._syncs
        assert syncs is not None
        self._sync = syncs._sync
        self.is_free, self.is_asked = Event(), Event()
        self.error: OSError | None = None
        syncs._sync = self.sync

    def sync(self) -> None:
        self.is_asked.set()
        assert self.is_free.wait(BOUND)
        if self.error is not None:
            raise self.error
        self._sync()


async def test_what_must_be_on_the_disk_is_told_when_it_is(store: SQLiteStore) -> None:
    disk = HeldDisk(store)
    await store.create(running("int_1"), run=FOLLOWED)
    assert await asyncio.to_thread(disk.is_asked.wait, BOUND)
    ending = asyncio.create_task(store.finish(ended("int_1"), attempt=1))
    keeping = asyncio.create_task(store.create(ended("int_2")))
    await store.create(running("int_3"), run=FOLLOWED)
    assert await store.append([words("int_3", 1, "One")]) == set()
    assert await store.load("int_2", "ann") is not None
    assert not ending.done()
    assert not keeping.done()
    disk.is_free.set()
    async with asyncio.timeout(BOUND):
        assert await ending
        await keeping


async def test_what_nobody_waits_for_is_on_the_disk_a_moment_later(store: SQLiteStore) -> None:
    disk = HeldDisk(store)
    disk.is_free.set()
    await store.create(running("int_1"), run=FOLLOWED)
    assert await asyncio.to_thread(disk.is_asked.wait, BOUND)


async def put_off(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> HeldDisk:
    """The disk of a store that has put a sync off, and by itself begins it later than any test waits."""
    monkeypatch.setattr("turnwise.store.worker.MOMENT", 10 * BOUND)
    disk = HeldDisk(store)
    disk.is_free.set()
    await store.create(running("int_1"), run=FOLLOWED)
    assert not disk.is_asked.is_set()
    return disk


async def test_what_nobody_waits_for_does_not_wait_for_the_next_group_either(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = await put_off(store, monkeypatch)
    settle = store._writer._settle

    def settle_late(connection: sqlite3.Connection, calls: Sequence[Call]) -> Sequence[Outcome]:
        assert disk.is_asked.wait(BOUND)
        return settle(connection, calls)

    store._writer._settle = settle_late
    await store.append([words("int_1", 1, "One")])


async def test_what_nobody_waits_for_is_on_the_disk_when_the_store_is_closed(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = await put_off(store, monkeypatch)
    await store.close()
    assert disk.is_asked.is_set()


async def test_what_the_disk_does_not_take_is_told_to_those_who_waited_for_it(
    store: SQLiteStore, caplog: pytest.LogCaptureFixture
) -> None:
    disk = HeldDisk(store)
    disk.error = OSError("the disk is broken")
    disk.is_free.set()
    await store.create(running("int_1"), run=FOLLOWED)
    with pytest.raises(OSError, match="the disk is broken"):
        await store.create(ended("int_2"))
    with pytest.raises(AlreadyKept):
        await store.create(ended("int_2"))
    disk.error = None
    await store.create(ended("int_3"))
    assert "could not be synced" in caplog.text


async def test_a_store_that_is_closed_waits_for_the_disk(store: SQLiteStore) -> None:
    disk = HeldDisk(store)
    keeping = asyncio.create_task(store.create(ended("int_1")))
    assert await asyncio.to_thread(disk.is_asked.wait, BOUND)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    assert not closing.done()
    disk.is_free.set()
    async with asyncio.timeout(BOUND):
        await keeping
        await closing


async def test_what_may_leave_the_process_is_read_when_the_disk_has_it(store: SQLiteStore) -> None:
    """The outside is told of an end, and bytes are removed that nothing names any more: neither can be taken back."""
    await store.create(running("int_1"), run=FOLLOWED)
    await store.begin_upload(upload(), NOON, 10**9)
    await store.finish_upload(b"hash", stored_file("f1", blob="blob"))
    disk = HeldDisk(store)
    changes = [
        asyncio.create_task(store.finish(ended("int_1"), attempt=1, notices=[notice()])),
        asyncio.create_task(store.delete_file("f1", "ann")),
    ]
    assert await asyncio.to_thread(disk.is_asked.wait, BOUND)
    assert await store.append([words("int_1", 1, "Late")]) == {"int_1"}  # both are committed
    reads = [
        asyncio.create_task(store.due_notices(NOON, NOON + timedelta(minutes=1), 9)),
        asyncio.create_task(store.litter(9)),
    ]
    for _ in range(3):  # whoever may answer them has done so by then
        await store.load("int_1", "ann")
        await store.events("int_1", 0)
        await store.append([words("int_1", 1, "Late")])
    assert not any(read.done() for read in reads)
    disk.is_free.set()
    async with asyncio.timeout(BOUND):
        assert await asyncio.gather(*changes) == [True, "blob"]
        found, blobs = await asyncio.gather(*reads)
    assert (len(found), blobs) == (1, ["blob"])


async def test_what_the_disk_did_not_take_is_not_left_in_the_log_behind_which_others_are_kept(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system forgets that it could not write something once it has said so, and the next sync succeeds. After a
    power cut the log would end where that something is missing."""

    def fail(_: int) -> None:
        raise OSError("the disk is broken")

    with monkeypatch.context() as broken:
        broken.setattr("turnwise.store.sqlite_file._sync", fail)
        with pytest.raises(OSError, match="the disk is broken"):
            await store.create(ended("int_1"))
    await store.create(ended("int_2"))
    assert size(log_of(path)) == 0
    await store.create(ended("int_3"))
    assert size(log_of(path)) > 0


async def test_while_the_log_cannot_be_left_nothing_is_said_to_be_on_the_disk(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("the disk is broken")

    monkeypatch.setattr("turnwise.store.sqlite_file.PATIENCE", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        writer = store._writer._connection
        writer.execute("PRAGMA busy_timeout = 0")
        with monkeypatch.context() as broken:
            broken.setattr("turnwise.store.sqlite_file._sync", fail)
            with pytest.raises(OSError, match="the disk is broken"):
                await store.create(ended("int_1"))
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM interactions").fetchall()
        with pytest.raises(OSError, match="an earlier part"):
            await store.create(ended("int_2"))
        await store.create(running("int_3"), run=FOLLOWED)
        reader.execute("COMMIT")
    await store.create(ended("int_4"))


async def test_nothing_is_kept_of_a_call_whose_caller_was_told(store: SQLiteStore) -> None:
    """It has all that is written: a request with its pictures, perhaps."""
    with nothing_kept_of(Call) as is_gone:
        await store.create(ended("int_1"))
        await within(until(is_gone))


# -- groups


async def test_many_callers_at_once_are_all_served(store: SQLiteStore) -> None:
    names = [f"i{n}" for n in range(500)]
    await asyncio.gather(*(store.create(ended(name), opening(name)) for name in names))
    loaded = await asyncio.gather(*(store.load(name, "ann") for name in names))
    assert loaded == [ended(name) for name in names]


@pytest.mark.parametrize("bad", [0, 1, 31, 63])
async def test_one_that_fails_in_a_group_fails_alone(store: SQLiteStore, bad: int) -> None:
    await store.create(ended("taken", text="first"))
    names = [f"i{n}" for n in range(64)]
    names[bad] = "taken"
    told = await asyncio.gather(*(store.create(ended(name), opening(name)) for name in names), return_exceptions=True)
    assert [name for name, outcome in zip(names, told, strict=True) if outcome is not None] == ["taken"]
    assert isinstance(told[bad], AlreadyKept)
    assert await store.load("taken", "ann") == ended("taken", text="first")
    assert await store.events("taken", 0) == []
    for name in set(names) - {"taken"}:
        assert await store.load(name, "ann") == ended(name)
        assert len(await store.events(name, 0)) == 2


@pytest.mark.parametrize("others", [0, 1])
async def test_of_events_that_cannot_be_kept_together_none_is_kept(store: SQLiteStore, path: Path, others: int) -> None:
    await store.create(running("one"), run=CARRIED)
    rows = [("one", 1, 1, b"", 1), ("one", 2, 1, None, 1)]
    nobody: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    appending = Call(
        lambda connection: runs.append(connection, rows, [("one", 1)]), nobody, sync="sometime", single=True
    )
    idle = Call(lambda _: None, nobody, sync="sometime")
    with closing(sqlite3.connect(path, isolation_level=None, factory=Connection)) as connection:
        refused, *done = write_together(connection, [appending, *[idle] * others])
        assert isinstance(refused, sqlite3.IntegrityError)
        assert done == [None] * others
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)


async def test_all_may_fail_and_the_store_goes_on(store: SQLiteStore) -> None:
    await store.create(ended("taken"))
    told = await asyncio.gather(*(store.create(ended("taken")) for _ in range(8)), return_exceptions=True)
    assert {type(outcome) for outcome in told} == {AlreadyKept}
    await store.create(ended("next"))


async def test_different_calls_share_a_group_and_keep_their_order(store: SQLiteStore) -> None:
    calls = (
        store.create(running("one"), run=CARRIED),
        store.append([words("one", 1, "a")]),
        store.create(running("one"), run=CARRIED),
        store.append([words("one", 2, "b")]),
        store.finish(ended("one"), words("one", 3, "c"), attempt=1),
        store.finish(ended("one"), words("one", 3, "c"), attempt=1),
        store.delete("one", "bob"),
    )
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(told.pop(2), AlreadyKept)
    assert told == [None, set(), set(), True, False, False]
    assert len(await store.events("one", 0)) == 3


async def test_a_caller_that_leaves_does_not_disturb_the_others(store: SQLiteStore) -> None:
    leaver = asyncio.ensure_future(store.create(ended("left")))
    stayer = asyncio.ensure_future(store.create(ended("stayed")))
    await asyncio.sleep(0)  # both have called
    leaver.cancel()
    await asyncio.wait_for(stayer, BOUND)
    assert await store.load("stayed", "ann") == ended("stayed")


async def test_what_cannot_be_written_fails_before_it_joins_a_group(store: SQLiteStore) -> None:
    with pytest.raises(TypeError, match="surrogates"):
        await store.create(ended("one", text="\ud800"))
    assert await store.load("one", "ann") is None


async def test_closing_does_first_what_was_called_before(path: Path) -> None:
    store = await open_sqlite(path)
    pending = [asyncio.ensure_future(store.create(ended(f"i{n}"))) for n in range(50)]
    await asyncio.sleep(0)  # all have called
    await asyncio.gather(store.close(), store.close())
    await asyncio.gather(*pending)
    with pytest.raises(StoreClosed):
        await store.load("i0", "ann")
    again = await open_sqlite(path)
    assert await again.load("i49", "ann") == ended("i49")
    await again.close()


# -- other processes


async def test_a_second_store_on_the_same_file_waits_its_turn(store: SQLiteStore, path: Path) -> None:
    second = await open_sqlite(path)
    calls = [one.create(ended(f"{n}-{id(one)}")) for n in range(50) for one in (store, second)]
    await asyncio.wait_for(asyncio.gather(*calls, second.add_key(key())), BOUND)
    assert await store.keys() == [key()]
    await second.close()


async def test_a_lock_that_is_never_let_go_is_told_to_everyone_who_waited(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.05)
    store = await open_sqlite(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    told = await asyncio.gather(*(store.create(ended(f"i{n}")) for n in range(4)), return_exceptions=True)
    assert {str(outcome) for outcome in told} == {"database is locked"}
    assert await store.load("i0", "ann") is None
    holder.execute("ROLLBACK")
    holder.close()
    await store.create(ended("i0"))
    await store.close()


async def test_two_stores_on_one_file_share_the_runs(store: SQLiteStore, path: Path) -> None:
    second = await open_sqlite(path)
    names = {f"run-{n}" for n in range(40)}
    for id in names:
        await store.create(running(id), run=WAITING)
    calls = [one.claim(lease, 3) for _ in range(10) for one, lease in ((store, HERE), (second, THERE))]
    claimed = [run for some in await asyncio.wait_for(asyncio.gather(*calls), BOUND) for run in some]
    assert sorted(run.interaction.id for run in claimed) == sorted(names)
    assert {*await second.beat(HERE), *await store.beat(THERE)} == names
    await second.close()


async def test_what_another_process_does_to_a_run_is_found(store: SQLiteStore, path: Path) -> None:
    second = await open_sqlite(path)
    await store.create(running(), opening(), CARRIED)
    taken = await second.take("one", "ann", THERE)
    assert taken is not None
    assert await store.append([words("one", 3, "late")]) == {"one"}
    await second.append([words("one", 3, "next", attempt=taken.attempt)])
    found = await store.tail({"one": 2})
    assert [position for position, _ in found["one"]] == [3]
    await second.close()


async def test_whoever_finds_nothing_to_do_does_not_disturb_the_writer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.05)
    store = await open_sqlite(path)
    await store.create(running(), run=CARRIED)
    await store.add_notices([notice(minutes=1)])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    before = log_of(path).read_bytes()
    for _ in range(3):
        assert await store.claim(THERE, 9) == ()
        assert await store.beat(THERE) == {}
        assert await store.due_notices(NOON, NOON, 9) == ()
    assert log_of(path).read_bytes() == before
    holder.execute("ROLLBACK")
    holder.close()
    await store.close()


# -- the files


def log_of(path: Path) -> Path:
    """The write-ahead log."""
    return path.with_name(f"{path.name}-wal")


@pytest.mark.skipif(os.name == "nt", reason="links are not for everybody there")
async def test_a_file_that_is_a_link_is_written_where_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "real.db", tmp_path / "turnwise.db"
    link.symlink_to(target)
    for _ in range(2):
        store = await open_sqlite(link)
        with suppress(AlreadyKept):
            await store.create(ended("int_1"))
        assert log_of(target).exists()
        await store.close()


async def test_a_store_that_was_closed_opens_with_everything_in_it(path: Path) -> None:
    store = await open_sqlite(path)
    await store.create(running(), opening(), CARRIED)
    await store.add_key(key())
    await store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]

    again = await open_sqlite(path)
    assert await again.load("one", "ann") == running()
    assert len(await again.events("one", 0)) == 2
    assert await again.keys() == [key()]
    await again.close()


def kept_words(path: Path) -> set[str]:
    """Every word like `secret-12` in the bytes of every file of the store."""
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    return {word.decode() for word in re.findall(rb"secret-\d+", data)}


def size(path: Path) -> int:
    return path.stat().st_size


async def test_deleted_text_is_in_no_file_any_more(store: SQLiteStore, path: Path) -> None:
    for id, secret in (("gone", "secret-1"), ("kept", "secret-2")):
        await store.create(running(id), words(id, 1, secret), CARRIED)
        await store.append([words(id, 2, f"{secret} again", secret * 1000)])
        await store.finish(ended(id, text=secret), attempt=1)
    assert kept_words(path) == {"secret-1", "secret-2"}
    await store.delete("gone", "ann")
    assert kept_words(path) == {"secret-2"}


async def test_the_name_of_a_deleted_file_is_nowhere_any_more(store: SQLiteStore, path: Path) -> None:
    for name in ("secret-1", "secret-2", "secret-3"):
        await store.begin_upload(upload(name.encode(), blob=name[-1], wanted=NewFile(display_name=name)), NOON, 100)
    for name in ("secret-1", "secret-2"):
        await store.finish_upload(name.encode(), stored_file(name[-1], display_name=name))
    assert kept_words(path) == {"secret-1", "secret-2", "secret-3"}
    await store.delete_file("1", "ann")
    await store.drop_upload(b"secret-3")
    await store.expire(NOON + timedelta(days=9), 100)
    await store.close()
    assert kept_words(path) == set()


async def test_the_words_of_a_deleted_document_are_nowhere_any_more(store: SQLiteStore, path: Path) -> None:
    await store.create_search_store(search_store(), 1)
    for name in ("secret-1", "secret-2"):
        await store.begin_upload(upload(name[-1:].encode()), NOON, 100)
        await store.finish_document_upload(name[-1:].encode(), document(name[-1], display_name=name), 9)
    pending = await store.pending_documents()
    for one in pending:
        await store.add_chunks(one, 0, [Chunk(f"{one.display_name} told {one.display_name}")])
        await store.settle_document(replace(one, state=DocumentState.ACTIVE))
    assert kept_words(path) == {"secret-1", "secret-2"}
    assert await store.delete_document("1", "s1", "ann", force=True)
    while await store.clear_chunks(10):
        pass
    assert kept_words(path) == {"secret-2"}
    await store.close()
    assert terms(path) == {"ss1", "secret", "2", "told"}


async def test_what_a_run_brought_along_is_nowhere_any_more_once_it_is_over(store: SQLiteStore, path: Path) -> None:
    secrets = {"ended": b"secret-1", "deleted": b"secret-2", "lost": b"secret-3", "kept": b"secret-4"}
    for id, secret in secrets.items():
        await store.create(running(id), run=NewRun(secret * 100, HERE))
    for lease in (THERE, HERE):
        assert await store.take("lost", "ann", lease)
    assert kept_words(path) == {"secret-1", "secret-2", "secret-3", "secret-4"}
    assert await store.finish(ended("ended"), attempt=1)
    assert kept_words(path) == {"secret-2", "secret-3", "secret-4"}
    assert await store.delete("deleted", "ann")
    assert await store.finish(ended("lost"), attempt=3)
    assert kept_words(path) == {"secret-4"}
    await store.close()
    assert kept_words(path) == {"secret-4"}


def is_to_be_made_anew(path: Path) -> bool:
    """Whether the file says so of itself."""
    connection = sqlite3.connect(path)
    ((marked,),) = connection.execute("PRAGMA user_version").fetchall()
    connection.close()
    return marked % 2 == 1


class Interrupted(Connection):
    """A connection during whose VACUUM something happens."""

    happens: Callable[[], object]

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        done = super().execute(statement, *arguments)
        if statement == "VACUUM":
            self.happens()
        return done


async def test_what_another_process_deletes_while_the_file_is_made_anew_is_not_taken_for_gone(path: Path) -> None:
    store = await open_sqlite(path)
    await store.create(ended())
    await store.close()
    connections = [
        sqlite3.connect(path, isolation_level=None, factory=factory) for factory in (Interrupted, Connection)
    ]
    here, there = connections
    here.happens = lambda: mark_deleted(there)
    mark_deleted(here)
    compact(here)
    assert deletions(here) == 3
    here.happens = lambda: None
    compact(here)
    assert deletions(here) == 4
    for connection in connections:
        connection.close()


async def test_what_the_log_has_of_a_file_made_anew_leaves_it_though_somebody_was_reading(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.0)
    store = await open_sqlite(path)
    await store.create(ended())
    await store.close()
    nobody: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    reader = sqlite3.connect(path, isolation_level=None)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0, factory=Connection)) as connection:
        connection.execute("PRAGMA user_version = 1")  # another process has deleted something
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM interactions").fetchall()
        compact(connection)
        assert size(log_of(path)) > 0
        reader.close()
        write_together(connection, [Call(lambda _: None, nobody, sync="sometime")])
        assert size(log_of(path)) == 0


def test_a_deletion_is_told_by_another_odd_number_when_there_is_no_greater_one(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "turnwise.db", factory=Connection)
    connection.execute(f"PRAGMA user_version = {2**31 - 1}")
    mark_deleted(connection)
    assert deletions(connection) == 1
    connection.close()


async def test_the_end_of_a_run_that_brought_nothing_along_does_not_empty_the_log(
    store: SQLiteStore, path: Path
) -> None:
    await store.create(running("one"), run=CARRIED)
    await store.create(running("two"), run=NewRun(b"baggage", HERE))
    assert await store.finish(ended("one"), attempt=1)
    assert size(log_of(path)) > 0
    assert await store.finish(ended("two"), attempt=1)
    assert size(log_of(path)) == 0


async def test_what_was_committed_is_no_error_though_the_disk_has_no_room_to_empty_the_log(
    store: SQLiteStore, path: Path
) -> None:
    await store.create(ended("large", text="x" * 1_000_000))
    await store.create(running("one"), run=NewRun(b"baggage", HERE))
    assert await store.finish(ended("one"), attempt=1)
    await store.create(running("two"), run=NewRun(b"secret-1", HERE))
    with files_as_large_as(size(path)):
        assert await store.finish(ended("two", text="y" * 500_000), attempt=1)
    assert [link.steps for link in await store.chain("two", "ann")] == [ended("two", text="y" * 500_000).steps]
    await store.create(ended("three"))
    assert size(log_of(path)) == 0, "what it could not do then it does as soon as it can"


@contextmanager
def files_as_large_as(most: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes: as on a disk that is full."""
    _, hard = limits = resource_limits.getrlimit(resource_limits.RLIMIT_FSIZE)
    resource_limits.setrlimit(resource_limits.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource_limits.setrlimit(resource_limits.RLIMIT_FSIZE, limits)


async def test_the_file_is_not_made_anew_for_what_goes_by_itself(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "COMPACTED_UNASKED", 0)  # the mark stays
    await store.create(running(), run=NewRun(b"baggage", HERE))
    await store.finish(ended(), attempt=1, notices=[notice()])
    await store.settle_notice("n1", None)
    assert is_to_be_made_anew(path) is False
    await store.delete("one", "ann")
    assert is_to_be_made_anew(path) is True


async def test_a_notice_that_was_heard_is_nowhere_any_more(store: SQLiteStore, path: Path) -> None:
    await store.add_notices([notice("n1", text="secret-1"), notice("n2", text="secret-2")])
    await store.due_notices(NOON, NOON, 9)
    await store.settle_notice("n1", None)
    assert kept_words(path) == {"secret-2"}
    await store.settle_notice("n2", NOON + timedelta(hours=1))
    await store.close()
    assert kept_words(path) == {"secret-2"}


async def test_what_a_resource_was_before_is_nowhere_any_more(store: SQLiteStore, path: Path) -> None:
    for n in (1, 2, 3):
        await store.add_resource(resource(f"r{n}", secret=f"secret-{n} " * 50), 9)
    later = NOON + timedelta(hours=1)
    assert await store.change_resource(replace(resource("r1", secret="secret-4"), updated=later), NOON)
    assert kept_words(path) == {"secret-2", "secret-3", "secret-4"}
    assert await store.delete_resource("webhook", "r2", "ann")
    assert kept_words(path) == {"secret-3", "secret-4"}
    await store.close()
    assert kept_words(path) == {"secret-3", "secret-4"}


def terms(path: Path) -> set[str]:
    """Every word that the index of words has."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', 'chunk_words', 'row')")
        return {term for (term,) in connection.execute("SELECT term FROM temp.terms")}
    finally:
        connection.close()


async def test_no_copy_of_deleted_text_outlives_many_deletions(path: Path) -> None:
    store = await open_sqlite(path)

    async def live(n: int) -> None:
        id, secret = f"{n * 7919 % 1009}", f"secret-{n} "
        await store.create(running(id), run=CARRIED)
        for first in range(1, n % 12):
            await store.append([words(id, first, secret * (n % 40))])
        await store.finish(ended(id, text=secret * (n % 23 + 1)), attempt=1)

    await asyncio.gather(*(live(n) for n in range(600)))
    await asyncio.gather(*(store.delete(f"{n * 7919 % 1009}", "ann") for n in range(600) if n % 3))
    await store.close()
    assert kept_words(path) == {f"secret-{n}" for n in range(0, 600, 3)}


async def test_a_file_too_big_to_be_made_anew_unasked_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "COMPACTED_UNASKED", 0)
    store = await open_sqlite(path)
    await store.create(ended("gone", text="secret-1 " * 10_000))
    await store.delete("gone", "ann")
    await store.close()
    assert size(path) > 90_000
    assert kept_words(path) == set()


WRITER = """
import asyncio, sys
from pathlib import Path
from store.values import ended, opening
from turnwise.store.sqlite import open_sqlite

async def main():
    store = await open_sqlite(Path(sys.argv[1]))
    async def write(lane):
        n = 0
        while True:
            id = f"{lane}-{n}"
            await store.create(ended(id), opening(id))
            print(id, flush=True)
            n += 1
    await asyncio.gather(*(write(lane) for lane in range(8)))

asyncio.run(main())
"""


CARRIER = """
import asyncio, sys
from pathlib import Path
from store.values import HERE, notice, opening, running, words
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import NewRun

async def main():
    store = await open_sqlite(Path(sys.argv[1]))
    async def carry(lane):
        id = f"run-{lane}"
        await store.create(running(id), opening(id), NewRun(id.encode(), HERE), [notice(id)])
        position = 3
        while True:
            assert not await store.append([words(id, position, "a")])
            print(id, position, flush=True)
            position += 1
    await asyncio.gather(*(carry(lane) for lane in range(8)))

asyncio.run(main())
"""


def acknowledged_before_death(path: Path, program: str = WRITER) -> list[str]:
    """What a process printed of its work on this file, until it was killed in the middle of it."""
    tests = str(Path(__file__).parents[1])
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])},
    )
    assert writer.stdout is not None
    printed = [writer.stdout.readline().strip() for _ in range(300)]
    writer.kill()
    rest, _ = writer.communicate(timeout=BOUND)
    return printed + rest.split("\n")[:-1]  # the last line may be cut


async def test_what_was_acknowledged_survives_kill_9_whole(path: Path) -> None:
    printed = acknowledged_before_death(path)
    store = await open_sqlite(path)
    for id in printed:
        assert await store.load(id, "ann") == ended(id)
        assert [event for _, event in await store.events(id, 0)] == list(opening(id).events)
    await store.close()


async def test_the_runs_of_a_killed_process_are_there_with_all_that_they_told(path: Path) -> None:
    last = dict(line.split() for line in acknowledged_before_death(path, CARRIER))
    store = await open_sqlite(path)
    assert await store.claim(THERE, 99) == ()
    await store.abandon()
    found = await store.claim(THERE, 99)
    assert found == [Run(running(f"run-{n}"), attempt=2, deaths=1, baggage=f"run-{n}".encode()) for n in range(8)]
    for id, position in last.items():
        kept = [at for at, _ in await store.events(id, 0)]
        assert kept == list(range(1, len(kept) + 1))
        assert len(kept) >= int(position)
    assert {kept.id for kept in await store.due_notices(NOON, NOON, 99)} == {f"run-{n}" for n in range(8)}
    await store.close()


# -- migrations


def tables(path: Path) -> list[tuple[str, ...]]:
    """What the database itself says that it holds."""
    connection = sqlite3.connect(path)
    shape = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    revision = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    connection.close()
    return [*shape, *revision]


def squeezed(shape: list[tuple[str, ...]]) -> list[str]:
    return ["".join(" ".join(str(value) for value in row).split()) for row in shape]


def test_the_script_for_a_new_file_is_what_the_migrations_amount_to() -> None:
    assert (MIGRATIONS / "head.sql").read_text(encoding="utf-8") == render_head()


async def test_a_new_file_and_a_migrated_one_are_the_same(tmp_path: Path) -> None:
    new, migrated = tmp_path / "new.db", tmp_path / "mig%rated?.db"
    await (await open_sqlite(new)).close()
    upgrade_sqlite(migrated)
    assert squeezed(tables(new)) == squeezed(tables(migrated))


def test_the_tables_are_what_the_migrations_make(tmp_path: Path) -> None:
    upgrade_sqlite(tmp_path / "turnwise.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'turnwise.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"include_name": is_ours}), metadata) == []
        assert ScriptDirectory.from_config(alembic_config(connection)).get_current_head() == revisions()[-1]
    engine.dispose()


NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{revisions()[-1]}"


def upgrade() -> None:
    with op.batch_alter_table("keys", recreate="always") as batch:
        batch.add_column(sa.Column("scopes", sa.Text))
"""


def made_by(path: Path, version: str, *statements: str) -> None:
    """A database as an older version left it."""
    path.parent.mkdir(parents=True)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), version)
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


async def test_what_an_older_version_left_in_progress_waits_for_somebody(path: Path) -> None:
    row = (
        "INSERT INTO interactions VALUES ('{id}', 'ann', NULL, '{status}', 'm', NULL, 'steps', '{at}', '{at}', '[]', "
        "'[]', '{{}}', NULL, NULL)"
    )
    at = "2026-01-02T12:0{}:00.000000+00:00"
    made_by(
        path,
        "0003",
        row.format(id="second", status="in_progress", at=at.format(2)),
        row.format(id="over", status="completed", at=at.format(0)),
        row.format(id="first", status="in_progress", at=at.format(1)),
        "INSERT INTO events VALUES ('first', 1, 1, X'5b7b2274797065223a2263726561746564227d5d')",
    )
    store = await open_sqlite(path)
    claimed = await store.claim(HERE, 9)
    assert [(run.interaction.id, run.attempt, run.deaths, run.baggage) for run in claimed] == [
        ("first", 2, 1, b""),
        ("second", 2, 1, b""),
    ]
    assert await store.events("first", 0) == [(1, Created())]
    assert await store.append([words("first", 2, "a", attempt=2)]) == set()
    assert await store.finish(ended("first"), attempt=2)
    await store.close()


async def test_an_older_database_that_another_process_holds_is_refused_by_sqlites_own_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by(path, "0004")
    monkeypatch.setattr(migrate, "PATIENCE", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode = WAL")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await open_sqlite(path)
    holder.close()
    await (await open_sqlite(path)).close()
    assert tables(path)[-1] == (revisions()[-1],)


@pytest.mark.parametrize("version", revisions()[:-1])
async def test_a_database_of_each_version_can_keep_what_is_kept_now(path: Path, version: str) -> None:
    made_by(path, version)
    store = await open_sqlite(path)
    await store.create(ended())
    await store.create(running("running"), run=CARRIED)
    await store.add_notices([notice()])
    assert await store.add_resource(resource(), 1) == "kept"
    assert await store.secret("sealing", b"key") == b"key"
    assert await store.begin_upload(upload(), NOON, 100)
    assert await store.create_search_store(search_store(), 1)
    await store.close()
    assert tables(path)[-1] == (revisions()[-1],)


async def test_an_older_database_is_brought_up_to_date_with_what_it_holds(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_sqlite(path)
    await store.add_key(key())
    await store.close()

    newer = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (newer / "versions" / "9001_scopes.py").write_text(NEXT)
    monkeypatch.setattr(migrate, "MIGRATIONS", newer)
    store = await open_sqlite(path)
    assert await store.keys() == [key()]
    await store.close()
    assert tables(path)[-1] == ("9001",)
    assert "scopes" in str(tables(path))


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await open_sqlite(path)).close()
    before = tables(path)
    newer = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (newer / "versions" / "9001_scopes.py").write_text(f"{NEXT}    raise RuntimeError('in the middle')\n")
    monkeypatch.setattr(migrate, "MIGRATIONS", newer)
    with pytest.raises(RuntimeError, match="in the middle"):
        await open_sqlite(path)
    assert tables(path) == before


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    await (await open_sqlite(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = tables(path)
    with pytest.raises(NewerDatabase, match=r"newer turnwise.*'9999'.*'\d{4}'"):
        await open_sqlite(path)
    assert tables(path) == before


async def test_two_that_open_a_new_file_at_once_both_find_it_ready(path: Path) -> None:
    first, second = await asyncio.wait_for(asyncio.gather(open_sqlite(path), open_sqlite(path)), BOUND)
    await first.create(ended())
    assert await second.load("one", "ann") == ended()
    await first.close()
    await second.close()


OPENER = """
import asyncio, sys
from pathlib import Path
from turnwise.store.sqlite import open_sqlite

async def main():
    for _ in range(2):
        await (await open_sqlite(Path(sys.argv[1]))).close()

asyncio.run(main())
print(sorted({"alembic", "sqlalchemy"} & set(sys.modules)))
"""


def test_neither_a_new_file_nor_one_at_head_makes_anyone_wait_for_alembic(path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", OPENER, str(path)], capture_output=True, text=True, timeout=BOUND, check=True
    )
    assert ran.stdout.strip() == "[]"
