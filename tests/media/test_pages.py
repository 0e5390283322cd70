"""What web pages say: the main text first, what stands around it, where they lead; and what is made to wear out."""

import asyncio
import json
from pathlib import Path

import pytest

from turnwise.domain.errors import InvalidRequest
from turnwise.media import pages
from turnwise.media.media import Account, Link, Options
from turnwise.media.pages import AROUND, decode, read
from turnwise.media.process import Bounds, Processes

SECTIONS = "".join(
    f"<h2>Section {n}</h2><p>Paragraph {n} tells of <a href='/more/{n}'>thing {n}</a>, which is <b>good</b>.</p>"
    for n in range(40)
)
ARTICLE = f"""<!doctype html><html><head><title>About  things</title><base href="https://base.example/x/"></head><body>
<nav><a href="/">Home</a> <a href="/blog">The blog of ours</a></nav>
<main><article><h1>All things</h1>{SECTIONS}<table><tr><th>Name</th><th>Age</th></tr><tr><td>Ada</td><td>36</td></tr>
</table><ul><li>first point</li><li>second point</li></ul></article></main>
<aside><p>It costs 12 EUR, today only</p></aside><footer>Imprint and privacy</footer></body></html>"""


def say(tmp_path: Path, data: bytes | str, mime_type: str = "text/html") -> Account:
    """What a page with these bytes says."""
    path = tmp_path / "page"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read(path, Options(mime_type))


def whole(account: Account) -> str:
    return "\n".join(passage.text for passage in account.passages)


def test_the_main_text_of_a_page_comes_first_and_nothing_is_lost(tmp_path: Path) -> None:
    account = say(tmp_path, ARTICLE)
    assert account.facts == "web page (HTML), titled 'About things'"
    assert account.manner == "the main text first, read without its markup"
    main = "\n".join(passage.text for passage in account.passages if not passage.place)
    assert main.startswith("# All things\n\n## Section 0\n\nParagraph 0 tells of thing 0")
    assert "| Ada | 36 |" in main
    assert "- first point" in main
    assert "12 EUR" not in main
    rest = [passage.text for passage in account.passages if passage.place == AROUND]
    assert account.passages[-1].text == rest[-1]
    assert "\n".join(rest).split("\n") == [
        "Home The blog of ours",
        "It costs 12 EUR, today only",
        "Imprint and privacy",
    ]


def test_a_page_tells_where_it_leads_its_main_part_first(tmp_path: Path) -> None:
    page = say(tmp_path, ARTICLE).page
    assert page is not None
    assert (page.title, page.base) == ("About things", "https://base.example/x/")
    assert page.links[0] == Link("thing 0", "/more/0")
    assert page.links[40:] == (Link("Home", "/"), Link("The blog of ours", "/blog"))


def test_a_link_that_leads_nowhere_is_none(tmp_path: Path) -> None:
    hrefs = ["#top", "javascript:alert(1)", "mailto:me@some.example", "", "data:text/html,x", "x" * 3000, "ok", "ok"]
    page = say(tmp_path, "".join(f"<a href='{href}'><img src=i> a  link</a>" for href in hrefs)).page
    assert page is not None
    assert page.links == (Link("a link", "ok"),)


def test_a_page_at_which_the_library_fails_is_read_as_a_whole(tmp_path: Path) -> None:
    """A character that XML does not have."""
    page = ARTICLE.replace("<h1>", "<h1>&#1;")
    account = say(tmp_path, page)
    assert account.manner == "read without its markup"
    assert "Paragraph 39 tells of thing 39" in whole(account)


@pytest.mark.parametrize("missing", [("trafilatura",), ("trafilatura", "lxml"), ("charset_normalizer",)])
def test_a_page_is_read_without_the_libraries_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    installed = pages._is_installed
    monkeypatch.setattr(pages, "_is_installed", lambda package: package not in missing and installed(package))
    account = say(tmp_path, ARTICLE)
    assert "Paragraph 39 tells of thing 39, which is good." in whole(account) or "**good**" in whole(account)
    assert "12 EUR" in whole(account)
    assert account.page is not None
    assert account.page.links[0] == Link("thing 0", "/more/0")


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        ("<p>Grüße aus 北京".encode(), ""),
        ("<p>Grüße aus 北京".encode("utf-8-sig"), ""),
        ("<p>Grüße aus 北京".encode("utf-16"), ""),
        ("<p>Grüße aus 北京".encode("gb18030"), "gb2312"),
        ("<meta charset=gbk><p>Grüße aus 北京".encode("gb18030"), ""),
        ("<meta charset=iso-8859-1><p>Grüße aus 北京".encode(), ""),
        ("<meta charset=utf-8><p>Grüße aus 北京".encode("gb18030"), "gb18030"),
    ],
)
def test_the_encoding_of_a_page_is_found_out_as_browsers_do(data: bytes, charset: str) -> None:
    assert decode(data, charset).endswith("Grüße aus 北京")


def test_encodings_that_say_less_than_they_are_read_as_what_they_are() -> None:
    assert decode("<p>“5 €”".encode("cp1252"), "iso-8859-1") == "<p>“5 €”"
    said = '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"><p>①日本'
    assert decode(said.encode("cp932")) == said
    assert decode(b'<?xml version="1.0" encoding="ISO-2022-JP"?>' + "日本".encode("iso-2022-jp")).endswith("日本")


