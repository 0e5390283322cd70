"""The contract of a sandbox: a place where code of a model's runs, which nothing comes out of but words and files.

Whoever implements it promises that the code reads nothing of this machine's, reaches nothing by network, and takes no
more time, memory, processes and disk than its bounds say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from turnwise.tools.tool import Made

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much code may take."""

    seconds: float = 30.0
    """For one piece."""
    memory_mib: int = 512
    """For everything in a sandbox, libraries among it, beside what it writes into files."""
    disk_mib: int = 128
    """For all of its files. They are kept in memory."""
    entries: int = 4096
    """How many files and folders there may be."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a piece of code."""

    output: str
    """What it printed, and what went wrong."""
    is_error: bool = False
    made: Sequence[Made] = ()
    """The files that it wrote, by their paths in its working directory."""
    kept: Sequence[str] = ()
    """Files that were too large or too many to be handed over."""
    lost: str = ""
    """Why the sandbox is no more, with all that was in it. Empty: it goes on."""


class Running(Protocol):
    """A sandbox that is running, for code of one turn."""

    async def run(self, code: str) -> Ran:
        """Run a piece. It finds the variables and files of the pieces before. Cancelling ends the sandbox."""

    async def end(self) -> None:
        """End it, at once. Nothing of it is left."""


class Sandbox(Protocol):
    """A kind of sandbox."""

    @property
    def name(self) -> str:
        """What the settings call it."""

    @property
    def abilities(self) -> str:
        """What code can do and use in it, in sentences, for models."""

    async def start(self) -> Running:
        """A new one.

        Raises:
            Broken: it cannot be started; the message says why, to whoever runs the server.
        """


class Broken(Exception):
    """A sandbox cannot be had, and why."""
