"""The headers that a request wants sent to a server, which may hold keys.

They are sent, and go nowhere else: what is remembered is a digest, and where a server repeats a key in what it says, it
is struck out before anybody reads it.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest

OURS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that the protocol needs for itself."""

HEADERS, BYTES = 50, 8000
"""How many headers there may be, and how long each may be."""

SECRET = 6
"""From how many characters on a value is struck out: a shorter one is no key, and stands in many texts."""

HIDDEN = "[hidden]"

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")

T = TypeVar("T")


def check_headers(headers: Mapping[str, str], field: str) -> None:
    """Refuse headers that could not be sent as they are. No message holds a value.

    Raises:
        InvalidRequest: which, and why.
    """
    if len(headers) > HEADERS:
        raise InvalidRequest(f"there are {len(headers)} headers: at most {HEADERS} are sent", field=field)
    seen: set[str] = set()
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise InvalidRequest(f"'{_printable(name)}' is no name of a header", field=field)
        where = f"{field}.{name[:100]}"
        if name.lower() in OURS or name.lower().startswith("mcp-param-"):
            raise InvalidRequest("turnwise sets this header by itself; leave it out", field=where)
        if name.lower() in seen:
            raise InvalidRequest("this header is there twice, in other letters", field=where)
        if not _VALUE.fullmatch(value):
            raise InvalidRequest("a header's value is written in printable ASCII characters, on one line", field=where)
        if len(name) + len(value) > BYTES:
            raise InvalidRequest(f"this header is longer than {BYTES} characters", field=where)
        seen.add(name.lower())


def digest(headers: Mapping[str, str]) -> str:
    """What tells headers apart without telling them."""
    written = "\n".join(sorted(f"{name.lower()}: {value}" for name, value in headers.items()))
    return hashlib.sha256(written.encode()).hexdigest()


class Secrets:
    """Strikes the values of headers out of what a server says."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        words = {part for value in headers.values() for part in (value.strip(), *value.split())}
        longest_first = sorted((word for word in words if len(word) >= SECRET), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def hide(self, value: T) -> T:
        """The same text or JSON, without the values."""
        return value if self._pattern is None else self._hidden(value)

    def _hidden(self, value: JSON) -> Any:
        assert self._pattern is not None
        if isinstance(value, str):
            return self._pattern.sub(HIDDEN, value)
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        if isinstance(value, dict):
            return {self._hidden(name): self._hidden(item) for name, item in value.items()}
        return value


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:100])
