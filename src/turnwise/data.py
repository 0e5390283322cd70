"""The data directory: made for its owner alone, served from by one process at a time, and its store opened or refused
in words that a person can act on.
"""

import asyncio
import logging
import os
import platform
import secrets
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from turnwise.settings import Settings, SettingsError
from turnwise.store.blobs import DiskBlobs
from turnwise.store.errors import DatabaseRefused, DatabaseUnavailable, OlderDatabase, StoreError
from turnwise.store.migrate import migrate_postgres
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import BlobStore, Store

log = logging.getLogger("turnwise.store")

SEALING = "sealing"
"""The name of the secret that thoughts are sealed with."""

LOOKS = 0.5
"""Seconds between two looks at a database that is not ready."""


def make_data_dir(settings: Settings) -> None:
    """Make it, if it is not there. It holds conversations: nobody else may look.

    Raises:
        SettingsError: it cannot be made.
    """
    for folder in (settings.data_dir, settings.database_path.parent):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"data_dir: {folder} cannot be made: {error.strerror}; choose another place") from error


@contextmanager
def alone(database: Path) -> Iterator[int]:
    """Serve a database alone: a second server would take the first one's runs for those of a dead process. The system
    frees the lock of a process that dies, and of all that have inherited its descriptor, which this is.

    Raises:
        SettingsError: another server has it, or it cannot be locked.
    """
    path = database.with_name(f"{database.name}.lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"data_dir: {path} cannot be written: {error.strerror}; choose another place") from error
    try:
        if not _try_lock(lock):
            raise SettingsError(f"another turnwise is serving from {database.parent}; stop it, or choose another place")
        yield lock
    finally:
        os.close(lock)


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


def sealing_key(settings: Settings) -> bytes:
    """The 32 bytes that thoughts are sealed with, made when they are first asked for. Whoever loses them cannot send
    thoughts back that were sealed with them.

    Raises:
        SettingsError: they cannot be read or written, or are not what they should be.
    """
    path = settings.data_dir / "sealing.key"
    try:
        if not path.exists():
            _write_whole(path, os.urandom(32))
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"data_dir: {path} cannot be used: {error.strerror}; choose another place") from error
    if len(key) != 32:
        raise SettingsError(f"{path} is not a sealing key of 32 bytes; put back what was there, or remove it")
    return key


def _write_whole(path: Path, data: bytes) -> None:
    """Make a file for its owner alone, which is there with all of its data or not at all. One that is there stays."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()


def empty_folder(folder: Path) -> Path:
    """A folder with nothing in it: what a process that was killed left there is removed.

    Raises:
        SettingsError: it cannot be made, or emptied.
    """
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise SettingsError(f"the folder {folder} cannot be made, or emptied: {error}") from error
    return folder


@contextmanager
def alone_with_children(settings: Settings) -> Iterator[Sequence[int]]:
    """The right to serve from a store, for the processes that this one starts: descriptors that they are to inherit. A
    store that several servers share needs none.

    Raises:
        SettingsError: another server has the store, or the folder for the processes' own cannot be emptied.
    """
    if settings.is_shared:
        yield ()
        return
    with alone(settings.database_path) as lock:
        empty_folder(settings.scratch_dir)
        yield (lock,)


@contextmanager
def working_folder(settings: Settings, *, number: int | None = None) -> Iterator[Path]:
    """A folder where files stand as long as they are looked at, and the right to serve from the store that goes with
    it: alone, or, where several processes share a store, beside others, each of which has a folder of its own.
    `number`: which of the processes of one server this is, whose parent has the right.

    Raises:
        SettingsError: it cannot be made, or another server has the store.
    """
    if settings.is_shared:
        with _folder_beside_others(settings.scratch_dir) as own:
            yield own
    elif number is not None:
        yield empty_folder(settings.scratch_dir / f"process-{number}")
    else:
        with alone(settings.database_path):
            yield empty_folder(settings.scratch_dir)


@contextmanager
def _folder_beside_others(folder: Path) -> Iterator[Path]:
    """One of several folders, each of which has a lock beside it that is held as long as its process lives. What dead
    ones left is removed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for lock in folder.glob("[0-9]*.lock"):
        left = lock.with_suffix("")
        with suppress(SettingsError), alone(left):  # unless its process lives
            shutil.rmtree(left, ignore_errors=True)
            lock.unlink(missing_ok=True)
    own = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
    new, lock = folder / f"new-{own.name}.lock", folder / f"{own.name}.lock"
    with alone(new.with_suffix("")):
        new.rename(lock)  # nobody sees it before it is held
        try:
            yield empty_folder(own)
        finally:
            shutil.rmtree(own, ignore_errors=True)
            lock.unlink(missing_ok=True)


