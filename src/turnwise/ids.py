"""Names for new things: sortable by time, so that new rows stand together in an index, and not to be guessed."""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_id(prefix: str) -> str:
    """A new id: 48 bits of milliseconds and 80 bits of chance."""
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    return prefix + "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
