"""Blobs as files in a folder.

    <folder>/unfinished/<key>   bytes that are still coming
    <folder>/ab/<key>           a whole blob, under the first two letters of its key
    <folder>/unfinished/ab.lock where processes share the folder: held by the one that writes to such a key

The bytes of an upload are acknowledged when the system has them, so they survive the process. When a blob is sealed its
file is synced to the disk, and then moved to its place: what stands there is whole. The hash is made while the bytes
come; what came to an earlier process is read again at the end.

All that waits for the disk is done by a few threads of this store's own. What comes is handed to them in pieces of
about 1 MiB, and only for the time of such a piece is a blob locked: a connection that died in the middle of a chunk,
and that nobody has noticed yet, does not stand in the way of the one that sends the chunk again.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, TypeVar

from turnwise.store.store import Gap, Sealed

T = TypeVar("T")

PIECE = 1 << 20
"""How many bytes go to a thread, or come from one, at a time."""

THREADS = 4


@dataclass(slots=True)
class _Growing:
    """A blob that bytes have come for since the process started."""

    lock: Lock = field(default_factory=Lock)
    hash: Any = field(default_factory=hashlib.sha256)
    hashed: int = 0
    """How many bytes, from the first one on, the hash has seen."""


class DiskBlobs:
    """See `store.py` for what its methods promise."""

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        """`shared`: other processes write to this folder too."""
        self._folder = folder
        self._shared = shared
        self._unfinished = folder / "unfinished"
        self._unfinished.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._growing: dict[str, _Growing] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")

    async def size(self, key: str) -> int:
        return await self._do(self._size, key)

    async def append(self, key: str, offset: int, pieces: AsyncIterator[bytes]) -> int:
        size = await self.size(key)
        if offset > size:
            raise Gap(size)
        gathered, position = bytearray(), offset
        try:
            async for piece in pieces:
                gathered += piece
                if len(gathered) >= PIECE:
                    taken, gathered = gathered, bytearray()
                    size = await self._do(self._grow, key, position, taken)
                    position += len(taken)
        finally:
            size = max(size, await self._do(self._grow, key, position, gathered))
        return size

    async def seal(self, key: str) -> Sealed:
        sealed = await self._do(self._seal, key)
        self._growing.pop(key, None)
        return sealed

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        file = await self._do(_open, self._place(key))
        try:
            await self._do(file.seek, start)
            left = end - start if end is not None else None
            while piece := await self._do(file.read, PIECE if left is None else min(PIECE, left)):
                yield piece
                left = left if left is None else left - len(piece)
        finally:
            file.close()

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        path = self._place(key)
        if not await self._do(path.is_file):
            raise FileNotFoundError(path)
        yield path

    async def delete(self, key: str) -> None:
        self._growing.pop(key, None)
        await self._do(self._delete, key)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    # -- the threads' side

    def _size(self, key: str) -> int:
        for path in (self._place(key), self._unfinished / key):
            with suppress(FileNotFoundError):
                return path.stat().st_size
        return 0

    def _grow(self, key: str, position: int, data: bytearray) -> int:
        """Write what is not there yet. Returns the size."""
        growing = self._growing.setdefault(key, _Growing())
        with growing.lock, self._alone(key):
            size = self._size(key)
            if position > size:
                raise Gap(size)
            fresh = memoryview(data)[size - position :]
            if not fresh or self._place(key).exists():
                return size
            with open(self._unfinished / key, "ab", buffering=0, opener=_private) as file:
                while fresh:
                    fresh = self._write(file, growing, size, fresh)
                    size = file.tell()
            return size

    def _write(self, file: Any, growing: _Growing, size: int, fresh: memoryview) -> memoryview:
        """Write as much as the system takes. Returns the rest."""
        written = file.write(fresh)
        if growing.hashed == size:
            growing.hash.update(fresh[:written])
            growing.hashed += written
        return fresh[written:]

    def _seal(self, key: str) -> Sealed:
        growing = self._growing.setdefault(key, _Growing())
        source, place = self._unfinished / key, self._place(key)
        with growing.lock, self._alone(key):
            if not place.exists():
                place.parent.mkdir(mode=0o700, exist_ok=True)
                with open(source, "ab", opener=_private) as file:
                    os.fsync(file.fileno())
                source.replace(place)
                for folder in (place.parent, self._folder):
                    _sync_folder(folder)
            size = place.stat().st_size
            if growing.hashed == size:
                return Sealed(size, growing.hash.digest())
            with place.open("rb") as file:
                return Sealed(size, hashlib.file_digest(file, "sha256").digest())

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Have no other process write to this blob. The system frees the lock of a process that dies."""
        if not self._shared or sys.platform == "win32":
            yield
            return
        import fcntl

        lock = os.open(self._unfinished / f"{key[:2]}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _delete(self, key: str) -> None:
        for path in (self._unfinished / key, self._place(key)):
            path.unlink(missing_ok=True)


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else may read."""
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a loss of power, where the system knows how."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
