"""A managed agent of google-adk whose work deep research does: a report, and a question about it."""

import asyncio
import json

from google.adk.agents import ManagedAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.runners import InMemoryRunner
from google.genai import types

CONFIG = {"type": "deep-research", "thinking_summaries": "auto"}


async def main() -> None:
    agent = ManagedAgent(name="researcher", agent_id="agents/deep-research-preview-04-2026", agent_config=CONFIG)
    runner = InMemoryRunner(agent=agent, app_name="test")
    session = await runner.session_service.create_session(app_name="test", user_id="user")
    turns = []
    for text in ("Research the history of Google TPUs.", "When was Trillium announced?"):
        run = runner.run_async(
            user_id="user",
            session_id=session.id,
            new_message=types.Content(role="user", parts=[types.Part(text=text)]),
            run_config=RunConfig(streaming_mode=StreamingMode.SSE),
        )
        turns.append(seen([event async for event in run]))
    await runner.close()
    print(json.dumps(turns))


def seen(events: list) -> dict:
    """A turn: what its whole events say, and how many pieces came besides."""
    whole = [event for event in events if not event.partial]
    parts = [part for event in whole if event.content for part in event.content.parts]
    return {
        "pieces": len(events) - len(whole),
        "thoughts": "".join(part.text for part in parts if part.text and part.thought),
        "text": "".join(part.text for part in parts if part.text and not part.thought),
        "errors": [event.error_message for event in events if event.error_message],
        "interactions": [event.interaction_id for event in whole if event.interaction_id],
    }


asyncio.run(main())
