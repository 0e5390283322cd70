"""File search: stores of documents, what becomes of a file that is put into one, and how one is searched.

A file comes by an upload of its own or from the Files API. Either way its bytes are an upload's until all of them are
there, and then a document's, which is pending until it has been read: cut into chunks, which are kept, while the bytes
are not. Reading goes on in the background, and after a restart anew. Who wants to know how far it is asks for the
operation, which is nothing but the document seen as one: it is over when the document is no longer pending.

Chunks are found by their words and, where there is an embedding model, by what they mean; the two orders are fused.
"""

import asyncio
import logging
import re
import secrets
import string
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from turnwise.domain.errors import FailedPrecondition, InvalidRequest, ModelFailed, NotFound
from turnwise.domain.file_search import STORE_PREFIX, Document, Found, NewDocument, SearchStore
from turnwise.domain.files import NewFile, Upload
from turnwise.engine.files import Files
from turnwise.engine.indexing import BATCH, Embedder, Indexing
from turnwise.engine.nearest import fuse, nearest
from turnwise.engine.pages import read_token, write_token
from turnwise.engine.uploads import Progress, no_such_upload
from turnwise.media.media import Reader
from turnwise.store.store import DocumentStore, Scope

if TYPE_CHECKING:
    from turnwise.engine.filters import Filter

log = logging.getLogger("turnwise.file_search")

STORES = 100
"""How many file search stores an owner may have."""

DOCUMENTS = 10_000
"""How many documents a file search store may have."""

PATIENCE = 1.0
"""Seconds that the end of an upload waits for the document to be read: clients that find it unfinished wait for
seconds before they ask again."""

FILTERING = 10.0
"""Seconds that a filter may take over the documents of a search."""

FILTERED_AT_ONCE = 200
"""How many documents are read at once for a filter."""

CANDIDATES = 100
"""How many chunks either way of searching gives at the least, for the two to be fused."""


