"""What a web page says: its main text first, then what stands around it; with its title and where it leads.

trafilatura tells the main text from menus, notices and footers. It may be wrong about that, so nothing is lost: what it
leaves out comes behind, under a place of its own. A short page, one that is made to wear a reader out, and every page
where trafilatura is not installed is read as a whole, from top to bottom.
"""

import importlib.util
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson

from turnwise.domain.errors import InvalidRequest
from turnwise.media.media import Account, Link, Options, Passage, WebPage
from turnwise.media.texts import MARKS, NAMES, cut, decode_western, on_one_line, read_bytes

TYPES = frozenset({"text/html", "application/xhtml+xml"})

LONG = 1500
"""In characters. Shorter pages have nothing around their text that it would have to be told from."""
ELEMENTS, ATTRIBUTES = 30_000, 200
"""What trafilatura is given at the most: so many elements, with so many attributes each. Measured: a page of 20,000
paragraphs takes it 1.2 s, one of 200,000 takes 13 s, and 200,000 attributes on one element take minutes."""
AROUND = "around the main text"
"""The place of what is no part of the main text."""

LINKS, LONGEST_LINK = 200, 2000
"""How many links are told of, and how long one may be, in characters."""
LONGEST_NOTE = 256 * 1024
"""In characters: what a page says of itself for machines (JSON-LD) is read up to here."""
HEAD = 4096
"""In bytes: where a page says its encoding, if it does."""

_CHARSET = re.compile(
    rb"<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,200}?encoding)\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.I
)
_AS_BROWSERS = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
}
"""What browsers take an encoding for, as more is written in the second than in the first."""
_WORD = re.compile(r"\w+")


def read(path: Path, options: Options) -> Account:
    """What a web page says. Raises as `Reader.read` in `media.py` does."""
    mime_type, _, parameters = options.mime_type.partition(";")
    text = decode(read_bytes(path), parameters.partition("charset=")[2])
    page = _parsed(text)
    facts = f"{NAMES[mime_type]}, titled '{page.title}'" if page.title else NAMES[mime_type]
    about = WebPage(page.title, page.links, page.base, page.is_free)
    whole = page.text()
    main = _main_text(text, page) if len(whole) >= LONG else ""
    if not main:
        return Account(facts, _passages(whole), "read without its markup", about)
    passages = (*_passages(main), *_passages(_rest(whole, main), AROUND))
    return Account(facts, passages, "the main text first, read without its markup", about)


def decode(data: bytes, charset: str = "") -> str:
    """The text of a page, as browsers find it out: by its mark, by what its server says, by what it says itself.

    Raises:
        InvalidRequest: there is no such encoding.
    """
    marked = next((encoding for mark, encoding in MARKS if data.startswith(mark)), None)
    try:
        if marked or charset:
            return data.decode(marked or _AS_BROWSERS.get(charset.lower(), charset), "replace")
        if not data.isascii():
            try:
                return data.decode()
            except UnicodeDecodeError:
                pass
        said = _CHARSET.search(data, 0, HEAD)
        if said is not None:
            name = said[1].decode().lower()
            return data.decode(_AS_BROWSERS.get(name, name), "replace")
    except LookupError:
        if charset:
            raise InvalidRequest(f"the page's charset is said to be '{charset}', which is not known") from None
    return data.decode(_guessed(data), "replace") if _is_installed("charset_normalizer") else decode_western(data)


def _guessed(data: bytes) -> str:
    """The encoding in which the beginning of a page makes the most sense."""
    from charset_normalizer import from_bytes

    wide = ["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be", "utf_7"]  # of which any bytes are
    best = from_bytes(re.sub(rb"<[^>]{0,1000}>", b" ", data[: 16 * HEAD]), cp_exclusion=wide).best()
    return best.encoding if best is not None else "cp1252"


def _passages(text: str, place: str = "") -> tuple[Passage, ...]:
    return tuple(Passage(piece, place) for _, piece in cut(text))


