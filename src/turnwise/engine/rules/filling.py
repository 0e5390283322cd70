"""Filling: which piece of a request belongs in which parameter of a function.

    fill("Book a table for 4 at Luigi's at 8 pm", book_table)
    party_size 4, restaurant "Luigi's", time "20:00", and `date` is missing

A parameter has a role (a date, a person, a place to come from, free text, ...), told from its type, name and
description. Those whose values cannot be anything else choose first (enums, addresses, dates, numbers with their
unit); then those that words like "from", "with" or "about" point at; what is left of the request is for free text.
Pure. What nothing was found for is left to the model (`calling.py`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.engine.rules.parameters import Param, options_of, pair, parameters_of, rank, required_of, type_of
from turnwise.engine.rules.values import Value, read_values
from turnwise.engine.rules.words import FILLERS, akin, content_stems, listed, split_name, stem


@dataclass(frozen=True, slots=True)
class Filled:
    """What a request says about a function's parameters."""

    arguments: Mapping[str, JSON]
    sure: frozenset[str]
    """Those whose value is particular: a date, a name, a quotation, a number; not merely what was left."""
    pointed: frozenset[str]
    """Those that a word such as "in" or "about" points at."""
    left: int
    """How many particular values of the request found no place."""
    missing: tuple[str, ...]
    """Required parameters of which the request says nothing that was understood."""


MARKERS = frozenset(
    listed(
        """in at on for from to into onto with by about regarding concerning near around between under over below
        above within via using as named called titled entitled labeled labelled saying says that because
        since after before until till towards toward of than against per through during inside outside
        besides and's due"""
    )
)
"""Words that begin a new phrase, and say what it is to the one before."""


