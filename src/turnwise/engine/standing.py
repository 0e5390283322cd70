"""How far a turn was told when its carrier died, so that another one goes on from there.

What is whole stays as it is. A text that was half-written is gone on with, behind its last word. A thought that was
half shown is closed, and thought anew. A call whose result is not there is made again. Anything else that stood open
cannot be finished by anybody: the turn ends as failed.

That a step is told to its end together with what closed it, or with the turn's end, is what makes this enough to know:
between a whole message and what follows it no process can die (see `Journal.append`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from turnwise.domain.content import JSON, Text
from turnwise.domain.errors import ModelFailed
from turnwise.domain.events import (
    Checkpoint,
    Created,
    Event,
    PartStop,
    StatusUpdate,
    StepStart,
    StepStop,
    fold,
)
from turnwise.domain.steps import ModelOutput, Step, Thought, ToolCall, ToolResult, UserInput

CUT = (
    "the server stopped in the middle of this answer, and what was begun cannot be gone on with: {what} was half-made. "
    "Ask again"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a turn was told."""

    steps: tuple[Step, ...]
    """What is whole, in order."""
    said: str | None
    """The text that stands open, perhaps without a word yet. None: none does."""
    thought: Thought | None
    """The thought that stands open."""
    step: int
    """The index of the step that is open, or is to come next."""
    output: int
    """The same, as the dialect `outputs` counts."""
    pending: tuple[ToolCall, ...]
    """Calls whose results are not there."""
    checkpoints: tuple[Checkpoint, ...]

    @property
    def is_new(self) -> bool:
        """Whether nothing was told yet."""
        return not self.steps and self.said is None and self.thought is None

    def noted(self, kind: str) -> list[JSON]:
        """What was written down under this, in order."""
        return [checkpoint.data for checkpoint in self.checkpoints if checkpoint.kind == kind]


NOWHERE = Standing(steps=(), said=None, thought=None, step=0, output=0, pending=(), checkpoints=())
"""Where a turn stands of which nothing was told."""


def stand(told: Sequence[Event]) -> Standing:
    """How far these events tell a turn.

    Raises:
        ModelFailed: something stands open that nobody can finish.
    """
    if not told:
        return NOWHERE
    shown = [event for event in told if not isinstance(event, Checkpoint)]
    steps = fold(shown).steps
    last = shown[-1] if shown else None
    open_step = None if isinstance(last, Created | StatusUpdate | StepStop | None) else steps[-1]
    whole = steps if open_step is None else steps[:-1]
    said, thought = None, None
    if isinstance(open_step, Thought):
        thought = open_step
    elif open_step is not None:
        said = _said(open_step, last)
    return Standing(
        steps=whole,
        said=said,
        thought=thought,
        step=sum(isinstance(event, StepStop) for event in shown),
        output=sum(_outputs(step) for step in whole),
        pending=_pending(whole),
        checkpoints=tuple(event for event in told if isinstance(event, Checkpoint)),
    )


def _said(step: Step, last: Event | None) -> str:
    """The text of a message that was begun and can be gone on with: one text, and nothing else."""
    if not isinstance(step, ModelOutput):
        raise ModelFailed(CUT.format(what=f"a {step.type}"))
    if isinstance(last, StepStart | PartStop) or len(step.content) != 1 or not isinstance(step.content[0], Text):
        raise ModelFailed(CUT.format(what="a message with more than text"))
    return step.content[0].text


def _outputs(step: Step) -> int:
    return len(step.content) if isinstance(step, UserInput | ModelOutput) else 1


def _pending(steps: Sequence[Step]) -> tuple[ToolCall, ...]:
    answered = {step.call_id for step in steps if isinstance(step, ToolResult)}
    return tuple(step for step in steps if isinstance(step, ToolCall) and step.id not in answered)
