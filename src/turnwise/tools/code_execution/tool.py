"""The tool `code_execution`: a model writes Python, a sandbox runs it, and the model reads what it printed.

Which sandbox it is, the settings say, or what this machine can; never none. It is started by the first call of a turn
and serves all others of it, one after the other, so that code finds what earlier code left.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeAlias

from turnwise.domain.content import JSON
from turnwise.domain.errors import Unimplemented
from turnwise.domain.steps import ServerTool
from turnwise.domain.tools import CodeExecution, FunctionTool
from turnwise.tools.code_execution.bubblewrap import Bubblewrap
from turnwise.tools.code_execution.monty import Monty
from turnwise.tools.code_execution.sandbox import MIB, Bounds, Broken, Ran, Running, Sandbox
from turnwise.tools.tool import Made, Occasion, Outcome

log = logging.getLogger("turnwise.tools")

Choice: TypeAlias = Literal["auto", "monty", "bubblewrap"]

LONGEST_CODE = 200_000
"""In letters: longer code is not run."""
WAITING = 60.0
"""In seconds: longer no call waits for a sandbox while all are in use."""

_PATH = re.compile(r"(?<![\w.])/[\w./+-]+")


class CodeExecutionTool:
    """The tool. It is a `Tool`."""

    def __init__(self, sandbox: Choice = "auto", bounds: Bounds | None = None, at_once: int = 8) -> None:
        """`at_once`: how many sandboxes there are at once, at the most."""
        self._choice = sandbox
        self._bounds = bounds or Bounds()
        self._free = asyncio.Semaphore(at_once)
        self._choosing = asyncio.Lock()
        self._chosen: Sandbox | None = None
        self._refusal: Broken | None = None
        """Why bubblewrap is not what code runs in."""

    @asynccontextmanager
    async def open(self, declared: CodeExecution, occasion: Occasion) -> AsyncIterator["OpenCodeExecution"]:
        """Make it ready. No sandbox is started yet.

        Raises:
            Unimplemented: the sandbox that is set cannot be had on this machine.
        """
        try:
            sandbox = await self.choose()
        except Broken as broken:
            raise Unimplemented(
                f"{occasion.path}.type: code_execution is set to run in the sandbox '{self._choice}', which this"
                f" machine does not have ({_PATH.sub('(a path)', _last_line(broken))}); 'turnwise doctor' says more"
            ) from None
        opened = OpenCodeExecution(sandbox, self._bounds, self._free)
        try:
            yield opened
        finally:
            await opened.close()

    async def choose(self) -> Sandbox:
        """The sandbox that code runs in. It is found out once.

        Raises:
            Broken: the one that is set cannot be had.
        """
        async with self._choosing:
            if self._chosen is None:
                self._chosen = await self._find()
        return self._chosen

    async def describe(self) -> str:
        """What code runs in, and if that is not bubblewrap, why, for whoever runs the server.

        Raises:
            Broken: the sandbox that is set cannot be had.
        """
        sandbox = await self.choose()
        reason = f"; not bubblewrap: {_last_line(self._refusal)}" if self._refusal is not None else ""
        return f"in {sandbox.name}: {sandbox.abilities.partition('. ')[0]}{reason}"

    async def _find(self) -> Sandbox:
        if self._choice == "monty":
            return await _tried(Monty(self._bounds))
        strong = Bubblewrap(self._bounds)
        try:
            await strong.probe()
        except Broken as broken:
            log.warning("code does not run in bubblewrap: %s", broken)
            if self._choice == "bubblewrap":
                raise
            self._refusal = broken
            return await _tried(Monty(self._bounds))
        return strong


class OpenCodeExecution:
    """The tool in one turn. It is an `OpenTool`."""

    tool: ServerTool = "code_execution"
    is_demanded = False

    def __init__(self, sandbox: Sandbox, bounds: Bounds, free: asyncio.Semaphore) -> None:
        self._sandbox = sandbox
        self._bounds = bounds
        self._free = free
        self._running: Running | None = None
        self._was_lost = False
        self._turn = asyncio.Lock()
        self.functions: Sequence[FunctionTool] = (_function(sandbox, bounds),)

    def shown(self, function: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
        """As clients see a call."""
        return {"code": arguments.get("code", ""), "language": "python"}, {}

    async def call(self, function: str, arguments: Mapping[str, Any], key: str = "") -> Outcome:
        """Run a piece of code. See `OpenTool`."""
        code = arguments["code"]
        if len(code) > LONGEST_CODE:
            return _failure(f"The code was not run: it has more than {LONGEST_CODE} characters.")
        async with self._turn:
            try:
                running = await self._start()
            except TimeoutError:
                return _failure("The code was not run: all sandboxes are in use. Try again in a minute.")
            except Broken as broken:
                log.error("a sandbox could not be started: %s", broken)
                return _failure("The code was not run: the sandbox could not be started. Try again.")
            try:
                ran = await running.run(code)
            except BaseException:
                await self._stop()
                raise
            began_anew, self._was_lost = self._was_lost, bool(ran.lost)
            if ran.lost:
                await self._stop()
        return _outcome(ran, began_anew)

    async def close(self) -> None:
        """End the sandbox, if there is one."""
        await self._stop()

    async def _start(self) -> Running:
        if self._running is None:
            async with asyncio.timeout(WAITING):
                await self._free.acquire()
            try:
                self._running = await self._sandbox.start()
            except BaseException:
                self._free.release()
                raise
        return self._running

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            try:
                await running.end()
            finally:
                self._free.release()


def _function(sandbox: Sandbox, bounds: Bounds) -> FunctionTool:
    return FunctionTool(
        "code_execution",
        "Run Python code and read what it prints. Use it for whatever is better computed than guessed: arithmetic,"
        " counting, dates, statistics, data, puzzles, plots. Print what you want to know; the value of a last"
        " expression is printed if nothing else is. Variables and files stay for the next call. The code runs in a"
        f" sandbox: {sandbox.abilities} It may take {bounds.seconds:g} s and {bounds.memory_mib} MiB of memory.",
        {
            "type": "object",
            "properties": {"code": {"type": "string", "description": "The Python code to run."}},
            "required": ["code"],
        },
    )


def _outcome(ran: Ran, began_anew: bool) -> Outcome:
    parts = ["[This sandbox is a new one: the variables and files of earlier calls are lost.]"] if began_anew else []
    if ran.output:
        parts.append(ran.output)
    if ran.lost:
        parts.append(f"[{ran.lost[0].upper()}{ran.lost[1:]}. The sandbox is gone, with its variables and files.]")
    result = "\n".join(parts)
    files = [f"[File handed over: {file.name}, {_size(len(file.data))}]" for file in ran.made]
    files += [f"[File not handed over, too large or one too many: {name}]" for name in ran.kept]
    told = "\n".join(filter(None, [result or "[The code ran and printed nothing.]", *files]))
    return Outcome(result, told, ran.is_error, made=[_renamed(file) for file in ran.made])


def _failure(words: str) -> Outcome:
    return Outcome(words, words, is_error=True)


def _renamed(file: Made) -> Made:
    """A file under its name alone, without the folders that the code put it into."""
    return Made(file.data, file.mime_type, file.name.rpartition("/")[2])


def _size(bytes: int) -> str:
    return f"{bytes / MIB:.1f} MiB" if bytes >= MIB else f"{bytes} bytes"


def _last_line(broken: Broken) -> str:
    return str(broken).strip().rpartition("\n")[2][:300]


async def _tried(sandbox: Monty) -> Sandbox:
    """A sandbox that was started once.

    Raises:
        Broken: it cannot be.
    """
    await (await sandbox.start()).end()
    return sandbox
