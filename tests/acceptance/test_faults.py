"""The fault run in small: a few dozen streams, one fault each, and every frame and letter checked. And the checks
themselves, on streams that somebody in between has spoiled.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from bench.faults.answers import Question
from bench.faults.client import Client, open_client
from bench.faults.cluster import Cluster, open_cluster
from bench.faults.injuries import INJURIES
from bench.faults.judging import FAULTS, Verdict, judge
from bench.faults.rounds import Load, play
from bench.faults.stories import Plan, Story

from postgres import find_programs

LOAD = Load(streams=30, rate=10.0, seconds=4.0, ramp=0.5)
QUESTION = Question("kite", words=12, rate=50.0)

Lie = Callable[[list[bytes]], list[bytes]]
"""What becomes of the frames of a stream on their way."""


async def test_on_one_machine_nothing_is_lost_or_doubled():
    async with open_cluster("sqlite", concurrency=LOAD.streams) as cluster, open_client() as client:
        for fault in ("kill-serve", "cut-clients"):
            await check(fault, cluster, client)


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.skipif(find_programs() is None, reason="PostgreSQL's server is not installed")
async def test_on_several_machines_nothing_is_lost_or_doubled():
    async with open_cluster("postgres", concurrency=LOAD.streams) as cluster, open_client() as client:
        for fault in ("kill-worker", "kill-api", "stop-worker", "stop-api", "crash-postgres"):
            await check(fault, cluster, client)


async def check(fault: str, cluster: Cluster, client: Client) -> None:
    """Play a round, in which something must have happened."""
    played = await play(INJURIES[fault], cluster, client, LOAD, random.Random(7))
    assert played.verdict.is_clean, (fault, played.verdict.reasons)
    assert played.verdict.accepted == LOAD.streams
    assert played.verdict.completed + played.verdict.cancelled == LOAD.streams
    assert fault == "crash-postgres" or played.moved or played.cut


# -- the checks


def without_one(frames: list[bytes]) -> list[bytes]:
    return [frame for frame in frames if b"kite-5" not in frame]


def with_one_twice(frames: list[bytes]) -> list[bytes]:
    return [again for frame in frames for again in [frame] * (2 if b"kite-5" in frame else 1)]


def with_another_word(frames: list[bytes]) -> list[bytes]:
    return [frame.replace(b"kite-5", b"kite-6") for frame in frames]


def with_an_end_too_soon(frames: list[bytes]) -> list[bytes]:
    return [*frames[:4], b"event: done\ndata: [DONE]\n\n"] if b"interaction.created" in frames[0] else frames


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (without_one, {"gaps": 1}),
        (with_one_twice, {"doubles": 1}),
        (with_another_word, {"rewritten": 1}),
        (with_an_end_too_soon, {"false_ends": 1}),
    ],
)
async def test_what_a_stream_lacks_or_adds_is_found(lie: Lie, found: dict[str, int]):
    async with one_node() as (node, client), spoiling(node, lie) as spoilt:
        story = await lived(client, spoilt)
        assert wrong(await judge(client, [node], [story])) == found


async def test_what_is_gone_or_says_something_else_is_found():
    async with one_node() as (node, client):
        story = await lived(client, node)
        assert wrong(await judge(client, [node], [story])) == {}
        story.plan = replace(story.plan, question=Question("boat", words=12, rate=50.0))
        assert wrong(await judge(client, [node], [story])) == {"wrong": 1}
        assert story.id is not None
        await client.delete(node, story.id)
        assert wrong(await judge(client, [node], [story])) == {"lost": 1}


def wrong(verdict: Verdict) -> dict[str, int]:
    """What is not 0 and should be."""
    return {name: times for name in FAULTS if (times := getattr(verdict, name))}


async def lived(client: Client, node: str) -> Story:
    """A client that has asked and read to the end."""
    story = Story(client, [node], Plan(QUESTION, "stream"), random.Random(7))
    await story.live()
    return story


@asynccontextmanager
async def one_node() -> AsyncIterator[tuple[str, Client]]:
    async with open_cluster("sqlite", concurrency=1) as cluster, open_client() as client:
        yield cluster.urls[0], client


@asynccontextmanager
async def spoiling(node: str, lie: Lie) -> AsyncIterator[str]:
    """A proxy that passes everything on, the frames of streams as a lie has them."""

    async def pass_on(request: web.Request) -> web.Response:
        body = await request.read()
        async with session.request(request.method, node + request.path_qs, data=body) as reply:
            data = await reply.read()
            if reply.content_type == "text/event-stream":
                data = b"".join(lie([frame + b"\n\n" for frame in data.split(b"\n\n")[:-1]]))
            return web.Response(status=reply.status, body=data, content_type=reply.content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    headers = {"Api-Revision": "2026-05-20", "Content-Type": "application/json"}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0]
            yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
