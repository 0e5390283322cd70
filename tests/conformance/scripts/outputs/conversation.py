"""Conversations with an SDK of the `outputs` form: with the server's history, and with a history of one's own."""

import inspect
import json

from google import genai

MODEL = "gemini-3-flash-preview"
client = genai.Client()


def seen(interaction):
    return {
        "id": interaction.id,
        "status": interaction.status,
        "text": interaction.outputs[-1].text,
        "model": interaction.model,
        "role": interaction.role,
        "previous_interaction_id": interaction.previous_interaction_id,
        "total_tokens": interaction.usage.total_tokens,
    }


def get_with_input(interaction_id):
    if "include_input" not in inspect.signature(client.interactions.get).parameters:
        return None
    interaction = client.interactions.get(interaction_id, include_input=True)
    return seen(interaction) | {"input": str(interaction.input)}


first = client.interactions.create(model=MODEL, input="Hi, my name is Phil.")
second = client.interactions.create(model=MODEL, input="What is my name?", previous_interaction_id=first.id)

history = [{"role": "user", "content": "What are the three largest cities in Spain?"}]
cities = client.interactions.create(model=MODEL, input=history)
history.append({"role": "model", "content": cities.outputs})
history.append({"role": "user", "content": "What is the most famous landmark in the second one?"})
landmark = client.interactions.create(model=MODEL, input=history)

report = {
    "first": seen(first),
    "second": seen(second),
    "got": seen(client.interactions.get(second.id)),
    "got_with_input": get_with_input(second.id),
    "cities": seen(cities),
    "landmark": seen(landmark),
}
print(json.dumps(report))
