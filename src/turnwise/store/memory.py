"""The store in memory: for tests, and for whoever wants nothing kept.

It keeps the same promises as every other store, but for the one about being killed. Tests of your own may
use it:

    store = MemoryStore()
    await store.create(interaction)
    assert await store.load(interaction.id, interaction.owner) == interaction
"""

import sqlite3
import time
import weakref
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from turnwise.domain.events import Event
from turnwise.domain.file_search import Chunk, Document, Found, SearchStore
from turnwise.domain.files import File, FileState, Upload
from turnwise.domain.interaction import Interaction
from turnwise.store import documents
from turnwise.store.errors import AlreadyKept, StoreClosed
from turnwise.store.migrate import begin_at_head
from turnwise.store.news import Teller
from turnwise.store.store import (
    Added,
    Batch,
    Creation,
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
    link_of,
    require_its_run,
)


@dataclass(slots=True)
class _Run:
    """A run that waits, or that a carrier has."""

    created: datetime
    baggage: bytes
    attempt: int = 0
    deaths: int = 0
    carrier: str | None = None
    until: float = 0.0

    @property
    def is_carried(self) -> bool:
        return self.carrier is not None

    def carry(self, lease: Lease) -> None:
        self.carrier = lease.carrier
        self.until = time.time() + lease.seconds
        self.attempt += 1

    def waits_for(self, carrier: str) -> bool:
        """Whether this carrier may claim it. One that asks is alive, so it has what it has."""
        return self.carrier is None or (self.carrier != carrier and self.until <= time.time())


