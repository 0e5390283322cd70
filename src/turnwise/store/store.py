"""The contracts of what is kept: interactions, the journal of their events, keys, files and documents that are searched
in a store; and the bytes of files in a store of blobs.

Three rules hold for every store, and `tests/contract` tries them on each:

- A method that writes returns when what it wrote survives the process being killed; `create` and `finish` also
  survive the machine losing power.
- One call is one transaction: all of it is seen, or nothing.
- An interaction ends once. Of two callers of `finish`, exactly one is told True.

A blob is named by one row, of a file, a document or an upload. When that row goes, the blob's key is litter in the same
transaction, until it is told that the bytes are gone too: so nothing is left behind, whenever the process is killed.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from turnwise.domain.events import Event
from turnwise.domain.file_search import Chunk, Document, Found, SearchStore
from turnwise.domain.files import File, Upload
from turnwise.domain.interaction import Interaction, Status
from turnwise.domain.steps import Step


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one interaction. `first` is the position of the first one, counted from 1."""

    id: str
    first: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is kept: never the key itself."""

    id: str
    owner: str
    name: str
    hash: bytes
    """SHA-256 of the key."""
    prefix: str
    """The first characters of the key, so that a person can tell keys apart."""
    created: datetime
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """An interaction as a member of a chain: what travels along it, and whether it may be continued. No more, since a
    chain is as long as its conversation."""

    id: str
    previous_interaction_id: str | None
    status: Status
    input: tuple[Step, ...]
    steps: tuple[Step, ...]


def link_of(interaction: Interaction) -> Link:
    """What a chain has of an interaction."""
    turn = interaction.turn
    return Link(interaction.id, turn.previous_interaction_id, interaction.status, turn.input, interaction.steps)


class InteractionStore(Protocol):
    """Interactions and the journal of their events.

    `owner` is part of every look-up: a stranger's id and an unknown one are the same None.
    """

    async def create(self, interaction: Interaction, batch: Batch | None = None) -> None:
        """Keep a new interaction, ended or not, with its first events. An id that is in use is an error."""

    async def append(self, batches: Sequence[Batch]) -> None:
        """Keep more events, of any number of interactions, in one go. Appending the same batch again changes nothing.
        Events of an interaction that is not there (any more) are not kept."""

    async def finish(self, interaction: Interaction, batch: Batch | None = None) -> bool:
        """Keep the end of an interaction that was in progress, with its last events. False: it had already ended, or
        was deleted, and nothing was written."""

    async def load(self, id: str, owner: str) -> Interaction | None:
        """One interaction."""

    async def chain(self, id: str, owner: str) -> Sequence[Link]:
        """The interaction and all that it continues, oldest first. Where an ancestor is gone the chain starts after it:
        its first member then still names a `previous_interaction_id`."""

    async def events(self, id: str, after: int) -> Sequence[tuple[int, Event]]:
        """The events behind a position, in order. Empty when none were kept (then `replay` tells them)."""

    async def delete(self, id: str, owner: str) -> bool:
        """Remove an interaction and its events for good. False: there was none."""

    async def unfinished(self) -> Sequence[Interaction]:
        """Every interaction in progress: after a start, those that the last process left behind."""


class KeyStore(Protocol):
    """API keys."""

    async def add_key(self, key: Key) -> None:
        """Keep a new key."""

    async def keys(self) -> Sequence[Key]:
        """All keys, revoked ones too, oldest first."""

    async def revoke_key(self, id: str, at: datetime) -> bool:
        """Revoke a key. False: there is none with this id, or it was revoked before."""


Finished: TypeAlias = Literal["kept", "taken", "gone"]
"""What became of a file that an upload was to be: it is kept; its id is taken; or the upload is not running (any
more)."""

Place: TypeAlias = tuple[datetime, str]
"""Where a file stands in the list of its owner's files: when it was created, and its id."""


