"""How much sooner the second turn of a long chat speaks than the same prompt read cold, on the embedded engine.

    python bench/second_turn.py [--rounds 3] [--tokens 2000]

Each round starts fresh servers, one after the other: one is asked the whole chat at once, one turn by turn, and
the time to the first word of the last answer is taken. Prints seconds, cached tokens and the ratio of each round.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from turnwise.settings import load_settings

SENTENCE = "The ship went north along the coast, and the crew wrote down what they saw on day {n}. "
TOKENS = 23
"""How many tokens a sentence is, about."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=2000)
    given = parser.parse_args()
    story = "".join(SENTENCE.format(n=n) for n in range(given.tokens // TOKENS))
    ratios = []
    for number in range(given.rounds):
        with serve() as url:
            answer, _, _ = ask(url, story)
        history = [{"role": "user", "content": story}, {"role": "model", "content": answer}]
        with serve() as url:
            _, cold, _ = ask(url, [*history, {"role": "user", "content": "And then?"}])
        with serve() as url:
            _, _, first = ask(url, story)
            _, warm, second = ask(url, "And then?", previous_interaction_id=first["id"])
        usage = second["usage"]
        ratios.append(cold / warm)
        print(
            f"round {number + 1}: cold {cold:.2f} s, second turn {warm:.2f} s, {cold / warm:.1f} times sooner; "
            f"{usage['total_cached_tokens']} of {usage['total_input_tokens']} tokens cached"
        )
    print(f"median: {statistics.median(ratios):.1f} times sooner")


@contextmanager
def serve() -> Iterator[str]:
    """A fresh server, with a model that has answered once, so that loading is not measured."""
    weights = str(load_settings().weights_dir)
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "turnwise", "serve", "--port", "0", "--data-dir", folder],
            stdout=subprocess.PIPE,
            text=True,
            env={"TURNWISE_MODELS_DIR": weights},
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            ask(url, "Hi")
            yield url
        finally:
            server.terminate()
            server.wait()


def ask(url: str, words: Any, **fields: Any) -> tuple[str, float, dict[str, Any]]:
    """The answer, the seconds to its first word, and the interaction as it ended."""
    body = {"model": "m", "input": words, "stream": True, "generation_config": {"max_output_tokens": 16}, **fields}
    request = urllib.request.Request(
        f"{url}/v1/interactions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    text, first, ended = "", 0.0, {}
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=300) as reply:
        for line in reply:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if event["event_type"] == "step.delta":
                first = first or time.perf_counter() - began
                text += event["delta"]["text"]
            elif event["event_type"] == "interaction.completed":
                ended = event["interaction"]
    return text, first, ended


if __name__ == "__main__":
    main()
