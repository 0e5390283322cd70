"""Turns that call tools of the server: rounds of model, calls and results, and how they end."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from engine.test_run import AROUND
from engine.tooling import ToolForTests, found
from support import open_engine, ticking, turn, within
from turnwise.domain.content import Media, Text
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, ModelFailed, NotFound, Unimplemented
from turnwise.domain.events import Checkpoint, End, PartDelta, StepStart, WholeDelta, fold
from turnwise.domain.interaction import Failure, GenerationConfig, Status, Turn, Usage
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    Thought,
    ToolCall,
    ToolResult,
    UserInput,
)
from turnwise.domain.tools import ComputerUse, FunctionTool, GoogleSearch, McpServer, ToolChoice
from turnwise.engine.fitting import CHARACTERS_A_TOKEN
from turnwise.engine.run import run
from turnwise.engine.surroundings import Limits
from turnwise.engine.thoughts import Sealer
from turnwise.models.model import (
    CallFragment,
    Finished,
    Fragment,
    ModelCard,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)
from turnwise.models.scripted import ScriptedModel, say
from turnwise.tools.tool import Made, Outcome
from turnwise.tools.toolbox import Toolbox

CALLING = ModelCard("calling", tools=True)
SEALER = Sealer(bytes(32))
SEARCH = GoogleSearch()
HIT = [{"url": "http://a.example", "title": "A"}]
LOOK = FunctionTool("look")


def calls(*queries: str, usage: Usage | None = None, name: str = "google_search") -> list[Fragment]:
    """A script that searches for these, in one round."""
    fragments = [
        CallFragment(index, f"c{query}", name, f'{{"queries": ["{query}"]}}') for index, query in enumerate(queries)
    ]
    return [Taken(), *fragments, *([UsageFragment(usage)] if usage else []), Finished("calls")]


def around(*tools: ToolForTests, **fields: Any) -> Any:
    """Surroundings with tools, each under its own type; signatures are real."""
    types = {"google_search": "google_search", "mcp_server_tool": "mcp_server", None: "computer_use"}
    return replace(
        AROUND,
        toolbox=Toolbox({types.get(tool.tool, str(tool.tool)): tool for tool in tools}),
        seal=lambda secret: SEALER.seal(secret, "ann"),
        opened=lambda steps: SEALER.opened(steps, "ann"),
        owner="ann",
        **fields,
    )


async def run_all(model: ScriptedModel, asked: Turn, *tools: ToolForTests, **fields: Any) -> list[Any]:
    return [event async for event in run(asked, asked.input, model, around(*tools, **fields))]


def status_of(events: list[Any]) -> Status:
    assert isinstance(events[-1], End)
    return events[-1].status


# -- rounds


async def test_a_call_is_run_and_the_model_answers_from_what_came_of_it():
    search = ToolForTests(lambda *_: found("Madrid is the capital of Spain."))
    model = ScriptedModel(calls("spain"), say("Madrid."), card=CALLING)
    events = await run_all(model, turn("Where?", tools=(SEARCH,)), search)
    call, result, answer = fold(events).steps
    assert call == ToolCall("google_search", "cspain", {"queries": ["spain"]})
    assert isinstance(result, ToolResult)
    assert (result.call_id, result.result, result.is_error) == ("cspain", HIT, False)
    assert isinstance(answer, ModelOutput)
    assert status_of(events) is Status.COMPLETED
    assert search.calls == [{"queries": ["spain"]}]
    assert search.closed == 1


async def test_the_model_sees_calls_of_tools_as_calls_of_functions_and_reads_more_than_clients_do():
    search = ToolForTests(lambda *_: found("Madrid, 3.3 million"))
    model = ScriptedModel(calls("spain"), say("Madrid."), card=CALLING)
    asked = turn("Where?", tools=(SEARCH, LOOK))
    await run_all(model, asked, search)
    first, second = model.prompts
    assert [tool.name for tool in first.tools] == ["look", "google_search"]
    assert first.served == {"google_search": "google_search"}
    assert tuple(second.steps) == (
        *asked.input,
        FunctionCall("cspain", "google_search", {"queries": ["spain"]}),
        FunctionResult("cspain", "Madrid, 3.3 million", "google_search"),
    )
    assert second.tools == first.tools


async def test_a_turn_may_have_many_rounds():
    search = ToolForTests(lambda _, arguments: found(f"about {arguments['queries'][0]}"))
    model = ScriptedModel(calls("a"), calls("b"), calls("c"), say("Done."), card=CALLING)
    events = await run_all(model, turn(tools=(SEARCH,)), search)
    assert [step.type for step in fold(events).steps] == ["tool_call", "tool_result"] * 3 + ["model_output"]
    assert [type(step).__name__ for step in model.prompts[3].steps[1:]] == ["FunctionCall", "FunctionResult"] * 3


async def test_words_and_thoughts_before_a_call_are_shown_and_remembered():
    script = [Taken(), ThoughtFragment("Hm", "token"), TextFragment("Let me look."), *calls("a")[1:]]
    model = ScriptedModel(script, say("Found."), card=replace(CALLING, thinks=True))
    search = ToolForTests(lambda *_: found("it"))
    events = await run_all(model, turn(tools=(SEARCH,)), search)
    assert [step.type for step in fold(events).steps] == [
        *("thought", "model_output", "tool_call", "tool_result", "model_output")
    ]
    thought, words, call, result = model.prompts[1].steps[1:]
    assert thought == Thought("token", (Text("Hm"),))
    assert words == ModelOutput((Text("Let me look."),))
    assert isinstance(call, FunctionCall)
    assert isinstance(result, FunctionResult)


async def test_each_event_comes_when_it_happens():
    """The call is shown before its result is there."""
    going = asyncio.Event()

    async def slow() -> Outcome:
        await going.wait()
        return found("it")

    model = ScriptedModel(calls("a"), say("Yes."), card=CALLING)
    search = ToolForTests(lambda *_: slow())
    asked = turn(tools=(SEARCH,))
    async with aclosing(run(asked, asked.input, model, around(search))) as events:
        seen = [await within(anext(events)) for _ in range(4)]
        assert isinstance(seen[1], StepStart)
        going.set()
        rest = [event async for event in events if not isinstance(event, Checkpoint)]
    assert isinstance(rest[1], PartDelta)
    assert isinstance(rest[1].delta, WholeDelta)
    assert isinstance(rest[1].delta.step, ToolResult)


async def test_calls_of_one_round_run_side_by_side_and_results_come_as_they_are_there():
    second_is_done = asyncio.Event()

    async def answer(query: str) -> Outcome:
        if query == "a":
            await second_is_done.wait()
        else:
            second_is_done.set()
        return found(query)

    search = ToolForTests(lambda _, arguments: answer(arguments["queries"][0]))
    model = ScriptedModel(calls("a", "b"), say("Yes."), card=CALLING)
    events = await within(run_all(model, turn(tools=(SEARCH,)), search))
    steps = fold(events).steps
    assert [step.call_id for step in steps if isinstance(step, ToolResult)] == ["cb", "ca"]
    assert [step.id for step in steps if isinstance(step, ToolCall)] == ["ca", "cb"]


async def test_what_every_round_cost_is_told_together():
    rounds = [calls("a", usage=Usage({"text": 10}, {"text": 2}, {"text": 4}, thought=1)), say("Yes.")]
    rounds[1].insert(1, UsageFragment(Usage({"text": 30}, {"text": 3})))
    search = ToolForTests(lambda *_: found("it"))
    events = await run_all(ScriptedModel(*rounds, card=CALLING), turn(tools=(SEARCH,)), search)
    assert events[-1].usage == Usage(
        {"text": 10}, {"text": 5}, {"text": 4}, {"text": 30}, thought=1, grounding={"google_search": 1}
    )
    assert events[-1].usage.total_tokens == 46


async def test_a_round_that_tells_no_cost_is_counted_as_none():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a", usage=Usage({"text": 10})), say("Yes."), card=CALLING)
    events = await run_all(model, turn(tools=(SEARCH,)), search)
    assert events[-1].usage.total_tokens == 10


async def test_a_later_round_that_was_cut_is_a_failed_model():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a"), [Taken(), TextFragment("Ye")], card=CALLING)
    with pytest.raises(ModelFailed, match="stopped in the middle"):
        await run_all(model, turn(tools=(SEARCH,)), search)


# -- results that are no success


async def test_a_tool_that_breaks_is_a_result_that_says_so(caplog: pytest.LogCaptureFixture):
    def broken(*_: Any) -> Outcome:
        raise ZeroDivisionError

    model = ScriptedModel(calls("a"), say("It failed."), card=CALLING)
    events = await run_all(model, turn(tools=(SEARCH,)), ToolForTests(broken))
    result = fold(events).steps[1]
    why = "the tool 'google_search' failed inside of the server; its log has the reason"
    assert isinstance(result, ToolResult)
    assert (result.result, result.is_error) == ([{"error": why}], True)
    shown = model.prompts[1].steps[-1]
    assert shown == FunctionResult("ca", why, "google_search", is_error=True)
    assert status_of(events) is Status.COMPLETED
    assert "the tool google_search broke" in caplog.text


async def test_a_tool_that_is_cancelled_from_within_is_a_result_too():
    def cancelled(*_: Any) -> Outcome:
        raise asyncio.CancelledError

    model = ScriptedModel(calls("a"), say("It failed."), card=CALLING)
    events = await within(run_all(model, turn(tools=(SEARCH,)), ToolForTests(cancelled)))
    result = fold(events).steps[1]
    assert isinstance(result, ToolResult)
    assert result.is_error
    assert status_of(events) is Status.COMPLETED


async def test_an_error_that_has_words_is_told_in_them():
    def refused(*_: Any) -> Outcome:
        raise NotFound("there is no such page")

    model = ScriptedModel(calls("a"), say("No."), card=CALLING)
    await run_all(model, turn(tools=(SEARCH,)), ToolForTests(refused))
    assert model.prompts[1].steps[-1] == FunctionResult("ca", "there is no such page", "google_search", is_error=True)


async def test_a_picture_that_cannot_be_shown_is_told_of():
    async def present(steps: Any, card: ModelCard) -> Any:
        if any(isinstance(step, FunctionResult) and isinstance(step.result, list) for step in steps):
            raise InvalidRequest("it is no picture")
        return steps

    told = [{"type": "text", "text": "A plot"}, {"type": "image", "data": "aGk="}]
    model = ScriptedModel(calls("a"), say("No."), card=CALLING)
    shown: list[Any] = []

    async def present_and_look(steps: Any, card: ModelCard) -> Any:
        if steps and isinstance(steps[-1], FunctionResult) and len(steps) > 1:
            shown.append(steps[-1].result)
            return steps
        return await present(steps, card)

    search = ToolForTests(lambda *_: Outcome(HIT, told))
    await run_all(model, turn(tools=(SEARCH,)), search, present=present_and_look)
    assert shown == [[{"type": "text", "text": "A plot"}, {"type": "text", "text": "[not shown: it is no picture]"}]]


async def test_a_result_that_is_longer_than_the_model_can_read_is_fitted_to_the_question():
    lines = "\n\n".join(f"Line {number} speaks of nothing." for number in range(2000))
    told = f"{lines}\n\nThe owl lives in Zurich.\n\n{lines}"
    model = ScriptedModel(calls("a"), say("Zurich."), card=replace(CALLING, context_tokens=1000))
    await run_all(model, turn("Where does the owl live?", tools=(SEARCH,)), ToolForTests(lambda *_: found(told)))
    (shown,) = [step.result for step in model.prompts[1].steps if isinstance(step, FunctionResult)]
    assert "The owl lives in Zurich." in shown
    assert len(shown) < 2500


async def test_text_beside_a_picture_is_fitted_too():
    lines = "\n\n".join(f"Line {number} speaks of nothing." for number in range(2000))
    told = [{"type": "text", "text": f"{lines}\n\nThe owl lives in Zurich."}, {"type": "image", "data": "aGk="}]
    model = ScriptedModel(calls("a"), say("Zurich."), card=replace(CALLING, context_tokens=1000))
    search = ToolForTests(lambda *_: Outcome(HIT, told))
    await run_all(model, turn("Where does the owl live?", tools=(SEARCH,)), search)
    (shown,) = [step.result for step in model.prompts[1].steps if isinstance(step, FunctionResult)]
    text, picture = shown
    assert "The owl lives in Zurich." in text["text"]
    assert len(text["text"]) < 2500
    assert picture == told[1]


async def test_results_of_all_rounds_together_leave_room_for_an_answer():
    lines = "\n\n".join(f"Line {number} speaks of nothing." for number in range(2000))
    rounds = [calls(str(number)) for number in range(8)]
    model = ScriptedModel(*rounds, say("Zurich."), card=replace(CALLING, context_tokens=4000))
    await run_all(model, turn("Where does the owl live?", tools=(SEARCH,)), ToolForTests(lambda *_: found(lines)))
    read = [step.result for step in model.prompts[-1].steps if isinstance(step, FunctionResult)]
    assert len(read) == 8
    assert len(read[0]) > 5000
    assert sum(map(len, read)) / CHARACTERS_A_TOKEN < 3600


# -- the client's functions


async def test_a_function_of_the_clients_ends_the_turn_behind_the_results_beside_it():
    script = [Taken(), CallFragment(0, "c1", "look"), *calls("a")[1:]]
    script[2] = replace(script[2], index=1)
    search = ToolForTests(lambda *_: found("it"))
    events = await run_all(ScriptedModel(script, card=CALLING), turn(tools=(SEARCH, LOOK)), search)
    assert [step.type for step in fold(events).steps] == ["function_call", "tool_call", "tool_result"]
    assert status_of(events) is Status.REQUIRES_ACTION


async def test_functions_of_a_tool_that_the_client_runs_are_function_calls():
    click = ToolForTests(lambda *_: found("never"), tool=None, functions=[FunctionTool("click_at")])
    model = ScriptedModel([Taken(), CallFragment(0, "c1", "click_at"), Finished("calls")], card=CALLING)
    events = await run_all(model, turn(tools=(ComputerUse(),)), click)
    assert fold(events).steps == (FunctionCall("c1", "click_at"),)
    assert status_of(events) is Status.REQUIRES_ACTION
    assert click.calls == []


# -- choice


@pytest.mark.parametrize(
    ("choice", "offered"),
    [
        (ToolChoice(), ["look", "google_search"]),
        (ToolChoice("auto", ("google_search",)), ["google_search"]),
        (ToolChoice("auto", ("look",)), ["look"]),
        (ToolChoice("none"), []),
    ],
)
async def test_a_tool_that_may_not_be_called_is_not_opened(choice: ToolChoice, offered: list[str]):
    model = ScriptedModel(say("Hi"), card=CALLING)
    search = ToolForTests(lambda *_: found("it"))
    await run_all(model, turn(tools=(LOOK, SEARCH), tool_choice=choice), search)
    assert [tool.name for tool in model.prompts[0].tools] == offered
    assert len(search.occasions) == ("google_search" in offered)


async def test_a_call_that_is_demanded_is_demanded_once():
    model = ScriptedModel(calls("a"), say("Yes."), card=CALLING)
    search = ToolForTests(lambda *_: found("it"))
    await run_all(model, turn(tools=(SEARCH,), tool_choice=ToolChoice("any")), search)
    assert [prompt.tool_choice.mode for prompt in model.prompts] == ["any", "auto"]


async def test_a_tool_that_must_be_used_demands_a_call():
    model = ScriptedModel(calls("a"), say("Yes."), card=CALLING)
    search = ToolForTests(lambda *_: found("it"), is_demanded=True)
    await run_all(model, turn(tools=(SEARCH,)), search)
    assert model.prompts[0].tool_choice.mode == "any"


async def test_a_tool_that_this_server_does_not_have_is_refused_by_its_place():
    with pytest.raises(Unimplemented, match=r"^tools\[1\]\.type: turnwise does not have the tool 'google_search' yet"):
        await run_all(ScriptedModel(), turn(tools=(LOOK, SEARCH)))


# -- names


def server(name: str, *functions: str) -> tuple[McpServer, ToolForTests]:
    """A server with these tools, each of which says who answers."""

    def answer(function: str, arguments: Mapping[str, Any]) -> Outcome:
        return Outcome(f"{name}: {function}", f"{name}: {function}")

    tools = [FunctionTool(function) for function in functions]
    tool = ToolForTests(answer, "mcp_server_tool", tools, details={"server_name": name})
    return McpServer(name, "http://a.example"), tool


async def test_tools_of_one_name_are_told_apart():
    one, first = server("one", "get", "a/b c")
    two, second = server("two", "get", "get")

    class Both:
        def open(self, declared: McpServer, occasion: Any) -> Any:
            return (first if declared is one else second).open(declared, occasion)

    names = ["get", "a_b_c", "two_get", "two_get_2"]
    script = [Taken(), *(CallFragment(i, f"c{i}", name) for i, name in enumerate(names)), Finished("calls")]
    model = ScriptedModel(script, say("Yes."), card=CALLING)
    asked = turn(tools=(FunctionTool("wait"), one, two))
    surroundings = replace(around(), toolbox=Toolbox({"mcp_server": Both()}))
    steps = fold([event async for event in run(asked, asked.input, model, surroundings)]).steps
    assert [tool.name for tool in model.prompts[0].tools] == ["wait", *names]
    assert [step.details for step in steps if isinstance(step, ToolCall)] == [
        {"name": "get", "server_name": "one"},
        {"name": "a/b c", "server_name": "one"},
        {"name": "get", "server_name": "two"},
        {"name": "get", "server_name": "two"},
    ]
    results = {step.call_id: step.result for step in steps if isinstance(step, ToolResult)}
    assert results == {"c0": "one: get", "c1": "one: a/b c", "c2": "two: get", "c3": "two: get"}
    shown = [step.name for step in model.prompts[1].steps if isinstance(step, FunctionCall)]
    assert shown == names


async def test_the_clients_own_function_keeps_its_name():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a", name="google_search_2"), say("Yes."), card=CALLING)
    await run_all(model, turn(tools=(SEARCH, FunctionTool("google_search"))), search)
    assert [tool.name for tool in model.prompts[0].tools] == ["google_search", "google_search_2"]
    assert search.calls == [{"queries": ["a"]}]


async def test_an_action_of_the_clients_computer_is_called_by_its_own_name_or_not_at_all():
    click = ToolForTests(lambda *_: found("never"), tool=None, functions=[FunctionTool("click_at")])
    with pytest.raises(InvalidRequest, match=r"^tools: 'click_at' is an action of a tool too"):
        await run_all(ScriptedModel(), turn(tools=(FunctionTool("click_at"), ComputerUse())), click)


async def test_a_tool_of_a_server_makes_way_for_an_action_of_the_clients_computer():
    click = ToolForTests(lambda *_: found("never"), tool=None, functions=[FunctionTool("click_at")])
    declared, tool = server("mouse", "click_at")
    model = ScriptedModel(say("Hi"), card=CALLING)
    await run_all(model, turn(tools=(declared, ComputerUse())), tool, click)
    assert [tool.name for tool in model.prompts[0].tools] == ["mouse_click_at", "click_at"]


async def test_a_schema_that_cannot_be_checked_is_left_to_the_tool():
    broken = FunctionTool("get", parameters={"type": "object", "properties": {"x": {"type": "colour"}}})
    tool = ToolForTests(lambda *_: Outcome("yes", "yes"), "mcp_server_tool", [broken], details={"server_name": "s"})
    model = ScriptedModel(say("Hi"), card=CALLING)
    await run_all(model, turn(tools=(McpServer("s", "http://a"),)), tool)
    assert model.prompts[0].tools[0].parameters == {"type": "object"}


# -- limits


async def test_rounds_are_bounded_and_the_model_is_asked_to_answer_with_what_it_has():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a"), calls("b"), calls("c"), say("Enough."), card=CALLING)
    events = await run_all(model, turn(tools=(SEARCH,)), search, limits=Limits(rounds=2))
    result = fold(events).steps[-2]
    assert isinstance(result, ToolResult)
    why = "not run: this turn has had its 2 rounds of calls. Answer now, with what you have"
    assert (result.result, result.is_error) == ([{"error": why}], True)
    assert len(search.calls) == 2
    assert status_of(events) is Status.COMPLETED


async def test_a_model_that_goes_on_calling_behind_the_limit_ends_incomplete():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a"), calls("b"), calls("c"), card=CALLING)
    events = await run_all(model, turn(tools=(SEARCH,)), search, limits=Limits(rounds=1))
    assert [step.type for step in fold(events).steps] == ["tool_call", "tool_result"] * 3
    assert len(search.calls) == 1
    assert status_of(events) is Status.INCOMPLETE


async def test_time_is_bounded():
    model = ScriptedModel(calls("a"), say("Enough."), card=CALLING)
    search = ToolForTests(lambda *_: found("it"))
    events = await run_all(model, turn(tools=(SEARCH,)), search, limits=Limits(seconds=0.5), clock=ticking())
    assert search.calls == []
    assert "0.5 seconds" in str(fold(events).steps[1])


async def test_tokens_are_bounded():
    model = ScriptedModel(calls("a", usage=Usage({"text": 100})), say("Enough."), card=CALLING)
    search = ToolForTests(lambda *_: found("it"))
    events = await run_all(model, turn(tools=(SEARCH,)), search, limits=Limits(tokens=99))
    assert search.calls == []
    assert "99 tokens" in str(fold(events).steps[1])


async def test_the_limit_of_an_answer_holds_for_all_rounds_together():
    model = ScriptedModel(calls("a", usage=Usage(output={"text": 30}, thought=5)), say("Yes."), card=CALLING)
    search = ToolForTests(lambda *_: found("it"))
    await run_all(model, turn(tools=(SEARCH,), generation=GenerationConfig(max_output_tokens=50)), search)
    assert [prompt.generation.max_output_tokens for prompt in model.prompts] == [50, 15]


async def test_an_answer_that_has_had_its_tokens_is_incomplete():
    model = ScriptedModel(calls("a", usage=Usage(output={"text": 50})), card=CALLING)
    search = ToolForTests(lambda *_: found("it"))
    asked = turn(tools=(SEARCH,), generation=GenerationConfig(max_output_tokens=50))
    assert status_of(await run_all(model, asked, search)) is Status.INCOMPLETE


# -- leaving


async def test_leaving_a_turn_ends_its_calls_and_closes_its_tools():
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang() -> Outcome:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    search = ToolForTests(lambda *_: hang())
    asked = turn(tools=(SEARCH,))
    events = run(asked, asked.input, ScriptedModel(calls("a"), card=CALLING), around(search))
    async with aclosing(events):
        for _ in range(5):
            await within(anext(events))
        waiting = asyncio.create_task(anext(events))
        await within(started.wait())
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert ended.is_set()
    assert search.closed == 1


# -- what tools make


async def test_what_a_tool_makes_stands_behind_its_result():
    made = [Made(b"png", "image/png", "plot.png"), Made(b"a,b", "text/csv", "table.csv")]
    tool = ToolForTests(lambda *_: replace(found("it"), made=made))
    model = ScriptedModel(calls("a"), say("See."), card=CALLING)
    steps = fold(await run_all(model, turn(tools=(SEARCH,)), tool)).steps
    plot = Media("image", "image/png", "cG5n", options={"name": "plot.png"})
    table = Media("document", "text/csv", uri="files/a,b", options={"name": "table.csv"})
    assert [step.type for step in steps] == ["tool_call", "tool_result", "model_output", "model_output"]
    assert steps[2] == ModelOutput((plot, table))
    assert [step.type for step in model.prompts[1].steps[1:]] == ["function_call", "function_result"]


# -- citations


async def test_an_answer_is_cited_as_what_it_rests_on():
    search = ToolForTests(lambda *_: found("The Zürich owl sleeps in the old bell tower. It eats mice."))
    model = ScriptedModel(calls("owl"), say("Ü! The owl sleeps in the ", "bell tower. I like it."), card=CALLING)
    events = await run_all(model, turn(tools=(SEARCH,)), search)
    answer = fold(events).steps[-1]
    assert isinstance(answer, ModelOutput)
    (text,) = answer.content
    assert isinstance(text, Text)
    (annotation,) = text.annotations
    assert annotation == {
        "type": "url_citation",
        "url": "http://a.example",
        "source": "http://a.example",
        "title": "A",
        "start_index": 4,
        "end_index": 37,
    }
    assert text.text.encode()[4:37].decode() == "The owl sleeps in the bell tower."


# -- with the rest of the engine


async def test_a_later_turn_shows_the_model_what_it_read():
    search = ToolForTests(lambda *_: found("What only the model reads"), hides_arguments=True)
    model = ScriptedModel(calls("a"), say("Yes."), say("Again."), card=CALLING)
    async with open_engine(model=model, tools={"google_search": search}) as engine:
        first = await engine.interactions.create(turn(tools=(SEARCH,)), "ann", "steps")
        assert isinstance(first.steps[0], ToolCall)
        assert first.steps[0].arguments == {}
        await engine.interactions.create(turn("And?", previous_interaction_id=first.id), "ann", "steps")
        _, second, third = model.prompts
        assert tuple(third.steps[: len(second.steps)]) == tuple(second.steps)
        assert third.steps[1] == FunctionCall("ca", "google_search", {"queries": ["a"]})


async def test_a_client_that_keeps_the_history_itself_sends_back_what_the_model_read():
    search = ToolForTests(lambda *_: found("What only the model reads"))
    model = ScriptedModel(calls("a"), say("Yes."), say("Again."), card=CALLING)
    async with open_engine(model=model, tools={"google_search": search}) as engine:
        asked = turn(tools=(SEARCH,), store=False)
        first = await engine.interactions.create(asked, "ann", "steps")
        history = (*asked.input, *first.steps, UserInput((Text("And?"),)))
        await engine.interactions.create(replace(turn(store=False), input=history), "ann", "steps")
        assert tuple(model.prompts[2].steps[: len(model.prompts[1].steps)]) == tuple(model.prompts[1].steps)


async def test_a_later_turn_shows_the_model_the_names_by_which_it_called():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a", name="google_search_2"), say("Yes."), say("Again."), card=CALLING)
    async with open_engine(model=model, tools={"google_search": search}) as engine:
        asked = turn(tools=(SEARCH, FunctionTool("google_search")), store=False)
        first = await engine.interactions.create(asked, "ann", "steps")
        history = (*asked.input, *first.steps, UserInput((Text("And?"),)))
        await engine.interactions.create(replace(turn(store=False), input=history), "ann", "steps")
        _, second, third = model.prompts
        assert tuple(third.steps[: len(second.steps)]) == tuple(second.steps)
        assert third.steps[1] == FunctionCall("ca", "google_search_2", {"queries": ["a"]})


async def test_a_result_of_an_mcp_server_need_not_repeat_the_name_of_its_tool():
    call = ToolCall("mcp_server_tool", "c1", {"x": 1}, {"name": "get", "server_name": "one"})
    history = (*turn().input, call, ToolResult("mcp_server_tool", "c1", "it"), UserInput((Text("And?"),)))
    async with open_engine(model=(model := ScriptedModel(say("Yes."), card=CALLING))) as engine:
        await engine.interactions.create(replace(turn(), input=history), "ann", "steps")
        assert model.prompts[0].steps[2] == FunctionResult("c1", "it", "get")


async def test_a_result_that_was_changed_is_refused():
    search = ToolForTests(lambda *_: found("What only the model reads"))
    async with open_engine(
        model=ScriptedModel(calls("a"), say("Yes."), card=CALLING), tools={"google_search": search}
    ) as engine:
        asked = turn(tools=(SEARCH,), store=False)
        first = await engine.interactions.create(asked, "ann", "steps")
        call, result, *_ = first.steps
        forged = replace(call, id="other"), replace(result, call_id="other")
        with pytest.raises(InvalidRequest, match=r"the signature .* of the call 'other' was not made by this server"):
            await engine.interactions.create(replace(asked, input=(*asked.input, *forged)), "ann", "steps")


async def test_a_call_without_its_result_is_refused():
    async with open_engine() as engine:
        lone = replace(turn(), input=(*turn().input, ToolCall("google_search", "c1", {"queries": ["x"]})))
        with pytest.raises(FailedPrecondition, match=r"'c1' \(google_search\)"):
            await engine.interactions.create(lone, "ann", "steps")


async def test_a_turn_that_failed_in_its_second_round_keeps_what_was_told():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a"), [NotFound("gone")], card=CALLING)
    async with open_engine(model=model, tools={"google_search": search}) as engine:
        recording = await engine.interactions.begin(turn(tools=(SEARCH,), stream=True), "ann", "steps")
        async for _ in engine.interactions.follow(recording):
            pass
        kept = await engine.interactions.get(recording.interaction.id, "ann")
        assert kept.status is Status.FAILED
        assert [step.type for step in kept.steps] == ["tool_call", "tool_result"]


async def test_a_plain_call_that_failed_behind_a_tool_is_kept_since_it_would_be_repeated():
    search = ToolForTests(lambda *_: found("it"))
    model = ScriptedModel(calls("a"), [NotFound("gone")], card=CALLING)
    async with open_engine(model=model, tools={"google_search": search}) as engine:
        made = await engine.interactions.create(turn(tools=(SEARCH,)), "ann", "steps")
        kept = await engine.interactions.get(made.id, "ann")
        assert (made.status, made.failure) == (Status.FAILED, Failure("not_found", "gone"))
        assert [step.type for step in kept.steps] == ["tool_call", "tool_result"]


async def test_a_plain_call_that_failed_before_any_tool_ran_is_an_ordinary_error():
    search = ToolForTests(lambda *_: found("never"))
    async with open_engine(model=ScriptedModel([NotFound("gone")], card=CALLING), tools={"google_search": search}) as e:
        with pytest.raises(NotFound):
            await e.interactions.create(turn(tools=(SEARCH,)), "ann", "steps")
