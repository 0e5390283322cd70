"""A model that does well what it is asked, as a script that can be read: what any good model would answer.

What it does is decided by the request alone: a schema is filled in; functions that are offered are called with what the
request says, found by the names of their parameters; a function's result is told; whoever asks for thinking gets a
thought. What it knows of the world is `KNOWN`, and of a conversation what was said in it.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .upstream import call

KNOWN: Mapping[str, str] = {
    r"largest cities in spain": "The three largest cities in Spain are Madrid, Barcelona and Valencia.",
    r"quantum entanglement": (
        "Two particles can be made so that they belong together. Measure one, and you know at once what the other will"
        " show, however far away it is."
    ),
    r"story": "Once a brave knight rode out to find a dragon. They talked until dawn, and parted as friends.",
    r"joke": "There are ten kinds of people: those who know binary, and those who do not.",
}
"""What it knows, by what a question has in it."""

LANDMARKS = {"Barcelona": "the Sagrada Família", "Madrid": "the Royal Palace", "Valencia": "the City of Arts"}
ORDINALS = {"first": 0, "second": 1, "third": 2}

ARGUMENTS: Mapping[str, Callable[[str], Any]] = {
    "location": lambda said: _found(r"\bin ([A-Z]\w+)", said),
    "attendees": lambda said: re.findall(r"[A-Z]\w+", _found(r"\bwith (.*?)(?: about|\.|$)", said)),
    "date": lambda said: _found(r"\d{4}-\d{2}-\d{2}", said),
    "time": lambda said: _found(r"\d{1,2}(?::\d{2})? ?(?:am|pm)?(?= with|\.|$)", said),
    "topic": lambda said: _found(r"\babout (?:the )?(.*?)[.?]?$", said),
}
"""How to find an argument in a request, by the name of its parameter."""


def competent(body: dict) -> dict:
    """The message that answers a request."""
    message = _answer(body)
    if body.get("reasoning_effort"):
        message["reasoning_content"] = "I look at what is asked.\n\nThen I answer it."
    return message


def _answer(body: dict) -> dict:
    last = body["messages"][-1]
    if body.get("tools") and last["role"] == "user":
        function = body["tools"][0]["function"]
        asked = {name: ARGUMENTS[name](last["content"]) for name in function["parameters"]["required"]}
        return call(f"call_{len(body['messages'])}", function["name"], asked)
    if "response_format" in body:
        schema = body["response_format"]["json_schema"]["schema"]
        return _saying(json.dumps(_filled(schema, schema)))
    if last["role"] == "tool":
        return _saying(last["content"])
    return _saying(_known(last["content"], [message["content"] or "" for message in body["messages"][:-1]]))


def _saying(content: str) -> dict:
    return {"role": "assistant", "content": content}


def _known(asked: str, before: list[str]) -> str:
    """What it says to words: from the conversation if they are about that, else from what it knows."""
    told = "\n".join(before)
    if "my name?" in asked:
        return f"Your name is {_found(r'my name is ([A-Z][a-z]+)', told) or 'not known to me'}."
    if introduced := _found(r"my name is ([A-Z][a-z]+)", asked):
        return f"Hello {introduced}, nice to meet you."
    if "landmark" in asked:
        cities = re.findall("|".join(LANDMARKS), told)
        city = cities[next(place for word, place in ORDINALS.items() if word in asked)]
        return f"In {city} it is {LANDMARKS[city]}."
    if share := re.search(r"(\d+)% of (\d+)", asked):
        return f"{share[1]}% of {share[2]} is {int(share[1]) * int(share[2]) / 100:g}."
    return next((known for topic, known in KNOWN.items() if re.search(topic, asked, re.IGNORECASE)), "I see. Go on.")


def _filled(schema: dict, root: dict) -> Any:
    """A value that is valid against a schema: of several forms the first, in words what the schema says of them."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _filled((root.get("$defs") or root["definitions"])[name], root)
    match schema:
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]}:
            return _filled(first, root)
        case {"type": "object", "properties": properties}:
            return {name: _filled(value, root) for name, value in properties.items()}
        case {"type": "array", "items": items}:
            return [_filled(items, root)]
        case {"type": "boolean"}:
            return False
        case {"type": "integer" | "number"}:
            return schema.get("minimum", 1)
        case _:
            return schema.get("description", "a text")


def _found(pattern: str, text: str) -> str:
    """What a pattern finds: its group if it has one. Nothing: an empty text."""
    match = re.search(pattern, text)
    return "" if match is None else match[match.re.groups]
