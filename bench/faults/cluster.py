"""What is under test: nodes that share a store, and an upstream that answers them, all of them real processes."""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from bench.faults.client import KEEP_ALIVE
from bench.faults.network import Host, Network, open_network
from bench.faults.nodes import Node, free_port, turnwise
from bench.faults.postgres import Postgres

StoreName: TypeAlias = Literal["postgres", "sqlite"]

LOCAL = "127.0.0.1"

SETTINGS = """\
database_url = "{database}"
keep_alive_seconds = {keep_alive}

[background]
concurrency = {concurrency}

[models."*"]
engine = "openai"
base_url = "{upstream}/v1"
continues = "prefill"
"""


@dataclass(slots=True)
class Cluster:
    """Nodes, their store and their upstream."""

    folder: Path
    """Where their settings, data and logs are."""
    apis: list[Node] = field(default_factory=list)
    workers: list[Node] = field(default_factory=list)
    """Where there are none, the only node does all."""
    hosts: dict[str, Host] = field(default_factory=dict)
    """The hosts of nodes, by the nodes' names, if they have any."""
    postgres: Postgres | None = None

    @property
    def nodes(self) -> list[Node]:
        """Those that run turnwise."""
        return [*self.apis, *self.workers]

    @property
    def urls(self) -> list[str]:
        """Where clients may turn to."""
        return [node.url for node in self.apis]

    async def runs(self) -> dict[str, tuple[int, str]]:
        """The runs that go on, with their attempts and carriers."""
        rows = await asyncio.to_thread(self._query, "SELECT id, attempt, coalesce(carrier, '') FROM runs")
        return {id: (int(attempt), carrier) for id, attempt, carrier in rows}

    def size(self) -> int:
        """The bytes of the database."""
        if self.postgres is not None:
            return int(self.postgres.execute("SELECT pg_database_size(current_database())")[0][0])
        return sum(path.stat().st_size for path in self.database.parent.glob(f"{self.database.name}*"))

    @property
    def database(self) -> Path:
        """The SQLite file, where the store is one."""
        return self.folder / "turnwise.db"

    def _query(self, statement: str) -> list[list[str]]:
        if self.postgres is not None:
            return self.postgres.execute(statement)
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return [list(row) for row in connection.execute(statement)]
        finally:
            connection.close()


@asynccontextmanager
async def open_cluster(
    store: StoreName, *, apis: int = 2, workers: int = 2, concurrency: int, namespaces: bool = False
) -> AsyncIterator[Cluster]:
    """A cluster that is ready, and of which nothing is left behind but its folder with the logs. With `sqlite` it is
    one node that does all. With `namespaces` each node has a host of its own."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="turnwise-faults-")))
    async with AsyncExitStack() as behind:
        network = behind.enter_context(open_network()) if namespaces else None
        address = LOCAL if network is None else network.address
        upstream = _upstream(cluster.folder, address)
        await _start(behind, upstream)
        database = f"sqlite:///{cluster.database}"
        if store == "postgres":
            cluster.postgres = _start_postgres(network, behind)
            database = cluster.postgres.url
        config = cluster.folder / "turnwise.toml"
        config.write_text(
            SETTINGS.format(database=database, keep_alive=KEEP_ALIVE, concurrency=concurrency, upstream=upstream.url)
        )
        if store == "postgres":
            await _migrate(config, cluster.folder)
            cluster.apis = [_node(cluster, "api", number, network) for number in range(1, apis + 1)]
            cluster.workers = [_node(cluster, "worker", number, network) for number in range(1, workers + 1)]
        else:
            cluster.apis = [_node(cluster, "serve", 1, network)]
        await _start(behind, *cluster.nodes)
        yield cluster


def _node(cluster: Cluster, command: str, number: int, network: Network | None) -> Node:
    name = f"{command}-{number}"
    host = None if network is None else network.make_host()
    address = LOCAL if host is None else host.address
    port = free_port() if host is None else 8787
    options = ["--config", str(cluster.folder / "turnwise.toml"), "--data-dir", str(cluster.folder / name)]
    if command != "worker":
        options += ["--host", address, "--port", str(port)]
        options += ["--insecure"] if host is not None else []
    line = turnwise(command, *options)
    if host is not None:
        cluster.hosts[name] = host
        line = host.command(line)
    sign = "turnwise worker ready" if command == "worker" else "turnwise ready at "
    return Node(name, line, sign=sign, folder=cluster.folder, url=f"http://{address}:{port}")


def _upstream(folder: Path, address: str) -> Node:
    port = free_port(address)
    command = [sys.executable, "-m", "uvicorn", "bench.faults.upstream:app", "--host", address, "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return Node("upstream", command, sign="Uvicorn running on ", folder=folder, url=f"http://{address}:{port}")


def _start_postgres(network: Network | None, behind: AsyncExitStack) -> Postgres:
    address, range = ("", "") if network is None else (network.database, network.range)
    postgres = Postgres(address, range)
    behind.callback(postgres.remove)
    postgres.start()
    postgres.make_database()
    return postgres


async def _start(behind: AsyncExitStack, *nodes: Node) -> None:
    """Start them together, and end them together behind."""

    async def close() -> None:
        await asyncio.gather(*(node.close() for node in nodes))

    behind.push_async_callback(close)
    await asyncio.gather(*(node.start() for node in nodes))


async def _migrate(config: Path, folder: Path) -> None:
    """Make the tables, as it is done before nodes are started."""
    command = turnwise("migrate", "--config", str(config), "--data-dir", str(folder))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"turnwise migrate failed: {said.decode()}")
