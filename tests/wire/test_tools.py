"""Tools, and how freely the model may choose among them: understood, or refused by name."""

from typing import Any

import pytest

from domain.samples import full
from turnwise.domain.errors import InvalidRequest, Unimplemented, UnknownParameter
from turnwise.domain.tools import (
    CodeExecution,
    ComputerUse,
    FileSearch,
    FunctionTool,
    GoogleSearch,
    McpServer,
    Tool,
    ToolChoice,
    UrlContext,
)
from turnwise.wire import DIALECTS
from turnwise.wire.common import render_tool
from turnwise.wire.request import parse_request
from turnwise.wire.tools import (
    LATER_TOOLS,
    FunctionToolBody,
    parse_tool_choice,
    parse_tools,
)

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}
LOOK = {"type": "function", "name": "look", "description": "Looks.", "parameters": SCHEMA}
TOOLS = (FunctionTool("look", "Looks.", SCHEMA), FunctionTool("wait"))
MORE_TOOLS = (*TOOLS, GoogleSearch(), McpServer("weather", "http://a"))


# -- tools


def test_a_function_is_understood():
    assert parse_tools([LOOK]) == (FunctionTool("look", "Looks.", SCHEMA),)


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "name": "look"},
        {"type": "function", "name": "look", "description": None, "parameters": None},
        {"type": "function", "name": "look", "parameters": {}},
    ],
)
def test_a_function_may_take_nothing_and_say_nothing(tool: Any):
    assert parse_tools([tool]) == (FunctionTool("look"),)


def test_the_schema_of_a_function_may_come_under_its_other_name():
    assert parse_tools([{"type": "function", "name": "look", "parametersJsonSchema": SCHEMA}]) == (
        FunctionTool("look", parameters=SCHEMA),
    )


@pytest.mark.parametrize("tools", [None, []])
def test_no_tools_are_no_tools(tools: Any):
    assert parse_tools(tools) == ()


@pytest.mark.parametrize("name", ["look", "_look", "Look.2:it-now", "x" * 128])
def test_names_of_functions_are_taken_as_the_api_takes_them(name: str):
    assert parse_tools([{"type": "function", "name": name}]) == (FunctionTool(name),)


REFUSED: dict[str, tuple[list[Any], str]] = {
    "an unknown tool": ([{"type": "hammer"}], "tools[0].type: unknown tool 'hammer'; one of function, google_search"),
    "a tool without a type": ([LOOK, {"name": "x"}], "tools[1].type: unknown tool null; one of function"),
    "a function without a name": ([{"type": "function"}], "tools[0].name: this field is required"),
    "a name that begins with a digit": (
        [{"type": "function", "name": "2look"}],
        "tools[0].name: '2look' cannot be a function's name: a letter or '_' first",
    ),
    "a name with a space": ([{"type": "function", "name": "look up"}], "tools[0].name: 'look up' cannot be"),
    "an empty name": ([{"type": "function", "name": ""}], "tools[0].name: '' cannot be"),
    "a name too long": ([{"type": "function", "name": "x" * 129}], "tools[0].name: 'xxx"),
    "two functions of one name": ([LOOK, LOOK], "tools[1].name: there are two functions called 'look'"),
    "a schema that is text": (
        [{**LOOK, "parameters": "{}"}],
        "tools[0].parameters: input should be a valid dictionary, not '{}'",
    ),
    "tools of a server that are only named": (
        [{"type": "mcp_server", "name": "weather", "url": "http://a.example", "allowed_tools": ["forecast"]}],
        "tools[0].allowed_tools[0]: input should be a valid dictionary, not 'forecast'",
    ),
    "two schemas": (
        [{**LOOK, "parametersJsonSchema": SCHEMA}],
        "tools[0].parametersJsonSchema: this says the same as `parameters`; leave one out",
    ),
}


