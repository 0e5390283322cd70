"""Plans: the questions that a report is to answer, and what is looked for to answer them.

A plan is made by the model, and checked; or by rule, out of the words of the request. It is shown as Markdown that can
be read back, since the next interaction may approve or change it, and all that it has of this one is its text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from turnwise.agents.deep_research.asking import Asker, strings
from turnwise.agents.deep_research.checking import first_of_alike
from turnwise.agents.deep_research.effort import Effort
from turnwise.agents.deep_research.words import COMMON, meaning, names
from turnwise.domain.content import JSON
from turnwise.domain.tools import Schema

QUERIES = 3
"""How many queries a question has, at the most."""

QUERY = 200
"""In characters: how long a query may be."""

TALK = 12_000
"""In characters: how much the model is shown of what was said before."""

MOST_BY_RULE = 12
"""How many questions a plan has, at the most, that nobody has thought about: what is asked beside is one together."""

HEADING = "# Research plan: "
SEARCHES = "   - Searches: "
INVITATION = (
    "To change this plan, say what should be different. To start the research, send the next interaction with "
    "`collaborative_planning` set to false."
)

_INSTRUCTION = """You plan research. From a request you make a plan: a title for the report, and the questions that it
has to answer, in the order in which a reader wants to know. Each question is about one thing, can be answered from
published sources, and has one to three short search queries, as one types them into a search engine. Together they
cover the request and nothing else. Write in the language of the request."""

_CHANGE = """This plan was shown to whoever asked:

{plan}

They now say:

{said}

