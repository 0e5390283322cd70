"""Gemini's models that answer with images, by `generateContent`: words and pictures in, words and pictures out.

The connection, its limits and what goes wrong with it are those of `models/openai.py`. What the model made in earlier
turns goes back as a user's: Gemini takes an image as its own only with a signature, which no content of the API holds.
Pictures of its thoughts, which it may send before the one that counts, are left out.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson

from turnwise.domain.content import Content, Media, Text
from turnwise.domain.errors import InvalidRequest, ModelFailed, TurnwiseError, Unimplemented
from turnwise.domain.interaction import Usage
from turnwise.domain.steps import FunctionCall, FunctionResult, ModelOutput, Step, Thought, UserInput
from turnwise.models.completions import parse_error_body
from turnwise.models.images.asking import check_parameters
from turnwise.models.images.openai import no_image
from turnwise.models.messages import output_media, render_result, result_media
from turnwise.models.model import (
    Finished,
    FinishReason,
    Fragment,
    MediaFragment,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    ThoughtFragment,
    UsageFragment,
)
from turnwise.models.openai import Limits, Upstream
from turnwise.models.pixels import check_pillow, fit

HOST = "https://generativelanguage.googleapis.com"

FINISHED: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "refusal",
    "RECITATION": "refusal",
    "BLOCKLIST": "refusal",
    "PROHIBITED_CONTENT": "refusal",
    "SPII": "refusal",
    "IMAGE_SAFETY": "refusal",
    "IMAGE_PROHIBITED_CONTENT": "refusal",
    "IMAGE_RECITATION": "refusal",
}
"""Why an answer ended. Every other word is no end of an answer."""

PARAMETERS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "max_output_tokens": "maxOutputTokens",
}
"""Our names of parameters, and Gemini's."""

Parts = list[dict[str, Any]]


