"""The journal: written first, then told; positions that never change; readers that nobody has to wait for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from support import NOON, PATIENCE, HeldStore, read_all, started_tasks, texts, turn, until, within, words
from turnwise.domain.content import Text
from turnwise.domain.errors import HandedOver, Internal, NotFound, OutOfRange
from turnwise.domain.events import (
    ArgumentsDelta,
    Checkpoint,
    Created,
    End,
    Event,
    Failed,
    PartDelta,
    PartStart,
    PartStop,
    StatusUpdate,
    StepStart,
    StepStop,
    TextDelta,
    WholeDelta,
    fold,
)
from turnwise.domain.interaction import Interaction, Status
from turnwise.domain.steps import FunctionCall, ModelOutput
from turnwise.engine.journal import JOINED_LIMIT, PENDING_LIMIT, Journal, Recording, follow, lost
from turnwise.engine.tailing import Numbered
from turnwise.store.store import Batch, Lease, NewRun, Store

OPENING = [Created(), StatusUpdate(Status.IN_PROGRESS)]
MINE = NewRun(lease=Lease("this", 60.0))
START = [StepStart(0, None, ModelOutput()), PartStart(0, 0, Text(""))]
STOP = [PartStop(0, 0), StepStop(0, None)]
END = End(Status.COMPLETED, None, NOON)


def interaction(id: str = "one", **fields: bool) -> Interaction:
    return Interaction(id, "ann", turn(**fields), NOON, NOON)


def delta(text: str) -> PartDelta:
    return PartDelta(0, 0, TextDelta(text))


def answer(*pieces: str) -> list[Event]:
    return [*START, *map(delta, pieces), *STOP, END]


@asynccontextmanager
async def journal_on(store: object) -> AsyncIterator[Journal]:
    """A journal, closed behind without a task of it left."""
    before = asyncio.all_tasks()
    journal = Journal(store, lambda: NOON)
    yield journal
    await within(journal.close())
    assert started_tasks(before) == []


async def tell(journal: Journal, recording: Recording, *events: Event) -> None:
    for event in events:
        await within(journal.append(recording, event))


async def tell_at_once(journal: Journal, recording: Recording, *events: Event) -> None:
    """As a model tells that never waits."""
    for event in events:
        await journal.append(recording, event)


async def read(journal: Journal, of: Interaction, after: int = 0) -> list[tuple[int, Event]]:
    return await read_all(await journal.read(of, after, idle=PATIENCE))


async def test_what_is_told_is_kept_with_positions_from_one(any_store: Store):
    async with journal_on(any_store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        await tell(journal, recording, *answer("Hello"))
        kept = list(await any_store.events("one", 0))
    assert kept == list(enumerate([*OPENING, *answer("Hello")], 1))
    loaded = await any_store.load("one", "ann")
    assert loaded is not None
    assert (loaded.status, loaded.steps) == (Status.COMPLETED, (ModelOutput((Text("Hello"),)),))


async def test_early_live_late_and_finished_readers_see_the_same(any_store: Store):
    async with journal_on(any_store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        early = asyncio.create_task(read(journal, of))
        readers = [early]
        for event in answer(*words(40)):
            await tell(journal, recording, event)
            readers.append(asyncio.create_task(read(journal, of)))
            await asyncio.sleep(0)  # lets a flush begin at some events and not at others
        seen = [await within(reader) for reader in readers]
        seen.append(await read(journal, of))
        kept = list(await any_store.events("one", 0))
    assert all(one == kept for one in seen)
    assert [position for position, _ in kept] == list(range(1, len(kept) + 1))
    assert texts([event for _, event in kept]) == "".join(words(40))


async def test_no_reader_sees_what_the_store_does_not_have():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        store.hold("append")
        async with aclosing(follow(recording, 0, idle=0.01)) as groups:
            assert await within(anext(groups)) == list(enumerate(OPENING, 1))
            await tell(journal, recording, *START, delta("secret"))
            await store.reached("append")
            assert await within(anext(groups)) == ()
            assert recording.snapshot().steps == ()
            store.let_go("append")
            group: object = ()
            while not group:
                group = await within(anext(groups))
            assert group == list(enumerate([*START, delta("secret")], 3))
        await tell(journal, recording, *STOP, END)


async def test_a_reader_that_leaves_while_it_waits_does_not_take_the_others_along():
    async with journal_on(HeldStore()) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        leaving, staying = (asyncio.create_task(read(journal, of)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait({leaving})
        await tell(journal, recording, *answer("Hi"))
        assert [event for _, event in await within(staying)] == [*OPENING, *answer("Hi")]


async def test_words_that_come_now_and_then_share_what_writes_them_down():
    store = HeldStore()
    async with journal_on(store) as journal:
        recordings = [await journal.open(interaction(str(number)), OPENING, MINE) for number in range(20)]
        before = asyncio.all_tasks()
        store.hold("append")
        await tell(journal, recordings[0], *START)
        await store.reached("append")
        for recording in recordings[1:]:
            await tell(journal, recording, *START, delta("Hi"))
        assert started_tasks(before) == ["journal flusher"]
        store.let_go("append")
        await until(lambda: all(recording.settled for recording in recordings))
        assert store.calls["append"] == 2


async def test_the_end_is_told_when_it_is_written_and_not_before():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        store.hold("finish")
        reader = asyncio.create_task(read(journal, of))
        ending = asyncio.create_task(tell(journal, recording, *answer("Hi")))
        await store.reached("finish")
        await asyncio.sleep(0)
        assert not reader.done()
        assert not ending.done()
        assert not recording.ended
        store.let_go("finish")
        await within(ending)
        assert (await within(reader))[-1][1] == END


async def test_an_end_that_came_while_others_were_written_still_waits_for_its_own_writing():
    store = HeldStore()
    async with journal_on(store) as journal:
        first = await journal.open(interaction("first"), OPENING, MINE)
        second = await journal.open(interaction("second"), OPENING, MINE)
        store.hold("append")
        await tell(journal, first, *START)
        await store.reached("append")
        ending = asyncio.create_task(tell(journal, second, *answer("Hi")))
        await asyncio.sleep(0)
        store.hold("finish")
        store.let_go("append")
        await store.reached("finish")
        for _ in range(10):
            await asyncio.sleep(0)
        assert not ending.done()
        store.let_go("finish")
        await within(ending)
        assert second.ended
        await tell(journal, first, *STOP, END)


async def test_text_that_waits_for_the_store_becomes_one_event_before_it_is_numbered():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        store.hold("append")
        await tell(journal, recording, *START)
        await store.reached("append")
        await tell(journal, recording, *map(delta, words(100)))
        store.let_go("append")
        await tell(journal, recording, *STOP, END)
        seen = await read(journal, of)
    assert seen == list(enumerate([*OPENING, *answer("".join(words(100)))], 1))


async def test_text_without_end_is_joined_to_pieces_and_makes_its_writer_wait():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        store.hold("append")
        pieces = [delta("x" * 1000)] * (8 * PENDING_LIMIT)
        writer = asyncio.create_task(tell(journal, recording, *START, *pieces))
        await store.reached("append")
        for _ in range(10):
            await asyncio.sleep(0)
        assert not writer.done()
        store.let_go("append")
        await within(writer)
        await tell(journal, recording, *STOP, END)
        seen = [event for _, event in await read(journal, of)]
        assert texts(seen) == "x" * 1000 * len(pieces)
        assert max(len(texts([event])) for event in seen) <= JOINED_LIMIT


async def test_text_of_different_parts_is_not_joined():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        two = [*START, delta("a"), PartStop(0, 0), PartStart(0, 1, Text("")), PartDelta(0, 1, TextDelta("b"))]
        await tell(journal, recording, *two, PartStop(0, 1), StepStop(0, None), END)
        outcome = fold(event for _, event in await read(journal, of))
    assert outcome.steps == (ModelOutput((Text("a"), Text("b"))),)


async def test_a_reader_that_never_reads_on_does_not_hold_the_writer():
    async with journal_on(HeldStore()) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        async with aclosing(await journal.read(of, 0, idle=PATIENCE)) as slow:
            await within(anext(slow))
            await tell(journal, recording, *answer(*words(5 * PENDING_LIMIT)))
            rest = [pair async for group in slow for pair in group]
        assert rest == (await read(journal, of))[2:]


async def test_a_writer_that_is_far_ahead_of_the_store_waits_for_it():
    store = HeldStore()
    async with journal_on(store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        store.hold("append")
        pieces = [PartDelta(0, 0, ArgumentsDelta(str(number))) for number in range(2 * PENDING_LIMIT)]
        writer = asyncio.create_task(tell(journal, recording, START[0], *pieces))
        await store.reached("append")
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(recording.told) == len(OPENING) + PENDING_LIMIT + 1
        assert not writer.done()
        store.let_go("append")
        await within(writer)
        await tell(journal, recording, StepStop(0, None), END)


async def test_a_reader_that_leaves_in_the_middle_disturbs_nobody():
    async with journal_on(HeldStore()) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        staying = asyncio.create_task(read(journal, of))
        leaving = [asyncio.create_task(read(journal, of)) for _ in range(5)]
        await tell(journal, recording, *START, delta("a"))
        for reader in leaving:
            reader.cancel()
        await asyncio.wait(leaving)
        await tell(journal, recording, delta("b"), *STOP, END)
        assert texts([event for _, event in await within(staying)]) == "ab"


async def test_a_quiet_run_gives_signs_of_life():
    async with journal_on(HeldStore()) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        async with aclosing(follow(recording, 2, idle=0.001)) as groups:
            assert [await within(anext(groups)) for _ in range(3)] == [(), (), ()]
        await tell(journal, recording, END)


class Taking:
    """Takes what it is shown, as long as it is willing."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, Event]] = []
        self.is_willing = True

    def __call__(self, events: Numbered) -> bool:
        if self.is_willing:
            self.shown += events
        return self.is_willing


