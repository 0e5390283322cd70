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

from turnwise.domain.content import JSON, Text
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, UserInput
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.engine.rules.choosing import Wanted
from turnwise.engine.rules.filling import fill
from turnwise.engine.rules.parameters import options_of, parameters_of, required_of, type_of
from turnwise.engine.schema import violation
from turnwise.models.model import Prompt

ARGUMENTS_TOKENS = 160
"""How long the arguments that a model makes may be."""

RESULT_TOKENS = 80
"""How long the sentence about a result may be."""

LONG_RESULT = 400
"""In characters: longer results are not told again once they were answered."""

MOST_OF_RESULT = 1200
"""In characters: how much of a long result is told at all."""

SHARED = ("$defs", "definitions")
"""Where a schema keeps what its parameters refer to."""

NEW_WORDS = 5
"""How many words of its own the model may add to a result."""

DONE = frozenset(
    ("done", "ok", "okay", "success", "true", "yes", "ok: yes", "success: yes", "status: ok", "status: success")
)
"""Results that say only that it worked."""

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
        "Function: share_file. Shares a file with people.\n"
        "Arguments: file, people (a list), comment (what to tell them)\n"
        "Request: Please share plan.pdf with Nora and Sam and tell them it is final.",
        '{"file": "plan.pdf", "people": ["Nora", "Sam"], "comment": "it is final"}',
    ),
)

