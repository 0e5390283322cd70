"""Deep research: a plan, sources that are found and read, notes, what is missing, and a report that cites them.

    plan        made, shown, changed; or taken from the interaction before (planning, conversation)
    research    search, read, note, judge, again: a bounded number of rounds (research)
    report      sections, a summary, what was not found, the sources (writing)

Each of these is done well by a model that can read and judge, and by rule where there is none (asking). Either way,
nothing is said that was not read (checking). A question about a report that was written before is answered from it, and
looked up only where it says nothing.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from turnwise.agents.agent import AgentCard, Desk, Done, Said, Says, Task, Thinks
from turnwise.agents.deep_research.asking import Asker
from turnwise.agents.deep_research.conversation import Conversation, read
from turnwise.agents.deep_research.effort import TYPE, Effort, parse_config
from turnwise.agents.deep_research.following import answer_from_report
from turnwise.agents.deep_research.planning import Plan, change_plan, make_plan, render_plan
from turnwise.agents.deep_research.research import Research
from turnwise.agents.deep_research.writing import Manuscript, Section, Writer
from turnwise.domain.content import JSON
from turnwise.domain.errors import FailedPrecondition


class DeepResearch:
    """An `Agent`. See `agents/agent.py`."""

    card = AgentCard(
        TYPE,
        "Plans research, searches and reads, and writes a report that cites what it has read.",
        ("google_search", "url_context", "code_execution"),
    )

    def __init__(self, effort: Effort | None = None, render: Render | None = None) -> None:
        """`effort`: how much may be done for one report. `render` draws charts; without it there are none."""
        self._effort = effort or Effort()
        self._render = render

    def check(self, config: Mapping[str, JSON]) -> None:
        """See `Agent.check`."""
        parse_config(config)

    async def work(self, task: Task, desk: Desk) -> AsyncGenerator[Said, None]:
        """Do it. See `Agent.work`.

        Raises:
            InvalidRequest: nothing is asked.
            FailedPrecondition: there is nothing to search with, or all of it failed.
        """
        config, talk = parse_config(task.config), read(task)
        asker = Asker(desk, task.instruction)
        await asker.measure()
        if talk.report is not None and not config.only_plan:
            manuscript = await answer_from_report(asker, talk, talk.report)
            if manuscript is not None:
                yield Thinks("**Looking into the report**\n\nWhat you ask is told by what I have found before.")
                for piece in manuscript:
                    yield piece
                yield Done()
                return
            yield Thinks("**Looking into the report**\n\nIt does not tell what you ask. I look for it.")
        plan = await self._plan(asker, talk)
        yield Thinks(f"**Planning**\n\n{plan.title}\n" + "\n".join(f"- {one.text}" for one in plan.questions))
        if config.only_plan:
            yield Says(render_plan(plan))
            yield Done()
            return
        async for said in self._research(desk, asker, talk, plan, config, task.instruction):
            yield said

    async def _plan(self, asker: Asker, talk: Conversation) -> Plan:
        """The plan that was approved, as it was changed; or a new one."""
        if talk.plan is None:
            return await make_plan(asker, talk.said, talk.before, self._effort)
        return await change_plan(asker, talk.plan, talk.said, talk.asked, self._effort)

    async def _research(
        self, desk: Desk, asker: Asker, talk: Conversation, plan: Plan, wish: str | None
    ) -> AsyncGenerator[Said, None]:
        research = Research(desk, asker, self._effort, plan, f"{talk.asked}\n{talk.said}" if talk.plan else talk.said)
        if not (research.can_search or talk.documents):
            raise FailedPrecondition(
                "deep research needs something to search in, and this server has nothing set up: set "
                'tools.google_search (for documents of your own: engine = "folder", and turnwise index DIR), or '
                "declare `file_search` or `mcp_server` in `tools`"
            )
        async for thought in research.run(talk.documents, talk.addresses):
            yield thought
        if not len(research.library) and research.failures:
            raise FailedPrecondition(f"nothing could be searched: {'; '.join(research.failures)}")
        hurry = not await research.can_write()
        writer = Writer(asker, research.library, research.asked)
        sections = await writer.sections(plan, research.notes, by_rule=hurry)
        summary = Section("") if hurry else await writer.summary(sections)
        yield Thinks(f"**Writing**\n\n{_written([summary, *sections])}")
        wants_charts = config.draws and is_charted(research.asked)
        pictures = await self._charts(desk, asker, research, writer) if wants_charts and not hurry else []
        manuscript = Manuscript(research.library)
        title = writer.heading(plan.title)
        yield Says(manuscript.add(f"# {title}\n\n"))
        for section in [summary, *sections]:
            if section.paragraphs:
                yield Says(manuscript.section(replace(section, heading="") if section.heading == title else section))
        is_whole = asker.is_able and not hurry
        for text in (_not_found(research, sections), _about(research, wish, is_whole)):
            yield Says(manuscript.add(text))
        yield Says(manuscript.sources())
        yield manuscript.cites
        for data in pictures:
            yield Shows(picture(data))
        yield Done("budget_exceeded" if research.was_cut or (hurry and asker.is_able) else "completed")


def _written(sections: Sequence[Section]) -> str:
    """What was written, and what was not."""
    written = [section for section in sections if section.heading and section.paragraphs]
    left_out = sum(section.left_out for section in sections)
    told = f"Sections written: {len(written)}."
    return f"{told} Sentences left out, as no source says them: {left_out}." if left_out else told


def _not_found(research: Research, sections: Sequence[Section]) -> str:
    """What the report cannot tell, and why."""
    missing = [section.heading for section in sections if not section.paragraphs]
    if not missing and not research.was_cut:
        return ""
    lines = [f"- {heading}" for heading in missing]
    if not len(research.library):
        why = "None of the searches found anything."
    elif len(missing) == len(sections):
        why = "What was found has nothing to do with it."
    else:
        why = "Nothing that was read tells of this:"
    if research.was_cut:
        lines.append("- The budget was spent before everything was looked for.")
    return "## What was not found\n\n" + (f"{why}\n\n" if missing else "") + "\n".join(lines) + "\n\n"


def _about(research: Research, wish: str | None, is_written: bool) -> str:
    """How the report was made, as far as a reader should know."""
    told = [f"Searched for: {'; '.join(research.searched)}."] if research.searched else []
    if not is_written and research.notes:
        told.append(
            "No model has written this report: it is put together from sentences of its sources, word for word, which "
            "rules have chosen."
        )
    if not is_written and wish:
        told.append("So the system instruction could not be followed.")
    if research.failures:
        told.append(f"Not everything could be read: {'; '.join(research.failures)}")
    return "## About this report\n\n" + " ".join(told) + "\n\n" if told else ""
