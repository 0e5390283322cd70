"""What the tests of the engine and of its HTTP face share: the real thing in process, on a memory store and a scripted
model unless a test says otherwise, and ways to hold it still at a certain moment.

No test sleeps: it waits for an event, and `within` bounds every wait.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import aiohttp
import orjson
from starlette.types import ASGIApp, Message

from turnwise.agents.agent import Agents
from turnwise.agents.catalogue import Catalogue as AgentCatalogue
from turnwise.app.webhooks import Receivers
from turnwise.domain.content import Text
from turnwise.domain.errors import ModelNotFound
from turnwise.domain.events import Event, PartDelta, TextDelta
from turnwise.domain.formats import Modality
from turnwise.domain.interaction import DialectName, Interaction, Turn
from turnwise.domain.steps import UserInput
from turnwise.engine.agents import SavedAgents
from turnwise.engine.background import ALONE, Carrying
from turnwise.engine.file_search import FileSearch
from turnwise.engine.files import Files
from turnwise.engine.interactions import Interactions
from turnwise.engine.presenting import Presenter
from turnwise.engine.surroundings import Limits
from turnwise.engine.thoughts import Sealer
from turnwise.engine.webhooks import Webhooks
from turnwise.http.contracts import ModelEntry, Services
from turnwise.http.routes import build_routes
from turnwise.http.server import Server, take_port
from turnwise.media.fetch import GuardedFetcher
from turnwise.media.guard import Guard
from turnwise.media.process import Processes
from turnwise.media.readers import Readers
from turnwise.models.model import Model
from turnwise.models.scripted import ScriptedModel, say
from turnwise.store.blobs import DiskBlobs
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Batch, Creation, Lease, NewRun, News, Store
from turnwise.tools.file_search import FileSearchTool
from turnwise.tools.toolbox import Toolbox
from turnwise.wire.tools import parse_tools
from turnwise.wire.webhooks import render_webhook_event

T = TypeVar("T")

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
PATIENCE = 60.0
"""Seconds after which a wait has failed. Nothing here takes a tenth of that, also on a machine that is busy."""


async def within(awaitable: Awaitable[T]) -> T:
    """What was awaited, or a failure instead of a test that hangs."""
    async with asyncio.timeout(PATIENCE):
        return await awaitable


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else run until this holds. For what has no event of its own."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)


def ticking() -> Callable[[], datetime]:
    """A clock that moves by a second each time it is looked at."""
    ticks = count()
    return lambda: NOON + timedelta(seconds=next(ticks))


def numbered_ids(after: str = "") -> Callable[[str], str]:
    """Ids that count: int_1, int_2; with something before the number if need be."""
    numbers = count(1)
    return lambda prefix: f"{prefix}{after}{next(numbers)}"


def turn(text: str = "Hi", **fields: Any) -> Turn:
    """A turn that says this."""
    return Turn((UserInput((Text(text),)),), model="m", **fields)


def words(number: int) -> list[str]:
    """So many pieces of text, no two alike."""
    return [f"w{i} " for i in range(number)]


def texts(events: Sequence[Event]) -> str:
    """All text that these events bring."""
    return "".join(
        event.delta.text for event in events if isinstance(event, PartDelta) and isinstance(event.delta, TextDelta)
    )


async def read_all(groups: AsyncGenerator[Sequence[tuple[int, Event]], None]) -> list[tuple[int, Event]]:
    """A stream of numbered events to its end."""
    async with aclosing(groups), asyncio.timeout(PATIENCE):
        return [pair async for group in groups for pair in group]


class OneModel:
    """A catalogue in which every name but `unknown` is the same model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def find(self, name: str, modalities: Collection[Modality] = ()) -> Model:
        if name == "unknown":
            raise ModelNotFound(f"there is no model '{name}'")
        return self._model

    def names(self) -> Sequence[tuple[str, Model]]:
        return [("m", self._model)]


class ListedModels:
    """What `GET /models` shows of them."""

    ENTRIES = tuple(ModelEntry(name, "A test's model", 1024, None, ("text",)) for name in ("m", "n"))

    def entries(self) -> Sequence[ModelEntry]:
        return self.ENTRIES

    def entry(self, name: str) -> ModelEntry:
        found = next((entry for entry in self.ENTRIES if entry.name == name), None)
        if found is None:
            raise ModelNotFound(f"there is no model '{name}'")
        return found


HERE = Lease("here", ALONE)
"""How an engine that is alone carries its runs."""


async def carried(store: Store) -> Mapping[str, int]:
    """The runs that it carries, with their attempts."""
    return await store.beat(HERE)


