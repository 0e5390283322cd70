"""How one turn runs: history, model, tools, model, ... end. The file to read first.

    steps = history + input            what was said so far
    tools = open(turn.tools)           what the model may do besides speaking
    present(steps)                     media as the model can be shown them, or in words
    round:
        helped(model)                  what the model cannot do by itself, the engine does
        model.stream(prompt)           fragments, as the model makes them
        delivered(fragments)           what it made, as data or as files
        assembler.add(fragment)        numbered events
        tools.run(calls)               what the server's tools make of its calls; then another round
    End                                how it went

`run` yields what happens and raises what goes wrong; who asked for the turn decides what becomes of an error. Its
first event comes when the model has taken the prompt. An error before that (a prompt longer than the context, an
upstream that is down) means that nothing happened at all, and the client gets an ordinary error.

A turn without tools of the server is one round. Each round that calls some is followed by another, which sees their
results. A call of the client's own function ends the turn, behind the results of the calls beside it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import replace

from turnwise.domain.errors import InvalidRequest
from turnwise.domain.events import End, Event, StatusUpdate
from turnwise.domain.formats import ANY_AUDIO, ANY_IMAGE, MODALITIES
from turnwise.domain.interaction import Status, Turn
from turnwise.domain.steps import Step
from turnwise.domain.tools import FunctionTool, Tool, ToolChoice
from turnwise.engine.delivery import delivered
from turnwise.engine.helping import helped
from turnwise.engine.standing import stand
from turnwise.engine.surroundings import Surroundings
from turnwise.engine.toolset import Toolset, offered_tools
from turnwise.engine.writing import Writing
from turnwise.models.model import Model, ModelCard, Prompt, Taken
from turnwise.tools.tool import Occasion


async def run(
    turn: Turn, steps: Sequence[Step], model: Model, around: Surroundings, told: Sequence[Event] = ()
) -> AsyncGenerator[Event, None]:
    """The events of one turn behind Created: StatusUpdate, its steps, and End.

    `steps` are the history and the input as the model sees them: with their signatures opened, and calls of tools as
    function calls. `told` are the events that another attempt told, whose process died: what is behind them follows.

    Raises:
        TurnwiseError: the prompt was refused, a tool cannot be had, or the model broke, or it refused to answer.
    """
    async with _tools(turn, steps, around) as (tools, occasion):
        prompt: Prompt | None
        prompt = build_prompt(turn, await around.present(steps, model.card), model.card, tools)
        writing = Writing(turn, model, tools, around)
        makes_media = any(modality != "text" for modality in prompt.modalities)
        standing = stand(told)
        if not standing.is_new:
            for event in writing.go_on(standing, occasion):
                yield event
            prompt = await writing.prompt_behind(standing, prompt)
        else:
            prompt = writing.within_budget(prompt)
        while prompt is not None:
            if not writing.is_called:
                async with aclosing(helped(model, prompt).stream(prompt)) as fragments:
                    taken = await anext(fragments, None)
                    assert isinstance(taken, Taken), f"the first fragment of {model.card.name} is {taken!r}, not Taken"
                    if writing.rounds == 0:
                        yield StatusUpdate(Status.IN_PROGRESS)
                    async for fragment in delivered(fragments, prompt, around.delivering) if makes_media else fragments:
                        for event in writing.add(fragment):
                            yield event
                for event in writing.close_round():
                    yield event
            if not writing.calls:
                break
            async with aclosing(writing.results(occasion)) as events:
                async for event in events:
                    yield event
            prompt = await writing.following(prompt)
    yield End(writing.ending(), writing.usage, around.clock())


def _tools(
    turn: Turn, steps: Sequence[Step], around: Surroundings
) -> AbstractAsyncContextManager[tuple[Toolset, Occasion]]:
    """The tools of a turn, as long as it runs."""
    occasion = Occasion(around.owner, steps, system_instruction=turn.system_instruction)
    offered = () if turn.tool_choice.mode == "none" else offered_tools(turn.tools, turn.tool_choice.allowed)
    if all(isinstance(tool, FunctionTool) for tool in offered):
        return nullcontext((Toolset((), offered), occasion))
    return _opened(turn, offered, occasion, around)


@asynccontextmanager
async def _opened(
    turn: Turn, offered: Sequence[Tool], occasion: Occasion, around: Surroundings
) -> AsyncIterator[tuple[Toolset, Occasion]]:
    """The tools that a turn is offered, some of which the server has to open."""
    declared = {f"tools[{index}]": tool for index, tool in enumerate(turn.tools) if tool in offered}
    async with around.toolbox.open(declared, occasion) as opened:
        yield Toolset(opened, offered), occasion


def build_prompt(turn: Turn, steps: Sequence[Step], card: ModelCard, tools: Toolset) -> Prompt:
    """What the model is given, to begin with.

    Raises:
        InvalidRequest: the model answers in no modality in which this could be done.
    """
    modalities = turn.response_modalities or tuple(one for one in MODALITIES if one in card.outputs)
    if "text" not in card.outputs:
        _refuse_words(turn, card)
    return Prompt(
        steps=steps,
        system_instruction=turn.system_instruction,
        tools=tools.functions,
        served=tools.served,
        tool_choice=_choice(turn, tools),
        modalities=modalities,
        image=turn.image or ANY_IMAGE,
        audio=turn.audio or ANY_AUDIO,
        voices=turn.voices,
        schema=None if turn.response_format is None else turn.response_format.schema or {},
        generation=turn.generation,
        streaming=turn.stream or turn.background,
        joins_text=turn.store,  # as the journal does
    )


def _refuse_words(turn: Turn, card: ModelCard) -> None:
    """Refuse what only a model that speaks can do."""
    asked = {"tools": bool(turn.tools), "response_format": turn.response_format is not None}
    for name, is_asked in asked.items():
        if is_asked:
            kinds = " and ".join(sorted(card.outputs))
            raise InvalidRequest(
                f"'{turn.model}' answers with {kinds}, and has no use for this; leave it out, or name a model that "
                "answers with text",
                field=name,
            )


def _choice(turn: Turn, tools: Toolset) -> ToolChoice:
    """How freely the model may choose. An MCP server whose tools must be used demands a call too."""
    demanded = tools.is_demanded and turn.tool_choice.mode != "none"
    return replace(turn.tool_choice, mode="any") if demanded else turn.tool_choice
