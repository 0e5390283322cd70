"""Turns of models in the background: polled, followed, cancelled, deleted, calling a function; and what is refused."""

import json
import time

from google import genai

MODEL = "gemini-3-flash-preview"
AGENT = "deep-research-preview-04-2026"
CITIES = "What are the three largest cities in Spain?"
STORY = "Tell me a very long story about a knight and a dragon."
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Gets the weather for a given location.",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}},
        "required": ["location"],
    },
}
client = genai.Client()


def create(**request):
    return client.interactions.create(model=MODEL, background=True, **request)


def dump(interaction):
    return interaction.model_dump(mode="json", exclude_none=True)


def ended(interaction):
    """The interaction when it has ended, and every status that was seen until then."""
    statuses = [interaction.status]
    while statuses[-1] == "in_progress":
        time.sleep(0.05)
        interaction = client.interactions.get(interaction.id)
        statuses.append(interaction.status)
    return dump(interaction), statuses


def seen(event):
    delta = getattr(event, "delta", None)
    return {"type": event.event_type, "event_id": event.event_id, "text": getattr(delta, "text", None) or ""}


def events(stream, until=None):
    """What a stream tells, up to its end or to the event at which the reader leaves."""
    told = []
    for event in stream:
        told.append(seen(event))
        if event.event_type in ("interaction.start", "interaction.created"):
            told[-1]["id"] = event.interaction.id
        if until is not None and until(told[-1]):
            stream.close()
            break
    return told


def refusal(call):
    try:
        call()
    except Exception as error:
        status = getattr(error, "status_code", None)
        return {"error": type(error).__name__, "status": status, "message": str(error)}
    return None


def polled():
    begun = create(input=CITIES)
    interaction, statuses = ended(begun)
    return {"begun": dump(begun), "ended": interaction, "statuses": statuses}


def followed():
    began = events(create(input=CITIES, stream=True), until=lambda event: event["text"])
    id = began[0]["id"]
    rest = events(client.interactions.get(id, stream=True, last_event_id=began[-1]["event_id"]))
    whole = events(client.interactions.get(id, stream=True))
    return {"began": began, "rest": rest, "whole": whole, "ended": dump(client.interactions.get(id))}


def cancelled():
    began = events(create(input=STORY, stream=True), until=lambda event: event["text"])
    id = began[0]["id"]
    return {
        "cancelled": dump(client.interactions.cancel(id)),
        "again": dump(client.interactions.cancel(id)),
        "read": dump(client.interactions.get(id)),
        "began": began,
        "whole": events(client.interactions.get(id, stream=True)),
    }


def deleted():
    begun = create(input=STORY)
    client.interactions.delete(begun.id)
    return {"begun": dump(begun), "read": refusal(lambda: client.interactions.get(begun.id))}


def called():
    calling, statuses = ended(create(input="What is the weather in Paris?", tools=[WEATHER]))
    (call,) = (item for item in calling.get("outputs") or calling["steps"] if item["type"] == "function_call")
    result = {"type": "function_result", "name": call["name"], "call_id": call["id"], "result": "It is sunny in Paris."}
    answered, _ = ended(create(input=[result], tools=[WEATHER], previous_interaction_id=calling["id"]))
    return {"calling": calling, "statuses": statuses, "call": call, "answered": answered}


def begin(**request):
    return client.interactions.create(**{"agent": AGENT, "input": "The history of Google TPUs.", **request})


report = {
    "polled": polled(),
    "followed": followed(),
    "cancelled": cancelled(),
    "deleted": deleted(),
    "called": called(),
    "unstored": refusal(lambda: create(input=CITIES, store=False)),
    "awaited": refusal(lambda: begin()),
    "configured": refusal(lambda: begin(background=True, generation_config={"temperature": 0.5})),
    "unknown_setting": refusal(
        lambda: begin(background=True, extra_body={"agent_config": {"type": "deep-research", "depth": 3}})
    ),
}
print(json.dumps(report))
