"""Reading: a request as one reads it for a function, while its values find their places.

Its words, its phrases (what stands between "in", "for", "with", ...), the particular values in it, and which stretches
of it have already become an argument. The files that fill (`options`, `codes`, `moments`, `numbers`, `lists`, `names`,
`texts`) all work on one Reading.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.parameters import Param, read_parameters
from turnwise.engine.rules.speaking import HEADS, main_sentence
from turnwise.engine.rules.values import Value, parse_number, read_values
from turnwise.engine.rules.words import (
    FILLERS,
    akin,
    content_stems,
    is_verb,
    listed,
    split_name,
    stem,
    verb_of,
    words_of,
)

MARKERS = frozenset(
    listed(
        """in at on for from to into onto with by about regarding concerning near around between under over below
        above within via using as named called titled entitled labeled labelled saying says that because
        since after before until till towards toward of than against per through during inside outside
        besides and's due"""
    )
)
"""Words that begin a new phrase, and say what it is to the one before."""


POINTERS: Mapping[str, tuple[str, ...]] = {
    "place": ("in", "at", "near", "around", "inside", "for", "of", "to", "on", "from"),
    "from": ("from", "between"),
    "to": ("to", "into", "towards", "toward", "onto", "for", "in"),
    "person": ("with", "to", "for", "by", "of", "from", "and"),
    "topic": listed("about regarding concerning called titled entitled named labeled labelled on for"),
    "reason": ("because", "since", "due", "for"),
    "list": ("with", "for", "of", "from"),
    "object": ("for", "of", "about", "on", "called", "named", "titled", "with"),
}  # fmt: skip
"""Which words point at a role, the likeliest first."""


_LEAD = re.compile(
    r"(?i)^(?:(?:please|plz|pls|kindly|hey|hi|hello|ok|okay|so|and|then|also|now|can|could|would|will|you|"
    r"i|we|want|need|'d|like|have|"
    r"i'd|i'll|we'd|let's|to|go|ahead|just|me|us|how (?:do|can|could|would|should) (?:i|we|you|one))\b[,!]?\s*)+"
)

_TRAILING = re.compile(
    r"(?i)(?:[\s,]+(?:please|thanks|thank you|for me|right now|now|today|again|as well|too|"
    r"right away|asap|currently|quickly))*[\s.?!,;]*$"
)

ARTICLES = frozenset(listed("""the a an some any my our your his her their this that these those me us"""))

_IDLE = frozenset(
    listed(
        """please now currently like kind called named status current right latest today tonight again about asap
        soon tell show give find get search look book check eat online internet there's way
        many much worth halfway fully completely partially slightly entirely"""
    )
)
"""Words at the edge of a phrase that are no part of a value."""


_PRONOUNS = frozenset(
    listed("it that this them him her these those me us both each one ones something anything there here")
)


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: int
    end: int
    stem: str

    @property
    def low(self) -> str:
        """In small letters."""
        return self.text.lower().replace("’", "'")


@dataclass(slots=True)
class Phrase:
    """What stands between two markers."""

    marker: str
    words: list[Word] = field(default_factory=list)
    start: int = 0
    """Where the marker stands."""

    @property
    def end(self) -> int:
        """Where its last word ends."""
        return self.words[-1].end if self.words else self.start


def _numbers_of(value: Value) -> list[Value]:
    """The numbers of what looks like a calculation, for a function that calculates nothing: "118/76"."""
    if value.kind != "expression":
        return [value]
    if re.fullmatch(r"\d+(?:-\d+)+", value.text):
        return [Value("id", value.start, value.end, value.text, value.text)]
    return [
        Value(
            "number", value.start + match.start(), value.start + match.end(), match.group(), parse_number(match.group())
        )
        for match in re.finditer(r"\d+(?:\.\d+)?", value.text)
    ]


def _weight(value: Value, request: str) -> Value:
    """A number of pounds, for a function that knows units and no money."""
    is_pounds = value.unit == "money" and re.match(r"(?i) ?pounds?\b", request[value.end :])
    return replace(value, unit="") if is_pounds else value


def _without_verb(value: Value, request: str, tool: FunctionTool) -> Value | None:
    """A name without the function's own verb, which has its capital from the head of the request: "Deploy Atlas"."""
    first, _, rest = value.text.partition(" ")
    at_head = value.kind == "name" and not request[: value.start].rstrip(" \"'")
    if not at_head or first.lower() not in split_name(tool.name):
        return value
    return Value("name", value.end - len(rest), value.end, rest, rest) if rest else None


