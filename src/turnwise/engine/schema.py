"""JSON Schemas: whether one can be kept, and whether a value keeps to it.

`jsonschema` decides, in the draft that the schema names (2020-12 if none). What it cannot decide is refused before the
model runs: a reference to somewhere outside, or a keyword whose meaning depends on who reads.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import FormatChecker
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.validators import Draft202012Validator, validator_for

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.tools import Schema

REFUSED = ("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "contentSchema")
"""Keywords that turnwise cannot keep."""

DRAFTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-04/schema",
)

NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Keywords whose value is schemas by name: the names are no keywords."""

DATA = ("const", "enum", "default", "examples", "required")
"""Keywords whose value is data and no schema."""

DEPTH = 64
"""How deep a schema may be nested."""


def check_schema(schema: Schema, field: str) -> None:
    """Refuse a schema that cannot be kept.

    Raises:
        InvalidRequest: it is not a JSON Schema, or points to something that it does not have.
        Unimplemented: it has a keyword that turnwise cannot keep; the message names it.
    """
    draft = schema.get("$schema")
    if draft is not None and str(draft).rstrip("#") not in DRAFTS:
        raise Unimplemented(f"{field}.$schema: turnwise does not know the draft '{draft}'")
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(dict(schema))
    except SchemaError as error:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        raise InvalidRequest(f"this is not a JSON Schema: {error.message}", field=f"{field}{where}") from None
    for where, keyword, value in _keywords(schema, field, 0):
        if keyword in REFUSED:
            raise Unimplemented(f"{where}: turnwise cannot keep the keyword '{keyword}'; leave it out")
        if keyword == "$ref" and isinstance(value, str):
            _check_reference(schema, value, where)


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


def _check_reference(schema: Schema, reference: str, where: str) -> None:
    if not reference.startswith("#"):
        raise Unimplemented(f"{where}: turnwise does not fetch '{reference}'; put it into the schema itself")
    node: JSON = schema
    for part in reference[1:].split("/")[1:] if reference.startswith("#/") else []:
        name = part.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, Mapping) else None
        if node is None:
            raise InvalidRequest(f"'{reference}' points to nothing in this schema", field=where)


def violation(value: JSON, schema: Schema) -> str | None:
    """What is wrong with a value, in one sentence. None: it keeps to the schema."""
    error = best_match(_validator(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).iter_errors(value))
    if error is None:
        return None
    where = "".join(f"[{part!r}]" for part in error.absolute_path)
    return f"{error.message[:300]}{f' at {where}' if where else ''}"


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    parsed = orjson.loads(schema)
    return validator_for(parsed, default=Draft202012Validator)(parsed, format_checker=FormatChecker())
