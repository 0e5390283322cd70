"""Asking an engine over HTTP: what each way of not answering is told as."""

import asyncio
import socket

import pytest
from aiohttp import web

from support import until, within
from turnwise.tools.google_search.asking import ANSWER, Asker
from turnwise.tools.google_search.engine import SearchFailed

from .engines import Handler, json, page, serve


async def failure(answer: Handler) -> str:
    """What a search says that is answered so."""
    async with serve(answer) as site:
        asker = Asker("Engine", headers={"X-Key": "secret-key"})
        try:
            with pytest.raises(SearchFailed) as failed:
                await within(asker.get(f"{site.url}/search", {"q": "otters"}))
        finally:
            await asker.close()
    assert "secret-key" not in failed.value.message
    assert "127.0.0.1" not in failed.value.message
    return failed.value.message


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_to_be_checked(status: int):
    message = await failure(json({"message": "no"}, status))
    assert f"HTTP {status}" in message
    assert "check the key: the setting tools.google_search.api_key_env" in message


async def test_a_limit_of_requests_says_when_to_try_again():
    assert "too often (HTTP 429); try again in 30 seconds" in await failure(json({}, 429, Retry_After="30"))
    assert "too often (HTTP 429); try again later" in await failure(json({}, 429))


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"detail": "the query is too long"}},
        {"detail": {"error": "the query is too long"}},
        {"error": {"message": "the query is too long"}},
        {"detail": "the query is too long"},
        {"error": "the query is too long"},
    ],
)
async def test_a_refusal_in_its_own_words_is_told(body: object):
    assert await failure(json(body, 400)) == "Engine answered with HTTP 400: the query is too long"


async def test_an_error_without_words_is_told_by_its_status():
    assert await failure(page(502)) == "Engine answered with HTTP 502"


async def test_a_web_page_is_no_answer():
    assert "answered with a web page where JSON was to come" in await failure(page())


@pytest.mark.parametrize("body", [[1, 2], "text", None])
async def test_json_that_is_no_object_is_no_answer(body: object):
    assert "answered with something else where JSON was to come" in await failure(json(body))


async def test_a_redirect_is_not_followed_as_the_key_would_go_with_it():
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/elsewhere")

    async with serve(elsewhere) as site:
        asker = Asker("Engine")
        with pytest.raises(SearchFailed, match=r"sends elsewhere \(HTTP 302\).*tools.google_search.url"):
            await within(asker.get(f"{site.url}/search", {}))
        await asker.close()
        assert [asked.path for asked in site.asked] == ["/search"]


async def test_an_answer_without_end_is_left():
    left = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65536)
        finally:
            left.set()

    assert f"more than {ANSWER // 1024**2} MiB" in await failure(endless)
    await within(left.wait())


async def test_an_answer_that_breaks_off_is_told():
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.abort()
        return response

    assert "cannot be reached (the connection broke)" in await failure(broken)


async def test_a_closed_port_is_told_without_its_address():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        asker = Asker("Engine")
        with pytest.raises(SearchFailed) as failed:
            await within(asker.get(url, {}))
        await asker.close()
    assert failed.value.message.startswith("Engine cannot be reached (connection refused).")
    assert "127.0.0.1" not in failed.value.message


async def test_an_unknown_host_is_told():
    asker = Asker("Engine")
    with pytest.raises(SearchFailed, match=r"cannot be reached \(there is no such host\)"):
        await within(asker.get("http://search.invalid/", {}))
    await asker.close()


async def test_one_session_serves_all_questions_until_it_is_closed():
    ports = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({})

    async with serve(answer) as site:
        asker = Asker("Engine")
        await asker.close()  # nothing was opened yet
        for _ in range(3):
            assert await within(asker.get(site.url, {})) == {}
        assert len(set(ports)) == 1
        await asker.close()
        await within(asker.get(site.url, {}))
        assert len(set(ports)) == 2
        await asker.close()


async def test_cancelling_closes_the_connection():
    begun, left = asyncio.Event(), asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        begun.set()
        assert request.transport is not None
        await until(request.transport.is_closing)
        left.set()
        return web.Response()

    async with serve(silent) as site:
        asker = Asker("Engine")
        asking = asyncio.create_task(asker.get(site.url, {}))
        await within(begun.wait())
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await within(left.wait())
        await asker.close()
