"""Reading what stands at addresses: fetched over real sockets, read in a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.makers import picture
from media.test_pages import ARTICLE
from media.web import PUBLIC, Answer, Request, give, open_site, redirect
from turnwise.media.media import Link
from turnwise.media.process import Bounds, Processes
from turnwise.media.readers import Readers
from turnwise.media.robots import Robots
from turnwise.media.visits import TEASER, Visit, Visits

HTML = {"Content_Type": "text/html"}


@pytest.fixture
async def readers() -> AsyncIterator[Readers]:
    readers = Readers(Processes(Bounds(seconds=20)), max_bytes=1 << 24, seconds=20)
    yield readers
    await readers.close()


async def visit(answer: Answer, readers: Readers, path: Path, *, at: str = "/page", **options: object) -> Visit:
    """What comes of going to a site that answers so; and nothing is left of it on the disk."""
    async with open_site(answer) as site:
        names = {"inside.example": ["127.0.0.1"]}
        visits = Visits(site.fetcher(names=names, max_bytes=1 << 24), readers, scratch=path, **options)  # type: ignore[arg-type]
        visited = await visits.visit(at if "//" in at else site.url(at))
    assert not list(path.iterdir())  # noqa: ASYNC240 (an empty folder)
    return visited


async def test_a_page_is_read_with_its_title_and_its_links_as_whole_addresses(readers: Readers, tmp_path: Path) -> None:
    page = ARTICLE.replace('<base href="https://base.example/x/">', "").encode()
    async with open_site(give(page, Content_Type="text/html; charset=utf-8")) as site:
        visited = await Visits(site.fetcher(), readers, scratch=tmp_path).visit(site.url("/a/b"))
        assert (visited.url, visited.status, visited.problem) == (site.url("/a/b"), "success", "")
        assert visited.title == "About things"
        assert visited.passages[0].text.startswith("# All things")
        assert visited.links[0] == Link("thing 0", site.url("/more/0"))


async def test_links_follow_the_base_of_a_page(readers: Readers, tmp_path: Path) -> None:
    visited = await visit(
        give(b"<base href='//cdn.example/x/'><a href='y#z'>go</a><a href='http://['>", **HTML), readers, tmp_path
    )
    assert visited.links == [Link("go", "http://cdn.example/x/y")]


async def test_the_charset_of_the_server_holds(readers: Readers, tmp_path: Path) -> None:
    page = "<title>Ж</title><p>Привет, мир".encode("koi8-r")
    visited = await visit(give(page, Content_Type="text/html; Charset=KOI8-R"), readers, tmp_path)
    assert (visited.title, visited.passages[0].text) == ("Ж", "Привет, мир")


async def test_a_charset_that_does_not_exist_is_found_out_by_the_page(readers: Readers, tmp_path: Path) -> None:
    visited = await visit(give("<p>Grüße".encode(), Content_Type="text/html; charset=nonsense"), readers, tmp_path)
    assert visited.passages[0].text == "Grüße"


@pytest.mark.parametrize(
    ("body", "content_type", "facts"),
    [
        (b'{"a": 1}', "application/json", "JSON file, 1 line"),
        (b"Hello", "text/plain", "text, 1 line"),
        (b"Hello", "", "text, 1 line"),
        (b"<!doctype html><title>T</title><p>Hello", "application/octet-stream", "web page (HTML), titled 'T'"),
        (b"<!doctype html><title>T</title><p>Hello", "image/png", "web page (HTML), titled 'T'"),
        (picture(size=(40, 30)), "text/html", "PNG image, 40 x 30 pixels"),
    ],
)
async def test_what_stands_there_is_known_by_its_bytes(
    readers: Readers, tmp_path: Path, body: bytes, content_type: str, facts: str
) -> None:
    visited = await visit(give(body, Content_Type=content_type), readers, tmp_path)
    assert visited.status == "success"
    assert visited.facts.startswith(facts)


async def test_a_redirect_is_followed_and_its_end_is_what_was_read(readers: Readers, tmp_path: Path) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await (give(b"Hello") if request.path == "/docs/end.txt" else redirect("/docs/end.txt"))(request, writer)

    visited = await visit(answer, readers, tmp_path)
    assert visited.url.endswith("/docs/end.txt")
    assert visited.title == "end.txt"


@pytest.mark.parametrize(
    "at", ["http://inside.example/", "http://127.0.0.1/", "file:///etc/passwd", f"http://me:secret@{PUBLIC}/"]
)
async def test_what_may_not_be_reached_is_unsafe(readers: Readers, tmp_path: Path, at: str) -> None:
    visited = await visit(give(b"secret"), readers, tmp_path, at=at)
    assert (visited.status, visited.passages) == ("unsafe", ())
    assert "secret" not in visited.problem


async def test_a_redirect_inside_is_unsafe(readers: Readers, tmp_path: Path) -> None:
    assert (await visit(redirect("http://inside.example/"), readers, tmp_path)).status == "unsafe"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (give(b"pay", status="402 Payment Required"), "paywall"),
        (give(b"<p>Please subscribe to read on", status="403 Forbidden"), "paywall"),
        (give(b"<div class=paywall-gate>", status="401 Unauthorized"), "paywall"),
        (give(b"<p>Access denied by our firewall", status="403 Forbidden"), "error"),
        (give(b"subscribe", status="404 Not Found"), "error"),
        (give(b"", status="401 Unauthorized", WWW_Authenticate="Basic"), "error"),
        (give(b"", status="200 OK"), "error"),
        (give(b"PK\x03\x04" + bytes(100)), "error"),
    ],
)
async def test_why_there_is_nothing_is_said(readers: Readers, tmp_path: Path, answer: Answer, status: str) -> None:
    visited = await visit(answer, readers, tmp_path)
    assert (visited.status, visited.passages) == (status, ())
    assert visited.problem


async def test_of_a_page_that_is_not_for_all_only_the_beginning_is_told(readers: Readers, tmp_path: Path) -> None:
    page = f"<meta property='article:content_tier' content='locked'><title>T</title><p>{'Hello there. ' * 300}"
    visited = await visit(give(page.encode(), **HTML), readers, tmp_path)
    assert (visited.status, visited.title) == ("paywall", "T")
    assert [len(passage.text) for passage in visited.passages] == [TEASER]
    assert visited.links == ()


async def test_a_refresh_in_a_page_is_not_followed(readers: Readers, tmp_path: Path) -> None:
    page = (
        b"<meta http-equiv=refresh content='0; url=/next'><script>location='/next'</script><iframe src=/next></iframe>"
    )
    async with open_site(give(page + b"<p>Hello", **HTML)) as site:
        visited = await Visits(site.fetcher(), readers, scratch=tmp_path).visit(site.url("/page"))
        assert [request.path for request in site.requests] == ["/page"]
    assert visited.passages[0].text == "Hello"


async def test_a_page_that_keeps_a_reader_busy_is_given_up(readers: Readers, tmp_path: Path) -> None:
    page = b"<svg>" * 300_000 + b"</select>" * 300_000
    visited = await visit(give(page, **HTML), readers, tmp_path, page_seconds=2.0)
    assert (visited.status, visited.problem) == ("error", "the page could not be read within 2 s")
    assert (await visit(give(b"<p>Hello", **HTML), readers, tmp_path)).status == "success"


async def test_what_its_site_asks_not_to_be_read_is_not(readers: Readers, tmp_path: Path) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await give(b"User-agent: turnwise\nDisallow: /page" if request.path == "/robots.txt" else b"Hello")(
            request, writer
        )

    async with open_site(answer) as site:
        robots = Robots(site.fetcher(), scratch=tmp_path)
        visits = Visits(site.fetcher(admit=robots.admit), readers, scratch=tmp_path)
        refused, read = await visits.visit(site.url("/page")), await visits.visit(site.url("/other"))
        assert [request.path for request in site.requests] == ["/robots.txt", "/other"]
    assert (refused.status, read.status) == ("error", "success")
    assert "asks programs not to read this address" in refused.problem


async def test_who_leaves_leaves_nothing_behind(readers: Readers, tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        await writer.drain()
        arrived.set()
        await asyncio.get_running_loop().create_future()

    async with open_site(answer) as site:
        going = asyncio.create_task(Visits(site.fetcher(), readers, scratch=tmp_path).visit(site.url()))
        await arrived.wait()
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240 (an empty folder)
