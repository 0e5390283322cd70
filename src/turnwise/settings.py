"""Settings: from `turnwise.toml`, from `TURNWISE_...` variables, and from the command line, in rising order.

A variable is named after its setting: `TURNWISE_DATA_DIR`, `TURNWISE_DEFAULT_DIALECT`; an inner one with two
underscores: `TURNWISE_MODELS__QWEN__API_KEY`.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

DEFAULT_FILE = "turnwise.toml"

POSTGRES = ("postgresql://", "postgres://")
"""How the address of a PostgreSQL database may begin."""

POSTGRES_FORM = "postgresql://USER:PASSWORD@HOST/NAME, with %XX for what is special in a password"


class SettingsError(Exception):
    """A setting is wrong: which one, and what to do."""


class ModelDefaults(BaseModel):
    """`[models.NAME.defaults]`: for requests that do not say. What a request says wins."""

    model_config = ConfigDict(extra="forbid")

    temperature: float | None = Field(default=None, ge=0, le=2)
    """How much chance there is in the choice of words."""
    top_p: float | None = Field(default=None, ge=0, le=1)
    """Only the likeliest words, which together are this likely."""
    top_k: int | None = Field(default=None, ge=1)
    """Only so many of the likeliest words."""
    max_output_tokens: int | None = Field(default=None, ge=1)
    """How long an answer may be."""
    stop_sequences: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    """What ends an answer."""
    seed: int | None = Field(default=None, ge=-(2**31), lt=2**31)
    """The same seed and the same request give the same answer, as far as the model can."""
    thinking_level: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    """How hard to think before the answer."""
    system_instruction: str | None = None
    """How to answer."""


class ModelSettings(BaseModel):
    """`[models.NAME]`: who answers to a name."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    engine: Literal[
        "embedded",
        "openai",
        "anthropic",
        "gemini",
        "mistral",
        "groq",
        "bedrock",
        "openrouter",
        "huggingface",
        "drawing",
        "diffusers",
        "espeak",
        "kokoro",
        "piper",
    ] = "embedded"
    """`embedded`: a GGUF file in a child process. `openai`: any server that speaks chat completions. `drawing`:
    pictures that another model lays out; `diffusers`: pictures by weights of yours. `espeak`: a voice that needs no
    weights; `kokoro` and `piper`: voices by weights of yours. The others are vendors of that name."""
    source: str | None = None
    """For `embedded`: `builtin`, the default model, which is the default; the path of a GGUF file; its URL; or
    `hf:OWNER/REPO/FILE`, with `@REVISION` behind it if need be."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
    """For `embedded`: what the source's file must have."""
    base_url: str | None = None
    """For `openai`: the server's address, up to and with `/v1`. For a vendor: another address than its own."""
    model: str | None = None
    """For `openai` and vendors: their own name for the model; by default the name that is asked for."""
    api_key: str | None = None
    """For `openai` and vendors: the key. Better: `api_key_env`."""
    api_key_env: str | None = None
    """For `openai` and vendors: the variable that holds the key."""
    region: str | None = None
    """For `bedrock`: the region."""
    fallback: list[str] = Field(default_factory=list)
    """Names that are asked in its place, in order, when it cannot be reached, is busy or answers too late."""
    defaults: ModelDefaults = Field(default_factory=ModelDefaults)
    """`[models.NAME.defaults]`, below."""
    description: str | None = None
    """What `GET /models` says of it."""
    context_tokens: int | None = Field(default=None, ge=256)
    """How much the model can read and write in one turn. For `embedded`: at the most, and by default, 8192."""
    output_tokens: int | None = Field(default=None, ge=1)
    """How much it writes at the most when neither the request nor `defaults` has a limit."""
    mmproj: str | None = None
    """For `embedded`: eyes or ears for the model, another GGUF file, named as in `source`."""
    inputs: list[Literal["text", "image", "audio", "video", "document"]] | None = None
    """What the model takes natively; by default text, with `mmproj` images too. The rest is told to it as text."""
    outputs: list[Literal["text", "image", "audio"]] | None = None
    """What the model answers in when a request does not say; by default text, for the engines of pictures and voices
    theirs. For `openai`, `["image"]` or `["audio"]` makes it a server of images or of speech."""
    image: str | None = None
    """Who makes images in its place: a name of this table. By default it lays out a picture, which is drawn."""
    audio: str | None = None
    """Who speaks its answers: a name of this table; or answers in its place, if that one writes itself. By default
    `espeak`."""
    tools: bool | None = None
    """Whether the model calls functions by itself; for `openai` by default yes, for `embedded` no. If not, turnwise
    helps."""
    schemas: bool | None = None
    """Whether its text can be bound to a JSON Schema; for `openai` and `embedded` by default yes. If not, turnwise
    asks."""
    thinks: bool | None = None
    """Whether it thinks by itself; for `openai`: takes a `reasoning_effort`. By default no, and it thinks in a first
    pass."""
    continues: bool | Literal["prefill", "continue_final_message", "prefix"] | None = None
    """Whether it can go on with an answer that was interrupted; for `openai` how it is told to, and by default not. If
    not, turnwise has it answer again, and compares."""
    threads: int | None = Field(default=None, ge=1)
    """For `embedded`: how many threads; by default half the cores."""
    slots: int | None = Field(default=None, ge=1)
    """For `embedded`: how many turns run side by side; by default 4."""
    cache_mib: int | None = Field(default=None, ge=0)
    """For `embedded`: memory for conversations that wait for their next turn; by default 512."""
    connect_seconds: float | None = Field(default=None, gt=0)
    """For `openai` and vendors: how long a connection may take; by default 10."""
    idle_seconds: float | None = Field(default=None, gt=0)
    """For `openai` and vendors: how long the upstream may be silent; by default 300."""
    total_seconds: float | None = Field(default=None, gt=0)
    """How long an answer may take; by default 3600, for `embedded` a day."""

    @field_validator("sha256")
    @classmethod
    def _as_it_is_written(cls, sha256: str | None) -> str | None:
        """In small letters, as everybody else has it."""
        return sha256 and sha256.lower()

    @property
    def weights(self) -> list[tuple[str, str | None]]:
        """The sources of its weights, each with the sha256 that is set for it. Empty: it has no weights of ours."""
        if self.engine != "embedded":
            return []
        return [(self.source or "builtin", self.sha256), *([(self.mmproj, None)] if self.mmproj else [])]

    @property
    def key(self) -> str | None:
        """The API key, from wherever it is set."""
        return os.environ.get(self.api_key_env) if self.api_key_env else self.api_key

    @property
    def answerer(self) -> str:
        """Who answers, in a few words."""
        who = f"embedded, {self.source or 'builtin'}"
        if self.engine != "embedded":
            where = f" at {self.base_url}" if self.base_url else ""
            who = f"{self.engine}, {self.model or 'the name that is asked for'}{where}"
        others = ", ".join(f"'{name}'" for name in self.fallback)
        return f"{who}; else {others}" if others else who


