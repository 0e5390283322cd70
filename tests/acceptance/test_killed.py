"""What was acknowledged is kept: a server that is killed with no warning, and what its clients find afterwards."""

import asyncio
import signal

import aiohttp

from .client import Client, Reply, Stream, open_client, text_of
from .home import Home
from .upstream import Upstream, answer_to

BROKEN = (aiohttp.ClientError, ConnectionError, AssertionError)
"""What a client may see of a server that dies: no connection, or a reply that breaks off."""


async def test_every_reply_that_reached_a_client_is_there_after_kill_9(home: Home, upstream: Upstream):
    replies: dict[str, Reply] = {}
    enough = asyncio.Event()

    async def call_again_and_again(client: Client, caller: int) -> None:
        try:
            for number in range(40):
                reply = await client.create(f"caller {caller}, call {number}")
                replies[reply.body["id"]] = reply
                if len(replies) >= 300:
                    enough.set()
        except BROKEN:
            return

    async with home.serve() as server, open_client(server.url) as client:
        callers = [asyncio.create_task(call_again_and_again(client, caller)) for caller in range(32)]
        await enough.wait()
        await server.stop(signal.SIGKILL)
        await asyncio.gather(*callers)
    assert 300 <= len(replies) < 32 * 40, "it was to be killed in the middle"

    async with home.serve() as server, open_client(server.url) as client:
        for id, reply in replies.items():
            kept = await client.get(id)
            assert kept.body.pop("steps")[1:] == reply.body.pop("steps")
            assert kept.body == reply.body
        last = await client.create("and on", previous_interaction_id=id)
        assert last.text == answer_to("and on", 3)


async def test_every_event_that_a_client_saw_is_seen_again_after_kill_9(home: Home, upstream: Upstream):
    upstream.deltas, upstream.pause = 400, 0.002
    seen = 0
    enough = asyncio.Event()

    async def watch(stream: Stream) -> None:
        nonlocal seen
        try:
            async for _ in stream:
                seen += 1
                if seen >= 500:
                    enough.set()
        except BROKEN:
            return

    async with home.serve() as server, open_client(server.url) as client:
        streams = [client.stream(f"stream {number}") for number in range(16)]
        watching = [asyncio.create_task(watch(stream)) for stream in streams]
        await enough.wait()
        await server.stop(signal.SIGKILL)
        await asyncio.gather(*watching)
    assert not any(stream.done for stream in streams), "it was to be killed in the middle"

    async with home.serve() as server, open_client(server.url) as client:
        for stream in streams:
            await check_told_again(client, stream)


async def check_told_again(client: Client, cut: Stream) -> None:
    """The stream that was cut can be read from its beginning, and from where it was cut; and it has an end."""
    whole = await client.follow(cut.id).whole()
    assert whole[: len(cut.frames)] == cut.frames
    assert [frame.name for frame in whole[-3:]] == ["step.stop", "error", "interaction.completed"]
    assert "the server was stopped" in whole[-2].payload["error"]["message"]
    assert whole[-1].payload["interaction"]["status"] == "failed"
    assert await client.follow(cut.id, cut.frames[-1].event_id).whole() == whole[len(cut.frames) :]

    kept = await client.get(cut.id)
    assert kept.body["status"] == "failed"
    assert kept.text == text_of(whole)


async def test_a_stream_that_ended_is_told_word_for_word_after_kill_9(home: Home, upstream: Upstream):
    upstream.deltas, upstream.pause = 20, 0.001
    async with home.serve() as server, open_client(server.url) as client:
        stream = client.stream("hello")
        told = await stream.whole()
        await server.stop(signal.SIGKILL)
    assert text_of(told) == answer_to("hello", 20)

    async with home.serve() as server, open_client(server.url) as client:
        assert await client.follow(stream.id).whole() == told


async def test_a_background_turn_that_was_cut_ends_as_failed_and_says_why(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        begun = await client.create("hello", background=True)
        assert begun.body["status"] == "in_progress"
        await upstream.asked(1)
        await server.stop(signal.SIGKILL)

    async with home.serve() as server, open_client(server.url) as client:
        kept = await client.get(begun.body["id"])
        assert kept.body["status"] == "failed"
        assert "the server was stopped" in kept.body["errors"][0]["message"]
        assert any("1 interaction" in line for line in server.lines)
        refused = await client.create("and on", previous_interaction_id=begun.body["id"])
        assert refused.status == 400
