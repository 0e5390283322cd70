"""Profiles: what a particular model needs around a conversation to do its best, as data.

A profile says nothing about who answers or how it is reached; it only shapes messages and sampling. `PLAIN` changes
nothing; the default model's is in `smollm2.py`.

A very small model answers far better when it has just seen requests of the same kind answered well. So a profile may
sort requests into kinds, each with a few example turns, which stand before the first request of that kind in a
conversation; and a kind may put a note behind a request, with what such a model cannot find in the conversation by
itself. What is put before or into a message depends on nothing that comes later: the prompt of one turn is the
beginning of the prompt of the next, and what a backend has read once it need not read again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnwise.domain.interaction import GenerationConfig
from turnwise.models.messages import Message


@dataclass(frozen=True, slots=True)
class Note:
    """What a request needs beside itself: the request as the model is to see it, and how the answer must begin."""

    text: str
    beginning: str | None = None
    """How the answer begins, which is one line then: words without quotation marks."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request."""

    name: str
    pattern: str
    """A regular expression, found in the requests of this kind (without case). Kinds are tried in order."""
    examples: tuple[tuple[str, str], ...] = ()
    """Turns (user, assistant) shown before the first such request, as if they had happened."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the profile's sampling."""
    always: bool = False
    """Whether the examples are shown even when the request has an instruction of its own."""
    in_instruction: bool = False
    """Whether the pattern is looked for in the instruction too."""
    later: bool = False
    """Whether only a request behind an answer can be of this kind."""
    note: Callable[[str, Sequence[Message]], Note] | None = None
    """A pure look at the request and at the messages before it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How to speak to a model."""

    system: str | None = None
    """A line that stands before the request's own system instruction."""
    kinds: tuple[Kind, ...] = ()
    """Kinds of requests. The last must fit every request."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Defaults under the backend's own names (`temperature`, `repeat_penalty`, ...). The request's own values win."""
    bound_sampling: Mapping[str, Any] = field(default_factory=dict)
    """The same for text that is bound to a schema, where no kinds are looked for."""
    bound_examples: tuple[tuple[str, str], ...] = ()
    """Turns shown right before a request whose answer is bound to a schema: what such answers look like."""
    output_tokens: int | None = None
    """How much it writes at the most when the request sets no limit."""
    reading_tokens: int | None = None
    """How much of what is read out of files for it it is shown at the most."""
    rereads: bool = False
    """Whether a request with a seed has all of its prompt read anew. llama.cpp computes a prompt that it has read
    before a little differently from one that it reads now, and with chance at work the same seed answers otherwise."""


PLAIN = Profile()

ON_LLAMA = Profile(rereads=True)
"""For a model of which nothing is known but that llama.cpp runs it."""

_NO_MORE_THAN_ASSISTANT = re.compile(r"^\W*you are (?:an?|my) (?:[\w-]+,? (?:and )?){0,3}assistant\W*$", re.IGNORECASE)
"""An instruction that says nothing that a model would not do anyway."""


def prepare(
    messages: Sequence[Message], profile: Profile, instruction: str | None, *, bound: bool = False, said: str = ""
) -> tuple[list[Message], Mapping[str, Any]]:
    """The messages as this model should see them, and the sampling defaults for them. `bound`: to a schema. `said`: how
    the answer began already.

    A request's own instruction stands behind the profile's line, and silences the examples: their manner would drown
    it.
    """
    system = " ".join(line for line in (profile.system, instruction) if line)
    front: list[Message] = [{"role": "system", "content": system}] if system else []
    if bound:
        shown = [] if instruction else _told(profile.bound_examples)
        place = max((i for i, message in enumerate(messages) if message["role"] == "user"), default=0)
        return [*front, *messages[:place], *shown, *messages[place:]], profile.bound_sampling
    if not profile.kinds:
        return [*front, *messages], profile.sampling
    told, sampling = _with_examples(messages, profile, instruction or "", said)
    return [*front, *told], sampling


def _with_examples(
    messages: Sequence[Message], profile: Profile, instruction: str, said: str
) -> tuple[list[Message], Mapping[str, Any]]:
    silent = bool(instruction) and not _NO_MORE_THAN_ASSISTANT.match(instruction)
    told: list[Message] = []
    sampling = profile.sampling
    shown: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] != "user":
            told.append(message)
            continue
        kind = kind_of(message["content"], profile.kinds, instruction=instruction, later=index > 0)
        if kind.name not in shown and (kind.always or not silent):
            shown.add(kind.name)
            told.extend(_told(kind.examples))
        note = kind.note(message["content"], messages[:index]) if kind.note else Note(message["content"])
        told.append({"role": "user", "content": note.text})
        bound = {} if note.beginning is None else {"grammar": _line(note.beginning, said)}
        sampling = {**profile.sampling, **kind.sampling, **bound}
    return told, sampling


def _line(beginning: str, said: str) -> str:
    """A GBNF grammar of one line that begins like this, or of what is left of it behind what was said."""
    return f'root ::= "{beginning[len(said) :]}" [^\\n]*'


def kind_of(text: str, kinds: Sequence[Kind], *, instruction: str = "", later: bool = False) -> Kind:
    """The kind of a request: the first whose pattern is found."""
    for kind in kinds:
        where = f"{instruction}\n{text}" if kind.in_instruction else text
        if (later or not kind.later) and re.search(kind.pattern, where, re.IGNORECASE | re.DOTALL):
            return kind
    raise AssertionError("the last kind of a profile must fit every request")


def _told(examples: Sequence[tuple[str, str]]) -> list[Message]:
    """Examples as turns that might have happened."""
    return [
        {"role": role, "content": text}
        for example in examples
        for role, text in zip(("user", "assistant"), example, strict=True)
    ]


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
