"""Notes: what the sources say of each question, and only what they say.

The model copies sentences, and each is looked up in its source. Where there is no model that can read, or it does not
answer, they are chosen by rule (extracting).
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from turnwise.agents.deep_research.asking import DATA, Asker, shown, side_by_side
from turnwise.agents.deep_research.checking import Checker
from turnwise.agents.deep_research.extracting import Note, extract
from turnwise.agents.deep_research.planning import Plan
from turnwise.agents.deep_research.sources import Library
from turnwise.agents.deep_research.words import flat, meaning
from turnwise.domain.content import JSON
from turnwise.domain.tools import Schema

BATCH = 16_000
"""In characters: how much the model reads at once."""

NOTES = 40
"""How many notes the model takes of that."""

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


class NoteTaker:
    """Takes notes for a plan."""

    def __init__(self, asker: Asker, library: Library, plan: Plan, asked: str) -> None:
        self.notes: list[Note] = []
        """All of them, oldest first."""
        self._asker = asker
        self._library = library
        self._plan = plan
        self._asked = asked

    @property
    def unanswered(self) -> list[int]:
        """The places of the questions of which nothing is known."""
        answered = {note.question for note in self.notes}
        return [place for place in range(len(self._plan.questions)) if place not in answered]

    async def take(self, number: int, fresh: Sequence[int]) -> int:
        """Note what these sources say; `number` tells this time from others. How many notes there are more."""
        before = len(self.notes)
        batches = await asyncio.to_thread(self._batches, fresh) if self._asker.is_able else []
        answers = await side_by_side(
            [partial(self._ask, f"notes {number}.{place}", batch) for place, batch in enumerate(batches, 1)]
        )
        missed = [one for batch, answer in zip(batches, answers, strict=True) if answer is None for one in batch]
        by_rule = missed if batches else fresh
        if by_rule:
            self._add(await asyncio.to_thread(extract, self._plan, self._library, by_rule))
        taken = [note for answer in answers if answer is not None for note in answer["notes"]]
        if taken:
            self._add(await asyncio.to_thread(self._borne_out, taken))
        return len(self.notes) - before

    def _batches(self, fresh: Sequence[int]) -> list[list[int]]:
        """The sources, so many at a time as the model reads at once; those that have nothing to do with it left out."""
        wanted, batches, room = meaning(self._plan.words), list[list[int]](), 0
        for number in fresh:
            source = self._library[number]
            if not wanted & meaning(f"{source.title} {source.text}"):
                continue
            if not batches or room < len(source.text):
                batches.append([])
                room = BATCH
            batches[-1].append(number)
            room -= len(source.text)
        return batches

    async def _ask(self, step: str, batch: Sequence[int]) -> JSON:
        sources = "\n\n".join(
            shown(number, self._library[number].title, self._library[number].text) for number in batch
        )
        return await self._asker.ask(step, _NOTING, f"The questions:\n{self._plan.listed()}\n\n{sources}", _NOTED)

    def _borne_out(self, taken: Sequence[Mapping[str, JSON]]) -> list[Note]:
        """The notes that some source bears out, each as that one's."""
        checker = Checker(self._library, self._asked)
        named = {note["source"] for note in taken} & set(self._library.numbers)
        texts = {number: flat(self._library[number].text) for number in named}
        notes = []
        for note in taken:
            text, place = " ".join(note["quote"].split()), note["question"] - 1
            if place not in range(len(self._plan.questions)) or not meaning(text):
                continue
            is_there = flat(text) in texts.get(note["source"], "")
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
