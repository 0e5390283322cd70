"""Parameters: what a function wants, told from the names, types and descriptions that it declares.

A parameter has a role: a date, a person, a place, an amount, free text, ... and, where there are two of a kind, a
direction (from, to). Which piece of a request takes which role is `filling.py`.
"""

import re
from collections.abc import Mapping, Sequence

from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.engine.rules.words import content_stems, listed, split_name, stem

DIRECTIONS = {
    "from": frozenset(listed("""from base origin start source departure pickup begin old since checkin first""")),
    "to": frozenset(listed("""to destination dest end target dropoff arrival return new until checkout""")),
}
"""Words of a parameter's name that say which of two values it is."""


_ROLE_WORDS: tuple[tuple[str, str], ...] = (
    ("email", "email mail"),
    ("url", "url link uri website webpage"),
    ("phone", "phone mobile telephone"),
    ("file", "file filename filepath path"),
    ("currency", "currency"),
    ("language", "language lang locale"),
    ("datetime", "datetime timestamp when"),
    ("date", "date day deadline due birthday checkin checkout"),
    ("time", "time clock"),
    ("duration", "duration length"),
    ("color", "color"),
    ("unit", "unit"),
    ("expression", "expression formula equation calculation"),
    ("symbol", "symbol ticker"),
    ("id", "id code number reference sku identifier tracking digit pin barcode serial isbn vin"),
    (
        "person",
        """attendee guest participant recipient person contact member assignee invitee doctor artist author who
        whom employee patient host player people friend user customer student owner singer band composer director
        receiver sender team celebrity""",
    ),
    ("reason", "reason purpose memo cause"),
    ("topic", "topic subject title about theme headline summary label agenda occasion"),
    ("text", "text message body content note post sentence phrase caption comment prompt reminder question statement"),
    ("work", "song movie film track book album novel show game series podcast"),
    (
        "place",
        """location city place country address town region area near where station airport venue landmark state
        neighborhood origin destination zip room restaurant hotel store shop branch pickup dropoff zone island park""",
    ),
    ("kind", "genre category cuisine kind style mood type"),
)
"""What a word in a parameter's name says about its role. The first that fits counts."""


_ORDER = listed(
    """enum email url phone datetime date time file currency language number duration bool unit color
        expression id symbol list place person work topic reason kind object text"""
)
"""Who chooses first."""


def parameters_of(tool: FunctionTool) -> Mapping[str, Schema]:
    """A function's parameters by name."""
    properties = tool.parameters.get("properties")
    return {k: v if isinstance(v, dict) else {} for k, v in properties.items()} if isinstance(properties, dict) else {}


def required_of(tool: FunctionTool) -> frozenset[str]:
    """The names of those that a call must have."""
    required = tool.parameters.get("required")
    return frozenset(required if isinstance(required, list) else ()) & frozenset(parameters_of(tool))


class Param:
    """A parameter, understood."""

    __slots__ = ("direction", "hints", "name", "required", "role", "schema", "type", "words")

    def __init__(self, name: str, schema: Schema, required: bool, tool: FunctionTool) -> None:
        self.name = name
        self.schema = schema
        self.required = required
        self.type = type_of(schema)
        self.words = [stem(word) for word in split_name(name)]
        self.hints = [*self.words, *content_stems(self.text)]
        self.direction = self._direction()
        self.role = self._role(tool)

    @property
    def text(self) -> str:
        """Its description."""
        return str(self.schema.get("description", ""))

    def _direction(self) -> str:
        joined = "".join(split_name(self.name))
        for direction, words in DIRECTIONS.items():
            if {stem(word) for word in words} & {*self.words, joined}:
                return direction
        if "check" in self.words:
            return "to" if "out" in self.words else "from"
        return ""

    def _role(self, tool: FunctionTool) -> str:
        if self.type == "array":
            return "list"
        if options_of(self.schema):
            return "enum"
        if self.type in ("number", "integer"):
            return "number"
        if self.type == "boolean":
            return "bool"
        if self.type != "string":
            return "object"
        return self._string_role(tool)

    def _string_role(self, tool: FunctionTool) -> str:
        formats = {
            "email": "email",
            "uri": "url",
            "url": "url",
            "date": "date",
            "time": "time",
            "date-time": "datetime",
        }
        role = formats.get(str(self.schema.get("format")))
        if role:
            return role
        if re.search(r"(?i)iso.?8601|\d{4}-\d\d-\d\dT|date and time", self.text):
            return "datetime"
        if "time" in self.words and "dat" in self.words:
            return "datetime"
        if re.search(r"(?i)HH:MM|\b\d\d?:\d\d\b|24.hour", self.text):
            return "datetime" if re.search(r"\d{4}-\d\d|YYYY", self.text) else "time"
        if re.search(r"YYYY|\d{4}-\d\d-\d\d", self.text):
            return "date"
        described = content_stems(self.text.split("e.g")[0])
        if "email" in described[:3] and self._is_vague():
            return "email"
        for words in (self.words, described if self._is_vague() else set(described) & {"currency", "languag", "email"}):
            for role, names in _ROLE_WORDS:
                if role == "file" and "name" in self.words and "file" not in self.words:
                    continue
                if any(stem(name) in words for name in names.split()):
                    return role
        if self.direction and not re.search(r"(?i)name|title", self.name):
            return "person" if set(content_stems(tool.description)) & {"messag", "email", "mony", "money"} else "place"
        if "fil" in {stem(word) for word in split_name(tool.name)} and "name" in self.words:
            return "file"
        return "object"

    def _is_vague(self) -> bool:
        """Whether its name alone says too little."""
        return all(word in _VAGUE for word in self.words)


_VAGUE = frozenset(
    stem(word)
    for word in listed(
        "to from name target value base origin source input q x param arg destination start end near address"
    )
)
"""Names of parameters that say little; their description says more."""


def pair(params: Sequence[Param]) -> None:
    """Of two currencies, units or places without a direction in their names, the first is where it comes from."""
    for role in ("currency", "unit", "place"):
        two = [param for param in params if param.role == role]
        if len(two) == 2 and not any(param.direction for param in two):
            two[0].direction, two[1].direction = "from", "to"


def type_of(schema: Schema) -> str:
    """The JSON type that a schema asks for; of several, the first that is not null."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if str(each).lower() != "null"), "string")
    if not kind and schema.get("enum"):
        kind = "string"
    return str(kind or "string").lower()


def options_of(schema: Schema) -> list[JSON]:
    """The values of an enum."""
    options = schema.get("enum")
    if isinstance(options, list):
        return options
    return [schema["const"]] if "const" in schema else []


def rank(param: Param) -> tuple[int, bool]:
    return _ORDER.index(param.role) if param.role in _ORDER else len(_ORDER), not param.required
