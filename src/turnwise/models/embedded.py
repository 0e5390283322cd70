"""The embedded engine: llama.cpp in a child process, looked after, and asked like any other upstream.

Three parts. `EngineOptions` is how much of the machine it may take. `_Child` is one life of the process: spawned with
a socket in a folder that only we can enter, and a key made for that life. `EmbeddedModel` keeps one child alive: it
loads beside everything else, restarts what died, and lets turns wait for it.

What happens to a turn when the child dies: if nothing of the answer was shown yet it is asked once more of the next
child, and nobody notices; otherwise it fails, and says so. What runs inside the child is `embedded_worker.py`.
"""

import asyncio
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import aiohttp

import turnwise
from turnwise.domain.errors import ModelTimeout, ModelUnavailable
from turnwise.models.model import Finished, Fragment, ModelCard, Prompt, Taken
from turnwise.models.openai import Limits, OpenAIModel
from turnwise.models.profile import PLAIN, Profile

log = logging.getLogger(__name__)

PATIENCE = 3
"""How many failures in a row are waited out; from then on turns are told, while it is still tried again."""

PAUSES = (0.0, 0.2, 1.0, 5.0, 15.0, 60.0)
"""How long, in seconds, to wait before the next try: after none, one, two, ... failures in a row."""

STOPPING = 3.0
"""How long, in seconds, a child may take to leave before it is killed."""

HEALTH = 5.0
"""How long, in seconds, a child may take to say that it is well."""

CONNECTIONS = 56
"""How many turns are handed to the child at once; those over its slots wait inside it, more than these wait here."""


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
    """As many as there are free cores makes them wait for one another, and all but stops it: hence half of them."""
    context: int = 8192
    """Tokens of one conversation, prompt and answer. Over what a model was trained for, llama.cpp takes that."""
    slots: int = 4
    """Conversations that are answered at the same time. Each takes the memory of a whole context."""
    batch: int = 128
    """Tokens read in one go. While it reads, nobody else hears anything: more is faster, and holds others up longer."""
    cache_mib: int = 512
    """Memory for conversations that are in no slot, so that they need not be read again."""
    load_seconds: float = 300.0


