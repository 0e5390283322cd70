"""The client of OpenAI-compatible upstreams, against a real server that does well, badly, or nothing at all."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace

import orjson
import pytest
from aiohttp import ClientResponse, web

from models.prompts import BOUND, finish, prompt, read, read_until_it_breaks, text, thought, usage
from models.upstream import (
    DONE,
    END,
    USAGE,
    Reply,
    Request,
    Upstream,
    answer,
    body,
    delta,
    event,
    events,
    head,
    piece,
    raw,
    refused,
    serve,
    silent,
)
from support import nothing_kept_of
from turnwise.domain.errors import (
    InvalidRequest,
    ModelFailed,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    TurnwiseError,
)
from turnwise.domain.interaction import Usage
from turnwise.domain.tools import Schema
from turnwise.models import completions
from turnwise.models.model import Finished, Fragment, ModelCard, Prompt, Taken, TextFragment
from turnwise.models.openai import Limits, OpenAIModel
from turnwise.models.profile import PLAIN, Profile

QUICK = Limits(connect=2.0, idle=0.2, total=5.0)

Ask = Callable[..., OpenAIModel]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Makes models, and closes them behind the test."""
    made: list[OpenAIModel] = []

    def make(upstream: Upstream, *, limits: Limits = QUICK, profile: Profile = PLAIN) -> OpenAIModel:
        made.append(OpenAIModel(ModelCard("qwen"), upstream.url, "qwen", "secret", limits=limits, profile=profile))
        return made[-1]

    yield make
    for model in made:
        await model.close()


async def test_a_streamed_answer_comes_piece_by_piece_with_its_cost_and_its_end(ask: Ask) -> None:
    async with serve(answer("Hel", "lo")) as upstream:
        fragments = await read(ask(upstream), prompt())
    assert fragments[:3] == [Taken(), TextFragment("Hel"), TextFragment("lo")]
    assert usage(fragments) == Usage(input={"text": 12}, output={"text": 4}, cached={"text": 5}, thought=3)
    assert fragments[-1] == Finished("stop")


async def test_an_answer_that_nobody_reads_along_is_one_call_and_one_fragment(ask: Ask) -> None:
    async with serve(answer("Hel", "lo")) as upstream:
        fragments = await read(ask(upstream), prompt(streaming=False))
    assert upstream.requests[0].body["stream"] is False
    assert [type(fragment).__name__ for fragment in fragments] == [
        "Taken",
        "TextFragment",
        "UsageFragment",
        "Finished",
    ]
    assert text(fragments) == "Hello"


async def test_the_call_says_everything_that_the_prompt_says(ask: Ask) -> None:
    asked = prompt(
        "Hi",
        "Hello!",
        "Bye",
        system="Be kind.",
        temperature=0.5,
        top_p=0.9,
        top_k=20,
        seed=7,
        max_output_tokens=99,
        stop_sequences=("END", "STOP"),
    )
    async with serve(answer("ok")) as upstream:
        await read(ask(upstream), asked)
    request = upstream.requests[0]
    assert (request.path, request.headers["authorization"]) == ("/v1/chat/completions", "Bearer secret")
    assert request.body == {
        "model": "qwen",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "Bye"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 20,
        "seed": 7,
        "max_tokens": 99,
        "stop": ["END", "STOP"],
    }


async def test_what_the_prompt_does_not_say_is_left_to_the_upstream(ask: Ask) -> None:
    async with serve(answer("ok")) as upstream:
        await read(ask(upstream), prompt("Hi", streaming=False))
    assert upstream.requests[0].body == {
        "model": "qwen",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }


async def test_a_profile_goes_around_the_conversation(ask: Ask) -> None:
    profile = Profile(system="You are small.", sampling={"temperature": 0}, output_tokens=64)
    async with serve(answer("ok")) as upstream:
        await read(ask(upstream, profile=profile), prompt("Hi"))
    assert upstream.requests[0].body["messages"][0] == {"role": "system", "content": "You are small."}
    assert upstream.requests[0].body["temperature"] == 0
    assert upstream.requests[0].body["max_tokens"] == 64


