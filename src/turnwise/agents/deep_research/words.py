"""What texts are made of, as far as two of them can be compared: sentences, words that mean something, numbers, names.

All of it is approximate and alike on both sides: what is asked is never whether a text is good English, but whether
another one has the same words.
"""

import re
from collections.abc import Iterator

_UNPARTED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Letters of writing that has no blanks between its words: pairs of them are taken for words."""

_WORD = re.compile(rf"[{_UNPARTED}]+|[^\W_{_UNPARTED}]+(?:['’][^\W_{_UNPARTED}]+)?")
_IS_UNPARTED = re.compile(f"[{_UNPARTED}]")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SENTENCE = re.compile(r"\S.*?(?:[。！？]+|(?<![.!?])[.!?]++[\"'”’)\]*_]*+(?=\s|$)|(?=\n)|$)", re.DOTALL)
_SHORTENED = re.compile(
    r"(?:\b(?:[A-Z]|e\.g|i\.e|etc|vs|cf|al|approx|ca|no|nos|fig|vol|pp|dr|mr|mrs|ms|prof|rev|gen|gov|st|mt|inc|ltd|co|"
    r"corp|jr|sr)\.)$",
    re.I,
)
_NAME = re.compile(r"(?<![^\s(\[\"'“‘/–-])[A-Z][\w’'&-]*")
LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\((?:[^()\n]|\([^()\n]*\))*\)")
"""A link or an image in Markdown, and its words."""

_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»\n]{12,})[\"”“»]")
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"')\]]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.]+", re.IGNORECASE
)

_BLOCK = re.compile(r"\s*(?:[-*+•#>|]|\d+[.)]\s|```)")
_ALONE = re.compile(r"\s*(?:\.\.\.|\(.+\))\s*")
"""A line by which a search says where a passage stands, or that something was left out."""

_JOINING = re.compile("什么时候|为什么|什么|怎么样|怎么|怎样|如何|哪些|哪里|哪个|多少|[的是了吗呢吧和与在]")
"""Chinese for what is `COMMON` in English: it parts what stands before it from what stands behind."""

_OF_A_VERB = ("ations", "ation", "ators", "ator", "ating", "ated", "ates", "ate", "ions", "ion")
_INFLECTED = ("ing", "ies", "ied", "ed", "es", "s", "ly")

WIDTH = 50
"""In characters: a shorter line was not broken because it was full."""

WORD = 12
"""In characters: no shortened word is longer."""

COMMON = frozenset(
    """a about above after again all also although am among an and another any are as at be became because become been
    before being between both but by can could despite did do does during each either especially etc even ever for from
    had has have having he her here him his how however i if in including into is it its itself just later like made
    make makes many may me might more most much must my near nor not of off often on once one only onto or other our out
    over own per please quite rather s same say says she should since so some still such than that the their them then
    there these they this those though through thus to too under until up upon us use used using very was we well were
    what when where whether which while who whom whose why will with within without would yet you your""".split()  # noqa: SIM905
)
"""Words that any English text has, whatever it is about."""


def words(text: str) -> list[str]:
    """The words of a text in small letters, cut to their stems."""
    return [piece for found in _WORD.findall(_ungrouped(text).lower()) for piece in _pieces(found)]


def meaning(text: str) -> frozenset[str]:
    """The words of a text that say what it is about."""
    return frozenset(
        word
        for word in words(text)
        if word not in COMMON and (len(word) > 1 or not word.isalpha() or not word.isascii())
    )


def length(text: str) -> int:
    """How long a text is, in words. Of writing that has no blanks, two letters are about a word."""
    return sum(len(found) // 2 + 1 if _IS_UNPARTED.match(found) else 1 for found in _WORD.findall(text))


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text."""
    return frozenset(_NUMBER.findall(_ungrouped(text)))


def names(text: str) -> frozenset[str]:
    """The words that are written with a capital letter though no sentence begins with them, cut to their stems."""
    found: set[str] = set()
    for start, end in sentences(text):
        later = _NAME.finditer(text[start:end])
        found.update(stem for name in later if name.start() > 2 for stem in meaning(name[0]))
    return frozenset(found)


def quotes(text: str) -> list[str]:
    """What a text gives as somebody's own words."""
    return _QUOTED.findall(text)


def addresses(text: str) -> list[str]:
    """Everything in a text that leads somewhere."""
    return [found.rstrip(".,;:!?*_") for found in _ADDRESS.findall(text)]


def flat(text: str) -> str:
    """A text without what differs between two copies of it: its blanks, marks and capital letters."""
    return " ".join(_WORD.findall(text.lower()))


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends. A line ends one; a shortened word does not."""
    start: int | None = None
    for found in _SENTENCE.finditer(text):
        start = found.start() if start is None else start
        end = found.start() + len(found[0].rstrip())
        follows = text[found.end() : found.end() + 1]
        if _SHORTENED.search(text[max(start, end - WORD) : end]) and follows and follows != "\n":
            continue
        yield start, end
        start = None
    if start is not None:
        yield start, len(text.rstrip())


def unwrapped(text: str) -> str:
    """A text whose paragraphs stand in one line each, where they were broken into lines of one width."""
    lines: list[str] = []
    for line in text.splitlines():
        is_full = bool(lines) and len(lines[-1]) >= WIDTH and not _ALONE.fullmatch(lines[-1])
        if is_full and line.strip() and not (_BLOCK.match(line) or _ALONE.fullmatch(line)):
            lines[-1] = f"{lines[-1]} {line.strip()}"
        else:
            lines.append(line.rstrip())
    return "\n".join(lines)


def without_markup(text: str) -> str:
    """A text of strangers as it may stand in Markdown: what would be an element of HTML is shown as what it is."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)


def _ungrouped(text: str) -> str:
    """A text whose numbers have no commas between their thousands."""
    return _GROUPED.sub(lambda found: found[0].replace(",", ""), text)


def _pieces(word: str) -> Iterator[str]:
    if _IS_UNPARTED.match(word):
        for part in filter(None, _JOINING.split(word)):
            yield from (part[at : at + 2] for at in range(max(1, len(part) - 1)))
    else:
        yield word if word in COMMON else _stem(re.sub(r"['’].*", "", word) or word)


def _stem(word: str) -> str:
    """A word without the ending of its plural or its tense, or of the noun that is made of a verb, roughly."""
    for endings, shortest in ((_OF_A_VERB, 5), (_INFLECTED, 3)):
        for ending in endings:
            if word.endswith(ending) and len(word) - len(ending) >= shortest:
                return word[: -len(ending)].rstrip("e")
    return word.rstrip("e") if len(word) > 3 else word
