"""What a text says: as it stands, or without its markup where people would not read that, in passages."""

import codecs
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from turnwise.domain.errors import InvalidRequest
from turnwise.media.media import Account, Options, Passage

LARGEST = 32 * 1024**2
"""In bytes."""
PASSAGE = 1500
"""In characters: longer passages are cut, at the end of a paragraph, a line or a sentence if there is one."""

NAMES = {
    "text/plain": "text",
    "text/csv": "CSV table",
    "text/tab-separated-values": "table with tabs",
    "text/html": "web page (HTML)",
    "application/xhtml+xml": "web page (XHTML)",
    "text/markdown": "Markdown text",
    "text/rtf": "RTF document",
    "application/rtf": "RTF document",
    "text/xml": "XML file",
    "application/xml": "XML file",
    "application/json": "JSON file",
    "text/css": "style sheet (CSS)",
    "text/javascript": "JavaScript file",
    "application/javascript": "JavaScript file",
    "text/x-python": "Python file",
    "application/x-python": "Python file",
}

_CUTS = ("\n\n", ".\n", "\n", ". ", "。", " ")
"""Behind what a passage may end, the best first."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read(path: Path, options: Options) -> Account:
    """What a text file says. Raises as `Reader.read` in `media.py` does."""
    size = path.stat().st_size
    if size > LARGEST:
        raise InvalidRequest(f"the text has {size} bytes: at most {LARGEST} are read, so give it in parts")
    mime_type, _, parameters = options.mime_type.partition(";")
    text = _decode(path.read_bytes(), parameters.partition("charset=")[2])
    name = NAMES.get(mime_type, f"text ({mime_type})")
    match mime_type:
        case "text/html" | "application/xhtml+xml":
            title, readable = _read_html(text)
            return _without_markup(f"{name}, titled '{title}'" if title else name, readable)
        case "text/rtf" | "application/rtf":
            return _without_markup(name, _read_rtf(text))
        case _:
            return _as_it_stands(name, text)


def cut(text: str) -> Iterator[tuple[int, str]]:
    """A text in pieces that are short enough for a passage, each with the position of its first character."""
    start = 0
    while start < len(text):
        window = text[start : start + PASSAGE]
        end = len(window) if start + PASSAGE >= len(text) else _best_end(window)
        piece = window[:end]
        bare = piece.strip("\n")
        if bare.strip():
            yield start + len(piece) - len(piece.lstrip("\n")), bare.rstrip()
        start += end


def on_one_line(text: str, longest: int = 200) -> str:
    """A name or a title, for a line of facts."""
    plain = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def _best_end(window: str) -> int:
    """Where to cut: not too early, as many short passages say less than a few long ones."""
    for ending in _CUTS:
        at = window.rfind(ending)
        if at > len(window) // 3:
            return at + len(ending)
    return len(window)


def _without_markup(facts: str, text: str) -> Account:
    return Account(facts, tuple(Passage(piece) for _, piece in cut(text)), "read without its markup")


def _as_it_stands(name: str, text: str) -> Account:
    lines = text.count("\n") + (not text.endswith("\n"))
    facts = f"{name}, {_count(lines)}"
    pieces = list(cut(text))
    if len(pieces) == 1:
        return Account(facts, (Passage(pieces[0][1]),))
    passages, line, before = [], 1, 0
    for at, piece in pieces:
        line, before = line + text.count("\n", before, at), at
        passages.append(Passage(piece, f"line {line}"))
    return Account(facts, tuple(passages))


def _count(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"


def _decode(data: bytes, charset: str) -> str:
    """The text of bytes: as they say themselves, as is claimed, as UTF-8, and else as Western Europe has it."""
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    encoding = marked or charset or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if marked or charset:
            raise InvalidRequest(f"the text is not valid {encoding}: {error.reason}, at byte {error.start}") from None
        text = _decode_western(data)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode_western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _read_rtf(text: str) -> str:
    from striprtf.striprtf import rtf_to_text

    convert: Callable[..., str] = rtf_to_text
    return convert(text, errors="ignore")


def _read_html(text: str) -> tuple[str, str]:
    """The title of a web page, and what can be read on it."""
    page = _Page()
    page.feed(text)
    page.close()
    return on_one_line(page.title), page.text()


class _Page(HTMLParser):
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

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self._pieces: list[str] = []
        self._hidden: list[str] = []
        self._in_title = False

    def text(self) -> str:
        """All that was found."""
        text = re.sub(r"[ \xa0]+", " ", "".join(self._pieces))
        return re.sub(rf"[ \t]*[\n{self.PARAGRAPH}][ \t\n{self.PARAGRAPH}]*", self._one_break, text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title" and not self._hidden
        if tag in self.HIDDEN:
            self._hidden.append(tag)
        elif tag in ("td", "th"):
            self._pieces.append("\t")
        elif tag == "li":
            self._pieces.append("\n- ")
        elif tag == "img":
            self._pieces.append(next((f" [{value}] " for name, value in attrs if name == "alt" and value), ""))
        else:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        else:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._hidden:
            self._pieces.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in self.BLOCKS:
            self._pieces.append(self.PARAGRAPH if tag in self.PARAGRAPHS else "\n")

    def _one_break(self, found: re.Match[str]) -> str:
        return "\n\n" if self.PARAGRAPH in found[0] else "\n"
