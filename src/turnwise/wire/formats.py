"""What a request says of the answer's form: `response_format`, `response_mime_type`, `response_modalities`,
`speech_config` and `image_config`.

The current dialect says in `response_format` what the founding one says in the others. Real clients mix them, so they
are read together, and must not contradict each other. Whether a schema is a good one is looked at in
`engine/schema.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.formats import (
    ASPECT_RATIOS,
    MODALITIES,
    AudioFormat,
    ImageFormat,
    ImageSize,
    Modality,
    ResponseFormat,
    Voice,
)
from turnwise.wire.invalid import explain, shown

IMAGE_SIZES: tuple[ImageSize, ...] = get_args(ImageSize)
IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
AUDIO_TYPES = ("audio/l16", "audio/wav", "audio/mp3", "audio/ogg_opus", "audio/alaw", "audio/mulaw")
SAME_AUDIO_TYPE = {
    "audio/mpeg": "audio/mp3",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/opus": "audio/ogg_opus",
    "audio/pcm": "audio/l16",
}
"""Other names of the same."""

SPELLINGS = {
    "mimeType": "mime_type",
    "aspectRatio": "aspect_ratio",
    "imageSize": "image_size",
    "sampleRate": "sample_rate",
    "bitRate": "bit_rate",
}
"""Fields of a `response_format` as 2.0.0 of the Python SDK writes them, and as everybody else does."""


class FormatBody(BaseModel):
    """A JSON object that describes a form: strict types, no unknown fields."""

    model_config = ConfigDict(
        extra="forbid", strict=True, protected_namespaces=(), alias_generator=lambda name: name.rstrip("_")
    )
    LATER: ClassVar[tuple[str, ...]] = ()


class TextFormatBody(FormatBody):
    """The form of a text: plain, or JSON."""

    type: Literal["text"]
    mime_type: Literal["application/json", "text/plain"] | None = None
    """Plain text, unless there is a schema."""
    mimeType: Literal["application/json", "text/plain"] | None = None
    """The same as `mime_type`, as 2.0.0 of the Python SDK writes it."""
    schema_: dict[str, Any] | None = None
    """The JSON Schema that the answer is valid against."""


class ImageFormatBody(FormatBody):
    """The form of an image."""

    type: Literal["image"]
    aspect_ratio: str | None = None
    """Width to height, as in `16:9`."""
    image_size: str | None = None
    """`512`, `1K`, `2K` or `4K`, in either case of letters."""
    mime_type: str | None = None
    """`image/png`, `image/jpeg` or `image/webp`. By default who makes it chooses."""
    aspectRatio: str | None = None
    """The same as `aspect_ratio`, as 2.0.0 of the Python SDK writes it."""
    imageSize: str | None = None
    """The same as `image_size`, as 2.0.0 of the Python SDK writes it."""
    mimeType: str | None = None
    """The same as `mime_type`, as 2.0.0 of the Python SDK writes it."""
    delivery: Literal["inline", "uri", "url"] | None = None
    """As `data`, or as the `uri` of a file. `url` is what 2.0.0 of the SDKs calls the second."""


class AudioFormatBody(FormatBody):
    """The form of a sound."""

    type: Literal["audio"]
    mime_type: str | None = None
    """`audio/l16` (bare PCM), `audio/wav`, `audio/mp3`, `audio/ogg_opus`, `audio/alaw` or `audio/mulaw`."""
    sample_rate: Annotated[int, Field(ge=1)] | None = None
    """Samples a second."""
    bit_rate: Annotated[int, Field(ge=1)] | None = None
    """Bits a second, of the compressed forms."""
    mimeType: str | None = None
    """The same as `mime_type`, as 2.0.0 of the Python SDK writes it."""
    sampleRate: Annotated[int, Field(ge=1)] | None = None
    """The same as `sample_rate`, as 2.0.0 of the Python SDK writes it."""
    bitRate: Annotated[int, Field(ge=1)] | None = None
    """The same as `bit_rate`, as 2.0.0 of the Python SDK writes it."""
    delivery: Literal["inline", "uri", "url"] | None = None
    """As `data`, or as the `uri` of a file."""


class ImageConfigBody(FormatBody):
    """The shape and the size of images, as the founding dialect says it."""

    aspect_ratio: str | None = None
    """Width to height, as in `16:9`."""
    image_size: str | None = None
    """`512`, `1K`, `2K` or `4K`, in either case of letters."""


class VoiceBody(FormatBody):
    """Who speaks."""

    voice: Annotated[str, Field(min_length=1)] | None = None
    """One of the thirty named voices, in either case of letters, or one that the engine has."""
    language: Annotated[str, Field(min_length=1)] | None = None
    """As in `en-US`."""
    speaker: Annotated[str, Field(min_length=1)] | None = None
    """The name that the text gives to what this voice says."""


class SpeakersBody(FormatBody):
    """Several voices, as the current dialect lists them."""

    speakers: list[VoiceBody]
    """Each has a `speaker`."""


Body = TypeVar("Body", bound=FormatBody)


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """All that a request says of the answer's form."""

    text: ResponseFormat | None = None
    image: ImageFormat | None = None
    audio: AudioFormat | None = None
    voices: tuple[Voice, ...] = ()
    modalities: tuple[Modality, ...] = ()


