-- Written by `python -m turnwise.store.migrations` from what is in versions/. Do not edit.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE VIRTUAL TABLE chunk_words USING fts5(store, title, words, content='', tokenize='porter unicode61 remove_diacritics 2');

CREATE TABLE chunks (
    id INTEGER NOT NULL,
    page INTEGER,
    place TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (id)
)
 STRICT;

CREATE TABLE deleted_documents (
    "key" INTEGER NOT NULL,
    store_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    PRIMARY KEY ("key")
)
 STRICT;

CREATE TABLE documents (
    "key" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    store_id TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    display_name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    state TEXT NOT NULL,
    metadata TEXT NOT NULL,
    chunking TEXT NOT NULL,
    blob TEXT,
    failure TEXT
)
 STRICT;

CREATE TABLE events (
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    n INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (id, seq)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE files (
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    blob TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    expires TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    state TEXT NOT NULL,
    display_name TEXT NOT NULL,
    source TEXT NOT NULL,
    failure TEXT,
    details TEXT NOT NULL,
    PRIMARY KEY (owner, id)
)
 STRICT;

CREATE TABLE interactions (
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    previous_id TEXT,
    status TEXT NOT NULL,
    model TEXT,
    agent TEXT,
    dialect TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    input TEXT NOT NULL,
    steps TEXT NOT NULL,
    settings TEXT NOT NULL,
    usage TEXT,
    failure TEXT,
    PRIMARY KEY (id)
)
 STRICT;

CREATE TABLE keys (
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    prefix TEXT NOT NULL,
    created TEXT NOT NULL,
    revoked TEXT,
    PRIMARY KEY (id)
)
 STRICT;

CREATE TABLE litter (
    blob TEXT NOT NULL,
    PRIMARY KEY (blob)
)
 STRICT;

CREATE TABLE notices (
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    body TEXT NOT NULL,
    created TEXT NOT NULL,
    due TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (id)
)
 STRICT;

CREATE TABLE resources (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, owner, id)
)
 STRICT;

CREATE TABLE runs (
    id TEXT NOT NULL,
    created TEXT NOT NULL,
    carrier TEXT,
    attempt INTEGER NOT NULL,
    deaths INTEGER NOT NULL,
    until REAL,
    baggage BLOB NOT NULL,
    PRIMARY KEY (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE search_stores (
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    display_name TEXT NOT NULL,
    embedding_model TEXT NOT NULL,
    PRIMARY KEY (id)
)
 STRICT;

CREATE TABLE secrets (
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (name)
)
 STRICT;

CREATE TABLE uploads (
    hash BLOB NOT NULL,
    owner TEXT NOT NULL,
    blob TEXT NOT NULL,
    name TEXT,
    display_name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size_bytes INTEGER,
    source TEXT NOT NULL,
    created TEXT NOT NULL,
    expires TEXT NOT NULL,
    reserved INTEGER NOT NULL,
    file_id TEXT, document TEXT,
    PRIMARY KEY (hash)
)
 STRICT;

CREATE TABLE vectors (
    document INTEGER NOT NULL,
    model TEXT NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (document)
)
 STRICT;

CREATE UNIQUE INDEX documents_name ON documents (store_id, id);

CREATE INDEX documents_oldest ON documents (store_id, created, id);

CREATE INDEX documents_owner ON documents (owner, state, size_bytes);

CREATE INDEX documents_pending ON documents (created) WHERE state = 'STATE_PENDING';

CREATE INDEX documents_states ON documents (store_id, state, size_bytes);

CREATE INDEX files_expires ON files (expires);

CREATE INDEX files_newest ON files (owner, created, id);

CREATE INDEX files_processing ON files (created) WHERE state = 'PROCESSING';

CREATE INDEX interactions_line ON interactions (id, owner, previous_id, status, updated);

CREATE INDEX notices_due ON notices (due);

CREATE INDEX runs_carried ON runs (carrier) WHERE carrier IS NOT NULL;

CREATE INDEX runs_waiting ON runs (created, id) WHERE carrier IS NULL;

CREATE INDEX search_stores_oldest ON search_stores (owner, created, id);

CREATE INDEX uploads_expires ON uploads (expires);

CREATE INDEX uploads_owner ON uploads (owner);

INSERT INTO alembic_version (version_num) VALUES ('0005');
