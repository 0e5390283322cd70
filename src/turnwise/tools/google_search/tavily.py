"""The Tavily API: `POST /search`, with the key as a bearer's."""

from collections.abc import Sequence
from typing import Any

from turnwise.domain.tools import SearchType
from turnwise.tools.google_search.asking import Asker, objects_of, text_of
from turnwise.tools.google_search.engine import Hit

URL = "https://api.tavily.com"

MOST = 20
"""How many results it gives at once."""


class TavilyEngine:
    """An `Engine`. See `engine.py`."""

    name = "tavily"
    search_types: frozenset[SearchType] = frozenset({"web_search", "image_search"})

    def __init__(self, key: str, url: str = URL) -> None:
        self._url = url.rstrip("/")
        self._asker = Asker("Tavily", headers={"Authorization": f"Bearer {key}"})

    def why_not(self) -> None:
        """Nothing of it is on this machine."""

    async def search(self, query: str, search_type: SearchType, limit: int) -> Sequence[Hit]:
        """At most so many hits. See `Engine.search`."""
        body: dict[str, Any] = {"query": query, "max_results": min(limit, MOST)}
        if search_type == "web_search":
            answer = await self._asker.post(f"{self._url}/search", body)
            return [_page(result) for result in objects_of(answer.get("results"))[:limit]]
        images = {"include_images": True, "include_image_descriptions": True}
        answer = await self._asker.post(f"{self._url}/search", {**body, **images})
        return [_image(result) for result in objects_of(answer.get("images"))[:limit]]

    async def close(self) -> None:
        """Close the connections."""
        await self._asker.close()


def _page(result: dict[str, Any]) -> Hit:
    return Hit(text_of(result.get("url")), text_of(result.get("title")), text_of(result.get("content")))


def _image(result: dict[str, Any]) -> Hit:
    """An image. On which page it stands is not told, so it stands for itself."""
    url, description = text_of(result.get("url")), text_of(result.get("description"))
    return Hit(url, description[:100] or url.rpartition("/")[2], description, url)