ANY_FORM = AnswerForm()
"""Nothing is said of the answer's form."""


def parse_answer_form(
    form: JSON = None,
    mime_type: str | None = None,
    modalities: list[str] | None = None,
    image_config: JSON = None,
    speech_config: JSON = None,
) -> AnswerForm:
    """The form that the answer must have, from all the fields that say something of it.

    Raises:
        InvalidRequest: a field is wrong, or two contradict each other.
        Unimplemented: a form that turnwise cannot answer in yet.
    """
    if (form, mime_type, modalities, image_config, speech_config) == (None,) * 5:
        return ANY_FORM
    forms = _parse_forms(form)
    asked = _parse_modalities(modalities)
    if asked and not forms.keys() <= set(asked):
        kind = next(kind for kind in forms if kind not in asked)
        raise InvalidRequest(
            f"it asks for {kind}, which is not among `response_modalities`: {', '.join(asked)}", field="response_format"
        )
    text = _with_mime_type(forms.get("text"), mime_type)
    if asked and text is not None and "text" not in asked:
        raise InvalidRequest(
            f"it asks for JSON, but text is not among them: {', '.join(asked)}", field="response_modalities"
        )
    return AnswerForm(
        text=text,
        image=_together(forms.get("image"), _parse_image_config(image_config)),
        audio=forms.get("audio"),
        voices=_parse_speech_config(speech_config),
        modalities=asked or (tuple(forms) if forms.keys() - {"text"} else ()),
    )


# -- response_format


def _parse_forms(form: JSON) -> dict[Modality, Any]:
    """The forms of a `response_format`, by modality: a raw JSON Schema, or an object of the API's own, or a list."""
    forms: dict[Modality, Any] = {}
    listed = form if isinstance(form, list) else [] if form is None else [form]
    for index, one in enumerate(listed):
        path = f"response_format[{index}]" if isinstance(form, list) else "response_format"
        kind, parsed = _parse_form(one, path)
        if kind in forms:
            raise InvalidRequest(f"there are two forms of {kind}; leave one", field=path)
        forms[kind] = parsed
    return forms


def _parse_form(form: JSON, path: str) -> tuple[Modality, Any]:
    if not isinstance(form, dict):
        raise InvalidRequest(f"a JSON Schema, or an object with a `type`, not {shown(form)}", field=path)
    match form.get("type"):
        case "video":
            raise Unimplemented(f"{path}: turnwise cannot answer with video yet")
        case "image":
            return "image", _parse_image_format(_read_form(ImageFormatBody, form, path), path)
        case "audio":
            return "audio", _parse_audio_format(_read_form(AudioFormatBody, form, path), path)
        case "text":
            return "text", _parse_text_format(_read_form(TextFormatBody, form, path), path)
        case _:
            return "text", ResponseFormat(form)


def _parse_text_format(body: TextFormatBody, path: str) -> ResponseFormat | None:
    if body.mime_type == "text/plain" and body.schema_ is not None:
        raise InvalidRequest("plain text has no schema; ask for 'application/json'", field=f"{path}.mime_type")
    if body.schema_ is None and body.mime_type != "application/json":
        return None
    return ResponseFormat(body.schema_)


def _with_mime_type(form: ResponseFormat | None, mime_type: str | None) -> ResponseFormat | None:
    """The text's form, with what `response_mime_type` says of it."""
    if mime_type not in (None, "text/plain", "application/json"):
        raise InvalidRequest(
            f"'{mime_type}' is not a form of text; one of application/json, text/plain", field="response_mime_type"
        )
    if form is not None and mime_type == "text/plain":
        raise InvalidRequest(
            "'text/plain' contradicts `response_format`, which asks for JSON", field="response_mime_type"
        )
    return ResponseFormat() if form is None and mime_type == "application/json" else form


def _parse_image_format(body: ImageFormatBody, path: str) -> ImageFormat:
    mime_type = _chosen(body.mime_type, IMAGE_TYPES, f"{path}.mime_type", {"image/jpg": "image/jpeg"})
    return ImageFormat(
        aspect_ratio=_chosen(body.aspect_ratio, ASPECT_RATIOS, f"{path}.aspect_ratio"),
        image_size=_chosen(body.image_size, IMAGE_SIZES, f"{path}.image_size"),
        mime_type=mime_type,  # type: ignore[arg-type]
        delivery="uri" if body.delivery == "url" else body.delivery,
    )


