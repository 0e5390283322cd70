"""Media before a model: as they are where it has eyes or ears for them, and as words where it has not.

    presenter = Presenter(reader, fetcher, files)
    steps = await presenter.present(steps, given, card, owner)

Behind this every piece of media in the steps has `data`, a true mime type, and is of a kind that the model's card
lists; all others are text, with where it comes from said: nothing is made up about what nobody saw. Bytes come from the
request, from the Files API, or from a public address. The steps that are kept are not touched.
"""

import asyncio
import hashlib
import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeAlias

import orjson

from turnwise.domain.content import Content, Media, Text, Told
from turnwise.domain.errors import InvalidRequest, NotFound, TurnwiseError, Unimplemented
from turnwise.domain.files import File
from turnwise.domain.steps import FunctionResult, ModelOutput, Step, UserInput, result_content
from turnwise.engine.files import file_id
from turnwise.engine.fitting import CHARACTERS_A_TOKEN, fit
from turnwise.media.media import Account, Excerpt, Fetcher, Kind, Material, Reader
from turnwise.models.model import ModelCard

SHOWN_AS_IT_IS: Mapping[str, frozenset[str]] = {
    "image": frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"}),
    "audio": frozenset({"audio/wav", "audio/mp3"}),
    "document": frozenset({"application/pdf"}),
    "video": frozenset({"video/mp4", "video/webm", "video/mpeg", "video/mov"}),
}
"""Kinds of files that every model takes which takes their modality. Others are turned into one of these, or told."""

FRAMES = 8
"""How many pictures of a video, or of a document without words, a model with eyes is shown."""

CONTEXT = 8192
"""How much a model is held to read when its card does not say, in tokens."""

MESSAGES = (UserInput, ModelOutput)
"""The steps that have content."""

SENSES = {"image": "see", "video": "see", "audio": "hear", "document": "open"}


class OpenFiles(Protocol):
    """The files that were uploaded. `engine/files.py` has the real ones."""

    def opened(self, id: str, owner: str) -> AbstractAsyncContextManager[tuple[File, Path]]:
        """A file on this machine's disk, as long as the context lasts.

        Raises:
            NotFound: there is none with this id for this owner.
            FailedPrecondition: it is not ready, or could not be read.
        """


@dataclass(frozen=True, slots=True)
class _Unfitted:
    """A file that is told in words, before it is known how much room it has."""

    material: Material
    account: Account

    @property
    def length(self) -> int:
        """In tokens, about."""
        return round(sum(len(passage.text) for passage in self.account.passages) / CHARACTERS_A_TOKEN)


_Piece: TypeAlias = Content | _Unfitted


