"""A conversation as chat messages: steps in, `{"role": ..., "content": ...}` out. Pure, and stable byte for byte.

Stable, because backends keep what they have read: if turn two begins with exactly what turn one was, it is not read
again. A step that cannot be said as a message is refused by its kind, never dropped. What a profile puts around the
messages is in `profile.py`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import orjson

from turnwise.domain.content import Content, Text
from turnwise.domain.errors import Unimplemented
from turnwise.domain.steps import (
    FunctionCall,
    FunctionResult,
    ModelOutput,
    Step,
    Thought,
    UserInput,
    result_content,
)

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
            case Thought(_, summary):
                if summary:
                    _think(_answer(messages), "".join(_texts(summary)))
            case FunctionCall():
                _answer(messages).setdefault("tool_calls", []).append(_render_call(step))
            case FunctionResult(call_id):
                message = {"role": "tool", "tool_call_id": call_id, "content": render_result(step)}
                messages.insert(_behind_call(messages, call_id), message)
            case _:
                raise Unimplemented(f"a step of type {step.type!r} cannot be shown to this model yet")
    return messages


def _answer(messages: list[Message]) -> Message:
    """The model's own message that is being written, or a new one."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    return messages[-1]


def _think(message: Message, thought: str) -> None:
    before = message.get("reasoning_content")
    message["reasoning_content"] = f"{before}\n\n{thought}" if before else thought


def _behind_call(messages: Sequence[Message], call_id: str) -> int:
    """Where a result stands: right behind the message that called, and the results that are there already. Upstreams
    take it nowhere else, though words may have come in between."""
    for index in range(len(messages) - 1, -1, -1):
        if any(call["id"] == call_id for call in messages[index].get("tool_calls", ())):
            following = (place for place in range(index + 1, len(messages)) if messages[place]["role"] != "tool")
            return next(following, len(messages))
    return len(messages)


def _render_call(call: FunctionCall) -> Message:
    arguments = orjson.dumps(call.arguments).decode()
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def render_result(result: FunctionResult) -> str:
    """A function's result as text: text as it is, a list of text content joined, any other JSON as JSON.

    Raises:
        Unimplemented: it holds content that is not text.
    """
    content = result_content(result.result)
    if content is not None:
        text = "\n".join(_content_text(item) for item in content)
    else:
        text = result.result if isinstance(result.result, str) else orjson.dumps(result.result).decode()
    return f"Error: {text}" if result.is_error else text


def _content_text(item: dict[str, Any]) -> str:
    if item["type"] != "text":
        raise Unimplemented(
            f"content of type {item['type']!r} in a function's result cannot be shown to this model yet"
        )
    return str(item["text"])


def _say(messages: list[Message], role: str, text: str) -> None:
    """Words, and nothing else: calls that the model made beside them may stand in its message already."""
    last = messages[-1] if messages else None
    if last is not None and last["role"] == role:
        last["content"] += "\n\n" + text if last["content"] else text
    else:
        messages.append({"role": role, "content": text})


def _texts(content: Sequence[Content]) -> Iterable[str]:
    for part in content:
        if not isinstance(part, Text):
            raise Unimplemented(f"content of type {part.type!r} cannot be shown to this model yet")
        yield part.text
