"""What the PostgreSQL store alone does: many processes, a server that goes away, and who may open it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from postgres import TEMPLATE, Server
from store.cutting import Line, line_to
from store.values import (
    CARRIED,
    HERE,
    LAPSED,
    NOON,
    THERE,
    WAITING,
    ended,
    ending,
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
from turnwise.domain.events import PartDelta, TextDelta
from turnwise.domain.interaction import Interaction, Status
from turnwise.store.errors import (
    AlreadyKept,
    DatabaseRefused,
    DatabaseUnavailable,
    NewerDatabase,
    OlderDatabase,
    StoreClosed,
)
from turnwise.store.migrate import migrate_postgres, revisions
from turnwise.store.store import Batch, Lease, NewRun, News, Store

asyncpg = pytest.importorskip("asyncpg", reason="asyncpg is not installed")

from turnwise.store.postgres import PostgresStore, database, open_postgres  # noqa: E402
from turnwise.store.postgres.hearing import LONGEST, read_news, write_news  # noqa: E402

pytestmark = pytest.mark.postgres

BOUND = 60.0
"""Seconds that no test waits longer for anything."""

PLENTY = 1 << 40


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    opened = await open_postgres(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[PostgresStore]:
    """The store as another process has it."""
    opened = await open_postgres(postgres_url)
    yield opened
    await opened.close()


def finished(id: str = "one") -> Interaction:
    """How a run ends."""
    return replace(running(id), status=Status.COMPLETED, updated=NOON + timedelta(seconds=9), steps=ended().steps)


async def texts(store: Store, id: str) -> list[str]:
    """The texts of all events, whose positions must follow one another from 1."""
    found = await store.events(id, 0)
    assert [position for position, _ in found] == list(range(1, len(found) + 1))
    deltas = [event.delta for _, event in found if isinstance(event, PartDelta)]
    return [delta.text for delta in deltas if isinstance(delta, TextDelta)]


async def hear(store: Store, is_it: Callable[[News], bool]) -> None:
    """Listen until this is said."""
    async with asyncio.timeout(BOUND):
        async for news in store.news():
            if is_it(news):
                return


# -- many processes


async def test_two_processes_never_carry_the_same_run(store: PostgresStore, other: PostgresStore) -> None:
    names = {f"run-{n}" for n in range(60)}
    await asyncio.gather(*(store.create(running(id), run=WAITING) for id in names))
    claims = [one.claim(lease, 4) for _ in range(10) for one, lease in ((store, HERE), (other, THERE))]
    claimed = [run.interaction.id for some in await asyncio.gather(*claims) for run in some]
    assert sorted(claimed) == sorted(names)


async def test_a_run_that_is_taken_is_told_to_who_had_it_and_closed_to_it(
    store: PostgresStore, other: PostgresStore
) -> None:
    await store.create(running(), opening(), CARRIED)
    hearing = asyncio.create_task(hear(store, lambda news: news.taken == {"one"}))
    await asyncio.sleep(0)  # it listens
    taken = await other.take("one", "ann", THERE)
    await hearing
    assert taken is not None
    assert set(await store.append([words("one", 3, "late")])) == {"one"}
    assert await store.finish(finished(), attempt=1) is False
    assert await other.finish(finished(), attempt=taken.attempt) is True


async def test_what_one_process_appends_another_hears_of_and_reads(store: PostgresStore, other: PostgresStore) -> None:
    await store.create(running(), run=CARRIED)
    hearing = asyncio.create_task(hear(other, lambda news: "one" in news.told))
    await asyncio.sleep(0)  # it listens
    await store.append([words("one", 1, "a", "b")])
    await hearing
    assert await texts(other, "one") == ["a", "b"]


async def test_whoever_appends_while_a_run_is_taken_is_kept_before_or_refused(
    store: PostgresStore, other: PostgresStore
) -> None:
    for n in range(30):
        id = f"race-{n}"
        await store.create(running(id), run=CARRIED)
        refused, taken = await asyncio.gather(store.append([words(id, 1, "a")]), other.take(id, "ann", THERE))
        assert taken is not None
        assert await texts(other, id) == ([] if refused else ["a"])


async def test_a_run_that_is_deleted_while_it_is_appended_to_leaves_nothing(
    store: PostgresStore, other: PostgresStore
) -> None:
    for n in range(30):
        id = f"race-{n}"
        await store.create(running(id), run=CARRIED)
        await asyncio.gather(store.append([words(id, 1, "a")]), other.delete(id, "ann"), store.beat(HERE))
        assert await texts(store, id) == []


async def test_a_quota_holds_for_all_processes_together(store: PostgresStore, other: PostgresStore) -> None:
    begun = await asyncio.gather(
        *(
            one.begin_upload(upload(f"{n}".encode(), blob=f"b{n}", reserved=10), NOON, 50)
            for n, one in enumerate([store, other] * 10)
        )
    )
    assert sum(begun) == 5


async def test_limits_hold_for_all_processes_together(store: PostgresStore, other: PostgresStore) -> None:
    both = [store, other] * 5
    resources = await asyncio.gather(*(one.add_resource(resource(f"r{n}"), 3) for n, one in enumerate(both)))
    stores = await asyncio.gather(*(one.create_search_store(search_store(f"s{n}"), 3) for n, one in enumerate(both)))
    assert sorted(resources) == ["full"] * 7 + ["kept"] * 3
    assert sum(stores) == 3


async def test_a_secret_is_the_same_for_all(store: PostgresStore, other: PostgresStore) -> None:
    known = await asyncio.gather(*(one.secret("sealing", bytes([n])) for n, one in enumerate([store, other] * 5)))
    assert len(set(known)) == 1


async def test_a_notice_is_tried_by_one_process(store: PostgresStore, other: PostgresStore) -> None:
    await store.add_notices([notice(f"n{n}") for n in range(20)])
    later = NOON + timedelta(hours=1)
    tried = await asyncio.gather(*(one.due_notices(NOON, later, 3) for one in [store, other] * 5))
    ids = [one.id for some in tried for one in some]
    assert len(ids) == len(set(ids)) == 20


async def test_nobody_is_taken_for_dead_by_a_store_that_others_serve_from(store: PostgresStore) -> None:
    await store.create(running(), run=CARRIED)
    await store.abandon()
    assert dict(await store.beat(HERE)) == {"one": 1}


# -- a line that is cut when something was done, and nobody has heard of it


@pytest.fixture
async def line(postgres_url: str) -> AsyncIterator[tuple[Line, PostgresStore]]:
    """A line to the database, and a store at its end."""
    async with line_to(postgres_url) as (line, url):
        opened = await open_postgres(url)
        yield line, opened
        await opened.close()


async def test_what_was_created_unheard_is_created_once(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    cutting.cut_at(b"SELECT 0\0")
    await store.create(running(), opening(), CARRIED, [notice()])
    assert cutting.cuts == 1
    assert await store.load("one", "ann") == running()
    with pytest.raises(AlreadyKept):
        await store.create(running(), run=CARRIED)


async def test_an_id_that_is_in_use_is_so_after_a_cut_too(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    await store.create(ended(text="first"))
    await store.load("one", "ann")
    cutting.cut_at(b"duplicate key")
    with pytest.raises(AlreadyKept):
        await store.create(ended(text="second"))
    assert cutting.cuts == 1


async def test_what_was_appended_unheard_is_appended_once(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    await store.create(running(), run=CARRIED)
    cutting.cut_at(b"SELECT 1\0")
    assert await store.append([words("one", 1, "a", "b")]) == set()
    assert cutting.cuts == 1
    assert await texts(store, "one") == ["a", "b"]


async def test_an_end_that_was_written_unheard_is_ours(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    await store.create(running(), run=CARRIED)
    cutting.cut_at(b"SELECT 1\0")
    assert await store.finish(finished(), ending("one", 1), attempt=1, notices=[notice()]) is True
    assert cutting.cuts == 1
    assert len(await store.events("one", 0)) == 1
    assert await store.finish(finished(), attempt=1) is False


async def test_an_end_that_somebody_else_has_written_is_not_ours(
    line: tuple[Line, PostgresStore], other: PostgresStore
) -> None:
    cutting, store = line
    await store.create(running(), run=CARRIED)
    await other.finish(replace(finished(), status=Status.CANCELLED), attempt=1)
    cutting.cut_at(b"SELECT 0\0")
    assert await store.finish(finished(), attempt=1) is False
    assert cutting.cuts == 1


async def test_runs_that_were_claimed_unheard_are_claimed(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    for n in range(4):
        await store.create(running(f"run-{n}", minutes=n), run=WAITING)
    cutting.cut_at(b"COMMIT\0")
    claimed = await store.claim(HERE, 2)
    assert cutting.cuts == 1
    assert [(run.interaction.id, run.attempt) for run in claimed] == [("run-0", 1), ("run-1", 1)]
    assert dict(await store.beat(HERE)) == {"run-0": 1, "run-1": 1}


async def test_a_run_that_was_taken_unheard_is_ours(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    await store.create(running(), run=CARRIED)
    cutting.cut_at(b"COMMIT\0")
    taken = await store.take("one", "ann", THERE)
    assert cutting.cuts == 1
    assert taken is not None
    assert dict(await store.beat(THERE)) == {"one": taken.attempt}
    assert await store.append([words("one", 1, "a", attempt=taken.attempt)]) == set()


async def test_what_was_removed_unheard_was_there(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    await store.create(ended())
    await store.add_key(key())
    await store.add_resource(resource(), 1)
    await store.begin_upload(upload(), NOON, PLENTY)
    for n, removal in enumerate(
        (
            lambda: store.delete("one", "ann"),
            lambda: store.revoke_key("k1", NOON),
            lambda: store.delete_resource("webhook", "r1", "ann"),
            lambda: store.drop_upload(b"hash"),
        ),
        1,
    ):
        cutting.cut_at(b"COMMIT\0")
        assert await removal() is True
        assert cutting.cuts == n
        assert await removal() is False
    assert await store.litter(9) == ["blob"]


async def test_what_was_added_unheard_is_kept(line: tuple[Line, PostgresStore]) -> None:
    cutting, store = line
    adding = (
        (lambda: store.add_resource(resource(), 1), "kept"),
        (lambda: store.create_search_store(search_store(), 1), True),
        (lambda: store.begin_upload(upload(), NOON, PLENTY), True),
        (lambda: store.finish_upload(b"hash", stored_file()), "kept"),
        (lambda: store.add_notices([notice("n1"), notice("n2")]), None),
    )
    for n, (add, kept) in enumerate(adding, 1):
        cutting.cut_at(b"COMMIT\0")
        assert await add() == kept
        assert cutting.cuts == n
    cutting.cut_at(b"INSERT 0 1\0")
    await store.add_key(key())
    assert list(await store.keys()) == [key()]
    assert await store.add_resource(resource(), 2) == "taken"
    assert await store.finish_upload(b"hash", stored_file()) == "gone"
    assert len(await store.due_notices(NOON, NOON, 9)) == 2


# -- a server that goes away


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_server_that_is_restarted_in_the_middle_of_everything_loses_and_doubles_nothing(
    store: PostgresStore, postgres_server: Server, mode: str
) -> None:
    async def stream(id: str) -> int:
        """A run from its creation to its end, which says numbers as fast as they are kept."""
        await store.create(running(id), run=CARRIED)
        said = 0
        while not back.is_set() or said < 20:
            said += 1
            assert await store.append([words(id, said, str(said))]) == set()
            if said == 10:
                begun.release()
        assert await store.finish(finished(id), ending(id, said + 1), attempt=1)
        return said

    async def restart() -> None:
        for _ in names:
            await begun.acquire()
        await asyncio.to_thread(postgres_server.stop, mode)
        await asyncio.to_thread(postgres_server.start)
        await store.keys()  # it is back
        back.set()

    begun, back = asyncio.Semaphore(0), asyncio.Event()
    names = [f"run-{n}" for n in range(8)]
    async with asyncio.timeout(BOUND):
        *said, _ = await asyncio.gather(*map(stream, names), restart())
    for id, count in zip(names, said, strict=True):
        assert await texts(store, id) == [str(n + 1) for n in range(count)]
        assert await store.load(id, "ann") == finished(id)


async def test_who_listens_is_told_that_something_has_happened_while_the_server_was_away(
    store: PostgresStore, postgres_server: Server
) -> None:
    hearing = asyncio.create_task(hear(store, lambda news: news == News()))
    await asyncio.sleep(0)  # it listens
    await asyncio.to_thread(postgres_server.restart)
    await hearing
    await store.create(running(), run=CARRIED)
    hearing = asyncio.create_task(hear(store, lambda news: news.told == {"one"}))
    await asyncio.sleep(0)  # it listens
    await store.append([words("one", 1, "a")])
    await hearing


async def test_a_server_that_stays_away_is_told_after_a_while(
    store: PostgresStore, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    await asyncio.to_thread(postgres_server.stop)
    try:
        with pytest.raises(DatabaseUnavailable, match="The database failed"):
            await store.load("one", "ann")
    finally:
        await asyncio.to_thread(postgres_server.start)
    assert await store.load("one", "ann") is None


async def test_a_lease_that_ran_out_while_the_server_was_away_is_not_held_against_its_carrier(
    postgres_url: str, postgres_server: Server
) -> None:
    before = await open_postgres(postgres_url)
    await before.create(running(), run=NewRun(lease=LAPSED))
    await before.close()
    await asyncio.to_thread(postgres_server.restart)
    store = await open_postgres(postgres_url)
    assert list(await store.claim(Lease("patient", 3600.0), 9)) == []
    assert dict(await store.beat(Lease("dead", 3600.0))) == {"one": 1}
    assert list(await store.claim(Lease("hasty", 0.0), 9)) == []
    await store.beat(LAPSED)  # and it dies all the same, now that the server is there
    assert [run.deaths for run in await store.claim(Lease("patient", 3600.0), 9)] == [1]
    await store.close()


async def test_closing_does_first_what_was_called_before(postgres_url: str) -> None:
    store = await open_postgres(postgres_url)
    pending = [asyncio.ensure_future(store.create(ended(f"i{n}"))) for n in range(50)]
    await asyncio.sleep(0)  # all have called
    await asyncio.gather(store.close(), store.close())
    await asyncio.gather(*pending)
    with pytest.raises(StoreClosed):
        await store.load("i0", "ann")
    again = await open_postgres(postgres_url)
    assert await again.load("i49", "ann") == ended("i49")
    await again.close()


# -- text, lists and news


@pytest.mark.parametrize("name", ["a\0b", "\ufdd00", "\0\ufdd0\ufdd01\0", "\U0001f4a5"])
async def test_every_text_is_kept_as_it_is(store: PostgresStore, name: str) -> None:
    assert await store.begin_upload(upload(), NOON, PLENTY)
    assert await store.finish_upload(b"hash", stored_file(display_name=name)) == "kept"
    (file,) = await store.files("ann", NOON, 9)
    assert file.display_name == name


async def test_an_id_with_any_character_is_looked_for(store: PostgresStore) -> None:
    assert await store.load("a\0b", "ann") is None
    assert dict(await store.tail({"a\0b": 0})) == {}
    assert set(await store.append([words("a\0b", 1, "x")])) == {"a\0b"}
    assert await store.delete("a\0b", "ann") is False


async def test_a_position_that_no_event_has_is_behind_all(store: PostgresStore) -> None:
    await store.create(running(), opening(), CARRIED)
    assert list(await store.events("one", 2**70)) == []


async def test_ids_sort_by_their_bytes_in_whatever_language_the_server_speaks(postgres_server: Server) -> None:
    if int(postgres_server.execute("SHOW server_version_num")) < 150000:
        pytest.skip("this server's databases speak its own language only")
    name = postgres_server.make_database("template0", "LOCALE_PROVIDER icu", "ICU_LOCALE 'en-US'")
    url = postgres_server.url(name)
    await migrate_postgres(url)
    store = await open_postgres(url)
    for id in ("b", "B", "a", "A"):
        await store.add_resource(resource(id), 9)
    first = await store.resources("webhook", "ann", 2)
    rest = await store.resources("webhook", "ann", 9, (first[-1].created, first[-1].id))
    assert [found.id for found in (*first, *rest)] == ["A", "B", "a", "b"]
    await store.close()
    postgres_server.drop_database(name)


async def test_a_group_of_any_size_is_appended_and_told(store: PostgresStore, other: PostgresStore) -> None:
    names = [f"int_{n:060}" for n in range(500)]
    await asyncio.gather(*(store.create(running(id), run=CARRIED) for id in names))
    told: set[str] = set()

    def is_all(news: News) -> bool:
        told.update(news.told)
        return told == set(names)

    hearing = asyncio.create_task(hear(other, is_all))
    await asyncio.sleep(0)  # it listens
    await store.append([words(id, 1, "a") for id in names])
    await hearing


def test_news_of_any_size_is_said_in_pieces_that_a_notification_can_have() -> None:
    told, taken = (frozenset(f"{kind}-{n:040}-é" for n in range(400)) for kind in ("told", "taken"))
    pieces = write_news(News(told, taken, True))
    assert all(len(piece.encode()) <= LONGEST for piece in pieces)
    news = [read_news(piece) for piece in pieces]
    assert frozenset().union(*(one.told for one in news)) == told
    assert frozenset().union(*(one.taken for one in news)) == taken
    assert [one.waiting for one in news].count(True) == 1
    assert [read_news(piece) for piece in write_news(News(frozenset({"x" * 9000})))] == [News()]


# -- who may open it


async def test_a_database_that_is_not_there_or_does_not_let_us_in_is_refused(
    postgres_server: Server, postgres_url: str
) -> None:
    with pytest.raises(DatabaseRefused, match=r"'nowhere' at .* cannot be used: database \"nowhere\" does not exist"):
        await open_postgres(postgres_server.url("nowhere"))
    with pytest.raises(DatabaseRefused, match='role "stranger" does not exist'):
        await open_postgres(postgres_url.replace("turnwise@", "stranger:secret@"))


async def test_a_server_that_is_not_there_is_unavailable_and_the_password_is_not_said() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"'name' at 127\.0\.0\.1:1 cannot be reached") as caught:
        await open_postgres("postgresql://me:secret@127.0.0.1:1/name")
    assert "secret" not in str(caught.value)


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres_server: Server) -> None:
    name = postgres_server.make_database("template0", "ENCODING 'LATIN1'", "LOCALE 'C'")
    with pytest.raises(DatabaseRefused, match="LATIN1, and UTF8 is needed"):
        await open_postgres(postgres_server.url(name))
    postgres_server.drop_database(name)


async def test_a_database_without_tables_is_not_used_until_it_is_migrated(empty_postgres_url: str) -> None:
    with pytest.raises(OlderDatabase, match=r"has no tables yet\. Run `turnwise migrate`"):
        await open_postgres(empty_postgres_url)
    await asyncio.gather(*(migrate_postgres(empty_postgres_url) for _ in range(4)))
    await (await open_postgres(empty_postgres_url)).close()


async def test_a_database_of_another_version_is_refused(postgres_server: Server, postgres_url: str) -> None:
    name = postgres_url.partition("@/")[2].partition("?")[0]
    postgres_server.execute("UPDATE alembic_version SET version_num = '0001'", name)
    with pytest.raises(OlderDatabase, match=f"revision '0001' and not at '{revisions()[-1]}'"):
        await open_postgres(postgres_url)
    postgres_server.execute("UPDATE alembic_version SET version_num = '9999'", name)
    with pytest.raises(NewerDatabase, match="'9999'"):
        await open_postgres(postgres_url)
    with pytest.raises(NewerDatabase, match="'9999'"):
        await migrate_postgres(postgres_url)


async def test_who_may_not_make_tables_is_told_so(postgres_server: Server) -> None:
    name = postgres_server.make_database()
    postgres_server.execute("CREATE ROLE reader LOGIN")
    url = postgres_server.url(name).replace("turnwise@", "reader@")
    with pytest.raises(DatabaseRefused, match="its tables cannot be made: permission denied for schema public"):
        await migrate_postgres(url)
    postgres_server.drop_database(name)
    postgres_server.execute("DROP ROLE reader")


def test_migrations_make_the_tables_that_are_described(postgres_server: Server) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    from turnwise.store.tables import is_ours, metadata

    def difference(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        return list(compare_metadata(context, metadata))

    async def compare() -> list[object]:
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: asyncpg.connect(postgres_server.url(TEMPLATE)),
            poolclass=NullPool,
        )
        async with engine.connect() as connection:
            return await connection.run_sync(difference)

    assert asyncio.run(compare()) == []


async def test_a_batch_of_a_run_comes_once_whoever_else_appends(store: PostgresStore, other: PostgresStore) -> None:
    await store.create(running(), run=CARRIED)
    batch = Batch("one", 1, words("one", 1, "a", "b").events)
    await asyncio.gather(*(one.append([batch]) for one in [store, other] * 10))
    assert await texts(store, "one") == ["a", "b"]
