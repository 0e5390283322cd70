"""Topics: how much of a request is about what a function does.

Its words against the function's name, description and parameters; its verb against the function's; and what its values
say: two currencies are about money, whatever the words.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.filling import Filled
from turnwise.engine.rules.numbers import MEASURES
from turnwise.engine.rules.parameters import parameters_of, read_parameters, required_of, shape
from turnwise.engine.rules.speaking import ASKING, POLITE, Form, head_of
from turnwise.engine.rules.values import Value, read_values
from turnwise.engine.rules.words import (
    FILLERS,
    GENERIC_VERBS,
    akin,
    content_stems,
    groups,
    listed,
    same_deed,
    split_name,
    stem,
    verb_of,
    words_of,
)

_UNSAID = FILLERS - {"user", "users"}
"""Words that say nothing in a function's name or in a request. Whose `user` it is does matter in `get_user`."""

WEAK_VERBS = frozenset(
    listed(
        """get set find search create add make look show check list update give fetch retrieve lookup put return
        read do use run manage handle"""
    )
)
"""Verbs that say little even when a function's name begins with them."""


_EMPTY = frozenset(
    stem(word)
    for word in listed("details info information status list number summary data results name way thing one ones")
)
"""Things that only point to what comes behind them: "the details of"."""

ACRONYMS = frozenset(
    listed("USA US UK EU UN NASA AI API SQL HTML CSS HTTP JSON CEO CFO CTO HR IT TV PC DNA FBI CIA NATO")
)
"""Capitals that everybody knows, and that are no stock's symbol."""

DEGREES = frozenset(
    stem(word) for word in listed("low medium high small large normal open close start stop on off red")
)
"""Options that many functions have, and that tell none from another."""

_WRITING = frozenset(("write", "compose", "draft", "invent", "create", "imagine"))

_WRITTEN = _WRITING | frozenset(("send", "make", "mail", "email", "post", "save", "add", "new", "generate", "take"))
"""Verbs of functions that keep or send what is written."""

_DEEDS = {
    "ask": frozenset(listed("search find look lookup check list track query fetch view compare")),
    "make": frozenset(
        listed(
            """create add book send post transfer schedule reserve start open play rent pay request submit
            file log record upload deploy assign enroll register"""
        )
    ),
    "trade": frozenset(listed("buy order purchase sell")),
    "end": frozenset(listed("cancel delete remove stop close end refund disable unsubscribe")),
}
"""Verbs that cannot stand for one another."""


def is_object(request: str, tool: FunctionTool) -> bool:
    """Whether the function is what "tell me a joke" or "summarize this page" names: by its verb, or right behind it."""
    bare = ASKING.sub("", POLITE.sub("", request.strip()))
    _, nouns = split_verb(split_name(tool.name))
    head = head_of(request)
    if stem(head) in nouns or (head not in _WRITING and any(akin(stem(head), noun) for noun in nouns)):
        return True
    if head in _WRITING and split_name(tool.name)[0] not in _WRITTEN:
        return False
    spoken = {
        stem(word)
        for word in re.findall(r"[\w'-]+", re.split(r"(?i)[:,]|\b(?:about|on|for|of|in|to|with|from|that)\b", bare)[0])
    }
    return set(nouns) <= spoken


