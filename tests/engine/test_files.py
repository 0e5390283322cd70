"""Uploads and files as the engine has them: what becomes of bytes, who may have them, and for how long."""

import asyncio
import hashlib
import struct
import zlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support import NOON, HeldStore, numbered_ids, started_tasks, until, within
from turnwise.domain.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RateLimited,
)
from turnwise.domain.files import File, FileState, NewFile
from turnwise.engine import files as engine
from turnwise.engine.files import Files, file_id
from turnwise.engine.looking import OUR_FAULT
from turnwise.engine.uploads import Ahead
from turnwise.media import kinds
from turnwise.media.media import Kind
from turnwise.store.blobs import DiskBlobs
from turnwise.store.memory import MemoryStore


def png() -> bytes:
    """The smallest image of its kind."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head, pixels = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0), zlib.compress(b"\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


ZIP = b"PK\x03\x04\x14\0\0\0\0\0" + bytes(20) + b"PK\x05\x06" + bytes(18)


class Looker:
    """Knows files by their bytes, and can be made to wait before it says so."""

    def __init__(self) -> None:
        self.claims: list[str | None] = []
        self.broken = False

    def identify(self, path: Path, claimed: str | None) -> Kind:
        self.claims.append(claimed)
        if self.broken:
            raise ZeroDivisionError("it broke")
        return kinds.identify(path, claimed)


@dataclass
class Home:
    """A place where files are kept, with a clock that stands still until it is moved."""

    folder: Path
    store: Any = field(default_factory=MemoryStore)
    looker: Looker = field(default_factory=Looker)
    now: datetime = NOON
    new_id: Callable[[str], str] = field(default_factory=numbered_ids)

    @asynccontextmanager
    async def open(
        self, *, max_bytes: int = 1 << 20, quota_bytes: int = 1 << 21, started: bool = True
    ) -> AsyncIterator[Files]:
        """Files, closed behind; and then no task of theirs may be left."""
        before = asyncio.all_tasks()
        blobs = DiskBlobs(self.folder)
        files = Files(
            self.store,
            blobs,
            self.looker,
            clock=lambda: self.now,
            new_id=lambda prefix: self.new_id(f"{prefix}f"),
            max_bytes=max_bytes,
            quota_bytes=quota_bytes,
            life=timedelta(hours=48),
        )
        if started:
            await files.start()
        try:
            yield files
        finally:
            await within(files.close())
            await blobs.close()
        assert started_tasks(before) == []

    @property
    def kept(self) -> list[Path]:
        """Every file on the disk."""
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "blobs")


@pytest.fixture
async def files(home: Home) -> AsyncIterator[Files]:
    async with home.open() as files:
        yield files


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def upload(files: Files, data: bytes, owner: str = "ann", **said: Any) -> File:
    """Upload a file, and wait until it is settled."""
    return await settled(files, await begun(files, data, owner, **said))


async def begun(files: Files, data: bytes, owner: str = "ann", **said: Any) -> File:
    secret = await files.begin(owner, NewFile(**said))
    await files.write(secret, 0, pieces(data))
    return await files.finalize(secret)


async def settled(files: Files, file: File) -> File:
    async def look() -> File:
        while (found := await files.get(file.id, file.owner)).state is FileState.PROCESSING:  # noqa: ASYNC110
            await asyncio.sleep(0)  # there is no event
        return found

    return await within(look())


async def content(files: Files, file: File, *bounds: int) -> bytes:
    return b"".join([piece async for piece in await files.read(file, *bounds)])


# -- uploads


async def test_what_was_uploaded_is_a_file_with_everything_that_was_said_of_it(home: Home, files: Files) -> None:
    secret = await files.begin("ann", NewFile("my-file", "Notes", "text/plain", 5))
    assert (await files.write(secret, 0, pieces(b"Hel"))).received == 3
    assert (await files.query(secret)).received == 3
    assert (await files.write(secret, 3, pieces(b"lo"))).received == 5
    home.pass_by(minutes=1)
    file = await settled(files, await files.finalize(secret))
    assert (file.id, file.display_name, file.mime_type, file.size_bytes) == ("my-file", "Notes", "text/plain", 5)
    assert file.sha256 == hashlib.sha256(b"Hello").digest()
    assert (file.state, file.source, file.failure) == (FileState.ACTIVE, "UPLOADED", None)
    assert (file.created, file.expires) == (home.now, home.now + timedelta(hours=48))
    assert await content(files, file) == b"Hello"


async def test_a_file_can_mostly_be_used_at_once(files: Files) -> None:
    assert (await begun(files, b"Hello", mime_type="text/plain")).state is FileState.ACTIVE


async def test_a_file_is_processing_until_it_has_been_looked_at(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0)
    file = await begun(files, b"Hello", mime_type="text/plain")
    assert file.state is FileState.PROCESSING
    with pytest.raises(FailedPrecondition, match="still being processed"):
        await files.usable(file.id, "ann")
    assert (await settled(files, file)).state is FileState.ACTIVE


async def test_a_name_is_made_up_where_none_is_given(files: Files) -> None:
    first, second = await upload(files, b"a"), await upload(files, b"b")
    assert first.id != second.id
    assert file_id(f"files/{first.id}") == first.id


@pytest.mark.parametrize("name", ["a", "a-b", "0", "a" * 40, "123-456"])
async def test_a_good_name_is_taken(files: Files, name: str) -> None:
    assert (await upload(files, b"a", name=name)).id == name


@pytest.mark.parametrize("name", ["-a", "a-", "-", "A", "a_b", "a/b", "a" * 41, "ä", "a b", "a\n", "..", "a.b"])
async def test_a_bad_name_is_refused(files: Files, name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"(?s)file\.name: .* is no name"):
        await files.begin("ann", NewFile(name))


async def test_a_name_is_given_once_to_each_owner(files: Files) -> None:
    await upload(files, b"a", name="mine")
    with pytest.raises(AlreadyExists, match="'files/mine' already"):
        await files.begin("ann", NewFile("mine"))
    assert (await upload(files, b"b", owner="bob", name="mine")).owner == "bob"


async def test_of_two_uploads_for_one_name_the_second_to_end_leaves_nothing(home: Home, files: Files) -> None:
    first, second = [await files.begin("ann", NewFile("mine")) for _ in range(2)]
    await files.write(second, 0, pieces(b"second"))
    await files.finalize(first)
    with pytest.raises(AlreadyExists):
        await files.finalize(second)
    with pytest.raises(NotFound):
        await files.query(second)
    assert len(home.kept) == 1


async def test_a_deleted_and_an_expired_file_give_their_names_up(home: Home, files: Files) -> None:
    await upload(files, b"first", name="mine")
    await files.delete("mine", "ann")
    await upload(files, b"second", name="mine")
    home.pass_by(hours=48)
    third = await upload(files, b"third", name="mine")
    assert await content(files, third) == b"third"
    assert len(home.kept) == 1


async def test_an_end_that_is_asked_for_twice_gives_the_same_file(files: Files) -> None:
    secret = await files.begin("ann", NewFile(size_bytes=5))
    await files.write(secret, 0, pieces(b"Hello"))
    ends = await asyncio.gather(files.finalize(secret), files.finalize(secret))
    assert ends[0].id == ends[1].id
    assert (await files.write(secret, 0, pieces(b"Hello"))).received == 5
    assert (await files.finalize(secret)).id == ends[0].id
    assert (await files.query(secret)).made is not None
    assert len((await files.list("ann", 10))[0]) == 1


async def test_a_gap_is_refused_and_says_where_to_go_on(files: Files) -> None:
    secret = await files.begin("ann", NewFile(size_bytes=10))
    await files.write(secret, 0, pieces(b"Hello"))
    with pytest.raises(Ahead, match="only 5 have come; go on at 5") as ahead:
        await files.write(secret, 6, pieces(b"orld"))
    assert ahead.value.size == 5


async def test_bytes_that_are_missing_at_the_end_can_still_come(files: Files) -> None:
    secret = await files.begin("ann", NewFile(size_bytes=5))
    await files.write(secret, 0, pieces(b"Hel"))
    with pytest.raises(InvalidRequest, match="5 bytes were declared, but 3 have come"):
        await files.finalize(secret)
    await files.write(secret, 3, pieces(b"lo"))
    assert (await files.finalize(secret)).size_bytes == 5


async def test_more_than_was_declared_is_refused(files: Files) -> None:
    secret = await files.begin("ann", NewFile(size_bytes=5))
    with pytest.raises(PayloadTooLarge, match="5 bytes that were declared"):
        await files.write(secret, 0, pieces(b"Hello", b"!"))
    assert (await files.query(secret)).received == 5


@pytest.mark.parametrize("said", [{}, {"size_bytes": 0}, {"mime_type": "text/plain"}])
async def test_a_file_may_have_no_bytes(files: Files, said: dict[str, Any]) -> None:
    secret = await files.begin("ann", NewFile(**said))
    file = await settled(files, await files.finalize(secret))
    assert (file.state, file.size_bytes) == (FileState.ACTIVE, 0)
    assert await content(files, file) == b""
    async with files.opened(file.id, "ann") as (_, path):
        assert path.read_bytes() == b""


async def test_an_image_without_any_bytes_fails(files: Files) -> None:
    assert (await upload(files, b"", mime_type="image/png")).state is FileState.FAILED


async def test_an_upload_that_is_cancelled_leaves_nothing(home: Home, files: Files) -> None:
    secret = await files.begin("ann", NewFile())
    await files.write(secret, 0, pieces(b"Hello"))
    await files.cancel(secret)
    for late in (files.query(secret), files.finalize(secret), files.cancel(secret), files.write(secret, 0, pieces())):
        with pytest.raises(NotFound, match="no such upload"):
            await late
    assert home.kept == []


async def test_an_upload_that_is_a_file_cannot_be_cancelled(files: Files) -> None:
    secret = await files.begin("ann", NewFile())
    await files.finalize(secret)
    with pytest.raises(FailedPrecondition, match="delete the file"):
        await files.cancel(secret)


async def test_an_upload_that_is_cancelled_while_bytes_come_leaves_nothing(home: Home, files: Files) -> None:
    secret = await files.begin("ann", NewFile())

    async def cancelled_in_the_middle() -> AsyncIterator[bytes]:
        yield b"Hello"
        await files.cancel(secret)
        yield b" world"

    with pytest.raises(NotFound):
        await files.write(secret, 0, cancelled_in_the_middle())
    assert home.kept == []


async def test_an_upload_is_given_up_after_a_day(home: Home, files: Files) -> None:
    secret = await files.begin("ann", NewFile())
    await files.write(secret, 0, pieces(b"Hello"))
    home.pass_by(hours=23)
    assert (await files.query(secret)).received == 5
    home.pass_by(hours=1)
    with pytest.raises(NotFound, match="longer than a day"):
        await files.query(secret)
    await files.sweep()
    assert home.kept == []


async def test_a_secret_is_long_and_never_kept(home: Home, files: Files) -> None:
    secret = await files.begin("ann", NewFile())
    assert len(secret) >= 43
    assert secret not in repr(vars(home.store))
    with pytest.raises(NotFound):
        await files.query(secret[:-1] + "A" * (secret[-1] != "A") + "B" * (secret[-1] == "A"))


async def test_what_broke_off_is_there_after_a_restart(home: Home) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"Hel"
        raise ConnectionError("the line went down")

    async with home.open() as files:
        secret = await files.begin("ann", NewFile(size_bytes=5))
        with pytest.raises(ConnectionError):
            await files.write(secret, 0, broken())
    async with home.open() as files:
        assert (await files.query(secret)).received == 3
        await files.write(secret, 3, pieces(b"lo"))
        assert (await files.finalize(secret)).sha256 == hashlib.sha256(b"Hello").digest()


# -- limits


async def test_a_file_may_be_as_large_as_the_limit_and_no_larger(home: Home) -> None:
    async with home.open(max_bytes=2000) as files:
        await upload(files, b"a" * 2000, size_bytes=2000)
        await upload(files, b"a" * 2000)
        with pytest.raises(PayloadTooLarge, match="limit of 2000 bytes"):
            await files.begin("ann", NewFile(size_bytes=2001))
        secret = await files.begin("ann", NewFile())
        with pytest.raises(PayloadTooLarge, match="limit of 2000 bytes"):
            await files.write(secret, 0, pieces(b"a" * 2001))


async def test_what_an_owner_keeps_is_bounded_and_running_uploads_count(home: Home) -> None:
    async with home.open(quota_bytes=2000) as files:
        await upload(files, b"a" * 1000)
        secret = await files.begin("ann", NewFile(size_bytes=900))
        with pytest.raises(RateLimited, match="2000 bytes"):
            await files.begin("ann", NewFile(size_bytes=101))
        await files.begin("bob", NewFile(size_bytes=2000))
        await files.cancel(secret)
        await files.begin("ann", NewFile(size_bytes=1000))


async def test_an_upload_that_did_not_say_its_size_ends_where_the_quota_does(home: Home) -> None:
    async with home.open(quota_bytes=2000) as files:
        secret = await files.begin("ann", NewFile())
        assert (await files.write(secret, 0, pieces(b"a" * 1500))).received == 1500
        with pytest.raises(RateLimited):
            await files.begin("ann", NewFile(size_bytes=501))
        with pytest.raises(RateLimited):
            await files.write(secret, 1500, pieces(b"a" * 501))
        await files.write(secret, 1500, pieces(b"a" * 500))
        assert (await files.finalize(secret)).size_bytes == 2000


async def test_a_file_that_expires_makes_room(home: Home) -> None:
    async with home.open(quota_bytes=2000) as files:
        await upload(files, b"a" * 2000)
        home.pass_by(hours=48)
        await upload(files, b"a" * 2000)


# -- looking


@pytest.mark.parametrize(
    ("data", "claimed", "kept"),
    [
        (png(), "image/png", "image/png"),
        (png(), "", "image/png"),
        (b"Hello", "text/markdown", "text/markdown"),
        (b"Hello", "text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        (b"Hello", "", "text/plain"),
        (ZIP, "application/zip", "application/zip"),
        (ZIP, "", "application/octet-stream"),
        (b"\0\x01\x02", "application/x-own", "application/x-own"),
        (b"\0\x01\x02", "", "application/octet-stream"),
        (b"", "", "application/octet-stream"),
        (png(), "application/octet-stream", "application/octet-stream"),
        (b"Hello", "chemical/x-pdb", "chemical/x-pdb"),
    ],
)
async def test_a_file_that_its_bytes_do_not_contradict_is_active(
    files: Files, data: bytes, claimed: str, kept: str
) -> None:
    file = await upload(files, data, mime_type=claimed)
    assert (file.state, file.mime_type, file.failure) == (FileState.ACTIVE, kept, None)


@pytest.mark.parametrize(
    ("data", "claimed", "found"),
    [
        (png(), "image/jpeg", "image/png"),
        (png(), "video/mp4", "image/png"),
        (png(), "text/plain", "image/png"),
        (b"Hello", "image/png", "text"),
        (b"Hello", "application/pdf", "text"),
        (ZIP, "image/png", "(?i)zip|archive"),
    ],
)
async def test_a_file_that_is_not_what_it_was_said_to_be_fails_and_says_what_it_is(
    files: Files, data: bytes, claimed: str, found: str
) -> None:
    file = await upload(files, data, mime_type=claimed)
    assert file.state is FileState.FAILED
    assert file.failure is not None
    assert file.failure.code == "invalid_request"
    with pytest.raises(FailedPrecondition, match=found) as refused:
        async with files.opened(file.id, "ann"):
            pass
    assert file.failure.message in refused.value.message


async def test_a_looker_that_breaks_fails_the_file_and_nothing_else(
    home: Home, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    home.looker.broken = True
    file = await upload(files, b"Hello", mime_type="text/plain")
    assert (file.state, file.failure) == (FileState.FAILED, OUR_FAULT)
    assert "it broke" in caplog.text
    home.looker.broken = False
    assert (await upload(files, b"Hello", mime_type="text/plain")).state is FileState.ACTIVE


async def test_a_file_that_was_processing_when_the_server_stopped_is_looked_at_after_the_next_start(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0)
    home.store = HeldStore()
    async with home.open() as files:
        home.store.hold("settle_file")
        file = await begun(files, b"Hello", mime_type="text/plain")
        await home.store.reached("settle_file")
    home.store.let_go("settle_file")
    async with home.open() as files:
        assert (await settled(files, file)).state is FileState.ACTIVE
    assert home.looker.claims == ["text/plain", "text/plain"]


async def test_a_file_that_is_deleted_while_it_is_looked_at_stays_deleted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0)
    home.store = HeldStore()
    async with home.open() as files:
        home.store.hold("settle_file")
        file = await begun(files, b"Hello", mime_type="text/plain")
        await home.store.reached("settle_file")
        await files.delete(file.id, "ann")
        home.store.let_go("settle_file")
        with pytest.raises(NotFound):
            await files.get(file.id, "ann")


# -- files


async def test_what_a_model_made_is_active_at_once(files: Files) -> None:
    file = await files.keep("ann", png(), "image/png", display_name="A dot")
    assert (file.state, file.source, file.mime_type) == (FileState.ACTIVE, "GENERATED", "image/png")
    assert (await files.get(file.id, "ann")) == file
    assert await content(files, file) == png()


async def test_what_a_model_made_is_bounded_too(home: Home) -> None:
    async with home.open(max_bytes=2000, quota_bytes=3000) as files:
        with pytest.raises(PayloadTooLarge):
            await files.keep("ann", b"a" * 2001, "image/png")
        await files.keep("ann", b"a" * 2000, "image/png")
        with pytest.raises(RateLimited):
            await files.keep("ann", b"a" * 2000, "image/png")
    assert len(home.kept) == 1


async def test_a_strangers_file_is_like_an_unknown_one(files: Files) -> None:
    file = await upload(files, b"Hello", name="hers")
    for call in (files.get, files.delete, files.usable):
        with pytest.raises(NotFound) as theirs:
            await call(file.id, "bob")
        with pytest.raises(NotFound) as unknown:
            await call("none", "bob")
        assert theirs.value.message.replace("hers", "none") == unknown.value.message
    with pytest.raises(NotFound):
        async with files.opened(file.id, "bob"):
            pass
    assert (await files.list("bob", 10))[0] == []


async def test_a_file_is_listed_once_on_some_page(home: Home, files: Files) -> None:
    made = []
    for n in range(7):
        made.append((await upload(files, b"a", name=f"f{n}")).id)
        home.pass_by(seconds=n % 2)
    seen, token = [], None
    while True:
        page, token = await files.list("ann", 3, token)
        seen += [file.id for file in page]
        if token is None:
            break
    assert seen == sorted(made, reverse=True)


async def test_a_list_that_ends_with_its_page_has_no_token(files: Files) -> None:
    for _ in range(3):
        await upload(files, b"a")
    assert (await files.list("ann", 3))[1] is None
    assert (await files.list("ann", 2))[1] is not None


def token_of(place: str) -> str:
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        *("x", "====", "ä", "YWJj", "MjAyNi0wMS0wMiBhYmM", "\0"),
        *map(token_of, ("0001-01-01T00:00:00+14:00 abc", "9999-12-31T23:59:59-14:00 abc")),  # no such time in UTC
    ],
)
async def test_a_token_that_no_list_gave_is_refused(files: Files, token: str) -> None:
    with pytest.raises(InvalidRequest, match="pageToken"):
        await files.list("ann", 3, token)


async def test_what_is_deleted_is_gone_with_its_bytes(home: Home, files: Files) -> None:
    file = await upload(files, b"Hello")
    await files.delete(file.id, "ann")
    for call in (files.get, files.delete):
        with pytest.raises(NotFound):
            await call(file.id, "ann")
    assert home.kept == []
    assert list(await home.store.litter(10)) == []


async def test_bytes_that_could_not_be_removed_go_with_the_next_sweep(
    home: Home, files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = await upload(files, b"Hello")

    async def refuse(self: DiskBlobs, key: str) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(DiskBlobs, "delete", refuse)
        await files.delete(file.id, "ann")
    assert "the disk is gone" in caplog.text
    assert len(home.kept) == 1
    await files.sweep()
    assert home.kept == []
    assert list(await home.store.litter(10)) == []


async def test_a_file_that_expired_is_gone_at_once_and_its_bytes_with_the_next_sweep(home: Home, files: Files) -> None:
    file = await upload(files, b"Hello")
    home.pass_by(hours=47, minutes=59)
    assert await files.get(file.id, "ann") == file
    home.pass_by(minutes=1)
    for call in (files.get, files.delete, files.usable):
        with pytest.raises(NotFound, match="expired"):
            await call(file.id, "ann")
    assert await files.list("ann", 10) == ([], None)
    assert len(home.kept) == 1
    await files.sweep()
    assert home.kept == []


async def test_a_start_sweeps_what_expired_before_it(home: Home) -> None:
    async with home.open() as files:
        await upload(files, b"Hello")
    home.pass_by(hours=48)
    async with home.open():
        await until(lambda: home.kept == [])


async def test_a_sweep_comes_again_even_if_the_last_one_failed(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "SWEEP_SECONDS", 0.001)
    home.store = HeldStore()
    home.store.fail("expire")
    async with home.open() as files:
        await upload(files, b"Hello")
        home.pass_by(hours=48)
        await until(lambda: home.store.calls["expire"] > 2)
        assert "could not all be removed" in caplog.text
        home.store.heal()
        await until(lambda: home.kept == [])


async def test_a_sweep_has_as_many_goes_as_it_takes(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SWEPT_AT_ONCE", 2)
    async with home.open() as files:
        for _ in range(7):
            await upload(files, b"Hello")
        home.pass_by(hours=48)
        await files.sweep()
        assert home.kept == []


async def test_an_opened_file_is_a_path_with_its_bytes(files: Files) -> None:
    made = await upload(files, b"Hello", mime_type="text/plain")
    async with files.opened(made.id, "ann") as (file, path):
        assert (file, path.read_bytes()) == (made, b"Hello")


async def test_a_part_of_a_file_can_be_read(files: Files) -> None:
    file = await upload(files, b"Hello")
    assert await content(files, file) == b"Hello"
    assert await content(files, file, 1) == b"ello"
    assert await content(files, file, 1, 3) == b"el"


async def test_a_file_that_is_deleted_before_it_is_read_is_not_found(files: Files) -> None:
    file = await upload(files, b"Hello")
    await files.delete(file.id, "ann")
    with pytest.raises(NotFound):
        await files.read(file)


# -- names in addresses


@pytest.mark.parametrize(
    ("uri", "id"),
    [
        ("files/abc", "abc"),
        ("/files/abc-1", "abc-1"),
        ("https://generativelanguage.googleapis.com/v1beta/files/abc", "abc"),
        ("http://127.0.0.1:8787/v1/files/abc", "abc"),
        ("https://proxy.example/some/prefix/v1alpha/files/abc?alt=media#x", "abc"),
        ("abc", None),
        ("files/", None),
        ("files/ABC", None),
        ("files/abc:download", None),
        ("https://example.org/files/abc.pdf", None),
        ("https://example.org/myfiles/abc", None),
        ("https://example.org/files/abc/def", None),
        ("https://example.org/?x=/files/abc", None),
        ("http://[/files/abc", None),
        ("", None),
    ],
)
def test_the_file_that_an_address_names(uri: str, id: str | None) -> None:
    assert file_id(uri) == id
