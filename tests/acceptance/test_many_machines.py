"""Many processes, one store: whichever of them is asked, whichever dies or stops, a client sees one interaction.

How long a hand-over takes is logged: `--log-cli-level=INFO` shows it.
"""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from postgres import Server as Postgres

from .client import Client, Stream, open_client, text_of
from .home import Home, Server
from .readme import read_blocks
from .test_killed import BROKEN
from .test_start import free_port
from .upstream import Upstream, answer_to
from .waiting import until

log = logging.getLogger(__name__)

GUIDE = Path(__file__).parents[2] / "docs/guides/many-machines.md"
GRACE_SECONDS = 3.0
"""How long a process that was told to stop once waits for the calls that it answers."""

SOON = 10.0
"""Seconds in which a process has stopped, whatever was going on."""

postgres = pytest.mark.postgres


@pytest.fixture
def home(home: Home, upstream: Upstream) -> Home:
    """A folder whose servers are answered by an upstream that goes on with what was begun."""
    return settle(home, upstream)


@pytest.fixture
def shared(home: Home, postgres_url: str) -> Home:
    """The same, where all processes share a database."""
    home.environment["TURNWISE_DATABASE_URL"] = postgres_url
    return home


def settle(home: Home, upstream: Upstream, *, lease: float = 5.0) -> Home:
    home.configure(
        f'[models."*"]\nengine = "openai"\nbase_url = "{upstream.url}"\ncontinues = "prefill"\n'
        f"[background]\nlease_seconds = {lease}\n"
    )
    return home