class _Child:
    """One life of the engine's process."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.answered = False
        """Whether it has answered at all: one that has not is a failure, like one that could not load."""
        self.last_words: deque[str] = deque(maxlen=20)
        self.model: OpenAIModel
        self.context: int | None = None
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def spawn(cls, path: Path, options: EngineOptions, name: str, profile: Profile, limits: Limits) -> "_Child":
        """A child that has loaded the model.

        Raises:
            ModelUnavailable: it could not, and why.
        """
        folder = _private_folder()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "turnwise.models.embedded_worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": _import_path()},
            start_new_session=True,  # a Ctrl-C is meant for us: we still have turns to end
        )
        child = cls(process, folder)
        try:
            await child._load(path, options, name, profile, limits)
        except BaseException:
            await child.close()
            raise
        return child

    async def _load(
        self, path: Path, options: EngineOptions, name: str, profile: Profile, limits: Limits
    ) -> None:
        key = secrets.token_urlsafe(32)
        at = str(self.folder / "llm.sock") if hasattr(socket, "AF_UNIX") else None
        orders = asdict(options) | {"path": str(path), "api_key": key, "socket": at, "folder": str(self.folder)}
        address = await self._talk(orders | {"connections": CONNECTIONS}, options.load_seconds)
        self.model = OpenAIModel(
            ModelCard(name),
            "http://embedded/v1" if at else address + "/v1",
            name,
            key,
            socket=at,
            limits=limits,
            profile=profile,
            reuse=False,  # a kept connection holds one of the child's threads; a new one costs nothing here
            connections=CONNECTIONS,
        )
        self.context = await self._ask_context(at, address, key)

    async def _talk(self, orders: dict[str, object], seconds: float) -> str:
        """Give the orders, wait until the model is loaded, return where the child listens."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(orders).encode() + b"\n")
            async with asyncio.timeout(seconds):
                line = await self.process.stdout.readline()
        except TimeoutError as error:
            raise ModelUnavailable(f"the embedded engine did not load its model within {seconds:g} s") from error
        if not line:
            raise ModelUnavailable(await self._obituary())
        answer = json.loads(line)
        if "error" in answer:
            raise _Explained(answer["error"])
        return answer["address"]

    async def _ask_context(self, at: str | None, address: str, key: str) -> int | None:
        """How much one conversation may hold, as the engine has it."""
        async with self._session(at) as session:
            self._health = (at, ("http://embedded" if at else address) + "/health")
            url = ("http://embedded" if at else address) + "/props"
            async with session.get(url, headers={"Authorization": f"Bearer {key}"}) as response:
                props = await response.json()
        return props.get("default_generation_settings", {}).get("n_ctx")

    def _session(self, at: str | None) -> aiohttp.ClientSession:
        connector = aiohttp.UnixConnector(at) if at else None
        return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=HEALTH))

    async def is_well(self) -> bool:
        """Whether it still talks at all."""
        at, url = self._health
        try:
            async with self._session(at) as session, session.get(url) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _obituary(self) -> str:
        code = await self.process.wait()
        await self._listening
        if code == -getattr(signal, "SIGILL", 4):
            return "the embedded engine needs a processor with AVX2; on this one, use a model with engine = \"openai\""
        words = " | ".join(self.last_words)
        return f"the embedded engine died with code {code}" + (f": {words[-500:]}" if words else "")

    async def _listen(self) -> None:
        """Read what it prints, so that it can go on printing."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.last_words.append(line.decode(errors="replace").rstrip())

    async def close(self) -> None:
        """Let it go: the end of its stdin tells it to, and what does not listen is killed."""
        if hasattr(self, "model"):
            await self.model.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(STOPPING):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()
        await self._listening
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()


class _Explained(ModelUnavailable):
    """A failure that the child could name: it will be the same next time, so turns are told at once."""


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
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self.card = ModelCard(name, output_tokens=profile.output_tokens)
        self._weights = weights
        self._options = options or EngineOptions()
        self._profile = profile
        self._limits = limits or Limits()
        self._pauses = pauses
        self._supervisor: asyncio.Task[None] | None = None
        self._child: asyncio.Future[_Child] | None = None
        """The child that answers now; not done while one loads; an error while none can."""

    async def start(self) -> None:
        """Begin to load, and return. Turns that come earlier wait."""
        if self._supervisor is None:
            self._child = asyncio.get_running_loop().create_future()
            self._supervisor = asyncio.create_task(self._supervise(), name=f"engine {self.card.name}")

    async def loaded(self) -> None:
        """Wait until it can answer.

        Raises:
            ModelUnavailable: it cannot, for now.
        """
        await self._living()

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one that answers."""
        child = self._current()
        return child.process.pid if child else None

    async def close(self) -> None:
        """End the child, and wait until it is gone."""
        if self._supervisor is None:
            return
        self._supervisor.cancel()
        with suppress(asyncio.CancelledError):
            await self._supervisor
        self._supervisor = None
        self._fail(ModelUnavailable("the embedded engine has been stopped"))

    async def stream(self, prompt: Prompt) -> AsyncIterator[Fragment]:
        """Answer a prompt (see the contract)."""
        taken = shown = False
        for attempt in (1, 2):
            child = await self._living()
            try:
                async with aclosing(child.model.stream(prompt)) as fragments:
                    async for fragment in fragments:
                        if isinstance(fragment, Taken):
                            if taken:
                                continue
                            taken = True
                        else:
                            shown = True
                        if isinstance(fragment, Finished):
                            child.answered = True
                        yield fragment
                return
            except ModelTimeout:
                await self._check(child)
                raise
            except ModelUnavailable as error:
                if not await self._is_dead(child):
                    raise
                if shown or attempt == 2:
                    raise ModelUnavailable(
                        "the embedded engine died in the middle of this turn; it is being restarted, so ask again"
                    ) from error

    async def _living(self) -> _Child:
        await self.start()
        assert self._child is not None
        return await asyncio.shield(self._child)

    def _current(self) -> _Child | None:
        future = self._child
        if future is None or not future.done() or future.exception() is not None:
            return None
        return future.result()

    async def _is_dead(self, child: _Child) -> bool:
        """Whether a connection broke because its child is gone. The kernel may take a moment to tell."""
        try:
            async with asyncio.timeout(1.0):
                await child.process.wait()
        except TimeoutError:
            return False
        self._forget(child)
        return True

    async def _check(self, child: _Child) -> None:
        """After a turn that was not answered in time: a child that says nothing at all any more is made to go."""
        if not await child.is_well():
            log.warning("the embedded engine does not answer any more: killing process %d", child.process.pid)
            child.kill()

    async def _supervise(self) -> None:
        failures = 0
        while True:
            try:
                failures = await self._live(failures)
            except ModelUnavailable as error:
                failures += 1
                log.warning("%s", error)
                if failures >= PATIENCE or isinstance(error, _Explained):
                    self._fail(error)
            await asyncio.sleep(self._pauses[min(failures, len(self._pauses) - 1)])

    async def _live(self, failures: int) -> int:
        """One child, from its load to its death. Returns how many failures there are in a row with this one."""
        try:
            path = await self._weights()
        except ModelUnavailable as error:
            raise _Explained(error.message) from error
        child = await _Child.spawn(path, self._options, self.card.name, self._profile, self._limits)
        try:
            self._present(child)
            code = await child.process.wait()
            log.warning("the embedded engine died with code %d", code)
        finally:
            self._forget(child)
            await child.close()
        if not child.answered and failures + 1 >= PATIENCE:
            raise ModelUnavailable(await child._obituary())
        return 0 if child.answered else failures + 1

    def _present(self, child: _Child) -> None:
        assert self._child is not None
        if self._child.done():
            self._child = asyncio.get_running_loop().create_future()
        self._child.set_result(child)
        self.card = replace(self.card, context_tokens=child.context)

    def _forget(self, child: _Child) -> None:
        if self._current() is child:
            self._child = asyncio.get_running_loop().create_future()

    def _fail(self, error: ModelUnavailable) -> None:
        assert self._child is not None
        if self._child.done() and self._current() is None:
            self._child = asyncio.get_running_loop().create_future()
        if not self._child.done():
            self._child.set_exception(error)
            self._child.exception()  # so that nobody need have asked
        self._latest = error


def _private_folder() -> Path:
    """A folder that only we can enter, with a path that is short enough for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="turnwise-"))
    if len(str(folder)) > 80 and Path("/tmp").is_dir():
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="turnwise-", dir="/tmp"))
    return folder


def _import_path() -> str:
    """Where the child finds what we have found: PYTHONPATH, with the folder that turnwise was imported from first."""
    ours = str(Path(turnwise.__file__).resolve().parent.parent)
    return os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