Make the plan anew so that it is as they want it. Keep what they did not speak of, word for word."""

_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "description": "Of the report, a few words."},
        "questions": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "question": {"type": "string"},
                    "queries": strings("What to type into a search engine.", QUERIES, 1),
                },
                "required": ["question", "queries"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["title", "questions"],
    "additionalProperties": False,
}

_KINDS = r"(?:report|overview|summary|paper|information|facts)\s+(?:on|about|of|into)\s+"
_HOW = r"(?:short|brief|detailed|deep|full|complete|comprehensive|thorough)"

_ASKING = re.compile(
    "(?i)^(?:"
    + "|".join(
        (
            r"(?:please|kindly|also|and|(?:hi|hello|hey)(?: there| all)?)[,!]?\s+",
            r"(?:can|could|would|will) you (?:please )?",
            r"(?:i|we)(?: want| need| would like|'d like| would love) (?:you )?(?:to )?",
            r"(?:i am|i'm|we are|we're) (?:interested in|looking for|curious about)\s+",
            r"know (?:more |all |everything )?(?:about )?",
            r"(?:do|make|conduct|perform|carry out|run)\s+(?:me\s+)?(?:some|a|an|the)?\s*(?:deep |thorough |detailed )?"
            r"(?:research|analysis|study|investigation|survey|report)\s+(?:on|about|into|of)\s+",
            r"(?:write|prepare|create|compile|give|get|find|provide)\s+(?:me\s+)?(?:a|an|the|some)?\s*"
            rf"{_HOW}?\s*(?:research )?{_KINDS}",
            rf"(?:a|an|some)\s+{_HOW}?\s*{_KINDS}",
            r"(?:research|investigate|analy[sz]e|study|explore|examine|survey|summari[sz]e|compare)\s+",
            r"(?:look into|find out(?: about)?|tell me(?: all| everything)?(?: about)?|report on|explain|describe)\s+",
            r"(?:请|帮我|麻烦你?|研究一?下?|调查一?下?|介绍一?下?|写一?[份篇个]?)",
            r"(?:[份篇个])?关于(?=.+的?(?:报告|综述|文章)$)",
        )
    )
    + ")"
)
"""How a request begins, before it says what it is about."""

_KIND_BEHIND = re.compile("的?(?:研究)?(?:报告|综述|文章)$")
"""What a request in Chinese wants to have, behind what that is about."""

_COURTESY = re.compile(
    r"(?i)^\W*(?:(?:hello|hi|hey|dear|good (?:morning|day|afternoon|evening))\b(?:\W+\w+){0,3}\W*$|"
    r"(?:many )?thanks?\b|(?:best|kind|warm) regards\b|cheers\b|sincerely\b|你好|您好|谢谢|多谢)"
)
_OF_ONESELF = re.compile(r"(?i)^\W*(?:i|we)(?: am| are| was| were| have| had| would be| will be|'m|'re|'ve|'d be)\b")
"""How somebody begins who tells of themselves."""

_FOCUS = re.compile(
    r"(?i)(?<=\w):\s+(?=(?:who|what|how|when|where|why|which)\b)|"
    r"[,;]?\s*\b(?:with (?:a |special |particular )?focus on|focus(?:sing|ing|sed|ed)? (?:mainly |more )?on|"
    r"especially|in particular|particularly|including|with emphasis on)\s+"
)
_PARTS = re.compile(r"\s*(?:,\s*(?:and|or)\s+|,\s*|;\s*|\s+and\s+|\s+as well as\s+)")
_ASKED_PARTS = re.compile(r"(?i)[,;]\s*(?:and\s+|or\s+)?(?=(?:who|what|how|when|where|why|which)\b)")
"""Between questions that stand in one sentence."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n+")
_LEAVING = re.compile(
    r"(?i)^\W*(?:and |but |please )*(?:less|without|skip|drop|remove|leave out|omit|no more|not|don't|do not|no)\b"
    r"\s*(?:include|cover|look at|care about|on|about|of|the)?\s*"
)
_ADDING = re.compile(
    r"(?i)^\W*(?:and |but |please |also )*(?:focus(?: more| mainly)? on|add|include|cover|look (?:also )?(?:at|into)|"
    r"more (?:about|on)|pay (?:particular |special |close )?attention to|also|i (?:also )?want)\b"
    r"\s*(?:a |an )?(?:section|question|part)?\s*(?:also|about|on|the)?\s*"
)
_CLAUSE = re.compile(
    r"(?<=[.!?;])\s+|(?<=[。！？；])\s*|\n+|,\s*(?:(?:and|but)\s+)?"
    r"(?=(?:less|not|no|without|skip|drop|remove|leave out|omit|don't|also|add|include)\b)",
    re.IGNORECASE,
)
_YES = frozenset(
    """agree agreed alright approve approved begin carry continue correct do fine go ahead good great happy it's let's
    lgtm look looks love nice ok okay perfect plan please proceed ready research right run start sure thank thanks works
    that's yeah yep yes on forward now looking sounds sound all cool excellent execute report""".split()  # noqa: SIM905
)
"""Words with which somebody approves."""


POINTING = meaning(
    "topic subject matter thing research report history overview detail information question answer point section part "
    "paragraph elaborate expand summary summarize summarise explain describe shorten repeat "
    "first second third fourth fifth last difference focus"
)
"""Words that name no subject by themselves."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a report is to answer."""

    text: str
    queries: tuple[str, ...]
    """What is looked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a report is to tell."""

    title: str
    questions: tuple[Question, ...]

    @property
    def words(self) -> str:
        """All that it speaks of."""
        return "\n".join([self.title, *(f"{one.text} {' '.join(one.queries)}" for one in self.questions)])

    def listed(self, places: Sequence[int] | None = None) -> str:
        """Its questions, or some of them, with their numbers."""
        chosen = range(len(self.questions)) if places is None else places
        return "\n".join(f"{place + 1}. {self.questions[place].text}" for place in chosen)


def render_plan(plan: Plan) -> str:
    """A plan for people, which `parse_plan` can read."""
    lines = [f"{HEADING}{plan.title}", ""]
    for number, question in enumerate(plan.questions, 1):
        lines += [f"{number}. {question.text}", f"{SEARCHES}{'; '.join(question.queries)}"]
    return "\n".join([*lines, "", INVITATION])


