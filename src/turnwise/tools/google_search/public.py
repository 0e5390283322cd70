"""Public search engines, which need no key: by the package ddgs, in a process of its own for each search.

The package asks web sites that were made for people and takes their pages apart, in threads that nobody can stop. In a
process they can be: a search that takes too long, or that nobody waits for any more, is ended with all of its
connections, and what strangers' pages do to a parser is done to a process that has nothing worth having.
"""

import asyncio
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson

import turnwise
from turnwise.domain.tools import SearchType
from turnwise.processes import start_process
from turnwise.tools.google_search.engine import Hit, SearchFailed

WORKER = "turnwise.tools.google_search.public_worker"

ANSWER = 4 * 1024**2
"""In bytes: longer no answer is."""

PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *(name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())),
    "DDGS_PROXY",
)
"""What the process is told of our environment. Keys are in others of its variables."""

OTHERS = "set another engine, tools.google_search.engine: searxng, brave, tavily or folder"

_FAILURES = {
    "unreachable": (
        "the public search engines cannot be reached from this server. Whoever runs it can give it a network, "
        f"or {OTHERS}"
    ),
    "slow": (
        f"the public search engines did not answer in time. Try again later; or whoever runs this server can {OTHERS}"
    ),
    "nothing": (
        "the public search engines gave nothing. Other words may find something; or they refuse this server, as they "
        f"do when they are asked too often. Whoever runs it can {OTHERS}"
    ),
}


class PublicEngine:
    """An `Engine`. See `engine.py`."""

    name = "ddgs"
    search_types: frozenset[SearchType] = frozenset({"web_search", "image_search"})

    def __init__(self, seconds: float) -> None:
        """`seconds`: how long a search may take, after which it ends itself even if nobody ends it."""
        self._seconds = seconds

    def why_not(self) -> str | None:
        """Whether the package is here."""
        if importlib.util.find_spec("ddgs") is None:
            return f"the package ddgs is not installed; run: pip install 'turnwise[tools]'; or {OTHERS}"
        return None

    async def search(self, query: str, search_type: SearchType, limit: int) -> Sequence[Hit]:
        """At most so many hits. See `Engine.search`."""
        process = await start_process(
            *(sys.executable, "-P", "-m", WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # so that a Ctrl-C in the terminal is ours to act on
        )
        try:
            order = {"query": query, "search_type": search_type, "limit": limit, "seconds": self._seconds}
            answer = await _ask(process, orjson.dumps(order))
        finally:
            await _end(process)
        return _read(answer)

    async def close(self) -> None:
        """Nothing lasts longer than a search."""


async def _ask(process: asyncio.subprocess.Process, order: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(ConnectionError):  # it ended at once, and says nothing
        process.stdin.write(order)
        await process.stdin.drain()
    process.stdin.close()
    pieces, size = [], 0
    while size <= ANSWER and (piece := await process.stdout.read(65536)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing of it, also when we are being cancelled."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    await process.wait()


def _read(answer: bytes) -> Sequence[Hit]:
    try:
        said = orjson.loads(answer)
        if "failed" in said:
            raise SearchFailed(_FAILURES[said["failed"]])
        return [Hit(*(str(text) for text in hit)) for hit in said["hits"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise SearchFailed("the search broke off; try again") from None


def _environment() -> dict[str, str]:
    """How to import us, and how to reach the web."""
    ours = str(Path(turnwise.__file__).resolve().parent.parent)
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "PYTHONPATH": os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
