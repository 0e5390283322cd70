"""Bodies in and out: JSON within a limit, and queries whose every parameter is known."""

from collections.abc import Collection

import orjson
from starlette.requests import Request
from starlette.responses import Response

from turnwise.domain.content import DEPTH, JSON, is_too_deep
from turnwise.domain.errors import InvalidRequest, PayloadTooLarge, UnknownParameter, UnsupportedMediaType

EVERYWHERE = frozenset({"key", "alt"})
"""Query parameters that any call may have: a key, and the answer's form, which the body decides (`stream`)."""


class JSONReply(Response):
    """JSON by orjson. Status 200 and this very content type, or the SDKs of today refuse it."""

    media_type = "application/json"

    def render(self, content: JSON) -> bytes:
        return orjson.dumps(content)


async def read_json(request: Request, limit: int) -> JSON:
    """The JSON body of a request.

    Raises:
        UnsupportedMediaType: it does not say that it is JSON.
        PayloadTooLarge: it is over the limit, in bytes.
        InvalidRequest: it is not JSON, or nested beyond reason.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType(f"the body must be JSON, not '{kind}'; send 'Content-Type: application/json'")
    raw = await read_bytes(request, limit)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}") from None
    if is_too_deep(body):
        raise InvalidRequest(f"the body is nested deeper than {DEPTH} levels; send what is deeper as a text")
    return body


async def read_bytes(request: Request, limit: int) -> bytes:
    """A body, refused as soon as it is known to be over the limit."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the connection was closed in the middle of the body")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"the body is over the limit of {limit} bytes; upload large files first, or raise `max_body_bytes`"
    )


def check_query(request: Request, known: Collection[str] = (), *, forms: Collection[str] = ("sse", "json")) -> None:
    """Refuse query parameters that would be ignored. `forms` are what `alt` may ask for."""
    if not request.scope["query_string"]:
        return
    for name in request.query_params:
        if name not in EVERYWHERE and name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise UnknownParameter(f"this call has no such query parameter; it has: {listed}", field=name)
    alt = request.query_params.get("alt")
    if alt is not None and alt not in forms:
        raise InvalidRequest(f"'{alt}' is not a form of answer; one of {', '.join(forms)}", field="alt")


def query_flag(request: Request, name: str) -> bool:
    """A boolean query parameter, as the SDKs write it."""
    value = request.query_params.get(name)
    if value in (None, "", "false"):
        return False
    if value == "true":
        return True
    raise InvalidRequest(f"true or false, not '{value}'", field=name)


def query_size(request: Request, *, default: int, most: int) -> int:
    """How many things a page is to have."""
    value = request.query_params.get("pageSize") or "0"
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) <= most):
        raise InvalidRequest(f"a number from 1 to {most}, not '{value}'", field="pageSize")
    return int(value) or default
