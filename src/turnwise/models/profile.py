"""Profiles: what a particular model needs around a conversation to do its best, as data.

A profile says nothing about who answers or how it is reached; it only shapes messages and sampling. `PLAIN` changes
nothing, `SMOLLM2` carries the default model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from turnwise.domain.interaction import GenerationConfig
from turnwise.models.messages import Message


@dataclass(frozen=True, slots=True)
class Profile:
    """How to speak to a model."""

    system: str | None = None
    """A line that stands before the request's own system instruction."""
    examples: tuple[tuple[str, str], ...] = ()
    """Turns (user, assistant) shown before the conversation, as if they had happened."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Defaults under the backend's own names (`temperature`, `repeat_penalty`, ...). The request's own values win."""
    output_tokens: int | None = None
    """How much it writes at the most when the request sets no limit."""
    compose: Callable[[list[Message], str | None], tuple[list[Message], Mapping[str, Any]]] | None = None
    """For a model that needs more than that: a pure function of the messages and the request's own instruction, which
    gives what `prepare` gives, in the place of `system`, `examples` and `sampling`."""


PLAIN = Profile()

SMOLLM2 = Profile(
    system="You are a helpful assistant. Answer briefly and correctly.",
    sampling={"temperature": 0.0},
    output_tokens=512,
)
"""The default model. It is small: without a limit it goes on until its context is full, which takes minutes."""


def prepare(
    messages: list[Message], profile: Profile, system_instruction: str | None
) -> tuple[list[Message], Mapping[str, Any]]:
    """The messages as this model should see them, and the sampling defaults for them.

    Whatever a profile adds must be the same from turn to turn, so that it is read once.
    """
    if profile.compose is not None:
        return profile.compose(messages, system_instruction)
    return [*_system(profile, system_instruction), *_examples(profile), *messages], profile.sampling


def sampling(
    generation: GenerationConfig, defaults: Mapping[str, Any], output_tokens: int | None = None
) -> dict[str, Any]:
    """The sampling parameters under the names of chat completions: the defaults, then the request's own."""
    limit = generation.max_output_tokens
    own = {
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "top_k": generation.top_k,
        "seed": generation.seed,
        "max_tokens": output_tokens if limit is None else limit,
        "stop": list(generation.stop_sequences) or None,
    }
    return {**defaults, **{name: value for name, value in own.items() if value is not None}}


def _system(profile: Profile, instruction: str | None) -> list[Message]:
    lines = [line for line in (profile.system, instruction) if line]
    return [{"role": "system", "content": "\n\n".join(lines)}] if lines else []


def _examples(profile: Profile) -> list[Message]:
    return [
        {"role": role, "content": text}
        for example in profile.examples
        for role, text in zip(("user", "assistant"), example, strict=True)
    ]
