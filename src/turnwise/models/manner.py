"""How a name of the settings speaks, whatever engine answers to it: its defaults, its time limit, what its card says.

    InManner("qwen", engine, Manner(GenerationConfig(temperature=0.2)), help)

What a request says for itself wins over a default. A default of the system instruction must be in its place before
anything else is added to that, so the help that the engine room gives (`engine/helping.py`) is called from here:
it is passed in, since this room does not know that one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, fields, replace
from typing import TypeAlias

from turnwise.domain.errors import ModelTimeout
from turnwise.domain.interaction import GenerationConfig
from turnwise.models.model import Fragment, Model, ModelCard, Prompt

Help: TypeAlias = Callable[[Model, Prompt], Model]
"""A model that can do what a prompt asks for, on top of one that may not be able to."""


def no_help(model: Model, prompt: Prompt) -> Model:
    """The model as it is."""
    return model


@dataclass(frozen=True, slots=True)
class Manner:
    """What the settings say of a name beside who answers to it."""

    generation: GenerationConfig = field(default_factory=GenerationConfig)
    """For requests that do not say."""
    system_instruction: str | None = None
    """For requests without one."""
    output_tokens: int | None = None
    """How much is written at the most where neither the request nor `generation` sets a limit."""
    inputs: frozenset[str] | None = None
    outputs: frozenset[str] | None = None
    can: Mapping[str, bool] = field(default_factory=dict)
    """`tools`, `schemas`, `thinks`, `continues`, where the engine's own card is to be overruled."""
    description: str = ""
    total: float | None = None
    """How long an answer may take, in seconds."""

    def card(self, card: ModelCard) -> ModelCard:
        """An engine's card, with what the settings know better."""
        return replace(
            card,
            output_tokens=self.output_tokens or card.output_tokens,
            inputs=self.inputs or card.inputs,
            outputs=self.outputs or card.outputs,
            tools=self.can.get("tools", card.tools),
            schemas=self.can.get("schemas", card.schemas),
            thinks=self.can.get("thinks", card.thinks),
            continues=self.can.get("continues", card.continues),
            description=self.description or card.description,
        )

    def prompt(self, prompt: Prompt) -> Prompt:
        """A prompt with the defaults where it says nothing."""
        return replace(
            prompt,
            system_instruction=prompt.system_instruction or self.system_instruction,
            generation=self._filled(prompt.generation),
        )

    def _filled(self, own: GenerationConfig) -> GenerationConfig:
        defaults = self.generation
        if defaults.max_output_tokens is None:
            defaults = replace(defaults, max_output_tokens=self.output_tokens)
        unsaid = [name.name for name in fields(own) if getattr(own, name.name) in (None, ())]
        return replace(own, **{name: getattr(defaults, name) for name in unsaid})


class _Carded:
    """An engine with another card."""

    def __init__(self, engine: Model, manner: Manner) -> None:
        self._engine = engine
        self._manner = manner

    @property
    def card(self) -> ModelCard:
        return self._manner.card(self._engine.card)

    def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        return self._engine.stream(prompt)


class InManner:
    """A model in the manner of a name."""

    def __init__(self, name: str, engine: Model, manner: Manner, help: Help = no_help) -> None:
        self.name = name
        self._model = _Carded(engine, manner)
        self._manner = manner
        self._help = help

    @property
    def own_card(self) -> ModelCard:
        """What it can do without help."""
        return self._model.card

    @property
    def card(self) -> ModelCard:
        """It needs no help: it has it already."""
        return with_help(self.own_card)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        asked = self._manner.prompt(prompt)
        answer = self._help(self._model, asked).stream(asked)
        if self._manner.total is not None:
            answer = _within(answer, self._manner.total, self.name)
        async with aclosing(answer) as fragments:
            async for fragment in fragments:
                yield fragment


def with_help(card: ModelCard) -> ModelCard:
    """What a model can do that is helped."""
    return replace(card, tools=True, schemas=True, schemas_beside_tools=True, thinks=True, continues=True)


async def _within(answer: AsyncGenerator[Fragment, None], seconds: float, name: str) -> AsyncGenerator[Fragment, None]:
    """An answer that ends in time, or is left."""
    deadline = asyncio.get_running_loop().time() + seconds
    async with aclosing(answer) as fragments:
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    fragment = await anext(fragments, None)
            except TimeoutError as error:
                raise ModelTimeout(f"the model {name!r} did not answer within {seconds:g} s") from error
            if fragment is None:
                return
            yield fragment
