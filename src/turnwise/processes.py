"""Starting processes so that a task that is cancelled meanwhile neither loses them nor waits for ever; and ending the
own one in time, whatever it waits for.
"""

import asyncio
import logging
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import turnwise

log = logging.getLogger("turnwise")


def end_within(seconds: float) -> None:
    """End this process by force in so many seconds, unless it has ended by itself till then."""
    timer = threading.Timer(seconds, _end_by_force)
    timer.daemon = True
    timer.start()


def _end_by_force() -> None:
    log.error("this process was asked to stop, and did not in time: it is ended")
    os._exit(1)


def import_path() -> str:
    """PYTHONPATH for a process of ours: the folder that turnwise was imported from comes first."""
    ours = str(Path(turnwise.__file__).resolve().parent.parent)
    return os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])


async def start_process(*command: str, **options: Any) -> asyncio.subprocess.Process:
    """Start a process, as `asyncio.create_subprocess_exec` does. A task that is cancelled while it starts ends it with
    all that it has started in its own group: asyncio by itself would end the first of them alone, and wait until the
    others let go of their pipes.

    Raises:
        OSError: it cannot be started.
    """
    starting = asyncio.ensure_future(asyncio.create_subprocess_exec(*command, **options))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.shield(asyncio.ensure_future(_end(starting)))
        raise


async def _end(starting: "asyncio.Future[asyncio.subprocess.Process]") -> None:
    with suppress(OSError):  # it could not even be started
        process = await starting
        _kill(process)
        process._transport.close()  # type: ignore[attr-defined]  # our ends of the pipes, whoever has the others
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
