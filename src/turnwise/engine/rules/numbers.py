"""Numbers: which of a request's numbers is which parameter, by its unit and by the words beside it."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from turnwise.domain.content import JSON
from turnwise.engine.rules.parameters import Param, type_of
from turnwise.engine.rules.reading import MARKERS, Reading, Word
from turnwise.engine.rules.values import Value
from turnwise.engine.rules.words import FILLERS, akin, listed, stem

MEASURES: Mapping[str, frozenset[str]] = {
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
        subtotal deposit balance tip pay fare charge rate hourly nightly"""
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
        """quantity qty count number size people guests passengers persons copies adults rooms pieces tickets items
        seats party length servings riders"""
    )
)


def fill_numbers(reading: Reading) -> None:
    """Give each numeric parameter the number that fits it best, the surest pair first."""
    _fill_sides(reading)
    _fill_range(reading)
    pairs = [
        (fit(reading, param, value), value.start, param, value)
        for param in reading.numbers
        for value in reading.of_kind("number", "duration", "id")
        if not (value.kind == "id" and not re.fullmatch(r"\d+", value.text))
    ]
    first = {param.path: n for n, param in enumerate(reading.numbers)}
    for score, _, param, value in sorted(pairs, key=lambda p: (-p[0], not p[2].required, first[p[2].path], p[1])):
        if param.path in reading.arguments or not reading.free(value.start, value.end):
            continue
        if score >= (0 if param.required else 2):
            reading.take(param, number(reading, param, value), _whole(reading, param, value), sure=score >= 0)
    _fill_lone_count(reading)


_BOUNDS = {
    "max": frozenset(stem(w) for w in listed("max maximum highest budget upper limit most")),
    "min": frozenset(stem(w) for w in listed("min minimum lowest lower least")),
}
_LIMITS = {
    "max": (
        r"(?:at most|up to|max(?:imum)?(?: of)?|no more than|less than|fewer than|under|below|cheaper than|within)",
        r"^ ?(?:(?:dollars|bucks|euros|pounds) )?(?:(?:or|and) (?:less|lower|fewer|below|under|cheaper)|"
        r"max(?:imum)?|tops)\b",
    ),
    "min": (
        r"(?:at least|min(?:imum)?(?: of)?|no less than|more than|over|above|starting at|upwards of)",
        r"^(?:\+| ?(?:\w+ )?(?:or|and) (?:more|higher|better|up|above|over)\b| min(?:imum)?\b)",
    ),
}
"""What stands before and behind a number that is a bound."""

_PEOPLE = frozenset(
    stem(w)
    for w in listed(
        """people persons guests adults passengers travelers travellers pax diners attendees party riders servings
        portions"""
    )
)


def _whole(reading: Reading, param: Param, value: Value) -> tuple[int, int]:
    """From where to where a number is spoken of: with "at least", and with the name that stands beside it."""
    _, start, end = bound(reading, value)
    own = {word for word in param.words if word not in reading.nouns} | {"first", "top", "last"}
    before = next((w for w in reversed(reading.words) if w.end <= start), None)
    after = next((w for w in reading.words if w.start >= end), None)
    if before and before.stem in own and start - before.end <= 2:
        start = before.start
    elif after and (after.stem in own or any(akin(after.stem, word) for word in own)) and after.start - end <= 1:
        end = after.end
    return start, end


def _fill_sides(reading: Reading) -> None:
    """Take both numbers of "1200 by 400" for a width and a height, and of "2d6" for so many dice of so many sides."""
    rolled = re.search(r"(?i)(?<!\w)(\d+)d(\d+)(?!\w)", reading.request)
    sides = next((p for p in reading.numbers if stem("sides") in p.words), None)
    count = next((p for p in reading.numbers if p is not sides), None)
    if rolled and sides and count and reading.free(*rolled.span()):
        reading.take(count, int(rolled.group(1)), rolled.span(1))
        reading.take(sides, int(rolled.group(2)), rolled.span())
    said = re.search(r"(?i)(\d+) ?(?:px|pixels)? ?(?:x|by|×) ?(\d+)", reading.request)
    width, height = (
        next((p for p in reading.numbers if word in p.words and p.path not in reading.arguments), None)
        for word in (stem("width"), stem("height"))
    )
    if said and width and height and reading.free(*said.span()):
        reading.take(width, int(said.group(1)), said.span(1))
        reading.take(height, int(said.group(2)), said.span(2))


def _fill_range(reading: Reading) -> None:
    """Take both numbers of "60k to 75k" for the least and the most."""
    least, most = (
        next((p for p in reading.numbers if bound & set(p.words) and p.path not in reading.arguments), None)
        for bound in (_BOUNDS["min"], _BOUNDS["max"])
    )
    values = reading.of_kind("number")
    for low, high in pairwise(values):
        between = reading.request[low.end : high.start]
        if (
            least
            and most
            and re.fullmatch(r"(?i) ?(?:to|and|-|–|until) ?[$€£]?", between)
            and float(low.meaning) < float(high.meaning)
        ):
            reading.take(least, low.meaning, (low.start, low.end))
            reading.take(most, high.meaning, (high.start, high.end))
            return


def _fill_lone_count(reading: Reading) -> None:
    """Take the one number that is left, before the thing that it counts, for the one count that is left."""
    open_counts = [p for p in reading.numbers if p.path not in reading.arguments and set(p.hints) & _COUNTS]
    left = [v for v in reading.of_kind("number") if not v.unit and isinstance(v.meaning, int) and v.meaning <= 500]
    if len(open_counts) == 1 and len(left) == 1 and type_of(open_counts[0].schema) in ("integer", "number"):
        after = reading.after(left[0], 1)
        if after and after[0].low not in MARKERS and not reading.request[left[0].end : after[0].start].strip():
            reading.take(open_counts[0], left[0].meaning, (left[0].start, left[0].end))


