"""What a file turns out to be once somebody looks at its bytes: active, or failed with the reason.

Only what was claimed can be contradicted. A file of which nothing was claimed is whatever its bytes say, and one that
is claimed to be of a type that nobody here reads is kept as it is.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from turnwise.domain.errors import Internal, InvalidRequest
from turnwise.domain.files import File, FileState
from turnwise.domain.interaction import Failure
from turnwise.media.media import Kind
from turnwise.store.store import BlobStore

log = logging.getLogger("turnwise.files")

AT_ONCE = 2
"""How many files are looked at side by side."""

UNKNOWN = "application/octet-stream"

OUR_FAULT = Failure(Internal.code, "turnwise failed on this file; its log has the reason")

_SHOWN_OR_HEARD = ("image/", "audio/", "video/", "application/pdf")
"""Types that a file without any bytes cannot be."""

_READ = (*_SHOWN_OR_HEARD, "text/")
"""Types of which every file is looked at by its bytes."""


class Looker(Protocol):
    """Who knows what a file is: the part of `media/media.py`'s Reader that is needed here."""

    def identify(self, path: Path, claimed: str | None) -> Kind:
        """What a file is, by its bytes.

        Raises:
            InvalidRequest: it is nothing that can be read, or not what is claimed.
        """


class Looking:
    """Looks at files, a few at a time, in threads of its own."""

    def __init__(self, blobs: BlobStore, looker: Looker) -> None:
        self._blobs = blobs
        self._looker = looker
        self._free = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="files")

    async def look(self, file: File) -> File:
        """The file as it turned out to be."""
        async with self._free:
            try:
                return await self._looked_at(file)
            except Exception:  # whatever breaks on somebody else's file is that file's failure
                log.exception("the file %s could not be looked at", file.id)
                return replace(file, state=FileState.FAILED, failure=OUR_FAULT)

    def close(self) -> None:
        """Look at no more files. One that is being looked at is let go of."""
        self._threads.shutdown(wait=False)

    async def _looked_at(self, file: File) -> File:
        claimed = file.mime_type.partition(";")[0].strip().lower()
        active = replace(file, state=FileState.ACTIVE)
        if not file.size_bytes and not claimed.startswith(_SHOWN_OR_HEARD):
            return replace(active, mime_type=file.mime_type or UNKNOWN)
        if claimed and not claimed.startswith(_READ):
            return active
        try:
            kind = await self._identify(file)
        except InvalidRequest as error:
            if not claimed:
                return replace(active, mime_type=UNKNOWN)
            return replace(file, state=FileState.FAILED, failure=Failure(error.code, error.message))
        return active if claimed else replace(active, mime_type=kind.mime_type)

    async def _identify(self, file: File) -> Kind:
        async with self._blobs.local(file.blob) as path:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._looker.identify, path, file.mime_type or None)
