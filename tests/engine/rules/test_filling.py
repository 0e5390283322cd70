"""Which piece of a request belongs in which parameter."""

from typing import Any

import pytest

from engine.functions import TEXT, function
from turnwise.engine.rules.filling import fill
from turnwise.engine.rules.lists import split_list

NUMBER: dict[str, Any] = {"type": "number"}
WHOLE: dict[str, Any] = {"type": "integer"}


@pytest.mark.parametrize(
    ("request_", "properties", "arguments"),
    [
        ("From Rome to Oslo", {"origin": TEXT, "destination": TEXT}, {"origin": "Rome", "destination": "Oslo"}),
        ("To Oslo from Rome", {"origin": TEXT, "destination": TEXT}, {"origin": "Rome", "destination": "Oslo"}),
        ("A 15% tip on $64", {"bill": NUMBER, "percentage": NUMBER}, {"bill": 64, "percentage": 15}),
        ("4 adults, 3 nights", {"nights": WHOLE, "adults": WHOLE}, {"nights": 3, "adults": 4}),
        ("Wait 2 minutes", {"seconds": WHOLE}, {"seconds": 120}),
        ("Make it a LARGE one", {"size": {"type": "string", "enum": ["small", "large"]}}, {"size": "large"}),
        ("Unlock it", {"locked": {"type": "boolean"}}, {"locked": False}),
        ("No symbols", {"symbols": {"type": "boolean"}}, {"symbols": False}),
        ("With ham and olives", {"toppings": {"type": "array", "items": TEXT}}, {"toppings": ["ham", "olives"]}),
        ("on May 9, 2026", {"date": {"type": "string", "description": "YYYY-MM-DD"}}, {"date": "2026-05-09"}),
        ("on May 9, 2026", {"date": TEXT}, {"date": "May 9, 2026"}),
        ("at 8 pm", {"time": TEXT}, {"time": "8 pm"}),
        ("at 8 pm", {"time": {"type": "string", "description": "e.g. 19:30"}}, {"time": "20:00"}),
        ("at 9 tomorrow morning", {"time": TEXT}, {"time": "9 tomorrow morning"}),
        ("tonight at 9", {"when": TEXT}, {"when": "tonight at 9"}),
        ("for the past 2h", {"since": {"type": "string", "description": "e.g. 15m"}}, {"since": "2h"}),
        ("over the past year", {"period": {"type": "string", "enum": ["1d", "1y"]}}, {"period": "1y"}),
        ("three large ones", {"size": {"type": "string", "enum": ["S", "L"]}}, {"size": "L"}),
        ("Switch the oven on", {"action": {"type": "string", "enum": ["turn_on", "turn_off"]}}, {"action": "turn_on"}),
        ("rows sorted by created_at", {"order_by": TEXT}, {"order_by": "created_at"}),
        ("It broke. Assign it to dkim.", {"assignee": TEXT}, {"assignee": "dkim"}),
        ("Open it, tag it home", {"tags": {"type": "array", "items": TEXT}}, {"tags": ["home"]}),
        ("Count those where age > 30", {"where": TEXT}, {"where": "age > 30"}),
        ("Wake me on weekends", {"days": {"type": "array", "items": TEXT}}, {"days": ["Saturday", "Sunday"]}),
        ("Logs from auth-service", {"service": TEXT}, {"service": "auth-service"}),
        ("Read from ada/engine", {"repo": {"type": "string", "description": "owner/name"}}, {"repo": "ada/engine"}),
        ("Put on v2.3.1", {"version": TEXT}, {"version": "v2.3.1"}),
        ("Find 4-star ones", {"stars": WHOLE}, {"stars": 4}),
        ("Roll 2d20", {"sides": WHOLE, "count": WHOLE}, {"sides": 20, "count": 2}),
    ],
)  # fmt: skip
def test_values_find_their_parameters(request_: str, properties: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert fill(request_, function("do_it", "Does it.", **properties)).arguments == arguments


def test_a_quotation_goes_to_the_text_and_a_name_beside_it_to_what_takes_names() -> None:
    posting = function("post", "Posts.", ["channel", "message"], channel=TEXT, message=TEXT)
    filled = fill('Post "Lunch is here!" in #random', posting)
    assert filled.arguments == {"channel": "#random", "message": "Lunch is here!"}


def test_a_statement_is_wanted_whole_and_a_word_about_it_is_none() -> None:
    running = function("run", "Runs it.", ["query"], query={"type": "string", "description": "A SQL statement"})
    filled = fill("Run this: SELECT name FROM people WHERE land = 'DE'", running)
    assert filled.arguments == {"query": "SELECT name FROM people WHERE land = 'DE'"}
    assert fill("What is a SQL injection?", running).missing == ("query",)


def test_a_from_and_a_to_of_units_take_units_and_what_is_counted_is_the_first() -> None:
    converting = function("convert_units", "Converts units.", value=NUMBER, **{"from": TEXT, "to": TEXT})
    filled = fill("How many feet are in 3.5 meters?", converting)
    assert filled.arguments == {"value": 3.5, "from": "meters", "to": "feet"}


def test_a_street_and_its_city_are_told_apart() -> None:
    moving = function("move", "Moves.", ["street", "city"], street=TEXT, city=TEXT)
    filled = fill("Move it to 48 Elm Street, Portland", moving)
    assert filled.arguments == {"street": "48 Elm Street", "city": "Portland"}


def test_addresses_and_names_are_people_alike() -> None:
    meeting = function("meet", "Meets.", ["attendees"], attendees={"type": "array", "items": TEXT})
    assert fill("Meet with Ana and bob@corp.example", meeting).arguments == {"attendees": ["Ana", "bob@corp.example"]}


def test_what_the_verb_acts_on_goes_to_the_one_parameter_that_is_left() -> None:
    heating = function("heat", "Heats.", ["temperature"], temperature=NUMBER, zone=TEXT)
    assert fill("Heat the upstairs to 21 degrees", heating).arguments == {"temperature": 21, "zone": "upstairs"}


def test_what_is_not_spoken_of_is_left_out_or_missing() -> None:
    filled = fill("For Anna", function("do_it", "Does it.", ["person", "date"], person=TEXT, date=TEXT, color=TEXT))
    assert filled.arguments == {"person": "Anna"}
    assert filled.missing == ("date",)
    assert filled.sure == {"person"}


def test_lists_are_split_at_commas_and_conjunctions() -> None:
    assert split_list("Ann, Bob and the cat") == ["Ann", "Bob", "cat"]
