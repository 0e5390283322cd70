"""Names to models, as the settings list them, and the life of the engines behind them.

    catalogue = Catalogue({"*": ModelEntry("embedded")}, models_dir)
    await catalogue.start()
    model = catalogue.find("any-name")

An engine is imported when an entry chooses it, not before. Entries that ask for the same thing share one engine: two
names for the default model load it once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from turnwise.domain.errors import ModelNotFound
from turnwise.models.model import Model, ModelCard

ANY = "*"
"""The name of the entry that answers every name that is not listed."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of the settings. What an engine does not use it refuses, so that no setting is dropped in silence."""

    engine: str
    """A key of ENGINES."""
    source: str | None = None
    """Embedded: `builtin` (also when None) or the path of a .gguf file."""
    base_url: str | None = None
    """OpenAI-compatible: up to and with `/v1`."""
    model: str | None = None
    """OpenAI-compatible: the upstream's name for it. None: the name that it is asked for by."""
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int | None = None
    """OpenAI-compatible: what the model holds, if known. Embedded: what each conversation may hold."""
    can: Mapping[str, bool] = field(default_factory=dict, hash=False)
    """OpenAI-compatible: what the model can do by itself, where that is not `tools` and `schemas` but not `thinks`."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What only this kind of engine has: the fields of `EngineOptions`, or of `Limits`."""


class Engine(Model, Protocol):
    """A model with a life of its own."""

    async def start(self) -> None:
        """Begin to be ready, without waiting until it is."""

    async def close(self) -> None:
        """End, and leave nothing behind."""


Build: TypeAlias = Callable[[str, ModelEntry, Path], Engine]
"""Makes the engine of an entry: its name in the catalogue, the entry, the models directory."""


def build_embedded(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """llama.cpp in a child process, with the default model or a .gguf file."""
    _refuse(name, entry, "base_url", "model", "api_key", "can")
    from turnwise.models.embedded import EmbeddedModel
    from turnwise.models.embedded_child import EngineOptions
    from turnwise.models.profile import ON_LLAMA
    from turnwise.models.smollm2 import SMOLLM2
    from turnwise.models.weights import BUILTIN, fetch

    context = {} if entry.context_tokens is None else {"context": entry.context_tokens}
    options = _fields(name, EngineOptions, {**entry.options, **context})
    source = entry.source or "builtin"
    if source == "builtin":
        return EmbeddedModel(lambda: fetch(BUILTIN, models_dir), options, name="SmolLM2-135M-Instruct", profile=SMOLLM2)
    path = _gguf(name, source)

    async def weights() -> Path:
        return path

    return EmbeddedModel(weights, options, name=path.stem, profile=ON_LLAMA)


def build_openai(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """Any server that speaks chat completions."""
    _refuse(name, entry, "source")
    from turnwise.models.openai import Limits, OpenAIModel

    if not entry.base_url:
        raise ValueError(f'models.{name}: engine "openai" needs a base_url, such as http://127.0.0.1:8000/v1')
    model = entry.model or name
    return OpenAIModel(
        ModelCard(
            model,
            context_tokens=entry.context_tokens,
            tools=entry.can.get("tools", True),
            schemas=entry.can.get("schemas", True),
            thinks=entry.can.get("thinks", False),
        ),
        entry.base_url,
        model,
        entry.api_key,
        limits=_fields(name, Limits, entry.options),
    )


ENGINES: dict[str, Build] = {"embedded": build_embedded, "openai": build_openai}
"""The kinds of engines there are. A plug-in adds its own."""


class Catalogue:
    """The models of one server."""

    def __init__(
        self, entries: Mapping[str, ModelEntry], models_dir: Path, *, engines: Mapping[str, Build] = ENGINES
    ) -> None:
        """
        Raises:
            ValueError: an entry that cannot be; the message begins with where it stands in the settings.
        """
        self._entries = dict(entries)
        self._engines: list[tuple[ModelEntry, Engine]] = []
        self._models: dict[str, Engine] = {}
        for name, entry in self._entries.items():
            self._models[name] = self._engine_of(name, entry, models_dir, engines)

    async def start(self) -> None:
        """Let every engine begin to be ready. Returns at once: turns wait for their engine."""
        for _, engine in self._engines:
            await engine.start()

    async def close(self) -> None:
        """End every engine."""
        for _, engine in self._engines:
            await engine.close()

    def find(self, name: str) -> Model:
        """The model that answers to a name (see the contract)."""
        if name != ANY and name in self._models:
            return self._models[name]
        fallback = self._models.get(ANY)
        if fallback is None:
            known = ", ".join(repr(listed) for listed in self._models) or "none"
            raise ModelNotFound(f"there is no model {name!r}; this server has: {known}")
        # An upstream that no model was chosen for is asked for the very name that we were asked for.
        named = getattr(fallback, "named", None) if self._entries[ANY].model is None else None
        return named(name) if named else fallback

    def names(self) -> Sequence[tuple[str, Model]]:
        """Every listed name with its model, in the order of the settings; `"*"` is no name."""
        return [(name, model) for name, model in self._models.items() if name != ANY]

    def _engine_of(self, name: str, entry: ModelEntry, models_dir: Path, engines: Mapping[str, Build]) -> Engine:
        for other, engine in self._engines:
            if other == entry and not _depends_on_name(entry):
                return engine
        build = engines.get(entry.engine)
        if build is None:
            raise ValueError(f"models.{name}: there is no engine {entry.engine!r}; there are: {', '.join(engines)}")
        engine = build(name, entry, models_dir)
        self._engines.append((entry, engine))
        return engine


def _depends_on_name(entry: ModelEntry) -> bool:
    return entry.base_url is not None and entry.model is None


def _gguf(name: str, source: str) -> Path:
    path = Path(source).expanduser()
    if path.suffix != ".gguf":
        raise ValueError(f'models.{name}: source is {source!r}; it can be "builtin" or the path of a .gguf file')
    if not path.is_file():
        raise ValueError(f"models.{name}: there is no file {source!r}")
    return path.resolve()


def _refuse(name: str, entry: ModelEntry, *fields: str) -> None:
    for unused in fields:
        if getattr(entry, unused):
            raise ValueError(f"models.{name}: engine {entry.engine!r} has no {unused}")


def _fields(name: str, kind: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    try:
        return kind(**options)
    except TypeError as error:
        raise ValueError(f"models.{name}: {error}") from error
