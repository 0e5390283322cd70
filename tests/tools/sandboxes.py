"""The sandboxes of this machine, for tests."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from turnwise.tools.code_execution.bubblewrap import Bubblewrap
from turnwise.tools.code_execution.monty import Monty
from turnwise.tools.code_execution.sandbox import Bounds, Broken, Ran, Sandbox

SMALL = Bounds(seconds=3.0, memory_mib=256, disk_mib=16, entries=500)

KINDS = ["monty", "bubblewrap"]


def sandbox(kind: str, bounds: Bounds = SMALL) -> Sandbox:
    """A sandbox of this kind, or the test is skipped, and says why."""
    if kind == "monty":
        return Monty(bounds)
    if (reason := why_not()) is not None:
        pytest.skip(f"bubblewrap: {reason}")
    return Bubblewrap(bounds)


@cache
def why_not() -> str | None:
    """Why this machine cannot have bubblewrap, if it cannot."""
    try:
        with ThreadPoolExecutor(1) as threads:  # a test that asks has a loop of its own
            threads.submit(asyncio.run, Bubblewrap(SMALL).probe()).result()
    except Broken as broken:
        return str(broken).strip().rpartition("\n")[2]
    return None


async def run(sandbox: Sandbox, *pieces: str) -> Ran:
    """What came of the last piece, in a sandbox of their own."""
    running = await sandbox.start()
    try:
        for piece in pieces:
            ran = await running.run(piece)
        return ran
    finally:
        await running.end()
