"""File search stores, documents and chunks in SQLite: rows, statements, and what one call does with a connection.

A connection is all that is needed, so `sqlite.py` has this done in its threads, and `memory.py` on a database that is
in memory. Who calls begins and ends the transactions.

What words chunks have is in `chunk_words`, an index of FTS5 without texts of its own. A row of it goes by being told
once more what it was made of: the text of the chunk, and the names that its document had (`deleted_documents`).
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson

from turnwise.domain.file_search import (
    Chunk,
    Chunking,
    Document,
    DocumentState,
    Found,
    SearchStore,
)
from turnwise.store.codec import decode_failure, encode_part
from turnwise.store.rows import Row, decode_metadata, encode_metadata, write_time
from turnwise.store.store import CHUNK_BITS, Added, Place, Scope, Vectors, chunk_id

TITLE_WEIGHT = 0.5
"""How much a word in the name of a document counts, beside one in a chunk."""

STORE = "id, owner, created, updated, display_name, embedding_model"

DOCUMENT = (
    "key, store_id, id, owner, display_name, mime_type, size_bytes, created, updated, state, metadata, chunking, blob, "
    "failure"
)

Leave = Callable[[str], None]
"""What is done with a blob that nothing names any more."""


# -- rows


def document_row(document: Document) -> Row:
    """A document without its key, for INSERT."""
    failure = encode_part(document.failure)
    return (
        document.store_id,
        document.id,
        document.owner,
        document.display_name,
        document.mime_type,
        document.size_bytes,
        write_time(document.created),
        write_time(document.updated),
        document.state.value,
        encode_metadata(document.metadata),
        orjson.dumps([document.chunking.words, document.chunking.overlap]).decode(),
        document.blob,
        None if failure is None else failure.decode(),
    )


def read_document(row: Sequence[Any]) -> Document:
    """What `document_row` wrote, with its key before it."""
    key, store_id, id, owner, display_name, mime_type, size, created, updated, state, *rest = row
    metadata, chunking, blob, failure = rest
    return Document(
        id=id,
        store_id=store_id,
        owner=owner,
        display_name=display_name,
        mime_type=mime_type,
        size_bytes=size,
        created=datetime.fromisoformat(created),
        updated=datetime.fromisoformat(updated),
        state=DocumentState(state),
        metadata=decode_metadata(metadata),
        chunking=Chunking(*orjson.loads(chunking)),
        blob=blob,
        failure=decode_failure(failure),
        key=key,
    )


def read_store(row: Sequence[Any]) -> SearchStore:
    """A file search store, with what its documents amount to."""
    id, owner, created, updated, display_name, embedding_model, active, pending, failed, size = row
    return SearchStore(
        id,
        owner,
        datetime.fromisoformat(created),
        datetime.fromisoformat(updated),
        display_name,
        embedding_model,
        active,
        pending,
        failed,
        size,
    )


# -- file search stores

_STORES = """
SELECT s.id, s.owner, s.created, s.updated, s.display_name, s.embedding_model,
    coalesce(sum(d.state = 'STATE_ACTIVE'), 0), coalesce(sum(d.state = 'STATE_PENDING'), 0),
    coalesce(sum(d.state = 'STATE_FAILED'), 0),
    coalesce(sum(CASE d.state WHEN 'STATE_FAILED' THEN 0 ELSE d.size_bytes END), 0)
