"""How well functions are chosen and called: the figures over a labelled set of requests.

    python bench/evaluation/functions.py                       the development set, with the engine's own parts
    python bench/evaluation/functions.py heldout.jsonl         another set, or several
    python bench/evaluation/functions.py --weights model.gguf  another model behind the engine's parts
    python bench/evaluation/functions.py --url http://127.0.0.1:8787   through a server's API

`functions.jsonl` and `variants.jsonl` were there while the rules were made. Each `heldout` set has other functions and
other phrasing; each was written and labelled as a whole, run once, and only then looked into. What that first run gave
is what to expect of requests that nobody has seen; the figures are in `docs/evaluation.md`.

A set is JSON lines: `{"tool": {...}}` declares a function; `{"request": ..., "calls": [...]}` is a request with the
calls that are right, where each argument lists the values that count (`optional` ones may also be left out). The case
of a text, blanks and stops at its ends, the way a number is written and the order of a list make no difference. Every
request is offered all functions of its set, or those that its `tools` names. Three figures come out: decisions (to call
or not), tools (exactly the right functions), arguments (of requests that want a call: everything right), and how many
calls were not valid against their schema, which must be none.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator

from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.calling import draft_call
from turnwise.engine.rules.choosing import choose
from turnwise.models.embedded import EmbeddedModel
from turnwise.models.embedded_child import EngineOptions
from turnwise.models.model import Prompt, TextFragment
from turnwise.models.weights import BUILTIN, fetch

Call: TypeAlias = tuple[str, dict[str, Any]]
Caller: TypeAlias = Callable[[str, list[dict[str, Any]]], Awaitable[list[Call]]]
"""Asks for the calls that a request, offered these functions, leads to."""


def load(path: Path) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The functions and the cases of a set."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    tools = {line["tool"]["name"]: line["tool"] for line in lines if "tool" in line}
    return tools, [line for line in lines if "request" in line]


def normalised(value: Any) -> Any:
    """A value without what makes no difference: the case of a text, and blanks, quotes and stops at its ends; 22.0 is
    22, and the order of a list does not count.
    """
    match value:
        case bool() | None:
            return value
        case int() | float():
            return float(value)
        case str():
            return re.sub(r"\s+", " ", value).strip(" .,;:!?'\"“”‘’").casefold()
        case list():
            return sorted((normalised(each) for each in value), key=repr)
        case dict():
            return {name: normalised(each) for name, each in value.items()}
        case _:
            raise TypeError(value)


def is_right(arguments: dict[str, Any], call: dict[str, Any]) -> bool:
    """Whether arguments are those that a case wants."""
    wanted = {name: [normalised(each) for each in values] for name, values in call["arguments"].items()}
    optional = {name: [normalised(each) for each in values] for name, values in call.get("optional", {}).items()}
    made = {name: normalised(value) for name, value in arguments.items()}
    if any(name not in made or made[name] not in values for name, values in wanted.items()):
        return False
    return all(name in wanted or value in optional.get(name, ()) for name, value in made.items())


def all_right(made: list[Call], wanted: list[dict[str, Any]]) -> bool:
    """Whether the calls are those that a case wants, in any order."""
    left = list(wanted)
    for name, arguments in made:
        found = next((call for call in left if call["name"] == name and is_right(arguments, call)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def find(name: str) -> Path:
    """A set by its path, or by its name if it is one of ours."""
    return Path(name) if Path(name).exists() else Path(__file__).parent / name


class Engine:
    """The engine's own parts, with a model for what a request leaves open."""

    def __init__(self, weights: Path | None) -> None:
        self._weights = weights
        self._model: EmbeddedModel | None = None
        self.asked = 0
        """How often a model was needed."""

    async def __call__(self, request: str, tools: list[dict[str, Any]]) -> list[Call]:
        offered = [FunctionTool(tool["name"], tool["description"], tool["parameters"]) for tool in tools]
        calls: list[Call] = []
        for wanted in choose(request, offered):
            draft = draft_call(wanted)
            arguments = dict(draft.arguments) if draft.prompt is None else draft.finish(await self._ask(draft.prompt))
            if arguments is not None:
                calls.append((draft.tool.name, arguments))
        return calls

    async def _ask(self, prompt: Prompt) -> str:
        self.asked += 1
        if self._model is None:
            self._model = EmbeddedModel(self._path, EngineOptions(threads=2, context=4096))
            await self._model.start()
        pieces = [piece.text async for piece in self._model.stream(prompt) if isinstance(piece, TextFragment)]
        return "".join(pieces)

    async def _path(self) -> Path:
        kept = os.environ.get("TURNWISE_MODELS_DIR") or Path.home() / ".cache" / "turnwise" / "models"
        return self._weights or await fetch(BUILTIN, Path(kept))

    async def close(self) -> None:
        """End the model, if one was needed."""
        if self._model is not None:
            await self._model.close()


