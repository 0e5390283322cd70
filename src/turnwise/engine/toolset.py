"""The tools of one turn: which functions they are to the model, and what becomes of its calls.

A model knows functions alone. To clients a call of a tool that the server runs is a step of that tool's own, with a
result behind it; to the model it is a function call like any other, and `as_functions` is how it sees both.

What the model read of a result may be more than clients are shown. It is sealed into the result's `signature`, so that
a later turn shows the model the same again, whoever keeps the history.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, TurnwiseError, Unimplemented
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ServerTool,
    Step,
    ToolCall,
    ToolResult,
    result_content,
)
from turnwise.domain.tools import FunctionTool, Tool, choice_name
from turnwise.engine.fitting import CHARACTERS_A_TOKEN, fit
from turnwise.engine.schema import check_schema
from turnwise.engine.thoughts import CALLED, Secret
from turnwise.media.media import Passage
from turnwise.models.model import CallFragment
from turnwise.tools.tool import OpenTool, Outcome

log = logging.getLogger("turnwise.tools")

SIDE_BY_SIDE = 8
"""How many calls of a round run at once."""

NAME = 64
"""How long a function's name may be, for the vendors who allow the least."""

IN_WORDS = frozenset({"code_execution", "mcp_server_tool"})
"""Tools whose results may be a text. Those of the others are lists of objects."""

Seal = Callable[[Secret], str]
"""Makes the signature of a step."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Offered:
    """A function of a tool, as the model is offered it."""

    function: FunctionTool
    """Under the name by which the model calls it."""
    name: str
    """Its own name."""
    tool: OpenTool


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made and is to be run."""

    step: ToolCall
    offered: Offered
    arguments: Mapping[str, JSON]


class Toolset:
    """What the model may call in a turn besides the client's own functions."""

    def __init__(self, opened: Sequence[OpenTool], declared: Sequence[Tool]) -> None:
        """`opened`: the tools that are ready. `declared`: all that the turn declares and allows, functions among
        them, in the order of the request."""
        named = [tool for tool in declared if isinstance(tool, FunctionTool)]
        self._offered = _named(opened, {tool.name for tool in named})
        self.functions: tuple[FunctionTool, ...] = (*named, *(one.function for one in self._offered.values()))
        """All that the model may call."""
        self.is_demanded = any(tool.is_demanded for tool in opened)
        """Whether one of the tools must be called."""
        self.runs_here = any(one.tool.tool is not None for one in self._offered.values())
        """Whether there is anything in it that the server runs."""
        self.counted: dict[str, int] = {}
        """How often tools were used whose uses are counted."""

    @property
    def served(self) -> Mapping[str, ServerTool]:
        """The functions that the server runs, by the names that the model calls them by, and the tools' own."""
        return {name: one.tool.tool for name, one in self._offered.items() if one.tool.tool is not None}

    def find(self, name: str | None) -> Offered | None:
        """The function of this name, if the server is to run it."""
        one = self._offered.get(name or "")
        return one if one is not None and one.tool.tool is not None else None

    def made(self, call: CallFragment, offered: Offered, new_id: Callable[[], str], seal: Seal) -> Made:
        """A call as the model made it, with its step as clients see it."""
        assert offered.tool.tool is not None
        arguments = orjson.loads(call.arguments or "{}")
        shown, details = offered.tool.shown(offered.name, arguments)
        id = call.id or new_id()
        hidden = None if shown == arguments else arguments
        step = ToolCall(offered.tool.tool, id, shown, details)
        called = None if offered.function.name == _plain_name(step) else offered.function.name
        if call.signature is not None or hidden is not None or called is not None:
            step = replace(step, signature=seal(Secret(token=call.signature, call_id=id, told=hidden, name=called)))
        return Made(step, offered, arguments)

    async def run(self, calls: Sequence[Made]) -> AsyncGenerator[tuple[Made, Outcome], None]:
        """What comes of calls, in the order in which it comes. Leaving ends those that still run."""
        room, done = asyncio.Semaphore(SIDE_BY_SIDE), asyncio.Queue[tuple[Made, Outcome]]()

        async def run_one(call: Made) -> None:
            async with room:
                outcome = await _outcome(call)
            done.put_nowait((call, outcome))

        running = [asyncio.create_task(run_one(call), name=f"call {call.step.id}") for call in calls]
        try:
            for _ in calls:
                yield await done.get()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def note(self, counted: str | None) -> None:
        """Remember that a tool was used whose uses are counted under this name."""
        if counted is not None:
            self.counted[counted] = self.counted.get(counted, 0) + 1


def result_step(call: Made, outcome: Outcome, seal: Seal) -> ToolResult:
    """The result of a call as clients see it, and what the model read of it, sealed."""
    step = call.step
    signature = None if outcome.told == outcome.result else seal(Secret(call_id=step.id, told=outcome.told))
    details = {name: value for name, value in step.details.items() if name in ("name", "server_name")}
    return ToolResult(step.tool, step.id, outcome.result, outcome.is_error, details, signature)


