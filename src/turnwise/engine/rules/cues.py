"""Cues: parameters that a request calls by their names. "The subject 'Lunch'", "memo: rent", "the analytics database".

What a request says beside a parameter's own name is the surest sign there is, so it is looked for before anything is
read off prepositions or left over. A name is a cue by its head: `playlist_name` by "playlist", `issueTitle` by "title".
"""

import re
from collections.abc import Sequence

from turnwise.domain.content import JSON
from turnwise.engine.rules.lists import split_list
from turnwise.engine.rules.parameters import Param
from turnwise.engine.rules.reading import ARTICLES, MARKERS, Reading, Word
from turnwise.engine.rules.words import FILLERS, GENERIC_VERBS, akin, listed, split_name, stem

_CUED = frozenset(listed("text topic reason object work kind person list symbol id place"))
"""Roles whose values may be any words."""

_HEADLESS = frozenset(listed("name id number code type text value key title label slug ref"))
"""Words that leave it to the one before them to say what is meant, in `channel_name`."""

_BODILY = frozenset(
    stem(word)
    for word in listed("door light lamp window blind curtain gate speaker fan device appliance tv plant camera plug")
)
"""Things that one calls by two words, of which this is the second: "the front door"."""

_LINKS = frozenset(listed("is are of as called named titled entitled saying reads reading says should be being"))
"""Words between a parameter's name and its value."""

_SAYING = frozenset(("saying", "says", "telling"))

_OWN_MARKERS = frozenset(listed("since until before after with about near via against"))
"""Markers that may be a parameter's name."""

_WRITTEN = frozenset(("text", "topic", "reason"))
"""Roles whose values go on to the end of what is said."""


def fill_cued(reading: Reading, params: Sequence[Param], *, texts: bool = False) -> None:
    """Give those parameters their values that the request calls by name; or (`texts`) only what it says word for word,
    as in "the note that one of us is late", so that no number in it is taken for something else.
    """
    cues = {param.path: _cue(param) for param in params}
    shared = list(cues.values())
    for param in () if texts else params:
        if param.name in _OWN_MARKERS and param.path not in reading.arguments and param.role not in ("number", "bool"):
            _take_phrase(reading, param)
    for param in params:
        if param.path not in reading.arguments:
            _take_condition(reading, param)
            _take_told(reading, param)
        if param.path not in reading.arguments and not texts:
            _take_deed(reading, param)
    for param in params:
        cue = cues[param.path]
        if param.role not in _CUED or param.path in reading.arguments or not cue or shared.count(cue) > 1:
            continue
        others = {each for each in shared if each and each != cue}
        for at, word in enumerate(reading.words):
            spoken = word.stem == cue and word.start > min(reading.lead, 1) and not reading.in_name(word)
            if texts and not (spoken and param.role in _WRITTEN and _is_linked(reading, at)):
                continue
            told = reading.request[word.end : word.end + 1] == ":" and param.role not in _WRITTEN
            if spoken and told and _take_before(reading, param, at):
                break
            if spoken and (_take_behind(reading, param, at, others) or _take_before(reading, param, at)):
                break


def _take_told(reading: Reading, param: Param) -> None:
    """The value of one more wish about the same thing: "..., tag it home", "and call it Spring"."""
    words = {"label": ("label", "tag"), "tag": ("tag", "label"), "name": ("call", "name"), "titl": ("call", "title")}
    verbs = next((words[word] for word in param.words if word in words), ())
    if not verbs or param.path in reading.arguments or param.role == "enum" or param.type not in ("string", "array"):
        return
    said = re.search(
        rf"(?i)(?:,| and|[.;]) (?:please )?(?:{'|'.join(verbs)}) (?:it|this|that|them) (?:as |with )?(.+?)(?:[.,;]|$)",
        reading.request,
    )
    if said and reading.free(*said.span(1)):
        text = said.group(1).strip("'\"“” ")
        items: list[JSON] = [*split_list(text)]
        reading.take(param, items if param.type == "array" else text, said.span())


