"""`turnwise doctor`: what this machine has and lacks, and the one command that adds what is missing."""

import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from turnwise import __version__
from turnwise.models.weights import BUILTIN
from turnwise.settings import ModelSettings, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `ok` None: this is only told."""

    what: str
    state: str
    ok: bool | None = None
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that a start with these settings needs, without starting or fetching anything."""
    yield Finding("turnwise", __version__)
    yield Finding("Python", f"{platform.python_version()} at {sys.executable}", sys.version_info >= (3, 11))
    yield Finding("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    yield _sqlite()
    yield _data_dir(settings)
    if any(model.engine == "embedded" for model in settings.models.values()):
        yield _engine()
    if any(model.is_builtin for model in settings.models.values()):
        yield _weights(settings)
    for name, model in settings.models.items():
        yield Finding(f"model '{name}'", describe_model(model))


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version_info
    return Finding("SQLite", sqlite3.sqlite_version, version >= (3, 37), "a Python with SQLite 3.37 or later")


def _data_dir(settings: Settings) -> Finding:
    place = settings.data_dir
    existing = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free // 2**20
    writable = os.access(existing, os.W_OK)
    return Finding(
        "data directory",
        f"{place} ({free} MB free)",
        writable,
        "choose another with --data-dir" if not writable else "",
    )


def _engine() -> Finding:
    if importlib.util.find_spec("xllamacpp") is None:
        return Finding("embedded engine", "not installed", False, "pip install xllamacpp")
    try:
        import xllamacpp
    except ImportError as error:
        return Finding("embedded engine", str(error), False, "apt-get install libgomp1")
    return Finding("embedded engine", f"xllamacpp {xllamacpp.__version__}", True)


def _weights(settings: Settings) -> Finding:
    path = settings.weights_dir / BUILTIN.file
    if path.is_file() and path.stat().st_size == BUILTIN.size:
        return Finding("default model", f"cached at {path}", True)
    return Finding("default model", f"not in {settings.weights_dir}", False, "turnwise pull builtin")


def describe_model(model: ModelSettings) -> str:
    """Who answers to a name, in a few words."""
    if model.engine == "openai":
        return f"openai, {model.model or 'the name that is asked for'} at {model.base_url}"
    return f"embedded, {model.source or 'builtin'}"
