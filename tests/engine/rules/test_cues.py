"""Parameters that a request calls by their names."""

from typing import Any

import pytest

from engine.functions import TEXT, function
from turnwise.engine.rules.filling import fill

TAGS = {"type": "array", "items": TEXT}


@pytest.mark.parametrize(
    ("request_", "properties", "arguments"),
    [
        ("Post it in the engineering channel", {"channel": TEXT}, {"channel": "engineering"}),
        ("Run it on database analytics", {"database": TEXT}, {"database": "analytics"}),
        ("Do it, labels bug and frontend", {"labels": TAGS}, {"labels": ["bug", "frontend"]}),
        ("Do it with the note that one of us is late", {"note": TEXT}, {"note": "one of us is late"}),
        ("With title 'Lunch' and body 'Now'", {"title": TEXT, "body": TEXT}, {"title": "Lunch", "body": "Now"}),
        ("Show it since this morning", {"since": TEXT}, {"since": "this morning"}),
        ("Close the front door", {"door": TEXT}, {"door": "front door"}),
    ],
)  # fmt: skip
def test_what_stands_beside_a_parameters_name_is_its_value(
    request_: str, properties: dict[str, Any], arguments: dict[str, Any]
) -> None:
    assert fill(request_, function("do_it", "Does it.", **properties)).arguments == arguments
