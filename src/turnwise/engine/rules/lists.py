"""Lists: parameters that take several values."""

import re
from collections.abc import Sequence

from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.engine.rules.parameters import Param, options_of, read_parameters, type_of
from turnwise.engine.rules.reading import POINTERS, Phrase, Reading
from turnwise.engine.rules.values import WEEKDAYS, Value, parse_number
from turnwise.engine.rules.words import akin, is_verb, stem

_SPANS = {
    "weekdays": tuple(WEEKDAYS[:5]),
    "weekday": tuple(WEEKDAYS[:5]),
    "weekend": tuple(WEEKDAYS[5:]),
    "weekends": tuple(WEEKDAYS[5:]),
    "daily": tuple(WEEKDAYS),
    "everyday": tuple(WEEKDAYS),
}
"""Words for several days at once."""


def split_list(text: str) -> list[str]:
    """The items of "ham, pineapple and extra cheese"."""
    items = re.split(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|&|plus)\s+", text)
    return [
        re.sub(r"(?i)^(?:(?:just|only)\s+)?(?:the|a|an|some|my)\s+", "", item).strip(" .?!")
        for item in items
        if item.strip(" .?!")
    ]


def fill_list(reading: Reading, param: Param) -> None:
    """Take all the values of one kind, or the items of the phrase that reads like a list."""
    item = param.schema.get("items")
    item_schema: Schema = item if isinstance(item, dict) else {}
    options = options_of(item_schema)
    if options:
        found = [option for option in options if _is_said(reading, str(option))]
        if found:
            reading.take(param, found)
        return
    about = " ".join(text for text in (param.text, str(item_schema.get("description", ""))) if text)
    inner = Param(param.name, {**item_schema, "description": about}, param.required, reading.tool)
    if _fill_days(reading, param, inner):
        return
    if inner.role in ("number", "email", "url", "file", "date", "id"):
        values = reading.of_kind(inner.role, *(("number",) if inner.role == "id" else ()))
        if values:
            made: list[JSON] = [v.meaning if inner.role in ("number", "date") else v.text for v in values]
            reading.take(param, made, *((v.start, v.end) for v in values))
        return
    if type_of(item_schema) == "object":
        _fill_objects(reading, param, item_schema)
        return
    quotes = reading.of_kind("quote")
    if len(quotes) > 1:
        reading.take(param, [q.text for q in quotes], *((q.start, q.end) for q in quotes))
        return
    emails = reading.of_kind("email") if inner.role == "person" else []
    if emails:
        _fill_people(reading, param, emails)
        return
    phrases = reading.phrases_with([*POINTERS["list"], "using", "to", "in", "and", ""])
    for phrase in sorted(phrases, key=lambda phrase: not enumerates(reading, phrase)):
        weak = phrase.marker == "for" or (not param.required and phrase.marker in ("", "of", "from", "to", "in"))
        if inner.role == "person" and (phrase.marker == "in" or (weak and not reading.names_in(phrase))):
            continue
        span = reading.content(phrase)
        if span is None:
            continue
        text = reading.request[slice(*span)]
        items = split_list(text)
        if inner.role == "person":
            items = [each for each in items if not re.search(r"^#|/", each)]
        items = [each for each in items if stem(each) not in reading.talk and not is_verb(each.lower())]
        if items and (
            param.required or len(items) > 1 or phrase.marker in ("with", "and", "using") or reading.names_in(phrase)
        ):
            reading.take(param, items, span, sure=bool(reading.names_in(phrase)) or len(items) > 1)
            return


def _days_of(word: str) -> tuple[str, ...]:
    """The days of the week that a word stands for: "mondays" for one, "weekend" for two."""
    single = word.removesuffix("s")
    return (single,) if single in WEEKDAYS else _SPANS.get(word, ())


def _fill_days(reading: Reading, param: Param, inner: Param) -> bool:
    """The days of the week that a request names, for a parameter that lists days and not dates."""
    if stem("days") not in inner.hints or inner.is_formatted or stem("dates") in inner.words:
        return False
    days = [word for word in reading.words if _days_of(word.low) and reading.free(word.start, word.end)]
    if days:
        named: list[JSON] = list(dict.fromkeys(day.title() for word in days for day in _days_of(word.low)))
        reading.take(param, named, *((word.start, word.end) for word in days))
    return bool(days)


