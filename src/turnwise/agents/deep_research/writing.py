"""The report: sections of claims, each with the sources that say it; and that, as Markdown with annotations.

Whoever wrote a section, its sentences are looked at one by one. One that no source says is left out; numbers, addresses
and quotations that nobody has read are gone with it. A section of which nothing remains is put together from the notes.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

from turnwise.agents.agent import Cites
from turnwise.agents.deep_research.asking import DATA, Asker, shown, side_by_side
from turnwise.agents.deep_research.checking import Checker, Verdict, first_of_alike
from turnwise.agents.deep_research.extracting import Note
from turnwise.agents.deep_research.planning import Plan
from turnwise.agents.deep_research.sources import Library, Source
from turnwise.agents.deep_research.words import LINK, addresses, numbers, sentences, without_markup
from turnwise.domain.content import JSON
from turnwise.domain.tools import Schema

EVIDENCE = 24_000
"""In characters: how much the model reads of what a section rests on."""

_PROSE: Schema = {
    "type": "object",
    "properties": {"text": {"type": "string", "description": "Markdown."}},
    "required": ["text"],
    "additionalProperties": False,
}

_RULES = (
    """Every sentence says what a source says, with its figures, names and dates as they stand there, and ends with the
numbers of its sources in brackets: "... in 2015 [2][5]." Where sources differ, say so. No headings, no tables, no
addresses, nothing that no source says, not even if you know it. """
    + DATA
)

_SECTION = (
    "You write one section of a report, in the language of the request: paragraphs, and lists where they help. "
    + _RULES
)

_SUMMARY = (
    """You write the summary that stands before a report: three to six sentences, in its language, with what matters
most of it. """
    + _RULES
)

_VERIFYING = (
    """For each statement you are shown what a source says. You give the numbers of those statements that their
