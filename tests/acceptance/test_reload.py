"""A SIGHUP: the models of the settings are read again, and nobody's stream is disturbed."""

import asyncio
import fcntl
import os
import pty
import signal
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.hub import open_hub

from .client import Stream, open_client, text_of
from .home import Home, Server, end
from .upstream import Upstream, answer_to, open_upstream
from .waiting import BOUND, descendants, gone, is_there, until

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")

READ = "the models are read again: "
STAY = "the models stay as they were: "


@pytest.fixture
async def other() -> AsyncIterator[Upstream]:
    """Answers in five pieces."""
    async with open_upstream(deltas=5) as upstream:
        yield upstream


async def reload(server: Server, home: Home, toml: str, says: str) -> None:
    """Change the settings, and wait for a word of it."""
    home.configure(toml)
    lines = len(server.lines)
    os.kill(server.pid, signal.SIGHUP)
    await server.prints(lambda line: says in line and line in server.lines[lines:])


async def said_something(stream: Stream) -> None:
    async def has() -> bool:
        return any(frame.text for frame in stream.frames)

    await until(has)


async def test_a_stream_goes_on_while_the_next_turn_has_another_model(home: Home, upstream: Upstream, other: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        stream = client.stream("hello")
        reading = asyncio.create_task(stream.whole())
        background = await client.create("hi", background=True)
        await upstream.asked(2)
        await said_something(stream)
        await reload(server, home, openai("*", other.url), f"{READ}'*' has changed")
        assert (await client.create("hello")).text == answer_to("hello", 5)
        upstream.telling.set()
        assert text_of(await reading) == answer_to("hello", 3)
        assert stream.frames[-1].payload["interaction"]["status"] == "completed"
        follow = await client.follow(background.body["id"]).whole()
        assert text_of(follow) == answer_to("hi", 3)
        assert (await client.create("hello")).text == answer_to("hello", 5)


async def test_names_come_and_go(home: Home, upstream: Upstream, other: Upstream):
    async with home.serve() as server, open_client(server.url) as client:
        toml = openai("a", upstream.url) + openai("b", other.url)
        await reload(server, home, toml, f"{READ}'a' is new, 'b' is new, '*' is gone")
        assert (await client.create("hello", model="a")).text == answer_to("hello", 3)
        assert (await client.create("hello", model="b")).text == answer_to("hello", 5)
        assert (await client.create("hello", model="c")).status == 404
        await reload(server, home, toml, f"{READ}they are the same")


async def test_what_counts_only_at_the_next_start_is_named(home: Home, upstream: Upstream):
    async with home.serve() as server:
        await reload(server, home, 'default_dialect = "outputs"\n' + openai("*", upstream.url), "default_dialect has")


WRONG = {
    "a file that is no TOML": ("models = = 1", "turnwise.toml is not valid TOML"),
    "a setting that there is not": ('[models.a]\ncolour = "red"', "models.a.colour: there is no such setting"),
    "an entry that cannot be": ('[models.a]\nengine = "openai"', 'models.a: engine "openai" needs a base_url'),
    "a source that is none": ('[models.a]\nsource = "somewhere"', "models.a: source is 'somewhere'"),
    "a fallback that is not there": ('[models.a]\nfallback = ["b"]', "models.a: its fallback 'b' is not listed"),
}


@pytest.mark.model
@pytest.mark.parametrize(("toml", "complaint"), WRONG.values(), ids=WRONG)
async def test_settings_that_cannot_be_change_nothing(home: Home, weights: Path, toml: str, complaint: str):
    home.environment["TURNWISE_MODELS_DIR"] = str(weights.parent)
    async with home.serve() as server, open_client(server.url) as client:
        await reload(server, home, toml, f"{STAY}{complaint}")
        assert (await client.create("hello")).text == answer_to("hello", 3)
        assert "Traceback" not in server.output


async def test_weights_that_cannot_be_had_change_nothing(home: Home):
    async with open_hub({"main/tiny.gguf": b"GGUF"}) as hub:
        home.environment["HF_ENDPOINT"] = hub.url
        async with home.serve() as server, open_client(server.url) as client:
            toml = '[models."*"]\nsource = "hf:owner/tiny/Tiny.gguf"'
            await reload(server, home, toml, f"{STAY}owner/tiny has no file 'Tiny.gguf' at 'main'; it has: tiny.gguf")
            assert (await client.create("hello")).text == answer_to("hello", 3)


async def test_one_signal_behind_another_is_not_lost(home: Home, upstream: Upstream, other: Upstream):
    async with home.serve() as server, open_client(server.url) as client:
        for url, deltas in ((other.url, 5), (upstream.url, 3)) * 3:
            await reload(server, home, openai("*", url), READ)
            assert (await client.create("hello")).text == answer_to("hello", deltas)


async def test_a_server_whose_terminal_is_closed_stops(home: Home):
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "turnwise", "serve", "--port", "0"),
        stdin=slave,
        stdout=asyncio.subprocess.PIPE,
        stderr=slave,
        cwd=home.folder,
        env=home.environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(BOUND):
            assert b"ready" in await process.stdout.readline()
            os.close(master)
            assert await process.wait() == 0
    finally:
        await end(process)


# -- engines


@pytest.mark.model
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="finds processes as Linux shows them")
async def test_an_engine_stays_as_long_as_it_is_wanted_or_a_turn_needs_it(
    home: Home, upstream: Upstream, weights: Path
):
    home.environment["TURNWISE_MODELS_DIR"] = str(weights.parent)
    embedded = '[models."*"]\nthreads = 2\n'
    home.configure(embedded)
    async with home.serve() as server, open_client(server.url) as client:
        assert (await client.create("What is the capital of Italy?")).status == 200
        (engine,) = descendants(server.pid)
        defaults = '[models."*".defaults]\nmax_output_tokens = 300\ntemperature = 1.0\n'
        await reload(
            server, home, embedded + defaults + openai("a", upstream.url), f"{READ}'*' has changed, 'a' is new"
        )
        assert descendants(server.pid) == {engine}

        stream = client.stream("Tell me a very long story about a dragon.")
        reading = asyncio.create_task(stream.whole())
        await said_something(stream)
        await reload(server, home, openai("*", upstream.url), f"{READ}'*' has changed, 'a' is gone")
        assert (await client.create("hello")).text == answer_to("hello", 3)
        assert is_there(engine), "its stream goes on"
        await reading
        assert stream.frames[-1].payload["interaction"]["status"] in ("completed", "incomplete")
        await gone(engine)
        assert (await client.create("hello")).text == answer_to("hello", 3)


def openai(name: str, url: str) -> str:
    return f'[models."{name}"]\nengine = "openai"\nbase_url = "{url}"\n'
