"""A child process of ours, in what all of them have in common: it is started, told things, listened to, and ended.

It runs a module of ours, is told JSON a line at a time, and answers so. It leaves when its stdin ends, and so with us,
however we end. What it prints beside is read, so that it can go on printing; the last of it is told when it dies.
"""

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from turnwise.processes import import_path, start_process

STOPPING = 3.0
"""How long, in seconds, a child may take to leave before it is killed."""

LINE = 64 * 2**10
"""The longest answer, in bytes, of a child that is not said to give longer ones."""

WORDS = 500
"""How much of a dead child's last words is quoted."""


class ChildProcess:
    """A child that was started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._last_words: deque[str] = deque(maxlen=20)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, module: str, *, longest: int = LINE) -> "ChildProcess":
        """A child that runs a module. `longest`: how many bytes an answer of its may have.

        Raises:
            OSError: it cannot be started.
        """
        process = await start_process(
            *(sys.executable, "-P", "-m", module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": import_path()},
            limit=longest,
            start_new_session=True,  # a Ctrl-C is meant for us: we still have turns to end
        )
        return cls(process)

    @property
    def lives(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self.process.returncode is None

    def tell(self, order: dict[str, Any]) -> None:
        """Tell it something. One that is gone hears nothing, which its answers end with too."""
        assert self.process.stdin is not None
        with suppress(ConnectionError, RuntimeError):
            self.process.stdin.write(json.dumps(order).encode() + b"\n")

    async def answer(self, seconds: float) -> dict[str, Any] | None:
        """What it says next. None: it has ended.

        Raises:
            TimeoutError: it says nothing for so long.
        """
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            line = await self.process.stdout.readline()
        return json.loads(line) if line else None

    async def answers(self) -> AsyncGenerator[dict[str, Any], None]:
        """What it says, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            yield json.loads(line)

    async def obituary(self) -> str:
        """What it died of, as far as can be told; it is waited for."""
        code = await self.process.wait()
        await self._listening
        words = " | ".join(self._last_words)[-WORDS:]
        return f"died with code {code}" + (f": {words}" if words else "")

    def kill(self) -> None:
        """End it at once, by its own id, if it has not ended."""
        if self.lives:
            with suppress(ProcessLookupError):
                self.process.kill()

    async def close(self) -> None:
        """Let it go: the end of its stdin tells it to, and one that does not listen is killed."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOPPING):
                    await self.process.wait()
        finally:  # also when nobody has the time to wait
            self.kill()
        await self.process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self._last_words.append(line.decode(errors="replace").rstrip())
