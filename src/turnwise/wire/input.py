"""The `input` of a request: a string, a content object, a list of content, turns with roles, steps, or a mixture.

Whatever the form, it becomes one list of steps. Content that stands side by side is one message. A turn of the user's
or a `user_input` step may carry results among its content, and a turn of the model's its thoughts and calls; each of
those becomes a step of its own, where it stands.

A type that is not listed is refused rather than kept: a model cannot be shown what nobody understands.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from turnwise.domain.content import JSON, MEDIA_TYPES, Content, Media, Text
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    ServerTool,
    Step,
    Thought,
    ToolCall,
    ToolResult,
    UserInput,
)
from turnwise.wire.invalid import explain, shown

Role: TypeAlias = Literal["user", "model"]
Piece: TypeAlias = Content | Step

B = TypeVar("B", bound="ItemBody")

SERVER_TOOLS: tuple[ServerTool, ...] = get_args(ServerTool)


class ItemBody(BaseModel):
    """An item of the input: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True)

    LATER: ClassVar[tuple[str, ...]] = ()
    """Fields that the API has and turnwise cannot honour yet."""


class TextBody(ItemBody):
    """`type` may be left out: older SDKs send it bare."""

    type: Literal["text"] = "text"
    text: str
    """The text."""
    annotations: list[dict[str, Any]] | None = None
    """Citations that point into the text, given back as they came."""


class MediaBody(ItemBody):
    """An image, a sound, a video or a document."""

    type: Literal["image", "audio", "video", "document"]
    data: str | None = None
    """The bytes, in standard padded base64."""
    uri: str | None = None
    """Where the bytes are, in place of `data`."""
    mime_type: str | None = None
    """What kind of file it is, as in `image/png`."""
    resolution: Literal["low", "medium", "high", "ultra_high"] | None = None
    """How closely the model is to look."""
    channels: int | None = None
    """Of a sound."""
    rate: int | None = None
    """An older name of `sample_rate`."""
    sample_rate: int | None = None
    """Of a sound, in samples a second."""
    name: str | None = None
    """What the prompt calls it."""
    processing: Any = None
    """How the server is to prepare it."""

    LATER: ClassVar = ("processing",)


class ThoughtBody(ItemBody):
    """A thought that the model had in an earlier turn, given back."""

    type: Literal["thought"]
    signature: str | None = None
    """The thought itself, sealed: unchanged, as it came."""
    summary: list[dict[str, Any]] | None = None
    """Text and images."""


class FunctionCallBody(ItemBody):
    """A function call that the model made in an earlier turn, given back."""

    type: Literal["function_call"]
    id: str
    """What the result names as its `call_id`."""
    name: str
    """The function."""
    arguments: dict[str, Any]
    """Its arguments."""
    signature: str | None = None
    """Unchanged, as it came."""


class FunctionResultBody(ItemBody):
    """What the client's function answered."""

    type: Literal["function_result"]
    call_id: str
    """The `id` of the call."""
    result: Any
    """Text, any JSON, or a list of content."""
    name: str | None = None
    """The function."""
    is_error: bool | None = None
    """Whether the call failed."""
    signature: str | None = None
    """Unchanged, as it came."""


class ToolCallBody(ItemBody):
    """A call of a server's tool in an earlier turn, given back."""

    type: str
    """The tool, and `_call`."""
    id: str
    """What the result names as its `call_id`."""
    arguments: dict[str, Any] | None = None
    """What was asked."""
    name: str | None = None
    """Of a tool on an MCP server."""
    server_name: str | None = None
    """Of an MCP server."""
    search_type: str | None = None
    """What was searched."""
    retrieval_type: str | None = None
    """From what was retrieved."""
    signature: str | None = None
    """Unchanged, as it came."""


class ToolResultBody(ItemBody):
    """What a server's tool answered in an earlier turn, given back."""

    type: str
    """The tool, and `_result`."""
    call_id: str
    """The `id` of the call."""
    result: Any = None
    """What it gave back."""
    is_error: bool | None = None
    """Whether the call failed."""
    name: str | None = None
    """Of a tool on an MCP server."""
    server_name: str | None = None
    """Of an MCP server."""
    signature: str | None = None
    """Unchanged, as it came."""


