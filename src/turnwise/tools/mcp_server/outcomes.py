"""What a call came to: the result of an MCP server as clients see it, and as the model reads it.

Clients get the structured result if there is one and the text only repeats it, else the text, or a list of content
where there is more than text: images, sound and documents with their bytes. Whatever else a server may give is named in
words, and a file of a kind that is no content is given behind the result. The model reads the same, but no more text
than it should.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from posixpath import basename
from urllib.parse import unquote, urlsplit

import orjson

from turnwise.domain.content import JSON
from turnwise.domain.tools import Schema
from turnwise.tools.tool import Made, Outcome

TOLD = 24_000
"""How many characters of a result the model reads: about 6,000 tokens."""

MEDIA = 16
"""How many images and other media of a result the model is shown."""

_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]{0,80}(;.{0,80})?")


def failure(why: str) -> Outcome:
    """The outcome of a call that came to nothing."""
    return Outcome(why, why, is_error=True)


def read_result(
    raw: Mapping[str, JSON], output: Schema | None, violation: Callable[[JSON, Schema], str | None]
) -> Outcome:
    """The outcome of a call that a server has answered.

    Args:
        raw: The result as it came, which is one by the protocol.
        output: What its structured part keeps to, as the server says.
        violation: What is wrong with a value by a schema, in a sentence.
    """
    made: list[Made] = []
    content = [item for block in raw["content"] for item in _read_block(block, made)]
    structured = raw.get("structuredContent")
    is_error = raw.get("isError") is True
    note = "" if is_error else _note(structured, output, violation)
    if not content and structured is None:
        words = "the tool failed, and did not say why" if is_error else "the tool ran, and gave nothing back"
        return Outcome(words if is_error else "", _noted(words, note), is_error)
    return Outcome(_result(content, structured), _told(content, structured, note), is_error, made=made)


def _note(structured: JSON, output: Schema | None, violation: Callable[[JSON, Schema], str | None]) -> str:
    """What the model should know of a result that is not what its server says that it would be."""
    if output is None:
        return ""
    if structured is None:
        return "[Note: the tool says that its results are structured, but this one is not.]"
    wrong = violation(structured, output)
    return f"[Note: this is not what the tool says that its results are: {wrong}]" if wrong else ""


# -- both views


def _result(content: Sequence[dict[str, JSON]], structured: JSON) -> JSON:
    """What clients see."""
    text, is_text = _all_text(content), all(item["type"] == "text" for item in content)
    if structured is None:
        return text if is_text else list(content)
    if is_text and (not text or _repeats(content, structured)):
        return structured
    return [*content, _text(_written(structured))]


def _told(content: Sequence[dict[str, JSON]], structured: JSON, note: str) -> JSON:
    """What the model reads: the text where the structure says the same, since it is shorter."""
    if structured is not None and not _repeats(content, structured):
        content = [*content, _text(_written(structured))]
    pieces = _bounded(content)
    if all(item["type"] == "text" for item in pieces):
        return _noted(_all_text(pieces), note)
    return [*pieces, _text(note)] if note else pieces


def _repeats(content: Sequence[dict[str, JSON]], structured: JSON) -> bool:
    """Whether the text of a result is its structure once more, as the protocol recommends it for older clients."""
    text = "".join(item["text"] for item in content if item["type"] == "text")
    value = structured["result"] if isinstance(structured, dict) and list(structured) == ["result"] else structured
    if text == value or (isinstance(value, list) and value == [item.get("text") for item in content]):
        return True
    try:
        return orjson.loads(text) in (structured, value)
    except orjson.JSONDecodeError:
        return False


def _bounded(content: Sequence[dict[str, JSON]]) -> list[dict[str, JSON]]:
    """As much of it as a model should read, and a word on what is left out."""
    left, media, out, pieces = TOLD, MEDIA, 0, list[dict[str, JSON]]()
    for item in content:
        length = len(item.get("text", ""))
        if (left if item["type"] == "text" else media) <= 0:
            out += 1
            continue
        if length > left:
            item = _text(f"{item['text'][:left]}\n[This text has {length} characters; the rest is left out.]")
        left = max(left - length, 0)
        media -= item["type"] != "text"
        pieces.append(item)
    return [*pieces, _text(f"[{out} more pieces of this result are left out.]")] if out else pieces


def _all_text(content: Sequence[dict[str, JSON]]) -> str:
    return "\n\n".join(item["text"] for item in content if item["type"] == "text")


def _noted(text: str, note: str) -> str:
    return f"{text}\n{note}" if note else text


# -- blocks


def _read_block(block: Mapping[str, JSON], made: list[Made]) -> Sequence[dict[str, JSON]]:
    """A block of a result as content. What is none is named, and added to `made` if it is a file."""
    match block:
        case {"type": "text", "text": str(text)}:
            return [_text(text)] if text else []
        case {"type": "image" | "audio" as kind, "data": str(data)}:
            return [_media(kind, str(block.get("mimeType", "")), data)]
        case {"type": "resource_link", "uri": str(uri)}:
            return [_text(_link(uri, block))]
        case {"type": "resource", "resource": {"uri": str(uri), "text": str(text)}}:
            return [_text(f"[{uri}]\n{text}")]
        case {"type": "resource", "resource": {"uri": str(uri), "blob": str(data), **more}}:
            return _file(uri, str(more.get("mimeType") or "application/octet-stream"), data, made)
        case _:
            return [_text(f"[something of the kind '{str(block.get('type'))[:40]}', which is not known here]")]


def _link(uri: str, block: Mapping[str, JSON]) -> str:
    named = block.get("title") or block.get("name") or "resource"
    kind = f", {block['mimeType']}" if block.get("mimeType") else ""
    description = f": {block['description']}" if block.get("description") else ""
    return f"[{named} at {uri}{kind}{description}]"


def _file(uri: str, mime_type: str, data: str, made: list[Made]) -> Sequence[dict[str, JSON]]:
    """A file in a result: content where the API has a kind for it, else given behind the result."""
    kind = mime_type.partition("/")[0].lower()
    if kind in ("image", "audio", "video") or mime_type == "application/pdf":
        return [_text(f"[{uri}]"), _media(kind if kind != "application" else "document", mime_type, data)]
    content = _bytes(data)
    if content is None:
        return [_text(f"[{uri}: its bytes are not written in base64]")]
    name = basename(unquote(urlsplit(uri).path)) or "file"
    made.append(Made(content, mime_type if _TYPE.fullmatch(mime_type) else "application/octet-stream", name))
    return [_text(f"[{uri}: a file with {len(content)} bytes, {mime_type}, which is given to the user]")]


def _media(kind: str, mime_type: str, data: str) -> dict[str, JSON]:
    if _bytes(data) is None:
        return _text(f"[{kind}: its bytes are not written in base64]")
    item = {"type": kind, "data": data}
    return {**item, "mime_type": mime_type} if _is_type(mime_type, kind) else item


def _is_type(mime_type: str, kind: str) -> bool:
    """Whether this is a type of such media. What a file is, its bytes tell better than a wrong word."""
    wanted = "application" if kind == "document" else kind
    return mime_type.startswith(f"{wanted}/") and _TYPE.fullmatch(mime_type) is not None


def _bytes(data: str) -> bytes | None:
    """What base64 stands for. None: it is none, or there is nothing."""
    try:
        return base64.b64decode(data, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _text(text: str) -> dict[str, JSON]:
    return {"type": "text", "text": text}


def _written(value: JSON) -> str:
    return orjson.dumps(value).decode()
