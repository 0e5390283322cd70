"""A text in sentences, so that the first is heard before the last is made, and nobody waits behind a long text."""

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 400
"""Characters of one sentence. A longer one is taken apart at a comma, or between two words."""

_END = re.compile(r"""(?<![.!?…])[.!?…]++["'”’»)\]]*+(?=\s)|[。！？；]+[」』”’）]*|\n""")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|no|nr|jr|sr|e\.g|i\.e|z\.b|bzw|ca|approx)|\b(?-i:[A-Z]))\.$", re.I
)
_SMALLER = re.compile(r"[,;:，、：](?=\s|[^\x00-\x7f])")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_WRAP = re.compile(r"(?<!\s)\s*\n\s*(?=[a-zß-öø-ÿ])")


def sentences(text: str, longest: int = LONGEST) -> Iterator[str]:
    """The sentences of a text that have something to say. A line ends a sentence, unless the next one goes on in small
    letters."""
    for paragraph in _PARAGRAPH.split(text):
        start = 0
        joined = _WRAP.sub(" ", paragraph)
        for end in _END.finditer(joined):
            if not _ABBREVIATION.search(joined, max(start, end.end() - 12), end.end()):
                yield from _pieces(joined[start : end.end()], longest)
                start = end.end()
        yield from _pieces(joined[start:], longest)


def passages(text: str, longest: int) -> Iterator[str]:
    """The text in as few pieces as there can be of at most so many characters, taken apart between sentences."""
    gathered = ""
    for sentence in sentences(text, longest):
        if gathered and len(gathered) + 1 + len(sentence) > longest:
            yield gathered
            gathered = ""
        gathered = f"{gathered} {sentence}" if gathered else sentence
    if gathered:
        yield gathered


def _pieces(sentence: str, longest: int) -> Iterator[str]:
    """A sentence in pieces that are not too long, without those that nobody can say."""
    start, end = 0, len(sentence)
    while end - start > longest:
        limit = start + longest
        cut = _last(_SMALLER, sentence, start, limit) or sentence.rfind(" ", start + 1, limit) + 1 or limit
        yield from _sayable(sentence[start:cut])
        start = cut
    yield from _sayable(sentence[start:])


def _sayable(piece: str) -> Iterator[str]:
    piece = piece.strip()
    if any(unicodedata.category(character)[0] not in "PZC" for character in piece):
        yield piece


def _last(pattern: re.Pattern[str], sentence: str, start: int, end: int) -> int:
    """Where the last match ends between two places, or 0."""
    return max((match.end() for match in pattern.finditer(sentence, start, end)), default=0)
