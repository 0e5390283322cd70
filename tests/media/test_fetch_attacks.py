"""What servers, and those who choose addresses, may try beyond what `test_fetch.py` and `test_guard.py` have: over real
sockets, each within a bound."""

import asyncio
import gzip
import resource
import zlib
from pathlib import Path

import pytest

from media.web import PUBLIC, Answer, Request, Site, dripping, endless, give, open_site, raw, redirect
from turnwise.domain.errors import InvalidRequest
from turnwise.media.cache import Cache
from turnwise.media.fetch import WORDS, NothingGiven
from turnwise.media.guard import Unsafe

INSIDE = {"inside.example": ["127.0.0.1"], "metadata.example": ["169.254.169.254"]}
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def refused(site: Site, path: Path, url: str = "/file", **options: object) -> InvalidRequest:
    """How fetching is refused, soon; and then nothing is left of the file."""
    with pytest.raises(InvalidRequest) as refusal:
        async with asyncio.timeout(5):
            await site.fetcher(names=INSIDE, **options).fetch(  # type: ignore[arg-type]
                url if "//" in url else site.url(url), path / "file"
            )
    assert not (path / "file").exists()
    return refusal.value


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_kind_of_redirect_leads_inside(tmp_path: Path, status: int) -> None:
    async with (
        open_site(give(b"secret")) as inside,
        open_site(redirect(inside.url(host="inside.example"), status)) as site,
    ):
        assert isinstance(await refused(site, tmp_path), Unsafe)
    assert (site.connections, inside.connections) == (1, 0)


async def test_the_last_of_a_chain_of_redirects_is_checked_like_the_first(tmp_path: Path) -> None:
    async with open_site(give(b"secret")) as inside:

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            number = int(request.path.removeprefix("/"))
            await redirect(f"/{number + 1}" if number < 3 else inside.url(host="127.0.0.1"))(request, writer)

        async with open_site(answer) as site:
            assert isinstance(await refused(site, tmp_path, "/0"), Unsafe)
    assert (len(site.requests), inside.connections) == (4, 0)


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "unix:/run/docker.sock",
        "http+unix://%2Frun%2Fdocker.sock/info",
        "gopher://inside.example/_",
        "data:text/plain,x",
        "javascript:alert(1)",
        "ftp://public.example/",
        "//inside.example/",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.example/computeMetadata/v1/",
        "http://[::ffff:169.254.169.254]/",
        "http://me:secret@public.example/",
        "http://0/",
    ],
)
async def test_a_redirect_changes_neither_the_protocol_nor_the_network(tmp_path: Path, to: str) -> None:
    async with open_site(redirect(to)) as site:
        assert isinstance(await refused(site, tmp_path), Unsafe)
    assert site.connections == 1


@pytest.mark.parametrize("to", ["http://[::1", "http://public.example:port/", "http://", "?" * 9000, "http://a b/"])
async def test_a_redirect_to_nonsense_is_refused(tmp_path: Path, to: str) -> None:
    async with open_site(redirect(to)) as site:
        await refused(site, tmp_path)
    assert site.connections == 1


async def test_two_sites_that_send_to_one_another_are_left(tmp_path: Path) -> None:
    to: list[str] = []

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await redirect(to[0])(request, writer)

    async with open_site(answer) as one, open_site(redirect(one.url())) as other:
        to.append(other.url())
        assert "redirected more than 5 times" in (await refused(one, tmp_path)).message
    assert len(one.requests) + len(other.requests) == 6


