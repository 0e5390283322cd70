"""The report as it is told: title, summary, sections, what was not found, how it was made, sources, and charts."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import partial

from turnwise.agents.agent import Desk, Done, Said, Says, Shows, Thinks
from turnwise.agents.deep_research.asking import Asker
from turnwise.agents.deep_research.charts import Chart, Render, choose_charts, draw, picture, wants_charts
from turnwise.agents.deep_research.research import Research
from turnwise.agents.deep_research.words import meaning, without_markup
from turnwise.agents.deep_research.writing import Manuscript, Section, Writer, listed
from turnwise.domain.content import JSON
from turnwise.domain.errors import ModelFailed

HALF = 0.5
"""With more than this part of the words of a question, a source may have to do with it."""

UNREAD = 5
"""How many sources are named, at the most, that may have to do with what was not found."""


class Reporter:
    """Tells what came of a piece of research."""

    def __init__(
        self, desk: Desk, asker: Asker, research: Research, *, wish: str | None, draws: bool, render: Render | None
    ) -> None:
        """`wish`: how it is to be told, in the words of whoever asks. `draws`: whether there may be charts."""
        self._desk = desk
        self._asker = asker
        self._research = research
        self._wish = wish
        self._is_charted = draws and wants_charts(research.asked)
        self._render = render
        self._writer = Writer(asker, research.library, research.asked)

    async def report(self) -> AsyncGenerator[Said, None]:
        """All of it. With too little left of the budget, or without a model that can write, it is put together from the
        notes."""
        research, writer = self._research, self._writer
        is_written = self._asker.is_able and await research.can_write()
        sections = await writer.sections(research.plan, research.notes, by_rule=not is_written)
        summary = await writer.summary(sections) if is_written else Section("")
        charts = await self._charts() if is_written and self._is_charted else []
        yield Thinks(f"**Writing**\n\n{_written([summary, *sections])}")
        manuscript = Manuscript(research.library)
        title = writer.heading(research.plan.title)
        yield Says(manuscript.add(f"# {without_markup(title)}\n\n"))
        for section in [summary, *sections]:
            if section.paragraphs:
                yield Says(manuscript.section(replace(section, heading="") if section.heading == title else section))
        yield Says(manuscript.add(_not_found(research, sections, is_written=is_written)))
        yield Says(manuscript.add(self._about(is_written, len(charts))))
        yield Says(manuscript.sources())
        yield manuscript.cites
        for chart in charts:
            yield Shows(picture(chart))
        is_cut = research.was_cut or (self._asker.is_able and not is_written)
        yield Done("budget_exceeded" if is_cut else "completed")

    async def _charts(self) -> list[str]:
        """The charts that were asked for, as PNG in base64."""
        if self._render is None:
            return []
        research = self._research
        charts = await choose_charts(
            self._asker, research.library, research.notes, research.asked, self._writer.heading
        )
        drawn = [
            await self._desk.step(f"chart {number}", partial(_drawn, chart, self._render))
            for number, chart in enumerate(charts, 1)
        ]
        return [data for data in drawn if data is not None]

    def _about(self, is_written: bool, charts: int) -> str:
        """How the report was made, as far as a reader should know."""
        research = self._research
        told = [f"Searched for: {'; '.join(research.searched)}."] if research.searched else []
        if not is_written and research.notes:
            told.append(
                "No model has written this report: it is put together from sentences of its sources, word for word, "
                "which rules have chosen."
            )
        if not is_written and self._wish:
            told.append("So the system instruction could not be followed.")
        if self._is_charted and not charts:
            told.append("There is no chart: none could be drawn of figures that stand in the sources.")
        if self._asker.failure:
            told.append(f"The model has not answered everything that it was asked: {self._asker.failure}.")
        if research.failures:
            told.append(f"Not everything could be read: {'; '.join(research.failures)}")
        return "## About this report\n\n" + without_markup(" ".join(told)) + "\n\n" if told else ""


async def _drawn(chart: Chart, render: Render) -> JSON:
    try:
        return await draw(chart, render)
    except ModelFailed:
        return None


def _written(sections: Sequence[Section]) -> str:
    """What was written, and what was not."""
    written = [section for section in sections if section.heading and section.paragraphs]
    left_out = sum(section.left_out for section in sections)
    told = f"Sections written: {len(written)}."
    return f"{told} Sentences left out, as no source says them: {left_out}." if left_out else told


def _not_found(research: Research, sections: Sequence[Section], *, is_written: bool) -> str:
    """What the report cannot tell, and why."""
    missing = [section.heading for section in sections if not section.paragraphs]
    if not missing and not research.was_cut:
        return ""
    lines = [f"- {without_markup(heading)}" for heading in missing]
    if research.was_cut:
        lines.append("- The budget was spent before everything was looked for.")
    unread = [] if is_written else _having_words(research, missing)
    if not len(research.library):
        why = "None of the searches found anything."
    elif len(missing) == len(sections) and not unread:
        why = "What was found has nothing to do with it."
    else:
        why = "Nothing that was read tells of this:"
    told = "## What was not found\n\n" + (f"{why}\n\n" if missing else "") + "\n".join(lines) + "\n\n"
    if unread:
        told += "These have words of it, but no sentence that a rule could choose; look there yourself:\n\n"
        told += "\n".join(f"- {listed(research.library[number])}" for number in unread) + "\n\n"
    return told


def _having_words(research: Research, missing: Sequence[str]) -> list[int]:
    """The sources that have most of the words of something that no note tells of, those with most of them first."""
    shares: dict[int, float] = {}
    for wanted in filter(None, (meaning(f"{research.plan.title} {heading}") for heading in missing)):
        for number in research.library.numbers:
            source = research.library[number]
            share = len(wanted & meaning(f"{source.title} {source.text}")) / len(wanted)
            shares[number] = max(share, shares.get(number, 0.0))
    likely = sorted((number for number in shares if shares[number] > HALF), key=lambda number: -shares[number])
    return likely[:UNREAD]
