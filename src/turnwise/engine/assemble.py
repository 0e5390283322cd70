"""Fragments to events: one accumulator for every vendor's stream.

A backend says only "this piece came". Here pieces get their places: which step and which output they belong to, where
one starts and where it stops. Each change of kind closes what was open.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

import orjson

from turnwise.domain.content import JSON, Content, Media, Text
from turnwise.domain.events import (
    AnnotationsDelta,
    ArgumentsDelta,
    Delta,
    Event,
    MediaDelta,
    PartDelta,
    PartStart,
    PartStop,
    SignatureDelta,
    StepStart,
    StepStop,
    SummaryDelta,
    TextDelta,
    WholeDelta,
    skeleton,
)
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import FunctionCall, ModelOutput, Thought, ToolCall, ToolResult
from turnwise.engine.thoughts import Secret
from turnwise.models.model import (
    CallFragment,
    Finished,
    FinishReason,
    Fragment,
    MediaFragment,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)

PARAGRAPH = "\n\n"


Cite: TypeAlias = Callable[[str], Sequence[Mapping[str, JSON]]]
"""The annotations of a text that is whole."""


class Assembler:
    """Numbers the fragments of one turn into events. `usage` and `finished` are what the model said of itself."""

    def __init__(
        self,
        *,
        seal: Callable[[Secret], str],
        new_call_id: Callable[[], str],
        summaries: bool = True,
        cite: Cite | None = None,
    ) -> None:
        """`seal` makes the signature of a thought or a call; `summaries` is whether thoughts are shown to people;
        `cite` says what a whole text of the answer rests on."""
        self.usage: Usage | None = None
        self.finished: FinishReason | None = None
        self._seal = seal
        self._new_call_id = new_call_id
        self._summaries = summaries
        self._cite = cite
        self._step = 0
        self._output = 0
        self._open: _Open | None = None

    def add(self, fragment: Fragment) -> Iterable[Event]:
        """The events of one more fragment."""
        return self._text(fragment.text) if isinstance(fragment, TextFragment) else self._other(fragment)

    def _text(self, text: str) -> Iterable[Event]:
        """More text: nearly all that a stream is made of."""
        if not text:
            return ()
        message = self._open
        begun: Iterable[Event] = ()
        if not isinstance(message, _Message) or message.media is not None:
            begun = tuple(self._part(None, Text("")))
        if self._cite is not None and isinstance(self._open, _Message):
            self._open.text.append(text)
        return (*begun, PartDelta(self._step, self._output, TextDelta(text)))

    def _other(self, fragment: Fragment) -> Iterator[Event]:
        match fragment:
            case MediaFragment(index, type, mime_type):
                yield from self._part(index, Media(type, mime_type, options=fragment.options))
                if isinstance(self._open, _Message):
                    yield from self._deltas(self._open.add(fragment))
            case ThoughtFragment(text, signature) if text or signature:
                yield from self._thought(text, signature)
            case CallFragment():
                yield from self._call(fragment)
            case UsageFragment(usage):
                self.usage = usage
            case Finished(reason):
                self.finished = reason
            case _:
                pass  # Taken, and pieces that are empty

    def go_on(self, step: int, output: int, said: str | None) -> None:
        """Begin at these indices; with `said`, in the middle of a message that has this text so far."""
        self._step, self._output = step, output
        if said is not None:
            self._open = _Message(None, Text(""), self._cite)
            self._open.text.append(said)

    def begin_round(self) -> None:
        """Forget what the model said of the round before."""
        self.usage = None
        self.finished = None

    def add_whole(self, step: ToolCall | ToolResult) -> Iterator[Event]:
        """The events of a step that is known all at once."""
        yield from self.close()
        yield StepStart(self._step, self._output, skeleton(step))
        yield PartDelta(self._step, self._output, WholeDelta(step))
        yield StepStop(self._step, self._output)
        self._step += 1
        self._output += 1

    def close_thought(self, shown: Thought) -> Iterator[Event]:
        """The events that close a thought of which no more is known than what was shown."""
        text = PARAGRAPH.join(part.text for part in shown.summary if isinstance(part, Text))
        yield PartDelta(self._step, self._output, SignatureDelta(self._seal(Secret(text))))
        yield StepStop(self._step, self._output)
        self._step += 1
        self._output += 1

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

    def _part(self, media: int | None, skeleton: Content) -> Iterator[Event]:
        """Open the part of a message that what comes belongs to: that of a piece of media, or of text."""
        message = self._open
        if not isinstance(message, _Message):
            message = _Message(media, skeleton, self._cite)
            yield from self._begin(message)
        elif message.media != media:
            yield from self._deltas(message.last())
            yield PartStop(self._step, self._output)
            self._output += 1
            message.turn_to(media, skeleton)
        else:
            return
        yield PartStart(self._step, self._output, message.part)

    def _thought(self, text: str, signature: str | None) -> Iterator[Event]:
        thinking = self._open
        if not isinstance(thinking, _Thinking):
            thinking = _Thinking(self._seal, self._summaries)
            yield from self._begin(thinking)
        yield from self._deltas(thinking.add(text))
        if signature is not None:
            thinking.token = signature
            yield from self.close()

    def _call(self, fragment: CallFragment) -> Iterator[Event]:
        """A call's fragments come together, one call behind the other. The first has its signature, if there is one,
        since a step's start is where clients look for it."""
        if not isinstance(self._open, _Calling) or self._open.index != fragment.index:
            id, token = fragment.id or self._new_call_id(), fragment.signature
            signature = None if token is None else self._seal(Secret(token=token, call_id=id))
            call = FunctionCall(id, fragment.name or "", signature=signature)
            yield from self._begin(_Calling(fragment.index, call))
        if fragment.arguments and isinstance(self._open, _Calling):
            self._open.arguments.append(fragment.arguments)
            yield PartDelta(self._step, self._output, ArgumentsDelta(fragment.arguments))

    def _begin(self, new: "_Open") -> Iterator[Event]:
        yield from self.close()
        self._open = new
        yield StepStart(self._step, new.place(self._output), new.skeleton)

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
    """Text and media, a part each, told apart from the step by its own start and stop."""

    skeleton = ModelOutput()

    def __init__(self, media: int | None, part: Content, cite: Cite | None) -> None:
        self._cite = cite
        self.turn_to(media, part)

    def turn_to(self, media: int | None, part: Content) -> None:
        """Go on with another part."""
        self.media = media
        self.part = part
        self.text: list[str] = []
        """What was said in it, if it is to be cited."""
        self._rest = b""

    def place(self, output: int) -> int | None:
        return None

    def add(self, fragment: MediaFragment) -> Iterator[Delta]:
        """Bytes as base64 whose pieces join: each but the last is of a multiple of three bytes."""
        if fragment.uri is not None:
            yield self._shown(uri=fragment.uri)
            return
        data = self._rest + fragment.data
        whole = len(data) - len(data) % 3
        self._rest = data[whole:]
        if whole:
            yield self._shown(data=b64encode(data[:whole]).decode())

    def last(self) -> Iterator[Delta]:
        if self._rest:
            yield self._shown(data=b64encode(self._rest).decode())
            self._rest = b""
        annotations = self._cite("".join(self.text)) if self._cite is not None and self.text else ()
        if annotations:
            yield AnnotationsDelta(tuple(annotations))

    def _shown(self, *, data: str | None = None, uri: str | None = None) -> Delta:
        assert isinstance(self.part, Media)
        return MediaDelta(replace(self.part, data=data, uri=uri))


class _Thinking:
    """A thought. Its summary is shown a paragraph at a time, since each delta is a piece of its own to clients."""

    skeleton = Thought()

    def __init__(self, seal: Callable[[Secret], str], summaries: bool) -> None:
        self.token: str | None = None
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
        yield SignatureDelta(self._seal(Secret("".join(self._raw), self.token)))

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
        yield WholeDelta(replace(self.skeleton, arguments=arguments), fragments=bool(self.arguments))
