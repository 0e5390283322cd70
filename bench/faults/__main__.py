"""Hundreds of streams on several nodes, and one fault after the other; every frame and every letter is checked.

    python -m bench.faults [--store sqlite] [--streams 500] [--rate 5] [--seconds 20] [--only kill-worker,stop-api]
    python -m bench.faults --namespaces      # each node on a host of its own; needs root

Two API nodes and two workers on PostgreSQL, or one `turnwise serve` on SQLite, are answered by an upstream whose words
are known beforehand. Half of the interactions go on in the background; a third of the readers change nodes of their own
will, a quarter of the interactions are polled beside that, and one in twenty is cancelled. When all have ended, each is
read again on every node. The exit code is 1 if anything was lost, doubled or changed.
"""

import argparse
import asyncio
import random
import sys

from bench.faults.client import open_client
from bench.faults.cluster import Cluster, open_cluster
from bench.faults.injuries import INJURIES, Injury
from bench.faults.rounds import Load, Round, part, play

HEAD = (
    "| fault | streams | completed | cancelled | runs moved | readers cut | pause of moved s | of cut s | of all s "
    "| longest s | gaps | doubles | rewritten | wrong text | differing | false ends | errors | failed | lost |"
)
"""Pauses are the longest one of each reader: that of half of them at the most, and that of 99 in a hundred."""
REASONS = 20
"""How many things that are wrong are said in words, of each round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--streams", type=int, help="default: 500; with sqlite 200")
    parser.add_argument("--rate", type=float, default=5.0, help="words a second of each stream")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long an answer takes")
    parser.add_argument("--only", default="", help="faults, with commas: " + ", ".join(INJURIES))
    parser.add_argument("--namespaces", action="store_true", help="a host of its own for each node")
    parser.add_argument("--seed", type=int, help="what chance decides is decided alike by the same number")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name] or list(INJURIES)
    if unknown := set(names) - set(INJURIES):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(INJURIES)}")
    load = Load(given.streams or (500 if given.store == "postgres" else 200), given.rate, given.seconds)
    sys.exit(asyncio.run(run(given.store, load, [INJURIES[name] for name in names], given.namespaces, given.seed)))


async def run(store: str, load: Load, injuries: list[Injury], namespaces: bool, seed: int | None) -> int:
    """All of them, one after the other. Returns the exit code."""
    seed = random.randrange(2**32) if seed is None else seed
    print(f"{load.streams} streams of {load.seconds:g} s at {load.rate:g} words/s on {store}, seed {seed}\n")
    chance, is_clean = random.Random(seed), True
    async with open_cluster(store, concurrency=load.streams, namespaces=namespaces) as cluster, open_client() as client:
        print(HEAD)
        print("|---" * HEAD.count(" | ") + "|---|")
        for injury in injuries:
            if injury.fits(cluster):
                played = await play(injury, cluster, client, load, chance)
                print(row(played), flush=True)
                for reason in played.verdict.reasons[:REASONS]:
                    print(f"    {reason}", file=sys.stderr)
                is_clean &= played.verdict.is_clean
    print(f"\nlogs: {cluster.folder} ({complaints(cluster)} errors in them)")
    return 0 if is_clean else 1


def row(played: Round) -> str:
    """A line of the table."""
    verdict = played.verdict
    numbers = [verdict.accepted, verdict.completed, verdict.cancelled, played.moved, played.cut]
    pauses = [_parts(played.pauses_moved), _parts(played.pauses_cut), _parts(played.pauses)]
    longest = f"{part(played.pauses, 1.0):.1f}"
    wrong = [verdict.gaps, verdict.doubles, verdict.rewritten, verdict.wrong, verdict.differing, verdict.false_ends]
    wrong += [verdict.errors, verdict.failed, verdict.lost]
    return f"| {' | '.join([played.what, *map(str, numbers), *pauses, longest, *map(str, wrong)])} |"


def _parts(pauses: list[float]) -> str:
    return f"{part(pauses, 0.5):.1f} / {part(pauses, 0.99):.1f}" if pauses else ""


def complaints(cluster: Cluster) -> int:
    """How many errors the nodes have logged."""
    logs = [node.log.read_text() for node in cluster.nodes if node.log.exists()]
    return sum(line.split()[2:3] == ["ERROR"] for log in logs for line in log.splitlines())


if __name__ == "__main__":
    main()
