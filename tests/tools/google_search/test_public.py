"""Public search engines: the real package, in its process, before stand-ins of the web or with no way to it.

The stand-in is a proxy, as `DDGS_PROXY` names one: whatever host is asked for, it answers itself, over TLS, with a
certificate by an authority that `SSL_CERT_FILE` makes trusted.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from conformance.certificates import make_certificates
from support import until
from turnwise.tools.google_search.engine import Hit, SearchFailed
from turnwise.tools.google_search.public import PublicEngine

pytest.importorskip("ddgs")

HOSTS = (
    *("html.duckduckgo.com", "duckduckgo.com", "en.wikipedia.org", "grokipedia.com", "www.mojeek.com"),
    *("search.yahoo.com", "search.brave.com", "www.startpage.com", "www.bing.com"),
)

ENOUGH = 30.0
"""In seconds: a process starts in a tenth of one, but the machine may have other things to do."""

DUCKDUCKGO = """<html><body><div class="results">
<div class="result results_links"><div class="links_main links_deep result__body">
  <h2 class="result__title"><a class="result__a" href="https://example.org/otters">Otters of the sea</a></h2>
  <a class="result__snippet" href="https://example.org/otters">Otters live in the sea and eat fish.</a>
</div></div></div></body></html>"""

ARTICLE = "An otter is an animal."


@dataclass
class Web:
    """The stand-in: what it was asked, and by how many it is being asked."""

    asked: list[str] = field(default_factory=list)
    """Hosts, and what is asked of them: `en.wikipedia.org/w/api.php?...`."""
    open: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)


Answer = Callable[[str], Awaitable[tuple[int, bytes]]]


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], object]:
    """Makes a web that answers so, and is the only one that the package can reach."""
    made = make_certificates(tmp_path, HOSTS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)

    @asynccontextmanager
    async def opened(answer: Answer) -> AsyncIterator[Web]:
        site = Web()
        serving: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            serving.add(task)
            task.add_done_callback(serving.discard)
            site.open += 1
            try:
                await _serve(reader, writer, context, site, answer)
            except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
                pass  # it was left
            finally:
                site.open -= 1
                writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        monkeypatch.setenv("DDGS_PROXY", f"http://{host}:{port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
        try:
            yield site
        finally:
            server.close()
            for task in serving.copy():
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)
            await server.wait_closed()

    return opened


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, site: Web, answer: Answer
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    host = head.split()[1].partition(":")[0]
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await writer.start_tls(context)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    site.asked.append(f"{host}{head.split()[1]}")
    site.reached.set()
    answering = asyncio.ensure_future(answer(site.asked[-1]))
    leaving = asyncio.ensure_future(_end_of(reader))
    try:
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            status, body = answering.result()
            writer.write(f"HTTP/1.1 {status} .\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
            writer.write(body)
            await writer.drain()
    finally:
        for task in (answering, leaving):
            task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await task


async def _end_of(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


async def search(query: str = "otters", seconds: float = 15, search_type: str = "web_search") -> list[Hit]:
    async with asyncio.timeout(ENOUGH):
        return list(await PublicEngine(seconds).search(query, search_type, 8))


async def failure(**options: object) -> str:
    with pytest.raises(SearchFailed) as failed:
        await search(**options)
    return failed.value.message


async def test_pages_of_search_engines_become_hits(web):
    async def answer(asked: str) -> tuple[int, bytes]:
        if asked.startswith("html.duckduckgo.com/html/"):
            return 200, DUCKDUCKGO.encode()
        if "action=opensearch" in asked:
            return 200, orjson.dumps(["otters", ["Otter"], [""], ["https://en.wikipedia.org/wiki/Otter"]])
        if "action=query" in asked:
            return 200, orjson.dumps({"query": {"pages": {"1": {"extract": ARTICLE}}}})
        return 404, b""

    async with web(answer) as site:
        hits = await search("otters of the sea")
        assert any(asked.startswith("html.duckduckgo.com/") for asked in site.asked)
    assert Hit("https://en.wikipedia.org/wiki/Otter", "Otter", ARTICLE) in hits
    assert Hit("https://example.org/otters", "Otters of the sea", "Otters live in the sea and eat fish.") in hits


async def test_images_are_found(web):
    found = {
        "results": [
            {
                "title": "An otter",
                "image": "https://example.org/otter.jpg",
                "thumbnail": "https://example.org/small.jpg",
                "url": "https://example.org/page",
                "height": 1,
                "width": 1,
                "source": "Bing",
            }
        ]
    }

    async def answer(asked: str) -> tuple[int, bytes]:
        if asked.startswith("duckduckgo.com/i.js"):
            return 200, orjson.dumps(found)
        if asked.startswith("duckduckgo.com/"):
            return 200, b'<script>vqd="4-123456789"</script>'
        return 404, b""

    async with web(answer):
        hits = await search(search_type="image_search")
    assert hits == [Hit("https://example.org/page", "An otter", "", "https://example.org/otter.jpg")]


async def test_engines_that_refuse_are_told(web):
    async def refuse(asked: str) -> tuple[int, bytes]:
        return 403, b"are you a robot?"

    async with web(refuse):
        assert "the public search engines gave nothing" in await failure()


async def test_where_there_is_no_way_to_the_web_it_says_so_and_what_to_set(monkeypatch):
    monkeypatch.setenv("DDGS_PROXY", "http://127.0.0.1:9")  # nobody listens there
    message = await failure()
    assert message.startswith("the public search engines cannot be reached from this server.")
    assert "set another engine, tools.google_search.engine: searxng, brave, tavily or folder" in message
    assert "127.0.0.1" not in message


async def test_engines_that_are_silent_are_left_in_time(web):
    async def silent(asked: str) -> tuple[int, bytes]:
        return await asyncio.get_running_loop().create_future()

    async with web(silent) as site:
        message = await failure(seconds=1.5)
        assert site.asked
    assert "did not answer in time" in message or "the search broke off" in message


async def test_cancelling_ends_the_process_and_its_connections(web):
    async def silent(asked: str) -> tuple[int, bytes]:
        return await asyncio.get_running_loop().create_future()

    async with web(silent) as site:
        searching = asyncio.create_task(search(seconds=60))
        async with asyncio.timeout(ENOUGH):
            await site.reached.wait()
        searching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await searching
        await until(lambda: site.open == 0)


async def test_the_process_is_not_told_our_keys(web, monkeypatch, tmp_path):
    """What it is started with, by a Python that writes it down."""
    told = tmp_path / "told"
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nenv > {told}\n")
    script.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(script))
    monkeypatch.setenv("SEARCH_KEY", "secret-key")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert "broke off" in await failure()
    environment = told.read_text()
    assert "secret-key" not in environment
    assert "HTTPS_PROXY=http://proxy.example:3128" in environment
    assert f"PATH={os.environ['PATH']}" in environment


def test_it_says_what_adds_it_where_it_is_not(monkeypatch):
    engine = PublicEngine(15)
    assert engine.why_not() is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    missing = engine.why_not()
    assert missing is not None
    assert "run: pip install 'turnwise[tools]'" in missing
