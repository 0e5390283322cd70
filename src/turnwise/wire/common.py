"""What both dialects write alike: content, calls and results, usage, times, and the fields that are echoed."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias, assert_never

from turnwise.domain.content import JSON, Content, Media, Text
from turnwise.domain.events import WholeStep
from turnwise.domain.interaction import Counts, GenerationConfig, Interaction, Turn, Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, Thought, ToolCall, ToolResult
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

Frame: TypeAlias = tuple[str, dict[str, JSON]]
"""A frame of a stream: the event's name and its payload."""


def frame(name: str, position: int, **payload: JSON) -> Frame:
    """A frame. Its `event_id` is the event's position: where a reader goes on, in either dialect."""
    return name, {"event_type": name, "event_id": str(position), **payload}


def text_frame(name: str, position: int, index: int, text: str) -> Frame:
    """The frame of more text, which nearly all frames are: it is made before anything else is looked for."""
    return name, {
        "event_type": name,
        "event_id": str(position),
        "index": index,
        "delta": {"type": "text", "text": text},
    }


def render_time(time: datetime) -> str:
    """RFC 3339 in UTC, with a Z, as every SDK reads it."""
    return time.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def render_content(content: Content) -> dict[str, JSON]:
    """A piece of content, the same in both dialects."""
    match content:
        case Text(text, annotations):
            body: dict[str, JSON] = {"type": "text", "text": text}
            if annotations:
                body["annotations"] = list(annotations)
            return body
        case Media(type, mime_type, data, uri, options):
            given = {"mime_type": mime_type, "data": data, "uri": uri}
            return {"type": type, **{k: v for k, v in given.items() if v is not None}, **options}
        case _:
            assert_never(content)


def render_thought(thought: Thought) -> dict[str, JSON]:
    """A thought: its signature always, its summary when there is one."""
    body: dict[str, JSON] = {"type": "thought"}
    if thought.signature is not None:
        body["signature"] = thought.signature
    if thought.summary:
        body["summary"] = [render_content(piece) for piece in thought.summary]
    return body


def render_whole(step: WholeStep) -> dict[str, JSON]:
    """A call or a result: an output in one dialect, a step in the other, with the same fields."""
    match step:
        case FunctionCall(id, name, arguments):
            body: dict[str, JSON] = {"type": "function_call", "id": id, "name": name, "arguments": arguments}
        case FunctionResult(call_id, result, name, is_error):
            body = {"type": "function_result", "call_id": call_id, "result": result}
            if name is not None:
                body["name"] = name
            if is_error:
                body["is_error"] = True
        case ToolCall(tool, id, arguments, details):
            body = {"type": f"{tool}_call", "id": id, "arguments": arguments, **details}
        case ToolResult(tool, call_id, result, is_error, details):
            body = {"type": f"{tool}_result", "call_id": call_id, "result": result, **details}
            if is_error:
                body["is_error"] = True
        case _:
            assert_never(step)
    if step.signature is not None:
        body["signature"] = step.signature
    return body


def render_usage(usage: Usage) -> dict[str, JSON]:
    """Usage, with thought tokens under both of their names (`reasoning` until 1.56 of the SDKs, `thought` since)."""
    counted = [{"type": name, "count": count} for name, count in usage.grounding.items()]
    return {
        "total_tokens": usage.total_tokens,
        "total_input_tokens": usage.input_tokens,
        "total_output_tokens": usage.output_tokens,
        "total_cached_tokens": usage.cached_tokens,
        "total_tool_use_tokens": usage.tool_use_tokens,
        "total_thought_tokens": usage.thought,
        "total_reasoning_tokens": usage.thought,
        "input_tokens_by_modality": _by_modality(usage.input),
        "output_tokens_by_modality": _by_modality(usage.output),
        "cached_tokens_by_modality": _by_modality(usage.cached),
        "tool_use_tokens_by_modality": _by_modality(usage.tool_use),
        **({"grounding_tool_count": counted} if counted else {}),
    }


def _by_modality(counts: Counts) -> list[JSON]:
    return [{"modality": modality, "tokens": tokens} for modality, tokens in counts.items() if tokens]


def render_head(interaction: Interaction) -> dict[str, JSON]:
    """What both dialects say of an interaction but its status, its usage and what it produced."""
    turn = interaction.turn
    body: dict[str, JSON] = {
        "id": interaction.id,
        "object": "interaction",
        "role": "model",
        "created": render_time(interaction.created),
        "updated": render_time(interaction.updated),
    }
    if turn.model is not None:
        body["model"] = turn.model
    if turn.agent is not None:
        body["agent"] = turn.agent
    if turn.previous_interaction_id is not None:
        body["previous_interaction_id"] = turn.previous_interaction_id
    return body


def render_partial(interaction: Interaction, status: str, *, updated: datetime | None = None) -> dict[str, JSON]:
    """An interaction as the first and the last frame of a stream show it: without what it produced."""
    body = render_head(interaction)
    if updated is not None:
        body["updated"] = render_time(updated)
    return {**body, "status": status}