async def test_a_reader_that_waits_is_not_woken_for_what_is_taken_in_its_place():
    async with journal_on(HeldStore()) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        taking = Taking()
        async with aclosing(journal.follow(recording, 0, idle=PATIENCE, take=taking)) as groups:
            assert [position for position, _ in await within(anext(groups))] == [1, 2]
            rest = asyncio.create_task(read_all(groups))
            await asyncio.sleep(0)
            await tell(journal, recording, *START, delta("One"))
            await journal.settle(recording)
            await tell(journal, recording, delta(" two"), *STOP)
            await journal.settle(recording)
            assert [position for position, _ in taking.shown] == [3, 4, 5, 6, 7, 8]
            assert not rest.done()
            await tell(journal, recording, END)
            assert await within(rest) == [(9, END)]


async def test_what_is_not_taken_comes_to_the_reader_in_its_turn():
    async with journal_on(HeldStore()) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        taking = Taking()
        async with aclosing(journal.follow(recording, 2, idle=PATIENCE, take=taking)) as groups:
            reading = asyncio.create_task(anext(groups))
            await asyncio.sleep(0)
            for is_willing, text in [(True, "One"), (False, " two")]:
                taking.is_willing = is_willing
                await tell(journal, recording, delta(text))
                await journal.settle(recording)
            assert await within(reading) == [(4, delta(" two"))]
            assert taking.shown == [(3, delta("One"))]
        await tell(journal, recording, END)


