"""The composition root: the only place that knows every room, and puts the parts together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias
from uuid import uuid4

from starlette.types import ASGIApp

from turnwise.agents.agent import Agents
from turnwise.app.agents import build_agents, build_saved_agents
from turnwise.app.media import build_fetcher, build_readers, build_visits
from turnwise.app.models import ListedModels, build_catalogue, entries, fetch_weights
from turnwise.app.tools import build_embedder, build_toolbox
from turnwise.app.webhooks import build_webhooks
from turnwise.data import load_sealing_key, open_blobs, open_store, require_shared, working_folder
from turnwise.engine.background import ALONE, Carrying
from turnwise.engine.file_search import FileSearch
from turnwise.engine.files import Files
from turnwise.engine.interactions import Interactions
from turnwise.engine.presenting import Presenter
from turnwise.engine.surroundings import Limits
from turnwise.engine.thoughts import Sealer
from turnwise.http.contracts import Services
from turnwise.http.routes import build_routes
from turnwise.ids import new_id
from turnwise.media.cache import Cache
from turnwise.models.catalogue import Catalogue
from turnwise.settings import Settings, SettingsError
from turnwise.sibling import Sibling
from turnwise.store.store import Lease, Store

log = logging.getLogger("turnwise")


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
            await self.catalogue.change(entries(settings), ready=lambda: fetch_weights(settings))
        except ValueError as error:
            raise SettingsError(str(error)) from error


Role: TypeAlias = Literal["serve", "api", "worker"]
"""What a process does: answer requests, carry background interactions, or both (`serve`)."""

LEFT = timedelta(minutes=15)
"""How long a file or a document is not done with until no other process can be at work on it any more."""

STARTING = 60.0
"""How long, in seconds, `api` and `worker` wait for the database and its tables."""


@asynccontextmanager
async def open_app(settings: Settings, role: Role = "serve", sibling: Sibling | None = None) -> AsyncIterator[App]:
    """Open the store, start the models, go on with what other processes left. All of it is closed behind. `sibling`:
    which of the processes of one server this is; what is to be done once `prepare` has done then.

    Raises:
        SettingsError: a model, or the place where everything is kept, cannot be as it is set.
    """
    if role != "serve":
        require_shared(settings, role)
    catalogue = build_catalogue(settings, None if sibling is None else sibling.engines)
    agents = build_agents(settings)
    with working_folder(settings, number=None if sibling is None else sibling.number) as scratch:
        store = await _open_store(settings, role, in_turns=sibling is not None)
        async with _running(settings, role, catalogue, agents, store, scratch, sibling) as app:
            yield app


async def prepare(settings: Settings, role: Role) -> bool:
    """Do what is to be done once, before several processes serve as one. Whether there are API keys.

    Raises:
        SettingsError: the place where everything is kept cannot be as it is set.
    """
    if role != "serve":
        require_shared(settings, role)
    store = await _open_store(settings, role)
    try:
        await load_sealing_key(settings, store)
        if not settings.is_shared:
            await store.abandon()  # nobody else has this store, and no child is there yet
        return bool(await store.keys())
    finally:
        await store.close()


async def _open_store(settings: Settings, role: Role, *, in_turns: bool = False) -> Store:
    serves = role == "serve"
    return await open_store(settings, migrate=serves, patience=0.0 if serves else STARTING, in_turns=in_turns)


@asynccontextmanager
async def _running(
    settings: Settings,
    role: Role,
    catalogue: Catalogue,
    agents: Agents,
    store: Store,
    scratch: Path,
    sibling: Sibling | None,
) -> AsyncIterator[App]:
    alone = sibling is None and not settings.is_shared
    async with AsyncExitStack() as closing:
        closing.push_async_callback(store.close)
        sealer = Sealer(await load_sealing_key(settings, store))
        blobs = await open_blobs(settings, shared=not alone)
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
        saved_agents = build_saved_agents(store, agents, clock=clock, sealer=sealer)
        webhooks = build_webhooks(settings, store, sealer)
        closing.push_async_callback(webhooks.close)
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
            limits=Limits(
                settings.tools.rounds, settings.tools.seconds, settings.tools.tokens, settings.background.tokens
            ),
            sealer=sealer,
            inline_bytes=settings.files.inline_bytes,
            idle=settings.keep_alive_seconds,
            agents=saved_agents,
            webhooks=webhooks,
            carrying=_carrying(settings, role, alone=alone),
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
            agents=saved_agents,
            webhooks=webhooks,
        )
        left = LEFT if settings.is_shared else timedelta(0)
        if sibling is None or (sibling.number == 1 and not sibling.replaces):
            await files.start(left=left)
            await file_search.start(left=left)
        else:
            await files.start(left=None)
        if sibling is not None and sibling.replaces:
            going_on = asyncio.create_task(_go_on_later(files, file_search), name="go on with what was left")
            closing.callback(going_on.cancel)
        await catalogue.start()
        await webhooks.start()
        await interactions.open(alone=alone)
        yield App(build_routes(services), interactions, catalogue, store)


async def _go_on_later(files: Files, file_search: FileSearch) -> None:
    """Go on with the files and the documents of a process that died, when none of those that live can be at work on
    them any more."""
    await asyncio.sleep(LEFT.total_seconds())
    try:
        await files.go_on(LEFT)
        await file_search.start(left=LEFT)
    except Exception:
        log.exception("files and documents that a process left could not be gone on with")


def _carrying(settings: Settings, role: Role, *, alone: bool) -> Carrying:
    """How this process carries runs, under a name that no other has."""
    background = settings.background
    return Carrying(
        Lease(uuid4().hex, ALONE if alone else background.lease_seconds),
        room=0 if role == "api" else background.concurrency,
        seconds=background.seconds,
    )


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
