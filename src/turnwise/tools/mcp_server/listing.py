"""What a server says that it has: read from its list of tools, checked, and remembered for a while.

Everything in a list is a stranger's, so all of it is bounded. A tool that cannot be used, since its description of
itself is none, is set aside with the reason. It is the turn's to say whether it can do without: `tool.py` refuses
the turn that wants it.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import Any

import orjson

from turnwise.domain.content import JSON, is_too_deep
from turnwise.domain.tools import Schema

TOOLS = 128
"""How many tools of one server a model may be offered."""

LISTED = 1000
"""How many tools a list may have."""

LIST_BYTES = 2 * 1024**2
"""How long a list may be altogether."""

SCHEMA_BYTES = 64 * 1024
"""How long each of a tool's schemas may be."""

DESCRIPTION = 4000
"""How many characters of a description the model is shown."""

SERVERS = 100
"""How many lists are remembered."""

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool of a server."""

    name: str
    description: str
    parameters: Schema
    output: Schema | None = None
    """What its structured results keep to, if it says."""


@dataclass(slots=True)
class Listing:
    """What a server has."""

    tools: dict[str, ListedTool] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    """The tools that cannot be used, and why."""
    discovered: Any = None
    """What a server of the protocol's later kind said of itself. None: it wants to be greeted."""
    size: int = 0
    """In bytes of JSON."""

    @property
    def names(self) -> Sequence[str]:
        """The names of all its tools."""
        return (*self.tools, *self.unusable)

    def add(self, raw: Mapping[str, JSON], why_not: str | None = None) -> bool:
        """Take a tool from a server's list. `why_not`: what speaks against it, if something is known to. Returns
        whether it can be used.

        Raises:
            ValueError: the list is too long, or has something in it that is no tool.
        """
        name = raw.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"the tool number {len(self.names) + 1} of its list has no name that could be called")
        if is_too_deep(raw):
            why_not, raw = "its description of itself is nested without measure", {"name": name}
        self.size += len(orjson.dumps(raw))
        if self.size > LIST_BYTES or len(self.names) >= LISTED:
            raise ValueError(f"its list has more than {LISTED} tools or {LIST_BYTES} bytes")
        why_not = why_not or _why_unusable(raw)
        if why_not is None and (twin := self.tools.get(name)) is not None and twin != _read(raw):
            why_not = "it is listed twice, each time as something else"
        if why_not is not None:
            self.tools.pop(name, None)
            self.unusable[name] = why_not
        elif name not in self.unusable:
            self.tools[name] = _read(raw)
        return name in self.tools


def _read(raw: Mapping[str, JSON]) -> ListedTool:
    """A tool that can be used."""
    description = cleandoc(raw.get("description") or raw.get("title") or "")
    if len(description) > DESCRIPTION:
        description = f"{description[:DESCRIPTION]} [cut off here]"
    return ListedTool(raw["name"], description, raw["inputSchema"], raw.get("outputSchema"))


def _why_unusable(raw: Mapping[str, JSON]) -> str | None:
    """Why a tool cannot be used. None: it can."""
    for name in ("description", "title"):
        if not isinstance(raw.get(name), str | None):
            return f"its {name} is no text"
    schema = raw.get("inputSchema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "its inputSchema is not the schema of an object"
    if not isinstance(schema.get("$schema"), str | None):
        return "its inputSchema names its draft by something that is no text"
    properties = schema.get("properties")
    if properties is not None and not _are_schemas(properties):
        return "the properties of its inputSchema are no schemas"
    required = schema.get("required")
    if required is not None and not (isinstance(required, list) and all(isinstance(name, str) for name in required)):
        return "its inputSchema requires something that is no list of names"
    if not isinstance(raw.get("outputSchema"), dict | None):
        return "its outputSchema is no schema"
    for name in ("inputSchema", "outputSchema"):
        if len(orjson.dumps(raw.get(name))) > SCHEMA_BYTES:
            return f"its {name} is longer than {SCHEMA_BYTES} bytes"
    return None


def _are_schemas(properties: JSON) -> bool:
    return isinstance(properties, dict) and all(isinstance(each, dict | bool) for each in properties.values())


@dataclass(frozen=True, slots=True)
class Key:
    """Whose list it is, and of which server: nobody is shown what another one's keys open."""

    owner: str
    url: str
    headers: str
    """A digest."""


class Listings:
    """The lists that are remembered, each for a while; the one that was used longest ago is forgotten first."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        """`clock`: tells seconds, from whenever on."""
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[Key, tuple[float, Listing]] = OrderedDict()

    def find(self, key: Key) -> Listing | None:
        """The list, if it is remembered."""
        until, listing = self._kept.get(key, (0.0, None))
        if listing is None or self._clock() >= until:
            self._kept.pop(key, None)
            return None
        self._kept.move_to_end(key)
        return listing

    def keep(self, key: Key, listing: Listing) -> None:
        """Remember a list."""
        if self._seconds > 0:
            self._kept[key] = (self._clock() + self._seconds, listing)
            self._kept.move_to_end(key)
        while len(self._kept) > SERVERS:
            self._kept.popitem(last=False)

    def forget(self, key: Key) -> None:
        """The list is not what it was."""
        self._kept.pop(key, None)
