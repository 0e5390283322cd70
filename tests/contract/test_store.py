"""What every store promises, tried on each of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from store.values import (
    CARRIED,
    HERE,
    NOON,
    WAITING,
    ended,
    ending,
    key,
    notice,
    opening,
    resource,
    rich,
    running,
    words,
)
from turnwise.domain.events import Event, PartDelta, TextDelta
from turnwise.domain.interaction import Failure, Interaction, Status, Usage
from turnwise.store.errors import AlreadyKept, StoreClosed
from turnwise.store.store import Batch, NewRun, Store, link_of


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def finished(interaction: Interaction, *, status: Status = Status.COMPLETED) -> Interaction:
    """How an interaction that was running may end."""
    return replace(interaction, status=status, updated=NOON + timedelta(seconds=9), steps=ended().steps)


def texts(found: Sequence[tuple[int, Event]]) -> list[tuple[int, str]]:
    """Positions and texts of what must be text deltas."""
    read = []
    for position, event in found:
        assert isinstance(event, PartDelta)
        assert isinstance(event.delta, TextDelta)
        read.append((position, event.delta.text))
    return read


# -- create and load


@pytest.mark.parametrize(
    ("interaction", "run"), [(ended(), None), (running(), CARRIED), (running(), WAITING), (rich(), None)]
)
async def test_what_was_created_is_loaded_as_it_was(store: Store, interaction: Interaction, run: NewRun | None) -> None:
    await store.create(interaction, run=run)
    assert await store.load(interaction.id, "ann") == interaction


@pytest.mark.parametrize(("interaction", "run"), [(running(), None), (ended(), WAITING)])
async def test_what_is_in_progress_has_a_run_and_nothing_else_has(
    store: Store, interaction: Interaction, run: NewRun | None
) -> None:
    with pytest.raises(ValueError, match="one"):
        await store.create(interaction, run=run)
    assert await store.load("one", "ann") is None


async def test_an_unknown_id_is_none(store: Store) -> None:
    assert await store.load("nobody", "ann") is None


async def test_a_strangers_id_is_none(store: Store) -> None:
    await store.create(ended("one", owner="ann"))
    assert await store.load("one", "bob") is None


async def test_an_id_is_created_once(store: Store) -> None:
    await store.create(ended("one", text="first"))
    with pytest.raises(AlreadyKept, match="one"):
        await store.create(running("one"), words("one", 1, "more"), CARRIED)
    assert await store.load("one", "ann") == ended("one", text="first")
    assert await store.events("one", 0) == []


async def test_the_first_events_come_with_it(store: Store) -> None:
    await store.create(running(), opening(), CARRIED)
    assert [event for _, event in await store.events("one", 0)] == list(opening().events)


# -- chain


async def make_line(store: Store, length: int) -> list[Interaction]:
    names = [f"turn-{n}" for n in range(length)]
    line = [ended(name, previous=before) for before, name in zip([None, *names], names, strict=False)]
    await asyncio.gather(*(store.create(interaction) for interaction in line))
    return line


@pytest.mark.parametrize("length", [1, 2, 1000])
async def test_a_chain_is_all_that_a_turn_continues_oldest_first(store: Store, length: int) -> None:
    line = await make_line(store, length)
    assert list(await store.chain(line[-1].id, "ann")) == [link_of(turn) for turn in line]


async def test_a_chain_ends_with_the_turn_that_was_asked_for(store: Store) -> None:
    line = await make_line(store, 5)
    assert list(await store.chain("turn-2", "ann")) == [link_of(turn) for turn in line[:3]]


async def test_branches_share_their_trunk_and_nothing_else(store: Store) -> None:
    trunk = ended("trunk")
    left, right = ended("left", previous="trunk"), ended("right", previous="trunk")
    for interaction in (trunk, left, right):
        await store.create(interaction)
    assert list(await store.chain("left", "ann")) == [link_of(trunk), link_of(left)]
    assert list(await store.chain("right", "ann")) == [link_of(trunk), link_of(right)]


async def test_a_chain_starts_after_an_ancestor_that_is_gone(store: Store) -> None:
    line = await make_line(store, 5)
    await store.delete("turn-1", "ann")
    found = await store.chain("turn-4", "ann")
    assert list(found) == [link_of(turn) for turn in line[2:]]
    assert found[0].previous_interaction_id == "turn-1"


async def test_a_chain_starts_after_an_ancestor_of_another_owner(store: Store) -> None:
    await store.create(ended("hers", owner="ann"))
    await store.create(ended("his", owner="bob", previous="hers"))
    assert [found.id for found in await store.chain("his", "bob")] == ["his"]


@pytest.mark.parametrize("id", ["one", "nobody"])
async def test_the_chain_of_a_strangers_or_an_unknown_id_is_empty(store: Store, id: str) -> None:
    await store.create(ended("one", owner="ann"))
    assert list(await store.chain(id, "bob")) == []


# -- append and events


async def test_events_have_the_positions_that_they_were_given(store: Store) -> None:
    await store.create(running(), opening(), CARRIED)
    await store.append([words("one", 3, "a", "b", "c"), words("one", 6, "d")])
    found = await store.events("one", 2)
    assert texts(found) == [(3, "a"), (4, "b"), (5, "c"), (6, "d")]


@pytest.mark.parametrize("after", range(9))
async def test_reading_starts_behind_any_position_in_the_middle_of_a_batch_too(store: Store, after: int) -> None:
    letters = "abcdefg"
    await store.create(running(), words("one", 1, "a", "b"), CARRIED)
    await store.append([words("one", 3, "c", "d", "e", "f")])
    await store.append([words("one", 7, "g")])
    everything = list(enumerate(letters, 1))
    assert texts(await store.events("one", after)) == everything[after:]


async def test_an_unknown_interaction_has_no_events(store: Store) -> None:
    assert list(await store.events("nobody", 0)) == []


async def test_batches_that_come_out_of_order_are_read_in_order(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    await store.append([words("one", 3, "c")])
    await store.append([words("one", 1, "a", "b")])
    assert texts(await store.events("one", 0)) == [(1, "a"), (2, "b"), (3, "c")]


async def test_the_same_batch_again_changes_nothing(store: Store) -> None:
    batch = words("one", 1, "a", "b")
    await store.create(running(), run=CARRIED)
    for _ in range(3):
        await store.append([batch, words("one", 3, "c")])
    assert texts(await store.events("one", 0)) == [(1, "a"), (2, "b"), (3, "c")]


async def test_one_append_serves_many_interactions(store: Store) -> None:
    for id in ("one", "two"):
        await store.create(running(id), run=CARRIED)
    await store.append([words("one", 1, "a"), words("two", 1, "x", "y")])
    assert texts(await store.events("one", 0)) == [(1, "a")]
    assert texts(await store.events("two", 0)) == [(1, "x"), (2, "y")]


async def test_events_of_one_that_is_not_there_are_not_kept_and_the_others_are(store: Store) -> None:
    await store.create(running("one"), run=CARRIED)
    await store.create(running("gone"), run=CARRIED)
    await store.delete("gone", "ann")
    await store.append([words("gone", 1, "x"), words("one", 1, "a"), words("never", 1, "y")])
    assert texts(await store.events("one", 0)) == [(1, "a")]
    for id in ("gone", "never"):
        await store.create(running(id), run=CARRIED)
        assert list(await store.events(id, 0)) == []


async def test_what_was_appended_is_not_refused_and_neither_is_the_same_again(store: Store) -> None:
    await store.create(running(), opening(), CARRIED)
    batches = [words("one", 3, "a"), Batch("one", 4, ())]
    assert [set(await store.append(batches)) for _ in range(2)] == [set(), set()]


@pytest.mark.parametrize("number", [1, 2, 3, 64, 150])
async def test_any_number_of_runs_is_appended_to_at_once(store: Store, number: int) -> None:
    ids = [f"int_{n}" for n in range(number)]
    for id in ids:
        await store.create(replace(running(), id=id), run=CARRIED)
    refused = await store.append([words(id, 1, id) for id in ["gone", *ids]])
    assert set(refused) == {"gone"}
    for id in ids:
        assert texts(await store.events(id, 0)) == [(1, id)]


async def test_what_was_refused_is_named_and_the_rest_is_kept(store: Store) -> None:
    for id in ("one", "over", "gone"):
        await store.create(running(id), run=CARRIED)
    await store.create(ended("never begun"))
    await store.finish(finished(running("over")), attempt=1)
    await store.delete("gone", "ann")
    batches = [words(id, 1, "x") for id in ("over", "gone", "never begun", "unknown", "one")]
    for _ in range(2):
        assert set(await store.append(batches)) == {"over", "gone", "never begun", "unknown"}
    assert texts(await store.events("one", 0)) == [(1, "x")]
    for id in ("over", "gone", "never begun", "unknown"):
        assert list(await store.events(id, 0)) == []


async def test_the_tails_of_many_are_told_at_once(store: Store) -> None:
    for id in ("one", "two", "three"):
        await store.create(running(id), words(id, 1, "a", "b", "c"), CARRIED)
    found = await store.tail({"one": 0, "two": 2, "three": 3, "unknown": 0})
    assert {id: texts(tail) for id, tail in found.items()} == {"one": [(1, "a"), (2, "b"), (3, "c")], "two": [(3, "c")]}
    assert dict(await store.tail({})) == {}


async def test_an_empty_batch_and_no_batch_at_all_are_fine(store: Store) -> None:
    await store.create(running(), Batch("one", 1, ()), CARRIED)
    await store.append([])
    await store.append([Batch("one", 1, ())])
    await store.append([words("one", 1, "a")])
    assert texts(await store.events("one", 0)) == [(1, "a")]


# -- finish


async def test_an_end_is_kept_with_its_last_events(store: Store) -> None:
    await store.create(running(), opening(), CARRIED)
    usage, failure = Usage({"text": 1}), Failure("api_error", "It broke.")
    end = replace(finished(running(), status=Status.FAILED), usage=usage, failure=failure)
    assert await store.finish(end, ending("one", 3), attempt=1) is True
    assert await store.load("one", "ann") == end
    assert [position for position, _ in await store.events("one", 0)] == [1, 2, 3]


async def test_the_end_adds_the_outcome_and_leaves_the_request(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    await store.finish(replace(finished(running()), turn=rich().turn, owner="bob", dialect="outputs"), attempt=1)
    assert await store.load("one", "ann") == finished(running())


async def test_an_interaction_ends_once(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    first, second = finished(running()), finished(running(), status=Status.CANCELLED)
    assert await store.finish(first, attempt=1) is True
    assert await store.finish(second, ending("one", 1), attempt=1) is False
    assert await store.load("one", "ann") == first
    assert list(await store.events("one", 0)) == []


async def test_of_two_callers_who_race_to_end_it_one_wins(store: Store) -> None:
    for n in range(20):
        id = f"race-{n}"
        await store.create(running(id), run=CARRIED)
        ends = [finished(running(id), status=status) for status in (Status.COMPLETED, Status.CANCELLED)]
        told = await asyncio.gather(*(store.finish(end, ending(id, 1), attempt=1) for end in ends))
        assert sorted(told) == [False, True]
        assert await store.load(id, "ann") == ends[told.index(True)]
        assert len(await store.events(id, 0)) == 1


async def test_one_that_was_created_ended_does_not_end_again(store: Store) -> None:
    await store.create(ended())
    assert await store.finish(finished(running()), attempt=1) is False
    assert await store.load("one", "ann") == ended()


async def test_one_that_was_deleted_or_never_there_does_not_end(store: Store) -> None:
    await store.create(running("one"), run=CARRIED)
    await store.delete("one", "ann")
    for id in ("one", "never"):
        assert await store.finish(finished(running(id)), words(id, 1, "x"), attempt=1) is False
        assert await store.load(id, "ann") is None
        assert list(await store.events(id, 0)) == []


@pytest.mark.parametrize("attempt", [0, 2])
async def test_another_attempt_ends_nothing(store: Store, attempt: int) -> None:
    await store.create(running(), run=CARRIED)
    assert await store.finish(finished(running()), ending("one", 1), attempt=attempt, notices=[notice()]) is False
    assert await store.load("one", "ann") == running()
    assert list(await store.events("one", 0)) == []
    assert list(await store.due_notices(NOON, NOON, 9)) == []


# -- delete


async def test_what_was_deleted_is_gone_with_its_events(store: Store) -> None:
    await store.create(running(), opening(), CARRIED)
    await store.append([words("one", 3, "a")])
    assert await store.delete("one", "ann") is True
    assert await store.load("one", "ann") is None
    assert list(await store.chain("one", "ann")) == []
    assert list(await store.events("one", 0)) == []
    assert await store.delete("one", "ann") is False


async def test_a_stranger_deletes_nothing(store: Store) -> None:
    await store.create(ended("one"), opening())
    assert await store.delete("one", "bob") is False
    assert await store.load("one", "ann") == ended("one")
    assert len(await store.events("one", 0)) == 2


async def test_deleting_one_leaves_the_others(store: Store) -> None:
    for id in ("one", "two"):
        await store.create(ended(id), opening(id))
    await store.delete("one", "ann")
    assert await store.load("two", "ann") == ended("two")
    assert len(await store.events("two", 0)) == 2


# -- keys


async def test_keys_are_listed_oldest_first(store: Store) -> None:
    young, old = key("a", minutes=2), key("b", minutes=1)
    await store.add_key(young)
    await store.add_key(old)
    assert list(await store.keys()) == [old, young]


async def test_a_key_is_revoked_once_and_stays_in_the_list(store: Store) -> None:
    await store.add_key(key("k1"))
    await store.add_key(key("k2", minutes=1))
    late = NOON + timedelta(days=1)
    assert await store.revoke_key("k1", late) is True
    assert await store.revoke_key("k1", late + timedelta(days=1)) is False
    assert await store.revoke_key("k9", late) is False
    assert list(await store.keys()) == [replace(key("k1"), revoked=late), key("k2", minutes=1)]


async def test_a_key_id_is_used_once(store: Store) -> None:
    await store.add_key(key("k1"))
    with pytest.raises(AlreadyKept, match="k1"):
        await store.add_key(key("k1", minutes=5))
    assert list(await store.keys()) == [key("k1")]


# -- close


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()
    for call in (
        store.create(ended()),
        store.append([words("one", 1, "a")]),
        store.finish(finished(running()), attempt=1),
        store.load("one", "ann"),
        store.chain("one", "ann"),
        store.events("one", 0),
        store.tail({"one": 0}),
        store.delete("one", "ann"),
        store.claim(HERE, 1),
        store.take("one", "ann", HERE),
        store.beat(HERE),
        store.release("here"),
        store.abandon(),
        store.add_notices([notice()]),
        store.due_notices(NOON, NOON, 1),
        store.put_off_notices([notice()]),
        store.settle_notice("n1", None),
        store.add_resource(resource(), 1),
        store.resource("webhook", "r1", "ann"),
        store.resources("webhook", "ann", 1),
        store.change_resource(resource(), NOON),
        store.delete_resource("webhook", "r1", "ann"),
        store.add_key(key()),
        store.keys(),
        store.revoke_key("k1", NOON),
        store.secret("sealing", b"key"),
    ):
        with pytest.raises(StoreClosed, match="closed"):
            await call
    with pytest.raises(StoreClosed, match="closed"):
        store.news()
