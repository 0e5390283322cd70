"""Saved agents on the wire: what is read, what is refused, and what is shown."""

from typing import Any

import pytest

from turnwise.domain.agents import SavedAgent
from turnwise.domain.errors import InvalidRequest, Unimplemented, UnknownParameter
from turnwise.wire.agents import RESERVED, parse_agent, render_agent, render_agents

MCP = {"type": "mcp_server", "name": "weather", "url": "https://mcp.example", "headers": {"authorization": "Bearer x"}}


def sent(**fields: Any) -> dict[str, Any]:
    """A definition, as the SDKs send it."""
    return {"id": "my-agent", "base_agent": "deep-research-preview-04-2026", **fields}


def test_an_agent_is_read_with_all_that_it_has():
    asked = parse_agent(
        sent(
            description="Looks things up.",
            system_instruction="Be brief.",
            tools=[{"type": "google_search"}, MCP],
            agent_config={"type": "deep-research"},
        )
    )
    assert asked == SavedAgent(
        "my-agent",
        "deep-research-preview-04-2026",
        "Looks things up.",
        "Be brief.",
        ({"type": "google_search"}, MCP),
        {"type": "deep-research"},
    )
    assert "Bearer" not in repr(asked)


def test_an_agent_is_shown_as_it_was_defined_but_for_its_keys():
    fields: dict[str, Any] = {"system_instruction": "Be brief.", "tools": [MCP], "agent_config": {"type": "dynamic"}}
    shown = render_agent(parse_agent(sent(**fields)))
    assert shown == sent(**{**fields, "tools": [{name: value for name, value in MCP.items() if name != "headers"}]})


def test_what_an_agent_does_not_have_is_left_out():
    empty = sent(description=None, system_instruction="", tools=[], agent_config={}, base_environment=None)
    assert render_agent(parse_agent(empty)) == sent()


def test_a_page_has_a_token_unless_it_is_the_last_one():
    agent = SavedAgent("a", "b")
    assert render_agents([agent], "more") == {"agents": [{"id": "a", "base_agent": "b"}], "next_page_token": "more"}
    assert render_agents([agent], None) == {"agents": [{"id": "a", "base_agent": "b"}]}
    assert render_agents([], None) == {}


@pytest.mark.parametrize(
    ("body", "error", "why"),
    [
        ([], InvalidRequest, "the body must be a JSON object, not []"),
        ({"base_agent": "b"}, InvalidRequest, "id: this field is required"),
        ({"id": "a"}, InvalidRequest, "base_agent: this field is required"),
        (sent(id=""), InvalidRequest, "id: '' cannot be an agent's name"),
        (sent(id="a/b"), InvalidRequest, "id: 'a/b' cannot be an agent's name"),
        (sent(id="-a"), InvalidRequest, "id: '-a' cannot be an agent's name"),
        (sent(id="a" * 64), InvalidRequest, "63 at the most"),
        (sent(base_agent=""), InvalidRequest, "base_agent: string should have at least 1 character"),
        (sent(name="x"), UnknownParameter, "name: the API has no such field"),
        (sent(agent_config="x"), InvalidRequest, "agent_config: input should be a valid dictionary, not 'x'"),
        (sent(tools=[{"type": "hammer"}]), InvalidRequest, "tools[0].type: unknown tool 'hammer'"),
        (sent(base_environment="remote"), Unimplemented, "base_environment: turnwise gives an agent no machine"),
        (sent(base_environment={"type": "remote"}), Unimplemented, "base_environment: turnwise gives an agent"),
    ],
)
def test_what_cannot_be_is_refused_by_name(body: Any, error: type[Exception], why: str):
    with pytest.raises(error) as refused:
        parse_agent(body)
    assert why in str(refused.value)


@pytest.mark.parametrize("prefix", RESERVED)
def test_reserved_names_are_refused_in_any_case(prefix: str):
    for id in (f"{prefix}x", f"{prefix.upper()}x"):
        with pytest.raises(InvalidRequest, match=f"^id: names that begin with '{prefix}' are reserved"):
            parse_agent(sent(id=id))
    assert parse_agent(sent(id=f"x-{prefix}x")).id == f"x-{prefix}x"
