"""The process that holds Monty, an interpreter of Python's language in Rust, which has no way to anything outside.

    python -P -m turnwise.tools.code_execution.inside.monty_worker

Monty has a process of its own, and this is another one before it: what code hands over is made into objects of Python's
here, which can cost any amount of memory. The files that code writes are kept in memory.
"""

import io
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, NoReturn

from pydantic_monty import MemoryFile, Monty, MontyCrashedError, MontyError, MontyFileHandle, OSAccess

from turnwise.tools.code_execution.inside import answers

FOLDER = PurePosixPath("/work")
LONGEST_VALUE = 20_000
"""Of the value of a last expression, more letters are not shown."""
MOST_CALLS = 1_000_000
"""How often code may ask for the time, a file and the like, in all."""
GONE = 1.0
"""Seconds between two looks at whether turnwise is still there."""
GRACE = 5.0
"""Seconds above what a piece of code may take: turnwise is to notice first, as it can say why."""


def main() -> None:
    """Start Monty, say so, and run what comes."""
    line = _take_line()
    orders = line.orders()
    begin = next(orders)
    bounds = begin["bounds"]
    _bound(bounds["memory"] + bounds["address_space"])
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        _serve(line, begin, orders)
    finally:
        shutil.rmtree(os.getcwd(), ignore_errors=True)  # nobody else does, when turnwise was killed


def _serve(line: answers.Line, begin: dict[str, Any], orders: Iterator[dict[str, Any]]) -> None:
    """Run what comes until nothing more does, or nobody is there to be told."""
    bounds = begin["bounds"]
    with (
        Monty(min_processes=1, max_processes=1) as pool,
        pool.checkout(
            limits={
                "max_feed_duration_secs": bounds["seconds"] + GRACE,
                "max_memory": bounds["memory"],
                "max_suspensions": MOST_CALLS,
            },
            os_policy={"sleep": "system", "sleep_system_max": bounds["seconds"] + GRACE},
        ) as session,
    ):
        line.say(begin)
        files = Files(bounds["disk"], bounds["entries"])
        for order in orders:
            line.say(order, _run(session, order["code"], files))


class Files(OSAccess):
    """The files of the code, in memory: so many bytes and so many of them."""

    def __init__(self, bytes: int, entries: int) -> None:
        super().__init__([MemoryFile(FOLDER / ".keep", b"")], root_dir=FOLDER)
        self._bytes = bytes
        self._entries = entries
        self._made = 0
        self._sizes: dict[str, int] = {}
        self.changed: set[str] = set()
        """The paths that were written to since somebody last looked."""

    def path_open(self, path: PurePosixPath, mode: str) -> MontyFileHandle:
        if "r" not in mode and not self.path_exists(path):
            self._count(path)
        if "w" in mode:
            self._grow(path, 0)
        return super().path_open(path, mode)

    def path_mkdir(self, path: PurePosixPath, parents: bool, exist_ok: bool) -> None:
        self._count(path)
        super().path_mkdir(path, parents, exist_ok)

    def path_write_text(self, path: PurePosixPath | MontyFileHandle, data: str) -> int:
        self._grow(path, len(data.encode()))
        return super().path_write_text(path, data)

    def path_write_bytes(self, path: PurePosixPath | MontyFileHandle, data: bytes) -> int:
        self._grow(path, len(data))
        return super().path_write_bytes(path, data)

    def path_append_text(self, path: PurePosixPath | MontyFileHandle, data: str) -> int:
        self._grow(path, len(data.encode()), behind=True)
        return super().path_append_text(path, data)

    def path_append_bytes(self, path: PurePosixPath | MontyFileHandle, data: bytes) -> int:
        self._grow(path, len(data), behind=True)
        return super().path_append_bytes(path, data)

    def path_rename(self, path: PurePosixPath, target: PurePosixPath) -> None:
        super().path_rename(path, target)
        self._sizes[str(target)] = self._sizes.pop(str(path), 0)
        self.changed.add(str(target))

    def path_unlink(self, path: PurePosixPath) -> None:
        super().path_unlink(path)
        self._sizes.pop(str(path), None)

    def take_changed(self) -> Iterator[tuple[str, bytes]]:
        """What was written since somebody last looked, and is still there, by its path in the working directory."""
        changed, self.changed = sorted(self.changed), set()
        for path in changed:
            place = PurePosixPath(path)
            if place.is_relative_to(FOLDER) and self.path_is_file(place) and not place.name.startswith("."):
                yield str(place.relative_to(FOLDER)), self.path_read_bytes(place)

    def _count(self, path: PurePosixPath) -> None:
        self._made += 1
        if self._made > self._entries:
            raise OSError(f"[Errno 28] No space left on device: {str(path)!r}")

    def _grow(self, path: PurePosixPath | MontyFileHandle, size: int, behind: bool = False) -> None:
        name = str(path) if isinstance(path, PurePosixPath) else path.path
        before = self._sizes.get(name, 0)
        if name not in self._sizes:
            self._count(PurePosixPath(name))
        if sum(self._sizes.values()) - (0 if behind else before) + size > self._bytes:
            raise OSError(f"[Errno 28] No space left on device: {name!r}")
        self._sizes[name] = before + size if behind else size
        self.changed.add(name)


