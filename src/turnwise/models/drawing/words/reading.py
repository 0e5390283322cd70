"""Reads a prompt: which things it names, how many, in which colours, where, and in what surroundings.

    read("three red balloons above a small house at night")
    # Request(mentions=[balloon x3 red, above -> house], time="night")

There is no grammar behind it, only the order of words: what stands before a noun belongs to it, a preposition between
two nouns tells how they stand to one another, and a colour behind a noun belongs to it when no other noun follows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from turnwise.models.drawing.colours import mix
from turnwise.models.drawing.words import vocabulary as words
from turnwise.models.drawing.words.other_tongues import in_english
from turnwise.models.drawing.words.request import Mention, Request

LONGEST = 4_000
"""How many characters of a prompt are read."""

MOST_OF_A_KIND = 24
MOST_THINGS = 16
MOST_UNKNOWN = 3

LONGEST_PHRASE = 6

_MARK = "\x00"
_QUOTED = re.compile(r"(?:\b" + words.SAYS + r"\s*:?\s*)?[\"“”«](.{1,80}?)[\"“”»]", re.IGNORECASE)
_SINGLE_QUOTED = re.compile(r"(?:\b" + words.SAYS + r"\s*:?\s*)'(.{1,80}?)'(?!\w)", re.IGNORECASE)
_SAID = re.compile(
    r"\b" + words.SAYS + r"\s*:?\s+((?:[A-Z0-9][A-Z0-9'!?&.-]*(?:\s+|(?=[,.;]|$)))+|"
    r".{1,60}?(?=\s+(?:on|in|above|below|under|next|beside|behind|with|and|at|over|near)\s|[,.;\n]|$))"
)
_TOKEN = re.compile(r"\x00\d+|[^\W_]+(?:['’/-][^\W_]+)*|[,.;:!?()\n]", re.UNICODE)
_ASKING = re.compile(words.ASKING, re.IGNORECASE)
_NO_NOUN = re.compile(r"(?:ing|ly|ed|ful|ous|ive|less|ish|able|ible|est)$")
_ENDS_CLAUSE = frozenset(",.;:!?()\n")
_DETERMINERS = frozenset(["a", "an", "the", "this", "that", "my", "your", "his", "her", "its", "our", "their", "one"])
_LINKS = frozenset(["and", "or", "with", "without", "in", "at", "on", "of", "to", "from", "for", "is", "are", "was"])
_COPULAS = frozenset(["is", "are", "was", "be", "looks", "colored", "coloured", "painted"])


@dataclass(slots=True)
class _Pending:
    """What was read and waits for its noun."""

    count: int | None = None
    colours: list[str] = field(default_factory=list)
    shade: str | None = None
    scale: float = 1.0
    place: str | None = None
    relation: str | None = None
    leading: bool = False
    """Whether the relation stood before both things: `above the house a moon`."""
    determined: bool = False
    negated: bool = False
    unknown: list[str] = field(default_factory=list)

    @property
    def describes(self) -> bool:
        """Whether something was said of the noun that is to come."""
        return self.count is not None or bool(self.colours) or self.scale != 1.0


def read(prompt: str) -> Request:
    """What a prompt asks to see."""
    return _Reader(prompt).read()


def singular(word: str) -> str:
    """A noun without its plural, if it has one."""
    if word in words.IRREGULAR:
        return words.IRREGULAR[word]
    if word in words.NOUNS or len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    for ending, instead in (
        ("ies", "y"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("sses", "ss"),
        ("xes", "x"),
        ("oes", "o"),
        ("s", ""),
    ):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word


class _Reader:
    """One reading of one prompt."""

    def __init__(self, prompt: str) -> None:
        self._request = Request()
        self._texts: list[str] = []
        text = self._without_texts(in_english(prompt[:LONGEST]))
        self._tokens = _TOKEN.findall(_ASKING.sub(" ", text.replace("’", "'")).lower())
        self._pending = _Pending()
        self._last: Mention | None = None
        self._in_clause = False
        """Whether a thing was named since the last comma."""
        self._anchor: tuple[str, int] | None = None
        """A relation that stood first, and the thing that it is about."""
        self._unsure: list[Mention] = []
        self._surface: Literal["sky", "ground", "background"] | None = None
        """What of the surroundings was named last, if no thing was named since: `make the sky pink`."""

    def read(self) -> Request:
        at = 0
        while at < len(self._tokens):
            at += self._take(at)
        self._end_phrase()
        self._settle_unsure()
        self._settle_texts()
        return self._request

    def _without_texts(self, text: str) -> str:
        def keep(found: re.Match[str]) -> str:
            self._texts.append(found.group(1).strip())
            return f" {_MARK}{len(self._texts) - 1} "

        for pattern in (_QUOTED, _SINGLE_QUOTED, _SAID):
            text = pattern.sub(keep, text)
        return text

    def _take(self, at: int) -> int:
        """Read what stands here; how many tokens it was."""
        token = self._tokens[at]
        if token.startswith(_MARK):
            self._write(self._texts[int(token[1:])])
            return 1
        if token == "," and self._pending.describes and self._another_adjective(at + 1):
            return 1  # between two adjectives
        if token in _ENDS_CLAUSE:
            self._end_phrase()
            self._in_clause = False
            return 1
        for length in range(min(LONGEST_PHRASE, len(self._tokens) - at), 0, -1):
            phrase = " ".join(self._tokens[at : at + length])
            if self._understand(phrase, at + length):
                return length
        self._pending.unknown.append(token)
        if not self._goes_on(at + 1):
            self._end_unknown()
        return 1

    def _understand(self, phrase: str, after: int) -> bool:
        """Whether a phrase says something; if so it was taken in."""
        noun = self._noun(phrase)
        if phrase in words.COLOUR_OF and not (noun and not self._goes_on(after)):
            self._colour(words.COLOUR_OF[phrase])
        elif self._is_shade(phrase, after):
            self._pending.shade = phrase
        elif phrase in words.MATERIALS and self._goes_on(after):
            self._pending.colours.append(words.MATERIALS[phrase])
        elif phrase in ("of water", "no background"):
            pass
        elif phrase in words.BACKGROUND_WORDS:
            self._background()
        else:
            return self._tell(phrase) or self._name(phrase, noun, after) or self._link(phrase, after)
        return True

    def _is_shade(self, phrase: str, after: int) -> bool:
        """`Sky blue` is a shade; the colour behind `the sky` is the sky's."""
        return phrase in words.SHADES and self._token(after) in words.COLOUR_OF and self._token(after - 2) != "the"

    def _tell(self, phrase: str) -> bool:
        """Whether a phrase tells of time, weather, season or style."""
        request = self._request
        known = True
        if phrase in words.STYLE_OF:
            request.styles.append(words.STYLE_OF[phrase])
            request.future |= phrase in words.FUTURE
        elif phrase in words.FUTURE:
            request.future = True
        elif phrase in words.TIME_OF:
            request.time = words.TIME_OF[phrase]
        elif phrase in words.WEATHER_OF:
            request.weather = words.WEATHER_OF[phrase]
        elif phrase in words.SEASON_OF:
            request.season = words.SEASON_OF[phrase]
        else:
            known = False
        return known

    def _name(self, phrase: str, noun: str | None, after: int) -> bool:
        """Whether a phrase names a thing or a setting."""
        if phrase in words.SETTING_OF:
            self._set(phrase, after)
        elif singular(phrase) in words.HAMLETS:
            self._request.setting = self._request.setting or "meadow"
            self._pending.count = words.HAMLETS[singular(phrase)]
            self._mention("house", "house", plural=True)
        elif noun is None:
            return False
        elif self._is_modifier(after):
            pass
        else:
            word = singular(noun) if " " not in noun else noun
            self._mention(words.NOUNS[noun], word, plural=phrase != noun and phrase.split()[-1] not in words.NOUNS)
        return True

    def _link(self, phrase: str, after: int) -> bool:
        """Whether a phrase counts, measures, places or connects things."""
        pending = self._pending
        if phrase in words.PLACE_OF and not (
            phrase in ("left", "right", "top", "bottom", "middle") and self._goes_on(after)
        ):
            self._place(words.PLACE_OF[phrase])
        elif phrase in words.RELATION_OF:
            self._relate(words.RELATION_OF[phrase], phrase)
        elif phrase in words.GROUPS_OF and self._token(after) == "of":
            pending.count = words.GROUPS_OF[phrase]
        elif phrase in words.NUMBERS or phrase.isdecimal():
            self._number(phrase)
        elif phrase in words.SIZES:
            pending.scale *= words.SIZES[phrase]
        elif phrase in ("no", "without", "not"):
            pending.negated = True
        elif phrase in ("holding", "carrying", "playing", "hold", "with"):
            pending.relation = "held" if phrase != "with" else "with"
        elif phrase in ("and", "or") and pending.colours and self._token(after) not in words.COLOUR_OF | words.SHADES:
            self._end_phrase()
        elif phrase in words.EMPTY or phrase in _DETERMINERS:
            pending.determined |= phrase in _DETERMINERS
        else:
            return False
        return True

    # What is found

    def _mention(self, symbol: str | None, word: str, *, plural: bool) -> None:
        pending, self._pending = self._pending, _Pending()
        if self._is_part(word, pending):
            return
        if pending.relation == "in" and symbol == "shop" and self._last is not None:
            self._request.setting = self._request.setting or "room"
            return
        if pending.negated:
            self._request.absent.append(symbol or word)
            return
        if len(self._request.mentions) >= MOST_THINGS:
            return
        if word in words.GROUPS_OF and pending.count in (None, 1):
            pending.count = words.GROUPS_OF[word]
        own = words.OWN_COLOURS.get(word)
        mention = Mention(
            word,
            symbol,
            count=pending.count,
            plural=plural,
            colours=tuple(pending.colours) or ((own,) if own else ()),
            scale=pending.scale,
            place=pending.place,
        )
        if symbol is None and mention.count is not None:
            mention.count = min(mention.count, MOST_UNKNOWN) if plural else 1
        if symbol is None and not pending.determined and pending.count is None and not pending.colours:
            self._unsure.append(mention)
        self._connect(mention, pending)
        self._request.mentions.append(mention)
        self._in_clause, self._surface = True, None
        if mention.relation is None or mention.relation[0] != "worn":
            self._last = mention

    def _is_part(self, word: str, pending: _Pending) -> bool:
        """Whether a noun is a part of the thing before it. Then its colour is that thing's second one."""
        if word not in words.PARTS or self._last is None or pending.relation not in ("with", "in"):
            return False
        if pending.colours:
            self._last.second = pending.colours[-1]
        return True

    def _connect(self, mention: Mention, pending: _Pending) -> None:
        """Tie a thing to the one before it, if something stood between them."""
        here = len(self._request.mentions)
        relation = pending.relation
        if relation and pending.leading:
            self._anchor = (relation, here)
        elif self._anchor and not self._in_clause_of_anchor(relation):
            mention.relation, self._anchor = self._anchor, None
        elif relation and self._last is not None:
            before = self._request.mentions.index(self._last)
            if mention.symbol in words.WORN and relation in ("in", "with", "held"):
                mention.relation = ("worn", before)
            elif relation == "held":
                mention.relation = ("held", before)
            elif relation != "with":
                self._last.relation = self._last.relation or (relation, here)

    def _in_clause_of_anchor(self, relation: str | None) -> bool:
        return relation is not None and relation != "with"

    def _set(self, phrase: str, after: int) -> None:
        """A setting. With a noun right behind it, it only says where that is."""
        request, pending = self._request, self._pending
        setting = words.SETTING_OF[phrase]
        if pending.negated:
            self._pending = _Pending()
            return
        colour = pending.colours[-1] if pending.colours else None
        self._surface = None if colour else "sky" if phrase in words.SKY_WORDS else "ground"
        if colour and phrase in words.SKY_WORDS:
            request.sky = colour
        elif colour:
            request.ground = colour
        if setting == "mountains" and request.setting not in (None, "sky", "meadow"):
            self._pending = _Pending()
            self._mention("mountain", "mountain", plural=True)
            return
        if request.setting in (None, "sky", "meadow") or (request.setting == "sea" and setting == "beach"):
            request.setting = setting
        if not self._goes_on(after):
            self._pending = _Pending()
        else:
            pending.colours.clear()

    def _colour(self, colour: str) -> None:
        shade, self._pending.shade = self._pending.shade, None
        if shade:
            colour = mix(colour, *words.SHADES[shade])
        self._pending.colours.append(colour)

    def _background(self) -> None:
        self._surface = "background"
        if self._pending.colours:
            self._request.background, self._surface = self._pending.colours[-1], None
        self._pending = _Pending()

    def _number(self, phrase: str) -> None:
        if phrase.isdecimal():
            self._pending.count = min(int(phrase[:3]), MOST_OF_A_KIND) or None
        elif phrase in ("a", "an"):
            self._pending.count = self._pending.count or 1
        else:
            self._pending.count = words.NUMBERS[phrase]
        self._pending.determined = True

    def _place(self, place: str) -> None:
        if self._in_clause and self._last is not None and not self._pending.determined:
            self._last.place = self._last.place or place
        else:
            self._pending.place = place

    def _relate(self, relation: str, phrase: str) -> None:
        self._flush_colours()
        if phrase.startswith("riding"):
            relation = "riding"
        self._pending.relation = relation
        self._pending.leading = not self._in_clause

    def _write(self, text: str) -> None:
        if self._last is not None and self._last.text is None:
            self._last.text = text
        elif self._request.text is None:
            self._request.text = text

    # Ends

    def _end_phrase(self) -> None:
        """The words that waited for a noun get none."""
        self._end_unknown()
        self._flush_colours()
        if self._pending.scale != 1.0 and self._last is not None and self._in_clause:
            self._last.scale *= self._pending.scale
        elif self._pending.scale != 1.0:
            self._request.scale = self._pending.scale
        place = self._pending.place
        self._pending = _Pending(place=place)

    def _flush_colours(self) -> None:
        pending = self._pending
        if pending.colours and self._surface is not None:
            setattr(self._request, self._surface, pending.colours[-1])
        elif pending.colours and self._last is not None and self._last.symbol not in words.WORN:
            self._last.colours = tuple(pending.colours)
        elif pending.colours:
            self._request.colours = tuple(pending.colours)
        pending.colours = []

    def _end_unknown(self) -> None:
        """The last of the words that nobody knows may be a noun."""
        unknown, self._pending.unknown = self._pending.unknown, []
        if not unknown or len(unknown[-1]) < 2 or len(unknown[-1]) > 30:
            return
        word = unknown[-1]
        if _NO_NOUN.search(word) and not self._pending.determined:
            return
        one = singular(word)
        self._mention(None, one if one != word else word, plural=one != word)

    def _settle_unsure(self) -> None:
        """Unknown words that nothing marks as things stay only when there is hardly anything else."""
        known = [mention for mention in self._request.mentions if mention.symbol is not None]
        unknown = [mention for mention in self._request.mentions if mention.symbol is None]
        kept = [mention for mention in unknown if mention not in self._unsure or not (known or self._request.setting)]
        dropped = [mention for mention in unknown if mention not in kept[:MOST_UNKNOWN]]
        for mention in dropped:
            self._drop(mention)

    def _drop(self, mention: Mention) -> None:
        self._request.text = self._request.text or mention.text
        gone = next(index for index, other in enumerate(self._request.mentions) if other is mention)
        del self._request.mentions[gone]
        for other in self._request.mentions:
            if other.relation is not None:
                relation, anchor = other.relation
                other.relation = None if anchor == gone else (relation, anchor - (anchor > gone))

    def _settle_texts(self) -> None:
        """A text that belongs to nothing gets something to stand on."""
        if self._request.text is not None and self._request.mentions:
            bearer = next((m for m in self._request.mentions if m.symbol in ("sign", "banner", "emblem")), None)
            if bearer is not None and bearer.text is None:
                bearer.text, self._request.text = self._request.text, None

    # Looking around

    def _token(self, at: int) -> str:
        return self._tokens[at] if at < len(self._tokens) else ""

    def _noun(self, phrase: str) -> str | None:
        """The entry of the vocabulary for a phrase."""
        if phrase in words.NOUNS:
            return phrase
        *front, last = phrase.split(" ")
        one = " ".join([*front, singular(last)])
        return one if one in words.NOUNS else None

    def _goes_on(self, at: int) -> bool:
        """Whether the phrase has a noun still to come: what stands here is one, or describes one."""
        token = self._token(at)
        if not token or token in _ENDS_CLAUSE or token.startswith(_MARK):
            return False
        if token == "and":
            return self._token(at + 1) in words.COLOUR_OF and self._goes_on(at + 2)
        if self._noun(token) or token in words.SETTING_OF or token in words.BACKGROUND_WORDS:
            return True
        if token in words.COLOUR_OF or token in words.SHADES or token in words.SIZES:
            return self._goes_on(at + 1)
        known: tuple[Callable[[str], bool], ...] = (
            words.EMPTY.__contains__,
            words.RELATION_OF.__contains__,
            words.NUMBERS.__contains__,
            words.TIME_OF.__contains__,
            words.PLACE_OF.__contains__,
            _COPULAS.__contains__,
        )
        return not any(holds(token) for holds in known)

    def _another_adjective(self, at: int) -> bool:
        """Whether a comma only parts two adjectives: behind it come more of them, and then a noun."""
        while self._token(at) in words.EMPTY - _DETERMINERS - _LINKS or self._token(at) == ",":
            at += 1
        return self._goes_on(at)

    def _is_modifier(self, after: int) -> bool:
        """Whether a noun only describes the one behind it: `robot cat`, `apple pie`."""
        token = self._token(after)
        return bool(token) and self._noun(token) is not None and token not in words.COLOUR_OF
