"""Calling: how a model that was never taught to call functions is brought to make a call, and to tell what came of it.

A call is drafted from the request itself (`filling.py`). Often that is all of it, and no model is asked. What is still
missing is asked of the model, bound to the function's own schema, in which all that is known already stands fixed.
Whatever comes out is valid against the schema that the function declares, or is no call.

    draft = draft_call(wanted)
    draft.prompt is None        draft.arguments is the call
    else                        draft.finish(the text that the model made of draft.prompt) is

After the result the model says it in words: `result_prompt`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnwise.domain.content import JSON, Text
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, UserInput
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.engine.choosing import Wanted
from turnwise.engine.filling import fill, options_of, parameters_of, required_of, type_of
from turnwise.models.model import Prompt

ARGUMENTS_TOKENS = 160
"""How long the arguments that a model makes may be."""

RESULT_TOKENS = 200
"""How long the sentence about a result may be."""

TEXT_LENGTH = 200
"""How many characters an argument may have when its schema sets no bound, so that it comes to an end."""

_ARGUMENTS = (
    "You turn a request into the arguments of a function, as JSON. Copy names, numbers and words from the request."
)
_ARGUMENT_EXAMPLES = (
    (
        "Function: reserve_court. Books a sports court.\nArguments: sport, players (a number), day\n"
        "Request: I'd like to play tennis on Friday, there will be 4 of us.",
        '{"sport": "tennis", "players": 4, "day": "Friday"}',
    ),
    (
        "Function: share_file. Shares a file with people.\nArguments: file, people (a list), comment (what to tell them)\n"
        "Request: Please share plan.pdf with Nora and Sam and tell them it is final.",
        '{"file": "plan.pdf", "people": ["Nora", "Sam"], "comment": "it is final"}',
    ),
)

_RESULT = "Answer the question with the result. Say only what the result says."
_RESULT_EXAMPLES = (
    (
        "Question: When does the museum open?\nResult: opens: 9 am, closes: 5 pm",
        "The museum opens at 9 am and closes at 5 pm.",
    ),
    ("Question: Reserve a court for Friday.\nResult: The court is reserved.", "The court is reserved."),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A call as far as it is known, and how to ask for the rest."""

    tool: FunctionTool
    arguments: Mapping[str, JSON]
    """What is known."""
    prompt: Prompt | None
    """What the model is to be asked. None: nothing is missing."""

    def finish(self, text: str) -> dict[str, JSON] | None:
        """The whole arguments, with what the model answered to the prompt. None: they would not be valid."""
        try:
            made = json.loads(text)
        except ValueError:
            made = {}
        said = made if isinstance(made, dict) else {}
        arguments = {
            name: {**said, **self.arguments}[name]
            for name in parameters_of(self.tool)
            if name in {**said, **self.arguments}
        }
        fitting = {name: value for name, value in arguments.items() if fits(value, parameters_of(self.tool)[name])}
        return fitting if required_of(self.tool) <= set(fitting) else None


def draft_call(wanted: Wanted, before: Mapping[str, JSON] | None = None) -> Draft:
    """The call that a request asks for. `before`: the arguments of the call that it follows up, which it may change."""
    properties, required = parameters_of(wanted.tool), required_of(wanted.tool)
    filled = fill(wanted.request, wanted.tool).arguments
    known = {**(before or {}), **filled}
    arguments = {
        name: known[name] for name, schema in properties.items() if name in known and fits(known[name], schema)
    }
    for name, schema in properties.items():
        if name in required and name not in arguments and ("default" in schema or len(options_of(schema)) == 1):
            arguments[name] = schema.get("default", (options_of(schema) or [None])[0])
    missing = [name for name in properties if name in required and name not in arguments]
    prompt = arguments_prompt(wanted, arguments, missing) if missing else None
    return Draft(wanted.tool, arguments, prompt)


def arguments_prompt(wanted: Wanted, known: Mapping[str, JSON], missing: Sequence[str]) -> Prompt:
    """How the model is asked for the arguments that the request did not give away."""
    properties = parameters_of(wanted.tool)
    names = [name for name in properties if name in known or name in missing]
    listed = ", ".join(_introduce(name, properties[name]) for name in names)
    question = (
        f"Function: {wanted.tool.name}. {wanted.tool.description}\nArguments: {listed}\nRequest: {wanted.request}"
    )
    return _ask(_ARGUMENTS, _ARGUMENT_EXAMPLES, question, narrowed(wanted.tool, known, missing), ARGUMENTS_TOKENS)


def narrowed(tool: FunctionTool, known: Mapping[str, JSON], missing: Sequence[str]) -> Schema:
    """The function's schema with what is known fixed, what is missing required, and nothing else."""
    properties = {
        name: {"const": known[name]} if name in known else _bounded(schema)
        for name, schema in parameters_of(tool).items()
        if name in known or name in missing
    }
    shared = {key: tool.parameters[key] for key in ("$defs", "definitions") if key in tool.parameters}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **shared,
    }


def result_prompt(request: str, results: Sequence[FunctionResult]) -> Prompt:
    """How the model is asked to say in words what the functions gave back."""
    said = "\n".join(render_result(result) for result in results)
    return _ask(_RESULT, _RESULT_EXAMPLES, f"Question: {request}\nResult: {said}", None, RESULT_TOKENS)


def render_result(result: FunctionResult) -> str:
    """A result in plain words: text as it is, objects as "name: value", errors as such."""
    said = _plain(result.result) or "done"
    return f"Error: {said}" if result.is_error and not said.lower().startswith("error") else said


def is_answered(steps: Sequence[Step]) -> bool:
    """Whether a conversation ends with results, so that it is time to speak of them."""
    return bool(steps) and isinstance(steps[-1], FunctionResult)


