"""Names for new things: sortable by time, so that new rows stand together in an index, and not to be guessed."""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32


def new_id(prefix: str) -> str:
    """A new id: 48 bits of milliseconds and 80 bits of chance."""
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    return prefix + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
