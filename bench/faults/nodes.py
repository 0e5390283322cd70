"""The processes that a run is made of: started, ready when they say so, and ended by their own id."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]

PATIENCE = 60.0
"""Seconds for a process to be ready, or to end."""


class Node:
    """A process that can be killed and started again, and has the same address each time."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        sign: str,
        folder: Path,
        url: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`sign`: what it prints when it is ready. What it prints goes into a file of `folder` that has its name."""
        self.name = name
        self.url = url
        self.log = folder / f"{name}.log"
        self._command = command
        self._sign = sign.encode()
        own = {key: value for key, value in os.environ.items() if not key.startswith("TURNWISE_")}
        self._environment = {**own, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, and wait until it is ready.

        Raises:
            RuntimeError: it ended, or took too long.
        """
        self._ready = asyncio.Event()
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env=self._environment,
        )
        self._reading = asyncio.create_task(self._read(self._process))
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, self._reading}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not self._ready.is_set():
            raise RuntimeError(f"{self.name} did not start; its log is {self.log}")

    async def kill(self) -> None:
        """End it as a crash does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        await self._end(signal.SIGTERM)

    async def close(self) -> None:
        """See to it that it is gone."""
        if self._process is not None and self._process.returncode is None:
            try:
                await self.stop()
            except TimeoutError:
                await self.kill()

    async def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        assert self._reading is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, how)
        async with asyncio.timeout(PATIENCE):
            await self._process.wait()
        await self._reading

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with self.log.open("ab") as log:
            async for line in process.stdout:
                log.write(line)
                log.flush()
                if self._sign in line:
                    self._ready.set()


def turnwise(*arguments: str) -> list[str]:
    """The command line of turnwise, as this Python has it."""
    return [sys.executable, "-m", "turnwise", *arguments]


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
