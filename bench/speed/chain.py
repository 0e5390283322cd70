"""What a turn costs behind up to 1,000 others of two kilobytes each, beyond what one without a history costs.

A model reads all of the conversation anew in each turn, so what is sent grows with it. How long the upstream alone
takes to be sent and to read so much is measured beside it (`upstream alone`): that is in the figures of turnwise too.
And so is what it costs when a client keeps the history itself, and sends all of it as `input` (`as input`).

With `--source` several versions of turnwise are measured beside each other: each is a folder that holds the package.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from bench.faults.postgres import Postgres
from bench.speed.calls import session
from bench.speed.filling import fill
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, turnwise, upstream

TABLE = Table(
    "chain",
    "A turn at the end of a chain, beyond one without a history",
    ("server", "store", "answered", "turns"),
    {"added ms": 2, "added CPU-ms": 2},
)

WORDS = 400
"""How many are said in a turn: about two kilobytes."""


@dataclass(frozen=True)
class Case:
    """A server, and the bodies of its calls by the number of turns behind them. The first has none."""

    labels: tuple[str, str, str]
    server: Server
    path: str
    bodies: dict[int, bytes]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--calls", type=int, default=30, help="calls of a round")
    options.add_argument("--turns", type=int, nargs="+", default=[1, 10, 100, 1000])
    options.add_argument("--store", choices=["sqlite", "postgres"], nargs="+", default=["sqlite"])
    options.add_argument("--source", type=Path, nargs="+", default=[SOURCE])
    given = options.parse_args()
    with ExitStack() as stack:
        model = stack.enter_context(upstream())
        cases = [_alone(model, given.turns)]
        for store in given.store:
            for source in given.source:
                cases += _cases(stack, model, source.absolute(), store, given.turns)
        asyncio.run(measure(cases, given))
    TABLE.finish(given)


def _cases(stack: ExitStack, model: Server, source: Path, store: str, turns: Sequence[int]) -> list[Case]:
    """turnwise with these conversations in its store."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    settings: dict[str, str] = {}
    database = str(folder / "turnwise.db")
    if store == "postgres":
        postgres = Postgres()
        stack.callback(postgres.remove)
        postgres.start()
        postgres.make_database()
        database = settings["TURNWISE_DATABASE_URL"] = postgres.url
    conversations = fill(database, source=source, conversations=turns, words=WORDS)
    server = stack.enter_context(turnwise(model, source=source, settings=settings, folder=folder))
    cases = []
    for streamed in (False, True):
        bodies = {0: _body(streamed)}
        for ids in conversations:
            bodies[len(ids)] = _body(streamed, previous_interaction_id=ids[-1])
        labels = (server.name, store, "streamed" if streamed else "plain")
        cases.append(Case(labels, server, server.path, bodies))
    if store == "sqlite":
        bodies = {count: _body(False, input=_turns(count, "model")) for count in (0, *turns)}
        cases.append(Case((server.name, "as input", "plain"), server, server.path, bodies))
    return cases


def _alone(model: Server, turns: Sequence[int]) -> Case:
    """The upstream, asked for what turnwise asks it for."""
    bodies = {count: orjson.dumps({"model": "m", "messages": _turns(count, "assistant")}) for count in (0, *turns)}
    return Case(("upstream alone", "", "plain"), model, "/v1/chat/completions", bodies)


def _body(streamed: bool, **fields: Any) -> bytes:
    return orjson.dumps({"model": "deltas-10", "input": "Hi", "stream": streamed, **fields})


def _turns(count: int, answers: str) -> list[dict[str, str]]:
    """A conversation, as a client says it that keeps it itself. `answers`: the role of the one who answers."""
    said = "river " * (WORDS // 2)
    roles = [role for turn in range(count) for role in ("user", answers)]
    return [{"role": role, "content": f"{number} {said}"} for number, role in enumerate([*roles, "user"])]


async def measure(cases: list[Case], given: argparse.Namespace) -> None:
    """Every case at every length, one behind the other, again and again."""
    async with session() as client:
        for _ in range(given.rounds):
            for case in cases:
                least, least_work = await _round(client, case, 0, given.calls)
                for turns in given.turns:
                    took, worked = await _round(client, case, turns, given.calls)
                    figures = {"added ms": took - least, "added CPU-ms": worked - least_work}
                    TABLE.add_all((*case.labels, turns), figures)


async def _round(client: aiohttp.ClientSession, case: Case, turns: int, calls: int) -> tuple[float, float]:
    """Milliseconds that a call takes, half of the time, and for which the server works."""
    waits: list[float] = []
    body, headers = case.bodies[turns], {"Content-Type": "application/json"}
    worked = 0.0
    for call in range(calls + 1):
        if call == 1:  # what is read first is read for all
            waits.clear()
            worked = case.server.processor_seconds()
        begun = time.perf_counter()
        async with client.post(case.server.url + case.path, data=body, headers=headers) as answer:
            said = await answer.read()
            assert answer.status == 200, said
        waits.append(time.perf_counter() - begun)
    return 1000 * statistics.median(waits), 1000 * (case.server.processor_seconds() - worked) / calls


if __name__ == "__main__":
    main()
