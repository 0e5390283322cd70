"""A prompt in the layer's words: messages, settings, and the parameters of a request. Pure.

A conversation's thoughts stand open in a prompt, and some vendors take a thought back only with what they gave with it,
which its step has as a signature (`tokens.py`). Thoughts of others go out unsigned, in the way that the layer has for
them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import Model as LayerModel
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from turnwise.domain.content import Content, Media, Text
from turnwise.domain.errors import Unimplemented
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, UserInput
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.models.messages import output_media, render_result, result_media, without_open_thoughts
from turnwise.models.model import Prompt
from turnwise.models.vendors.sight import seen
from turnwise.models.vendors.tokens import with_token

Shown: TypeAlias = dict[int, list[UserContent]]
"""What is to be shown behind a message, by its place."""

NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}


def render_messages(prompt: Prompt, model: LayerModel, kind: str, maker: str) -> list[ModelMessage]:
    """The conversation, oldest first. A result stands right behind what called, though words may have come between.
    What is not text in it, or was made by the model, is shown in the next message to the model, under a name by which
    it is called where it belongs (vendors want what their models made signed, or not at all). `kind`: the vendor.
    `maker`: who is asked, as its tokens name it.

    Raises:
        InvalidRequest: a type of media that the vendor does not take, or something asked of it that cannot be said.
        Unimplemented: a kind of step or content that cannot be shown to this model yet.
    """
    turns: list[ModelMessage] = []
    names: dict[str, str] = {}
    shown: Shown = {}
    if prompt.system_instruction:
        _request(turns).append(SystemPromptPart(prompt.system_instruction))
    for step in without_open_thoughts(prompt.steps):
        match step:
            case UserInput(content):
                _request(turns).append(UserPromptPart(_said(content, kind)))
            case ModelOutput(content):
                media = output_media(content)
                words = "".join(part.text for part in content if isinstance(part, Text))
                _response(turns, model).append(TextPart(words or " ".join(title for title, _ in media)))
                shown.setdefault(len(turns) - 1, []).extend(_titled(media, kind))
            case Thought(token, summary):
                thought = with_token(ThinkingPart("".join(_texts(summary))), token, maker, model.system)
                if thought.signature or thought.content.strip():
                    _response(turns, model).append(thought)
            case FunctionCall(id, name, arguments, token):
                names[id] = name
                call = ToolCallPart(name, dict(arguments), _fitted(id, model))
                _response(turns, model).append(with_token(call, token, maker, model.system))
            case FunctionResult():
                name = step.name or names.get(step.call_id, "")
                place = _answer(turns, step, name, _fitted(step.call_id, model))
                shown.setdefault(place, []).extend(_titled(result_media(step, name), kind))
            case _:
                raise _not_yet(step)
    _show(turns, shown)
    if prompt.said:
        _response(turns, model).append(TextPart(prompt.said))
    return turns


def _not_yet(step: Step) -> Unimplemented:
    return Unimplemented(f"a step of type {step.type!r} cannot be shown to this model yet")


def _request(turns: list[ModelMessage]) -> list[Any]:
    """The parts of the message to the model that is being written, or of a new one."""
    if not turns or not isinstance(turns[-1], ModelRequest):
        turns.append(ModelRequest([]))
    return turns[-1].parts  # type: ignore[return-value]


def _response(turns: list[ModelMessage], model: LayerModel) -> list[Any]:
    """The same for the model's own message. It is said to be of this vendor, or its signatures would be left out."""
    if not turns or not isinstance(turns[-1], ModelResponse):
        canonical = model.canonical_system
        turns.append(ModelResponse([], provider_name=model.system, canonical_system=canonical))
    return turns[-1].parts  # type: ignore[return-value]


def _answer(turns: list[ModelMessage], result: FunctionResult, name: str, id: str) -> int:
    """Put a result where it belongs; the place of the message that it answers."""
    part = ToolReturnPart(name, render_result(result, name), id, outcome="failed" if result.is_error else "success")
    place = next((index for index in range(len(turns) - 1, -1, -1) if _calls(turns[index], id)), len(turns) - 1)
    if place + 1 == len(turns):
        turns.append(ModelRequest([]))
    _insert(turns[place + 1], part)
    return place


def _show(turns: list[ModelMessage], shown: Shown) -> None:
    """Show what was named in some messages in the ones behind them."""
    for place, content in shown.items():
        if content:
            if place + 1 == len(turns):
                turns.append(ModelRequest([]))
            _insert(turns[place + 1], UserPromptPart(content))


def _insert(turn: ModelMessage, part: ToolReturnPart | UserPromptPart) -> None:
    """Put a part behind the results of functions in a message, and before everything else."""
    parts: list[Any] = turn.parts  # type: ignore[assignment]
    behind = next((index for index, other in enumerate(parts) if not isinstance(other, ToolReturnPart)), len(parts))
    parts.insert(behind, part)


def _calls(turn: ModelMessage, id: str) -> bool:
    return isinstance(turn, ModelResponse) and any(
        isinstance(part, ToolCallPart) and part.tool_call_id == id for part in turn.parts
    )


def _fitted(id: str, model: LayerModel) -> str:
    """An id as the vendor takes it: some want theirs of one length. The same one for the same one, always."""
    length = model.profile.get("tool_call_id_length")
    if length is None or (len(id) == length and id.isascii() and id.isalnum()):
        return id
    return hashlib.sha256(id.encode()).hexdigest()[:length]


