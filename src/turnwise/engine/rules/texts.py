"""Texts: parameters that take words. A topic, a reason, a message; or whatever the request still has to say."""

import re
from itertools import pairwise, takewhile

from turnwise.engine.rules.parameters import Param, read_parameters
from turnwise.engine.rules.reading import ARTICLES, MARKERS, POINTERS, Reading
from turnwise.engine.rules.values import Value
from turnwise.engine.rules.words import FILLERS, GENERIC_VERBS, listed, stem

_TEXT_TAIL = re.compile(
    r"(?i)(?:\b(?:saying|says|say|reading|reads|telling (?:him|her|them|\w+)(?: that)?|(?:tell|"
    r"inform|ask|remind) (?:him|her|them|(?-i:[A-Z]\w+)|everyone|everybody)(?: that)?|"
    r"with the (?:message|text|body|words|content)|the (?:text|words?|phrase|sentence|message)|"
    r"to say)\b:?(?: that)?|(?<=[\w'\"”]):|\bthat\b)\s+(?P<tail>\S.*)$",
    re.DOTALL,
)

_OPEN = frozenset(listed("query search keyword term question q prompt task text searchterm"))
"""Words of a parameter that takes all that is left, and not merely the first piece of it."""


_VAGUE_KINDS = frozenset(listed("good nice best great new cheap nearest next more other favorite favourite popular"))
"""Adjectives that say nothing of what kind a thing is."""

_NOTES = frozenset(stem(word) for word in listed("note memo remark"))

_DONE = frozenset(stem(word) for word in listed("what task todo action reminder title text thing description activity"))
"""Words of a parameter that takes what is to be done."""


_COMMANDS = "let|tell|notify|inform|send|email|text|message|remind|don't|do not|make|set|mark|add|ask|assign"
"""Verbs that one more wish begins with: "because it is late, and let them know"."""

_FOREIGN = re.compile(r"(?i)(?:what(?:'s| is| are)|how (?:do|would|can) (?:you|i|we) say) (?P<said>.+) in ")
"""What somebody wants to hear in another language: "What is good night in Italian?"."""

_PURPOSE = re.compile(
    r"(?i)\bto (?:discuss|talk (?:about|over|through)|go (?:over|through)|chat about|walk through|speak about)\s+"
    r"(?P<what>\S.*)$",
    re.DOTALL,
)
"""What people meet for: "to discuss the plan"."""


def fill_topic(reading: Reading, param: Param) -> None:
    """Take what something is about or called, or why it is done."""
    hinted = reading.hinted(param)
    if hinted:
        reading.take(param, hinted.text, (hinted.start, hinted.end))
        return
    markers = POINTERS[param.role]
    clause = (
        re.search(r"\b(?:because|since|due to|as)\s+(?:of\s+)?(\S.*)$", reading.request)
        if param.role == "reason"
        else None
    )
    if clause:
        goes_on = re.search(rf"(?i),? and (?:please |then |also )?(?:{_COMMANDS})\b", clause.group(1))
        stretch = reading.trim(clause.start(1), clause.start(1) + goes_on.start() if goes_on else clause.end(1))
        reading.take(param, reading.request[slice(*stretch)], stretch)
        return
    talked = _PURPOSE.search(reading.request, reading.lead) if param.role == "topic" else None
    if talked and reading.free(talked.start("what"), talked.start("what") + 1):
        stretch = reading.trim(*talked.span("what"))
        reading.take(param, reading.request[slice(*stretch)], (talked.start(), stretch[1]))
        return
    strong = [m for m in markers if m not in ("on", "for", "since")]
    for phrase in reading.phrases_with(strong):
        titled = phrase.marker in ("called", "named", "titled", "entitled", "labeled", "labelled")
        whole = titled and all(reading.in_name(word) for word in phrase.words)
        span = reading.content(phrase, talk=False, extend=not whole)
        if span:
            reading.take(param, reading.request[slice(*span)], span)
            return
    quotes = reading.of_kind("quote")
    if quotes:
        reading.take(param, quotes[0].text, (quotes[0].start, quotes[0].end))
        return
    tail = re.search(r"(?<=[\w'\"”]):\s+(\S.*)$", reading.request)
    stretch = reading.trim(*tail.span(1)) if tail else (0, 0)
    if tail and reading.free(*stretch) and param.role == "topic":
        reading.take(param, reading.request[slice(*stretch)], stretch)
        return
    if (param.required or param.role == "reason") and _fill_aside(reading, param):
        return
    if param.required or param.role == "reason" or "label" in param.words:
        for phrase in reading.phrases_with([m for m in markers if m not in strong]):
            span = reading.content(phrase, talk=False)
            if span and not reading.is_talk(span):
                reading.take(param, reading.request[slice(*span)], span, sure=False)
                return
    if param.required:
        fill_object(reading, param)


