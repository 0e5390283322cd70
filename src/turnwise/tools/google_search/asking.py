"""Asking a search engine over HTTP: one session for all searches, and failures in words that can be acted on.

The words reach models and clients. So they name the engine and the setting, and no address and no key.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import aiohttp
import orjson

from turnwise.tools.google_search.engine import SearchFailed

ANSWER = 8 * 1024**2
"""In bytes: more of an answer is not read."""

AGENT = "turnwise"

Refusal: TypeAlias = Callable[[int, bool], str | None]
"""What an answer means that is none, by its status and whether it is a web page. None: what it means with everybody."""


class Asker:
    """The connections to one engine. Opened with the first question, since a session belongs to a running loop."""

    def __init__(
        self,
        name: str,
        *,
        headers: Mapping[str, str] | None = None,
        refusal: Refusal = lambda status, is_page: None,
    ) -> None:
        """`name`: what people call the engine. `headers` go with every question; the key may be among them."""
        self._name = name
        self._refusal = refusal
        self._headers = {"Accept": "application/json", "User-Agent": AGENT, **(headers or {})}
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that stands there.

        Raises:
            SearchFailed: there is none.
        """
        return await self._ask("GET", url, params=parameters)

    async def post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that a JSON object is answered with. Raises as `get` does."""
        return await self._ask("POST", url, data=orjson.dumps(body), headers={"Content-Type": "application/json"})

    async def close(self) -> None:
        """Close the connections. A later question opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        try:
            # A redirect would take the key elsewhere.
            async with self._opened().request(method, url, allow_redirects=False, **request) as response:
                body = await _read(response)
        except _TooLong:
            raise SearchFailed(f"{self._name} answered with more than {ANSWER // 1024**2} MiB") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SearchFailed(self._unreachable(error)) from None
        answer = _parse(body)
        if response.status == 200 and answer is not None:
            return answer
        is_page = response.content_type == "text/html"
        raise SearchFailed(self._refusal(response.status, is_page) or self._refused(response, answer, is_page))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Time is bounded by whoever asks.
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _unreachable(self, error: Exception) -> str:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            why = "its certificate is not trusted"
        elif isinstance(error, aiohttp.ClientConnectorDNSError):
            why = "there is no such host"
        elif isinstance(error, aiohttp.ClientConnectorError):
            why = os.strerror(error.errno).lower() if error.errno else "the connection failed"  # its own words name it
        else:
            why = "the connection broke"
        return (
            f"{self._name} cannot be reached ({why}). "
            "Whoever runs this server can check it and the setting tools.google_search.url"
        )

    def _refused(self, response: aiohttp.ClientResponse, answer: dict[str, Any] | None, is_page: bool) -> str:
        status = response.status
        if status == 200:
            what = "a web page" if is_page else "something else"
            return (
                f"{self._name} answered with {what} where JSON was to come. Whoever runs this server should check the "
                "setting tools.google_search.url"
            )
        if status in (401, 403) or _is_about_key(answer):
            return (
                f"{self._name} refused the key (HTTP {status}). Whoever runs this server should check the key: "
                "the setting tools.google_search.api_key_env"
            )
        if status == 429:
            return f"{self._name} is asked too often (HTTP 429); {_patience(response.headers)}"
        if status in (432, 433):  # Tavily's own
            return f"{self._name} has given all that its plan allows (HTTP {status})"
        if 300 <= status < 400:
            return (
                f"{self._name} sends elsewhere (HTTP {status}). Whoever runs this server should correct the setting "
                "tools.google_search.url"
            )
        said = _said(answer)
        return f"{self._name} answered with HTTP {status}{f': {said}' if said else ''}"


class _TooLong(Exception):
    """An answer has more bytes than are read."""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, up to its limit."""
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > ANSWER:
            raise _TooLong
        pieces.append(piece)
    return b"".join(pieces)


def _patience(headers: Mapping[str, str]) -> str:
    seconds = headers.get("Retry-After", "")
    return f"try again in {seconds} seconds" if seconds.isdecimal() else "try again later"


def _parse(body: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer. None: it is none."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _is_about_key(answer: dict[str, Any] | None) -> bool:
    """Whether it is how Brave refuses a key: with HTTP 422."""
    error = answer.get("error") if answer else None
    return isinstance(error, dict) and error.get("code") == "SUBSCRIPTION_TOKEN_INVALID"


def _said(answer: dict[str, Any] | None) -> str:
    """What a refusal says, if it says it in one of the ways that these engines have."""
    for path in (("error", "detail"), ("detail", "error"), ("error", "message"), ("detail",), ("error",)):
        said: Any = answer
        for key in path:
            said = said.get(key) if isinstance(said, dict) else None
        if isinstance(said, str) and said:
            return " ".join(said.split())[:200]
    return ""


def text_of(value: Any) -> str:
    """A text of somebody else's JSON. Anything that is none is empty."""
    return value if isinstance(value, str) else ""


def objects_of(value: Any) -> list[dict[str, Any]]:
    """The objects of a list of somebody else's JSON."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
