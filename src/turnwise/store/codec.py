"""The stored form: domain values as JSON bytes, and back, exactly.

It holds no SQL and knows no table (that is `rows.py`). Domain values carry their own `type`, so orjson
writes them as they are, and reading goes by tables from `type` to class. What a value had when it was
written is all that is read: a field that came later takes its default.

Two things are not written as they are. The text delta, which is nearly all of what a stream is made of, is
the list `[step, output, text]` and no object. A step that this version does not know, or whose fields it
does not know, was written by a newer one: it is read as an UnknownStep, which holds its fields, and written
back as what it was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from turnwise.domain.content import JSON, MEDIA_TYPES, Content, Media, Text
from turnwise.domain.events import (
    AnnotationsDelta,
    ArgumentsDelta,
    Checkpoint,
    Created,
    Delta,
    End,
    Event,
    Failed,
    MediaDelta,
    PartDelta,
    PartStart,
    PartStop,
    SignatureDelta,
    StatusUpdate,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    WholeDelta,
)
from turnwise.domain.formats import AudioFormat, ImageFormat, ResponseFormat, Voice
from turnwise.domain.interaction import Failure, GenerationConfig, Status, Turn, Usage, WebhookConfig
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    Step,
    Thought,
    ToolCall,
    ToolResult,
    UnknownStep,
    UserInput,
)
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

Raw: TypeAlias = dict[str, Any]
"""A JSON object that was just read, and that nobody else holds: reading takes it apart."""

_UNREADABLE = (KeyError, TypeError)
"""What reading raises when it meets a kind, or a field of a known kind, that this version does not have."""


# -- steps


def encode_steps(steps: Sequence[Step]) -> bytes:
    """Steps as they are kept."""
    return orjson.dumps([_as_written(step) for step in steps])


def decode_steps(data: bytes | str) -> tuple[Step, ...]:
    """What `encode_steps` wrote."""
    try:
        return tuple([_read_step(raw) for raw in orjson.loads(data)])
    except _UNREADABLE:
        return tuple([_read_or_keep(raw) for raw in orjson.loads(data)])


def _as_written(step: Step) -> Step | Raw:
    return {"type": step.kind, **step.body} if isinstance(step, UnknownStep) else step


def _read_or_keep(raw: Raw) -> Step:
    body = deepcopy(raw)
    try:
        return _read_step(raw)
    except _UNREADABLE:
        return UnknownStep(body.pop("type"), body)


def _read_step(raw: Raw) -> Step:
    return _STEPS[raw["type"]](raw)


def _read_user_input(raw: Raw) -> UserInput:
    raw["content"] = _read_pieces(raw["content"])
    return UserInput(**raw)


def _read_model_output(raw: Raw) -> ModelOutput:
    raw["content"] = _read_pieces(raw["content"])
    return ModelOutput(**raw)


def _read_thought(raw: Raw) -> Thought:
    raw["summary"] = _read_pieces(raw["summary"])
    return Thought(**raw)


_STEPS: Mapping[str, Callable[[Raw], Step]] = {
    "user_input": _read_user_input,
    "model_output": _read_model_output,
    "thought": _read_thought,
    "function_call": lambda raw: FunctionCall(**raw),
    "function_result": lambda raw: FunctionResult(**raw),
    "tool_call": lambda raw: ToolCall(**raw),
    "tool_result": lambda raw: ToolResult(**raw),
}


# -- content


def _read_pieces(raws: Sequence[Raw]) -> tuple[Content, ...]:
    return tuple([_CONTENT[raw["type"]](raw) for raw in raws])


def _read_content(raw: Raw) -> Content:
    return _CONTENT[raw["type"]](raw)


def _read_text(raw: Raw) -> Text:
    raw["annotations"] = tuple(raw["annotations"])
    return Text(**raw)


_CONTENT: Mapping[str, Callable[[Raw], Content]] = {
    "text": _read_text,
    **{kind: lambda raw: Media(**raw) for kind in MEDIA_TYPES},
}


# -- events


def encode_events(events: Sequence[Event]) -> bytes:
    """Consecutive events, packed into one row of the journal."""
    return orjson.dumps([_event_as_written(event) for event in events])


def decode_events(data: bytes) -> list[Event]:
    """What `encode_events` wrote."""
    return [_read_event(raw) for raw in orjson.loads(data)]


def unpack(rows: Sequence[tuple[int, bytes]], after: int) -> Iterator[tuple[int, Event]]:
    """The events behind a position out of rows of (position of the first, packed events), each once."""
    for first, data in rows:
        for position, event in enumerate(decode_events(data), first):
            if position > after:
                yield position, event
                after = position


def _event_as_written(event: Event) -> Any:
    # Thirty thousand times a second; `match` takes four times as long.
    if isinstance(event, PartDelta):
        delta = event.delta
        if isinstance(delta, TextDelta):
            return (event.step, event.output, delta.text)
        if isinstance(delta, WholeDelta) and isinstance(delta.step, UnknownStep):
            return _with(event, delta=_with(delta, step=_as_written(delta.step)))
    elif isinstance(event, StepStart) and isinstance(event.skeleton, UnknownStep):
        return _with(event, skeleton=_as_written(event.skeleton))
    return event


def _with(value: Any, **fields: Any) -> Raw:
    """A slotted value as the object that orjson would write, with these fields instead of its own."""
    return {name: fields.get(name, getattr(value, name)) for name in value.__slots__}


def _read_event(raw: Raw | list[Any]) -> Event:
    if isinstance(raw, list):
        step, output, text = raw
        return PartDelta(step, output, TextDelta(text))
    return _EVENTS[raw["type"]](raw)


def _read_step_start(raw: Raw) -> StepStart:
    return StepStart(raw["step"], raw["output"], _read_or_keep(raw["skeleton"]))


def _read_part_start(raw: Raw) -> PartStart:
    return PartStart(raw["step"], raw["output"], _read_content(raw["skeleton"]))


def _read_part_delta(raw: Raw) -> PartDelta:
    delta = raw["delta"]
    return PartDelta(raw["step"], raw["output"], _DELTAS[delta["type"]](delta))


def _read_end(raw: Raw) -> End:
    return End(Status(raw["status"]), _read_usage(raw["usage"]), datetime.fromisoformat(raw["at"]))


def _read_whole(raw: Raw) -> WholeDelta:
    # What a newer version wrote is kept here too, though the type of the field says that it is known.
    return WholeDelta(_read_or_keep(raw["step"]), raw["fragments"])  # type: ignore[arg-type]


_EVENTS: Mapping[str, Callable[[Raw], Event]] = {
    "created": lambda raw: Created(),
    "status": lambda raw: StatusUpdate(Status(raw["status"])),
    "step_start": _read_step_start,
    "part_start": _read_part_start,
    "delta": _read_part_delta,
    "part_stop": lambda raw: PartStop(raw["step"], raw["output"]),
    "step_stop": lambda raw: StepStop(raw["step"], raw["output"]),
    "checkpoint": lambda raw: Checkpoint(raw["kind"], raw["data"]),
    "failed": lambda raw: Failed(Failure(**raw["failure"])),
    "end": _read_end,
}

_DELTAS: Mapping[str, Callable[[Raw], Delta]] = {
    "text": lambda raw: TextDelta(raw["text"]),
    "media": lambda raw: MediaDelta(Media(**raw["media"])),
    "annotations": lambda raw: AnnotationsDelta(tuple(raw["annotations"])),
    "summary": lambda raw: SummaryDelta(_read_content(raw["content"])),
    "signature": lambda raw: SignatureDelta(raw["signature"]),
    "arguments": lambda raw: ArgumentsDelta(raw["fragment"]),
    "whole": _read_whole,
}


# -- the rest of an interaction

_ELSEWHERE = frozenset({"input", "model", "agent", "previous_interaction_id"})
"""The fields of a Turn that are kept beside its settings: they have columns of their own."""

_SETTINGS = tuple(name for name in Turn.__slots__ if name not in _ELSEWHERE)


def encode_settings(turn: Turn) -> bytes:
    """All of a turn but its input, its model or agent, and what it continues."""
    written = {name: getattr(turn, name) for name in _SETTINGS}
    if any(isinstance(tool, McpServer) for tool in turn.tools):
        written["tools"] = [_without_headers(tool) for tool in turn.tools]
    return orjson.dumps(written)


def _without_headers(tool: Tool) -> Tool:
    """A tool without what may be a key: none is ever kept."""
    return replace(tool, headers={}) if isinstance(tool, McpServer) else tool


# The turns of a conversation mostly have the same settings: one reading serves them all.
@lru_cache(maxsize=64)
def decode_settings(data: bytes | str) -> Mapping[str, Any]:
    """What `encode_settings` wrote, as arguments for `Turn`."""
    # A setting that came later is left to its default; one that a newer version wrote has no place in a Turn.
    written = {name: value for name, value in orjson.loads(data).items() if name in _SETTINGS}
    return {name: _READ_SETTING.get(name, _as_is)(value) for name, value in written.items()}


def _as_is(raw: JSON) -> JSON:
    return raw


def _read_tools(raws: Sequence[Raw]) -> tuple[Tool, ...]:
    # Tools belong to one turn alone, so the kinds that only a newer version has are missed by none.
    return tuple([_TOOLS[raw["type"]](raw) for raw in raws if raw["type"] in _TOOLS])


def _read_tool_choice(raw: Raw) -> ToolChoice:
    allowed = raw["allowed"]
    return ToolChoice(raw["mode"], None if allowed is None else tuple(allowed))


def _read_response_format(raw: Raw | None) -> ResponseFormat | None:
    return None if raw is None else ResponseFormat(**raw)


def _read_generation(raw: Raw) -> GenerationConfig:
    raw["stop_sequences"] = tuple(raw["stop_sequences"])
    return GenerationConfig(**raw)


def _read_mcp_server(raw: Raw) -> McpServer:
    return McpServer(**{**raw, "allowed_tools": tuple(map(_read_tool_choice, raw["allowed_tools"]))})


def _with_tuples(tool: Callable[..., Tool], *names: str) -> Callable[[Raw], Tool]:
    """Reads a tool some of whose fields are lists."""
    return lambda raw: tool(**{**raw, **{name: tuple(raw[name]) for name in names}})


_TOOLS: Mapping[str, Callable[[Raw], Tool]] = {
    "function": lambda raw: FunctionTool(**raw),
    "google_search": _with_tuples(GoogleSearch, "search_types"),
    "url_context": lambda raw: UrlContext(**raw),
    "code_execution": lambda raw: CodeExecution(**raw),
    "mcp_server": _read_mcp_server,
    "computer_use": _with_tuples(ComputerUse, "excluded_functions", "disabled_safety_policies"),
    "file_search": _with_tuples(FileSearch, "store_names"),
}

_READ_SETTING: Mapping[str, Callable[[Any], Any]] = {
    "tools": _read_tools,
    "tool_choice": _read_tool_choice,
    "response_format": _read_response_format,
    "generation": _read_generation,
    "response_modalities": tuple,
    "image": lambda raw: None if raw is None else ImageFormat(**raw),
    "audio": lambda raw: None if raw is None else AudioFormat(**raw),
    "webhook": lambda raw: None if raw is None else WebhookConfig(tuple(raw["uris"]), raw["user_metadata"]),
    "voices": lambda raws: tuple([Voice(**raw) for raw in raws]),
}
"""The settings that are more than plain JSON."""


def encode_part(part: Usage | Failure | None) -> bytes | None:
    """What a turn cost or why it failed; None stays None."""
    return None if part is None else orjson.dumps(part)


def decode_usage(data: bytes | str | None) -> Usage | None:
    """What `encode_part` wrote of a Usage."""
    return None if data is None else _read_usage(orjson.loads(data))


def decode_failure(data: bytes | str | None) -> Failure | None:
    """What `encode_part` wrote of a Failure."""
    return None if data is None else Failure(**orjson.loads(data))


def _read_usage(raw: JSON) -> Usage | None:
    return None if raw is None else Usage(**raw)