def test_an_encoding_that_nobody_says_is_guessed_and_a_wrong_one_loses_letters_only() -> None:
    russian = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 5
    assert "французских" in decode(f"<p>{russian}".encode("cp1251"))
    assert decode(b"a\xffb", "utf-8") == "a\ufffdb"
    assert decode(b"<meta charset=nonsense>hello").endswith("hello")
    with pytest.raises(InvalidRequest, match="nonsense"):
        decode(b"hello", "nonsense")


def article(**said: object) -> str:
    """A page that says this of itself in JSON-LD."""
    return f'<script type="application/ld+json">{json.dumps(said)}</script><p>Hello</p>'


@pytest.mark.parametrize(
    "page",
    [
        article(**{"@type": "NewsArticle", "isAccessibleForFree": False}),
        article(**{"@type": ["Article"], "isAccessibleForFree": "False"}),
        article(**{"@type": "WebPage", "isAccessibleForFree": "http://schema.org/False"}),
        article(**{"@graph": [{"@type": "Person"}, {"@type": "Article", "isAccessibleForFree": "no"}]}),
        article(**{"@type": "Article", "hasPart": {"@type": "WebPageElement", "isAccessibleForFree": False}}),
        '<meta property="article:content_tier" content="locked"><p>Hello',
        '<div itemscope><meta itemprop="isAccessibleForFree" content="false"></div><p>Hello',
    ],
)
def test_a_page_that_says_that_it_is_not_for_all_is_not_free(tmp_path: Path, page: str) -> None:
    account = say(tmp_path, page)
    assert account.page is not None
    assert not account.page.is_free
    assert whole(account) == "Hello"


@pytest.mark.parametrize(
    "page",
    [
        article(**{"@type": "NewsArticle", "isAccessibleForFree": True}),
        article(**{"@type": "Article"}),
        article(**{"@type": "Museum", "isAccessibleForFree": False}),
        article(**{"@type": "ItemList", "itemListElement": [{"@type": "Article", "isAccessibleForFree": False}]}),
        article(**{"@type": "Article", "isAccessibleForFree": True, "hasPart": [{"isAccessibleForFree": False}]}),
        '<meta property="article:content_tier" content="metered"><p>Hello',
        '<script type="application/ld+json">{"isAccessibleForFree": false</script><p>Hello',
        '<script type="application/ld+json">' + "[" * 100_000 + "</script><p>Hello",
    ],
)
def test_any_other_page_is_free(tmp_path: Path, page: str) -> None:
    account = say(tmp_path, page)
    assert account.page is not None
    assert account.page.is_free


LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
WORN = {
    "nested": "<html><body>" + "<div>" * 100_000 + "deep" + "</div>" * 100_000 + "<p>Hello</p>",
    "nested and never closed": "<p>Hello</p>" + "<b>" * 100_000,
    "in lists": "<ul><li>Hello" * 50_000,
    "in tables": "<table><tr><td>Hello" * 50_000,
    "of links": "<a href=/x>Hello" * 100_000,
    "of attributes": "<p " + " ".join(f"a{n}=1" for n in range(50_000)) + ">Hello</p>",
    "of paragraphs": "<p>Hello</p>" * 200_000,
    "of tags that never end": "<p>Hello</p>" + "<a " * 100_000,
    "of comments": "<p>Hello</p>" + "<!-- " * 100_000,
    "of declarations": "<p>Hello</p>" + "<!" * 100_000,
    "of entities": "<p>Hello</p>" + "&amp;" * 200_000,
    "of laughs": '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a "lollollol">' + LAUGHS + "]><p>Hello &l;</p>",
    "of a file": '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>Hello &x;</p>',
    "of zeros": "<p>Hello</p>\0" * 1000,
    "of one line": "<p>Hello " + "word " * 400_000,
}


@pytest.mark.parametrize("kind", WORN)
async def test_a_page_that_is_made_to_wear_out_is_read_soon(tmp_path: Path, kind: str) -> None:
    """In the process that reads, with little time and memory."""
    path = tmp_path / "page"
    path.write_text(WORN[kind])
    processes = Processes(Bounds(seconds=15, memory_mib=512))
    try:
        async with asyncio.timeout(20):
            account = await processes.read("document", path, Options("application/xhtml+xml", seconds=15))
    finally:
        await processes.close()
    assert "Hello" in whole(account)
    assert "root:" not in whole(account)
    assert len(whole(account)) <= len(WORN[kind])


async def test_a_page_that_cannot_be_read_soon_is_given_up(tmp_path: Path) -> None:
    """What keeps libxml2 busy longer than it may: an end tag that has to look far up for its beginning, again and
    again."""
    path = tmp_path / "page"
    path.write_text("<svg>" * 300_000 + "</select>" * 300_000)
    processes = Processes(Bounds(seconds=3))
    try:
        with pytest.raises(InvalidRequest, match="within 3 s"):
            await processes.read("document", path, Options("text/html", seconds=3))
    finally:
        await processes.close()