class FileSearch:
    """The file search stores of all owners."""

    def __init__(
        self,
        store: DocumentStore,
        files: Files,
        reader: Reader,
        *,
        clock: Callable[[], datetime],
        embedder: Embedder | None = None,
    ) -> None:
        """`files` are those of the Files API, whose uploads are used here too. All of them are closed by whoever opened
        them."""
        self._store = store
        self._files = files
        self._uploads = files.uploads
        self._clock = clock
        self._embedder = embedder
        self._indexing = Indexing(store, files.uploads, reader, embedder, clock=clock)
        self._clearing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the life of the whole

    async def start(self, *, left: timedelta = timedelta(0)) -> None:
        """Go on with what processes left undone: with all that has been pending for so long."""
        for document in await self._store.pending_documents():
            if document.updated <= self._clock() - left:
                self._do(self._indexing.read(document), f"read document {document.id}")
        self._do(self._clear(), "clear chunks")
        self._do(self._indexing.embed_others(), "embed documents")

    async def close(self) -> None:
        """Stop what goes on. Documents that are pending are read after the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- stores

    async def create(self, owner: str, *, display_name: str = "", embedding_model: str = "") -> SearchStore:
        """Make a file search store. Whatever its embedding model is called, it is searched as this server is set up.

        Raises:
            FailedPrecondition: the owner has as many as may be.
        """
        now = self._clock()
        store = SearchStore(_new_id(display_name), owner, now, now, display_name, embedding_model)
        if not await self._store.create_search_store(store, STORES):
            raise FailedPrecondition(
                f"you have {STORES} file search stores, which is as many as there may be; delete some"
            )
        return store

    async def get(self, id: str, owner: str) -> SearchStore:
        """One file search store, as it stands.

        Raises:
            NotFound: there is none.
        """
        store = await self._store.search_store(id, owner)
        if store is None:
            raise no_such_store(id)
        return store

    async def list(self, owner: str, size: int, token: str | None = None) -> tuple[Sequence[SearchStore], str | None]:
        """A page of an owner's stores, oldest first, and what asks for the next one. None: this was the last.

        Raises:
            InvalidRequest: the token is none of ours.
        """
        after = None if token is None else read_token(token)
        found = await self._store.search_stores(owner, size + 1, after)
        return found[:size], write_token((found[size - 1].created, found[size - 1].id)) if len(found) > size else None

    async def delete(self, id: str, owner: str, *, force: bool) -> None:
        """Remove a file search store for good, with everything that is in it.

        Raises:
            NotFound: there is none.
            FailedPrecondition: it has documents, and this is not forced.
        """
        deleted = await self._store.delete_search_store(id, owner, force=force)
        if deleted is None:
            raise no_such_store(id)
        if not deleted:
            raise FailedPrecondition(f"'{STORE_PREFIX}{id}' has documents; delete them, or delete it with force=true")
        await self._clean_up()

    # -- documents

    async def document(self, id: str, store_id: str, owner: str) -> Document:
        """One document, as it stands.

        Raises:
            NotFound: there is none.
        """
        document = await self._store.document(id, store_id, owner)
        if document is None:
            raise _no_such_document(id, store_id)
        return document

    async def documents(
        self, store_id: str, owner: str, size: int, token: str | None = None
    ) -> tuple[Sequence[Document], str | None]:
        """A page of a store's documents, oldest first, and what asks for the next one. None: this was the last.

        Raises:
            NotFound: there is no such store.
            InvalidRequest: the token is none of ours.
        """
        after = None if token is None else read_token(token)
        found = await self._store.documents(store_id, owner, size + 1, after)
        if not found:
            await self.get(store_id, owner)
        return found[:size], write_token((found[size - 1].created, found[size - 1].id)) if len(found) > size else None

    async def delete_document(self, id: str, store_id: str, owner: str, *, force: bool) -> None:
        """Remove a document for good, with its chunks.

        Raises:
            NotFound: there is none.
            FailedPrecondition: it has chunks, and this is not forced.
        """
        deleted = await self._store.delete_document(id, store_id, owner, force=force)
        if deleted is None:
            raise _no_such_document(id, store_id)
        if not deleted:
            raise FailedPrecondition(f"'{document_name(id, store_id)}' has chunks; delete it with force=true")
        await self._clean_up()

    async def _clean_up(self) -> None:
        """See that what was deleted is nowhere any more."""
        await self._clear()
        await self._files.clear_litter()

    async def _clear(self) -> None:
        async with self._clearing:
            while await self._store.clear_chunks(BATCH):
                pass

    # -- files that come

    async def import_file(self, file_id: str, owner: str, wanted: NewDocument) -> Document:
        """Have a file of the Files API become a document. The document has bytes of its own until it has been read, so
        the file may go.

        Raises:
            NotFound: there is no such store, or no such file.
            FailedPrecondition: the file is still processing, or has failed; or the store is full.
            RateLimited: it is more than the owner's quota has room for.
        """
        await self.get(wanted.store_id, owner)
        file = await self._files.usable(file_id, owner)
        said = NewFile(None, file.display_name or file.id, file.mime_type, file.size_bytes, document=wanted)
        upload = await self._uploads.find(await self._uploads.begin(owner, said))
        try:
            await self._uploads.write(upload, 0, await self._files.read(file))
            return await self._finish(upload)
        except BaseException:
            await self._uploads.drop(upload)
            raise

    async def begin(self, owner: str, wanted: NewFile) -> str:
        """Begin the upload of a document. Returns its secret.

        Raises:
            NotFound: there is no such store.
            PayloadTooLarge: the file is larger than any may be.
            RateLimited: it is more than the owner's quota has room for.
        """
        assert wanted.document is not None
        await self.get(wanted.document.store_id, owner)
        return await self._uploads.begin(owner, wanted)

    async def write(self, secret: str, store_id: str, offset: int, pieces: AsyncIterator[bytes]) -> Progress:
        """Write from an offset on. See `Uploads.write`."""
        upload = await self._upload(secret, store_id)
        if upload.file_id is not None:
            return await self._progress(upload)
        return Progress(await self._uploads.write(upload, offset, pieces))

    async def query(self, secret: str, store_id: str) -> Progress:
        """How far an upload has come.

        Raises:
            NotFound: there is no such upload.
        """
        return await self._progress(await self._upload(secret, store_id))

    async def finalize(self, secret: str, store_id: str) -> Document:
        """Make a document of what has come. Doing it again gives the same one. It may still be pending.

        Raises:
            NotFound: there is no such upload, or the store is gone meanwhile.
            InvalidRequest: bytes are missing.
            FailedPrecondition: the store is full.
        """
        upload = await self._upload(secret, store_id)
        if upload.file_id is not None:
            return await self.document(upload.file_id, store_id, upload.owner)
        return await self._finish(upload)

    async def cancel(self, secret: str, store_id: str) -> None:
        """End an upload and remove what has come.

        Raises:
            NotFound: there is no such upload.
            FailedPrecondition: it is a document already.
        """
        await self._uploads.cancel(await self._upload(secret, store_id))

    async def _upload(self, secret: str, store_id: str) -> Upload:
        upload = await self._uploads.find(secret)
        if upload.wanted.document is None or upload.wanted.document.store_id != store_id:
            raise no_such_upload()
        return upload

    async def _progress(self, upload: Upload) -> Progress:
        wanted = upload.wanted.document
        if upload.file_id is None or wanted is None:
            return Progress(await self._uploads.received(upload))
        document = await self.document(upload.file_id, wanted.store_id, upload.owner)
        return Progress(document.size_bytes, document)

    async def _finish(self, upload: Upload) -> Document:
        """Make a document of an upload, and begin to read it."""
        wanted, now = upload.wanted.document, self._clock()
        assert wanted is not None
        sealed = await self._uploads.seal(upload)
        document = Document(
            id=_new_id(upload.wanted.display_name),
            store_id=wanted.store_id,
            owner=upload.owner,
            display_name=upload.wanted.display_name,
            mime_type=upload.wanted.mime_type,
            size_bytes=sealed.size,
            created=now,
            updated=now,
            metadata=wanted.metadata,
            chunking=wanted.chunking,
            blob=upload.blob,
        )
        match await self._store.finish_document_upload(upload.hash, document, DOCUMENTS):
            case "kept":
                kept = await self.document(document.id, document.store_id, document.owner)
                reading = self._do(self._indexing.read(kept), f"read document {kept.id}")
                await asyncio.wait({reading}, timeout=PATIENCE)
                return await self.document(document.id, document.store_id, document.owner)
            case "full":
                await self._uploads.drop(upload)
                raise FailedPrecondition(
                    f"'{STORE_PREFIX}{wanted.store_id}' has {DOCUMENTS} documents, which is as many as there may be; "
                    "delete some, or make another file search store"
                )
            case "gone":
                if await self._store.search_store(wanted.store_id, upload.owner) is None:
                    await self._uploads.drop(upload)
                    raise no_such_store(wanted.store_id)
                id = await self._uploads.finished_by_another(upload)
                return await self.document(id, wanted.store_id, upload.owner)

    # -- searching

    def check_filter(self, text: str) -> None:
        """See whether a filter is one.

        Raises:
            InvalidRequest: it is not; the message names the place.
        """
        parse_filter(text)

    async def search(
        self, owner: str, stores: Sequence[str], query: str, *, limit: int, metadata_filter: str | None = None
    ) -> Sequence[Found]:
        """The chunks that have most to do with a query, the best first.

        Raises:
            InvalidRequest: the filter is none, or takes too long.
        """
        scope = Scope(owner, tuple(stores))
        if metadata_filter is not None:
            scope = replace(scope, documents=await self._fitting(scope, parse_filter(metadata_filter)))
        most = max(limit, CANDIDATES)
        rankings = await asyncio.gather(
            self._store.search_words(scope, query, most), self._search_meaning(scope, query, most)
        )
        return await self._store.found(fuse(rankings)[:limit], owner)

    async def _fitting(self, scope: Scope, fits: "Filter") -> tuple[int, ...]:
        """The keys of the documents that a filter lets through. A long filter takes its time over long metadata, which
        is why it is tried beside the event loop, and not for ever."""
        until, keys, after = time.monotonic() + FILTERING, list[int](), 0
        while documents := await self._store.searchable(scope, FILTERED_AT_ONCE, after):
            keys += await asyncio.to_thread(_filtered, documents, fits, until)
            after = documents[-1].key
        return tuple(keys)

    async def _search_meaning(self, scope: Scope, query: str, limit: int) -> Sequence[int]:
        if self._embedder is None or not query.strip():
            return ()
        try:
            (wanted,) = await self._embedder.embed([query])
        except ModelFailed as error:
            log.warning("searched by words alone: %s", error.message)
            return ()
        vectors = await self._store.vectors(scope, self._embedder.name)
        return await asyncio.to_thread(nearest, vectors, wanted, limit)


def parse_filter(text: str) -> "Filter":
    """See `filters.py`, which is imported when there is a filter: few servers ever have one."""
    from turnwise.engine import filters

    return filters.parse_filter(text)


def _filtered(documents: Sequence[Document], fits: "Filter", until: float) -> Sequence[int]:
    keys = []
    for document in documents:
        if time.monotonic() > until:
            raise InvalidRequest(
                f"the filter takes more than {FILTERING:g} s over the metadata of all documents; make it shorter"
            )
        if fits(document.metadata):
            keys.append(document.key)
    return keys


def document_name(id: str, store_id: str) -> str:
    """What a document is called on the wire."""
    return f"{STORE_PREFIX}{store_id}/documents/{id}"


def no_such_store(id: str) -> NotFound:
    """What is said of a file search store that is not there."""
    return NotFound(f"there is no file search store '{STORE_PREFIX}{id}'; it was never made by you, or is deleted")


def _no_such_document(id: str, store_id: str) -> NotFound:
    return NotFound(
        f"there is no document '{document_name(id, store_id)}'; it was never put there by you, or is deleted"
    )


def _new_id(display_name: str) -> str:
    """What is made of a display name, and twelve letters and digits that nobody can guess."""
    plain = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[:27].strip("-")
    chance = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))
    return f"{words}-{chance}" if words else chance
