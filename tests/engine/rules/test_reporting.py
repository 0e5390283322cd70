"""What is said of the results of the server's tools."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from engine.rules.told import BOWL, EURO, HANDBOOK, PORTAL, UNREACHED, UNREAD
from turnwise.domain.content import Text
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, ServerTool, Step, UserInput
from turnwise.engine.rules.recalling import recall
from turnwise.engine.rules.reporting import report

SERVED: Mapping[str, ServerTool] = {
    "google_search": "google_search",
    "url_context": "url_context",
    "code_execution": "code_execution",
    "file_search": "file_search",
    "get_weather": "mcp_server_tool",
}


def turn(request: str, *results: tuple[str, Any], is_error: bool = False) -> list[Step]:
    """A request, and what tools told."""
    steps: list[Step] = [UserInput((Text(request),))]
    for number, (name, told) in enumerate(results):
        steps.append(FunctionCall(f"c{number}", name, {"queries": ["the words"]}))
        steps.append(FunctionResult(f"c{number}", told, name, is_error))
    return steps


def said(request: str, *results: tuple[str, Any], is_error: bool = False) -> str:
    return report(turn(request, *results, is_error=is_error), SERVED)


def test_a_question_is_answered_from_what_was_found() -> None:
    assert said("Who won the last euro?", ("google_search", EURO)).startswith("Spain won the match 2–1")
    assert said("How many days of leave do I get?", ("file_search", HANDBOOK)).startswith("Every employee gets 28")


def test_where_nothing_answers_that_is_said() -> None:
    answer = said("Who wrote Faust?", ("google_search", BOWL))
    assert answer == 'I searched for "the words", and found nothing that answers this.'


def test_a_search_that_failed_says_why() -> None:
    answer = said("Who won the last euro?", ("google_search", UNREACHED), is_error=True)
    assert answer.startswith("I cannot answer this.")
    assert "the search engine could not be reached" in answer


def test_a_page_is_summed_up_or_asked() -> None:
    page = ("url_context", PORTAL)
    assert "Wikimedia Foundation" in said("Summarize the content of https://www.wikipedia.org/", page)
    assert said("Who hosts Wikipedia? See https://www.wikipedia.org/", page).startswith("Wikipedia is hosted by")


def test_a_page_that_could_not_be_read_is_said_to_be_so_and_why() -> None:
    answer = said("Summarize https://www.wikipedia.org/", ("url_context", UNREAD), is_error=True)
    assert answer.startswith("I could not read it. https://www.wikipedia.org/:")
    assert "there is no server of that name" in answer


def test_of_two_pages_the_one_that_failed_is_named_behind_the_other() -> None:
    told = f"{PORTAL}\n\n[2]\nhttps://b.example/\nNothing was read (status error): the server answered 404."
    answer = said("Summarize https://www.wikipedia.org/ and https://b.example/", ("url_context", told))
    assert "Wikimedia Foundation" in answer
    assert answer.endswith("https://b.example/: the server answered 404.")


def test_only_what_a_run_printed_is_its_answer() -> None:
    assert said("Calculate the 9th square number.", ("code_execution", "81")) == "The 9th square number is 81."


def test_a_failure_before_a_run_that_worked_is_not_told() -> None:
    steps = turn("Calculate the 9th square number.", ("code_execution", "NameError: x"), is_error=True)
    steps += [FunctionCall("d", "code_execution", {"code": "2"}), FunctionResult("d", "81", "code_execution")]
    assert report(steps, SERVED) == "The 9th square number is 81."


def test_several_tools_are_reported_one_behind_the_other() -> None:
    answer = said("Who won the last euro?", ("google_search", EURO), ("file_search", HANDBOOK))
    assert answer.split("\n\n")[0].startswith("Spain won")
    assert answer.split("\n\n")[1].startswith("The documents were searched")


def test_a_long_text_of_another_server_is_not_told_whole() -> None:
    told = [{"type": "text", "text": "It is sunny in New York today. " + "The map has many layers of detail. " * 40}]
    answer = said("What is the weather like in New York today?", ("get_weather", told))
    assert answer == "It is sunny in New York today. The map has many layers of detail."


@pytest.mark.parametrize("told", ["", None, [], {}, [{"type": "image", "data": "AAAA", "mime_type": "image/png"}], 7])
def test_whatever_a_tool_told_something_can_be_said(told: Any) -> None:
    for name in SERVED:
        for is_error in (True, False):
            assert isinstance(said("Who won?", (name, told), is_error=is_error), str)


def test_a_question_that_goes_on_is_answered_from_what_was_found_before() -> None:
    before = [*turn("Who won the last Super Bowl?", ("google_search", BOWL)), ModelOutput((Text("The Eagles."),))]
    asked = [*before, UserInput((Text("And where was it played?"),))]
    assert recall(asked) == "The game was played on February 9, 2025, at Caesars Superdome in New Orleans, Louisiana."
    assert recall([*before, UserInput((Text("Thank you!"),))]) == ""
    assert recall([*before, UserInput((Text("What is the capital of France?"),))]) == ""


def test_results_of_functions_beside_those_of_tools_are_told_too() -> None:
    answer = said("Who won the last euro?", ("google_search", EURO), ("get_mood", "Everybody is happy."))
    assert answer.endswith("\n\nEverybody is happy.")


def test_a_long_result_is_read_in_no_time() -> None:
    told = "\n\n".join(f"[{n}] Page {n}\nhttps://{n}.example\n{'Some words about the euro. ' * 40}" for n in range(200))
    began = time.perf_counter()
    said("Who won the last euro?", ("google_search", told))
    said("Summarize it", ("url_context", told))
    assert time.perf_counter() - began < 5
