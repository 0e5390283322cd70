"""The kinds of engines, and how an entry of the settings becomes one. Each is imported when an entry chooses it."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from turnwise.models.manner import Manner
from turnwise.models.model import Model, ModelCard

if TYPE_CHECKING:
    from turnwise.models.completions import Continues
    from turnwise.models.embedded import Spawn


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
    """What the model can do by itself (`tools`, `schemas`, `thinks`, `continues`), where that is not what the engine
    thinks."""
    continues: "Continues | None" = None
    """OpenAI-compatible: how it is told to go on with an answer that was begun. None: it cannot."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What only this kind of engine has: the fields of `EngineOptions`, or of `Limits`."""
    sha256: str | None = None
    """Embedded: what the file must have."""
    mmproj: str | None = None
    """Embedded: eyes or ears, another file; see `sources.py`."""
    outputs: frozenset[str] | None = None
    """An upstream: what it answers in, if not in text."""
    manner: Manner = field(default_factory=Manner, compare=False)
    """How the name speaks, whichever engine it has."""
    fallback: Sequence[str] = field(default=(), compare=False)
    """Names that are asked in its place, in order."""
    image: str | None = field(default=None, compare=False)
    """The name that makes images in its place."""
    audio: str | None = field(default=None, compare=False)
    """The name that speaks in its place."""


class Engine(Model, Protocol):
    """A model with a life of its own."""

    async def start(self) -> None:
        """Begin to be ready, without waiting until it is."""

    async def close(self) -> None:
        """End, and leave nothing behind."""


SETTINGS: Mapping[str, str] = {"connect": "connect_seconds", "idle": "idle_seconds", "total": "total_seconds"}
"""What options are called in the settings that have another name there."""

A_DAY = 86_400.0
"""How long an answer of an embedded model may take, in seconds, where its name has no limit of its own."""

Build: TypeAlias = Callable[[str, ModelEntry, Path], Engine]
"""Makes the engine of an entry: its name in the catalogue, the entry, the models directory."""


def build_embedded(name: str, entry: ModelEntry, models_dir: Path, spawn: "Spawn | None" = None) -> Engine:
    """llama.cpp in a child process, with the default model or another .gguf file. `spawn`: where the child comes from,
    if not from this process."""
    refuse(name, entry, "base_url", "model", "api_key", "outputs", "continues")
    from turnwise.models.embedded import EmbeddedModel
    from turnwise.models.embedded_child import EngineOptions
    from turnwise.models.openai import Limits
    from turnwise.models.profile import ON_LLAMA
    from turnwise.models.sources import fetch, parse_projector, parse_source
    from turnwise.models.weights import Weights

    context = {} if entry.context_tokens is None else {"context": entry.context_tokens}
    options = _fields(name, entry, EngineOptions, **context)
    try:
        source = parse_source(entry.source or "builtin", entry.sha256)
        projector = None if entry.mmproj is None else parse_projector(entry.mmproj)
    except ValueError as error:
        raise ValueError(f"models.{name}: {error}") from error
    called, profile = source.name, ON_LLAMA
    if isinstance(source, Weights):
        if projector is not None:
            raise ValueError(f"models.{name}: mmproj: the default model can be given no eyes; set a source too")
        from turnwise.models.smollm2 import SMOLLM2

        called, profile = "SmolLM2-135M-Instruct", SMOLLM2
    return EmbeddedModel(
        lambda: fetch(source, models_dir),
        options,
        name=called,
        profile=profile,
        limits=Limits(total=A_DAY),
        projector=None if projector is None else lambda: fetch(projector, models_dir),
        spawn=spawn,
    )


