"""Streams with an SDK of the `steps` form: live, resumed, replayed, and of an interaction that nobody streamed."""

import json

from google import genai

MODEL = "gemini-3-flash-preview"
client = genai.Client()


def seen(event):
    told = {"type": event.event_type, "event_id": event.event_id, "index": getattr(event, "index", None)}
    if event.event_type == "step.delta":
        told["delta"] = event.delta.type
        told["text"] = event.delta.text if event.delta.type == "text" else ""
    if event.event_type == "interaction.status_update":
        told |= {"id": event.interaction_id, "status": event.status}
    if event.event_type in ("interaction.created", "interaction.completed"):
        told |= seen_interaction(event.interaction)
    return told


def seen_interaction(interaction):
    usage = getattr(interaction, "usage", None)
    return {
        "id": interaction.id,
        "status": interaction.status,
        "produced": bool(getattr(interaction, "steps", None)),
        "total_tokens": usage.total_tokens if usage else None,
    }


def text_of(interaction):
    return "".join(part.text for part in interaction.steps[-1].content if part.type == "text")


def replay(interaction_id, **after):
    return [seen(event) for event in client.interactions.get(interaction_id, stream=True, **after)]


live = client.interactions.create(
    model=MODEL,
    input="Explain quantum entanglement in simple terms.",
    generation_config={"max_output_tokens": 60},
    stream=True,
)
live = [seen(event) for event in live]
interaction_id = live[0]["id"]
stored = client.interactions.get(interaction_id)
plain = client.interactions.create(model=MODEL, input="What are the three largest cities in Spain?")

report = {
    "live": live,
    "stored": {"id": stored.id, "status": stored.status, "text": text_of(stored)},
    "resumed": replay(interaction_id, last_event_id=live[2]["event_id"]),
    "replayed": replay(interaction_id),
    "plain": {"id": plain.id, "text": text_of(plain)},
    "plain_replayed": replay(plain.id),
}
print(json.dumps(report))
