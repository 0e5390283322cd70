"""Structured output: a model whose text keeps to a JSON Schema, whatever stands behind it.

Where the backend can bind its text to a schema while it is made, it is asked to; else the model is told what to write.
Either way the text is validated, and shown only if it is valid. If it is not, the model is told what is wrong and
asked again, a bounded number of times; then the turn fails and says so. A text that the token limit cut is shown as it
is, and the turn is incomplete.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import orjson

from turnwise.domain.content import Text
from turnwise.domain.errors import ModelFailed
from turnwise.domain.interaction import Usage, add_usage
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

ATTEMPTS = 3
"""How often a model is asked for an answer in a form, at the most."""

INSTRUCTION = "Answer with JSON only, without any other words, valid against this JSON Schema:\n"
AGAIN = "That is not valid: {error}. Answer again, with the JSON only."

ANY_JSON: Schema = {"type": ["object", "array"]}
"""What binds a text to JSON of any form."""


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
        usage, error = Usage(), ""
        for attempt in range(ATTEMPTS):
            text: list[str] = []
            called, finished = False, None
            async with aclosing(self._model.stream(asked)) as fragments:
                async for fragment in fragments:
                    match fragment:
                        case TextFragment(piece):
                            text.append(piece)
                        case UsageFragment(cost):
                            usage = add_usage(usage, cost)
                        case Finished(reason):
                            finished = reason
                        case Taken() if attempt:
                            pass
                        case _:
                            called |= isinstance(fragment, CallFragment)
                            yield fragment
            answer = _bare("".join(text))
            error = "" if called or finished in ("length", "refusal") else _error(answer, prompt.schema)
            if not error:
                for fragment in _whole(answer, usage, finished):
                    yield fragment
                return
            asked = replace(asked, steps=_again(asked.steps, answer, error))
        raise ModelFailed(
            f"the model '{self.card.name}' did not keep to `response_format` in {ATTEMPTS} attempts: {error}"
        )

    def _asked(self, prompt: Prompt, schema: Schema) -> Prompt:
        """The prompt as the model below can take it."""
        if self._model.card.schemas:
            return replace(prompt, schema=schema or ANY_JSON)
        told = INSTRUCTION + orjson.dumps(schema).decode()
        return replace(
            prompt,
            schema=None,
            system_instruction=f"{prompt.system_instruction}\n\n{told}" if prompt.system_instruction else told,
        )


def _whole(answer: str, usage: Usage, finished: FinishReason | None) -> Sequence[Fragment]:
    ends: list[Fragment] = [UsageFragment(usage)]
    if finished is not None:
        ends.append(Finished(finished))
    return [TextFragment(answer), *ends] if answer else ends


def _bare(text: str) -> str:
    """The JSON in an answer: models like to put a fence around it."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare.removeprefix("```").removeprefix("json").removesuffix("```").strip()
    return bare


def _error(answer: str, schema: Schema) -> str:
    try:
        value = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        return f"it is not JSON ({error})"
    return violation(value, schema) or ""


def _again(steps: Sequence[Step], answer: str, error: str) -> tuple[Step, ...]:
    said = ModelOutput((Text(answer or "(nothing)"),))
    return (*steps, said, UserInput((Text(AGAIN.format(error=error)),)))
