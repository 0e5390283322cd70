"""Sentences chosen by rule: those of what was read that have to do with a question, as they stand there.

This is what is left of research where the model cannot read: nothing is said in other words than the sources' own. A
sentence counts if what stands around it is about the subject, and about that side of it which the question names; and
more if it says so itself, or has a number.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from turnwise.agents.deep_research.checking import first_of_alike
from turnwise.agents.deep_research.planning import POINTING, Plan
from turnwise.agents.deep_research.sources import Library
from turnwise.agents.deep_research.words import LINK, addresses, length, meaning, names, numbers, sentences

MOST, FEWEST = 36, 8
"""How many sentences answer all questions together, and how many at least may answer one."""

OF_ONE, OF_FEW = 6, 18
"""So many of them, at the most, are of one source; and so many of those few that tell of a question, together."""

SHORTEST, LONGEST = 5, 70
"""In words: other sentences are captions, menus or lists."""

AROUND = 2
"""So many sentences before and behind one tell what it is about."""

_MARKS = re.compile(r"^(?:[#>*+•\s-]|\d+[.)]\s)+")
_CITED = re.compile(r"(?<=\S)(?:\[(?:\d{1,3}|[a-z]|note \d+|citation needed)\]|<sup>\\?\[[^<>]{1,20}\]</sup>)")
"""What the text of a source rests on, in its own numbers."""

_CODE = re.compile(r"^ *(```|~~~).*?(?:^ *\1 *$|\Z)|<!--.*?(?:-->|\Z)", re.MULTILINE | re.DOTALL)
_WHOLE = re.compile(r".*(?:(?<!\.)[.!]|[。！])['\"”’)*_]*$", re.DOTALL)
LEANING = re.compile(
    r"(?i)(?:it|its|this|that|these|those|they|their|he|she|his|her|such|both|but|however|instead|also|there|then|so)\b"
)
"""How a sentence begins that does not stand alone."""

_ASIDE = re.compile(
    r"(?i)(?:sources?|references?|see also|further reading|copyright|©|photo|image|table|figure)\b.{0,3}[:\d]"
)
"""How a line begins that is none of the text."""

_HEADING = re.compile(r"#+\s|\(.+\)$")
_APPENDIX = re.compile(
    r"(?i)(?:^|> ?)(?:references|see also|external links|further reading|bibliography|footnotes|参考[资文].*)\W*$"
)
"""A heading below which there is none of the text."""

_ORDER = re.compile(
    r"(?i)^(?:system|assistant|user)\s*:|\bsystem prompt\b|"
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instructions?|prompts?|(?:said|stands?) above)\b|"
    r"\b(?:assistants?|language models?|chat ?bots?)\b.{0,20}\b(?:must|should|ha(?:s|ve) to)\b"
)
"""What is said to whoever reads for somebody else, and tells that one nothing."""

_ITS_OWN = ('"', "`")
_PAIRED = (("“", "”"), ("«", "»"), ("(", ")"), ("[", "]"))
"""Marks that come in pairs: those that close themselves, and those that another one closes."""

_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_PAST = meaning("history timeline chronology evolution origin past 历史 沿革")
"""Words of a request for what happened when: it is told in the order of time."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that answers a question of the plan."""

    question: int
    """Its place in the plan, from 0."""
    text: str
    sources: tuple[int, ...]
    """The numbers of those who say it."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    source: int
    place: int
    """Among the sentences of its source."""
    length: int
    """In words."""
    words: frozenset[str]
    around: frozenset[str]
    """The words of what stands around it, of the heading above it, and of its source's title."""


class _Wanted:
    """What is looked for: a subject, and a side of it."""

    def __init__(self, subject: frozenset[str], aspect: frozenset[str], named: frozenset[str], read: "_Read") -> None:
        """`named` are those words of the aspect that are names: they are a subject of their own."""
        self.subject = subject
        self.aspect = aspect
        self._named = named & aspect
        self._read = read
        self._years = sorted(int(word) for word in subject | aspect if _YEAR.fullmatch(word))

    def is_in(self, one: _Sentence) -> bool:
        """Whether a sentence, with what stands around it, is about this."""
        if not self._is_of_its_time(one):
            return False
        if self._named and self._named <= one.around and self.subject & one.around:
            return bool(self.aspect & one.words)
        about = self.subject & one.around
        if len(about) < min(2, len(self.subject)) or self._share(about, self.subject) < 0.5:
            return False
        return not self.aspect or self._is_side_of(one)

    def _is_side_of(self, one: _Sentence) -> bool:
        """Whether a sentence has to do with that side of the subject. A number must stand in it."""
        if any(word[0].isdigit() for word in self.aspect):
            return bool(self.aspect & one.words)
        return bool(self.aspect & one.words) or bool(self.aspect & one.around and self.subject & one.words)

    def _is_of_its_time(self, one: _Sentence) -> bool:
        """Whether a sentence that names years names one that is asked for, or one between those."""
        named = list(map(int, _YEAR.findall(one.text)))
        return not (self._years and named) or any(self._years[0] <= year <= self._years[-1] for year in named)

    def says(self, one: _Sentence) -> bool:
        """Whether a sentence has a word of it, itself."""
        return bool((self.subject | self.aspect) & one.words)

    def worth(self, one: _Sentence) -> float:
        """How much a sentence tells of it."""
        own = self._share(one.words & self.subject, self.subject) + 2 * self._share(
            one.words & self.aspect, self.aspect
        )
        return own + 0.3 * bool(numbers(one.text)) + 0.2 * (one.place == 0)

    def _share(self, said: frozenset[str], wanted: frozenset[str]) -> float:
        return self._read.weight(said) / (self._read.weight(wanted) or 1.0)


