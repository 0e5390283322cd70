"""Going on with an answer that was half-written when its carrier died, whichever model it is.

A model whose card says so goes on from the text by itself. Any other answers again from the start, unseen: what was
shown already is compared, and only what comes behind it is passed on. Where it says something else, nobody can finish
what was begun, and the turn fails; what was shown stands as it is.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from turnwise.domain.errors import ModelFailed
from turnwise.domain.steps import Step, Thought
from turnwise.models.model import (
    Finished,
    Fragment,
    Model,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)

INTERRUPTED = "the answer was interrupted, and the model '{model}' did not say the same again; ask again"


class Again:
    """A model that goes on with an answer by giving it again, on top of one that cannot go on from the middle."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.card = replace(model.card, continues=True)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """What the whole answer has behind what was said.

        Raises:
            ModelFailed: it says something else.
        """
        whole = self._model.stream(replace(prompt, said=""))
        async with aclosing(rest_of(whole, prompt.said, self.card.name)) as fragments:
            async for fragment in fragments:
                yield fragment


class Begun:
    """A model whose answer began with thoughts. Rules, which it stands below, look at the conversation without them."""

    def __init__(self, model: Model, thoughts: Sequence[Step]) -> None:
        self._model = model
        self._thoughts = tuple(thoughts)
        self.card = model.card

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt with the thoughts behind it."""
        asked = replace(prompt, steps=(*prompt.steps, *self._thoughts))
        async with aclosing(self._model.stream(asked)) as fragments:
            async for fragment in fragments:
                yield fragment


def can_go_on(card: ModelCard, prompt: Prompt) -> bool:
    """Whether a model can be asked for what comes behind the text that was said. A schema, and a call that is demanded,
    bind a whole answer, and not the rest of one."""
    return card.continues and prompt.schema is None and prompt.tool_choice.mode != "any"


def without_thoughts(steps: Sequence[Step]) -> tuple[Step, ...]:
    """A conversation without the thoughts that an answer to it began with."""
    return tuple(steps[: len(steps) - len(begun(steps))])


def begun(steps: Sequence[Step]) -> Sequence[Step]:
    """The thoughts that an answer began with: those at the very end, since a finished answer has more than thoughts."""
    count = 0
    while count < len(steps) and isinstance(steps[-1 - count], Thought):
        count += 1
    return steps[len(steps) - count :]


async def rest_of(answer: AsyncGenerator[Fragment, None], said: str, model: str) -> AsyncGenerator[Fragment, None]:
    """What of a whole answer comes behind what was said. Its cost is that of the whole.

    Raises:
        ModelFailed: the answer does not begin with what was said.
    """
    left = said
    async with aclosing(answer) as fragments:
        async for fragment in fragments:
            if not left:
                yield fragment
                continue
            match fragment:
                case TextFragment(text):
                    both = min(len(text), len(left))
                    if text[:both] != left[:both]:
                        raise ModelFailed(INTERRUPTED.format(model=model))
                    left = left[both:]
                    if len(text) > both:
                        yield TextFragment(text[both:])
                case ThoughtFragment():
                    pass  # it was shown the first time, as far as it was
                case Taken() | UsageFragment() | Finished("length" | "refusal"):
                    yield fragment
                case _:
                    raise ModelFailed(INTERRUPTED.format(model=model))
