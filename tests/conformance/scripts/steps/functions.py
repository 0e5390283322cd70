"""Function calls with an SDK of the `steps` form: on the server's history, on one's own, and in a stream."""

import json

from google import genai

MODEL = "gemini-3-flash-preview"
client = genai.Client()

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
MEETING = {
    "type": "function",
    "name": "schedule_meeting",
    "description": "Schedules a meeting with specified attendees at a given time and date.",
    "parameters": {
        "type": "object",
        "properties": {
            "attendees": {"type": "array", "items": {"type": "string"}},
            "date": {"type": "string", "description": "Date of the meeting (e.g., 2024-07-29)"},
            "time": {"type": "string", "description": "Time of the meeting (e.g., 15:00)"},
            "topic": {"type": "string", "description": "The subject of the meeting."},
        },
        "required": ["attendees", "date", "time", "topic"],
    },
}


def text_of(interaction):
    parts = [part for step in interaction.steps if step.type == "model_output" for part in step.content]
    return "".join(part.text for part in parts if part.type == "text")


def calls_of(interaction):
    calls = [step for step in interaction.steps if step.type == "function_call"]
    return [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls]


def seen(interaction):
    return {
        "id": interaction.id,
        "status": interaction.status,
        "steps": [step.type for step in interaction.steps],
        "calls": calls_of(interaction),
        "text": text_of(interaction),
    }


def result_of(call, result):
    return {"type": "function_result", "call_id": call["id"], "name": call["name"], "result": result}


def streamed(stream):
    """What a stream told of its calls, put together as a client must: a start, then pieces of the arguments."""
    told = {"events": [], "calls": {}, "status": None, "id": None}
    for event in stream:
        told["events"].append(event.event_type)
        if event.event_type == "step.start" and event.step.type == "function_call":
            start = {"id": event.step.id, "name": event.step.name, "started_with": event.step.arguments, "pieces": []}
            told["calls"][event.index] = start
        elif event.event_type == "step.delta" and event.delta.type == "arguments_delta":
            delta = event.delta
            piece = getattr(delta, "arguments", None) or delta.partial_arguments
            told["calls"][event.index]["pieces"].append(piece)
        elif event.event_type in ("interaction.created", "interaction.completed"):
            told |= {"id": event.interaction.id, "status": event.interaction.status}
    told["calls"] = list(told["calls"].values())
    return told


asked = client.interactions.create(model=MODEL, input="What is the weather in Paris?", tools=[WEATHER])
results = [result_of(call, f"The weather in {call['arguments']['location']} is sunny.") for call in calls_of(asked)]
answered = client.interactions.create(model=MODEL, previous_interaction_id=asked.id, input=results)

request = "Schedule a meeting for 2025-11-01 at 10 am with Peter and Amir about the Next Gen API."
history = [{"type": "user_input", "content": [{"type": "text", "text": request}]}]
meeting = client.interactions.create(model=MODEL, input=history, tools=[MEETING], store=False)
history.extend(meeting.steps)
history.extend(result_of(call, "Meeting scheduled successfully.") for call in calls_of(meeting))
scheduled = client.interactions.create(model=MODEL, input=history, store=False)

live = streamed(
    client.interactions.create(model=MODEL, input="What is the weather in Paris?", tools=[WEATHER], stream=True)
)
replayed = streamed(client.interactions.get(live["id"], stream=True))
continued = client.interactions.create(
    model=MODEL,
    previous_interaction_id=live["id"],
    input=[result_of(call, "It is sunny.") for call in live["calls"]],
)

report = {
    "asked": seen(asked),
    "answered": seen(answered),
    "meeting": seen(meeting),
    "scheduled": seen(scheduled),
    "live": live,
    "replayed": replayed,
    "continued": seen(continued),
}
print(json.dumps(report))
