"""How one turn runs: history, model, end. The file to read first.

    steps = history + input            what was said so far
    present(steps)                     media as the model can be shown them, or in words
    helped(model)                      what the model cannot do by itself, the engine does
    model.stream(prompt)               fragments, as the model makes them
    delivered(fragments)               what it made, as data or as files
    assembler.add(fragment)            numbered events
    End                                how it went

`run` yields what happens and raises what goes wrong; who asked for the turn decides what becomes of an error. Its
first event comes when the model has taken the prompt. An error before that (a prompt longer than the context, an
upstream that is down) means that nothing happened at all, and the client gets an ordinary error.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from turnwise.domain.errors import ContentBlocked, InvalidRequest, ModelFailed
from turnwise.domain.events import End, Event, StatusUpdate
from turnwise.domain.formats import MODALITIES, AudioFormat, ImageFormat
from turnwise.domain.interaction import Status, Turn
from turnwise.domain.steps import FunctionCall, FunctionResult, Step
from turnwise.domain.tools import FunctionTool
from turnwise.engine.assemble import Assembler
from turnwise.engine.calls import CheckedCalls
from turnwise.engine.delivery import Delivering, delivered
from turnwise.engine.forms import Formed
from turnwise.engine.thoughts import Secret, Thinking
from turnwise.models.model import CallFragment, FinishReason, Model, ModelCard, Prompt, Taken

ENDINGS: dict[FinishReason, Status] = {
    "stop": Status.COMPLETED,
    "length": Status.INCOMPLETE,
    "calls": Status.REQUIRES_ACTION,
}
"""How a turn ends when the model ends in this way. A refusal is an error."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run needs from outside, passed in so that it can be replayed."""

    clock: Callable[[], datetime]
    seal: Callable[[Secret], str]
    """Makes the signature of a thought or a call."""
    new_call_id: Callable[[], str]
    present: Callable[[Sequence[Step], ModelCard], Awaitable[Sequence[Step]]]
    """Shows media to a model."""
    delivering: Delivering
    """Where made media go."""


async def run(turn: Turn, steps: Sequence[Step], model: Model, around: Surroundings) -> AsyncGenerator[Event, None]:
    """The events of one turn behind Created: StatusUpdate, its steps, and End.

    `steps` are the history and the input, with their signatures opened.

    Raises:
        TurnwiseError: the prompt was refused, or the model broke, or it refused to answer.
    """
    prompt = build_prompt(turn, await around.present(steps, model.card), model.card)
    assembler = Assembler(
        seal=around.seal,
        new_call_id=around.new_call_id,
        summaries=turn.generation.thinking_summaries != "none",
    )
    async with aclosing(helped(model, prompt).stream(prompt)) as fragments:
        taken = await anext(fragments, None)
        assert isinstance(taken, Taken), f"the first fragment of {model.card.name} is {taken!r}, not Taken"
        yield StatusUpdate(Status.IN_PROGRESS)
        makes_media = any(modality != "text" for modality in prompt.modalities)
        async for fragment in delivered(fragments, prompt, around.delivering) if makes_media else fragments:
            if isinstance(fragment, CallFragment) and not prompt.tools:
                raise ModelFailed(f"the model '{model.card.name}' called '{fragment.name}', but was offered none")
            for event in assembler.add(fragment):
                yield event
    for event in assembler.close():
        yield event
    yield End(_ending(assembler.finished, model.card), assembler.usage, around.clock())


def _ending(finished: FinishReason | None, card: ModelCard) -> Status:
    if finished is None:
        raise ModelFailed(f"the model '{card.name}' stopped in the middle of its answer")
    if finished == "refusal":
        raise ContentBlocked(f"the model '{card.name}' refused to answer this")
    return ENDINGS[finished]


def helped(model: Model, prompt: Prompt) -> Model:
    """The model, with the engine's help where this prompt asks for what it cannot do by itself."""
    if "text" not in model.card.outputs:
        return model
    speaking = model if prompt.schema is None else Formed(model)
    if not model.card.thinks:
        speaking = Thinking(speaking)
    if model.card.tools:
        return CheckedCalls(speaking) if prompt.tools else speaking
    if prompt.tools or any(isinstance(step, FunctionCall | FunctionResult) for step in prompt.steps):
        from turnwise.engine.rules.ruled import RuledCalls  # a tenth of a second, which a start need not pay

        return RuledCalls(Formed(model), speaking)
    return speaking


def build_prompt(turn: Turn, steps: Sequence[Step], card: ModelCard) -> Prompt:
    """What the model is given.

    Raises:
        InvalidRequest: the model answers in no modality in which this could be done.
    """
    modalities = turn.response_modalities or tuple(one for one in MODALITIES if one in card.outputs)
    if "text" not in card.outputs:
        _refuse_words(turn, card)
    return Prompt(
        steps=steps,
        system_instruction=turn.system_instruction,
        tools=_allowed(turn),
        tool_choice=turn.tool_choice,
        modalities=modalities,
        image=turn.image or ImageFormat(),
        audio=turn.audio or AudioFormat(),
        voices=turn.voices,
        schema=None if turn.response_format is None else turn.response_format.schema or {},
        generation=turn.generation,
        streaming=turn.stream or turn.background,
    )


def _refuse_words(turn: Turn, card: ModelCard) -> None:
    """Refuse what only a model that speaks can do."""
    asked = {"tools": bool(turn.tools), "response_format": turn.response_format is not None}
    for field, is_asked in asked.items():
        if is_asked:
            kinds = " and ".join(sorted(card.outputs))
            raise InvalidRequest(
                f"'{turn.model}' answers with {kinds}, and has no use for this; leave it out, or name a model that "
                "answers with text",
                field=field,
            )


def _allowed(turn: Turn) -> tuple[FunctionTool, ...]:
    """The tools that the model may choose among: a tool that it may not call is not shown to it."""
    choice = turn.tool_choice
    if choice.mode == "none":
        return ()
    return tuple(tool for tool in turn.tools if choice.allowed is None or tool.name in choice.allowed)
