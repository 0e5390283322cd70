"""What an answer rests on: its sentences, and the sources that say the same.

A sentence is cited as a source if most of what it says stands together in one passage of it: its words by their weight
(a word that few passages have weighs more), and its numbers, of which none may be missing. So a citation is a fact
about two texts, whoever wrote them; a model is not asked, and cannot make one up.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from turnwise.domain.content import JSON
from turnwise.engine.fitting import is_common, stems
from turnwise.tools.tool import Source

ENOUGH = 0.6
"""The part of a sentence's weight that a passage must have."""

FEWEST = 2
"""How many words a sentence that has several must share with a passage."""

PASSAGE = 500
"""How long, in characters, a passage of a source is, about."""

MOST = 3
"""How many sources a sentence is cited as."""

_SENTENCE = re.compile(r"\S.*?(?:[。！？]+|[.!?]+[\"'”’)\]*_]*(?=\s|$)|(?=\n)|$)", re.DOTALL)
_MARKS = re.compile(r"(?:[\s>*+_-]|\d+[.)]\s)*")
_HEADING = re.compile(r"#+\s")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class _Passage:
    """A piece of a source."""

    source: int
    numbers: frozenset[str]


class Citations:
    """The sources of a turn, and what texts rest on them."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._passages: list[_Passage] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        """Which passages have a word."""

    def add(self, sources: Sequence[Source]) -> None:
        """Know of more sources."""
        for source in sources:
            for text in _pieces(source.text):
                for word in _meaning(text):
                    self._having[word].append(len(self._passages))
                self._passages.append(_Passage(len(self._sources), frozenset(_NUMBER.findall(text))))
            self._sources.append(source)

    def cite(self, text: str) -> list[Mapping[str, JSON]]:
        """The annotations of a text, in its order: each with the byte offsets of the sentence that it supports."""
        annotations: list[Mapping[str, JSON]] = []
        for start, end in _sentences(text) if self._passages else ():
            offset = len(text[:start].encode())
            indices = {"start_index": offset, "end_index": offset + len(text[start:end].encode())}
            found = [self._sources[source].citation for source in self._supporting(text[start:end])]
            cited = [citation for index, citation in enumerate(found) if citation not in found[:index]]
            annotations += [{**_for_all(citation), **indices} for citation in cited[:MOST]]
        return annotations

    def _supporting(self, sentence: str) -> Sequence[int]:
        """The sources that say what a sentence says, the best first."""
        words, numbers = _meaning(sentence), frozenset(_NUMBER.findall(sentence))
        weights = {word: self._weight(word) for word in words}
        shared: defaultdict[int, float] = defaultdict(float)
        counted: defaultdict[int, int] = defaultdict(int)
        for word in words:
            for index in self._having.get(word, ()):
                shared[index] += weights[word]
                counted[index] += 1
        needed, best = ENOUGH * sum(weights.values()), dict[int, float]()
        for index, weight in shared.items():
            passage = self._passages[index]
            if weight >= needed and counted[index] >= min(FEWEST, len(words)) and numbers <= passage.numbers:
                best[passage.source] = max(weight, best.get(passage.source, 0.0))
        return sorted(best, key=lambda source: (-best[source], source))

    def _weight(self, word: str) -> float:
        having = len(self._having.get(word, ()))
        return math.log(1 + len(self._passages) / having) if having else math.log(1 + 2 * len(self._passages))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends, without the marks of a list before it. Headings are none."""
    for found in _SENTENCE.finditer(text):
        if _HEADING.match(found[0]):
            continue
        marks = _MARKS.match(found[0])
        start = found.start() + (marks.end() if marks else 0)
        end = found.start() + len(found[0].rstrip())
        if start < end:
            yield start, end


def _pieces(text: str) -> Iterator[str]:
    """A source in pieces that overlap by a half, so that what stands together is together in one of them."""
    piece: list[str] = []
    for start, end in _sentences(text):
        piece.append(text[start:end])
        if sum(map(len, piece)) >= PASSAGE:
            yield " ".join(piece)
            piece = piece[(len(piece) + 1) // 2 :]
    if piece:
        yield " ".join(piece)


def _meaning(text: str) -> frozenset[str]:
    """The words of a text that mean something, cut to their stems."""
    return frozenset(stem for stem in stems(text) if not is_common(stem))


def _for_all(citation: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """A citation as every generation of clients reads it: the first ones know its address as `source`."""
    return {"source": citation["url"], **citation} if "url" in citation else citation
