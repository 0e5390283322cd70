"""Where an answer that was begun is gone on with: the text that comes joins the text that was said without a seam.

A model that is given the beginning of its own answer goes on from there badly if it ends inside of a word: it reads
"Four pla" as other tokens than those of "Four planets", and says "plaenauts". And some backends take a blank away where
the text begins that they are given, or that they give. So a model is given what was said up to its last word, and says
that word again, which nobody is shown. If it says another word, it is asked once more, from behind the last letter.

A stop sequence that lies across the seam is found here: a backend looks for it in what comes only.
"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeAlias

from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import Usage, add_usage
from turnwise.models.model import (
    Finished,
    Fragment,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)

Ask: TypeAlias = Callable[[str], AsyncGenerator[Fragment, None]]
"""Asks a model for what comes behind a text."""

WORD = 48
"""How many letters a last word has at the most: in what has no blanks at all there is no better place than the end."""

_LAST_WORD = re.compile(rf"\s+\S{{0,{WORD}}}\Z")

SILENT = "the model '{model}' was to go on with its answer, and only thought about it"


class _Apart(Exception):
    """The model says something else than what was said."""


async def joined(prompt: Prompt, ask: Ask, model: str) -> AsyncGenerator[Fragment, None]:
    """What a model says behind `prompt.said`.

    Raises:
        ModelFailed: it only thinks.
    """
    cost: Usage | None = None
    is_taken = False
    for given, again in _tries(prompt.said):
        try:
            async with aclosing(_seamless(ask(given), _Seam(prompt, again, model))) as fragments:
                async for fragment in fragments:
                    match fragment:
                        case Taken() if is_taken:
                            pass
                        case UsageFragment(usage):
                            cost = usage if cost is None else add_usage(cost, usage)
                            yield UsageFragment(cost)
                        case _:
                            is_taken = True
                            yield fragment
            return
        except _Apart:
            continue


async def _seamless(answer: AsyncGenerator[Fragment, None], seam: "_Seam") -> AsyncGenerator[Fragment, None]:
    """What of an answer is shown. Thoughts that it has in front nobody can use any more."""
    async with aclosing(answer) as fragments:
        async for fragment in fragments:
            match fragment:
                case Taken() | UsageFragment():
                    yield fragment
                case ThoughtFragment() if not seam.has_begun:
                    seam.has_thought = True
                case TextFragment(text):
                    if shown := seam.add(text):
                        yield TextFragment(shown)
                    if seam.is_stopped:
                        yield Finished("stop")
                        return
                case _:
                    if shown := seam.end(fragment):
                        yield TextFragment(shown)
                    yield fragment


def _tries(said: str) -> list[tuple[str, str]]:
    """What a model is given of what was said, and what of it it is to say again, try by try. The last one cannot miss:
    there are no more than blanks in it."""
    first = split(said)
    last = said.rstrip()
    return [first] if first[0] == last else [first, (last, said[len(last) :])]


def split(said: str) -> tuple[str, str]:
    """What was said, in front of its last word, and that word with the blanks before it."""
    found = _LAST_WORD.search(said)
    if found is not None:
        return said[: found.start()], found[0]
    return ("", said) if len(said) <= WORD else (said, "")


class _Seam:
    """What comes behind a text, letter by letter."""

    def __init__(self, prompt: Prompt, again: str, model: str) -> None:
        """`again`: what is to come first, and is not shown."""
        self.is_stopped = False
        """Whether a stop sequence was met that began in what was said."""
        self.has_thought = False
        """Whether the model thought before it said anything."""
        self._again = again
        self._model = model
        self._came = False
        """Whether there was anything but thoughts."""
        self._is_open = not again
        """Whether all that was to come again did."""
        self._held = ""
        """What came, and is not shown yet."""
        self._stops = prompt.generation.stop_sequences
        self._rests = [
            stop[size:] for stop in self._stops for size in range(1, len(stop)) if prompt.said.endswith(stop[:size])
        ]
        """What is left of stop sequences that may have begun."""

    @property
    def has_begun(self) -> bool:
        """Whether something new has come."""
        return self._came and self._is_open

    def add(self, text: str) -> str:
        """What is shown of a text that comes.

        Raises:
            _Apart: it is not what was said.
        """
        self._came = True
        self._held += text
        if not self._is_open:
            self._open()
        return self._shown() if self._is_open else ""

    def end(self, fragment: Fragment) -> str:
        """What is still shown when something else comes: a call, or the end.

        Raises:
            _Apart: what was said did not come.
            ModelFailed: nothing but thoughts came.
        """
        if not self._is_open and self._again.strip() and not self._ends_there(fragment):
            raise _Apart
        self._came |= not isinstance(fragment, Finished)
        if self.has_thought and not self._came:
            raise ModelFailed(SILENT.format(model=self._model))
        rest = self._held if self._is_open else ""
        self._held, self._rests, self._is_open = "", [], True
        return rest

    def _open(self) -> None:
        """Take away what was to come, if all of it is there. How many blanks stand before it is left to the backend."""
        again, held = self._again, self._held
        if again[:1].isspace() and not held.startswith(again):
            again, held = again.lstrip(), held.lstrip()
            if not held:
                return
        if held.startswith(again):
            self._is_open, self._held = True, held[len(again) :]
        elif not again.startswith(held):
            raise _Apart

    def _shown(self) -> str:
        """What is held, unless it may be the rest of a stop sequence."""
        if any(self._held.startswith(rest) for rest in self._rests):
            self.is_stopped, self._held = True, ""
        self._rests = [rest for rest in self._rests if rest.startswith(self._held)]
        if self._rests:
            return ""
        shown, self._held = self._held, ""
        return shown

    def _ends_there(self, fragment: Fragment) -> bool:
        """Whether an answer ends before all of what was said came, and rightly so: at the limit, or because a stop
        sequence begins there, which was shown in part."""
        if not isinstance(fragment, Finished):
            return False
        if fragment.reason in ("length", "refusal"):
            return True
        left = self._again.lstrip()[len(self._held.lstrip()) :]
        return fragment.reason == "stop" and any(stop.startswith(left) for stop in self._stops)


async def without_echo(answer: AsyncGenerator[Fragment, None], given: str) -> AsyncGenerator[Fragment, None]:
    """An answer without the text that the model was given, which some backends give back in front of it."""
    held = ""
    is_over = not given
    async with aclosing(answer) as fragments:
        async for fragment in fragments:
            if is_over or isinstance(fragment, Taken | UsageFragment):
                yield fragment
                continue
            if isinstance(fragment, TextFragment):
                held += fragment.text
                if given.startswith(held) and held != given:
                    continue
            is_over = True
            if held := held.removeprefix(given):
                yield TextFragment(held)
            if not isinstance(fragment, TextFragment):
                yield fragment
