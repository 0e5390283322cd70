"""Tools: what a model may do in a turn, and how freely it may choose.

A function is run by the client, and ends the turn that calls it. The other tools are declared by a type and run on the
server, within the turn; but for `computer_use`, whose actions are the client's to carry out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from turnwise.domain.content import JSON

Schema: TypeAlias = Mapping[str, JSON]
"""A JSON Schema."""


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function that the client runs: the model asks for it, the turn ends, the result comes with the next one."""

    name: str
    description: str = ""
    parameters: Schema = field(default_factory=dict)
    """The JSON Schema of its arguments, an object. Empty: it takes none."""
    type: Literal["function"] = "function"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """How freely the model may choose among the tools.

    `auto`: call or speak. `any`: it must call. `none`: it must not. `validated`: as auto, with valid arguments, which
    turnwise sees to in every mode.
    """

    mode: Literal["auto", "any", "none", "validated"] = "auto"
    allowed: tuple[str, ...] | None = None
    """The names that it may choose among. None: all."""


AS_IT_LIKES = ToolChoice()
"""The model calls what it likes, or nothing."""


SearchType: TypeAlias = Literal["web_search", "image_search"]

ComputerEnvironment: TypeAlias = Literal["browser", "mobile", "desktop"]


@dataclass(frozen=True, slots=True)
class GoogleSearch:
    """Search. The queries are the model's; the engine is whoever runs this server's choice."""

    search_types: tuple[SearchType, ...] = ()
    """What is searched for. Empty: the web."""
    type: Literal["google_search"] = "google_search"


@dataclass(frozen=True, slots=True)
class UrlContext:
    """Reading what stands at addresses of the conversation."""

    type: Literal["url_context"] = "url_context"


@dataclass(frozen=True, slots=True)
class CodeExecution:
    """Running Python that the model writes, in a sandbox."""

    type: Literal["code_execution"] = "code_execution"


@dataclass(frozen=True, slots=True)
class McpServer:
    """The tools of a server that speaks the Model Context Protocol over streamable HTTP."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What is sent along. Keys may be in it: it is neither kept nor given back."""
    allowed_tools: tuple[ToolChoice, ...] = ()
    """Which of its tools the model may call, and how freely. Empty: all of them."""
    type: Literal["mcp_server"] = "mcp_server"


@dataclass(frozen=True, slots=True)
class ComputerUse:
    """Actions on a computer that the client carries out, and shows the model what came of them."""

    environment: ComputerEnvironment = "browser"
    excluded_functions: tuple[str, ...] = ()
    """The predefined actions that the model is not offered."""
    disabled_safety_policies: tuple[str, ...] = ()
    enable_prompt_injection_detection: bool = False
    type: Literal["computer_use"] = "computer_use"


@dataclass(frozen=True, slots=True)
class FileSearch:
    """Searching what was put into file search stores."""

    store_names: tuple[str, ...]
    """`fileSearchStores/ID` each."""
    top_k: int | None = None
    """How many passages are given to the model. None: as the server has it."""
    metadata_filter: str | None = None
    """Which documents are searched, as in AIP-160: `author = "Kafka" AND year > 1910`."""
    type: Literal["file_search"] = "file_search"


ServedTool: TypeAlias = GoogleSearch | UrlContext | CodeExecution | McpServer | ComputerUse | FileSearch
"""A tool that is declared by its type, and whose functions turnwise knows."""

Tool: TypeAlias = FunctionTool | ServedTool


def choice_name(tool: Tool) -> str:
    """How a choice of tools calls one: functions and MCP servers by their names, others by their types."""
    return tool.name if isinstance(tool, FunctionTool | McpServer) else tool.type
