"""Every SDK has functions called in its own form: on the server's history, on its own, and in a stream."""

import json
from collections.abc import Callable

import pytest

from .selection import over_every_sdk_and_model, over_outputs_sdks_and_models, over_steps_sdks_and_models


@pytest.fixture
def functions(sdk, report_of: Callable[..., dict]) -> dict:
    return report_of(sdk, "functions")


def is_weather_in_paris(call: dict) -> bool:
    return call["name"] == "get_weather" and "Paris" in call["arguments"]["location"]


@over_every_sdk_and_model
def test_request_that_needs_a_function_ends_with_its_call(sdk, functions):
    asked = functions["asked"]
    assert (asked["status"], asked["steps"]) == ("requires_action", ["function_call"])
    (call,) = asked["calls"]
    assert call["id"]
    assert is_weather_in_paris(call)


@over_every_sdk_and_model
def test_answer_after_the_result_rests_on_it(sdk, functions):
    answered = functions["answered"]
    assert (answered["status"], answered["calls"]) == ("completed", [])
    assert "sunny" in answered["text"].lower()


@over_every_sdk_and_model
def test_arguments_are_read_off_the_request(sdk, functions):
    (call,) = functions["meeting"]["calls"]
    assert call["name"] == "schedule_meeting"
    arguments = call["arguments"]
    assert (arguments["attendees"], arguments["date"]) == (["Peter", "Amir"], "2025-11-01")
    assert arguments["time"] in ("10:00", "10 am")
    assert "Next Gen API" in arguments["topic"]


@over_every_sdk_and_model
def test_calls_and_results_may_be_sent_as_history(sdk, functions):
    scheduled = functions["scheduled"]
    assert scheduled["status"] == "completed"
    assert "scheduled" in scheduled["text"].lower()


@over_steps_sdks_and_models
def test_streamed_call_starts_with_its_name_and_adds_up_to_its_arguments(sdk, functions):
    (call,) = functions["live"]["calls"]
    assert call["id"]
    assert (call["name"], call["started_with"]) == ("get_weather", {})
    assert "Paris" in json.loads("".join(call["pieces"]))["location"]


@over_outputs_sdks_and_models
def test_streamed_call_is_one_whole_delta(sdk, functions):
    (call,) = functions["live"]["calls"]
    assert call["id"]
    assert is_weather_in_paris(call)


@over_every_sdk_and_model
def test_stream_that_calls_ends_for_the_result_and_is_continued_with_it(sdk, functions):
    assert functions["live"]["status"] == "requires_action"
    assert "error" not in functions["live"]["events"]
    assert functions["continued"]["status"] == "completed"
    assert "sunny" in functions["continued"]["text"].lower()


@over_every_sdk_and_model
def test_replayed_call_is_the_call_that_was_streamed(sdk, functions):
    assert functions["replayed"] == functions["live"]
