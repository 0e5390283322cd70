"""Where the weights of an embedded model come from, and where they are kept.

    builtin                                 the default model, which `weights.py` fetches
    /models/some.gguf                       a file, which stays where it is
    https://example.com/some.gguf           fetched once, into MODELS_DIR/example.com/some.gguf
    hf:OWNER/REPO/some.gguf[@REVISION]      fetched once, into MODELS_DIR/hf/OWNER/REPO[@REVISION]/some.gguf

What was fetched is never fetched again, whatever has become of it where it came from: remove the file to have it anew.
A file that is put there by hand is taken as if it had been fetched.

The weights that write down speech are had in the same ways, and are `.bin` files; some have names of their own:

    whisper-base                            hf:ggerganov/whisper.cpp/ggml-base.bin
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from turnwise.domain.errors import ModelUnavailable
from turnwise.models import kept, weights
from turnwise.models.download import Asked, Refused, download, read_listing
from turnwise.models.hub import MAIN, HubFile, explain, hub_form, parse_hub, token
from turnwise.models.kept import Broken
from turnwise.models.weights import BUILTIN, Weights


@dataclass(frozen=True, slots=True)
class Form:
    """A form of weights files."""

    suffix: str
    magic: bytes
    """What every such file begins with."""

    @property
    def ways(self) -> str:
        """How a file can be named."""
        return f"the path of a {self.suffix} file, its URL, or {hub_form(self.suffix)}"


GGUF = Form(".gguf", b"GGUF")
"""Models that answer."""

GGML = Form(".bin", b"lmgg")
"""Models that write down speech."""

SPEECH = {
    f"whisper-{size}": f"hf:ggerganov/whisper.cpp/ggml-{size}.bin"
    for size in ("tiny", "tiny.en", "base", "base.en", "small", "small.en", "large-v3-turbo")
}
"""The names of weights that write down speech: from 78 MB and quick to 1.6 GB and slow, `.en` for English alone. They
are OpenAI's Whisper, MIT licensed, in the form that whisper.cpp reads."""