class FilesSettings(BaseModel):
    """`[files]`: what clients upload, and what models make."""

    model_config = ConfigDict(extra="forbid")

    max_bytes: int = Field(default=2 * 1024**3, ge=1024)
    """The largest file."""
    quota_bytes: int = Field(default=20 * 1024**3, ge=1024)
    """How much each key may keep."""
    hours: float = Field(default=48.0, gt=0)
    """How long a file is kept."""
    blobs_url: str | None = None
    """Where the bytes are kept; by default in the data directory. An S3-compatible store: `s3://BUCKET/PREFIX`."""
    blobs_endpoint: str | None = None
    """For `s3`: the address of the store, if it is not Amazon's."""
    inline_bytes: int = Field(default=20 * 1024**2, ge=0)
    """Media that a model makes come back as `data` up to this size, and as the `uri` of a file above it."""


class MediaSettings(BaseModel):
    """`[media]`: what is read out of files for models that cannot take them."""

    model_config = ConfigDict(extra="forbid")

    max_bytes: int = Field(default=2 * 1024**3, ge=1024)
    """The largest file that is read."""
    seconds: float = Field(default=120.0, gt=0)
    """How long reading a file may take, beside the time that a recording needs to be written down."""
    memory_mib: int = Field(default=2048, ge=256)
    """How much memory reading a file may take."""
    ocr: Literal["auto", "tesseract", "rapidocr", "off"] = "auto"
    """Who reads text in pictures. `auto`: tesseract if it is installed, else rapidocr if that is."""
    speech: str = "whisper-base"
    """The weights that write down speech: a name that `turnwise pull` knows, the path of a ggml file, its URL, or
    `hf:OWNER/REPO/FILE`."""


