"""Large files over HTTP: fetched in one go or in many, and only put in their place when they are right.

What a broken-off download brought stays beside the place, with a note of what it is a part of. The next one goes on
from there, if the server still has the same file: it is asked for the rest under the condition that nothing has
changed (`If-Range`), and what has changed is fetched anew. A hub answers with a redirect to where its large files are,
and says beside it what their hash is.

It uses aiohttp, which is imported when something is fetched, and not before.
"""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnwise import __version__
from turnwise.models.kept import Broken, check, hash_of, megabytes, progress, put, tell

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

CHUNK = 2**20
CONNECT, SILENCE = 30.0, 60.0
"""How long, in seconds, a server may take to connect, and be silent in between."""

REDIRECTS = 10
TRIES = 3
"""How often in a row a download may break off without having brought anything more."""

PAUSE = 0.5
"""Seconds before it goes on; more after each failure in a row."""

CLOSED = "the connection was closed before the end"

LISTING = 16 * 2**20
"""No list of a repository's files is longer."""

LINKED = ("x-linked-etag", "x-linked-size")
"""What a hub says of a large file beside the redirect to it."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that are another one a moment later."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A file to be fetched."""

    url: str
    title: str
    """What it is called towards people."""
    sha256: str | None = None
    begins: bytes = b""
    """What every file of its kind begins with: a page that says "log in" does not."""
    hub: bool = False
    """Whether the server's own ETag of a large file is its sha256."""
    token: str | None = None
    """Told to the server of `url` and to no other that it redirects to."""


