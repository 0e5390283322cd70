"""Questions: what one searches for, what an answer to it must speak of, and what it must hold.

"Who won the last Super Bowl?" is about the Super Bowl, asks who won (or who defeated whom: other words say the same),
wants a name for an answer, and of several the latest.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from turnwise.engine.fitting import is_common, stems
from turnwise.engine.rules.addresses import addresses_in
from turnwise.engine.rules.speaking import ASKING, POLITE
from turnwise.engine.rules.words import FILLERS, listed, stem

LONGEST_QUERY = 200
"""In characters: what is said beyond that says little to a search engine."""

_WISH = re.compile(
    r"(?i)^(?:(?:do|run) a (?:web |google |quick )?search (?:for|on|about)|(?:google|search|look up|look for|"
    r"find out|find"
    r"|research|check)(?: (?:on )?(?:the )?(?:web|internet|online|google|news))?(?: (?:for|about|on))?|"
    r"(?:tell|show|give) (?:me|us)(?: (?:more|something))?(?: about)?|(?:do you )?know|explain|describe|"
    r"i want to know)\b"
    r"(?: (?:if|whether))?[\s:,]*"
)
_SAME = tuple(
    (frozenset(map(stem, listed(same))), frozenset(map(stem, listed(hinting))))
    for same, _, hinting in (words.partition("|") for words in (
        "win won winner winning victory defeat defeated beat beaten triumph clinch|champion champions title",
        "lose lost loser defeat defeated beaten runner-up",
        "second runner-up silver",
        "write wrote written writer author|novel book",
        "paint painted painter painting",
        "invent invented inventor invention",
        "discover discovered discoverer discovery",
        "die died death dead",
        "born birth birthday",
        "found founded founder establish established foundation",
        "direct directed director",
        "build built architect construct constructed",
        "live lives inhabitant inhabitants population people resident residents",
        "cost costs price priced worth",
        "tall high height",
        "long length",
        "old age aged",
        "begin began start started open opened",
        "end ended close closed",
        "place played held hosted venue stadium located",
        "own owned owner belong",
        "lead led leader head chief president ceo",
        "buy bought acquire acquired purchase",
        "marry married wife husband spouse",
        "capital seat",
        "film movie",
        "car vehicle",
        "company firm",
    ))
)  # fmt: skip
"""Words with which questions and answers say the same; behind the bar, words that only hint at it."""
LATEST = re.compile(r"(?i)\b(?:last|latest|newest|most recent|recent(?:ly)?|current(?:ly)?|now|today|this year|new)\b")
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)"
)
_DATE = re.compile(
    rf"\b(?:1\d{{3}}|20\d\d)\b|\b{_MONTH}\.? \d|\b\d\d? {_MONTH}\b|\b\d\d?:\d\d\b|\b\d\d? ?[ap]\.?m\b|"
    r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b"
)
_NAME = re.compile(
    r"(?<![.!?] )(?<!^)\b[A-ZÀ-ÖØ-Þ][\w'’-]+|^[A-ZÀ-ÖØ-Þ][\w'’-]+(?: (?:[a-z]{1,3} )?[A-ZÀ-ÖØ-Þ][\w'’-]+)+"
)
_SCORE = re.compile(r"\b\d{1,3} ?[-–—:] ?\d{1,3}\b(?! ?[-–/])")
_QUANTITY = re.compile(
    r"(?i)(?<![\w-])\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    r"hundred|"
    r"thousand|million|billion|dozen|half)\b"
)
_PLACE = re.compile(r"\b(?:in|at|near|into) (?:the )?[A-ZÀ-ÖØ-Þ]\w+")


@dataclass(frozen=True, slots=True)
class Need:
    """What the answer to a question must hold."""

    asked: str
    """A pattern of questions."""
    holds: Callable[[str, frozenset[str]], bool]
    """Whether a sentence holds it, given the words of the question."""
    is_named: bool = True
    """Whether the words of the pattern only name what is asked for, and the answer need not have them."""


def _names(sentence: str, asked: frozenset[str]) -> bool:
    """Whether it names someone or something that the question does not."""
    return any(word.lower() not in asked for name in _NAME.findall(sentence) for word in name.split())


def _has(pattern: re.Pattern[str]) -> Callable[[str, frozenset[str]], bool]:
    return lambda sentence, _: bool(pattern.search(sentence))


NEEDS = (
    Need(r"\bwhat (?:was|is|were) the (?:final )?(?:score|result)\b|\bfinal score\b", _has(_SCORE)),
    Need(
        r"\bwho(?:m|se|'s)?\b|\bwhich (?:team|player|person|country|company|club|party)\b|\bwinner\b",
        _names,
    ),
    Need(
        r"\bwhen\b|\bwhat (?:year|date|day|time)\b|\b(?:which|what) (?:month|year)\b",
        _has(_DATE),
    ),
    Need(
        r"\bwhere\b|\b(?:which|what) (?:city|place|country|town)\b",
        lambda sentence, asked: bool(_PLACE.search(sentence)) and _names(sentence, asked),
    ),
    Need(
        r"\bhow (?:many|much|old|tall|high|long|far|deep|big|large|fast|heavy|often|wide)\b|\bpopulation\b|"
        r"\bprice of\b|\bcost\b",
        _has(_QUANTITY),
        is_named=False,
    ),
)
"""Kinds of questions. The first that fits is the kind of one."""


def need_of(question: str) -> Need | None:
    """What the answer to a question must hold. None: nothing in particular."""
    return next((need for need in NEEDS if re.search(need.asked, question, re.IGNORECASE)), None)


def query_of(request: str, before: str = "") -> str:
    """What to search for. `before`: the request that this one goes on from, where it does not stand by itself."""
    text = bare_question(request)
    text = re.sub(r"\s+", " ", text).strip(" .?!,;:")
    if before:
        text = f"{re.sub(r'(?i)^(?:and|but|so|what about|how about) ', '', text)} {' '.join(_left_of(before, text))}"
    return text[:LONGEST_QUERY].strip() or request[:LONGEST_QUERY].strip()


def _left_of(before: str, said: str) -> list[str]:
    """The words of an earlier request that a later one still means: what it was about, but no name where the later one
    has another, and not what it asked about that where the later one asks something else."""
    own = {stem(word) for word in re.findall(r"[\w'’-]+", said)}
    names, deeds = bool(_NAME.search(said)), any(alike_to(word) for word in own)
    words = [word for word in re.findall(r"[\w'’-]+", bare_question(before)) if is_telling(word)]
    return [
        word
        for word in dict.fromkeys(words)
        if stem(word) not in own and not (names and word[0].isupper()) and not (deeds and alike_to(word))
    ]


def bare_question(request: str) -> str:
    """A question without what is said around it: "Hi! Could you look up who won?" is "who won"."""
    text = POLITE.sub("", request.strip())
    text = _WISH.sub("", ASKING.sub("", text)) or text
    return re.sub(
        r"(?i)[\s,]+(?:please|for me|on (?:the )?(?:web|internet|google)|online|thanks|thank you)[.!?]*$", "", text
    )


def is_telling(word: str) -> bool:
    """Whether a word says something of what is searched for."""
    return word.lower() not in FILLERS and not is_common(word.lower())


def asked_words(question: str, need: Need | None) -> frozenset[str]:
    """What a question speaks of."""
    text = LATEST.sub(" ", bare_question(_without_addresses(question)))
    rest = text if need is None or not need.is_named else re.sub(need.asked, " ", text, flags=re.IGNORECASE)
    return meaning(rest) or meaning(text) or meaning(question)


def _without_addresses(question: str) -> str:
    """A question without where to look for its answer."""
    for address in addresses_in(question):
        question = re.sub(
            rf"(?i)(?:,? ?(?:according to|see|visit|read|use|on|at|from|in|of) )?<?{re.escape(address)}>?",
            " ",
            question,
        )
    return question


@cache
def alike_to(word: str) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """The groups of words that say the same as one does."""
    return tuple(group for group in _SAME if stem(word) in group[0])


def meaning(text: str) -> frozenset[str]:
    return frozenset(word for word in stems(text) if not is_common(word) and word not in FILLERS)
