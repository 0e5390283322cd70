"""Files as the Files API has them: what a client says of one before it sends it, and what it reads of one.

The API's own spelling is camelCase. What comes may be in either spelling, as the SDKs of different languages have it.
"""

import ast
import re
from base64 import b64encode
from typing import Annotated, Any, Literal, NotRequired

import orjson
from pydantic import AliasChoices, Field, ValidationError
from typing_extensions import TypedDict

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest
from turnwise.domain.files import File, NewFile
from turnwise.wire.common import render_time
from turnwise.wire.invalid import explain, shown
from turnwise.wire.request import Body

WRITTEN_BY_US = frozenset(
    {
        *("createTime", "updateTime", "expirationTime", "sha256Hash", "uri", "downloadUri", "state", "source"),
        *("create_time", "update_time", "expiration_time", "sha256_hash", "download_uri"),
        *("videoMetadata", "video_metadata", "error"),
    }
)
"""Fields of a file that a client reads and never writes."""

RPC_CODES = {"invalid_request": 3, "failed_precondition": 9}
"""The numbers that google.rpc has for why a file failed. Everything else is 13, internal."""

_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+*-]+(?:\s*;\s*[\w.+-]+=(?:[\w.:+/-]+|\"[^\"\\]*\"))*", re.ASCII)


# -- what comes


def _either(name: str) -> Any:
    """A field that may come under its name, or under the same name in camelCase."""
    return Field(default=None, alias=camel(name), validation_alias=AliasChoices(camel(name), name))


def camel(name: str) -> str:
    """A name with underscores in the API's own spelling."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


class NewFileBody(Body):
    """What is said of a file before it is sent. Each field may also be spelled with an underscore: `display_name`."""

    name: str | None = None
    """`files/` and the name that it is to have: at most 40 of a-z, 0-9 and dashes, with no dash at an edge. One is made
    up where none is given."""
    display_name: Annotated[str, Field(max_length=512)] | None = _either("display_name")
    """What people call it."""
    mime_type: str | None = _either("mime_type")
    """What it is. If its bytes say otherwise, the file fails."""
    size_bytes: Any = _either("size_bytes")
    """How many bytes will come, as a number or as a text of digits."""


class UploadBody(Body):
    """The body that begins an upload."""

    file: NewFileBody | None = None
    """What is known of the file."""


def parse_new_file(raw: bytes) -> NewFile:
    """What a client says of a file. Nothing said is an empty body.

    Raises:
        InvalidRequest: it is not JSON, or a field is wrong.
        UnknownParameter: the API has no such field.
    """
    if not raw.strip():
        return NewFile()
    body = _load(raw)
    if not isinstance(body, dict):
        raise InvalidRequest(f"the body must be a JSON object, not {shown(body)}")
    if isinstance(body.get("file"), dict):
        _check_fields(body["file"])
    try:
        said = UploadBody.model_validate(body).file or NewFileBody.model_validate({})
    except ValidationError as error:
        raise explain(error, UploadBody) from None
    return NewFile(
        name=_parse_name(said.name),
        display_name=said.display_name or "",
        mime_type=parse_mime_type(said.mime_type or "", field="file.mime_type"),
        size_bytes=None if said.size_bytes is None else parse_size(said.size_bytes, field="file.size_bytes"),
    )


def _load(raw: bytes) -> JSON:
    """JSON; or what the API's own examples for curl have in its place, with single quotes."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        try:
            return orjson.loads(orjson.dumps(ast.literal_eval(raw.decode().strip())))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise InvalidRequest(f"the body is not valid JSON: {error}") from None


def _check_fields(file: dict[str, JSON]) -> None:
    """Refuse what pydantic would call unknown, in better words."""
    for name in file:
        if name in WRITTEN_BY_US:
            raise InvalidRequest("this field is written by the server; leave it out", field=f"file.{name}")
        if camel(name) != name and camel(name) in file:
            raise InvalidRequest(f"this field comes twice, as '{camel(name)}' too; leave one out", field=f"file.{name}")


def _parse_name(name: str | None) -> str | None:
    """The id in a name. Whether it may be one is not decided here. An empty name is none."""
    return (name or "").removeprefix("files/") or None


def parse_mime_type(value: str, *, field: str) -> str:
    """A mime type, with its parameters if it has any. Empty: none.

    Raises:
        InvalidRequest: it is none.
    """
    value = value.strip()
    if value and (len(value) > 255 or not _MIME_TYPE.fullmatch(value)):
        raise InvalidRequest(f"{shown(value)} is no mime type; use one such as text/plain", field=field)
    return value


def parse_size(value: JSON, *, field: str) -> int:
    """A number of bytes, which may come as a text.

    Raises:
        InvalidRequest: it is none.
    """
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidRequest(f"a number of bytes, not {shown(value)}", field=field)
    return int(text)


# -- what is read


class FileStatus(TypedDict):
    """Why a file failed, in the form of google.rpc."""

    code: int
    """The number of google.rpc: 3 for a file that is not what it was said to be, 13 for a fault of the server."""
    message: str


class FileResource(TypedDict):
    """A file. What is not known is left out."""

    name: str
    """`files/` and its id."""
    displayName: NotRequired[str]
    """What people call it."""
    mimeType: NotRequired[str]
    """What it is; where nobody has said so, what its bytes say."""
    sizeBytes: str
    """A number as a text."""
    createTime: str
    updateTime: str
    expirationTime: str
    """When it is removed."""
    sha256Hash: str
    """The SHA-256 of its bytes in hexadecimal letters, and these in base64, as the original service has it."""
    uri: str
    """The address by which an interaction names it."""
    downloadUri: NotRequired[str]
    """Where its bytes are, if a model made it."""
    state: Literal["PROCESSING", "ACTIVE", "FAILED"]
    """Only an active file can be used."""
    source: Literal["UPLOADED", "GENERATED"]
    """Whether it was uploaded, or made by a model."""
    videoMetadata: NotRequired[dict[str, Any]]
    error: NotRequired[FileStatus]
    """Why it failed, if it did."""


class FileReply(TypedDict):
    """The file that an upload has become."""

    file: FileResource


class FileList(TypedDict):
    """A page of files, newest first. Without any, `files` is left out."""

    files: NotRequired[list[FileResource]]
    nextPageToken: NotRequired[str]
    """For the next page; left out on the last."""


def render_file(file: File, base_url: str) -> dict[str, JSON]:
    """A file as a client reads it that reaches this server at `base_url`."""
    uri = f"{base_url}/v1beta/files/{file.id}"
    body: dict[str, JSON] = {"name": f"files/{file.id}"}
    if file.display_name:
        body["displayName"] = file.display_name
    if file.mime_type:
        body["mimeType"] = file.mime_type
    body |= {
        "sizeBytes": str(file.size_bytes),
        "createTime": render_time(file.created),
        "updateTime": render_time(file.updated),
        "expirationTime": render_time(file.expires),
        "sha256Hash": b64encode(file.sha256.hex().encode()).decode(),
        "uri": uri,
    }
    if file.source == "GENERATED":
        body["downloadUri"] = f"{uri}:download?alt=media"
    body |= {"state": file.state.value, "source": file.source, **file.details}
    if file.failure is not None:
        body["error"] = {"code": RPC_CODES.get(file.failure.code, 13), "message": file.failure.message}
    return body
