"""Long documents fitted to what a model reads: the passages that have most to do with the question, in their order.

Relevance is BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over the document's own
passages: a word counts more the fewer passages have it. Where the question shares no word with the document, its
beginning is taken. What was left out is said, with its places.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from turnwise.media.media import Passage

SATURATION = 1.2
"""How soon a word that is repeated in a passage stops counting (k1)."""

LENGTH = 0.75
"""How much a long passage is held to be long-winded (b)."""

CHARACTERS_A_TOKEN = 3.5
"""How long a token of text is, about."""

_UNPARTED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Letters of Chinese, Japanese and Korean. No blank parts their words, or parts them from what is hung on them."""

_WORD = re.compile(rf"[^\W_{_UNPARTED}]+|[{_UNPARTED}](?=([{_UNPARTED}]?))")
_COMMON = frozenset(
    """a an and are as at be by can could did do does for from has have how i in is it its me my of on or our page
    please say says should show tell that the their them these this those to was we were what when where which who why
    will with would you your document file pdf summarize summary describe explain about""".split()  # noqa: SIM905
)
"""Words that questions have whatever they are about."""


def fit(passages: Sequence[Passage], question: str, tokens: int) -> str:
    """A document's passages as one text of about so many tokens at the most, with what was left out."""
    room = int(tokens * CHARACTERS_A_TOKEN)
    chosen = _choose(passages, question, room)
    lines: list[str] = []
    place = ""
    for index in sorted(chosen):
        passage = passages[index]
        if passage.place and passage.place != place:
            lines.append(f"[{passage.place}]")
        place = passage.place
        lines.append(passage.text[:room])
    left = [passage for index, passage in enumerate(passages) if index not in chosen]
    if left:
        lines.append(f"[left out, as it did not fit: {_places(left)}]")
    return "\n".join(lines)


def rank(passages: Sequence[Passage], question: str) -> list[int]:
    """The passages that share words with the question, the most relevant first."""
    stem = cache(_stem)  # a document has few words, and each of them often
    asked = {stem(word) for word in _words(question) if word not in _COMMON}
    lengths: list[int] = []
    shared: list[Counter[str]] = []
    for passage in passages:
        words = _words(passage.text)
        lengths.append(len(words))
        shared.append(Counter(filter(asked.__contains__, map(stem, words))))
    having = Counter(word for counted in shared for word in counted)
    average = sum(lengths) / max(1, len(passages))
    scores = {
        index: sum(
            _weight(times, having[word], len(passages)) / _length(lengths[index], average, times)
            for word, times in counted.items()
        )
        for index, counted in enumerate(shared)
    }
    return sorted((index for index in scores if scores[index] > 0), key=lambda index: (-scores[index], index))


def stems(text: str) -> list[str]:
    """The words of a text without the endings of their plurals and tenses; those that mean little as they are."""
    return [word if word in _COMMON else _stem(word) for word in _words(text)]


def is_common(word: str) -> bool:
    """Whether a word says nothing of what a text is about."""
    return word in _COMMON


def _words(text: str) -> list[str]:
    """The words of a text, in small letters; where nothing parts them, each letter with the one behind it."""
    return [found[0] + (found[1] or "") for found in _WORD.finditer(text.lower())]


def _choose(passages: Sequence[Passage], question: str, room: int) -> set[int]:
    if sum(len(passage.text) for passage in passages) <= room:
        return set(range(len(passages)))
    chosen: set[int] = set()
    for index in rank(passages, question) or range(len(passages)):
        if chosen and len(passages[index].text) > room:
            break
        chosen.add(index)
        room -= len(passages[index].text)
    return chosen


def _weight(times: int, having: int, passages: int) -> float:
    rarity = math.log(1 + (passages - having + 0.5) / (having + 0.5))
    return rarity * times * (SATURATION + 1)


def _length(length: int, average: float, times: int) -> float:
    return times + SATURATION * (1 - LENGTH + LENGTH * length / max(1.0, average))


def _stem(word: str) -> str:
    """A word without the ending of its plural or its tense, roughly: both sides are cut alike."""
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _places(left: Sequence[Passage]) -> str:
    """Where what was left out stands: runs of neighbours as `page 3 to page 9`."""
    places = list(dict.fromkeys(passage.place for passage in left if passage.place))
    if not places:
        return f"{len(left)} passages"
    runs: list[list[str]] = []
    for place in places:
        number = re.search(r"\d+$", place)
        before = re.search(r"\d+$", runs[-1][-1]) if runs else None
        if number and before and int(number[0]) == int(before[0]) + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    shown = [run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
