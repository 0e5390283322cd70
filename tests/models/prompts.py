"""Prompts and readings that the tests of models share."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import Any

from turnwise.domain.content import Text
from turnwise.domain.errors import TurnwiseError
from turnwise.domain.interaction import GenerationConfig, Usage
from turnwise.domain.steps import ModelOutput, Step, UserInput
from turnwise.models.model import Finished, Fragment, Model, Prompt, TextFragment, ThoughtFragment, UsageFragment

BOUND = 120.0
"""No wait of a test is longer, in seconds, even for a real engine on a busy machine."""


def said(*texts: str) -> list[Step]:
    """A conversation: the user, the model, the user, ..."""
    return [(UserInput, ModelOutput)[index % 2]((Text(text),)) for index, text in enumerate(texts)]


def prompt(*texts: str, streaming: bool = True, system: str | None = None, **generation: Any) -> Prompt:
    """A prompt that ends with the last of these texts."""
    return Prompt(
        said(*(texts or ("Hello",))),
        system_instruction=system,
        generation=GenerationConfig(**generation),
        streaming=streaming,
    )


async def read(model: Model, asked: Prompt) -> list[Fragment]:
    """Every fragment of an answer."""
    async with asyncio.timeout(BOUND), aclosing(model.stream(asked)) as fragments:
        return [fragment async for fragment in fragments]


async def read_until_it_breaks(model: Model, asked: Prompt) -> tuple[list[Fragment], TurnwiseError | None]:
    """The fragments that came, and what ended them if it was an error."""
    seen: list[Fragment] = []
    try:
        async with asyncio.timeout(BOUND), aclosing(model.stream(asked)) as fragments:
            async for fragment in fragments:
                seen.append(fragment)
    except TurnwiseError as error:
        return seen, error
    return seen, None


def text(fragments: list[Fragment]) -> str:
    return "".join(fragment.text for fragment in fragments if isinstance(fragment, TextFragment))


def thought(fragments: list[Fragment]) -> str:
    return "".join(fragment.text for fragment in fragments if isinstance(fragment, ThoughtFragment))


def usage(fragments: list[Fragment]) -> Usage:
    return [fragment.usage for fragment in fragments if isinstance(fragment, UsageFragment)][-1]


def finish(fragments: list[Fragment]) -> str:
    last = fragments[-1]
    assert isinstance(last, Finished)
    return last.reason


def models_dir() -> Path:
    """Where the default model's weights are kept between runs of the tests."""
    return Path(os.environ.get("TURNWISE_MODELS_DIR") or Path.home() / ".cache/turnwise-tests/models")
