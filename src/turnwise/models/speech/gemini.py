"""Gemini's own voices: `generateContent` with an answer in sound, over HTTP.

The text goes there as the user wrote it, instructions and speakers' names and all: such a model understands them. The
voices are its own, by the same thirty names. What comes back is PCM in base64, in one piece or, for someone who listens
along, as it is made; it is brought to the form that was asked for here.
"""

import base64
import binascii
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import replace
from typing import Any

import aiohttp
import orjson

from turnwise.domain.errors import ContentBlocked, InvalidRequest, ModelFailed
from turnwise.domain.formats import Voice
from turnwise.domain.interaction import Usage
from turnwise.models.model import Fragment, ModelCard, Prompt
from turnwise.models.openai import Limits, Upstream
from turnwise.models.speech.script import PATH, Asked, read_asked
from turnwise.models.speech.speaker import SAMPLE, Sound
from turnwise.models.speech.speech import Delivery, refuse_unknown
from turnwise.models.speech.upstream import asked
from turnwise.models.speech.voices import DEFAULT_VOICE, named
from turnwise.models.sse import EventReader, EventTooLarge

BASE_URL = "https://generativelanguage.googleapis.com"

ENDINGS = frozenset({"STOP", "MAX_TOKENS"})
"""Reasons to end that are no refusal."""

LARGEST = 256 * 2**20
"""The largest answer, in bytes."""

_RATE = re.compile(r"rate=(\d+)")
_VERSION = re.compile(r"/v\d+\w*$")


