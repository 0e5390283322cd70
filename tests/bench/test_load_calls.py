"""The callers of the tables: what they measure is whole answers, and whatever else comes is not taken for one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from bench.speed.calls import asked, load, session
from bench.speed.servers import Server, upstream


@asynccontextmanager
async def rude() -> AsyncIterator[Server]:
    """A server that hangs up on everybody."""
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0) as listening:
        yield Server("rude", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", ())


async def test_answers_are_whole_and_counted():
    with upstream() as server:
        model = replace(server, path="/v1/chat/completions")
        async with session() as client:
            plain = await load(client, model, asked(), callers=2, calls=10, word=b"Hello")
            streamed = await load(client, model, asked(streamed=True), callers=2, calls=10, word=b"word99 ")
            for wrong in (asked(), asked(streamed=True)):
                with pytest.raises(AssertionError, match=r"Hello|word1"):
                    await load(client, model, wrong, callers=1, calls=1, word=b"another word")
    assert (len(plain.waits), len(plain.firsts)) == (10, 0)
    assert (len(streamed.waits), len(streamed.firsts)) == (10, 10)
    assert all(0 < first < wait for first, wait in zip(sorted(streamed.firsts), sorted(streamed.waits), strict=True))
    assert plain.processor > 0


async def test_nobody_calls_again_when_the_time_is_over():
    with upstream() as server:
        model = replace(server, path="/v1/chat/completions")
        async with session() as client:
            done = await load(client, model, asked(), callers=3, calls=1_000_000, seconds=0.0)
    assert len(done.waits) <= 3


async def test_a_call_that_is_cut_off_is_counted_only_where_that_may_be():
    async with rude() as server, session() as client:
        with pytest.raises(aiohttp.ClientConnectionError):
            await load(client, server, asked(), callers=1, calls=1)
        done = await load(client, replace(server, may_cut_off=True), asked(), callers=2, calls=5)
    assert (done.cut_off, done.waits) == (5, [])
