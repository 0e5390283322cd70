"""An embedding model: a GGUF file in a child process of ours, which tells what texts mean as so many numbers.

It is started by its first use, and anew when it died. While it cannot be started, those who ask are told at once for a
while, and can do without: texts are searched by their words all the same. What runs in the child is
`embedding_worker.py`.
"""

import asyncio
import importlib.util
import logging
import secrets
import shutil
import socket
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from turnwise.domain.errors import ModelUnavailable
from turnwise.models.child import ChildProcess
from turnwise.models.embedded_child import cores, private_folder

log = logging.getLogger(__name__)

LOADING = 300.0
ANSWERING = 120.0
"""How long, in seconds, the child may take to load, and to answer."""

PAUSE = 30.0
"""How long, in seconds, nobody tries again after a failure."""

LONGEST = 16 * 2**20
"""The longest answer, in bytes."""


def check_parts() -> None:
    """See whether what this needs is installed.

    Raises:
        ValueError: it is not; the message has the command that adds it.
    """
    for package in ("numpy", "xllamacpp"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(f"the package {package} is not installed; run: pip install 'turnwise[tools]'")


class EmbeddingModel:
    """An embedding model in a child process."""

    def __init__(self, name: str, weights: Callable[[], Awaitable[Path]], *, threads: int | None = None) -> None:
        """`name` is what vectors of it are kept under; `weights` gives the file, and may take its time over it."""
        self.name = name
        self._weights = weights
        self._threads = threads or max(1, cores() // 2)
        self._asking = asyncio.Lock()
        self._numbers = count(1)
        self._child: ChildProcess | None = None
        self._folder: Path | None = None
        self._failure: tuple[float, ModelUnavailable] | None = None

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """What texts mean, each as so many numbers. Texts that are too long are cut.

        Raises:
            ModelUnavailable: it cannot say, for now.
        """
        async with self._asking:
            child = await self._started()
            number = next(self._numbers)
            # JSON, and so the child, has no letters that are halves of one.
            child.tell({"id": number, "texts": [text.encode(errors="replace").decode() for text in texts]})
            try:
                answer = await _answer(child, number)
            except TimeoutError as error:
                child.kill()
                raise ModelUnavailable(f"the embedding model did not answer within {ANSWERING:g} s") from error
            if answer is None:
                raise ModelUnavailable(f"the embedding model {await child.obituary()}")
            if "error" in answer:
                raise ModelUnavailable(f"the embedding model failed: {answer['error']}")
            vectors: list[list[float]] = answer["vectors"]
            return vectors

    @property
    def pid(self) -> int | None:
        """The id of the process that answers, if one does."""
        return self._child.process.pid if self._child is not None and self._child.lives else None

    async def close(self) -> None:
        """End the child, and wait until it is gone."""
        child, self._child = self._child, None
        if child is not None:
            await child.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _started(self) -> ChildProcess:
        """A child that has loaded the model."""
        if self._child is not None and self._child.lives:
            return self._child
        now = asyncio.get_running_loop().time()
        if self._failure is not None and now < self._failure[0]:
            raise self._failure[1]
        await self.close()
        try:
            self._child = await self._start()
        except ModelUnavailable as error:
            self._failure = now + PAUSE, error
            raise
        self._failure = None
        return self._child

    async def _start(self) -> ChildProcess:
        path = await self._weights()
        self._folder = private_folder()
        try:
            child = await ChildProcess.start("turnwise.models.embedding_worker", longest=LONGEST)
        except OSError as error:
            raise ModelUnavailable(f"the embedding model's process cannot be started: {error}") from error
        try:
            await self._load(child, path, self._folder)
        except BaseException:
            await child.close()
            raise
        return child

    async def _load(self, child: ChildProcess, path: Path, folder: Path) -> None:
        child.tell(
            {
                "path": str(path),
                "threads": self._threads,
                "api_key": secrets.token_urlsafe(32),
                "folder": str(folder),
                "has_sockets": hasattr(socket, "AF_UNIX"),
            }
        )
        try:
            answer = await child.answer(LOADING)
        except TimeoutError as error:
            raise ModelUnavailable(f"the embedding model was not loaded within {LOADING:g} s") from error
        if answer is None:
            raise ModelUnavailable(f"the embedding model {await child.obituary()}")
        if "error" in answer:
            raise ModelUnavailable(str(answer["error"]))


async def _answer(child: ChildProcess, number: int) -> dict[str, Any] | None:
    """The answer to an order. Those to orders whose callers have left are passed over."""
    async with asyncio.timeout(ANSWERING):
        while True:
            answer = await child.answer(ANSWERING)
            if answer is None or answer.get("id") == number:
                return answer
