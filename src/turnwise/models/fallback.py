"""A model and those that are asked in its place, in order, when it cannot answer.

    Fallback([Member(InManner("qwen", ...), cooldown), Member(InManner("local", ...), another)])

The next one is asked when one cannot be reached, is busy, answers too late or breaks off, and nothing of its answer was
shown; with the same prompt, and with the help that it needs. What is wrong with the prompt itself, or with an answer
that came, is no reason; but an answer that was begun may be another's, so whoever can goes on with it. One that could
not answer is not asked again for a while (`cooldown.py`); if all of them rest, the one whose rest is over first is
asked all the same. The log says who was asked in whose place and why. If none can answer, what the first one said is
the reason: it is the one that the client asked for.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from turnwise.domain.errors import ModelFailed, ModelTimeout, ModelUnavailable, RateLimited, TurnwiseError
from turnwise.models.cooldown import Cooldown
from turnwise.models.manner import InManner
from turnwise.models.model import Fragment, ModelCard, Prompt, Taken

log = logging.getLogger(__name__)

CANNOT = (ModelUnavailable, ModelTimeout, RateLimited)
"""What another model need not suffer from."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One of several models, and the rest that it may need."""

    model: InManner
    cooldown: Cooldown


class Fallback:
    """The first of several models that can answer."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members

    @property
    def own_card(self) -> ModelCard:
        """That of the first: what the others can do is no promise."""
        return self._members[0].model.own_card

    @property
    def card(self) -> ModelCard:
        return self._members[0].model.card

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        first = self._members[0]
        taken = False
        asked: list[Member] = []
        elsewhere = (*CANNOT, ModelFailed) if prompt.said else CANNOT
        reason: TurnwiseError | None = first.cooldown.refusal(first.model.name)
        while (member := self._next(asked)) is not None:
            if member is not first:
                log.warning("asking %r in place of %r", member.model.name, first.model.name)
            asked.append(member)
            shown = False
            with member.cooldown.attempt() as attempt:
                try:
                    async with aclosing(member.model.stream(prompt)) as fragments:
                        async for fragment in fragments:
                            if isinstance(fragment, Taken):
                                if taken:
                                    continue
                                taken = True
                            elif not shown:
                                shown = True
                                attempt.succeeded()
                            yield fragment
                    return
                except TurnwiseError as error:
                    if shown or (member is first and not isinstance(error, elsewhere)):
                        raise
                    if isinstance(error, CANNOT):
                        attempt.failed(error)
                    log.warning("the model %r cannot answer: %s", member.model.name, error)
                    if member is first or reason is None:
                        reason = error
        assert reason is not None
        raise reason

    def _next(self, asked: Sequence[Member]) -> Member | None:
        """Who is asked now: the first that does not rest. Somebody always is."""
        ready = (member for member in self._members if member not in asked and member.cooldown.is_over)
        soonest = None if asked else min(self._members, key=lambda member: member.cooldown.over_at)
        return next(ready, soonest)
