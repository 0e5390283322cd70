"""A run as server-sent events: from numbered events to frames, until the run ends or the reader leaves.

Frames that are ready together leave together. A quiet stream says a comment now and then, so that nobody in between
takes it for dead. An error after the first byte is a frame, and the stream still ends as it should: unless only this
process lets go of the run, which goes on elsewhere.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from turnwise.domain.content import JSON
from turnwise.domain.errors import HandedOver, Internal, TurnwiseError
from turnwise.domain.events import End, Event
from turnwise.domain.interaction import Interaction, Status
from turnwise.wire.errors import render_error
from turnwise.wire.sse import DONE, KEEP_ALIVE, render_frame

log = logging.getLogger("turnwise.http")

Groups = AsyncGenerator[Sequence[tuple[int, Event]], None]
RenderEvent = Callable[[Event, int, Interaction], tuple[str, dict[str, JSON]] | None]

HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


async def nothing_to_do() -> None:
    """What most readers leave behind."""


class EventStream(Response):
    """A response that follows a run."""

    media_type = "text/event-stream"

    def __init__(
        self,
        interaction: Interaction,
        groups: Groups,
        render: RenderEvent,
        on_leave: Callable[[], Awaitable[None]] = nothing_to_do,
    ) -> None:
        super().__init__(None, headers=HEADERS)
        del self.headers["content-length"]
        self._interaction = replace(interaction, updated=interaction.created)
        """As it was created: whenever a stream is read, its frames are the same."""
        self._groups = groups
        self._render = render
        self._on_leave = on_leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the run has ended or the client is gone, whichever is first."""
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.wait({sending, leaving})
            await self._on_leave()
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._frames()) as frames:
            async for data in frames:
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _frames(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._groups) as groups:
            try:
                async for group in groups:
                    data = b"".join(self._frame(event, position) for position, event in group)
                    if data or not group:
                        yield data or KEEP_ALIVE
            except HandedOver as error:  # the run goes on, and so this is no end
                yield render_frame("error", {"event_type": "error", **render_error(error)})
                return
            except TurnwiseError as error:
                yield self._broken(error)
            except Exception:
                log.exception("the stream of %s broke", self._interaction.id)
                yield self._broken(Internal("turnwise failed in the middle of this stream; its log has the reason"))
        yield DONE

    def _broken(self, error: TurnwiseError) -> bytes:
        """An error in the middle of a stream, and the end without which some clients would wait for more. They have
        no `event_id`: they are this reader's, not the run's."""
        end = self._render(End(Status.FAILED, None, self._interaction.updated), 0, self._interaction)
        assert end is not None
        name, payload = end
        del payload["event_id"]
        return render_frame("error", {"event_type": "error", **render_error(error)}) + render_frame(name, payload)

    def _frame(self, event: Event, position: int) -> bytes:
        frame = self._render(event, position, self._interaction)
        return b"" if frame is None else render_frame(*frame)


async def _gone(receive: Receive) -> None:
    """Wait until the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
