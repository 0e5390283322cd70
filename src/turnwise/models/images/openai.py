"""A model of images behind an API as OpenAI has it: `POST /images/generations`, and `/images/edits` when the
conversation holds a picture.

The connection, its limits and what goes wrong with it are those of `models/openai.py`. A refusal for what was asked
(moderation) is an end of the answer, as it is with text.
"""

import asyncio
import re
from base64 import b64decode
from collections.abc import AsyncGenerator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import orjson

from turnwise.domain.errors import ContentBlocked, InvalidRequest, ModelFailed, TurnwiseError
from turnwise.domain.formats import ImageFormat
from turnwise.domain.interaction import Counts, Usage
from turnwise.models.completions import parse_error_body
from turnwise.models.drawing.sizes import pixels
from turnwise.models.images.asking import Asked, Picture, asked_of, check_parameters
from turnwise.models.images.sizes import Pixels, family_of, nearest
from turnwise.models.model import (
    Finished,
    Fragment,
    MediaFragment,
    ModelCard,
    Prompt,
    Taken,
    TextFragment,
    UsageFragment,
)
from turnwise.models.openai import JSON, Limits, Upstream
from turnwise.models.pixels import check_pillow, fit

GENERATIONS, EDITS = "/images/generations", "/images/edits"

BLOCKED = re.compile(rb"moderation_blocked|content_policy_violation|content_filter|safety system", re.IGNORECASE)
"""What an upstream says when it does not want to make such an image."""

FILES = 16
"""No more pictures go with one call."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call, as it goes out."""

    path: str
    body: bytes
    form: str = JSON


class OpenAIImages:
    """A model of images that an OpenAI-compatible upstream serves."""

    def __init__(
        self, card: ModelCard, base_url: str, model: str, api_key: str | None = None, *, limits: Limits | None = None
    ) -> None:
        self.card = card
        self._model = model
        self._family = family_of(model)
        self._upstream = Upstream(base_url, api_key, limits=limits)

    def named(self, name: str) -> "OpenAIImages":
        """The same upstream, over the same connections, asked for another of its models."""
        other = copy(self)
        other.card, other._model, other._family = replace(self.card, name=name), name, family_of(name)
        return other

    async def start(self) -> None:
        """Nothing to do: an upstream that is down now may be up when it is asked."""

    async def close(self) -> None:
        """Close the connections, those of every `named` model too."""
        await self._upstream.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        check_parameters(prompt, self._model, {"seed"} if self._family.seeds else ())
        wanted = wanted_pixels(prompt.image)
        if wanted or prompt.image.mime_type:
            check_pillow()
        call = await self._call(asked_of(prompt), prompt, wanted)
        try:
            body = await self._post(call)
        except ContentBlocked as refusal:
            for fragment in (Taken(), TextFragment(refusal.message), Finished("refusal")):
                yield fragment
            return
        image, answer = read_answer(body, self._model)
        data, mime_type = await asyncio.to_thread(self._fit, image, prompt.image, wanted)
        yield Taken()
        words = answer["data"][0].get("revised_prompt")
        if words and "text" in prompt.modalities:
            yield TextFragment(words)
        yield MediaFragment(0, "image", mime_type, data)
        if answer.get("usage"):
            yield UsageFragment(parse_usage(answer["usage"]))
        yield Finished("stop")

    async def _post(self, call: Call) -> bytes:
        response = await self._upstream.ask(call.body, self._model, path=call.path, form=call.form, explain=explain)
        try:
            return await self._upstream.whole(response, self._model)
        finally:
            response.close()

    async def _call(self, asked: Asked, prompt: Prompt, wanted: Pixels | None) -> Call:
        fields = {"model": self._model, "prompt": asked.words, "n": 1, **self._form(prompt, wanted)}
        if not asked.pictures:
            return Call(GENERATIONS, orjson.dumps(fields))
        if len(asked.pictures) > FILES:
            raise InvalidRequest(f"{len(asked.pictures)} images are more than the {FILES} that go with one call")
        return await _multipart(fields, asked.pictures)

    def _form(self, prompt: Prompt, wanted: Pixels | None) -> dict[str, Any]:
        """What the image is to be like, in the words of this family of models."""
        form: dict[str, Any] = {}
        if wanted is not None:
            form["size"] = "{}x{}".format(*nearest(wanted, self._family))
        if not self._family.forms:
            form["response_format"] = "b64_json"
        elif prompt.image.mime_type is not None:
            form["output_format"] = prompt.image.mime_type.partition("/")[2]
        if self._family.seeds and prompt.generation.seed is not None:
            form["seed"] = prompt.generation.seed
        return form

    def _fit(self, image: bytes, form: ImageFormat, wanted: Pixels | None) -> tuple[bytes, str]:
        try:
            return fit(image, form.mime_type, wanted)
        except InvalidRequest as error:
            raise no_image(self._model) from error


def wanted_pixels(form: ImageFormat) -> Pixels | None:
    """The exact pixels that a request asks for. None: it leaves that to the model."""
    if form.aspect_ratio is None and form.image_size is None:
        return None
    size = pixels(form)
    return size.width, size.height


async def _multipart(fields: Mapping[str, Any], pictures: tuple[Picture, ...]) -> Call:
    """A call with files. One file is called `image`, as servers that know no more than one want it."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, str(value))
    for index, picture in enumerate(pictures):
        ending = picture.mime_type.partition("/")[2]
        name = "image" if len(pictures) == 1 else "image[]"
        form.add_field(name, picture.data, filename=f"image-{index + 1}.{ending}", content_type=picture.mime_type)
    body = form()
    return Call(EDITS, await body.as_bytes(), body.headers["Content-Type"])


def explain(body: bytes, status: int, retry_after: str | None, model: str) -> TurnwiseError:
    """What a refusal means: most of it what it means elsewhere."""
    error = parse_error_body(body, status, retry_after, model)
    if status in (400, 403) and BLOCKED.search(body):
        return ContentBlocked(error.message)
    return error


def read_answer(body: bytes, model: str) -> tuple[bytes, dict[str, Any]]:
    """The first image of an answer, and the answer.

    Raises:
        ModelFailed: it is none.
    """
    try:
        answer = orjson.loads(body)
        first = answer["data"][0]
        encoded = first.get("b64_json")
        if not encoded and str(first.get("url", "")).startswith("data:"):
            encoded = first["url"].partition(",")[2]
        if not encoded and first.get("url"):
            raise ModelFailed(
                f"the upstream of the model {model!r} answered with an address in place of an image: have it answer"
                " with b64_json"
            )
        return b64decode(encoded, validate=True), answer
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise no_image(model) from error


def no_image(model: str) -> ModelFailed:
    """What it means that an answer cannot be read."""
    return ModelFailed(f"the upstream of the model {model!r} answered with something that is no image")


def parse_usage(usage: Mapping[str, Any]) -> Usage:
    """What the upstream counted. What it does not tell apart is text going in and image coming out."""
    return Usage(
        input=_counts(usage, "input", "text"),
        output=_counts(usage, "output", "image"),
    )


def _counts(usage: Mapping[str, Any], way: str, usual: str) -> Counts:
    total = usage.get(f"{way}_tokens") or 0
    details = usage.get(f"{way}_tokens_details") or {}
    told = {kind: details[f"{kind}_tokens"] for kind in ("text", "image") if details.get(f"{kind}_tokens")}
    rest = total - sum(told.values())
    return {**told, usual: told.get(usual, 0) + rest} if rest > 0 or not told else told
