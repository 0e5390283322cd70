"""The work itself: search, read, note, see what is missing, search again.

Everything that is asked of the world is a step of the desk, whose name says what it is. What is read is chosen by rule
from what was found and from what the request names: no page can send the agent anywhere, and what is typed into a
search engine has nothing in it that only private sources say.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from functools import partial

from turnwise.agents.agent import Desk, Thinks
from turnwise.agents.deep_research.asking import DATA, Asker, shown, side_by_side, strings
from turnwise.agents.deep_research.checking import Checker
from turnwise.agents.deep_research.effort import Effort, Purse
from turnwise.agents.deep_research.extracting import Note, extract
from turnwise.agents.deep_research.planning import QUERIES, QUERY, Plan
from turnwise.agents.deep_research.sources import Finding, Library, findings, remembered
from turnwise.agents.deep_research.words import addresses, flat, meaning
from turnwise.domain.content import JSON
from turnwise.domain.tools import FunctionTool, Schema

WEB = "google_search"
FILES = "file_search"
PAGES = "url_context"
CODE = "code_execution"

BATCH = 16_000
"""In characters: how much the model reads at once."""

NOTES = 40
"""How many notes the model takes of that."""

TALLY = 200
"""How many notes the model is shown where it is to see what is missing."""

A_NOTE = 2.0
"""In tokens: what a character of a note costs, until it is written up, checked and summed up."""
A_SECTION = 500
"""In tokens: what a section costs before it has a word."""

_NOTING = (
    """You take notes for a report. For each question you copy, word for word, the sentences of the sources that
