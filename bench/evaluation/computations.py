"""How often the default model's programs run, and how often they are right: computations by `code_execution`.

    python bench/evaluation/computations.py                              starts a server of its own
    python bench/evaluation/computations.py computations3.jsonl          one set, or several
    python bench/evaluation/computations.py --url http://127.0.0.1:8787  asks one that runs

A set is JSON lines: `{"request": ..., "prints": [...]}`, where one of the values must stand in the answer. Brackets and
quotation marks make no difference, nor do further decimals behind those of a value that has some, or a nought behind a
value that has none. Each answer is

    right     the last program ran, and one of the values stands in the answer
    wrong     the last program ran, and gave something else
    failed    no program ran, and the answer says so
    UNTRUE    the answer says something that no program printed, which must never be

The command fails if one is UNTRUE.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

SETS = ("computations.jsonl", "computations2.jsonl", "computations3.jsonl")
FAILED = "I could not compute this"
KEPT = 200
"""In characters: a long print may be shortened behind its beginning."""


@contextmanager
def server() -> Iterator[str]:
    """A server of our own, with its defaults, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "turnwise", "serve", "--port", "0", "--data-dir", folder]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=os.environ)
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "ready at" in line)
            yield line.split("ready at ")[1].split()[0]
        finally:
            process.terminate()
            process.wait()


def ask(url: str, request: str) -> Any:
    """The interaction that answers a request."""
    body = {"model": "default", "input": request, "tools": [{"type": "code_execution"}], "store": False}
    call = urllib.request.Request(
        f"{url}/v1/interactions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(call, timeout=600) as response:
        return json.load(response)


def plain(text: str) -> str:
    """A text without brackets and quotation marks, in which lines are parted by blanks."""
    return re.sub(r"\s+", " ", re.sub(r"[\[\](){}'\"]", "", text))


def holds(text: str, value: str) -> bool:
    """Whether a value stands in a text by itself."""
    further = r"\d*" if "." in value else r"(?:\.0+)?"
    return bool(re.search(rf"(?<![\w.]){re.escape(value)}{further}(?![\w]|\.\d)", plain(text)))


def judge(steps: list[dict[str, Any]], values: list[str]) -> tuple[str, str]:
    """How a case ended, and its answer."""
    answer = "".join(
        part.get("text", "") for step in steps if step["type"] == "model_output" for part in step["content"]
    )
    results = [step for step in steps if step["type"] == "code_execution_result"]
    ran = [str(step.get("result", "")) for step in results if not step.get("is_error")]
    if answer.startswith(FAILED):
        return "failed", answer
    if not ran or not any(plain(printed).strip(" .")[:KEPT] in plain(answer) for printed in ran):
        return "UNTRUE", answer
    return ("right" if any(holds(answer, value) for value in values) else "wrong"), answer


def evaluate(url: str, path: Path) -> Counter[str]:
    """Print how each case of a set ended, and the figures."""
    ends: Counter[str] = Counter()
    runs = 0
    began = time.perf_counter()
    for line in path.read_text().splitlines():
        case = json.loads(line)
        steps = ask(url, case["request"])["steps"]
        end, answer = judge(steps, case["prints"])
        runs += sum(step["type"] == "code_execution_call" for step in steps)
        ends[end] += 1
        print(f"  {end}: {case['request']}\n    {answer}", flush=True)
    seconds = (time.perf_counter() - began) / max(1, ends.total())
    counted = ", ".join(f"{name} {number}" for name, number in sorted(ends.items()))
    print(f"{path.name}: {ends.total()} requests; {counted}; {runs} runs; {seconds:.1f} s a request", flush=True)
    return ends


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--url", help="a server to ask instead")
    options = parser.parse_args()
    with nullcontext(options.url) if options.url else server() as url:
        ends = [evaluate(url, Path(__file__).with_name(name)) for name in options.sets]
    return int(any(each["UNTRUE"] for each in ends))


if __name__ == "__main__":
    sys.exit(main())
