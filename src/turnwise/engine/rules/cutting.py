"""Cutting: one request that asks for several calls. Several deeds, or one deed for several places."""

import re
from collections.abc import Iterator, Sequence

from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.filling import Filled, fill
from turnwise.engine.rules.lists import split_list
from turnwise.engine.rules.parameters import Param, read_parameters
from turnwise.engine.rules.speaking import HEADS
from turnwise.engine.rules.values import read_values
from turnwise.engine.rules.words import is_verb, split_name, stem, verb_of

_CLAUSES = re.compile(
    r"(?:,?\s+(?:and|&)(?: then| also| please)?\s+|,?\s+(?:then|also|plus|but also|as well as)\s+|"
    r"[;,]\s+(?:and )?(?:then |also )?|(?<=[a-z0-9\"')])[.!?]+\s+(?:then |also |and )?)(?=\S)",
    re.IGNORECASE,
)

SPREADING = frozenset(("place", "symbol", "language", "currency", "id", "person"))
"""Roles of which a request that names several means one call for each."""


def cuttings(request: str, tools: Sequence[FunctionTool]) -> Iterator[list[str]]:
    """The ways to cut a request into parts that may stand by themselves: all cuts, then each cut alone."""
    verbs = {split_name(tool.name)[0] for tool in tools}
    closed = [value for value in read_values(request) if value.kind in ("quote", "name", "statement")]
    cuts = [
        match
        for match in _CLAUSES.finditer(request)
        if _begins(request[match.end() :], verbs)
        and not _is_parameter(request[match.end() :], tools)
        and not re.match(r"where \S+ ?[=<>]", request[match.end() :])
        and not any(value.start <= match.start() < value.end for value in closed)
    ]
    cuts = cuts[:6]
    if cuts:
        yield _parts(request, cuts)
    if len(cuts) > 1:
        for cut in cuts:
            yield _parts(request, [cut])


def _is_parameter(rest: str, tools: Sequence[FunctionTool]) -> bool:
    """Whether what seems a new part only gives one more value to the one before: "and invite Hugo and Ines"."""
    first = stem(re.split(r"[\s,]", rest)[0])
    if any(first in (stem(word) for word in split_name(tool.name)) for tool in tools):
        return False
    return any(
        first in param.words for tool in tools for param in read_parameters(tool) if param.role in ("list", "bool")
    )


def _begins(rest: str, verbs: set[str]) -> bool:
    """Whether a part of a request may begin here: with a verb, or as a question does."""
    first = re.split(r"[\s,]", rest)[0].lower().replace("’", "'")
    return first in HEADS or first in verbs or is_verb(first) or is_verb(verb_of(rest))


def _parts(request: str, cuts: Sequence[re.Match[str]]) -> list[str]:
    starts, ends = [0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(request)]
    return [request[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def spread(request: str, tool: FunctionTool) -> list[str]:
    """One request for each call, when a request names several of what a call takes one of."""
    filled = fill(request, tool)
    for param in read_parameters(tool):
        value = filled.arguments.get(param.name)
        if isinstance(value, str) and param.role in SPREADING and param.type == "string":
            start, end, items = _listed(request, value, param, filled)
            if items:
                return [request[:start] + item + request[end:] for item in items]
    return [request]


def _listed(request: str, value: str, param: Param, filled: Filled) -> tuple[int, int, list[str]]:
    """Where the list stands that a value is one of, and its items. No items: it stands alone."""
    values = read_values(request)
    own = next((v for v in values if value in (v.text, v.meaning)), None)
    start = own.start if own else request.find(value)
    alone: tuple[int, int, list[str]] = (0, 0, [])
    if start < 0 or re.search(r"(?i)between (?:the )?$", request[:start]):
        return alone
    if own is None:
        items = split_list(value) if re.search(r"\b(?:and|or)\b|&", value) else []
        return (start, start + len(value), items) if param.role == "place" and len(items) > 1 else alone
    if own.kind not in ("name", "language", "currency", "id", "number"):
        return alone
    noun = re.search(r"(\w+) #?$", request[:start])
    again = rf"(?:{noun.group(1)}\s+)?#?" if noun else "#?"
    end, items, joined = own.end, [own.text], False
    for other in (v for v in values if v.start > own.start):
        between = request[end : other.start]
        if other.kind != own.kind or not re.fullmatch(rf"(?:,\s+(?:and\s+|or\s+)?|\s+(?:and|&|or)\s+){again}", between):
            break
        if other.meaning in [each for each in filled.arguments.values() if isinstance(each, str)]:
            return alone
        joined |= bool(re.search(r"and|&|or", between))
        end = other.end
        items.append(other.text)
    return (start, end, items) if joined else alone
