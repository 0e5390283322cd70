"""Deep research, polled while the server may go away: the SDK tries again by itself."""

import json
import time

from google import genai

client = genai.Client(http_options={"retry_options": {"attempts": 8}})
interaction = client.interactions.create(
    agent="deep-research-preview-04-2026", input="Research the history of Google TPUs.", background=True
)
while interaction.status == "in_progress":
    print(interaction.status, flush=True)
    time.sleep(0.5)
    interaction = client.interactions.get(interaction.id)
print(json.dumps(interaction.model_dump(mode="json", exclude_none=True)))
