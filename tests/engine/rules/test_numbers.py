"""Which number of a request is which parameter."""

from typing import Any

import pytest

from engine.functions import function
from turnwise.engine.rules.filling import fill

NUMBER: dict[str, Any] = {"type": "number"}
WHOLE: dict[str, Any] = {"type": "integer"}


@pytest.mark.parametrize(
    ("request_", "properties", "arguments"),
    [
        ("spawn 5 level 12 zombies", {"count": WHOLE, "level": WHOLE}, {"count": 5, "level": 12}),
        ("three six-sided dice", {"sides": WHOLE, "count": WHOLE}, {"sides": 6, "count": 3}),
        ("boots rated at least 4", {"min_rating": NUMBER}, {"min_rating": 4}),
        ("boots for 50 dollars or less", {"max_price": NUMBER}, {"max_price": 50}),
        ("60k to 75k a year", {"salary_min": WHOLE, "salary_max": WHOLE}, {"salary_min": 60000, "salary_max": 75000}),
        ("resize to 1200 by 400", {"width": WHOLE, "height": WHOLE}, {"width": 1200, "height": 400}),
        ("20k at 7 percent for 5 years", {"principal": NUMBER, "annual_rate": NUMBER, "years": WHOLE},
         {"principal": 20000, "annual_rate": 7, "years": 5}),
        ("a table for 2", {"guests": WHOLE}, {"guests": 2}),
    ],
)  # fmt: skip
def test_each_number_goes_where_its_words_point(
    request_: str, properties: dict[str, Any], arguments: dict[str, Any]
) -> None:
    assert fill(request_, function("do_it", "Does it.", **properties)).arguments == arguments


def test_one_of_us_is_no_number() -> None:
    assert fill("one of us", function("do_it", "Does it.", guests=WHOLE)).missing == ("guests",)