def topic_of(request: str, tool: FunctionTool, filled: Filled, form: Form) -> tuple[float, bool]:
    """How much of a request is about a function, and whether it uses a word of the function's name for it."""
    names = split_name(tool.name)
    verb, nouns = split_verb(names)
    head = head_of(request)
    values = read_values(request)
    spoken = _spoken(request, values, head) | {stem("percent") for value in values if value.unit == "percent"}
    described = {word for word in content_stems(tool.description) if word not in GENERIC_VERBS} - set(nouns)
    aside = (
        {stem(word) for name in parameters_of(tool) for word in split_name(name) if word not in FILLERS}
        - set(nouns)
        - described
    )
    score, named = 0.0, False
    for noun in nouns:
        if noun in spoken:
            score, named = (score + 1, named) if noun in _EMPTY and len(nouns) > 1 else (score + 3, True)
        elif any(akin(noun, word) for word in spoken):
            score += 2
    score += sum(1.0 for word in described if word in spoken)
    score += 0.5 * sum(
        1 for word in described if word not in spoken and groups(word) and any(akin(word, s) for s in spoken)
    )
    score += 0.8 * sum(1 for word in aside if word in spoken)
    score += 1.0 * any(word in spoken for word in _examples(tool))
    score += 1.5 * any(stem(v.kind) in nouns and v.kind not in names[:1] for v in values if v.kind in ("file", "url"))
    explained = _told(tool, described | set(nouns))
    score += min(1.2, 0.4 * sum(1 for word in explained if word in spoken and word not in aside))
    meant_verb = bool(verb) and verb not in WEAK_VERBS and form in ("question", "general")
    score += 2.0 * (meant_verb and any(akin(stem(verb), word) for word in spoken))
    score += 1.0 * (head in GENERIC_VERBS and any(akin(stem(head), noun) for noun in nouns))
    score += 0.8 * any(same_deed(said, name) for name in names[:2]) if (said := _verb(request)) not in names else 0.0
    if form == "command":
        score -= 3 * _is_about_else(request, tool, filled, {*nouns, *described, *aside, *explained})
    if verb and head and (stem(head) == stem(verb) or akin(stem(head), stem(verb))):
        score += (1.0 if verb in ("search", "find") else 0.5) if verb in WEAK_VERBS else 1.5
        score += 0.5 * len(filled.sure) if verb not in WEAK_VERBS else 0
    complete = not filled.missing and not filled.left and bool(filled.sure)
    first = words_of(tool.description)[:1]
    same_verb = head not in WEAK_VERBS | {"turn", "switch"} and first == [head] and head not in names
    score += 1.5 * (form == "command" and same_verb)
    named |= form == "command" and same_verb and not filled.missing
    score += 0.5 * (form == "command" and complete and said in names)
    deed = "ask" if form in ("question", "general") else _deed(head)
    if form == "command" and deed in ("make", "trade", "end") and not _deed(names[0]):
        spoken_of = {head, *names, *words_of(tool.description)}
        score -= 1.5 * (not any(same_deed(head, word) or akin(stem(head), stem(word)) for word in spoken_of - {head}))
    meant = deed == "trade" and any(akin(stem(head), word) for word in {*nouns, *described})
    if deed and _deed(names[0]) and deed != _deed(names[0]) and not meant:
        score -= 1.5
    else:
        score += _whole(request, tool, filled, score, form)
    return score + _kinds(request, tool, values, filled), named


def _whole(request: str, tool: FunctionTool, filled: Filled, score: float, form: Form) -> float:
    """What it is worth that a function has a place for everything that a request says: words may fail, but if all the
    values fit, and little else is said, that is hardly chance.
    """
    known = filled.sure | filled.pointed
    if form not in ("command", "question") or not required_of(tool) <= known or filled.left:
        return 0.0
    if len(known) < 2 and score < 1:
        return 0.0
    params = read_parameters(tool)
    lexicon = {stem(word) for word in split_name(tool.name)} | set(content_stems(tool.description))
    lexicon |= {hint for param in params for hint in (*param.hints, *param.context)}
    said = explained = 0
    head = head_of(request)
    for match in re.finditer(r"[A-Za-z0-9][\w'’.@/-]*", request):
        word = match.group().lower()
        if word in FILLERS or word == head or stem(word) in _EMPTY:
            continue
        said += 1
        inside = any(start <= match.start() < end for start, end in filled.told)
        explained += inside or any(akin(stem(word), each) for each in lexicon)
    share = explained / said if said else 0.0
    return 0.0 if share < 0.7 else (1.5 if len(known) > 1 else 0.8) * share


def _told(tool: FunctionTool, known: set[str]) -> set[str]:
    """The stems that only the descriptions of its parameters have."""
    told = {
        word for schema in parameters_of(tool).values() for word in content_stems(str(schema.get("description", "")))
    }
    return {word for word in told if len(word) > 2 and word not in GENERIC_VERBS} - known


def _verb(request: str) -> str:
    return verb_of(ASKING.sub("", POLITE.sub("", request.strip())))


def _is_about_else(request: str, tool: FunctionTool, filled: Filled, known: set[str]) -> bool:
    """Whether the very thing that a command is about is none that the function speaks of: "book a table"."""
    if head_of(request) in {str(value).lower() for value in filled.arguments.values()}:
        return False
    bare = ASKING.sub("", POLITE.sub("", request.strip()))
    clause = re.split(
        r"[,.:;!?\"“]| (?:at|on|for|from|to|in|with|by|of|about|that|as|under|over|called|named)\b", bare
    )[0]
    clause = re.sub(
        r"(?i)(?: (?:up|down|off|on|out|upstairs|downstairs|again|please|now|here|there|back|away|today))+$", "", clause
    )
    match = re.fullmatch(r"(?i)[a-z'-]+ (?:me |us )?(?:an?|some|the|my|our) (?:[a-z-]+ ){0,2}?([a-z]+)", clause.strip())
    thing = stem(match.group(1)) if match else ""
    if not thing or thing in _EMPTY:
        return False
    spoken_for = {stem(word) for value in filled.arguments.values() for word in re.findall(r"\w+", str(value))}
    return not any(thing == word or akin(thing, word) for word in known) and thing not in spoken_for