def parse_plan(text: str) -> Plan | None:
    """The plan that a text shows. None: it shows none."""
    first, _, rest = text.strip().partition("\n")
    if not first.startswith(HEADING):
        return None
    found = re.findall(rf"^\d+\. (.+)\n{SEARCHES}(.+)$", rest, re.MULTILINE)
    questions = tuple(Question(question, tuple(queries.split("; "))) for question, queries in found)
    return Plan(first.removeprefix(HEADING), questions) if questions else None


async def make_plan(asker: Asker, asked: str, before: str, effort: Effort) -> Plan:
    """A plan for a request; `before` is what was said until then."""
    talk = f"What was said before:\n\n{before[-TALK:]}\n\nThe request:\n\n" if before else "The request:\n\n"
    answer = await asker.ask("plan", _INSTRUCTION, talk + asked, _schema(effort), is_told=True)
    return _checked(answer, effort, f"{before}\n{asked}") or plan_by_rule(asked, before, effort)


async def change_plan(asker: Asker, plan: Plan, said: str, asked: str, effort: Effort) -> Plan:
    """The plan as somebody wants it who has seen it. It may be the same, if all that they say is that it is good."""
    if approves(said):
        return plan
    question = f"The request:\n\n{asked}\n\n{_CHANGE.format(plan=render_plan(plan), said=said)}"
    answer = await asker.ask("changed plan", _INSTRUCTION, question, _schema(effort), is_told=True)
    return _checked(answer, effort, f"{asked}\n{said}\n{plan.words}") or changed_by_rule(plan, said, effort)


