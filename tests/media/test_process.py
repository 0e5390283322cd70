"""Reading in processes of their own: what it costs them, and what is left when one of them dies. Nothing is staged:
files are bad as files are, and processes are ended by their ids."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from media.makers import pdf, pdf_without_end, picture, png_of_nothing, recording
from media.speaker import write_weights
from support import until, within
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media.media import Options
from turnwise.media.process import Bounds, Processes

PDF, PNG, TEXT, WAV = (Options(mime_type) for mime_type in ("application/pdf", "image/png", "text/plain", "audio/wav"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


def children() -> list[int]:
    """Our processes that read."""
    ours = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for tasks in ours for pid in tasks.read_text().split()]
    return [pid for pid in pids if b"turnwise.media.worker" in command_of(pid)]


def command_of(pid: int) -> bytes:
    """How a process was started, if it is still there."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def is_there(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return False


def processor_seconds(pid: int) -> float:
    """What a process has worked so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def environment_of(pid: int) -> bytes:
    """The variables that a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def children_of(pid: int) -> list[int]:
    """The processes that another one started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def folder_of(pid: int) -> Path:
    """What a process shares with us."""
    return Path(os.readlink(f"/proc/{pid}/cwd"))


@pytest.fixture
async def processes() -> AsyncIterator[Processes]:
    """Two processes, ended behind the test; and then none of them is left."""
    made = Processes(Bounds())
    yield made
    await within(made.close())
    assert children() == []


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_text("Hello")
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A PDF that nobody ever has read."""
    path = tmp_path / "endless"
    path.write_bytes(pdf_without_end())
    return path


async def until_at_work(count: int = 1) -> list[int]:
    """Wait until so many processes are reading, and are past their start."""
    await until(lambda: len(children()) == count and all(processor_seconds(pid) > 0.3 for pid in children()))
    return children()


async def test_a_file_is_read_by_a_process_that_stays_for_the_next(processes: Processes, text: Path) -> None:
    assert (await processes.read("document", text, TEXT)).passages[0].text == "Hello"
    first = children()
    await processes.read("document", text, TEXT)
    assert children() == first
    assert len(first) == 1


async def test_no_process_is_started_before_it_is_needed(processes: Processes) -> None:
    assert children() == []


async def test_pictures_and_sounds_come_as_bytes_and_leave_nothing_behind(processes: Processes, tmp_path: Path) -> None:
    pages = pdf(tmp_path / "pdf", [["One"], ["Two"], ["Three"]])
    found = await processes.pictures("document", pages, PDF, 2)
    assert [(each.place, each.mime_type, each.data[:4]) for each in found] == [
        ("page 1", "image/png", b"\x89PNG"),
        ("page 2", "image/png", b"\x89PNG"),
    ]
    sound = await processes.as_sound("audio", recording(tmp_path / "wav", "wav", "pcm_s16le"), WAV)
    assert sound is not None
    assert sound.data[:4] == b"RIFF"
    assert list(folder_of(children()[0]).iterdir()) == []


async def test_errors_cross_with_their_class_and_their_words(processes: Processes, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"%PDF-1.4\nnothing more")
    with pytest.raises(InvalidRequest, match="the PDF document is broken"):
        await processes.read("document", broken, PDF)
    (tmp_path / "png").write_bytes(picture())
    with pytest.raises(Unimplemented, match=r"media\.ocr"):
        await processes.read("image", tmp_path / "png", Options("image/png", ocr="off"))
    assert len(children()) == 1


