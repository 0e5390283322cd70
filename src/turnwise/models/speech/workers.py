"""Worker processes, kept warm: who has a job borrows one, and gives it back when the job is done.

A job that is left early, that says nothing for too long, or that breaks the worker costs that process its life, and the
next job gets a new one. Jobs are short (a sentence each), so that a long text does not hold up others.
"""

import asyncio
import json
import logging
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import turnwise
from turnwise.domain.errors import ModelFailed, ModelTimeout, ModelUnavailable, RateLimited, Unimplemented
from turnwise.models.speech.worker import HEADER
from turnwise.processes import start_process

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    ready: float = 60.0
    """Until a process has loaded what it needs."""
    piece: float = 30.0
    """For the next piece of sound."""
    turn: float = 120.0
    """For a process to be free."""


class Workers:
    """The processes of one engine."""

    def __init__(
        self, module: str, orders: Mapping[str, Any], *, what: str, size: int = 2, patience: Patience | None = None
    ) -> None:
        """`module` is run as each process's program, and told the `orders`. `what` it is called in errors."""
        self._module = module
        self._orders = dict(orders)
        self._what = what
        self._patience = patience or Patience()
        self._free = asyncio.Semaphore(size)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._warming: asyncio.Task[None] | None = None
        self._about: dict[str, Any] | None = None

    async def start(self) -> None:
        """Begin to have one process ready."""
        self._warming = asyncio.create_task(self._warm(), name=f"{self._what} warms up")

    async def about(self) -> dict[str, Any]:
        """What the engine says of itself.

        Raises:
            Unimplemented: a part that it needs is not installed.
            ModelFailed: it cannot be started.
        """
        if self._about is None:
            await self._borrow_and_return()
        assert self._about is not None
        return self._about

    async def work(self, job: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """The sound of a job, as it is made.

        Raises:
            RateLimited: all processes were busy for too long.
            ModelTimeout: it fell silent.
            ModelFailed: it could not do it.
        """
        worker = await self._borrow()
        done = False
        try:
            await worker.order(job)
            while True:
                kind, data = await self._next(worker)
                if kind != b"s":
                    break
                yield data
            done = True
            if kind == b"x":
                raise ModelFailed(f"{self._what} could not speak: {json.loads(data)['error']}")
        finally:
            self._give_back(worker, whole=done)

    async def close(self) -> None:
        """End every process."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        self._idle.clear()
        for worker in [*self._all]:
            self._drop(worker)
        if self._ending:
            await asyncio.wait(self._ending)

    async def _warm(self) -> None:
        try:
            await self._borrow_and_return()
        except (Unimplemented, ModelFailed, RateLimited) as error:
            log.info("%s is not ready: %s", self._what, error)  # who wants to use it is told so then

    async def _borrow_and_return(self) -> None:
        self._give_back(await self._borrow(), whole=True)

    async def _borrow(self) -> "_Worker":
        try:
            async with asyncio.timeout(self._patience.turn):
                await self._free.acquire()
        except TimeoutError as error:
            raise RateLimited(f"{self._what} is busy with other texts: come back later", retry_after=10) from error
        try:
            while self._idle:
                worker = self._idle.pop()
                if worker.lives:
                    return worker
                self._drop(worker)
            return await self._spawn()
        except BaseException:
            self._free.release()
            raise

    def _give_back(self, worker: "_Worker", *, whole: bool) -> None:
        if whole and worker.lives:
            self._idle.append(worker)
        else:
            self._drop(worker)
        self._free.release()

    def _drop(self, worker: "_Worker") -> None:
        """End a process, without waiting until it has."""
        worker.kill()
        self._all.discard(worker)
        ending = asyncio.create_task(worker.ended(), name=f"{self._what}: the end of a process")
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _spawn(self) -> "_Worker":
        try:
            worker = await _Worker.start(self._module)
        except OSError as error:
            raise ModelUnavailable(f"{self._what}: its process cannot be started: {error}") from error
        self._all.add(worker)
        try:
            await worker.order(self._orders)
            kind, data = await self._next(worker, self._patience.ready)
            if kind == b"f":
                answer = json.loads(data)
                raise (Unimplemented if answer["missing"] else ModelFailed)(answer["error"])
            self._about = json.loads(data)
        except BaseException:
            self._drop(worker)
            raise
        return worker

    async def _next(self, worker: "_Worker", seconds: float | None = None) -> tuple[bytes, bytes]:
        seconds = self._patience.piece if seconds is None else seconds
        try:
            async with asyncio.timeout(seconds):
                return await worker.frame()
        except TimeoutError as error:
            raise ModelTimeout(f"{self._what} gave no sound for {seconds:g} s") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ModelUnavailable(f"{self._what} went away: {await worker.obituary()}") from error


class _Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._last_words: deque[str] = deque(maxlen=5)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, module: str) -> "_Worker":
        return cls(
            await start_process(
                *(sys.executable, "-P", "-m", module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": _import_path()},
                start_new_session=True,  # a Ctrl-C is meant for us: we still have turns to end
            )
        )

    @property
    def lives(self) -> bool:
        return self._process.returncode is None

    async def order(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(ConnectionError):  # that it is gone is seen when nothing comes
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()

    async def frame(self) -> tuple[bytes, bytes]:
        assert self._process.stdout is not None
        kind, length = HEADER.unpack(await self._process.stdout.readexactly(HEADER.size))
        return kind, await self._process.stdout.readexactly(length)

    async def obituary(self) -> str:
        """What it died of, as far as can be told."""
        code = await self._process.wait()
        await self._listening
        return " | ".join([f"its process ended with code {code}", *self._last_words])[-500:]

    def kill(self) -> None:
        if self.lives:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def ended(self) -> None:
        """Wait until it has."""
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        """Read what it prints, so that it can go on printing."""
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._last_words.append(line.decode(errors="replace").rstrip())


def _import_path() -> str:
    """PYTHONPATH for a worker: the folder that turnwise was imported from comes first."""
    ours = str(Path(turnwise.__file__).resolve().parent.parent)
    return os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
