"""What every store promises of notices, tried on each of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from store.values import CARRIED, NOON, ended, notice, running
from turnwise.store.errors import AlreadyKept
from turnwise.store.store import Notice, Store

LATER, LATE = NOON + timedelta(hours=1), NOON + timedelta(hours=2)


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def tried(kept: Notice, *, attempts: int = 1) -> Notice:
    """A notice as whoever takes it until later sees it."""
    return replace(kept, due=LATER, attempts=attempts)


async def ids(store: Store) -> list[str]:
    """The ids of all notices, by taking them."""
    return [kept.id for kept in await store.due_notices(LATE + timedelta(days=9), NOON, 99)]


async def test_a_notice_comes_with_what_it_says_of(store: Store) -> None:
    first, second = notice("n1", text="Zürich \u0000 \U0001f4a5", deep=[1, {"x": None}]), notice("n2", owner="bob")
    await store.create(ended("one"), notices=[first, second])
    assert list(await store.due_notices(NOON, LATER, 9)) == [tried(first), tried(second)]


async def test_a_notice_comes_with_an_end(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    assert await ids(store) == []
    assert await store.finish(ended(), attempt=1, notices=[notice()])
    assert await ids(store) == ["n1"]
    assert await store.finish(ended(), attempt=1, notices=[notice("n2")]) is False
    assert await ids(store) == ["n1"]


async def test_what_is_said_of_nothing_is_not_kept_with_an_interaction_that_is_refused(store: Store) -> None:
    await store.create(ended())
    with pytest.raises(AlreadyKept, match="one"):
        await store.create(ended(), notices=[notice()])
    assert await ids(store) == []


async def test_a_notice_whose_id_is_in_use_is_an_error_and_nothing_is_kept(store: Store) -> None:
    await store.add_notices([notice("n1", text="first")])
    with pytest.raises(AlreadyKept, match="n1"):
        await store.add_notices([notice("n2"), notice("n1", text="second")])
    with pytest.raises(AlreadyKept, match="n1"):
        await store.create(ended(), notices=[notice("n1")])
    assert await store.load("one", "ann") is None
    assert [kept.body for kept in await store.due_notices(NOON, LATER, 9)] == [{"text": "first"}]


async def test_the_longest_due_come_first_and_no_more_than_asked_for(store: Store) -> None:
    await store.add_notices([notice("c", minutes=3), notice("a", minutes=1), notice("b", minutes=2)])
    assert [kept.id for kept in await store.due_notices(LATER, LATE, 2)] == ["a", "b"]
    assert [kept.id for kept in await store.due_notices(LATER, LATE, 2)] == ["c"]


async def test_what_is_not_due_is_left(store: Store) -> None:
    await store.add_notices([notice("now"), notice("soon", minutes=1)])
    assert [kept.id for kept in await store.due_notices(NOON, LATER, 9)] == ["now"]
    assert [kept.id for kept in await store.due_notices(NOON + timedelta(minutes=1), LATER, 9)] == ["soon"]


async def test_a_notice_that_was_taken_is_due_again_later_and_counts_how_often(store: Store) -> None:
    await store.add_notices([notice()])
    assert list(await store.due_notices(NOON, LATER, 9)) == [tried(notice())]
    assert list(await store.due_notices(LATER - timedelta(microseconds=1), LATER, 9)) == []
    assert list(await store.due_notices(LATER, LATER, 9)) == [tried(notice(), attempts=2)]


async def test_no_two_who_look_at_once_get_the_same(store: Store) -> None:
    names = {f"n{n}" for n in range(40)}
    await store.add_notices([notice(name) for name in names])
    given = await asyncio.gather(*(store.due_notices(NOON, LATER, 3) for _ in range(20)))
    assert sorted(kept.id for some in given for kept in some) == sorted(names)


async def test_what_was_heard_is_gone(store: Store) -> None:
    await store.add_notices([notice("n1"), notice("n2")])
    await store.due_notices(NOON, LATER, 9)
    await store.settle_notice("n1", None)
    assert await ids(store) == ["n2"]


async def test_what_was_not_heard_is_due_when_it_is_said(store: Store) -> None:
    await store.add_notices([notice()])
    await store.due_notices(NOON, LATER, 9)
    await store.settle_notice("n1", LATE)
    assert list(await store.due_notices(LATER, LATER, 9)) == []
    assert list(await store.due_notices(LATE, LATER, 9)) == [tried(notice(), attempts=2)]


async def test_what_was_put_off_was_not_tried(store: Store) -> None:
    await store.add_notices([notice("n1"), notice("n2"), notice("n3")])
    await store.due_notices(NOON, LATER, 9)
    await store.put_off_notices([replace(notice(id), due=LATE) for id in ("n1", "n2", "unknown")])
    await store.put_off_notices([])
    assert [kept.id for kept in await store.due_notices(LATER, LATER, 9)] == ["n3"]
    assert [(kept.id, kept.attempts) for kept in await store.due_notices(LATE, LATER, 9)] == [
        ("n3", 3),
        ("n1", 1),
        ("n2", 1),
    ]


async def test_settling_what_is_gone_changes_nothing(store: Store) -> None:
    for due in (None, NOON):
        await store.settle_notice("unknown", due)
    assert await ids(store) == []


async def test_a_notice_outlives_what_it_says_of(store: Store) -> None:
    await store.create(ended(), notices=[notice()])
    await store.delete("one", "ann")
    assert await ids(store) == ["n1"]


async def test_none_at_all_are_fine(store: Store) -> None:
    await store.add_notices([])
    assert list(await store.due_notices(NOON, LATER, 9)) == []