class FileStore(Protocol):
    """Files and uploads, without their bytes. `owner` is part of every look-up, as above.

    An owner's files that have not expired and uploads that are running count against a quota, in bytes.
    """

    async def begin_upload(self, upload: Upload, at: datetime, quota: int) -> bool:
        """Keep a new upload, if what it reserves is within the quota. False: it is not."""

    async def upload(self, hash: bytes) -> Upload | None:
        """One upload, by the hash of its secret."""

    async def reserve(self, hash: bytes, size: int, at: datetime, quota: int) -> bool:
        """Let a running upload reserve so many bytes at the least. False: that is over the quota, or it is not
        running."""

    async def finish_upload(self, hash: bytes, file: File) -> Finished:
        """Keep the file that a running upload has become. It reserves nothing any more, and names no blob."""

    async def drop_upload(self, hash: bytes) -> bool:
        """Remove a running upload; its blob is litter. False: there is none."""

    async def file(self, id: str, owner: str) -> File | None:
        """One file, expired or not."""

    async def files(self, owner: str, at: datetime, limit: int, after: Place | None = None) -> Sequence[File]:
        """An owner's files that have not expired, newest first, behind a place in that order."""

    async def settle_file(self, file: File) -> bool:
        """Keep what a file that was processing has turned out to be: its state, failure, details and mime type. False:
        it is not processing, or not there (any more)."""

    async def delete_file(self, id: str, owner: str) -> str | None:
        """Remove a file for good; its blob, which is returned, is litter. None: there was none."""

    async def processing(self) -> Sequence[File]:
        """Every file that is processing: after a start, those that the last process left behind."""

    async def expire(self, at: datetime, limit: int) -> int:
        """Remove at most so many files and as many uploads that have expired; their blobs are litter. Returns how many
        there were."""

    async def litter(self, limit: int) -> Sequence[str]:
        """Blobs that nothing names any more, and whose bytes may still be there."""

    async def cleared(self, blobs: Sequence[str]) -> None:
        """Their bytes are gone."""


Added: TypeAlias = Literal["kept", "gone", "full"]
"""What became of a document that was to be: it is kept; its file search store is not there, or its upload is not
running (any more); or the file search store has as many documents as it may."""

CHUNK_BITS = 20
"""How many bits of a chunk's id are its position in its document. The others are the document's key."""


def chunk_id(key: int, position: int) -> int:
    """The id of a chunk: which document it is of, and which of its chunks it is."""
    return key << CHUNK_BITS | position


