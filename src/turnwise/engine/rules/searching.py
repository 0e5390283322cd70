"""Searching: the answer to a question out of what was found.

A small model asked to answer from results invents; so the answer is made of sentences that stand in them. A sentence
answers if it speaks of what the question speaks of and holds what is asked for: for "who" a name, for "when" a date,
for "how many" a number (`questions.py`). Of several the one with the rarest of the question's words wins; where the
question asks for the last of something, later years win. What no result says is not said.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from turnwise.engine.fitting import stems
from turnwise.engine.rules.findings import Sentence, joined, read_findings, stopped
from turnwise.engine.rules.questions import LATEST, alike_to, asked_words, bare_question, meaning, need_of
from turnwise.engine.rules.words import stem

ENOUGH = 0.45
"""The part of what a question speaks of that a sentence, with the title over it, must speak of."""

DEED = 1.8
"""What a word counts that says what is asked about something: "won", "wrote", "tall"."""

TITLED = 0.7
"""What a word counts that stands not in the sentence but in the title over it."""

LATE = 0.35
"""What it is worth to be of the latest year, where the latest is asked for."""

NEARLY = 0.9
"""How good a further sentence must be, beside the best, to be told too."""

MOST = 2
"""How many sentences answer a question."""

MOST_AT_LENGTH = 4
"""How many answer where something is to be explained."""

_AT_LENGTH = re.compile(
    r"(?i)\b(?:explain|describe|tell (?:me|us) (?:more )?about|overview|summar|details?|report|compare|difference|"
    r"why\b|"
    r"how (?:do|does|did|can|to)\b|news|latest (?:on|in|about)|what (?:happened|is new|are the))"
)
_PAST = re.compile(r"(?i)\b(?:won|was|were|did|had|happened|scored|beat|died|born|ended|started|last)\b")
_EARLIER = re.compile(r"(?i)\b(?:had (?:\w+ )?\w+(?:ed|en|on|un|ad|st)|before|previous(?:ly)?|earlier|former(?:ly)?)\b")
_COMING = re.compile(r"(?i)\b(?:will|upcoming|scheduled|going to|next year|expected to|to be held)\b")
_DEFINED = re.compile(r"(?i)(?:what|who)(?:'s| is| are| was| were) (?:an? |the )?([\w '’-]{2,60}?)\W*$")
"""Questions for what something is."""
_YEAR = re.compile(r"\b(1[5-9]\d\d|20\d\d)\b")
_LEANING = re.compile(r"(?:He|She|It|They|This|That|These|Those|His|Her|Its|Their|There|Then)\b")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY = re.compile(rf"(?i)\b{_MONTH}[a-z]*\.? \d|\b\d\d? {_MONTH}")
_WHEN = re.compile(r"(?i)\bwhen\b|\bwhat (?:date|day)\b")


def answer_from(question: str, told: str) -> str:
    """The sentences of what was found that answer a question. Empty: none does."""
    return joined(answering(question, read_findings(told)))


def answering(question: str, findings: Sequence[Sentence]) -> list[Sentence]:
    """The sentences that answer a question, in the order in which they stand."""
    scored = _scored(question, findings)
    if not scored:
        return []
    at_length = bool(_AT_LENGTH.search(question))
    most = MOST_AT_LENGTH if at_length else MOST
    best = max(scored.values())
    ranked = sorted(scored, key=lambda one: (-scored[one], one.order))
    chosen = [ranked[0]]
    for one in ranked[1:]:
        same = one.place == ranked[0].place
        near = (at_length and same) or (scored[one] >= NEARLY * best and (same or not LATEST.search(question)))
        if len(chosen) < most and near and not any(_is_alike(one.text, other.text) for other in chosen):
            chosen.append(one)
    return _led(chosen, findings)


def closest(question: str, told: str) -> str:
    """What comes closest to an answer: the whole sentence that has most to do with the question. Empty: nothing has."""
    scored = _scored(question, read_findings(told), strict=False)
    best = max(scored, key=lambda one: (scored[one], -one.order), default=None)
    return "" if best is None else stopped(best.text)


def _scored(question: str, findings: Sequence[Sentence], *, strict: bool = True) -> Mapping[Sentence, float]:
    """How well sentences answer. Those that do not are left out."""
    shared = _shared(question, findings, strict=strict)
    need, own = need_of(question), frozenset(word.lower() for word in re.findall(r"[\w'’-]+", question))
    latest = _latest_places(findings, {one.place for one in shared}) if LATEST.search(question) else frozenset()
    scored: dict[Sentence, float] = {}
    for one, part in shared.items():
        if not strict or ((need is None or need.holds(one.text, own)) and _may_answer(one)):
            scored[one] = part + _timely(question, one, latest) + _well_said(question, one)
    return {one: score for one, score in scored.items() if score > 0}


def _shared(question: str, findings: Sequence[Sentence], *, strict: bool) -> dict[Sentence, float]:
    """How much of what a question speaks of is in sentences and over them; rare words count more. Strictly, it must be
    enough, and not merely what is asked about something else."""
    asked = asked_words(question, need_of(question))
    texts = {one: meaning(one.text) for one in findings}
    having = Counter(word for words in texts.values() for word in words)
    weights = {
        word: math.log(1 + (len(findings) + 1) / (1 + having[word])) * (DEED if alike_to(word) else 1.0)
        for word in asked
    }
    topic = [word for word in asked if not alike_to(word)] or list(asked)
    whole, least = sum(weights.values()), ENOUGH * sum(weights[word] for word in topic)
    shared: dict[Sentence, float] = {}
    for one, words in texts.items():
        matches = {word: weights[word] * _match(word, words, meaning(one.title)) for word in asked}
        direct = any(_match(word, words, frozenset()) for word in asked)
        about = direct and sum(matches[word] for word in topic) >= least
        part = sum(matches.values()) / whole if whole else 0.0
        if part >= ENOUGH and about if strict else part > 0:
            shared[one] = part
    return shared


def _may_answer(one: Sentence) -> bool:
    """Whether a sentence tells something: it is no question, and has more than a word or two."""
    return not one.text.endswith(("?", "？")) and len(stems(one.text)) >= 3


def _timely(question: str, one: Sentence, latest: frozenset[int]) -> float:
    """What a sentence is worth by the time that it tells of."""
    worth = LATE * (one.place in latest)
    worth -= LATE * (bool(_PAST.search(question)) and bool(_COMING.search(one.text)))
    worth -= LATE * (bool(latest) and bool(_EARLIER.search(one.text)))
    return worth + 0.15 * (bool(_WHEN.search(question)) and bool(_DAY.search(one.text)))


def _well_said(question: str, one: Sentence) -> float:
    """What it is worth by its form: whole, not too long, from one of the first places; for "what is it" a "it is"."""
    found = _DEFINED.match(bare_question(question))
    defines = found and re.match(rf"(?i)(?:an? |the )?{re.escape(found[1])} (?:is|are|was|were)\b", one.text)
    return 0.4 * bool(defines) - 0.25 * (not one.is_whole) - 0.02 * min(one.place, 8) - 0.1 * (len(one.text) > 400)


def _latest_places(findings: Sequence[Sentence], places: set[int]) -> frozenset[int]:
    """Of places, those that tell of the latest year, not counting what is yet to come."""
    years: dict[int, int] = {}
    for one in findings:
        if one.place in places and not _COMING.search(f"{one.title} {one.text}"):
            told = [int(year) for year in _YEAR.findall(f"{one.title} {one.text}")]
            years[one.place] = max([years.get(one.place, 0), *told])
    newest = max(years.values(), default=0)
    return frozenset(place for place, year in years.items() if newest and year == newest)


def _match(word: str, words: frozenset[str], title: frozenset[str]) -> float:
    """How much of a word of the question is in a sentence, or over it."""
    if word in words:
        return 1.0
    said = {stem(other) for other in words}
    alike = alike_to(word)
    if any(said & same for same, _ in alike):
        return 0.9
    return max(TITLED * (word in title), 0.5 * any(said & hinting for _, hinting in alike))


def _is_alike(one: str, other: str) -> bool:
    """Whether two sentences say about the same."""
    first, second = meaning(one), meaning(other)
    return len(first & second) >= 0.6 * min(len(first), len(second))


def _led(chosen: Sequence[Sentence], findings: Sequence[Sentence]) -> list[Sentence]:
    """The sentences, with the one before where one of them says "it" or "they" and would not be understood alone."""
    led = list(chosen)
    for one in chosen:
        before = next((other for other in findings if other.place == one.place and other.text == one.before), None)
        if before is not None and _LEANING.match(one.text) and before not in led and before.is_whole:
            led.append(before)
    return led
