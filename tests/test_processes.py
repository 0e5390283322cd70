"""Processes that are started by a task which is cancelled before they have."""

import asyncio
import sys

import pytest

from support import started_tasks, within
from turnwise.processes import start_process

WAITING = (sys.executable, "-c", "import sys; sys.stdin.read()")
PIPES = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)


async def test_a_process_is_started():
    process = await start_process(sys.executable, "-c", "print(6 * 7)", **PIPES)
    out, _ = await within(process.communicate())
    assert out.split() == [b"42"]


async def test_what_cannot_be_started_is_told():
    with pytest.raises(FileNotFoundError):
        await start_process("/nowhere/to/be/found")


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_at_any_moment_it_leaves_nothing_and_comes_to_an_end(steps: int):
    before = asyncio.all_tasks()
    starting = asyncio.create_task(start_process(*WAITING, **PIPES))
    for _ in range(steps):
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(starting)
    assert started_tasks(before) == []


async def test_cancelled_twice_it_ends_all_the_same():
    before = asyncio.all_tasks()
    starting = asyncio.create_task(start_process(*WAITING, **PIPES))
    for _ in range(2):
        await asyncio.sleep(0)
        starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(starting)
    ending = [task for task in asyncio.all_tasks() - before if task is not starting]
    await within(asyncio.gather(*ending))
    assert started_tasks(before) == []
