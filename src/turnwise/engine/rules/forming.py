"""Forming: an answer in JSON by the client's schema, filled from what tools have told.

The model is shown the sentences that answer, and fills in. A small model likes to fill in what it half remembers; so
short values that stand neither in the request nor in what was told are asked for once more, and then the model may only
choose among the names, numbers and dates that stand there.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from turnwise.domain.content import JSON, Text
from turnwise.domain.steps import FunctionCall, FunctionResult, ServerTool, Step, UserInput
from turnwise.domain.tools import Schema
from turnwise.engine.rules.computing import printed
from turnwise.engine.rules.findings import joined, read_findings
from turnwise.engine.rules.reporting import question_of, results_of, told_of
from turnwise.engine.rules.searching import answering
from turnwise.engine.rules.summing_up import summary
from turnwise.engine.rules.values import read_values
from turnwise.engine.schema import violation
from turnwise.models.model import Prompt

SHOWN = 700
"""In characters: how much of what was told the model is shown."""

SHORT = 6
"""In words: longer values are words of the model's own, and not looked for."""

CHOICES = 16
"""How many values the model may choose among."""

UNKNOWN = "unknown"
"""What stands for a value of which nothing was found."""

_SCORE = re.compile(r"(?<![\w.-])\d{1,3} ?[-–—:] ?\d{1,3}(?![\w-])")
_SCORED = re.compile(r"(?i)(?:\b|_)score|(?-i:[a-z]Score)|final.result")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?")
_TIMED = re.compile(r"(?i)date|year|when|day|month|time")


@dataclass(frozen=True, slots=True)
class Form:
    """How to have a form filled in."""

    prompt: Prompt
    found: str
    """What was told that answers."""
    given: str
    """All that a value may stand in: the request, and what was found."""
    is_retrieved: bool
    """Whether the values were searched for or computed, so that what was not found is not known."""

    def again(self, text: str) -> Prompt | None:
        """How to ask once more, if what the model made holds values that stand nowhere. None: it is good."""
        schema = self.prompt.schema
        value = _parsed(text)
        if not self.is_retrieved or schema is None or value is None:
            return None
        narrowed = _narrowed(schema, value, self)
        return None if narrowed == schema else replace(self.prompt, schema=narrowed)

    def accepts(self, text: str) -> bool:
        """Whether a second answer keeps to the client's own schema."""
        value = _parsed(text)
        return value is not None and violation(value, self.prompt.schema or {}) is None


def form_from(prompt: Prompt, served: Mapping[str, ServerTool]) -> Form:
    """The form that a prompt wants filled in, with what its tools have told since the user spoke last."""
    results = results_of(prompt.steps)
    question = question_of(prompt.steps)
    found = "\n".join(filter(None, (_found(question, result, served) for _, result in results)))
    steps = _asked(prompt.steps, found)
    said = " ".join(part.text for part in _last_input(prompt.steps).content if isinstance(part, Text))
    kinds = {served.get(result.name or "") for _, result in results}
    retrieved = bool(kinds & {"google_search", "file_search", "code_execution"})
    return Form(replace(prompt, steps=steps, tools=(), served={}), found, f"{said}\n{found}", retrieved)


def _found(question: str, result: FunctionResult, served: Mapping[str, ServerTool]) -> str:
    """What of a result the model is shown."""
    if result.is_error:
        return ""
    told = told_of(result)
    if served.get(result.name or "") == "code_execution":
        return printed(result)[:SHOWN]
    if served.get(result.name or "") in ("google_search", "file_search", "url_context"):
        findings = read_findings(told)
        sentences = answering(question, findings)
        beside = [one for one in findings if sentences and one.place == sentences[0].place and one not in sentences]
        return (
            _cut([joined(sentences), *(one.text for one in beside if one.is_whole)]) or summary(question, told)[:SHOWN]
        )
    return told[:SHOWN]


def _cut(texts: Sequence[str]) -> str:
    said = ""
    for text in filter(None, texts):
        if said and len(said) + len(text) >= SHOWN:
            break
        said = f"{said} {text}".strip()
    return said[:SHOWN]


def _last_input(steps: Sequence[Step]) -> UserInput:
    return next((step for step in reversed(steps) if isinstance(step, UserInput)), UserInput(()))


