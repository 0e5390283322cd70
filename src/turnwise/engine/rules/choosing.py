"""Choosing: which of the functions at hand a request asks for, for models that cannot tell by themselves.

A request asks for a function when three things come together. It speaks of what the function is about (its name, its
description, or words of the same meaning). It carries what the function needs: the values of its required parameters.
And it wants something done or known about a particular case: "What is the weather in Paris?" does, "What is weather?"
and "Tell me a story about a meeting" do not.

    choose("What's the weather in Paris and Tokyo?", [get_weather])
    [Wanted(get_weather, "What's the weather in Paris?"), Wanted(get_weather, "What's the weather in Tokyo?")]

Each Wanted is one call, with the part of the request that is about it, reworded so that it stands by itself; parallel
calls are several of them. Pure, deterministic, and of no cost beside a model's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from turnwise.domain.content import JSON
from turnwise.domain.steps import FunctionCall
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.cutting import cuttings, spread
from turnwise.engine.rules.filling import Filled, fill
from turnwise.engine.rules.parameters import parameters_of, read_parameters, required_of
from turnwise.engine.rules.speaking import Form, form_of, main_sentence
from turnwise.engine.rules.topics import is_object, topic_of
from turnwise.engine.rules.values import read_values
from turnwise.engine.rules.words import akin, split_name, stem


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call that a request asks for."""

    tool: FunctionTool
    request: str
    """What of the request is about this call."""
    before: Mapping[str, JSON] = field(default_factory=dict)
    """The arguments of the call that it goes on from, which the request may change."""


TOPIC = 2.0
"""How much of a request must be about a function."""

LONG = 600
"""How many characters of a long request are looked at, at its head and at its end: what is wanted stands there."""

_FOLLOWING = re.compile(r"(?i)^\s*(?:and|or|what about|how about|ok|okay|now|then|also|same|the same)\b")

_NOW = re.compile(
    r"(?i)\b(?:my|our|today|tonight|now|currently|current|latest|newest|recent|this (?:week|month|"
    r"morning|evening|afternoon|weekend|year)|tomorrow|is it(?: now)?|it is|next|upcoming|"
    r"right now|at the moment)\b"
)

GUESSABLE = frozenset(("enum", "bool"))
"""Roles that a model may find a value for in a request that has none of the usual signs of it: one of a few. Anything
else that was not said would be invented."""


def choose(
    request: str, tools: Sequence[FunctionTool], *, must: bool = False, last: FunctionCall | None = None
) -> list[Wanted]:
    """The calls that a request asks for, in its order. None: it asks for none, and is to be answered in words.

    `must`: it has to be a call (the tool choice `any`), so the likeliest is taken if nothing is likely.
    `last`: the conversation's last call, which "And in Tokyo?" goes on from.
    """
    if len(request) > 2 * LONG:
        request = f"{request[:LONG]}\n{request[-LONG:]}"
    if not tools or not request.strip():
        return [Wanted(tools[0], request)] if must and tools else []
    wanted = _choose_parts(request, tools) or _choose_whole(request, tools) or _choose_any_part(request, tools)
    if not wanted and last is not None:
        wanted = _follow_up(request, tools, last)
    if not wanted and must:
        best = max((_consider(request, tool) for tool in tools), key=lambda case: case.total)
        wanted = [Wanted(best.tool, request)]
    return [replace(one, request=each) for one in wanted for each in spread(one.request, one.tool)]


@dataclass(frozen=True, slots=True)
class _Case:
    """What speaks for a function."""

    tool: FunctionTool
    form: Form
    topic: float
    named: bool
    """Whether the request uses a word of the function's own name for what it is about."""
    filled: Filled
    ratio: float
    """Of the required parameters, how many have a value."""
    now: bool
    asked: bool
    """Whether it asks for "the definition of" something, and the function is named for that."""
    own: bool
    """Whether it is about something of the user's own."""
    object: bool
    """Whether what is to be told or written is the very thing that the function gives."""

    reports: bool
    """Whether it keeps a record of what people tell of themselves, and the request tells it with a number."""

    @property
    def total(self) -> float:
        return (
            self.topic
            + self.ratio
            + len(required_of(self.tool) & (self.filled.sure | self.filled.pointed))
            / max(1, len(required_of(self.tool)))
            + 0.3 * len(self.filled.sure)
            + 0.1 * len(self.filled.arguments)
            - 0.5 * self.filled.left
        )

    @property
    def holds(self) -> bool:
        """Whether the request asks for it."""
        required = required_of(self.tool)
        particular = bool(self.filled.sure & required) if required else bool(self.filled.sure) or self.now
        if self.form == "none" and self.reports:
            return self.topic >= TOPIC and required <= self.filled.sure
        if self.form == "creative":
            given = bool(self.filled.sure) or not parameters_of(self.tool)
            return self.object and given and self.topic >= TOPIC / 2 and required <= self.filled.sure
        if self.topic < TOPIC or self.form == "none":
            return False
        match self.form:
            case "command":
                known = self.filled.sure | self.filled.pointed
                meant = self.named or bool(known) or not required or self.topic >= TOPIC + 1
                return meant and not _unguessable(self.tool, self.filled.missing)
            case "question":
                known = self.filled.sure | self.filled.pointed
                told = bool(required) and (required <= known or bool(self.filled.sure))
                clear = bool(required) and required <= known and self.topic >= TOPIC + 0.5
                particular = particular and (self.named or self.own or not required or _is_particular(self.tool, known))
                rich = len(self.filled.sure) > 1 and self.topic >= TOPIC + 1.5
                return self.ratio == 1 and (particular or (self.named and told) or clear or rich)
            case _:
                if self.asked and self.ratio == 1 and required <= self.filled.sure | self.filled.pointed:
                    return True
                whole = self.ratio == 1 and bool(required) and required <= self.filled.sure
                whole = whole or (not required and _is_coded(self.tool, self.filled.sure))
                return whole and self.topic >= TOPIC + 0.5 and _is_particular(self.tool, self.filled.sure)


