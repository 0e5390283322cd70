"""Embedded engines that several processes share: one loads them, and lends them to the others.

Were each to load its own, a model would be in memory as many times, their threads would stand in one another's way, and
a conversation that comes back by another process would be read anew. So the parent of these processes has the children
that llama.cpp runs in, and lends them:

    lender -> a socket that only we can enter
    process -> lender  {"path": ..., "projector": ..., "options": ...}     what is to be loaded
    process <- lender  {"socket": ..., "key": ..., "pid": ...}             where it answers now, or {"error": ...}
    process <- lender  {"died": ...}                                       when it is gone

Who asks for the same gets the same. The connection is kept as long as the engine is wanted: when nobody wants it any
more, it ends. Turns go past the lender, straight to the engine.
"""

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from turnwise.domain.errors import ModelUnavailable
from turnwise.models.embedded import Spawn
from turnwise.models.embedded_child import CONNECTIONS, Child, EngineOptions, Explained, Load, private_folder

log = logging.getLogger(__name__)

KILL = b"kill\n"
"""What a borrower says of an engine that does not answer any more."""

NOT_LENT = "the embedded engine is not lent any more"

FEWEST = 4
"""How many connections a borrower may have at the least."""


@dataclass(slots=True, eq=False)
class _Loan:
    """An engine that is lent."""

    child: "asyncio.Future[Child]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Not done while it loads."""
    died: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """What it died of."""
    borrowers: int = 0


