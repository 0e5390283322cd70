"""The work itself: search, read, note, see what is missing, search again, in a bounded number of rounds.

What is typed into a search engine has nothing in it that only private sources say.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence

from turnwise.agents.agent import Desk, Thinks
from turnwise.agents.deep_research.asking import DATA, Asker, strings
from turnwise.agents.deep_research.effort import Effort, Purse
from turnwise.agents.deep_research.extracting import Note
from turnwise.agents.deep_research.noting import NoteTaker
from turnwise.agents.deep_research.planning import QUERIES, Plan, cut_query
from turnwise.agents.deep_research.searching import Searcher
from turnwise.agents.deep_research.sources import Finding, Library
from turnwise.agents.deep_research.words import addresses, meaning, without_markup
from turnwise.domain.tools import Schema

TALLY = 200
"""How many notes the model is shown where it is to see what is missing."""

A_NOTE = 2.0
"""In tokens: what a character of a note costs, until it is written up, checked and summed up."""

A_SECTION = 500
"""In tokens: what a section costs before it has a word."""

_JUDGING = (
    """You look after a piece of research. From its questions and the notes that were taken you say which questions
cannot be answered well yet, what is missing, and what to type into a search engine to find it: queries that were not
tried, with words of the questions. Name no question that the notes answer. """
    + DATA
)

_JUDGED: Schema = {
    "type": "object",
    "properties": {
        "open": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "question": {"type": "integer", "description": "Its number."},
                    "missing": {"type": "string", "description": "What is not known yet, a few words."},
                    "queries": strings("What to type into a search engine.", QUERIES),
                },
                "required": ["question", "missing", "queries"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["open"],
    "additionalProperties": False,
}


class Research:
    """One piece of research, and what came of it."""

    def __init__(self, desk: Desk, asker: Asker, effort: Effort, plan: Plan, asked: str) -> None:
        self.plan = plan
        self.asked = asked
        self.library = Library()
        self.was_cut = False
        """Whether it had to stop before everything was looked for."""
        self._asker = asker
        self._rounds = effort.rounds
        self._purse = Purse(desk)
        self._searcher = Searcher(desk, asker, effort, plan, asked)
        self._taker = NoteTaker(asker, self.library, plan, asked)
        self._private: set[int] = set()
        """The numbers of sources that are not public."""

    @property
    def notes(self) -> Sequence[Note]:
        """What the sources say of each question."""
        return self._taker.notes

    @property
    def searched(self) -> Sequence[str]:
        """Every query, in its order."""
        return self._searcher.searched

    @property
    def failures(self) -> Sequence[str]:
        """Why searches and pages came to nothing, each reason once."""
        return self._searcher.failures

    @property
    def can_search(self) -> bool:
        """Whether there is anything to find something with."""
        return self._searcher.can_find

    async def run(self, documents: Sequence[Finding], given: Sequence[str]) -> AsyncGenerator[Thinks, None]:
        """Do it, with the documents and the addresses that came with the request."""
        fresh = self._keep(documents, is_private=True)
        queries = [query for question in self.plan.questions for query in question.queries]
        named = self._searcher.named_pages(given)
        for number in range(1, self._rounds + 1):
            await self._purse.look()
            if number > 1 and not self._purse.affords_more(self._writing_cost()):
                self.was_cut = bool(self._taker.unanswered)
                yield Thinks("**Time to write**\n\nMost of the budget is spent. I write with what there is.")
                return
            if queries := self._searcher.affordable(queries):
                yield Thinks(f"**Searching**\n\n{_listed(queries)}")
            found = await self._searcher.search_web(queries)
            fresh |= self._keep(found)
            fresh |= self._keep(await self._searcher.search_files(queries), is_private=True)
            fresh |= self._keep(await self._searcher.call(number, self._taker.unanswered), is_private=True)
            if pages := self._searcher.affordable_pages([*named, *self._searcher.pages_worth_reading(found)]):
                yield Thinks(f"**Reading**\n\n{_listed(pages)}")
                fresh |= self._keep(await self._searcher.read(pages))
            taken = await self._taker.take(number, sorted(fresh))
            yield Thinks(self._tally(taken, len(fresh)))
            fresh, named = set(), []
            if number == self._rounds:
                return
            queries, missing = await self._missing(number)
            if not queries:
                return
            yield Thinks(f"**Still open**\n\n{_listed(missing)}")

    async def can_write(self) -> bool:
        """Whether there is enough left of the budget to have the model write."""
        await self._purse.look()
        return self._purse.affords(self._writing_cost())

    def _writing_cost(self) -> int:
        """About how many tokens it takes to write the report, and to look at every sentence of it."""
        return int(sum(len(note.text) for note in self.notes) * A_NOTE) + A_SECTION * (len(self.plan.questions) + 1)

    def _keep(self, found: Iterable[Finding], *, is_private: bool = False) -> set[int]:
        """Keep what was found. The numbers of the sources that say something new."""
        numbers = set(self.library.add(found))
        if is_private:
            self._private |= numbers
        return numbers

    def _tally(self, notes: int, sources: int) -> str:
        told = f"**Noting**\n\nI have read {_counted(sources, 'source')} and taken {_counted(notes, 'note')}."
        return f"{told} Not everything could be had: {'; '.join(self.failures)}" if self.failures else told

    async def _missing(self, number: int) -> tuple[list[str], list[str]]:
        """What to look for next, and why."""
        noted = "\n".join(f"{note.question + 1}: {note.text}" for note in self.notes[:TALLY])
        answer = await self._asker.ask(
            f"missing {number}",
            _JUDGING,
            f"The request: {self.asked}\n\nThe questions:\n{self.plan.listed()}\n\n"
            f"Tried: {'; '.join(self.searched)}\n\n<notes>\n{noted.replace('</notes', '</ notes')}\n</notes>",
            _JUDGED,
        )
        if answer is None:
            return self._missing_by_rule()
        queries = [_plain(query) for one in answer["open"] for query in one["queries"]]
        secret = await asyncio.to_thread(self._secret)
        queries = [query for query in queries if not addresses(query) and not meaning(query) & secret]
        return self._searcher.affordable(queries), [_plain(one["missing"]) for one in answer["open"]]

    def _missing_by_rule(self) -> tuple[list[str], list[str]]:
        """For each question of which nothing is known: its own words, with those of the subject."""
        unanswered = [self.plan.questions[place].text for place in self._taker.unanswered]
        subject = meaning(self.plan.title)
        queries = [text if meaning(text) & subject else f"{self.plan.title} {text}" for text in unanswered]
        return self._searcher.affordable(list(map(_plain, queries))), unanswered

    def _secret(self) -> frozenset[str]:
        """The words that only private sources say: no query that has one may leave the house."""
        private = [meaning(self.library[number].text) for number in self._private]
        public = [meaning(self.library[number].text) for number in self.library.numbers if number not in self._private]
        known = meaning(f"{self.asked}\n{self.plan.words}")
        return frozenset[str]().union(*private) - known.union(*public)


def _plain(query: str) -> str:
    return cut_query(" ".join(query.split()))


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {without_markup(line)}" for line in lines)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"
