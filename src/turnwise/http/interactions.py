"""The calls on interactions: create, get, cancel, delete."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, NotFound
from turnwise.domain.events import End, Event
from turnwise.domain.interaction import DialectName, Interaction, Status, Turn
from turnwise.http.address import base_url
from turnwise.http.body import JSONReply, check_query, query_flag, read_bytes, read_json
from turnwise.http.contracts import Services
from turnwise.http.streaming import EventStream, nothing_to_do
from turnwise.wire import DIALECTS
from turnwise.wire.common import Frame
from turnwise.wire.dialect import Choice, Signs, choose_dialect, identified_dialect
from turnwise.wire.request import parse_request

T = TypeVar("T")


class InteractionRoutes:
    """The handlers of `/interactions`."""

    def __init__(self, services: Services, owner: Callable[[Request], Awaitable[str]]) -> None:
        self._services = services
        self._interactions = services.interactions
        self._owner = owner

    async def create(self, request: Request) -> Response:
        """`POST /interactions`"""
        owner = await self._owner(request)
        check_query(request)
        body = await read_json(request, self._services.max_body_bytes)
        turn = parse_request(body)
        choice = await self._choose(request, turn, owner, body)
        base = base_url(request, self._services.public_url)
        if turn.stream:
            recording = await self._interactions.begin(turn, owner, choice.dialect, base_url=base)
            stream = self._stream(recording.interaction, choice, lambda: self._interactions.leave(recording))
            return stream.of(self._interactions.follow(recording, stream.take))
        creating = self._interactions.create(turn, owner, choice.dialect, base_url=base)
        interaction = await (creating if turn.store else _while_connected(request, creating))
        return self._reply(interaction, choice)

    async def get(self, request: Request) -> Response:
        """`GET /interactions/{id}`"""
        owner = await self._owner(request)
        check_query(request, ("include_input", "stream", "last_event_id"))
        include_input, streamed = query_flag(request, "include_input"), query_flag(request, "stream")
        after = _last_event_id(request, streamed)
        interaction = await self._interactions.get(request.path_params["id"], owner)
        choice = self._choose_for(request, interaction)
        if streamed:
            stream = self._stream(interaction, choice)
            return stream.of(await self._interactions.read(interaction, after, stream.take))
        return self._reply(interaction, choice, timeline=True, include_input=include_input)

    async def cancel(self, request: Request) -> Response:
        """`POST /interactions/{id}/cancel`"""
        owner = await self._owner(request)
        check_query(request)
        await _refuse_body(request)
        interaction = await self._interactions.cancel(request.path_params["id"], owner)
        return self._reply(interaction, self._choose_for(request, interaction), timeline=True)

    async def delete(self, request: Request) -> Response:
        """`DELETE /interactions/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        await self._interactions.delete(request.path_params["id"], owner)
        return JSONReply({})

    async def _choose(self, request: Request, turn: Turn, owner: str, body: JSON) -> Choice:
        """The dialect of a create. What it continues is looked at only when the client does not say."""
        signs = _signs(request)
        made_in: DialectName | None = None
        if turn.previous_interaction_id is not None and identified_dialect(signs) is None:
            try:
                made_in = (await self._interactions.get(turn.previous_interaction_id, owner)).dialect
            except NotFound:
                made_in = None  # the engine says so, in better words
        return choose_dialect(signs, default=self._services.default_dialect, made_in=made_in, body=body)

    def _choose_for(self, request: Request, interaction: Interaction) -> Choice:
        return choose_dialect(_signs(request), default=self._services.default_dialect, made_in=interaction.dialect)

    def _reply(
        self, interaction: Interaction, choice: Choice, *, timeline: bool = False, include_input: bool = False
    ) -> JSONReply:
        """An interaction in the client's dialect; in both, if the client could not be told apart for certain."""
        if not choice.knows_budgets:
            interaction = replace(interaction, status=_known(interaction.status))
        body = DIALECTS[choice.dialect].render_interaction(interaction, timeline=timeline, include_input=include_input)
        if not choice.certain:
            other = DIALECTS["steps" if choice.dialect == "outputs" else "outputs"]
            body = {**other.render_interaction(interaction, timeline=timeline, include_input=False), **body}
        return JSONReply(body)

    def _stream(
        self,
        interaction: Interaction,
        choice: Choice,
        on_leave: Callable[[], Awaitable[None]] = nothing_to_do,
    ) -> EventStream:
        render_event = DIALECTS[choice.dialect].render_event

        def render(event: Event, position: int, interaction: Interaction) -> Frame | None:
            if isinstance(event, End):
                event = replace(event, status=_known(event.status))
            return render_event(event, position, interaction)

        return EventStream(interaction, render_event if choice.knows_budgets else render, on_leave)


def _known(status: Status) -> Status:
    """A status as clients know it that know of no budgets."""
    return Status.INCOMPLETE if status is Status.BUDGET_EXCEEDED else status


def _signs(request: Request) -> Signs:
    headers = request.headers
    client = " ".join([headers.get("x-goog-api-client", ""), *headers.getlist("user-agent")])
    return Signs(
        revision=headers.get("api-revision", ""),
        client=client,
        version=request.path_params["version"],
        alt_sse=request.query_params.get("alt") == "sse",
    )


def _last_event_id(request: Request, stream: bool) -> int:
    value = request.query_params.get("last_event_id")
    if value is None or value == "":
        return 0
    if not stream:
        raise InvalidRequest("only a stream has events to go on from; send `stream=true` too", field="last_event_id")
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise InvalidRequest(f"'{value}' is no event id; send one that a stream gave you", field="last_event_id")
    return int(value)


async def _refuse_body(request: Request) -> None:
    """A cancel has nothing to say. Some clients send an empty object all the same."""
    body = await read_bytes(request, 1024)
    if body.strip() not in (b"", b"{}", b"null"):
        raise InvalidRequest("this call takes no body")


async def _while_connected(request: Request, work: Awaitable[T]) -> T:
    """What nobody keeps ends with its connection."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            raise InvalidRequest("the connection was closed before the answer was there")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})
