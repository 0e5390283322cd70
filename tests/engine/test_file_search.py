"""File search as the engine has it: what becomes of files that are put into stores, and how they are found."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support import NOON, PATIENCE, HeldStore, numbered_ids, started_tasks, until, within
from turnwise.domain.errors import FailedPrecondition, InvalidRequest, ModelUnavailable, NotFound
from turnwise.domain.file_search import Chunking, Document, DocumentState, Metadata, NewDocument, SearchStore
from turnwise.domain.files import NewFile
from turnwise.engine import file_search as engine
from turnwise.engine import indexing
from turnwise.engine.file_search import FileSearch
from turnwise.engine.files import Files
from turnwise.engine.indexing import Embedder
from turnwise.engine.looking import OUR_FAULT
from turnwise.media import kinds
from turnwise.media.media import Account, Kind, Material, Passage
from turnwise.store.blobs import DiskBlobs
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Scope

ACTIVE, PENDING, FAILED = DocumentState.ACTIVE, DocumentState.PENDING, DocumentState.FAILED


class Reader:
    """Reads every file as a page for each of its lines, and can be held while it does."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()
        self.reading = asyncio.Event()
        self.read_by_now: list[str] = []
        self.broken = False

    def identify(self, path: Path, claimed: str | None) -> Kind:
        return kinds.identify(path, claimed)

    async def read(self, material: Material) -> Account:
        self.reading.set()
        text = material.path.read_text()
        await self.free.wait()
        self.read_by_now.append(text)
        if self.broken:
            raise ZeroDivisionError("it broke")
        return Account("a test's file", tuple(Passage(line, f"page {n}") for n, line in enumerate(text.split("\n"), 1)))