class GeminiImages:
    """A model of Gemini's that answers with images."""

    def __init__(
        self,
        card: ModelCard,
        model: str,
        api_key: str | None,
        *,
        base_url: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.card = card
        self._model = model
        headers = {"x-goog-api-key": api_key} if api_key else {}
        self._upstream = Upstream(base_url or HOST, limits=limits, headers=headers)

    def named(self, name: str) -> "GeminiImages":
        """The same vendor, over the same connections, asked for another of its models."""
        other = copy(self)
        other.card, other._model = replace(self.card, name=name), name
        return other

    async def start(self) -> None:
        """Nothing to do: a vendor that is down now may be up when it is asked."""

    async def close(self) -> None:
        """Close the connections, those of every `named` model too."""
        await self._upstream.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        check_parameters(prompt, self._model, {*PARAMETERS, "stop_sequences", "thinking_level"})
        if prompt.image.mime_type:
            check_pillow()
        path = f"/v1beta/models/{quote(self._model, safe='')}:generateContent"
        body = orjson.dumps(render_request(prompt))
        response = await self._upstream.ask(body, self._model, path=path, explain=explain)
        try:
            answer = await self._upstream.whole(response, self._model)
        finally:
            response.close()
        read = read_answer(answer, self._model)
        if "text" not in prompt.modalities and read[-1] == Finished("stop"):
            self._check_image(read)
        fragments = [await self._shown(fragment, prompt) for fragment in read]
        yield Taken()
        for fragment in fragments:
            if fragment is not None:
                yield fragment

    def _check_image(self, read: Sequence[Fragment]) -> None:
        """Whether there is an image where nothing else was asked for."""
        if not any(isinstance(fragment, MediaFragment) for fragment in read):
            words = "".join(fragment.text for fragment in read if isinstance(fragment, TextFragment))
            raise ModelFailed(f"the model {self._model!r} made no image: {words or 'it did not say why'}")

    async def _shown(self, fragment: Fragment, prompt: Prompt) -> Fragment | None:
        """A fragment as it was asked for, if it was."""
        if isinstance(fragment, MediaFragment):
            return await asyncio.to_thread(self._formed, fragment, prompt.image.mime_type)
        return None if isinstance(fragment, TextFragment) and "text" not in prompt.modalities else fragment

    def _formed(self, fragment: MediaFragment, mime_type: str | None) -> MediaFragment:
        """An image in the form that was asked for, which Gemini cannot be told."""
        if mime_type in (None, fragment.mime_type):
            return fragment
        try:
            data, told = fit(fragment.data, mime_type, None)
        except InvalidRequest as error:
            raise no_image(self._model) from error
        return replace(fragment, data=data, mime_type=told)


def render_request(prompt: Prompt) -> dict[str, Any]:
    """The body of the call.

    Raises:
        Unimplemented: a kind of step that cannot be shown to such a model.
    """
    config: dict[str, Any] = {
        theirs: getattr(prompt.generation, ours)
        for ours, theirs in PARAMETERS.items()
        if getattr(prompt.generation, ours) is not None
    }
    if prompt.generation.stop_sequences:
        config["stopSequences"] = list(prompt.generation.stop_sequences)
    if prompt.generation.thinking_level is not None:
        config["thinkingConfig"] = {"thinkingLevel": prompt.generation.thinking_level}
    image = {"aspectRatio": prompt.image.aspect_ratio, "imageSize": prompt.image.image_size}
    if any(image.values()):
        config["imageConfig"] = {name: value for name, value in image.items() if value}
    body: dict[str, Any] = {
        "contents": render_contents(prompt.steps),
        "generationConfig": {**config, "responseModalities": ["TEXT", "IMAGE"]},
    }
    if prompt.system_instruction:
        body["systemInstruction"] = {"parts": [{"text": prompt.system_instruction}]}
    return body


def render_contents(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The conversation, oldest first; neighbours of one role are one content."""
    contents: list[dict[str, Any]] = []
    for step in steps:
        match step:
            case UserInput(content):
                _say(contents, "user", [_part(part) for part in content])
            case ModelOutput(content):
                media = output_media(content)
                words = "".join(part.text for part in content if isinstance(part, Text))
                _say(contents, "model", [{"text": words or " ".join(title for title, _ in media)}])
                _say(contents, "user", _titled(media))
            case FunctionResult():
                _say(contents, "user", [{"text": render_result(step)}, *_titled(result_media(step))])
            case Thought() | FunctionCall():
                pass  # what came of them stands behind them
            case _:
                raise Unimplemented(f"a step of type {step.type!r} cannot be shown to an image model")
    return contents


def _say(contents: list[dict[str, Any]], role: str, parts: Parts) -> None:
    if contents and contents[-1]["role"] == role:
        contents[-1]["parts"] += parts
    elif parts:
        contents.append({"role": role, "parts": parts})


def _titled(media: Sequence[tuple[str, Media]]) -> Parts:
    return [part for title, each in media for part in ({"text": title}, _part(each))]


def _part(content: Content) -> dict[str, Any]:
    if isinstance(content, Text):
        return {"text": content.text}
    if content.data is None or content.mime_type is None:
        raise Unimplemented(f"content of type {content.type!r} cannot be shown to this model without its bytes")
    part: dict[str, Any] = {"inlineData": {"mimeType": content.mime_type, "data": content.data}}
    resolution = content.options.get("resolution")
    if resolution:
        part["mediaResolution"] = {"level": f"MEDIA_RESOLUTION_{resolution.upper()}"}
    return part


def explain(body: bytes, status: int, retry_after: str | None, model: str) -> TurnwiseError:
    """What a refusal means. Gemini says 400 of a key that it does not know."""
    return parse_error_body(body, 401 if b"API_KEY_INVALID" in body else status, retry_after, model)


def read_answer(body: bytes, model: str) -> list[Fragment]:
    """The fragments of an answer.

    Raises:
        ModelFailed: it is none.
    """
    try:
        answer = orjson.loads(body)
        return [*_fragments(answer, model)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelFailed(f"the vendor of the model {model!r} answered with something that is no answer") from error


def _fragments(answer: Mapping[str, Any], model: str) -> Iterable[Fragment]:
    blocked = (answer.get("promptFeedback") or {}).get("blockReason")
    candidates = answer.get("candidates") or []
    if not candidates and not blocked:
        raise KeyError("candidates")
    candidate = candidates[0] if candidates else {}
    images = 0
    for part in (candidate.get("content") or {}).get("parts") or ():
        blob = part.get("inlineData")
        if blob and not part.get("thought"):
            yield MediaFragment(images, "image", blob["mimeType"], b64decode(blob["data"], validate=True))
            images += 1
        elif part.get("text"):
            yield ThoughtFragment(part["text"]) if part.get("thought") else TextFragment(part["text"])
    if answer.get("usageMetadata"):
        yield UsageFragment(parse_usage(answer["usageMetadata"]))
    yield Finished("refusal" if blocked else _reason(candidate, model))


def _reason(candidate: Mapping[str, Any], model: str) -> FinishReason:
    word = candidate.get("finishReason") or "STOP"
    if word not in FINISHED:
        said = candidate.get("finishMessage") or word
        raise ModelFailed(f"the model {model!r} made no image: {said}")
    return FINISHED[word]


def parse_usage(usage: Mapping[str, Any]) -> Usage:
    """What the vendor counted, by modality as far as it tells them apart."""
    return Usage(
        input=_counts(usage, "promptTokenCount", "promptTokensDetails", "text"),
        output=_counts(usage, "candidatesTokenCount", "candidatesTokensDetails", "image"),
        cached=_counts(usage, "cachedContentTokenCount", "cacheTokensDetails", "text"),
        thought=usage.get("thoughtsTokenCount") or 0,
    )


def _counts(usage: Mapping[str, Any], total: str, details: str, usual: str) -> dict[str, int]:
    told = {each["modality"].lower(): each.get("tokenCount") or 0 for each in usage.get(details) or ()}
    rest = (usage.get(total) or 0) - sum(told.values())
    if rest > 0:
        told[usual] = told.get(usual, 0) + rest
    return {kind: tokens for kind, tokens in told.items() if tokens}
