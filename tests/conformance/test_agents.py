"""Saved agents as the SDKs have them that know of them: made, listed, put to work, deleted; and what is refused."""

import pytest

from .sdks import ALL
from .selection import each_sdk

BASE = "deep-research-preview-04-2026"

over_sdks_with_agents = each_sdk([sdk for sdk in ALL if sdk.major >= 2 and sdk.version != "2.0.0"])


@pytest.fixture
def report(sdk, report_of):
    return report_of(sdk, "agents")


@over_sdks_with_agents
def test_agent_is_read_as_it_was_saved_without_its_keys(sdk, report):
    assert report["made"] == report["read"]
    assert report["made"]["id"] == report["ids"][0]
    assert report["made"]["base_agent"] == BASE
    assert report["made"]["description"] == "Looks into the past."
    assert report["made"]["system_instruction"] == "Write a page at the most."
    assert [tool["type"] for tool in report["made"]["tools"]] == ["google_search", "mcp_server"]
    assert "secret" not in str(report["made"])


@over_sdks_with_agents
def test_list_of_agents_goes_through_all_pages_oldest_first(sdk, report):
    assert [id for id in report["listed"] if id in report["ids"]] == report["ids"]


@over_sdks_with_agents
def test_saved_agent_works_in_the_background_with_its_settings(sdk, report):
    begun, ended = report["begun"], report["ended"]
    assert (begun["status"], begun["agent"]) == ("in_progress", report["ids"][1])
    assert begun["agent_config"]["type"] == "deep-research"
    assert begun["agent_config"]["thinking_summaries"] == "auto"
    assert (ended["id"], ended["status"]) == (begun["id"], "cancelled")


@over_sdks_with_agents
@pytest.mark.parametrize(
    ("call", "status", "why"),
    [
        ("taken", 400, "already; delete it first"),
        ("reserved", 400, "names that begin with 'gemini-' are reserved"),
        ("baseless", 400, "there is no agent 'antigravity-preview-09-2026'"),
        ("housed", 501, "turnwise gives an agent no machine of its own"),
        ("unknown", 404, "there is no agent 'nobody'"),
        ("awaited", 400, "an agent works in the background"),
        ("gone", 404, "there is no saved agent"),
    ],
)
def test_what_cannot_be_is_refused_in_words(sdk, report, call, status, why):
    assert report[call]["status"] == status
    assert why in report[call]["message"]


@over_sdks_with_agents
def test_deleted_agents_are_listed_no_more(sdk, report):
    assert not set(report["ids"]) & set(report["left"])
