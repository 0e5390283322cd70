"""Filters: which documents are searched, by their metadata, in the language of AIP-160.

    author = "Franz Kafka" AND (year > 1910 OR tags:novella) AND NOT draft = "yes"

- `=`, `!=`, `<`, `<=`, `>`, `>=` compare. A number is compared as one; everything else as text, letter by letter. With
  `=` and `!=` a `*` in a text stands for anything.
- `key:value` asks whether a list has an element, or a text these words in it; `key:*`, whether there is such a key.
- A list is `=` a value if one of its elements is. What has no such key is not `=` anything, and so it is `!=`.
- `NOT` or `-` before a comparison or a group turns it round. `OR` binds closer than `AND`, and what stands side by side
  is joined by `AND`, as that standard has it.
- A text may stand without quotes, in several words too: `author=Franz Kafka`.

What that standard has beyond this (functions, words by themselves) is refused, by name and place.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import regex

from turnwise.domain.errors import InvalidRequest
from turnwise.domain.file_search import Metadata, MetadataValue

LONGEST = 4000
"""In characters."""

DEEPEST = 32
"""How many groups may stand in one another."""

Filter: TypeAlias = Callable[[Metadata], bool]

_Kind: TypeAlias = Literal["word", "text", "operator", "(", ")", "-", "end"]

_TOKEN = regex.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
        | (?P<operator><=|>=|!=|=|<|>|:)
        | (?P<open>\() | (?P<close>\))
        | (?P<minus>-(?=[\p{L}_("']))
        | (?P<word>(?:[^\s()=<>!:"',]|!(?!=))+)
        | (?P<end>$)
    )""",
    regex.VERBOSE | regex.DOTALL,
)

_NUMBER = regex.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def parse_filter(text: str) -> Filter:
    """What a filter asks of a document's metadata.

    Raises:
        InvalidRequest: it is none; the message names the place.
    """
    if len(text) > LONGEST:
        raise InvalidRequest(f"the filter has {len(text)} characters: at most {LONGEST} are read")
    return _Parser(list(_tokens(text))).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str
    at: int
    """Where it begins, counted from 1, for messages."""


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while True:
        found = _TOKEN.match(text, position)
        if found is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            what = "a text without its second quote" if text[at] in "\"'" else f"'{text[at]}' has no place here"
            raise _wrong(at + 1, what)
        name = found.lastgroup
        assert name is not None
        at = found.start(name) + 1
        yield _Token(_KINDS[name], _unquoted(found[name]) if name == "text" else found[name], at)
        if name == "end":
            return
        position = found.end()


_KINDS: dict[str, _Kind] = {
    "text": "text",
    "operator": "operator",
    "open": "(",
    "close": ")",
    "minus": "-",
    "word": "word",
    "end": "end",
}


def _unquoted(text: str) -> str:
    return str(regex.sub(r"\\(.)", r"\1", text[1:-1], flags=regex.DOTALL))


def _wrong(at: int, what: str) -> InvalidRequest:
    return InvalidRequest(f"at character {at}: {what}")


