"""Going to an address and reading what stands there: a page, a PDF, an image, a text, or whatever else can be read.

    visits = Visits(fetcher, reader)
    visit = await visits.visit("https://some.example/report")

What goes wrong is no exception but a visit that says so: whoever reads several addresses goes on with the others.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias
from urllib.parse import unquote, urljoin

from turnwise.domain.errors import InvalidRequest, TurnwiseError
from turnwise.media.fetch import NothingGiven
from turnwise.media.guard import Unsafe
from turnwise.media.kinds import NOTHING_CLAIMED
from turnwise.media.media import Account, Fetched, Fetcher, Kind, Link, Material, Passage, Reader
from turnwise.media.pages import TYPES

Status: TypeAlias = Literal["success", "error", "paywall", "unsafe"]

PAGE_SECONDS = 30.0
"""How long reading a web page may take: they are small, and some are made to keep a reader busy."""

TEASER = 1000
"""In characters: so much is told of what only some may read."""

_PAYWALL = re.compile(rb"paywall|subscri(?:be|ption)|isAccessibleForFree|abonn(?:ement|ier|ez)|members.only", re.I)


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of going to an address."""

    url: str
    """The address behind all redirects."""
    status: Status
    problem: str = ""
    """Why there is nothing, or not all, and what to do."""
    title: str = ""
    facts: str = ""
    """As in `Account`."""
    manner: str = ""
    """As in `Account`."""
    passages: Sequence[Passage] = ()
    links: Sequence[Link] = ()
    """Where a web page leads, as whole addresses."""


class Visits:
    """Reads what stands at addresses."""

    def __init__(
        self,
        fetcher: Fetcher,
        reader: Reader,
        *,
        scratch: Path | None = None,
        page_seconds: float = PAGE_SECONDS,
    ) -> None:
        """In `scratch`, files stand while they are read. None: where the system has such files."""
        self._fetcher = fetcher
        self._reader = reader
        self._scratch = scratch
        self._page_seconds = page_seconds

    async def visit(self, url: str) -> Visit:
        """Go there, and read. Cancelling ends both, and leaves nothing behind."""
        try:
            with TemporaryDirectory(prefix="turnwise-", dir=self._scratch) as folder:
                path = Path(folder) / "file"
                fetched = await self._fetcher.fetch(url, path)
                return _told(fetched, await self._read(path, fetched))
        except Unsafe as error:
            return Visit(url, "unsafe", error.message)
        except NothingGiven as error:
            if error.status == 402 or (error.status in (401, 403) and _PAYWALL.search(error.words)):
                return Visit(url, "paywall", f"it is only for those who pay for it (HTTP {error.status})")
            return Visit(url, "error", error.message)
        except TurnwiseError as error:
            return Visit(url, "error", error.message)

    async def _read(self, path: Path, fetched: Fetched) -> Account:
        kind = await asyncio.to_thread(self._identified, path, fetched)
        material = Material(path, kind, fetched.size, await asyncio.to_thread(_sha256, path), _name(fetched.url))
        if kind.mime_type.partition(";")[0] not in TYPES:
            return await self._reader.read(material)
        try:
            async with asyncio.timeout(self._page_seconds):
                return await self._reader.read(material)
        except TimeoutError:
            raise InvalidRequest(f"the page could not be read within {self._page_seconds:g} s") from None

    def _identified(self, path: Path, fetched: Fetched) -> Kind:
        """What a file is: as its server says if its bytes agree, else by its bytes alone."""
        claim = fetched.content_type
        if claim in NOTHING_CLAIMED:
            return self._reader.identify(path, None)
        for said in dict.fromkeys((f"{claim}; charset={fetched.charset}" if fetched.charset else claim, claim)):
            with suppress(InvalidRequest):
                return self._reader.identify(path, said)
        return self._reader.identify(path, None)


def _told(fetched: Fetched, account: Account) -> Visit:
    name = _name(fetched.url)
    visit = Visit(fetched.url, "success", "", name, account.facts, account.manner, account.passages)
    if account.page is None:
        return visit
    title = account.page.title or name
    if not account.page.is_free:
        problem = "the page says that not everybody may read all of it: this is its beginning"
        return replace(visit, status="paywall", problem=problem, title=title, passages=_beginning(account.passages))
    return replace(visit, title=title, links=_absolute(account, fetched.url))


def _beginning(passages: Sequence[Passage]) -> Sequence[Passage]:
    return [replace(passage, text=passage.text[:TEASER]) for passage in passages[:1]]


def _absolute(account: Account, url: str) -> list[Link]:
    """The links of a page as whole addresses, those to the page itself left out."""
    assert account.page is not None
    links: dict[str, Link] = {}
    for link in account.page.links:
        with suppress(ValueError):  # as for `http://[`
            target = urljoin(urljoin(url, account.page.base), link.url).partition("#")[0]
            if target.startswith(("http://", "https://")) and target != url:
                links.setdefault(target, Link(link.text, target))
    return list(links.values())


def _name(url: str) -> str:
    """What a file is called, if its address says it."""
    return unquote(url.partition("?")[0].partition("://")[2].partition("/")[2].rstrip("/").rpartition("/")[2])[:200]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
