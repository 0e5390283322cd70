"""A run as server-sent events: from numbered events to frames, until the run ends or the reader leaves.

Frames that are ready together leave together. Where the server can write without waiting (`AT_ONCE`), whoever tells the
events of a run has their frames written, and the task of a stream sleeps between its first group and its last: waking
it for each word took an eighth of the work. A quiet stream says a comment now and then, so that nobody in between takes
it for dead. An error after the first byte is a frame, and the stream still ends as it should: unless only this process
lets go of the run, which goes on elsewhere.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
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

HEADERS = (
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
    (b"content-type", b"text/event-stream; charset=utf-8"),
)


AT_ONCE = "turnwise.write_at_once"
"""The extension of ASGI by which our server writes more of an answer at once: a function that takes bytes, and says
whether it has written them. It has not if it would have to wait, or cannot say how long the answer is."""


async def nothing_to_do() -> None:
    """What most readers leave behind."""


class EventStream(Response):
    """A response that follows a run."""

    def __init__(
        self,
        interaction: Interaction,
        render: RenderEvent,
        on_leave: Callable[[], Awaitable[None]] = nothing_to_do,
    ) -> None:
        super().__init__()
        if interaction.updated != interaction.created:
            interaction = replace(interaction, updated=interaction.created)
        self._interaction = interaction
        """As it was created: whenever a stream is read, its frames are the same."""
        self._render = render
        self._on_leave = on_leave
        self._groups: Groups | None = None
        self._write: Callable[[bytes], bool] | None = None

    def of(self, groups: Groups) -> "EventStream":
        """This response, with the events that it is of. Who makes them may show some to `take` first."""
        self._groups = groups
        return self

    def take(self, group: Sequence[tuple[int, Event]]) -> bool:
        """Send the next events at once, if that can be. Only for whoever makes the groups, while the next one of these
        is waited for: all before it has been sent by then."""
        if self._write is None:
            return False
        try:
            data, last = self._frames(group)
            return last is None and (not data or self._write(data))
        except Exception:
            return False  # whatever is wrong is met once more where the group comes, and told there

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Those of every stream."""
        self.raw_headers = list(HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the run has ended or the client is gone, whichever is first."""
        self._write = scope.get("extensions", {}).get(AT_ONCE)
        try:
            async with asyncio.timeout(None) as connection:
                leaving = asyncio.create_task(_end_when_gone(connection, receive))
                try:
                    await self._send(send)
                finally:
                    leaving.cancel()
                    await asyncio.wait({leaving})
        except TimeoutError:
            if not connection.expired():
                raise
        finally:
            await self._on_leave()

    async def _send(self, send: Send) -> None:
        last = None
        assert self._groups is not None
        async with aclosing(self._groups) as groups:  # which know this response, and would be left in a circle
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while last is None:
                try:
                    data, last = self._frames(await anext(groups))
                except StopAsyncIteration:
                    data, last = b"", DONE
                except Exception as error:
                    data, last = self._ending(error)
                    error.__traceback__ = None  # a run may keep its error, which would keep this stream
                if data:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        # Behind it the client counts as gone, and nothing of the stream may be left to close by then.
        await send({"type": "http.response.body", "body": last, "more_body": False})

    def _frames(self, group: Sequence[tuple[int, Event]]) -> tuple[bytes, bytes | None]:
        """The frames of a group; and, if it is the last, what is sent behind all else."""
        data = b"".join([self._frame(event, position) for position, event in group])
        if group and isinstance(group[-1][1], End):
            return b"", data + DONE
        return data if group else KEEP_ALIVE, None

    def _ending(self, error: Exception) -> tuple[bytes, bytes]:
        """The last frames of a stream that breaks off, and what is sent behind them."""
        if isinstance(error, HandedOver):  # the run goes on, and so this is no end
            return render_frame("error", {"event_type": "error", **render_error(error)}), b""
        if not isinstance(error, TurnwiseError):
            log.error("the stream of %s broke", self._interaction.id, exc_info=error)
            error = Internal("turnwise failed in the middle of this stream; its log has the reason")
        return self._broken(error), DONE

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


async def _end_when_gone(connection: asyncio.Timeout, receive: Receive) -> None:
    """Wait until the client has closed the connection, and have its time be over then."""
    while (await receive())["type"] != "http.disconnect":
        pass
    connection.reschedule(0.0)
