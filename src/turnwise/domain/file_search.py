"""File search stores, their documents, and what is found in them, as the API has them.

A store holds documents; a document is a file that was read once and cut into chunks. The chunks are what is searched
for, and what a model is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from turnwise.domain.interaction import Failure

STORE_PREFIX = "fileSearchStores/"


class DocumentState(StrEnum):
    """Where a document stands. The values are the API's own words."""

    PENDING = "STATE_PENDING"
    ACTIVE = "STATE_ACTIVE"
    FAILED = "STATE_FAILED"


MetadataValue: TypeAlias = str | int | float | tuple[str, ...]

Metadata: TypeAlias = Mapping[str, MetadataValue]
"""What a client has said of a document, by key; filters ask for it."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """How a document is cut. The API calls words tokens here."""

    words: int = 200
    """How many words a chunk has at the most."""
    overlap: int = 20
    """How many of them are the last ones of the chunk before."""


@dataclass(frozen=True, slots=True)
class SearchStore:
    """A file search store, with what its documents amount to."""

    id: str
    """At most 40 of [a-z0-9-]; its name on the wire is `fileSearchStores/<id>`. No two, of whatever owner, are the
    same."""
    owner: str
    created: datetime
    updated: datetime
    display_name: str = ""
    embedding_model: str = ""
    """The embedding model that was asked for, as it was asked for."""
    active: int = 0
    """How many documents can be searched."""
    pending: int = 0
    failed: int = 0
    size_bytes: int = 0
    """Of the files that became its documents."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What is said of a document before its bytes come, beside what is said of every file."""

    store_id: str
    metadata: Metadata = field(default_factory=dict)
    chunking: Chunking = field(default_factory=Chunking)


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a file search store."""

    id: str
    """Its name on the wire is `fileSearchStores/<store_id>/documents/<id>`."""
    store_id: str
    owner: str
    display_name: str
    mime_type: str
    """As it was claimed; once it has been read, as its bytes say. Empty: nobody has claimed it."""
    size_bytes: int
    created: datetime
    updated: datetime
    state: DocumentState = DocumentState.PENDING
    metadata: Metadata = field(default_factory=dict)
    chunking: Chunking = field(default_factory=Chunking)
    blob: str | None = None
    """The key of its bytes, until it has been read: what is searched are its chunks."""
    failure: Failure | None = None
    """Why it failed, if it did."""
    key: int = 0
    """Its number in the store that keeps it. 0: it is not kept yet."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of what a document says."""

    text: str
    page: int | None = None
    """The page that it stands on, counted from 1, in documents that have pages."""
    place: str = ""
    """Where it begins, for people: `page 3`, `00:12`. Empty: there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that answers a query, and the document that it is of."""

    chunk: Chunk
    document: Document
