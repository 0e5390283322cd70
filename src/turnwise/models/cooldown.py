"""A model that could not answer is left in peace for a while, so that not every turn has to find out anew.

    with cooldown.attempt() as attempt:
        ...                            # ask
        attempt.succeeded()            # or attempt.failed(error); neither says nothing about the model

A failure begins a rest: a few seconds, twice as long each time up to a minute, or as long as the model itself asks for.
When it is over, one turn at a time tries whether the model is back, and the others go on without it. A success ends it
all. Turns that were under way when a rest began do not lengthen it: what they suffer from is the same failure.

Nothing here waits, and nobody is kept from asking all the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from turnwise.domain.errors import ModelUnavailable, RateLimited, TurnwiseError

SHORTEST = 4.0
"""The first rest, in seconds."""

LONGEST = 60.0
"""The longest rest that we decide on, in seconds."""

LONGEST_ASKED_FOR = 3600.0
"""The longest rest that a model is granted, in seconds."""


class Cooldown:
    """The rest of one model. Everyone who asks it shares it."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` tells seconds, from any beginning."""
        self._clock = clock
        self._rest = SHORTEST
        """How long the next one will be, in seconds, if the model does not say."""
        self._failures = 0
        """How many in a row."""
        self._error: TurnwiseError | None = None
        """The last of them. None: the model answers, as far as is known."""
        self._until = 0.0
        self._probe: Attempt | None = None
        """The attempt that tries whether the model is back."""

    @property
    def over_at(self) -> float:
        """When the rest is over, by the clock."""
        return self._until

    @property
    def is_over(self) -> bool:
        """Whether this is a moment to ask."""
        return self._error is None or (self._probe is None and self._clock() >= self._until)

    @contextmanager
    def attempt(self) -> "Iterator[Attempt]":
        """Ask, and tell what came of it."""
        attempt = Attempt(self, self._failures)
        if self._error is not None and self.is_over:
            self._probe = attempt
        try:
            yield attempt
        finally:
            if self._probe is attempt:
                self._probe = None

    def refusal(self, name: str) -> TurnwiseError | None:
        """What to say of a model that was not asked, with what it last said. None: it does not rest."""
        if self._error is None:
            return None
        message = f"the model {name!r} could not answer a moment ago: {self._error.message}"
        if isinstance(self._error, RateLimited):
            return RateLimited(message, retry_after=max(self._until - self._clock(), 0.0))
        return ModelUnavailable(message)

    def _succeeded(self) -> None:
        self._rest, self._failures, self._error = SHORTEST, 0, None

    def _failed(self, error: TurnwiseError, failures: int) -> None:
        if failures != self._failures:
            return
        rest = self._rest
        if isinstance(error, RateLimited) and error.retry_after is not None:
            rest = min(LONGEST_ASKED_FOR, error.retry_after)
        self._until = self._clock() + rest
        self._rest = min(2 * self._rest, LONGEST)
        self._failures, self._error = failures + 1, error


@dataclass(slots=True, eq=False)
class Attempt:
    """One turn that asks."""

    _cooldown: Cooldown
    _failures: int
    """How many there had been when it began."""

    def succeeded(self) -> None:
        """The model answers."""
        self._cooldown._succeeded()

    def failed(self, error: TurnwiseError) -> None:
        """The model could not answer."""
        self._cooldown._failed(error, self._failures)
