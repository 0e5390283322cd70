"""A worker: one thread with one SQLite connection, and a queue of calls from the event loop.

The thread takes everything that is queued, has it settled as one group, and wakes the event loop once for
all of it. So the more callers wait, the less each of them costs. What settling means is not decided here:
`sqlite.py` reads each call by itself, and writes a group as one transaction.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, TypeVar

from turnwise.store.errors import StoreClosed

T = TypeVar("T")

Work: TypeAlias = Callable[[sqlite3.Connection], T]

Outcome: TypeAlias = Any
"""What a call returned, or the exception that it raised."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Something to do with the connection, and who waits for it."""

    work: Work[Any]
    future: asyncio.Future[Any]
    durable: bool
    """Whether it must survive the machine losing power, not only this process."""
    single: bool = False
    """Whether all that it changes is changed by one statement."""

    def attempt(self, connection: sqlite3.Connection) -> Outcome:
        # Whatever breaks belongs to the caller who waits on the other side of the thread.
        try:
            return self.work(connection)
        except Exception as error:
            return error


Settle: TypeAlias = Callable[[sqlite3.Connection, Sequence[Call]], Sequence[Outcome]]

Rest: TypeAlias = Callable[[sqlite3.Connection], None]
"""What to do once when nothing has been called for a while, and before the connection is closed."""

QUIET = 1.0
"""Seconds without a call after which it is time for that."""


class Worker:
    """Started where the event loop runs that will call it, and only that loop may call it."""

    def __init__(
        self,
        name: str,
        connection: sqlite3.Connection,
        settle: Settle,
        rest: Rest | None = None,
        turn: AbstractContextManager[Any] | None = None,
    ) -> None:
        """`turn` is waited for before anything is done: what is called meanwhile belongs to the group too."""
        self._turn = turn or nullcontext()
        self._connection = connection
        self._settle = settle
        self._rest = rest
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._stopped: asyncio.Future[None] | None = None
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Work[T], *, durable: bool = True, single: bool = False) -> T:
        """Have the thread do this. What it raises is raised here. A caller that leaves does not stop it."""
        if self._stopped is not None:
            raise StoreClosed
        future: asyncio.Future[T] = self._loop.create_future()
        self._calls.put(Call(work, future, durable, single))
        return await future

    async def stop(self) -> None:
        """Do what is queued, then close the connection and end the thread. Later calls are refused."""
        if self._stopped is None:
            self._stopped = self._loop.create_future()
            self._calls.put(None)
        await asyncio.shield(self._stopped)
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._serve(self._first()):
                pass
            self._pause()
        finally:
            self._connection.close()
            self._tell(self._on_stopped)

    def _first(self) -> Call | None:
        """Wait for a call."""
        if self._rest is not None:
            with suppress(Empty):
                return self._calls.get(timeout=QUIET)
            self._pause()
        return self._calls.get()

    def _pause(self) -> None:
        # Nobody waits for it, and what could not be done is done next time.
        if self._rest is not None:
            with suppress(sqlite3.Error, OSError), self._turn:
                self._rest(self._connection)

    def _serve(self, first: Call | None) -> bool:
        """Settle a call and all that are there by the time of its turn. False: they held the stop, which is always the
        last."""
        taken, calls = [first], [first] if first is not None else []
        outcomes: Sequence[Outcome]
        try:
            with self._turn:
                taken += [self._calls.get() for _ in range(self._calls.qsize())]
                calls = [call for call in taken if call is not None]
                outcomes = self._settle(self._connection, calls) if calls else ()
        except Exception as error:
            # The turn or the connection itself broke, as on a full disk. The callers are told, and the thread lives on.
            outcomes = [error] * len(calls)
        if calls:
            self._tell(lambda: _resolve(calls, outcomes))
        return len(calls) == len(taken)

    def _tell(self, news: Callable[[], None]) -> None:
        # A loop that was closed without closing the store has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(news)

    def _on_stopped(self) -> None:
        assert self._stopped is not None
        if not self._stopped.done():
            self._stopped.set_result(None)


def _resolve(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> None:
    for call, outcome in zip(calls, outcomes, strict=True):
        if call.future.done():
            continue  # its caller was cancelled
        if isinstance(outcome, Exception):
            call.future.set_exception(outcome)
        else:
            call.future.set_result(outcome)
