"""Thoughts: sealed for the way to the client and back, and thought for models that do not think by themselves.

A thought's raw text is nobody's business but the model's, and so is the token that some vendors give with a thought or
a function call and want back with it. Both travel as the step's `signature`: encrypted and authenticated, so that a
client that keeps the history itself sends it back without reading or changing it, and the model sees its own reasoning
again, after a restart too. What does not open (made up, changed, sealed for another owner or by another server, or put
on another call) is refused.

In a prompt steps are open: there, and only there, a thought's summary is the reasoning itself, and a signature is the
vendor's token.
"""

import os
import zlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import orjson

from turnwise.domain.content import JSON, Text
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.interaction import Usage, add_usage
from turnwise.domain.steps import FunctionCall, ModelOutput, Step, Thought, ToolCall, ToolResult, UserInput
from turnwise.models.model import (
    Fragment,
    Model,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
"""Bytes of chance before each secret."""

PLAIN_FORM = b"\x01"
"""The first byte of a signature that was made before there were tokens: its secret is a thought's text as it is."""

FORM = b"\x02"
"""The first byte of a signature of today: its secret is JSON, and this byte is authenticated too."""

PACKED_FORM = b"\x03"
"""The first byte of a signature whose secret is long: its JSON is packed."""

LONG = 1024
"""From how many bytes on a secret is packed: pages that a model read get three times as short."""

BUDGETS = {"minimal": 0, "low": 48, "medium": 96, "high": 192, "xhigh": 384}
"""How many tokens a model that does not think by itself thinks at each level. The default is `minimal`."""

ASK = (
    "Before you answer, think. Write down, in a few short sentences, what is asked, what you know about it and how to "
    "find the answer. Do not write the answer itself."
)
NOTES = "Notes: "

_SEALED = frozenset({Thought, FunctionCall, ToolCall, ToolResult})
"""Steps that may have a signature which hides something."""

CALLED = "called"
"""Where the details of an open call have the name by which the model called the tool, if it is not the tool's own."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What a signature hides: a thought, or what belongs to a call or to its result."""

    thought: str = ""
    """The raw text."""
    token: str | None = None
    """What the vendor gave, and wants back. It names its maker by itself (see `ThoughtFragment`)."""
    call_id: str | None = None
    """Of which call it is. None: of a thought."""
    told: JSON = None
    """What the model called a tool with, or read of its result, where clients are shown something else."""
    name: str | None = None
    """By which name the model called a tool, where that is not the tool's own."""


class Sealer:
    """Seals secrets with a key of 32 bytes that every process of one server shares."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @cached_property
    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 7 MB, which only secrets need

        return AESGCM(self._key)

    def seal(self, secret: Secret, owner: str) -> str:
        """A secret as a signature, in standard padded base64: some clients read no other alphabet."""
        nonce, plain = os.urandom(NONCE), orjson.dumps(secret)
        form, plain = (FORM, plain) if len(plain) < LONG else (PACKED_FORM, zlib.compress(plain, 1))
        hidden = self._cipher.encrypt(nonce, plain, form + owner.encode())
        return b64encode(form + nonce + hidden).decode()

    def open(self, signature: str, owner: str) -> Secret | None:
        """What was sealed for this owner. None: it does not open."""
        from cryptography.exceptions import InvalidTag

        try:
            sealed = b64decode(signature, validate=True)
            form, nonce, hidden = sealed[:1], sealed[1 : 1 + NONCE], sealed[1 + NONCE :]
            if form == PLAIN_FORM:
                return Secret(self._cipher.decrypt(nonce, hidden, owner.encode()).decode())
            plain = self._cipher.decrypt(nonce, hidden, form + owner.encode())
            return Secret(**orjson.loads(zlib.decompress(plain) if form == PACKED_FORM else plain))
        except (NotBase64, InvalidTag, ValueError):
            return None

    def opened(self, steps: Sequence[Step], owner: str) -> tuple[Step, ...]:
        """Steps whose signatures are open; results of tools hold what the model read of them. A thought that comes
        again, as clients send it beside the chain that has it, is the same thought.

        Raises:
            InvalidRequest: a thought has no signature, or one that does not open; or a call has one that does not.
        """
        if _SEALED.isdisjoint(map(type, steps)):
            return tuple(steps)
        opened: list[Step] = []
        seen: set[str | None] = set()
        for step in steps:
            if isinstance(step, Thought):
                if step.signature in seen:
                    continue
                seen.add(step.signature)
                step = self._open_thought(step, owner)
            elif isinstance(step, FunctionCall) and step.signature is not None:
                step = replace(step, signature=self._open_call(step.id, step.signature, owner).token)
            elif isinstance(step, ToolCall) and step.signature is not None:
                secret = self._open_call(step.id, step.signature, owner)
                details = {**step.details, CALLED: secret.name} if secret.name else step.details
                arguments = secret.told or step.arguments
                step = replace(step, signature=secret.token, arguments=arguments, details=details)
            elif isinstance(step, ToolResult) and step.signature is not None:
                secret = self._open_call(step.call_id, step.signature, owner)
                step = replace(step, signature=None, result=secret.told)
            opened.append(step)
        return tuple(opened)

    def _open_thought(self, thought: Thought, owner: str) -> Thought:
        if thought.signature is None:
            raise InvalidRequest("a thought needs the `signature` that it came with; send it back whole", field="input")
        secret = self.open(thought.signature, owner)
        if secret is None or secret.call_id is not None:
            raise InvalidRequest(
                f"the signature '{thought.signature[:24]}...' of a thought was not made by this server, or was "
                "changed; send thoughts back as they came, or leave them out",
                field="input",
            )
        return Thought(secret.token, (Text(secret.thought),) if secret.thought else ())

    def _open_call(self, id: str, signature: str, owner: str) -> Secret:
        secret = self.open(signature, owner)
        if secret is None or secret.call_id != id:
            raise InvalidRequest(
                f"the signature '{signature[:24]}...' of the call '{id}' was not made by this server for this call, or "
                "was changed; send calls and results back as they came, or leave their signatures out",
                field="input.signature",
            )
        return secret


class Thinking:
    """A model that thinks before it answers, if asked to, on top of one that does not."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def card(self) -> ModelCard:
        """That of the model, which thinks now."""
        return replace(self._model.card, thinks=True)

    def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Think first, if that is asked for. An answer that has begun, if only with its thoughts, was thought of
        before."""
        has_begun = bool(prompt.said) or (bool(prompt.steps) and isinstance(prompt.steps[-1], Thought))
        budget = 0 if has_begun else BUDGETS[prompt.generation.thinking_level or "minimal"]
        steps = told(prompt.steps)
        if budget:
            return self._thinking_first(prompt, steps, budget)
        return self._model.stream(prompt if steps is prompt.steps else replace(prompt, steps=steps))

    async def _thinking_first(
        self, prompt: Prompt, steps: Sequence[Step], budget: int
    ) -> AsyncGenerator[Fragment, None]:
        """A first pass whose text is the thought, and a second that has read it."""
        thought: list[str] = []
        usage = Usage()
        async with aclosing(self._model.stream(_asked(prompt, steps, budget))) as fragments:
            async for fragment in fragments:
                if isinstance(fragment, TextFragment):
                    thought.append(fragment.text)
                    yield ThoughtFragment(fragment.text)
                elif isinstance(fragment, UsageFragment):
                    cost = fragment.usage
                    usage = Usage(input=cost.input, cached=cost.cached, thought=cost.output_tokens + cost.thought)
                elif isinstance(fragment, Taken):
                    yield fragment
        answer = replace(prompt, steps=told((*steps, Thought(None, (Text("".join(thought)),)))))
        async with aclosing(self._model.stream(answer)) as fragments:
            async for fragment in fragments:
                if isinstance(fragment, UsageFragment):
                    yield UsageFragment(add_usage(usage, fragment.usage))
                elif not isinstance(fragment, Taken):
                    yield fragment


def _asked(prompt: Prompt, steps: Sequence[Step], budget: int) -> Prompt:
    """The prompt of the first pass. It binds the text to nothing, and calls nothing."""
    return replace(
        prompt,
        steps=steps,
        system_instruction=f"{prompt.system_instruction}\n\n{ASK}" if prompt.system_instruction else ASK,
        tools=(),
        schema=None,
        generation=replace(prompt.generation, max_output_tokens=budget, stop_sequences=()),
    )


def told(steps: Sequence[Step]) -> Sequence[Step]:
    """Steps for a model that knows no thoughts: those that there are stand as text in the message before them."""
    if Thought not in map(type, steps):
        return steps
    told: list[Step] = []
    for step in steps:
        if not isinstance(step, Thought):
            told.append(step)
            continue
        thought = "".join(piece.text for piece in step.summary if isinstance(piece, Text)).strip()
        if thought:
            told[:] = with_note(told, NOTES + thought)
    return tuple(told)


def with_note(steps: Sequence[Step], note: str) -> tuple[Step, ...]:
    """Steps with a note at the head of the last message, or as a message of its own where the last step is none."""
    last = steps[-1] if steps else None
    if isinstance(last, UserInput | ModelOutput):
        return (*steps[:-1], replace(last, content=(Text(note + "\n\n"), *last.content)))
    return (*steps, UserInput((Text(note),)))
