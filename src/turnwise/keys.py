"""API keys, as a person makes and revokes them."""

import secrets
from datetime import UTC, datetime

from turnwise.http.auth import hash_key
from turnwise.ids import new_id
from turnwise.store.store import Key, KeyStore

PREFIX = "tw_"


async def create_key(store: KeyStore, *, name: str, owner: str | None) -> tuple[Key, str]:
    """A new key, as it is kept and as it is used. The latter is shown once: only its hash is kept.

    `owner` is whose interactions it reads and makes; by default the key is an owner of its own.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    id = new_id("key_")
    key = Key(
        id=id,
        owner=owner or id,
        name=name,
        hash=hash_key(secret),
        prefix=secret[:8],
        created=datetime.now(UTC),
    )
    await store.add_key(key)
    return key, secret
