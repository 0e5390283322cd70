"""The index: what is put in is found, what is taken out is not, and a search sees one state of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support import within
from turnwise.tools.google_search.chunks import Chunk
from turnwise.tools.google_search.engine import Hit, SearchFailed
from turnwise.tools.google_search.folder import FolderEngine
from turnwise.tools.google_search.index import Entry, Index, IndexUnusable, find, open_for_search, open_index


def entry(path: str, title: str, *chunks: Chunk | str) -> Entry:
    cut = [Chunk(chunk) if isinstance(chunk, str) else chunk for chunk in chunks]
    return Entry(path, 1, 1, "", title, cut)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.db"


@pytest.fixture
def index(path: Path) -> Iterator[Index]:
    with open_index(path) as opened:
        yield opened


def search(path: Path, query: str, limit: int = 8) -> list[Hit]:
    with closing(open_for_search(path)) as connection:
        return find(connection, query, limit)


def urls(hits: list[Hit]) -> list[str]:
    return [hit.url for hit in hits]


def test_documents_are_found_by_their_words(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "handbook", None)
    index.put(folder, [entry("leave.md", "Leave", "Thirty days a year."), entry("pay.md", "Pay", "On the last day.")])
    assert search(path, "How many days?") == [
        Hit("handbook/leave.md", "Leave", "Thirty days a year."),
        Hit("handbook/pay.md", "Pay", "On the last day."),
    ]
    assert urls(search(path, "thirty")) == ["handbook/leave.md"]


def test_titles_count_more_than_headings_and_those_more_than_text(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "d", None)
    index.put(
        folder,
        [
            entry("text.md", "Some words", "about otters in general"),
            entry("heading.md", "Some words", Chunk("about nothing in general", "Otters")),
            entry("title.md", "About otters", "about nothing in general"),
        ],
    )
    assert urls(search(path, "otters")) == ["d/title.md", "d/heading.md", "d/text.md"]


def test_pages_are_hits_of_their_own_and_other_chunks_of_a_document_are_one(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "d", None)
    pages = [Chunk(f"otters on a page {'x' * number}", "", f"page {number}") for number in (1, 2, 2, 3, 4)]
    index.put(folder, [entry("a.pdf", "A", *pages), entry("b.md", "B", "otters one", "otters two")])
    found = search(path, "otters")
    assert {hit.url for hit in found if hit.url.startswith("d/b.md")} == {"d/b.md"}
    (together,) = (hit.text for hit in found if hit.url == "d/b.md")
    assert sorted(together.split("\n...\n")) == ["otters one", "otters two"]
    assert 1 < sum(hit.url.startswith("d/a.pdf#page=") for hit in found) <= 3


def test_where_a_chunk_stands_is_said_unless_it_says_so_itself(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "d", None)
    index.put(
        folder,
        [
            entry("a", "A", Chunk("otters swim", "Animals > Otters", "page 2")),
            entry("b", "B", Chunk("## Otters\nswim too", "Animals > Otters")),
        ],
    )
    assert {hit.text for hit in search(path, "otters")} == {
        "(page 2, Animals > Otters)\notters swim",
        "## Otters\nswim too",
    }


def test_copies_are_found_once(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "d", None)
    index.put(folder, [entry("a.md", "Otters", "otters"), entry("b.md", "Otters", "otters"), entry("c", "otters", "")])
    index.put(folder, [entry("d", "otters", "")])
    assert sorted(urls(search(path, "otters")))[-2:] == ["d/c", "d/d"]
    assert len(search(path, "otters")) == 3


def test_names_are_quoted_as_addresses_are(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "my docs", None)
    index.put(folder, [entry("über uns/a#b?.md", "A", "otters")])
    assert urls(search(path, "otters")) == ["my%20docs/%C3%BCber%20uns/a%23b%3F.md"]


@pytest.mark.parametrize("url", ["https://docs.example/handbook", "https://docs.example/handbook/"])
def test_a_folder_with_an_address_gives_addresses(path: Path, index: Index, url: str):
    folder = index.keep_folder(Path("/docs"), "d", url)
    index.put(folder, [entry("a b.pdf", "A", Chunk("otters", "", "page 3"))])
    assert urls(search(path, "otters")) == ["https://docs.example/handbook/a%20b.pdf#page=3"]


def test_what_is_put_again_replaces_what_was_there(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "d", None)
    index.put(folder, [entry("a.md", "Otters 水獭", "swim in 中国")])
    index.put(folder, [entry("a.md", "Cats", "sleep")])
    assert [search(path, query) for query in ("otters", "swim", "水獭", "中国")] == [[]] * 4
    assert urls(search(path, "cats")) == ["d/a.md"]


def test_what_is_taken_out_is_not_found(path: Path, index: Index):
    kept, gone = (index.keep_folder(Path(f"/{name}"), name, None) for name in ("kept", "gone"))
    for folder in (kept, gone):
        index.put(folder, [entry("a.md", "Otters", f"swim {folder}")])
    index.forget_folder(gone)
    assert urls(search(path, "otters")) == ["kept/a.md"]
    assert [folder.name for folder in index.folders()] == ["kept"]
    index.remove([document.id for document in index.documents(kept).values()])
    assert search(path, "otters") == []
    index.tidy()


def test_the_full_text_index_stays_whole_through_all_of_this(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "d", None)
    for turn in range(3):
        index.put(folder, [entry(f"{number}.md", f"T{turn}", f"otters {number} 水") for number in range(20)])
        index.remove([document.id for document in list(index.documents(folder).values())[:5]])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        (chunks,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
        (found,) = connection.execute("SELECT count(*) FROM words WHERE words MATCH 'otters'").fetchone()
    assert chunks == found == 15


def test_a_search_sees_what_was_there_when_it_began(path: Path, index: Index):
    folder = index.keep_folder(Path("/docs"), "d", None)
    index.put(folder, [entry("a.md", "A", "otters")])
    with closing(open_for_search(path)) as connection:
        connection.execute("BEGIN")
        assert urls(find(connection, "otters", 8)) == ["d/a.md"]
        index.put(folder, [entry("b.md", "B", "more otters")])
        assert urls(find(connection, "otters", 8)) == ["d/a.md"]
    assert len(search(path, "otters")) == 2


def test_the_index_is_its_owners_alone(path: Path, index: Index):
    assert path.stat().st_mode & 0o077 == 0


def test_an_index_of_another_version_is_refused(path: Path):
    with open_index(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(IndexUnusable, match="another version"), open_index(path):
        pass
    with pytest.raises(IndexUnusable, match="another version"):
        open_for_search(path)


@pytest.fixture
def broken(path: Path) -> Path:
    """A file that is no index."""
    path.write_bytes(b"not a database" * 100)
    return path


def test_a_file_that_is_no_index_is_refused(broken: Path):
    with pytest.raises(IndexUnusable, match="cannot be opened"), open_index(broken):
        pass


async def test_the_engine_searches_beside_an_open_writer(path: Path, index: Index):
    engine = FolderEngine(path)
    assert engine.why_not() is not None
    folder = index.keep_folder(Path("/docs"), "d", None)
    index.put(folder, [entry("a.md", "A", "otters")])
    assert engine.why_not() is None
    assert urls(list(await within(engine.search("otters", "web_search", 8)))) == ["d/a.md"]
    await engine.close()


async def test_the_engine_says_what_to_do_where_there_is_no_index(path: Path):
    engine = FolderEngine(path)
    assert "turnwise index DIR" in (engine.why_not() or "")
    with pytest.raises(SearchFailed, match="turnwise index DIR"):
        await within(engine.search("otters", "web_search", 8))


async def test_the_engine_says_what_to_do_where_the_index_is_broken(broken: Path):
    engine = FolderEngine(broken)
    assert "remove search.db" in (engine.why_not() or "")
    with pytest.raises(SearchFailed, match=r"remove search\.db"):
        await within(engine.search("otters", "web_search", 8))