class _Parser:
    """Reads tokens from left to right, each rule of the grammar by a method."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Filter:
        if self._peek().kind == "end":
            raise _wrong(1, "the filter is empty; leave it out")
        parsed = self._all()
        left = self._peek()
        if left.kind != "end":
            raise _wrong(left.at, f"'{left.text}' has no place here")
        return parsed

    def _all(self) -> Filter:
        """Parts that are joined by `AND`, or stand side by side."""
        parts = [self._any()]
        while not self._is_over():
            self._take_word("AND")
            parts.append(self._any())
        return parts[0] if len(parts) == 1 else lambda metadata: all(part(metadata) for part in parts)

    def _any(self) -> Filter:
        """Parts that are joined by `OR`."""
        parts = [self._term()]
        while self._take_word("OR"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda metadata: any(part(metadata) for part in parts)

    def _term(self) -> Filter:
        token = self._peek()
        if token.kind == "-" or (token.kind == "word" and token.text == "NOT"):
            self._next += 1
            inner = self._simple()
            return lambda metadata: not inner(metadata)
        return self._simple()

    def _simple(self) -> Filter:
        token = self._take()
        if token.kind == "(":
            return self._group(token)
        if token.kind not in ("word", "text") or (token.kind == "word" and token.text in ("AND", "OR", "NOT")):
            raise _wrong(token.at, f'{_shown(token)} where a comparison is expected, such as author = "Kafka"')
        operator = self._peek()
        if operator.kind == "(":
            raise _wrong(token.at, f"functions such as '{token.text}(...)' are not supported")
        if operator.kind != "operator":
            raise _wrong(token.at, f'{_shown(token)} by itself is not supported; compare it, as in author = "Kafka"')
        self._next += 1
        return _compare(token.text, operator.text, self._value(operator))

    def _group(self, opened: _Token) -> Filter:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _wrong(opened.at, f"more than {DEEPEST} groups in one another")
        inner = self._all()
        if self._take().kind != ")":
            raise _wrong(opened.at, "this '(' has no ')'")
        self._depth -= 1
        return inner

    def _value(self, operator: _Token) -> "_Value":
        """What stands behind an operator: a text in quotes, or words up to the next comparison."""
        first = self._take()
        if first.kind == "text":
            return _Value(first.text, quoted=True)
        sign = "-" if first.kind == "-" else ""
        if sign:
            first = self._take()
        if first.kind != "word" or first.text in ("AND", "OR", "NOT"):
            raise _wrong(first.at, f"{_shown(first)} where a value is expected behind '{operator.text}'")
        words = [sign + first.text]
        while (word := self._peek()).kind == "word" and word.text not in ("AND", "OR", "NOT"):
            if self._tokens[self._next + 1].kind in ("operator", "("):
                break  # it begins the next comparison
            if word.text in ("and", "or", "not"):
                raise _wrong(word.at, f"write {word.text.upper()} in capitals, or the text in quotes")
            words.append(word.text)
            self._next += 1
        return _Value(" ".join(words), quoted=False)

    def _is_over(self) -> bool:
        return self._peek().kind in ("end", ")")

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._peek()
        if token.kind != "end":
            self._next += 1
        return token

    def _take_word(self, word: str) -> bool:
        """Take this word, if it is the next."""
        token = self._peek()
        is_it = token.kind == "word" and token.text == word
        self._next += is_it
        return is_it


def _shown(token: _Token) -> str:
    return "the end" if token.kind == "end" else f"'{token.text}'"


@dataclass(frozen=True, slots=True)
class _Value:
    """What a key is compared with."""

    text: str
    quoted: bool

    @property
    def number(self) -> float | None:
        """It as a number, if it is one."""
        return float(self.text) if _NUMBER.fullmatch(self.text) else None

    def is_like(self, text: str) -> bool:
        """Whether a text is this one, in which a `*` stands for anything."""
        first, *others = self.text.split("*")
        if not others:
            return text == first
        *middle, last = others
        end = len(text) - len(last)
        at = len(first)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return False
        for part in middle:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True


def _compare(key: str, operator: str, value: _Value) -> Filter:
    match operator:
        case ":":
            has = _has(value)
            return lambda metadata: key in metadata and has(metadata[key])
        case "=":
            equals = _equals(value)
            return lambda metadata: key in metadata and equals(metadata[key])
        case "!=":
            equals = _equals(value)
            return lambda metadata: not (key in metadata and equals(metadata[key]))
        case _:
            ordered = _ordered(operator, value)
            return lambda metadata: key in metadata and any(map(ordered, _elements(metadata[key])))


def _elements(value: MetadataValue) -> tuple[str | int | float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _equals(value: _Value) -> Callable[[MetadataValue], bool]:
    number = value.number

    def equals(kept: MetadataValue) -> bool:
        return any(value.is_like(one) if isinstance(one, str) else one == number for one in _elements(kept))

    return equals


def _has(value: _Value) -> Callable[[MetadataValue], bool]:
    wanted, number = value.text.casefold(), value.number

    def has(kept: MetadataValue) -> bool:
        match kept:
            case _ if value.text == "*" and not value.quoted:
                return True
            case tuple():
                return value.text in kept
            case str():
                return wanted in kept.casefold()
            case _:
                return kept == number

    return has


def _ordered(operator: str, value: _Value) -> Callable[[str | int | float], bool]:
    number = value.number

    def ordered(kept: str | int | float) -> bool:
        if isinstance(kept, str):
            return _holds(operator, (kept > value.text) - (kept < value.text))
        return number is not None and _holds(operator, (kept > number) - (kept < number))

    return ordered


def _holds(operator: str, sign: int) -> bool:
    """Whether an operator holds of two values, of which the first is larger (1), smaller (-1) or neither (0)."""
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[operator]
