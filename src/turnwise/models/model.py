"""The contract of a model: what it can do, as data, and a stream of fragments.

The smallest model there is:

    class Echo:
        card = ModelCard(name="echo", context_tokens=1024)

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
            yield Taken()
            yield TextFragment(prompt_text(prompt))
            yield Finished("stop")

A backend says only "this piece came"; numbering pieces into events is the business of `engine/assemble.py`.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from turnwise.domain.content import Text
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import ModelOutput, Step, UserInput
from turnwise.domain.tools import FunctionTool, Schema, ToolChoice

FinishReason: TypeAlias = Literal["stop", "length", "refusal", "calls"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is and can do. Asked once by the engine; nobody tests names."""

    name: str
    """The backend's own name for it; clients use the catalogue's."""
    context_tokens: int | None = None
    """How much it can read and write in one turn. None: not known."""
    output_tokens: int | None = None
    """How much it writes at the most when the request sets no limit. None: as the backend has it."""
    inputs: frozenset[str] = frozenset({"text"})
    """Modalities that it takes natively."""
    tools: bool = False
    """Whether it calls functions by itself. If not, the engine helps."""
    schemas: bool = False
    """Whether its text can be bound to a JSON Schema while it is made. If not, the engine checks and asks again."""
    thinks: bool = False
    """Whether it reasons by itself before it answers. If not, the engine has it think first, when asked to."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is given: the whole conversation so far, and how to speak."""

    steps: Sequence[Step]
    """History and this turn's input, oldest first."""
    system_instruction: str | None = None
    tools: Sequence[FunctionTool] = ()
    """Functions that it may call. Given only to a model whose card says that it can."""
    tool_choice: ToolChoice = field(default_factory=ToolChoice)
    schema: Schema | None = None
    """What its text must be valid against, if anything. Given only to a model whose card says that it can."""
    generation: GenerationConfig = field(default_factory=GenerationConfig)
    wishes: frozenset[str] = frozenset()
    """Names of generation parameters that the engine set by itself: a backend that cannot take one leaves it out,
    where it would refuse one of the client's."""
    streaming: bool = True
    """Whether someone reads along. If not, a backend may answer in one piece."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The model has taken the prompt: what refuses it is raised before. Always the first, exactly once."""


@dataclass(frozen=True, slots=True)
class TextFragment:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtFragment:
    """More of the model's own reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class CallFragment:
    """More of a function call. The first fragment of a call has its name; the pieces of `arguments` join to JSON."""

    index: int
    """Which call of the answer, from 0."""
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class UsageFragment:
    """What the call cost. The last one counts."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """The model has ended. Always the last, exactly once; a stream that ends without it was cut."""

    reason: FinishReason


Fragment: TypeAlias = Taken | TextFragment | ThoughtFragment | CallFragment | UsageFragment | Finished


class Model(Protocol):
    """A model. An implementation needs no base class."""

    @property
    def card(self) -> ModelCard:
        """What it is and can do."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt, fragment by fragment.

        Leaving the iterator early (`aclose`) stops the model's work.

        Raises:
            InvalidRequest: the prompt cannot be taken; a prompt over the context names both numbers.
            ModelUnavailable: the backend cannot be reached, or went away before it ended.
            ModelTimeout: it did not answer in time.
            ModelFailed: it answered with something that is no answer.
        """


class Catalogue(Protocol):
    """Names to models. `models/catalogue.py` is the real one."""

    def find(self, name: str) -> Model:
        """The model that answers to a name.

        Raises:
            ModelNotFound: no entry, and no `"*"`.
        """

    def names(self) -> Sequence[tuple[str, Model]]:
        """Every listed name with its model, in the order of the settings."""


def prompt_text(prompt: Prompt) -> str:
    """All text of a prompt's messages, a line each: for models and tests that only need to see the words."""
    return "\n".join(
        part.text
        for step in prompt.steps
        if isinstance(step, UserInput | ModelOutput)
        for part in step.content
        if isinstance(part, Text)
    )