def _main_text(text: str, page: "_Page") -> str:
    """The main text in Markdown: headings, lists, tables. Empty: it cannot be told."""
    if page.elements > ELEMENTS or page.most_attributes > ATTRIBUTES or not _is_installed("trafilatura"):
        return ""
    from trafilatura import extract

    try:
        found = extract(text, output_format="markdown", favor_recall=True, include_links=False, include_images=False)
    except ValueError:  # it writes names of a page into XML, and some cannot stand there
        return ""
    return found or ""


def _rest(whole: str, main: str) -> str:
    """What of a page its main text has not: the lines whose words are mostly not in it."""
    said = {size: set(_runs(main, size)) for size in (1, 2, 3)}
    kept = []
    for line in whole.split("\n"):
        words = len(_WORD.findall(line))
        runs = list(_runs(line, min(3, words)))
        if runs and sum(run in said[min(3, words)] for run in runs) < 0.8 * len(runs):
            kept.append(line)
    return "\n".join(kept)


def _runs(text: str, size: int) -> Iterator[tuple[str, ...]]:
    """Each word with those behind it, so many together."""
    words = [word.lower() for word in _WORD.findall(text)]
    return zip(*(words[start:] for start in range(size)), strict=False)


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _parsed(text: str) -> "_Page":
    """A page that was read through. libxml2 does that in a time that grows with the page alone, where it is installed;
    Python's own parser can be kept busy for long."""
    page = _Page()
    if _is_installed("lxml"):
        from lxml import etree

        parser = etree.HTMLParser(target=page, encoding="utf-8", huge_tree=True)
        parser.feed(text.encode("utf-8", "replace"))
        parser.close()
    else:
        plain = _PlainParser(page)
        plain.feed(text)
        plain.close()
    return page


