"""`turnwise chat`: a conversation in the terminal, and by a pipe."""

import asyncio
import signal

import pytest
from aiohttp import web

from .home import Home
from .terminal import open_terminal
from .upstream import Upstream, answer_to

PROMPT = "> "
NOWHERE = "http://127.0.0.1:9"


def said_to(upstream: Upstream) -> list[str]:
    """What the model was shown last, as one list of texts."""
    return [message["content"] for message in upstream.requests[-1].messages]


async def test_an_answer_is_shown_as_it_is_made_and_the_next_turn_knows_it(home: Home, upstream: Upstream):
    upstream.deltas = 4
    upstream.telling.clear()
    async with home.serve() as server, open_terminal(home, "chat", "--url", server.url) as terminal:
        await terminal.shows(PROMPT)
        terminal.type("hello\n")
        await terminal.shows("hello#1")  # half of it, while the other half is not there yet
        upstream.telling.set()
        await terminal.shows("hello#3")
        await terminal.shows(PROMPT)
        terminal.type("and on\n")
        await terminal.shows("and on#3")
        assert said_to(upstream) == ["hello", answer_to("hello", 4), "and on"]


async def test_new_forgets_and_exit_leaves(home: Home, upstream: Upstream):
    async with home.serve() as server, open_terminal(home, "chat", "--url", server.url) as terminal:
        await terminal.shows(PROMPT)
        terminal.type("hello\n")
        await terminal.shows("hello#2")
        await terminal.shows(PROMPT)
        terminal.type("/new\n")
        await terminal.shows(PROMPT)
        terminal.type("who am I?\n")
        await terminal.shows("who am I?#2")
        assert said_to(upstream) == ["who am I?"]
        await terminal.shows(PROMPT)
        terminal.type("/exit\n")
        assert await terminal.ended() == 0


async def test_ctrl_d_leaves(home: Home):
    async with home.serve() as server, open_terminal(home, "chat", "--url", server.url) as terminal:
        await terminal.shows(PROMPT)
        terminal.type("\x04")
        assert await terminal.ended() == 0


async def test_ctrl_c_stops_an_answer_and_the_model_too(home: Home, upstream: Upstream):
    upstream.deltas = 4
    upstream.telling.clear()
    async with home.serve() as server, open_terminal(home, "chat", "--url", server.url) as terminal:
        await terminal.shows(PROMPT)
        terminal.type("hello\n")
        await terminal.shows("hello#1")
        terminal.type("\x03")
        await terminal.shows("[stopped]")
        async with asyncio.timeout(10):
            await upstream.requests[0].left.wait()
        upstream.telling.set()
        await terminal.shows(PROMPT)
        terminal.type("again\n")
        await terminal.shows("again#3")
        assert said_to(upstream) == ["again"], "what was stopped is not continued"


async def test_a_server_that_is_not_there_is_named_and_may_come_later(home: Home):
    async with open_terminal(home, "chat", "--url", NOWHERE) as terminal:
        await terminal.shows(PROMPT)
        terminal.type("hello\n")
        await terminal.shows(f"[no answer from {NOWHERE}")
        await terminal.shows("is `turnwise serve` running there?]")
        await terminal.shows(PROMPT)
        terminal.type("/exit\n")
        assert await terminal.ended() == 0


async def test_a_server_that_dies_in_the_middle_is_named(home: Home, upstream: Upstream):
    upstream.telling.clear()
    async with home.serve() as server, open_terminal(home, "chat", "--url", server.url) as terminal:
        await terminal.shows(PROMPT)
        terminal.type("hello\n")
        await terminal.shows("hello#0")
        await server.stop(signal.SIGKILL)
        await terminal.shows(f"[no answer from {server.url}")
        await terminal.shows(PROMPT)


async def test_a_model_that_fails_in_the_middle_is_told(home: Home, upstream: Upstream):
    upstream.fails = "breaks off"
    upstream.telling.clear()
    async with home.serve() as server, open_terminal(home, "chat", "--url", server.url) as terminal:
        await terminal.shows(PROMPT)
        terminal.type("hello\n")
        await terminal.shows("hello#0")
        upstream.telling.set()
        await terminal.shows("broke off before its answer was complete]")
        upstream.fails = None
        await terminal.shows(PROMPT)
        terminal.type("again\n")
        await terminal.shows("again#2")


# -- by a pipe


async def test_lines_of_a_pipe_are_answered_in_turn(home: Home, upstream: Upstream):
    async with home.serve() as server:
        done = await home.run("chat", "--url", f"{server.url}/", stdin="hello\n\nand on\n/exit\nnever\n")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{answer_to('hello', 3)}\n{answer_to('and on', 3)}\n"
    assert said_to(upstream) == ["hello", answer_to("hello", 3), "and on"]


async def test_what_is_set_is_sent(home: Home, upstream: Upstream):
    async with home.serve() as server:
        await home.run("chat", "--url", server.url, "--model", "m", "--system", "Be brief.", stdin="hello\n")
    asked = upstream.requests[-1]
    assert asked.body["model"] == "m"
    assert asked.messages[0] == {"role": "system", "content": "Be brief."}


async def test_a_key_comes_from_the_environment(home: Home):
    secret = (await home.run("keys", "create")).out.split()[-1]
    async with home.serve() as server:
        refused = await home.run("chat", "--url", server.url, stdin="hello\n")
        assert "turnwise keys list" in refused.error
        home.environment["TURNWISE_API_KEY"] = secret
        assert (await home.run("chat", "--url", server.url, stdin="hello\n")).out == f"{answer_to('hello', 3)}\n"


@pytest.mark.parametrize("url", [NOWHERE, "127.0.0.1:9", "no such place", "http://no-such-host.invalid"])
async def test_a_pipe_to_nowhere_ends_with_one_line(home: Home, url: str):
    done = await home.run("chat", "--url", url, stdin="hello\nand on\n")
    assert done.code == 1
    assert done.error.startswith(f"no answer from {url} ")


async def test_another_server_is_told_from_turnwise(home: Home):
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>" + "Welcome! " * 1000, content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}".format(*runner.addresses[0])
        done = await home.run("chat", "--url", url, stdin="hello\n")
        assert done.error == f"{url} answers with status 200, and not as turnwise does; is it another server?"
    finally:
        await runner.cleanup()


async def test_an_answer_may_be_long(home: Home, upstream: Upstream):
    upstream.deltas = 2
    question = "word " * 60_000
    async with home.serve() as server:
        done = await home.run("chat", "--url", server.url, stdin=f"{question}\n")
    assert done.out == f"{answer_to(question.strip(), 2)}\n"
