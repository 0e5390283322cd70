"""A model behind an OpenAI-compatible API: chat completions over HTTP or a unix socket, with aiohttp.

The hot path of turnwise: every such upstream goes through here, and the embedded engine too. This file knows the
network (connections, limits, what it means when they break); what goes over it is in `completions.py` and `sse.py`.

One connection carries one turn at a time. Leaving a stream early closes its connection, which is how an upstream is
told to stop.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import aiohttp
import orjson
from yarl import URL

from turnwise.domain.errors import InvalidRequest, ModelFailed, ModelTimeout, ModelUnavailable, TurnwiseError
from turnwise.models.completions import AnswerReader, Continues, about_tokens, parse_error_body, render_request
from turnwise.models.model import Finished, Fragment, ModelCard, Prompt, Taken
from turnwise.models.pieces import Pieces, let_go
from turnwise.models.pixels import with_images_as
from turnwise.models.profile import PLAIN, Profile
from turnwise.models.seam import joined, without_echo
from turnwise.models.spoken import sound_of
from turnwise.models.sse import EventReader, EventTooLarge

log = logging.getLogger(__name__)

BROKEN = (aiohttp.ClientError, TimeoutError, OSError)
"""What a connection raises when it cannot go on."""

ERROR_BODY = 64 * 1024
"""How much of a refusal is read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an upstream may take, in seconds."""

    connect: float = 10.0
    idle: float = 300.0
    """Between two pieces of an answer, and before the first: reading a long prompt takes time."""
    total: float = 3600.0


CHAT = "/chat/completions"
JSON = "application/json"

Explain: TypeAlias = Callable[[bytes, int, str | None, str], TurnwiseError]
"""What an answer that is not 200 means: its body, its status, how long to wait, the model that was asked."""

Count: TypeAlias = Callable[[str], Awaitable[int]]
"""Counts the tokens of a text."""

Places: TypeAlias = Callable[[dict[str, Any]], AbstractAsyncContextManager[None]]
"""Keeps a place in the upstream for a call until it is answered, and says in the call which it is."""


class Upstream:
    """The connections to one base URL. Opened with the first call, since a session belongs to a running loop."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        socket: str | None = None,
        limits: Limits | None = None,
        reuse: bool = True,
        connections: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`headers`: what each call has beside the key."""
        self._base_url = base_url.rstrip("/")
        self.place = URL(self._base_url).with_user(None)
        """Where it is, for our own log."""
        self._headers = {  # of every call: the session is told them once
            "Accept-Encoding": "identity",  # a compressor would hold tokens back
            "User-Agent": "turnwise",
            **({"Authorization": f"Bearer {api_key}"} if api_key else {}),
            **(headers or {}),
            "Content-Type": JSON,
        }
        self._socket, self._reuse, self._connections = socket, reuse, connections
        self._limits = limits = limits or Limits()
        timeout = partial(aiohttp.ClientTimeout, sock_connect=limits.connect, sock_read=limits.idle)
        self._whole, self._streamed = timeout(total=limits.total), timeout(total=None)
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        body: bytes,
        model: str,
        *,
        accept: str = JSON,
        path: str = CHAT,
        form: str = JSON,
        explain: Explain = parse_error_body,
        until: float | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a call, and see to it that what comes back is the beginning of an answer. `accept` is the content type
        of the answer, `form` that of the call. `until`: how long its beginning may be waited for, by the clock of the
        event loop; whoever says so sees to the limit of the whole.

        Raises:
            TurnwiseError: as the contract of a model has it.
        """
        try:
            async with asyncio.timeout_at(until):
                response = await self.post(body, path, form, is_streamed=until is not None)
        except BROKEN as error:
            raise self.meaning(error, model) from error
        try:
            await self._accept(response, model, accept, explain, until)
        except BaseException:
            response.close()
            raise
        return response

    async def stream(self, body: bytes, model: str) -> Pieces:
        """Send a call that is answered piece by piece. Whoever reads the pieces closes them.

        Raises:
            TurnwiseError: as the contract of a model has it.
        """
        until = asyncio.get_running_loop().time() + self._limits.total
        response = await self.ask(body, model, accept="text/event-stream", until=until)
        return Pieces(response, idle=self._limits.idle, until=until)

    async def whole(self, response: aiohttp.ClientResponse, model: str) -> bytes:
        """All of an answer."""
        try:
            return await response.read()
        except BROKEN as error:
            raise self.meaning(error, model) from error

    def meaning(self, error: Exception, model: str) -> ModelFailed:
        """What a broken connection means for the one who asked."""
        let_go(error)
        # Never repr(): that of some of aiohttp's errors holds the request's headers, and so the key.
        log.warning("%s: %s: %s", self.place, type(error).__name__, error)
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return ModelUnavailable(f"the upstream of the model {model!r} cannot be reached")
        if isinstance(error, TimeoutError):
            return ModelTimeout(f"the upstream of the model {model!r} did not answer in time")
        if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ClientConnectionError | OSError):
            return broke_off(model)
        return ModelFailed(f"the upstream of the model {model!r} does not speak HTTP as it should")

    async def _accept(
        self, response: aiohttp.ClientResponse, model: str, content_type: str, explain: Explain, until: float | None
    ) -> None:
        if response.status != 200:
            raise await self._refused(response, model, explain, until)
        if response.content_type != content_type:
            raise ModelFailed(
                f"the upstream of the model {model!r} answered with {response.content_type!r} instead of"
                f" {content_type!r}: is its base_url right?"
            )

    async def _refused(
        self, response: aiohttp.ClientResponse, model: str, explain: Explain, until: float | None
    ) -> TurnwiseError:
        """What a refusal means. Who raises it must not have it by a name, or it would hold itself by its frames."""
        body = await _refusal(response, until)
        error = explain(body, response.status, response.headers.get("Retry-After"), model)
        level = logging.DEBUG if isinstance(error, InvalidRequest) else logging.WARNING
        log.log(level, "%s answered %d: %.200r", self.place, response.status, body)
        return error

    async def post(
        self, body: bytes, path: str = CHAT, form: str = JSON, *, is_streamed: bool = False
    ) -> aiohttp.ClientResponse:
        """Send a call and wait for the head of its answer.

        A kept connection may turn out to have been closed by the other side in the meantime. That is found out
        before any byte of an answer, and tried once more.
        """
        try:
            return await self._post(body, path, form, is_streamed)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError, BrokenPipeError):
            if not self._reuse:
                raise
            return await self._post(body, path, form, is_streamed)

    async def _post(self, body: bytes, path: str, form: str, is_streamed: bool) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = self._open()
        headers = None if form == JSON else {"Content-Type": form}
        url = URL(self._base_url + path)
        timeout = self._streamed if is_streamed else self._whole
        return await self._session.post(url, data=body, headers=headers, allow_redirects=False, timeout=timeout)

    def _open(self) -> aiohttp.ClientSession:
        # Below the five seconds after which llama.cpp and uvicorn close an idle connection.
        keep = {"force_close": True} if not self._reuse else {"keepalive_timeout": 4.0}
        connector: aiohttp.BaseConnector = (
            aiohttp.UnixConnector(self._socket, limit=self._connections, **keep)
            if self._socket
            else aiohttp.TCPConnector(limit=self._connections, **keep)
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=self._headers)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class OpenAIModel:
    """A model that an OpenAI-compatible upstream serves."""

    def __init__(
        self,
        card: ModelCard,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        socket: str | None = None,
        limits: Limits | None = None,
        profile: Profile = PLAIN,
        reuse: bool = True,
        connections: int = 0,
        grammars: bool = False,
        images: Collection[str] | None = None,
        scales: bool = False,
        continues: Continues = "prefill",
        count: Count | None = None,
        places: Places | None = None,
    ) -> None:
        """`grammars`: whether the upstream takes a grammar, as llama.cpp's own server does. `images`: the MIME types of
        images that it can read; others are made PNG. None: it reads whatever comes. `scales`: whether these are scaled
        to the `resolution` that was asked for, where the upstream could not be told. `continues`: how it is told to go
        on with an answer that was begun, if the card says that it does. `count`: counts the tokens of a text; without
        it they are estimated. `places`: finds each call its place in the upstream; without it any will do."""
        self.card = card
        self._continues: Continues = continues
        self._count = count
        self._places = places
        self._images = images
        self._scales = scales
        self._grammars = grammars
        self._model = model
        self._profile = profile
        self._upstream = Upstream(base_url, api_key, socket=socket, limits=limits, reuse=reuse, connections=connections)

    def named(self, name: str) -> "OpenAIModel":
        """The same upstream, over the same connections, asked for another of its models."""
        other = copy(self)
        other.card, other._model = replace(self.card, name=name), name
        return other

    async def start(self) -> None:
        """Nothing to do: an upstream that is down now may be up when it is asked."""

    async def close(self) -> None:
        """Close the connections, those of every `named` model too."""
        await self._upstream.close()

    def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        if self._images is None and not prompt.said:
            return self._answer(prompt)
        return self._prepared(prompt)

    async def _prepared(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """The answer to a prompt whose images are to be made readable, or whose answer was begun."""
        if self._images is not None:
            prompt = await with_images_as(self._images, prompt, scaled=self._scales)
        answer = joined(prompt, partial(self._behind, prompt), self._model) if prompt.said else self._answer(prompt)
        async with aclosing(answer) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _behind(self, prompt: Prompt, given: str) -> AsyncGenerator[Fragment, None]:
        """What the model says behind a text, within what that leaves of the limit."""
        limit = prompt.generation.max_output_tokens or self._profile.output_tokens
        if limit is not None:
            used = about_tokens(given) if self._count is None else await self._count(given)
            if used >= limit and self._count is not None:
                yield Taken()
                yield Finished("length")
                return
            limit = max(limit - used, 1)
        generation = replace(prompt.generation, max_output_tokens=limit)
        answer = self._answer(replace(prompt, said=given, generation=generation))
        if self._continues == "prefix":
            answer = without_echo(answer, given)
        async with aclosing(answer) as fragments:
            async for fragment in fragments:
                yield fragment

    async def _answer(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        asked = await self._request(prompt)
        async with nullcontext() if self._places is None else self._places(asked):
            answer, body = AnswerReader(sound_of(prompt)), orjson.dumps(asked)
            if not asked["stream"]:
                response = await self._upstream.ask(body, self._model)
                try:
                    yield Taken()
                    for fragment in answer.whole(await self._upstream.whole(response, self._model)):
                        yield fragment
                    for fragment in answer.closing():
                        yield fragment
                finally:
                    response.close()  # does nothing once the whole answer was read and its connection went back
                return
            pieces = await self._upstream.stream(body, self._model)
            try:
                yield Taken()
                events = EventReader()
                while not answer.ended:
                    try:
                        data = await pieces.next()
                    except BROKEN as error:
                        if not answer.finished:
                            raise self._upstream.meaning(error, self._model) from error
                        let_go(error)
                        data = b""  # how the connection ends means nothing to an answer that has finished
                    payloads = self._split(events, data, answer)
                    for fragment in answer.chunks(payloads, joins_text=prompt.joins_text):
                        yield fragment
                for fragment in answer.closing():
                    yield fragment
                await pieces.drain()
            finally:
                pieces.close()

    async def _request(self, prompt: Prompt) -> dict[str, Any]:
        """The body of the call."""
        render = partial(
            render_request,
            prompt,
            self._model,
            self._profile,
            thinks=self.card.thinks,
            grammars=self._grammars,
            continues=self._continues,
        )
        if self._grammars and prompt.schema is not None:
            return await asyncio.to_thread(render)  # a grammar may take seconds, in which others want to be served
        return render()

    def _split(self, events: EventReader, data: bytes, answer: AnswerReader) -> list[bytes]:
        """The data of the events that end within these bytes. No bytes: nothing more will come."""
        if data:
            try:
                return events.feed(data)
            except EventTooLarge as error:
                raise ModelFailed(f"the upstream of the model {self._model!r} sent an event without end") from error
        if not answer.finished:
            raise broke_off(self._model)
        answer.ended = True
        return []


def broke_off(model: str) -> ModelUnavailable:
    """What it means that an answer ends before its end."""
    return ModelUnavailable(f"the upstream of the model {model!r} broke off before its answer was complete")


async def _refusal(response: aiohttp.ClientResponse, until: float | None) -> bytes:
    """As much as can be had of what the upstream says: its status alone says enough."""
    body = b""
    try:
        async with asyncio.timeout_at(until):
            while len(body) < ERROR_BODY and (data := await response.content.readany()):
                body += data
    except BROKEN as error:
        let_go(error)
    return body