def approves(said: str) -> bool:
    """Whether somebody says of a plan that it is good, and nothing else."""
    return all(word in _YES or word in COMMON for word in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+", said.lower()))


def _schema(effort: Effort) -> Schema:
    questions = {**_SCHEMA["properties"]["questions"], "maxItems": effort.questions}
    return {**_SCHEMA, "properties": {**_SCHEMA["properties"], "questions": questions}}


def _checked(answer: JSON, effort: Effort, about: str) -> Plan | None:
    """The plan of a model. None: it is none, or it is about something else."""
    if answer is None:
        return None
    questions = [
        Question(text, queries)
        for one in answer["questions"]
        if (text := _line(one["question"])) and (queries := _queries(one["queries"]))
    ]
    kept = [questions[place] for place in first_of_alike(question.text for question in questions)][: effort.questions]
    plan = Plan(_line(answer["title"]) or kept[0].text, tuple(kept)) if kept else None
    return plan if plan and meaning(plan.words) & meaning(about) else None


def _line(text: str) -> str:
    return " ".join(text.split()).lstrip("#*->. ")[:300]


def _queries(queries: Sequence[str]) -> tuple[str, ...]:
    plain = (cut_query(_line(query).replace(";", ",")) for query in queries)
    return tuple(dict.fromkeys(query for query in plain if meaning(query)))[:QUERIES]


# -- by rule


def plan_by_rule(asked: str, before: str, effort: Effort) -> Plan:
    """A plan out of the words of a request: its subject, then each thing that it is to focus on."""
    first, *further = _wants(asked) or [asked.strip()]
    subject, *focus = _FOCUS.split(_bare(first))
    subject = _phrase(subject) or first
    if before and not (meaning(subject) - POINTING):
        subject = _bare(next((line for line in before.splitlines() if meaning(line)), subject))
    title = subject[:1].upper() + subject[1:]
    questions = [Question(title, _searches(subject, ""))]
    aspects = [part for one in focus for part in _parts(_phrase(one)) if part]
    for aspect in [*aspects, *(_bare(_ADDING.sub("", _FOCUS.sub("", one))) for one in further)]:
        questions.append(_aspect(subject, aspect))
    kept = [questions[place] for place in first_of_alike(question.text for question in questions)]
    most = max(effort.questions, MOST_BY_RULE)
    if len(kept) > most:
        kept[most - 1 :] = [_aspect(subject, "; ".join(question.text for question in kept[most - 1 :]))]
    return Plan(title[:300], tuple(kept))


def _wants(asked: str) -> list[str]:
    """The sentences of a request that ask for something: no greeting, nothing of whoever asks, and nothing that is to
    be left out."""
    said = [one for one in _SENTENCE.split(asked.strip()) if meaning(one)]
    wants = [one for one in said if not _COURTESY.match(one)] or said
    wants = [one for one in wants if not _OF_ONESELF.match(_bare(one))] or wants
    return wants[:1] + [one for one in wants[1:] if not _LEAVING.match(one)]


def _parts(aspects: str) -> list[str]:
    """The things that a request focuses on, one by one."""
    asked = _ASKED_PARTS.split(aspects)
    return asked if re.match(r"(?i)(?:who|what|how|when|where|why|which)\b", aspects) else _PARTS.split(aspects)


def changed_by_rule(plan: Plan, said: str, effort: Effort) -> Plan:
    """A plan with what somebody asks to add, and without what they ask to leave out."""
    questions = list(plan.questions)
    for clause in filter(meaning, _CLAUSE.split(said)):
        if approves(clause):
            continue
        if leaving := _LEAVING.match(clause):
            left = meaning(clause[leaving.end() :])
            if left <= meaning(plan.title):
                plan, questions = _without(left, plan, questions)
            elif left := left - meaning(plan.title):
                questions = [one for one in questions if not left & meaning(one.text)] or questions
            continue
        wanted = _ADDING.sub("", clause).strip(" ,;:.!?")
        questions.append(_aspect(plan.title, wanted))
    kept = [questions[place] for place in first_of_alike(question.text for question in questions)]
    return replace(plan, questions=tuple(kept[-effort.questions :]))


def _without(left: frozenset[str], plan: Plan, questions: list[Question]) -> tuple[Plan, list[Question]]:
    """A plan, and its questions, without a part of its subject; as they are, if nothing else would be left of that."""
    if not meaning(plan.title) - left - POINTING:
        return plan, questions

    def shorter(text: str) -> str:
        kept = " ".join(word for word in text.split() if not (meaning(word) and meaning(word) <= left))
        kept = re.sub(r"(?i)\b(of|in|on|for|between)\s+(?:and|or)\b", r"\1", kept)
        return re.sub(r"(?i)[\s,;]+(?:and|or|of|in|on|for|between)$", "", kept)

    changed = [
        Question(text, queries)
        for one in questions
        if (text := shorter(one.text)) and (queries := _queries([shorter(query) for query in one.queries]))
    ]
    return replace(plan, title=shorter(plan.title)), changed


def _bare(request: str) -> str:
    """What a request is about, without the words that ask for it. A question stays one."""
    bare = whole = request.strip(" ,;:.!。！")
    while asking := _ASKING.match(bare):
        bare = bare[asking.end() :]
    bare = _KIND_BEHIND.sub("", bare) if bare != whole else bare
    return bare if bare == whole else _phrase(bare).rstrip("?？")


def _phrase(text: str) -> str:
    return text.strip(" ,;:.!。！")


def _aspect(subject: str, aspect: str) -> Question:
    aspect = _phrase(aspect)
    return Question(aspect[:1].upper() + aspect[1:], _searches(subject, aspect))


def _searches(subject: str, aspect: str) -> tuple[str, ...]:
    """Queries for a thing: all of its words; those that name it, if there are others; and the names of a side of it."""
    telling = [word for word in re.findall(r"[\w'’&.-]+", f"{subject} {aspect}") if meaning(word)]
    whole = " ".join(dict.fromkeys(telling)) or f"{subject} {aspect}".strip()
    naming = " ".join(dict.fromkeys(word for word in telling if meaning(word) - POINTING))
    named = " ".join(word for word in re.findall(r"[\w'’&-]+", aspect) if names(f"is {word}"))
    return _queries([whole, naming, named]) or (cut_query(whole),)


def cut_query(query: str) -> str:
    """As much of a query as one may have, up to the end of a word."""
    return query if len(query) <= QUERY else query[: QUERY + 1].rpartition(" ")[0] or query[:QUERY]
