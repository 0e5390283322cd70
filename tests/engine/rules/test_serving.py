"""Which of the server's own tools a request asks for."""

import time
from collections.abc import Sequence

import pytest

from turnwise.domain.content import Text
from turnwise.domain.steps import ModelOutput, ServerTool, Step, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.addresses import addresses_in
from turnwise.engine.rules.serving import ask_tools
from turnwise.models.model import Prompt

WEB: tuple[ServerTool, ...] = ("google_search", "url_context", "code_execution")
SHORT: tuple[ServerTool, ...] = ("google_search", "file_search")


def asked(
    request: str, tools: Sequence[ServerTool] = WEB, *before: str, must: bool = False
) -> list[tuple[ServerTool, object]]:
    """The tools that are called, each with what it is called with."""
    steps: list[Step] = []
    for said in before:
        steps += [UserInput((Text(said),)), ModelOutput((Text("It is so."),))]
    steps.append(UserInput((Text(request),)))
    functions = [FunctionTool(f"my_{tool}") for tool in tools]
    prompt = Prompt(steps, tools=functions, served={f"my_{tool}": tool for tool in tools})
    calls = ask_tools(prompt, must=must)
    assert all(call.tool.name == f"my_{call.kind}" for call in calls)
    return [(call.kind, call.arguments and next(iter(call.arguments.values()))) for call in calls]


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        ("Who won the last Super Bowl?", [("google_search", ["Who won the last Super Bowl"])]),
        (
            "Explain quantum entanglement in simple terms.",
            [("google_search", ["quantum entanglement in simple terms"])],
        ),
        (
            "What is the population of Norway in 2024?",
            [("google_search", ["What is the population of Norway in 2024"])],
        ),
        ("Calculate the 50th Fibonacci number.", [("code_execution", None)]),
        ("What's 15 * 23?", [("code_execution", None)]),
        ("How many times does r occur in 'strawberry'?", [("code_execution", None)]),
        ("How many r's are in strawberry?", [("code_execution", None)]),
        ("Run this code:\n```python\nprint(1 + 1)\n```", [("code_execution", "print(1 + 1)")]),
        ("Summarize the content of https://www.wikipedia.org/", [("url_context", ["https://www.wikipedia.org/"])]),
        (
            "Compare https://a.example/x and https://b.example/y.",
            [("url_context", ["https://a.example/x", "https://b.example/y"])],
        ),
        (
            "What is 20% of 80, and who is the president of France?",
            [("code_execution", None), ("google_search", ["who is the president of France"])],
        ),
    ],
)
def test_the_tool_is_read_off_the_request(request_: str, calls: list[tuple[ServerTool, object]]) -> None:
    assert asked(request_) == calls


@pytest.mark.parametrize(
    "request_",
    [
        "Hello!",
        "Good morning, how are you?",
        "Thanks!",
        "My name is Phil.",
        "What is my name?",
        "Who are you?",
        "What can you do?",
        "Write a poem about the sea.",
        "Tell me a joke.",
        "Translate 'good morning' to French",
        "Write a Python function that sorts a list.",
        "I love music.",
        "",
    ],
)
def test_what_nobody_else_knows_asks_for_no_tool(request_: str) -> None:
    assert asked(request_) == []
    assert asked(request_, SHORT) == []


def test_an_address_that_is_named_is_read_even_where_the_text_around_it_is_to_be_judged() -> None:
    request = "Moderate this: 'You won! Claim your prize: www.definitely-not-a-scam.com'"
    assert asked(request) == [("url_context", ["www.definitely-not-a-scam.com"])]


@pytest.mark.parametrize(
    ("request_", "tools"),
    [
        ("What does our vacation policy say about sick leave?", ["file_search"]),
        ("Who wrote the contract?", ["file_search"]),
        ("Search the web for the weather in Rome", ["google_search"]),
        ("How many days of leave do I get?", ["file_search", "google_search"]),
    ],
)
def test_documents_and_the_web_are_told_apart_where_the_request_does(request_: str, tools: list[str]) -> None:
    assert [kind for kind, _ in asked(request_, SHORT)] == tools
    assert [kind for kind, _ in asked(request_, ["file_search"])] == ["file_search"]


def test_a_question_that_goes_on_is_searched_for_in_full() -> None:
    assert asked("And who came second?", WEB, "Who won the last euro?") == [
        ("google_search", ["who came second last euro"])
    ]
    assert asked("Thanks!", WEB, "Who won the last euro?") == []


def test_a_question_about_the_page_reads_it_again() -> None:
    before = "Summarize https://a.example/story"
    assert asked("Who wrote it?", WEB, before) == [("url_context", ["https://a.example/story"])]
    assert asked("What is the capital of France?", WEB, before)[0][0] == "google_search"


def test_a_computation_that_only_changes_a_number_is_said_in_full() -> None:
    steps = (UserInput((Text("Calculate the 50th Fibonacci number."),)), ModelOutput((Text("It is so."),)))
    prompt = Prompt(
        (*steps, UserInput((Text("And the 60th?"),))),
        tools=[FunctionTool("code_execution")],
        served={"code_execution": "code_execution"},
    )
    assert [call.request for call in ask_tools(prompt)] == ["Calculate the 60th Fibonacci number."]


def test_where_a_call_is_demanded_one_is_made() -> None:
    assert asked("Hello!", must=True) == [("google_search", ["Hello!"])]
    assert asked("Hello!", ["code_execution"], must=True) == [("code_execution", None)]
    assert asked("Hello!", ["url_context"], must=True) == []


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("See https://a.example/x(1), or (https://b.example/y).", ["https://a.example/x(1)", "https://b.example/y"]),
        ("Read example.com/a?b=c, twice: example.com/a?b=c!", ["example.com/a?b=c"]),
        ("Write to phil@example.com about version 1.2.3 of node.js", []),
        ("Is WWW.Example.org up?", ["WWW.Example.org"]),
    ],
)
def test_addresses_are_found_without_the_marks_around_them(text: str, addresses: list[str]) -> None:
    assert addresses_in(text) == addresses


@pytest.mark.parametrize("filling", ["how many ", "a.b.", "((", "1 + ", "and ", "'x ", "www.", "\n\n", "第"])
def test_a_request_however_long_is_read_in_no_time(filling: str) -> None:
    long = filling * (1_000_000 // len(filling))
    began = time.perf_counter()
    asked(f"What is this? {long}", (*WEB, "file_search"))
    assert time.perf_counter() - began < 2
