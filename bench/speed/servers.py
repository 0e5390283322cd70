"""The servers that are measured, each a process of its own, on a port that the system chose, and ended behind."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
"""The package that is measured, unless another one is named."""
PATIENCE = 60.0
"""Seconds for a server to be ready, and again for it to end."""


@dataclass(frozen=True)
class Server:
    """A server under load."""

    name: str
    url: str
    pids: tuple[int, ...]
    """Its processes."""
    path: str = "/v1/interactions"
    """Where it takes interactions."""
    headers: Mapping[str, str] = field(default_factory=dict)
    may_cut_off: bool = False
    """Whether calls that it cuts off are counted, and measuring goes on."""

    def processor_seconds(self) -> float:
        """How long its processes have worked, for users and in the kernel."""
        return sum(_worked(pid) for pid in self.pids)

    def memory_mib(self, *, most: bool = False) -> float:
        """How much memory its processes hold now, or held at the most."""
        name = "VmHWM:" if most else "VmRSS:"
        kib = 0
        for pid in self.pids:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            kib += next(int(line.split()[1]) for line in lines if line.startswith(name))
        return kib / 1024


def _worked(pid: int) -> float:
    """In seconds, to the nanosecond where the kernel says so: else to a hundredth."""
    nanoseconds = 0
    for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            nanoseconds += int(schedstat.read_text().split()[0])
        except (OSError, IndexError):
            break
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    ticks = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return max(nanoseconds / 1e9, ticks) if nanoseconds else ticks


@contextmanager
def upstream() -> Iterator[Server]:
    """A model server that answers at once. See `upstream.py`."""
    with asgi("upstream", {}) as server:
        yield server


@contextmanager
def floor(upstream: Server) -> Iterator[Server]:
    """The least that a program can do. See `floor.py`."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"FLOOR_UPSTREAM": f"{upstream.url}/v1", "FLOOR_DATABASE": str(Path(folder, "floor.db"))}
        with asgi("floor", settings) as server:
            yield server


@contextmanager
def turnwise(
    upstream: Server,
    *,
    source: Path = SOURCE,
    options: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    folder: Path | None = None,
    command: str = "serve",
    is_keyed: bool = False,
) -> Iterator[Server]:
    """turnwise as it is installed by default, with all names of models answered by that upstream.

    `source` is the folder that holds the package, `folder` its data, which are kept if they are given. `is_keyed`:
    whether it asks for a key, which callers have.
    """
    with tempfile.TemporaryDirectory() as fresh:
        data = folder or Path(fresh)
        config = Path(fresh, "bench.toml")
        config.write_text(f'[models."*"]\nengine = "openai"\nbase_url = "{upstream.url}/v1"\n')
        arguments = ["-m", "turnwise", command, "--port", "0", "--data-dir", str(data), "--config", str(config)]
        name = "turnwise" if source == SOURCE else f"turnwise of {source.parent.name}"
        environment = {"PYTHONPATH": str(source), **(settings or {})}
        headers = {"x-goog-api-key": _new_key(data, environment)} if is_keyed else {}
        with started(name, [*arguments, *options], environment, "turnwise ready at ", headers=headers) as server:
            yield server


@contextmanager
def beside_floor(sources: Sequence[Path]) -> Iterator[list[Server]]:
    """The floor, and turnwise from each of these folders, which asks for keys, all with one upstream."""
    with ExitStack() as stack:
        model = stack.enter_context(upstream())
        servers = [stack.enter_context(floor(model))]
        for source in sources:
            servers.append(stack.enter_context(turnwise(model, source=source.absolute(), is_keyed=True)))
        yield servers


def _new_key(data: Path, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "turnwise", "keys", "create", "--data-dir", str(data)]
    said = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return said.stdout.split()[-1]


@contextmanager
def asgi(name: str, settings: Mapping[str, str]) -> Iterator[Server]:
    """A program of this folder, served as turnwise is."""
    command = ["-m", "uvicorn", "--app-dir", str(HERE), f"{name}:app", "--port", "0", "--loop", "uvloop"]
    command += ["--http", "httptools", "--no-access-log", "--timeout-keep-alive", "300", "--backlog", "4096"]
    command += ["--no-server-header", "--no-proxy-headers"]
    with started(name, command, settings, "Uvicorn running on ") as server:
        yield server


@contextmanager
def started(
    name: str,
    arguments: Sequence[str],
    settings: Mapping[str, str],
    sign: str,
    *,
    python: str = sys.executable,
    **fields: Any,
) -> Iterator[Server]:
    """A process that has said that it is ready, with its address behind it."""
    with process(name, arguments, settings, python=python) as (pid, output):
        yield Server(name, output.read_to(sign).split()[0], (pid,), **fields)


class Output:
    """What a process says, which is read as it comes, so that it never waits for a reader."""

    def __init__(self, name: str, running: "subprocess.Popen[str]") -> None:
        self._name = name
        self._running = running
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._said = ""
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self._running.stdout is not None
        with self._running.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def close(self) -> None:
        """Wait for the last words of a process that has ended."""
        self._listening.join(PATIENCE)

    def read_to(self, sign: str) -> str:
        """Wait for a line that holds the sign. Returns what stands behind it.

        Raises:
            SystemExit: the process ended without it, or said nothing more for a minute.
        """
        try:
            while line := self._lines.get(timeout=PATIENCE):
                self._said += line
                if sign in line:
                    return line.partition(sign)[2]
        except Empty:
            pass
        raise self.failed()

    def has_ended(self) -> bool:
        """Whether the process has."""
        return self._running.poll() is not None

    def failed(self) -> SystemExit:
        """What to raise where the process did not start."""
        while not self._lines.empty():
            self._said += self._lines.get()
        return SystemExit(f"{self._name} did not start:\n{self._said}")


@contextmanager
def process(
    name: str, arguments: Sequence[str], settings: Mapping[str, str], *, python: str = sys.executable
) -> Iterator[tuple[int, Output]]:
    """A process of Python, ended behind. Says its number, and what it prints."""
    running = subprocess.Popen(
        [python, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **settings},
    )
    output = Output(name, running)
    try:
        yield running.pid, output
    finally:
        running.terminate()
        try:
            running.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        output.close()
