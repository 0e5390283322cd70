"""A bounded copy of a JSON Schema, for text that is made under a grammar. Pure; no network.

A grammar only says which texts may be written, not that one comes to an end: left to itself a small model fills a free
string, a number or a list until its limit. So the schema that binds the text is a copy in which everything ends:
strings have a longest length, lists a most number of items, numbers a most number of digits, recursion a depth, and
objects the properties that are named and no others. Each part of the copy is as wide as the user's schema or narrower.

The copy also says only what the grammar's compiler knows (it ignores a schema with anything else, in silence):
references, `allOf`, `if` and the like are worked out, and what has no counterpart (`not` in general, `uniqueItems`) is
left out. That makes the copy wider in those places; the engine validates what comes out against the whole schema.

How it goes: `_rules` works out what a node demands of a value, as alternatives without any `anyOf` or `$ref` (and
conjunctions are merged: `_merge`); `_typed` says each alternative again as one small schema for each type.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, product
from typing import Any, TypeAlias

import orjson

from turnwise.domain.errors import Unimplemented
from turnwise.domain.tools import Schema
from turnwise.models.patterns import FORMATS, Pattern, translate

Node: TypeAlias = Any
"""A schema, or True or False."""

TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
ALTERNATIVES = 48
"""How many alternatives of one node are looked at."""

WHOLE = 10**12 - 1
"""The largest number that is written where the schema sets no bound that means anything."""
NO_BOUND = 2**53 - 1
"""From here on a bound only says what fits into a number."""

FREE_TEXT = r"^[^\x00-\x1f\\]*$"
"""What a string without a pattern of its own is made of: one line, without escapes."""
FREE_NAME = r"^[A-Za-z][A-Za-z0-9_]{1,15}$"
"""What a property that nobody named is called."""

STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""JSON on one line, as models have mostly seen it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large the parts of a copy may be where the schema does not say."""

    text: int
    """Characters of a string."""
    items: int
    """Items of a list, and properties of a map."""
    depth: int
    """How often a definition may stand inside of itself."""
    optional: bool = True
    """Whether properties that may be left out are written."""


LADDER = (
    Limits(240, 8, 3),
    Limits(160, 6, 2),
    Limits(100, 5, 2),
    Limits(60, 4, 1),
    Limits(40, 3, 1),
    Limits(30, 3, 1, optional=False),
    Limits(16, 2, 1, optional=False),
)
"""From generous to tight: the first whose longest text fits is taken."""


def bounded(schema: Schema, tokens: int | None) -> Schema:
    """The copy of a schema whose longest text has about so many tokens, if that can be.

    Raises:
        Unimplemented: nothing was found that it allows.
    """
    return orjson.loads(_bounded(orjson.dumps(schema), tokens or 1024))  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _bounded(schema: bytes, tokens: int) -> bytes:
    root = orjson.loads(schema)
    copy: Node = None
    for limits in LADDER:
        found = _Copier(root, limits).copy(root, ())
        if found is None and copy is None:
            continue
        copy = found or copy
        if longest(copy) <= tokens:
            break
    if copy is None:
        raise Unimplemented("response_format: turnwise found no JSON that this schema allows; does it contradict itself?")
    return orjson.dumps({"x-guidance": STYLE, **copy})


