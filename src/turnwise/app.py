"""The composition root: the only file that knows every room, and puts the parts together."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.types import ASGIApp

from turnwise.data import alone, empty_folder, open_blobs, open_store, sealing_key
from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, ModelNotFound, Unimplemented
from turnwise.domain.interaction import GenerationConfig
from turnwise.domain.tools import Schema
from turnwise.engine.file_search import FileSearch
from turnwise.engine.files import Files
from turnwise.engine.interactions import Interactions
from turnwise.engine.presenting import Presenter
from turnwise.engine.run import helped
from turnwise.engine.schema import check_schema, violation
from turnwise.engine.surroundings import Limits
from turnwise.engine.thoughts import Sealer
from turnwise.http.contracts import ModelEntry as ListedModel
from turnwise.http.contracts import Services
from turnwise.http.routes import build_routes
from turnwise.ids import new_id
from turnwise.media.cache import Cache
from turnwise.media.exchange import GuardedWeb
from turnwise.media.fetch import GuardedFetcher
from turnwise.media.guard import Guard
from turnwise.media.process import Bounds, Processes
from turnwise.media.readers import Readers
from turnwise.media.robots import Robots
from turnwise.media.visits import Visits
from turnwise.models.catalogue import ANY, Catalogue
from turnwise.models.embedding import EmbeddingModel, check_parts
from turnwise.models.engines import ModelEntry
from turnwise.models.manner import Manner
from turnwise.models.model import ModelCard
from turnwise.models.sources import fetch, is_there, parse_source, parse_speech, place
from turnwise.settings import ModelSettings, Settings, SettingsError
from turnwise.store.store import Store
from turnwise.tools.code_execution.sandbox import Bounds as CodeBounds
from turnwise.tools.code_execution.tool import CodeExecutionTool
from turnwise.tools.computer_use.tool import ComputerUseTool
from turnwise.tools.file_search import FileSearchTool
from turnwise.tools.google_search.engines import build_engine
from turnwise.tools.google_search.tool import GoogleSearchTool
from turnwise.tools.mcp_server.tool import McpServerTool
from turnwise.tools.toolbox import Toolbox
from turnwise.tools.url_context import UrlContextTool

log = logging.getLogger("turnwise")

ROBOTS_SECONDS = 10.0
"""How long fetching the rules of a site may take at the most."""


@dataclass(frozen=True, slots=True)
class App:
    """A server that is put together and running, but not listening."""

    asgi: ASGIApp
    interactions: Interactions
    catalogue: Catalogue
    store: Store

    async def reload(self, settings: Settings) -> None:
        """Answer by the models of these settings from the next turn on. Turns that go on are not disturbed.

        Raises:
            SettingsError: an entry cannot be, and nothing has changed.
            ModelUnavailable: weights that are needed cannot be had, and nothing has changed.
        """
        try:
            await self.catalogue.change(_entries(settings), ready=lambda: fetch_weights(settings))
        except ValueError as error:
            raise SettingsError(str(error)) from error


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Open the store, end what the last process left, start the models. All of it is closed behind.

    Raises:
        SettingsError: a model, or the place where everything is kept, cannot be as it is set.
    """
    catalogue = build_catalogue(settings)
    with alone(settings.database_path):
        async with _running(settings, catalogue, await open_store(settings)) as app:
            yield app


def build_catalogue(settings: Settings) -> Catalogue:
    """The models of the settings. None of them is started.

    Raises:
        SettingsError: an entry cannot be.
    """
    try:
        return Catalogue(_entries(settings), settings.weights_dir, help=helped)
    except ValueError as error:
        raise SettingsError(str(error)) from error


async def fetch_weights(settings: Settings) -> list[Path]:
    """The weights that these settings need, each fetched if it is not there.

    Raises:
        ModelUnavailable: some are not there and cannot be had.
    """
    return [await fetch(parse_source(*weights), settings.weights_dir) for weights in settings.weights]


def _entries(settings: Settings) -> Mapping[str, ModelEntry]:
    return {name: _entry(name, model) for name, model in settings.models.items()}


