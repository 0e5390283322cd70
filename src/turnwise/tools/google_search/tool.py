"""The tool `google_search`: one function, whose queries the model chooses, and any engine behind it.

The queries of a call run side by side, each within its time. One that fails costs the others nothing: what was found is
told, with what was not. A call is an error only if all of them failed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, get_args

from turnwise.domain.content import JSON
from turnwise.domain.errors import Unimplemented
from turnwise.domain.steps import ServerTool
from turnwise.domain.tools import FunctionTool, GoogleSearch, SearchType
from turnwise.tools.google_search.engine import Engine, Hit, SearchFailed
from turnwise.tools.google_search.hits import KEPT, Search, as_source, merge, show, tell
from turnwise.tools.tool import Occasion, Outcome

NAME: Literal["google_search"] = "google_search"

QUERIES = 5
"""How many queries a call may have."""

QUERY = 500
"""In characters: the rest of a longer query is left out."""

_DESCRIPTIONS: Mapping[SearchType, str] = {
    "web_search": (
        "Searches the web. Use it for current events, for facts that may have changed or that you are not sure of, and "
        "whenever you are asked to search. Returns titles, URLs and excerpts."
    ),
    "image_search": "Searches the web for images. Returns titles and the URLs of the images and of their pages.",
}
_FOLDER = (
    "Searches the documents that this server's owner has indexed. Use it for whatever they may tell, and whenever you "
    "are asked to search. Returns titles, names and excerpts of documents."
)


class GoogleSearchTool:
    """A `Tool`. See `tools/tool.py`."""

    def __init__(self, engine: Engine, *, results: int = 8, seconds: float = 15.0) -> None:
        """`results`: how many a query gives at the most; `seconds`: how long it may take."""
        self._engine = engine
        self._results = results
        self._seconds = seconds

    @asynccontextmanager
    async def open(self, declared: GoogleSearch, occasion: Occasion) -> AsyncIterator["OpenSearch"]:
        """Make it ready for one turn. See `Tool.open`."""
        for index, search_type in enumerate(declared.search_types):
            if search_type not in self._engine.search_types:
                raise Unimplemented(
                    f"{occasion.path}.search_types[{index}]: the search engine '{self._engine.name}' of this server "
                    f"has no '{search_type}'; leave it out, or set another engine (tools.google_search.engine)"
                )
        missing = await asyncio.to_thread(self._engine.why_not)
        if missing is not None:
            raise Unimplemented(f"{occasion.path}.type: there is no google_search on this server yet: {missing}")
        yield OpenSearch(self._engine, declared.search_types, results=self._results, seconds=self._seconds)

    async def close(self) -> None:
        """Let go of connections."""
        await self._engine.close()


class OpenSearch:
    """An `OpenTool`: the same for every turn that declares the same."""

    tool: ServerTool = NAME
    is_demanded = False

    def __init__(self, engine: Engine, declared: Sequence[SearchType], *, results: int, seconds: float) -> None:
        self._engine = engine
        self._declared = tuple(dict.fromkeys(declared))
        self._results = results
        self._seconds = seconds

    @property
    def functions(self) -> Sequence[FunctionTool]:
        """The one function."""
        types = self._declared or ("web_search",)
        described = " ".join(_DESCRIPTIONS[search_type] for search_type in types)
        return [FunctionTool(NAME, _FOLDER if self._engine.name == "folder" else described, self._parameters())]

    def shown(self, function: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
        """The queries, and what was searched for, if the request said it."""
        details = {"search_type": self._search_type(arguments)} if self._declared else {}
        return {"queries": list(arguments.get("queries", ()))}, details

    async def call(self, function: str, arguments: Mapping[str, Any], key: str = "") -> Outcome:
        """Search for all queries side by side. See `OpenTool.call`."""
        queries = _tidied(arguments.get("queries", ()))
        if not queries:
            why = "there was no query; call the function again with words to search for"
            return Outcome(show([], [why]), why, is_error=True)
        search_type = self._search_type(arguments)
        searches = await asyncio.gather(*(self._search(query, search_type) for query in queries))
        hits = merge(searches, max(KEPT, self._results))
        failures = list(dict.fromkeys(search.failure for search in searches if search.failure))
        is_error = all(search.failure for search in searches)
        return Outcome(
            show(hits, failures),
            tell(searches, hits, failures),
            is_error=is_error,
            sources=[as_source(hit) for hit in hits],
            counted=None if is_error else NAME,
        )

    def _parameters(self) -> dict[str, JSON]:
        queries: dict[str, JSON] = {
            "type": "array",
            "description": "What to search for, a few words each. One is often enough; several find different aspects.",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": QUERIES,
        }
        properties: dict[str, JSON] = {"queries": queries}
        if len(self._declared) > 1:
            properties["search_type"] = {
                "type": "string",
                "description": f"What to search for; by default {self._declared[0]}.",
                "enum": list(self._declared),
            }
        return {"type": "object", "properties": properties, "required": ["queries"]}

    def _search_type(self, arguments: Mapping[str, Any]) -> SearchType:
        chosen = arguments.get("search_type")
        if chosen in get_args(SearchType) and chosen in self._declared:
            return chosen  # type: ignore[no-any-return]
        return self._declared[0] if self._declared else "web_search"

    async def _search(self, query: str, search_type: SearchType) -> Search:
        try:
            async with asyncio.timeout(self._seconds):
                hits: Sequence[Hit] = await self._engine.search(query, search_type, self._results)
        except TimeoutError:
            return Search(query, failure=f"{self._engine.name} did not answer within {self._seconds:g} seconds")
        except SearchFailed as error:
            return Search(query, failure=error.message)
        return Search(query, hits)


def _tidied(queries: Sequence[Any]) -> list[str]:
    """The queries that say something, each once."""
    plain = (" ".join(str(query).split())[:QUERY] for query in queries)
    return list(dict.fromkeys(query for query in plain if query))[:QUERIES]
