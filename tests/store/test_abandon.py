"""What a store for one process alone does when that process starts: nobody carries anything."""

import asyncio
from pathlib import Path

import pytest

from conftest import OPEN
from store.values import CARRIED, HERE, LAPSED, THERE, WAITING, running, words
from turnwise.store.store import NewRun, News, Run, Store


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path):
    opened = await OPEN[request.param](tmp_path / "turnwise.db")
    yield opened
    await opened.close()


async def test_whatever_was_carried_waits_and_counts_a_death(store: Store) -> None:
    await store.create(running("carried", minutes=1), run=NewRun(b"baggage", HERE))
    await store.create(running("lapsed", minutes=2), run=NewRun(lease=LAPSED))
    await store.create(running("waiting", minutes=3), run=WAITING)
    await store.abandon()
    assert dict(await store.beat(HERE)) == {}
    assert list(await store.claim(THERE, 9)) == [
        Run(running("carried", minutes=1), attempt=2, deaths=1, baggage=b"baggage"),
        Run(running("lapsed", minutes=2), attempt=2, deaths=1),
        Run(running("waiting", minutes=3), attempt=1, deaths=0),
    ]


async def test_whoever_had_a_run_that_another_one_has_now_is_shut_out(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    await store.abandon()
    await store.claim(THERE, 9)
    assert set(await store.append([words("one", 1, "late")])) == {"one"}


async def test_it_is_told(store: Store) -> None:
    await store.create(running("carried"), run=CARRIED)
    await store.create(running("waiting"), run=WAITING)
    news = store.news()
    await store.abandon()
    async with asyncio.timeout(10.0):
        assert await anext(news) == News(taken=frozenset({"carried"}), waiting=True)
    await news.aclose()


async def test_with_nothing_carried_there_is_nothing_to_tell(store: Store) -> None:
    await store.create(running("waiting"), run=WAITING)
    news = store.news()
    await store.abandon()
    await store.create(running("mark"), run=CARRIED)
    await store.append([words("mark", 1, "a")])
    async with asyncio.timeout(10.0):
        assert await anext(news) == News(told=frozenset({"mark"}))
    await news.aclose()
