"""Webhooks: registered, listed, read, changed, tried, given a new secret, removed; and what two interactions tell."""

import json
import sys
import time

from google import genai

client = genai.Client()
webhooks = client.webhooks
address = sys.argv[1]


def refusal(call):
    try:
        call()
    except Exception as error:
        return {"error": type(error).__name__, "code": getattr(error, "status_code", None), "message": str(error)}
    return None


def shown(webhook):
    return webhook.model_dump(mode="json")


def ended(interaction):
    deadline = time.monotonic() + 60
    while client.interactions.get(interaction.id).status == "in_progress":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return client.interactions.get(interaction.id).status


made = webhooks.create(
    name="Mine", uri=f"{address}/static", subscribed_events=["interaction.completed", "batch.succeeded"]
)
second = webhooks.create(uri=f"{address}/second", subscribed_events=["video.generated"])
page = webhooks.list(page_size=1)
rest = webhooks.list(page_size=9, page_token=page.next_page_token)
pinged = webhooks.ping(made.id)
interaction = client.interactions.create(model="gemini-3-flash-preview", input="Say hello.", background=True)
report = {
    "made": shown(made),
    "read": shown(webhooks.get(made.id)),
    "listed": [one.id for one in [*page.webhooks, *rest.webhooks]],
    "pinged": pinged.model_dump(mode="json"),
    "interaction": interaction.id,
    "status": ended(interaction),
}
dynamic = client.interactions.create(
    model="gemini-3-flash-preview",
    input="Say hello.",
    background=True,
    webhook_config={"uris": [f"{address}/dynamic"], "user_metadata": {"job_group": "nightly-eval", "priority": 1}},
)
report["dynamic"] = dynamic.id
ended(dynamic)
report["echoed"] = client.interactions.get(dynamic.id).webhook_config.model_dump(mode="json")
report["updated"] = shown(webhooks.update(made.id, name="Other", state="disabled"))
report["masked"] = shown(webhooks.update(made.id, update_mask="name", name="Masked", state="enabled"))
behaviour = "revoke_previous_secrets_after_h24"
report["rotated"] = webhooks.rotate_signing_secret(made.id, revocation_behavior=behaviour).secret
report["read_later"] = shown(webhooks.get(made.id))
report["private"] = refusal(
    lambda: webhooks.create(uri="https://10.0.0.1/", subscribed_events=["interaction.completed"])
)
webhooks.delete(second.id)
webhooks.delete(made.id)
report["get_deleted"] = refusal(lambda: webhooks.get(made.id))
print(json.dumps(report))
