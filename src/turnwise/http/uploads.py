"""Uploads, in the protocol of the original service.

An upload is begun with `X-Goog-Upload-Command: start`. The reply has an address, `X-Goog-Upload-URL`, which is itself
the right to use it: whoever knows it may send chunks (`upload`), ask how far it has come (`query`), end it (`finalize`)
and give it up (`cancel`). Clients look at the header `X-Goog-Upload-Status` of every reply, those that are errors too:
where it is missing they send the same again. A file may also come in one request, `raw` or in two parts (`multipart`).

What the bytes are to become is a `Target`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Protocol
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from turnwise.domain.content import JSON
from turnwise.domain.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    TurnwiseError,
    Unimplemented,
)
from turnwise.domain.file_search import Document
from turnwise.domain.files import File, NewFile
from turnwise.engine.uploads import Ahead, Progress
from turnwise.http.address import base_url
from turnwise.http.body import JSONReply, check_query, read_bytes
from turnwise.http.related import read_related
from turnwise.wire.errors import http_status, render_rpc_error
from turnwise.wire.files import parse_mime_type, parse_size

MAX_ABOUT = 64 << 10
"""How long what is said of a file may be, in bytes."""

COMMANDS = ("upload", "upload, finalize", "finalize", "query", "cancel")

NOT_A_CLAIM = "application/x-www-form-urlencoded"
"""The type that curl gives to whatever it sends."""

Owner = Callable[[Request], Awaitable[str]]
"""Who asks. Raises where nobody is known."""


class Target(Protocol):
    """What the bytes of uploads are to become: files, or documents of a file search store."""

    @property
    def path(self) -> str:
        """Where such an upload is sent, behind the version."""

    def parse(self, raw: bytes) -> NewFile:
        """What the body that begins an upload says."""

    async def begin(self, owner: str, wanted: NewFile) -> str:
        """Begin an upload. Returns its secret."""

    async def write(self, secret: str, offset: int, pieces: AsyncIterator[bytes]) -> Progress:
        """Write from an offset on."""

    async def query(self, secret: str) -> Progress:
        """How far an upload has come."""

    async def finalize(self, secret: str) -> File | Document:
        """Make something of what has come."""

    async def cancel(self, secret: str) -> None:
        """End an upload and remove what has come."""

    def render(self, made: File | Document, base_url: str) -> dict[str, JSON]:
        """What has become of it, for a client that reaches this server at `base_url`."""


class UploadRoute:
    """Answers what is sent to the address of uploads of one kind."""

    def __init__(self, target: Target, owner: Owner, public_url: str | None) -> None:
        self._target = target
        self._owner = owner
        self._public_url = public_url

    async def upload(self, request: Request) -> Response:
        """Answer a request, of whichever protocol."""
        check_query(request, ("uploadType", "upload_id", "upload_protocol"))
        _refuse_encoding(request)
        secret = request.query_params.get("upload_id")
        if secret is not None:
            return await self._go_on(request, secret)
        owner = await self._owner(request)
        match _protocol(request):
            case "resumable":
                return await self._start(request, owner)
            case "multipart":
                return await self._take_parts(request, owner)
            case _:
                return await self._take_raw(request, owner)

    async def _start(self, request: Request, owner: str) -> Response:
        command = _command(request)
        if command != "start":
            raise InvalidRequest(
                f"a resumable upload is begun with 'start', not '{command}'; an upload that goes on is sent to the "
                "address that its start gave",
                field="X-Goog-Upload-Command",
            )
        said = self._target.parse(await read_bytes(request, MAX_ABOUT))
        secret = await self._target.begin(owner, _with_headers(said, request))
        version = request.path_params["version"]
        address = (
            f"{self._base(request)}/upload/{version}/{self._target.path}?upload_id={secret}&upload_protocol=resumable"
        )
        return _status_reply({}, "active", {"x-goog-upload-url": address})

    async def _go_on(self, request: Request, secret: str) -> Response:
        """A command to an upload. An upload that is not there (any more) is over: nothing can be sent again."""
        try:
            return await self._obey(request, secret, _command(request))
        except Ahead as error:
            return _error_reply(error, "active", {"x-goog-upload-size-received": str(error.size)})
        except (NotFound, AlreadyExists) as error:
            return _error_reply(error, "cancelled")
        except FailedPrecondition as error:
            return _error_reply(error, "final")
        except TurnwiseError as error:
            if http_status(error) >= 500:
                raise  # without a status header: the same chunk may be sent again
            return _error_reply(error, "active")

    async def _obey(self, request: Request, secret: str, command: str) -> Response:
        match command:
            case "upload":
                return self._progress(request, await self._write(request, secret))
            case "upload, finalize":
                await self._write(request, secret)
                return self._final(request, await self._target.finalize(secret))
            case "finalize":
                await _refuse_body(request)
                return self._final(request, await self._target.finalize(secret))
            case "query":
                await _refuse_body(request)
                return self._progress(request, await self._target.query(secret))
            case "cancel":
                await _refuse_body(request)
                await self._target.cancel(secret)
                return _status_reply({}, "cancelled")
            case _:
                raise InvalidRequest(f"one of {'; '.join(COMMANDS)}, not '{command}'", field="X-Goog-Upload-Command")

    async def _write(self, request: Request, secret: str) -> Progress:
        async with aclosing(_pieces(request)) as pieces:
            return await self._target.write(secret, _offset(request), pieces)

    async def _take_raw(self, request: Request, owner: str) -> Response:
        """A file that is the body."""
        mime_type = request.headers.get("content-type", "")
        if mime_type.lower().startswith("multipart/"):
            raise InvalidRequest(
                "a body in parts needs the header 'X-Goog-Upload-Protocol: multipart' and is multipart/related",
                field="Content-Type",
            )
        claimed = "" if mime_type.lower() == NOT_A_CLAIM else parse_mime_type(mime_type, field="Content-Type")
        length = request.headers.get("content-length")
        size = None if length is None else parse_size(length, field="Content-Length")
        said = self._target.parse(b"")
        wanted = replace(said, mime_type=claimed, size_bytes=size, display_name=_file_name(request))
        async with aclosing(_pieces(request)) as pieces:
            return await self._take_whole(request, owner, wanted, pieces)

    async def _take_parts(self, request: Request, owner: str) -> Response:
        """A file that comes behind what is said of it."""
        content_type = request.headers.get("content-type", "")
        async with aclosing(_pieces(request)) as body, read_related(content_type, body, MAX_ABOUT) as related:
            said = self._target.parse(related.about)
            claimed = said.mime_type or parse_mime_type(related.content_type, field="Content-Type")
            wanted = replace(said, mime_type=claimed, display_name=said.display_name or _file_name(request))
            return await self._take_whole(request, owner, wanted, related.pieces)

    async def _take_whole(
        self, request: Request, owner: str, wanted: NewFile, pieces: AsyncIterator[bytes]
    ) -> Response:
        """A file in one request: if it does not come whole, nothing of it is kept."""
        secret = await self._target.begin(owner, wanted)
        try:
            await self._target.write(secret, 0, pieces)
            made = await self._target.finalize(secret)
        except BaseException:
            await self._give_up(secret)
            raise
        return self._final(request, made)

    async def _give_up(self, secret: str) -> None:
        with suppress(TurnwiseError):  # it has given itself up, as one does whose name was taken meanwhile
            await self._target.cancel(secret)

    def _progress(self, request: Request, progress: Progress) -> Response:
        if progress.made is not None:
            return self._final(request, progress.made)
        return _status_reply({}, "active", {"x-goog-upload-size-received": str(progress.received)})

    def _final(self, request: Request, made: File | Document) -> Response:
        body = self._target.render(made, self._base(request))
        return _status_reply(body, "final", {"x-goog-upload-size-received": str(made.size_bytes)})

    def _base(self, request: Request) -> str:
        return base_url(request, self._public_url)


# -- replies


def _status_reply(body: dict[str, JSON], status: str, headers: dict[str, str] | None = None) -> Response:
    return JSONReply(body, headers={"x-goog-upload-status": status, **(headers or {})})


def _error_reply(error: TurnwiseError, status: str, headers: dict[str, str] | None = None) -> Response:
    reply = _status_reply(render_rpc_error(error), status, headers)
    reply.status_code = http_status(error)
    return reply


# -- what comes


def _protocol(request: Request) -> str:
    """How a file is to come: `resumable`, `multipart` or `raw`. There are three places to say so."""
    query = request.query_params
    said = request.headers.get("x-goog-upload-protocol") or query.get("upload_protocol")
    upload_type = query.get("uploadType")
    if said is None and upload_type == "resumable":
        raise Unimplemented(
            "uploadType: turnwise does not have 'resumable' of this kind; use the header "
            "'X-Goog-Upload-Protocol: resumable'"
        )
    if said is None and upload_type is not None:
        said = {"media": "raw"}.get(upload_type, upload_type)
    if said is None and request.headers.get("x-goog-upload-command"):
        raise InvalidRequest("a command needs 'resumable' here", field="X-Goog-Upload-Protocol")
    said = (said or "raw").strip().lower()
    if said not in ("resumable", "multipart", "raw"):
        raise InvalidRequest(f"one of resumable, multipart, raw, not '{said}'", field="X-Goog-Upload-Protocol")
    return said


def _command(request: Request) -> str:
    """The command, written as `COMMANDS` has it."""
    words = request.headers.get("x-goog-upload-command", "").split(",")
    return ", ".join(word.strip().lower() for word in words)


def _offset(request: Request) -> int:
    value = request.headers.get("x-goog-upload-offset")
    if value is None:
        raise InvalidRequest("a chunk needs to say where it begins", field="X-Goog-Upload-Offset")
    return parse_size(value.strip(), field="X-Goog-Upload-Offset")


def _with_headers(said: NewFile, request: Request) -> NewFile:
    """What the body of a start says, and what its headers add. They must not contradict one another."""
    headers, wanted = request.headers, said
    length = headers.get("x-goog-upload-header-content-length")
    if length is not None:
        size = parse_size(length.strip(), field="X-Goog-Upload-Header-Content-Length")
        if said.size_bytes not in (None, size):
            raise InvalidRequest(
                f"{size} here, but {said.size_bytes} in `file.size_bytes`", field="X-Goog-Upload-Header-Content-Length"
            )
        wanted = replace(wanted, size_bytes=size)
    kind = parse_mime_type(
        headers.get("x-goog-upload-header-content-type", ""), field="X-Goog-Upload-Header-Content-Type"
    )
    if kind and said.mime_type and _bare(kind) != _bare(said.mime_type):
        raise InvalidRequest(
            f"'{kind}' here, but '{said.mime_type}' in `file.mime_type`", field="X-Goog-Upload-Header-Content-Type"
        )
    return replace(wanted, mime_type=said.mime_type or kind, display_name=said.display_name or _file_name(request))


def _bare(mime_type: str) -> str:
    return mime_type.partition(";")[0].strip().lower()


def _file_name(request: Request) -> str:
    """What the file is called where the client has it: the display name, where none is given."""
    return unquote(request.headers.get("x-goog-upload-file-name", ""))[:512]


def _refuse_encoding(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise InvalidRequest(f"bytes are kept as they come, so not in '{encoding}'", field="Content-Encoding")


async def _pieces(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it comes."""
    try:
        async with aclosing(request.stream()) as pieces:
            async for piece in pieces:
                yield piece
    except ClientDisconnect:
        raise InvalidRequest("the connection was closed in the middle of the body") from None


async def _refuse_body(request: Request) -> None:
    if await read_bytes(request, MAX_ABOUT):
        raise InvalidRequest("this command takes no body; bytes come with 'upload'", field="X-Goog-Upload-Command")
