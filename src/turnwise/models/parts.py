"""Images, sounds, videos and documents as parts of a chat message. Pure.

    image       image_url     a data URL; `detail`, if the request says how closely to look
    audio       input_audio   WAV or MP3, which are all that the protocol knows
    document    file          a data URL, and a name
    video       video_url     a data URL: not OpenAI's own, but what vLLM, SGLang and llama.cpp take

By the time a medium comes here its bytes are at hand and its kind is known.
"""

from collections.abc import Iterable, Mapping
from mimetypes import guess_extension
from typing import Any, TypeAlias

from turnwise.domain.content import Media
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.steps import FunctionResult, ModelOutput, Step, UserInput, result_content

Part: TypeAlias = dict[str, Any]

DETAIL: Mapping[str, str] = {"low": "low", "medium": "auto", "high": "high", "ultra_high": "high"}
"""How closely an image is looked at: `resolution`, in the words of chat completions, which have no more than these."""

SOUNDS: Mapping[str, str] = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}
"""The forms of sound that chat completions know, by their MIME types."""

RESOLVED = frozenset({"image"})
"""What can be looked at more or less closely."""


def kinds_in(steps: Iterable[Step]) -> frozenset[str]:
    """The kinds of media that a conversation shows a model."""
    kinds: set[str] = set()
    for step in steps:
        match step:
            case UserInput(content) | ModelOutput(content):
                kinds |= {part.type for part in content}
            case FunctionResult():
                kinds |= {item["type"] for item in result_content(step.result) or ()}
    return frozenset(kinds - {"text"})


def text_part(text: str) -> Part:
    """Words beside media."""
    return {"type": "text", "text": text}


def render_media(media: Media) -> Part:
    """A medium as a part.

    Raises:
        InvalidRequest: a form of sound that cannot be shown, or a `resolution` where it cannot be said.
        Unimplemented: its bytes are not at hand.
    """
    data, mime_type = _bytes_of(media)
    _check_resolution(media)
    match media.type:
        case "image":
            resolution = media.options.get("resolution")
            detail = {"detail": DETAIL[resolution]} if resolution else {}
            return {"type": "image_url", "image_url": {"url": _url(mime_type, data), **detail}}
        case "audio":
            return {"type": "input_audio", "input_audio": {"data": data, "format": _sound(mime_type)}}
        case "video":
            return {"type": "video_url", "video_url": {"url": _url(mime_type, data)}}
        case "document":
            file = {"filename": _file_name(media, mime_type), "file_data": _url(mime_type, data)}
            return {"type": "file", "file": file}


def _bytes_of(media: Media) -> tuple[str, str]:
    if media.data is None or media.mime_type is None:
        raise Unimplemented(f"content of type {media.type!r} cannot be shown to this model without its bytes")
    return media.data, media.mime_type


def _check_resolution(media: Media) -> None:
    resolution = media.options.get("resolution")
    if resolution and media.type not in RESOLVED:
        raise InvalidRequest(
            f"resolution: {resolution!r} of a {media.type} cannot be said to this model, whose upstream has it for"
            " images only; leave it out"
        )


def _sound(mime_type: str) -> str:
    known = SOUNDS.get(mime_type)
    if known is None:
        raise InvalidRequest(f"a sound of the type {mime_type!r} cannot be played to this model: send WAV or MP3")
    return known


def _file_name(media: Media, mime_type: str) -> str:
    """What a document is called. Some servers go by the ending."""
    return str(media.options.get("name") or f"document{guess_extension(mime_type) or ''}")


def _url(mime_type: str, data: str) -> str:
    return f"data:{mime_type};base64,{data}"
