"""Texts and queries as SQLite's full-text index (FTS5) takes them. Pure.

Its tokenizer takes a word for what stands between blanks and marks. Chinese, Japanese and Thai have none between their
words, and Korean not everywhere. So each of their characters is made a word, and what is looked for of them are
characters that follow one another. Other words are reduced to their stems, as English has them, by the index itself;
and are also found as the beginnings of longer words, which serves the languages that it knows no stems of.
"""

import re
from collections.abc import Iterator

TOKENIZER = "porter unicode61 remove_diacritics 2"

TERMS = 64
"""A query's further words are left out."""

BEGINNING = 4
"""In characters: shorter words are no beginnings of others, as too many would begin with them."""

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese
    "\uac00-\ud7a3"  # Korean, whose words are followed by particles without a blank
)
_CHARACTER = re.compile(f"([{_UNSPACED}])")
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])\w)+")

_COMMON = frozenset(
    {
        *("a", "an", "as", "at", "be", "by", "do", "i", "if", "in", "is", "it", "me", "my", "no", "of", "on"),
        *("or", "so", "to", "us", "we"),
        *("about", "and", "are", "been", "but", "can", "could", "did", "does", "for", "from", "had", "has"),
        *("have", "how", "into", "its", "not", "our", "please", "should", "some", "tell", "than", "that", "the"),
        *("their", "them", "then", "there", "these", "they", "this", "was", "were", "what", "when", "where"),
        *("which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your"),
    }
)
"""English words that a question has and its answer need not."""


def spaced(text: str) -> str:
    """A text as it is put into the index."""
    return _CHARACTER.sub(r" \1 ", text)


def match_expression(query: str) -> str | None:
    """What finds every text that has any word of the query. None: the query has no words.

    Each word is quoted, so that no query is taken for the index's own syntax.
    """
    words = [word for word in _WORD.findall(query) if any(character.isalnum() for character in word)]
    telling = [word for word in words if word.lower() not in _COMMON]
    terms = [term for word in telling or words for term in _terms(word)]
    return " OR ".join(list(dict.fromkeys(terms))[:TERMS]) or None


def _terms(word: str) -> Iterator[str]:
    if _CHARACTER.match(word):
        pairs = [word[at : at + 2] for at in range(len(word) - 1)] or [word]
        yield from (f'"{" ".join(pair)}"' for pair in pairs)
        return
    yield f'"{word}"'
    if len(word) >= BEGINNING:
        yield f'"{word}" *'
