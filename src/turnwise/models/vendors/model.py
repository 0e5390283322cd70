"""A model of a vendor: asks through the layer, and tells what comes as fragments.

One turn is one request on the vendor's client. Leaving a stream early closes its connection, which is how a vendor is
told to stop. How long a client may wait between two pieces is its own limit (`access.py`); how long the whole may take
is watched here.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import Model as LayerModel
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings

from turnwise.domain.errors import InvalidRequest, ModelNotFound, TurnwiseError
from turnwise.models.completions import about_tokens
from turnwise.models.model import Fragment, ModelCard, Prompt, Taken
from turnwise.models.pixels import with_images_as
from turnwise.models.seam import joined
from turnwise.models.vendors.access import BY_KIND, Access, Connection, connect
from turnwise.models.vendors.answers import Reader, is_complete
from turnwise.models.vendors.errors import BROKEN, broke_off, meaning, no_answer
from turnwise.models.vendors.prompts import parameters, render_messages, render_parameters, render_settings
from turnwise.models.vendors.sight import SIGHTS
from turnwise.models.vendors.wire import Exchange, refused, watched

log = logging.getLogger(__name__)

Request = tuple[list[ModelMessage], ModelSettings, ModelRequestParameters]

SAMPLING = frozenset({"temperature", "top_p", "top_k"})
UNSAMPLED = ("anthropic_disallows_sampling_settings", "bedrock_disallows_sampling_settings")
"""Where a profile says that a model takes none of SAMPLING."""


class VendorModel:
    """A model that a vendor serves."""

    def __init__(
        self,
        kind: str,
        access: Access,
        model: str,
        *,
        can: Mapping[str, bool] | None = None,
        context_tokens: int | None = None,
    ) -> None:
        """
        Raises:
            ValueError: it has no such name, or is said to do what cannot be asked of it.
        """
        self._kind = kind
        self._vendor = BY_KIND[kind]
        self._access = access
        self._can = can or {}
        self._context_tokens = context_tokens
        self._connection = connect(self._vendor, access)
        self._breaks: tuple[type[Exception], ...] = (*BROKEN, *self._connection.breaks)
        self._hidden = _hidden(access)
        try:
            self._choose(model)
        except UserError as error:
            raise ValueError(error.message) from error

    def named(self, name: str) -> VendorModel:
        """The same vendor, over the same connections, asked for another of its models.

        Raises:
            ModelNotFound: it is no name of a model there.
        """
        other = copy(self)
        try:
            other._choose(name)
        except UserError as error:
            raise ModelNotFound(f"there is no model {name!r}: {error.message}") from error
        return other

    def _choose(self, name: str) -> None:
        self._name = name
        self._maker = f"{self._kind}/{name}"
        self._model = self._connection.model(name, self._profile())
        profile = self._model.profile
        self.card = ModelCard(
            name,
            context_tokens=self._context_tokens or profile.get("context_window"),
            inputs=SIGHTS[self._kind].inputs,
            tools=profile.get("supports_tools", True),
            schemas=self._schemas(profile),
            thinks=self._thinks(profile),
            continues=self._continues(name),
        )

    def _profile(self) -> ModelProfile:
        """What is known better than the layer knows it, in its words."""
        names = {"tools": "supports_tools", "schemas": "supports_json_schema_output", "thinks": "supports_thinking"}
        own = {names[name]: value for name, value in self._can.items() if name in names}
        return cast(ModelProfile, {**self._vendor.profile, **own})

    def _schemas(self, profile: ModelProfile) -> bool:
        if self._can.get("schemas") and not self._vendor.binds:
            raise ValueError("schemas: there is no way to tell this vendor a schema; turnwise asks and checks")
        return self._vendor.binds and profile.get("supports_json_schema_output", False)

    def _thinks(self, profile: ModelProfile) -> bool:
        if self._can.get("thinks") and not self._vendor.thinks:
            raise ValueError("thinks: there is no way to tell this vendor how hard to think; turnwise helps")
        thinking = profile.get("supports_thinking", False) or profile.get("thinking_always_enabled", False)
        return self._vendor.thinks and self._can.get("thinks", thinking)

    def _continues(self, name: str) -> bool:
        if self._can.get("continues") and self._vendor.continues is None:
            raise ValueError("continues: there is no way to have this vendor go on with an answer; turnwise helps")
        known = self._vendor.continues is not None and re.fullmatch(self._vendor.continues, name) is not None
        return self._can.get("continues", known)

    async def start(self) -> None:
        """Nothing to do: a vendor that is down now may be up when it is asked."""

    async def close(self) -> None:
        """Close the connections, those of every `named` model too."""
        await self._connection.close()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        prompt = self._without_vain_wishes(prompt)
        images = SIGHTS[self._kind].takes.get("image")
        if images is not None:
            prompt = await with_images_as(images, prompt)
        answer = joined(prompt, partial(self._behind, prompt), self._name) if prompt.said else self._answer(prompt)
        async with aclosing(answer) as fragments:
            async for fragment in fragments:
                yield fragment

    def _behind(self, prompt: Prompt, given: str) -> AsyncGenerator[Fragment, None]:
        """What the model says behind a text, within about what that leaves of the limit. It does not think anew."""
        limit = prompt.generation.max_output_tokens
        left = None if limit is None else max(limit - about_tokens(given), 1)
        generation = replace(prompt.generation, max_output_tokens=left, thinking_level=None)
        return self._answer(replace(prompt, said=given, generation=generation))

    async def _answer(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        request = self._request(prompt)
        deadline = asyncio.get_running_loop().time() + self._access.limits.total
        async with self._ready() as model:
            answer = self._streamed if prompt.streaming else self._whole
            async with aclosing(answer(model, prompt, request, deadline)) as fragments:
                async for fragment in fragments:
                    yield fragment

    def _request(self, prompt: Prompt) -> Request:
        for name in parameters(prompt.generation):
            if self._refuses(name):
                raise refused(name, self._name)
        return (
            render_messages(prompt, self._model, self._kind, self._maker),
            self._settings(prompt),
            render_parameters(prompt, self._model, narrows=self._vendor.narrows),
        )

    def _settings(self, prompt: Prompt) -> ModelSettings:
        settings = render_settings(
            prompt, self._model, thinks=self.card.thinks, idle=self._access.limits.idle, beside=self._vendor.beside
        )
        profile: Mapping[str, Any] = self._model.profile
        if "thinking" in settings and profile.get("anthropic_supports_adaptive_thinking") and self._vendor.shown:
            settings["extra_body"] = {**self._vendor.shown}
        return settings

    def _without_vain_wishes(self, prompt: Prompt) -> Prompt:
        vain: dict[str, Any] = dict.fromkeys(name for name in prompt.wishes if self._refuses(name))
        return replace(prompt, generation=replace(prompt.generation, **vain)) if vain else prompt

    def _refuses(self, name: str) -> bool:
        """Whether it is known beforehand that a parameter has no way to the model; `wire.py` finds the rest."""
        profile: Mapping[str, Any] = self._model.profile
        unknown = self._model.unsupported_settings - self._vendor.beside
        return name in unknown or (name in SAMPLING and any(profile.get(flag) for flag in UNSAMPLED))

    @asynccontextmanager
    async def _ready(self) -> AsyncIterator[LayerModel]:
        """The layer's model to ask. Some clients serve one turn only."""
        if not self._vendor.once:
            yield self._model
            return
        connection: Connection = connect(self._vendor, self._access)
        try:
            yield connection.model(self._name, self._profile())
        finally:
            await connection.close()

    async def _whole(
        self, model: LayerModel, prompt: Prompt, request: Request, deadline: float
    ) -> AsyncGenerator[Fragment, None]:
        reader = Reader(self._maker)
        try:
            with watched(self._exchange(prompt)):
                async with asyncio.timeout_at(deadline):
                    response = await model.request(*request)
        except self._breaks as error:
            raise self._meaning(error) from error
        if not is_complete(response):
            raise no_answer(self._name)
        yield Taken()
        for fragment in (*reader.whole(response.parts), *reader.closing(response)):
            yield fragment

    async def _streamed(
        self, model: LayerModel, prompt: Prompt, request: Request, deadline: float
    ) -> AsyncGenerator[Fragment, None]:
        stream = model.request_stream(*request)
        exchange = self._exchange(prompt)
        try:
            with watched(exchange):
                async with asyncio.timeout_at(deadline):
                    response = await stream.__aenter__()
        except self._breaks as error:
            raise self._meaning(error) from error
        try:
            yield Taken()
            async with aclosing(self._pieces(response, deadline)) as pieces:
                async for piece in pieces:
                    for fragment in piece:
                        yield fragment
        finally:
            await self._leave(stream, exchange)

    async def _pieces(self, response: StreamedResponse, deadline: float) -> AsyncGenerator[Iterable[Fragment], None]:
        """What comes, piece by piece. How the connection ends means nothing to an answer that has finished."""
        reader = Reader(self._maker)
        events = aiter(response)
        ended = False
        while not ended:
            try:
                async with asyncio.timeout_at(deadline):
                    event = await anext(events, None)
                ended = event is None
                piece = () if event is None else reader.event(event)
            except self._breaks as error:
                if not is_complete(response.get()):
                    raise self._meaning(error) from error
                break
            yield piece
        answer = response.get()
        if not is_complete(answer):
            raise broke_off(self._name)
        yield reader.closing(answer)

    async def _leave(self, stream: Any, exchange: Exchange) -> None:
        """Close a stream, wherever it is. What its client says to that is of no interest to anyone."""
        with suppress(*self._breaks):
            await stream.__aexit__(None, None, None)
        with suppress(*self._breaks):
            await exchange.hang_up()

    def _exchange(self, prompt: Prompt) -> Exchange:
        asked = parameters(prompt.generation)
        return Exchange(self._name, {name: value for name, value in asked.items() if name not in prompt.wishes})

    def _meaning(self, error: BaseException) -> TurnwiseError:
        told = meaning(error, self._name, self._hidden)
        level = logging.DEBUG if isinstance(told, InvalidRequest) else logging.WARNING
        # Never the error itself: some hold the request's headers, and so the key.
        log.log(level, "%s: %s: %s", self._name, type(error).__name__, told.message)
        return told


def _hidden(access: Access) -> tuple[str, ...]:
    """What no message may have in it."""
    host = urlsplit(access.base_url).netloc if access.base_url else ""
    return tuple(secret for secret in (access.api_key, access.base_url, host) if secret)