class _Read:
    """All sentences that were read."""

    def __init__(self, sentences: Iterable[_Sentence]) -> None:
        self.sentences = [one for one in sentences if _is_told(one)]
        self._having = Counter(word for one in self.sentences for word in one.around)

    def weight(self, said: frozenset[str]) -> float:
        """How much these words say together: those that stand in few places say more."""
        return math.fsum(math.log(1 + len(self.sentences) / max(1, self._having[word])) for word in said)


def extract(plan: Plan, library: Library, among: Collection[int]) -> list[Note]:
    """What these sources say of each question. A sentence answers one of them, that which is narrowest."""
    read = _Read(one for number in among for one in _sentences(library, number))
    subject = meaning(plan.title) - POINTING
    aspects = [meaning(question.text) - subject - POINTING for question in plan.questions]
    named = [frozenset[str]().union(*map(names, question.queries)) for question in plan.questions]
    most, is_past = max(FEWEST, MOST // len(aspects)), bool(_PAST & meaning(plan.words))
    used: list[str] = []
    notes: list[Note] = []
    for index in sorted(range(len(aspects)), key=lambda index: not aspects[index]):
        about = subject or meaning(plan.questions[index].text)
        wanted = _Wanted(about, aspects[index], named[index], read)
        for one in _chosen(read.sentences, wanted, most, is_past, used):
            used.append(one.text)
            notes.append(Note(index, one.text, (one.source,)))
    return sorted(notes, key=lambda note: note.question)


def _sentences(library: Library, number: int) -> Iterator[_Sentence]:
    source = library[number]
    title, place = meaning(source.title), 0
    for text in source.texts:
        bare = _CITED.sub("", LINK.sub(_words_of_link, _CODE.sub("", text)))
        places = list(sentences(bare))
        plain = [_tidied(bare[start:end]) for start, end in places]
        said = [meaning(one) for one in plain]
        heading, is_text = title, True
        for at, (one, (start, end)) in enumerate(zip(plain, places, strict=True)):
            if _HEADING.match(bare[start:end]) or one.isupper():
                heading, is_text = title | said[at], not _APPENDIX.search(one)
            elif is_text and all(map(library.knows, addresses(one))):
                around = heading.union(*said[max(0, at - AROUND) : at + AROUND + 1])
                yield _Sentence(one, number, place + at, length(one), said[at], around)
        place += len(plain) + 1


def _words_of_link(link: re.Match[str]) -> str:
    return "" if link[1].strip("[]^ ").isdigit() else link[1]


def _tidied(sentence: str) -> str:
    return " ".join(_MARKS.sub("", sentence).split())


def _is_told(one: _Sentence) -> bool:
    """Whether it is a sentence of the text, and the whole of it."""
    return (
        SHORTEST <= one.length <= LONGEST
        and _WHOLE.match(one.text) is not None
        and not _ASIDE.match(one.text)
        and not _ORDER.search(one.text)
        and "|" not in one.text
        and all(one.text.count(mark) % 2 == 0 for mark in _ITS_OWN)
        and all(one.text.count(opening) == one.text.count(closing) for opening, closing in _PAIRED)
    )


def _chosen(
    read: Sequence[_Sentence], wanted: _Wanted, most: int, is_past: bool, used: Sequence[str]
) -> list[_Sentence]:
    """The best sentences for a question that were not used before, source by source, each in its order; and what stands
    between and beside them."""
    fitting = [one for one in read if wanted.is_in(one)]
    standing = [one for one in fitting if wanted.says(one) and not LEANING.match(one.text)]
    of_one = max(OF_ONE, OF_FEW // max(1, len({one.source for one in standing})))
    ranked = sorted(standing, key=lambda one: (-wanted.worth(one), one.source, one.place))[: MOST * OF_ONE]
    chosen: list[_Sentence] = []

    def choose(candidates: Sequence[_Sentence]) -> None:
        for one in (candidates[place] for place in first_of_alike((one.text for one in candidates), used)):
            if len(chosen) < most and sum(other.source == one.source for other in chosen) < of_one:
                chosen.append(one)

    choose(ranked)
    near = {(one.source, one.place + step) for one in chosen for step in range(-AROUND, AROUND + 1)}
    used = [*used, *(one.text for one in chosen)]
    choose([one for one in fitting if (one.source, one.place) in near and not LEANING.match(one.text)])
    before, leaning = {(one.source, one.place) for one in chosen}, []
    for one in fitting:
        if LEANING.match(one.text) and (one.source, one.place - 1) in before and one.text not in used:
            leaning.append(one)
            before.add((one.source, one.place))
    rank = _first_year if is_past else _rank
    return sorted([*chosen, *leaning], key=lambda one: (rank(chosen, one.source), _rank(chosen, one.source), one.place))


def _rank(chosen: list[_Sentence], source: int) -> int:
    """The place of a source among those that were chosen: who was best comes first."""
    return next(place for place, one in enumerate(chosen) if one.source == source)


def _first_year(chosen: list[_Sentence], source: int) -> int:
    """The first year that a source tells of."""
    return min((int(year) for one in chosen if one.source == source for year in _YEAR.findall(one.text)), default=9999)
