"""What a function wants, told from what it declares."""

from typing import Any

from engine.functions import TEXT
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.filling import fill
from turnwise.engine.rules.parameters import read_parameters

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": TEXT, "email": {**TEXT, "format": "email"}},
    "required": ["name"],
}


def declared(properties: dict[str, Any], required: list[str], **more: Any) -> FunctionTool:
    return FunctionTool("do_it", "", {"type": "object", "properties": properties, "required": required, **more})


def test_the_properties_of_an_object_are_filled_in_their_place() -> None:
    tool = declared({"contact": PERSON}, ["contact"])
    filled = fill("Save Maria Lopez, maria.lopez@mail.com", tool)
    assert filled.arguments == {"contact": {"name": "Maria Lopez", "email": "maria.lopez@mail.com"}}


def test_an_object_without_what_it_requires_is_left_out() -> None:
    assert fill("Write to maria@mail.com", declared({"contact": PERSON}, [])).arguments == {}
    assert fill("Write to maria@mail.com", declared({"contact": PERSON}, ["contact"])).missing == ("contact",)


def test_references_and_alternatives_to_null_are_seen_through() -> None:
    tool = declared(
        {"who": {"$ref": "#/$defs/person"}, "when": {"anyOf": [{**TEXT, "format": "date"}, {"type": "null"}]}},
        ["who"],
        **{"$defs": {"person": PERSON}},
    )
    roles = {param.path: param.role for param in read_parameters(tool)}
    assert roles == {("who", "name"): "person", ("who", "email"): "email", ("when",): "date"}


def test_lists_of_objects_are_read_item_by_item() -> None:
    line = {"type": "object", "properties": {"product": TEXT, "quantity": {"type": "integer"}}, "required": ["product"]}
    tool = declared({"items": {"type": "array", "items": line}}, ["items"])
    items = [{"product": "toothbrushes", "quantity": 2}, {"product": "shampoo", "quantity": 1}]
    assert fill("Buy two toothbrushes and a shampoo", tool).arguments == {"items": items}
