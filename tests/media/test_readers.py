"""Reading what was given: identified, read in a process, remembered."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.makers import pdf, recording
from support import until, within
from turnwise.domain.content import MediaType
from turnwise.domain.errors import InvalidRequest
from turnwise.media.media import Account, Material, Options, Reader
from turnwise.media.process import Processes
from turnwise.media.readers import Readers


class Counted(Processes):
    """Processes that count what they are asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def read(self, type: MediaType, path: Path, options: Options) -> Account:
        self.asked[path.name] += 1
        return await super().read(type, path, options)


@pytest.fixture
async def processes() -> AsyncIterator[Counted]:
    processes = Counted()
    yield processes
    await within(processes.close())


def given(readers: Readers, path: Path, claimed: str | None = None) -> Material:
    """A file as the engine gives it."""
    data = path.read_bytes()
    return Material(path, readers.identify(path, claimed), len(data), hashlib.sha256(data).hexdigest())


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def readers_of(processes: Processes, **options: object) -> Readers:
    return Readers(processes, **{"max_bytes": 10_000_000, "seconds": 60.0, **options})  # type: ignore[arg-type]


async def test_a_file_is_identified_and_read(processes: Counted, tmp_path: Path) -> None:
    readers: Reader = readers_of(processes)
    path = pdf(tmp_path / "file", [["Hello"], ["World"]], title="Greetings")
    material = Material(path, readers.identify(path, "application/x-pdf"), 1, "")
    account = await readers.read(material)
    assert account.facts == "PDF document, 2 pages, titled 'Greetings'"
    assert [(passage.place, passage.text) for passage in account.passages] == [("page 1", "Hello"), ("page 2", "World")]
    assert [each.place for each in await readers.pictures(material, 5)] == ["page 1", "page 2"]


async def test_a_file_is_read_once_whatever_it_is_called(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes)
    first, second = (given(readers, write(tmp_path / name, "Hello")) for name in ("one", "two"))
    assert await readers.read(first) == await readers.read(second)
    assert processes.asked == {"one": 1}


async def test_the_same_bytes_said_to_be_something_else_are_read_again(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes)
    path = write(tmp_path / "file", "a,b")
    accounts = [await readers.read(given(readers, path, claimed)) for claimed in ("text/plain", "text/csv")]
    assert [account.facts for account in accounts] == ["text, 1 line", "CSV table, 1 line"]
    assert processes.asked == {"file": 2}


async def test_who_comes_while_a_file_is_read_waits_for_it(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes)
    material = given(readers, pdf(tmp_path / "file", [["Hello"]] * 50))
    accounts = await asyncio.gather(*(readers.read(material) for _ in range(5)))
    assert accounts == [accounts[0]] * 5
    assert processes.asked == {"file": 1}


async def test_who_waits_reads_it_if_the_first_one_leaves(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes)
    material = given(readers, write(tmp_path / "file", "Hello"))
    first, second = (asyncio.create_task(readers.read(material)) for _ in range(2))
    await until(lambda: bool(processes.asked))
    first.cancel()
    assert (await within(second)).passages[0].text == "Hello"
    assert processes.asked == {"file": 2}


async def test_a_failure_is_not_remembered(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes)
    path = tmp_path / "file"
    path.write_bytes(b"%PDF-1.4\nnothing more")
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="broken"):
            await readers.read(given(readers, path))
    assert processes.asked == {"file": 2}


async def test_what_is_remembered_is_bounded_and_the_oldest_goes_first(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes, remembered_bytes=10_000)
    materials = [given(readers, write(tmp_path / str(at), str(at) * 700)) for at in range(3)]
    for at in (0, 1, 2, 2, 1, 0):
        await readers.read(materials[at])
    assert processes.asked == {"0": 2, "1": 1, "2": 1}


async def test_what_is_too_long_to_be_remembered_is_read_each_time(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes, remembered_bytes=1000)
    material = given(readers, write(tmp_path / "file", "x" * 1400))
    for _ in range(2):
        await readers.read(material)
    assert processes.asked == {"file": 2}


async def test_a_file_over_the_limit_is_refused_by_the_setting(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes, max_bytes=4)
    material = given(readers, write(tmp_path / "file", "Hello"))
    for refused in (readers.read(material), readers.pictures(material, 1), readers.as_sound(material)):
        with pytest.raises(InvalidRequest, match=r"5 bytes: at most 4 .*media\.max_bytes"):
            await refused
    assert processes.asked == {}


async def test_weights_that_come_later_are_used(processes: Counted, tmp_path: Path) -> None:
    """The answer of a time without them is not given any more."""
    weights: list[Path | None] = [None]
    readers = readers_of(processes, find_speech_weights=lambda: weights[0])
    material = given(readers, write(tmp_path / "file", "Hello"))
    await readers.read(material)
    weights[0] = write(tmp_path / "weights", "x")
    await readers.read(material)
    assert processes.asked == {"file": 2}


async def test_the_sound_of_a_file_is_had(processes: Counted, tmp_path: Path) -> None:
    readers = readers_of(processes)
    material = given(readers, recording(tmp_path / "file", "mp3", "libmp3lame"))
    sound = await readers.as_sound(material)
    assert sound is not None
    assert sound.mime_type == "audio/wav"
    assert sound.data[:4] == b"RIFF"
