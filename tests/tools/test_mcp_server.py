"""The tools of MCP servers, against servers of the official SDK on loopback ports, in each form that they come in."""

import asyncio
import base64
import logging
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from mcp_servers import PIXEL, Held, curious_server, library_server, open_mcp, slow_server, weather_server
from media.web import PUBLIC
from support import PATIENCE, started_tasks, within
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, Unimplemented
from turnwise.domain.tools import McpServer, ToolChoice
from turnwise.tools.tool import Occasion, OpenTool

from .mcp_turns import Clock, build, call, declare, opened

FORMS: dict[str, dict[str, bool]] = {
    "asked what it is": {},
    "asked what it is, JSON": {"json": True},
    "greeted": {"handshake": True},
    "greeted, JSON": {"handshake": True, "json": True},
    "greeted, without sessions": {"handshake": True, "stateless": True},
    "greeted, without sessions, JSON": {"handshake": True, "stateless": True, "json": True},
}
"""The forms in which servers come."""


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> dict[str, bool]:
    return FORMS[request.param]


# -- what a server has, and what comes of calls


async def test_a_server_has_tools_and_answers_calls_in_every_form(form: dict[str, bool]) -> None:
    async with open_mcp(weather_server(), **form) as site, opened(declare(site)) as weather:
        [function] = weather.functions
        assert function.name == "get_weather"
        assert function.description == (
            "Get the weather of a city.\n\nArgs:\n    location: The city, as in New York.\n"
            "    date: The day, as in today or 2026-01-02."
        )
        assert function.parameters["required"] == ["location"]
        outcome = await call(weather, "get_weather", location="New York")
        assert outcome.result == {"location": "New York", "temperature": 21.5, "conditions": "sunny"}
        assert "sunny" in outcome.told


async def test_several_calls_run_at_once(form: dict[str, bool]) -> None:
    async with open_mcp(weather_server(), **form) as site, opened(declare(site)) as weather:
        outcomes = await asyncio.gather(*(call(weather, "get_weather", location=str(n)) for n in range(8)))
        assert [outcome.result["location"] for outcome in outcomes] == [str(n) for n in range(8)]


async def test_a_call_appears_with_the_names_of_the_tool_and_its_server() -> None:
    async with open_mcp(weather_server()) as site, opened(declare(site)) as weather:
        assert weather.tool == "mcp_server_tool"
        arguments = {"location": "Rome"}
        assert weather.shown("get_weather", arguments) == (
            arguments,
            {"name": "get_weather", "server_name": "weather_service"},
        )


async def test_two_servers_have_tools_of_one_name() -> None:
    tool = build()
    async with (
        open_mcp(weather_server()) as one,
        open_mcp(library_server()) as other,
        opened(declare(one), tool) as weather,
        opened(declare(other, "library"), tool) as library,
    ):
        assert "get_weather" in {function.name for function in library.functions}
        assert (await call(weather, "get_weather", location="Rome")).result["conditions"] == "sunny"
        assert (await call(library, "get_weather", shelf="B7")).told == "B7 is dry"


async def test_images_come_as_content(form: dict[str, bool]) -> None:
    async with open_mcp(library_server(), **form) as site, opened(declare(site, "library")) as library:
        outcome = await call(library, "cover", title="Emma")
        text, image = outcome.result
        assert text == {"type": "text", "text": "The cover of Emma:"}
        assert image["type"] == "image"
        assert image["mime_type"] == "image/png"
        assert base64.b64decode(image["data"]) == PIXEL
        assert outcome.told == outcome.result


async def test_files_come_behind_the_result_and_links_are_named() -> None:
    async with open_mcp(library_server()) as site, opened(declare(site, "library")) as library:
        outcome = await call(library, "page", title="Emma")
        assert "[book://1]\nIt was dark." in outcome.told
        assert "[the second page at book://2, text/plain]" in outcome.told
        [made] = outcome.made
        assert (made.name, made.mime_type, made.data) == ("all.zip", "application/zip", b"PK...")


async def test_a_tool_that_fails_is_a_result_that_says_so(form: dict[str, bool]) -> None:
    async with open_mcp(library_server(), **form) as site, opened(declare(site, "library")) as library:
        outcome = await within(library.call("burn", {"title": "Emma"}))
        assert outcome.is_error
        assert "Emma does not burn" in outcome.told


