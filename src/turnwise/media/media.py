"""The contract of what comes in that is not text: what a file is, what it says as words, and what can be seen in it.

A file is known by its bytes, never by what it is called. What is read out of it is read in a process of its own, which
may crash or be ended alone: a file is somebody else's, and may be made to do harm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from turnwise.domain.content import MediaType


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is, by its bytes."""

    type: MediaType
    mime_type: str


@dataclass(frozen=True, slots=True)
class Material:
    """A file that was given, on this machine's disk."""

    path: Path
    kind: Kind
    size: int
    """In bytes."""
    sha256: str
    """Of its bytes, in hexadecimal."""
    name: str | None = None
    """What the prompt calls it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of what a file says, short enough to be chosen or left out as a whole."""

    text: str
    place: str = ""
    """Where it stands, for people: `page 3`, `00:12`. Empty: the file has no places."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a web page leads."""

    text: str
    """What stands there to be clicked on. It may be empty."""
    url: str
    """As the page has it: often relative to the page's own address."""


@dataclass(frozen=True, slots=True)
class WebPage:
    """What a web page says beside its text."""

    title: str = ""
    links: tuple[Link, ...] = ()
    """Those in its main part first."""
    base: str = ""
    """What relative links are relative to, if not to the page's own address."""
    is_free: bool = True
    """Whether everybody may read all of it, by its own words: behind a paywall a page may say that it is not."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a file says as words."""

    facts: str
    """One line that is true of the whole: `PDF document, 300 pages`, `PNG image, 640 x 480 pixels, mostly white`."""
    passages: tuple[Passage, ...] = ()
    """In the order in which they stand."""
    manner: str = ""
    """How the words were had, if not read as they stand: `read by OCR`, `written down from speech`."""
    page: WebPage | None = None
    """None: it is no web page."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a model with eyes or ears is given of a file: a picture, or a sound."""

    data: bytes
    mime_type: str
    place: str = ""
    """As in `Passage`."""


def _nobody_waits(seconds: float) -> None:
    """More time than there is cannot be asked for."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be read, inside the process that reads it."""

    mime_type: str
    """As in `Kind`: what the file is, by its bytes."""
    ocr: str = "auto"
    """Who reads text in pictures: `auto`, `tesseract`, `rapidocr` or `off`."""
    speech: str = "whisper-base"
    """What the weights that write down speech are called, for `turnwise pull`."""
    speech_weights: Path | None = None
    """Where they are. None: they are not on this machine."""
    seconds: float = 120.0
    """How long reading may take. What can be read in part stops in time, and says what it left out."""
    more_time: Callable[[float], None] = field(default=_nobody_waits, compare=False)
    """Asks for so many seconds, counted from now, where a recording takes long to be written down."""


class Reader(Protocol):
    """Reads files of every kind. `media/readers.py` is the real one."""

    def identify(self, path: Path, claimed: str | None) -> Kind:
        """What a file is, by its bytes. A text file is of the kind that is claimed, if that is one of text.

        `claimed` is a media type, or only the first half of one, as `audio/*`; None: nothing is claimed.

        Raises:
            InvalidRequest: it is nothing that can be read, or not what is claimed; the message says what it is.
        """

    async def read(self, material: Material) -> Account:
        """What a file says. The same file is read once as long as it is remembered.

        Raises:
            InvalidRequest: it is broken, encrypted, or more than is read.
            Unimplemented: a part is not on this machine; the message names it and the command that adds it.
        """

    async def pictures(self, material: Material, limit: int) -> Sequence[Excerpt]:
        """At most so many pictures: of an image itself, frames of a video spread over its time, pages of a document.

        Raises:
            InvalidRequest: as `read`.
        """

    async def as_sound(self, material: Material) -> Excerpt | None:
        """The sound of an audio or a video file as WAV, 16 bits, mono, 16 kHz. None: it has no sound.

        Raises:
            InvalidRequest: as `read`.
        """


@dataclass(frozen=True, slots=True)
class Fetched:
    """What stood at an address."""

    url: str
    """The address behind all redirects."""
    content_type: str
    """As the server said, without parameters; empty if it did not."""
    size: int
    status: int = 200
    charset: str = ""
    """As the server said; empty if it did not."""


class Fetcher(Protocol):
    """Fetches from addresses that others chose. `media/fetch.py` is the real one."""

    async def fetch(self, url: str, into: Path, *, limit: int | None = None) -> Fetched:
        """Fetch a file, of at most `limit` bytes.

        Raises:
            InvalidRequest: an address that may not be reached, or that has nothing, too much, or is too slow.
        """
