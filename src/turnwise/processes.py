"""Starting processes so that a task that is cancelled meanwhile neither loses them nor waits for ever."""

import asyncio
from contextlib import suppress
from typing import Any


async def start_process(*command: str, **options: Any) -> asyncio.subprocess.Process:
    """Start a process, as `asyncio.create_subprocess_exec` does. A task that is cancelled while it starts ends it, and
    waits until nothing of it is left: asyncio's own clean-up may wait for ever there (seen with CPython 3.11.7).

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
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
