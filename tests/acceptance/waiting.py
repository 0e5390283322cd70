"""Waiting for what other processes do. Every wait is bounded."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

BOUND = 60.0
"""No wait is longer, in seconds, even on a busy machine."""


async def until(holds: Callable[[], Awaitable[bool]], *, within: float = BOUND) -> None:
    """Ask again and again until it holds: for what tells nobody when it happens."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110  (another process sets no event of ours)
            await asyncio.sleep(0.02)


def descendants(pid: int) -> set[int]:
    """The processes that this one started, and those that they started."""
    parents = {int(entry.name): parent for entry in Path("/proc").glob("[0-9]*") if (parent := _parent(entry))}
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def is_there(pid: int) -> bool:
    """Whether a process has not ended yet."""
    return Path(f"/proc/{pid}").exists()


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it is gone
        return None


async def gone(pid: int) -> None:
    """Wait until a process that need not be a child of ours has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(handle, lambda: ended.done() or ended.set_result(None))
    try:
        async with asyncio.timeout(BOUND):
            await ended
    finally:
        loop.remove_reader(handle)
        os.close(handle)
