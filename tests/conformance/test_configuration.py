"""What every SDK sets in `generation_config` is honoured."""

import pytest

from .selection import over_every_sdk_and_model


@pytest.fixture
def configuration(sdk, report_of):
    return report_of(sdk, "configuration")


@over_every_sdk_and_model
def test_answer_cut_at_max_output_tokens_is_incomplete(sdk, configuration):
    limited = configuration["limited"]
    assert limited["status"] == "incomplete"
    assert limited["text"]
    assert 0 < limited["output_tokens"] <= 5


@over_every_sdk_and_model
def test_answer_ends_before_a_stop_sequence(sdk, configuration):
    stopped = configuration["stopped"]
    assert stopped["status"] == "completed"
    assert stopped["text"].strip()
    assert "Spain" not in stopped["text"]
    assert "Barcelona" not in stopped["text"]


@over_every_sdk_and_model
def test_instruction_and_sampling_settings_are_accepted_together(sdk, configuration):
    assert configuration["instructed"]["status"] == "completed"
    assert configuration["instructed"]["text"].strip()
