"""What a document says: a PDF page by page (`pdf.py`), a web page (`pages.py`), a text line by line (`texts.py`)."""

from pathlib import Path

from turnwise.media import pages, texts
from turnwise.media.media import Account, Excerpt, Options


def read(path: Path, options: Options) -> Account:
    """What a document says. Raises as `Reader.read` in `media.py` does."""
    if options.mime_type == "application/pdf":
        from turnwise.media import pdf

        return pdf.read(path, options)
    if options.mime_type.partition(";")[0] in pages.TYPES:
        return pages.read(path, options)
    return texts.read(path, options)


def pictures(path: Path, limit: int, options: Options) -> list[Excerpt]:
    """The first pages of a PDF as pictures; a text has none. Raises as `read` does."""
    if options.mime_type == "application/pdf":
        from turnwise.media import pdf

        return pdf.pictures(path, limit, options)
    return []
