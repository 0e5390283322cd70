"""Options: parameters that take one of a few values, or yes and no."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from turnwise.domain.content import JSON
from turnwise.engine.rules.codes import LANGUAGE_CODES
from turnwise.engine.rules.parameters import Param, options_of
from turnwise.engine.rules.reading import Reading, Word
from turnwise.engine.rules.values import parse_number, same_unit
from turnwise.engine.rules.words import FILLERS, akin, listed, split_name, stem

_NEGATIONS = frozenset(listed("""no not without don't never exclude excluding skip none isn't"""))

_KINDS = frozenset(
    stem(word)
    for word in listed("mode scene setting level priority severity class size speed category type status format")
)
"""Nouns for what an option is one of."""

_SHORT = {
    "xs": ("extra-small",), "s": ("small",), "m": ("medium",), "l": ("large",), "xl": ("extra-large", "x-large"),
    "c": ("celsius", "centigrade"), "f": ("fahrenheit",), "k": ("kelvin",),
    "n": ("north",), "e": ("east",), "w": ("west",),
}  # fmt: skip
"""What options of one or two letters stand for."""

_LEAVING = frozenset(listed("from out of off leaving departing between"))
_REACHING = frozenset(listed("to into onto towards toward as in and"))
"""Words before a value that say which of two it is."""

EXACT = 3.0
"""What an option is worth that the request has word for word."""


@dataclass(frozen=True, slots=True)
class _Match:
    """Where a request speaks of an option."""

    option: JSON
    score: float
    start: int
    end: int


def choose_enum(reading: Reading, param: Param, *, late: bool = False) -> None:
    """Take the option that the request names: word for word, by another word for it, or by most of its words.

    An optional one that is only hinted at is put off until what is said plainly has its place (`late`).
    """
    matches = [
        match
        for option in options_of(param.schema)
        for match in _matches(reading, param, option)
        if reading.free(match.start, match.end)
    ]
    if not matches:
        return
    best = max(matches, key=lambda match: match.score + _leaning(reading, param, match))
    if best.score < EXACT and not param.required and not late:
        reading.rest.append(param)
        return
    if best.score < (0.4 if param.required else 0.9):
        return
    speaks = any(best.start <= word.start < best.end and word.stem in reading.nouns for word in reading.words)
    keeps = best.score >= EXACT and (bool(param.direction) or not speaks)
    reading.take(param, best.option, *([(best.start, _with_its_noun(reading, param, best))] if keeps else []))


def _with_its_noun(reading: Reading, param: Param, match: _Match) -> int:
    """Where an option ends, with the word that only says what it is: "movie MODE", "high PRIORITY"."""
    after = next((word for word in reading.words if word.start >= match.end), None)
    if after and after.start - match.end <= 1 and (after.stem in _KINDS or after.stem in param.words):
        return after.end
    return match.end


def _matches(reading: Reading, param: Param, option: JSON) -> Iterator[_Match]:
    words = [word for word in reading.words if reading.outside_quotes(word)]
    parts, aliases = [stem(part) for part in split_name(str(option))], _aliases(param, option)
    for value in reading.of_kind("currency", "language", "unit"):
        if option in (value.meaning, value.text) or _is_named(str(option), value.kind, value.text):
            yield _Match(option, EXACT + 1, value.start, value.end)
    yield from _switched(reading, option)
    for at, word in enumerate(words):
        window = tuple(words[at : at + len(parts)])
        if [each.stem for each in window] == parts and (len(parts[0]) > 1 or word.text == option):
            yield _Match(option, EXACT + len(parts), word.start, window[-1].end)
        elif (len(parts) > 1 and word.stem.replace("-", "") == "".join(parts)) or word.stem in aliases:
            yield _Match(option, EXACT, word.start, word.end)
        elif (
            len(parts) == 1 and parts[0] not in reading.nouns and word.low not in FILLERS and akin(word.stem, parts[0])
        ):
            topical = word.stem in reading.nouns or any(akin(word.stem, noun) for noun in reading.nouns)
            yield _Match(option, 0.5 if topical else 1.0, word.start, word.end)
    yield from _stretches(reading, str(option))
    if len(parts) > 1:
        yield from _partly(reading, words, param, option, parts)


def _switched(reading: Reading, option: JSON) -> Iterator[_Match]:
    """The option `turn_on` or `power_on` in "switch the coffee machine on"."""
    parts = split_name(str(option))
    if len(parts) != 2 or parts[0] not in ("turn", "switch", "power") or parts[1] not in ("on", "off"):
        return
    said = re.search(
        rf"(?i)^(?:please )?(?:turn|switch|power|shut)(?: the| my)?(?: [\w'-]+){{0,3}}? {parts[1]}\b",
        reading.request[reading.lead :],
    )
    if said:
        end = reading.lead + said.end()
        yield _Match(option, EXACT + 1, end - len(parts[1]), end)


def _stretches(reading: Reading, option: str) -> Iterator[_Match]:
    """A stretch of time that an option has in short: "1y" for "the past year", "5d" for "the last five days"."""
    short = re.fullmatch(r"(\d+) ?(h|d|w|mo?|y)", option.lower())
    if short is None:
        return
    unit = {"h": "hour", "d": "day", "w": "week", "m": "month", "mo": "month", "y": "year"}[short.group(2)]
    for match in re.finditer(rf"(?i)\b(?:last|past|previous|this|a|one) (?:(\w+)[ -])?{unit}s?\b", reading.request):
        if parse_number(match.group(1) or "1") == int(short.group(1)):
            yield _Match(option, EXACT, match.start(), match.end())


def _partly(reading: Reading, words: list[Word], param: Param, option: JSON, parts: list[str]) -> Iterator[_Match]:
    """An option of several words, said in another order, in other words, or by the one that no other option has."""
    shared = [stem(part) for other in options_of(param.schema) if other != option for part in split_name(str(other))]
    said = [
        next(
            (word for word in words if word.low not in FILLERS and not reading.in_name(word) and akin(word.stem, part)),
            None,
        )
        for part in parts
    ]
    found = tuple(sorted({word for word in said if word is not None}, key=lambda word: word.start))
    own = [word for word, part in zip(said, parts, strict=True) if word and part not in shared and word.stem == part]
    if all(said):
        yield _Match(option, 2.0, found[0].start, found[0].end)
    elif own:
        yield _Match(option, 1.5, own[0].start, own[0].end)


def _is_named(option: str, kind: str, text: str) -> bool:
    if kind == "unit":
        return same_unit(option, text)
    return kind == "language" and LANGUAGE_CODES.get(text.title()) == option.lower()


def _aliases(param: Param, option: JSON) -> set[str]:
    """What a description says that an option stands for: "C for Celsius, F for Fahrenheit"."""
    said = re.findall(rf"(?i)(?<!\w)['\"]?{re.escape(str(option))}['\"]? ?(?:=|:|for|means|is|\() ?(\w+)", param.text)
    return {stem(word) for word in (*said, *_SHORT.get(str(option).lower(), ())) if word.lower() not in FILLERS}


def _leaning(reading: Reading, param: Param, match: _Match) -> float:
    """What the words around a match say about its being meant for this parameter."""
    before = [word.low for word in reading.words if word.end <= match.start][-4:]
    beside = [word for word in reading.words if match.start - 24 <= word.start and word.end <= match.end + 16]
    near = {word.stem for word in beside if not match.start <= word.start < match.end}
    score = 1.0 * bool(near & set(param.words))
    score += 3 * bool({"sort", "order"} & set(param.words) and re.match(r"(?i) first\b", reading.request[match.end :]))
    if param.direction:
        own, others = (_LEAVING, _REACHING) if param.direction == "from" else (_REACHING, _LEAVING)
        counted = any(v.kind == "number" and 0 <= match.start - v.end <= 1 for v in reading.values)
        asked = "many" in before or "much" in before
        score += 3 * (counted if param.direction == "from" else asked) - 3 * (
            counted if param.direction == "to" else asked
        )
        last = next((word for word in reversed(before) if word in own | others), "")
        score += 2 * (last in own) - 2 * (last in others and last not in own)
    return score


_AVOIDING = frozenset(stem(word) for word in listed("avoid exclude without skip hide no"))
"""Words of a switch's name that say no themselves."""