@dataclass
class Letters:
    """An embedding model of the simplest kind: a text is how often it has each letter."""

    name: str = "letters"
    asked: list[Sequence[str]] = field(default_factory=list)
    is_there: bool = True

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        self.asked.append(texts)
        if not self.is_there:
            raise ModelUnavailable("it is not there")
        return [[float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


@dataclass
class Home:
    """A place where documents are kept, whichever process serves them."""

    folder: Path
    store: Any = field(default_factory=MemoryStore)
    reader: Any = field(default_factory=Reader)
    now: datetime = NOON
    new_id: Callable[[str], str] = field(default_factory=numbered_ids)

    @asynccontextmanager
    async def open(self, embedder: Embedder | None = None) -> AsyncIterator["Search"]:
        """File search, closed behind; and then no task of it may be left."""
        before = asyncio.all_tasks()
        blobs = DiskBlobs(self.folder)
        files = Files(
            self.store,
            blobs,
            self.reader,
            clock=lambda: self.now,
            new_id=lambda prefix: self.new_id(f"{prefix}f"),
            max_bytes=1 << 20,
            quota_bytes=1 << 21,
            life=timedelta(hours=48),
        )
        search = FileSearch(self.store, files, self.reader, clock=lambda: self.now, embedder=embedder)
        await search.start()
        try:
            yield Search(search, files)
        finally:
            await within(search.close())
            await within(files.close())
            await blobs.close()
        assert started_tasks(before) == []

    @property
    def kept(self) -> list[Path]:
        """Every file on the disk."""
        return [path for path in self.folder.rglob("*") if path.is_file()]


@dataclass(frozen=True)
class Search:
    """What is tried."""

    search: FileSearch
    files: Files

    async def store(self, owner: str = "ann", **said: Any) -> SearchStore:
        return await self.search.create(owner, **said)

    async def put(self, store: SearchStore, text: str, *, owner: str = "ann", name: str = "", **said: Any) -> Document:
        """Put a text into a store. It may still be pending."""
        wanted = NewFile(None, name, "text/plain", len(text.encode()), document=NewDocument(store.id, **said))
        secret = await self.search.begin(owner, wanted)
        await self.search.write(secret, store.id, 0, pieces(text.encode()))
        return await self.search.finalize(secret, store.id)

    async def find(self, store: SearchStore, query: str, **said: Any) -> list[str]:
        """The texts of what is found, the best first."""
        found = await self.search.search("ann", [store.id], query, **{"limit": 5, **said})
        return [one.chunk.text for one in found]

    async def settled(self, document: Document) -> Document:
        """A document, once it has been read."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.search.document(document.id, document.store_id, document.owner)
                if found.state is not PENDING:
                    return found
                await asyncio.sleep(0)  # there is no event


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


@pytest.fixture(autouse=True)
def _waits_for_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of an upload waits until the document has been read, however busy the machine is."""
    monkeypatch.setattr(engine, "PATIENCE", PATIENCE)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "blobs")


@pytest.fixture
async def here(home: Home) -> AsyncIterator[Search]:
    async with home.open() as here:
        yield here


# -- reading


async def test_a_document_is_read_and_its_bytes_are_let_go_of(home: Home, here: Search) -> None:
    store = await here.store(display_name="Books")
    document = await here.put(store, "one morning\nGregor woke", name="Kafka.txt", metadata={"year": 1915})
    assert (document.state, document.display_name, document.metadata) == (ACTIVE, "Kafka.txt", {"year": 1915})
    assert (document.mime_type, document.size_bytes, document.blob) == ("text/plain", 23, None)
    assert document.id.startswith("kafka-txt-")
    assert home.kept == []
    (found,) = await here.search.search("ann", [store.id], "Who woke?", limit=5)
    assert (found.chunk.text, found.chunk.page, found.document) == ("Gregor woke", 2, document)


async def test_a_document_is_cut_as_was_asked(here: Search) -> None:
    store = await here.store()
    await here.put(store, "a b c d e beetle", chunking=Chunking(3, 1))
    assert await here.find(store, "beetle") == ["e beetle"]


async def test_a_document_is_pending_until_it_has_been_read(
    home: Home, here: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.0)
    home.reader.free.clear()
    store = await here.store()
    document = await here.put(store, "the beetle")
    assert document.state is PENDING
    assert (await here.search.get(store.id, "ann")).pending == 1
    assert await here.find(store, "beetle") == []
    home.reader.free.set()
    assert (await here.settled(document)).state is ACTIVE
    assert await here.find(store, "beetle") == ["the beetle"]


async def test_a_document_that_was_pending_when_the_server_stopped_is_read_after_the_next_start(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.0)
    home.reader.free.clear()
    async with home.open() as here:
        store = await here.store()
        document = await here.put(store, "the beetle")
        await within(home.reader.reading.wait())
    home.reader.free.set()
    async with home.open() as here:
        assert (await here.settled(document)).state is ACTIVE
        assert await here.find(store, "beetle") == ["the beetle"]


async def test_chunks_that_were_kept_before_the_server_stopped_are_not_there_twice(home: Home) -> None:
    held = HeldStore(home.store)
    home.store = held
    held.hold("settle_document")
    async with home.open() as here:
        store = await here.store()
        putting = asyncio.create_task(here.put(store, "the beetle"))
        await held.reached("settle_document")
        putting.cancel()
        await asyncio.wait([putting])
    held.let_go("settle_document")
    async with home.open() as here:
        (document,), _ = await here.search.documents(store.id, "ann", 5)
        await here.settled(document)
        assert await here.find(store, "beetle") == ["the beetle"]


async def test_a_document_that_is_deleted_while_it_is_read_leaves_nothing(
    home: Home, here: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.0)
    home.reader.free.clear()
    store = await here.store()
    document = await here.put(store, "the beetle")
    await within(home.reader.reading.wait())
    await here.search.delete_document(document.id, store.id, "ann", force=False)
    assert home.kept == []
    home.reader.free.set()
    await here.settled(await here.put(store, "another"))
    assert await here.find(store, "beetle") == []
    assert (await here.search.get(store.id, "ann")).active == 1


async def test_a_document_that_is_deleted_before_it_is_read_is_nobodys_failure(
    home: Home, here: Search, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.0)
    home.reader.free.clear()
    store = await here.store()
    documents = [await here.put(store, f"beetle {n}") for n in range(indexing.AT_ONCE + 1)]
    await here.search.delete(store.id, "ann", force=True)
    home.reader.free.set()
    await here.settled(await here.put(await here.store(), "another"))
    assert len(documents) == indexing.AT_ONCE + 1
    assert caplog.messages == []


async def test_a_file_that_breaks_its_reader_is_a_failed_document(home: Home, here: Search) -> None:
    home.reader.broken = True
    document = await here.put(await here.store(), "the beetle")
    assert (document.state, document.failure, document.blob) == (FAILED, OUR_FAULT, None)
    assert home.kept == []


async def test_a_document_of_too_many_chunks_fails(here: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "CHUNKS", 3)
    store = await here.store()
    assert (await here.put(store, "a b c", chunking=Chunking(1, 0))).state is ACTIVE
    document = await here.put(store, "a b c d", chunking=Chunking(1, 0))
    assert document.failure is not None
    assert "more than 3 chunks" in document.failure.message


async def test_a_long_document_is_kept_in_several_goes(here: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH", 2)
    store = await here.store()
    document = await here.put(store, "one two three four five", chunking=Chunking(1, 0))
    assert document.state is ACTIVE
    assert [await here.find(store, word) for word in ("one", "five")] == [["one"], ["five"]]
    await here.search.delete(store.id, "ann", force=True)


async def test_the_end_of_an_upload_may_be_asked_for_again(here: Search) -> None:
    store = await here.store()
    secret = await here.search.begin("ann", NewFile(size_bytes=10, document=NewDocument(store.id)))
    await here.search.write(secret, store.id, 0, pieces(b"the beetle"))
    ends = await asyncio.gather(*(here.search.finalize(secret, store.id) for _ in range(2)))
    assert ends[0].id == ends[1].id == (await here.search.finalize(secret, store.id)).id
    made = (await here.search.query(secret, store.id)).made
    assert made is not None
    assert made.id == ends[0].id
    with pytest.raises(FailedPrecondition, match="delete the document"):
        await here.search.cancel(secret, store.id)


async def test_what_is_cancelled_leaves_nothing(home: Home, here: Search) -> None:
    store = await here.store()
    secret = await here.search.begin("ann", NewFile(document=NewDocument(store.id)))
    await here.search.write(secret, store.id, 0, pieces(b"the beetle"))
    await here.search.cancel(secret, store.id)
    assert home.kept == []
    with pytest.raises(NotFound):
        await here.search.finalize(secret, store.id)


# -- imports


async def test_an_imported_file_is_a_document_with_bytes_of_its_own(
    home: Home, here: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.0)
    store = await here.store()
    file = await here.files.keep("ann", b"the beetle", "text/plain", display_name="Kafka")
    home.reader.free.clear()
    document = await here.search.import_file(file.id, "ann", NewDocument(store.id, {"year": 1915}))
    await here.files.delete(file.id, "ann")
    home.reader.free.set()
    document = await here.settled(document)
    assert (document.state, document.display_name, document.metadata) == (ACTIVE, "Kafka", {"year": 1915})
    await until(lambda: home.kept == [])


async def test_an_import_that_is_refused_leaves_nothing(
    home: Home, here: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "DOCUMENTS", 0)
    store = await here.store()
    file = await here.files.keep("ann", b"the beetle", "text/plain")
    with pytest.raises(FailedPrecondition, match="0 documents"):
        await here.search.import_file(file.id, "ann", NewDocument(store.id))
    with pytest.raises(NotFound, match="fileSearchStores/never"):
        await here.search.import_file(file.id, "ann", NewDocument("never"))
    with pytest.raises(NotFound, match="files/never"):
        await here.search.import_file("never", "ann", NewDocument(store.id))
    assert len(home.kept) == 1


async def test_an_owner_has_a_bounded_number_of_stores(here: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "STORES", 1)
    await here.store()
    with pytest.raises(FailedPrecondition, match="1 file search stores"):
        await here.store()
    await here.store("bob")


# -- searching


async def test_a_filter_says_which_documents_are_searched(here: Search) -> None:
    store = await here.store()
    for year in (1912, 1915, 1925):
        await here.put(store, f"beetle of {year}", metadata={"year": year})
    assert sorted(await here.find(store, "beetle", metadata_filter="year > 1912")) == [
        "beetle of 1915",
        "beetle of 1925",
    ]
    assert await here.find(store, "beetle", metadata_filter="author = Kafka") == []
    with pytest.raises(InvalidRequest, match="at character 1"):
        await here.find(store, "beetle", metadata_filter="year")
    with pytest.raises(InvalidRequest, match="at character 1"):
        here.search.check_filter("year")


async def test_a_filter_is_tried_on_every_document_beside_the_event_loop(
    here: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def fits(_metadata: Metadata) -> bool:
        threads.append(threading.get_ident())
        return True

    monkeypatch.setattr(engine, "FILTERED_AT_ONCE", 2)
    monkeypatch.setattr(engine, "parse_filter", lambda _text: fits)
    store = await here.store()
    for n in range(5):
        await here.put(store, f"beetle {n}")
    assert len(await here.find(store, "beetle", metadata_filter="a = 1")) == 5
    assert len(threads) == 5
    assert threading.get_ident() not in threads


async def test_a_filter_does_not_take_for_ever(here: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FILTERING", -1.0)
    store = await here.store()
    await here.put(store, "beetle")
    with pytest.raises(InvalidRequest, match="the filter takes more than"):
        await here.find(store, "beetle", metadata_filter="a = 1")


async def test_as_many_are_found_as_were_asked_for(here: Search) -> None:
    store = await here.store()
    for n in range(9):
        await here.put(store, f"beetle {n}")
    assert len(await here.find(store, "beetle", limit=4)) == 4


async def test_a_strangers_store_is_searched_by_nobody_else(here: Search) -> None:
    store = await here.store("bob")
    await here.put(store, "the beetle", owner="bob")
    assert await here.find(store, "beetle") == []


# -- by what it means


async def test_what_is_meant_is_found_without_its_words(home: Home) -> None:
    letters = Letters()
    async with home.open(letters) as here:
        store = await here.store(embedding_model="models/any")
        assert store.embedding_model == "models/any"
        await here.put(store, "zzz zzz")
        await here.put(store, "eleven plus two")
        assert (await here.find(store, "twelve plus one"))[0] == "eleven plus two"
        assert (await here.find(store, "onetwelveplus"))[0] == "eleven plus two"
        only = await here.search.search("ann", [store.id], "onetwelveplus", limit=5, metadata_filter="a = 1")
        assert only == []


async def test_words_and_meaning_together_say_what_is_best(home: Home) -> None:
    async with home.open(Letters()) as here:
        store = await here.store()
        for text in ("beetle", "the beetle and a lot of other things xyz", "belete"):
            await here.put(store, text)
        assert (await here.find(store, "beetle"))[0] == "beetle"
        assert "belete" in await here.find(store, "beetle")


async def test_an_embedding_model_that_is_away_leaves_the_words(home: Home) -> None:
    letters = Letters(is_there=False)
    async with home.open(letters) as here:
        store = await here.store()
        assert (await here.put(store, "the beetle")).state is ACTIVE
        assert await here.find(store, "beetle") == ["the beetle"]
        assert letters.asked


async def test_documents_that_were_read_without_a_model_are_embedded_after_the_next_start(home: Home) -> None:
    async with home.open() as here:
        store = await here.store()
        document = await here.put(store, "eleven plus two")
    letters = Letters()
    async with home.open(letters) as here:
        async with asyncio.timeout(PATIENCE):
            while await home.store.unembedded("letters", 1):  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0)
        assert letters.asked == [["eleven plus two"]]
        assert await here.find(store, "onetwelveplus") == ["eleven plus two"]
    async with home.open(replace(letters, name="others")) as here:
        async with asyncio.timeout(PATIENCE):
            while await home.store.unembedded("others", 1):  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0)
        assert [one.document for one in await home.store.vectors(scope(store), "others")] == [document.key]
        assert await home.store.vectors(scope(store), "letters") == []


def scope(store: SearchStore) -> Scope:
    return Scope("ann", (store.id,))