class NetworkSettings(BaseModel):
    """`[network]`: what may be reached at the wish of a request."""

    model_config = ConfigDict(extra="forbid")

    allow: list[str] = Field(default_factory=list)
    """Private addresses that may be reached all the same: `HOST`, `HOST:PORT` or a network such as `10.1.0.0/16`."""
    max_bytes: int = Field(default=100 * 1024**2, ge=1024)
    """The largest thing that is fetched."""
    seconds: float = Field(default=60.0, gt=0)
    """How long fetching may take."""


class GoogleSearchSettings(BaseModel):
    """`[tools.google_search]`: who searches."""

    model_config = ConfigDict(extra="forbid")

    engine: Literal["ddgs", "searxng", "brave", "tavily", "folder"] = "ddgs"
    """`ddgs`: public search engines, without a key. `searxng`: a server of that kind at `url`. `brave`, `tavily`: these
    services, with a key. `folder`: a folder of your own documents, which `turnwise index` has read."""
    url: str | None = None
    """For `searxng`: its address. For `brave` and `tavily`: another address than their own."""
    api_key: str | None = None
    """For `brave` and `tavily`: the key. Better: `api_key_env`."""
    api_key_env: str | None = None
    """For `brave` and `tavily`: the variable that holds the key."""
    results: int = Field(default=8, ge=1, le=50)
    """How many results a query gives at the most."""
    seconds: float = Field(default=15.0, gt=0)
    """How long a query may take."""

    @property
    def key(self) -> str | None:
        """The API key, from wherever it is set."""
        return os.environ.get(self.api_key_env) if self.api_key_env else self.api_key


class UrlContextSettings(BaseModel):
    """`[tools.url_context]`: how pages are read. What may be reached, and how large it may be, is in `[network]`."""

    model_config = ConfigDict(extra="forbid")

    robots: bool = True
    """Whether a site's `robots.txt` is kept to."""


class CodeExecutionSettings(BaseModel):
    """`[tools.code_execution]`: the sandbox in which models run code."""

    model_config = ConfigDict(extra="forbid")

    sandbox: Literal["auto", "monty", "bubblewrap"] = "auto"
    """`monty`: an interpreter of its own, without libraries. `bubblewrap`: Python with NumPy, pandas, SciPy and
    Matplotlib in a sandbox of the system's. `auto`: bubblewrap where this machine can, else monty."""
    seconds: float = Field(default=30.0, gt=0)
    """How long a piece of code may run."""
    memory_mib: int = Field(default=512, ge=64)
    """How much memory it may take, libraries among it; what it writes into files, 128 MiB at the most, comes on top."""
    sandboxes: int = Field(default=8, ge=1)
    """How many sandboxes there are at once; a turn that needs one more waits up to a minute for it."""


class ComputerUseSettings(BaseModel):
    """`[tools.computer_use]`: what models may do on the computers of clients."""

    model_config = ConfigDict(extra="forbid")

    browser_actions: Literal["founding", "current"] = "founding"
    """Which actions a browser has, where a request does not show which its client knows: `founding`, such as
    `click_at`, or `current`, such as `click`. Phones and desktops have current ones only."""


class McpServerSettings(BaseModel):
    """`[tools.mcp_server]`: calls of the servers that requests name."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(default=60.0, gt=0)
    """How long a call may take, beside what its progress earns it."""
    listing_seconds: float = Field(default=300.0, ge=0)
    """How long the list of a server's tools is remembered."""


class FileSearchSettings(BaseModel):
    """`[tools.file_search]`: searching file search stores."""

    model_config = ConfigDict(extra="forbid")

    embeddings: str | None = None
    """Weights that tell what texts mean, for finding other words than the question's: a GGUF file, named as in a
    model's `source`. By default only words are searched for."""


