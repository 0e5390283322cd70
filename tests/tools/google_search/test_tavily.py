"""The Tavily API, by the protocol that its documentation has."""

import pytest

from support import within
from turnwise.tools.google_search.engine import Hit, SearchFailed
from turnwise.tools.google_search.tavily import TavilyEngine

from .engines import json, serve

FOUND = {
    "query": "otters",
    "answer": None,
    "images": [],
    "results": [
        {
            "title": "Otters",
            "url": "https://example.org/otters",
            "content": "Otters live in water.",
            "score": 0.9,
            "raw_content": None,
        }
    ],
    "response_time": 0.9,
}


async def test_the_web_is_asked_with_the_key():
    async with serve(json(FOUND)) as site:
        engine = TavilyEngine("the-key", f"{site.url}/")
        hits = await within(engine.search("otters", "web_search", 50))
        await engine.close()
        (asked,) = site.asked
    assert (asked.method, asked.path) == ("POST", "/search")
    assert asked.headers["Authorization"] == "Bearer the-key"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.body == {"query": "otters", "max_results": 20}
    assert hits == [Hit("https://example.org/otters", "Otters", "Otters live in water.")]


async def test_images_stand_for_themselves():
    images = [
        {"url": "https://example.org/otter.jpg", "description": "An otter swims"},
        {"url": "https://example.org/other.jpg"},
    ]
    async with serve(json({**FOUND, "images": images})) as site:
        engine = TavilyEngine("the-key", site.url)
        hits = await within(engine.search("otters", "image_search", 5))
        await engine.close()
        assert site.asked[0].body == {
            "query": "otters",
            "max_results": 5,
            "include_images": True,
            "include_image_descriptions": True,
        }
    first, second = "https://example.org/otter.jpg", "https://example.org/other.jpg"
    assert hits == [Hit(first, "An otter swims", "An otter swims", first), Hit(second, "other.jpg", "", second)]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refused the key (HTTP 401)"),
        (432, "all that its plan allows (HTTP 432)"),
        (400, "HTTP 400: Query is too long"),
    ],
)
async def test_its_refusals_are_told(status: int, said: str):
    async with serve(json({"detail": {"error": "Query is too long"}}, status)) as site:
        engine = TavilyEngine("the-key", site.url)
        with pytest.raises(SearchFailed) as failed:
            await within(engine.search("otters", "web_search", 8))
        await engine.close()
    assert said in failed.value.message
