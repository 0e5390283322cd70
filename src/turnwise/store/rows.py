"""Rows: how an interaction and a key lie in the columns of a table.

The columns are the same in every SQL store, and so is this file. What is looked up has a column of its own;
the rest is JSON as text (see `codec.py`), which a person can read and query with the database's own shell.
Times are RFC 3339 in UTC with microseconds, so that they sort as text.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from turnwise.domain.interaction import Interaction, Status, Turn
from turnwise.store.codec import (
    decode_failure,
    decode_settings,
    decode_steps,
    decode_usage,
    encode_events,
    encode_part,
    encode_settings,
    encode_steps,
)
from turnwise.store.store import Batch, Key, Link

Row: TypeAlias = tuple[Any, ...]

INTERACTION = (
    "id, owner, previous_id, status, model, agent, dialect, created, updated, input, steps, settings, usage, failure"
)
"""The columns of `interactions`, in the order in which `interaction_row` and `read_interaction` have them."""

LINK = "id, previous_id, status, input, steps"
"""Those of them that `read_link` has."""

KEY = "id, owner, name, hash, prefix, created, revoked"
"""The columns of `keys`, likewise."""


def interaction_row(interaction: Interaction) -> Row:
    """A whole interaction, for INSERT."""
    turn = interaction.turn
    return (
        interaction.id,
        interaction.owner,
        turn.previous_interaction_id,
        interaction.status.value,
        turn.model,
        turn.agent,
        interaction.dialect,
        write_time(interaction.created),
        write_time(interaction.updated),
        encode_steps(turn.input).decode(),
        encode_steps(interaction.steps).decode(),
        encode_settings(turn).decode(),
        _text(encode_part(interaction.usage)),
        _text(encode_part(interaction.failure)),
    )


def outcome_row(interaction: Interaction) -> Row:
    """What an end adds to an interaction, for UPDATE: status, updated, steps, usage, failure; then its id."""
    return (
        interaction.status.value,
        write_time(interaction.updated),
        encode_steps(interaction.steps).decode(),
        _text(encode_part(interaction.usage)),
        _text(encode_part(interaction.failure)),
        interaction.id,
    )


def read_interaction(row: Sequence[Any]) -> Interaction:
    """What `interaction_row` wrote."""
    id, owner, previous_id, status, model, agent, dialect, created, updated, *documents = row
    asked, steps, settings, usage, failure = documents
    turn = Turn(
        input=decode_steps(asked),
        model=model,
        agent=agent,
        previous_interaction_id=previous_id,
        **decode_settings(settings),
    )
    return Interaction(
        id,
        owner,
        turn,
        datetime.fromisoformat(created),
        datetime.fromisoformat(updated),
        Status(status),
        decode_steps(steps),
        decode_usage(usage),
        decode_failure(failure),
        dialect,
    )


def read_link(row: Sequence[Any]) -> Link:
    """The part of what `interaction_row` wrote that travels along a chain."""
    id, previous_id, status, asked, steps = row
    return Link(id, previous_id, Status(status), decode_steps(asked), decode_steps(steps))


def event_rows(batches: Sequence[Batch]) -> list[Row]:
    """Batches as rows of `events`: id, position of the first, how many, packed. An empty batch is no row."""
    return [
        (batch.id, batch.first, len(batch.events), encode_events(batch.events)) for batch in batches if batch.events
    ]


def key_row(key: Key) -> Row:
    """A key, for INSERT."""
    revoked = None if key.revoked is None else write_time(key.revoked)
    return (key.id, key.owner, key.name, key.hash, key.prefix, write_time(key.created), revoked)


def read_key(row: Row) -> Key:
    """What `key_row` wrote."""
    id, owner, name, hash, prefix, created, revoked = row
    ended = None if revoked is None else datetime.fromisoformat(revoked)
    return Key(id, owner, name, bytes(hash), prefix, datetime.fromisoformat(created), ended)


def write_time(at: datetime) -> str:
    """A time as a column holds it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()
