"""What blobs in a folder alone do: where they lie, and who may read them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from turnwise.store.blobs import DiskBlobs
from turnwise.store.store import Sealed

KEY = "ab0123456789"


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[DiskBlobs]:
    opened = DiskBlobs(tmp_path / "blobs")
    yield opened
    await opened.close()


async def one(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_a_blob_stands_at_its_place_only_when_it_is_whole(blobs: DiskBlobs, tmp_path: Path) -> None:
    await blobs.append(KEY, 0, one(b"abc"))
    unfinished, place = tmp_path / "blobs" / "unfinished" / KEY, tmp_path / "blobs" / "ab" / KEY
    assert (unfinished.read_bytes(), place.exists()) == (b"abc", False)
    await blobs.seal(KEY)
    assert (unfinished.exists(), place.read_bytes()) == (False, b"abc")


async def test_nobody_else_may_read_blobs(blobs: DiskBlobs, tmp_path: Path) -> None:
    await blobs.append(KEY, 0, one(b"abc"))
    assert (tmp_path / "blobs" / "unfinished" / KEY).stat().st_mode & 0o077 == 0
    await blobs.seal(KEY)
    assert (tmp_path / "blobs" / "ab" / KEY).stat().st_mode & 0o077 == 0


async def test_bytes_that_came_beside_the_hash_are_hashed_all_the_same(blobs: DiskBlobs, tmp_path: Path) -> None:
    """As after a write that failed in its middle."""
    await blobs.append(KEY, 0, one(b"abc"))
    with (tmp_path / "blobs" / "unfinished" / KEY).open("ab") as file:
        file.write(b"def")
    await blobs.append(KEY, 6, one(b"ghi"))
    other = DiskBlobs(tmp_path / "other")
    await other.append(KEY, 0, one(b"abcdefghi"))
    assert await blobs.seal(KEY) == await other.seal(KEY)
    await other.close()


async def test_a_full_disk_is_an_error_and_what_was_written_stays(
    blobs: DiskBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blobs.append(KEY, 0, one(b"abc"))
    unfinished = tmp_path / "blobs" / "unfinished" / KEY
    unfinished.rename(tmp_path / "kept")
    unfinished.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space"):
        await blobs.append(KEY, 0, one(b"abc"))
    unfinished.unlink()
    (tmp_path / "kept").rename(unfinished)
    assert await blobs.size(KEY) == 3


async def test_processes_that_write_the_same_bytes_at_once_write_them_once(tmp_path: Path) -> None:
    folder, data = tmp_path / "blobs", bytes(range(256)) * 4096
    several = [DiskBlobs(folder, shared=True) for _ in range(4)]

    async def write(blobs: DiskBlobs, key: str) -> None:
        for start in range(0, len(data), 2**16):
            assert await blobs.append(key, start, one(data[start : start + 2**16])) > start

    for number in range(8):
        key = f"ab{number}"
        await asyncio.gather(*(write(blobs, key) for blobs in several))
        sealed = await asyncio.gather(*(blobs.seal(key) for blobs in several))
        assert set(sealed) == {Sealed(len(data), hashlib.sha256(data).digest())}
        assert (folder / "ab" / key).read_bytes() == data
    for blobs in several:
        await blobs.close()