source bears out: all of it, not only a part; not its contrary, and nothing that is merely likely. """
    + DATA
)

_VERIFIED: Schema = {
    "type": "object",
    "properties": {"borne_out": {"type": "array", "items": {"type": "integer"}}},
    "required": ["borne_out"],
    "additionalProperties": False,
}

_MARKER = re.compile(r"(?<!\s)\s*\[(\d+(?:\s*[,;]\s*\d+)*)\]")
_BEHIND = re.compile(r"((?<![.!?。！？])[.!?。！？]++[\"”’)]*+)((?:\s*\[\d+(?:\s*[,;]\s*\d+)*\])+)")
_BULLET = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s+")
_UNPARTED = ("。", "！", "？")
"""Behind these, no blank stands."""

_END = re.compile(r"(?<![.!?。！？])[.!?。！？]++[\"”’)*_]*+$")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and who says it."""

    text: str
    sources: tuple[int, ...]
    """Their numbers in the library."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Claims that belong together, or an item of a list."""

    claims: tuple[Claim, ...]
    is_item: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report. One without paragraphs is left out of it."""

    heading: str
    paragraphs: tuple[Paragraph, ...] = ()
    left_out: int = 0
    """How many sentences were written that no source says."""


class Writer:
    """Writes sections out of notes."""

    def __init__(self, asker: Asker, library: Library, asked: str) -> None:
        """`asked`: what it is all about. Its names may be said of every source."""
        self._asker = asker
        self._library = library
        self._asked = asked
        self._checker: Checker | None = None
        self._numbers: frozenset[str] | None = None

    async def sections(self, plan: Plan, notes: Sequence[Note], *, by_rule: bool) -> list[Section]:
        """A section for each question of the plan."""
        of = [[note for note in notes if note.question == place] for place in range(len(plan.questions))]
        return await side_by_side(
            [partial(self._section, plan, place, noted, by_rule) for place, noted in enumerate(of)]
        )

    async def summary(self, sections: Sequence[Section]) -> Section:
        """What matters most of them. It may be empty."""
        told = "\n\n".join(f"{section.heading}\n{_told(section)}" for section in sections if section.paragraphs)
        numbers_of = {number for section in sections for number in cited([section])}
        answer = await self._asker.ask(
            "summary",
            _SUMMARY,
            f"The request: {self._asked}\n\nThe report, with the numbers of its sources:\n\n<notes>\n{told}\n</notes>",
            _PROSE,
            is_told=True,
        )
        return await self.check("summary", "", answer, numbers_of)

    async def _section(self, plan: Plan, place: int, notes: Sequence[Note], by_rule: bool) -> Section:
        heading = self.heading(plan.questions[place].text)
        if not notes:
            return Section(heading)
        if not by_rule:
            written = await self._asker.ask(
                f"section {place + 1}", _SECTION, self._evidence(plan, place, notes), _PROSE, is_told=True
            )
            section = await self.check(
                f"section {place + 1}", heading, written, {n for note in notes for n in note.sources}
            )
            if section.paragraphs:
                return section
            return Section(heading, _as_they_stand(notes), section.left_out)
        return Section(heading, _as_they_stand(notes))

    def _evidence(self, plan: Plan, place: int, notes: Sequence[Note]) -> str:
        """What a section is written from: the notes of its question, source by source."""
        said, room = dict[int, list[str]](), EVIDENCE
        for note in notes:
            room -= len(note.text)
            if room >= 0:
                said.setdefault(note.sources[0], []).append(note.text)
        sources = [shown(number, self._library[number].title, "\n".join(texts)) for number, texts in said.items()]
        return (
            f"The request: {self._asked}\n\nThe report: {plan.title}\n"
            f"The section answers: {plan.questions[place].text}\n\n" + "\n\n".join(sources)
        )

    async def check(self, step: str, heading: str, answer: JSON, preferred: set[int]) -> Section:
        """What remains of a text when every sentence was looked at. `preferred` are the sources it was made from."""
        if answer is None:
            return Section(heading)
        if self._checker is None:
            self._checker = await asyncio.to_thread(Checker, self._library, self._asked)
        paragraphs = list(_paragraphs(answer["text"]))
        verdicts = await asyncio.to_thread(self._verdicts, paragraphs, preferred)
        kept = await self._borne_out(step, paragraphs, verdicts)
        made = []
        for place, (is_item, written) in enumerate(paragraphs):
            claims = tuple(Claim(one.text, kept[place, at]) for at, one in enumerate(written) if kept.get((place, at)))
            if claims:
                made.append(Paragraph(claims, is_item))
        return Section(heading, tuple(made), sum(len(written) for _, written in paragraphs) - len(kept))

    def _verdicts(self, paragraphs: Sequence["_Written"], preferred: set[int]) -> dict[tuple[int, int], Verdict]:
        assert self._checker is not None
        return {
            (place, at): self._checker.check(one.text, one.named or preferred)
            for place, (_, written) in enumerate(paragraphs)
            for at, one in enumerate(written)
        }

    async def _borne_out(
        self, step: str, paragraphs: Sequence["_Written"], verdicts: Mapping[tuple[int, int], Verdict]
    ) -> dict[tuple[int, int], tuple[int, ...]]:
        """The sources of each sentence that stands. The model has the last word on those that may; it may also strike
        out others."""
        likely = [key for key, verdict in verdicts.items() if verdict.sources or verdict.doubtful]
        asked = "\n\n".join(
            f"Statement {number}: {paragraphs[place][1][at].text}\n{self._evident(number, verdicts[place, at])}"
            for number, (place, at) in enumerate(likely, 1)
        )
        answer = await self._asker.ask(f"{step}: borne out", _VERIFYING, asked, _VERIFIED) if likely else None
        said = None if answer is None else set(answer["borne_out"])
        kept = {}
        for number, key in enumerate(likely, 1):
            sources = verdicts[key].sources or (verdicts[key].doubtful[:1] if said is not None else ())
            if sources and (said is None or number in said):
                kept[key] = sources
        return kept

    def _evident(self, number: int, verdict: Verdict) -> str:
        """What the model is shown of the source of a statement."""
        return shown(number, self._library[(verdict.sources or verdict.doubtful)[0]].title, verdict.evidence)

    def _known_numbers(self) -> frozenset[str]:
        """The numbers that somebody has asked for or written."""
        if self._numbers is None:
            read = (numbers(self._library[number].text) for number in self._library.numbers)
            self._numbers = numbers(self._asked).union(*read)
        return self._numbers

    def heading(self, text: str) -> str:
        """A heading without what nobody has read or asked for: addresses and numbers."""
        for address in addresses(text):
            text = text.replace(address, "")
        known = self._known_numbers()
        for number in sorted(numbers(text) - known, key=len, reverse=True):
            text = re.sub(rf"\s*\(?(?<!\d){re.escape(number)}(?!\d)\)?", "", text)
        return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    """Without the markers of its sources."""
    named: tuple[int, ...]
    """The sources that its writer names."""


_Written = tuple[bool, list[_Sentence]]
"""A paragraph as it was written: whether it is an item of a list, and its sentences."""


def _paragraphs(text: str) -> Iterator[_Written]:
    for line in LINK.sub(r"\1", text).splitlines():
        if not line.strip() or line.lstrip().startswith(("#", "|", "```", "---", "<")):
            continue
        bullet = _BULLET.match(line)
        plain = _BEHIND.sub(r"\2\1", line[bullet.end() :] if bullet else line)
        written = []
        for start, end in sentences(plain):
            named = tuple(
                int(number) for found in _MARKER.findall(plain[start:end]) for number in re.findall(r"\d+", found)
            )
            if bare := " ".join(_MARKER.sub("", plain[start:end]).split()):
                written.append(_Sentence(bare, named))
        if written:
            yield bullet is not None, written


def _as_they_stand(notes: Sequence[Note]) -> tuple[Paragraph, ...]:
    """Notes as paragraphs: what one source says, together."""
    together: dict[int, list[Claim]] = {}
    for note in (notes[place] for place in first_of_alike(note.text for note in notes)):
        together.setdefault(note.sources[0], []).append(Claim(note.text, note.sources))
    return tuple(Paragraph(tuple(claims)) for claims in together.values())


def _told(section: Section) -> str:
    return "\n".join(
        " ".join(f"{claim.text}{''.join(f'[{number}]' for number in claim.sources)}" for claim in paragraph.claims)
        for paragraph in section.paragraphs
    )


def cited(sections: Sequence[Section]) -> list[int]:
    """The numbers of all sources that these sections rest on, in the order in which they are named."""
    return list(
        dict.fromkeys(
            number
            for section in sections
            for paragraph in section.paragraphs
            for claim in paragraph.claims
            for number in claim.sources
        )
    )


# -- the text


@dataclass(slots=True)
class Manuscript:
    """A text that grows, with its annotations. Sources are numbered in it as they are first named."""

    library: Library
    _length: int = 0
    """In bytes of UTF-8."""
    _annotations: list[Mapping[str, JSON]] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)
    """The number in the text of each source that it names."""

    def add(self, text: str) -> str:
        """More of the text: what was added."""
        self._length += len(text.encode())
        return text

    def section(self, section: Section, level: str = "##") -> str:
        """A section of it: what was added."""
        added = self.add(f"{level} {without_markup(section.heading)}\n\n") if section.heading else ""
        for place, paragraph in enumerate(section.paragraphs):
            following = section.paragraphs[place + 1 : place + 2]
            added += self.add("- ") if paragraph.is_item else ""
            for at, claim in enumerate(paragraph.claims):
                is_apart = at and not paragraph.claims[at - 1].text.endswith(_UNPARTED)
                added += (self.add(" ") if is_apart else "") + self._claim(claim)
            is_list = paragraph.is_item and bool(following) and following[0].is_item
            added += self.add("\n" if is_list else "\n\n")
        return added

    def sources(self) -> str:
        """The list of sources: what was added."""
        lines = [f"{number}. {listed(self.library[source])}" for source, number in self._numbers.items()]
        return self.add("## Sources\n\n" + "\n".join(lines) + "\n") if lines else ""

    @property
    def cites(self) -> Cites:
        """What the whole text rests on."""
        return Cites(tuple(self._annotations))

    def _claim(self, claim: Claim) -> str:
        end = _END.search(claim.text)
        words, mark = (claim.text[: end.start()], end[0]) if end else (claim.text, "")
        words = without_markup(words)
        start = self._length
        added = self.add(words)
        for source in claim.sources:
            citation = self.library[source].citation
            if citation is not None:
                self._annotations.append(
                    {**_for_all(citation), "start_index": start, "end_index": start + len(words.encode())}
                )
        markers = "".join(f"[{self._numbers.setdefault(source, len(self._numbers) + 1)}]" for source in claim.sources)
        return added + self.add(f" {markers}{mark}")


def _for_all(citation: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """A citation as every generation of clients reads it: the first ones know its address as `source`."""
    return {"source": citation["url"], **citation} if "url" in citation else citation


def listed(source: Source) -> str:
    """A source as lists have it, with its address."""
    title = _shown(source.title) or _shown(source.place)
    if source.place.startswith(("http://", "https://")):
        address = _ENDING.sub(_encoded, source.place)
        return f"[{title}](<{address}>)" if "(" in address or ")" in address else f"[{title}]({address})"
    return title if source.title == source.place else f"{title}, {_shown(source.place)}"


_ENDING = re.compile(r"[\s<>\\`]")
"""What may not stand in the address of a link."""


def _encoded(mark: re.Match[str]) -> str:
    return quote(mark[0], safe="")


def _shown(text: str) -> str:
    """Words of strangers in a line of Markdown."""
    return without_markup(re.sub(r"([\[\]`])", r"\\\1", text))
