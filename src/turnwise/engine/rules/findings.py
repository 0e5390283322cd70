"""Findings: what tools have told, read back as sentences, each with where it stands.

Searches, pages and documents are told to a model as text: a heading in brackets (`[1] Title`), an address, and what
stands there. Whatever has no such marks is one place without a name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

_SECTION = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_HEADING = re.compile(r"^\[(\d+)\]\s*(.*)$|^(?:Title|Source|Document|File|Page):\s*(.+)$")
_ADDRESS = re.compile(r"^(?:URL:\s*|Image:\s*)?<?(?:https?|file)://\S+>?$", re.IGNORECASE)
_ASIDE = re.compile(
    r"^\[(?:left out|end of|page|slide|sheet)\b|^Found for .*:$|^What stands at these addresses\b.*:$|^Links?\b[^.]*:$|"
    r"^-\s(?:.*: )?https?://\S+$|^\(.*\bleft out\b.*\)$|^(?:-{3,}|\*{3,}|\.{3})$"
)
"""Lines that say something about the text, and nothing of what it says."""
_MARKUP = re.compile(r"^(?:[-*•+>|]\s+|\d{1,2}[.)]\s+)+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_END = re.compile(r"(?<=[.!?。！？])[\"'”’)\]]*(?:\s+(?=[\"'“‘(\[]?[^\s\W_a-z])|(?<=[。！？]))")
_ABBREVIATED = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|No|vs|Mt|Gen|Col|Sgt|Rev|Hon|etc|Inc|Ltd|Co|Corp|e\.g|i\.e|a\.m|p\.m|ca|cf|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|\b[A-Z]|\b(?:[A-Z]\.)+[A-Z])\.$"
)


_FAILED = re.compile(
    r"^(?:Nothing was (?:read|found)\b.*|The search for .* failed: .*|No passage of .*|"
    r"\[\d+\] Address \d+ of the call is not .*)$",
    re.MULTILINE,
)
"""What tools tell when there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of what was told."""

    text: str
    place: int
    """Which place it stands at, counted from 0."""
    order: int
    """Which sentence of everything it is."""
    title: str = ""
    """The place's title."""
    before: str = ""
    """The sentence before it, of the same line."""

    @property
    def is_whole(self) -> bool:
        """Whether it begins and ends as a sentence does; a heading or a scrap of a menu does not."""
        return bool(re.search(r"[.!?。！？][\"'”’)\]]*$", self.text)) and not self.text.endswith(("...", "…"))


@lru_cache(maxsize=64)
def read_findings(told: str) -> tuple[Sentence, ...]:
    """The sentences of what tools told, in its order; each of them once."""
    found: list[Sentence] = []
    seen: set[str] = set()
    for sentence in _read(told):
        key = re.sub(r"\W+", " ", sentence.text).casefold().strip()
        if key and key not in seen:
            seen.add(key)
            found.append(replace(sentence, order=len(found)))
    return tuple(found)


def read_failures(told: str) -> tuple[str, ...]:
    """What tools told of that which they did not find or could not read."""
    return tuple(dict.fromkeys(re.sub(r"^\[\d+\] ", "", line) for line in _FAILED.findall(told)))


def _read(told: str) -> Iterator[Sentence]:
    place, title, section = 0, "", ""
    last: Literal["", "heading", "address"] = ""
    for raw in _FAILED.sub("", told).splitlines():
        line, before_it, last = raw.strip(), last, ""
        heading, below = _HEADING.match(line), _SECTION.match(line)
        if heading:
            place, title, section = place + 1, next((part for part in heading.groups()[1:] if part), ""), ""
            last = "heading"
        elif _ADDRESS.match(line) or (before_it == "heading" and re.fullmatch(r"\S+[./]\S+", line)):
            last = "address"
        elif below:
            section = below[1]
        if last or below or not line or _ASIDE.match(line):
            continue
        if before_it == "address" and re.fullmatch(r"\(.*\)", line):
            continue
        before = ""
        for text in split_sentences(plain_text(line)):
            yield Sentence(text, place, 0, title if section in title else f"{title}: {section}".strip(": "), before)
            before = text


def plain_text(line: str) -> str:
    """A line without the marks of lists, links and emphasis."""
    line = _LINK.sub(r"\1", _MARKUP.sub("", line.strip()))
    return re.sub(r"\s+", " ", re.sub(r"\*\*|__|`", "", line)).strip(" |")


def split_sentences(text: str) -> list[str]:
    """The sentences of a line. "Dr." and "U.S." end none."""
    cut: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if _ABBREVIATED.search(text[start : end.start()].rstrip("\"'”’)]")):
            continue
        cut.append(text[start : end.end()].strip())
        start = end.end()
    cut.append(text[start:].strip())
    return [sentence for sentence in cut if sentence]


def joined(sentences: Sequence[Sentence]) -> str:
    """Sentences as a text, in the order in which they stood."""
    return " ".join(stopped(sentence.text) for sentence in sorted(sentences, key=lambda one: one.order))


def stopped(text: str) -> str:
    """Words with a stop behind them."""
    return text if text[-1:] in ".!?:;。！？…)\"'”’" else f"{text}."
