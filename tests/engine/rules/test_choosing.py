"""Which functions a request asks for."""

import pytest

from engine.functions import ALL, CURRENCY, HEADLINES, LIGHTS, MEETING, MESSAGE, TIMER, WEATHER
from turnwise.domain.steps import FunctionCall
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.choosing import Wanted, choose
from turnwise.engine.rules.speaking import form_of

FOUNDING = "Schedule a meeting for 2025-11-01 at 10 am with Peter and Amir about the Next Gen API."


@pytest.mark.parametrize(
    ("request_", "tool"),
    [
        ("What is the weather in Paris?", WEATHER),
        ("Will it rain in Oslo tomorrow?", WEATHER),
        ("Could you tell me what the weather is like in Lima?", WEATHER),
        (FOUNDING, MEETING),
        ("Start a 10 minute timer", TIMER),
        ("How much is 20 USD in euros?", CURRENCY),
        ("Text Maria that I am on my way", MESSAGE),
        ("Please switch on the lights in the kitchen", LIGHTS),
        ("What are the latest headlines?", HEADLINES),
        ("Hi! I am in a hurry. What's the weather in Rome?", WEATHER),
    ],
)
def test_request_for_a_function_is_recognised_among_others(request_: str, tool: FunctionTool) -> None:
    assert [wanted.tool.name for wanted in choose(request_, ALL)] == [tool.name]
    assert [wanted.tool.name for wanted in choose(request_, [tool])] == [tool.name]


@pytest.mark.parametrize(
    "request_",
    [
        "What is weather?",
        "Tell me a story about a meeting.",
        "Hello!",
        "Hi, my name is Phil.",
        "Thanks for the weather update!",
        "Why does the weather change?",
        "Write a poem about the weather in Paris.",
        "I had a meeting with Peter yesterday.",
        "What is the capital of France?",
        "How do timers work?",
        "Do you like music?",
        "   ",
    ],
)
def test_request_for_nothing_leads_to_no_call(request_: str) -> None:
    assert choose(request_, ALL) == []


def test_several_values_for_one_parameter_are_several_calls() -> None:
    assert choose("What's the weather in Paris and Tokyo?", ALL) == [
        Wanted(WEATHER, "What's the weather in Paris?"),
        Wanted(WEATHER, "What's the weather in Tokyo?"),
    ]


def test_people_of_a_list_stay_together() -> None:
    assert choose(FOUNDING, [MEETING]) == [Wanted(MEETING, FOUNDING)]


def test_several_things_in_one_request_are_several_calls() -> None:
    wanted = choose("Set a timer for 5 minutes and turn on the lights in the hall", ALL)
    assert [(each.tool.name, each.request) for each in wanted] == [
        ("set_timer", "Set a timer for 5 minutes"),
        ("turn_on_lights", "turn on the lights in the hall"),
    ]


def test_a_call_whose_numbers_nobody_said_is_not_made() -> None:
    assert choose("Convert euros to dollars", [CURRENCY]) == []


def test_must_takes_the_likeliest() -> None:
    assert [wanted.tool.name for wanted in choose("Rain, rain, go away", ALL, must=True)] == ["get_weather"]
    assert choose("", ALL, must=True)[0].tool is ALL[0]


def test_short_question_goes_on_from_the_last_call() -> None:
    last = FunctionCall("1", "get_weather", {"location": "Paris"})
    assert choose("And in Tokyo?", ALL, last=last) == [Wanted(WEATHER, "And in Tokyo?", {"location": "Paris"})]
    assert choose("And in Tokyo?", ALL) == []
    assert choose("And how are you?", ALL, last=last) == []


def test_no_functions_are_no_calls() -> None:
    assert choose("What is the weather in Paris?", []) == []
    assert choose("What is the weather in Paris?", [], must=True) == []


@pytest.mark.parametrize(
    ("request_", "form"),
    [
        ("Please set a timer", "command"),
        ("I'd like two pizzas", "command"),
        ("Is it cold in Oslo?", "question"),
        ("Why is the sky blue?", "general"),
        ("Write a poem", "creative"),
        ("Thank you!", "none"),
        ("My doctor is nice.", "none"),
    ],
)
def test_form_tells_how_a_request_speaks(request_: str, form: str) -> None:
    assert form_of(request_) == form
