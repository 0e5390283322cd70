"""How things look outside: what clients send and read, in both dialects. Pure functions, no I/O.

`request.py` and `input.py` read what a client sends, in any form that any client generation has (the forms mix freely,
so there is one reader). `outputs/` and `steps/` write what a client reads, each in its own way; `dialect.py` tells
which. A new revision of the API is a new folder, and one line in `DIALECTS`.
"""

from collections.abc import Mapping
from typing import Protocol

from turnwise.domain.content import JSON
from turnwise.domain.events import Event
from turnwise.domain.interaction import DialectName, Interaction
from turnwise.wire import outputs, steps
from turnwise.wire.common import Frame


class Dialect(Protocol):
    """What a dialect's folder offers."""

    def render_interaction(
        self, interaction: Interaction, *, timeline: bool = False, include_input: bool = False
    ) -> dict[str, JSON]:
        """An interaction as this dialect's clients read it."""

    def render_event(self, event: Event, position: int, interaction: Interaction) -> Frame | None:
        """An event as this dialect's clients read it, or None when they have no such thing."""


DIALECTS: Mapping[DialectName, Dialect] = {"outputs": outputs, "steps": steps}
