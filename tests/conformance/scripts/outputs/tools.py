"""The server's tools with an SDK of the `outputs` form, plainly and in a stream, and what it makes of each output."""

import json
import sys

from google import genai

MODEL = "gemini-3-flash-preview"
client = genai.Client()

MCP = {"type": "mcp_server", "name": "weather_service", "url": "https://gemini-api-demos.uc.r.appspot.com/mcp"}
EURO = {
    "type": "object",
    "properties": {"winning_team": {"type": "string"}, "score": {"type": "string"}},
    "required": ["winning_team", "score"],
}
PAGE = "https://www.wikipedia.org/missing"
FRIDGES = "Search for smart fridges with touchscreen on Google Shopping."

ASKED = {
    "google_search": {"input": "Who won the last Super Bowl?", "tools": [{"type": "google_search"}]},
    "code_execution": {"input": "Calculate the 50th Fibonacci number.", "tools": [{"type": "code_execution"}]},
    "url_context": {"input": "Summarize the content of https://www.wikipedia.org/", "tools": [{"type": "url_context"}]},
    "mcp_server": {"input": "What is the weather like in New York today?", "tools": [MCP]},
    "structured": {
        "input": "Who won the last euro?",
        "tools": [{"type": "google_search"}],
        "response_format": EURO,
    },
    "computer_use": {
        "input": FRIDGES,
        "tools": [{"type": "computer_use", "environment": "browser", "excludedPredefinedFunctions": ["drag_and_drop"]}],
    },
}
FAILING = {
    "nothing_found": {"input": "Xyzzy plugh?", "tools": [{"type": "google_search"}]},
    "missing_page": {"input": f"Summarize the content of {PAGE}", "tools": [{"type": "url_context"}]},
    "wrong_code": {"input": "Calculate whatever you like.", "tools": [{"type": "code_execution"}]},
    "wrong_tool": {"input": "Get the forecast in Boston.", "tools": [MCP]},
}
"""What comes to nothing; asked when the command line says so."""


def is_valid(value):
    """Whether what the SDK read is what its own types allow: it reads what they do not allow all the same."""
    if isinstance(value, dict):
        return True  # a generation that has no type for it
    try:
        type(value).model_validate(json.loads(value.model_dump_json(exclude_unset=True)))
    except ValueError as error:
        return f"{type(value).__name__}: {error}"
    return True


def told_of(value):
    return value if isinstance(value, dict) else json.loads(value.model_dump_json(exclude_unset=True))


def annotations_of(interaction):
    texts = [output for output in interaction.outputs if output.type == "text"]
    found = [annotation for text in texts for annotation in text.annotations or []]
    return [{"class": type(one).__name__, "valid": is_valid(one), **told_of(one)} for one in found]


def seen(interaction):
    return {
        "id": interaction.id,
        "status": interaction.status,
        "types": [output.type for output in interaction.outputs],
        "classes": [type(output).__name__ for output in interaction.outputs],
        "valid": [is_valid(output) for output in interaction.outputs],
        "steps": [told_of(output) for output in interaction.outputs],
        "text": "".join(output.text for output in interaction.outputs if output.type == "text"),
        "annotations": annotations_of(interaction),
        "tools": [told_of(tool) for tool in getattr(interaction, "tools", None) or []],
        "usage": told_of(interaction.usage),
    }


def streamed(stream):
    """What a stream told, each event by its type and its classes."""
    told = {"id": None, "status": None, "events": [], "classes": [], "text": "", "notes": [], "ids": []}
    for event in stream:
        told["events"].append(event.event_type)
        told["ids"].append(event.event_id)
        inner = getattr(event, "content", None) or getattr(event, "delta", None)
        if inner is not None:
            kind = inner["type"] if isinstance(inner, dict) else inner.type
            told["classes"].append([event.event_type, kind, type(inner).__name__])
        if event.event_type == "content.delta" and event.delta.type == "text":
            told["text"] += event.delta.text
        if event.event_type == "content.delta":
            told["notes"] += [told_of(note) for note in getattr(event.delta, "annotations", None) or []]
        if event.event_type in ("interaction.start", "interaction.complete"):
            told |= {"id": event.interaction.id, "status": event.interaction.status}
    return told


def one(name):
    body = {"model": MODEL, **asked[name]}
    whole = client.interactions.create(**body)
    live = streamed(client.interactions.create(**body, stream=True))
    return {
        "whole": seen(whole),
        "live": live,
        "replayed": streamed(client.interactions.get(live["id"], stream=True)),
        "stored": seen(client.interactions.get(whole.id)),
    }


asked = FAILING if "failing" in sys.argv else ASKED
print(json.dumps({name: one(name) for name in asked}, default=str))
