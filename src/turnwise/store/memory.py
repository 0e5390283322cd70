"""The store in memory: for tests, and for whoever wants nothing kept.

It keeps the same promises as every other store, but for the one about being killed. Tests of your own may
use it:

    store = MemoryStore()
    await store.create(interaction)
    assert await store.load(interaction.id, interaction.owner) == interaction
"""

import sqlite3
import weakref
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from turnwise.domain.events import Event
from turnwise.domain.file_search import Chunk, Document, Found, SearchStore
from turnwise.domain.files import File, FileState, Upload
from turnwise.domain.interaction import Interaction, Status
from turnwise.store import documents
from turnwise.store.errors import AlreadyKept, StoreClosed
from turnwise.store.migrate import begin_at_head
from turnwise.store.store import Added, Batch, Finished, Key, Link, Place, Scope, Vectors, link_of


class MemoryStore:
    """See `store.py` for what its methods promise. No method waits, so each is one transaction.

    Documents are searched by SQLite's index of words, here too: so they are in a database, which is in memory.
    """

    def __init__(self) -> None:
        self._interactions: dict[str, Interaction] = {}
        self._events: dict[str, dict[int, Event]] = {}
        self._keys: dict[str, Key] = {}
        self._files: dict[tuple[str, str], File] = {}
        self._uploads: dict[bytes, Upload] = {}
        self._litter: dict[str, None] = {}
        self._documents: sqlite3.Connection | None = None
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
        if self._documents is not None:
            self._documents.close()

    # -- what they share

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed

    def _find(self, id: str, owner: str) -> Interaction | None:
        kept = self._interactions.get(id)
        return kept if kept is not None and kept.owner == owner else None

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
