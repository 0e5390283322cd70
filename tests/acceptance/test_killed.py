"""What was acknowledged is kept: a server that is killed with no warning, and what its clients find afterwards."""

import asyncio
import signal
from contextlib import suppress

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


async def test_every_event_that_a_client_saw_is_seen_again_after_kill_9_and_its_run_goes_on(
    home: Home, upstream: Upstream
):
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
        for number, stream in enumerate(streams):
            await check_goes_on(client, stream, f"stream {number}", upstream.deltas)


async def check_goes_on(client: Client, cut: Stream, prompt: str, deltas: int) -> None:
    """The stream that was cut can be read from its beginning, and from where it was cut; and it has gone on to its
    end."""
    whole = await client.follow(cut.id).whole()
    assert whole[: len(cut.frames)] == cut.frames
    assert [frame.name for frame in whole[-2:]] == ["step.stop", "interaction.completed"]
    assert text_of(whole) == answer_to(prompt, deltas)
    assert await client.follow(cut.id, cut.frames[-1].event_id).whole() == whole[len(cut.frames) :]
    kept = await client.get(cut.id)
    assert (kept.body["status"], kept.text) == ("completed", text_of(whole))


async def test_a_stream_that_ended_is_told_word_for_word_after_kill_9(home: Home, upstream: Upstream):
    upstream.deltas, upstream.pause = 20, 0.001
    async with home.serve() as server, open_client(server.url) as client:
        stream = client.stream("hello")
        told = await stream.whole()
        await server.stop(signal.SIGKILL)
    assert text_of(told) == answer_to("hello", 20)

    async with home.serve() as server, open_client(server.url) as client:
        assert await client.follow(stream.id).whole() == told


async def test_a_background_turn_that_was_cut_goes_on_at_the_next_start(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        begun = await client.create("hello", background=True)
        assert begun.body["status"] == "in_progress"
        await upstream.asked(1)
        await server.stop(signal.SIGKILL)

    async with home.serve() as server, open_client(server.url) as client:
        await upstream.asked(2)
        assert (await client.get(begun.body["id"])).body["status"] == "in_progress"
        upstream.telling.set()
        whole = await client.follow(begun.body["id"]).whole()
        assert text_of(whole) == answer_to("hello", upstream.deltas)
        later = await client.create("and on", previous_interaction_id=begun.body["id"])
        assert later.status == 200


async def test_a_turn_that_kills_its_server_again_and_again_is_given_up(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        id = (await client.create("hello", background=True)).body["id"]
        await upstream.asked(1)
        await server.stop(signal.SIGKILL)
    for attempt in range(2, 6):
        async with home.serve() as server:
            await upstream.asked(attempt)
            await server.stop(signal.SIGKILL)
    async with home.serve() as server, open_client(server.url) as client:
        kept = await client.get(id)
        assert kept.body["status"] == "failed"
        assert "died 5 times" in kept.body["errors"][0]["message"]
        upstream.telling.set()
        assert (await client.create("something else")).status == 200


async def test_a_server_that_is_stopped_hands_its_runs_to_its_next_start(home: Home, upstream: Upstream):
    upstream.deltas, upstream.pause = 200, 0.005
    async with home.serve() as server, open_client(server.url) as client:
        stream = client.stream("hello")
        with suppress(*BROKEN):
            async for _ in stream:
                if len(stream.frames) == 20:
                    await server.stop(signal.SIGTERM)
        *told, last = stream.frames
        assert last.name == "error"
        assert "last_event_id" in last.payload["error"]["message"]
    async with home.serve() as server, open_client(server.url) as client:
        rest = await client.follow(stream.id, told[-1].event_id).whole()
        assert text_of([*told, *rest]) == answer_to("hello", upstream.deltas)
