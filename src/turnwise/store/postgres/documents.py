"""File search stores, documents and chunks in PostgreSQL.

What words chunks have is in `chunk_words`: for each chunk a vector of stems, made from `words.py` and PostgreSQL's own
stemmer, with an index from stems to chunks. Whoever looks for words finds chunks by that index; they are ranked by how
often they have a word, how long they are, and how few of the other chunks that were found have it. A word in the name
of a document counts less (its weight is B) than one in a chunk (D).
"""

from collections.abc import Sequence
from typing import Any

from turnwise.domain.file_search import Chunk, Document, DocumentState, Found, SearchStore
from turnwise.store.codec import encode_part
from turnwise.store.documents import DOCUMENT, STORE, TITLE_WEIGHT, document_row, read_document, read_store
from turnwise.store.postgres.database import Connection, Database, affected, columns, encode_texts, hold
from turnwise.store.postgres.files import BECOME, LOCK_RUNNING, has_become
from turnwise.store.rows import write_time
from turnwise.store.store import CHUNK_BITS, Added, Place, Scope, Vectors, chunk_id
from turnwise.store.words import index_words, query_words, store_word

STORES = """
SELECT s.id, s.owner, s.created, s.updated, s.display_name, s.embedding_model,
    count(*) FILTER (WHERE d.state = 'STATE_ACTIVE'), count(*) FILTER (WHERE d.state = 'STATE_PENDING'),
    count(*) FILTER (WHERE d.state = 'STATE_FAILED'),
    coalesce(sum(d.size_bytes) FILTER (WHERE d.state <> 'STATE_FAILED'), 0)::int8
FROM (SELECT * FROM search_stores WHERE {which}) AS s LEFT JOIN documents d ON d.store_id = s.id
GROUP BY s.id, s.owner, s.created, s.updated, s.display_name, s.embedding_model ORDER BY s.created, s.id
"""
LOAD_STORE = STORES.format(which="id = $1 AND owner = $2")
LIST_STORES = STORES.format(which="owner = $1 AND (created, id) > ($2, $3) ORDER BY created, id LIMIT $4")
ADD_STORE = f"INSERT INTO search_stores ({STORE}) VALUES ($1, $2, $3, $4, $5, $6)"
TOUCH_STORE = "UPDATE search_stores SET updated = $1 WHERE id = $2"
# Whoever adds a document or deletes the store waits for the other.
LOCK_STORE = "SELECT 1 FROM search_stores WHERE id = $1 AND owner = $2 FOR UPDATE"
COUNT_STORES = "SELECT count(*) FROM search_stores WHERE owner = $1"
COUNT_DOCUMENTS = "SELECT count(*) FROM documents WHERE store_id = $1"

ADD_DOCUMENT = (
    f"INSERT INTO documents ({DOCUMENT.removeprefix('key, ')}) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
)
DOCUMENTS = f"SELECT {DOCUMENT} FROM documents WHERE "
LOAD_DOCUMENT = f"{DOCUMENTS} store_id = $1 AND id = $2 AND owner = $3"
LIST_DOCUMENTS = f"{DOCUMENTS} store_id = $1 AND owner = $2 AND (created, id) > ($3, $4) ORDER BY created, id LIMIT $5"
PENDING = f"{DOCUMENTS} state = 'STATE_PENDING' ORDER BY created, key"
LOCK_PENDING = "SELECT 1 FROM documents WHERE key = $1 AND state = 'STATE_PENDING' FOR UPDATE"
SETTLE = "UPDATE documents SET state = $1, mime_type = $2, updated = $3, failure = $4, blob = NULL WHERE key = $5"
LEAVE = "INSERT INTO litter (blob) VALUES ($1) ON CONFLICT DO NOTHING"

# Locked in a statement of its own, so that the next one sees all that was added to them.
LOCK_DOCUMENTS = "SELECT key FROM documents WHERE {which} ORDER BY key FOR UPDATE"
DELETE_DOCUMENTS = """
WITH gone AS (
    DELETE FROM documents WHERE key = ANY($1::int8[]) RETURNING key, store_id, display_name, blob
), meaning AS (
    DELETE FROM vectors WHERE document = ANY($1::int8[])
), left_behind AS (
    INSERT INTO litter (blob) SELECT blob FROM gone WHERE blob IS NOT NULL ON CONFLICT DO NOTHING
)
INSERT INTO deleted_documents (key, store_id, display_name) SELECT key, store_id, display_name FROM gone
"""

