"""What the SQLite store alone does: groups, files, migrations, and being killed."""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from store.values import (
    NOON,
    document,
    ended,
    key,
    opening,
    running,
    search_store,
    stored_file,
    upload,
    words,
)
from turnwise.domain.file_search import Chunk, DocumentState
from turnwise.domain.files import NewFile
from turnwise.store import migrate, sqlite
from turnwise.store.errors import AlreadyKept, NewerDatabase, StoreClosed
from turnwise.store.migrate import MIGRATIONS, alembic_config, revisions, upgrade_sqlite
from turnwise.store.migrations.__main__ import render_head
from turnwise.store.sqlite import SQLiteStore, open_sqlite
from turnwise.store.tables import is_ours, metadata

BOUND = 30.0
"""Seconds that no test waits longer for anything."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "down" / "turnwise.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    opened = await open_sqlite(path)
    yield opened
    await opened.close()


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


async def test_all_may_fail_and_the_store_goes_on(store: SQLiteStore) -> None:
    await store.create(ended("taken"))
    told = await asyncio.gather(*(store.create(ended("taken")) for _ in range(8)), return_exceptions=True)
    assert {type(outcome) for outcome in told} == {AlreadyKept}
    await store.create(ended("next"))


async def test_different_calls_share_a_group_and_keep_their_order(store: SQLiteStore) -> None:
    calls = (
        store.create(running("one")),
        store.append([words("one", 1, "a")]),
        store.create(running("one")),
        store.append([words("one", 2, "b")]),
        store.finish(ended("one"), words("one", 3, "c")),
        store.finish(ended("one"), words("one", 3, "c")),
        store.delete("one", "bob"),
    )
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(told.pop(2), AlreadyKept)
    assert told == [None, None, None, True, False, False]
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
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
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


# -- the files


async def test_a_store_that_was_closed_opens_with_everything_in_it(path: Path) -> None:
    store = await open_sqlite(path)
    await store.create(running(), opening())
    await store.add_key(key())
    await store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]

    again = await open_sqlite(path)
    assert await again.unfinished() == [running()]
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
        await store.create(running(id), words(id, 1, secret))
        await store.append([words(id, 2, f"{secret} again", secret * 1000)])
        await store.finish(ended(id, text=secret))
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
        await store.create(running(id))
        for first in range(1, n % 12):
            await store.append([words(id, first, secret * (n % 40))])
        await store.finish(ended(id, text=secret * (n % 23 + 1)))

    await asyncio.gather(*(live(n) for n in range(600)))
    await asyncio.gather(*(store.delete(f"{n * 7919 % 1009}", "ann") for n in range(600) if n % 3))
    await store.close()
    assert kept_words(path) == {f"secret-{n}" for n in range(0, 600, 3)}


async def test_a_file_too_big_to_be_made_anew_unasked_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "COMPACTED_UNASKED", 0)
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


def acknowledged_before_death(path: Path) -> list[str]:
    """The ids that a process created in this file and printed, until it was killed in the middle of its work."""
    tests = str(Path(__file__).parents[1])
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
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


@pytest.mark.parametrize("version", revisions()[:-1])
async def test_a_database_of_each_version_can_keep_what_is_kept_now(path: Path, version: str) -> None:
    path.parent.mkdir(parents=True)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), version)
    engine.dispose()
    store = await open_sqlite(path)
    await store.create(ended())
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
