"""A Chromium for all tests of this folder, and a page that remembers what was done to it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest

from turnwise.clients.chromium import Browser, BrowserError, find_chromium, open_browser

PAGE = """<!doctype html>
<title>A page</title>
<style>
  body { margin: 0; width: 3000px; height: 3000px; background: white; }
  div, input { position: absolute; box-sizing: border-box; font: 20px sans-serif; }
</style>
<input id="field" value="before" style="left: 128px; top: 80px; width: 256px; height: 80px">
<div id="list" style="left: 640px; top: 400px; width: 256px; height: 160px; overflow: scroll; background: #eee">
  <div style="width: 2000px; height: 2000px"></div>
</div>
<script>
  const log = [], mouse = ["click", "dblclick", "auxclick", "contextmenu", "mousedown", "mouseup"];
  for (const kind of mouse)
    addEventListener(kind, event => log.push(`${kind} ${event.clientX},${event.clientY} ${event.button}`));
  for (const kind of ["keydown", "keyup"])
    addEventListener(kind, event => log.push(`${kind} ${event.key}`));
  let pointer = "";
  addEventListener("mousemove", event => { pointer = `${event.clientX},${event.clientY}`; });
</script>
"""


class Site:
    """Pages by their paths, and which were asked for. `/slow` takes a second."""

    def __init__(self) -> None:
        self.pages = {"/": PAGE}
        self.asked: list[str] = []
        self.url = ""

    def answer(self, path: str) -> str | None:
        self.asked.append(path)
        return self.pages.get(urlsplit(path).path)


@contextmanager
def open_site() -> Iterator[Site]:
    """A site that listens for as long as the block lasts."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = site.answer(self.path)
            if self.path == "/slow":
                time.sleep(1)
            content = (page or "There is no such page.").encode()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with open_site() as site:
        yield site


@pytest.fixture(scope="module")
def chromium(site: Site) -> Iterator[Browser]:
    """For one module: as long as it is open, Playwright's event loop runs, and asynchronous tests cannot."""
    pytest.importorskip("playwright", reason="it needs the extra `browser`")
    try:
        find_chromium()
    except BrowserError:
        pytest.skip("it needs Chromium, which scripts/test installs where it can")
    with open_browser(headed=False, sandbox=False, search_url=f"{site.url}/search") as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser, site: Site, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """A browser that has just opened the page, which reacts at once."""
    monkeypatch.setattr("turnwise.clients.chromium.SETTLING", 0.05)
    for page in chromium.page.context.pages[1:]:
        page.close()
    chromium.act("navigate", {"url": f"{site.url}/"})
    chromium.dialogs()
    site.asked.clear()
    return chromium
