"""The contracts of what is kept: interactions, the journal of their events, runs, keys, files and documents that are
searched in a store; and the bytes of files in a store of blobs.

Four rules hold for every store, and `tests/contract` tries them on each:

- A method that writes returns when what it wrote survives the process being killed; `create` and `finish` also
  survive the machine losing power.
- One call is one transaction: all of it is seen, or nothing.
- An interaction ends once. Of two callers of `finish`, exactly one is told True.
- A run has one carrier. Whoever had it before and does not know that it lost it can neither add to it nor end it.

A blob is named by one row, of a file, a document or an upload. When that row goes, the blob's key is litter in the same
transaction, until it is told that the bytes are gone too: so nothing is left behind, whenever the process is killed.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from turnwise.domain.content import JSON
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
    attempt: int = 1
    """Which attempt at the run tells them."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who carries runs, and for how many seconds it is believed to be alive without another word of it."""

    carrier: str
    """A name that no other process has, and none had before."""
    seconds: float


@dataclass(frozen=True, slots=True)
class NewRun:
    """What becomes of an interaction that is created in progress: work that somebody carries to its end."""

    baggage: bytes = b""
    """What the request brought along that is kept no longer than the run. It means nothing to the store."""
    lease: Lease | None = None
    """Who carries it from the start, as the first attempt. None: it waits for somebody."""
    followed: bool = False
    """Whether somebody reads all of it, from its first event on, and hears of it by that: it survives the process when
    it is kept, and the machine losing power a moment later."""


Creation: TypeAlias = Callable[["Batch"], Awaitable[None]]
"""Keeps an interaction in progress, with its first events."""


