"""Parameters: what a function wants, told from the names, types and descriptions that it declares.

A parameter has a role: a date, a person, a place, an amount, free text, ... and, where there are two of a kind, a
direction (from, to). Which piece of a request takes which role is `filling.py`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import orjson

from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool, Schema
from turnwise.engine.rules.words import content_stems, listed, split_name, stem

DEPTH = 4
"""How deep objects in objects are looked into."""

DIRECTIONS = {
    "from": frozenset(listed("""from base origin start source departure pickup begin old since checkin first""")),
    "to": frozenset(listed("""to destination dest end target dropoff arrival return new until checkout""")),
}
"""Words of a parameter's name that say which of two values it is."""


_ROLE_WORDS: tuple[tuple[str, str], ...] = (
    ("email", "email mail"),
    ("url", "url link uri website webpage domain site"),
    ("phone", "phone mobile telephone"),
    ("file", "file filename filepath path"),
    ("currency", "currency"),
    ("language", "language lang locale"),
    ("datetime", "datetime timestamp when since"),
    ("date", "date day month deadline due birthday checkin checkout"),
    ("time", "time clock"),
    ("duration", "duration length"),
    ("color", "color"),
    ("unit", "unit"),
    ("statement", "sql"),
    ("expression", "expression formula equation calculation"),
    ("symbol", "symbol ticker"),
    ("id", "id code version number reference sku identifier tracking digit pin barcode serial isbn vin"),
    (
        "person",
        """attendee attendees invitees guest participant recipient person contact member assignee assignees invitee
        doctor artist author who whom employee patient host player people friend user customer student owner singer
        band composer director receiver sender team celebrity performer colleague manager supervisor nurse teacher""",
    ),
    ("reason", "reason purpose memo cause"),
    ("topic", "topic subject title about theme headline summary label agenda occasion"),
    ("text", "text message body content note post sentence phrase caption comment prompt reminder question statement"),
    ("work", "song movie film track book album novel show game series podcast"),
    (
        "place",
        """location city place country address town region area near where station airport venue landmark state
        neighborhood street theater theatre cinema museum hospital clinic school university origin destination zip
        room restaurant hotel store shop branch pickup dropoff zone island park""",
    ),
    ("kind", "genre category cuisine kind style mood type"),
)
"""What a word in a parameter's name says about its role. The first that fits counts."""


_ORDER = listed(
    """enum email url phone datetime date time file currency language number duration bool unit color
        statement expression id symbol list place person work topic reason kind object text"""
)
"""Who chooses first."""


def parameters_of(tool: FunctionTool) -> Mapping[str, Schema]:
    """A function's parameters by name."""
    return _plain_once(orjson.dumps(tool.parameters))


@lru_cache(maxsize=1024)
def _plain_once(parameters: bytes) -> Mapping[str, Schema]:
    tool = FunctionTool("", "", orjson.loads(parameters))
    return properties_of(tool.parameters, tool)


def properties_of(schema: Schema, tool: FunctionTool) -> Mapping[str, Schema]:
    """The properties of an object by name, each as it is meant: without references, and without its "or null"."""
    properties = schema.get("properties")
    return {name: plain_schema(each, tool) for name, each in properties.items()} if isinstance(properties, dict) else {}


