"""What every SDK sees of an interaction after its end, and which of its error classes a refusal becomes."""

import pytest

from .selection import over_every_sdk


@pytest.fixture
def lifecycle(sdk, report_of):
    return report_of(sdk, "lifecycle")


def is_not_found(refusal: dict | None) -> bool:
    return refusal is not None and (refusal["error"], refusal["status"]) == ("NotFoundError", 404)


@over_every_sdk
def test_cancel_of_a_finished_interaction_gives_it_back_as_it_is(sdk, lifecycle):
    assert lifecycle["finished"]["status"] == "completed"
    assert lifecycle["cancelled"] == lifecycle["finished"]


@over_every_sdk
def test_deleted_interaction_is_not_found_again(sdk, lifecycle):
    assert is_not_found(lifecycle["get_deleted"])
    assert is_not_found(lifecycle["delete_deleted"])


@over_every_sdk
def test_deleted_interaction_cannot_be_continued(sdk, lifecycle):
    assert is_not_found(lifecycle["continue_deleted"])


@over_every_sdk
def test_unknown_id_is_not_found(sdk, lifecycle):
    assert is_not_found(lifecycle["get_unknown"])


@over_every_sdk
def test_interaction_that_was_not_to_be_stored_is_answered_and_not_found_later(sdk, lifecycle):
    assert lifecycle["unsaved"]["status"] == "completed"
    assert is_not_found(lifecycle["get_unsaved"])


@over_every_sdk
def test_field_of_a_wrong_type_is_a_bad_request_that_names_it(sdk, lifecycle):
    refusal = lifecycle["wrong_type"]
    assert (refusal["error"], refusal["status"]) == ("BadRequestError", 400)
    assert "temperature" in refusal["message"]
