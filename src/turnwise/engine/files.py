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
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from turnwise.domain.errors import AlreadyExists, FailedPrecondition, InvalidRequest, NotFound
from turnwise.domain.files import File, FileState, NewFile, Upload
from turnwise.engine.looking import Looker, Looking
from turnwise.engine.pages import read_token, write_token
from turnwise.engine.uploads import Progress, Uploads, no_such_upload
from turnwise.store.store import BlobStore, FileStore

log = logging.getLogger("turnwise.files")

SWEEP_SECONDS = 3600.0
SWEPT_AT_ONCE = 500
"""How many files are removed in one go. A sweep has as many goes as it takes."""

PATIENCE = 1.0
"""Seconds that the end of an upload waits for the file to be looked at: many clients name it at once, without asking
whether it can be used."""

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def file_id(uri: str) -> str | None:
    """The id of the file that an address names: its path ends in `/files/<id>`, whatever its host and version."""
    try:
        path = urlsplit(uri).path
    except ValueError:
        return None
    before, _, id = path.rpartition("/")
    return id if before.rpartition("/")[2] == "files" and _ID.fullmatch(id) else None


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
        self._life = life
        self.uploads = Uploads(store, blobs, clock=clock, max_bytes=max_bytes, quota_bytes=quota_bytes)
        """Those that are to be files, and all others."""
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the life of the whole

    async def start(self, *, left: timedelta | None = timedelta(0)) -> None:
        """Go on with what processes left so long ago (None: others do that), and sweep now and then."""
        if left is not None:
            await self.go_on(left)
        self._do(self._sweep_now_and_then(), "sweep files")

    async def go_on(self, left: timedelta) -> None:
        """Go on with files that have been processing for so long: processes left them so."""
        for file in await self._store.processing():
            if file.updated <= self._clock() - left:
                self._do(self._settle(file), f"look at file {file.id}")

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
        await self.clear_litter()

    async def clear_litter(self) -> None:
        """Remove the bytes of everything that is gone."""
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
        if wanted.name is not None:
            _check_name(wanted.name)
            await self._make_room(wanted.name, owner)
        return await self.uploads.begin(owner, wanted)

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
        return Progress(await self.uploads.write(upload, offset, pieces))

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
            NotFound: there is no such upload.
            FailedPrecondition: it is a file already.
        """
        await self.uploads.cancel(await self._upload(secret))

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
        upload = await self.uploads.find(secret)
        if upload.wanted.document is not None:
            raise no_such_upload()
        return upload

    async def _progress(self, upload: Upload) -> Progress:
        if upload.file_id is None:
            return Progress(await self.uploads.received(upload))
        file = await self.get(upload.file_id, upload.owner)
        return Progress(file.size_bytes, file)

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
        sealed = await self.uploads.seal(upload)
        file = replace(file, size_bytes=sealed.size, sha256=sealed.sha256)
        match await self._store.finish_upload(upload.hash, file):
            case "kept":
                return file
            case "taken":
                try:
                    await self._make_room(file.id, file.owner)
                except AlreadyExists:
                    await self.uploads.drop(upload)
                    raise
                return await self._finish(upload, file)
            case "gone":
                return await self.get(await self.uploads.finished_by_another(upload), upload.owner)

    # -- names

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
        after = None if token is None else read_token(token)
        found = await self._store.files(owner, self._clock(), size + 1, after)
        page = found[:size]
        return page, write_token((page[-1].created, page[-1].id)) if len(found) > size else None

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
            await self.uploads.remove(blob)
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
