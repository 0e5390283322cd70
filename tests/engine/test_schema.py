"""Schemas: which are refused and by which name, and which values keep to one."""

import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

from support import nothing_kept_of
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.engine.schema import DEPTH, TOO_MUCH, check_schema, violation

OBJECT = {"type": "object"}


def having(schema: Any) -> dict[str, Any]:
    """An object that must have a property `a` of this schema."""
    return {"type": "object", "properties": {"a": schema}, "required": ["a"]}


def refusal(schema: dict[str, Any]) -> str:
    with pytest.raises((InvalidRequest, Unimplemented)) as error:
        check_schema(schema, "response_format")
    return f"{getattr(error.value, 'field', None) or ''} {error.value.message}"


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (having({"$ref": "https://example.com/a"}), "response_format.properties.a.$ref"),
        (having({"$ref": "other.json#/a"}), "other.json"),
        (having({"$ref": "#/$defs/none"}), "'#/$defs/none' points to nothing"),
        (having({"$ref": "#none"}), "'#none' points to nothing"),
        (having({"$dynamicRef": "#a"}), "$dynamicRef"),
        ({"$recursiveRef": "#"}, "$recursiveRef"),
        (having({"type": "string", "contentSchema": {}}), "contentSchema"),
        (having({"$id": "https://example.com/inner"}), "response_format.properties.a.$id"),
        ({"$schema": "https://example.com/draft"}, "response_format.$schema"),
        ({"type": "text"}, "response_format.type"),
        ({"required": "a"}, "response_format.required"),
        (having({"minimum": "1"}), "response_format.properties.a.minimum"),
        (having({"type": "string", "pattern": "(a"}), "response_format.properties.a.pattern"),
        (having({"type": "string", "pattern": "\\p{L}"}), "no regular expression that turnwise understands"),
        ({"patternProperties": {"[": {}}}, "response_format.patternProperties"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(schema: dict[str, Any], named: str):
    assert named in refusal(schema)


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (having(False), "response_format.properties.a "),
        (having({"type": "integer", "minimum": 5, "maximum": 3}), "a.minimum"),
        (having({"type": "number", "exclusiveMinimum": 3, "maximum": 3}), "a.exclusiveMinimum"),
        (having({"type": "string", "minLength": 5, "maxLength": 3}), "a.minLength"),
        (having({"type": "array", "minItems": 2, "maxItems": 1}), "a.minItems"),
        (having({"type": "object", "minProperties": 2, "maxProperties": 1}), "a.minProperties"),
        (having({"type": "integer", "enum": ["x", 1.5, True]}), "a.enum"),
        (having({"type": "string", "const": None}), "a.const"),
        (having({"type": "array", "minItems": 1, "items": False}), "a.items"),
        (having({"type": "array", "minItems": 1, "prefixItems": [False]}), "a.prefixItems[0]"),
        (having({"allOf": [{"type": "string"}, {"type": ["number", "null"]}]}), "a.allOf"),
        (having({"anyOf": [False, {"type": "null", "const": 1}]}), "a.anyOf[0]"),
        ({"type": "object", "required": ["b"], "additionalProperties": False}, "response_format.required"),
        ({"$defs": {"n": having({"$ref": "#/$defs/n"})}, "$ref": "#/$defs/n"}, "needs itself, without an end"),
        (having({"$ref": "#"}), "needs itself"),
    ],
)
def test_what_nothing_can_satisfy_is_refused(schema: dict[str, Any], named: str):
    assert named in refusal(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        having(True),
        {"properties": {"a": False}},
        having({"minimum": 5, "maximum": 3}),  # a string satisfies it
        having({"anyOf": [False, {"type": "string"}]}),
        having({"type": "number", "minimum": 3, "maximum": 3}),
        having({"allOf": [{"type": "number"}, {"type": "integer"}]}),
        having({"type": "integer", "enum": ["x", 2.0]}),
        {"properties": {"next": {"$ref": "#"}}},
        {"$defs": {"n": having({"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]})}, "$ref": "#/$defs/n"},
        {"$defs": {"a/b~c": {"$anchor": "here"}}, "allOf": [{"$ref": "#/$defs/a~1b~0c"}, {"$ref": "#here"}]},
        {"properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}, "$id": {}}},
        having({"const": {"$ref": "https://example.com", "pattern": "("}}),
        {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {}}, "$ref": "#/definitions/a"},
        {"$id": "https://example.com/a", "type": "object"},
        having({"type": "integer", "minimum": -(2**53 - 1), "maximum": 2**53 - 1}),
        having({"type": "string", "format": "whatever", "x-own": True}),
    ],
)
def test_what_can_be_kept_is_taken(schema: dict[str, Any]):
    check_schema(schema, "response_format")


def test_a_schema_that_is_too_deep_is_refused():
    schema: dict[str, Any] = {}
    for _ in range(DEPTH):
        schema = {"items": schema}
    check_schema(schema, "response_format")
    assert f"deeper than {DEPTH}" in refusal({"items": schema})


FORMATS = {
    "date": (["2024-02-29", "1999-12-31"], ["2023-02-29", "2024-1-01", "20240101", "2024-13-01"]),
    "time": (["08:30:00Z", "23:59:60+01:00", "00:00:00.25-05:30"], ["08:30:00", "24:00:00Z", "8:30:00Z"]),
    "date-time": (["2024-02-29T08:30:00Z"], ["2024-02-29 08:30:00", "2024-02-29T08:30:00", "2023-02-29T08:30:00Z"]),
    "duration": (["P1D", "PT36H", "P1Y2M3DT4H5M6S", "P2W"], ["P", "PT", "1D", "P1DT", "P1W2D"]),
    "email": (["a@example.com", "a.b+c@x.org"], ["a", "a@", "@b", "a b@c.de", "a..b@c.de"]),
    "hostname": (["example.com", "a-b.c"], ["-a.com", "a_b.com", "a" * 64, ""]),
    "ipv4": (["192.168.0.1"], ["256.0.0.1", "1.2.3", "01.2.3.4"]),
    "ipv6": (["::1", "2001:db8::8a2e:370:7334"], ["12345::", "1::2::3", "fe80::1%eth0"]),
    "uri": (["https://example.com/a?b=c#d", "urn:isbn:1"], ["/a", "a b:c", "https://example.com/ä"]),
    "uri-reference": (["/a/b", "#c", ""], ["a b", "\\a"]),
    "iri": (["https://example.com/ä"], ["/ä", "a b"]),
    "uuid": (["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], ["2eb8aa08aa9811eab4aa73b441d16380", "x"]),
    "json-pointer": (["", "/a/b~1c"], ["a", "/a~"]),
    "relative-json-pointer": (["1/a", "0#"], ["/a", "01/a"]),
    "uri-template": (["https://example.com/{id}"], ["https://example.com/{id"]),
    "regex": (["^a+$"], ["(a"]),
    "no format of ours": (["anything"], []),
}


@pytest.mark.parametrize(("form", "good", "bad"), [(form, *values) for form, values in FORMATS.items()])
def test_formats_are_kept(form: str, good: list[str], bad: list[str]):
    schema = {"format": form}
    assert [value for value in good if violation(value, schema)] == []
    assert [value for value in bad if not violation(value, schema)] == []
    assert violation(1, schema) is None


def test_a_violation_says_what_is_wrong_and_where():
    schema = having({"type": "array", "items": {"type": "integer", "maximum": 3}})
    assert violation({"a": [1, 3]}, schema) is None
    assert violation({"a": [1, 7]}, schema) == "7 is greater than the maximum of 3 at ['a'][1]"


def test_the_draft_that_is_named_is_the_one_that_counts():
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": True}
    assert violation(3, schema) is not None
    assert violation(4, schema) is None


def doubling(levels: int, leaf: Any, *, keyword: str = "anyOf") -> dict[str, Any]:
    """A small schema whose references, followed one by one, are two to the power of `levels`."""
    doubled = {f"d{i}": {keyword: [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**doubled, f"d{levels}": leaf}}


@pytest.mark.parametrize(("keyword", "leaf"), [("anyOf", {"type": "integer"}), ("anyOf", False), ("allOf", True)])
def test_references_that_multiply_do_not_hold_up_the_look_at_a_schema(keyword: str, leaf: Any):
    check_schema(doubling(60, leaf, keyword=keyword), "response_format")


def test_references_that_multiply_do_not_hold_up_validation():
    assert violation("x", doubling(60, {"type": "integer"})) == TOO_MUCH


def test_a_chain_of_references_may_be_long():
    chain = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(3000)}
    schema = {"$ref": "#/$defs/d0", "$defs": {**chain, "d3000": {"type": "integer"}}}
    check_schema(schema, "response_format")
    assert violation(1, schema) == TOO_MUCH


def test_a_value_that_is_nested_too_deep_to_be_checked_is_not_valid():
    value: Any = 1
    for _ in range(900):
        value = {"a": value}
    assert violation(value, {"type": "object", "properties": {"a": {"$ref": "#"}}}) == TOO_MUCH


SLOW = "^(a|a)*$"
"""An expression with which most engines find out in years that it does not match."""

LONG = "a" * 60 + "!"


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (LONG, {"pattern": SLOW}),
        ({LONG: 1}, {"patternProperties": {SLOW: False}}),
        ({LONG: 1}, {"patternProperties": {SLOW: True}, "additionalProperties": False}),
    ],
)
def test_an_expression_that_would_take_years_is_given_up(value: Any, schema: dict[str, Any]):
    check_schema(schema, "response_format")
    assert violation(value, schema) == TOO_MUCH


@pytest.mark.parametrize(
    ("value", "schema", "wrong"),
    [
        ("ab", {"pattern": "b"}, None),
        ("ac", {"pattern": "b"}, "'ac' does not match 'b'"),
        (1, {"pattern": "b"}, None),
        ({"ab": 1}, {"patternProperties": {"b": {"type": "string"}}}, "1 is not of type 'string' at ['ab']"),
        ({"ac": 1}, {"patternProperties": {"b": {"type": "string"}}}, None),
        ({"ab": 1, "c": 1}, {"patternProperties": {"b": True}, "additionalProperties": False}, "'c' is not allowed"),
        ({"ab": 1, "c": 1}, {"patternProperties": {"b": True}, "additionalProperties": {"type": "integer"}}, None),
        ({"ab": 1, "c": 1}, {"properties": {"c": True}, "additionalProperties": {"type": "string"}}, "at ['ab']"),
    ],
)
def test_expressions_mean_what_they_mean_in_json_schema(value: Any, schema: dict[str, Any], wrong: str | None):
    found = violation(value, schema)
    assert found is None if wrong is None else wrong in str(found)


def test_a_server_that_sees_no_schema_imports_nothing_for_one():
    code = "import sys, turnwise.engine.interactions; print('jsonschema' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


class Held:
    """Something that whoever asks has."""


def test_a_schema_that_is_refused_leaves_nothing_behind_for_the_garbage_collector() -> None:
    def ask() -> None:
        held = Held()
        with suppress(InvalidRequest):
            check_schema({"type": "text"}, "response_format")
        assert held is not None  # the frame has it to its end

    with nothing_kept_of(Held) as is_gone:
        ask()
        assert is_gone()
