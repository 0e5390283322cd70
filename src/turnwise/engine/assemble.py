"""Fragments to events: one accumulator for every vendor's stream.

A backend says only "this piece came". Here pieces get their places: which step and which output they belong to, where
one starts and where it stops. Each change of kind closes what was open.
"""

from collections.abc import Iterator

from turnwise.domain.content import Text
from turnwise.domain.events import (
    Event,
    PartDelta,
    PartStart,
    PartStop,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
)
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import ModelOutput, Thought
from turnwise.models.model import (
    Finished,
    FinishReason,
    Fragment,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)


class Assembler:
    """Numbers the fragments of one model call into events. `usage` and `finished` are what the model said of itself."""

    def __init__(self, *, step: int = 0, output: int = 0) -> None:
        self.step = step
        self.output = output
        self.usage: Usage | None = None
        self.finished: FinishReason | None = None
        self._open: type[ModelOutput | Thought] | None = None

    def add(self, fragment: Fragment) -> Iterator[Event]:
        """The events of one more fragment."""
        if isinstance(fragment, TextFragment):
            if fragment.text:
                yield from self._begin(ModelOutput)
                yield PartDelta(self.step, self.output, TextDelta(fragment.text))
        elif isinstance(fragment, ThoughtFragment):
            if fragment.text:
                yield from self._begin(Thought)
                yield PartDelta(self.step, self.output, SummaryDelta(Text(fragment.text)))
        elif isinstance(fragment, UsageFragment):
            self.usage = fragment.usage
        elif isinstance(fragment, Finished):
            self.finished = fragment.reason
        else:
            assert isinstance(fragment, Taken)

    def close(self) -> Iterator[Event]:
        """The events that close what is open."""
        if self._open is ModelOutput:
            yield PartStop(self.step, self.output)
            yield StepStop(self.step, None)
        elif self._open is Thought:
            yield StepStop(self.step, self.output)
        if self._open is not None:
            self.step += 1
            self.output += 1
            self._open = None

    def _begin(self, kind: type[ModelOutput | Thought]) -> Iterator[Event]:
        if self._open is kind:
            return
        yield from self.close()
        self._open = kind
        if kind is ModelOutput:
            yield StepStart(self.step, None, ModelOutput())
            yield PartStart(self.step, self.output, Text(""))
        else:
            yield StepStart(self.step, self.output, Thought())
