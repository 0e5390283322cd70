"""What of a request is to be spoken, and what says how.

    "Say cheerfully: Have a wonderful day!"      how: "Say cheerfully"          text: "Have a wonderful day!"
    'Please say "hello"'                         how: "Please say"              text: "hello"
    "請大聲說:你好"                               how: "請大聲說"                  text: "你好"
    "It was a dark night."                       how: ""                        text: all of it

An instruction is told from a text by its form, since to take words of a text for one would lose them. It begins with a
verb of speaking, maybe behind a "please" or a manner, has behind that nothing but words that can belong to one, and
ends with a colon, or has the text in quotation marks, or is a paragraph of its own that points to what follows.
Whatever does not look like that is spoken as it is. English and Chinese are understood.
"""

import re
from dataclasses import dataclass

from turnwise.models.speech.style import DEGREES, NEGATIONS, WORDS, has_style

HEAD = 400
"""An instruction is not longer, in characters."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, taken apart."""

    text: str
    directions: str = ""
    """The instruction, in the user's words; empty if there is none."""


def take_apart(said: str) -> Request:
    """What is to be spoken, and how."""
    said = said.strip()
    for reading in (_transcript, _with_colon, _with_quotes, _with_paragraph):
        request = reading(said)
        if request is not None and request.text:
            return request
    return Request(said)


def is_instruction(words: str) -> bool:
    """Whether all of these words are an instruction how, or that, to speak."""
    words = words.strip()
    if _is_chinese_instruction(words):
        return True
    parts = [part for part in _SENTENCE.split(words.lower()) if part.strip(" .!?*")]
    return bool(parts) and _is_call(parts[0]) and all(_is_call(part) or _is_wish(part) for part in parts[1:])


AGAIN = re.compile(
    r"(?:please |now |ok(?:ay)?,? |can you |could you )*"
    r"(?:(?:say|read|speak|repeat|do) (?:it|that|this)(?: all)?(?: aloud| out loud)? (?:again|once more|one more time)"
    r"|repeat (?:it|that|this)|(?P<bare>again|once more|one more time))"
    r"(?P<how>[, ].{0,120})?",
    re.I | re.S,
)
AGAIN_IN_CHINESE = re.compile(
    r"(?:请|請)?(?P<how>.{0,12}?)(?:再)(?:說|说|讀|读|唸|念)(?:一次|一遍|一下)(?P<more>.{0,12})", re.S
)


def asks_again(said: str) -> str | None:
    """How to say what was said before, if that is what a request asks for. None: it asks for something else."""
    words = said.strip().rstrip(".!?。！？").strip()
    if match := AGAIN.fullmatch(words):
        how = (match["how"] or "").strip(" ,")
        is_understood = has_style(how) if match["bare"] else _is_manner(how)
        return how if not how or is_understood else None
    if match := AGAIN_IN_CHINESE.fullmatch(words):
        how = f"{match['how']}{match['more']}".strip("，, ")
        return how if not how or has_style(how) else None
    return None


# -- forms

_HEADING = re.compile(r"^[^\S\n]*#{1,6}[^\S\n]*(?:the )?transcript[^\S\n]*:?[^\S\n]*$", re.I | re.M)
_COLON = re.compile(r"[:：](?=\s|[\"“„«「『']|[^\x00-\x7f])|：")
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」", "『": "』", "'": "'", "‘": "’"}
_OPENING = re.compile(r"(?:(?<=\s)|(?<=[^\x00-\x7f]))[\"“„«「『'‘]")


def _transcript(said: str) -> Request | None:
    """A prompt with headings: the transcript is spoken, and what stands before it says how."""
    heading = _HEADING.search(said)
    return Request(said[heading.end() :].strip(), said[: heading.start()].strip()) if heading else None


def _with_colon(said: str) -> Request | None:
    for colon in _COLON.finditer(said, 0, HEAD):
        head = said[: colon.start()]
        if is_instruction(head):
            return Request(unquoted(said[colon.end() :].strip()), head.strip())
    return None


def _with_quotes(said: str) -> Request | None:
    """An instruction, the text in quotation marks, and maybe more on how."""
    opening = _OPENING.search(said, 0, HEAD)
    if opening is None or not is_instruction(said[: opening.start()]):
        return None
    closing = said.rfind(_QUOTES[opening[0]], opening.end())
    tail = said[closing + 1 :].strip(" .!?。！？")
    if closing < 0 or _SENTENCE.search(tail) or not _is_manner(tail):
        return None
    return Request(said[opening.end() : closing].strip(), f"{said[: opening.start()].strip()} {tail}".strip())


def _with_paragraph(said: str) -> Request | None:
    """A first paragraph that points to what follows."""
    head, line_end, text = said.partition("\n")
    if line_end and len(head) <= HEAD and _POINTS.search(head) and is_instruction(head.rstrip(" .!?。！？")):
        return Request(unquoted(text.strip()), head.strip())
    return None


def unquoted(text: str) -> str:
    """A text without the quotation marks around all of it."""
    closing = _QUOTES.get(text[:1])
    if closing and len(text) > 1 and text.endswith(closing) and not {text[0], closing} & set(text[1:-1]):
        return text[1:-1].strip()
    return text


# -- English

