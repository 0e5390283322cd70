"""Schemas that nothing can satisfy, as far as that shows without trying: bounds that cross, types that exclude each
other, a property that is required and forbidden, a definition that needs itself without an end.

Only what must hold is looked at. A contradiction in a property that may be left out, or in one of several
alternatives, is no contradiction of the whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Resolve: TypeAlias = Callable[[str], Any]
"""What a reference points to."""

BOUNDS = (
    ("string", "minLength", "maxLength"),
    ("array", "minItems", "maxItems"),
    ("object", "minProperties", "maxProperties"),
)
NUMBERS = frozenset({"integer", "number"})

FOLLOWED = 4000
"""How many references are followed: definitions that use one another are without number."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Where nothing can be right, and why."""

    path: str
    reason: str


class _TooMany(Exception):
    """A schema has more references than are followed."""


def find_contradiction(schema: Any, path: str, resolve: Resolve) -> Contradiction | None:
    """The first contradiction of a schema, if it has one that shows."""
    left = FOLLOWED

    def follow(reference: str) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooMany
        return resolve(reference)

    try:
        return _find(schema, path, follow, ())
    except (_TooMany, RecursionError):
        return None


def _find(node: Any, path: str, resolve: Resolve, inside: tuple[str, ...]) -> Contradiction | None:
    if node is False:
        return Contradiction(path, "`false` allows nothing")
    if not isinstance(node, dict):
        return None
    own = _own(node)
    if own is not None:
        return Contradiction(f"{path}.{own[0]}", own[1])
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference in inside:
            return Contradiction(f"{path}.$ref", f"'{reference}' needs itself, without an end")
        found = _find(resolve(reference), path, resolve, (*inside, reference))
        if found is not None:
            return found
    for keyword in ("anyOf", "oneOf"):
        branches = node.get(keyword) or ()
        wrong = [_find(each, f"{path}.{keyword}[{i}]", resolve, inside) for i, each in enumerate(branches)]
        if wrong and all(wrong):
            return wrong[0]
    for where, inner in _needed(node, path):
        found = _find(inner, where, resolve, inside)
        if found is not None:
            return found
    return None


def _needed(node: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """What must hold beside the node's own keywords."""
    for index, each in enumerate(node.get("allOf") or ()):
        yield f"{path}.allOf[{index}]", each
    types = _types(node)
    if types == frozenset({"object"}):
        properties = node.get("properties") or {}
        for name in node.get("required") or ():
            if name in properties:
                yield f"{path}.properties.{name}", properties[name]
            elif node.get("additionalProperties") is False and not node.get("patternProperties"):
                yield f"{path}.required", False
    if types == frozenset({"array"}):
        first = node.get("prefixItems") or ()
        for index, each in enumerate(first[: node.get("minItems", 0)]):
            yield f"{path}.prefixItems[{index}]", each
        if node.get("minItems", 0) > len(first) and not isinstance(node.get("items"), list):
            yield f"{path}.items", node.get("items", True)


def _own(node: dict[str, Any]) -> tuple[str, str] | None:
    """A keyword of the node that contradicts another one."""
    types = _types(node)
    for each in node.get("allOf") or ():
        other = _types(each) if isinstance(each, dict) else None
        if types is not None and other is not None and not _widened(types) & _widened(other):
            return "allOf", f"a value cannot be {_or(types)} and {_or(other)}"
        types = types if other is None else other if types is None else _widened(types) & _widened(other)
    for keyword in ("const", "enum"):
        values = [node["const"]] if keyword == "const" and keyword in node else node.get(keyword)
        if values is not None and types is not None and not any(_is(value, types) for value in values):
            return keyword, f"none of its values is {_or(types)}"
    for kind, least, most in BOUNDS:
        if types == frozenset({kind}) and node.get(least, 0) > node.get(most, node.get(least, 0)):
            return least, f"{node[least]} is more than {most}, {node[most]}"
    if types is not None and types <= NUMBERS:
        return _crossing(node)
    return None


def _crossing(node: dict[str, Any]) -> tuple[str, str] | None:
    lows = [(node[k], k) for k in ("minimum", "exclusiveMinimum") if _is_number(node.get(k))]
    highs = [(node[k], k) for k in ("maximum", "exclusiveMaximum") if _is_number(node.get(k))]
    for low, least in lows:
        for high, most in highs:
            touching = low == high and (least, most) != ("minimum", "maximum")
            if low > high or touching:
                return least, f"there is no number between {least} {low} and {most} {high}"
    return None


def _types(node: Any) -> frozenset[str] | None:
    types = node.get("type") if isinstance(node, dict) else None
    return None if types is None else frozenset([types] if isinstance(types, str) else types)


def _widened(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is(value: Any, types: frozenset[str]) -> bool:
    match value:
        case None:
            return "null" in types
        case bool():
            return "boolean" in types
        case int() | float():
            return "number" in types or ("integer" in types and float(value).is_integer())
        case str():
            return "string" in types
        case list():
            return "array" in types
        case _:
            return "object" in types


def _or(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))
