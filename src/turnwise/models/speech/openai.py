"""A server with OpenAI's API of speech as a speaker: `POST {base_url}/audio/speech`.

Each line is a request of its own, so that speakers need not be known there, and a long line several. It is asked for
bare PCM, which comes as it is made; a server that answers with a file (WAV, MP3, Opus, FLAC) is understood all the
same, at its end. The user's own words on how to speak go along as `instructions`.

A name that the server has is its own to answer. Of the thirty names of the Gemini API, those that it does not have are
spoken by the voice of OpenAI's that comes closest (`voices.py`). Which it has is asked once, where the server can tell
(`GET {base_url}/audio/voices`); a server that cannot is taken to have OpenAI's.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from copy import copy
from dataclasses import replace

import aiohttp
import orjson

from turnwise.domain.errors import ModelFailed
from turnwise.models.openai import BROKEN, Limits, Upstream
from turnwise.models.speech.sentences import passages
from turnwise.models.speech.speaker import SAMPLE, Line, Sound
from turnwise.models.speech.speech import SpeechModel
from turnwise.models.speech.upstream import asked
from turnwise.models.speech.voices import DEFAULT_VOICE, named, no_voice

log = logging.getLogger(__name__)

LONGEST_TEXT = 4096
"""Characters that one request may have, by OpenAI's own limit."""

LONGEST_FILE = 256 * 2**20
"""The largest answer that is a file, in bytes."""

RATE = 24_000
"""The rate of bare PCM, where the answer does not say."""

SPEEDS = (0.25, 4.0)

_PCM_RATE = re.compile(r"rate=(\d+)")


