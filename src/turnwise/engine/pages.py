"""Where a page of a list ends: a token that clients give back to have the next one."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from turnwise.domain.errors import InvalidRequest
from turnwise.store.store import Place

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def write_token(place: Place) -> str:
    """A place as a token."""
    created, id = place
    return urlsafe_b64encode(f"{created.isoformat()} {id}".encode()).decode().rstrip("=")


def read_token(token: str, field: str = "pageToken") -> Place:
    """The place in a token, which came as this field.

    Raises:
        InvalidRequest: it is none of ours.
    """
    try:
        created, _, id = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
        at = datetime.fromisoformat(created)
        if at.tzinfo is None or not _ID.fullmatch(id):
            raise ValueError
        return at.astimezone(UTC), id
    except (ValueError, OverflowError):
        raise InvalidRequest(f"'{token}' is no token that a list has given", field=field) from None
