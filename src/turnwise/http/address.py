"""The address by which a client reaches this server: what the addresses of files and of uploads begin with.

Where it is not set, the client's own words are taken, or those of a proxy before it. They count for nobody but this
client, and they are looked at before they stand in a reply.
"""

import re
from collections.abc import Mapping

from starlette.requests import Request

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


def base_url(request: Request, public_url: str | None = None) -> str:
    """The server's address without a slash at its end. `public_url` is what the settings say."""
    if public_url:
        return public_url.rstrip("/")
    forwarded = _forwarded(request.headers.get("forwarded", ""))
    host = _first(
        forwarded.get("host"),
        request.headers.get("x-forwarded-host"),
        request.headers.get("host"),
        like=_HOST,
        default=_own_host(request),
    )
    scheme = _first(
        forwarded.get("proto"),
        request.headers.get("x-forwarded-proto"),
        like=re.compile("https?"),
        default=request.url.scheme,
    )
    return f"{scheme}://{host}"


def _first(*said: str | None, like: re.Pattern[str], default: str) -> str:
    """The first word that was said and looks as it should. Of a list, which each proxy adds to, the first counts."""
    words = ((word or "").partition(",")[0].strip() for word in said)
    return next((word for word in words if like.fullmatch(word)), default)


def _forwarded(header: str) -> Mapping[str, str]:
    """The first element of a `Forwarded` header, by its names in small letters."""
    pairs = (pair.partition("=") for pair in header.partition(",")[0].split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _own_host(request: Request) -> str:
    """Where the server itself listens, as the connection says."""
    host, port = request.scope.get("server") or ("127.0.0.1", None)
    return f"{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
