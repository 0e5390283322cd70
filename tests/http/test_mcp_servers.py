"""Turns that use MCP servers, from outside: the steps in both dialects, errors before the first byte, and keys that are
kept nowhere."""

import logging
from pathlib import Path
from typing import Any

import pytest

from mcp_servers import Site, library_server, open_liar, open_mcp, pretend, weather_server, write_error
from support import App, open_app
from tools.mcp_turns import build
from turnwise.models.model import CallFragment, Finished, Fragment, ModelCard, Taken
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.sqlite import open_sqlite

CALLING = ModelCard("m", tools=True)
KEY = "Bearer 0123456789abcdef"


def calls(*made: tuple[str, str]) -> list[Fragment]:
    """A model that calls functions: their names, and their arguments in JSON."""
    return [Taken(), *(CallFragment(i, f"c{i}", name, args) for i, (name, args) in enumerate(made)), Finished("calls")]


async def ask(app: App, *tools: Any, **fields: Any) -> Any:
    """What an interaction with these tools is answered with, whatever that is."""
    return await app.ask(
        "POST", "/v1beta/interactions", json={"model": "m", "input": "How is New York?", "tools": tools, **fields}
    )


def declared(site: Site, name: str = "weather_service", **fields: Any) -> dict[str, Any]:
    return site.declared(name, **fields)


@pytest.mark.parametrize("dialect", ["steps", "outputs"])
async def test_a_call_and_its_result_stand_before_the_answer(dialect: Any) -> None:
    model = ScriptedModel(calls(("get_weather", '{"location": "New York"}')), say("Sunny."), card=CALLING)
    async with (
        open_mcp(weather_server()) as site,
        open_app(model=model, tools={"mcp_server": build()}, default_dialect=dialect) as app,
    ):
        reply = await ask(app, declared(site))
    assert reply.status == 200, reply.body
    call, result, answer = reply.json[dialect]
    details = {"name": "get_weather", "server_name": "weather_service"}
    assert call == {
        "type": "mcp_server_tool_call",
        "id": "c0",
        "arguments": {"location": "New York"},
        **details,
    }
    assert result["type"] == "mcp_server_tool_result"
    assert result["call_id"] == "c0"
    assert result["result"] == {"location": "New York", "temperature": 21.5, "conditions": "sunny"}
    assert details.items() <= result.items()
    assert "Sunny." in str(answer)


async def test_two_servers_with_one_name_answer_each_for_itself() -> None:
    model = ScriptedModel(
        calls(("get_weather", '{"location": "Rome"}'), ("library_get_weather", '{"shelf": "B7"}')),
        say("Fine."),
        card=CALLING,
    )
    async with (
        open_mcp(weather_server()) as one,
        open_mcp(library_server()) as other,
        open_app(model=model, tools={"mcp_server": build()}) as app,
    ):
        reply = await ask(app, declared(one), declared(other, "library"))
    results = {step["server_name"]: step["result"] for step in reply.json["steps"] if "result" in step}
    assert results["weather_service"]["conditions"] == "sunny"
    assert results["library"] == {"result": "B7 is dry"}


async def test_what_a_tool_shows_is_shown_to_the_model() -> None:
    model = ScriptedModel(calls(("cover", '{"title": "Emma"}')), say("Nice."), card=CALLING)
    async with open_mcp(library_server()) as site, open_app(model=model, tools={"mcp_server": build()}) as app:
        reply = await ask(app, declared(site, "library"))
    _, result, _ = reply.json["steps"]
    assert [item["type"] for item in result["result"]] == ["text", "image"]
    assert "The cover of Emma" in str(model.prompts[1].steps[-1])


async def test_a_server_that_cannot_be_used_is_an_ordinary_error_and_nothing_is_kept() -> None:
    async with open_mcp(weather_server()) as site:
        pass
    async with open_app(model=ScriptedModel(card=CALLING), tools={"mcp_server": build()}) as app:
        for fields in ({}, {"stream": True}):
            reply = await ask(app, declared(site), **fields)
            assert reply.status == 400
            assert "tools[0]: the MCP server 'weather_service' cannot be used" in reply.json["error"]["message"]
        assert app.model.prompts == []


async def test_keys_are_in_no_reply_no_log_and_no_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", *logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    seen: list[str] = []

    async def call(request: Any, writer: Any) -> None:
        seen.append(request.headers["authorization"])
        write_error(writer, request, -32000, f"I do not like {request.headers['authorization']}")

    model = ScriptedModel(calls(("echo", "{}")), say("It failed."), card=CALLING)
    store = await open_sqlite(tmp_path / "turnwise.db")
    async with (
        open_liar(pretend(call=call)) as liar,
        open_app(model=model, store=store, tools={"mcp_server": build()}) as app,
    ):
        reply = await ask(app, declared(liar, "liar", headers={"Authorization": KEY}))
        assert reply.json["steps"][1]["is_error"], reply.body
        got = await app.ask("GET", f"/v1beta/interactions/{reply.json['id']}?include_input=true")
    await store.close()
    assert seen == [KEY]
    written = _all_bytes(tmp_path)
    assert b"I do not like [hidden]" in written
    for said in (reply.body, got.body, written, caplog.text.encode(), repr(model.prompts).encode()):
        assert b"0123456789abcdef" not in said


def _all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
