"""Several processes that serve as one, `serve --processes N`: whichever of them a client is connected to, and whichever
dies, it sees one server.

A connection is given to the next process, so two clients of one connection each are with two processes.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from .client import Client, Stream, open_client, text_of
from .home import READY, Home, Server
from .readme import read_blocks
from .test_killed import BROKEN
from .upstream import Upstream, answer_to, open_upstream
from .waiting import BOUND, descendants, gone, is_there, until

pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not say who is connected")

GUIDE = Path(__file__).parents[2] / "docs/guides/many-machines.md"

SIZE = 3


@pytest.fixture
def home(home: Home, upstream: Upstream) -> Home:
    """A folder whose processes are answered by an upstream that goes on with what was begun."""
    home.configure(settings(upstream))
    return home


def settings(upstream: Upstream) -> str:
    return (
        f'processes = {SIZE}\n[models."*"]\nengine = "openai"\nbase_url = "{upstream.url}"\ncontinues = "prefill"\n'
        "[background]\nlease_seconds = 1\n"
    )


@asynccontextmanager
async def clients(server: Server, count: int = SIZE) -> AsyncIterator[list[Client]]:
    """Clients that are each with another process, as far as there are so many."""
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(count):
            opened.append(await stack.enter_async_context(open_client(server.url)))
            assert (await opened[-1].get("nothing")).status == 404  # so that its connection is open
        yield opened


def processes(server: Server) -> set[int]:
    """The ids of the processes that serve."""
    return {pid for pid in descendants(server.pid) if b"\0sibling\0" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def connected(server: Server) -> Counter[int]:
    """How many connections of clients each process has."""
    port = int(server.url.rpartition(":")[2])
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {
        f"socket:[{line[9]}]" for line in lines if int(line[1].partition(":")[2], 16) == port and line[3] == "01"
    }
    return Counter({pid: len(sockets & descriptors(pid)) for pid in processes(server)})


def descriptors(pid: int) -> set[str]:
    """What a process has open."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it has just been closed
            found.add(os.readlink(descriptor))
    return found


async def shows(stream: Stream, pieces: int) -> None:
    """Wait until a stream, which is read elsewhere, has shown so many pieces of text."""

    async def has() -> bool:
        return text_of(stream.frames).count("#") >= pieces

    await until(has)


async def read_until_it_breaks(stream: Stream) -> None:
    with suppress(*BROKEN):
        async for _ in stream:
            pass


async def check_whole(client: Client, id: str, seen: Stream, text: str) -> None:
    """A stream that was followed to its end has all of the answer, once; and whoever reads it again reads the same."""
    assert text_of(seen.frames) == text
    assert seen.frames[-1].payload["interaction"]["status"] == "completed"
    assert await client.follow(id).whole() == seen.frames
    kept = await client.get(id)
    assert (kept.body["status"], kept.text) == ("completed", text)


def lender(server: Server) -> Path:
    """The folder in which engines are lent."""
    mine = descriptors(server.pid)
    sockets = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    (found,) = {one[7] for one in sockets if len(one) > 7 and f"socket:[{one[6]}]" in mine and "lender" in one[7]}
    return Path(found).parent


# -- one server


async def test_what_the_guide_starts_serves(home: Home):
    (block,) = [block for block in read_blocks(GUIDE.read_text()) if block.name == "many-processes"]
    program, command, *options = block.code.split()
    assert (program, command) == ("turnwise", "serve")
    async with home.serve(*options) as server, open_client(server.url) as client:
        assert len(processes(server)) == 4
        assert (await client.create("hello")).text == answer_to("hello", 3)


async def test_it_says_that_it_is_ready_once_and_nothing_else(home: Home):
    async with home.serve() as server, clients(server) as all_of_them:
        assert len(processes(server)) == SIZE
        assert [await client.status("/readyz") for client in all_of_them] == [200] * SIZE
        for client in all_of_them:
            assert (await client.create("hello")).text == answer_to("hello", 3)
        assert await server.stop() == 0
        assert server.lines == [f"{READY}{all_of_them[0].url}"]


