"""A long, steady mix of calls, and whether anything grows that should not: memory, descriptors, threads.

    python -m bench.soak [--store sqlite] [--minutes 60] [--rate 20] [--out soak.csv]

One API node and one worker on PostgreSQL, or one `turnwise serve` on SQLite. Plain calls, some of which continue
others, streams, background work that is polled, streams that are left and resumed, cancels; a third of all is deleted
again. Once a minute the processes are looked at. The first quarter is left out, in which caches fill; a line is fitted
through the rest. What rises by less than 2 MiB of memory, or one descriptor or thread, in an hour counts as flat, and
so does a rise that is smaller than twice its standard error. The exit code is 1 if something grows, or an answer was
wrong.
"""

import argparse
import asyncio
import csv
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from bench.faults.answers import Question
from bench.faults.client import BROKEN, Client, Refused, open_client, text_of
from bench.faults.cluster import Cluster, open_cluster
from bench.faults.nodes import Node
from bench.faults.rounds import part
from bench.faults.stories import Plan, Story

MIX = {"create": 45, "continue": 10, "stream": 15, "background": 15, "resume": 10, "cancel": 5}
"""Of a hundred interactions, so many are like this."""

DELETED = 1 / 3
"""How many of them are deleted when they are over."""

WORDS, RATE = 40, 20.0
"""How long what is streamed is, and how fast it comes, in words a second."""

WARMING = 0.25
"""The part of the time in which growth is no sign of anything."""

MOST_GROWTH = {"memory_mib": 2.0, "descriptors": 1.0, "threads": 1.0}
"""What may rise in an hour and is called flat all the same."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A node at one moment."""

    minute: float
    node: str
    memory_mib: float
    """Memory of its own, that no file stands behind."""
    descriptors: int
    threads: int
    processor_seconds: float
    """For which it has worked so far."""
    database_mib: float
    calls: int
    """Interactions that have ended in the minute before."""
    p50_ms: float
    """How long plain calls of the minute before took."""
    p99_ms: float


