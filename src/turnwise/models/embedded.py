"""The embedded engine: a model in a child process of ours, which is kept alive and asked like any other upstream.

It loads beside everything else, and turns that come early wait for it. When the child dies another takes its place.
A turn that was in it, and of whose answer nothing was shown yet, is asked once more, and nobody notices; any other
fails, and says so. One life of the child is `embedded_child.py`.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from turnwise.domain.errors import ModelTimeout, ModelUnavailable, Unimplemented
from turnwise.models.embedded_child import Child, EngineOptions, Explained, Load
from turnwise.models.gguf import check_projector
from turnwise.models.model import Finished, Fragment, ModelCard, Prompt, Taken
from turnwise.models.openai import Limits
from turnwise.models.parts import kinds_in
from turnwise.models.profile import PLAIN, Profile

log = logging.getLogger(__name__)

PATIENCE = 3
"""How many failures in a row are waited out. From then on turns are told at once, while it is still tried again."""

PAUSES = (0.0, 0.2, 1.0, 5.0, 15.0, 60.0)
"""How long, in seconds, to wait before the next try: after no, one, two, ... failures in a row."""

DYING = 1.0
"""How long, in seconds, the kernel may take to tell that a child is gone whose connections broke."""


Spawn: TypeAlias = Callable[[Load], Awaitable[Child]]
"""Gives a child that has loaded its model, or raises ModelUnavailable: it cannot, and why."""


class EmbeddedModel:
    """A model in a child process of ours."""

    def __init__(
        self,
        weights: Callable[[], Awaitable[Path]],
        options: EngineOptions | None = None,
        *,
        name: str = "embedded",
        profile: Profile = PLAIN,
        limits: Limits | None = None,
        projector: Callable[[], Awaitable[Path]] | None = None,
        pauses: tuple[float, ...] = PAUSES,
        spawn: Spawn | None = None,
    ) -> None:
        """`weights` gives the file, and may take its time over it: it is asked for again after each death. `projector`
        gives that of its eyes or ears; which of them it has is known when it is loaded, and until then it is eyes.
        `spawn` gives its child, if this process is not to start one (`lending.py`)."""
        inputs = frozenset({"text", "image"} if projector else {"text"})
        self.card = ModelCard(
            name,
            output_tokens=profile.output_tokens,
            reading_tokens=profile.reading_tokens,
            inputs=inputs,
            schemas=True,
            schemas_beside_tools=False,
            continues=True,
        )
        self._weights = weights
        self._projector = projector
        self._options = options or EngineOptions()
        self._profile = profile
        self._limits = limits or Limits()
        self._pauses = pauses
        self._spawn = spawn or Child.spawn
        self._supervisor: asyncio.Task[None] | None = None
        self._child: asyncio.Future[Child] | None = None
        """The child that answers now. Not done while one loads; an error while none can."""

    async def start(self) -> None:
        """Begin to load, and return."""
        if self._child is None:
            self._child = asyncio.get_running_loop().create_future()
            self._supervisor = asyncio.create_task(self._supervise(), name=f"engine {self.card.name}")
            self._supervisor.add_done_callback(self._supervised)

    async def loaded(self) -> None:
        """Wait until it can answer.

        Raises:
            ModelUnavailable: it cannot, for now, and why.
        """
        await self._living()

    @property
    def pid(self) -> int | None:
        """The id of the process that answers, if one does."""
        child = self._current()
        return child.process.pid if child else None

    async def close(self) -> None:
        """End the child, and wait until it is gone."""
        await self.start()  # from here on it counts as started, and is not started again
        assert self._supervisor is not None
        self._supervisor.cancel()
        await asyncio.wait([self._supervisor])

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        taken = shown = False
        for again in (True, False):
            child = await self._living()
            assert child.model is not None
            _check_media(prompt, child.takes)
            try:
                async with aclosing(child.model.stream(prompt)) as fragments:
                    async for fragment in fragments:
                        first = isinstance(fragment, Taken)
                        if first and taken:
                            continue
                        taken, shown = True, not first
                        child.answered |= isinstance(fragment, Finished)
                        yield fragment
                return
            except ModelTimeout:
                await self._check(child)
                raise
            except ModelUnavailable as error:
                if not await self._is_dead(child):
                    raise
                if shown or not again:
                    raise ModelUnavailable(
                        "the embedded engine died in the middle of this turn; it is being restarted: ask again"
                    ) from error

    async def _living(self) -> Child:
        await self.start()
        assert self._child is not None
        try:
            return await asyncio.shield(self._child)
        except ModelUnavailable as error:
            raise ModelUnavailable(error.message) from error  # the one error is told to many turns

    def _current(self) -> Child | None:
        future = self._child
        alive = future is not None and future.done() and future.exception() is None
        return future.result() if future is not None and alive else None

    async def _is_dead(self, child: Child) -> bool:
        """Whether a connection broke because its child is gone."""
        try:
            async with asyncio.timeout(DYING):
                await child.process.wait()
        except TimeoutError:
            return False
        self._forget(child)
        return True

    async def _check(self, child: Child) -> None:
        """After a turn that got no answer in time: a child that says nothing at all any more is made to go."""
        if not await child.is_well():
            log.warning("the embedded engine does not answer any more: killing process %d", child.process.pid)
            child.kill()

    async def _supervise(self) -> None:
        failures = 0
        while True:
            try:
                await self._live()
                failures = 0
            except ModelUnavailable as error:
                failures += 1
                log.warning("%s", error)
                if failures >= PATIENCE or isinstance(error, Explained):
                    self._fail(error)
            await asyncio.sleep(self._pauses[min(failures, len(self._pauses) - 1)])

    def _supervised(self, supervisor: asyncio.Task[None]) -> None:
        """No turn waits for a child that nobody will start: it is over because we stopped, or by our own fault."""
        error = None if supervisor.cancelled() else supervisor.exception()
        if error is not None:
            log.error("the embedded engine's supervisor broke", exc_info=error)
        self._fail(ModelUnavailable("the embedded engine has been stopped" + (f": {error!r}" if error else "")))

    async def _live(self) -> None:
        """One child, from its load to its death.

        Raises:
            ModelUnavailable: it could not load, or died without having answered anybody.
        """
        try:
            path = await self._weights()
            projector = await self._checked_projector()
        except ModelUnavailable as error:
            raise Explained(error.message) from error
        child = await self._spawn(Load(self.card.name, path, self._options, self._profile, self._limits, projector))
        try:
            self._present(child)
            epitaph = await child.obituary()
        finally:
            self._forget(child)
            await child.close()
        if not child.answered:
            raise ModelUnavailable(epitaph)
        log.warning("%s; it is being restarted", epitaph)

    async def _checked_projector(self) -> Path | None:
        path = None if self._projector is None else await self._projector()
        if path is not None:
            await asyncio.to_thread(check_projector, path)
        return path

    def _present(self, child: Child) -> None:
        self._pending().set_result(child)
        # Video it takes by ffmpeg, which may not be on the machine: only the settings can say so.
        self.card = replace(self.card, context_tokens=child.context, inputs=child.takes - {"video"})

    def _fail(self, error: ModelUnavailable) -> None:
        future = self._pending()
        future.set_exception(error)
        future.exception()  # it may be that nobody asks

    def _forget(self, child: Child) -> None:
        if self._current() is child:
            self._child = asyncio.get_running_loop().create_future()

    def _pending(self) -> asyncio.Future[Child]:
        """What turns wait for, made anew if it was already told."""
        if self._child is None or self._child.done():
            self._child = asyncio.get_running_loop().create_future()
        return self._child


def _check_media(prompt: Prompt, takes: frozenset[str]) -> None:
    hidden = sorted(kinds_in(prompt.steps) - takes)
    if hidden:
        raise Unimplemented(
            f"content of type {hidden[0]!r} cannot be shown to this model: it takes {', '.join(sorted(takes))};"
            " eyes and ears are set by `mmproj`"
        )