@asynccontextmanager
async def running(home: Home, *commands: str) -> AsyncIterator[list[Server]]:
    """Processes that are ready: `api`, `worker`."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(home.starting(*command.split())) for command in commands]
        await asyncio.gather(*(ready(server) for server in servers))
        yield servers


async def ready(server: Server) -> None:
    await server.prints(lambda line: line.startswith(("turnwise ready at ", "turnwise worker ready")))


@asynccontextmanager
async def two_nodes(home: Home, *others: str) -> AsyncIterator[tuple[Client, Client, list[Server]]]:
    """Clients of two API nodes; and all processes."""
    async with (
        running(home, "api --port 0", "api --port 0", *others) as servers,
        open_client(servers[0].url) as a,
        open_client(servers[1].url) as b,
    ):
        yield a, b, servers


async def shows(stream: Stream, pieces: int) -> None:
    """Wait until a stream, which is read elsewhere, has shown so many pieces of text."""

    async def has() -> bool:
        return text_of(stream.frames).count("#") >= pieces

    await until(has)


async def read_until_it_breaks(stream: Stream) -> None:
    try:
        async for _ in stream:
            pass
    except BROKEN:
        pass


async def check_whole(client: Client, id: str, seen: Stream, text: str) -> None:
    """A stream that was followed to its end has all of the answer, once; and whoever reads it again reads the same."""
    assert text_of(seen.frames) == text
    assert seen.frames[-1].payload["interaction"]["status"] == "completed"
    again = await client.follow(id).whole()
    assert again == seen.frames
    kept = await client.get(id)
    assert (kept.body["status"], kept.text) == ("completed", text)


# -- whichever is asked


@postgres
async def test_any_node_knows_what_another_one_began(shared: Home, upstream: Upstream):
    upstream.deltas = 20
    async with two_nodes(shared, "worker") as (a, b, _):
        upstream.telling.clear()
        begun = await a.create("hello", background=True)
        assert begun.body["status"] == "in_progress"
        id = begun.body["id"]
        stream = b.follow(id)
        reading = asyncio.create_task(stream.whole())
        await shows(stream, 10)
        assert (await b.get(id)).body["status"] == "in_progress"
        upstream.telling.set()
        await reading
        await check_whole(a, id, stream, answer_to("hello", 20))
        follow_up = await b.create("and on", previous_interaction_id=id)
        assert follow_up.text == answer_to("and on", 20)
        assert [message["role"] for message in upstream.requests[-1].messages] == ["user", "assistant", "user"]


@postgres
async def test_any_node_cancels_and_deletes_what_a_worker_does(shared: Home, upstream: Upstream):
    upstream.telling.clear()
    async with two_nodes(shared, "worker") as (a, b, _):
        id = (await a.create("hello", background=True)).body["id"]
        stream = a.follow(id)
        reading = asyncio.create_task(stream.whole())
        await shows(stream, 1)
        assert (await b.cancel(id)).body["status"] == "cancelled"
        await asyncio.wait_for(upstream.requests[0].left.wait(), SOON)
        await reading
        assert stream.frames[-1].payload["interaction"]["status"] == "cancelled"
        assert (await b.cancel(id)).body["status"] == "cancelled"
        assert (await a.delete(id)).status == 200
        assert (await b.get(id)).status == 404

        id = (await a.create("hello", background=True)).body["id"]
        await upstream.asked(2)
        assert (await a.delete(id)).status == 200
        await asyncio.wait_for(upstream.requests[1].left.wait(), SOON)
        assert (await b.get(id)).status == 404


@postgres
async def test_a_client_that_changes_nodes_again_and_again_misses_nothing(shared: Home, upstream: Upstream):
    upstream.deltas, upstream.pause = 60, 0.02
    async with two_nodes(shared, "worker") as (a, b, _):
        id = (await a.create("hello", background=True)).body["id"]
        frames = []
        done = False
        while not done:
            a, b = b, a
            stream = a.follow(id, frames[-1].event_id if frames else "")
            async for frame in stream:
                frames.append(frame)
                if len(stream.frames) == 8:
                    break
            done = stream.done
        assert text_of(frames) == answer_to("hello", 60)
        assert len(frames) > 16, "it was to change nodes"
        assert frames == await b.follow(id).whole()


@postgres
async def test_only_workers_do_what_is_asked_for_in_the_background(shared: Home, upstream: Upstream):
    async with two_nodes(shared) as (a, b, _):
        id = (await a.create("hello", background=True)).body["id"]
        stream = b.follow(id)
        reading = asyncio.create_task(stream.whole())
        assert (await a.create("hi")).text == answer_to("hi", 3)
        assert (await b.get(id)).body["status"] == "in_progress"
        assert len(upstream.requests) == 1, "nobody has begun with it"
        async with running(shared, "worker"):
            await reading
        await check_whole(a, id, stream, answer_to("hello", 3))


@postgres
async def test_a_worker_does_as_much_at_once_as_it_is_told(shared: Home, upstream: Upstream):
    upstream.telling.clear()
    async with two_nodes(shared, "worker --concurrency 2") as (a, _, _):
        ids = [(await a.create(f"call {number}", background=True)).body["id"] for number in range(3)]
        await upstream.asked(2)
        await a.cancel(ids[0])
        await upstream.asked(3)
        assert upstream.requests[0].left.is_set()
        assert [request.question for request in upstream.requests] == ["call 0", "call 1", "call 2"]


# -- whichever dies


@postgres
async def test_another_worker_goes_on_where_one_was_killed(shared: Home, upstream: Upstream):
    upstream.deltas = 40
    upstream.telling.clear()
    async with two_nodes(shared, "worker") as (a, b, (_, _, carrying)):
        id = (await a.create("hello", background=True)).body["id"]
        stream = b.follow(id)
        reading = asyncio.create_task(stream.whole())
        await shows(stream, 20)
        async with running(shared, "worker"):
            began = time.monotonic()
            await carrying.stop(signal.SIGKILL)
            upstream.telling.set()
            await shows(stream, 21)
            log.info("a run of a worker that was killed went on after %.1f s", time.monotonic() - began)
            await reading
            await check_whole(a, id, stream, answer_to("hello", 40))


@postgres
async def test_another_worker_goes_on_at_once_where_one_is_stopped(shared: Home, upstream: Upstream):
    settle(shared, upstream, lease=60)
    upstream.deltas = 40
    upstream.telling.clear()
    async with two_nodes(shared, "worker") as (a, b, (_, _, carrying)):
        ids = [(await a.create(f"call {number}", background=True)).body["id"] for number in range(20)]
        streams = [(a, b)[number % 2].follow(id) for number, id in enumerate(ids)]
        readings = [asyncio.create_task(stream.whole()) for stream in streams]
        await asyncio.gather(*(shows(stream, 20) for stream in streams))
        async with running(shared, "worker"):
            began = time.monotonic()
            stopping = asyncio.create_task(stop(carrying))
            async with asyncio.timeout(SOON):
                await upstream.asked(21)
                log.info("the first of 20 runs went on %.2f s after the signal", time.monotonic() - began)
                await upstream.asked(40)
                log.info("all went on %.2f s after the signal", time.monotonic() - began)
            upstream.telling.set()
            await stopping
            await asyncio.gather(*readings)
            for number, (id, stream) in enumerate(zip(ids, streams, strict=True)):
                await check_whole(a, id, stream, answer_to(f"call {number}", 40))


@postgres
async def test_a_stream_of_a_node_that_was_killed_is_read_on_at_another(shared: Home, upstream: Upstream):
    settle(shared, upstream, lease=1)
    upstream.deltas = 40
    upstream.telling.clear()
    async with two_nodes(shared, "worker") as (a, b, (carrying, _, _)):
        cut = a.stream("hello")
        reading = asyncio.create_task(read_until_it_breaks(cut))
        await shows(cut, 20)
        await carrying.stop(signal.SIGKILL)
        await reading
        assert not cut.done
        upstream.telling.set()
        rest = b.follow(cut.id, cut.frames[-1].event_id)
        cut.frames += await rest.whole()
        await check_whole(b, cut.id, cut, answer_to("hello", 40))


@postgres
async def test_a_stream_of_a_node_that_stops_says_that_it_goes_on_elsewhere(shared: Home, upstream: Upstream):
    settle(shared, upstream, lease=60)
    upstream.deltas = 40
    upstream.telling.clear()
    async with two_nodes(shared, "worker") as (a, b, (carrying, _, _)):
        cut = a.stream("hello")
        reading = asyncio.create_task(read_until_it_breaks(cut))
        await shows(cut, 20)
        await stop(carrying)
        await reading
        assert not cut.done, "it has not ended"
        told = cut.frames.pop()
        assert told.name == "error"
        assert "last_event_id" in told.payload["error"]["message"]
        upstream.telling.set()
        rest = b.follow(cut.id, cut.frames[-1].event_id)
        cut.frames += await rest.whole()
        await check_whole(b, cut.id, cut, answer_to("hello", 40))


async def test_a_server_with_a_file_goes_on_where_it_was_killed(home: Home, upstream: Upstream):
    upstream.deltas = 40
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        id = (await client.create("hello", background=True)).body["id"]
        stream = client.follow(id)
        reading = asyncio.create_task(read_until_it_breaks(stream))
        foreground = client.stream("hi")
        also_reading = asyncio.create_task(read_until_it_breaks(foreground))
        await asyncio.gather(shows(stream, 20), shows(foreground, 20))
        await server.stop(signal.SIGKILL)
        await asyncio.gather(reading, also_reading)
    upstream.telling.set()
    async with home.serve() as server, open_client(server.url) as client:
        for cut, text in ((stream, answer_to("hello", 40)), (foreground, answer_to("hi", 40))):
            cut.frames += await client.follow(cut.id, cut.frames[-1].event_id).whole()
            await check_whole(client, cut.id, cut, text)


# -- the database


@postgres
async def test_a_database_that_is_restarted_costs_a_pause(shared: Home, upstream: Upstream, postgres_server: Postgres):
    upstream.deltas = 40
    upstream.telling.clear()
    async with two_nodes(shared, "worker --port 0") as (a, b, (_, _, worker)):
        id = (await a.create("hello", background=True)).body["id"]
        streams = [b.follow(id), a.stream("hi")]
        readings = [asyncio.create_task(stream.whole()) for stream in streams]
        await asyncio.gather(*(shows(stream, 20) for stream in streams))
        await asyncio.to_thread(postgres_server.stop)
        try:
            await until(lambda: answers(a, "/readyz", 503))
            assert await a.status("/healthz") == 200
            upstream.telling.set()
        finally:
            await asyncio.to_thread(postgres_server.start)
        await until(lambda: answers(a, "/readyz", 200))
        await asyncio.gather(*readings)
        await check_whole(a, id, streams[0], answer_to("hello", 40))
        await check_whole(b, streams[1].id, streams[1], answer_to("hi", 40))
        assert worker.process.returncode is None


async def answers(client: Client, path: str, status: int) -> bool:
    return await client.status(path) == status


@postgres
async def test_processes_wait_for_a_database_and_for_its_tables(
    home: Home, upstream: Upstream, empty_postgres_url: str
):
    home.environment["TURNWISE_DATABASE_URL"] = empty_postgres_url
    async with home.starting("api", "--port", "0") as api, home.starting("worker") as worker:
        for server in (api, worker):
            await server.prints(lambda line: "waiting: " in line)
        migrated = await home.run("migrate")
        assert "up to date" in migrated.out
        await asyncio.gather(ready(api), ready(worker))
        async with open_client(api.url) as client:
            id = (await client.create("hello", background=True)).body["id"]
            stream = client.follow(id)
            await stream.whole()
            await check_whole(client, id, stream, answer_to("hello", 3))


@postgres
async def test_a_process_that_waits_for_its_database_stops_when_it_is_told_to(home: Home, empty_postgres_url: str):
    home.environment["TURNWISE_DATABASE_URL"] = empty_postgres_url
    for command in ("api", "worker"):
        async with home.starting(command, *(("--port", "0") if command == "api" else ())) as server:
            await server.prints(lambda line: "waiting: " in line)
            await stop(server, code=128 + signal.SIGTERM)
            assert "Traceback" not in server.output


# -- stopping


@postgres
async def test_a_process_with_nothing_to_do_stops_without_a_word(shared: Home):
    async with running(shared, "api --port 0", "worker", "worker --port 0") as servers:
        for server in servers:
            lines = list(server.lines)
            await stop(server)
            assert server.lines == lines


@postgres
async def test_a_process_ends_even_if_its_database_is_gone(shared: Home, upstream: Upstream, postgres_server: Postgres):
    upstream.telling.clear()
    async with two_nodes(shared, "worker") as (a, _, (node, _, worker)):
        stream = a.follow((await a.create("hello", background=True)).body["id"])
        reading = asyncio.create_task(read_until_it_breaks(stream))
        await shows(stream, 1)
        await asyncio.to_thread(postgres_server.stop)
        try:
            upstream.telling.set()
            await asyncio.gather(stop(node, code=None), stop(worker, code=None))
        finally:
            await asyncio.to_thread(postgres_server.start)
        await reading


@postgres
async def test_one_more_signal_ends_a_process_at_once(shared: Home, upstream: Upstream):
    upstream.taking.clear()
    async with two_nodes(shared) as (a, _, (node, _)):
        asking = asyncio.create_task(a.create("hello"))
        await upstream.asked(1)
        stopping = asyncio.create_task(node.stop())
        await until(lambda: is_refused(node))
        began = time.monotonic()
        await node.stop()
        assert time.monotonic() - began < GRACE_SECONDS, "it did not wait for the call"
        assert await stopping in (0, 1)
        await asyncio.gather(asking, return_exceptions=True)


async def is_refused(server: Server) -> bool:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionError:
        return True
    writer.close()
    return False


async def stop(server: Server, *, code: int | None = 0) -> None:
    """Stop a process, which it does soon; and well, unless its code is not to be looked at."""
    began = time.monotonic()
    came = await server.stop()
    log.info("it took %.2f s to stop", time.monotonic() - began)
    assert time.monotonic() - began < SOON
    assert code is None or came == code, server.output


# -- what cannot be


@pytest.mark.parametrize("command", ["api", "worker"])
async def test_a_process_of_several_needs_a_database_that_several_can_use(home: Home, command: str):
    done = await home.run(command)
    assert done.code == 1
    assert done.error.startswith(f"database_url: `turnwise {command}` is one process of several")
    assert not home.data.exists(), "it was said before anything was touched"


async def test_a_worker_that_may_do_nothing_is_refused(home: Home):
    assert (await home.run("worker", "--concurrency", "0")).error.startswith("background.concurrency: ")


@postgres
async def test_a_node_that_others_reach_asks_for_a_key(shared: Home):
    done = await shared.run("api", "--host", "0.0.0.0", "--port", "0")
    assert done.code == 1
    assert "turnwise keys create" in done.err.splitlines()[-1]


@postgres
async def test_a_worker_that_listens_says_how_it_is_and_nothing_else(shared: Home):
    port = free_port()
    async with (
        running(shared, f"worker --port {port}"),
        open_client(f"http://127.0.0.1:{port}") as client,
    ):
        assert [await client.status(path) for path in ("/healthz", "/readyz")] == [200, 200]
        assert [await client.status(path) for path in ("/", "/docs", "/v1/models")] == [404, 404, 404]


# -- the guide


@postgres
async def test_what_the_guide_starts_serves_whoever_has_the_key(
    home: Home, upstream: Upstream, empty_postgres_url: str
):
    home.environment |= {"TURNWISE_DATABASE_URL": empty_postgres_url, "TURNWISE_PORT": "0"}
    migrate, create_key, *others = commands("many-start")
    assert "up to date" in (await home.run(*migrate)).out
    key = (await home.run(*create_key)).out.split()[-1]
    async with running(home, *(" ".join(command) for command in others)) as (api, _):
        url = api.url.replace("0.0.0.0", "127.0.0.1")
        async with open_client(url) as stranger, open_client(url, key=key) as client:
            assert (await stranger.create("hello")).status == 401
            id = (await client.create("hello", background=True)).body["id"]
            assert text_of(await client.follow(id).whole()) == answer_to("hello", 3)


@postgres
async def test_a_conversation_of_one_machine_goes_on_at_many(home: Home, upstream: Upstream, empty_postgres_url: str):
    async with home.serve() as server, open_client(server.url) as client:
        id = (await client.create("hello", background=True)).body["id"]
        whole = await client.follow(id).whole()
    home.environment["TURNWISE_DATABASE_URL"] = empty_postgres_url
    assert (await home.run("migrate")).code == 0
    ((*move, source),) = commands("many-move")
    assert source.startswith("~")
    done = await home.run(*move, str(home.data))
    assert done.code == 0, done.err
    async with two_nodes(home, "worker") as (a, b, _):
        assert await a.follow(id).whole() == whole
        assert (await b.create("and on", previous_interaction_id=id)).text == answer_to("and on", 3)


def commands(name: str) -> list[list[str]]:
    """The commands of one of the guide's blocks, without the program's name."""
    (block,) = [block for block in read_blocks(GUIDE.read_text()) if block.name == name]
    found = [line.split() for line in block.code.splitlines()]
    assert all(program == "turnwise" for program, *_ in found)
    return [rest for _, *rest in found]
