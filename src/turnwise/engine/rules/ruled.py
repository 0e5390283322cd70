"""A model that calls functions, on top of one that has never heard of them.

Which functions a request asks for is read off the request (`choosing.py`); the model only fills in what the request
does not say plainly, bound to the function's schema, and words bare results (`calling.py`). Everything else, the model
answers as it would without tools, with earlier calls and results told in words.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import orjson

from turnwise.domain.errors import NotComplied
from turnwise.domain.interaction import Usage, add_usage
from turnwise.domain.steps import UserInput
from turnwise.engine.rules.calling import (
    draft_answer,
    draft_call,
    is_answered,
    last_call,
    pending,
    spoken,
    text_of,
)
from turnwise.engine.rules.choosing import Wanted, choose
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


class RuledCalls:
    """A model that calls functions. It asks two: the one that fills in, and the one that speaks, which may be the same
    with more of the engine's help."""

    def __init__(self, filling: Model, speaking: Model) -> None:
        self._filling = filling
        self._speaking = speaking
        self.card = replace(speaking.card, tools=True)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Call what the request asks for; say what results say; else speak.

        Raises:
            ModelFailed: a call is demanded, and none could be made that is valid.
        """
        if is_answered(prompt.steps) and prompt.schema is None:
            fragments = self._tell(prompt)
        elif wanted := await self._wanted(prompt):
            fragments = self._call(prompt, wanted)
        else:
            fragments = self._speak(prompt)
        async with aclosing(fragments):
            async for fragment in fragments:
                yield fragment

    async def _wanted(self, prompt: Prompt) -> Sequence[Wanted]:
        request = prompt.steps[-1] if prompt.steps else None
        if not prompt.tools or not isinstance(request, UserInput):
            return ()
        must, last = prompt.tool_choice.mode == "any", last_call(prompt.steps)
        # Milliseconds of pure reading, in which others want to be served.
        return await asyncio.to_thread(choose, text_of(request), prompt.tools, must=must, last=last)

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
        for call in calls:
            yield call
        if calls:
            yield UsageFragment(usage)
            yield Finished("calls")
            return
        async with aclosing(self._speak(prompt)) as fragments:
            async for fragment in fragments:
                if isinstance(fragment, UsageFragment):
                    yield UsageFragment(add_usage(usage, fragment.usage))
                elif not isinstance(fragment, Taken):
                    yield fragment

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

    async def _speak(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        plain = replace(prompt, steps=spoken(prompt.steps), tools=())
        async with aclosing(self._speaking.stream(plain)) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _ask(self, question: Prompt, prompt: Prompt) -> tuple[str, Usage]:
        """What the model makes of a question of ours, and what it cost."""
        text: list[str] = []
        usage = Usage()
        asked = replace(question, generation=replace(question.generation, seed=prompt.generation.seed))
        async with aclosing(self._filling.stream(asked)) as fragments:
            async for fragment in fragments:
                if isinstance(fragment, TextFragment):
                    text.append(fragment.text)
                elif isinstance(fragment, UsageFragment):
                    usage = add_usage(usage, fragment.usage)
        return "".join(text), usage
