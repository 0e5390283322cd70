"""Answers that an upstream of chat completions speaks, over a real socket."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import orjson
import pytest

from models.prompts import prompt, read, text, usage
from models.upstream import DONE, Reply, body, delta, event, events, serve
from turnwise.domain.errors import InvalidRequest, ModelFailed, Unimplemented
from turnwise.domain.formats import AudioFormat, Voice
from turnwise.domain.interaction import Usage
from turnwise.models.model import Fragment, MediaFragment, ModelCard, Prompt, TextFragment
from turnwise.models.openai import OpenAIModel

CARD = ModelCard("omni", outputs=frozenset({"text", "audio"}))
USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 25,
    "prompt_tokens_details": {"audio_tokens": 10, "image_tokens": 8, "cached_tokens": 0},
    "completion_tokens_details": {"audio_tokens": 20},
}


def spoken(streaming: bool = True, both: bool = True, **fields: Any) -> Prompt:
    return replace(prompt("Hi", streaming=streaming), modalities=("text", "audio") if both else ("audio",), **fields)


async def answered(reply: Reply, asked: Prompt) -> tuple[list[Fragment], dict[str, Any]]:
    async with serve(reply) as upstream:
        model = OpenAIModel(CARD, upstream.url, "omni")
        try:
            fragments = await read(model, asked)
        finally:
            await model.close()
    return fragments, upstream.requests[0].body


def sound(fragments: list[Fragment]) -> bytes:
    return b"".join(fragment.data for fragment in fragments if isinstance(fragment, MediaFragment))


STREAM = events(
    delta(role="assistant", audio={"id": "a1", "transcript": "Hel"}),
    delta(audio={"data": b64encode(b"\1\2").decode()}),
    delta(audio={"data": b64encode(b"\3\4").decode(), "transcript": "lo"}),
    delta("stop"),
    event(choices=[], usage=USAGE),
    DONE,
)
AUDIO = {"id": "a1", "data": b64encode(b"RIFF....").decode(), "transcript": "Hello", "expires_at": 1}
WHOLE = body(
    orjson.dumps(
        {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": None, "audio": AUDIO},
                    "finish_reason": "stop",
                }
            ],
            "usage": USAGE,
        }
    )
)


async def test_bare_sound_comes_piece_by_piece_with_its_words() -> None:
    fragments, asked = await answered(STREAM, spoken())
    assert (asked["modalities"], asked["stream"]) == (["text", "audio"], True)
    assert asked["audio"] == {"voice": "alloy", "format": "pcm16"}
    options = {"sample_rate": 24000, "channels": 1}
    assert [fragment for fragment in fragments if isinstance(fragment, TextFragment | MediaFragment)] == [
        TextFragment("Hel"),
        MediaFragment(0, "audio", "audio/l16", b"\1\2", options=options),
        TextFragment("lo"),
        MediaFragment(0, "audio", "audio/l16", b"\3\4", options=options),
    ]


async def test_tokens_are_counted_by_modality() -> None:
    fragments, _ = await answered(STREAM, spoken())
    assert usage(fragments) == Usage(
        input={"text": 12, "image": 8, "audio": 10}, output={"text": 5, "audio": 20}, cached={}, thought=0
    )


@pytest.mark.parametrize(
    ("mime_type", "form"), [("audio/wav", "wav"), ("audio/mp3", "mp3"), ("audio/ogg_opus", "opus")]
)
async def test_other_forms_come_in_one_piece_even_if_someone_reads_along(mime_type: Any, form: str) -> None:
    asked = spoken(audio=AudioFormat(mime_type, sample_rate=24000), voices=[Voice("verse")])
    fragments, body = await answered(WHOLE, asked)
    assert (body["stream"], body["audio"]) == (False, {"voice": "verse", "format": form})
    assert "stream_options" not in body
    assert (text(fragments), sound(fragments)) == ("Hello", b"RIFF....")


async def test_a_voice_of_the_gemini_api_is_spoken_by_the_one_that_comes_closest() -> None:
    _, asked = await answered(STREAM, spoken(voices=[Voice("kore")]))
    assert asked["audio"]["voice"] == "sage"


async def test_who_wants_sound_alone_gets_no_words() -> None:
    fragments, body = await answered(WHOLE, spoken(streaming=False, both=False))
    assert body["modalities"] == ["text", "audio"]
    assert (text(fragments), sound(fragments)) == ("", b"RIFF....")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"audio": AudioFormat("audio/alaw")}, "response_format.mime_type"),
        ({"audio": AudioFormat(sample_rate=8000)}, "response_format.sample_rate"),
        ({"audio": AudioFormat("audio/mp3", bit_rate=64000)}, "response_format.bit_rate"),
        ({"voices": [Voice("a"), Voice("b")]}, "generation_config.speech_config"),
        ({"voices": [Voice("a", speaker="Joe")]}, "generation_config.speech_config"),
        ({"voices": [Voice("a", language="de-DE")]}, "generation_config.speech_config"),
    ],
    ids=["form", "rate", "bits", "voices", "speaker", "language"],
)
async def test_what_there_is_no_word_for_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await answered(STREAM, spoken(**fields))
    assert refusal.value.field == field


async def test_images_are_refused() -> None:
    with pytest.raises(Unimplemented, match="have no images"):
        await answered(STREAM, replace(prompt("Draw"), modalities=("image",)))


async def test_sound_that_is_no_base64_is_no_answer() -> None:
    with pytest.raises(ModelFailed, match="no completion"):
        await answered(events(delta(audio={"data": "?"}), delta("stop"), DONE), spoken())


async def test_a_text_answer_is_asked_for_as_ever() -> None:
    asked = prompt("Hi")
    async with serve(events(delta("stop", content="Hello"), DONE)) as upstream:
        model = OpenAIModel(CARD, upstream.url, "omni")
        await read(model, asked)
        await model.close()
    assert not {"modalities", "audio"} & set(upstream.requests[0].body)
