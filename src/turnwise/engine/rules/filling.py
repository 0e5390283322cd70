"""Filling: which piece of a request belongs in which parameter of a function.

    fill("Book a table for 4 at Luigi's at 8 pm", book_table)
    party_size 4, restaurant "Luigi's", time "20:00", and `date` is missing

A parameter has a role (a date, a person, a place to come from, free text, ...), told from its type, name and
description. First come those that the request calls by name (`cues`), and those whose values cannot be anything else
(`options`, `codes`, `moments`, `numbers`); then those that words like "from", "with" or "about" point at (`names`,
`lists`); what is left of the request is for free text (`texts`). All work on one `Reading` of the request. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.codes import choose_directed, choose_kind, fill_id
from turnwise.engine.rules.cues import fill_cued
from turnwise.engine.rules.lists import fill_list
from turnwise.engine.rules.moments import choose_duration, choose_moment
from turnwise.engine.rules.names import fill_person, fill_place, fill_work
from turnwise.engine.rules.numbers import fill_numbers
from turnwise.engine.rules.options import choose_bool, choose_enum
from turnwise.engine.rules.parameters import Param, parameters_of, rank, read_parameters, required_of
from turnwise.engine.rules.reading import Reading
from turnwise.engine.rules.texts import fill_object, fill_text, fill_topic
from turnwise.engine.rules.words import stem


@dataclass(frozen=True, slots=True)
class Filled:
    """What a request says about a function's parameters."""

    arguments: Mapping[str, JSON]
    sure: frozenset[str]
    """Those whose value is particular: a date, a name, a quotation, a number; not merely what was left."""
    pointed: frozenset[str]
    """Those that a word such as "in" or "about" points at."""
    told: tuple[tuple[int, int], ...]
    """Where the request says what is sure or pointed at."""
    left: int
    """How many particular values of the request found no place."""
    missing: tuple[str, ...]
    """Required parameters of which the request says nothing that was understood."""


def fill(request: str, tool: FunctionTool) -> Filled:
    """The arguments that a request has for a function."""
    properties, required = parameters_of(tool), required_of(tool)
    reading = Reading(request, tool)
    params = read_parameters(tool)
    fill_cued(reading, params, texts=True)
    for param in sorted(params, key=rank):
        choose(reading, param)
    fill_numbers(reading)
    fill_cued(reading, params)
    fill_rest(reading)
    _fill_last_name(reading, params)
    _fill_last_words(reading, params)
    nested = nest(reading.arguments, params)
    arguments = {name: nested[name] for name in properties if name in nested}
    missing = tuple(name for name in properties if name in required and name not in arguments)
    known = (reading.sure | reading.pointed) & arguments.keys()
    told = tuple(span for name in known for span in reading.spans.get(name, ()))
    return Filled(
        arguments,
        frozenset(reading.sure & arguments.keys()),
        frozenset(reading.pointed),
        told,
        reading.left(),
        missing,
    )


def _fill_last_name(reading: Reading, params: Sequence[Param]) -> None:
    """Give the one name that is left to the one parameter that is left and takes one."""
    names = [
        value
        for value in reading.of_kind("name", "id")
        if not re.fullmatch(r"[A-Z]{2,}s?", value.text) and stem(value.text) not in reading.talk
    ]
    takers = [
        param
        for param in params
        if param.role in ("object", "person", "place")
        and param.type == "string"
        and param.path not in reading.arguments
    ]
    names = [] if takers[:1] and takers[0].role != "place" and names and reading.marker(names[0]) == "to" else names
    foreign = bool(names) and takers[:1] and takers[0].role == "place" and reading.marker(names[0]) in ("by", "with")
    if len(names) == 1 and len(takers) == 1 and not takers[0].required and not foreign:
        reading.take(takers[0], names[0].text, (names[0].start, names[0].end))


def _fill_last_words(reading: Reading, params: Sequence[Param]) -> None:
    """Give what the verb acts on ("heat the upstairs to 21 degrees") to the one parameter that is left for it, if
    nothing else took it.
    """
    open_ones = [param for param in params if param.type == "string" and param.path not in reading.arguments]
    takers = [param for param in open_ones if param.role in ("place", "object", "kind", "topic", "text")]
    if (
        len(takers) != 1
        or takers[0].required
        or not reading.sure
        or reading.of_kind("name", "number", "id", "date", "time")
    ):
        return
    if set(takers[0].words) & _ABOUT and _fill_purpose(reading, takers[0]):
        return
    span = reading.content(reading.phrases[0])
    before = reading.request[: span[0]] if span else ""
    if (
        span
        and re.search(r"(?i)^\s*(?:please )?[a-z]+ (?:up |down |on |off )?(?:the|my|our) $", before)
        and not reading.is_talk(span)
    ):
        reading.take(takers[0], reading.request[slice(*span)], span, sure=False)


_ABOUT = frozenset(stem(word) for word in ("description", "details", "memo", "purpose", "item"))
"""Words of a parameter that tells what something is for."""


def _fill_purpose(reading: Reading, param: Param) -> bool:
    """What something is "for": "bill Ana $40 for logo design"."""
    for phrase in reading.phrases_with(("for",)):
        span = reading.content(phrase, talk=False)
        if span and not reading.is_talk(span):
            reading.take(param, reading.request[slice(*span)], span, sure=False)
            return True
    return False


def nest(found: Mapping[tuple[str, ...], JSON], params: Sequence[Param]) -> dict[str, JSON]:
    """The values by path as an object of objects. An object that misses what it requires is left out."""
    nested: dict[str, JSON] = {}
    short = {
        param.path[:depth]
        for param in params
        if param.path not in found
        for depth in range(1, len(param.path))
        if all(param.demands[depth:])
    }
    for path, value in found.items():
        if any(path[:depth] in short for depth in range(1, len(path))):
            continue
        inner = nested
        for name in path[:-1]:
            inner = cast("dict[str, JSON]", inner.setdefault(name, {}))
        inner[path[-1]] = value
    return nested


def choose(reading: Reading, param: Param) -> None:
    """Find the value of a parameter whose values cannot be anything else, or put it off."""
    match param.role:
        case "enum":
            choose_enum(reading, param)
        case "email" | "url" | "phone" | "color" | "expression" | "statement" | "unit" | "currency" | "language":
            choose_kind(reading, param)
        case "file":
            files = reading.of_kind("file") or [v for v in reading.of_kind("name") if "/" in v.text]
            choose_directed(reading, param, files or reading.of_kind("quote"))
        case "date" | "time" | "datetime":
            choose_moment(reading, param)
        case "number":
            reading.numbers.append(param)
        case "duration":
            choose_duration(reading, param)
        case "bool":
            choose_bool(reading, param)
        case _:
            reading.rest.append(param)


def fill_rest(reading: Reading) -> None:
    """Give names, phrases and what is left to the parameters that take text."""
    for param in sorted(reading.rest, key=rank):
        if param.path in reading.arguments:
            continue
        reading.naming = param.words
        reading.places = sum(1 for other in reading.rest if other.role == "place")
        match param.role:
            case "enum":
                choose_enum(reading, param, late=True)
            case "list":
                fill_list(reading, param)
            case "id" | "symbol":
                fill_id(reading, param)
            case "place":
                fill_place(reading, param)
            case "person":
                fill_person(reading, param)
            case "text":
                fill_text(reading, param)
            case "work":
                fill_work(reading, param)
            case "topic" | "reason":
                fill_topic(reading, param)
            case _:
                fill_object(reading, param)
