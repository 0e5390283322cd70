"""The contract of a store: interactions, the journal of their events, and keys.

Three rules hold for every store, and `tests/contract` tries them on each:

- A method that writes returns when what it wrote survives the process being killed; `create` and `finish` also
  survive the machine losing power.
- One call is one transaction: all of it is seen, or nothing.
- An interaction ends once. Of two callers of `finish`, exactly one is told True.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from turnwise.domain.events import Event
from turnwise.domain.interaction import Interaction, Status
from turnwise.domain.steps import Step


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one interaction. `first` is the position of the first one, counted from 1."""

    id: str
    first: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is kept: never the key itself."""

    id: str
    owner: str
    name: str
    hash: bytes
    """SHA-256 of the key."""
    prefix: str
    """The first characters of the key, so that a person can tell keys apart."""
    created: datetime
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """An interaction as a member of a chain: what travels along it, and whether it may be continued. No more, since a
    chain is as long as its conversation."""

    id: str
    previous_interaction_id: str | None
    status: Status
    input: tuple[Step, ...]
    steps: tuple[Step, ...]


def link_of(interaction: Interaction) -> Link:
    """What a chain has of an interaction."""
    turn = interaction.turn
    return Link(interaction.id, turn.previous_interaction_id, interaction.status, turn.input, interaction.steps)


class InteractionStore(Protocol):
    """Interactions and the journal of their events.

    `owner` is part of every look-up: a stranger's id and an unknown one are the same None.
    """

    async def create(self, interaction: Interaction, batch: Batch | None = None) -> None:
        """Keep a new interaction, ended or not, with its first events. An id that is in use is an error."""

    async def append(self, batches: Sequence[Batch]) -> None:
        """Keep more events, of any number of interactions, in one go. Appending the same batch again changes nothing.
        Events of an interaction that is not there (any more) are not kept."""

    async def finish(self, interaction: Interaction, batch: Batch | None = None) -> bool:
        """Keep the end of an interaction that was in progress, with its last events. False: it had already ended, or
        was deleted, and nothing was written."""

    async def load(self, id: str, owner: str) -> Interaction | None:
        """One interaction."""

    async def chain(self, id: str, owner: str) -> Sequence[Link]:
        """The interaction and all that it continues, oldest first. Where an ancestor is gone the chain starts after it:
        its first member then still names a `previous_interaction_id`."""

    async def events(self, id: str, after: int) -> Sequence[tuple[int, Event]]:
        """The events behind a position, in order. Empty when none were kept (then `replay` tells them)."""

    async def delete(self, id: str, owner: str) -> bool:
        """Remove an interaction and its events for good. False: there was none."""

    async def unfinished(self) -> Sequence[Interaction]:
        """Every interaction in progress: after a start, those that the last process left behind."""


class KeyStore(Protocol):
    """API keys."""

    async def add_key(self, key: Key) -> None:
        """Keep a new key."""

    async def keys(self) -> Sequence[Key]:
        """All keys, revoked ones too, oldest first."""

    async def revoke_key(self, id: str, at: datetime) -> bool:
        """Revoke a key. False: there is none with this id, or it was revoked before."""


class Store(InteractionStore, KeyStore, Protocol):
    """All of it, as `app.py` opens and closes it."""

    async def close(self) -> None:
        """Finish what was begun and let go of the files."""
