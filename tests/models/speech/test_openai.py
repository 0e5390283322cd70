"""A server with OpenAI's API of speech, played by a real server on a loopback socket that speaks its protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import numpy as np
import orjson
import pytest

from models.prompts import BOUND
from models.speech.hearing import asked, decoded, hear, pitch
from models.upstream import END, Reply, Request, Upstream, body, head, piece, raw, refused, serve, silent
from turnwise.domain.errors import (
    InvalidRequest,
    ModelFailed,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    TurnwiseError,
)
from turnwise.domain.formats import AudioFormat, Voice
from turnwise.models.model import MediaFragment
from turnwise.models.openai import Limits
from turnwise.models.speech.openai import OpenAISpeech
from turnwise.models.speech.sound import Encoder
from turnwise.models.speech.speaker import Sound

QUICK = Limits(connect=2.0, idle=0.3, total=5.0)

Ask = Callable[[Upstream], OpenAISpeech]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Makes models, and closes them behind the test."""
    made: list[OpenAISpeech] = []

    def make(upstream: Upstream) -> OpenAISpeech:
        made.append(OpenAISpeech("tts", upstream.url, "secret", limits=QUICK))
        return made[-1]

    yield make
    for model in made:
        await model.close()


def tone(hertz: float = 200.0, seconds: float = 1.0, rate: int = 24_000) -> bytes:
    times = np.arange(round(rate * seconds)) / rate
    return (8000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()


def speech(*pieces: bytes, content_type: str = "audio/pcm") -> Reply:
    """Sound, in these pieces."""

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head(content_type=content_type) + b"".join(piece(part) for part in pieces) + END)

    return reply


def server(*replies: Reply, voices: object = None) -> Reply:
    """A server that tells its voices, or none, and speaks with each of the replies in turn."""
    waiting = list(replies)

    async def reply(request: Request, out: asyncio.StreamWriter) -> None:
        if request.path == "/v1/audio/voices":
            await (refused(404) if voices is None else body(orjson.dumps(voices)))(request, out)
        else:
            await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request, out)

    return reply


def spoken(upstream: Upstream) -> list[Request]:
    return [request for request in upstream.requests if request.path == "/v1/audio/speech"]


async def test_the_call_says_what_the_prompt_says(ask: Ask) -> None:
    async with serve(server(speech(tone()))) as upstream:
        await hear(ask(upstream), asked("Say cheerfully: Have a nice day!", voices=(Voice("Kore", "en-US"),)))
    (request,) = spoken(upstream)
    assert request.headers["authorization"] == "Bearer secret"
    assert request.body == {
        "model": "tts",
        "input": "Have a nice day!",
        "voice": "sage",
        "response_format": "pcm",
        "instructions": "Say cheerfully\nThe language is en-US.",
        "speed": 1.08,
    }


async def test_what_the_prompt_does_not_say_is_left_to_the_server(ask: Ask) -> None:
    async with serve(server(speech(tone()))) as upstream:
        await hear(ask(upstream), asked("Hello"))
    assert spoken(upstream)[0].body == {"model": "tts", "input": "Hello", "voice": "sage", "response_format": "pcm"}


async def test_its_sound_is_the_answer_wherever_it_is_cut(ask: Ask) -> None:
    sound = tone(seconds=2)
    async with serve(server(speech(sound[:1], sound[1:4], sound[4:1001], sound[1001:]))) as upstream:
        answer = await hear(ask(upstream), asked("Hello"))
    assert answer.data == sound
    assert (answer.reason, answer.usage.output) == ("stop", {"audio": 50})


async def test_sound_is_passed_on_while_it_is_made(ask: Ask) -> None:
    goes_on = asyncio.Event()

    async def slowly(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head(content_type="audio/pcm") + piece(tone()))
        await out.drain()
        await goes_on.wait()
        out.write(piece(tone()) + END)

    async with (
        serve(server(slowly)) as upstream,
        asyncio.timeout(BOUND),
        aclosing(ask(upstream).stream(asked("Hello"))) as fragments,
    ):
        while not isinstance(await anext(fragments), MediaFragment):
            pass
        goes_on.set()
        assert len([fragment async for fragment in fragments if isinstance(fragment, MediaFragment)]) >= 1


async def test_leaving_hangs_up(ask: Ask) -> None:
    async def endless(request: Request, out: asyncio.StreamWriter) -> None:
        out.write(head(content_type="audio/pcm") + piece(tone()))
        await out.drain()
        await request.gone.wait()

    async with serve(server(endless)) as upstream:
        async with asyncio.timeout(BOUND):
            async with aclosing(ask(upstream).stream(asked("Hello"))) as fragments:
                await anext(fragments)
            await spoken(upstream)[0].gone.wait()


@pytest.mark.parametrize(
    ("mime_type", "content_type"),
    [
        ("audio/wav", "audio/wav"),
        ("audio/mp3", "audio/mpeg"),
        ("audio/ogg_opus", "audio/ogg"),
        ("audio/wav", "application/octet-stream"),
    ],
)
async def test_a_server_that_answers_with_a_file_is_understood(ask: Ask, mime_type: str, content_type: str) -> None:
    encoder = Encoder(AudioFormat(mime_type=mime_type))  # type: ignore[arg-type]
    file = encoder.add(Sound(24_000, tone(seconds=4))) + encoder.end()
    async with serve(server(speech(file[:3], file[3:], content_type=content_type))) as upstream:
        answer = await hear(ask(upstream), asked("Hello"))
    assert answer.seconds == pytest.approx(4.0, rel=0.05)
    assert pitch(answer.samples) == pytest.approx(200, rel=0.02)


