"""Turns of models in the background as every SDK sees them: polled, followed, cancelled, deleted, going on with a
function's result; and what is refused. What agents do there is in `test_deep_research.py`."""

import json
import urllib.request

import pytest

from .programs import TIMEOUT
from .sdks import ALL
from .selection import each_sdk_and_some_on_default

over_every_sdk_and_model = each_sdk_and_some_on_default(ALL)

REFUSED = {
    "unstored": "background: a background interaction must be stored",
    "awaited": "background: an agent works in the background",
    "unknown_setting": "agent_config.depth: deep research has no such setting",
}
"""What is refused, and why."""

END = {"outputs": "interaction.complete", "steps": "interaction.completed"}


@pytest.fixture
def report(sdk, report_of):
    return report_of(sdk, "background")


def text_of(interaction: dict) -> str:
    """All that was said."""
    parts = interaction.get("outputs") or [part for step in said(interaction) for part in step["content"]]
    return "".join(part["text"] for part in parts if part["type"] == "text")


def said(interaction: dict) -> list[dict]:
    return [step for step in interaction["steps"] if step["type"] == "model_output"]


def told(events: list[dict]) -> str:
    return "".join(event["text"] for event in events)


@over_every_sdk_and_model
def test_background_turn_is_in_progress_from_its_first_reply_and_polled_to_its_end(sdk, report):
    begun, ended = report["polled"]["begun"], report["polled"]["ended"]
    *before, last = report["polled"]["statuses"]
    assert (set(before), last) == ({"in_progress"}, "completed")
    assert (begun["id"], begun["background"]) == (ended["id"], True)
    assert not begun.get("outputs")
    assert not begun.get("steps")
    assert "Madrid" in text_of(ended)


@over_every_sdk_and_model
def test_background_turn_is_followed_over_a_line_that_breaks(sdk, report):
    began, rest, whole = (report["followed"][part] for part in ("began", "rest", "whole"))
    assert [event["event_id"] for event in began + rest] == [event["event_id"] for event in whole]
    assert told(began)
    assert told(rest)
    assert told(began) + told(rest) == told(whole) == text_of(report["followed"]["ended"])
    assert whole[-1]["type"] == END[sdk.dialect]


@over_every_sdk_and_model
def test_cancelled_turn_keeps_what_it_had_said_and_is_cancelled_once(sdk, report):
    cancelled = report["cancelled"]
    assert cancelled["cancelled"]["status"] == "cancelled"
    assert text_of(cancelled["cancelled"]).startswith(told(cancelled["began"]))
    assert len(text_of(cancelled["cancelled"]).split()) < 1000
    for later in ("again", "read"):
        assert without_transport(cancelled[later]) == without_transport(cancelled["cancelled"])
    assert cancelled["whole"][-1]["type"] == END[sdk.dialect]
    assert told(cancelled["whole"]) == text_of(cancelled["cancelled"])


def without_transport(interaction: dict) -> dict:
    """The interaction without the headers that the last generation of the JavaScript SDK puts beside it."""
    return {name: value for name, value in interaction.items() if name != "sdkHttpResponse"}


@over_every_sdk_and_model
def test_turn_that_is_deleted_while_it_runs_is_gone(sdk, report):
    deleted = report["deleted"]
    assert deleted["begun"]["status"] == "in_progress"
    assert (deleted["read"]["error"], deleted["read"]["status"]) == ("NotFoundError", 404)


@over_every_sdk_and_model
def test_function_call_waits_for_its_result_and_the_next_turn_goes_on(sdk, report):
    called = report["called"]
    assert called["statuses"][0] == "in_progress"
    assert called["calling"]["status"] == "requires_action"
    assert (called["call"]["name"], called["call"]["arguments"]) == ("get_weather", {"location": "Paris"})
    assert called["answered"]["status"] == "completed"
    assert called["answered"]["previous_interaction_id"] == called["calling"]["id"]
    assert "sunny" in text_of(called["answered"])


@over_every_sdk_and_model
def test_what_cannot_be_in_the_background_is_refused_by_name(sdk, report):
    for call, why in REFUSED.items():
        assert (report[call]["error"], report[call]["status"]) == ("BadRequestError", 400)
        assert why in report[call]["message"]


@over_every_sdk_and_model
def test_generation_config_of_an_agent_is_refused_by_the_sdk_or_by_the_server(sdk, report):
    refused = report["configured"]
    assert refused["status"] in (None, 400), "most SDKs do not even send it"
    assert "generation_config" in refused["message"]
    assert "agent" in refused["message"]


@pytest.mark.parametrize(
    "agent",
    ["deep-research-pro-preview-12-2025", "deep-research-preview-04-2026", "deep-research-max-preview-04-2026"],
)
def test_agents_answer_from_the_first_start(server, agent):
    body = {
        "agent": agent,
        "input": "Research the history of the Google TPUs with a focus on 2025 and 2026.",
        "agent_config": {"type": "deep-research", "collaborative_planning": True},
        "background": True,
        "stream": True,
    }
    request = urllib.request.Request(
        f"{server}/v1beta/interactions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
        frames = [json.loads(line.removeprefix(b"data: ")) for line in reply if line.startswith(b"data: {")]
    plan = "".join(frame["delta"].get("text", "") for frame in frames if "delta" in frame)
    assert plan.startswith("# Research plan: The history of the Google TPUs")
    assert (frames[-1]["interaction"]["agent"], frames[-1]["interaction"]["status"]) == (agent, "completed")