def fill_text(reading: Reading, param: Param) -> None:
    """Take a message: quoted, behind "saying" or a colon, else what is to be done."""
    foreign = _FOREIGN.match(reading.request)
    if foreign and param.required and any(v.kind == "language" and v.start == foreign.end() for v in reading.values):
        reading.take(param, foreign.group("said").strip("'\"“”"), foreign.span("said"))
        return
    hinted = reading.hinted(param, ("quote",))
    quotes = [hinted] if hinted else reading.of_kind("quote")
    if quotes:
        reading.take(param, quotes[0].text, (quotes[0].start, quotes[0].end))
        return
    tail = _TEXT_TAIL.search(reading.request, reading.lead)
    to_do = tail is not None and not param.required and tail.group("tail").startswith("to ")
    if tail and not to_do and reading.free(tail.start("tail"), tail.start("tail") + 1):
        stretch = reading.trim(*tail.span("tail"))
        if stretch[1] > stretch[0]:
            reading.take(param, reading.request[slice(*stretch)], stretch)
            return
    if _fill_aside(reading, param):
        return
    if not param.required:
        _fill_note(reading, param)
        return
    infinitive = find_infinitive(reading)
    if infinitive:
        reading.take(param, reading.request[slice(*infinitive)], infinitive, sure=False)
        return
    about = next(iter(reading.phrases_with(("about",))), None)
    span = head_object(reading) or (reading.content(about, talk=False, extend=True) if about else None)
    if span:
        reading.take(param, reading.request[slice(*span)], span, sure=False)


def _fill_aside(reading: Reading, param: Param) -> bool:
    """What is said behind a comma, at the end, and is nothing else: "$40 for meals, lunch with a client"."""
    aside = re.search(
        r"(?<=\w)(?:,| -| –| —) (?!(?:and|or|but|please|then|also|thanks)\b)([^,.;!?]+)[.!]?$", reading.request
    )
    subject = r"(?i)(?:one|two|three|four|my|our|his|her|the) [a-z]+ (?:is|are|has|have|needs?|was|were)\b"
    whole = aside is not None and re.match(subject, aside.group(1)) is not None
    if aside and not any(
        aside.start(1) <= value.start < aside.end(1) and value.kind != "name" and not whole for value in reading.values
    ):
        words = [word for word in reading.words if aside.start(1) <= word.start < aside.end(1)]
        told = [word for word in words if word.stem not in reading.talk and not reading.is_idle(word, articles=False)]
        clause = re.match(r"(?i)(?:it|he|she|they|we|i|there|no|not|without|extra|only)\b ?\w", aside.group(1))
        if (len(told) > 1 or clause) and all(reading.free(word.start, word.end) for word in words):
            reading.take(param, aside.group(1), aside.span(1))
            return True
    return False


def _fill_note(reading: Reading, param: Param) -> None:
    """What something is for, where a note on it may be left: "$35 for the concert tickets"."""
    for phrase in reading.phrases_with(("for",)) if set(param.words) & _NOTES else ():
        span = reading.content(phrase, talk=False)
        if span and not reading.is_talk(span):
            reading.take(param, reading.request[slice(*span)], span, sure=False)
            return


def find_infinitive(reading: Reading) -> tuple[int, int] | None:
    """Where "to" is followed by what is to be done."""
    for phrase in reading.phrases[1:]:
        if (
            reading.is_verb_phrase(phrase)
            and phrase.words[0].stem not in reading.talk
            and reading.free(phrase.words[0].start, phrase.words[0].end)
        ):
            if any(v.start <= phrase.words[0].start < v.end for v in reading.values):
                continue
            return reading.trim(phrase.words[0].start, len(reading.request))
    return None


def fill_object(reading: Reading, param: Param) -> None:
    """Take whatever the request still has to say: hinted at, quoted, behind a colon, or left over."""
    if not param.required and (_fill_example(reading, param) or _fill_modifier(reading, param)):
        return
    hinted = reading.hinted(param) or _path(reading, param)
    if hinted:
        reading.take(param, hinted.text, (hinted.start, hinted.end))
        return
    if _fill_compound(reading, param):
        return
    quotes = reading.of_kind("quote")
    other = _beside_quote(reading, param) if len(quotes) == 1 else None
    if other is not None:
        reading.take(param, other.text, (other.start, other.end))
        return
    if quotes and (param.required or not reading.arguments):
        reading.take(param, quotes[0].text, (quotes[0].start, quotes[0].end))
        return
    tail = re.search(r"(?<=[\w'\"”]):\s+(\S.*)$", reading.request)
    stretch = reading.trim(*tail.span(1)) if tail else (0, 0)
    if tail and param.required and reading.free(*stretch):
        reading.take(param, reading.request[slice(*stretch)], stretch)
        return
    if not param.required:
        fill_optional(reading, param)
        return
    span = residue(reading, param)
    if span:
        name = next((v for v in reading.values if v.kind == "name" and span[0] <= v.start and v.end <= span[1]), None)
        if name is not None and reading.request[name.end : span[1]] in ("'s", "’s"):
            span = (span[0], name.end)
        text = reading.request[slice(*span)]
        bare = re.fullmatch(r"(?:please )?\w+ (\w+)[.!?]*", reading.request, re.IGNORECASE)
        alone = (
            bare is not None
            and bare.group(1) == text
            and text.isalpha()
            and param.required
            and not reading.is_talk(span)
        )
        reading.take(param, text, span, sure=name is not None or alone)


