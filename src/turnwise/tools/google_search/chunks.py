"""Documents in pieces that can be found by themselves, each with the headings that it stands under. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SECTION = 500
"""In characters: a heading begins a new piece if the one before it has as many."""

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t#]*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")

_PAGE = re.compile(r"page (\d+)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, as it was read."""

    text: str
    place: str = ""
    """Where it stands, for people: `page 3`, `00:12`, `line 40`. Empty: the document has no places."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, as it is found."""

    text: str
    heading: str = ""
    """The headings that it stands under, the outermost first: `Leave > Parents`."""
    place: str = ""
    """As in `Passage`. Lines are left out: they help nobody who reads the document."""

    @property
    def page(self) -> int | None:
        """The page that it stands on, if the document has pages."""
        found = _PAGE.fullmatch(self.place)
        return int(found[1]) if found else None


def cut(passages: Sequence[Passage], *, is_markdown: bool) -> Iterator[Chunk]:
    """The chunks of a document, in their order."""
    headings, before = _Headings(), ""
    for passage in passages:
        place = "" if passage.place.startswith("line ") else passage.place
        if place != before:
            headings, before = _Headings(), place
        pieces = _sections(passage.text, headings) if is_markdown else [(passage.text, "")]
        yield from (Chunk(text.strip("\n"), heading, place) for text, heading in pieces if text.strip())


def first_heading(chunks: Sequence[Chunk]) -> str:
    """The heading that a document begins with. Empty: it begins with none."""
    return chunks[0].heading.partition(" > ")[0] if chunks else ""


class _Headings:
    """The headings in force, from line to line of a Markdown text."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self._fence = ""

    def take(self, line: str) -> bool:
        """Whether this line is a heading. What looks like one in a block of code is none."""
        if fence := _FENCE.match(line):
            self._fence = "" if self._fence == fence[1] else self._fence or fence[1]
            return False
        heading = None if self._fence else _HEADING.match(line)
        if heading is None:
            return False
        level = len(heading[1])
        self._open = [*(pair for pair in self._open if pair[0] < level), (level, heading[2])]
        return True

    def __str__(self) -> str:
        return " > ".join(heading for _, heading in self._open)


def _sections(text: str, headings: _Headings) -> Iterator[tuple[str, str]]:
    """A passage in pieces, each with the headings that are in force where it begins."""
    lines: list[str] = []
    heading, said = str(headings), 0
    for line in text.splitlines():
        is_heading = headings.take(line)
        if is_heading and said >= SECTION:
            yield "\n".join(lines), heading
            lines, said = [], 0
        if is_heading and not said:
            heading = str(headings)
        lines.append(line)
        said += 0 if is_heading else len(line.strip())
    yield "\n".join(lines), heading
