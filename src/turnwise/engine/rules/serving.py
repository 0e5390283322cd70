"""Serving: which of the server's own tools a request asks for, and what they are to be asked.

    an address                    is read (`url_context`)
    a computation                 is computed (`code_execution`)
    a question of fact            is searched for, on the web (`google_search`) or in documents (`file_search`)
    a greeting, a poem            asks for none of them

What the tools are is known here, where nothing is known of any function that a client or a stranger's server declares.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from turnwise.domain.content import JSON
from turnwise.domain.steps import ServerTool, Step, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.addresses import addresses_in
from turnwise.engine.rules.calling import text_of
from turnwise.engine.rules.computing import given_code, is_computation
from turnwise.engine.rules.questions import query_of
from turnwise.engine.rules.speaking import ASKING, POLITE, form_of, main_sentence, shortened
from turnwise.models.model import Prompt

KNOWN: frozenset[ServerTool] = frozenset(("google_search", "url_context", "code_execution", "file_search"))
"""Tools whose functions and arguments are known here."""

ADDRESSES = 20
"""How many addresses one call reads."""

BACK = 3
"""How many requests back a request goes on from, at the most."""

SHORT = 12
"""In words: a longer request says itself what it is about."""

_MADE_UP = re.compile(
    r"(?i)\b(?:poem|haiku|limerick|verse|rhyme|song|lyrics|story|tale|fable|joke|pun|riddle|slogan|tagline|dialogue|"
    r"greeting card|toast)\b"
)
_SEARCHED = re.compile(
    r"(?i)\b(?:search|google|look (?:it |that |this |them )?up|find out|browse|on the (?:web|internet)|online|latest|"
    r"news|"
    r"current(?:ly)?|recent(?:ly)?|today|this (?:week|month|year))\b"
)
_GIVEN = re.compile(
    r"(?i)^(?:translate|rewrite|rephrase|paraphrase|proofread|correct|moderate|classify|shorten|reword|fix|repeat|"
    r"extract|"
    r"rate|write|compose|draft|imagine|pretend|act as|roleplay|sing|brainstorm|invent)\b"
)
"""What is done with words that the request brings along, or that are to be made."""
_FACTUAL = re.compile(
    r"(?i)^(?:explain|describe|define|compare|outline|discuss|teach|name|list|elaborate|recommend|suggest|talk about|"
    r"summari[sz]e|tell|give|help me understand|find|search|show|look|check|research|get|google)\b"
)
_PERSONAL = re.compile(
    r"(?i)\b(?:who|what|where|when|how old|which)(?:'s| is| are| was| were)? (?:am i|do i|did i|my|your)\b|\bmy name\b|"
    r"\bremember\b|\b(?:are|can|do|did|would) you (?!know|find|tell)|\b(?:who|what|how) are you\b|\babout (?:me|you|"
    r"yourself)\b|"
    r"\b(?:did|have|had) (?:i|we) (?:say|said|tell|told|ask|asked|mention|talk|just)"
)
_DOCUMENTS = re.compile(
    r"(?i)\b(?:(?:my|our|the|these|those|this|uploaded|attached) (?:\w+ )?(?:files?|documents?|docs?|pdfs?|notes?|"
    r"papers?|"
    r"contracts?|reports?|manuals?|handbooks?|policy|policies|knowledge base|library|store)|according to the)\b"
)
_WEB = re.compile(r"(?i)\b(?:the (?:web|internet)|online|google|news|website)\b")
_GOING_ON = re.compile(
    r"(?i)^\W*(?:and|but|so|what about|how about|also)\b|\b(?:it|its|he|him|his|she|her|they|them|their|there|"
    r"that one|the same|"
    r"the (?:first|second|last|other) one|this one)\b"
)
_THE_PAGE = re.compile(
    r"(?i)\b(?:it|its|there|(?:the|this|that|these|those) (?:\w+ )?(?:pages?|sites?|website|article|link|url|post|"
    r"blog|text))\b"
)
_DIGITS = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?=(?:st|nd|rd|th)?\b)")
_PARTS = re.compile(
    r"(?i)(?<=[.!?;])\s+|\n+|,? (?:and|then) (?=(?:who|what|when|where|how|calculate|compute|search|find|tell)\b)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of a tool of the server."""

    tool: FunctionTool
    kind: ServerTool
    request: str
    """What of the request is about it."""
    arguments: Mapping[str, JSON] | None
    """None: the model is to write the code."""


def known_tools(prompt: Prompt) -> dict[ServerTool, FunctionTool]:
    """Those tools of a prompt that are known here."""
    return {prompt.served[tool.name]: tool for tool in prompt.tools if prompt.served.get(tool.name) in KNOWN}