def bound(reading: Reading, value: Value) -> tuple[str, int, int]:
    """Whether a number is meant as the most or the least, and from where to where that is said."""
    head, tail = reading.request[: value.start], reading.request[value.end :]
    for limit, (before, behind) in _LIMITS.items():
        said, after = re.search(rf"(?i)\b{before} ?[$€£]?$", head), re.search(f"(?i){behind}", tail)
        if said or after:
            return limit, said.start() if said else value.start, value.end + (after.end() if after else 0)
    return "", value.start, value.end


def fit(reading: Reading, param: Param, value: Value) -> float:
    """How well a number fits a parameter. Below zero: not at all."""
    hints = set(param.hints)
    after, before = reading.after(value), reading.before(value)
    score = _named_beside(reading, param.words, hints, value, before, after) - 0.5 * (value.kind == "id")
    score += 2.0 * (value.kind == "id" and "id" in param.words)
    score += 1.5 * any(akin(w.stem, h) for w in after[:1] for h in param.words)
    measures = MEASURES.get(value.unit, frozenset())
    own = set(param.words) if any(set(param.words) & words for words in MEASURES.values()) else hints
    score += 2.5 * bool(own & measures)
    if not value.unit and any(own & words for words in MEASURES.values()) and after:
        thing = after[0]
        counted = thing.low.endswith("s") and len(thing.low) > 3 and thing.start - value.end == 1
        is_unit = any(v.kind in ("unit", "currency") and v.start == thing.start for v in reading.values)
        score -= 1.5 * (counted and score <= 0 and not is_unit and thing.stem not in {*hints, *reading.talk})
    if value.unit and not own & measures:
        score -= 3 if value.unit in ("duration", "percent") else 1.5
    if (
        len(reading.numbers) > 1
        and not value.unit
        and set(param.words) & (MEASURES["percent"] - MEASURES["money"] - {"level"})
    ):
        score -= 1
    if hints & _COUNTS and not value.unit:
        score += _count(reading, value, before, after)
    ranked = bool(before) and before[-1].low in ("first", "top", "last", "latest")
    ranked |= bool(after) and after[0].stem in reading.nouns and after[0].low.endswith("s")
    if ranked and not value.unit:
        score += 3 * bool({"limit", "count", "number", "num", "top", "max", "size", "n", "result"} & set(param.words))
    if not value.unit and re.match(
        r" (?!that|which|who)[a-z]+ (?:is|are|has|have|needs?|will|was|were)\b", reading.request[value.end :]
    ):
        score -= 9
    limit = bound(reading, value)[0]
    if limit:
        other = _BOUNDS["min" if limit == "max" else "max"]
        score += 3 * bool(hints & _BOUNDS[limit]) - 4 * bool(set(param.words) & other)
    if hints & _PEOPLE and not value.unit:
        score += _people(reading, value, before, after)
    if "year" in param.words and not value.unit and isinstance(value.meaning, int) and 1000 <= value.meaning <= 2200:
        score += 3
    return score - 5 * (param.type == "integer" and isinstance(value.meaning, float))


def _named_beside(
    reading: Reading, words: Sequence[str], hints: set[str], value: Value, before: Sequence[Word], after: Sequence[Word]
) -> float:
    """What the words beside a number say: "zone 3", "3 nights". The nearer they stand, the more."""
    others = [v.start for v in reading.values if v.kind in ("number", "duration", "id") and v is not value]
    ahead = [
        n
        for n, w in enumerate(after)
        if w.stem in hints
        and not any(value.end <= o < w.start for o in others)
        and (w.low.endswith("s") or not any(0 < o - w.end <= 2 for o in others))
    ]
    inside = [(v.start, v.end) for v in reading.values if v.kind in ("number", "duration") and v is not value]
    behind = [
        n
        for n, w in enumerate(reversed(before))
        if w.stem in hints and w.low not in FILLERS and not any(s <= w.start < e for s, e in inside)
    ]
    joined = re.match(r"-([a-z]+)", reading.request[value.end :])
    if joined and stem(joined.group(1)) in hints:
        return 4.0
    score = (3 if ahead[0] < 2 else 1) - 0.1 * ahead[0] if ahead else 0.0
    own = bool(behind) and before[-1 - behind[0]].stem in words
    return score + ((2.5 if own else 2) - 0.2 * behind[0] if behind else 0)


def _count(reading: Reading, value: Value, before: Sequence[Word], after: Sequence[Word]) -> float:
    if isinstance(value.meaning, str) or value.meaning > 500:
        return -2.0
    return 1.0 + any(w.stem in reading.talk for w in after) + 0.5 * any(w.low == "for" for w in before[-1:])


def _people(reading: Reading, value: Value, before: Sequence[Word], after: Sequence[Word]) -> float:
    """Whether it is people that are counted: "4 guests", or "for 2" with nothing behind it."""
    alone = not after or after[0].low in MARKERS or reading.request[value.end : value.end + 1] in (",", ".", "?", "!")
    counted = any(w.stem in _PEOPLE for w in after[:1]) or [w.low for w in after[:2]] == ["of", "us"]
    return 2.0 * counted + 1.0 * (alone and bool(before) and before[-1].low == "for")


def number(reading: Reading, param: Param, value: Value) -> JSON:
    """A number in the parameter's own unit and type."""
    number = value.meaning
    if value.kind == "id":
        number = int(value.text)
    if value.kind == "duration":
        number = in_unit(reading, param, value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return round(number) if param.type == "integer" and isinstance(number, float) else number


def in_unit(reading: Reading, param: Param, value: Value) -> float | int:
    """A duration in the unit that the parameter speaks of, else in the request's own."""
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
