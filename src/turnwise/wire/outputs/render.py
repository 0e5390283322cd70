"""Interactions and events in the founding dialect.

Everything that a turn produced stands flat in `outputs`: each part of a message is one, each thought, call and result
is one. In a stream each has its own start, deltas and stop, and a function call comes as one whole delta. The dialect
has fewer statuses than the current one.
"""

from typing import assert_never

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
from turnwise.domain.interaction import Interaction, Status
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

_STATUS = {Status.BUDGET_EXCEEDED: Status.INCOMPLETE}


def render_outputs(steps: tuple[Step, ...]) -> list[JSON]:
    """Steps as a flat list of outputs."""
    return [output for step in steps for output in _render_step(step)]


def _render_step(step: Step) -> list[JSON]:
    match step:
        case UserInput(content) | ModelOutput(content):
            return [render_content(part) for part in content]
        case Thought():
            return [render_thought(step)]
        case FunctionCall() | FunctionResult() | ToolCall() | ToolResult():
            return [render_whole(step)]
        case UnknownStep(kind, body):
            return [{"type": kind, **body}]
        case _:
            assert_never(step)


def render_turns(steps: tuple[Step, ...]) -> list[JSON]:
    """Steps as turns with roles: the client's messages and results are the user's, the rest is the model's."""
    turns: list[JSON] = []
    before: Step | None = None
    for step in steps:
        role = "user" if isinstance(step, UserInput | FunctionResult) else "model"
        if not turns or turns[-1]["role"] != role or _is_new_message(step, before):
            turns.append({"role": role, "content": []})
        turns[-1]["content"].extend(_render_step(step))
        before = step
    return turns


def _is_new_message(step: Step, before: Step | None) -> bool:
    """Whether a step must not share its turn with the one before: side by side, two messages would read as one."""
    return isinstance(step, UserInput) or (isinstance(step, ModelOutput) and isinstance(before, ModelOutput))


def render_interaction(
    interaction: Interaction, *, timeline: bool = False, include_input: bool = False
) -> dict[str, JSON]:
    """An interaction. This dialect has no timeline: `outputs` is what it produced; the input is asked for by name."""
    del timeline
    body = {
        **render_head(interaction),
        "status": _status(interaction.status),
        "outputs": render_outputs(interaction.steps),
        **render_failure(interaction),
        **render_settings(interaction),
    }
    if interaction.usage is not None:
        body["usage"] = render_usage(interaction.usage)
    if include_input:
        body["input"] = render_turns(interaction.turn.input)
    return body


def render_event(event: Event, position: int, interaction: Interaction) -> Frame | None:
    """The frame of an event: its name and payload. `interaction` is the one as it was created."""
    if isinstance(event, PartDelta) and isinstance(event.delta, TextDelta):
        return text_frame("content.delta", position, event.output, event.delta.text)
    match event:
        case PartDelta(_, output, delta):
            shown = _render_delta(delta)
            return None if shown is None else frame("content.delta", position, index=output, delta=shown)
        case Created():
            return frame("interaction.start", position, interaction=render_partial(interaction, "in_progress"))
        case StatusUpdate(status):
            return frame("interaction.status_update", position, interaction_id=interaction.id, status=_status(status))
        case StepStart(_, None, _) | Checkpoint():
            return None
        case StepStart(_, output, skeleton):
            return frame("content.start", position, index=output, content=_render_start(skeleton))
        case PartStart(_, output, part):
            return frame("content.start", position, index=output, content=render_content(part))
        case StepStop(_, None):
            return None
        case PartStop(_, output) | StepStop(_, output):
            return frame("content.stop", position, index=output)
        case Failed(failure):
            return frame("error", position, error={"code": failure.code, "message": failure.message})
        case End(status, usage, at):
            ended = render_partial(interaction, _status(status), updated=at)
            if usage is not None:
                ended["usage"] = render_usage(usage)
            return frame("interaction.complete", position, interaction=ended)
        case _:
            assert_never(event)


def _status(status: Status) -> str:
    return _STATUS.get(status, status).value


def _render_start(skeleton: Step) -> dict[str, JSON]:
    match skeleton:
        case Thought():
            return {"type": "thought"}
        case FunctionCall() | FunctionResult() | ToolCall() | ToolResult():
            return render_whole(skeleton)
        case UnknownStep(kind, body):
            return {"type": kind, **body}
        case UserInput() | ModelOutput():
            raise AssertionError("a message step has no output of its own")
        case _:
            assert_never(skeleton)


def _render_delta(delta: Delta) -> dict[str, JSON] | None:
    match delta:
        case TextDelta(text):
            return {"type": "text", "text": text}
        case MediaDelta(media):
            return render_content(media)
        case AnnotationsDelta(annotations):
            # From 1.70 on SDKs know `text_annotation` too. The first ones break at a delta that they do not know.
            return {"type": "text", "text": "", "annotations": list(annotations)}
        case SummaryDelta(content):
            return {"type": "thought_summary", "content": render_content(content)}
        case SignatureDelta(signature):
            return {"type": "thought_signature", "signature": signature}
        case ArgumentsDelta():
            return None
        case WholeDelta(step):
            return render_whole(step)
        case _:
            assert_never(delta)
