"""Every wire type as a JSON Schema, under its name: the components of `/openapi.json`.

The types are the ones that the server itself uses: the bodies that read requests, and the replies of `schema.py`. Their
fields' docstrings become descriptions. What a body holds as free JSON, because code and not pydantic reads it, is
described here, in `_described_by_hand`.
"""

import ast
import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any, TypeAlias

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import WithDefaultSchema

from turnwise.domain.content import JSON
from turnwise.wire import agents, file_search, files, formats, input, request, schema, tools, webhooks
from turnwise.wire.outputs import schema as outputs
from turnwise.wire.steps import schema as steps

Schema: TypeAlias = dict[str, JSON]

MODULES = (schema, outputs, steps, request, input, tools, formats, files, file_search, agents, webhooks)
"""Where wire types live."""

REQUESTS: tuple[type, ...] = (
    request.CreateBody,
    input.TextBody,
    input.MediaBody,
    input.ThoughtBody,
    input.FunctionCallBody,
    input.FunctionResultBody,
    input.ToolCallBody,
    input.ToolResultBody,
    input.MessageBody,
    input.TurnBody,
    tools.FunctionToolBody,
    tools.GoogleSearchBody,
    tools.CodeExecutionBody,
    tools.UrlContextBody,
    tools.ComputerUseBody,
    tools.McpServerBody,
    tools.FileSearchBody,
    tools.ToolChoiceBody,
    formats.TextFormatBody,
    formats.ImageFormatBody,
    formats.AudioFormatBody,
    formats.ImageConfigBody,
    formats.VoiceBody,
    formats.SpeakersBody,
    files.UploadBody,
    file_search.NewStoreBody,
    file_search.UploadToStoreBody,
    file_search.ImportFileBody,
    webhooks.NewWebhookBody,
    webhooks.WebhookUpdateBody,
    webhooks.RotateSecretBody,
    webhooks.PingBody,
    agents.AgentBody,
)

REPLIES: tuple[type, ...] = (
    steps.StepsInteraction,
    outputs.OutputsInteraction,
    schema.ErrorBody,
    schema.RpcErrorBody,
    schema.Model,
    schema.ModelList,
    schema.Nothing,
    files.FileResource,
    files.FileReply,
    files.FileList,
    file_search.SearchStoreResource,
    file_search.SearchStoreList,
    file_search.DocumentResource,
    file_search.DocumentList,
    file_search.OperationResource,
    webhooks.WebhookResource,
    webhooks.WebhookList,
    webhooks.RotatedSecret,
    webhooks.PublicKeys,
    agents.Agent,
    agents.AgentPage,
)

UNIONS: Mapping[str, tuple[Any, str]] = {
    "StepsEvent": (steps.StepsEvent, "The data of a frame in the current dialect."),
    "OutputsEvent": (outputs.OutputsEvent, "The data of a frame in the founding dialect."),
    "StepsDelta": (steps.StepsDelta, "More of a step, by its type."),
    "OutputsDelta": (outputs.OutputsDelta, "More of an output, by its type."),
    "StartedStep": (steps.StartedStep, "A step as its start shows it, by its type."),
    "Step": (steps.Step, "A step of the timeline, by its type."),
    "Output": (outputs.Output, "An output, by its type."),
    "Content": (schema.Content, "A piece of content, by its type."),
}
"""Unions that are worth a name, each before those that it holds."""


def ref(name: str) -> dict[str, str]:
    """Where a component stands."""
    return {"$ref": f"#/components/schemas/{name}"}


class _Plain(GenerateJsonSchema):
    """Without what says nothing: titles that repeat the field's name, and `null` as the default of what is optional."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: WithDefaultSchema) -> dict[str, Any]:
        body = super().default_schema(schema)
        if body.get("default", ...) is None:
            del body["default"]
        return body


def build_components() -> dict[str, JSON]:
    """The schemas, by name."""
    roots = {cls.__name__: cls for cls in (*REQUESTS, *REPLIES)} | {name: union for name, (union, _) in UNIONS.items()}
    found, shared = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(type)) for name, type in roots.items()],
        ref_template=ref("{model}")["$ref"],
        schema_generator=_Plain,
    )
    schemas: dict[str, JSON] = shared["$defs"]
    for name, cls in _classes():
        if name in schemas:
            _describe(schemas[name], cls)
    _describe_by_hand(schemas)
    return _name_unions(schemas, {name: found[name, "validation"] for name in UNIONS})


# -- descriptions


def _classes() -> Iterable[tuple[str, type]]:
    for module in MODULES:
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                yield name, value


def _describe(body: dict[str, JSON], cls: type) -> None:
    """Give a schema's fields their docstrings, and mark those that are refused for now."""
    body.pop("title", None)
    aliases = {name: field.alias or name for name, field in getattr(cls, "model_fields", {}).items()}
    docs = {aliases.get(name, name): doc for name, doc in attribute_docs(cls).items()}
    later = getattr(cls, "LATER", ())
    for name, field in body.get("properties", {}).items():
        described = docs.get(name, "")
        if name in later:
            described = f"{described} Not supported yet: refused with 501.".lstrip()
            field["x-not-yet"] = True
        if described:
            field["description"] = described


def attribute_docs(cls: type) -> dict[str, str]:
    """The docstrings under a class's attributes, those of its bases included."""
    docs: dict[str, str] = {}
    for base in cls.__dict__.get("__orig_bases__", cls.__bases__):
        if getattr(base, "__module__", "").startswith("turnwise."):
            docs |= attribute_docs(base)
    module = inspect.getmodule(cls)
    assert module is not None
    return docs | _module_docs(module).get(cls.__name__, {})


