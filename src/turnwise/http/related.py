"""A body of `multipart/related` with two parts, as an upload in one request has it: JSON that tells of a file, and the
file. The first is read whole, the second as it comes.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from turnwise.domain.errors import InvalidRequest, PayloadTooLarge


@dataclass(frozen=True, slots=True)
class Related:
    """The two parts."""

    about: bytes
    """The first part: JSON."""
    content_type: str
    """Of the second part; empty if it does not say."""
    pieces: AsyncGenerator[bytes, None]
    """The bytes of the second part."""


@asynccontextmanager
async def read_related(content_type: str, body: AsyncIterator[bytes], limit: int) -> AsyncIterator[Related]:
    """A body that is read up to its second part. `limit` is how long the first may be, in bytes.

    Raises:
        InvalidRequest: it is not such a body.
        PayloadTooLarge: the first part is over the limit.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/related" or not boundary:
        raise InvalidRequest(
            f"an upload in parts is 'multipart/related; boundary=...', not '{content_type}'", field="Content-Type"
        )
    async with aclosing(_parts(boundary, body)) as parts:
        _check_about(_headers(await anext(parts)))
        about = bytearray()
        while isinstance(event := await anext(parts), bytes):
            about += event
            if len(about) > limit:
                raise PayloadTooLarge(f"the first part is over the limit of {limit} bytes; it only tells of the file")
        async with aclosing(_rest(parts)) as rest:
            yield Related(bytes(about), _file_type(_headers(event)), rest)


def _check_about(headers: Mapping[str, str]) -> None:
    kind = headers.get("content-type", "application/json")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise InvalidRequest(f"the first part tells of the file in JSON, and is not '{kind}'", field="Content-Type")


def _file_type(headers: Mapping[str, str]) -> str:
    encoding = headers.get("content-transfer-encoding", "binary").lower()
    if encoding not in ("binary", "8bit", "7bit"):
        raise InvalidRequest(
            f"the second part is taken as it comes, not in '{encoding}'", field="Content-Transfer-Encoding"
        )
    return headers.get("content-type", "")


def _headers(event: "Event") -> Mapping[str, str]:
    """The headers with which a part begins, if one does."""
    if isinstance(event, bytes) or event is None:
        raise InvalidRequest("the body has two parts: JSON that tells of the file, and the file")
    return event


async def _rest(parts: AsyncGenerator["Event", None]) -> AsyncGenerator[bytes, None]:
    async for event in parts:
        if isinstance(event, bytes):
            yield event
        elif event is not None:
            raise InvalidRequest("the body has more than two parts; send each file by itself")


Event = Mapping[str, str] | bytes | None
"""The headers of a part, a piece of it, or the end of all."""


@dataclass(slots=True)
class _Heard:
    """What the parser has told since it was last asked."""

    events: list[Event] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    name: bytes = b""
    value: bytes = b""

    def on_part_begin(self) -> None:
        self.headers = {}

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def on_header_end(self) -> None:
        self.headers[self.name.decode("latin-1").lower()] = self.value.decode("latin-1").strip()
        self.name = self.value = b""

    def on_headers_finished(self) -> None:
        self.events.append(self.headers)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.events.append(data[start:end])

    def on_end(self) -> None:
        self.events.append(None)

    def take(self) -> Iterator[Event]:
        taken, self.events = self.events, []
        return iter(taken)


async def _parts(boundary: bytes, body: AsyncIterator[bytes]) -> AsyncGenerator[Event, None]:
    """What happens in a body: headers and pieces, in turn, and the end."""
    heard = _Heard()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": heard.on_part_begin,
            "on_header_field": heard.on_header_field,
            "on_header_value": heard.on_header_value,
            "on_header_end": heard.on_header_end,
            "on_headers_finished": heard.on_headers_finished,
            "on_part_data": heard.on_part_data,
            "on_end": heard.on_end,
        },
    )
    ended = False
    async for data in body:
        try:
            parser.write(data)
        except MultipartParseError as error:
            raise InvalidRequest(f"the body is not what its boundary says: {error}") from None
        for event in heard.take():
            ended |= event is None
            yield event
    if not ended:
        raise InvalidRequest("the body breaks off before its last boundary")
