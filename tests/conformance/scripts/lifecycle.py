"""The life of an interaction after its end, and what is refused; the same in the `outputs` and the `steps` form."""

import json

from google import genai

MODEL = "gemini-3-flash-preview"
HELLO = "Hi, my name is Phil."
client = genai.Client()


def refusal(call):
    try:
        call()
    except Exception as error:
        status = getattr(error, "status_code", None)
        return {"error": type(error).__name__, "status": status, "message": str(error)}
    return None


finished = client.interactions.create(model=MODEL, input=HELLO)
cancelled = client.interactions.cancel(finished.id)
client.interactions.delete(finished.id)
unsaved = client.interactions.create(model=MODEL, input=HELLO, store=False)
wrong_type = {"generation_config": {"temperature": "hot"}}

report = {
    "finished": {"id": finished.id, "status": finished.status},
    "cancelled": {"id": cancelled.id, "status": cancelled.status},
    "get_deleted": refusal(lambda: client.interactions.get(finished.id)),
    "delete_deleted": refusal(lambda: client.interactions.delete(finished.id)),
    "continue_deleted": refusal(
        lambda: client.interactions.create(model=MODEL, input=HELLO, previous_interaction_id=finished.id)
    ),
    "get_unknown": refusal(lambda: client.interactions.get("v1_no_such_interaction")),
    "unsaved": {"status": unsaved.status},
    "get_unsaved": refusal(lambda: client.interactions.get(unsaved.id or "v1_unsaved")),
    "wrong_type": refusal(lambda: client.interactions.create(model=MODEL, input=HELLO, extra_body=wrong_type)),
}
print(json.dumps(report))