class _PlainParser(HTMLParser):
    """Python's own parser, saying what it finds to a page."""

    def __init__(self, page: "_Page") -> None:
        super().__init__()
        self._page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._page.start(tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        self._page.end(tag)

    def handle_data(self, data: str) -> None:
        self._page.data(data)


class _Page:
    """Takes the text out of a web page: a line for each block, what is not shown left out."""

    HIDDEN = frozenset({"script", "style", "template", "noscript", "svg", "math", "select", "datalist"})
    BLOCKS = frozenset(
        {
            *("address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div", "dl", "dt"),
            *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"),
            *("li", "main", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tr", "ul"),
        }
    )
    PARAGRAPH = "\x1e"
    """Stands for the end of a paragraph: no text of a page holds it, as it counts as a blank."""
    PARAGRAPHS = frozenset(
        {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre", "blockquote", "section"}
    )
    ASIDE = frozenset({"nav", "footer", "aside"})
    """What stands around the main part."""

    def __init__(self) -> None:
        self.base = ""
        self.elements = 0
        self.most_attributes = 0
        self._title: list[str] = []
        self._pieces: list[str] = []
        self._hidden: list[str] = []
        self._hiding: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._in_title = False
        self._links: list[tuple[bool, str, list[str]]] = []
        self._in_link = False
        self._notes: list[str] = []
        self._in_note = False
        self._noted = 0
        self._is_locked = False

    @property
    def title(self) -> str:
        """What the page calls itself, on one line."""
        return on_one_line("".join(self._title))

    @property
    def links(self) -> tuple[Link, ...]:
        """Where it leads, each address once, those in its main part first."""
        found: dict[str, Link] = {}
        for _, url, pieces in sorted(self._links, key=lambda link: link[0]):
            text = on_one_line("".join(pieces), 100)
            if url not in found or (text and not found[url].text):
                found[url] = Link(text, url)
        return tuple(found.values())[:LINKS]

    @property
    def is_free(self) -> bool:
        """Whether it does not say of itself that only some may read it."""
        return not (self._is_locked or any(map(_says_locked, self._notes)))

    def text(self) -> str:
        """All that was found."""
        text = re.sub(r"[ \xa0]+", " ", "".join(self._pieces))
        return re.sub(rf"[ \t]*[\n{self.PARAGRAPH}][ \t\n{self.PARAGRAPH}]*", self._one_break, text).strip()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self.elements += 1
        self.most_attributes = max(self.most_attributes, len(attributes))
        self._in_title = tag == "title" and not self._hidden
        self._in_note = tag == "script" and attributes.get("type", "").strip().lower() == "application/ld+json"
        if self._in_note:
            self._notes.append("")
        if tag in self.ASIDE:
            self._open[tag] += 1
        if tag in self.HIDDEN:
            self._hidden.append(tag)
            self._hiding[tag] += 1
        elif tag in ("td", "th"):
            self._pieces.append("\t")
        elif tag == "li":
            self._pieces.append("\n- ")
        elif tag == "img":
            self._pieces.append(f" [{attributes['alt']}] " if attributes.get("alt") else "")
        elif tag == "a":
            self._start_link(attributes.get("href", "").strip())
        elif tag == "base":
            self.base = self.base or attributes.get("href", "").strip()[:LONGEST_LINK]
        elif tag == "meta":
            self._is_locked = self._is_locked or _is_lock(attributes)
        else:
            self._break(tag)

    def end(self, tag: str) -> None:
        """An element ends."""
        self._in_title = self._in_note = False
        if tag in self.ASIDE and self._open[tag]:
            self._open[tag] -= 1
        if self._hiding[tag]:
            while True:
                last = self._hidden.pop()
                self._hiding[last] -= 1
                if last == tag:
                    return
        if tag == "a":
            self._in_link = False
        self._break(tag)

    def data(self, data: str) -> None:
        """Text."""
        if self._in_title:
            self._title.append(data)
        elif self._in_note and self._noted + len(data) <= LONGEST_NOTE:
            self._noted += len(data)
            self._notes[-1] += data
        elif not self._hidden:
            plain = re.sub(r"\s+", " ", data)
            self._pieces.append(plain)
            if self._in_link:
                self._links[-1][2].append(plain)

    def close(self) -> None:
        """It is read through."""

    def _start_link(self, url: str) -> None:
        leads = not url.startswith("#") and len(url) <= LONGEST_LINK and _leads(url)
        self._in_link = bool(url) and leads and not self._hidden
        if self._in_link:
            self._links.append((any(self._open.values()), url, []))

    def _break(self, tag: str) -> None:
        if tag in self.BLOCKS:
            self._pieces.append(self.PARAGRAPH if tag in self.PARAGRAPHS else "\n")

    def _one_break(self, found: re.Match[str]) -> str:
        return "\n\n" if self.PARAGRAPH in found[0] else "\n"


def _leads(url: str) -> bool:
    """Whether it is an address of the web, or relative to one."""
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", url)
    return scheme is None or scheme[1].lower() in ("http", "https")


# -- paywalls

_WORKS = re.compile(r"Article|Page|Posting|CreativeWork|Report|Review|Recipe|HowTo")
"""Kinds of things that are read. Of a museum it is told too whether everybody may come in for free."""


def _is_lock(attributes: Mapping[str, str]) -> bool:
    content = attributes.get("content", "").strip().lower()
    if attributes.get("itemprop") == "isAccessibleForFree":
        return _is_no(content)
    return attributes.get("property") == "article:content_tier" and content == "locked"


def _says_locked(note: str) -> bool:
    """Whether JSON-LD says of the page, or of a part of it, that only some may read it."""
    try:
        said = orjson.loads(note)
    except orjson.JSONDecodeError:
        return False
    things = said if isinstance(said, list) else [said]
    graphs = [thing["@graph"] for thing in things if isinstance(thing, dict) and isinstance(thing.get("@graph"), list)]
    return any(_is_locked(thing) for group in (things, *graphs) for thing in group)


def _is_locked(thing: Any) -> bool:
    if not isinstance(thing, dict) or ("@type" in thing and not _WORKS.search(str(thing["@type"])[:200])):
        return False
    if "isAccessibleForFree" in thing:
        return _is_no(thing["isAccessibleForFree"])
    parts = thing.get("hasPart")
    return any(
        isinstance(part, dict) and _is_no(part.get("isAccessibleForFree"))
        for part in (parts if isinstance(parts, list) else [parts])
    )


def _is_no(value: Any) -> bool:
    return value is False or str(value).rpartition("/")[2].lower() in ("false", "no")
