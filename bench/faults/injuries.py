"""What is done to a cluster while it works."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.faults.cluster import Cluster
from bench.faults.network import Host
from bench.faults.stories import Story

UNPLUGGED = 12.0
"""Seconds for which a cable is cut: longer than a lease, shorter than most people would wait."""

BLIND = 40.0
"""Seconds for which a node cannot reach the database: longer than it tries for."""

Clients: TypeAlias = Sequence[Story]
Harm: TypeAlias = Callable[[Cluster, Clients, random.Random], Awaitable[None]]
Needs: TypeAlias = Literal["anything", "workers", "postgres", "hosts", "one node"]


@dataclass(frozen=True, slots=True)
class Injury:
    """Something that is done to a cluster, and made good again."""

    what: str
    do: Harm
    needs: Needs = "anything"

    def fits(self, cluster: Cluster) -> bool:
        """Whether it can be done to this cluster."""
        match self.needs:
            case "workers":
                return bool(cluster.workers)
            case "postgres":
                return cluster.postgres is not None
            case "hosts":
                return bool(cluster.hosts)
            case "one node":
                return not cluster.workers
            case _:
                return True


async def _nothing(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    """What everything else is compared with."""


async def _kill_worker(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    node = chance.choice(cluster.workers)
    await node.kill()
    await node.start()


async def _kill_api(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    node = chance.choice(cluster.apis)
    await node.kill()
    await node.start()


async def _stop_worker(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    node = chance.choice(cluster.workers)
    await node.stop()
    await node.start()


async def _stop_api(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    node = chance.choice(cluster.apis)
    await node.stop()
    await node.start()


async def _kill_again_and_again(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    for _ in range(3):
        await _kill_api(cluster, clients, chance)
        await asyncio.sleep(chance.uniform(1.0, 3.0))


async def _restart_postgres(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    assert cluster.postgres is not None
    await asyncio.to_thread(cluster.postgres.stop)
    await asyncio.to_thread(cluster.postgres.start)


async def _crash_postgres(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    assert cluster.postgres is not None
    await asyncio.to_thread(cluster.postgres.stop, "immediate")
    await asyncio.to_thread(cluster.postgres.start)


async def _cut_clients(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    for story in chance.sample(clients, len(clients) // 2):
        story.cut()


async def _unplug_worker(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    await _unplug(cluster.hosts[chance.choice(cluster.workers).name])


async def _unplug_api(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    await _unplug(cluster.hosts[chance.choice(cluster.apis).name])


async def _unplug(host: Host) -> None:
    host.unplug()
    await asyncio.sleep(UNPLUGGED)
    host.plug_in()


async def _blind_worker(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    await _blind(cluster, cluster.hosts[chance.choice(cluster.workers).name])


async def _blind_api(cluster: Cluster, clients: Clients, chance: random.Random) -> None:
    await _blind(cluster, cluster.hosts[chance.choice(cluster.apis).name])


async def _blind(cluster: Cluster, host: Host) -> None:
    assert cluster.postgres is not None
    host.lose(cluster.postgres.address)
    await asyncio.sleep(BLIND)
    host.find(cluster.postgres.address)


INJURIES = {
    "nothing": Injury("none", _nothing),
    "kill-worker": Injury("kill -9 of a worker", _kill_worker, "workers"),
    "kill-api": Injury("kill -9 of an API node", _kill_api, "workers"),
    "stop-worker": Injury("SIGTERM of a worker", _stop_worker, "workers"),
    "stop-api": Injury("SIGTERM of an API node", _stop_api, "workers"),
    "kill-serve": Injury("kill -9, three times", _kill_again_and_again, "one node"),
    "stop-serve": Injury("SIGTERM, and started again", _stop_api, "one node"),
    "restart-postgres": Injury("PostgreSQL restarted", _restart_postgres, "postgres"),
    "crash-postgres": Injury("PostgreSQL crashed", _crash_postgres, "postgres"),
    "cut-clients": Injury("half of the clients cut off", _cut_clients),
    "unplug-worker": Injury(f"a worker's cable cut for {UNPLUGGED:.0f} s", _unplug_worker, "hosts"),
    "unplug-api": Injury(f"an API node's cable cut for {UNPLUGGED:.0f} s", _unplug_api, "hosts"),
    "blind-worker": Injury(f"a worker without the database for {BLIND:.0f} s", _blind_worker, "hosts"),
    "blind-api": Injury(f"an API node without the database for {BLIND:.0f} s", _blind_api, "hosts"),
}
"""By the names that the command line has for them, in the order in which they are done."""


@dataclass(frozen=True, slots=True)
class Hurt:
    """When an injury was done, and whom it met."""

    at: float
    """By the monotonic clock."""
    before: dict[str, tuple[int, str]]
    """The runs that went on then, with their attempts and carriers."""
    breaks: dict[str, int]
    """How many streams of each client had broken off before, by the name of its question."""


async def hurt(injury: Injury, cluster: Cluster, clients: Clients, chance: random.Random) -> Hurt:
    """Do it, and make it good again."""
    noted = Hurt(time.monotonic(), await cluster.runs(), {one.plan.question.name: breaks(one) for one in clients})
    await injury.do(cluster, clients, chance)
    return noted


def breaks(story: Story) -> int:
    """How many streams of a client ended before their time."""
    return story.seen.broken + story.seen.handed_over
