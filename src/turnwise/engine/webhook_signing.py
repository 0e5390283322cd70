"""How events are signed, so that whoever hears one knows that it is this server's and was not changed.

A registered webhook shares a secret with the server, and its events are signed as Standard Webhooks has it: HMAC-SHA256
over the id, the time and the body. The addresses of a request share nothing, so what they hear is signed with a key of
the server's: the signature is a JSON Web Token (RS256) that holds the event itself, and can be checked by the public
key, which everybody may read. The key is made when it is first needed, and is one for all processes of the server.
"""

import asyncio
import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from turnwise.domain.content import JSON
from turnwise.domain.errors import Internal
from turnwise.engine.thoughts import Sealer, Secret
from turnwise.store.store import SecretStore

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PREFIX = "whsec_"
"""What a secret begins with."""

SECRET_BYTES = 32

SHOWN = len(PREFIX) + 4
"""How many characters of a secret can be read later on."""

KEY_NAME = "webhooks"
"""Which of the server's secrets the key is."""

KEY_BITS = 2048

TOKEN_LIFE = timedelta(minutes=5)
"""How long a signature with the key is good for: as long as receivers take the time of an event to be now."""


def new_secret() -> str:
    """A secret for a webhook."""
    return PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def shorten(secret: str) -> str:
    """A secret as it is shown later on."""
    return f"{secret[:SHOWN]}..."


def sign(secret: str, id: str, at: datetime, body: str) -> str:
    """The signature of a body that is sent under an id at a time."""
    signed = f"{id}.{int(at.timestamp())}.{body}".encode()
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@dataclass(frozen=True, slots=True)
class _Key:
    """The server's key, and the name of its public half."""

    private: "RSAPrivateKey"
    id: str


class ServerKey:
    """The key by which this server signs what is told to the addresses of requests."""

    def __init__(self, store: SecretStore, sealer: Sealer, *, issuer: str) -> None:
        """The key is kept sealed. `issuer` is by what name the server signs."""
        self._store = store
        self._sealer = sealer
        self._issuer = issuer
        self._key: _Key | None = None
        self._finding = asyncio.Lock()

    async def sign(self, id: str, at: datetime, body: str, audience: str) -> str:
        """The token for an event that is sent under an id at a time, to the address `audience`."""
        import jwt  # not before it is needed: it takes a while

        key = await self._find()
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "iat": int(at.timestamp()),
            "exp": int((at + TOKEN_LIFE).timestamp()),
            "jti": id,
        }
        return jwt.encode({**orjson.loads(body), **claims}, key.private, algorithm="RS256", headers={"kid": key.id})

    async def public(self) -> Mapping[str, JSON]:
        """The public half as a set of JSON Web Keys."""
        key = await self._find()
        numbers = key.private.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": key.id,
                    "n": _written(numbers.n),
                    "e": _written(numbers.e),
                }
            ]
        }

    async def _find(self) -> _Key:
        async with self._finding:
            if self._key is None:
                self._key = await self._load()
            return self._key

    async def _load(self) -> _Key:
        """The key that all processes share. The first that asks proposes one."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

        made = await asyncio.to_thread(_make)
        proposed = self._sealer.seal(Secret(token=made), owner=KEY_NAME).encode()
        kept = await self._store.secret(KEY_NAME, proposed)
        secret = self._sealer.open(kept.decode(), owner=KEY_NAME)
        if secret is None or secret.token is None:
            raise Internal("the key that signs events was sealed with another sealing key, which this server has not")
        private = load_pem_private_key(secret.token.encode(), password=None)
        assert isinstance(private, RSAPrivateKey)
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return _Key(private, hashlib.sha256(public).hexdigest()[:16])


def _make() -> str:
    """A new key, as PEM. It takes a tenth of a second and more."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _written(number: int) -> str:
    """A number as JSON Web Keys have it."""
    raw = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
