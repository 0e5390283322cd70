"""The desk of an agent: what its steps give, what asking and using come to, and what is kept of them."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from engine.behind import spoken
from engine.tooling import ToolForTests, found
from engine.working import asked, work_on
from models.upstream import serve
from support import NOON, within
from turnwise.agents.agent import Desk, Done, Said, Says, Spent, Task
from turnwise.domain.errors import ContentBlocked, ModelFailed, NotComplied
from turnwise.domain.events import Checkpoint, Created, End, Event, fold
from turnwise.domain.interaction import Usage
from turnwise.domain.tools import GoogleSearch
from turnwise.engine.desk import read_usage, write_usage
from turnwise.models.model import Finished, ModelCard, Taken, TextFragment
from turnwise.models.openai import OpenAIModel
from turnwise.models.scripted import ScriptedModel, say
from turnwise.tools.tool import Outcome

COST = Usage({"text": 3}, {"text": 2})
SEARCHING = asked(tools=(GoogleSearch(),))


def one_step(work: Any) -> Any:
    """An agent with one step, which says what that gives."""

    async def do(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says(str(await desk.step("only", lambda: work(desk))))
        yield Done()

    return do


def said(events: list[Event]) -> str:
    """All that the agent said."""
    return "".join(getattr(event.delta, "text", "") for event in events if hasattr(event, "delta"))


def steps_of(events: list[Event]) -> dict[str, Mapping[str, Any]]:
    """What is kept of each step."""
    return {
        event.data["name"]: event.data  # type: ignore[index, misc]
        for event in events
        if isinstance(event, Checkpoint) and event.kind == "step"
    }


# -- steps


async def test_a_step_is_kept_with_what_it_gave_and_what_it_cost():
    model = ScriptedModel(say("Yes", usage=COST))
    events = await work_on(one_step(lambda desk: desk.ask("", "?")), model=model)
    kept = steps_of(events)["only"]
    assert kept["result"] == "Yes"
    assert read_usage(kept["usage"]) == COST
    place = [isinstance(event, Checkpoint) for event in events]
    assert place[:4] == [False, True, True, False]  # in progress, what is offered, the step, and then what follows


async def test_a_step_gives_the_first_time_what_it_will_give_later():
    async def tuples(desk: Desk) -> Any:
        return {"pair": (1, 2), "none": None}

    events = await work_on(one_step(tuples))
    assert said(events) == "{'pair': [1, 2], 'none': None}"


async def test_what_is_not_json_cannot_come_of_a_step():
    async def sets(desk: Desk) -> Any:
        return {1, 2}

    with pytest.raises(TypeError, match="what the step 'only' gives is not JSON"):
        await work_on(one_step(sets))


async def test_a_name_is_used_for_one_step_only():
    async def twice(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        async def nothing() -> None:
            pass

        await desk.step("look", nothing)
        await desk.step("look", nothing)
        yield Done()

    with pytest.raises(ValueError, match="there are two steps called 'look'"):
        await work_on(twice)


async def test_what_a_step_raises_is_raised_and_only_its_cost_is_remembered():
    async def careful(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        try:
            await desk.step("first", lambda: failing(desk))
        except LookupError as error:
            yield Says(str(error))
        yield Says(await desk.step("second", lambda: desk.ask("", "?")))
        yield Done()

    async def failing(desk: Desk) -> str:
        raise LookupError(await desk.ask("", "?"))

    model = ScriptedModel(answer=lambda _: say("Yes", usage=COST))
    events = await work_on(careful, model=model)
    assert said(events) == "YesYes"
    assert list(steps_of(events)) == ["second"]
    assert fold(events).usage == Usage({"text": 6}, {"text": 4})
    told = [Created(), *events[:-1]]
    again = await work_on(careful, model=model, told=told)
    assert fold([*told, *again]).usage == Usage({"text": 12 - 3}, {"text": 8 - 2})


async def test_steps_may_run_side_by_side():
    both = asyncio.Barrier(2)

    async def meets(name: str) -> str:
        await both.wait()
        return name

    async def pair(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        names = await asyncio.gather(desk.step("a", lambda: meets("a")), desk.step("b", lambda: meets("b")))
        yield Says("".join(names))
        yield Done()

    assert said(await within(work_on(pair))) == "ab"


async def test_an_agent_sees_the_same_costs_when_it_begins_again():
    seen: list[Spent] = []

    async def watching(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        for number in range(3):
            seen.append(desk.spent)
            await desk.step(f"{number}", lambda: desk.ask("", "?"))
        seen.append(desk.spent)
        yield Says("Done")
        yield Done()

    model = ScriptedModel(answer=lambda _: say("Yes", usage=COST))
    events = await work_on(watching, model=model)
    assert [spent.tokens for spent in seen] == [0, 5, 10, 15]
    before = list(seen)
    seen.clear()
    await work_on(watching, model=model, told=[Created(), *events[:-1]])
    assert seen == before


# -- asking


async def test_asking_and_using_are_done_within_steps():
    async def hasty(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        yield Says(await desk.ask("", "?"))
        yield Done()

    with pytest.raises(RuntimeError, match="an agent may ask within a step only"):
        await work_on(hasty)


async def test_a_model_of_an_upstream_is_asked_for_what_is_valid():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    ask = one_step(lambda desk: desk.ask("Count.", "How many?", schema=schema, max_tokens=50))
    async with serve(spoken("{}"), spoken('{"n": 3}')) as upstream:
        model = OpenAIModel(ModelCard("qwen"), upstream.url, "qwen")
        events = await within(work_on(ask, model=model))  # type: ignore[arg-type]
        await model.close()
    assert said(events) == '{"n":3}' or said(events) == '{"n": 3}'
    first = upstream.requests[0].body
    assert first["messages"][-1]["content"].startswith("How many?")
    assert first["max_tokens"] == 50
    last = events[-1]
    assert isinstance(last, End)
    assert last.usage is not None
    assert last.usage.total_tokens > 0


async def test_a_model_that_never_keeps_to_the_schema_has_not_answered():
    schema = {"type": "object", "required": ["n"]}
    model = ScriptedModel(answer=lambda _: say("{}"))
    with pytest.raises(NotComplied):
        await work_on(one_step(lambda desk: desk.ask("", "?", schema=schema)), model=model)


@pytest.mark.parametrize(
    ("script", "error", "why"),
    [
        ([Taken(), TextFragment("No"), Finished("refusal")], ContentBlocked, "refused to answer"),
        ([Taken(), TextFragment("N")], ModelFailed, "stopped in the middle"),
    ],
)
async def test_a_model_that_does_not_answer_is_an_error(script: Any, error: type[Exception], why: str):
    with pytest.raises(error, match=why):
        await work_on(one_step(lambda desk: desk.ask("", "?")), model=ScriptedModel(script))


# -- using


async def test_what_comes_of_a_tool_is_what_a_model_would_read_and_what_clients_would_see():
    async def use(desk: Desk) -> Any:
        used = await desk.use("google_search", {"queries": ["sun"]})
        return [used.told, used.result, used.is_error, used.sources]

    search = ToolForTests(lambda *_: found("It is sunny."))
    events = await work_on(one_step(use), SEARCHING, search)
    hit = {"url": "http://a.example", "title": "A"}
    assert steps_of(events)["only"]["result"] == [
        "It is sunny.",
        [hit],
        False,
        [["It is sunny.", {"type": "url_citation", **hit}]],
    ]
    assert fold(events).usage == Usage(grounding={"google_search": 1})


async def boom(function: str, arguments: Any) -> Outcome:
    raise OSError("no route")


@pytest.mark.parametrize(
    ("function", "arguments", "why"),
    [
        ("google_search", {"queries": ["a"]}, "the tool 'google_search' failed inside of the server"),
        ("google_search", {"queries": "a"}, "'google_search' cannot be called like this: 'a' is not of type 'array'"),
        ("fly", {}, "there is no function 'fly' here; there are: google_search"),
    ],
)
async def test_what_goes_wrong_in_a_tool_is_no_error_of_the_agent(function: str, arguments: Any, why: str):
    async def use(desk: Desk) -> Any:
        used = await desk.use(function, arguments)
        return [used.is_error, used.told]

    events = await work_on(one_step(use), SEARCHING, ToolForTests(boom))
    is_error, told = steps_of(events)["only"]["result"]
    assert is_error
    assert why in told


async def test_what_was_called_and_told_is_known_to_tools_after_a_death_too():
    page = ToolForTests(lambda *_: found("Long words about it. See http://b.example/page. More (c.example/x) words."))

    async def reader(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        for number in range(2):
            await desk.step(f"{number}", lambda: use(desk))
        yield Done()

    async def use(desk: Desk) -> None:
        await desk.use("google_search", {"queries": ["http://made.example"]})

    events = await work_on(reader, SEARCHING, page)
    until = next(i for i, event in enumerate(events) if isinstance(event, Checkpoint) and event.kind == "step")
    await work_on(reader, SEARCHING, page, told=[Created(), *events[: until + 1]])
    lived, went_on = page.occasions
    call, result = went_on.happened[0], went_on.happened[1]
    assert call.arguments == {"queries": ["http://made.example"]}  # type: ignore[union-attr]
    assert result.name == "google_search"  # type: ignore[union-attr]
    assert result.result == "http://b.example/page. (c.example/x)"  # type: ignore[union-attr]
    assert len(lived.happened) == len(went_on.happened) == 4


async def test_a_call_that_is_made_again_after_a_death_has_the_same_key():
    page = ToolForTests(lambda *_: found("It is sunny."))

    async def searcher(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        for name in "ab":
            await desk.step(name, lambda: both(desk))
        yield Done()

    async def both(desk: Desk) -> None:
        for query in ("sun", "sun", "moon"):
            await desk.use("google_search", {"queries": [query]})

    await work_on(searcher, SEARCHING, page)
    assert len(set(page.keys)) == len(page.keys) == 6
    before = list(page.keys)
    page.keys.clear()
    await work_on(searcher, SEARCHING, page)
    assert page.keys == before
    page.keys.clear()
    await work_on(searcher, SEARCHING, page, began=NOON + timedelta(seconds=1))
    assert not set(page.keys) & set(before)


async def test_usage_is_kept_whole():
    usage = Usage({"text": 1}, {"text": 2, "image": 3}, {"text": 4}, {"text": 5}, 6, {"google_search": 7})
    assert read_usage(write_usage(usage)) == usage