@cache
def _module_docs(module: ModuleType) -> dict[str, dict[str, str]]:
    """The docstrings under attributes, by class."""
    tree = ast.parse(inspect.getsource(module))
    return {node.name: dict(_documented(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _documented(node: ast.ClassDef) -> Iterable[tuple[str, str]]:
    for field, below in pairwise(node.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(str(doc))):
                yield name, inspect.cleandoc(doc).replace("\n", " ")


# -- what pydantic does not read


def _describe_by_hand(schemas: dict[str, JSON]) -> None:
    """What code reads, and pydantic holds as free JSON."""
    schemas["PieceBody"] = _one_of(
        "A piece of content, or a thought, a call or a result, by its type.", *CONTENT_BODIES, *WHOLE_BODIES
    )
    schemas["InputBody"] = {
        "description": "What is asked, in any form. Content that stands side by side in the list is one message.",
        "anyOf": [
            {"type": "string", "minLength": 1},
            *ITEM,
            {"type": "array", "minItems": 1, "items": {"anyOf": ITEM}},
        ],
    }
    for body, fields in _FREE.items():
        for name, described in fields.items():
            _put(schemas[body]["properties"], name, described)
    asked = schemas["CreateBody"]
    asked.setdefault("required", []).append("input")
    asked["properties"]["tools"]["description"] += f" Not yet: {', '.join(tools.LATER_TOOLS)}."


CONTENT_BODIES = ("TextBody", "MediaBody")
WHOLE_BODIES = ("ThoughtBody", "FunctionCallBody", "FunctionResultBody", "ToolCallBody", "ToolResultBody")
TOOL_BODIES = (
    "FunctionToolBody",
    "GoogleSearchBody",
    "CodeExecutionBody",
    "UrlContextBody",
    "ComputerUseBody",
    "McpServerBody",
    "FileSearchBody",
)

NULL = {"type": "null"}
ITEM = [ref("PieceBody"), ref("MessageBody"), ref("TurnBody")]
MESSAGE = [{"type": "string"}, ref("PieceBody"), {"type": "array", "items": ref("PieceBody")}]
FORM = [
    ref("TextFormatBody"),
    ref("ImageFormatBody"),
    ref("AudioFormatBody"),
    {"type": "object", "description": "A JSON Schema. Its `type` is none of text, image, audio and video."},
]

_FREE: Mapping[str, Mapping[str, Schema]] = {
    "CreateBody": {
        "input": ref("InputBody"),
        "tools": {"type": ["array", "null"], "items": {"oneOf": [*map(ref, TOOL_BODIES)]}},
        "response_format": {"anyOf": [*FORM, {"type": "array", "items": {"anyOf": FORM}}, NULL]},
    },
    "GenerationConfigBody": {
        "tool_choice": {"anyOf": [{"enum": ["auto", "any", "none", "validated"]}, ref("ToolChoiceBody"), NULL]},
        "image_config": {"anyOf": [ref("ImageConfigBody"), NULL]},
        "speech_config": {
            "anyOf": [ref("VoiceBody"), {"type": "array", "items": ref("VoiceBody")}, ref("SpeakersBody"), NULL]
        },
    },
    "NewFileBody": {"sizeBytes": {"type": ["integer", "string", "null"]}},
    "ThoughtBody": {"summary": {"type": ["array", "null"], "items": {"anyOf": [*map(ref, CONTENT_BODIES)]}}},
    "MessageBody": {"content": {"anyOf": [*MESSAGE, NULL]}},
    "TurnBody": {"content": {"anyOf": MESSAGE}},
    "ToolCallBody": {"type": {"enum": [f"{tool}_call" for tool in input.SERVER_TOOLS]}},
    "ToolResultBody": {"type": {"enum": [f"{tool}_result" for tool in input.SERVER_TOOLS]}},
}
"""The fields that pydantic holds as free JSON, and what they may be."""


def _one_of(about: str, *names: str) -> Schema:
    return {"description": about, "oneOf": [ref(name) for name in names]}


def _put(fields: Schema, name: str, described: Mapping[str, JSON]) -> None:
    """Replace a field's free JSON, and keep what was said of it."""
    said = {key: value for key, value in fields[name].items() if key in ("description", "x-not-yet")}
    fields[name] = {**described, **said}


# -- unions


def _name_unions(schemas: dict[str, JSON], unions: Mapping[str, JSON]) -> dict[str, JSON]:
    """The schemas with every union that has a name under it, once, and a reference wherever it is used."""
    named = {name: {"description": UNIONS[name][1], **_inside(body, unions)} for name, body in unions.items()}
    return dict(sorted((named | {name: _inside(body, unions) for name, body in schemas.items()}).items()))


def _inside(value: JSON, unions: Mapping[str, JSON]) -> JSON:
    if isinstance(value, dict):
        return {key: _referred(inner, unions) for key, inner in value.items()}
    if isinstance(value, list):
        return [_referred(inner, unions) for inner in value]
    return value


def _referred(value: JSON, unions: Mapping[str, JSON]) -> JSON:
    if not isinstance(value, dict):
        return _inside(value, unions)
    said = {"description": value["description"]} if "description" in value else {}
    bare = {key: inner for key, inner in value.items() if key != "description"}
    for name, union in unions.items():
        if bare == union:
            return {**ref(name), **said}
    return _inside(value, unions)
