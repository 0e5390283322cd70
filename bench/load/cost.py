"""What a call costs: turnwise beside the floor, in turns, against an upstream that answers at once.

    python bench/load/cost.py [--rounds 3] [--requests 1000] [--source DIR ...]

Each round measures every server at 1, 16 and 64 callers (or `--callers`), plain and streamed, one server after the
other, so that what else the machine does falls on all of them. Printed are medians over the rounds: requests a second,
CPU time of the server's own process for a request, its ratio to the floor's, and how long callers waited. With
`--source` several versions of turnwise are measured beside each other: each is a folder that holds the package.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

HERE = Path(__file__).parent
PATIENCE = 30.0
"""Seconds for a server to be ready."""


@dataclass(frozen=True)
class Server:
    """A server under load."""

    name: str
    url: str
    pid: int

    def processor_seconds(self) -> float:
        """How long its process has worked."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """How much memory it has, at the most so far."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@dataclass(frozen=True)
class Measured:
    """A round of calls."""

    seconds: float
    processor: float
    waits: list[float]

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds

    @property
    def cost(self) -> float:
        """CPU-milliseconds for a request."""
        return 1000 * self.processor / len(self.waits)

    def wait(self, part: float) -> float:
        """Milliseconds that this part of the calls waited at the most."""
        return 1000 * sorted(self.waits)[min(len(self.waits) - 1, int(part * len(self.waits)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1000, help="plain calls of a round; streamed: a tenth of them")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--source", type=Path, nargs="+", default=[HERE.parents[1] / "src"])
    given = parser.parse_args()
    with ExitStack() as stack:
        upstream = stack.enter_context(asgi("upstream", {}))
        servers = [stack.enter_context(floor(upstream.url))]
        for source in given.source:
            servers.append(stack.enter_context(turnwise(source.absolute(), upstream.url)))
        found = asyncio.run(measure(servers, given.rounds, given.requests, given.callers))
        print("| call | callers | server | requests/s | CPU-ms | to the floor | p50 ms | p99 ms |")
        print("|---|---|---|---|---|---|---|---|")
        for streamed in (False, True):
            for callers in given.callers:
                costs = {}
                for server in servers:
                    rounds = found[server.name, streamed, callers]
                    costs[server.name] = statistics.median(one.cost for one in rounds)
                    ratio = costs[server.name] / costs[servers[0].name]
                    numbers = [statistics.median(pick) for pick in zip(*map(row, rounds), strict=True)]
                    print(
                        f"| {'stream' if streamed else 'create'} | {callers} | {server.name} | {numbers[0]:.0f} | "
                        f"{costs[server.name]:.2f} | {ratio:.1f} | {numbers[1]:.1f} | {numbers[2]:.1f} |"
                    )
        print("\nMemory at the most, MiB: " + ", ".join(f"{one.name} {one.memory_mib():.0f}" for one in servers))


def row(measured: Measured) -> tuple[float, float, float]:
    return measured.rate, measured.wait(0.5), measured.wait(0.99)


async def measure(
    servers: list[Server], rounds: int, requests: int, callers: list[int]
) -> dict[tuple[str, bool, int], list[Measured]]:
    """Every server in every way, a round of all behind the other."""
    found: dict[tuple[str, bool, int], list[Measured]] = {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for _ in range(rounds):
            for streamed in (False, True):
                for number in callers:
                    for server in servers:
                        wanted = max(number, requests // 10 if streamed else requests)
                        measured = await load(session, server, streamed, number, wanted)
                        found.setdefault((server.name, streamed, number), []).append(measured)
    return found


async def load(session: aiohttp.ClientSession, server: Server, streamed: bool, callers: int, wanted: int) -> Measured:
    """So many calls by so many callers, each of which calls again when it has its answer."""
    body = {"model": "m", "input": "Hi", "stream": streamed}
    waits: list[float] = []

    async def call() -> None:
        begun = time.perf_counter()
        async with session.post(f"{server.url}/v1/interactions", json=body) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()
        waits.append(time.perf_counter() - begun)

    async def caller(turns: Iterator[int]) -> None:
        for _ in turns:
            await call()

    await call()
    waits.clear()
    turns = iter(range(wanted))
    processor, begun = server.processor_seconds(), time.perf_counter()
    await asyncio.gather(*(caller(turns) for _ in range(callers)))
    return Measured(time.perf_counter() - begun, server.processor_seconds() - processor, waits)


@contextmanager
def floor(upstream: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        settings = {"FLOOR_UPSTREAM": f"{upstream}/v1", "FLOOR_DATABASE": str(Path(folder, "floor.db"))}
        with asgi("floor", settings) as server:
            yield server


@contextmanager
def asgi(name: str, settings: dict[str, str]) -> Iterator[Server]:
    """A program of this folder, served as turnwise is."""
    command = ["-m", "uvicorn", "--app-dir", str(HERE), f"{name}:app", "--port", "0", "--loop", "uvloop"]
    command += ["--http", "httptools", "--no-access-log"]
    with started(name, command, settings, "Uvicorn running on ") as server:
        yield server


@contextmanager
def turnwise(source: Path, upstream: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "turnwise.toml")
        config.write_text(f'[models."*"]\nengine = "openai"\nbase_url = "{upstream}/v1"\n')
        command = ["-m", "turnwise", "serve", "--port", "0", "--data-dir", folder, "--config", str(config)]
        name = "turnwise" if source == HERE.parents[1] / "src" else f"turnwise of {source.parent.name}"
        with started(name, command, {"PYTHONPATH": str(source)}, "turnwise ready at ") as server:
            yield server


@contextmanager
def started(name: str, command: list[str], settings: dict[str, str], sign: str) -> Iterator[Server]:
    """A process that is ready, ended behind."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **settings},
    )
    try:
        assert process.stdout is not None
        latest, said = time.monotonic() + PATIENCE, ""
        for line in process.stdout:
            said += line
            if sign in line:
                yield Server(name, line.partition(sign)[2].split()[0], process.pid)
                return
            if time.monotonic() > latest:
                break
        raise SystemExit(f"{name} did not start:\n{said}")
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
