"""`turnwise doctor`: what this machine has and lacks, and the one command that adds what is missing."""

import asyncio
import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from turnwise import __version__
from turnwise.data import open_store, require_processes
from turnwise.media import ocr
from turnwise.models.embedding import check_parts
from turnwise.models.sources import LocalFile, is_there, parse_source, parse_speech, place
from turnwise.models.weights import Weights
from turnwise.settings import Settings, SettingsError
from turnwise.tools.code_execution.sandbox import Bounds, Broken
from turnwise.tools.code_execution.tool import CodeExecutionTool
from turnwise.tools.google_search.engines import build_engine


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
    if settings.processes > 1:
        yield _processes(settings)
    yield _sqlite()
    yield _data_dir(settings)
    if settings.is_shared:
        yield _database(settings)
        yield _blobs(settings)
    if any(model.engine == "embedded" for model in settings.models.values()):
        yield _engine()
    yield from _weights(settings)
    yield _ocr(settings)
    yield _speech(settings)
    yield _search(settings)
    yield _file_search(settings)
    yield _url_context(settings)
    yield _code_execution(settings)
    yield _mcp_servers(settings)
    for name, model in settings.models.items():
        yield Finding(f"model '{name}'", model.answerer)


def _processes(settings: Settings) -> Finding:
    """Whether several processes can serve as one, and have a core each."""
    try:
        require_processes(settings)
    except SettingsError as error:
        return Finding("processes", str(error), False)
    cores = os.cpu_count() or 1
    more = "" if settings.processes <= cores else f", which is more than the {cores} cores can make use of"
    return Finding("processes", f"{settings.processes} serve as one{more}", True)


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version_info
    with closing(sqlite3.connect(":memory:")) as connection:
        has_words = ("ENABLE_FTS5",) in connection.execute("PRAGMA compile_options").fetchall()
    shown = sqlite3.sqlite_version if has_words else f"{sqlite3.sqlite_version}, without FTS5"
    return Finding("SQLite", shown, version >= (3, 37) and has_words, "a Python with SQLite 3.37 or later, and FTS5")


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


def _database(settings: Settings) -> Finding:
    """Whether the database that several processes share can be reached, and has the tables of this version."""

    async def look() -> None:
        await (await open_store(settings)).close()

    try:
        asyncio.run(look())
    except SettingsError as error:
        return Finding("PostgreSQL", str(error), False, "see database_url; `turnwise migrate` makes the tables")
    return Finding("PostgreSQL", "reached, and its tables are up to date", True)


def _blobs(settings: Settings) -> Finding:
    """Where processes on several machines have the bytes of files."""
    if settings.files.blobs_url is not None:
        return Finding("files", f"in {settings.files.blobs_url}", True)
    state = "in the data directory, which processes on other machines cannot read"
    return Finding("files", state, None, "set files.blobs_url")


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
        try:
            found = parse_source(source, sha256)
        except ValueError:
            continue  # told of where they are used
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


def _search(settings: Settings) -> Finding:
    """Who searches. Whether they can be reached is not tried: that would tell them something."""
    search, what = settings.tools.google_search, "google_search"
    try:
        engine = build_engine(
            search.engine, url=search.url, key=search.key, index=settings.search_index, seconds=search.seconds
        )
    except ValueError as error:
        return Finding(what, f"off: {error}", False, f"set tools.google_search.{str(error).partition(':')[0]}")
    missing = engine.why_not()
    if missing is None:
        return Finding(what, f"by {search.engine}{f' at {search.url}' if search.url else ''}", True)
    is_chosen = "engine" in search.model_fields_set  # what nobody asked for is not needed by everybody
    return Finding(what, f"off: {missing}", False if is_chosen else None)


def _file_search(settings: Settings) -> Finding:
    """How documents are found."""
    what, name = "file_search", settings.tools.file_search.embeddings
    if name is None:
        return Finding(what, "by words", True)
    try:
        source = parse_source(name)
        check_parts()
    except ValueError as error:
        return Finding(what, f"by words alone: {error}", False, "correct the setting tools.file_search.embeddings")
    return Finding(what, f"by words, and by what they mean with {place(source, settings.weights_dir)}", True)


def _code_execution(settings: Settings) -> Finding:
    """What code runs in. The sandbox is tried out for it."""
    code = settings.tools.code_execution
    what = "code execution"
    tool = CodeExecutionTool(code.sandbox, Bounds(seconds=code.seconds, memory_mib=code.memory_mib))
    try:
        return Finding(what, asyncio.run(tool.describe()), True)
    except Broken as broken:
        reason = str(broken).strip().rpartition("\n")[2]
        remedy = "set tools.code_execution.sandbox to 'auto' or 'monty'" if code.sandbox == "bubblewrap" else ""
        return Finding(what, f"not in a sandbox of {code.sandbox}: {reason}", False, remedy)


def _url_context(settings: Settings) -> Finding:
    """How web pages are read."""
    what, robots = "url_context", settings.tools.url_context.robots
    if robots and importlib.util.find_spec("protego") is None:
        return Finding(what, "off: sites' robots.txt cannot be read; run: pip install 'turnwise[tools]'")
    kept = "sites' robots.txt is kept to" if robots else "sites' robots.txt is not asked for"
    if importlib.util.find_spec("trafilatura") is None:
        return Finding(what, f"on; {kept}; pages are read with their menus: pip install 'turnwise[tools]'")
    return Finding(what, f"on; {kept}", True)


def _mcp_servers(settings: Settings) -> Finding:
    """Whether MCP servers are reached that requests name, which not everybody needs."""
    what = "MCP servers"
    if importlib.util.find_spec("mcp") is None:
        return Finding(what, "not reached: a part is not installed; run: pip install 'turnwise[tools]'")
    private = ", ".join(settings.network.allow)
    return Finding(what, f"reached, on the public internet{f' and at {private}' if private else ' only'}", True)
