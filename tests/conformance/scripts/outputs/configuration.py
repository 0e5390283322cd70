"""Configured interactions with an SDK of the `outputs` form."""

import json

from google import genai

MODEL = "gemini-3-flash-preview"
CITIES = "What are the three largest cities in Spain?"
client = genai.Client()


def text_of(interaction):
    return interaction.outputs[-1].text


def configured(**generation_config):
    interaction = client.interactions.create(model=MODEL, input=CITIES, generation_config=generation_config)
    return {
        "text": text_of(interaction),
        "status": interaction.status,
        "output_tokens": interaction.usage.total_output_tokens,
    }


instructed = client.interactions.create(
    model=MODEL,
    input=CITIES,
    system_instruction="You are a geography teacher.",
    generation_config={"temperature": 0.7, "top_p": 0.9, "seed": 1, "thinking_level": "low"},
)

report = {
    "limited": configured(max_output_tokens=5),
    "stopped": configured(stop_sequences=["Spain", "Barcelona"]),
    "instructed": {"text": text_of(instructed), "status": instructed.status},
}
print(json.dumps(report))