async def test_the_body_of_a_redirect_is_not_waited_for(tmp_path: Path) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.path == "/second":
            await give(b"hello")(request, writer)
        else:
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /second\r\nContent-Length: 999999\r\n\r\nx")
            await writer.drain()
            await asyncio.get_running_loop().create_future()

    async with open_site(answer) as site, asyncio.timeout(5):
        await site.fetcher().fetch(site.url(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"hello"


@pytest.mark.parametrize(
    "headers",
    [
        {"Refresh": "0; url=http://inside.example/"},
        {"Link": "<http://inside.example/>; rel=preload"},
        {"Content_Location": "http://inside.example/"},
        {"Alt_Svc": 'h2="127.0.0.1:1"'},
        {"Location": "http://inside.example/"},
    ],
)
async def test_no_other_header_leads_anywhere(tmp_path: Path, headers: dict[str, str]) -> None:
    async with open_site(give(b"hello", **headers)) as site:
        fetched = await site.fetcher(names=INSIDE).fetch(site.url(), tmp_path / "file")
    assert (fetched.url, site.connections) == (site.url(), 1)


@pytest.mark.parametrize(
    ("packing", "bomb"),
    [("gzip", gzip.compress(bytes(2**20), 9) * 400), ("deflate", zlib.compress(bytes(2**28), 9))],
    ids=["of many members", "by deflate"],
)
async def test_a_bomb_is_left_at_the_limit_and_takes_no_memory(tmp_path: Path, packing: str, bomb: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with open_site(give(bomb, Content_Encoding=packing)) as site:
        assert "more than the 1048576 bytes" in (await refused(site, tmp_path)).message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


async def test_what_is_packed_twice_is_unpacked_once(tmp_path: Path) -> None:
    inner = gzip.compress(bytes(2**28), 9)
    async with open_site(give(gzip.compress(inner, 9), Content_Encoding="gzip")) as site:
        await site.fetcher().fetch(site.url(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == inner


@pytest.mark.parametrize(
    "answer",
    [
        endless(CHUNKED, b"1;" + b"x" * 4000 + b"\r\nx\r\n"),
        endless(CHUNKED + b"1;", b"x" * 4000),
        endless(CHUNKED + b"5\r\nhello\r\n0\r\n", b"X-Trailer: y\r\n"),
        endless(CHUNKED + b"f", b"f" * 4000),
        raw(CHUNKED, b"ffffffffffffffff\r\nx\r\n"),
        raw(CHUNKED, b"-5\r\nhello\r\n"),
        raw(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"),
        raw(HEAD + b"Content-Length: 99999999999999999999\r\n\r\nx"),
        raw(HEAD + b"Content-Length: 5, 6\r\n\r\nhello"),
        raw(HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        raw(HEAD + b"X: a\r\n b\r\n c\x00\r\n\r\n"),
        raw(b"HTTP/9.9 200 OK\r\n\r\nhello"),
        raw(b"<html>hello</html>"),
        raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello"),
        raw(b"HTTP/1.1 999999 OK\r\n\r\nhello"),
    ],
    ids=[
        *("chunks with tails", "a chunk's endless tail", "trailers", "a chunk's endless size", "the largest chunk"),
        *("less than nothing", "a chunk's hexadecimal size", "a length beyond all", "two lengths in one", "both forms"),
        *("folded headers", "a version to come", "no headers", "another protocol", "a status beyond all"),
    ],
)
async def test_what_no_server_should_say_is_refused_soon(tmp_path: Path, answer: Answer) -> None:
    async with open_site(answer) as site:
        await refused(site, tmp_path, seconds=2.0)


async def test_a_server_that_never_greets_is_left(tmp_path: Path) -> None:
    """TLS begins with the client's words; then nothing comes."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        site = Site(server.sockets[0].getsockname()[1])
        refusal = await refused(site, tmp_path, site.url(scheme="https"), seconds=0.3)
    assert "within 0.3 s" in refusal.message


async def test_a_packed_body_that_drips_is_left(tmp_path: Path) -> None:
    packed = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"x")[:10]
    async with open_site(dripping(packed, b"\x00\x00\x00\xff\xff")) as site:
        assert "within 0.3 s" in (await refused(site, tmp_path, seconds=0.3)).message


@pytest.mark.parametrize("answer", [endless(b"HTTP/1.1 403 No\r\nConnection: close\r\n\r\n", b"subscribe " * 400)])
async def test_of_a_refusal_only_the_beginning_is_read(tmp_path: Path, answer: Answer) -> None:
    async with open_site(answer) as site:
        refusal = await refused(site, tmp_path)
    assert isinstance(refusal, NothingGiven)
    assert (refusal.status, refusal.words[:9]) == (403, b"subscribe")
    assert len(refusal.words) == WORDS


async def test_a_name_that_changes_between_two_fetches_gains_nothing(tmp_path: Path) -> None:
    """DNS rebinding against the copies: what is asked for again is checked again."""
    async with open_site(give(b"secret", ETag='"1"', Cache_Control="no-cache")) as site:
        names = {"turns.example": [["127.0.0.1"], ["10.0.0.1"]]}
        fetcher = site.fetcher(names=names, allow=[f"127.0.0.1:{site.port}"], cache=Cache(tmp_path / "cache"))
        await fetcher.fetch(site.url(host="turns.example"), tmp_path / "file")
        with pytest.raises(Unsafe):
            await fetcher.fetch(site.url(host="turns.example"), tmp_path / "file")
    assert site.connections == 1


async def test_who_may_refuse_is_asked_of_each_address_on_the_way_and_of_copies(tmp_path: Path) -> None:
    asked: list[str] = []

    async def admit(url: str) -> None:
        asked.append(url)
        if url.endswith("/second") and len(asked) > 2:
            raise InvalidRequest("not this one")

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await (give(b"hello") if request.path == "/second" else redirect("/second"))(request, writer)

    async with open_site(answer) as site:
        fetcher = site.fetcher(admit=admit, cache=Cache(tmp_path / "cache"))
        await fetcher.fetch(site.url(), tmp_path / "file")
        with pytest.raises(InvalidRequest, match="not this one"):
            await fetcher.fetch(site.url(), tmp_path / "file")
    assert asked == [site.url(), site.url("/second")] * 2
    assert len(site.requests) == 2
    assert PUBLIC in asked[0]