class ToolsSettings(BaseModel):
    """`[tools]`: what models may do within a turn."""

    model_config = ConfigDict(extra="forbid")

    rounds: int = Field(default=64, ge=1)
    """How often a model may call tools of the server in one turn."""
    seconds: float = Field(default=1800.0, gt=0)
    """How long a turn may go on calling tools."""
    tokens: int = Field(default=2_000_000, ge=1)
    """How many tokens a turn that calls tools may cost."""
    google_search: GoogleSearchSettings = Field(default_factory=GoogleSearchSettings)
    """`[tools.google_search]`, below."""
    url_context: UrlContextSettings = Field(default_factory=UrlContextSettings)
    """`[tools.url_context]`, below."""
    code_execution: CodeExecutionSettings = Field(default_factory=CodeExecutionSettings)
    """`[tools.code_execution]`, below."""
    computer_use: ComputerUseSettings = Field(default_factory=ComputerUseSettings)
    """`[tools.computer_use]`, below."""
    mcp_server: McpServerSettings = Field(default_factory=McpServerSettings)
    """`[tools.mcp_server]`, below."""
    file_search: FileSearchSettings = Field(default_factory=FileSearchSettings)
    """`[tools.file_search]`, below."""


class BackgroundSettings(BaseModel):
    """`[background]`: interactions that go on without their callers."""

    model_config = ConfigDict(extra="forbid")

    concurrency: int = Field(default=200, ge=1)
    """How many of them one process works on at once. The others wait."""
    seconds: float = Field(default=3600.0, gt=0)
    """How long one may take, from its creation on; then it ends as `budget_exceeded`, with what it has."""
    tokens: int | None = Field(default=None, ge=1)
    """How many tokens one may cost; by default there is no limit."""
    lease_seconds: float = Field(default=5.0, ge=1)
    """How long a process is silent until it is taken for dead and others go on with its work. With SQLite and one
    process there is no other, and this has no meaning."""


class AgentSettings(BaseModel):
    """`[agents.NAME]`: who works under a name. `"*"` answers every name that is not listed. By default there are the
    names of deep research, and every agent of a plug-in under its own."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    agent: str | None = None
    """Which agent it is: `deep-research`; `deep-research-max`, which does more of it; or one of a plug-in. By default
    the one that goes by this name anyway."""
    model: str | None = None
    """The model that it asks: a name of `[models]`; by default `"*"`, or the first that is listed."""
    tokens: int = Field(default=2_000_000, ge=1)
    """How many tokens a piece of work may cost; then it ends as `budget_exceeded`, with what it has."""
    minutes: float = Field(default=50.0, gt=0)
    """How long it may take, from the creation of its interaction on."""


class WebhooksSettings(BaseModel):
    """`[webhooks]`: how the outside is told that interactions have ended. Where to may be told is in `[network]`."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(default=100, ge=0)
    """How many webhooks each key may have."""
    seconds: float = Field(default=10.0, gt=0)
    """How long a receiver may take to answer."""
    hours: float = Field(default=24.0, gt=0)
    """How long what was not heard is told again. A webhook that heard nothing for so long is disabled."""


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="TURNWISE_", env_nested_delimiter="__", extra="forbid", protected_namespaces=()
    )

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8787, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""
    processes: int = Field(default=1, ge=1, le=256)
    """How many processes serve as one, behind one port: about as many as the machine has cores, where one process is
    not fast enough."""
    data_dir: Path = Field(default_factory=lambda: user_data_path("turnwise", appauthor=False))
    """Where everything is kept."""
    models_dir: Path | None = None
    """Where model weights are cached; by default `models` in the data directory."""
    database_url: str | None = None
    """The store; by default the file `turnwise.db` in the data directory. Another one: `sqlite:///PATH`. For several
    processes and machines: `postgresql://USER:PASSWORD@HOST/NAME`."""
    sealing_key: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
    """What thoughts are sealed with, in hexadecimal digits; by default a key that is made at the first start and kept
    beside the interactions."""
    default_dialect: Literal["outputs", "steps"] = "steps"
    """The dialect of clients that do not say which they speak."""
    max_body_bytes: int = Field(default=100 * 1024 * 1024, ge=1024)
    """The largest request body, and the largest file that a model is given as it is."""
    keep_alive_seconds: float = Field(default=15.0, gt=0)
    """How long a stream may be quiet before it says a comment."""
    public_url: str | None = None
    """The address by which clients reach this server, for the addresses of files; by default the host that they ask."""
    files: FilesSettings = Field(default_factory=FilesSettings)
    """`[files]`, below."""
    media: MediaSettings = Field(default_factory=MediaSettings)
    """`[media]`, below."""
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    """`[network]`, below."""
    tools: ToolsSettings = Field(default_factory=ToolsSettings)
    """`[tools]`, below."""
    background: BackgroundSettings = Field(default_factory=BackgroundSettings)
    """`[background]`, below."""
    agents: dict[str, AgentSettings] = Field(default_factory=dict)
    """`[agents.NAME]`, below."""
    plugins: list[str] = Field(default_factory=list)
    """Agents of your own: Python files (`./my_agent.py`), and modules that are installed."""
    webhooks: WebhooksSettings = Field(default_factory=WebhooksSettings)
    """`[webhooks]`, below."""
    models: dict[str, ModelSettings] = Field(default_factory=lambda: {"*": ModelSettings()})
    """Names that requests may use. `"*"` answers every name that is not listed."""

    @field_validator("data_dir", "models_dir")
    @classmethod
    def _at_home(cls, path: Path | None) -> Path | None:
        """`~` is the home directory here too, as it is in a shell."""
        return path and path.expanduser()

    @property
    def weights_dir(self) -> Path:
        """Where model weights are cached."""
        return self.models_dir or self.data_dir / "models"

    @property
    def weights(self) -> list[tuple[str, str | None]]:
        """The sources of all weights that are needed, each once, with the sha256 that is set for it."""
        weights = [weights for model in self.models.values() for weights in model.weights]
        if self.tools.file_search.embeddings is not None:
            weights.append((self.tools.file_search.embeddings, None))
        return list(dict.fromkeys(weights))

    @property
    def is_shared(self) -> bool:
        """Whether the store is one that several processes serve from."""
        return self.database_url is not None and self.database_url.startswith(POSTGRES)

    @property
    def database_path(self) -> Path:
        """The SQLite file, where the store is one."""
        if self.database_url is None or self.is_shared:
            return self.data_dir / "turnwise.db"
        return Path(self.database_url.removeprefix("sqlite:///")).expanduser()

    @property
    def scratch_dir(self) -> Path:
        """Where files stand as long as they are looked at. It belongs to one database, and so to one server."""
        return self.database_path.with_name(f"{self.database_path.name}.scratch")

    @property
    def search_index(self) -> Path:
        """Where `turnwise index` keeps the words of documents."""
        return self.data_dir / "search.db"


