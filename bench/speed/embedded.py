"""How fast the embedded engine speaks through the API, beside the same engine asked directly.

The engine alone is the child process that turnwise starts, with the same options, asked over HTTP for what turnwise
would ask it for. Both are given the same requests in the same order: each caller asks for a story, which goes on until
its limit, and asks again when it has it. Needs the default model's weights (`turnwise pull`).
"""

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import aiohttp
from bench.speed.calls import run, session
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, started

from turnwise.domain.content import Text
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.steps import UserInput
from turnwise.models.completions import render_request
from turnwise.models.embedded_child import CONNECTIONS, EngineOptions
from turnwise.models.model import Prompt
from turnwise.models.smollm2 import SMOLLM2
from turnwise.models.weights import BUILTIN, fetch
from turnwise.settings import load_settings

TABLE = Table(
    "embedded",
    "The embedded engine, directly and through the API",
    ("callers", "answers", "asked"),
    {
        "tokens/s": 0,
        "of the engine's": 3,
        "server's CPU-ms a token": 3,
        "engine's CPU-ms a token": 2,
        "first word ms": 0,
    },
)


@dataclass(frozen=True)
class Answer:
    """What became of one call."""

    tokens: int
    first: float
    """Seconds to the first word; to the answer, where it came in one piece."""


Ask = Callable[..., Coroutine[Any, Any, Answer]]
"""Asks a server for so many words."""


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--callers", type=int, nargs="+", default=[1, 4, 8])
    options.add_argument("--turns", type=int, default=2, help="turns of each caller in a round")
    options.add_argument("--tokens", type=int, default=64, help="tokens of an answer, at the most")
    options.add_argument("--source", type=Path, nargs="+", default=[SOURCE])
    given = options.parse_args()
    with ExitStack() as stack:
        asked: list[tuple[Server, Ask]] = [(stack.enter_context(engine()), ask_engine)]
        asked += [(stack.enter_context(embedded(source.absolute())), ask_turnwise) for source in given.source]
        run(measure(asked, given))
    TABLE.finish(given)


