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

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from turnwise.domain.content import JSON, MediaType, Text
from turnwise.domain.formats import ANY_AUDIO, ANY_IMAGE, AudioFormat, ImageFormat, Modality, Voice
from turnwise.domain.interaction import UNSET, GenerationConfig, Usage
from turnwise.domain.steps import ModelOutput, ServerTool, Step, UserInput
from turnwise.domain.tools import AS_IT_LIKES, FunctionTool, Schema, ToolChoice

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
    reading_tokens: int | None = None
    """How much it is shown at the most of what is read out of files for it. None: half of its context."""
    inputs: frozenset[str] = frozenset({"text"})
    """Modalities that it takes natively."""
    outputs: frozenset[str] = frozenset({"text"})
    """Modalities that it answers in when the request does not say."""
    tools: bool = False
    """Whether it calls functions by itself. If not, the engine helps."""
    schemas: bool = False
    """Whether its text can be bound to a JSON Schema while it is made. If not, the engine checks and asks again."""
    schemas_beside_tools: bool = True
    """Whether it can be bound even while the model may call functions, and then still call them."""
    thinks: bool = False
    """Whether it reasons by itself before it answers. If not, the engine has it think first, when asked to."""
    continues: bool = False
    """Whether it can go on with an answer that was begun (`Prompt.said`). If not, the engine has it answer again, and
    compares."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is given: the whole conversation so far, and how to speak."""

    steps: Sequence[Step]
    """History and this turn's input, oldest first. Thoughts and calls are open in it: a thought's summary is the
    reasoning itself, and a signature is one of a fragment's. It names its maker in whatever way that likes, and any
    other model leaves it alone."""
    system_instruction: str | None = None
    tools: Sequence[FunctionTool] = ()
    """Functions that it may call. Given only to a model whose card says that it can."""
    served: Mapping[str, ServerTool] = field(default_factory=dict)
    """Those among them that turnwise runs by itself, and as which tools. To a model that calls functions they are like
    any other."""
    tool_choice: ToolChoice = AS_IT_LIKES
    modalities: Sequence[Modality] = ("text",)
    """What the answer may consist of. Other than text only for a model whose card says that it answers so."""
    image: ImageFormat = ANY_IMAGE
    audio: AudioFormat = ANY_AUDIO
    voices: Sequence[Voice] = ()
    schema: Schema | None = None
    """What its text must be valid against, if anything. Given only to a model whose card says that it can, and beside
    tools only to one that can both."""
    generation: GenerationConfig = UNSET
    wishes: frozenset[str] = frozenset()
    """Names of generation parameters that the engine set by itself: a backend that cannot take one leaves it out,
    where it would refuse one of the client's."""
    streaming: bool = True
    """Whether someone reads along. If not, a backend may answer in one piece."""
    joins_text: bool = False
    """Whether nobody would see the pieces of text that come at once: then a backend may make one of them."""
    said: str = ""
    """How the answer begins: it was said before, and the text that comes now joins it without a seam. Given only to a
    model whose card says that it can, never with a schema, and never to think anew."""


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
    signature: str | None = None
    """What its maker gave with the thought and wants back with it, and nobody else can use. It ends the thought: what
    comes behind it is another one."""


@dataclass(frozen=True, slots=True)
class CallFragment:
    """More of a function call. The first fragment of a call has its name; the pieces of `arguments` join to JSON."""

    index: int
    """Which call of the answer, from 0."""
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    signature: str | None = None
    """What its maker gave with the call and wants back with it. The last one that comes counts."""


@dataclass(frozen=True, slots=True)
class MediaFragment:
    """More of an image or a sound that the model makes: bytes that join, or, as the only one, a `uri`."""

    index: int
    """Which piece of media of the answer, from 0."""
    type: MediaType
    mime_type: str
    data: bytes = b""
    uri: str | None = None
    options: Mapping[str, JSON] = field(default_factory=dict)
    """As in `domain.content.Media`: `sample_rate`, `channels`."""


@dataclass(frozen=True, slots=True)
class UsageFragment:
    """What the call cost. The last one counts."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """The model has ended. Always the last, exactly once; a stream that ends without it was cut."""

    reason: FinishReason


Fragment: TypeAlias = Taken | TextFragment | ThoughtFragment | CallFragment | MediaFragment | UsageFragment | Finished


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

    def find(self, name: str, modalities: Collection[Modality] = ()) -> Model:
        """The model that answers to a name, in these modalities; in none of them: in those of the name. Its card's
        `outputs` say which these are.

        Raises:
            Unimplemented: it cannot answer so, and nobody was set to do it in its place.
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
