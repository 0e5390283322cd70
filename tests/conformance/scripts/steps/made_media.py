"""Media made with an SDK of the `steps` form: painted, spoken, streamed, gone on from, and kept as files.

Pictures and sounds are written into the folder in which this runs.
"""

import json
from base64 import b64decode
from pathlib import Path

from google import genai

PAINTER, SPEAKER = "gemini-3-pro-image-preview", "gemini-2.5-flash-preview-tts"
CITY = "Generate an image of a futuristic city."
SAYING = "Say the following: WOOHOO This is so much fun!."
client = genai.Client()


def made(interaction, name):
    """The one thing that was made, as it came; its bytes go into a file."""
    (part,) = (part for step in interaction.steps if step.type == "model_output" for part in step.content)
    seen = {"type": part.type, "mime_type": part.mime_type, "uri": part.uri, "file": name}
    seen |= {field: getattr(part, field, None) for field in ("sample_rate", "channels")}
    data = b64decode(part.data) if part.data else client.files.download(file=part.uri)
    Path(name).write_bytes(data)
    convenient = getattr(interaction, f"output_{part.type}", None)
    return {**seen, "convenient": convenient is not None and (convenient.data, convenient.uri) == (part.data, part.uri)}


def streamed(kind, name, **asked):
    """What came piece by piece, put together."""
    stream = client.interactions.create(stream=True, **asked)
    deltas = [event.delta for event in stream if event.event_type == "step.delta"]
    pieces = [delta for delta in deltas if delta.type == kind]
    Path(name).write_bytes(b"".join(b64decode(piece.data) for piece in pieces))
    return {
        "type": kind,
        "mime_type": pieces[0].mime_type,
        "pieces": len(pieces),
        "others": len(deltas) - len(pieces),
        "file": name,
    }


def paint(words, before=None, **form):
    asked = {"model": PAINTER, "input": words, "generation_config": {"seed": 7}}
    asked["response_format"] = {"type": "image", "mime_type": "image/png", **form}
    return client.interactions.create(**asked, **({"previous_interaction_id": before.id} if before else {}))


def speak(words, before=None, **form):
    asked = {"model": SPEAKER, "input": words, "response_format": {"type": "audio", "mime_type": "audio/l16", **form}}
    asked["generation_config"] = {"speech_config": [{"voice": "kore", "language": "en-us"}]}
    return client.interactions.create(**asked, **({"previous_interaction_id": before.id} if before else {}))


house = paint("A red house on a hill")
said = speak(SAYING)
jpeg, pcm = {"type": "image", "mime_type": "image/jpeg"}, {"type": "audio", "mime_type": "audio/l16"}

report = {
    "city": made(paint(CITY, aspect_ratio="16:9", image_size="512"), "city.png"),
    "streamed_city": streamed("image", "streamed.jpg", model=PAINTER, input=CITY, response_format=jpeg),
    "house": made(house, "house.png"),
    "blue": made(paint("make it blue", house), "blue.png"),
    "kept": made(paint("A red house on a hill", delivery="uri"), "kept.png"),
    "said": made(said, "said.pcm"),
    "slower": made(speak("Say it again, slower", said), "slower.pcm"),
    "wav": made(speak(SAYING, mime_type="audio/wav", delivery="uri"), "said.wav"),
    "streamed_speech": streamed("audio", "streamed.pcm", model=SPEAKER, input=SAYING, response_format=pcm),
}
print(json.dumps(report))
