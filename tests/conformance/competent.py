"""A model that does well what it is asked, as a script that can be read: what any good model would answer.

What it does is decided by the request alone: a schema is filled in; functions that are offered are called with what the
request says, found by the names of their parameters; a function's result is told, of a long one what has to do with the
question; whoever asks for thinking gets a thought. What it knows of the world is `KNOWN`, and of a conversation what
was said in it.
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
    r"very long story": "A brave knight rode out to find a dragon. "
    + "They talked until dawn, and then until dusk. " * 400,
    r"story": "Once a brave knight rode out to find a dragon. They talked until dawn, and parted as friends.",
    r"joke": "There are ten kinds of people: those who know binary, and those who do not.",
}
"""What it knows, by what a question has in it."""

LANDMARKS = {"Barcelona": "the Sagrada Família", "Madrid": "the Royal Palace", "Valencia": "the City of Arts"}
ORDINALS = {"first": 0, "second": 1, "third": 2}

PROGRAM = "a, b = 0, 1\nfor _ in range({}):\n    a, b = b, a + b\nprint(a)"
"""A computation that it can write down."""

ARGUMENTS: Mapping[str, Callable[[str], Any]] = {
    "location": lambda said: _found(r"\bin ([A-Z]\w+(?: [A-Z]\w+)*)", said),
    "attendees": lambda said: re.findall(r"[A-Z]\w+", _found(r"\bwith (.*?)(?: about|\.|$)", said)),
    "date": lambda said: _found(r"\d{4}-\d{2}-\d{2}", said),
    "time": lambda said: _found(r"\d{1,2}(?::\d{2})? ?(?:am|pm)?(?= with|\.|$)", said),
    "topic": lambda said: _found(r"\babout (?:the )?(.*?)[.?]?$", said),
    "queries": lambda said: [said],
    "query": lambda said: said,
    "urls": lambda said: re.findall(r"(?:https?://|www\.)[^\s'\"]+", said),
    "code": lambda said: PROGRAM.format(_found(r"(\d+)(?:st|nd|rd|th) Fibonacci", said)),
}
"""How to find an argument in a request, by the name of its parameter."""

FACTS: Mapping[str, str] = {"winning_team": r"\b(?!Who\b)([A-Z]\w+) won", "score": r"\d+-\d+"}
"""How to find in what it read what a schema asks for."""

LONG = 160
"""A result that is longer, in characters, is not told word for word."""


def competent(body: dict) -> dict:
    """The message that answers a request."""
    message = _answer(body)
    if body.get("reasoning_effort"):
        message["reasoning_content"] = "I look at what is asked.\n\nThen I answer it."
    return message


def _answer(body: dict) -> dict:
    last = body["messages"][-1]
    if body.get("tools") and last["role"] == "user":
        function = _chosen([tool["function"] for tool in body["tools"]], last["content"])
        asked = {name: ARGUMENTS[name](last["content"]) for name in function["parameters"].get("required", ())}
        return call(f"call_{len(body['messages'])}", function["name"], asked)
    if "response_format" in body:
        schema = body["response_format"]["json_schema"]["schema"]
        read = last["content"] if last["role"] == "tool" else ""
        return _saying(json.dumps(_filled(schema, schema) | _facts(schema, read)))
    if last["role"] == "tool":
        asked = next(message["content"] for message in reversed(body["messages"]) if message["role"] == "user")
        return _saying(_told(last["content"], asked))
    return _saying(_known(last["content"], [message["content"] or "" for message in body["messages"][:-1]]))


def _saying(content: str) -> dict:
    return {"role": "assistant", "content": content}


def _chosen(functions: list[dict], asked: str) -> dict:
    """The function whose name says most of what is asked; the first of them, if none does."""
    return max(functions, key=lambda function: len(_words(function["name"].replace("_", " ")) & _words(asked)))


def _told(result: str, asked: str) -> str:
    """A result in its own words: a long one in the sentence that has most to do with what is asked."""
    if len(result) <= LONG:
        return result
    sentences = re.findall(r"[A-Z][^.!?\n]*(?:[.!?](?!\s)[^.!?\n]*)*[.!?](?=\s|$)", result)
    return max(sentences, key=lambda sentence: len(_words(sentence) & _words(asked)), default=result)


def _facts(schema: dict, read: str) -> dict:
    """What a schema asks for and a text tells."""
    wanted = {name: pattern for name, pattern in FACTS.items() if name in schema.get("properties", {})}
    return {name: found for name, pattern in wanted.items() if (found := _found(pattern, read))}


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 2}


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
