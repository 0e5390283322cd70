"""Events: what happens during a turn, at the finest grain that any reader needs.

One list of events is the whole truth about a run. Its positions count from 1 and never change, and each event becomes
at most one frame in either dialect; so a position is an `event_id`, and a reader can go on after any frame, in any
dialect, at any later time. `fold` reads a list of events as an outcome; `replay` writes the events of an outcome that
nobody watched while it came about. `fold(replay(x))` is x.

The order is always: Created, StatusUpdate, then for each step StepStart ... StepStop with its parts in between, then
perhaps Failed, then End. Checkpoints stand anywhere behind StatusUpdate.

`step` counts produced steps, which is the index in the `steps` dialect. `output` counts pieces as the `outputs` dialect
does: each part of a message is one, each other step is one. A message step as such has no output index.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias, assert_never

from turnwise.domain.content import JSON, Content, Media, Text
from turnwise.domain.interaction import Failure, Interaction, Status, Usage
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


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of a text part."""

    text: str
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class MediaDelta:
    """More of a media part: its bytes come in one piece or, for sound, as they are made. Their base64 joins, since each
    piece but the last is of a multiple of three bytes."""

    media: Media
    type: Literal["media"] = "media"


@dataclass(frozen=True, slots=True)
class AnnotationsDelta:
    """Citations for the text part that is open."""

    annotations: tuple[JSON, ...]
    type: Literal["annotations"] = "annotations"


@dataclass(frozen=True, slots=True)
class SummaryDelta:
    """One more piece of a thought's summary."""

    content: Content
    type: Literal["summary"] = "summary"


@dataclass(frozen=True, slots=True)
class SignatureDelta:
    """A thought's signature. It comes last."""

    signature: str
    type: Literal["signature"] = "signature"


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    """A fragment of the JSON text of a function call's arguments. The dialect `outputs` has no such thing."""

    fragment: str
    type: Literal["arguments"] = "arguments"


@dataclass(frozen=True, slots=True)
class WholeDelta:
    """A step that is known all at once, or a function call whose fragments have all come."""

    step: FunctionCall | FunctionResult | ToolCall | ToolResult
    fragments: bool = False
    """Whether ArgumentsDeltas came before it: then only the dialect `outputs` shows this one."""
    type: Literal["whole"] = "whole"


WholeStep: TypeAlias = FunctionCall | FunctionResult | ToolCall | ToolResult

Delta: TypeAlias = (
    TextDelta | MediaDelta | AnnotationsDelta | SummaryDelta | SignatureDelta | ArgumentsDelta | WholeDelta
)


@dataclass(frozen=True, slots=True)
class Created:
    """The interaction exists. Always the first."""

    type: Literal["created"] = "created"


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """The status is now this."""

    status: Status
    type: Literal["status"] = "status"


