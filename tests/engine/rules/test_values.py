"""What a request carries that could be an argument."""

from itertools import pairwise

import pytest

from turnwise.engine.rules.values import read_values


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ("on May 9, 2026 at 8 pm", [("date", "2026-05-09"), ("time", "20:00")]),
        ("the 3rd of March 2026, noon", [("date", "2026-03-03"), ("time", "12:00")]),
        ("7 in the morning tomorrow", [("time", "07:00"), ("date", "tomorrow")]),
        ("$85.50 and 20%", [("currency", "USD"), ("number", 85.5), ("number", 20)]),
        ("1,500 yen", [("number", 1500), ("currency", "JPY")]),
        ("an hour and a half", [("duration", 5400)]),
        ("an hour", [("duration", 3600)]),
        ("two hours and 5 minutes", [("duration", 7500)]),
        ("twenty-five", [("number", 25)]),
        ("ask bob@corp.io", [("email", "bob@corp.io")]),
        ("order A-1009", [("id", "A-1009")]),
        ("say 'it's late'", [("quote", "it's late")]),
        ("meet Anna Lee in New York", [("name", "Anna Lee"), ("name", "New York")]),
        ("Water the plants", []),
        ("what is Karim's number", [("name", "Karim")]),
        ("12*(3+4)", [("expression", "12*(3+4)")]),
    ],
)
def test_values_are_read_with_their_meaning(request_: str, found: list[tuple[str, object]]) -> None:
    assert [(value.kind, value.meaning) for value in read_values(request_)] == found


def test_values_stand_where_they_say_and_never_overlap() -> None:
    request = "Book 2 seats for Dr. Patel at Luigi's on 2026-01-02 at 10:30 for $5, call +1 555 123 4567, 'now'"
    values = read_values(request)
    assert all(value.text in request[value.start : value.end] for value in values)
    assert all(one.end <= other.start for one, other in pairwise(values))