class Refused(Exception):
    """The server does not give it. `code` is its own word for the reason, where it has one."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"HTTP {status} {code}".strip())
        self.status, self.code = status, code


class _BrokeOff(Exception):
    """A download that may go on."""


async def download(asked: Asked, path: Path) -> str:
    """Bring a file to its place. Returns its sha256.

    Raises:
        Refused: the server does not give it.
        Broken: it cannot be reached, or what came is not what it should be.
        OSError: it cannot be written.
    """
    part = _Part(path, asked.url)
    async with _session() as session:
        await _bring(session, asked, part)
    await asyncio.to_thread(_verify, part, asked)
    sha256 = part.sha256
    if sha256 is None:
        sha256 = await asyncio.to_thread(hash_of, part.path)
    await asyncio.to_thread(put, part.path, path)
    part.throw_away()
    return sha256


async def read_listing(url: str, token: str | None) -> Any:
    """A small JSON document, or None: it only helps to explain another error."""
    import aiohttp

    try:
        async with _session() as session:
            response, _ = await _follow(session, Asked(url, "", token=token), None)
            async with response:
                if response.status != 200:
                    return None
                return json.loads(await response.content.read(LISTING))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, Broken, _BrokeOff):
        return None


class _Part:
    """What has come of a file so far, beside its place, and a note of what it is a part of."""

    def __init__(self, path: Path, url: str) -> None:
        self.place = path
        self.path = path.with_name(f".{path.name}.part")
        self._note = path.with_name(f".{path.name}.part.json")
        self._url = url
        self._facts: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            facts = json.loads(self._note.read_bytes())
            if facts.get("url") == url and facts.get("same"):
                self._facts = dict(facts)
        if not self._facts:
            self.throw_away()

    @property
    def size(self) -> int:
        """How much there is."""
        return self.path.stat().st_size if self._facts and self.path.exists() else 0

    @property
    def whole(self) -> int | None:
        """How much there will be, if that is known."""
        return self._facts.get("size")

    @property
    def sha256(self) -> str | None:
        """What its hash will be, if that is known."""
        known: str | None = self._facts.get("sha256")
        return known

    @property
    def same(self) -> str | None:
        """By what the server knows that its file is still the same."""
        return self._facts.get("same")

    def begin(self, *, size: int | None, sha256: str | None, same: str | None) -> None:
        """Begin anew, or go on with, a file of which this is known."""
        self._facts = {"url": self._url, "size": size, "sha256": sha256, "same": same}
        self._note.write_text(json.dumps(self._facts))

    def throw_away(self) -> None:
        """Begin from nothing."""
        self._facts = {}
        for path in (self.path, self._note):
            path.unlink(missing_ok=True)


async def _bring(session: "aiohttp.ClientSession", asked: Asked, part: _Part) -> None:
    """Fetch until everything is there."""
    failures, first = 0, part.size
    while part.whole is None or part.size != part.whole:
        before = part.size
        try:
            if await _fetch_rest(session, asked, part):
                return
        except _BrokeOff as error:
            failures = 0 if part.size > before else failures + 1
            if failures >= TRIES or part.size == first == before:
                raise Broken(_gave_up(asked, part, error)) from error
            tell(f"the download of {asked.title} broke off at {megabytes(part.size)} ({error}): going on")
            await asyncio.sleep(PAUSE * (failures + 1))


def _gave_up(asked: Asked, part: _Part, error: _BrokeOff) -> str:
    if not part.size:
        return f"{asked.title} cannot be fetched: {error}"
    return (
        f"the download of {asked.title} broke off: {error}. {megabytes(part.size)} are kept; the next one goes on there"
    )


async def _fetch_rest(session: "aiohttp.ClientSession", asked: Asked, part: _Part) -> bool:
    """Fetch what is missing. Returns whether that was all: if not, what there was turned out to be of another file."""
    response, linked = await _follow(session, asked, part)
    async with response:
        if response.status in _BUSY:
            raise _BrokeOff(f"the server is busy (HTTP {response.status})")
        cannot_go_on = response.status == 416 or (response.status == 206 and not _goes_on(response, part))
        if part.size and (cannot_go_on or response.status == 200):
            _throw_away(asked, part)
            if cannot_go_on:
                return False
        if response.status not in (200, 206) or cannot_go_on:
            raise Refused(response.status, response.headers.get("X-Error-Code", ""))
        await _write_rest(response, linked, asked, part)
        return True


def _goes_on(response: "aiohttp.ClientResponse", part: _Part) -> bool:
    """Whether this is the rest of what we have. Some servers look at `Range`, but not at `If-Range`."""
    range = response.headers.get("Content-Range", "")
    return range.startswith(f"bytes {part.size}-") and _same(response) in (part.same, None)


def _throw_away(asked: Asked, part: _Part) -> None:
    tell(f"{asked.title} has changed, or its server cannot go on: throwing away what there is of it")
    part.throw_away()


async def _write_rest(response: "aiohttp.ClientResponse", linked: dict[str, str], asked: Asked, part: _Part) -> None:
    begun, whole = part.size, _whole(response, linked)
    free = shutil.disk_usage(part.path.parent).free
    if whole is not None and whole - begun > free:
        raise Broken(f"{asked.title} has {megabytes(whole)}, but only {megabytes(free)} are free")
    part.begin(size=whole, sha256=_hash(response, linked, asked), same=_same(response))
    title = f"{'going on with' if begun else 'fetching'} {part.place.name}"
    with progress(title, whole, begun=begun) as show, part.path.open("ab" if begun else "wb") as file:
        done = begun
        async for chunk in _chunks(response):
            if not done:
                _check_beginning(chunk, asked, part)
            await asyncio.to_thread(file.write, chunk)
            done += len(chunk)
            show(done, whole)
    if whole is not None and done < whole:
        raise _BrokeOff(CLOSED)


async def _chunks(response: "aiohttp.ClientResponse") -> AsyncIterator[bytes]:
    import aiohttp

    try:
        async for chunk in response.content.iter_chunked(CHUNK):
            yield chunk
    except aiohttp.ClientPayloadError as error:
        raise _BrokeOff(CLOSED) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _BrokeOff(_words(error)) from error


async def _follow(
    session: "aiohttp.ClientSession", asked: Asked, part: _Part | None
) -> "tuple[aiohttp.ClientResponse, dict[str, str]]":
    """The answer at the end of the redirects, and what was said on the way about the file that they lead to."""
    import aiohttp
    from yarl import URL

    url = first = URL(asked.url)
    linked: dict[str, str] = {}
    for _ in range(REDIRECTS):
        own = {"Authorization": f"Bearer {asked.token}"} if asked.token and url.origin() == first.origin() else {}
        try:
            response = await session.get(url, headers={**own, **_range(part)}, proxy=_proxy(url), allow_redirects=False)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _BrokeOff(f"{url.host} cannot be reached: {_words(error)}") from error
        linked |= {name.lower(): value for name, value in response.headers.items() if name.lower() in LINKED}
        if part is not None and part.size and part.sha256 and _linked_hash(linked) not in (part.sha256, None):
            _throw_away(asked, part)
        where = response.headers.get("Location")
        if response.status not in (301, 302, 303, 307, 308) or where is None:
            return response, linked
        response.close()
        url = url.join(URL(where, encoded=True))
    raise Broken(f"{asked.title} is redirected without end")


def _range(part: _Part | None) -> dict[str, str]:
    if part is None or not part.size or part.same is None:
        return {}
    return {"Range": f"bytes={part.size}-", "If-Range": part.same}


def _same(response: "aiohttp.ClientResponse") -> str | None:
    """By what the server will know whether its file is still the same: a strong ETag, or a time."""
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _whole(response: "aiohttp.ClientResponse", linked: dict[str, str]) -> int | None:
    """How large the whole file is."""
    length = response.headers.get("Content-Length")
    if response.status == 206:
        length = response.headers.get("Content-Range", "").rpartition("/")[2]
    known = length or linked.get("x-linked-size")
    return int(known) if known and known.isdigit() else None


def _hash(response: "aiohttp.ClientResponse", linked: dict[str, str], asked: Asked) -> str | None:
    """What the file's sha256 will be: as the settings say, or the hub."""
    told = _linked_hash(linked)
    if told is None and asked.hub and response.url.origin() == _origin(asked.url):
        told = _as_hash(response.headers.get("ETag"))
    if asked.sha256 and told and asked.sha256 != told:
        raise Broken(f"{asked.title} has the sha256 {told} instead of {asked.sha256}")
    return asked.sha256 or told