async def test_each_process_has_as_many_connections(home: Home):
    async with home.serve() as server, clients(server, 4 * SIZE):
        assert list(connected(server).values()) == [4] * SIZE


async def test_how_many_is_said_on_the_command_line_in_the_environment_or_in_the_file(home: Home):
    async with home.serve() as server:
        assert len(processes(server)) == SIZE
    home.environment["TURNWISE_PROCESSES"] = "2"
    async with home.serve() as server:
        assert len(processes(server)) == 2
    async with home.serve("--processes", "1") as server, open_client(server.url) as client:
        assert processes(server) == set()
        assert (await client.create("hello")).text == answer_to("hello", 3)


@pytest.mark.parametrize("number", ["0", "-1", "1000"])
async def test_a_number_that_cannot_be_is_refused(home: Home, number: str):
    assert (await home.run("serve", "--processes", number)).error.startswith("processes: input should be ")
    home.environment["TURNWISE_PROCESSES"] = number
    assert (await home.run("serve")).error.startswith("processes: input should be ")


async def test_what_is_no_number_is_refused(home: Home):
    home.environment["TURNWISE_PROCESSES"] = "many"
    assert (await home.run("serve")).error.startswith("processes: input should be a valid integer")


async def test_what_cannot_start_is_said_once(home: Home):
    home.data.mkdir()
    (home.data / "turnwise.db").write_text("a diary, and no database" * 100)
    assert "turnwise.db cannot be opened" in (await home.run("serve", "--port", "0")).error
    (home.data / "turnwise.db").unlink()
    done = await home.run("serve", "--host", "0.0.0.0", "--port", "0")
    assert "this server has no API keys" in done.error


async def test_another_server_is_refused_the_data_and_the_port(home: Home):
    async with home.serve() as server:
        assert "another turnwise is serving from" in (await home.run("serve", "--port", "0")).error
        assert "another turnwise is serving from" in (await home.run("serve", "--port", "0", "--processes", "1")).error
        port = server.url.rpartition(":")[2]
        elsewhere = await home.run("serve", "--port", port, "--data-dir", str(home.folder / "other"))
        assert "the port is taken" in elsewhere.error


async def test_nothing_that_a_process_has_open_is_left_to_those_that_it_starts(home: Home):
    async with home.serve() as server, clients(server) as all_of_them:
        assert (await all_of_them[0].create("hello")).text == answer_to("hello", 3)
        for pid in processes(server):
            assert inheritable(pid) == set()


def inheritable(pid: int) -> set[str]:
    """What a process has open beside its three streams, and processes that it starts would have open too."""
    found = set()
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(OSError):  # it has just been closed
            words = entry.read_text().split()
            if not int(words[words.index("flags:") + 1], 8) & os.O_CLOEXEC:
                found.add(os.readlink(f"/proc/{pid}/fd/{entry.name}"))
    return found - {os.readlink(f"/proc/{pid}/fd/{stream}") for stream in range(3)}


# -- whichever is asked


async def test_any_process_knows_what_another_one_began(home: Home, upstream: Upstream):
    upstream.deltas = 20
    upstream.telling.clear()
    async with home.serve() as server, clients(server) as (a, b, c):
        begun = a.stream("hello")
        reading = asyncio.create_task(begun.whole())
        await shows(begun, 10)
        elsewhere = b.follow(begun.id)
        also_reading = asyncio.create_task(elsewhere.whole())
        await shows(elsewhere, 10)
        assert (await c.get(begun.id)).body["status"] == "in_progress"
        upstream.telling.set()
        assert await reading == await also_reading
        await check_whole(c, begun.id, elsewhere, answer_to("hello", 20))
        follow_up = await c.create("and on", previous_interaction_id=begun.id)
        assert follow_up.text == answer_to("and on", 20)
        assert [message["role"] for message in upstream.requests[-1].messages] == ["user", "assistant", "user"]


