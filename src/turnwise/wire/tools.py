"""What a request says of tools: `tools` and `tool_choice`.

Whether a schema is a good one is looked at in `engine/schema.py`; here only the API's own rules are read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.tools import (
    AS_IT_LIKES,
    CodeExecution,
    ComputerUse,
    FileSearch,
    FunctionTool,
    GoogleSearch,
    McpServer,
    Tool,
    ToolChoice,
    UrlContext,
    choice_name,
)
from turnwise.wire.invalid import explain, shown

LATER_TOOLS = ("google_maps", "retrieval", "tool_search")
"""Tools of the API that turnwise does not have yet."""

MCP_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")
"""How an MCP server may be called: without a '-', which stands in no name of the API's own."""

STORE_PREFIX = "fileSearchStores/"

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


class GoogleSearchBody(ToolBody):
    """Search."""

    type: Literal["google_search"]
    search_types: list[Literal["web_search", "image_search", "enterprise_web_search"]] | None = None
    """What is searched for; by default the web."""


class UrlContextBody(ToolBody):
    """Reading what stands at addresses of the conversation."""

    type: Literal["url_context"]


class CodeExecutionBody(ToolBody):
    """Running Python that the model writes, in a sandbox."""

    type: Literal["code_execution"]


class McpAllowedBody(ToolBody):
    """Tools of a server that the model may call."""

    mode: Literal["auto", "any", "none", "validated"] | None = None
    """How freely it may call them."""
    tools: list[str] | None = None
    """Their names. All, if this is left out."""


class McpServerBody(ToolBody):
    """The tools of a server that speaks the Model Context Protocol over streamable HTTP."""

    type: Literal["mcp_server"]
    name: str
    """What it is called in the steps: letters, digits, '_' and '.'; no '-'."""
    url: str
    """Its address."""
    headers: dict[str, str] | None = None
    """What is sent along, as keys are. Neither kept nor given back."""
    allowed_tools: list[McpAllowedBody] | None = None
    """Which of its tools the model may call; by default all."""


class ComputerUseBody(ToolBody):
    """Actions on a computer that the client carries out."""

    type: Literal["computer_use"]
    environment: Literal["browser", "mobile", "desktop"] | None = None
    """What kind of computer it is; by default a browser."""
    excluded_predefined_functions: list[str] | None = None
    """Actions that the model is not offered."""
    excludedPredefinedFunctions: list[str] | None = None
    """The same under the founding document's name."""
    disabled_safety_policies: list[str] | None = None
    """Risks that the model need not ask about."""
    enable_prompt_injection_detection: bool | None = None
    """Whether the model is to watch for instructions in what it is shown."""


class FileSearchBody(ToolBody):
    """Searching what was put into file search stores."""

    type: Literal["file_search"]
    file_search_store_names: list[str] | None = None
    """The stores, `fileSearchStores/ID` each."""
    top_k: Annotated[int, Field(ge=1, le=100)] | None = None
    """How many passages the model is given."""
    metadata_filter: str | None = None
    """Which documents are searched, as in `author = "Kafka" AND year > 1910`."""


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


B = TypeVar("B", bound=ToolBody)


def parse_tools(tools: Sequence[Mapping[str, JSON]] | None) -> tuple[Tool, ...]:
    """The tools of a request.

    Raises:
        InvalidRequest: a tool of an unknown type, or a declaration that breaks the API's rules.
        Unimplemented: a tool that turnwise does not have yet.
    """
    parsed: list[Tool] = []
    for index, tool in enumerate(tools or ()):
        one, path = _parse_tool(tool, f"tools[{index}]"), f"tools[{index}]"
        _check_twice(one, parsed, path)
        parsed.append(one)
    return tuple(parsed)


def _parse_tool(tool: Mapping[str, JSON], path: str) -> Tool:
    kind = tool.get("type")
    if kind in LATER_TOOLS:
        raise Unimplemented(f"{path}.type: turnwise does not have the tool '{kind}' yet; leave it out")
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise InvalidRequest(
            f"unknown tool {shown(kind)}; one of {', '.join((*_PARSERS, *LATER_TOOLS))}", field=f"{path}.type"
        )
    return parse(tool, path)


def _check_twice(tool: Tool, before: Sequence[Tool], path: str) -> None:
    """Refuse what could not be told apart, or would be the same thing twice."""
    match tool:
        case FunctionTool(name):
            if any(isinstance(other, FunctionTool) and other.name == name for other in before):
                raise InvalidRequest(f"there are two functions called '{name}'", field=f"{path}.name")
        case McpServer(name):
            if any(isinstance(other, McpServer) and other.name == name for other in before):
                raise InvalidRequest(f"there are two MCP servers called '{name}'", field=f"{path}.name")
        case _:
            if any(other.type == tool.type for other in before):
                raise InvalidRequest(f"the tool '{tool.type}' is there twice; once is enough", field=f"{path}.type")


