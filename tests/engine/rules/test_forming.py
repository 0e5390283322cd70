"""JSON by a schema, filled from what tools have told."""

import json
from typing import Any

from engine.rules.told import EURO, UNREACHED
from turnwise.domain.content import Text
from turnwise.domain.steps import FunctionCall, FunctionResult, UserInput
from turnwise.engine.rules.forming import Form, form_from
from turnwise.models.model import Prompt, prompt_text

TEXT = {"type": "string"}
SCHEMA = {"type": "object", "properties": {"winning_team": TEXT, "score": TEXT, "why": TEXT}}


def form(told: Any, tool: Any = "google_search", *, is_error: bool = False, schema: Any = SCHEMA) -> Form:
    steps = (
        UserInput((Text("Who won the last euro?"),)),
        FunctionCall("c", "tool", {}),
        FunctionResult("c", told, "tool", is_error),
    )
    return form_from(Prompt(steps, schema=schema), {"tool": tool})


def narrowed(one: Form, **values: Any) -> Any:
    """What the properties are bound to when the model is asked once more."""
    again = one.again(json.dumps(values))
    return None if again is None or again.schema is None else again.schema["properties"]


def test_the_model_is_shown_the_request_and_what_answers_it() -> None:
    shown = prompt_text(form(EURO).prompt)
    assert shown.startswith("Who won the last euro?")
    assert "Spain won the match 2–1" in shown
    assert "Italy" not in shown
    assert not form(EURO).prompt.tools


def test_values_that_stand_in_the_results_are_taken() -> None:
    why = "because they scored more goals than the other team did that day"
    assert narrowed(form(EURO), winning_team="Spain", score="2-1", why=why) is None


def test_a_value_that_stands_nowhere_is_chosen_among_those_that_do() -> None:
    bound = narrowed(form(EURO), winning_team="Portugal", score="2-1")
    assert "Spain" in bound["winning_team"]["enum"]


def test_a_value_that_was_good_stays_when_the_model_is_asked_again() -> None:
    bound = narrowed(form(EURO), winning_team="Portugal", score="2-1")
    assert bound["score"] == {**TEXT, "enum": ["2-1"]}


def test_a_score_that_runs_on_is_none_of_its_own_words() -> None:
    bound = narrowed(form(EURO), winning_team="Spain", score="2-1, 3-1, 2-1, 3-1, 2-1, 3-1, 2-1, 3-1")
    assert bound["score"] == {**TEXT, "enum": ["2–1"]}


def test_a_score_is_one() -> None:
    bound = narrowed(form(EURO), winning_team="Spain", score="14 July 2024")
    assert bound["score"] == {**TEXT, "enum": ["2–1"]}


def test_where_nothing_was_found_values_are_unknown() -> None:
    bound = narrowed(form(UNREACHED, is_error=True), winning_team="Portugal", score="3-0")
    assert bound["winning_team"]["enum"] == bound["score"]["enum"] == ["unknown"]


def test_a_number_is_one_that_was_printed() -> None:
    schema = {"type": "object", "properties": {"result": {"type": "integer"}}}
    one = form("125250", "code_execution", schema=schema)
    assert narrowed(one, result=125250) is None
    assert narrowed(one, result=7)["result"] == {"type": "integer", "enum": [125250]}


def test_what_a_page_did_not_say_may_be_the_models_own_words() -> None:
    assert form("Nothing was read", "url_context", is_error=True).again('{"winning_team": "Portugal"}') is None


def test_a_second_answer_keeps_to_the_clients_schema() -> None:
    assert form(EURO).accepts('{"winning_team": "Spain"}')
    assert not form(EURO).accepts('{"winning_team": 7}')
    assert not form(EURO).accepts("no JSON")