class GeminiSpeech:
    """A model of Gemini's that answers with sound."""

    def __init__(
        self, model: str, api_key: str | None, base_url: str | None = None, *, limits: Limits | None = None
    ) -> None:
        base = (base_url or BASE_URL).rstrip("/")
        headers = {"x-goog-api-key": api_key} if api_key else {}
        self.card = ModelCard(model, outputs=frozenset({"audio"}))
        self._model = model
        self._upstream = Upstream(base if _VERSION.search(base) else f"{base}/v1beta", limits=limits, headers=headers)

    def named(self, name: str) -> "GeminiSpeech":
        """The same upstream, over the same connections, asked for another of its models."""
        other = copy(self)
        other.card, other._model = replace(self.card, name=name), name
        return other

    async def start(self) -> None:
        """Nothing to do: an upstream that is down now may be up when it is asked."""

    async def close(self) -> None:
        await self._upstream.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        refuse_unknown(prompt)
        request = render(prompt)
        delivery = Delivery(prompt)
        async with aclosing(self._sounds(request, prompt.streaming, delivery)) as sounds:
            async for fragment in delivery.fragments(sounds):
                yield fragment

    async def _sounds(
        self, request: dict[str, Any], streaming: bool, delivery: Delivery
    ) -> AsyncGenerator[Sound, None]:
        method = "streamGenerateContent?alt=sse" if streaming else "generateContent"
        ended = heard = False
        async with asked(self._upstream, f"/models/{self._model}:{method}", request, self._model) as response:
            async for answer in self._answers(response, streaming):
                for sound in _sounds(answer, self._model):
                    heard = heard or bool(sound.data)
                    yield sound
                ended = ended or self._has_ended(answer)
                delivery.usage = _usage(answer) or delivery.usage
        if ended and not heard:
            raise ModelFailed(f"the model {self._model!r} answered without any sound")
        if not ended:
            raise ModelFailed(f"the model {self._model!r} stopped in the middle of its answer")

    async def _answers(
        self, response: aiohttp.ClientResponse, streaming: bool
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """The objects that an answer consists of."""
        if not streaming:
            body = b""
            while data := await response.content.readany():
                body += data
                if len(body) > LARGEST:
                    raise self._no_answer()
            yield self._object(body)
            return
        events = EventReader()
        while data := await response.content.readany():
            try:
                payloads = events.feed(data)
            except EventTooLarge as error:
                raise self._no_answer() from error
            for payload in payloads:
                yield self._object(payload)

    def _object(self, body: bytes) -> Mapping[str, Any]:
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise self._no_answer() from error
        if not isinstance(answer, dict):
            raise self._no_answer()
        return answer

    def _has_ended(self, answer: Mapping[str, Any]) -> bool:
        """Whether this was the last piece.

        Raises:
            ContentBlocked: the model refused.
        """
        blocked = (answer.get("promptFeedback") or {}).get("blockReason")
        reason = blocked or _candidate(answer).get("finishReason")
        if reason and reason not in ENDINGS:
            raise ContentBlocked(f"the model {self._model!r} refused to speak this: {reason}")
        return bool(reason)

    def _no_answer(self) -> ModelFailed:
        return ModelFailed(f"the model {self._model!r} answered with something that is no answer")


def render(prompt: Prompt) -> dict[str, Any]:
    """The request for a prompt, as Gemini wants it.

    Raises:
        InvalidRequest: voices that it cannot have together.
    """
    generation = prompt.generation
    config = {
        "responseModalities": ["AUDIO"],
        "speechConfig": _speech_config(prompt.voices),
        "temperature": generation.temperature,
        "topP": generation.top_p,
        "topK": generation.top_k,
        "seed": generation.seed,
        "maxOutputTokens": generation.max_output_tokens,
        "stopSequences": list(generation.stop_sequences) or None,
    }
    request: dict[str, Any] = {
        "contents": [{"role": "user", "parts": [{"text": _text(read_asked(prompt))}]}],
        "generationConfig": {name: value for name, value in config.items() if value is not None},
    }
    if prompt.system_instruction:
        request["systemInstruction"] = {"parts": [{"text": prompt.system_instruction}]}
    return request


def _text(asked: Asked) -> str:
    """What was asked for, and how it is to be said this time if it was said before."""
    return "\n\n".join([*(f"This time, speak {how}." for how in asked.again if how), asked.said])


def _speech_config(voices: Sequence[Voice]) -> dict[str, Any]:
    languages = {voice.language for voice in voices if voice.language}
    if len(languages) > 1:
        raise InvalidRequest(
            f"Gemini speaks one language at a time, not {', '.join(sorted(languages))}; leave one", field=PATH
        )
    speakers = [voice for voice in voices if voice.speaker]
    if speakers and len(speakers) < len(voices):
        raise InvalidRequest("Gemini wants a `speaker` for each of several voices", field=PATH)
    config: dict[str, Any] = {"languageCode": languages.pop()} if languages else {}
    if len(speakers) > 1:
        config["multiSpeakerVoiceConfig"] = {
            "speakerVoiceConfigs": [
                {"speaker": voice.speaker, "voiceConfig": _voice_config(voice)} for voice in speakers
            ]
        }
    else:
        config["voiceConfig"] = _voice_config(voices[0] if voices else Voice())
    return config


def _voice_config(voice: Voice) -> dict[str, Any]:
    """A voice by its name, spelled as Gemini does if it is one of the thirty."""
    name = voice.voice or DEFAULT_VOICE
    known = named(name)
    return {"prebuiltVoiceConfig": {"voiceName": known.name if known else name}}


def _candidate(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    candidates = answer.get("candidates")
    return candidates[0] if isinstance(candidates, list) and candidates and isinstance(candidates[0], dict) else {}


def _sounds(answer: Mapping[str, Any], model: str) -> list[Sound]:
    """The sound in one piece of an answer."""
    parts = (_candidate(answer).get("content") or {}).get("parts") or []
    sounds: list[Sound] = []
    for part in parts:
        inline = part.get("inlineData") if isinstance(part, dict) else None
        if not isinstance(inline, dict):
            continue
        try:
            data = base64.b64decode(inline.get("data") or "", validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ModelFailed(f"the model {model!r} answered with sound that is no base64") from error
        mime_type = str(inline.get("mimeType") or "")
        found = _RATE.search(mime_type)
        if mime_type.lower().startswith(("audio/l16", "audio/pcm")):
            sounds.append(Sound(int(found[1]) if found else 24_000, data[: len(data) - len(data) % SAMPLE]))
        else:
            from turnwise.models.speech.sound import decode

            sounds += decode(data)
    return sounds


def _usage(answer: Mapping[str, Any]) -> Usage | None:
    counted = answer.get("usageMetadata")
    if not isinstance(counted, dict):
        return None
    prompt, spoken = counted.get("promptTokenCount"), counted.get("candidatesTokenCount")
    if not isinstance(prompt, int) or not isinstance(spoken, int):
        return None
    return Usage(input={"text": prompt}, output={"audio": spoken})
