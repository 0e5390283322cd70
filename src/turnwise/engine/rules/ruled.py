"""A model that calls functions, on top of one that has never heard of them.

Which functions a request asks for is read off the request (`choosing.py`; the server's own tools: `serving.py`); the
model only fills in what the request does not say plainly, bound to the function's schema, writes programs
(`computing.py`), and words bare results (`calling.py`). What the server's tools have told is reported in its own
sentences (`reporting.py`, `forming.py`). Everything else, the model answers as it would without tools, with earlier
calls and results told in words.

    results are there?   a program that failed is written again; a screen leads to the next action; else they are told
    calls are wanted?    they are made
    else                 the model speaks
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import orjson

from turnwise.domain.errors import NotComplied
from turnwise.domain.interaction import Usage, add_usage
from turnwise.domain.steps import UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.continuing import can_go_on, rest_of, without_thoughts
from turnwise.engine.rules.acting import action_tools, next_action
from turnwise.engine.rules.calling import (
    draft_answer,
    draft_call,
    is_answered,
    last_call,
    pending,
    render_result,
    spoken,
    text_of,
)
from turnwise.engine.rules.choosing import Wanted, choose
from turnwise.engine.rules.computing import TRIES, drafts, error_of, runs_of, worked
from turnwise.engine.rules.faults import badness
from turnwise.engine.rules.forming import form_from
from turnwise.engine.rules.recalling import recall
from turnwise.engine.rules.reporting import LONG, report, results_of
from turnwise.engine.rules.serving import KNOWN, Asked, ask_tools, known_tools
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

NO_PROGRAM = "I could not compute this: I found no way to write code for it."


class RuledCalls:
    """A model that calls functions. It asks two: the one that fills in, and the one that speaks, which may be the same
    with more of the engine's help."""

    def __init__(self, filling: Model, speaking: Model) -> None:
        self._filling = filling
        self._speaking = speaking
        self.card = replace(speaking.card, tools=True)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Call what the request asks for; say what results say; else speak. An answer that was begun comes about in the
        same way again, and is shown from where it was left.

        Raises:
            ModelFailed: a call is demanded, and none could be made that is valid; or an answer that was begun is not
                what is said now.
        """
        whole = self._answer(replace(prompt, steps=without_thoughts(prompt.steps)))
        async with aclosing(rest_of(whole, prompt.said, self.card.name)) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _answer(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """The whole answer, with what was said of it before."""
        has_results = is_answered(prompt.steps) or _was_served(prompt)
        async with aclosing(await self._go_on(prompt) if has_results else await self._begin(prompt)) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _go_on(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """What follows results."""
        action = next_action(prompt.steps, prompt.tools)
        if action is not None:
            return self._made([CallFragment(0, None, action[0], orjson.dumps(action[1]).decode())])
        if (again := _to_compute_again(prompt)) is not None:
            return self._serve(prompt, [again])
        if prompt.schema is not None:
            return self._form(prompt) if _was_served(prompt) else self._speak(prompt)
        return self._report(prompt) if _is_reported(prompt) else self._tell(prompt)

    async def _begin(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """What follows a request."""
        action = next_action(prompt.steps, prompt.tools)
        if action is not None:
            return self._made([CallFragment(0, None, action[0], orjson.dumps(action[1]).decode())])
        if wanted := await self._wanted(prompt):
            return self._call(prompt, wanted)
        must = prompt.tool_choice.mode == "any"
        if asked := await asyncio.to_thread(ask_tools, prompt, must=must):
            return self._serve(prompt, asked)
        if must and (wanted := await self._wanted(prompt, must=True)):
            return self._call(prompt, wanted)
        if must:
            raise NotComplied(f"the model '{self.card.name}' made no valid function call, and one was demanded")
        remembered = "" if prompt.schema is not None else await asyncio.to_thread(recall, prompt.steps)
        return _said(remembered) if remembered else self._speak(prompt)

    async def _wanted(self, prompt: Prompt, *, must: bool = False) -> Sequence[Wanted]:
        request = prompt.steps[-1] if prompt.steps else None
        tools = _declared(prompt)
        if not tools or not isinstance(request, UserInput):
            return ()
        last = last_call(prompt.steps)
        # Milliseconds of pure reading, in which others want to be served.
        return await asyncio.to_thread(choose, text_of(request), tools, must=must, last=last)

    async def _call(self, prompt: Prompt, wanted: Sequence[Wanted]) -> AsyncGenerator[Fragment, None]:
        usage = Usage()
        calls: list[CallFragment] = []
        yield Taken()
        for one in wanted:
            draft = await asyncio.to_thread(draft_call, one)
            arguments = dict(draft.arguments)
            if draft.prompt is not None:
                text, cost = await self._ask(draft.prompt, prompt)
                usage = add_usage(usage, cost)
                finished = draft.finish(text)
                if finished is None:
                    continue
                arguments = finished
            calls.append(CallFragment(len(calls), None, one.tool.name, orjson.dumps(arguments).decode()))
        if not calls and prompt.tool_choice.mode == "any":
            raise NotComplied(f"the model '{self.card.name}' made no valid function call, and one was demanded")
        async with aclosing(_ended(calls, usage) if calls else _behind(self._speak(prompt), usage)) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _serve(self, prompt: Prompt, asked: Sequence[Asked]) -> AsyncGenerator[Fragment, None]:
        """Call tools of the server. Programs are written first."""
        usage = Usage()
        calls: list[CallFragment] = []
        yield Taken()
        for one in asked:
            arguments = one.arguments
            if arguments is None:
                code, cost = await self._write(one, prompt)
                usage = add_usage(usage, cost)
                arguments = {"code": code}
            if arguments.get("code") != "":
                calls.append(CallFragment(len(calls), None, one.tool.name, orjson.dumps(arguments).decode()))
        async with aclosing(_ended(calls, usage) if calls else self._without_program(prompt, usage)) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _without_program(self, prompt: Prompt, usage: Usage) -> AsyncGenerator[Fragment, None]:
        """What follows where the model wrote no further program: what came of those that ran, or that there is none."""
        if prompt.schema is not None:
            follow = self._form(prompt) if _was_served(prompt) else self._speak(prompt)
        elif prompt.tool_choice.mode == "any":
            raise NotComplied(f"the model '{self.card.name}' wrote no code, and a call was demanded")
        else:
            follow = _said(report(prompt.steps, prompt.served) or NO_PROGRAM)
        async with aclosing(_behind(follow, usage)) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _write(self, one: Asked, prompt: Prompt) -> tuple[str, Usage]:
        """The program that the model writes for a request: the first in which nothing is seen to be wrong, else the
        one with the least; and what it cost. Empty: it wrote none, or none that was not run already."""
        runs = runs_of(one.tool.name, prompt.steps)
        failed = [(code, error_of(result)) for code, result in runs]
        usage, best, least = Usage(), "", math.inf
        for draft in drafts(one.request, failed):
            text, cost = await self._ask(draft.prompt, prompt)
            usage = add_usage(usage, cost)
            code = draft.code(text)
            bad = badness(code, one.request)
            if code.strip() and bad < least and code not in [run for run, _ in failed]:
                best, least = code, bad
            if not least:
                break
        return best, usage

    async def _tell(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        answer = draft_answer(*pending(prompt.steps))
        text, usage = answer.text, Usage()
        yield Taken()
        if answer.prompt is not None:
            made, usage = await self._ask(answer.prompt, prompt)
            text = answer.finish(made)
        yield TextFragment(text)
        yield UsageFragment(usage)
        yield Finished("stop")

    async def _report(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        async for fragment in _said(await asyncio.to_thread(report, prompt.steps, prompt.served)):
            yield fragment

    async def _form(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """JSON by the client's schema, from what the tools told."""
        form = await asyncio.to_thread(form_from, replace(prompt, said=""), prompt.served)
        usage, text = Usage(), ""
        ends: list[Finished] = []
        async with aclosing(self._speaking.stream(form.prompt)) as fragments:
            async for fragment in fragments:
                match fragment:
                    case TextFragment(piece):
                        text += piece
                    case UsageFragment(cost):
                        usage = cost
                    case Finished():
                        ends.append(fragment)
                    case _:
                        yield fragment
        again = form.again(text) if [end.reason for end in ends] == ["stop"] else None
        if again is not None:
            made, cost = await self._ask(again, prompt)
            usage, text = add_usage(usage, cost), made if form.accepts(made) else text
        yield TextFragment(text)
        yield UsageFragment(usage)
        for end in ends:
            yield end

    async def _speak(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Words of the model's own: behind those that were said, if it can go on from there, else from the start."""
        said = prompt.said if can_go_on(self._speaking.card, prompt) else ""
        plain = replace(prompt, steps=spoken(prompt.steps), tools=(), served={}, said=said)
        async with aclosing(self._speaking.stream(plain)) as fragments:
            async for fragment in fragments:
                yield fragment
                if said and isinstance(fragment, Taken):
                    yield TextFragment(said)

    async def _made(self, calls: Sequence[CallFragment]) -> AsyncGenerator[Fragment, None]:
        yield Taken()
        async for fragment in _ended(calls, Usage()):
            yield fragment

    async def _ask(self, question: Prompt, prompt: Prompt) -> tuple[str, Usage]:
        """What the model makes of a question of ours, and what it cost."""
        text: list[str] = []
        usage = Usage()
        seed = question.generation.seed if prompt.generation.seed is None else prompt.generation.seed
        if question.generation.seed is not None and prompt.generation.seed is not None:
            seed = question.generation.seed + prompt.generation.seed
        asked = replace(question, generation=replace(question.generation, seed=seed))
        async with aclosing(self._filling.stream(asked)) as fragments:
            async for fragment in fragments:
                if isinstance(fragment, TextFragment):
                    text.append(fragment.text)
                elif isinstance(fragment, UsageFragment):
                    usage = add_usage(usage, fragment.usage)
        return "".join(text), usage


async def _ended(calls: Sequence[CallFragment], usage: Usage) -> AsyncGenerator[Fragment, None]:
    for call in calls:
        yield call
    yield UsageFragment(usage)
    yield Finished("calls")


async def _behind(following: AsyncGenerator[Fragment, None], usage: Usage) -> AsyncGenerator[Fragment, None]:
    """What follows after the model was asked for something that led to nothing, and what both cost."""
    async with aclosing(following) as fragments:
        async for fragment in fragments:
            if isinstance(fragment, UsageFragment):
                yield UsageFragment(add_usage(usage, fragment.usage))
            elif not isinstance(fragment, Taken):
                yield fragment


async def _said(text: str) -> AsyncGenerator[Fragment, None]:
    yield Taken()
    yield TextFragment(text)
    yield UsageFragment(Usage())
    yield Finished("stop")


def _declared(prompt: Prompt) -> Sequence[FunctionTool]:
    """The functions of which nothing is known but what their declarations say."""
    actions = action_tools(prompt.tools)
    return [tool for tool in prompt.tools if prompt.served.get(tool.name) not in KNOWN and tool.name not in actions]


def _was_served(prompt: Prompt) -> bool:
    """Whether tools of the server have told something since the user spoke last."""
    return any(result.name in prompt.served for _, result in results_of(prompt.steps))


def _is_reported(prompt: Prompt) -> bool:
    """Whether results are reported in their own sentences: those of tools that are known, and long ones of others
    but the client's functions."""
    not_functions = {*prompt.served, *action_tools(prompt.tools)}
    return any(
        prompt.served.get(result.name or "") in KNOWN
        or (result.name in not_functions and len(render_result(result)) > LONG)
        for _, result in results_of(prompt.steps)
    )


def _to_compute_again(prompt: Prompt) -> Asked | None:
    """The computation that has not worked yet, and may be tried again."""
    tool = known_tools(prompt).get("code_execution")
    runs = [] if tool is None else runs_of(tool.name, prompt.steps)
    if tool is None or not runs or len(runs) >= TRIES or any(worked(result) for _, result in runs):
        return None
    asked = [one for one in ask_tools(_before_results(prompt)) if one.kind == "code_execution"]
    return next((one for one in asked if one.arguments is None), None)


def _before_results(prompt: Prompt) -> Prompt:
    """The prompt as it was when the user had spoken."""
    last = max(index for index, step in enumerate(prompt.steps) if isinstance(step, UserInput))
    return replace(prompt, steps=prompt.steps[: last + 1])