def _fill_people(reading: Reading, param: Param, emails: Sequence[Value]) -> None:
    """People by their addresses, and those that are named along with them: "Ana and bob@example.com"."""
    people = list(emails)
    for name in reading.of_kind("name"):
        between = (
            reading.request[min(name.end, each.end) : max(name.start, each.start)] for each in (emails[0], emails[-1])
        )
        if any(re.fullmatch(r"(?i),? ?(?:and|&|with)? ?", gap) for gap in between):
            people.append(name)
    people.sort(key=lambda value: value.start)
    reading.take(param, [each.text for each in people], *((each.start, each.end) for each in people))


def _is_said(reading: Reading, option: str) -> bool:
    """Whether an option is among those that a request names. Days may be short: "mon", and are what a weekend has."""
    wanted = stem(option.replace("_", " "))
    day = next((day for day in WEEKDAYS if len(option) > 2 and day.startswith(option.lower())), "")
    for word in reading.words:
        if day and (word.low.removesuffix("s") in (day, day[:3]) or day in _SPANS.get(word.low, ())):
            return True
        if not day and (word.stem == wanted or (len(wanted) > 3 and akin(word.stem, wanted))):
            return True
    return False


def _fill_objects(reading: Reading, param: Param, schema: Schema) -> None:
    """A list of objects: each of "two apples and a loaf of bread" is read as one."""
    quantities = [v for v in reading.of_kind("number") if not v.unit]
    phrases = [phrase for phrase in reading.phrases if phrase.words and enumerates(reading, phrase)] or [
        phrase for phrase in reading.phrases if any(phrase.start <= v.start < phrase.end for v in quantities)
    ]
    if not phrases and param.required:
        phrases = [phrase for phrase in reading.phrases_with(["", "with", "of", "for"]) if phrase.words]
    for phrase in phrases[:1]:
        words = (
            phrase.words[1:] if phrase is reading.phrases[0] and reading.is_head_verb(phrase.words) else phrase.words
        )
        words = [*words, *reading.following(phrase)]
        if not words:
            continue
        counts = [v.start for v in quantities if words[0].start <= v.start < words[-1].end]
        colon = reading.request.rfind(":", words[0].start, min(counts, default=0))
        start, end = (min(counts) if colon > 0 else words[0].start), words[-1].end
        made: list[JSON] = []
        for item in re.split(r"\s*,\s*(?:and\s+)?|\s+(?:and|&|plus)\s+", reading.request[start:end]):
            if len(counts) > 1 and not re.match(r"(?i)\s*(?:\d|an?\b|[a-z]+ (?:of )?[a-z])", item):
                continue
            one = _read_object(item, param, schema, reading)
            if one:
                made.append(one)
        if made:
            reading.take(param, made, (start, end))


def _read_object(item: str, param: Param, schema: Schema, reading: Reading) -> dict[str, JSON]:
    """One object of a list, read off its own words: a count, its options, and the rest for what it is called."""
    tool = FunctionTool(
        param.name, "", {**schema, **{k: v for k, v in reading.tool.parameters.items() if k == "$defs"}}
    )
    number = re.match(
        r"(?i)\s*(\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a dozen)\b(?: x)?\s+(.*)", item
    )
    made: dict[str, JSON] = {}
    rest = number.group(2) if number else re.sub(r"(?i)^(?:the|some|my)\s+", "", item)
    inner = read_parameters(tool)
    for each in inner:
        if each.type in ("integer", "number") and number and "price" not in each.words and each.name not in made:
            word = number.group(1).lower()
            made[each.name] = 1 if word in ("a", "an") else parse_number(word)
            break
    for each in inner:
        option = next((o for o in options_of(each.schema) if re.search(rf"(?i)\b{re.escape(str(o))}\b", rest)), None)
        if option is not None:
            made[each.name] = option
            rest = re.sub(rf"(?i)\b{re.escape(str(option))}\b", "", rest)
    text = re.sub(r"(?i)^\s*of\s+", "", re.sub(r"\s+", " ", rest)).strip(" .?!")
    name = next((each for each in inner if each.type == "string" and not options_of(each.schema)), None)
    if name is not None and text:
        made[name.name] = text
    needed = {each.name for each in inner if each.required}
    return {each.name: made[each.name] for each in inner if each.name in made} if needed <= made.keys() else {}


def enumerates(reading: Reading, phrase: Phrase) -> bool:
    """Whether a phrase reads like "apples, milk and bread"."""
    return bool(re.search(r"\w(?:, (?:and )?| and | & )\w", reading.request[phrase.start : phrase.end]))