async def test_to_a_reader_that_does_not_wait_nothing_is_shown():
    """What it has is on its way yet, and nothing may overtake that."""
    async with journal_on(HeldStore()) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        taking = Taking()
        async with aclosing(journal.follow(recording, 0, idle=PATIENCE, take=taking)) as groups:
            await within(anext(groups))
            await tell(journal, recording, *answer("One", " two"))
            rest = await within(read_all(groups))
        assert taking.shown == []
        assert [position for position, _ in rest] == [*range(3, 3 + len(rest))]
        assert rest[-1][1] == END


async def test_a_reader_that_has_seen_elsewhere_what_is_being_written_is_not_shown_it():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        store.hold("append")
        await tell(journal, recording, *START)
        await store.reached("append")
        taking = Taking()
        async with aclosing(await journal.read(of, 4, idle=PATIENCE, take=taking)) as groups:
            rest = asyncio.create_task(read_all(groups))
            await asyncio.sleep(0)
            store.let_go("append")
            await journal.settle(recording)
            assert taking.shown == []
            await tell(journal, recording, delta("One"), *STOP, END)
            assert texts([event for _, event in [*taking.shown, *await within(rest)]]) == "One"


async def test_a_run_that_is_lost_while_its_words_are_written_stays_lost():
    """Its carrier may hear that the words were its own yet only behind having heard that the run is another's."""
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        store.hold("append")
        await tell(journal, recording, delta("One"))
        await store.reached("append")
        journal.drop(recording)
        store.let_go("append")
        await until(lambda: not recording.writing)
        assert recording.ended
        assert [position for position, _ in await within(read_all(follow(recording, 0, idle=PATIENCE)))] == [1, 2, 3]


