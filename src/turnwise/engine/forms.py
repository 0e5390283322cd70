"""Structured output: a model whose text keeps to a JSON Schema, whatever stands behind it.

Where the backend can bind its text to a schema while it is made, it is asked to; else the model is told what to write.
Either way the text is validated against the whole schema, and shown only if it is valid. If it is not, the model is
asked again, a bounded number of times and each time with another throw of the dice, since a model without chance says
the same thing twice; then the turn fails and says so. A text that the token limit cut is shown as it is, and the turn
is incomplete.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from turnwise.domain.content import Text
from turnwise.domain.errors import NotComplied
from turnwise.domain.interaction import GenerationConfig, Usage, add_usage
from turnwise.domain.steps import ModelOutput, Step, UserInput
from turnwise.domain.tools import Schema
from turnwise.engine.schema import violation
from turnwise.models.model import (
    CallFragment,
    Finished,
    FinishReason,
    Fragment,
    Model,
    Prompt,
    Taken,
    TextFragment,
    UsageFragment,
)

CHANCE = (0.0, 0.4, 0.7, 1.0)
"""The least temperature of each attempt. There are so many attempts, at the most."""

VARIED = ("temperature", "seed")
"""What each attempt has of its own. A backend that takes no such thing does without."""

INSTRUCTION = "Answer with JSON only, without any other words, valid against this JSON Schema:\n"
ANY_INSTRUCTION = "Answer with JSON only, an object or an array, without any other words."
AGAIN = "That is not valid: {error}. Answer again, with the JSON only."

ANY_JSON: Schema = {"type": ["object", "array"]}
"""What is meant where no schema is given: JSON of any form."""

FENCE = "```"


@dataclass(slots=True)
class _Attempt:
    """What came of asking once."""

    text: list[str] = field(default_factory=list)
    called: bool = False
    finished: FinishReason | None = None


class Formed:
    """A model whose text keeps to `prompt.schema`, on top of one that may or may not be able to."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.card = replace(model.card, schemas=True)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Ask until the answer is valid. An answer that calls functions instead is passed on as it is."""
        if prompt.schema is None:
            async with aclosing(self._model.stream(prompt)) as fragments:
                async for fragment in fragments:
                    yield fragment
            return
        asked = self._asked(prompt, prompt.schema)
        usage, answer, error = Usage(), "", ""
        for number in range(len(CHANCE)):
            if number:
                asked = self._again(asked, prompt, answer, error, number)
            attempt = _Attempt()
            async with aclosing(self._model.stream(asked)) as fragments:
                async for fragment in fragments:
                    match fragment:
                        case TextFragment(piece):
                            attempt.text.append(piece)
                        case UsageFragment(cost):
                            usage = add_usage(usage, cost)
                        case Finished(reason):
                            attempt.finished = reason
                        case Taken() if number:
                            pass
                        case _:
                            attempt.called |= isinstance(fragment, CallFragment)
                            yield fragment
            answer, error = _judged(attempt, prompt.schema)
            if not error or (attempt.finished == "length" and (number or prompt.generation.max_output_tokens)):
                for fragment in _whole(answer, usage, attempt.finished):
                    yield fragment
                return
        raise NotComplied(
            f"the model '{self.card.name}' did not keep to `response_format` in {len(CHANCE)} attempts: {error}"
        )

    def _asked(self, prompt: Prompt, schema: Schema) -> Prompt:
        """The prompt as the model below can take it."""
        if self._binds(prompt) and schema:
            return prompt
        told = INSTRUCTION + json.dumps(schema, ensure_ascii=False) if schema else ANY_INSTRUCTION
        return replace(
            prompt,
            schema=schema if self._binds(prompt) else None,
            system_instruction=f"{prompt.system_instruction}\n\n{told}" if prompt.system_instruction else told,
        )

    def _binds(self, prompt: Prompt) -> bool:
        """Whether the model below is bound to the schema while it answers this."""
        card = self._model.card
        return card.schemas and (card.schemas_beside_tools or not prompt.tools)

    def _again(self, asked: Prompt, prompt: Prompt, answer: str, error: str, number: int) -> Prompt:
        """The next attempt. Who is bound to the schema only had bad luck, at first; others are told what is wrong."""
        lucky = self._binds(prompt) and number == 1
        steps = asked.steps if lucky else _told(asked.steps, answer, error)
        given = {name for name in VARIED if getattr(prompt.generation, name) is not None}
        return replace(
            asked, steps=steps, generation=_varied(prompt.generation, number), wishes=frozenset(VARIED) - given
        )


def _varied(generation: GenerationConfig, number: int) -> GenerationConfig:
    """Another throw of the dice: warmer than the last, and from another seed."""
    return replace(
        generation,
        temperature=max(generation.temperature or 0.0, CHANCE[number]),
        seed=(generation.seed or 0) + number,
    )


def _told(steps: Sequence[Step], answer: str, error: str) -> tuple[Step, ...]:
    said = ModelOutput((Text(answer or "(nothing)"),))
    return (*steps, said, UserInput((Text(AGAIN.format(error=error)),)))


def _whole(answer: str, usage: Usage, finished: FinishReason | None) -> Sequence[Fragment]:
    ends: list[Fragment] = [UsageFragment(usage)]
    if finished is not None:
        ends.append(Finished(finished))
    return [TextFragment(answer), *ends] if answer else ends


def _judged(attempt: _Attempt, schema: Schema) -> tuple[str, str]:
    """The text as it is shown, and what is wrong with it. A call and a refusal are no JSON, and not meant to be."""
    said = "".join(attempt.text)
    if attempt.called or attempt.finished in ("refusal", None):
        return said, ""
    answer = said.strip()
    try:
        answer, value = _parsed(answer)
    except (ValueError, RecursionError) as error:
        return answer, f"it is not JSON ({error})"
    return answer, violation(value, schema or ANY_JSON) or ""


def _parsed(said: str) -> tuple[str, Any]:
    """The JSON in an answer, as text and as a value: models like to put a fence or a few words around it."""
    fenced = said.partition(FENCE)[2].partition(FENCE)[0]
    starts = [place for place in (said.find("{"), said.find("[")) if place >= 0]
    outermost = said[min(starts, default=0) : max(said.rfind("}"), said.rfind("]")) + 1]
    for text in (said, fenced.removeprefix("json").removeprefix("JSON").strip(), outermost):
        try:
            return _read(text)
        except ValueError:
            continue
    return _read(said)


def _read(text: str) -> tuple[str, Any]:
    """JSON that every reader reads alike. An object that has a name twice is written anew, without the first."""
    twice = False

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        twice |= len(dict(pairs)) < len(pairs)
        return dict(pairs)

    value = json.loads(text, object_pairs_hook=read_object, parse_constant=_refuse)
    return (json.dumps(value, ensure_ascii=False) if twice else text), value


def _refuse(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")
