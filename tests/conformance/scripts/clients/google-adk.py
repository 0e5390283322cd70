"""An agent of google-adk on the model that the argument names: a chain, and a function that the agent runs itself.

Each is done in one piece and in a stream.
"""

import asyncio
import json
import os
import sys

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types

MODEL = sys.argv[1]
MODES = {"whole": StreamingMode.NONE, "streamed": StreamingMode.SSE}


def get_weather(location: str) -> dict:
    """Gets the weather for a given location.

    Args:
        location: The city and state, e.g. San Francisco, CA
    """
    return {"weather": f"The weather in {location} is sunny."}


async def talk(mode: str, tools: list, *texts: str) -> list[dict]:
    """What came of each text in one conversation."""
    model = Gemini(model=MODEL, use_interactions_api=True, base_url=os.environ["GOOGLE_GEMINI_BASE_URL"])
    runner = InMemoryRunner(agent=Agent(name="helper", model=model, tools=tools, instruction=""), app_name="test")
    session = await runner.session_service.create_session(app_name="test", user_id="user")
    turns = []
    for text in texts:
        message = types.Content(role="user", parts=[types.Part(text=text)])
        run = runner.run_async(
            user_id="user",
            session_id=session.id,
            new_message=message,
            run_config=RunConfig(streaming_mode=MODES[mode]),
        )
        turns.append(seen([event async for event in run]))
    await runner.close()
    return turns


def seen(events: list) -> dict:
    """A turn: the events that are whole, and how many pieces came besides."""
    whole = [event for event in events if not event.partial]
    parts = [part for event in whole if event.content for part in event.content.parts]
    return {
        "pieces": len(events) - len(whole),
        "text": "".join(part.text for part in parts if part.text and not part.thought),
        "calls": [[part.function_call.name, part.function_call.args] for part in parts if part.function_call],
        "results": [part.function_response.response for part in parts if part.function_response],
        "signatures": sum(bool(part.thought_signature) for part in parts),
        "errors": [event.error_message for event in events if event.error_message],
        "interactions": [event.interaction_id for event in whole if event.interaction_id],
    }


async def main() -> None:
    report = {}
    for mode in MODES:
        report[mode] = {
            "chain": await talk(mode, [], "Hi, my name is Phil.", "What is my name?"),
            "tools": await talk(mode, [get_weather], "What is the weather in Paris?"),
        }
    print(json.dumps(report))


asyncio.run(main())
