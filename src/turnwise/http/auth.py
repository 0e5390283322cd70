"""Who calls: from an API key to an owner.

Only hashes of keys are kept. Without any key in the store everyone is the owner `local`, whatever key they send, since
the SDKs insist on sending one; a server that others can reach is not started in that state (see `cli.py`).
"""

import hashlib
import time
from collections.abc import Callable

from starlette.requests import Request

from turnwise.domain.errors import Unauthenticated
from turnwise.http.contracts import Keys

LOCAL = "local"
"""The owner of what is made while there are no keys."""

FRESH_SECONDS = 1.0
"""How long a look at the keys is good for: a key that is revoked by the command line stops working within that time."""


def hash_key(key: str) -> bytes:
    """A key as it is kept. Keys are long and random, so a plain digest is enough."""
    return hashlib.sha256(key.encode()).digest()


class KeyRing:
    """The keys of the store, looked at anew every second at the most."""

    def __init__(self, keys: Keys, *, now: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._now = now
        self._owners: dict[bytes, str] = {}
        self._looked = float("-inf")

    async def owner(self, request: Request) -> str:
        """The owner that a request acts for.

        Raises:
            Unauthenticated: there are keys, and the request has none of them.
        """
        if self._now() - self._looked > FRESH_SECONDS:
            await self._look()
        if not self._owners:
            return LOCAL
        key = sent_key(request)
        if key is None:
            raise Unauthenticated("this server asks for an API key; send it as the header 'x-goog-api-key'")
        owner = self._owners.get(hash_key(key))
        if owner is None:
            raise Unauthenticated("this API key was never made here, or is revoked; see `turnwise keys list`")
        return owner

    async def _look(self) -> None:
        keys = await self._keys.keys()
        self._owners = {key.hash: key.owner for key in keys if key.revoked is None}
        if keys and not self._owners:
            self._owners = {b"": ""}  # all keys are revoked: nobody may come in
        self._looked = self._now()


def sent_key(request: Request) -> str | None:
    """The key of a request, from any of the three places where clients put it."""
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    if key:
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
