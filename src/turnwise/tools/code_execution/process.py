"""A process in which code of a model's runs, as we see it from outside: told what to run, listened to, ended.

How it is spoken with is in `inside/answers.py`. What it says may come from the code, so that nothing in it is believed
but what the code may say of itself: it is bounded before it is kept, and checked before it is used.
"""

import asyncio
import json
import logging
import os
import re
import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.processes import start_process
from turnwise.tools.code_execution.inside.answers import LONGEST_LINE, MOST_BYTES, MOST_FILES
from turnwise.tools.code_execution.kinds import kind_of
from turnwise.tools.code_execution.sandbox import Bounds, Broken, Ran
from turnwise.tools.tool import Made

log = logging.getLogger("turnwise.tools")

LONGEST_OUTPUT = 4 * 2**20
"""In bytes: code that prints more is ended."""
SHOWN_FIRST, SHOWN_LAST = 12_000, 8_000
"""How many letters of a long output are shown, of its beginning and of its end."""
STARTING = 30.0
"""In seconds: longer no sandbox takes to start."""
LONGEST_NAME = 200

_CHUNK = 64 * 2**10
_LAST_WORDS = 2000
_BY_A_SIGNAL = 128
"""bubblewrap says so that what it ran was ended by a signal, whose number it adds."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


class _Said(BaseModel):
    """What a process says of a piece of code, when it has ended."""

    model_config = ConfigDict(extra="forbid", strict=True)

    is_error: bool
    files: Annotated[list[tuple[str, Annotated[int, Field(ge=0, le=MOST_BYTES)]]], Field(max_length=MOST_FILES)]
    kept: Annotated[list[str], Field(max_length=20)]


class _Stopped(Exception):
    """The code cannot go on, and why."""


class SandboxProcess:
    """A process that runs code. It is a `Running`."""

    def __init__(self, process: asyncio.subprocess.Process, bounds: Bounds, pauses: bool, folder: Path | None) -> None:
        self._process = process
        self._bounds = bounds
        self._pauses = pauses
        self._folder = folder
        self._heard = bytearray()
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        bounds: Bounds,
        orders: Mapping[str, Any],
        *,
        pauses: bool = False,
        folder: Path | None = None,
    ) -> "SandboxProcess":
        """A new one, which has said that it is ready.

        `orders`: what it is told first. `pauses`: whether it stands still between pieces of code, so that nothing that
        the code left runs on. `folder`: where it stands; it is removed at the end.

        Raises:
            Broken: it does not start.
        """
        try:
            process = await start_process(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(environment),
                cwd=folder or "/",
                start_new_session=True,  # so that all of it can be stopped and ended together
            )
        except BaseException as error:  # also when nobody wants it any more
            _remove(folder)
            if isinstance(error, OSError):
                raise Broken(f"{command[0]}: {error.strerror}") from None
            raise
        sandbox = cls(process, bounds, pauses, folder)
        try:
            async with asyncio.timeout(STARTING):
                await sandbox._do({"bounds": dict(orders)}, bytearray())
        except TimeoutError:
            await sandbox.end()
            raise Broken(f"it did not start within {STARTING:g} s") from None
        except _Stopped:
            await sandbox.end()
            raise Broken(sandbox._words() or f"it ended with code {process.returncode}") from None
        except BaseException:
            sandbox._kill()
            raise
        sandbox._pause()
        return sandbox

    async def run(self, code: str) -> Ran:
        """Run a piece. See `Running`."""
        output = bytearray()
        self._go_on()
        try:
            async with asyncio.timeout(self._bounds.seconds):
                said, made = await self._do({"code": code}, output)
        except TimeoutError:
            why = f"the code ran for more than {self._bounds.seconds:g} s and was stopped"
            return await self._lose(output, why)
        except _Stopped as stopped:
            return await self._lose(output, str(stopped))
        except BaseException:  # also when nobody wants the answer any more
            self._kill()
            raise
        self._pause()
        return Ran(as_text(output), said.is_error, made, [clean_name(name) for name in said.kept])

    async def end(self) -> None:
        """End it, at once, and wait until nothing of it is left."""
        self._kill()
        assert self._ending is not None
        await asyncio.shield(self._ending)

    def _kill(self) -> None:
        """End it and all that it started, by their group, which they cannot leave."""
        if self._ending is None:
            self._signal("SIGKILL")
            self._ending = asyncio.create_task(self._leave())

    def _pause(self) -> None:
        if self._pauses:
            self._signal("SIGSTOP")

    def _go_on(self) -> None:
        if self._pauses:
            self._signal("SIGCONT")

    def _signal(self, name: str) -> None:
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, getattr(signal, name))
            else:
                self._process.kill()

    async def _leave(self) -> None:
        """Wait until nothing is left of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        while await self._process.stdout.read(_CHUNK):
            pass  # nobody wants to know it, but the process is not waited for to the end as long as it was not read
        await self._process.wait()
        await self._listening
        await asyncio.to_thread(_remove, self._folder)

    # -- what is said

    async def _do(self, order: Mapping[str, Any], output: bytearray) -> tuple[_Said, Sequence[Made]]:
        """Have something done. What is printed meanwhile comes into `output`.

        Raises:
            _Stopped: it cannot be done.
        """
        assert self._process.stdin is not None
        end = secrets.token_hex(16)
        self._process.stdin.write(json.dumps({**order, "end": end}).encode() + b"\n")
        with suppress(ConnectionError):
            await self._process.stdin.drain()
        await self._hear_output(end.encode(), output)
        try:
            said = _Said.model_validate_json(await self._hear_line())
        except ValidationError:
            raise _Stopped("the code broke the process that it ran in") from None
        made, room = [], MOST_BYTES
        for name, size in said.files:
            room -= size
            if room < 0:
                raise _Stopped("the code broke the process that it ran in")
            data = await self._hear_bytes(size)
            made.append(Made(data, kind_of(name, data), clean_name(name)))
        return said, made

    async def _hear_output(self, end: bytes, output: bytearray) -> None:
        """What is printed, up to the letters that end it, or until nobody waits any longer."""
        try:
            while (place := self._heard.find(end)) < 0:
                self._move(len(self._heard) - len(end), output)
                if len(output) > LONGEST_OUTPUT:
                    raise _Stopped(f"the code printed more than {LONGEST_OUTPUT // 2**20} MiB and was stopped")
                await self._hear()
        except BaseException:
            self._move(len(self._heard), output)
            raise
        self._move(place, output)
        self._take(len(end))

    def _move(self, size: int, output: bytearray) -> None:
        output += self._take(max(0, size))

    async def _hear_line(self) -> bytes:
        while (place := self._heard.find(b"\n")) < 0:
            if len(self._heard) > LONGEST_LINE:
                raise _Stopped("the code broke the process that it ran in")
            await self._hear()
        return self._take(place + 1)

    async def _hear_bytes(self, size: int) -> bytes:
        while len(self._heard) < size:
            await self._hear()
        return self._take(size)

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        heard = await self._process.stdout.read(_CHUNK)
        if not heard:
            raise _Stopped(await self._obituary())
        self._heard += heard

    def _take(self, size: int) -> bytes:
        taken = bytes(self._heard[:size])
        del self._heard[:size]
        return taken

    async def _lose(self, output: bytearray, why: str) -> Ran:
        await self.end()
        return Ran(as_text(output), is_error=True, lost=why)

    async def _obituary(self) -> str:
        """What it died of."""
        code = await self._process.wait()
        await self._listening
        number = -code if code < 0 else code - _BY_A_SIGNAL
        try:
            name = signal.Signals(number).name
        except ValueError:
            log.warning("a sandbox ended with code %s: %s", code, self._words())
            return "the code ended the process that it ran in"
        match name:
            case "SIGKILL":
                return "the code was killed, probably because memory ran out"
            case "SIGXCPU":
                return "the code ran for too long in all and was stopped"
            case _:
                return f"the code crashed the interpreter ({name})"

    def _words(self) -> str:
        return self._last_words.decode(errors="replace").strip()

    async def _listen(self) -> None:
        """Read what it says beside, so that it can go on."""
        assert self._process.stderr is not None
        while words := await self._process.stderr.read(_CHUNK):
            self._last_words = (self._last_words + words)[-_LAST_WORDS:]


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def as_text(output: bytes | bytearray) -> str:
    """What code printed, as text that does nothing but be read, and not too much of it."""
    text = _ESCAPES.sub("", output.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text).rstrip()
    left_out = len(text) - SHOWN_FIRST - SHOWN_LAST
    if left_out <= 0:
        return text
    return f"{text[:SHOWN_FIRST]}\n[... {left_out} characters are left out ...]\n{text[-SHOWN_LAST:]}"


def clean_name(name: str) -> str:
    """The path of a file, as text that does nothing but be read."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", name.replace("\n", " "))[-LONGEST_NAME:]
