"""A bounded copy of a JSON Schema, for text that is made under a grammar. Pure; no network.

A grammar only says which texts may be written, not that one comes to an end: left to itself a small model fills a free
string, a number or a list until its limit. So the schema that binds the text is a copy in which everything ends:
strings have a longest length, lists a most number of items, numbers a most number of digits, recursion a depth, and
objects the properties that are named and no others. Each part of the copy is as wide as the user's schema or narrower.

The copy also says only what the grammar's compiler knows (it ignores a schema with anything else, in silence):
references, `allOf`, `if` and the like are worked out, and what has no counterpart (`not` in general, `uniqueItems`) is
left out. That makes the copy wider in those places; the engine validates what comes out against the whole schema.

How it goes: `_rules` works out what a node demands of a value, as alternatives without any `anyOf` or `$ref`
(`demands.py`); `_typed` says each alternative again as one small schema for each type.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from typing import Any
from urllib.parse import unquote

import orjson

from turnwise.domain.errors import Unimplemented
from turnwise.domain.tools import Schema
from turnwise.models.demands import ANYTHING, TYPES, Node, Rules, both, conjunction, hinted, keeps, negated, own_rules
from turnwise.models.patterns import FORMATS, translate

ANY_JSON: Schema = {"type": ["object", "array"]}
"""What is meant where no schema is given: JSON of any form."""

FEW = 2500
"""How many multiples are written out where validators may not see all of them as such."""
NODES = 4000
"""How many nodes of a schema are worked out for one copy: definitions that use one another are without number."""

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
    """How often, on the way down, a definition may stand inside of itself."""
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
    Limits(20, 2, 0, 1),
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
        try:
            found = _Copier(root, limits).copy(root, ())
        except (_TooLarge, RecursionError):
            continue
        copy = found or copy
        if copy is not None and longest(copy) <= tokens:
            break
    if copy is None:
        raise Unimplemented(
            "response_format: turnwise found no JSON that this schema allows; it contradicts itself, or is too large"
        )
    return orjson.dumps({"x-guidance": STYLE, **copy})


def longest(copy: Node) -> float:
    """How many tokens the longest text that a copy allows has, roughly."""
    if "anyOf" in copy:
        return max(map(longest, copy["anyOf"]))
    if "enum" in copy:
        return len(max(map(orjson.dumps, copy["enum"]), key=len)) / 2.5
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


class _TooLarge(Exception):
    """A copy would have too many nodes."""


class _Copier:
    """Makes the copy of one schema within certain limits."""

    def __init__(self, root: Node, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self._left = NODES

    def copy(self, node: Node, inside: tuple[str, ...]) -> Node | None:
        """The copy of a node. None: nothing is allowed there, or nothing that ends."""
        copies: list[Node] = []
        for rules in self._rules(node, inside):
            copies.extend(found for found in self._typed(rules) if found not in copies)
        if len(copies) > 1:
            return {"anyOf": copies}
        return copies[0] if copies else None

    # What a node demands

    def _rules(self, node: Node, inside: tuple[str, ...]) -> list[Rules]:
        """The alternatives of a node."""
        self._left -= 1
        if not self._left:
            raise _TooLarge
        if not isinstance(node, dict):
            return [] if node is False else [replace(ANYTHING, inside=inside)]
        own = replace(own_rules(node), inside=inside)
        found = [own]
        for keyword, value in node.items():
            for alternatives in self._applied(keyword, value, node, inside):
                found = conjunction(found, alternatives)
        rest, more = node.get("unevaluatedProperties", True), node.get("unevaluatedItems", True)
        return [
            replace(
                rules,
                others=rest if rules.others is True else rules.others,
                items=more if rules.items is True else rules.items,
            )
            for rules in found
        ]

    def _applied(self, keyword: str, value: Node, node: Node, inside: tuple[str, ...]) -> Iterator[list[Rules]]:
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
                yield [rules for each in negated(value) for rules in self._rules(each, inside)]
            case "if":
                then = conjunction(self._rules(value, inside), self._rules(node.get("then", True), inside))
                otherwise = [rules for each in negated(value) for rules in self._rules(each, inside)]
                yield then + conjunction(otherwise, self._rules(node.get("else", True), inside))
            case "dependentRequired" | "dependentSchemas" | "dependencies":
                for name, demanded in value.items():
                    more = {"required": demanded} if isinstance(demanded, list) else demanded
                    yield [
                        *self._rules({"allOf": [{"required": [name]}, more]}, inside),
                        *self._rules({"properties": {name: False}}, inside),
                    ]
            case _:
                return

    def _referred(self, reference: str, inside: tuple[str, ...]) -> list[Rules]:
        repeated = len(inside) + 1 - len({*inside, reference})
        if repeated > self._limits.depth:
            return []
        return self._rules(_resolve(self._root, reference), (*inside, reference))

    # How it is said again

    def _typed(self, rules: Rules) -> Iterator[Node]:
        if rules.values is not None:
            values = [value for value in rules.values if keeps(value, rules)]
            if values:
                yield {"enum": values}
            return
        order = ("object", "array", "string", "number", "integer", "boolean", "null")
        for kind in order:
            if kind not in rules.types or (kind == "integer" and "number" in rules.types):
                continue
            if rules.types == TYPES and kind not in hinted(rules):
                continue
            made = getattr(self, f"_{kind}")(rules)
            if made is not None:
                yield made

    def _null(self, rules: Rules) -> Node | None:
        return None if None in rules.bad else {"type": "null"}

    def _boolean(self, rules: Rules) -> Node | None:
        values = [value for value in (True, False) if not any(value is bad for bad in rules.bad)]
        return {"type": "boolean"} if len(values) == 2 else {"enum": values} if values else None

    def _integer(self, rules: Rules) -> Node | None:
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

    def _number(self, rules: Rules) -> Node | None:
        if rules.step is not None:
            multiples = _multiples(rules, rules.step)
            return None if multiples is None else _stepped("number", *multiples, rules.step)
        low, high = _range(rules)
        if low > high or (low == high and (rules.low_open or rules.high_open)):
            return None
        if low == high:
            return {"enum": [_plain(low)]}
        copies: list[Node] = []
        if high >= 0:
            copies.append(_decimals(max(low, Fraction(0)), high, rules))
        if low < 0:
            copies.append(_below_zero(low, high, rules))
        return copies[0] if len(copies) == 1 else {"anyOf": copies}

    def _string(self, rules: Rules) -> Node | None:
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

    def _array(self, rules: Rules) -> Node | None:
        most = self._most(rules.fewest, rules.most)
        first = list(rules.first)
        for wanted, times in rules.contains:
            for _ in range(times):
                first.append(both(wanted, rules.items))
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

    def _object(self, rules: Rules) -> Node | None:
        named: dict[str, Node] = {}
        required = len(rules.required)
        room = math.inf if rules.up_to is None else rules.up_to - required
        may = min(room, max(rules.least - required, self._limits.optional))
        for name in dict.fromkeys((*rules.named, *rules.required)):
            must = name in rules.required
            if not must and may <= 0:
                continue
            made = self.copy(rules.of(name), rules.inside)
            if made is not None:
                named[name] = made
                may -= not must
            elif must:
                return None
        if room < 0:
            return None
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

    def _add_map(self, made: dict[str, Any], rules: Rules) -> None:
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

    def _families(self, rules: Rules) -> Iterator[tuple[str | tuple[str, ...], Node]]:
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

    def _free_name(self, rules: Rules) -> str | tuple[str, ...] | None:
        if not rules.names:
            return FREE_NAME
        made = self.copy(both({"type": "string"}, *rules.names), ())
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


def _multiples(rules: Rules, step: Fraction) -> tuple[Fraction, Fraction] | None:
    """The first and the last multiple that the bounds allow. None: there is none."""
    low, high = _range(rules)
    first, last = math.ceil(low / step) * step, math.floor(high / step) * step
    first += step if rules.low_open and first == low else 0
    last -= step if rules.high_open and last == high else 0
    return (first, last) if first <= last else None


def _stepped(kind: str, first: Fraction, last: Fraction, step: Fraction) -> Node:
    """Multiples within bounds. The compiler finds none below zero, so those are listed, as many as is sensible. Of
    fractions, all are listed if they are few: validators divide in binary, in which 0.07 is no multiple of 0.01."""
    copies: list[Node] = []
    if step.denominator != 1 and first >= 0 and last - first <= FEW * step:
        numbers = [_plain(first + step * i) for i in range(int((last - first) / step) + 1)]
        return {"enum": [number for number in numbers if (number / _plain(step)).is_integer()] or numbers}
    if last >= 0:
        least = max(first, Fraction(0))
        copies.append({"type": kind, "minimum": _plain(least), "maximum": _plain(last), "multipleOf": _plain(step)})
    if first < 0:
        nearest = min(last, -step)
        copies.append({"enum": [_plain(nearest - step * i) for i in range(LISTED) if nearest - step * i >= first]})
    return copies[0] if len(copies) == 1 else {"anyOf": copies}


def _decimals(low: Fraction, high: Fraction, rules: Rules) -> Node:
    """Numbers from zero on, with a few digits behind the point."""
    made: dict[str, Any] = {"type": "number", "minimum": _plain(low), "maximum": _plain(high)}
    if rules.low_open and low == rules.low:
        made["exclusiveMinimum"] = made["minimum"]
    if rules.high_open and high == rules.high:
        made["exclusiveMaximum"] = made["maximum"]
    digits = 4 if high - low > 1 or low == high else 2 - math.floor(math.log10(high - low))
    return {**made, "multipleOf": 10**-digits} if digits <= 9 else made


def _below_zero(low: Fraction, high: Fraction, rules: Rules) -> Node:
    """Numbers below zero: whole ones, since the compiler knows no multiples there and others would not end."""
    top = min(high, Fraction(-1))
    first, last = math.ceil(low), math.floor(top)
    first += first == low and rules.low_open
    last -= last == high and rules.high_open
    if first <= last:
        return {"type": "integer", "minimum": first, "maximum": last}
    top = min(high, Fraction(0))
    return {"enum": [round(float(low + (top - low) * i / (LISTED + 1)), 12) for i in range(1, LISTED + 1)]}


def _range(rules: Rules) -> tuple[Fraction, Fraction]:
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


def _plain(number: Fraction) -> float:
    return int(number) if number.denominator == 1 else float(number)
