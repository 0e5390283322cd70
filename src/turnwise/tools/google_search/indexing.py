"""How documents come into the index: a folder is looked through, and what is new or changed in it is read.

What has the size and the time that it had is taken for unchanged. What has not is read only if its bytes are others.
What is gone is taken out. So it costs little to do it again, and one that was broken off goes on where it was.

Files and folders whose names begin with a dot are left out, and so are links.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Protocol

from turnwise.domain.errors import TurnwiseError
from turnwise.tools.google_search.chunks import Chunk, Passage, cut, first_heading
from turnwise.tools.google_search.index import Entry, Folder, Index, Known

WITH_HEADINGS = frozenset({"text/markdown", "text/html", "application/xhtml+xml"})
"""What is read as Markdown. The readers make it of web pages."""

AT_ONCE = 4
"""How many files are read side by side."""

TOGETHER = 100
"""How many documents are written in one transaction, if they come fast."""

MUCH = 50
"""So many changes are worth tidying up behind."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says."""

    title: str
    """Empty: it does not say."""
    passages: Sequence[Passage]


class Reader(Protocol):
    """Whoever reads files."""

    def identify(self, path: Path) -> str:
        """The media type of a file, by its bytes.

        Raises:
            TurnwiseError: it is nothing that can be read.
        """

    async def read(self, path: Path, mime_type: str, size: int, sha256: str) -> Reading:
        """What it says.

        Raises:
            TurnwiseError: it cannot be read.
        """


@dataclass(slots=True)
class Report:
    """What became of a folder."""

    folder: Folder
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    unread: dict[str, list[str]] = field(default_factory=dict)
    """The files that could not be read, by the reason."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the folder, as it is now."""

    path: str
    size: int
    mtime: int


class FolderRefused(Exception):
    """A folder cannot be indexed. `message` says why, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def add_folder(index: Index, path: Path, *, name: str | None = None, url: str | None = None) -> Folder:
    """Make a folder one that is indexed. What is None is as it was, or by default the folder's own name and no address.

    Raises:
        FolderRefused: it is not there, or inside or around another one, or its name is taken.
    """
    folder = path.resolve()
    if not folder.is_dir():
        raise FolderRefused(f"there is no folder at {path}")
    known = index.folders()
    before = next((one for one in known if one.path == folder), None)
    for one in known:
        if one.path != folder and (one.path.is_relative_to(folder) or folder.is_relative_to(one.path)):
            raise FolderRefused(
                f"{folder} and {one.path}, which is indexed, lie one in the other: index the outer one alone; "
                f"`turnwise index --forget {one.path}` takes this one out"
            )
    called = name or (before.name if before else folder.name) or "documents"
    if taken := next((one for one in known if one.name == called and one.path != folder), None):
        raise FolderRefused(f"{taken.path} is called '{called}' already; give this one another name with --name")
    _check_words(called, url)
    id = index.keep_folder(folder, called, url if url is not None else before.url if before else None)
    return next(one for one in index.folders() if one.id == id)


def find_folder(index: Index, path: Path) -> Folder:
    """A folder that is indexed, which need not be there any more.

    Raises:
        FolderRefused: it is not indexed.
    """
    for one in index.folders():
        if one.path in (path.resolve(), path.absolute()):
            return one
    raise FolderRefused(f"{path} is not indexed; `turnwise index` tells what is")


async def update(
    index: Index, folder: Folder, reader: Reader, progress: Callable[[int, int], None] = lambda done, of: None
) -> Report:
    """Bring the index up to date with a folder.

    `progress` is told how many files were looked at, and how many there are.

    Raises:
        FolderRefused: the folder is not there.
    """
    if not folder.path.is_dir():
        raise FolderRefused(
            f"there is no folder at {folder.path}; `turnwise index --forget {folder.path}` takes it out of the index"
        )
    report = Report(folder)
    files = await asyncio.to_thread(_look_through, folder.path, report)
    known = index.documents(folder.id)
    work = _Work(index, folder, reader, report)
    there = {file.path for file in files}
    gone = [document.id for path, document in known.items() if path not in there]
    index.remove(gone)
    report.removed = len(gone)
    changed = [file for file in files if not _is_unchanged(file, known.get(file.path))]
    report.unchanged = len(files) - len(changed)
    done = report.unchanged
    progress(done, len(files))
    async with aclosing(_side_by_side(work.look(file, known.get(file.path)) for file in changed)) as finished:
        async for entry in finished:
            done += 1
            work.take(entry)
            progress(done, len(files))
    work.write()
    if report.added + report.changed + report.removed >= MUCH:
        index.tidy()
    return report


def _check_words(name: str, url: str | None) -> None:
    if "/" in name or not name.isprintable():
        raise FolderRefused(f"'{name}' cannot be a folder's name here: it must be printable, and without '/'")
    if url and not url.startswith(("http://", "https://", "file:///")):
        raise FolderRefused(f"--url: '{url}' is no address; it begins with http://, https:// or file:///")


def _look_through(root: Path, report: Report) -> list[_File]:
    return sorted(_files(root, "", report), key=lambda file: file.path)


def _files(folder: Path, before: str, report: Report) -> Iterator[_File]:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        report.unread.setdefault(_reason(error), []).append(before or ".")
        return
    for entry in entries:
        path = f"{before}{entry.name}"
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        try:
            path.encode()
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path), f"{path}/", report)
                continue
            stat = entry.stat(follow_symlinks=False)
        except UnicodeEncodeError:
            name = path.encode(errors="surrogateescape").decode(errors="replace")
            report.unread.setdefault("its name is not valid UTF-8", []).append(name)
            continue
        except OSError as error:
            report.unread.setdefault(_reason(error), []).append(path)
            continue
        if S_ISREG(stat.st_mode):
            yield _File(path, stat.st_size, stat.st_mtime_ns)


def _reason(error: OSError) -> str:
    return (error.strerror or "it cannot be opened").lower()


def _is_unchanged(file: _File, known: Known | None) -> bool:
    return known is not None and (known.size, known.mtime) == (file.size, file.mtime)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look at a file came to. With neither of these it says what it said."""

    file: _File
    known: Known | None
    entry: Entry | None = None
    why_not: str = ""


