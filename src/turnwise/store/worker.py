"""A worker: one thread with one SQLite connection, and a queue of calls from the event loop.

The thread takes everything that is queued, has it settled as one group, and wakes the event loop once for
all of it. So the more callers wait, the less each of them costs. What settling means is not decided here:
`sqlite.py` reads each call by itself, and writes a group as one transaction.

What has to be on the disk before its caller is told is synced by a second thread. While it waits for the disk, the
first one goes on with what need not wait: the words of a thousand streams are not late because another one has ended.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Literal, TypeAlias, TypeVar

from turnwise.store.errors import StoreClosed

log = logging.getLogger("turnwise.store")

T = TypeVar("T")

Work: TypeAlias = Callable[[sqlite3.Connection], T]

Outcome: TypeAlias = Any
"""What a call returned, or the exception that it raised."""


Sync: TypeAlias = Literal["first", "behind", "sometime"]
"""When what a call changes is on the disk, where it survives the machine losing power and not only this process: before
its caller is told, in the next moment, or when something else is."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Something to do with the connection, and who waits for it."""

    work: Work[Any]
    future: asyncio.Future[Any]
    sync: Sync = "first"
    single: bool = False
    """Whether all that it changes is changed by one statement."""

    def attempt(self, connection: sqlite3.Connection) -> Outcome:
        # Whatever breaks belongs to the caller who waits on the other side of the thread.
        try:
            return self.work(connection)
        except Exception as error:
            return error


Settled: TypeAlias = Sequence[tuple[Call, Outcome]]

Settle: TypeAlias = Callable[[sqlite3.Connection, Sequence[Call]], Sequence[Outcome]]

Rest: TypeAlias = Callable[[sqlite3.Connection], None]
"""What to do when nobody waits for it."""

QUIET = 1.0
"""Seconds without a call after which it is time for that."""

MOMENT = 0.002
"""How long, in seconds, a sync is put off that nobody waits for, unless something is called before: whoever was told
goes on meanwhile, and need not share the interpreter with the thread that syncs."""


class Worker:
    """Started where the event loop runs that will call it, and only that loop may call it."""

    def __init__(
        self,
        name: str,
        connection: sqlite3.Connection,
        settle: Settle,
        behind: Rest | None = None,
        rest: Rest | None = None,
        turn: AbstractContextManager[Any] | None = None,
        sync: Callable[[], None] | None = None,
    ) -> None:
        """`behind` is done behind each group, when its callers have been told, and sees to its own errors; `rest` once
        when nothing has been called for a while, and before the connection is closed. `turn` is waited for before
        anything is done: what is called meanwhile belongs to the group too. `sync` has what was settled survive the
        machine losing power."""
        self._turn = turn or nullcontext()
        self._connection = connection
        self._settle = settle
        self._behind = behind
        self._rest = rest
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._stopped: asyncio.Future[None] | None = None
        self._syncs = None if sync is None else _Syncs(f"{name}-syncs", sync, self._tell)
        self._owes_sync = False
        """Whether a sync was put off."""
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Work[T], *, sync: Sync = "first", single: bool = False) -> T:
        """Have the thread do this. What it raises is raised here. A caller that leaves does not stop it."""
        if self._stopped is not None:
            raise StoreClosed
        future: asyncio.Future[T] = self._loop.create_future()
        self._calls.put(Call(work, future, sync, single))
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
            if self._owes_sync:
                self._sync()
            self._pause()
        finally:
            if self._syncs is not None:
                self._syncs.close()
            self._connection.close()
            self._tell(self._on_stopped)

    def _first(self) -> Call | None:
        """Wait for a call."""
        if self._owes_sync:
            try:
                return self._calls.get(timeout=MOMENT)
            except Empty:
                pass
            finally:
                self._sync()
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
            self._tell_all([*zip(calls, outcomes, strict=True)])
            if self._behind is not None:
                self._behind(self._connection)
        return len(calls) == len(taken)

    def _tell_all(self, settled: Settled) -> None:
        """Tell the callers of a group; those who wait for the disk, when it has what they changed."""
        if self._syncs is None:
            self._tell(partial(_resolve, settled))
            return
        told: list[tuple[Call, Outcome]] = []
        waiting: list[tuple[Call, Outcome]] = []
        for call, outcome in settled:
            waits = call.sync == "first" and not isinstance(outcome, Exception)
            (waiting if waits else told).append((call, outcome))
        if told:
            self._tell(partial(_resolve, told))
        if waiting:
            self._sync(waiting)
        else:
            self._owes_sync = any(call.sync == "behind" for call, _ in told)

    def _sync(self, waiting: Settled = ()) -> None:
        """Have synced all that was settled, for those who wait or because it was put off."""
        assert self._syncs is not None
        self._owes_sync = False
        self._syncs.wait_for(waiting)

    def _tell(self, news: Callable[[], None]) -> None:
        # A loop that was closed without closing the store has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(news)

    def _on_stopped(self) -> None:
        assert self._stopped is not None
        if not self._stopped.done():
            self._stopped.set_result(None)


class _Syncs:
    """A thread that has what was settled synced, for all who wait by then, and has them told."""

    def __init__(self, name: str, sync: Callable[[], None], tell: Callable[[Callable[[], None]], None]) -> None:
        self._sync = sync
        self._tell = tell
        self._waiting: SimpleQueue[Settled | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wait_for(self, settled: Settled) -> None:
        """Calls that were settled, to be told behind the next sync. There may be none who waits for it."""
        self._waiting.put(settled)

    def close(self) -> None:
        """Have all told who wait, and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while self._serve(self._waiting.get()):
            pass  # and nothing is held of what was served

    def _serve(self, first: Settled | None) -> bool:
        """Sync once for all who wait by now. False: there is nobody behind them."""
        taken = [first, *(self._waiting.get() for _ in range(self._waiting.qsize()))]
        groups = [group for group in taken if group is not None]
        if groups:
            self._tell(partial(_resolve, self._synced([*chain.from_iterable(groups)])))
        return len(groups) == len(taken)

    def _synced(self, settled: Settled) -> Settled:
        try:
            self._sync()
        except OSError as error:
            # It may have been kept all the same. Nobody can say, and so nobody is told that it was.
            log.exception("what was kept could not be synced to the disk")
            return [(call, error) for call, _ in settled]
        return settled


def _resolve(settled: Settled) -> None:
    """Tell callers, within the event loop."""
    for call, outcome in settled:
        if call.future.done():
            continue  # its caller was cancelled
        if isinstance(outcome, Exception):
            call.future.set_exception(outcome)
        else:
            call.future.set_result(outcome)