def build_openai(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """Any server that speaks chat completions; or, by what it answers in, OpenAI's APIs of images or of speech."""
    refuse(name, entry, "source", "sha256", "mmproj")
    from turnwise.models.openai import Limits, OpenAIModel

    if not entry.base_url:
        raise ValueError(f'models.{name}: engine "openai" needs a base_url, such as http://127.0.0.1:8000/v1')
    _check_address(name, entry)
    _check_outputs(name, entry, {"text"}, {"text", "audio"}, {"image"}, {"audio"})
    if entry.outputs in (frozenset({"image"}), frozenset({"audio"})):
        refuse(name, entry, "can", "continues", "context_tokens")
    _check_continues(name, entry)
    model = entry.model or name
    limits = _fields(name, entry, Limits)
    if entry.outputs == frozenset({"image"}):
        from turnwise.models.images.openai import OpenAIImages

        card = ModelCard(model, inputs=frozenset({"text", "image"}), outputs=entry.outputs)
        return OpenAIImages(card, entry.base_url, model, entry.api_key, limits=limits)
    if entry.outputs == frozenset({"audio"}):
        from turnwise.models.speech.openai import OpenAISpeech

        return OpenAISpeech(model, entry.base_url, entry.api_key, limits=limits)
    card = ModelCard(
        model,
        context_tokens=entry.context_tokens,
        outputs=entry.outputs or frozenset({"text"}),
        tools=entry.can.get("tools", True),
        schemas=entry.can.get("schemas", True),
        thinks=entry.can.get("thinks", False),
        continues=entry.continues is not None,
    )
    return OpenAIModel(
        card, entry.base_url, model, entry.api_key, limits=limits, continues=entry.continues or "prefill"
    )


def build_gemini(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """Gemini: a vendor like the others, and by what it answers in its own images and voices."""
    if not (entry.outputs or frozenset()) & {"image", "audio"}:
        return build_vendor(name, replace(entry, outputs=None), models_dir)
    refuse(name, entry, "source", "sha256", "mmproj", "can", "continues", "context_tokens")
    _check_outputs(name, entry, {"image"}, {"text", "image"}, {"audio"})
    if entry.base_url:
        _check_address(name, entry)
    from turnwise.models.openai import Limits

    model, limits = entry.model or name, _fields(name, entry, Limits)
    if entry.outputs == frozenset({"audio"}):
        from turnwise.models.speech.gemini import GeminiSpeech

        return GeminiSpeech(model, entry.api_key, base_url=entry.base_url, limits=limits)
    from turnwise.models.images.gemini import GeminiImages

    outputs = entry.outputs or frozenset({"image"})
    card = ModelCard(model, inputs=frozenset({"text", "image"}), outputs=outputs)
    return GeminiImages(card, model, entry.api_key, base_url=entry.base_url, limits=limits)


def build_diffusers(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """Pictures by weights of the user's own, in a child process."""
    refuse(
        name, entry, "base_url", "model", "api_key", "sha256", "mmproj", "context_tokens", "outputs", "can", "continues"
    )
    from turnwise.models.images.diffusers import DiffusersModel
    from turnwise.models.openai import Limits

    card = ModelCard(name, inputs=frozenset({"text", "image"}), outputs=frozenset({"image"}))
    try:
        return DiffusersModel(card, _path(name, entry), limits=_fields(name, entry, Limits))
    except ValueError as error:
        raise ValueError(f"models.{name}: {error}") from error


def build_voice(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """A voice on this machine."""
    refuse(
        name, entry, "base_url", "model", "api_key", "sha256", "mmproj", "context_tokens", "outputs", "can", "continues"
    )
    refuse(name, entry, "options")
    from turnwise.models.speech.speech import SpeechModel

    match entry.engine:
        case "espeak":
            refuse(name, entry, "source")
            from turnwise.models.speech.espeak import EspeakSpeaker

            return SpeechModel(name, EspeakSpeaker())
        case "kokoro":
            from turnwise.models.speech.kokoro import KokoroSpeaker as Speaker
        case _:
            from turnwise.models.speech.piper import PiperSpeaker as Speaker  # type: ignore[assignment]
    try:
        return SpeechModel(name, Speaker(_path(name, entry)))
    except ValueError as error:
        raise ValueError(f"models.{name}: {error}") from error


PAINTING = "drawing"
"""The engine of entries that paint with another entry's help: the catalogue builds it, which knows the other one."""

VENDORS = ("anthropic", "gemini", "mistral", "groq", "bedrock", "openrouter", "huggingface")
"""The engines of `vendors`, which is imported when an entry chooses one."""


def build_vendor(name: str, entry: ModelEntry, models_dir: Path) -> Engine:
    """One of those who do not speak chat completions, or in their own way."""
    refuse(name, entry, "source", "sha256", "mmproj", "outputs", "continues")
    if entry.base_url:
        _check_address(name, entry)
    build: Build = importlib.import_module("turnwise.models.vendors").VENDORS[entry.engine]
    return build(name, entry, models_dir)


ENGINES: dict[str, Build] = {
    "embedded": build_embedded,
    "openai": build_openai,
    **dict.fromkeys(VENDORS, build_vendor),
    "gemini": build_gemini,
    "diffusers": build_diffusers,
    **dict.fromkeys(("espeak", "kokoro", "piper"), build_voice),
}
"""The kinds of engines there are. A plug-in adds its own."""


def takes(entry: ModelEntry) -> frozenset[str]:
    """What an engine can show to its models, if they have eyes or ears for it."""
    if entry.engine == "embedded":
        return frozenset({"text", "image", "audio"} if entry.mmproj else {"text"})
    if entry.engine in VENDORS:
        return frozenset({"text", *importlib.import_module("turnwise.models.vendors.sight").SIGHTS[entry.engine].takes})
    return frozenset({"text", "image", "audio", "video", "document"} if entry.engine == "openai" else {"text", "image"})


def _check_outputs(name: str, entry: ModelEntry, *known: set[str]) -> None:
    """Refuse outputs that no model of this engine can have together."""
    if entry.outputs and entry.outputs not in known:
        ways = ", ".join(f"[{', '.join(sorted(each, reverse=True))}]" for each in known)
        raise ValueError(f"models.{name}: outputs: engine {entry.engine!r} answers with one of {ways}")


def _check_continues(name: str, entry: ModelEntry) -> None:
    """Refuse to have an upstream go on with its answers where it cannot, or nobody said how."""
    if entry.can.get("continues"):
        raise ValueError(f'models.{name}: continues: say how: "prefill", "continue_final_message" or "prefix"')
    if entry.continues and "audio" in (entry.outputs or ()):
        raise ValueError(f"models.{name}: continues: an answer with sound cannot be gone on with")


def _path(name: str, entry: ModelEntry) -> Path:
    """Where weights are that the user looks after."""
    if not entry.source:
        raise ValueError(f"models.{name}: engine {entry.engine!r} needs a source: the path of its weights")
    return Path(entry.source).expanduser()


def refuse(name: str, entry: ModelEntry, *unused: str) -> None:
    """Refuse an entry that sets what its engine has no use for.

    Raises:
        ValueError: the message names the setting.
    """
    for each in unused:
        said = getattr(entry, each)
        if said:
            setting = next(iter(said)) if isinstance(said, Mapping) else each
            raise ValueError(f"models.{name}: engine {entry.engine!r} has no {SETTINGS.get(setting, setting)}")


def _fields(name: str, entry: ModelEntry, kind: Any, **more: Any) -> Any:
    """The options of an entry as what its engine reads them from."""
    known = {each.name for each in fields(kind)}
    for option in entry.options:
        if option not in known:
            raise ValueError(f"models.{name}: engine {entry.engine!r} has no {SETTINGS.get(option, option)}")
    return kind(**entry.options, **more)


def _check_address(name: str, entry: ModelEntry) -> None:
    """Refuse a base_url that nobody could be reached at."""
    try:
        url = urlsplit(entry.base_url or "")
        is_good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError(
            f"models.{name}: base_url is {entry.base_url!r}; it must be an address such as http://127.0.0.1:8000/v1"
        )
