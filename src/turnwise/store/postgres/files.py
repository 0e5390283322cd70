"""Files and uploads in PostgreSQL, without their bytes."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from turnwise.domain.files import File, Upload
from turnwise.store import statements as sql
from turnwise.store.errors import AlreadyKept
from turnwise.store.postgres.database import Connection, Database, affected, encode_texts, hold, numbered
from turnwise.store.rows import file_row, read_file, read_upload, settled_row, upload_row, write_time
from turnwise.store.store import Finished, Place

BEGIN_UPLOAD = numbered(sql.BEGIN_UPLOAD)
UPLOADED = numbered(sql.UPLOADED)

# What an owner's files, documents and running uploads hold of the quota.
USED = """
SELECT (coalesce((SELECT sum(size_bytes) FROM files WHERE owner = $1 AND expires > $2), 0)
    + coalesce((SELECT sum(reserved) FROM uploads
        WHERE owner = $1 AND expires > $2 AND file_id IS NULL AND hash <> $3), 0)
    + coalesce((SELECT sum(size_bytes) FROM documents WHERE owner = $1 AND state <> 'STATE_FAILED'), 0))::int8
"""

LOCK_RUNNING = f"SELECT owner FROM uploads WHERE {numbered(sql.RUNNING)} FOR UPDATE"
RESERVE = "UPDATE uploads SET reserved = $1 WHERE reserved < $1 AND hash = $2 AND file_id IS NULL"
BECOME = numbered(sql.BECOME)

CREATE_FILE = numbered(sql.CREATE_FILE)
LOAD_FILE = numbered(sql.LOAD_FILE)
FILES = numbered(sql.FILES)
SETTLE_FILE = numbered(sql.SETTLE_FILE)
PROCESSING = numbered(sql.PROCESSING)

LEAVING = """
WITH gone AS ({deletion} RETURNING blob), left_behind AS (
    INSERT INTO litter (blob) SELECT blob FROM gone ON CONFLICT DO NOTHING
)
SELECT blob FROM gone
"""
"""A deletion of rows that name blobs, which are litter then."""

DELETE_FILE = LEAVING.format(deletion="DELETE FROM files WHERE id = $1 AND owner = $2")
DROP_UPLOAD = LEAVING.format(deletion="DELETE FROM uploads WHERE hash = $1 AND file_id IS NULL")
EXPIRE_FILES = LEAVING.format(
    deletion="""DELETE FROM files WHERE (owner, id) IN (
        SELECT owner, id FROM files WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED)"""
)
EXPIRE_UPLOADS = """
WITH gone AS (
    DELETE FROM uploads WHERE hash IN (
        SELECT hash FROM uploads WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING blob, file_id
), left_behind AS (
    INSERT INTO litter (blob) SELECT blob FROM gone WHERE file_id IS NULL ON CONFLICT DO NOTHING
)
SELECT blob FROM gone
"""

LITTER = numbered(sql.LITTER)
CLEARED = "DELETE FROM litter WHERE blob = ANY($1::text[])"


class PostgresFiles:
    """See `store.py` for what its methods promise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin_upload(self, upload: Upload, at: datetime, quota: int) -> bool:
        row = upload_row(upload)

        async def work(connection: Connection, again: bool) -> bool:
            if again and await connection.fetchrow(UPLOADED, upload.hash) is not None:
                return True
            await hold(connection, "quota", upload.owner)
            used = await connection.fetchval(USED, upload.owner, write_time(at), upload.hash)
            if used + upload.reserved > quota:
                return False
            try:
                await connection.execute(BEGIN_UPLOAD, *row)
            except asyncpg.UniqueViolationError as error:
                raise AlreadyKept(upload.blob) from error
            return True

        return await self._database.write(work)

    async def upload(self, hash: bytes) -> Upload | None:
        row = await self._database.fetch_one(UPLOADED, hash)
        return None if row is None else read_upload(row)

    async def reserve(self, hash: bytes, size: int, at: datetime, quota: int) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            row = await connection.fetchrow(LOCK_RUNNING, hash)
            if row is None:
                return False
            await hold(connection, "quota", row["owner"])
            if await connection.fetchval(USED, row["owner"], write_time(at), hash) + size > quota:
                return False
            await connection.execute(RESERVE, size, hash)
            return True

        return await self._database.write(work)

    async def finish_upload(self, hash: bytes, file: File) -> Finished:
        row = file_row(file)

        async def work(connection: Connection, again: bool) -> Finished:
            if await connection.fetchrow(LOCK_RUNNING, hash) is None:
                return "kept" if again and await has_become(connection, hash, file.id) else "gone"
            if not affected(await connection.execute(CREATE_FILE, *row)):
                return "taken"
            await connection.execute(BECOME, file.id, hash)
            return "kept"

        return await self._database.write(work)

    async def drop_upload(self, hash: bytes) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            return bool(await connection.fetch(DROP_UPLOAD, hash))

        return await self._database.write(work)

    async def file(self, id: str, owner: str) -> File | None:
        row = await self._database.fetch_one(LOAD_FILE, id, owner)
        return None if row is None else read_file(row)

    async def files(self, owner: str, at: datetime, limit: int, after: Place | None = None) -> Sequence[File]:
        before = ("9999", "") if after is None else (write_time(after[0]), after[1])
        return [read_file(row) for row in await self._database.fetch(FILES, owner, write_time(at), *before, limit)]

    async def settle_file(self, file: File) -> bool:
        row = settled_row(file)

        async def work(connection: Connection, again: bool) -> bool:
            return affected(await connection.execute(SETTLE_FILE, *row)) > 0

        return await self._database.write(work)

    async def delete_file(self, id: str, owner: str) -> str | None:
        async def work(connection: Connection, again: bool) -> str | None:
            blob: str | None = await connection.fetchval(DELETE_FILE, id, owner)
            return blob

        return await self._database.write(work)

    async def processing(self) -> Sequence[File]:
        return [read_file(row) for row in await self._database.fetch(PROCESSING)]

    async def expire(self, at: datetime, limit: int) -> int:
        async def work(connection: Connection, again: bool) -> int:
            files = await connection.fetch(EXPIRE_FILES, write_time(at), limit)
            uploads = await connection.fetch(EXPIRE_UPLOADS, write_time(at), limit)
            return len(files) + len(uploads)

        return await self._database.write(work)

    async def litter(self, limit: int) -> Sequence[str]:
        return [row["blob"] for row in await self._database.fetch(LITTER, limit)]

    async def cleared(self, blobs: Sequence[str]) -> None:
        await self._database.fetch(CLEARED, encode_texts(blobs))


async def has_become(connection: Connection, hash: bytes, id: str) -> bool:
    """Whether an upload is already what it was to be."""
    return bool(await connection.fetchval("SELECT file_id = $2 FROM uploads WHERE hash = $1", hash, id))
