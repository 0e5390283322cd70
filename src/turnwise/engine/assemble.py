"""Fragments to events: one accumulator for every vendor's stream.

A backend says only "this piece came". Here pieces get their places: which step and which output they belong to, where
one starts and where it stops. Each change of kind closes what was open.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import orjson

from turnwise.domain.content import Text
from turnwise.domain.events import (
    ArgumentsDelta,
    Delta,
    Event,
    PartDelta,
    PartStart,
    PartStop,
    SignatureDelta,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    WholeDelta,
)
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import FunctionCall, ModelOutput, Thought
from turnwise.models.model import (
    CallFragment,
    Finished,
    FinishReason,
    Fragment,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)

PARAGRAPH = "\n\n"


class Assembler:
    """Numbers the fragments of one turn into events. `usage` and `finished` are what the model said of itself."""

    def __init__(self, *, seal: Callable[[str], str], new_call_id: Callable[[], str], summaries: bool = True) -> None:
        """`seal` makes a thought's signature; `summaries` is whether thoughts are shown to people."""
        self.usage: Usage | None = None
        self.finished: FinishReason | None = None
        self._seal = seal
        self._new_call_id = new_call_id
        self._summaries = summaries
        self._step = 0
        self._output = 0
        self._open: _Open | None = None

    def add(self, fragment: Fragment) -> Iterator[Event]:
        """The events of one more fragment."""
        match fragment:
            case TextFragment(text) if text:
                if not isinstance(self._open, _Message):
                    yield from self._begin(_Message())
                yield PartDelta(self._step, self._output, TextDelta(text))
            case ThoughtFragment(text) if text:
                if not isinstance(self._open, _Thinking):
                    yield from self._begin(_Thinking(self._seal, self._summaries))
                yield from self._deltas(self._open.add(text) if isinstance(self._open, _Thinking) else ())
            case CallFragment():
                yield from self._call(fragment)
            case UsageFragment(usage):
                self.usage = usage
            case Finished(reason):
                self.finished = reason
            case _:
                pass  # Taken, and pieces that are empty

    def close(self) -> Iterator[Event]:
        """The events that close what is open."""
        if self._open is None:
            return
        yield from self._deltas(self._open.last())
        if isinstance(self._open, _Message):
            yield PartStop(self._step, self._output)
        yield StepStop(self._step, self._open.place(self._output))
        self._open = None
        self._step += 1
        self._output += 1

    def _call(self, fragment: CallFragment) -> Iterator[Event]:
        """A call's fragments come together, one call behind the other."""
        if not isinstance(self._open, _Calling) or self._open.index != fragment.index:
            call = FunctionCall(fragment.id or self._new_call_id(), fragment.name or "")
            yield from self._begin(_Calling(fragment.index, call))
        if fragment.arguments and isinstance(self._open, _Calling):
            self._open.arguments.append(fragment.arguments)
            yield PartDelta(self._step, self._output, ArgumentsDelta(fragment.arguments))

    def _begin(self, new: "_Open") -> Iterator[Event]:
        yield from self.close()
        self._open = new
        yield StepStart(self._step, new.place(self._output), new.skeleton)
        if isinstance(new, _Message):
            yield PartStart(self._step, self._output, Text(""))

    def _deltas(self, deltas: Iterator[Delta] | tuple[Delta, ...]) -> Iterator[Event]:
        for delta in deltas:
            yield PartDelta(self._step, self._output, delta)


class _Open(Protocol):
    """A step that is being put together."""

    @property
    def skeleton(self) -> ModelOutput | Thought | FunctionCall:
        """The step as far as its start shows it."""

    def place(self, output: int) -> int | None:
        """Its output index: a message has none, its parts have."""

    def last(self) -> Iterator[Delta]:
        """What is still to be said before it stops."""


class _Message:
    """Text. It has one part, which is told apart from the step by its own start and stop."""

    skeleton = ModelOutput()

    def place(self, output: int) -> int | None:
        return None

    def last(self) -> Iterator[Delta]:
        return iter(())


class _Thinking:
    """A thought. Its summary is shown a paragraph at a time, since each delta is a piece of its own to clients."""

    skeleton = Thought()

    def __init__(self, seal: Callable[[str], str], summaries: bool) -> None:
        self._seal = seal
        self._summaries = summaries
        self._raw: list[str] = []
        self._unshown = ""

    def place(self, output: int) -> int | None:
        return output

    def add(self, text: str) -> Iterator[Delta]:
        self._raw.append(text)
        *whole, self._unshown = (self._unshown + text).split(PARAGRAPH)
        for paragraph in whole:
            yield from self._show(paragraph)

    def last(self) -> Iterator[Delta]:
        yield from self._show(self._unshown)
        yield SignatureDelta(self._seal("".join(self._raw)))

    def _show(self, paragraph: str) -> Iterator[Delta]:
        if self._summaries and paragraph.strip():
            yield SummaryDelta(Text(paragraph.strip()))


class _Calling:
    """A function call."""

    def __init__(self, index: int, call: FunctionCall) -> None:
        self.index = index
        self.skeleton = call
        self.arguments: list[str] = []

    def place(self, output: int) -> int | None:
        return output

    def last(self) -> Iterator[Delta]:
        arguments = orjson.loads("".join(self.arguments) or "{}")
        call = FunctionCall(self.skeleton.id, self.skeleton.name, arguments)
        yield WholeDelta(call, fragments=bool(self.arguments))
