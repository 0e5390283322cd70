"""That the union of steps is closed, and what of a function's result is content."""

from typing import get_args

import pytest

from domain.samples import EVERY_STEP
from turnwise.domain.content import JSON
from turnwise.domain.steps import Step, result_content

WORDS = {"type": "text", "text": "Sunny."}
PICTURE = {"type": "image", "data": "aGk="}


def test_there_is_a_sample_of_every_kind_of_step():
    assert {type(step) for step in EVERY_STEP.values()} == set(get_args(Step))


@pytest.mark.parametrize("result", [[WORDS, PICTURE], {"content": [WORDS, PICTURE]}])
def test_content_in_a_result_is_found_bare_and_wrapped(result: JSON):
    assert result_content(result) == [WORDS, PICTURE]


def test_content_in_a_result_is_found_as_older_sdks_have_it():
    assert result_content({"items": ["Sunny.", PICTURE]}) == [WORDS, PICTURE]


def test_a_piece_of_media_may_be_a_result_alone():
    assert result_content(PICTURE) == [PICTURE]


def test_a_list_of_items_without_media_is_a_list_of_items():
    assert result_content({"items": ["milk", "eggs"]}) is None


@pytest.mark.parametrize("result", ["Sunny.", 3, None, [], {}, [WORDS, "more"], [{"type": "image"}], {"content": 1}])
def test_other_json_is_no_content(result: JSON):
    assert result_content(result) is None