class OpenAISpeaker:
    """Whoever stands behind OpenAI's API of speech."""

    def __init__(self, base_url: str, model: str, api_key: str | None = None, *, limits: Limits | None = None) -> None:
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._base_url = base_url.rstrip("/")
        self._upstream = Upstream(self._base_url, api_key, limits=limits)
        self._voices: dict[str, str] | None = None
        """The server's own, by the name in small letters; empty: it cannot tell. None: it was not asked yet."""

    def named(self, model: str) -> "OpenAISpeaker":
        """The same server, over the same connections, asked for another of its models."""
        other = copy(self)
        other._model = model
        return other

    async def start(self) -> None:
        """Nothing to do: an upstream that is down now may be up when it is asked."""

    async def close(self) -> None:
        await self._upstream.close()

    async def check(self, line: Line) -> None:
        """Whether there is such a voice (see the contract)."""
        await self._voice(line)

    async def speak(self, line: Line) -> AsyncGenerator[Sound, None]:
        """The line as sound (see the contract)."""
        voice = await self._voice(line)
        for text in passages(line.text, LONGEST_TEXT):
            async with asked(
                self._upstream, "/audio/speech", self._request(line, text, voice), self._model
            ) as response:
                async for sound in self._sound(response):
                    yield sound

    def _request(self, line: Line, text: str, voice: str) -> dict[str, object]:
        directions = [line.directions] if line.directions else []
        if line.language:
            directions.append(f"The language is {line.language}.")
        least, most = SPEEDS
        return {
            "model": self._model,
            "input": text,
            "voice": voice,
            "response_format": "pcm",
            **({"instructions": "\n".join(directions)} if directions else {}),
            **({"speed": round(min(max(line.style.rate, least), most), 2)} if line.style.rate != 1 else {}),
        }

    async def _sound(self, response: aiohttp.ClientResponse) -> AsyncGenerator[Sound, None]:
        """What an answer sounds like: PCM as it comes, any file when it is whole."""
        self._expect_sound(response)
        start = b""
        while len(start) < 4 and (data := await response.content.readany()):
            start += data
        if _is_file(start, response.content_type):
            for sound in _decoded(await self._whole(response, start)):
                yield sound
            return
        if not start:
            raise ModelFailed(f"the upstream of the model {self._model!r} answered without any sound")
        found = _PCM_RATE.search(response.headers.get("Content-Type", ""))
        rate = int(found[1]) if found else RATE
        rest = start
        while rest:
            whole = len(rest) - len(rest) % SAMPLE  # a sample may come in two halves
            if whole:
                yield Sound(rate, rest[:whole])
            data = await response.content.readany()
            rest = rest[whole:] + data if data else b""

    def _expect_sound(self, response: aiohttp.ClientResponse) -> None:
        kind = response.content_type
        if not kind.startswith("audio/") and kind not in ("application/octet-stream", "application/ogg"):
            raise ModelFailed(
                f"the upstream of the model {self._model!r} answered with {kind!r} instead of sound: is its base_url"
                " that of an API with /audio/speech?"
            )

    async def _whole(self, response: aiohttp.ClientResponse, start: bytes) -> bytes:
        pieces, size = [start], len(start)
        while data := await response.content.readany():
            pieces.append(data)
            size += len(data)
            if size > LONGEST_FILE:
                raise ModelFailed(f"the upstream of the model {self._model!r} sent sound without end")
        return b"".join(pieces)

    async def _voice(self, line: Line) -> str:
        """What the server calls a line's voice."""
        if self._voices is None:
            self._voices = await self._ask_for_voices()
        asked = (line.voice or "").strip()
        if own := self._voices.get(asked.casefold()):
            return own
        voice = named(line.voice or DEFAULT_VOICE)
        if not self._voices:
            return voice.openai if voice else asked
        if voice and voice.openai in self._voices:
            return self._voices[voice.openai]
        if not asked:
            return next(iter(self._voices.values()))
        raise no_voice(asked, line.path, f", which {self._model!r} does not have. It has: " + _listed(self._voices))

    async def _ask_for_voices(self) -> dict[str, str]:
        """The names that the server tells. One that tells none is not asked again; one that is down is."""
        try:
            async with (
                asyncio.timeout(10),
                aiohttp.ClientSession(headers=self._headers, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.get(f"{self._base_url}/audio/voices", allow_redirects=False) as response,
            ):
                body = orjson.loads(await response.content.read(LONGEST_TEXT * 64)) if response.status == 200 else None
        except (*BROKEN, orjson.JSONDecodeError) as error:
            log.debug("%s tells no voices: %s", self._upstream.place, type(error).__name__)
            return {}
        listed = body.get("voices") or body.get("data") if isinstance(body, dict) else body
        names = [_name(one) for one in listed] if isinstance(listed, list) else []
        return {name.casefold(): name for name in names if name}


class OpenAISpeech(SpeechModel):
    """A model that such a server serves."""

    def __init__(self, model: str, base_url: str, api_key: str | None = None, *, limits: Limits | None = None) -> None:
        self._server = OpenAISpeaker(base_url, model, api_key, limits=limits)
        super().__init__(model, self._server, understands=True)

    def named(self, name: str) -> "OpenAISpeech":
        """The same server, over the same connections, asked for another of its models."""
        other = copy(self)
        other.card = replace(self.card, name=name)
        other._speaker = other._server = self._server.named(name)
        return other


def _name(voice: object) -> str | None:
    """A voice's name, where a server lists names or objects with one."""
    if isinstance(voice, dict):
        voice = voice.get("id") or voice.get("voice_id") or voice.get("name")
    return voice if isinstance(voice, str) else None


def _listed(voices: dict[str, str]) -> str:
    return ", ".join(voices.values())


def _is_file(start: bytes, content_type: str) -> bool:
    """Whether an answer is no bare PCM. A server may ignore what it was asked for, and may not say so."""
    return start.startswith((b"RIFF", b"OggS", b"fLaC", b"ID3")) or content_type in (
        "audio/mpeg",
        "audio/mp3",
        "audio/aac",
        "audio/wav",
        "audio/x-wav",
        "audio/ogg",
        "audio/opus",
        "audio/flac",
        "application/ogg",
    )


def _decoded(data: bytes) -> list[Sound]:
    from turnwise.models.speech.sound import decode

    return decode(data)
