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
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from turnwise.domain.errors import ModelNotFound, Unimplemented
from turnwise.domain.formats import Modality
from turnwise.models.cooldown import Cooldown
from turnwise.models.engines import ENGINES, PAINTING, Build, Engine, ModelEntry, build_voice, refuse, takes
from turnwise.models.fallback import Fallback, Member
from turnwise.models.instead import Easel, draw, speak
from turnwise.models.known import ANSWERS_IN, SPEAKERS
from turnwise.models.manner import Help, InManner, Manner, no_help
from turnwise.models.model import Fragment, Model, ModelCard, Prompt

ANY = "*"
"""The name of the entry that answers every name that is not listed."""

WORDS: tuple[Modality, ...] = ("text",)
SOUND: tuple[Modality, ...] = ("audio",)

INSTEAD = ("image", "audio")
"""What others may be set to make in the place of who only writes: a setting each, and a modality."""

LINGERING = 0.5
"""How often, in seconds, to look whether the last turn of an engine that is to go has ended."""

KNOWN = 256
"""For how many names it is remembered who answers to them."""

SHORT = 128
"""How many letters those names have at the most: a client may make up any."""

LOOKS = 120
"""How many looks there are between two thorough ones."""


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
    turns: "weakref.WeakSet[_Lent | AsyncGenerator[Fragment, None]]" = field(default_factory=weakref.WeakSet)
    """Turns, as the models that they have, and the answers that are being given."""
    leaving: asyncio.Task[None] | None = None
    """Waits for the last turn, where no entry wants the engine any more."""


class _Lent:
    """A model, as one turn has it."""

    __slots__ = ("__weakref__", "_engines", "_model")

    def __init__(self, model: Model, engines: Sequence[_Kept]) -> None:
        self._model = model
        self._engines = engines
        for kept in engines:
            kept.turns.add(self)

    @property
    def card(self) -> ModelCard:
        return self._model.card

    def stream(self, prompt: Prompt) -> AsyncGenerator[Fragment, None]:
        """Answer a prompt (see the contract). An answer needs its engine for as long as it is there itself."""
        answer = self._model.stream(prompt)
        for kept in self._engines:
            kept.turns.add(answer)
        return answer


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that is listed."""

    entry: ModelEntry
    kept: _Kept
    line: tuple[str, ...]
    """Who is asked, in order: the name itself comes first."""
    cooldown: Cooldown
    """Its rest, when it could not answer and another can. It lasts for as long as the entry is what it was."""


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
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`help` gives a model what a prompt asks for and it cannot do by itself. `clock` tells seconds, from any
        beginning.

        Raises:
            ValueError: an entry that cannot be; the message begins with where it stands in the settings.
        """
        self._models_dir = models_dir
        self._builders = engines
        self._help = help
        self._clock = clock
        self._voice: _Kept | None = None
        self._names: dict[str, _Name] = {}
        self._models: dict[tuple[str, str], Model] = {}
        """Who answers to a name, by its entry and itself, until the entries change."""
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
            self._models.clear()
        finally:
            self._let_go_of_the_unwanted()

    async def close(self) -> None:
        """End every engine."""
        for kept in self._engines:
            self._keep(kept)
        if self._leaving:
            await asyncio.wait(self._leaving)
        for kept in [*self._engines, *filter(None, [self._voice])]:
            await kept.engine.close()

    def find(self, name: str, modalities: Collection[Modality] = ()) -> Model:
        """The model that answers to a name, in these modalities (see the contract)."""
        listed = self._listed(name)
        if not modalities and listed == ANY and name in ANSWERS_IN:
            modalities = (ANSWERS_IN[name],)
        return _Lent(*self._answering_in(listed, name, modalities))

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

    def _answering_in(self, listed: str, name: str, modalities: Collection[Modality]) -> tuple[Model, list[_Kept]]:
        """The model that answers to a name in these modalities, and the engines that it needs.

        Who is asked for words and media may give media alone. Who is asked for words alone gives words.
        """
        entry = self._names[listed].entry
        engines = [self._names[member].kept for member in self._names[listed].line]
        model = self._answering(listed, name)
        can = model.card.outputs
        media = [modality for modality in modalities if modality != "text"]
        if can.issuperset(media or modalities):
            return model, engines
        if len(media) != 1 or "text" not in can:
            asked, given = " and ".join(modalities), " and ".join(sorted(can))
            raise Unimplemented(f"response_modalities: the model '{name}' answers with {given}, not with {asked}")
        instead = entry.image if media == ["image"] else entry.audio
        if instead is not None and (media == ["image"] or "text" in self.card(instead).outputs):
            return self._answering_in(instead, instead, media)
        writer = model if isinstance(model, InManner | Fallback) else InManner(name, model, Manner(), self._help)
        if media == ["image"]:
            return draw(name, writer, lays_out=_lays_out(entry)), engines
        voice, more = self._speaking(instead)
        if listed == ANY and name in SPEAKERS:
            return voice, more
        return speak(name, writer, voice, modalities), [*engines, *more]

    def _speaking(self, name: str | None) -> tuple[Model, list[_Kept]]:
        """Who speaks what others write, and the engines that it needs. None: nobody is set to."""
        if name is not None:
            return self._answering_in(name, name, SOUND)
        voice = self._default_voice()
        return voice.engine, [voice]

    def _drawing(self, name: str, writer: str) -> Model:
        """Pictures with the help of another entry, as it is now."""
        model = InManner(writer, self.find(writer, WORDS), Manner(), self._help)
        return draw(name, model, lays_out=_lays_out(self._names[self._listed(writer)].entry))

    def _default_voice(self) -> _Kept:
        """Who speaks where nobody is set to. It is made when it is first needed."""
        if self._voice is None:
            entry = ModelEntry("espeak")
            self._voice = _Kept(_Wanted(entry, None), build_voice("espeak", entry, self._models_dir))
        return self._voice

    def _answering(self, listed: str, name: str) -> Model:
        """The model of an entry, as it answers to a name: one for all turns."""
        model = self._models.get((listed, name))
        if model is None:
            model = self._put_together(listed, name)
            if len(self._models) >= KNOWN:
                self._models.clear()
            if len(name) <= SHORT:
                self._models[listed, name] = model
        return model

    def _put_together(self, listed: str, name: str) -> Model:
        """The model of an entry, with its manner and with those that are asked in its place."""
        line = self._names[listed].line
        if len(line) == 1 and _is_plain(self._names[listed].entry):
            return self._engine(listed, name)
        models = [
            InManner(member, self._engine(member, name), _manner(self._names[member].entry), self._help)
            for member in line
        ]
        if len(models) == 1:
            return models[0]
        return Fallback([Member(model, self._names[model.name].cooldown) for model in models])

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
            _check_others(name, entry, entries)
            line = _line(name, entries)
            wanted = _Wanted(_asked_of_engine(entry), name if _depends_on_name(entry) else None)
            kept = next((kept for kept in [*engines, *self._engines] if kept.wanted == wanted), None)
            if kept is None:
                kept = _Kept(wanted, self._build(name, wanted.entry))
            if kept not in engines:
                engines.append(kept)
            names[name] = _Name(entry, kept, line, self._cooldown(name, entry, kept))
        for name in names:
            _check_can(name, names)
        return names, engines

    def _cooldown(self, name: str, entry: ModelEntry, kept: _Kept) -> Cooldown:
        """The rest that an entry has, if it is what it was; else a new one."""
        before = self._names.get(name)
        if before is not None and before.kept is kept and _is_unchanged(entry, before.entry):
            return before.cooldown
        return Cooldown(self._clock)

    def _build(self, name: str, entry: ModelEntry) -> Engine:
        if entry.engine == PAINTING:
            refuse(name, entry, "source", "base_url", "api_key", "sha256", "mmproj", "context_tokens")
            refuse(name, entry, "outputs", "can", "continues", "options")
            return Easel(name, lambda: self._drawing(name, entry.model or ANY))
        build = self._builders.get(entry.engine)
        if build is None:
            known = ", ".join([*self._builders, PAINTING])
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


