"""The form of the answer: which modalities, and what text, images and sound are to be like; understood, or refused by
name."""

from typing import Any

import pytest

from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.domain.formats import AudioFormat, ImageFormat, ResponseFormat, Voice
from turnwise.wire.formats import AnswerForm, parse_answer_form

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}


# -- text

NULLABLE = {"type": ["object", "null"]}

SHAPES: dict[str, tuple[Any, str | None, ResponseFormat | None]] = {
    "nothing": (None, None, None),
    "an empty list": ([], None, None),
    "plain text": (None, "text/plain", None),
    "JSON of any form": (None, "application/json", ResponseFormat()),
    "a schema": (SCHEMA, None, ResponseFormat(SCHEMA)),
    "a schema with its kind": (SCHEMA, "application/json", ResponseFormat(SCHEMA)),
    "a schema whose type is a list": (NULLABLE, None, ResponseFormat(NULLABLE)),
    "a schema in a list": ([SCHEMA], None, ResponseFormat(SCHEMA)),
    "a typed form": (
        {"type": "text", "mime_type": "application/json", "schema": SCHEMA},
        None,
        ResponseFormat(SCHEMA),
    ),
    "a typed form that has only a schema": ({"type": "text", "schema": SCHEMA}, None, ResponseFormat(SCHEMA)),
    "a typed form of any JSON": ({"type": "text", "mime_type": "application/json"}, None, ResponseFormat()),
    "a typed form as an SDK rewrites it": (
        {"type": "text", "mimeType": "application/json", "schema": SCHEMA},
        None,
        ResponseFormat(SCHEMA),
    ),
    "a typed form of plain text": ({"type": "text", "mime_type": "text/plain"}, None, None),
    "a typed form of any text": ({"type": "text"}, None, None),
    "a typed form in a list": ([{"type": "text", "schema": SCHEMA}], None, ResponseFormat(SCHEMA)),
}


@pytest.mark.parametrize(("form", "mime_type", "meant"), SHAPES.values(), ids=SHAPES)
def test_every_way_to_ask_for_a_form_is_understood(form: Any, mime_type: str | None, meant: ResponseFormat | None):
    assert parse_answer_form(form, mime_type).text == meant


WRONG_SHAPES: dict[str, tuple[Any, str | None, str]] = {
    "an unknown kind of text": (None, "text/html", "response_mime_type: 'text/html' is not a form of text; one of"),
    "one thing under two names": (
        {"type": "text", "mimeType": "application/json", "mime_type": "application/json"},
        None,
        "response_format.mimeType: this says the same as `mime_type`",
    ),
    "a schema for plain text": (SCHEMA, "text/plain", "response_mime_type: 'text/plain' contradicts `response_format`"),
    "a schema for plain text, typed": (
        {"type": "text", "mime_type": "text/plain", "schema": SCHEMA},
        None,
        "response_format.mime_type: plain text has no schema; ask for 'application/json'",
    ),
    "a form that is a word": ("json", None, "response_format: a JSON Schema, or an object with a `type`, not 'json'"),
    "a typed form of an unknown kind": (
        {"type": "text", "mime_type": "text/html"},
        None,
        "response_format.mime_type: input should be 'application/json' or 'text/plain', not 'text/html'",
    ),
    "a typed form with an unknown field": (
        {"type": "text", "shema": SCHEMA},
        None,
        "response_format.shema: the API has no such field",
    ),
}


