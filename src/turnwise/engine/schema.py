"""JSON Schemas: whether one can be kept, and whether a value keeps to it.

`jsonschema` decides, in the draft that the schema names (2020-12 if none), and `formats.py` on formats. What it cannot
decide is refused before the model runs: a reference to somewhere outside, a keyword whose meaning depends on who reads,
an expression that is none, a schema that nothing can satisfy. It is imported with the first schema, not before: most
servers never see one.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import orjson

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.tools import Schema
from turnwise.engine.contradictions import find_contradiction
from turnwise.engine.formats import FORMATS

REFUSED = ("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "contentSchema")
"""Keywords that turnwise cannot keep."""

DRAFTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-04/schema",
)

NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
"""Keywords whose value is schemas by name: the names are no keywords."""

DATA = ("const", "enum", "default", "examples", "example", "required", "dependentRequired")
"""Keywords whose value is data and no schema."""

DEPTH = 64
"""How deep a schema may be nested."""

TOO_MUCH = "it cannot be checked against its schema in any sensible time"
"""What is wrong with a value that may be valid or not."""


def check_schema(schema: Schema, field: str) -> None:
    """Refuse a schema that cannot be kept.

    Raises:
        InvalidRequest: it is not a JSON Schema, or points to something that it does not have, or allows nothing.
        Unimplemented: it has a keyword that turnwise cannot keep; the message names it.
    """
    _check(orjson.dumps(schema), field)


@lru_cache(maxsize=256)
def _check(written: bytes, field: str) -> None:
    """Once for each schema that is good; what is refused is not remembered."""
    schema = orjson.loads(written)
    draft = schema.get("$schema")
    if draft is not None and str(draft).rstrip("#") not in DRAFTS:
        raise Unimplemented(f"{field}.$schema: turnwise does not know the draft '{draft}'")
    keywords = list(_keywords(schema, field, 0))
    for where, keyword, value in keywords:
        for pattern in _patterns(keyword, value):
            _check_pattern(pattern, where)
    _check_form(schema, field)
    for where, keyword, value in keywords:
        if keyword in REFUSED:
            raise Unimplemented(f"{where}: turnwise cannot keep the keyword '{keyword}'; leave it out")
        if keyword == "$id" and where != f"{field}.$id":
            raise Unimplemented(f"{where}: turnwise keeps '$id' at the root only; leave it out")
        if keyword == "$ref" and isinstance(value, str):
            _check_reference(schema, value, where)
    wrong = find_contradiction(schema, field, lambda reference: _resolve(schema, reference))
    if wrong is not None:
        raise InvalidRequest(f"nothing can be valid against this schema: {wrong.reason}", field=wrong.path)


def _check_form(schema: dict[str, Any], field: str) -> None:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        error.__traceback__ = None  # its frames hold it again, and the whole request
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        raise InvalidRequest(f"this is not a JSON Schema: {error.message}", field=f"{field}{where}") from None


def _keywords(node: JSON, path: str, depth: int) -> Iterator[tuple[str, str, JSON]]:
    """Every keyword of a schema, with where it stands."""
    if depth > DEPTH:
        raise InvalidRequest(f"the schema is nested deeper than {DEPTH} levels", field=path)
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{path}.{key}", key, value
            if key in NAMED and isinstance(value, dict):
                for name, inner in value.items():
                    yield from _keywords(inner, f"{path}.{key}.{name}", depth + 1)
            elif key not in DATA:
                yield from _keywords(value, f"{path}.{key}", depth + 1)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _keywords(value, f"{path}[{index}]", depth + 1)


def _patterns(keyword: str, value: JSON) -> list[str]:
    """The regular expressions that a keyword holds."""
    if keyword == "pattern" and isinstance(value, str):
        return [value]
    return list(value) if keyword == "patternProperties" and isinstance(value, dict) else []


def _check_pattern(pattern: str, where: str) -> None:
    import regex

    try:
        re.compile(pattern)
        regex.compile(pattern)
    except (re.error, regex.error, RecursionError, OverflowError) as error:
        raise InvalidRequest(
            f"'{pattern[:200]}' is no regular expression that turnwise understands ({error})", field=where
        ) from None


def _check_reference(schema: Schema, reference: str, where: str) -> None:
    if not reference.startswith("#"):
        raise Unimplemented(f"{where}: turnwise does not fetch '{reference}'; put it into the schema itself")
    if _resolve(schema, reference) is None:
        raise InvalidRequest(f"'{reference}' points to nothing in this schema", field=where)


def _resolve(schema: Schema, reference: str) -> Any:
    """What a reference within a schema points to. None: nothing."""
    if reference == "#":
        return schema
    if not reference.startswith("#/"):
        called = (
            node for node in _nodes(schema) if reference[1:] == node.get("$anchor") or reference == node.get("id")
        )
        return next(called, None)
    node: Any = schema
    for part in unquote(reference[2:]).split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        else:
            node = node.get(name) if isinstance(node, Mapping) else None
    return node


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
    for inner in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
        yield from _nodes(inner)


def violation(value: JSON, schema: Schema) -> str | None:
    """What is wrong with a value, in one sentence. None: it keeps to the schema."""
    from turnwise.engine.validation import TooMuch, find_error

    try:
        error = find_error(value, _validator(orjson.dumps(schema)))
    except TooMuch:
        return TOO_MUCH
    if error is None:
        return None
    where = "".join(f"[{part!r}]" for part in error.absolute_path)
    return f"{error.message[:300]}{f' at {where}' if where else ''}"


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    from jsonschema import FormatChecker
    from jsonschema.validators import Draft202012Validator, validator_for

    from turnwise.engine.validation import ending

    checker = FormatChecker(())
    for name, check in FORMATS.items():
        checker.checks(name)(_of_strings(check))
    parsed = orjson.loads(schema)
    return ending(validator_for(parsed, default=Draft202012Validator))(parsed, format_checker=checker)


def _of_strings(check: Any) -> Any:
    """A format says nothing of a value that is no string."""
    return lambda value: not isinstance(value, str) or check(value)
