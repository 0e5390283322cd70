"""Moving a data directory into a PostgreSQL database: all of it, or nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from postgres import Server
from store.object_store import CREDENTIALS, serve_objects
from store.values import (
    CARRIED,
    HERE,
    NOON,
    WAITING,
    document,
    ended,
    key,
    notice,
    opening,
    resource,
    rich,
    running,
    search_store,
    stored_file,
    upload,
    words,
)
from turnwise.cli import main
from turnwise.data import alone, load_sealing_key, open_blobs, open_store, sealing_key
from turnwise.domain.file_search import Chunk, DocumentState
from turnwise.domain.files import NewFile
from turnwise.settings import Settings, SettingsError
from turnwise.store.blobs import DiskBlobs
from turnwise.store.migrate import migrate_postgres
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import NewRun, Scope, Store, Vectors
from turnwise.store.tables import metadata

pytest.importorskip("asyncpg", reason="asyncpg is not installed")

from turnwise.moving import Moved, describe_move, move
from turnwise.store.postgres import open_postgres

pytestmark = pytest.mark.postgres

PLENTY = 1 << 40
LATER = NOON + timedelta(days=1)
SCOPE = Scope("ann", ("s1",))
RICH_NAME = "a\0b \ufdd0 Zürich"


def ignore(_what: str, _done: int, _of: int) -> None:
    """Nobody looks at the progress."""


async def fill(store: Store, blobs: DiskBlobs) -> None:
    """Something in every table."""
    for interaction, run in ((ended("over"), None), (rich(), None), (running("carried"), CARRIED)):
        await store.create(interaction, run=run)
    await store.create(running("waiting"), opening("waiting"), WAITING, [notice(text="\0")])
    await store.append([words("carried", 1, "a", "b"), words("carried", 3, "c")])
    await store.add_key(key())
    await store.add_resource(resource(url="https://example.com"), 9)
    await store.secret("other", b"value")
    for hash, blob in ((b"file", "filebytes"), (b"half", "halfbytes"), (b"doc", "docbytes"), (b"gone", "gonebytes")):
        assert await store.begin_upload(upload(hash, blob=blob, wanted=NewFile(display_name=RICH_NAME)), NOON, PLENTY)
        await blobs.append(blob, 0, one_piece(blob.encode() * 1000))
    assert await store.finish_upload(b"file", stored_file(blob="filebytes", display_name=RICH_NAME)) == "kept"
    await store.drop_upload(b"gone")  # its blob is litter
    await blobs.seal("filebytes")
    await fill_search_store(store)
    await blobs.seal("docbytes")


async def fill_search_store(store: Store) -> None:
    assert await store.create_search_store(search_store(), 9)
    await store.begin_upload(upload(b"doc-2", blob="second"), NOON, PLENTY)
    await store.begin_upload(upload(b"doc-3", blob="third"), NOON, PLENTY)
    await store.finish_document_upload(b"doc", document("pending", blob="docbytes"), 9)
    await store.finish_document_upload(b"doc-2", document("active", blob="second"), 9)
    await store.finish_document_upload(b"doc-3", document("deleted", blob="third"), 9)
    for id in ("active", "deleted"):
        kept = await store.document(id, "s1", "ann")
        assert kept is not None
        await store.add_chunks(kept, 0, [Chunk(f"the {id} beetles", 3, "page 3"), Chunk("nothing")])
        vectors = Vectors(kept.key, "mini", 1, b"12")
        assert await store.settle_document(replace(kept, state=DocumentState.ACTIVE), vectors)
    assert await store.delete_document("deleted", "s1", "ann", force=True)
    await store.cleared(["second", "third"])


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data directory with something of everything, whose server was killed."""
    folder = tmp_path / "old"

    async def make() -> None:
        store, blobs = await open_sqlite(folder / "turnwise.db"), DiskBlobs(folder / "blobs")
        await fill(store, blobs)
        await store.close()
        await blobs.close()

    asyncio.run(make())
    sealing_key(Settings(data_dir=folder))
    return folder


async def seen(store: Store) -> list[Any]:
    """What is in a store, as far as it can be asked for."""
    found = [found for id in ("s1",) if (found := await store.search_store(id, "ann"))]
    return [
        [await store.load(id, "ann") for id in ("over", "rich", "carried", "waiting")],
        await store.tail({"carried": 0, "waiting": 0}),
        await store.due_notices(LATER, LATER, 9),
        await store.keys(),
        await store.resources("webhook", "ann", 9),
        await store.secret("other", b""),
        [await store.upload(hash) for hash in (b"file", b"half", b"doc", b"gone")],
        await store.files("ann", NOON, 9),
        sorted(await store.litter(99)),
        found,
        await store.documents("s1", "ann", 9),
        [await store.chunk_texts(found.key) for found in await store.documents("s1", "ann", 9)],
        await store.search_words(SCOPE, "beetle", 9),
        await store.vectors(SCOPE, "mini"),
    ]