def render_settings(interaction: Interaction) -> dict[str, JSON]:
    """The settings of the request, given back as they came."""
    turn = interaction.turn
    body: dict[str, JSON] = dict(turn.echo)
    if turn.agent_config:
        body["agent_config"] = dict(turn.agent_config)
    if turn.system_instruction is not None:
        body["system_instruction"] = turn.system_instruction
    if turn.tools:
        body["tools"] = [render_tool(tool) for tool in turn.tools]
    forms = _render_forms(turn)
    if forms:
        body["response_format"] = forms[0] if len(forms) == 1 else forms
    generation = {
        **_render_generation(turn.generation),
        **_render_choice(turn.tool_choice),
        **_render_looks_and_voices(turn),
    }
    if generation:
        body["generation_config"] = generation
    if turn.response_modalities:
        body["response_modalities"] = list(turn.response_modalities)
    if turn.background:
        body["background"] = True
    if turn.webhook is not None:
        given = {"uris": list(turn.webhook.uris), "user_metadata": dict(turn.webhook.user_metadata)}
        body["webhook_config"] = {name: value for name, value in given.items() if value}
    return body


def render_tool(tool: Tool) -> dict[str, JSON]:
    """A tool, as it was declared; but for headers, which may hold keys."""
    match tool:
        case FunctionTool(name, description, parameters):
            given: dict[str, JSON] = {"name": name, "description": description, "parameters": parameters}
        case GoogleSearch(search_types):
            given = {"search_types": list(search_types)}
        case UrlContext() | CodeExecution():
            given = {}
        case McpServer(name, url, _, allowed):
            given = {"name": name, "url": url, "allowed_tools": [_render_allowed(one) for one in allowed]}
        case ComputerUse(environment, excluded):
            given = {
                "environment": environment,
                "excluded_predefined_functions": list(excluded),
                "disabled_safety_policies": list(tool.disabled_safety_policies),
                "enable_prompt_injection_detection": tool.enable_prompt_injection_detection,
            }
        case FileSearch(names, top_k, metadata_filter):
            given = {"file_search_store_names": list(names), "top_k": top_k, "metadata_filter": metadata_filter}
        case _:
            assert_never(tool)
    return {"type": tool.type, **{name: value for name, value in given.items() if value}}


def _render_allowed(choice: ToolChoice) -> dict[str, JSON]:
    return {"mode": choice.mode, **({} if choice.allowed is None else {"tools": list(choice.allowed)})}


def _render_choice(choice: ToolChoice) -> dict[str, JSON]:
    if choice.allowed is not None:
        return {"tool_choice": {"allowed_tools": _render_allowed(choice)}}
    return {} if choice.mode == "auto" else {"tool_choice": choice.mode}


def _render_forms(turn: Turn) -> list[dict[str, JSON]]:
    """The forms of the answer, in the current dialect's words, whichever words asked for them."""
    forms: list[dict[str, JSON]] = []
    if turn.response_format is not None:
        schema = turn.response_format.schema
        forms.append(
            {"type": "text", "mime_type": "application/json", **({} if schema is None else {"schema": schema})}
        )
    if turn.image is not None:
        forms.append({"type": "image", **_said(turn.image, "aspect_ratio", "image_size", "mime_type", "delivery")})
    if turn.audio is not None:
        forms.append({"type": "audio", **_said(turn.audio, "mime_type", "sample_rate", "bit_rate", "delivery")})
    return forms


def _render_looks_and_voices(turn: Turn) -> dict[str, JSON]:
    """What the founding dialect keeps in the generation config. Only there are voices in either dialect."""
    body: dict[str, JSON] = {}
    if turn.image is not None:
        look = _said(turn.image, "aspect_ratio", "image_size")
        body |= {"image_config": look} if look else {}
    if turn.voices:
        body["speech_config"] = [_said(voice, "voice", "language", "speaker") for voice in turn.voices]
    return body


def _said(value: object, *names: str) -> dict[str, JSON]:
    """The fields that have a value."""
    return {name: getattr(value, name) for name in names if getattr(value, name) is not None}


def _render_generation(config: GenerationConfig) -> Mapping[str, JSON]:
    given: dict[str, JSON] = {
        "temperature": config.temperature,
        "top_p": config.top_p,
        "top_k": config.top_k,
        "seed": config.seed,
        "max_output_tokens": config.max_output_tokens,
        "stop_sequences": list(config.stop_sequences) or None,
        "thinking_level": config.thinking_level,
        "thinking_summaries": config.thinking_summaries,
    }
    return {name: value for name, value in given.items() if value is not None}


def render_failure(interaction: Interaction) -> dict[str, JSON]:
    """Why it failed, if it did."""
    failure = interaction.failure
    if failure is None:
        return {}
    return {"errors": [{"code": failure.code, "message": failure.message}]}
