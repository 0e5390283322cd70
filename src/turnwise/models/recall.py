"""What a very small model cannot find in a conversation by itself, found for it: pure functions over messages.

Asked "What is my name?" such a model makes one up, though it was told. So what the user said of themselves is put
behind the question, turned to the second person, and the answer is made to begin as that does; asked about "the second
one" of a list, the item is named. The model still says the rest; nothing that the conversation does not have is added.
"""

import re
from collections.abc import Iterator, Sequence

from turnwise.models.messages import Message
from turnwise.models.profile import Note

ORDINALS = ("first", "second", "third", "fourth", "fifth", "last")
THINGS = "(?:one|city|country|item|name|place|thing)"

_ORDINAL = re.compile(rf"\bthe ({'|'.join(ORDINALS)}) {THINGS}\b", re.IGNORECASE)
_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|well|so|and|ok|good (?:morning|evening|afternoon))\b(?: there)?\W*", re.IGNORECASE
)
_OWN = re.compile(r"\b(?:i|my|mine|me)\b", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"\b(?:i am|i was|i'm|i've|i'd|i|my|mine|me|myself|am)\b", re.IGNORECASE)
_SECOND_PERSON = {
    "i am": "you are",
    "i'm": "you are",
    "i was": "you were",
    "i've": "you have",
    "i'd": "you would",
    "i": "you",
    "my": "your",
    "mine": "yours",
    "me": "you",
    "myself": "yourself",
    "am": "are",
}
_COMMON = re.compile(
    r"what|where|who|which|when|how|many|is|are|am|was|were|do|does|did|the|a|an|my|i|me|you|your|in|of|to|and|about"
    r"|remember|recall|know|told|tell|can|have|has|s"
)
"""Words that say nothing of what a question is about."""

_TOPICS = (
    ({"name", "who"}, re.compile(r"\bmy name\b|\bcall me\b|\b(?:i'm|i am) (?-i:[A-Z])", re.IGNORECASE)),
    ({"old", "age"}, re.compile(r"\byears? old\b|\bage\b|\b(?:i'm|i am) \d", re.IGNORECASE)),
    ({"live", "from", "city", "town", "country"}, re.compile(r"\b(?:live|from|born|home|moved)\b", re.IGNORECASE)),
    ({"job", "work", "profession", "living"}, re.compile(r"\b(?:work|job)\b|\b(?:i'm|i am) an? ", re.IGNORECASE)),
    ({"pet", "pets", "animal"}, re.compile(r"\b(?:dog|cat|bird|horse|fish|rabbit)\b", re.IGNORECASE)),
)
"""Words of a question, and how a statement on the same matter may put it."""

NOTHING = "You have not told me yet."
SENTENCES = 2
"""How many sentences of the user's are given back at the most."""


def recall(question: str, before: Sequence[Message]) -> Note:
    """A question about the user, with what they said on the matter, and an answer that begins like it."""
    said = recalled(question, before)
    start = re.match(r"[\w']+ [\w'-]+", said)
    return Note(f"{question} ({said})", start and start[0])


def recalled(question: str, before: Sequence[Message]) -> str:
    """What the user said of themselves on the matter of a question (or, if nothing, last), in the second person."""
    words = {word for word in re.findall(r"[a-z]+", question.lower()) if not _COMMON.fullmatch(word)}
    everything = "about me" in question.lower()
    found = [(_likeness(words, said) + everything, said) for said in _said_of_themselves(before)]
    best = max((score for score, _ in found), default=0)
    kept = list(dict.fromkeys(said for score, said in reversed(found) if score == best))[:SENTENCES]
    turned = [_FIRST_PERSON.sub(lambda match: _SECOND_PERSON[match[0].lower()], said) for said in reversed(kept)]
    return " ".join(f"{said[0].upper()}{said[1:]}." for said in turned) or NOTHING


def _said_of_themselves(before: Sequence[Message]) -> Iterator[str]:
    for message in before:
        if message["role"] != "user":
            continue
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", message["content"]):
            said = _GREETING.sub("", sentence).strip(" .!")
            if _OWN.search(said) and not said.endswith("?"):
                yield said


def _likeness(words: set[str], said: str) -> int:
    """How much a statement is on the matter of a question: the beginnings of words, and known topics."""
    shared = {word[:5] for word in words} & {word[:5] for word in re.findall(r"[a-z]+", said.lower())}
    return len(shared) + sum(2 for topic, pattern in _TOPICS if topic & words and pattern.search(said))


def name_item(question: str, before: Sequence[Message]) -> Note:
    """A question in which "the second one" is named, if an answer before listed some."""
    item = _item_meant(question, before)
    return Note(_ORDINAL.sub(lambda match: f"{match[0]} ({item})", question) if item else question)


def _item_meant(question: str, before: Sequence[Message]) -> str | None:
    ordinal = _ORDINAL.search(question)
    if ordinal is None:
        return None
    place = ORDINALS.index(ordinal[1].lower())
    for message in reversed(before):
        items = _items(message["content"]) if message["role"] == "assistant" else []
        if len(items) > 1:
            return items[-1] if ordinal[1].lower() == "last" else dict(enumerate(items)).get(place)
    return None


def _items(text: str) -> list[str]:
    """The items of a list: one a line, or in a sentence behind "are" or a colon."""
    lines = re.findall(r"^\s*(?:\d+[.)]|[-*])\s*(.+?)[.,;]?\s*$", text, re.MULTILINE)
    if lines:
        return lines
    listing = re.split(r"\b(?:are|is|include)\b:?|:", text.split(". ")[0], maxsplit=1)[-1]
    return [item for item in re.split(r",\s*(?:and\s+)?|\s+and\s+", listing.strip(" .\n")) if item]