class Presenter:
    """Shows media to models."""

    def __init__(
        self, reader: Reader, fetcher: Fetcher, files: OpenFiles, *, limit: int, scratch: Path | None = None
    ) -> None:
        """`limit` is the largest file that is given to a model as it is, in bytes. In `scratch`, files stand as long as
        they are looked at; None: where the system has such files."""
        self._reader = reader
        self._fetcher = fetcher
        self._files = files
        self._limit = limit
        self._scratch = scratch

    async def present(self, steps: Sequence[Step], given: int, card: ModelCard, owner: str) -> Sequence[Step]:
        """The steps as this model can be shown them. The last `given` of them are this request's own input.

        Raises:
            InvalidRequest: media that cannot be had, or are not what they are said to be.
            Unimplemented: what reading them needs is not on this machine.
        """
        if not _may_hold_media(steps):
            return steps
        steps = [_spread(step) for step in steps]
        contents = [_content(step) for step in steps]
        if not any(isinstance(piece, Media) for content in contents for piece in content):
            return steps
        names = _names(contents, given)
        pieces = [
            [piece for one in content for piece in await self._pieces(one, step, names, card, owner)]
            for step, content in zip(steps, contents, strict=True)
        ]
        room = _Room(pieces, question(steps), card)
        texts = await asyncio.to_thread(lambda: [room.texts(found) for found in pieces])  # seconds, for a long document
        return [_with(step, found) for step, found in zip(steps, texts, strict=True)]

    async def _pieces(
        self, content: Content, step: Step, names: Iterator[str], card: ModelCard, owner: str
    ) -> Sequence[_Piece]:
        if not isinstance(content, Media):
            return (content,)
        name = next(names)
        is_made = isinstance(step, ModelOutput)
        if is_made and content.type not in card.inputs and "text" not in card.outputs:
            return ()  # who only paints or speaks has no use for words about what was made before
        try:
            async with self._material(content, owner) as material:
                return await self._shown(content, material, card)
        except TurnwiseError as error:
            unknown = _why_unknown(error, content, card) if is_made else None
            if unknown is None:
                raise _named(error, name) from error
            called = f' "{content.options["name"]}"' if content.options.get("name") else ""
            return (Told(f"[{content.type}{called} that was made as an answer; {unknown}]", kind=content.type),)

    async def _shown(self, media: Media, material: Material, card: ModelCard) -> Sequence[_Piece]:
        """A file as this model can be shown it."""
        kind = material.kind.type
        if kind in card.inputs and material.kind.mime_type in SHOWN_AS_IT_IS[kind]:
            if material.size > self._limit:
                raise InvalidRequest(
                    f"{material.size} bytes are more than a model is given, {self._limit} (the setting max_body_bytes)"
                )
            data = await asyncio.to_thread(_read_encoded, material.path)
            return (replace(media, mime_type=material.kind.mime_type, data=data, uri=None),)
        if kind == "image" and "image" in card.inputs:
            return [_excerpt(media, one) for one in await self._reader.pictures(material, 1)]
        if kind == "audio" and "audio" in card.inputs:
            sound = await self._reader.as_sound(material)
            return () if sound is None else (_excerpt(media, sound),)
        if kind == "video" and "image" in card.inputs:
            return [*await self._told(material), *await self._frames(media, material)]
        try:
            return await self._told(material)
        except Unimplemented:
            if kind == "document" and "image" in card.inputs:
                return await self._frames(media, material)
            raise

    async def _told(self, material: Material) -> Sequence[_Piece]:
        return (_Unfitted(material, await self._reader.read(material)),)

    async def _frames(self, media: Media, material: Material) -> Sequence[Content]:
        """Pictures of a file, each behind its place."""
        shown: list[Content] = []
        for picture in await self._reader.pictures(material, FRAMES):
            shown += [Text(f"[{picture.place}]"), _excerpt(media, picture)]
        return shown

    @asynccontextmanager
    async def _material(self, media: Media, owner: str) -> AsyncIterator[Material]:
        """The file behind a piece of media, as long as it is needed."""
        async with AsyncExitStack() as stack:
            found = await self._found(media, owner, stack)
            kind = await asyncio.to_thread(self._identified, found, media)
            if kind.type != media.type:
                raise InvalidRequest(
                    f"it is given as {_a(media.type)}, but its bytes are {_a(kind.type)} ({kind.mime_type}); "
                    f'send it with "type": "{kind.type}"'
                )
            digest = found.sha256
            if digest is None:
                digest = await asyncio.to_thread(_sha256, found.path)
            yield Material(found.path, kind, found.path.stat().st_size, digest, media.options.get("name") or found.name)

    async def _found(self, media: Media, owner: str, stack: AsyncExitStack) -> "_Found":
        """Where the bytes of a piece of media are, as long as the stack is open."""
        id = None if media.uri is None else file_id(media.uri)
        if id is not None:
            file, path = await stack.enter_async_context(self._files.opened(id, owner))
            return _Found(path, file.mime_type, file.display_name or None, file.sha256.hex() or None)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="turnwise-", dir=self._scratch)))
        path = folder / "file"
        if media.uri is None:
            await asyncio.to_thread(_write_decoded, path, media.data or "")
            return _Found(path)
        fetched = await self._fetcher.fetch(media.uri, path)
        return _Found(path, fetched.content_type or None, _last_segment(fetched.url))

    def _identified(self, found: "_Found", media: Media) -> Kind:
        """What a file is. What the request says of it must hold; what its place says is a hint."""
        anything = None if media.type == "document" else f"{media.type}/*"
        if media.mime_type is None and found.hint is not None:
            with suppress(InvalidRequest):
                return self._reader.identify(found.path, found.hint)
        return self._reader.identify(found.path, _claim(media) or anything)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file, and what is known of it where it lies."""

    path: Path
    hint: str | None = None
    """The mime type that it is said to have there."""
    name: str | None = None
    sha256: str | None = None


# -- words


class _Room:
    """How much room each told file has. The short ones are told whole; the long ones share what is left."""

    def __init__(self, pieces: Sequence[Sequence[_Piece]], question: str, card: ModelCard) -> None:
        self._question = question
        self._card = card
        told = sorted(
            (piece for found in pieces for piece in found if isinstance(piece, _Unfitted)), key=lambda one: one.length
        )
        left = card.reading_tokens or (card.context_tokens or CONTEXT) // 2
        self._tokens: dict[int, int] = {}
        for index, one in enumerate(told):
            share = left // (len(told) - index)
            self._tokens[id(one)] = min(one.length + 1, share)
            left -= self._tokens[id(one)]

    def texts(self, pieces: Sequence[_Piece]) -> tuple[Content, ...]:
        """The pieces with what is told as text."""
        return tuple(self._text(piece) if isinstance(piece, _Unfitted) else piece for piece in pieces)

    def _text(self, told: _Unfitted) -> Told:
        kind, account = told.material.kind.type, told.account
        name = f' "{told.material.name}"' if told.material.name else ""
        unsensed = "" if kind == "document" or kind in self._card.inputs else f" You cannot {SENSES[kind]} it."
        head = f"{kind}{name}: {account.facts}.{unsensed}"
        if not account.passages:
            return Told(f"[{head}]", kind=kind)
        how = f" Its text, {account.manner}:" if account.manner else " Its text:"
        words = fit(account.passages, self._question, self._tokens[id(told)])
        return Told(f"[{head}{how}]\n{words}\n[end of {kind}]", kind=kind)


def question(steps: Sequence[Step]) -> str:
    """What was asked last, in words."""
    for step in reversed(steps):
        if isinstance(step, UserInput):
            words = " ".join(part.text for part in step.content if isinstance(part, Text))
            if words:
                return words
    return ""


def _why_unknown(error: TurnwiseError, made: Media, card: ModelCard) -> str | None:
    """Why a model can go on without what was made before. None: it cannot, as when it is to change what is gone."""
    match error:
        case Unimplemented():
            return "it is not known what is in it"
        case NotFound() if made.type not in card.outputs:
            return "its file is not there any more"
        case InvalidRequest() if made.type not in card.outputs:
            return "it cannot be read"
        case _:
            return None


def _named(error: TurnwiseError, name: str) -> TurnwiseError:
    """The error, with which piece of media it is about."""
    if isinstance(error, InvalidRequest):
        return type(error)(error.message, field=name)
    return type(error)(f"{name}: {error.message}")


def _names(contents: Sequence[Sequence[Content]], given: int) -> Iterator[str]:
    """What to call each piece of media in a message."""
    counted: Counter[tuple[str, str]] = Counter()
    for index, content in enumerate(contents):
        where = "input" if index >= len(contents) - given else "history"
        for piece in content:
            if isinstance(piece, Media):
                counted[where, piece.type] += 1
                yield f"{where}, {piece.type} {counted[where, piece.type]}"


# -- steps


def _may_hold_media(steps: Sequence[Step]) -> bool:
    """Whether there is more in these steps than words, of which nearly all long conversations consist."""
    if FunctionResult in map(type, steps):
        return True
    return any(isinstance(piece, Media) for step in steps if isinstance(step, MESSAGES) for piece in step.content)


def _spread(step: Step) -> Step:
    """A function's result with its content as a list, where an object has it: what else the object says comes first,
    as with a screenshot that stands beside its page's `url`."""
    match step:
        case FunctionResult(_, dict() as result) if (content := result_content(result)) and content[0] is not result:
            holder = "content" if content is result.get("content") else "items"
            others = {name: value for name, value in result.items() if name != holder}
            if others:
                return replace(step, result=[{"type": "text", "text": orjson.dumps(others).decode()}, *content])
    return step


