"""Fetching: what comes, and what servers may do to whoever asks them. All of it over real sockets."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from media.web import PUBLIC, Answer, Request, Site, dripping, endless, give, open_site, raw, redirect
from turnwise.domain.errors import InvalidRequest
from turnwise.media.cache import FRESH, Cache
from turnwise.media.fetch import REDIRECTS
from turnwise.media.media import Fetched

SOON = 0.3
"""Seconds in which nothing comes that is not there at once."""


async def refusal(site: Site, path: Path, **options: object) -> str:
    """The words with which fetching is refused; and then nothing is left of the file."""
    limit = options.pop("limit", None)
    assert limit is None or isinstance(limit, int)
    with pytest.raises(InvalidRequest) as refused:
        await site.fetcher(**options).fetch(site.url("/file?key=secret"), path / "file", limit=limit)  # type: ignore[arg-type]
    assert not (path / "file").exists()
    assert "secret" not in refused.value.message
    assert f"'http://{PUBLIC}:{site.port}/file?...'" in refused.value.message
    return refused.value.message


async def test_a_file_is_fetched_with_what_its_server_says_of_it(tmp_path: Path) -> None:
    async with open_site(give(b"hello", Content_Type="Text/HTML; charset=utf-8")) as site:
        fetched = await site.fetcher().fetch(site.url(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"hello"
    assert fetched == Fetched(site.url(), "text/html", 5, 200, "utf-8")


async def test_nothing_of_ours_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cookies, no credentials of the environment, and no proxy of it."""
    (tmp_path / "netrc").write_text(f"machine {PUBLIC} login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        to = redirect("/second") if request.path == "/file" else give(b"hello")
        await to(request, writer)

    async with open_site(give(b"proxied")) as proxy, open_site(answer) as site:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await site.fetcher().fetch(site.url(), tmp_path / "file")
        assert proxy.connections == 0
    assert (tmp_path / "file").read_bytes() == b"hello"
    assert [request.path for request in site.requests] == ["/file", "/second"]
    for request in site.requests:
        assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding"}
        assert request.headers["accept-encoding"] == "identity"


async def test_cookies_are_not_given_back(tmp_path: Path) -> None:
    async with open_site(give(b"hello", Set_Cookie="session=1; Path=/")) as site:
        fetcher = site.fetcher()
        for _ in range(2):
            await fetcher.fetch(site.url(), tmp_path / "file")
    assert ["cookie" in request.headers for request in site.requests] == [False, False]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_to_where_the_file_is(tmp_path: Path, status: int) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        number = int(request.path.rpartition("/")[2])
        to = give(b"hello") if number == REDIRECTS else redirect(f"../x/{number + 1}", status)
        await to(request, writer)

    async with open_site(answer) as site:
        fetched = await site.fetcher().fetch(site.url("/a/0"), tmp_path / "file")
    assert fetched.url == site.url(f"/x/{REDIRECTS}")
    assert (tmp_path / "file").read_bytes() == b"hello"


async def test_redirects_without_end_are_refused(tmp_path: Path) -> None:
    async with open_site(redirect("/file")) as site:
        assert "redirected more than 5 times" in await refusal(site, tmp_path)
    assert len(site.requests) == REDIRECTS + 1


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial", "304 Same", "404 Not Found", "403 No", "500 Oh"])
async def test_an_answer_that_is_no_file_is_refused_by_its_status(tmp_path: Path, status: str) -> None:
    async with open_site(give(b"", status=status)) as site:
        assert f"HTTP {status[:3]}" in await refusal(site, tmp_path)


async def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with open_site(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", then="hangs")) as site:
        assert "more than the 1000 bytes" in await refusal(site, tmp_path, max_bytes=1000)


async def test_a_file_of_just_the_limit_is_taken(tmp_path: Path) -> None:
    async with open_site(give(bytes(1000))) as site:
        assert (await site.fetcher(max_bytes=1000).fetch(site.url(), tmp_path / "file")).size == 1000


async def test_a_callers_limit_lowers_ours_and_never_raises_it(tmp_path: Path) -> None:
    async with open_site(give(bytes(1000))) as site:
        assert "more than the 999 bytes" in await refusal(site, tmp_path, limit=999)
        assert "more than the 500 bytes" in await refusal(site, tmp_path, max_bytes=500, limit=10_000)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "piece"), [(CHUNKED, b"400\r\n" + bytes(1024) + b"\r\n"), (UNTIL_CLOSED, bytes(4096))]
)
async def test_a_body_without_end_is_refused_at_the_limit(tmp_path: Path, head: bytes, piece: bytes) -> None:
    async with open_site(endless(head, piece)) as site:
        assert "more than the" in await refusal(site, tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"only this"),
        raw(CHUNKED, b"9\r\nonly this\r\n"),
        raw(PACKED, gzip.compress(bytes(range(256)) * 9)[:-20]),
    ],
    ids=["by length", "in pieces", "packed"],
)
async def test_a_body_that_breaks_off_is_refused(tmp_path: Path, answer: Answer) -> None:
    async with open_site(answer) as site:
        assert "broke off" in await refusal(site, tmp_path)