def require_its_run(interaction: Interaction, run: NewRun | None) -> None:
    """See to it that an interaction in progress comes with its run, and no other does.

    Raises:
        ValueError: the caller has made a mistake.
    """
    if (interaction.status is Status.IN_PROGRESS) != (run is not None):
        raise ValueError(f"{interaction.id}: what is in progress is created with a run, and nothing else is")


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as whoever is to carry it gets it."""

    interaction: Interaction
    """As it was created."""
    attempt: int
    """Grows each time that somebody takes the run, from 1. Events of an earlier attempt are not taken any more."""
    deaths: int
    """How many carriers have died with it: their lease ran out, and they did not release it."""
    baggage: bytes = b""


@dataclass(frozen=True, slots=True)
class News:
    """What has happened to runs, wherever that was: in this process or in another one."""

    told: frozenset[str] = frozenset()
    """Interactions that have more events, or have ended, or were deleted."""
    taken: frozenset[str] = frozenset()
    """Runs that were taken from whoever carried them, or ended or deleted under its hands."""
    waiting: bool = False
    """Whether a run waits for a carrier."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the outside is to be told, until it has heard it."""

    id: str
    owner: str
    body: Mapping[str, JSON]
    """It means nothing to the store."""
    created: datetime
    due: datetime
    """When to try next."""
    attempts: int = 0
    """How often it was tried."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something small that an owner has made and goes by a name: a webhook, an agent."""

    kind: str
    id: str
    owner: str
    created: datetime
    updated: datetime
    body: Mapping[str, JSON]
    """It means nothing to the store."""


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

    async def create(
        self,
        interaction: Interaction,
        batch: Batch | None = None,
        run: NewRun | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        """Keep a new interaction with its first events: one that has ended, or one in progress with its run. An id
        that is in use is an error."""

    def creation(self, interaction: Interaction, run: NewRun) -> Creation:
        """The same of one in progress, in two parts: what can be made of it beforehand is made now, and it is kept when
        what this gives is called with its first events."""

    async def append(self, batches: Sequence[Batch]) -> Collection[str]:
        """Keep more events, of any number of interactions, in one go. Appending the same batch again changes nothing.
        Returns the ids of those that were not kept: the run has ended, was deleted, or is another attempt's now."""

    async def finish(
        self, interaction: Interaction, batch: Batch | None = None, *, attempt: int, notices: Sequence[Notice] = ()
    ) -> bool:
        """Keep the end of an interaction that was in progress, with its last events and what the outside is to be told
        of it; its run is gone. False: it had already ended, was deleted, or is another attempt's now, and nothing was
        written."""

    async def load(self, id: str, owner: str) -> Interaction | None:
        """One interaction."""

    async def chain(self, id: str, owner: str) -> Sequence[Link]:
        """The interaction and all that it continues, oldest first. Where an ancestor is gone the chain starts after it:
        its first member then still names a `previous_interaction_id`."""

    async def events(self, id: str, after: int) -> Sequence[tuple[int, Event]]:
        """The events behind a position, in order. Empty when none were kept (then `replay` tells them)."""

    async def tail(self, places: Mapping[str, int]) -> Mapping[str, Sequence[tuple[int, Event]]]:
        """The same of many interactions at once: for each that has events behind its position, these events."""

    async def delete(self, id: str, owner: str) -> bool:
        """Remove an interaction, its run and its events for good. False: there was none."""


class RunStore(Protocol):
    """Runs: interactions in progress, and who carries them.

    A run is there from `create` to `finish` or `delete`. It waits, or a carrier has it, whose lease it prolongs by
    `beat`. A lease that has run out means that the carrier is dead: the run waits again.
    """

    @property
    def pace(self) -> float:
        """For how many seconds events should gather before they are appended: what a group costs others."""

    @property
    def patience(self) -> float:
        """After how many seconds without `news` to look for oneself."""

    async def claim(self, lease: Lease, limit: int) -> Sequence[Run]:
        """Take at most so many runs that wait, the oldest first. No two callers get the same one. Who asks is alive:
        what it has, even by a lease that ran out, is not among them."""

    async def take(self, id: str, owner: str, lease: Lease) -> Run | None:
        """Take a run, from whoever has it. That is no death. None: there is none (any more)."""

    async def beat(self, lease: Lease) -> Mapping[str, int]:
        """Prolong all leases of a carrier. Returns the runs that it has, with their attempts."""

    async def release(self, carrier: str, ids: Collection[str] | None = None) -> None:
        """Give runs of a carrier back, all of them by default: they wait, and that is no death."""

    async def abandon(self) -> None:
        """Have every run wait: the caller knows that nobody carries any. Those that were carried count a death."""

    def news(self) -> AsyncGenerator[News, None]:
        """What happens to runs, from now on. Some may be missed: look for oneself now and then, and whenever it is
        said that nothing in particular has happened."""


class NoticeStore(Protocol):
    """What the outside is to be told."""

    async def add_notices(self, notices: Sequence[Notice]) -> None:
        """Keep more of them."""

    async def due_notices(self, at: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        """Take at most so many that are due, the longest due first: they are due again at `until`, unless they are
        settled before. No two callers get the same one. `attempts` counts this one too."""

    async def put_off_notices(self, notices: Sequence[Notice]) -> None:
        """Notices were taken and not tried: their `due` and their `attempts` are these. Those that are gone stay so."""

    async def settle_notice(self, id: str, due: datetime | None) -> None:
        """A notice was tried: it was heard, or nobody will ever hear it (None), or it is due again."""


class ResourceStore(Protocol):
    """Webhooks, agents and the like. `owner` is part of every look-up."""

    async def add_resource(self, resource: Resource, most: int) -> Literal["kept", "taken", "full"]:
        """Keep a new one, if its owner has none of this kind with this id (`taken`), and fewer than `most` (`full`)."""

    async def resource(self, kind: str, id: str, owner: str) -> Resource | None:
        """One of them."""

    async def resources(self, kind: str, owner: str, limit: int, after: "Place | None" = None) -> Sequence[Resource]:
        """An owner's of a kind, oldest first, behind a place in that order."""

    async def change_resource(self, resource: Resource, was: datetime) -> bool:
        """Keep what has become of one (`body`, `updated`), if it was last updated then. False: it was changed
        meanwhile, or is not there (any more)."""

    async def delete_resource(self, kind: str, id: str, owner: str) -> bool:
        """Remove one for good. False: there was none."""


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


class SecretStore(Protocol):
    """What all processes of a server know, and nobody else."""

    async def secret(self, name: str, proposed: bytes) -> bytes:
        """A secret. If there was none of this name, it is what was proposed, from now on."""


class Store(
    InteractionStore, RunStore, NoticeStore, ResourceStore, KeyStore, FileStore, DocumentStore, SecretStore, Protocol
):
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