_RESULT = "Answer the question with the result. Say only what the result says."
_RESULT_EXAMPLES = (
    (
        "Question: When does the museum open?\nResult: opens: 9 am, closes: 5 pm",
        '"The museum opens at 9 am and closes at 5 pm."',
    ),
    ("Question: How tall is the tower?\nResult: height: 96, unit: metres", '"The tower is 96 metres tall."'),
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
            return None
        known = {**made, **self.arguments} if isinstance(made, dict) else {}
        arguments = {name: known[name] for name in parameters_of(self.tool) if name in known}
        return None if violation(arguments, self.tool.parameters) else arguments


def draft_call(wanted: Wanted) -> Draft:
    """The call that a request asks for."""
    properties, required = parameters_of(wanted.tool), required_of(wanted.tool)
    filled = fill(wanted.request, wanted.tool).arguments
    known = {**wanted.before, **filled}
    arguments = {name: known[name] for name in properties if name in known and fits(known[name], name, wanted.tool)}
    for name, schema in properties.items():
        if name in required and name not in arguments and ("default" in schema or len(options_of(schema)) == 1):
            arguments[name] = schema.get("default", (options_of(schema) or [None])[0])
    missing = [name for name in properties if name in required and name not in arguments]
    whole = not missing and violation(arguments, wanted.tool.parameters) is None
    prompt = None if whole else arguments_prompt(wanted, arguments, missing)
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said of results, as far as it is known, and how to have the rest of it worded."""

    text: str
    """What can be said in any case: the results in plain words."""
    prompt: Prompt | None
    """What the model is to be asked, for a better wording. None: the text is good as it is."""

    values: tuple[str, ...] = ()
    """What the wording must have in it, to the letter."""

    def finish(self, text: str) -> str:
        """The answer, with what the model made of the prompt, if that says the same."""
        try:
            made = json.loads(text)
        except ValueError:
            return self.text
        return made if isinstance(made, str) and self._is_faithful(made) else self.text

    def _is_faithful(self, made: str) -> bool:
        """Whether a wording has all of the values, and no number, name or crowd of words from nowhere."""
        assert self.prompt is not None
        asked = self.prompt.steps[-1]
        given = text_of(asked).lower() if isinstance(asked, UserInput) else ""
        new = [word for word in re.findall(r"[\w.]*\w", made) if word.lower() not in given]
        invented = any(word[0].isdigit() or (word[0].isupper() and not made.startswith(word)) for word in new)
        whole = all(value.lower() in made.lower() for value in self.values)
        return whole and not invented and len(new) <= NEW_WORDS and made.rstrip().endswith((".", "!"))


def draft_answer(request: str, results: Sequence[FunctionResult]) -> Answer:
    """What to say of the results that a request's calls gave.

    A sentence is passed on as it is. Bare values are put into a sentence by the model, whose wording is taken only if
    it has them all, to the letter: a small model rounds numbers and invents currencies.
    """
    plain = " ".join(_sentence(render_result(result)) for result in results)
    single = results[0] if len(results) == 1 else None
    values = [] if single is None or single.is_error else _bare_values(_opened(single.result))
    if single is None or not values:
        return Answer(plain, None)
    about = re.match(r"(?i)what(?:'s| is| was) (the [^?]+?)\s*\?*$", request.strip())
    if about and len(values) == 1:
        plain = _sentence(f"{about.group(1)} is {values[0]}")
    return Answer(plain, result_prompt(request, results), tuple(values))


def result_prompt(request: str, results: Sequence[FunctionResult]) -> Prompt:
    """How the model is asked to put results into a sentence, which comes as a JSON text."""
    said = "; ".join(render_result(result) for result in results)
    schema = {"type": "string", "minLength": 4, "maxLength": TEXT_LENGTH}
    return _ask(_RESULT, _RESULT_EXAMPLES, f"Question: {request}\nResult: {said}", schema, RESULT_TOKENS)


def _bare_values(result: JSON) -> list[str]:
    """The values of a result that are no sentence by themselves. Empty: it can be said as it is."""
    match result:
        case bool() | None:
            return []
        case int() | float():
            return [_plain(result)]
        case str():
            bare = len(result.split()) < (2 if result.endswith((".", "!")) else 3)
            return [result] if bare and result.lower().strip(".!") not in DONE else []
        case dict() if 0 < len(result) <= 3 and all(isinstance(v, str | int | float) for v in result.values()):
            values = [_bare_values(value) for value in result.values()]
            return [each for value in values for each in value] if all(values) else []
        case _:
            return []


def _opened(result: JSON) -> JSON:
    """A result without its wrapping: JSON written as text, or a lone text object."""
    match result:
        case str() if result.lstrip()[:1] in ("{", "["):
            try:
                return json.loads(result)
            except ValueError:
                return result
        case [{"type": "text", "text": str(text)}] | {"type": "text", "text": str(text)}:
            return _opened(text)
        case {"result": inner} | {"output": inner} if len(result) == 1:
            return _opened(inner)
        case _:
            return result


def _sentence(text: str) -> str:
    """Words with a capital letter at their head and a stop behind them."""
    text = text.strip()
    if text.lower().strip(".!") in DONE:
        return "Done."
    text = text[:1].upper() + text[1:]
    return text if text[-1:] in ".!?:;)\"'" or "\n" in text else text + "."


def render_result(result: FunctionResult) -> str:
    """A result in plain words: text as it is, objects as "name: value", errors as such."""
    said = _plain(_opened(result.result)) or "done"
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
    """A conversation in which calls and results are told in words, for a model that knows neither. Of a long result
    that was answered the answer is enough."""
    told: list[Step] = []
    for index, step in enumerate(steps):
        match step:
            case FunctionCall():
                continue
            case FunctionResult():
                said = render_result(step)
                if len(said) <= LONG_RESULT:
                    told.append(ModelOutput((Text(said),)))
                elif not _is_told(steps[index + 1 :]):
                    told.append(ModelOutput((Text(f"{said[:MOST_OF_RESULT]} ..."),)))
            case _:
                told.append(step)
    return tuple(told)


def _is_told(later: Sequence[Step]) -> bool:
    """Whether something was said before the user spoke again."""
    for step in later:
        if isinstance(step, UserInput):
            return False
        if isinstance(step, ModelOutput) and text_of(step).strip():
            return True
    return False


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


def fits(value: JSON, name: str, tool: FunctionTool) -> bool:
    """Whether a value is valid for a parameter."""
    shared = {key: tool.parameters[key] for key in SHARED if key in tool.parameters}
    return violation(value, {**parameters_of(tool)[name], **shared}) is None


def _plain(result: JSON) -> str:
    """JSON as one would read it aloud."""
    match result:
        case str():
            return result
        case bool():
            return "yes" if result else "no"
        case None:
            return ""
        case {"type": "text", "text": str(text)}:
            return text
        case dict():
            return ", ".join(f"{_name(key)}: {_plain(value)}" for key, value in result.items() if value is not None)
        case list():
            return "; ".join(_plain(value) for value in result)
        case _:
            return str(result)


def _name(key: str) -> str:
    return re.sub(r"[_-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key)).lower()
