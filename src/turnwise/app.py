"""The composition root: the only file that knows every room, and puts the parts together."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.types import ASGIApp

from turnwise.engine.interactions import Interactions
from turnwise.http.contracts import ModelEntry as ListedModel
from turnwise.http.contracts import Services
from turnwise.http.routes import build_routes
from turnwise.ids import new_id
from turnwise.models.catalogue import Catalogue, build_catalogue
from turnwise.models.model import Model
from turnwise.settings import Settings
from turnwise.store.sqlite import open_sqlite
from turnwise.store.store import Store

log = logging.getLogger("turnwise")


@dataclass(frozen=True, slots=True)
class App:
    """A server that is put together and running, but not listening."""

    asgi: ASGIApp
    interactions: Interactions
    catalogue: Catalogue
    store: Store


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Open the store, end what the last process left, start the models. All of it is closed behind."""
    store = await open_sqlite(settings.database_path)
    catalogue = build_catalogue(settings.models, settings.weights_dir)
    interactions = Interactions(
        store, catalogue, clock=clock, new_id=_new_interaction_id, idle=settings.keep_alive_seconds
    )
    services = Services(
        interactions=interactions,
        models=ListedModels(catalogue),
        keys=store,
        default_dialect=settings.default_dialect,
        max_body_bytes=settings.max_body_bytes,
    )
    try:
        left = await interactions.recover()
        if left:
            log.warning("%d interactions were cut short when the last process ended; they are failed now", left)
        await catalogue.start()
        yield App(build_routes(services), interactions, catalogue, store)
    finally:
        await interactions.close()
        await catalogue.close()
        await store.close()


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def _new_interaction_id() -> str:
    return new_id("int_")


class ListedModels:
    """The catalogue as `GET /models` shows it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def entries(self) -> Sequence[ListedModel]:
        return [_listed(name, model) for name, model in self._catalogue.names()]

    def entry(self, name: str) -> ListedModel:
        return _listed(name, self._catalogue.find(name))


def _listed(name: str, model: Model) -> ListedModel:
    card = model.card
    return ListedModel(
        name=name,
        description=card.description or card.name,
        context_tokens=card.context_tokens,
        output_tokens=card.output_tokens,
        inputs=tuple(sorted(card.inputs)),
    )