class Server:
    """A server's API, in the dialect of steps."""

    def __init__(self, url: str, model: str, key: str | None) -> None:
        self._url = url.rstrip("/") + "/v1/interactions"
        self._model = model
        self._headers = {"content-type": "application/json", **({"x-goog-api-key": key} if key else {})}

    async def __call__(self, request: str, tools: list[dict[str, Any]]) -> list[Call]:
        body = {"model": self._model, "input": request, "tools": tools, "store": False}
        answer = await asyncio.to_thread(self._post, body)
        calls = [step for step in answer.get("steps", ()) if step["type"] == "function_call"]
        status = answer["status"]
        if (status == "requires_action") != bool(calls):
            print(f"  status {status} with {len(calls)} calls: {request}")
        return [(step["name"], step["arguments"]) for step in calls]

    def _post(self, body: dict[str, Any]) -> Any:
        call = urllib.request.Request(self._url, json.dumps(body).encode(), self._headers)
        with urllib.request.urlopen(call, timeout=300) as response:
            return json.load(response)

    async def close(self) -> None:
        """Nothing to end."""


async def evaluate(path: Path, caller: Caller) -> bool:
    """Print the figures of one set. Whether they are good enough: 90% of decisions and tools, 85% of arguments."""
    tools, cases = load(path)
    decisions = right_tools = right_arguments = invalid = 0
    calling = [case for case in cases if case["calls"]]
    began = time.perf_counter()
    for case in cases:
        offered = [tools[name] for name in case.get("tools", tools)]
        made = await caller(case["request"], offered)
        wanted = [call["name"] for call in case["calls"]]
        decided, chosen = bool(made) == bool(wanted), sorted(name for name, _ in made) == sorted(wanted)
        filled = all_right(made, case["calls"])
        decisions += decided
        right_tools += chosen
        right_arguments += filled and bool(wanted)
        invalid += sum(not Draft202012Validator(tools[name]["parameters"]).is_valid(given) for name, given in made)
        if not filled:
            what = "decision" if not decided else "tools" if not chosen else "arguments"
            print(f"  {what}: {case['request']}\n    made {made}\n    want {case['calls']}")
    seconds = time.perf_counter() - began
    print(
        f"{path.name}: {len(cases)} requests, {len(tools)} functions; "
        f"decisions {decisions / len(cases):.1%}, tools {right_tools / len(cases):.1%}, "
        f"arguments {right_arguments / len(calling):.1%} of {len(calling)}; invalid calls {invalid}; "
        f"{seconds / len(cases) * 1000:.1f} ms a request"
    )
    enough = decisions >= 0.9 * len(cases) and right_tools >= 0.9 * len(cases)
    return enough and right_arguments >= 0.85 * len(calling) and not invalid


async def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["functions.jsonl"])
    parser.add_argument("--weights", type=Path, help="a .gguf file (the default model's if not given)")
    parser.add_argument("--url", help="a server to ask instead")
    parser.add_argument("--model", default="default", help="the model to ask the server for")
    parser.add_argument("--key", help="the server's API key")
    options = parser.parse_args()
    caller = Server(options.url, options.model, options.key) if options.url else Engine(options.weights)
    good = True
    try:
        for name in options.sets:
            good &= await evaluate(find(name), caller)
        if isinstance(caller, Engine):
            print(f"a model was asked {caller.asked} times")
    finally:
        await caller.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
