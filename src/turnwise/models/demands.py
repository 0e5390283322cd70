"""What a JSON Schema demands of a value, with everything that stands at one place worked out: `Rules`.

A node of a schema says what it says by its own keywords and by way of other nodes. Here are its own (`own_rules`), what
two sets of rules demand together (`merge`), and what the opposite of a node is (`negated`), as far as that can be said.
`bounded.py` puts them together and makes a copy of them that a grammar can keep.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any, TypeAlias

from turnwise.domain.tools import Schema

Node: TypeAlias = Any
"""A schema, or True or False."""

TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
ALTERNATIVES = 48
"""How many alternatives of one node are looked at."""

PATIENCE = 0.02
"""How long, in seconds, an expression may take over one text."""

BAD = "x-bad"
"""A keyword of our own: values that are refused."""


@dataclass(frozen=True, slots=True)
class Rules:
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
        demanded += [node for pattern, node in self.by_pattern if matches(pattern, name)]
        return both(*demanded) if demanded else self.others


ANYTHING = Rules()


def own_rules(node: Schema) -> Rules:
    """What the keywords of a node say that hold no alternatives."""
    said: dict[str, Any] = {}
    types = node.get("type")
    if types is not None:
        said["types"] = frozenset([types] if isinstance(types, str) else types)
    if "enum" in node or "const" in node:
        said["values"] = tuple(node["enum"]) if "enum" in node else (node["const"],)
        if "const" in node:
            said["values"] = tuple(value for value in said["values"] if same(value, node["const"]))
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
    return Rules(**said)


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


def conjunction(left: Sequence[Rules], right: Sequence[Rules]) -> list[Rules]:
    merged = (_merge(one, other) for one, other in product(left, right))
    return [rules for rules in merged if rules is not None][:ALTERNATIVES]


def _merge(a: Rules, b: Rules) -> Rules | None:
    """Both at once. None: no value can do that."""
    types = _widened(a.types) & _widened(b.types)
    if not types:
        return None
    low, low_open = _tighter((a.low, a.low_open), (b.low, b.low_open), 1)
    high, high_open = _tighter((a.high, a.high_open), (b.high, b.high_open), -1)
    return Rules(
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
        first=tuple(both(_item(a, i), _item(b, i)) for i in range(max(len(a.first), len(b.first)))),
        items=both(a.items, b.items),
        contains=a.contains + b.contains,
        fewest=max(a.fewest, b.fewest),
        most=_least(a.most, b.most),
        unique=a.unique or b.unique,
        named={name: both(a.of(name), b.of(name)) for name in (*a.named, *b.named)},
        by_pattern=tuple(
            (pattern, both(node, other.others)) for one, other in ((a, b), (b, a)) for pattern, node in one.by_pattern
        ),
        others=both(a.others, b.others),
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
    return tuple(value for value in a if any(same(value, other) for other in b))


def _common_multiple(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    if a is None or b is None:
        return a or b
    denominator = math.lcm(a.denominator, b.denominator)
    return Fraction(math.lcm(int(a * denominator), int(b * denominator)), denominator)


def _least(a: int | None, b: int | None) -> int | None:
    return min((value for value in (a, b) if value is not None), default=None)


def _item(rules: Rules, index: int) -> Node:
    return rules.first[index] if index < len(rules.first) else rules.items


def both(*nodes: Node) -> Node:
    """A node that demands what all of these do."""
    telling = [node for node in nodes if node is not True and node != {}]
    if False in [node for node in telling if isinstance(node, bool)]:
        return False
    if len(telling) > 1 and all(node == telling[0] for node in telling):
        return telling[0]
    return telling[0] if len(telling) == 1 else {"allOf": telling} if telling else True


def negated(node: Node) -> list[Node]:
    """Schemas of which any says that this one does not hold. All that is known of it: [True] where nothing is."""
    if isinstance(node, bool) or not node:
        return [node is False]
    found = [opposed for keyword, value in node.items() for opposed in _opposite(keyword, value)]
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
                {"type": "object", "properties": {name: opposed}, "required": [name]}
                for name, node in value.items()
                for opposed in negated(node)
                if opposed is not True
            ]
        case "not":
            return [value]
        case "anyOf":
            return [{"allOf": list(each)} for each in product(*map(negated, value))]
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


def hinted(rules: Rules) -> frozenset[str]:
    """What a value is meant to be whose type is not said."""
    told = {each.name for each in fields(Rules) if getattr(rules, each.name) != getattr(ANYTHING, each.name)}
    found = {kind for kind, names in _ABOUT.items() if told & names}
    return frozenset(found or ("string", "number", "boolean"))


_ABOUT = {
    "object": {"named", "by_pattern", "others", "names", "required", "least", "up_to"},
    "array": {"first", "items", "contains", "fewest", "most", "unique"},
    "string": {"shortest", "longest", "patterns", "formats"},
    "number": {"low", "high", "step"},
}


def keeps(value: Any, rules: Rules) -> bool:
    """Whether one value of an `enum` can stand beside the other keywords. What is in lists and objects is not looked
    at: that is left to validation."""
    if not _types_of(value) & rules.types or any(same(value, bad) for bad in rules.bad):
        return False
    if isinstance(value, str):
        return rules.shortest <= len(value) <= (math.inf if rules.longest is None else rules.longest) and all(
            matches(pattern, value) for pattern in rules.patterns
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


def same(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def matches(pattern: str, text: str) -> bool:
    """Whether an expression is found in a text. Yes, where that cannot be said in time: validation looks again."""
    expression = _expression(pattern)
    try:
        return expression.gave_up or expression.compiled.search(text, timeout=PATIENCE) is not None
    except TimeoutError:
        expression.gave_up = True
        return True


@dataclass(slots=True)
class _Expression:
    """A regular expression of a schema."""

    compiled: Any
    gave_up: bool = False
    """Whether it took too long once, and is not tried again."""


@lru_cache(maxsize=256)
def _expression(pattern: str) -> _Expression:
    import regex

    return _Expression(regex.compile(pattern))


def _fraction(number: float) -> Fraction:
    """A number as it was written: 0.1 is a tenth."""
    return Fraction(str(number))
