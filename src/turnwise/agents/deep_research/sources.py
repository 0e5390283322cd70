"""What was read: sources, each with a number, its words, and how it is cited.

A source has its number for the length of the work. Two that stand at one address are one, and its passages are those of
both. What is not here was not read, and is cited by nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from turnwise.agents.agent import Used
from turnwise.agents.deep_research.words import unwrapped
from turnwise.domain.content import JSON

LONGEST = 40_000
"""In characters: how much of one source is kept."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of text that somebody found, and where."""

    text: str
    title: str
    place: str
    """What tells its source from others: an address, or the call that gave it."""
    citation: Mapping[str, JSON] | None = None
    """The annotation without its indices. None: nobody but this work can look it up."""

    def kept(self) -> JSON:
        """As a step of the desk remembers it."""
        return [self.text, self.title, self.place, self.citation]


def remembered(kept: JSON) -> Finding:
    """What a step of the desk has remembered."""
    text, title, place, citation = kept
    return Finding(text, title, place, citation)


def findings(used: Used, call: str, *, is_search: bool) -> list[Finding]:
    """What came of a tool, as far as it has words. `call` names what was done, where nothing else names the place. What
    a search tells beside its sources is not about the world."""
    found = [
        Finding(unwrapped(text[:LONGEST]), str(_title(citation)), _place(citation, call), dict(citation))
        for text, citation in used.sources
        if text.strip()
    ]
    if found or used.is_error or is_search:
        return found
    told = _told(used.told)
    return [Finding(unwrapped(told[:LONGEST]), call, call)] if told else []


def _title(citation: Mapping[str, JSON]) -> JSON:
    return citation.get("title") or citation.get("file_name") or citation.get("name") or citation.get("url") or ""


def _place(citation: Mapping[str, JSON], call: str) -> str:
    for name in ("url", "document_uri", "file_name", "title"):
        if citation.get(name):
            page = citation.get("page_number")
            return f"{citation[name]}#page={page}" if page else str(citation[name])
    return call


def _told(told: JSON) -> str:
    """The words of what a model would read."""
    match told:
        case str():
            return told.strip()
        case [*items]:
            return "\n".join(filter(None, map(_told, items)))
        case {"type": "text", "text": str(text)}:
            return text.strip()
        case {"type": "image" | "audio" | "video" | "document"} | None:
            return ""
        case dict():
            return "\n".join(f"{name}: {words}" for name, value in told.items() if (words := _told(value)))
        case _:
            return str(told)


@dataclass(slots=True)
class Source:
    """Something that was read."""

    title: str
    place: str
    citation: Mapping[str, JSON] | None
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of its words."""
        return "\n\n".join(self.texts)


class Library:
    """All sources, in the order in which they came."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, number: int) -> Source:
        """The source of a number, from 1."""
        return self._sources[number - 1]

    @property
    def numbers(self) -> Sequence[int]:
        """Those of all sources."""
        return range(1, len(self._sources) + 1)

    def add(self, found: Iterable[Finding]) -> list[int]:
        """Keep what was found. The numbers of the sources that say something new by it, each once."""
        return list(dict.fromkeys(number for finding in found if (number := self._add(finding)) is not None))

    def number_of(self, place: str) -> int:
        """The number of the source that stands there."""
        return self._numbers[_key(place)]

    def knows(self, place: str) -> bool:
        """Whether something of this place was read."""
        return _key(place) in self._numbers

    def has_address(self, address: str) -> bool:
        """Whether this is the address of a source, or stands in one."""
        return self.knows(address) or any(address in source.text for source in self._sources)

    def _add(self, finding: Finding) -> int | None:
        key = _key(finding.place)
        if key not in self._numbers:
            self._sources.append(Source(" ".join(finding.title.split()), finding.place, finding.citation))
            self._numbers[key] = len(self._sources)
        source = self[self._numbers[key]]
        if any(finding.text in text for text in source.texts):
            return None
        source.texts[:] = [text for text in source.texts if text not in finding.text] + [finding.text]
        return self._numbers[key]


def _key(place: str) -> str:
    return place.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
