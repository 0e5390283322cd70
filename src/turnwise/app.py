"""The composition root: the only file that knows every room, and puts the parts together."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from starlette.types import ASGIApp

from turnwise.domain.errors import ModelNotFound
from turnwise.engine.interactions import Interactions
from turnwise.http.contracts import ModelEntry as ListedModel
from turnwise.http.contracts import Services
from turnwise.http.routes import build_routes
from turnwise.ids import new_id
from turnwise.models.catalogue import ANY, Catalogue, ModelEntry
from turnwise.models.model import Model
from turnwise.settings import ModelSettings, Settings
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
    catalogue = Catalogue({name: _entry(model) for name, model in settings.models.items()}, settings.weights_dir)
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


def _entry(model: ModelSettings) -> ModelEntry:
    """A model of the settings as the catalogue wants it: what only some engines have is an option."""
    options = {
        "threads": model.threads,
        "slots": model.slots,
        "cache_mib": model.cache_mib,
        "connect": model.connect_seconds,
        "idle": model.idle_seconds,
        "total": model.total_seconds,
    }
    return ModelEntry(
        engine=model.engine,
        source=model.source,
        base_url=model.base_url,
        model=model.model,
        api_key=model.key,
        context_tokens=model.context_tokens,
        options={name: value for name, value in options.items() if value is not None},
    )


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
        listed = [_listed(name, model) for name, model in self._catalogue.names()]
        with suppress(ModelNotFound):
            other = self._catalogue.find(ANY)
            listed.append(replace(_listed(other.card.name, other), description="answers every name that is not listed"))
        return listed

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
