"""Speaking: how a request speaks. Whether it wants something done, asks about a case or in general, wants something
written; or wants nothing. And the verb that it wants done.
"""

import re
from typing import Literal, TypeAlias

from turnwise.engine.rules.words import GENERIC_VERBS, is_verb, listed

Form: TypeAlias = Literal["command", "question", "general", "creative", "none"]

LONG = 2000
"""How many characters of a long request are looked at, at its head and at its end."""

POLITE = re.compile(
    r"(?i)^(?:\s*(?:please|plz|pls|kindly|hey|hi|hello|hi there|hey there|ok|okay|so|well|and|then|also|"
    r"now|thanks|assistant|computer|just|quickly|(?:oh|alright|great|cool|nice)(?=[,!.]))\b[,!.]?\s*)+"
)

ASKING = re.compile(
    r"(?i)^(?:(?:can|could|would|will|cud) (?:you|u|ya|we|i)(?: (?:please|plz|pls|kindly|maybe|possibly|quickly|"
    r"also))?|would you mind|i(?:'d| would)? (?:really )?(?:like|love|want|need|wish)(?: you)? to|"
    r"i(?:'d| would) like|i (?:really )?(?:want|need)|"
    r"i have to|i'll have|i'll take|we (?:need|want)(?: to)?|we'd like(?: to)?|help me(?: to)?|"
    r"let's|let us|let me|go ahead and|(?:i'm|we're|i am|we are) (?:looking (?:for|to)|after)|looking for|"
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
    r"(?i)^(?:write(?! to\b)|compose|draft|tell (?:me|us) (?:a|an|the|some|something|more|your)|describe|"
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
    r"would|are(?! (?-i:[A-Z]{2}))|was|were|come|to|old|important|big|tall|deep|long (?:does|do|did) it|"
    r"is \w+ (?:made|produced|formed|calculated|created|used|built|defined|different))\b|"
    r"what(?:'s| is| are| was| were) (?:an?|your|the (?:difference|history|origin|meaning|purpose|"
    r"best|worst|most|largest|biggest|smallest|tallest|capital|point|plot|reason|advantage|"
    r"benefit|role|idea|concept|main|average|typical|population|first|oldest|definition|word for|"
    r"etymology|rules?|secret|future)\w*)\b|"
    r"what (?:does|do|did|makes?|made|causes?|caused|happens?|happened|should|would|could|kinds?|"
    r"types?|sorts?|are (?:some|the (?:benefits?|advantages?|differences?|pros|causes?|rules|main|"
    r"most|best|largest)))\b|"
    r"(?:do|did|have|are|were) (?!(?:you|we|they) have (?:any|a|an|(?-i:[A-Z]\w*))\b)(?:you|people|they|we|most)\b|"
    r"(?:is|are|was|were) (?:an?|the) [\w-]+ (?:an?|really|the same)\b|should\b|(?:is|are|was|were) (?:it|"
    r"(?!there)\w+) (?:(?:a|an|really|usually|often|always|ever|polite|possible|true|normal|"
    r"healthy|safe|better|good|bad|ok|okay|worth|legal|hard|difficult|easy|important) ?)+|"
    r"(?:are|is) .*\b(?:usually|generally|typically|always|often|ever|better than|important)\b|"
    r"when (?:was|were|did)\b|where (?:does|do|did|was|were)\b|"
    r"what(?:'s| is| are) (?!it\b|up\b|new\b|next\b|on\b)(?-i:[a-z]+)\??$|"
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

_USUAL = re.compile(
    r"(?i)^what(?:'s| is| are) (?:an? |some )?(?:good|great|nice|better|fun)\b|"
    r"\b(?:usually|typically|generally|in general|on average|normally|usual|common|typical|"
    r"in history|historically|ever)\b"
)

_QUESTION = re.compile(
    r"(?i)^(?:what|what's|where|where's|when|when's|how|how's|which|is|are|was|were|does|do|did|"
    r"has|have|will|can|could|would|should|any|who|who's|whose|am|may|might)\b"
)

HEADS = GENERIC_VERBS | frozenset(
    listed(
        """what what's where where's when how how's is are will can could please tell who which text email call
        remind wake lock unlock rent assign rename transfer refund turn let dim write buy pay message
        notify translate compute help i i'd i'll also ask change increase decrease raise lower"""
    )
)
"""Words that a part of a request may begin with."""


def form_of(request: str) -> Form:
    """How a request speaks: what it wants done, asks about a case, asks in general, wants written; or wants nothing."""
    text = request.strip()
    bare = POLITE.sub("", text)
    if not bare.strip(" .!?") or (_SOCIAL.match(text) and not is_request(bare)):
        return "none"
    asked = ASKING.sub("", bare)
    wondered = _WONDERING.sub("", asked)
    if wondered != asked:
        return "general" if _GENERAL.match(wondered) or _USUAL.search(wondered) else "question"
    if _CREATIVE.match(asked):
        return "creative"
    if asked != bare:
        return "command"
    if _STATEMENT.match(bare) and not bare.rstrip().endswith("?"):
        asks = re.search(r"(?i)\b(?:please|i need|i want)\b", bare)
        return "command" if asks or _ends_in_command(bare) else "none"
    if _USUAL.search(bare):
        return "none"
    if _GENERAL.match(bare):
        return "general"
    if _QUESTION.match(bare):
        return "question"
    return "question" if bare.rstrip().endswith("?") and not is_verb(head_of(request)) else "command"


_ENDING = re.compile(
    r"(?i)(?:,| -| so| and) (?:please |just |so |then |can you |could you )?([a-z]+) (it|that|them|this|me|my|the)\b"
)


def _ends_in_command(text: str) -> bool:
    """Whether a statement goes on with what is wanted: "I'm off for a run, track it"."""
    tail = re.search(
        r"(?i)(?:,| -| so| and) (?:please |just |so |then )?([a-z]+) (?:it|that|them|this|me|my|the)\b", text
    )
    moved = re.search(
        r"(?i)(?:,| -| so| and) (?:please |just |so |then )?[a-z]+ (?:it|that|them|this) (?:up|down|on|off|to)\b", text
    )
    return moved is not None or (tail is not None and is_verb(tail.group(1).lower()))


def sentences(request: str) -> list[tuple[int, int]]:
    """From where to where the sentences of a request go. A quotation is not cut."""
    quotes = [match.span() for match in re.finditer(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)", request)]
    starts = [
        match.end()
        for match in re.finditer(r"(?<=[\w)'\"][.!?])\s+(?=\S)|\n+(?=\S)", request)
        if not any(start < match.start() < end - 1 for start, end in quotes)
        and not re.search(r"(?i)\b(?:dr|mr|mrs|ms|prof|st|no|vs|e\.g|i\.e)\.$", request[: match.start()])
    ]
    return list(zip([0, *starts], [*starts, len(request)], strict=True))


def main_sentence(request: str) -> int:
    """Where the sentence begins that says what is wanted: the first command, else question, else the first of all."""
    spans = sentences(request)
    tail = _ENDING.search(request)
    goes_on = tail is not None and tail.group(2).lower() in ("me", "my", "the") and is_verb(tail.group(1).lower())
    if tail is not None and goes_on and _STATEMENT.match(POLITE.sub("", request)):
        return tail.start(1)
    if len(spans) == 1:
        return 0
    forms = [form_of(request[start:end]) for start, end in spans]
    for form in ("command", "question", "general", "creative"):
        if form in forms:
            return spans[forms.index(form)][0]
    return 0


def is_request(text: str) -> bool:
    """Whether a text asks for something behind its greeting."""
    first = re.split(r"[\s,.!?]", text.strip())[0].lower()
    return (first in HEADS or bool(ASKING.match(text)) or len(text.split()) > 4) and not _SOCIAL.match(text)


def head_of(request: str) -> str:
    """The first word of what is asked: the verb of a command."""
    bare = ASKING.sub("", POLITE.sub("", request.strip()))
    match = re.match(r"[A-Za-z'-]+", bare)
    return match.group().lower() if match else ""


def shortened(request: str) -> str:
    """A long request's head and end: what is wanted stands there."""
    return request if len(request) <= 2 * LONG else f"{request[:LONG]}\n{request[-LONG:]}"
