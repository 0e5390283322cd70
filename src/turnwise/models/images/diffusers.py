"""Images by weights of the user's own: a pipeline of the package diffusers, from a folder on this machine.

It runs in a process of its own (`diffusers_worker.py`), which is started with the server, and again with the next turn
when it is gone. The packages are the user's too: they are large, and which ones fit depends on the machine. One image
is made at a time; the others wait. Leaving a turn stops its image behind the step that goes on.
"""

import asyncio
import logging
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from turnwise.domain.errors import InvalidRequest, ModelFailed, ModelTimeout, ModelUnavailable
from turnwise.models.child import ChildProcess
from turnwise.models.embedded_child import cores
from turnwise.models.images.asking import Asked, asked_of, check_parameters
from turnwise.models.images.openai import no_image, wanted_pixels
from turnwise.models.model import Finished, Fragment, MediaFragment, ModelCard, Prompt, Taken, TextFragment
from turnwise.models.openai import Limits
from turnwise.models.pixels import fit

log = logging.getLogger(__name__)

LOADING = 600.0
"""How long, in seconds, a pipeline may take to load."""

LINE = 256 * 2**20
"""The longest line that the process may write: it has a whole image."""

INDEX = "model_index.json"
"""What the folder of every pipeline has."""


@dataclass(frozen=True, slots=True)
class Order:
    """An image to make, as the process is told it."""

    id: int
    words: str
    seed: int | None
    size: tuple[int, int] | None
    """Width and height. None: as the pipeline has it."""
    picture: str | None
    """An image to start from, in base64."""


