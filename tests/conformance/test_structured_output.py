"""Answers in a form: what every SDK of today asks for with a schema, its own validator accepts."""

from collections.abc import Callable

import pytest

from .selection import over_steps_sdks_and_models


@pytest.fixture
def structured(sdk, report_of: Callable[..., dict]) -> dict:
    return report_of(sdk, "structured")


@over_steps_sdks_and_models
@pytest.mark.parametrize("form", ["typed", "raw"])
def test_answer_in_a_form_is_accepted_by_the_clients_validator(sdk, structured, form):
    assert structured[form]["status"] == "completed"
    assert structured[form]["parsed"]["decision"]


@over_steps_sdks_and_models
def test_streamed_answer_in_a_form_is_accepted_too(sdk, structured):
    assert structured["streamed"]["parsed"]["decision"]
