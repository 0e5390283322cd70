"""Runs: cancelled at any moment, stopped with the server, left behind by a process; and each ends exactly once."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from support import (
    PATIENCE,
    Engine,
    HeldStore,
    carried,
    nothing_kept_of,
    open_engine,
    read_all,
    texts,
    turn,
    until,
    within,
    words,
)
from turnwise.domain.content import Text
from turnwise.domain.errors import HandedOver, InvalidRequest, ModelFailed, ModelUnavailable, NotFound
from turnwise.domain.events import Created, End, Event, Failed, PartDelta, PartStart, StatusUpdate, StepStart, TextDelta
from turnwise.domain.interaction import Failure, Status
from turnwise.domain.steps import ModelOutput
from turnwise.engine.background import Carrying, _Run
from turnwise.engine.journal import Recording
from turnwise.models.model import Finished, Fragment, ModelCard, Prompt, Taken, TextFragment
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.store import Lease, Store

STREAM = turn(stream=True)
OPENING: list[Event] = [Created(), StatusUpdate(Status.IN_PROGRESS)]
HALF: list[Event] = [
    *OPENING,
    StepStart(0, None, ModelOutput()),
    PartStart(0, 0, Text("")),
    PartDelta(0, 0, TextDelta("Half")),
]


async def ended_once(store: Store, id: str) -> list[Event]:
    """The events of an interaction in the store, of which the last and no other is an End."""
    kept = await store.events(id, 0)
    assert [position for position, _ in kept] == list(range(1, len(kept) + 1))
    events = [event for _, event in kept]
    assert [isinstance(event, End) for event in events] == [False] * (len(events) - 1) + [True]
    return events


async def test_cancelling_before_the_model_took_the_prompt_leaves_nothing_behind_but_the_end(any_store: Store):
    never = asyncio.Event()
    async with open_engine([never], store=any_store) as engine:
        made = await engine.interactions.create(turn(background=True), "ann", "steps")
        await until(lambda: bool(engine.model.prompts))
        cancelled = await within(engine.interactions.cancel(made.id, "ann"))
        assert (cancelled.status, cancelled.steps) == (Status.CANCELLED, ())
        await until(lambda: engine.model.left_early == 1)
        assert len(await ended_once(any_store, made.id)) == 3


async def test_cancelling_in_the_middle_keeps_what_was_said(any_store: Store):
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()], store=any_store) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        await until(lambda: texts(recording.events) == "Half")
        cancelled = await within(engine.interactions.cancel("int_1", "ann"))
        assert cancelled.status is Status.CANCELLED
        assert cancelled.steps == (ModelOutput((Text("Half"),)),)
        assert cancelled == await any_store.load("int_1", "ann")
        assert [event for _, event in await within(reader)] == await ended_once(any_store, "int_1")
        await until(lambda: engine.model.left_early == 1)


async def test_a_run_that_was_left_leaves_nothing_behind_for_the_garbage_collector():
    with nothing_kept_of(Recording) as is_gone:
        async with open_engine([Taken(), *say("Hello")[1:-1], asyncio.Event()]) as engine:

            async def leave() -> None:
                left = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
                async with aclosing(engine.interactions.follow(left)) as groups:
                    while not texts([event for _, event in await within(anext(groups))]):
                        pass
                await within(engine.interactions.leave(left))

            await leave()
            await until(lambda: not engine.interactions._runs._runs)
            assert is_gone()


@pytest.mark.parametrize("is_broken", [False, True], ids=["that goes on", "that broke"])
@pytest.mark.parametrize("is_left", [True, False], ids=["left", "refused"])
async def test_a_run_that_could_not_begin_leaves_nothing_behind_for_the_garbage_collector(
    is_left: bool, is_broken: bool
):
    class Half:
        card = ModelCard("scripted")

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
            yield Taken()
            yield TextFragment("Half")
            if is_broken:
                raise ModelFailed("nonsense")
            await asyncio.Event().wait()

    store = HeldStore()
    with nothing_kept_of(Recording) as is_gone:
        async with open_engine(model=Half(), store=store) as engine:

            async def begin_in_vain() -> None:
                store.hold("create")
                beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
                await store.reached("create")
                if is_left:
                    beginning.cancel()
                else:
                    store.fail("create")
                store.let_go("create")
                await within(asyncio.wait({beginning}))
                assert is_left == beginning.cancelled()
                assert is_left or isinstance(beginning.exception(), OSError)

            await begin_in_vain()
            assert is_gone()


async def test_a_run_that_is_cancelled_in_the_very_moment_it_begins_still_ends():
    async with open_engine([Taken(), asyncio.Event()]) as engine:
        beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
        await until(beginning.done)
        cancelled = await within(engine.interactions.cancel("int_1", "ann"))
        assert cancelled.status is Status.CANCELLED
        await ended_once(engine.store, "int_1")


async def test_a_reader_that_leaves_before_its_run_took_a_step_ends_it_all_the_same():
    async with open_engine([Taken(), asyncio.Event()]) as engine:
        recording = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
        await within(engine.interactions.leave(recording))
        assert recording.snapshot().status is Status.CANCELLED
        await until(lambda: engine.model.left_early == 1)


@pytest.mark.parametrize("moment", range(30))
async def test_cancelling_at_any_moment_ends_a_run_once_and_the_same_for_all(moment: int):
    async with open_engine(say(*words(5))) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        for _ in range(moment):
            await asyncio.sleep(0)
        answered = await within(engine.interactions.cancel("int_1", "ann"))
        assert answered.status in (Status.CANCELLED, Status.COMPLETED)
        assert answered == await engine.store.load("int_1", "ann")
        assert [event for _, event in await within(reader)] == await ended_once(engine.store, "int_1")


@pytest.mark.parametrize("held", ["append", "finish"])
async def test_cancelling_while_the_store_is_writing_loses_and_repeats_nothing(held: str):
    store, begun, told = HeldStore(), asyncio.Event(), asyncio.Event()
    async with open_engine([Taken(), begun, TextFragment("Hello"), told, Finished("stop")], store=store) as engine:
        store.hold(held)
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        begun.set()
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        if held == "append":
            await store.reached(held)
        told.set()
        await until(lambda: isinstance(recording.told[-1], End))
        cancelling = asyncio.create_task(engine.interactions.cancel("int_1", "ann"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not cancelling.done()
        store.let_go(held)
        answered = await within(cancelling)
        # The answer was whole before the cancel came: that it waits for the disk does not make it less so.
        assert (answered.status, answered.steps) == (Status.COMPLETED, (ModelOutput((Text("Hello"),)),))
        assert store.calls["finish"] == 1
        assert [event for _, event in await within(reader)] == await ended_once(store, "int_1")


async def test_cancelling_while_the_middle_is_written_closes_what_it_opened():
    store, begun = HeldStore(), asyncio.Event()
    async with open_engine([Taken(), begun, TextFragment("Half"), asyncio.Event()], store=store) as engine:
        store.hold("append")
        await engine.interactions.begin(STREAM, "ann", "steps")
        begun.set()
        await store.reached("append")
        cancelling = asyncio.create_task(engine.interactions.cancel("int_1", "ann"))
        for _ in range(10):
            await asyncio.sleep(0)
        store.let_go("append")
        assert (await within(cancelling)).steps == (ModelOutput((Text("Half"),)),)
        assert [event.type for event in await ended_once(store, "int_1")] == [
            *("created", "status", "step_start", "part_start", "delta", "part_stop", "step_stop", "end")
        ]


async def test_cancelling_twice_at_the_same_time_tells_both_the_same_end():
    store = HeldStore()
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()], store=store) as engine:
        await engine.interactions.begin(STREAM, "ann", "steps")
        store.hold("finish")
        cancels = [asyncio.create_task(engine.interactions.cancel("int_1", "ann")) for _ in range(2)]
        await store.reached("finish")
        cancels.append(asyncio.create_task(engine.interactions.cancel("int_1", "ann")))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not any(cancel.done() for cancel in cancels)
        store.let_go("finish")
        answers = [await within(cancel) for cancel in cancels]
        assert [answer.status for answer in answers] == [Status.CANCELLED] * 3
        assert store.calls["finish"] == 1
        await ended_once(store, "int_1")


async def test_cancelling_what_has_ended_changes_nothing(any_store: Store):
    async with open_engine(store=any_store) as engine:
        made = await engine.interactions.create(turn(), "ann", "steps")
        assert await engine.interactions.cancel(made.id, "ann") == made
        assert await engine.interactions.cancel(made.id, "ann") == made
        assert await any_store.load(made.id, "ann") == made


async def test_a_failure_that_is_being_written_is_not_made_a_cancel():
    store = HeldStore()
    async with open_engine([Taken(), TextFragment("Hal"), ModelUnavailable("it is gone")], store=store) as engine:
        store.hold("finish")
        await engine.interactions.begin(STREAM, "ann", "steps")
        await store.reached("finish")
        cancelling = asyncio.create_task(engine.interactions.cancel("int_1", "ann"))
        await asyncio.sleep(0)
        store.let_go("finish")
        answered = await within(cancelling)
        assert answered.status is Status.FAILED
        assert answered.failure is not None
        assert answered.failure.message == "it is gone"
        await ended_once(store, "int_1")


async def test_deleting_a_run_stops_it_first(any_store: Store):
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()], store=any_store) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        await until(lambda: texts(recording.events) == "Half")
        await within(engine.interactions.delete("int_1", "ann"))
        await until(lambda: engine.model.left_early == 1)
        assert isinstance((await within(reader))[-1][1], End)
        with pytest.raises(NotFound):
            await engine.interactions.get("int_1", "ann")
        assert list(await any_store.events("int_1", 0)) == []


async def test_of_two_who_delete_at_once_one_is_told_that_there_was_nothing():
    async with open_engine([Taken(), asyncio.Event()]) as engine:
        await engine.interactions.begin(STREAM, "ann", "steps")
        deletes = [engine.interactions.delete("int_1", "ann") for _ in range(2)]
        outcomes = await within(asyncio.gather(*deletes, return_exceptions=True))
        assert {type(outcome) for outcome in outcomes} == {NotFound, type(None)}


async def test_what_refuses_the_prompt_in_time_is_an_error_and_nothing_is_kept():
    async with open_engine([InvalidRequest("too long")]) as engine:
        with pytest.raises(InvalidRequest, match="too long"):
            await engine.interactions.begin(STREAM, "ann", "steps")
        with pytest.raises(NotFound):
            await engine.interactions.get("int_1", "ann")


@pytest.mark.parametrize(
    ("breakage", "code", "message"),
    [
        (ModelUnavailable("it is gone"), "service_unavailable", "it is gone"),
        (ModelFailed("nonsense"), "api_error", "nonsense"),
        (ZeroDivisionError("secret"), "api_error", "turnwise failed in the middle"),
        (None, "api_error", "stopped in the middle"),
    ],
)
async def test_what_breaks_in_the_middle_is_written_down_as_the_end(
    breakage: Exception | None, code: str, message: str, caplog: pytest.LogCaptureFixture
):
    script = [Taken(), TextFragment("Hal"), *([breakage] if breakage else [])]
    async with open_engine(script) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        seen = [event for _, event in await read_all(engine.interactions.follow(recording))]
        assert seen == await ended_once(engine.store, "int_1")
        assert texts(seen) == "Hal"
        assert isinstance(seen[-2], Failed)
        assert seen[-2].failure.code == code
        assert message in seen[-2].failure.message
        assert "secret" not in seen[-2].failure.message
    assert ("secret" in caplog.text) is isinstance(breakage, ZeroDivisionError)


async def test_closing_in_the_middle_hands_the_run_over_as_it_is(any_store: Store):
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()], store=any_store) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        await until(lambda: texts(recording.events) == "Half")
        await within(engine.interactions.close())
        with pytest.raises(HandedOver, match="read on elsewhere"):
            await within(reader)
        await until(lambda: engine.model.left_early == 1)
    kept = [event for _, event in await any_store.events("int_1", 0)]
    assert (texts(kept), isinstance(kept[-1], End)) == ("Half", False)
    (run,) = await any_store.claim(Lease("another", 60), 10)
    assert (run.interaction.id, run.attempt, run.deaths) == ("int_1", 2, 0)


async def test_closing_hands_over_what_the_store_did_not_take_of_a_run_as_it_is_written():
    store, begun = HeldStore(), asyncio.Event()
    async with open_engine([Taken(), begun, TextFragment("Half"), asyncio.Event()], store=store) as engine:
        store.hold("append")
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        begun.set()
        await store.reached("append")
        store.fail("append")
        closing = asyncio.create_task(engine.interactions.close())
        await until(lambda: isinstance(recording.broken, HandedOver))
        store.let_go("append")
        await within(closing)
        (run,) = await store.claim(Lease("another", 60), 10)
    assert (run.interaction.id, run.attempt, run.deaths) == ("int_1", 2, 0)


async def test_closing_ends_what_is_not_kept():
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()]) as engine:
        recording = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        await until(lambda: texts(recording.events) == "Half")
        await within(engine.interactions.close())
        *_, failed, end = [event for _, event in await within(reader)]
    assert isinstance(failed, Failed)
    assert isinstance(end, End)
    assert failed.failure.message == "the server was stopped in the middle of this turn"


async def test_closing_ends_what_is_not_kept_behind_all_that_was_told_before():
    class Endless:
        card = ModelCard("scripted")

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
            yield Taken()
            while True:
                yield TextFragment("x")
                await asyncio.sleep(0)

    async with open_engine(model=Endless()) as engine:
        recording = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
        await until(lambda: len(recording.events) > 10)
        await within(engine.interactions.close())
        ends = [event.type for event in recording.events[-5:]]
        assert ends == ["delta", "part_stop", "step_stop", "failed", "end"]


async def test_after_closing_no_run_begins():
    async with open_engine(say("Hi")) as engine:
        await engine.interactions.close()
        with pytest.raises(ModelUnavailable, match="being stopped"):
            await engine.interactions.begin(STREAM, "ann", "steps")
        with pytest.raises(ModelUnavailable, match="being stopped"):
            await engine.interactions.create(turn(background=True), "ann", "steps")


async def test_a_run_that_begins_while_everything_is_closed_is_handed_over_too():
    store = HeldStore()
    async with open_engine([Taken(), asyncio.Event()], store=store) as engine:
        store.hold("create")
        beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
        await store.reached("create")
        await within(engine.interactions.close())
        store.let_go("create")
        recording = await within(beginning)
        with pytest.raises(HandedOver):
            await read_all(engine.interactions.follow(recording))
        assert [run.interaction.id for run in await store.claim(Lease("another", 60), 10)] == ["int_1"]
        await until(lambda: engine.model.left_early == 1)


async def test_whoever_gives_up_while_a_run_that_began_is_handed_over_leaves_nothing_to_read_here():
    store, more = HeldStore(), asyncio.Event()
    model = [Taken(), TextFragment("Half"), more, TextFragment(" and half"), asyncio.Event()]
    async with open_engine(model, store=store) as engine:
        store.hold("create")
        store.hold("append")
        beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
        await store.reached("create")
        more.set()
        for _ in range(10):
            await asyncio.sleep(0)
        closing = asyncio.create_task(engine.interactions.close())
        store.let_go("create")
        await store.reached("append")
        beginning.cancel()
        await within(asyncio.wait({beginning}))
        assert engine.interactions._journal.live("int_1") is None
        store.let_go("append")
        await within(closing)
        await until(lambda: engine.model.left_early == 1)


async def test_whoever_gives_up_waiting_for_a_run_to_begin_leaves_nothing_behind():
    async with open_engine([asyncio.Event()]) as engine:
        beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
        await until(lambda: len(engine.model.prompts) == 1)
        beginning.cancel()
        await asyncio.wait({beginning})
        await until(lambda: engine.model.left_early == 1)
        with pytest.raises(NotFound):
            await engine.interactions.get("int_1", "ann")


async def begin_slowly(engine: Engine, store: HeldStore, meanwhile: asyncio.Event) -> Recording:
    """Begin a run, and while it is being kept let its model go on."""
    store.hold("create")
    beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
    await store.reached("create")
    meanwhile.set()
    for _ in range(10):
        await asyncio.sleep(0)
    store.let_go("create")
    return await within(beginning)


async def test_a_refusal_while_the_run_is_being_kept_is_written_down_as_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("turnwise.engine.interactions.OPENING_PATIENCE", 0.0)
    store, asked = HeldStore(), asyncio.Event()
    async with open_engine([asked, ModelUnavailable("it is gone")], store=store) as engine:
        recording = await begin_slowly(engine, store, asked)
        *_, failed, _ = [event for _, event in await within(read_all(engine.interactions.follow(recording)))]
    assert failed == Failed(Failure("service_unavailable", "it is gone"))
    gc.collect()
    assert caplog.records == []


@pytest.mark.parametrize("said", [[], [TextFragment("Half")]], ids=["before it speaks", "while it speaks"])
async def test_a_store_that_cannot_begin_a_run_closes_the_models_stream(said: list[Fragment]):
    store = HeldStore()
    store.fail("create")
    async with open_engine([Taken(), *said, asyncio.Event()], store=store) as engine:
        with pytest.raises(OSError, match="disk is full"):
            await engine.interactions.begin(STREAM, "ann", "steps")
        await until(lambda: engine.model.left_early == 1)


async def test_a_store_that_cannot_begin_a_run_whose_answer_is_whole_keeps_nobody_waiting():
    store = HeldStore()
    store.fail("create")
    async with open_engine(say("Hi"), store=store) as engine:
        with pytest.raises(OSError, match="disk is full"):
            await within(engine.interactions.begin(STREAM, "ann", "steps"))
        assert store.calls["finish"] == 0


async def test_words_that_come_with_the_news_that_there_will_be_some_are_kept_with_the_run():
    store = HeldStore()
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()], store=store) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        assert [event for _, event in await store.events("int_1", 0)] == HALF
        assert texts(recording.events) == "Half"
        assert store.calls["append"] == 0


async def test_words_that_come_a_moment_after_that_are_kept_with_the_run_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("turnwise.engine.background.FIRST_WORD", PATIENCE)
    store, soon = HeldStore(), asyncio.Event()
    async with open_engine([Taken(), soon, TextFragment("Half"), asyncio.Event()], store=store) as engine:
        beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
        await until(lambda: bool(engine.model.prompts))
        assert store.calls["create"] == 0
        soon.set()
        await within(beginning)
        assert [event for _, event in await store.events("int_1", 0)] == HALF
        assert store.calls["append"] == 0


async def test_a_model_that_thinks_for_longer_has_its_run_kept_by_then():
    store, thought = HeldStore(), asyncio.Event()
    async with open_engine([Taken(), thought, TextFragment("Half"), asyncio.Event()], store=store) as engine:
        recording = await within(engine.interactions.begin(STREAM, "ann", "steps"))
        assert [event for _, event in await store.events("int_1", 0)] == OPENING
        thought.set()
        await until(lambda: texts(recording.events) == "Half")


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_fault_before_the_model_took_the_prompt_is_its_callers_to_tell(
    keeps: bool, caplog: pytest.LogCaptureFixture
):
    async with open_engine([ZeroDivisionError("no")]) as engine:
        with pytest.raises(ZeroDivisionError):
            await engine.interactions.begin(turn(stream=True, store=keeps), "ann", "steps")
        with pytest.raises(NotFound):
            await engine.interactions.get("int_1", "ann")
    assert caplog.records == []


async def test_words_that_come_at_once_are_told_one_by_one_where_nobody_keeps_them():
    async with open_engine(say(*words(5))) as engine:
        recording = await engine.interactions.begin(turn(stream=True, store=False), "ann", "steps")
        seen = [event for _, event in await within(read_all(engine.interactions.follow(recording)))]
        assert [texts([event]) for event in seen if isinstance(event, PartDelta)] == words(5)


async def test_words_that_come_while_the_run_is_being_kept_are_told_behind_it():
    store, more = HeldStore(), asyncio.Event()
    model = [Taken(), TextFragment("Half"), more, TextFragment(" and half"), asyncio.Event()]
    async with open_engine(model, store=store) as engine:
        recording = await begin_slowly(engine, store, more)
        await until(lambda: texts(recording.events) == "Half and half")
        assert [event for _, event in await store.events("int_1", 0)] == [
            *HALF,
            PartDelta(0, 0, TextDelta(" and half")),
        ]


async def test_an_answer_that_is_whole_at_once_is_begun_before_it_ends(any_store: Store):
    async with open_engine(say(*words(5)), store=any_store) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        seen = [event for _, event in await within(read_all(engine.interactions.follow(recording)))]
        assert seen == await ended_once(any_store, "int_1")
        assert texts(seen) == "".join(words(5))
        assert await carried(any_store) == {}


async def test_whoever_gives_up_while_a_run_is_being_kept_leaves_its_model_alone():
    store = HeldStore()
    async with open_engine([Taken(), TextFragment("Half"), asyncio.Event()], store=store) as engine:
        store.hold("create")
        beginning = asyncio.create_task(engine.interactions.begin(STREAM, "ann", "steps"))
        await store.reached("create")
        beginning.cancel()
        await asyncio.wait({beginning})
        await until(lambda: engine.model.left_early == 1)
        with pytest.raises(NotFound):
            await engine.interactions.get("int_1", "ann")


async def test_a_model_that_breaks_as_soon_as_it_has_begun_ends_the_run_as_failed(caplog: pytest.LogCaptureFixture):
    async with open_engine([Taken(), TextFragment("Half"), ZeroDivisionError("no")]) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        await within(read_all(engine.interactions.follow(recording)))
        *said, failed, end = await ended_once(engine.store, "int_1")
        assert (texts(said), failed.type, end.type) == ("Half", "failed", "end")
    assert [record.getMessage() for record in caplog.records] == ["the run int_1 broke"]


class Clinging:
    """A model that breaks once more when it is left."""

    card = ModelCard("clinging")

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        try:
            yield Taken()
            yield TextFragment("Half")
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError("while being left")


async def test_a_model_that_breaks_while_it_is_left_does_not_keep_the_run_from_its_end(
    caplog: pytest.LogCaptureFixture,
):
    async with open_engine(model=Clinging()) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        await until(lambda: texts(recording.events) == "Half")
        answered = await within(engine.interactions.cancel("int_1", "ann"))
        assert answered.status.is_terminal
        await ended_once(engine.store, "int_1")
        await until(lambda: bool(caplog.records))
    (record,) = caplog.records
    assert record.getMessage() == "the run int_1 broke while it was being left"


async def test_a_thousand_runs_end_each_for_itself():
    async with open_engine(model=ScriptedModel(answer=lambda _: say(*words(3)))) as engine:
        recordings = [await engine.interactions.begin(STREAM, "ann", "steps") for _ in range(1000)]
        for recording in recordings:
            seen = [event for _, event in await read_all(engine.interactions.follow(recording))]
            assert texts(seen) == "".join(words(3))
            assert isinstance(seen[-1], End)


async def test_a_beat_while_the_disk_takes_an_end_takes_nothing_for_lost():
    """Its row is gone then, and the store has not said so yet."""
    store, is_synced = HeldStore(), asyncio.Event()
    finish, is_committed = store._store.finish, asyncio.Event()

    async def slow_finish(*arguments: Any, **named: Any) -> bool:
        done = await finish(*arguments, **named)
        is_committed.set()
        await is_synced.wait()
        return done

    store._store.finish = slow_finish
    carrying = Carrying(Lease("here", 60.0))
    async with open_engine(say("Hello"), store=store, carrying=carrying) as engine:
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        await within(is_committed.wait())
        runs = engine.interactions._runs
        await runs._look_at(list(runs._runs.values()))
        assert recording.broken is None
        assert not recording.ended
        is_synced.set()
        seen = await read_all(engine.interactions.follow(recording))
        assert isinstance(seen[-1][1], End)
        assert isinstance(recording.events[-1], End)


async def test_a_beat_in_the_moment_when_an_end_is_written_takes_nothing_for_lost(monkeypatch: pytest.MonkeyPatch):
    """Its row is gone then, and its teller has not taken its next step."""
    ended: list[_Run] = []
    async with open_engine(say("Hello")) as engine:
        journal, runs = engine.interactions._journal, engine.interactions._runs
        publish = journal._publish

        def published(recording: Recording) -> None:
            publish(recording)
            if recording.ended:
                run = runs._runs[recording.interaction.id]
                ended.append(run)
                runs._lose(run)

        monkeypatch.setattr(journal, "_publish", published)
        recording = await engine.interactions.begin(STREAM, "ann", "steps")
        seen = await read_all(engine.interactions.follow(recording))
        await until(lambda: bool(ended) and ended[0].ending is not None)
        assert ended[0].ending is not None
        await within(ended[0].ending)
        assert isinstance(seen[-1][1], End)
