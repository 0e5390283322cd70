"""Function calls with an SDK of the `outputs` form: on the server's history, on one's own, and in a stream."""

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
    return "".join(output.text for output in interaction.outputs if output.type == "text")


def calls_of(interaction):
    calls = [output for output in interaction.outputs if output.type == "function_call"]
    return [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls]


def seen(interaction):
    return {
        "id": interaction.id,
        "status": interaction.status,
        "steps": [output.type for output in interaction.outputs],
        "calls": calls_of(interaction),
        "text": text_of(interaction),
    }


def result_of(call, result):
    return {"type": "function_result", "call_id": call["id"], "name": call["name"], "result": result}


def streamed(stream):
    """What a stream told of its calls: each comes as one whole delta."""
    told = {"events": [], "calls": [], "status": None, "id": None}
    for event in stream:
        told["events"].append(event.event_type)
        if event.event_type == "content.delta" and event.delta.type == "function_call":
            delta = event.delta
            told["calls"].append({"id": delta.id, "name": delta.name, "arguments": delta.arguments})
        elif event.event_type in ("interaction.start", "interaction.complete"):
            told |= {"id": event.interaction.id, "status": event.interaction.status}
    return told


asked = client.interactions.create(model=MODEL, input="What is the weather in Paris?", tools=[WEATHER])
results = [result_of(call, f"The weather in {call['arguments']['location']} is sunny.") for call in calls_of(asked)]
answered = client.interactions.create(model=MODEL, previous_interaction_id=asked.id, input=results)

request = "Schedule a meeting for 2025-11-01 at 10 am with Peter and Amir about the Next Gen API."
history = [{"role": "user", "content": request}]
meeting = client.interactions.create(model=MODEL, input=history, tools=[MEETING], store=False)
history.append({"role": "model", "content": meeting.outputs})
results = [result_of(call, "Meeting scheduled successfully.") for call in calls_of(meeting)]
history.append({"role": "user", "content": results})
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
