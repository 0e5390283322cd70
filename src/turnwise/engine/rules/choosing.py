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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from turnwise.domain.content import JSON
from turnwise.domain.steps import FunctionCall
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.filling import Filled, fill, split_list
from turnwise.engine.rules.parameters import Param, parameters_of, required_of
from turnwise.engine.rules.values import Value, read_values
from turnwise.engine.rules.words import FILLERS, GENERIC_VERBS, akin, content_stems, groups, listed, split_name, stem


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call that a request asks for."""

    tool: FunctionTool
    request: str
    """What of the request is about this call."""
    before: Mapping[str, JSON] = field(default_factory=dict)
    """The arguments of the call that it goes on from, which the request may change."""


Form: TypeAlias = Literal["command", "question", "general", "creative", "none"]

TOPIC = 2.0
"""How much of a request must be about a function."""

LONG = 600
"""How many characters of a long request are looked at, at its head and at its end: what is wanted stands there."""

WEAK_VERBS = frozenset(
    listed(
        """get set find search create add make look show check list update give fetch retrieve lookup put return
        read do use run manage handle"""
    )
)
"""Verbs that say little even when a function's name begins with them."""

_POLITE = re.compile(
    r"(?i)^(?:\s*(?:please|kindly|hey|hi|hello|hi there|hey there|ok|okay|so|well|and|then|also|"
    r"now|thanks|assistant|computer|just|quickly|(?:oh|alright|great|cool|nice)(?=[,!.]))\b[,!.]?\s*)+"
)
_ASKING = re.compile(
    r"(?i)^(?:(?:can|could|would|will) (?:you|we|i)(?: (?:please|kindly|maybe|possibly|quickly|"
    r"also))?|would you mind|i(?:'d| would)? (?:really )?(?:like|love|want|need|wish)(?: you)? to|"
    r"i(?:'d| would) like|i (?:really )?(?:want|need)|"
    r"i have to|i'll have|i'll take|we (?:need|want)(?: to)?|we'd like(?: to)?|help me(?: to)?|"
    r"let's|let us|let me|go ahead and|i'm looking (?:for|to)|looking for|"
    r"i was wondering if you could|"
    r"do you (?:mind|think you could)|is it possible to|make sure to|don't forget to|be sure to|"
    r"i'm trying to|i am trying to|i must|feel free to)\s+(?:please\s+)?"
)
_WONDERING = re.compile(
    r"(?i)^(?:tell (?:me|us)|let (?:me|us) know|(?:to )?know|do you know|find out|check|see|"
    r"look up|i(?:'d| would) like to know|i want to know|i wonder|any idea)"
    r" (?=(?:what|where|when|how|if|whether|who|which|why)\b)(?:(?:if|whether) )?"
)
_SOCIAL = re.compile(
    r"(?i)^(?:thanks|thank you|thx|cheers|(?:great|nice|cool|awesome|perfect|wonderful)(?= ?[,.!]|"
    r" ?$| thanks| job| work| idea)|good (?:morning|night|evening|afternoon|bye|job)|"
    r"goodbye|bye|hello|hi|hey|yes|no|ok|okay|sounds good|"
    r"that's|that was|never ?mind|you're welcome|my name is|i'm [a-z]+[.!]?$|how are you|"
    r"how's it going|what's up|who are you|what can you do|what are you|see you|sorry|welcome|"
    r"congratulations|lol|haha)\b"
)
_CREATIVE = re.compile(
    r"(?i)^(?:write|compose|draft|tell (?:me|us) (?:a|an|the|some|something|more|your)|describe|"
    r"summari[sz]e|explain|recite|sing|imagine|pretend|brainstorm|rewrite|"
    r"rephrase|paraphrase|discuss|outline|elaborate|name (?:a|an|some|the|one|two|three|four|five|"
    r"six|ten|\d)|list (?:a|an|some|three|five|ten|the (?:main|most|top|best|differ|plan|benefit|"
    r"advant|pros)|\d)|recommend|suggest|teach|define|compare|"
    r"give (?:me|us) (?:a|an|some|your|\w+)? ?(?:\w+ )?(?:advice|tips?|ideas?|examples?|reasons?|"
    r"facts?|hints?|suggestions?|opinion|overview|summary|explanation|arguments?)|"
    r"invent|come up with|create (?:a|an) (?:\w+ )?(?:poem|story|song|slogan|joke|dialogue|"
    r"tagline|haiku|limerick|riddle)|make up|help me (?:understand|write|think)|talk about|act as|"
    r"roleplay|proofread|correct)\b"
)
_GENERAL = re.compile(
    r"(?i)^(?:why\b|who(?:'s|se|m)?\b|how (?:do (?!i\b|we\b|you say)|does|did|can|could|should|"
    r"would|are|was|were|come|to|old|important|big|tall|deep|long (?:does|do|did) it|"
    r"is \w+ (?:made|produced|formed|calculated|created|used|built|defined|different))\b|"
    r"what(?:'s| is| are| was| were) (?:an?|your|the (?:difference|history|origin|meaning|purpose|"
    r"best|worst|most|largest|biggest|smallest|tallest|capital|point|plot|reason|advantage|"
    r"benefit|role|idea|concept|main|average|typical|population|first|oldest|definition|word for|"
    r"etymology|rules?|secret|future)\w*)\b|"
    r"what (?:does|do|did|makes?|made|causes?|caused|happens?|happened|should|would|could|kinds?|"
    r"types?|sorts?|are (?:some|the (?:benefits?|advantages?|differences?|pros|causes?|rules|main|"
    r"most|best|largest)))\b|"
    r"(?:do|did|have|are|were) (?:you|people|they|we|most)\b|should\b|(?:is|are|was|were) (?:it|"
    r"(?!there)\w+) (?:(?:a|an|really|usually|often|always|ever|polite|possible|true|normal|"
    r"healthy|safe|better|good|bad|ok|okay|worth|legal|hard|difficult|easy|important) ?)+|"
    r"(?:are|is) .*\b(?:usually|generally|typically|always|often|ever|better than|important)\b|"
    r"when (?:was|were|did)\b|where (?:does|do|did|was|were)\b|"
    r"which\b|tell (?:me|us) about\b|in (?:what|which)\b|can (?:a|an|people|humans?|animals?|"
    r"you (?:explain|tell me (?:about|why|how|what|who|a|an|more)|describe|recommend|suggest|"
    r"write|summari[sz]e|teach|feel|think))\b|"
    r"could you (?:explain|tell me (?:about|why|how)|describe|recommend|suggest|write|summari[sz]e|teach)\b)"
)
_STATEMENT = re.compile(
    r"(?i)^(?:i (?:\w+ed|love|like|hate|enjoy|had|have|was|am|think|thought|believe|feel|felt|"
    r"went|saw|watched|read|heard|met|made|just|know|knew|got|bought|ate|"
    r"wrote|remember|wonder|can't|cannot|don't|didn't|always|never|usually|often|work|live)\b|"
    r"i'm \w+|i've\b|(?:my|our|the|he|she|they|it|we|this|that|his|her|their|it's|he's|she's|"
    r"they're|we're|there's|you're|your)\b|"
    r"[A-Z]\w+ (?:is|was|has|are)\b)"
)
_FOLLOWING = re.compile(r"(?i)^\s*(?:and|or|what about|how about|ok|okay|now|then|also|same|the same)\b")
_USUAL = re.compile(
    r"(?i)^what(?:'s| is| are) (?:an? |some )?(?:good|great|nice|better|fun)\b|"
    r"\b(?:usually|typically|generally|in general|on average|normally|in history|historically|ever)\b"
)
_QUESTION = re.compile(
    r"(?i)^(?:what|what's|where|where's|when|when's|how|how's|which|is|are|was|were|does|do|did|"
    r"has|have|will|can|could|would|should|any|who|who's|whose|am|may|might)\b"
)
_NOW = re.compile(
    r"(?i)\b(?:my|our|today|tonight|now|currently|current|latest|newest|recent|this (?:week|month|"
    r"morning|evening|afternoon|weekend|year)|tomorrow|is it(?: now)?|it is|next|upcoming|"
    r"right now|at the moment)\b"
)
_CLAUSES = re.compile(
    r"(?:,?\s+(?:and|&)(?: then| also| please)?\s+|,?\s+(?:then|also|plus|but also|as well as)\s+|"
    r"[;,]\s+(?:and )?(?:then |also )?|(?<=[a-z0-9\"')])[.!?]+\s+(?:then |also |and )?)(?=\S)",
    re.IGNORECASE,
)
_HEADS = GENERIC_VERBS | frozenset(
    listed(
        """what what's where where's when how how's is are will can could please tell who which text email call
        remind wake lock unlock rent assign rename transfer refund turn let dim write buy pay message
        notify translate compute help i i'd i'll also ask change increase decrease raise lower"""
    )
)
"""Words that a part of a request may begin with."""

