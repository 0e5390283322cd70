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
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, product
from typing import Any, TypeAlias
from urllib.parse import unquote

import orjson

from turnwise.domain.errors import Unimplemented
from turnwise.domain.tools import Schema
from turnwise.models.patterns import FORMATS, translate

Node: TypeAlias = Any
"""A schema, or True or False."""

TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
ANY_JSON: Schema = {"type": ["object", "array"]}
"""What is meant where no schema is given: JSON of any form."""

ALTERNATIVES = 48
"""How many alternatives of one node are looked at."""

LISTED = 64
"""How many values are written out where no rule can be said."""

WHOLE = 10**12 - 1
"""The largest number that is written where the schema sets no bound that means anything."""
NO_BOUND = 2**53 - 1
"""From here on a bound only says what fits into a number."""

FREE_TEXT = r"^[^\x00-\x1f\\]*$"
"""What a string without a pattern of its own is made of: one line, without escapes."""
FREE_NAME = r"^[A-Za-z][A-Za-z0-9_]{1,15}$"
"""What a property that nobody named is called."""

BAD = "x-bad"
"""A keyword of our own: values that are refused."""

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
    optional: int
    """How many properties of an object are written that may be left out."""


LADDER = (
    Limits(240, 8, 3, 32),
    Limits(160, 6, 2, 32),
    Limits(100, 5, 2, 24),
    Limits(60, 4, 1, 16),
    Limits(40, 3, 1, 12),
    Limits(30, 3, 1, 6),
    Limits(20, 2, 1, 1),
)
"""From generous to tight: the first whose longest text fits is taken."""