def _take_deed(reading: Reading, param: Param) -> None:
    """The value of a parameter that is named for a deed: "sorted by price" of `order_by`, "assign it to ana" of
    `assignee`.
    """
    names = split_name(param.name)
    if param.type != "string" or param.role == "enum":
        return
    if names[-1] == "by" and len(names) > 1:
        said = next(
            (
                m
                for m in re.finditer(r"(?i)\b(\w+) by (?:the )?([\w.]*\w)", reading.request)
                if akin(stem(m[1]), stem(names[0]))
            ),
            None,
        )
    elif len(names[0]) > 5 and (verb := re.match(r"(\w{4,}?)(?:ees?|ers?|ors?|ed|ment)$", names[0])):
        said = re.search(
            rf"(?i)\b({verb[1]}(?:ed)?) (?:it |this |that |them )?to @?([A-Za-z][\w.@-]*\w)", reading.request
        )
    else:
        return
    if said and reading.free(*said.span()) and said[2].lower() not in ARTICLES | {"me"}:
        named = next((v for v in reading.of_kind("name", "email") if v.start <= said.start(2) < v.end), None)
        reading.take(param, named.text if named else said[2], (said.start(), named.end if named else said.end()))


def _take_condition(reading: Reading, param: Param) -> None:
    """What stands behind "where", for a parameter that takes a condition: "where status = 'old'"."""
    if param.type != "string" or not (param.name == "where" or {"condition", "filt"} & set(param.hints)):
        return
    said = re.search(
        r"(?i)\bwhere (\S+ (?:[=<>!]+|is|are|in|like|was)\s.+?)(?:, |[.?!]?$)",
        reading.request,
    )
    if said and reading.free(*said.span()):
        reading.take(param, said.group(1), said.span())


def _take_phrase(reading: Reading, param: Param) -> None:
    """What stands behind "since", for a parameter of that name."""
    for phrase in reading.phrases:
        if phrase.marker == param.name and phrase.words:
            start, end = reading.trim(phrase.words[0].start, phrase.end)
            if end > start and reading.free(start, end):
                reading.take(param, reading.request[start:end], (phrase.start, end))


def _cue(param: Param) -> str:
    """The word of a parameter's name that says what it is."""
    words = split_name(param.name)
    while len(words) > 1 and words[-1] in _HEADLESS - {"title", "label"}:
        words.pop()
    if words and re.fullmatch(r"(?:user|host|nick|branch)name", words[-1]):
        return stem(words[-1].removesuffix("name"))
    return stem(words[-1]) if words and words[-1] not in MARKERS and words[-1] not in ("value", "id") else ""


def _take_behind(reading: Reading, param: Param, at: int, others: set[str]) -> bool:
    """The value behind its name: "labels bug and frontend", "title is 'Lunch'"."""
    cue = reading.words[at]
    rest = reading.words[at + 1 :]
    linked = reading.request[cue.end : cue.end + 1] == ":" or (
        param.role in _WRITTEN and _is_introduced(reading, at) and bool(rest) and rest[0].low not in MARKERS
    )
    links = _LINKS | {"that"} if param.role in _WRITTEN else _LINKS
    while rest and rest[0].low in links and not linked:
        linked = True
        rest = rest[1:]
        while rest and rest[0].low in _LINKS | {"the"}:
            rest = rest[1:]
        while len(rest) > 1 and rest[0].low in ("now", "currently", "actually", "really"):
            rest = rest[1:]
    if not rest or (not linked and not _touches(reading, cue, rest[0])):
        return False
    if not linked and re.search(r"[a-z]{3}ed$", rest[0].text) and reading.outside_quotes(rest[0]):
        return False
    codes = ("id", "number") if param.role in ("id", "symbol") else ()
    value = next((v for v in reading.of_kind("quote", "name", *codes) if v.start <= rest[0].start < v.end), None)
    quoted = next((v for v in reading.of_kind("quote") if 0 <= v.start - cue.end <= 12), None)
    if (quoted is not None and not reading.request[cue.end : quoted.start].strip(" :=")) or (value is None and quoted):
        value = quoted
    if value is not None and (value.kind == "quote" or (param.role not in ("list",) and param.role not in _WRITTEN)):
        text = reading.request[rest[0].start : value.end].lstrip("#") if value.kind == "id" else value.text
        reading.take(param, [text] if param.role == "list" else text, (cue.start, value.end))
        return True
    if (
        (param.role in ("place", "person") and not linked and not reading.is_pointed(cue.start))
        or rest[0].low in MARKERS
        or (not linked and (rest[0].low in FILLERS or cue.text[-1:] == "s" != param.name[-1:]))
    ):
        return False
    run = _run(reading, rest, others, to_the_end=linked and param.role in _WRITTEN, listed=param.role == "list")
    return _take_run(reading, param, run, (cue.start, run[-1].end)) if run else False


