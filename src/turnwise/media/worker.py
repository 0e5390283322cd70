"""The child process that reads files, and nothing else of turnwise. See `process.py` for how it is spoken with.

    python -P -m turnwise.media.worker

It bounds itself before it imports anything that reads files: memory, processor time, files, no core dumps, and where
the kernel lets it, no network. It ends when its stdin does, which is when the parent goes, however it goes.
"""

import importlib
import math
import os
import queue
import shutil
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media.media import Account, Excerpt, Options

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

READERS = {"image": "images", "audio": "audio", "video": "video", "document": "documents"}
"""Which file of this folder reads which type. It is imported when the first such file comes."""

LIBRARIES_MIB = 1024
"""What the libraries take of the address space beside what they read. Measured: 513 MB with all of them imported, and
1,233 MB at the most while rapidocr reads a page of 12 megapixels."""
FILE_BYTES = 1024**3
OPEN_FILES = 256
GRACE = 10.0
"""Seconds of processor time above what a job may take: the parent is to notice first, as it can say why."""

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
"""As `unshare` has them."""


def main() -> None:
    jobs, answers = _private_pipes()
    bounds = orjson.loads(jobs.readline() or b"null")
    if bounds is None:
        return
    _confine()
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs, waiting, bounds["folder"]), daemon=True).start()
    worker = Worker(Path(bounds["folder"]), bounds["memory_mib"], answers)
    while True:
        worker.do(waiting.get())


class Worker:
    """Does jobs, one after the other."""

    def __init__(self, folder: Path, memory_mib: int, answers: BinaryIO) -> None:
        self._folder = folder
        self._memory_mib = memory_mib
        self._answers = answers
        self._numbers = count()

    def do(self, job: dict[str, Any]) -> None:
        """Do a job, and answer it whatever happens."""
        try:
            self._say({"taken": True})
            self._bound(job)
            self._say(self._result(job))
        except (InvalidRequest, Unimplemented) as error:
            name = "InvalidRequest" if isinstance(error, InvalidRequest) else "Unimplemented"
            self._fail(name, error.message)
        except MemoryError:
            self._fail("MemoryError", "")
        except ModuleNotFoundError as error:
            self._fail("Unimplemented", _missing(job["type"], error.name or str(error)))
        except Exception as error:  # whatever it is, the parent has to be told
            traceback.print_exc()
            self._fail("", f"{type(error).__name__}: {error}"[:500])

    def _result(self, job: dict[str, Any]) -> dict[str, Any]:
        path, options = Path(job["path"]), self._options(job["options"])
        reader = importlib.import_module(f"turnwise.media.{READERS[job['type']]}")
        match job["task"]:
            case "read":
                account: Account = reader.read(path, options)
                return {"account": account}
            case "pictures":
                return {"excerpts": self._leave(reader.pictures(path, job["limit"], options))}
            case _:
                sound = importlib.import_module("turnwise.media.audio").as_sound(path, options.mime_type)
                return {"excerpts": self._leave([sound] if sound is not None else [])}

    def _options(self, given: dict[str, Any]) -> Options:
        weights = given.pop("speech_weights")
        options = Options(**given, speech_weights=Path(weights) if weights else None)
        return replace(options, more_time=self._ask_for_time)

    def _ask_for_time(self, seconds: float) -> None:
        _bound_time(seconds)
        self._say({"seconds": seconds})

    def _bound(self, job: dict[str, Any]) -> None:
        _bound_time(job["options"]["seconds"])
        weights = job["options"]["speech_weights"]
        listens = job["type"] in ("audio", "video") and job["task"] == "read" and weights
        _bound_memory((self._memory_mib + LIBRARIES_MIB) * 1024**2 + (2 * os.path.getsize(weights) if listens else 0))

    def _leave(self, excerpts: Sequence[Excerpt]) -> list[dict[str, str]]:
        """Leave bytes in the folder."""
        left = []
        for excerpt in excerpts:
            name = str(next(self._numbers))
            (self._folder / name).write_bytes(excerpt.data)
            left.append({"file": name, "mime_type": excerpt.mime_type, "place": excerpt.place})
        return left

    def _fail(self, name: str, message: str) -> None:
        self._say({"failed": {"name": name, "message": message}})

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(orjson.dumps(answer) + b"\n")
        self._answers.flush()


def _missing(type: str, package: str) -> str:
    return f"{type} files cannot be read: the package '{package}' is not installed; run: pip install 'turnwise[media]'"


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our lines from and to the parent. Libraries may read and print what they like: there is nothing to read, and
    what they print goes to stderr."""
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, answers


def _listen(jobs: BinaryIO, waiting: "queue.SimpleQueue[Any]", folder: str) -> None:
    """Take jobs, and leave with the parent, also out of the middle of one."""
    for line in jobs:
        waiting.put(orjson.loads(line))
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _confine() -> None:
    """Take from ourselves what no job needs."""
    if resource is not None:
        for limit, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, FILE_BYTES),
            (resource.RLIMIT_NOFILE, OPEN_FILES),
        ):
            _set_limit(limit, most, hard=True)
    if sys.platform == "linux":
        with suppress(OSError):  # should memory run out, let it be us
            Path("/proc/self/oom_score_adj").write_text("1000")
        _leave_network()


def _leave_network() -> None:
    """Have a network of our own, without anything in it. Not every kernel lets every user do that."""
    import ctypes

    with suppress(OSError, AttributeError):
        unshare: Callable[[int], int] = ctypes.CDLL(None).unshare
        if unshare(NEW_NETWORK) != 0:
            unshare(NEW_USER | NEW_NETWORK)


def _bound_memory(bytes: int) -> None:
    if resource is not None and hasattr(resource, "RLIMIT_AS"):
        _set_limit(resource.RLIMIT_AS, bytes)


def _bound_time(seconds: float) -> None:
    """So many seconds from now, on all cores at once."""
    if resource is not None:
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        _set_limit(resource.RLIMIT_CPU, math.ceil(used + (seconds + GRACE) * (os.cpu_count() or 1)))


def _set_limit(limit: int, most: int, *, hard: bool = False) -> None:
    highest = resource.getrlimit(limit)[1]
    if highest != resource.RLIM_INFINITY:
        most = min(most, highest)
    with suppress(OSError, ValueError):  # some systems know a limit by name only
        resource.setrlimit(limit, (most, most if hard else highest))


if __name__ == "__main__":
    main()