FROM (SELECT * FROM search_stores WHERE {which}) AS s LEFT JOIN documents AS d ON d.store_id = s.id
GROUP BY s.id ORDER BY s.created, s.id
"""


def create_store(connection: sqlite3.Connection, store: SearchStore, most: int) -> bool:
    """See `DocumentStore.create_search_store`."""
    if _one(connection, "SELECT count(*) FROM search_stores WHERE owner = ?", (store.owner,)) >= most:
        return False
    row = (store.id, store.owner, write_time(store.created), write_time(store.updated))
    connection.execute(
        f"INSERT INTO search_stores ({STORE}) VALUES (?, ?, ?, ?, ?, ?)",
        (*row, store.display_name, store.embedding_model),
    )
    return True


def load_store(connection: sqlite3.Connection, id: str, owner: str) -> SearchStore | None:
    """See `DocumentStore.search_store`."""
    row = connection.execute(_STORES.format(which="id = ? AND owner = ?"), (id, owner)).fetchone()
    return None if row is None else read_store(row)


def list_stores(connection: sqlite3.Connection, owner: str, limit: int, after: Place | None) -> list[SearchStore]:
    """See `DocumentStore.search_stores`."""
    which = "owner = ? AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?"
    rows = connection.execute(_STORES.format(which=which), (owner, *_behind(after), limit)).fetchall()
    return [read_store(row) for row in rows]


def delete_store(connection: sqlite3.Connection, id: str, owner: str, force: bool, leave: Leave) -> bool | None:
    """See `DocumentStore.delete_search_store`."""
    if not _has_store(connection, id, owner):
        return None
    if not force and _one(connection, "SELECT count(*) FROM documents WHERE store_id = ?", (id,)):
        return False
    _delete(connection, "store_id = ?", (id,), leave)
    connection.execute("DELETE FROM search_stores WHERE id = ?", (id,))
    return True


# -- documents


def add(connection: sqlite3.Connection, document: Document, most: int) -> Added:
    """See `DocumentStore.finish_document_upload`, but for the upload."""
    if not _has_store(connection, document.store_id, document.owner):
        return "gone"
    if _one(connection, "SELECT count(*) FROM documents WHERE store_id = ?", (document.store_id,)) >= most:
        return "full"
    without_key = DOCUMENT.removeprefix("key, ")
    connection.execute(
        f"INSERT INTO documents ({without_key}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", document_row(document)
    )
    _touch(connection, document.store_id, document.created)
    return "kept"


def used(connection: sqlite3.Connection, owner: str) -> int:
    """How many bytes of the quota an owner's documents take."""
    statement = "SELECT coalesce(sum(size_bytes), 0) FROM documents WHERE owner = ? AND state <> 'STATE_FAILED'"
    return int(_one(connection, statement, (owner,)))


def load(connection: sqlite3.Connection, id: str, store_id: str, owner: str) -> Document | None:
    """See `DocumentStore.document`."""
    found = _documents(connection, "store_id = ? AND id = ? AND owner = ?", (store_id, id, owner))
    return found[0] if found else None


def list_documents(
    connection: sqlite3.Connection, store_id: str, owner: str, limit: int, after: Place | None
) -> list[Document]:
    """See `DocumentStore.documents`."""
    which = "store_id = ? AND owner = ? AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?"
    return _documents(connection, which, (store_id, owner, *_behind(after), limit))


def pending(connection: sqlite3.Connection) -> list[Document]:
    """See `DocumentStore.pending_documents`."""
    return _documents(connection, "state = 'STATE_PENDING' ORDER BY created, key", ())


def delete(
    connection: sqlite3.Connection, id: str, store_id: str, owner: str, force: bool, leave: Leave
) -> bool | None:
    """See `DocumentStore.delete_document`."""
    document = load(connection, id, store_id, owner)
    if document is None:
        return None
    if document.state is DocumentState.ACTIVE and not force:
        return False
    _delete(connection, "key = ?", (document.key,), leave)
    return True


def _delete(connection: sqlite3.Connection, which: str, arguments: Row, leave: Leave) -> None:
    keys = f"SELECT key FROM documents WHERE {which}"
    names = f"SELECT key, store_id, display_name FROM documents WHERE {which}"
    connection.execute(f"DELETE FROM vectors WHERE document IN ({keys})", arguments)
    connection.execute(f"INSERT INTO deleted_documents (key, store_id, display_name) {names}", arguments)
    for (blob,) in connection.execute(f"DELETE FROM documents WHERE {which} RETURNING blob", arguments).fetchall():
        if blob is not None:
            leave(blob)


def settle(connection: sqlite3.Connection, document: Document, vectors: Vectors | None, leave: Leave) -> bool:
    """See `DocumentStore.settle_document`."""
    if not _is_pending(connection, document.key):
        return False
    failure = encode_part(document.failure)
    connection.execute(
        "UPDATE documents SET state = ?, mime_type = ?, updated = ?, failure = ?, blob = NULL WHERE key = ?",
        (
            document.state.value,
            document.mime_type,
            write_time(document.updated),
            None if failure is None else failure.decode(),
            document.key,
        ),
    )
    if document.blob is not None:
        leave(document.blob)
    if document.state is DocumentState.FAILED:
        _remove_chunks(connection, document, _chunks_of(connection, document.key))
    if vectors is not None:
        keep_vectors(connection, vectors)
    _touch(connection, document.store_id, document.updated)
    return True