async def test_the_rate_is_the_one_that_it_says(ask: Ask) -> None:
    async with serve(server(speech(tone(rate=48_000), content_type="audio/pcm;rate=48000"))) as upstream:
        answer = await hear(ask(upstream), asked("Hello"))
    assert answer.seconds == pytest.approx(1.0, rel=0.01)


async def test_the_answer_has_the_form_that_was_asked_for(ask: Ask) -> None:
    asks = asked("Hello", audio=AudioFormat(mime_type="audio/wav", sample_rate=16_000))
    async with serve(server(speech(tone(seconds=2)))) as upstream:
        answer = await hear(ask(upstream), asks)
    file = decoded(answer.data)
    assert (file.container, file.rate) == ("wav", 16_000)
    assert file.seconds == pytest.approx(2.0, rel=0.01)


async def test_each_speaker_is_a_call_of_its_own(ask: Ask) -> None:
    voices = (Voice("Puck", speaker="Joe"), Voice("shimmer", speaker="Jane"))
    async with serve(server(speech(tone(100)), speech(tone(300)))) as upstream:
        answer = await hear(ask(upstream), asked("Joe: Hi!\nJane: Hello!", voices=voices))
    assert [(call.body["voice"], call.body["input"]) for call in spoken(upstream)] == [
        ("echo", "Hi!"),
        ("shimmer", "Hello!"),
    ]
    assert answer.seconds == pytest.approx(2.35)
    assert pitch(answer.samples[:24_000]) == pytest.approx(100, rel=0.02)
    assert pitch(answer.samples[-24_000:]) == pytest.approx(300, rel=0.02)


async def test_a_long_text_is_several_calls(ask: Ask) -> None:
    async with serve(server(speech(tone(seconds=0.1)))) as upstream:
        await hear(ask(upstream), asked("Some words of a long text. " * 400))
    assert [len(call.body["input"]) <= 4096 for call in spoken(upstream)] == [True] * 3
    assert " ".join(call.body["input"] for call in spoken(upstream)) == ("Some words of a long text. " * 400).strip()


async def test_names_that_the_server_has_are_its_own(ask: Ask) -> None:
    async with serve(server(speech(tone()), voices={"voices": ["af_heart", "Kore"]})) as upstream:
        model = ask(upstream)
        await hear(model, asked("Hi", voices=(Voice("kore"),)))
        await hear(model, asked("Hi", voices=(Voice("AF_Heart"),)))
    assert [call.body["voice"] for call in spoken(upstream)] == ["Kore", "af_heart"]
    assert [request.path for request in upstream.requests].count("/v1/audio/voices") == 1


async def test_a_name_that_the_server_does_not_have_is_refused_with_those_it_has(ask: Ask) -> None:
    listed = {"data": [{"id": "af_heart"}, {"name": "am_adam"}]}
    async with serve(server(speech(tone()), voices=listed)) as upstream:
        with pytest.raises(InvalidRequest, match=r"no voice 'Puck'.*It has: af_heart, am_adam") as error:
            await hear(ask(upstream), asked("Hi", voices=(Voice("Puck"),)))
    assert error.value.field == "generation_config.speech_config.voice"
    assert spoken(upstream) == []


async def test_a_server_that_tells_no_voices_is_asked_for_the_very_name(ask: Ask) -> None:
    async with serve(server(speech(tone()))) as upstream:
        await hear(ask(upstream), asked("Hi", voices=(Voice("af_heart"),)))
    assert spoken(upstream)[0].body["voice"] == "af_heart"


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (refused(400, "no such voice"), InvalidRequest, "refused the request: no such voice"),
        (refused(401), ModelUnavailable, "own key for the model 'tts' was refused"),
        (refused(429, "slow down"), RateLimited, "is busy: slow down"),
        (refused(503), ModelUnavailable, "is unavailable"),
        (body(b"<html>", content_type="text/html"), ModelFailed, "'text/html' instead of sound"),
        (speech(b"RIFF, but no file"), ModelFailed, "no sound that can be read"),
        (raw(b"HTTP/1.1 200 X\r\n"), ModelUnavailable, "broke off"),
        (silent(), ModelTimeout, "did not answer in time"),
    ],
)
async def test_what_goes_wrong_before_the_first_sound_is_an_ordinary_error(
    ask: Ask, reply: Reply, error: type[TurnwiseError], words: str
) -> None:
    async with serve(server(reply)) as upstream:
        with pytest.raises(error, match=words):
            await asyncio.wait_for(anext(ask(upstream).stream(asked("Hello"))), BOUND)


async def test_a_server_that_breaks_off_is_told(ask: Ask) -> None:
    half = raw(head(content_type="audio/pcm") + piece(tone()))
    async with serve(server(half)) as upstream:
        with pytest.raises(ModelUnavailable, match="broke off before its answer was complete"):
            await hear(ask(upstream), asked("Hello"))


async def test_a_server_that_is_down_is_told(ask: Ask) -> None:
    async with serve(server(speech(tone()))) as upstream:
        model = ask(upstream)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await hear(model, asked("Hello"))


async def test_an_answer_without_sound_is_told(ask: Ask) -> None:
    async with serve(server(speech())) as upstream:
        with pytest.raises(ModelFailed, match="answered without any sound"):
            await hear(ask(upstream), asked("Hello"))


async def test_another_model_of_the_server_is_asked_over_the_same_connections(ask: Ask) -> None:
    async with serve(server(speech(tone()))) as upstream:
        model = ask(upstream)
        await hear(model, asked("Hello"))
        other = model.named("tts-hd")
        await hear(other, asked("Hello"))
    assert [call.body["model"] for call in spoken(upstream)] == ["tts", "tts-hd"]
    assert (model.card.name, other.card.name) == ("tts", "tts-hd")
