"""The tool `file_search`: how it is opened, what a model and a client are told, and what is cited."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

from turnwise.domain.errors import InvalidRequest, NotFound
from turnwise.domain.file_search import Chunk, Document, Found, SearchStore
from turnwise.domain.tools import FileSearch
from turnwise.tools.file_search import NAME, TOLD, FileSearchTool, OpenFileSearch
from turnwise.tools.tool import Occasion

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)

BOOK = Document(
    "kafka-1",
    "books-1",
    "ann",
    "Kafka.pdf",
    "application/pdf",
    10,
    NOON,
    NOON,
    metadata={"year": 1915, "tags": ("novella", "prague")},
)
NAMELESS = Document("d-2", "books-1", "ann", "", "text/plain", 10, NOON, NOON)


class Searcher:
    """Finds what it was told to find, and remembers what it was asked for."""

    def __init__(self, *found: Found) -> None:
        self.found = found
        self.asked: list[tuple[Any, ...]] = []

    async def get(self, id: str, owner: str) -> SearchStore:
        if (id, owner) not in (("books-1", "ann"), ("news-1", "ann")):
            raise NotFound(f"there is no file search store '{id}'")
        return SearchStore(id, owner, NOON, NOON, "Books" if id == "books-1" else "")

    def check_filter(self, text: str) -> None:
        if "=" not in text:
            raise InvalidRequest("at character 1: it is none")

    async def search(
        self, owner: str, stores: Sequence[str], query: str, *, limit: int, metadata_filter: str | None = None
    ) -> Sequence[Found]:
        self.asked.append((owner, list(stores), query, limit, metadata_filter))
        return self.found[:limit]


def declare(*names: str, **said: Any) -> FileSearch:
    return FileSearch(tuple(f"fileSearchStores/{name}" for name in names or ("books-1",)), **said)


def opened(searcher: Searcher, declared: FileSearch, owner: str = "ann") -> AbstractAsyncContextManager[OpenFileSearch]:
    return FileSearchTool(searcher).open(declared, Occasion(owner, (), "tools[2]"))


async def test_it_is_one_function_that_names_what_is_searched():
    async with opened(Searcher(), declare("books-1", "news-1")) as tool:
        (function,) = tool.functions
        assert (tool.tool, tool.is_demanded) == (NAME, False)
    assert function.name == "file_search"
    assert function.parameters["required"] == ["query"]
    assert "'Books'" in function.description


@pytest.mark.parametrize(("name", "owner"), [("never", "ann"), ("books-1", "bob")])
async def test_a_store_that_is_not_there_is_named_by_its_place(name: str, owner: str):
    with pytest.raises(NotFound, match=rf"tools\[2\]\.file_search_store_names\[0\]: .*'{name}'"):
        async with opened(Searcher(), declare(name), owner):
            pass


async def test_a_filter_that_is_none_is_refused_before_anything_is_searched():
    with pytest.raises(InvalidRequest, match=r"tools\[2\]\.metadata_filter: at character 1"):
        async with opened(Searcher(), declare(metadata_filter="Kafka")):
            pass


async def test_a_search_is_of_the_stores_the_number_and_the_filter_of_the_request():
    searcher = Searcher()
    async with opened(searcher, declare("books-1", "news-1", top_k=3, metadata_filter="year = 1915")) as tool:
        await tool.call(NAME, {"query": "  Who woke?  "})
    assert searcher.asked == [("ann", ["books-1", "news-1"], "Who woke?", 3, "year = 1915")]


async def test_a_filter_that_takes_too_long_is_a_result_that_says_so():
    class Slow(Searcher):
        async def search(self, *given: Any, **named: Any) -> Sequence[Found]:
            raise InvalidRequest("the filter takes too long")

    async with opened(Slow(), declare(metadata_filter="year = 1915")) as tool:
        outcome = await tool.call(NAME, {"query": "Who woke?"})
    assert outcome.is_error
    assert "the filter takes too long" in str(outcome.told)


async def test_the_model_reads_passages_with_their_places_and_clients_see_them():
    searcher = Searcher(Found(Chunk("Gregor woke.", 3, "page 3"), BOOK), Found(Chunk("It rained."), NAMELESS))
    async with opened(searcher, declare()) as tool:
        outcome = await tool.call(NAME, {"query": "Who woke?"})
        assert tool.shown(NAME, {"query": "Who woke?"}) == ({}, {})
    assert outcome.told == "[1] Kafka.pdf, page 3\nGregor woke.\n\n[2] d-2\nIt rained."
    assert outcome.result == [
        {
            "title": "Kafka.pdf",
            "text": "Gregor woke.",
            "file_search_store": "fileSearchStores/books-1",
            "document_uri": "fileSearchStores/books-1/documents/kafka-1",
            "page_number": 3,
        },
        {
            "title": "d-2",
            "text": "It rained.",
            "file_search_store": "fileSearchStores/books-1",
            "document_uri": "fileSearchStores/books-1/documents/d-2",
        },
    ]
    assert not outcome.is_error


async def test_each_passage_is_a_source_with_its_page_and_metadata():
    searcher = Searcher(Found(Chunk("Gregor woke.", 3, "page 3"), BOOK), Found(Chunk("It rained."), NAMELESS))
    async with opened(searcher, declare()) as tool:
        first, second = (await tool.call(NAME, {"query": "Who woke?"})).sources
    assert first.text == "Gregor woke."
    assert first.citation == {
        "type": "file_citation",
        "document_uri": "fileSearchStores/books-1/documents/kafka-1",
        "file_name": "Kafka.pdf",
        "source": "fileSearchStores/books-1/documents/kafka-1",
        "page_number": 3,
        "custom_metadata": {"year": 1915, "tags": ["novella", "prague"]},
    }
    assert set(second.citation) == {"type", "document_uri", "file_name", "source"}


@pytest.mark.parametrize("arguments", [{}, {"query": ""}, {"query": "  "}, {"query": None}])
async def test_a_call_without_a_query_says_so(arguments: dict[str, Any]):
    searcher = Searcher()
    async with opened(searcher, declare()) as tool:
        outcome = await tool.call(NAME, arguments)
    assert outcome.is_error
    assert "query" in str(outcome.told)
    assert searcher.asked == []


@pytest.mark.parametrize(("said", "word"), [({}, "Try other words"), ({"metadata_filter": "a=1"}, "metadata_filter")])
async def test_where_nothing_is_found_the_model_is_told_so(said: dict[str, Any], word: str):
    async with opened(Searcher(), declare(**said)) as tool:
        outcome = await tool.call(NAME, {"query": "beetle"})
    assert (outcome.result, outcome.is_error) == ([], False)
    assert word in str(outcome.told)


async def test_no_more_is_told_than_a_model_can_use():
    searcher = Searcher(*[Found(Chunk(f"{n} " + "x" * 3000), BOOK) for n in range(50)])
    async with opened(searcher, declare(top_k=50)) as tool:
        outcome = await tool.call(NAME, {"query": "y" * 5000})
    assert len(str(outcome.told)) < TOLD + 1000
    assert len(outcome.sources) == 6
    assert "44 more passages were left out" in str(outcome.told)
    assert len(searcher.asked[0][2]) == 1000


async def test_one_passage_that_is_too_long_is_told_all_the_same():
    async with opened(Searcher(Found(Chunk("x" * 2 * TOLD), BOOK)), declare()) as tool:
        assert len((await tool.call(NAME, {"query": "x"})).sources) == 1