ADD_CHUNKS = """
INSERT INTO chunks (id, page, place, text) SELECT * FROM unnest($1::int8[], $2::int[], $3::text[], $4::text[])
"""

# The words of each chunk are numbered, since how often one stands there counts. With a `/` before it, which no word
# has, stands the file search store: so that what others have is not even looked at.
ADD_WORDS = """
INSERT INTO chunk_words (id, words)
SELECT id, ('''/' || $3 || ''':1C ' || coalesce((
    SELECT string_agg('''' || coalesce((ts_lexize('english_stem', word))[1], word) || ''':'
        || least(position + 1, 16383) || CASE WHEN position <= $4 THEN 'B' ELSE '' END, ' ')
    FROM unnest(string_to_array(words, ' ')) WITH ORDINALITY AS w (word, position) WHERE word <> ''
), ''))::tsvector
FROM unnest($1::int8[], $2::text[]) AS chunk (id, words)
"""
CHUNK_TEXTS = "SELECT text FROM chunks WHERE id >= $1 AND id < $2 ORDER BY id"
DELETE_CHUNKS = """
WITH gone AS (
    DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3) RETURNING id
), words AS (
    DELETE FROM chunk_words WHERE id IN (SELECT id FROM gone)
)
SELECT count(*) FROM gone
"""
DELETED = "SELECT key FROM deleted_documents ORDER BY key LIMIT $1 FOR UPDATE SKIP LOCKED"
FORGET_DELETED = "DELETE FROM deleted_documents WHERE key = $1"

WITHIN = (
    "owner = $1 AND state = 'STATE_ACTIVE' AND store_id = ANY($2::text[]) AND ($3::int8[] IS NULL OR key = ANY($3))"
)
SEARCHABLE = f"{DOCUMENTS} {WITHIN} AND key > $4 ORDER BY key LIMIT $5"
LOAD_VECTORS = f"""
SELECT document, model, size, data FROM vectors
WHERE model = $4 AND document IN (SELECT key FROM documents WHERE {WITHIN}) ORDER BY document
"""

# Every chunk that the index finds is read once: its ranks for all terms are made there and then, and whether it is in
# the scope is looked up (`IS TRUE` keeps the planner from making a join of that, which it would do the wrong way
# round).
SEARCH_WORDS = f"""
WITH term AS (
    SELECT n, ('''' || coalesce((ts_lexize('english_stem', word))[1], word) || '''')::tsquery AS query
    FROM unnest($5::text[]) WITH ORDINALITY AS t (word, n)
), place AS (
    SELECT string_agg('''/' || word || '''', ' | ')::tsquery AS query FROM unnest($4::text[]) AS s (word)
), asked AS MATERIALIZED (
    SELECT (SELECT query FROM place) && (SELECT string_agg(query::text, ' | ')::tsquery FROM term) AS query
), hit AS MATERIALIZED (
    SELECT c.id,
        (SELECT array_agg(ts_rank('{{1, 0, {TITLE_WEIGHT}, 1}}', c.words, query, 1) ORDER BY n) FROM term) AS ranks
    FROM asked, chunk_words c
    WHERE c.words @@ asked.query AND (c.id >> {CHUNK_BITS} IN (SELECT key FROM documents WHERE {WITHIN})) IS TRUE
), matched AS MATERIALIZED (
    SELECT id, n, rank FROM hit, unnest(ranks) WITH ORDINALITY AS r (rank, n) WHERE rank > 0
), weighed AS (
    SELECT n, ln(1 + ((SELECT count(*) FROM hit) - count(*) + 0.5) / (count(*) + 0.5)) AS weight FROM matched GROUP BY n
)
SELECT id FROM matched JOIN weighed USING (n) GROUP BY id ORDER BY sum(weight * rank) DESC, id LIMIT $6
"""
FOUND_CHUNKS = "SELECT id, page, place, text FROM chunks WHERE id = ANY($1::int8[])"
FOUND_DOCUMENTS = f"{DOCUMENTS} owner = $1 AND state = 'STATE_ACTIVE' AND key = ANY($2::int8[])"
UNEMBEDDED = (
    f"{DOCUMENTS} state = 'STATE_ACTIVE' AND NOT EXISTS (SELECT 1 FROM vectors WHERE document = key AND model = $1) "
    "ORDER BY key LIMIT $2"
)
KEEP_VECTORS = """
WITH active AS (SELECT key FROM documents WHERE key = $1 AND state = 'STATE_ACTIVE' FOR SHARE)
INSERT INTO vectors (document, model, size, data) SELECT key, $2, $3, $4 FROM active
ON CONFLICT (document) DO UPDATE SET model = excluded.model, size = excluded.size, data = excluded.data
"""


