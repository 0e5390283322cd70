"""A model that uses a browser: a Chromium, a server and a shop, each a process or a socket of its own."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from conformance.upstream import Upstream, call, open_upstream
from turnwise.clients.chromium import BrowserError, find_chromium

from .home import Home
from .waiting import BOUND, descendants, gone

pytest.importorskip("playwright", reason="it needs the extra `browser`")
pytest.importorskip("tesserocr", reason="the model reads by it")

from .browsing import (
    Shop,
    find_fridges,
    names_of,
    open_client,
    open_client_at_terminal,
    open_shop,
    order,
    seen,
)

TASK = "Search for smart fridges at {} and list them, the cheapest first."


@pytest.fixture(autouse=True)
def _chromium() -> None:
    try:
        find_chromium()
    except BrowserError:
        pytest.skip("it needs Chromium, which scripts/test installs where it can")


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as shop:
        yield shop


def answered_by(upstream: Upstream, folder: Path) -> Home:
    """A home whose model has eyes."""
    home = Home(folder)
    home.configure(f'[models."*"]\nengine = "openai"\nbase_url = "{upstream.address}"\ninputs = ["text", "image"]\n')
    return home


async def test_a_model_finds_the_cheapest_fridge_in_a_shop_that_it_only_sees(tmp_path: Path, shop: Shop):
    with open_upstream(find_fridges) as upstream:
        home = answered_by(upstream, tmp_path)
        async with (
            home.serve() as server,
            open_client(
                home, TASK.format(shop.url), "--url", server.url, "--exclude", "drag_and_drop", "--no-sandbox"
            ) as client,
        ):
            async with asyncio.timeout(2 * BOUND):
                out, err = (output.decode() for output in await client.communicate())
    assert client.returncode == 0, err
    assert shop.queries == ["smart fridge"]

    lines = [line for line in out.splitlines() if " dollars" in line]
    assert [line.split()[1:3] for line in lines] == [
        [f"{name}:", str(shop.prices[name])] for name in shop.cheapest_first
    ]
    assert "navigate url=" in out
    assert "scroll_document direction='down'" in out

    first, last = upstream.asked[0], upstream.asked[-1]
    assert "click_at" in names_of(first["tools"])
    assert "drag_and_drop" not in names_of(first["tools"])
    results = [message["content"] for message in last["messages"] if message["role"] == "tool"]
    assert json.loads(results[1].splitlines()[0]) == {"url": f"{shop.url}/search?q=smart+fridge"}
    assert [screen.size for screen in seen(last)] == [(1280, 800)] * len(results)


# -- what the user is asked


async def test_what_the_user_agrees_to_is_done(tmp_path: Path, shop: Shop):
    with open_upstream(order) as upstream:
        home = answered_by(upstream, tmp_path)
        arguments = ("Order it.", "--start", f"{shop.url}/basket", "--no-sandbox")
        async with home.serve() as server, open_client_at_terminal(home, *arguments, "--url", server.url) as terminal:
            await terminal.shows("asks before it does this: This orders the fridge.")
            await terminal.shows("Do it? [y/n] (n):")
            assert shop.orders == []
            terminal.type("y\n")
            assert '"safety_acknowledgement":true' in (await terminal.shows("I see:")).replace("\n", "")
            await terminal.shows("Thank you for your order")
            assert await terminal.ended() == 0
    assert shop.orders == ["/order?"]


async def test_what_the_user_does_not_agree_to_is_left_undone_and_the_model_knows(tmp_path: Path, shop: Shop):
    with open_upstream(order) as upstream:
        home = answered_by(upstream, tmp_path)
        arguments = ("Order it.", "--start", f"{shop.url}/basket", "--no-sandbox")
        async with home.serve() as server, open_client_at_terminal(home, *arguments, "--url", server.url) as terminal:
            await terminal.shows("Do it? [y/n] (n):")
            terminal.type("n\n")
            await terminal.shows("I was told: Error:")
            assert await terminal.ended() == 0
    assert shop.orders == []
    (result,) = [message["content"] for message in upstream.asked[-1]["messages"] if message["role"] == "tool"]
    assert "the user does not agree to this; it was left undone" in result


async def test_where_nobody_can_be_asked_it_is_left_undone(tmp_path: Path, shop: Shop):
    with open_upstream(order) as upstream:
        home = answered_by(upstream, tmp_path)
        async with (
            home.serve() as server,
            open_client(
                home, "Order it.", "--start", f"{shop.url}/basket", "--url", server.url, "--no-sandbox"
            ) as client,
        ):
            async with asyncio.timeout(BOUND):
                out, err = await client.communicate()
    assert (client.returncode, err) == (0, b"")
    assert shop.orders == []
    assert "nobody is there to agree to this" in out.decode()


# -- how it ends


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_process_is_left_however_it_ends(tmp_path: Path, shop: Shop, how: signal.Signals):
    asked, go_on = Event(), Event()

    def slow(body: dict) -> dict:
        asked.set()
        go_on.wait(BOUND)
        return {"role": "assistant", "content": "Too late."}

    with open_upstream(slow) as upstream:
        home = answered_by(upstream, tmp_path)
        async with (
            home.serve() as server,
            open_client(home, "Look.", "--start", shop.url, "--url", server.url, "--no-sandbox") as client,
        ):
            assert await asyncio.to_thread(asked.wait, BOUND)
            started = descendants(client.pid)
            assert len(started) > 2
            client.send_signal(how)
            async with asyncio.timeout(BOUND):
                _, err = await client.communicate()
            assert client.returncode != 0
            assert b"Traceback" not in err, err.decode()
            for pid in started:
                await gone(pid)
            go_on.set()


async def test_a_task_that_does_not_end_is_ended(tmp_path: Path, shop: Shop):
    with open_upstream(lambda body: call(f"call_{len(body['messages'])}", "go_back", {})) as upstream:
        home = answered_by(upstream, tmp_path)
        async with (
            home.serve() as server,
            open_client(home, "Go.", "--steps", "3", "--url", server.url, "--no-sandbox") as client,
        ):
            async with asyncio.timeout(BOUND):
                out, err = await client.communicate()
    assert client.returncode == 1
    assert err.decode() == "Error: the task was not done after 3 steps; allow more with --steps\n"
    assert out.decode().count("there is no page to go back to") == 3
    assert len(upstream.asked) == 3


async def test_a_model_that_is_told_it_did_wrong_goes_on(tmp_path: Path, shop: Shop):
    said: list[Callable[[], dict]] = [
        lambda: call("call_1", "navigate", {"url": "file:///etc/passwd"}),
        lambda: {"role": "assistant", "content": "I may not."},
    ]
    with open_upstream(lambda body: said[min(len(body["messages"]) // 3, 1)]()) as upstream:
        home = answered_by(upstream, tmp_path)
        async with (
            home.serve() as server,
            open_client(home, "Go.", "--url", server.url, "--no-sandbox") as client,
        ):
            async with asyncio.timeout(BOUND):
                out, err = await client.communicate()
    assert client.returncode == 0, err.decode()
    assert "I may not." in out.decode()
    (result,) = [message["content"] for message in upstream.asked[-1]["messages"] if message["role"] == "tool"]
    assert "only http and https addresses are opened" in result
