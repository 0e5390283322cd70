"""A conversation that begins here, or goes on here from the interaction named as argument, in the `steps` form."""

import json
import sys

from google import genai

MODEL = "gemini-3-flash-preview"
client = genai.Client()


def text_of(interaction):
    return "".join(part.text for part in interaction.steps[-1].content if part.type == "text")


def seen(interaction):
    return {"id": interaction.id, "status": interaction.status, "text": text_of(interaction)}


def begin():
    return {"said": seen(client.interactions.create(model=MODEL, input="Hi, my name is Phil."))}


def go_on(before):
    read = client.interactions.get(before)
    said = client.interactions.create(model=MODEL, input="What is my name?", previous_interaction_id=before)
    return {"read": seen(read), "said": seen(said)}


print(json.dumps(go_on(sys.argv[1]) if len(sys.argv) > 1 else begin()))
