"""What the worker processes have in common: one job after another, over two pipes.

A worker reads JSON lines from its stdin: first how it is set up, then jobs. It writes frames to its stdout, each a
letter for its kind, its length, and its bytes:

    r   it is ready: JSON on what it can do             f   it cannot be set up: JSON `{"error": ..., "missing": ...}`
    s   a piece of sound: PCM, as it is made            x   the job failed: JSON `{"error": ...}`
    e   the job has ended

It ends with its stdin, which ends with the parent, however that goes. One job cannot be broken off: who does not want
its end kills the worker. Nothing heavy is imported here, and nothing but this of turnwise: an engine's package, which
may be under the GPL, is loaded in the worker's own process and in no other.
"""

import json
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias

HEADER = struct.Struct(">cI")
"""A frame's kind and length."""

Write: TypeAlias = Callable[[bytes], None]

Job: TypeAlias = Callable[[dict[str, Any], Write], None]
"""Does a job: its orders, and where the sound goes."""

SetUp: TypeAlias = Callable[[dict[str, Any]], tuple[dict[str, Any], Job]]
"""Sets a worker up: what it can do, and who does its jobs."""


class Missing(Exception):
    """A part that is not installed. The message says which, and the command that adds it."""


def serve(set_up: SetUp) -> None:
    """The life of a worker."""
    out = _private_stdout()
    orders = sys.stdin.buffer.readline()
    if not orders:
        return
    try:
        about, job = set_up(json.loads(orders))
    except Exception as error:  # whatever it is, the parent has to be told
        _tell(out, b"f", {"error": str(error) or type(error).__name__, "missing": isinstance(error, Missing)})
        return
    _tell(out, b"r", about)
    for line in sys.stdin.buffer:
        try:
            job(json.loads(line), lambda pcm: _write(out, b"s", pcm))
            _write(out, b"e", b"")
        except BrokenPipeError:
            return  # nobody listens any more
        except Exception as error:  # as above
            _tell(out, b"x", {"error": str(error) or type(error).__name__})


def _private_stdout() -> BinaryIO:
    """Our line to the parent. A library may print what it likes: it goes to stderr."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _tell(out: BinaryIO, kind: bytes, message: dict[str, Any]) -> None:
    _write(out, kind, json.dumps(message).encode())


def _write(out: BinaryIO, kind: bytes, data: bytes) -> None:
    out.write(HEADER.pack(kind, len(data)) + data)
    out.flush()