_PIECE = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that someone else looks after."""

    path: Path
    sha256: str | None = None

    @property
    def name(self) -> str:
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Remote:
    """A file that is fetched."""

    text: str
    """As the settings have it."""
    place: str
    """Where it is kept in the models directory."""
    sha256: str | None = None
    hub: HubFile | None = None
    form: Form = GGUF

    @property
    def name(self) -> str:
        return Path(self.place).stem

    @property
    def url(self) -> str:
        return self.hub.url if self.hub else self.text


Source: TypeAlias = Weights | LocalFile | Remote


def parse_source(text: str, sha256: str | None = None) -> Source:
    """
    Raises:
        ValueError: it is no source, or a file that is not there.
    """
    if text == "builtin":
        if sha256:
            raise ValueError("sha256: that of the default model is known, and always checked")
        return BUILTIN
    return _parse(text, sha256, GGUF, f'"builtin", {GGUF.ways}')


def parse_speech(text: str) -> Source:
    """The source of weights that write down speech: one of the names in `SPEECH`, or like any other.

    Raises:
        ValueError: it is no source, or a file that is not there.
    """
    return _parse(SPEECH.get(text, text), None, GGML, f"{', '.join(SPEECH)}, {GGML.ways}")


def is_speech(text: str) -> bool:
    """Whether a source, as it is written, is that of weights that write down speech."""
    return text in SPEECH or text.partition("?")[0].partition("@")[0].endswith(GGML.suffix)


def parse_projector(text: str) -> Source:
    """The source of a model's eyes or ears, which llama.cpp calls mmproj: like that of its weights.

    Raises:
        ValueError: it is no source, or a file that is not there.
    """
    if text == "builtin":
        raise ValueError(f"mmproj: there is no built-in one; it can be {GGUF.ways}")
    try:
        return parse_source(text)
    except ValueError as error:
        raise ValueError(f"mmproj: {error}") from error


def _parse(text: str, sha256: str | None, form: Form, ways: str) -> LocalFile | Remote:
    if text.startswith("hf:"):
        file = parse_hub(text, form.suffix)
        _check_is_whole(text)
        folder = file.repo if file.revision == MAIN else f"{file.repo}@{_safe(file.revision)}"
        return Remote(text, "/".join(["hf", folder, *map(_safe, file.file.split("/"))]), sha256, file, form)
    if text.startswith(("http://", "https://")):
        return Remote(text, _place_of_url(text, form), sha256, form=form)
    return _local(text, sha256, form, ways)


def _local(text: str, sha256: str | None, form: Form, ways: str) -> LocalFile:
    path = Path(text).expanduser()
    if path.suffix != form.suffix:
        raise ValueError(f"source is {text!r}; it can be {ways}")
    if not path.is_file():
        raise ValueError(f"there is no file {text!r}")
    return LocalFile(path.resolve(), sha256)


def _place_of_url(text: str, form: Form) -> str:
    """Host and path, and a sign of the query if there is one: readable, and another one for each URL."""
    url = urlsplit(text)
    if not url.hostname or not url.path.endswith(form.suffix):
        raise ValueError(f"source is {text!r}; a URL must be that of a {form.suffix} file")
    if url.username or url.password:
        raise ValueError("source: a URL is shown and logged; one with a password in it is not taken")
    _check_is_whole(url.path)
    segments = [_safe(unquote(segment)) for segment in url.path.split("/") if segment]
    if url.query:
        sign = hashlib.sha256(url.query.encode()).hexdigest()[:8]
        segments[-1] = f"{segments[-1].removesuffix(form.suffix)}-{sign}{form.suffix}"
    return "/".join([_host(url), *segments])


def _host(url: SplitResult) -> str:
    return _safe(f"{url.hostname}_{url.port}" if url.port else str(url.hostname))


def _safe(name: str) -> str:
    """A name as a file can have it, on every system."""
    return re.sub(r"[^\w.+@-]", "_", name).lstrip(".") or "_"


def _check_is_whole(name: str) -> None:
    piece = _PIECE.search(name)
    if piece is not None:
        raise ValueError(
            f"source is piece {int(piece[1])} of {int(piece[2])} of a model; fetch all of them into one folder, and"
            " name the path of the first"
        )


def place(source: Source, models_dir: Path) -> Path:
    """Where the file is, or will be."""
    match source:
        case Weights():
            return models_dir / source.file
        case LocalFile(path):
            return path
        case Remote():
            return models_dir / source.place


def is_there(source: Source, models_dir: Path) -> bool:
    """Whether the file is there, as far as a glance can tell."""
    path = place(source, models_dir)
    return path.is_file() and (not isinstance(source, Weights) or path.stat().st_size == source.size)


async def fetch(source: Source, models_dir: Path) -> Path:
    """The file, from where it is kept if it is there, else from where it comes from.

    Raises:
        ModelUnavailable: it is not there and cannot be had; the message says what mends it.
    """
    match source:
        case Weights():
            return await weights.fetch(source, models_dir)
        case LocalFile(path, sha256):
            return await _checked(path, sha256)
        case Remote():
            return await _fetch_remote(source, models_dir)


async def _checked(path: Path, sha256: str | None) -> Path:
    try:
        await asyncio.to_thread(kept.check, path, size=None, sha256=sha256)
    except (Broken, OSError) as error:
        raise ModelUnavailable(f"the weights {path} cannot be used: {error}") from error
    return path


async def _fetch_remote(source: Remote, models_dir: Path) -> Path:
    path = models_dir / source.place
    try:
        return await asyncio.to_thread(cached, source, models_dir) or await _fetch_into(path, source, models_dir)
    except OSError as error:
        raise ModelUnavailable(f"{source.text} cannot be kept at {path}: {error}") from error
    except Broken as error:
        raise ModelUnavailable(f"{error}. {_remedy(path)}") from error
    except Refused as error:
        raise ModelUnavailable(f"{await _why_refused(source, error)}. {_remedy(path)}") from error


async def _fetch_into(path: Path, source: Remote, models_dir: Path) -> Path:
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    async with kept.locked(path):
        if await asyncio.to_thread(cached, source, models_dir) is None:  # another process may have been quicker
            own = token() if source.hub else None
            begins, hub = source.form.magic, source.hub is not None
            asked = Asked(source.url, source.text, source.sha256, begins, hub=hub, token=own)
            kept.note(path, source=source.text, sha256=await download(asked, path))
            kept.tell(f"{path} is fetched and checked")
    return path


def cached(source: Remote, models_dir: Path) -> Path | None:
    """The file in the models directory, if it is there and right. One that is not what it was any more is thrown away.

    Raises:
        ModelUnavailable: it is another one than the settings want.
    """
    path = models_dir / source.place
    facts = kept.noted(path)
    if not path.is_file() or facts.get("source", source.text) != source.text:
        return None
    known = facts.get("sha256")
    try:
        if not (known and kept.is_as_noted(path)):
            kept.check(path, size=facts.get("size"), sha256=known)
            _check_magic(path, source.form)
    except Broken as error:
        kept.tell(f"{path} {error}: throwing it away")
        path.unlink(missing_ok=True)
        return None
    if known is None or not kept.is_as_noted(path):
        known = known or kept.hash_of(path)
        kept.note(path, source=source.text, sha256=known)
    if source.sha256 not in (known, None):
        raise ModelUnavailable(
            f"{path} has the sha256 {known} instead of {source.sha256}: remove it, or correct the setting"
        )
    return path


def _check_magic(path: Path, form: Form) -> None:
    with path.open("rb") as file:
        found = file.read(len(form.magic))
    if found != form.magic:
        raise Broken(f"begins with {found!r}, and not as a {form.suffix} file of weights does")


def _remedy(path: Path) -> str:
    return f"Or put the file there by hand: {path}"


async def _why_refused(source: Remote, refused: Refused) -> str:
    if source.hub is None:
        return f"{source.text} is refused by its server (HTTP {refused.status})"
    files: Sequence[str] = ()
    if refused.code == "EntryNotFound":
        files = _weights_in(await read_listing(source.hub.listing, token()), source.form)
    return explain(source.hub, refused.status, refused.code, files=files)


def _weights_in(listing: object, form: Form) -> list[str]:
    siblings = listing.get("siblings") if isinstance(listing, dict) else None
    names = [file.get("rfilename") for file in siblings or () if isinstance(file, dict)]
    return sorted(name for name in names if isinstance(name, str) and name.endswith(form.suffix))
