"""A person at a terminal: `python -m turnwise` in a pseudo-terminal, what is typed and what is shown."""

import asyncio
import fcntl
import os
import pty
import re
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .home import Home, end
from .waiting import BOUND

CONTROL = re.compile(r"\x1b\[[?0-9;]*[a-zA-Z]|\r")
"""What moves the cursor and changes modes, and shows nothing."""


class Terminal:
    """What was shown so far, and a keyboard."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self._master = master
        self._shown = ""
        self._read_to = 0
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def shows(self, text: str) -> str:
        """Wait until this is shown, behind what was waited for before. Returns what stands between."""
        try:
            async with asyncio.timeout(BOUND):
                while text not in (new := CONTROL.sub("", self._shown)[self._read_to :]):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} was not shown within {BOUND:g} s, but {self._shown!r}") from None
        before = new.partition(text)[0]
        self._read_to += len(before) + len(text)
        return before

    async def ended(self) -> int:
        """Wait until the program is gone. Returns its exit code."""
        async with asyncio.timeout(BOUND):
            return await self.process.wait()

    def _read(self) -> None:
        try:
            self._shown += os.read(self._master, 65536).decode(errors="replace")
        except OSError:  # nobody is at the other end any more
            asyncio.get_running_loop().remove_reader(self._master)
        self._more.set()


@asynccontextmanager
async def open_terminal(home: Home, *arguments: str) -> AsyncIterator[Terminal]:
    """A command with a terminal of its own."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "turnwise", *arguments),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=home.folder,
        env={**home.environment, "TERM": "dumb"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C goes where it goes for a person
    )
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        await end(process)
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
