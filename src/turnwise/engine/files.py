"""Files: how their bytes come, what becomes of them, and who may have them.

An upload is begun, written in chunks of any size, and finalized. Whoever knows its secret may do that, so the secret is
all that a chunk has to bring. The file that it becomes is `PROCESSING` until its bytes have been looked at, and then
`ACTIVE` or, if they are not what they were said to be, `FAILED` with the reason. What a model made goes the same way,
but for the looking.

    secret = await files.begin(owner, NewFile(mime_type="text/plain", size_bytes=5))
    await files.write(secret, 0, pieces)
    file = await files.finalize(secret)

A file is kept for a while and then is not there any more. Its bytes are removed by a sweep, at the start and then every
hour, with everything else that nothing names any more.
"""

import asyncio
import hashlib
import logging
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from turnwise.domain.errors import (
    AlreadyExists,
    FailedPrecondition,
    Internal,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RateLimited,
)
from turnwise.domain.files import File, FileState, NewFile, Upload
from turnwise.engine.looking import Looker, Looking
from turnwise.store.store import BlobStore, FileStore, Gap, Place

log = logging.getLogger("turnwise.files")

UPLOAD_LIFE = timedelta(days=1)
"""How long an upload may take."""

SWEEP_SECONDS = 3600.0
SWEPT_AT_ONCE = 500
"""How many files are removed in one go. A sweep has as many goes as it takes."""

PATIENCE = 1.0
"""Seconds that the end of an upload waits for the file to be looked at: many clients name it at once, without asking
whether it can be used."""

RESERVED_AHEAD = 1 << 20
"""By how many bytes the share of an upload that did not say its size grows."""

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")

_NO_SUCH_UPLOAD = "there is no such upload: it was never begun, is cancelled, or took longer than a day; begin again"


def file_id(uri: str) -> str | None:
    """The id of the file that an address names: its path ends in `/files/<id>`, whatever its host and version."""
    try:
        path = urlsplit(uri).path
    except ValueError:
        return None
    before, _, id = path.rpartition("/")
    return id if before.rpartition("/")[2] == "files" and _ID.fullmatch(id) else None


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
    file: File | None = None
    """What it has become, if it has."""


