"""Names: parameters that take a place, a person, or the title of a work."""

import re
from collections.abc import Sequence

from turnwise.engine.rules.parameters import Param
from turnwise.engine.rules.reading import ARTICLES, POINTERS, Reading
from turnwise.engine.rules.texts import fill_object, residue
from turnwise.engine.rules.values import Value
from turnwise.engine.rules.words import FILLERS, split_name, stem


def fill_place(reading: Reading, param: Param) -> None:
    """Take a place: the name behind "in", "at" or "to", else what such a word points at."""
    hinted = reading.hinted(param)
    markers = POINTERS.get(param.direction, POINTERS["place"])
    if hinted and not param.direction:
        reading.take(param, hinted.text, (hinted.start, hinted.end))
        return
    if param.direction == "to" and not any(
        p.marker in ("to", "into", "towards", "toward", "onto") for p in reading.phrases
    ):
        between = split_between(reading)
        if between:
            reading.take(param, reading.request[slice(*between)].strip(), between)
            return
    if not param.direction and reading.places > 1:
        names_left = [v for v in reading.of_kind("name") if stem(v.text) not in reading.talk]
        if {"street", "address"} & set(split_name(param.name)):
            names_left.sort(key=lambda value: not value.text[0].isdigit())
        elif any({"street", "address"} & set(split_name(other.name)) for other in reading.rest):
            names_left.sort(key=lambda value: value.text[0].isdigit())
        if names_left:
            reading.take(param, *place(reading, names_left[:1]))
            return
    for names in (True, False):
        for phrase in reading.phrases_with(
            (*markers, "") if names and not param.direction and param.required else markers
        ):
            found = [v for v in reading.names_in(phrase) if v.kind == "name"]
            addresses = [v for v in reading.of_kind("name") if v.text[0].isdigit()]
            found = addresses if addresses and "address" in param.hints else found
            if names and found:
                reading.take(param, *place(reading, found))
                return
            if not names and not found and (param.required or phrase.marker in ("in", "from", "to", "at", "near")):
                span = reading.content(phrase)
                if span and not reading.is_talk(span) and not reading.is_verb_phrase(phrase):
                    pointed = phrase.words[0].low in ARTICLES - {"a", "an", "some", "any"}
                    reading.take(param, reading.request[slice(*span)], span, sure=pointed)
                    reading.pointed.add(param.path[0])
                    return
    if not param.required:
        return
    left = [
        v
        for v in reading.of_kind("name", "quote")
        if stem(v.text) not in reading.talk and reading.marker(v) not in ("by", "with", "about")
    ]
    if left:
        value = left[-1] if param.direction == "to" else left[0]
        reading.take(param, *place(reading, [v for v in left if v.start >= value.start]))
        return
    _fill_named(reading, param)


def _fill_named(reading: Reading, param: Param) -> None:
    """What is left for a place or a person, unless it is "a sandwich": these are spoken of as known."""
    span = residue(reading, param)
    if span and not re.search(r"(?i)\b(?:an?|some|any)\s+(?:[\w-]+\s+)?$", reading.request[: span[0]]):
        fill_object(reading, param)


def split_between(reading: Reading) -> tuple[int, int] | None:
    """Where the second of "between A and B" stands."""
    for phrase in reading.phrases:
        if phrase.marker == "between":
            for at, word in enumerate(phrase.words):
                if word.low == "and" and phrase.words[at + 1 :]:
                    return phrase.words[at + 1].start, phrase.end
    return None


def place(reading: Reading, found: Sequence[Value]) -> tuple[str, tuple[int, int]]:
    """A place's name, with the state or country behind its comma."""
    value = found[0]
    for other in found[1:2]:
        rest = reading.request[other.end :]
        if re.fullmatch(r", ?", reading.request[value.end : other.start]) and not re.match(r",? and |, [A-Z]", rest):
            return reading.request[value.start : other.end], (value.start, other.end)
    return value.text, (value.start, value.end)


def fill_person(reading: Reading, param: Param) -> None:
    """Take a person: a name behind "with", "to" or "by", an address, or "my brother"."""
    hinted = reading.hinted(param)
    if hinted:
        reading.take(param, hinted.text, (hinted.start, hinted.end))
        return
    emails = reading.of_kind("email")
    if emails and param.required:
        reading.take(param, emails[0].text, (emails[0].start, emails[0].end))
        return
    markers = (
        ("by", "from", "of")
        if set(param.words) & {"artist", "author", "band", "compos", "direct", "sing"}
        else POINTERS["person"]
    )
    for phrase in reading.phrases_with(markers):
        names = [v for v in reading.names_in(phrase) if v.kind == "name" and not v.text[0].isdigit()]
        if names and (param.required or phrase.marker in markers[:4]):
            reading.take(param, names[0].text, (names[0].start, names[0].end))
            return
    if not param.required:
        _fill_maker(reading, param)
        return
    left = [
        v
        for v in reading.of_kind("name")
        if not v.text[0].isdigit() and reading.marker(v) not in ("in", "near", "around")
    ]
    if left:
        reading.take(param, left[0].text, (left[0].start, left[0].end))
        return
    for phrase in reading.phrases_with(("with", "to", "for", "by")):
        span = reading.content(phrase, articles=phrase.words[0].low in ("my", "our"))
        if span and not reading.is_talk(span) and not reading.is_verb_phrase(phrase):
            reading.take(param, reading.request[slice(*span)], span, sure=False)
            return
    possessive = re.search(
        r"\b(my (?:mom|mum|mother|dad|father|wife|husband|sister|brother|boss|son|daughter|friend|"
        r"landlord|team|manager|doctor|partner))\b",
        reading.request,
        re.I,
    )
    if possessive:
        reading.take(param, possessive.group(), possessive.span())
        return
    _fill_named(reading, param)


def _fill_maker(reading: Reading, param: Param) -> None:
    """An author in small letters: "pull requests by octavia"."""
    if not set(param.words) & {"artist", "author", "band", "composer", "director", "singer", "own", "owner", "by"}:
        return
    for phrase in reading.phrases_with(("by",)):
        word = phrase.words[0]
        if len(phrase.words) == 1 and word.low not in FILLERS and reading.free(word.start, word.end):
            reading.take(param, word.text, (word.start, word.end))
            return


def fill_work(reading: Reading, param: Param) -> None:
    """Take a title: quoted, or a name that nothing else points at."""
    hinted = reading.hinted(param)
    found = (
        ([hinted] if hinted else [])
        or reading.of_kind("quote")
        or [
            v
            for v in reading.of_kind("name")
            if reading.marker(v) in ("", "of", "for", "is") and stem(v.text) not in reading.talk
        ]
    )
    if found:
        reading.take(param, found[0].text, (found[0].start, found[0].end))
    elif param.required:
        fill_object(reading, param)
