"""Cutting what a document says into chunks, between words.

A chunk has so many words, the last ones of which begin the next chunk again. It never goes over the end of a page, so
that a citation names the page on which the words stand. A letter of a script without spaces counts as a word, and so
does a piece of what is longer than any word.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

import regex

from turnwise.domain.file_search import Chunk, Chunking
from turnwise.media.media import Passage

_DENSE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(rf"[{_DENSE}]|(?:(?![{_DENSE}])\S){{1,64}}")
_PAGE = regex.compile(r"page (\d{1,9})")


def cut(passages: Iterable[Passage], chunking: Chunking) -> Iterator[Chunk]:
    """What passages say, in chunks."""
    for page, section in groupby(passages, _page):
        yield from _cut_section(list(section), page, chunking)


def _page(passage: Passage) -> int | None:
    found = _PAGE.fullmatch(passage.place)
    return int(found[1]) if found else None


def _cut_section(passages: list[Passage], page: int | None, chunking: Chunking) -> Iterator[Chunk]:
    """What stands on one page, or all of it where there are no pages."""
    text = "\n".join(passage.text for passage in passages)
    words = (word.span() for word in _WORD.finditer(text))
    places = _Places(passages)
    fresh, fresh_words = list(islice(words, chunking.words)), chunking.words - chunking.overlap
    spans: list[tuple[int, int]] = []
    while fresh:
        spans = spans[fresh_words:] + fresh
        start, end = spans[0][0], spans[-1][1]
        yield Chunk(text[start:end], page, places.at(start))
        fresh = list(islice(words, fresh_words))


class _Places:
    """Which place a position in the joined passages has. It is asked for in rising order."""

    def __init__(self, passages: list[Passage]) -> None:
        self._passages = passages
        self._index = 0
        self._end = len(passages[0].text)

    def at(self, position: int) -> str:
        while position > self._end:
            self._index += 1
            self._end += 1 + len(self._passages[self._index].text)
        return self._passages[self._index].place