_POINTERS: Mapping[str, tuple[str, ...]] = {
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


_TEXT_TAIL = re.compile(
    r"(?i)(?:\b(?:saying|says|say|reading|reads|telling (?:him|her|them|\w+)(?: that)?|(?:tell|"
    r"inform|ask) (?:him|her|them|[A-Z]\w+)(?: that)?|"
    r"with the (?:message|text|body|words|content)|the (?:text|words?|phrase|sentence|message)|"
    r"to say)\b:?(?: that)?|(?<=\w):|\bthat\b)\s+(?P<tail>\S.*)$",
    re.DOTALL,
)
_LEAD = re.compile(
    r"(?i)^(?:(?:please|kindly|hey|hi|hello|ok|okay|so|and|then|also|now|can|could|would|will|you|"
    r"i|we|want|need|'d|like|have|"
    r"i'd|i'll|we'd|let's|to|go|ahead|just|me|us)\b[,!]?\s*)+"
)
_TRAILING = re.compile(
    r"(?i)(?:[\s,]+(?:please|thanks|thank you|for me|right now|now|today|again|as well|too|"
    r"right away|asap|currently|quickly))*[\s.?!,;]*$"
)
_ARTICLES = frozenset(listed("""the a an some any my our your his her their this that these those me us"""))
_NEGATIONS = frozenset(listed("""no not without don't never exclude excluding skip none disable off isn't"""))


def fill(request: str, tool: FunctionTool) -> Filled:
    """The arguments that a request has for a function."""
    properties = parameters_of(tool)
    required = required_of(tool)
    filler = _Filler(request, tool)
    params = [Param(name, schema, name in required, tool) for name, schema in properties.items()]
    pair(params)
    for param in sorted(params, key=rank):
        filler.choose(param)
    filler.fill_numbers()
    filler.fill_rest()
    arguments = {name: filler.arguments[name] for name in properties if name in filler.arguments}
    missing = tuple(name for name in properties if name in required and name not in arguments)
    return Filled(arguments, frozenset(filler.sure), frozenset(filler.pointed), filler.left(), missing)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    stem: str

    @property
    def low(self) -> str:
        return self.text.lower().replace("’", "'")


@dataclass(slots=True)
class _Phrase:
    """What stands between two markers."""

    marker: str
    words: list[_Word] = field(default_factory=list)
    start: int = 0
    """Where the marker stands."""

    @property
    def end(self) -> int:
        return self.words[-1].end if self.words else self.start


class _Filler:
    """One request and one function, while values find their places."""

    def __init__(self, request: str, tool: FunctionTool) -> None:
        self.request = request
        self.tool = tool
        self.values = read_values(request)
        self.arguments: dict[str, JSON] = {}
        self.sure: set[str] = set()
        self.pointed: set[str] = set()
        self.used: list[tuple[int, int]] = []
        self.words = [
            _Word(match.group(), match.start(), match.end(), stem(match.group()))
            for match in re.finditer(r"[^\s,;:!?\"“”()]*[^\s,;:!?\"“”().]", request)
        ]
        self.lead = self._lead()
        self.phrases = self._phrases()
        names = split_name(tool.name)
        self.talk = {stem(word) for word in names if word not in FILLERS} | set(content_stems(tool.description))
        self.places = 0
        self.naming: list[str] = []
        """The words of the parameter's name that is being filled."""
        self.nouns = {stem(word) for word in names}
        self.numbers: list[Param] = []
        self.rest: list[Param] = []

    # -- the request's build

    def _lead(self) -> int:
        """Where the request proper begins, behind "could you please"."""
        match = _LEAD.match(self.request)
        return match.end() if match else 0

    def _phrases(self) -> list[_Phrase]:
        phrases = [_Phrase("", start=self.lead)]
        for word in self.words:
            if word.start < self.lead:
                continue
            inside = any(
                v.start <= word.start and word.end <= v.end and v.kind in ("quote", "name", "duration")
                for v in self.values
            )
            is_time = any(v.start == word.start for v in self.values)
            if word.low in MARKERS and not inside and not is_time:
                phrases.append(_Phrase(word.low, start=word.start))
            else:
                phrases[-1].words.append(word)
        return phrases

    def _free(self, start: int, end: int) -> bool:
        return all(end <= s or e <= start for s, e in self.used)

    def _take(self, param: Param, value: JSON, *spans: tuple[int, int], sure: bool = True) -> None:
        self.arguments[param.name] = value
        self.used.extend(spans)
        if sure:
            self.sure.add(param.name)

    def left(self) -> int:
        """How many values nobody took."""
        return sum(self._free(value.start, value.end) for value in self.values if value.kind not in ("unit", "color"))

    def _of_kind(self, *kinds: str) -> list[Value]:
        return [value for value in self.values if value.kind in kinds and self._free(value.start, value.end)]

    def _before(self, value: Value, count: int = 3) -> list[_Word]:
        return [word for word in self.words if word.end <= value.start][-count:]

    def _after(self, value: Value, count: int = 3) -> list[_Word]:
        return [word for word in self.words if word.start >= value.end][:count]

    def _marker(self, value: Value) -> str:
        """The nearest marker in front of a value, within its phrase."""
        for word in reversed(self._before(value, 5)):
            if word.low in MARKERS:
                return word.low
        return ""

    # -- those that choose first

    def choose(self, param: Param) -> None:
        """Find the value of one parameter, or put it off."""
        match param.role:
            case "enum":
                self._choose_enum(param)
            case "email" | "url" | "phone" | "color" | "expression" | "unit" | "currency" | "language":
                self._choose_kind(param)
            case "file":
                self._choose_directed(param, self._of_kind("file", "quote"))
            case "date" | "time" | "datetime":
                self._choose_moment(param)
            case "number":
                self.numbers.append(param)
            case "duration":
                self._choose_duration(param)
            case "bool":
                self._choose_bool(param)
            case _:
                self.rest.append(param)

    def _choose_enum(self, param: Param) -> None:
        best: tuple[float, JSON, _Word | None] = (0.0, None, None)
        hay = [(word, word.stem) for word in self.words if self._outside_quotes(word)]
        for option in options_of(param.schema):
            parts = [stem(part) for part in split_name(str(option))]
            for at, (word, _) in enumerate(hay):
                window = [s for _, s in hay[at : at + len(parts)]]
                if window == parts:
                    score = 3.0 + len(parts)
                elif (
                    len(parts) == 1
                    and parts[0] not in self.nouns
                    and word.low not in FILLERS
                    and akin(word.stem, parts[0])
                ):
                    score = 1.0 - (0.5 if word.stem in self.nouns else 0.0)
                else:
                    continue
                if score > best[0]:
                    best = (score, option, word)
        currency = next((v for v in self._of_kind("currency") if v.meaning in options_of(param.schema)), None)
        if currency is not None:
            self._take(param, currency.meaning, (currency.start, currency.end))
            return
        threshold = 0.4 if param.required else 0.9
        if best[0] >= threshold and best[2] is not None:
            exact = best[0] >= 3
            self._take(
                param, best[1], *([(best[2].start, best[2].end)] if exact and best[2].stem not in self.nouns else [])
            )

    def _outside_quotes(self, word: _Word) -> bool:
        return not any(
            v.kind in ("quote", "email", "url", "file") and v.start <= word.start < v.end for v in self.values
        )

    def _choose_kind(self, param: Param) -> None:
        found = self._of_kind(param.role)
        if param.role == "unit" and not found:
            found = self._of_kind("currency")
        if not found:
            if param.role in ("email", "phone") and param.required:
                return
            if param.role == "language":
                found = [v for v in self._of_kind("name") if self._marker(v) in ("to", "into")]
                self._choose_directed(param, found)
            elif param.required and param.role == "unit":
                self.rest.append(param)
            return
        if param.role in ("currency", "unit", "language"):
            self._choose_directed(param, found)
            return
        self._take(param, found[0].meaning, (found[0].start, found[0].end))

    def _choose_directed(self, param: Param, found: Sequence[Value]) -> None:
        if not found:
            return
        direction = param.direction
        if not direction and len(found) > 1 and param.role == "language":
            direction = "to"
        pointers = {"from": ("from",), "to": ("to", "into", "in", "as")}.get(direction, ())
        value = next((each for each in found if self._marker(each) in pointers and not self._is_counted(each)), None)
        counted = next((each for each in found if self._is_counted(each)), None)
        if param.role in ("currency", "unit") and counted is not None and direction:
            others = [each for each in found if each is not counted]
            value = counted if direction == "from" else value or (others[0] if others else None)
            if value is None:
                return
        lone = len(found) == 1 and self._marker(found[0]) in ("to", "into")
        if direction == "from" and lone and param.role in ("currency", "unit"):
            return
        if value is None:
            value = found[-1] if direction == "to" and (len(found) > 1 or param.role != "currency") else found[0]
        self._take(param, self._render(param, value), (value.start, value.end))

    def _is_counted(self, value: Value) -> bool:
        """Whether a number stands right before a currency or a unit: what is converted, not what it is converted to."""
        return any(
            v.kind == "number" and v.end <= value.start and not self.request[v.end : value.start].strip()
            for v in self.values
        )

    def _render(self, param: Param, value: Value) -> JSON:
        if param.role == "language" and re.search(r"(?i)iso|code|\b(?:en|fr|de|es)\b", param.text):
            return LANGUAGE_CODES.get(value.text.title(), value.meaning)
        return value.meaning

    def _choose_moment(self, param: Param) -> None:
        dates, times = self._of_kind("date"), self._of_kind("time")
        if param.role == "datetime" and (dates or times):
            day = dates[-1 if param.direction == "to" and len(dates) > 1 else 0] if dates else None
            hour = times[-1 if param.direction == "to" and len(times) > 1 else 0] if times else None
            both = [value for value in (day, hour) if value]
            self._take(param, self._datetime(param, day, hour), *((v.start, v.end) for v in both))
            return
        found = dates if param.role == "date" else times
        hinted = [v for v in found if {w.stem for w in self._before(v, 2)} & set(param.words)]
        if not found:
            self._choose_bare_hour(param)
            return
        last = param.direction == "to"
        said = sum(v.kind == found[0].kind for v in self.values)
        if param.direction and said == 1 and not param.required and not hinted and last:
            return
        value = hinted[0] if hinted and not param.direction else found[-1 if last else 0]
        self._take(param, render_moment(param, value), (value.start, value.end))

    def _choose_bare_hour(self, param: Param) -> None:
        if param.role != "time":
            return
        for value in self._of_kind("number"):
            before = self._before(value, 1)
            if (
                before
                and before[0].low in ("at", "until", "by", "for")
                and isinstance(value.meaning, int)
                and value.meaning <= 24
            ):
                if before[0].low == "for" and "alarm" not in self.nouns:
                    continue
                text = f"{value.meaning:02}:00" if wants_clock(param) else value.text
                self._take(param, text, (value.start, value.end))
                return

    def _datetime(self, param: Param, day: Value | None, hour: Value | None) -> str:
        iso = bool(day and re.match(r"\d{4}-", str(day.meaning)))
        if iso and day and hour:
            space = re.search(r"\d \d\d:|DD HH", param.text)
            seconds = "" if re.search(r"HH:MM(?!:)|T\d\d:\d\d(?![:\d])", param.text) or space else ":00"
            return f"{day.meaning}{' ' if space else 'T'}{hour.meaning}{seconds}"
        return " ".join(str(v.meaning if v.kind == "date" else v.text) for v in (day, hour) if v)

    def _choose_duration(self, param: Param) -> None:
        found = self._of_kind("duration")
        if found:
            self._take(param, found[0].text, (found[0].start, found[0].end))

    def _choose_bool(self, param: Param) -> None:
        ignore = {
            "include",
            "is",
            "hav",
            "us",
            "enabl",
            "with",
            "add",
            "allow",
            "whether",
            "flag",
            "should",
            "make",
            "only",
        }
        wanted = {word for word in param.words if word not in ignore and word not in FILLERS}
        states = {"on", "enabled", "enable", "active", "power", "state"} & set(split_name(param.name))
        for at, word in enumerate(self.words):
            before = {w.low for w in self.words[max(0, at - 3) : at]}
            if states and word.low in ("on", "off", "enable", "disable", "activate", "deactivate"):
                self._take(param, word.low in ("on", "enable", "activate"))
                return
            opposite = next((word.low.removeprefix(p) for p in ("un", "dis") if word.low.startswith(p)), "")
            if opposite and any(akin(stem(opposite), w) for w in wanted):
                self._take(param, False)
                return
            if word.stem in wanted or any(akin(word.stem, w) for w in wanted if w not in self.talk):
                self._take(
                    param, not before & _NEGATIONS, (word.start, word.end) if word.stem not in self.nouns else (0, 0)
                )
                return

    # -- numbers

    def fill_numbers(self) -> None:
        """Give each numeric parameter the number that fits it best, the surest pair first."""
        pairs = [
            (self._fit(param, value), value.start, param, value)
            for param in self.numbers
            for value in self._of_kind("number", "duration", "id")
            if not (value.kind == "id" and not re.fullmatch(r"\d+", value.text))
        ]
        first = {param.name: n for n, param in enumerate(self.numbers)}
        for score, _, param, value in sorted(pairs, key=lambda p: (-p[0], not p[2].required, first[p[2].name], p[1])):
            if param.name in self.arguments or not self._free(value.start, value.end):
                continue
            if score >= (0 if param.required else 2):
                self._take(param, self._number(param, value), (value.start, value.end), sure=score >= 0)

    def _fit(self, param: Param, value: Value) -> float:
        hints = set(param.hints)
        after, before = self._after(value), self._before(value)
        score = 0.0
        score += 3 * any(w.stem in hints for w in after[:2]) + 1 * any(w.stem in hints for w in after[2:])
        score += 2 * any(w.stem in hints and w.low not in FILLERS for w in before) - 0.5 * (value.kind == "id")
        score += 1.5 * any(akin(w.stem, h) for w in after[:1] for h in param.words)
        measures = _MEASURES.get(value.unit, frozenset())
        score += 2.5 * bool(hints & measures)
        if value.unit and not hints & measures:
            score -= 3 if value.unit in ("duration", "percent") else 1.5
        if len(self.numbers) > 1 and not value.unit and hints & (_MEASURES["percent"] - _MEASURES["money"] - {"level"}):
            score -= 1
        if hints & _COUNTS and not value.unit and (isinstance(value.meaning, str) or value.meaning > 500):
            score -= 2
        elif hints & _COUNTS and not value.unit:
            score += (
                1
                + 1.0 * any(w.stem in self.talk for w in after)
                + (0.5 if any(w.low == "for" for w in before[-1:]) else 0)
            )
        if (
            before
            and before[-1].low in ("under", "below")
            and hints & {"max", "maximum", "highest", "budget", "upper", "limit"}
        ):
            score += 3
        if before and before[-1].low in ("over", "above") and hints & {"min", "minimum", "lowest", "lower"}:
            score += 3
        if (
            "year" in param.words
            and not value.unit
            and isinstance(value.meaning, int)
            and 1000 <= value.meaning <= 2200
        ):
            score += 3
        return score - 5 * (param.type == "integer" and isinstance(value.meaning, float))

    def _number(self, param: Param, value: Value) -> JSON:
        number = value.meaning
        if value.kind == "id":
            number = int(value.text)
        if value.kind == "duration":
            number = self._in_unit(param, value)
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        return round(number) if param.type == "integer" and isinstance(number, float) else number

    def _in_unit(self, param: Param, value: Value) -> float | int:
        seconds = float(value.meaning)
        for unit, size in (
            ("second", 1),
            ("minut", 60),
            ("hour", 3600),
            ("day", 86400),
            ("week", 604800),
            ("month", 2629746),
            ("year", 31556952),
        ):
            if any(h == stem(unit) or h == unit or h == unit[:3] for h in param.hints):
                return round(seconds / size, 6)
        said = re.search(r"[A-Za-z]+$", value.text)
        unit = stem(said.group()) if said else "minut"
        size = {
            "second": 1,
            "sec": 1,
            "minut": 60,
            "min": 60,
            "hour": 3600,
            "day": 86400,
            "week": 604800,
            "month": 2629746,
            "year": 31556952,
        }.get(unit, 60)
        return round(seconds / size, 6)

    # -- words

    def fill_rest(self) -> None:
        """Give names, phrases and what is left to the parameters that take text."""
        for param in sorted(self.rest, key=rank):
            self.naming = param.words
            self.places = sum(1 for other in self.rest if other.role == "place")
            match param.role:
                case "list":
                    self._fill_list(param)
                case "id" | "symbol":
                    self._fill_id(param)
                case "place":
                    self._fill_place(param)
                case "person":
                    self._fill_person(param)
                case "text":
                    self._fill_text(param)
                case "work":
                    self._fill_work(param)
                case "topic" | "reason":
                    self._fill_topic(param)
                case _:
                    self._fill_object(param)

    def _fill_id(self, param: Param) -> None:
        found = self._of_kind("id", "phone") or self._of_kind("number")
        if param.role == "symbol":
            found = [v for v in self._of_kind("name") if v.text.isupper() and len(v.text) <= 6]
            found = found or self._of_kind("name")
        if not found and param.role == "id":
            found = self._of_kind("quote") or [v for v in self._of_kind("name") if v.text.isupper()]
        hinted = [v for v in found if any(w.stem in {*param.hints, *self.nouns} for w in self._before(v, 2))]
        if found:
            value = (hinted or found)[0]
            self._take(param, value.text.lstrip("#"), (value.start, value.end))
        elif param.required and param.role == "symbol":
            self._fill_object(param)

    def _hinted(self, param: Param, kinds: Iterable[str] = ("quote", "name")) -> Value | None:
        """A value that its parameter is named beside: "the subject 'Lunch'", "room Atlas"."""
        for value in self._of_kind(*kinds):
            if {w.stem for w in self._before(value, 2) if w.low not in FILLERS} & set(param.words):
                return value
        return None

    def _fill_list(self, param: Param) -> None:
        item = param.schema.get("items")
        item_schema: Schema = item if isinstance(item, dict) else {}
        options = options_of(item_schema)
        if options:
            found = [o for o in options if any(akin(w.stem, stem(str(o))) for w in self.words)]
            if found:
                self._take(param, found)
            return
        inner = Param(param.name, {**item_schema, "description": param.text}, param.required, self.tool)
        if inner.role in ("number", "email", "url", "file", "date", "id"):
            values = self._of_kind(inner.role, *(("number",) if inner.role == "id" else ()))
            if values:
                made: list[JSON] = [v.meaning if inner.role in ("number", "date") else v.text for v in values]
                self._take(param, made, *((v.start, v.end) for v in values))
            return
        if type_of(item_schema) == "object":
            return
        quotes = self._of_kind("quote")
        if len(quotes) > 1:
            self._take(param, [q.text for q in quotes], *((q.start, q.end) for q in quotes))
            return
        phrases = self._pointed([*_POINTERS["list"], "to", "in", "and", ""])
        for phrase in sorted(phrases, key=lambda phrase: not self._enumerates(phrase)):
            if inner.role == "person" and phrase.marker == "for" and not self._names_in(phrase):
                continue
            span = self._content(phrase)
            if span is None:
                continue
            text = self.request[slice(*span)]
            items = split_list(text)
            items = [each for each in items if stem(each) not in self.talk]
            if items and (
                param.required or len(items) > 1 or phrase.marker in ("with", "and", "") or self._names_in(phrase)
            ):
                self._take(param, items, span, sure=bool(self._names_in(phrase)) or len(items) > 1)
                return

    def _enumerates(self, phrase: _Phrase) -> bool:
        """Whether a phrase reads like "apples, milk and bread"."""
        return bool(re.search(r"\w(?:, (?:and )?| and | & )\w", self.request[phrase.start : phrase.end]))

    def _names_in(self, phrase: _Phrase) -> list[Value]:
        return [v for v in self._of_kind("name", "quote") if phrase.start <= v.start and v.end <= phrase.end + 1]

    def _pointed(self, markers: Sequence[str]) -> list[_Phrase]:
        """The phrases, those with the likeliest marker first."""
        pointed = [phrase for phrase in self.phrases if phrase.marker in markers and phrase.words]
        return sorted(pointed, key=lambda phrase: markers.index(phrase.marker))

    def _fill_place(self, param: Param) -> None:
        hinted = self._hinted(param)
        markers = _POINTERS.get(param.direction, _POINTERS["place"])
        if hinted and not param.direction:
            self._take(param, hinted.text, (hinted.start, hinted.end))
            return
        if param.direction == "to" and not any(
            p.marker in ("to", "into", "towards", "toward", "onto") for p in self.phrases
        ):
            between = self._split_between()
            if between:
                self._take(param, self.request[slice(*between)].strip(), between)
                return
        if not param.direction and self.places > 1:
            names_left = [v for v in self._of_kind("name") if stem(v.text) not in self.talk]
            if names_left:
                self._take(param, *self._place(names_left[:1]))
                return
        for names in (True, False):
            for phrase in self._pointed(
                (*markers, "") if names and not param.direction and param.required else markers
            ):
                found = [v for v in self._names_in(phrase) if v.kind == "name"]
                if names and found:
                    self._take(param, *self._place(found))
                    return
                if not names and not found and (param.required or phrase.marker in ("in", "from", "to", "at", "near")):
                    span = self._content(phrase)
                    if span and not self._is_talk(span) and not self._is_verb_phrase(phrase):
                        pointed = phrase.words[0].low in _ARTICLES - {"a", "an", "some", "any"}
                        self._take(param, self.request[slice(*span)], span, sure=pointed)
                        self.pointed.add(param.name)
                        return
        if not param.required:
            return
        left = [v for v in self._of_kind("name", "quote") if stem(v.text) not in self.talk]
        if left:
            value = left[-1] if param.direction == "to" else left[0]
            self._take(param, *self._place([v for v in left if v.start >= value.start]))
            return
        self._fill_object(param)

    def _split_between(self) -> tuple[int, int] | None:
        for phrase in self.phrases:
            if phrase.marker == "between":
                for at, word in enumerate(phrase.words):
                    if word.low == "and" and phrase.words[at + 1 :]:
                        return phrase.words[at + 1].start, phrase.end
        return None

    def _place(self, found: Sequence[Value]) -> tuple[str, tuple[int, int]]:
        """A place's name, with the state or country behind its comma."""
        value = found[0]
        for other in found[1:2]:
            rest = self.request[other.end :]
            if re.fullmatch(r", ?", self.request[value.end : other.start]) and not re.match(r",? and |, [A-Z]", rest):
                return self.request[value.start : other.end], (value.start, other.end)
        return value.text, (value.start, value.end)

    def _is_verb_phrase(self, phrase: _Phrase) -> bool:
        """Whether "to" is followed by what is to be done, not by where."""
        return (
            phrase.marker == "to"
            and bool(phrase.words)
            and phrase.words[0].low not in {*_ARTICLES}
            and not phrase.words[0].text[0].isupper()
        )

    def _fill_person(self, param: Param) -> None:
        hinted = self._hinted(param)
        if hinted:
            self._take(param, hinted.text, (hinted.start, hinted.end))
            return
        emails = self._of_kind("email")
        if emails and param.required:
            self._take(param, emails[0].text, (emails[0].start, emails[0].end))
            return
        markers = (
            ("by", "from", "of")
            if set(param.words) & {"artist", "author", "band", "compos", "direct", "sing"}
            else _POINTERS["person"]
        )
        for phrase in self._pointed(markers):
            names = [v for v in self._names_in(phrase) if v.kind == "name"]
            if names and (param.required or phrase.marker in markers[:4]):
                self._take(param, names[0].text, (names[0].start, names[0].end))
                return
        if not param.required:
            return
        left = self._of_kind("name")
        if left:
            self._take(param, left[0].text, (left[0].start, left[0].end))
            return
        for phrase in self._pointed(("with", "to", "for", "by")):
            span = self._content(phrase, articles=phrase.words[0].low in ("my", "our"))
            if span and not self._is_talk(span) and not self._is_verb_phrase(phrase):
                self._take(param, self.request[slice(*span)], span, sure=False)
                return
        possessive = re.search(
            r"\b(my (?:mom|mum|mother|dad|father|wife|husband|sister|brother|boss|son|daughter|friend|"
            r"landlord|team|manager|doctor|partner))\b",
            self.request,
            re.I,
        )
        if possessive:
            self._take(param, possessive.group(), possessive.span())
            return
        self._fill_object(param)

    def _fill_work(self, param: Param) -> None:
        hinted = self._hinted(param)
        found = (
            ([hinted] if hinted else [])
            or self._of_kind("quote")
            or [
                v
                for v in self._of_kind("name")
                if self._marker(v) in ("", "of", "for", "is") and stem(v.text) not in self.talk
            ]
        )
        if found:
            self._take(param, found[0].text, (found[0].start, found[0].end))
        elif param.required:
            self._fill_object(param)

    def _fill_topic(self, param: Param) -> None:
        hinted = self._hinted(param)
        if hinted:
            self._take(param, hinted.text, (hinted.start, hinted.end))
            return
        markers = _POINTERS[param.role]
        clause = (
            re.search(r"\b(?:because|since|due to|as)\s+(?:of\s+)?(\S.*)$", self.request)
            if param.role == "reason"
            else None
        )
        if clause:
            stretch = self._trim(clause.start(1), clause.end(1))
            self._take(param, self.request[slice(*stretch)], stretch)
            return
        strong = [m for m in markers if m not in ("on", "for", "since")]
        for phrase in self._pointed(strong):
            span = self._content(phrase, talk=False, extend=True)
            if span:
                self._take(param, self.request[slice(*span)], span)
                return
        quotes = self._of_kind("quote")
        if quotes:
            self._take(param, quotes[0].text, (quotes[0].start, quotes[0].end))
            return
        tail = re.search(r"(?<=\w):\s+(\S.*)$", self.request)
        if tail and self._free(*tail.span(1)) and param.role == "topic":
            stretch = self._trim(*tail.span(1))
            self._take(param, self.request[slice(*stretch)], stretch)
            return
        if param.required or param.role == "reason" or "label" in param.words:
            for phrase in self._pointed([m for m in markers if m not in strong]):
                span = self._content(phrase, talk=False)
                if span and not self._is_talk(span):
                    self._take(param, self.request[slice(*span)], span, sure=False)
                    return
        if param.required:
            self._fill_object(param)

    def _fill_text(self, param: Param) -> None:
        hinted = self._hinted(param, ("quote",))
        quotes = [hinted] if hinted else self._of_kind("quote")
        if quotes:
            self._take(param, quotes[0].text, (quotes[0].start, quotes[0].end))
            return
        tail = _TEXT_TAIL.search(self.request, self.lead)
        if tail and self._free(tail.start("tail"), tail.start("tail") + 1):
            stretch = self._trim(*tail.span("tail"))
            if stretch[1] > stretch[0]:
                self._take(param, self.request[slice(*stretch)], stretch)
                return
        if not param.required:
            return
        infinitive = self._infinitive()
        if infinitive:
            self._take(param, self.request[slice(*infinitive)], infinitive, sure=False)
            return
        about = next(iter(self._pointed(("about",))), None)
        span = self._head_object() or (self._content(about, talk=False, extend=True) if about else None)
        if span:
            self._take(param, self.request[slice(*span)], span, sure=False)

    def _infinitive(self) -> tuple[int, int] | None:
        for phrase in self.phrases[1:]:
            if (
                self._is_verb_phrase(phrase)
                and phrase.words[0].stem not in self.talk
                and self._free(phrase.words[0].start, phrase.words[0].end)
            ):
                if any(v.start <= phrase.words[0].start < v.end for v in self.values):
                    continue
                return self._trim(phrase.words[0].start, len(self.request))
        return None

    def _fill_object(self, param: Param) -> None:
        hinted = self._hinted(param)
        if hinted:
            self._take(param, hinted.text, (hinted.start, hinted.end))
            return
        quotes = self._of_kind("quote")
        if quotes and (param.required or not self.arguments):
            self._take(param, quotes[0].text, (quotes[0].start, quotes[0].end))
            return
        tail = re.search(r"(?<=\w):\s+(\S.*)$", self.request)
        if tail and param.required and self._free(*tail.span(1)):
            stretch = self._trim(*tail.span(1))
            self._take(param, self.request[slice(*stretch)], stretch)
            return
        if not param.required:
            self._fill_optional(param)
            return
        span = self._residue(param)
        if span:
            name = next((v for v in self.values if v.kind == "name" and span[0] <= v.start and v.end <= span[1]), None)
            if name is not None and self.request[name.end : span[1]] in ("'s", "’s"):
                span = (span[0], name.end)
            self._take(param, self.request[slice(*span)], span, sure=name is not None)

    def _fill_optional(self, param: Param) -> None:
        if self.tool.parameters.get("required"):
            return
        span = self._residue(param)
        if span and (param.role in ("kind", "object")) and not self.arguments:
            self._take(param, self.request[slice(*span)], span, sure=False)

    def _residue(self, param: Param) -> tuple[int, int] | None:
        """What is left for it: the likeliest phrase, else the object of the verb."""
        for phrase in self._pointed(("", *_POINTERS["object"], "in", "to", "from", "at", "near", "is")):
            whole = bool(_OPEN & set(param.words))
            span = self._content(phrase, extend=phrase.marker in ("", "for", "of", "about"), whole=whole)
            if span and not self._is_talk(span):
                if phrase.marker:
                    self.pointed.add(param.name)
                return span
        return self._head_object() if param.required else None

    def _head_object(self) -> tuple[int, int] | None:
        """What follows the verb, word for word, up to a phrase that already has its place."""
        head = self.phrases[0]
        words = list(head.words)
        while words and (
            words[0] is head.words[0]
            or words[0].stem in self.nouns
            or words[0].low in {*_ARTICLES, "up", "down", "out", "off"}
        ):
            words.pop(0)
        start = words[0].start if words else None
        end = words[-1].end if words else None
        for phrase in self.phrases[1:]:
            if not phrase.words:
                continue
            content = (phrase.words[0].start, phrase.end)
            if not self._free(*content) or self._is_talk(content):
                if start is not None:
                    break
                continue
            start = phrase.words[0].start if start is None else start
            end = phrase.end
        if start is None or end is None:
            return None
        span = self._trim(start, end)
        return span if span[1] > span[0] else None

    def _content(
        self, phrase: _Phrase, *, talk: bool = True, extend: bool = False, articles: bool = False, whole: bool = False
    ) -> tuple[int, int] | None:
        """The part of a phrase that is still free, without words at its edges that only speak of the function."""
        runs: list[list[_Word]] = [[]]
        words = list(phrase.words)
        if phrase is self.phrases[0] and words:
            words = words[1:] if _is_head_verb(words[0], self) else words
            while words and words[0].low in ("up", "on", "off", "out", "me", "us", "for", "to"):
                words = words[1:]
        if extend:
            words = [*words, *self._following(phrase, whole and bool(phrase.marker))]
        for word in words:
            if (
                not self._free(word.start, word.end)
                or self._is_stray_value(word)
                or (talk and self._says_nothing(word, runs[-1]) and not self._in_name(word))
            ):
                runs.append([])
            else:
                runs[-1].append(word)
        for run in runs:
            while run and self._is_idle(run[0], articles):
                run.pop(0)
            while run and (self._is_idle(run[-1], False) or run[-1].low in ("and", "or")):
                run.pop()
        for run in runs:
            self._keep_name(run)
        best = max(runs, key=lambda run: (any(self._in_name(w) for w in run), len(run)))
        return (best[0].start, best[-1].end) if best else None

    def _keep_name(self, run: list[_Word]) -> None:
        """Cut "movie Inception" and "Inception worth" to the name."""
        named = [self._in_name(word) for word in run]
        if not any(named):
            return
        while not named[0] and run[0].stem in self.talk:
            run.pop(0)
            named.pop(0)
        if named[0] and not all(named) and not any(word.low in MARKERS or word.low == "and" for word in run):
            del run[named.index(False) :]

    def _says_nothing(self, word: _Word, run: Sequence[_Word]) -> bool:
        """Whether a word only speaks of the function. "Room" does, but in "living room" it is half of the name."""
        compound = word.stem in self.naming and any(not self._is_idle(w, False) for w in run)
        return word.stem in self.talk and not compound

    def _following(self, phrase: _Phrase, whole: bool = False) -> list[_Word]:
        """The words of the phrases behind it that go on with it: "boxes OF green tea"."""
        more: list[_Word] = []
        for after in self.phrases[self.phrases.index(phrase) + 1 :]:
            free = bool(after.words) and self._free(after.words[0].start, after.end)
            if (
                (after.marker not in ("of", "with", "for", "as") and not whole)
                or not free
                or (phrase.marker == "" and after.marker != "of")
            ):
                break
            if not more and phrase.words and all(w.stem in self.talk or w.low in FILLERS for w in phrase.words[-1:]):
                break
            more.append(_Word(after.marker, after.start, after.start + len(after.marker), after.marker))
            more.extend(after.words)
        return more

    def _is_stray_value(self, word: _Word) -> bool:
        """A moment or an amount inside a phrase that is meant to be words."""
        return any(v.kind in ("date", "time", "email", "url") and v.start <= word.start < v.end for v in self.values)

    def _in_name(self, word: _Word) -> bool:
        return any(v.kind in ("name", "quote") and v.start <= word.start and word.end <= v.end for v in self.values)

    def _is_idle(self, word: _Word, articles: bool) -> bool:
        if self._in_name(word):
            return False
        return (word.low in FILLERS and word.low not in (("my", "our") if articles else ())) or word.low in _IDLE

    def _is_talk(self, span: tuple[int, int]) -> bool:
        words = [w for w in self.words if span[0] <= w.start < span[1]]
        return all(not self._in_name(w) and (w.stem in self.talk or w.low in FILLERS or w.low in _IDLE) for w in words)

    def _trim(self, start: int, end: int) -> tuple[int, int]:
        """A stretch of text without what already has its place behind it, and without "please"."""
        for _ in range(4):
            end = start + _TRAILING.sub("", self.request[start:end], count=1).__len__()
            closing = next((s for s, e in self.used if s > start and e >= end - 1 and s < end), None)
            if closing is None:
                break
            head = self.request[start:closing].rstrip()
            end = start + len(re.sub(r"(?i)\s*\b(?:at|on|by|in|to|for|from|due|before|until|around|the)$", "", head))
        return start, end


_OPEN = frozenset(listed("query search keyword term question q prompt task text searchterm"))
"""Words of a parameter that takes all that is left, and not merely the first piece of it."""

_IDLE = frozenset(
    listed(
        """please now currently like kind called named status current right latest today tonight again about asap
        soon tell show give find get search look book check eat online internet there's way
        many much"""
    )
)
"""Words at the edge of a phrase that are no part of a value."""

_MEASURES: Mapping[str, frozenset[str]] = {
    "percent": frozenset(
        listed(
            """percent percentag rat interest brightnes level volume discount tip tax opacity intensity humidity share
        speed"""
        )
    )
    | {stem("brightness"), stem("percentage"), stem("rate")},
    "money": frozenset(
        stem(w)
        for w in listed(
            """amount price bill rent cost budget principal loan salary total fee payment money income revenue value
        subtotal deposit balance tip pay"""
        )
    ),
    "duration": frozenset(
        stem(w)
        for w in listed(
            """minutes seconds hours duration days weeks months years length term long period time nights mins secs"""
        )
    ),
    "degree": frozenset(stem(w) for w in ["temperature", "degrees", "angle", "heat", "target"]),
}
"""Which words of a parameter say that it is measured so."""

_COUNTS = frozenset(
    stem(w)
    for w in listed(
        """quantity count number size people guests passengers persons copies adults rooms pieces tickets items
        seats party length"""
    )
)

LANGUAGE_CODES = {
    "English": "en",
    "French": "fr",
    "German": "de",
    "Spanish": "es",
    "Italian": "it",
    "Portuguese": "pt",
    "Dutch": "nl",
    "Russian": "ru",
    "Chinese": "zh",
    "Japanese": "ja",
    "Korean": "ko",
    "Arabic": "ar",
    "Hindi": "hi",
    "Turkish": "tr",
    "Polish": "pl",
    "Czech": "cs",
    "Greek": "el",
    "Swedish": "sv",
    "Norwegian": "no",
    "Danish": "da",
    "Finnish": "fi",
    "Ukrainian": "uk",
    "Hebrew": "he",
    "Thai": "th",
    "Vietnamese": "vi",
    "Indonesian": "id",
    "Hungarian": "hu",
}


def _is_head_verb(word: _Word, filler: _Filler) -> bool:
    return not filler._in_name(word)


def split_list(text: str) -> list[str]:
    """The items of "ham, pineapple and extra cheese"."""
    items = re.split(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|&|plus)\s+", text)
    return [re.sub(r"(?i)^(?:the|a|an|some|my)\s+", "", item).strip(" .?!") for item in items if item.strip(" .?!")]


def wants_clock(param: Param) -> bool:
    """Whether a time is wanted as HH:MM."""
    spoken = re.search(r"\d ?[ap]\.?m\b", param.text, re.IGNORECASE)
    return (bool(re.search(r"HH:MM|\d\d?:\d\d|24.hour", param.text, re.IGNORECASE)) and not spoken) or param.schema.get(
        "format"
    ) == "time"


def render_moment(param: Param, value: Value) -> str:
    """A date or a time in the form that the parameter's description shows; without one, as it was said."""
    if value.kind == "time":
        return str(value.meaning) if wants_clock(param) else value.text
    shown = re.search(r"YYYY|\d{4}-\d\d|ISO", param.text) or param.schema.get("format") == "date"
    return str(value.meaning) if shown or re.match(r"\d{4}-", value.text) else value.text
