"""The Interaction: one whole turn, from what was asked (`Turn`) to what came of it.

`Turn` is a request after it was understood, whichever dialect it came in. `Interaction` is a Turn with an identity,
an owner, the steps it produced and how it ended. Which status may follow which is the table `MOVES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from turnwise.domain.content import JSON
from turnwise.domain.formats import AudioFormat, ImageFormat, Modality, ResponseFormat, Voice
from turnwise.domain.steps import Step
from turnwise.domain.tools import AS_IT_LIKES, Tool, ToolChoice

DialectName: TypeAlias = Literal["outputs", "steps"]


class Status(StrEnum):
    """Where an interaction stands. The values are the API's own words."""

    IN_PROGRESS = "in_progress"
    REQUIRES_ACTION = "requires_action"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    BUDGET_EXCEEDED = "budget_exceeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can happen to an interaction in this status."""
        return not MOVES[self]

    @property
    def can_be_continued(self) -> bool:
        """Whether a later turn may name it as `previous_interaction_id`."""
        return self in CONTINUABLE


MOVES: Mapping[Status, frozenset[Status]] = {
    Status.IN_PROGRESS: frozenset(Status) - {Status.IN_PROGRESS},
    Status.REQUIRES_ACTION: frozenset(),
    Status.COMPLETED: frozenset(),
    Status.INCOMPLETE: frozenset(),
    Status.BUDGET_EXCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
"""Which status may follow which. An interaction that waits for a function's result is never resumed: the result
comes with the next interaction."""

CONTINUABLE = frozenset({Status.COMPLETED, Status.REQUIRES_ACTION, Status.INCOMPLETE, Status.BUDGET_EXCEEDED})

Counts: TypeAlias = Mapping[str, int]
"""Tokens by modality (`text`, `image`, `audio`, `video`, `document`)."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn cost, in tokens. The counts by modality are the truth; totals are their sums."""

    input: Counts = field(default_factory=dict)
    output: Counts = field(default_factory=dict)
    cached: Counts = field(default_factory=dict)
    """The part of `input` that the model did not have to read again."""
    tool_use: Counts = field(default_factory=dict)
    """What the model read again, and read of tools' results, after it had called tools of the server."""
    thought: int = 0
    grounding: Mapping[str, int] = field(default_factory=dict)
    """How often tools were used that ground an answer, by their names. No tokens."""

    @property
    def input_tokens(self) -> int:
        return sum(self.input.values())

    @property
    def output_tokens(self) -> int:
        return sum(self.output.values())

    @property
    def cached_tokens(self) -> int:
        return sum(self.cached.values())

    @property
    def tool_use_tokens(self) -> int:
        return sum(self.tool_use.values())

    @property
    def total_tokens(self) -> int:
        """Input, output, thoughts and tool use. Cached tokens are input already."""
        return self.input_tokens + self.output_tokens + self.thought + self.tool_use_tokens


def add_usage(one: Usage, other: Usage) -> Usage:
    """What two calls cost together."""

    def together(a: Counts, b: Counts) -> Counts:
        return {modality: a.get(modality, 0) + b.get(modality, 0) for modality in (*a, *(m for m in b if m not in a))}

    return Usage(
        input=together(one.input, other.input),
        output=together(one.output, other.output),
        cached=together(one.cached, other.cached),
        tool_use=together(one.tool_use, other.tool_use),
        thought=one.thought + other.thought,
        grounding=together(one.grounding, other.grounding),
    )


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """How the model is to speak. None means: as the model's own defaults have it."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    thinking_level: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    thinking_summaries: Literal["auto", "none"] | None = None


UNSET = GenerationConfig()
"""Nothing is said of how the model is to speak."""


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Whom to tell how an interaction ended, for this one alone."""

    uris: tuple[str, ...] = ()
    """Where. Empty: only the owner's webhooks are told, with `user_metadata`."""
    user_metadata: Mapping[str, JSON] = field(default_factory=dict)
    """What is sent along."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A request, understood. Everything but the input belongs to this interaction alone and is never inherited."""

    input: tuple[Step, ...]
    model: str | None = None
    agent: str | None = None
    previous_interaction_id: str | None = None
    system_instruction: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = AS_IT_LIKES
    response_format: ResponseFormat | None = None
    generation: GenerationConfig = UNSET
    store: bool = True
    stream: bool = False
    background: bool = False
    response_modalities: tuple[Modality, ...] = ()
    """What the answer may consist of. Empty: what the model answers in."""
    image: ImageFormat | None = None
    """What images in the answer are to be like, if the request says."""
    audio: AudioFormat | None = None
    """What sound in the answer is to be like, if the request says."""
    voices: tuple[Voice, ...] = ()
    """Who speaks in the answer. Empty: the default voice."""
    agent_config: Mapping[str, JSON] = field(default_factory=dict)
    """How the agent is to work, as it came."""
    webhook: WebhookConfig | None = None
    """Whom to tell how it ended. Addresses in it are told in place of the webhooks that its owner has."""
    echo: Mapping[str, JSON] = field(default_factory=dict)
    """Fields that carry data for people, kept and given back as they came: `labels`, `service_tier`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an interaction failed: the API's word for it, and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Interaction:
    """One turn of a conversation, with its history, its outcome and its owner."""

    id: str
    owner: str
    turn: Turn
    created: datetime
    updated: datetime
    status: Status = Status.IN_PROGRESS
    steps: tuple[Step, ...] = ()
    """What this turn produced; the input is `turn.input`."""
    usage: Usage | None = None
    failure: Failure | None = None
    dialect: DialectName = "steps"
    """The dialect of the request that made it."""
