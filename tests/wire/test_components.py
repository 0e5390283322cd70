"""The description of requests, held against the reader of requests: what the one allows the other understands, and
the other way round."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from domain.samples import STEPS, interaction
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.steps import Step
from turnwise.wire import DIALECTS
from turnwise.wire.components import build_components
from turnwise.wire.input import ItemBody, parse_input
from turnwise.wire.request import Body
from turnwise.wire.tools import ToolBody
from wire.test_formats import SHAPES
from wire.test_input import FIELDS, FORMS, REFUSED, UNKNOWN
from wire.test_tools import CHOICES, LOOK

COMPONENTS = build_components()

BODIES = [*ItemBody.__subclasses__(), *ToolBody.__subclasses__(), *Body.__subclasses__()]
"""Every JSON object that a request may hold."""


def allows(name: str, value: Any) -> bool:
    """Whether the description allows a value."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": COMPONENTS}}
    return bool(Draft202012Validator(schema).is_valid(value))


@pytest.mark.parametrize("sent", [sent for sent, _ in FORMS.values()], ids=FORMS)
def test_every_form_of_input_that_is_understood_is_described(sent: Any):
    assert allows("InputBody", sent)
    assert allows("CreateBody", {"model": "m", "input": sent})


@pytest.mark.parametrize("sent", [sent for sent, _ in FIELDS.values()], ids=FIELDS)
def test_every_field_that_is_understood_is_described(sent: Any):
    assert allows("InputBody", [sent])


@pytest.mark.parametrize("form", [form for form, _, _ in SHAPES.values()], ids=SHAPES)
def test_every_form_of_answer_that_is_understood_is_described(form: Any):
    assert allows("CreateBody", {"model": "m", "input": "Hi", "response_format": form})


@pytest.mark.parametrize("choice", [choice for choice, _ in CHOICES.values()], ids=CHOICES)
def test_every_choice_of_tools_that_is_understood_is_described(choice: Any):
    body = {"model": "m", "input": "Hi", "tools": [LOOK], "generation_config": {"tool_choice": choice}}
    assert allows("CreateBody", body)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_every_step_that_is_read_may_be_sent_back(step: Step):
    assert allows("InputBody", DIALECTS["steps"].render_interaction(interaction(step))["steps"])


UNWRITTEN = ("media with nothing", "media by value and by address")
"""What the reader refuses and the description does not say."""

IMPOSSIBLE = {name: sent for name, (sent, _) in REFUSED.items() if name not in UNWRITTEN}


@pytest.mark.parametrize("sent", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_is_refused_is_not_described(sent: Any):
    assert not allows("CreateBody", {"model": "m", "input": sent})


@pytest.mark.parametrize("sent", [sent for sent, _ in UNKNOWN.values()], ids=UNKNOWN)
def test_a_field_that_nobody_knows_is_not_described(sent: Any):
    assert not allows("InputBody", [sent])


@pytest.mark.parametrize("body", BODIES)
def test_what_is_to_come_says_so(body: type[BaseModel]):
    fields = COMPONENTS[body.__name__]["properties"]
    marked = {name for name, field in fields.items() if field.get("x-not-yet")}
    assert marked == set(getattr(body, "LATER", ()))
    assert all(fields[name]["description"].endswith("Not supported yet: refused with 501.") for name in marked)


@pytest.mark.parametrize("body", BODIES)
def test_every_field_of_a_request_says_what_it_is(body: type[BaseModel]):
    for name, field in COMPONENTS[body.__name__]["properties"].items():
        assert field.get("description") or "const" in field or "enum" in field, name


def test_what_an_input_may_be_is_never_left_open():
    assert not allows("InputBody", None)
    assert not allows("InputBody", 3)
    with pytest.raises(InvalidRequest):
        parse_input(3)


def test_every_reference_leads_somewhere():
    assert {at.removeprefix("#/components/schemas/") for at in references(COMPONENTS)} <= set(COMPONENTS)


def test_every_component_is_a_valid_schema():
    for schema in COMPONENTS.values():
        Draft202012Validator.check_schema(schema)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        yield from value.get("discriminator", {}).get("mapping", {}).values()
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
