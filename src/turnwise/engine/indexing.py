"""Reading documents: bytes become chunks, which are kept, and what these mean, where an embedding model says so.

A document is read in the background, a few at a time. One that is deleted meanwhile is let go of.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

from turnwise.domain.errors import InvalidRequest, ModelFailed, Unimplemented
from turnwise.domain.file_search import Chunk, Chunking, Document, DocumentState
from turnwise.domain.interaction import Failure
from turnwise.engine.looking import OUR_FAULT
from turnwise.engine.nearest import pack
from turnwise.engine.uploads import Uploads
from turnwise.media.media import Material, Passage, Reader
from turnwise.store.store import DocumentStore, Vectors

log = logging.getLogger("turnwise.file_search")

CHUNKS = 20_000
"""How many chunks a document may have."""

EMBEDDED_AT_ONCE = 8
"""How many chunks an embedding model is given in one go: a query waits behind them, and no longer."""

AT_ONCE = 2
"""How many documents are read side by side."""

BATCH = 200
"""How many chunks are kept, or cleared, in one go, so that nobody who writes waits long behind them."""


class Embedder(Protocol):
    """An embedding model."""

    @property
    def name(self) -> str:
        """What it is called: vectors of another name are not its own."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """What texts mean, each as so many numbers. Texts that are too long are cut.

        Raises:
            ModelFailed: it cannot say, for now.
        """


class Indexing:
    """Reads documents into a store."""

    def __init__(
        self,
        store: DocumentStore,
        uploads: Uploads,
        reader: Reader,
        embedder: Embedder | None,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._reader = reader
        self._embedder = embedder
        self._clock = clock
        self._free = asyncio.Semaphore(AT_ONCE)

    async def read(self, document: Document) -> None:
        """Read a document, and keep what it has turned out to be."""
        async with self._free:
            broke: Exception | None = None
            vectors: Vectors | None = None
            try:
                active, chunks = await self._chunks(document)
                vectors = await self._keep(active, chunks)
                settled = replace(active, state=DocumentState.ACTIVE)
            except _Gone:
                return
            except (InvalidRequest, Unimplemented) as error:
                settled = _failed(document, Failure(error.code, error.message))
            except Exception as error:  # whatever breaks on somebody else's file is that file's failure
                settled, broke = _failed(document, OUR_FAULT), error
            if not await self._store.settle_document(replace(settled, updated=self._clock()), vectors):
                return  # it was deleted meanwhile, which may be what broke
            if broke is not None:
                log.error("the document %s could not be read", document.id, exc_info=broke)
            if document.blob is not None:
                await self._uploads.remove(document.blob)

    async def _chunks(self, document: Document) -> tuple[Document, Sequence[Chunk]]:
        """What a document says, in chunks; and the document, as what its bytes say that it is."""
        assert document.blob is not None
        async with self._uploads.local(document.blob) as path:
            kind = await asyncio.to_thread(self._reader.identify, path, document.mime_type or None)
            material = Material(path, kind, document.size_bytes, await asyncio.to_thread(_sha256, path))
            account = await self._reader.read(material)
        chunks = await asyncio.to_thread(_cut, account.passages, document.chunking)  # seconds, for a long document
        if not chunks:
            raise InvalidRequest(f"there are no words in it that could be searched for: {account.facts}")
        if len(chunks) > CHUNKS:
            raise InvalidRequest(
                f"it is more than {CHUNKS} chunks of at most {document.chunking.words} words; give it in parts, or "
                "with larger chunks"
            )
        return replace(document, mime_type=kind.mime_type), chunks

    async def _keep(self, document: Document, chunks: Sequence[Chunk]) -> Vectors | None:
        """Keep the chunks of a document. What they mean is kept with its end."""
        for first in range(0, len(chunks), BATCH):
            if not await self._store.add_chunks(document, first, chunks[first : first + BATCH]):
                raise _Gone
        if self._embedder is None:
            return None
        try:
            return await self._embedded(self._embedder, document.key, [chunk.text for chunk in chunks])
        except ModelFailed as error:
            log.warning("the document %s is searched by its words alone for now: %s", document.id, error.message)
            return None

    async def _embedded(self, embedder: Embedder, key: int, texts: Sequence[str]) -> Vectors:
        rows: list[Sequence[float]] = []
        for first in range(0, len(texts), EMBEDDED_AT_ONCE):
            rows += await embedder.embed(texts[first : first + EMBEDDED_AT_ONCE])
        return await asyncio.to_thread(pack, key, embedder.name, rows)

    async def embed_others(self) -> None:
        """Have documents embedded that were read without the embedding model, if there is one."""
        embedder = self._embedder
        if embedder is None:
            return
        try:
            while found := await self._store.unembedded(embedder.name, 1):
                (document,) = found
                texts = await self._store.chunk_texts(document.key)
                await self._store.keep_vectors(await self._embedded(embedder, document.key, texts))
        except ModelFailed as error:
            log.warning("documents are searched by their words alone for now: %s", error.message)
        except Exception:  # they can be searched all the same
            log.exception("documents that another embedding model read could not all be read anew")


class _Gone(Exception):
    """The document was deleted while it was read."""


def _cut(passages: Iterable[Passage], chunking: Chunking) -> list[Chunk]:
    """What passages say, in as many chunks as a document may have, and one more."""
    from turnwise.engine.chunking import cut  # and `regex` with it, which few servers need

    return list(islice(cut(passages, chunking), CHUNKS + 1))


def _failed(document: Document, failure: Failure) -> Document:
    return replace(document, state=DocumentState.FAILED, failure=failure)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
