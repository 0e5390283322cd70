"""Where the words of one's own documents are kept: a SQLite file with a full-text index (FTS5) over their chunks.

It is a file of its own. All that is in it can be read again out of the documents, so it needs no migrations and no
backups; and `turnwise index` writes it while a server searches in it. The write-ahead log lets both go on: a search
sees what was there when it began.

The full-text index keeps no texts (`content=''`): those are in `chunks`. To take something out of it, it must be told
the very words that were put in; they are made of the chunks again.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from turnwise.tools.google_search.chunks import Chunk
from turnwise.tools.google_search.engine import Hit
from turnwise.tools.google_search.words import TOKENIZER, match_expression, spaced

VERSION = 1
"""Of the tables below, and of what `words.py` makes of a text."""

PATIENCE = 30.0
"""In seconds: how long a writer waits for another one."""

WEIGHTS = (6.0, 3.0, 1.0)
"""How much a word counts in a title, in a heading and in the text."""

AHEAD = 8
"""So many times as many chunks are looked at as hits are wanted: several may be of one document, or alike."""

OF_ONE = 3
"""So many hits, at the most, are of one document with pages, and so many chunks are told of one without."""

BETWEEN = "\n...\n"
"""Between two chunks of one document."""

SCHEMA = f"""
CREATE TABLE folders (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, url TEXT
);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, folder INTEGER NOT NULL REFERENCES folders ON DELETE CASCADE, path TEXT NOT NULL,
    size INTEGER NOT NULL, mtime INTEGER NOT NULL, sha256 TEXT NOT NULL, title TEXT NOT NULL, UNIQUE (folder, path)
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    heading TEXT NOT NULL, place TEXT NOT NULL, page INTEGER, text TEXT NOT NULL
);
CREATE INDEX chunks_of ON chunks (document);
CREATE VIRTUAL TABLE words USING fts5 (title, heading, text, content = '', tokenize = '{TOKENIZER}');
INSERT INTO words (words, rank) VALUES ('rank', 'bm25({", ".join(map(str, WEIGHTS))})');
PRAGMA user_version = {VERSION};
"""

_FIND = """
SELECT documents.id, documents.path, documents.title, folders.name, folders.url,
       chunks.heading, chunks.place, chunks.page, chunks.text
FROM (SELECT rowid, rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?) AS found
JOIN chunks ON chunks.id = found.rowid
JOIN documents ON documents.id = chunks.document
JOIN folders ON folders.id = documents.folder
ORDER BY found.rank
"""


class IndexUnusable(Exception):
    """The index cannot be opened. `message` says why, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was indexed."""

    id: int
    path: Path
    name: str
    """What its documents' names begin with."""
    url: str | None
    """The address under which its documents can be opened. None: there is none."""
    documents: int
    """How many there are."""


@dataclass(frozen=True, slots=True)
class Known:
    """A document as it was when it was read."""

    id: int
    size: int
    mtime: int
    """In nanoseconds."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A document to be put in."""

    path: str
    """Within its folder, with `/` between its parts."""
    size: int
    mtime: int
    """In nanoseconds."""
    sha256: str
    title: str
    chunks: Sequence[Chunk]


@contextmanager
def open_index(path: Path) -> Iterator["Index"]:
    """The index in this file, for one who writes. It is made if it is not there, for its owner alone.

    Raises:
        IndexUnusable: it cannot be opened, or another version of turnwise made it.
    """
    try:
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise IndexUnusable(f"the index {path} cannot be opened: {error}") from error
    try:
        _prepare(connection, path)
        yield Index(connection)
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        with _transaction(connection):
            if _version(connection) == 0:
                for statement in SCHEMA.strip().removesuffix(";").split(";\n"):
                    connection.execute(statement)
        version = _version(connection)
    except sqlite3.Error as error:
        raise IndexUnusable(f"the index {path} cannot be opened: {error}") from error
    if version != VERSION:
        raise IndexUnusable(
            f"the index {path} was made by another version of turnwise; remove it, and index your folders again"
        )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