async def test_any_process_cancels_and_deletes_what_another_one_does(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, clients(server) as (a, b, c):
        id = (await a.create("hello", background=True)).body["id"]
        stream = b.follow(id)
        reading = asyncio.create_task(stream.whole())
        await shows(stream, 1)
        assert (await c.cancel(id)).body["status"] == "cancelled"
        await asyncio.wait_for(upstream.requests[0].left.wait(), BOUND)
        await reading
        assert stream.frames[-1].payload["interaction"]["status"] == "cancelled"
        assert (await a.delete(id)).status == 200
        assert [(await client.get(id)).status for client in (a, b, c)] == [404] * 3

        id = (await a.create("hello", background=True)).body["id"]
        await upstream.asked(2)
        assert (await b.delete(id)).status == 200
        await asyncio.wait_for(upstream.requests[1].left.wait(), BOUND)


async def test_what_one_process_ended_has_ended_for_the_one_that_carried_it(home: Home, upstream: Upstream):
    upstream.taking.clear()
    async with home.serve() as server, clients(server) as (a, b, _):
        cancelled = (await a.create("hello", background=True)).body["id"]
        deleted = (await a.create("hi", background=True)).body["id"]
        await upstream.asked(2)
        assert (await b.cancel(cancelled)).body["status"] == "cancelled"
        assert (await a.get(cancelled)).body["status"] == "cancelled"
        assert (await b.delete(deleted)).status == 200
        assert (await a.get(deleted)).status == 404


async def test_many_at_once_are_all_answered(home: Home, upstream: Upstream):
    upstream.deltas = 10

    async def converse(client: Client, number: int) -> None:
        first = await client.create(f"call {number}")
        assert first.text == answer_to(f"call {number}", 10)
        stream = client.stream(f"and {number}", previous_interaction_id=first.body["id"])
        assert text_of(await stream.whole()) == answer_to(f"and {number}", 10)
        background = await client.create(f"then {number}", background=True)
        assert text_of(await client.follow(background.body["id"]).whole()) == answer_to(f"then {number}", 10)
        assert (await client.delete(first.body["id"])).status == 200

    async with home.serve() as server, clients(server) as all_of_them:
        await asyncio.gather(*(converse(all_of_them[number % SIZE], number) for number in range(90)))
        assert server.lines == [f"{READY}{server.url}"]


async def test_one_that_stands_still_is_given_no_more_than_a_few(home: Home):
    most = 43
    async with home.serve() as server, AsyncExitStack() as stack:
        still = max(processes(server))
        os.kill(still, signal.SIGSTOP)
        stack.callback(os.kill, still, signal.SIGCONT)
        asking = [asyncio.create_task(is_well(server.url)) for _ in range(200)]
        stack.callback(lambda: [one.cancel() for one in asking])

        async def are_answered() -> bool:
            return sum(one.done() for one in asking) >= len(asking) - most

        await until(are_answered)
        os.kill(still, signal.SIGCONT)
        assert await asyncio.gather(*asking) == [200] * len(asking)


async def is_well(url: str) -> int:
    """What a server says on a connection of its own."""
    async with open_client(url) as client:
        return await client.status("/healthz")


# -- whichever dies


async def test_the_others_go_on_where_one_was_killed(home: Home, upstream: Upstream):
    upstream.deltas = 40
    upstream.telling.clear()
    async with home.serve() as server:
        before = processes(server)
        async with open_client(server.url) as a:
            cut = a.stream("hello")
            reading = asyncio.create_task(read_until_it_breaks(cut))
            await shows(cut, 20)
            (victim,) = (pid for pid, count in connected(server).items() if count)
            async with open_client(server.url) as b:
                id = (await b.create("hi", background=True)).body["id"]
                await upstream.asked(2)
            os.kill(victim, signal.SIGKILL)
            await reading
        assert not cut.done
        await server.prints(lambda line: "was ended by SIGKILL; another takes its place" in line)
        upstream.telling.set()
        async with clients(server) as (a, b, _):
            cut.frames += await a.follow(cut.id, cut.frames[-1].event_id).whole()
            await check_whole(b, cut.id, cut, answer_to("hello", 40))
            assert text_of(await b.follow(id).whole()) == answer_to("hi", 40)

        await until_whole(server)
        assert processes(server) & before == before - {victim}


async def test_one_that_is_stopped_by_itself_hands_its_runs_over(home: Home, upstream: Upstream):
    upstream.deltas = 40
    upstream.telling.clear()
    async with home.serve() as server:
        async with open_client(server.url) as a:
            cut = a.stream("hello")
            reading = asyncio.create_task(read_until_it_breaks(cut))
            await shows(cut, 20)
            (stopped,) = (pid for pid, count in connected(server).items() if count)
            os.kill(stopped, signal.SIGTERM)
            await reading
        assert cut.frames.pop().name == "error"
        upstream.telling.set()
        await server.prints(lambda line: "ended with code 0; another takes its place" in line)
        async with clients(server) as (a, b, _):
            cut.frames += await a.follow(cut.id, cut.frames[-1].event_id).whole()
            await check_whole(b, cut.id, cut, answer_to("hello", 40))


async def test_when_the_parent_is_killed_nobody_stays_and_the_next_server_goes_on(home: Home, upstream: Upstream):
    upstream.deltas = 40
    upstream.telling.clear()
    async with home.serve() as server, open_client(server.url) as client:
        cut = client.stream("hello")
        reading = asyncio.create_task(read_until_it_breaks(cut))
        await shows(cut, 20)
        family = descendants(server.pid)
        assert len(family) >= SIZE
        await server.stop(signal.SIGKILL)
        await reading
        await asyncio.gather(*(gone(pid) for pid in family))
    upstream.telling.set()
    async with home.serve() as server, clients(server) as (a, b, _):
        cut.frames += await a.follow(cut.id, cut.frames[-1].event_id).whole()
        await check_whole(b, cut.id, cut, answer_to("hello", 40))


# -- signals


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
async def test_a_signal_stops_all_in_peace(home: Home, upstream: Upstream, how: signal.Signals):
    upstream.deltas = 40
    upstream.telling.clear()
    async with home.serve() as server, clients(server) as all_of_them:
        family = descendants(server.pid)
        streams = [client.stream(f"call {number}") for number, client in enumerate(all_of_them)]
        readings = [asyncio.create_task(read_until_it_breaks(stream)) for stream in streams]
        await asyncio.gather(*(shows(stream, 20) for stream in streams))
        assert await server.stop(how) == 0
        await asyncio.gather(*readings)
        assert server.lines == [f"{READY}{server.url}"]
        assert not any(is_there(pid) for pid in family)
    assert [path.name for path in home.data.iterdir() if path.name.endswith(("-wal", "-shm"))] == []
    assert {stream.frames.pop().name for stream in streams} == {"error"}
    upstream.telling.set()
    async with home.serve() as server, clients(server) as all_of_them:
        for number, (client, stream) in enumerate(zip(all_of_them, streams, strict=True)):
            stream.frames += await client.follow(stream.id, stream.frames[-1].event_id).whole()
            await check_whole(client, stream.id, stream, answer_to(f"call {number}", 40))


async def test_a_second_signal_does_not_wait_for_anyone(home: Home, upstream: Upstream):
    upstream.taking.clear()
    async with home.serve() as server, open_client(server.url) as client:
        asking = asyncio.create_task(client.create("hello"))
        await upstream.asked(1)
        stopping = asyncio.create_task(server.stop())
        await refused(server.url)
        assert await server.stop() == 0
        assert await stopping == 0
        assert (await asking).status == 503


async def test_one_that_does_not_move_any_more_is_ended_with_the_others(home: Home):
    async with home.serve() as server:
        family, folder = processes(server), lender(server)
        os.kill(max(family), signal.SIGSTOP)
        stopping = asyncio.create_task(server.stop())
        await refused(server.url)
        assert await server.stop() == 1
        assert await stopping == 1
        assert not any(is_there(pid) for pid in family)
        assert not folder.exists()
    async with home.serve() as server:
        assert len(processes(server)) == SIZE


async def test_a_signal_at_the_start_stops_all_in_peace(home: Home):
    async with home.starting("serve", "--port", "0") as server:

        async def are_there() -> bool:
            return len(processes(server)) == SIZE

        await until(are_there)
        assert await server.stop() == 0
        assert server.lines == []


async def refused(url: str) -> None:
    """Wait until no new connection is taken."""
    host, _, port = url.removeprefix("http://").rpartition(":")

    async def is_refused() -> bool:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except ConnectionError:
            return True
        writer.close()
        return False

    await until(is_refused)


async def test_a_hangup_gives_other_models_to_all(home: Home, upstream: Upstream):
    async with open_upstream(deltas=5) as other, home.serve() as server, clients(server) as all_of_them:
        home.configure(settings(other))
        os.kill(server.pid, signal.SIGHUP)
        for number in range(1, SIZE + 1):
            await server.prints(lambda line, who=f"process {number}: ": who in line and "'*' has changed" in line)
        for client in all_of_them:
            assert (await client.create("hello")).text == answer_to("hello", 5)

        home.configure(settings(upstream) + '[models.a]\nengine = "openai"')
        os.kill(server.pid, signal.SIGHUP)
        await server.prints(lambda line: "the models stay as they were: models.a: " in line)
        (victim, *_) = processes(server)
        os.kill(victim, signal.SIGKILL)
        await server.prints(lambda line: "another takes its place" in line)
        await until_whole(server)
        async with clients(server) as all_of_them_anew:
            for client in all_of_them_anew:
                assert (await client.create("hello")).text == answer_to("hello", 5)
        assert sum("the models stay as they were" in line for line in server.lines) == 1


async def until_whole(server: Server) -> None:
    """Wait until all processes take connections."""
    async with AsyncExitStack() as stack:

        async def are_all_used() -> bool:
            client = await stack.enter_async_context(open_client(server.url))
            assert (await client.get("nothing")).status == 404
            return len(processes(server)) == SIZE and min(connected(server).values()) > 0

        await until(are_all_used)


# -- the embedded engine


def engines(server: Server) -> set[int]:
    """The ids of the processes that run weights."""
    return {pid for pid in descendants(server.pid) if b"embedded_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.mark.model
async def test_all_processes_share_one_engine(home: Home, weights: Path):
    home.environment["TURNWISE_MODELS_DIR"] = str(weights.parent)
    home.configure(f"processes = {SIZE}\n")
    asked = {"generation_config": {"max_output_tokens": 4, "temperature": 0}}
    async with home.serve() as server, clients(server) as all_of_them:
        replies = await asyncio.gather(*(client.create("Hello", **asked) for client in all_of_them))
        assert len({reply.text for reply in replies}) == 1
        (engine,) = engines(server)
        (victim, *_) = processes(server)
        os.kill(victim, signal.SIGKILL)
        await server.prints(lambda line: "another takes its place" in line)
        await until_whole(server)
        assert engines(server) == {engine}

        os.kill(engine, signal.SIGKILL)
        await gone(engine)
        async with clients(server) as all_of_them_anew:
            replies = await asyncio.gather(*(client.create("Hello", **asked) for client in all_of_them_anew))
        assert [reply.status for reply in replies] == [200] * SIZE
        (another,) = engines(server)
        assert another != engine

        home.configure(f'processes = {SIZE}\n[models."*"]\ncontext_tokens = 1024\n')
        os.kill(server.pid, signal.SIGHUP)
        await gone(another)
        async with clients(server) as all_of_them_anew:
            replies = await asyncio.gather(*(client.create("Hello", **asked) for client in all_of_them_anew))
        assert [reply.status for reply in replies] == [200] * SIZE
        (last,) = engines(server)
        assert await server.stop() == 0
        assert not is_there(last)


# -- on PostgreSQL


@pytest.mark.postgres
async def test_an_api_and_a_worker_may_be_several_processes_too(home: Home, postgres_url: str, upstream: Upstream):
    home.environment["TURNWISE_DATABASE_URL"] = postgres_url
    assert (await home.run("migrate")).code == 0
    async with (
        home.starting("api", "--port", "0") as api,
        home.starting("worker", "--processes", "2") as worker,
    ):
        await asyncio.gather(api.ready(), worker.prints(lambda line: line == "turnwise worker ready"))
        assert (len(processes(api)), len(processes(worker))) == (SIZE, 2)
        async with clients(api) as (a, b, _):
            id = (await a.create("hello", background=True)).body["id"]
            assert text_of(await b.follow(id).whole()) == answer_to("hello", 3)
        assert [await server.stop() for server in (api, worker)] == [0, 0]
