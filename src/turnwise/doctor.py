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
from turnwise.media import ocr
from turnwise.models.sources import LocalFile, is_there, parse_source, parse_speech, place
from turnwise.models.weights import Weights
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
    yield from _weights(settings)
    yield _ocr(settings)
    yield _speech(settings)
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


def _weights(settings: Settings) -> Iterator[Finding]:
    """Each file of weights once, if it is one that is fetched."""
    for source, sha256 in settings.weights:
        found = parse_source(source, sha256)
        if isinstance(found, LocalFile):
            continue
        what = "default model" if isinstance(found, Weights) else f"weights {found.place}"
        if is_there(found, settings.weights_dir):
            yield Finding(what, f"cached at {place(found, settings.weights_dir)}", True)
        else:
            yield Finding(what, f"not in {settings.weights_dir}", False, f"turnwise pull {source}")


def _ocr(settings: Settings) -> Finding:
    """Who reads text in pictures, which not everybody needs."""
    engine = settings.media.ocr
    return Finding("text in pictures", ocr.describe(engine) or f"not read: {ocr.why_not(engine)}")


def _speech(settings: Settings) -> Finding:
    """Whether speech is written down, which not everybody needs."""
    name, what = settings.media.speech, "speech in recordings"
    if any(importlib.util.find_spec(package) is None for package in ("av", "pywhispercpp")):
        return Finding(what, "not heard: a part is not installed; run: pip install 'turnwise[media]'")
    try:
        source = parse_speech(name)
    except ValueError as error:
        return Finding(what, f"not heard: {error}", False, "correct the setting media.speech")
    if not is_there(source, settings.weights_dir):
        return Finding(what, f"not heard: the weights '{name}' are not there; run: turnwise pull {name}")
    return Finding(what, f"heard, with {place(source, settings.weights_dir)}", True)


def describe_model(model: ModelSettings) -> str:
    """Who answers to a name, in a few words."""
    who = f"embedded, {model.source or 'builtin'}"
    if model.engine != "embedded":
        where = f" at {model.base_url}" if model.base_url else ""
        who = f"{model.engine}, {model.model or 'the name that is asked for'}{where}"
    others = ", ".join(f"'{name}'" for name in model.fallback)
    return f"{who}; else {others}" if others else who