def ask_tools(prompt: Prompt, *, must: bool = False) -> list[Asked]:
    """What the last message asks of the server's tools. `must`: of one at least, if there is any that can be asked."""
    tools, request = known_tools(prompt), prompt.steps[-1] if prompt.steps else None
    if not tools or not isinstance(request, UserInput):
        return []
    whole, history = text_of(request), prompt.steps[:-1]
    asked, said = _read_addresses(whole, history, tools), shortened(whole)
    if "code_execution" in tools and (code := given_code(whole)):
        return [*asked, Asked(tools["code_execution"], "code_execution", said, {"code": code})]
    for part in _parts(_continued(said, history)):
        taken = {one.kind for one in asked}
        if "code_execution" in tools and "code_execution" not in taken and is_computation(part):
            asked.append(Asked(tools["code_execution"], "code_execution", part, None))
        elif "url_context" not in taken:
            asked += [one for one in _search(part, history, tools) if one.kind not in taken]
    if not asked and must:
        asked = _at_any_rate(said, tools)
    return asked


def _continued(said: str, history: Sequence[Step]) -> str:
    """A request that only changes the numbers of the computation before it, said in full: "And the 60th?"."""
    before = request_before(said, history)
    old, new = _DIGITS.findall(before), _DIGITS.findall(said)
    if len(old) == len(new) == 1 and is_computation(before) and not is_computation(said):
        return _DIGITS.sub(new[0], before)
    return said


def _parts(said: str) -> list[str]:
    """The sentences of a request, if they ask for different things; else all of it."""
    parts = [part for part in _PARTS.split(said.strip()) if part.strip()]
    computed = [is_computation(part) for part in parts]
    if len(parts) > 1 and any(computed) and not all(computed):
        return parts
    return [said]


def _read_addresses(said: str, history: Sequence[Step], tools: Mapping[ServerTool, FunctionTool]) -> list[Asked]:
    """A call that reads the addresses of a request; or those said before, if it is about "the page" or "it"."""
    tool = tools.get("url_context")
    if tool is None:
        return []
    addresses, said = addresses_in(said), shortened(said)
    if not addresses and _THE_PAGE.search(said) and form_of(said) != "none" and not _MADE_UP.search(said):
        before = [text_of(step) for step in history if isinstance(step, UserInput)]
        addresses = next((found for text in reversed(before) if (found := addresses_in(text))), [])
    return [Asked(tool, "url_context", said, {"urls": list(addresses[:ADDRESSES])})] if addresses else []


def _search(said: str, history: Sequence[Step], tools: Mapping[ServerTool, FunctionTool]) -> list[Asked]:
    """A search for what a question asks: in documents and on the web, or where it says."""
    web, documents = tools.get("google_search"), tools.get("file_search")
    found: list[Asked] = []
    asks = (_asks_for_fact(said) or bool(_DOCUMENTS.search(said))) and not _is_made_up(said)
    if documents is not None and asks and (web is None or not _WEB.search(said)):
        found.append(_query(said, history, documents, "file_search"))
        if _DOCUMENTS.search(said):
            return found
    if web is not None and _asks_for_fact(said) and not (is_computation(said) and not _SEARCHED.search(said)):
        found.append(_query(said, history, web, "google_search"))
    return found


def _query(said: str, history: Sequence[Step], tool: FunctionTool, kind: ServerTool) -> Asked:
    query = query_of(said, request_before(said, history))
    return Asked(tool, kind, said, {"queries": [query]} if kind == "google_search" else {"query": query})


def request_before(said: str, history: Sequence[Step]) -> str:
    """What this request goes on from: "And who came second?" says by itself too little. Empty: it stands alone."""
    before: list[str] = []
    for step in reversed(history):
        if not _goes_on(said) or len(before) == BACK:
            break
        if isinstance(step, UserInput):
            said = shortened(text_of(step))
            before.insert(0, said)
    return " ".join(before)


def _goes_on(said: str) -> bool:
    return len(said.split()) <= SHORT and bool(_GOING_ON.search(said))


def _asks_for_fact(said: str) -> bool:
    """Whether a request asks for something that others know."""
    bare = ASKING.sub("", POLITE.sub("", said[main_sentence(said) :].strip()))
    if _is_made_up(said) or (_PERSONAL.search(said) and not _SEARCHED.search(said)):
        return False
    form = form_of(said[main_sentence(said) :])
    asking = said.rstrip(" \"'”’)").endswith(("?", "？", "؟"))
    match form:
        case "question" | "general":
            return True
        case "creative":
            return bool(_FACTUAL.match(bare))
        case "command":
            return asking or bool(_FACTUAL.match(bare) or _SEARCHED.search(said))
        case _:
            return (asking and len(said.split()) > 3) or (bool(_SEARCHED.search(bare)) and bool(_FACTUAL.match(bare)))


def _is_made_up(said: str) -> bool:
    """Whether a request wants something made: a poem, a translation."""
    bare = ASKING.sub("", POLITE.sub("", said.strip()))
    return bool(
        _GIVEN.match(bare) or (re.match(r"(?i)(?:tell|give|make|sing|create)\b", bare) and _MADE_UP.search(bare))
    )


def _at_any_rate(said: str, tools: Mapping[ServerTool, FunctionTool]) -> list[Asked]:
    """A call of whatever tool can be called, where one must be."""
    for kind in ("google_search", "file_search"):
        if kind in tools and said.strip():
            return [_query(said, (), tools[kind], kind)]
    if "code_execution" in tools:
        return [Asked(tools["code_execution"], "code_execution", said, None)]
    return []
