"""Function calls, checked: whatever a model calls is a function that there is, with valid arguments.

`check_calls` looks at a conversation: each call made once, and each answered once. `CheckedCalls` stands on a model
that calls functions by itself, and passes a call on only when it is good; a model that cannot comply ends the turn as
failed, with the reason. Models that know no functions are helped by `rules/`.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import orjson

from turnwise.domain.content import DEPTH, Text, is_too_deep
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, NotComplied
from turnwise.domain.interaction import Usage, add_usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.schema import violation
from turnwise.models.model import (
    CallFragment,
    Finished,
    Fragment,
    Model,
    Prompt,
    Taken,
    TextFragment,
    UsageFragment,
)

ATTEMPTS = 3
"""How often a model is asked for a valid call, at the most."""

AGAIN = "The function call was not made: {error}. Call the function again, with correct arguments."
DEMAND = "Do not answer in words: call one of the functions."
PARAGRAPH = "\n\n"
"""What stands between the words of two tries."""

_CALLING = frozenset({FunctionCall, FunctionResult})


def check_calls(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps whose calls are each made once, and each answered once.

    A client may send a call along with its result though the chain has it already; it is the same call.

    Raises:
        InvalidRequest: two calls of one id, a result of a call that was never made, or a second result of the same
            call.
        FailedPrecondition: a call that nobody answered.
    """
    if _CALLING.isdisjoint(map(type, steps)):
        return tuple(steps)
    calls: dict[str, FunctionCall] = {}
    answered: set[str] = set()
    checked: list[Step] = []
    for step in steps:
        match step:
            case FunctionCall(id):
                if id in calls:
                    _check_again(step, calls[id])
                    continue
                calls[id] = step
            case FunctionResult(call_id, _, name):
                _check_result(step, calls, answered)
                answered.add(call_id)
                step = step if name else replace(step, name=calls[call_id].name)
            case _:
                pass
        checked.append(step)
    open_calls = [call for id, call in calls.items() if id not in answered]
    if open_calls:
        named = ", ".join(f"'{call.id}' ({call.name})" for call in open_calls)
        raise FailedPrecondition(
            f"these calls have no result yet: {named}; send a function_result for each, or of a tool of the server the "
            "result that came behind its call; or leave the call out"
        )
    return tuple(checked)


def _check_again(call: FunctionCall, before: FunctionCall) -> None:
    if (call.name, call.arguments) != (before.name, before.arguments):
        raise InvalidRequest(f"two different function calls have the id '{call.id}'", field="input.id")


def _check_result(result: FunctionResult, calls: dict[str, FunctionCall], answered: set[str]) -> None:
    call = calls.get(result.call_id)
    if call is None:
        raise InvalidRequest(
            f"there was no function call '{result.call_id}'; name the `id` of a call that the model made, and its "
            "interaction as `previous_interaction_id`, or send the call too",
            field="input.call_id",
        )
    if result.call_id in answered:
        raise InvalidRequest(f"the function call '{result.call_id}' has two results; send one", field="input.call_id")
    if result.name is not None and result.name != call.name:
        raise InvalidRequest(
            f"the function call '{result.call_id}' was of '{call.name}', not of '{result.name}'", field="input.name"
        )


@dataclass(slots=True)
class _Call:
    """A call that is being read."""

    id: str | None
    name: str
    arguments: list[str] = field(default_factory=list)
    signature: str | None = None

    def add(self, fragment: CallFragment) -> None:
        self.arguments.append(fragment.arguments)
        self.signature = fragment.signature or self.signature

    def error(self, tools: Sequence[FunctionTool]) -> str | None:
        tool = next((tool for tool in tools if tool.name == self.name), None)
        if tool is None:
            return f"there is no function '{self.name}'; there are: {', '.join(tool.name for tool in tools)}"
        try:
            arguments = orjson.loads("".join(self.arguments) or "{}")
        except orjson.JSONDecodeError as error:
            return f"the arguments of {self.name} are not JSON ({error})"
        if not isinstance(arguments, dict):
            return f"the arguments of {self.name} are not an object"
        if is_too_deep(arguments):
            return f"the arguments of {self.name} are nested deeper than {DEPTH} levels"
        wrong = violation(arguments, tool.parameters)
        return f"the arguments of {self.name} are not valid: {wrong}" if wrong else None


