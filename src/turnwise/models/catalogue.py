"""Names to models, as the settings list them, and the life of the engines behind them.

    catalogue = Catalogue({"*": ModelEntry("embedded")}, models_dir)
    await catalogue.start()
    model = catalogue.find("any-name")
    await catalogue.change({"*": ModelEntry("openai", base_url="http://127.0.0.1:8000/v1")})

An engine is imported when an entry chooses it, not before. Entries that ask for the same thing share one engine: two
names for the default model load it once. How a name speaks beside that is in `manner.py`, and who is asked in whose
place in `fallback.py`.

Entries may change while turns go on. What `find` gives belongs to one turn, which goes on with it; an engine that no
entry wants any more is closed when the last such thing is gone. A turn need not say that it has ended: nobody holds its
model any more, and that is seen.
"""

import asyncio
import gc
import importlib
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from turnwise.domain.errors import ModelNotFound
from turnwise.models.fallback import Fallback
from turnwise.models.manner import Help, InManner, Manner, no_help
from turnwise.models.model import Fragment, Model, ModelCard, Prompt

ANY = "*"
"""The name of the entry that answers every name that is not listed."""

SHOWN = frozenset({"text"})
"""What `messages.py` can show to a model."""

A_DAY = 86_400.0
"""How long an answer of an embedded model may take, in seconds, where its name has no limit of its own."""

LINGERING = 0.5
"""How often, in seconds, to look whether the last turn of an engine that is to go has ended."""

LOOKS = 120
"""How many looks there are between two thorough ones."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of the settings. Entries that are equal want the same engine. What an engine does not use it refuses,
    so that no setting is dropped in silence."""

    engine: str
    """A key of ENGINES."""
    source: str | None = None
    """Embedded: see `sources.py`. None: `builtin`."""
    base_url: str | None = None
    """OpenAI-compatible: up to and with `/v1`."""
    model: str | None = None
    """An upstream's name for it. None: the name that it is asked for by."""
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int | None = None
    """An upstream: what the model holds, if known. Embedded: what each conversation may hold."""
    can: Mapping[str, bool] = field(default_factory=dict, hash=False)
    """What the model can do by itself (`tools`, `schemas`, `thinks`), where that is not what the engine thinks."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What only this kind of engine has: the fields of `EngineOptions`, or of `Limits`."""
    sha256: str | None = None
    """Embedded: what the file must have."""
    manner: Manner = field(default_factory=Manner, compare=False)
    """How the name speaks, whichever engine it has."""
    fallback: Sequence[str] = field(default=(), compare=False)
    """Names that are asked in its place, in order."""


class Engine(Model, Protocol):
    """A model with a life of its own."""

    async def start(self) -> None:
        """Begin to be ready, without waiting until it is."""

    async def close(self) -> None:
        """End, and leave nothing behind."""


Build: TypeAlias = Callable[[str, ModelEntry, Path], Engine]
"""Makes the engine of an entry: its name in the catalogue, the entry, the models directory."""


