"""The server under test as a real process: started, awaited by the line it prints once ready, and ended by its pid."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEFAULT_MODEL, UPSTREAM = "default", "upstream"
MODELS = (DEFAULT_MODEL, UPSTREAM)
"""What may answer behind a server under test: the model in the package, or one behind chat completions."""

READY = "turnwise ready at "
START_TIMEOUT = 120
STOP_TIMEOUT = 30


class ServerFailed(Exception):
    """The server did not become ready; the message holds what it printed."""


@contextmanager
def serve(data_dir: Path, models_dir: Path, *options: str) -> Iterator[str]:
    """Run `turnwise serve`, with more options if need be, for as long as the block lasts; gives its address."""
    process, output = launch(free_port(), data_dir, models_dir, *options)
    try:
        yield output.address()
    finally:
        end(process)


def launch(port: int, data_dir: Path, models_dir: Path, *options: str) -> tuple[subprocess.Popen[str], "Output"]:
    """A server that has been started and may not be ready yet, and what it prints."""
    command = [sys.executable, "-m", "turnwise", "serve", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--data-dir", str(data_dir), *options],
        env=server_settings(models_dir),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    return process, Output(process)


class Output:
    """What the server prints, read by a thread so that its pipe never fills, and the address in its ready line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._ready_or_over = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with self._process.stdout as lines:
            for line in lines:
                self._lines.append(line)
                if line.startswith(READY):
                    self._ready_or_over.set()
        self._ready_or_over.set()

    def address(self) -> str:
        """The server's address, once it can answer."""
        self._ready_or_over.wait(START_TIMEOUT)
        for line in self._lines:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
        raise ServerFailed(f"the server was not ready within {START_TIMEOUT} s; it printed:\n{''.join(self._lines)}")


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_settings(models_dir: Path) -> dict[str, str]:
    """The server's environment: no setting of this machine's own, and one models folder for every data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TURNWISE_")}
    return kept | {"TURNWISE_MODELS_DIR": str(models_dir), "PYTHONUNBUFFERED": "1"}
