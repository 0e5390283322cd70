"""`turnwise index`: brings the index of the search engine `folder` up to date.

Here two rooms meet that do not know one another: `media/` reads the files, in processes that may crash alone, and
`tools/google_search/` keeps what they say.
"""

import mimetypes
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias, get_args

from turnwise.domain.content import MediaType
from turnwise.domain.errors import InvalidRequest
from turnwise.media.media import Account, Kind, Material
from turnwise.media.media import Reader as MediaReader
from turnwise.settings import Settings, SettingsError
from turnwise.tools.google_search.chunks import Passage
from turnwise.tools.google_search.index import Folder, IndexUnusable, open_index
from turnwise.tools.google_search.indexing import FolderRefused, Reading, Report, add_folder, find_folder, update

Progress: TypeAlias = Callable[[Folder, int, int], None]
"""Told how many files of a folder were looked at, and how many there are."""

REASONS, EXAMPLES = 10, 3
"""How many reasons for not reading files are told, and how many files of each are named."""

_TITLE = re.compile(r", titled '(.+?)'(?=, |$)")
"""How the reader of PDF documents says what one is called."""


async def index_folders(
    settings: Settings,
    reader: MediaReader,
    paths: Sequence[Path],
    *,
    name: str | None = None,
    url: str | None = None,
    progress: Progress,
) -> list[Report]:
    """Index folders, each with what it was called before, if it is not called otherwise now. None: all that are known.

    Raises:
        SettingsError: one cannot be indexed, or the index cannot be used.
    """
    files = _FileReader(reader)
    reports = []
    try:
        with open_index(settings.search_index) as index:
            folders = [add_folder(index, path, name=name, url=url) for path in paths] or index.folders()
            for folder in folders:
                reports.append(await update(index, folder, files, partial(progress, folder)))
    except (FolderRefused, IndexUnusable) as error:
        raise SettingsError(error.message) from error
    return reports


def forget_folders(settings: Settings, paths: Sequence[Path]) -> list[Folder]:
    """Take folders out of the index.

    Raises:
        SettingsError: one is not indexed, or the index cannot be used.
    """
    try:
        with open_index(settings.search_index) as index:
            folders = [find_folder(index, path) for path in paths]
            for folder in folders:
                index.forget_folder(folder.id)
    except (FolderRefused, IndexUnusable) as error:
        raise SettingsError(error.message) from error
    return folders


def describe(report: Report) -> Iterator[str]:
    """What became of a folder, in lines for people: the counts, and the files that could not be read, by the reason."""
    folder = report.folder
    counts = {
        "new": report.added,
        "changed": report.changed,
        "gone": report.removed,
        "unchanged": report.unchanged,
    }
    total = report.added + report.changed + report.unchanged
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    yield f"{folder.name}: {total} document(s){f': {told}' if told else ''}"
    reasons = sorted(report.unread.items(), key=lambda item: -len(item[1]))
    for reason, files in reasons[:REASONS]:
        named = ", ".join(files[:EXAMPLES]) + (", ..." if len(files) > EXAMPLES else "")
        yield f"  not read: {len(files)} ({named}): {reason}"
    if rest := reasons[REASONS:]:
        yield f"  not read: {sum(len(files) for _, files in rest)} more, for {len(rest)} other reasons"


class _FileReader:
    """A `Reader` as `tools/google_search/indexing.py` wants it."""

    def __init__(self, reader: MediaReader) -> None:
        self._reader = reader

    def identify(self, path: Path) -> str:
        """The media type of a file, by its bytes. Which kind of text it is, its name says."""
        claimed = mimetypes.guess_type(path.name)[0] or ""
        if claimed.startswith("text/"):
            with suppress(InvalidRequest):  # then its name is wrong
                return self._reader.identify(path, claimed).mime_type
        return self._reader.identify(path, None).mime_type

    async def read(self, path: Path, mime_type: str, size: int, sha256: str) -> Reading:
        """What a file says."""
        account = await self._reader.read(Material(path, _kind(mime_type), size, sha256, path.name))
        passages = [Passage(passage.text, passage.place) for passage in account.passages]
        return Reading(_title(account), passages)


def _title(account: Account) -> str:
    if account.page is not None:
        return account.page.title
    found = _TITLE.search(account.facts)
    return found[1] if found else ""


def _kind(mime_type: str) -> Kind:
    major = mime_type.partition("/")[0]
    return Kind(next((type for type in get_args(MediaType) if type == major), "document"), mime_type)