def _without_thing(value: Value, tool: FunctionTool) -> Value:
    """A colour without the thing that has it: "the bedroom light blue", for a function that is about lights."""
    first, _, rest = value.text.partition(" ")
    if value.kind != "color" or not rest or stem(first) not in map(stem, split_name(tool.name)):
        return value
    return Value("color", value.end - len(rest), value.end, rest, rest)


class Reading:
    """One request and one function."""

    def __init__(self, request: str, tool: FunctionTool) -> None:
        self.request = request
        self.tool = tool
        self.values = tuple(
            each for value in read_values(request) if (each := _without_verb(value, request, tool)) is not None
        )
        roles = {param.role for param in read_parameters(tool)}
        if "expression" not in roles:
            self.values = tuple(part for value in self.values for part in _numbers_of(value))
        if "unit" in roles and "currency" not in roles:
            self.values = tuple(_weight(value, request) for value in self.values)
        self.values = tuple(_without_thing(value, tool) for value in self.values)
        self.arguments: dict[tuple[str, ...], JSON] = {}
        """What was found, by the parameter's path."""
        self.sure: set[str] = set()
        self.pointed: set[str] = set()
        self.spans: dict[str, list[tuple[int, int]]] = {}
        """Where each parameter's value was said."""
        self.used: list[tuple[int, int]] = []
        self.words = [
            Word(match.group(), match.start(), match.end(), stem(match.group()))
            for match in re.finditer(r"[^\s,;:!?\"“”()]*[^\s,;:!?\"“”().]", request)
        ]
        self.lead = self.find_lead()
        self.phrases = self.find_phrases()
        names = split_name(tool.name)
        self.talk = {stem(word) for word in names if word not in FILLERS} | set(content_stems(tool.description))
        self.places = 0
        self.naming: list[str] = []
        """The words of the parameter's name that is being filled."""
        self.nouns = {stem(word) for word in names}
        self.numbers: list[Param] = []
        self.rest: list[Param] = []

    def find_lead(self) -> int:
        """Where the request proper begins, behind "It is cold in here. Could you please"."""
        begin = main_sentence(self.request)
        match = _LEAD.match(self.request[begin:])
        return begin + (match.end() if match else 0)

    def find_phrases(self) -> list[Phrase]:
        """The request cut at its markers. What stands inside a name, a quotation or a moment cuts nothing."""
        phrases = [Phrase("", start=self.lead)]
        particle = verb_of(self.request[self.lead :]).partition("-")[2]
        for word in self.words:
            if word.start < self.lead:
                continue
            inside = any(
                v.start <= word.start and word.end <= v.end and v.kind in ("quote", "name", "duration")
                for v in self.values
            )
            is_time = any(v.start == word.start for v in self.values)
            if word.low == particle and len(phrases) == 1 and len(phrases[0].words) == 1:
                continue
            if word.low in MARKERS and not inside and not is_time:
                phrases.append(Phrase(word.low, start=word.start))
            else:
                phrases[-1].words.append(word)
        return phrases

    def free(self, start: int, end: int) -> bool:
        """Whether no parameter has taken any of a stretch."""
        return all(end <= s or e <= start for s, e in self.used)

    def take(self, param: Param, value: JSON, *spans: tuple[int, int], sure: bool = True) -> None:
        """Give a parameter its value, and with it the stretches where it was said. A pronoun is no value."""
        if isinstance(value, str) and value.lower() in _PRONOUNS:
            return
        if isinstance(value, str) and len(value) > 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        if isinstance(value, str) and value.isdigit() and param.role in ("object", "kind", "person", "topic", "work"):
            return
        if isinstance(value, str) and not sure and param.role != "number":
            told = [stem(word) for word in words_of(value) if stem(word) not in self.talk]
            sure = any(akin(word, example) for word in told for example in param.examples)
        self.arguments[param.path] = value
        self.used.extend(spans)
        self.spans.setdefault(param.path[0], []).extend(spans)
        if sure:
            self.sure.add(param.path[0])

    def left(self) -> int:
        """How many values nobody took."""
        return sum(self.free(value.start, value.end) for value in self.values if value.kind not in ("unit", "color"))

    def of_kind(self, *kinds: str) -> list[Value]:
        """The values of some kinds that nobody has taken."""
        return [value for value in self.values if value.kind in kinds and self.free(value.start, value.end)]

    def before(self, value: Value, count: int = 3) -> list[Word]:
        """The words in front of a value, the nearest last."""
        return [word for word in self.words if word.end <= value.start][-count:]

    def after(self, value: Value, count: int = 3) -> list[Word]:
        """The words behind a value, the nearest first."""
        return [word for word in self.words if word.start >= value.end][:count]

    def marker(self, value: Value) -> str:
        """The nearest marker in front of a value, within its phrase."""
        for word in reversed(self.before(value, 5)):
            if word.low in MARKERS:
                return word.low
        return ""

    def outside_quotes(self, word: Word) -> bool:
        """Whether a word is the speaker's own, and no part of a quotation or an address."""
        return not any(
            v.kind in ("quote", "email", "url", "file") and v.start <= word.start < v.end for v in self.values
        )

    def is_counted(self, value: Value) -> bool:
        """Whether a number stands right before a currency or a unit: what is converted, not what it is converted to."""
        return any(
            v.kind == "number" and v.end <= value.start and not self.request[v.end : value.start].strip()
            for v in self.values
        )

    def hinted(self, param: Param, kinds: Iterable[str] = ("quote", "name")) -> Value | None:
        """A value that its parameter is named beside: "the subject 'Lunch'", "room Atlas"."""
        for value in self.of_kind(*kinds):
            if {w.stem for w in self.before(value, 2) if w.low not in FILLERS and not self.in_name(w)} & set(
                param.words
            ):
                return value
        return None

    def phrases_with(self, markers: Sequence[str]) -> list[Phrase]:
        """The phrases, those with the likeliest marker first."""
        pointed = [phrase for phrase in self.phrases if phrase.marker in markers and phrase.words]
        return sorted(pointed, key=lambda phrase: markers.index(phrase.marker))

    def names_in(self, phrase: Phrase) -> list[Value]:
        """The names and quotations of a phrase."""
        return [v for v in self.of_kind("name", "quote") if phrase.start <= v.start and v.end <= phrase.end + 1]

    def is_verb_phrase(self, phrase: Phrase) -> bool:
        """Whether "to" is followed by what is to be done, not by where."""
        return (
            phrase.marker == "to"
            and bool(phrase.words)
            and phrase.words[0].low not in {*ARTICLES}
            and not phrase.words[0].text[0].isupper()
        )

    def content(
        self,
        phrase: Phrase,
        *,
        talk: bool = True,
        extend: bool = False,
        articles: bool = False,
        whole: bool = False,
        commas: bool = True,
    ) -> tuple[int, int] | None:
        """The part of a phrase that is still free, without words at its edges that only speak of the function."""
        runs: list[list[Word]] = [[]]
        words = list(phrase.words)
        if phrase is self.phrases[0] and words:
            words = words[1:] if self.is_head_verb(words) else words
            while words and words[0].low in ("up", "on", "off", "out", "me", "us", "for", "to"):
                words = words[1:]
        if phrase.marker and words and (self.is_moment(words[0]) or words[0].low == "which"):
            return None
        if extend:
            words = [*words, *self.following(phrase, whole and bool(phrase.marker))]
        for word in words:
            parted = not commas and runs[-1] and "," in self.request[runs[-1][-1].end : word.start]
            if parted:
                runs.append([])
            if (
                not self.free(word.start, word.end)
                or self.is_stray_value(word)
                or (talk and self.says_nothing(word, runs[-1]) and not self.in_name(word))
            ):
                runs.append([])
            else:
                runs[-1].append(word)
        for run in runs:
            while run and self.is_idle(run[0], articles):
                run.pop(0)
            while run and (self.is_idle(run[-1], False) or run[-1].low in ("and", "or")):
                run.pop()
        for run in runs:
            self.keep_name(run)
        best = max(runs, key=lambda run: (any(self.in_name(w) for w in run), len(run)))
        return (best[0].start, best[-1].end) if best else None

    def is_head_verb(self, words: Sequence[Word]) -> bool:
        """Whether a request begins with its verb, and not with what it is about, as "kitchen lights off" does."""
        first = words[0]
        if self.in_name(first):
            return False
        known = (
            is_verb(first.low)
            or first.low.endswith("ed")
            or (len(words) > 1 and words[1].low in FILLERS)
            or first.low in HEADS
            or first.low in FILLERS
            or first.stem in self.nouns
        )
        return (
            known or len(words) < 2 or words[1].low in ARTICLES or self.in_name(words[1]) or words[1].text[0].isdigit()
        )

    def is_moment(self, word: Word) -> bool:
        """Whether a word belongs to a date, a time or a duration."""
        return any(v.kind in ("date", "time", "duration") and v.start <= word.start < v.end for v in self.values)

    def keep_name(self, run: list[Word]) -> None:
        """Cut "movie Inception" and "Inception worth" to the name."""
        named = [self.in_name(word) for word in run]
        if not any(named):
            return
        while not named[0] and run[0].stem in self.talk:
            run.pop(0)
            named.pop(0)
        if named[0] and not all(named) and not any(word.low in MARKERS or word.low == "and" for word in run):
            del run[named.index(False) :]

    def says_nothing(self, word: Word, run: Sequence[Word]) -> bool:
        """Whether a word only speaks of the function. "Room" does, but in "living room" it is half of the name."""
        compound = word.stem in self.naming and any(not self.is_idle(w, False) for w in run)
        return word.stem in self.talk and not compound

    def following(self, phrase: Phrase, whole: bool = False) -> list[Word]:
        """The words of the phrases behind it that go on with it: "boxes OF green tea"."""
        more: list[Word] = []
        for after in self.phrases[self.phrases.index(phrase) + 1 :]:
            free = bool(after.words) and self.free(after.words[0].start, after.end)
            if (
                (after.marker not in ("of", "with", "for", "as") and not whole)
                or not free
                or (phrase.marker == "" and after.marker not in ("of", *(["with"] if self.is_last_text() else [])))
            ):
                break
            if not more and phrase.words and all(w.stem in self.talk or w.low in FILLERS for w in phrase.words[-1:]):
                break
            more.append(Word(after.marker, after.start, after.start + len(after.marker), after.marker))
            more.extend(after.words)
        return more

    def is_pointed(self, start: int) -> bool:
        """Whether a word such as "in" or "about" stands before what begins there."""
        before = [word for word in self.words if word.end <= start and word.low not in ARTICLES][-1:]
        return bool(before) and before[0].low in MARKERS

    def is_last_text(self) -> bool:
        """Whether only one parameter is left that takes words, so that all that is left is its."""
        return len([param for param in self.rest if param.path not in self.arguments]) == 1

    def is_stray_value(self, word: Word) -> bool:
        """A moment or an amount inside a phrase that is meant to be words."""
        return any(v.kind in ("date", "time", "email", "url") and v.start <= word.start < v.end for v in self.values)

    def in_name(self, word: Word) -> bool:
        """Whether a word belongs to a name or a quotation."""
        own = 2 if word.text.endswith(("'s", "’s")) else 0
        return any(
            v.kind in ("name", "quote") and v.start <= word.start and word.end <= v.end + own for v in self.values
        )

    def is_idle(self, word: Word, articles: bool) -> bool:
        """Whether a word at the edge of a phrase says nothing. With `articles`, "my" and "our" do."""
        if self.in_name(word):
            return False
        return (word.low in FILLERS and word.low not in (("my", "our") if articles else ())) or word.low in _IDLE

    def is_talk(self, span: tuple[int, int]) -> bool:
        """Whether a stretch only speaks of the function."""
        words = [w for w in self.words if span[0] <= w.start < span[1]]
        return all(not self.in_name(w) and (w.stem in self.talk or w.low in FILLERS or w.low in _IDLE) for w in words)

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """A stretch of text without what already has its place behind it, and without "please"."""
        for _ in range(4):
            end = start + _TRAILING.sub("", self.request[start:end], count=1).__len__()
            closing = next((s for s, e in self.used if s > start and e >= end - 1 and s < end), None)
            if closing is None:
                break
            head = self.request[start:closing].rstrip()
            end = start + len(
                re.sub(
                    r"(?i)\s*\b(?:at|on|by|in|to|for|from|due|before|until|around|the|starting|beginning|scheduled)$",
                    "",
                    head,
                )
            )
        return start, end
