"""Media shown with an SDK of the `steps` form: inline, by address and uploaded; sound that is heard, and refused.

python shown_media.py EXHIBITS ADDRESS
"""

import json
import sys
from base64 import b64encode
from pathlib import Path

from google import genai

MODEL, EARS, PAINTER = "gemini-3-flash-preview", "ears", "gemini-3-pro-image-preview"
exhibits, address = Path(sys.argv[1]), sys.argv[2]
client = genai.Client()


def words(interaction):
    return "".join(part.text for part in interaction.steps[-1].content if part.type == "text")


def ask(question, media, model=MODEL):
    asked = [{"type": "text", "text": question}, media]
    return words(client.interactions.create(model=model, input=asked))


def inline(kind, file, mime_type):
    return {"type": kind, "data": b64encode((exhibits / file).read_bytes()).decode(), "mime_type": mime_type}


def refusal(call):
    try:
        call()
    except Exception as error:
        return {"error": type(error).__name__, "status": getattr(error, "status_code", None), "message": str(error)}
    return None


file = client.files.upload(file=exhibits / "report.pdf")
recording = inline("audio", "dialogue.wav", "audio/wav")
picture = {"type": "image", "mime_type": "image/png"}
house = client.interactions.create(model=PAINTER, input="A red house on a hill", response_format=picture)
after = {"input": "What was in the picture?", "previous_interaction_id": house.id}

report = {
    "image": ask("When does the ferry to Skagen leave?", inline("image", "notice.png", "image/png")),
    "remote": ask("Describe what you see.", {"type": "image", "uri": f"{address}/cats-and-dogs.jpg"}),
    "document": ask("Who is the director of the waterworks?", {"type": "document", "uri": file.uri}),
    "video": ask("What is the last station?", inline("video", "journey.mp4", "video/mp4")),
    "heard": ask("What does this audio say?", recording, EARS),
    "not_heard": refusal(lambda: ask("What does this audio say?", recording)),
    "asked_after": words(client.interactions.create(model=MODEL, **after)),
}
print(json.dumps(report))