def _path(reading: Reading, param: Param) -> Value | None:
    """A name with a stroke in it, for a parameter that is described with one: "owner/name"."""
    if not re.match(r"(?:e\.g\. )?[\w-]+/[\w-]+\b", param.text):
        return None
    return next((value for value in reading.of_kind("name") if "/" in value.text), None)


def _beside_quote(reading: Reading, param: Param) -> Value | None:
    """The name that something like "in" or "to" points at, where the quotation is rather a text's or a title's."""
    others = any(
        other.role in ("text", "topic", "work", "statement") and other.required and other.path not in reading.arguments
        for other in read_parameters(reading.tool)
        if other.path != param.path
    )
    pointers = ("in", "on", "to", "into", "at")
    return next((v for v in reading.of_kind("name") if others and reading.marker(v) in pointers), None)


def _fill_compound(reading: Reading, param: Param) -> bool:
    """A name that says itself what it is: "auth-service" for a service."""
    for word in reading.words:
        parts = re.split(r"[-_]", word.text)
        own = {stem(part) for part in parts} & set(param.words)
        if len(parts) > 1 and own and reading.free(word.start, word.end) and not reading.in_name(word):
            reading.take(param, word.text, (word.start, word.end))
            return True
    return False


def _fill_modifier(reading: Reading, param: Param) -> bool:
    """The kind of thing that stands before the thing: "an italian restaurant"."""
    if param.role != "kind":
        return False
    for word, thing in pairwise(reading.words):
        is_thing = thing.stem in reading.nouns and thing.start > reading.lead and thing.start - word.end == 1
        plain = (
            word.low in FILLERS or word.low in GENERIC_VERBS or word.low in _VAGUE_KINDS or word.start < reading.lead
        )
        if is_thing and not plain and word.low not in MARKERS and reading.free(word.start, word.end):
            reading.take(param, word.text, (word.start, word.end))
            return True
    return False


def _fill_example(reading: Reading, param: Param) -> bool:
    """What a parameter is described with, if the request says it: "comedies" where "e.g. comedy" is written."""
    for word in reading.words:
        if word.stem in param.examples and reading.free(word.start, word.end) and word.low not in FILLERS:
            reading.take(param, word.text, (word.start, word.end))
            return True
    return False


def fill_optional(reading: Reading, param: Param) -> None:
    """Take what is left over for the function that requires nothing, if nothing else was found."""
    if reading.tool.parameters.get("required"):
        return
    span = residue(reading, param)
    if span and (param.role in ("kind", "object")) and not reading.arguments:
        reading.take(param, reading.request[slice(*span)], span, sure=False)


def residue(reading: Reading, param: Param) -> tuple[int, int] | None:
    """What is left for it: the likeliest phrase, else the object of the verb."""
    first = POINTERS[param.direction] if param.direction else ("", *POINTERS["object"])
    for phrase in reading.phrases_with((*first, "", *POINTERS["object"], "in", "to", "from", "at", "near", "is")):
        whole = bool(_OPEN & set(param.words))
        if (
            param.required
            and _DONE & set(param.words)
            and reading.is_verb_phrase(phrase)
            and reading.free(phrase.words[0].start, phrase.words[0].end)
        ):
            return reading.trim(phrase.words[0].start, len(reading.request))
        span = reading.content(phrase, extend=phrase.marker in ("", "for", "of", "about"), whole=whole, commas=False)
        own = {stem(word) for word in re.findall(r"\w+", reading.request[slice(*span)])} if span else set()
        if span and not reading.is_talk(span) and not own <= set(param.words):
            if reading.is_pointed(span[0]):
                reading.pointed.add(param.path[0])
            return span
    return head_object(reading) if param.required else None


def head_object(reading: Reading) -> tuple[int, int] | None:
    """What follows the verb, word for word, up to a phrase that already has its place."""
    head = reading.phrases[0]
    words = list(head.words)
    while words and (
        words[0] is head.words[0]
        or words[0].stem in reading.nouns
        or words[0].low in {*ARTICLES, "up", "down", "out", "off", "is", "are", "was", "were", "do", "does", "did"}
    ):
        words.pop(0)
    while (
        words
        and (not reading.free(words[0].start, words[0].end) or words[0].low in ARTICLES)
        and len(reading.phrases) > 1
    ):
        words.pop(0)
    start = words[0].start if words else None
    end = words[-1].end if words else None
    for phrase in reading.phrases[1:]:
        if not phrase.words:
            continue
        content = (phrase.words[0].start, phrase.end)
        told = list(takewhile(lambda word: reading.free(word.start, word.end), phrase.words))
        if start is not None and told and len(told) < len(phrase.words):
            end = told[-1].end
            break
        if not reading.free(*content) or reading.is_talk(content):
            if start is not None:
                break
            continue
        start = phrase.words[0].start if start is None else start
        end = phrase.end
    if start is None or end is None:
        return None
    span = reading.trim(start, end)
    return span if span[1] > span[0] else None
