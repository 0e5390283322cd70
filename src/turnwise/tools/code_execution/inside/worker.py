"""The process inside of a sandbox of bubblewrap, which runs what a model writes, like a notebook does: one piece after
the other, with the variables of the last ones.

It begins with a little more than a sandbox may have, mounts its own working directory, and then confines itself, for
good, before the first piece comes. From there on it is as untrusted as the code that it runs.
"""

import ast
import io
import linecache
import os
import stat
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from types import CodeType, ModuleType

from . import answers, confinement

FOLDER = "/work"
LONGEST_VALUE = 20_000
"""Of the value of a last expression, more letters are not shown."""
LONGEST_ERRORS = 200_000


def main() -> None:
    """Confine the process, say so, and run what comes."""
    line, nowhere = _take_line()
    orders = line.orders()
    begin = next(orders)
    _confine(begin["bounds"])
    line.say(begin)
    notebook = Notebook()
    for order in orders:
        _print_to(line.answers)
        ended = notebook.run(order["code"])
        _print_to(nowhere)  # a thread of the code's may go on printing while files are handed over
        line.say(order, ended)


class Notebook:
    """Runs pieces of code, and knows what the ones before left."""

    def __init__(self) -> None:
        self._main = ModuleType("__main__")
        self._numbers = count(1)

    def run(self, source: str) -> answers.Ended:
        """Run a piece. What it prints, and what went wrong, is printed."""
        sys.modules["__main__"] = self._main
        before = dict(_files())
        sys.stdout, sys.stderr = words, errors = _Output(), io.StringIO()
        failed = self._execute(source, words) or self._save_figures()
        with suppress(ValueError, OSError):  # the code may have closed it
            words.flush()
        behind = errors.getvalue()[-LONGEST_ERRORS:] + failed
        if behind and words.is_amid_line:
            behind = f"\n{behind}"
        os.write(1, behind.encode(errors="replace"))
        return _handed(before, is_error=bool(failed))

    def _execute(self, source: str, words: "_Output") -> str:
        """What went wrong, in words, or nothing."""
        name = f"<code {next(self._numbers)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        try:
            statements, last = _compiled(source, name)
            exec(statements, self._main.__dict__)
            value = eval(last, self._main.__dict__) if last is not None else None
            if value is not None and not words.is_used:
                words.write(repr(value)[:LONGEST_VALUE] + "\n")
        except SystemExit as leaving:
            return "" if leaving.code in (None, 0) else f"SystemExit: {leaving.code}"
        except BaseException as error:
            return _report(error)
        return ""

    def _save_figures(self) -> str:
        """What went wrong, in words, or nothing."""
        figures = sys.modules.get("inside.figures")
        try:
            if figures is not None:
                figures.save_open()
        except BaseException as error:
            return _report(error)
        return ""


class _Output(io.TextIOWrapper):
    """The code's stdout, which knows whether anything was printed, and whether the last line of it has no end."""

    is_used = False
    is_amid_line = False

    def __init__(self) -> None:
        raw = io.FileIO(1, "wb", closefd=False)
        super().__init__(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def write(self, text: str) -> int:
        """Print."""
        self.is_used = True
        if text:
            self.is_amid_line = not text.endswith("\n")
        return super().write(text)


def _compiled(source: str, name: str) -> tuple[CodeType, CodeType | None]:
    """The statements, and the last expression, if it is one."""
    tree = ast.parse(source, name)
    final = tree.body[-1] if tree.body else None
    if not isinstance(final, ast.Expr):
        return compile(tree, name, "exec"), None
    tree.body.pop()
    return compile(tree, name, "exec"), compile(ast.Expression(final.value), name, "eval")


def _report(error: BaseException) -> str:
    """What went wrong, without what is ours of it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


# -- files


def _files() -> Iterator[tuple[str, os.stat_result]]:
    """The regular files in the working directory, by their paths. What is hidden does not count."""
    waiting = [FOLDER]
    while waiting:
        try:
            entries = sorted(os.scandir(waiting.pop()), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith((".", "__pycache__")):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry.path, entry.stat(follow_symlinks=False)


def _handed(before: dict[str, os.stat_result], is_error: bool) -> answers.Ended:
    """What was made, as far as it may be handed over."""
    allowance, files, kept, seen = answers.Allowance(), [], [], set()
    for path, state in _files():
        if state.st_ino in seen or (path in before and _same(before[path], state)):
            continue
        seen.add(state.st_ino)
        name = os.path.relpath(path, FOLDER).encode(errors="replace").decode()
        content = _opened(path) if allowance.covers(state.st_size) else None
        if content is None:
            kept.append(name)
        else:
            files.append(answers.Handed(name, state.st_size, content))
    return answers.Ended(is_error, files, kept)


def _same(before: os.stat_result, now: os.stat_result) -> bool:
    return (before.st_ino, before.st_mtime_ns, before.st_size) == (now.st_ino, now.st_mtime_ns, now.st_size)


def _opened(path: str) -> io.FileIO | None:
    """A file, if it still is a regular one."""
    try:
        file = io.FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
    except OSError:
        return None
    return file if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


# -- the process


def _take_line() -> tuple[answers.Line, int]:
    """Our line from and to turnwise, and a file that swallows what is written into it. Code has nothing to read on
    stdin, and no other file is open."""
    os.closerange(3, 65536)
    orders, out = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    return answers.Line(orders, out), nowhere


def _print_to(file: int) -> None:
    """Have all that is printed go there, whatever the code did to its stdout."""
    os.dup2(file, 1)
    os.dup2(file, 2)


def _confine(bounds: dict[str, int]) -> None:
    """Take what is not the code's, for good. An error ends the process."""
    confinement.find_no_network()
    confinement.mount_folder(FOLDER, bytes=bounds["disk"], entries=bounds["entries"], user=bounds["user"])
    os.nice(bounds["nice"])
    confinement.become(bounds["user"])
    os.chdir(FOLDER)
    confinement.bound(
        memory=bounds["memory"],
        address_space=bounds["address_space"],
        file=bounds["disk"],
        files=bounds["files"],
        threads=bounds["threads"],
        seconds=bounds["processor_seconds"],
    )
    confinement.filter_calls()
    sys.path[:] = [path for path in sys.path if path] + ["/opt/packages", FOLDER]


main()