class MessageBody(ItemBody):
    """A `user_input` or `model_output` step. Its content is read by `parse_pieces`."""

    type: Literal["user_input", "model_output"]
    content: Any = None
    """A string, a piece, or a list of pieces."""
    error: Any = None
    """Why the message broke off."""

    LATER: ClassVar = ("error",)


class TurnBody(ItemBody):
    """A turn with a role."""

    role: Literal["user", "model"]
    """Who speaks."""
    content: Any
    """A string, a piece, or a list of pieces."""


def parse_input(value: JSON) -> tuple[Step, ...]:
    """Any form of input as steps.

    Raises:
        InvalidRequest: what is wrong, and where.
    """
    if value is None:
        raise InvalidRequest("this field is required: a string, content, turns or steps", field="input")
    if isinstance(value, str) and value:
        return (UserInput((Text(value),)),)
    if isinstance(value, str):
        pieces: list[tuple[Role, Piece]] = []
    elif isinstance(value, dict):
        pieces = list(_parse_item(value, "input"))
    elif isinstance(value, list):
        pieces = [piece for i, item in enumerate(value) for piece in _parse_item(item, f"input[{i}]")]
    else:
        raise InvalidRequest(f"a string, an object or a list, not {shown(value)}", field="input")
    steps = tuple(_group(pieces))
    if not any(_says_something(step) for step in steps):
        raise InvalidRequest("there is nothing in it; say something", field="input")
    return steps


def _says_something(step: Step) -> bool:
    if isinstance(step, UserInput | ModelOutput):
        return any(not isinstance(part, Text) or part.text for part in step.content)
    return True


def _group(pieces: Iterable[tuple[Role, Piece]]) -> Iterable[Step]:
    """Content that stands side by side becomes one message; whole messages and other steps stay as they are."""
    content: list[Content] = []
    speaker: Role = "user"
    for role, piece in pieces:
        is_content = isinstance(piece, Text | Media)
        if content and (not is_content or role != speaker):
            yield _message(speaker, content)
            content = []
        if isinstance(piece, Text | Media):
            speaker = role
            content.append(piece)
        else:
            yield piece
    if content:
        yield _message(speaker, content)


def _message(role: Role, content: list[Content]) -> Step:
    return UserInput(tuple(content)) if role == "user" else ModelOutput(tuple(content))


def _parse_item(item: JSON, path: str) -> Iterable[tuple[Role, Piece]]:
    """One item of a list: a turn, a message step, or a piece."""
    if not isinstance(item, dict):
        raise InvalidRequest(f"an object with a `type` or a `role`, not {shown(item)}", field=path)
    if "role" in item:
        turn = _read(TurnBody, item, path)
        return _parse_message(turn.content, turn.role, f"{path}.content")
    if item.get("type") in ("user_input", "model_output"):
        message = _read(MessageBody, item, path)
        role: Role = "user" if message.type == "user_input" else "model"
        return _parse_message(message.content, role, f"{path}.content")
    piece = _parse_piece(item, path)
    role = "user" if isinstance(piece, Text | Media) else "model"
    return [(role, piece)]


def _parse_message(content: JSON, role: Role, path: str) -> Iterable[tuple[Role, Piece]]:
    """The content of one message as steps: never joined with the message before or behind it."""
    if isinstance(content, str):
        return [(role, _message(role, [Text(content)]))]
    if content is None:
        content = []
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise InvalidRequest(f"a string or a list of content, not {shown(content)}", field=path)
    pieces = [(role, _parse_piece(item, f"{path}[{i}]")) for i, item in enumerate(content)]
    return [(role, step) for step in _group(pieces)]