@pytest.mark.parametrize(("form", "mime_type", "message"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_a_form_that_is_refused_is_named(form: Any, mime_type: str | None, message: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_answer_form(form, mime_type)
    assert refused.value.message.startswith(message)


# -- images, sound and voices

KORE = Voice("kore", "en-us")
ALICE, BOB = Voice("Zephyr", "en-US", "Alice"), Voice("Puck", "en-US", "Bob")
SPEAKERS = [
    {"voice": "Zephyr", "speaker": "Alice", "language": "en-US"},
    {"voice": "Puck", "speaker": "Bob", "language": "en-US"},
]

ASKED: dict[str, tuple[dict[str, Any], AnswerForm]] = {
    "modalities in capitals": ({"modalities": ["TEXT", "Image"]}, AnswerForm(modalities=("text", "image"))),
    "a modality twice": ({"modalities": ["image", "IMAGE"]}, AnswerForm(modalities=("image",))),
    "an image by its form": (
        {"form": {"type": "image", "aspect_ratio": "16:9", "image_size": "2k", "mime_type": "image/jpeg"}},
        AnswerForm(image=ImageFormat("16:9", "2K", "image/jpeg"), modalities=("image",)),
    ),
    "an image by the founding dialect": (
        {"modalities": ["IMAGE"], "image_config": {"aspect_ratio": "9:16", "image_size": "4k"}},
        AnswerForm(image=ImageFormat("9:16", "4K"), modalities=("image",)),
    ),
    "a look, and no modality": (
        {"image_config": {"image_size": "512"}},
        AnswerForm(image=ImageFormat(image_size="512")),
    ),
    "an image in both dialects": (
        {"form": {"type": "image", "delivery": "uri"}, "image_config": {"aspect_ratio": "1:1"}},
        AnswerForm(image=ImageFormat("1:1", delivery="uri"), modalities=("image",)),
    ),
    "an image by its address, as an SDK once called it": (
        {"form": {"type": "image", "delivery": "url"}},
        AnswerForm(image=ImageFormat(delivery="uri"), modalities=("image",)),
    ),
    "an image as an SDK rewrites its form": (
        {"form": {"type": "image", "aspectRatio": "16:9", "imageSize": "2K", "mimeType": "image/jpeg"}},
        AnswerForm(image=ImageFormat("16:9", "2K", "image/jpeg"), modalities=("image",)),
    ),
    "sound as an SDK rewrites its form": (
        {"form": {"type": "audio", "mimeType": "audio/mp3", "sampleRate": 16000, "bitRate": 64000}},
        AnswerForm(audio=AudioFormat("audio/mp3", 16000, 64000), modalities=("audio",)),
    ),
    "text and an image": (
        {"form": [{"type": "text"}, {"type": "image"}]},
        AnswerForm(image=ImageFormat(), modalities=("text", "image")),
    ),
    "sound by its form": (
        {"form": {"type": "audio", "mime_type": "MP3", "sample_rate": 16000, "bit_rate": 64000}},
        AnswerForm(audio=AudioFormat("audio/mp3", 16000, 64000), modalities=("audio",)),
    ),
    "sound under another name": (
        {"form": {"type": "audio", "mime_type": "audio/mpeg"}},
        AnswerForm(audio=AudioFormat("audio/mp3"), modalities=("audio",)),
    ),
    "one voice": ({"speech_config": {"voice": "kore", "language": "en-us"}}, AnswerForm(voices=(KORE,))),
    "voices in a list": ({"speech_config": SPEAKERS}, AnswerForm(voices=(ALICE, BOB))),
    "voices of the current dialect": ({"speech_config": {"speakers": SPEAKERS}}, AnswerForm(voices=(ALICE, BOB))),
}


@pytest.mark.parametrize(("sent", "meant"), ASKED.values(), ids=ASKED)
def test_both_dialects_ask_for_media_in_their_own_words(sent: dict[str, Any], meant: AnswerForm):
    assert parse_answer_form(**sent) == meant


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a shape under two names": (
        {"form": {"type": "image", "aspect_ratio": "1:1", "aspectRatio": "16:9"}},
        "response_format.aspectRatio: this says the same as `aspect_ratio`; leave one out",
    ),
    "a ratio that is none": (
        {"form": {"type": "image", "aspect_ratio": "7:5"}},
        "response_format.aspect_ratio: unknown value '7:5'; one of 1:1, 2:3,",
    ),
    "a size that is none": (
        {"image_config": {"image_size": "8K"}},
        "generation_config.image_config.image_size: unknown value '8K'; one of 512, 1K, 2K, 4K",
    ),
    "a look that is a word": ({"image_config": "big"}, "generation_config.image_config: an object, not 'big'"),
    "an unknown field of a look": (
        {"image_config": {"ratio": "1:1"}},
        "generation_config.image_config.ratio: the API has no such field",
    ),
    "a contradiction of both dialects": (
        {"form": {"type": "image", "image_size": "1K"}, "image_config": {"image_size": "2K"}},
        "generation_config.image_config.image_size: '2K' contradicts `response_format`, which says '1K'",
    ),
    "a form that is not among the modalities": (
        {"form": {"type": "image"}, "modalities": ["text"]},
        "response_format: it asks for image, which is not among `response_modalities`: text",
    ),
    "JSON where no text is asked for": (
        {"mime_type": "application/json", "modalities": ["audio"]},
        "response_modalities: it asks for JSON, but text is not among them: audio",
    ),
    "two images": (
        {"form": [{"type": "image"}, {"type": "image", "image_size": "1K"}]},
        "response_format[1]: there are two forms of image; leave one",
    ),
    "two schemas": ({"form": [SCHEMA, {"type": "text"}]}, "response_format[1]: there are two forms of text; leave one"),
    "an unknown kind of sound": (
        {"form": {"type": "audio", "mime_type": "audio/flac"}},
        "response_format.mime_type: unknown value 'audio/flac'; one of audio/l16,",
    ),
    "a rate that is none": (
        {"form": {"type": "audio", "sample_rate": 0}},
        "response_format.sample_rate: input should be greater than or equal to 1, not 0",
    ),
    "a speaker twice": (
        {"speech_config": [{"speaker": "Ann"}, {"speaker": "ann"}]},
        "generation_config.speech_config[1].speaker: there are two voices for 'ann'; leave one",
    ),
    "two voices for all": (
        {"speech_config": [{"voice": "Kore"}, {"voice": "Puck"}]},
        "generation_config.speech_config[1].speaker: there are two voices without a `speaker`; leave one",
    ),
    "a voice with an unknown field": (
        {"speech_config": [{"voice": "Kore", "pitch": 2}]},
        "generation_config.speech_config[0].pitch: the API has no such field",
    ),
    "voices that are a word": ({"speech_config": "Kore"}, "generation_config.speech_config: an object, not 'Kore'"),
}


@pytest.mark.parametrize(("sent", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(sent: dict[str, Any], message: str):
    with pytest.raises(InvalidRequest) as refused:
        parse_answer_form(**sent)
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize("modality", ["video", "DOCUMENT"])
def test_a_modality_that_is_to_come_is_refused_by_name(modality: str):
    with pytest.raises(Unimplemented, match=rf"^response_modalities\[1\]: .*'{modality.lower()}' yet"):
        parse_answer_form(modalities=["text", modality])


def test_a_video_is_to_come():
    with pytest.raises(Unimplemented, match=r"^response_format: turnwise cannot answer with video yet"):
        parse_answer_form({"type": "video"})
