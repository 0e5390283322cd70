"""An agent's work: what its words become, what its desk gives, and how it goes on after its process has died."""

import asyncio
import re
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import uvloop

from engine.tooling import ToolForTests, found
from engine.working import PLENTY, AgentForTests, around, asked, joined, shown, work_on
from support import NOON, PATIENCE, OneModel, within
from turnwise.agents.agent import AgentCard, Budget, Cites, Desk, Done, Hired, Said, Says, Shows, Task, Thinks
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import ModelFailed, ModelNotFound, ModelUnavailable
from turnwise.domain.events import (
    Checkpoint,
    Created,
    End,
    Event,
    PartDelta,
    SignatureDelta,
    StatusUpdate,
    SummaryDelta,
    TextDelta,
    closing,
    fold,
)
from turnwise.domain.interaction import Status, Usage
from turnwise.domain.steps import ModelOutput, Step, Thought
from turnwise.domain.tools import GoogleSearch
from turnwise.engine import agency
from turnwise.engine.agency import work
from turnwise.engine.retelling import Differs
from turnwise.engine.surroundings import Limits
from turnwise.models.model import ModelCard
from turnwise.models.scripted import ScriptedModel, say

OPENING = (Created(), StatusUpdate(Status.IN_PROGRESS))
COST = Usage({"text": 3}, {"text": 2})
PNG = b64encode(b"a picture of some length").decode()
CITED = {"type": "url_citation", "url": "http://a.example", "start_index": 0, "end_index": 5}


def unsigned(steps: Sequence[Step]) -> list[Step]:
    """Steps without their signatures, which differ each time."""
    return [replace(step, signature=None) if isinstance(step, Thought) else step for step in steps]