def as_functions(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps as a model sees them: calls of tools are function calls. Their signatures are open."""
    if {ToolCall, ToolResult}.isdisjoint(map(type, steps)):
        return tuple(steps)
    called = {step.id: step.details.get(CALLED) for step in steps if isinstance(step, ToolCall)}
    return tuple([_as_function(step, called) for step in steps])


def _as_function(step: Step, called: Mapping[str, JSON]) -> Step:
    match step:
        case ToolCall(_, id, arguments):
            return FunctionCall(id, called[id] or _plain_name(step), arguments, step.signature)
        case ToolResult(tool, call_id, result, is_error):
            is_named = tool != "mcp_server_tool" or "name" in step.details  # else its call tells
            name = called.get(call_id) or (_plain_name(step) if is_named else None)
            return FunctionResult(call_id, result, name, is_error)
        case _:
            return step


def _plain_name(step: ToolCall | ToolResult) -> str:
    """A tool of an MCP server has a name of its own."""
    return _cleaned(str(step.details.get("name") or step.tool))


def failed(call: Made, why: str) -> Outcome:
    """The outcome of a call that came to nothing, in a shape that the tool's results have."""
    return Outcome(why if call.step.tool in IN_WORDS else [{"error": why}], why, is_error=True)


def fitted(outcome: Outcome, question: str, tokens: int) -> Outcome:
    """An outcome of which the model reads so many tokens at the most: the parts that have most to do with the
    question. Media are left as they are."""
    too_long = read_tokens(outcome) / max(tokens, 1)
    if too_long <= 1:
        return outcome
    if isinstance(outcome.told, str):
        return replace(outcome, told=_fitted(outcome.told, question, tokens))
    content = [
        {**item, "text": _fitted(item["text"], question, round(_tokens(item["text"]) / too_long))}
        if item["type"] == "text"
        else item
        for item in result_content(outcome.told) or ()
    ]
    return replace(outcome, told=content)


def read_tokens(outcome: Outcome) -> float:
    """How many tokens the text is, about, that the model reads of an outcome."""
    if isinstance(outcome.told, str):
        return _tokens(outcome.told)
    return sum(_tokens(item["text"]) for item in result_content(outcome.told) or () if item["type"] == "text")


def _tokens(text: str) -> float:
    return len(text) / CHARACTERS_A_TOKEN


def _fitted(text: str, question: str, tokens: int) -> str:
    room = int(tokens * CHARACTERS_A_TOKEN)
    if len(text) <= room:
        return text
    pieces = re.split(r"\n{2,}|(?<=\n)", text)
    passages = [Passage(part) for piece in pieces for part in _cut(piece.strip("\n"), room // 4) if part]
    return fit(passages, question, tokens)


def _cut(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), max(length, 1))]


async def _outcome(call: Made) -> Outcome:
    """What comes of a call. Whatever breaks in a tool is a result that says so."""
    try:
        return await call.offered.tool.call(call.offered.name, call.arguments, key=call.step.id)
    except TurnwiseError as error:
        return failed(call, error.message)
    except asyncio.CancelledError:
        if _is_cancelled():
            raise
        return _broken(call)  # something within the tool was cancelled, and nobody would ever hear of the call
    except Exception:
        return _broken(call)


def _broken(call: Made) -> Outcome:
    log.exception("the tool %s broke", call.step.tool)
    return failed(call, f"the tool '{call.step.tool}' failed inside of the server; its log has the reason")


def _is_cancelled() -> bool:
    """Whether this task itself is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def has_media(outcome: Outcome) -> bool:
    """Whether the model is told of more than text."""
    return any(item["type"] != "text" for item in result_content(outcome.told) or ())


def without_media(outcome: Outcome, why: str) -> Outcome:
    """An outcome whose media cannot be shown to the model, which is told why."""
    content = [item for item in result_content(outcome.told) or () if item["type"] == "text"]
    return replace(outcome, told=[*content, {"type": "text", "text": f"[not shown: {why}]"}])


def offered_tools(tools: Sequence[Tool], allowed: Sequence[str] | None) -> tuple[Tool, ...]:
    """The tools that the model may choose among: a tool that it may not call is not shown to it."""
    return tuple(tool for tool in tools if allowed is None or choice_name(tool) in allowed)


# -- names


def _named(opened: Sequence[OpenTool], own: set[str]) -> dict[str, Offered]:
    """Each function under a name that no other has. Where two tools have one of the same name, the later one's gets its
    server's before it, or a number behind it. What the client runs keeps its name: `own` functions, and actions."""
    taken = own | _actions(opened, own)
    named: dict[str, Offered] = {}
    for tool in opened:
        for function in tool.functions:
            is_action = tool.tool is None
            name = _cleaned(function.name) if is_action else _free_name(function, tool, taken | set(named))
            named[name] = Offered(_usable(replace(function, name=name)), function.name, tool)
    return named


def _actions(opened: Sequence[OpenTool], own: set[str]) -> set[str]:
    """The names of the functions of tools that the client runs."""
    actions = {_cleaned(function.name) for tool in opened if tool.tool is None for function in tool.functions}
    for name in sorted(actions & own):
        raise InvalidRequest(
            f"'{name}' is an action of a tool too, and clients could not tell them apart; exclude it there, or call "
            "the function otherwise",
            field="tools",
        )
    return actions


def _free_name(function: FunctionTool, tool: OpenTool, taken: set[str]) -> str:
    plain = _cleaned(function.name)
    if plain not in taken:
        return plain
    _, details = tool.shown(function.name, {})
    server = details.get("server_name")
    longer = _cleaned(f"{server}_{function.name}") if server else plain
    names = [longer, *(f"{longer[: NAME - 4]}_{number}" for number in range(2, 1000))]
    return next(name for name in names if name not in taken)


def _cleaned(name: str) -> str:
    """A name that every vendor takes."""
    return _NOT_IN_A_NAME.sub("_", name)[:NAME].strip("_") or "tool"


def _usable(function: FunctionTool) -> FunctionTool:
    """A function whose arguments can be checked. What cannot be, is left to whoever runs it."""
    try:
        if function.parameters:
            check_schema(function.parameters, function.name)
    except (InvalidRequest, Unimplemented) as error:
        log.warning("the arguments of the tool '%s' are not checked: %s", function.name, error.message)
        return replace(function, parameters={"type": "object"})
    return function
