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
    ],
)  # fmt: skip
def test_values_find_their_parameters(request_: str, properties: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert fill(request_, function("do_it", "Does it.", **properties)).arguments == arguments


def test_what_is_not_spoken_of_is_left_out_or_missing() -> None:
    filled = fill("For Anna", function("do_it", "Does it.", ["person", "date"], person=TEXT, date=TEXT, color=TEXT))
    assert filled.arguments == {"person": "Anna"}
    assert filled.missing == ("date",)
    assert filled.sure == {"person"}


def test_lists_are_split_at_commas_and_conjunctions() -> None:
    assert split_list("Ann, Bob and the cat") == ["Ann", "Bob", "cat"]
