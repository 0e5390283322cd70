"""Gemini's voices, played by a real server on a loopback socket that speaks `generateContent`."""

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from models.speech.hearing import after_speech, asked, decoded, hear
from models.upstream import Reply, Upstream, body, events, refused, serve
from turnwise.domain.errors import ContentBlocked, InvalidRequest, ModelFailed, RateLimited, TurnwiseError
from turnwise.domain.formats import AudioFormat, Voice
from turnwise.domain.interaction import Usage
from turnwise.models.model import Prompt
from turnwise.models.speech.gemini import GeminiSpeech

PCM = bytes(range(240)) * 200

Ask = Callable[[Upstream], GeminiSpeech]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Makes models, and closes them behind the test."""
    made: list[GeminiSpeech] = []

    def make(upstream: Upstream) -> GeminiSpeech:
        made.append(GeminiSpeech("tts", "secret", upstream.url.removesuffix("/v1")))
        return made[-1]

    yield make
    for model in made:
        await model.close()


def answer(
    data: bytes = PCM, *, finish: str | None = "STOP", mime_type: str = "audio/L16;codec=pcm;rate=24000"
) -> dict[str, Any]:
    """A piece of an answer as Gemini says it."""
    part = {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, **({"finishReason": finish} if finish else {})}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 38},
    }


def whole(reply: dict[str, Any]) -> Reply:
    return body(orjson.dumps(reply))


def streamed(*replies: dict[str, Any]) -> Reply:
    return events(*(b"data: " + orjson.dumps(reply) + b"\r\n\r\n" for reply in replies))


async def test_the_call_says_everything_that_the_prompt_says(ask: Ask) -> None:
    prompt = asked(
        "Say cheerfully: Hello",
        voices=(Voice("kore", "en-US"),),
        system="Be kind.",
        streaming=False,
        temperature=0.5,
        top_p=0.9,
        top_k=20,
        seed=7,
        max_output_tokens=500,
        stop_sequences=("END",),
    )
    async with serve(whole(answer())) as upstream:
        await hear(ask(upstream), prompt)
    (request,) = upstream.requests
    assert request.path == "/v1beta/models/tts:generateContent"
    assert request.headers["x-goog-api-key"] == "secret"
    assert "authorization" not in request.headers
    assert request.body == {
        "contents": [{"role": "user", "parts": [{"text": "Say cheerfully: Hello"}]}],
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "speechConfig": {
                "languageCode": "en-US",
                "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}},
            },
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 20,
            "seed": 7,
            "maxOutputTokens": 500,
            "stopSequences": ["END"],
        },
    }


async def test_its_sound_and_its_cost_are_the_answers(ask: Ask) -> None:
    async with serve(whole(answer())) as upstream:
        heard = await hear(ask(upstream), asked("Hello", streaming=False))
    assert (heard.data, heard.reason) == (PCM, "stop")
    assert heard.usage == Usage(input={"text": 9}, output={"audio": 38})


async def test_a_streamed_answer_comes_piece_by_piece(ask: Ask) -> None:
    replies = streamed(answer(PCM, finish=None), answer(PCM, finish=None), answer(b""))
    async with serve(replies) as upstream:
        heard = await hear(ask(upstream), asked("Hello"))
    assert upstream.requests[0].path == "/v1beta/models/tts:streamGenerateContent?alt=sse"
    assert heard.data == PCM * 2
    assert len(heard.pieces) > 1


async def test_speakers_have_a_voice_each(ask: Ask) -> None:
    voices = (Voice("Zephyr", "en-US", "Alice"), Voice("puck", "en-US", "Bob"))
    async with serve(whole(answer())) as upstream:
        await hear(ask(upstream), asked("Alice: Hi\nBob: Hello", voices=voices, streaming=False))
    sent = upstream.requests[0].body
    assert sent["contents"][0]["parts"][0]["text"] == "Alice: Hi\nBob: Hello"
    assert sent["generationConfig"]["speechConfig"] == {
        "languageCode": "en-US",
        "multiSpeakerVoiceConfig": {
            "speakerVoiceConfigs": [
                {"speaker": "Alice", "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Zephyr"}}},
                {"speaker": "Bob", "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}}},
            ]
        },
    }


async def test_say_it_again_sends_what_was_said(ask: Ask) -> None:
    prompt = Prompt(after_speech("Say: Hello", "say it again, slower"), modalities=("audio",), streaming=False)
    async with serve(whole(answer())) as upstream:
        await hear(ask(upstream), prompt)
    assert upstream.requests[0].body["contents"][0]["parts"][0]["text"] == "This time, speak slower.\n\nSay: Hello"


async def test_the_answer_has_the_form_that_was_asked_for(ask: Ask) -> None:
    audio = AudioFormat(mime_type="audio/mp3", sample_rate=16_000)
    async with serve(whole(answer(PCM * 10))) as upstream:
        heard = await hear(ask(upstream), asked("Hello", audio=audio, streaming=False))
    file = decoded(heard.data)
    assert (file.codec, file.rate) == ("mp3float", 16_000)
    assert file.seconds == pytest.approx(10.0, rel=0.05)


@pytest.mark.parametrize(
    ("voices", "words"),
    [
        ((Voice("Kore", "en-US", "A"), Voice("Puck", "de-DE", "B")), "one language at a time, not de-DE, en-US"),
        ((Voice("Kore", speaker="A"), Voice("Puck")), "a `speaker` for each"),
    ],
)
async def test_voices_that_cannot_be_together_are_refused(ask: Ask, voices: tuple[Voice, ...], words: str) -> None:
    async with serve(whole(answer())) as upstream:
        with pytest.raises(InvalidRequest, match=words):
            await hear(ask(upstream), asked("A: Hi\nB: Hello", voices=voices))
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (refused(429, "quota"), RateLimited, "is busy: quota"),
        (refused(400, "bad voice"), InvalidRequest, "refused the request: bad voice"),
        (body(b"no JSON"), ModelFailed, "no answer"),
        (body(b"[]"), ModelFailed, "no answer"),
        (whole({"promptFeedback": {"blockReason": "SAFETY"}}), ContentBlocked, "refused to speak this: SAFETY"),
        (whole({"candidates": [{"finishReason": "OTHER"}]}), ContentBlocked, "OTHER"),
        (whole({"candidates": [{"finishReason": "STOP"}]}), ModelFailed, "answered without any sound"),
        (whole(answer(b"")), ModelFailed, "answered without any sound"),
        (whole(answer(finish=None)), ModelFailed, "stopped in the middle"),
    ],
)
async def test_what_goes_wrong_is_told(ask: Ask, reply: Reply, error: type[TurnwiseError], words: str) -> None:
    async with serve(reply) as upstream:
        with pytest.raises(error, match=words):
            await hear(ask(upstream), asked("Hello", streaming=False))


async def test_sound_that_is_no_base64_is_told(ask: Ask) -> None:
    broken = answer()
    broken["candidates"][0]["content"]["parts"][0]["inlineData"]["data"] = "?"
    async with serve(whole(broken)) as upstream:
        with pytest.raises(ModelFailed, match="no base64"):
            await hear(ask(upstream), asked("Hello", streaming=False))


async def test_another_model_is_asked_over_the_same_connections(ask: Ask) -> None:
    async with serve(whole(answer())) as upstream:
        other = ask(upstream).named("tts-pro")
        await hear(other, asked("Hello", streaming=False))
    assert upstream.requests[0].path == "/v1beta/models/tts-pro:generateContent"
    assert other.card.name == "tts-pro"