def _deed(verb: str) -> str:
    """What sort of thing a verb does, if that is certain."""
    return next((deed for deed, verbs in _DEEDS.items() if verb in verbs), "")


def _examples(tool: FunctionTool) -> set[str]:
    """The stems of the example values that a function's parameters are described with."""
    return {word for param in read_parameters(tool) for word in param.examples}


def split_verb(names: Sequence[str]) -> tuple[str, list[str]]:
    """The verb that a function's name begins with, if it is a common one, and the stems of the rest."""
    verb = next((name for name in names[:2] if name in GENERIC_VERBS), "")
    kept = [stem(word) for word in names if word != verb and word not in _UNSAID]
    return verb, kept or [stem(word) for word in names]


def _spoken(request: str, values: Sequence[Value], head: str) -> set[str]:
    """The stems of a request's words, without quotations, and without a verb that could begin any request."""
    spoken = set()
    for match in re.finditer(r"[A-Za-z][A-Za-z'’-]*", request):
        if any(v.start <= match.start() < v.end for v in values if v.kind in ("quote", "email", "url", "file")):
            continue
        word = match.group().lower()
        if word == head and head in GENERIC_VERBS:
            head = ""
            continue
        if word not in _UNSAID:
            spoken.add(stem(word))
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", request)]
    return spoken | {stem(one + other) for one, other in pairwise(words)}


def _kinds(request: str, tool: FunctionTool, values: Sequence[Value], filled: Filled) -> float:
    """What a request's values say about its topic: two currencies are about money, whatever the words."""
    required = required_of(tool)
    params = [param for param in read_parameters(tool) if param.path[0] in filled.arguments]
    roles = [param.role for param in params]
    kinds: list[str] = [value.kind for value in values]
    score = 1.2 * (roles.count("place") >= 2 and bool(re.search(r"(?i)\b(?:from|between)\b.*\b(?:to|and)\b", request)))
    score += 1.2 * (
        {"work", "person"} <= set(roles)
        and bool(re.search(r"\w['\"]? by (?:the )?[A-Z]", request))
        and required <= filled.sure
    )
    foreign = next((value for value in values if value.kind == "language"), None)
    told = foreign is not None and re.match(r"(?i)what(?:'s| is| are) .+ in $", request[: foreign.start])
    score += 2.0 * (bool(told) and "language" in roles)
    units = {value.unit for value in values if value.unit in ("money", "percent", "degree")}
    score += sum(0.7 for unit in units if any(MEASURES[unit] & set(param.words) for param in params))
    score += 0.3 * len(filled.sure - required)
    said = {stem(word) for word in re.findall(r"[A-Za-z]+", request)}
    for name, schema in parameters_of(tool).items():
        if name in filled.sure and schema.get("enum"):
            parts = {stem(part) for part in split_name(str(filled.arguments[name]))}
            telling = parts <= (said if len(parts) > 1 else said - DEGREES)
            score += 2.0 if telling and (name in required or len(parts) > 1) else 1.0 if telling else 0.5
    for kind, weight in (("currency", 2.0), ("unit", 1.5)):
        if roles.count(kind) >= 2 and kinds.count(kind) >= 2:
            score += weight
    for kind, weight in (
        ("email", 1.5),
        ("url", 1.0),
        ("language", 1.0),
        ("expression", 2.0),
        ("file", 0.5),
        ("color", 0.5),
        ("symbol", 0.5),
        ("phone", 1.0),
        ("statement", 3.0),
    ):
        if kind in roles and (kind in kinds or kind == "symbol"):
            score += weight
    signs = {value.text[0] for value in values if value.kind == "name"} & {"#", "@"}
    score += 1.5 * any(sign in param.text or "channel" in param.words for sign in signs for param in params)
    shapes = {shape(v.text) for v in values if v.kind == "id"}
    score += 2.0 * any(param.shapes & shapes and param.path[0] in filled.sure for param in params)
    tickers = {v.text for v in values if v.kind == "name" and re.fullmatch(r"[A-Z]{2,5}", v.text)} - ACRONYMS
    if any(param.role == "symbol" and filled.arguments.get(param.name) in tickers for param in params):
        score += 1.5
    return score
