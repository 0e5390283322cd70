"""Twenty everyday questions, answered by the default model with its profile and without: writes docs/default-model.md.

    python bench/evaluation/everyday.py

The answers stand in the page as they came, at default settings but for a limit of 200 tokens. Without its profile the
model has no limit of its own and may go on for minutes.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from turnwise.models.weights import BUILTIN
from turnwise.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "default-model.md"

QUESTIONS = [
    "What is the capital of Canada?",
    "Good morning!",
    "Who painted the Mona Lisa?",
    "How many legs does a spider have?",
    "Name three fruits that are red.",
    "What is the opposite of 'early'?",
    "Rewrite this sentence politely: Give me the salt.",
    "Translate 'good morning' to French.",
    "Write a two-line poem about rain.",
    "What does 'generous' mean?",
    "Is the moon bigger than the earth?",
    "Why is the sky blue?",
    "Tell me a joke about a dog.",
    "How can I sleep better?",
    "What is 7 plus 5?",
    "Summarize: The train was late. Many people waited in the cold. The driver said sorry.",
    "In which year did the Second World War end?",
    "What should I cook for dinner?",
    "Thank you, that was helpful!",
    "Are you a human?",
]

HEAD = """# The default model

turnwise answers from the first start on with SmolLM2-135M-Instruct, a model of 135 million parameters in a file of
98 MB (Apache-2.0). It is there so that everything works at once: offline, for free, on any laptop. It is good for
building and testing against the API. It is not good at knowing things, at arithmetic or at reasoning, and its facts
must not be trusted. For answers that matter, put another model behind the name (see the README).

## What its profile does

Such a small model answers far better when it has just seen requests of the same kind answered well. Its profile
(`models/smollm2.py`) therefore sorts requests into kinds (a joke, a definition, a greeting, ...) by simple patterns and
puts one to four example turns of that kind before the first such request of a conversation. Each kind has its own
sampling: penalties against repetition for long texts, none for short answers. Two kinds get a note behind the request
(`models/recall.py`): a question about the user gets what the user said of themselves earlier in the conversation, and
the answer is made to begin like it; "the second one" gets the item that the last answer listed there. Nothing is added
that the conversation does not hold, and no example holds the answer to a question that turnwise is shown to answer.

A system instruction of your own stands behind the profile's line and silences the examples.

Temperature is 0 by default (0.7 for stories), answers end after 512 tokens at the latest; what a request sets wins.

## Twenty everyday questions

Unretouched, first try, at default settings but for a limit of 200 tokens; on the right the same model without its
profile. An answer that ran into the limit ends with [...].

| question | with the profile | without |
|---|---|---|
"""

TAIL = """
Written by `bench/evaluation/everyday.py`.
"""


def main() -> None:
    settings = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "turnwise.toml")
        weights = settings.weights_dir / BUILTIN.file
        config.write_text(f'[models.with]\n[models.without]\nsource = "{weights}"\n')
        server = subprocess.Popen(
            [sys.executable, "-m", "turnwise", "serve", "--port", "0", "--data-dir", folder, "--config", str(config)],
            stdout=subprocess.PIPE,
            text=True,
            env={"TURNWISE_MODELS_DIR": str(settings.weights_dir)},
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            rows = [row(url, question) for question in QUESTIONS]
        finally:
            server.terminate()
            server.wait()
    PAGE.write_text(HEAD + "\n".join(rows) + "\n" + TAIL)


def row(url: str, question: str) -> str:
    cells = [question, ask(url, "with", question), ask(url, "without", question)]
    return f"| {' | '.join(cell.replace('|', ' ').replace(chr(10), '<br>') for cell in cells)} |"


def ask(url: str, model: str, question: str) -> str:
    body = {"model": model, "input": question, "generation_config": {"max_output_tokens": 200}}
    request = urllib.request.Request(
        f"{url}/v1/interactions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as reply:
        answer = json.load(reply)
    text = "".join(part["text"] for step in answer["steps"] for part in step["content"])
    return text.strip() + (" [...]" if answer["status"] == "incomplete" else "")


if __name__ == "__main__":
    main()