class Index:
    """The index, as one who writes sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def folders(self) -> list[Folder]:
        """All folders, by their names."""
        rows = self._connection.execute(
            "SELECT id, path, name, url, (SELECT count(*) FROM documents WHERE folder = folders.id)"
            " FROM folders ORDER BY name"
        )
        return [Folder(id, Path(path), name, url, documents) for id, path, name, url, documents in rows]

    def keep_folder(self, path: Path, name: str, url: str | None) -> int:
        """Its id. What it was called before is forgotten."""
        with _transaction(self._connection):
            self._connection.execute(
                "INSERT INTO folders (path, name, url) VALUES (?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET name = excluded.name, url = excluded.url",
                (str(path), name, url),
            )
            row = self._connection.execute("SELECT id FROM folders WHERE path = ?", (str(path),)).fetchone()
        return int(row[0])

    def forget_folder(self, id: int) -> None:
        """Take it out, with all of its documents."""
        documents = self._connection.execute("SELECT id FROM documents WHERE folder = ?", (id,)).fetchall()
        self.remove([document for (document,) in documents])
        with _transaction(self._connection):
            self._connection.execute("DELETE FROM folders WHERE id = ?", (id,))

    def documents(self, folder: int) -> dict[str, Known]:
        """What is known of a folder's documents, by their paths."""
        rows = self._connection.execute(
            "SELECT path, id, size, mtime, sha256 FROM documents WHERE folder = ?", (folder,)
        )
        return {path: Known(id, size, mtime, sha256) for path, id, size, mtime, sha256 in rows}

    def put(self, folder: int, entries: Sequence[Entry]) -> None:
        """Put documents in, each in place of what was at its path before."""
        with _transaction(self._connection):
            for entry in entries:
                self._put(folder, entry)

    def touch(self, document: int, size: int, mtime: int) -> None:
        """Remember that a document says what it said, however its file changed."""
        self._connection.execute("UPDATE documents SET size = ?, mtime = ? WHERE id = ?", (size, mtime, document))

    def remove(self, documents: Sequence[int]) -> None:
        """Take documents out."""
        with _transaction(self._connection):
            for document in documents:
                self._remove(document)

    def tidy(self) -> None:
        """After much was changed: make searching as fast as it can be, and the log short."""
        self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _put(self, folder: int, entry: Entry) -> None:
        found = self._connection.execute(
            "SELECT id FROM documents WHERE folder = ? AND path = ?", (folder, entry.path)
        ).fetchone()
        if found is not None:
            self._remove(found[0])
        document = self._connection.execute(
            "INSERT INTO documents (folder, path, size, mtime, sha256, title) VALUES (?, ?, ?, ?, ?, ?)",
            (folder, entry.path, entry.size, entry.mtime, entry.sha256, entry.title),
        ).lastrowid
        for chunk in entry.chunks:
            id = self._connection.execute(
                "INSERT INTO chunks (document, heading, place, page, text) VALUES (?, ?, ?, ?, ?)",
                (document, chunk.heading, chunk.place, chunk.page, chunk.text),
            ).lastrowid
            self._connection.execute(
                "INSERT INTO words (rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                (id, *map(spaced, (entry.title, chunk.heading, chunk.text))),
            )

    def _remove(self, document: int) -> None:
        rows = self._connection.execute(
            "SELECT chunks.id, title, heading, text FROM chunks JOIN documents ON documents.id = document"
            " WHERE document = ?",
            (document,),
        ).fetchall()
        self._connection.executemany(
            "INSERT INTO words (words, rowid, title, heading, text) VALUES ('delete', ?, ?, ?, ?)",
            [(id, *map(spaced, texts)) for id, *texts in rows],
        )
        self._connection.execute("DELETE FROM documents WHERE id = ?", (document,))  # and its chunks


def open_for_search(path: Path) -> sqlite3.Connection:
    """A connection that only reads, to be used and closed by any one thread.

    Raises:
        IndexUnusable: there is no index, or another version of turnwise made it.
    """
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=PATIENCE, check_same_thread=False
        )
        if _version(connection) != VERSION:
            connection.close()
            raise IndexUnusable("the index was made by another version of turnwise")
    except sqlite3.Error as error:
        raise IndexUnusable(f"the index cannot be opened: {error}") from error
    return connection


def count_documents(connection: sqlite3.Connection) -> int:
    """How many documents can be found."""
    (count,) = connection.execute("SELECT count(*) FROM documents").fetchone()
    return int(count)


def find(connection: sqlite3.Connection, query: str, limit: int) -> list[Hit]:
    """The best hits. Chunks of one page, or of one document without pages, are one hit.

    Raises:
        sqlite3.Error: it was interrupted, or the file is broken.
    """
    expression = match_expression(query)
    if expression is None:
        return []
    hits: dict[str, Hit] = {}
    counts: dict[tuple[int, str], int] = {}
    seen: set[str] = set()
    for document, path, title, name, url, heading, place, page, text in connection.execute(
        _FIND, (expression, limit * AHEAD)
    ):
        place_url = _url(name, url, path, page)
        chunk = Chunk(text, heading, place)
        said = _said(chunk)
        key = (document, "page" if page else place_url)
        is_copy = bool(said) and said in seen
        if is_copy or counts.get(key, 0) >= OF_ONE or (place_url not in hits and len(hits) >= limit):
            continue
        seen.add(said)
        counts[key] = counts.get(key, 0) + 1
        before = f"{hits[place_url].text}{BETWEEN}" if place_url in hits else ""
        hits[place_url] = Hit(place_url, title, f"{before}{said}")
    return list(hits.values())


def _said(chunk: Chunk) -> str:
    """What is told of a chunk: where it stands, unless it begins with a heading itself, and its text."""
    heading = "" if chunk.text.startswith("#") else chunk.heading
    where = ", ".join(filter(None, (chunk.place, heading)))
    return f"({where})\n{chunk.text}" if where else chunk.text


def _url(name: str, url: str | None, path: str, page: int | None) -> str:
    """Where a document can be opened; else what it is called."""
    address = f"{url.rstrip('/')}/{quote(path)}" if url else quote(f"{name}/{path}")
    return f"{address}#page={page}" if page else address
