"""Runs in SQLite: who carries which, and that nobody else can add to it or end it.

Each function works on a connection, within a transaction of its caller's; `append` may do without one. A lease runs out
by this machine's clock.
"""

import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from turnwise.domain.events import Event
from turnwise.domain.interaction import Interaction
from turnwise.store import statements as sql
from turnwise.store.codec import unpack
from turnwise.store.rows import Row, read_interaction, write_time
from turnwise.store.store import Lease, NewRun, Run

MOST_ROWS = 1024
"""How many rows of events one statement keeps at the most."""


@dataclass(frozen=True, slots=True)
class Given:
    """Runs that a carrier was given."""

    runs: Sequence[Run] = ()
    taken: frozenset[str] = frozenset()
    """Those that another one had."""


def begin(connection: sqlite3.Connection, interaction: Interaction, run: NewRun) -> None:
    """Keep the run of a new interaction."""
    carrier, attempt, until = (None, 0, None) if run.lease is None else (run.lease.carrier, 1, _until(run.lease))
    created = write_time(interaction.created)
    connection.execute(sql.CREATE_RUN, (interaction.id, created, carrier, attempt, until, run.baggage))


def append(connection: sqlite3.Connection, events: Sequence[Row], runs: Sequence[tuple[str, int]]) -> set[str]:
    """Keep events of these runs, which are ids with attempts. Returns the ids of those that are not what they were."""
    parts = [events[first : first + MOST_ROWS] for first in range(0, len(events), MOST_ROWS)]
    if sum(_append(connection, part) for part in parts) == len(runs):
        return set()
    # Some are refused, or are kept already.
    return {run[0] for run in runs if not connection.execute(sql.IS_CURRENT, run).fetchall()}


@cache
def append_fenced(rows: int) -> str:
    """The statement that keeps so many rows of events, each only while the run is the same attempt's."""
    # ROLLBACK: no transaction goes on behind a statement that failed. Else SQLite would keep each page as it was before
    # the statement, which is a third of the work. FAIL would be as quick, but commits the rows before the one that
    # failed where the statement is a transaction by itself.
    values = ", ".join(["(?, ?, ?, ?, ?)"] * rows)
    return f"""
INSERT OR ROLLBACK INTO events (id, seq, n, data) SELECT column1, column2, column3, column4 FROM (VALUES {values})
WHERE EXISTS (SELECT 1 FROM runs WHERE id = column1 AND attempt = column5) ON CONFLICT DO NOTHING
"""


def _append(connection: sqlite3.Connection, events: Sequence[Row]) -> int:
    """Keep events by one statement, and return how many rows of them were new. The event loop goes on while a statement
    is worked on; with one for each row it would be asked to wait at each."""
    rows = 1 << (len(events) - 1).bit_length()  # so there are few statements to prepare
    no_runs = [(None,) * 5] * (rows - len(events))
    return connection.execute(
        append_fenced(rows), [*chain.from_iterable(events), *chain.from_iterable(no_runs)]
    ).rowcount


def end(connection: sqlite3.Connection, id: str, attempt: int) -> bytes | None:
    """Remove a run, and return its baggage. None: it has ended, was deleted, or is another attempt's."""
    removed = connection.execute(sql.END_RUN, (id, attempt)).fetchall()
    return removed[0][0] if removed else None


def delete(connection: sqlite3.Connection, id: str) -> bool:
    """Remove a run, if there is one. Whether somebody carried it."""
    return any(carrier is not None for (carrier,) in connection.execute(sql.DELETE_RUN, (id,)).fetchall())


def any_claimable(connection: sqlite3.Connection, carrier: str) -> bool:
    """Whether there is a run that this carrier may claim."""
    return bool(_claimable(connection, carrier, 1))


def claim(connection: sqlite3.Connection, lease: Lease, limit: int) -> Given:
    """Give runs that wait to a carrier."""
    claimed = _claimable(connection, lease.carrier, limit)
    for id, orphaned in claimed:
        _carry(connection, id, lease, deaths=orphaned)
    return Given([_load(connection, id) for id, _ in claimed], frozenset(id for id, orphaned in claimed if orphaned))


def take(connection: sqlite3.Connection, id: str, owner: str, lease: Lease) -> Given:
    """Give this run to a carrier, whoever has it."""
    found = connection.execute(sql.CARRIER_OF, (id, owner)).fetchall()
    if not found:
        return Given()
    _carry(connection, id, lease, deaths=0)
    return Given([_load(connection, id)], frozenset(id for (carrier,) in found if carrier is not None))


def carries_any(connection: sqlite3.Connection, carrier: str) -> bool:
    """Whether a carrier has any run."""
    return bool(connection.execute(sql.CARRIED_BY, (carrier,)).fetchall())


def beat(connection: sqlite3.Connection, lease: Lease) -> Mapping[str, int]:
    """Prolong the leases of a carrier. Returns its runs, with their attempts."""
    return dict(connection.execute(sql.BEAT, (_until(lease), lease.carrier)).fetchall())


def release(connection: sqlite3.Connection, carrier: str, ids: Collection[str] | None) -> bool:
    """Have runs of a carrier wait. Whether it had any of these."""
    if ids is None:
        return connection.execute(sql.RELEASE, (carrier,)).rowcount > 0
    return connection.executemany(f"{sql.RELEASE} AND id = ?", [(carrier, id) for id in ids]).rowcount > 0


def abandon(connection: sqlite3.Connection) -> frozenset[str]:
    """Have every run wait. Returns those that were carried."""
    return frozenset(id for (id,) in connection.execute(sql.ABANDON).fetchall())


def read_events(connection: sqlite3.Connection, id: str, after: int) -> list[tuple[int, Event]]:
    """The events of an interaction behind a position."""
    rows = connection.execute(sql.EVENTS, (id, after, id, after)).fetchall()
    return list(unpack(rows, after))


def tail(connection: sqlite3.Connection, places: Mapping[str, int]) -> dict[str, list[tuple[int, Event]]]:
    """The same of many, but for those that have none there."""
    tails = {id: read_events(connection, id, after) for id, after in places.items()}
    return {id: found for id, found in tails.items() if found}


def _claimable(connection: sqlite3.Connection, carrier: str, limit: int) -> list[tuple[str, int]]:
    """Ids, and 1 for each that is a dead carrier's."""
    return connection.execute(sql.CLAIMABLE, (limit, carrier, time.time(), limit, limit)).fetchall()


def _carry(connection: sqlite3.Connection, id: str, lease: Lease, *, deaths: int) -> None:
    connection.execute(sql.CARRY, (lease.carrier, _until(lease), deaths, id))


def _load(connection: sqlite3.Connection, id: str) -> Run:
    attempt, deaths, baggage, *interaction = connection.execute(sql.CARRIED, (id,)).fetchone()
    return Run(read_interaction(interaction), attempt, deaths, baggage)


def _until(lease: Lease) -> float:
    return time.time() + lease.seconds
