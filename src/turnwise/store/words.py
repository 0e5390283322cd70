"""How an index of words is asked in plain language, and what of a text goes into it.

SQLite's tokenizer takes what stands between spaces and signs for a word, without its accents and, in English, without
its endings. Scripts that write without spaces would be one long word in it: so their letters are set apart, and are
asked for two by two. Of letters that are written in several ways, such as ligatures, all are taken for the same.

PostgreSQL's index is given the words themselves, and takes only their endings off. There, of scripts without spaces,
each letter is a word and so is each pair of neighbours.
"""

import unicodedata
from collections.abc import Iterable, Iterator

import regex

TERMS = 64
"""How many words of a query are looked for."""

LONGEST = 64
"""In characters: what is longer is no word that anybody looks for."""

_COMMON = """
a about an and are as at be been but by can could did do does for from had has have he her him his how i if in is it its
may me might must my no not of on or our she should so some than that the their them then there these they this those to
was we were what when where which who whom whose why will with would you your
"""

COMMON = frozenset(_COMMON.split())
"""English words that say nothing of what is looked for, unless there are no others."""

_DENSE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""The letters of scripts without spaces, and of Korean, whose words end in many ways."""

_LETTER = regex.compile(f"([{_DENSE}])")
_ACCENT = regex.compile("[\u0300-\u036f]")
_RUN = regex.compile(rf"[{_DENSE}]+|(?:(?![{_DENSE}])[\p{{L}}\p{{N}}\p{{M}}])+")


def words_of(text: str) -> str:
    """A text as it goes into the index. What is in an index was made by this: a change needs a new index."""
    return _LETTER.sub(r" \1 ", unicodedata.normalize("NFKC", text))


def store_word(store_id: str) -> str:
    """The one word that a file search store is in the index."""
    return "s" + store_id.replace("-", "")


def match(stores: tuple[str, ...], query: str) -> str | None:
    """An expression for the index: chunks of these stores with any word of the query. None: it has no words."""
    telling = _telling(_terms(query))
    if not telling or not stores:
        return None
    places = " OR ".join(f'"{store_word(id)}"' for id in stores)
    words = " OR ".join(f'"{term}"' for term in telling)
    return f"store : ({places}) AND {{title words}} : ({words})"


def index_words(text: str) -> list[str]:
    """The words of a text for an index that has no tokenizer: letters and digits, nothing else. What is in an index was
    made by this: a change needs a new index."""
    words: list[str] = []
    for run in _RUN.findall(_plain(text)):
        if not _LETTER.match(run):
            words.append(run[:LONGEST])
        else:
            words += [*run, *_pairs(run)]
    return words


def query_words(query: str) -> list[str]:
    """The words to look for in such an index."""
    return _telling(term.replace(" ", "") for term in _terms(_plain(query)))


def _plain(text: str) -> str:
    """A text without accents, and without what tells large letters from small ones."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFC", _ACCENT.sub("", apart)).casefold()


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _telling(terms: Iterable[str]) -> list[str]:
    """The terms that say something, each once and not too many of them; all, if none does."""
    distinct = list(dict.fromkeys(terms))
    return ([term for term in distinct if term.lower() not in COMMON] or distinct)[:TERMS]


def _terms(query: str) -> Iterator[str]:
    """The words and phrases of a query: letters, digits and spaces, nothing else."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", query)):
        if not _LETTER.match(run):
            yield run[:LONGEST]
        elif len(run) == 1:
            yield run
        else:
            yield from (" ".join(pair) for pair in _pairs(run))
