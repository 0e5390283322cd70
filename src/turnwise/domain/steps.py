"""Steps: the grain of a timeline. What was said, thought, called and answered, in the order in which it happened.

A step of kind `model_output` or `user_input` has parts (its content); every other kind is whole in itself. The
union is closed, so that `match` over it can end in `assert_never`; `UnknownStep` keeps what a newer version of
turnwise wrote into a store that this one reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from turnwise.domain.content import JSON, MEDIA_TYPES, Content

ServerTool: TypeAlias = Literal[
    "code_execution",
    "url_context",
    "google_search",
    "google_maps",
    "mcp_server_tool",
    "file_search",
    "retrieval",
    "tool_search",
    "processing",
]
"""The tools that run on the server. On the wire each has a step `<tool>_call` and a step `<tool>_result`."""


@dataclass(frozen=True, slots=True)
class UserInput:
    """What the user said in one message."""

    content: tuple[Content, ...]
    type: Literal["user_input"] = "user_input"


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """What the model said in one message."""

    content: tuple[Content, ...] = ()
    type: Literal["model_output"] = "model_output"


@dataclass(frozen=True, slots=True)
class Thought:
    """What the model thought before it spoke. The raw text is sealed in the signature; the summary is for people."""

    signature: str | None = None
    summary: tuple[Content, ...] = ()
    type: Literal["thought"] = "thought"


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function that the client runs."""

    id: str
    name: str
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    signature: str | None = None
    type: Literal["function_call"] = "function_call"


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """What the client's function gave back. `result` is free: text, JSON, or a list of content objects."""

    call_id: str
    result: JSON
    name: str | None = None
    is_error: bool = False
    signature: str | None = None
    type: Literal["function_result"] = "function_result"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that the server runs."""

    tool: ServerTool
    id: str
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    details: Mapping[str, JSON] = field(default_factory=dict)
    """What only some tools have, under the wire's own names: `name`, `server_name`, `search_type`."""
    signature: str | None = None
    type: Literal["tool_call"] = "tool_call"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool on the server gave back."""

    tool: ServerTool
    call_id: str
    result: JSON = None
    is_error: bool = False
    details: Mapping[str, JSON] = field(default_factory=dict)
    """What only some tools have, under the wire's own names: `name`, `server_name`."""
    signature: str | None = None
    type: Literal["tool_result"] = "tool_result"


@dataclass(frozen=True, slots=True)
class UnknownStep:
    """A step of a kind that this version does not know, kept as it was written."""

    kind: str
    body: Mapping[str, JSON]
    type: Literal["unknown"] = "unknown"


Step: TypeAlias = (
    UserInput | ModelOutput | Thought | FunctionCall | FunctionResult | ToolCall | ToolResult | UnknownStep
)


def result_content(result: JSON) -> list[dict[str, JSON]] | None:
    """The content objects that a function's result consists of. None: it is other JSON.

    They come as a list, in `{"content": [...]}`, or in `{"items": [...]}` with plain strings for text, as SDKs up to
    1.66 have it. A piece of media may come alone.
    """
    match result:
        case {"items": [*items]} if any(_is_media(item) for item in items):
            result = [{"type": "text", "text": item} if isinstance(item, str) else item for item in items]
        case dict() if _is_media(result):
            result = [result]
        case dict():
            result = result.get("content")
    return result if isinstance(result, list) and result and all(_is_content(item) for item in result) else None


def _is_content(item: JSON) -> bool:
    match item:
        case {"type": "text", "text": str()}:
            return True
        case _:
            return _is_media(item)


def _is_media(item: JSON) -> bool:
    match item:
        case {"type": kind, "data": str()} | {"type": kind, "uri": str()}:
            return kind in MEDIA_TYPES
        case _:
            return False