DEGREES = frozenset(
    stem(word) for word in listed("low medium high small large normal open close start stop on off red")
)
"""Options that many functions have, and that tell none from another."""

GUESSABLE = frozenset(("enum", "bool", "object", "text", "topic", "kind", "list", "reason"))
"""Roles that a model may find a value for in a request that has none of the usual signs of it. A date, a number or an
address that was not said would be invented."""

_WRITING = frozenset(("write", "compose", "draft", "invent", "create", "imagine"))
_WRITTEN = _WRITING | frozenset(("send", "make", "mail", "email", "post", "save", "add", "new", "generate", "take"))
"""Verbs of functions that keep or send what is written."""

_DEEDS = {
    "ask": frozenset(listed("search find look lookup check list track query fetch view")),
    "make": frozenset(listed("create add book order send post transfer schedule reserve start open play rent buy pay")),
    "end": frozenset(listed("cancel delete remove stop close end refund disable unsubscribe")),
}
"""Verbs that cannot stand for one another."""

SPREADING = frozenset(("place", "symbol", "language", "currency", "id", "person"))
"""Roles of which a request that names several means one call for each."""


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
    return [each for one in wanted for each in _spread(one)]


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
    object: bool
    """Whether what is to be told or written is the very thing that the function gives."""

    @property
    def total(self) -> float:
        return (
            self.topic
            + 2 * self.ratio
            + 0.3 * len(self.filled.sure)
            + 0.1 * len(self.filled.arguments)
            - 0.5 * self.filled.left
        )

    @property
    def holds(self) -> bool:
        """Whether the request asks for it."""
        required = required_of(self.tool)
        particular = bool(self.filled.sure & required) if required else bool(self.filled.sure) or self.now
        if self.topic < TOPIC or self.form == "none":
            return False
        match self.form:
            case "command":
                known = self.filled.sure | self.filled.pointed
                meant = self.named or bool(known) or not required or self.topic >= TOPIC + 1
                return meant and not _unguessable(self.tool, self.filled.missing)
            case "question":
                known = self.filled.sure | self.filled.pointed
                return self.ratio == 1 and (particular or (self.named and bool(required) and required <= known))
            case "creative":
                return self.object and required <= self.filled.sure
            case _:
                return self.ratio == 1 and bool(required) and required <= self.filled.sure and self.topic >= TOPIC + 0.5


