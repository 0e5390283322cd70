"""What clients of the current dialect read, as types: see `wire/schema.py` for what they are for.

A turn is a timeline of `steps`, and a message is a step with content; a stream has `step.*` events with an index into
what the turn produced.
"""

from typing import Annotated, Any, Literal, NotRequired, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from turnwise.wire.schema import (
    Annotation,
    Content,
    ErrorEvent,
    Frame,
    FunctionCall,
    FunctionResult,
    Head,
    LastFrame,
    MediaContent,
    Outcome,
    ServerToolCall,
    ServerToolResult,
    Settings,
    TextDelta,
    Thought,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
    ToolCall,
    ToolResult,
    Unknown,
    Usage,
)


class Message(TypedDict):
    """What the user (`user_input`) or the model (`model_output`) said."""

    type: Literal["user_input", "model_output"]
    content: list[Content]


Step: TypeAlias = (
    Annotated[
        Message | Thought | FunctionCall | FunctionResult | ToolCall | ToolResult,
        Field(discriminator="type"),
    ]
    | Unknown
)

StepsStatus: TypeAlias = Literal[
    "in_progress", "requires_action", "completed", "incomplete", "budget_exceeded", "failed", "cancelled"
]


class StepsInteraction(Head, Settings, Outcome):
    """An interaction in the current dialect."""

    status: StepsStatus
    steps: list[Step]
    """What this turn produced, in the order in which it happened. `GET` shows the whole timeline, from the input on."""
    input: NotRequired[list[Step]]
    """What it was asked, when `include_input` asks for it."""


class StepsPartial(Head):
    """An interaction as the first and the last frame of a stream show it: without its steps."""

    status: StepsStatus
    usage: NotRequired[Usage]
    """What it cost; in the last frame."""


# -- starts: a step as far as it is known


class MessageStart(TypedDict):
    """A message or a thought begins."""

    type: Literal["user_input", "model_output", "thought"]


class FunctionResultStart(TypedDict):
    """A function's result begins."""

    type: Literal["function_result"]
    call_id: str
    name: NotRequired[str]
    is_error: NotRequired[bool]
    signature: NotRequired[str]


class ToolResultStart(TypedDict):
    """A tool's result begins."""

    type: ServerToolResult
    call_id: str
    is_error: NotRequired[bool]
    name: NotRequired[str]
    server_name: NotRequired[str]
    signature: NotRequired[str]


StartedStep: TypeAlias = (
    Annotated[
        MessageStart | FunctionCall | FunctionResultStart | ToolCall | ToolResultStart,
        Field(discriminator="type"),
    ]
    | Unknown
)


# -- deltas


class TextAnnotationStepDelta(TypedDict):
    """Citations for the text that is open."""

    type: Literal["text_annotation_delta"]
    annotations: list[Annotation]


class ArgumentsDelta(TypedDict):
    """More of the JSON text of a function call's arguments. Join the fragments, then read them."""

    type: Literal["arguments_delta"]
    arguments: str
    """The fragment."""
    partial_arguments: str
    """The same, under the name that 2.0 of the SDKs reads."""


class FunctionResultDelta(TypedDict):
    """A function's result, whole. Its `call_id` is in the start."""

    type: Literal["function_result"]
    result: Any
    name: NotRequired[str]
    is_error: NotRequired[bool]
    signature: NotRequired[str]


class ToolCallDelta(TypedDict):
    """A tool's call, whole. Its `id` is in the start."""

    type: ServerToolCall
    arguments: dict[str, Any]
    name: NotRequired[str]
    server_name: NotRequired[str]
    search_type: NotRequired[str]
    retrieval_type: NotRequired[str]
    signature: NotRequired[str]


class ToolResultDelta(TypedDict):
    """A tool's result, whole. Its `call_id` is in the start."""

    type: ServerToolResult
    result: Any
    is_error: NotRequired[bool]
    name: NotRequired[str]
    server_name: NotRequired[str]
    signature: NotRequired[str]


StepsDelta: TypeAlias = Annotated[
    TextDelta
    | MediaContent
    | TextAnnotationStepDelta
    | ThoughtSummaryDelta
    | ThoughtSignatureDelta
    | ArgumentsDelta
    | FunctionResultDelta
    | ToolCallDelta
    | ToolResultDelta,
    Field(discriminator="type"),
]


# -- events


class InteractionCreated(Frame):
    """The interaction exists. Always the first frame."""

    event_type: Literal["interaction.created"]
    interaction: StepsPartial


class StepsStatusUpdate(Frame):
    """Its status is now this."""

    event_type: Literal["interaction.status_update"]
    interaction_id: str
    status: StepsStatus


class StepStart(Frame):
    """A step begins."""

    event_type: Literal["step.start"]
    index: int
    """Its place among the steps that this turn produced."""
    step: StartedStep
    """The step as far as it is known: its type, its ids, its name."""


class StepDelta(Frame):
    """More of the step that is open: text, arguments and bytes are joined."""

    event_type: Literal["step.delta"]
    index: int
    """Its place among the steps that this turn produced."""
    delta: StepsDelta


class StepStop(Frame):
    """The step is whole."""

    event_type: Literal["step.stop"]
    index: int
    """Its place among the steps that this turn produced."""


class InteractionCompleted(LastFrame):
    """The turn is over, however it went: see its status. Always the last frame before `[DONE]`."""

    event_type: Literal["interaction.completed"]
    interaction: StepsPartial


StepsEvent: TypeAlias = Annotated[
    InteractionCreated | StepsStatusUpdate | StepStart | StepDelta | StepStop | ErrorEvent | InteractionCompleted,
    Field(discriminator="event_type"),
]
