"""A conversation that an SDK of one form begins is read and continued by an SDK of the other form."""

import pytest

from .sdks import Sdk
from .selection import marks_of

CROSSINGS = (
    (Sdk("python", "1.55.0"), Sdk("python", "3.4.0")),
    (Sdk("python", "3.4.0"), Sdk("python", "1.75.0")),
    (Sdk("python", "2.34.0"), Sdk("javascript", "1.52.0")),
    (Sdk("javascript", "1.33.0"), Sdk("javascript", "3.1.0")),
)


def crossing(begins: Sdk, goes_on: Sdk):
    return pytest.param(begins, goes_on, id=f"{begins}-to-{goes_on}", marks=marks_of(begins) + marks_of(goes_on))


@pytest.mark.parametrize(("begins", "goes_on"), [crossing(*pair) for pair in CROSSINGS])
def test_conversation_goes_on_in_the_other_form(begins, goes_on, run_crossing):
    begun = run_crossing(begins)["said"]
    continued = run_crossing(goes_on, begun["id"])
    assert continued["read"] == begun
    assert continued["said"]["status"] == "completed"
    assert "Phil" in continued["said"]["text"]