def _parse_piece(item: JSON, path: str) -> Piece:
    """One piece of content, or a step that is whole in itself."""
    if not isinstance(item, dict):
        raise InvalidRequest(f"an object with a `type`, not {shown(item)}", field=path)
    kind = item.get("type")
    if kind is None and "text" in item:
        kind = "text"
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise InvalidRequest(
            f"unknown type {shown(kind)}; one of {', '.join(_SHOWN_TYPES)}, or a server tool's call or result",
            field=f"{path}.type",
        )
    return parse(item, path)


def _read(body: type[B], item: Mapping[str, JSON], path: str) -> B:
    try:
        read = body.model_validate(item)
    except ValidationError as error:
        raise explain(error, body, path) from None
    for name in body.LATER:
        if getattr(read, name) is not None:
            raise Unimplemented(f"{path}.{name}: turnwise does not support this yet; leave it out")
    return read


def _parse_text(item: Mapping[str, JSON], path: str) -> Text:
    body = _read(TextBody, item, path)
    return Text(body.text, tuple(body.annotations or ()))


def _parse_media(item: Mapping[str, JSON], path: str) -> Media:
    body = _read(MediaBody, item, path)
    if (body.data is None) == (body.uri is None):
        raise InvalidRequest("media has either `data` (base64) or a `uri`", field=path)
    given = body.model_dump(include={"resolution", "channels", "rate", "sample_rate", "name"}, exclude_none=True)
    return Media(body.type, body.mime_type, body.data, body.uri, given)


def _parse_thought(item: Mapping[str, JSON], path: str) -> Thought:
    body = _read(ThoughtBody, item, path)
    summary = [_parse_content(piece, f"{path}.summary[{i}]") for i, piece in enumerate(body.summary or ())]
    return Thought(body.signature, tuple(summary))


def _parse_content(item: JSON, path: str) -> Content:
    """A piece where only content may stand."""
    piece = _parse_piece(item, path)
    if not isinstance(piece, Text | Media):
        raise InvalidRequest(f"a summary holds text and images, not a '{item['type']}'", field=f"{path}.type")
    return piece


def _parse_function_call(item: Mapping[str, JSON], path: str) -> FunctionCall:
    body = _read(FunctionCallBody, item, path)
    return FunctionCall(body.id, body.name, body.arguments, body.signature)


def _parse_function_result(item: Mapping[str, JSON], path: str) -> FunctionResult:
    body = _read(FunctionResultBody, item, path)
    return FunctionResult(body.call_id, body.result, body.name, body.is_error is True, body.signature)


def _tool_call_parser(tool: ServerTool) -> Callable[[Mapping[str, JSON], str], ToolCall]:
    def parse(item: Mapping[str, JSON], path: str) -> ToolCall:
        body = _read(ToolCallBody, item, path)
        details = body.model_dump(include={"name", "server_name", "search_type", "retrieval_type"}, exclude_none=True)
        return ToolCall(tool, body.id, body.arguments or {}, details, body.signature)

    return parse


def _tool_result_parser(tool: ServerTool) -> Callable[[Mapping[str, JSON], str], ToolResult]:
    def parse(item: Mapping[str, JSON], path: str) -> ToolResult:
        body = _read(ToolResultBody, item, path)
        details = body.model_dump(include={"name", "server_name"}, exclude_none=True)
        return ToolResult(tool, body.call_id, body.result, body.is_error is True, details, body.signature)

    return parse


_PARSERS: dict[str, Callable[[Mapping[str, JSON], str], Piece]] = {
    "text": _parse_text,
    **dict.fromkeys(MEDIA_TYPES, _parse_media),
    "thought": _parse_thought,
    "function_call": _parse_function_call,
    "function_result": _parse_function_result,
    **{f"{tool}_call": _tool_call_parser(tool) for tool in SERVER_TOOLS},
    **{f"{tool}_result": _tool_result_parser(tool) for tool in SERVER_TOOLS},
}

_SHOWN_TYPES = (
    "text",
    *MEDIA_TYPES,
    "thought",
    "function_call",
    "function_result",
    "user_input",
    "model_output",
)
