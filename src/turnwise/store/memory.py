"""The store in memory: for tests, and for whoever wants nothing kept.

It keeps the same promises as every other store, but for the one about being killed. Tests of your own may
use it:

    store = MemoryStore()
    await store.create(interaction)
    assert await store.load(interaction.id, interaction.owner) == interaction
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from turnwise.domain.events import Event
from turnwise.domain.interaction import Interaction, Status
from turnwise.store.errors import AlreadyKept, StoreClosed
from turnwise.store.store import Batch, Key, Link, link_of


class MemoryStore:
    """See `store.py` for what its methods promise. No method waits, so each is one transaction."""

    def __init__(self) -> None:
        self._interactions: dict[str, Interaction] = {}
        self._events: dict[str, dict[int, Event]] = {}
        self._keys: dict[str, Key] = {}
        self._closed = False

    # -- interactions

    async def create(self, interaction: Interaction, batch: Batch | None = None) -> None:
        self._require_open()
        if interaction.id in self._interactions:
            raise AlreadyKept(interaction.id)
        self._interactions[interaction.id] = interaction
        self._events[interaction.id] = {}
        self._keep(batch)

    async def append(self, batches: Sequence[Batch]) -> None:
        self._require_open()
        for batch in batches:
            self._keep(batch)

    async def finish(self, interaction: Interaction, batch: Batch | None = None) -> bool:
        self._require_open()
        kept = self._interactions.get(interaction.id)
        if kept is None or kept.status is not Status.IN_PROGRESS:
            return False
        self._interactions[interaction.id] = replace(
            kept,
            status=interaction.status,
            updated=interaction.updated,
            steps=interaction.steps,
            usage=interaction.usage,
            failure=interaction.failure,
        )
        self._keep(batch)
        return True

    async def load(self, id: str, owner: str) -> Interaction | None:
        self._require_open()
        return self._find(id, owner)

    async def chain(self, id: str, owner: str) -> Sequence[Link]:
        self._require_open()
        line = []
        member = self._find(id, owner)
        while member is not None:
            line.append(member)
            before = member.turn.previous_interaction_id
            member = None if before is None else self._find(before, owner)
        return [link_of(member) for member in reversed(line)]

    async def events(self, id: str, after: int) -> Sequence[tuple[int, Event]]:
        self._require_open()
        kept = self._events.get(id, {})
        return [(position, kept[position]) for position in sorted(kept) if position > after]

    async def delete(self, id: str, owner: str) -> bool:
        self._require_open()
        if self._find(id, owner) is None:
            return False
        del self._interactions[id], self._events[id]
        return True

    async def unfinished(self) -> Sequence[Interaction]:
        self._require_open()
        return [kept for kept in self._interactions.values() if kept.status is Status.IN_PROGRESS]

    # -- keys

    async def add_key(self, key: Key) -> None:
        self._require_open()
        if key.id in self._keys:
            raise AlreadyKept(key.id)
        self._keys[key.id] = key

    async def keys(self) -> Sequence[Key]:
        self._require_open()
        return sorted(self._keys.values(), key=lambda key: (key.created, key.id))

    async def revoke_key(self, id: str, at: datetime) -> bool:
        self._require_open()
        key = self._keys.get(id)
        if key is None or key.revoked is not None:
            return False
        self._keys[id] = replace(key, revoked=at)
        return True

    async def close(self) -> None:
        self._closed = True

    # -- what they share

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed

    def _find(self, id: str, owner: str) -> Interaction | None:
        kept = self._interactions.get(id)
        return kept if kept is not None and kept.owner == owner else None

    def _keep(self, batch: Batch | None) -> None:
        if batch is None or batch.id not in self._events:
            return
        events = self._events[batch.id]
        for position, event in enumerate(batch.events, batch.first):
            events.setdefault(position, event)
