"""What a PDF says: its own text, page by page; and what stands on a page that is only a picture, read by OCR.

OCR takes seconds a page. So as many pages are read as there is time for, and those that were not are told of.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media import images, ocr
from turnwise.media.media import Account, Excerpt, Options, Passage
from turnwise.media.texts import cut, on_one_line

try:
    import pypdfium2 as pdfium
    from PIL.Image import Image
    from pypdfium2 import raw
except ImportError as error:
    raise Unimplemented(
        "PDF documents cannot be read: pypdfium2 is not installed on this machine; run: pip install pypdfium2"
    ) from error

PAGES = 3000
"""A document that has more is refused."""
TEXT = 16 * 1024**2
"""In characters: a document that says more is refused."""
OCR_PAGES = 100
"""So many pages are read by OCR, if there is time."""
OCR_SHARE = 0.7
"""Of the time that there is: when so much of it is over, no further page is read by OCR."""

SHARP, FIT = 200, 144
"""In dots per inch: for OCR, and for a model to look at."""
PIXELS = 12_000_000
"""The largest picture that is made of a page, which may be as large as a wall."""
FEW = 16
"""Characters: a page with fewer and with a picture on it is a picture, with its number printed over it."""

WRAPPED = "\ufffe"
"""Stands for a hyphen at which a word was wrapped; the rest of the word follows at once."""


def read(path: Path, options: Options) -> Account:
    """What a document says. Raises as `Reader.read` in `media.py` does."""
    with _opened(path) as document:
        pages = _Pages(document, options)
        passages = tuple(pages.passages())
        if pages.all_refused is not None:
            raise pages.all_refused
        facts = [f"PDF document, {_counted(len(document))}", *_metadata(document), *pages.remarks()]
        return Account(", ".join(facts), passages, pages.manner())


def pictures(path: Path, limit: int, options: Options) -> list[Excerpt]:
    """The first pages as pictures. Raises as `read` does."""
    with _opened(path) as document:
        return [
            images.as_excerpt(_render(document[at], FIT), f"page {at + 1}", lossless=True)
            for at in range(min(limit, len(document)))
        ]


@contextmanager
def _opened(path: Path) -> Iterator[pdfium.PdfDocument]:
    # A document without pages is told by the error of whichever document had one before: so let that be this one.
    raw.FPDF_LoadMemDocument64(b"", 0, None)
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise InvalidRequest(_why_not(error)) from None
    try:
        document.init_forms()
        if len(document) > PAGES:
            raise InvalidRequest(
                f"the PDF document has {len(document)} pages: at most {PAGES} are read, so give it in parts"
            )
        yield document
    finally:
        document.close()


def _why_not(error: pdfium.PdfiumError) -> str:
    match error.err_code:
        case raw.FPDF_ERR_PASSWORD:
            return "the PDF document is encrypted and needs a password, which cannot be given: give it unencrypted"
        case raw.FPDF_ERR_SECURITY:
            return "the PDF document is encrypted in a way that is not known: give it unencrypted"
        case _:
            return "the PDF document is broken, or has no pages: it cannot be opened"


class _Pages:
    """Reads the pages of a document, and remembers how it went."""

    def __init__(self, document: pdfium.PdfDocument, options: Options) -> None:
        self._document = document
        self._options = options
        self._until = time.monotonic() + options.seconds * OCR_SHARE
        self._by_ocr: list[int] = []
        self._too_many: list[int] = []
        self._unread: list[int] = []
        self._broken: list[int] = []
        self._empty: list[int] = []

    @property
    def all_refused(self) -> InvalidRequest | Unimplemented | None:
        """Why there is nothing at all, if there is nothing."""
        if len(self._broken) == len(self._document):
            return InvalidRequest("the PDF document is broken: none of its pages can be opened")
        if len(self._unread) == len(self._document):
            return Unimplemented(
                f"the PDF document has no text, only pictures of pages: {ocr.why_not(self._options.ocr)}"
            )
        return None

    def passages(self) -> Iterator[Passage]:
        """All pages, in order."""
        said = 0
        for at in range(len(self._document)):
            text = self._read(at)
            said += len(text)
            if said > TEXT:
                raise InvalidRequest(f"the PDF document has more than {TEXT} characters of text: give it in parts")
            yield from (Passage(piece, f"page {at + 1}") for _, piece in cut(text))

    def remarks(self) -> Iterator[str]:
        """What is to be known about how it was read."""
        if self._by_ocr and len(self._by_ocr) < len(self._document):
            yield f"{_named(self._by_ocr)} without text, read by OCR"
        if self._empty:
            yield f"{_named(self._empty)} empty"
        if self._too_many:
            yield f"{_named(self._too_many)} not read (a picture without text, and OCR of more of them takes too long)"
        if self._unread:
            yield f"{_named(self._unread)} not read (a picture without text; {ocr.why_not(self._options.ocr)})"
        if self._broken:
            yield f"{_named(self._broken)} not read (broken)"

    def manner(self) -> str:
        """How the words were had."""
        return "read by OCR" if len(self._by_ocr) == len(self._document) else ""

    def _read(self, at: int) -> str:
        try:
            page = self._page(at)
            try:
                text = _own_text(page)
                has_picture = _is_picture(page, text)
                return self._read_picture(page, at, text) if has_picture else self._own(at, text)
            finally:
                page.close()
        except pdfium.PdfiumError:
            self._broken.append(at)
            return ""

    def _page(self, at: int) -> pdfium.PdfPage:
        """A page. What was filled into its forms becomes text of it, which shows when it is opened again."""
        page = self._document[at]
        if page.formenv is None:
            return page
        page.flatten()
        page.close()
        return self._document[at]

    def _own(self, at: int, text: str) -> str:
        if not text.strip():
            self._empty.append(at)
        return text

    def _read_picture(self, page: pdfium.PdfPage, at: int, text: str) -> str:
        if ocr.chosen(self._options.ocr) is None:
            self._unread.append(at)
            return text
        if len(self._by_ocr) >= OCR_PAGES or time.monotonic() > self._until:
            self._too_many.append(at)
            return text
        try:
            seen = ocr.read_text(_render(page, SHARP), self._options.ocr)
        except InvalidRequest:  # this page alone takes too long
            self._too_many.append(at)
            return text
        self._by_ocr.append(at)
        return seen if len(seen) > len(text) else text


def _own_text(page: pdfium.PdfPage) -> str:
    words = page.get_textpage()
    try:
        text = words.get_text_range()
    finally:
        words.close()
    return str(text).replace("\r\n", "\n").replace("\r", "\n").replace(WRAPPED, "").replace("\0", "")


def _is_picture(page: pdfium.PdfPage, text: str) -> bool:
    """Whether what is on a page has to be looked at: there is something, but next to no text."""
    characters = len("".join(text.split()))
    if characters >= FEW:
        return False
    wanted = [raw.FPDF_PAGEOBJ_IMAGE] if characters else []
    return any(True for _ in islice(page.get_objects(filter=wanted, max_depth=3), 1))


def _render(page: pdfium.PdfPage, dots: int) -> Image:
    """A page as a picture with so many dots per inch, or fewer if it is large."""
    width, height = page.get_size()
    scale = min(dots / 72, (PIXELS / max(1.0, width * height)) ** 0.5)
    picture: Image = page.render(scale=scale).to_pil().convert("RGB")
    return picture


def _metadata(document: pdfium.PdfDocument) -> Iterator[str]:
    for key, words in (("Title", "titled '{}'"), ("Author", "by {}")):
        value = on_one_line(document.get_metadata_value(key))
        if value:
            yield words.format(value)


def _counted(pages: int) -> str:
    return "1 page" if pages == 1 else f"{pages} pages"


def _named(pages: Iterable[int]) -> str:
    """`page 3`, `pages 3 to 5, 9`."""
    stretches: list[list[int]] = []
    for page in pages:
        if stretches and stretches[-1][-1] == page:
            stretches[-1][-1] = page + 1
        else:
            stretches.append([page + 1, page + 1])
    words = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in stretches)
    return f"page {words}" if words.isdigit() else f"pages {words}"
