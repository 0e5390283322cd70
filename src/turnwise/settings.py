"""Settings: from `turnwise.toml`, from `TURNWISE_...` variables, and from the command line, in rising order.

A variable is named after its setting: `TURNWISE_DATA_DIR`, `TURNWISE_DEFAULT_DIALECT`; an inner one with two
underscores: `TURNWISE_MODELS__QWEN__API_KEY`.
"""

import os
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

DEFAULT_FILE = "turnwise.toml"


class SettingsError(Exception):
    """A setting is wrong: which one, and what to do."""


class ModelSettings(BaseModel):
    """`[models.NAME]`: who answers to a name."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    engine: Literal["embedded", "openai"] = "embedded"
    """`embedded`: a GGUF file in a child process. `openai`: any server that speaks chat completions."""
    source: str | None = None
    """For `embedded`: `builtin`, the default model, which is the default; or the path of a GGUF file."""
    base_url: str | None = None
    """For `openai`: the server's address, up to and with `/v1`."""
    model: str | None = None
    """For `openai`: the server's own name for the model."""
    api_key: str | None = None
    """For `openai`: the key. Better: `api_key_env`."""
    api_key_env: str | None = None
    """For `openai`: the variable that holds the key."""
    context_tokens: int | None = Field(default=None, ge=256)
    """How much the model can read and write in one turn. For `embedded`: at the most, and by default, 8192."""
    threads: int | None = Field(default=None, ge=1)
    """For `embedded`: how many threads; by default half the cores."""
    slots: int | None = Field(default=None, ge=1)
    """For `embedded`: how many turns run side by side; by default 4."""
    cache_mib: int | None = Field(default=None, ge=0)
    """For `embedded`: memory for conversations that wait for their next turn; by default 512."""
    tools: bool | None = None
    """For `openai`: whether the model calls functions by itself; by default yes. If not, turnwise helps."""
    schemas: bool | None = None
    """For `openai`: whether its text can be bound to a JSON Schema; by default yes. If not, turnwise asks."""
    thinks: bool | None = None
    """For `openai`: whether it takes a `reasoning_effort`; by default no, and it thinks in a first pass."""
    connect_seconds: float | None = Field(default=None, gt=0)
    """For `openai`: how long a connection may take; by default 10."""
    idle_seconds: float | None = Field(default=None, gt=0)
    """For `openai`: how long the upstream may be silent; by default 300."""
    total_seconds: float | None = Field(default=None, gt=0)
    """For `openai`: how long a turn may take; by default 3600."""

    @property
    def is_builtin(self) -> bool:
        """Whether it is answered by the default model."""
        return self.engine == "embedded" and self.source in (None, "builtin")

    @property
    def key(self) -> str | None:
        """The API key, from wherever it is set."""
        return os.environ.get(self.api_key_env) if self.api_key_env else self.api_key


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="TURNWISE_", env_nested_delimiter="__", extra="forbid", protected_namespaces=()
    )

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8787, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""
    data_dir: Path = Field(default_factory=lambda: user_data_path("turnwise", appauthor=False))
    """Where everything is kept."""
    models_dir: Path | None = None
    """Where model weights are cached; by default `models` in the data directory."""
    database_url: str | None = None
    """The store; by default the file `turnwise.db` in the data directory."""
    default_dialect: Literal["outputs", "steps"] = "steps"
    """The dialect of clients that do not say which they speak."""
    max_body_bytes: int = Field(default=100 * 1024 * 1024, ge=1024)
    """The largest request body."""
    keep_alive_seconds: float = Field(default=15.0, gt=0)
    """How long a stream may be quiet before it says a comment."""
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
    def database_path(self) -> Path:
        """The SQLite file."""
        if self.database_url is None:
            return self.data_dir / "turnwise.db"
        return Path(self.database_url.removeprefix("sqlite:///")).expanduser()


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
    if settings.database_url is not None and not settings.database_url.startswith("sqlite:///"):
        raise SettingsError(f"database_url: '{settings.database_url}' is not supported yet; use sqlite:///PATH")
    if settings.database_url in ("sqlite:///", "sqlite:///:memory:"):
        raise SettingsError(f"database_url: '{settings.database_url}' names no file; use sqlite:///PATH")
    return settings


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