class HeldStore:
    """A store whose calls can be held back, let go, and made to fail, each by the name of its method."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store or MemoryStore()
        self._held: dict[str, asyncio.Event] = {}
        self._reached: dict[str, asyncio.Event] = {}
        self._failing: dict[str, Callable[..., bool]] = {}
        self.calls: Counter[str] = Counter()

    def hold(self, name: str) -> None:
        """From now on, calls of this method wait before they do anything."""
        self._held[name] = asyncio.Event()
        self._reached[name] = asyncio.Event()

    async def reached(self, name: str) -> None:
        """Wait until a call is being held."""
        await within(self._reached[name].wait())

    def let_go(self, name: str) -> None:
        """Calls of this method go on, those that are held too."""
        self._held.pop(name).set()

    def fail(self, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
        """From now on, calls of this method fail when their arguments are such."""
        self._failing[name] = when

    def heal(self) -> None:
        """No method fails any more."""
        self._failing.clear()

    @property
    def pace(self) -> float:
        return self._store.pace

    @property
    def patience(self) -> float:
        return self._store.patience

    def news(self) -> AsyncGenerator[News, None]:
        return self._store.news()

    def creation(self, interaction: Interaction, run: NewRun) -> Creation:
        async def create(batch: Batch) -> None:
            await self.create(interaction, batch, run)

        return create

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self.calls[name] += 1
            if name in self._held:
                self._reached[name].set()
                await self._held[name].wait()
            if name in self._failing and self._failing[name](*arguments):
                raise OSError(f"the disk is full: {name}")
            return await method(*arguments, **named)

        return call


@contextmanager
def nothing_kept_of(*kinds: type) -> Iterator[Callable[[], bool]]:
    """While nobody looks for garbage: whether all things of these kinds that were made since are gone."""

    def there() -> set[int]:
        return {id(one) for one in gc.get_objects() if isinstance(one, kinds)}

    gc.collect()
    gc.disable()
    before = there()
    try:
        yield lambda: there() <= before
    finally:
        gc.enable()


def started_tasks(before: set[asyncio.Task[Any]]) -> list[str]:
    """The names of the tasks that were begun since then and go on."""
    return [task.get_name() for task in asyncio.all_tasks() - before - {asyncio.current_task()}]


@asynccontextmanager
async def open_reader() -> AsyncIterator[Readers]:
    """Who reads files, closed behind."""
    processes = Processes()
    try:
        yield Readers(processes, max_bytes=1 << 20, seconds=PATIENCE)
    finally:
        await within(processes.close())


@asynccontextmanager
async def open_files(
    store: Any,
    reader: Readers,
    *,
    clock: Callable[[], datetime],
    max_bytes: int = 64 << 20,
    quota_bytes: int = 256 << 20,
) -> AsyncIterator[Files]:
    """Files in a folder of their own, which goes with them."""
    with TemporaryDirectory(prefix="turnwise-test-") as folder:
        blobs = DiskBlobs(Path(folder))
        files = Files(
            store,
            blobs,
            reader,
            clock=clock,
            new_id=numbered_ids("f"),
            max_bytes=max_bytes,
            quota_bytes=quota_bytes,
            life=timedelta(hours=48),
        )
        try:
            yield files
        finally:
            await within(files.close())
            await blobs.close()


NO_AGENTS = AgentCatalogue({}, {})


def saved_agents(store: Any, agents: Agents = NO_AGENTS) -> SavedAgents:
    """The agents of owners, on these of the server."""
    return SavedAgents(store, agents, clock=ticking(), sealer=Sealer(bytes(32)), parse_tools=parse_tools)


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine on its own."""

    interactions: Interactions
    model: ScriptedModel
    store: Any
    files: Files
    file_search: FileSearch