@asynccontextmanager
async def _running(settings: Settings, catalogue: Catalogue, store: Store) -> AsyncIterator[App]:
    async with AsyncExitStack() as closing:
        closing.push_async_callback(store.close)
        blobs = await open_blobs(settings)
        closing.push_async_callback(blobs.close)
        readers = build_readers(settings)
        closing.push_async_callback(readers.close)
        files = Files(
            store,
            blobs,
            readers,
            clock=clock,
            new_id=new_id,
            max_bytes=settings.files.max_bytes,
            quota_bytes=settings.files.quota_bytes,
            life=timedelta(hours=settings.files.hours),
        )
        closing.push_async_callback(files.close)
        file_search = FileSearch(store, files, readers, clock=clock, embedder=build_embedder(settings, closing))
        closing.push_async_callback(file_search.close)
        closing.push_async_callback(catalogue.close)
        scratch = empty_folder(settings.scratch_dir)
        cache = Cache(scratch / "fetched")
        interactions = Interactions(
            store,
            catalogue,
            clock=clock,
            new_id=new_id,
            presenter=Presenter(
                readers,
                build_fetcher(settings, cache),
                files,
                limit=settings.max_body_bytes,
                scratch=scratch,
            ),
            files=files,
            toolbox=build_toolbox(settings, closing, file_search, build_visits(settings, readers, cache, scratch)),
            limits=Limits(settings.tools.rounds, settings.tools.seconds, settings.tools.tokens),
            sealer=Sealer(sealing_key(settings)),
            inline_bytes=settings.files.inline_bytes,
            idle=settings.keep_alive_seconds,
        )
        closing.push_async_callback(interactions.close)
        services = Services(
            interactions=interactions,
            models=ListedModels(catalogue),
            keys=store,
            files=files,
            file_search=file_search,
            default_dialect=settings.default_dialect,
            max_body_bytes=settings.max_body_bytes,
            public_url=settings.public_url,
        )
        left = await interactions.recover()
        if left:
            log.warning("cut short when the last process ended, and failed now: %d interaction(s)", left)
        await files.start()
        await file_search.start()
        await catalogue.start()
        yield App(build_routes(services), interactions, catalogue, store)


def build_readers(settings: Settings) -> Readers:
    """Who reads files that models cannot take. No process of it is started.

    Raises:
        SettingsError: the weights that write down speech cannot be.
    """
    media = settings.media
    try:
        speech = parse_speech(media.speech)
    except ValueError as error:
        raise SettingsError(f"media.speech: {error}") from error
    return Readers(
        Processes(Bounds(seconds=media.seconds, memory_mib=media.memory_mib)),
        max_bytes=media.max_bytes,
        seconds=media.seconds,
        ocr=media.ocr,
        speech=media.speech,
        find_speech_weights=lambda: (
            place(speech, settings.weights_dir) if is_there(speech, settings.weights_dir) else None
        ),
    )


def build_toolbox(settings: Settings, closing: AsyncExitStack, file_search: FileSearch, visits: Visits) -> Toolbox:
    """The tools of this server. None of them is started; what they start later is closed with `closing`.
    `visits` reads what stands at addresses.

    Raises:
        SettingsError: one of them cannot be as it is set.
    """
    google_search = build_google_search(settings)
    closing.push_async_callback(google_search.close)
    return Toolbox(
        {
            "code_execution": build_code_execution(settings),
            "computer_use": ComputerUseTool(settings.tools.computer_use.browser_actions),
            "file_search": FileSearchTool(file_search),
            "google_search": google_search,
            "mcp_server": build_mcp_servers(settings),
            "url_context": UrlContextTool(visits),
        }
    )


def build_embedder(settings: Settings, closing: AsyncExitStack) -> EmbeddingModel | None:
    """Who tells what texts mean, if that is set. It is started by its first use, and closed with `closing`.

    Raises:
        SettingsError: the weights cannot be, or a part is not installed.
    """
    name = settings.tools.file_search.embeddings
    if name is None:
        return None
    try:
        source = parse_source(name)
        check_parts()
    except ValueError as error:
        raise SettingsError(f"tools.file_search.embeddings: {error}") from error
    embedder = EmbeddingModel(name, lambda: fetch(source, settings.weights_dir))
    closing.push_async_callback(embedder.close)
    return embedder


def build_code_execution(settings: Settings) -> CodeExecutionTool:
    """The tool that runs code. Which sandbox it has is found out by its first use."""
    code = settings.tools.code_execution
    bounds = CodeBounds(seconds=code.seconds, memory_mib=code.memory_mib)
    return CodeExecutionTool(code.sandbox, bounds, at_once=code.sandboxes)


def build_google_search(settings: Settings) -> GoogleSearchTool:
    """The tool that searches, by the engine of the settings.

    Raises:
        SettingsError: the engine cannot be as it is set.
    """
    search = settings.tools.google_search
    try:
        engine = build_engine(
            search.engine, url=search.url, key=search.key, index=settings.search_index, seconds=search.seconds
        )
    except ValueError as error:
        raise SettingsError(f"tools.google_search.{error}") from error
    return GoogleSearchTool(engine, results=search.results, seconds=search.seconds)


