"""A model that says what it was told to say: for tests, demos and examples. Never a default.

    model = ScriptedModel(say("Hello"), [Taken(), TextFragment("He"), ModelUnavailable("gone")])
    model = ScriptedModel(answer=lambda prompt: say(prompt_text(prompt).upper()))

A script is played exactly as it is written, one for each turn: fragments are given, an exception is raised, an
`asyncio.Event` is waited for. Nothing is added, so that a script can also do what a model must not.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import Usage
from turnwise.models.model import (
    Finished,
    Fragment,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)

Line: TypeAlias = Fragment | Exception | asyncio.Event
Script: TypeAlias = Iterable[Line]


def say(*texts: str, usage: Usage | None = None) -> list[Fragment]:
    """The script of a whole, ordinary answer, a fragment for each text."""
    cost = [UsageFragment(usage)] if usage is not None else []
    return [Taken(), *map(TextFragment, texts), *cost, Finished("stop")]


def behind(script: Script, said: str) -> Script:
    """What a script has behind a text that was said. Thoughts in front of that are not thought again."""
    for line in script:
        if said and isinstance(line, ThoughtFragment):
            continue
        if said and isinstance(line, TextFragment):
            both = min(len(said), len(line.text))
            if line.text[:both] != said[:both]:
                yield ModelFailed(f"the script says {line.text!r}, and not {said!r}")
            line, said = TextFragment(line.text[both:]), said[both:]
            if not line.text:
                continue
        yield line


class ScriptedModel:
    """Plays its scripts in order, then what `answer` makes of a prompt."""

    def __init__(
        self,
        *scripts: Script,
        answer: Callable[[Prompt], Script] | None = None,
        card: ModelCard | None = None,
        continues: bool = False,
    ) -> None:
        """`continues`: whether it can be asked for what its script says behind a text; by default as its card says."""
        card = card or ModelCard("scripted")
        self.card = replace(card, continues=True) if continues else card
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
        script = behind(self._next(prompt), prompt.said)
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