class CheckedCalls:
    """A model whose calls are valid, on top of one that makes calls of some sort."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.card = model.card

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Text is passed on as it comes (but where a call is demanded, behind which it waits), and calls when all of
        them are whole and valid. If they are not, the model is told what is wrong and asked again; what it says
        then is shown only if it is an answer without a call. Where a call is demanded there will be no such answer,
        and nothing that could be bound to a schema: many backends would bind the call away."""
        demanded = prompt.tool_choice.mode == "any"
        usage, error, asked = Usage(), None, replace(prompt, schema=None) if demanded else prompt
        told = bool(prompt.said)
        for attempt in range(ATTEMPTS):
            calls: dict[int, _Call] = {}
            said: list[str] = []
            shown = not attempt and not demanded
            ends: list[Finished] = []
            async with aclosing(self._model.stream(asked)) as fragments:
                async for fragment in fragments:
                    match fragment:
                        case CallFragment(index, id, name):
                            calls.setdefault(index, _Call(id, name or "")).add(fragment)
                        case UsageFragment(cost):
                            usage = add_usage(usage, cost)
                        case Finished():
                            ends.append(fragment)
                        case TextFragment(text):
                            said.append(text)
                            if shown:
                                told |= bool(text)
                                yield fragment
                        case Taken() if attempt:
                            pass
                        case _:
                            yield fragment
            if _is_cut(ends):
                calls.clear()
            error = self._error(calls, prompt, ends)
            if error is None:
                late = "" if shown or (attempt and calls) else "".join(said)
                if late:
                    yield TextFragment(f"{PARAGRAPH}{late}" if told else late)
                for call in _whole(calls, prompt.steps):
                    yield call
                yield UsageFragment(usage)
                for end in _ending(calls, ends):
                    yield end
                return
            asked = replace(asked, steps=_again(asked.steps, asked.said + "".join(said), error), said="")
        raise NotComplied(f"the model '{self.card.name}' made no valid function call in {ATTEMPTS} attempts: {error}")

    def _error(self, calls: dict[int, _Call], prompt: Prompt, ends: Sequence[Finished]) -> str | None:
        if _is_cut(ends):
            return None
        if not calls and prompt.tool_choice.mode == "any":
            return DEMAND
        return next((error for call in calls.values() if (error := call.error(prompt.tools))), None)


def _is_cut(ends: Sequence[Finished]) -> bool:
    """Whether an answer broke off, so that its calls are not to be trusted and nothing more is to be asked."""
    return not ends or ends[0].reason in ("length", "refusal")


def _whole(calls: dict[int, _Call], steps: Sequence[Step]) -> list[CallFragment]:
    """The calls, whole. Some backends count their ids from anew in each answer; a call without one gets a new one."""
    used = {step.id for step in steps if isinstance(step, FunctionCall)}
    whole: list[CallFragment] = []
    for index, (_, call) in enumerate(sorted(calls.items())):
        id = None if call.id in used else call.id
        used |= {id} if id else set()
        whole.append(CallFragment(index, id, call.name, "".join(call.arguments), call.signature))
    return whole


def _ending(calls: dict[int, _Call], ends: Sequence[Finished]) -> Sequence[Finished]:
    """Whether a turn waits for results is read off its calls: backends say one thing or the other."""
    if calls:
        return [Finished("calls")]
    return [Finished("stop")] if ends and ends[0].reason == "calls" else ends


def _again(steps: Sequence[Step], said: str, error: str) -> tuple[Step, ...]:
    complaint = error if error == DEMAND else AGAIN.format(error=error)
    spoken = (ModelOutput((Text(said),)),) if said else ()
    return (*steps, *spoken, UserInput((Text(complaint),)))