_SWITCHES = frozenset(listed("include is hav us enabl with add allow whether flag should make only"))
"""Words of a switch's name that do not say what it switches."""


def choose_bool(reading: Reading, param: Param) -> None:
    """Take yes where the request speaks of it, no where it does so with "no", "without" or "un-"."""
    wanted = {word for word in param.words if word not in _SWITCHES and word not in FILLERS}
    states = {"on", "enabled", "enable", "active", "power", "state"} & set(split_name(param.name))
    for at, word in enumerate(reading.words):
        before = {w.low for w in reading.words[max(0, at - 3) : at] if w.start >= reading.lead}
        if states and word.low in ("on", "off", "enable", "disable", "activate", "deactivate"):
            reading.take(param, word.low in ("on", "enable", "activate"))
            return
        opposite = next((word.low.removeprefix(p) for p in ("un", "dis") if word.low.startswith(p)), "")
        if opposite and any(akin(stem(opposite), w) for w in wanted):
            reading.take(param, False)
            return
        if word.stem in wanted or any(akin(word.stem, w) for w in wanted if w not in reading.talk):
            reading.take(
                param,
                not before & _NEGATIONS or bool(_AVOIDING & set(param.words)),
                (word.start, word.end) if word.stem not in reading.nouns else (0, 0),
            )
            return
