"""Notices, resources, keys and secrets in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg

from turnwise.store import statements as sql
from turnwise.store.errors import AlreadyKept
from turnwise.store.postgres.database import Connection, Database, affected, columns, hold, numbered
from turnwise.store.rows import (
    KEY,
    NOTICE,
    changed_row,
    key_row,
    notice_row,
    read_key,
    read_notice,
    read_resource,
    resource_row,
    write_time,
)
from turnwise.store.store import Key, Notice, Place, Resource

ADD_NOTICE = numbered(sql.ADD_NOTICE)

HAS_NOTICE = f"SELECT 1 FROM notices WHERE ({NOTICE}) = ($1, $2, $3, $4, $5, $6)"

TRY_NOTICES = f"""
WITH found AS (
    SELECT id, due AS was_due FROM notices WHERE due <= $1 ORDER BY due, id LIMIT $2 FOR UPDATE SKIP LOCKED
), tried AS (
    UPDATE notices n SET due = $3, attempts = n.attempts + 1 FROM found WHERE n.id = found.id RETURNING n.*, was_due
)
SELECT {NOTICE} FROM tried ORDER BY was_due, id
"""

PUT_OFF_NOTICES = """
UPDATE notices n SET due = late.due, attempts = late.attempts
FROM unnest($1::text[], $2::text[], $3::int[]) AS late (id, due, attempts) WHERE n.id = late.id
"""

POSTPONE_NOTICE = numbered(sql.POSTPONE_NOTICE)
DELETE_NOTICE = numbered(sql.DELETE_NOTICE)

COUNT_RESOURCES = numbered(sql.COUNT_RESOURCES)
ADD_RESOURCE = numbered(sql.ADD_RESOURCE)
LOAD_RESOURCE = numbered(sql.LOAD_RESOURCE)
RESOURCES = numbered(sql.RESOURCES)
CHANGE_RESOURCE = numbered(sql.CHANGE_RESOURCE)
DELETE_RESOURCE = numbered(sql.DELETE_RESOURCE)

ADD_KEY = numbered(sql.ADD_KEY)
HAS_KEY = f"SELECT 1 FROM keys WHERE ({KEY}) IS NOT DISTINCT FROM ($1, $2, $3, $4, $5, $6, $7)"
KEYS = numbered(sql.KEYS)
REVOKE_KEY = numbered(sql.REVOKE_KEY)

PROPOSE_SECRET = numbered(sql.PROPOSE_SECRET)
SECRET = numbered(sql.SECRET)


class PostgresNotices:
    """See `store.py` for what its methods promise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_notices(self, notices: Sequence[Notice]) -> None:
        rows = [notice_row(notice) for notice in notices]

        async def work(connection: Connection, again: bool) -> None:
            if again and rows and await connection.fetchval(HAS_NOTICE, *rows[0]):
                return  # and so all are there
            for row in rows:
                try:
                    await connection.execute(ADD_NOTICE, *row)
                except asyncpg.UniqueViolationError as error:
                    raise AlreadyKept(row[0]) from error

        await self._database.write(work)

    async def due_notices(self, at: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        async def work(connection: Connection, again: bool) -> list[Notice]:
            rows = await connection.fetch(TRY_NOTICES, write_time(at), limit, write_time(until))
            return [read_notice(row) for row in rows]

        return await self._database.write(work)

    async def put_off_notices(self, notices: Sequence[Notice]) -> None:
        rows = [(notice.id, write_time(notice.due), notice.attempts) for notice in notices]
        await self._database.fetch(PUT_OFF_NOTICES, *columns(rows, 3))

    async def settle_notice(self, id: str, due: datetime | None) -> None:
        if due is None:
            await self._database.fetch(DELETE_NOTICE, id)
        else:
            await self._database.fetch(POSTPONE_NOTICE, write_time(due), id)


class PostgresResources:
    """See `store.py` for what its methods promise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_resource(self, resource: Resource, most: int) -> Literal["kept", "taken", "full"]:
        row = resource_row(resource)
        key = (resource.kind, resource.owner, resource.id)

        async def work(connection: Connection, again: bool) -> Literal["kept", "taken", "full"]:
            await hold(connection, resource.kind, resource.owner)
            kept = await connection.fetchrow(LOAD_RESOURCE, *key)
            if kept is not None:
                return "kept" if again and tuple(kept) == row else "taken"
            if await connection.fetchval(COUNT_RESOURCES, resource.kind, resource.owner) >= most:
                return "full"
            await connection.execute(ADD_RESOURCE, *row)
            return "kept"

        return await self._database.write(work)

    async def resource(self, kind: str, id: str, owner: str) -> Resource | None:
        row = await self._database.fetch_one(LOAD_RESOURCE, kind, owner, id)
        return None if row is None else read_resource(row)

    async def resources(self, kind: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Resource]:
        behind = ("", "") if after is None else (write_time(after[0]), after[1])
        return [read_resource(row) for row in await self._database.fetch(RESOURCES, kind, owner, *behind, limit)]

    async def change_resource(self, resource: Resource, was: datetime) -> bool:
        row = changed_row(resource, was)

        async def work(connection: Connection, again: bool) -> bool:
            return affected(await connection.execute(CHANGE_RESOURCE, *row)) > 0

        return await self._database.write(work)

    async def delete_resource(self, kind: str, id: str, owner: str) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            return affected(await connection.execute(DELETE_RESOURCE, kind, owner, id)) > 0

        return await self._database.write(work)


class PostgresKeys:
    """See `store.py` for what its methods promise: keys, and secrets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_key(self, key: Key) -> None:
        row = key_row(key)

        async def work(connection: Connection, again: bool) -> None:
            try:
                await connection.execute(ADD_KEY, *row)
            except asyncpg.UniqueViolationError as error:
                if not again or not await connection.fetchval(HAS_KEY, *row):
                    raise AlreadyKept(key.id) from error

        await self._database.do(work)

    async def keys(self) -> Sequence[Key]:
        return [read_key(tuple(row)) for row in await self._database.fetch(KEYS)]

    async def revoke_key(self, id: str, at: datetime) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            return affected(await connection.execute(REVOKE_KEY, write_time(at), id)) > 0

        return await self._database.write(work)

    async def secret(self, name: str, proposed: bytes) -> bytes:
        await self._database.fetch(PROPOSE_SECRET, name, proposed)
        row = await self._database.fetch_one(SECRET, name)
        assert row is not None
        return bytes(row["value"])
