"""The models of the settings: the catalogue, and how it is listed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from turnwise.domain.errors import ModelNotFound
from turnwise.domain.interaction import GenerationConfig
from turnwise.engine.helping import helped
from turnwise.http.contracts import ModelEntry as ListedModel
from turnwise.models.catalogue import ANY, Catalogue
from turnwise.models.engines import ENGINES, Build, ModelEntry, build_embedded
from turnwise.models.manner import Manner
from turnwise.models.model import ModelCard
from turnwise.models.sources import fetch, parse_source
from turnwise.settings import ModelSettings, Settings, SettingsError


def build_catalogue(settings: Settings, engines: str | None = None) -> Catalogue:
    """The models of the settings. None of them is started. `engines`: where embedded engines are lent, if this is one
    of several processes (`models/lending.py`).

    Raises:
        SettingsError: an entry cannot be.
    """
    try:
        return Catalogue(entries(settings), settings.weights_dir, engines=_engines(engines), help=helped)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _engines(lender: str | None) -> Mapping[str, Build]:
    """The kinds of engines, as they are started by this process, or borrowed."""
    if lender is None:
        return ENGINES
    from turnwise.models.lending import borrowing

    return {**ENGINES, "embedded": partial(build_embedded, spawn=borrowing(lender))}


async def fetch_weights(settings: Settings) -> list[Path]:
    """The weights that these settings need, each fetched if it is not there.

    Raises:
        ModelUnavailable: some are not there and cannot be had.
    """
    return [await fetch(parse_source(*weights), settings.weights_dir) for weights in settings.weights]


def entries(settings: Settings) -> Mapping[str, ModelEntry]:
    """The entries of the catalogue.

    Raises:
        ValueError: one of them cannot be.
    """
    return {name: _entry(name, model) for name, model in settings.models.items()}


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
    way = model.continues if isinstance(model.continues, str) else None
    continues = None if isinstance(model.continues, str) else model.continues
    can = {"tools": model.tools, "schemas": model.schemas, "thinks": model.thinks, "continues": continues}
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
        continues=way,
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