async def test_a_tool_that_gives_nothing_is_told_so() -> None:
    async with open_mcp(library_server()) as site, opened(declare(site, "library")) as library:
        outcome = await call(library, "nothing")
        assert outcome.result == ""
        assert outcome.told == "the tool ran, and gave nothing back"


async def test_what_is_to_be_sent_as_a_header_too_is_sent_even_if_the_list_is_remembered() -> None:
    tool = build()
    async with open_mcp(library_server()) as site:
        for made in (1, 3):  # the second turn does not know it before the server complains
            async with opened(declare(site, "library"), tool) as library:
                assert (await call(library, "shelf", city="Rome")).told == "the shelf of Rome"
            assert site.asked.count("tools/call") == made
        assert site.requests[-1].headers["mcp-param-city"] == "Rome"


# -- which tools


async def test_only_allowed_tools_are_offered() -> None:
    async with open_mcp(library_server()) as site:
        allowed = (ToolChoice("auto", ("cover", "page")),)
        async with opened(declare(site, "library", allowed_tools=allowed)) as library:
            assert [function.name for function in library.functions] == ["cover", "page"]
            assert not library.is_demanded


async def test_excluded_tools_are_not_offered() -> None:
    async with open_mcp(library_server()) as site:
        allowed = (ToolChoice("none", ("burn", "page")),)
        async with opened(declare(site, "library", allowed_tools=allowed)) as library:
            assert [function.name for function in library.functions] == ["get_weather", "cover", "shelf", "nothing"]


async def test_a_call_may_be_demanded() -> None:
    async with open_mcp(library_server()) as site:
        allowed = (ToolChoice("any", ("cover",)),)
        async with opened(declare(site, "library", allowed_tools=allowed)) as library:
            assert [function.name for function in library.functions] == ["cover"]
            assert library.is_demanded


async def test_a_server_of_which_nothing_is_allowed_is_not_asked() -> None:
    async with open_mcp(library_server()) as site:
        async with opened(declare(site, "library", allowed_tools=(ToolChoice("none"),))) as library:
            assert library.functions == []
        assert site.requests == []


async def test_a_tool_that_the_server_does_not_have_is_named() -> None:
    async with open_mcp(library_server()) as site:
        allowed = (ToolChoice("auto", ("cover",)), ToolChoice("auto", ("page", "steal")))
        with pytest.raises(InvalidRequest) as error:
            async with opened(declare(site, "library", allowed_tools=allowed)):
                pass
        assert error.value.field == "tools[0].allowed_tools[1].tools[1]"
        assert "'steal'" in error.value.message
        assert "burn, cover, get_weather" in error.value.message


# -- the list is remembered


async def test_a_turn_whose_list_is_remembered_connects_only_when_the_model_calls(form: dict[str, bool]) -> None:
    tool = build()
    async with open_mcp(weather_server(), **form) as site:
        async with opened(declare(site), tool):
            pass
        site.requests.clear()
        async with opened(declare(site), tool) as weather:
            assert [function.name for function in weather.functions] == ["get_weather"]
            assert site.requests == []
            await call(weather, "get_weather", location="Rome")
        assert "tools/list" not in site.asked
        assert "server/discover" not in site.asked
        assert site.asked[-1] == "tools/call"


async def test_a_list_is_forgotten_after_a_while() -> None:
    clock = Clock()
    tool = build(listing_seconds=300, clock=clock)
    async with open_mcp(weather_server()) as site:
        for later, lists in ((0, 1), (299, 1), (2, 2)):
            clock.now += later
            async with opened(declare(site), tool):
                pass
            assert site.asked.count("tools/list") == lists


async def test_nothing_is_remembered_if_that_is_set() -> None:
    tool = build(listing_seconds=0)
    async with open_mcp(weather_server()) as site:
        for _ in range(2):
            async with opened(declare(site), tool):
                pass
        assert site.asked.count("tools/list") == 2


@pytest.mark.parametrize("other", [{"owner": "you"}, {"headers": {"X-Key": "another"}}])
async def test_a_list_is_not_shown_to_another_owner_nor_for_another_key(other: dict[str, Any]) -> None:
    tool = build()
    async with open_mcp(weather_server()) as site:
        async with opened(declare(site, headers={"X-Key": "opensesame"}), tool):
            pass
        declared = declare(site, headers=other.get("headers", {"X-Key": "opensesame"}))
        async with opened(declared, tool, owner=other.get("owner", "me")):
            pass
        assert site.asked.count("tools/list") == 2