class _Work:
    """Reads the files of one folder, and writes what they say, many at a time."""

    def __init__(self, index: Index, folder: Folder, reader: Reader, report: Report) -> None:
        self._index = index
        self._folder = folder
        self._reader = reader
        self._report = report
        self._entries: list[Entry] = []

    async def look(self, file: _File, known: Known | None) -> _Looked:
        """Read a file, if it says something else than it said."""
        path = self._folder.path / file.path
        try:
            mime_type = await asyncio.to_thread(self._reader.identify, path)
            sha256 = await asyncio.to_thread(_sha256, path)
            if known is not None and known.sha256 == sha256:
                return _Looked(file, known)
            reading = await self._reader.read(path, mime_type, file.size, sha256)
        except TurnwiseError as error:
            return _Looked(file, known, why_not=error.message)
        except OSError as error:
            return _Looked(file, known, why_not=_reason(error))
        chunks = list(cut(reading.passages, is_markdown=mime_type.partition(";")[0] in WITH_HEADINGS)) or [Chunk("")]
        title = reading.title or first_heading(chunks) or Path(file.path).name
        return _Looked(file, known, Entry(file.path, file.size, file.mtime, sha256, title, chunks))

    def take(self, looked: _Looked) -> None:
        """Write what a file says, soon."""
        file, known = looked.file, looked.known
        if looked.entry is not None:
            self._entries.append(looked.entry)
            self._report.added += known is None
            self._report.changed += known is not None
            if len(self._entries) >= TOGETHER:
                self.write()
        elif looked.why_not:
            self._report.unread.setdefault(looked.why_not, []).append(file.path)
            if known is not None:
                self._index.remove([known.id])
                self._report.removed += 1
        elif known is not None:
            self._index.touch(known.id, file.size, file.mtime)
            self._report.unchanged += 1

    def write(self) -> None:
        """Write what was taken and not yet written."""
        entries, self._entries = self._entries, []
        self._index.put(self._folder.id, entries)


async def _side_by_side(works: Iterable[Awaitable[_Looked]]) -> AsyncGenerator[_Looked, None]:
    """What each comes to, as soon as it does, a few at a time."""
    waiting = iter(works)
    running: set[asyncio.Future[_Looked]] = set()
    try:
        while True:
            while len(running) < AT_ONCE and (work := next(waiting, None)) is not None:
                running.add(asyncio.ensure_future(work))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in running:
            future.cancel()
        if running:
            await asyncio.wait(running)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