def bounded(schema: Schema, tokens: int | None) -> Schema:
    """The copy of a schema whose longest text has about so many tokens, if that can be.

    Raises:
        Unimplemented: nothing was found that it allows.
    """
    return orjson.loads(_bounded(orjson.dumps(schema or ANY_JSON), tokens or 1024))  # type: ignore[no-any-return]


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
        raise Unimplemented(
            "response_format: turnwise found no JSON that this schema allows; does it contradict itself?"
        )
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
    names: tuple[Node, ...] = ()
    required: tuple[str, ...] = ()
    least: int = 0
    """Properties, at the least."""
    up_to: int | None = None
    inside: tuple[str, ...] = ()
    """The references that were followed to come here."""

    def of(self, name: str) -> Node:
        """The schema of a property."""
        demanded = [self.named[name]] if name in self.named else []
        demanded += [node for pattern, node in self.by_pattern if _matches(pattern, name)]
        return _both(*demanded) if demanded else self.others


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
        rest, more = node.get("unevaluatedProperties", True), node.get("unevaluatedItems", True)
        return [
            replace(
                rules,
                others=rest if rules.others is True else rules.others,
                items=more if rules.items is True else rules.items,
            )
            for rules in found
        ]

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
                    more = {"required": demanded} if isinstance(demanded, list) else demanded
                    yield [
                        *self._rules({"allOf": [{"required": [name]}, more]}, inside),
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
        step = rules.step or Fraction(1)
        if step.denominator != 1:
            step = Fraction(step.numerator)  # a multiple of 5/2 that is whole is one of 5
        multiples = _multiples(rules, step)
        if multiples is None:
            return None
        first, last = multiples
        if step == 1:
            return {"type": "integer", "minimum": int(first), "maximum": int(last)}
        return _stepped("integer", first, last, step)

    def _number(self, rules: _Rules) -> Node | None:
        if rules.step is not None:
            multiples = _multiples(rules, rules.step)
            return None if multiples is None else _stepped("number", *multiples, rules.step)
        low, high = _range(rules)
        if low > high or (low == high and (rules.low_open or rules.high_open)):
            return None
        if low == high:
            return {"enum": [_plain(low)]}
        digits = 4 if high - low > 1 else 2 - math.floor(math.log10(high - low))
        ends = {
            **({"exclusiveMinimum": _plain(low)} if rules.low_open else {}),
            **({"exclusiveMaximum": _plain(high)} if rules.high_open else {}),
        }
        made: dict[str, Any] = {"type": "number", "minimum": _plain(low), "maximum": _plain(high), **ends}
        if digits > 9 or low < 0:
            return made
        return {**made, "multipleOf": 10**-digits}

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
        named: dict[str, Node] = {}
        for name in dict.fromkeys((*rules.named, *rules.required)):
            made = self.copy(rules.of(name), rules.inside)
            if made is not None:
                named[name] = made
            elif name in rules.required:
                return None
        written = self._written(rules, list(named))
        if rules.up_to is not None and len(written) > rules.up_to:
            return None
        named = {name: made for name, made in named.items() if name in written}
        made_object: dict[str, Any] = {
            "type": "object",
            "properties": named,
            "required": list(named),
            "patternProperties": {},
            "additionalProperties": False,
        }
        if (not rules.named and not named) or len(named) < rules.least:
            self._add_map(made_object, rules)
        count = made_object.get("maxProperties", len(made_object["properties"]))
        return made_object if count >= rules.least else None

    def _written(self, rules: _Rules, names: Sequence[str]) -> list[str]:
        """The properties that are written: those that there must be, and as many of the others as there is room for."""
        must = [name for name in names if name in rules.required]
        may = [name for name in names if name not in rules.required]
        room = len(may) if rules.up_to is None else max(rules.up_to - len(must), 0)
        wanted = min(room, max(rules.least - len(must), self._limits.optional))
        return [name for name in names if name in must or name in may[:wanted]]

    def _add_map(self, made: dict[str, Any], rules: _Rules) -> None:
        """Let an object have properties that nobody named."""
        named: dict[str, Node] = made["properties"]
        maps: dict[str, Node] = {}
        for name_pattern, node in self._families(rules):
            if isinstance(name_pattern, tuple):
                for name in name_pattern:
                    value = self.copy(rules.of(name), rules.inside)
                    if value is not None and len(named) < max(rules.least, self._limits.items):
                        named.setdefault(name, value)
            elif not maps and (value := self.copy(node, rules.inside)) is not None:
                maps[name_pattern] = value  # one only: the compiler wants to be sure that no name is of two
        made["required"] = list(named)
        room = math.inf if rules.up_to is None else rules.up_to
        fewest = max(rules.least, len(named) + (not named))
        most = min(max(fewest, len(named) + max(self._limits.items // 2, 1)), room)
        if maps and fewest <= most and most > len(named):
            made |= {"patternProperties": maps, "minProperties": fewest, "maxProperties": int(most)}

    def _families(self, rules: _Rules) -> Iterator[tuple[str | tuple[str, ...], Node]]:
        """The names that properties may have which nobody named, as a pattern or as a list, and what they hold."""
        if rules.by_pattern:
            for pattern, node in rules.by_pattern:
                said = translate(pattern)
                if said is not None and node is not False:
                    yield _whole_name(said.text), node
        elif rules.others is not False:
            name = self._free_name(rules)
            if name is not None:
                yield name, rules.others

    def _free_name(self, rules: _Rules) -> str | tuple[str, ...] | None:
        if not rules.names:
            return FREE_NAME
        made = self.copy(_both({"type": "string"}, *rules.names), ())
        if made is None:
            return None
        made = made["anyOf"][0] if "anyOf" in made else made
        if "enum" in made:
            return tuple(made["enum"])
        if made["pattern"] != FREE_TEXT:
            return _whole_name(made["pattern"])
        least, most = made.get("minLength", 1), min(made["maxLength"], 16)
        return f"^[a-z]{{{least},{max(least, most)}}}$"

    def _most(self, fewest: int, most: int | None) -> int:
        """How many items a list may have."""
        wanted = max(self._limits.items, fewest)
        return wanted if most is None else min(wanted, most)


def _own_rules(node: Schema) -> _Rules:
    """What the keywords of a node say that hold no alternatives."""
    said: dict[str, Any] = {}
    types = node.get("type")
    if types is not None:
        said["types"] = frozenset([types] if isinstance(types, str) else types)
    if "enum" in node or "const" in node:
        said["values"] = tuple(node["enum"]) if "enum" in node else (node["const"],)
        if "const" in node:
            said["values"] = tuple(value for value in said["values"] if _same(value, node["const"]))
    said["low"], said["low_open"] = _bound(node, "minimum", "exclusiveMinimum", max)
    said["high"], said["high_open"] = _bound(node, "maximum", "exclusiveMaximum", min)
    for name, keyword in _PLAIN.items():
        if keyword in node:
            said[name] = node[keyword]
    said["bad"] = tuple(node.get(BAD, ()))
    if "multipleOf" in node:
        said["step"] = _fraction(node["multipleOf"])
    for name, keyword in (("patterns", "pattern"), ("formats", "format"), ("names", "propertyNames")):
        if keyword in node:
            said[name] = (node[keyword],)
    if "contains" in node:
        said["contains"] = ((node["contains"], node.get("minContains", 1)),)
    if "patternProperties" in node:
        said["by_pattern"] = tuple(node["patternProperties"].items())
    if "required" in node:
        said["required"] = tuple(node["required"])
    if isinstance(node.get("items"), list):  # as the drafts before 2020-12 say prefixItems
        said["first"], said["items"] = tuple(node["items"]), node.get("additionalItems", True)
    elif "prefixItems" in node:
        said["first"] = tuple(node["prefixItems"])
    return _Rules(**said)


_PLAIN = {
    "shortest": "minLength",
    "longest": "maxLength",
    "items": "items",
    "fewest": "minItems",
    "most": "maxItems",
    "unique": "uniqueItems",
    "named": "properties",
    "others": "additionalProperties",
    "least": "minProperties",
    "up_to": "maxProperties",
}
"""Rules that are a keyword's value as it stands."""


def _bound(node: Schema, closed: str, open_: str, choose: Any) -> tuple[Fraction | None, bool]:
    inner: Any = node.get(closed)
    outer: Any = node.get(open_)
    if isinstance(outer, bool):  # draft 4
        return (None, False) if inner is None else (_fraction(inner), outer)
    if inner is None and outer is None:
        return None, False
    if inner is None or outer is None:
        return _fraction(outer if inner is None else inner), inner is None
    bound = choose(_fraction(inner), _fraction(outer))
    return bound, bound == _fraction(outer)


def _conjunction(left: Sequence[_Rules], right: Sequence[_Rules]) -> list[_Rules]:
    merged = (_merge(one, other) for one, other in product(left, right))
    return [rules for rules in merged if rules is not None][:ALTERNATIVES]


def _merge(a: _Rules, b: _Rules) -> _Rules | None:
    """Both at once. None: no value can do that."""
    types = _widened(a.types) & _widened(b.types)
    if not types:
        return None
    low, low_open = _tighter((a.low, a.low_open), (b.low, b.low_open), 1)
    high, high_open = _tighter((a.high, a.high_open), (b.high, b.high_open), -1)
    return _Rules(
        types=types,
        values=_common(a.values, b.values),
        bad=a.bad + b.bad,
        low=low,
        low_open=low_open,
        high=high,
        high_open=high_open,
        step=_common_multiple(a.step, b.step),
        shortest=max(a.shortest, b.shortest),
        longest=_least(a.longest, b.longest),
        patterns=tuple(dict.fromkeys(a.patterns + b.patterns)),
        formats=tuple(dict.fromkeys(a.formats + b.formats)),
        first=tuple(_both(_item(a, i), _item(b, i)) for i in range(max(len(a.first), len(b.first)))),
        items=_both(a.items, b.items),
        contains=a.contains + b.contains,
        fewest=max(a.fewest, b.fewest),
        most=_least(a.most, b.most),
        unique=a.unique or b.unique,
        named={name: _both(a.of(name), b.of(name)) for name in (*a.named, *b.named)},
        by_pattern=tuple(
            (pattern, _both(node, other.others)) for one, other in ((a, b), (b, a)) for pattern, node in one.by_pattern
        ),
        others=_both(a.others, b.others),
        names=a.names + b.names,
        required=tuple(dict.fromkeys(a.required + b.required)),
        least=max(a.least, b.least),
        up_to=_least(a.up_to, b.up_to),
        inside=max(a.inside, b.inside, key=len),
    )


def _widened(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _tighter(a: tuple[Any, bool], b: tuple[Any, bool], way: int) -> tuple[Any, bool]:
    if a[0] is None or b[0] is None:
        return b if a[0] is None else a
    return max(a, b, key=lambda bound: (bound[0] * way, bound[1]))


def _common(a: tuple[Any, ...] | None, b: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if a is None or b is None:
        return b if a is None else a
    return tuple(value for value in a if any(_same(value, other) for other in b))


def _common_multiple(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    if a is None or b is None:
        return a or b
    denominator = math.lcm(a.denominator, b.denominator)
    return Fraction(math.lcm(int(a * denominator), int(b * denominator)), denominator)


def _least(a: int | None, b: int | None) -> int | None:
    return min((value for value in (a, b) if value is not None), default=None)


def _item(rules: _Rules, index: int) -> Node:
    return rules.first[index] if index < len(rules.first) else rules.items


def _both(*nodes: Node) -> Node:
    """A node that demands what all of these do."""
    telling = [node for node in nodes if node is not True and node != {}]
    if False in [node for node in telling if isinstance(node, bool)]:
        return False
    if len(telling) > 1 and all(node == telling[0] for node in telling):
        return telling[0]
    return telling[0] if len(telling) == 1 else {"allOf": telling} if telling else True


def _negated(node: Node) -> list[Node]:
    """Schemas of which any says that this one does not hold. All that is known of it: [True] where nothing is."""
    if isinstance(node, bool) or not node:
        return [node is False]
    found = [negated for keyword, value in node.items() for negated in _opposite(keyword, value)]
    return found or [True]


def _opposite(keyword: str, value: Any) -> Iterable[Node]:
    match keyword:
        case "const":
            return [{BAD: [value]}]
        case "enum":
            return [{BAD: value}]
        case "type":
            refused = _widened(frozenset([value] if isinstance(value, str) else value))
            return [{"type": sorted(TYPES - refused)}]
        case "required":
            return [{"type": "object", "properties": {name: False}} for name in value]
        case "properties":
            return [
                {"type": "object", "properties": {name: negated}, "required": [name]}
                for name, node in value.items()
                for negated in _negated(node)
                if negated is not True
            ]
        case "not":
            return [value]
        case "anyOf":
            return [{"allOf": list(each)} for each in product(*map(_negated, value))]
        case "minimum":
            return [{"type": "number", "exclusiveMaximum": value}]
        case "maximum":
            return [{"type": "number", "exclusiveMinimum": value}]
        case "minLength":
            return [{"type": "string", "maxLength": value - 1}] if value else []
        case "maxLength":
            return [{"type": "string", "minLength": value + 1}]
        case "minItems":
            return [{"type": "array", "maxItems": value - 1}] if value else []
        case "maxItems":
            return [{"type": "array", "minItems": value + 1}]
        case _:
            return []


def _multiples(rules: _Rules, step: Fraction) -> tuple[Fraction, Fraction] | None:
    """The first and the last multiple that the bounds allow. None: there is none."""
    low, high = _range(rules)
    first, last = math.ceil(low / step) * step, math.floor(high / step) * step
    first += step if rules.low_open and first == low else 0
    last -= step if rules.high_open and last == high else 0
    return (first, last) if first <= last else None


def _stepped(kind: str, first: Fraction, last: Fraction, step: Fraction) -> Node:
    """Multiples within bounds. The compiler finds none below zero, so those are listed, as many as is sensible."""
    copies: list[Node] = []
    if last >= 0:
        least = max(first, Fraction(0))
        copies.append({"type": kind, "minimum": _plain(least), "maximum": _plain(last), "multipleOf": _plain(step)})
    if first < 0:
        nearest = min(last, -step)
        copies.append({"enum": [_plain(nearest - step * i) for i in range(LISTED) if nearest - step * i >= first]})
    return copies[0] if len(copies) == 1 else {"anyOf": copies}


def _hinted(rules: _Rules) -> frozenset[str]:
    """What a value is meant to be whose type is not said."""
    told = {each.name for each in fields(_Rules) if getattr(rules, each.name) != getattr(ANYTHING, each.name)}
    found = {kind for kind, names in _ABOUT.items() if told & names}
    return frozenset(found or ("string", "number", "boolean"))


_ABOUT = {
    "object": {"named", "by_pattern", "others", "names", "required", "least", "up_to"},
    "array": {"first", "items", "contains", "fewest", "most", "unique"},
    "string": {"shortest", "longest", "patterns", "formats"},
    "number": {"low", "high", "step"},
}


def _range(rules: _Rules) -> tuple[Fraction, Fraction]:
    """The least and the largest number: those of the schema, where they mean anything."""
    low = rules.low if rules.low is not None and rules.low > -NO_BOUND else None
    high = rules.high if rules.high is not None and rules.high < NO_BOUND else None
    whole = Fraction(WHOLE)
    if low is None:
        low = -whole if high is None or high > -whole else high * 2
        low = max(low, rules.low) if rules.low is not None else low
    if high is None:
        high = whole if low < whole else low * 2
        high = min(high, rules.high) if rules.high is not None else high
    return low, high


def _keeps(value: Any, rules: _Rules) -> bool:
    """Whether one value of an `enum` can stand beside the other keywords. What is in lists and objects is not looked
    at: that is left to validation."""
    if not _types_of(value) & rules.types or any(_same(value, bad) for bad in rules.bad):
        return False
    if isinstance(value, str):
        return rules.shortest <= len(value) <= (math.inf if rules.longest is None else rules.longest) and all(
            _matches(pattern, value) for pattern in rules.patterns
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = _fraction(value)
        above = rules.low is None or number > rules.low or (number == rules.low and not rules.low_open)
        below = rules.high is None or number < rules.high or (number == rules.high and not rules.high_open)
        return above and below and (rules.step is None or (number / rules.step).denominator == 1)
    return True


def _types_of(value: Any) -> frozenset[str]:
    match value:
        case None:
            return frozenset(["null"])
        case bool():
            return frozenset(["boolean"])
        case int():
            return frozenset(["integer", "number"])
        case float():
            return frozenset(["integer", "number"] if value.is_integer() else ["number"])
        case str():
            return frozenset(["string"])
        case list():
            return frozenset(["array"])
        case _:
            return frozenset(["object"])


def _same(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _subsets(items: Node, fewest: int, most: int) -> list[list[Any]]:
    """The lists without doubles that can be made of a few values."""
    values = [True, False] if items == {"type": "boolean"} else items.get("enum", ())
    if not 0 < len(values) <= 6:
        return []
    sizes = range(max(fewest, 1) if most else 0, min(most, len(values)) + 1)
    return [list(each) for size in sizes for each in combinations(values, size)]


def _whole_name(pattern: str) -> str:
    """A pattern of names, from the first character to the last, so that names come to an end."""
    if "|" in pattern:
        return pattern
    start = "" if pattern.startswith("^") else "^(?:[A-Za-z]{1,8})?"
    end = "" if pattern.endswith("$") and not pattern.endswith(r"\$") else "[A-Za-z0-9_]{1,12}$"
    return f"{start}{pattern}{end}"


def _resolve(root: Node, reference: str) -> Node:
    """What a reference within a schema points to."""
    if reference in ("", "#"):
        return root
    if not reference.startswith("#/"):
        return next((node for node in _nodes(root) if _is_called(node, reference)), True)
    node = root
    for part in unquote(reference[2:]).split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        node = node[int(name)] if isinstance(node, list) else node[name]
    return node


def _nodes(node: Node) -> Iterator[Node]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(inner)


def _is_called(node: Schema, reference: str) -> bool:
    return node.get("$anchor") == reference[1:] or reference in (node.get("$id"), node.get("id"))


def _fraction(number: float) -> Fraction:
    """A number as it was written: 0.1 is a tenth."""
    return Fraction(str(number))


def _plain(number: Fraction) -> float:
    return int(number) if number.denominator == 1 else float(number)
