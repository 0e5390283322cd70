"""Blobs in an S3-compatible object store, which any number of processes write to.

    <prefix>/unfinished/<key>/<start>   a piece of a blob that is still coming, under the position of its first byte
    <prefix>/ab/<key>                   a whole blob

An object is there whole or not at all. What comes is gathered into pieces of at most 8 MiB, and a piece is
acknowledged when the store has it; so the next chunk may go to another process. A piece is only ever created: where two
writers bring the same bytes at once, one of them finds that the other was quicker, and goes on behind its piece. To
seal a blob is to send its pieces through this process, which hashes them, into one object.

Credentials come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and the others that
tools of S3 know), or from the machine itself where it has a role.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from turnwise.store.errors import BlobsUnavailable
from turnwise.store.store import Gap, Sealed

if TYPE_CHECKING:
    from obstore.store import S3Config

PIECE = 8 << 20
"""How many bytes go to the store, or come from it, at a time."""

CONCURRENCY = 2
"""How many of them at once while a blob is sealed."""


async def open_s3(url: str, endpoint: str | None = None) -> "S3Blobs":
    """The store at `s3://BUCKET/PREFIX`. With an endpoint, its bucket is part of the path and not of the host's name.

    Raises:
        ValueError: the address is none.
        BlobsUnavailable: it cannot be reached, or there is no such bucket, or the credentials are not good for it.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"'{url}' is no address of an object store; use s3://BUCKET/PREFIX")
    config: S3Config = {"virtual_hosted_style_request": endpoint is None}
    if endpoint is not None:
        config["endpoint"] = endpoint
        # Others have no regions, but a signature has one.
        config["region"] = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    store = S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=config,
        client_options={"allow_http": endpoint is not None and endpoint.startswith("http://")},
    )
    with _asking():
        await obstore.list_with_delimiter_async(store, "nothing")
    return S3Blobs(store)


@dataclass(frozen=True, slots=True)
class _Piece:
    path: str
    start: int
    size: int


class S3Blobs:
    """See `store.py` for what its methods promise."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def size(self, key: str) -> int:
        whole = await self._whole(key)
        return whole if whole is not None else _end(await self._pieces(key))

    async def append(self, key: str, offset: int, pieces: AsyncIterator[bytes]) -> int:
        size = await self.size(key)
        if offset > size:
            raise Gap(size)
        gathered, position = bytearray(), offset
        try:
            async for piece in pieces:
                gathered += piece
                while len(gathered) >= PIECE:
                    size = await self._grow(key, size, position, bytes(gathered[:PIECE]))
                    del gathered[:PIECE]
                    position += PIECE
        finally:
            size = await self._grow(key, size, position, bytes(gathered))
        return size

    async def seal(self, key: str) -> Sealed:
        if await self._whole(key) is None:
            sealed = await self._join(key)
            await self._remove([piece.path for piece in await self._pieces(key)])
            return sealed
        seen = _Hashed(self.read(key))
        async for _ in seen.pieces():
            pass
        return seen.sealed()

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        if end is not None and end <= start:
            return
        async with aclosing(self._stream(_place(key), start, end)) as pieces:
            async for piece in pieces:
                yield piece

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        with TemporaryDirectory(prefix="turnwise-") as folder:
            path = Path(folder) / key
            with path.open("wb") as file:
                async for piece in self.read(key):
                    await asyncio.to_thread(file.write, piece)
            yield path

    async def delete(self, key: str) -> None:
        await self._remove([*(piece.path for piece in await self._pieces(key)), _place(key)])

    async def close(self) -> None:
        """Nothing is held open."""

    # -- pieces

    async def _pieces(self, key: str) -> list[_Piece]:
        """The pieces of a blob, in order. Each begins where the one before it ends."""
        found: list[_Piece] = []
        with _asking():
            async for listed in obstore.list(self._store, prefix=f"unfinished/{key}"):
                found += [_Piece(each["path"], int(each["path"].rpartition("/")[2]), each["size"]) for each in listed]
        return sorted(found, key=lambda piece: piece.start)

    async def _grow(self, key: str, size: int, position: int, data: bytes) -> int:
        """Write what is not there yet. Returns the size."""
        while fresh := data[size - position :]:
            if await self._whole(key) is not None:
                break
            try:
                with _asking():
                    await obstore.put_async(
                        self._store, f"unfinished/{key}/{size:016}", fresh, mode="create", use_multipart=False
                    )
                return size + len(fresh)
            except AlreadyExistsError:
                size = await self.size(key)
        return size

    async def _join(self, key: str) -> Sealed:
        """Make one object of the pieces. That it is there, is seen at once and whole."""
        seen = _Hashed(self._joined(await self._pieces(key)))
        with _asking():
            await obstore.put_async(
                self._store, _place(key), seen.pieces(), chunk_size=PIECE, max_concurrency=CONCURRENCY
            )
        return seen.sealed()

    async def _joined(self, pieces: list[_Piece]) -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            async with aclosing(self._stream(piece.path)) as parts:
                async for part in parts:
                    yield part

    # -- objects

    async def _whole(self, key: str) -> int | None:
        try:
            with _asking():
                return (await obstore.head_async(self._store, _place(key)))["size"]
        except FileNotFoundError:
            return None

    async def _stream(self, path: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        with _asking():
            if end is not None:
                found = await obstore.get_async(self._store, path, options={"range": (start, end)})
            elif start:
                found = await obstore.get_async(self._store, path, options={"range": {"offset": start}})
            else:
                found = await obstore.get_async(self._store, path)
            async for piece in found.stream(min_chunk_size=1 << 20):
                yield bytes(piece)

    async def _remove(self, paths: list[str]) -> None:
        with _asking():
            for path in paths:
                await obstore.delete_async(self._store, path)


class _Hashed:
    """Bytes that are hashed and counted as they go by."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._hash = hashlib.sha256()
        self._size = 0

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        async for piece in self._pieces:
            self._hash.update(piece)
            self._size += len(piece)
            yield piece

    def sealed(self) -> Sealed:
        return Sealed(self._size, self._hash.digest())


def _place(key: str) -> str:
    return f"{key[:2]}/{key}"


def _end(pieces: list[_Piece]) -> int:
    """The position behind the last piece."""
    return pieces[-1].start + pieces[-1].size if pieces else 0


@contextmanager
def _asking() -> Iterator[None]:
    """What goes wrong with the object store is its own error. That something is not there, or is, is none."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except BaseError as error:
        reason = " ".join(str(error).partition("Debug source")[0].split())
        raise BlobsUnavailable(reason) from error
