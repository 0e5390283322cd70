"""What every store promises of file search stores and their documents, and of what is found in them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from store.values import NOON, document, search_store, stored_file, upload
from turnwise.domain.file_search import Chunk, Chunking, Document, DocumentState, NewDocument
from turnwise.domain.files import NewFile
from turnwise.domain.interaction import Failure
from turnwise.store.errors import StoreClosed
from turnwise.store.store import CHUNK_BITS, Scope, Store, Vectors, chunk_id

PLENTY = 1 << 40
ANNS = Scope("ann", ("s1",))

RICH = document(
    "rich",
    display_name="Zürich \U0001f4a5",
    mime_type="application/pdf",
    size_bytes=3 << 32,
    updated=NOON + timedelta(microseconds=1),
    metadata={"author": "Kafka", "year": 1915, "weight": 1.5, "tags": ("a", "b"), "none": ()},
    chunking=Chunking(50, 0),
)


@pytest.fixture
async def store(any_store: Store) -> Store:
    """Each kind of store in turn, with a file search store in it."""
    assert await any_store.create_search_store(search_store(), 10)
    return any_store


async def add(store: Store, wanted: Document, *, quota: int = PLENTY, most: int = 100) -> str:
    """Have an upload become this document. What became of it."""
    hash = f"{wanted.owner}/{wanted.store_id}/{wanted.id}".encode()
    begun = upload(hash, owner=wanted.owner, blob=wanted.blob or "", reserved=wanted.size_bytes)
    if not await store.begin_upload(begun, NOON, quota):
        return "over quota"
    return await store.finish_document_upload(hash, wanted, most)


async def keep(store: Store, wanted: Document) -> Document:
    """Have a document that is pending."""
    assert await add(store, wanted) == "kept"
    kept = await store.document(wanted.id, wanted.store_id, wanted.owner)
    assert kept is not None
    return kept


async def activate(store: Store, wanted: Document, *texts: str) -> Document:
    """Have a document that can be searched."""
    kept = await keep(store, wanted)
    assert await store.add_chunks(kept, 0, [Chunk(text) for text in texts])
    active = replace(kept, state=DocumentState.ACTIVE)
    assert await store.settle_document(active)
    return replace(active, blob=None)


async def search(store: Store, query: str, scope: Scope = ANNS) -> list[str]:
    """The texts of what is found, the best first."""
    ids = await store.search_words(scope, query, 10)
    return [found.chunk.text for found in await store.found(ids, scope.owner)]


async def clear(store: Store) -> None:
    while await store.clear_chunks(1):
        pass


def ids(documents: Sequence[Document]) -> list[str]:
    return [one.id for one in documents]


# -- file search stores


async def test_a_store_is_found_as_it_was_made(any_store: Store) -> None:
    made = search_store(display_name="Zürich", embedding_model="models/any")
    assert await any_store.create_search_store(made, 1)
    assert await any_store.search_store("s1", "ann") == made
    assert await any_store.search_store("s1", "bob") is None
    assert await any_store.search_store("s2", "ann") is None


async def test_an_owner_has_as_many_stores_as_may_be(any_store: Store) -> None:
    assert await any_store.create_search_store(search_store("s1"), 1)
    assert not await any_store.create_search_store(search_store("s2"), 1)
    assert await any_store.create_search_store(search_store("s3", owner="bob"), 1)
    assert [one.id for one in await any_store.search_stores("ann", 10)] == ["s1"]


async def test_stores_are_listed_oldest_first_page_by_page(any_store: Store) -> None:
    for id, minutes in (("c", 2), ("a", 1), ("b", 1), ("d", 0)):
        assert await any_store.create_search_store(search_store(id, minutes=minutes), 10)
    assert await any_store.create_search_store(search_store("bobs", owner="bob"), 10)
    first = await any_store.search_stores("ann", 3)
    assert [one.id for one in first] == ["d", "a", "b"]
    rest = await any_store.search_stores("ann", 3, (first[-1].created, first[-1].id))
    assert [one.id for one in rest] == ["c"]


async def test_a_store_tells_what_its_documents_amount_to(store: Store) -> None:
    await activate(store, document("active", size_bytes=1), "text")
    await keep(store, document("pending", size_bytes=20, minutes=7))
    failed = await keep(store, document("failed", size_bytes=300))
    await store.settle_document(replace(failed, state=DocumentState.FAILED))
    found = await store.search_store("s1", "ann")
    assert found is not None
    assert (found.active, found.pending, found.failed, found.size_bytes) == (1, 1, 1, 21)
    assert [found] == await store.search_stores("ann", 10)


async def test_a_store_is_updated_with_its_documents(store: Store) -> None:
    kept = await keep(store, document(minutes=5))
    later = NOON + timedelta(minutes=9)
    for expected, settled in ((5, None), (9, replace(kept, state=DocumentState.ACTIVE, updated=later))):
        if settled:
            await store.settle_document(settled)
        found = await store.search_store("s1", "ann")
        assert found is not None
        assert found.updated == NOON + timedelta(minutes=expected)


async def test_a_store_with_documents_is_deleted_only_by_force(store: Store) -> None:
    await activate(store, document("d1"), "the beetle")
    await keep(store, document("d2"))
    assert await store.delete_search_store("s1", "bob", force=True) is None
    assert await store.delete_search_store("s1", "ann", force=False) is False
    assert await search(store, "beetle") == ["the beetle"]
    assert await store.delete_search_store("s1", "ann", force=True) is True
    assert await store.search_store("s1", "ann") is None
    assert await store.document("d1", "s1", "ann") is None
    assert await search(store, "beetle") == []
    assert sorted(await store.litter(10)) == ["blobs1d1", "blobs1d2"]
    assert await store.delete_search_store("s1", "ann", force=True) is None


async def test_an_empty_store_is_deleted_without_force(store: Store) -> None:
    assert await store.delete_search_store("s1", "ann", force=False) is True
    assert await store.search_store("s1", "ann") is None


# -- documents


async def test_a_document_is_found_as_it_was_kept(store: Store) -> None:
    kept = await keep(store, RICH)
    assert kept == replace(RICH, key=kept.key)
    assert kept.key > 0
    assert await store.document("rich", "s1", "bob") is None
    assert await store.document("rich", "s2", "ann") is None
    assert await store.document("poor", "s1", "ann") is None


async def test_a_document_needs_a_store_of_the_same_owner(store: Store) -> None:
    assert await add(store, document(store_id="s2"), most=9) == "gone"
    assert await add(store, document(owner="bob"), most=9) == "gone"


async def test_a_store_has_as_many_documents_as_may_be(store: Store) -> None:
    assert await add(store, document("d1"), most=1) == "kept"
    assert await add(store, document("d2"), most=1) == "full"
    assert await store.document("d2", "s1", "ann") is None


async def test_documents_files_and_uploads_share_a_quota(store: Store) -> None:
    assert await store.begin_upload(upload(b"file"), NOON, 100)
    assert await store.finish_upload(b"file", stored_file(size_bytes=40)) == "kept"
    assert await store.begin_upload(upload(b"running", reserved=30), NOON, 100)
    assert await add(store, document("d1", size_bytes=31), quota=100) == "over quota"
    assert await add(store, document("d2", size_bytes=30), quota=100) == "kept"
    assert not await store.begin_upload(upload(b"more", reserved=1), NOON, 100)
    assert await store.begin_upload(upload(b"bobs", owner="bob", reserved=100), NOON, 100)


async def test_a_document_that_failed_takes_nothing_of_the_quota(store: Store) -> None:
    kept = await keep(store, document(size_bytes=100))
    assert await add(store, document("d2", size_bytes=1), quota=100) == "over quota"
    await store.settle_document(replace(kept, state=DocumentState.FAILED))
    assert await add(store, document("d2", size_bytes=1), quota=100) == "kept"


async def test_an_upload_remembers_the_document_that_it_is_to_be(store: Store) -> None:
    wanted = NewFile(document=NewDocument("s1", RICH.metadata, Chunking(7, 3)))
    begun = upload(wanted=wanted)
    assert await store.begin_upload(begun, NOON, PLENTY)
    assert await store.upload(b"hash") == begun


async def test_an_upload_becomes_a_document_once(store: Store) -> None:
    await store.begin_upload(upload(reserved=10), NOON, PLENTY)
    assert await store.finish_document_upload(b"hash", document("one"), 9) == "kept"
    assert await store.upload(b"hash") == upload(file_id="one")
    assert await store.finish_document_upload(b"hash", document("two"), 9) == "gone"
    assert await store.finish_document_upload(b"never", document("two"), 9) == "gone"
    assert ids(await store.documents("s1", "ann", 9)) == ["one"]


async def test_an_upload_for_which_there_is_no_room_goes_on(store: Store) -> None:
    await store.begin_upload(upload(reserved=10), NOON, PLENTY)
    assert await store.finish_document_upload(b"hash", document("one"), 0) == "full"
    assert await store.finish_document_upload(b"hash", document("one", store_id="s2"), 9) == "gone"
    assert await store.upload(b"hash") == upload(reserved=10)


async def test_documents_are_listed_oldest_first_page_by_page(store: Store) -> None:
    for id, minutes in (("c", 2), ("a", 1), ("b", 1), ("d", 0)):
        await keep(store, document(id, minutes=minutes))
    first = await store.documents("s1", "ann", 3)
    assert ids(first) == ["d", "a", "b"]
    assert ids(await store.documents("s1", "ann", 3, (first[-1].created, first[-1].id))) == ["c"]
    assert await store.documents("s1", "bob", 9) == []


async def test_a_document_that_was_read_says_what_it_is_and_leaves_its_bytes(store: Store) -> None:
    kept = await keep(store, document())
    read = replace(
        kept,
        state=DocumentState.FAILED,
        mime_type="application/pdf",
        failure=Failure("invalid_request", "It has no words."),
        updated=NOON + timedelta(hours=1),
    )
    assert await store.settle_document(read)
    assert await store.document("d1", "s1", "ann") == replace(read, blob=None)
    assert await store.litter(9) == ["blobs1d1"]
    assert not await store.settle_document(replace(read, state=DocumentState.ACTIVE))


async def test_pending_documents_of_all_owners_are_found_again(store: Store) -> None:
    await store.create_search_store(search_store("s2", owner="bob"), 9)
    await keep(store, document("later", minutes=1))
    await keep(store, document("bobs", owner="bob", store_id="s2"))
    await activate(store, document("done"), "text")
    assert ids(await store.pending_documents()) == ["bobs", "later"]


async def test_an_active_document_is_deleted_only_by_force(store: Store) -> None:
    await activate(store, document(), "the beetle")
    assert await store.delete_document("d1", "s1", "bob", force=True) is None
    assert await store.delete_document("d1", "s1", "ann", force=False) is False
    assert await store.delete_document("d1", "s1", "ann", force=True) is True
    assert await store.delete_document("d1", "s1", "ann", force=True) is None
    assert await search(store, "beetle") == []


async def test_a_document_that_is_pending_or_failed_is_deleted_without_force(store: Store) -> None:
    pending = await keep(store, document("pending"))
    failed = await keep(store, document("failed"))
    await store.settle_document(replace(failed, state=DocumentState.FAILED))
    assert await store.delete_document("pending", "s1", "ann", force=False) is True
    assert await store.delete_document("failed", "s1", "ann", force=False) is True
    assert not await store.add_chunks(pending, 0, [Chunk("too late")])
    assert not await store.settle_document(replace(pending, state=DocumentState.ACTIVE))


# -- chunks


async def test_chunks_are_searched_once_the_document_is_active(store: Store) -> None:
    kept = await keep(store, document())
    assert await store.add_chunks(kept, 0, [Chunk("the beetle", 3, "page 3")])
    assert await search(store, "beetle") == []
    await store.settle_document(replace(kept, state=DocumentState.ACTIVE))
    (one,) = await store.found(await store.search_words(ANNS, "beetle", 10), "ann")
    assert one.chunk == Chunk("the beetle", 3, "page 3")
    assert (one.document.id, one.document.state) == ("d1", DocumentState.ACTIVE)
    assert not await store.add_chunks(kept, 1, [Chunk("more")])


async def test_chunks_come_a_few_at_a_time_and_in_order(store: Store) -> None:
    kept = await keep(store, document())
    assert await store.add_chunks(kept, 0, [Chunk("one"), Chunk("two")])
    assert await store.add_chunks(kept, 2, [Chunk("three")])
    assert await store.chunk_texts(kept.key) == ["one", "two", "three"]
    assert await store.chunk_texts(kept.key + 1) == []


async def test_a_document_that_is_read_again_has_no_chunk_of_before(store: Store) -> None:
    kept = await keep(store, document())
    await store.add_chunks(kept, 0, [Chunk("old one"), Chunk("old two")])
    await store.add_chunks(kept, 0, [Chunk("new")])
    await store.settle_document(replace(kept, state=DocumentState.ACTIVE))
    assert await store.chunk_texts(kept.key) == ["new"]
    assert await search(store, "old new one two") == ["new"]


async def test_chunks_of_a_document_that_is_gone_are_cleared_a_few_at_a_time(store: Store) -> None:
    gone = await activate(store, document("gone"), "one", "two", "three")
    stays = await activate(store, document("stays"), "one")
    await store.delete_document("gone", "s1", "ann", force=True)
    assert await store.clear_chunks(2)
    assert await store.chunk_texts(gone.key) == ["three"]
    await clear(store)
    assert await store.chunk_texts(gone.key) == []
    assert await store.chunk_texts(stays.key) == ["one"]
    assert await search(store, "one two three") == ["one"]


async def test_the_key_of_a_document_that_is_gone_is_never_used_again(store: Store) -> None:
    gone = await activate(store, document("gone"), "the old beetle")
    await store.delete_document("gone", "s1", "ann", force=True)
    new = await activate(store, document("new"), "the new beetle")
    assert new.key > gone.key
    assert await search(store, "beetle") == ["the new beetle"]


# -- searching


async def test_the_best_comes_first(store: Store) -> None:
    await activate(store, document("d1"), "a dog and a cat and a cow", "the cat sat on the mat with a cat", "fish")
    assert await search(store, "cat") == ["the cat sat on the mat with a cat", "a dog and a cat and a cow"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("What did the beetles do?", "a beetle"),
        ("RUNNING", "he runs"),
        ("cafe", "in the Café"),
        ("zürich", "ZURICH"),
        ("Straße 12a", "die Straße"),
        ("моя собака", "собака спит"),
        ("我的狗叫什么名字", "这只狗叫小白,很可爱"),
        ("東京", "私は東京都に住んでいます"),
        ("犬", "犬がいる"),
        ("서울은 어디", "서울에 간다"),
        ("naïve façade", "a naive one"),
        ("finance", "the \ufb01nance o\ufb03ce"),  # with ligatures
        ("full width", "\uff26\uff35\uff2c\uff2c"),
        ("서울", "\u1109\u1165\u110b\u116e\u11af\u110b\u1166"),  # its letters taken apart
    ],
)
async def test_a_word_is_found_in_other_forms_and_scripts(store: Store, query: str, text: str) -> None:
    await activate(store, document(), text, "unrelated", "天气很好")
    assert (await search(store, query))[0] == text


@pytest.mark.parametrize(
    "query",
    [
        'He said "stop" (twice)',
        "stop AND",
        "NOT stop",
        "NEAR(stop, 2)",
        "words:stop",
        "stop*",
        "^stop",
        "-stop +go",
        "stop' OR 1=1 --",
        '"stop',
        "{stop}",
        "stop \0 go",
        "store : s1 stop",
        "stop \ud800",
    ],
)
async def test_nothing_in_a_query_has_a_meaning_of_its_own(store: Store, query: str) -> None:
    await activate(store, document(), "please stop here", "nothing")
    assert await search(store, query) == ["please stop here"]


@pytest.mark.parametrize("query", ["", "   ", "?!", "\U0001f4a5", "()", '""'])
async def test_a_query_without_words_finds_nothing(store: Store, query: str) -> None:
    await activate(store, document(), "text \U0001f4a5")
    assert await search(store, query) == []


async def test_words_that_everything_has_count_only_where_there_are_no_others(store: Store) -> None:
    await activate(store, document(), "to be or not to be", "the beetle")
    assert await search(store, "what is the beetle") == ["the beetle"]
    assert await search(store, "to be or not to be") == ["to be or not to be"]


async def test_a_long_query_is_asked_as_well(store: Store) -> None:
    await activate(store, document(), "the beetle")
    assert await search(store, "beetle " + " ".join(f"word{n}" for n in range(10_000))) == ["the beetle"]


async def test_words_in_the_name_of_a_document_are_found_too(store: Store) -> None:
    await activate(store, document("d1", display_name="Kafka.txt"), "one morning")
    await activate(store, document("d2"), "he read Kafka")
    assert await search(store, "Kafka") == ["he read Kafka", "one morning"]


async def test_only_what_is_asked_for_is_searched(store: Store) -> None:
    await store.create_search_store(search_store("s-2"), 9)
    await store.create_search_store(search_store("bobs", owner="bob"), 9)
    one = await activate(store, document("d1"), "beetle one")
    await activate(store, document("d2"), "beetle two")
    await activate(store, document("d3", store_id="s-2"), "beetle three")
    await activate(store, document("d4", store_id="bobs", owner="bob"), "beetle four")
    assert sorted(await search(store, "beetle")) == ["beetle one", "beetle two"]
    both = Scope("ann", ("s1", "s-2"))
    assert sorted(await search(store, "beetle", both)) == ["beetle one", "beetle three", "beetle two"]
    assert ids(await store.searchable(both, 9)) == ["d1", "d2", "d3"]
    assert ids(await store.searchable(both, 1, after=one.key)) == ["d2"]
    assert await search(store, "beetle", Scope("ann", ("bobs",))) == []
    assert await search(store, "beetle", Scope("bob", ("s1",))) == []
    assert await search(store, "beetle", Scope("ann", ())) == []
    only = Scope("ann", ("s1",), (one.key,))
    assert await search(store, "beetle", only) == ["beetle one"]
    assert ids(await store.searchable(only, 9)) == ["d1"]
    assert await search(store, "beetle", Scope("ann", ("s1",), ())) == []


async def test_a_stranger_is_not_told_what_was_found(store: Store) -> None:
    await activate(store, document(), "beetle")
    found = await store.search_words(ANNS, "beetle", 10)
    assert await store.found(found, "bob") == []
    assert await store.found([*found, 1 << CHUNK_BITS | 77, 12345 << CHUNK_BITS], "ann") != []


# -- vectors


async def test_vectors_come_with_the_document_and_are_of_one_model(store: Store) -> None:
    kept = await keep(store, document())
    await store.add_chunks(kept, 0, [Chunk("one")])
    made = Vectors(kept.key, "mini", 3, b"123456")
    assert await store.settle_document(replace(kept, state=DocumentState.ACTIVE), made)
    assert await store.vectors(ANNS, "mini") == [made]
    assert await store.vectors(ANNS, "other") == []
    assert await store.vectors(Scope("bob", ("s1",)), "mini") == []
    assert chunk_id(kept.key, 0) == (await store.search_words(ANNS, "one", 1))[0]


async def test_documents_that_another_model_read_are_found_and_read_anew(store: Store) -> None:
    kept = await activate(store, document(), "one")
    await keep(store, document("pending"))
    assert ids(await store.unembedded("mini", 10)) == ["d1"]
    assert await store.keep_vectors(Vectors(kept.key, "mini", 1, b"12"))
    assert await store.unembedded("mini", 10) == []
    assert ids(await store.unembedded("maxi", 10)) == ["d1"]
    assert await store.keep_vectors(Vectors(kept.key, "maxi", 1, b"34"))
    assert await store.vectors(ANNS, "mini") == []
    await store.delete_document("d1", "s1", "ann", force=True)
    assert await store.vectors(ANNS, "maxi") == []
    assert not await store.keep_vectors(Vectors(kept.key, "mini", 1, b"12"))


async def test_a_closed_store_refuses(any_store: Store) -> None:
    await any_store.close()
    with pytest.raises(StoreClosed):
        await any_store.search_store("s1", "ann")
