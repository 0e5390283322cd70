"""Codes: parameters whose values have a form of their own. Addresses, files, currencies, units, languages, ids."""

import re
from collections.abc import Sequence

from turnwise.domain.content import JSON
from turnwise.engine.rules.parameters import Param
from turnwise.engine.rules.reading import Reading
from turnwise.engine.rules.texts import fill_object
from turnwise.engine.rules.values import Value, same_unit
from turnwise.engine.rules.words import stem

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


_STATEMENT = re.compile(r"(?i)\s*(?:select|insert|update|delete|with|create|alter|drop|show|explain)\s")
"""How a statement of a query language begins."""


def choose_kind(reading: Reading, param: Param) -> None:
    """Take the value of the kind that a parameter wants."""
    found = reading.of_kind(param.role)
    if param.role == "unit":
        money = reading.of_kind("currency")
        pounds = [value for value in money if any(same_unit(value.text, unit) for unit in ("lb", "pounds"))]
        found = sorted([*found, *pounds], key=lambda value: value.start) or money
    if not found:
        if param.role == "url":
            choose_directed(reading, param, [v for v in reading.of_kind("file") if "/" not in v.text])
            return
        if param.role == "statement":
            found = [v for v in reading.of_kind("quote") if _STATEMENT.match(v.text)]
            choose_directed(reading, param, found)
            return
        if param.role in ("email", "phone") and param.required:
            return
        if param.role == "language":
            found = [v for v in reading.of_kind("name") if reading.marker(v) in ("to", "into")]
            choose_directed(reading, param, found)
        elif param.required and param.role == "unit":
            reading.rest.append(param)
        return
    if param.role in ("currency", "unit", "language"):
        choose_directed(reading, param, found)
        return
    reading.take(param, found[0].meaning, (found[0].start, found[0].end))


def choose_directed(reading: Reading, param: Param, found: Sequence[Value]) -> None:
    """Of several values take the one that the words around it point to: "from", "to", or a number before it."""
    if not found:
        return
    direction = param.direction
    if not direction and len(found) > 1 and param.role == "language":
        direction = "to"
    if not direction and len(found) > 1 and param.role == "currency":
        direction = "to"
    pointers = {"from": ("from",), "to": ("to", "into", "in", "as")}.get(direction, ())
    asked = next((v for v in found if {"many", "much"} & {w.low for w in reading.before(v, 1)}), None)
    if asked is not None and len(found) > 1 and direction in ("from", "to"):
        chosen = asked if direction == "to" else next(each for each in found if each is not asked)
        reading.take(param, render(reading, param, chosen), (chosen.start, chosen.end))
        return
    value = next((each for each in found if reading.marker(each) in pointers and not reading.is_counted(each)), None)
    counted = next((each for each in found if reading.is_counted(each)), None)
    if param.role in ("currency", "unit") and counted is not None and direction:
        others = [each for each in found if each is not counted]
        value = counted if direction == "from" else value or (others[0] if others else None)
        if value is None:
            return
    lone = len(found) == 1 and reading.marker(found[0]) in ("to", "into")
    if direction == "from" and lone and param.role in ("currency", "unit"):
        return
    if value is None:
        value = found[-1] if direction == "to" and (len(found) > 1 or param.role != "currency") else found[0]
    reading.take(param, render(reading, param, value), (value.start, value.end))


def render(reading: Reading, param: Param, value: Value) -> JSON:
    """A value as its parameter is described: a language by its code, a unit as it was said."""
    if param.role == "unit" and value.text.lower().startswith("pound"):
        return value.text
    if param.role == "language" and re.search(r"(?i)iso|code|\b(?:en|fr|de|es)\b", param.text):
        return LANGUAGE_CODES.get(value.text.title(), value.meaning)
    return value.meaning


def fill_id(reading: Reading, param: Param) -> None:
    """Take a code, a number, or for a symbol a name in capitals; best one with its noun before it."""
    found = reading.of_kind("id", "phone") or reading.of_kind("number")
    if param.role == "symbol":
        found = [v for v in reading.of_kind("name") if v.text.isupper() and len(v.text) <= 6]
        found = found or reading.of_kind("name")
    if not found and param.role == "id":
        found = reading.of_kind("quote") or [v for v in reading.of_kind("name") if v.text.isupper()]
    plain = param.role == "symbol" and bool(found) and not found[0].text.isupper()
    hinted = [v for v in found if any(w.stem in {*param.hints, *reading.nouns} for w in reading.before(v, 2))]
    if found:
        value = (hinted or found)[0]
        first, _, rest = value.text.lstrip("#").partition(" ")
        bare = rest if rest and stem(first) in {*param.hints, *reading.nouns} else value.text.lstrip("#")
        reading.take(param, bare, (value.start, value.end), sure=not plain)
    elif param.required and param.role == "symbol":
        fill_object(reading, param)
