"""What every store promises of runs and who carries them, tried on each of them.

Carriers are `here`, `there`, and one whose lease has run out as soon as it has one.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest

from store.values import CARRIED, HERE, LAPSED, NOON, THERE, WAITING, ended, ending, opening, running, words
from turnwise.domain.interaction import Interaction, Status
from turnwise.store.store import NewRun, News, Run, Store

BOUND = 60.0
"""Seconds that no test waits longer for news."""


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def finished(id: str = "one") -> Interaction:
    """How a run ends."""
    return replace(running(id), status=Status.COMPLETED, updated=NOON + timedelta(seconds=9), steps=ended().steps)


async def lapsed(store: Store, id: str = "one") -> None:
    """A run whose carrier is dead."""
    await store.create(running(id), run=NewRun(lease=LAPSED))


# -- claims


async def test_a_run_that_waits_is_claimed_with_what_it_brought_along(store: Store) -> None:
    await store.create(running(), opening(), NewRun(b"\x00baggage"))
    assert list(await store.claim(HERE, 9)) == [Run(running(), attempt=1, deaths=0, baggage=b"\x00baggage")]


async def test_a_run_that_is_carried_is_not_claimed(store: Store) -> None:
    await store.create(running("begun here"), run=CARRIED)
    await store.create(running("claimed here"), run=WAITING)
    assert len(await store.claim(HERE, 9)) == 1
    assert list(await store.claim(THERE, 9)) == []


async def test_what_has_ended_or_was_deleted_is_not_claimed(store: Store) -> None:
    await store.create(ended("over"))
    await store.create(running("finished"), run=CARRIED)
    await store.finish(finished("finished"), attempt=1)
    await store.create(running("deleted"), run=WAITING)
    await store.delete("deleted", "ann")
    await store.release("here")
    assert list(await store.claim(THERE, 9)) == []


async def test_the_oldest_are_claimed_first_whether_they_wait_or_their_carrier_died(store: Store) -> None:
    for id, minutes, run in (
        ("fourth", 4, NewRun(lease=LAPSED)),
        ("second", 2, NewRun(lease=LAPSED)),
        ("third", 3, WAITING),
        ("first", 1, WAITING),
        ("fifth", 5, WAITING),
    ):
        await store.create(running(id, minutes=minutes), run=run)
    claimed = [await store.claim(HERE, 2) for _ in range(3)]
    assert [[run.interaction.id for run in some] for some in claimed] == [
        ["first", "second"],
        ["third", "fourth"],
        ["fifth"],
    ]


async def test_runs_of_all_owners_are_claimed(store: Store) -> None:
    await store.create(running("hers", owner="ann"), run=WAITING)
    await store.create(running("his", owner="bob"), run=WAITING)
    assert {run.interaction.owner for run in await store.claim(HERE, 9)} == {"ann", "bob"}


async def test_of_two_who_claim_at_once_no_two_get_the_same(store: Store) -> None:
    names = {f"run-{n}" for n in range(40)}
    for id in names:
        await store.create(running(id), run=WAITING)
    given = await asyncio.gather(*(store.claim(lease, 3) for _ in range(10) for lease in (HERE, THERE)))
    claimed = [run.interaction.id for some in given for run in some]
    assert sorted(claimed) == sorted(names)
    assert {*await store.beat(HERE), *await store.beat(THERE)} == names


# -- leases


async def test_a_run_whose_lease_ran_out_is_claimed_by_another_and_counts_a_death(store: Store) -> None:
    await lapsed(store)
    assert list(await store.claim(LAPSED, 9)) == []
    assert list(await store.claim(replace(LAPSED, carrier="also dead"), 9)) == [Run(running(), attempt=2, deaths=1)]
    assert list(await store.claim(HERE, 9)) == [Run(running(), attempt=3, deaths=2)]
    assert list(await store.claim(THERE, 9)) == []


async def test_whoever_claims_is_alive_and_does_not_get_what_it_has(store: Store) -> None:
    await lapsed(store)
    assert list(await store.claim(replace(HERE, carrier=LAPSED.carrier), 9)) == []
    assert dict(await store.beat(LAPSED)) == {"one": 1}


async def test_a_beat_prolongs_a_lease(store: Store) -> None:
    await lapsed(store)
    assert dict(await store.beat(replace(LAPSED, seconds=60.0))) == {"one": 1}
    assert list(await store.claim(HERE, 9)) == []


async def test_a_beat_with_a_shorter_lease_is_believed_too(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    await store.beat(replace(HERE, seconds=0.0))
    assert [run.deaths for run in await store.claim(THERE, 9)] == [1]


async def test_a_beat_tells_the_runs_of_a_carrier_and_their_attempts(store: Store) -> None:
    await store.create(running("begun"), run=CARRIED)
    await store.create(running("hers"), run=NewRun(lease=THERE))
    await lapsed(store, "claimed")
    await store.create(running("over"), run=CARRIED)
    await store.claim(HERE, 9)
    await store.finish(finished("over"), attempt=1)
    assert dict(await store.beat(HERE)) == {"begun": 1, "claimed": 2}
    assert dict(await store.beat(THERE)) == {"hers": 1}
    assert dict(await store.beat(LAPSED)) == {}


# -- the fence


async def test_whoever_lost_a_run_can_neither_add_to_it_nor_end_it(store: Store) -> None:
    await store.create(running(), opening(), NewRun(lease=LAPSED))
    assert await store.append([words("one", 3, "kept")]) == set()
    (run,) = await store.claim(HERE, 9)
    assert set(await store.append([words("one", 4, "late", attempt=1)])) == {"one"}
    assert await store.finish(finished(), ending("one", 4), attempt=1) is False
    assert await store.append([words("one", 4, "next", attempt=run.attempt)]) == set()
    assert [position for position, _ in await store.events("one", 2)] == [3, 4]
    assert await store.finish(finished(), ending("one", 5), attempt=run.attempt) is True
    assert await store.load("one", "ann") == finished()


async def test_in_one_append_those_that_were_lost_are_refused_and_the_others_kept(store: Store) -> None:
    for id in ("mine", "lost"):
        await store.create(running(id), run=CARRIED)
    assert await store.take("lost", "ann", THERE) is not None
    refused = await store.append([words("lost", 1, "x"), words("mine", 1, "a"), words("lost", 2, "y")])
    assert set(refused) == {"lost"}
    assert [len(await store.events(id, 0)) for id in ("mine", "lost")] == [1, 0]


async def test_a_batch_that_was_kept_is_refused_when_it_comes_again_too_late(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    batch = words("one", 1, "a")
    assert await store.append([batch]) == set()
    await store.take("one", "ann", THERE)
    assert set(await store.append([batch])) == {"one"}
    assert len(await store.events("one", 0)) == 1


async def test_of_an_old_carrier_and_a_new_one_who_race_one_ends_the_run(store: Store) -> None:
    for n in range(20):
        id = f"race-{n}"
        await store.create(running(id), run=CARRIED)
        taken, ended_here = await asyncio.gather(store.take(id, "ann", THERE), store.finish(finished(id), attempt=1))
        assert (taken is None) is ended_here
        ended_there = await store.finish(finished(id), attempt=2)
        assert ended_there is not ended_here


# -- take


async def test_a_run_is_taken_from_whoever_has_it_and_that_is_no_death(store: Store) -> None:
    await store.create(running(), run=NewRun(b"baggage", HERE))
    assert await store.take("one", "ann", THERE) == Run(running(), attempt=2, deaths=0, baggage=b"baggage")
    assert dict(await store.beat(HERE)) == {}
    assert dict(await store.beat(THERE)) == {"one": 2}


async def test_a_run_that_waits_is_taken(store: Store) -> None:
    await store.create(running(), run=WAITING)
    assert await store.take("one", "ann", HERE) == Run(running(), attempt=1, deaths=0)
    assert list(await store.claim(THERE, 9)) == []


async def test_what_is_not_there_or_has_ended_or_is_a_strangers_is_not_taken(store: Store) -> None:
    await store.create(ended("over"))
    await store.create(running("finished"), run=CARRIED)
    await store.finish(finished("finished"), attempt=1)
    await store.create(running("his", owner="bob"), run=CARRIED)
    for id in ("nobody", "over", "finished", "his"):
        assert await store.take(id, "ann", THERE) is None
    assert dict(await store.beat(HERE)) == {"his": 1}


# -- release and abandon


async def test_runs_that_are_released_wait_again_and_that_is_no_death(store: Store) -> None:
    for id in ("one", "two"):
        await store.create(running(id), run=CARRIED)
    await store.create(running("hers"), run=NewRun(lease=THERE))
    await store.release("here")
    assert dict(await store.beat(HERE)) == {}
    assert list(await store.claim(THERE, 9)) == [Run(running(id), attempt=2, deaths=0) for id in ("one", "two")]


async def test_some_are_released_and_the_others_are_kept(store: Store) -> None:
    for id in ("one", "two", "three"):
        await store.create(running(id), run=CARRIED)
    await store.create(running("hers"), run=NewRun(lease=THERE))
    await store.release("here", ["two", "hers", "unknown"])
    await store.release("here", [])
    assert set(await store.beat(HERE)) == {"one", "three"}
    assert set(await store.beat(THERE)) == {"hers"}
    assert [run.interaction.id for run in await store.claim(THERE, 9)] == ["two"]


async def test_whoever_gets_a_run_that_was_released_shuts_out_who_had_it(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    await store.release("here")
    await store.claim(HERE, 9)
    assert set(await store.append([words("one", 1, "late")])) == {"one"}


async def test_a_run_that_is_deleted_is_gone_from_its_carrier(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    await store.delete("one", "ann")
    assert dict(await store.beat(HERE)) == {}
    assert set(await store.append([words("one", 1, "late")])) == {"one"}
    assert await store.take("one", "ann", THERE) is None


# -- news


class Ears:
    """Hears the news of a store, and waits for no longer than it may."""

    def __init__(self, store: Store) -> None:
        self._news: AsyncGenerator[News, None] = store.news()

    async def next(self) -> News:
        async with asyncio.timeout(BOUND):
            return await anext(self._news)

    async def next_of(self, part: str) -> object:
        """The first that is said of something: stores may say more than they must, and in more pieces."""
        while True:
            said = getattr(await self.next(), part)
            if said:
                return said

    async def leave(self) -> None:
        await self._news.aclose()


async def test_events_ends_and_deletions_are_told(store: Store) -> None:
    for id in ("one", "two"):
        await store.create(running(id), run=CARRIED)
    ears = Ears(store)
    await store.append([words("one", 1, "a")])
    assert await ears.next_of("told") == {"one"}
    await store.finish(finished("one"), attempt=1)
    assert await ears.next_of("told") == {"one"}
    await store.delete("two", "ann")
    assert await ears.next_of("told") == {"two"}
    await ears.leave()


async def test_what_was_refused_is_not_told(store: Store) -> None:
    await store.create(running("mine"), run=CARRIED)
    ears = Ears(store)
    await store.append([words("unknown", 1, "x")])
    await store.finish(finished("unknown"), attempt=1)
    await store.append([words("unknown", 1, "x"), words("mine", 1, "a")])
    assert await ears.next_of("told") == {"mine"}
    await ears.leave()


async def test_that_a_run_waits_is_told(store: Store) -> None:
    await store.create(running("carried"), run=CARRIED)
    ears = Ears(store)
    await store.create(running("one"), run=WAITING)
    assert await ears.next_of("waiting")
    await store.release("here")
    assert await ears.next_of("waiting")
    await ears.leave()


async def test_that_a_run_was_taken_or_deleted_under_somebodys_hands_is_told(store: Store) -> None:
    await lapsed(store, "claimed")
    for id in ("taken", "deleted"):
        await store.create(running(id), run=CARRIED)
    ears = Ears(store)
    await store.claim(THERE, 9)
    assert await ears.next_of("taken") == {"claimed"}
    await store.take("taken", "ann", THERE)
    assert await ears.next_of("taken") == {"taken"}
    await store.delete("deleted", "ann")
    assert await ears.next_of("taken") == {"deleted"}
    await ears.leave()


async def test_that_nobody_lost_a_run_is_not_told(store: Store) -> None:
    await store.create(running("one"), run=WAITING)
    await store.create(running("two"), run=WAITING)
    await store.create(running("mark"), run=CARRIED)
    ears = Ears(store)
    await store.claim(HERE, 1)
    await store.delete("two", "ann")
    await store.finish(finished("one"), attempt=1)
    await store.take("mark", "ann", THERE)
    assert await ears.next_of("taken") == {"mark"}
    await ears.leave()


async def test_all_who_listen_hear_the_same(store: Store) -> None:
    await store.create(running(), run=CARRIED)
    ears = [Ears(store) for _ in range(3)]
    await store.append([words("one", 1, "a")])
    assert [await one.next_of("told") for one in ears] == [{"one"}] * 3
    for one in ears:
        await one.leave()


async def test_a_store_that_is_closed_has_no_more_news(store: Store) -> None:
    news = store.news()
    waiting = asyncio.ensure_future(anext(news, None))
    await asyncio.sleep(0)  # it listens
    await store.close()
    assert await asyncio.wait_for(waiting, BOUND) is None
