"""How one turn runs: history, model, end. The file to read first.

    steps = history + input            what the model is shown
    model.stream(prompt)               fragments, as the model makes them
    assembler.add(fragment)            numbered events
    End                                how it went

`run` yields what happens and raises what goes wrong; who asked for the turn decides what becomes of an error. Its
first event comes when the model has taken the prompt. An error before that (a prompt longer than the context, an
upstream that is down) means that nothing happened at all, and the client gets an ordinary error.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime

from turnwise.domain.content import Media
from turnwise.domain.errors import ContentBlocked, ModelFailed, Unimplemented
from turnwise.domain.events import End, Event, StatusUpdate
from turnwise.domain.interaction import Status, Turn
from turnwise.domain.steps import ModelOutput, Step, UserInput
from turnwise.engine.assemble import Assembler
from turnwise.models.model import FinishReason, Model, ModelCard, Prompt, Taken

ENDINGS: dict[FinishReason, Status] = {"stop": Status.COMPLETED, "length": Status.INCOMPLETE}
"""How a turn ends when the model ends in this way. A refusal is an error."""


async def run(
    turn: Turn, history: Sequence[Step], model: Model, clock: Callable[[], datetime]
) -> AsyncGenerator[Event, None]:
    """The events of one turn behind Created: StatusUpdate, its steps, and End.

    Raises:
        TurnwiseError: the prompt was refused, or the model broke, or it refused to answer.
    """
    prompt = build_prompt(turn, history, model.card)
    assembler = Assembler()
    async with aclosing(model.stream(prompt)) as fragments:
        taken = await anext(fragments, None)
        assert isinstance(taken, Taken), f"the first fragment of {model.card.name} is {taken!r}, not Taken"
        yield StatusUpdate(Status.IN_PROGRESS)
        async for fragment in fragments:
            for event in assembler.add(fragment):
                yield event
    for event in assembler.close():
        yield event
    yield End(_ending(assembler.finished, model.card), assembler.usage, clock())


def _ending(finished: FinishReason | None, card: ModelCard) -> Status:
    if finished is None:
        raise ModelFailed(f"the model '{card.name}' stopped in the middle of its answer")
    if finished == "refusal":
        raise ContentBlocked(f"the model '{card.name}' refused to answer this")
    return ENDINGS[finished]


def build_prompt(turn: Turn, history: Sequence[Step], card: ModelCard) -> Prompt:
    """What the model is given.

    Raises:
        Unimplemented: the conversation has a modality that the model does not take.
    """
    steps = (*history, *turn.input)
    for step in steps:
        for part in step.content if isinstance(step, UserInput | ModelOutput) else ():
            if isinstance(part, Media) and part.type not in card.inputs:
                raise Unimplemented(f"input: the model '{turn.model}' takes no {part.type}, only text")
    return Prompt(
        steps=steps,
        system_instruction=turn.system_instruction,
        generation=turn.generation,
        streaming=turn.stream or turn.background,
    )