def asked(url: str, question: Callable[[Store], Awaitable[Any]]) -> Any:
    """What a store says to a question."""

    async def ask() -> Any:
        store = await open_postgres(url)
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(ask())


def test_everything_in_a_data_directory_moves(source: Path, empty_postgres_url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source / "turnwise.db")) as old:
        tables = [table.name for table in metadata.sorted_tables]
        counts = {name: old.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    assert all(counts.values()), counts  # or this test says nothing of a table

    shown: dict[str, tuple[int, int]] = {}
    settings = Settings(data_dir=tmp_path / "new", database_url=empty_postgres_url)
    moved = move(settings, source, lambda what, done, of: shown.update({what: (done, of)}))

    assert moved == Moved(counts, blobs=3, left=source / "blobs")
    assert shown == {name: (count, count) for name, count in counts.items()} | {"words": (2, 2)}

    async def read_old() -> list[Any]:
        store = await open_sqlite(source / "turnwise.db")
        everything = await seen(store)
        await store.close()
        return everything

    assert asked(empty_postgres_url, seen) == asyncio.run(read_old())


def test_runs_wait_after_a_move_and_their_carrier_has_died(source: Path, empty_postgres_url: str) -> None:
    move(Settings(data_dir=source, database_url=empty_postgres_url), source, ignore)
    runs = asked(empty_postgres_url, lambda store: store.claim(HERE, 9))
    assert {run.interaction.id: (run.attempt, run.deaths) for run in runs} == {"carried": (2, 1), "waiting": (1, 0)}


def test_the_key_of_a_deleted_document_is_not_used_again_after_a_move(source: Path, empty_postgres_url: str) -> None:
    move(Settings(data_dir=source, database_url=empty_postgres_url), source, ignore)

    async def add(store: Store) -> int:
        await store.begin_upload(upload(b"new", blob="new"), NOON, PLENTY)
        await store.finish_document_upload(b"new", document("new", blob="new"), 9)
        kept = await store.document("new", "s1", "ann")
        assert kept is not None
        while await store.clear_chunks(9):
            pass
        return kept.key

    assert asked(empty_postgres_url, add) == 4


def test_what_was_sealed_can_be_opened_after_a_move(source: Path, empty_postgres_url: str, tmp_path: Path) -> None:
    old = sealing_key(Settings(data_dir=source))
    settings = Settings(data_dir=tmp_path / "new", database_url=empty_postgres_url)
    move(settings, source, ignore)
    assert asked(empty_postgres_url, lambda store: load_sealing_key(settings, store)) == old


def test_bytes_of_files_move_to_an_object_store(
    source: Path, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with serve_objects("blobs") as endpoint:
        files = {"blobs_url": "s3://blobs/moved", "blobs_endpoint": endpoint}
        settings = Settings.model_validate({"database_url": empty_postgres_url, "data_dir": source, "files": files})
        assert move(settings, source, ignore).left is None

        async def read() -> tuple[bytes, bytes, int]:
            blobs = await open_blobs(settings)
            whole = [b"".join([piece async for piece in blobs.read(key)]) for key in ("filebytes", "docbytes")]
            half = await blobs.size("halfbytes")
            await blobs.close()
            return whole[0], whole[1], half

        assert asyncio.run(read()) == (b"filebytes" * 1000, b"docbytes" * 1000, 9000)


def test_it_is_said_where_the_bytes_of_files_are(source: Path, tmp_path: Path) -> None:
    moved = Moved({"interactions": 1, "files": 2, "documents": 3, "keys": 4}, 5, source / "blobs")
    stays = list(describe_move(moved, Settings(data_dir=source)))
    goes = list(describe_move(moved, Settings(data_dir=tmp_path / "new")))
    assert stays[1] == f"the bytes of files stay in {source / 'blobs'}: keep that folder"
    assert f"copy that folder to {tmp_path / 'new' / 'blobs'}" in goes[1]
    assert len(list(describe_move(replace(moved, left=None), Settings()))) == 1


# -- what cannot move


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "new", database_url=postgres_url)


def test_a_data_directory_that_is_being_served_does_not_move(source: Path, settings: Settings) -> None:
    with alone(source / "turnwise.db"), pytest.raises(SettingsError, match="another turnwise is serving"):
        move(settings, source, ignore)


def test_a_folder_without_a_database_does_not_move(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"^--from: there is no .*turnwise\.db"):
        move(settings, tmp_path, ignore)


def test_what_is_no_database_does_not_move(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "turnwise.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(SettingsError, match=r"^--from: .*turnwise\.db cannot be read: file is not a database"):
        move(settings, tmp_path, ignore)


def test_nothing_moves_to_where_something_is(source: Path, settings: Settings, postgres_url: str) -> None:
    asked(postgres_url, lambda store: store.create(ended("theirs")))
    with pytest.raises(SettingsError, match="the database has interactions already"):
        move(settings, source, ignore)
    assert asked(postgres_url, lambda store: store.load("over", "ann")) is None


def test_a_server_that_was_started_before_does_not_stand_in_the_way(
    source: Path, settings: Settings, postgres_url: str
) -> None:
    asked(postgres_url, lambda store: load_sealing_key(settings, store))
    assert move(settings, source, ignore).rows["interactions"] == 4


def test_a_move_that_breaks_off_leaves_nothing_and_can_be_tried_again(
    source: Path, settings: Settings, postgres_url: str
) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(what: str, _done: int, _of: int) -> None:
        if what == "vectors":
            raise Interrupted

    with pytest.raises(Interrupted):
        move(settings, source, interrupt)
    assert asked(postgres_url, lambda store: store.load("over", "ann")) is None
    assert move(settings, source, ignore).rows["interactions"] == 4


def test_a_move_needs_a_database_to_move_to(source: Path) -> None:
    with pytest.raises(SettingsError, match=r"^database_url: name the PostgreSQL database"):
        move(Settings(data_dir=source), source, ignore)


# -- the command


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Runs `turnwise` with a database, in a folder without settings."""
    monkeypatch.chdir(tmp_path)

    def run(url: str, *arguments: str, code: int = 0) -> str:
        monkeypatch.setenv("TURNWISE_DATABASE_URL", url)
        monkeypatch.setenv("TURNWISE_DATA_DIR", str(tmp_path / "new"))
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == code, done.output
        return done.output

    return run


def test_migrate_makes_the_tables_and_says_so(run: Callable[..., str], empty_postgres_url: str) -> None:
    assert "has no tables yet. Run `turnwise migrate`" in run(empty_postgres_url, "keys", "list", code=1)
    for _ in range(2):
        assert run(empty_postgres_url, "migrate").startswith("the database is up to date, at revision ")
    assert run(empty_postgres_url, "keys", "list") == ""


def test_migrate_moves_a_data_directory_and_says_what_moved(
    run: Callable[..., str], empty_postgres_url: str, source: Path
) -> None:
    said = run(empty_postgres_url, "migrate", "--from", str(source))
    assert said.startswith("moved: 4 interaction(s), 1 file(s), 2 document(s), 1 key(s)")
    assert "k1" in run(empty_postgres_url, "keys", "list")


def test_what_is_wrong_with_a_database_is_said_in_one_line(
    run: Callable[..., str], postgres_server: Server, postgres_url: str
) -> None:
    for url, said in (
        (postgres_server.url("nowhere"), "Error: database_url: The database failed: 'nowhere' at "),
        ("postgresql://me:secret@127.0.0.1:1/name", "cannot be reached: "),
        ("mysql://me:secret@host/name", "'mysql' is no kind of database"),
        ("postgresql://me:secret@host", "it names no database"),
        ("postgresql://me:secret@host:port/name", "this is no address"),
    ):
        complaint = run(url, "keys", "list", code=1)
        assert said in complaint
        assert len(complaint.splitlines()) == 1
        assert "secret" not in complaint


async def test_whoever_waits_for_a_database_gets_it_when_it_is_migrated(empty_postgres_url: str) -> None:
    settings = Settings(database_url=empty_postgres_url)
    opening = asyncio.create_task(open_store(settings, patience=60))
    await migrate_postgres(empty_postgres_url)
    async with asyncio.timeout(30):
        await (await opening).close()


async def test_whoever_may_migrate_does_not_wait(empty_postgres_url: str) -> None:
    settings = Settings(database_url=empty_postgres_url)
    stores = await asyncio.gather(*(open_store(settings, migrate=True) for _ in range(3)))
    for store in stores:
        await store.create(running(f"run-{id(store)}"), run=NewRun())
        await store.close()
