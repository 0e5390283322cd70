"""The desk of an agent: steps that are done once, a model that is asked, tools that are used, and what all that costs.

A step that is finished is told as a Checkpoint, in the very stream of events in which the agent's words are told, and
before anything that follows from it; the agent goes on when it is kept. So whatever part of that stream outlives the
process, it is of one piece: the next desk gives what finished steps gave, and what the agent said rests on these and on
no others.

Between its steps an agent sees the time and the costs as they were when the last of them was finished. So it sees the
same when it begins again later, and decides the same.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias, TypeVar, cast

import orjson

from turnwise.agents.agent import Budget, Spent, Used
from turnwise.domain.content import JSON, Text
from turnwise.domain.errors import ContentBlocked, ModelFailed
from turnwise.domain.events import Checkpoint, Event
from turnwise.domain.interaction import GenerationConfig, Usage, add_usage
from turnwise.domain.steps import FunctionCall, FunctionResult, UserInput
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.engine.helping import helped
from turnwise.engine.schema import violation
from turnwise.engine.surroundings import Surroundings
from turnwise.engine.toolset import Toolset
from turnwise.models.model import (
    CallFragment,
    Finished,
    FinishReason,
    Model,
    Prompt,
    TextFragment,
    UsageFragment,
)
from turnwise.tools.tool import Occasion, Outcome

T = TypeVar("T", bound=JSON)

STEP = "step"
"""The kind of the checkpoint of a step that is finished: its `name`, its `result`, and what it cost and found."""

LOST = "lost"
"""The kind of the checkpoint of a step that failed after it had cost something: its `usage`."""

OFFERED = "offered"
"""The kind of the checkpoint of the functions that the agent was offered, told before all others."""

Tell: TypeAlias = Callable[[Checkpoint], Awaitable[None]]
"""Puts a checkpoint behind everything that the agent has said so far, and returns when it is kept."""

Over: TypeAlias = Callable[[], Awaitable[None]]
"""Ends the work because its budget is overdrawn. It does not return."""


@dataclass(slots=True)
class Kept:
    """What is known of a desk from before the process died."""

    steps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The data of each finished step, by its name."""
    offered: Sequence[FunctionTool] | None = None
    """The functions that the agent was offered. None: it had not begun."""
    served: Mapping[str, str] = field(default_factory=dict)
    """Of which tool each of them is."""
    usage: Usage = field(default_factory=Usage)
    """What all of it cost together."""

    @classmethod
    def of(cls, told: Sequence[Event]) -> "Kept":
        """What the checkpoints among these events keep."""
        kept = cls()
        for event in told:
            match event:
                case Checkpoint(kind="step", data=dict(data)):
                    kept.steps[data["name"]] = data
                    kept.usage = add_usage(kept.usage, read_usage(data["usage"]))
                case Checkpoint(kind="lost", data=dict(data)):
                    kept.usage = add_usage(kept.usage, read_usage(data["usage"]))
                case Checkpoint(kind="offered", data=dict(data)):
                    kept.offered = [FunctionTool(**function) for function in data["functions"]]
                    kept.served = data["served"]
                case _:
                    pass
        return kept


@dataclass(slots=True)
class _Step:
    """A step that is being done."""

    name: str
    usage: Usage = field(default_factory=Usage)
    calls: Counter[bytes] = field(default_factory=Counter)
    """How often it has made each call."""
    found: list[JSON] = field(default_factory=list)
    """Calls of tools, each with its arguments and what its result says of addresses."""


_doing: ContextVar[_Step | None] = ContextVar("step of an agent", default=None)