class Files:
    """The files of all owners, and the uploads that are to be some."""

    def __init__(
        self,
        store: FileStore,
        blobs: BlobStore,
        looker: Looker,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        max_bytes: int,
        quota_bytes: int,
        life: timedelta,
    ) -> None:
        """`quota_bytes` is what each owner may keep, and `life` for how long. The store and the blobs are closed by
        whoever opened them."""
        self._store = store
        self._blobs = blobs
        self._looking = Looking(blobs, looker)
        self._clock = clock
        self._new_id = new_id
        self._max_bytes = max_bytes
        self._quota_bytes = quota_bytes
        self._life = life
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the life of the whole

    async def start(self) -> None:
        """Go on with files that the last process left processing, and sweep now and then."""
        for file in await self._store.processing():
            self._do(self._settle(file), f"look at file {file.id}")
        self._do(self._sweep_now_and_then(), "sweep files")

    async def close(self) -> None:
        """Stop what goes on. Files that are processing are looked at after the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._looking.close()

    async def sweep(self) -> None:
        """Remove what has expired, and the bytes of everything that is gone."""
        while await self._store.expire(self._clock(), SWEPT_AT_ONCE):
            pass
        while litter := await self._store.litter(SWEPT_AT_ONCE):
            for blob in litter:
                await self._blobs.delete(blob)
            await self._store.cleared(litter)

    async def _sweep_now_and_then(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception:  # what could not be removed now is removed the next time
                log.exception("files that are gone could not all be removed")
            await asyncio.sleep(SWEEP_SECONDS)

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- uploads

    async def begin(self, owner: str, wanted: NewFile) -> str:
        """Begin an upload. Returns its secret.

        Raises:
            InvalidRequest: the name is none, or taken.
            PayloadTooLarge: the file is larger than any may be.
            RateLimited: it is more than the owner's quota has room for.
        """
        self._check_size(wanted.size_bytes or 0)
        if wanted.name is not None:
            _check_name(wanted.name)
            await self._make_room(wanted.name, owner)
        secret, now = secrets.token_urlsafe(32), self._clock()
        upload = Upload(
            hash=_hash(secret),
            owner=owner,
            blob=secrets.token_hex(16),
            wanted=wanted,
            created=now,
            expires=now + UPLOAD_LIFE,
            reserved=wanted.size_bytes or 0,
        )
        if not await self._store.begin_upload(upload, now, self._quota_bytes):
            raise self._over_quota()
        return secret

    async def write(self, secret: str, offset: int, pieces: AsyncIterator[bytes]) -> Progress:
        """Write from an offset on. What has come already is taken to be the same. If the pieces break off, those that
        came are kept.

        Raises:
            NotFound: there is no such upload.
            Ahead: bytes before the offset are missing.
            PayloadTooLarge: it is more than was declared, or than any file may have.
            RateLimited: it is more than the owner's quota has room for.
        """
        upload = await self._upload(secret)
        if upload.file_id is not None:
            return await self._progress(upload)
        try:
            async with aclosing(self._bounded(upload, offset, pieces)) as bounded:
                received = await self._blobs.append(upload.blob, offset, bounded)
        except Gap as gap:
            raise Ahead(offset, gap.size) from None
        finally:
            await self._remove_if_gone(upload)
        return Progress(received)

    async def query(self, secret: str) -> Progress:
        """How far an upload has come.

        Raises:
            NotFound: there is no such upload.
        """
        return await self._progress(await self._upload(secret))

    async def finalize(self, secret: str) -> File:
        """Make a file of what has come. Doing it again gives the same file. It may still be processing.

        Raises:
            NotFound: there is no such upload.
            InvalidRequest: bytes are missing, or the name has been taken meanwhile.
            RateLimited: it is more than the owner's quota has room for.
        """
        upload = await self._upload(secret)
        if upload.file_id is not None:
            return await self.get(upload.file_id, upload.owner)
        file = await self._finish(upload, self._file(upload))
        if file.state is FileState.PROCESSING:
            looking = self._do(self._settle(file), f"look at file {file.id}")
            await asyncio.wait({looking}, timeout=PATIENCE)
        return await self.get(file.id, file.owner)

    async def cancel(self, secret: str) -> None:
        """End an upload and remove what has come.

        Raises:
            NotFound: there is no such upload, or it is a file already.
        """
        upload = await self._upload(secret)
        if upload.file_id is not None:
            raise FailedPrecondition("the upload is finished; delete the file instead")
        await self._drop(upload)

    async def keep(self, owner: str, data: bytes, mime_type: str, *, display_name: str = "") -> File:
        """Keep what a model made.

        Raises:
            PayloadTooLarge: it is larger than any file may be.
            RateLimited: it is more than the owner's quota has room for.
        """
        secret = await self.begin(owner, NewFile(None, display_name, mime_type, len(data), "GENERATED"))
        await self.write(secret, 0, _one(data))
        return await self.finalize(secret)

    async def _upload(self, secret: str) -> Upload:
        upload = await self._store.upload(_hash(secret))
        if upload is None or upload.expires <= self._clock():
            raise NotFound(_NO_SUCH_UPLOAD)
        return upload

    async def _progress(self, upload: Upload) -> Progress:
        if upload.file_id is None:
            return Progress(await self._blobs.size(upload.blob))
        file = await self.get(upload.file_id, upload.owner)
        return Progress(file.size_bytes, file)

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
            if await self._store.reserve(upload.hash, wanted, self._clock(), self._quota_bytes):
                return wanted
        raise self._over_quota()

    async def _remove_if_gone(self, upload: Upload) -> None:
        """An upload that was cancelled or expired while bytes came leaves none of them."""
        if await self._store.upload(upload.hash) is None:
            await self._blobs.delete(upload.blob)
            raise NotFound(_NO_SUCH_UPLOAD)

    def _file(self, upload: Upload) -> File:
        """The file that an upload is to be. Its size and hash are not known yet."""
        now, wanted = self._clock(), upload.wanted
        return File(
            id=wanted.name or self._new_id(""),
            owner=upload.owner,
            blob=upload.blob,
            mime_type=wanted.mime_type,
            size_bytes=0,
            created=now,
            updated=now,
            expires=now + self._life,
            state=FileState.ACTIVE if wanted.source == "GENERATED" else FileState.PROCESSING,
            display_name=wanted.display_name,
            source=wanted.source,
        )

    async def _finish(self, upload: Upload, file: File) -> File:
        declared, received = upload.wanted.size_bytes, await self._blobs.size(upload.blob)
        if declared is not None and received != declared:
            raise InvalidRequest(f"{declared} bytes were declared, but {received} have come; go on at {received}")
        sealed = await self._blobs.seal(upload.blob)
        file = replace(file, size_bytes=sealed.size, sha256=sealed.sha256)
        match await self._store.finish_upload(upload.hash, file):
            case "kept":
                return file
            case "taken":
                try:
                    await self._make_room(file.id, file.owner)
                except AlreadyExists:
                    await self._drop(upload)
                    raise
                return await self._finish(upload, file)
            case "gone":
                return await self._finished_by_another(upload)

    async def _finished_by_another(self, upload: Upload) -> File:
        """The file, if the same upload was finalized twice at once."""
        kept = await self._store.upload(upload.hash)
        if kept is None or kept.file_id is None:
            await self._blobs.delete(upload.blob)
            raise NotFound(_NO_SUCH_UPLOAD)
        return await self.get(kept.file_id, kept.owner)

    async def _drop(self, upload: Upload) -> None:
        if await self._store.drop_upload(upload.hash):
            await self._remove(upload.blob)

    async def _remove(self, blob: str) -> None:
        """Remove bytes that nothing names any more. If that fails now, a sweep does it."""
        try:
            await self._blobs.delete(blob)
        except (OSError, Internal) as error:
            log.warning("the bytes of a file that is gone could not be removed yet: %s", error)
        else:
            await self._store.cleared([blob])

    # -- limits and names

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise PayloadTooLarge(
                f"the file is over the limit of {self._max_bytes} bytes; send less, or raise `files.max_bytes`"
            )

    def _over_quota(self) -> RateLimited:
        return RateLimited(
            f"this would be more than the {self._quota_bytes} bytes that you may keep, uploads that are running "
            "included; delete files, wait until some have expired, or raise `files.quota_bytes`"
        )

    async def _make_room(self, name: str, owner: str) -> None:
        """See that a name is free: a file that has expired gives its name up."""
        file = await self._store.file(name, owner)
        if file is not None and file.expires > self._clock():
            raise AlreadyExists(
                f"there is a file 'files/{name}' already; choose another name, or delete it", field="file.name"
            )
        if file is not None:
            await self._delete(file)

    # -- files

    async def get(self, id: str, owner: str) -> File:
        """One file, as it stands.

        Raises:
            NotFound: there is none, or not any more.
        """
        file = await self._store.file(id, owner)
        if file is None or file.expires <= self._clock():
            raise _no_such_file(id)
        return file

    async def list(self, owner: str, size: int, token: str | None = None) -> tuple[Sequence[File], str | None]:
        """A page of an owner's files, newest first, and what asks for the next one. None: this was the last.

        Raises:
            InvalidRequest: the token is none of ours.
        """
        after = None if token is None else _read_token(token)
        found = await self._store.files(owner, self._clock(), size + 1, after)
        page = found[:size]
        return page, _write_token(page[-1]) if len(found) > size else None

    async def delete(self, id: str, owner: str) -> None:
        """Remove a file for good, and its bytes with it.

        Raises:
            NotFound: there is none, or not any more.
        """
        if not await self._delete(await self.get(id, owner)):
            raise _no_such_file(id)

    async def _delete(self, file: File) -> bool:
        blob = await self._store.delete_file(file.id, file.owner)
        if blob is not None:
            await self._remove(blob)
        return blob is not None

    async def usable(self, id: str, owner: str) -> File:
        """One file that can be read.

        Raises:
            NotFound: there is none, or not any more.
            FailedPrecondition: it is still processing, or has failed.
        """
        file = await self.get(id, owner)
        if file.state is FileState.PROCESSING:
            raise FailedPrecondition(f"the file 'files/{id}' is still being processed; try again in a moment")
        if file.state is FileState.FAILED:
            reason = f": {file.failure.message}" if file.failure else ""
            raise FailedPrecondition(f"the file 'files/{id}' cannot be used{reason}")
        return file

    async def read(self, file: File, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, from `start` up to, but not with, `end`. They begin to be read before the first piece is
        asked for, so that a file which is not there any more is known by then.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        pieces = self._blobs.read(file.blob, start, end)
        try:
            first = await anext(pieces, b"")
        except FileNotFoundError:
            raise _no_such_file(file.id) from None
        return _with_first(first, pieces)

    @asynccontextmanager
    async def opened(self, id: str, owner: str) -> AsyncIterator[tuple[File, Path]]:
        """A file on this machine's disk, for reading, as long as the block lasts.

        Raises:
            NotFound: there is none, or not any more.
            FailedPrecondition: it is still processing, or has failed.
        """
        file = await self.usable(id, owner)
        async with AsyncExitStack() as stack:
            try:
                path = await stack.enter_async_context(self._blobs.local(file.blob))
            except FileNotFoundError:
                raise _no_such_file(id) from None
            yield file, path

    async def _settle(self, file: File) -> None:
        """Look at a file, and keep what it has turned out to be."""
        settled = await self._looking.look(file)
        await self._store.settle_file(replace(settled, updated=self._clock()))


def _hash(secret: str) -> bytes:
    """A secret as it is kept. It is long and random, so a plain digest is enough."""
    return hashlib.sha256(secret.encode()).digest()


async def _one(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data


async def _with_first(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


def _no_such_file(id: str) -> NotFound:
    return NotFound(f"there is no file 'files/{id}'; it was never uploaded by you, or is deleted, or has expired")


def _check_name(name: str) -> None:
    if not _ID.fullmatch(name):
        raise InvalidRequest(
            f"'{name}' is no name; use at most 40 of a-z, 0-9 and dashes, with no dash at an edge", field="file.name"
        )


# -- where a page ends


def _write_token(last: File) -> str:
    return urlsafe_b64encode(f"{last.created.isoformat()} {last.id}".encode()).decode().rstrip("=")


def _read_token(token: str) -> Place:
    try:
        created, _, id = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
        place = datetime.fromisoformat(created), id
        if place[0].tzinfo is None or not _ID.fullmatch(id):
            raise ValueError
    except ValueError:
        raise InvalidRequest(f"'{token}' is no token that a list has given", field="pageToken") from None
    return place
