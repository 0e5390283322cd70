"""The head of a GGUF file, as far as it says what the file is for. llama.cpp reads the rest.

A file begins with its magic, a version, how many tensors it has, and key-value pairs, of which `general.architecture`
says what it holds: `llama`, `qwen3` and so on for language models, `clip` for their eyes and ears.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from turnwise.domain.errors import ModelUnavailable

MAGIC = b"GGUF"
ARCHITECTURE = "general.architecture"
CONTEXT_LENGTH = ".context_length"
PROJECTOR = "clip"
"""The architecture of every file that llama.cpp calls mmproj."""

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Types of values that are numbers, and how `struct` calls them."""

STRING, ARRAY = 8, 9

LONGEST = 64 * 2**20
"""No string and no array in a head is larger; one that says so is not what it seems."""


def check_projector(path: Path) -> None:
    """Whether a file is what llama.cpp calls mmproj.

    Raises:
        ModelUnavailable: it is something else, and what.
    """
    try:
        found = architecture(path)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"mmproj: {path} cannot be used: {error}") from error
    if found != PROJECTOR:
        raise ModelUnavailable(
            f"mmproj: {path} holds a model of the architecture {found!r}, and no eyes or ears for one: name the file"
            " that is called mmproj where the model comes from"
        )


def architecture(path: Path) -> str:
    """What a file holds, in llama.cpp's word for it.

    Raises:
        ValueError: it is no GGUF file, or does not say.
    """
    for key, value in _pairs(path):
        if key == ARCHITECTURE:
            return str(value)
    raise ValueError(f"it does not say its {ARCHITECTURE}")


def context_length(path: Path) -> int | None:
    """How many tokens a language model was trained to read at once. None: it does not say.

    Raises:
        ValueError: it is no GGUF file.
    """
    return next((int(value) for key, value in _pairs(path) if key.endswith(CONTEXT_LENGTH)), None)


def _pairs(path: Path) -> Iterator[tuple[str, Any]]:
    """The key-value pairs of a file's head, in their order."""
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ValueError("it is no GGUF file")
        _version, _tensors, pairs = struct.unpack("<IQQ", _bytes(file, 20))
        for _ in range(pairs):
            yield _string(file), _value(file, _number(file, "I"))


def _value(file: BinaryIO, kind: int) -> Any:
    if kind in NUMBERS:
        return _number(file, NUMBERS[kind])
    if kind == STRING:
        return _string(file)
    if kind == ARRAY:
        inner, count = _number(file, "I"), _number(file, "Q")
        if inner in NUMBERS:
            return _bytes(file, count * struct.calcsize("<" + NUMBERS[inner]))
        return [_value(file, inner) for _ in range(count)]
    raise ValueError("its head cannot be read")


def _string(file: BinaryIO) -> str:
    return _bytes(file, _number(file, "Q")).decode(errors="replace")


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack("<" + form, _bytes(file, struct.calcsize("<" + form)))[0]


def _bytes(file: BinaryIO, count: int) -> bytes:
    data = file.read(count) if count <= LONGEST else b""
    if len(data) != count:
        raise ValueError("its head cannot be read")
    return data
