"""Fetches from addresses that others chose: bounded in what is reached, in size, in time and in redirects.

What may be reached is decided in `guard.py`. Here each redirect is followed by hand and checked like the first address,
and everything else that a server may do to whoever asks it has an end: a body that is longer than it says or never
ends, one that grows when it is unpacked, one that comes a byte at a time, headers without number.
"""

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path

import aiohttp
from yarl import URL

from turnwise.domain.errors import InvalidRequest
from turnwise.media.cache import Cache, Copy
from turnwise.media.guard import Guard, Refused, Unsafe, show
from turnwise.media.media import Fetched

REDIRECTS = 5
CHUNK = 256 * 1024
_MOVED = frozenset({301, 302, 303, 307, 308})
_GIVEN = frozenset({200, 203})
_FORBIDDEN = frozenset({401, 402, 403})
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([\w.:-]{1,40})", re.ASCII | re.IGNORECASE)
WORDS = 64 * 1024
"""In bytes: how much is read of why something is forbidden."""
_PACKINGS = {"gzip": zlib.MAX_WBITS | 32, "x-gzip": zlib.MAX_WBITS | 32, "deflate": zlib.MAX_WBITS}
"""How servers pack although they are asked not to, and what `zlib` calls it."""


class NothingGiven(InvalidRequest):
    """A server answered, and gave no file."""

    def __init__(self, message: str, *, field: str | None = None, status: int = 0, words: bytes = b"") -> None:
        super().__init__(message, field=field)
        self.status = status
        """Its HTTP status."""
        self.words = words
        """How what it gave instead begins, where it forbids."""