# -- chunks


def add_chunks(connection: sqlite3.Connection, document: Document, first: int, chunks: Sequence[Chunk]) -> bool:
    """See `DocumentStore.add_chunks`."""
    if not _is_pending(connection, document.key):
        return False
    if first == 0:
        _remove_chunks(connection, document, _chunks_of(connection, document.key))
    numbered = [(chunk_id(document.key, position), chunk) for position, chunk in enumerate(chunks, first)]
    connection.executemany(
        "INSERT INTO chunks (id, page, place, text) VALUES (?, ?, ?, ?)",
        [(id, chunk.page, chunk.place, chunk.text) for id, chunk in numbered],
    )
    connection.executemany(
        "INSERT INTO chunk_words (rowid, store, title, words) VALUES (?, ?, ?, ?)",
        _index_rows(document.store_id, document.display_name, ((id, chunk.text) for id, chunk in numbered)),
    )
    return True


def clear_chunks(connection: sqlite3.Connection, limit: int) -> bool:
    """See `DocumentStore.clear_chunks`."""
    gone = connection.execute("SELECT key, store_id, display_name FROM deleted_documents LIMIT ?", (limit,)).fetchall()
    room = limit
    for key, store_id, display_name in gone:
        rows = _chunks_of(connection, key, room)
        _remove(connection, store_id, display_name, rows)
        if len(rows) == room:
            break  # there may be more of them
        connection.execute("DELETE FROM deleted_documents WHERE key = ?", (key,))
        room -= len(rows)
    return bool(gone)


def optimize(connection: sqlite3.Connection) -> None:
    """Merge the parts of the index of words, in which words of chunks that are gone may still stand."""
    connection.execute("INSERT INTO chunk_words (chunk_words) VALUES ('optimize')")


def chunk_texts(connection: sqlite3.Connection, key: int) -> list[str]:
    """See `DocumentStore.chunk_texts`."""
    return [text for _, text in _chunks_of(connection, key)]


def _chunks_of(connection: sqlite3.Connection, key: int, limit: int = -1) -> list[Row]:
    statement = "SELECT id, text FROM chunks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    return connection.execute(statement, (chunk_id(key, 0), chunk_id(key + 1, 0), limit)).fetchall()


def _remove_chunks(connection: sqlite3.Connection, document: Document, rows: Sequence[Row]) -> None:
    _remove(connection, document.store_id, document.display_name, rows)


def _remove(connection: sqlite3.Connection, store_id: str, title: str, rows: Sequence[Row]) -> None:
    connection.executemany(
        "INSERT INTO chunk_words (chunk_words, rowid, store, title, words) VALUES ('delete', ?, ?, ?, ?)",
        _index_rows(store_id, title, rows),
    )
    connection.executemany("DELETE FROM chunks WHERE id = ?", [(id,) for id, _ in rows])


def _index_rows(store_id: str, title: str, texts: Iterable[Row]) -> list[Row]:
    from turnwise.store.words import store_word, words_of  # and `regex` with it, which few servers need

    store, named = store_word(store_id), words_of(title)
    return [(id, store, named, words_of(text)) for id, text in texts]


# -- searching


def _within(scope: Scope) -> tuple[str, Row]:
    """The condition that a document is in a scope, and its arguments."""
    condition = "owner = ? AND state = 'STATE_ACTIVE' AND store_id IN (SELECT value FROM json_each(?))"
    arguments: Row = (scope.owner, orjson.dumps(scope.stores).decode())
    if scope.documents is None:
        return condition, arguments
    return (
        f"{condition} AND key IN (SELECT value FROM json_each(?))",
        (*arguments, orjson.dumps(scope.documents).decode()),
    )


def searchable(connection: sqlite3.Connection, scope: Scope, limit: int, after: int) -> list[Document]:
    """See `DocumentStore.searchable`."""
    within, arguments = _within(scope)
    return _documents(connection, f"{within} AND key > ? ORDER BY key LIMIT ?", (*arguments, after, limit))