def longest(copy: Node) -> float:
    """How many tokens the longest text that a copy allows has, roughly."""
    if "anyOf" in copy:
        return max(map(longest, copy["anyOf"]))
    if "enum" in copy:
        return max(len(orjson.dumps(value)) for value in copy["enum"]) / 2.5
    match copy["type"]:
        case "string":
            return 2 + float(copy["maxLength"]) / 3
        case "integer" | "number":
            return max(len(str(copy["minimum"])), len(str(copy["maximum"]))) + (2 if copy["type"] == "number" else 0)
        case "array":
            prefix = copy["prefixItems"]
            more = max(copy["maxItems"] - len(prefix), 0)
            return 2 + sum(map(longest, prefix)) + len(prefix) + (more * (1 + longest(copy["items"])) if more else 0)
        case "object":
            named = copy["properties"]
            maps = list(copy["patternProperties"].values())
            more = max(copy.get("maxProperties", len(named)) - len(named), 0) if maps else 0
            return (
                2
                + sum(3 + len(name) / 3 + longest(value) for name, value in named.items())
                + (more * (8 + max(map(longest, maps))) if more else 0)
            )
        case _:
            return 1


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is demanded of a value, all of it at once."""

    types: frozenset[str] = TYPES
    values: tuple[Any, ...] | None = None
    bad: tuple[Any, ...] = ()
    low: Fraction | None = None
    low_open: bool = False
    high: Fraction | None = None
    high_open: bool = False
    step: Fraction | None = None
    shortest: int = 0
    longest: int | None = None
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    first: tuple[Node, ...] = ()
    """The schemas of the first items."""
    items: Node = True
    contains: tuple[tuple[Node, int], ...] = ()
    fewest: int = 0
    most: int | None = None
    unique: bool = False
    named: Mapping[str, Node] = field(default_factory=dict)
    by_pattern: tuple[tuple[str, Node], ...] = ()
    others: Node = True
    closed: bool = False
    """Whether what is evaluated nowhere is refused."""
    names: tuple[Node, ...] = ()
    required: tuple[str, ...] = ()
    least: int = 0
    """Properties, at the least."""
    up_to: int | None = None
    inside: tuple[str, ...] = ()
    """The references that were followed to come here."""

    def of(self, name: str) -> Node:
        """The schema of a property."""
        if name in self.named:
            return self.named[name]
        matching = [node for pattern, node in self.by_pattern if _found(pattern, name)]
        return _both(*matching) if matching else self.others


ANYTHING = _Rules()


class _Copier:
    """Makes the copy of one schema within certain limits."""

    def __init__(self, root: Node, limits: Limits) -> None:
        self._root = root
        self._limits = limits

    def copy(self, node: Node, inside: tuple[str, ...]) -> Node | None:
        """The copy of a node. None: nothing is allowed there, or nothing that ends."""
        copies: list[Node] = []
        for rules in self._rules(node, inside):
            copies.extend(found for found in self._typed(rules) if found not in copies)
        if len(copies) > 1:
            return {"anyOf": copies}
        return copies[0] if copies else None

    # What a node demands

    def _rules(self, node: Node, inside: tuple[str, ...]) -> list[_Rules]:
        """The alternatives of a node."""
        if not isinstance(node, dict):
            return [] if node is False else [replace(ANYTHING, inside=inside)]
        own = replace(_own_rules(node), inside=inside)
        found = [own]
        for keyword, value in node.items():
            for alternatives in self._applied(keyword, value, node, inside):
                found = _conjunction(found, alternatives)
        if node.get("unevaluatedProperties") is False:
            found = [replace(rules, closed=True) for rules in found]
        return found

    def _applied(self, keyword: str, value: Node, node: Node, inside: tuple[str, ...]) -> Iterator[list[_Rules]]:
        """What a keyword demands by way of other schemas, each of which must hold."""
        match keyword:
            case "$ref":
                yield self._referred(value, inside)
            case "allOf":
                for each in value:
                    yield self._rules(each, inside)
            case "anyOf" | "oneOf":
                yield [rules for each in value for rules in self._rules(each, inside)]
            case "not":
                yield [rules for each in _negated(value) for rules in self._rules(each, inside)]
            case "if":
                then = _conjunction(self._rules(value, inside), self._rules(node.get("then", True), inside))
                otherwise = [rules for each in _negated(value) for rules in self._rules(each, inside)]
                yield then + _conjunction(otherwise, self._rules(node.get("else", True), inside))
            case "dependentRequired" | "dependentSchemas" | "dependencies":
                for name, demanded in value.items():
                    then = {"required": demanded} if isinstance(demanded, list) else demanded
                    yield [
                        *self._rules({"allOf": [{"required": [name]}, then]}, inside),
                        *self._rules({"properties": {name: False}}, inside),
                    ]
            case _:
                return

    def _referred(self, reference: str, inside: tuple[str, ...]) -> list[_Rules]:
        if inside.count(reference) > self._limits.depth:
            return []
        return self._rules(_resolve(self._root, reference), (*inside, reference))

    # How it is said again

    def _typed(self, rules: _Rules) -> Iterator[Node]:
        if rules.values is not None:
            values = [value for value in rules.values if _keeps(value, rules)]
            if values:
                yield {"enum": values}
            return
        order = ("object", "array", "string", "number", "integer", "boolean", "null")
        for kind in order:
            if kind not in rules.types or (kind == "integer" and "number" in rules.types):
                continue
            if rules.types == TYPES and kind not in _hinted(rules):
                continue
            made = getattr(self, f"_{kind}")(rules)
            if made is not None:
                yield made

    def _null(self, rules: _Rules) -> Node | None:
        return None if None in rules.bad else {"type": "null"}

    def _boolean(self, rules: _Rules) -> Node | None:
        values = [value for value in (True, False) if not any(value is bad for bad in rules.bad)]
        return {"type": "boolean"} if len(values) == 2 else {"enum": values} if values else None

    def _integer(self, rules: _Rules) -> Node | None:
        low, high = _range(rules)
        step = rules.step or Fraction(1)
        if step.denominator != 1:
            step = Fraction(step.numerator)  # a multiple of 5/2 that is whole is one of 5
        first = math.ceil(low / step) * step
        first += step if rules.low_open and first == low else 0
        last = math.floor(high / step) * step
        last -= step if rules.high_open and last == high else 0
        if first > last:
            return None
        more = {"multipleOf": int(step)} if step != 1 else {}
        return {"type": "integer", "minimum": int(first), "maximum": int(last), **more}

    def _number(self, rules: _Rules) -> Node | None:
        low, high = _range(rules)
        if low > high or (low == high and (rules.low_open or rules.high_open)):
            return None
        made: dict[str, Any] = {"type": "number", "minimum": _plain(low), "maximum": _plain(high)}
        if rules.low_open:
            made["exclusiveMinimum"] = made["minimum"]
        if rules.high_open:
            made["exclusiveMaximum"] = made["maximum"]
        if rules.step is not None:
            made["multipleOf"] = _plain(rules.step)
        elif low < high:
            digits = 4 if high - low > 1 else 2 - math.floor(math.log10(high - low))
            if digits <= 9:
                made["multipleOf"] = 10**-digits
        return made

    def _string(self, rules: _Rules) -> Node | None:
        patterns = [pattern for text in rules.patterns if (pattern := translate(text)) is not None]
        said = [each.text for pattern in patterns for each in (pattern, *pattern.also)]
        said += [f"^(?:{FORMATS[form]})$" for form in rules.formats if form in FORMATS]
        shortest = max([rules.shortest, *(pattern.shortest for pattern in patterns)])
        enough = self._limits.text if not said else max(self._limits.text, 64)
        longest = max(enough, shortest * 2 if patterns else shortest)
        if rules.longest is not None:
            longest = min(longest, rules.longest)
        if not said:
            said, shortest = [FREE_TEXT], max(shortest, min(longest, 1))
        if shortest > longest:
            return None
        made: dict[str, Any] = {"type": "string", "pattern": said[0], "maxLength": longest}
        if shortest:
            made["minLength"] = shortest
        if len(said) > 1:
            made["allOf"] = [{"type": "string", "pattern": more} for more in said[1:]]
        return made

    def _array(self, rules: _Rules) -> Node | None:
        most = self._most(rules.fewest, rules.most)
        first = list(rules.first)
        for wanted, times in rules.contains:
            for _ in range(times):
                first.append(_both(wanted, rules.items))
        if most < rules.fewest:
            return None
        most = max(most, len(first)) if rules.most is None else min(max(most, len(first)), rules.most)
        prefix: list[Node] = []
        for node in first[:most]:
            made = self.copy(node, rules.inside)
            if made is None:
                break
            prefix.append(made)
        whole = len(prefix) == len(first[:most])
        items = self.copy(rules.items, rules.inside) if whole and most > len(prefix) else None
        most = most if items is not None else len(prefix)
        fewest = max(rules.fewest, len(first) if rules.contains else min(len(prefix), len(rules.first)))
        if fewest > most:
            return None
        if rules.unique and items is not None and not prefix and (sets := _subsets(items, fewest, most)):
            return {"enum": sets}
        made = {"type": "array", "prefixItems": prefix, "minItems": fewest, "maxItems": most}
        return {**made, "items": False if items is None else items}

    def _object(self, rules: _Rules) -> Node | None:
        others = False if rules.closed else rules.others
        named: dict[str, Node] = {}
        room = rules.up_to if rules.up_to is not None else math.inf
        wanted = dict.fromkeys((*rules.named, *rules.required))
        optional = len(rules.required)
        for name in wanted:
            is_required = name in rules.required
            optional += not is_required
            if not is_required and (optional > room or not self._limits.optional):
                if not (len(rules.required) < rules.least and not named):
                    continue
            node = rules.of(name) if not rules.closed or name in rules.named else _closed_of(rules, name)
            made = self.copy(_both(node, *(rules.by_name(name))), rules.inside) if False else self.copy(node, rules.inside)
            if made is not None:
                named[name] = made
            elif is_required:
                return None
        if len(named) > room:
            return None
        made_object = {
            "type": "object",
            "properties": named,
            "required": list(named),
            "patternProperties": {},
            "additionalProperties": False,
        }
        if not named or len(named) < rules.least:
            self._add_map(made_object, rules, others)
        if len(made_object["properties"]) + made_object.get("maxProperties", 0) < rules.least:
            return None
        return made_object

    def _most(self, fewest: int, most: int | None) -> int:
        wanted = max(self._limits.items, fewest)
        return wanted if most is None else min(wanted, most)