async def test_the_taken_comes_before_the_first_word(ask: Ask) -> None:
    go = asyncio.Event()

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head())
        await out.drain()
        await go.wait()
        out.write(piece(delta(content="late")) + piece(delta("stop")) + piece(DONE) + END)

    async with serve(reply) as upstream, asyncio.timeout(BOUND):
        fragments = ask(upstream, limits=Limits()).stream(prompt())
        assert await anext(fragments) == Taken()
        go.set()
        assert await anext(fragments) == TextFragment("late")
        await fragments.aclose()


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_reasoning_is_a_thought(ask: Ask, name: str) -> None:
    async with serve(events(delta(**{name: "hmm"}), delta(content="yes"), delta("stop"), DONE)) as upstream:
        fragments = await read(ask(upstream), prompt())
    assert (thought(fragments), text(fragments)) == ("hmm", "yes")


@pytest.mark.parametrize(
    ("word", "reason"),
    [("stop", "stop"), ("eos", "stop"), ("length", "length"), ("content_filter", "refusal"), ("refusal", "refusal")],
)
async def test_the_reason_of_the_end_is_told(ask: Ask, word: str, reason: str) -> None:
    async with serve(answer("a", finish=word)) as upstream:
        model = ask(upstream)
        assert finish(await read(model, prompt())) == reason
        assert finish(await read(model, prompt(streaming=False))) == reason


async def test_a_refusal_in_words_is_shown_and_is_a_refusal(ask: Ask) -> None:
    async with serve(events(delta(refusal="I will not"), delta("stop"), DONE)) as upstream:
        fragments = await read(ask(upstream), prompt())
    assert (text(fragments), finish(fragments)) == ("I will not", "refusal")


async def test_an_upstream_that_does_not_count_is_fine(ask: Ask) -> None:
    async with serve(events(delta(content="a"), delta("stop"), DONE)) as upstream:
        fragments = await read(ask(upstream), prompt())
    assert fragments == [Taken(), TextFragment("a"), Finished("stop")]


async def test_an_upstream_that_ends_without_done_is_fine(ask: Ask) -> None:
    async with serve(events(delta(content="a"), delta("stop"))) as upstream:
        assert text(await read(ask(upstream), prompt())) == "a"


async def test_an_upstream_that_hangs_after_reason_and_cost_is_not_waited_for(ask: Ask) -> None:
    whole = piece(delta(content="a")) + piece(delta("stop")) + piece(event(choices=[], usage=USAGE))
    async with serve(silent(head() + whole)) as upstream:
        fragments = await read(ask(upstream, limits=Limits()), prompt())
    assert finish(fragments) == "stop"


async def test_events_may_be_cut_anywhere(ask: Ask) -> None:
    stream = b": hello\r\n\r\n" + delta(content="Grüße 🎉").replace(b"\n", b"\r\n") + delta("stop") + DONE

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head())
        for byte in stream:
            out.write(piece(bytes([byte])))
            await out.drain()
        out.write(END)

    async with serve(reply) as upstream:
        assert text(await read(ask(upstream), prompt())) == "Grüße 🎉"


async def test_connections_are_used_again(ask: Ask) -> None:
    async with serve(answer("a")) as upstream:
        model = ask(upstream)
        for streaming in (True, False, True):
            await read(model, prompt(streaming=streaming))
    assert upstream.connections == 1


async def test_a_kept_connection_that_the_upstream_closed_is_not_noticed(ask: Ask) -> None:
    cut = raw()  # closes when the next request comes, as a server does whose idle time has just run out
    async with serve(answer("first"), cut, answer("second")) as upstream:
        model = ask(upstream)
        assert text(await read(model, prompt())) == "first"
        assert text(await read(model, prompt())) == "second"


async def test_leaving_early_closes_the_connection(ask: Ask) -> None:
    async with serve(silent(head() + piece(delta(content="a")))) as upstream, asyncio.timeout(BOUND):
        async with aclosing(ask(upstream, limits=Limits()).stream(prompt())) as fragments:
            assert await anext(fragments) == Taken()
            assert await anext(fragments) == TextFragment("a")
        await upstream.requests[0].gone.wait()