class PostgresDocuments:
    """See `store.py` for what its methods promise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- file search stores

    async def create_search_store(self, store: SearchStore, most: int) -> bool:
        created, updated = write_time(store.created), write_time(store.updated)
        row = (store.id, store.owner, created, updated, store.display_name, store.embedding_model)

        async def work(connection: Connection, again: bool) -> bool:
            if again and await connection.fetchval(LOCK_STORE, store.id, store.owner):
                return True
            await hold(connection, "file search stores", store.owner)
            if await connection.fetchval(COUNT_STORES, store.owner) >= most:
                return False
            await connection.execute(ADD_STORE, *row)
            return True

        return await self._database.write(work)

    async def search_store(self, id: str, owner: str) -> SearchStore | None:
        row = await self._database.fetch_one(LOAD_STORE, id, owner)
        return None if row is None else read_store(tuple(row))

    async def search_stores(self, owner: str, limit: int, after: Place | None = None) -> Sequence[SearchStore]:
        rows = await self._database.fetch(LIST_STORES, owner, *_behind(after), limit)
        return [read_store(tuple(row)) for row in rows]

    async def delete_search_store(self, id: str, owner: str, *, force: bool) -> bool | None:
        async def work(connection: Connection, again: bool) -> bool | None:
            if await connection.fetchval(LOCK_STORE, id, owner) is None:
                return None
            if not force and await connection.fetchval(COUNT_DOCUMENTS, id):
                return False
            await _delete(connection, "store_id = $1", id)
            await connection.execute("DELETE FROM search_stores WHERE id = $1", id)
            return True

        return await self._database.write(work)

    # -- documents

    async def finish_document_upload(self, hash: bytes, document: Document, most: int) -> Added:
        row = document_row(document)

        async def work(connection: Connection, again: bool) -> Added:
            if await connection.fetchrow(LOCK_RUNNING, hash) is None:
                return "kept" if again and await has_become(connection, hash, document.id) else "gone"
            if await connection.fetchval(LOCK_STORE, document.store_id, document.owner) is None:
                return "gone"
            if await connection.fetchval(COUNT_DOCUMENTS, document.store_id) >= most:
                return "full"
            await connection.execute(ADD_DOCUMENT, *row)
            await connection.execute(TOUCH_STORE, write_time(document.created), document.store_id)
            await connection.execute(BECOME, document.id, hash)
            return "kept"

        return await self._database.write(work)

    async def document(self, id: str, store_id: str, owner: str) -> Document | None:
        row = await self._database.fetch_one(LOAD_DOCUMENT, store_id, id, owner)
        return None if row is None else read_document(tuple(row))

    async def documents(self, store_id: str, owner: str, limit: int, after: Place | None = None) -> Sequence[Document]:
        return await self._documents(LIST_DOCUMENTS, store_id, owner, *_behind(after), limit)

    async def delete_document(self, id: str, store_id: str, owner: str, *, force: bool) -> bool | None:
        async def work(connection: Connection, again: bool) -> bool | None:
            row = await connection.fetchrow(f"{LOAD_DOCUMENT} FOR UPDATE", store_id, id, owner)
            if row is None:
                return None
            document = read_document(tuple(row))
            if document.state is DocumentState.ACTIVE and not force:
                return False
            await _delete(connection, "key = $1", document.key)
            return True

        return await self._database.write(work)

    async def pending_documents(self) -> Sequence[Document]:
        return await self._documents(PENDING)

    async def settle_document(self, document: Document, vectors: Vectors | None = None) -> bool:
        failure = encode_part(document.failure)
        row = (
            document.state.value,
            document.mime_type,
            write_time(document.updated),
            None if failure is None else failure.decode(),
            document.key,
        )

        async def work(connection: Connection, again: bool) -> bool:
            if await connection.fetchval(LOCK_PENDING, document.key) is None:
                return False
            await connection.execute(SETTLE, *row)
            if document.blob is not None:
                await connection.execute(LEAVE, document.blob)
            if document.state is DocumentState.FAILED:
                await _delete_chunks(connection, document.key, None)
            if vectors is not None:
                await connection.execute(KEEP_VECTORS, vectors.document, vectors.model, vectors.size, vectors.data)
            await connection.execute(TOUCH_STORE, write_time(document.updated), document.store_id)
            return True

        return await self._database.write(work)

    # -- chunks

    async def add_chunks(self, document: Document, first: int, chunks: Sequence[Chunk]) -> bool:
        numbered = [(chunk_id(document.key, position), chunk) for position, chunk in enumerate(chunks, first)]
        ids, pages, *texts = columns([(id, chunk.page, chunk.place, chunk.text) for id, chunk in numbered], 4)
        words = word_rows(document.store_id, document.display_name, [(id, chunk.text) for id, chunk in numbered])

        async def work(connection: Connection, again: bool) -> bool:
            if await connection.fetchval(LOCK_PENDING, document.key) is None:
                return False
            if first == 0 or again:
                await _delete_chunks(connection, document.key, None, first)
            await connection.execute(ADD_CHUNKS, ids, pages, *map(encode_texts, texts))
            await connection.execute(ADD_WORDS, *words)
            return True

        return await self._database.write(work)

    async def clear_chunks(self, limit: int) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            gone = await connection.fetch(DELETED, limit)
            room = limit
            for (key,) in gone:
                deleted = await _delete_chunks(connection, key, room)
                if deleted == room:
                    break  # there may be more of them
                await connection.execute(FORGET_DELETED, key)
                room -= deleted
            return bool(gone)

        return await self._database.write(work)

    async def chunk_texts(self, key: int) -> Sequence[str]:
        rows = await self._database.fetch(CHUNK_TEXTS, chunk_id(key, 0), chunk_id(key + 1, 0))
        return [row["text"] for row in rows]

    # -- searching

    async def searchable(self, scope: Scope, limit: int, after: int = 0) -> Sequence[Document]:
        return await self._documents(SEARCHABLE, *_within(scope), after, limit)

    async def search_words(self, scope: Scope, query: str, limit: int) -> Sequence[int]:
        words = query_words(query)
        if not words or not scope.stores:
            return []
        places = [store_word(id) for id in scope.stores]
        rows = await self._database.fetch(SEARCH_WORDS, *_within(scope), places, words, limit)
        return [row["id"] for row in rows]

    async def vectors(self, scope: Scope, model: str) -> Sequence[Vectors]:
        return [Vectors(*row) for row in await self._database.fetch(LOAD_VECTORS, *_within(scope), model)]

    async def found(self, ids: Sequence[int], owner: str) -> Sequence[Found]:
        rows = await self._database.fetch(FOUND_CHUNKS, ids)
        chunks = {id: Chunk(text, page, place) for id, page, place, text in rows}
        of = await self._documents(FOUND_DOCUMENTS, owner, list({id >> CHUNK_BITS for id in ids}))
        documents = {document.key: document for document in of}
        return [
            Found(chunks[id], documents[id >> CHUNK_BITS])
            for id in ids
            if id in chunks and id >> CHUNK_BITS in documents
        ]

    async def unembedded(self, model: str, limit: int) -> Sequence[Document]:
        return await self._documents(UNEMBEDDED, model, limit)

    async def keep_vectors(self, vectors: Vectors) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            row = (vectors.document, vectors.model, vectors.size, vectors.data)
            return affected(await connection.execute(KEEP_VECTORS, *row)) > 0

        return await self._database.write(work)

    async def _documents(self, statement: str, *arguments: Any) -> list[Document]:
        return [read_document(tuple(row)) for row in await self._database.fetch(statement, *arguments)]


def word_rows(store_id: str, title: str, texts: Sequence[tuple[int, str]]) -> tuple[Any, ...]:
    """Arguments for `ADD_WORDS`: what the index has of some chunks of a document, given their ids and texts."""
    named = index_words(title)
    words = [" ".join([*named, *index_words(text)]) for _, text in texts]
    return [id for id, _ in texts], words, store_word(store_id), len(named)


async def _delete(connection: Connection, which: str, argument: Any) -> None:
    keys = [key for (key,) in await connection.fetch(LOCK_DOCUMENTS.format(which=which), argument)]
    await connection.execute(DELETE_DOCUMENTS, keys)


async def _delete_chunks(connection: Connection, key: int, limit: int | None, first: int = 0) -> int:
    """Remove chunks of a document, from a position on, at most so many. How many there were."""
    return int(await connection.fetchval(DELETE_CHUNKS, chunk_id(key, first), chunk_id(key + 1, 0), limit))


def _within(scope: Scope) -> tuple[str, list[str], Sequence[int] | None]:
    """Arguments for `WITHIN`."""
    return scope.owner, encode_texts(scope.stores), scope.documents


def _behind(after: Place | None) -> tuple[str, str]:
    """A place in a list whose oldest comes first, for comparison."""
    return ("", "") if after is None else (write_time(after[0]), after[1])
