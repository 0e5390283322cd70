"""Which slot of the engine a turn is given."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from turnwise.models.embedded_slots import Slots, shared_beginning


def asked(*texts: str) -> dict[str, Any]:
    """A call with texts that are long enough to tell conversations by."""
    return {"messages": [{"role": "user", "content": text * 60} for text in texts]}


async def slot_of(slots: Slots, *texts: str) -> int:
    """The slot that a call is given which is answered at once."""
    call = asked(*texts)
    async with slots.hold(call):
        pass
    return call["id_slot"]


async def test_a_conversation_comes_back_to_its_slot() -> None:
    slots = Slots(3)
    ship, farm = await slot_of(slots, "A ship"), await slot_of(slots, "The farm")
    assert ship != farm
    assert await slot_of(slots, "A ship", "It sails", "And then?") == ship
    assert await slot_of(slots, "The farm", "It grows", "And then?") == farm


async def test_one_that_begins_alike_takes_the_slot_that_shares_the_most() -> None:
    slots = Slots(2)
    first, second = await slot_of(slots, "Be brief", "ship"), await slot_of(slots, "Be kind", "farm")
    assert await slot_of(slots, "Be brief", "town") == first
    assert await slot_of(slots, "Be kind", "town") == second


async def test_one_that_grew_much_comes_back_to_its_slot_too() -> None:
    slots = Slots(2)
    first = await slot_of(slots, "ship")
    assert await slot_of(slots, "ship", "It sails" * 20) == first


async def test_one_that_shares_little_leaves_the_slot_to_the_other() -> None:
    slots = Slots(2)
    first = await slot_of(slots, "Be brief", "ship" * 20)
    assert await slot_of(slots, "Be brief", "farm" * 20) != first


async def test_a_new_conversation_takes_the_slot_that_has_not_been_used_for_longest() -> None:
    slots = Slots(3)
    order = [await slot_of(slots, text) for text in ("a", "b", "c")]
    assert sorted(order) == [0, 1, 2]
    assert await slot_of(slots, "a") == order[0]
    assert await slot_of(slots, "d") == order[1]


async def test_turns_at_the_same_time_have_slots_of_their_own_and_others_wait_in_their_order() -> None:
    slots = Slots(2)
    begun: list[str] = []

    async def turn(text: str) -> None:
        async with slots.hold(asked(text)):
            begun.append(text)

    async with AsyncExitStack() as held:
        calls = [asked("a"), asked("a")]
        for call in calls:
            await held.enter_async_context(slots.hold(call))
        assert {call["id_slot"] for call in calls} == {0, 1}
        waiting = [asyncio.create_task(turn(text)) for text in ("b", "c", "d")]
        await asyncio.sleep(0)
        assert begun == []
        waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert begun == ["b", "d"]


async def test_a_slot_is_free_again_when_its_turn_breaks() -> None:
    slots = Slots(1)
    with pytest.raises(RuntimeError):
        async with slots.hold(asked("a")):
            raise RuntimeError
    assert await slot_of(slots, "b") == 0


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (b"", b"", 0),
        (b"abc", b"", 0),
        (b"abc", b"abd", 2),
        (b"abc", b"abc", 3),
        (b"abc", b"abcd", 3),
        (b"x", b"abc", 0),
    ],
)
def test_what_two_texts_share_ends_where_they_part(one: bytes, other: bytes, shared: int) -> None:
    assert shared_beginning(one, other) == shared_beginning(other, one) == shared
