"""What calls cost on a store of 1,000,000 interactions, beside a store that has a few.

Both have the same conversations of the one who calls. In the large store they are spread among those of fifty others,
so that nothing which is asked for stands beside anything else that is. `start` is how long a process takes until it is
ready.
"""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import aiohttp
from bench.speed.calls import asked, quantile, session
from bench.speed.filling import STREAMED, fill
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, turnwise, upstream

TABLE = Table(
    "store_size",
    "Calls on a large store, beside a small one",
    ("call", "interactions"),
    {"p50 ms": 2, "CPU-ms": 2, "times the small one's": 2},
)

SHORT, LONG = 10, 1000
"""Turns of conversations."""

CONVERSATIONS = [SHORT] * 200 + [LONG] * 3
"""What the one who calls has in either store."""

POSITION = 5
"""Which event was the last that a reader of a stream had."""

STARTS = 3
"""How often each is started, at the most."""


class Asking:
    """The calls of a server that has these conversations."""

    def __init__(self, client: aiohttp.ClientSession, server: Server, conversations: list[list[str]]) -> None:
        self._client, self._server = client, server
        self._short = [ids for ids in conversations if len(ids) == SHORT]
        self._long = [ids for ids in conversations if len(ids) == LONG]
        self._chance = random.Random(11)
        self.calls: dict[str, Callable[[], Awaitable[None]]] = {
            "get": self._get,
            "create": self._create,
            f"create behind {SHORT} turns": self._go_on,
            f"create behind {LONG:,} turns": self._go_on_for_long,
            "resume a stream": self._resume,
        }

    async def _get(self) -> None:
        await self._read(self._chance.choice(self._any()))

    async def _resume(self) -> None:
        streamed = self._chance.choice(self._any()[::STREAMED])
        await self._read(f"{streamed}?stream=true&last_event_id={POSITION}")

    async def _create(self) -> None:
        await self._ask()

    async def _go_on(self) -> None:
        await self._ask(previous_interaction_id=self._any()[-1])

    async def _go_on_for_long(self) -> None:
        await self._ask(previous_interaction_id=self._chance.choice(self._long)[-1])

    def _any(self) -> list[str]:
        return self._chance.choice(self._short)

    async def _read(self, which: str) -> None:
        async with self._client.get(f"{self._server.url}{self._server.path}/{which}") as answer:
            said = await answer.read()
            assert answer.status == 200, said

    async def _ask(self, **fields: str) -> None:
        async with self._client.post(self._server.url + self._server.path, json=asked(**fields)) as answer:
            said = await answer.read()
            assert answer.status == 200, said


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--calls", type=int, default=300, help="calls of a round")
    options.add_argument("--interactions", type=int, default=1_000_000, help="how many others have")
    options.add_argument("--folder", type=Path, help="where the large store stays for another time; else it is removed")
    options.add_argument("--source", type=Path, default=SOURCE)
    given = options.parse_args()
    with ExitStack() as stack:
        model = stack.enter_context(upstream())
        sizes = {0: None, given.interactions: given.folder}
        stores = {}
        for size, kept in sizes.items():
            folder = kept or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stores[size] = folder, _filled(folder, given.source.absolute(), size)
        for _ in range(min(given.rounds, STARTS)):
            least = 0.0
            for size, (folder, _) in stores.items():
                begun = time.perf_counter()
                with turnwise(model, source=given.source.absolute(), folder=folder) as server:
                    took, worked = time.perf_counter() - begun, server.processor_seconds()
                least = least or worked
                _add("start", size, 1000 * took, 1000 * worked, worked / least)
        servers = [
            (size, stack.enter_context(turnwise(model, source=given.source.absolute(), folder=folder)), conversations)
            for size, (folder, conversations) in stores.items()
        ]
        asyncio.run(measure(servers, given.rounds, given.calls))
    TABLE.finish(given)


def _filled(folder: Path, source: Path, interactions: int) -> list[list[str]]:
    """The conversations in a store, which is filled unless it was before."""
    said = folder / f"filled-{interactions}.json"
    if not said.exists():
        folder.mkdir(parents=True, exist_ok=True)
        conversations = fill(
            str(folder / "turnwise.db"),
            source=source,
            interactions=interactions,
            conversations=CONVERSATIONS,
        )
        said.write_text(json.dumps(conversations))
    made: list[list[str]] = json.loads(said.read_text())
    return made


async def measure(servers: list[tuple[int, Server, list[list[str]]]], rounds: int, calls: int) -> None:
    """Every call of every server, one behind the other, again and again. The first server has the small store."""
    async with session() as client:
        asking = [(size, server, Asking(client, server, conversations)) for size, server, conversations in servers]
        for _ in range(rounds):
            for name in asking[0][2].calls:
                least = 0.0
                for size, server, them in asking:
                    call = them.calls[name]
                    for _ in range(calls // 10):
                        await call()
                    waits, worked = [], server.processor_seconds()
                    for _ in range(calls):
                        begun = time.perf_counter()
                        await call()
                        waits.append(time.perf_counter() - begun)
                    cost = 1000 * (server.processor_seconds() - worked) / calls
                    least = least or cost
                    _add(name, size, quantile(waits, 0.5), cost, cost / least)


def _add(call: str, size: int, milliseconds: float, work: float, times: float) -> None:
    figures = {"p50 ms": milliseconds, "CPU-ms": work, "times the small one's": times}
    TABLE.add_all((call, f"{size + sum(CONVERSATIONS):,}"), figures)


if __name__ == "__main__":
    main()
