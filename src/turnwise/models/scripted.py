"""A model that says what it was told to say: for tests, demos and examples. Never a default.

    model = ScriptedModel(say("Hello"), [Taken(), TextFragment("He"), ModelUnavailable("gone")])
    model = ScriptedModel(answer=lambda prompt: say(prompt_text(prompt).upper()))

A script is played exactly as it is written, one for each turn: fragments are given, an exception is raised, an
`asyncio.Event` is waited for. Nothing is added, so that a script can also do what a model must not.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TypeAlias

from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import Usage
from turnwise.models.model import Finished, Fragment, ModelCard, Prompt, Taken, TextFragment, UsageFragment

Line: TypeAlias = Fragment | Exception | asyncio.Event
Script: TypeAlias = Iterable[Line]


def say(*texts: str, usage: Usage | None = None) -> list[Fragment]:
    """The script of a whole, ordinary answer, a fragment for each text."""
    cost = [UsageFragment(usage)] if usage is not None else []
    return [Taken(), *map(TextFragment, texts), *cost, Finished("stop")]


class ScriptedModel:
    """Plays its scripts in order, then what `answer` makes of a prompt."""

    def __init__(
        self,
        *scripts: Script,
        answer: Callable[[Prompt], Script] | None = None,
        card: ModelCard | None = None,
    ) -> None:
        self.card = card or ModelCard("scripted")
        self.prompts: list[Prompt] = []
        """What it was asked, oldest first."""
        self.left_early = 0
        """How many turns were left before their script ended."""
        self.closes = 0
        """How often the model itself was closed."""
        self._scripts = deque(scripts)
        self._answer = answer

    def add(self, *scripts: Script) -> None:
        """Queue scripts for later turns."""
        self._scripts.extend(scripts)

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        self.closes += 1

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Play the next script."""
        self.prompts.append(prompt)
        script = self._next(prompt)
        ended = False
        try:
            for line in script:
                if isinstance(line, asyncio.Event):
                    await line.wait()
                elif isinstance(line, Exception):
                    ended = True
                    raise line
                else:
                    ended = isinstance(line, Finished)
                    yield line
            ended = True
        finally:
            self.left_early += not ended

    def _next(self, prompt: Prompt) -> Script:
        if self._scripts:
            return self._scripts.popleft()
        if self._answer is not None:
            return self._answer(prompt)
        raise ModelFailed("the scripted model has no script left")
