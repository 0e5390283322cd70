"""What an answer rests on: its sentences, and the sources that say the same.

A sentence is cited as a source if most of what it says stands together in one passage of it: its words by their weight
(a word that few passages have weighs more), and its numbers and names, of which none may be missing. So a citation is
a fact about two texts, whoever wrote them; a model is not asked, and cannot make one up.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from turnwise.domain.content import JSON
from turnwise.engine.fitting import is_common, stems
from turnwise.tools.tool import Source

ENOUGH = 0.6
"""The part of a sentence's weight that a passage must have."""

FEWEST = 2
"""How many words that mean something a sentence and a passage must share."""

PASSAGE = 500
"""How long, in characters, a passage of a source is, about."""

MOST = 3
"""How many sources a sentence is cited as."""

_SENTENCE = re.compile(r"[^\s].*?(?:[.!?。！？]+[\"'”’)\]*_]*(?=\s|$)|(?=\n)|$)", re.DOTALL)
_MARKUP = re.compile(r"^[\s#>*+-]*(?:\d+[.)]\s+)?")
_FIRM = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class _Passage:
    """A piece of a source."""

    source: int
    words: frozenset[str]
    firm: frozenset[str]
    """Its numbers."""


def cite(text: str, sources: Sequence[Source]) -> list[Mapping[str, JSON]]:
    """The annotations of a text, in its order: each with the byte offsets of the sentence that it supports."""
    passages = [passage for index, source in enumerate(sources) for passage in _passages(index, source.text)]
    if not passages:
        return []
    having = Counter(word for passage in passages for word in passage.words)
    weigh = {word: math.log(1 + len(passages) / count) for word, count in having.items()}
    rarest = math.log(1 + 2 * len(passages))
    annotations: list[Mapping[str, JSON]] = []
    for start, end in _sentences(text):
        sentence = text[start:end]
        offset = len(text[:start].encode())
        indices = {"start_index": offset, "end_index": offset + len(sentence.encode())}
        cited: set[str] = set()
        for source in _supporting(sentence, passages, weigh, rarest):
            citation = sources[source].citation
            if repr(citation) not in cited and len(cited) < MOST:
                cited.add(repr(citation))
                annotations.append({**citation, **indices})
    return annotations


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends, without the marks of a list or a heading before it."""
    for found in _SENTENCE.finditer(text):
        markup = _MARKUP.match(found[0])
        start = found.start() + (markup.end() if markup else 0)
        end = found.start() + len(found[0].rstrip())
        if start < end:
            yield start, end


def _supporting(
    sentence: str, passages: Sequence[_Passage], weigh: Mapping[str, float], rarest: float
) -> Sequence[int]:
    """The sources that say what a sentence says, the best first."""
    words, firm = _meaning(sentence), frozenset(_FIRM.findall(sentence))
    whole = sum(weigh.get(word, rarest) for word in words)
    best: dict[int, float] = {}
    for passage in passages:
        shared = words & passage.words
        if len(shared) < min(FEWEST, len(words)) or not shared or firm - passage.firm:
            continue
        part = sum(weigh[word] for word in shared) / whole
        if part >= ENOUGH:
            best[passage.source] = max(part, best.get(passage.source, 0.0))
    return sorted(best, key=lambda source: (-best[source], source))


def _passages(source: int, text: str) -> Iterator[_Passage]:
    """A source in pieces that overlap by a half, so that what stands together is together in one of them."""
    sentences = [text[start:end] for start, end in _sentences(text)]
    piece: list[str] = []
    for sentence in sentences:
        piece.append(sentence)
        if sum(map(len, piece)) >= PASSAGE:
            yield _passage(source, " ".join(piece))
            piece = piece[-(len(piece) // 2) :] if len(piece) > 1 else []
    if piece:
        yield _passage(source, " ".join(piece))


def _passage(source: int, text: str) -> _Passage:
    return _Passage(source, _meaning(text), frozenset(_FIRM.findall(text)))


def _meaning(text: str) -> frozenset[str]:
    """The words of a text that mean something, cut to their stems."""
    return frozenset(stem for stem in stems(text) if not is_common(stem))