async def open_store(
    settings: Settings, *, migrate: bool = False, patience: float = 0.0, in_turns: bool = False
) -> Store:
    """The store that the settings name. Other processes may have it open too. `in_turns`: they write to it as much as
    this one does.

    A SQLite file is brought up to date by whoever opens it. A database of PostgreSQL is so only if `migrate` says it:
    by `turnwise migrate`, and by `turnwise serve`, which is all that somebody with one machine needs. Where there are
    many processes of several versions, one of them must not change the tables under the others. So those wait, for as
    long as `patience` says, in seconds, until somebody has done it; as they wait for a server that is just starting.

    Raises:
        SettingsError: it cannot be opened.
    """
    if settings.is_shared:
        return await _open_postgres(str(settings.database_url), migrate, patience)
    try:
        return await open_sqlite(settings.database_path, in_turns=in_turns)
    except StoreError as error:
        raise SettingsError(error.message) from error
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"the database {settings.database_path} cannot be opened: {error}") from error


async def _open_postgres(url: str, migrate: bool, patience: float) -> Store:
    try:
        from turnwise.store.postgres import open_postgres
    except ImportError as error:
        raise SettingsError(
            "database_url: PostgreSQL needs asyncpg, which is not installed: pip install 'turnwise[postgres]'"
        ) from error
    until, waiting = time.monotonic() + patience, False
    while True:
        try:
            try:
                return await open_postgres(url)
            except OlderDatabase:
                if not migrate:
                    raise
            await migrate_postgres(url)
        except (DatabaseUnavailable, OlderDatabase) as error:
            if isinstance(error, DatabaseRefused) or time.monotonic() > until:
                raise SettingsError(f"database_url: {error.message}") from error
            if not waiting:
                log.warning("waiting: %s", error.message)
            waiting = True
        except StoreError as error:
            raise SettingsError(f"database_url: {error.message}") from error
        await asyncio.sleep(min(LOOKS, patience))


def require_shared(settings: Settings, command: str) -> None:
    """See to it that a process of several has a store that several can serve from.

    Raises:
        SettingsError: it has not.
    """
    if not settings.is_shared:
        raise SettingsError(
            f"database_url: `turnwise {command}` is one process of several, which share a store on PostgreSQL; set "
            "postgresql://..., or use `turnwise serve`, which is all in one"
        )


def require_processes(settings: Settings) -> None:
    """See to it that several processes can serve as one on this system, if they are to.

    Raises:
        SettingsError: they cannot.
    """
    if settings.processes > 1 and not hasattr(socket, "send_fds"):
        raise SettingsError(
            f"processes: {settings.processes} processes cannot share a port on {platform.system()}; leave it out, or "
            "use PostgreSQL and several `turnwise api`"
        )


async def load_sealing_key(settings: Settings, store: Store) -> bytes:
    """What thoughts are sealed with: as it is set; or, where several processes share a store, a secret of that store;
    else a file in the data directory.

    Raises:
        SettingsError: it cannot be read or written, or is not what it should be.
    """
    if settings.sealing_key is not None:
        return bytes.fromhex(settings.sealing_key)
    if settings.is_shared:
        return await store.secret(SEALING, os.urandom(32))
    return sealing_key(settings)


async def open_blobs(settings: Settings, *, shared: bool = False) -> BlobStore:
    """Where the bytes of files are kept: in the data directory, unless the settings name an object store. `shared`:
    other processes write there too.

    Raises:
        SettingsError: it cannot be opened.
    """
    url = settings.files.blobs_url
    if url is None:
        folder = settings.data_dir / "blobs"
        if settings.is_shared:
            log.warning("files are in %s, where only processes of this machine find them: set files.blobs_url", folder)
        try:
            return DiskBlobs(folder, shared=shared)
        except OSError as error:
            raise SettingsError(f"the folder {folder} cannot be made: {error}") from error
    try:
        from turnwise.store.s3 import open_s3
    except ImportError as error:
        raise SettingsError(
            "files.blobs_url: an object store needs obstore, which is not installed: pip install 'turnwise[s3]'"
        ) from error
    try:
        return await open_s3(url, settings.files.blobs_endpoint)
    except (ValueError, StoreError) as error:
        raise SettingsError(f"files.blobs_url: {error}") from error
