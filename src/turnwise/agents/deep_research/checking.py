"""Whether what is claimed is what was read.

A claim stands if one passage of one source has its numbers, all of them; its names; what it quotes, word for word; and
the greater part of the weight of its words, where a word weighs more the fewer passages have it. An address must be one
that was read. So a citation is a fact about two texts. Where the words are fewer, but not few, and all else is right,
somebody who can read may decide it: `Verdict.doubtful`.

Sums are exact (`fsum`), so that they do not depend on the order in which a set gives its words. That differs from
process to process, and who goes on with the work of another one must come to the same.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from turnwise.agents.deep_research.sources import Library
from turnwise.agents.deep_research.words import addresses, flat, meaning, names, numbers, quotes, sentences

ENOUGH = 0.7
"""The part of a claim's weight that a passage must have."""

LITTLE = 0.35
"""With this part of it, the passage may still say the same in other words."""

TOGETHER = 3
"""So many sentences, one behind another, are a passage: what is said together."""

LIKE_THE_BEST = 0.9
"""With this part of what the best source has, another one is cited beside it."""

FEWEST = 2
"""How many words a claim that has several must share with a passage."""

MOST = 3
"""How many sources a claim is cited as."""

ALIKE = 0.8
"""Two texts that share so much of the shorter one's words say the same."""

CAPITALS = 0.25
"""In a language that writes so many words with a capital letter, names cannot be told by it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was read that says what is claimed."""

    sources: tuple[int, ...] = ()
    """The numbers of those that do, the best first."""
    doubtful: tuple[int, ...] = ()
    """Where there are none: those that may, in other words."""
    evidence: str = ""
    """The passage that is nearest to it."""


@dataclass(frozen=True, slots=True)
class _Passage:
    source: int
    numbers: frozenset[str]
    text: str


class Checker:
    """Compares claims with what was read."""

    def __init__(self, library: Library, asked: str = "") -> None:
        """`asked`: what the work is about. Its names may be said of every source."""
        self._library = library
        self._passages: list[_Passage] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        """Which passages have a word."""
        self._known = set(meaning(asked))
        self._has_names = True
        for number in library.numbers:
            self._learn(number)

    def _learn(self, number: int) -> None:
        source = self._library[number]
        title, counted = meaning(source.title), numbers(source.title)
        capitals = total = 0
        for text in source.texts:
            said = [text[start:end] for start, end in sentences(text)]
            words, figures = [meaning(one) for one in said], [numbers(one) for one in said]
            for first in range(max(1, len(said) - TOGETHER + 1)):
                together = slice(first, first + TOGETHER)
                for word in title.union(*words[together]):
                    self._having[word].append(len(self._passages))
                self._passages.append(_Passage(number, counted.union(*figures[together]), " ".join(said[together])))
            self._known |= title.union(*words)
            capitals, total = capitals + len(names(text)), total + len(frozenset[str]().union(*words))
        self._has_names &= capitals <= CAPITALS * total or total < 100

    def check(self, claim: str, preferred: Collection[int] = ()) -> Verdict:
        """What says it. Of sources that say it alike, those that are `preferred` come first."""
        for address in addresses(claim):
            if not self._library.has_address(address):
                return Verdict()
            claim = claim.replace(address, "")
        if self._has_names and not names(claim) <= self._known:
            return Verdict()
        best = self._best(claim)
        shares = {number: share for number, (share, _) in best.items()}
        ordered = sorted(best, key=lambda number: (number not in preferred, -shares[number], number))
        least = max(ENOUGH, LIKE_THE_BEST * max(shares.values(), default=0.0))
        sure = tuple(number for number in ordered if shares[number] >= least)
        evidence = self._passages[best[(sure or ordered)[0]][1]].text if ordered else ""
        return Verdict(sure[:MOST], () if sure else tuple(ordered[:MOST]), evidence)

    def weight(self, said: Collection[str]) -> float:
        """How much these words say together: those that few passages have say more."""
        return math.fsum(map(self._weight, said))

    def _best(self, claim: str) -> dict[int, tuple[float, int]]:
        """The part of the claim's weight that a source has in its best passage, and which that is."""
        said, counted, quoted = meaning(claim), numbers(claim), [flat(quote) for quote in quotes(claim)]
        weights = {word: self._weight(word) for word in said}
        shared: defaultdict[int, list[str]] = defaultdict(list)
        total, best = math.fsum(weights.values()), dict[int, tuple[float, int]]()
        left = total
        for word in sorted(said, key=lambda word: (-weights[word], word)):
            for index in self._having.get(word, ()):
                if left >= LITTLE * total or index in shared:  # who has only what is left has too little
                    shared[index].append(word)
            left -= weights[word]
        for index, having in sorted(shared.items()):
            passage = self._passages[index]
            share = math.fsum(weights[word] for word in having) / total
            if (
                share >= LITTLE
                and len(having) >= min(FEWEST, len(said))
                and counted <= passage.numbers
                and all(quote in flat(passage.text) for quote in quoted)
            ):
                best[passage.source] = max(
                    (share, index), best.get(passage.source, (0.0, index)), key=lambda one: one[0]
                )
        return best

    def _weight(self, word: str) -> float:
        having = len(self._having.get(word, ()))
        return math.log(1 + len(self._passages) / having) if having else math.log(1 + 2 * len(self._passages))


def first_of_alike(texts: Iterable[str], before: Iterable[str] = ()) -> list[int]:
    """The places of those texts that say something which none before them says, in nearly the same words."""
    said = [meaning(text) for text in before]
    kept: list[int] = []
    for place, text in enumerate(texts):
        words = meaning(text)
        if not any(len(words & other) >= ALIKE * max(1, min(len(words), len(other))) for other in said):
            kept.append(place)
            said.append(words)
    return kept
