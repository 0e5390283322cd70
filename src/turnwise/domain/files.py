"""A file that a client uploaded, or that a model made, as the Files API has it; and an upload, before it is a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from turnwise.domain.content import JSON
from turnwise.domain.file_search import NewDocument
from turnwise.domain.interaction import Failure

FileSource: TypeAlias = Literal["UPLOADED", "GENERATED"]


class FileState(StrEnum):
    """Where a file stands. The values are the API's own words."""

    PROCESSING = "PROCESSING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class File:
    """A file: what it is, and how long it is kept. No two of one owner have the same id."""

    id: str
    """At most 40 of [a-z0-9-], with no dash at an edge; its name on the wire is `files/<id>`."""
    owner: str
    blob: str
    """The key of its bytes in the store of blobs. No two files, of whatever owner, have the same."""
    mime_type: str
    """As it was claimed. Empty while nobody has claimed it and the bytes have not been looked at."""
    size_bytes: int
    created: datetime
    updated: datetime
    expires: datetime
    sha256: bytes = b""
    state: FileState = FileState.PROCESSING
    display_name: str = ""
    source: FileSource = "UPLOADED"
    failure: Failure | None = None
    """Why it failed, if it did."""
    details: Mapping[str, JSON] = field(default_factory=dict)
    """What only some kinds have, under the wire's own names: `videoMetadata`."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """What is said of a file before its bytes come. All of it may be left out."""

    name: str | None = None
    """The id that it is to have."""
    display_name: str = ""
    mime_type: str = ""
    size_bytes: int | None = None
    source: FileSource = "UPLOADED"
    document: NewDocument | None = None
    """The document of a file search store that it is to be. None: it is to be a file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file whose bytes are coming, or have just come. Whoever knows its secret may send them: only a hash of that is
    kept."""

    hash: bytes
    """SHA-256 of the secret."""
    owner: str
    blob: str
    wanted: NewFile
    created: datetime
    expires: datetime
    """When it is given up. Until then its end can be asked for again by a client that missed the reply."""
    reserved: int = 0
    """How many bytes of the owner's quota are set aside for it."""
    file_id: str | None = None
    """The file, or the document, that it has become."""
