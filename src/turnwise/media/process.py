"""Reading happens elsewhere: in child processes with little memory, little time and nothing worth having.

A file is somebody else's, and what reads it is half a million lines of C. So it is read in a process of its own
(`worker.py`), which may crash, hang or eat memory alone: what becomes of it is told to whoever gave the file, and the
next file gets another process. Nothing of our environment goes into it, no pickle comes out of it, and what it says is
checked as what comes from outside is.

Both sides write JSON, a line each. First the child is told its bounds; then each job is answered by a line that says it
is taken, any number of lines that ask for more time, and one that is the answer. Pictures and sounds are left as files
in a folder that they share.
"""

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import orjson
from pydantic import TypeAdapter, ValidationError

import turnwise
from turnwise.domain.content import MediaType
from turnwise.domain.errors import InvalidRequest, TurnwiseError, Unimplemented
from turnwise.media.media import Account, Excerpt, Options
from turnwise.processes import start_process

log = logging.getLogger(__name__)

LONGEST = 6 * 3600.0
"""In seconds: longer no job takes, whatever it asks for."""
LINE = 128 * 1024**2
"""In bytes: longer no answer is."""
EXCERPTS = 1024**3
"""In bytes: more pictures or sounds no job brings."""
LAST_WORDS = 4000
CHUNK = 65536

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TESSDATA_PREFIX", "SYSTEMROOT")
"""What a child is told of our environment. Keys are in others of its variables."""

