"""Validation that comes to an end: `jsonschema`, with a bound on how much work one value may be.

References that multiply, a value that is nested without measure, and an expression that is tried in every way there is
could each take years, and everybody else's turns wait in the meantime. So keywords are counted, and expressions are
matched by `regex`, which gives up when it is told to. What was given up is not known to be valid.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any, TypeAlias

import regex
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Any]
"""What checks one keyword: the validator, the keyword's value, the instance, and the whole node."""

KEYWORDS = 100_000
"""How many keywords are looked at for one value."""

SECONDS = 0.5
"""How long the expressions of a schema may take over one value."""


class TooMuch(Exception):
    """It would take too long to find out whether a value is valid."""


@dataclass(slots=True)
class _Effort:
    """What may still be spent on one value."""

    keywords: int = KEYWORDS
    seconds: float = SECONDS

    def count(self) -> None:
        self.keywords -= 1
        if self.keywords < 0:
            raise TooMuch

    def search(self, pattern: str, text: str) -> bool:
        started = monotonic()
        try:
            return regex.search(pattern, text, timeout=max(self.seconds, 0.001)) is not None
        except TimeoutError:
            raise TooMuch from None
        finally:
            self.seconds -= monotonic() - started


_effort: ContextVar[_Effort] = ContextVar("effort")


def find_error(value: Any, validator: Any) -> ValidationError | None:
    """The most telling error of a value, by a validator of a class that `ending` made.

    Raises:
        TooMuch: it is not known.
    """
    token = _effort.set(_Effort())
    try:
        error: ValidationError | None = best_match(validator.iter_errors(value))
        return error
    except RecursionError:
        raise TooMuch from None
    finally:
        _effort.reset(token)


@lru_cache(maxsize=8)
def ending(kind: Any) -> Any:
    """A class of validators, as one whose work is bounded."""
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional(kind.VALIDATORS["additionalProperties"]),
    }
    keywords = {name: _counted(keyword) for name, keyword in {**kind.VALIDATORS, **own}.items()}
    return extend(kind, keywords)  # type: ignore[no-untyped-call]


def _counted(keyword: Keyword) -> Keyword:
    def check(validator: Any, said: Any, instance: Any, node: Any) -> Any:
        _effort.get().count()
        return keyword(validator, said, instance, node)

    return check


def _pattern(validator: Any, pattern: str, instance: Any, node: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _effort.get().search(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, schemas: Mapping[str, Any], instance: Any, node: Any
) -> Iterator[ValidationError]:
    for name, value in instance.items() if validator.is_type(instance, "object") else ():
        for pattern, schema in schemas.items():
            if _effort.get().search(pattern, name):
                yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional(keyword: Keyword) -> Keyword:
    """`additionalProperties`, as it is where no expressions say which properties are none."""

    def check(validator: Any, schema: Any, instance: Any, node: Any) -> Any:
        if "patternProperties" not in node:
            return keyword(validator, schema, instance, node)
        return _beside_patterns(validator, schema, instance, node)

    return check


def _beside_patterns(validator: Any, schema: Any, instance: Any, node: Any) -> Iterator[ValidationError]:
    for name, value in instance.items() if validator.is_type(instance, "object") else ():
        if name in node.get("properties", {}):
            continue
        if any(_effort.get().search(pattern, name) for pattern in node["patternProperties"]):
            continue
        if schema is False:
            yield ValidationError(f"the property {name!r} is not allowed, and matches none of the patterns")
        else:
            yield from validator.descend(value, schema, path=name)
