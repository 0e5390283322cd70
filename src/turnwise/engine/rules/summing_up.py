"""Summing up: a text said in a few of its own sentences.

Those are kept that speak most of what the whole text speaks of, a little more the nearer they stand to its beginning;
and of two that say the same only one. A small model would say it in its own words, and say things that are not there.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from turnwise.engine.fitting import is_common, stems
from turnwise.engine.rules.findings import Sentence, joined, read_findings
from turnwise.engine.rules.values import NUMBERS

USUAL = 3
"""How many sentences a summary has where nothing else is said."""

MOST = 12

LONGEST = 350
"""In characters: a longer sentence is no summary of anything."""

_LENGTH = re.compile(
    r"(?i)\b(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|single|few)\b[\w -]{0,20}?\b(?:sentence|bullet|"
    r"point|line|item)s?\b"
)
_LISTED = re.compile(r"(?i)\b(?:bullets?|bulleted|bullet[- ]points?|list of|key points|main points)\b")
_WISHED = re.compile(
    r"(?i)\b(?:summar(?:y|i[sz]e)|sum up|gist|tl;?dr|overview|key points|main (?:points|ideas)|outline|digest|"
    r"what(?:'s| is| does) .{0,80}\b(?:about|say|says|contain)\b|(?:describe|explain|read|content of)\b|shorten|"
    r"condense)"
)  # fmt: skip


def wants_summary(request: str) -> bool:
    """Whether a request asks what a text says as a whole, and not for something in it."""
    return bool(_WISHED.search(re.sub(r"(?i)\b(?:https?://|www\.)\S+", "it", request)))


def summary(request: str, told: str) -> str:
    """What was read, in as many sentences as the request wants. Empty: there is nothing in it."""
    findings = [one for one in read_findings(told) if len(one.text) <= LONGEST]
    whole = [one for one in findings if one.is_whole and len(one.text.split()) > 3]
    said = whole or [one for one in findings if len(one.text.split()) > 1] or findings
    chosen = _central(said, _wanted(request))
    if _LISTED.search(request) or (chosen and not whole):
        return "\n".join(f"- {one.text}" for one in chosen)
    return joined(chosen)


def _wanted(request: str) -> int:
    said = _LENGTH.search(request)
    if said is None:
        return USUAL
    word = said.group(1).lower()
    number = int(word) if word.isdigit() else {"single": 1, "few": USUAL}.get(word) or NUMBERS.get(word, USUAL)
    return max(1, min(MOST, number))


def _central(sentences: Sequence[Sentence], most: int) -> list[Sentence]:
    """The sentences that say most of what all say."""
    words = {one: frozenset(word for word in stems(one.text) if not is_common(word)) for one in sentences}
    spoken = Counter(word for each in words.values() for word in each)
    titled = {word for one in sentences for word in stems(one.title)}
    weight = {word: math.log(1 + times) + 0.5 * (word in titled) for word, times in spoken.items()}
    chosen: list[Sentence] = []
    left = dict(weight)
    while len(chosen) < min(most, len(sentences)):
        best = max(
            (one for one in sentences if one not in chosen),
            key=lambda one: (
                sum(left[word] for word in words[one]) / math.sqrt(5 + len(words[one])) * _early(one, sentences),
                -one.order,
            ),
        )
        chosen.append(best)
        left.update({word: left[word] / 4 for word in words[best]})
    return sorted(chosen, key=lambda one: one.order)


def _early(one: Sentence, sentences: Sequence[Sentence]) -> float:
    """What a sentence counts by where it stands: the first ones say what a text is about."""
    first = sentences[0].order
    return 1.0 + 0.8 / (1 + one.order - first)
