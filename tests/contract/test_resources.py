"""What every store promises of resources and secrets, tried on each of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from store.values import NOON, resource
from turnwise.store.store import Store

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


async def test_what_was_kept_is_found_as_it_was(store: Store) -> None:
    made = replace(resource(text="Zürich \u0000 \U0001f4a5", deep=[1, {"x": None}]), updated=LATER)
    assert await store.add_resource(made, 1) == "kept"
    assert await store.resource("webhook", "r1", "ann") == made


async def test_an_owner_a_kind_and_an_id_are_all_part_of_the_name(store: Store) -> None:
    made = [resource(), resource(owner="bob"), resource(kind="agent"), resource("r2")]
    for one in made:
        assert await store.add_resource(one, 9) == "kept"
    for one in made:
        assert await store.resource(one.kind, one.id, one.owner) == one
    assert await store.resource("agent", "r2", "ann") is None
    assert await store.resource("webhook", "r2", "bob") is None


async def test_an_id_is_used_once(store: Store) -> None:
    await store.add_resource(resource(text="first"), 9)
    assert await store.add_resource(resource(text="second"), 9) == "taken"
    assert await store.resource("webhook", "r1", "ann") == resource(text="first")


async def test_an_owner_has_so_many_of_a_kind_and_no_more(store: Store) -> None:
    for one in (resource("a"), resource("b"), resource("c", owner="bob"), resource("d", kind="agent")):
        assert await store.add_resource(one, 2) == "kept"
    assert await store.add_resource(resource("e"), 2) == "full"
    assert await store.resource("webhook", "e", "ann") is None
    assert await store.add_resource(resource("a"), 2) == "taken"
    await store.delete_resource("webhook", "a", "ann")
    assert await store.add_resource(resource("e"), 2) == "kept"


async def test_many_who_come_at_once_do_not_get_more_than_there_may_be(store: Store) -> None:
    told = await asyncio.gather(*(store.add_resource(resource(f"r{n}"), 5) for n in range(20)))
    assert sorted(told) == ["full"] * 15 + ["kept"] * 5
    assert len(await store.resources("webhook", "ann", 99)) == 5


async def test_they_are_listed_oldest_first_and_page_by_page(store: Store) -> None:
    made = [resource("b", minutes=1), resource("c", minutes=1), resource("a", minutes=2), resource("d", minutes=3)]
    for one in (made[3], made[1], made[0], made[2], resource("x", owner="bob"), resource("y", kind="agent")):
        await store.add_resource(one, 9)
    assert list(await store.resources("webhook", "ann", 99)) == made
    first = list(await store.resources("webhook", "ann", 1))
    second = list(await store.resources("webhook", "ann", 2, (first[-1].created, first[-1].id)))
    third = list(await store.resources("webhook", "ann", 9, (second[-1].created, second[-1].id)))
    assert [first, second, third] == [made[:1], made[1:3], made[3:]]
    assert list(await store.resources("webhook", "ann", 9, (made[3].created, "d"))) == []


async def test_a_change_is_kept_if_nobody_was_quicker(store: Store) -> None:
    await store.add_resource(resource(text="first"), 9)
    changed = replace(resource(text="second"), updated=LATER)
    assert await store.change_resource(changed, NOON) is True
    assert await store.resource("webhook", "r1", "ann") == changed
    assert await store.change_resource(replace(resource(text="third"), updated=LATER), NOON) is False
    assert await store.resource("webhook", "r1", "ann") == changed


async def test_a_change_leaves_when_it_was_made(store: Store) -> None:
    await store.add_resource(resource(), 9)
    assert await store.change_resource(replace(resource(), created=LATER, updated=LATER), NOON)
    assert await store.resource("webhook", "r1", "ann") == replace(resource(), updated=LATER)


async def test_of_two_who_change_it_at_once_one_wins(store: Store) -> None:
    for n in range(10):
        await store.add_resource(resource(f"r{n}"), 99)
        changes = [replace(resource(f"r{n}", by=by), updated=LATER) for by in ("one", "two")]
        told = await asyncio.gather(*(store.change_resource(change, NOON) for change in changes))
        assert sorted(told) == [False, True]
        assert await store.resource("webhook", f"r{n}", "ann") == changes[told.index(True)]


async def test_what_is_not_there_or_a_strangers_is_neither_changed_nor_removed(store: Store) -> None:
    await store.add_resource(resource(), 9)
    for one in (resource("r2"), resource(owner="bob"), resource(kind="agent")):
        assert await store.change_resource(replace(one, updated=LATER), NOON) is False
        assert await store.delete_resource(one.kind, one.id, one.owner) is False
    assert list(await store.resources("webhook", "ann", 9)) == [resource()]


async def test_what_was_removed_is_gone(store: Store) -> None:
    await store.add_resource(resource(), 9)
    assert await store.delete_resource("webhook", "r1", "ann") is True
    assert await store.resource("webhook", "r1", "ann") is None
    assert await store.delete_resource("webhook", "r1", "ann") is False


# -- secrets


async def test_a_secret_is_what_was_proposed_first(store: Store) -> None:
    assert await store.secret("sealing", b"\x00first") == b"\x00first"
    assert await store.secret("sealing", b"second") == b"\x00first"
    assert await store.secret("other", b"second") == b"second"


async def test_all_who_ask_at_once_get_the_same_secret(store: Store) -> None:
    told = await asyncio.gather(*(store.secret("sealing", bytes([n])) for n in range(20)))
    assert len(set(told)) == 1
