"""A conversation as chat messages: steps in, `{"role": ..., "content": ...}` out. Pure, and stable byte for byte.

Stable, because backends keep what they have read: if turn two begins with exactly what turn one was, it is not read
again. A step that cannot be said as a message is refused by its kind, never dropped. What a profile puts around the
messages is in `profile.py`.

What is not text stands among the text as a part of its own, written in `parts.py`; a message of text alone is a plain
string. Chat completions take media nowhere but in what a user says, or only on a few servers. So what a function gave
back is named where it belongs, as in `[image 1 of the result of get_weather]`, and shown under that name in the next
message of the user, behind all results; and so is what the model itself made, as `[image 1 of the answer above]`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from turnwise.domain.content import Content, Media, Text
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
from turnwise.models.parts import Part, render_media, text_part

Message: TypeAlias = dict[str, Any]

SHOWN = "shown"
"""Where a message keeps, while messages are put together, the media that are to be shown behind it."""


def render_messages(steps: Iterable[Step]) -> list[Message]:
    """The steps as messages, oldest first.

    Neighbours of one role become one message, since the templates of many models insist on turns that alternate.

    Raises:
        InvalidRequest: a form of media that cannot be shown, or something asked of it that cannot be said.
        Unimplemented: a kind of step or content that cannot be shown to this model yet.
    """
    messages: list[Message] = []
    names: dict[str, str] = {}
    for step in steps:  # two thousand of them in a long conversation; `match` takes three times as long
        if isinstance(step, UserInput):
            _say(messages, "user", _said(step.content))
        elif isinstance(step, ModelOutput):
            _output(messages, step.content)
        elif isinstance(step, Thought):
            if step.summary:
                _think(_answer(messages), "".join(_texts(step.summary)))
        elif isinstance(step, FunctionCall):
            names[step.id] = step.name
            _answer(messages).setdefault("tool_calls", []).append(_render_call(step))
        elif isinstance(step, FunctionResult):
            message = _render_result(step, step.name or names.get(step.call_id, ""))
            messages.insert(_behind_call(messages, step.call_id), message)
        else:
            raise Unimplemented(f"a step of type {step.type!r} cannot be shown to this model yet")
    return _with_shown(messages)


def without_open_thoughts(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps without thoughts at their end, behind which nothing was said: no message can consist of them, so the
    model thinks anew."""
    end = len(steps)
    while end and isinstance(steps[end - 1], Thought):
        end -= 1
    return steps[:end]


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


def _render_result(result: FunctionResult, name: str) -> Message:
    message: Message = {"role": "tool", "tool_call_id": result.call_id, "content": render_result(result, name)}
    shown = [part for title, media in result_media(result, name) for part in _titled(title, media)]
    return {**message, SHOWN: shown} if shown else message


def render_result(result: FunctionResult, name: str = "") -> str:
    """A function's result as text: text as it is, a list of content joined, with a title for what is not text, and any
    other JSON as JSON. `name`: that of the function."""
    content = result_content(result.result)
    if content is None:
        text = result.result if isinstance(result.result, str) else orjson.dumps(result.result).decode()
    else:
        titles = iter(title for title, _ in result_media(result, name))
        text = "\n".join(item["text"] if item["type"] == "text" else next(titles) for item in content)
    return f"Error: {text}" if result.is_error else text


def result_media(result: FunctionResult, name: str = "") -> list[tuple[str, Media]]:
    """What is not text in a function's result, each with a title by which its text names it."""
    content = [item for item in result_content(result.result) or () if item["type"] != "text"]
    media = [
        Media(item["type"], item.get("mime_type"), item.get("data"), item.get("uri"), _options(item))
        for item in content
    ]
    return _numbered(media, f"the result of {name}" if name else "the result")


def output_media(content: Sequence[Content]) -> list[tuple[str, Media]]:
    """What is not text in an answer of the model, each with a title."""
    return _numbered([part for part in content if isinstance(part, Media)], "the answer above")


def _options(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("type", "mime_type", "data", "uri")}


def _numbered(media: Sequence[Media], whole: str) -> list[tuple[str, Media]]:
    """Titles such as `[image 2 of the answer above]`."""
    counted: dict[str, int] = {}
    titled: list[tuple[str, Media]] = []
    for each in media:
        counted[each.type] = counted.get(each.type, 0) + 1
        titled.append((f"[{each.type} {counted[each.type]} of {whole}]", each))
    return titled


def _titled(title: str, media: Media) -> list[Part]:
    return [text_part(title), render_media(media)]


def _said(content: Sequence[Content]) -> str | list[Part]:
    """What a user says: lines of text, and parts if some of it is not text."""
    words = [piece.text for piece in content if isinstance(piece, Text)]
    if len(words) == len(content):
        return "\n".join(words)
    parts: list[Part] = []
    for piece in content:
        if isinstance(piece, Media):
            parts.extend(_named(piece))
        elif parts and parts[-1]["type"] == "text":
            parts[-1] = text_part(f"{parts[-1]['text']}\n{piece.text}")
        else:
            parts.append(text_part(piece.text))
    return parts


def _named(media: Media) -> list[Part]:
    """A medium, under the name that the prompt may call it by. A document has its name in itself."""
    name = media.options.get("name")
    return _titled(f"[{name}]", media) if name and media.type != "document" else [render_media(media)]


def _output(messages: list[Message], content: Sequence[Content]) -> None:
    """What the model said. What it made beside words is shown in the user's next message."""
    words = [piece.text for piece in content if isinstance(piece, Text)]
    media = output_media(content) if len(words) < len(content) else []
    _say(messages, "assistant", "".join(words) or " ".join(title for title, _ in media))
    if media:
        shown = messages[-1].setdefault(SHOWN, [])
        shown.extend(part for title, each in media for part in _titled(title, each))


def _say(messages: list[Message], role: str, said: str | list[Part]) -> None:
    """Words and parts, and nothing else: calls that the model made beside them may stand in its message already."""
    last = messages[-1] if messages else None
    if last is not None and last["role"] == role:
        last["content"] = _joined(last["content"], said)
    else:
        messages.append({"role": role, "content": said})


def _joined(before: str | list[Part], said: str | list[Part]) -> str | list[Part]:
    """What was said in one go. Words that stand alone are parted by an empty line."""
    if isinstance(before, str) and isinstance(said, str):
        return f"{before}\n\n{said}" if before else said
    return [*_parts(before), *_parts(said)]


def _parts(said: str | list[Part]) -> list[Part]:
    if isinstance(said, str):
        return [text_part(said)] if said else []
    return said


def _with_shown(messages: list[Message]) -> list[Message]:
    """The messages, with what is to be shown behind some of them in the user's next one, or in one of its own: behind
    all results of one answer, since nothing may stand between those."""
    if not any(SHOWN in message for message in messages):
        return messages
    told: list[Message] = []
    waiting: list[Part] = []
    for message in messages:
        if waiting and message["role"] != "tool":
            if message["role"] == "user":
                message["content"] = _joined(waiting, message["content"])
            else:
                told.append({"role": "user", "content": waiting})
            waiting = []
        waiting = [*waiting, *message.pop(SHOWN, ())]
        told.append(message)
    return [*told, {"role": "user", "content": waiting}] if waiting else told


def _texts(content: Sequence[Content]) -> Iterable[str]:
    for part in content:
        if not isinstance(part, Text):
            raise Unimplemented(f"content of type {part.type!r} cannot be shown to this model here yet")
        yield part.text
