"""The store on one machine: a SQLite file in WAL mode.

One thread writes. It takes all calls that wait and commits them as one group; another one syncs what was
committed, so that a hundred callers share one wait for the disk. Three threads read, each with a connection of
its own: one looks up single interactions, one reads what may be long, so that nobody's look-up waits behind
another's history, and one searches documents. Readers and the writer never wait for one another. What was read
of histories stays in memory (`links.py`).

What was committed survives the process (`synchronous=NORMAL`), and is synced to the disk before its caller is
told (`worker.py`); but for events of runs, and who carries them: after a power cut a run goes on from what was
kept of it. A run whose events somebody reads from the first one on is synced in the next moment. What the log has is
copied into the file beside the writer (`checkpoints.py`). Whoever asks again and again whether there is something
to do is answered by a reader, as long as there is not. A reader sees what is committed, before the disk has it: so
what cannot be taken back, a notice or the bytes of a file, is looked up by the writer.

What is deleted is overwritten (`secure_delete`), and the write-ahead log, which holds older copies of pages, is
emptied before the caller is told. That is not yet all: when SQLite moves rows from one page to another it may
leave copies in the unused middle of a page, where no deletion finds them. So a file that somebody deleted something
from is made anew (`VACUUM`) as soon as the writer has nothing to do, unless it is too big to do that unasked
(`sqlite_file.py`). What goes by itself, as a run's baggage does at its end and a notice that was heard, is overwritten
and leaves the log; the file is not made anew for it each time.

The statements are plain strings and not SQLAlchemy's, whose overhead would be the greater part of a call's
cost. Those that another SQL engine understands too are in `statements.py`. Other processes may open the
file at the same time (`turnwise keys` does): every transaction is short, and whoever finds the file locked
waits; where several processes serve from it, their writers do so in turns (`sqlite_file.Turns`). News of
runs are those of this process; what another one does to the file is found by looking.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import orjson

from turnwise.domain.events import Event
from turnwise.domain.file_search import Chunk, Document, Found, SearchStore
from turnwise.domain.files import File, Upload
from turnwise.domain.interaction import Interaction
from turnwise.store import documents, runs
from turnwise.store import statements as sql
from turnwise.store.errors import AlreadyKept, StoreClosed
from turnwise.store.links import SEPARATOR, Links, Member, in_line, members_of
from turnwise.store.news import Teller
from turnwise.store.rows import (
    LINK,
    Row,
    changed_row,
    event_rows,
    fenced_event_rows,
    file_row,
    interaction_row,
    key_row,
    notice_row,
    outcome_row,
    read_file,
    read_interaction,
    read_key,
    read_notice,
    read_resource,
    read_upload,
    resource_row,
    settled_row,
    upload_row,
    write_time,
)
from turnwise.store.sqlite_file import (
    Turns,
    compact,
    connect_all,
    deletions,
    empty_log,
    keep_up,
    mark_deleted,
    read_each,
    write_together,
)
from turnwise.store.store import (
    Added,
    Batch,
    Finished,
    Key,
    Lease,
    Link,
    NewRun,
    News,
    Notice,
    Place,
    Resource,
    Run,
    Scope,
    Vectors,
    require_its_run,
)
from turnwise.store.worker import Worker

T = TypeVar("T")

LINE = f"{sql.WALK} SELECT group_concat(member, ?), group_concat(standing, ?) FROM line"

LINK_OF = f"SELECT {sql.STANDING}, {LINK} FROM interactions WHERE id = ? AND owner = ?"

LINKS = f"SELECT {sql.STANDING}, {LINK} FROM interactions WHERE id IN (SELECT value FROM json_each(?))"


async def open_sqlite(path: Path, *, in_turns: bool = False) -> "SQLiteStore":
    """The store in this file, which is made or brought up to date first. `in_turns`: other processes write to it all
    the time, too."""
    writer, readers = await asyncio.to_thread(connect_all, path)
    turns = Turns(path) if in_turns else None
    return SQLiteStore(
        Worker("store-writer", writer, write_together, behind=keep_up, rest=compact, turn=turns, sync=writer.sync),
        *(Worker("store-reader", reader, read_each) for reader in readers),
    )


class SQLiteStore:
    """See `store.py` for what its methods promise."""

    def __init__(self, writer: Worker, lookups: Worker, histories: Worker, searches: Worker) -> None:
        self._writer = writer
        self._lookups = lookups
        self._histories = histories
        self._searches = searches
        self._teller = Teller()
        self._links = Links()  # only `histories` uses it
        self._closed = False

    # -- interactions

    async def create(
        self,
        interaction: Interaction,
        batch: Batch | None = None,
        run: NewRun | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        await self.creation(interaction, run, notices)(batch)

    def creation(
        self, interaction: Interaction, run: NewRun | None, notices: Sequence[Notice] = ()
    ) -> Callable[[Batch | None], Awaitable[None]]:
        require_its_run(interaction, run)
        row = interaction_row(interaction)
        told = [notice_row(notice) for notice in notices]

        async def create(batch: Batch | None) -> None:
            events = _event_rows(batch)

            def work(connection: sqlite3.Connection) -> None:
                _insert(connection, sql.CREATE, row)
                if events:
                    connection.executemany(sql.APPEND, events)
                if run is not None:
                    runs.begin(connection, interaction, run)
                for notice in told:
                    _insert(connection, sql.ADD_NOTICE, notice)

            await self._writer.do(work, sync="behind" if run is not None and run.followed else "first")
            if run is not None and run.lease is None:
                self._teller.tell(News(waiting=True))

        return create

    async def append(self, batches: Sequence[Batch]) -> Collection[str]:
        events = fenced_event_rows(batches)
        attempts = [(batch.id, batch.attempt) for batch in batches]
        refused = await self._writer.do(
            lambda connection: runs.append(connection, events, attempts),
            sync="sometime",
            single=len(events) <= runs.MOST_ROWS,
        )
        if self._teller.is_heard and (told := frozenset(batch.id for batch in batches) - refused):
            self._teller.tell(News(told=told))
        return refused

    async def finish(
        self, interaction: Interaction, batch: Batch | None = None, *, attempt: int, notices: Sequence[Notice] = ()
    ) -> bool:
        row = outcome_row(interaction)
        events = _event_rows(batch)
        told = [notice_row(notice) for notice in notices]

        def work(connection: sqlite3.Connection) -> bool:
            baggage = runs.end(connection, interaction.id, attempt)
            if baggage is None:
                return False
            connection.execute(sql.FINISH, row)
            connection.executemany(sql.APPEND, events)
            for notice in told:
                _insert(connection, sql.ADD_NOTICE, notice)
            if baggage:  # most runs have none, and the log is not emptied at every end
                empty_log(connection)
            return True

        done = await self._writer.do(work)
        if done and self._teller.is_heard:
            self._teller.tell(News(told=frozenset({interaction.id})))
        return done

    async def load(self, id: str, owner: str) -> Interaction | None:
        def work(connection: sqlite3.Connection) -> Interaction | None:
            row = connection.execute(sql.LOAD, (id, owner)).fetchone()
            return None if row is None else read_interaction(row)

        return await self._lookups.do(work)

    async def chain(self, id: str, owner: str) -> Sequence[Link]:
        def work(connection: sqlite3.Connection) -> list[Link]:
            checked = deletions(connection)
            self._links.read(connection.execute(LINK_OF, (id, owner)).fetchall(), owner, checked)
            line = self._links.line(id, owner, checked)
            return self._walk(connection, id, owner, checked) if line is None else line

        return await self._histories.do(work)

    def _walk(self, connection: sqlite3.Connection, id: str, owner: str, checked: int) -> list[Link]:
        """A chain whose members are looked for, each of them."""
        known: dict[Member, Link] = {}
        while True:
            members = members_of(*connection.execute(LINE, (id, owner, owner, SEPARATOR, SEPARATOR)).fetchone())
            known |= self._links.find(members, checked)
            missing = [member for member in members if member not in known]
            if not missing:
                return in_line(id, [known[member] for member in members])
            # Should one of these go meanwhile, or end, the next walk is without it, or finds that it has changed.
            ids = orjson.dumps([id for id, _ in missing]).decode()
            known |= self._links.read(connection.execute(LINKS, (ids,)).fetchall(), owner, checked)

    async def events(self, id: str, after: int) -> Sequence[tuple[int, Event]]:
        return await self._histories.do(lambda connection: runs.read_events(connection, id, after))

    async def tail(self, places: Mapping[str, int]) -> Mapping[str, Sequence[tuple[int, Event]]]:
        return await self._histories.do(lambda connection: runs.tail(connection, places))

    async def delete(self, id: str, owner: str) -> bool:
        def work(connection: sqlite3.Connection) -> News | None:
            if not connection.execute(sql.DELETE, (id, owner)).rowcount:
                return None
            connection.execute(sql.DELETE_EVENTS, (id,))
            mark_deleted(connection)
            carried = runs.delete(connection, id)
            return News(told=frozenset({id}), taken=frozenset({id} if carried else ()))

        news = await self._writer.do(work)
        if news is not None:
            self._teller.tell(news)
            await self._histories.do(lambda _: self._links.forget(id))
        return news is not None

    # -- runs

    @property
    def pace(self) -> float:
        return 0.0

    @property
    def patience(self) -> float:
        # What other processes do to this file is not heard, but found.
        return 0.05

    async def claim(self, lease: Lease, limit: int) -> Sequence[Run]:
        # The writer is not to be disturbed for nothing, again and again: it has to do something else when it is quiet.
        if not await self._lookups.do(lambda connection: runs.any_claimable(connection, lease.carrier)):
            return ()
        given = await self._writer.do(lambda connection: runs.claim(connection, lease, limit), sync="sometime")
        self._tell_taken(given)
        return given.runs

    async def take(self, id: str, owner: str, lease: Lease) -> Run | None:
        given = await self._writer.do(lambda connection: runs.take(connection, id, owner, lease))
        self._tell_taken(given)
        return given.runs[0] if given.runs else None

    async def beat(self, lease: Lease) -> Mapping[str, int]:
        if not await self._lookups.do(lambda connection: runs.carries_any(connection, lease.carrier)):
            return {}
        return await self._writer.do(lambda connection: runs.beat(connection, lease), sync="sometime")

    async def release(self, carrier: str, ids: Collection[str] | None = None) -> None:
        if await self._writer.do(lambda connection: runs.release(connection, carrier, ids)):
            self._teller.tell(News(waiting=True))

    async def abandon(self) -> None:
        orphans = await self._writer.do(runs.abandon)
        if orphans:
            self._teller.tell(News(taken=orphans, waiting=True))

    def news(self) -> AsyncGenerator[News, None]:
        if self._closed:
            raise StoreClosed
        return self._teller.listen()

    def _tell_taken(self, given: runs.Given) -> None:
        if given.taken:
            self._teller.tell(News(taken=given.taken))

    # -- notices

    async def add_notices(self, notices: Sequence[Notice]) -> None:
        rows = [notice_row(notice) for notice in notices]

        def work(connection: sqlite3.Connection) -> None:
            for row in rows:
                _insert(connection, sql.ADD_NOTICE, row)

        await self._writer.do(work)

    async def due_notices(self, at: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        due, again = (write_time(at), limit), write_time(until)

        def work(connection: sqlite3.Connection) -> list[Notice]:
            found = [read_notice(row) for row in connection.execute(sql.DUE_NOTICES, due).fetchall()]
            connection.executemany(sql.TRY_NOTICE, [(again, notice.id) for notice in found])
            return [replace(notice, due=until, attempts=notice.attempts + 1) for notice in found]

        # As in `claim`. Synced, since the end that is told may have been committed in this very moment.
        if not await self._lookups.do(lambda connection: connection.execute(sql.DUE_NOTICES, due).fetchone()):
            return ()
        return await self._writer.do(work)

    async def put_off_notices(self, notices: Sequence[Notice]) -> None:
        rows = [(write_time(notice.due), notice.attempts, notice.id) for notice in notices]
        await self._writer.do(lambda connection: connection.executemany(sql.PUT_OFF_NOTICE, rows), sync="sometime")

    async def settle_notice(self, id: str, due: datetime | None) -> None:
        def work(connection: sqlite3.Connection) -> None:
            if due is not None:
                connection.execute(sql.POSTPONE_NOTICE, (write_time(due), id))
            elif connection.execute(sql.DELETE_NOTICE, (id,)).rowcount:
                empty_log(connection)

        await self._writer.do(work, sync="sometime")

    # -- resources

    async def add_resource(self, resource: Resource, most: int) -> Literal["kept", "taken", "full"]:
        row = resource_row(resource)
        kind, owner, id = row[:3]

        def work(connection: sqlite3.Connection) -> Literal["kept", "taken", "full"]:
            if connection.execute(sql.LOAD_RESOURCE, (kind, owner, id)).fetchall():
                return "taken"
            ((count,),) = connection.execute(sql.COUNT_RESOURCES, (kind, owner)).fetchall()
            if count >= most:
                return "full"
            connection.execute(sql.ADD_RESOURCE, row)
            return "kept"

        return await self._writer.do(work)

    async def resource(self, kind: str, id: str, owner: str) -> Resource | None:
        def work(connection: sqlite3.Connection) -> Resource | None:
            row = connection.execute(sql.LOAD_RESOURCE, (kind, owner, id)).fetchone()
            return None if row is None else read_resource(row)

        return await self._lookups.do(work)

    async def resources(self, kind: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Resource]:
        created, id = ("", "") if after is None else (write_time(after[0]), after[1])
        arguments = (kind, owner, created, id, limit)

        def work(connection: sqlite3.Connection) -> list[Resource]:
            return [read_resource(row) for row in connection.execute(sql.RESOURCES, arguments).fetchall()]

        return await self._lookups.do(work)

    async def change_resource(self, resource: Resource, was: datetime) -> bool:
        row = changed_row(resource, was)

        def work(connection: sqlite3.Connection) -> bool:
            # What it was before may have been a secret.
            return _marked(connection, connection.execute(sql.CHANGE_RESOURCE, row).rowcount > 0)

        return await self._writer.do(work)

    async def delete_resource(self, kind: str, id: str, owner: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            return _marked(connection, connection.execute(sql.DELETE_RESOURCE, (kind, owner, id)).rowcount > 0)

        return await self._writer.do(work)

    # -- secrets

    async def secret(self, name: str, proposed: bytes) -> bytes:
        def work(connection: sqlite3.Connection) -> bytes:
            connection.execute(sql.PROPOSE_SECRET, (name, proposed))
            ((value,),) = connection.execute(sql.SECRET, (name,)).fetchall()
            return bytes(value)

        return await self._writer.do(work)

    # -- keys

    async def add_key(self, key: Key) -> None:
        row = key_row(key)
        await self._writer.do(lambda connection: _insert(connection, sql.ADD_KEY, row))

    async def keys(self) -> Sequence[Key]:
        def work(connection: sqlite3.Connection) -> list[Key]:
            return [read_key(row) for row in connection.execute(sql.KEYS).fetchall()]

        return await self._lookups.do(work)

    async def revoke_key(self, id: str, at: datetime) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            return connection.execute(sql.REVOKE_KEY, (write_time(at), id)).rowcount > 0

        return await self._writer.do(work)

    # -- files

    async def begin_upload(self, upload: Upload, at: datetime, quota: int) -> bool:
        row = upload_row(upload)
        used = _used_arguments(upload.owner, at, upload.hash)

        def work(connection: sqlite3.Connection) -> bool:
            if _used(connection, used) + upload.reserved > quota:
                return False
            connection.execute(sql.BEGIN_UPLOAD, row)
            return True

        return await self._writer.do(work)

    async def upload(self, hash: bytes) -> Upload | None:
        def work(connection: sqlite3.Connection) -> Upload | None:
            row = connection.execute(sql.UPLOADED, (hash,)).fetchone()
            return None if row is None else read_upload(row)

        return await self._lookups.do(work)

    async def reserve(self, hash: bytes, size: int, at: datetime, quota: int) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            row = connection.execute(f"SELECT owner FROM uploads WHERE {sql.RUNNING}", (hash,)).fetchone()
            if row is None or _used(connection, _used_arguments(row[0], at, hash)) + size > quota:
                return False
            connection.execute(sql.RESERVE, (size, size, hash))
            return True

        return await self._writer.do(work, sync="sometime")

    async def finish_upload(self, hash: bytes, file: File) -> Finished:
        row = file_row(file)

        def work(connection: sqlite3.Connection) -> Finished:
            if not connection.execute(f"SELECT 1 FROM uploads WHERE {sql.RUNNING}", (hash,)).fetchall():
                return "gone"
            if not connection.execute(sql.CREATE_FILE, row).rowcount:
                return "taken"
            connection.execute(sql.BECOME, (file.id, hash))
            return "kept"

        return await self._writer.do(work)

    async def drop_upload(self, hash: bytes) -> bool:
        return await self._writer.do(lambda connection: _drop(connection, hash))

    async def file(self, id: str, owner: str) -> File | None:
        def work(connection: sqlite3.Connection) -> File | None:
            row = connection.execute(sql.LOAD_FILE, (id, owner)).fetchone()
            return None if row is None else read_file(row)

        return await self._lookups.do(work)

    async def files(self, owner: str, at: datetime, limit: int, after: Place | None = None) -> Sequence[File]:
        created, id = ("9999", "") if after is None else (write_time(after[0]), after[1])
        arguments = (owner, write_time(at), created, id, limit)

        def work(connection: sqlite3.Connection) -> list[File]:
            return [read_file(row) for row in connection.execute(sql.FILES, arguments).fetchall()]

        return await self._histories.do(work)

    async def settle_file(self, file: File) -> bool:
        row = settled_row(file)
        return await self._writer.do(lambda connection: connection.execute(sql.SETTLE_FILE, row).rowcount > 0)

    async def delete_file(self, id: str, owner: str) -> str | None:
        def work(connection: sqlite3.Connection) -> str | None:
            return _delete_file(connection, id, owner)

        # The name that a person gave to a file must leave the database too.
        return await self._writer.do(work)

    async def processing(self) -> Sequence[File]:
        def work(connection: sqlite3.Connection) -> list[File]:
            return [read_file(row) for row in connection.execute(sql.PROCESSING).fetchall()]

        return await self._histories.do(work)

    async def expire(self, at: datetime, limit: int) -> int:
        bound = (write_time(at), limit)

        def work(connection: sqlite3.Connection) -> int:
            files = connection.execute(sql.EXPIRED_FILES, bound).fetchall()
            uploads = connection.execute(sql.EXPIRED_UPLOADS, bound).fetchall()
            for id, owner in files:
                _delete_file(connection, id, owner)
            for (hash,) in uploads:
                if not _drop(connection, hash):
                    connection.execute(sql.DELETE_FINISHED, (hash,))
            return _marked(connection, len(files) + len(uploads))

        return await self._writer.do(work)

    async def litter(self, limit: int) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            return [blob for (blob,) in connection.execute(sql.LITTER, (limit,)).fetchall()]

        # Not by a reader: bytes may go when the disk has it that nothing names them.
        return await self._writer.do(work)

    async def cleared(self, blobs: Sequence[str]) -> None:
        rows = [(blob,) for blob in blobs]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(sql.CLEARED, rows)

        await self._writer.do(work, sync="sometime")

    # -- documents

    async def create_search_store(self, store: SearchStore, most: int) -> bool:
        return await self._writer.do(lambda connection: documents.create_store(connection, store, most))

    async def search_store(self, id: str, owner: str) -> SearchStore | None:
        return await self._lookups.do(lambda connection: documents.load_store(connection, id, owner))

    async def search_stores(self, owner: str, limit: int, after: Place | None = None) -> Sequence[SearchStore]:
        return await self._histories.do(lambda connection: documents.list_stores(connection, owner, limit, after))

    async def delete_search_store(self, id: str, owner: str, *, force: bool) -> bool | None:
        def work(connection: sqlite3.Connection) -> bool | None:
            leave = _mark_litter(connection)
            return _marked(connection, documents.delete_store(connection, id, owner, force, leave))

        return await self._writer.do(work)

    async def finish_document_upload(self, hash: bytes, document: Document, most: int) -> Added:
        def work(connection: sqlite3.Connection) -> Added:
            if not connection.execute(f"SELECT 1 FROM uploads WHERE {sql.RUNNING}", (hash,)).fetchall():
                return "gone"
            added = documents.add(connection, document, most)
            if added == "kept":
                connection.execute(sql.BECOME, (document.id, hash))
            return added

        return await self._writer.do(work)

    async def document(self, id: str, store_id: str, owner: str) -> Document | None:
        return await self._lookups.do(lambda connection: documents.load(connection, id, store_id, owner))

    async def documents(self, store_id: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Document]:
        def work(connection: sqlite3.Connection) -> list[Document]:
            return documents.list_documents(connection, store_id, owner, limit, after)

        return await self._histories.do(work)

    async def delete_document(self, id: str, store_id: str, owner: str, *, force: bool) -> bool | None:
        def work(connection: sqlite3.Connection) -> bool | None:
            leave = _mark_litter(connection)
            return _marked(connection, documents.delete(connection, id, store_id, owner, force, leave))

        return await self._writer.do(work)

    async def pending_documents(self) -> Sequence[Document]:
        return await self._histories.do(documents.pending)

    async def add_chunks(self, document: Document, first: int, chunks: Sequence[Chunk]) -> bool:
        # Not durable by itself: the document is pending, and is read again after the machine lost power.
        return await self._writer.do(
            lambda connection: documents.add_chunks(connection, document, first, chunks), sync="sometime"
        )

    async def settle_document(self, document: Document, vectors: Vectors | None = None) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            return documents.settle(connection, document, vectors, _mark_litter(connection))

        return await self._writer.do(work)

    async def searchable(self, scope: Scope, limit: int, after: int = 0) -> Sequence[Document]:
        return await self._searches.do(lambda connection: documents.searchable(connection, scope, limit, after))

    async def search_words(self, scope: Scope, query: str, limit: int) -> Sequence[int]:
        return await self._searches.do(lambda connection: documents.search_words(connection, scope, query, limit))

    async def vectors(self, scope: Scope, model: str) -> Sequence[Vectors]:
        return await self._searches.do(lambda connection: documents.load_vectors(connection, scope, model))

    async def found(self, ids: Sequence[int], owner: str) -> Sequence[Found]:
        return await self._searches.do(lambda connection: documents.found(connection, ids, owner))

    async def unembedded(self, model: str, limit: int) -> Sequence[Document]:
        return await self._histories.do(lambda connection: documents.unembedded(connection, model, limit))

    async def chunk_texts(self, key: int) -> Sequence[str]:
        return await self._histories.do(lambda connection: documents.chunk_texts(connection, key))

    async def keep_vectors(self, vectors: Vectors) -> bool:
        return await self._writer.do(lambda connection: documents.keep_vectors(connection, vectors))

    async def clear_chunks(self, limit: int) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            return _marked(connection, documents.clear_chunks(connection, limit))

        return await self._writer.do(work)

    async def close(self) -> None:
        self._closed = True
        self._teller.close()
        # The writer last: the last connection to be closed empties the log into the file and removes it.
        for worker in (self._lookups, self._histories, self._searches, self._writer):
            await worker.stop()


def _event_rows(batch: Batch | None) -> list[Row]:
    return [] if batch is None else event_rows([batch])


def _insert(connection: sqlite3.Connection, statement: str, row: Row) -> None:
    try:
        connection.execute(statement, row)
    except sqlite3.IntegrityError as error:
        raise AlreadyKept(row[0]) from error


def _used_arguments(owner: str, at: datetime, but: bytes) -> Row:
    """For `USED`: what the owner holds of the quota, but for this upload."""
    now = write_time(at)
    return (owner, now, owner, now, but)


def _used(connection: sqlite3.Connection, arguments: Row) -> int:
    ((used,),) = connection.execute(sql.USED, arguments).fetchall()
    return int(used) + documents.used(connection, arguments[0])


def _drop(connection: sqlite3.Connection, hash: bytes) -> bool:
    return _leave(connection, connection.execute(sql.DROP_UPLOAD, (hash,)).fetchall()) is not None


def _delete_file(connection: sqlite3.Connection, id: str, owner: str) -> str | None:
    return _leave(connection, connection.execute(sql.DELETE_FILE, (id, owner)).fetchall())


def _leave(connection: sqlite3.Connection, deleted: list[Row]) -> str | None:
    """The blob of a row that was deleted, if one was: it is litter now."""
    for (blob,) in deleted:
        _mark_litter(connection)(blob)
        mark_deleted(connection)
        return str(blob)
    return None


def _mark_litter(connection: sqlite3.Connection) -> documents.Leave:
    """What is done with a blob that nothing names any more."""

    def leave(blob: str) -> None:
        connection.execute(sql.LEAVE, (blob,))

    return leave


def _marked(connection: sqlite3.Connection, deleted: T) -> T:
    """What a deletion tells, with the file marked if it deleted something."""
    if deleted:
        mark_deleted(connection)
    return deleted