class WorkDesk:
    """A `Desk`. See `agents/agent.py`."""

    def __init__(
        self,
        model: Model,
        tools: Toolset,
        occasion: Occasion,
        around: Surroundings,
        budget: Budget,
        *,
        began: datetime,
        kept: Kept,
        tell: Tell,
        over: Over,
    ) -> None:
        """`began` is when the interaction was created; `tell` and `over` reach who tells what happens at this desk."""
        served = dict(tools.served)
        offered = [function for function in tools.functions if function.name in served]
        self.functions: Mapping[str, str] = served if kept.offered is None else kept.served
        self.offered: Sequence[FunctionTool] = offered if kept.offered is None else kept.offered
        self.budget = budget
        self.usage = kept.usage
        """What it has cost so far, in fact, with what was done before."""
        self._model = model
        self._tools = tools
        self._occasion = occasion
        self._around = around
        self._began = began
        self._kept = kept
        self._tell = tell
        self._over = over
        self._names: set[str] = set()
        self._seen = Spent(0, 0.0)
        for data in kept.steps.values():
            self._remember(data["found"])

    @property
    def spent(self) -> Spent:
        """See `Desk.spent`. Between steps it is as of the last one that is finished."""
        return self._seen if _doing.get() is None else Spent(self.usage.total_tokens, self._seconds())

    def beginning(self) -> Checkpoint:
        """What is kept of what the agent is offered: what it does may follow from that."""
        functions = [
            {"name": one.name, "description": one.description, "parameters": one.parameters} for one in self.offered
        ]
        return Checkpoint(OFFERED, {"functions": functions, "served": dict(self.functions)})

    async def step(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """See `Desk.step`."""
        if name in self._names:
            raise ValueError(f"there are two steps called {name!r}; a name is used for one step only")
        self._names.add(name)
        before = self._kept.steps.get(name)
        if before is not None:
            return cast(T, self._finished(before))
        doing = _Step(name)
        token = _doing.set(doing)
        try:
            result = await _done(work)
            data = self._data(name, result, doing)
        except Exception:
            if doing.usage != Usage():
                await self._tell(Checkpoint(LOST, {"usage": write_usage(doing.usage)}))
            raise
        finally:
            _doing.reset(token)
        await self._tell(Checkpoint(STEP, data))
        return cast(T, self._finished(data))

    async def ask(
        self, instruction: str, question: str, *, schema: Schema | None = None, max_tokens: int | None = None
    ) -> str:
        """See `Desk.ask`."""
        doing = await self._begin("ask")
        prompt = Prompt(
            steps=(UserInput((Text(question),)),),
            system_instruction=instruction or None,
            schema=schema,
            generation=GenerationConfig(max_output_tokens=max_tokens),
        )
        text: list[str] = []
        finished: FinishReason | None = None
        usage = Usage()
        try:
            async with aclosing(helped(self._model, prompt).stream(prompt)) as fragments:
                async for fragment in fragments:
                    match fragment:
                        case TextFragment(piece):
                            text.append(piece)
                        case UsageFragment(cost):
                            usage = cost
                        case Finished(reason):
                            finished = reason
                        case _:
                            pass
        finally:
            self._spend(doing, usage)
        self._check_answer(finished)
        return "".join(text)

    async def use(self, function: str, arguments: Mapping[str, JSON]) -> Used:
        """See `Desk.use`."""
        doing = await self._begin("use")
        offered = self._tools.find(function)
        if offered is None:
            return _unusable(
                f"there is no function '{function}' here; there are: {', '.join(self.functions) or 'none'}"
            )
        wrong = violation(dict(arguments), offered.function.parameters) if offered.function.parameters else None
        if wrong is not None:
            return _unusable(f"'{function}' cannot be called like this: {wrong}")
        call = CallFragment(0, self._call_id(doing, function, arguments), function, orjson.dumps(arguments).decode())
        made = self._tools.made(call, offered, self._around.new_call_id, self._around.seal)
        outcomes = [outcome async for _, outcome in self._tools.run([made])]
        outcome = outcomes[0]
        if outcome.counted is not None:
            self._spend(doing, Usage(grounding={outcome.counted: 1}))
        found: JSON = [made.step.tool, dict(arguments), outcome.told]
        self._remember([found])
        doing.found.append([made.step.tool, dict(arguments), _addresses(outcome.told)])
        return _used(outcome)

    async def _begin(self, verb: str) -> _Step:
        """The step that is being done. Nothing that costs is begun once the budget is overdrawn."""
        doing = _doing.get()
        if doing is None:
            raise RuntimeError(
                f"an agent may {verb} within a step only: `await desk.step(name, lambda: desk.{verb}(...))`"
            )
        if self.usage.total_tokens > self.budget.tokens:
            await self._over()
        return doing

    def _spend(self, doing: _Step, usage: Usage) -> None:
        doing.usage = add_usage(doing.usage, usage)
        self.usage = add_usage(self.usage, usage)

    def _data(self, name: str, result: JSON, doing: _Step) -> dict[str, JSON]:
        """What is kept of a step. What does not survive as JSON would be something else the next time."""
        try:
            lasting = orjson.loads(orjson.dumps(result))
        except TypeError as error:
            raise TypeError(f"what the step {name!r} gives is not JSON: {error}") from error
        return {
            "name": name,
            "result": lasting,
            "usage": write_usage(doing.usage),
            "seconds": self._seconds(),
            "found": doing.found,
        }

    def _call_id(self, doing: _Step, function: str, arguments: Mapping[str, JSON]) -> str:
        """The id of a call, by which a tool knows it again: the same in every life of the work, and no other's."""
        call = orjson.dumps([function, arguments], option=orjson.OPT_SORT_KEYS)
        doing.calls[call] += 1
        whole = [self._around.owner, self._began.isoformat(), doing.name, call.decode(), doing.calls[call]]
        return f"call_{sha256(orjson.dumps(whole)).hexdigest()[:32]}"

    def _seconds(self) -> float:
        """How long ago the interaction was created."""
        return (self._around.clock() - self._began).total_seconds()

    def _finished(self, data: Mapping[str, Any]) -> JSON:
        """What a finished step gave. What it cost, and when it was done, is seen from now on."""
        tokens = self._seen.tokens + read_usage(data["usage"]).total_tokens
        self._seen = Spent(tokens, max(self._seen.seconds, data["seconds"]))
        return cast(JSON, data["result"])

    def _remember(self, found: Sequence[Any]) -> None:
        """What tools were asked and told, for those that look at what has happened."""
        for tool, arguments, told in found:
            id = f"call_{len(self._occasion.happened)}"
            self._occasion.happened += [FunctionCall(id, tool, arguments), FunctionResult(id, told, tool)]

    def _check_answer(self, finished: FinishReason | None) -> None:
        name = self._model.card.name
        if finished is None:
            raise ModelFailed(f"the model '{name}' stopped in the middle of its answer")
        if finished == "refusal":
            raise ContentBlocked(f"the model '{name}' refused to answer this")


async def _done(work: Callable[[], Awaitable[T]]) -> T:
    """What comes of it. Whoever calls for the end of the process within a task would end the server."""
    try:
        return await work()
    except (SystemExit, KeyboardInterrupt) as error:
        raise ModelFailed("a step of the agent has called for the end of its process") from error


def write_usage(usage: Usage) -> dict[str, JSON]:
    """What something cost, as a checkpoint has it."""
    return cast(dict[str, JSON], orjson.loads(orjson.dumps(usage)))


def read_usage(data: Mapping[str, Any]) -> Usage:
    """What `write_usage` wrote."""
    return Usage(**data)


def _used(outcome: Outcome) -> Used:
    sources = tuple((source.text, source.citation) for source in outcome.sources)
    return Used(outcome.told, outcome.result, outcome.is_error, sources)


def _unusable(why: str) -> Used:
    return Used(why, [{"error": why}], is_error=True)


def _addresses(told: JSON) -> str:
    """Every word of a result that may hold an address. All else of it, which may be long, nobody asks for later."""
    words: list[str] = []
    level: list[JSON] = [told]
    while level:
        node = level.pop()
        if isinstance(node, str):
            words += [word for word in node.split() if "://" in word or "." in word[:-1]]
        elif isinstance(node, dict):
            level += node.values()
        elif isinstance(node, list):
            level += node
    return " ".join(dict.fromkeys(words))
