"""Deep research: polled to its end, and streamed over a line that breaks at several events."""

import json
import time

from google import genai

TASK = "Research the history of the Google TPUs with a focus on 2025 and 2026."
CUTS = (2, 3, 1, 4)
"""After how many events the line breaks, each time."""

client = genai.Client()


def dump(interaction):
    return interaction.model_dump(mode="json", exclude_none=True)


def seen(event):
    """An event and the classes that the SDK has made of it."""
    told = {"type": event.event_type, "class": type(event).__name__, "event_id": event.event_id}
    told["index"] = getattr(event, "index", None)
    if delta := getattr(event, "delta", None):
        told |= {"delta": delta.type, "delta_class": type(delta).__name__, "text": text_of(delta)}
    if interaction := getattr(event, "interaction", None):
        told |= {"id": interaction.id, "status": interaction.status, "agent": interaction.agent}
    return told


def text_of(delta):
    """The text of a delta, or of the summary of a thought in it."""
    return getattr(getattr(delta, "content", None) or delta, "text", None) or ""


def events(stream, count=None):
    """What a stream tells, up to its end or for so many events."""
    told = []
    for event in stream:
        told.append(seen(event))
        if len(told) == count:
            stream.close()
            break
    return told


def polled():
    begun = client.interactions.create(agent="deep-research-preview-04-2026", input=TASK, background=True)
    statuses = [begun.status]
    while statuses[-1] == "in_progress":
        time.sleep(0.1)
        interaction = client.interactions.get(begun.id)
        statuses.append(interaction.status)
    return {"begun": dump(begun), "ended": dump(interaction), "statuses": statuses}


def streamed():
    stream = client.interactions.create(
        agent="deep-research-max-preview-04-2026",
        input=TASK,
        agent_config={"type": "deep-research", "thinking_summaries": "auto"},
        background=True,
        stream=True,
    )
    pieces = [events(stream, CUTS[0])]
    id = pieces[0][0]["id"]
    for count in (*CUTS[1:], None):
        after = pieces[-1][-1]["event_id"]
        pieces.append(events(client.interactions.get(id, stream=True, last_event_id=after), count))
    whole = events(client.interactions.get(id, stream=True))
    return {"pieces": pieces, "whole": whole, "ended": dump(client.interactions.get(id))}


print(json.dumps({"polled": polled(), "streamed": streamed()}))
