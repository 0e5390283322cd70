"""Monty in a process of its own: an interpreter of Python's language that can do nothing but compute.

It is not Python: it has no classes of the system, no files but those that are kept in memory for it, no packages, and
not all of the language. It needs nothing of the machine, so it is what code runs in where bubblewrap cannot be.
"""

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

import turnwise
from turnwise.tools.code_execution.process import SandboxProcess
from turnwise.tools.code_execution.sandbox import MIB, Bounds, Broken, Running

PASSED_ON = ("SYSTEMROOT", "TZ")
"""What the process is told of our environment. Keys are in others of its variables."""

PROCESS_MIB = 512
"""What the processes take of the address space beside what the code does."""

_WORKER = "turnwise.tools.code_execution.inside.monty_worker"


class Monty:
    """Sandboxes of Monty. It is a `Sandbox`."""

    name = "monty"

    abilities = (
        "a small interpreter of Python: functions, simple classes, comprehensions, f-strings, async, and of the"
        " standard library only asyncio, base64, bisect, collections, copy, csv, dataclasses, datetime, decimal,"
        " functools, hashlib, itertools, json, math, pathlib, random, re, time and typing. There are no other modules"
        " (no NumPy, pandas or Matplotlib), no inheritance, properties, generators (yield) or input, and no network."
        " Files written into the working directory are handed over."
    )

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    async def start(self) -> Running:
        """A new one. See `Sandbox`."""
        if importlib.util.find_spec("pydantic_monty") is None:
            raise Broken("pydantic-monty is not installed; run: pip install 'turnwise[tools]'")
        folder = Path(tempfile.mkdtemp(prefix="turnwise-code-"))
        orders = {
            "seconds": self._bounds.seconds,
            "memory": self._bounds.memory_mib * MIB,
            "address_space": PROCESS_MIB * MIB,
            "disk": min(self._bounds.disk_mib, self._bounds.memory_mib // 4) * MIB,
            "entries": self._bounds.entries,
        }
        command = (sys.executable, "-P", "-m", _WORKER)
        return await SandboxProcess.start(command, _environment(folder), self._bounds, orders, folder=folder)


def _environment(folder: Path) -> dict[str, str]:
    """What the process knows of where it is: how to import us and to find Monty, and little else."""
    ours = str(Path(turnwise.__file__).resolve().parent.parent)
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "PYTHONPATH": os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(folder),
    }