help to answer it: facts, figures, dates, names, reasons, differing views. A sentence must be understood without what
stands before it. Take none that is about something else; take no notes at all if nothing helps. """
    + DATA
)

_NOTED: Schema = {
    "type": "object",
    "properties": {
        "notes": {
            "type": "array",
            "maxItems": NOTES,
            "items": {
                "type": "object",
                "properties": {
                    "question": {"type": "integer", "description": "Its number."},
                    "source": {"type": "integer", "description": "Its number."},
                    "quote": {"type": "string", "description": "The sentence, word for word."},
                },
                "required": ["question", "source", "quote"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["notes"],
    "additionalProperties": False,
}

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

_CALLING = """You look after a piece of research. Besides search you have the functions below. Say which calls of them
give facts or figures for its questions. `arguments` is a JSON object, as text, that fits the function's parameters.
Name no call at all if none helps."""

_ASKED = re.compile(
    r"(?i)^(?:q|query|question|search|search_?(?:query|term|text)|text|topic|term|keywords?|prompt|input)$"
)
"""Parameters that take what one wants to know."""


class Research:
    """One piece of research, and what came of it."""

    def __init__(self, desk: Desk, asker: Asker, effort: Effort, plan: Plan, asked: str) -> None:
        self.plan = plan
        self.asked = asked
        self.library = Library()
        self.notes: list[Note] = []
        self.searched: list[str] = []
        """Every query, in its order."""
        self.failures: list[str] = []
        """Why searches and pages came to nothing, each reason once."""
        self.was_cut = False
        """Whether it had to stop before everything was looked for."""
        self._desk = desk
        self._asker = asker
        self._effort = effort
        self._purse = Purse(desk)
        self._visited: set[str] = set()
        self._private: set[int] = set()
        """The numbers of sources that are not public."""
        self._called = 0

    @property
    def can_search(self) -> bool:
        """Whether there is anything to find something with."""
        return bool(self._functions(WEB, FILES) or self._further())

    async def run(self, documents: Sequence[Finding], given: Sequence[str]) -> AsyncGenerator[Thinks, None]:
        """Do it, with the documents and the addresses that came with the request."""
        fresh = self._keep(documents, is_private=True)
        queries = [query for question in self.plan.questions for query in question.queries]
        pages = [*given, *(url for url in addresses(self.asked) if url.startswith(("http://", "https://")))]
        for number in range(1, self._effort.rounds + 1):
            await self._purse.look()
            if number > 1 and not self._purse.affords_more(writing_cost(self.plan, self.notes)):
                self.was_cut = bool(self._unanswered())
                yield Thinks("**Time to write**\n\nMost of the budget is spent. I write with what there is.")
                return
            queries = self._affordable(queries)
            yield Thinks(
                f"**Searching**\n\n{_listed(queries)}" if queries else "**Searching**\n\nThere is nothing to type in."
            )
            found = await self._search(queries)
            fresh |= self._keep(found[0]) | self._keep(found[1], is_private=True)
            fresh |= self._keep(await self._call_further(number), is_private=True)
            pages = [*pages, *self._worth_reading(found[0])][: max(0, self._effort.pages - len(self._visited))]
            if pages:
                yield Thinks(f"**Reading**\n\n{_listed(pages)}")
                fresh |= self._keep(await self._read(pages))
            before = len(self.notes)
            await self._take_notes(number, sorted(fresh))
            yield Thinks(self._tally(len(self.notes) - before, len(fresh)))
            fresh, pages = set(), []
            if number == self._effort.rounds:
                return
            queries, missing = await self._missing(number)
            if not queries:
                return
            yield Thinks(f"**Still open**\n\n{_listed(missing)}")

    async def can_write(self) -> bool:
        """Whether there is enough left of the budget to have the model write."""
        await self._purse.look()
        return self._purse.affords(writing_cost(self.plan, self.notes))

    # -- looking for something

    def _functions(self, *types: str) -> list[str]:
        return [name for name, type in self._desk.functions.items() if type in types]

    def _further(self) -> list[FunctionTool]:
        """The functions that are neither search nor pages."""
        own = self._functions(WEB, FILES, PAGES)
        return [function for function in self._desk.offered if function.name not in own]

    def _affordable(self, queries: Sequence[str]) -> list[str]:
        """Those that were not tried, in these words or in a like order of them; no more than there may be."""
        tried = {meaning(query) for query in self.searched}
        fresh = {meaning(query): query for query in reversed(queries) if meaning(query) not in tried}
        return list(reversed(fresh.values()))[: max(0, self._effort.searches - len(self.searched))]

    async def _search(self, queries: Sequence[str]) -> tuple[list[Finding], list[Finding]]:
        """What was found on the web, and in files."""
        self.searched += queries
        works: list[tuple[str, Mapping[str, JSON], str]] = [
            (name, {"queries": [query]}, query) for name in self._functions(WEB) for query in queries
        ]
        works += [(name, {"query": query}, query) for name in self._functions(FILES) for query in queries]
        came = await side_by_side(
            [
                partial(self._use, f"search: {name}: {query}", name, arguments, f"{name}: {query}")
                for name, arguments, query in works
            ]
        )
        web = [
            one
            for (name, _, _), found in zip(works, came, strict=True)
            if name in self._functions(WEB)
            for one in found
        ]
        files = [
            one
            for (name, _, _), found in zip(works, came, strict=True)
            if name in self._functions(FILES)
            for one in found
        ]
        return web, files

    async def _read(self, pages: Sequence[str]) -> list[Finding]:
        reader = next(iter(self._functions(PAGES)))
        self._visited.update(pages)
        came = await side_by_side(
            [partial(self._use, f"page: {url}", reader, {"urls": [url]}, url) for url in dict.fromkeys(pages)]
        )
        return [finding for found in came for finding in found]

    async def _use(self, step: str, function: str, arguments: Mapping[str, JSON], call: str) -> list[Finding]:
        """What came of a function, once and for all."""
        searching = self._functions(WEB, FILES, PAGES)

        async def use() -> JSON:
            used = await self._desk.use(function, arguments)
            failure = str(used.told).strip()[:500] if used.is_error else ""
            return [[finding.kept() for finding in findings(used, call, is_search=function in searching)], failure]

        found, failure = await self._desk.step(step, use)
        if failure and failure not in self.failures:
            self.failures.append(failure)
        return list(map(remembered, found))

    def _worth_reading(self, found: Sequence[Finding]) -> list[str]:
        """The addresses that have most to do with the plan, of those that were not read. Of equals, what came first."""
        if not self._functions(PAGES):
            return []
        wanted = meaning(self.plan.words)
        shares = {
            one.place: len(wanted & meaning(f"{one.title} {one.text}"))
            for one in found
            if one.place.startswith(("http://", "https://")) and one.place not in self._visited
        }
        most = max(1, self._effort.pages // self._effort.rounds)
        return sorted((place for place in shares if shares[place]), key=lambda place: -shares[place])[:most]

    def _keep(self, found: Iterable[Finding], *, is_private: bool = False) -> set[int]:
        numbers = set(self.library.add(found))
        if is_private:
            self._private |= numbers
        return numbers

    async def _call_further(self, number: int) -> list[Finding]:
        """What functions gave that are no search: those of MCP servers, and what code computes."""
        functions = {function.name: function for function in self._further()}
        calls = await self._calls(number, list(functions.values())) if functions else []
        calls = [call for call in calls if call[0] in functions][: self._effort.calls - self._called]
        self._called += len(calls)
        steps = [f"call {number}.{place}: {name}" for place, (name, _) in enumerate(calls, 1)]
        shown_as = [f"{name}({json.dumps(arguments, ensure_ascii=False)[:200]})" for name, arguments in calls]
        came = await side_by_side(
            [
                partial(self._use, step, name, arguments, shown)
                for step, (name, arguments), shown in zip(steps, calls, shown_as, strict=True)
            ]
        )
        return [finding for found in came for finding in found]

    async def _calls(self, number: int, functions: Sequence[FunctionTool]) -> list[tuple[str, dict[str, JSON]]]:
        """Which calls to make. Whoever decides it has seen the questions, and nothing that was read."""
        open_now = self._unanswered() if number > 1 else range(len(self.plan.questions))
        if not open_now:
            return []
        described = [
            json.dumps({"name": one.name, "description": one.description, "parameters": one.parameters})
            for one in functions
        ]
        answer = await self._asker.ask(
            f"calls {number}",
            _CALLING,
            f"The request: {self.asked}\n\nThe questions:\n{self._questions(open_now)}\n\nThe functions:\n"
            + "\n".join(described),
            _calls_schema([one.name for one in functions], self._effort.calls),
        )
        if answer is not None:
            return [
                (call["function"], arguments)
                for call in answer["calls"]
                if isinstance(arguments := _object(call["arguments"]), dict)
            ]
        asking = [
            (one, name) for one in functions if (name := _asked_for(one)) and one.name not in self._functions(CODE)
        ]
        return [
            (one.name, {name: self.plan.questions[place].queries[0]})
            for one, name in asking
            for place in open_now
            if number == 1
        ]

    # -- what was read

    async def _take_notes(self, number: int, fresh: Sequence[int]) -> None:
        """Note what the sources say that are new."""
        if not fresh:
            return
        batches = await asyncio.to_thread(self._batches, fresh) if self._asker.is_able else []
        answers = await side_by_side(
            [partial(self._ask_for_notes, f"notes {number}.{place}", batch) for place, batch in enumerate(batches, 1)]
        )
        if any(answer is None for answer in answers) or not batches:
            missed = [one for batch, answer in zip(batches, answers, strict=True) if answer is None for one in batch]
            self._add(await asyncio.to_thread(extract, self.plan, self.library, missed or fresh))
        taken = [note for answer in answers if answer is not None for note in answer["notes"]]
        if taken:
            self._add(await asyncio.to_thread(self._borne_out, taken))

    def _batches(self, fresh: Sequence[int]) -> list[list[int]]:
        """The sources, so many at a time as the model reads at once; those that have nothing to do with it left out."""
        wanted, batches, room = meaning(self.plan.words), list[list[int]](), 0
        for number in fresh:
            source = self.library[number]
            if not wanted & meaning(f"{source.title} {source.text}"):
                continue
            if not batches or room < len(source.text):
                batches.append([])
                room = BATCH
            batches[-1].append(number)
            room -= len(source.text)
        return batches

    async def _ask_for_notes(self, step: str, batch: Sequence[int]) -> JSON:
        sources = "\n\n".join(shown(number, self.library[number].title, self.library[number].text) for number in batch)
        every = range(len(self.plan.questions))
        return await self._asker.ask(step, _NOTING, f"The questions:\n{self._questions(every)}\n\n{sources}", _NOTED)

    def _borne_out(self, taken: Sequence[Mapping[str, JSON]]) -> list[Note]:
        """The notes that some source bears out, each as that one's."""
        checker = Checker(self.library, self.asked)
        flats = {
            number: flat(self.library[number].text)
            for number in {note["source"] for note in taken}
            if number in self.library.numbers
        }
        notes = []
        for note in taken:
            text, place = " ".join(note["quote"].split()), note["question"] - 1
            if place not in range(len(self.plan.questions)) or not meaning(text):
                continue
            is_there = flat(text) in flats.get(note["source"], "")
            sources = (note["source"],) if is_there else checker.check(text, [note["source"]]).sources
            if sources:
                notes.append(Note(place, text, sources))
        return notes

    def _add(self, notes: Sequence[Note]) -> None:
        known = {(note.question, flat(note.text)) for note in self.notes}
        for note in notes:
            if (key := (note.question, flat(note.text))) not in known:
                known.add(key)
                self.notes.append(note)

    def _tally(self, notes: int, sources: int) -> str:
        told = f"**Noting**\n\nI have read {_counted(sources, 'source')} and taken {_counted(notes, 'note')}."
        return f"{told} Not everything could be had: {'; '.join(self.failures)}" if self.failures else told

    # -- what is missing

    def _unanswered(self) -> list[int]:
        """The places of the questions of which nothing is known."""
        answered = {note.question for note in self.notes}
        return [place for place in range(len(self.plan.questions)) if place not in answered]

    async def _missing(self, number: int) -> tuple[list[str], list[str]]:
        """What to look for next, and why."""
        noted = "\n".join(f"{note.question + 1}: {note.text}" for note in self.notes[:TALLY]).replace(
            "</notes", "</ notes"
        )
        answer = await self._asker.ask(
            f"missing {number}",
            _JUDGING,
            f"The request: {self.asked}\n\nThe questions:\n{self._questions(range(len(self.plan.questions)))}\n\n"
            f"Tried: {'; '.join(self.searched)}\n\n<notes>\n{noted}\n</notes>",
            _JUDGED,
        )
        if answer is None:
            return self._missing_by_rule()
        queries = [_plain(query) for one in answer["open"] for query in one["queries"]]
        secret = await asyncio.to_thread(self._secret)
        queries = [query for query in queries if not addresses(query) and not meaning(query) & secret]
        return self._affordable(queries), [" ".join(one["missing"].split())[:300] for one in answer["open"]]

    def _missing_by_rule(self) -> tuple[list[str], list[str]]:
        """For each question of which nothing is known: its own words, with those of the subject."""
        unanswered = [self.plan.questions[place].text for place in self._unanswered()]
        subject = meaning(self.plan.title)
        queries = [text if meaning(text) & subject else f"{self.plan.title} {text}" for text in unanswered]
        return self._affordable(list(map(_plain, queries))), unanswered

    def _secret(self) -> frozenset[str]:
        """The words that only private sources say: no query that has one may leave the house."""
        private = [meaning(self.library[number].text) for number in self._private]
        public = [meaning(self.library[number].text) for number in self.library.numbers if number not in self._private]
        known = meaning(f"{self.asked}\n{self.plan.words}")
        return frozenset[str]().union(*private) - known.union(*public)

    def _questions(self, places: Collection[int]) -> str:
        return "\n".join(f"{place + 1}. {self.plan.questions[place].text}" for place in places)


def writing_cost(plan: Plan, notes: Sequence[Note]) -> int:
    """About how many tokens it takes to write a report out of these notes, and to look at every sentence of it."""
    characters = sum(len(note.text) for note in notes)
    return int(characters * A_NOTE) + A_SECTION * (len(plan.questions) + 1)


def _calls_schema(names: Sequence[str], most: int) -> Schema:
    call = {
        "type": "object",
        "properties": {"function": {"type": "string", "enum": list(names)}, "arguments": {"type": "string"}},
        "required": ["function", "arguments"],
        "additionalProperties": False,
    }
    calls = {"type": "array", "items": call, "maxItems": most}
    return {"type": "object", "properties": {"calls": calls}, "required": ["calls"], "additionalProperties": False}


def _object(text: str) -> JSON:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _asked_for(function: FunctionTool) -> str:
    """The one parameter of a function that takes what one wants to know. None: nothing can be said without thinking."""
    required = function.parameters.get("required") or list(function.parameters.get("properties", {}))[:1]
    return str(required[0]) if len(required) == 1 and _ASKED.match(str(required[0])) else ""


def _plain(query: str) -> str:
    return " ".join(query.split())[:QUERY]


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"