async def parrot(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
    yield Thinks("I have to say it again.")
    answer = await desk.step("say", lambda: desk.ask(task.instruction or "", task.text))
    yield Says(answer)
    yield Done()


# -- what words become


async def test_an_agents_work_is_its_status_its_steps_and_its_end():
    model = ScriptedModel(say("Look ", "into it.", usage=COST))
    events = await work_on(parrot, asked(system_instruction="Be brief."), model=model)
    assert events[0] == StatusUpdate(Status.IN_PROGRESS)
    assert events[-1] == End(Status.COMPLETED, COST, NOON)
    thought, message = fold(events).steps
    assert isinstance(thought, Thought)
    assert thought.summary == (Text("I have to say it again."),)
    assert message == ModelOutput((Text("Look into it."),))
    assert model.prompts[0].system_instruction == "Be brief."


async def test_a_thought_is_shown_while_the_work_goes_on():
    asking = asyncio.Event()

    async def slow(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Thinks("First.")
        yield Thinks("Second.")
        await asking.wait()
        yield Done()

    turn = asked()
    task = Task(turn.input, config=turn.agent_config)
    hired = Hired(AgentForTests(slow), "m", Budget(1000, 1000.0))
    async with aclosing(work(turn, hired, task, around(), OneModel(ScriptedModel()))) as events:
        seen: list[str] = []
        while len(seen) < 2:
            event = await within(anext(events))
            if isinstance(event, PartDelta) and isinstance(event.delta, SummaryDelta):
                assert isinstance(event.delta.content, Text)
                seen.append(event.delta.content.text)
        assert seen == ["First.", "Second."]
        asking.set()
        last = [event async for event in events][-1]
        assert isinstance(last, End)
        assert last.status is Status.COMPLETED


async def test_an_agent_goes_on_when_its_step_is_kept():
    finished: list[str] = []

    async def careful(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        finished.append(await desk.step("first", lambda: desk.ask("", "a?")))
        finished.append(await desk.step("second", lambda: desk.ask("", "b?")))
        yield Done()

    turn = asked()
    hired = Hired(AgentForTests(careful), "m", PLENTY)
    model = ScriptedModel(say("Yes."), say("No."))
    async with aclosing(work(turn, hired, Task(turn.input), around(), OneModel(model))) as events:
        while True:
            event = await within(anext(events))
            if isinstance(event, Checkpoint) and event.kind == "step":
                break
        for _ in range(10):
            await asyncio.sleep(0)
        assert finished == []
        assert len(model.prompts) == 1
        await within(anext(events))
        assert finished == ["Yes."]


@pytest.mark.parametrize("config", [{}, {"thinking_summaries": "none"}])
async def test_thoughts_are_not_shown_unless_that_is_asked_for(config: Any):
    thought, _ = fold(await work_on(parrot, asked(agent_config=config))).steps
    assert isinstance(thought, Thought)
    assert thought.summary == ()
    assert thought.signature is not None


async def test_a_later_turn_is_not_told_what_an_agent_thought():
    steps = fold(await work_on(parrot)).steps
    thought, message = around().opened(steps)
    assert thought == Thought(None, ())
    assert message == ModelOutput((Text("Hello"),))


async def test_what_an_agent_thinks_at_once_is_one_piece_of_the_summary():
    async def thinker(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Thinks("**Planning**\n\nI look around.\n")
        yield Thinks(" ")
        yield Thinks("I have seen all.")
        yield Done()

    (thought,) = fold(await work_on(thinker)).steps
    assert isinstance(thought, Thought)
    assert thought.summary == (Text("**Planning**\n\nI look around."), Text("I have seen all."))


async def test_text_is_cited_and_what_is_shown_stands_beside_it():
    async def writer(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("Cited ")
        yield Says("text.")
        yield Cites((CITED,))
        yield Shows(Media("image", "image/png", PNG))
        yield Says("More.")
        yield Done("incomplete")

    events = await work_on(writer, delivering=replace(around().delivering, inline_bytes=1000))
    assert fold(events).steps == (
        ModelOutput((Text("Cited text.", (CITED,)), Media("image", "image/png", PNG), Text("More."))),
    )
    assert fold(events).status is Status.INCOMPLETE


async def test_text_behind_citations_is_a_message_of_its_own():
    async def writer(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("Cited.")
        yield Cites((CITED,))
        yield Says("Not cited.")
        yield Done()

    assert fold(await work_on(writer)).steps == (
        ModelOutput((Text("Cited.", (CITED,)),)),
        ModelOutput((Text("Not cited."),)),
    )


async def test_citations_without_a_text_break_the_work():
    async def careless(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Cites((CITED,))
        yield Done()

    with pytest.raises(ModelFailed, match="the agent 'tester' cites where there is no text"):
        await work_on(careless)


async def test_a_large_picture_is_kept_as_a_file():
    kept: list[bytes] = []

    async def keep(data: bytes, mime_type: str, name: str = "") -> str:
        kept.append(data)
        return f"files/{name}"

    async def painter(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Shows(Media("image", "image/png", PNG, options={"name": "chart.png"}))
        yield Done()

    events = await work_on(painter, delivering=replace(around().delivering, keep=keep, inline_bytes=4))
    (message,) = fold(events).steps
    assert message == ModelOutput((Media("image", "image/png", uri="files/chart.png", options={"name": "chart.png"}),))
    again = await work_on(painter, told=[*OPENING, *events[1:-2]], delivering=replace(around().delivering, keep=keep))
    assert kept == [b"a picture of some length"]
    assert fold([*OPENING, *events[1:-2], *again]).steps == (message,)


# -- what can go wrong


async def test_what_breaks_an_agent_comes_behind_what_it_said():
    async def broken(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("So far.")
        raise ModelUnavailable("gone")

    turn = asked()
    hired = Hired(AgentForTests(broken), "m", Budget(1000, 1000.0))
    events: list[Event] = []
    with pytest.raises(ModelUnavailable, match="gone"):  # noqa: PT012 (what was yielded before counts)
        async for event in work(turn, hired, Task(turn.input), around(), OneModel(ScriptedModel())):
            events.append(event)
    assert fold(events).steps == (ModelOutput((Text("So far."),)),)


async def test_an_agent_that_stops_without_a_word_has_failed():
    async def silent(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("So far.")

    with pytest.raises(ModelFailed, match="the agent 'tester' has stopped without saying that its work is over"):
        await work_on(silent)


async def test_an_agent_that_cancels_itself_has_failed():
    async def confused(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("So far.")
        raise asyncio.CancelledError

    with pytest.raises(ModelFailed, match="the agent 'tester' has cancelled itself"):
        await within(work_on(confused))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Hello", "says a str, which is none of Thinks, Says, Cites, Shows and Done"),
        (None, "says a NoneType"),
        (Says(None), "gives Says a NoneType for a text"),
        (Says(5), "gives Says a int for a text"),
        (Thinks(["a"]), "gives Thinks a list for a text"),
        (Says("half \ud800"), "gives Says what is no Unicode"),
        (Cites("abc"), "gives Cites a str for a tuple of annotations"),
        (Cites(("abc",)), "annotation 0: it has to be an object with a `type`"),
        (Cites((CITED, {"url": "http://a.example"})), "annotation 1: it has to be an object with a `type`"),
        (Cites(({**CITED, "end_index": 8},)), "bytes of the text, which has 7, and not 0 and 8"),
        (Cites(({**CITED, "start_index": -1},)), "and not -1 and 5"),
        (Cites(({**CITED, "start_index": 6},)), "and not 6 and 5"),
        (Cites(({"type": "url_citation", "url": "http://a.example"},)), "and not None and None"),
        (Cites(({**CITED, "url": object()},)), "it is not JSON"),
        (Shows("a.png"), "gives Shows a str for media"),
        (Shows(Media("image", "image/png", "no base64!")), "shows media whose `data` is no base64"),
        (Shows(Media("image", "image/png")), "shows media without `data`"),
        (Done("exploded"), "is done as 'exploded', which is none of completed, incomplete and budget_exceeded"),
    ],
)
async def test_an_agent_that_says_what_cannot_be_told_has_failed_with_what_it_was(said: Any, why: str):
    async def careless(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("Ünder")
        yield Says("!")
        yield said
        yield Done()

    with pytest.raises(ModelFailed, match=re.escape(why)):
        await within(work_on(careless))


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), BaseException()])
async def test_an_agent_that_calls_for_the_end_of_its_process_has_failed(error: BaseException):
    async def leaving(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("So far.")
        raise error

    with pytest.raises(ModelFailed, match="the agent 'tester' has called for the end of its process"):
        await within(work_on(leaving))


async def test_a_step_that_calls_for_the_end_of_its_process_ends_the_agent_only():
    async def leave() -> str:
        raise SystemExit(3)

    async def leaving(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("So far.")
        await asyncio.gather(desk.step("leave", leave), desk.step("leave again", leave))

    with pytest.raises(ModelFailed, match="a step of the agent has called for the end of its process"):
        await within(work_on(leaving))


async def test_an_agent_that_does_not_end_when_it_is_told_to_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(agency, "LEAVING", 0.01)
    released = asyncio.Event()

    async def deaf(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("Still here.")
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    turn = asked()
    hired = Hired(AgentForTests(deaf), "m", Budget(1000, 1000.0))
    events = work(turn, hired, Task(turn.input), around(), OneModel(ScriptedModel()))
    async for event in events:
        if isinstance(event, PartDelta):
            break
    await within(events.aclose())
    assert "the agent 'tester' does not end though it was told to" in caplog.text
    released.set()


async def test_an_agent_whose_step_breaks_while_it_is_left_is_not_waited_for(caplog: pytest.LogCaptureFixture):
    async def breaking(desk: Desk) -> str:
        try:
            await desk.ask("", "a?")
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError("while being left")

    async def costly(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("Still here.")
        await desk.step("first", lambda: breaking(desk))

    turn, before = asked(), asyncio.all_tasks()
    hired = Hired(AgentForTests(costly), "m", PLENTY)
    model = ScriptedModel(say("Yes.", usage=Usage(output={"text": 5})))
    async with aclosing(work(turn, hired, Task(turn.input), around(), OneModel(model))) as events:
        async for event in events:
            if isinstance(event, PartDelta):
                break
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(model.prompts) == 1
    assert asyncio.all_tasks() == before
    assert caplog.text == ""


async def test_an_agent_whose_model_there_is_not_does_not_begin():
    turn = asked()
    hired = Hired(AgentForTests(parrot), "unknown", Budget(1000, 1000.0))
    events = work(turn, hired, Task(turn.input), around(), OneModel(ScriptedModel()))
    with pytest.raises(ModelNotFound, match="there is no model 'unknown'"):
        await anext(events)


async def test_who_leaves_ends_the_work():
    closed = asyncio.Event()

    async def endless(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        try:
            yield Says("Still here.")
            await asyncio.Event().wait()
        finally:
            closed.set()

    turn = asked()
    hired = Hired(AgentForTests(endless), "m", Budget(1000, 1000.0))
    events = work(turn, hired, Task(turn.input), around(), OneModel(ScriptedModel()))
    async for event in events:
        if isinstance(event, PartDelta):
            break
    await within(events.aclose())
    assert closed.is_set()


# -- the budget


async def asker(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
    for number in range(10):
        yield Says(f"{number} ")
        await desk.step(f"ask {number}", lambda: desk.ask("", "?"))
    yield Done()


async def test_work_that_costs_too_much_is_ended_and_what_was_said_stays():
    model = ScriptedModel(answer=lambda _: say("!", usage=COST))
    events = await within(work_on(asker, model=model, budget=Budget(tokens=12, seconds=1000.0)))
    assert fold(events).steps == (ModelOutput((Text("0 1 2 3 "),)),)
    assert events[-1] == End(Status.BUDGET_EXCEEDED, Usage({"text": 9}, {"text": 6}), NOON)
    assert len(model.prompts) == 3


async def test_an_agent_costs_no_more_than_anything_may_that_works_in_the_background():
    model = ScriptedModel(answer=lambda _: say("!", usage=COST))
    events = await within(work_on(asker, model=model, limits=Limits(budget=12)))
    assert events[-1] == End(Status.BUDGET_EXCEEDED, Usage({"text": 9}, {"text": 6}), NOON)


async def test_what_was_spent_before_the_process_died_counts():
    model = ScriptedModel(answer=lambda _: say("!", usage=COST))
    events = await within(work_on(asker, model=model, budget=Budget(tokens=12, seconds=1000.0)))
    until = next(i for i, event in enumerate(events) if isinstance(event, Checkpoint) and "ask 1" in str(event.data))
    told = [Created(), *events[: until + 1]]
    again = await within(work_on(asker, model=model, budget=Budget(tokens=12, seconds=1000.0), told=told))
    assert fold([*told, *again]).steps == fold(events).steps
    assert again[-1] == events[-1]
    assert len(model.prompts) == 4


async def test_work_that_takes_too_long_is_ended_and_what_was_said_stays():
    async def slow(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Thinks("This takes long.")
        await asyncio.Event().wait()

    events = await within(work_on(slow, budget=Budget(tokens=1, seconds=0.02)))
    (thought,) = fold(events).steps
    assert isinstance(thought, Thought)
    assert thought.summary == (Text("This takes long."),)
    assert events[-1] == End(Status.BUDGET_EXCEEDED, None, NOON)


def test_the_end_of_the_time_is_known_by_its_timer_whichever_loop_has_that():
    async def slow(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("So far.")
        await asyncio.Event().wait()

    async def several() -> list[list[Event]]:
        budgets = [Budget(tokens=1, seconds=0.01 + 0.00037 * number) for number in range(40)]
        return await asyncio.gather(*(work_on(slow, budget=budget) for budget in budgets))

    ends = {events[-1] for events in uvloop.run(within(several()))}
    assert ends == {End(Status.BUDGET_EXCEEDED, None, NOON)}


async def test_an_agent_that_talks_faster_than_it_is_heard_is_ended_too():
    async def talker(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        while True:
            yield Says("and ")

    turn = asked()
    hired = Hired(AgentForTests(talker), "m", Budget(tokens=1, seconds=0.02))
    last: Event | None = None
    async with asyncio.timeout(PATIENCE):
        async for event in work(turn, hired, Task(turn.input), around(), OneModel(ScriptedModel())):
            last = event
            for _ in range(3):
                await asyncio.sleep(0)  # a reader that is slower than the agent
    assert last == End(Status.BUDGET_EXCEEDED, None, NOON)


@pytest.mark.parametrize("text", ["", "So f"])
async def test_work_whose_time_is_up_when_it_is_taken_on_again_closes_what_is_open(text: str):
    async def slow(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Thinks("This takes long.")
        await asyncio.Event().wait()

    async def slow_writer(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says("So far.")
        await asyncio.Event().wait()

    agent = slow_writer if text else slow
    told = [Created(), *(await within(work_on(agent, budget=Budget(1, 0.02))))]
    until = next(i for i, event in enumerate(told) if isinstance(event, PartDelta))
    told = told[: until + 1]
    if text:
        assert isinstance(told[-1], PartDelta)
        told[-1] = replace(told[-1], delta=TextDelta(text))
    late = NOON + timedelta(hours=2)
    again = await within(work_on(agent, told=told, clock=lambda: late))
    whole = [*told, *again]
    assert again[-1] == End(Status.BUDGET_EXCEEDED, None, late)
    assert closing(whole[:-1]) == []
    (step,) = fold(whole).steps
    if isinstance(step, Thought):
        assert step.signature is not None
        assert around().opened([step]) == (Thought(None, ()),)
    else:
        assert step == ModelOutput((Text(text),))


# -- the tools that it has


async def test_an_agent_has_the_tools_of_the_request():
    offered: list[Any] = []

    async def curious(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        offered.append((dict(desk.functions), [function.name for function in desk.offered]))
        yield Done()

    search = ToolForTests(lambda *_: found("It is sunny."))
    agent = AgentForTests(curious, AgentCard("curious", tools=("url_context",)))
    await work_on(agent, asked(tools=(GoogleSearch(),)), search)
    assert offered == [({"google_search": "google_search"}, ["google_search"])]
    assert search.closed == 1


async def test_an_agent_without_tools_in_the_request_has_those_of_its_own_that_the_server_has():
    offered: list[Any] = []

    async def curious(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        offered.append(dict(desk.functions))
        yield Done()

    search = ToolForTests(lambda *_: found("It is sunny."))
    agent = AgentForTests(curious, AgentCard("curious", tools=("google_search", "url_context", "code_execution")))
    await work_on(agent, None, search)
    assert offered == [{"google_search": "google_search"}]


async def test_what_an_agent_is_offered_stays_what_it_was():
    async def curious(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says(", ".join(desk.functions) + str([function.parameters for function in desk.offered]))
        used = await desk.step("use", lambda: used_as_json(desk))
        yield Says(used)
        yield Done()

    async def used_as_json(desk: Desk) -> str:
        used = await desk.use("google_search", {"queries": ["a"]})
        return f" {used.is_error} {used.told}"

    search = ToolForTests(lambda *_: found("It is sunny."))
    agent = AgentForTests(curious, AgentCard("curious", tools=("google_search",)))
    events = await work_on(agent, None, search)
    offered = next(i for i, event in enumerate(events) if isinstance(event, Checkpoint))
    again = await work_on(agent, None, told=[Created(), *events[: offered + 1]])
    text = "".join(
        event.delta.text for event in again if isinstance(event, PartDelta) and isinstance(event.delta, TextDelta)
    )
    assert text.startswith("google_search[{'type': 'object'")
    assert text.endswith("True there is no function 'google_search' here; there are: google_search")


async def test_media_are_told_to_an_agent_in_words():
    seen: list[ModelCard] = []

    async def present(steps: Sequence[Step], card: ModelCard) -> Sequence[Step]:
        seen.append(card)
        return [replace(step, content=(Text("[a picture]"),)) for step in steps]  # type: ignore[call-arg]

    async def reader(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says(task.text)
        yield Done()

    model = ScriptedModel(card=ModelCard("eyes", inputs=frozenset({"text", "image"})))
    events = await work_on(reader, model=model, present=present)
    assert fold(events).steps == (ModelOutput((Text("[a picture]"),)),)
    assert seen[0].inputs == {"text"}


# -- going on


async def busy(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
    """Work of all kinds: steps side by side, thoughts, text in pieces, citations, a picture, a second message."""
    yield Thinks("**Planning**")
    plan = await desk.step("plan", lambda: desk.ask("Plan.", task.text))
    yield Thinks(f"The plan is {plan}")
    first, second = await asyncio.gather(
        *[desk.step(f"search {place}", lambda place=place: search(desk, place)) for place in "ab"]  # type: ignore[misc]
    )
    yield Thinks(f"Found {first} and {second}.")
    for piece in ("The ", "answer", " is ", "42."):
        yield Says(piece)
    yield Cites((CITED,))
    yield Shows(Media("image", "image/png", PNG))
    last = await desk.step("last", lambda: desk.ask("", "And?"))
    yield Says(f"Behind it: {last}")
    yield Thinks("Almost there.")
    yield Says("Done.")
    yield Done()


async def search(desk: Desk, place: str) -> str:
    used = await desk.use("google_search", {"queries": [place]})
    return str(used.told)


class Bench:
    """What `busy` works with, in one life after another."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.search = ToolForTests(self._search)
        self.model = ScriptedModel(answer=self._answer)

    def _search(self, function: str, arguments: Any) -> Any:
        self.done[f"search {arguments['queries'][0]}"] += 1
        return found(f"hit {arguments['queries'][0]}")

    def _answer(self, prompt: Any) -> Any:
        name = "plan" if prompt.system_instruction else "last"
        self.done[name] += 1
        return say(f"to {name}", usage=COST)

    async def work(self, told: Sequence[Event] = ()) -> list[Event]:
        inline = replace(around().delivering, inline_bytes=1000)
        turn = asked(tools=(GoogleSearch(),))
        return await within(work_on(busy, turn, self.search, model=self.model, told=told, delivering=inline))


def finished(told: Sequence[Event]) -> Counter[str]:
    """The steps that are finished in what was told."""
    return Counter(event.data["name"] for event in told if isinstance(event, Checkpoint) and event.kind == "step")  # type: ignore[index]


async def cuts(kept: list[Event]) -> AsyncGenerator[tuple[list[Event], list[Event], Counter[str]], None]:
    """A death behind each of these events: what was told, what comes behind it, and what was done for that."""
    for until in range(len(kept) - 1):
        told = [Created(), *kept[: until + 1]]
        bench = Bench()
        yield told, await bench.work(told), bench.done


@pytest.mark.parametrize("as_kept", [list, joined])
async def test_work_that_was_cut_anywhere_comes_to_what_it_would_have_come_to(as_kept: Any):
    events = await Bench().work()
    whole = fold(events)
    assert len(whole.steps) == 4
    async for told, rest, _ in cuts(as_kept(events)):
        both = fold([*told, *rest])
        assert unsigned(both.steps) == unsigned(whole.steps), f"cut behind {told[-1]}"
        assert (both.status, both.usage) == (whole.status, whole.usage)
        assert not any(isinstance(event, StatusUpdate) for event in rest)


@pytest.mark.parametrize("as_kept", [list, joined])
async def test_work_that_was_cut_anywhere_does_no_finished_step_again(as_kept: Any):
    events = await Bench().work()
    everything = finished(events)
    assert everything == {"plan": 1, "search a": 1, "search b": 1, "last": 1}
    async for told, rest, done in cuts(as_kept(events)):
        assert done == everything - finished(told), f"cut behind {told[-1]}"
        assert finished([*told, *rest]) == everything


async def test_readers_are_shown_the_very_events_that_they_would_have_been_shown():
    events = await Bench().work()

    def comparable(told: Sequence[Event]) -> list[Event]:
        plain = [
            replace(event, delta=SignatureDelta(""))
            if isinstance(event, PartDelta) and isinstance(event.delta, SignatureDelta)
            else event
            for event in shown(told)
        ]
        return joined(plain)

    async for told, rest, _ in cuts(events):
        assert comparable([*told, *rest]) == comparable([Created(), *events])


async def test_a_text_that_was_cut_in_its_middle_goes_on_there():
    events = joined(await Bench().work())
    place = next(
        i for i, e in enumerate(events) if isinstance(e, PartDelta) and e.delta == TextDelta("The answer is 42.")
    )
    for end in range(1, len("The answer is 42.")):
        cut = replace(events[place], delta=TextDelta("The answer is 42."[:end]))  # type: ignore[call-arg]
        told = [Created(), *events[:place], cut]
        rest = await Bench().work(told)
        assert unsigned(fold([*told, *rest]).steps) == unsigned(fold(events).steps)


async def test_a_death_may_come_again_and_again():
    events = await Bench().work()
    told: list[Event] = list(OPENING)
    bench = Bench()
    while not isinstance(told[-1], End):
        told += (await bench.work(told))[:2]
    assert unsigned(fold(told).steps) == unsigned(fold(events).steps)
    assert finished(told) == finished(events)
    assert fold(told).usage == fold(events).usage


async def test_work_that_says_something_else_than_before_fails():
    says = iter(["It is sunny.", "It is raining."])

    async def fickle(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says(next(says))
        yield Done()

    events = await work_on(fickle)
    with pytest.raises(Differs, match=r"'It is raining\.' in place of 'It is sunny\.'"):
        await work_on(fickle, told=[Created(), *events[:5]])


@pytest.mark.parametrize(
    ("now", "why"),
    [([Thinks("One")], "has said less"), ([Thinks("One"), Says("T")], "in place of 'wo'"), ([], "has said less")],
)
async def test_work_that_says_less_than_before_fails(now: list[Said], why: str):
    all_said = iter([[Thinks("One"), Says("Two")], now])

    async def fickle(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        for said in next(all_said):
            yield said
        yield Done()

    events = await work_on(fickle)
    until = next(
        i for i, event in enumerate(events) if isinstance(event, PartDelta) and event.delta == TextDelta("Two")
    )
    with pytest.raises(Differs, match=why):
        await work_on(fickle, told=[Created(), *events[: until + 1]])
