"""Tools, and how freely the model may choose among them: understood, or refused by name."""

from typing import Any

import pytest

from domain.samples import full
from turnwise.domain.errors import InvalidRequest, Unimplemented, UnknownParameter
from turnwise.domain.tools import FunctionTool, ToolChoice
from turnwise.wire import DIALECTS
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
    "no tool at all": ({"allowed_tools": {"tools": []}}, ToolChoice("auto", ())),
}


@pytest.mark.parametrize(("sent", "meant"), CHOICES.values(), ids=CHOICES)
def test_every_form_of_choice_is_understood(sent: Any, meant: ToolChoice):
    assert parse_tool_choice(sent, TOOLS) == meant


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
