"""Server-sent events as bytes.

No `id:` lines, since the Python SDKs 1.x fail on them beside comments: the position stands inside the JSON. And no
empty `data:` as a sign of life, which other SDKs read as a broken event: a comment is safe everywhere.
"""

import orjson

from turnwise.domain.content import JSON

KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"event: done\ndata: [DONE]\n\n"


def render_frame(name: str, payload: JSON) -> bytes:
    """One frame: its name, and its JSON on one line."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(payload))