@asynccontextmanager
async def open_engine(
    *scripts: Any,
    store: Any = None,
    model: Any = None,
    idle: float = PATIENCE,
    tools: Mapping[str, Any] | None = None,
    carrying: Carrying | None = None,
    turn_limits: Limits | None = None,
    agents: Agents = NO_AGENTS,
    webhooks: Webhooks | None = None,
    clock: Callable[[], datetime] | None = None,
    **limits: int,
) -> AsyncIterator[Engine]:
    """An engine, closed behind; and then no task of it may be left. `carrying`: as one of several on its store."""
    before = asyncio.all_tasks()
    store = store or MemoryStore()
    model = model or ScriptedModel(*scripts, answer=lambda _: say("Hello"))
    clock = clock or ticking()
    async with open_reader() as reader, open_files(store, reader, clock=clock, **limits) as files:
        file_search = FileSearch(store, files, reader, clock=clock)
        interactions = Interactions(
            store,
            OneModel(model),
            clock=clock,
            new_id=numbered_ids(),
            presenter=Presenter(
                reader, GuardedFetcher(Guard(), max_bytes=1 << 20, seconds=PATIENCE), files, limit=1 << 20
            ),
            files=files,
            toolbox=Toolbox({"file_search": FileSearchTool(file_search), **(tools or {})}),
            limits=turn_limits,
            sealer=Sealer(b"a key that all of a server share"),
            idle=idle,
            carrying=carrying or Carrying(HERE),
            agents=saved_agents(store, agents),
            webhooks=webhooks,
        )
        await interactions.open(alone=carrying is None)
        if isinstance(store, HeldStore):
            store.calls.clear()
        try:
            yield Engine(interactions, model, store, files, file_search)
        finally:
            await within(interactions.close())
            await within(file_search.close())
    assert carrying is not None or started_tasks(before) == []  # others may have begun some meanwhile


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, all of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def frames(self) -> "list[Frame]":
        return parse_frames(self.body)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stream, and the very bytes of it."""

    name: str
    data: Any
    raw: bytes = field(repr=False)

    @property
    def id(self) -> str | None:
        """Its event_id, where it has one."""
        return self.data.get("event_id") if isinstance(self.data, dict) else None


def parse_frames(body: bytes) -> list[Frame]:
    """The frames of a stream. Comments are no frames; anything that is neither fails."""
    *blocks, rest = body.split(b"\n\n")
    assert rest == b"", f"the stream ends in the middle of a frame: {rest!r}"
    return [_parse_frame(block) for block in blocks if not block.startswith(b":")]


def _parse_frame(block: bytes) -> Frame:
    first, second = block.split(b"\n")
    assert first.startswith(b"event: ")
    assert second.startswith(b"data: ")
    data = second.removeprefix(b"data: ")
    return Frame(first[7:].decode(), "[DONE]" if data == b"[DONE]" else orjson.loads(data), block + b"\n\n")


@dataclass(frozen=True, slots=True)
class App:
    """The application in process, with what stands behind it."""

    asgi: ASGIApp
    interactions: Interactions
    model: ScriptedModel
    store: Any
    files: Files

    async def ask(
        self, method: str, target: str, *, json: Any = None, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """A request, sent whole, by a client that stays until it has the whole answer."""
        start, *rest = await self.messages(method, target, json=json, body=body, headers=headers)
        assert not rest[-1].get("more_body", False), "the answer was not ended"
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], found, b"".join(message["body"] for message in rest))

    async def messages(
        self, method: str, target: str, *, json: Any = None, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> list[Message]:
        """The same, and what the server was told to send, message by message."""
        messages: list[Message] = []
        scope, receive = _request(method, target, json, body, headers or {})

        async def send(message: Message) -> None:
            messages.append(message)

        await within(self.asgi(scope, receive, send))
        return messages

    async def upload(self, data: bytes = b"Hello", *, headers: Mapping[str, str] | None = None, **said: Any) -> Any:
        """Upload a file by the resumable protocol, which must work. It is settled by then."""
        started = await self.ask(
            "POST",
            "/upload/v1beta/files",
            json={"file": {"mime_type": "text/plain", **said}},
            headers={"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start", **(headers or {})},
        )
        assert started.status == 200, started.body
        address = started.headers["x-goog-upload-url"].removeprefix("http://test")
        chunk = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
        ended = await self.ask("POST", address, body=data, headers=chunk)
        assert (ended.status, ended.headers["x-goog-upload-status"]) == (200, "final"), ended.body
        return await self.settled(ended.json["file"]["name"], headers)

    async def upload_document(
        self, store: str, data: bytes, *, headers: Mapping[str, str] | None = None, **said: Any
    ) -> Any:
        """Upload a document to a file search store, which must work. It has been read by then."""
        started = await self.ask(
            "POST",
            f"/upload/v1beta/{store}:uploadToFileSearchStore",
            json={"mimeType": "text/plain", **said},
            headers={"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start", **(headers or {})},
        )
        assert started.status == 200, started.body
        address = started.headers["x-goog-upload-url"].removeprefix("http://test")
        chunk = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
        ended = await self.ask("POST", address, body=data, headers=chunk)
        assert (ended.status, ended.headers["x-goog-upload-status"]) == (200, "final"), ended.body
        operation = ended.json
        async with asyncio.timeout(PATIENCE):
            while not operation.get("done"):
                operation = (await self.ask("GET", f"/v1beta/{operation['name']}", headers=headers)).json
        name = operation["name"].replace("/upload/operations/", "/documents/")
        return (await self.ask("GET", f"/v1beta/{name}", headers=headers)).json

    async def settled(self, name: str, headers: Mapping[str, str] | None = None) -> Any:
        """A file, once it has been looked at."""
        async with asyncio.timeout(PATIENCE):
            while True:
                file = (await self.ask("GET", f"/v1beta/{name}", headers=headers)).json
                if file["state"] != "PROCESSING":
                    return file
                await asyncio.sleep(0)  # there is no event

    async def create(self, text: str = "Hi", **fields: Any) -> Any:
        """Make an interaction, which must work."""
        headers = fields.pop("headers", None)
        reply = await self.ask(
            "POST", "/v1beta/interactions", json={"model": "m", "input": text, **fields}, headers=headers
        )
        assert reply.status == 200, reply.body
        return reply.frames if fields.get("stream") else reply.json


def _request(
    method: str, target: str, json: Any, body: bytes, headers: Mapping[str, str]
) -> tuple[dict[str, Any], Callable[[], Awaitable[Message]]]:
    sent = {"host": "test", **{name.lower(): value for name, value in headers.items()}}
    if json is not None:
        body = orjson.dumps(json)
        sent.setdefault("content-type", "application/json")
    if body:
        sent.setdefault("content-length", str(len(body)))
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "server": ("test", 80),
        "client": ("test", 1),
    }
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        return await asyncio.get_running_loop().create_future()

    return scope, receive


def webhooks_of(store: Any, *, clock: Callable[[], datetime] | None = None, **settings: Any) -> Webhooks:
    """Webhooks, which may tell what listens on loopback. They are not started."""
    return Webhooks(
        store,
        Receivers(Guard(["127.0.0.1"])),
        sealer=Sealer(b"a key that all of a server share"),
        render=render_webhook_event,
        clock=clock or ticking(),
        **{"new_id": numbered_ids(), **settings},
    )


@asynccontextmanager
async def open_app(
    *scripts: Any,
    store: Any = None,
    model: Any = None,
    idle: float = PATIENCE,
    default_dialect: DialectName = "steps",
    max_body_bytes: int = 1 << 20,
    public_url: str | None = None,
    agents: Agents = NO_AGENTS,
    webhooks: Webhooks | None = None,
    carrying: Carrying | None = None,
    **limits: int,
) -> AsyncIterator[App]:
    """The application, closed behind; and then no task of it may be left."""
    store = store or MemoryStore()
    webhooks = webhooks or webhooks_of(store)
    options = {"agents": agents, "webhooks": webhooks, "carrying": carrying}
    async with open_engine(*scripts, store=store, model=model, idle=idle, **options, **limits) as engine:
        services = Services(
            interactions=engine.interactions,
            models=ListedModels(),
            keys=engine.store,
            files=engine.files,
            file_search=engine.file_search,
            default_dialect=default_dialect,
            max_body_bytes=max_body_bytes,
            public_url=public_url,
            agents=saved_agents(store, agents),
            webhooks=webhooks,
        )
        yield App(build_routes(services), engine.interactions, engine.model, engine.store, engine.files)


@dataclass(frozen=True, slots=True)
class Served:
    """The application behind a real socket, and a client of it."""

    app: App
    url: str
    client: aiohttp.ClientSession
    server: Server

    def post(self, **body: Any) -> Any:
        """A create by a client that speaks `steps`."""
        return self.client.post(f"{self.url}/v1/interactions", json={"model": "m", "input": "Hi", **body})

    def get(self, path: str) -> Any:
        return self.client.get(f"{self.url}/v1/{path}")


@asynccontextmanager
async def serve(*scripts: Any, **options: Any) -> AsyncIterator[Served]:
    """The application, listening on a port of its own; and no task is left behind."""
    before = asyncio.all_tasks()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with open_app(*scripts, **options) as app:
        server = Server(
            app.asgi,
            host="127.0.0.1",
            sockets=take_port("127.0.0.1", 0),
            on_ready=ready.set_result,
            on_stop=app.interactions.close,
        )
        serving = asyncio.create_task(server.run_until_stopped())
        url = await within(ready)
        try:
            async with aiohttp.ClientSession() as client:
                yield Served(app, url, client, server)
        finally:
            server.should_exit = True
            await within(serving)
    await until(lambda: started_tasks(before) == [])
