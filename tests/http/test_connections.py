"""Connections: clients that leave at any moment, many at once, and a server that stops while they are there."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import ref

import aiohttp
import pytest
from starlette.types import Message
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from support import (
    PATIENCE,
    App,
    HeldStore,
    Served,
    carried,
    nothing_kept_of,
    open_app,
    parse_frames,
    serve,
    started_tasks,
    until,
    within,
    words,
)
from turnwise.engine.journal import Recording
from turnwise.http.server import Connection, write_at_once
from turnwise.http.streaming import EventStream
from turnwise.models.model import Finished, Taken, TextFragment
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.store import Store

UNSTORED = {"store": False}


async def read_until(reply: aiohttp.ClientResponse, words: bytes) -> bytes:
    """What comes, up to these words."""
    body = b""
    async with asyncio.timeout(PATIENCE):
        while words not in body:
            data = await reply.content.readany()
            assert data, f"the stream ended without {words!r}: {body!r}"
            body += data
    return body


async def test_a_stream_comes_as_it_is_made_and_not_at_its_end():
    gate = asyncio.Event()
    script = [Taken(), TextFragment("Half"), gate, *say(" whole")[1:]]
    async with serve(script) as served, served.post(stream=True) as reply:
        assert (reply.status, reply.content_type) == (200, "text/event-stream")
        assert reply.headers["transfer-encoding"] == "chunked"
        begun = await read_until(reply, b'"Half"')
        assert b"whole" not in begun
        gate.set()
        frames = parse_frames(begun + await reply.read())
        assert frames[-1].data == "[DONE]"


async def test_a_stream_opens_after_a_while_even_if_the_model_has_not_taken_the_prompt(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("turnwise.engine.interactions.OPENING_PATIENCE", 0.01)
    gate = asyncio.Event()
    async with serve([gate, *say("Hello")]) as served, served.post(stream=True) as reply:
        assert reply.status == 200
        begun = await read_until(reply, b'"in_progress"}\n\n')
        gate.set()
        frames = parse_frames(begun + await reply.read())
        assert [frame.name for frame in frames[:2]] == ["interaction.created", "interaction.status_update"]
        assert frames[-1].data == "[DONE]"


async def test_the_head_of_a_stream_comes_at_once_though_nothing_is_told_for_long():
    gate = asyncio.Event()
    async with serve([Taken(), gate, *say("Hello")[1:]]) as served, served.post(stream=True) as begun:
        last = parse_frames(await read_until(begun, b'"in_progress"}\n\n'))[-1].id
        async with served.get(f"interactions/int_1?stream=true&last_event_id={last}") as reply:
            assert reply.status == 200
            gate.set()
            assert b"Hello" in await reply.read()


async def test_an_answer_without_a_body_has_its_head():
    async with serve() as served, served.client.head(f"{served.url}/docs") as reply:
        assert (reply.status, await reply.read()) == (200, b"")
        assert int(reply.headers["content-length"]) > 0


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/"), ("GET", "/"), ("GET", "/v1/nothing")])
async def test_a_client_that_has_said_all_it_will_say_is_answered(method: str, path: str):
    async with serve() as served:
        host, _, port = served.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        writer.write_eof()
        assert (await within(reader.read())).startswith(b"HTTP/1.1 ")
        writer.close()


async def test_a_quiet_connection_is_kept_alive_with_comments():
    gate = asyncio.Event()
    async with serve([Taken(), gate, *say("Hello")[1:]], idle=0.01) as served, served.post(stream=True) as reply:
        begun = await read_until(reply, b": keep-alive\n\n: keep-alive\n\n")
        gate.set()
        frames = parse_frames(begun + await reply.read())
        assert [frame.name for frame in frames[-2:]] == ["interaction.completed", "done"]


async def test_a_stored_stream_goes_on_when_its_client_is_gone(any_store: Store):
    gate = asyncio.Event()
    async with serve([Taken(), TextFragment("Half"), gate, *say(" whole")[1:]], store=any_store) as served:
        async with served.post(stream=True) as reply:
            begun = parse_frames(await read_until(reply, b'"Half"}}\n\n'))
        gate.set()
        async with served.get(f"interactions/int_1?stream=true&last_event_id={begun[-1].id}") as reply:
            rest = parse_frames(await reply.read())
        assert b" whole" in b"".join(frame.raw for frame in rest)
        async with served.get("interactions/int_1") as reply:
            body = await reply.json()
        assert (body["status"], body["steps"][-1]["content"][0]["text"]) == ("completed", "Half whole")
        assert served.app.model.left_early == 0


async def test_an_unstored_stream_ends_when_its_client_is_gone():
    script = [Taken(), TextFragment("Half"), asyncio.Event()]
    async with serve(script) as served, served.post(stream=True, **UNSTORED) as reply:
        await read_until(reply, b'"Half"')
        reply.close()
        await until(lambda: served.app.model.left_early == 1)


async def raw_post(served: Served, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A create by hand, over a connection that the test can cut."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/interactions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    return reader, writer


async def test_a_client_that_reads_slowly_gets_every_byte_once_and_in_order(monkeypatch: pytest.MonkeyPatch):
    at_once: list[bool] = []

    def written(answer: "ref[RequestResponseCycle]", data: bytes) -> bool:
        at_once.append(write_at_once(answer, data))
        return at_once[-1]

    monkeypatch.setattr("turnwise.http.server.write_at_once", written)
    is_read, long = asyncio.Event(), [TextFragment(f"{number} {'x' * 40_000}") for number in range(600)]
    async with serve([Taken(), TextFragment("Half"), is_read, *long, Finished("stop")]) as served:
        reader, writer = await raw_post(served, b'{"model": "m", "input": "Hi", "stream": true}')
        head = await within(reader.readuntil(b'"Half"'))
        is_read.set()
        await until(lambda: served.app.interactions._journal.live("int_1") is None)
        assert (at_once[0], at_once[-1]) == (True, False)
        body = head.partition(b"\r\n\r\n")[2]
        while not body.endswith(b"\r\n0\r\n\r\n"):
            body += await within(reader.read(2**20))
        writer.close()
        async with served.get("interactions/int_1?stream=true") as reply:
            kept = await reply.read()
        assert dechunked(body) == kept
        assert len(kept) > 20_000_000


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_was_answered_leaves_nothing_behind_for_the_garbage_collector(stream: bool):
    async with serve(say("Hello")) as served:

        async def call() -> None:
            async with served.post(stream=stream) as reply:
                await reply.read()

        async def greet() -> None:
            async with served.client.get(f"{served.url}/healthz") as reply:
                await reply.read()

        await greet()
        with nothing_kept_of(EventStream, Recording) as is_gone:
            await call()
            await greet()  # which the connection keeps in its place
            assert is_gone()
            assert sum(isinstance(one, RequestResponseCycle) for one in gc.get_objects()) == 1


async def test_calls_that_come_before_the_answer_is_out_are_answered_behind_it():
    gate = asyncio.Event()
    async with serve([Taken(), TextFragment("Half"), gate, *say(" whole")[1:]]) as served:
        reader, writer = await raw_post(served, b'{"model": "m", "input": "Hi", "stream": true}')
        begun = await within(reader.readuntil(b'"Half"'))
        writer.write(b"GET /v1/models/m HTTP/1.1\r\nhost: x\r\n\r\n")
        await writer.drain()
        gate.set()
        stream = begun + await within(reader.readuntil(b"0\r\n\r\n"))
        assert b" whole" in stream
        assert b"models/m" not in stream
        assert b'"models/m"' in await within(reader.readuntil(b'"models/m"'))
        writer.close()


def dechunked(body: bytes) -> bytes:
    """The bytes of a body that came in chunks."""
    whole = []
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return b"".join(whole)
        whole.append(body[:length])
        assert body[length : length + 2] == b"\r\n"
        body = body[length + 2 :]


@pytest.mark.parametrize("taken", [False, True])
async def test_an_unstored_plain_call_ends_when_its_client_is_gone(taken: bool):
    script = [Taken(), TextFragment("Half"), asyncio.Event()] if taken else [asyncio.Event()]
    async with serve(script) as served:
        _, writer = await raw_post(served, b'{"model": "m", "input": "Hi", "store": false}')
        await until(lambda: len(served.app.model.prompts) == 1)
        writer.close()
        await until(lambda: served.app.model.left_early == 1)


async def test_a_stored_plain_call_goes_on_when_its_client_is_gone():
    gate = asyncio.Event()
    async with serve([Taken(), gate, *say("Hello")[1:]]) as served:
        _, writer = await raw_post(served, b'{"model": "m", "input": "Hi"}')
        await until(lambda: len(served.app.model.prompts) == 1)
        writer.close()
        await writer.wait_closed()
        gate.set()
        body: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE):
            while body.get("status") != "completed":
                async with served.get("interactions/int_1") as reply:
                    body = await reply.json()
        assert served.app.model.left_early == 0


async def test_a_client_that_leaves_in_the_middle_of_its_body_runs_nothing():
    async with serve() as served:
        host, _, port = served.url.removeprefix("http://").partition(":")
        before = asyncio.all_tasks()
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /v1/interactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
        writer.write(b'content-length: 1000\r\n\r\n{"model": ')
        await writer.drain()
        await until(lambda: started_tasks(before) != [])
        writer.close()
        await until(lambda: started_tasks(before) == [])
        assert served.app.model.prompts == []


async def connected(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that says nothing by itself."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    return await within(asyncio.open_connection(host, int(port)))


async def test_a_connection_that_never_says_anything_does_not_keep_its_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("turnwise.http.server.take_descriptors", lambda: 1)
    monkeypatch.setattr("turnwise.http.server.SILENCE", 0.01)
    async with serve() as served:
        reader, writer = await connected(served)
        assert await within(reader.read()) == b""
        async with served.client.get(f"{served.url}/healthz") as reply:
            assert reply.status == 200
        writer.close()


async def test_a_connection_that_has_begun_to_say_something_may_go_on(monkeypatch: pytest.MonkeyPatch):
    armed: list[asyncio.TimerHandle] = []

    class Watched(Connection):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            assert self.timeout_keep_alive_task is not None
            armed.append(self.timeout_keep_alive_task)

    monkeypatch.setattr("turnwise.http.server.Connection", Watched)
    async with serve() as served:
        reader, writer = await connected(served)
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        await until(lambda: bool(armed) and armed[0].cancelled())
        writer.write(b"host: x\r\n\r\n")
        assert await within(reader.readuntil(b"ok\n"))
        writer.close()


async def test_what_asks_for_a_websocket_is_answered_as_the_call_that_it_is(caplog: pytest.LogCaptureFixture):
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    async with serve() as served:
        for _ in range(2):
            async with served.client.get(f"{served.url}/v1/models/m", headers=upgrade) as reply:
                assert (reply.status, (await reply.json())["name"]) == (200, "models/m")
    assert "WebSocket library" not in caplog.text


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_a_body_behind_a_wish_for_another_protocol_is_no_call_of_its_own(protocol: str):
    smuggled = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    async with serve() as served:
        reader, writer = await connected(served)
        head = f"POST /v1/interactions HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n"
        writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(smuggled)}\r\n\r\n".encode())
        begun = await within(reader.readuntil(b"\r\n\r\n"))
        assert begun.startswith(b"HTTP/1.1 400 ")
        writer.write(smuggled)
        rest = await within(reader.read())
        assert b"HTTP/1.1" not in rest
        writer.close()


async def test_a_client_that_stops_reading_does_not_hold_the_run():
    async with serve(say(*["x" * 10_000] * 1000), store=HeldStore()) as served:
        reader, writer = await raw_post(served, b'{"model": "m", "input": "Hi", "stream": true}')
        await within(reader.readuntil(b"interaction.created"))
        await until(lambda: served.app.store.calls["finish"] == 1)
        writer.close()


async def test_two_hundred_streams_at_once_are_all_whole(any_store: Store):
    said = words(20)
    model = ScriptedModel(answer=lambda prompt: say(*said))
    async with serve(store=any_store, model=model) as served:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as client:

            async def stream() -> list[str]:
                body = {"model": "m", "input": "Hi", "stream": True}
                async with client.post(f"{served.url}/v1/interactions", json=body) as reply:
                    frames = parse_frames(await reply.read())
                assert [frame.name for frame in frames[-2:]] == ["interaction.completed", "done"]
                return [frame.data["delta"]["text"] for frame in frames if frame.name == "step.delta"]

            streams = await within(asyncio.gather(*(stream() for _ in range(200))))
        assert {"".join(pieces) for pieces in streams} == {"".join(said)}
        assert await carried(any_store) == {}


async def test_readers_of_one_run_come_and_go_and_those_who_stay_see_the_same():
    gates = [asyncio.Event() for _ in range(5)]
    script = [line for gate, word in zip(gates, words(5), strict=True) for line in (gate, TextFragment(word))]
    async with serve([Taken(), *script, Finished("stop")]) as served:
        async with served.post(background=True) as reply:
            id = (await reply.json())["id"]

        async def stay() -> bytes:
            async with served.get(f"interactions/{id}?stream=true") as reply:
                return await reply.read()

        async def leave() -> None:
            async with served.get(f"interactions/{id}?stream=true") as reply:
                await read_until(reply, b"status_update")
                reply.close()

        staying = []
        for gate in gates:
            staying.append(asyncio.create_task(stay()))
            await within(asyncio.gather(leave(), leave()))
            gate.set()
        bodies = [await within(reading) for reading in staying]
        assert len(set(bodies)) == 1
        assert parse_frames(bodies[0])[-1].data == "[DONE]"


async def test_streams_of_a_server_that_stops_break_off_and_say_where_they_go_on(any_store: Store):
    async with serve([Taken(), TextFragment("Half"), asyncio.Event()], store=any_store) as served:
        async with served.post(stream=True) as reply:
            begun = await read_until(reply, b'"Half"')
            served.server.should_exit = True
            frames = parse_frames(begun + await within(reply.read()))
        assert frames[-1].name == "error"
        assert frames[-1].data["error"]["code"] == "service_unavailable"
        assert "last_event_id" in frames[-1].data["error"]["message"]
        assert {"interaction.completed", "done"}.isdisjoint(frame.name for frame in frames)
        loaded = await any_store.load("int_1", "local")
        assert loaded is not None
        assert loaded.status == "in_progress"


async def test_a_connection_serves_many_calls():
    async with serve() as served:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as client:
            for stream in (False, True, False, True):
                body = {"model": "m", "input": "Hi", "stream": stream}
                async with client.post(f"{served.url}/v1/interactions", json=body) as reply:
                    assert (await reply.read()) != b""
        assert len(served.app.model.prompts) == 4


@pytest.mark.parametrize(
    ("method", "path", "status", "phrase"),
    [
        ("POST", "interactions", 415, "Unsupported Media Type"),
        ("GET", "interactions/int_1", 404, "Not Found"),
        ("GET", "interactions/int_1?colour=red", 400, "Bad Request"),
        ("PUT", "interactions", 405, "Method Not Allowed"),
        ("GET", "triggers", 501, "Not Implemented"),
    ],
)
async def test_an_error_has_its_reason_phrase(method: str, path: str, status: int, phrase: str):
    async with serve() as served, served.client.request(method, f"{served.url}/v1/{path}") as reply:
        assert (reply.status, reply.reason) == (status, phrase)


async def test_our_own_fault_is_a_500_that_does_not_show_it():
    async with serve([ZeroDivisionError("secret")]) as served, served.post() as reply:
        assert (reply.status, reply.reason) == (500, "Internal Server Error")
        error = (await reply.json())["error"]
        assert error == {"code": "api_error", "message": "turnwise failed on this request; its log has the reason"}


# -- by hand: a client that leaves at an exact moment


@asynccontextmanager
async def calling(
    app: App, body: bytes, *, leave_after: int, slow_after: int = 1000
) -> AsyncIterator[asyncio.Task[None]]:
    """A create whose client is gone after so many messages, and reads no more after so many."""
    gone = asyncio.Event()
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) >= leave_after:
            gone.set()
        if len(sent) >= slow_after:
            await asyncio.get_running_loop().create_future()

    if leave_after == 0:
        gone.set()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/interactions",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    task = asyncio.create_task(app.asgi(scope, receive, send))
    yield task
    await within(asyncio.wait({task}))


@pytest.mark.parametrize("leave_after", range(5))
@pytest.mark.parametrize("slow", [False, True], ids=["reads", "stopped reading"])
async def test_an_unstored_stream_ends_with_its_client_whenever_it_leaves(leave_after: int, slow: bool):
    async with open_app([Taken(), TextFragment("a"), asyncio.Event()]) as app:
        body = b'{"model": "m", "input": "Hi", "stream": true, "store": false}'
        slow_after = max(leave_after, 1) if slow else 1000
        async with calling(app, body, leave_after=min(leave_after, 2), slow_after=slow_after) as task:
            await until(lambda: len(app.model.prompts) == 1)
        assert task.exception() is None
        assert app.model.left_early == 1


@pytest.mark.parametrize("leave_after", range(5))
async def test_a_stored_stream_goes_on_whenever_its_client_leaves(leave_after: int):
    store, more, gate = HeldStore(), asyncio.Event(), asyncio.Event()
    async with open_app([Taken(), more, TextFragment("a"), gate, *say("b")[1:]], store=store) as app:
        body = b'{"model": "m", "input": "Hi", "stream": true}'
        async with calling(app, body, leave_after=min(leave_after, 3)) as task:
            await until(lambda: store.calls["create"] == 1)
            more.set()
        assert task.exception() is None
        gate.set()
        reply = await app.ask("GET", "/v1/interactions/int_1?stream=true")
        assert reply.frames[-2].data["interaction"]["status"] == "completed"


async def test_a_slow_client_that_leaves_takes_its_reading_along():
    async with open_app(say(*words(50))) as app:
        before = asyncio.all_tasks()
        body = b'{"model": "m", "input": "Hi", "stream": true}'
        async with calling(app, body, leave_after=2, slow_after=2) as task:
            pass
        assert task.exception() is None
        await until(lambda: started_tasks(before) == [])
