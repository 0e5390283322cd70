"""A turn as it is written: what the model says in each round, and what comes of the tools that it calls there.

Every round is written into one list of events, numbered by one assembler. Where another round may follow, its events
are remembered: folded, and with their signatures opened, they are what the model sees of them.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace

from turnwise.domain.content import Text
from turnwise.domain.errors import ContentBlocked, ModelFailed, TurnwiseError
from turnwise.domain.events import (
    Checkpoint,
    Event,
    PartDelta,
    PartStart,
    StepStart,
    StepStop,
    TextDelta,
    WholeDelta,
    fold,
)
from turnwise.domain.interaction import GenerationConfig, Status, Turn, Usage, add_usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, ToolCall
from turnwise.engine.assemble import Assembler
from turnwise.engine.citing import Citations
from turnwise.engine.delivery import deliver_made
from turnwise.engine.journal import spent
from turnwise.engine.presenting import CONTEXT, question
from turnwise.engine.standing import Standing
from turnwise.engine.surroundings import Surroundings
from turnwise.engine.toolset import (
    Made,
    Offered,
    Toolset,
    as_functions,
    failed,
    fitted,
    has_media,
    read_tokens,
    result_step,
    without_media,
)
from turnwise.models.model import CallFragment, FinishReason, Fragment, Model, ModelCard, Prompt
from turnwise.tools.tool import Occasion, Outcome, Source

ENDINGS: dict[FinishReason, Status] = {
    "stop": Status.COMPLETED,
    "length": Status.INCOMPLETE,
    "calls": Status.REQUIRES_ACTION,
}
"""How a turn ends when the model ends in this way. A refusal is an error."""


MUCH = 32_768
"""How many tokens no model says in one answer that has no limit of its own."""

ROUND = "round"
"""The kind of the checkpoints that end a round in which tools were called. They have what it cost, as `usage`."""

RESULT = "result"
"""The kind of the checkpoints that have what is remembered of a tool's result, and clients are not shown."""

LEAST = 64
"""How many tokens a result may have in any case: so much it takes to say what it is."""


