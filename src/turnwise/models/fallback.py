"""A model and those that are asked in its place, in order, when it cannot answer.

    Fallback([InManner("qwen", ...), InManner("local", ...)])

The next one is asked when one cannot be reached, is busy, answers too late or breaks off, and nothing of its answer was
shown; with the same prompt, and with the help that it needs. What is wrong with the prompt itself, or with an answer
that came, is no reason. The log says who was asked in whose place and why. If none can answer, what the first one said
is the reason: it is the one that the client asked for.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from turnwise.domain.errors import ModelTimeout, ModelUnavailable, RateLimited, TurnwiseError
from turnwise.models.manner import InManner
from turnwise.models.model import Fragment, ModelCard, Prompt, Taken

log = logging.getLogger(__name__)

CANNOT = (ModelUnavailable, ModelTimeout, RateLimited)
"""What another model need not suffer from."""


class Fallback:
    """The first of several models that can answer."""

    def __init__(self, models: Sequence[InManner]) -> None:
        self._models = models

    @property
    def own_card(self) -> ModelCard:
        """That of the first: what the others can do is no promise."""
        return self._models[0].own_card

    @property
    def card(self) -> ModelCard:
        return self._models[0].card

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        first = self._models[0]
        taken = False
        reason: TurnwiseError | None = None
        for model in self._models:
            if reason is not None:
                log.warning("asking %r in place of %r", model.name, first.name)
            shown = False
            try:
                async with aclosing(model.stream(prompt)) as fragments:
                    async for fragment in fragments:
                        if isinstance(fragment, Taken):
                            if taken:
                                continue
                            taken = True
                        else:
                            shown = True
                        yield fragment
                return
            except TurnwiseError as error:
                if shown or (model is first and not isinstance(error, CANNOT)):
                    raise
                log.warning("the model %r cannot answer: %s", model.name, error)
                reason = reason or error
        assert reason is not None
        raise reason
