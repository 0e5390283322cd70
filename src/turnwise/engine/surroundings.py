"""What a turn needs from outside while it runs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from turnwise.domain.steps import Step
from turnwise.engine.delivery import Delivering
from turnwise.engine.thoughts import Secret
from turnwise.models.model import ModelCard
from turnwise.tools.tool import Toolbox


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a turn may go on: calling tools of the server, and altogether."""

    rounds: int = 64
    seconds: float = 1800.0
    tokens: int = 2_000_000
    budget: int | None = None
    """How many tokens a background interaction may cost in all, if there is a limit."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run needs from outside, passed in so that it can be replayed."""

    clock: Callable[[], datetime]
    seal: Callable[[Secret], str]
    """Makes the signature of a thought or a call."""
    opened: Callable[[Sequence[Step]], Sequence[Step]]
    """Opens signatures."""
    new_call_id: Callable[[], str]
    present: Callable[[Sequence[Step], ModelCard], Awaitable[Sequence[Step]]]
    """Shows media to a model."""
    delivering: Delivering
    """Where made media go."""
    toolbox: Toolbox
    owner: str = ""
    limits: Limits = field(default_factory=Limits)
    began: datetime | None = None
    """When the interaction was created, by whatever process. None: now."""
