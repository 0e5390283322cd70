"""Thinking with an SDK of the `outputs` form: thoughts with and without summaries, and sent back."""

import json

from google import genai

MODEL = "gemini-3-flash-preview"
QUESTION = "Solve this step by step: What is 15% of 240?"
BRIEF = {"max_output_tokens": 24}
client = genai.Client()


def turn(role, content):
    return {"role": role, "content": content}


def seen(interaction):
    thoughts = [output for output in interaction.outputs if output.type == "thought"]
    usage = interaction.usage
    return {
        "status": interaction.status,
        "steps": [output.type for output in interaction.outputs],
        "summaries": [piece.text for thought in thoughts for piece in thought.summary or []],
        "signatures": [thought.signature for thought in thoughts],
        "thought_tokens": getattr(usage, "total_thought_tokens", None) or usage.total_reasoning_tokens,
    }


def answer(asked):
    return client.interactions.create(model=MODEL, input=asked, generation_config=BRIEF, store=False)


def think(**config):
    config = {"thinking_level": "low", **config, **BRIEF}
    return client.interactions.create(model=MODEL, input=QUESTION, generation_config=config, store=False)


def refused(history):
    try:
        answer(history)
    except Exception as error:
        return {"error": type(error).__name__, "status": error.status_code, "message": str(error)}


shown = think(thinking_summaries="auto")
silent = think(thinking_summaries="none")
plain = answer(QUESTION)
again = answer([turn("user", QUESTION), turn("model", shown.outputs), turn("user", "And of 480?")])

(one,), (other,) = seen(shown)["signatures"], seen(silent)["signatures"]
changed = {"type": "thought", "signature": one[:40] + other[40:]}

report = {
    "shown": seen(shown),
    "silent": seen(silent),
    "plain": seen(plain),
    "again": seen(again),
    "changed": refused([turn("user", QUESTION), turn("model", [changed]), turn("user", "And of 480?")]),
}
print(json.dumps(report))
