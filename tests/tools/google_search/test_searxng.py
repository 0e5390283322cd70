"""SearXNG, by the protocol that its documentation has."""

import pytest

from support import within
from turnwise.tools.google_search.engine import Hit, SearchFailed
from turnwise.tools.google_search.searxng import SearxngEngine

from .engines import Handler, json, page, serve

FOUND = {
    "query": "otters",
    "number_of_results": 2,
    "results": [
        {
            "url": "https://example.org/otters",
            "title": "Otters",
            "content": "Otters live in water.",
            "engine": "duckduckgo",
            "engines": ["duckduckgo", "brave"],
            "score": 4.0,
            "category": "general",
        },
        {"url": "https://example.org/no-text", "title": "No text", "content": None},
    ],
    "answers": [],
    "corrections": [],
    "infoboxes": [],
    "suggestions": ["sea otters"],
    "unresponsive_engines": [["google", "timeout"]],
}
IMAGES = {
    "results": [
        {
            "url": "https://example.org/page",
            "title": "An otter",
            "content": "swims",
            "img_src": "https://example.org/otter.jpg",
            "thumbnail_src": "https://example.org/otter-small.jpg",
            "template": "images.html",
        }
    ]
}


async def failure(answer: Handler) -> str:
    async with serve(answer) as site:
        engine = SearxngEngine(site.url)
        with pytest.raises(SearchFailed) as failed:
            await within(engine.search("otters", "web_search", 8))
        await engine.close()
    return failed.value.message


@pytest.mark.parametrize("behind", ["", "/", "/search", "/search/"])
async def test_it_is_asked_for_json_of_the_web(behind: str):
    async with serve(json(FOUND)) as site:
        engine = SearxngEngine(site.url + behind)
        hits = await within(engine.search("where do otters live?", "web_search", 8))
        await engine.close()
        (asked,) = site.asked
    assert (asked.method, asked.path) == ("GET", "/search")
    assert dict(asked.query) == {"q": "where do otters live?", "format": "json", "categories": "general"}
    assert hits == [
        Hit("https://example.org/otters", "Otters", "Otters live in water."),
        Hit("https://example.org/no-text", "No text", ""),
    ]


async def test_no_more_hits_come_than_are_wanted():
    async with serve(json(FOUND)) as site:
        engine = SearxngEngine(site.url)
        assert len(await within(engine.search("otters", "web_search", 1))) == 1
        await engine.close()


async def test_images_are_a_category_of_their_own():
    async with serve(json(IMAGES)) as site:
        engine = SearxngEngine(site.url)
        hits = await within(engine.search("otters", "image_search", 8))
        await engine.close()
        assert site.asked[0].query["categories"] == "images"
    assert hits == [Hit("https://example.org/page", "An otter", "swims", "https://example.org/otter.jpg")]


@pytest.mark.parametrize("answer", [page(), page(403), json({}, 403)], ids=["its page", "403", "403 in JSON"])
async def test_a_server_whose_json_is_off_says_which_of_its_settings_turns_it_on(answer: Handler):
    assert await failure(answer) == (
        "SearXNG does not answer in JSON. Whoever runs it should add 'json' to search.formats in its settings.yml"
    )


async def test_engines_behind_it_that_do_not_answer_are_named_if_nothing_was_found():
    silent = {"results": [], "unresponsive_engines": [["google", "CAPTCHA"], ["brave", "timeout"], "odd"]}
    assert "do not answer: google (CAPTCHA), brave (timeout)" in await failure(json(silent))


async def test_nothing_found_is_no_failure():
    async with serve(json({"results": [], "unresponsive_engines": []})) as site:
        engine = SearxngEngine(site.url)
        assert await within(engine.search("otters", "web_search", 8)) == []
        await engine.close()


@pytest.mark.parametrize("results", [None, "none", {"a": 1}, [1, None, "x"]])
async def test_results_of_no_known_form_are_left_out(results: object):
    async with serve(json({"results": results})) as site:
        engine = SearxngEngine(site.url)
        assert await within(engine.search("otters", "web_search", 8)) == []
        await engine.close()
