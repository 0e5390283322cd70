"""What a stored stream of 100 deltas costs, beside the floor and peers, and how many deltas a second are relayed.

With `--source` several versions of turnwise are measured beside each other: each is a folder that holds the package.
"""

import argparse
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from bench.speed.calls import asked, load, run, session
from bench.speed.peers import HERE, notes, peers
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, beside_floor

TABLE = Table(
    "stream",
    "A stored stream of 100 deltas that the upstream says at once",
    ("callers", "server"),
    {
        "deltas/s": 0,
        "CPU-ms": 2,
        "times the floor's": 2,
        "first word p50 ms": 2,
        "first word p99 ms": 2,
        "p50 ms": 1,
        "p99 ms": 1,
        "callers busy %": 0,
    },
)

SECONDS = 4.0
"""After so long nobody calls again in a round, however slow a server is."""


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--calls", type=int, default=300, help="streams of a round")
    options.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64])
    options.add_argument("--deltas", type=int, default=100)
    options.add_argument("--source", type=Path, nargs="+", default=[SOURCE])
    options.add_argument("--peers", type=Path, default=HERE, metavar="DIR", help="where peers are installed")
    given = options.parse_args()
    with ExitStack() as stack:
        servers = stack.enter_context(beside_floor(given.source))
        others, missing = stack.enter_context(peers(given.peers.absolute(), ["m", f"deltas-{given.deltas}"]))
        cut_off = run(measure([*servers, *others], given))
    for note in notes(missing, cut_off):
        TABLE.note(note)
    TABLE.finish(given)


async def measure(servers: list[Server], given: argparse.Namespace) -> Counter[str]:
    """Every server with every number of callers, a round of all behind the other. The first is the floor.

    Returns how many calls were cut off, by servers that do so.
    """
    cut_off: Counter[str] = Counter()
    body = asked(streamed=True, model=f"deltas-{given.deltas}")
    last = f"word{given.deltas - 1} ".encode()
    async with session() as client:
        for _ in range(given.rounds):
            for callers in given.callers:
                least = 0.0
                for server in servers:
                    calls = max(given.calls, 2 * callers)
                    done = await load(client, server, body, callers=callers, calls=calls, seconds=SECONDS, word=last)
                    least = least or done.cost
                    cut_off[server.name] += done.cut_off
                    TABLE.add_all(
                        (callers, server.name),
                        {
                            "deltas/s": done.rate * given.deltas,
                            "CPU-ms": done.cost,
                            "times the floor's": done.cost / least,
                            "first word p50 ms": done.first(0.5),
                            "first word p99 ms": done.first(0.99),
                            "p50 ms": done.wait(0.5),
                            "p99 ms": done.wait(0.99),
                            "callers busy %": done.busy,
                        },
                    )
    return +cut_off