def _content(step: Step) -> tuple[Content, ...]:
    """The content of a step that may hold media."""
    match step:
        case UserInput(content) | ModelOutput(content):
            return content
        case FunctionResult(_, result):
            return tuple(_read_item(item) for item in result_content(result) or ())
        case _:
            return ()


def _with(step: Step, content: tuple[Content, ...]) -> Step:
    match step:
        case UserInput() | ModelOutput():
            return replace(step, content=content)
        case FunctionResult() if content:
            return replace(step, result=[_as_item(piece) for piece in content])
        case _:
            return step


def _read_item(item: Mapping[str, Any]) -> Content:
    if item["type"] == "text":
        return Text(item["text"])
    known = ("type", "mime_type", "data", "uri")
    options = {key: value for key, value in item.items() if key not in known}
    return Media(item["type"], item.get("mime_type"), item.get("data"), item.get("uri"), options)


def _as_item(piece: Content) -> dict[str, Any]:
    if isinstance(piece, Text):
        return {"type": "text", "text": piece.text}
    return {"type": piece.type, "mime_type": piece.mime_type, "data": piece.data, **piece.options}


# -- bytes


def _claim(media: Media) -> str | None:
    """What the request says that a file is. Sound without a header is told by its rate and its channels too."""
    if media.mime_type is None or ";" in media.mime_type or media.type != "audio":
        return media.mime_type
    rate = media.options.get("sample_rate") or media.options.get("rate")
    said = {"rate": rate, "channels": media.options.get("channels")}
    return ";".join([media.mime_type, *(f"{name}={value}" for name, value in said.items() if value)])


def _excerpt(media: Media, excerpt: Excerpt) -> Media:
    kind = "audio" if excerpt.mime_type.startswith("audio/") else "image"
    return Media(kind, excerpt.mime_type, b64encode(excerpt.data).decode(), None, media.options)  # type: ignore[arg-type]


def _read_encoded(path: Path) -> str:
    return b64encode(path.read_bytes()).decode()


def _write_decoded(path: Path, data: str) -> None:
    path.write_bytes(_decoded(data))


def _decoded(data: str) -> bytes:
    """Standard base64. Line breaks, the URL-safe alphabet and missing padding are forgiven, since clients send them."""
    if data.startswith("data:"):
        raise InvalidRequest("`data` is base64 alone; leave out what stands before the comma of a data URL")
    plain = re.sub(r"\s", "", data).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError as error:
        raise InvalidRequest(f"`data` is not base64: {error}") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _last_segment(url: str) -> str | None:
    return url.partition("?")[0].rstrip("/").rpartition("/")[2] or None


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
