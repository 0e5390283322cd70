"""What every store of blobs promises, tried on each of them: a folder, and an object store."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from store.object_store import CREDENTIALS, serve_objects
from turnwise.store import s3
from turnwise.store.blobs import DiskBlobs
from turnwise.store.errors import BlobsUnavailable
from turnwise.store.s3 import open_s3
from turnwise.store.store import BlobStore, Gap

BOUND = 60.0

MIB = 1 << 20

numbers = count()


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    with serve_objects("blobs") as url:
        yield url


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["disk", "s3"])
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[BlobStore]]]:
    """Opens the same store again, as another process would."""
    opened: list[BlobStore] = []
    bucket = f"s3://blobs/test-{next(numbers)}"

    async def open_one() -> BlobStore:
        if request.param == "disk":
            store: BlobStore = DiskBlobs(tmp_path / "blobs")
        else:
            store = await open_s3(bucket, request.getfixturevalue("object_store"))
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def blobs(reopen: Callable[[], Awaitable[BlobStore]]) -> BlobStore:
    return await reopen()


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def broken(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece
    raise ConnectionError("the line went down")


async def content(blobs: BlobStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.read(key, start, end)])


def noise(size: int) -> bytes:
    return os.urandom(size)


# -- growing


async def test_a_blob_that_nobody_wrote_has_no_bytes(blobs: BlobStore) -> None:
    assert await blobs.size("ab1") == 0


@pytest.mark.parametrize("sizes", [(5,), (3, 0, 4), (MIB + 1, 1, 3 * MIB), (9 * MIB, 8 * MIB - 1)])
async def test_chunks_of_any_size_make_one_blob(blobs: BlobStore, sizes: tuple[int, ...]) -> None:
    whole = b""
    for size in sizes:
        chunk = noise(size)
        received = await blobs.append("ab1", len(whole), pieces(chunk[: size // 3], chunk[size // 3 :]))
        whole += chunk
        assert received == await blobs.size("ab1") == len(whole)
    sealed = await blobs.seal("ab1")
    assert (sealed.size, sealed.sha256) == (len(whole), hashlib.sha256(whole).digest())
    assert await content(blobs, "ab1") == whole


async def test_a_chunk_that_comes_again_changes_nothing(blobs: BlobStore) -> None:
    whole = noise(3 * MIB)
    await blobs.append("ab1", 0, pieces(whole[: 2 * MIB]))
    assert await blobs.append("ab1", 0, pieces(whole[: 2 * MIB])) == 2 * MIB
    assert await blobs.append("ab1", MIB, pieces(whole[MIB:])) == 3 * MIB
    assert (await blobs.seal("ab1")).sha256 == hashlib.sha256(whole).digest()
    assert await content(blobs, "ab1") == whole


async def test_a_shorter_chunk_that_comes_again_takes_nothing_away(blobs: BlobStore) -> None:
    await blobs.append("ab1", 0, pieces(b"abcdef"))
    assert await blobs.append("ab1", 2, pieces(b"cd")) == 6
    await blobs.seal("ab1")
    assert await content(blobs, "ab1") == b"abcdef"


async def test_a_gap_is_refused_and_says_where_to_go_on(blobs: BlobStore) -> None:
    await blobs.append("ab1", 0, pieces(b"abc"))
    with pytest.raises(Gap) as gap:
        await blobs.append("ab1", 4, pieces(b"e"))
    assert gap.value.size == await blobs.size("ab1") == 3
    with pytest.raises(Gap):
        await blobs.append("ab2", 1, pieces(b"b"))


async def test_what_came_before_a_chunk_broke_off_is_kept(blobs: BlobStore) -> None:
    with pytest.raises(ConnectionError):
        await blobs.append("ab1", 0, broken(b"abc", b"def"))
    assert await blobs.size("ab1") == 6
    await blobs.append("ab1", 6, pieces(b"ghi"))
    await blobs.seal("ab1")
    assert await content(blobs, "ab1") == b"abcdefghi"


async def test_writers_that_bring_the_same_bytes_at_once_do_not_harm_one_another(
    reopen: Callable[[], Awaitable[BlobStore]],
) -> None:
    first = await reopen()
    second = await reopen() if not isinstance(first, DiskBlobs) else first
    whole = noise(20 * MIB)

    async def write(blobs: BlobStore, offset: int, size: int) -> None:
        cut = (whole[at : at + size] for at in range(offset, len(whole), size))
        assert await blobs.append("ab1", offset, pieces(*cut)) == len(whole)

    async with asyncio.timeout(BOUND):
        await asyncio.gather(write(first, 0, MIB), write(second, 0, 700_001), write(first, 0, 10 * MIB))
    sealed = await second.seal("ab1")
    assert sealed.sha256 == hashlib.sha256(whole).digest()
    assert await content(first, "ab1") == whole


async def test_a_writer_that_is_stuck_does_not_hold_the_next_one_up(blobs: BlobStore) -> None:
    stuck = asyncio.Event()
    reached = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield b"abc"
        reached.set()
        await stuck.wait()

    first = asyncio.create_task(blobs.append("ab1", 0, hanging()))
    async with asyncio.timeout(BOUND):
        await reached.wait()
        assert await blobs.append("ab1", 0, pieces(b"abcdef")) == 6
        stuck.set()
        assert await first == 6
    await blobs.seal("ab1")
    assert await content(blobs, "ab1") == b"abcdef"


async def test_another_process_goes_on_where_the_last_one_was(reopen: Callable[[], Awaitable[BlobStore]]) -> None:
    whole = noise(10 * MIB)
    first = await reopen()
    await first.append("ab1", 0, pieces(whole[: 9 * MIB]))
    second = await reopen()
    assert await second.size("ab1") == 9 * MIB
    await second.append("ab1", 9 * MIB, pieces(whole[9 * MIB :]))
    third = await reopen()
    sealed = await third.seal("ab1")
    assert (sealed.size, sealed.sha256) == (len(whole), hashlib.sha256(whole).digest())
    assert await content(first, "ab1") == whole


# -- whole


async def test_a_blob_without_any_bytes_can_be_whole(blobs: BlobStore) -> None:
    sealed = await blobs.seal("ab1")
    assert (sealed.size, sealed.sha256) == (0, hashlib.sha256().digest())
    assert await content(blobs, "ab1") == b""
    async with blobs.local("ab1") as path:
        assert path.read_bytes() == b""


async def test_sealing_again_changes_nothing(reopen: Callable[[], Awaitable[BlobStore]]) -> None:
    blobs = await reopen()
    await blobs.append("ab1", 0, pieces(b"abc"))
    sealed = await blobs.seal("ab1")
    assert await blobs.seal("ab1") == sealed
    assert await (await reopen()).seal("ab1") == sealed
    assert await content(blobs, "ab1") == b"abc"


async def test_a_whole_blob_takes_no_more(blobs: BlobStore) -> None:
    await blobs.append("ab1", 0, pieces(b"abc"))
    sealed = await blobs.seal("ab1")
    assert await blobs.append("ab1", 0, pieces(b"abc")) == 3
    assert await blobs.append("ab1", 3, pieces(b"def")) == 3
    with pytest.raises(Gap):
        await blobs.append("ab1", 4, pieces(b"e"))
    assert await blobs.seal("ab1") == sealed
    assert await content(blobs, "ab1") == b"abc"


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 5), (3, None), (3, 7), (3, 3), (9, None), (0, 10), (9, 10)])
async def test_any_part_of_a_blob_can_be_read(blobs: BlobStore, start: int, end: int | None) -> None:
    await blobs.append("ab1", 0, pieces(b"0123456789"))
    await blobs.seal("ab1")
    assert await content(blobs, "ab1", start, end) == b"0123456789"[start:end]


async def test_a_blob_is_read_in_pieces(blobs: BlobStore) -> None:
    whole = noise(12 * MIB)
    await blobs.append("ab1", 0, pieces(whole))
    await blobs.seal("ab1")
    sizes = [len(piece) async for piece in blobs.read("ab1", 1)]
    assert sum(sizes) == len(whole) - 1
    assert max(sizes) <= s3.PIECE


async def test_a_whole_blob_is_a_file_on_this_machine_as_long_as_it_is_needed(blobs: BlobStore) -> None:
    whole = noise(3 * MIB)
    await blobs.append("ab1", 0, pieces(whole))
    await blobs.seal("ab1")
    async with blobs.local("ab1") as path:
        assert path.read_bytes() == whole
    assert path.exists() == isinstance(blobs, DiskBlobs)


@pytest.mark.parametrize("written", [False, True])
async def test_what_is_not_whole_cannot_be_read(blobs: BlobStore, written: bool) -> None:
    if written:
        await blobs.append("ab1", 0, pieces(b"abc"))
    with pytest.raises(FileNotFoundError):
        await content(blobs, "ab1")
    with pytest.raises(FileNotFoundError):
        async with blobs.local("ab1"):
            pass


# -- gone


@pytest.mark.parametrize("sealed", [False, True])
async def test_what_is_deleted_is_gone(blobs: BlobStore, sealed: bool) -> None:
    for key in ("ab1", "ab2"):
        await blobs.append(key, 0, pieces(noise(9 * MIB)))
    if sealed:
        await blobs.seal("ab1")
    await blobs.delete("ab1")
    assert await blobs.size("ab1") == 0
    with pytest.raises(FileNotFoundError):
        await content(blobs, "ab1")
    assert await blobs.size("ab2") == 9 * MIB
    await blobs.delete("ab1")


# -- an object store alone


async def test_a_bucket_that_is_not_there_is_said_at_once(object_store: str) -> None:
    with pytest.raises(BlobsUnavailable, match="NoSuchBucket"):
        await open_s3("s3://nowhere/prefix", object_store)


@pytest.mark.parametrize("url", ["blobs", "http://blobs/x", "s3://", "s3:///x", "s3://blobs/x?y=1", "s3://blobs#x"])
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="s3://BUCKET/PREFIX"):
        await open_s3(url)


async def test_two_prefixes_of_a_bucket_do_not_see_one_another(object_store: str) -> None:
    one, two = await open_s3("s3://blobs/one", object_store), await open_s3("s3://blobs/two", object_store)
    await one.append("ab1", 0, pieces(b"abc"))
    assert await two.size("ab1") == 0


async def test_a_whole_blob_leaves_no_pieces_behind(object_store: str) -> None:
    blobs = await open_s3("s3://blobs/pieces", object_store)
    await blobs.append("ab1", 0, pieces(noise(20 * MIB)))
    assert len(await blobs._pieces("ab1")) == 3
    await blobs.seal("ab1")
    assert await blobs._pieces("ab1") == []