def plain_schema(schema: JSON, tool: FunctionTool) -> Schema:
    """A schema with what it refers to, and of alternatives the first that is not null, in its place."""
    plain = dict(schema) if isinstance(schema, dict) else {}
    for _ in range(8):
        reference = plain.get("$ref")
        choices = next((plain[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(plain.get(key), list)), None)
        if isinstance(reference, str):
            target = _referred(reference, tool)
        elif choices and "type" not in plain and "properties" not in plain:
            target = next((each for each in choices if isinstance(each, dict) and each.get("type") != "null"), None)
        else:
            break
        said = {key: value for key, value in plain.items() if key not in ("$ref", "anyOf", "oneOf", "allOf")}
        plain = {**(target or {}), **said}
    return plain


def _referred(reference: str, tool: FunctionTool) -> Schema | None:
    """What a reference within a function's parameters points to."""
    target: JSON = tool.parameters
    for step in reference.removeprefix("#").split("/")[1:]:
        target = target.get(step) if isinstance(target, dict) else None
    return target if isinstance(target, dict) else None


def required_of(tool: FunctionTool) -> frozenset[str]:
    """The names of those that a call must have."""
    required = tool.parameters.get("required")
    properties = tool.parameters.get("properties")
    known = properties if isinstance(properties, dict) else ()
    return frozenset(name for name in required if name in known) if isinstance(required, list) else frozenset()


COMPACT = re.compile(r"(?<![\w.])\d+[smhdw]\b(?! format)")
"""How a description shows a duration in short: "15m"."""


class Param:
    """A parameter, or a property of one that is an object, understood."""

    __slots__ = (
        "context",
        "demands",
        "direction",
        "examples",
        "hints",
        "name",
        "path",
        "required",
        "role",
        "schema",
        "shapes",
        "type",
        "words",
    )

    def __init__(
        self,
        name: str,
        schema: Schema,
        required: bool,
        tool: FunctionTool,
        within: tuple[str, ...] = (),
        demands: tuple[bool, ...] = (),
    ) -> None:
        self.path = (*within, name)
        self.demands = (*demands, required)
        """For each step of the path, whether it is required where it stands."""
        self.name = name
        self.schema = schema
        self.required = all(self.demands)
        self.type = type_of(schema)
        self.words = [stem(word) for word in split_name(name)]
        self.context = [stem(word) for parent in within for word in split_name(parent)]
        """The words of the objects that it is in."""
        self.hints = [*self.words, *content_stems(self.text)]
        self.examples = _examples(self.text)
        """The stems of the values that it is described with."""
        self.shapes = frozenset(shape(each) for each in _CODE.findall(self.text) if "YYYY" not in each)
        """How the codes look that it is described with."""
        self.direction = self._direction()
        self.role = self._role(tool)

    @property
    def text(self) -> str:
        """Its description."""
        return str(self.schema.get("description", ""))

    @property
    def is_formatted(self) -> bool:
        """Whether its description or its format says how a moment is to be written."""
        return bool(self.schema.get("format") or re.search(r"(?i)HH:MM|\b\d\d?:\d\d\b|24.hour|YYYY", self.text))

    def _direction(self) -> str:
        joined = "".join(split_name(self.name))
        for said in ({*self.words, joined}, set(self.context)):
            for direction, words in DIRECTIONS.items():
                if {stem(word) for word in words} & said:
                    return direction
        if "check" in self.words:
            return "to" if "out" in self.words else "from"
        return ""

    def _role(self, tool: FunctionTool) -> str:
        if self.type == "array":
            return "list"
        options = options_of(self.schema)
        if options and not all(isinstance(option, int | float) for option in options):
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
        if re.search(r"\bSQL\b", self.text):
            return "statement"
        if re.match(r"(?:e\.g\. )?[\w-]+/[\w-]+\b", self.text) and not re.match(r"(?i)and/or|to/from", self.text):
            return "object"
        if re.search(r"(?i)iso.?8601|\d{4}-\d\d-\d\dT|date and time", self.text):
            return "datetime"
        if "time" in self.words and "dat" in self.words:
            return "datetime"
        if re.search(r"(?i)HH:MM|\b\d\d?:\d\d\b|24.hour", self.text):
            return "datetime" if re.search(r"\d{4}-\d\d|YYYY", self.text) else "time"
        if re.search(r"YYYY|\d{4}-\d\d-\d\d", self.text):
            return "date"
        if COMPACT.search(self.text):
            return "duration"
        if self.shapes:
            return "id"
        described = content_stems(self.text.split("e.g")[0])
        about = {*content_stems(tool.description), *(stem(word) for word in split_name(tool.name))}
        if "currency" in about and (self.direction or set(self.words) & {"quot", "counter"}) and self.type == "string":
            return "currency"
        if "unit" in about and self.direction and self._is_vague():
            return "unit"
        if "email" in about and self._is_vague() and re.match(r"(?i)(?:the )?(?:recipient'?s? )?address", self.text):
            return "email"
        is_email = re.match(r"(?i)(?:the |an? )?e-?mail(?: address(?:es)?)?\b", self.text)
        if is_email or ("email" in described[:3] and self._is_vague()):
            return "email"
        said = [*split_name(self.name), *self.text.lower().split()]
        within = set(self.context) if self._is_vague() else set()
        for words in (
            self.words,
            within,
            described if self._is_vague() else set(described) & {"currency", "languag", "email"},
        ):
            for role, names in _ROLE_WORDS:
                if role == "file" and "name" in self.words and "file" not in self.words:
                    continue
                if any(stem(name) in words and (name != "tracking" or "tracking" in said) for name in names.split()):
                    return role
        moment = re.search(r"[a-z]{3}(time|date)$", "".join(split_name(self.name)[-1:]))
        if moment and not re.search(r"(?:up|candi|man|run|life|over|real|down|up|some)(?:time|date)$", self.name):
            return moment.group(1)
        for role, names in _ROLE_WORDS if re.search(r"(?i)\bnames?\b", self.text) else ():
            if role in ("person", "place") and any(stem(name) in described for name in names.split()):
                return role
        if self.direction and not re.search(r"(?i)name|title", self.name):
            return "person" if set(content_stems(tool.description)) & {"messag", "email", "mony", "money"} else "place"
        if "fil" in {stem(word) for word in split_name(tool.name)} and "name" in self.words:
            return "file"
        return "object"

    def _is_vague(self) -> bool:
        """Whether its name alone says too little."""
        return all(word in _VAGUE for word in self.words)


def read_parameters(tool: FunctionTool) -> tuple[Param, ...]:
    """A function's parameters, and in the place of an object's its properties'."""
    return _read_once(tool.name, tool.description, orjson.dumps(tool.parameters))


@lru_cache(maxsize=1024)
def _read_once(name: str, description: str, parameters: bytes) -> tuple[Param, ...]:
    """Once for each declaration: a request is held against every function at hand, several times."""
    tool = FunctionTool(name, description, orjson.loads(parameters))
    params = tuple(_read(tool.parameters, tool, (), ()))
    pair(params)
    return params


def _read(schema: Schema, tool: FunctionTool, within: tuple[str, ...], demands: tuple[bool, ...]) -> Iterator[Param]:
    names = schema.get("required")
    needed = names if isinstance(names, list) else []
    for name, each in properties_of(schema, tool).items():
        if type_of(each) == "object" and each.get("properties") and len(within) < DEPTH:
            yield from _read(each, tool, (*within, name), (*demands, name in needed))
        else:
            yield Param(name, each, name in needed, tool, within, demands)


_VAGUE = frozenset(
    stem(word)
    for word in listed(
        "to from by with at name target value base origin source input q x param arg destination start end near address"
    )
)
"""Names of parameters that say little; their description says more."""


_CODE = re.compile(r"(?<![\w.])(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9]+(?:-[A-Z0-9]+)*(?![\w:])")


def shape(code: str) -> str:
    """How a code looks: letters, digits and what is between, each run once. `BA117` and `LH4` look alike."""
    return re.sub(r"9+", "9", re.sub(r"a+", "a", re.sub(r"A+", "A", _letters(code))))


def _letters(code: str) -> str:
    """A code with A, a and 9 for its characters."""
    return re.sub(r"\d", "9", re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", code)))


def _examples(text: str) -> frozenset[str]:
    shown = re.search(r"(?i)\b(?:e\.?g\.?|such as|for example|like)[,:]? (.*)", text)
    return frozenset(content_stems(shown.group(1))) if shown else frozenset()


def pair(params: Sequence[Param]) -> None:
    """Tell parameters from one another.

    A time by itself may be a day as well: "tomorrow at 9". Of two currencies, units, places or equal sets of options,
    one is where it comes from: the first, if neither says so.
    """
    moments = [param for param in params if param.role in ("date", "time", "datetime")]
    if len(moments) == 1 and moments[0].role == "time" and moments[0].type == "string" and not moments[0].is_formatted:
        moments[0].role = "datetime"
    for role in ("currency", "unit", "place", "enum"):
        two = [param for param in params if param.role == role]
        if role == "place" and any({"street", "city", "state", "country", "room"} & set(param.words) for param in two):
            continue
        if len(two) != 2 or (role == "enum" and options_of(two[0].schema) != options_of(two[1].schema)):
            continue
        first, second = two
        if not first.direction and not second.direction:
            first.direction, second.direction = "from", "to"
        elif not second.direction:
            second.direction = "to" if first.direction == "from" else "from"
        elif not first.direction:
            first.direction = "to" if second.direction == "from" else "from"


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
    """Who chooses first: those whose values can be nothing else, and of these the required."""
    return _ORDER.index(param.role) if param.role in _ORDER else len(_ORDER), not param.required