class Lender:
    """Has engines, and lends them."""

    def __init__(self, borrowers: int) -> None:
        """So many processes will borrow; each has its share of an engine's connections."""
        self._connections = max(FEWEST, CONNECTIONS // borrowers)
        self._loans: dict[str, _Loan] = {}
        self._lives: dict[_Loan, asyncio.Task[None]] = {}
        self._lending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Lend as long as the block lasts, and end all engines behind it. Gives the path of the socket."""
        folder = private_folder()
        try:
            server = await asyncio.start_unix_server(self._lend, folder / "lender.sock")
            try:
                yield str(folder / "lender.sock")
            finally:
                server.close()
                lending = list(self._lending)
                for task in lending:
                    task.cancel()
                await asyncio.gather(*lending, return_exceptions=True)
                await asyncio.gather(*self._lives.values(), return_exceptions=True)  # nobody wants them any more
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _lend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lending.add(task)
        try:
            wanted = await reader.readline()
            if wanted:
                await self._lend_to(reader, writer, wanted.decode())
        except (ConnectionError, asyncio.CancelledError):
            pass  # the borrower has gone, or all is being stopped
        finally:
            self._lending.discard(task)
            writer.close()

    async def _lend_to(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wanted: str) -> None:
        loan = self._borrow(wanted)
        leaving = asyncio.ensure_future(reader.readline())
        try:
            try:
                await _first(loan.child, leaving)
                if leaving.done():
                    return
                _say(writer, _whereabouts(loan.child.result(), self._connections))
            except ModelUnavailable as error:
                _say(writer, {"error": error.message, "explained": isinstance(error, Explained)})
                return
            await _first(loan.died, leaving)
            if leaving.done() and leaving.result() == KILL:
                loan.child.result().kill()
                await asyncio.wait({loan.died})
            if loan.died.done():
                _say(writer, {"died": loan.died.result()})
        finally:
            leaving.cancel()
            self._give_back(wanted, loan)

    def _borrow(self, wanted: str) -> _Loan:
        """The engine for this, which is loaded if there is none."""
        loan = self._loans.get(wanted)
        if loan is None:
            loan = self._loans[wanted] = _Loan()
            life = self._lives[loan] = asyncio.create_task(self._live(wanted, loan), name="engine that is lent")
            life.add_done_callback(lambda _: self._lives.pop(loan))
        loan.borrowers += 1
        return loan

    def _give_back(self, wanted: str, loan: _Loan) -> None:
        """Whoever was the last ends it."""
        loan.borrowers -= 1
        if not loan.borrowers:
            self._forget(wanted, loan)
            if loan in self._lives:
                self._lives[loan].cancel()

    def _forget(self, wanted: str, loan: _Loan) -> None:
        """Who asks from now on gets another one."""
        if self._loans.get(wanted) is loan:
            del self._loans[wanted]

    async def _live(self, wanted: str, loan: _Loan) -> None:
        """An engine, from its load to its death."""
        try:
            child = await Child.spawn(_read(wanted))
        except Exception as error:
            if not isinstance(error, ModelUnavailable):
                log.exception("the embedded engine could not be started")
                error = ModelUnavailable(f"the embedded engine could not be started: {error!r}")
            self._forget(wanted, loan)
            loan.child.set_exception(error)
            loan.child.exception()  # it may be that nobody waits any more
            return
        try:
            loan.child.set_result(child)
            epitaph = await child.obituary()
            self._forget(wanted, loan)
            loan.died.set_result(epitaph)
        finally:
            await child.close()


async def _first(one: "asyncio.Future[Any]", other: "asyncio.Future[Any]") -> None:
    """Wait until one of them is done."""
    await asyncio.wait({one, other}, return_when=asyncio.FIRST_COMPLETED)


def _say(writer: asyncio.StreamWriter, what: dict[str, Any]) -> None:
    writer.write(json.dumps(what).encode() + b"\n")


def _whereabouts(child: Child, connections: int) -> dict[str, Any]:
    return {"socket": child.socket, "key": child.key, "pid": child.process.pid, "connections": connections}


def _written(load: Load) -> str:
    """What is to be loaded. How it is asked is the borrower's business."""
    projector = None if load.projector is None else str(load.projector)
    return json.dumps({"path": str(load.path), "projector": projector, "options": asdict(load.options)})


def _read(wanted: str) -> Load:
    raw = json.loads(wanted)
    projector = None if raw["projector"] is None else Path(raw["projector"])
    return Load("lent", Path(raw["path"]), EngineOptions(**raw["options"]), projector=projector, lent=True)


# -- who borrows


def borrowing(lender: str) -> Spawn:
    """How an engine is had that is lent at this socket."""

    async def spawn(load: Load) -> Child:
        try:
            reader, writer = await asyncio.open_unix_connection(lender)
            _say(writer, json.loads(_written(load)))
            told = await reader.readline()
        except OSError as error:
            raise ModelUnavailable(f"the embedded engine cannot be had: {error}") from error
        answer: dict[str, Any] = json.loads(told) if told else {"error": NOT_LENT, "explained": False}
        if "error" in answer:
            writer.close()
            raise (Explained if answer["explained"] else ModelUnavailable)(answer["error"])
        child = BorrowedChild(_Borrowed(answer["pid"], reader, writer), answer["socket"], answer["key"])
        try:
            await child.reach(replace(load, lent=True), answer["connections"])
        except BaseException:
            await child.close()
            raise
        return child

    return spawn


class BorrowedChild(Child):
    """An engine that another process has loaded."""

    def __init__(self, process: "_Borrowed", socket: str, key: str) -> None:
        super().__init__(process, Path(socket).parent)  # type: ignore[arg-type]
        self.key = key

    async def obituary(self) -> str:
        """What it died of, in the lender's words."""
        return await self._child.obituary()

    async def close(self) -> None:
        """Give it back."""
        try:
            if self.model is not None:
                await self.model.close()
        finally:
            await self._child.close()


class _Borrowed:
    """The process of an engine that another process has started, as far as a `ChildProcess` is needed."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self._writer = writer
        self._end = asyncio.create_task(self._hear_of_end(reader), name="engine that is borrowed")

    @property
    def process(self) -> "_Borrowed":
        return self

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self.obituary()

    async def obituary(self) -> str:
        return await asyncio.shield(self._end)

    def kill(self) -> None:
        with suppress(ConnectionError, RuntimeError):
            self._writer.write(KILL)

    async def close(self) -> None:
        self._writer.close()
        self._end.cancel()
        await asyncio.gather(self._end, return_exceptions=True)

    async def _hear_of_end(self, reader: asyncio.StreamReader) -> str:
        with suppress(ConnectionError):
            if told := await reader.readline():
                return str(json.loads(told)["died"])
        return NOT_LENT
