"""Regular expressions and formats of a JSON Schema, in the dialect of the grammar that binds the embedded engine.

That dialect has classes, groups, alternatives and counts, and nothing that looks around or back. `translate` says an
expression in it, as narrow as it was meant or narrower; what it has no words for is None, and left to validation. The
formats are narrower than their definitions: of all the ways to write a URI or an address, the everyday ones.
"""

from dataclasses import dataclass

_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DATE = rf"[12][0-9]{{3}}-{_DAY}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
_LABEL = r"[a-z0-9]{1,20}(?:-[a-z0-9]{1,12}){0,2}"
_HOST = rf"{_LABEL}(?:\.{_LABEL}){{0,2}}\.[a-z]{{2,8}}"
_EMAIL = rf"[A-Za-z0-9]{{1,20}}(?:[._+-][A-Za-z0-9]{{1,15}}){{0,3}}@{_HOST}"
_PATH = r"(?:/[A-Za-z0-9_~.-]{1,24}){0,4}/?"
_URI = rf"https?://{_HOST}{_PATH}(?:\?[a-z]{{1,12}}=[A-Za-z0-9_-]{{1,16}})?"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}T{_TIME}",
    "duration": r"P(?:[1-9][0-9]?[YMWD]|(?:[1-9][0-9]?D)?T(?:[1-9][0-9]?H(?:[1-9][0-9]?M)?|[1-9][0-9]{0,2}[MS]))",
    "email": _EMAIL,
    "idn-email": _EMAIL,
    "hostname": _HOST,
    "idn-hostname": _HOST,
    "ipv4": rf"(?:{_OCTET}\.){{3}}{_OCTET}",
    "ipv6": r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}",
    "uri": _URI,
    "uri-reference": _URI,
    "iri": _URI,
    "iri-reference": _URI,
    "uri-template": _URI,
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "json-pointer": r"(?:/[A-Za-z0-9_-]{1,16}){1,4}",
    "relative-json-pointer": r"[0-9](?:/[A-Za-z0-9_-]{1,16}){1,4}",
    "regex": r"\^[A-Za-z0-9_-]{1,24}\$",
}
"""What each format looks like, from its first character to its last."""

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " "}
_CONTROLS = {"n": r"\n", "r": r"\r", "t": r"\t", "f": r"\x0c", "v": r"\x0b", "0": r"\x00"}
_HEX = {"x": 2, "u": 4}
_SPECIAL = frozenset(r"\.+*?()|[]{}^$#&-~/")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that the grammar understands."""

    text: str
    shortest: int
    """How many characters what it matches has at the least."""
    also: tuple["Pattern", ...] = ()
    """What must match too: what the expression looked ahead for."""


class _Foreign(Exception):
    """The dialect has no words for this."""


def translate(expression: str) -> Pattern | None:
    """A regular expression as the grammar knows it. None: it cannot be said."""
    try:
        return _Reader(expression).whole()
    except (_Foreign, IndexError):
        return None


class _Reader:
    """Reads an expression from left to right, and says it again."""

    def __init__(self, expression: str) -> None:
        self._rest = expression
        self._ahead: list[Pattern] = []

    def whole(self) -> Pattern:
        text, shortest = self._branches()
        if self._rest:
            raise _Foreign
        return Pattern(text, shortest, tuple(self._ahead))

    def _take(self, start: str) -> bool:
        found = self._rest.startswith(start)
        if found:
            self._rest = self._rest[len(start) :]
        return found

    def _next(self) -> str:
        character, self._rest = self._rest[0], self._rest[1:]
        return character

    def _branches(self) -> tuple[str, int]:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return "|".join(text for text, _ in branches), min(shortest for _, shortest in branches)

    def _sequence(self) -> tuple[str, int]:
        said: list[str] = []
        total = 0
        while self._rest and self._rest[0] not in "|)":
            if self._take("(?="):
                self._look_ahead("".join(said))
                continue
            text, shortest = self._atom()
            if text not in ("^", "$"):
                times, least = self._quantifier()
                text, shortest = text + times, shortest * least
            said.append(text)
            total += shortest
        return "".join(said), total

    def _look_ahead(self, before: str) -> None:
        """What is looked ahead for at the very beginning is another expression that must match."""
        if before != "^":
            raise _Foreign
        text, shortest = self._branches()
        if not self._take(")"):
            raise _Foreign
        self._ahead.append(Pattern(f"^(?:{text})", shortest))

    def _atom(self) -> tuple[str, int]:
        if self._take("("):
            return self._group()
        if self._take("["):
            return self._class(), 1
        if self._take("\\"):
            return self._escape(), 1
        character = self._next()
        if character in "^$":
            return character, 0
        if character == ".":
            return ".", 1
        if character in "*+?{":
            raise _Foreign
        return _quoted(character), 1

    def _group(self) -> tuple[str, int]:
        if self._rest.startswith("?") and not self._take("?:"):
            if not self._take("?P<") or "(" in self._rest.partition(">")[0]:
                raise _Foreign
            self._rest = self._rest.partition(">")[2]
        text, shortest = self._branches()
        if not self._take(")"):
            raise _Foreign
        return f"(?:{text})", shortest

    def _class(self) -> str:
        said = "[^" if self._take("^") else "["
        first = True
        while first or not self._rest.startswith("]"):
            first = False
            character = self._next()
            if character == "\\":
                said += self._escape(inside=True)
            elif character == "-":
                said += "-" if said[-1] not in "[^" and not self._rest.startswith("]") else r"\-"
            else:
                said += _quoted(character)
        self._next()
        return said + "]"

    def _escape(self, *, inside: bool = False) -> str:
        letter = self._next()
        if letter in _CLASSES:
            return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
        if letter in "DWS" and not inside:
            return {"D": "[^0-9]", "W": "[^A-Za-z0-9_]", "S": r"[!-\[\]-~]"}[letter]
        if letter in _HEX:
            digits = "".join(self._next() for _ in range(_HEX[letter]))
            return _quoted(chr(int(digits, 16)))
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter.isalnum():
            raise _Foreign
        return _quoted(letter)

    def _quantifier(self) -> tuple[str, int]:
        """How often, and how often at the least."""
        times, least = "", 1
        if self._rest[:1] in ("*", "+", "?"):
            times = self._next()
            least = int(times == "+")
        elif self._take("{"):
            inside, _, self._rest = self._rest.partition("}")
            low, comma, high = inside.partition(",")
            if not low.isdigit() or (high and not high.isdigit()):
                raise _Foreign
            times, least = "{" + low + comma + high + "}", int(low)
        if times and not self._take("?") and self._take("+"):
            raise _Foreign
        return times, least


def _quoted(character: str) -> str:
    """A character that means itself."""
    if character in _SPECIAL:
        return "\\" + character
    return character if character.isprintable() else f"\\x{{{ord(character):x}}}"