class MemoryStore:
    """See `store.py` for what its methods promise. No method waits, so each is one transaction.

    Documents are searched by SQLite's index of words, here too: so they are in a database, which is in memory.
    """

    def __init__(self) -> None:
        self._interactions: dict[str, Interaction] = {}
        self._events: dict[str, dict[int, Event]] = {}
        self._runs: dict[str, _Run] = {}
        self._teller = Teller()
        self._notices: dict[str, Notice] = {}
        self._resources: dict[tuple[str, str, str], Resource] = {}
        self._secrets: dict[str, bytes] = {}
        self._keys: dict[str, Key] = {}
        self._files: dict[tuple[str, str], File] = {}
        self._uploads: dict[bytes, Upload] = {}
        self._litter: dict[str, None] = {}
        self._documents: sqlite3.Connection | None = None
        self._closed = False

    # -- interactions

    async def create(
        self,
        interaction: Interaction,
        batch: Batch | None = None,
        run: NewRun | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        self._require_open()
        require_its_run(interaction, run)
        if interaction.id in self._interactions:
            raise AlreadyKept(interaction.id)
        self._require_new(notices)
        self._interactions[interaction.id] = interaction
        self._events[interaction.id] = {}
        self._keep(batch)
        self._notices |= {notice.id: notice for notice in notices}
        if run is not None:
            self._runs[interaction.id] = _Run(interaction.created, run.baggage)
            if run.lease is None:
                self._teller.tell(News(waiting=True))
            else:
                self._runs[interaction.id].carry(run.lease)

    def creation(self, interaction: Interaction, run: NewRun) -> Creation:
        return lambda batch: self.create(interaction, batch, run)

    async def append(self, batches: Sequence[Batch]) -> Collection[str]:
        self._require_open()
        refused = {batch.id for batch in batches if not self._is_current(batch.id, batch.attempt)}
        for batch in batches:
            if self._is_current(batch.id, batch.attempt):
                self._keep(batch)
        told = frozenset(batch.id for batch in batches) - refused
        if told:
            self._teller.tell(News(told=told))
        return refused

    async def finish(
        self, interaction: Interaction, batch: Batch | None = None, *, attempt: int, notices: Sequence[Notice] = ()
    ) -> bool:
        self._require_open()
        if not self._is_current(interaction.id, attempt):
            return False
        self._require_new(notices)
        kept = self._interactions[interaction.id]
        self._interactions[interaction.id] = replace(
            kept,
            status=interaction.status,
            updated=interaction.updated,
            steps=interaction.steps,
            usage=interaction.usage,
            failure=interaction.failure,
        )
        self._keep(batch)
        self._notices |= {notice.id: notice for notice in notices}
        del self._runs[interaction.id]
        self._teller.tell(News(told=frozenset({interaction.id})))
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

    async def tail(self, places: Mapping[str, int]) -> Mapping[str, Sequence[tuple[int, Event]]]:
        tails = {id: await self.events(id, after) for id, after in places.items()}
        return {id: tail for id, tail in tails.items() if tail}

    async def delete(self, id: str, owner: str) -> bool:
        self._require_open()
        if self._find(id, owner) is None:
            return False
        del self._interactions[id], self._events[id]
        run = self._runs.pop(id, None)
        self._teller.tell(News(told=frozenset({id}), taken=frozenset({id} if run and run.is_carried else ())))
        return True

    # -- runs

    @property
    def pace(self) -> float:
        return 0.0

    @property
    def patience(self) -> float:
        return 1.0

    async def claim(self, lease: Lease, limit: int) -> Sequence[Run]:
        self._require_open()
        waiting = [(run.created, id) for id, run in self._runs.items() if run.waits_for(lease.carrier)]
        claimed = [id for _, id in sorted(waiting)[:limit]]
        orphans = frozenset(id for id in claimed if self._runs[id].is_carried)
        for id in orphans:
            self._runs[id].deaths += 1
        for id in claimed:
            self._runs[id].carry(lease)
        if orphans:
            self._teller.tell(News(taken=orphans))
        return [self._carried(id) for id in claimed]

    async def take(self, id: str, owner: str, lease: Lease) -> Run | None:
        self._require_open()
        run = self._runs.get(id)
        if run is None or self._find(id, owner) is None:
            return None
        if run.is_carried:
            self._teller.tell(News(taken=frozenset({id})))
        run.carry(lease)
        return self._carried(id)

    async def beat(self, lease: Lease) -> Mapping[str, int]:
        self._require_open()
        carried = {id: run for id, run in self._runs.items() if run.carrier == lease.carrier}
        for run in carried.values():
            run.until = time.time() + lease.seconds
        return {id: run.attempt for id, run in carried.items()}

    async def release(self, carrier: str, ids: Collection[str] | None = None) -> None:
        self._require_open()
        released = [
            run for id, run in self._runs.items() if run.carrier == carrier and (ids is None or id in frozenset(ids))
        ]
        for run in released:
            run.carrier = None
        if released:
            self._teller.tell(News(waiting=True))

    async def abandon(self) -> None:
        self._require_open()
        orphans = frozenset(id for id, run in self._runs.items() if run.is_carried)
        for id in orphans:
            self._runs[id].deaths += 1
            self._runs[id].carrier = None
        if orphans:
            self._teller.tell(News(taken=orphans, waiting=True))

    def news(self) -> AsyncGenerator[News, None]:
        self._require_open()
        return self._teller.listen()

    # -- notices

    async def add_notices(self, notices: Sequence[Notice]) -> None:
        self._require_open()
        self._require_new(notices)
        self._notices |= {notice.id: notice for notice in notices}

    async def due_notices(self, at: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        self._require_open()
        due = [notice for notice in self._notices.values() if notice.due <= at]
        taken = sorted(due, key=lambda notice: (notice.due, notice.id))[:limit]
        tried = [replace(notice, due=until, attempts=notice.attempts + 1) for notice in taken]
        self._notices |= {notice.id: notice for notice in tried}
        return tried

    async def put_off_notices(self, notices: Sequence[Notice]) -> None:
        self._require_open()
        for notice in notices:
            if notice.id in self._notices:
                self._notices[notice.id] = replace(self._notices[notice.id], due=notice.due, attempts=notice.attempts)

    async def settle_notice(self, id: str, due: datetime | None) -> None:
        self._require_open()
        if due is None:
            self._notices.pop(id, None)
        elif id in self._notices:
            self._notices[id] = replace(self._notices[id], due=due)

    # -- resources

    async def add_resource(self, resource: Resource, most: int) -> Literal["kept", "taken", "full"]:
        self._require_open()
        key = (resource.kind, resource.owner, resource.id)
        if key in self._resources:
            return "taken"
        if sum(kept[:2] == key[:2] for kept in self._resources) >= most:
            return "full"
        self._resources[key] = resource
        return "kept"

    async def resource(self, kind: str, id: str, owner: str) -> Resource | None:
        self._require_open()
        return self._resources.get((kind, owner, id))

    async def resources(self, kind: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Resource]:
        self._require_open()
        found = [kept for kept in self._resources.values() if (kept.kind, kept.owner) == (kind, owner)]
        behind = [kept for kept in found if after is None or (kept.created, kept.id) > after]
        return sorted(behind, key=lambda kept: (kept.created, kept.id))[:limit]

    async def change_resource(self, resource: Resource, was: datetime) -> bool:
        self._require_open()
        key = (resource.kind, resource.owner, resource.id)
        kept = self._resources.get(key)
        if kept is None or kept.updated != was:
            return False
        self._resources[key] = replace(kept, updated=resource.updated, body=resource.body)
        return True

    async def delete_resource(self, kind: str, id: str, owner: str) -> bool:
        self._require_open()
        return self._resources.pop((kind, owner, id), None) is not None

    # -- secrets

    async def secret(self, name: str, proposed: bytes) -> bytes:
        self._require_open()
        return self._secrets.setdefault(name, proposed)

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

    # -- files

    async def begin_upload(self, upload: Upload, at: datetime, quota: int) -> bool:
        self._require_open()
        if self._used(upload.owner, at, upload.hash) + upload.reserved > quota:
            return False
        self._uploads[upload.hash] = upload
        return True

    async def upload(self, hash: bytes) -> Upload | None:
        self._require_open()
        return self._uploads.get(hash)

    async def reserve(self, hash: bytes, size: int, at: datetime, quota: int) -> bool:
        self._require_open()
        upload = self._running(hash)
        if upload is None or self._used(upload.owner, at, hash) + size > quota:
            return False
        self._uploads[hash] = replace(upload, reserved=max(upload.reserved, size))
        return True

    async def finish_upload(self, hash: bytes, file: File) -> Finished:
        self._require_open()
        upload = self._running(hash)
        if upload is None:
            return "gone"
        if (file.owner, file.id) in self._files:
            return "taken"
        self._files[file.owner, file.id] = file
        self._uploads[hash] = replace(upload, reserved=0, file_id=file.id)
        return "kept"

    async def drop_upload(self, hash: bytes) -> bool:
        self._require_open()
        upload = self._running(hash)
        if upload is None:
            return False
        self._leave(upload.blob)
        del self._uploads[hash]
        return True

    async def file(self, id: str, owner: str) -> File | None:
        self._require_open()
        return self._files.get((owner, id))

    async def files(self, owner: str, at: datetime, limit: int, after: Place | None = None) -> Sequence[File]:
        self._require_open()
        found = [file for file in self._files.values() if file.owner == owner and file.expires > at]
        behind = [file for file in found if after is None or (file.created, file.id) < after]
        return sorted(behind, key=lambda file: (file.created, file.id), reverse=True)[:limit]

    async def settle_file(self, file: File) -> bool:
        self._require_open()
        kept = self._files.get((file.owner, file.id))
        if kept is None or kept.blob != file.blob or kept.state is not FileState.PROCESSING:
            return False
        self._files[file.owner, file.id] = replace(
            kept,
            mime_type=file.mime_type,
            updated=file.updated,
            state=file.state,
            failure=file.failure,
            details=file.details,
        )
        return True

    async def delete_file(self, id: str, owner: str) -> str | None:
        self._require_open()
        file = self._files.pop((owner, id), None)
        if file is None:
            return None
        self._leave(file.blob)
        return file.blob

    async def processing(self) -> Sequence[File]:
        self._require_open()
        return [file for file in self._files.values() if file.state is FileState.PROCESSING]

    async def expire(self, at: datetime, limit: int) -> int:
        self._require_open()
        files = [file for file in self._files.values() if file.expires <= at][:limit]
        uploads = [upload for upload in self._uploads.values() if upload.expires <= at][:limit]
        for file in files:
            await self.delete_file(file.id, file.owner)
        for upload in uploads:
            if not await self.drop_upload(upload.hash):
                del self._uploads[upload.hash]
        return len(files) + len(uploads)

    async def litter(self, limit: int) -> Sequence[str]:
        self._require_open()
        return list(self._litter)[:limit]

    async def cleared(self, blobs: Sequence[str]) -> None:
        self._require_open()
        for blob in blobs:
            self._litter.pop(blob, None)

    # -- documents

    async def create_search_store(self, store: SearchStore, most: int) -> bool:
        return documents.create_store(self._database(), store, most)

    async def search_store(self, id: str, owner: str) -> SearchStore | None:
        return documents.load_store(self._database(), id, owner)

    async def search_stores(self, owner: str, limit: int, after: Place | None = None) -> Sequence[SearchStore]:
        return documents.list_stores(self._database(), owner, limit, after)

    async def delete_search_store(self, id: str, owner: str, *, force: bool) -> bool | None:
        return documents.delete_store(self._database(), id, owner, force, self._leave)

    async def finish_document_upload(self, hash: bytes, document: Document, most: int) -> Added:
        upload = self._running(hash)
        added = documents.add(self._database(), document, most) if upload else "gone"
        if upload and added == "kept":
            self._uploads[hash] = replace(upload, reserved=0, file_id=document.id)
        return added

    async def document(self, id: str, store_id: str, owner: str) -> Document | None:
        return documents.load(self._database(), id, store_id, owner)

    async def documents(self, store_id: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Document]:
        return documents.list_documents(self._database(), store_id, owner, limit, after)

    async def delete_document(self, id: str, store_id: str, owner: str, *, force: bool) -> bool | None:
        return documents.delete(self._database(), id, store_id, owner, force, self._leave)

    async def pending_documents(self) -> Sequence[Document]:
        return documents.pending(self._database())

    async def add_chunks(self, document: Document, first: int, chunks: Sequence[Chunk]) -> bool:
        return documents.add_chunks(self._database(), document, first, chunks)

    async def settle_document(self, document: Document, vectors: Vectors | None = None) -> bool:
        return documents.settle(self._database(), document, vectors, self._leave)

    async def searchable(self, scope: Scope, limit: int, after: int = 0) -> Sequence[Document]:
        return documents.searchable(self._database(), scope, limit, after)

    async def search_words(self, scope: Scope, query: str, limit: int) -> Sequence[int]:
        return documents.search_words(self._database(), scope, query, limit)

    async def vectors(self, scope: Scope, model: str) -> Sequence[Vectors]:
        return documents.load_vectors(self._database(), scope, model)

    async def found(self, ids: Sequence[int], owner: str) -> Sequence[Found]:
        return documents.found(self._database(), ids, owner)

    async def unembedded(self, model: str, limit: int) -> Sequence[Document]:
        return documents.unembedded(self._database(), model, limit)

    async def chunk_texts(self, key: int) -> Sequence[str]:
        return documents.chunk_texts(self._database(), key)

    async def keep_vectors(self, vectors: Vectors) -> bool:
        return documents.keep_vectors(self._database(), vectors)

    async def clear_chunks(self, limit: int) -> bool:
        return documents.clear_chunks(self._database(), limit)

    async def close(self) -> None:
        self._closed = True
        self._teller.close()
        if self._documents is not None:
            self._documents.close()

    # -- what they share

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed

    def _find(self, id: str, owner: str) -> Interaction | None:
        kept = self._interactions.get(id)
        return kept if kept is not None and kept.owner == owner else None

    def _is_current(self, id: str, attempt: int) -> bool:
        run = self._runs.get(id)
        return run is not None and run.attempt == attempt

    def _carried(self, id: str) -> Run:
        run = self._runs[id]
        return Run(self._interactions[id], run.attempt, run.deaths, run.baggage)

    def _require_new(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.id in self._notices:
                raise AlreadyKept(notice.id)

    def _running(self, hash: bytes) -> Upload | None:
        upload = self._uploads.get(hash)
        return upload if upload is not None and upload.file_id is None else None

    def _database(self) -> sqlite3.Connection:
        """Where the documents are, which is made when somebody first asks."""
        self._require_open()
        if self._documents is None:
            self._documents = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self._documents.close)  # whoever only tries something out need not close it
            begin_at_head(self._documents)
        return self._documents

    def _leave(self, blob: str) -> None:
        self._litter[blob] = None

    def _used(self, owner: str, at: datetime, but: bytes) -> int:
        """What the owner holds of the quota, but for this upload."""
        files = 0 if self._documents is None else documents.used(self._documents, owner)
        files += sum(f.size_bytes for f in self._files.values() if f.owner == owner and f.expires > at)
        return files + sum(
            upload.reserved
            for upload in self._uploads.values()
            if upload.owner == owner and upload.expires > at and upload.file_id is None and upload.hash != but
        )

    def _keep(self, batch: Batch | None) -> None:
        if batch is None or batch.id not in self._events:
            return
        events = self._events[batch.id]
        for position, event in enumerate(batch.events, batch.first):
            events.setdefault(position, event)
