"""A folder of one's own documents, which `turnwise index` has read. See `index.py`."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from turnwise.domain.tools import SearchType
from turnwise.tools.google_search.engine import Hit, SearchFailed
from turnwise.tools.google_search.index import IndexUnusable, count_documents, find, open_for_search

NO_INDEX = "nothing is indexed; whoever runs this server can run: turnwise index DIR"
UNUSABLE = (
    "the index cannot be read; whoever runs this server can remove search.db from its data directory, and index the "
    "folders again: turnwise index DIR"
)


class FolderEngine:
    """An `Engine`. See `engine.py`."""

    name = "folder"
    search_types: frozenset[SearchType] = frozenset({"web_search"})

    def __init__(self, path: Path) -> None:
        """`path`: the index. It need not be there yet."""
        self._path = path

    def why_not(self) -> str | None:
        """Whether anything is indexed."""
        if not self._path.exists():
            return NO_INDEX
        try:
            with closing(open_for_search(self._path)) as connection:
                return None if count_documents(connection) else NO_INDEX
        except (IndexUnusable, sqlite3.Error):
            return UNUSABLE

    async def search(self, query: str, search_type: SearchType, limit: int) -> Sequence[Hit]:
        """At most so many hits. See `Engine.search`."""
        running = _Running()
        try:
            return await asyncio.to_thread(running.find, self._path, query, limit)
        except asyncio.CancelledError:
            running.stop()
            raise
        except (IndexUnusable, sqlite3.Error):
            raise SearchFailed(UNUSABLE) from None

    async def close(self) -> None:
        """Nothing lasts longer than a search."""


class _Running:
    """A search in a thread, which can be stopped from another one."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._stopped = False

    def find(self, path: Path, query: str, limit: int) -> list[Hit]:
        """Search. Raises as `index.find` does."""
        with closing(open_for_search(path)) as self._connection:
            return [] if self._stopped else find(self._connection, query, limit)

    def stop(self) -> None:
        """End it, wherever it is."""
        self._stopped = True
        if self._connection is not None:
            with suppress(sqlite3.ProgrammingError):  # it is closed already
                self._connection.interrupt()
