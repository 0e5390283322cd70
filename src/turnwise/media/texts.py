"""What a text says: as it stands, or without its markup where people would not read that, in passages."""

import codecs
from collections.abc import Callable, Iterator
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

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read(path: Path, options: Options) -> Account:
    """What a text file says. Raises as `Reader.read` in `media.py` does."""
    mime_type, _, parameters = options.mime_type.partition(";")
    text = _decode(read_bytes(path), parameters.partition("charset=")[2])
    name = NAMES.get(mime_type, f"text ({mime_type})")
    match mime_type:
        case "text/rtf" | "application/rtf":
            return _without_markup(name, _read_rtf(text))
        case _:
            return _as_it_stands(name, text)


def read_bytes(path: Path) -> bytes:
    """The bytes of a text.

    Raises:
        InvalidRequest: there are more than are read.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise InvalidRequest(f"the text has {size} bytes: at most {LARGEST} are read, so give it in parts")
    return path.read_bytes()


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
    marked = next((encoding for mark, encoding in MARKS if data.startswith(mark)), None)
    encoding = marked or charset or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if marked or charset:
            raise InvalidRequest(f"the text is not valid {encoding}: {error.reason}, at byte {error.start}") from None
        text = decode_western(data)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decode_western(data: bytes) -> str:
    """Text as Western Europe has it."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _read_rtf(text: str) -> str:
    from striprtf.striprtf import rtf_to_text

    convert: Callable[..., str] = rtf_to_text
    return convert(text, errors="ignore")
