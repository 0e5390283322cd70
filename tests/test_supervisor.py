"""The parent of several processes, in a process of its own here: what it does beside what the acceptance tests see."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from turnwise import supervisor
from turnwise.data import alone_with_children, make_data_dir
from turnwise.http.server import take_port
from turnwise.settings import Settings
from turnwise.supervisor import Supervisor

pytestmark = pytest.mark.skipif(not hasattr(socket, "send_fds"), reason="connections cannot be given away here")

BOUND = 60.0
"""No wait is longer, in seconds, even on a busy machine."""


@pytest.fixture
async def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    """The parent of two processes, which hears of them twice a second."""
    monkeypatch.setattr(supervisor, "BEAT", 0.5)
    monkeypatch.setattr(supervisor, "end_within", lambda _: None)  # it would be the end of all tests
    upstream = {"engine": "openai", "base_url": "http://127.0.0.1:9/v1"}
    settings = Settings(data_dir=tmp_path, processes=2, port=0, models={"*": upstream})
    make_data_dir(settings)
    ready = asyncio.Event()
    with alone_with_children(settings) as inherited:
        parent = Supervisor(
            settings,
            "serve",
            take_port(settings.host, settings.port),
            inherited=inherited,
            engines=str(tmp_path / "engines" / "lender.sock"),
            on_ready=lambda _: ready.set(),
            patience=(BOUND, BOUND),
        )
        running = asyncio.create_task(parent.run())
        try:
            async with asyncio.timeout(BOUND):
                await ready.wait()
                yield parent
        finally:
            parent.stop()
            assert await asyncio.wait_for(running, BOUND)


async def test_one_that_does_not_move_any_more_is_replaced(parent: Supervisor, caplog: pytest.LogCaptureFixture):
    still, other = parent._children[1].process, parent._children[2].process
    os.kill(still.pid, signal.SIGSTOP)
    async with asyncio.timeout(BOUND):
        assert await still.wait() == -signal.SIGKILL
        while 1 not in parent._children or not parent._children[1].is_ready:  # noqa: ASYNC110  (there is no event)
            await asyncio.sleep(0.02)
    assert parent._children[2].process is other
    assert "process 1 has not moved for 3 s: it is killed" in caplog.text


async def test_those_that_move_stay(parent: Supervisor, monkeypatch: pytest.MonkeyPatch):
    before = [child.process.pid for child in parent._children.values()]
    looked = asyncio.Event()
    looks = 0
    look = parent._look

    def count() -> None:
        nonlocal looks
        look()
        looks += 1
        if looks == 3 * supervisor.SILENCE:
            looked.set()

    monkeypatch.setattr(parent, "_look", count)
    await asyncio.wait_for(looked.wait(), BOUND)
    assert [child.process.pid for child in parent._children.values()] == before
