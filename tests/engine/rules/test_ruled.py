"""Turns with the server's tools on a model that knows none: which rounds there are, and that they end."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.rules.told import BOWL, EURO, PORTAL, UNREACHED, UNREAD
from turnwise.domain.content import Text
from turnwise.domain.errors import NotComplied
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, ServerTool, Step, UserInput
from turnwise.domain.tools import FunctionTool, Schema, ToolChoice
from turnwise.engine.rules.ruled import RuledCalls
from turnwise.models.model import CallFragment, Finished, Model, Prompt, Taken, TextFragment, prompt_text
from turnwise.models.scripted import ScriptedModel, say

TEXTS = {"type": "array", "items": {"type": "string"}}
TEXT = {"type": "string"}
FUNCTIONS: Mapping[ServerTool, tuple[str, Schema]] = {
    "google_search": ("queries", TEXTS),
    "url_context": ("urls", TEXTS),
    "code_execution": ("code", TEXT),
    "file_search": ("query", TEXT),
}
ROUNDS = 8


def offered(*tools: ServerTool) -> list[FunctionTool]:
    return [
        FunctionTool(tool, "", {"type": "object", "properties": {name: schema}, "required": [name]})
        for tool, (name, schema) in FUNCTIONS.items()
        if tool in tools
    ]


class Turn:
    """A turn that runs to its end: what was called, and what was said."""

    def __init__(self, model: Model) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.text = ""
        self.steps: Sequence[Step] = ()
        self._model = RuledCalls(model, model)

    async def run(self, prompt: Prompt, answer: Callable[[str, Any], tuple[str, bool]]) -> "Turn":
        for round in range(ROUNDS):
            fragments = [fragment async for fragment in self._model.stream(prompt)]
            assert isinstance(fragments[0], Taken)
            assert isinstance(fragments[-1], Finished)
            assert sum(isinstance(fragment, Taken | Finished) for fragment in fragments) == 2
            made = [fragment for fragment in fragments if isinstance(fragment, CallFragment)]
            self.text = "".join(fragment.text for fragment in fragments if isinstance(fragment, TextFragment))
            self.steps = prompt.steps
            if not made:
                assert fragments[-1] == Finished("stop")
                return self
            assert fragments[-1] == Finished("calls")
            for call in made:
                assert call.name is not None
                arguments = json.loads(call.arguments)
                assert (call.name, arguments) not in self.calls, "the same is called twice"
                self.calls.append((call.name, arguments))
                told, is_error = answer(call.name, arguments)
                id = f"call_{round}_{call.index}"
                steps = (FunctionCall(id, call.name, arguments), FunctionResult(id, told, call.name, is_error))
                prompt = replace(prompt, steps=(*prompt.steps, *steps))
            prompt = replace(prompt, tool_choice=ToolChoice())
        raise AssertionError("the turn does not end")


def prompt(request: str, *tools: ServerTool, before: Sequence[Step] = (), **fields: Any) -> Prompt:
    steps = (*before, UserInput((Text(request),)))
    return Prompt(steps, tools=offered(*tools), served={tool: tool for tool in tools}, **fields)


async def run(
    request: str,
    *tools: ServerTool,
    told: str = "",
    is_error: bool = False,
    model: ScriptedModel | None = None,
    **fields: Any,
) -> Turn:
    """A turn in which every tool tells the same."""
    turn = Turn(model or ScriptedModel(answer=lambda _: say("I speak.")))
    return await turn.run(prompt(request, *tools, **fields), lambda *_: (told, is_error))


def writing(*programs: str) -> ScriptedModel:
    """A model that writes these programs, and the last one again and again; as it is asked to."""
    left = list(programs)

    def answer(asked: Prompt) -> Any:
        program = left.pop(0) if len(left) > 1 else left[0]
        return say(json.dumps(program.split("\n")) if asked.schema else f"```python\n{program}\n```")

    return ScriptedModel(answer=answer)


async def test_a_question_is_searched_for_and_answered_from_what_was_found() -> None:
    turn = await run("Who won the last euro?", "google_search", "code_execution", told=EURO)
    assert turn.calls == [("google_search", {"queries": ["Who won the last euro"]})]
    assert turn.text == "Spain won the match 2–1 against England to claim their record fourth title."


async def test_a_search_that_failed_is_not_repeated_but_told() -> None:
    turn = await run("Who won the last euro?", "google_search", told=UNREACHED, is_error=True)
    assert len(turn.calls) == 1
    assert "could not be reached" in turn.text


async def test_a_page_is_read_and_summed_up() -> None:
    turn = await run("Summarize the content of https://www.wikipedia.org/", "url_context", "google_search", told=PORTAL)
    assert turn.calls == [("url_context", {"urls": ["https://www.wikipedia.org/"]})]
    assert "Wikimedia Foundation" in turn.text


async def test_a_page_that_cannot_be_read_is_told_to_be_so() -> None:
    turn = await run("Summarize https://www.wikipedia.org/", "url_context", told=UNREAD, is_error=True)
    assert len(turn.calls) == 1
    assert "there is no server of that name" in turn.text


async def test_the_model_writes_the_program_and_its_run_is_the_answer() -> None:
    model = writing("print(7 ** 2)")
    turn = await run("What is 7 to the power of 2?", "code_execution", told="50", model=model)
    assert turn.calls == [("code_execution", {"code": "print(7 ** 2)"})]
    assert turn.text == "7 to the power of 2 is 50."  # the run's, even if it were wrong


async def test_a_program_with_faults_is_written_again_before_it_is_run() -> None:
    model = writing("print(8 ** 2", "print(49)", "print(7 ** 2)")
    turn = await run("What is 7 to the power of 2?", "code_execution", told="49", model=model)
    assert turn.calls == [("code_execution", {"code": "print(7 ** 2)"})]
    assert len(model.prompts) == 3


async def test_a_program_that_fails_is_written_again_with_its_error_shown() -> None:
    model = writing("print(7 ** 2 / 0)", "print(7 ** 2)")
    outcomes = [("Traceback\nZeroDivisionError: division by zero", True), ("49", False)]
    turn = await Turn(model).run(prompt("What is 7 to the power of 2?", "code_execution"), lambda *_: outcomes.pop(0))
    assert [arguments["code"] for _, arguments in turn.calls] == ["print(7 ** 2 / 0)", "print(7 ** 2)"]
    assert "ZeroDivisionError: division by zero" in prompt_text(model.prompts[-1])
    assert turn.text == "7 to the power of 2 is 49."


async def test_after_three_failures_it_says_so() -> None:
    model = writing("print(7 ** 2)", "print(2 * 7 ** 2)", "print(7 * 7)")
    turn = await run("What is 7 to the power of 2?", "code_execution", told="MemoryError", is_error=True, model=model)
    assert len(turn.calls) <= 3
    assert turn.text.startswith("I could not compute this.")
    assert turn.text.endswith("the last time: MemoryError.")


async def test_a_model_that_writes_the_same_again_is_not_run_again() -> None:
    turn = await run(
        "What is 7 to the power of 2?", "code_execution", told="Oops", is_error=True, model=writing("print(7 ** 2)")
    )
    assert len(turn.calls) == 1
    assert "It failed; the last time: Oops." in turn.text


async def test_a_model_that_writes_no_program_leads_to_no_call() -> None:
    turn = await run("What is 7 to the power of 2?", "code_execution", model=writing(""))
    assert turn.calls == []
    assert turn.text.startswith("I could not compute this")


async def test_the_requests_own_code_is_run_once_and_by_nobody_written() -> None:
    model = writing("print(1)")
    turn = await run("Run this:\n```python\n1 / 0\n```", "code_execution", told="Oops", is_error=True, model=model)
    assert turn.calls == [("code_execution", {"code": "1 / 0"})]
    assert model.prompts == []


async def test_json_is_filled_from_what_was_found() -> None:
    schema = {"type": "object", "properties": {"winning_team": TEXT, "score": TEXT}}
    model = ScriptedModel(
        say('{"winning_team": "Portugal", "score": "1-0"}'), say('{"winning_team": "Spain", "score": "2–1"}')
    )
    turn = await run("Who won the last euro?", "google_search", told=EURO, model=model, schema=schema)
    assert json.loads(turn.text) == {"winning_team": "Spain", "score": "2–1"}
    assert "Spain won the match" in prompt_text(model.prompts[0])
    first, second = [model.prompts[index].schema for index in (0, 1)]
    assert first == schema
    assert second is not None
    assert "Spain" in second["properties"]["winning_team"]["enum"]


@pytest.mark.parametrize("request_", ["Hello!", "Write a poem about the sea.", "What is my name?"])
async def test_a_talk_calls_nothing(request_: str) -> None:
    turn = await run(request_, *FUNCTIONS)
    assert turn.calls == []
    assert turn.text == "I speak."


async def test_where_a_call_is_demanded_one_is_made_and_then_the_turn_ends() -> None:
    turn = await run("Hello!", "google_search", told=BOWL, tool_choice=ToolChoice("any"))
    assert turn.calls == [("google_search", {"queries": ["Hello!"]})]
    with pytest.raises(NotComplied, match="one was demanded"):
        await run("Hello!", "url_context", tool_choice=ToolChoice("any"))


async def test_media_that_a_tool_made_stand_behind_the_result_and_hide_it_from_nobody() -> None:
    model = ScriptedModel(answer=lambda _: say("I speak."))
    asked = prompt("What is 7 to the power of 2?", "code_execution")
    steps = (
        *asked.steps,
        FunctionCall("c", "code_execution", {"code": "print(49)"}),
        FunctionResult("c", "49\n[File handed over: a.png, 9 bytes]", "code_execution"),
        ModelOutput((Text("[image: PNG image, 9 x 9 pixels]"),)),
    )
    fragments = [each async for each in RuledCalls(model, model).stream(replace(asked, steps=steps))]
    assert TextFragment("7 to the power of 2 is 49.") in fragments


async def test_long_results_that_were_answered_are_kept_from_the_model() -> None:
    model = ScriptedModel(answer=lambda _: say("I speak."))
    first = await run("Who won the last euro?", "google_search", told=EURO * 5)
    before = (*first.steps, ModelOutput((Text(first.text),)))
    turn = await run("Thank you!", "google_search", model=model, before=before)
    assert turn.text == "I speak."
    shown = prompt_text(model.prompts[0])
    assert first.text in shown
    assert "exchange rate" not in shown
    assert "Oyarzabal" not in shown


async def test_functions_of_others_are_chosen_by_what_they_declare() -> None:
    weather = FunctionTool(
        "get_weather",
        "Gets the weather of a place.",
        {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
    )
    asked = prompt("What is the weather like in New York today?", "google_search")
    served: Mapping[str, ServerTool] = {**asked.served, "get_weather": "mcp_server_tool"}
    turn = await Turn(ScriptedModel()).run(
        replace(asked, tools=[*asked.tools, weather], served=served),
        lambda *_: ("The weather in New York is sunny, and it is 21 degrees.", False),
    )
    assert turn.calls == [("get_weather", {"location": "New York"})]
    assert turn.text == "The weather in New York is sunny, and it is 21 degrees."