def _texts(content: Sequence[Content]) -> Iterable[str]:
    for part in content:
        if not isinstance(part, Text):
            raise Unimplemented(f"content of type {part.type!r} cannot be shown to this model here yet")
        yield part.text


def _said(content: Sequence[Content], kind: str) -> str | list[UserContent]:
    """What a user says: lines of text, and media among them."""
    if not any(isinstance(part, Media) for part in content):
        return "\n".join(_texts(content))
    said: list[UserContent] = []
    for part in content:
        if isinstance(part, Media):
            name = part.options.get("name")
            said += [f"[{name}]", _shown(part, kind)] if name else [_shown(part, kind)]
        elif said and isinstance(said[-1], str):
            said[-1] += f"\n{part.text}"
        else:
            said.append(part.text)
    return said


def _titled(media: Sequence[tuple[str, Media]], kind: str) -> list[UserContent]:
    return [piece for title, each in media for piece in (title, _shown(each, kind))]


def _shown(media: Media, kind: str) -> BinaryContent:
    what = seen(media, kind)
    return BinaryContent(what.data, media_type=what.mime_type, vendor_metadata=what.look)


def parameters(generation: GenerationConfig) -> dict[str, Any]:
    """What the prompt says of how to speak, under our names."""
    own = {
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "top_k": generation.top_k,
        "seed": generation.seed,
        "max_output_tokens": generation.max_output_tokens,
        "stop_sequences": list(generation.stop_sequences) or None,
    }
    return {name: value for name, value in own.items() if value is not None}


THEIRS: Mapping[str, str] = {"max_output_tokens": "max_tokens"}
"""The layer's names of parameters, where they are not ours."""


def render_settings(
    prompt: Prompt, model: LayerModel, *, thinks: bool, idle: float, beside: frozenset[str] = frozenset()
) -> ModelSettings:
    """The settings of a request. `thinks`: whether this model takes how hard it is to think. `beside`: parameters that
    the layer does not know."""
    own = parameters(prompt.generation)
    settings: dict[str, Any] = {THEIRS.get(name, name): value for name, value in own.items() if name not in beside}
    if beside & own.keys():
        settings["extra_body"] = {name: own[name] for name in beside & own.keys()}
    level = prompt.generation.thinking_level if thinks else None
    if level is not None:
        settings["thinking"] = level
    if prompt.tools:
        forced = prompt.tool_choice.mode == "any" and _can_be_forced(model.profile, level)
        settings["tool_choice"] = "required" if forced else "auto"
    silent = {"timeout", "max_retries"} & model.unsupported_settings
    settings |= {name: value for name, value in (("timeout", idle), ("max_retries", 0)) if name not in silent}
    return cast(ModelSettings, settings)


def _can_be_forced(profile: Mapping[str, Any], level: str | None) -> bool:
    """Whether a model can be made to call. Some refuse that while they think, or think no more. That a call is made
    where one is demanded the engine sees to in any case."""
    at_odds = profile.get("forced_tool_choice_disables_thinking") or not profile.get(
        "supports_forced_tool_choice_with_thinking", True
    )
    by_default = profile.get("thinking_always_enabled") or profile.get("thinking_enabled_by_default")
    return profile.get("supports_forced_tool_choice", True) and not (at_odds and (level or by_default))


def render_parameters(prompt: Prompt, model: LayerModel, *, narrows: bool) -> ModelRequestParameters:
    """The tools, and the form of the answer.

    Raises:
        Unimplemented: an answer that is not text.
    """
    others = [modality for modality in prompt.modalities if modality != "text"]
    if others:
        raise Unimplemented(f"a model of a vendor answers with text here, not with {others[0]!r}")
    tools = [_tool(tool) for tool in prompt.tools]
    if not prompt.schema:  # none, or any JSON: that the engine asks for, and checks
        return ModelRequestParameters(function_tools=tools)
    mode: Any = "native" if _can_be_bound(prompt, model, prompt.schema, narrows=narrows) else "prompted"
    form = OutputObjectDefinition(dict(prompt.schema), name="answer")
    return ModelRequestParameters(function_tools=tools, output_mode=mode, output_object=form)


def _tool(tool: FunctionTool) -> ToolDefinition:
    schema = dict(tool.parameters or NO_ARGUMENTS)
    return ToolDefinition(name=tool.name, parameters_json_schema=schema, description=tool.description)


def _can_be_bound(prompt: Prompt, model: LayerModel, schema: Schema, *, narrows: bool) -> bool:
    """Whether the text can be bound to this schema. If not, the model is told it, and the engine checks anyway."""
    if prompt.tools and model.profile.get("google_supports_tool_combination") is False:
        return False
    return not (narrows and _has_free_names(schema))


def _has_free_names(node: Any) -> bool:
    """Whether an object in a schema may have properties that the schema does not name."""
    if isinstance(node, list):
        return any(_has_free_names(item) for item in node)
    if not isinstance(node, dict):
        return False
    is_object = node.get("type") == "object" and not node.get("properties")
    free = node.get("additionalProperties", is_object)
    return free is not False or any(_has_free_names(value) for value in node.values())
