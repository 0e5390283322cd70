"""A prompt in the layer's words: messages, settings, and the parameters of a request. Pure.

A conversation's thoughts stand open in a prompt, but some vendors take a thought back only with the signature that they
gave with it. What has one is kept in `Signed` for as long as this process lives, found again by what the engine keeps
of it (a thought's text, a call's id), and sent as it came. Thoughts that are not found there go out unsigned, in the
way that the layer has for thoughts of others.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, cast

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model as LayerModel
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from turnwise.domain.content import Content, Text
from turnwise.domain.errors import Unimplemented
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, UserInput
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.models.messages import render_result
from turnwise.models.model import Prompt

SIGNED = 1024
"""How many signed thoughts and calls are kept."""

NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}


class Signed:
    """What vendors gave with a signature, the latest of it."""

    def __init__(self, size: int = SIGNED) -> None:
        self._size = size
        self._kept: OrderedDict[str, list[ModelResponsePart]] = OrderedDict()

    def keep(self, parts: Iterable[ModelResponsePart]) -> None:
        """Keep what is signed among the parts of an answer. Thoughts in a row are one thought to the engine."""
        for thinking, group in groupby(parts, lambda part: isinstance(part, ThinkingPart)):
            run = list(group)
            if thinking:
                self._put(_key("".join(part.content for part in run if isinstance(part, ThinkingPart))), run)
            for part in run:
                if isinstance(part, ToolCallPart):
                    self._put(part.tool_call_id, [part])

    def thought(self, text: str) -> Sequence[ModelResponsePart]:
        """The parts of a thought; one that is unsigned if it is not known."""
        return self._kept.get(_key(text)) or ([ThinkingPart(text)] if text.strip() else [])

    def call(self, call: FunctionCall, id: str) -> ToolCallPart:
        """The part of a call. One of the same id that is another call does not lend it its signature."""
        for part in self._kept.get(call.id, ()):
            if isinstance(part, ToolCallPart) and (part.tool_name, part.args_as_dict()) == (call.name, call.arguments):
                return part
        return ToolCallPart(call.name, dict(call.arguments), id)

    def _put(self, key: str, parts: list[ModelResponsePart]) -> None:
        if not any(getattr(part, "signature", None) or part.provider_details for part in parts):
            return
        self._kept[key] = parts
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def render_messages(prompt: Prompt, model: LayerModel, signed: Signed) -> list[ModelMessage]:
    """The conversation, oldest first. A result stands right behind what called, though words may have come between.

    Raises:
        Unimplemented: a kind of step or content that cannot be shown to this model yet.
    """
    turns: list[ModelMessage] = []
    names: dict[str, str] = {}
    if prompt.system_instruction:
        _request(turns).append(SystemPromptPart(prompt.system_instruction))
    for step in prompt.steps:
        match step:
            case UserInput(content):
                _request(turns).append(UserPromptPart("\n".join(_texts(content))))
            case ModelOutput(content):
                _response(turns, model).append(TextPart("".join(_texts(content))))
            case Thought(_, summary):
                _response(turns, model).extend(signed.thought("".join(_texts(summary))))
            case FunctionCall(id, name):
                names[id] = name
                _response(turns, model).append(signed.call(step, _fitted(id, model)))
            case FunctionResult():
                _answer(turns, step, step.name or names.get(step.call_id, ""), _fitted(step.call_id, model))
            case _:
                raise _not_yet(step)
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


def _answer(turns: list[ModelMessage], result: FunctionResult, name: str, id: str) -> None:
    part = ToolReturnPart(name, render_result(result), id, outcome="failed" if result.is_error else "success")
    place = next((index for index in range(len(turns) - 1, -1, -1) if _calls(turns[index], id)), len(turns) - 1)
    if place + 1 == len(turns):
        turns.append(ModelRequest([]))
    parts: list[Any] = turns[place + 1].parts  # type: ignore[assignment]
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
    return _key(id)[:length]


def _texts(content: Sequence[Content]) -> Iterable[str]:
    for part in content:
        if not isinstance(part, Text):
            raise Unimplemented(f"content of type {part.type!r} cannot be shown to this model yet")
        yield part.text


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
    """The tools, and the form of the answer."""
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