def build_embedded(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """llama.cpp in a child process, with the default model or another .gguf file."""
    _refuse(name, entry, "base_url", "model", "api_key")
    from turnwise.models.embedded import EmbeddedModel
    from turnwise.models.embedded_child import EngineOptions
    from turnwise.models.openai import Limits
    from turnwise.models.profile import ON_LLAMA
    from turnwise.models.sources import fetch, parse_source
    from turnwise.models.weights import Weights

    context = {} if entry.context_tokens is None else {"context": entry.context_tokens}
    options = _fields(name, EngineOptions, {**entry.options, **context})
    try:
        source = parse_source(entry.source or "builtin", entry.sha256)
    except ValueError as error:
        raise ValueError(f"models.{name}: {error}") from error
    called, profile = source.name, ON_LLAMA
    if isinstance(source, Weights):
        from turnwise.models.smollm2 import SMOLLM2

        called, profile = "SmolLM2-135M-Instruct", SMOLLM2
    return EmbeddedModel(
        lambda: fetch(source, models_dir), options, name=called, profile=profile, limits=Limits(total=A_DAY)
    )


def build_openai(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """Any server that speaks chat completions."""
    _refuse(name, entry, "source", "sha256")
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


VENDORS = ("anthropic", "gemini", "mistral", "groq", "bedrock", "openrouter", "huggingface")
"""The engines of `vendors`, which is imported when an entry chooses one."""


def build_vendor(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """One of those who do not speak chat completions, or in their own way."""
    _refuse(name, entry, "source", "sha256")
    build: Build = importlib.import_module("turnwise.models.vendors").VENDORS[entry.engine]
    return build(name, entry, models_dir)


ENGINES: dict[str, Build] = {
    "embedded": build_embedded,
    "openai": build_openai,
    **dict.fromkeys(VENDORS, build_vendor),
}
"""The kinds of engines there are. A plug-in adds its own."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What an engine is made for. Two names that want the same have one engine."""

    entry: ModelEntry
    name: str | None
    """Where the name is what an upstream is asked for."""


@dataclass(slots=True, eq=False)
class _Kept:
    """An engine, and who has it."""

    wanted: _Wanted
    engine: Engine
    turns: "weakref.WeakSet[_Lent]" = field(default_factory=weakref.WeakSet)
    leaving: asyncio.Task[None] | None = None
    """Waits for the last turn, where no entry wants the engine any more."""


class _Lent:
    """A model, as one turn has it."""

    __slots__ = ("__weakref__", "_model")

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def card(self) -> ModelCard:
        return self._model.card

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract)."""
        async with aclosing(self._model.stream(prompt)) as fragments:
            async for fragment in fragments:
                yield fragment


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that is listed."""

    entry: ModelEntry
    kept: _Kept
    line: tuple[str, ...]
    """Who is asked, in order: the name itself comes first."""


async def _at_once() -> None:
    """Nothing to wait for."""


class Catalogue:
    """The models of one server."""

    def __init__(
        self,
        entries: Mapping[str, ModelEntry],
        models_dir: Path,
        *,
        engines: Mapping[str, Build] = ENGINES,
        help: Help = no_help,
    ) -> None:
        """`help` gives a model what a prompt asks for and it cannot do by itself.

        Raises:
            ValueError: an entry that cannot be; the message begins with where it stands in the settings.
        """
        self._models_dir = models_dir
        self._builders = engines
        self._help = help
        self._engines: list[_Kept] = []
        """Those that are wanted, and those whose last turn goes on."""
        self._leaving: set[asyncio.Task[None]] = set()
        self._names, self._engines = self._plan(entries)

    async def start(self) -> None:
        """Let every engine begin to be ready. Returns at once: turns wait for their engine."""
        for kept in self._engines:
            await kept.engine.start()

    async def change(
        self, entries: Mapping[str, ModelEntry], *, ready: Callable[[], Awaitable[Any]] = _at_once
    ) -> None:
        """Answer by other entries from the next turn on. Engines that are still wanted stay as they are. `ready` is
        waited for between: what it raises leaves everything as it was.

        Raises:
            ValueError: an entry that cannot be, and nothing has changed.
        """
        names, engines = self._plan(entries)
        fresh = [kept for kept in engines if kept not in self._engines]
        for kept in engines:
            self._keep(kept)
        try:
            await ready()
            for kept in fresh:
                await kept.engine.start()
        except BaseException:
            for kept in fresh:
                await kept.engine.close()
            raise
        else:
            self._engines += fresh
            self._names = names
        finally:
            self._let_go_of_the_unwanted()

    async def close(self) -> None:
        """End every engine."""
        for kept in self._engines:
            self._keep(kept)
        if self._leaving:
            await asyncio.wait(self._leaving)
        for kept in self._engines:
            await kept.engine.close()

    def find(self, name: str) -> Model:
        """The model that answers to a name (see the contract)."""
        listed = self._listed(name)
        line = [self._names[member] for member in self._names[listed].line]
        lent = _Lent(self._answering(listed, name))
        for member in line:
            member.kept.turns.add(lent)
        return lent

    def names(self) -> Sequence[tuple[str, Model]]:
        """Every listed name with its model, in the order of the settings; `"*"` is no name."""
        return [(name, self.find(name)) for name in self._names if name != ANY]

    def card(self, name: str) -> ModelCard:
        """What the model that answers to a name can do without help.

        Raises:
            ModelNotFound: no entry, and no `"*"`.
        """
        model = self._answering(self._listed(name), name)
        return model.own_card if isinstance(model, InManner | Fallback) else model.card

    def _listed(self, name: str) -> str:
        """The entry that answers to a name."""
        if name in self._names:
            return name
        if ANY not in self._names:
            known = ", ".join(repr(listed) for listed in self._names) or "none"
            raise ModelNotFound(f"there is no model {name!r}; this server has: {known}")
        return ANY

    def _answering(self, listed: str, name: str) -> Model:
        """The model of an entry, as it answers to a name."""
        line = self._names[listed].line
        if len(line) == 1 and _is_plain(self._names[listed].entry):
            return self._engine(listed, name)
        models = [
            InManner(member, self._engine(member, name), _manner(self._names[member].entry), self._help)
            for member in line
        ]
        return Fallback(models) if len(models) > 1 else models[0]

    def _engine(self, listed: str, name: str) -> Model:
        engine = self._names[listed].kept.engine
        # An upstream that no model was chosen for is asked for the very name that we were asked for.
        named = getattr(engine, "named", None) if listed == ANY and self._names[ANY].entry.model is None else None
        return named(name) if named and name != ANY else engine

    def _plan(self, entries: Mapping[str, ModelEntry]) -> tuple[dict[str, _Name], list[_Kept]]:
        """The names of these entries, and the engines behind them: those that there are, and new ones that are not
        started."""
        names: dict[str, _Name] = {}
        engines: list[_Kept] = []
        for name, entry in entries.items():
            _check_inputs(name, entry)
            line = _line(name, entries)
            wanted = _Wanted(_asked_of_engine(entry), name if _depends_on_name(entry) else None)
            kept = next((kept for kept in [*engines, *self._engines] if kept.wanted == wanted), None)
            if kept is None:
                kept = _Kept(wanted, self._build(name, wanted.entry))
            if kept not in engines:
                engines.append(kept)
            names[name] = _Name(entry, kept, line)
        return names, engines

    def _build(self, name: str, entry: ModelEntry) -> Engine:
        build = self._builders.get(entry.engine)
        if build is None:
            known = ", ".join(self._builders)
            raise ValueError(f"models.{name}: there is no engine {entry.engine!r}; there are: {known}")
        return build(name, entry, self._models_dir)

    def _keep(self, kept: _Kept) -> None:
        """Do not let an engine go after all."""
        if kept.leaving is not None:
            kept.leaving.cancel()
            kept.leaving = None

    def _let_go_of_the_unwanted(self) -> None:
        wanted = [name.kept for name in self._names.values()]
        for kept in self._engines:
            if kept not in wanted and kept.leaving is None:
                kept.leaving = asyncio.create_task(self._let_go(kept), name="engine that is let go")
                self._leaving.add(kept.leaving)
                kept.leaving.add_done_callback(self._leaving.discard)

    async def _let_go(self, kept: _Kept) -> None:
        """Close an engine behind its last turn. From then on it is none of ours."""
        for look in count():
            if not look % LOOKS:
                gc.collect()  # a turn that failed is in a circle with its error, and would stay in it for long
            if not kept.turns:
                break
            await asyncio.sleep(LINGERING)
        self._engines.remove(kept)
        await kept.engine.close()


def _line(name: str, entries: Mapping[str, ModelEntry]) -> tuple[str, ...]:
    """Who is asked for a name: itself, then its fallbacks, each with its own."""
    line: list[str] = []

    def walk(member: str, above: tuple[str, ...]) -> None:
        if member in above:
            raise ValueError(f"models.{name}: its fallback goes in a circle: {', '.join((*above, member))}")
        if member not in line:
            line.append(member)
        for other in entries[member].fallback:
            if other not in entries:
                known = ", ".join(repr(listed) for listed in entries)
                raise ValueError(f"models.{member}: its fallback {other!r} is not listed; listed are: {known}")
            walk(other, (*above, member))

    walk(name, ())
    return tuple(line)


def _asked_of_engine(entry: ModelEntry) -> ModelEntry:
    """An entry without what is done for the engine, so that more names share it."""
    if entry.engine != "embedded":
        return entry
    options = {name: value for name, value in entry.options.items() if name != "total"}
    return replace(entry, source=entry.source or "builtin", can={}, options=options)


def _manner(entry: ModelEntry) -> Manner:
    """How a name speaks, with what its engine does not do by itself."""
    if entry.engine != "embedded":
        return entry.manner
    return replace(entry.manner, can=entry.can, total=entry.options.get("total"))


def _is_plain(entry: ModelEntry) -> bool:
    return _manner(entry) == Manner()


def _depends_on_name(entry: ModelEntry) -> bool:
    """Whether it is an upstream that is asked for the name in the settings."""
    return entry.engine != "embedded" and entry.source is None and entry.model is None


def _check_inputs(name: str, entry: ModelEntry) -> None:
    """Refuse to promise what cannot be kept."""
    media = sorted((entry.manner.inputs or frozenset()) - SHOWN)
    if media:
        raise ValueError(f"models.{name}: inputs: no {media[0]} can be shown to a model yet, only text")


def _refuse(name: str, entry: ModelEntry, *fields: str) -> None:
    for unused in fields:
        if getattr(entry, unused):
            raise ValueError(f"models.{name}: engine {entry.engine!r} has no {unused}")


def _fields(name: str, kind: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    try:
        return kind(**options)
    except TypeError as error:
        raise ValueError(f"models.{name}: {error}") from error
