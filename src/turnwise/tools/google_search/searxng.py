"""A SearXNG server: `GET /search?q=...&format=json`, as its search API has it.

JSON is off in a fresh SearXNG, which then answers with 403 or with its web page. That is by far the most common mistake
in setting it up, so it is told by name.
"""

from collections.abc import Sequence
from typing import Any

from turnwise.domain.tools import SearchType
from turnwise.tools.google_search.asking import Asker, objects_of, text_of
from turnwise.tools.google_search.engine import Hit, SearchFailed

_CATEGORIES: dict[SearchType, str] = {"web_search": "general", "image_search": "images"}


class SearxngEngine:
    """An `Engine`. See `engine.py`."""

    name = "searxng"
    search_types: frozenset[SearchType] = frozenset({"web_search", "image_search"})

    def __init__(self, url: str) -> None:
        """`url`: the server's address, with or without `/search` behind it."""
        self._url = url.rstrip("/").removesuffix("/search") + "/search"
        self._asker = Asker("SearXNG", refusal=_json_is_off)

    def why_not(self) -> None:
        """Nothing of it is on this machine."""

    async def search(self, query: str, search_type: SearchType, limit: int) -> Sequence[Hit]:
        """At most so many hits. See `Engine.search`."""
        answer = await self._asker.get(
            self._url, {"q": query, "format": "json", "categories": _CATEGORIES[search_type]}
        )
        results = objects_of(answer.get("results"))
        if not results and (silent := _silent(answer)):
            raise SearchFailed(f"SearXNG found nothing, as the engines behind it do not answer: {silent}")
        return [_hit(result) for result in results[:limit]]

    async def close(self) -> None:
        """Close the connections."""
        await self._asker.close()


def _json_is_off(status: int, is_page: bool) -> str | None:
    if status == 403 or (status == 200 and is_page):
        return (
            "SearXNG does not answer in JSON. Whoever runs it should add 'json' to search.formats in its settings.yml"
        )
    return None


def _hit(result: dict[str, Any]) -> Hit:
    return Hit(
        text_of(result.get("url")),
        text_of(result.get("title")),
        text_of(result.get("content")),
        text_of(result.get("img_src")),
    )


def _silent(answer: dict[str, Any]) -> str:
    """The engines behind it that could not be asked, each with the reason."""
    pairs = answer.get("unresponsive_engines")
    named = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2] if isinstance(pairs, list) else []
    return ", ".join(f"{engine} ({why})" for engine, why in named[:5])