async def test_what_is_taken_is_a_sign_of_life():
    async with journal_on(HeldStore()) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        clock = asyncio.get_running_loop().time
        taken_at: list[float] = []

        def take(_: Numbered) -> bool:
            taken_at.append(clock())
            return True

        async with aclosing(journal.follow(recording, 2, idle=0.05, take=take)) as groups:
            quiet = asyncio.create_task(anext(groups))
            await asyncio.sleep(0)
            begun = clock()
            while clock() < begun + 0.02:
                await tell(journal, recording, delta("again "))
                await journal.settle(recording)
            assert await within(quiet) == ()
            assert clock() - taken_at[-1] >= 0.05
        await tell(journal, recording, END)


@pytest.mark.parametrize("after", [4, 999])
async def test_a_position_that_was_never_told_is_out_of_range_while_the_run_goes_on(after: int):
    async with journal_on(HeldStore()) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        with pytest.raises(OutOfRange, match=f"no event '{after}'; its last event so far is '2'"):
            await journal.read(of, after, idle=PATIENCE)
        await tell(journal, recording, END)
        with pytest.raises(OutOfRange, match=f"no event '{after}'"):
            await journal.read(of, after, idle=PATIENCE)


async def test_reading_behind_the_end_is_reading_nothing(any_store: Store):
    async with journal_on(any_store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        await tell(journal, recording, *answer("Hi"))
        groups = await journal.read(of, 2 + len(answer("Hi")), idle=PATIENCE)
        assert [group async for group in groups] == []


async def test_a_recording_without_a_store_is_told_and_not_kept():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction(store=False)
        recording = await journal.open(of, OPENING, MINE)
        reader = asyncio.create_task(read_all(follow(recording, 0, idle=PATIENCE)))
        await tell(journal, recording, *answer("a", "b"))
        assert texts([event for _, event in await within(reader)]) == "ab"
        assert journal.live("one") is None
    assert store.calls == {}


async def test_a_recording_without_a_store_is_looked_at_while_its_writer_never_waits():
    async with journal_on(HeldStore()) as journal:
        recording = await journal.open(interaction(store=False), OPENING, MINE)
        groups: list[Numbered] = []

        async def look() -> None:
            async for group in follow(recording, 0, idle=PATIENCE):
                groups.append(group)

        reader = asyncio.create_task(look())
        await tell_at_once(journal, recording, *answer(*words(200)))
        await within(reader)
    assert len(groups) > 2
    assert [event for group in groups for _, event in group] == [*OPENING, *answer(*words(200))]


async def test_what_nobody_keeps_does_not_wait_for_what_is_kept():
    store = HeldStore()
    async with journal_on(store) as journal:
        kept = await journal.open(interaction("kept"), OPENING, MINE)
        store.hold("append")
        await tell(journal, kept, *START)
        await store.reached("append")
        unkept = await journal.open(interaction("unkept", store=False), OPENING, MINE)
        await tell(journal, unkept, *answer("Hi"))
        assert texts([event for _, event in await read_all(follow(unkept, 0, idle=PATIENCE))]) == "Hi"
        store.let_go("append")
        await tell(journal, kept, *STOP, END)


async def test_a_store_that_fails_once_ends_the_run_as_failed_in_the_store_too():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        reader = asyncio.create_task(read(journal, of))
        await tell(journal, recording, *START, delta("kept"))
        await until(lambda: len(recording.events) == 5)
        store.fail("append")
        await tell(journal, recording, delta("lost"))
        seen = [event for _, event in await within(reader)]
        assert texts(seen) == "kept"
        assert seen[-4:-2] == STOP
        assert isinstance(seen[-2], Failed)
        with pytest.raises(Internal, match="could not write down"):
            await journal.append(recording, END)
        assert [event for _, event in await store.events("one", 0)] == seen
    loaded = await store.load("one", "ann")
    assert (loaded.status, loaded.steps) == (Status.FAILED, (ModelOutput((Text("kept"),)),))


async def test_a_store_that_fails_altogether_leaves_no_reader_waiting():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        readers = [asyncio.create_task(read(journal, of)) for _ in range(3)]
        await asyncio.sleep(0)
        store.fail("append")
        store.fail("finish")
        await tell(journal, recording, *START)
        for reader in readers:
            with pytest.raises(Internal, match="could not write down"):
                await within(reader)
        with pytest.raises(Internal):
            await tell(journal, recording, *STOP)
        assert recording.is_unended
        assert journal.live("one") is recording
        store.heal()
        later = await journal.open(interaction("later"), OPENING, MINE)
        await tell(journal, later, *answer("Hi"))
        assert later.snapshot().status is Status.COMPLETED


async def test_an_end_that_cannot_be_written_ends_as_failed():
    store = HeldStore()
    async with journal_on(store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        store.fail("finish", lambda whole, _: whole.status is Status.COMPLETED)
        await tell(journal, recording, *answer("Hi"))
        assert recording.ended
        loaded = await store.load("one", "ann")
        assert loaded.status is Status.FAILED
        assert recording.snapshot() == loaded


async def test_events_that_come_while_the_store_is_failing_are_lost_and_nothing_else():
    store = HeldStore()
    async with journal_on(store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        store.hold("append")
        store.fail("append")
        await tell(journal, recording, *START)
        await store.reached("append")
        await tell(journal, recording, delta("meanwhile"))
        store.let_go("append")
        await within(journal.settle(recording))
        assert recording.snapshot().status is Status.FAILED
        store.heal()
        later = await journal.open(interaction("later"), OPENING, MINE)
        await tell(journal, later, *answer("Hi"))
        assert later.snapshot().status is Status.COMPLETED


async def test_one_runs_end_that_cannot_be_written_is_not_felt_by_the_others():
    store = HeldStore()
    store.fail("finish", lambda whole, _: whole.id == "bad")
    async with journal_on(store) as journal:
        recordings = [await journal.open(interaction(id), OPENING, MINE) for id in ("good", "bad", "fine")]
        await asyncio.gather(*(tell(journal, recording, *answer("Hi")) for recording in recordings))
        assert [recording.snapshot().status for recording in recordings] == [
            Status.COMPLETED,
            Status.IN_PROGRESS,
            Status.COMPLETED,
        ]


async def test_an_interaction_that_was_deleted_by_someone_else_is_told_no_further():
    store = HeldStore()
    async with journal_on(store) as journal:
        of = interaction()
        recording = await journal.open(of, OPENING, MINE)
        await store.delete("one", "ann")
        await tell(journal, recording, *answer("Hi"))
        await within(journal.settle(recording))
        assert recording.is_lost
        with pytest.raises(NotFound, match="was deleted"):
            await read_all(journal.follow(recording, 0, idle=0.01))


async def test_readers_of_a_run_that_someone_else_took_read_on_from_the_store(any_store: Store):
    other = Journal(any_store, lambda: NOON)
    async with journal_on(any_store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        await tell(journal, recording, *START, delta("mine "))
        await within(journal.settle(recording))
        reader = asyncio.create_task(read_all(journal.follow(recording, 0, idle=PATIENCE)))
        taken = await any_store.take("one", "ann", Lease("other", 60.0))
        assert taken is not None
        theirs = await other.go_on(taken.interaction, taken.attempt)
        await tell(other, theirs, delta("theirs"), *STOP, END)
        recording.add(delta("lost"))
        await within(journal.append(recording, STOP[0]))
        await within(journal.settle(recording))
        with pytest.raises(HandedOver):
            await tell(journal, recording, END)
        events = [event for _, event in await within(reader)]
        assert texts(events) == "mine theirs"
        assert list(enumerate(events, 1)) == list(await any_store.events("one", 0))
        await within(other.close())


async def test_a_reader_that_is_slow_to_read_hears_at_once_that_it_was_deleted(any_store: Store):
    await any_store.create(interaction(), Batch("one", 1, tuple(OPENING)), MINE)
    async with (
        journal_on(any_store) as journal,
        aclosing(await journal.read(interaction(), 1, idle=10 * PATIENCE)) as groups,
    ):
        assert [position for position, _ in await within(anext(groups))] == [2]
        reading = asyncio.create_task(anext(groups))
        await until(lambda: bool(journal._tail._readers))
        await any_store.append([Batch("one", 3, tuple(START))])
        assert await within(reading)
        (reader,) = journal._tail._readers["one"]
        await any_store.delete("one", "ann")
        await until(lambda: reader.in_doubt)
        with pytest.raises(NotFound, match="was deleted"):
            await within(anext(groups))


async def test_a_reader_that_comes_just_too_late_hears_at_once_that_it_was_deleted():
    store = HeldStore()
    await store.create(interaction(), Batch("one", 1, tuple(OPENING)), MINE)
    async with journal_on(store) as journal:
        reading = await journal.read(interaction(), 2, idle=10 * PATIENCE)
        await store.delete("one", "ann")
        with pytest.raises(NotFound, match="was deleted"):
            await read_all(reading)


async def test_once_the_store_can_be_reached_again_readers_are_told_at_once():
    store = HeldStore()
    await store.create(interaction(), Batch("one", 1, tuple(OPENING)), MINE)
    async with journal_on(store) as journal:
        reading = asyncio.create_task(read(journal, interaction(), 1))
        await until(lambda: store.calls["tail"] == 1)
        store.fail("tail")
        await store.append([Batch("one", 3, tuple(START))])
        with pytest.raises(HandedOver):
            await within(reading)
        store.heal()
        reading = asyncio.create_task(read(journal, interaction(), 1))
        await until(lambda: bool(journal._tail._readers))
        await store.finish(replace(interaction(), status=Status.COMPLETED), Batch("one", 5, (END,)), attempt=1)
        assert [position for position, _ in await within(reading)] == [2, 3, 4, 5]


async def test_a_run_goes_on_when_what_it_has_paid_for_is_written():
    store = HeldStore()
    async with journal_on(store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        store.hold("append")
        paid = asyncio.create_task(tell(journal, recording, Checkpoint("step", {"usage": {}})))
        await store.reached("append")
        for _ in range(10):
            await asyncio.sleep(0)
        assert not paid.done()
        store.let_go("append")
        await within(paid)
        store.hold("append")
        await tell(journal, recording, Checkpoint("other", {"usage": None}))
        store.let_go("append")
        await tell(journal, recording, END)


async def test_no_writer_waits_between_the_last_of_a_step_and_its_stop():
    store = HeldStore()
    async with journal_on(store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        store.hold("append")
        fragments = [PartDelta(0, 0, ArgumentsDelta("x")) for _ in range(PENDING_LIMIT)]
        await tell(journal, recording, START[0])
        await store.reached("append")
        await tell(journal, recording, *fragments)
        call = PartDelta(0, 0, WholeDelta(FunctionCall("c", "look")))
        telling = asyncio.create_task(tell(journal, recording, call, STOP[1]))
        await until(telling.done)
        store.let_go("append")
        await tell(journal, recording, END)


async def test_an_interaction_that_the_store_refuses_is_not_live():
    store = HeldStore()
    store.fail("create")
    async with journal_on(store) as journal:
        with pytest.raises(OSError, match="disk is full"):
            await journal.open(interaction(), OPENING, MINE)
        assert journal.live("one") is None


async def test_closing_waits_for_what_is_under_way_and_loses_nothing():
    store = HeldStore()
    journal = Journal(store, lambda: NOON)
    recording = await journal.open(interaction(), OPENING, MINE)
    store.hold("append")
    await tell(journal, recording, START[0])
    await store.reached("append")
    await tell(journal, recording, START[1], delta("late"))
    closing = asyncio.create_task(journal.close())
    await asyncio.sleep(0)
    assert not closing.done()
    store.let_go("append")
    await within(closing)
    assert await store.events("one", 0) == list(enumerate([*OPENING, *START, delta("late")], 1))


async def test_hundreds_of_recordings_at_once_are_all_whole(any_store: Store):
    async with journal_on(any_store) as journal:
        of = [interaction(f"i{number}") for number in range(300)]
        recordings = [await journal.open(one, OPENING, MINE) for one in of]
        readers = [asyncio.create_task(read(journal, one)) for one in of]
        pieces = words(20)
        await asyncio.gather(*(tell(journal, recording, *answer(*pieces)) for recording in recordings))
        for one, reader in zip(of, readers, strict=True):
            seen = await within(reader)
            assert seen == list(await any_store.events(one.id, 0))
            assert fold(event for _, event in seen).steps == (ModelOutput((Text("".join(pieces)),)),)


async def test_many_ends_at_once_wait_for_the_store_together():
    store = HeldStore()
    async with journal_on(store) as journal:
        recordings = [await journal.open(interaction(f"i{number}"), OPENING, MINE) for number in range(20)]
        store.hold("append")
        await tell(journal, recordings[0], START[0])
        await store.reached("append")
        ends = [asyncio.create_task(tell(journal, recording, END)) for recording in recordings]
        await asyncio.sleep(0)
        store.hold("finish")
        store.let_go("append")
        await until(lambda: store.calls["finish"] == 20)
        store.let_go("finish")
        await within(asyncio.wait(ends))


async def test_what_others_tell_is_written_while_an_end_is():
    store = HeldStore()
    async with journal_on(store) as journal:
        ending, other = [await journal.open(interaction(id), OPENING, MINE) for id in ("one", "two")]
        store.hold("finish")
        end = asyncio.create_task(tell(journal, ending, END))
        await store.reached("finish")
        await tell(journal, other, *START)
        await within(journal.settle(other))
        assert list(other.events) == [*OPENING, *START]
        assert not ending.ended
        store.let_go("finish")
        await within(end)
        assert ending.ended
        await tell(journal, other, END)


async def test_closing_waits_for_an_end_that_is_being_written():
    store = HeldStore()
    journal = Journal(store, lambda: NOON)
    recording = await journal.open(interaction(), OPENING, MINE)
    store.hold("finish")
    end = asyncio.create_task(tell(journal, recording, END))
    await store.reached("finish")
    closing = asyncio.create_task(journal.close())
    await asyncio.sleep(0)
    assert not closing.done()
    store.let_go("finish")
    await within(asyncio.gather(closing, end))
    assert recording.ended


async def test_a_reader_that_has_the_end_already_is_not_kept_where_the_run_was_lost(any_store: Store):
    """It has read elsewhere how somebody else ended the run, and asks a process that is just hearing of it."""
    async with journal_on(any_store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        taken = await any_store.take("one", "ann", Lease("other", 60.0))
        assert taken is not None
        assert await journal.end(taken, Status.CANCELLED)
        journal.drop(recording)
        assert await read_all(journal.follow(recording, len(OPENING) + 1, idle=10 * PATIENCE)) == []


async def test_a_reader_that_will_have_the_end_already_is_not_kept_by_one_that_will_not(any_store: Store):
    """What is behind the one is nothing, whatever is behind the other."""
    async with journal_on(any_store) as journal:
        await any_store.create(interaction(), Batch("one", 1, tuple(OPENING)), NewRun(lease=Lease("other", 60.0)))
        begun = lost(interaction(), OPENING)
        groups = [journal.follow(begun, len(OPENING) + ahead, idle=10 * PATIENCE) for ahead in (0, 1)]
        readers = [asyncio.create_task(read_all(one)) for one in groups]
        await until(lambda: [reader.in_doubt for reader in journal._tail._readers.get("one", ())] == [False] * 2)
        taken = await any_store.take("one", "ann", Lease("another", 60.0))
        assert taken is not None
        assert await journal.end(taken, Status.CANCELLED)
        assert [len(seen) for seen in await asyncio.gather(*readers)] == [1, 0]


async def test_what_a_run_told_behind_what_was_refused_is_not_written(caplog: pytest.LogCaptureFixture):
    store = HeldStore()
    async with journal_on(store) as journal:
        recording = await journal.open(interaction(), OPENING, MINE)
        store.hold("append")
        await tell(journal, recording, *START)
        await store.reached("append")
        await store.take("one", "ann", Lease("other", 60.0))
        ending = asyncio.create_task(tell(journal, recording, *STOP, END))
        await asyncio.sleep(0)
        store.let_go("append")
        await asyncio.gather(within(ending), return_exceptions=True)
        assert recording.is_lost
    assert caplog.text == ""