def _run(session: Any, source: str, files: Files) -> answers.Ended:
    """Run a piece. What it prints, and what went wrong, is printed."""
    words = Words()
    is_error, is_over = True, False
    try:
        value = session.feed_run(source, print_callback=words.take, os=files, cwd=str(FOLDER))
        if value is not None and not words.is_used:
            words.take("stdout", repr(value)[:LONGEST_VALUE] + "\n")
        is_error = False
    except MontyCrashedError:
        raise  # there is nothing left to go on with
    except MontyError as error:
        words.take("stderr", error.display() if hasattr(error, "display") else str(error))
        is_over = isinstance(error.exception(), MemoryError) and not _lives(session)
    except RecursionError:
        words.take("stderr", "RecursionError: the last value is nested too deeply to be shown")
    words.end()
    if is_over:
        _die()
    return _handed(files, is_error)


def _lives(session: Any) -> bool:
    """Whether Monty goes on. It may have ended when memory ran out, and all that it held with it."""
    try:
        session.feed_run("None")
    except RuntimeError:
        return False
    return True


class Words:
    """What code prints: what went wrong comes behind the rest."""

    def __init__(self) -> None:
        self.is_used = False
        """Whether anything was printed."""
        self._is_amid_line = False
        self._errors: list[str] = []

    def take(self, stream: str, text: str) -> None:
        """Something is printed."""
        if stream == "stderr":
            self._errors.append(text)
            return
        self.is_used = True
        self._is_amid_line = not text.endswith("\n")
        _print(text)

    def end(self) -> None:
        """Nothing more is."""
        behind = "".join(self._errors)
        if behind and self._is_amid_line:
            behind = f"\n{behind}"
        _print(behind)


def _handed(files: Files, is_error: bool) -> answers.Ended:
    allowance, handed, kept = answers.Allowance(), [], []
    for name, content in files.take_changed():
        if allowance.covers(len(content)):
            handed.append(answers.Handed(name, len(content), io.BytesIO(content)))
        else:
            kept.append(name)
    return answers.Ended(is_error, handed, kept)


def _print(text: str) -> None:
    view = memoryview(text.encode(errors="backslashreplace"))
    while view:
        view = view[os.write(1, view) :]


def _take_line() -> answers.Line:
    """Our line from and to turnwise. Monty gets no part of it."""
    orders = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return answers.Line(orders, 1)


def _leave_with_parent() -> None:
    """End when turnwise was killed, and Monty too, which would compute on, with nothing left behind."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(GONE)
    shutil.rmtree(os.getcwd(), ignore_errors=True)
    _die()


def _die() -> NoReturn:
    """End, with all of our group, in the way of a process that the system ends for its memory."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _bound(memory: int) -> None:
    """Use no more memory than this, nor may Monty; leave no core; and be the first to go when memory runs out."""
    with suppress(ImportError):  # not on Windows
        import resource

        for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
            resource.setrlimit(limit, (most, most))
    if sys.platform == "linux":
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")


if __name__ == "__main__":
    main()
