"""The arguments of a call, and what is said of its result."""

import json
from typing import Any

import pytest

from engine.functions import CURRENCY, LIGHTS, MEETING, MESSAGE, SENTIMENT, TEXT, TIMER, WEATHER, function
from turnwise.domain.content import Text
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.calling import draft_answer, draft_call, pending, render_result, spoken
from turnwise.engine.rules.choosing import Wanted

FOUNDING = "Schedule a meeting for 2025-11-01 at 10 am with Peter and Amir about the Next Gen API."


@pytest.mark.parametrize(
    ("request_", "tool", "arguments"),
    [
        ("What is the weather in Paris?", WEATHER, {"location": "Paris"}),
        ("Is it hot in Phoenix, AZ?", WEATHER, {"location": "Phoenix, AZ"}),
        (
            FOUNDING,
            MEETING,
            {"attendees": ["Peter", "Amir"], "date": "2025-11-01", "time": "10:00", "topic": "Next Gen API"},
        ),
        ("Timer for half an hour", TIMER, {"minutes": 30}),
        ("Convert 250 US dollars to euros", CURRENCY, {"amount": 250, "from_currency": "USD", "to_currency": "EUR"}),
        ("Text Maria that I'll be late", MESSAGE, {"contact": "Maria", "message": "I'll be late"}),
        ("Send a message to Tom saying 'see you'", MESSAGE, {"contact": "Tom", "message": "see you"}),
        ("Turn on the lights in the living room", LIGHTS, {"room": "living room"}),
        ("Turn on the bedroom lights at 40%", LIGHTS, {"room": "bedroom", "brightness": 40}),
    ],
)
def test_arguments_are_read_from_the_request(request_: str, tool: FunctionTool, arguments: dict[str, Any]) -> None:
    draft = draft_call(Wanted(tool, request_))
    assert draft.prompt is None
    assert draft.arguments == arguments


def test_what_is_missing_is_asked_of_the_model_with_the_rest_fixed() -> None:
    draft = draft_call(Wanted(SENTIMENT, 'Rate this review: "What a lovely book"'))
    assert draft.prompt is not None
    assert draft.prompt.schema == {
        "type": "object",
        "properties": {
            "review": {"const": "What a lovely book"},
            "mood": {"type": "string", "enum": ["positive", "negative"]},
        },
        "required": ["review", "mood"],
        "additionalProperties": False,
    }
    assert draft.finish('{"review": "something else", "mood": "positive"}') == {
        "review": "What a lovely book",
        "mood": "positive",
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mood": "sad"}', '{"mood": 3}'])
def test_text_that_makes_no_valid_call_is_no_call(text: str) -> None:
    assert draft_call(Wanted(SENTIMENT, 'Rate this review: "Lovely"')).finish(text) is None


def test_value_that_the_schema_does_not_allow_is_left_out() -> None:
    draft = draft_call(Wanted(LIGHTS, "Turn on the lights in the hall at 400 percent"))
    assert draft.arguments == {"room": "hall"}


def test_free_text_is_bounded_so_that_it_ends() -> None:
    draft = draft_call(Wanted(function("set_mood", "Sets the mood.", mood=TEXT), "Set"))
    assert draft.prompt is not None
    assert draft.prompt.schema is not None
    assert draft.prompt.schema["properties"]["mood"]["maxLength"] == 200


def test_call_that_follows_up_keeps_what_is_not_said_again() -> None:
    before = {"amount": 250, "from_currency": "USD", "to_currency": "EUR"}
    draft = draft_call(Wanted(CURRENCY, "And to yen?", before))
    assert draft.arguments == {**before, "to_currency": "JPY"}


def test_function_without_parameters_is_called_at_once() -> None:
    draft = draft_call(Wanted(FunctionTool("roll_dice", "Rolls a die."), "Roll the dice"))
    assert draft.prompt is None
    assert draft.arguments == {}


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("The weather in Paris is sunny.", "The weather in Paris is sunny."),
        ("Meeting scheduled successfully.", "Meeting scheduled successfully."),
        ({"ok": True}, "Done."),
        ([{"type": "text", "text": "It rains."}], "It rains."),
        ({"result": "It rains."}, "It rains."),
        (
            [{"flight": "TP1", "price": 89}, {"flight": "IB3", "price": 90}],
            "Flight: TP1, price: 89; flight: IB3, price: 90.",
        ),
    ],
)
def test_results_that_speak_for_themselves_need_no_model(result: Any, text: str) -> None:
    answer = draft_answer("Something", [FunctionResult("1", result)])
    assert (answer.text, answer.prompt) == (text, None)


def test_error_is_said_as_one() -> None:
    assert draft_answer("Order", [FunctionResult("1", "no oven", is_error=True)]).text == "Error: no oven."


def test_several_results_are_said_in_their_order() -> None:
    results = [FunctionResult("1", "It rains in Oslo."), FunctionResult("2", "It snows in Bergen")]
    assert draft_answer("Weather?", results).text == "It rains in Oslo. It snows in Bergen."


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("The price of AAPL is 189.5 USD.", "The price of AAPL is 189.5 USD."),
        ("The price of AAPL is 190 USD.", "Price: 189.5, currency: USD."),
        ("The price of AAPL is 189.5.", "Price: 189.5, currency: USD."),
        ("The price of AAPL is 189.5 USD and rose by 3.", "Price: 189.5, currency: USD."),
    ],
)
def test_wording_is_taken_only_if_it_says_the_same(made: str, said: str) -> None:
    answer = draft_answer("What is the price of AAPL?", [FunctionResult("1", {"price": 189.5, "currency": "USD"})])
    assert answer.prompt is not None
    assert answer.finish(json.dumps(made)) == said
    assert answer.finish(made) == "Price: 189.5, currency: USD."


def test_pending_finds_the_request_and_its_results() -> None:
    steps = (
        UserInput((Text("Weather in Oslo?"),)),
        FunctionCall("1", "get_weather", {"location": "Oslo"}),
        FunctionResult("1", "Snow."),
    )
    assert pending(steps) == ("Weather in Oslo?", (steps[2],))
    assert spoken(steps) == (steps[0], ModelOutput((Text("Snow."),)))


def test_json_written_as_text_is_read() -> None:
    assert render_result(FunctionResult("1", '{"windSpeed": 3}')) == "wind speed: 3"