@dataclass(frozen=True, slots=True)
class StepStart:
    """A step begins. `skeleton` is the step as far as it is known: its kind, its ids, its name."""

    step: int
    output: int | None
    skeleton: Step
    type: Literal["step_start"] = "step_start"


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part of a message begins. `skeleton` is empty text, or media without bytes."""

    step: int
    output: int
    skeleton: Content
    type: Literal["part_start"] = "part_start"


@dataclass(frozen=True, slots=True)
class PartDelta:
    """More of the part, or of the step without parts, that is open."""

    step: int
    output: int
    delta: Delta
    type: Literal["delta"] = "delta"


@dataclass(frozen=True, slots=True)
class PartStop:
    """The part is whole."""

    step: int
    output: int
    type: Literal["part_stop"] = "part_stop"


@dataclass(frozen=True, slots=True)
class StepStop:
    """The step is whole."""

    step: int
    output: int | None
    type: Literal["step_stop"] = "step_stop"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the run must know to go on from here, should its carrier die. No reader is shown it."""

    kind: str
    data: Mapping[str, JSON]
    """Where it has a `usage`, that is what the run has cost since the last one."""
    type: Literal["checkpoint"] = "checkpoint"


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn broke, and this is why. An End follows."""

    failure: Failure
    type: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class End:
    """The turn is over. Always the last."""

    status: Status
    usage: Usage | None
    at: datetime
    type: Literal["end"] = "end"


Event: TypeAlias = (
    Created | StatusUpdate | StepStart | PartStart | PartDelta | PartStop | StepStop | Checkpoint | Failed | End
)


@dataclass(slots=True)
class Outcome:
    """What a list of events amounts to so far."""

    steps: tuple[Step, ...] = ()
    status: Status = Status.IN_PROGRESS
    usage: Usage | None = None
    failure: Failure | None = None
    ended: datetime | None = None


@dataclass(slots=True)
class _Open:
    """A step that `fold` is putting together."""

    skeleton: Step
    parts: list[Content] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)

    def close_part(self) -> None:
        if not self.parts:
            return
        part = self.parts[-1]
        if isinstance(part, Text) and self.text:
            self.parts[-1] = Text(part.text + "".join(self.text), part.annotations)
        if isinstance(part, Media) and self.data:
            self.parts[-1] = replace(part, data="".join(self.data))
        self.text.clear()
        self.data.clear()

    def whole(self) -> Step:
        self.close_part()
        if isinstance(self.skeleton, UserInput | ModelOutput):
            return type(self.skeleton)(tuple(self.parts))
        return self.skeleton

    def add(self, delta: Delta) -> None:
        match delta:
            case TextDelta(text):
                self.text.append(text)
            case MediaDelta(media):
                self.parts[-1] = media
                self.data += [media.data] if media.data is not None else []
            case AnnotationsDelta(annotations):
                part = self.parts[-1]
                assert isinstance(part, Text)
                self.parts[-1] = replace(part, annotations=part.annotations + annotations)
            case SummaryDelta(content):
                assert isinstance(self.skeleton, Thought)
                self.skeleton = replace(self.skeleton, summary=(*self.skeleton.summary, content))
            case SignatureDelta(signature):
                assert isinstance(self.skeleton, Thought)
                self.skeleton = replace(self.skeleton, signature=signature)
            case ArgumentsDelta():
                pass  # the whole call follows
            case WholeDelta(step):
                self.skeleton = step
            case _:
                assert_never(delta)


def fold(events: Iterable[Event]) -> Outcome:
    """What these events, from the first on, amount to. A run that was cut short folds to what was written of it."""
    outcome = Outcome()
    steps: list[Step] = []
    current: _Open | None = None
    for event in events:
        match event:  # the most frequent first: a case takes time that is passed by, too
            case PartDelta(delta=delta):
                assert current is not None
                current.add(delta)
            case Created() | Checkpoint():
                pass
            case StatusUpdate(status):
                outcome.status = status
            case StepStart(skeleton=skeleton):
                current = _Open(skeleton)
            case PartStart(skeleton=part):
                assert current is not None
                current.parts.append(part)
            case PartStop():
                assert current is not None
                current.close_part()
            case StepStop():
                assert current is not None
                steps.append(current.whole())
                current = None
            case Failed(failure):
                outcome.failure = failure
            case End(status, usage, at):
                outcome.status, outcome.usage, outcome.ended = status, usage, at
            case _:
                assert_never(event)
    if current is not None:
        steps.append(current.whole())
    outcome.steps = tuple(steps)
    return outcome


def closing(events: Sequence[Event]) -> list[Event]:
    """The events that close what these leave open: for a run that was cut short."""
    shown = [event for event in events if not isinstance(event, Checkpoint)]
    start = next((event for event in reversed(shown) if isinstance(event, StepStart)), None)
    last = shown[-1] if shown else None
    if start is None or isinstance(last, StepStop | Failed | End):
        return []
    stop = StepStop(start.step, start.output)
    if start.output is None and isinstance(last, PartStart | PartDelta):
        return [PartStop(last.step, last.output), stop]
    return [stop]


def replay(interaction: Interaction) -> Iterator[Event]:
    """The events of an interaction that ended without anyone watching: always the same ones, at the same positions."""
    yield Created()
    yield StatusUpdate(Status.IN_PROGRESS)
    output = 0
    for index, step in enumerate(interaction.steps):
        yield from _replay_step(index, output, step)
        output += len(step.content) if isinstance(step, UserInput | ModelOutput) else 1
    if interaction.failure is not None:
        yield Failed(interaction.failure)
    if interaction.status.is_terminal:
        yield End(interaction.status, interaction.usage, interaction.updated)


def _replay_step(index: int, output: int, step: Step) -> Iterator[Event]:
    match step:
        case UserInput(content) | ModelOutput(content):
            yield StepStart(index, None, replace(step, content=()))
            for offset, part in enumerate(content):
                yield from _replay_part(index, output + offset, part)
            yield StepStop(index, None)
        case Thought(signature, summary):
            yield StepStart(index, output, Thought())
            for piece in summary:
                yield PartDelta(index, output, SummaryDelta(piece))
            if signature is not None:
                yield PartDelta(index, output, SignatureDelta(signature))
            yield StepStop(index, output)
        case FunctionCall() | FunctionResult() | ToolCall() | ToolResult():
            yield StepStart(index, output, skeleton(step))
            yield PartDelta(index, output, WholeDelta(step))
            yield StepStop(index, output)
        case UnknownStep():
            yield StepStart(index, output, step)
            yield StepStop(index, output)
        case _:
            assert_never(step)


def _replay_part(index: int, output: int, part: Content) -> Iterator[Event]:
    match part:
        case Text(text, annotations):
            yield PartStart(index, output, Text(""))
            if text:
                yield PartDelta(index, output, TextDelta(text))
            if annotations:
                yield PartDelta(index, output, AnnotationsDelta(annotations))
        case Media():
            yield PartStart(index, output, Media(part.type, part.mime_type))
            yield PartDelta(index, output, MediaDelta(part))
        case _:
            assert_never(part)
    yield PartStop(index, output)


def skeleton(step: WholeStep) -> WholeStep:
    """A call or a result as far as its start shows it: ids and names, no arguments and no result."""
    if isinstance(step, FunctionCall | ToolCall):
        return replace(step, arguments={})
    return replace(step, result=None)