def _is_introduced(reading: Reading, at: int) -> bool:
    """Whether "with" or "and" stands before a name: "with subject Lunch and body See you there"."""
    before = [word.low for word in reading.words[max(0, at - 2) : at] if word.low not in ARTICLES]
    if re.search(r",\s*$", reading.request[: reading.words[at].start]):
        return True
    return before[-1:] in (["with"], ["and"])


def _is_linked(reading: Reading, at: int) -> bool:
    following = reading.words[at + 1 : at + 2]
    colon = reading.request[reading.words[at].end : reading.words[at].end + 1] == ":"
    if _is_introduced(reading, at) and following and following[0].low not in MARKERS:
        return True
    return colon or (bool(following) and following[0].low in (_LINKS | {"that"}) - {"of", "as"})


def _take_before(reading: Reading, param: Param, at: int) -> bool:
    """The value before its name, as in "the analytics database"."""
    if param.role in ("place", "person", "id", "text", "reason"):
        return False
    cue = reading.words[at]
    if cue.low.endswith("ed"):
        return False
    chunk: list[Word] = []
    for word in reversed(reading.words[max(0, at - 5) : at]):
        following = chunk[0] if chunk else cue
        if word.low in ARTICLES or word.low in MARKERS or not _touches(reading, word, following):
            break
        chunk.insert(0, word)
    else:
        return False
    opening = word
    definite = opening.low in ARTICLES - {"a", "an", "some", "any"} or opening.low in ("in", "on", "to", "from")
    telling = [each for each in chunk if each.low not in GENERIC_VERBS and each.stem not in reading.nouns]
    if not telling or not definite or len(chunk) > 3 or any(not reading.free(w.start, w.end) for w in chunk):
        return False
    before = reading.words[reading.words.index(opening) - 1] if opening.low in ARTICLES else opening
    start = before.start if before.low in MARKERS else opening.start
    return _take_run(reading, param, [*chunk, cue] if cue.stem in _BODILY else chunk, (start, cue.end))


def _touches(reading: Reading, one: Word, other: Word) -> bool:
    return not reading.request[one.end : other.start].strip(" \t\"'“‘`")


def _run(reading: Reading, words: Sequence[Word], others: set[str], *, to_the_end: bool, listed: bool) -> list[Word]:
    """The words of a value that begins here."""
    run: list[Word] = []
    for word in words:
        between = reading.request[run[-1].end : word.start] if run else ""
        if not reading.free(word.start, word.end) or re.search(r"[.!?;:]\s", between) or (run and word.low in _SAYING):
            break
        if word.stem in others and run and (run[-1].low in ("and", "with", "the") or "," in between):
            run = run[:-1] if run[-1].low in ("and", "with", "the") else run
            break
        if not to_the_end and (word.low in MARKERS - {"of"} or ("," in between and not listed)):
            break
        if not to_the_end and not listed and (word.low in ("and", "or", "please") or reading.is_stray_value(word)):
            break
        run.append(word)
    while run and run[-1].low in ("and", "with", "please", "the", "for", "to", "thanks"):
        run.pop()
    return run


def _take_run(reading: Reading, param: Param, run: Sequence[Word], span: tuple[int, int]) -> bool:
    text = reading.request[run[0].start : run[-1].end]
    if all(word.low in GENERIC_VERBS or word.low in ARTICLES or word.low in MARKERS for word in run):
        return False
    items: list[JSON] = [*split_list(text)]
    reading.take(param, items if param.role == "list" else text, span)
    return True