class GuardedFetcher:
    """A `Fetcher`. See `media.py`."""

    def __init__(
        self,
        guard: Guard,
        *,
        max_bytes: int,
        seconds: float,
        cache: Cache | None = None,
        admit: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`admit` is asked before an address is gone to, each one of a chain of redirects, and raises if it is not to
        be."""
        self._guard = guard
        self._admit = admit
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._cache = cache

    async def fetch(self, url: str, into: Path, *, limit: int | None = None) -> Fetched:
        """Fetch a file. See `Fetcher` in `media.py`."""
        limit = self._max_bytes if limit is None else min(limit, self._max_bytes)
        self._guard.check(url)
        done = False
        try:
            async with asyncio.timeout(self._seconds):
                fetched = await self._fetch_or_copy(url, into, limit)
            done = True
        except TimeoutError:
            raise InvalidRequest(f"the address {show(url)} did not give its file within {self._seconds:g} s") from None
        finally:
            if not done:
                await asyncio.to_thread(into.unlink, missing_ok=True)
        return fetched

    async def _fetch_or_copy(self, url: str, into: Path, limit: int) -> Fetched:
        if self._cache is None:
            return await self._fetch(url, None, into, limit)
        copy = self._cache.find(url)
        if copy is not None and self._cache.is_fresh(copy):
            for visited in dict.fromkeys((url, copy.fetched.url)):
                await self._ask(visited)
            if given := await self._give(url, copy, into, limit):
                return given
        return await self._fetch(url, copy, into, limit)

    async def _give(self, url: str, copy: Copy, into: Path, limit: int) -> Fetched | None:
        assert self._cache is not None
        _check_size(copy.fetched.size, limit, url)
        return copy.fetched if await self._cache.give(copy, into) else None

    async def _fetch(self, url: str, copy: Copy | None, into: Path, limit: int) -> Fetched:
        async with self._guard.open_session() as session, await self._follow(session, url, copy) as response:
            if response.status == 304 and copy is not None and self._cache is not None:
                self._cache.renew(url, copy)
                given = await self._give(url, copy, into, limit)
                return given or await self._fetch(url, None, into, limit)
            if response.status not in _GIVEN:
                raise NothingGiven(
                    f"the address {show(url)} gives no file: it answers HTTP {response.status}",
                    status=response.status,
                    words=await _beginning(response, url) if response.status in _FORBIDDEN else b"",
                )
            size = await _write(response, url, into, limit)
            content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            fetched = Fetched(str(response.url), content_type, size, response.status, _charset(response))
            if self._cache is not None:
                await self._keep(self._cache, url, into, fetched, response)
            return fetched

    async def _follow(self, session: aiohttp.ClientSession, url: str, copy: Copy | None) -> aiohttp.ClientResponse:
        """The answer at the end of the redirects."""
        where = self._guard.check(url)
        for _ in range(REDIRECTS + 1):
            headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
            if copy is not None and str(where) == copy.fetched.url:
                headers |= dict(copy.conditions)
            await self._ask(str(where))
            with explained(url):
                response = await session.get(where, headers=headers, allow_redirects=False)
            location = response.headers.get("Location")
            if response.status not in _MOVED or location is None:
                return response
            response.close()
            where = self._guard.check(_joined(where, location, url))
        raise InvalidRequest(f"the address {show(url)} is redirected more than {REDIRECTS} times")

    async def _ask(self, url: str) -> None:
        if self._admit is not None:
            await self._admit(url)

    @staticmethod
    async def _keep(cache: Cache, url: str, path: Path, fetched: Fetched, response: aiohttp.ClientResponse) -> None:
        """Keep a copy, as far as the server lets us."""
        control = response.headers.get("Cache-Control", "").lower()
        if "no-store" in control:
            cache.forget(url)
            return
        known = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
        conditions = tuple((ask, response.headers[name]) for ask, name in known if name in response.headers)
        fresh = not ("no-cache" in control or "max-age=0" in control)
        await cache.keep(url, path, fetched, conditions, fresh=fresh)


def _joined(where: URL, location: str, url: str) -> str:
    try:
        return str(where.join(URL(location, encoded=location.isascii())))
    except ValueError:
        raise InvalidRequest(f"the address {show(url)} is redirected to something that is no address") from None


def _charset(response: aiohttp.ClientResponse) -> str:
    said = _CHARSET.search(response.headers.get("Content-Type", ""))
    return said[1].lower() if said is not None else ""


async def _beginning(response: aiohttp.ClientResponse, url: str) -> bytes:
    """How a body begins. Nothing, if it is no body that can be read."""
    words = b""
    with suppress(InvalidRequest):
        async with aclosing(_unpacked(response, url, WORDS)) as pieces:
            async for piece in pieces:
                words += piece
                if len(words) >= WORDS:
                    break
    return words[:WORDS]


async def _write(response: aiohttp.ClientResponse, url: str, into: Path, limit: int) -> int:
    """Write a body into a file. Returns its size."""
    _check_size(response.content_length or 0, limit, url)
    size = 0
    with into.open("wb") as file:
        async with aclosing(_unpacked(response, url, limit)) as pieces:
            async for piece in pieces:
                size += len(piece)
                _check_size(size, limit, url)
                await asyncio.to_thread(file.write, piece)
    return size


async def _unpacked(response: aiohttp.ClientResponse, url: str, limit: int) -> AsyncGenerator[bytes, None]:
    """A body, a piece at a time, none of them much larger than `CHUNK` even if it was packed."""
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing in ("identity", ""):
        async for chunk in _chunks(response, url):
            yield chunk
        return
    if packing not in _PACKINGS:
        raise InvalidRequest(f"the address {show(url)} packs its file as '{packing}', although asked not to")
    unpacker = zlib.decompressobj(_PACKINGS[packing])
    taken = 0
    async for chunk in _chunks(response, url):
        taken += len(chunk)
        _check_size(taken, limit, url)
        rest = chunk
        while rest:
            if unpacker.eof:  # another one may follow, as gzip allows it
                unpacker = zlib.decompressobj(_PACKINGS[packing])
            with explained(url):
                piece = unpacker.decompress(rest, CHUNK)
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            yield piece
    if not unpacker.eof:
        raise InvalidRequest(f"the address {show(url)} broke off before its end")


async def _chunks(response: aiohttp.ClientResponse, url: str) -> AsyncGenerator[bytes, None]:
    while True:
        with explained(url):
            chunk = await response.content.read(CHUNK)
        if not chunk:
            return
        yield chunk


def _check_size(size: int, limit: int, url: str) -> None:
    if size > limit:
        raise InvalidRequest(f"the address {show(url)} has more than the {limit} bytes that are fetched")


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Errors of the network become the client's, in words that say nothing of our own network."""
    try:
        yield
    except TimeoutError:
        raise
    except Refused as error:
        raise Unsafe(error.explain(url)) from None
    except aiohttp.ClientConnectorCertificateError:
        problem = "has a certificate that cannot be trusted"
    except aiohttp.ClientSSLError:
        problem = "speaks no TLS that is understood"
    except aiohttp.ClientConnectorError:
        problem = "cannot be reached: there is no such host, or it takes no connections"
    except aiohttp.ClientPayloadError:
        problem = "broke off before its end"
    except (aiohttp.ClientError, OSError, ValueError, zlib.error):
        problem = "does not answer as HTTP servers do"
    else:
        return
    raise InvalidRequest(f"the address {show(url)} {problem}")
