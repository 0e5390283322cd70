"""Stopping: a signal says in words what becomes of what is going on, closes what is open, and leaves nothing behind."""

import asyncio
import signal
import time

import pytest

from .client import Stream, open_client, text_of
from .home import Home, Server
from .upstream import Upstream, answer_to

SOON = 10.0
"""Seconds in which a server has stopped, whatever was going on."""

both_signals = pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)


async def stop_soon(server: Server, how: signal.Signals = signal.SIGTERM) -> None:
    """Stop it. It says nothing of it that looks like a fault."""
    began = time.monotonic()
    code = await server.stop(how)
    assert time.monotonic() - began < SOON
    assert (code, server.lines[1:]) == (0, [])


@both_signals
async def test_a_server_that_has_nothing_to_do_stops_and_closes_its_database(home: Home, how: signal.Signals):
    async with home.serve() as server, open_client(server.url) as client:
        await client.create("hello")
        await stop_soon(server, how)
    assert [path.name for path in home.data.iterdir() if path.name.endswith(("-wal", "-shm"))] == []


@both_signals
async def test_an_open_stream_is_told_where_it_goes_on(home: Home, upstream: Upstream, how: signal.Signals):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        stream = client.stream("hello")
        reading = asyncio.create_task(read_until_it_breaks(stream))
        await said_something(stream)
        await stop_soon(server, how)
        await reading
    error = stream.frames.pop()
    assert error.name == "error"
    assert "last_event_id" in error.payload["error"]["message"]
    assert not stream.done, "it has not ended"

    upstream.telling.set()
    async with home.serve() as server, open_client(server.url) as client:
        rest = await client.follow(stream.id, stream.frames[-1].event_id).whole()
        assert text_of([*stream.frames, *rest]) == answer_to("hello", 3)
        assert rest[-1].payload["interaction"]["status"] == "completed"
        assert await client.follow(stream.id).whole() == [*stream.frames, *rest]


async def read_until_it_breaks(stream: Stream) -> None:
    """Every frame, of a stream whose server does not live to its end."""
    async for _ in stream:
        pass


async def said_something(stream: Stream) -> None:
    """Wait until the model has said something."""
    async with asyncio.timeout(SOON):
        while not any(frame.text for frame in stream.frames):  # noqa: ASYNC110  (the stream is read elsewhere)
            await asyncio.sleep(0)


async def test_a_stream_whose_model_has_not_answered_yet_is_refused(home: Home, upstream: Upstream):
    upstream.taking.clear()
    async with home.serve() as server, open_client(server.url) as client:
        asking = asyncio.create_task(client.create("hello", stream=True))
        await upstream.asked(1)
        await stop_soon(server)
        reply = await asking
    assert reply.status == 503
    assert "the server is being stopped" in reply.body["error"]["message"]


async def test_a_turn_in_the_background_goes_on_at_the_next_start(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        begun = await client.create("hello", background=True)
        await upstream.asked(1)
        await stop_soon(server)
    upstream.telling.set()
    async with home.serve() as server, open_client(server.url) as client:
        assert text_of(await client.follow(begun.body["id"]).whole()) == answer_to("hello", 3)
        assert (await client.get(begun.body["id"])).body["status"] == "completed"


async def test_a_plain_call_that_is_nearly_done_is_still_answered(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        asking = asyncio.create_task(client.create("hello"))
        await upstream.asked(1)
        stopping = asyncio.create_task(stop_soon(server))
        await refused(server.url)
        upstream.telling.set()
        assert (await asking).status == 200
        await stopping


async def refused(url: str) -> None:
    """Wait until no new connection is taken."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    async with asyncio.timeout(SOON):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except ConnectionError:
                return
            writer.close()


async def test_a_plain_call_that_takes_too_long_is_told_so(home: Home, upstream: Upstream):
    upstream.taking.clear()
    async with home.serve() as server, open_client(server.url) as client:
        asking = asyncio.create_task(client.create("hello"))
        await upstream.asked(1)
        await stop_soon(server)
        reply = await asking
    assert reply.status == 503
    assert "the server is being stopped" in reply.body["error"]["message"]


async def test_a_second_signal_does_not_wait_for_anyone(home: Home, upstream: Upstream):
    upstream.taking.clear()
    async with home.serve() as server, open_client(server.url) as client:
        asking = asyncio.create_task(client.create("hello"))
        await upstream.asked(1)
        stopping = asyncio.create_task(server.stop(signal.SIGINT))
        await refused(server.url)
        await stop_soon(server, signal.SIGINT)
        assert await stopping == 0
        assert (await asking).status == 503


async def test_a_port_can_be_taken_again_at_once(home: Home):
    async with home.serve() as server, open_client(server.url) as client:
        await client.create("hello")
        await stop_soon(server)
        port = server.url.rpartition(":")[2]
        async with home.serve("--port", port) as again:
            assert again.url == server.url
