"""How one turn runs: history, model, end. The file to read first.

    steps = history + input            what the model is shown
    helped(model)                      what the model cannot do by itself, the engine does
    model.stream(prompt)               fragments, as the model makes them
    assembler.add(fragment)            numbered events
    End                                how it went

`run` yields what happens and raises what goes wrong; who asked for the turn decides what becomes of an error. Its
first event comes when the model has taken the prompt. An error before that (a prompt longer than the context, an
upstream that is down) means that nothing happened at all, and the client gets an ordinary error.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from turnwise.domain.content import Media
from turnwise.domain.errors import ContentBlocked, ModelFailed, Unimplemented
from turnwise.domain.events import End, Event, StatusUpdate
from turnwise.domain.interaction import Status, Turn
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, UserInput, result_content
from turnwise.domain.tools import FunctionTool
from turnwise.engine.assemble import Assembler
from turnwise.engine.calls import CheckedCalls
from turnwise.engine.forms import Formed
from turnwise.engine.thoughts import Thinking
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
    seal: Callable[[str], str]
    """Makes a thought's signature."""
    new_call_id: Callable[[], str]


async def run(turn: Turn, steps: Sequence[Step], model: Model, around: Surroundings) -> AsyncGenerator[Event, None]:
    """The events of one turn behind Created: StatusUpdate, its steps, and End.

    `steps` are the history and the input, with thoughts opened.

    Raises:
        TurnwiseError: the prompt was refused, or the model broke, or it refused to answer.
    """
    prompt = build_prompt(turn, steps, model.card)
    assembler = Assembler(
        seal=around.seal,
        new_call_id=around.new_call_id,
        summaries=turn.generation.thinking_summaries != "none",
    )
    async with aclosing(helped(model, prompt).stream(prompt)) as fragments:
        taken = await anext(fragments, None)
        assert isinstance(taken, Taken), f"the first fragment of {model.card.name} is {taken!r}, not Taken"
        yield StatusUpdate(Status.IN_PROGRESS)
        async for fragment in fragments:
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
        Unimplemented: the conversation has a modality that the model does not take.
    """
    for step in steps:
        for kind in _media(step):
            if kind not in card.inputs:
                where = " in a function's result" if isinstance(step, FunctionResult) else ""
                raise Unimplemented(f"input: the model '{turn.model}' takes no {kind}{where}, only text")
    return Prompt(
        steps=steps,
        system_instruction=turn.system_instruction,
        tools=_allowed(turn),
        tool_choice=turn.tool_choice,
        schema=None if turn.response_format is None else turn.response_format.schema or {},
        generation=turn.generation,
        streaming=turn.stream or turn.background,
    )


def _media(step: Step) -> Iterable[str]:
    """The kinds of media that a step holds."""
    match step:
        case UserInput(content) | ModelOutput(content):
            return [part.type for part in content if isinstance(part, Media)]
        case FunctionResult(_, result):
            return [item["type"] for item in result_content(result) or () if item["type"] != "text"]
        case _:
            return ()


def _allowed(turn: Turn) -> tuple[FunctionTool, ...]:
    """The tools that the model may choose among: a tool that it may not call is not shown to it."""
    choice = turn.tool_choice
    if choice.mode == "none":
        return ()
    return tuple(tool for tool in turn.tools if choice.allowed is None or tool.name in choice.allowed)
