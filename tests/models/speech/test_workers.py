"""Worker processes: kept warm, killed when they are left, and never waited for without end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from models.prompts import BOUND
from turnwise.domain.errors import ModelFailed, ModelTimeout, ModelUnavailable, RateLimited, Unimplemented
from turnwise.models.speech.workers import Patience, Workers

TESTS = str(Path(__file__).parents[2])

Make = Callable[..., Workers]


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes pools, and closes them behind the test."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([TESTS, *filter(None, [os.environ.get("PYTHONPATH")])]))
    made: list[Workers] = []

    def pool(*, size: int = 1, patience: Patience | None = None, **orders: Any) -> Workers:
        workers = Workers("models.speech.fake_worker", orders, what="the voice", size=size, patience=patience)
        made.append(workers)
        return workers

    yield pool
    for workers in made:
        await workers.close()


async def do(workers: Workers, **job: Any) -> bytes:
    async with asyncio.timeout(BOUND), aclosing(workers.work(job)) as pieces:
        return b"".join([piece async for piece in pieces])


@asynccontextmanager
async def held(workers: Workers) -> AsyncIterator[None]:
    """A job that has begun and does not go on."""
    async with asyncio.timeout(BOUND), aclosing(workers.work({"do": "sleep"})) as pieces:
        assert await anext(pieces) == b"ab"
        yield


def lives(pid: int) -> bool:
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


async def test_one_process_does_one_job_after_another(make: Make) -> None:
    workers = make()
    pid = (await workers.about())["pid"]
    for _ in range(3):
        assert await do(workers, do="speak", pieces=5) == b"ab" * 500
    assert (await workers.about())["pid"] == pid


async def test_a_job_that_failed_is_told_and_the_process_goes_on(make: Make) -> None:
    workers = make()
    pid = (await workers.about())["pid"]
    with pytest.raises(ModelFailed, match="the voice could not speak: cannot say this"):
        await do(workers, do="fail")
    assert await do(workers, do="speak") == b"ab" * 100
    assert lives(pid)


async def test_a_job_that_is_left_costs_the_process_its_life(make: Make) -> None:
    workers = make()
    pid = (await workers.about())["pid"]
    async with held(workers):
        pass
    assert await do(workers, do="speak") == b"ab" * 100
    await workers.close()
    assert not lives(pid)


async def test_a_process_that_falls_silent_is_given_up(make: Make) -> None:
    workers = make(patience=Patience(piece=0.5))
    with pytest.raises(ModelTimeout, match=r"the voice gave no sound for 0\.5 s"):
        await do(workers, do="sleep")
    assert await do(workers, do="speak") == b"ab" * 100


async def test_a_process_that_dies_tells_of_what(make: Make) -> None:
    workers = make()
    with pytest.raises(ModelUnavailable, match=r"the voice went away: its process ended with code 3 \|.*out of memory"):
        await do(workers, do="die")
    assert await do(workers, do="speak") == b"ab" * 100


async def test_who_waits_too_long_for_a_process_is_sent_away(make: Make) -> None:
    workers = make(patience=Patience(turn=0.1))
    async with held(workers):
        with pytest.raises(RateLimited, match="the voice is busy") as refused:
            await do(workers, do="speak")
    assert refused.value.retry_after == 10
    assert await do(workers, do="speak") == b"ab" * 100


async def test_two_processes_work_at_the_same_time(make: Make) -> None:
    workers = make(size=2)
    async with held(workers):
        assert await do(workers, do="speak") == b"ab" * 100


async def test_a_missing_part_is_named_with_its_command(make: Make) -> None:
    workers = make(missing=True)
    await workers.start()  # which does not fail: whoever wants to hear something is told
    with pytest.raises(Unimplemented, match="needs a part: pip install part"):
        await do(workers, do="speak")


async def test_what_cannot_be_set_up_is_told(make: Make) -> None:
    with pytest.raises(ModelFailed, match="the weights cannot be read"):
        await do(make(broken=True), do="speak")


async def test_closing_ends_every_process(make: Make) -> None:
    workers = make(size=2)
    pid = (await workers.about())["pid"]
    await workers.close()
    assert not lives(pid)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="cannot look at another process")
async def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    code = (
        "import asyncio, os\n"
        "from turnwise.models.speech.workers import Workers\n"
        "async def main():\n"
        "    workers = Workers('models.speech.fake_worker', {}, what='x')\n"
        "    print((await workers.about())['pid'], flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": TESTS}
    )
    out, _ = await process.communicate()
    async with asyncio.timeout(BOUND):
        while lives(int(out)):  # noqa: ASYNC110 - it is not our child, and sends no event
            await asyncio.sleep(0.02)
