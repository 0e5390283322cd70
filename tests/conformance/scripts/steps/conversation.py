"""Conversations with an SDK of the `steps` form: with the server's history, and with a history of one's own."""

import json

from google import genai

MODEL = "gemini-3-flash-preview"
client = genai.Client()


def text_of(interaction):
    last = interaction.steps[-1]
    return "".join(part.text for part in last.content if part.type == "text")


def seen(interaction):
    return {
        "id": interaction.id,
        "status": interaction.status,
        "text": text_of(interaction),
        "output_text": getattr(interaction, "output_text", None),
        "steps": [step.type for step in interaction.steps],
        "model": interaction.model,
        "previous_interaction_id": interaction.previous_interaction_id,
        "total_tokens": interaction.usage.total_tokens,
    }


def get_with_input(interaction_id):
    interaction = client.interactions.get(interaction_id, include_input=True)
    return seen(interaction) | {"input": str(interaction.input)}


def user_input(text):
    return {"type": "user_input", "content": [{"type": "text", "text": text}]}


first = client.interactions.create(model=MODEL, input="Hi, my name is Phil.")
second = client.interactions.create(model=MODEL, input="What is my name?", previous_interaction_id=first.id)

history = [user_input("What are the three largest cities in Spain?")]
cities = client.interactions.create(model=MODEL, input=history)
history.extend(cities.steps)
history.append(user_input("What is the most famous landmark in the second one?"))
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
