"""Who paints and who speaks in the place of a model that only writes.

    draw("qwen", model)                a picture is laid out from the request's words, with the model's help, and drawn
    speak("qwen", model, voice, ...)   the model's answer is spoken; or, where the request hands over the words, these

Both are models themselves.
"""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from turnwise.domain.content import Text, Told
from turnwise.domain.errors import Unimplemented
from turnwise.domain.formats import AudioFormat, Modality
from turnwise.domain.interaction import Usage, add_usage
from turnwise.domain.steps import ModelOutput, UserInput
from turnwise.models.model import (
    Finished,
    Fragment,
    MediaFragment,
    Model,
    ModelCard,
    Prompt,
    TextFragment,
    UsageFragment,
)


def draw(name: str, writer: Model, *, lays_out: bool) -> Model:
    """A model that answers with images. If the writer `lays_out`, it is asked what goes where; else the words of the
    request alone say it.

    Raises:
        Unimplemented: what draws is not installed.
    """
    try:
        from turnwise.models.drawing.model import DrawingModel
    except ImportError as error:
        raise Unimplemented("pictures need parts that are not installed: pip install 'turnwise[images]'") from error
    return DrawingModel(name, writer, lays_out=lays_out)


def speak(name: str, writer: Model, voice: Model, modalities: Collection[Modality]) -> Model:
    """A model that speaks what another one writes, and shows the words too if they are wanted."""
    return Aloud(name, writer, voice, shows="text" in modalities)


class Easel:
    """An entry that paints with another entry's help, which may be another one at each turn."""

    def __init__(self, name: str, drawing: Callable[[], Model]) -> None:
        self._drawing = drawing
        self.card = ModelCard(name, inputs=frozenset({"text", "image"}), outputs=frozenset({"image"}))

    async def start(self) -> None:
        """Nothing to do: the other entry has its own engine."""

    async def close(self) -> None:
        """Nothing to do."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        async with aclosing(self._drawing().stream(prompt)) as fragments:
            async for fragment in fragments:
                yield fragment


@dataclass(slots=True)
class _Answer:
    """What was written, before it is spoken."""

    words: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finished: Finished | None = None

    @property
    def can_be_spoken(self) -> bool:
        return self.finished is not None and self.finished.reason in ("stop", "length") and bool(self.text.strip())

    @property
    def text(self) -> str:
        return "".join(self.words)


class Aloud:
    """A model's answer, spoken."""

    def __init__(self, name: str, writer: Model, voice: Model, *, shows: bool) -> None:
        """`shows` is whether the words are part of the answer too."""
        self._writer = writer
        self._voice = voice
        self._shows = shows
        self.card = replace(
            writer.card,
            name=name,
            outputs=frozenset({"text", "audio"} if shows else {"audio"}),
        )

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        if not self._shows and _hands_over_the_words(prompt):
            async with aclosing(self._voice.stream(_for_a_voice(prompt))) as fragments:
                async for fragment in fragments:
                    yield fragment
            return
        answer = _Answer([prompt.said])
        async with aclosing(self._written(prompt, answer)) as fragments:
            async for fragment in fragments:
                yield fragment
        if answer.can_be_spoken:
            async with aclosing(self._spoken(prompt, answer)) as fragments:
                async for fragment in fragments:
                    yield fragment
        yield UsageFragment(answer.usage)
        if answer.finished is not None:
            yield answer.finished

    async def _written(self, prompt: Prompt, answer: _Answer) -> AsyncGenerator[Fragment, None]:
        asked = replace(prompt, modalities=("text",), voices=(), audio=AudioFormat())
        async with aclosing(self._writer.stream(asked)) as fragments:
            async for fragment in fragments:
                match fragment:
                    case TextFragment(text):
                        answer.words.append(text)
                        if self._shows:
                            yield fragment
                    case UsageFragment(usage):
                        answer.usage = usage
                    case Finished():
                        answer.finished = fragment
                    case _:
                        yield fragment

    async def _spoken(self, prompt: Prompt, answer: _Answer) -> AsyncGenerator[Fragment, None]:
        reading = Prompt(
            (ModelOutput((Text(answer.text),)),),
            modalities=("audio",),
            audio=prompt.audio,
            voices=prompt.voices,
            streaming=prompt.streaming,
        )
        async with aclosing(self._voice.stream(reading)) as fragments:
            async for fragment in fragments:
                match fragment:
                    case MediaFragment():
                        yield fragment
                    case UsageFragment(usage):
                        answer.usage = add_usage(answer.usage, Usage(output=usage.output))
                    case Finished("length"):
                        answer.finished = fragment
                    case _:
                        pass


def _hands_over_the_words(prompt: Prompt) -> bool:
    """Whether the request says what is to be spoken, or wants what was spoken before once more."""
    from turnwise.models.speech.directions import asks_again, take_apart

    last = prompt.steps[-1] if prompt.steps else None
    if not isinstance(last, UserInput) or any(isinstance(part, Told) for part in last.content):
        return False
    said = "\n".join(part.text for part in last.content if isinstance(part, Text))
    return bool(take_apart(said).directions) or asks_again(said) is not None


def _for_a_voice(prompt: Prompt) -> Prompt:
    """A prompt without the instruction that was meant for who writes, unless it says how to speak."""
    from turnwise.models.speech.style import has_style

    system = prompt.system_instruction
    return replace(prompt, modalities=("audio",), system_instruction=system if system and has_style(system) else None)