class Writing:
    """A turn as it is written, a round behind the other."""

    def __init__(self, turn: Turn, model: Model, tools: Toolset, around: Surroundings) -> None:
        self.rounds = 0
        """How many rounds are over."""
        self.calls: list[Made] = []
        """What the last round called, and the server is to run."""
        self.is_called = False
        """Whether the model has had its say in this round, and its calls are all that is left of it."""
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
        self._began = around.began or around.clock()
        self._usage: Usage | None = None
        self._happened: list[Event] = []
        """The events of this round, if another may follow."""
        self._read = 0.0
        """How many tokens of results the model was given, about."""
        self._asks_client = False
        """Whether a function of the client's was called."""
        self._over: str | None = None
        """Which limit is reached, in words that the model was told."""
        self._cut: Status | None = None
        """How the turn ends, if it does because of a limit."""
        self._is_budgeted = False
        """Whether the model has no more than what is left of the budget."""

    @property
    def usage(self) -> Usage | None:
        """What all rounds cost together."""
        if not self._tools.counted:
            return self._usage
        return replace(self._usage or Usage(), grounding=dict(self._tools.counted))

    def ending(self) -> Status:
        """How the turn ends."""
        if self._cut is not None:
            return self._cut
        if self._asks_client:
            return Status.REQUIRES_ACTION
        ending = _ending(self._assembler.finished, self._model.card)
        return Status.BUDGET_EXCEEDED if ending is Status.INCOMPLETE and self._is_budgeted else ending

    def go_on(self, standing: Standing, occasion: Occasion) -> Iterator[Event]:
        """Take a turn up where another attempt left it. The events that close what nobody will finish."""
        self._usage = spent(standing.checkpoints)
        self.rounds = len(standing.noted(ROUND))
        for result in standing.noted(RESULT):
            self._citations.add([Source(text, citation) for text, citation in result["sources"]])
            self._tools.note(result["counted"])
            self._read += result["read"]
        self._asks_client = any(isinstance(step, FunctionCall) for step in standing.steps)
        self._assembler.go_on(standing.step, standing.output, standing.said)
        if standing.thought is not None:
            yield from self._assembler.close_thought(standing.thought)
        opened = as_functions(self._around.opened(standing.steps))
        occasion.happened += [step for step in opened if isinstance(step, FunctionCall | FunctionResult)]
        self.calls = self._made_before(standing.pending)
        self.is_called = bool(self.calls) and (standing.said is None or self._asks_client)
        if standing.said is not None and self._asks_client:  # the turn ends with the call; nobody goes on behind it
            yield from self._assembler.close()
        elif standing.said is not None:
            step, output = standing.step, standing.output
            self._happened += [StepStart(step, None, ModelOutput()), PartStart(step, output, Text(""))]
            self._happened.append(PartDelta(step, output, TextDelta(standing.said)))

    async def prompt_behind(self, standing: Standing, prompt: Prompt) -> Prompt | None:
        """The prompt with what happened before another attempt left the turn. None: nothing more is to be asked."""
        if self._asks_client and not self.calls:
            return None
        left = self._left(prompt)
        if not self.is_called and self._is_spent(left):
            return None
        unanswered = {call.id for call in standing.pending}
        happened = as_functions(self._around.opened(standing.steps))
        happened = tuple(step for step in happened if not (isinstance(step, FunctionCall) and step.id in unanswered))
        shown = await self._around.present(happened, self._model.card)
        return replace(left, steps=(*prompt.steps, *shown), said=standing.said or "")

    def add(self, fragment: Fragment) -> Iterable[Event]:
        """The events of one more fragment."""
        if isinstance(fragment, CallFragment):
            offered = self._tools.find(fragment.name)
            if offered is not None:
                return self._noted(self._call(fragment, offered))
            self._check_offered(fragment)
            self._asks_client = True
        return self._noted(self._assembler.add(fragment))

    def close_round(self) -> Iterator[Event]:
        """The events that close what the model said. A round that broke is none to go on from."""
        yield from self._noted(self._assembler.close())
        self.rounds += 1
        cost = _cost(self._assembler.usage, is_first=self._usage is None)
        self._usage = _together(self._usage, cost)
        _ending(self._assembler.finished, self._model.card)
        if self.calls:
            yield Checkpoint(ROUND, {"usage": None if cost is None else asdict(cost)})

    async def results(self, occasion: Occasion) -> AsyncGenerator[Event, None]:
        """What comes of the calls, in the order in which it comes; and what they made, behind it."""
        self._cut = Status.INCOMPLETE if self._over is not None else None
        self._over = self._over or self._limit()
        if self._over is not None:
            for call in self.calls:
                for event in self._result(call, failed(call, self._over)):
                    yield event
            return
        room = self._room()
        async with aclosing(self._tools.run(self.calls)) as outcomes:
            async for call, outcome in outcomes:
                outcome = await self._readable(outcome, room)
                # Before anything is told of the result: nobody goes on between a result and what was made with it.
                delivering = [deliver_made(made, i, self._around.delivering) for i, made in enumerate(outcome.made)]
                delivered = await asyncio.gather(*delivering, return_exceptions=True)
                self._tools.note(outcome.counted)
                await asyncio.to_thread(self._citations.add, outcome.sources)
                occasion.happened += [
                    FunctionCall(call.step.id, call.step.tool, call.arguments),
                    FunctionResult(call.step.id, outcome.told, call.step.tool),
                ]
                yield Checkpoint(
                    RESULT,
                    {
                        "sources": [[source.text, dict(source.citation)] for source in outcome.sources],
                        "counted": outcome.counted,
                        "read": read_tokens(outcome),
                    },
                )
                for event in self._result(call, outcome):
                    yield event
                for fragment in delivered:
                    if isinstance(fragment, BaseException):
                        raise fragment
                    for event in self._assembler.add(fragment):
                        yield event
                for event in self._assembler.close():
                    yield event

    async def following(self, prompt: Prompt) -> Prompt | None:
        """The prompt of the next round: with what happened in this one. None: the turn ends here."""
        if self._asks_client or self._cut is not None:
            return None
        happened = as_functions(self._around.opened(fold(self._happened).steps))
        shown = await self._around.present(happened, self._model.card)
        prompt = self._left(prompt)
        if self._is_spent(prompt):
            return None
        self._happened.clear()
        self.calls = []
        self.is_called = False
        self._assembler.begin_round()
        return replace(prompt, steps=(*prompt.steps, *shown), said="")

    def _left(self, prompt: Prompt) -> Prompt:
        """The prompt of another round: it need not call any more, and may say what is left of the limit."""
        left, generation = self._turn.generation.max_output_tokens, prompt.generation
        if left is not None and self._usage is not None:
            left -= self._usage.output_tokens + self._usage.thought
            generation = replace(generation, max_output_tokens=left)
        generation = self._budgeted(generation)
        is_demanded = prompt.tool_choice.mode == "any" and self.rounds > 0
        choice = replace(prompt.tool_choice, mode="auto") if is_demanded else prompt.tool_choice
        return replace(prompt, generation=generation, tool_choice=choice)

    def _is_spent(self, prompt: Prompt) -> bool:
        """Whether a limit leaves no room for another answer. Then the turn ends because of it."""
        left = prompt.generation.max_output_tokens
        if left is None or left > 0:
            return False
        self._cut = Status.BUDGET_EXCEEDED if self._is_budgeted else Status.INCOMPLETE
        return True

    def within_budget(self, prompt: Prompt) -> Prompt:
        """The prompt of the first round, which may not cost more than there is."""
        generation = self._budgeted(prompt.generation)
        return prompt if generation is prompt.generation else replace(prompt, generation=generation)

    def _budgeted(self, generation: GenerationConfig) -> GenerationConfig:
        """A limit of what the model may say, where the budget is tighter than any other."""
        budget = self._around.limits.budget
        if budget is None or not self._turn.background:
            return generation
        left = budget - (self._usage.total_tokens if self._usage is not None else 0)
        others = (generation.max_output_tokens, self._model.card.output_tokens, self._model.card.context_tokens)
        self._is_budgeted = left < min((limit for limit in others if limit is not None), default=MUCH)
        return replace(generation, max_output_tokens=left) if self._is_budgeted else generation

    def _made_before(self, pending: Sequence[ToolCall]) -> list[Made]:
        """Calls that another attempt made, and whose results are not there. They are noted as part of this round."""
        calls = []
        for step, opened in zip(pending, self._around.opened(pending), strict=True):
            assert isinstance(opened, ToolCall)
            (function,) = as_functions([opened])
            assert isinstance(function, FunctionCall)
            offered = self._tools.find(function.name)
            if offered is None:
                raise ModelFailed(f"the tool '{function.name}' that was being called is not there any more")
            calls.append(Made(step, offered, function.arguments))
            self._happened += [StepStart(0, 0, step), PartDelta(0, 0, WholeDelta(step)), StepStop(0, 0)]
        return calls

    def _limit(self) -> str | None:
        """Which limit of the turn is reached, in words for the model."""
        limits, spent = self._around.limits, (self._around.clock() - self._began).total_seconds()
        tokens = self._usage.total_tokens if self._usage is not None else 0
        for reached, limit in (
            (self.rounds > limits.rounds, f"{limits.rounds} rounds of calls"),
            (spent > limits.seconds, f"{limits.seconds:g} seconds"),
            (tokens > limits.tokens, f"{limits.tokens} tokens"),
        ):
            if reached:
                return f"not run: this turn has had its {limit}. Answer now, with what you have"
        return None

    def _room(self) -> int:
        """How many tokens each result of this round may have: together half of the context, or less if that is to last
        for what was read in the rounds before too."""
        card = self._model.card
        room = (card.context_tokens or 4 * CONTEXT) // 2
        if card.context_tokens is not None:
            room -= round(self._read * 2 / 3)  # so that all rounds together take three quarters of it
        if card.tools and card.reading_tokens is not None:  # else rules read it, and the model what they make of it
            room = min(room, card.reading_tokens)
        return max(room // len(self.calls), LEAST)

    async def _readable(self, outcome: Outcome, room: int) -> Outcome:
        """An outcome that fits into what the model can read, and whose media it can be shown."""
        outcome = fitted(outcome, question(self._turn.input), room)
        self._read += read_tokens(outcome)
        if has_media(outcome):
            try:
                await self._around.present([FunctionResult("", outcome.told)], self._model.card)
            except TurnwiseError as error:
                return without_media(outcome, error.message)
        return outcome

    def _call(self, fragment: CallFragment, offered: Offered) -> Iterator[Event]:
        """A call that the server is to run. It is whole: what stands around the model sees to that."""
        call = self._tools.made(fragment, offered, self._around.new_call_id, self._around.seal)
        self.calls.append(call)
        yield from self._assembler.add_whole(call.step)

    def _check_offered(self, fragment: CallFragment) -> None:
        if not self._tools.functions:
            name = self._model.card.name
            raise ModelFailed(f"the model '{name}' called '{fragment.name}', but was offered none")

    def _result(self, call: Made, outcome: Outcome) -> Iterator[Event]:
        yield from self._noted(self._assembler.add_whole(result_step(call, outcome, self._around.seal)))

    def _noted(self, events: Iterable[Event]) -> Iterable[Event]:
        """The events, remembered where another round may need to know what happened."""
        if not self._tools.runs_here:
            return events
        happened = list(events)
        self._happened += happened
        return happened


def _ending(finished: FinishReason | None, card: ModelCard) -> Status:
    if finished is None:
        raise ModelFailed(f"the model '{card.name}' stopped in the middle of its answer")
    if finished == "refusal":
        raise ContentBlocked(f"the model '{card.name}' refused to answer this")
    return ENDINGS[finished]


def _cost(round: Usage | None, *, is_first: bool) -> Usage | None:
    """What a round cost. What is read in later rounds is read for tools' sake."""
    if round is None or is_first:
        return round
    return Usage(output=round.output, tool_use=round.input, thought=round.thought)


def _together(before: Usage | None, cost: Usage | None) -> Usage | None:
    if before is None or cost is None:
        return before or cost
    return add_usage(before, cost)
