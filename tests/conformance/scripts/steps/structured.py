"""Structured output with an SDK of the `steps` form: a format of the API's own, and a raw schema, by pydantic."""

import json
from typing import Literal

from google import genai
from pydantic import BaseModel, Field

MODEL = "gemini-3-flash-preview"
SPAM = (
    "Moderate the following content: 'Congratulations! You've won a free cruise. "
    "Click here to claim your prize: www.definitely-not-a-scam.com'"
)
client = genai.Client()


class SpamDetails(BaseModel):
    reason: str = Field(description="The reason why the content is considered spam.")
    spam_type: Literal["phishing", "scam", "unsolicited promotion", "other"]


class NotSpamDetails(BaseModel):
    summary: str = Field(description="A brief summary of the content.")
    is_safe: bool = Field(description="Whether the content is safe for all audiences.")


class ModerationResult(BaseModel):
    decision: SpamDetails | NotSpamDetails


def parsed(interaction):
    text = "".join(part.text for part in interaction.steps[-1].content)
    return {"status": interaction.status, "parsed": ModerationResult.model_validate_json(text).model_dump()}


def streamed_text(stream):
    deltas = (event.delta for event in stream if event.event_type == "step.delta")
    return "".join(delta.text for delta in deltas if delta.type == "text")


schema = ModerationResult.model_json_schema()
form = {"type": "text", "mime_type": "application/json", "schema": schema}
typed = client.interactions.create(model=MODEL, input=SPAM, response_format=form)
raw = client.interactions.create(model=MODEL, input=SPAM, response_format=schema)
streamed = client.interactions.create(model=MODEL, input=SPAM, response_format=form, stream=True)

report = {
    "typed": parsed(typed),
    "raw": parsed(raw),
    "streamed": {"parsed": ModerationResult.model_validate_json(streamed_text(streamed)).model_dump()},
}
print(json.dumps(report))