def _asked(steps: Sequence[Step], found: str) -> tuple[Step, ...]:
    """The conversation up to the request, which has what was found under it, and no calls and results."""
    said = [step for step in steps if not isinstance(step, FunctionCall | FunctionResult)]
    last = max((index for index, step in enumerate(said) if isinstance(step, UserInput)), default=-1)
    if last < 0:
        return (UserInput((Text(found),)),)
    request = said[last]
    assert isinstance(request, UserInput)
    content = (*request.content, Text(f"\n{found}")) if found else request.content
    return (*said[:last], UserInput(content))


# -- values that stand nowhere


def _narrowed(schema: Schema, value: JSON, form: Form) -> Schema:
    """The schema with those properties bound to what stands there whose values do not."""
    properties = schema.get("properties")
    if not isinstance(value, Mapping) or not isinstance(properties, Mapping):
        return schema
    changed = {
        name: _bound(name, properties[name], inner, form)
        for name, inner in value.items()
        if isinstance(properties.get(name), Mapping)
    }
    if all(changed[name] == properties[name] for name in changed):
        return schema
    kept = {name: _kept(inner, value[name]) if inner == properties[name] else inner for name, inner in changed.items()}
    return {**schema, "properties": {**properties, **kept}}


def _kept(schema: Schema, value: JSON) -> Schema:
    """A property whose value was good: the second time the model might spoil it."""
    is_plain = isinstance(value, str) and schema.get("type") == "string" and not schema.keys() & {"enum", "const"}
    return {**schema, "enum": [value]} if is_plain and value and len(value.split()) <= SHORT else schema


def _bound(name: str, schema: Schema, value: JSON, form: Form) -> Schema:
    match value:
        case str() if schema.get("type") == "string" and not schema.keys() & {"enum", "const", "format", "pattern"}:
            fits = _fits(name, schema, value, form)
            is_own = not value.strip() or (len(value.split()) > SHORT and not _SCORED.search(_about(name, schema)))
            if fits and (is_own or _stands(value, form)):
                return schema
            choices = list(_choices(name, schema, form))[:CHOICES] or [UNKNOWN]
            return {**schema, "enum": choices}
        case bool():
            return schema
        case int() | float() if schema.get("type") in ("integer", "number") and "enum" not in schema:
            numbers = [float(each.replace(",", "")) for each in _NUMBER.findall(form.found)]
            if not numbers or float(value) in numbers:
                return schema
            usable = [
                int(each) if each.is_integer() else each
                for each in numbers
                if each.is_integer() or schema["type"] == "number"
            ]
            return {**schema, "enum": list(dict.fromkeys(usable))[:CHOICES]} if usable else schema
        case Mapping():
            return _narrowed(schema, value, form)
        case _:
            return schema


def _stands(value: str, form: Form) -> bool:
    """Whether a value can be read in what was told or asked."""
    return _plain(value) in _plain(form.given)


def _fits(name: str, schema: Schema, value: str, form: Form) -> bool:
    """Whether a value is of the kind that its property is named for: a score of numbers, a date with one."""
    if _SCORED.search(_about(name, schema)):
        return bool(_SCORE.search(value)) or (value == UNKNOWN and not _SCORE.search(form.found))
    return not (_TIMED.search(name) and _NUMBER.search(form.found)) or bool(_NUMBER.search(value))


def _about(name: str, schema: Schema) -> str:
    """What a property is called and said to be."""
    return f"{name} {schema.get('description', '')}"


def _plain(text: str) -> str:
    return re.sub(r"[\s\W]+", " ", re.sub(r"[–—]", "-", text)).casefold().strip()


def _choices(name: str, schema: Schema, form: Form) -> Iterator[str]:
    """The values that a property could have, each once."""
    yield from dict.fromkeys(_candidates(name, schema, form))


def _candidates(name: str, schema: Schema, form: Form) -> Iterator[str]:
    if _SCORED.search(_about(name, schema)):
        yield from _SCORE.findall(form.found)
        return
    values = read_values(form.found)
    if _TIMED.search(name):
        dates = [value.text for value in values if value.kind in ("date", "time")]
        yield from dates or re.findall(r"\b\d{4}\b", form.found)
        return
    if re.search(r"(?i)number|count|amount|price|cost|population|height|age|total|value|answer|result", name):
        yield from _NUMBER.findall(form.found)
    yield from (value.text for value in values if value.kind in ("name", "quote") and len(value.text.split()) <= SHORT)


def _parsed(text: str) -> JSON:
    try:
        return json.loads(text)
    except ValueError:
        return None
