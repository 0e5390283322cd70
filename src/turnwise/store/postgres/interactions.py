"""Interactions, the journal of their events, and their runs in PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any

import asyncpg

from turnwise.domain.events import Event
from turnwise.domain.interaction import Interaction
from turnwise.store.codec import unpack
from turnwise.store.errors import AlreadyKept
from turnwise.store.links import SEPARATOR, Links, Member, in_line, members_of
from turnwise.store.postgres import statements as sql
from turnwise.store.postgres.database import Connection, Database, Record, columns, encode_text, encode_texts
from turnwise.store.postgres.hearing import Ears, write_news
from turnwise.store.rows import Row, event_rows, interaction_row, notice_row, outcome_row, read_interaction
from turnwise.store.store import (
    Batch,
    Creation,
    Lease,
    Link,
    NewRun,
    News,
    Notice,
    Run,
    require_its_run,
)

FARTHEST = 2**62
"""No position is as far as this, and there is no need to look behind a farther one."""

AT_ONCE = 20
"""How many links are read before others have their turn: half a millisecond of talk, or some megabytes of pictures."""


class PostgresInteractions:
    """See `store.py` for what its methods promise."""

    def __init__(self, database: Database, ears: Ears) -> None:
        self._database = database
        self._ears = ears
        self._links = Links()

    async def create(
        self,
        interaction: Interaction,
        batch: Batch | None = None,
        run: NewRun | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        require_its_run(interaction, run)
        row = interaction_row(interaction)
        news = [] if run is None or run.lease is not None else write_news(News(waiting=True))
        arguments = (*row, *_events(batch), *_run(run), *_notices(notices), news)

        async def work(connection: Connection, again: bool) -> None:
            try:
                await connection.fetch(sql.CREATE, *arguments)
            except asyncpg.UniqueViolationError as error:
                if not again or await _kept(connection, interaction.id) != row:
                    raise AlreadyKept(_id_in_use(error, interaction.id, notices)) from error

        await self._database.do(work)

    def creation(self, interaction: Interaction, run: NewRun) -> Creation:
        return lambda batch: self.create(interaction, batch, run)

    async def append(self, batches: Sequence[Batch]) -> Collection[str]:
        rows = [(batch.id, batch.attempt, *row[1:]) for batch in batches for row in event_rows([batch])]
        attempts = {(batch.id, batch.attempt) for batch in batches}
        # A batch without events asks whether its run goes on, like any other.
        rows += [(id, attempt, 0, 0, b"") for id, attempt in attempts - {row[:2] for row in rows}]
        ids, *others = columns(rows, 5)
        fit = await self._database.fetch(sql.APPEND, encode_texts(ids), *others)
        return {id for id, _ in attempts - {(id, attempt) for id, attempt in fit}}

    async def finish(
        self, interaction: Interaction, batch: Batch | None = None, *, attempt: int, notices: Sequence[Notice] = ()
    ) -> bool:
        outcome = outcome_row(interaction)
        news = write_news(News(told=frozenset({interaction.id})))
        arguments = (*outcome, attempt, *_events(batch), *_notices(notices), news)

        async def work(connection: Connection, again: bool) -> bool:
            try:
                if await connection.fetch(sql.FINISH, *arguments):
                    return True
            except asyncpg.UniqueViolationError as error:
                raise AlreadyKept(_id_in_use(error, interaction.id, notices)) from error
            return again and await connection.fetchval(sql.IS_OUTCOME, *outcome) is not None

        return await self._database.do(work)

    async def load(self, id: str, owner: str) -> Interaction | None:
        row = await self._database.fetch_one(sql.LOAD, id, owner)
        return None if row is None else read_interaction(row)

    async def chain(self, id: str, owner: str) -> Sequence[Link]:
        known: dict[Member, Link] = {}
        while True:
            arguments = (id, owner, owner, SEPARATOR, SEPARATOR, id, owner)
            row = await self._database.fetch_one(sql.LINE, *arguments)
            members = [] if row is None else members_of(*row[:2])
            for gone, _ in known.keys() - members:  # while they were read, and perhaps after they were to be forgotten
                self._links.forget(gone)
            if row is None:
                return []
            _, _, *newest = row
            known |= self._links.find(members)
            standing, *_ = newest
            if (id, standing) not in known:
                known |= self._links.read([newest], owner)
            missing = [member for member in members if member not in known]
            if not missing:
                return in_line(id, [known[member] for member in members])
            # Should one of these go meanwhile, or end, the next walk is without it, or finds that it has changed.
            rows = await self._database.fetch(sql.LINKS, encode_texts(id for id, _ in missing))
            for begin in range(0, len(rows), AT_ONCE):
                known |= self._links.read(rows[begin : begin + AT_ONCE], owner)
                await asyncio.sleep(0)

    async def events(self, id: str, after: int) -> Sequence[tuple[int, Event]]:
        return (await self.tail({id: after})).get(id, [])

    async def tail(self, places: Mapping[str, int]) -> Mapping[str, Sequence[tuple[int, Event]]]:
        bounded = [min(after, FARTHEST) for after in places.values()]
        found: dict[str, list[tuple[int, bytes]]] = {}
        for id, seq, data in await self._database.fetch(sql.TAIL, encode_texts(places), bounded):
            found.setdefault(id, []).append((seq, data))
        tails = {id: list(unpack(rows, places[id])) for id, rows in found.items()}
        return {id: tail for id, tail in tails.items() if tail}

    async def delete(self, id: str, owner: str) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            # First of all, as everybody does: so that whatever is being appended is there to be deleted.
            carrier = await connection.fetchval(sql.LOCK_RUN, id, owner)
            if await connection.execute(sql.DELETE, id, owner) == "DELETE 0":
                return False
            await connection.execute(sql.DELETE_RUN, id)
            await connection.execute(sql.DELETE_EVENTS, id)
            ids = frozenset({id})
            await _tell(connection, News(told=ids, taken=ids if carrier is not None else frozenset()))
            return True

        deleted = await self._database.write(work)
        if deleted:
            self._links.forget(id)
        return deleted

    # -- runs

    @property
    def pace(self) -> float:
        return 0.025

    @property
    def patience(self) -> float:
        return 1.0

    async def claim(self, lease: Lease, limit: int) -> Sequence[Run]:
        claimed: list[Record] = []
        """What we have claimed, as far as we have heard."""

        async def work(connection: Connection, again: bool) -> list[Record]:
            if again and claimed:
                ids, attempts = zip(*((row["id"], row["attempt"]) for row in claimed), strict=True)
                ours = await connection.fetch(sql.CLAIMED, lease.carrier, encode_texts(ids), attempts)
                if ours:
                    return list(ours)
            trusted = self._database.is_unbroken(lease.seconds)
            claimed[:] = await connection.fetch(sql.CLAIM, lease.carrier, lease.seconds, limit, trusted)
            orphans = frozenset(row["id"] for row in claimed if row["orphaned"])
            if orphans:
                await _tell(connection, News(taken=orphans))
            return claimed

        return [_read_run(row) for _, *row in await self._database.write(work)]

    async def take(self, id: str, owner: str, lease: Lease) -> Run | None:
        async def work(connection: Connection, again: bool) -> Record | None:
            locked = await connection.fetchrow(sql.LOCK_RUN, id, owner)
            if locked is None:
                return None
            if locked["carrier"] is not None:
                await _tell(connection, News(taken=frozenset({id})))
            taken: Record | None = await connection.fetchrow(sql.TAKE, id, lease.carrier, lease.seconds)
            return taken

        row = await self._database.write(work)
        return None if row is None else _read_run(row)

    async def beat(self, lease: Lease) -> Mapping[str, int]:
        return dict(await self._database.fetch(sql.BEAT, lease.carrier, lease.seconds))

    async def release(self, carrier: str, ids: Collection[str] | None = None) -> None:
        (news,) = write_news(News(waiting=True))
        named = None if ids is None else encode_texts(ids)
        await self._database.fetch(sql.RELEASE, carrier, named, news)

    async def abandon(self) -> None:
        """Nothing: with a database that many processes share, nobody knows that no other one carries a run. Those of
        the dead wait as soon as their leases have run out."""
        self._database.require_open()

    def news(self) -> AsyncGenerator[News, None]:
        self._database.require_open()
        return self._ears.listen()


# -- what the statements are given, and give


def _events(batch: Batch | None) -> Row:
    """The first position, the number and the bytes of a batch's events."""
    if batch is None or not batch.events:
        return (0, 0, b"")
    ((_, *row),) = event_rows([batch])
    return tuple(row)