async def test_a_body_that_is_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    async with open_site(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more")) as site:
        assert "does not answer as HTTP" in await refusal(site, tmp_path)


HELLO = b"hello " * 500


@pytest.mark.parametrize(
    ("packing", "packed"),
    [
        ("gzip", gzip.compress(HELLO * 2, mtime=0)),
        ("gzip", gzip.compress(HELLO, mtime=0) * 2),
        ("deflate", zlib.compress(HELLO * 2)),
    ],
    ids=["gzip", "gzip twice", "deflate"],
)
async def test_what_is_packed_although_nobody_asked_is_unpacked(tmp_path: Path, packing: str, packed: bytes) -> None:
    async with open_site(give(packed, Content_Encoding=packing)) as site:
        fetched = await site.fetcher().fetch(site.url(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == HELLO * 2
    assert fetched.size == len(HELLO) * 2


async def test_what_grows_when_it_is_unpacked_is_refused_at_the_limit(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(200 * 2**20), 9)
    assert len(bomb) < 2**20
    async with open_site(give(bomb, Content_Encoding="gzip")) as site:
        assert "more than the 1048576 bytes" in await refusal(site, tmp_path)


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "compress"])
async def test_a_packing_that_is_not_undone_is_refused_by_its_name(tmp_path: Path, packing: str) -> None:
    async with open_site(give(b"x", Content_Encoding=packing)) as site:
        assert f"'{packing}'" in await refusal(site, tmp_path)


async def test_what_is_not_packed_as_it_says_is_refused(tmp_path: Path) -> None:
    async with open_site(give(b"hello", Content_Encoding="gzip")) as site:
        assert "does not answer as HTTP" in await refusal(site, tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        raw(then="hangs"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", then="hangs"),
        dripping(CHUNKED, b"1\r\nx\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["nothing", "half a body", "a byte at a time", "a header at a time", "promises"],
)
async def test_what_is_too_slow_is_given_up(tmp_path: Path, answer: Answer) -> None:
    async with open_site(answer) as site:
        async with asyncio.timeout(5):
            assert "within 0.3 s" in await refusal(site, tmp_path, seconds=SOON)


@pytest.mark.parametrize(
    "answer",
    [
        endless(b"HTTP/1.1 200 OK\r\n", b"X-Header: value\r\n"),
        endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000),
        endless(b"HTTP/1.1 200 ", b"x" * 1000),
        raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
        raw(b"220 mail.example ESMTP\r\n"),
        raw(b""),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ],
    ids=["headers", "a header", "a status", "ssh", "smtp", "nothing", "less than nothing", "two lengths", "no chunk"],
)
async def test_what_is_no_http_is_refused_at_once(tmp_path: Path, answer: Answer) -> None:
    async with open_site(answer) as site:
        async with asyncio.timeout(5):
            words = await refusal(site, tmp_path)
    assert "does not answer as HTTP" in words or "broke off" in words


async def test_a_host_that_does_not_listen_or_exist_is_told_of(tmp_path: Path) -> None:
    async with open_site(give(b"hello")) as site:
        pass
    assert "cannot be reached" in await refusal(site, tmp_path)
    with pytest.raises(InvalidRequest, match="cannot be reached"):
        await site.fetcher().fetch("http://nowhere.example/", tmp_path / "file")


async def test_a_caller_that_leaves_leaves_no_file(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        await writer.drain()
        arrived.set()
        await asyncio.get_running_loop().create_future()

    async with open_site(answer) as site:
        fetching = asyncio.create_task(site.fetcher().fetch(site.url(), tmp_path / "file"))
        await arrived.wait()
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
    assert not (tmp_path / "file").exists()


# -- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `public.example` that nobody trusts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, PUBLIC)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(PUBLIC)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
async def secure_site(certificate: Path) -> AsyncIterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with open_site(give(b"hello"), ssl=context) as site:
        yield site


async def test_a_certificate_that_is_trusted_is_taken(secure_site: Site, certificate: Path, tmp_path: Path) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    await secure_site.fetcher(ssl=trusting).fetch(secure_site.url(scheme="https"), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"hello"


async def test_a_certificate_that_nobody_vouches_for_is_refused(secure_site: Site, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="certificate"):
        await secure_site.fetcher().fetch(secure_site.url(scheme="https"), tmp_path / "file")
    assert secure_site.requests == []


async def test_a_certificate_of_another_name_is_refused(secure_site: Site, certificate: Path, tmp_path: Path) -> None:
    fetcher = secure_site.fetcher(
        ssl=ssl.create_default_context(cafile=certificate),
        names={"other.example": ["127.0.0.1"]},
        allow=["other.example"],
    )
    with pytest.raises(InvalidRequest, match="certificate"):
        await fetcher.fetch(secure_site.url(scheme="https", host="other.example"), tmp_path / "file")
    assert secure_site.requests == []


async def test_a_server_without_tls_is_told_of(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        site = Site(server.sockets[0].getsockname()[1])
        with pytest.raises(InvalidRequest, match="speaks no TLS"):
            await site.fetcher().fetch(site.url(scheme="https"), tmp_path / "file")


# -- copies


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def versions(**headers: str) -> Answer:
    """A server whose file is what the ETag says, `v1` until it is asked for `/change`."""
    state = {"version": "v1"}

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.path == "/change":
            state["version"] = "v2"
        tag = f'"{state["version"]}"'
        same = request.headers.get("if-none-match") == tag
        given = give(b"", status="304 Same") if same else give(state["version"].encode(), ETag=tag, **headers)
        await given(request, writer)

    return answer


async def test_a_copy_is_given_while_it_is_fresh_and_asked_about_after(tmp_path: Path, clock: Clock) -> None:
    async with open_site(versions(Content_Type="text/plain")) as site:
        fetcher = site.fetcher(cache=Cache(tmp_path / "cache", clock=clock))

        async def fetch(path: str = "/file") -> tuple[Fetched, bytes]:
            fetched = await fetcher.fetch(site.url(path), tmp_path / "file")
            return fetched, (tmp_path / "file").read_bytes()

        first = await fetch()
        clock.now += FRESH - 1
        assert await fetch() == first == (Fetched(site.url(), "text/plain", 2, 200), b"v1")
        assert len(site.requests) == 1
        clock.now += 2
        assert await fetch() == first
        assert site.requests[1].headers["if-none-match"] == '"v1"'
        clock.now += FRESH - 1
        assert await fetch() == first
        assert len(site.requests) == 2
        await fetch("/change")
        clock.now += 2
        assert (await fetch())[1] == b"v2"
        assert len(site.requests) == 4


@pytest.mark.parametrize(
    ("control", "conditional"), [("no-store", False), ("no-cache", True), ("private, max-age=0", True)]
)
async def test_a_copy_is_not_kept_or_not_fresh_if_the_server_says_so(
    tmp_path: Path, control: str, conditional: bool
) -> None:
    async with open_site(versions(Cache_Control=control)) as site:
        fetcher = site.fetcher(cache=Cache(tmp_path / "cache"))
        for _ in range(2):
            await fetcher.fetch(site.url(), tmp_path / "file")
    assert len(site.requests) == 2
    assert ("if-none-match" in site.requests[1].headers) is conditional
    assert (tmp_path / "file").read_bytes() == b"v1"


async def test_copies_are_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    async with open_site(give(bytes(100))) as site:
        fetcher = site.fetcher(cache=Cache(tmp_path / "cache", max_bytes=450))
        for path in ["/1", "/2", "/3", "/4", "/1", "/5"]:
            await fetcher.fetch(site.url(path), tmp_path / "file")
        assert len(list((tmp_path / "cache").iterdir())) == 4
        asked = len(site.requests)
        await fetcher.fetch(site.url("/1"), tmp_path / "file")
        assert len(site.requests) == asked
        await fetcher.fetch(site.url("/2"), tmp_path / "file")
        assert len(site.requests) == asked + 1


async def test_a_large_file_is_not_copied(tmp_path: Path) -> None:
    async with open_site(give(bytes(200))) as site:
        fetcher = site.fetcher(cache=Cache(tmp_path / "cache", max_bytes=450))
        for _ in range(2):
            await fetcher.fetch(site.url(), tmp_path / "file")
    assert len(site.requests) == 2


async def test_a_copy_that_is_over_a_callers_limit_is_refused(tmp_path: Path) -> None:
    async with open_site(give(bytes(100))) as site:
        fetcher = site.fetcher(cache=Cache(tmp_path / "cache"))
        await fetcher.fetch(site.url(), tmp_path / "file")
        with pytest.raises(InvalidRequest, match="more than the 99 bytes"):
            await fetcher.fetch(site.url(), tmp_path / "file", limit=99)


async def test_a_copy_that_was_swept_away_is_fetched_again(tmp_path: Path, clock: Clock) -> None:
    async with open_site(versions()) as site:
        fetcher = site.fetcher(cache=Cache(tmp_path / "cache", clock=clock))
        for later in (0.0, FRESH + 1):
            await fetcher.fetch(site.url(), tmp_path / "file")
            for copy in (tmp_path / "cache").iterdir():
                copy.unlink()
            clock.now += later
            await fetcher.fetch(site.url(), tmp_path / "file")
            assert (tmp_path / "file").read_bytes() == b"v1"


async def test_copies_of_another_life_are_swept_away(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "old").touch()
    Cache(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
