"""Which requests are computed, how a model is asked for the program, and what is said of its run."""

import json

import pytest

from turnwise.domain.content import Text
from turnwise.domain.steps import FunctionCall, FunctionResult, Step, UserInput
from turnwise.engine.rules.computing import (
    drafts,
    error_of,
    is_computation,
    runs_of,
    said_of_failures,
    said_of_run,
    worked,
)
from turnwise.engine.rules.programs import PLAIN, SUBJECTS, examples_for
from turnwise.models.model import prompt_text

NOTHING = "[The code ran and printed nothing.]"


@pytest.mark.parametrize(
    "request_",
    [
        "Calculate the 50th Fibonacci number.",
        "What is 17 factorial?",
        "If I invest 2000 dollars at 4% interest, how much do I have after 6 years?",
        "How many days are there between 2024-03-01 and 2024-12-25?",
        "Sort these words: pear, apple",
        "Plot a sine wave",
        "Generate 5 random numbers between 1 and 100",
        "Use Python to add 2 and 3.",
    ],
)
def test_computations_are_known(request_: str) -> None:
    assert is_computation(request_)


@pytest.mark.parametrize(
    "request_",
    [
        "Who won the last Super Bowl?",
        "Who won the 2022 World Cup?",
        "How many people live in Tokyo?",
        "How old is the Eiffel Tower?",
        "When was Python 3.12 released?",
        "Is the shop open on 2024-12-24?",
        "Tell me about the 30 Years War",
        "Give me 3 tips for a job interview",
        "Hello!",
    ],
)
def test_what_one_knows_is_no_computation(request_: str) -> None:
    assert not is_computation(request_)


def test_no_example_knows_the_founding_answer() -> None:
    shown = " ".join(f"{one.request} {one.code}" for _, ones in (*SUBJECTS, ("", PLAIN)) for one in ones).lower()
    assert "fibonacci" not in shown
    assert "a + b" not in shown


def test_the_nearest_example_stands_last() -> None:
    assert examples_for("What is the median of 3, 18 and 7?", 2)[-1].request == "What is the median of 5, 1, 8?"


def test_drafts_are_programs_in_lines_and_in_the_models_own_way() -> None:
    near = drafts("What is 17 factorial?")[0]
    assert near.code(json.dumps(["print(math.factorial(17))"])) == "import math\nprint(math.factorial(17))"
    own = drafts("Calculate the 50th Fibonacci number.")[0]
    assert own.code("Here it is:\n```python\nprint(1 + 2)\n```\nIt prints 3.") == "print(1 + 2)"


def test_a_program_that_failed_is_shown_with_its_error() -> None:
    for draft in drafts("What is 17 factorial?", [("print(f(17))", "NameError: name 'f' is not defined")]):
        assert "NameError: name 'f' is not defined" in prompt_text(draft.prompt)
        assert "print(f(17))" in prompt_text(draft.prompt)
        assert draft.prompt.generation.temperature


def ran(told: str, *, is_error: bool = False) -> FunctionResult:
    return FunctionResult("c", told, "code_execution", is_error)


@pytest.mark.parametrize(
    ("request_", "told", "said"),
    [
        ("Calculate the 9th square number.", "81", "The 9th square number is 81."),
        ("What is 3 + 4?", "7", "3 + 4 is 7."),
        ("How many days are there between 2024-03-01 and 2024-03-05?", "4", "The result is 4."),
        ("List the even numbers below 6.", "[2, 4]", "The even numbers below 6 are [2, 4]."),
        ("What is the sum of 3 and 4?", "The sum is 7", "The sum is 7."),
        ("Count to 2", "1\n2", "The code printed:\n\n1\n2"),
        ("Plot it", f"{NOTHING}\n[File handed over: a.png, 9 bytes]", "The code has run, and made a file."),
        ("Calculate 3 + 4. Then tell me who you are.", "7", "The result is 7."),
    ],
)  # fmt: skip
def test_what_a_run_printed_is_said_in_the_words_of_the_request(request_: str, told: str, said: str) -> None:
    assert worked(ran(told))
    assert said_of_run(request_, ran(told)) == said


def test_a_run_that_printed_nothing_has_not_worked() -> None:
    assert not worked(ran(NOTHING))
    assert error_of(ran(NOTHING)) == "it printed nothing"


def test_the_error_of_a_run_is_the_last_line_of_its_traceback() -> None:
    told = 'Traceback (most recent call last):\n  File "<code>", line 1\nZeroDivisionError: division by zero\n'
    assert not worked(ran(told, is_error=True))
    assert error_of(ran(told, is_error=True)) == "ZeroDivisionError: division by zero"
    assert said_of_failures([("1 / 0", ran(told, is_error=True))] * 3) == (
        "I could not compute this. I wrote code and ran it. It failed 3 times; the last time: ZeroDivisionError: "
        "division by zero."
    )


def test_only_the_runs_since_the_user_spoke_count() -> None:
    asked = UserInput((Text("Calculate it."),))
    call = FunctionCall("c", "code_execution", {"code": "1"})
    steps: list[Step] = [asked, call, ran("1"), asked, call, ran("2")]
    assert [result.result for _, result in runs_of("code_execution", steps)] == ["2"]
    assert runs_of("code_execution", [*steps, asked]) == []
