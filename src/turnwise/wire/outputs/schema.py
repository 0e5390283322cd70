"""What clients of the founding dialect read, as types: see `wire/schema.py` for what they are for.

Everything that a turn produced stands flat in `outputs`; a stream has `content.*` events with an index into it.
"""

from typing import Annotated, Literal, NotRequired, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from turnwise.wire.schema import (
    Annotation,
    ErrorEvent,
    Frame,
    FunctionCall,
    FunctionResult,
    Head,
    LastFrame,
    MediaContent,
    Outcome,
    Settings,
    TextContent,
    Thought,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
    ToolCall,
    ToolResult,
    Unknown,
    Usage,
)

Output: TypeAlias = (
    Annotated[
        TextContent | MediaContent | Thought | FunctionCall | FunctionResult | ToolCall | ToolResult,
        Field(discriminator="type"),
    ]
    | Unknown
)

OutputsStatus: TypeAlias = Literal["in_progress", "requires_action", "completed", "incomplete", "failed", "cancelled"]


class RoleTurn(TypedDict):
    """A message, or what the model did, as a turn."""

    role: Literal["user", "model"]
    content: list[Output]


class OutputsInteraction(Head, Settings, Outcome):
    """An interaction in the founding dialect."""

    status: OutputsStatus
    outputs: list[Output]
    """What this turn produced, in the order in which it happened; the text of an answer comes last."""
    input: NotRequired[list[RoleTurn]]
    """What it was asked, when `include_input` asks for it."""


class OutputsPartial(Head):
    """An interaction as the first and the last frame of a stream show it: without its outputs."""

    status: OutputsStatus
    usage: NotRequired[Usage]
    """What it cost; in the last frame."""


# -- deltas


class OutputsTextDelta(TypedDict):
    """More text, and citations for the text that is open."""

    type: Literal["text"]
    text: str
    annotations: NotRequired[list[Annotation]]


OutputsDelta: TypeAlias = Annotated[
    OutputsTextDelta
    | MediaContent
    | ThoughtSummaryDelta
    | ThoughtSignatureDelta
    | FunctionCall
    | FunctionResult
    | ToolCall
    | ToolResult,
    Field(discriminator="type"),
]


# -- events


class InteractionStart(Frame):
    """The interaction exists. Always the first frame."""

    event_type: Literal["interaction.start"]
    interaction: OutputsPartial


class OutputsStatusUpdate(Frame):
    """Its status is now this."""

    event_type: Literal["interaction.status_update"]
    interaction_id: str
    status: OutputsStatus


class ContentStart(Frame):
    """An output begins."""

    event_type: Literal["content.start"]
    index: int
    """Its place in `outputs`."""
    content: Output
    """The output as far as it is known: its type, its ids, its name."""


class ContentDelta(Frame):
    """More of the output that is open: text and bytes are joined; of calls and results the last one counts."""

    event_type: Literal["content.delta"]
    index: int
    """Its place in `outputs`."""
    delta: OutputsDelta


class ContentStop(Frame):
    """The output is whole."""

    event_type: Literal["content.stop"]
    index: int
    """Its place in `outputs`."""


class InteractionComplete(LastFrame):
    """The turn is over, however it went: see its status. Always the last frame before `[DONE]`."""

    event_type: Literal["interaction.complete"]
    interaction: OutputsPartial


OutputsEvent: TypeAlias = Annotated[
    InteractionStart
    | OutputsStatusUpdate
    | ContentStart
    | ContentDelta
    | ContentStop
    | ErrorEvent
    | InteractionComplete,
    Field(discriminator="event_type"),
]
