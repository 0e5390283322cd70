"""Runs that outlive their process: another one goes on where it stopped, at whatever moment that was."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.tooling import ToolForTests, found
from support import NOON, PATIENCE, HeldStore, open_engine, read_all, texts, turn, until, within
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import HandedOver, NotFound
from turnwise.domain.events import (
    Created,
    End,
    Event,
    PartDelta,
    PartStart,
    StatusUpdate,
    StepStart,
    StepStop,
    TextDelta,
    WholeDelta,
    fold,
)
from turnwise.domain.interaction import GenerationConfig, Interaction, Status, Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Thought, ToolCall, ToolResult
from turnwise.domain.tools import FunctionTool, GoogleSearch
from turnwise.engine.background import DEATHS, Carrying
from turnwise.engine.surroundings import Limits
from turnwise.models.model import (
    CallFragment,
    Finished,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Batch, Lease, NewRun, Store
from turnwise.tools.tool import Made

HERE, THERE = Carrying(Lease("here", 60.0)), Carrying(Lease("there", 60.0))
CARD = ModelCard("scripted", tools=True, thinks=True)
SEARCH = turn("Where is it?", stream=True, tools=(GoogleSearch(),))
QUERY = '{"queries": ["it"]}'


def script(prompt: Prompt) -> Iterator[Any]:
    """Thinks, speaks, searches twice at once; and answers once it has read what was found."""
    results = [step for step in prompt.steps if isinstance(step, FunctionResult)]
    yield Taken()
    if not results:
        yield from (ThoughtFragment("I do not know.\n\n"), ThoughtFragment("I must look."))
        yield from (TextFragment("Let me "), TextFragment("see."))
        for index in range(2):
            yield CallFragment(index, name="google_search", arguments=QUERY)
        yield from (UsageFragment(Usage(input={"text": 10}, output={"text": 5})), Finished("calls"))
    else:
        yield from (TextFragment("It is "), TextFragment("behind "), TextFragment("the sofa."))
        yield from (UsageFragment(Usage(input={"text": 20}, output={"text": 3})), Finished("stop"))


class Held:
    """A model that stops before a certain line of all that it says, until it is left."""

    def __init__(self, before: int) -> None:
        self.card = CARD
        self.stopped = asyncio.Event()
        self._left = before

    async def stream(self, prompt: Prompt) -> Any:
        for line in script(prompt):
            if self._left == 0:
                self.stopped.set()
                await asyncio.Event().wait()
            self._left -= 1
            yield line
            await asyncio.sleep(0)  # so that what was said may be written down alone


def search() -> ToolForTests:
    return ToolForTests(lambda *_: found("It is behind the sofa, says the cat."))


@pytest.mark.parametrize("before", range(1, 14))
async def test_a_turn_goes_on_wherever_its_process_stopped(any_store: Store, before: int):
    held, tool = Held(before), search()
    async with open_engine(store=any_store, model=held, tools={"google_search": tool}, carrying=HERE) as engine:
        recording = await engine.interactions.begin(SEARCH, "ann", "steps")
        await within(held.stopped.wait())
        seen = list(recording.events)
    other = ScriptedModel(answer=script, card=CARD, continues=True)
    async with open_engine(store=any_store, model=other, tools={"google_search": tool}, carrying=THERE) as engine:
        whole = await read_all(await engine.interactions.read(await engine.interactions.get("int_1", "ann"), 0))
        ended = await engine.interactions.get("int_1", "ann")
    events = [event for _, event in whole]
    assert [position for position, _ in whole] == list(range(1, len(whole) + 1))
    assert events[: len(seen)] == seen
    assert ended.status is Status.COMPLETED, ended.failure
    assert texts(events) == "Let me see.It is behind the sofa."
    steps = [step for step in ended.steps if not isinstance(step, Thought)]
    calls = [step for step in steps if isinstance(step, ToolCall)]
    results = [step for step in steps if isinstance(step, ToolResult)]
    assert steps == [steps[0], *calls, *results, steps[-1]]
    assert len(calls) in (1, 2), "what the model was about to call when it died, it need not call again"
    assert sorted(call.id for call in calls) == sorted(result.call_id for result in results)
    answer = steps[-1]
    assert isinstance(answer, ModelOutput)
    assert isinstance(answer.content[0], Text)
    assert answer.content[0].annotations, "what it rests on is known, though another process read it"
    assert ended.usage is not None
    assert ended.usage.grounding == {"google_search": len(results)}
    assert fold(events).steps == ended.steps
    assert sum(isinstance(event, Created) for event in events) == 1


async def test_what_every_finished_round_cost_is_counted():
    store, tool = MemoryStore(), search()
    held = Held(10)
    async with open_engine(store=store, model=held, tools={"google_search": tool}, carrying=HERE) as engine:
        await engine.interactions.begin(SEARCH, "ann", "steps")
        await within(held.stopped.wait())
    other = ScriptedModel(answer=script, card=CARD, continues=True)
    async with open_engine(store=store, model=other, tools={"google_search": tool}, carrying=THERE) as engine:
        await read_all(await engine.interactions.read(await engine.interactions.get("int_1", "ann"), 0))
        usage = (await engine.interactions.get("int_1", "ann")).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.tool_use_tokens) == (10, 8, 20)


async def test_a_turn_that_has_had_its_tokens_ends_where_its_process_died():
    asked = turn("Where is it?", stream=True, tools=(GoogleSearch(),), generation=GenerationConfig(max_output_tokens=5))
    model = ScriptedModel(answer=script, card=CARD, continues=True)
    first, second = MemoryStore(), MemoryStore()
    async with open_engine(store=first, model=model, tools={"google_search": search()}) as engine:
        recording = await engine.interactions.begin(asked, "ann", "steps")
        *told, end = [event for _, event in await read_all(engine.interactions.follow(recording))]
        assert isinstance(end, End)
        assert end.status is Status.INCOMPLETE
    interaction = Interaction("int_1", "ann", asked, NOON, NOON)
    await second.create(interaction, Batch("int_1", 1, tuple(told)), NewRun())
    async with open_engine(store=second, model=model, tools={"google_search": search()}, carrying=THERE):
        whole = await ended(second, "int_1")
    assert (whole.status, whole.usage) == (Status.INCOMPLETE, end.usage)
    assert len(model.prompts) == 1, "nothing is asked with no room for an answer"


async def test_calls_that_were_answered_are_not_made_again():
    store, tool = MemoryStore(), search()
    held = Held(10)
    async with open_engine(store=store, model=held, tools={"google_search": tool}, carrying=HERE) as engine:
        await engine.interactions.begin(SEARCH, "ann", "steps")
        await within(held.stopped.wait())
    assert len(tool.calls) == 2
    other = ScriptedModel(answer=script, card=CARD, continues=True)
    async with open_engine(store=store, model=other, tools={"google_search": tool}, carrying=THERE) as engine:
        await read_all(await engine.interactions.read(await engine.interactions.get("int_1", "ann"), 0))
    assert len(tool.calls) == 2
    assert [len(prompt.steps) for prompt in other.prompts] == [7]


async def test_what_a_tool_made_is_told_with_its_result_or_made_again():
    store = HeldStore()
    tool = ToolForTests(lambda *_: replace(found("it"), made=[Made(b"a,b", "text/csv", "table.csv")]))
    model = ScriptedModel(answer=script, card=CARD, continues=True)
    store.hold("begin_upload")
    async with open_engine(store=store, model=model, tools={"google_search": tool}, carrying=HERE) as engine:
        await engine.interactions.begin(SEARCH, "ann", "steps")
        await store.reached("begin_upload")
    store.let_go("begin_upload")
    async with open_engine(store=store, model=model, tools={"google_search": tool}, carrying=THERE):
        steps = (await ended(store, "int_1")).steps
    kinds = [step.type for step in steps]
    assert kinds.count("tool_call") == kinds.count("tool_result") == 2
    assert sum(isinstance(step, ModelOutput) and isinstance(step.content[0], Media) for step in steps) == 2
    assert tool.keys[:2] == tool.keys[2:], "whoever makes it again does so by the same key"


async def test_a_half_made_call_of_the_clients_ends_the_turn_with_the_reason():
    store, never = MemoryStore(), asyncio.Event()
    asked = turn(stream=True, tools=(FunctionTool("look", parameters={"type": "object"}),))
    half = [Taken(), CallFragment(0, name="look", arguments='{"a": '), never]
    async with open_engine(store=store, model=ScriptedModel(half, card=CARD), carrying=HERE) as engine:
        recording = await engine.interactions.begin(asked, "ann", "steps")
        begun = [event.type for event in recording.events]
        if "delta" not in begun:  # what stands around the model holds a call back until it is whole
            return
    async with open_engine(say("Hi"), store=store, carrying=THERE) as engine:
        await read_all(await engine.interactions.read(await engine.interactions.get("int_1", "ann"), 0))
        failure = (await engine.interactions.get("int_1", "ann")).failure
    assert failure is not None
    assert "half-made" in failure.message


async def left_by(store: Store, deaths: int, *, told: tuple[Event, ...] = ()) -> None:
    """A run whose carriers have died so often."""
    interaction = Interaction("int_1", "ann", turn(background=True), NOON, NOON)
    events = (Created(), *told)
    await store.create(interaction, Batch("int_1", 1, events), NewRun(lease=Lease("0", 60.0)))
    for death in range(deaths):
        await store.abandon()
        await store.claim(Lease(str(death + 1), 60.0), 1)
    if not deaths:
        await store.release("0")


async def test_words_behind_a_call_of_the_clients_are_left_at_that():
    """The turn ends with the call, whose result the model would need to go on."""
    call = FunctionCall("call_1", "look")
    told = (
        *(StepStart(0, 0, call), PartDelta(0, 0, WholeDelta(call)), StepStop(0, 0)),
        *(StepStart(1, None, ModelOutput()), PartStart(1, 1, Text("")), PartDelta(1, 1, TextDelta("I will"))),
    )
    store = MemoryStore()
    await left_by(store, 0, told=told)
    async with open_engine(store=store) as engine:
        whole = await read_all(await engine.interactions.read(await engine.interactions.get("int_1", "ann"), 0))
        ended = await engine.interactions.get("int_1", "ann")
        assert engine.model.prompts == []
    assert (ended.status, ended.steps) == (Status.REQUIRES_ACTION, (call, ModelOutput((Text("I will"),))))
    assert [event.type for _, event in whole[-3:]] == ["part_stop", "step_stop", "end"]


async def test_a_run_whose_carriers_keep_dying_is_given_up():
    store = MemoryStore()
    await left_by(store, DEATHS - 1)
    async with open_engine(say("Hi"), store=store) as engine:
        ended = await engine.interactions.get("int_1", "ann")
    assert ended.status is Status.FAILED
    assert ended.failure is not None
    assert "died 5 times" in ended.failure.message


async def test_a_run_whose_carriers_died_less_often_is_tried_again():
    store = MemoryStore()
    await left_by(store, DEATHS - 2)
    async with open_engine(say("Hi"), store=store) as engine:
        await read_all(await engine.interactions.read(await engine.interactions.get("int_1", "ann"), 0))
        assert (await engine.interactions.get("int_1", "ann")).status is Status.COMPLETED


async def test_a_run_is_cancelled_from_where_it_is_not_carried(any_store: Store):
    never = [Taken(), TextFragment("Half"), asyncio.Event()]
    async with (
        open_engine(never, store=any_store, carrying=HERE) as here,
        open_engine(store=any_store, carrying=THERE) as there,
    ):
        made = await here.interactions.create(turn(background=True), "ann", "steps")
        reader = asyncio.create_task(read_all(await there.interactions.read(made, 0)))
        live = here.interactions._live(made.id, "ann")
        assert live is not None
        await until(lambda: texts(live.events) == "Half")
        cancelled = await within(there.interactions.cancel(made.id, "ann"))
        assert (cancelled.status, cancelled.steps) == (Status.CANCELLED, (ModelOutput((Text("Half"),)),))
        events = [event for _, event in await within(reader)]
        assert (texts(events), isinstance(events[-1], End)) == ("Half", True)
        await until(lambda: here.model.left_early == 1)
        assert await here.interactions.get(made.id, "ann") == cancelled
        assert await there.interactions.cancel(made.id, "ann") == cancelled


async def test_a_run_is_deleted_from_where_it_is_not_carried(any_store: Store):
    never = [Taken(), TextFragment("Half"), asyncio.Event()]
    async with (
        open_engine(never, store=any_store, carrying=HERE) as here,
        open_engine(store=any_store, carrying=THERE) as there,
    ):
        recording = await here.interactions.begin(turn(stream=True), "ann", "steps")
        reader = asyncio.create_task(read_all(here.interactions.follow(recording)))
        await until(lambda: texts(recording.events) == "Half")
        await within(there.interactions.delete("int_1", "ann"))
        await until(lambda: here.model.left_early == 1)
        with pytest.raises(NotFound):
            await here.interactions.get("int_1", "ann")
        await asyncio.gather(reader, return_exceptions=True)


async def test_what_has_no_room_here_is_done_where_there_is_some(any_store: Store):
    api = Carrying(Lease("api", 60.0), room=0)
    async with (
        open_engine(store=any_store, carrying=api) as front,
        open_engine(say("Hel", "lo"), store=any_store, carrying=THERE),
    ):
        recording = await front.interactions.begin(turn(background=True, stream=True), "ann", "steps")
        events = [event for _, event in await read_all(front.interactions.follow(recording))]
        assert (texts(events), isinstance(events[-1], End)) == ("Hello", True)
        assert (await front.interactions.get("int_1", "ann")).status is Status.COMPLETED
        assert front.model.prompts == []


async def test_more_than_there_is_room_for_waits_its_turn():
    gates = [asyncio.Event() for _ in range(3)]
    scripts = [[Taken(), gate, TextFragment("x"), Finished("stop")] for gate in gates]
    async with open_engine(*scripts, carrying=Carrying(Lease("here", 60.0), room=1)) as engine:
        made = [await engine.interactions.create(turn(background=True), "ann", "steps") for _ in range(3)]
        await until(lambda: len(engine.model.prompts) == 1)
        for number, gate in enumerate(gates):
            gate.set()
            await within(read_all(await engine.interactions.read(made[number], 0)))
        assert len(engine.model.prompts) == 3


async def test_a_background_interaction_has_its_time_and_keeps_what_it_has():
    never = [Taken(), TextFragment("Half"), asyncio.Event()]
    short = Carrying(Lease("here", 60.0), seconds=0.05)
    async with open_engine(never, carrying=short, clock=lambda: NOON) as engine:
        made = await engine.interactions.create(turn(background=True), "ann", "steps")
        await read_all(await engine.interactions.read(made, 0))
        ended = await engine.interactions.get(made.id, "ann")
        assert (ended.status, ended.steps) == (Status.BUDGET_EXCEEDED, (ModelOutput((Text("Half"),)),))
        await until(lambda: engine.model.left_early == 1)


async def test_time_runs_from_the_creation_on_whoever_carries():
    store = MemoryStore()
    await left_by(store, 0)
    late = Carrying(Lease("there", 60.0), seconds=10.0)
    async with open_engine(
        [asyncio.Event()], store=store, carrying=late, clock=lambda: NOON + timedelta(seconds=11)
    ) as engine:
        await read_all(await engine.interactions.read(await engine.interactions.get("int_1", "ann"), 0))
        assert (await engine.interactions.get("int_1", "ann")).status is Status.BUDGET_EXCEEDED


async def test_tokens_of_a_background_interaction_are_bounded():
    long = [Taken(), TextFragment("Half"), Finished("length")]
    async with open_engine(long, long, turn_limits=Limits(budget=100)) as engine:
        made = await engine.interactions.create(turn(background=True), "ann", "steps")
        await read_all(await engine.interactions.read(made, 0))
        assert engine.model.prompts[0].generation.max_output_tokens == 100
        assert (await engine.interactions.get(made.id, "ann")).status is Status.BUDGET_EXCEEDED
        assert (await engine.interactions.create(turn(), "ann", "steps")).status is Status.INCOMPLETE


async def test_an_end_that_the_store_would_not_take_is_written_as_soon_as_it_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("turnwise.engine.background.FIRST_PAUSE", 0.01)
    store = HeldStore()
    async with open_engine(say("Hi"), store=store) as engine:
        for name in ("append", "finish"):
            store.fail(name)
        recording = await engine.interactions.begin(turn(stream=True), "ann", "steps")
        await until(lambda: recording.ended)
        store.heal()
        async with asyncio.timeout(5):
            while (await store.load("int_1", "ann")).status is Status.IN_PROGRESS:  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0)
        assert (await engine.interactions.get("int_1", "ann")).status is Status.FAILED


async def waiting(store: Store, *ids: str) -> None:
    """Runs that nobody carries yet."""
    for id in ids:
        interaction = Interaction(id, "ann", turn(background=True), NOON, NOON)
        opening = (Created(), StatusUpdate(Status.IN_PROGRESS))
        await store.create(interaction, Batch(id, 1, opening), NewRun())


async def ended(store: Store, id: str) -> Interaction:
    """An interaction, once it has ended."""
    async with asyncio.timeout(PATIENCE):
        while (found := await store.load(id, "ann")) is None or not found.status.is_terminal:  # noqa: ASYNC110
            await asyncio.sleep(0)
    return found


async def test_however_many_come_at_once_no_more_are_carried_than_there_is_room_for(any_store: Store):
    gate = asyncio.Event()
    model = ScriptedModel(answer=lambda _: [Taken(), gate, TextFragment("x"), Finished("stop")])
    async with open_engine(store=any_store, model=model, carrying=replace(HERE, room=2)) as engine:
        creating = [engine.interactions.create(turn(background=True), "ann", "steps") for _ in range(20)]
        made = await within(asyncio.gather(*creating))
        await until(lambda: len(model.prompts) >= 2)
        assert len(await any_store.beat(HERE.lease)) == 2
        gate.set()
        for one in made:
            assert (await ended(any_store, one.id)).status is Status.COMPLETED
        assert len(model.prompts) == 20


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_a_run_that_is_stopped_while_it_is_being_claimed_is_not_begun(how: str):
    store = HeldStore()
    async with open_engine(store=store, carrying=replace(HERE, room=1)) as engine:
        store.hold("events")
        await waiting(store, "int_x")
        await store.reached("events")
        stopping = asyncio.create_task(getattr(engine.interactions, how)("int_x", "ann"))
        await until(lambda: store.calls["events"] == 2)
        store.let_go("events")
        await within(stopping)
        await waiting(store, "int_y")
        assert (await ended(store, "int_y")).status is Status.COMPLETED
        assert len(engine.model.prompts) == 1
        assert engine.interactions._live("int_x", "ann") is None
        if how == "cancel":
            assert (await engine.interactions.get("int_x", "ann")).status is Status.CANCELLED


async def test_a_run_that_another_process_takes_while_it_is_being_claimed_is_left_to_that_one():
    store = HeldStore()
    async with open_engine([asyncio.Event()], store=store, carrying=replace(HERE, room=1)) as engine:
        store.hold("events")
        await waiting(store, "int_x")
        await store.reached("events")
        assert await store.take("int_x", "ann", Lease("another", 60.0)) is not None
        runs = engine.interactions._runs
        await until(lambda: "int_x" in runs._doubted)
        store.let_go("events")
        await until(lambda: not runs._claimed and not runs._runs)
        assert engine.interactions._live("int_x", "ann") is None


async def test_whoever_stops_a_run_at_the_same_time_as_others_finds_it_stopped(any_store: Store):
    async with open_engine(store=any_store, carrying=replace(HERE, room=0)) as engine:
        await waiting(any_store, "int_x")
        stopping = [engine.interactions.cancel("int_x", "ann") for _ in range(5)]
        stopped = await within(asyncio.gather(*stopping))
        assert {one.status for one in stopped} == {Status.CANCELLED}


async def test_processes_that_stop_a_run_at_the_same_time_all_find_it_stopped(any_store: Store):
    async with (
        open_engine(store=any_store, carrying=replace(HERE, room=0)) as here,
        open_engine(store=any_store, carrying=replace(THERE, room=0)) as there,
    ):
        for number in range(10):
            await waiting(any_store, f"int_{number}")
            stopping = [one.interactions.cancel(f"int_{number}", "ann") for one in (here, there)]
            stopped = await within(asyncio.gather(*stopping))
            assert {one.status for one in stopped} == {Status.CANCELLED}


async def test_a_run_that_cannot_be_gone_on_with_holds_up_neither_the_start_nor_the_others(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("turnwise.engine.background.FIRST_PAUSE", 0.01)
    store = HeldStore()
    await waiting(store, "int_x", "int_y")
    for name in ("events", "release"):
        store.fail(name, lambda *arguments: "int_x" in str(arguments))
    async with open_engine(say("Hi"), say("Hi"), store=store) as engine:
        assert (await ended(store, "int_y")).status is Status.COMPLETED
        assert (await engine.store.load("int_x", "ann")).status is Status.IN_PROGRESS
        await until(lambda: store.calls["release"] > 1)
        store.heal()
        assert (await ended(store, "int_x")).status is Status.COMPLETED


async def test_what_a_process_has_without_knowing_is_given_back(any_store: Store):
    brief = Carrying(Lease("here", 0.35), room=0)
    await waiting(any_store, "int_x")
    assert await any_store.take("int_x", "ann", brief.lease) is not None  # as by a claim whose answer never came
    async with open_engine(store=any_store, carrying=brief), open_engine(store=any_store, carrying=THERE) as there:
        assert (await ended(any_store, "int_x")).status is Status.COMPLETED
        assert len(there.model.prompts) == 1


async def test_a_process_that_is_cut_off_from_its_store_lets_go_of_its_runs(monkeypatch: pytest.MonkeyPatch):
    """Others have them by then, as far as it knows. Its readers are told to read on elsewhere, and no false end."""
    store = HeldStore()
    short = Carrying(Lease("here", 0.05))
    never = [Taken(), TextFragment("Half"), asyncio.Event()]
    async with open_engine(never, store=store, carrying=short) as engine:
        recording = await engine.interactions.begin(turn(stream=True), "ann", "steps")
        reader = asyncio.create_task(read_all(engine.interactions.follow(recording)))
        await until(lambda: texts(recording.events) == "Half")
        for name in ("beat", "append", "finish", "tail", "load"):
            store.fail(name)
        with pytest.raises(HandedOver, match="cannot reach its store"):
            await within(reader)
        await until(lambda: engine.model.left_early == 1)
        store.heal()
    (run,) = await store.claim(Lease("another", 60), 10)
    assert (run.interaction.id, run.deaths) == ("int_1", 0)


async def test_a_process_that_finds_its_store_again_in_time_goes_on():
    store, going = HeldStore(), asyncio.Event()
    patient = Carrying(Lease("here", 0.2))
    async with open_engine(
        [Taken(), TextFragment("Half"), going, TextFragment(" and half"), Finished("stop")],
        store=store,
        carrying=patient,
    ) as engine:
        recording = await engine.interactions.begin(turn(stream=True), "ann", "steps")
        await until(lambda: texts(recording.events) == "Half")
        before = store.calls["beat"]
        store.fail("beat")
        await until_beaten(store, before + 2)
        store.heal()
        await until_beaten(store, before + 4)
        going.set()
        events = [event for _, event in await read_all(engine.interactions.follow(recording))]
        assert texts(events) == "Half and half"
        assert recording.attempt == 1


async def until_beaten(store: HeldStore, times: int) -> None:
    """Wait until its carrier has said so often that it lives."""
    async with asyncio.timeout(10):
        while store.calls["beat"] < times:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.001)


class SlowToSay(MemoryStore):
    """Keeps events at once, and says so when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.may_say = asyncio.Event()

    async def append(self, batches: Sequence[Batch]) -> Collection[str]:
        refused = await super().append(batches)
        await self.may_say.wait()
        return refused


async def test_a_reader_that_is_ahead_of_the_carrier_reads_on_there():
    """It has seen at another process what is kept, while the carrier has not heard yet that it is."""
    store, begun, told = SlowToSay(), asyncio.Event(), asyncio.Event()
    async with open_engine([Taken(), begun, TextFragment("Hello"), told, Finished("stop")], store=store) as engine:
        recording = await engine.interactions.begin(turn(stream=True), "ann", "steps")
        begun.set()
        async with asyncio.timeout(PATIENCE):
            while len(await store.events("int_1", 0)) <= len(recording.events):  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0)
        position, _ = (await store.events("int_1", 0))[-1]
        reading = await engine.interactions.read(recording.interaction, position)
        told.set()
        store.may_say.set()
        behind = await within(read_all(reading))
        assert [place for place, _ in behind] == list(range(position + 1, len(await store.events("int_1", 0)) + 1))
