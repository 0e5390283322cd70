"""What a request says of tools: `tools` and `tool_choice`.

Whether a schema is a good one is looked at in `engine/schema.py`; here only the API's own rules are read.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.tools import FunctionTool, ToolChoice
from turnwise.wire.invalid import explain, shown

LATER_TOOLS = (
    "google_search",
    "code_execution",
    "url_context",
    "computer_use",
    "mcp_server",
    "file_search",
    "google_maps",
    "retrieval",
    "tool_search",
)
"""Tools of the API that turnwise does not have yet."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_MODES = ("auto", "any", "none", "validated")


class ToolBody(BaseModel):
    """A JSON object that describes a tool, or a choice of tools: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FunctionToolBody(ToolBody):
    """A function that the client runs."""

    type: Literal["function"]
    name: str
    """A letter or '_' first, then letters, digits, '_', '.', ':' or '-'; 128 at the most."""
    description: str | None = None
    """What it does and when to call it, for the model."""
    parameters: dict[str, Any] | None = None
    """The JSON Schema of its arguments, an object."""
    parametersJsonSchema: dict[str, Any] | None = None
    """The same under another name."""
    defer_loading: Any = None
    """Whether the model finds it by a search for tools only."""
    short_description: Any = None
    """What such a search shows of it."""

    LATER: ClassVar = ("defer_loading", "short_description")


class AllowedToolsBody(ToolBody):
    """The tools that the model may choose among."""

    mode: Literal["auto", "any", "none", "validated"] | None = None
    """How freely it may choose."""
    tools: list[str] | None = None
    """Their names. All, if this is left out."""


class ToolChoiceBody(ToolBody):
    """A choice that names tools."""

    allowed_tools: AllowedToolsBody
    """Which, and how freely."""


def parse_tools(tools: Sequence[Mapping[str, JSON]] | None) -> tuple[FunctionTool, ...]:
    """The tools of a request.

    Raises:
        InvalidRequest: a tool of an unknown type, or a declaration that breaks the API's rules.
        Unimplemented: a tool that turnwise does not have yet.
    """
    parsed: list[FunctionTool] = []
    for index, tool in enumerate(tools or ()):
        function = _parse_tool(tool, f"tools[{index}]")
        if any(other.name == function.name for other in parsed):
            raise InvalidRequest(f"there are two functions called '{function.name}'", field=f"tools[{index}].name")
        parsed.append(function)
    return tuple(parsed)


def _parse_tool(tool: Mapping[str, JSON], path: str) -> FunctionTool:
    kind = tool.get("type")
    if kind in LATER_TOOLS:
        raise Unimplemented(f"{path}.type: turnwise does not have the tool '{kind}' yet; leave it out")
    if kind != "function":
        raise InvalidRequest(
            f"unknown tool {shown(kind)}; one of function, {', '.join(LATER_TOOLS)}", field=f"{path}.type"
        )
    try:
        body = FunctionToolBody.model_validate(tool)
    except ValidationError as error:
        raise explain(error, FunctionToolBody, path) from None
    for name in FunctionToolBody.LATER:
        if getattr(body, name) is not None:
            raise Unimplemented(f"{path}.{name}: turnwise does not support this yet; leave it out")
    if body.parameters is not None and body.parametersJsonSchema is not None:
        raise InvalidRequest("this says the same as `parameters`; leave one out", field=f"{path}.parametersJsonSchema")
    if not _NAME.fullmatch(body.name):
        raise InvalidRequest(
            f"'{body.name[:140]}' cannot be a function's name: a letter or '_' first, then letters, digits, "
            "'_', '.', ':' or '-', 128 at the most",
            field=f"{path}.name",
        )
    return FunctionTool(body.name, body.description or "", body.parameters or body.parametersJsonSchema or {})


def parse_tool_choice(choice: JSON, tools: Sequence[FunctionTool]) -> ToolChoice:
    """How freely the model may choose.

    Raises:
        InvalidRequest: an unknown mode, a name that no tool has, or a call demanded where there are no tools.
    """
    field = "generation_config.tool_choice"
    if choice is None:
        return ToolChoice()
    if isinstance(choice, str):
        if choice not in _MODES:
            raise InvalidRequest(f"unknown mode '{choice}'; one of {', '.join(_MODES)}", field=field)
        parsed = ToolChoice(choice)  # type: ignore[arg-type]
    else:
        parsed = _parse_allowed(choice, tools, field)
    if parsed.mode == "any" and not tools:
        raise InvalidRequest("'any' demands a call, but there are no tools; add `tools`", field=field)
    if parsed.mode == "any" and parsed.allowed == ():
        raise InvalidRequest(
            "'any' demands a call, but none is allowed; name one", field=f"{field}.allowed_tools.tools"
        )
    return parsed


def _parse_allowed(choice: JSON, tools: Sequence[FunctionTool], field: str) -> ToolChoice:
    if not isinstance(choice, dict):
        raise InvalidRequest(f"a mode or an object with `allowed_tools`, not {shown(choice)}", field=field)
    try:
        body = ToolChoiceBody.model_validate(choice).allowed_tools
    except ValidationError as error:
        raise explain(error, ToolChoiceBody, field) from None
    known = [tool.name for tool in tools]
    for index, name in enumerate(body.tools or ()):
        if name not in known:
            raise InvalidRequest(
                f"there is no tool '{name}'; one of {', '.join(known) or 'none'}",
                field=f"{field}.allowed_tools.tools[{index}]",
            )
    return ToolChoice(body.mode or "auto", tuple(body.tools) if body.tools is not None else None)