def _origin(url: str) -> "URL":
    from yarl import URL

    return URL(url).origin()


def _linked_hash(linked: dict[str, str]) -> str | None:
    return _as_hash(linked.get("x-linked-etag"))


def _as_hash(tag: str | None) -> str | None:
    found = (tag or "").removeprefix("W/").strip('"').lower()
    return found if _SHA256.fullmatch(found) else None


def _check_beginning(data: bytes, asked: Asked, part: _Part) -> None:
    if not data.startswith(asked.begins[: len(data)]):
        part.throw_away()
        raise Broken(f"{asked.title} gives something that begins with {data[:24]!r}, and not as such a file does")


def _verify(part: _Part, asked: Asked) -> None:
    """Throw away what is not right, and say so."""
    try:
        check(part.path, size=part.whole, sha256=part.sha256)
    except Broken as error:
        tell(f"{part.path} {error}: throwing it away")
        part.throw_away()
        raise Broken(f"what came of {asked.title} {error}") from error


@asynccontextmanager
async def _session() -> "AsyncIterator[aiohttp.ClientSession]":
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)
    headers = {"User-Agent": f"turnwise/{__version__}", "Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(
        timeout=timeout, headers=headers, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


def _proxy(url: "URL") -> str | None:
    """The proxy that the environment names for a host."""
    from urllib.request import getproxies, proxy_bypass

    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


def _words(error: BaseException) -> str:
    # Never repr(): that of some of aiohttp's errors holds the request's headers, and so the token.
    return str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