Task: TypeAlias = Literal["read", "pictures", "as_sound"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much reading may take."""

    seconds: float = 120.0
    """For one file, whatever its options say, beside what a recording asks for."""
    memory_mib: int = 2048
    """For one file."""
    processes: int = 2
    """How many files are read at once."""
    jobs: int = 100
    """How many files a process reads before another one takes its place."""
    idle_seconds: float = 60.0
    """How long a process waits for the next file."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with a file."""

    task: Task
    type: MediaType
    path: Path
    options: Options
    limit: int = 0
    """How many pictures, at most."""


@dataclass(frozen=True, slots=True)
class Left:
    """An excerpt whose bytes were left in the shared folder."""

    file: str
    mime_type: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is nothing: the name of an error of ours, or of none."""

    name: Literal["InvalidRequest", "Unimplemented", "MemoryError", ""]
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child says: one of these."""

    taken: bool = False
    """That it begins."""
    seconds: float | None = None
    """That it needs so many more, from now."""
    account: Account | None = None
    excerpts: tuple[Left, ...] | None = None
    failed: Failed | None = None

    @property
    def is_not_all(self) -> bool:
        """Whether more is to come."""
        return self.taken or self.seconds is not None


_ANSWER = TypeAdapter(Answer)


class Processes:
    """The processes that read: started when they are needed, warm for a while, never used again after a failure."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._free = asyncio.Semaphore(self._bounds.processes)
        self._children: set[_Child] = set()
        self._waiting: list[_Child] = []
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False

    async def read(self, type: MediaType, path: Path, options: Options) -> Account:
        """What a file says.

        Raises:
            InvalidRequest: it cannot be read, takes too much, or whoever read it died of it.
            Unimplemented: a part is not on this machine.
        """
        answer, _ = await self._do(Job("read", type, path, options))
        if answer.account is None:
            raise _gave_up("it said nothing that can be understood")
        return answer.account

    async def pictures(self, type: MediaType, path: Path, options: Options, limit: int) -> Sequence[Excerpt]:
        """At most so many pictures of a file. Raises as `read` does."""
        _, excerpts = await self._do(Job("pictures", type, path, options, limit))
        return excerpts[:limit]

    async def as_sound(self, type: MediaType, path: Path, options: Options) -> Excerpt | None:
        """The sound of a file. Raises as `read` does."""
        _, excerpts = await self._do(Job("as_sound", type, path, options))
        return excerpts[0] if excerpts else None

    async def close(self) -> None:
        """End them all, also those that are reading."""
        self._closed = True
        for child in self._children.copy():
            self._end(child)
        await asyncio.gather(*self._endings)

    async def _do(self, job: Job) -> tuple[Answer, Sequence[Excerpt]]:
        async with self._free:
            child = self._find_waiting() or await self._spawn()
            try:
                while (answer := await child.do(job)) is None:  # it died while it waited, before anybody knew
                    self._end(child)
                    child = self._find_waiting() or await self._spawn()
                excerpts = await child.fetch(answer.excerpts or ())
            except BaseException:  # also when nobody wants the answer any more: it cannot be told to stop
                self._end(child)
                raise
            if answer.failed is not None and answer.failed.name == "MemoryError":
                self._end(child)
            else:
                self._keep(child)
        if answer.failed is not None:
            raise _error(answer.failed, self._bounds)
        return answer, excerpts

    async def _spawn(self) -> "_Child":
        child = await _Child.spawn(self._bounds)
        self._children.add(child)
        return child

    def _find_waiting(self) -> "_Child | None":
        while self._waiting:
            child = self._waiting.pop()
            child.stop_waiting()
            if child.is_alive:
                return child
            self._end(child)
        return None

    def _keep(self, child: "_Child") -> None:
        if self._closed or child.done >= self._bounds.jobs or not child.is_alive:
            self._end(child)
            return
        self._waiting.append(child)
        child.wait(self._bounds.idle_seconds, partial(self._end, child))

    def _end(self, child: "_Child") -> None:
        if child not in self._children:
            return
        self._children.remove(child)
        if child in self._waiting:
            self._waiting.remove(child)
        child.stop_waiting()
        child.kill()
        ending = asyncio.create_task(child.leave())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


class _Child:
    """A process that reads, and the folder that it shares with us."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, bounds: Bounds) -> None:
        self.done = 0
        """How many jobs it has had."""
        self._process = process
        self._folder = folder
        self._bounds = bounds
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())
        self._idle: asyncio.TimerHandle | None = None

    @classmethod
    async def spawn(cls, bounds: Bounds) -> "_Child":
        """A new one, which has been told its bounds."""
        folder = Path(tempfile.mkdtemp(prefix="turnwise-reading-"))
        try:
            process = await start_process(
                *(sys.executable, "-P", "-m", "turnwise.media.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(folder),
                cwd=folder,
                start_new_session=True,  # so that what it starts can be ended with it
                limit=LINE,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        child = cls(process, folder, bounds)
        child._say({"memory_mib": bounds.memory_mib, "folder": str(folder)})
        return child

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def do(self, job: Job) -> Answer | None:
        """Have a job done. None: another process must do it, as this one died before it began, and not of its first.

        Raises:
            InvalidRequest: it took too long, or the process died of it.
        """
        self.done += 1
        seconds = min(job.options.seconds, self._bounds.seconds)
        self._say(_as_said(job))
        loop = asyncio.get_running_loop()
        latest = loop.time() + LONGEST
        try:
            async with asyncio.timeout(seconds) as deadline:
                if self.done > 1 and not await self._is_taken():
                    return None
                while (answer := await self._hear()).is_not_all:
                    if answer.seconds is not None:
                        seconds = answer.seconds
                        deadline.reschedule(min(latest, loop.time() + seconds))
        except TimeoutError:
            raise InvalidRequest(
                f"the file could not be read within {seconds:g} s: give a smaller one, or raise the setting"
                " media.seconds"
            ) from None
        if answer.failed is not None and not answer.failed.name:
            log.warning("reading a %s failed: %s\n%s", job.options.mime_type, answer.failed.message, self._words())
        return answer

    async def fetch(self, left: Sequence[Left]) -> Sequence[Excerpt]:
        """What it left in the folder, which is emptied of it."""
        try:
            return await asyncio.to_thread(self._take_all, left)
        except OSError:
            raise _gave_up("what it brought is not there") from None

    def wait(self, seconds: float, end: Callable[[], None]) -> None:
        """Wait for the next job, and no longer than this."""
        self._idle = asyncio.get_running_loop().call_later(seconds, end)

    def stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def kill(self) -> None:
        """End it at once, and what it started, each by its own id."""
        if self.is_alive:
            with suppress(ProcessLookupError, PermissionError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()

    async def leave(self) -> None:
        """Wait until nothing is left of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        await self._process.wait()
        while await self._process.stdout.read(CHUNK):
            pass  # what nobody wants to know any more
        await self._listening
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _say(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(message) + b"\n")

    async def _is_taken(self) -> bool:
        """Whether it begins with a job. If not, it is no more."""
        assert self._process.stdout is not None
        return bool(await self._process.stdout.readline())

    async def _hear(self) -> Answer:
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
            if line.endswith(b"\n"):
                return _ANSWER.validate_json(line)
        except (ValueError, ValidationError):
            raise _gave_up("it said nothing that can be understood") from None
        raise _gave_up(await self._obituary())

    async def _obituary(self) -> str:
        """What it died of."""
        code = await self._process.wait()
        await self._listening
        log.warning("a process that read a file ended with code %s: %s", code, self._words())
        if code >= 0:
            return f"it ended with code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return "it ran out of time" if name == "SIGXCPU" else f"it died of {name}"

    def _take_all(self, left: Sequence[Left]) -> Sequence[Excerpt]:
        excerpts, room = [], EXCERPTS
        for each in left:
            path = self._folder / Path(each.file).name
            with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
                data = file.read(room + 1)
            path.unlink()
            room -= len(data)
            if room < 0:
                raise _gave_up(f"it brought more than {EXCERPTS} bytes")
            excerpts.append(Excerpt(data, each.mime_type, each.place))
        return excerpts

    def _words(self) -> str:
        return self._last_words.decode(errors="replace").strip()

    async def _listen(self) -> None:
        """Read what it prints, so that it can go on printing."""
        assert self._process.stderr is not None
        while words := await self._process.stderr.read(CHUNK):
            self._last_words = (self._last_words + words)[-LAST_WORDS:]


def _as_said(job: Job) -> dict[str, object]:
    """A job as JSON has it. Paths are absolute, as the child stands in a folder of its own."""
    weights = job.options.speech_weights
    options = {
        "mime_type": job.options.mime_type,
        "ocr": job.options.ocr,
        "speech": job.options.speech,
        "speech_weights": str(weights.absolute()) if weights else None,
        "seconds": job.options.seconds,
    }
    return {
        "task": job.task,
        "type": job.type,
        "path": str(job.path.absolute()),
        "limit": job.limit,
        "options": options,
    }


def _error(failed: Failed, bounds: Bounds) -> TurnwiseError:
    match failed.name:
        case "InvalidRequest":
            return InvalidRequest(failed.message)
        case "Unimplemented":
            return Unimplemented(failed.message)
        case "MemoryError":
            return InvalidRequest(
                f"the file could not be read within {bounds.memory_mib} MiB of memory: give a smaller one, or raise the"
                " setting media.memory_mib"
            )
        case _:
            return _gave_up(failed.message)


def _gave_up(why: str) -> InvalidRequest:
    return InvalidRequest(f"the file could not be read: the reader gave up on it ({why})")


def _environment(folder: Path) -> dict[str, str]:
    """What a child knows of where it is: how to import us, and little else."""
    ours = str(Path(turnwise.__file__).resolve().parent.parent)
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "PYTHONPATH": os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(folder),
        "HOME": str(folder),
        # Each of their threads would reserve memory that it does not use, of which there is little.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
    }