def _unguessable(tool: FunctionTool, missing: Sequence[str]) -> list[str]:
    """Of missing parameters, those that only the user can know."""
    properties = parameters_of(tool)
    return [name for name in missing if Param(name, properties[name], True, tool).role not in GUESSABLE]


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
    for cuts in _cuttings(request):
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
                case.filled.sure and other.filled.sure and case.filled.arguments != other.filled.arguments
            ):
                return []
        cases.append(case)
        wanted.append(Wanted(case.tool, part))
    return wanted


def _choose_any_part(request: str, tools: Sequence[FunctionTool]) -> list[Wanted]:
    """A request among other things: "Hi! I am in a hurry. What's the weather in Rome?"."""
    parts = re.split(r"(?<=[.!?;])\s+", request)
    parts = parts if len(parts) > 1 else next(_cuttings(request), [])
    return [wanted for part in parts for wanted in _choose_whole(part, tools)] if len(parts) > 1 else []


def _cuttings(request: str) -> Iterator[list[str]]:
    """The ways to cut a request into parts that may stand by themselves: all cuts, then each cut alone."""
    closed = [value for value in read_values(request) if value.kind in ("quote", "name")]
    cuts = [
        match
        for match in _CLAUSES.finditer(request)
        if re.split(r"[\s,]", request[match.end() :])[0].lower().replace("’", "'") in _HEADS
        and not any(value.start <= match.start() < value.end for value in closed)
    ]
    cuts = cuts[:6]
    if cuts:
        yield _parts(request, cuts)
    if len(cuts) > 1:
        for cut in cuts:
            yield _parts(request, [cut])


