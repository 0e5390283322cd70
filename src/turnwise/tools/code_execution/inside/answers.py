"""How whoever runs code talks with turnwise: orders come in on stdin, everything else goes out on stdout.

An order is a line of JSON. What code prints goes out as it is. Behind it come the order's `end`, random letters that
tell where the code's words end and ours begin, a line of JSON, and the bytes of the files that the line names. Code may
find these letters and say all that itself: what goes out is believed of the code alone.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

MOST_FILES = 16
LARGEST_FILE = 16 * 2**20
MOST_BYTES = 32 * 2**20
"""Larger, or more of them, files are not handed over by one call."""

LONGEST_LINE = 64 * 2**10
"""In bytes: longer no line of ours is."""

_CHUNK = 64 * 2**10


class Reader(Protocol):
    """What gives bytes."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, or all that are left."""


@dataclass(frozen=True)
class Handed:
    """A file that is handed over."""

    name: str
    size: int
    content: Reader


@dataclass(frozen=True)
class Ended:
    """What came of a piece of code, beside what it printed."""

    is_error: bool = False
    files: Sequence[Handed] = ()
    kept: Sequence[str] = ()
    """Files that are too large or too many to be handed over."""


class Line:
    """Our end of the line to turnwise."""

    def __init__(self, orders: BinaryIO, answers: int) -> None:
        self._orders = orders
        self.answers = answers
        """Where answers are written: the number of an open file."""

    def orders(self) -> Iterator[dict[str, Any]]:
        """What is to be done, one thing after the other."""
        for line in self._orders:
            yield json.loads(line)

    def say(self, order: dict[str, Any], ended: Ended | None = None) -> None:
        """Say that an order is done, and what came of it."""
        ended = ended or Ended()
        files = [[file.name[-300:], file.size] for file in ended.files]
        said = {"is_error": ended.is_error, "files": files, "kept": [name[-200:] for name in ended.kept[:20]]}
        self._write(order["end"].encode() + json.dumps(said).encode() + b"\n")
        for file in ended.files:
            self._hand_over(file)

    def _hand_over(self, file: Handed) -> None:
        """Exactly as many bytes as were announced, whatever becomes of the file meanwhile."""
        left = file.size
        while left and (chunk := file.content.read(min(left, _CHUNK))):
            self._write(chunk)
            left -= len(chunk)
        while left:
            self._write(bytes(min(left, _CHUNK)))
            left -= min(left, _CHUNK)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.answers, view) :]


class Allowance:
    """How many files, and how many bytes of them, may still be handed over."""

    def __init__(self) -> None:
        self._files, self._bytes = MOST_FILES, MOST_BYTES

    def covers(self, size: int) -> bool:
        """Whether a file of this size may be; if so, it counts."""
        if self._files < 1 or size > min(self._bytes, LARGEST_FILE):
            return False
        self._files -= 1
        self._bytes -= size
        return True
