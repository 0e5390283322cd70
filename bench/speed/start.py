"""How long turnwise takes to start, and what it holds in memory, beside the floor.

A start is measured from the process's first moment to the moment at which a client that asked has its answer. "Ready"
is `/readyz`: the store is open and answers, and every path is served. It does not wait for models. The weights of an
embedded model that are not there yet are fetched before the server listens; those that are there are loaded behind it,
and a turn that comes earlier waits for them.

The weights of the default model are fetched before anything is measured, into `TURNWISE_MODELS_DIR` if that is set.
Python keeps what it compiled, as it does where packages are installed: one start that is not counted comes first.

With `--source` several versions of turnwise are measured beside each other: each is a folder that holds the package.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from bench.speed.calls import asked
from bench.speed.results import Table, parser
from bench.speed.servers import SOURCE, Server, floor, started, turnwise, upstream

TABLE = Table(
    "start",
    "From the start to the first answers, and memory",
    ("what", "server"),
    {
        "seconds": 2,
        "CPU-s": 2,
        "MB": 1,
        "first call ms": 1,
        "a later call ms": 1,
        "MB after": 1,
        "first turn after s": 2,
        "MB of the model": 0,
    },
)

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "import turnwise": ("-c", "import turnwise"),
    "turnwise --help": ("-m", "turnwise", "--help"),
    "turnwise models": ("-m", "turnwise", "models"),
    "turnwise keys list": ("-m", "turnwise", "keys", "list"),
}

CALLS = 20
"""How many calls warm a server up. The last is "a later call"."""

Measure = Callable[[], Mapping[str, float]]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--source", type=Path, nargs="+", default=[SOURCE])
    given = options.parse_args()
    with ExitStack() as stack:
        model = stack.enter_context(upstream())
        measures: dict[tuple[str, str], Measure] = {
            ("python -c pass", ""): lambda: run("-c", "pass"),
            ("ready", "floor"): lambda: serve(floor(model)),
        }
        for source in given.source:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            measures |= _of_turnwise(source.absolute(), folder, model)
        for measure in measures.values():
            measure()
        rounds(measures, given)
    TABLE.finish(given)


def rounds(measures: Mapping[tuple[str, str], Measure], given: argparse.Namespace) -> None:
    """Each of them, a round of all behind the other."""
    for _ in range(given.rounds):
        for labels, measure in measures.items():
            TABLE.add_all(labels, measure())


def _of_turnwise(source: Path, folder: Path, model: Server) -> dict[tuple[str, str], Measure]:
    """What is measured of a version of turnwise, which has its data in that folder."""
    name = "turnwise" if source == SOURCE else f"turnwise of {source.parent.name}"
    data, config = folder / "data", folder / "default.toml"
    config.touch()
    settings = {
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "TURNWISE_DATA_DIR": str(data),
    }
    measures: dict[tuple[str, str], Measure] = {
        (what, name): lambda arguments=arguments: run(*arguments, **settings)  # type: ignore[misc]
        for what, arguments in COMMANDS.items()
    }
    measures["ready, an upstream's model", name] = lambda: serve(
        turnwise(model, source=source, settings=settings, folder=data), "/readyz"
    )
    pull = [sys.executable, "-m", "turnwise", "pull", "builtin"]
    if subprocess.run(pull, env={**os.environ, **settings}, stdout=subprocess.DEVNULL).returncode:
        TABLE.note("The default model was left out: its weights cannot be had")
    else:
        arguments = ["-m", "turnwise", "serve", "--port", "0", "--config", str(config)]
        measures["ready, the default model", name] = lambda: serve(
            started(name, arguments, settings, "turnwise ready at "), "/readyz", loads=True
        )
    return measures


def run(*arguments: str, **settings: str) -> dict[str, float]:
    """Run Python to its end."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return {"seconds": seconds, "CPU-s": used.ru_utime + used.ru_stime}


def serve(starting: AbstractContextManager[Server], ready: str = "", *, loads: bool = False) -> dict[str, float]:
    """Start a server, and call it. `ready` is the path that says when it is ready, if it has one. `loads`: it has a
    model of its own, which the first call waits for."""
    begun = time.perf_counter()
    with starting as server:
        address = urlsplit(server.url)
        client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        if ready:
            _call(client, "GET", ready)
        measured = {
            "seconds": time.perf_counter() - begun,
            "CPU-s": server.processor_seconds(),
            "MB": _megabytes(server),
        }
        if loads:
            _turn(client, server)
            measured["first turn after s"] = time.perf_counter() - begun
            measured["MB of the model"] = _megabytes(Server("the model", "", _children(server.pids[0])))
        else:
            milliseconds = [_turn(client, server) for _ in range(CALLS)]
            measured |= {"first call ms": milliseconds[0], "a later call ms": milliseconds[-1]}
        measured["MB after"] = _megabytes(server)
        client.close()
    return measured


def _turn(client: http.client.HTTPConnection, server: Server) -> float:
    """Have a short turn. Returns how many milliseconds it took."""
    begun = time.perf_counter()
    _call(client, "POST", server.path, asked(generation_config={"max_output_tokens": 1}))
    return 1000 * (time.perf_counter() - begun)


def _call(client: http.client.HTTPConnection, method: str, path: str, body: object = None) -> None:
    client.request(method, path, body and json.dumps(body), {"content-type": "application/json"})
    answer = client.getresponse()
    said = answer.read()
    assert answer.status == 200, said


def _megabytes(server: Server) -> float:
    return server.memory_mib() * 2**20 / 1e6


def _children(pid: int) -> tuple[int, ...]:
    """The processes that a process has started, whichever of its threads did."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return tuple(int(child) for children in lists for child in children.read_text().split())
