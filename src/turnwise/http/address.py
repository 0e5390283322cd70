"""The address by which a client reaches this server: what the addresses of files and of uploads begin with.

Where it is not set, the client's own words are taken, or those of a proxy before it. They count for nobody but this
client, and they are looked at before they stand in a reply.
"""

import re
from collections.abc import Mapping

from starlette.requests import Request

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_SCHEME = re.compile("https?")


def base_url(request: Request, public_url: str | None = None) -> str:
    """The server's address without a slash at its end. `public_url` is what the settings say."""
    if public_url:
        return public_url.rstrip("/")
    headers = request.headers
    forwarded = _forwarded(headers.get("forwarded", ""))
    host = (
        _looking(_HOST, forwarded.get("host"))
        or _looking(_HOST, headers.get("x-forwarded-host"))
        or _looking(_HOST, headers.get("host"))
        or _own_host(request)
    )
    scheme = (
        _looking(_SCHEME, forwarded.get("proto"))
        or _looking(_SCHEME, headers.get("x-forwarded-proto"))
        or request.scope.get("scheme", "http")
    )
    return f"{scheme}://{host}"


def _looking(like: re.Pattern[str], said: str | None) -> str | None:
    """What was said, if it looks as it should. Of a list, which each proxy adds to, the first counts."""
    if said is None:
        return None
    word = said.partition(",")[0].strip()
    return word if like.fullmatch(word) else None


def _forwarded(header: str) -> Mapping[str, str]:
    """The first element of a `Forwarded` header, by its names in small letters."""
    if not header:
        return {}
    pairs = (pair.partition("=") for pair in header.partition(",")[0].split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _own_host(request: Request) -> str:
    """Where the server itself listens, as the connection says."""
    host, port = request.scope.get("server") or ("127.0.0.1", None)
    return f"{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
