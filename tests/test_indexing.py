"""Indexing: real files, read in the processes that read them, found by the real engine."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from support import within
from turnwise.indexing import describe, forget_folders, index_folders
from turnwise.media.media import Account, Excerpt, Kind, Material, Passage
from turnwise.media.process import Bounds, Processes
from turnwise.media.readers import Readers
from turnwise.settings import Settings, SettingsError
from turnwise.tools.google_search.engine import Hit
from turnwise.tools.google_search.folder import FolderEngine
from turnwise.tools.google_search.indexing import Report


class Counted(Readers):
    """The readers, and what they were asked to read."""

    def __init__(self) -> None:
        super().__init__(Processes(Bounds(seconds=60)), max_bytes=1 << 30, seconds=60, ocr="off")
        self.read_files: list[str] = []

    async def read(self, material: Material) -> Account:
        self.read_files.append(str(material.name))
        return await super().read(material)


class Home:
    """A data directory, folders beside it, and readers."""

    def __init__(self, place: Path, readers: Counted) -> None:
        self.settings = Settings(data_dir=place / "data")
        self.settings.data_dir.mkdir()
        self.docs = place / "handbook"
        self.docs.mkdir()
        self.readers = readers
        self.progress: list[tuple[int, int]] = []

    async def index(self, *folders: Path, **options: str) -> Report:
        """Index folders, and tell of the first one."""
        self.readers.read_files.clear()
        self.progress.clear()
        reports = await index_folders(
            self.settings,
            self.readers,
            folders,
            progress=lambda folder, done, of: self.progress.append((done, of)),
            **options,
        )
        return reports[0]

    async def search(self, query: str) -> list[Hit]:
        return list(await within(FolderEngine(self.settings.search_index).search(query, "web_search", 8)))

    async def urls(self, query: str) -> list[str]:
        return [hit.url for hit in await self.search(query)]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    readers = Counted()
    yield Home(tmp_path, readers)
    await readers.close()


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def write_pdf(path: Path) -> None:
    canvas = Canvas(str(path))
    canvas.setTitle("Safety rules")
    for text in ("Wear a helmet.", "Never feed the walrus.", "Wash your hands."):
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()


async def test_documents_of_every_kind_are_found_with_title_and_page(home: Home):
    (home.docs / "people").mkdir()
    (home.docs / "people" / "leave.md").write_text("# Leave\n\n## Parents\n\nParents have two years.\n")
    (home.docs / "canteen.html").write_text(
        "<html><head><title>The canteen</title></head><body><p>Soup is served at noon.</p></body></html>"
    )
    (home.docs / "notes.txt").write_text("The boiler is repaired on Tuesday.")
    (home.docs / "prices.csv").write_text("what,price\ncompass,12 EUR\n")
    write_pdf(home.docs / "safety.pdf")
    report = await home.index(home.docs)
    assert (counts(report), report.unread) == ((5, 0, 0, 0), {})
    assert await home.search("How long may parents be away?") == [
        Hit("handbook/people/leave.md", "Leave", "# Leave\n\n## Parents\n\nParents have two years.")
    ]
    assert await home.search("When is soup served?") == [
        Hit("handbook/canteen.html", "The canteen", "Soup is served at noon.")
    ]
    assert await home.urls("boiler") == ["handbook/notes.txt"]
    assert await home.urls("compass price") == ["handbook/prices.csv"]
    assert await home.search("May I feed the walrus?") == [
        Hit("handbook/safety.pdf#page=2", "Safety rules", "(page 2)\nNever feed the walrus.")
    ]
    assert home.progress[-1] == (5, 5)


async def test_a_long_web_page_is_found_by_its_headings(home: Home):
    pytest.importorskip("trafilatura")
    rules = "".join(f"<h2>Rule {name}</h2><p>{'Everybody keeps to it, always. ' * 25}</p>" for name in ("one", "two"))
    (home.docs / "rules.html").write_text(
        f"<html><head><title>The rules</title></head><body><nav>Home</nav><article><h1>Rules</h1>{rules}</article>"
        "<footer>Printed in Bergen</footer></body></html>"
    )
    await home.index(home.docs)
    (hit,) = await home.search("rule two")
    assert (hit.title, hit.text.splitlines()[0]) == ("The rules", "## Rule two")
    assert await home.urls("Bergen") == ["handbook/rules.html"]


async def test_only_what_is_new_or_changed_is_read_again(home: Home):
    for name in ("a", "b", "c"):
        (home.docs / f"{name}.md").write_text(f"About {name}{name}{name}.")
    await home.index(home.docs)
    assert counts(await home.index(home.docs)) == (0, 0, 0, 3)
    assert home.readers.read_files == []

    (home.docs / "a.md").write_text("About zebras.")
    (home.docs / "b.md").unlink()
    os.utime(home.docs / "c.md", (1, 1))
    (home.docs / "d.md").write_text("About ddd.")
    assert counts(await home.index(home.docs)) == (1, 1, 1, 1)
    assert sorted(home.readers.read_files) == ["a.md", "d.md"]
    assert [await home.urls(word) for word in ("aaa", "bbb")] == [[], []]
    assert [await home.urls(word) for word in ("zebras", "ccc", "ddd")] == [
        ["handbook/a.md"],
        ["handbook/c.md"],
        ["handbook/d.md"],
    ]
    assert counts(await home.index(home.docs)) == (0, 0, 0, 3)


async def test_what_cannot_be_read_is_told_and_no_longer_found(home: Home):
    (home.docs / "a.pdf").write_text("Otters, which begin as a text")
    (home.docs / "good.md").write_text("About otters.")
    await home.index(home.docs)
    assert len(await home.urls("otters")) == 2
    (home.docs / "a.pdf").write_bytes(b"%PDF-1.7 broken")
    (home.docs / "b.zip").write_bytes(b"PK\x03\x04" + bytes(60))
    (home.docs / "empty.md").touch()
    report = await home.index(home.docs)
    assert counts(report) == (0, 0, 1, 1)
    assert sorted(file for files in report.unread.values() for file in files) == ["a.pdf", "b.zip", "empty.md"]
    assert any("ZIP archive" in reason for reason in report.unread)
    assert await home.urls("otters") == ["handbook/good.md"]
    told = "\n".join(describe(report))
    assert told.startswith("handbook: 1 document(s): 1 gone, 1 unchanged\n")
    assert "not read: 1 (b.zip): " in told


async def test_hidden_files_links_and_things_that_are_no_files_are_left_out(home: Home, tmp_path: Path):
    secret = tmp_path / "secret.md"
    secret.write_text("otters")
    (home.docs / ".git").mkdir()
    (home.docs / ".git" / "a.md").write_text("otters")
    (home.docs / ".hidden.md").write_text("otters")
    (home.docs / "link.md").symlink_to(secret)
    (home.docs / "linked").symlink_to(tmp_path)
    os.mkfifo(home.docs / "pipe")
    (home.docs / "seen.md").write_text("otters")
    report = await home.index(home.docs)
    assert (counts(report), report.unread) == ((1, 0, 0, 0), {})
    assert await home.urls("otters") == ["handbook/seen.md"]


async def test_a_name_that_is_no_text_is_told(home: Home):
    try:
        (home.docs / os.fsdecode(b"a\xff.md")).write_text("otters")
    except OSError:
        pytest.skip("this file system takes no such names")
    report = await home.index(home.docs)
    assert report.unread == {"its name is not valid UTF-8": ["a\ufffd.md"]}
    assert "a\ufffd.md" in "\n".join(describe(report)).encode().decode()


async def test_several_folders_stand_side_by_side_and_are_brought_up_to_date_together(home: Home, tmp_path: Path):
    other = tmp_path / "recipes"
    other.mkdir()
    (other / "soup.md").write_text("otters like soup")
    (home.docs / "a.md").write_text("otters")
    await home.index(home.docs)
    await home.index(other)
    assert sorted(await home.urls("otters")) == ["handbook/a.md", "recipes/soup.md"]
    (other / "soup.md").unlink()
    (other / "stew.md").write_text("otters like stew")
    reports = await index_folders(home.settings, home.readers, [], progress=lambda *told: None)
    assert [(report.folder.name, counts(report)) for report in reports] == [
        ("handbook", (0, 0, 0, 1)),
        ("recipes", (1, 0, 1, 0)),
    ]
    assert [folder.name for folder in forget_folders(home.settings, [other])] == ["recipes"]
    assert await home.urls("otters") == ["handbook/a.md"]


async def test_a_folder_is_called_as_it_is_told_to_be_until_it_is_told_otherwise(home: Home):
    (home.docs / "a.md").write_text("otters")
    await home.index(home.docs, name="manuals", url="https://docs.example/m/")
    assert await home.urls("otters") == ["https://docs.example/m/a.md"]
    await home.index(home.docs)
    assert await home.urls("otters") == ["https://docs.example/m/a.md"]
    await home.index(home.docs, url="")
    assert await home.urls("otters") == ["manuals/a.md"]


async def test_folders_that_cannot_be_are_refused(home: Home, tmp_path: Path):
    (home.docs / "inner").mkdir()
    twin = tmp_path / "elsewhere" / "handbook"
    twin.mkdir(parents=True)
    await home.index(home.docs)
    refusals = {
        (tmp_path / "nowhere",): "there is no folder at",
        (home.docs / "inner",): "lie one in the other",
        (tmp_path,): "lie one in the other",
        (twin,): "give this one another name with --name",
    }
    for folders, said in refusals.items():
        with pytest.raises(SettingsError, match=said):
            await home.index(*folders)
    for options, said in (({"name": "a/b"}, "cannot be a folder's name"), ({"url": "docs"}, "is no address")):
        with pytest.raises(SettingsError, match=said):
            await home.index(home.docs, **options)
    with pytest.raises(SettingsError, match="is not indexed"):
        forget_folders(home.settings, [twin])
    await home.index(twin, name="other")


async def test_a_folder_that_is_gone_is_not_taken_for_an_empty_one(home: Home):
    (home.docs / "a.md").write_text("otters")
    await home.index(home.docs)
    home.docs.rename(home.docs.with_name("away"))
    with pytest.raises(SettingsError, match=r"there is no folder at .*--forget"):
        await index_folders(home.settings, home.readers, [], progress=lambda *told: None)
    assert await home.urls("otters") == ["handbook/a.md"]
    forget_folders(home.settings, [home.docs])
    assert await home.urls("otters") == []


async def test_indexing_that_breaks_off_keeps_what_was_written_and_goes_on(home: Home):
    for number in range(150):
        (home.docs / f"{number:03}.txt").write_text(f"otters {number}")

    class Interrupted(Exception):
        pass

    def progress(folder: object, done: int, of: int) -> None:
        if done == 120:
            raise Interrupted

    with pytest.raises(Interrupted):
        await index_folders(home.settings, home.readers, [home.docs], progress=progress)
    report = await home.index(home.docs)
    assert counts(report) == (50, 0, 0, 100)


async def test_ten_thousand_documents_are_indexed_in_a_bounded_time(home: Home):
    """Those that a reader gives: how fast files are read is another matter. It takes some six seconds."""
    for part in range(100):
        folder = home.docs / f"part{part}"
        folder.mkdir()
        for number in range(100):
            (folder / f"{number}.txt").touch()

    class Told:
        """A reader that says of each file what its name says."""

        def identify(self, path: Path, claimed: str | None) -> Kind:
            return Kind("document", "text/plain")

        async def read(self, material: Material) -> Account:
            said = f"{material.path.parent.name} says {material.name} of otters. " * 20
            return Account("text, 1 line", (Passage(said), Passage(f"{said} And of {material.path.parent.name}.")))

        async def pictures(self, material: Material, limit: int) -> list[Excerpt]:
            raise NotImplementedError

        async def as_sound(self, material: Material) -> Excerpt | None:
            raise NotImplementedError

    async with asyncio.timeout(120):
        (report,) = await index_folders(home.settings, Told(), [home.docs], progress=lambda *told: None)
    assert counts(report) == (10_000, 0, 0, 0)
    assert (await home.urls("part42"))[0].startswith("handbook/part42/")