def build_mcp_servers(settings: Settings) -> McpServerTool:
    """The tool that reaches MCP servers. None of them is reached.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    mcp = settings.tools.mcp_server
    return McpServerTool(
        GuardedWeb(build_guard(settings)),
        violation=departure,
        seconds=mcp.seconds,
        listing_seconds=mcp.listing_seconds,
    )


def departure(value: JSON, schema: Schema) -> str | None:
    """What is wrong with a value by a schema of somebody else's, which may be one that turnwise cannot keep."""
    try:
        check_schema(schema, "schema")
    except (InvalidRequest, Unimplemented) as error:
        log.warning("the results of a tool are not checked: %s", error.message)
        return None
    return violation(value, schema)


def build_guard(settings: Settings) -> Guard:
    """What requests may reach.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    try:
        return Guard(settings.network.allow)
    except ValueError as error:
        raise SettingsError(f"network.allow: {error}") from error


def build_visits(settings: Settings, readers: Readers, cache: Cache, scratch: Path) -> Visits:
    """Who reads what stands at addresses, and keeps to what their sites ask.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    network, admit = settings.network, None
    if settings.tools.url_context.robots:
        rules = GuardedFetcher(
            build_guard(settings), max_bytes=network.max_bytes, seconds=min(ROBOTS_SECONDS, network.seconds)
        )
        admit = Robots(rules, scratch=scratch).admit
    return Visits(build_fetcher(settings, cache, admit), readers, scratch=scratch)


def build_fetcher(
    settings: Settings, cache: Cache, admit: Callable[[str], Awaitable[None]] | None = None
) -> GuardedFetcher:
    """Who fetches from addresses that requests name.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    network = settings.network
    return GuardedFetcher(
        build_guard(settings), max_bytes=network.max_bytes, seconds=network.seconds, cache=cache, admit=admit
    )


def _entry(name: str, model: ModelSettings) -> ModelEntry:
    """A model of the settings as the catalogue wants it: what only some engines have is an option."""
    if model.api_key_env and model.key is None:
        raise ValueError(f"models.{name}: api_key_env names the variable {model.api_key_env}, which is not set")
    options = {
        "threads": model.threads,
        "slots": model.slots,
        "cache_mib": model.cache_mib,
        "region": model.region,
        "connect": model.connect_seconds,
        "idle": model.idle_seconds,
        "total": model.total_seconds,
    }
    can = {"tools": model.tools, "schemas": model.schemas, "thinks": model.thinks}
    return ModelEntry(
        engine=model.engine,
        source=model.source,
        sha256=model.sha256,
        mmproj=model.mmproj,
        base_url=model.base_url,
        model=model.model,
        api_key=model.key,
        context_tokens=model.context_tokens,
        can={name: value for name, value in can.items() if value is not None},
        options={name: value for name, value in options.items() if value is not None},
        manner=_manner(model),
        outputs=None if model.outputs is None else frozenset(model.outputs),
        fallback=tuple(model.fallback),
        image=model.image,
        audio=model.audio,
    )


def _manner(model: ModelSettings) -> Manner:
    defaults = model.defaults
    return Manner(
        GenerationConfig(
            temperature=defaults.temperature,
            top_p=defaults.top_p,
            top_k=defaults.top_k,
            seed=defaults.seed,
            max_output_tokens=defaults.max_output_tokens,
            stop_sequences=tuple(defaults.stop_sequences),
            thinking_level=defaults.thinking_level,
        ),
        system_instruction=defaults.system_instruction,
        output_tokens=model.output_tokens,
        inputs=None if model.inputs is None else frozenset({"text", *model.inputs}),
        description=model.description or "",
    )


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class ListedModels:
    """The catalogue as `GET /models` shows it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def entries(self) -> Sequence[ListedModel]:
        listed = [_listed(name, self._catalogue.card(name)) for name, _ in self._catalogue.names()]
        with suppress(ModelNotFound):
            other = self._catalogue.card(ANY)
            words = other.description or "answers every name that is not listed"
            listed.append(replace(_listed(other.name, other), description=words))
        return listed

    def entry(self, name: str) -> ListedModel:
        return _listed(name, self._catalogue.card(name))


def _listed(name: str, card: ModelCard) -> ListedModel:
    return ListedModel(
        name=name,
        description=card.description or card.name,
        context_tokens=card.context_tokens,
        output_tokens=card.output_tokens,
        inputs=tuple(sorted(card.inputs)),
        outputs=tuple(sorted(card.outputs)),
        tools=card.tools,
        schemas=card.schemas,
        thinks=card.thinks,
    )
