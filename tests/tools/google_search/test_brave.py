"""The Brave Search API, by the protocol that its documentation has."""

import pytest

from support import within
from turnwise.tools.google_search.brave import BraveEngine
from turnwise.tools.google_search.engine import Hit, SearchFailed

from .engines import json, serve

FOUND = {
    "type": "search",
    "query": {"original": "otters", "more_results_available": True},
    "web": {
        "type": "search",
        "results": [
            {
                "type": "search_result",
                "title": "Otters &amp; others",
                "url": "https://example.org/otters",
                "description": "Otters live in water.",
                "extra_snippets": ["They eat fish.", "They sleep."],
            }
        ],
    },
}
IMAGES = {
    "type": "images",
    "results": [
        {
            "type": "image_result",
            "title": "An otter",
            "url": "https://example.org/page",
            "source": "example.org",
            "thumbnail": {"src": "https://imgs.search.brave.com/small"},
            "properties": {"url": "https://example.org/otter.jpg"},
        }
    ],
}


async def test_the_web_is_asked_with_the_key():
    async with serve(json(FOUND)) as site:
        engine = BraveEngine("the-key", f"{site.url}/res/v1/")
        hits = await within(engine.search("otters", "web_search", 8))
        await engine.close()
        (asked,) = site.asked
    assert (asked.method, asked.path) == ("GET", "/res/v1/web/search")
    assert dict(asked.query) == {"q": "otters", "count": "8", "result_filter": "web", "text_decorations": "false"}
    assert asked.headers["X-Subscription-Token"] == "the-key"
    assert asked.headers["Accept"] == "application/json"
    text = "Otters live in water.\nThey eat fish.\nThey sleep."
    assert hits == [Hit("https://example.org/otters", "Otters & others", text)]


async def test_images_are_asked_for_elsewhere():
    async with serve(json(IMAGES)) as site:
        engine = BraveEngine("the-key", site.url)
        hits = await within(engine.search("otters", "image_search", 50))
        await engine.close()
        (asked,) = site.asked
    assert (asked.path, asked.query["count"]) == ("/images/search", "50")
    assert hits == [Hit("https://example.org/page", "An otter", "", "https://example.org/otter.jpg")]


async def test_no_more_is_asked_for_than_it_gives_at_once():
    async with serve(json({})) as site:
        engine = BraveEngine("the-key", site.url)
        assert await within(engine.search("word " * 100, "web_search", 50)) == []
        await engine.close()
        assert site.asked[0].query["count"] == "20"
        assert site.asked[0].query["q"] == " ".join(["word"] * 50)


async def test_a_wrong_key_is_to_be_checked():
    refusal = {
        "type": "ErrorResponse",
        "error": {
            "code": "SUBSCRIPTION_TOKEN_INVALID",
            "detail": "The provided subscription token is invalid.",
            "status": 422,
        },
    }
    async with serve(json(refusal, 422)) as site:
        engine = BraveEngine("wrong-key", site.url)
        with pytest.raises(SearchFailed, match=r"refused the key \(HTTP 422\).*check the key"):
            await within(engine.search("otters", "web_search", 8))
        await engine.close()
