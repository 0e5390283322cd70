"""The calls on files. How they are uploaded is in `uploads.py`."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from turnwise.domain.content import JSON
from turnwise.domain.errors import OutOfRange, Unimplemented
from turnwise.domain.file_search import Document
from turnwise.domain.files import File, NewFile
from turnwise.engine.files import Files
from turnwise.engine.uploads import Progress
from turnwise.http.address import base_url
from turnwise.http.body import JSONReply, check_query, query_size
from turnwise.http.contracts import Services
from turnwise.http.uploads import Owner, UploadRoute
from turnwise.wire.files import parse_new_file, render_file

PAGE_SIZE = 10
MAX_PAGE_SIZE = 100

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)

_FAR = 10**18
"""Behind the end of every file."""


class FileTarget:
    """Uploads that are to be files. See `Target` in `uploads.py`."""

    path = "files"

    def __init__(self, files: Files) -> None:
        self._files = files

    def parse(self, raw: bytes) -> NewFile:
        return parse_new_file(raw)

    async def begin(self, owner: str, wanted: NewFile) -> str:
        return await self._files.begin(owner, wanted)

    async def write(self, secret: str, offset: int, pieces: AsyncIterator[bytes]) -> Progress:
        return await self._files.write(secret, offset, pieces)

    async def query(self, secret: str) -> Progress:
        return await self._files.query(secret)

    async def finalize(self, secret: str) -> File | Document:
        return await self._files.finalize(secret)

    async def cancel(self, secret: str) -> None:
        await self._files.cancel(secret)

    def render(self, made: File | Document, base_url: str) -> dict[str, JSON]:
        assert isinstance(made, File)
        return {"file": render_file(made, base_url)}


class FileRoutes:
    """The handlers of `/files` and `/upload/.../files`."""

    def __init__(self, services: Services, owner: Owner) -> None:
        self._files: Files = services.files
        self._public_url = services.public_url
        self._owner = owner
        self._uploads = UploadRoute(FileTarget(services.files), owner, services.public_url)

    async def upload(self, request: Request) -> Response:
        """`POST /upload/.../files`"""
        return await self._uploads.upload(request)

    async def list(self, request: Request) -> Response:
        """`GET /files`"""
        owner = await self._owner(request)
        check_query(request, ("pageSize", "pageToken"))
        files, token = await self._files.list(
            owner,
            query_size(request, default=PAGE_SIZE, most=MAX_PAGE_SIZE),
            request.query_params.get("pageToken") or None,
        )
        base = self._base(request)
        body = {"files": [render_file(file, base) for file in files]} if files else {}
        return JSONReply(body if token is None else {**body, "nextPageToken": token})

    async def get(self, request: Request) -> Response:
        """`GET /files/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        file = await self._files.get(request.path_params["id"], owner)
        return JSONReply(render_file(file, self._base(request)))

    async def delete(self, request: Request) -> Response:
        """`DELETE /files/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        await self._files.delete(request.path_params["id"], owner)
        return JSONReply({})

    async def download(self, request: Request) -> Response:
        """`GET /files/{id}:download`"""
        owner = await self._owner(request)
        check_query(request, forms=("media",))
        file = await self._files.usable(request.path_params["id"], owner)
        start, end = _range(request, file.size_bytes)
        headers = {
            "content-length": str(end - start),
            "accept-ranges": "bytes",
            # It is somebody's file and not a page of this server.
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.display_name or file.id, safe='')}",
            "content-security-policy": "default-src 'none'; sandbox",
            "x-content-type-options": "nosniff",
        }
        status = 200
        if (start, end) != (0, file.size_bytes):
            headers["content-range"] = f"bytes {start}-{end - 1}/{file.size_bytes}"
            status = 206
        reply = Download(await self._files.read(file, start, end), status, headers)
        reply.headers["content-type"] = file.mime_type  # as it was claimed, without a charset that nobody claimed
        return reply

    async def register(self, request: Request) -> Response:
        """`POST /files:register`"""
        await self._owner(request)
        check_query(request)
        raise Unimplemented("turnwise does not have 'files:register': it reaches no cloud storage; upload the file")

    def _base(self, request: Request) -> str:
        return base_url(request, self._public_url)


class Download(StreamingResponse):
    """Bytes that are let go of when they have been sent, or when the client has left."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], status: int, headers: dict[str, str]) -> None:
        super().__init__(pieces, status, headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces):
            await super().__call__(scope, receive, send)


def _range(request: Request, size: int) -> tuple[int, int]:
    """Which bytes are asked for: from, and up to but not with. A form of range that is not known asks for all.

    Raises:
        OutOfRange: there is none of them.
    """
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is None or asked.groups() == ("", "") or "if-range" in request.headers:
        return 0, size
    first, last = (_position(digits) if digits else None for digits in asked.groups())
    if first is not None and last is not None and last < first:
        return 0, size
    start = first if first is not None else max(0, size - (last or 0))
    end = min(size, last + 1) if first is not None and last is not None else size
    if start >= end:
        raise OutOfRange(f"the file has {size} bytes, and none from {start} on")
    return start, end


def _position(digits: str) -> int:
    """Where in a file, as far as it matters: Python makes no numbers of thousands of digits."""
    return int(digits) if len(digits) < len(str(_FAR)) else _FAR
