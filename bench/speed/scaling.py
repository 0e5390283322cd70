"""How throughput grows with processes: `turnwise serve --processes N` on SQLite, and API nodes on PostgreSQL.

The callers are two processes and the upstream is two, so that neither is what holds up the servers. Every process that
is measured has a core of its own (`sched_setaffinity`), and as far as half of the machine goes nothing else runs on it:
so the growth is that of the servers. Beyond that the callers and the upstream take their share of the same cores, the
machine is full, and what a further process is worth is told by the CPU time of a request: as long as it stays what it
was, nothing is lost but that share. Each process has as many callers, since what is kept is committed in groups, and a
group of fewer costs each of them more.
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.faults.postgres import Postgres
from bench.speed.calls import asked, load, quantile, session
from bench.speed.results import Table, parser
from bench.speed.servers import HERE, SOURCE, Server, started, turnwise

TABLE = Table(
    "scaling",
    "Throughput by processes",
    ("store", "kind", "processes"),
    {
        "requests/s": 0,
        "growth for each": 2,
        "CPU-ms": 2,
        "CPU-ms of the database": 2,
        "p50 ms": 1,
        "p99 ms": 1,
    },
)

UPSTREAMS = 2
"""How many processes the upstream is."""

CALLERS = 2
"""How many processes call."""


@dataclass(frozen=True)
class Fleet:
    """Processes that serve from one store."""

    store: str
    servers: Sequence[Server]
    """Those that can be called."""
    pids: Sequence[int]
    """All processes that answer."""
    database: Sequence[int] = ()
    """The processes of the database."""

    @property
    def size(self) -> int:
        return len(self.pids)


def main() -> None:
    options = parser(__doc__, rounds=3)
    options.add_argument("--callers", type=int, default=32, help="for each process")
    options.add_argument("--calls", type=int, default=1500, help="calls of a round, for each process")
    options.add_argument("--processes", type=int, nargs="+", default=[1, 2, 3, 4])
    options.add_argument("--nodes", type=int, nargs="*", default=[1, 2], help="API nodes on PostgreSQL")
    options.add_argument("--kinds", nargs="+", choices=["create", "stream"], default=["create", "stream"])
    options.add_argument("--source", type=Path, default=SOURCE)
    given = options.parse_args()
    processes = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        model = stack.enter_context(upstreams())
        calling = stack.enter_context(ProcessPoolExecutor(CALLERS, mp_context=processes))
        for _ in range(given.rounds):
            for size in given.processes:
                with on_sqlite(model, size, given.source) as fleet:
                    measure(fleet, model, calling, given)
            for size in given.nodes:
                with on_postgres(model, size, given.source) as fleet:
                    measure(fleet, model, calling, given)
    TABLE.finish(given)


# -- what is measured


@contextmanager
def upstreams() -> Iterator[Server]:
    """The upstream, as several processes behind one port."""
    command = ["-m", "uvicorn", "--app-dir", str(HERE), "upstream:app", "--port", "0", "--workers", str(UPSTREAMS)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--timeout-keep-alive", "300"]
    with started("upstream", command, {}, "Uvicorn running on ") as server:
        yield replace(server, pids=descendants(server.pids[0]))


@contextmanager
def on_sqlite(model: Server, size: int, source: Path) -> Iterator[Fleet]:
    with turnwise(model, source=source, options=["--processes", str(size)] if size > 1 else []) as server:
        pids = descendants(server.pids[0]) if size > 1 else server.pids
        yield Fleet("SQLite", [server], [pid for pid in pids if pid not in server.pids] or pids)


@contextmanager
def on_postgres(model: Server, size: int, source: Path) -> Iterator[Fleet]:
    database = Postgres()
    try:
        database.start()
        database.make_database()
        with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
            settings = {"TURNWISE_DATABASE_URL": database.url}
            first = stack.enter_context(turnwise(model, source=source, settings=settings, folder=Path(folder)))
            others = [
                stack.enter_context(
                    turnwise(model, source=source, settings=settings, folder=Path(folder, str(node)), command="api")
                )
                for node in range(1, size)
            ]
            servers = [first, *others]
            main = int((database.folder / "data" / "postmaster.pid").read_text().split()[0])
            yield Fleet("PostgreSQL", servers, [server.pids[0] for server in servers], (main, *descendants(main)))
    finally:
        database.remove()


def descendants(pid: int) -> tuple[int, ...]:
    """The processes that this one has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return tuple(found for child in map(int, children) for found in (child, *descendants(child)))


# -- measuring


def measure(fleet: Fleet, model: Server, calling: ProcessPoolExecutor, given: argparse.Namespace) -> None:
    """A round of every kind."""
    _give_cores(fleet, model, calling)
    for kind in given.kinds:
        body = asked(streamed=kind == "stream", model="deltas-100")
        callers = given.callers * fleet.size
        calls = fleet.size * (given.calls if kind == "create" else given.calls // 4)
        answering = Server("", "", tuple(fleet.pids))
        storing = Server("", "", tuple(fleet.database))
        worked, stored = answering.processor_seconds(), storing.processor_seconds()
        urls = [fleet.servers[number % len(fleet.servers)].url for number in range(CALLERS)]
        share = [(url, body, callers // CALLERS, calls // CALLERS) for url in urls]
        done = list(calling.map(_call, *zip(*share, strict=True)))
        all_calls = sum(len(waits) for _, waits in done) + callers  # those that warmed it up
        waits = [wait for _, waits in done for wait in waits]
        rate = sum(len(waits) / seconds for seconds, waits in done)
        labels = (fleet.store, kind, fleet.size)
        TABLE.add_all(
            labels,
            {
                "requests/s": rate,
                "CPU-ms": 1000 * (answering.processor_seconds() - worked) / all_calls,
                "p50 ms": quantile(waits, 0.5),
                "p99 ms": quantile(waits, 0.99),
            },
        )
        if fleet.database:
            TABLE.add(labels, **{"CPU-ms of the database": 1000 * (storing.processor_seconds() - stored) / all_calls})
        alone = TABLE.median((fleet.store, kind, 1), "requests/s") if fleet.size > 1 else rate
        TABLE.add(labels, **{"growth for each": rate / alone / fleet.size})


def _call(url: str, body: dict[str, Any], callers: int, calls: int) -> tuple[float, list[float]]:
    """Call from this process. How many seconds it took, and each call."""

    async def call() -> tuple[float, list[float]]:
        async with session() as client:
            done = await load(client, Server("", url, ()), body, callers=callers, calls=calls)
            return done.seconds, done.waits

    return asyncio.run(call())


def _give_cores(fleet: Fleet, model: Server, calling: ProcessPoolExecutor) -> None:
    """Give each server a core of its own, and the rest to all others, as far as half of the machine goes; else all."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    others = set(cores[fleet.size :] if fleet.size <= len(cores) // 2 else cores)
    for number, pid in enumerate(fleet.pids):
        _bind(pid, {cores[number % len(cores)]})
    callers = [process.pid for process in multiprocessing.active_children() if process.pid is not None]
    for pid in [*model.pids, *fleet.database, *callers]:
        _bind(pid, others)


def _bind(pid: int, cores: set[int]) -> None:
    """All threads of a process."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
