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

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from turnwise.domain.content import JSON
from turnwise.domain.errors import ContentBlocked, InvalidRequest, ModelFailed, TurnwiseError
from turnwise.domain.events import End, Event, StatusUpdate, fold
from turnwise.domain.formats import MODALITIES, AudioFormat, ImageFormat
from turnwise.domain.interaction import Status, Turn, Usage, add_usage
from turnwise.domain.steps import FunctionCall, FunctionResult, Step
from turnwise.domain.tools import FunctionTool, ToolChoice
from turnwise.engine.assemble import Assembler
from turnwise.engine.calls import CheckedCalls
from turnwise.engine.citing import Citations
from turnwise.engine.delivery import Delivering, deliver_made, delivered
from turnwise.engine.forms import Formed
from turnwise.engine.presenting import CONTEXT, question
from turnwise.engine.thoughts import Secret, Thinking
from turnwise.engine.toolset import (
    Made,
    Toolset,
    as_functions,
    failed,
    fitted,
    has_media,
    offered_tools,
    result_step,
    without_media,
)
from turnwise.models.model import CallFragment, FinishReason, Model, ModelCard, Prompt, Taken
from turnwise.tools.tool import Occasion, Outcome, Toolbox

ENDINGS: dict[FinishReason, Status] = {
    "stop": Status.COMPLETED,
    "length": Status.INCOMPLETE,
    "calls": Status.REQUIRES_ACTION,
}
"""How a turn ends when the model ends in this way. A refusal is an error."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a turn may go on calling tools of the server."""

    rounds: int = 64
    seconds: float = 1800.0
    tokens: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run needs from outside, passed in so that it can be replayed."""

    clock: Callable[[], datetime]
    seal: Callable[[Secret], str]
    """Makes the signature of a thought or a call."""
    opened: Callable[[Sequence[Step]], Sequence[Step]]
    """Opens signatures."""
    new_call_id: Callable[[], str]
    present: Callable[[Sequence[Step], ModelCard], Awaitable[Sequence[Step]]]
    """Shows media to a model."""
    delivering: Delivering
    """Where made media go."""
    toolbox: Toolbox
    owner: str = ""
    limits: Limits = field(default_factory=Limits)


async def run(turn: Turn, steps: Sequence[Step], model: Model, around: Surroundings) -> AsyncGenerator[Event, None]:
    """The events of one turn behind Created: StatusUpdate, its steps, and End.

    `steps` are the history and the input as the model sees them: with their signatures opened, and calls of tools as
    function calls.

    Raises:
        TurnwiseError: the prompt was refused, a tool cannot be had, or the model broke, or it refused to answer.
    """
    async with _tools(turn, steps, around) as (tools, occasion):
        prompt = build_prompt(turn, await around.present(steps, model.card), model.card, tools)
        writing = _Writing(turn, model, tools, around)
        async with aclosing(writing.round(prompt)) as events:
            async for event in events:
                yield event
        while writing.calls:
            async with aclosing(writing.results(occasion)) as events:
                async for event in events:
                    yield event
            following = None if writing.has_ended else await writing.following(prompt)
            if following is None:
                break
            prompt = following
            async with aclosing(writing.round(prompt)) as events:
                async for event in events:
                    yield event
    yield End(writing.ending(), writing.usage, around.clock())


@asynccontextmanager
async def _tools(turn: Turn, steps: Sequence[Step], around: Surroundings) -> AsyncIterator[tuple[Toolset, Occasion]]:
    """The tools of a turn, as long as it runs."""
    occasion = Occasion(around.owner, steps)
    offered = () if turn.tool_choice.mode == "none" else offered_tools(turn.tools, turn.tool_choice.allowed)
    if all(isinstance(tool, FunctionTool) for tool in offered):
        yield Toolset((), offered), occasion
        return
    declared = {f"tools[{index}]": tool for index, tool in enumerate(turn.tools) if tool in offered}
    async with around.toolbox.open(declared, occasion) as opened:
        yield Toolset(opened, offered), occasion


class _Writing:
    """A turn as it is written, a round behind the other."""

    def __init__(self, turn: Turn, model: Model, tools: Toolset, around: Surroundings) -> None:
        self.calls: Sequence[Made] = ()
        """What the last round called, and the server is to run."""
        self._turn = turn
        self._model = model
        self._tools = tools
        self._around = around
        self._citations = Citations()
        self._assembler = Assembler(
            seal=around.seal,
            new_call_id=around.new_call_id,
            summaries=turn.generation.thinking_summaries != "none",
            cite=self._citations.cite if tools.runs_here else None,
        )
        self._began = around.clock()
        self._rounds = 0
        self._usage: Usage | None = None
        self._happened: list[Event] = []
        """The events of this round, if another may follow."""
        self._names: dict[str, str] = {}
        """By which names the model called the tools, by the calls' ids."""
        self._asks_client = False
        """Whether a function of the client's was called."""
        self._over: str | None = None
        """Which limit is reached, in words that the model was told."""
        self._cut = False
        """Whether the turn ends because of it."""

    @property
    def has_ended(self) -> bool:
        """Whether no round may follow, though tools were called."""
        return self._asks_client or self._cut

    @property
    def usage(self) -> Usage | None:
        """What all rounds cost together."""
        if not self._tools.counted:
            return self._usage
        return replace(self._usage or Usage(), grounding=dict(self._tools.counted))

    def ending(self) -> Status:
        """How the turn ends."""
        if self._cut:
            return Status.INCOMPLETE
        return _ending(self._assembler.finished, self._model.card)

    async def round(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """What the model says to a prompt. Calls that the server is to run are in `calls` behind it."""
        self._happened.clear()
        self._rounds += 1
        card, calls = self._model.card, list[Made]()
        async with aclosing(helped(self._model, prompt).stream(prompt)) as fragments:
            taken = await anext(fragments, None)
            assert isinstance(taken, Taken), f"the first fragment of {card.name} is {taken!r}, not Taken"
            if self._rounds == 1:
                yield StatusUpdate(Status.IN_PROGRESS)
            makes_media = any(modality != "text" for modality in prompt.modalities)
            delivering = self._around.delivering
            async for fragment in delivered(fragments, prompt, delivering) if makes_media else fragments:
                if isinstance(fragment, CallFragment):
                    if not prompt.tools:
                        raise ModelFailed(f"the model '{card.name}' called '{fragment.name}', but was offered none")
                    offered = self._tools.find(fragment.name)
                    if offered is not None:
                        calls.append(self._tools.made(fragment, offered, self._around.new_call_id, self._seal))
                        self._names[calls[-1].step.id] = offered.function.name
                        for event in self._noted(self._assembler.add_whole(calls[-1].step)):
                            yield event
                        continue
                    self._asks_client = True
                for event in self._noted(self._assembler.add(fragment)):
                    yield event
        for event in self._noted(self._assembler.close()):
            yield event
        self.calls = calls
        self._usage = _together(self._usage, self._assembler.usage)
        _ending(self._assembler.finished, card)  # a round that broke is no round to go on from

    async def results(self, occasion: Occasion) -> AsyncGenerator[Event, None]:
        """What comes of the calls, in the order in which it comes; and what they made, behind it."""
        self._cut = self._over is not None
        self._over = self._over or self._limit()
        if self._over is not None:
            for call in self.calls:
                for event in self._result(call, failed(call, self._over)):
                    yield event
            return
        async with aclosing(self._tools.run(self.calls)) as outcomes:
            async for call, outcome in outcomes:
                outcome = await self._readable(outcome)
                self._tools.note(outcome)
                await asyncio.to_thread(self._citations.add, outcome.sources)
                occasion.told.append(outcome.told)
                for event in self._result(call, outcome):
                    yield event
                for index, made in enumerate(outcome.made):
                    for event in self._assembler.add(await deliver_made(made, index, self._around.delivering)):
                        yield event
                for event in self._assembler.close():
                    yield event

    async def following(self, prompt: Prompt) -> Prompt | None:
        """The prompt of the next round: with what happened in this one. None: there are no tokens left for it."""
        happened = as_functions(self._around.opened(fold(self._happened).steps), self._names)
        shown = await self._around.present(happened, self._model.card)
        left, generation = self._turn.generation.max_output_tokens, prompt.generation
        if left is not None and self._usage is not None:
            left -= self._usage.output_tokens + self._usage.thought
            self._cut = left <= 0
            generation = replace(generation, max_output_tokens=left)
        choice = replace(prompt.tool_choice, mode="auto") if prompt.tool_choice.mode == "any" else prompt.tool_choice
        return (
            None
            if self._cut
            else replace(prompt, steps=(*prompt.steps, *shown), generation=generation, tool_choice=choice)
        )

    def _limit(self) -> str | None:
        """Which limit of the turn is reached, in words for the model."""
        limits, spent = self._around.limits, (self._around.clock() - self._began).total_seconds()
        tokens = self._usage.total_tokens if self._usage is not None else 0
        for reached, limit in (
            (self._rounds > limits.rounds, f"{limits.rounds} rounds of calls"),
            (spent > limits.seconds, f"{limits.seconds:g} seconds"),
            (tokens > limits.tokens, f"{limits.tokens} tokens"),
        ):
            if reached:
                return f"not run: this turn has had its {limit}. Answer now, with what you have"
        return None

    async def _readable(self, outcome: Outcome) -> Outcome:
        """An outcome that fits into what the model can read, and whose media it can be shown."""
        card = self._model.card
        room = (card.reading_tokens or (card.context_tokens or 4 * CONTEXT) // 2) // max(1, len(self.calls))
        outcome = fitted(outcome, question(self._turn.input), room)
        if has_media(outcome):
            try:
                await self._around.present([FunctionResult("", outcome.told)], card)
            except TurnwiseError as error:
                return without_media(outcome, error.message)
        return outcome

    def _result(self, call: Made, outcome: Outcome) -> Iterator[Event]:
        yield from self._noted(self._assembler.add_whole(result_step(call, outcome, self._seal)))

    def _noted(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events, remembered where another round may need to know what happened."""
        if not self._tools.runs_here:
            return events
        happened = list(events)
        self._happened += happened
        return iter(happened)

    def _seal(self, call_id: str, token: str | None, told: JSON) -> str:
        return self._around.seal(Secret(token=token, call_id=call_id, told=told))


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


def _together(before: Usage | None, round: Usage | None) -> Usage | None:
    """What a turn has cost with one more round. What is read in later rounds is read for tools' sake."""
    if before is None or round is None:
        return before or round
    return add_usage(before, Usage(output=round.output, tool_use=round.input, thought=round.thought))
