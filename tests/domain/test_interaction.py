"""An interaction: where it stands, where it may go from there, and what it cost."""

from dataclasses import fields

import pytest

from domain.samples import USAGE, full
from turnwise.domain.interaction import CONTINUABLE, MOVES, GenerationConfig, Status, Turn, Usage

ENDS = [status for status in Status if status is not Status.IN_PROGRESS]


def test_every_status_has_its_moves():
    assert set(MOVES) == set(Status)


def test_from_in_progress_every_end_can_be_reached():
    assert MOVES[Status.IN_PROGRESS] == set(ENDS)


@pytest.mark.parametrize("status", ENDS)
def test_an_end_is_for_good(status: Status):
    assert status.is_terminal
    assert not MOVES[status]


def test_an_interaction_in_progress_can_go_on():
    assert not Status.IN_PROGRESS.is_terminal


@pytest.mark.parametrize("status", Status)
def test_only_an_end_with_something_to_go_on_from_is_continued(status: Status):
    fruitless = {Status.IN_PROGRESS, Status.FAILED, Status.CANCELLED}
    assert status.can_be_continued is (status not in fruitless)
    assert (status in CONTINUABLE) is status.can_be_continued


def test_totals_are_the_sums_over_modalities():
    assert (USAGE.input_tokens, USAGE.output_tokens) == (268, 2)
    assert (USAGE.cached_tokens, USAGE.tool_use_tokens) == (4, 1)


def test_the_grand_total_counts_thoughts_and_tools_and_no_token_twice():
    assert USAGE.total_tokens == 268 + 2 + 8 + 1


def test_a_turn_that_cost_nothing_has_totals_of_zero():
    nothing = Usage()
    assert (nothing.total_tokens, nothing.input_tokens, nothing.output_tokens, nothing.cached_tokens) == (0, 0, 0, 0)


def test_the_sample_that_has_something_in_every_field_has_it():
    turn = full().turn
    assert [field.name for field in fields(Turn) if getattr(turn, field.name) == getattr(Turn(()), field.name)] == []
    assert None not in [getattr(turn.generation, field.name) for field in fields(GenerationConfig)]
