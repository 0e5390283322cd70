"""What every store promises of files and uploads, tried on each of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from store.values import NOON, stored_file, upload
from turnwise.domain.files import File, FileState, NewFile
from turnwise.domain.interaction import Failure
from turnwise.store.errors import StoreClosed
from turnwise.store.store import Store

LATER = NOON + timedelta(days=1)
PLENTY = 1 << 40

RICH = stored_file(
    "rich",
    mime_type="video/mp4; codecs=avc1",
    size_bytes=3 << 32,
    updated=NOON + timedelta(microseconds=1),
    state=FileState.FAILED,
    display_name="Zürich \U0001f4a5",
    source="GENERATED",
    failure=Failure("invalid_request", "It is no video."),
    details={"videoMetadata": {"videoDuration": "12s"}},
)


async def keep(store: Store, file: File) -> File:
    """Have a file that an upload has become."""
    hash = f"{file.owner}/{file.id}".encode()
    assert await store.begin_upload(upload(hash, owner=file.owner, blob=file.blob), NOON, PLENTY)
    assert await store.finish_upload(hash, file) == "kept"
    return file


def names(files: Sequence[File]) -> list[str]:
    return [file.id for file in files]


# -- uploads


@pytest.mark.parametrize(
    "wanted", [NewFile(), NewFile("name", "Zürich", "text/plain", 0), NewFile(size_bytes=3 << 32, source="GENERATED")]
)
async def test_an_upload_is_found_by_the_hash_of_its_secret(any_store: Store, wanted: NewFile) -> None:
    begun = upload(bytes(range(32)), wanted=wanted, reserved=3 << 32)
    assert await any_store.begin_upload(begun, NOON, PLENTY)
    assert await any_store.upload(bytes(range(32))) == begun
    assert await any_store.upload(b"another") is None


async def test_an_upload_becomes_a_file_and_says_which(any_store: Store) -> None:
    await any_store.begin_upload(upload(reserved=10), NOON, PLENTY)
    assert await any_store.finish_upload(b"hash", RICH) == "kept"
    assert await any_store.file("rich", "ann") == RICH
    assert await any_store.upload(b"hash") == upload(file_id="rich")


async def test_an_upload_becomes_a_file_once(any_store: Store) -> None:
    await any_store.begin_upload(upload(), NOON, PLENTY)
    await any_store.finish_upload(b"hash", stored_file("one"))
    assert await any_store.finish_upload(b"hash", stored_file("two")) == "gone"
    assert await any_store.file("two", "ann") is None


async def test_an_upload_that_never_was_becomes_nothing(any_store: Store) -> None:
    assert await any_store.finish_upload(b"hash", stored_file()) == "gone"
    assert await any_store.file("f1", "ann") is None


async def test_a_name_that_is_taken_is_not_given_twice(any_store: Store) -> None:
    first = await keep(any_store, stored_file("name"))
    await any_store.begin_upload(upload(blob="second"), NOON, PLENTY)
    assert await any_store.finish_upload(b"hash", stored_file("name", blob="second")) == "taken"
    assert await any_store.file("name", "ann") == first
    assert await any_store.upload(b"hash") == upload(blob="second")


async def test_two_owners_may_give_the_same_name(any_store: Store) -> None:
    hers = await keep(any_store, stored_file("name", owner="ann"))
    his = await keep(any_store, stored_file("name", owner="bob"))
    assert await any_store.file("name", "ann") == hers
    assert await any_store.file("name", "bob") == his
    assert await any_store.delete_file("name", "ann") == hers.blob
    assert await any_store.file("name", "bob") == his


async def test_an_upload_that_is_dropped_leaves_its_blob_as_litter(any_store: Store) -> None:
    await any_store.begin_upload(upload(), NOON, PLENTY)
    assert await any_store.drop_upload(b"hash") is True
    assert await any_store.upload(b"hash") is None
    assert list(await any_store.litter(10)) == ["blob"]
    assert await any_store.drop_upload(b"hash") is False
    await any_store.cleared(["blob", "never was"])
    assert list(await any_store.litter(10)) == []


async def test_an_upload_that_is_a_file_cannot_be_dropped(any_store: Store) -> None:
    await keep(any_store, stored_file())
    assert await any_store.drop_upload(b"ann/f1") is False
    assert list(await any_store.litter(10)) == []


# -- the quota


async def test_files_and_running_uploads_count_and_nothing_else_does(any_store: Store) -> None:
    await keep(any_store, stored_file("file", size_bytes=40))
    await keep(any_store, stored_file("gone", size_bytes=500, expires=NOON))
    await keep(any_store, stored_file("his", owner="bob", size_bytes=500))
    await any_store.begin_upload(upload(b"running", reserved=50), NOON, PLENTY)
    await any_store.begin_upload(upload(b"over", reserved=500, expires=NOON), NOON, PLENTY)
    assert await any_store.begin_upload(upload(b"more", reserved=11), NOON, 100) is False
    assert await any_store.upload(b"more") is None
    assert await any_store.begin_upload(upload(b"more", reserved=10), NOON, 100) is True
    assert await any_store.begin_upload(upload(b"none", reserved=0), NOON, 100) is True


async def test_what_is_dropped_or_deleted_counts_no_more(any_store: Store) -> None:
    await keep(any_store, stored_file("file", size_bytes=60))
    await any_store.begin_upload(upload(b"running", reserved=40), NOON, 100)
    assert not await any_store.begin_upload(upload(b"more", reserved=100), NOON, 100)
    await any_store.drop_upload(b"running")
    await any_store.delete_file("file", "ann")
    assert await any_store.begin_upload(upload(b"more", reserved=100), NOON, 100)


async def test_a_file_counts_once_and_not_as_its_upload_too(any_store: Store) -> None:
    await any_store.begin_upload(upload(b"running", reserved=60), NOON, 100)
    await any_store.finish_upload(b"running", stored_file(size_bytes=60))
    assert await any_store.begin_upload(upload(b"more", reserved=40), NOON, 100)


async def test_an_upload_may_reserve_more_while_it_runs(any_store: Store) -> None:
    await any_store.begin_upload(upload(), NOON, 100)
    assert await any_store.reserve(b"hash", 100, NOON, 100) is True
    assert await any_store.reserve(b"hash", 101, NOON, 100) is False
    assert await any_store.reserve(b"hash", 50, NOON, 100) is True
    assert (await any_store.upload(b"hash")).reserved == 100  # type: ignore[union-attr]
    assert not await any_store.begin_upload(upload(b"more", reserved=1), NOON, 100)


async def test_nothing_is_reserved_by_what_does_not_run(any_store: Store) -> None:
    await keep(any_store, stored_file())
    assert await any_store.reserve(b"never", 1, NOON, 100) is False
    assert await any_store.reserve(b"ann/f1", 1, NOON, 100) is False


# -- files


@pytest.mark.parametrize("file", [stored_file(), RICH], ids=lambda file: file.id)
async def test_a_file_reads_back_as_it_was(any_store: Store, file: File) -> None:
    await keep(any_store, file)
    assert await any_store.file(file.id, "ann") == file


async def test_a_strangers_file_is_not_there(any_store: Store) -> None:
    await keep(any_store, stored_file("hers"))
    assert await any_store.file("hers", "bob") is None
    assert await any_store.delete_file("hers", "bob") is None
    assert list(await any_store.files("bob", NOON, 10)) == []
    assert await any_store.file("hers", "ann") is not None


async def test_files_are_listed_newest_first_in_pages(any_store: Store) -> None:
    for minutes in (2, 0, 3, 1):
        await keep(any_store, stored_file(f"m{minutes}", minutes=minutes))
    for id in ("b", "a", "c"):
        await keep(any_store, stored_file(id, minutes=1))
    found: list[str] = []
    after = None
    while page := await any_store.files("ann", NOON, 2, after):
        assert len(page) <= 2
        found += names(page)
        after = page[-1].created, page[-1].id
    assert found == ["m3", "m2", "m1", "c", "b", "a", "m0"]


async def test_a_file_that_has_expired_is_not_listed(any_store: Store) -> None:
    await keep(any_store, stored_file("old", expires=LATER))
    await keep(any_store, stored_file("new", expires=LATER + timedelta(seconds=1)))
    assert names(await any_store.files("ann", LATER, 10)) == ["new"]


async def test_a_file_settles_once(any_store: Store) -> None:
    file = await keep(any_store, stored_file(mime_type=""))
    assert names(await any_store.processing()) == ["f1"]
    settled = replace(
        file,
        state=FileState.FAILED,
        updated=LATER,
        mime_type="image/png",
        failure=RICH.failure,
        details=RICH.details,
    )
    assert await any_store.settle_file(settled) is True
    assert await any_store.file("f1", "ann") == settled
    assert await any_store.settle_file(replace(file, state=FileState.ACTIVE)) is False
    assert await any_store.file("f1", "ann") == settled
    assert list(await any_store.processing()) == []


async def test_settling_changes_neither_bytes_nor_life(any_store: Store) -> None:
    file = await keep(any_store, stored_file())
    active = replace(file, state=FileState.ACTIVE)
    await any_store.settle_file(replace(active, size_bytes=1, sha256=b"", expires=LATER, display_name="x"))
    assert await any_store.file("f1", "ann") == active


async def test_a_file_of_the_same_name_that_came_later_is_not_settled_for_the_first(any_store: Store) -> None:
    first = await keep(any_store, stored_file("name", blob="first"))
    await any_store.delete_file("name", "ann")
    await any_store.begin_upload(upload(b"again", blob="second"), NOON, PLENTY)
    await any_store.finish_upload(b"again", stored_file("name", blob="second"))
    assert await any_store.settle_file(replace(first, state=FileState.FAILED)) is False
    assert names(await any_store.processing()) == ["name"]


async def test_a_file_that_is_deleted_leaves_its_blob_as_litter(any_store: Store) -> None:
    file = await keep(any_store, stored_file())
    assert await any_store.delete_file("f1", "ann") == file.blob
    assert await any_store.delete_file("f1", "ann") is None
    assert list(await any_store.litter(10)) == [file.blob]


# -- expiry


async def test_what_has_expired_goes_and_leaves_its_blobs_as_litter(any_store: Store) -> None:
    await keep(any_store, stored_file("old", expires=LATER))
    await keep(any_store, stored_file("new", expires=LATER + timedelta(seconds=1)))
    await any_store.begin_upload(upload(b"running", blob="half"), NOON, PLENTY)
    assert await any_store.expire(LATER, 10) == 1 + 3
    assert sorted(await any_store.litter(10)) == ["blobannold", "half"]
    assert await any_store.file("old", "ann") is None
    assert await any_store.file("new", "ann") is not None
    assert await any_store.upload(b"running") is None
    assert await any_store.expire(LATER, 10) == 0


async def test_an_upload_that_is_a_file_expires_without_it(any_store: Store) -> None:
    file = await keep(any_store, stored_file())
    assert await any_store.expire(LATER, 10) == 1
    assert await any_store.upload(b"ann/f1") is None
    assert list(await any_store.litter(10)) == []
    assert await any_store.file("f1", "ann") == file


async def test_a_sweep_is_done_in_bounded_pieces(any_store: Store) -> None:
    for n in range(5):
        await any_store.begin_upload(upload(f"{n}".encode(), blob=f"blob{n}"), NOON, PLENTY)
    assert [await any_store.expire(LATER, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert len(await any_store.litter(3)) == 3


async def test_a_closed_store_says_so_of_files_too(any_store: Store) -> None:
    await any_store.close()
    for call in (
        any_store.begin_upload(upload(), NOON, PLENTY),
        any_store.upload(b"hash"),
        any_store.reserve(b"hash", 1, NOON, PLENTY),
        any_store.finish_upload(b"hash", stored_file()),
        any_store.drop_upload(b"hash"),
        any_store.file("f1", "ann"),
        any_store.files("ann", NOON, 10),
        any_store.settle_file(stored_file()),
        any_store.delete_file("f1", "ann"),
        any_store.processing(),
        any_store.expire(NOON, 10),
        any_store.litter(10),
        any_store.cleared([]),
    ):
        with pytest.raises(StoreClosed):
            await call
