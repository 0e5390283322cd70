"""Streams: their frames, going on after any of them, and what becomes of errors once the first byte is out."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from support import (
    NOON,
    App,
    Frame,
    HeldStore,
    Reply,
    nothing_kept_of,
    open_app,
    parse_frames,
    turn,
    until,
    within,
    words,
)
from turnwise.domain.errors import Internal, ModelUnavailable
from turnwise.domain.events import Created, End, Event, StatusUpdate
from turnwise.domain.interaction import Interaction, Status, Usage
from turnwise.http.streaming import AT_ONCE, EventStream
from turnwise.models.model import Finished, Fragment, Taken, TextFragment, ThoughtFragment, UsageFragment
from turnwise.models.scripted import say
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import Store
from turnwise.wire.steps.render import render_event

AT = "/v1beta/interactions"
DIALECTS = {
    "outputs": {"x-goog-api-client": "google-genai-sdk/1.55.0"},
    "steps": {"x-goog-api-client": "google-genai-sdk/3.4.0"},
}
BOTH = pytest.mark.parametrize("dialect", DIALECTS)
FIRST = {"outputs": "interaction.start", "steps": "interaction.created"}
LAST = {"outputs": "interaction.complete", "steps": "interaction.completed"}


def long_answer() -> list[Fragment]:
    """Thoughts and text by turns, so that every kind of frame is in it."""
    said: list[Fragment] = [Taken()]
    for i in range(3):
        said += [ThoughtFragment(f"hm {i}\n\n"), ThoughtFragment("so"), *map(TextFragment, words(8))]
    return [*said, UsageFragment(Usage({"text": 3}, {"text": 30})), Finished("stop")]


async def stream(app: App, id: str, dialect: str, after: str | None = None) -> Reply:
    resume = "" if after is None else f"&last_event_id={after}"
    reply = await app.ask("GET", f"{AT}/{id}?stream=true{resume}", headers=DIALECTS[dialect])
    assert reply.status == 200, reply.body
    return reply


def tails(frames: Sequence[Frame]) -> list[tuple[str, bytes]]:
    """Each event_id of a stream, and the very bytes that followed it."""
    return [
        (frame.id, b"".join(later.raw for later in frames[i:]))
        for i, frame in enumerate(frames, 1)
        if frame.id is not None
    ]


async def whole_text(frames: Sequence[Frame]) -> str:
    return "".join(frame.data["delta"].get("text", "") for frame in frames if frame.name.endswith(".delta"))


async def test_what_comes_last_leaves_together_with_the_end():
    async with open_app(say("Hello")) as app:
        sent = await app.messages("POST", AT, json={"model": "m", "input": "Hi", "stream": True})
        assert sent[-1]["more_body"] is False
        assert b"interaction.complete" in sent[-1]["body"]
        assert sent[-1]["body"].endswith(b"data: [DONE]\n\n")


async def test_nothing_is_left_to_close_when_the_end_is_out():
    is_out, is_closed = asyncio.Event(), False

    async def groups():
        nonlocal is_closed
        try:
            yield [(1, End(Status.COMPLETED, None, NOON))]
        finally:
            await asyncio.sleep(0.01)  # as whatever hands something back
            is_closed = True

    async def receive():
        await is_out.wait()
        return {"type": "http.disconnect"}  # as servers say behind the last byte

    async def send(message):
        if message["type"] == "http.response.body" and not message["more_body"]:
            assert is_closed
            is_out.set()
            await asyncio.sleep(0)

    interaction = Interaction("int_1", "ann", turn(), created=NOON, updated=NOON)
    await EventStream(interaction, render_event).of(groups())({"type": "http"}, receive, send)
    assert is_out.is_set()


class Server:
    """What an application sees of a server that can write at once."""

    def __init__(self) -> None:
        self.out: list[tuple[str, bytes]] = []
        self.scope = {"type": "http", "extensions": {AT_ONCE: self.write}}

    def write(self, data: bytes) -> bool:
        self.out.append(("at once", data))
        return True

    async def send(self, message: Message) -> None:
        self.out.append(("in turn", message.get("body", b"")))

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError


async def test_frames_are_written_by_whoever_tells_the_events_while_the_stream_waits():
    server, told = Server(), asyncio.Event()
    interaction = Interaction("int_1", "ann", turn(), created=NOON, updated=NOON)
    response = EventStream(interaction, render_event)

    async def groups():
        yield [(1, Created())]
        assert response.take([(2, StatusUpdate(Status.IN_PROGRESS))])
        assert not response.take([(3, End(Status.COMPLETED, None, NOON))])  # what comes last leaves with it
        told.set()
        yield [(3, End(Status.COMPLETED, None, NOON))]

    await within(response.of(groups())(server.scope, server.receive, server.send))
    assert told.is_set()
    assert [how for how, _ in server.out] == ["in turn", "in turn", "at once", "in turn"]
    frames = parse_frames(b"".join(data for _, data in server.out))
    assert [frame.id for frame in frames] == ["1", "2", "3", None]


async def test_what_cannot_be_rendered_is_told_by_the_stream_and_disturbs_nobody_else():
    server = Server()
    interaction = Interaction("int_1", "ann", turn(), created=NOON, updated=NOON)

    def render(event: Event, position: int, interaction: Interaction) -> tuple[str, dict[str, Any]] | None:
        if isinstance(event, StatusUpdate):
            raise ZeroDivisionError
        return render_event(event, position, interaction)

    response = EventStream(interaction, render)

    async def groups():
        yield [(1, Created())]
        assert not response.take([(2, StatusUpdate(Status.IN_PROGRESS))])
        yield [(2, StatusUpdate(Status.IN_PROGRESS))]

    await within(response.of(groups())(server.scope, server.receive, server.send))
    assert {how for how, _ in server.out} == {"in turn"}
    assert "error" in [frame.name for frame in parse_frames(b"".join(data for _, data in server.out))]


async def test_an_error_that_a_run_keeps_does_not_keep_the_streams_that_told_it():
    kept = Internal("the disk is full")

    async def groups():
        yield [(1, Created())]
        raise kept

    async def read() -> None:
        interaction = Interaction("int_1", "ann", turn(), created=NOON, updated=NOON)
        server = Server()
        await within(EventStream(interaction, render_event).of(groups())(server.scope, server.receive, server.send))

    with nothing_kept_of(EventStream) as is_gone:
        await read()
        assert is_gone()


@BOTH
async def test_a_stream_is_frames_in_order_and_nothing_else(dialect: str):
    async with open_app(long_answer()) as app:
        body = {"model": "m", "input": "Hi", "stream": True}
        reply = await app.ask("POST", AT, json=body, headers=DIALECTS[dialect])
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert reply.headers["cache-control"] == "no-cache"
        assert "content-length" not in reply.headers
        frames = reply.frames
        assert [frame.name for frame in frames[:2]] == [FIRST[dialect], "interaction.status_update"]
        assert [frame.name for frame in frames[-2:]] == [LAST[dialect], "done"]
        assert frames[-1].raw == b"event: done\ndata: [DONE]\n\n"
        assert [frame.name for frame in frames].count(FIRST[dialect]) == 1
        assert all(frame.data["event_type"] == frame.name for frame in frames[:-1])
        ids = [int(frame.id) for frame in frames[:-1]]
        assert ids == sorted(set(ids))
        assert b"\nid:" not in reply.body
        assert await whole_text(frames) == "".join(words(8)) * 3
        assert frames[-2].data["interaction"]["usage"]["total_tokens"] == 33


@BOTH
async def test_every_index_starts_and_stops_once_in_order(dialect: str):
    async with open_app(long_answer()) as app:
        frames = await app.create(stream=True, headers=DIALECTS[dialect])
        starts = [frame.data["index"] for frame in frames if frame.name.endswith((".start",)) and "index" in frame.data]
        stops = [frame.data["index"] for frame in frames if frame.name.endswith(".stop")]
        assert starts == stops == list(range(6))


@BOTH
async def test_going_on_after_each_event_gives_the_very_rest(any_store: Store, dialect: str):
    async with open_app(long_answer(), store=any_store) as app:
        frames = await app.create(stream=True, headers=DIALECTS[dialect])
        assert (await stream(app, "int_1", dialect)).body == b"".join(frame.raw for frame in frames)
        for id, rest in tails(frames):
            assert (await stream(app, "int_1", dialect, after=id)).body == rest


@BOTH
async def test_going_on_while_the_run_goes_on_gives_the_very_rest(dialect: str):
    gates = [asyncio.Event() for _ in range(6)]
    script = [line for gate, line in zip(gates, words(6), strict=True) for line in (TextFragment(line), gate)]
    async with open_app([Taken(), *script, Finished("stop")]) as app:
        made = await app.create(background=True, headers=DIALECTS[dialect])
        first = asyncio.create_task(stream(app, made["id"], dialect))
        later = []
        for number, gate in enumerate(gates):
            later += [asyncio.create_task(stream(app, made["id"], dialect, after=str(n))) for n in range(1, number + 2)]
            gate.set()
            for _ in range(20):
                await asyncio.sleep(0)
        frames = (await first).frames
        rests = dict(tails(frames))
        compared = 0
        for reading, after in zip(later, (n for number in range(6) for n in range(1, number + 2)), strict=True):
            body = (await reading).body
            if str(after) in rests:
                assert body == rests[str(after)]
                compared += 1
        assert compared > 10


@BOTH
async def test_a_stream_from_one_dialect_goes_on_in_the_other(dialect: str):
    other = "steps" if dialect == "outputs" else "outputs"
    async with open_app(long_answer()) as app:
        frames = await app.create(stream=True, headers=DIALECTS[dialect])
        in_other = (await stream(app, "int_1", other)).frames
        for id, _ in tails(frames):
            rest = (await stream(app, "int_1", other, after=id)).frames
            expected = [frame for frame in in_other if frame.id is None or int(frame.id) > int(id)]
            assert [frame.raw for frame in rest] == [frame.raw for frame in expected]


@BOTH
async def test_going_on_after_the_server_was_started_anew_gives_the_very_rest(tmp_path: Path, dialect: str):
    store = await open_sqlite(tmp_path / "turnwise.db")
    async with open_app(long_answer(), say("Hello"), store=store) as app:
        frames = await app.create(stream=True, headers=DIALECTS[dialect])
        await app.create("plain")
        plain = await stream(app, "int_2", dialect)
    await store.close()
    store = await open_sqlite(tmp_path / "turnwise.db")
    async with open_app(store=store) as app:
        for id, rest in tails(frames):
            assert (await stream(app, "int_1", dialect, after=id)).body == rest
        assert (await stream(app, "int_2", dialect)).body == plain.body
        for id, rest in tails(plain.frames):
            assert (await stream(app, "int_2", dialect, after=id)).body == rest
    await store.close()


@BOTH
async def test_event_id_zero_and_none_are_the_beginning(dialect: str):
    async with open_app(long_answer()) as app:
        frames = await app.create(stream=True, headers=DIALECTS[dialect])
        whole = b"".join(frame.raw for frame in frames)
        for after in (None, "", "0", "00"):
            assert (await stream(app, "int_1", dialect, after=after)).body == whole


@BOTH
async def test_a_stream_that_breaks_in_the_middle_says_why_and_ends(dialect: str):
    async with open_app([Taken(), TextFragment("Hal"), ModelUnavailable("it is gone")]) as app:
        frames = await app.create(stream=True, headers=DIALECTS[dialect])
        stop = "content.stop" if dialect == "outputs" else "step.stop"
        assert [frame.name for frame in frames[-4:]] == [stop, "error", LAST[dialect], "done"]
        assert frames[-3].data["error"] == {"code": "service_unavailable", "message": "it is gone"}
        assert frames[-2].data["interaction"]["status"] == "failed"
        for id, rest in tails(frames):
            assert (await stream(app, "int_1", dialect, after=id)).body == rest


@BOTH
async def test_a_stream_whose_store_breaks_says_so_and_ends(dialect: str):
    store, more = HeldStore(), asyncio.Event()
    async with open_app([Taken(), more, TextFragment("Hal"), asyncio.Event()], store=store) as app:
        store.fail("append")
        store.fail("finish")
        streaming = asyncio.create_task(app.create(stream=True, headers=DIALECTS[dialect]))
        await until(lambda: store.calls["create"] > 0)
        more.set()
        frames = await streaming
        assert [frame.name for frame in frames[2:]] == ["error", LAST[dialect], "done"]
        assert [frame.id for frame in frames[2:]] == [None, None, None]
        assert frames[3].data["interaction"]["status"] == "failed"
        store.heal()
        assert (await app.create("again", headers=DIALECTS["outputs"]))["status"] == "completed"


@BOTH
async def test_a_run_that_was_cancelled_still_ends_its_stream(dialect: str):
    more = asyncio.Event()
    async with open_app([Taken(), more, TextFragment("Half"), asyncio.Event()], store=HeldStore()) as app:
        streaming = asyncio.create_task(app.create(stream=True, headers=DIALECTS[dialect]))
        await until(lambda: app.store.calls["create"] > 0)
        more.set()
        await until(lambda: app.store.calls["append"] > 0)
        assert (await app.ask("POST", f"{AT}/int_1/cancel")).status == 200
        frames = await streaming
        assert [frame.name for frame in frames[-2:]] == [LAST[dialect], "done"]
        assert frames[-2].data["interaction"]["status"] == "cancelled"


async def test_a_quiet_stream_gives_comments_that_are_no_frames():
    gate = asyncio.Event()
    async with open_app([Taken(), gate, *say("Hello")[1:]], idle=0.005) as app:
        streaming = asyncio.create_task(app.ask("POST", AT, json={"model": "m", "input": "Hi", "stream": True}))
        asyncio.get_running_loop().call_later(0.05, gate.set)
        reply = await streaming
        assert reply.body.count(b": keep-alive\n\n") >= 2
        assert (await whole_text(reply.frames), reply.frames[-1].data) == ("Hello", "[DONE]")


async def test_a_stream_that_is_not_stored_looks_like_any_other():
    async with open_app(long_answer(), long_answer()) as app:
        kept = await app.create(stream=True, headers=DIALECTS["steps"])
        unkept = await app.create(stream=True, store=False, headers=DIALECTS["steps"])
        assert [frame.name for frame in unkept if frame.name != "step.delta"] == [
            frame.name for frame in kept if frame.name != "step.delta"
        ]
        assert await whole_text(unkept) == await whole_text(kept)
        assert (await app.ask("GET", f"{AT}/int_2?stream=true")).status == 404


@BOTH
async def test_a_stream_that_is_not_stored_names_itself_by_an_id_that_leads_nowhere(dialect: str):
    async with open_app() as app:
        frames = await app.create(stream=True, store=False, headers=DIALECTS[dialect])
        first, update, *_, last, _ = (frame.data for frame in frames)
        assert first["interaction"]["id"] == update["interaction_id"] == last["interaction"]["id"] == "int_1"
        for method, path in (("GET", ""), ("GET", "?stream=true"), ("POST", "/cancel"), ("DELETE", "")):
            assert (await app.ask(method, f"{AT}/int_1{path}")).status == 404


async def test_text_beyond_ascii_comes_through_whole():
    said = "Zürich \U0001f4a5 \u2028 line\nbreak \r\n data: x\n\nevent: y"
    async with open_app(say(said)) as app:
        assert await whole_text(await app.create(stream=True, headers=DIALECTS["steps"])) == said