async def test_cancelling_a_turn_that_waits_closes_the_connection(ask: Ask) -> None:
    asked = asyncio.Event()

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        asked.set()
        await silent()(request, out)

    async with serve(reply) as upstream, asyncio.timeout(BOUND):
        turn = asyncio.create_task(read(ask(upstream, limits=Limits()), prompt(streaming=False)))
        await asked.wait()
        turn.cancel()
        await asyncio.wait([turn])
        await upstream.requests[0].gone.wait()


async def test_a_unix_socket_serves_as_well() -> None:
    async def completions(request: web.Request) -> web.Response:
        return web.json_response({"choices": [{"message": {"content": "local"}, "finish_reason": "stop"}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", completions)
    runner = web.AppRunner(app)
    await runner.setup()
    with tempfile.TemporaryDirectory(prefix="t") as folder:  # its path leaves room for a socket's
        await web.UnixSite(runner, f"{folder}/s.sock").start()
        model = OpenAIModel(ModelCard("m"), "http://here/v1", "m", socket=f"{folder}/s.sock")
        assert text(await read(model, prompt(streaming=False))) == "local"
        await model.close()
        await runner.cleanup()


async def test_another_name_goes_over_the_same_connections(ask: Ask) -> None:
    async with serve(answer("a")) as upstream:
        model = ask(upstream)
        await read(model, prompt())
        await read(model.named("other"), prompt())
    assert [request.body["model"] for request in upstream.requests] == ["qwen", "other"]
    assert upstream.connections == 1


OVER_LLAMA = refused(
    400, "request (5031 tokens) exceeds", type="exceed_context_size_error", n_prompt_tokens=5031, n_ctx=4096
)
OVER_OPENAI = refused(
    400, "This model's maximum context length is 4096 tokens, but 5031 were given", code="context_length_exceeded"
)

REFUSALS: dict[str, tuple[Reply, type[TurnwiseError], str]] = {
    "over the context, llama.cpp": (OVER_LLAMA, InvalidRequest, "5031 tokens, but the model's context holds 4096"),
    "over the context, OpenAI": (OVER_OPENAI, InvalidRequest, "4096 tokens, but 5031"),
    "a wrong field": (refused(400, "top_k must be positive"), InvalidRequest, "top_k must be positive"),
    "unprocessable": (body(b'{"detail": [{"msg": "seed too big"}]}', 422), InvalidRequest, "seed too big"),
    "no key": (refused(401, "bad key"), ModelUnavailable, "turnwise's own key for the model 'qwen'"),
    "not this key": (refused(403, "not you"), ModelUnavailable, "turnwise's own key"),
    "no such model": (refused(404, "unknown model"), ModelFailed, "'qwen' is not known to its upstream"),
    "too busy": (refused(429, "slow down"), RateLimited, "slow down"),
    "broken": (refused(500, "oops"), ModelUnavailable, "oops"),
    "a proxy's page": (body(b"<h1>Bad Gateway</h1>", 502, "text/html"), ModelUnavailable, "Bad Gateway"),
    "an upstream of the upstream": (refused(504, "slow"), ModelTimeout, "slow"),
    "nothing said": (body(b"", 503), ModelUnavailable, "no reason given"),
    "a redirect": (body(b"", 302, Location="http://127.0.0.1:1/"), ModelFailed, "HTTP 302"),
    "a page instead of an answer": (body(b"<html>", 200, "text/html"), ModelFailed, "'text/html' instead of"),
    "no HTTP": (raw(b"hello\r\n\r\n"), ModelFailed, "HTTP"),
    "hung up": (raw(), ModelUnavailable, "broke off"),
}


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_says_what_it_was_before_anything_is_taken(
    ask: Ask, case: str, streaming: bool, caplog: pytest.LogCaptureFixture
) -> None:
    reply, kind, words = REFUSALS[case]
    async with serve(reply) as upstream, asyncio.timeout(BOUND):
        fragments = ask(upstream).stream(prompt(streaming=streaming))
        with pytest.raises(TurnwiseError, match=words) as caught:
            await anext(fragments)
    assert type(caught.value) is kind
    assert "secret" not in caught.value.message + caplog.text
    assert upstream.url not in caught.value.message


async def test_how_long_to_wait_is_passed_on(ask: Ask) -> None:
    async with serve(body(b"{}", 429, Retry_After="7")) as upstream:
        with pytest.raises(RateLimited) as caught:
            await read(ask(upstream), prompt())
    assert caught.value.retry_after == 7.0


async def test_nobody_there_is_unavailable() -> None:
    async with serve(answer("a")) as upstream:
        pass
    model = OpenAIModel(ModelCard("m"), upstream.url, "m", limits=QUICK)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await read(model, prompt())
    await model.close()


WHOLE_EVENT = piece(delta(content="a"))

BREAKS: dict[str, tuple[Reply, type[TurnwiseError]]] = {
    "cut between events": (raw(head() + WHOLE_EVENT), ModelUnavailable),
    "cut in an event": (raw(head() + WHOLE_EVENT + piece(delta(content="b")[:20])), ModelUnavailable),
    "ended in an event": (events(delta(content="a"), delta(content="b")[:20]), ModelUnavailable),
    "ended before its end": (events(delta(content="a")), ModelUnavailable),
    "wrong JSON": (events(delta(content="a"), b"data: {nonsense\n\n"), ModelFailed),
    "JSON that is no chunk": (events(delta(content="a"), b"data: [1]\n\n"), ModelFailed),
    "content that is no text": (events(delta(content="a"), delta(content=[1])), ModelFailed),
    "a tool that nobody gave it": (events(delta(content="a"), delta("tool_calls"), DONE), ModelFailed),
    "an error event": (events(delta(content="a"), event(error={"code": 500, "message": "oom"})), ModelUnavailable),
    "silence": (silent(head() + WHOLE_EVENT), ModelTimeout),
}


@pytest.mark.parametrize("case", BREAKS)
async def test_a_stream_that_breaks_says_so_after_what_came(
    ask: Ask, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply, kind = BREAKS[case]
    async with serve(reply) as upstream:
        seen, error = await read_until_it_breaks(ask(upstream), prompt())
    assert type(error) is kind
    assert seen == [Taken(), TextFragment("a")]
    assert "secret" not in caplog.text


ENDED = head() + WHOLE_EVENT + piece(delta("stop"))

LEFT: dict[str, Reply] = {
    **{case: reply for case, (reply, _) in BREAKS.items()},
    "nobody listens": silent(),
    "refused": refused(429, "slow down"),
    "refused, and no end of it": silent(head(500) + piece(b"oops")),
    "cut behind its end": raw(ENDED),
    "silence behind its end": silent(ENDED),
    "cut behind the last event": raw(ENDED + piece(DONE)),
}
"""Answers that leave an error behind, whether or not somebody hears of it."""


@pytest.mark.parametrize("case", LEFT)
async def test_what_breaks_leaves_no_prompt_behind_for_the_garbage_collector(ask: Ask, case: str) -> None:
    with nothing_kept_of(Prompt, ClientResponse) as is_gone:
        async with serve(LEFT[case]) as upstream:
            model = ask(upstream)
            if case != "nobody listens":
                with suppress(TurnwiseError):
                    await read(model, prompt())
        if case == "nobody listens":
            with suppress(ModelUnavailable):
                await read(model, prompt())
        assert is_gone()


async def test_wrong_framing_is_a_failure_whenever_it_is_found(ask: Ask) -> None:
    async with serve(raw(head() + WHOLE_EVENT + b"xyz\r\n\r\n")) as upstream:
        _, error = await read_until_it_breaks(ask(upstream), prompt())
    assert type(error) is ModelFailed


WHOLE_BREAKS: dict[str, tuple[Reply, type[TurnwiseError]]] = {
    "cut": (raw(head(content_type="application/json") + piece(b'{"choices"')), ModelUnavailable),
    "wrong JSON": (body(b"{"), ModelFailed),
    "no completion": (body(b'{"hello": 1}'), ModelFailed),
    "an error with 200": (body(orjson.dumps({"error": {"message": "no", "code": 503}})), ModelUnavailable),
    "silence before the head": (silent(), ModelTimeout),
    "silence in the body": (silent(head(content_type="application/json") + piece(b"{")), ModelTimeout),
}


@pytest.mark.parametrize("case", WHOLE_BREAKS)
async def test_a_whole_answer_that_breaks_says_so(ask: Ask, case: str) -> None:
    reply, kind = WHOLE_BREAKS[case]
    async with serve(reply) as upstream:
        with pytest.raises(TurnwiseError) as caught:
            await read(ask(upstream), prompt(streaming=False))
    assert type(caught.value) is kind


async def test_an_answer_that_drips_on_for_ever_is_ended(ask: Ask) -> None:
    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head())
        while not request.gone.is_set():
            out.write(piece(b": still here\n\n"))
            with suppress(TimeoutError):
                await asyncio.wait_for(request.gone.wait(), 0.05)
        out.close()

    async with serve(reply) as upstream:
        with pytest.raises(ModelTimeout):
            await read(ask(upstream, limits=Limits(connect=1.0, idle=1.0, total=0.5)), prompt())


PATIENT = Limits(connect=30.0, idle=30.0, total=30.0)
ROUNDS = 1000
"""Of the event loop, in which everything arrives that was sent on this machine."""


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have it be so late that whatever was waited for has taken too long."""

    def pass_it() -> None:
        loop = asyncio.get_running_loop()
        before = loop.time
        monkeypatch.setattr(loop, "time", lambda: before() + PATIENT.total)

    return pass_it


async def read_late(model: OpenAIModel, pass_time: Callable[[], None]) -> list[Fragment]:
    """Read an answer when the time for it is over."""
    async with aclosing(model.stream(prompt())) as fragments:
        seen = [await anext(fragments)]
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        pass_time()
        return [*seen, *[fragment async for fragment in fragments]]


async def test_an_answer_that_came_in_time_is_whole_however_late_it_is_read(
    ask: Ask, pass_time: Callable[[], None]
) -> None:
    async with serve(answer("a", "b")) as upstream:
        seen = await read_late(ask(upstream, limits=PATIENT), pass_time)
    assert text(seen) == "ab"
    assert finish(seen) == "stop"


async def test_an_answer_that_never_ends_is_ended_though_nobody_waits_for_it(
    ask: Ask, pass_time: Callable[[], None]
) -> None:
    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head())
        while not request.gone.is_set():
            out.write(piece(b": still here\n\n" * 10_000))
            await out.drain()
        out.close()

    async with serve(reply) as upstream:
        with pytest.raises(ModelTimeout):
            await read_late(ask(upstream, limits=PATIENT), pass_time)


async def test_a_refusal_whose_words_never_end_is_the_refusal_that_it_began_as(ask: Ask) -> None:
    async with serve(silent(head(429, "application/json") + piece(b"slow down"))) as upstream:
        with pytest.raises(RateLimited, match="slow down"):
            await read(ask(upstream, limits=Limits(connect=1.0, idle=5.0, total=1.0)), prompt())


async def test_what_came_in_time_while_nothing_ran_here_is_no_silence(ask: Ask, pass_time: Callable[[], None]) -> None:
    heard = asyncio.Event()

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head() + piece(delta(content="a")))
        await heard.wait()
        out.write(piece(delta(content="b")))
        pass_time()
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        out.write(piece(delta("stop")) + piece(DONE) + END)

    seen = []
    async with (
        serve(reply) as upstream,
        aclosing(ask(upstream, limits=replace(PATIENT, total=90.0)).stream(prompt())) as fragments,
    ):
        async for fragment in fragments:
            seen.append(fragment)
            if isinstance(fragment, TextFragment):
                heard.set()
    assert text(seen) == "ab"


async def test_others_are_served_while_a_grammar_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    served = threading.Event()

    def work_out(schema: Schema, tokens: int | None) -> Schema:
        assert served.wait(10), "nobody else was served in the meantime"
        return schema

    monkeypatch.setattr(completions, "bounded", work_out)
    async with serve(answer("{}")) as upstream:
        model = OpenAIModel(ModelCard("tiny", schemas=True), upstream.url, "tiny", grammars=True)
        asyncio.get_running_loop().call_later(0.01, served.set)
        assert text(await read(model, replace(prompt(), schema={"type": "object"}))) == "{}"
        await model.close()