def _run(run: NewRun | None) -> Row:
    """Whether there is a run, its carrier, the seconds of the lease, and its baggage."""
    if run is None:
        return (False, None, None, b"")
    if run.lease is None:
        return (True, None, None, run.baggage)
    return (True, run.lease.carrier, run.lease.seconds, run.baggage)


def _notices(notices: Sequence[Notice]) -> list[list[Any]]:
    *texts, attempts = columns([notice_row(notice) for notice in notices], 6)
    return [*map(encode_texts, texts), attempts]


def _read_run(row: Sequence[Any]) -> Run:
    attempt, deaths, baggage, *interaction = row
    return Run(read_interaction(interaction), attempt, deaths, baggage)


async def _kept(connection: Connection, id: str) -> Row | None:
    row = await connection.fetchrow(sql.LOAD_ANYBODYS, id)
    return None if row is None else tuple(row)


async def _tell(connection: Connection, news: News) -> None:
    await connection.fetch(sql.TELL, write_news(news))


def _id_in_use(error: asyncpg.UniqueViolationError, id: str, notices: Sequence[Notice]) -> str:
    """The id that was in use: the interaction's, or a notice's."""
    if error.table_name != "notices":
        return id
    return next((notice.id for notice in notices if f"({encode_text(notice.id)})" in (error.detail or "")), id)