def load_settings(file: Path | None = None, **given: Any) -> Settings:
    """The settings. `given` are those of the command line; None among them means: not given.

    Raises:
        SettingsError: a setting is unknown or wrong, or the file is not there or not TOML.
    """
    path = _settings_file(file)

    class Sources(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path))

    try:
        settings = Sources(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from None
    except ValueError as error:  # tomllib's own
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    _check_database(settings.database_url)
    return settings


def _check_database(url: str | None) -> None:
    if url is None:
        return
    scheme = url.partition(":")[0]  # and no more of it, since there may be a password behind
    if not url.startswith(("sqlite:///", *POSTGRES)):
        raise SettingsError(
            f"database_url: '{scheme}' is no kind of database that is known; use sqlite:///PATH or {POSTGRES_FORM}"
        )
    if url in ("sqlite:///", "sqlite:///:memory:"):
        raise SettingsError(f"database_url: '{url}' names no file; use sqlite:///PATH")
    if url.startswith(POSTGRES):
        _check_postgres(url)


def _check_postgres(url: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (a wrong one is found when it is asked for)
    except ValueError as error:
        raise SettingsError(f"database_url: this is no address: {error}; write it as {POSTGRES_FORM}") from None
    if not parts.path.strip("/"):
        raise SettingsError(f"database_url: it names no database; write it as {POSTGRES_FORM}")


def _settings_file(file: Path | None) -> Path | None:
    named = file or (Path(os.environ["TURNWISE_CONFIG"]) if os.environ.get("TURNWISE_CONFIG") else None)
    if named is not None and not named.is_file():
        raise SettingsError(f"there is no settings file at {named}")
    return named or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None)


def _explain(error: ValidationError, path: Path | None) -> str:
    found = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in found["loc"])
    where = f" (in {path}, the environment or the command line)" if path else ""
    if found["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{where}"
    return f"{name}: {found['msg'][0].lower()}{found['msg'][1:]}, not {found.get('input')!r}{where}"
