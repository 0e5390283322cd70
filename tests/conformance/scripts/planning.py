"""Deep research that shows its plan first: changed, approved, carried out; then asked about, of agent and model."""

import json
import time

from google import genai

AGENT = "deep-research-preview-04-2026"
QUESTION = "When was Trillium announced?"
client = genai.Client()


def ended(**request):
    """What came of a request, when it has ended."""
    interaction = client.interactions.create(background=True, **request)
    while interaction.status == "in_progress":
        time.sleep(0.1)
        interaction = client.interactions.get(interaction.id)
    return interaction


def settings(planning):
    return {"type": "deep-research", "collaborative_planning": planning, "thinking_summaries": "auto"}


plan = ended(agent=AGENT, input="Research the history of Google TPUs.", agent_config=settings(True))
changed = ended(
    agent=AGENT,
    input="Add the cooling of the chips.",
    agent_config=settings(True),
    previous_interaction_id=plan.id,
)
report = ended(
    agent=AGENT,
    input="Looks good, please go ahead.",
    agent_config=settings(False),
    previous_interaction_id=changed.id,
)
by_agent = ended(agent=AGENT, input=QUESTION, previous_interaction_id=report.id)
by_model = ended(model="gemini-3-flash-preview", input=QUESTION, previous_interaction_id=report.id)
turns = {"plan": plan, "changed": changed, "report": report, "by_agent": by_agent, "by_model": by_model}
print(json.dumps({name: turn.model_dump(mode="json", exclude_none=True) for name, turn in turns.items()}))
