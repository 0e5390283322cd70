"""The tables as they are now, for Alembic to compare a database with. Nothing else reads this.

A change here needs a migration: `python -m turnwise.store.migrations "what it does"` writes one, to be read
and corrected by hand.

Every row of `interactions` has its owner. Nothing references `previous_id`: an ancestor may be deleted. SQLite
has an index `interactions_line` of all that a walk along a chain looks at; PostgreSQL is as fast without. A
row of `events` holds `n` consecutive events, packed; `seq` is the position of the first. Every interaction in progress
has a row of `runs`, and no other has: `runs` is also the queue of work. Its `created` is the interaction's, and `until`
is when the lease of the `carrier` runs out, in seconds since 1970; a run without a carrier waits. No index has what a
heartbeat changes.

A row of `files`, or of `uploads` until it has a `file_id`, or of `documents` until it has been read, names a blob;
`litter` has the blobs that none names any more.

A chunk's `id` is its document's key and its position (see `store.chunk_id`). What words chunks have is in an index of
their own, `chunk_words`, which is no table to SQLAlchemy: the migration that makes it says what it is. A document that
is deleted leaves its key in `deleted_documents` until its chunks are gone.
"""

from sqlalchemy import REAL, BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.types import TypeEngine

metadata = MetaData()

SQLITES = ("chunk_words", "interactions_line")
"""What only SQLite has: the index of words, which it keeps in tables whose names begin so, and the one of lines."""


def is_ours(name: str | None, _type: str, _parents: object) -> bool:
    """Whether something in a database is to be as it is described here, for Alembic."""
    return name is None or not name.startswith(SQLITES)


Position = BigInteger().with_variant(Integer, "sqlite")
"""SQLite's INTEGER is as wide, and the only one that a strict table takes."""

Seconds: TypeEngine[float] = Double().with_variant(REAL, "sqlite")
"""Likewise its REAL."""

interactions = Table(
    "interactions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("previous_id", Text),
    Column("status", Text, nullable=False),
    Column("model", Text),
    Column("agent", Text),
    Column("dialect", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("steps", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("usage", Text),
    Column("failure", Text),
    sqlite_strict=True,
)

events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seq", Position, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created", Text, nullable=False),
    Column("carrier", Text),
    Column("attempt", Integer, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("until", Seconds),
    Column("baggage", LargeBinary, nullable=False),
    Index(
        "runs_waiting",
        "created",
        "id",
        sqlite_where=text("carrier IS NULL"),
        postgresql_where=text("carrier IS NULL"),
    ),
    Index(
        "runs_carried",
        "carrier",
        sqlite_where=text("carrier IS NOT NULL"),
        postgresql_where=text("carrier IS NOT NULL"),
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 50},
)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("due", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index("notices_due", "due"),
    sqlite_strict=True,
)

resources = Table(
    "resources",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_strict=True,
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("revoked", Text),
    sqlite_strict=True,
)

files = Table(
    "files",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("blob", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size_bytes", Position, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("failure", Text),
    Column("details", Text, nullable=False),
    Index("files_newest", "owner", "created", "id"),
    Index("files_expires", "expires"),
    Index(
        "files_processing",
        "created",
        sqlite_where=text("state = 'PROCESSING'"),
        postgresql_where=text("state = 'PROCESSING'"),
    ),
    sqlite_strict=True,
)

uploads = Table(
    "uploads",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("name", Text),
    Column("display_name", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size_bytes", Position),
    Column("source", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("reserved", Position, nullable=False),
    Column("file_id", Text),
    Column("document", Text),
    Index("uploads_owner", "owner"),
    Index("uploads_expires", "expires"),
    sqlite_strict=True,
)

litter = Table(
    "litter",
    metadata,
    Column("blob", Text, primary_key=True),
    sqlite_strict=True,
)

search_stores = Table(
    "search_stores",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("embedding_model", Text, nullable=False),
    Index("search_stores_oldest", "owner", "created", "id"),
    sqlite_strict=True,
)

documents = Table(
    "documents",
    metadata,
    Column("key", Position, primary_key=True),
    Column("store_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size_bytes", Position, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("chunking", Text, nullable=False),
    Column("blob", Text),
    Column("failure", Text),
    Index("documents_name", "store_id", "id", unique=True),
    Index("documents_oldest", "store_id", "created", "id"),
    Index("documents_states", "store_id", "state", "size_bytes"),
    Index("documents_owner", "owner", "state", "size_bytes"),
    Index(
        "documents_pending",
        "created",
        sqlite_where=text("state = 'STATE_PENDING'"),
        postgresql_where=text("state = 'STATE_PENDING'"),
    ),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

deleted_documents = Table(
    "deleted_documents",
    metadata,
    Column("key", Position, primary_key=True),
    Column("store_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    sqlite_strict=True,
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Position, primary_key=True),
    Column("page", Integer),
    Column("place", Text, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_strict=True,
)

vectors = Table(
    "vectors",
    metadata,
    Column("document", Position, primary_key=True),
    Column("model", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_strict=True,
)
