"""A folder of one's own with settings and data, and `python -m turnwise` run in it.

    home = Home(folder)
    home.configure('default_dialect = "steps"')
    async with home.serve() as server:
        ...  # server.url

Nothing of this machine's own settings is seen. Every process is ended by its own id.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .waiting import BOUND

READY = "turnwise ready at "


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """Its one line of complaint."""
        assert self.code != 0, self.out
        assert "Traceback" not in self.err, self.err
        (line,) = self.err.strip().splitlines()
        assert line.startswith("Error: "), line
        return line.removeprefix("Error: ")


class Home:
    """Where a server lives."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        own = {name: value for name, value in os.environ.items() if not name.startswith("TURNWISE_")}
        self.environment = {**own, "TURNWISE_DATA_DIR": str(self.data), **environment}

    def configure(self, toml: str) -> None:
        """Write `turnwise.toml`."""
        (self.folder / "turnwise.toml").write_text(toml)

    def answered_by(self, url: str) -> "Home":
        """Let an upstream answer every name."""
        self.configure(f'[models."*"]\nengine = "openai"\nbase_url = "{url}"\n')
        return self

    async def run(self, *arguments: str, stdin: str = "") -> Finished:
        """Run a command to its end."""
        process = await self._start(*arguments, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(BOUND):
                out, err = await process.communicate(stdin.encode())
        finally:
            await end(process)
        return Finished(process.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def serve(self, *options: str) -> AsyncIterator["Server"]:
        """A server that is ready, at a free port unless the options name one."""
        async with self.starting("serve", *(() if "--port" in options else ("--port", "0")), *options) as server:
            await server.ready()
            yield server

    @asynccontextmanager
    async def starting(self, *arguments: str) -> AsyncIterator["Server"]:
        """A server that need not be ready yet."""
        process = await self._start(*arguments, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.STDOUT)
        server = Server(process)
        try:
            yield server
        finally:
            await server.close()

    async def _start(self, *arguments: str, stdin: int, stderr: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "turnwise", *arguments),
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=self.folder,
            env=self.environment,
        )


class Server:
    """A process that serves, and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._printed = asyncio.Condition()
        self._over = False
        self._reading = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        """Where it is ready."""
        return next(line for line in self.lines if line.startswith(READY)).removeprefix(READY)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    async def ready(self, *, within: float = BOUND) -> None:
        """Wait for the line that says so."""
        await self.prints(lambda line: line.startswith(READY), within=within)

    async def prints(self, is_it: Callable[[str], bool], *, within: float = BOUND) -> None:
        """Wait for such a line."""
        async with asyncio.timeout(within), self._printed:
            await self._printed.wait_for(lambda: self._over or any(map(is_it, self.lines)))
        assert any(map(is_it, self.lines)), f"it ended without a word of that:\n{self.output}"

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and wait until it is gone. Returns its exit code."""
        _signal(self.process, how)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until it is gone, and for its last words. Returns its exit code."""
        async with asyncio.timeout(BOUND):
            code = await self.process.wait()
            await self._reading
        return code

    async def close(self) -> None:
        """End it, however it is."""
        try:
            await end(self.process)
        finally:
            await self._reading

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            await self._tell(line.decode(errors="replace").rstrip())
        await self._tell(None)

    async def _tell(self, line: str | None) -> None:
        async with self._printed:
            if line is None:
                self._over = True
            else:
                self.lines.append(line)
            self._printed.notify_all()


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process, however it is."""
    if process.returncode is None:
        _signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(15):
                await process.wait()
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            await process.wait()
            raise AssertionError("it did not stop when it was asked to") from None


def _signal(process: asyncio.subprocess.Process, how: signal.Signals) -> None:
    # Not `process.send_signal`: it would take the exit code of a process that has just ended from whoever waits for it.
    with suppress(ProcessLookupError):
        os.kill(process.pid, how)
