"""Deep research: a plan, sources that are found and read, notes, what is missing, and a report that cites them.

    plan        made, shown, changed; or taken from the interaction before (planning, conversation)
    research    search, read, note, judge, again: a bounded number of rounds (research)
    report      sections, a summary, what was not found, the sources, charts (reporting, writing, charts)

Each of these is done well by a model that can read and judge, and by rule where there is none (asking). Either way,
nothing is said that was not read (checking). A question about a report that was written before is answered from it
(following), and looked up only where it says nothing.
"""

from collections.abc import AsyncGenerator, Mapping

from turnwise.agents.agent import AgentCard, Desk, Done, Said, Says, Task, Thinks
from turnwise.agents.deep_research.asking import Asker
from turnwise.agents.deep_research.charts import Render
from turnwise.agents.deep_research.conversation import Conversation, read
from turnwise.agents.deep_research.effort import TYPE, Effort, parse_config
from turnwise.agents.deep_research.following import answer_from_report
from turnwise.agents.deep_research.planning import Plan, approves, change_plan, make_plan, render_plan
from turnwise.agents.deep_research.reporting import Reporter
from turnwise.agents.deep_research.research import Research
from turnwise.domain.content import JSON
from turnwise.domain.errors import FailedPrecondition

_NOTHING_TO_SEARCH = (
    "deep research needs something to search in, and there is nothing: set tools.google_search (for documents of your "
    'own: engine = "folder", and turnwise index DIR), or declare `file_search` or `mcp_server` in `tools`'
)

_NOTHING_ASKED = "There is nothing to look up in that. Ask about the report, or say what to research next."


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
        if talk.report is not None and approves(talk.said):
            yield Says(_NOTHING_ASKED)
            yield Done()
            return
        if talk.report is not None and not config.only_plan:
            answer = await answer_from_report(asker, talk, talk.report)
            told = "What you ask is told by what I have found before." if answer else "It does not tell what you ask."
            yield Thinks(f"**Looking into the report**\n\n{told}")
            for piece in answer:
                yield piece
            if answer:
                yield Done()
                return
        plan = await self._plan(asker, talk)
        yield Thinks(f"**Planning**\n\n{plan.title}\n" + "\n".join(f"- {one.text}" for one in plan.questions))
        if config.only_plan:
            yield Says(render_plan(plan))
            yield Done()
            return
        research = Research(desk, asker, self._effort, plan, f"{talk.asked}\n{talk.said}" if talk.plan else talk.said)
        if not (research.can_search or talk.documents):
            raise FailedPrecondition(_NOTHING_TO_SEARCH)
        async for thought in research.run(talk.documents, talk.addresses):
            yield thought
        if not len(research.library) and research.failures:
            raise FailedPrecondition(f"nothing could be searched: {'; '.join(research.failures)}")
        reporter = Reporter(desk, asker, research, wish=task.instruction, draws=config.draws, render=self._render)
        async for said in reporter.report():
            yield said

    async def _plan(self, asker: Asker, talk: Conversation) -> Plan:
        """The plan that was approved, as it was changed; or a new one."""
        if talk.plan is None:
            return await make_plan(asker, talk.said, talk.before, self._effort)
        return await change_plan(asker, talk.plan, talk.said, talk.asked, self._effort)