class DiffusersModel:
    """A pipeline in a child process of ours."""

    def __init__(self, card: ModelCard, folder: Path, *, limits: Limits | None = None) -> None:
        """
        Raises:
            ValueError: the folder holds no pipeline.
        """
        if not (folder / INDEX).is_file():
            raise ValueError(f"source: {str(folder)!r} is no folder of a pipeline: there is no {INDEX} in it")
        self.card = card
        self._folder = folder
        self._limits = limits or Limits()
        self._ids = count()
        self._worker: asyncio.Task[Worker] | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Begin to load, and return."""
        if self._worker is None:
            self._worker = asyncio.create_task(Worker.spawn(self._folder), name=f"loading {self.card.name}")
            self._worker.add_done_callback(_tell)

    async def close(self) -> None:
        """End the process, and wait until it is gone."""
        task, self._worker = self._worker, None
        if task is None:
            return
        task.cancel()
        with suppress(asyncio.CancelledError, ModelUnavailable):
            await (await task).close()

    @property
    def pid(self) -> int | None:
        """The id of the process, once it has loaded."""
        task = self._worker
        loaded = task is not None and task.done() and not task.cancelled() and task.exception() is None
        return task.result().child.process.pid if task is not None and loaded else None

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        check_parameters(prompt, self.card.name, {"seed"})
        order = self._order(asked_of(prompt), prompt)
        async with self._turn:
            worker = await self._ready()
            async with worker.making(order) as messages:
                async for message in self._in_time(messages, worker):
                    if "taken" in message:
                        yield Taken()
                    for fragment in await self._fragments(message, prompt):
                        yield fragment

    def _order(self, asked: Asked, prompt: Prompt) -> Order:
        if len(asked.pictures) > 1:
            raise InvalidRequest(
                f"an image can start from one other here, and the conversation has {len(asked.pictures)}", field="input"
            )
        picture = b64encode(asked.pictures[0].data).decode() if asked.pictures else None
        return Order(next(self._ids), asked.words, prompt.generation.seed, wanted_pixels(prompt.image), picture)

    async def _ready(self) -> "Worker":
        """The process, started anew if it is gone."""
        if self._worker is not None and self._worker.done() and not _lives(self._worker):
            self._worker = None
        await self.start()
        assert self._worker is not None
        try:
            return await asyncio.shield(self._worker)
        except ModelUnavailable as error:
            raise ModelUnavailable(error.message) from error  # the one error is told to many turns

    async def _in_time(
        self, messages: AsyncIterator[dict[str, Any]], worker: "Worker"
    ) -> AsyncGenerator[dict[str, Any], None]:
        """What the process tells, as long as it tells anything. One that has stopped to is made to go."""
        patience = self._limits.idle if worker.tells_steps else self._limits.total
        deadline = asyncio.get_running_loop().time() + self._limits.total
        while True:
            try:
                async with asyncio.timeout_at(min(asyncio.get_running_loop().time() + patience, deadline)):
                    message = await anext(messages, None)
            except TimeoutError as error:
                worker.child.kill()
                raise ModelTimeout(f"the model {self.card.name!r} did not make its image in time") from error
            if message is None:
                return
            yield message

    async def _fragments(self, message: dict[str, Any], prompt: Prompt) -> list[Fragment]:
        match message:
            case {"image": image}:
                try:
                    size = wanted_pixels(prompt.image)
                    data, mime_type = await asyncio.to_thread(fit, b64decode(image), prompt.image.mime_type, size)
                except InvalidRequest as error:
                    raise no_image(self.card.name) from error
                return [MediaFragment(0, "image", mime_type, data), Finished("stop")]
            case {"refused": words}:
                return [TextFragment(words), Finished("refusal")]
            case {"invalid": words}:
                raise InvalidRequest(words)
            case {"failed": words}:
                raise ModelFailed(f"the model {self.card.name!r} could not make the image: {words}")
        return []


class Worker:
    """One life of the process."""

    def __init__(self, child: ChildProcess) -> None:
        self.child = child
        self.tells_steps = False
        """Whether it says when a step is done, and can be stopped behind it."""
        self._told: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(cls, folder: Path) -> "Worker":
        """A process that has loaded the pipeline of a folder.

        Raises:
            ModelUnavailable: it could not, and why.
        """
        try:
            child = await ChildProcess.start("turnwise.models.images.diffusers_worker", longest=LINE)
        except OSError as error:
            raise ModelUnavailable(f"the process for images cannot be started: {error}") from error
        worker = cls(child)
        try:
            await worker._load(folder)
        except BaseException:
            await worker.close()
            raise
        return worker

    @asynccontextmanager
    async def making(self, order: Order) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """What the process tells of an order. Leaving cancels it, unless it is done."""
        told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._told[order.id] = told
        try:
            self.child.tell(asdict(order))
            if self._reading is None or self._reading.done():
                told.put_nowait(None)  # it has gone since it was looked at
            yield self._messages(told)
        finally:
            if self._told.pop(order.id, None) is not None:
                self.cancel(order.id)

    async def _messages(self, told: asyncio.Queue[dict[str, Any] | None]) -> AsyncGenerator[dict[str, Any], None]:
        while True:
            message = await told.get()
            if message is None:
                raise ModelUnavailable(await self._obituary())
            yield message
            if not {"taken", "step"} & message.keys():
                self._told.pop(message["id"], None)
                return

    def cancel(self, id: int) -> None:
        """Have an order stopped behind the step that goes on, or not begun."""
        self.child.tell({"cancel": id})

    async def close(self) -> None:
        """Let it go, and wait until it is gone."""
        await self.child.close()
        if self._reading is not None:
            await self._reading

    async def _load(self, folder: Path) -> None:
        self.child.tell({"folder": str(folder), "threads": max(1, cores() // 2)})
        try:
            answer = await self.child.answer(LOADING)
        except TimeoutError as error:
            raise ModelUnavailable(f"diffusers did not load its pipeline within {LOADING:g} s") from error
        if answer is None:
            raise ModelUnavailable(await self._obituary())
        if "error" in answer:
            raise ModelUnavailable(answer["error"])
        self.tells_steps = answer["tells_steps"]
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        """Hand what is told to whoever waits for it. In the end all are told that nothing more comes."""
        try:
            async for message in self.child.answers():
                told = self._told.get(message["id"])
                if told is not None:
                    told.put_nowait(message)
        finally:
            for told in self._told.values():
                told.put_nowait(None)

    async def _obituary(self) -> str:
        return f"the process for images {await self.child.obituary()}"


def _lives(task: asyncio.Task[Worker]) -> bool:
    """Whether the process that was loaded is still there."""
    return not task.cancelled() and task.exception() is None and task.result().child.lives


def _tell(task: asyncio.Task[Worker]) -> None:
    """Say in the log that it could not load: it may be that nobody asks for a while."""
    if not task.cancelled() and task.exception() is not None:
        log.warning("%s", task.exception())