def _is_particular(tool: FunctionTool, sure: frozenset[str]) -> bool:
    """Whether a value is more than one of a few: a name, a date, a number."""
    return any(param.path[0] in sure and param.role not in ("enum", "bool") for param in read_parameters(tool))


def _is_coded(tool: FunctionTool, sure: frozenset[str]) -> bool:
    """Whether a value is an address or a code, which nobody says of things in general."""
    return any(
        param.path[0] in sure and param.role in ("email", "id", "url", "phone") for param in read_parameters(tool)
    )


def _unguessable(tool: FunctionTool, missing: Sequence[str]) -> list[str]:
    """Of missing parameters, those that only the user can know."""
    roles = {param.path[0]: param.role for param in read_parameters(tool)}
    return [name for name in missing if roles.get(name) not in GUESSABLE]


def _follow_up(request: str, tools: Sequence[FunctionTool], last: FunctionCall) -> list[Wanted]:
    """The last call once more, with what the request says differently."""
    tool = next((tool for tool in tools if tool.name == last.name), None)
    if tool is None or not _FOLLOWING.match(request) or len(request.split()) > 8:
        return []
    said = fill(request, tool)
    changed = {name for name, value in said.arguments.items() if last.arguments.get(name) != value}
    return [Wanted(tool, request, last.arguments)] if changed & (said.sure | said.pointed) else []


def _choose_whole(request: str, tools: Sequence[FunctionTool]) -> list[Wanted]:
    held = [case for case in (_consider(request, tool) for tool in tools) if case.holds]
    return [Wanted(max(held, key=lambda case: case.total).tool, request)] if held else []


def _choose_parts(request: str, tools: Sequence[FunctionTool]) -> list[Wanted]:
    """Several things asked for in one request, each complete in itself."""
    for cuts in cuttings(request, tools):
        wanted = _complete(cuts, tools)
        if wanted:
            return wanted
    return []


def _complete(parts: Sequence[str], tools: Sequence[FunctionTool]) -> list[Wanted]:
    cases: list[_Case] = []
    wanted: list[Wanted] = []
    for part in parts:
        part = _resolve(part, cases)
        held = [case for case in (_consider(part, tool) for tool in tools) if case.holds and case.ratio == 1]
        if not held:
            return []
        case = max(held, key=lambda each: each.total)
        for other in cases:
            if other.tool is case.tool and not (
                _tells_anew(case) and other.filled.sure and case.filled.arguments != other.filled.arguments
            ):
                return []
        cases.append(case)
        wanted.append(Wanted(case.tool, part))
    return wanted


def _tells_anew(case: _Case) -> bool:
    """Whether a part says for itself what a call needs, and does not merely add to the part before."""
    return bool(case.filled.sure & (required_of(case.tool) or case.filled.sure))


def _choose_any_part(request: str, tools: Sequence[FunctionTool]) -> list[Wanted]:
    """A request among other things: "Hi! I am in a hurry. What's the weather in Rome?"."""
    parts = re.split(r"(?<=[.!?;])\s+", request)
    parts = parts if len(parts) > 1 else next(cuttings(request, tools), [])
    told = [_say_it(part, parts[:at]) for at, part in enumerate(parts)]
    return [wanted for part in told for wanted in _choose_whole(part, tools)] if len(parts) > 1 else []


def _say_it(part: str, before: Sequence[str]) -> str:
    """A command with "it" said in full, when only one name was said before: "I like Yesterday, play it"."""
    names = [value for said in before for value in read_values(said) if value.kind in ("name", "quote")]
    if len(names) != 1 or not re.match(r"(?i)[a-z]+(?: \w+)? (?:it|that|this|him|her|them)\b", part):
        return part
    return re.sub(r"\b(?:it|that|this|him|her|them)\b", names[0].text, part, count=1)


def _resolve(part: str, before: Sequence[_Case]) -> str:
    """The part with "there" said in full."""
    if not before or not re.search(r"\bthere\b", part):
        return part
    case = before[-1]
    for param in read_parameters(case.tool):
        value = case.filled.arguments.get(param.name)
        if isinstance(value, str) and param.role == "place":
            return re.sub(r"\bthere\b", f"in {value}", part)
    return part


def _consider(request: str, tool: FunctionTool) -> _Case:
    filled = fill(request, tool)
    required = required_of(tool)
    ratio = 1 - len(filled.missing) / len(required) if required else 1.0
    form = form_of(request[main_sentence(request) :])
    topic, named = topic_of(request, tool, filled, form)
    now, thing = bool(_NOW.search(request)), is_object(request, tool)
    of = re.match(r"(?i)what(?:'s| is| are) the (?:\w+ )?(\w+) (?:of|for)\b", request)
    asked = of is not None and any(akin(stem(of.group(1)), stem(name)) for name in split_name(tool.name))
    own = bool(re.search(r"(?i)\b(?:my|our|i)\b", request))
    return _Case(tool, form, topic, named, filled, ratio, now, asked, own, thing, _reports(request, tool, filled))


def _reports(request: str, tool: FunctionTool, filled: Filled) -> bool:
    """Whether "I drank 500 ml of water" is what a function is there to record."""
    told = re.match(r"(?i)(?:i|we)(?:'ve)? (?:just |also )?(?!was|were|had|used|think|remember|love|like)\w+", request)
    measured = any(isinstance(filled.arguments.get(name), int | float) for name in required_of(tool))
    return bool(told) and measured and split_name(tool.name)[0] in ("log", "record", "track")
