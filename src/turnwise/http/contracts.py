"""What the handlers need from the other rooms, as they see it. `app.py` puts the real ones in.

The rooms behind are not imported here: a handler that needs more than this asks for it in this file, where it shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from turnwise.domain.interaction import DialectName
from turnwise.engine.agents import SavedAgents
from turnwise.engine.file_search import FileSearch
from turnwise.engine.files import Files
from turnwise.engine.interactions import Interactions
from turnwise.engine.webhooks import Webhooks


class KeyLike(Protocol):
    """A kept API key."""

    @property
    def owner(self) -> str: ...
    @property
    def hash(self) -> bytes: ...
    @property
    def revoked(self) -> datetime | None: ...


class Keys(Protocol):
    """The keys that are kept."""

    async def keys(self) -> Sequence[KeyLike]: ...


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model as `GET /models` shows it."""

    name: str
    description: str
    context_tokens: int | None
    output_tokens: int | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ("text",)
    tools: bool = False
    """Whether it calls functions by itself; if not, the engine helps. The same for the next two."""
    schemas: bool = False
    thinks: bool = False


class Models(Protocol):
    """The names that requests may use."""

    def entries(self) -> Sequence[ModelEntry]: ...
    def entry(self, name: str) -> ModelEntry: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a handler may reach."""

    interactions: Interactions
    models: Models
    keys: Keys
    files: Files
    file_search: FileSearch
    agents: SavedAgents
    webhooks: Webhooks
    default_dialect: DialectName
    max_body_bytes: int
    public_url: str | None = None
    """The address by which clients reach this server, if it is not the one that they ask."""
