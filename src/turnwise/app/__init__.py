"""The composition root: the only place that knows every room, and puts the parts together."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.types import ASGIApp

from turnwise.app.media import build_fetcher, build_readers, build_visits
from turnwise.app.models import ListedModels, build_catalogue, entries, fetch_weights
from turnwise.app.tools import build_embedder, build_toolbox
from turnwise.data import alone, empty_folder, open_blobs, open_store, sealing_key
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
from turnwise.store.store import Store

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


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