def pending(steps: Sequence[Step]) -> tuple[str, tuple[FunctionResult, ...]]:
    """Of a conversation that ends with results: the request that they answer, and the results."""
    results: list[FunctionResult] = []
    for step in reversed(steps):
        match step:
            case FunctionResult():
                results.append(step)
            case UserInput():
                return text_of(step), tuple(reversed(results))
            case _:
                continue
    return "", tuple(reversed(results))


def last_call(steps: Sequence[Step]) -> FunctionCall | None:
    """The last call of a conversation: what "And in Tokyo?" goes on from."""
    return next((step for step in reversed(steps) if isinstance(step, FunctionCall)), None)


def spoken(steps: Sequence[Step]) -> tuple[Step, ...]:
    """A conversation in which calls and results are told in words, for a model that knows neither."""
    told: list[Step] = []
    for step in steps:
        match step:
            case FunctionCall():
                continue
            case FunctionResult():
                told.append(ModelOutput((Text(render_result(step)),)))
            case _:
                told.append(step)
    return tuple(told)


def text_of(step: UserInput | ModelOutput) -> str:
    """All text of a message."""
    return "\n".join(part.text for part in step.content if isinstance(part, Text))


def _ask(system: str, examples: Sequence[tuple[str, str]], question: str, schema: Schema | None, tokens: int) -> Prompt:
    steps: list[Step] = []
    for asked, answered in examples:
        steps += [UserInput((Text(asked),)), ModelOutput((Text(answered),))]
    steps.append(UserInput((Text(question),)))
    generation = GenerationConfig(temperature=0.0, max_output_tokens=tokens)
    return Prompt(steps, system, schema=schema, generation=generation, streaming=schema is None)


def _introduce(name: str, schema: Schema) -> str:
    kind = {"integer": "a number", "number": "a number", "array": "a list", "boolean": "true or false"}.get(
        type_of(schema), ""
    )
    options = ", ".join(str(option) for option in options_of(schema))
    about = "; ".join(
        part for part in (kind, str(schema.get("description", "")), f"one of {options}" if options else "") if part
    )
    return f"{name} ({about})" if about else name


def _bounded(schema: Schema) -> Schema:
    """A schema whose texts and lists come to an end."""
    kind = type_of(schema)
    if kind == "string" and not options_of(schema) and not {"pattern", "format", "maxLength"} & set(schema):
        return {**schema, "type": "string", "minLength": 1, "maxLength": TEXT_LENGTH}
    if kind == "array" and "maxItems" not in schema:
        items = schema.get("items")
        return {
            **schema,
            "type": "array",
            "maxItems": 12,
            **({"items": _bounded(items)} if isinstance(items, dict) else {}),
        }
    return {**schema, "type": schema["type"].lower()} if isinstance(schema.get("type"), str) else schema


def fits(value: JSON, schema: Schema) -> bool:
    """Whether a value is valid against the schema of a parameter, as far as a parameter's schema usually goes."""
    options = options_of(schema)
    if options and value not in options:
        return False
    for key in ("anyOf", "oneOf"):
        if isinstance(schema.get(key), list):
            return any(fits(value, each) for each in schema[key])
    if "type" not in schema:
        return True
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(_is_a(value, str(kind).lower(), schema) for kind in kinds)


def _is_a(value: JSON, kind: str, schema: Schema) -> bool:
    match kind:
        case "string":
            return isinstance(value, str) and _in_range(len(value), schema, "Length") and _matches(value, schema)
        case "integer" | "number":
            wanted = int if kind == "integer" else (int, float)
            return isinstance(value, wanted) and not isinstance(value, bool) and _in_bounds(value, schema)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            items = schema.get("items")
            good = isinstance(value, list) and _in_range(len(value), schema, "Items")
            return good and (not isinstance(items, dict) or all(fits(each, items) for each in value))
        case "object":
            return isinstance(value, dict) and set(schema.get("required", ())) <= set(value)
        case "null":
            return value is None
        case _:
            return True


def _in_range(size: int, schema: Schema, of: str) -> bool:
    return bool(schema.get(f"min{of}", 0) <= size <= schema.get(f"max{of}", size))


def _in_bounds(value: Any, schema: Schema) -> bool:
    above = value >= schema.get("minimum", value) and not value <= schema.get("exclusiveMinimum", value - 1)
    below = value <= schema.get("maximum", value) and not value >= schema.get("exclusiveMaximum", value + 1)
    step = schema.get("multipleOf")
    return above and below and (not step or abs(value / step - round(value / step)) < 1e-9)


def _matches(value: str, schema: Schema) -> bool:
    pattern = schema.get("pattern")
    try:
        return not isinstance(pattern, str) or bool(re.search(pattern, value))
    except re.error:
        return True


def _plain(result: JSON) -> str:
    """JSON as one would read it aloud."""
    match result:
        case str():
            return _plain_text(result)
        case bool():
            return "yes" if result else "no"
        case None:
            return ""
        case {"type": "text", "text": str(text)}:
            return text
        case {"result": inner} | {"output": inner} | {"items": inner} if len(result) == 1:
            return _plain(inner)
        case dict():
            return ", ".join(f"{_name(key)}: {_plain(value)}" for key, value in result.items() if value is not None)
        case list():
            return "; ".join(_plain(value) for value in result)
        case _:
            return str(result)


def _plain_text(text: str) -> str:
    """Text as it is, unless it is JSON written as text."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _plain(json.loads(text))
        except ValueError:
            return text
    return text


def _name(key: str) -> str:
    return re.sub(r"[_-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key)).lower()
