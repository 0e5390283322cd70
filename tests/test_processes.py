"""Processes that are started by a task which is cancelled before they have; and the own one, which ends in time."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support import started_tasks, until, within
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


async def test_what_it_has_started_is_ended_with_it_and_not_waited_for(tmp_path: Path):
    """A child of its own that holds its pipes, and would never let go of them."""
    pid = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid}; wait"
    made = asyncio.create_subprocess_exec

    async def slowly(*command: str, **options: Any) -> asyncio.subprocess.Process:
        process = await made(*command, **options)
        await until(lambda: pid.exists() and pid.read_text().strip())
        return process

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "create_subprocess_exec", slowly)
        starting = asyncio.create_task(start_process("sh", "-c", script, start_new_session=True, **PIPES))
        await until(pid.exists)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(starting)
    await until(lambda: not is_there(int(pid.read_text())))


def is_there(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return False


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


async def test_a_process_that_waits_for_ever_ends_all_the_same():
    script = "import threading; from turnwise.processes import end_within; end_within(0.05); threading.Event().wait()"
    process = await start_process(sys.executable, "-c", script, **PIPES)
    _, err = await within(process.communicate())
    assert process.returncode == 1
    assert b"was asked to stop" in err


async def test_a_process_that_ends_by_itself_is_not_waited_for():
    script = "from turnwise.processes import end_within; end_within(600)"
    process = await start_process(sys.executable, "-c", script, **PIPES)
    assert await within(process.communicate()) == (b"", b"")
    assert process.returncode == 0