def search_words(connection: sqlite3.Connection, scope: Scope, query: str, limit: int) -> list[int]:
    """See `DocumentStore.search_words`."""
    from turnwise.store.words import match

    expression = match(scope.stores, query)
    if expression is None:
        return []
    within, arguments = _within(scope)
    statement = f"""
        SELECT rowid FROM chunk_words
        WHERE chunk_words MATCH ? AND (rowid >> {CHUNK_BITS}) IN (SELECT key FROM documents WHERE {within})
        ORDER BY bm25(chunk_words, 0.0, {TITLE_WEIGHT}, 1.0), rowid LIMIT ?
    """
    return [id for (id,) in connection.execute(statement, (expression, *arguments, limit)).fetchall()]


def load_vectors(connection: sqlite3.Connection, scope: Scope, model: str) -> list[Vectors]:
    """See `DocumentStore.vectors`."""
    within, arguments = _within(scope)
    statement = f"""
        SELECT document, model, size, data FROM vectors
        WHERE model = ? AND document IN (SELECT key FROM documents WHERE {within}) ORDER BY document
    """
    return [Vectors(*row) for row in connection.execute(statement, (model, *arguments)).fetchall()]


def found(connection: sqlite3.Connection, ids: Sequence[int], owner: str) -> list[Found]:
    """See `DocumentStore.found`."""
    asked = orjson.dumps([*ids]).decode()
    rows = connection.execute(
        "SELECT id, page, place, text FROM chunks WHERE id IN (SELECT value FROM json_each(?))", (asked,)
    ).fetchall()
    chunks = {id: Chunk(text, page, place) for id, page, place, text in rows}
    keys = orjson.dumps([id >> CHUNK_BITS for id in ids]).decode()
    of = _documents(
        connection, "owner = ? AND state = 'STATE_ACTIVE' AND key IN (SELECT value FROM json_each(?))", (owner, keys)
    )
    documents = {document.key: document for document in of}
    return [
        Found(chunks[id], documents[id >> CHUNK_BITS]) for id in ids if id in chunks and id >> CHUNK_BITS in documents
    ]


def unembedded(connection: sqlite3.Connection, model: str, limit: int) -> list[Document]:
    """See `DocumentStore.unembedded`."""
    which = "state = 'STATE_ACTIVE' AND key NOT IN (SELECT document FROM vectors WHERE model = ?) ORDER BY key LIMIT ?"
    return _documents(connection, which, (model, limit))


def keep_vectors(connection: sqlite3.Connection, vectors: Vectors) -> bool:
    """See `DocumentStore.keep_vectors`."""
    statement = """
        INSERT INTO vectors (document, model, size, data)
        SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM documents WHERE key = ? AND state = 'STATE_ACTIVE')
        ON CONFLICT (document) DO UPDATE SET model = excluded.model, size = excluded.size, data = excluded.data
    """
    row = (vectors.document, vectors.model, vectors.size, vectors.data, vectors.document)
    return connection.execute(statement, row).rowcount > 0


# -- what they share


def _documents(connection: sqlite3.Connection, which: str, arguments: Row) -> list[Document]:
    rows = connection.execute(f"SELECT {DOCUMENT} FROM documents WHERE {which}", arguments).fetchall()
    return [read_document(row) for row in rows]


def _has_store(connection: sqlite3.Connection, id: str, owner: str) -> bool:
    return bool(_one(connection, "SELECT count(*) FROM search_stores WHERE id = ? AND owner = ?", (id, owner)))


def _is_pending(connection: sqlite3.Connection, key: int) -> bool:
    return bool(_one(connection, "SELECT count(*) FROM documents WHERE key = ? AND state = 'STATE_PENDING'", (key,)))


def _touch(connection: sqlite3.Connection, store_id: str, at: datetime) -> None:
    connection.execute("UPDATE search_stores SET updated = ? WHERE id = ?", (write_time(at), store_id))


def _one(connection: sqlite3.Connection, statement: str, arguments: Row) -> Any:
    """The one value that a statement gives."""
    ((value,),) = connection.execute(statement, arguments).fetchall()
    return value


def _behind(after: Place | None) -> Row:
    """A place in a list whose oldest comes first, for comparison."""
    return ("", "") if after is None else (write_time(after[0]), after[1])
