"""What open streams cost: memory for each, and CPU time for each of the ten words that each says in a second.

All streams begin within a few seconds and are open together. Memory is what the server holds beyond what it held when
it was warm and had none: once when all have begun, and again when they are about to end, since a stream's answer grows.

With `--source` several versions of turnwise are measured beside each other: each is a folder that holds the package.
"""

import argparse
import time
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from bench.speed.calls import asked, quantile
from bench.speed.first_event import LEAD, OPENING, SETTLING, WORDS
from bench.speed.listeners import Listeners, gathered, listeners, within
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, floor, turnwise, upstream

TABLE = Table(
    "open_streams",
    "Stored streams that are open together, ten words a second each",
    ("streams", "server"),
    {
        "KB a stream": 1,
        "KB a stream at the end": 1,
        "CPU-us a word": 0,
        "times the floor's": 2,
        "words/s": 0,
        "word p50 ms": 2,
        "word p99 ms": 2,
        "listeners late p99 ms": 2,
    },
)

WARMING = 32
"""How many streams a server has had before it is measured."""


def main() -> None:
    options = parser(__doc__, rounds=3)
    options.add_argument("--streams", type=int, nargs="+", default=[1000])
    options.add_argument("--seconds", type=float, default=8, help="how long all are open")
    options.add_argument("--source", type=Path, nargs="+", default=[SOURCE])
    given = options.parse_args()
    with ExitStack() as stack:
        model = stack.enter_context(upstream())
        pool = stack.enter_context(listeners())
        servers = [partial(floor, model)]
        servers += [partial(turnwise, model, source=source.absolute()) for source in given.source]
        for _ in range(given.rounds):
            for streams in given.streams:
                least = 0.0
                for server in servers:
                    least = measure(server(), pool, streams, given, least)
    TABLE.finish(given)


def measure(
    starting: AbstractContextManager[Server], pool: Listeners, streams: int, given: argparse.Namespace, least: float
) -> float:
    """A round of one server, which is started for it: what it held before would hide what it needs. Returns what a word
    cost, in seconds."""
    with starting as server:
        _have_streams(server, pool, WARMING, 1.0)
        time.sleep(SETTLING)
        before = server.memory_mib()
        opening = streams / OPENING
        begin = time.monotonic_ns() + int(LEAD * 1e9)
        moments = [begin + n * int(1e9) // OPENING for n in range(streams)]
        words = round((opening + SETTLING + given.seconds + SETTLING) * WORDS)
        listening = pool.begin(server, asked(streamed=True, model=f"deltas-{words}-at-{WORDS}"), moments)
        time.sleep(LEAD + opening + SETTLING)
        first, memory, processor = time.monotonic_ns(), server.memory_mib(), server.processor_seconds()
        time.sleep(given.seconds)
        last, processor, grown = time.monotonic_ns(), server.processor_seconds() - processor, server.memory_mib()
        heard = gathered(listening)
    assert len(heard.firsts) == 2 * streams, "a stream said nothing"
    ages = within(heard.words, first, last)
    cost = processor / len(ages)
    least = least or cost
    TABLE.add_all(
        (streams, server.name),
        {
            "KB a stream": 1024 * (memory - before) / streams,
            "KB a stream at the end": 1024 * (grown - before) / streams,
            "CPU-us a word": 1e6 * cost,
            "times the floor's": cost / least,
            "words/s": len(ages) * 1e9 / (last - first),
            "word p50 ms": quantile(ages, 0.5),
            "word p99 ms": quantile(ages, 0.99),
            "listeners late p99 ms": quantile(within(heard.lags, first, last), 0.99),
        },
    )
    return least


def _have_streams(server: Server, pool: Listeners, streams: int, seconds: float) -> None:
    begin = time.monotonic_ns() + int(LEAD * 1e9)
    body = asked(streamed=True, model=f"deltas-{round(seconds * WORDS)}-at-{WORDS}")
    gathered(pool.begin(server, body, [begin] * streams))


if __name__ == "__main__":
    main()