def _parse_audio_format(body: AudioFormatBody, path: str) -> AudioFormat:
    bare = body.mime_type and (body.mime_type if "/" in body.mime_type else f"audio/{body.mime_type}")
    mime_type = _chosen(bare, AUDIO_TYPES, f"{path}.mime_type", SAME_AUDIO_TYPE)
    return AudioFormat(
        mime_type=mime_type,  # type: ignore[arg-type]
        sample_rate=body.sample_rate,
        bit_rate=body.bit_rate,
        delivery="uri" if body.delivery == "url" else body.delivery,
    )


# -- the founding dialect's fields


def _parse_modalities(names: list[str] | None) -> tuple[Modality, ...]:
    """Modalities, which clients write in either case."""
    modalities: list[Modality] = []
    for index, name in enumerate(names or ()):
        path = f"response_modalities[{index}]"
        if name.lower() in ("video", "document"):
            raise Unimplemented(f"{path}: turnwise cannot answer with '{name.lower()}' yet")
        modality = _chosen(name, MODALITIES, path)
        assert modality is not None
        if modality not in modalities:
            modalities.append(modality)
    return tuple(modalities)


def _parse_image_config(config: JSON) -> ImageFormat | None:
    path = "generation_config.image_config"
    if config is None:
        return None
    body = _read(ImageConfigBody, config, path)
    return ImageFormat(
        aspect_ratio=_chosen(body.aspect_ratio, ASPECT_RATIOS, f"{path}.aspect_ratio"),
        image_size=_chosen(body.image_size, IMAGE_SIZES, f"{path}.image_size"),
    )


def _together(form: ImageFormat | None, config: ImageFormat | None) -> ImageFormat | None:
    """What both dialects say of an image. They may repeat each other, and must not contradict."""
    if form is None or config is None:
        return form or config
    for name in ("aspect_ratio", "image_size"):
        one, other = getattr(form, name), getattr(config, name)
        if one and other and one != other:
            raise InvalidRequest(
                f"'{other}' contradicts `response_format`, which says '{one}'; leave one out",
                field=f"generation_config.image_config.{name}",
            )
    return ImageFormat(
        aspect_ratio=form.aspect_ratio or config.aspect_ratio,
        image_size=form.image_size or config.image_size,
        mime_type=form.mime_type,
        delivery=form.delivery,
    )


def _parse_speech_config(config: JSON) -> tuple[Voice, ...]:
    """Voices: one object, a list, or the current dialect's `{"speakers": [...]}`."""
    path = "generation_config.speech_config"
    match config:
        case None:
            return ()
        case {"speakers": _}:
            bodies = _read(SpeakersBody, config, path).speakers
            path = f"{path}.speakers"
        case list():
            bodies = [_read(VoiceBody, one, f"{path}[{index}]") for index, one in enumerate(config)]
        case _:
            bodies = [_read(VoiceBody, config, path)]
    names = [body.speaker.casefold() if body.speaker else None for body in bodies]
    for index, name in enumerate(names):
        if name in names[:index]:
            said = f"two voices for '{bodies[index].speaker}'" if name else "two voices without a `speaker`"
            raise InvalidRequest(f"there are {said}; leave one", field=f"{path}[{index}].speaker")
    return tuple(Voice(body.voice, body.language, body.speaker) for body in bodies)


# -- reading


def _read(body: type[Body], given: JSON, path: str) -> Body:
    if not isinstance(given, Mapping):
        raise InvalidRequest(f"an object, not {shown(given)}", field=path)
    try:
        return body.model_validate(given)
    except ValidationError as error:
        raise explain(error, body, path) from None


def _read_form(body: type[Body], given: JSON, path: str) -> Body:
    """A form with each of its fields under the one name that everybody uses."""
    read = _read(body, given, path)
    renamed = {}
    for other, name in SPELLINGS.items():
        value = getattr(read, other, None)
        if value is not None and getattr(read, name) is not None:
            raise InvalidRequest(f"this says the same as `{name}`; leave one out", field=f"{path}.{other}")
        if value is not None:
            renamed[name] = value
    return read.model_copy(update=renamed)


Choice = TypeVar("Choice", bound=str)


def _chosen(
    value: str | None, known: tuple[Choice, ...], path: str, same: Mapping[str, Choice] | None = None
) -> Choice | None:
    """One of the known values, in whichever case of letters and under whichever name it came."""
    if value is None:
        return None
    for one in known:
        if value.lower() in (one.lower(), *(name for name, meant in (same or {}).items() if meant == one)):
            return one
    raise InvalidRequest(f"unknown value {shown(value)}; one of {', '.join(known)}", field=path)