async def test_what_is_cut_off_is_refused_and_the_process_goes_on(processes: Processes, tmp_path: Path) -> None:
    whole = pdf(tmp_path / "whole", [["One"]] * 20).read_bytes()
    for name, data, type, options in [
        ("pdf", whole[: len(whole) // 2], "document", PDF),
        ("png", picture(size=(640, 480))[:300], "image", PNG),
        ("wav", recording(tmp_path / "w", "wav", "pcm_s16le").read_bytes()[:30], "audio", WAV),
    ]:
        (tmp_path / name).write_bytes(data)
        with suppress(InvalidRequest):  # what is left of it may still be read
            await processes.read(type, tmp_path / name, options)  # type: ignore[arg-type]
    assert len(children()) == 1


async def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_is_read(
    processes: Processes, endless: Path, text: Path
) -> None:
    with pytest.raises(InvalidRequest, match=r"within 1 s: .*media\.seconds"):
        await within(processes.read("document", endless, Options("application/pdf", seconds=1.0)))
    assert (await processes.read("document", text, TEXT)).passages[0].text == "Hello"
    assert len(children()) == 1


async def test_a_recording_gets_the_time_that_it_asks_for(processes: Processes, tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "weights", ["Hello", "world"])
    short = recording(tmp_path / "short", "wav", "pcm_s16le")
    await processes.read("audio", short, Options("audio/wav", speech_weights=weights))
    long = recording(tmp_path / "long", "wav", "pcm_s16le", seconds=60, rate=16000)
    allowed = took = 1.0
    for _ in range(6):  # until so little is allowed that this machine needs more
        allowed = min(allowed, took) / 2
        start = time.perf_counter()
        account = await processes.read("audio", long, Options("audio/wav", seconds=allowed, speech_weights=weights))
        took = time.perf_counter() - start
        assert "Hello world" in account.passages[0].text
        if took > allowed:
            break
    assert took > allowed, "it never took longer than it may, which shows nothing"


async def test_a_process_that_dies_of_its_memory_takes_nobody_with_it(endless: Path, text: Path) -> None:
    """The PDF library aborts when it gets no more."""
    processes = Processes(Bounds(memory_mib=1, processes=1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidRequest, match=r"the reader gave up on it \(it died of SIG"):
        await processes.read("document", endless, Options("application/pdf", seconds=60))
    assert (await processes.read("document", text, TEXT)).passages[0].text == "Hello"
    await within(processes.close())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "in KiB"


async def test_a_picture_that_does_not_fit_into_memory_is_refused_by_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(png_of_nothing(9990, 9990))
    assert path.stat().st_size < 400_000
    processes = Processes(Bounds(memory_mib=1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidRequest, match=r"within 1 MiB of memory: .*media\.memory_mib"):
        await processes.read("image", path, PNG)
    await within(processes.close())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "in KiB"


async def test_a_bomb_is_refused_before_it_goes_off(processes: Processes, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(png_of_nothing(10_000, 10_001))
    with pytest.raises(InvalidRequest, match="pixels"):
        await processes.read("image", path, PNG)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
async def test_a_process_that_dies_fails_its_file_alone(
    processes: Processes, endless: Path, text: Path, number: signal.Signals
) -> None:
    reading = asyncio.create_task(processes.read("document", endless, PDF))
    (pid,) = await until_at_work()
    beside = asyncio.create_task(processes.read("document", text, TEXT))
    os.kill(pid, number)
    with pytest.raises(
        InvalidRequest, match=rf"could not be read: the reader gave up on it \(it died of {number.name}\)"
    ):
        await within(reading)
    assert (await within(beside)).passages[0].text == "Hello"
    assert pid not in children()


async def test_a_process_that_dies_while_it_waits_is_not_noticed(processes: Processes, text: Path) -> None:
    await processes.read("document", text, TEXT)
    (pid,) = children()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pid not in children())
    assert (await within(processes.read("document", text, TEXT))).passages[0].text == "Hello"


async def test_a_caller_that_leaves_ends_the_reading(processes: Processes, endless: Path) -> None:
    reading = asyncio.create_task(processes.read("document", endless, PDF))
    (pid,) = await until_at_work()
    folder = folder_of(pid)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await until(lambda: not is_there(pid) and not folder.exists())


async def test_closing_ends_what_is_being_read(endless: Path) -> None:
    processes = Processes(Bounds())
    reading = asyncio.create_task(processes.read("document", endless, PDF))
    await until_at_work()
    await within(processes.close())
    with pytest.raises(InvalidRequest, match="gave up"):
        await within(reading)
    assert children() == []


async def test_a_process_that_cannot_begin_is_told_of(
    processes: Processes, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(InvalidRequest, match="it ended with code 1"):
        await within(processes.read("document", text, TEXT))


async def test_two_files_are_read_at_once_and_a_third_one_waits(
    processes: Processes, endless: Path, text: Path
) -> None:
    readings = [asyncio.create_task(processes.read("document", endless, PDF)) for _ in range(2)]
    await until_at_work(2)
    third = asyncio.create_task(processes.read("document", text, TEXT))
    await until(lambda: not third.done())
    assert len(children()) == 2
    readings[0].cancel()
    assert (await within(third)).passages[0].text == "Hello"
    readings[1].cancel()
    await asyncio.gather(*readings, return_exceptions=True)


async def test_a_process_is_replaced_after_so_many_files(text: Path) -> None:
    processes = Processes(Bounds(jobs=2, processes=1))
    seen = []
    for _ in range(4):
        await processes.read("document", text, TEXT)
        seen += children()[-1:]
    await within(processes.close())
    assert len(set(seen)) >= 2
    assert children() == []


async def test_a_process_that_waits_too_long_leaves(text: Path) -> None:
    processes = Processes(Bounds(idle_seconds=0.05))
    await processes.read("document", text, TEXT)
    await until(lambda: children() == [])
    await within(processes.close())


async def test_a_process_knows_nothing_that_is_secret(
    processes: Processes, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", "secret")
    await processes.read("document", text, TEXT)
    environment = environment_of(children()[0])
    names = {variable.partition(b"=")[0].decode() for variable in environment.split(b"\0") if variable}
    allowed = {"PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TESSDATA_PREFIX", "PYTHONPATH", "HOME", "TMPDIR"}
    assert names <= allowed | {"PYTHONDONTWRITEBYTECODE", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS"}
    assert b"secret" not in environment


async def test_a_process_is_bounded(processes: Processes, text: Path) -> None:
    await processes.read("document", text, TEXT)
    (pid,) = children()
    mib = 1024**2
    assert resource.prlimit(pid, resource.RLIMIT_AS)[0] == (2048 + 1024) * mib
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (256, 256)
    assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == (1024 * mib, 1024 * mib)
    assert 0 < resource.prlimit(pid, resource.RLIMIT_CPU)[0] < 200 * (os.cpu_count() or 1)
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"


UNSHARES = "import ctypes, sys; c = ctypes.CDLL(None); sys.exit(c.unshare(0x40000000) and c.unshare(0x50000000) and 1)"


def can_leave_the_network() -> bool:
    return subprocess.run([sys.executable, "-c", UNSHARES], check=False).returncode == 0


async def test_a_process_has_no_network_where_the_kernel_lets_it(processes: Processes, text: Path) -> None:
    if not can_leave_the_network():
        pytest.skip("this kernel lets no process of ours leave the network")
    await processes.read("document", text, TEXT)
    theirs, ours = (os.readlink(f"/proc/{pid}/ns/net") for pid in (children()[0], os.getpid()))
    assert theirs != ours


PARENT = """
import asyncio, sys
from pathlib import Path
from turnwise.media.media import Options
from turnwise.media.process import Processes
asyncio.run(Processes().read("document", Path(sys.argv[1]), Options("application/pdf")))
"""


async def test_a_process_leaves_with_its_parent_in_the_middle_of_a_file(endless: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(endless))
    await until(lambda: any(processor_seconds(pid) > 0.3 for pid in children_of(parent.pid)))
    (pid,) = children_of(parent.pid)
    folder = folder_of(pid)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_there(pid) and not folder.exists())
