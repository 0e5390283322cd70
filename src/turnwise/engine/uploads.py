"""Uploads: bytes that come in chunks, until all of them are there and are made something.

An upload is begun, written in chunks of any size, and sealed. Whoever knows its secret may do that, so the secret is
all that a chunk has to bring. What becomes of the bytes is decided in `files.py` and `file_search.py`.
"""

import hashlib
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from turnwise.domain.errors import (
    FailedPrecondition,
    Internal,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RateLimited,
)
from turnwise.domain.file_search import Document
from turnwise.domain.files import File, NewFile, Upload
from turnwise.store.store import BlobStore, FileStore, Gap, Sealed

log = logging.getLogger("turnwise.files")

UPLOAD_LIFE = timedelta(days=1)
"""How long an upload may take."""

RESERVED_AHEAD = 1 << 20
"""By how many bytes the share of an upload that did not say its size grows."""

_NO_SUCH_UPLOAD = "there is no such upload: it was never begun, is cancelled, or took longer than a day; begin again"


class Ahead(InvalidRequest):
    """A chunk begins behind the end of what has come. `size` is where that end is."""

    def __init__(self, offset: int, size: int) -> None:
        super().__init__(f"the chunk begins at byte {offset}, but only {size} have come; go on at {size}")
        self.size = size


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload has come."""

    received: int
    """In bytes."""
    made: File | Document | None = None
    """What it has become, if it has."""


class Uploads:
    """The uploads of all owners."""

    def __init__(
        self,
        store: FileStore,
        blobs: BlobStore,
        *,
        clock: Callable[[], datetime],
        max_bytes: int,
        quota_bytes: int,
    ) -> None:
        """`quota_bytes` is what each owner may keep. The store and the blobs are closed by whoever opened them."""
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._max_bytes = max_bytes
        self.quota_bytes = quota_bytes

    async def begin(self, owner: str, wanted: NewFile) -> str:
        """Begin an upload. Returns its secret.

        Raises:
            PayloadTooLarge: the file is larger than any may be.
            RateLimited: it is more than the owner's quota has room for.
        """
        self._check_size(wanted.size_bytes or 0)
        secret, now = secrets.token_urlsafe(32), self._clock()
        upload = Upload(
            hash=_hash(secret),
            owner=owner,
            blob=new_blob(),
            wanted=wanted,
            created=now,
            expires=now + UPLOAD_LIFE,
            reserved=wanted.size_bytes or 0,
        )
        if not await self._store.begin_upload(upload, now, self.quota_bytes):
            raise self.over_quota()
        return secret

    async def find(self, secret: str) -> Upload:
        """An upload, running or finished.

        Raises:
            NotFound: there is none, or not any more.
        """
        upload = await self._store.upload(_hash(secret))
        if upload is None or upload.expires <= self._clock():
            raise no_such_upload()
        return upload

    async def received(self, upload: Upload) -> int:
        """How many bytes of a running upload have come."""
        return await self._blobs.size(upload.blob)

    async def write(self, upload: Upload, offset: int, pieces: AsyncIterator[bytes]) -> int:
        """Write from an offset on. What has come already is taken to be the same. If the pieces break off, those that
        came are kept. Returns how many bytes have come.

        Raises:
            NotFound: the upload is gone meanwhile.
            Ahead: bytes before the offset are missing.
            PayloadTooLarge: it is more than was declared, or than any file may have.
            RateLimited: it is more than the owner's quota has room for.
        """
        try:
            async with aclosing(self._bounded(upload, offset, pieces)) as bounded:
                return await self._blobs.append(upload.blob, offset, bounded)
        except Gap as gap:
            raise Ahead(offset, gap.size) from None
        finally:
            await self._remove_if_gone(upload)

    async def seal(self, upload: Upload) -> Sealed:
        """Make the bytes of an upload whole.

        Raises:
            InvalidRequest: bytes are missing.
        """
        declared, received = upload.wanted.size_bytes, await self._blobs.size(upload.blob)
        if declared is not None and received != declared:
            raise InvalidRequest(f"{declared} bytes were declared, but {received} have come; go on at {received}")
        return await self._blobs.seal(upload.blob)

    def local(self, blob: str) -> AbstractAsyncContextManager[Path]:
        """Bytes that are whole, as a file on this machine's disk. See `BlobStore.local`."""
        return self._blobs.local(blob)

    async def cancel(self, upload: Upload) -> None:
        """End an upload and remove what has come.

        Raises:
            FailedPrecondition: it is finished.
        """
        if upload.file_id is not None:
            become = "file" if upload.wanted.document is None else "document"
            raise FailedPrecondition(f"the upload is finished; delete the {become} instead")
        await self.drop(upload)

    async def drop(self, upload: Upload) -> None:
        """Remove a running upload and what has come of it."""
        if await self._store.drop_upload(upload.hash):
            await self.remove(upload.blob)

    async def remove(self, blob: str) -> None:
        """Remove bytes that nothing names any more. If that fails now, a sweep does it."""
        try:
            await self._blobs.delete(blob)
        except (OSError, Internal) as error:
            log.warning("the bytes of a file that is gone could not be removed yet: %s", error)
        else:
            await self._store.cleared([blob])

    async def finished_by_another(self, upload: Upload) -> str:
        """What an upload has become that was finished twice at once: an id.

        Raises:
            NotFound: it was cancelled instead.
        """
        kept = await self._store.upload(upload.hash)
        if kept is None or kept.file_id is None:
            await self._blobs.delete(upload.blob)
            raise no_such_upload()
        return kept.file_id

    def over_quota(self) -> RateLimited:
        """What is said where there is no room."""
        return RateLimited(
            f"this would be more than the {self.quota_bytes} bytes that you may keep, uploads that are running "
            "included; delete files, wait until some have expired, or raise `files.quota_bytes`"
        )

    async def _bounded(self, upload: Upload, offset: int, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The pieces, as far as they are within what was declared, or else within the limits."""
        declared, position, reserved = upload.wanted.size_bytes, offset, upload.reserved
        async for piece in pieces:
            position += len(piece)
            if declared is not None and position > declared:
                raise PayloadTooLarge(f"more comes than the {declared} bytes that were declared; begin again")
            if position > reserved:
                self._check_size(position)
                reserved = await self._reserve(upload, position)
            yield piece

    async def _reserve(self, upload: Upload, size: int) -> int:
        """Set aside what an upload needs, with some more ahead if there is room. Returns how much."""
        for wanted in (min(size + RESERVED_AHEAD, self._max_bytes), size):
            if await self._store.reserve(upload.hash, wanted, self._clock(), self.quota_bytes):
                return wanted
        raise self.over_quota()

    async def _remove_if_gone(self, upload: Upload) -> None:
        """An upload that was cancelled or expired while bytes came leaves none of them."""
        if await self._store.upload(upload.hash) is None:
            await self._blobs.delete(upload.blob)
            raise no_such_upload()

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise PayloadTooLarge(
                f"the file is over the limit of {self._max_bytes} bytes; send less, or raise `files.max_bytes`"
            )


def no_such_upload() -> NotFound:
    """What is said of an upload that is not there."""
    return NotFound(_NO_SUCH_UPLOAD)


def new_blob() -> str:
    """A key for bytes, which nobody can guess."""
    return secrets.token_hex(16)


def _hash(secret: str) -> bytes:
    """A secret as it is kept. It is long and random, so a plain digest is enough."""
    return hashlib.sha256(secret.encode()).digest()
