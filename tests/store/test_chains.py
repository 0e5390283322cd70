"""Chains that were read before: nothing is read twice, and nothing is told that the database does not say any more."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from store.values import CARRIED, ended, running
from turnwise.domain.interaction import Interaction, Status
from turnwise.store import links
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import Store, link_of


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """A store, and the same as another process has it."""
    if request.param == "sqlite":
        opened: list[Store] = [await open_sqlite(tmp_path / "turnwise.db") for _ in range(2)]
    else:
        from turnwise.store.postgres import open_postgres

        url = request.getfixturevalue("postgres_url")
        opened = [await open_postgres(url) for _ in range(2)]
    yield opened[0], opened[1]
    for store in opened:
        await store.close()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of all links that are read out of rows."""
    ids: list[str] = []
    read_link = links.read_link

    def reading(row: list[str]) -> links.Link:
        ids.append(row[0])
        return read_link(row)

    monkeypatch.setattr(links, "read_link", reading)
    return ids


async def make_line(store: Store, *ids: str) -> list[Interaction]:
    line = [ended(id, previous=before) for before, id in zip([None, *ids], ids, strict=False)]
    for interaction in line:
        await store.create(interaction)
    return line


async def test_a_turn_reads_only_what_was_said_since(stores: tuple[Store, Store], read: list[str]) -> None:
    store, other = stores
    await make_line(store, *"abcd")
    assert [link.id for link in await store.chain("c", "ann")] == ["a", "b", "c"]
    assert sorted(read) == ["a", "b", "c"]
    assert [link.id for link in await store.chain("d", "ann")] == ["a", "b", "c", "d"]
    await other.create(ended("e", previous="d"))
    assert [link.id for link in await store.chain("e", "ann")] == ["a", "b", "c", "d", "e"]
    assert read[3:] == ["d", "e"]


async def test_branches_share_what_was_read(stores: tuple[Store, Store], read: list[str]) -> None:
    store, _ = stores
    await make_line(store, *"abc")
    await store.create(ended("left", previous="b"))
    await store.chain("c", "ann")
    assert [link.id for link in await store.chain("left", "ann")] == ["a", "b", "left"]
    assert read[3:] == ["left"]


@pytest.mark.parametrize("gone", ["a", "b", "c"])
@pytest.mark.parametrize("by", ["itself", "another process"])
async def test_what_is_deleted_is_not_met_again(stores: tuple[Store, Store], gone: str, by: str) -> None:
    store, other = stores
    line = await make_line(store, *"abc")
    assert len(await store.chain("c", "ann")) == 3
    await (store if by == "itself" else other).delete(gone, "ann")
    left = line["abc".index(gone) + 1 :]
    assert list(await store.chain("c", "ann")) == [link_of(interaction) for interaction in left]


async def test_what_is_deleted_while_nothing_else_is_asked_is_not_met_again_though_something_else_goes_first(
    stores: tuple[Store, Store],
) -> None:
    store, other = stores
    line = await make_line(store, *"abc")
    for id in ("x", "y"):
        await store.create(ended(id))
    for gone in ("x", "y", "a"):
        assert len(await store.chain("c", "ann")) == 3
        await other.delete(gone, "ann")
    assert list(await store.chain("c", "ann")) == [link_of(interaction) for interaction in line[1:]]


async def test_a_stranger_gets_nothing_of_what_was_read(stores: tuple[Store, Store]) -> None:
    store, _ = stores
    await make_line(store, *"ab")
    assert len(await store.chain("b", "ann")) == 2
    assert list(await store.chain("b", "bob")) == []
    await store.create(ended("his", owner="bob", previous="b"))
    assert [link.id for link in await store.chain("his", "bob")] == ["his"]


async def test_what_was_in_progress_is_read_again_when_it_has_ended(stores: tuple[Store, Store]) -> None:
    store, other = stores
    await store.create(running(), run=CARRIED)
    (link,) = await store.chain("one", "ann")
    assert link.status is Status.IN_PROGRESS
    whole = replace(running(), status=Status.COMPLETED, steps=ended().steps)
    assert await other.finish(whole, attempt=1)
    assert list(await store.chain("one", "ann")) == [link_of(whole)]


async def test_an_id_that_is_used_anew_is_read_anew(stores: tuple[Store, Store]) -> None:
    store, _ = stores
    await store.create(ended(text="before"))
    await store.chain("one", "ann")
    await store.delete("one", "ann")
    await store.create(ended(text="after"))
    assert list(await store.chain("one", "ann")) == [link_of(ended(text="after"))]


async def test_what_goes_between_the_walk_and_the_reading_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_sqlite(tmp_path / "turnwise.db")
    line = await make_line(store, *"abc")
    walks: list[list[str]] = []
    find = links.Links.find

    def finding(self: links.Links, members: list[links.Member], checked: int) -> dict[links.Member, links.Link]:
        walks.append([id for id, _ in members])
        with closing(sqlite3.connect(tmp_path / "turnwise.db")) as other, other:
            other.execute("DELETE FROM interactions WHERE id = 'a'")
        return find(self, members, checked)

    monkeypatch.setattr(links.Links, "find", finding)
    assert list(await store.chain("c", "ann")) == [link_of(interaction) for interaction in line[1:]]
    assert list(map(sorted, walks)) == [["a", "b", "c"], ["b", "c"]]
    await store.close()


@pytest.mark.postgres
async def test_others_have_their_turn_while_a_long_chain_is_read(postgres_url: str, read: list[str]) -> None:
    from turnwise.store.postgres import open_postgres
    from turnwise.store.postgres.interactions import AT_ONCE

    store = await open_postgres(postgres_url)
    await make_line(store, *(f"{number:03}" for number in range(5 * AT_ONCE)))
    reading = asyncio.create_task(store.chain(f"{5 * AT_ONCE - 1:03}", "ann"))
    counted = [0]
    while not reading.done():
        await asyncio.sleep(0)
        counted.append(len(read))
    assert len(await reading) == counted[-1] == 5 * AT_ONCE
    assert max(after - before for before, after in pairwise(counted)) <= AT_ONCE
    await store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("gone", ["a", "b", "c"])
async def test_what_is_deleted_while_it_is_read_is_not_kept(
    postgres_url: str, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from turnwise.store.postgres import open_postgres, statements
    from turnwise.store.postgres.database import Database

    store = await open_postgres(postgres_url)
    await make_line(store, *"abc")
    fetch = Database.fetch

    async def fetching(self: Database, statement: str, *arguments: object) -> list[Any]:
        rows = await fetch(self, statement, *arguments)
        if statement == statements.LINKS:
            await store.delete(gone, "ann")
        return rows

    monkeypatch.setattr(Database, "fetch", fetching)
    assert len(await store.chain("c", "ann")) == "cba".index(gone)
    monkeypatch.undo()
    await store.create(ended(gone, text="after"))
    assert list(await store.chain(gone, "ann")) == [link_of(ended(gone, text="after"))]
    await store.close()