async def test_a_server_that_says_that_its_tools_are_others_is_asked_again() -> None:
    tool = build()
    async with open_mcp(curious_server(), handshake=True) as site:
        async with opened(declare(site), tool) as curious:
            await call(curious, "learn")
            async with asyncio.timeout(PATIENCE):
                while tool._listings._kept:  # noqa: ASYNC110 (there is no event)
                    await asyncio.sleep(0)
        async with opened(declare(site), tool) as curious:
            assert "sing" in {function.name for function in curious.functions}


async def test_a_server_that_became_another_is_asked_what_it_is() -> None:
    tool = build()
    async with open_mcp(weather_server()) as site, opened(declare(site), tool):
        pass
    async with open_mcp(weather_server(), handshake=True, port=site.port) as site:
        async with opened(declare(site), tool) as weather:
            outcome = await within(weather.call("get_weather", {"location": "Rome"}))
        async with opened(declare(site), tool) as weather:
            assert (await call(weather, "get_weather", location="Rome")).result["location"] == "Rome"
        assert outcome.is_error or outcome.result["location"] == "Rome"


# -- time


async def test_a_call_ends_when_its_time_is_up(form: dict[str, bool]) -> None:
    held = Held()
    async with open_mcp(slow_server(held), **form) as site:
        async with opened(declare(site, "slow"), build(seconds=0.5)) as slow:
            outcome = await within(slow.call("wait", {}))
        held.let_go()
    assert outcome.is_error
    assert "gave no result within 0.5 s" in outcome.told


@pytest.mark.parametrize("handshake", [False, True])
async def test_progress_earns_a_call_more_time(handshake: bool) -> None:
    async with (
        open_mcp(slow_server(Held()), handshake=handshake) as site,
        opened(declare(site, "slow"), build(seconds=0.6)) as slow,
    ):
        outcome = await call(slow, "climb", steps=6, every=0.25)
    assert outcome.told == "at the top"


async def test_progress_does_not_earn_time_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwise.tools.mcp_server.session.PROGRESS", 2)
    async with open_mcp(slow_server(Held())) as site, opened(declare(site, "slow"), build(seconds=0.5)) as slow:
        outcome = await within(slow.call("climb", {"steps": 100, "every": 0.1}))
    assert outcome.is_error
    assert "within 1 s" in outcome.told


@pytest.mark.parametrize("handshake", [False, True])
async def test_a_call_that_is_cancelled_is_cancelled_at_the_server(handshake: bool) -> None:
    held = Held()
    async with open_mcp(slow_server(held), handshake=handshake) as site, opened(declare(site, "slow")) as slow:
        calling = asyncio.create_task(slow.call("wait", {}))
        await held.started()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(calling)
        await held.cancelled()
        assert handshake == ("notifications/cancelled" in site.asked)


async def test_a_turn_that_is_closed_by_another_task_leaves_nothing() -> None:
    held = Held()
    before = asyncio.all_tasks()
    async with open_mcp(slow_server(held), handshake=True) as site:
        turn = build().open(declare(site, "slow"), Occasion("me", ()))
        slow = await turn.__aenter__()
        calling = asyncio.create_task(slow.call("wait", {}))
        await held.started()
        await within(asyncio.create_task(_close(turn)))
        outcome = await within(calling)
        assert outcome.is_error
        await held.cancelled()
    assert started_tasks(before) == []


async def _close(turn: AbstractAsyncContextManager[OpenTool]) -> None:
    await turn.__aexit__(None, None, None)


# -- what servers want, and lose


@pytest.mark.parametrize("tool", ["ask_person", "ask_model", "ask_roots"])
@pytest.mark.parametrize("handshake", [False, True])
async def test_what_a_server_wants_of_its_client_is_refused(tool: str, handshake: bool) -> None:
    async with open_mcp(curious_server(), handshake=handshake) as site, opened(declare(site, "curious")) as curious:
        outcome = await within(curious.call(tool, {}))
        assert "refused" in outcome.told or outcome.is_error
        assert "answered" not in outcome.told


async def test_a_session_that_the_server_forgot_is_begun_again() -> None:
    async with open_mcp(weather_server(), handshake=True) as site, opened(declare(site)) as weather:
        await call(weather, "get_weather", location="Rome")
        await site.stop()
        async with open_mcp(weather_server(), handshake=True, port=site.port) as again:
            outcome = await call(weather, "get_weather", location="Oslo")
            assert outcome.result["location"] == "Oslo"
            assert again.asked.count("initialize") == 1
            assert again.asked.count("tools/call") == 2


