"""Interactions and events in the current dialect.

A message is one step with content; thoughts, calls and results are steps of their own. In a stream a message's parts
have no start or stop of their own, so those events give no frame.
"""

from typing import assert_never

import orjson

from turnwise.domain.content import JSON
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
from turnwise.domain.interaction import Interaction
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
from turnwise.wire.common import (
    Frame,
    frame,
    render_content,
    render_failure,
    render_head,
    render_partial,
    render_settings,
    render_thought,
    render_usage,
    render_whole,
    text_frame,
)


def render_step(step: Step) -> dict[str, JSON]:
    """A step of a timeline."""
    match step:
        case UserInput(content) | ModelOutput(content):
            return {"type": step.type, "content": [render_content(part) for part in content]}
        case Thought():
            return render_thought(step)
        case FunctionCall() | FunctionResult() | ToolCall() | ToolResult():
            return render_whole(step)
        case UnknownStep(kind, body):
            return {"type": kind, **body}
        case _:
            assert_never(step)


def render_interaction(
    interaction: Interaction, *, timeline: bool = False, include_input: bool = False
) -> dict[str, JSON]:
    """An interaction. Its steps are what it produced; with `timeline`, all that happened, from the input on."""
    steps = (*interaction.turn.input, *interaction.steps) if timeline else interaction.steps
    body = {
        **render_head(interaction),
        "status": interaction.status.value,
        "steps": [render_step(step) for step in steps],
        **render_failure(interaction),
        **render_settings(interaction),
    }
    if interaction.usage is not None:
        body["usage"] = render_usage(interaction.usage)
    if include_input:
        body["input"] = [render_step(step) for step in interaction.turn.input]
    return body


def render_event(event: Event, position: int, interaction: Interaction) -> Frame | None:
    """The frame of an event: its name and payload. `interaction` is the one as it was created."""
    if isinstance(event, PartDelta) and isinstance(event.delta, TextDelta):
        return text_frame("step.delta", position, event.step, event.delta.text)
    match event:
        case PartDelta(step, _, delta):
            shown = _render_delta(delta)
            return None if shown is None else frame("step.delta", position, index=step, delta=shown)
        case Created():
            return frame("interaction.created", position, interaction=render_partial(interaction, "in_progress"))
        case StatusUpdate(status):
            return frame("interaction.status_update", position, interaction_id=interaction.id, status=status.value)
        case StepStart(step, _, skeleton):
            return frame("step.start", position, index=step, step=_render_start(skeleton))
        case PartStart() | PartStop() | Checkpoint():
            return None
        case StepStop(step):
            return frame("step.stop", position, index=step)
        case Failed(failure):
            return frame("error", position, error={"code": failure.code, "message": failure.message})
        case End(status, usage, at):
            ended = render_partial(interaction, status.value, updated=at)
            if usage is not None:
                ended["usage"] = render_usage(usage)
            return frame("interaction.completed", position, interaction=ended)
        case _:
            assert_never(event)


def _render_start(skeleton: Step) -> dict[str, JSON]:
    """A step as far as its start shows it. A result's start has no `result` yet, and a message no content."""
    match skeleton:
        case UserInput() | ModelOutput() | Thought():
            return {"type": skeleton.type}
        case FunctionResult() | ToolResult():
            body = render_whole(skeleton)
            del body["result"]
            return body
        case _:
            return render_step(skeleton)


def _render_delta(delta: Delta) -> dict[str, JSON] | None:
    match delta:
        case TextDelta(text):
            return {"type": "text", "text": text}
        case MediaDelta(media):
            return render_content(media)
        case AnnotationsDelta(annotations):
            return {"type": "text_annotation_delta", "annotations": list(annotations)}
        case SummaryDelta(content):
            return {"type": "thought_summary", "content": render_content(content)}
        case SignatureDelta(signature):
            return {"type": "thought_signature", "signature": signature}
        case ArgumentsDelta(fragment):
            return _arguments(fragment)
        case WholeDelta(step, fragments):
            return None if fragments else _render_whole_delta(step)
        case _:
            assert_never(delta)


def _arguments(fragment: str) -> dict[str, JSON]:
    """2.0.0 of the SDKs read the fragment under the name `partial_arguments`; later ones as `arguments`."""
    return {"type": "arguments_delta", "arguments": fragment, "partial_arguments": fragment}


def _render_whole_delta(step: FunctionCall | FunctionResult | ToolCall | ToolResult) -> dict[str, JSON]:
    """A whole step as a delta: its ids stand in `step.start` and nowhere else."""
    if isinstance(step, FunctionCall):
        return _arguments(orjson.dumps(step.arguments).decode())
    body = render_whole(step)
    body.pop("id", None)
    body.pop("call_id", None)
    return body