@pytest.mark.parametrize(("tools", "message"), REFUSED.values(), ids=REFUSED)
def test_a_tool_that_is_refused_is_named(tools: list[Any], message: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_tools(tools)
    assert refused.value.message.startswith(message)


def test_an_unknown_field_of_a_tool_is_refused_with_a_hint():
    with pytest.raises(UnknownParameter, match=r"^tools\[0\].paramters: .* did you mean 'parameters'\?"):
        parse_tools([{**LOOK, "paramters": {}}])


SERVED: dict[str, tuple[dict[str, Any], Tool]] = {
    "a search": ({"type": "google_search"}, GoogleSearch()),
    "a search for pictures": (
        {"type": "google_search", "search_types": ["web_search", "image_search"]},
        GoogleSearch(("web_search", "image_search")),
    ),
    "addresses": ({"type": "url_context"}, UrlContext()),
    "code": ({"type": "code_execution"}, CodeExecution()),
    "a server": (
        {"type": "mcp_server", "name": "weather_service", "url": "https://example.com/mcp"},
        McpServer("weather_service", "https://example.com/mcp"),
    ),
    "a server with everything": (
        {
            "type": "mcp_server",
            "name": "weather",
            "url": "https://example.com/mcp",
            "headers": {"Authorization": "Bearer key"},
            "allowed_tools": [{"mode": "any", "tools": ["forecast"]}, {"mode": "none", "tools": ["delete"]}, {}],
        },
        McpServer(
            "weather",
            "https://example.com/mcp",
            {"Authorization": "Bearer key"},
            (ToolChoice("any", ("forecast",)), ToolChoice("none", ("delete",)), ToolChoice()),
        ),
    ),
    "a computer": ({"type": "computer_use"}, ComputerUse()),
    "a computer in the founding document's words": (
        {"type": "computer_use", "environment": "browser", "excludedPredefinedFunctions": ["drag_and_drop"]},
        ComputerUse("browser", ("drag_and_drop",)),
    ),
    "a computer with everything": (
        {
            "type": "computer_use",
            "environment": "desktop",
            "excluded_predefined_functions": ["search"],
            "disabled_safety_policies": ["financial_transactions"],
            "enable_prompt_injection_detection": True,
        },
        ComputerUse("desktop", ("search",), ("financial_transactions",), True),
    ),
    "stores of files": (
        {
            "type": "file_search",
            "file_search_store_names": ["fileSearchStores/one"],
            "top_k": 3,
            "metadata_filter": "a",
        },
        FileSearch(("fileSearchStores/one",), 3, "a"),
    ),
}


@pytest.mark.parametrize(("sent", "meant"), SERVED.values(), ids=SERVED)
def test_every_tool_of_the_server_is_understood(sent: dict[str, Any], meant: Tool):
    assert parse_tools([LOOK, sent]) == (TOOLS[0], meant)


REFUSED_SERVED: dict[str, tuple[list[Any], str]] = {
    "a tool twice": (
        [{"type": "google_search"}, {"type": "google_search"}],
        "tools[1].type: the tool 'google_search' is there twice; once is enough",
    ),
    "two servers of one name": (
        [
            {"type": "mcp_server", "name": "a", "url": "http://a"},
            {"type": "mcp_server", "name": "a", "url": "http://b"},
        ],
        "tools[1].name: there are two MCP servers called 'a'",
    ),
    "a server with a dash in its name": (
        [{"type": "mcp_server", "name": "weather-service", "url": "http://a"}],
        "tools[0].name: 'weather-service' cannot be a server's name: a letter or '_' first, then letters, digits, '_' "
        "or '.', 64 at the most; write '_' in place of '-'",
    ),
    "a server without an address": ([{"type": "mcp_server", "name": "a"}], "tools[0].url: this field is required"),
    "exclusions in both spellings": (
        [{"type": "computer_use", "excluded_predefined_functions": [], "excludedPredefinedFunctions": []}],
        "tools[0].excludedPredefinedFunctions: this says the same as `excluded_predefined_functions`; leave one out",
    ),
    "a computer that nobody knows": (
        [{"type": "computer_use", "environment": "toaster"}],
        "tools[0].environment: input should be 'browser', 'mobile' or 'desktop', not 'toaster'",
    ),
    "no stores": ([{"type": "file_search"}], "tools[0].file_search_store_names: name the stores that are searched"),
    "a store that is none": (
        [{"type": "file_search", "file_search_store_names": ["one"]}],
        "tools[0].file_search_store_names[0]: a store is called 'fileSearchStores/ID', not 'one'",
    ),
}


@pytest.mark.parametrize(("tools", "message"), REFUSED_SERVED.values(), ids=REFUSED_SERVED)
def test_a_tool_of_the_server_that_is_declared_wrongly_is_named(tools: list[Any], message: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_tools(tools)
    assert refused.value.message == message


def test_a_search_that_turnwise_does_not_have_is_refused_by_name():
    with pytest.raises(Unimplemented, match=r"^tools\[0\].search_types: turnwise has no 'enterprise_web_search'"):
        parse_tools([{"type": "google_search", "search_types": ["enterprise_web_search"]}])


def test_headers_of_a_server_are_neither_shown_nor_told():
    (server,) = parse_tools(
        [{"type": "mcp_server", "name": "a", "url": "http://a", "headers": {"Authorization": "Bearer key"}}]
    )
    assert "key" not in repr(server)
    assert render_tool(server) == {"type": "mcp_server", "name": "a", "url": "http://a"}


@pytest.mark.parametrize("kind", LATER_TOOLS)
def test_a_tool_that_is_to_come_is_refused_by_name(kind: str):
    with pytest.raises(Unimplemented, match=rf"^tools\[1\].type: turnwise does not have the tool '{kind}' yet"):
        parse_tools([LOOK, {"type": kind}])


@pytest.mark.parametrize("name", FunctionToolBody.LATER)
def test_a_field_of_a_function_that_is_to_come_is_refused_by_name(name: str):
    with pytest.raises(Unimplemented, match=rf"^tools\[0\].{name}: turnwise does not support this yet"):
        parse_tools([{**LOOK, name: True}])


# -- choice

CHOICES: dict[str, tuple[Any, ToolChoice]] = {
    "nothing": (None, ToolChoice()),
    **{mode: (mode, ToolChoice(mode)) for mode in ("auto", "any", "none", "validated")},
    "some tools": ({"allowed_tools": {"tools": ["look"]}}, ToolChoice("auto", ("look",))),
    "some tools in a mode": ({"allowed_tools": {"mode": "any", "tools": ["wait"]}}, ToolChoice("any", ("wait",))),
    "only a mode": ({"allowed_tools": {"mode": "any"}}, ToolChoice("any")),
    "tools of the server": (
        {"allowed_tools": {"tools": ["google_search", "weather"]}},
        ToolChoice("auto", ("google_search", "weather")),
    ),
    "no tool at all": ({"allowed_tools": {"tools": []}}, ToolChoice("auto", ())),
}


@pytest.mark.parametrize(("sent", "meant"), CHOICES.values(), ids=CHOICES)
def test_every_form_of_choice_is_understood(sent: Any, meant: ToolChoice):
    assert parse_tool_choice(sent, MORE_TOOLS) == meant


WRONG_CHOICES: dict[str, tuple[Any, tuple[FunctionTool, ...], str]] = {
    "an unknown mode": ("maybe", TOOLS, ": unknown mode 'maybe'; one of auto, any, none, validated"),
    "a number": (3, TOOLS, ": a mode or an object with `allowed_tools`, not 3"),
    "an empty object": ({}, TOOLS, ".allowed_tools: this field is required"),
    "an unknown field": ({"allowed": {}}, TOOLS, ".allowed_tools: this field is required"),
    "an unknown mode inside": (
        {"allowed_tools": {"mode": "maybe"}},
        TOOLS,
        ".allowed_tools.mode: input should be 'auto', 'any', 'none' or 'validated', not 'maybe'",
    ),
    "a tool that is not there": (
        {"allowed_tools": {"tools": ["look", "run"]}},
        TOOLS,
        ".allowed_tools.tools[1]: there is no tool 'run'; one of look, wait",
    ),
    "a call where there are no tools": ("any", (), ": 'any' demands a call, but there are no tools; add `tools`"),
    "a call where none is allowed": (
        {"allowed_tools": {"mode": "any", "tools": []}},
        TOOLS,
        ".allowed_tools.tools: 'any' demands a call, but none is allowed; name one",
    ),
}


@pytest.mark.parametrize(("sent", "tools", "message"), WRONG_CHOICES.values(), ids=WRONG_CHOICES)
def test_a_choice_that_is_refused_is_named(sent: Any, tools: tuple[FunctionTool, ...], message: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_tool_choice(sent, tools)
    assert refused.value.message == f"generation_config.tool_choice{message}"


# -- and back


@pytest.mark.parametrize("dialect", DIALECTS)
def test_settings_that_are_read_and_sent_back_are_the_same_settings(dialect: Any):
    shown = DIALECTS[dialect].render_interaction(full())
    names = (
        "tools",
        "response_format",
        "response_modalities",
        "generation_config",
        "system_instruction",
        "labels",
        "service_tier",
    )
    turn = parse_request({"model": "m", "input": "Hi", **{name: shown[name] for name in names}})
    for name in (
        "tools",
        "tool_choice",
        "response_format",
        "response_modalities",
        "image",
        "audio",
        "voices",
        "generation",
        "system_instruction",
        "echo",
    ):
        assert getattr(turn, name) == getattr(full().turn, name)
