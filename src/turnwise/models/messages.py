"""A conversation as chat messages: steps in, `{"role": ..., "content": ...}` out. Pure, and stable byte for byte.

Stable, because backends keep what they have read: if turn two begins with exactly what turn one was, it is not read
again. A step that cannot be said as a message is refused by its kind, never dropped; only thoughts are left out,
which belong to the turn that had them. What a profile puts around the messages is in `profile.py`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from turnwise.domain.content import Content, Text
from turnwise.domain.errors import Unimplemented
from turnwise.domain.steps import ModelOutput, Step, Thought, UserInput

Message: TypeAlias = dict[str, Any]


def render_messages(steps: Iterable[Step]) -> list[Message]:
    """The steps as messages, oldest first.

    Neighbours of one role become one message, since the templates of many models insist on turns that alternate.

    Raises:
        Unimplemented: a kind of step or content that cannot be shown to this model yet.
    """
    messages: list[Message] = []
    for step in steps:
        match step:
            case UserInput(content):
                _say(messages, "user", "\n".join(_texts(content)))
            case ModelOutput(content):
                _say(messages, "assistant", "".join(_texts(content)))
            case Thought():
                pass
            case _:
                raise Unimplemented(f"a step of type {step.type!r} cannot be shown to this model yet")
    return messages


def _say(messages: list[Message], role: str, text: str) -> None:
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += "\n\n" + text
    else:
        messages.append({"role": role, "content": text})


def _texts(content: Sequence[Content]) -> Iterable[str]:
    for part in content:
        if not isinstance(part, Text):
            raise Unimplemented(f"content of type {part.type!r} cannot be shown to this model yet")
        yield part.text
