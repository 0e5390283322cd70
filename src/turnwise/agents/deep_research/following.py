"""Questions about a report that was written before: answered from it, with its sources, if it tells."""

import re
from collections.abc import Sequence

from turnwise.agents.agent import Cites, Says
from turnwise.agents.deep_research.asking import DATA, Asker, shown
from turnwise.agents.deep_research.checking import TOGETHER, Checker, first_of_alike
from turnwise.agents.deep_research.conversation import Conversation, Report
from turnwise.agents.deep_research.extracting import LEANING
from turnwise.agents.deep_research.planning import POINTING
from turnwise.agents.deep_research.sources import Library
from turnwise.agents.deep_research.words import meaning
from turnwise.agents.deep_research.writing import Claim, Manuscript, Paragraph, Section, Writer
from turnwise.domain.tools import Schema

MOST = 5
"""How many sentences of a report answer a question, where rules choose them."""

ENOUGH = 0.75
"""So much of the weight of a question a report must speak of, to answer it."""

NEARLY = 0.75
"""A sentence that has so much of the weight which the best one has answers too."""

_ANSWERING = (
    """Somebody has read the report below, and asks about it. If it tells what they ask, you answer, in their
language: every sentence says what the report says, and ends with the numbers of the sources that it names there, in
brackets: "... in 2015 [2]." If it does not, or not enough, or if they ask for other or newer things, `answered` is
false. """
    + DATA
)

_ANSWERED: Schema = {
    "type": "object",
    "properties": {
        "answered": {"type": "boolean"},
        "text": {"type": "string", "description": "Markdown. Empty if not."},
    },
    "required": ["answered", "text"],
    "additionalProperties": False,
}

_ANEW = re.compile(
    r"(?i)^\W*(?:please )?(?:do |make )?(?:some |more |further |new |deep )*(?:research|investigate|look into)\b"
)
"""How somebody begins who wants more than what there is."""

_PART = re.compile(r"(?i)\b(?:(first|second|third|fourth|fifth)|(\d+)(?:st|nd|rd|th)|last)\b")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


async def answer_from_report(asker: Asker, talk: Conversation, report: Report) -> list[Says | Cites]:
    """What the report says to a question. Empty: nothing, or not enough."""
    library = Library()
    library.add(report.findings())
    answer = await asker.ask(
        "from the report", _ANSWERING, f"{_shown(library, report)}\n\nThey ask: {talk.said}", _ANSWERED, is_told=True
    )
    if answer is None:
        section = _chosen(library, report, talk.said)
    elif answer["answered"]:
        section = await Writer(asker, library, talk.said).check("answer", "", answer, set(library.numbers))
    else:
        return []
    if not section.paragraphs:
        return []
    manuscript = Manuscript(library)
    return [Says(manuscript.section(section)), Says(manuscript.sources()), manuscript.cites]


def _shown(library: Library, report: Report) -> str:
    """A report as the model is shown it: what each source says in it."""
    text = "\n".join(line for line in report.text.splitlines() if line.startswith("#"))
    said = "\n\n".join(shown(number, library[number].title, library[number].text) for number in library.numbers)
    return f"The report:\n\n{text}\n\nWhat its sources say in it:\n\n{said}"


def _chosen(library: Library, report: Report, said: str) -> Section:
    """The sentences of the report that speak of what is asked, or those of the part that is named; as they stand."""
    if _ANEW.match(said):
        return Section("")
    claims = [Claim(found.text, (library.number_of(found.place),)) for found in report.findings()]
    wanted = meaning(said) - POINTING
    if not wanted:
        return _section(_of_part(claims, report.text, said))
    checker, spoken = Checker(library), [meaning(claim.text) & wanted for claim in claims]
    together = [frozenset[str]().union(*spoken[place : place + TOGETHER]) for place in range(len(claims))]
    if max(map(checker.weight, together), default=0.0) < ENOUGH * checker.weight(wanted):
        return Section("")
    worth = list(map(checker.weight, spoken))
    ranked = sorted(range(len(claims)), key=lambda place: -worth[place])
    chosen = {place for place in ranked[:MOST] if worth[place] >= NEARLY * max(worth)}
    for place in range(1, len(claims)):
        if place - 1 in chosen and LEANING.match(claims[place].text):
            chosen.add(place)  # it does not stand alone, and neither does what it leans on
    return _section([claims[place] for place in sorted(chosen)])


def _of_part(claims: Sequence[Claim], text: str, said: str) -> Sequence[Claim]:
    """The sentences of the part of a report that is named by its place; all of them, if none is."""
    parts = [
        held
        for part in re.split(r"^#+ .*$", text, flags=re.MULTILINE)
        if (held := [claim for claim in claims if claim.text.removesuffix(".") in part])
    ]
    named = _PART.search(said)
    if named is None:
        return claims
    place = _ORDINALS.index(named[1].lower()) if named[1] else int(named[2]) - 1 if named[2] else len(parts) - 1
    return parts[place] if 0 <= place < len(parts) else []


def _section(claims: Sequence[Claim]) -> Section:
    kept = tuple(claims[place] for place in first_of_alike(claim.text for claim in claims))
    return Section("", (Paragraph(kept),)) if kept else Section("")
