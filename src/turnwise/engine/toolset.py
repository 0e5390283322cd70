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

    def made(self, call: CallFragment, offered: Offered, new_id: Callable[[], str], seal: "Seal") -> Made:
        """A call as the model made it, with its step as clients see it."""
        assert offered.tool.tool is not None
        arguments = orjson.loads(call.arguments or "{}")
        shown, details = offered.tool.shown(offered.name, arguments)
        id = call.id or new_id()
        hidden = None if shown == arguments else arguments
        signature = None if call.signature is None and hidden is None else seal(id, call.signature, hidden)
        return Made(ToolCall(offered.tool.tool, id, shown, details, signature), offered, arguments)

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

    def note(self, outcome: Outcome) -> None:
        """Remember that a tool was used."""
        if outcome.counted is not None:
            self.counted[outcome.counted] = self.counted.get(outcome.counted, 0) + 1


Seal = Callable[[str, str | None, JSON], str]
"""Makes the signature of a step of a call: the call's id, its maker's token, and what only the model reads."""


def result_step(call: Made, outcome: Outcome, seal: Seal) -> ToolResult:
    """The result of a call as clients see it, and what the model read of it, sealed."""
    step = call.step
    signature = None if outcome.told == outcome.result else seal(step.id, None, outcome.told)
    details = {name: value for name, value in step.details.items() if name in ("name", "server_name")}
    return ToolResult(step.tool, step.id, outcome.result, outcome.is_error, details, signature)


def as_functions(steps: Sequence[Step], names: Mapping[str, str] | None = None) -> tuple[Step, ...]:
    """Steps as a model sees them: calls of tools are function calls. Their signatures are open.

    `names`: by which names this turn's model called them, by their ids.
    """
    return tuple([_as_function(step, names or {}) for step in steps])


def _as_function(step: Step, names: Mapping[str, str]) -> Step:
    match step:
        case ToolCall(_, id, arguments):
            return FunctionCall(id, names.get(id) or _plain_name(step), arguments, step.signature)
        case ToolResult(_, call_id, result, is_error):
            return FunctionResult(call_id, result, names.get(call_id) or _plain_name(step), is_error)
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
    question."""
    told = outcome.told
    room = int(tokens * CHARACTERS_A_TOKEN)
    if isinstance(told, str) and len(told) > room:
        pieces = re.split(r"\n{2,}|(?<=\n)", told)
        passages = [Passage(part) for piece in pieces for part in _cut(piece.strip("\n"), room // 4) if part]
        return replace(outcome, told=fit(passages, question, tokens))
    return outcome


def _cut(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), max(length, 1))]


async def _outcome(call: Made) -> Outcome:
    """What comes of a call. Whatever breaks in a tool is a result that says so."""
    try:
        return await call.offered.tool.call(call.offered.name, call.arguments)
    except TurnwiseError as error:
        return failed(call, error.message)
    except Exception:
        log.exception("the tool %s broke", call.step.tool)
        return failed(call, f"the tool '{call.step.tool}' failed inside of the server; its log has the reason")


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


def _named(opened: Sequence[OpenTool], taken: set[str]) -> dict[str, Offered]:
    """Each function under a name that no other has. Where two tools have one of the same name, the later one's gets its
    server's before it, or a number behind it."""
    named: dict[str, Offered] = {}
    for tool in opened:
        for function in tool.functions:
            if tool.tool is None and _cleaned(function.name) in taken | set(named):
                raise InvalidRequest(
                    f"'{function.name}' is an action of a tool too, and clients could not tell them apart; exclude it "
                    "there, or call the function otherwise",
                    field="tools",
                )
            name = _free_name(function, tool, taken | set(named))
            named[name] = Offered(_usable(replace(function, name=name)), function.name, tool)
    return named


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