async def test_a_server_that_is_gone_is_a_result_that_says_so() -> None:
    async with open_mcp(weather_server()) as site, opened(declare(site)) as weather:
        await site.stop()
        outcome = await within(weather.call("get_weather", {"location": "Rome"}))
        assert outcome.is_error
        assert "cannot be reached" in outcome.told or "broke off" in outcome.told


# -- what cannot be reached


async def test_a_server_that_is_not_there_is_an_error_of_the_request() -> None:
    async with open_mcp(weather_server()) as site:
        pass
    with pytest.raises(FailedPrecondition) as error:
        async with opened(declare(site)):
            pass
    assert error.value.message.startswith("tools[0]: the MCP server 'weather_service' cannot be used: the address ")
    assert "cannot be reached" in error.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/mcp",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:80/mcp",
        "http://2130706433/mcp",
        "file:///etc/passwd",
        "http://user:password@127.0.0.1/mcp",
        "ftp://127.0.0.1/mcp",
        "",
    ],
)
async def test_an_address_that_may_not_be_reached_is_an_error_of_the_request(url: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        async with opened(McpServer("weather", url), build(allow=("127.0.0.1:1",))):
            pass
    assert error.value.field == "tools[0].url"
    assert "password" not in error.value.message.replace("a user name or a password", "")


async def test_a_name_that_leads_to_a_private_address_is_not_connected_to() -> None:
    async with open_mcp(weather_server()) as site:
        site.host = PUBLIC
        with pytest.raises(FailedPrecondition) as error:
            async with opened(declare(site), build(allow=(), names={PUBLIC: ["127.0.0.1"]})):
                pass
        assert "private or reserved" in error.value.message
        assert "127.0.0.1" not in error.value.message
        assert site.requests == []


async def test_a_name_that_leads_elsewhere_later_is_not_connected_to() -> None:
    """DNS rebinding: what was allowed when the tools were listed is looked up again for each connection."""
    tool = build(allow=("127.0.0.2",), names={PUBLIC: [["127.0.0.2"], ["127.0.0.1"]]})
    async with open_mcp(weather_server()) as site:
        site.host = PUBLIC
        with pytest.raises(FailedPrecondition):  # 127.0.0.2 takes no connections: this port is another's
            async with opened(declare(site), tool):
                pass
        with pytest.raises(FailedPrecondition) as error:
            async with opened(declare(site), tool):
                pass
        assert "private or reserved" in error.value.message
        assert site.requests == []


async def test_a_server_may_be_allowed_by_its_name() -> None:
    async with open_mcp(weather_server()) as site:
        site.host = PUBLIC
        async with opened(declare(site), build(allow=(PUBLIC,), names={PUBLIC: ["127.0.0.1"]})) as weather:
            assert (await call(weather, "get_weather", location="Rome")).result["location"] == "Rome"


async def test_the_missing_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'mcp'", name="mcp")

    monkeypatch.setattr("turnwise.tools.mcp_server.tool.importlib.import_module", import_module)
    with pytest.raises(Unimplemented) as error:
        async with opened(McpServer("weather", "http://127.0.0.1:1/mcp")):
            pass
    assert "pip install 'turnwise[tools]'" in error.value.message


# -- headers


async def test_headers_are_sent_with_each_request(form: dict[str, bool]) -> None:
    headers = {"Authorization": "Bearer abc.def.ghi", "X-Tenant": "seven"}
    async with open_mcp(weather_server(), **form) as site:
        async with opened(declare(site, headers=headers)) as weather:
            await call(weather, "get_weather", location="Rome")
        assert site.requests
        for request in site.requests:
            assert request.headers["authorization"] == "Bearer abc.def.ghi"
            assert request.headers["x-tenant"] == "seven"
            assert request.headers["user-agent"].startswith("turnwise/")


async def test_headers_are_in_no_log_and_in_no_repr(form: dict[str, bool], caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", *logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    declared: Any = None
    async with open_mcp(library_server(), **form) as site:
        declared = declare(site, headers={"Authorization": "Bearer abc.def.ghi"})
        async with opened(declared) as library:
            await call(library, "cover", title="Emma")
            await within(library.call("burn", {"title": "Emma"}))
    assert "abc.def.ghi" not in caplog.text
    assert "abc.def.ghi" not in repr(declared)
