"""Agents that owners save, and who works on a request that names one."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from engine.working import AgentForTests, asked
from support import open_engine, read_all, saved_agents, turn
from turnwise.agents.agent import AgentCard, Budget, Desk, Done, Said, Says, Task
from turnwise.agents.catalogue import AgentEntry, Catalogue
from turnwise.domain.agents import SavedAgent
from turnwise.domain.content import Text
from turnwise.domain.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    Unimplemented,
    UnknownParameter,
)
from turnwise.domain.interaction import Status, Turn
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.domain.tools import GoogleSearch, McpServer, UrlContext
from turnwise.engine import agents as engine
from turnwise.engine.agents import SavedAgents
from turnwise.models.model import prompt_text
from turnwise.models.scripted import say
from turnwise.store.memory import MemoryStore

MCP = {"type": "mcp_server", "name": "weather", "url": "https://mcp.example", "headers": {"authorization": "Bearer x"}}


class Strict(AgentForTests):
    """It knows one setting."""

    def check(self, config: Any) -> None:
        for name in config:
            if name != "depth":
                raise UnknownParameter("there is no such setting", field=f"agent_config.{name}")


STRICT = Strict(lambda task, desk: iter(()), AgentCard("strict"))  # type: ignore[arg-type, return-value]
SERVER = Catalogue(
    {name: AgentEntry("strict", "*", Budget(1, 1.0)) for name in ("tester", "other")}, {"strict": lambda: STRICT}
)


def agents(store: MemoryStore | None = None) -> SavedAgents:
    return saved_agents(store or MemoryStore(), SERVER)


def mine(id: str = "mine", **fields: Any) -> SavedAgent:
    return SavedAgent(id, **{"base_agent": "tester", **fields})


# -- saving


async def test_an_agent_is_kept_shown_listed_and_deleted():
    saved = agents()
    made = await saved.create(mine(system_instruction="Be brief.", tools=(MCP,), agent_config={"depth": 2}), "ann")
    assert await saved.get("mine", "ann") == made
    assert await saved.list("ann", 10, None) == ([made], None)
    await saved.delete("mine", "ann")
    with pytest.raises(NotFound, match="there is no saved agent 'mine'"):
        await saved.get("mine", "ann")
    with pytest.raises(NotFound, match="there is no saved agent 'mine'"):
        await saved.delete("mine", "ann")


async def test_an_agent_is_its_owners_alone():
    saved = agents()
    await saved.create(mine(), "ann")
    await saved.create(mine(description="Bob's"), "bob")
    assert (await saved.get("mine", "bob")).description == "Bob's"
    assert await saved.list("eve", 10, None) == ([], None)
    with pytest.raises(NotFound):
        await saved.delete("mine", "eve")
    with pytest.raises(ModelNotFound):
        await saved.engage(naming(), "eve")


async def test_agents_are_listed_in_pages_oldest_first():
    saved = agents()
    names = ["Zed_1", "a", "m-2"]
    for name in names:
        await saved.create(mine(name), "ann")
    first, token = await saved.list("ann", 1, None)
    second, more = await saved.list("ann", 1, token)
    third, end = await saved.list("ann", 5, more)
    assert [agent.id for agent in (*first, *second, *third)] == names
    assert end is None
    with pytest.raises(InvalidRequest, match="page_token: 'x' is no token"):
        await saved.list("ann", 1, "x")


async def test_keys_of_mcp_servers_are_sealed_where_they_are_kept():
    store = MemoryStore()
    await agents(store).create(mine(tools=(MCP,)), "ann")
    kept = await store.resource("agent", "mine", "ann")
    assert kept is not None
    assert "Bearer" not in str(kept.body)
    assert (await agents(store).get("mine", "ann")).tools == (MCP,)


@pytest.mark.parametrize(
    ("agent", "error", "why"),
    [
        (mine(base_agent="nobody"), InvalidRequest, "base_agent: there is no agent 'nobody'; one of tester, other"),
        (mine("other"), AlreadyExists, "id: the server itself has an agent 'other'"),
        (mine(agent_config={"size": 1}), UnknownParameter, "agent_config.size: there is no such setting"),
        (mine(tools=({"type": "function", "name": "look"},)), Unimplemented, "tools[0].type: an agent works alone"),
        (mine(tools=({"type": "computer_use"},)), Unimplemented, "tools[0].type: an agent works alone"),
        (
            mine(tools=({**MCP, "allowed_tools": [{"mode": "any"}]},)),
            Unimplemented,
            "tools[0].allowed_tools: an agent cannot be made to call a tool",
        ),
    ],
)
async def test_an_agent_that_could_not_work_is_not_kept(agent: SavedAgent, error: type[Exception], why: str):
    saved = agents()
    with pytest.raises(error) as refused:
        await saved.create(agent, "ann")
    assert why in str(refused.value)
    assert await saved.list("ann", 10, None) == ([], None)


async def test_a_name_is_taken_once_and_there_is_an_end_to_them(monkeypatch: pytest.MonkeyPatch):
    saved = agents()
    await saved.create(mine(), "ann")
    with pytest.raises(AlreadyExists, match="id: you have an agent 'mine' already"):
        await saved.create(mine(), "ann")
    monkeypatch.setattr(engine, "MOST", 1)
    with pytest.raises(FailedPrecondition, match="you have 1 agents, which is as many as there may be"):
        await saved.create(mine("another"), "ann")


# -- working


async def test_an_agent_of_the_server_works_on_the_request_as_it_is():
    turn = asked(tools=(GoogleSearch(),), agent_config={"depth": 1})
    engaged = await agents().engage(turn, "ann")
    assert (engaged.turn, engaged.agent, engaged.hired) == (turn, "tester", SERVER.find("tester"))
    assert agents().again(engaged.agent) == engaged.hired


def naming(**fields: Any) -> Turn:
    """A request that names the saved agent."""
    return replace(asked(), **{"agent": "mine", "agent_config": {}, **fields})


async def test_a_saved_agent_says_what_the_request_does_not():
    saved = agents()
    await saved.create(mine(system_instruction="Be brief.", tools=(MCP,), agent_config={"depth": 2}), "ann")
    engaged = await saved.engage(naming(), "ann")
    assert (engaged.agent, engaged.hired) == ("tester", SERVER.find("tester"))
    assert engaged.turn.agent == "mine"
    assert engaged.turn.system_instruction == "Be brief."
    assert engaged.turn.tools == (McpServer("weather", "https://mcp.example", {"authorization": "Bearer x"}),)
    assert engaged.turn.agent_config == {"depth": 2}


async def test_what_a_request_says_counts_in_place_of_what_the_saved_agent_says():
    saved = agents()
    await saved.create(mine(system_instruction="Be brief.", tools=(MCP,), agent_config={"depth": 2}), "ann")
    turn = naming(agent_config={"depth": 3}, system_instruction="Be long.", tools=(UrlContext(),))
    engaged = await saved.engage(turn, "ann")
    assert engaged.turn == turn


async def test_who_names_an_agent_that_there_is_not_is_told_those_that_there_are():
    saved = agents()
    with pytest.raises(ModelNotFound, match=r"there is no agent 'mine'; this server has: 'tester', 'other'$"):
        await saved.engage(naming(), "ann")
    await saved.create(mine("yours"), "ann")
    with pytest.raises(ModelNotFound, match="'tester', 'other'; and you have saved: 'yours'"):
        await saved.engage(naming(), "ann")


async def test_a_saved_agent_comes_before_the_one_that_answers_every_name():
    everyone = Catalogue(
        {name: AgentEntry("strict", name, Budget(1, 1.0)) for name in ("tester", "*")}, {"strict": lambda: STRICT}
    )
    saved = saved_agents(MemoryStore(), everyone)
    assert (await saved.engage(naming(), "ann")).hired.model == "*"
    await saved.create(mine(), "ann")
    assert (await saved.engage(naming(), "ann")).hired.model == "tester"


async def test_settings_and_tools_of_a_request_are_checked():
    saved = agents()
    with pytest.raises(UnknownParameter, match=r"agent_config\.size: there is no such setting"):
        await saved.engage(asked(agent_config={"size": 1}), "ann")
    await saved.create(mine(), "ann")
    with pytest.raises(UnknownParameter, match=r"agent_config\.size: there is no such setting"):
        await saved.engage(naming(agent_config={"size": 1}), "ann")


# -- mixed with models


async def test_agents_go_on_from_models_and_models_from_agents():
    seen: list[Task] = []

    async def reader(task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        seen.append(task)
        yield Says(await desk.step("ask", lambda: desk.ask("", task.text)))
        yield Done()

    strict = Catalogue({"reader": AgentEntry("r", "m", Budget(1000, 1e6))}, {"r": lambda: AgentForTests(reader)})
    async with open_engine(say("one"), say("two"), say("three"), agents=strict) as app:
        first = await app.interactions.create(turn("1"), "ann", "steps")
        working = Turn((UserInput((Text("2"),)),), agent="reader", background=True, previous_interaction_id=first.id)
        begun = await app.interactions.begin(working, "ann", "steps")
        await read_all(app.interactions.follow(begun))
        second = await app.interactions.get(begun.interaction.id, "ann")
        assert (second.status, second.steps) == (Status.COMPLETED, (ModelOutput((Text("two"),)),))
        assert seen[0].history == (*first.turn.input, *first.steps)
        third = await app.interactions.create(turn("3", previous_interaction_id=second.id), "ann", "steps")
        assert third.steps == (ModelOutput((Text("three"),)),)
        assert [prompt_text(prompt) for prompt in app.model.prompts] == ["1", "2", "1\none\n2\ntwo\n3"]
