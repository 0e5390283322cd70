"""Saved agents: made, read, listed page by page, put to work, deleted; and what is refused."""

import json
import uuid

from google import genai

client = genai.Client()
first, second = (f"{name}-{uuid.uuid4().hex[:12]}" for name in ("historian", "brief"))
BASE = "deep-research-preview-04-2026"


def refusal(call):
    try:
        call()
    except Exception as error:
        return {"status": getattr(error, "status_code", None), "message": str(error)}
    return None


def listed():
    found, token = [], None
    while True:
        page = client.agents.list(page_size=1, **({"page_token": token} if token else {}))
        found += [agent.id for agent in page.agents or []]
        token = page.next_page_token
        if not token:
            return found


made = client.agents.create(
    id=first,
    base_agent=BASE,
    description="Looks into the past.",
    system_instruction="Write a page at the most.",
    tools=[
        {"type": "google_search"},
        {"type": "mcp_server", "name": "archive", "url": "https://mcp.example", "headers": {"x-key": "secret"}},
    ],
)
client.agents.create(id=second, base_agent=BASE)
begun = client.interactions.create(
    agent=second,
    input="Research the history of Google TPUs.",
    agent_config={"type": "deep-research", "thinking_summaries": "auto"},
    background=True,
)
ended = client.interactions.cancel(begun.id)
report = {
    "ids": [first, second],
    "made": made.model_dump(mode="json", exclude_none=True),
    "read": client.agents.get(id=first).model_dump(mode="json", exclude_none=True),
    "listed": listed(),
    "begun": begun.model_dump(mode="json"),
    "ended": ended.model_dump(mode="json"),
    "taken": refusal(lambda: client.agents.create(id=first, base_agent=BASE)),
    "reserved": refusal(lambda: client.agents.create(id="gemini-mine", base_agent=BASE)),
    "baseless": refusal(lambda: client.agents.create(id="baseless", base_agent="antigravity-preview-09-2026")),
    "housed": refusal(lambda: client.agents.create(id="housed", base_agent=BASE, base_environment="remote")),
    "unknown": refusal(lambda: client.interactions.create(agent="nobody", input="Hi", background=True)),
    "awaited": refusal(lambda: client.interactions.create(agent=first, input="Hi")),
}
client.agents.delete(id=first)
client.agents.delete(id=second)
report["gone"] = refusal(lambda: client.agents.get(id=first))
report["left"] = listed()
print(json.dumps(report))