def _parts(request: str, cuts: Sequence[re.Match[str]]) -> list[str]:
    starts, ends = [0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(request)]
    return [request[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def _resolve(part: str, before: Sequence[_Case]) -> str:
    """The part with "there" said in full."""
    if not before or not re.search(r"\bthere\b", part):
        return part
    case = before[-1]
    required = required_of(case.tool)
    for name, schema in parameters_of(case.tool).items():
        value = case.filled.arguments.get(name)
        if isinstance(value, str) and Param(name, schema, name in required, case.tool).role == "place":
            return re.sub(r"\bthere\b", f"in {value}", part)
    return part


def _consider(request: str, tool: FunctionTool) -> _Case:
    filled = fill(request, tool)
    required = required_of(tool)
    ratio = 1 - len(filled.missing) / len(required) if required else 1.0
    form = form_of(request)
    topic, named = _topic(request, tool, filled, form)
    return _Case(tool, form, topic, named, filled, ratio, bool(_NOW.search(request)), _is_object(request, tool))


def _is_object(request: str, tool: FunctionTool) -> bool:
    """Whether the function is what "tell me a joke" or "summarize this page" names: by its verb, or right behind it."""
    bare = _ASKING.sub("", _POLITE.sub("", request.strip()))
    _, nouns = _split_verb(split_name(tool.name))
    head = _head(request)
    if stem(head) in nouns:
        return True
    if head in _WRITING and split_name(tool.name)[0] not in _WRITTEN:
        return False
    spoken = {
        stem(word)
        for word in re.findall(r"[\w'-]+", re.split(r"(?i)[:,]|\b(?:about|on|for|of|in|to|with|from|that)\b", bare)[0])
    }
    return set(nouns) <= spoken


def form_of(request: str) -> Form:
    """How a request speaks: what it wants done, asks about a case, asks in general, wants written; or wants nothing."""
    text = request.strip()
    bare = _POLITE.sub("", text)
    if not bare.strip(" .!?") or (_SOCIAL.match(text) and not _is_request(bare)):
        return "none"
    asked = _ASKING.sub("", bare)
    wondered = _WONDERING.sub("", asked)
    if wondered != asked:
        return "general" if _GENERAL.match(wondered) or _USUAL.search(wondered) else "question"
    if _CREATIVE.match(asked):
        return "creative"
    if asked != bare:
        return "command"
    if _STATEMENT.match(bare) and not bare.rstrip().endswith("?"):
        return "command" if re.search(r"(?i)\b(?:please|i need|i want)\b", bare) else "none"
    if _USUAL.search(bare):
        return "none"
    if _GENERAL.match(bare):
        return "general"
    if _QUESTION.match(bare):
        return "question"
    return "question" if bare.rstrip().endswith("?") else "command"


def _is_request(text: str) -> bool:
    first = re.split(r"[\s,.!?]", text.strip())[0].lower()
    return (first in _HEADS or bool(_ASKING.match(text)) or len(text.split()) > 4) and not _SOCIAL.match(text)


def _head(request: str) -> str:
    """The first word of what is asked: the verb of a command."""
    bare = _ASKING.sub("", _POLITE.sub("", request.strip()))
    match = re.match(r"[A-Za-z'-]+", bare)
    return match.group().lower() if match else ""


def _topic(request: str, tool: FunctionTool, filled: Filled, form: Form) -> tuple[float, bool]:
    """How much of a request is about a function, and whether it uses a word of the function's name for it."""
    names = split_name(tool.name)
    verb, nouns = _split_verb(names)
    head = _head(request)
    values = read_values(request)
    spoken = _spoken(request, values, head) | {stem("percent") for value in values if value.unit == "percent"}
    described = {word for word in content_stems(tool.description) if word not in GENERIC_VERBS} - set(nouns)
    aside = (
        {stem(word) for name in parameters_of(tool) for word in split_name(name) if word not in FILLERS}
        - set(nouns)
        - described
    )
    score, named = 0.0, False
    for noun in nouns:
        if noun in spoken:
            score, named = score + 3, True
        elif any(akin(noun, word) for word in spoken):
            score += 2
    score += sum(1.0 for word in described if word in spoken)
    score += 0.5 * sum(
        1 for word in described if word not in spoken and groups(word) and any(akin(word, s) for s in spoken)
    )
    score += 0.8 * sum(1 for word in aside if word in spoken)
    score += 1.0 * any(word in spoken for word in _examples(tool))
    if verb and head and (stem(head) == stem(verb) or akin(stem(head), stem(verb))):
        score += (1.0 if verb in ("search", "find") else 0.5) if verb in WEAK_VERBS else 1.5
        score += 0.5 * len(filled.sure) if verb not in WEAK_VERBS else 0
    deed = "ask" if form == "question" else _deed(head)
    if deed and _deed(names[0]) and deed != _deed(names[0]):
        score -= 1.5
    return score + _kinds(request, tool, values, filled), named


def _deed(verb: str) -> str:
    """What sort of thing a verb does, if that is certain."""
    return next((deed for deed, verbs in _DEEDS.items() if verb in verbs), "")


def _examples(tool: FunctionTool) -> set[str]:
    """The stems of the example values that a function's parameters are described with."""
    shown = (
        re.search(r"(?i)\b(?:e\.?g\.?|such as|for example|like)[,:]? (.*)", str(schema.get("description", "")))
        for schema in parameters_of(tool).values()
    )
    return {word for match in shown if match for word in content_stems(match.group(1))}


def _split_verb(names: Sequence[str]) -> tuple[str, list[str]]:
    """The verb that a function's name begins with, if it is a common one, and the stems of the rest."""
    verb = names[0] if names and names[0] in GENERIC_VERBS else ""
    kept = [stem(word) for word in (names[1:] if verb else names) if word not in FILLERS]
    return verb, kept or [stem(word) for word in names]


def _spoken(request: str, values: Sequence[Value], head: str) -> set[str]:
    """The stems of a request's words, without quotations, and without a verb that could begin any request."""
    spoken = set()
    for match in re.finditer(r"[A-Za-z][A-Za-z'’-]*", request):
        if any(v.start <= match.start() < v.end for v in values if v.kind in ("quote", "email", "url", "file")):
            continue
        word = match.group().lower()
        if word == head and head in GENERIC_VERBS:
            head = ""
            continue
        if word not in FILLERS:
            spoken.add(stem(word))
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", request)]
    return spoken | {stem(one + other) for one, other in pairwise(words)}


def _kinds(request: str, tool: FunctionTool, values: Sequence[Value], filled: Filled) -> float:
    """What a request's values say about its topic: two currencies are about money, whatever the words."""
    required = required_of(tool)
    roles = [
        Param(name, schema, name in required, tool).role
        for name, schema in parameters_of(tool).items()
        if name in filled.arguments
    ]
    kinds: list[str] = [value.kind for value in values]
    score = 0.3 * len(filled.sure - required)
    said = {stem(word) for word in re.findall(r"[A-Za-z]+", request)}
    for name, schema in parameters_of(tool).items():
        if name in filled.sure and schema.get("enum"):
            telling = stem(str(filled.arguments[name])) in said - DEGREES
            score += 2.0 if telling and name in required else 0.5
    for kind, weight in (("currency", 2.0), ("unit", 1.5)):
        if roles.count(kind) >= 2 and kinds.count(kind) >= 2:
            score += weight
    for kind, weight in (
        ("email", 1.5),
        ("url", 1.0),
        ("language", 1.0),
        ("expression", 2.0),
        ("file", 0.5),
        ("color", 0.5),
        ("symbol", 0.5),
        ("phone", 1.0),
    ):
        if kind in roles and (kind in kinds or kind == "symbol"):
            score += weight
    return score


def _spread(wanted: Wanted) -> list[Wanted]:
    """One call for each, when a request names several of what a call takes one of."""
    tool, request = wanted.tool, wanted.request
    filled = fill(request, tool)
    required = required_of(tool)
    for name, schema in parameters_of(tool).items():
        value = filled.arguments.get(name)
        param = Param(name, schema, name in required, tool)
        if isinstance(value, str) and param.role in SPREADING and param.type == "string":
            start, end, items = _listed(request, value, param, filled)
            if items:
                return [replace(wanted, request=request[:start] + item + request[end:]) for item in items]
    return [wanted]


def _listed(request: str, value: str, param: Param, filled: Filled) -> tuple[int, int, list[str]]:
    """Where the list stands that a value is one of, and its items. No items: it stands alone."""
    values = read_values(request)
    own = next((v for v in values if value in (v.text, v.meaning)), None)
    start = own.start if own else request.find(value)
    alone: tuple[int, int, list[str]] = (0, 0, [])
    if start < 0 or re.search(r"(?i)between (?:the )?$", request[:start]):
        return alone
    if own is None:
        items = split_list(value) if re.search(r"\b(?:and|or)\b|&", value) else []
        return (start, start + len(value), items) if param.role == "place" and len(items) > 1 else alone
    if own.kind not in ("name", "language", "currency", "id", "number"):
        return alone
    noun = re.search(r"(\w+) #?$", request[:start])
    again = rf"(?:{noun.group(1)}\s+)?#?" if noun else "#?"
    end, items, joined = own.end, [own.text], False
    for other in (v for v in values if v.start > own.start):
        between = request[end : other.start]
        if other.kind != own.kind or not re.fullmatch(rf"(?:,\s+(?:and\s+|or\s+)?|\s+(?:and|&|or)\s+){again}", between):
            break
        if other.meaning in [each for each in filled.arguments.values() if isinstance(each, str)]:
            return alone
        joined |= bool(re.search(r"and|&|or", between))
        end = other.end
        items.append(other.text)
    return (start, end, items) if joined else alone
