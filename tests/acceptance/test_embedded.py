"""The default model behind the whole server: it answers, it may die, and it is gone when the server is."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from .client import Client, open_client
from .home import Home, Server
from .waiting import descendants, gone, is_there

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="finds processes as Linux shows them"),
]

LONG = {"generation_config": {"max_output_tokens": 2000, "temperature": 1.0}}


@pytest.fixture
def home(tmp_path: Path, weights: Path) -> Home:
    """A folder with no settings at all."""
    return Home(tmp_path, TURNWISE_MODELS_DIR=str(weights.parent))


@pytest.fixture
async def server(home: Home) -> AsyncIterator[Server]:
    async with home.serve() as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with open_client(server.url) as client:
        yield client


async def test_it_answers_and_remembers_and_need_not_read_it_all_again(client: Client):
    story = "Hi, my name is Phil. " + "I live by the sea, and I like long walks on the beach. " * 12
    first = await client.create(story)
    assert first.text.strip()
    assert first.body["usage"].get("total_cached_tokens", 0) == 0
    second = await client.create("What is my name?", previous_interaction_id=first.body["id"])
    assert "Phil" in second.text
    used = second.body["usage"]
    assert used["total_cached_tokens"] > first.body["usage"]["total_input_tokens"] * 0.8
    assert used["total_cached_tokens"] < used["total_input_tokens"]


async def test_its_death_in_the_middle_of_a_stream_is_told_and_the_next_turn_works(server: Server, client: Client):
    stream = client.stream("Tell me a very long story about a dragon.", **LONG)
    killed: set[int] = set()
    async for frame in stream:
        if frame.text and not killed:
            killed = descendants(server.pid)
            for worker in killed:
                os.kill(worker, signal.SIGKILL)
    assert len(killed) == 1
    assert stream.done
    error, end = stream.frames[-2:]
    assert (error.name, end.name) == ("error", "interaction.completed")
    assert "the embedded engine died in the middle of this turn" in error.payload["error"]["message"]
    assert end.payload["interaction"]["status"] == "failed"
    assert await client.follow(stream.id).whole() == stream.frames

    again = await client.create("What is the capital of Italy?")
    assert "Rome" in again.text
    assert len(descendants(server.pid)) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
async def test_no_process_is_left_however_the_server_ends(server: Server, client: Client, how: signal.Signals):
    stream = client.stream("Tell me a very long story about a dragon.", **LONG)
    async with aclosing(aiter(stream)) as frames:
        while not (await anext(frames)).text:
            pass
        await check_end(server, how)


async def check_end(server: Server, how: signal.Signals) -> None:
    workers = descendants(server.pid)
    assert len(workers) == 1
    code = await server.stop(how)
    assert code == (-signal.SIGKILL if how == signal.SIGKILL else 0)
    for worker in workers:
        if how == signal.SIGKILL:
            await gone(worker)
        else:
            assert not is_there(worker), "the server waits for it"


async def test_a_worker_that_is_still_loading_goes_with_its_server(home: Home):
    async with home.serve() as server:
        workers = descendants(server.pid)
        await server.stop(signal.SIGKILL)
        for worker in workers:
            await gone(worker)
