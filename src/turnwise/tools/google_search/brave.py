"""The Brave Search API: `GET /web/search` and `GET /images/search`, with the key as `X-Subscription-Token`."""

from collections.abc import Sequence
from html import unescape
from typing import Any

from turnwise.domain.tools import SearchType
from turnwise.tools.google_search.asking import Asker, objects_of, text_of
from turnwise.tools.google_search.engine import Hit

URL = "https://api.search.brave.com/res/v1"

MOST: dict[SearchType, int] = {"web_search": 20, "image_search": 200}
"""How many results it gives at once."""

CHARACTERS, WORDS = 400, 50
"""The longest query that it takes."""


class BraveEngine:
    """An `Engine`. See `engine.py`."""

    name = "brave"
    search_types: frozenset[SearchType] = frozenset({"web_search", "image_search"})

    def __init__(self, key: str, url: str = URL) -> None:
        self._url = url.rstrip("/")
        self._asker = Asker("Brave Search", headers={"X-Subscription-Token": key})

    def why_not(self) -> None:
        """Nothing of it is on this machine."""

    async def search(self, query: str, search_type: SearchType, limit: int) -> Sequence[Hit]:
        """At most so many hits. See `Engine.search`."""
        parameters = {"q": _shortened(query), "count": str(min(limit, MOST[search_type]))}
        if search_type == "image_search":
            answer = await self._asker.get(f"{self._url}/images/search", parameters)
            return [_image(result) for result in objects_of(answer.get("results"))[:limit]]
        answer = await self._asker.get(
            f"{self._url}/web/search", {**parameters, "result_filter": "web", "text_decorations": "false"}
        )
        web = answer.get("web")
        return [_page(result) for result in objects_of(web.get("results") if isinstance(web, dict) else None)[:limit]]

    async def close(self) -> None:
        """Close the connections."""
        await self._asker.close()


def _shortened(query: str) -> str:
    """A query without what is more than it takes."""
    return " ".join(query.split()[:WORDS])[:CHARACTERS]


def _page(result: dict[str, Any]) -> Hit:
    more = result.get("extra_snippets")
    texts = [result.get("description"), *(more if isinstance(more, list) else [])]
    text = "\n".join(unescape(text) for text in texts if isinstance(text, str))
    return Hit(text_of(result.get("url")), unescape(text_of(result.get("title"))), text)


def _image(result: dict[str, Any]) -> Hit:
    properties = result.get("properties")
    image = text_of(properties.get("url")) if isinstance(properties, dict) else ""
    return Hit(text_of(result.get("url")), unescape(text_of(result.get("title"))), "", image)
