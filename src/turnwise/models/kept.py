"""Files in the models directory: checked, noted, fetched by one process at a time, and what is told meanwhile.

A note beside a file says what it was checked for, so that a start does not read it all again; it counts as long as the
file has the size and the time that it had then. Where files come from is in `weights.py` and `sources.py`.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

LOCK_PAUSE = 0.2
"""How often, in seconds, to look whether another process has finished fetching."""


class Broken(Exception):
    """A file that is not what it should be, and how; or one that cannot be had, and why."""


def check(path: Path, *, size: int | None, sha256: str | None) -> None:
    """Look at all of a file. What is None is not known.

    Raises:
        Broken: it has another size or another hash.
    """
    found = path.stat().st_size
    if size is not None and found != size:
        raise Broken(f"has {found} bytes instead of {size}")
    if sha256 is not None and (digest := hash_of(path)) != sha256:
        raise Broken(f"has the sha256 {digest} instead of {sha256}")


def hash_of(path: Path) -> str:
    """The sha256 of a file, which takes a moment."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def note(path: Path, **facts: Any) -> None:
    """Write down what is known of a file as it is now."""
    with suppress(OSError):  # the directory may be read-only: then each start checks
        _note_of(path).write_text(json.dumps({**_state(path), **facts}))


def noted(path: Path) -> dict[str, Any]:
    """What was written down of a file, though it may have changed since. Empty: nothing."""
    with suppress(OSError, ValueError):
        facts = json.loads(_note_of(path).read_bytes())
        return facts if isinstance(facts, dict) else {}
    return {}


def is_as_noted(path: Path) -> bool:
    """Whether a file has not changed since its note was written."""
    return noted(path).items() >= _state(path).items()


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.checked")


def _state(path: Path) -> dict[str, int]:
    state = path.stat()
    return {"size": state.st_size, "mtime_ns": state.st_mtime_ns}


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Fetch a file alone. The system frees the lock of a process that dies."""
    with path.with_name(f".{path.name}.lock").open("a+b") as file:
        while not _try_lock(file.fileno()):  # noqa: ASYNC110  (another process sets no event of ours)
            await asyncio.sleep(LOCK_PAUSE)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def progress(title: str, size: int | None, *, begun: int = 0) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on a terminal, where the size is known; else a line. It is told how many bytes there are, of how
    many."""
    if size is None or not sys.stderr.isatty():
        tell(title if size is None else f"{title} ({megabytes(size)}, once)")
        yield lambda done, total: None
        return
    with click.progressbar(length=size, label=title, file=sys.stderr, item_show_func=lambda shown: shown or "") as bar:
        bar.pos = begun

        def show(done: int, total: int | None) -> None:
            bar.length = total or size
            bar.update(done - bar.pos, f"{done / 1e6:.1f}/{bar.length / 1e6:.1f} MB")

        yield show


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e6:.0f} MB"


def tell(line: str) -> None:
    """Say something to whoever waits for a file."""
    sys.stderr.write(f"turnwise: {line}\n")
    sys.stderr.flush()


def put(fresh: Path, path: Path) -> None:
    """Put a file in its place: there it is whole, or it is not there. What it replaces may still be read by others."""
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(fresh, path)
