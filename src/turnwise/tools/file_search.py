"""The tool `file_search`: one function, whose query the model chooses, over the stores that a request names.

Clients see a call without arguments, as the API has it, and what was found; the model reads the passages with their
documents and pages, and what it says of them is cited by these.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, NotFound
from turnwise.domain.file_search import STORE_PREFIX, Found, SearchStore
from turnwise.domain.steps import ServerTool
from turnwise.domain.tools import FileSearch, FunctionTool
from turnwise.tools.tool import Occasion, Outcome, Source

NAME: ServerTool = "file_search"

TOP_K = 8
"""How many passages a call gives where the request does not say."""

QUERY = 1000
"""In characters: the rest of a longer query is left out."""

TOLD = 20_000
"""How many characters of passages a model is told in one call, about 6,000 tokens."""

NAMED = 5
"""How many stores are named to the model."""


class Searcher(Protocol):
    """Who searches file search stores."""

    async def get(self, id: str, owner: str) -> SearchStore:
        """One file search store.

        Raises:
            NotFound: there is none.
        """

    def check_filter(self, text: str) -> None:
        """See whether a filter is one.

        Raises:
            InvalidRequest: it is not; the message names the place.
        """

    async def search(
        self, owner: str, stores: Sequence[str], query: str, *, limit: int, metadata_filter: str | None = None
    ) -> Sequence[Found]:
        """The chunks that have most to do with a query, the best first.

        Raises:
            InvalidRequest: the filter takes too long.
        """


class FileSearchTool:
    """A `Tool`. See `tools/tool.py`."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    @asynccontextmanager
    async def open(self, declared: FileSearch, occasion: Occasion) -> AsyncIterator["OpenFileSearch"]:
        """Make it ready for one turn. See `Tool.open`.

        Raises:
            NotFound: the owner has no such file search store.
            InvalidRequest: the filter is none.
        """
        stores = [
            await self._store(name, occasion.owner, f"{occasion.path}.file_search_store_names[{index}]")
            for index, name in enumerate(declared.store_names)
        ]
        if declared.metadata_filter is not None:
            try:
                self._searcher.check_filter(declared.metadata_filter)
            except InvalidRequest as error:
                raise InvalidRequest(error.message, field=f"{occasion.path}.metadata_filter") from None
        yield OpenFileSearch(self._searcher, declared, occasion.owner, stores)

    async def _store(self, name: str, owner: str, path: str) -> SearchStore:
        try:
            return await self._searcher.get(name.removeprefix(STORE_PREFIX), owner)
        except NotFound as error:
            raise NotFound(f"{path}: {error.message}") from None


class OpenFileSearch:
    """An `OpenTool`."""

    tool: ServerTool = NAME
    is_demanded = False

    def __init__(self, searcher: Searcher, declared: FileSearch, owner: str, stores: Sequence[SearchStore]) -> None:
        self._searcher = searcher
        self._declared = declared
        self._owner = owner
        self._stores = stores

    @property
    def functions(self) -> Sequence[FunctionTool]:
        """The one function."""
        description = (
            "Searches the documents that were provided for this conversation and returns the passages that fit best, "
            "with their document and page. Use it for whatever they may tell; search again in other words if the "
            "answer is not among the passages."
        )
        names = [f"'{store.display_name}'" for store in self._stores if store.display_name]
        if names:
            description += f" They are in: {', '.join(names[:NAMED])}{', and others' if names[NAMED:] else ''}."
        parameters: dict[str, JSON] = {
            "type": "object",
            "properties": {
                "query": {
                    "type": "string",
                    "description": "What to look for, as a question or as words it may stand in.",
                }
            },
            "required": ["query"],
        }
        return [FunctionTool(NAME, description, parameters)]

    def shown(self, function: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
        """A call as clients see it, which is without a query."""
        return {}, {}

    async def call(self, function: str, arguments: Mapping[str, Any], key: str = "") -> Outcome:
        """Search. See `OpenTool.call`."""
        query = str(arguments.get("query") or "").strip()[:QUERY]
        if not query:
            return Outcome([], "There was nothing to search for: give a query.", is_error=True)
        try:
            found = await self._searcher.search(
                self._owner,
                [store.id for store in self._stores],
                query,
                limit=self._declared.top_k or TOP_K,
                metadata_filter=self._declared.metadata_filter,
            )
        except InvalidRequest as error:
            return Outcome([], f"Nothing was searched: {error.message}.", is_error=True)
        if not found:
            return Outcome([], self._nothing(query))
        told = _fitting(found)
        left = len(found) - len(told)
        passages = [f"[{number}] {_heading(one)}\n{one.chunk.text}" for number, one in enumerate(told, 1)]
        if left:
            passages.append(f"({left} more passages were left out, since these are long.)")
        return Outcome(
            result=[_shown(one) for one in told],
            told="\n\n".join(passages),
            sources=[Source(one.chunk.text, cite(one)) for one in told],
        )

    def _nothing(self, query: str) -> str:
        limits = " that fit the request's metadata_filter" if self._declared.metadata_filter else ""
        return f"No passage of the documents{limits} has anything to do with: {query}. Try other words."


def cite(found: Found) -> Mapping[str, JSON]:
    """A passage as an annotation cites it. Older SDKs know of it no more than `source`."""
    uri = _uri(found)
    citation: dict[str, JSON] = {
        "type": "file_citation",
        "document_uri": uri,
        "file_name": _title(found),
        "source": uri,
    }
    if found.chunk.page is not None:
        citation["page_number"] = found.chunk.page
    if found.document.metadata:
        citation["custom_metadata"] = {
            key: list(value) if isinstance(value, tuple) else value for key, value in found.document.metadata.items()
        }
    return citation


def _fitting(found: Sequence[Found]) -> Sequence[Found]:
    """The best of what was found, as many as a model is told."""
    room = TOLD
    for index, one in enumerate(found):
        room -= len(one.chunk.text)
        if room < 0 and index:
            return found[:index]
    return found


def _shown(found: Found) -> dict[str, JSON]:
    """A passage for clients: as SDKs up to 1.74 have it, and where it stands."""
    body: dict[str, JSON] = {
        "title": _title(found),
        "text": found.chunk.text,
        "file_search_store": f"{STORE_PREFIX}{found.document.store_id}",
        "document_uri": _uri(found),
    }
    return body if found.chunk.page is None else {**body, "page_number": found.chunk.page}


def _heading(found: Found) -> str:
    place = f", {found.chunk.place}" if found.chunk.place else ""
    return f"{_title(found)}{place}"


def _title(found: Found) -> str:
    return found.document.display_name or found.document.id


def _uri(found: Found) -> str:
    return f"{STORE_PREFIX}{found.document.store_id}/documents/{found.document.id}"
