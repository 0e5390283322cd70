"""How many functions a call runs through: what it costs, as no machine and no other program can change it.

    python -m bench.speed count

turnwise runs in this process, put together as `turnwise serve` puts it together, on SQLite. Its upstream says all that
it says in one piece, so what is read does not hang on who was quicker. Counted are the functions written in Python that
are turnwise's own and those of the packages it uses, in all threads: a function counts once when it is called, and once
for each time it goes on behind an `await`. Functions of Python's own library are not counted, since they are others in
each version. Of several calls the cheapest counts, for whatever a timer does in between only adds to it.
"""

import argparse
import asyncio
import sys
import sysconfig
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
from bench.speed.upstream import ANSWER, pieces

from turnwise.app import open_app
from turnwise.settings import Settings, load_settings

CALLS = 30
"""How many calls of each kind the cheapest is looked for in."""

KINDS = {"create": False, "stream": True}
"""What is counted, and whether it is streamed."""

_PYTHON = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), "<frozen", str(Path(__file__))})
_PACKAGES = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
_INLINE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
"""Functions to some versions of Python, and not to others."""


class Counter:
    """Counts functions of all threads that begin after it."""

    def __init__(self) -> None:
        self.count = 0

    def see(self, frame: FrameType, event: str, argument: object) -> None:
        """What the interpreter tells."""
        if event == "call" and _counts(frame.f_code.co_filename) and frame.f_code.co_name not in _INLINE:
            self.count += 1


@cache
def _counts(path: str) -> bool:
    return path.startswith(_PACKAGES) or not path.startswith(_PYTHON)


async def count_functions() -> dict[str, int]:
    """How many functions a call of each kind runs through."""
    counter = Counter()
    threading.setprofile(counter.see)
    sys.setprofile(counter.see)
    try:
        async with _upstream() as url, _server(url) as app:
            return {kind: await _cheapest(app, counter, streamed) for kind, streamed in KINDS.items()}
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


async def _cheapest(app: Any, counter: Counter, streamed: bool) -> int:
    counts = []
    for _ in range(CALLS):
        before = counter.count
        await _call(app, streamed)
        counts.append(counter.count - before)
    return min(counts)


async def _call(app: Any, streamed: bool) -> None:
    """A call, sent whole by a client that stays until it has the whole answer."""
    body = orjson.dumps({"model": "m", "input": "Hi", "stream": streamed})
    headers = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/interactions",
        "raw_path": b"/v1/interactions",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        answer.append(message)

    await app(scope, receive, send)
    said = b"".join(message.get("body", b"") for message in answer)
    assert answer[0]["status"] == 200, said
    assert (b"word99 " if streamed else b"Hello") in said, said


@asynccontextmanager
async def _server(upstream: str) -> AsyncIterator[Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_app(_settings(Path(folder), upstream)) as app:
            yield app.asgi


def _settings(folder: Path, upstream: str) -> Settings:
    config = folder / "turnwise.toml"
    config.write_text(f'[models."*"]\nengine = "openai"\nbase_url = "{upstream}/v1"\n')
    return load_settings(config, data_dir=folder)


@asynccontextmanager
async def _upstream() -> AsyncIterator[str]:
    """The upstream of the tables, whose answer comes in one piece."""
    streamed = b"".join(pieces(100))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                asked = orjson.loads(await reader.readexactly(int(length.partition(b":")[2])))
                kind, said = (b"text/event-stream", streamed) if asked.get("stream") else (b"application/json", ANSWER)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(said), said)
                )
        except asyncio.IncompleteReadError:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.parse_args()
    for kind, functions in asyncio.run(count_functions()).items():
        print(f"{kind}: {functions:,} functions")


if __name__ == "__main__":
    main()
