"""The composition root: the only file that knows every room, and puts the parts together."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import ASGIApp

from turnwise.data import alone, open_store, sealing_key
from turnwise.domain.errors import ModelNotFound
from turnwise.domain.interaction import GenerationConfig
from turnwise.engine.interactions import Interactions
from turnwise.engine.run import helped
from turnwise.engine.thoughts import Sealer
from turnwise.http.contracts import ModelEntry as ListedModel
from turnwise.http.contracts import Services
from turnwise.http.routes import build_routes
from turnwise.ids import new_id
from turnwise.models.catalogue import ANY, Catalogue, ModelEntry
from turnwise.models.manner import Manner
from turnwise.models.model import ModelCard
from turnwise.models.sources import fetch, parse_source
from turnwise.settings import ModelSettings, Settings, SettingsError
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
    interactions = Interactions(
        store,
        catalogue,
        clock=clock,
        new_id=new_id,
        sealer=Sealer(sealing_key(settings)),
        idle=settings.keep_alive_seconds,
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
            log.warning("cut short when the last process ended, and failed now: %d interaction(s)", left)
        await catalogue.start()
        yield App(build_routes(services), interactions, catalogue, store)
    finally:
        await interactions.close()
        await catalogue.close()
        await store.close()


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
        base_url=model.base_url,
        model=model.model,
        api_key=model.key,
        context_tokens=model.context_tokens,
        can={name: value for name, value in can.items() if value is not None},
        options={name: value for name, value in options.items() if value is not None},
        manner=_manner(model),
        fallback=tuple(model.fallback),
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
        tools=card.tools,
        schemas=card.schemas,
        thinks=card.thinks,
    )
