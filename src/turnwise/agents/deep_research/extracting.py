"""Sentences chosen by rule: those of what was read that have to do with a question, as they stand there.

This is what is left of research where the model cannot read: nothing is said in other words than the sources' own. A
sentence counts if what stands around it is about the subject, and about that side of it which the question names; and
more if it says so itself, or has a number.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from turnwise.agents.deep_research.checking import first_of_alike
from turnwise.agents.deep_research.planning import POINTING, Plan
from turnwise.agents.deep_research.sources import Library
from turnwise.agents.deep_research.words import meaning, numbers, sentences, words

MOST, FEWEST = 36, 8
"""How many sentences answer all questions together, and how many at least may answer one."""

OF_ONE = 6
"""So many of them, at the most, are of one source."""

SHORTEST, LONGEST = 5, 70
"""In words: other sentences are captions, menus or lists."""

AROUND = 2
"""So many sentences before and behind one tell what it is about."""

_MARKS = re.compile(r"^(?:[#>*+•\s-]|\d+[.)]\s)+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_WHOLE = re.compile(r".*[.!。！]['\"”’)*_]*$", re.DOTALL)
_LEANING = re.compile(
    r"(?i)(?:it|its|this|that|these|those|they|their|he|she|his|her|such|both|but|however|instead|also|there|then|so)\b"
)
"""How a sentence begins that does not stand alone."""

_ASIDE = re.compile(
    r"(?i)(?:sources?|references?|see also|further reading|copyright|©|photo|image|table|figure)\b.{0,3}[:\d]"
)
"""How a line begins that is none of the text."""

_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_PAST = meaning("history timeline chronology evolution origin past")
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
    """The words of what stands around it, and of its source's title."""


def extract(plan: Plan, library: Library, among: Collection[int]) -> list[Note]:
    """What these sources say of each question. A sentence answers one of them, that which is narrowest."""
    read = [one for number in among for one in _sentences(library, number)]
    subject = meaning(plan.title) - POINTING
    aspects = [meaning(question.text) - subject - POINTING for question in plan.questions]
    most, is_past = max(FEWEST, MOST // len(aspects)), bool(_PAST & meaning(plan.words))
    used: list[str] = []
    notes: list[Note] = []
    for index in sorted(range(len(aspects)), key=lambda index: not aspects[index]):
        wanted = subject or meaning(plan.questions[index].text)
        for one in _chosen(read, wanted, aspects[index], most, is_past, used):
            used.append(one.text)
            notes.append(Note(index, one.text, (one.source,)))
    return sorted(notes, key=lambda note: note.question)


def _sentences(library: Library, number: int) -> Iterator[_Sentence]:
    source = library[number]
    title, place = meaning(source.title), 0
    for text in source.texts:
        plain = [_tidied(text[start:end]) for start, end in sentences(text)]
        said = [meaning(one) for one in plain]
        for at, one in enumerate(plain):
            around = title.union(*said[max(0, at - AROUND) : at + AROUND + 1])
            yield _Sentence(one, number, place + at, len(words(one)), said[at], around)
        place += len(plain) + 1


def _tidied(sentence: str) -> str:
    return " ".join(_LINK.sub(r"\1", _MARKS.sub("", sentence)).split())


def _chosen(
    read: list[_Sentence],
    subject: frozenset[str],
    aspect: frozenset[str],
    most: int,
    is_past: bool,
    used: Sequence[str],
) -> list[_Sentence]:
    """The best sentences for a question that were not used before, source by source, each in its order."""
    fitting = [one for one in read if _is_about(one, subject, aspect)]
    standing = [one for one in fitting if not _LEANING.match(one.text)]
    ranked = sorted(standing, key=lambda one: (-_worth(one, subject, aspect), one.source, one.place))[: MOST * OF_ONE]
    chosen: list[_Sentence] = []
    for one in (ranked[place] for place in first_of_alike((one.text for one in ranked), used)):
        if len(chosen) < most and sum(other.source == one.source for other in chosen) < OF_ONE:
            chosen.append(one)
    before = {(one.source, one.place) for one in chosen}
    leaning = [
        one
        for one in fitting
        if _LEANING.match(one.text) and (one.source, one.place - 1) in before and one.text not in used
    ]
    rank = _first_year if is_past else _rank
    return sorted([*chosen, *leaning], key=lambda one: (rank(chosen, one.source), _rank(chosen, one.source), one.place))


def _is_about(one: _Sentence, subject: frozenset[str], aspect: frozenset[str]) -> bool:
    needed = max(min(2, len(subject)), (len(subject) + 1) // 2)
    return (
        _WHOLE.match(one.text) is not None
        and not _ASIDE.match(one.text)
        and SHORTEST <= one.length <= LONGEST
        and len(subject & one.around) >= needed
        and (not aspect or _is_of(one, subject, aspect))
    )


def _is_of(one: _Sentence, subject: frozenset[str], aspect: frozenset[str]) -> bool:
    """Whether a sentence has to do with a side of the subject. A number must stand in it."""
    if any(word[0].isdigit() for word in aspect):
        return bool(aspect & one.words)
    return bool(aspect & one.words) or bool(aspect & one.around and subject & one.words)


def _worth(one: _Sentence, subject: frozenset[str], aspect: frozenset[str]) -> float:
    own = len(one.words & subject) / max(1, len(subject)) + 2 * len(one.words & aspect) / max(1, len(aspect))
    return own + 0.3 * bool(numbers(one.text)) + 0.2 * (one.place == 0)


def _rank(chosen: list[_Sentence], source: int) -> int:
    """The place of a source among those that were chosen: who was best comes first."""
    return next(place for place, one in enumerate(chosen) if one.source == source)


def _first_year(chosen: list[_Sentence], source: int) -> int:
    """The first year that a source tells of."""
    return min((int(year) for one in chosen if one.source == source for year in _YEAR.findall(one.text)), default=9999)