@dataclass(frozen=True, slots=True)
class Scope:
    """Where is searched: documents of one owner that are active."""

    owner: str
    stores: tuple[str, ...]
    """The ids of file search stores."""
    documents: tuple[int, ...] | None = None
    """The keys of documents in them. None: all."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """What the chunks of a document mean, as an embedding model has it."""

    document: int
    """Its key."""
    model: str
    size: int
    """How many numbers a chunk has."""
    data: bytes
    """The numbers of all chunks, in their order, as 16-bit floats, little-endian."""


class DocumentStore(Protocol):
    """File search stores, their documents, and the chunks that are searched for. `owner` is part of every look-up.

    The chunks of a document are searched once it is active, and never again once it is deleted; they themselves are
    removed after it, a few at a time, by `clear_chunks`. Documents that have not failed count against their owner's
    quota, as files do.
    """

    async def create_search_store(self, store: SearchStore, most: int) -> bool:
        """Keep a new file search store. False: its owner has as many as may be."""

    async def search_store(self, id: str, owner: str) -> SearchStore | None:
        """One file search store."""

    async def search_stores(self, owner: str, limit: int, after: Place | None = None) -> Sequence[SearchStore]:
        """An owner's file search stores, oldest first, behind a place in that order."""

    async def delete_search_store(self, id: str, owner: str, *, force: bool) -> bool | None:
        """Remove a file search store for good, with its documents if that is forced. False: it has some, and it is
        not. None: there is none."""

    async def finish_document_upload(self, hash: bytes, document: Document, most: int) -> Added:
        """Keep the document that a running upload has become, if its file search store has fewer than `most`. It is
        pending. The upload reserves nothing any more, and names no blob."""

    async def document(self, id: str, store_id: str, owner: str) -> Document | None:
        """One document."""

    async def documents(self, store_id: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Document]:
        """The documents of a file search store, oldest first, behind a place in that order."""

    async def delete_document(self, id: str, store_id: str, owner: str, *, force: bool) -> bool | None:
        """Remove a document for good. False: it is active, and this is not forced. None: there is none."""

    async def pending_documents(self) -> Sequence[Document]:
        """Every document that is pending: after a start, those that the last process left behind."""

    async def add_chunks(self, document: Document, first: int, chunks: Sequence[Chunk]) -> bool:
        """Keep chunks of a pending document, from a position on. With the position 0 those that it had are gone. False:
        it is not pending, or not there (any more), and nothing was kept."""

    async def settle_document(self, document: Document, vectors: Vectors | None = None) -> bool:
        """Keep what a pending document has turned out to be: its state, failure and mime type. Its blob is litter.
        False: it is not pending, or not there (any more)."""

    async def searchable(self, scope: Scope, limit: int, after: int = 0) -> Sequence[Document]:
        """The documents in which is searched, in the order of their keys: those behind a key, and at most so many."""

    async def search_words(self, scope: Scope, query: str, limit: int) -> Sequence[int]:
        """The ids of chunks that have words of a query, in whatever form, the best first. The query is plain language:
        nothing in it has a meaning of its own."""

    async def vectors(self, scope: Scope, model: str) -> Sequence[Vectors]:
        """What an embedding model made of the documents in which is searched."""

    async def found(self, ids: Sequence[int], owner: str) -> Sequence[Found]:
        """Chunks by their ids, in that order. Those that are gone are left out."""

    async def unembedded(self, model: str, limit: int) -> Sequence[Document]:
        """Active documents of which this embedding model has made nothing."""

    async def chunk_texts(self, key: int) -> Sequence[str]:
        """The texts of a document's chunks, in order."""

    async def keep_vectors(self, vectors: Vectors) -> bool:
        """Keep what an embedding model made of an active document, in place of what another did. False: it is not
        there (any more)."""

    async def clear_chunks(self, limit: int) -> bool:
        """Remove at most so many chunks of documents that are gone. False: there was none left."""


class Store(InteractionStore, KeyStore, FileStore, DocumentStore, Protocol):
    """All of it, as `app.py` opens and closes it."""

    async def close(self) -> None:
        """Finish what was begun and let go of the files."""


class Gap(Exception):
    """Bytes were to be written behind the end of what is there. `size` is where that end is."""

    def __init__(self, size: int) -> None:
        super().__init__(f"there are {size} bytes so far")
        self.size = size


@dataclass(frozen=True, slots=True)
class Sealed:
    """A blob that is whole."""

    size: int
    """In bytes."""
    sha256: bytes


class BlobStore(Protocol):
    """Bytes under keys that the caller makes up: letters and digits, never used twice.

    A blob grows at its end, from any number of writers at once who all bring the same bytes, until it is sealed. Then
    it survives the machine losing power, and never changes again. Bytes that `append` has acknowledged survive the
    process being killed. No method holds more than a few MiB of a blob in memory.
    """

    async def size(self, key: str) -> int:
        """How many bytes are there, sealed or not. 0: none, or there is no such blob."""

    async def append(self, key: str, offset: int, pieces: AsyncIterator[bytes]) -> int:
        """Write from an offset on. What is there already is taken to be the same. Returns the size of the blob. When
        the pieces break off with an error, those that came are kept, and the error is passed on.

        Raises:
            Gap: the offset is behind the end.
        """

    async def seal(self, key: str) -> Sealed:
        """Make a blob whole, an empty one if nothing was written. Sealing it again changes nothing."""

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes of a sealed blob, from `start` up to, but not with, `end`.

        Raises:
            FileNotFoundError: there is no such blob.
        """

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """A sealed blob as a file on this machine's disk, for reading, as long as the block lasts.

        Raises:
            FileNotFoundError: there is no such blob.
        """

    async def delete(self, key: str) -> None:
        """Remove a blob, sealed or not, if it is there."""

    async def close(self) -> None:
        """Finish what was begun."""
