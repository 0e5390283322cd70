"""Saved agents over HTTP: created, listed, read, deleted; and what is refused."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from support import NOON, App, open_app
from turnwise.agents.agent import Budget
from turnwise.agents.catalogue import AgentEntry, Catalogue
from turnwise.http.auth import hash_key
from turnwise.plugins import Desk, Said, Says, Task, agent
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Key


@agent("parrot", fields=("depth",))
async def parrot(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
    yield Says(task.text)


AGENTS = Catalogue({"parrot": AgentEntry("parrot", "m", Budget(1000, 60.0))}, {"parrot": lambda: parrot})
MINE = {"id": "mine", "base_agent": "parrot", "description": "Mine.", "tools": [{"type": "google_search"}]}


async def make(app: App, **fields: Any) -> Any:
    """Save an agent, which must work."""
    reply = await app.ask("POST", "/v1beta/agents", json={**MINE, **fields})
    assert reply.status == 200, reply.body
    return reply.json


async def test_an_agent_is_created_read_listed_and_deleted():
    async with open_app(agents=AGENTS) as app:
        assert await make(app) == MINE
        assert (await app.ask("GET", "/v1/agents/mine")).json == MINE
        assert (await app.ask("GET", "/v1beta/agents")).json == {"agents": [MINE]}
        gone = await app.ask("DELETE", "/v1/agents/mine")
        assert (gone.status, gone.json) == (200, {})
        missing = await app.ask("GET", "/v1/agents/mine")
        assert (missing.status, missing.json["error"]["code"]) == (404, "not_found")
        assert (await app.ask("GET", "/v1/agents")).json == {}


async def test_a_list_comes_in_pages():
    async with open_app(agents=AGENTS) as app:
        for id in "abc":
            await make(app, id=id)
        first = (await app.ask("GET", "/v1/agents?page_size=2")).json
        assert [one["id"] for one in first["agents"]] == ["a", "b"]
        last = (await app.ask("GET", f"/v1/agents?page_size=2&page_token={first['next_page_token']}")).json
        assert [one["id"] for one in last["agents"]] == ["c"]
        assert "next_page_token" not in last


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("page_size=-1", "page_size: a number from 1 to 1000, not '-1'"),
        ("page_size=x", "page_size: a number from 1 to 1000, not 'x'"),
        ("page_token=x", "page_token: 'x' is no token that a list has given"),
        ("pageSize=1", "pageSize: this call has no such query parameter; it has: page_size, page_token"),
    ],
)
async def test_a_query_that_is_wrong_is_refused_by_name(query: str, why: str):
    async with open_app(agents=AGENTS) as app:
        reply = await app.ask("GET", f"/v1/agents?{query}")
        assert (reply.status, reply.json["error"]["message"]) == (400, why)


@pytest.mark.parametrize(
    ("fields", "status", "code", "why"),
    [
        ({"id": "gemini-mine"}, 400, "invalid_request", "id: names that begin with 'gemini-' are reserved"),
        ({"id": "parrot"}, 400, "already_exists", "id: the server itself has an agent 'parrot'"),
        ({"base_agent": "owl"}, 400, "invalid_request", "base_agent: there is no agent 'owl'; one of parrot"),
        ({"agent_config": {"size": 1}}, 400, "parameter_unknown", "agent_config.size: the agent 'parrot' has no such"),
        ({"base_environment": "remote"}, 501, "unimplemented", "base_environment: turnwise gives an agent no machine"),
        ({"colour": "red"}, 400, "parameter_unknown", "colour: the API has no such field"),
    ],
)
async def test_an_agent_that_cannot_be_is_refused(fields: Any, status: int, code: str, why: str):
    async with open_app(agents=AGENTS) as app:
        reply = await app.ask("POST", "/v1beta/agents", json={**MINE, **fields})
        assert (reply.status, reply.json["error"]["code"]) == (status, code)
        assert reply.json["error"]["message"].startswith(why)


async def test_a_name_that_is_taken_is_no_conflict_that_clients_would_repeat():
    async with open_app(agents=AGENTS) as app:
        await make(app)
        again = await app.ask("POST", "/v1beta/agents", json=MINE)
        assert (again.status, again.json["error"]["code"]) == (400, "already_exists")


async def test_a_definition_has_a_limit():
    async with open_app(agents=AGENTS, max_body_bytes=100 << 20) as app:
        reply = await app.ask("POST", "/v1beta/agents", json={**MINE, "system_instruction": "x" * (1 << 20)})
        assert reply.status == 413


async def test_keys_of_mcp_servers_are_never_shown():
    server = {"type": "mcp_server", "name": "weather", "url": "https://mcp.example", "headers": {"x-key": "secret"}}
    async with open_app(agents=AGENTS) as app:
        made = await make(app, tools=[server])
        read = (await app.ask("GET", "/v1/agents/mine")).json
        listed = (await app.ask("GET", "/v1/agents")).json
        assert made == read == listed["agents"][0]
        assert "secret" not in str(listed)


async def test_a_stranger_sees_nothing_of_an_agent():
    store = MemoryStore()
    for owner in ("ann", "bob"):
        await store.add_key(Key(owner, owner, "", hash_key(f"key-{owner}"), "key", NOON))
    async with open_app(agents=AGENTS, store=store) as app:
        ann, bob = ({"x-goog-api-key": f"key-{owner}"} for owner in ("ann", "bob"))
        assert (await app.ask("POST", "/v1/agents", json=MINE, headers=ann)).status == 200
        for method in ("GET", "DELETE"):
            assert (await app.ask(method, "/v1/agents/mine", headers=bob)).status == 404
        assert (await app.ask("GET", "/v1/agents", headers=bob)).json == {}
        assert (await app.ask("GET", "/v1/agents")).status == 401
        assert (await app.ask("GET", "/v1/agents/mine", headers=ann)).json == MINE
