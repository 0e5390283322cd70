"""What a stored create costs, beside the floor, at 1 to 256 callers, against an upstream that answers at once.

With `--source` several versions of turnwise are measured beside each other: each is a folder that holds the package.
"""

import argparse
import asyncio
from contextlib import ExitStack
from pathlib import Path

from bench.speed.calls import asked, load, session
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, floor, turnwise, upstream

TABLE = Table(
    "create",
    "A stored create, answered as JSON",
    ("callers", "server"),
    {"requests/s": 0, "CPU-ms": 2, "times the floor's": 2, "p50 ms": 1, "p99 ms": 1},
)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--calls", type=int, default=1500, help="calls of a round")
    options.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64, 256])
    options.add_argument("--source", type=Path, nargs="+", default=[SOURCE])
    given = options.parse_args()
    with ExitStack() as stack:
        model = stack.enter_context(upstream())
        servers = [stack.enter_context(floor(model))]
        servers += [stack.enter_context(turnwise(model, source=source.absolute())) for source in given.source]
        asyncio.run(measure(servers, given))
    TABLE.finish(given)


async def measure(servers: list[Server], given: argparse.Namespace) -> None:
    """Every server with every number of callers, a round of all behind the other. The first is the floor."""
    async with session() as client:
        for _ in range(given.rounds):
            for callers in given.callers:
                least = 0.0
                for server in servers:
                    done = await load(client, server, asked(), callers=callers, calls=max(given.calls, 4 * callers))
                    least = least or done.cost
                    TABLE.add_all(
                        (callers, server.name),
                        {
                            "requests/s": done.rate,
                            "CPU-ms": done.cost,
                            "times the floor's": done.cost / least,
                            "p50 ms": done.wait(0.5),
                            "p99 ms": done.wait(0.99),
                        },
                    )
