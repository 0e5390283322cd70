"""Parameters that take one of a few values, or yes and no."""

from typing import Any

import pytest

from engine.functions import TEXT, function
from turnwise.engine.rules.filling import fill

ACCOUNT = {**TEXT, "enum": ["checking", "savings"]}
ACCOUNTS = {"source": ACCOUNT, "target": ACCOUNT}
SORT = {**TEXT, "enum": ["price_asc", "price_desc", "newest"]}
LENGTH = {**TEXT, "enum": ["cm", "inch"]}
SCALE = {**TEXT, "enum": ["C", "F"], "description": "C for Celsius, F for Fahrenheit"}
FLAG = {"type": "boolean"}


@pytest.mark.parametrize(
    ("request_", "properties", "arguments"),
    [
        ("Move it from savings to checking", ACCOUNTS, {"source": "savings", "target": "checking"}),
        ("Move it to savings out of checking", ACCOUNTS, {"source": "checking", "target": "savings"}),
        ("Show boots, cheapest first", {"sort_by": SORT}, {"sort_by": "price_asc"}),
        ("How many inches is 30 cm?", {"from_unit": LENGTH, "to_unit": LENGTH}, {"from_unit": "cm", "to_unit": "inch"}),
        ("Tell it in Fahrenheit", {"scale": SCALE}, {"scale": "F"}),
        ("Go there without tolls", {"avoid_tolls": FLAG}, {"avoid_tolls": True}),
        ("Go there, no jokers", {"jokers": FLAG}, {"jokers": False}),
    ],
)  # fmt: skip
def test_an_option_is_taken_by_its_words_and_its_direction(
    request_: str, properties: dict[str, Any], arguments: dict[str, Any]
) -> None:
    assert fill(request_, function("do_it", "Does it.", **properties)).arguments == arguments
