"""One life of the embedded engine's process: spawned, loaded, asked, ended. And how much of the machine it may take.

The child listens on a socket in a folder that only we can enter, and answers only to a key made for this one life.
Keeping a child alive, and what a turn does when it dies, is the business of `embedded.py`; what runs inside of it is
`embedded_worker.py`.
"""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from turnwise.domain.errors import ModelUnavailable
from turnwise.models.child import ChildProcess
from turnwise.models.embedded_slots import Slots
from turnwise.models.model import ModelCard
from turnwise.models.openai import Limits, OpenAIModel
from turnwise.models.profile import PLAIN, Profile

HEALTH = 5.0
"""How long, in seconds, a child may take to say that it is well."""

CONNECTIONS = 56
"""How many connections the child takes from those who ask it. Of turns it is handed no more than it has slots, if it is
ours alone; if it is lent, those over its slots wait inside it, and more than these wait here."""


IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/bmp"})
"""What llama.cpp reads by itself. For others it needs programs that may not be there."""


def cores() -> int:
    """The cores that we may use: what the process is bound to, and a container's share of time."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(bound, int(quota) // int(period)))  # "max" is no number: no limit
    return bound


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How much of the machine the engine may take."""

    threads: int = field(default_factory=lambda: max(1, cores() // 2))
    """Threads that outnumber the free cores wait for one another, and all but stop the engine: hence half of them."""
    context: int = 8192
    """Tokens of one conversation, prompt and answer; llama.cpp lowers it to what the model was trained for."""
    slots: int = 4
    """Conversations that are answered at the same time; others wait. Each takes the memory of a whole context."""
    batch: int = 128
    """Tokens read in one go. While it reads, nobody else hears anything: more is faster, and holds others up longer."""
    cache_mib: int = 512
    """Memory for conversations that are in no slot, so that they need not be read again."""
    load_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a child is to load, and how it is to be asked."""

    name: str
    path: Path
    options: EngineOptions = field(default_factory=EngineOptions)
    profile: Profile = PLAIN
    limits: Limits = field(default_factory=Limits)
    projector: Path | None = None
    """The file of its eyes or ears, which llama.cpp calls mmproj."""
    lent: bool = False
    """Whether several processes ask it. They do not know of one another's turns, so it chooses their slots itself."""


class Explained(ModelUnavailable):
    """A failure that could be named: it will be the same next time, so turns are told at once."""


class Child:
    """A process that has loaded a model, or is about to."""

    def __init__(self, process: ChildProcess, folder: Path) -> None:
        self._child = process
        self.model: OpenAIModel | None = None
        self.context: int | None = None
        """How many tokens one conversation may hold, as the engine has it."""
        self.takes = frozenset({"text"})
        """What it can be shown, as the engine has it."""
        self.answered = False
        """Whether it ever finished a turn: to die without is to fail, like a child that could not load."""
        self._folder = folder
        self.socket = str(folder / "llm.sock") if hasattr(socket, "AF_UNIX") else None
        """Where it listens, if this system has such sockets."""
        self.key = secrets.token_urlsafe(32)
        """What it answers to."""
        self._address = ""

    @classmethod
    async def spawn(cls, load: Load) -> "Child":
        """A child that has loaded its model.

        Raises:
            ModelUnavailable: it could not, and why.
        """
        folder = private_folder()
        try:
            process = await ChildProcess.start("turnwise.models.embedded_worker")
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise ModelUnavailable(f"the embedded engine's process cannot be started: {error}") from error
            raise
        child = cls(process, folder)
        try:
            await child._load(load)
        except BaseException:
            await child.close()
            raise
        return child

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process itself."""
        return self._child.process

    async def is_well(self) -> bool:
        """Whether it still talks at all."""
        try:
            await self._get("/health")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        return True

    async def obituary(self) -> str:
        """What it died of, as far as can be told."""
        told = await self._child.obituary()
        if self.process.returncode == -getattr(signal, "SIGILL", 4):
            return 'the embedded engine needs a processor with AVX2: on this one use a model with engine = "openai"'
        return f"the embedded engine {told}"

    async def close(self) -> None:
        """Let it go."""
        try:
            if self.model is not None:
                await self.model.close()
        finally:
            try:
                await self._child.close()
            finally:  # also when nobody has the time to wait
                shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """End it at once."""
        self._child.kill()

    async def _load(self, load: Load) -> None:
        orders = asdict(load.options) | {
            "path": str(load.path),
            "projector": None if load.projector is None else str(load.projector),
            "api_key": self.key,
            "socket": self.socket,
            "folder": str(self._folder),
            "connections": CONNECTIONS,
            "chooses_slots": load.lent,
        }
        self._address = await self._order(orders, load.options.load_seconds)
        await self.reach(load)

    async def reach(self, load: Load, connections: int = CONNECTIONS) -> None:
        """Ask it what it is, and be able to ask it more, by so many connections at once.

        Raises:
            ModelUnavailable: it does not answer.
        """
        if self.socket:
            self._address = "http://embedded"
        try:
            props = await self._get("/props")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ModelUnavailable("the embedded engine loaded its model, but does not answer") from error
        self.context = props.get("default_generation_settings", {}).get("n_ctx")
        self.takes = _takes(props.get("modalities") or {})
        self.model = OpenAIModel(
            ModelCard(load.name, context_tokens=self.context, schemas=True, continues=True),
            self._address + "/v1",
            load.name,
            self.key,
            socket=self.socket,
            limits=load.limits,
            profile=load.profile,
            reuse=False,  # a kept connection holds one of the child's threads, and a new one costs nothing here
            connections=connections,
            grammars=True,
            images=IMAGES,
            scales=True,
            count=self._count,
            places=None if load.lent else Slots(load.options.slots).hold,
        )

    async def _order(self, orders: dict[str, Any], seconds: float) -> str:
        """Tell it what to load, wait until it has, and return where it listens."""
        self._child.tell(orders)
        try:
            answer = await self._child.answer(seconds)
        except TimeoutError as error:
            raise ModelUnavailable(f"the embedded engine did not load its model within {seconds:g} s") from error
        if answer is None:
            raise ModelUnavailable(await self.obituary())
        if "error" in answer:
            raise Explained(answer["error"])
        return str(answer["address"])

    async def _count(self, text: str) -> int:
        """How many tokens a text has.

        Raises:
            ModelUnavailable: the child does not say.
        """
        try:
            return len((await self._ask("POST", "/tokenize", {"content": text}))["tokens"])
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ModelUnavailable("the embedded engine does not answer") from error

    async def _get(self, path: str) -> Any:
        return await self._ask("GET", path)

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask beside the turns, over a connection of its own."""
        connector = aiohttp.UnixConnector(self.socket) if self.socket else None
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=HEALTH),
                headers={"Authorization": f"Bearer {self.key}"},
                raise_for_status=True,
            ) as session,
            session.request(method, self._address + path, json=body) as response,
        ):
            return await response.json()


def _takes(modalities: Mapping[str, bool]) -> frozenset[str]:
    """What llama.cpp says that it takes, in our words."""
    names = {"vision": "image", "audio": "audio", "video": "video"}
    return frozenset({"text", *(ours for theirs, ours in names.items() if modalities.get(theirs))})


def private_folder() -> Path:
    """A folder that only we can enter, with a path that is short enough for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="turnwise-"))
    if len(str(folder)) > 80 and Path("/tmp").is_dir():
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="turnwise-", dir="/tmp"))
    return folder
