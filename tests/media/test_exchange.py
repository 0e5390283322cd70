"""Requests of any kind to addresses that others chose: what is reached, and that everything has an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from media.web import PUBLIC, Answer, Names, Request, Site, give, open_site, redirect
from support import within
from turnwise.domain.errors import InvalidRequest
from turnwise.media.exchange import GuardedLine, GuardedWeb
from turnwise.media.guard import Guard


@asynccontextmanager
async def line_to(answer: Answer, *, allow: tuple[str, ...] = (PUBLIC,)) -> AsyncIterator[tuple[Site, GuardedLine]]:
    """A site, and a line to it that may reach it by the name `public.example`."""
    guard = Guard(allow, resolver=Names({PUBLIC: ["127.0.0.1"], "inside.example": ["127.0.0.1"]}))
    async with open_site(answer) as site, GuardedWeb(guard).open() as line:
        yield site, line


async def ask(line: GuardedLine, url: str, *, method: str = "POST", body: bytes = b"{}", limit: int = 1000) -> bytes:
    """The body of an answer."""
    answer = await within(line.send(method, url, [("Content-Type", "application/json")], body, limit=limit))
    given = b""
    while piece := await within(answer.read()):
        given += piece
    return given


async def test_an_answer_comes_with_its_status_and_headers() -> None:
    async with line_to(give(b"no", status="404 Not Found", X_Reason="gone")) as (site, line):
        answer = await within(line.send("DELETE", site.url(), [("X-Key", "k")], b"", limit=10))
        assert answer.status == 404
        assert (b"X-Reason", b"gone") in answer.headers
        assert await within(answer.read()) == b"no"
        assert await within(answer.read()) == b""
        [request] = site.requests
        assert request.headers["x-key"] == "k"
        assert request.headers["accept-encoding"] == "identity"


async def test_pieces_come_as_they_are_sent() -> None:
    go = asyncio.Event()

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        await writer.drain()
        await go.wait()
        writer.write(b"two")

    async with line_to(answer) as (site, line):
        given = await within(line.send("POST", site.url(), [], b"", limit=10))
        assert await within(given.read()) == b"one"
        go.set()
        assert await within(given.read()) == b"two"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with line_to(redirect("http://127.0.0.1:1/", status)) as (site, line):
        answer = await within(line.send("POST", site.url(), [], b"", limit=100))
        assert answer.status == status
        assert len(site.requests) == 1


REFUSED = {
    "a private address": "http://10.0.0.1/",
    "a name of one": "http://inside.example:{port}/",
    "this machine": "http://127.0.0.1:{port}/",
    "another scheme": "file:///etc/passwd",
    "a password": "http://a:b@public.example/",
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_may_not_be_reached_is_not(kind: str) -> None:
    async with line_to(give(b"secret")) as (site, line):
        with pytest.raises(InvalidRequest) as error:
            await within(line.send("POST", REFUSED[kind].format(port=site.port), [], b"", limit=10))
        assert "127.0.0.1" not in error.value.message or kind == "this machine"
        assert site.connections == 0


async def test_a_name_is_looked_up_for_each_connection() -> None:
    names: dict[str, Any] = {PUBLIC: [["127.0.0.1"], ["127.0.0.2"]]}
    async with open_site(give(b"hello", Connection="close")) as site:
        async with GuardedWeb(Guard(("127.0.0.1",), resolver=Names(names))).open() as line:
            assert await ask(line, site.url()) == b"hello"
            with pytest.raises(InvalidRequest, match="private or reserved"):
                await ask(line, site.url())
        assert site.connections == 1


async def test_an_answer_has_no_more_bytes_than_are_taken() -> None:
    async with line_to(give(b"a" * 11)) as (site, line):
        assert await ask(line, site.url(), limit=11) == b"a" * 11
        with pytest.raises(InvalidRequest, match="more than the 10 bytes"):
            await ask(line, site.url(), limit=10)


async def test_an_answer_that_is_packed_is_not_taken() -> None:
    async with line_to(give(b"\x1f\x8b", Content_Encoding="gzip")) as (site, line):
        with pytest.raises(InvalidRequest, match="packs its answer"):
            await ask(line, site.url())


async def test_an_answer_that_breaks_off_says_so() -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    async with line_to(answer) as (site, line):
        with pytest.raises(InvalidRequest, match="broke off before its end"):
            await ask(line, site.url())


async def test_who_closes_an_answer_ends_its_connection() -> None:
    left = asyncio.Event()

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"a" * 1000)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            left.set()
            raise

    async with line_to(answer) as (site, line):
        given = await within(line.send("POST", site.url(), [], b"", limit=1 << 30))
        await within(given.read())
        given.close()
        await within(left.wait())


async def test_a_site_that_takes_no_connection_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwise.media.exchange.CONNECT_SECONDS", 0.2)

    class Slow(Names):
        async def resolve(self, host: str, *arguments: Any) -> Any:
            await asyncio.Event().wait()

    async with GuardedWeb(Guard((), resolver=Slow({}))).open() as line:
        with pytest.raises(InvalidRequest, match=r"took no connection within 0\.2 s"):
            await within(line.send("POST", "http://public.example/", [], b"", limit=10))