@dataclass(slots=True)
class Tally:
    """What became of the interactions."""

    ended: int = 0
    waits: list[float] = field(default_factory=list)
    """Seconds that plain calls took."""
    wrong: list[str] = field(default_factory=list)
    """What was not as it should be."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0, help="interactions that are begun in a second")
    parser.add_argument("--out", type=Path, help="a file for the samples")
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.store, given.minutes, given.rate, given.out)))


async def run(store: Any, minutes: float, rate: float, out: Path | None) -> int:
    """All of it. Returns the exit code."""
    tally = Tally()
    async with open_cluster(store, apis=1, workers=1, concurrency=200) as cluster, open_client(keep=True) as client:
        driving = asyncio.create_task(drive(client, cluster, rate, tally))
        try:
            samples = await watch(cluster, tally, minutes, out)
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)
        flat = [judge(samples, node.name) for node in cluster.nodes]
    print(f"\n{tally.ended} interactions, {len(tally.wrong)} wrong; logs: {cluster.folder}")
    for reason in tally.wrong[:20]:
        print(f"    {reason}")
    return 0 if all(flat) and not tally.wrong else 1


# -- the load


async def drive(client: Client, cluster: Cluster, rate: float, tally: Tally) -> None:
    """Begin interactions at a steady rate, whether those before are over or not."""
    chance, last = random.Random(0), [""]
    async with asyncio.TaskGroup() as group:
        begun = time.monotonic()
        for number in count():
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            kind = chance.choices(list(MIX), list(MIX.values()))[0]
            group.create_task(_one(client, cluster, kind, f"{kind}-{number}", chance, last, tally))


async def _one(
    client: Client, cluster: Cluster, kind: str, name: str, chance: random.Random, last: list[str], tally: Tally
) -> None:
    """One interaction, from its beginning to its deletion."""
    try:
        if kind in ("create", "continue"):
            id = await _call(client, cluster, Question(name, 20, 0.0), last[0] if kind == "continue" else "", tally)
        else:
            id = await _story(client, cluster, kind, Question(name, WORDS, RATE), chance, tally)
        if chance.random() < DELETED:
            await client.delete(cluster.urls[0], id)
        elif kind == "create":
            last[0] = id
    except (Refused, *BROKEN) as error:
        tally.wrong.append(f"{name}: {error!r}")
    tally.ended += 1


async def _call(client: Client, cluster: Cluster, question: Question, previous: str, tally: Tally) -> str:
    fields = {"previous_interaction_id": previous} if previous else {}
    begun = time.monotonic()
    reply = await client.create(cluster.urls[0], question.text, **fields)
    tally.waits.append(time.monotonic() - begun)
    if text_of(reply) != question.answer:
        tally.wrong.append(f"{question.name}: {text_of(reply)!r}")
    return str(reply["id"])


async def _story(
    client: Client, cluster: Cluster, kind: str, question: Question, chance: random.Random, tally: Tally
) -> str:
    plan = Plan(
        question,
        "background" if kind == "background" else chance.choice(("stream", "background stream")),
        switches_after=chance.randrange(1, WORDS) if kind == "resume" else None,
        polls_every=0.5 if kind == "background" else None,
        cancels_after=chance.randrange(1, WORDS) if kind == "cancel" else None,
    )
    story = Story(client, cluster.urls, plan, chance)
    await story.live()
    assert story.id is not None
    text = "".join(frame.text for frame in story.seen.frames)
    is_right = question.answer.startswith(text) if kind == "cancel" else question.answer == text
    if not is_right or story.seen.errors or story.seen.twice or story.seen.went_back or story.seen.false_ends:
        tally.wrong.append(f"{question.name}: {text[-60:]!r} {story.seen.errors}")
    return story.id


# -- what is seen of the processes


async def watch(cluster: Cluster, tally: Tally, minutes: float, out: Path | None) -> list[Sample]:
    """Look at every node once a minute."""
    samples: list[Sample] = []
    begun = time.monotonic()
    print("| minute | node | memory MiB | descriptors | threads | CPU s | database MiB | calls | p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for minute in range(1, int(minutes) + 1):
        await asyncio.sleep(max(0.0, begun + 60 * minute - time.monotonic()))
        ended, tally.ended, waits, tally.waits = tally.ended, 0, sorted(tally.waits), []
        size = await asyncio.to_thread(cluster.size)
        for node in cluster.nodes:
            sample = Sample(
                minute,
                node.name,
                *_look_at(node),
                size / 2**20,
                ended,
                1000 * part(waits, 0.5),
                1000 * part(waits, 0.99),
            )
            samples.append(sample)
            cells = (f"{value:.1f}" if isinstance(value, float) else str(value) for value in asdict(sample).values())
            print(f"| {' | '.join(cells)} |", flush=True)
        if out is not None:
            _write(samples, out)
    tally.ended += sum(sample.calls for sample in samples if sample.node == samples[0].node)
    return samples


def _look_at(node: Node) -> tuple[float, int, int, float]:
    """Its memory in MiB, descriptors, threads and seconds of work."""
    folder = Path(f"/proc/{node.pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    fields = (folder / "stat").read_text().rpartition(") ")[2].split()
    descriptors = sum(1 for _ in (folder / "fd").iterdir())
    worked = (int(fields[11]) + int(fields[12])) / 100
    return int(status["RssAnon"].split()[0]) / 1024, descriptors, int(status["Threads"]), worked


def _write(samples: Sequence[Sample], out: Path) -> None:
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(samples[0])))
        writer.writeheader()
        writer.writerows(map(asdict, samples))


def judge(samples: Sequence[Sample], node: str) -> bool:
    """Say of a node what rises, and whether all of it is flat."""
    of_node = [sample for sample in samples if sample.node == node]
    warm = of_node[int(len(of_node) * WARMING) :]
    is_flat = True
    for name, most in MOST_GROWTH.items():
        values = [float(getattr(sample, name)) for sample in warm]
        rise, error = fitted([sample.minute / 60 for sample in warm], values)
        flat = rise < most or rise < 2 * error
        is_flat &= flat
        mean = statistics.fmean(values)
        print(f"{node}: {name} {mean:.1f}, {rise:+.2f} ± {error:.2f} an hour: {'flat' if flat else 'GROWS'}")
    return is_flat


def fitted(times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """How much values rise in one unit of time, by a line of least squares, and the standard error of that."""
    slope, start = statistics.linear_regression(times, values)
    rest = sum((value - start - slope * time) ** 2 for time, value in zip(times, values, strict=True))
    spread = sum((time - statistics.fmean(times)) ** 2 for time in times)
    return slope, (rest / max(len(times) - 2, 1) / spread) ** 0.5


if __name__ == "__main__":
    main()