def _is_unchanged(entry: ModelEntry, before: ModelEntry) -> bool:
    """Whether an entry says all that it said before, beside what its engine is told too."""
    return all(getattr(entry, each.name) == getattr(before, each.name) for each in fields(entry))


def _lays_out(entry: ModelEntry) -> bool:
    """Whether it can be asked to lay out a picture. The default model cannot."""
    return entry.engine != "embedded" or (entry.source or "builtin") != "builtin"


def _is_plain(entry: ModelEntry) -> bool:
    return _manner(entry) == Manner()


def _depends_on_name(entry: ModelEntry) -> bool:
    """Whether it is an upstream that is asked for the name in the settings."""
    return entry.engine not in ("embedded", "espeak") and entry.source is None and entry.model is None


def _check_inputs(name: str, entry: ModelEntry) -> None:
    """Refuse to promise what cannot be kept."""
    if entry.manner.inputs is None:
        return
    media = sorted(entry.manner.inputs - takes(entry))
    if media:
        raise ValueError(f"models.{name}: inputs: engine {entry.engine!r} cannot show {media[0]} to a model")


def _check_can(name: str, names: Mapping[str, _Name]) -> None:
    """Refuse names of others who could not do what they are named for."""
    entry = names[name].entry
    if entry.engine == PAINTING and "text" not in _outputs(entry.model or ANY, names):
        raise ValueError(f"models.{name}: model: {entry.model or ANY!r} does not write; name one that does")
    for setting in INSTEAD:
        line = [name]
        while (other := getattr(names[line[-1]].entry, setting)) is not None:
            if "text" not in _outputs(line[-1], names):
                raise ValueError(f"models.{line[-1]}: {setting}: it does not write, and nobody does this in its place")
            if other in line:
                raise ValueError(f"models.{name}: its {setting} goes in a circle: {', '.join((*line, other))}")
            if not _outputs(other, names) & {setting, "text"}:
                can = " and ".join(sorted(_outputs(other, names)))
                raise ValueError(f"models.{line[-1]}: {setting}: {other!r} answers with {can}")
            line.append(other)


def _outputs(name: str, names: Mapping[str, _Name]) -> frozenset[str]:
    """What a name answers in by itself."""
    return names[name].kept.engine.card.outputs


def _check_others(name: str, entry: ModelEntry, entries: Mapping[str, ModelEntry]) -> None:
    """Refuse names of others who are not there."""
    wanted = {"image": entry.image, "audio": entry.audio}
    if entry.engine == PAINTING:
        wanted["model"] = entry.model or ANY
    for setting, other in wanted.items():
        if other is None:
            continue
        if other not in entries:
            known = ", ".join(repr(listed) for listed in entries)
            raise ValueError(f"models.{name}: {setting}: {other!r} is not listed; listed are: {known}")
        if setting == "model" and entries[other].engine == PAINTING:
            raise ValueError(f"models.{name}: model: {other!r} paints itself; name one that writes")