@contextmanager
def engine() -> Iterator[Server]:
    """The process that turnwise has for its engine, without turnwise."""
    weights = asyncio.run(fetch(BUILTIN, load_settings().weights_dir))
    key = secrets.token_urlsafe()
    with tempfile.TemporaryDirectory() as folder:
        orders = asdict(EngineOptions()) | {
            "path": str(weights),
            "projector": None,
            "api_key": key,
            "socket": None,
            "folder": str(Path(folder, "own")),
            "connections": CONNECTIONS,
            "chooses_slots": True,
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "turnwise.models.embedded_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        with worker.stdin, worker.stdout:
            worker.stdin.write(json.dumps(orders).encode() + b"\n")
            worker.stdin.flush()
            address = json.loads(worker.stdout.readline())["address"]
            yield Server(
                "the engine",
                address,
                (worker.pid,),
                path="/v1/chat/completions",
                headers={"Authorization": f"Bearer {key}", "Connection": "close"},  # else it is closed after 5 s
            )
        worker.wait()


@contextmanager
def embedded(source: Path = SOURCE, name: str = "through turnwise") -> Iterator[Server]:
    """turnwise as it is without settings, with a model that has answered once. The engine's process comes second."""
    weights = str(load_settings().weights_dir)
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["-m", "turnwise", "serve", "--port", "0", "--data-dir", folder]
        settings = {"PYTHONPATH": str(source), "TURNWISE_MODELS_DIR": weights}
        with started(name, arguments, settings, "turnwise ready at ") as server:
            run(_answered(server))
            name = name if source == SOURCE else f"{name} of {source.parent.name}"
            yield replace(server, name=name, pids=(server.pids[0], _engine_of(server.pids[0])))


async def _answered(server: Server) -> None:
    async with session() as client:
        await ask_turnwise(client, server, "Hi", 1, streamed=False)


def _engine_of(pid: int) -> int:
    """The process of the engine that a server has started."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            if b"embedded_worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    raise SystemExit("turnwise has no engine")


async def measure(asked: list[tuple[Server, Ask]], given: argparse.Namespace) -> None:
    """Everyone with every number of callers, streamed and plain. The engine comes first, and in every second round
    last."""
    async with session() as client:
        for number in range(given.rounds):
            for callers in given.callers:
                for streamed in (True, False):
                    spoken = {
                        server.name: await speak(client, server, ask, number, callers, given, streamed=streamed)
                        for server, ask in asked[:: -1 if number % 2 else 1]
                    }
                    engine = spoken[asked[0][0].name]["tokens/s"]
                    for server, _ in asked:
                        figures = spoken[server.name]
                        figures["of the engine's"] = figures["tokens/s"] / engine
                        TABLE.add_all((callers, "streamed" if streamed else "plain", server.name), figures)


async def speak(
    client: aiohttp.ClientSession,
    server: Server,
    ask: Ask,
    number: int,
    callers: int,
    given: argparse.Namespace,
    *,
    streamed: bool,
) -> dict[str, float]:
    """A round of one server's."""

    async def caller(name: int) -> list[Answer]:
        stories = [
            f"Tell me a very long story about ship {name} and its voyage {number}-{n}." for n in range(given.turns)
        ]
        return [await ask(client, server, story, given.tokens, streamed=streamed) for story in stories]

    whole = [_worked(server, place) for place in (0, -1)]
    begun = time.perf_counter()
    answers = [*chain.from_iterable(await asyncio.gather(*(caller(name) for name in range(callers))))]
    seconds = time.perf_counter() - begun
    own, engine = (_worked(server, place) - before for place, before in zip((0, -1), whole, strict=True))
    tokens = sum(answer.tokens for answer in answers)
    figures = {
        "tokens/s": tokens / seconds,
        "engine's CPU-ms a token": 1000 * engine / tokens,
        "first word ms": 1000 * sorted(answer.first for answer in answers)[len(answers) // 2],
    }
    return figures if len(server.pids) == 1 else figures | {"server's CPU-ms a token": 1000 * own / tokens}


def _worked(server: Server, place: int) -> float:
    return replace(server, pids=(server.pids[place],)).processor_seconds()


async def ask_engine(
    client: aiohttp.ClientSession, server: Server, words: str, tokens: int, *, streamed: bool
) -> Answer:
    """Ask the engine for what turnwise would ask it for."""
    prompt = Prompt(
        (UserInput((Text(words),)),),
        generation=GenerationConfig(max_output_tokens=tokens),
        streaming=streamed,
    )
    body = render_request(prompt, "m", SMOLLM2, grammars=True)
    return await _read(client, server, body, b'"content":"', b'"completion_tokens":')


async def ask_turnwise(
    client: aiohttp.ClientSession, server: Server, words: str, tokens: int, *, streamed: bool
) -> Answer:
    body = {
        "model": "m",
        "input": words,
        "stream": streamed,
        "generation_config": {"max_output_tokens": tokens},
    }
    return await _read(client, server, body, b'"step.delta"', b'"total_output_tokens":')


async def _read(
    client: aiohttp.ClientSession, server: Server, body: dict[str, Any], word: bytes, count: bytes
) -> Answer:
    """Call, and read the answer to its end. `word` stands in the first piece of text, `count` before its tokens."""
    begun = time.perf_counter()
    whole, first = b"", 0.0
    async with client.post(server.url + server.path, json=body, headers=server.headers) as reply:
        assert reply.status == 200, await reply.text()
        async for piece in reply.content.iter_any():
            whole += piece
            if not first and word in whole:
                first = time.perf_counter() - begun
    told = whole.rpartition(count)[2].lstrip()
    assert told, whole
    return Answer(
        int(told[: next(place for place, byte in enumerate(told) if not 48 <= byte < 58)]),
        first or time.perf_counter() - begun,
    )
