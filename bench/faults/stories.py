"""One interaction as its client lives through it: asked, followed through whichever nodes there are, polled and
cancelled, and never forgotten. All that it saw is kept, for `judging.py`.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from bench.faults.answers import Question
from bench.faults.client import BROKEN, DONE, Client, Frame, Refused, Stream, soon, text_of

Kind: TypeAlias = Literal["plain", "stream", "background", "background stream"]
KINDS: Sequence[Kind] = ("plain", "stream", "stream", "stream", "background", "background", "background stream")

ENDED = {"completed", "cancelled", "failed", "incomplete", "budget_exceeded"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a client is going to do."""

    question: Question
    kind: Kind
    switches_after: int | None = None
    """After how many frames it goes on at another node of its own will."""
    polls_every: float | None = None
    """Seconds between two polls beside the stream."""
    cancels_after: int | None = None
    """After how many frames it has the interaction cancelled."""


@dataclass(slots=True)
class Seen:
    """What a client has seen."""

    frames: list[Frame] = field(default_factory=list)
    """Frames of the run, in the order in which they came."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    """When each of them came, by the monotonic clock, and for how many seconds the client had waited for it."""
    twice: int = 0
    """Frames that came again, or behind one with a later position."""
    false_ends: int = 0
    """Streams that said that the interaction was over, which it was not."""
    handed_over: int = 0
    """Streams of nodes that stop, which said where to read on."""
    broken: int = 0
    """Streams that broke off."""
    unanswered: int = 0
    """Questions that nobody acknowledged, and that were asked again."""
    went_back: int = 0
    """Polls that had less than an earlier one, or something else."""
    errors: list[str] = field(default_factory=list)
    """Answers that no client should get, whatever happens to nodes."""
    cancelled: dict[str, Any] | None = None
    """The reply to its cancel."""


class Story:
    """A client with one question."""

    def __init__(self, client: Client, nodes: Sequence[str], plan: Plan, chance: random.Random) -> None:
        self.plan = plan
        self.seen = Seen()
        self.id: str | None = None
        """Known once the interaction is acknowledged."""
        self.is_over = False
        self._client = client
        self._nodes = nodes
        self._chance = chance
        self._at = chance.randrange(len(nodes))
        self._stream: Stream | None = None
        self._away = 0.0
        self._known = asyncio.Event()
        self._moved = False
        self._waits_since = time.monotonic()

    @property
    def position(self) -> int:
        """Of the last frame that came."""
        return (self.seen.frames[-1].position or 0) if self.seen.frames else 0

    async def live(self) -> None:
        """Ask, and read to the end."""
        self._waits_since = time.monotonic()
        beside = [asyncio.create_task(self._poll())] if self.plan.polls_every else []
        try:
            await self._begin()
            while not self.is_over:
                assert self.id is not None
                await self._read(self._client.follow(self._node, self.id, self.position))
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    def cut(self) -> None:
        """Lose the connection, and be away for a while."""
        if self._stream is not None and not self.is_over:
            self._away = self._chance.uniform(0.2, 3.0)
            self._stream.cut()

    @property
    def _node(self) -> str:
        return self._nodes[self._at]

    def _go_elsewhere(self) -> None:
        self._at = (self._at + 1) % len(self._nodes)

    async def _begin(self) -> None:
        """Ask until somebody says that the question was heard."""
        text = self.plan.question.text
        while self.id is None:
            fields = {"background": True} if "background" in self.plan.kind else {}
            if "stream" in self.plan.kind:
                await self._read(self._client.stream(self._node, text, **fields))
            elif (reply := await self._answered(self._client.create(self._node, text, **fields))) is not None:
                self._learn(reply["id"])
                self._waits_since = time.monotonic()
            if self.id is None:
                self.seen.unanswered += 1

    def _learn(self, id: str) -> None:
        self.id = id
        self._known.set()

    async def _read(self, stream: Stream) -> None:
        """Read a stream until it ends, breaks, or is left."""
        self._stream = stream
        try:
            async with aclosing(stream.frames()) as frames:
                async for frame in frames:
                    if not await self._take(frame):
                        break
                else:
                    if not self.is_over:
                        self.seen.broken += 1
                        self._go_elsewhere()
                        await soon()
        except Refused as error:
            await self._put_off(error)
        except BROKEN:
            self.seen.broken += 1
            self._go_elsewhere()
            await soon()
        finally:
            self._stream = None
        if self._away:
            await asyncio.sleep(self._away)
            self._away, self._waits_since = 0.0, time.monotonic()

    async def _take(self, frame: Frame) -> bool:
        """Look at a frame. False: this stream is not read on."""
        if frame is DONE:
            if self.is_over:
                return True
            self.seen.false_ends += 1
            return False
        if frame.position is None:
            return await self._take_notice(frame)
        if frame.position <= self.position:
            self.seen.twice += 1
        now = time.monotonic()
        self.seen.frames.append(frame)
        self.seen.waits.append((now, now - self._waits_since))
        self._waits_since = now
        if frame.name == "interaction.created" and self.id is None:
            self._learn(frame.payload["interaction"]["id"])
        self.is_over = frame.name == "interaction.completed"
        await self._do_as_planned()
        return self._stays()

    async def _take_notice(self, frame: Frame) -> bool:
        """A frame that is no event of the run: the node lets go of its reader."""
        if frame.name == "error" and "last_event_id" in frame.payload["error"]["message"]:
            self.seen.handed_over += 1
        elif frame.name == "error":
            self.seen.errors.append(str(frame.payload["error"]))
        else:
            self.seen.false_ends += 1
        self._go_elsewhere()
        return False

    def _stays(self) -> bool:
        """Whether it stays at this node: it may have planned to leave it here."""
        if self.plan.switches_after is None or self._moved or len(self.seen.frames) < self.plan.switches_after:
            return True
        self._moved = True
        self._go_elsewhere()
        return self.is_over

    async def _do_as_planned(self) -> None:
        if self.plan.cancels_after is None or self.seen.cancelled is not None or self.is_over:
            return
        if len(self.seen.frames) >= self.plan.cancels_after and self.id is not None:
            node = self._chance.choice(self._nodes)
            self.seen.cancelled = await self._answered(self._client.cancel(node, self.id))

    async def _poll(self) -> None:
        """Look at the interaction now and then, at any node. What was there once stays there."""
        await self._known.wait()
        assert self.id is not None
        assert self.plan.polls_every is not None
        text = ""
        while True:
            await asyncio.sleep(self.plan.polls_every)
            found = await self._answered(self._client.get(self._chance.choice(self._nodes), self.id))
            if found is None:
                continue
            now = text_of(found)
            if not now.startswith(text):
                self.seen.went_back += 1
            text = now
            if found["status"] in ENDED:
                return

    async def _answered(self, call: Awaitable[Any]) -> Any | None:
        """The reply to a call. None: there was none."""
        try:
            return await call
        except Refused as error:
            await self._put_off(error)
        except BROKEN:
            self._go_elsewhere()
            await soon()
        return None

    async def _put_off(self, error: Refused) -> None:
        """A node that is being stopped says 503, and the next one may not. Nobody should say anything else."""
        if error.status != 503:
            self.seen.errors.append(str(error))
        self._go_elsewhere()
        await soon()
