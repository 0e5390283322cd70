"""News within a process: nobody waits for a listener, and a listener misses nothing that it is not told of."""

import asyncio
import gc

import pytest

from turnwise.store import news as telling
from turnwise.store.news import SOMETHING, Teller
from turnwise.store.store import News

BOUND = 60.0
"""Seconds that no test waits longer for anything."""


async def test_what_was_not_read_yet_is_read_as_one() -> None:
    teller = Teller()
    news = teller.listen()
    teller.tell(News(told=frozenset("ab")))
    teller.tell(News(told=frozenset("bc"), taken=frozenset("x")))
    teller.tell(News(waiting=True))
    assert await anext(news) == News(frozenset("abc"), frozenset("x"), waiting=True)
    teller.tell(News(taken=frozenset("y")))
    assert await anext(news) == News(taken=frozenset("y"))
    await news.aclose()


async def test_a_listener_that_waits_is_woken() -> None:
    teller = Teller()
    news = teller.listen()
    waiting = asyncio.ensure_future(anext(news))
    await asyncio.sleep(0)  # it waits
    teller.tell(News(waiting=True))
    assert await asyncio.wait_for(waiting, BOUND) == News(waiting=True)
    await news.aclose()


async def test_what_was_told_before_anybody_listened_is_not_heard() -> None:
    teller = Teller()
    teller.tell(News(told=frozenset("a")))
    news = teller.listen()
    teller.tell(News(told=frozenset("b")))
    assert await anext(news) == News(told=frozenset("b"))
    await news.aclose()


async def test_a_listener_that_missed_too_much_hears_that_something_has_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "REMEMBERED", 3)
    teller = Teller()
    slow, quick = teller.listen(), teller.listen()
    for id in "abcdef":
        teller.tell(News(told=frozenset(id)))
        assert await anext(quick) == News(told=frozenset(id))
    assert await anext(slow) == SOMETHING
    teller.tell(News(told=frozenset("g")))
    assert await anext(slow) == News(told=frozenset("g"))
    await slow.aclose()
    await quick.aclose()


async def test_that_something_has_happened_is_not_lost_among_what_is_said_of_it() -> None:
    teller = Teller()
    news = teller.listen()
    for told in (News(told=frozenset("a")), SOMETHING, News(told=frozenset("b"))):
        teller.tell(told)
    assert await anext(news) == SOMETHING
    await news.aclose()


async def test_a_listener_that_leaves_is_forgotten() -> None:
    teller = Teller()
    left, dropped, never_read = teller.listen(), teller.listen(), teller.listen()
    teller.tell(SOMETHING)
    assert await anext(left) == await anext(dropped) == SOMETHING
    await left.aclose()
    await dropped.aclose()
    del left, dropped, never_read
    gc.collect()
    assert not teller.is_heard


async def test_nothing_more_is_heard_after_the_end() -> None:
    teller = Teller()
    news = teller.listen()
    teller.close()
    assert [said async for said in news] == []