def _read(body: type[B], tool: Mapping[str, JSON], path: str) -> B:
    try:
        return body.model_validate(tool)
    except ValidationError as error:
        raise explain(error, body, path) from None


def _parse_function(tool: Mapping[str, JSON], path: str) -> FunctionTool:
    body = _read(FunctionToolBody, tool, path)
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


def _parse_google_search(tool: Mapping[str, JSON], path: str) -> GoogleSearch:
    types = _read(GoogleSearchBody, tool, path).search_types or ()
    if "enterprise_web_search" in types:
        raise Unimplemented(
            f"{path}.search_types: turnwise has no 'enterprise_web_search'; use 'web_search' or 'image_search'"
        )
    return GoogleSearch(tuple(dict.fromkeys(types)))  # type: ignore[arg-type]


def _parse_url_context(tool: Mapping[str, JSON], path: str) -> UrlContext:
    _read(UrlContextBody, tool, path)
    return UrlContext()


def _parse_code_execution(tool: Mapping[str, JSON], path: str) -> CodeExecution:
    _read(CodeExecutionBody, tool, path)
    return CodeExecution()


def _parse_mcp_server(tool: Mapping[str, JSON], path: str) -> McpServer:
    body = _read(McpServerBody, tool, path)
    if not MCP_NAME.fullmatch(body.name):
        raise InvalidRequest(
            f"'{body.name[:80]}' cannot be a server's name: a letter or '_' first, then letters, digits, '_' or '.', "
            "64 at the most; write '_' in place of '-'",
            field=f"{path}.name",
        )
    allowed = [
        ToolChoice(one.mode or "auto", None if one.tools is None else tuple(one.tools))
        for one in body.allowed_tools or ()
    ]
    return McpServer(body.name, body.url, body.headers or {}, tuple(allowed))


def _parse_computer_use(tool: Mapping[str, JSON], path: str) -> ComputerUse:
    body = _read(ComputerUseBody, tool, path)
    excluded = body.excluded_predefined_functions, body.excludedPredefinedFunctions
    if None not in excluded:
        raise InvalidRequest(
            "this says the same as `excluded_predefined_functions`; leave one out",
            field=f"{path}.excludedPredefinedFunctions",
        )
    return ComputerUse(
        body.environment or "browser",
        tuple(excluded[0] or excluded[1] or ()),
        tuple(body.disabled_safety_policies or ()),
        body.enable_prompt_injection_detection is True,
    )


def _parse_file_search(tool: Mapping[str, JSON], path: str) -> FileSearch:
    body = _read(FileSearchBody, tool, path)
    names = body.file_search_store_names or []
    if not names:
        raise InvalidRequest("name the stores that are searched", field=f"{path}.file_search_store_names")
    for index, name in enumerate(names):
        if not name.startswith(STORE_PREFIX):
            raise InvalidRequest(
                f"a store is called '{STORE_PREFIX}ID', not '{name[:80]}'",
                field=f"{path}.file_search_store_names[{index}]",
            )
    return FileSearch(tuple(dict.fromkeys(names)), body.top_k, body.metadata_filter or None)


_PARSERS: Mapping[str, Callable[[Mapping[str, JSON], str], Tool]] = {
    "function": _parse_function,
    "google_search": _parse_google_search,
    "code_execution": _parse_code_execution,
    "url_context": _parse_url_context,
    "computer_use": _parse_computer_use,
    "mcp_server": _parse_mcp_server,
    "file_search": _parse_file_search,
}


def parse_tool_choice(choice: JSON, tools: Sequence[Tool]) -> ToolChoice:
    """How freely the model may choose.

    Raises:
        InvalidRequest: an unknown mode, a name that no tool has, or a call demanded where there are no tools.
    """
    field = "generation_config.tool_choice"
    if choice is None:
        return AS_IT_LIKES
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


def _parse_allowed(choice: JSON, tools: Sequence[Tool], field: str) -> ToolChoice:
    if not isinstance(choice, dict):
        raise InvalidRequest(f"a mode or an object with `allowed_tools`, not {shown(choice)}", field=field)
    try:
        body = ToolChoiceBody.model_validate(choice).allowed_tools
    except ValidationError as error:
        raise explain(error, ToolChoiceBody, field) from None
    known = [choice_name(tool) for tool in tools]
    for index, name in enumerate(body.tools or ()):
        if name not in known:
            raise InvalidRequest(
                f"there is no tool '{name}'; one of {', '.join(known) or 'none'}",
                field=f"{field}.allowed_tools.tools[{index}]",
            )
    return ToolChoice(body.mode or "auto", tuple(body.tools) if body.tools is not None else None)