_SENTENCE = re.compile(r"[.!?;]\s+|\n+")
_POINTS = re.compile(r"\b(?:following|this|these|below|next|tts)\b|下列|以下|下面|這|这", re.I)
_BEFORE = re.compile(
    r"(?:(?:please|kindly|now|ok|okay|hey|hi|so|and|then|just|let's|can you|could you|would you|will you|"
    r"i want you to|i'd like you to|i need you to)\b[\s,]*)+"
)
_VERB = re.compile(
    r"(?:say|speak|read|recite|narrate|announce|pronounce|utter|repeat|perform|voice|deliver|whisper|shout|yell|scream|"
    r"murmur|mumble|vocali[sz]e|dictate|tts|text[- ]to[- ]speech|speech)\b[\s,]*"
)
_MANNER_BEFORE = re.compile(rf"(?:in|with|using) [^:]{{1,80}}, *(?={_VERB.pattern})")
_CONVERSION = re.compile(r"(?:convert|turn|transform)\b.*\b(?:in)?to (?:speech|audio|voice|sound)\b")
_CREATION = re.compile(
    r"(?:generate|create|produce|make|synthesi[sz]e)(?: an?| the| some)? (?:\w+ )?"
    r"(?:audio|speech|voice|voiceover|voice-over|recording|tts|podcast|dialogue|conversation)\b"
)
_CASTING = re.compile(r"make .{1,80}\b(?:sound|speak|talk)\b")
_WISH = re.compile(
    r"(?:use|keep|sound|be|speak|do not|don't|don’t|make|with|in|add|pause|the (?:speaker|voice|tone))\b"
)
FILLING = (
    "the this that these those following next below text texts sentence sentences paragraph paragraphs passage line"
    " lines word words phrase message story tale poem script dialogue dialog conversation transcript article chapter"
    " page quote speech audio voice it aloud out loud louder to from of for me us them everyone after again now then"
    " please once more one time two both and but a an less exactly only just"
)
_FILLING = frozenset(FILLING.split())
_OPENING_WORDS = frozenset(["with", "using", "like", "as", "sounding", "while", "imagining", "pretending", "between"])
_WAYS = re.compile(
    r"\b(?:voice|tone|whisper|shout|style|manner|way|accent|mood|speed|pace|rhythm|volume|character|key|language|"
    r"english|german|french|spanish|italian|portuguese|chinese|mandarin|cantonese|japanese|korean|russian|hindi|arabic)\b"
)
_TOKEN = re.compile(r"[^\s,]+")


def _is_call(words: str) -> bool:
    """Whether an English sentence calls for speaking, and says nothing else."""
    words = words.strip(" *,")
    if before := _BEFORE.match(words):
        words = words[before.end() :]
    manner = _MANNER_BEFORE.match(words)
    words = words[manner.end() :] if manner else _without_adverbs(words)
    if _CONVERSION.match(words) or _CREATION.match(words) or _CASTING.match(words):
        return True
    verb = _VERB.match(words)
    return verb is not None and _is_manner(words[verb.end() :])


def _without_adverbs(words: str) -> str:
    """The words behind a manner such as "slowly and very sadly"."""
    for token in _TOKEN.finditer(words):
        if not _is_adverb(token[0]) and token[0] not in ("and", "but", "or"):
            return words[token.start() :]
    return words


def _is_wish(words: str) -> bool:
    """Whether a further sentence of an instruction says how to speak."""
    return bool(_WISH.match(words.strip(" *,")))


def _is_manner(words: str) -> bool:
    """Whether these words can only say how, or that, to speak. Behind "with" or "like" anything may stand; behind "in"
    what is a way to speak."""
    words = words.lower()
    for token in _TOKEN.finditer(words):
        if token[0] in _OPENING_WORDS:
            return True
        if token[0] == "in":
            return bool(_WAYS.search(words, token.end())) or has_style(words[token.end() :])
        if token[0] not in _FILLING and not _is_adverb(token[0]):
            return False
    return True


def _is_adverb(token: str) -> bool:
    return token in WORDS or token in DEGREES or token in NEGATIONS or (token.endswith("ly") and len(token) > 4)


# -- Chinese

_CHINESE = re.compile(
    r"(?:请|請|麻烦|麻煩)?(?:你|您)?(?:幫我|帮我|為我|为我|給我|给我)?(?:(?:把|將|将)[^，。！？\n:：]{1,14})?"
    r"(?:(?:用|以)[^，。！？\n:：]{1,24}?(?:語氣|语气|聲音|声音|口吻|語調|语调|音調|音调|方式|速度|語速|语速|情緒|情绪))?"
    r"(?:地|來|来)?"
    r"(?:(?:" + "|".join(sorted((word for word in WORDS if not word.isascii()), key=len, reverse=True)) + r")+"
    r"(?:地|的)?)*"
    r"(?:說出|说出|說|说|朗讀|朗读|朗誦|朗诵|誦讀|诵读|讀出|读出|讀|读|唸|念|播報|播报|講|讲"
    r"|(?:轉換|转换|轉|转)(?:成|為|为)?(?:語音|语音))"
    r"(?:出來|出来|出)?(?:(?:這|这|下面|以下|下列|一下|以上|對話|对话|內容|内容|文字|文本|句子|段落|的|段|句|話|话)+)?"
)


def _is_chinese_instruction(words: str) -> bool:
    return bool(_CHINESE.fullmatch(words))
