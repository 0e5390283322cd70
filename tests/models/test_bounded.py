"""Bounded copies: what is in them is valid for the user's schema, and it comes to an end."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator

from turnwise.domain.content import Text
from turnwise.domain.errors import Unimplemented
from turnwise.domain.steps import UserInput
from turnwise.models.bounded import bounded, longest
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.model import Finished, Prompt, TextFragment
from turnwise.models.patterns import FORMATS, translate

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "bench/evaluation/schemas.jsonl").read_text(encoding="utf-8").splitlines()
]
GOOD = {case["name"]: case["schema"] for case in CASES if "refused" not in case}
TOLD = frozenset({"x-guidance", "anyOf", "allOf", "enum", "type"}) | {
    *("properties", "required", "patternProperties", "additionalProperties", "minProperties", "maxProperties"),
    *("prefixItems", "items", "minItems", "maxItems", "pattern", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""All that a copy may say: what the grammar's compiler is known to keep to."""


def keywords(copy: Any) -> set[str]:
    found = set(copy)
    inner = [*copy.get("anyOf", ()), *copy.get("prefixItems", ()), *copy.get("allOf", ())]
    inner += [*copy.get("properties", {}).values(), *copy.get("patternProperties", {}).values()]
    inner += [copy["items"]] if isinstance(copy.get("items"), dict) else []
    return found.union(*map(keywords, inner))


def copy_of(schema: Any, tokens: int | None = 512) -> Any:
    copy = dict(bounded(schema, tokens))
    assert copy.pop("x-guidance")["whitespace_flexible"] is False
    return copy


def property_of(schema: Any) -> Any:
    return copy_of({"type": "object", "properties": {"a": schema}, "required": ["a"]})["properties"]["a"]


@pytest.mark.parametrize("name", GOOD)
def test_a_copy_says_only_what_the_compiler_knows(name: str):
    copy = copy_of(GOOD[name] or {})
    assert keywords(copy) <= TOLD
    assert longest(copy) <= 512


@pytest.mark.parametrize(
    ("schema", "low", "high"),
    [
        ({"type": "integer", "minimum": -(2**53 - 1), "maximum": 2**53 - 1}, -(10**12) + 1, 10**12 - 1),
        ({"type": "integer", "exclusiveMinimum": 2, "maximum": 9}, 3, 9),
        ({"type": "integer", "minimum": 2.5, "maximum": 9.5}, 3, 9),
        ({"type": "integer", "allOf": [{"minimum": 2}, {"maximum": 9}, {"minimum": 4}]}, 4, 9),
        ({"type": "integer", "not": {"minimum": 5}, "minimum": 1}, 1, 4),
    ],
)
def test_whole_numbers_have_bounds(schema: Any, low: int, high: int):
    copy = property_of(schema)
    assert (copy["minimum"], copy["maximum"]) == (low, high)


def test_multiples_below_zero_are_listed():
    assert property_of({"type": "integer", "multipleOf": 3, "minimum": -7, "maximum": -2})["enum"] == [-3, -6]


def test_multiples_that_validators_do_not_see_as_such_are_left_out():
    values = property_of({"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1})["enum"]
    assert 0.5 in values
    assert 0.07 not in values


def test_recursion_ends():
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "null"}}, "required": ["n"]}
    copy = copy_of(node)
    depth = 0
    while "next" in copy["properties"]:
        copy, depth = copy["properties"]["next"], depth + 1
    assert 1 <= depth <= 4


def test_a_chain_of_references_that_is_too_long_is_refused():
    chain = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(3000)}
    with pytest.raises(Unimplemented, match="too large"):
        bounded({"$ref": "#/$defs/d0", "$defs": {**chain, "d3000": {"type": "integer"}}}, 512)


def test_an_expression_that_would_take_years_is_left_to_validation():
    values = ["a" * 60 + "!", "a"]
    assert copy_of({"type": "string", "enum": values, "pattern": "^(a|a)*$"}) == {"enum": values}


def test_a_tight_limit_makes_a_tight_copy():
    schema = {"type": "array", "items": {"type": "string"}}
    assert longest(copy_of(schema, 2000)) > longest(copy_of(schema, 100))
    assert longest(copy_of(schema, 100)) <= 100


def test_what_must_be_long_stays_long():
    assert property_of({"type": "string", "minLength": 900})["maxLength"] >= 900


def test_a_condition_becomes_alternatives():
    schema = {
        "type": "object",
        "properties": {"c": {"enum": ["US", "UK"]}, "p": {"type": "string"}},
        "required": ["c", "p"],
        "if": {"properties": {"c": {"const": "US"}}},
        "then": {"properties": {"p": {"pattern": "^[0-9]{5}$"}}},
    }
    us, uk = copy_of(schema)["anyOf"]
    assert (us["properties"]["c"], us["properties"]["p"]["pattern"]) == ({"enum": ["US"]}, "^[0-9]{5}$")
    assert uk["properties"]["c"] == {"enum": ["UK"]}


@pytest.mark.parametrize(
    "schema",
    [False, {"allOf": [{"type": "string"}, {"type": "null"}]}, {"const": 1, "enum": [2]}, {"not": {}}],
)
def test_what_allows_nothing_is_refused(schema: Any):
    with pytest.raises(Unimplemented, match="found no JSON"):
        bounded({"type": "object", "properties": {"a": schema}, "required": ["a"]}, None)


@pytest.mark.parametrize(
    ("pattern", "said", "shortest"),
    [
        (r"^\d{3}-\w+$", r"^[0-9]{3}\-[A-Za-z0-9_]+$", 5),
        (r"^(?P<x>a|bc)?d$", "^(?:a|bc)?d$", 1),
        (r"[^\s,.]{2,}", r"[^ ,\.]{2,}", 2),
        ("a+?b*?", "a+b*", 1),
        ("^é\\u00e9$", "^éé$", 2),
    ],
)
def test_patterns_are_said_again(pattern: str, said: str, shortest: int):
    translated = translate(pattern)
    assert translated is not None
    assert (translated.text, translated.shortest) == (said, shortest)


def test_what_is_looked_ahead_for_must_match_too():
    translated = translate("^(?=.*[0-9])[a-z0-9]+$")
    assert translated is not None
    assert [also.text for also in translated.also] == ["^(?:.*[0-9])"]


@pytest.mark.parametrize("pattern", [r"(a)\1", r"\bcat\b", "a(?!b)", "(?<=a)b", "a(?=b)c", "(a", "[a", "a{,3}", "a++"])
def test_what_the_grammar_has_no_words_for_is_left_to_validation(pattern: str):
    assert translate(pattern) is None


@pytest.mark.parametrize("form", FORMATS)
def test_the_pattern_of_a_format_is_one_that_can_be_said(form: str):
    assert translate(FORMATS[form]) is not None


@pytest.mark.model
@pytest.mark.parametrize(
    "name",
    [
        "founding: pydantic union",
        "number bounds",
        "pattern that looks ahead",
        "format email",
        "tree",
        "pattern properties",
        "if then else",
        "unicode names",
    ],
)
async def test_the_engine_keeps_to_a_copy(engine: EmbeddedModel, name: str):
    case = next(case for case in CASES if case["name"] == name)
    prompt = Prompt([UserInput((Text(case["prompt"]),))], schema=case["schema"])
    fragments = [fragment async for fragment in engine.stream(prompt)]
    text = "".join(fragment.text for fragment in fragments if isinstance(fragment, TextFragment))
    assert fragments[-1] == Finished("stop")
    assert "\n" not in text
    Draft202012Validator(case["schema"]).validate(json.loads(text))
