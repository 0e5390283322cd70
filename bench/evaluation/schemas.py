"""How structured output holds up: each schema of `schemas.jsonl` with a prompt, asked of a running server.

    python bench/evaluation/schemas.py                                  starts a server of its own, with defaults
    python bench/evaluation/schemas.py --url http://127.0.0.1:8787      asks one that runs
    python bench/evaluation/schemas.py --only recursion --show          some of them, with what was answered

Each line of the file is a case: `prompt`, `schema`, and `features`, the keywords that it is there for. `form: text`
sends the schema as `{type: text, mime_type, schema}` instead of as it is, `expect` holds fields whose values the prompt
gives away, and `refused` a word of the refusal that the schema must meet before the model runs. A case ends

    valid        the text is JSON and `jsonschema` finds nothing wrong with it
    incomplete   the token limit cut the text, and the interaction says so
    failed       no attempt was valid, and the interaction says so
    refused      the schema was refused with HTTP 400 or 501, as it should be
    WRONG        anything else: above all a text that is said to be complete and is not valid

Every second case is streamed. The command fails if one is WRONG.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema.validators import Draft202012Validator, validator_for

CASES = Path(__file__).with_name("schemas.jsonl")


@dataclass
class Result:
    """How a case ended."""

    end: str
    text: str = ""
    seconds: float = 0.0
    tokens: int = 0
    right: int = 0
    expected: int = 0
    note: str = field(default="")


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


def post(url: str, body: dict[str, Any]) -> tuple[int, Any]:
    """A request, and its answer: an interaction, the frames of a stream, or an error."""
    request = urllib.request.Request(
        f"{url}/v1beta/interactions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=600) as response:
            answer = response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    if not body["stream"]:
        return 200, json.loads(answer)
    lines = [line.removeprefix("data: ") for line in answer.splitlines() if line.startswith("data: ")]
    return 200, [json.loads(line) for line in lines if line != "[DONE]"]


def ask(url: str, model: str, case: dict[str, Any], stream: bool) -> Result:
    """Ask one case, and judge what comes."""
    schema = case["schema"]
    form: Any = schema
    if case.get("form") == "text":
        form = {"type": "text", "mime_type": "application/json", **({"schema": schema} if schema else {})}
    began = time.perf_counter()
    status, answer = post(url, {"model": model, "input": case["prompt"], "response_format": form, "stream": stream})
    seconds = time.perf_counter() - began
    if status != 200:
        return refusal(case, status, json.dumps(answer), seconds)
    text, ended, tokens = read_stream(answer) if stream else read_whole(answer)
    result = Result("", text, seconds, tokens)
    if ended != "completed":
        result.end = ended if ended in ("incomplete", "failed") else "WRONG"
        return result
    if "refused" in case:
        return Result("WRONG", text, seconds, tokens, note="it should have been refused")
    result.note = wrong(text, schema or {"type": ["object", "array"]})
    result.end = "WRONG" if result.note else "valid"
    if not result.note:
        result.right, result.expected = compare(json.loads(text), case.get("expect", {}))
    return result


def refusal(case: dict[str, Any], status: int, message: str, seconds: float) -> Result:
    if status == 500 and "did not keep to" in message:
        return Result("failed", seconds=seconds, note=message[:120])
    named = status in (400, 501) and case.get("refused", "\0") in message
    return Result("refused" if named else "WRONG", seconds=seconds, note=message[:160])


def read_whole(interaction: dict[str, Any]) -> tuple[str, str, int]:
    texts = [
        part.get("text", "")
        for step in interaction.get("steps", ())
        if step["type"] == "model_output"
        for part in step["content"]
    ]
    return "".join(texts), interaction["status"], interaction.get("usage", {}).get("total_output_tokens", 0)


def read_stream(frames: list[dict[str, Any]]) -> tuple[str, str, int]:
    text = "".join(
        frame["delta"].get("text", "") for frame in frames if frame.get("event_type") in ("step.delta", "content.delta")
    )
    last = next((frame["interaction"] for frame in reversed(frames) if "interaction" in frame), {})
    failed = any(frame.get("event_type") == "error" for frame in frames)
    usage = last.get("usage") or {}
    return text, "failed" if failed else last.get("status", "?"), usage.get("total_output_tokens", 0)


def wrong(text: str, schema: dict[str, Any]) -> str:
    """What is wrong with a text, by an independent look. Empty: nothing."""
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"not JSON: {error}"
    kind = validator_for(schema, default=Draft202012Validator)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
    return "; ".join(error.message[:120] for error in validator.iter_errors(value))


def compare(value: Any, expected: dict[str, Any]) -> tuple[int, int]:
    """How many fields hold what the prompt gives away. A list of names means an object with these properties."""
    right = 0
    for name, wanted in expected.items():
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(wanted, list):
            right += isinstance(found, dict) and sorted(found) == sorted(wanted)
        elif isinstance(wanted, str):
            right += isinstance(found, str) and wanted.lower() in found.lower()
        else:
            right += found == wanted
    return right, len(expected)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="a server that runs; without it one is started")
    parser.add_argument("--model", default="default")
    parser.add_argument("--only", default="", help="cases whose name or features have this in them")
    parser.add_argument("--show", action="store_true", help="show every answer")
    options = parser.parse_args()
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    cases = [case for case in cases if options.only in f"{case['name']} {' '.join(case['features'])}"]
    if options.url:
        run(options.url.rstrip("/"), options.model, cases, options.show)
    else:
        with server() as url:
            run(url, options.model, cases, options.show)


def run(url: str, model: str, cases: list[dict[str, Any]], show: bool) -> None:
    results: list[Result] = []
    for number, case in enumerate(cases):
        result = ask(url, model, case, stream=number % 2 == 1)
        results.append(result)
        right = f"{result.right}/{result.expected}" if result.expected else ""
        shown = result.note or (result.text if show else "")
        name = case["name"][:40]
        print(
            f"{result.end:<10} {result.seconds:6.2f} s {result.tokens:5} {right:>4}  {name:<40} {shown[:150]}",
            flush=True,
        )
    ends = Counter(result.end for result in results)
    print(f"\n{len(results)} cases: " + ", ".join(f"{count} {end}" for end, count in ends.most_common()))
    print(f"fields that the prompt gives away: {sum(r.right for r in results)} of {sum(r.expected for r in results)}")
    times = sorted(result.seconds for result in results if result.end == "valid")
    if times:
        print(f"seconds for a valid answer: median {times[len(times) // 2]:.2f}, longest {times[-1]:.2f}")
    if ends["WRONG"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
